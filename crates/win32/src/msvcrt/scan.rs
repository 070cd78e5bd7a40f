//! The scanf family: formatted input from streams and strings, narrow and wide. The rules live in
//! [`crate::logic::scanf`].

use plat_abi::{Cursor, Fault, GuestWord, Memory, VarArgs, winapi};

use super::state::crt;
use super::stream::{self, FILE};
use crate::dll;
use crate::export::Export;
use crate::guest::{Guest, GuestMemory};
use crate::logic::scanf::{Input, ScanOptions, Targets, scan};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full scanf; full fscanf; full sscanf; full vsscanf; full sscanf_s; full scanf_s; full fscanf_s;
    full swscanf; full swscanf_s; full wscanf; full fwscanf; full wscanf_s; full fwscanf_s;
    full _snscanf; full _snscanf_s; full _snwscanf; full _snwscanf_s; full vscanf; full vfscanf; full vwscanf; full vfwscanf; full vswscanf;
    full vscanf_s; full vfscanf_s; full vwscanf_s; full vfwscanf_s; full vsscanf_s; full vswscanf_s;
};

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

/// Scans a string.
pub(crate) fn scan_text(
    guest: &Guest,
    text: u64,
    format: u64,
    list: u64,
    wide: bool,
    secure: bool,
) -> Result<i32, Fault> {
    let mut input = TextInput { text: read_format(guest, text, wide)?, at: 0 };
    let format = read_format(guest, format, wide)?;
    let mut targets = GuestTargets { guest, cursor: guest.va_list(list), wide };
    scan(&format, &mut input, &mut targets, options(guest, wide, secure))
}

/// Scans a string of at most `count` units, wide and with buffer sizes as said.
pub(crate) fn scan_text_n(
    guest: &Guest,
    text: u64,
    count: u64,
    format: u64,
    list: u64,
    [wide, secure]: [bool; 2],
) -> Result<i32, Fault> {
    let text = if wide {
        super::wide::read_wide_n(guest, text, count)?
    } else {
        super::string::read_n(guest, text, count)?.into_iter().map(u16::from).collect()
    };
    let mut input = TextInput { text, at: 0 };
    let format = read_format(guest, format, wide)?;
    let mut targets = GuestTargets { guest, cursor: guest.va_list(list), wide };
    scan(&format, &mut input, &mut targets, options(guest, wide, secure))
}

/// Scans a stream. Its bytes count as characters in both families: text in the code pages here is single bytes.
pub(crate) fn scan_stream(
    guest: &mut Guest,
    file: u64,
    format: u64,
    list: u64,
    wide: bool,
    secure: bool,
) -> Result<i32, Fault> {
    let format = read_format(guest, format, wide)?;
    let other = Guest::of_thread(guest.process(), guest.gate());
    super::locks::with(guest, file, |guest| {
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

/// Defines functions of the family: text, page, name, parameters, body.
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
    "Reads values from the standard input.", "scanf-scanf-l-wscanf-wscanf-l";
    scanf(guest, format: GuestWord, argument: VarArgs) {
        let file = stream::iob(guest);
        scan_stream(guest, file, format.0, argument.0, false, false)
    }
    "Reads values from the standard input; text buffers have sizes.", "scanf-s-scanf-s-l-wscanf-s-wscanf-s-l";
    scanf_s(guest, format: GuestWord, argument: VarArgs) {
        let file = stream::iob(guest);
        scan_stream(guest, file, format.0, argument.0, false, true)
    }
    "Reads values from the standard input by a wide format.", "scanf-scanf-l-wscanf-wscanf-l";
    wscanf(guest, format: GuestWord, argument: VarArgs) {
        let file = stream::iob(guest);
        scan_stream(guest, file, format.0, argument.0, true, false)
    }
    "Reads values from a stream.", "fscanf-fscanf-l-fwscanf-fwscanf-l";
    fscanf(guest, stream: GuestWord, format: GuestWord, argument: VarArgs) {
        scan_stream(guest, stream.0, format.0, argument.0, false, false)
    }
    "Reads values from a stream; text buffers have sizes.", "fscanf-s-fscanf-s-l-fwscanf-s-fwscanf-s-l";
    fscanf_s(guest, stream: GuestWord, format: GuestWord, argument: VarArgs) {
        scan_stream(guest, stream.0, format.0, argument.0, false, true)
    }
    "Reads values from a stream by a wide format.", "fscanf-fscanf-l-fwscanf-fwscanf-l";
    fwscanf(guest, stream: GuestWord, format: GuestWord, argument: VarArgs) {
        scan_stream(guest, stream.0, format.0, argument.0, true, false)
    }
    "Reads values from a string.", "sscanf-sscanf-l-swscanf-swscanf-l";
    sscanf(guest, buffer: GuestWord, format: GuestWord, argument: VarArgs) {
        scan_text(guest, buffer.0, format.0, argument.0, false, false)
    }
    "Reads values from a string.", "vsscanf-vswscanf";
    vsscanf(guest, buffer: GuestWord, format: GuestWord, arglist: GuestWord) {
        scan_text(guest, buffer.0, format.0, arglist.0, false, false)
    }
    "Reads values from a string; text buffers have sizes.", "sscanf-s-sscanf-s-l-swscanf-s-swscanf-s-l";
    sscanf_s(guest, buffer: GuestWord, format: GuestWord, argument: VarArgs) {
        scan_text(guest, buffer.0, format.0, argument.0, false, true)
    }
    "Reads values from a wide string.", "sscanf-sscanf-l-swscanf-swscanf-l";
    swscanf(guest, buffer: GuestWord, format: GuestWord, argument: VarArgs) {
        scan_text(guest, buffer.0, format.0, argument.0, true, false)
    }
    "Reads values from a wide string; text buffers have sizes.", "sscanf-s-sscanf-s-l-swscanf-s-swscanf-s-l";
    swscanf_s(guest, buffer: GuestWord, format: GuestWord, argument: VarArgs) {
        scan_text(guest, buffer.0, format.0, argument.0, true, true)
    }
    "Reads values from at most so many units of a text.", "snscanf-snscanf-l-snwscanf-snwscanf-l";
    _snscanf(guest, input: GuestWord, length: GuestWord, format: GuestWord, argument: VarArgs) {
        scan_text_n(guest, input.0, length.0, format.0, argument.0, [false, false])
    }
    "Reads values from the standard input.", "vscanf-vwscanf";
    vscanf(guest, format: GuestWord, arglist: GuestWord) {
        let file = stream::iob(guest);
        scan_stream(guest, file, format.0, arglist.0, false, false)
    }
    "Reads values from a stream.", "vfscanf-vfwscanf";
    vfscanf(guest, stream: GuestWord, format: GuestWord, arglist: GuestWord) {
        scan_stream(guest, stream.0, format.0, arglist.0, false, false)
    }
    "Reads values from at most so many units of a text.", "snscanf-snscanf-l-snwscanf-snwscanf-l";
    _snscanf_s(guest, input: GuestWord, length: GuestWord, format: GuestWord, argument: VarArgs) {
        scan_text_n(guest, input.0, length.0, format.0, argument.0, [false, true])
    }
    "Reads values from the standard input.", "vscanf-vwscanf";
    vscanf_s(guest, format: GuestWord, arglist: GuestWord) {
        let file = stream::iob(guest);
        scan_stream(guest, file, format.0, arglist.0, false, true)
    }
    "Reads values from a stream.", "vfscanf-vfwscanf";
    vfscanf_s(guest, stream: GuestWord, format: GuestWord, arglist: GuestWord) {
        scan_stream(guest, stream.0, format.0, arglist.0, false, true)
    }
    "Reads values from a string.", "vsscanf-vswscanf";
    vsscanf_s(guest, buffer: GuestWord, format: GuestWord, arglist: GuestWord) {
        scan_text(guest, buffer.0, format.0, arglist.0, false, true)
    }
    "Reads values from at most so many units of a text.", "snscanf-snscanf-l-snwscanf-snwscanf-l";
    _snwscanf(guest, input: GuestWord, length: GuestWord, format: GuestWord, argument: VarArgs) {
        scan_text_n(guest, input.0, length.0, format.0, argument.0, [true, false])
    }
    "Reads values from the standard input.", "vscanf-vwscanf";
    vwscanf(guest, format: GuestWord, arglist: GuestWord) {
        let file = stream::iob(guest);
        scan_stream(guest, file, format.0, arglist.0, true, false)
    }
    "Reads values from a stream.", "vfscanf-vfwscanf";
    vfwscanf(guest, stream: GuestWord, format: GuestWord, arglist: GuestWord) {
        scan_stream(guest, stream.0, format.0, arglist.0, true, false)
    }
    "Reads values from a string.", "vsscanf-vswscanf";
    vswscanf(guest, buffer: GuestWord, format: GuestWord, arglist: GuestWord) {
        scan_text(guest, buffer.0, format.0, arglist.0, true, false)
    }
    "Reads values from the standard input by a wide format; text buffers have sizes.", "scanf-s-scanf-s-l-wscanf-s-wscanf-s-l";
    wscanf_s(guest, format: GuestWord, argument: VarArgs) {
        let file = stream::iob(guest);
        scan_stream(guest, file, format.0, argument.0, true, true)
    }
    "Reads values from a stream by a wide format; text buffers have sizes.", "fscanf-s-fscanf-s-l-fwscanf-s-fwscanf-s-l";
    fwscanf_s(guest, stream: GuestWord, format: GuestWord, argument: VarArgs) {
        scan_stream(guest, stream.0, format.0, argument.0, true, true)
    }
    "Reads values from at most so many units of a text.", "snscanf-snscanf-l-snwscanf-snwscanf-l";
    _snwscanf_s(guest, input: GuestWord, length: GuestWord, format: GuestWord, argument: VarArgs) {
        scan_text_n(guest, input.0, length.0, format.0, argument.0, [true, true])
    }
    "Reads values from the standard input.", "vscanf-vwscanf";
    vwscanf_s(guest, format: GuestWord, arglist: GuestWord) {
        let file = stream::iob(guest);
        scan_stream(guest, file, format.0, arglist.0, true, true)
    }
    "Reads values from a stream.", "vfscanf-vfwscanf";
    vfwscanf_s(guest, stream: GuestWord, format: GuestWord, arglist: GuestWord) {
        scan_stream(guest, stream.0, format.0, arglist.0, true, true)
    }
    "Reads values from a string.", "vsscanf-vswscanf";
    vswscanf_s(guest, buffer: GuestWord, format: GuestWord, arglist: GuestWord) {
        scan_text(guest, buffer.0, format.0, arglist.0, true, true)
    }
}
