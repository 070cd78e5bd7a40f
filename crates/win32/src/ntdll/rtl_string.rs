//! Counted strings of ntdll: `UNICODE_STRING` and `ANSI_STRING`, which also hold OEM text.

use std::cmp::Ordering;

use plat_abi::{Fault, GuestStruct, GuestWord, Memory, winapi};

use crate::NtStatus;
use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::nls::case;
use crate::logic::nls::code_page::CodePage;
use crate::nt::nls;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full RtlInitUnicodeString;
    full RtlInitUnicodeStringEx;
    full RtlInitAnsiString;
    full RtlInitString;
    full RtlFreeUnicodeString;
    full RtlFreeAnsiString;
    full RtlFreeOemString;
    full RtlUnicodeStringToAnsiString;
    full RtlUnicodeStringToOemString;
    full RtlAnsiStringToUnicodeString;
    full RtlOemStringToUnicodeString;
    full RtlUpcaseUnicodeChar;
    full RtlDowncaseUnicodeChar;
    full RtlUpcaseUnicodeString;
    full RtlDowncaseUnicodeString;
    full RtlCreateUnicodeString;
    full RtlCreateUnicodeStringFromAsciiz;
    full RtlCompareUnicodeString;
    full RtlEqualUnicodeString;
    full RtlPrefixUnicodeString;
    full RtlCompareString;
    full RtlEqualString;
    full RtlCopyUnicodeString;
    full RtlAppendUnicodeToString;
    full RtlAppendUnicodeStringToString;
};

/// The longest string in bytes: an even number, with room for a zero.
const LENGTH_MAX: usize = 0xfffc;

/// `UNICODE_STRING` or `ANSI_STRING`; lengths in bytes.
#[derive(GuestStruct, Clone, Copy, Debug, Default)]
struct CountedString {
    length: u16,
    maximum: u16,
    buffer: GuestWord,
}

fn read_wide(guest: &Guest, string: GuestWord) -> Result<Vec<u16>, Fault> {
    let counted: CountedString = guest.read(string.get())?;
    guest.read_wide(counted.buffer.get(), u64::from(counted.length / 2))
}

fn read_narrow(guest: &Guest, string: GuestWord) -> Result<Vec<u8>, Fault> {
    let counted: CountedString = guest.read(string.get())?;
    guest.read_vec(counted.buffer.get(), u64::from(counted.length))
}

fn wide_bytes(text: &[u16]) -> Vec<u8> {
    text.iter().flat_map(|unit| unit.to_le_bytes()).collect()
}

/// Points a counted string to text of `length` bytes; `zero` more hold its terminator.
fn init(guest: &Guest, string: GuestWord, text: GuestWord, length: usize, zero: usize) -> Result<(), Fault> {
    let length = length.min(LENGTH_MAX);
    let maximum = if text.is_null() { 0 } else { (length + zero) as u16 };
    guest.write(string.get(), &CountedString { length: length as u16, maximum, buffer: text })
}

/// Stores text with a zero of `zero` bytes: in a new buffer, or in the string's own when it fits.
fn store(guest: &Guest, string: GuestWord, text: &[u8], zero: usize, allocate: bool) -> Result<(), NtStatus> {
    let mut bytes = text.to_vec();
    bytes.resize(text.len() + zero, 0);
    let maximum = u16::try_from(bytes.len()).map_err(|_| NtStatus::INVALID_PARAMETER_2)?;
    let mut counted: CountedString = guest.read(string.get())?;
    if allocate {
        let buffer = guest.process().heaps.allocate(0, bytes.len() as u64, false);
        counted.buffer = GuestWord(buffer.ok_or(NtStatus::NO_MEMORY)?);
        counted.maximum = maximum;
    } else if usize::from(counted.maximum) < text.len() {
        return Err(NtStatus::BUFFER_OVERFLOW);
    }
    // Without room for it the zero is left out.
    bytes.truncate(usize::from(counted.maximum));
    guest.write_bytes(counted.buffer.get(), &bytes)?;
    counted.length = text.len() as u16;
    Ok(guest.write(string.get(), &counted)?)
}

fn free(guest: &Guest, string: GuestWord) -> Result<(), Fault> {
    let counted: CountedString = guest.read(string.get())?;
    if !counted.buffer.is_null() {
        guest.process().heaps.free(0, counted.buffer.get());
        guest.write(string.get(), &CountedString::default())?;
    }
    Ok(())
}

fn to_narrow(
    guest: &Guest,
    target: GuestWord,
    source: GuestWord,
    allocate: u8,
    page: &CodePage,
) -> Result<(), NtStatus> {
    let text = page.encode(&read_wide(guest, source)?, 0, None, false);
    store(guest, target, &text.map_err(|_| NtStatus::UNSUCCESSFUL)?.bytes, 1, allocate != 0)
}

fn to_wide(
    guest: &Guest,
    target: GuestWord,
    source: GuestWord,
    allocate: u8,
    page: &CodePage,
) -> Result<(), NtStatus> {
    let text = page.decode(&read_narrow(guest, source)?, 0).map_err(|_| NtStatus::UNSUCCESSFUL)?;
    store(guest, target, &wide_bytes(&text), 2, allocate != 0)
}

/// Returns -1, 0 or 1.
fn sign(order: Ordering) -> i32 {
    order as i32
}

fn compare_wide(guest: &Guest, left: GuestWord, right: GuestWord, ignore: u8) -> Result<Ordering, Fault> {
    Ok(case::compare_ordinal(&read_wide(guest, left)?, &read_wide(guest, right)?, ignore != 0))
}

fn compare_narrow(guest: &Guest, left: GuestWord, right: GuestWord, ignore: u8) -> Result<Ordering, Fault> {
    let (left, right) = (read_narrow(guest, left)?, read_narrow(guest, right)?);
    if ignore == 0 {
        return Ok(left.cmp(&right));
    }
    Ok(case::compare_ordinal(&nls::widen(&left), &nls::widen(&right), true))
}

/// Points a string to text that ends with a zero.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-rtlinitunicodestring>
#[winapi]
pub fn RtlInitUnicodeString(
    guest: &mut Guest,
    DestinationString: GuestWord,
    SourceString: GuestWord,
) -> Result<(), Fault> {
    let units = if SourceString.is_null() { 0 } else { guest.read_wide_string(SourceString.get())?.len() };
    init(guest, DestinationString, SourceString, 2 * units, 2)
}

/// Points a string to text that ends with a zero, unless it is too long.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-rtlinitunicodestringex>
#[winapi]
pub fn RtlInitUnicodeStringEx(
    guest: &mut Guest,
    DestinationString: GuestWord,
    SourceString: GuestWord,
) -> Result<(), NtStatus> {
    let units = if SourceString.is_null() { 0 } else { guest.read_wide_string(SourceString.get())?.len() };
    if 2 * units > LENGTH_MAX {
        return Err(NtStatus::NAME_TOO_LONG);
    }
    Ok(init(guest, DestinationString, SourceString, 2 * units, 2)?)
}

alike! {
    fn(guest; DestinationString: GuestWord, SourceString: GuestWord) -> Result<(), Fault> {
        let bytes = if SourceString.is_null() { 0 } else { guest.read_c_string(SourceString.get())?.len() };
        init(guest, DestinationString, SourceString, bytes, 1)
    }

    /// Points a narrow string to text that ends with a zero.
    ddi "wdm/nf-wdm-rtlinitansistring" RtlInitAnsiString;

    /// Points a narrow string to text that ends with a zero.
    ddi "wdm/nf-wdm-rtlinitstring" RtlInitString;
}

alike! {
    fn(guest; String: GuestWord) -> Result<(), Fault> {
        free(guest, String)
    }

    /// Frees the buffer of a string that a conversion allocated.
    ddi "wdm/nf-wdm-rtlfreeunicodestring" RtlFreeUnicodeString(UnicodeString);

    /// Frees the buffer of a string that a conversion allocated.
    ddi "wdm/nf-wdm-rtlfreeansistring" RtlFreeAnsiString(AnsiString);

    /// Frees the buffer of a string that a conversion allocated.
    ddi "wdm/nf-wdm-rtlfreeoemstring" RtlFreeOemString(OemString);
}

/// Converts a string by a code page; the number says whether the target is allocated.
type Convert = fn(&Guest, GuestWord, GuestWord, u8, &CodePage) -> Result<(), NtStatus>;

alike! {
    fn(guest, conversion: (Convert, &CodePage);
        DestinationString: GuestWord, SourceString: GuestWord, AllocateDestinationString: u8
    ) -> Result<(), NtStatus> {
        let (convert, page) = conversion;
        convert(guest, DestinationString, SourceString, AllocateDestinationString, page)
    }

    /// Converts to the ANSI code page.
    ddi "wdm/nf-wdm-rtlunicodestringtoansistring" RtlUnicodeStringToAnsiString = (to_narrow, nls::ansi());

    /// Converts to the OEM code page.
    ddi "wdm/nf-wdm-rtlunicodestringtooemstring" RtlUnicodeStringToOemString = (to_narrow, nls::oem());

    /// Converts from the ANSI code page.
    ddi "wdm/nf-wdm-rtlansistringtounicodestring" RtlAnsiStringToUnicodeString = (to_wide, nls::ansi());

    /// Converts from the OEM code page.
    ddi "wdm/nf-wdm-rtloemstringtounicodestring" RtlOemStringToUnicodeString = (to_wide, nls::oem());
}

/// Returns a character in upper case.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-rtlupcaseunicodechar>
#[winapi]
pub fn RtlUpcaseUnicodeChar(guest: &mut Guest, SourceCharacter: u16) -> u32 {
    let _ = guest;
    u32::from(case::upcase(SourceCharacter))
}

/// Returns a character in lower case.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-rtldowncaseunicodechar>
#[winapi]
pub fn RtlDowncaseUnicodeChar(guest: &mut Guest, SourceCharacter: u16) -> u32 {
    let _ = guest;
    u32::from(case::downcase(SourceCharacter))
}

/// Converts to upper case.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-rtlupcaseunicodestring>
#[winapi]
pub fn RtlUpcaseUnicodeString(
    guest: &mut Guest,
    DestinationString: GuestWord,
    SourceString: GuestWord,
    AllocateDestinationString: u8,
) -> Result<(), NtStatus> {
    let text = case::upcase_string(&read_wide(guest, SourceString)?);
    store(guest, DestinationString, &wide_bytes(&text), 0, AllocateDestinationString != 0)
}

/// Converts to lower case.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-rtldowncaseunicodestring>
#[winapi]
pub fn RtlDowncaseUnicodeString(
    guest: &mut Guest,
    DestinationString: GuestWord,
    SourceString: GuestWord,
    AllocateDestinationString: u8,
) -> Result<(), NtStatus> {
    let text: Vec<u16> = read_wide(guest, SourceString)?.into_iter().map(case::downcase).collect();
    store(guest, DestinationString, &wide_bytes(&text), 0, AllocateDestinationString != 0)
}

/// Copies text with its zero to a new buffer; says whether there was memory.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-rtlcreateunicodestring>
#[winapi]
pub fn RtlCreateUnicodeString(
    guest: &mut Guest,
    DestinationString: GuestWord,
    SourceString: GuestWord,
) -> Result<u32, Fault> {
    let text = guest.read_wide_string(SourceString.get())?;
    Ok(u32::from(store(guest, DestinationString, &wide_bytes(&text), 2, true).is_ok()))
}

/// Converts text of the ANSI code page to a new buffer; says whether there was memory.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-rtlcreateunicodestring>
#[winapi]
pub fn RtlCreateUnicodeStringFromAsciiz(
    guest: &mut Guest,
    DestinationString: GuestWord,
    SourceString: GuestWord,
) -> Result<u32, Fault> {
    let text = nls::read_ansi(guest, SourceString.get())?;
    Ok(u32::from(store(guest, DestinationString, &wide_bytes(&text), 2, true).is_ok()))
}

/// Compares two strings; the number says whether case is ignored.
type Compare = fn(&Guest, GuestWord, GuestWord, u8) -> Result<Ordering, Fault>;

alike! {
    fn(guest, compare: Compare;
        String1: GuestWord, String2: GuestWord, CaseInSensitive: u8
    ) -> Result<i32, Fault> {
        compare(guest, String1, String2, CaseInSensitive).map(sign)
    }

    /// Compares two strings unit by unit: negative, 0 or positive.
    ddi "wdm/nf-wdm-rtlcompareunicodestring" RtlCompareUnicodeString = compare_wide;

    /// Compares two strings unit by unit: negative, 0 or positive.
    ddi "wdm/nf-wdm-rtlcomparestring" RtlCompareString = compare_narrow;
}

alike! {
    fn(guest, compare: Compare;
        String1: GuestWord, String2: GuestWord, CaseInSensitive: u8
    ) -> Result<u8, Fault> {
        compare(guest, String1, String2, CaseInSensitive).map(|order| u8::from(order.is_eq()))
    }

    /// Says whether two strings are equal; returns a `BOOLEAN`.
    ddi "wdm/nf-wdm-rtlequalunicodestring" RtlEqualUnicodeString = compare_wide;

    /// Says whether two strings are equal; returns a `BOOLEAN`.
    ddi "wdm/nf-wdm-rtlequalstring" RtlEqualString = compare_narrow;
}

/// Says whether the second string begins with the first; returns a `BOOLEAN`.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntddk/nf-ntddk-rtlprefixunicodestring>
#[winapi]
pub fn RtlPrefixUnicodeString(
    guest: &mut Guest,
    String1: GuestWord,
    String2: GuestWord,
    CaseInSensitive: u8,
) -> Result<u8, Fault> {
    let (prefix, text) = (read_wide(guest, String1)?, read_wide(guest, String2)?);
    let start = text.get(..prefix.len());
    let is_equal = |start| case::compare_ordinal(&prefix, start, CaseInSensitive != 0).is_eq();
    Ok(u8::from(start.is_some_and(is_equal)))
}

/// Copies as much of a string as fits; a null source empties the target.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-rtlcopyunicodestring>
#[winapi]
pub fn RtlCopyUnicodeString(
    guest: &mut Guest,
    DestinationString: GuestWord,
    SourceString: GuestWord,
) -> Result<(), Fault> {
    let text = if SourceString.is_null() { Vec::new() } else { read_wide(guest, SourceString)? };
    let mut target: CountedString = guest.read(DestinationString.get())?;
    let mut bytes = wide_bytes(&text);
    bytes.truncate(usize::from(target.maximum));
    target.length = bytes.len() as u16;
    // A zero follows where there is room for one.
    if bytes.len() + 2 <= usize::from(target.maximum) {
        bytes.extend([0, 0]);
    }
    guest.write_bytes(target.buffer.get(), &bytes)?;
    guest.write(DestinationString.get(), &target)
}

/// Appends text, with a zero where there is room for one.
fn append(guest: &Guest, string: GuestWord, text: &[u16]) -> Result<(), NtStatus> {
    let mut target: CountedString = guest.read(string.get())?;
    let mut bytes = wide_bytes(text);
    let length = usize::from(target.length) + bytes.len();
    let maximum = usize::from(target.maximum);
    if length > maximum {
        return Err(NtStatus::BUFFER_TOO_SMALL);
    }
    if length + 2 <= maximum {
        bytes.extend([0, 0]);
    }
    guest.write_bytes(target.buffer.get() + u64::from(target.length), &bytes)?;
    target.length = length as u16;
    Ok(guest.write(string.get(), &target)?)
}

/// Appends text that ends with a zero.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-rtlappendunicodetostring>
#[winapi]
pub fn RtlAppendUnicodeToString(
    guest: &mut Guest,
    Destination: GuestWord,
    Source: GuestWord,
) -> Result<(), NtStatus> {
    if Source.is_null() {
        return Ok(());
    }
    append(guest, Destination, &guest.read_wide_string(Source.get())?)
}

/// Appends a string.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-rtlappendunicodestringtostring>
#[winapi]
pub fn RtlAppendUnicodeStringToString(
    guest: &mut Guest,
    Destination: GuestWord,
    Source: GuestWord,
) -> Result<(), NtStatus> {
    append(guest, Destination, &read_wide(guest, Source)?)
}
