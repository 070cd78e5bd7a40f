//! Where the fields that tools write lie in a file: [`Field`], [`Headers::field`].

use super::{DirectoryKind, Headers};
use crate::FileOffset;

/// A field of the file header or the optional header that is changed after linking.
///
/// Source: PE Format, "COFF File Header" and "Optional Header".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// `TimeDateStamp`, 4 bytes.
    TimeDateStamp,
    /// `Characteristics`, 2 bytes.
    Characteristics,
    /// `ImageBase`, 4 bytes in PE32, 8 in PE32+.
    ImageBase,
    /// `CheckSum`, 4 bytes.
    CheckSum,
    /// `DllCharacteristics`, 2 bytes.
    DllCharacteristics,
    /// `SizeOfStackReserve`, a word as wide as `ImageBase`.
    StackReserve,
    /// `SizeOfStackCommit`, a word.
    StackCommit,
    /// `SizeOfHeapReserve`, a word.
    HeapReserve,
    /// `SizeOfHeapCommit`, a word.
    HeapCommit,
    /// `LoaderFlags`, 4 bytes; Cygwin keeps the size of its heap there, in MiB.
    LoaderFlags,
    /// An entry of the data directories, 8 bytes.
    Directory(DirectoryKind),
}

impl Headers {
    /// Returns where in the file a field begins and how many bytes it has.
    ///
    /// The entry of a directory that [`Headers::directory`] does not return may lie behind the optional header.
    pub fn field(&self, field: Field) -> (FileOffset, usize) {
        let file_header = self.signature_offset.get() + 4;
        let optional = self.optional_header;
        let word = if self.is_64 { 8 } else { 4 };
        let nth_word = |index: u64| (optional + 72 + index * word as u64, word);
        let tail = optional + 72 + 4 * word as u64;
        let (offset, bytes) = match field {
            Field::TimeDateStamp => (file_header + 4, 4),
            Field::Characteristics => (file_header + 18, 2),
            Field::ImageBase => (optional + if self.is_64 { 24 } else { 28 }, word),
            Field::CheckSum => (optional + 64, 4),
            Field::DllCharacteristics => (optional + 70, 2),
            Field::StackReserve => nth_word(0),
            Field::StackCommit => nth_word(1),
            Field::HeapReserve => nth_word(2),
            Field::HeapCommit => nth_word(3),
            Field::LoaderFlags => (tail, 4),
            Field::Directory(kind) => (tail + 8 + kind as u64 * 8, 8),
        };
        (FileOffset::new(offset), bytes)
    }

    /// Returns the first byte after all headers that are read: the optional header with its directories, and the section
    /// table, which lies within it where `SizeOfOptionalHeader` is too small.
    pub fn headers_end(&self) -> FileOffset {
        let section_table = self.section_table + u64::from(self.section_count) * 40;
        FileOffset::new(section_table.max(self.directories_end()))
    }

    /// Says whether the section table lies in the optional header, so that a field of one is a field of the other too.
    pub fn section_table_overlaps(&self) -> bool {
        self.section_count > 0 && self.section_table < self.directories_end()
    }

    /// Returns the first byte after the last data directory that is used.
    fn directories_end(&self) -> u64 {
        let is_used = |entry: &super::DirectoryEntry| entry.size != 0 || !entry.rva.is_zero();
        let directories = self.directories.iter().rposition(is_used).map_or(0, |last| last as u64 + 1);
        let (first_directory, _) = self.field(Field::Directory(DirectoryKind::Export));
        first_directory.get() + directories * 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pe::{Machine, PeImage};
    use crate::{ImageBuilder, Rva};

    #[test]
    fn fields_lie_where_they_are_read_from() {
        for (machine, base) in [(Machine::I386, 0x1000_0000), (Machine::Amd64, 0x1_8000_0000)] {
            let mut builder = ImageBuilder::new("f.dll", machine, base);
            builder.text(&[0xc3]);
            let mut bytes = builder.build().expect("an image").bytes;
            let headers = PeImage::parse("f.dll", &bytes).expect("parses").headers().clone();
            let numbers = [
                (Field::TimeDateStamp, 0x1111_1111u64),
                (Field::ImageBase, 0x2222_0000),
                (Field::CheckSum, 0x3333_3333),
                (Field::DllCharacteristics, 0x4444),
                (Field::StackReserve, 0x5555_0000),
                (Field::StackCommit, 0x6666_0000),
                (Field::HeapReserve, 0x7777_0000),
                (Field::HeapCommit, 0x0888_0000),
                (Field::LoaderFlags, 0x9999),
                (Field::Directory(DirectoryKind::Debug), 0x0000_0010_0000_2000),
            ];
            for (field, number) in numbers {
                let (offset, size) = headers.field(field);
                let at = offset.get() as usize;
                bytes[at..at + size].copy_from_slice(&number.to_le_bytes()[..size]);
            }
            let image = PeImage::parse("f.dll", &bytes).expect("parses");
            let it = image.headers();
            assert_eq!((it.timestamp, it.image_base, it.checksum), (0x1111_1111, 0x2222_0000, 0x3333_3333));
            assert_eq!(it.dll_characteristics.bits(), 0x4444);
            assert_eq!((it.stack_reserve, it.stack_commit), (0x5555_0000, 0x6666_0000));
            assert_eq!(
                (it.heap_reserve, it.heap_commit, it.loader_flags),
                (0x7777_0000, 0x0888_0000, 0x9999)
            );
            let debug = it.directory(DirectoryKind::Debug).expect("set above");
            assert_eq!((debug.rva, debug.size), (Rva::new(0x2000), 0x10));
        }
    }
}
