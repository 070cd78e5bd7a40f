//! The printf family: formatted output to streams and buffers, narrow and wide.
//!
//! The rules live in [`crate::logic::printf`]; here are the arguments and the ends that the text goes to.

use plat_abi::{Cursor, Fault, GuestWord, Memory, VarArgs, winapi};

use super::errno::{EINVAL, ERANGE};
use super::state::{crt, set_errno};
use super::stream::{self, EOF};
use crate::dll;
use crate::export::Export;
use crate::guest::{Guest, GuestMemory};
use crate::logic::printf::{Arguments, Options, Runtime, Unit, format_positional, format_text};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full printf;
    full fprintf;
    full vprintf;
    full vfprintf;
    full sprintf;
    full vsprintf;
    full _snprintf;
    full _vsnprintf;
    full _scprintf;
    full _vscprintf;
    full wprintf;
    full fwprintf;
    full vwprintf;
    full vfwprintf;
    full swprintf;
    full vswprintf;
    full _snwprintf;
    full _vsnwprintf;
    full _scwprintf;
    full _vscwprintf;
    full sprintf_s;
    full vsprintf_s;
    full _snprintf_s;
    full _vsnprintf_s;
    full swprintf_s;
    full vswprintf_s;
    full _snwprintf_s;
    full _vsnwprintf_s;
    full "printf_s" = printf;
    full "fprintf_s" = fprintf;
    full "vprintf_s" = vprintf;
    full "vfprintf_s" = vfprintf;
    full "wprintf_s" = wprintf;
    full "fwprintf_s" = fwprintf;
    full "vfwprintf_s" = vfwprintf;
};

/// `_TRUNCATE`: cut the text to the buffer.
pub(crate) const TRUNCATE: u32 = u32::MAX;

/// The arguments of a call, from a `va_list`.
struct GuestArguments<'a> {
    guest: &'a Guest,
    cursor: Cursor<'static, GuestMemory>,
}

impl Arguments for GuestArguments<'_> {
    type Error = Fault;
    fn int32(&mut self) -> Result<u32, Fault> {
        self.cursor.slot_u32()
    }
    fn int64(&mut self) -> Result<u64, Fault> {
        self.cursor.slot_u64()
    }
    fn pointer(&mut self) -> Result<u64, Fault> {
        self.cursor.slot_word()
    }
    fn double(&mut self) -> Result<f64, Fault> {
        self.cursor.slot_f64()
    }
    fn narrow_string(&mut self, address: u64, max: Option<usize>) -> Result<Vec<u8>, Fault> {
        read_at_most(
            max,
            |index| self.guest.read::<u8>(address + index),
            || self.guest.read_c_string(address),
        )
    }
    fn wide_string(&mut self, address: u64, max: Option<usize>) -> Result<Vec<u16>, Fault> {
        let unit = |index| self.guest.read::<u16>(address + 2 * index);
        read_at_most(max, unit, || self.guest.read_wide_string(address))
    }
    fn store_count(&mut self, address: u64, count: u64, size: u8) -> Result<(), Fault> {
        self.guest.write_bytes(address, &count.to_le_bytes()[..usize::from(size).min(8)])
    }
    fn widen(&self, text: &[u8]) -> Vec<u16> {
        crt(self.guest).locale.widen(text)
    }
    fn narrow(&self, text: &[u16]) -> Vec<u8> {
        crt(self.guest).locale.narrow(text)
    }
}

/// Reads a string, or with `max` that many units of it: they need no terminator, and nothing after them is touched.
fn read_at_most<T: Default + PartialEq>(
    max: Option<usize>,
    read: impl Fn(u64) -> Result<T, Fault>,
    read_all: impl Fn() -> Result<Vec<T>, Fault>,
) -> Result<Vec<T>, Fault> {
    let Some(max) = max else { return read_all() };
    let mut text = Vec::new();
    for index in 0..max as u64 {
        let unit = read(index)?;
        if unit == T::default() {
            break;
        }
        text.push(unit);
    }
    Ok(text)
}

pub(crate) fn options(guest: &Guest) -> Options {
    let decimal_point = crt(guest).locale.decimal_point();
    Options { decimal_point, ..Options::of(Runtime::Msvcrt, guest.machine().pointer_size() as u8) }
}

/// Formats narrow text.
pub(crate) fn narrow(guest: &Guest, format: u64, list: u64) -> Result<Vec<u8>, Fault> {
    narrow_with(guest, format, list, options(guest))
}

/// Formats narrow text by a runtime's rules.
pub(crate) fn narrow_with(guest: &Guest, format: u64, list: u64, options: Options) -> Result<Vec<u8>, Fault> {
    let format = guest.read_c_string(format)?;
    format_text(&format, &mut GuestArguments { guest, cursor: guest.va_list(list) }, options)
}

/// Formats wide text.
pub(crate) fn wide(guest: &Guest, format: u64, list: u64) -> Result<Vec<u16>, Fault> {
    wide_with(guest, format, list, options(guest))
}

/// Formats wide text by a runtime's rules.
pub(crate) fn wide_with(guest: &Guest, format: u64, list: u64, options: Options) -> Result<Vec<u16>, Fault> {
    let format = guest.read_wide_string(format)?;
    format_text(&format, &mut GuestArguments { guest, cursor: guest.va_list(list) }, options)
}

/// A unit of text, narrow or wide, and how it lies in guest memory.
pub(crate) trait GuestUnit: Unit + Default {
    fn read_format(guest: &Guest, address: u64) -> Result<Vec<Self>, Fault>;
    fn write(guest: &Guest, address: u64, text: &[Self]) -> Result<(), Fault>;
    fn to_bytes(guest: &Guest, text: Vec<Self>) -> Vec<u8>;
}

impl GuestUnit for u8 {
    fn read_format(guest: &Guest, address: u64) -> Result<Vec<u8>, Fault> {
        guest.read_c_string(address)
    }
    fn write(guest: &Guest, address: u64, text: &[u8]) -> Result<(), Fault> {
        guest.write_bytes(address, text)
    }
    fn to_bytes(_: &Guest, text: Vec<u8>) -> Vec<u8> {
        text
    }
}

impl GuestUnit for u16 {
    fn read_format(guest: &Guest, address: u64) -> Result<Vec<u16>, Fault> {
        guest.read_wide_string(address)
    }
    fn write(guest: &Guest, address: u64, text: &[u16]) -> Result<(), Fault> {
        guest.write_wide(address, text)
    }
    fn to_bytes(guest: &Guest, text: Vec<u16>) -> Vec<u8> {
        crt(guest).locale.narrow(&text)
    }
}

/// Where formatted text goes.
#[derive(Clone, Copy)]
pub(crate) enum End {
    /// A stream; 0 is the standard output.
    Stream(u64),
    /// A buffer of so many units: no terminator when there are as many, -1 when there are more.
    Buffer(u64, u64),
    /// A buffer as the `_s` functions have it: its size, and the most units of text.
    Safe(u64, u64, u32),
    /// Nowhere: only the length is wanted.
    Measure,
}

/// Formats text whose arguments may be numbered, and delivers it; -1 with `errno` for a format that there is not.
pub(crate) fn deliver<T: GuestUnit>(
    guest: &mut Guest,
    end: End,
    [format, list]: [u64; 2],
    is_positional: bool,
    options: Options,
) -> Result<i32, Fault> {
    let format = T::read_format(guest, format)?;
    let mut arguments = GuestArguments { guest, cursor: guest.va_list(list) };
    let text = match is_positional {
        true => format_positional(&format, &mut arguments, options)?,
        false => Some(format_text(&format, &mut arguments, options)?),
    };
    let Some(text) = text else { return set_errno(guest, EINVAL).map(|()| -1) };
    match end {
        End::Stream(file) => {
            let file = if file == 0 { stdout(guest) } else { file };
            let count = text.len();
            let bytes = T::to_bytes(guest, text);
            print_bytes(guest, file, &bytes, count)
        }
        End::Buffer(address, count) => store(&text, count, |text| T::write(guest, address, text)),
        End::Safe(address, size, count) => {
            store_safe(guest, text, size, count, |guest, text| T::write(guest, address, text))
        }
        End::Measure => Ok(text.len() as i32),
    }
}

/// One double as the only argument of a format.
struct OneDouble(f64);

impl Arguments for OneDouble {
    type Error = std::convert::Infallible;
    fn int32(&mut self) -> Result<u32, Self::Error> {
        Ok(0)
    }
    fn int64(&mut self) -> Result<u64, Self::Error> {
        Ok(0)
    }
    fn pointer(&mut self) -> Result<u64, Self::Error> {
        Ok(0)
    }
    fn double(&mut self) -> Result<f64, Self::Error> {
        Ok(self.0)
    }
    fn narrow_string(&mut self, _: u64, _: Option<usize>) -> Result<Vec<u8>, Self::Error> {
        Ok(Vec::new())
    }
    fn wide_string(&mut self, _: u64, _: Option<usize>) -> Result<Vec<u16>, Self::Error> {
        Ok(Vec::new())
    }
    fn store_count(&mut self, _: u64, _: u64, _: u8) -> Result<(), Self::Error> {
        Ok(())
    }
    fn widen(&self, _: &[u8]) -> Vec<u16> {
        Vec::new()
    }
    fn narrow(&self, _: &[u16]) -> Vec<u8> {
        Vec::new()
    }
}

/// Writes a number as `%g` does, with so many significant digits.
pub(crate) fn general(guest: &Guest, value: f64, digits: i32) -> Vec<u8> {
    general_of(guest, value, digits, Runtime::Msvcrt)
}

/// As [`general`], by a runtime's rules.
pub(crate) fn general_of(guest: &Guest, value: f64, digits: i32, runtime: Runtime) -> Vec<u8> {
    let format = format!("%.{}g", digits.clamp(0, 300));
    let options = Options::of(runtime, guest.machine().pointer_size() as u8);
    let Ok(text) = format_text(format.as_bytes(), &mut OneDouble(value), options);
    text
}

fn print(guest: &mut Guest, file: u64, format: GuestWord, list: u64) -> Result<i32, Fault> {
    let text = narrow(guest, format.0, list)?;
    print_bytes(guest, file, &text, text.len())
}

fn print_wide(guest: &mut Guest, file: u64, format: GuestWord, list: u64) -> Result<i32, Fault> {
    let text = wide(guest, format.0, list)?;
    let bytes = crt(guest).locale.narrow(&text);
    print_bytes(guest, file, &bytes, text.len())
}

pub(crate) fn print_bytes(guest: &mut Guest, file: u64, bytes: &[u8], count: usize) -> Result<i32, Fault> {
    let written = stream::with(guest, file, |guest, stream| stream::put(guest, file, stream, bytes))?;
    Ok(if written == bytes.len() { count as i32 } else { EOF })
}

fn stdout(guest: &Guest) -> u64 {
    stream::iob(guest) + stream::size(guest.machine())
}

/// Writes text to a buffer of `count` units, with a terminator where it fits; -1 when the text did not.
fn store<T: Copy + Default>(
    text: &[T],
    count: u64,
    write: impl FnOnce(&[T]) -> Result<(), Fault>,
) -> Result<i32, Fault> {
    let mut text = text.to_vec();
    let length = text.len() as u64;
    text.push(T::default());
    text.truncate(usize::try_from(count).unwrap_or(usize::MAX));
    write(&text)?;
    Ok(if length <= count { length as i32 } else { -1 })
}

/// Writes text as the `_s` functions do: cut with `_TRUNCATE`, else empty and -1 when it does not fit.
pub(crate) fn store_safe<T: Copy + Default>(
    guest: &mut Guest,
    mut text: Vec<T>,
    size: u64,
    count: u32,
    write: impl FnOnce(&Guest, &[T]) -> Result<(), Fault>,
) -> Result<i32, Fault> {
    let length = text.len() as u64;
    let mut wanted = length;
    if count != TRUNCATE && length > u64::from(count) {
        wanted = u64::from(count);
    }
    let fits = wanted < size;
    let keep = if fits {
        wanted
    } else if count == TRUNCATE {
        size.saturating_sub(1)
    } else {
        0
    };
    text.truncate(keep as usize);
    text.push(T::default());
    if size > 0 {
        write(guest, &text)?;
    }
    if !fits && count != TRUNCATE {
        set_errno(guest, ERANGE)?;
    }
    Ok(if keep == length { length as i32 } else { -1 })
}

/// Defines a function of the family: what follows its name is the page in Microsoft's reference, the parameters and
/// the body.
macro_rules! family {
    ($($doc:literal, $page:literal; $name:ident($guest:ident $(, $param:ident: $type:ty)*) $body:block)*) => {$(
        #[doc = $doc]
        ///
        #[doc = concat!("Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/", $page, ">")]
        #[winapi(cdecl)]
        pub fn $name($guest: &mut Guest $(, $param: $type)*) -> Result<i32, Fault> $body
    )*};
}

family! {
    "Prints formatted text to the standard output.", "printf-printf-l-wprintf-wprintf-l";
    printf(guest, format: GuestWord, argument: VarArgs) {
        let file = stdout(guest);
        print(guest, file, format, argument.0)
    }
    "Prints formatted text to a stream.", "fprintf-fprintf-l-fwprintf-fwprintf-l";
    fprintf(guest, stream: GuestWord, format: GuestWord, argument: VarArgs) {
        print(guest, stream.0, format, argument.0)
    }
    "Prints formatted text to the standard output.", "vprintf-vprintf-l-vwprintf-vwprintf-l";
    vprintf(guest, format: GuestWord, argptr: GuestWord) {
        let file = stdout(guest);
        print(guest, file, format, argptr.0)
    }
    "Prints formatted text to a stream.", "vfprintf-vfprintf-l-vfwprintf-vfwprintf-l";
    vfprintf(guest, stream: GuestWord, format: GuestWord, argptr: GuestWord) {
        print(guest, stream.0, format, argptr.0)
    }
    "Prints formatted wide text to the standard output.", "printf-printf-l-wprintf-wprintf-l";
    wprintf(guest, format: GuestWord, argument: VarArgs) {
        let file = stdout(guest);
        print_wide(guest, file, format, argument.0)
    }
    "Prints formatted wide text to a stream.", "fprintf-fprintf-l-fwprintf-fwprintf-l";
    fwprintf(guest, stream: GuestWord, format: GuestWord, argument: VarArgs) {
        print_wide(guest, stream.0, format, argument.0)
    }
    "Prints formatted wide text to the standard output.", "vprintf-vprintf-l-vwprintf-vwprintf-l";
    vwprintf(guest, format: GuestWord, argptr: GuestWord) {
        let file = stdout(guest);
        print_wide(guest, file, format, argptr.0)
    }
    "Prints formatted wide text to a stream.", "vfprintf-vfprintf-l-vfwprintf-vfwprintf-l";
    vfwprintf(guest, stream: GuestWord, format: GuestWord, argptr: GuestWord) {
        print_wide(guest, stream.0, format, argptr.0)
    }
    "Formats text into a buffer of unknown size.", "sprintf-sprintf-l-swprintf-swprintf-l-swprintf-l";
    sprintf(guest, buffer: GuestWord, format: GuestWord, argument: VarArgs) {
        vsprintf(guest, buffer, format, GuestWord(argument.0))
    }
    "Formats text into a buffer of unknown size.", "vsprintf-vsprintf-l-vswprintf-vswprintf-l-vswprintf-l";
    vsprintf(guest, buffer: GuestWord, format: GuestWord, argptr: GuestWord) {
        let text = narrow(guest, format.0, argptr.0)?;
        store(&text, u64::MAX, |text| guest.write_bytes(buffer.0, text))
    }
    "Formats wide text into a buffer of unknown size: msvcrt's takes no count.", "sprintf-sprintf-l-swprintf-swprintf-l-swprintf-l";
    swprintf(guest, buffer: GuestWord, format: GuestWord, argument: VarArgs) {
        vswprintf(guest, buffer, format, GuestWord(argument.0))
    }
    "Formats wide text into a buffer of unknown size: msvcrt's takes no count.", "vsprintf-vsprintf-l-vswprintf-vswprintf-l-vswprintf-l";
    vswprintf(guest, buffer: GuestWord, format: GuestWord, argptr: GuestWord) {
        let text = wide(guest, format.0, argptr.0)?;
        store(&text, u64::MAX, |text| guest.write_wide(buffer.0, text))
    }
    "Formats at most `count` bytes; -1 when there are more, no terminator when there are as many.", "snprintf-snprintf-snprintf-l-snwprintf-snwprintf-l";
    _snprintf(guest, buffer: GuestWord, count: GuestWord, format: GuestWord, argument: VarArgs) {
        _vsnprintf(guest, buffer, count, format, GuestWord(argument.0))
    }
    "Formats at most `count` bytes; -1 when there are more, no terminator when there are as many.", "vsnprintf-vsnprintf-vsnprintf-l-vsnwprintf-vsnwprintf-l";
    _vsnprintf(guest, buffer: GuestWord, count: GuestWord, format: GuestWord, argptr: GuestWord) {
        let text = narrow(guest, format.0, argptr.0)?;
        store(&text, count.0, |text| guest.write_bytes(buffer.0, text))
    }
    "Formats at most `count` units; -1 when there are more, no terminator when there are as many.", "snprintf-snprintf-snprintf-l-snwprintf-snwprintf-l";
    _snwprintf(guest, buffer: GuestWord, count: GuestWord, format: GuestWord, argument: VarArgs) {
        _vsnwprintf(guest, buffer, count, format, GuestWord(argument.0))
    }
    "Formats at most `count` units; -1 when there are more, no terminator when there are as many.", "vsnprintf-vsnprintf-vsnprintf-l-vsnwprintf-vsnwprintf-l";
    _vsnwprintf(guest, buffer: GuestWord, count: GuestWord, format: GuestWord, argptr: GuestWord) {
        let text = wide(guest, format.0, argptr.0)?;
        store(&text, count.0, |text| guest.write_wide(buffer.0, text))
    }
    "Returns the length of the formatted text.", "scprintf-scprintf-l-scwprintf-scwprintf-l";
    _scprintf(guest, format: GuestWord, argument: VarArgs) {
        Ok(narrow(guest, format.0, argument.0)?.len() as i32)
    }
    "Returns the length of the formatted text.", "vscprintf-vscprintf-l-vscwprintf-vscwprintf-l";
    _vscprintf(guest, format: GuestWord, argptr: GuestWord) {
        Ok(narrow(guest, format.0, argptr.0)?.len() as i32)
    }
    "Returns the length of the formatted wide text.", "scprintf-scprintf-l-scwprintf-scwprintf-l";
    _scwprintf(guest, format: GuestWord, argument: VarArgs) {
        Ok(wide(guest, format.0, argument.0)?.len() as i32)
    }
    "Returns the length of the formatted wide text.", "vscprintf-vscprintf-l-vscwprintf-vscwprintf-l";
    _vscwprintf(guest, format: GuestWord, argptr: GuestWord) {
        Ok(wide(guest, format.0, argptr.0)?.len() as i32)
    }
    "Formats text into a buffer of known size; empty and -1 when it does not fit.", "sprintf-s-sprintf-s-l-swprintf-s-swprintf-s-l";
    sprintf_s(guest, buffer: GuestWord, sizeOfBuffer: GuestWord, format: GuestWord, argument: VarArgs) {
        vsprintf_s(guest, buffer, sizeOfBuffer, format, GuestWord(argument.0))
    }
    "Formats text into a buffer of known size; empty and -1 when it does not fit.", "vsprintf-s-vsprintf-s-l-vswprintf-s-vswprintf-s-l";
    vsprintf_s(guest, buffer: GuestWord, numberOfElements: GuestWord, format: GuestWord, argptr: GuestWord) {
        let text = narrow(guest, format.0, argptr.0)?;
        store_safe(guest, text, numberOfElements.0, TRUNCATE - 1, |guest, text| guest.write_bytes(buffer.0, text))
    }
    "Formats wide text into a buffer of known size; empty and -1 when it does not fit.", "sprintf-s-sprintf-s-l-swprintf-s-swprintf-s-l";
    swprintf_s(guest, buffer: GuestWord, sizeOfBuffer: GuestWord, format: GuestWord, argument: VarArgs) {
        vswprintf_s(guest, buffer, sizeOfBuffer, format, GuestWord(argument.0))
    }
    "Formats wide text into a buffer of known size; empty and -1 when it does not fit.", "vsprintf-s-vsprintf-s-l-vswprintf-s-vswprintf-s-l";
    vswprintf_s(guest, buffer: GuestWord, numberOfElements: GuestWord, format: GuestWord, argptr: GuestWord) {
        let text = wide(guest, format.0, argptr.0)?;
        store_safe(guest, text, numberOfElements.0, TRUNCATE - 1, |guest, text| guest.write_wide(buffer.0, text))
    }
    "Formats at most `count` bytes and a terminator into a buffer of known size.", "snprintf-s-snprintf-s-l-snwprintf-s-snwprintf-s-l";
    _snprintf_s(guest, buffer: GuestWord, sizeOfBuffer: GuestWord, count: GuestWord, format: GuestWord, argument: VarArgs) {
        _vsnprintf_s(guest, buffer, sizeOfBuffer, count, format, GuestWord(argument.0))
    }
    "Formats at most `count` bytes and a terminator into a buffer of known size.", "vsnprintf-s-vsnprintf-s-vsnprintf-s-l-vsnwprintf-s-vsnwprintf-s-l";
    _vsnprintf_s(guest, buffer: GuestWord, sizeOfBuffer: GuestWord, count: GuestWord, format: GuestWord, argptr: GuestWord) {
        let text = narrow(guest, format.0, argptr.0)?;
        store_safe(guest, text, sizeOfBuffer.0, count.0 as u32, |guest, text| guest.write_bytes(buffer.0, text))
    }
    "Formats at most `count` units and a terminator into a buffer of known size.", "snprintf-s-snprintf-s-l-snwprintf-s-snwprintf-s-l";
    _snwprintf_s(guest, buffer: GuestWord, sizeOfBuffer: GuestWord, count: GuestWord, format: GuestWord, argument: VarArgs) {
        _vsnwprintf_s(guest, buffer, sizeOfBuffer, count, format, GuestWord(argument.0))
    }
    "Formats at most `count` units and a terminator into a buffer of known size.", "vsnprintf-s-vsnprintf-s-vsnprintf-s-l-vsnwprintf-s-vsnwprintf-s-l";
    _vsnwprintf_s(guest, buffer: GuestWord, sizeOfBuffer: GuestWord, count: GuestWord, format: GuestWord, argptr: GuestWord) {
        let text = wide(guest, format.0, argptr.0)?;
        store_safe(guest, text, sizeOfBuffer.0, count.0 as u32, |guest, text| guest.write_wide(buffer.0, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_buffer_has_no_terminator_and_a_longer_text_is_cut() {
        let stored = |count| {
            let mut out = Vec::new();
            let result = store(b"abc", count, |text| {
                out = text.to_vec();
                Ok(())
            });
            (result.unwrap(), out)
        };
        assert_eq!(stored(4), (3, b"abc\0".to_vec()));
        assert_eq!(stored(3), (3, b"abc".to_vec()));
        assert_eq!(stored(2), (-1, b"ab".to_vec()));
        assert_eq!(stored(0), (-1, Vec::new()));
    }
}
