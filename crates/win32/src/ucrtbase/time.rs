//! time.h in the Universal CRT's form: days with a leading blank, C99's letters in `strftime`.

use plat_abi::{Fault, GuestWord, Memory};

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::msvcrt::define::define;
use crate::msvcrt::errno::EINVAL;
use crate::msvcrt::safe::store_text;
use crate::msvcrt::state::{block, set_errno, thread_block};
use crate::msvcrt::time::{self, Style, Tm, text_of};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full asctime; full _wasctime; full asctime_s; full _wasctime_s;
    full _ctime32; full _ctime64; full _wctime32; full _wctime64; full _ctime32_s; full _ctime64_s; full _wctime32_s; full _wctime64_s;
    full strftime; full wcsftime;
};

/// Room for a text in the thread's block, in units.
const ROOM: u64 = 32;

/// Returns the text of fields, in a buffer of the thread.
fn give(guest: &mut Guest, tm: &Tm, wide: bool) -> Result<GuestWord, Fault> {
    let to = GuestWord(thread_block(guest)? + if wide { block::WIDE_ASCTIME } else { block::ASCTIME });
    store_text(guest, to, ROOM, &text_of(tm, Style::Ucrt), wide)?;
    Ok(to)
}

/// Returns the text of a time in local time, in a buffer of the thread.
fn give_time(guest: &mut Guest, at: GuestWord, is_64: bool, wide: bool) -> Result<GuestWord, Fault> {
    let seconds = time::read_seconds(guest, at, is_64)?;
    match time::local(guest, seconds)? {
        Some(tm) => give(guest, &tm, wide),
        None => set_errno(guest, EINVAL).map(|()| GuestWord::NULL),
    }
}

/// Stores the text of a time in local time: buffer, size, time.
fn store_time(
    guest: &mut Guest,
    [to, size, at]: [GuestWord; 3],
    is_64: bool,
    wide: bool,
) -> Result<i32, Fault> {
    let seconds = time::read_seconds(guest, at, is_64)?;
    match time::local(guest, seconds)? {
        Some(tm) => store_text(guest, to, size.0, &text_of(&tm, Style::Ucrt), wide),
        None => set_errno(guest, EINVAL).map(|()| EINVAL),
    }
}

define! {
    "Returns the text of fields, in a buffer of the thread.", "asctime-wasctime";
    asctime(guest, timeptr: GuestWord) -> GuestWord {
        let tm: Tm = guest.read(timeptr.0)?;
        give(guest, &tm, false)
    }
    "Returns the wide text of fields, in a buffer of the thread.", "asctime-wasctime";
    _wasctime(guest, timeptr: GuestWord) -> GuestWord {
        let tm: Tm = guest.read(timeptr.0)?;
        give(guest, &tm, true)
    }
    "Stores the text of fields.", "asctime-s-wasctime-s";
    asctime_s(guest, buffer: GuestWord, numberOfElements: GuestWord, tmSource: GuestWord) -> i32 {
        let tm: Tm = guest.read(tmSource.0)?;
        store_text(guest, buffer, numberOfElements.0, &text_of(&tm, Style::Ucrt), false)
    }
    "Stores the wide text of fields.", "asctime-s-wasctime-s";
    _wasctime_s(guest, buffer: GuestWord, numberOfElements: GuestWord, tmSource: GuestWord) -> i32 {
        let tm: Tm = guest.read(tmSource.0)?;
        store_text(guest, buffer, numberOfElements.0, &text_of(&tm, Style::Ucrt), true)
    }
    "Returns the text of a time in local time.", "ctime-ctime32-ctime64-wctime-wctime32-wctime64";
    _ctime32(guest, sourceTime: GuestWord) -> GuestWord { give_time(guest, sourceTime, false, false) }
    "Returns the text of a time in local time.", "ctime-ctime32-ctime64-wctime-wctime32-wctime64";
    _ctime64(guest, sourceTime: GuestWord) -> GuestWord { give_time(guest, sourceTime, true, false) }
    "Returns the wide text of a time in local time.", "ctime-ctime32-ctime64-wctime-wctime32-wctime64";
    _wctime32(guest, sourceTime: GuestWord) -> GuestWord { give_time(guest, sourceTime, false, true) }
    "Returns the wide text of a time in local time.", "ctime-ctime32-ctime64-wctime-wctime32-wctime64";
    _wctime64(guest, sourceTime: GuestWord) -> GuestWord { give_time(guest, sourceTime, true, true) }
    "Stores the text of a time in local time.", "ctime-s-ctime32-s-ctime64-s-wctime-s-wctime32-s-wctime64-s";
    _ctime32_s(guest, buffer: GuestWord, size: GuestWord, sourceTime: GuestWord) -> i32 { store_time(guest, [buffer, size, sourceTime], false, false) }
    "Stores the text of a time in local time.", "ctime-s-ctime32-s-ctime64-s-wctime-s-wctime32-s-wctime64-s";
    _ctime64_s(guest, buffer: GuestWord, size: GuestWord, sourceTime: GuestWord) -> i32 { store_time(guest, [buffer, size, sourceTime], true, false) }
    "Stores the wide text of a time in local time.", "ctime-s-ctime32-s-ctime64-s-wctime-s-wctime32-s-wctime64-s";
    _wctime32_s(guest, buffer: GuestWord, size: GuestWord, sourceTime: GuestWord) -> i32 { store_time(guest, [buffer, size, sourceTime], false, true) }
    "Stores the wide text of a time in local time.", "ctime-s-ctime32-s-ctime64-s-wctime-s-wctime32-s-wctime64-s";
    _wctime64_s(guest, buffer: GuestWord, size: GuestWord, sourceTime: GuestWord) -> i32 { store_time(guest, [buffer, size, sourceTime], true, true) }
    "Formats fields; returns the length, or 0 when it does not fit.", "strftime-wcsftime-strftime-l-wcsftime-l";
    strftime(guest, strDest: GuestWord, maxsize: GuestWord, format: GuestWord, timeptr: GuestWord) -> GuestWord {
        time::format_narrow(guest, [strDest, maxsize, format, timeptr], Style::Ucrt)
    }
    "Formats fields as wide text; returns the length, or 0 when it does not fit.", "strftime-wcsftime-strftime-l-wcsftime-l";
    wcsftime(guest, wcsDest: GuestWord, maxsize: GuestWord, format: GuestWord, timeptr: GuestWord) -> GuestWord {
        time::format_wide(guest, [wcsDest, maxsize, format, timeptr], Style::Ucrt)
    }
}
