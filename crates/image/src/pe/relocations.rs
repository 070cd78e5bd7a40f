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
    #[inline]
    pub fn apply(self, field: &mut [u8], delta: u64) {
        debug_assert_eq!(field.len(), self.field_bytes() as usize);
        match self {
            Self::HighLow => {
                change(field, |old| u32::from_le_bytes(old).wrapping_add(delta as u32).to_le_bytes());
            }
            Self::Dir64 => change(field, |old| u64::from_le_bytes(old).wrapping_add(delta).to_le_bytes()),
            Self::Low => {
                change(field, |old| u16::from_le_bytes(old).wrapping_add(delta as u16).to_le_bytes())
            }
            Self::High => change(field, |old| upper_half(from_upper_half(old).wrapping_add(delta))),
            // The lower half is signed, and the result is rounded to the nearest multiple of 64 KiB.
            Self::HighAdjust(low) => change(field, |old| {
                let address = from_upper_half(old).wrapping_add_signed((low as i16).into());
                upper_half(address.wrapping_add(delta).wrapping_add(0x8000))
            }),
        }
    }
}

/// Changes a field whose size is known to the compiler, which does it in registers; one that is too short stays.
#[inline]
fn change<const N: usize>(field: &mut [u8], new: impl FnOnce([u8; N]) -> [u8; N]) {
    if let Some(field) = field.first_chunk_mut() {
        *field = new(*field);
    }
}

/// Returns the address whose upper half a field holds.
fn from_upper_half(field: [u8; 2]) -> u64 {
    u64::from(u16::from_le_bytes(field)) << 16
}

/// Returns the upper half of a 32-bit address.
fn upper_half(address: u64) -> [u8; 2] {
    ((address >> 16) as u16).to_le_bytes()
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
    blocks: RelocationBlocks<'i, 'a>,
    /// What is left of the block being read.
    block: RelocationBlock<'i, 'a>,
}

/// The blocks of the directory; stops after the first error.
#[derive(Debug, Clone)]
pub struct RelocationBlocks<'i, 'a> {
    image: &'i PeImage<'a>,
    /// Where the next block begins.
    block: u64,
    /// Where the directory ends.
    end: u64,
}

/// The relocations of one page; an iterator over them, which stops after the first error.
#[derive(Debug, Clone)]
pub struct RelocationBlock<'i, 'a> {
    image: &'i PeImage<'a>,
    page: u32,
    /// Where the next entry is.
    entry: u64,
    /// The bytes of the entries that are left.
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
        let block = RelocationBlock { image: self, page: 0, entry: 0, entries: &[] };
        Relocations { blocks: self.relocation_blocks(), block }
    }

    /// Returns the base relocations page by page, as [`PeImage::relocations`] does one by one.
    ///
    /// Source: PE Format, "Base Relocation Block".
    pub fn relocation_blocks(&self) -> RelocationBlocks<'_, 'a> {
        let directory = self.headers.directory(DirectoryKind::BaseRelocation);
        let (block, size) =
            directory.map_or((0, 0), |entry| (u64::from(entry.rva.get()), u64::from(entry.size)));
        RelocationBlocks { image: self, block, end: block + size }
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

impl<'i, 'a> RelocationBlocks<'i, 'a> {
    /// Reads the next block; nothing at the end of the directory.
    fn read(&mut self) -> Result<Option<RelocationBlock<'i, 'a>>, ImageError> {
        if self.block + 8 > self.end {
            return Ok(None);
        }
        let page = self.image.u32_at(self.block, "BaseRelocation PageRVA")?;
        let size = self.image.u32_at(self.block + 4, "BaseRelocation BlockSize")?;
        // Some linkers pad the directory with zeroes.
        if page == 0 && size == 0 {
            return Ok(None);
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
        let entry = self.block + 8;
        self.block = next;
        Ok(Some(RelocationBlock { image: self.image, page, entry, entries: &block[8..] }))
    }
}

impl<'i, 'a> Iterator for RelocationBlocks<'i, 'a> {
    type Item = Result<RelocationBlock<'i, 'a>, ImageError>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.read().transpose();
        if matches!(item, None | Some(Err(_))) {
            (self.block, self.end) = (0, 0);
        }
        item
    }
}

impl<'a> RelocationBlock<'_, 'a> {
    /// Returns the page, which is where its relocations' offsets count from.
    pub fn page(&self) -> Rva {
        Rva::new(self.page)
    }

    /// Returns the one kind, `HighLow` or `Dir64`, that all relocations left have, and their offsets in the page;
    /// nothing when they are of several or other kinds, or none. Nobody has checked then that they lie in the image.
    pub fn uniform(&self) -> Option<(RelocationKind, impl Iterator<Item = u32> + use<'a>)> {
        let kind = match self.entries.get(1)? >> 4 {
            3 => RelocationKind::HighLow,
            10 => RelocationKind::Dir64,
            _ => return None,
        };
        let number = self.entries[1] >> 4;
        let entries = self.entries.chunks_exact(2).map(|entry| u16::from_le_bytes([entry[0], entry[1]]));
        let is_padding = |entry: u16| entry >> 12 == 0;
        let is_uniform = entries.clone().all(|entry| is_padding(entry) || entry >> 12 == u16::from(number));
        let relocations = entries.filter(move |&entry| !is_padding(entry));
        is_uniform.then(|| (kind, relocations.map(|entry| u32::from(entry & 0xfff))))
    }

    /// Takes the next 16 bits.
    fn take(&mut self) -> Option<u16> {
        let (word, rest) = self.entries.split_first_chunk()?;
        self.entries = rest;
        self.entry += 2;
        Some(u16::from_le_bytes(*word))
    }

    fn read(&mut self) -> Result<Option<Relocation>, ImageError> {
        loop {
            let at = self.entry;
            let Some(entry) = self.take() else { return Ok(None) };
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

impl Iterator for RelocationBlock<'_, '_> {
    type Item = Result<Relocation, ImageError>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.read().transpose();
        if matches!(item, Some(Err(_))) {
            self.entries = &[];
        }
        item
    }
}

impl Iterator for Relocations<'_, '_> {
    type Item = Result<Relocation, ImageError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.block.next() {
                Some(Err(error)) => {
                    self.blocks.end = 0;
                    return Some(Err(error));
                }
                Some(relocation) => return Some(relocation),
                None => match self.blocks.next()? {
                    Ok(block) => self.block = block,
                    Err(error) => return Some(Err(error)),
                },
            }
        }
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
