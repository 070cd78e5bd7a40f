//! Makes PE files field by field, odd ones too: [`Craft`]; and loads them as a loader would: [`load`].
//!
//! Shares no code with the parsers and builders under test.

/// A section of a [`Craft`].
#[derive(Debug, Clone)]
pub struct Part {
    /// Its name, at most 8 bytes.
    pub name: &'static str,
    /// `VirtualSize`; its pages follow those of the part before.
    pub virtual_size: u32,
    /// What is in the file.
    pub raw: Vec<u8>,
    /// Its characteristics.
    pub flags: u32,
}

/// The fields of a PE file; change some, then [`Craft::bytes`].
#[derive(Debug, Clone)]
pub struct Craft {
    /// PE32+ rather than PE32.
    pub is_64: bool,
    /// The machine's number.
    pub machine: u16,
    /// Where the signature is.
    pub e_lfanew: u32,
    /// The preferred base.
    pub base: u64,
    /// `TimeDateStamp`.
    pub timestamp: u32,
    /// Of the file header.
    pub characteristics: u16,
    /// Of the optional header.
    pub dll_characteristics: u16,
    /// `CheckSum` as it is written, right or wrong.
    pub checksum: u32,
    /// Data directories: index, RVA (offset for the certificates), size.
    pub directories: Vec<(usize, u32, u32)>,
    /// The sections, from RVA 0x1000 on.
    pub parts: Vec<Part>,
    /// What follows the sections in the file.
    pub overlay: Vec<u8>,
}

const READ_WRITE_DATA: u32 = 0xc000_0040;

impl Craft {
    /// Begins a DLL without sections.
    pub fn dll(is_64: bool) -> Self {
        Self {
            is_64,
            machine: if is_64 { 0x8664 } else { 0x14c },
            e_lfanew: 0x80,
            base: if is_64 { 0x1_8000_0000 } else { 0x1000_0000 },
            timestamp: 0x5eed_0001,
            characteristics: if is_64 { 0x2022 } else { 0x2102 },
            dll_characteristics: 0x140,
            checksum: 0,
            directories: Vec::new(),
            parts: Vec::new(),
            overlay: Vec::new(),
        }
    }

    /// Appends a section; returns its RVA.
    pub fn part(&mut self, name: &'static str, virtual_size: u32, raw: &[u8]) -> u32 {
        let rva = self.end();
        self.parts.push(Part { name, virtual_size, raw: raw.to_vec(), flags: READ_WRITE_DATA });
        rva
    }

    /// Appends a section of this name with relocation blocks, each of a page and entries; sets the directory.
    pub fn relocations(&mut self, name: &'static str, blocks: &[(u32, &[u16])]) -> u32 {
        let raw = relocation_blocks(blocks);
        let rva = self.part(name, raw.len() as u32, &raw);
        self.directories.push((5, rva, raw.len() as u32));
        rva
    }

    /// Returns the RVA after the last section, a multiple of a page.
    pub fn end(&self) -> u32 {
        self.parts.iter().fold(0x1000, |rva, part| rva + part.virtual_size.max(1).next_multiple_of(0x1000))
    }

    /// Returns where the file's bytes of part `index` begin.
    pub fn offset_of(&self, index: usize) -> u32 {
        let before = &self.parts[..index];
        before.iter().fold(0x400, |at, part| at + (part.raw.len() as u32).next_multiple_of(0x200))
    }

    /// Makes the file.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = vec![0; 0x400];
        let put =
            |out: &mut Vec<u8>, at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
        let signature = self.e_lfanew as usize;
        put(&mut out, 0, b"MZ");
        put(&mut out, 0x3c, &self.e_lfanew.to_le_bytes());
        put(&mut out, signature, b"PE\0\0");
        let file = signature + 4;
        let directories = if self.is_64 { 112 } else { 96 };
        put(&mut out, file, &self.machine.to_le_bytes());
        put(&mut out, file + 2, &(self.parts.len() as u16).to_le_bytes());
        put(&mut out, file + 4, &self.timestamp.to_le_bytes());
        put(&mut out, file + 16, &(directories as u16 + 128).to_le_bytes());
        put(&mut out, file + 18, &self.characteristics.to_le_bytes());
        let optional = file + 20;
        put(&mut out, optional, &(if self.is_64 { 0x20bu16 } else { 0x10b }).to_le_bytes());
        if self.is_64 {
            put(&mut out, optional + 24, &self.base.to_le_bytes());
        } else {
            put(&mut out, optional + 28, &(self.base as u32).to_le_bytes());
        }
        put(&mut out, optional + 32, &0x1000u32.to_le_bytes());
        put(&mut out, optional + 36, &0x200u32.to_le_bytes());
        put(&mut out, optional + 40, &6u16.to_le_bytes());
        put(&mut out, optional + 48, &6u16.to_le_bytes());
        put(&mut out, optional + 56, &self.end().to_le_bytes());
        put(&mut out, optional + 60, &0x400u32.to_le_bytes());
        put(&mut out, optional + 64, &self.checksum.to_le_bytes());
        put(&mut out, optional + 68, &2u16.to_le_bytes());
        put(&mut out, optional + 70, &self.dll_characteristics.to_le_bytes());
        put(&mut out, optional + directories - 4, &16u32.to_le_bytes());
        for &(index, rva, size) in &self.directories {
            put(&mut out, optional + directories + index * 8, &rva.to_le_bytes());
            put(&mut out, optional + directories + index * 8 + 4, &size.to_le_bytes());
        }
        let mut rva = 0x1000;
        for (index, part) in self.parts.iter().enumerate() {
            let entry = optional + directories + 128 + index * 40;
            let raw_bytes = (part.raw.len() as u32).next_multiple_of(0x200);
            let pointer = if part.raw.is_empty() { 0 } else { out.len() as u32 };
            put(&mut out, entry, part.name.as_bytes());
            for (at, word) in
                [(8, part.virtual_size), (12, rva), (16, raw_bytes), (20, pointer), (36, part.flags)]
            {
                put(&mut out, entry + at, &word.to_le_bytes());
            }
            out.extend_from_slice(&part.raw);
            out.resize(out.len().next_multiple_of(0x200), 0);
            rva += part.virtual_size.max(1).next_multiple_of(0x1000);
        }
        out.extend_from_slice(&self.overlay);
        out
    }
}

/// Makes the contents of a relocation directory: blocks of a page's RVA and entries (type << 12 | offset).
pub fn relocation_blocks(blocks: &[(u32, &[u16])]) -> Vec<u8> {
    let mut raw = Vec::new();
    for (page, entries) in blocks {
        let padded = entries.len().next_multiple_of(2);
        raw.extend_from_slice(&page.to_le_bytes());
        raw.extend_from_slice(&(8 + 2 * padded as u32).to_le_bytes());
        raw.extend(entries.iter().flat_map(|entry| entry.to_le_bytes()));
        raw.resize(raw.len() + 2 * (padded - entries.len()), 0);
    }
    raw
}

/// Loads a valid PE file as a loader does: maps it, then relocates it for `base`. `None` where it would fail.
///
/// Header pages are mapped as they are in the file, so that only relocated words differ between bases.
pub fn load(file: &[u8], base: u64) -> Option<Vec<u8>> {
    let half = |at: usize| Some(usize::from(u16::from_le_bytes(*file.get(at..)?.first_chunk()?)));
    let word = |at: usize| Some(u32::from_le_bytes(*file.get(at..)?.first_chunk()?) as usize);
    let signature = word(0x3c)?;
    let optional = signature + 24;
    let is_64 = half(optional)? == 0x20b;
    let old_base = if is_64 {
        u64::from_le_bytes(*file.get(optional + 24..)?.first_chunk()?)
    } else {
        word(optional + 28)? as u64
    };
    let mut memory = vec![0; word(optional + 56)?.next_multiple_of(0x1000)];
    let headers = word(optional + 60)?.min(file.len()).min(memory.len());
    memory[..headers].copy_from_slice(&file[..headers]);
    let table = optional + half(signature + 20)?;
    for index in 0..half(signature + 6)? {
        let entry = table + index * 40;
        let (size, rva, raw, pointer) =
            (word(entry + 8)?, word(entry + 12)?, word(entry + 16)?, word(entry + 20)?);
        let pages = (if size == 0 { raw } else { size }).next_multiple_of(0x1000);
        let start = pointer & !0x1ff;
        let bytes = if pointer == 0 { 0 } else { raw.min(pages).min(file.len().saturating_sub(start)) };
        memory.get_mut(rva..rva + bytes)?.copy_from_slice(file.get(start..start + bytes)?);
    }
    let directories = optional + if is_64 { 112 } else { 96 };
    let directory = directories + 5 * 8;
    if word(directories - 4)? <= 5 {
        return Some(memory);
    }
    relocate(&mut memory, word(directory)?, word(directory + 4)?, base.wrapping_sub(old_base))?;
    Some(memory)
}

fn relocate(memory: &mut [u8], start: usize, size: usize, delta: u64) -> Option<()> {
    let directory = memory.get(start..start + size)?.to_vec();
    let mut at = 0;
    while at + 8 <= directory.len() {
        let page = u32::from_le_bytes(*directory[at..].first_chunk()?) as usize;
        let bytes = u32::from_le_bytes(*directory[at + 4..].first_chunk()?) as usize;
        if bytes == 0 {
            break;
        }
        let block = directory.get(at + 8..at + bytes)?;
        let entries: Vec<u16> =
            block.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        let mut index = 0;
        while index < entries.len() {
            let target = page + usize::from(entries[index] & 0xfff);
            let word16 = |memory: &[u8]| Some(u16::from_le_bytes(*memory.get(target..)?.first_chunk()?));
            match entries[index] >> 12 {
                0 => {}
                1 => {
                    let new = word16(memory)?.wrapping_add((delta >> 16) as u16);
                    memory[target..target + 2].copy_from_slice(&new.to_le_bytes());
                }
                2 => {
                    let new = word16(memory)?.wrapping_add(delta as u16);
                    memory[target..target + 2].copy_from_slice(&new.to_le_bytes());
                }
                3 => {
                    let old = u32::from_le_bytes(*memory.get(target..)?.first_chunk()?);
                    memory[target..target + 4].copy_from_slice(&old.wrapping_add(delta as u32).to_le_bytes());
                }
                4 => {
                    index += 1;
                    let low = *entries.get(index)? as i16;
                    let full = (i32::from(word16(memory)? as i16) << 16).wrapping_add(low.into());
                    let new = full.wrapping_add(delta as i32).wrapping_add(0x8000) >> 16;
                    memory[target..target + 2].copy_from_slice(&(new as u16).to_le_bytes());
                }
                10 => {
                    let old = u64::from_le_bytes(*memory.get(target..)?.first_chunk()?);
                    memory[target..target + 8].copy_from_slice(&old.wrapping_add(delta).to_le_bytes());
                }
                _ => return None,
            }
            index += 1;
        }
        at += bytes;
    }
    Some(())
}
