//! DER from its parts. Key functions: [`der`], [`identifier`], [`integer`].
//!
//! Source: ITU-T X.690, sections 8 and 10

/// Returns an element of a tag and a content.
pub fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    match content.len() {
        length @ 0..=0x7f => bytes.push(length as u8),
        length => {
            let digits = length.to_be_bytes();
            let start = digits.iter().position(|&digit| digit != 0).unwrap_or(digits.len());
            bytes.push(0x80 | (digits.len() - start) as u8);
            bytes.extend_from_slice(&digits[start..]);
        }
    }
    bytes.extend_from_slice(content);
    bytes
}

/// Returns an object identifier; `None` when the text is none.
pub fn identifier(text: &str) -> Option<Vec<u8>> {
    let mut numbers = text.split('.').map(|number| number.parse::<u64>().ok());
    let (first, second) = (numbers.next()??, numbers.next()??);
    if first > 2 || (first < 2 && second > 39) {
        return None;
    }
    let mut content = Vec::new();
    for number in [Some(first.checked_mul(40)?.checked_add(second)?)].into_iter().chain(numbers) {
        let number = number?;
        let digits = (64 - number.leading_zeros()).div_ceil(7).max(1);
        for digit in (0..digits).rev() {
            let more = if digit > 0 { 0x80 } else { 0 };
            content.push((number >> (7 * digit)) as u8 & 0x7f | more);
        }
    }
    Some(der(6, &content))
}

/// Returns a whole number of bytes with the least first; without a sign where `unsigned` is set.
pub fn integer(little: &[u8], unsigned: bool) -> Vec<u8> {
    let mut digits: Vec<u8> = little.iter().rev().copied().collect();
    if digits.is_empty() || (unsigned && digits[0] & 0x80 != 0) {
        digits.insert(0, 0);
    }
    while let [first, second, ..] = digits[..]
        && ((first == 0 && second < 0x80) || (first == 0xff && second >= 0x80 && !unsigned))
    {
        digits.remove(0);
    }
    der(2, &digits)
}

/// Returns bits of which some at the end do not count.
pub fn bits(bytes: &[u8], unused: u32) -> Vec<u8> {
    let unused = if bytes.is_empty() { 0 } else { (unused & 7) as u8 };
    let mut content = vec![unused];
    content.extend_from_slice(bytes);
    if let Some(last) = content.last_mut().filter(|_| !bytes.is_empty()) {
        *last &= 0xff << unused;
    }
    der(3, &content)
}

/// Returns a time, given in units of 100 ns since 1601: with two digits of the year from 1950 to 2049, else four.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.5>
pub fn time(units: u64) -> Vec<u8> {
    let seconds = units / 10_000_000;
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    let clock = format!("{month:02}{day:02}{:02}{:02}{:02}Z", rest / 3600, rest / 60 % 60, rest % 60);
    match year {
        1950..=2049 => der(0x17, format!("{:02}{clock}", year % 100).as_bytes()),
        _ => der(0x18, format!("{year:04}{clock}").as_bytes()),
    }
}

/// Returns year, month and day of a number of days since 1601. Years begin in March inside, as in
/// [`super::certificate::time_of`].
fn date(days: u64) -> (u64, u64, u64) {
    let since = days + 306 + 365 * 1600 + 1600 / 4 - 1600 / 100 + 1600 / 400;
    let (era, day) = (since / 146_097, since % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (first, month) = ((153 * month + 2) / 5, if month < 10 { month + 3 } else { month - 9 });
    (era * 400 + year + u64::from(month <= 2), month, day - first + 1)
}

#[cfg(test)]
mod tests {
    use super::super::certificate::{dotted, time_of};
    use super::*;

    #[test]
    fn identifiers_go_there_and_back() {
        for text in ["2.5.29.37", "1.2.840.113549.1.1.11", "2.999.3", "0.9.2342.19200300.100.1.25"] {
            assert_eq!(dotted(&identifier(text).unwrap()[2..]), text);
        }
        assert_eq!(identifier("3.1"), None);
        assert_eq!(identifier("1.x"), None);
    }

    #[test]
    fn times_go_there_and_back() {
        for days in (0..800_000).step_by(97) {
            let units = (days * 86_400 + 3_723) * 10_000_000;
            let encoded = time(units);
            assert_eq!(time_of(&encoded[2..], encoded[0]), Some(units), "{days}");
        }
    }

    #[test]
    fn numbers_are_as_short_as_they_can_be() {
        assert_eq!(integer(&[0x80, 0], false), [2, 2, 0, 0x80]);
        assert_eq!(integer(&[0x80], false), [2, 1, 0x80]);
        assert_eq!(integer(&[0x80], true), [2, 2, 0, 0x80]);
        assert_eq!(integer(&[1, 0, 0, 0], false), [2, 1, 1]);
        assert_eq!(integer(&[0xff, 0xff], false), [2, 1, 0xff]);
        assert_eq!(integer(&[], true), [2, 1, 0]);
        assert_eq!(der(4, &[0; 200])[..3], [4, 0x81, 200]);
    }
}
