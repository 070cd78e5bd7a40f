//! The printf family: formatted output to streams and buffers, narrow and wide.
//!
//! The rules live in [`crate::logic::printf`]; here are the arguments and the ends that the text goes to.

use plat_abi::{Cursor, Fault, GuestWord, Memory, VarArgs, winapi};

use super::errno::{EINVAL, ERANGE};
use super::locale::with_locale;
use super::state::{crt, set_errno};
use super::stream::{self, EOF};
use super::twins::GuestUnit;
use crate::dll;
use crate::export::Export;
use crate::guest::{Guest, GuestMemory};
use crate::logic::printf::{Arguments, Options, Runtime, format_double, format_positional, format_text};

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
        read_at_most(self.guest, address, max)
    }
    fn wide_string(&mut self, address: u64, max: Option<usize>) -> Result<Vec<u16>, Fault> {
        read_at_most(self.guest, address, max)
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
fn read_at_most<T: GuestUnit>(guest: &Guest, address: u64, max: Option<usize>) -> Result<Vec<T>, Fault> {
    match max {
        Some(max) => T::read_n(guest, address, max as u64),
        None => T::read(guest, address),
    }
}

pub(crate) fn options(guest: &Guest) -> Options {
    let decimal_point = crt(guest).locale.decimal_point();
    Options { decimal_point, ..Options::of(Runtime::Msvcrt, guest.machine().pointer_size() as u8) }
}

/// Formats text.
pub(crate) fn formatted<T: GuestUnit>(
    guest: &Guest,
    format: u64,
    list: u64,
    options: Options,
) -> Result<Vec<T>, Fault> {
    let format = T::read(guest, format)?;
    format_text(&format, &mut GuestArguments { guest, cursor: guest.va_list(list) }, options)
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
    let format = T::read(guest, format)?;
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

/// Writes a number as `%g` does, with so many significant digits.
pub(crate) fn general(guest: &Guest, value: f64, digits: i32) -> Vec<u8> {
    general_of(guest, value, digits, Runtime::Msvcrt)
}

/// As [`general`], by a runtime's rules.
pub(crate) fn general_of(guest: &Guest, value: f64, digits: i32, runtime: Runtime) -> Vec<u8> {
    let format = format!("%.{}g", digits.clamp(0, 300));
    let options = Options::of(runtime, guest.machine().pointer_size() as u8);
    format_double(format.as_bytes(), value, options)
}

fn print_bytes(guest: &mut Guest, file: u64, bytes: &[u8], count: usize) -> Result<i32, Fault> {
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
fn store_safe<T: Copy + Default>(
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

/// Defines functions of the family and their table. A row has, for narrow and wide text, a function with its arguments in the call
/// and one with a `va_list`: what they do before and behind the word "text", the pages of the two (or the page), units and names, whether a locale
/// follows the format, the parameters before the format, where the text goes, whether arguments may be numbered.
macro_rules! variants {
    ($(also { $($more:tt)* })? $($before:literal $after:literal, $pages:tt;
        $($unit:ident $name:ident $list:ident),+; $locale:tt $params:tt $end:expr, $numbered:literal;)*) => {
        /// The exports of this file.
        pub const EXPORTS: &[Export] = dll! { $($(full $name; full $list;)+)* $($($more)*)? };
        $($(variants!(@pair [$before $after] $pages, $unit $name $list $locale $params $end, $numbered);)+)*
    };
    (@pair [$before:literal $after:literal] $pages:tt, $unit:ident $name:ident $list:ident
        [$($locale:ident)?] ($($param:ident: $type:ty),*) $end:expr, $numbered:literal) => {
        #[doc = concat!($before, variants!(@text $unit), $after)]
        ///
        #[doc = concat!("Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/", variants!(@page $pages), ">")]
        #[winapi(cdecl)]
        pub fn $name(guest: &mut Guest $(, $param: $type)*, format: GuestWord $(, $locale: GuestWord)?, argument: VarArgs) -> Result<i32, Fault> {
            $list(guest $(, $param)*, format $(, $locale)?, GuestWord(argument.0))
        }

        #[doc = concat!($before, variants!(@text $unit), $after)]
        ///
        #[doc = concat!("Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/", variants!(@list_page $pages), ">")]
        #[winapi(cdecl)]
        pub fn $list(guest: &mut Guest $(, $param: $type)*, format: GuestWord $(, $locale: GuestWord)?, argptr: GuestWord) -> Result<i32, Fault> {
            let object = 0 $(+ $locale.0)?;
            with_locale(guest, object, |guest| {
                let options = options(guest);
                deliver::<$unit>(guest, $end, [format.0, argptr.0], $numbered, options)
            })
        }
    };
    (@text u8) => { " text" };
    (@text u16) => { " wide text" };
    (@page ($page:literal $list_page:literal)) => { $page };
    (@page $page:literal) => { $page };
    (@list_page ($page:literal $list_page:literal)) => { $list_page };
    (@list_page $page:literal) => { $page };
}
pub(crate) use variants;

variants! {
    also {
        full "printf_s" = printf; full "fprintf_s" = fprintf; full "vprintf_s" = vprintf; full "vfprintf_s" = vfprintf;
        full "wprintf_s" = wprintf; full "fwprintf_s" = fwprintf; full "vfwprintf_s" = vfwprintf;
    }
    "Prints formatted" " to the standard output.", ("printf-printf-l-wprintf-wprintf-l" "vprintf-vprintf-l-vwprintf-vwprintf-l");
        u8 printf vprintf, u16 wprintf vwprintf; []() End::Stream(0), false;
    "Prints formatted" " to a stream.", ("fprintf-fprintf-l-fwprintf-fwprintf-l" "vfprintf-vfprintf-l-vfwprintf-vfwprintf-l");
        u8 fprintf vfprintf, u16 fwprintf vfwprintf; [](stream: GuestWord) End::Stream(stream.0), false;
    "Formats" " into a buffer of unknown size: msvcrt's takes no count.", ("sprintf-sprintf-l-swprintf-swprintf-l-swprintf-l" "vsprintf-vsprintf-l-vswprintf-vswprintf-l-vswprintf-l");
        u8 sprintf vsprintf, u16 swprintf vswprintf; [](buffer: GuestWord) End::Buffer(buffer.0, u64::MAX), false;
    "Formats at most `count` units of" "; -1 when there are more, no terminator when there are as many.", ("snprintf-snprintf-snprintf-l-snwprintf-snwprintf-l" "vsnprintf-vsnprintf-vsnprintf-l-vsnwprintf-vsnwprintf-l");
        u8 _snprintf _vsnprintf, u16 _snwprintf _vsnwprintf; [](buffer: GuestWord, count: GuestWord) End::Buffer(buffer.0, count.0), false;
    "Returns the length of the formatted" ".", ("scprintf-scprintf-l-scwprintf-scwprintf-l" "vscprintf-vscprintf-l-vscwprintf-vscwprintf-l");
        u8 _scprintf _vscprintf, u16 _scwprintf _vscwprintf; []() End::Measure, false;
    "Formats" " into a buffer of known size; empty and -1 when it does not fit.", ("sprintf-s-sprintf-s-l-swprintf-s-swprintf-s-l" "vsprintf-s-vsprintf-s-l-vswprintf-s-vswprintf-s-l");
        u8 sprintf_s vsprintf_s, u16 swprintf_s vswprintf_s; [](buffer: GuestWord, sizeOfBuffer: GuestWord) End::Safe(buffer.0, sizeOfBuffer.0, TRUNCATE - 1), false;
    "Formats at most `count` units of" " and a terminator into a buffer of known size.", ("snprintf-s-snprintf-s-l-snwprintf-s-snwprintf-s-l" "vsnprintf-s-vsnprintf-s-vsnprintf-s-l-vsnwprintf-s-vsnwprintf-s-l");
        u8 _snprintf_s _vsnprintf_s, u16 _snwprintf_s _vsnwprintf_s; [](buffer: GuestWord, sizeOfBuffer: GuestWord, count: GuestWord) End::Safe(buffer.0, sizeOfBuffer.0, count.0 as u32), false;
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
