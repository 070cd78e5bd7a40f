//! Which names a command line may mean by its first word, and what kind of program a file is by its first bytes.
//!
//! Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-createprocessw>

const QUOTE: u16 = b'"' as u16;
const DOT: u16 = b'.' as u16;

fn is_blank(unit: u16) -> bool {
    unit == u16::from(b' ') || unit == u16::from(b'\t')
}

fn is_separator(unit: u16) -> bool {
    unit == u16::from(b'\\') || unit == u16::from(b'/')
}

/// Returns the names that a command line's first word may be, in the order in which they are tried: a quoted word is
/// one name; an unquoted one may end at any blank, the first that exists counts.
pub fn candidates(line: &[u16]) -> Vec<Vec<u16>> {
    if line.first() == Some(&QUOTE) {
        let name = line[1..].split(|&unit| unit == QUOTE).next().unwrap_or(&[]);
        return if name.is_empty() { Vec::new() } else { vec![name.to_vec()] };
    }
    let start = line.iter().position(|&unit| !is_blank(unit)).unwrap_or(line.len());
    let line = &line[start..];
    let ends = line.iter().enumerate().filter(|(at, unit)| is_blank(**unit) && !is_blank(line[at - 1]));
    let mut names: Vec<Vec<u16>> = ends.map(|(at, _)| line[..at].to_vec()).collect();
    let whole = line.iter().rposition(|&unit| !is_blank(unit)).map_or(&[][..], |last| &line[..=last]);
    if !whole.is_empty() && names.last().is_none_or(|last| last != whole) {
        names.push(whole.to_vec());
    }
    names
}

/// Says whether a name has a folder in it, so that it is not searched for.
pub fn has_folder(name: &[u16]) -> bool {
    name.iter().any(|&unit| is_separator(unit) || unit == u16::from(b':'))
}

/// Returns the extension of a name without the dot, if it has one.
pub fn extension(name: &[u16]) -> Option<&[u16]> {
    let last = name.rsplit(|&unit| is_separator(unit)).next()?;
    let dot = last.iter().rposition(|&unit| unit == DOT)?;
    Some(&last[dot + 1..])
}

/// Says whether a name is that of a batch file.
pub fn is_batch(name: &[u16]) -> bool {
    let text = extension(name).map(String::from_utf16_lossy).unwrap_or_default();
    text.eq_ignore_ascii_case("bat") || text.eq_ignore_ascii_case("cmd")
}

/// What a file is to one who wants to start it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgramKind {
    /// A Windows program for this processor.
    Windows {
        /// Whether it has 64-bit code.
        is_64: bool,
    },
    /// The file that stands for the builtin command interpreter.
    Interpreter,
    /// A program or script for Linux.
    Unix,
    /// A Windows DLL, or a program for another processor.
    Foreign,
    /// Anything else.
    Unknown,
}

/// What the file of the builtin command interpreter holds behind its first bytes.
pub const INTERPRETER_MARK: &[u8] = b"plat builtin program: cmd.exe";

/// Where the mark stands.
const MARK_OFFSET: usize = 0x40;

/// Returns the file that stands for the builtin command interpreter, so that those who look for it find it.
pub fn interpreter_file() -> Vec<u8> {
    let mut file = vec![0; MARK_OFFSET];
    file[..2].copy_from_slice(b"MZ");
    file.extend_from_slice(INTERPRETER_MARK);
    file.resize(512, 0);
    file
}

/// Tells what a file is by its first bytes (4 KiB are enough).
pub fn program_kind(head: &[u8]) -> ProgramKind {
    const DLL: u16 = 0x2000;
    if head.starts_with(b"\x7fELF") || head.starts_with(b"#!") {
        return ProgramKind::Unix;
    }
    if !head.starts_with(b"MZ") {
        return ProgramKind::Unknown;
    }
    if head.get(MARK_OFFSET..).is_some_and(|rest| rest.starts_with(INTERPRETER_MARK)) {
        return ProgramKind::Interpreter;
    }
    let u16_at = |at: usize| Some(u16::from_le_bytes(head.get(at..at + 2)?.try_into().ok()?));
    let header = head.get(0x3c..0x40).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
    let Some(header) = header.map(|at| at as usize).filter(|&at| at < head.len()) else {
        return ProgramKind::Unknown;
    };
    if head.get(header..header + 4) != Some(b"PE\0\0") {
        return ProgramKind::Unknown;
    }
    match (u16_at(header + 4), u16_at(header + 22)) {
        (_, Some(traits)) if traits & DLL != 0 => ProgramKind::Foreign,
        (Some(0x14c), Some(_)) => ProgramKind::Windows { is_64: false },
        (Some(0x8664), Some(_)) => ProgramKind::Windows { is_64: true },
        _ => ProgramKind::Foreign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn shown(line: &str) -> String {
        let wide: Vec<u16> = line.encode_utf16().collect();
        let names = candidates(&wide);
        names.iter().map(|name| format!("[{}]", String::from_utf16_lossy(name))).collect()
    }

    #[test]
    fn the_first_word_may_have_blanks() {
        let lines = [
            r"c:\program files\sub dir\program name",
            r#""c:\a b\x.exe" rest"#,
            r#""open"#,
            "a",
            "  a  b ",
            "",
            "\"\" x",
            "a\tb",
        ];
        let text: Vec<String> = lines.iter().map(|line| format!("{line} => {}", shown(line))).collect();
        expect![[r#"
            c:\program files\sub dir\program name => [c:\program][c:\program files\sub][c:\program files\sub dir\program][c:\program files\sub dir\program name]
            "c:\a b\x.exe" rest => [c:\a b\x.exe]
            "open => [open]
            a => [a]
              a  b  => [a][a  b]
             => 
            "" x => 
            a	b => [a][a	b]"#]]
        .assert_eq(&text.join("\n"));
    }

    #[test]
    fn files_are_known_by_their_first_bytes() {
        assert_eq!(program_kind(b"#!/bin/sh"), ProgramKind::Unix);
        assert_eq!(program_kind(b"\x7fELF"), ProgramKind::Unix);
        assert_eq!(program_kind(&interpreter_file()), ProgramKind::Interpreter);
        assert_eq!(program_kind(b"echo"), ProgramKind::Unknown);
        assert_eq!(program_kind(b"MZ"), ProgramKind::Unknown);
        let mut pe = vec![0; 0x80];
        pe[..2].copy_from_slice(b"MZ");
        pe[0x3c] = 0x40;
        pe[0x40..0x44].copy_from_slice(b"PE\0\0");
        pe[0x44..0x46].copy_from_slice(&0x8664_u16.to_le_bytes());
        assert_eq!(program_kind(&pe), ProgramKind::Windows { is_64: true });
        pe[0x57] = 0x20;
        assert_eq!(program_kind(&pe), ProgramKind::Foreign);
    }

    #[test]
    fn extensions_are_of_the_last_name() {
        let wide = |text: &str| text.encode_utf16().collect::<Vec<u16>>();
        assert_eq!(extension(&wide(r"a.b\c")), None);
        assert_eq!(extension(&wide(r"a.b\c.")), Some(&[][..]));
        assert!(is_batch(&wide("x.y.BAT")) && is_batch(&wide("x.cmd")) && !is_batch(&wide("bat")));
        assert!(has_folder(&wide("c:x")) && has_folder(&wide("a/b")) && !has_folder(&wide("a.b")));
    }
}
