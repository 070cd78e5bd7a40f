//! Writing a `.reg` file.

use super::{Change, REG_BINARY, REG_DWORD, REG_SZ, Value};

/// The first line of a file.
pub const HEADER: &str = "Windows Registry Editor Version 5.00";

/// Where a line of bytes is broken.
const LINE_MAX: usize = 77;

/// Writes changes one after the other.
#[derive(Debug)]
pub struct Writer {
    text: Vec<u16>,
    ending: &'static str,
}

impl Writer {
    /// Begins a file whose lines end with `ending`.
    pub fn new(ending: &'static str) -> Self {
        let mut writer = Self { text: Vec::new(), ending };
        writer.add(HEADER);
        writer.add(ending);
        writer
    }

    /// Returns the text in UTF-16 units.
    pub fn finish(self) -> Vec<u16> {
        self.text
    }

    fn add(&mut self, text: &str) {
        self.text.extend(text.encode_utf16());
    }

    /// Adds one change.
    pub fn push(&mut self, change: &Change) {
        match change {
            Change::Key(path) => self.key("[", path),
            Change::DeleteKey(path) => self.key("[-", path),
            Change::Set(name, value) => {
                let start = self.text.len();
                self.name(name);
                self.value(value, start);
            }
            Change::Delete(name) => {
                self.name(name);
                self.add("-");
            }
        }
        self.add(self.ending);
    }

    fn key(&mut self, open: &str, path: &[u16]) {
        self.add(self.ending);
        self.add(open);
        self.text.extend(path);
        self.add("]");
    }

    fn name(&mut self, name: &[u16]) {
        if name.is_empty() {
            self.add("@")
        } else {
            self.quoted(name)
        }
        self.add("=");
    }

    fn quoted(&mut self, text: &[u16]) {
        self.add("\"");
        for &unit in text {
            match u8::try_from(unit) {
                Ok(b'\\') => self.add("\\\\"),
                Ok(b'"') => self.add("\\\""),
                _ => self.text.push(unit),
            }
        }
        self.add("\"");
    }

    fn value(&mut self, value: &Value, start: usize) {
        if let Some(text) = plain_text(value) {
            return self.quoted(&text);
        }
        if let (REG_DWORD, Ok(bytes)) = (value.kind, <[u8; 4]>::try_from(value.data.as_slice())) {
            return self.add(&format!("dword:{:08x}", u32::from_le_bytes(bytes)));
        }
        match value.kind {
            REG_BINARY => self.add("hex:"),
            kind => self.add(&format!("hex({kind:x}):")),
        }
        let mut start = start;
        for (index, byte) in value.data.iter().enumerate() {
            self.add(&format!("{byte:02x}"));
            if index + 1 < value.data.len() {
                self.add(",");
                if self.text.len() - start >= LINE_MAX {
                    self.add("\\");
                    self.add(self.ending);
                    start = self.text.len();
                    self.add("  ");
                }
            }
        }
    }
}

/// Returns the text of a `REG_SZ` with exactly one zero, at its end; others are written as bytes.
fn plain_text(value: &Value) -> Option<Vec<u16>> {
    let (pairs, rest) = value.data.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|&pair| u16::from_le_bytes(pair)).collect();
    let (&last, text) = units.split_last()?;
    let is_plain = value.kind == REG_SZ && rest.is_empty() && last == 0 && !text.contains(&0);
    is_plain.then(|| text.to_vec())
}

/// Encodes a text: UTF-8, or UTF-16 with its mark where half a surrogate pair is in it.
pub fn encode(text: &[u16]) -> Vec<u8> {
    match String::from_utf16(text) {
        Ok(text) => text.into_bytes(),
        Err(_) => encode_utf16(text),
    }
}

/// Encodes a text as UTF-16 with its mark, the form of Windows' own files.
pub fn encode_utf16(text: &[u16]) -> Vec<u8> {
    [0xfeff].iter().chain(text).flat_map(|unit| unit.to_le_bytes()).collect()
}
