//! The scanf family: formatted input from streams and strings, narrow and wide. The rules live in
//! [`crate::logic::scanf`].

use plat_abi::{Cursor, Fault, GuestWord, Memory, VarArgs, winapi};

use super::state::crt;
use super::stream::{self, FILE};
use super::twins::GuestUnit;
use crate::dll;
use crate::export::Export;
use crate::guest::{Guest, GuestMemory};
use crate::logic::scanf::{Input, ScanOptions, Targets, scan};

/// Where the values go.
struct GuestTargets<'a> {
    guest: &'a Guest,
    cursor: Cursor<'static, GuestMemory>,
    wide: bool,
}

impl Targets for GuestTargets<'_> {
    type Error = Fault;
    fn pointer(&mut self) -> Result<u64, Fault> {
        self.cursor.slot_word()
    }
    fn size(&mut self) -> Result<u32, Fault> {
        self.cursor.slot_u32()
    }
    fn store(&mut self, address: u64, bytes: &[u8]) -> Result<(), Fault> {
        self.guest.write_bytes(address, bytes)
    }
    fn to_narrow(&self, units: &[u16]) -> Vec<u8> {
        if self.wide {
            crt(self.guest).locale.narrow(units)
        } else {
            units.iter().map(|&unit| unit as u8).collect()
        }
    }
    fn to_wide(&self, units: &[u16]) -> Vec<u16> {
        if self.wide {
            return units.to_vec();
        }
        let bytes: Vec<u8> = units.iter().map(|&unit| unit as u8).collect();
        crt(self.guest).locale.widen(&bytes)
    }
}

/// Input from text that was read already.
struct TextInput {
    text: Vec<u16>,
    at: usize,
}

impl Input for TextInput {
    fn peek(&mut self) -> Option<u16> {
        self.text.get(self.at).copied()
    }
    fn advance(&mut self) {
        self.at += 1;
    }
}

/// Input from a stream: one byte is looked at, which stays in the buffer until it is consumed.
struct StreamInput<'a> {
    guest: &'a mut Guest,
    address: u64,
    stream: FILE,
    fault: Option<Fault>,
}

impl Input for StreamInput<'_> {
    fn peek(&mut self) -> Option<u16> {
        if self.stream._cnt <= 0 {
            match stream::fill(self.guest, self.address, &mut self.stream) {
                Ok(true) => {}
                Ok(false) => return None,
                Err(fault) => {
                    self.fault = Some(fault);
                    return None;
                }
            }
        }
        self.guest.read::<u8>(self.stream._ptr.0).ok().map(u16::from)
    }
    fn advance(&mut self) {
        self.stream._ptr.0 += 1;
        self.stream._cnt -= 1;
    }
}

fn options(guest: &Guest, wide: bool, secure: bool) -> ScanOptions {
    let decimal_point = crt(guest).locale.decimal_point();
    ScanOptions { wide, secure, pointer_size: guest.machine().pointer_size() as u8, decimal_point }
}

fn read_format(guest: &Guest, format: u64, wide: bool) -> Result<Vec<u16>, Fault> {
    if wide {
        return guest.read_wide_string(format);
    }
    Ok(guest.read_c_string(format)?.into_iter().map(u16::from).collect())
}

/// Where the text comes from.
#[derive(Clone, Copy)]
pub(crate) enum Source {
    /// The standard input.
    Standard,
    /// A stream. Its bytes count as characters in both families: text in the code pages here is single bytes.
    Stream(u64),
    /// A string.
    Text(u64),
    /// At most so many units of a string.
    Units(u64, u64),
}

/// Scans text: by a wide format or not, text buffers with sizes or without.
pub(crate) fn scan_source(
    guest: &mut Guest,
    source: Source,
    format: u64,
    list: u64,
    [wide, secure]: [bool; 2],
) -> Result<i32, Fault> {
    let text = match source {
        Source::Standard => return scan_stream(guest, stream::iob(guest), format, list, [wide, secure]),
        Source::Stream(file) => return scan_stream(guest, file, format, list, [wide, secure]),
        Source::Text(text) => read_format(guest, text, wide)?,
        Source::Units(text, count) if wide => u16::read_n(guest, text, count)?,
        Source::Units(text, count) => u8::read_n(guest, text, count)?.into_iter().map(u16::from).collect(),
    };
    let mut input = TextInput { text, at: 0 };
    let format = read_format(guest, format, wide)?;
    let mut targets = GuestTargets { guest, cursor: guest.va_list(list), wide };
    scan(&format, &mut input, &mut targets, options(guest, wide, secure))
}

fn scan_stream(
    guest: &mut Guest,
    file: u64,
    format: u64,
    list: u64,
    [wide, secure]: [bool; 2],
) -> Result<i32, Fault> {
    let format = read_format(guest, format, wide)?;
    let other = Guest::of_thread(guest.process(), guest.gate());
    super::locks::with_stream(guest, file, |guest| {
        let options = options(guest, wide, secure);
        let stream: FILE = guest.read(file)?;
        let mut targets = GuestTargets { guest: &other, cursor: other.va_list(list), wide };
        let mut input = StreamInput { guest, address: file, stream, fault: None };
        let result = scan(&format, &mut input, &mut targets, options);
        let (stream, fault) = (input.stream, input.fault);
        guest.write(file, &stream)?;
        match fault {
            Some(fault) => Err(fault),
            None => result,
        }
    })
}

/// Defines functions and their table. A row has four: with narrow and with wide formats, both without and with sizes of buffers.
/// It says what they do, the parameters before the format, where the text comes from, the arguments, and pages and names.
macro_rules! family {
    ($($doc:literal, ($($param:ident: $type:ty),*) $source:expr, $list:ident: $list_type:ty;
        $page:literal $narrow:ident $wide:ident, $secure_page:literal $narrow_secure:ident $wide_secure:ident;)*) => {
        /// The exports of this file.
        pub const EXPORTS: &[Export] = dll! {$(full $narrow; full $wide; full $narrow_secure; full $wide_secure;)*};
        $(
            family!(@one concat!($doc, "."), $page, $narrow($($param: $type),*) $source, $list: $list_type, [false, false]);
            family!(@one concat!($doc, " by a wide format."), $page, $wide($($param: $type),*) $source, $list: $list_type, [true, false]);
            family!(@one concat!($doc, "; text buffers have sizes."), $secure_page,
                $narrow_secure($($param: $type),*) $source, $list: $list_type, [false, true]);
            family!(@one concat!($doc, " by a wide format; text buffers have sizes."), $secure_page,
                $wide_secure($($param: $type),*) $source, $list: $list_type, [true, true]);
        )*
    };
    (@one $doc:expr, $page:literal, $name:ident($($param:ident: $type:ty),*) $source:expr, $list:ident: $list_type:ty, $how:expr) => {
        #[doc = $doc]
        ///
        #[doc = concat!("Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/", $page, ">")]
        #[winapi(cdecl)]
        pub fn $name(guest: &mut Guest $(, $param: $type)*, format: GuestWord, $list: $list_type) -> Result<i32, Fault> {
            scan_source(guest, $source, format.0, $list.0, $how)
        }
    };
}
family! {
    "Reads values from the standard input", () Source::Standard, argument: VarArgs;
        "scanf-scanf-l-wscanf-wscanf-l" scanf wscanf, "scanf-s-scanf-s-l-wscanf-s-wscanf-s-l" scanf_s wscanf_s;
    "Reads values from the standard input", () Source::Standard, arglist: GuestWord;
        "vscanf-vwscanf" vscanf vwscanf, "vscanf-s-vwscanf-s" vscanf_s vwscanf_s;
    "Reads values from a stream", (stream: GuestWord) Source::Stream(stream.0), argument: VarArgs;
        "fscanf-fscanf-l-fwscanf-fwscanf-l" fscanf fwscanf, "fscanf-s-fscanf-s-l-fwscanf-s-fwscanf-s-l" fscanf_s fwscanf_s;
    "Reads values from a stream", (stream: GuestWord) Source::Stream(stream.0), arglist: GuestWord;
        "vfscanf-vfwscanf" vfscanf vfwscanf, "vfscanf-s-vfwscanf-s" vfscanf_s vfwscanf_s;
    "Reads values from a string", (buffer: GuestWord) Source::Text(buffer.0), argument: VarArgs;
        "sscanf-sscanf-l-swscanf-swscanf-l" sscanf swscanf, "sscanf-s-sscanf-s-l-swscanf-s-swscanf-s-l" sscanf_s swscanf_s;
    "Reads values from a string", (buffer: GuestWord) Source::Text(buffer.0), arglist: GuestWord;
        "vsscanf-vswscanf" vsscanf vswscanf, "vsscanf-s-vswscanf-s" vsscanf_s vswscanf_s;
    "Reads values from at most so many units of a string", (input: GuestWord, length: GuestWord) Source::Units(input.0, length.0), argument: VarArgs;
        "snscanf-snscanf-l-snwscanf-snwscanf-l" _snscanf _snwscanf, "snscanf-s-snscanf-s-l-snwscanf-s-snwscanf-s-l" _snscanf_s _snwscanf_s;
}
