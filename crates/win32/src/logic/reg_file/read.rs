//! Reading a `.reg` file.

use super::{Change, REG_BINARY, REG_EXPAND_SZ, REG_MULTI_SZ, REG_SZ, RegError, Value};

/// Reads a file: UTF-16 with its mark, UTF-8, or else the ANSI code page through `widen`.
///
/// # Errors
/// [`RegError`] with the first line that is none of the format's.
pub fn parse(bytes: &[u8], widen: impl Fn(&[u8]) -> Vec<u16>) -> Result<Vec<Change>, RegError> {
    let text = decode(bytes, &widen);
    let mut reader = Reader { text: &text, at: 0, widen: &widen, is_old: false };
    reader.header()?;
    let mut changes = Vec::new();
    let mut has_key = false;
    while reader.skip_blank() {
        let change = match reader.peek() {
            Some('[') => reader.key()?,
            Some('"' | '@') if !has_key => {
                return Err(reader.error("a key in brackets before the first value"));
            }
            Some('"' | '@') => reader.value()?,
            _ => return Err(reader.error("a key in brackets, a value's name in quotes, @ or ;")),
        };
        has_key = !matches!(change, Change::DeleteKey(_));
        changes.push(change);
    }
    Ok(changes)
}

fn decode(bytes: &[u8], widen: &impl Fn(&[u8]) -> Vec<u16>) -> Vec<u16> {
    match bytes {
        [0xff, 0xfe, rest @ ..] => {
            rest.as_chunks::<2>().0.iter().map(|&pair| u16::from_le_bytes(pair)).collect()
        }
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).encode_utf16().collect(),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => text.encode_utf16().collect(),
            Err(_) => widen(bytes),
        },
    }
}

struct Reader<'a, W> {
    text: &'a [u16],
    at: usize,
    widen: &'a W,
    /// REGEDIT4: texts in `hex(2)` and `hex(7)` are narrow.
    is_old: bool,
}

impl<W: Fn(&[u8]) -> Vec<u16>> Reader<'_, W> {
    /// Returns the next character; those outside ASCII only have to differ from all in the grammar.
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).map(|&unit| u8::try_from(unit).map_or('\u{fffd}', char::from))
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.text[self.at..].len() >= word.len()
            && self.text[self.at..]
                .iter()
                .zip(word.bytes())
                .all(|(&unit, byte)| u8::try_from(unit).is_ok_and(|unit| unit.eq_ignore_ascii_case(&byte)));
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn error(&self, expected: &'static str) -> RegError {
        self.error_at(self.at, expected)
    }

    fn error_at(&self, at: usize, expected: &'static str) -> RegError {
        let before = &self.text[..at.min(self.text.len())];
        RegError { line: before.iter().filter(|&&unit| unit == u16::from(b'\n')).count() + 1, expected }
    }

    fn skip_spaces(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.at += 1;
        }
    }

    fn skip_line(&mut self) {
        while !matches!(self.peek(), None | Some('\n')) {
            self.at += 1;
        }
    }

    /// Goes to the next thing that is neither space nor remark; says whether there is one.
    fn skip_blank(&mut self) -> bool {
        loop {
            match self.peek() {
                Some(' ' | '\t' | '\r' | '\n') => self.at += 1,
                Some(';') => self.skip_line(),
                other => return other.is_some(),
            }
        }
    }

    /// Goes over the end of a line, a remark before it included.
    fn end_of_line(&mut self) -> Result<(), RegError> {
        self.skip_spaces();
        if self.peek() == Some(';') {
            self.skip_line();
        }
        while self.take('\r') {}
        if self.peek().is_none() || self.take('\n') {
            return Ok(());
        }
        Err(self.error("the end of the line"))
    }

    fn header(&mut self) -> Result<(), RegError> {
        const EXPECTED: &str = "Windows Registry Editor Version 5.00 or REGEDIT4";
        self.skip_blank();
        self.is_old = self.take_word("REGEDIT4");
        if !self.is_old && !self.take_word(super::HEADER) {
            return Err(self.error(EXPECTED));
        }
        self.end_of_line().map_err(|error| RegError { expected: EXPECTED, ..error })
    }

    fn key(&mut self) -> Result<Change, RegError> {
        self.at += 1;
        let is_deletion = self.take('-');
        let start = self.at;
        self.skip_line();
        let line = &self.text[start..self.at];
        // Names may hold brackets: the last one ends the key.
        let length = line.iter().rposition(|&unit| unit == u16::from(b']'));
        let length = length.ok_or_else(|| self.error_at(start, "] at the end of the key"))?;
        let path = line[..length].to_vec();
        self.at = start + length + 1;
        if path.is_empty() {
            return Err(self.error_at(start, "the name of a key"));
        }
        self.end_of_line()?;
        Ok(if is_deletion { Change::DeleteKey(path) } else { Change::Key(path) })
    }

    fn value(&mut self) -> Result<Change, RegError> {
        let name = if self.take('@') { Vec::new() } else { self.quoted()? };
        self.skip_spaces();
        if !self.take('=') {
            return Err(self.error("= after the name"));
        }
        self.skip_spaces();
        let change = if self.take('-') { Change::Delete(name) } else { Change::Set(name, self.data()?) };
        self.end_of_line()?;
        Ok(change)
    }

    /// Reads a text in quotes; it may go over several lines.
    fn quoted(&mut self) -> Result<Vec<u16>, RegError> {
        let start = self.at;
        self.at += 1;
        let mut text = Vec::new();
        loop {
            let mut unit = self.unit_before_quote(start)?;
            if unit == u16::from(b'"') {
                return Ok(text);
            }
            if unit == u16::from(b'\\') {
                unit = self.unit_before_quote(start)?;
                unit = match u8::try_from(unit) {
                    Ok(b'n') => u16::from(b'\n'),
                    Ok(b'r') => u16::from(b'\r'),
                    Ok(b'0') => 0,
                    _ => unit,
                };
            }
            text.push(unit);
        }
    }

    /// Takes the next unit of the text whose quote is at `start`.
    fn unit_before_quote(&mut self, start: usize) -> Result<u16, RegError> {
        let unit = self.text.get(self.at).copied();
        self.at += 1;
        unit.ok_or_else(|| self.error_at(start, "a closing quote"))
    }

    fn data(&mut self) -> Result<Value, RegError> {
        if self.peek() == Some('"') {
            let mut text = self.quoted()?;
            text.push(0);
            return Ok(Value::units(REG_SZ, text));
        }
        if self.take_word("dword:") {
            return self.hexadecimal(8, "one to eight hexadecimal digits").map(Value::number);
        }
        let kind = if self.take_word("hex(") {
            const EXPECTED: &str = "a type in hexadecimal digits and ):";
            let kind = self.hexadecimal(8, EXPECTED)?;
            if !self.take_word("):") {
                return Err(self.error(EXPECTED));
            }
            kind
        } else if self.take_word("hex:") {
            REG_BINARY
        } else {
            return Err(self.error("a text in quotes, dword:, hex: or -"));
        };
        let mut value = Value { kind, data: self.bytes()? };
        if self.is_old && matches!(kind, REG_EXPAND_SZ | REG_MULTI_SZ) {
            value = Value::units(kind, (self.widen)(&value.data));
        }
        Ok(value)
    }

    /// Reads a number of up to `most` digits.
    fn hexadecimal(&mut self, most: usize, expected: &'static str) -> Result<u32, RegError> {
        let start = self.at;
        let mut number = 0u32;
        while let Some(digit) = self.peek().and_then(|letter| letter.to_digit(16)) {
            number = number << 4 | digit;
            self.at += 1;
        }
        let count = self.at - start;
        if (1..=most).contains(&count) { Ok(number) } else { Err(self.error_at(start, expected)) }
    }

    /// Reads bytes up to the end of a line without a backslash before it.
    fn bytes(&mut self) -> Result<Vec<u8>, RegError> {
        const EXPECTED: &str = "hexadecimal bytes separated by commas";
        let mut bytes = Vec::new();
        loop {
            self.skip_spaces();
            if self.take('\\') {
                self.end_of_line()?;
                continue;
            }
            if matches!(self.peek(), None | Some('\r' | '\n' | ';')) {
                return Ok(bytes);
            }
            bytes.push(self.hexadecimal(2, EXPECTED)? as u8);
            self.skip_spaces();
            if !self.take(',') && !matches!(self.peek(), None | Some('\r' | '\n' | ';' | '\\')) {
                return Err(self.error(EXPECTED));
            }
        }
    }
}
