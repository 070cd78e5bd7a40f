//! What changes when an image is not at its preferred base: [`Relocation`], [`RelocationKind`].

use super::{DirectoryKind, PeImage};
use crate::{ImageError, Rva};

/// How a place in the image depends on the base.
///
/// Source: PE Format, "Base Relocation Types".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RelocationKind {
    /// The upper 16 bits of the difference are added to a 16-bit field.
    High,
    /// The lower 16 bits of the difference are added to a 16-bit field.
    Low,
    /// The difference is added to a 32-bit field.
    HighLow,
    /// As [`RelocationKind::High`], with the lower 16 bits of the address in the next entry, for the carry.
    HighAdjust(u16),
    /// The difference is added to a 64-bit field.
    Dir64,
}

impl RelocationKind {
    /// Returns the size of the field in bytes.
    pub const fn field_bytes(self) -> u32 {
        match self {
            Self::High | Self::Low | Self::HighAdjust(_) => 2,
            Self::HighLow => 4,
            Self::Dir64 => 8,
        }
    }

    /// Adds `delta`, the new base minus the old one, to a field of [`RelocationKind::field_bytes`] bytes.
    pub fn apply(self, field: &mut [u8], delta: u64) {
        debug_assert_eq!(field.len(), self.field_bytes() as usize);
        let mut word = [0; 8];
        word[..field.len()].copy_from_slice(field);
        let old = u64::from_le_bytes(word);
        let new = match self {
            Self::Low | Self::HighLow | Self::Dir64 => old.wrapping_add(delta),
            Self::High => (old << 16).wrapping_add(delta) >> 16,
            // The lower half is signed, and the result is rounded to the nearest multiple of 64 KiB.
            Self::HighAdjust(low) => {
                let address = (old << 16).wrapping_add_signed((low as i16).into());
                address.wrapping_add(delta).wrapping_add(0x8000) >> 16
            }
        };
        field.copy_from_slice(&new.to_le_bytes()[..field.len()]);
    }
}

/// A place in the image that holds an address, or a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relocation {
    /// Where it is.
    pub rva: Rva,
    /// How it is changed.
    pub kind: RelocationKind,
}

/// The relocations in the order of the directory; stops after the first error.
#[derive(Debug, Clone)]
pub struct Relocations<'i, 'a> {
    image: &'i PeImage<'a>,
    /// Where the next block begins.
    block: u64,
    /// Where the directory ends.
    end: u64,
    /// The page of the block being read, and where its next entry is.
    page: u32,
    entry: u64,
    /// The bytes of the entries that are left of the block.
    entries: &'a [u8],
}

impl<'a> PeImage<'a> {
    /// Returns the base relocations; none when the image has no such directory.
    ///
    /// An image without relocations may be one that needs none, or one that cannot be moved: see
    /// [`PeImage::is_relocatable`].
    ///
    /// Source: PE Format, "The .reloc Section".
    pub fn relocations(&self) -> Relocations<'_, 'a> {
        let directory = self.headers.directory(DirectoryKind::BaseRelocation);
        let (block, size) =
            directory.map_or((0, 0), |entry| (u64::from(entry.rva.get()), u64::from(entry.size)));
        Relocations { image: self, block, end: block + size, page: 0, entry: 0, entries: &[] }
    }

    /// Says whether the image may be placed elsewhere than at its preferred base.
    pub fn is_relocatable(&self) -> bool {
        let stripped = self.headers.characteristics.contains(super::Characteristics::RELOCS_STRIPPED);
        !stripped
            && (self.headers.directory(DirectoryKind::BaseRelocation).is_some()
                // A library of resources alone, or of managed code, has nothing to relocate.
                || self.headers.is_dll())
    }

    /// Applies all relocations to `mapped`, the image laid out by RVA, for a new base; returns their number.
    ///
    /// Fields may cross pages and sections. `ImageBase` in the mapped headers is left as it is.
    ///
    /// # Errors
    /// At the first entry that is wrong; those before it have been applied then.
    pub fn relocate(&self, mapped: &mut [u8], new_base: u64) -> Result<u64, ImageError> {
        let delta = new_base.wrapping_sub(self.headers.image_base);
        let mut count = 0;
        for relocation in self.relocations() {
            let Relocation { rva, kind } = relocation?;
            let start = rva.get() as usize;
            let range = start..start + kind.field_bytes() as usize;
            let Some(field) = mapped.get_mut(range) else {
                let directory =
                    self.headers.directory(DirectoryKind::BaseRelocation).map_or(0, |it| it.rva.get());
                return Err(self.unmapped(directory.into(), "BaseRelocation entry", rva.get().into()));
            };
            kind.apply(field, delta);
            count += 1;
        }
        Ok(count)
    }
}

impl Relocations<'_, '_> {
    /// Enters the next block; `false` at the end of the directory.
    fn next_block(&mut self) -> Result<bool, ImageError> {
        if self.block + 8 > self.end {
            return Ok(false);
        }
        let page = self.image.u32_at(self.block, "BaseRelocation PageRVA")?;
        let size = self.image.u32_at(self.block + 4, "BaseRelocation BlockSize")?;
        // Some linkers pad the directory with zeroes.
        if page == 0 && size == 0 {
            return Ok(false);
        }
        let next = self.block + u64::from(size);
        if size < 8 || next > self.end {
            let expected = format!("from 8 to {:#x}, what is left of the directory", self.end - self.block);
            return Err(self.image.unexpected(self.block + 4, "BaseRelocation BlockSize", size, expected));
        }
        // Zero fill holds no relocations: a block must be in the file, which bounds the loop by the file's size.
        let Some(block) = self.image.view.slice(self.block, size.into()) else {
            return Err(self.image.unmapped(self.block + 4, "BaseRelocation BlockSize", next));
        };
        (self.page, self.entry, self.entries) = (page, self.block + 8, &block[8..]);
        self.block = next;
        Ok(true)
    }

    /// Takes the next 16 bits of the block.
    fn take(&mut self) -> Option<u16> {
        let (word, rest) = self.entries.split_first_chunk()?;
        self.entries = rest;
        self.entry += 2;
        Some(u16::from_le_bytes(*word))
    }

    fn read(&mut self) -> Result<Option<Relocation>, ImageError> {
        loop {
            let at = self.entry;
            let Some(entry) = self.take() else {
                if !self.next_block()? {
                    return Ok(None);
                }
                continue;
            };
            let kind = match entry >> 12 {
                0 => continue,
                1 => Some(RelocationKind::High),
                2 => Some(RelocationKind::Low),
                3 => Some(RelocationKind::HighLow),
                4 => self.take().map(RelocationKind::HighAdjust),
                10 => Some(RelocationKind::Dir64),
                _ => None,
            };
            let Some(kind) = kind else {
                let expected =
                    "a type met on x86: ABSOLUTE, HIGH, LOW, HIGHLOW, HIGHADJ with its parameter, DIR64";
                return Err(self.image.unexpected(at, "BaseRelocation Type", entry >> 12, expected));
            };
            let target = u64::from(self.page) + u64::from(entry & 0xfff);
            if target + u64::from(kind.field_bytes()) > u64::from(self.image.headers.size_of_image) {
                return Err(self.image.unmapped(at, "BaseRelocation entry", target));
            }
            let rva = Rva::new(u32::try_from(target).expect("below SizeOfImage"));
            return Ok(Some(Relocation { rva, kind }));
        }
    }
}

impl Iterator for Relocations<'_, '_> {
    type Item = Result<Relocation, ImageError>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.read().transpose();
        if matches!(item, None | Some(Err(_))) {
            (self.entries, self.block, self.end) = (&[], 0, 0);
        }
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_adds_its_part_of_the_difference() {
        let applied = |kind: RelocationKind, value: u64, delta: u64| {
            let mut field = value.to_le_bytes()[..kind.field_bytes() as usize].to_vec();
            kind.apply(&mut field, delta);
            field.resize(8, 0);
            u64::from_le_bytes(field.try_into().expect("8 bytes"))
        };
        let down = 0u64.wrapping_sub(0x1_0000);
        assert_eq!(applied(RelocationKind::HighLow, 0x0040_1000, 0x0100_0000), 0x0140_1000);
        assert_eq!(applied(RelocationKind::HighLow, 0x0040_1000, down), 0x003f_1000);
        assert_eq!(applied(RelocationKind::Dir64, 0x1_4000_1000, down), 0x1_3fff_1000);
        assert_eq!(applied(RelocationKind::High, 0x0040, 0x0012_0000), 0x0052);
        assert_eq!(applied(RelocationKind::Low, 0xfff0, 0x0012_0020), 0x0010);
        // 0x0040_0000 - 0x8000 + 0x0012_0000 is 0x0051_8000, which rounds up to 0x0052.
        assert_eq!(applied(RelocationKind::HighAdjust(0x8000), 0x0040, 0x0012_0000), 0x0052);
        assert_eq!(applied(RelocationKind::HighAdjust(0x7fff), 0x0040, 0x0012_0001), 0x0053);
    }
}
