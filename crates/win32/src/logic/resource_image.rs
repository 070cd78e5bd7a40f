//! A PE file with other resources: new bytes from old ones and a [`ResourceTree`].
//!
//! The section of the resources keeps its address. Where it outgrows its place, the sections behind it move if nothing
//! points into them but the table of relocations; else the resources go into a new section at the end. What follows the
//! sections in the file, signatures included, is left out, as Windows does; the table of symbols stays.
//!
//! Source: PE Format; <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-endupdateresourcew>

use super::resource_tree::ResourceTree;
use super::status::Win32Error;

/// The indices of data directories.
const RESOURCES: usize = 2;
const CERTIFICATES: usize = 4;
const RELOCATIONS: usize = 5;
const DEBUG: usize = 6;

/// `IMAGE_SCN_CNT_INITIALIZED_DATA | IMAGE_SCN_MEM_READ`.
const READABLE_DATA: u32 = 0x4000_0040;
/// `IMAGE_SCN_CNT_CODE | IMAGE_SCN_MEM_EXECUTE`.
const CODE: u32 = 0x2000_0020;
/// `IMAGE_SCN_MEM_DISCARDABLE`.
const DISCARDABLE: u32 = 0x0200_0000;
/// The largest alignment of sections in a file.
const FILE_ALIGNMENT_MAX: u32 = 0x1_0000;
/// The size of a section's header.
const SECTION: usize = 40;

/// Any malformed file.
const BAD: Win32Error = Win32Error::BAD_EXE_FORMAT;

fn word(bytes: &[u8], at: usize) -> Result<u32, Win32Error> {
    let bytes = at.checked_add(4).and_then(|end| bytes.get(at..end)).ok_or(BAD)?;
    Ok(u32::from_le_bytes(bytes.try_into().map_err(|_| BAD)?))
}

fn half(bytes: &[u8], at: usize) -> Result<u16, Win32Error> {
    let bytes = at.checked_add(2).and_then(|end| bytes.get(at..end)).ok_or(BAD)?;
    Ok(u16::from_le_bytes(bytes.try_into().map_err(|_| BAD)?))
}

fn set_word(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

fn align(value: u32, to: u32) -> Result<u32, Win32Error> {
    value.checked_next_multiple_of(to).ok_or(BAD)
}

/// One section: its header's fields that matter, and its bytes.
#[derive(Clone, Debug)]
struct Section {
    header: [u8; SECTION],
    rva: u32,
    /// Where it was.
    old_rva: u32,
    virtual_size: u32,
    /// Where its bytes were in the old file.
    old_at: u32,
    raw: Vec<u8>,
    flags: u32,
}

impl Section {
    fn parse(file: &[u8], at: usize) -> Result<Self, Win32Error> {
        let header: [u8; SECTION] =
            file.get(at..at + SECTION).and_then(|bytes| bytes.try_into().ok()).ok_or(BAD)?;
        let field = |offset| word(&header, offset);
        let (virtual_size, rva, size, old_at, flags) =
            (field(8)?, field(12)?, field(16)?, field(20)?, field(36)?);
        let start = if size == 0 { 0 } else { old_at as usize };
        let end = start.checked_add(size as usize).ok_or(BAD)?;
        let raw = file.get(start..end.min(file.len())).ok_or(BAD)?.to_vec();
        let virtual_size = if virtual_size == 0 { size } else { virtual_size };
        Ok(Self { header, rva, old_rva: rva, virtual_size, old_at, raw, flags })
    }

    fn made(rva: u32) -> Self {
        let mut header = [0; SECTION];
        header[..5].copy_from_slice(b".rsrc");
        set_word(&mut header, 36, READABLE_DATA);
        Self {
            header,
            rva,
            old_rva: u32::MAX,
            virtual_size: 0,
            old_at: u32::MAX,
            raw: Vec::new(),
            flags: READABLE_DATA,
        }
    }

    fn contains(&self, rva: u32) -> bool {
        rva >= self.rva && rva - self.rva < self.virtual_size.max(self.raw.len() as u32)
    }

    /// Writes the header for bytes that lie at `at` in the new file.
    fn header(&self, at: u32) -> [u8; SECTION] {
        let mut header = self.header;
        for (offset, value) in [(8, self.virtual_size), (12, self.rva), (16, self.raw.len() as u32), (20, at)]
        {
            set_word(&mut header, offset, value);
        }
        header
    }
}

/// A file taken apart.
struct Image<'a> {
    file: &'a [u8],
    /// Where the optional header and the directories begin, and how many directories there are.
    optional: usize,
    directories: usize,
    count: usize,
    /// Where the headers of the sections begin.
    table: usize,
    section_alignment: u32,
    file_alignment: u32,
    sections: Vec<Section>,
}

impl<'a> Image<'a> {
    fn parse(file: &'a [u8]) -> Result<Self, Win32Error> {
        if half(file, 0)? != 0x5a4d {
            return Err(BAD);
        }
        let header = word(file, 0x3c)? as usize;
        if word(file, header)? != 0x4550 {
            return Err(BAD);
        }
        let optional = header + 24;
        let directories = optional
            + match half(file, optional)? {
                0x10b => 96,
                0x20b => 112,
                _ => return Err(BAD),
            };
        let count = (word(file, directories - 4)? as usize).min(16);
        let table = optional + usize::from(half(file, header + 20)?);
        let (section_alignment, file_alignment) = (word(file, optional + 32)?, word(file, optional + 36)?);
        let aligned = section_alignment.is_power_of_two()
            && file_alignment.is_power_of_two()
            && file_alignment <= FILE_ALIGNMENT_MAX;
        if count <= RESOURCES || !aligned || directories + 8 * count > table {
            return Err(BAD);
        }
        let number = usize::from(half(file, header + 6)?);
        let sections = (0..number).map(|index| Section::parse(file, table + SECTION * index));
        let sections = sections.collect::<Result<Vec<_>, _>>()?;
        // Behind the last header room for another must be thinkable; the bytes are looked at when it is needed.
        file.get(..table + SECTION * number).ok_or(BAD)?;
        Ok(Self { file, optional, directories, count, table, section_alignment, file_alignment, sections })
    }

    /// Returns address and size of a directory, zeros where there is none.
    fn directory(&self, index: usize) -> (u32, u32) {
        if index >= self.count {
            return (0, 0);
        }
        let at = self.directories + 8 * index;
        // Both lie below the table of sections, which was found in the file.
        (word(self.file, at).unwrap_or(0), word(self.file, at + 4).unwrap_or(0))
    }

    /// Returns the section that is nothing but the resources.
    fn resource_section(&self) -> Option<usize> {
        let (rva, _) = self.directory(RESOURCES);
        let alone = |section: &Section| {
            let others = (0..self.count).filter(|&index| index != RESOURCES && index != CERTIFICATES);
            !others.map(|index| self.directory(index).0).any(|other| other != 0 && section.contains(other))
        };
        self.sections.iter().position(|section| rva != 0 && section.rva == rva && alone(section))
    }

    /// Says whether a section may lie elsewhere: data that only the loader or a debugger looks at.
    fn is_movable(&self, section: &Section) -> bool {
        let others = (0..self.count).filter(|&index| index != RELOCATIONS && index != CERTIFICATES);
        let pointed_at =
            others.map(|index| self.directory(index).0).any(|rva| rva != 0 && section.contains(rva));
        section.flags & DISCARDABLE != 0 && section.flags & CODE == 0 && !pointed_at
    }

    /// Finds or makes the section for resources of some size and gives it its addresses. Windows wants no hole between
    /// sections, so those behind it move both ways, or the section stays as large as it was.
    fn make_room(&mut self, size_at: impl Fn(u32) -> Option<u32>) -> Result<usize, Win32Error> {
        if let Some(index) = self.resource_section() {
            let rva = self.sections[index].rva;
            let size = size_at(rva).ok_or(BAD)?;
            let end = align(rva.checked_add(size).ok_or(BAD)?, self.section_alignment)?;
            let behind = |section: &&Section| section.rva > rva;
            let next = self.sections.iter().filter(behind).map(|section| section.rva).min().unwrap_or(end);
            let movable = self.sections.iter().filter(behind).all(|section| self.is_movable(section));
            if movable || end <= next {
                self.sections[index].virtual_size = if movable { size } else { next - rva };
                if movable {
                    for section in self.sections.iter_mut().filter(|section| section.rva > rva) {
                        section.rva = (section.rva - next).checked_add(end).ok_or(BAD)?;
                    }
                }
                return Ok(index);
            }
        }
        let mut end = self.section_alignment;
        for section in &self.sections {
            end = end.max(section.rva.checked_add(section.virtual_size).ok_or(BAD)?);
        }
        let mut made = Section::made(align(end, self.section_alignment)?);
        made.virtual_size = size_at(made.rva).ok_or(BAD)?;
        self.sections.push(made);
        Ok(self.sections.len() - 1)
    }

    /// Puts the file together again.
    fn write(&self) -> Result<Vec<u8>, Win32Error> {
        let table_end = self.table + SECTION * self.sections.len();
        let old_headers = word(self.file, self.optional + 60)?;
        if old_headers as usize > self.file.len() {
            return Err(BAD);
        }
        let headers =
            align(old_headers.max(u32::try_from(table_end).map_err(|_| BAD)?), self.file_alignment)?;
        if self.sections.iter().any(|section| section.rva < headers) {
            return Err(BAD);
        }
        let mut new = self.file[..(old_headers as usize).max(self.table)].to_vec();
        new.resize(headers as usize, 0);
        let mut order: Vec<usize> = (0..self.sections.len()).collect();
        order.sort_by_key(|&index| self.sections[index].old_at);
        for index in order {
            let section = &self.sections[index];
            let at = if section.raw.is_empty() { 0 } else { u32::try_from(new.len()).map_err(|_| BAD)? };
            let header = self.table + SECTION * index;
            new[header..header + SECTION].copy_from_slice(&section.header(at));
            new.extend(&section.raw);
            let end = align(u32::try_from(new.len()).map_err(|_| BAD)?, self.file_alignment)?;
            new.resize(end as usize, 0);
        }
        self.fix_headers(&mut new, headers)?;
        Ok(new)
    }

    /// Sets the sums of the headers, and what names places in the file.
    fn fix_headers(&self, new: &mut Vec<u8>, headers: u32) -> Result<(), Win32Error> {
        let count = u16::try_from(self.sections.len()).map_err(|_| BAD)?;
        new[self.optional - 18..self.optional - 16].copy_from_slice(&count.to_le_bytes());
        let ends = self.sections.iter().map(|section| section.rva.checked_add(section.virtual_size));
        let end = ends.collect::<Option<Vec<_>>>().and_then(|ends| ends.into_iter().max()).ok_or(BAD)?;
        set_word(new, self.optional + 56, align(end, self.section_alignment)?);
        set_word(new, self.optional + 60, headers);
        let data = self.sections.iter().filter(|section| section.flags & 0x40 != 0);
        let data = data.map(|section| section.raw.len() as u32).fold(0, u32::wrapping_add);
        set_word(new, self.optional + 8, data);
        if self.count > CERTIFICATES {
            new[self.directories + 8 * CERTIFICATES..][..8].fill(0);
        }
        self.fix_debug(new)?;
        self.keep_symbols(new)
    }

    /// Returns where a place of the old file is in the new one.
    fn moved(&self, new: &[u8], old: u32) -> Option<u32> {
        let index = self.sections.iter().position(|section| {
            old >= section.old_at && u64::from(old - section.old_at) < section.raw.len() as u64
        })?;
        let at = word(new, self.table + SECTION * index + 20).ok()?;
        Some(at + (old - self.sections[index].old_at))
    }

    /// Debug directory entries say where their data is in the file, too.
    fn fix_debug(&self, new: &mut [u8]) -> Result<(), Win32Error> {
        let (rva, size) = self.directory(DEBUG);
        let Some(home) = self.sections.iter().position(|section| rva != 0 && section.contains(rva)) else {
            return Ok(());
        };
        let start = word(new, self.table + SECTION * home + 20)? + (rva - self.sections[home].rva);
        for entry in 0..size / 28 {
            let at = start as usize + 28 * entry as usize + 24;
            let Ok(old) = word(new, at) else { break };
            let moved = self.moved(new, old).unwrap_or(0);
            set_word(new, at, moved);
        }
        Ok(())
    }

    /// Appends the table of COFF symbols and its texts, which long names of sections need.
    fn keep_symbols(&self, new: &mut Vec<u8>) -> Result<(), Win32Error> {
        let field = self.optional - 12;
        let (old, count) = (word(self.file, field)? as usize, word(self.file, field + 4)? as usize);
        let texts = count.checked_mul(18).and_then(|size| size.checked_add(old));
        let range = texts.and_then(|texts| {
            let size = word(self.file, texts).ok()? as usize;
            self.file.get(old..texts.checked_add(size)?)
        });
        match range {
            Some(symbols) if old != 0 => {
                let at = u32::try_from(new.len()).map_err(|_| BAD)?;
                set_word(new, field, at);
                new.extend(symbols);
            }
            _ => new[field..field + 8].fill(0),
        }
        Ok(())
    }
}

/// Returns the file with other resources; an empty tree leaves an empty root directory.
///
/// # Errors
/// `BAD_EXE_FORMAT` for what is no PE image, or one whose headers have no room for another section when it needs one.
pub fn with_resources(file: &[u8], tree: &ResourceTree) -> Result<Vec<u8>, Win32Error> {
    let mut image = Image::parse(file)?;
    let size_at = |rva| tree.encode(rva).and_then(|bytes| u32::try_from(bytes.len()).ok());
    let index = image.make_room(size_at)?;
    let rva = image.sections[index].rva;
    let mut bytes = tree.encode(rva).ok_or(BAD)?;
    let size = u32::try_from(bytes.len()).map_err(|_| BAD)?;
    bytes.resize(align(size, image.file_alignment)? as usize, 0);
    image.sections[index].raw = bytes;
    let mut new = image.write()?;
    for (at, value) in [(0, rva), (4, size)] {
        set_word(&mut new, image.directories + 8 * RESOURCES + at, value);
    }
    let (relocations, _) = image.directory(RELOCATIONS);
    let home = |section: &&Section| relocations != 0 && section.old_rva <= relocations;
    if let Some(home) = image.sections.iter().filter(home).max_by_key(|section| section.old_rva) {
        let moved = relocations.wrapping_add(home.rva).wrapping_sub(home.old_rva);
        set_word(&mut new, image.directories + 8 * RELOCATIONS, moved);
    }
    if word(file, image.optional + 64)? != 0 {
        let sum = checksum(&new, image.optional + 64);
        set_word(&mut new, image.optional + 64, sum);
    }
    Ok(new)
}

/// Returns the `CheckSum` of a file whose field lies at `field`: a sum of 16-bit words with its carries, and the length.
///
/// Source: Microsoft, "CheckSumMappedFile function".
fn checksum(file: &[u8], field: usize) -> u32 {
    let mut sum = 0u64;
    for (index, pair) in file.chunks(2).enumerate() {
        if !(field..field + 4).contains(&(2 * index)) {
            sum += u64::from(u16::from_le_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (sum as u32).wrapping_add(file.len() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::resource_tree::{Content, ResourceName};

    /// Where the sections' table is in the file, and where the headers end.
    const TABLE: usize = 0x40 + 24 + 96 + 128;

    /// Makes a file of code, resources and another section, with directories for the resources and for `other`.
    fn file(name: &[u8; 6], flags: u32, other: usize) -> Vec<u8> {
        let mut bytes = vec![0; 0x800];
        let mut put = |at: usize, value: u32| bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        for (at, value) in [(0, 0x5a4d), (0x3c, 0x40), (0x40, 0x4550), (0x44, 3 << 16 | 0x14c), (0x54, 224)] {
            put(at, value);
        }
        for (at, value) in
            [(0, 0x10b), (32, 0x1000), (36, 0x200), (56, 0x4000), (60, 0x200), (64, 7), (92, 16)]
        {
            put(0x58 + at, value);
        }
        put(0x58 + 96 + 16, 0x2000);
        put(0x58 + 96 + 20, 16);
        put(0x58 + 96 + 8 * other, 0x3000);
        for (index, section_flags) in [0x6000_0020, READABLE_DATA, flags].into_iter().enumerate() {
            let rva = 0x1000 * (index as u32 + 1);
            let fields =
                [(8, 0x100), (12, rva), (16, 0x200), (20, 0x200 * (index as u32 + 1)), (36, section_flags)];
            fields.into_iter().for_each(|(at, value)| put(TABLE + SECTION * index + at, value));
        }
        bytes[TABLE + 80..TABLE + 86].copy_from_slice(name);
        bytes[0x600..0x604].copy_from_slice(b"LAST");
        bytes
    }

    fn tree(size: usize) -> ResourceTree {
        let mut tree = ResourceTree::default();
        let content = Content { bytes: vec![7; size], code_page: 0 };
        tree.insert(ResourceName::Id(10), ResourceName::Id(1), 0, content);
        tree
    }

    /// Returns name, address and place in the file of each section, then those of both directories.
    fn summary(file: &[u8], other: usize) -> (Vec<(u32, u32)>, u32, u32) {
        let image = Image::parse(file).expect("it is one");
        let at = |index: usize| word(file, TABLE + SECTION * index + 20).expect("it is there");
        let sections = image.sections.iter().enumerate().map(|(index, section)| (section.rva, at(index)));
        (sections.collect(), image.directory(RESOURCES).0, image.directory(other).0)
    }

    #[test]
    fn relocations_move_out_of_the_way_and_back() {
        let old = file(b".reloc", READABLE_DATA | DISCARDABLE, RELOCATIONS);
        let grown = with_resources(&old, &tree(0x1800)).expect("it has room");
        let (sections, resources, relocations) = summary(&grown, RELOCATIONS);
        assert_eq!(sections, [(0x1000, 0x200), (0x2000, 0x400), (0x4000, 0x1e00)]);
        assert_eq!((resources, relocations), (0x2000, 0x4000));
        assert_eq!(&grown[0x1e00..0x1e04], b"LAST");
        assert_eq!(word(&grown, 0x58 + 56), Ok(0x5000));
        assert_eq!(word(&grown, 0x58 + 64), Ok(checksum(&grown, 0x58 + 64)));
        let back = with_resources(&grown, &tree(8)).expect("it has room");
        let (sections, _, relocations) = summary(&back, RELOCATIONS);
        assert_eq!((sections[2], relocations), ((0x3000, 0x600), 0x3000));
    }

    #[test]
    fn behind_what_cannot_move_a_section_is_made() {
        const IMPORTS: usize = 1;
        let old = file(b".idata", READABLE_DATA, IMPORTS);
        let grown = with_resources(&old, &tree(0x1800)).expect("it has room");
        let (sections, resources, imports) = summary(&grown, IMPORTS);
        assert_eq!(sections, [(0x1000, 0x200), (0x2000, 0x400), (0x3000, 0x600), (0x4000, 0x800)]);
        assert_eq!((resources, imports), (0x4000, 0x3000));
        // What fits stays where it is, and leaves no hole.
        let small = with_resources(&old, &tree(8)).expect("it has room");
        assert_eq!(summary(&small, IMPORTS).0.len(), 3);
    }

    #[test]
    fn damaged_files_are_refused_without_panic() {
        let old = file(b".reloc", READABLE_DATA | DISCARDABLE, RELOCATIONS);
        for length in 0..TABLE + 3 * SECTION {
            assert_eq!(with_resources(&old[..length], &tree(8)), Err(BAD), "{length}");
        }
        for at in 0..TABLE + 3 * SECTION {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut bad = old.clone();
                bad[at] = value;
                let _ = with_resources(&bad, &tree(0x1800));
            }
        }
    }
}
