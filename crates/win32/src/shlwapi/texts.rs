//! shlwapi.h: texts: searched, compared, read as numbers.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest, TRUE};
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full StrStrA;
    full StrStrW;
    full StrStrIA;
    full StrStrIW;
    full StrChrA;
    full StrChrW;
    full StrChrIA;
    full StrChrIW;
    full StrRChrA;
    full StrRChrW;
    full StrCmpNA;
    full StrCmpNW;
    full StrCmpNIA;
    full StrCmpNIW;
    full StrDupA;
    full StrDupW;
    full StrToIntA;
    full StrToIntW;
    full StrToIntExA;
    full StrToIntExW;
    full StrTrimA;
    full StrTrimW;
    full StrPBrkA;
    full StrPBrkW;
    full StrSpnA;
    full StrSpnW;
    full StrCSpnA;
    full StrCSpnW;
    full StrCatBuffA;
    full StrCatBuffW;
    full StrCmpW;
    full StrCmpIW;
    full StrCpyW;
    full StrCatW;
    full StrCpyNW;
    full StrCmpLogicalW;
    full StrFormatByteSizeW;
    full StrFormatByteSizeA;
    full StrFormatByteSize64A;
    partial AssocQueryStringA, "no program is known for any extension";
    partial AssocQueryStringW, "no program is known for any extension";
    stub wnsprintfA;
    stub wnsprintfW;
};

/// `HRESULT_FROM_WIN32(ERROR_NO_ASSOCIATION)`.
const NO_ASSOCIATION: i32 = 0x8007_0483_u32 as i32;

fn fold(unit: u16) -> u16 {
    let lower = char::from_u32(unit.into()).and_then(|c| c.to_lowercase().next());
    lower.and_then(|c| u16::try_from(c as u32).ok()).unwrap_or(unit)
}

fn folded(text: &[u16]) -> Vec<u16> {
    text.iter().copied().map(fold).collect()
}

fn compare(left: &[u16], right: &[u16]) -> i32 {
    left.cmp(right) as i32
}

/// Returns the address of a unit of a string, or null.
fn at(width: Width, string: GuestWord, index: Option<usize>) -> GuestWord {
    index.map_or(GuestWord::NULL, |index| GuestWord(string.get() + (index * width.unit_bytes()) as u64))
}

/// Finds a text in another; an empty text is found nowhere.
fn find(text: &[u16], what: &[u16]) -> Option<usize> {
    if what.is_empty() { None } else { text.windows(what.len()).position(|window| window == what) }
}

/// Reads the character that a function looks for: a unit, or a byte of the code page.
fn character(width: Width, wanted: u16) -> u16 {
    match width {
        Width::Narrow => crate::nt::nls::widen(&[wanted as u8]).first().copied().unwrap_or(wanted),
        Width::Wide => wanted,
    }
}

/// Reads two texts, or the first units of them.
fn pair(guest: &Guest, width: Width, texts: [GuestWord; 2], count: i32) -> Result<[Vec<u16>; 2], Fault> {
    let [mut left, mut right] = [width.read(guest, texts[0])?, width.read(guest, texts[1])?];
    let count = usize::try_from(count).unwrap_or(0);
    left.truncate(count);
    right.truncate(count);
    Ok([left, right])
}

/// Reads a number: decimal, or after `0x` hexadecimal where that is allowed.
fn number(text: &[u16], allows_hex: bool) -> Option<i64> {
    let text = String::from_utf16_lossy(text);
    let text = text.trim_start();
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).filter(|_| allows_hex) {
        let end = hex.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(hex.len());
        return i64::from_str_radix(&hex[..end], 16).ok();
    }
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse::<i64>().ok().map(|value| sign * value)
}

/// Returns a size as people read it: three digits and a unit.
fn byte_size(size: i64) -> String {
    const UNITS: [&str; 6] = ["KB", "MB", "GB", "TB", "PB", "EB"];
    if (0..1024).contains(&size) {
        return format!("{size} bytes");
    }
    let (mut value, mut unit) = (size.unsigned_abs() as f64 / 1024.0, 0);
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    // Digits behind the third are cut off, not rounded.
    let decimals = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    let scale = 10_f64.powi(decimals as i32);
    format!("{:.*} {}", decimals, (value * scale).floor() / scale, UNITS[unit])
}

fn put_byte_size(
    guest: &Guest,
    width: Width,
    size: i64,
    buffer: GuestWord,
    capacity: u32,
) -> Result<GuestWord, Fault> {
    let mut text: Vec<u16> = byte_size(size).encode_utf16().collect();
    if buffer.is_null() || capacity == 0 {
        return Ok(buffer);
    }
    text.truncate(capacity as usize - 1);
    width.write(guest, buffer, &text)?;
    Ok(buffer)
}

both_widths! {
    /// Finds a text in another.
    "shlwapi/nf-shlwapi-strstr"
    StrStrA, StrStrW(guest, width, pszFirst: GuestWord, pszSrch: GuestWord) -> Result<GuestWord, Fault> {
        let (text, what) = (width.read(guest, pszFirst)?, width.read(guest, pszSrch)?);
        Ok(at(width, pszFirst, find(&text, &what)))
    }

    /// Finds a text in another without regard to case.
    "shlwapi/nf-shlwapi-strstri"
    StrStrIA, StrStrIW(guest, width, pszFirst: GuestWord, pszSrch: GuestWord) -> Result<GuestWord, Fault> {
        let (text, what) = (width.read(guest, pszFirst)?, width.read(guest, pszSrch)?);
        Ok(at(width, pszFirst, find(&folded(&text), &folded(&what))))
    }

    /// Finds a character in a text.
    "shlwapi/nf-shlwapi-strchr"
    StrChrA, StrChrW(guest, width, pszStart: GuestWord, wMatch: u16) -> Result<GuestWord, Fault> {
        let wanted = character(width, wMatch);
        Ok(at(width, pszStart, width.read(guest, pszStart)?.iter().position(|&unit| unit == wanted)))
    }

    /// Finds a character in a text without regard to case.
    "shlwapi/nf-shlwapi-strchri"
    StrChrIA, StrChrIW(guest, width, pszStart: GuestWord, wMatch: u16) -> Result<GuestWord, Fault> {
        let wanted = fold(character(width, wMatch));
        Ok(at(width, pszStart, width.read(guest, pszStart)?.iter().position(|&unit| fold(unit) == wanted)))
    }

    /// Finds a character in a text from its end, or from a place.
    "shlwapi/nf-shlwapi-strrchr"
    StrRChrA, StrRChrW(guest, width, pszStart: GuestWord, pszEnd: GuestWord, wMatch: u16) -> Result<GuestWord, Fault> {
        let wanted = character(width, wMatch);
        let mut text = width.read(guest, pszStart)?;
        if !pszEnd.is_null() {
            text.truncate(pszEnd.get().saturating_sub(pszStart.get()) as usize / width.unit_bytes());
        }
        Ok(at(width, pszStart, text.iter().rposition(|&unit| unit == wanted)))
    }

    /// Compares the beginnings of two texts.
    "shlwapi/nf-shlwapi-strcmpn"
    StrCmpNA, StrCmpNW(guest, width, psz1: GuestWord, psz2: GuestWord, nChar: i32) -> Result<i32, Fault> {
        let [left, right] = pair(guest, width, [psz1, psz2], nChar)?;
        Ok(compare(&left, &right))
    }

    /// Compares the beginnings of two texts without regard to case.
    "shlwapi/nf-shlwapi-strcmpni"
    StrCmpNIA, StrCmpNIW(guest, width, psz1: GuestWord, psz2: GuestWord, nChar: i32) -> Result<i32, Fault> {
        let [left, right] = pair(guest, width, [psz1, psz2], nChar)?;
        Ok(compare(&folded(&left), &folded(&right)))
    }

    /// Copies a text into memory for `LocalFree`.
    "shlwapi/nf-shlwapi-strdup"
    StrDupA, StrDupW(guest, width, pszSrch: GuestWord) -> Result<GuestWord, Fault> {
        let text = width.read(guest, pszSrch)?;
        let bytes = width.bytes(&text);
        let Some(block) = guest.process().heaps.allocate(0, bytes.len() as u64, false) else {
            return Ok(GuestWord::NULL);
        };
        guest.write_bytes(block, &bytes)?;
        Ok(GuestWord(block))
    }

    /// Reads a decimal number; 0 where there is none.
    "shlwapi/nf-shlwapi-strtoint"
    StrToIntA, StrToIntW(guest, width, pszSrc: GuestWord) -> Result<i32, Fault> {
        Ok(number(&width.read(guest, pszSrc)?, false).unwrap_or(0) as i32)
    }

    /// Reads a decimal or, if that is allowed, hexadecimal number.
    "shlwapi/nf-shlwapi-strtointex"
    StrToIntExA, StrToIntExW(guest, width, pszString: GuestWord, dwFlags: i32, piRet: GuestWord) -> Result<Bool, Fault> {
        let Some(value) = number(&width.read(guest, pszString)?, dwFlags & 1 != 0) else { return Ok(FALSE) };
        guest.write_bytes(piRet.get(), &(value as i32).to_le_bytes())?;
        Ok(TRUE)
    }

    /// Takes some characters at both ends of a text away; says whether there were any.
    "shlwapi/nf-shlwapi-strtrim"
    StrTrimA, StrTrimW(guest, width, psz: GuestWord, pszTrimChars: GuestWord) -> Result<Bool, Fault> {
        let (text, set) = (width.read(guest, psz)?, width.read(guest, pszTrimChars)?);
        let start = text.iter().position(|unit| !set.contains(unit)).unwrap_or(text.len());
        let end = text.iter().rposition(|unit| !set.contains(unit)).map_or(start, |at| at + 1);
        if end - start == text.len() {
            return Ok(FALSE);
        }
        width.write(guest, psz, &text[start..end])?;
        Ok(TRUE)
    }

    /// Finds the first of some characters in a text.
    "shlwapi/nf-shlwapi-strpbrk"
    StrPBrkA, StrPBrkW(guest, width, psz: GuestWord, pszSet: GuestWord) -> Result<GuestWord, Fault> {
        let (text, set) = (width.read(guest, psz)?, width.read(guest, pszSet)?);
        Ok(at(width, psz, text.iter().position(|unit| set.contains(unit))))
    }

    /// Returns how many characters at the beginning are among some.
    "shlwapi/nf-shlwapi-strspn"
    StrSpnA, StrSpnW(guest, width, psz: GuestWord, pszSet: GuestWord) -> Result<i32, Fault> {
        let (text, set) = (width.read(guest, psz)?, width.read(guest, pszSet)?);
        Ok(text.iter().take_while(|unit| set.contains(unit)).count() as i32)
    }

    /// Returns how many characters at the beginning are not among some.
    "shlwapi/nf-shlwapi-strcspn"
    StrCSpnA, StrCSpnW(guest, width, pszStr: GuestWord, pszSet: GuestWord) -> Result<i32, Fault> {
        let (text, set) = (width.read(guest, pszStr)?, width.read(guest, pszSet)?);
        Ok(text.iter().take_while(|unit| !set.contains(unit)).count() as i32)
    }

    /// Adds a text to another in a buffer of a size.
    "shlwapi/nf-shlwapi-strcatbuff"
    StrCatBuffA, StrCatBuffW(guest, width, pszDest: GuestWord, pszSrc: GuestWord, cchDestBuffSize: i32) -> Result<GuestWord, Fault> {
        let mut text = width.read(guest, pszDest)?;
        text.extend(width.read(guest, pszSrc)?);
        text.truncate(usize::try_from(cchDestBuffSize).unwrap_or(0).saturating_sub(1));
        width.write(guest, pszDest, &text)?;
        Ok(pszDest)
    }
}

both_widths! {
    /// Tells which program opens an extension: none is known.
    "shlwapi/nf-shlwapi-assocquerystring"
    AssocQueryStringA, AssocQueryStringW(guest, width, flags: u32, str: i32, pszAssoc: GuestWord, pszExtra: GuestWord, pszOut: GuestWord, pcchOut: GuestWord) -> i32 {
        let _ = (width, guest, flags, str, pszAssoc, pszExtra, pszOut, pcchOut);
        NO_ASSOCIATION
    }
}

/// Compares two texts.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlwapi/nf-shlwapi-strcmpw>
#[winapi]
pub fn StrCmpW(guest: &mut Guest, psz1: GuestWord, psz2: GuestWord) -> Result<i32, Fault> {
    let [left, right] = pair(guest, Width::Wide, [psz1, psz2], i32::MAX)?;
    Ok(compare(&left, &right))
}

/// Compares two texts without regard to case.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlwapi/nf-shlwapi-strcmpiw>
#[winapi]
pub fn StrCmpIW(guest: &mut Guest, psz1: GuestWord, psz2: GuestWord) -> Result<i32, Fault> {
    let [left, right] = pair(guest, Width::Wide, [psz1, psz2], i32::MAX)?;
    Ok(compare(&folded(&left), &folded(&right)))
}

/// Copies a text.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlwapi/nf-shlwapi-strcpyw>
#[winapi]
pub fn StrCpyW(guest: &mut Guest, psz1: GuestWord, psz2: GuestWord) -> Result<GuestWord, Fault> {
    let text = Width::Wide.read(guest, psz2)?;
    Width::Wide.write(guest, psz1, &text)?;
    Ok(psz1)
}

/// Adds a text to another.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlwapi/nf-shlwapi-strcatw>
#[winapi]
pub fn StrCatW(guest: &mut Guest, psz1: GuestWord, psz2: GuestWord) -> Result<GuestWord, Fault> {
    let mut text = Width::Wide.read(guest, psz1)?;
    text.extend(Width::Wide.read(guest, psz2)?);
    Width::Wide.write(guest, psz1, &text)?;
    Ok(psz1)
}

/// Copies a text into a buffer of a size.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlwapi/nf-shlwapi-strcpynw>
#[winapi]
pub fn StrCpyNW(
    guest: &mut Guest,
    pszDst: GuestWord,
    pszSrc: GuestWord,
    cchMax: i32,
) -> Result<GuestWord, Fault> {
    let mut text = Width::Wide.read(guest, pszSrc)?;
    if let Some(room) = usize::try_from(cchMax).ok().and_then(|size| size.checked_sub(1)) {
        text.truncate(room);
        Width::Wide.write(guest, pszDst, &text)?;
    }
    Ok(pszDst)
}

/// Compares two texts as people sort files: numbers by their value.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlwapi/nf-shlwapi-strcmplogicalw>
#[winapi]
pub fn StrCmpLogicalW(guest: &mut Guest, psz1: GuestWord, psz2: GuestWord) -> Result<i32, Fault> {
    let [left, right] = pair(guest, Width::Wide, [psz1, psz2], i32::MAX)?;
    Ok(compare_logically(&folded(&left), &folded(&right)))
}

alike! {
    fn(guest, width; qdw: i64, pszBuf: GuestWord, cchBuf: u32) -> Result<GuestWord, Fault> {
        put_byte_size(guest, width, qdw, pszBuf, cchBuf)
    }

    /// Returns a size as people read it.
    "shlwapi/nf-shlwapi-strformatbytesizew" StrFormatByteSizeW = Width::Wide;

    /// Returns a size as people read it.
    "shlwapi/nf-shlwapi-strformatbytesize64a" StrFormatByteSize64A = Width::Narrow;
}

/// Returns a size as people read it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlwapi/nf-shlwapi-strformatbytesizea>
#[winapi]
pub fn StrFormatByteSizeA(
    guest: &mut Guest,
    dw: u32,
    pszBuf: GuestWord,
    cchBuf: u32,
) -> Result<GuestWord, Fault> {
    put_byte_size(guest, Width::Narrow, dw.into(), pszBuf, cchBuf)
}

fn compare_logically(mut left: &[u16], mut right: &[u16]) -> i32 {
    let digits = |text: &[u16]| text.iter().take_while(|&&unit| (48..58).contains(&unit)).count();
    loop {
        match (digits(left), digits(right)) {
            (0, _) | (_, 0) => match (left.split_first(), right.split_first()) {
                (Some((one, rest_left)), Some((other, rest_right))) if one == other => {
                    (left, right) = (rest_left, rest_right);
                }
                (one, other) => return one.map(|pair| pair.0).cmp(&other.map(|pair| pair.0)) as i32,
            },
            (one, other) => {
                let value = |text: &[u16], length: usize| -> Vec<u16> {
                    text[..length].iter().copied().skip_while(|&unit| unit == 48).collect()
                };
                let (first, second) = (value(left, one), value(right, other));
                let order = first.len().cmp(&second.len()).then(first.cmp(&second));
                if order.is_ne() {
                    return order as i32;
                }
                (left, right) = (&left[one..], &right[other..]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn sizes_have_three_digits() {
        // Source: the table of StrFormatByteSize's documentation.
        let sizes = [0, 532, 1340, 23_506, 2_400_016, 2_400_000_000].map(byte_size);
        assert_eq!(sizes, ["0 bytes", "532 bytes", "1.30 KB", "22.9 KB", "2.28 MB", "2.23 GB"]);
    }

    #[test]
    fn numbers_in_names_count_by_value() {
        for (left, right, order) in [("a2", "a10", -1), ("a02", "a2", 0), ("b", "a9", 1), ("a", "a1", -1)] {
            assert_eq!(compare_logically(&wide(left), &wide(right)), order, "{left} {right}");
        }
    }

    #[test]
    fn numbers_are_read_as_far_as_they_go() {
        let read = |text: &str, hex| number(&wide(text), hex);
        assert_eq!(
            [read(" 12x", false), read("-7", true), read("0x1f", true), read("0x1f", false), read("x", true)],
            [Some(12), Some(-7), Some(31), Some(0), None]
        );
    }
}
