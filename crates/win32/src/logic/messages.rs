//! `FormatMessage`: texts of the system's error codes, and inserts into any message.
//!
//! Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-formatmessagew>,
//! <https://learn.microsoft.com/windows/win32/debug/system-error-codes>

mod texts;

use super::status::{NtStatus, Win32Error};

/// Why a message could not be formatted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError<E> {
    /// A `%` sequence is malformed: `ERROR_INVALID_PARAMETER`.
    #[error("malformed insert at unit {offset} of the message")]
    Malformed {
        /// Where the `%` stands, in UTF-16 units.
        offset: usize,
    },
    /// The insert could not be read.
    #[error("insert {number} cannot be read")]
    Insert {
        /// The insert's number, 1 to 99.
        number: u32,
        /// Why.
        error: E,
    },
}

/// How lines are broken: the low byte of the flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineWidth {
    /// 0: line breaks stay.
    AsIs,
    /// `FORMAT_MESSAGE_MAX_WIDTH_MASK`: line breaks of the text become spaces; `%n` still breaks.
    Unbroken,
    /// Lines have at most this many units.
    Units(usize),
}

const PERCENT: u16 = b'%' as u16;
const DEFAULT_FORMAT: &[u16] = &[b's' as u16];

/// Returns the system's English text for an error, with its line break: `The system cannot find the file specified.\r\n`.
pub fn system_text(error: Win32Error) -> Option<String> {
    let at = texts::WIN32.binary_search_by_key(&error.0, |row| row.0).ok()?;
    Some(format!("{}\r\n", texts::WIN32[at].1))
}

/// Returns ntdll's English text for a status.
pub fn status_text(status: NtStatus) -> Option<String> {
    let at = texts::NT.binary_search_by_key(&status.0, |row| row.0).ok()?;
    Some(format!("{}\r\n", texts::NT[at].1))
}

/// Expands a message. `insert(number, format)` returns the text of insert `%number!format!`; the format is `s` by default.
///
/// With `ignore_inserts` they stay as they are, and only line breaks are handled.
///
/// # Errors
/// [`MessageError`]
pub fn format_message<E>(
    message: &[u16],
    ignore_inserts: bool,
    width: LineWidth,
    mut insert: impl FnMut(u32, &[u16]) -> Result<Vec<u16>, E>,
) -> Result<Vec<u16>, MessageError<E>> {
    let mut output = Output { text: Vec::with_capacity(message.len()), line_start: 0, width };
    let mut at = 0;
    while let Some(&unit) = message.get(at) {
        if unit != PERCENT {
            at += output.put_raw(&message[at..]);
            continue;
        }
        let next = message.get(at + 1).copied().unwrap_or(0);
        match u8::try_from(next).unwrap_or(0) {
            b'1'..=b'9' if ignore_inserts => {
                output.text.extend([PERCENT, next]);
                at += 2;
            }
            b'1'..=b'9' => {
                let malformed = MessageError::Malformed { offset: at };
                let (number, format, length) = parse_insert(&message[at..]).ok_or(malformed)?;
                let text = insert(number, format).map_err(|error| MessageError::Insert { number, error })?;
                text.iter().for_each(|&unit| output.put(unit));
                at += length;
            }
            b'0' => return Ok(output.text),
            b'n' => {
                output.break_line();
                at += 2;
            }
            b'r' => {
                output.text.push(13);
                at += 2;
            }
            b't' => {
                output.put(9);
                at += 2;
            }
            b'b' => {
                output.put(32);
                at += 2;
            }
            _ if next == 0 => return Err(MessageError::Malformed { offset: at }),
            _ => {
                output.put(next);
                at += 2;
            }
        }
    }
    Ok(output.text)
}

/// Parses `%12!format!`. Returns number, format and length.
fn parse_insert(text: &[u16]) -> Option<(u32, &[u16], usize)> {
    let digits = text[1..].iter().take(2).take_while(|&&unit| (0x30..=0x39).contains(&unit)).count();
    let number = text[1..=digits].iter().fold(0, |number, &unit| number * 10 + u32::from(unit) - 0x30);
    let rest = &text[1 + digits..];
    if rest.first() != Some(&u16::from(b'!')) {
        return Some((number, DEFAULT_FORMAT, 1 + digits));
    }
    let length = rest[1..].iter().position(|&unit| unit == u16::from(b'!'))?;
    Some((number, &rest[1..1 + length], digits + length + 3))
}

/// The text written so far, and how to break its lines.
struct Output {
    text: Vec<u16>,
    line_start: usize,
    width: LineWidth,
}

impl Output {
    /// Appends the first unit of `rest`, or its line break. Returns how many units were used.
    fn put_raw(&mut self, rest: &[u16]) -> usize {
        let length = match rest {
            [13, 10, ..] => 2,
            [13 | 10, ..] => 1,
            _ => {
                self.put(rest[0]);
                return 1;
            }
        };
        match self.width {
            LineWidth::AsIs => self.break_line(),
            _ => self.put(32),
        }
        length
    }

    fn put(&mut self, unit: u16) {
        self.text.push(unit);
        let LineWidth::Units(max) = self.width else { return };
        if self.text.len() - self.line_start <= max || max == 0 {
            return;
        }
        // The last space of the line becomes the break; a word longer than the line stays whole.
        if let Some(space) = self.text[self.line_start..].iter().rposition(|&unit| unit == 32) {
            let at = self.line_start + space;
            self.text.splice(at..=at, [13, 10]);
            self.line_start = at + 2;
        }
    }

    fn break_line(&mut self) {
        self.text.extend([13, 10]);
        self.line_start = self.text.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(message: &str, ignore: bool, width: LineWidth) -> Result<String, MessageError<()>> {
        let units: Vec<u16> = message.encode_utf16().collect();
        let insert = |number, format: &[u16]| {
            let text = format!("<{number}:{}>", String::from_utf16_lossy(format));
            if number == 99 { Err(()) } else { Ok(text.encode_utf16().collect()) }
        };
        format_message(&units, ignore, width, insert).map(|text| String::from_utf16_lossy(&text))
    }

    #[test]
    fn sequences_expand_as_documented() {
        let cases = [
            ("a %1 b", "a <1:s> b"),
            ("%12!04X!x", "<12:04X>x"),
            ("%1%2", "<1:s><2:s>"),
            ("%123", "<12:s>3"),
            ("100%% sure%!", "100% sure!"),
            ("a%nb%tc%bd", "a\r\nb\tc d"),
            ("cut%0 here", "cut"),
            ("a\nb", "a\r\nb"),
        ];
        for (message, expected) in cases {
            assert_eq!(format(message, false, LineWidth::AsIs), Ok(expected.to_owned()), "{message}");
        }
        assert_eq!(format("%1!x", false, LineWidth::AsIs), Err(MessageError::Malformed { offset: 0 }));
        assert_eq!(format("a%", false, LineWidth::AsIs), Err(MessageError::Malformed { offset: 1 }));
        assert_eq!(
            format("%99", false, LineWidth::AsIs),
            Err(MessageError::Insert { number: 99, error: () })
        );
        assert_eq!(format("%1!d! %n", true, LineWidth::AsIs), Ok("%1!d! \r\n".to_owned()));
    }

    #[test]
    fn lines_break_at_the_width() {
        assert_eq!(format("aa bb cc", false, LineWidth::Units(5)), Ok("aa bb\r\ncc".to_owned()));
        assert_eq!(format("aaaaaaaa b", false, LineWidth::Units(5)), Ok("aaaaaaaa\r\nb".to_owned()));
        assert_eq!(format("a\r\nb%nc", false, LineWidth::Unbroken), Ok("a b\r\nc".to_owned()));
    }

    #[test]
    fn known_codes_have_their_texts() {
        assert!(texts::WIN32.is_sorted_by(|a, b| a.0 < b.0));
        assert!(texts::NT.is_sorted_by(|a, b| a.0 < b.0));
        let text = system_text(Win32Error::FILE_NOT_FOUND);
        assert_eq!(text.as_deref(), Some("The system cannot find the file specified.\r\n"));
        assert_eq!(system_text(Win32Error(0xffff)), None);
        assert!(status_text(NtStatus::ACCESS_DENIED).is_some());
    }
}
