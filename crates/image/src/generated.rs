//! Headers and export tables of generated images, written by constant functions: the compiler can make whole images.
//!
//! [`crate::ImageBuilder`] makes images of any parts while a program runs.

use crate::pe::{Characteristics, DirectoryKind, DllCharacteristics, Machine, SectionFlags};

/// Bytes that the headers of a generated image take, in memory and in the file alike.
pub const HEADERS_BYTES: usize = 4096;

/// The size of a page: what sections are aligned to.
pub(crate) const PAGE: usize = 4096;

/// Where the signature `PE` lies.
const SIGNATURE: usize = 0x80;

/// A section of a generated image. Its offset in the file is its RVA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedSection {
    /// Its name, at most eight bytes.
    pub name: &'static str,
    /// Where it begins, a multiple of 4096.
    pub rva: u32,
    /// How many bytes it has.
    pub bytes: u32,
    /// What it is and who may access it.
    pub flags: SectionFlags,
}

/// What the headers of a generated image say.
#[derive(Debug, Clone, Copy)]
pub struct HeaderPlan<'a> {
    /// The machine.
    pub machine: Machine,
    /// The preferred base.
    pub base: u64,
    /// The timestamp.
    pub timestamp: u32,
    /// The RVA at which execution begins; zero for none.
    pub entry: u32,
    /// The size of the code in bytes, a multiple of 4096.
    pub code_bytes: u32,
    /// The size of the image in bytes, a multiple of 4096.
    pub image_bytes: u32,
    /// The sections, in the order of their RVAs.
    pub sections: &'a [PlannedSection],
    /// RVA and bytes of each data directory.
    pub directories: [(u32, u32); 16],
}

impl HeaderPlan<'_> {
    /// Writes the headers at the start of an image, whose first [`HEADERS_BYTES`] bytes are zero.
    ///
    /// Source: PE Format, "MS-DOS Stub", "COFF File Header", "Optional Header", "Section Table".
    ///
    /// # Panics
    /// When `out` is shorter than the headers.
    pub const fn write(&self, out: &mut [u8]) {
        let is_64 = matches!(self.machine, Machine::Amd64 | Machine::Arm64);
        let directories_at = if is_64 { 112 } else { 96 };
        put(out, 0, b"MZ");
        put_words(out, 0x3c, &[SIGNATURE as u32]);
        put(out, SIGNATURE, b"PE\0\0");
        let file = SIGNATURE + 4;
        let kind = if is_64 { Characteristics::LARGE_ADDRESS_AWARE } else { Characteristics::MACHINE_32BIT };
        let flags = Characteristics::EXECUTABLE_IMAGE.union(Characteristics::DLL).union(kind);
        put(out, file, &self.machine.number().to_le_bytes());
        put(out, file + 2, &(self.sections.len() as u16).to_le_bytes());
        put_words(out, file + 4, &[self.timestamp]);
        put(out, file + 16, &(directories_at as u16 + 128).to_le_bytes());
        put(out, file + 18, &flags.bits().to_le_bytes());
        self.write_optional_header(out, file + 20, directories_at);
        let mut index = 0;
        while index < self.sections.len() {
            let section = &self.sections[index];
            let entry = file + 20 + directories_at + 128 + index * 40;
            let raw_bytes = section.bytes.next_multiple_of(PAGE as u32);
            put(out, entry, section.name.as_bytes());
            put_words(out, entry + 8, &[section.bytes, section.rva, raw_bytes, section.rva]);
            put_words(out, entry + 36, &[section.flags.bits()]);
            index += 1;
        }
    }

    const fn write_optional_header(&self, out: &mut [u8], at: usize, directories_at: usize) {
        let is_64 = matches!(self.machine, Machine::Amd64 | Machine::Arm64);
        put(out, at, &(if is_64 { 0x20bu16 } else { 0x10b }).to_le_bytes());
        put_words(out, at + 4, &[self.code_bytes]);
        put_words(out, at + 16, &[self.entry, HEADERS_BYTES as u32]);
        if is_64 {
            put(out, at + 24, &self.base.to_le_bytes());
        } else {
            put_words(out, at + 28, &[self.base as u32]);
        }
        put_words(out, at + 32, &[PAGE as u32, PAGE as u32]);
        let version = 6u16.to_le_bytes();
        put(out, at + 40, &version);
        put(out, at + 48, &version);
        put_words(out, at + 56, &[self.image_bytes, HEADERS_BYTES as u32]);
        let dll_flags = DllCharacteristics::DYNAMIC_BASE.union(DllCharacteristics::NX_COMPAT);
        put(out, at + 68, &3u16.to_le_bytes());
        put(out, at + 70, &dll_flags.bits().to_le_bytes());
        put_words(out, at + directories_at - 4, &[16]);
        let mut index = 0;
        while index < self.directories.len() {
            let (rva, bytes) = self.directories[index];
            put_words(out, at + directories_at + index * 8, &[rva, bytes]);
            index += 1;
        }
    }
}

/// Bytes of an export directory, before its tables and texts.
pub(crate) const EXPORT_DIRECTORY_BYTES: usize = 40;

/// Where the parts of an export table lie, offsets in the image: directory, three tables, then texts.
#[derive(Debug, Clone, Copy)]
pub struct ExportTables {
    /// The directory.
    pub directory: usize,
    /// The addresses, four bytes for each ordinal from the lowest to the highest.
    pub functions: usize,
    /// The names' RVAs, four bytes for each name in order.
    pub names: usize,
    /// The names' places among the addresses, two bytes for each.
    pub ordinals: usize,
    /// The first text.
    pub texts: usize,
}

impl ExportTables {
    /// Plans tables at `directory` with this many addresses and names.
    pub const fn new(directory: usize, addresses: usize, names: usize) -> Self {
        let functions = directory + EXPORT_DIRECTORY_BYTES;
        let names_at = functions + addresses * 4;
        let ordinals = names_at + names * 4;
        Self { directory, functions, names: names_at, ordinals, texts: ordinals + names * 2 }
    }

    /// Writes the directory for the lowest ordinal and the RVA of the module's name.
    ///
    /// Source: PE Format, "Export Directory Table".
    ///
    /// # Panics
    /// When `out` is shorter than the directory.
    pub const fn write_directory(&self, out: &mut [u8], timestamp: u32, base: u16, module: u32) {
        let counts =
            [base as u32, (self.names - self.functions) as u32 / 4, (self.ordinals - self.names) as u32 / 4];
        put_words(out, self.directory + 4, &[timestamp, 0, module]);
        put_words(out, self.directory + 16, &counts);
        let tables = [self.functions as u32, self.names as u32, self.ordinals as u32];
        put_words(out, self.directory + 28, &tables);
    }

    /// Writes the RVA of the address at `slot`.
    ///
    /// # Panics
    /// When `out` is shorter than the table.
    pub const fn write_address(&self, out: &mut [u8], slot: u16, rva: u32) {
        put_word(out, self.functions + slot as usize * 4, rva);
    }

    /// Writes the name at `index`, in order: the RVA of its text, and the slot of its address.
    ///
    /// # Panics
    /// When `out` is shorter than the tables.
    pub const fn write_name(&self, out: &mut [u8], index: usize, text: u32, slot: u16) {
        put_word(out, self.names + index * 4, text);
        let [low, high] = slot.to_le_bytes();
        out[self.ordinals + index * 2] = low;
        out[self.ordinals + index * 2 + 1] = high;
    }
}

/// What a section of read-only data is.
pub const READ_ONLY: SectionFlags = SectionFlags::CNT_INITIALIZED_DATA.union(SectionFlags::MEM_READ);

/// What a section of code is.
pub const CODE: SectionFlags =
    SectionFlags::CNT_CODE.union(SectionFlags::MEM_EXECUTE).union(SectionFlags::MEM_READ);

/// Where the export directory stands among the data directories.
pub const EXPORT_DIRECTORY: usize = DirectoryKind::Export as usize;

/// Writes bytes into an image.
///
/// # Panics
/// When they would lie outside.
pub const fn put(out: &mut [u8], at: usize, bytes: &[u8]) {
    let (_, rest) = out.split_at_mut(at);
    let (place, _) = rest.split_at_mut(bytes.len());
    place.copy_from_slice(bytes);
}

/// Writes words of four bytes into an image, one behind the other.
///
/// # Panics
/// When they would lie outside.
pub const fn put_words(out: &mut [u8], at: usize, words: &[u32]) {
    let mut index = 0;
    while index < words.len() {
        put_word(out, at + index * 4, words[index]);
        index += 1;
    }
}

/// Writes a word of four bytes: byte by byte, which takes the compiler the fewest steps.
const fn put_word(out: &mut [u8], at: usize, word: u32) {
    let bytes = word.to_le_bytes();
    out[at] = bytes[0];
    out[at + 1] = bytes[1];
    out[at + 2] = bytes[2];
    out[at + 3] = bytes[3];
}
