//! The files of lessons: a small program, its dynamic linker, a library, and DLLs, made here so that no lesson depends on
//! the machine it runs on. Key type: [`LessonFiles`].

use plat_image::pe::{Machine, RelocationKind};
use plat_image::{ImageBuilder, Spot};

use crate::cache::FileContents;
use crate::script::Outside;

/// The files that lessons and quizzes may name.
#[derive(Clone, Copy, Debug, Default)]
pub struct LessonFiles;

/// One `PT_LOAD`: flags (4 read, 2 write, 1 execute), offset, address, bytes in the file, bytes in memory.
type Segment = (u32, u64, u64, u64, u64);

/// Of `/bin/hello`: 2 pages of code, 1 of data, 3 of zeroes behind them.
const HELLO: [Segment; 2] = [(5, 0, 0, 0x2000, 0x2000), (6, 0x2000, 0x3000, 0x800, 0x3800)];
/// Of `/lib/ld.so`, the dynamic linker.
const LINKER: [Segment; 2] = [(5, 0, 0, 0x3000, 0x3000), (6, 0x3000, 0x4000, 0x1000, 0x1000)];
/// Of `/lib/libc.so`: headers, code, what is relocated, data and bss.
const LIBRARY: [Segment; 2] = [(5, 0, 0, 0x4000, 0x4000), (6, 0x4000, 0x5000, 0x2000, 0x3000)];

impl Outside for LessonFiles {
    fn file(&mut self, path: &str) -> Option<FileContents> {
        let bytes = match path {
            "/bin/hello" => elf(3, &HELLO, Some("/lib/ld.so")),
            "/bin/static" => {
                elf(2, &[(5, 0, 0x40_0000, 0x1000, 0x1000), (6, 0x1000, 0x40_2000, 0x200, 0x1800)], None)
            }
            "/lib/ld.so" => elf(3, &LINKER, None),
            "/lib/libc.so" => elf(3, &LIBRARY, None),
            "/app/one.dll" => dll("one.dll", 0x1000_0000)?,
            "/app/two.dll" => dll("two.dll", 0x1000_0000)?,
            "/app/two-rebased.dll" => dll("two-rebased.dll", 0x1100_0000)?,
            "/app/tool.exe" => dll("tool.exe", 0x40_0000)?,
            _ => return None,
        };
        Some(FileContents { path: path.to_owned(), size: bytes.len() as u64, bytes: bytes.into() })
    }
}

/// Writes an ELF file of 64 bits with these segments.
///
/// Source: System V Application Binary Interface, chapters 4 and 5.
fn elf(kind: u16, segments: &[Segment], interpreter: Option<&str>) -> Vec<u8> {
    const HEADER_BYTES: u64 = 64;
    const PROGRAM_HEADER_BYTES: u64 = 56;
    let headers = segments.len() as u64 + u64::from(interpreter.is_some());
    let path_at = HEADER_BYTES + PROGRAM_HEADER_BYTES * headers;
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    bytes.extend(kind.to_le_bytes());
    bytes.extend(62u16.to_le_bytes());
    bytes.extend(1u32.to_le_bytes());
    // Execution begins in the second page of the code, or at its start when there is one page only.
    let entry = segments.first().map_or(0, |first| first.2 + if first.3 > 0x1000 { 0x1000 } else { 0 });
    for word in [entry, HEADER_BYTES, 0] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend(0u32.to_le_bytes());
    for half in [HEADER_BYTES as u16, PROGRAM_HEADER_BYTES as u16, headers as u16, 0, 0, 0] {
        bytes.extend(half.to_le_bytes());
    }
    let mut header = |kind: u32, flags: u32, words: [u64; 6]| {
        bytes.extend(kind.to_le_bytes());
        bytes.extend(flags.to_le_bytes());
        words.iter().for_each(|word| bytes.extend(word.to_le_bytes()));
    };
    if let Some(path) = interpreter {
        let length = path.len() as u64 + 1;
        header(3, 4, [path_at, path_at, path_at, length, length, 1]);
    }
    for (flags, offset, address, file_bytes, memory_bytes) in segments.iter().copied() {
        header(1, flags, [offset, address, address, file_bytes, memory_bytes, 0x1000]);
    }
    bytes.extend(interpreter.unwrap_or_default().bytes());
    let end = segments.iter().map(|segment| segment.1 + segment.3).max().unwrap_or(0);
    // What is not a header is made of a byte that can be told from zeroed memory.
    bytes.push(0);
    bytes.resize(end as usize, 0xee);
    bytes
}

/// Makes a 32-bit DLL: a page of code that holds the address of its data, and a page of data.
fn dll(name: &str, base: u64) -> Option<Vec<u8>> {
    let mut image = ImageBuilder::new(name, Machine::I386, base);
    // mov eax, [address of the data]; ret
    let code = image.text(&[0xa1, 0, 0x20, 0, 0, 0xc3]);
    image.data(&[7; 16]);
    let Spot::Text(at) = code else { return None };
    image.relocation(Spot::Text(at + 1), RelocationKind::HighLow);
    image.entry_point(code);
    let mut built = image.build().ok()?;
    let operand = (base as u32).checked_add(built.data.get())?.to_le_bytes();
    let place = (built.text.get() + at) as usize + 1;
    built.bytes.get_mut(place..place + 4)?.copy_from_slice(&operand);
    Some(built.bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use plat_image::{ElfImage, PeImage};

    #[test]
    fn the_files_are_what_loaders_expect() {
        for path in ["/bin/hello", "/bin/static", "/lib/ld.so", "/lib/libc.so"] {
            let file = LessonFiles.file(path).expect(path);
            let image = ElfImage::parse(path, &file.bytes).expect(path);
            assert_eq!(image.segments.len(), 2, "{path}");
            assert_eq!(image.interpreter.is_some(), path == "/bin/hello");
        }
        for path in ["/app/one.dll", "/app/two.dll", "/app/two-rebased.dll", "/app/tool.exe"] {
            let file = LessonFiles.file(path).expect(path);
            let image = PeImage::parse(path, &file.bytes).expect(path);
            assert!(image.is_relocatable(), "{path}");
        }
        assert!(LessonFiles.file("/etc/passwd").is_none());
    }
}
