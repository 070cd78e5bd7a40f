//! The resource tree: type, name, language: [`Resource`], [`ResourceId`].

use std::ops::Range;

use super::{DirectoryKind, PeImage};
use crate::{FileOffset, ImageError, Rva};

/// The type number of version information.
///
/// Source: Microsoft, "Resource Types", `RT_VERSION`.
pub const RT_VERSION: u32 = 16;

/// What a resource's type, name or language is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceId {
    /// A name, in UTF-16.
    Name(Vec<u16>),
    /// A number.
    Number(u32),
}

/// One resource in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The type.
    pub kind: ResourceId,
    /// The name.
    pub name: ResourceId,
    /// The language.
    pub language: ResourceId,
    /// Where its bytes begin.
    pub rva: Rva,
    /// How many there are.
    pub size: u32,
    /// The code page that the linker noted.
    pub code_page: u32,
}

struct Entry {
    id: ResourceId,
    at: u64,
    target: u32,
}

impl<'a> PeImage<'a> {
    /// Lists all resources in the tree's order; the list is empty when there are none.
    ///
    /// # Errors
    /// When a directory or name lies outside the image, the tree has not exactly the three levels type, name and
    /// language (as a cycle would), or has more entries than the file can hold.
    ///
    /// Source: PE Format, "The .rsrc Section".
    pub fn resources(&self) -> Result<Vec<Resource>, ImageError> {
        let mut found = Vec::new();
        let Some(root) = self.headers.directory(DirectoryKind::Resource) else { return Ok(found) };
        let root = u64::from(root.rva.get());
        let mut budget = self.entries_max(8);
        for kind in self.resource_entries(root, 0x8000_0000, &mut budget)? {
            for name in self.resource_entries(root, self.below(&kind)?, &mut budget)? {
                for language in self.resource_entries(root, self.below(&name)?, &mut budget)? {
                    found.push(self.resource_leaf(root, (kind.id.clone(), name.id.clone(), language))?);
                }
            }
        }
        Ok(found)
    }

    /// Finds a resource by type and name; `None` for the language takes the first one.
    ///
    /// # Errors
    /// As [`PeImage::resources`], for the branches on the way only.
    pub fn find_resource(
        &self,
        kind: &ResourceId,
        name: &ResourceId,
        language: Option<u32>,
    ) -> Result<Option<Resource>, ImageError> {
        let Some(root) = self.headers.directory(DirectoryKind::Resource) else { return Ok(None) };
        let root = u64::from(root.rva.get());
        let mut budget = self.entries_max(8);
        let entries = self.resource_entries(root, 0x8000_0000, &mut budget)?;
        let Some(kind) = entries.into_iter().find(|entry| entry.id == *kind) else { return Ok(None) };
        let entries = self.resource_entries(root, self.below(&kind)?, &mut budget)?;
        let Some(name) = entries.into_iter().find(|entry| entry.id == *name) else { return Ok(None) };
        let wanted = |entry: &Entry| language.is_none_or(|number| entry.id == ResourceId::Number(number));
        let entries = self.resource_entries(root, self.below(&name)?, &mut budget)?;
        let Some(language) = entries.into_iter().find(wanted) else { return Ok(None) };
        self.resource_leaf(root, (kind.id, name.id, language)).map(Some)
    }

    /// Returns the bytes of the version resource, VS_VERSIONINFO, if there is one.
    ///
    /// # Errors
    /// As [`PeImage::resources`].
    pub fn version_info(&self) -> Result<Option<&'a [u8]>, ImageError> {
        let (kind, name) = (ResourceId::Number(RT_VERSION), ResourceId::Number(1));
        let found = self.find_resource(&kind, &name, None)?;
        Ok(found.and_then(|resource| self.slice(resource.rva, resource.size)))
    }

    /// Returns where the signatures of the file are, in the file; `None` when it is not signed.
    ///
    /// # Errors
    /// [`ImageError::PastEnd`] when the range ends behind the file.
    pub fn certificates(&self) -> Result<Option<Range<FileOffset>>, ImageError> {
        let Some(directory) = self.headers.directory(DirectoryKind::Certificate) else { return Ok(None) };
        let start = u64::from(directory.rva.get());
        let end = start + u64::from(directory.size);
        let file_bytes = self.source().len() as u64;
        if end > file_bytes && !self.is_mapped() {
            let mut place = self.place(start, "Certificate directory");
            (place.rva, place.offset) = (None, Some(FileOffset::new(start)));
            return Err(ImageError::PastEnd { place, target: end, file_bytes });
        }
        Ok(Some(FileOffset::new(start)..FileOffset::new(end)))
    }

    /// Returns the target of an entry that must lead to a directory.
    fn below(&self, entry: &Entry) -> Result<u32, ImageError> {
        if entry.target & 0x8000_0000 == 0 {
            let expected = "a directory (the highest bit set): a tree has the levels type, name, language";
            return Err(self.unexpected(entry.at + 4, "Resource OffsetToData", entry.target, expected));
        }
        Ok(entry.target)
    }

    fn resource_entries(&self, root: u64, target: u32, budget: &mut u64) -> Result<Vec<Entry>, ImageError> {
        let at = root + u64::from(target & 0x7fff_ffff);
        let names = self.u16_at(at + 12, "Resource NumberOfNameEntries")?;
        let numbers = self.u16_at(at + 14, "Resource NumberOfIDEntries")?;
        let mut entries = Vec::new();
        for index in 0..u64::from(names) + u64::from(numbers) {
            if *budget == 0 {
                return Err(self.too_many(at + 12, "Resource directory", self.entries_max(8)));
            }
            *budget -= 1;
            let at = at + 16 + index * 8;
            let name = self.u32_at(at, "Resource Name")?;
            let target = self.u32_at(at + 4, "Resource OffsetToData")?;
            entries.push(Entry { id: self.resource_id(root, name, budget)?, at, target });
        }
        Ok(entries)
    }

    fn resource_id(&self, root: u64, name: u32, budget: &mut u64) -> Result<ResourceId, ImageError> {
        if name & 0x8000_0000 == 0 {
            return Ok(ResourceId::Number(name));
        }
        let at = root + u64::from(name & 0x7fff_ffff);
        let length = u64::from(self.u16_at(at, "Resource name Length")?);
        // Texts count too, four units for an entry, so that a thousand entries cannot copy one long text.
        *budget = budget.saturating_sub(length / 4);
        let units = (0..length).map(|index| self.u16_at(at + 2 + index * 2, "Resource name"));
        Ok(ResourceId::Name(units.collect::<Result<_, _>>()?))
    }

    fn resource_leaf(
        &self,
        root: u64,
        (kind, name, language): (ResourceId, ResourceId, Entry),
    ) -> Result<Resource, ImageError> {
        if language.target & 0x8000_0000 != 0 {
            let expected = "data (the highest bit clear): nothing is below the level of languages";
            return Err(self.unexpected(language.at + 4, "Resource OffsetToData", language.target, expected));
        }
        let at = root + u64::from(language.target);
        Ok(Resource {
            kind,
            name,
            language: language.id,
            rva: Rva::new(self.u32_at(at, "Resource DataRVA")?),
            size: self.u32_at(at + 4, "Resource Size")?,
            code_page: self.u32_at(at + 8, "Resource Codepage")?,
        })
    }
}
