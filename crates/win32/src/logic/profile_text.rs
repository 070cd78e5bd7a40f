//! The text of `.ini` files: sections of keys and values, changed without touching what stands around them.
//!
//! Key type: [`ProfileText`].

use super::nls::case::equal_ignore_case;

const LINE_END: [u16; 2] = [b'\r' as u16, b'\n' as u16];

/// A file by its lines, which have no ends.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ProfileText {
    lines: Vec<Vec<u16>>,
}

/// Removes blanks (whatever is not above a space) at both ends.
fn trimmed(text: &[u16]) -> &[u16] {
    let is_blank = |unit: &u16| *unit <= 0x20;
    let start = text.iter().position(|unit| !is_blank(unit)).unwrap_or(text.len());
    let end = text.iter().rposition(|unit| !is_blank(unit)).map_or(start, |at| at + 1);
    &text[start..end]
}

/// Removes a pair of quotation marks or apostrophes around a value.
pub fn unquoted(value: &[u16]) -> &[u16] {
    match value {
        [first, inner @ .., last] if first == last && [0x22, 0x27].contains(first) => inner,
        _ => value,
    }
}

/// Reads a number: blanks, a sign, decimal digits, or hexadecimal ones after `0x`; anything else ends it.
pub fn number(value: &[u16]) -> i32 {
    let text = String::from_utf16_lossy(trimmed(value));
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(&text)),
    };
    let (radix, digits) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(rest) => (16, rest),
        None => (10, digits),
    };
    let all = digits.chars().map_while(|digit| digit.to_digit(radix));
    let size = all.fold(0_u32, |sum, digit| sum.wrapping_mul(radix).wrapping_add(digit));
    if is_negative { size.wrapping_neg() as i32 } else { size as i32 }
}

/// Returns the name that a line opens a section with.
fn section_name(line: &[u16]) -> Option<&[u16]> {
    let rest = trimmed(line).strip_prefix(&[u16::from(b'[')])?;
    let end = rest.iter().rposition(|&unit| unit == u16::from(b']')).unwrap_or(rest.len());
    Some(trimmed(&rest[..end]))
}

/// Returns the key and the value of a line; no key where it is a comment or empty. A line without `=` has no value.
fn pair(line: &[u16]) -> Option<(&[u16], Option<&[u16]>)> {
    let line = trimmed(line);
    if line.is_empty() || line[0] == u16::from(b';') {
        return None;
    }
    match line.iter().position(|&unit| unit == u16::from(b'=')) {
        Some(at) => Some((trimmed(&line[..at]), Some(trimmed(&line[at + 1..])))),
        None => Some((line, None)),
    }
}

impl ProfileText {
    /// Splits a text.
    pub fn parse(text: &[u16]) -> Self {
        let text = text.strip_suffix(&[u16::from(b'\n')]).unwrap_or(text);
        if text.is_empty() {
            return Self::default();
        }
        let strip = |line: &[u16]| line.strip_suffix(&[u16::from(b'\r')]).unwrap_or(line).to_vec();
        Self { lines: text.split(|&unit| unit == u16::from(b'\n')).map(strip).collect() }
    }

    /// Returns the text.
    pub fn text(&self) -> Vec<u16> {
        self.lines.iter().flat_map(|line| line.iter().copied().chain(LINE_END)).collect()
    }

    /// Returns the names of the sections.
    pub fn sections(&self) -> Vec<Vec<u16>> {
        self.lines.iter().filter_map(|line| section_name(line)).map(<[u16]>::to_vec).collect()
    }

    /// Returns where a section's lines begin and end, without its own.
    fn range(&self, section: &[u16]) -> Option<std::ops::Range<usize>> {
        let section = trimmed(section);
        let is_it = |line: &Vec<u16>| section_name(line).is_some_and(|name| equal_ignore_case(name, section));
        let start = self.lines.iter().position(is_it)? + 1;
        let length = self.lines[start..].iter().position(|line| section_name(line).is_some());
        Some(start..length.map_or(self.lines.len(), |length| start + length))
    }

    fn of(&self, section: &[u16]) -> &[Vec<u16>] {
        self.range(section).map_or(&[], |range| &self.lines[range])
    }

    /// Returns the keys of a section.
    pub fn keys(&self, section: &[u16]) -> Vec<Vec<u16>> {
        let pairs = self.of(section).iter().filter_map(|line| pair(line));
        pairs.filter(|(_, value)| value.is_some()).map(|(key, _)| key.to_vec()).collect()
    }

    /// Returns a section's lines without blanks and comments, each as `key=value`.
    pub fn pairs(&self, section: &[u16]) -> Vec<Vec<u16>> {
        let joined = |(key, value): (&[u16], Option<&[u16]>)| match value {
            Some(value) => [key, &[u16::from(b'=')], value].concat(),
            None => key.to_vec(),
        };
        self.of(section).iter().filter_map(|line| pair(line)).map(joined).collect()
    }

    /// Returns the value of a key, as it stands.
    pub fn value(&self, section: &[u16], key: &[u16]) -> Option<Vec<u16>> {
        let key = trimmed(key);
        let mut pairs = self.of(section).iter().filter_map(|line| pair(line));
        pairs.find(|(found, value)| value.is_some() && equal_ignore_case(found, key))?.1.map(<[u16]>::to_vec)
    }

    /// Returns where a section's last line that is not blank ends; makes the section at the end where there is none.
    fn end_of(&mut self, section: &[u16]) -> usize {
        let Some(range) = self.range(section) else {
            let name = [&[u16::from(b'[')], trimmed(section), &[u16::from(b']')]].concat();
            self.lines.push(name);
            return self.lines.len();
        };
        let blank =
            self.lines[range.clone()].iter().rev().take_while(|line| trimmed(line).is_empty()).count();
        range.end - blank
    }

    /// Sets a key; makes the key and the section where they are missing.
    pub fn set(&mut self, section: &[u16], key: &[u16], value: &[u16]) {
        let key = trimmed(key);
        let line = [key, &[u16::from(b'=')], value].concat();
        match self.place(section, key) {
            Some(at) => self.lines[at] = line,
            None => {
                let at = self.end_of(section);
                self.lines.insert(at, line);
            }
        }
    }

    fn place(&self, section: &[u16], key: &[u16]) -> Option<usize> {
        let mut range = self.range(section)?;
        range.find(|&at| pair(&self.lines[at]).is_some_and(|(found, _)| equal_ignore_case(found, key)))
    }

    /// Removes a key.
    pub fn remove(&mut self, section: &[u16], key: &[u16]) {
        if let Some(at) = self.place(section, trimmed(key)) {
            self.lines.remove(at);
        }
    }

    /// Removes a section.
    pub fn remove_section(&mut self, section: &[u16]) {
        if let Some(range) = self.range(section) {
            self.lines.drain(range.start - 1..range.end);
        }
    }

    /// Replaces what a section holds by lines.
    pub fn replace_section(&mut self, section: &[u16], lines: Vec<Vec<u16>>) {
        let end = self.end_of(section);
        let start = self.range(section).map_or(end, |range| range.start);
        self.lines.splice(start..end, lines);
    }
}

/// Returns bytes as the text of a "structure": two digits each, and the sum of all at the end.
pub fn structure_text(bytes: &[u8]) -> Vec<u16> {
    let sum = bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    bytes
        .iter()
        .chain(&[sum])
        .flat_map(|byte| format!("{byte:02X}").encode_utf16().collect::<Vec<_>>())
        .collect()
}

/// Reads a "structure"; nothing where a digit or the sum is wrong.
pub fn structure(text: &[u16]) -> Option<Vec<u8>> {
    let digits = String::from_utf16(text).ok()?;
    let digits: Option<Vec<u8>> =
        digits.chars().map(|digit| digit.to_digit(16).map(|digit| digit as u8)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    let mut bytes: Vec<u8> = digits.chunks_exact(2).map(|two| two[0] << 4 | two[1]).collect();
    let sum = bytes.pop()?;
    (bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)) == sum).then_some(bytes)
}

#[cfg(test)]
mod tests;
