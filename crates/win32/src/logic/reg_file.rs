//! Texts of the registry: `.reg` files, read into changes and written from them. Key types: [`Change`], [`RegError`].
//!
//! Source: <https://learn.microsoft.com/previous-versions/windows/embedded/gg469889(v=winembedded.80)>

mod read;
mod write;

pub use read::parse;
pub use write::{HEADER, Writer, encode, encode_utf16};

/// `REG_SZ`.
pub const REG_SZ: u32 = 1;
/// `REG_EXPAND_SZ`.
pub const REG_EXPAND_SZ: u32 = 2;
/// `REG_BINARY`.
pub const REG_BINARY: u32 = 3;
/// `REG_DWORD`.
pub const REG_DWORD: u32 = 4;
/// `REG_MULTI_SZ`.
pub const REG_MULTI_SZ: u32 = 7;
/// `REG_QWORD`.
pub const REG_QWORD: u32 = 11;

/// A value's type and bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Value {
    /// `REG_SZ` and so on.
    pub kind: u32,
    /// Its bytes; texts are UTF-16, usually with their zero.
    pub data: Vec<u8>,
}

impl Value {
    /// Makes a text with its zero.
    pub fn text(text: &str) -> Self {
        Self::units(REG_SZ, text.encode_utf16().chain([0]))
    }

    /// Makes a number of 32 bits.
    pub fn number(number: u32) -> Self {
        Self { kind: REG_DWORD, data: number.to_le_bytes().to_vec() }
    }

    /// Makes a value of a kind from UTF-16 units.
    pub fn units(kind: u32, units: impl IntoIterator<Item = u16>) -> Self {
        Self { kind, data: units.into_iter().flat_map(u16::to_le_bytes).collect() }
    }

    /// Says whether the bytes are UTF-16.
    pub fn is_text(&self) -> bool {
        matches!(self.kind, REG_SZ | REG_EXPAND_SZ | REG_MULTI_SZ)
    }
}

/// One change that a file asks for. Paths begin with the name of a root, as `HKEY_CURRENT_USER`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The key is made, if it is not there; the changes of values that follow are meant for it.
    Key(Vec<u16>),
    /// The key goes, with all below it.
    DeleteKey(Vec<u16>),
    /// A value of this name is set; the empty name is the default value.
    Set(Vec<u16>, Value),
    /// A value goes.
    Delete(Vec<u16>),
}

/// Why a file is no `.reg` file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: expected {expected}")]
pub struct RegError {
    /// The line, from 1 on.
    pub line: usize,
    /// What should be there.
    pub expected: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    fn widen(bytes: &[u8]) -> Vec<u16> {
        bytes.iter().map(|&byte| if byte == 0x80 { 0x20ac } else { u16::from(byte) }).collect()
    }

    fn read(text: &str) -> Result<Vec<Change>, RegError> {
        parse(text.as_bytes(), widen)
    }

    #[test]
    fn a_whole_file_is_read() {
        let text = "Windows Registry Editor Version 5.00\r\n\r\n; a remark\r\n[HKEY_CURRENT_USER\\Software\\A]\r\n\
             @=\"default\"\r\n\"Path\"=\"C:\\\\x \\\"y\\\"\" ; remark\r\n\"n\"=dword:0000001f\r\n\
             \"b\"=hex:01,02,\\\r\n  ff\r\n\"e\"=hex(2):25,00,00,00\r\n\"m\"=hex(7):\r\n\"q\"=hex(b):01,00,00,00,00,00,00,00\r\n\
             \"gone\"=-\r\n@=-\r\n[-HKEY_CURRENT_USER\\Software\\B]\r\n";
        let set =
            |name: &str, kind, data: &[u8]| Change::Set(wide(name), Value { kind, data: data.to_vec() });
        let expected = vec![
            Change::Key(wide("HKEY_CURRENT_USER\\Software\\A")),
            Change::Set(vec![], Value::text("default")),
            Change::Set(wide("Path"), Value::text("C:\\x \"y\"")),
            Change::Set(wide("n"), Value::number(31)),
            set("b", REG_BINARY, &[1, 2, 255]),
            set("e", REG_EXPAND_SZ, &[0x25, 0, 0, 0]),
            set("m", REG_MULTI_SZ, &[]),
            set("q", REG_QWORD, &[1, 0, 0, 0, 0, 0, 0, 0]),
            Change::Delete(wide("gone")),
            Change::Delete(vec![]),
            Change::DeleteKey(wide("HKEY_CURRENT_USER\\Software\\B")),
        ];
        assert_eq!(read(text), Ok(expected.clone()));
        let utf16: Vec<u8> =
            [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        assert_eq!(parse(&utf16, widen), Ok(expected));
    }

    #[test]
    fn the_old_form_has_narrow_texts() {
        let text = b"REGEDIT4\n[HKEY_CURRENT_USER\\\x80]\n\"e\"=hex(2):80,00\n\"b\"=hex:80\n\"s\"=\"\x80\"\n";
        let expected = vec![
            Change::Key(wide("HKEY_CURRENT_USER\\€")),
            Change::Set(wide("e"), Value::units(REG_EXPAND_SZ, wide("€\0"))),
            Change::Set(wide("b"), Value { kind: REG_BINARY, data: vec![0x80] }),
            Change::Set(wide("s"), Value::text("€")),
        ];
        assert_eq!(parse(text, widen), Ok(expected));
    }

    #[test]
    fn errors_name_the_line_and_what_was_expected() {
        let header = "Windows Registry Editor Version 5.00\n";
        let cases = [
            ("", 1, "Windows Registry Editor Version 5.00 or REGEDIT4"),
            ("REGEDIT\n", 1, "Windows Registry Editor Version 5.00 or REGEDIT4"),
            ("@=\"x\"\n", 2, "a key in brackets before the first value"),
            ("[HKEY_CURRENT_USER\n", 2, "] at the end of the key"),
            ("[]\n", 2, "the name of a key"),
            ("[A]\nx\n", 3, "a key in brackets, a value's name in quotes, @ or ;"),
            ("[A]\n\"x\n", 3, "a closing quote"),
            ("[A]\n\"x\" \"y\"\n", 3, "= after the name"),
            ("[A]\n\"x\"=y\n", 3, "a text in quotes, dword:, hex: or -"),
            ("[A]\n\"x\"=dword:123456789\n", 3, "one to eight hexadecimal digits"),
            ("[A]\n\"x\"=hex:1,2,g\n", 3, "hexadecimal bytes separated by commas"),
            ("[A]\n\"x\"=hex:1,\\\n2,100\n", 4, "hexadecimal bytes separated by commas"),
            ("[A]\n\"x\"=hex(zz):1\n", 3, "a type in hexadecimal digits and ):"),
            ("[A]\n\"x\"=dword:1 2\n", 3, "the end of the line"),
        ];
        for (body, line, expected) in cases {
            let text = if line == 1 { body.to_owned() } else { format!("{header}{body}") };
            assert_eq!(read(&text), Err(RegError { line, expected }), "{body:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let lone = vec![0x41, 0xd800, 0x42];
        let changes = vec![
            Change::DeleteKey(wide("HKEY_LOCAL_MACHINE\\X\\ä")),
            Change::Key(wide("HKEY_LOCAL_MACHINE\\X]\\y")),
            Change::Set(vec![], Value::text("a\\b\"c")),
            Change::Set(wide("two\nlines; \"q\""), Value::text("x\r\ny")),
            Change::Set(lone.clone(), Value::units(REG_SZ, lone)),
            Change::Set(wide("open"), Value::units(REG_SZ, wide("no zero"))),
            Change::Set(wide("inner"), Value::units(REG_SZ, wide("a\0b\0"))),
            Change::Set(wide("odd"), Value { kind: REG_SZ, data: vec![1, 2, 3] }),
            Change::Set(wide("short"), Value { kind: REG_DWORD, data: vec![1] }),
            Change::Set(wide("kind"), Value { kind: 0xffff_1234, data: (0..=255).collect() }),
            Change::Delete(wide("gone")),
        ];
        for ending in ["\n", "\r\n"] {
            let mut writer = Writer::new(ending);
            for change in &changes {
                writer.push(change);
            }
            assert_eq!(parse(&encode(&writer.finish()), widen).as_ref(), Ok(&changes));
        }
    }
}
