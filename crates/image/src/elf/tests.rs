//! Tests of the ELF parser: a small file made by hand, and what is done to it.

use super::{ElfError, ElfImage, ElfKind};

/// Makes a 64-bit file of one program header after the other.
pub(super) fn file(kind: u16, headers: &[(u32, u32, u64, u64, u64, u64)]) -> Vec<u8> {
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    bytes.extend(kind.to_le_bytes());
    bytes.extend(62u16.to_le_bytes());
    bytes.extend(1u32.to_le_bytes());
    for word in [0x1040u64, 64, 0] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend(0u32.to_le_bytes());
    for half in [64u16, 56, headers.len() as u16, 0, 0, 0] {
        bytes.extend(half.to_le_bytes());
    }
    for &(kind, flags, offset, address, file_bytes, memory_bytes) in headers {
        bytes.extend(kind.to_le_bytes());
        bytes.extend(flags.to_le_bytes());
        for word in [offset, address, address, file_bytes, memory_bytes, 0x1000] {
            bytes.extend(word.to_le_bytes());
        }
    }
    bytes
}

#[test]
fn a_program_header_becomes_a_segment() {
    let bytes = file(3, &[(1, 5, 0, 0, 0x200, 0x200), (1, 6, 0xdf0, 0x1df0, 0x10, 0x500)]);
    let image = ElfImage::parse("a.out", &bytes).expect("well-formed");
    assert_eq!((image.kind, image.segments.len(), image.headers_at), (ElfKind::Movable, 2, Some(64)));
    assert_eq!(image.segments[1].access.to_string(), "rw-");
    assert_eq!(image.span(), Some((0, 0x3000)));
}

#[test]
fn what_cannot_be_loaded_is_refused_with_its_field() {
    let fields: &[(&[u8], &str)] = &[
        (b"MZ", "a.out: does not begin with 7f 45 4c 46 (ELF)"),
        (
            &file(3, &[(1, 5, 0, 0, 0x300, 0x200)]),
            "a.out: offset 0x40, field p_filesz: is 0x300, expected at most p_memsz",
        ),
        (
            &file(3, &[(1, 5, 1, 0, 1, 1)]),
            "a.out: offset 0x40, field p_vaddr: is 0x0, expected the same rest modulo 4096 as p_offset",
        ),
        (&file(1, &[]), "a.out: offset 0x10, field e_type: is 0x1, expected 2 (ET_EXEC) or 3 (ET_DYN)"),
        (
            &file(3, &[(3, 4, 0x5000, 0, 28, 28)]),
            "a.out: interpreter path needs bytes up to 0x501c but the file has 0x78",
        ),
    ];
    for (bytes, message) in fields {
        let error = ElfImage::parse("a.out", bytes).expect_err(message);
        assert_eq!(error.to_string(), *message);
    }
}

#[test]
fn no_cut_makes_the_parser_panic() {
    let bytes = file(2, &[(1, 5, 0, 0x40_0000, 0x200, 0x200), (0x6474_e551, 6, 0, 0, 0, 0)]);
    for length in 0..bytes.len() {
        assert!(ElfImage::parse("a.out", &bytes[..length]).is_err(), "{length} bytes");
    }
    let whole = ElfImage::parse("a.out", &bytes).expect("whole");
    assert_eq!(whole.executable_stack, Some(false));
    assert!(matches!(ElfImage::parse("x", b""), Err(ElfError::NotElf { .. })));
}
