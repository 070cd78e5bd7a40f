//! From bytes to [`ElfImage`]: the header, the program headers, the interpreter's path.

use plat_regions::Access;

use super::ElfError;

/// Program headers that a kernel reads at most: Linux refuses tables of more than 64 KiB.
const PROGRAM_HEADERS_MAX: u64 = 0x1_0000 / 32;
const PT_LOAD: u32 = 1;
const PT_INTERP: u32 = 3;
const PT_PHDR: u32 = 6;
const PT_GNU_STACK: u32 = 0x6474_e551;
const PT_GNU_RELRO: u32 = 0x6474_e552;

/// What kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElfKind {
    /// `ET_EXEC`: linked for fixed addresses.
    Fixed,
    /// `ET_DYN`: a library or a position-independent program.
    Movable,
}

/// One `PT_LOAD` segment, in the file's own addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ElfSegment {
    /// Its first byte in memory, relative to the load bias.
    pub address: u64,
    /// Its size in memory in bytes.
    pub memory_bytes: u64,
    /// Where its bytes stand in the file.
    pub offset: u64,
    /// How many bytes come from the file; never more than `memory_bytes`.
    pub file_bytes: u64,
    /// What may be done with it.
    pub access: Access,
    /// Its alignment in bytes: 0 and 1 are none.
    pub alignment: u64,
}

/// What a kernel reads of an ELF file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElfImage {
    /// Whether it is for 64 bits.
    pub is_64: bool,
    /// `e_machine`: 3 is 80386, 62 is x86-64.
    pub machine: u16,
    /// Fixed or movable.
    pub kind: ElfKind,
    /// Where the first instruction is, relative to the load bias.
    pub entry: u64,
    /// The segments to be mapped, in the file's order.
    pub segments: Vec<ElfSegment>,
    /// The path of the program that loads this one, as the file says it.
    pub interpreter: Option<String>,
    /// Whether the stack is to be executable; `None` when the file does not say.
    pub executable_stack: Option<bool>,
    /// Where the program headers lie in memory, relative to the load bias, when `PT_PHDR` or a segment says so.
    pub headers_at: Option<u64>,
    /// How many program headers there are.
    pub header_count: u16,
    /// What becomes read-only after relocation: address relative to the load bias, and size, both in bytes.
    pub relro: Option<(u64, u64)>,
}

struct Reader<'a> {
    file: &'a str,
    bytes: &'a [u8],
    wide: bool,
}

impl Reader<'_> {
    fn past_end(&self, field: &'static str, end: u64) -> ElfError {
        ElfError::PastEnd { file: self.file.into(), field, end, file_bytes: self.bytes.len() as u64 }
    }

    fn slice(&self, at: u64, length: u64, field: &'static str) -> Result<&[u8], ElfError> {
        let end = at.checked_add(length).ok_or_else(|| self.past_end(field, u64::MAX))?;
        let range = usize::try_from(at).ok().zip(usize::try_from(end).ok());
        range.and_then(|(at, end)| self.bytes.get(at..end)).ok_or_else(|| self.past_end(field, end))
    }

    fn number(&self, at: u64, length: u64, field: &'static str) -> Result<u64, ElfError> {
        let bytes = self.slice(at, length, field)?;
        Ok(bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    fn unexpected(&self, offset: u64, field: &'static str, found: u64, expected: &'static str) -> ElfError {
        ElfError::Unexpected { file: self.file.into(), offset, field, found, expected }
    }

    /// Reads a field whose place and size depend on the width: (offset, size) for 32 and for 64 bits.
    fn field(
        &self,
        base: u64,
        narrow: (u64, u64),
        wide: (u64, u64),
        name: &'static str,
    ) -> Result<u64, ElfError> {
        let (offset, size) = if self.wide { wide } else { narrow };
        self.number(base.saturating_add(offset), size, name)
    }
}

impl ElfImage {
    /// Parses the start of a file: header, program headers and interpreter path must be inside `bytes`.
    ///
    /// # Errors
    /// [`ElfError`] with the field that is wrong. Segments may reach behind `bytes`: only a loader that maps them knows.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, ElfError> {
        if !bytes.starts_with(b"\x7fELF") {
            return Err(ElfError::NotElf { file: file.into() });
        }
        let mut reader = Reader { file, bytes, wide: false };
        reader.wide = match reader.number(4, 1, "e_ident[EI_CLASS]")? {
            1 => false,
            2 => true,
            found => {
                return Err(reader.unexpected(4, "e_ident[EI_CLASS]", found, "1 (32 bits) or 2 (64 bits)"));
            }
        };
        let order = reader.number(5, 1, "e_ident[EI_DATA]")?;
        if order != 1 {
            return Err(reader.unexpected(5, "e_ident[EI_DATA]", order, "1 (little-endian)"));
        }
        let kind = match reader.number(16, 2, "e_type")? {
            2 => ElfKind::Fixed,
            3 => ElfKind::Movable,
            found => return Err(reader.unexpected(16, "e_type", found, "2 (ET_EXEC) or 3 (ET_DYN)")),
        };
        let machine = reader.number(18, 2, "e_machine")? as u16;
        let entry = reader.field(0, (24, 4), (24, 8), "e_entry")?;
        let table = reader.field(0, (28, 4), (32, 8), "e_phoff")?;
        let size = reader.field(0, (42, 2), (54, 2), "e_phentsize")?;
        let count = reader.field(0, (44, 2), (56, 2), "e_phnum")?;
        let expected_size = if reader.wide { 56 } else { 32 };
        if size != expected_size {
            let at = if reader.wide { 54 } else { 42 };
            return Err(reader.unexpected(at, "e_phentsize", size, "56 in 64 bits, 32 in 32 bits"));
        }
        if count == 0 || count > PROGRAM_HEADERS_MAX {
            let at = if reader.wide { 56 } else { 44 };
            return Err(reader.unexpected(at, "e_phnum", count, "1 to 2048 program headers"));
        }
        let mut image = Self {
            is_64: reader.wide,
            machine,
            kind,
            entry,
            segments: Vec::new(),
            interpreter: None,
            executable_stack: None,
            headers_at: None,
            header_count: count as u16,
            relro: None,
        };
        for index in 0..count {
            let at = index.checked_mul(size).and_then(|skip| table.checked_add(skip));
            let at = at.ok_or_else(|| reader.past_end("program header", u64::MAX))?;
            image.read_header(&reader, at)?;
        }
        image.find_headers(table);
        Ok(image)
    }

    fn read_header(&mut self, reader: &Reader<'_>, at: u64) -> Result<(), ElfError> {
        let kind = reader.number(at, 4, "p_type")? as u32;
        let flags = reader.field(at, (24, 4), (4, 4), "p_flags")?;
        let offset = reader.field(at, (4, 4), (8, 8), "p_offset")?;
        let address = reader.field(at, (8, 4), (16, 8), "p_vaddr")?;
        let file_bytes = reader.field(at, (16, 4), (32, 8), "p_filesz")?;
        let memory_bytes = reader.field(at, (20, 4), (40, 8), "p_memsz")?;
        let alignment = reader.field(at, (28, 4), (48, 8), "p_align")?;
        match kind {
            PT_LOAD => {
                if file_bytes > memory_bytes {
                    return Err(reader.unexpected(at, "p_filesz", file_bytes, "at most p_memsz"));
                }
                if address.checked_add(memory_bytes).is_none() || offset.checked_add(file_bytes).is_none() {
                    return Err(reader.unexpected(at, "p_vaddr", address, "a segment inside 64 bits"));
                }
                if address % 4096 != offset % 4096 {
                    return Err(reader.unexpected(
                        at,
                        "p_vaddr",
                        address,
                        "the same rest modulo 4096 as p_offset",
                    ));
                }
                if alignment > 1 && !alignment.is_power_of_two() {
                    return Err(reader.unexpected(at, "p_align", alignment, "a power of two"));
                }
                let access = access_of(flags);
                self.segments.push(ElfSegment {
                    address,
                    memory_bytes,
                    offset,
                    file_bytes,
                    access,
                    alignment,
                });
            }
            PT_INTERP => {
                if !(2..=4096).contains(&file_bytes) {
                    return Err(reader.unexpected(at, "p_filesz of PT_INTERP", file_bytes, "2 to 4096"));
                }
                let path = reader.slice(offset, file_bytes, "interpreter path")?;
                let Some((0, path)) = path.split_last() else {
                    return Err(reader.unexpected(
                        offset,
                        "interpreter path",
                        1,
                        "a text that ends with NUL",
                    ));
                };
                self.interpreter = Some(String::from_utf8_lossy(path).into_owned());
            }
            PT_PHDR => self.headers_at = Some(address),
            PT_GNU_STACK => self.executable_stack = Some(flags & 1 != 0),
            PT_GNU_RELRO => self.relro = Some((address, memory_bytes)),
            _ => {}
        }
        Ok(())
    }

    /// Finds where the program headers are mapped when no `PT_PHDR` says so.
    fn find_headers(&mut self, table: u64) {
        let holds = |segment: &&ElfSegment| {
            segment.offset <= table && table < segment.offset.saturating_add(segment.file_bytes)
        };
        let found = self.segments.iter().find(holds);
        self.headers_at = self.headers_at.or(found.map(|at| at.address.wrapping_add(table - at.offset)));
    }

    /// Returns the span of all segments in whole pages: lowest byte and first byte behind; `None` without segments.
    pub fn span(&self) -> Option<(u64, u64)> {
        let lowest = self.segments.iter().map(|segment| segment.address & !0xfff).min()?;
        let end = |segment: &ElfSegment| {
            (segment.address + segment.memory_bytes).checked_next_multiple_of(4096).unwrap_or(u64::MAX)
        };
        let highest = self.segments.iter().map(end).max()?;
        Some((lowest, highest))
    }

    /// Returns the largest alignment of a segment in bytes, at least a page.
    pub fn alignment(&self) -> u64 {
        self.segments.iter().map(|segment| segment.alignment).max().unwrap_or(0).max(4096)
    }
}

fn access_of(flags: u64) -> Access {
    let mut access = Access::empty();
    access.set(Access::EXECUTE, flags & 1 != 0);
    access.set(Access::WRITE, flags & 2 != 0);
    access.set(Access::READ, flags & 4 != 0);
    access
}
