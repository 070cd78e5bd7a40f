//! What a file is, judged by its first bytes: [`classify`], for the error that a wrong file deserves.

use std::fmt;

/// What some bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileKind {
    /// A 32-bit x86 PE image.
    Pe32,
    /// A 64-bit x86-64 PE image.
    Pe32Plus,
    /// A PE image of managed code.
    DotNet,
    /// A PE image for 64-bit ARM.
    Arm64Pe,
    /// A PE image for 32-bit ARM.
    ArmPe,
    /// A PE image for another processor, by its machine number.
    OtherPe(u16),
    /// A 16-bit Windows or OS/2 program.
    Ne,
    /// A VxD or OS/2 program.
    Le,
    /// A DOS program.
    DosMz,
    /// A program or library of Linux and other Unix systems.
    Elf,
    /// A script with an interpreter line.
    Script,
    /// A program or library of macOS.
    MachO,
    /// A ZIP archive, or a file in its clothes (JAR, APK, wheel).
    Zip,
    /// A COFF object file.
    CoffObject,
    /// Text.
    Text,
    /// No bytes at all.
    Empty,
    /// None of the above.
    Unknown,
}

impl fmt::Display for FileKind {
    /// Writes a sentence that says what the file is and what follows from that.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentence = match self {
            Self::Pe32 => "is a 32-bit Windows program or library (PE32)",
            Self::Pe32Plus => "is a 64-bit Windows program or library (PE32+)",
            Self::DotNet => {
                "is a .NET program or library: it needs a .NET runtime, not only Windows functions"
            }
            Self::Arm64Pe => "is a Windows program for ARM64: this machine runs x86 and x86-64 only",
            Self::ArmPe => "is a Windows program for 32-bit ARM: this machine runs x86 and x86-64 only",
            Self::OtherPe(machine) => {
                return write!(
                    f,
                    "is a Windows program for another processor (machine {machine:#06x}): only x86 (0x014c) and \
                     x86-64 (0x8664) run here"
                );
            }
            Self::Ne => "is a 16-bit Windows or OS/2 program (NE): only 32-bit and 64-bit programs run here",
            Self::Le => {
                "is a VxD driver or OS/2 program (LE or LX): only 32-bit and 64-bit programs run here"
            }
            Self::DosMz => "is a DOS program (MZ without a PE header), or a Windows program cut off early",
            Self::Elf => "is a Linux program or library (ELF), not a Windows one: run it directly",
            Self::Script => "is a script (it begins with #!), not a Windows program: run it directly",
            Self::MachO => "is a macOS program or library (Mach-O), not a Windows one",
            Self::Zip => "is a ZIP archive, not a Windows program: unpack it first",
            Self::CoffObject => "is an object file (COFF), not yet linked into a program",
            Self::Text => "is text, not a Windows program",
            Self::Empty => "is empty",
            Self::Unknown => "is not a Windows program: it does not begin with the letters MZ",
        };
        f.write_str(sentence)
    }
}

/// Returns what `bytes`, a whole file or its first few KiB, are.
///
/// Never fails: what has no known signature is [`FileKind::Text`] or [`FileKind::Unknown`].
///
/// Source: PE Format, "MS-DOS Stub", "Signature", "Machine Types"; System V ABI, "ELF Header"; APPNOTE.TXT 4.3.7.
pub fn classify(bytes: &[u8]) -> FileKind {
    if bytes.starts_with(b"MZ") {
        return classify_mz(bytes);
    }
    match bytes {
        [] => FileKind::Empty,
        [0x7f, b'E', b'L', b'F', ..] => FileKind::Elf,
        [b'#', b'!', ..] => FileKind::Script,
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => FileKind::Zip,
        [0xfe, 0xed, 0xfa, 0xce | 0xcf, ..] | [0xce | 0xcf, 0xfa, 0xed, 0xfe, ..] => FileKind::MachO,
        // A fat Mach-O counts its architectures where a Java class has its version, 45 or more.
        [0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 0..45, ..] => FileKind::MachO,
        _ if is_coff_object(bytes) => FileKind::CoffObject,
        _ if is_text(bytes) => FileKind::Text,
        _ => FileKind::Unknown,
    }
}

fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(offset..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(offset..)?.first_chunk()?))
}

fn classify_mz(bytes: &[u8]) -> FileKind {
    let Some(header) = u32_at(bytes, 0x3c).and_then(|offset| bytes.get(offset as usize..)) else {
        return FileKind::DosMz;
    };
    match header {
        [b'P', b'E', 0, 0, ..] => classify_pe(header),
        [b'N', b'E', ..] => FileKind::Ne,
        [b'L', b'E' | b'X', ..] => FileKind::Le,
        _ => FileKind::DosMz,
    }
}

/// Judges a PE by its machine and its CLR directory; `header` begins at the signature.
fn classify_pe(header: &[u8]) -> FileKind {
    let machine = u16_at(header, 4).unwrap_or(0);
    let directories = if u16_at(header, 24) == Some(0x20b) { 24 + 112 } else { 24 + 96 };
    let count = u32_at(header, directories - 4).unwrap_or(0);
    if count > 14 && u32_at(header, directories + 14 * 8).unwrap_or(0) != 0 {
        return FileKind::DotNet;
    }
    match machine {
        0x14c => FileKind::Pe32,
        0x8664 => FileKind::Pe32Plus,
        0xaa64 | 0xa641 | 0xa64e => FileKind::Arm64Pe,
        0x1c0 | 0x1c2 | 0x1c4 => FileKind::ArmPe,
        other => FileKind::OtherPe(other),
    }
}

/// Says whether the bytes begin like an object file for x86 or x86-64: no optional header, a few sections.
fn is_coff_object(bytes: &[u8]) -> bool {
    matches!(u16_at(bytes, 0), Some(0x14c | 0x8664))
        && matches!(u16_at(bytes, 2), Some(1..=4096))
        && u16_at(bytes, 16) == Some(0)
        && bytes.len() >= 20 + 40
}

fn is_text(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(4096)];
    let utf16 = head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]);
    let printable =
        |&byte: &u8| byte >= 0x20 && byte != 0x7f || matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b);
    let utf8 = match std::str::from_utf8(head) {
        Ok(_) => true,
        // A character cut in two at the end of the part that was looked at.
        Err(error) => error.error_len().is_none(),
    };
    utf16 || (utf8 && head.iter().all(printable))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_formats_are_recognised() {
        let cases: &[(&[u8], FileKind)] = &[
            (b"", FileKind::Empty),
            (b"\x7fELF\x02\x01\x01", FileKind::Elf),
            (b"#!/bin/sh\n", FileKind::Script),
            (b"PK\x03\x04....", FileKind::Zip),
            (b"\xcf\xfa\xed\xfe\x07\0\0\x01", FileKind::MachO),
            (b"\xca\xfe\xba\xbe\0\0\0\x02", FileKind::MachO),
            (b"\xca\xfe\xba\xbe\0\0\0\x34", FileKind::Unknown),
            ("Grüße\r\n".as_bytes(), FileKind::Text),
            (b"\xff\xfeh\0i\0", FileKind::Text),
            (b"MZ", FileKind::DosMz),
            (b"M", FileKind::Text),
            (&[0; 64], FileKind::Unknown),
        ];
        for (bytes, kind) in cases {
            assert_eq!(classify(bytes), *kind, "{bytes:?}");
        }
    }

    #[test]
    fn an_mz_is_judged_by_what_e_lfanew_points_at() {
        let with = |signature: &[u8]| {
            let mut bytes = vec![0; 0x40];
            bytes[..2].copy_from_slice(b"MZ");
            bytes[0x3c] = 0x40;
            bytes.extend_from_slice(signature);
            classify(&bytes)
        };
        assert_eq!(with(b"NE"), FileKind::Ne);
        assert_eq!(with(b"LX"), FileKind::Le);
        assert_eq!(with(b"PE\0\0\x4c\x01"), FileKind::Pe32);
        assert_eq!(with(b"PE\0\0\x64\x86"), FileKind::Pe32Plus);
        assert_eq!(with(b"PE\0\0\x64\xaa"), FileKind::Arm64Pe);
        assert_eq!(with(b"PE\0\0\xc4\x01"), FileKind::ArmPe);
        assert_eq!(with(b"PE\0\0\x00\x02"), FileKind::OtherPe(0x200));
        assert_eq!(with(b"\xff"), FileKind::DosMz);
    }
}
