//! The `_s` variants of string.h, wchar.h and time.h: buffers of known size, EINVAL and ERANGE instead of an overflow.

use plat_abi::{Fault, GuestWord, Memory};

use super::define::define;
use super::errno::{self, EILSEQ, EINVAL, ERANGE};
use super::paths::store;
use super::state::{crt, set_errno};
use super::string;
use super::time::{self, Style, Tm};
use super::twins::{read_n, read_wide_n};
use super::wide;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full _strlwr_s; full _strupr_s; full _strset_s; full _strnset_s; full _wcslwr_s; full _wcsupr_s; full _wcsset_s; full _wcsnset_s;
    full _wcsnset; full _wcsncoll; full _wcsnicoll;
    full strerror_s; full _wcserror_s; full _strerror_s; full __wcserror; full __wcserror_s;
    full wmemcpy_s; full wmemmove_s; full _swab; full "swab" = _swab;
    full wcrtomb_s; full wctomb_s; full mbsrtowcs_s; full wcsrtombs_s;
    full _strdate_s; full _strtime_s; full _wstrdate; full _wstrdate_s; full _wstrtime; full _wstrtime_s;
    full _gmtime32_s; full _localtime32_s; full _mkgmtime32; full _difftime32;
    full _ftime_s; full _ftime32; full _ftime32_s; full _ftime64_s; full _timespec32_get; full _timespec64_get;
};

/// Those that the Universal CRT has in another form.
pub const OLD_EXPORTS: &[Export] = dll! {
    full asctime_s; full _wasctime_s;
    full _ctime32_s; full _ctime64_s; full _wctime32_s; full _wctime64_s; full _wctime; full _wctime32; full _wctime64;
};

/// Reads a string of a buffer of `size` units that must hold its end; else empties it.
fn checked_text(
    guest: &mut Guest,
    address: GuestWord,
    size: u64,
    wide: bool,
) -> Result<Option<Vec<u16>>, Fault> {
    if address.is_null() {
        set_errno(guest, EINVAL)?;
        return Ok(None);
    }
    let text = if wide {
        read_wide_n(guest, address.0, size)?
    } else {
        read_n(guest, address.0, size)?.into_iter().map(u16::from).collect()
    };
    if text.len() as u64 >= size {
        if size > 0 {
            guest.write_bytes(address.0, if wide { &[0, 0] } else { &[0] })?;
        }
        set_errno(guest, EINVAL)?;
        return Ok(None);
    }
    Ok(Some(text))
}

/// Runs a function on a buffer whose string ends within it; returns 0, or EINVAL.
fn on_checked(
    guest: &mut Guest,
    address: GuestWord,
    size: u64,
    wide: bool,
    work: impl FnOnce(&mut Guest) -> Result<GuestWord, Fault>,
) -> Result<i32, Fault> {
    if checked_text(guest, address, size, wide)?.is_none() {
        return Ok(EINVAL);
    }
    work(guest).map(|_| 0)
}

/// Stores an English text of the runtime's, cut to the buffer.
fn store_cut(guest: &mut Guest, to: GuestWord, size: u64, text: &str, wide: bool) -> Result<i32, Fault> {
    if to.is_null() || size == 0 {
        return set_errno(guest, EINVAL).map(|()| EINVAL);
    }
    let units: Vec<u16> = text.encode_utf16().take(size as usize - 1).collect();
    store(guest, to, size, &units, wide)
}

pub(crate) fn store_text(
    guest: &mut Guest,
    to: GuestWord,
    size: u64,
    text: &str,
    wide: bool,
) -> Result<i32, Fault> {
    if to.is_null() || size == 0 {
        return set_errno(guest, EINVAL).map(|()| EINVAL);
    }
    let units: Vec<u16> = text.encode_utf16().collect();
    store(guest, to, size, &units, wide)
}

/// Stores the text of a time, in local time.
fn store_ctime(guest: &mut Guest, to: GuestWord, size: u64, seconds: i64, wide: bool) -> Result<i32, Fault> {
    match time::local(guest, seconds)? {
        Some(tm) => store_text(guest, to, size, &time::text_of(&tm, Style::Msvcrt), wide),
        None => set_errno(guest, EINVAL).map(|()| EINVAL),
    }
}

/// Returns the wide text of a time in new memory of the thread's.
fn wide_ctime(guest: &mut Guest, seconds: i64) -> Result<GuestWord, Fault> {
    let to = super::state::thread_block(guest)? + super::state::block::WIDE_ASCTIME;
    match store_ctime(guest, GuestWord(to), 32, seconds, true)? {
        0 => Ok(GuestWord(to)),
        _ => Ok(GuestWord::NULL),
    }
}

/// Returns the date or the time of now as text.
fn stamp(guest: &mut Guest, pattern: &str) -> Result<String, Fault> {
    let seconds = time::now_seconds(guest)?;
    let tm = time::local(guest, seconds)?;
    Ok(tm
        .and_then(|tm| time::format(&tm, pattern, super::time::Words::default(), Style::Msvcrt))
        .unwrap_or_default())
}

/// Returns the text of `_strerror`: a message of the program's, a colon, the text of `errno`.
fn own_message(guest: &mut Guest, message: Vec<u16>) -> Result<String, Fault> {
    let code = super::state::errno(guest)?;
    let text = errno::text(code);
    let own = String::from_utf16_lossy(&message);
    Ok(if own.is_empty() { format!("{text}\n") } else { format!("{own}: {text}\n") })
}

/// Stores the current time in UTC as seconds of a size and nanoseconds.
fn timespec(guest: &mut Guest, to: GuestWord, base: i32, size: u64) -> Result<i32, Fault> {
    const UTC: i32 = 1;
    if to.is_null() || base != UTC {
        return Ok(0);
    }
    let now = time::now(guest)?;
    let (seconds, nanoseconds) = crate::logic::time::file_time_to_unix(now);
    guest.write_bytes(to.0, &seconds.to_le_bytes()[..size as usize])?;
    guest.write(to.0 + size, &nanoseconds)?;
    Ok(base)
}

define! {
    "Turns a string to lower case in a buffer of known size.", "strlwr-s-strlwr-s-l-mbslwr-s-mbslwr-s-l-wcslwr-s-wcslwr-s-l";
    _strlwr_s(guest, str: GuestWord, numberOfElements: GuestWord) -> i32 {
        on_checked(guest, str, numberOfElements.0, false, |guest| string::_strlwr(guest, str))
    }
    "Turns a string to upper case in a buffer of known size.", "strupr-s-strupr-s-l-mbsupr-s-mbsupr-s-l-wcsupr-s-wcsupr-s-l";
    _strupr_s(guest, str: GuestWord, numberOfElements: GuestWord) -> i32 {
        on_checked(guest, str, numberOfElements.0, false, |guest| string::_strupr(guest, str))
    }
    "Sets all bytes of a string in a buffer of known size.", "strset-s-strset-s-l-wcsset-s-wcsset-s-l-mbsset-s-mbsset-s-l";
    _strset_s(guest, str: GuestWord, numberOfElements: GuestWord, c: i32) -> i32 {
        on_checked(guest, str, numberOfElements.0, false, |guest| string::_strset(guest, str, c))
    }
    "Sets the first bytes of a string in a buffer of known size.", "strnset-s-strnset-s-l-wcsnset-s-wcsnset-s-l-mbsnset-s-mbsnset-s-l";
    _strnset_s(guest, str: GuestWord, numberOfElements: GuestWord, c: i32, count: GuestWord) -> i32 {
        on_checked(guest, str, numberOfElements.0, false, |guest| string::_strnset(guest, str, c, count))
    }
    "Turns a wide string to lower case in a buffer of known size.", "strlwr-s-strlwr-s-l-mbslwr-s-mbslwr-s-l-wcslwr-s-wcslwr-s-l";
    _wcslwr_s(guest, str: GuestWord, numberOfElements: GuestWord) -> i32 {
        on_checked(guest, str, numberOfElements.0, true, |guest| wide::_wcslwr(guest, str))
    }
    "Turns a wide string to upper case in a buffer of known size.", "strupr-s-strupr-s-l-mbsupr-s-mbsupr-s-l-wcsupr-s-wcsupr-s-l";
    _wcsupr_s(guest, str: GuestWord, numberOfElements: GuestWord) -> i32 {
        on_checked(guest, str, numberOfElements.0, true, |guest| wide::_wcsupr(guest, str))
    }
    "Sets all units of a wide string in a buffer of known size.", "strset-s-strset-s-l-wcsset-s-wcsset-s-l-mbsset-s-mbsset-s-l";
    _wcsset_s(guest, str: GuestWord, numberOfElements: GuestWord, c: u16) -> i32 {
        on_checked(guest, str, numberOfElements.0, true, |guest| wide::_wcsset(guest, str, c))
    }
    "Sets the first units of a wide string in a buffer of known size.", "strnset-s-strnset-s-l-wcsnset-s-wcsnset-s-l-mbsnset-s-mbsnset-s-l";
    _wcsnset_s(guest, str: GuestWord, numberOfElements: GuestWord, c: u16, count: GuestWord) -> i32 {
        on_checked(guest, str, numberOfElements.0, true, |guest| _wcsnset(guest, str, c, count))
    }
    "Sets at most `count` units of a wide string.", "strnset-strnset-l-wcsnset-wcsnset-l-mbsnset-mbsnset-l";
    _wcsnset(guest, str: GuestWord, c: u16, count: GuestWord) -> GuestWord {
        let length = read_wide_n(guest, str.0, count.0)?.len();
        guest.write_wide(str.0, &vec![c; length])?;
        Ok(str)
    }
    "Compares at most `count` units of wide strings by the locale's order.", "strncoll-wcsncoll-mbsncoll-strncoll-l-wcsncoll-l-mbsncoll-l";
    _wcsncoll(guest, string1: GuestWord, string2: GuestWord, count: GuestWord) -> i32 {
        Ok(super::twins::order(&read_wide_n(guest, string1.0, count.0)?, &read_wide_n(guest, string2.0, count.0)?))
    }
    "Compares at most `count` units of wide strings by the locale's order, without regard to case.", "strnicoll-wcsnicoll-mbsnicoll-strnicoll-l-wcsnicoll-l-mbsnicoll-l";
    _wcsnicoll(guest, string1: GuestWord, string2: GuestWord, count: GuestWord) -> i32 { wide::_wcsnicmp(guest, string1, string2, count) }

    "Stores the text of an error number, cut to the buffer.", "strerror-s-strerror-s-wcserror-s-wcserror-s";
    strerror_s(guest, buffer: GuestWord, sizeInBytes: GuestWord, errnum: i32) -> i32 {
        store_cut(guest, buffer, sizeInBytes.0, errno::text(errnum), false)
    }
    "Stores the text of an error number, cut to the buffer.", "strerror-s-strerror-s-wcserror-s-wcserror-s";
    _wcserror_s(guest, buffer: GuestWord, sizeInWords: GuestWord, errnum: i32) -> i32 {
        store_cut(guest, buffer, sizeInWords.0, errno::text(errnum), true)
    }
    "Stores a message and the text of `errno`, cut to the buffer.", "strerror-s-strerror-s-wcserror-s-wcserror-s";
    _strerror_s(guest, buffer: GuestWord, sizeInBytes: GuestWord, strErrMsg: GuestWord) -> i32 {
        let own = if strErrMsg.is_null() { Vec::new() } else { guest.read_c_string(strErrMsg.0)? };
        let text = own_message(guest, own.into_iter().map(u16::from).collect())?;
        store_cut(guest, buffer, sizeInBytes.0, &text, false)
    }
    "Returns a message and the text of `errno`, in a buffer of the thread.", "strerror-strerror-wcserror-wcserror";
    __wcserror(guest, strErrMsg: GuestWord) -> GuestWord {
        let to = super::state::thread_block(guest)? + super::state::block::WIDE_STRERROR;
        __wcserror_s(guest, GuestWord(to), GuestWord(128), strErrMsg)?;
        Ok(GuestWord(to))
    }
    "Stores a message and the text of `errno`, cut to the buffer.", "strerror-s-strerror-s-wcserror-s-wcserror-s";
    __wcserror_s(guest, buffer: GuestWord, sizeInWords: GuestWord, strErrMsg: GuestWord) -> i32 {
        let own = if strErrMsg.is_null() { Vec::new() } else { guest.read_wide_string(strErrMsg.0)? };
        let text = own_message(guest, own)?;
        store_cut(guest, buffer, sizeInWords.0, &text, true)
    }

    "Copies units into a buffer of known size.", "memcpy-s-wmemcpy-s";
    wmemcpy_s(guest, dest: GuestWord, destSize: GuestWord, src: GuestWord, count: GuestWord) -> i32 {
        string::memcpy_s(guest, dest, GuestWord(destSize.0.saturating_mul(2)), src, GuestWord(count.0.saturating_mul(2)))
    }
    "Copies units into a buffer of known size; the ranges may overlap.", "memmove-s-wmemmove-s";
    wmemmove_s(guest, dest: GuestWord, numberOfElements: GuestWord, src: GuestWord, count: GuestWord) -> i32 {
        string::memmove_s(guest, dest, GuestWord(numberOfElements.0.saturating_mul(2)), src, GuestWord(count.0.saturating_mul(2)))
    }
    "Copies bytes, the two of each pair exchanged; an odd last one is left out.", "swab";
    _swab(guest, src: GuestWord, dest: GuestWord, n: i32) -> () {
        let mut bytes = guest.read_vec(src.0, (n.max(0) as u64) & !1)?;
        bytes.chunks_exact_mut(2).for_each(|pair| pair.swap(0, 1));
        guest.write_bytes(dest.0, &bytes)
    }

    "Converts one unit to the locale into a buffer of known size.", "wcrtomb-s";
    wcrtomb_s(guest, pReturnValue: GuestWord, mbchar: GuestWord, sizeOfmbchar: GuestWord, wchar: u16, mbstate: GuestWord) -> i32 {
        let _ = mbstate;
        let bytes = crt(guest).locale.narrow_all(&[wchar]);
        let result = if mbchar.is_null() { Some(1) } else { bytes.as_ref().map(|bytes| bytes.len() as u64) };
        if !pReturnValue.is_null() {
            guest.write_word(pReturnValue.0, result.unwrap_or(u64::MAX))?;
        }
        match bytes {
            None => set_errno(guest, EILSEQ).map(|()| EILSEQ),
            Some(_) if mbchar.is_null() => Ok(0),
            Some(bytes) if sizeOfmbchar.0 < bytes.len() as u64 => set_errno(guest, ERANGE).map(|()| ERANGE),
            Some(bytes) => guest.write_bytes(mbchar.0, &bytes).map(|()| 0),
        }
    }
    "Converts one unit to the locale into a buffer of known size.", "wctomb-s-wctomb-s-l";
    wctomb_s(guest, pRetValue: GuestWord, mbchar: GuestWord, sizeInBytes: GuestWord, wchar: u16) -> i32 {
        if mbchar.is_null() {
            if !pRetValue.is_null() {
                guest.write(pRetValue.0, &0i32)?;
            }
            return Ok(0);
        }
        let bytes = crt(guest).locale.narrow_all(&[wchar]);
        if !pRetValue.is_null() {
            guest.write(pRetValue.0, &bytes.as_ref().map_or(-1, |bytes| bytes.len() as i32))?;
        }
        match bytes {
            None => set_errno(guest, EILSEQ).map(|()| EILSEQ),
            Some(bytes) if sizeInBytes.0 < bytes.len() as u64 => set_errno(guest, ERANGE).map(|()| ERANGE),
            Some(bytes) => guest.write_bytes(mbchar.0, &bytes).map(|()| 0),
        }
    }
    "Converts a string to UTF-16 into a buffer of known size; the source's pointer moves.", "mbsrtowcs-s";
    mbsrtowcs_s(guest, pReturnValue: GuestWord, wcstr: GuestWord, sizeInWords: GuestWord, mbstr: GuestWord, count: GuestWord, mbstate: GuestWord) -> i32 {
        let _ = mbstate;
        let source = GuestWord(guest.read_word(mbstr.0)?);
        let code = wide::mbstowcs_s(guest, pReturnValue, wcstr, sizeInWords, source, count)?;
        if code == 0 && !wcstr.is_null() {
            guest.write_word(mbstr.0, 0)?;
        }
        Ok(code)
    }
    "Converts a wide string to the locale into a buffer of known size; the source's pointer moves.", "wcsrtombs-s";
    wcsrtombs_s(guest, pReturnValue: GuestWord, mbstr: GuestWord, sizeInBytes: GuestWord, wcstr: GuestWord, count: GuestWord, mbstate: GuestWord) -> i32 {
        let _ = mbstate;
        let source = GuestWord(guest.read_word(wcstr.0)?);
        let code = wide::wcstombs_s(guest, pReturnValue, mbstr, sizeInBytes, source, count)?;
        if code == 0 && !mbstr.is_null() {
            guest.write_word(wcstr.0, 0)?;
        }
        Ok(code)
    }

    "Stores the text of fields.", "asctime-s-wasctime-s";
    asctime_s(guest, buffer: GuestWord, numberOfElements: GuestWord, tmSource: GuestWord) -> i32 {
        let tm: Tm = guest.read(tmSource.0)?;
        store_text(guest, buffer, numberOfElements.0, &time::text_of(&tm, Style::Msvcrt), false)
    }
    "Stores the wide text of fields.", "asctime-s-wasctime-s";
    _wasctime_s(guest, buffer: GuestWord, numberOfElements: GuestWord, tmSource: GuestWord) -> i32 {
        let tm: Tm = guest.read(tmSource.0)?;
        store_text(guest, buffer, numberOfElements.0, &time::text_of(&tm, Style::Msvcrt), true)
    }
    "Stores the date as MM/DD/YY.", "strdate-s-wstrdate-s";
    _strdate_s(guest, buffer: GuestWord, size: GuestWord) -> i32 {
        let text = stamp(guest, "%x")?;
        store_text(guest, buffer, size.0, &text, false)
    }
    "Stores the time as HH:MM:SS.", "strtime-s-wstrtime-s";
    _strtime_s(guest, buffer: GuestWord, size: GuestWord) -> i32 {
        let text = stamp(guest, "%X")?;
        store_text(guest, buffer, size.0, &text, false)
    }
    "Stores the date as MM/DD/YY, wide.", "strdate-s-wstrdate-s";
    _wstrdate_s(guest, buffer: GuestWord, size: GuestWord) -> i32 {
        let text = stamp(guest, "%x")?;
        store_text(guest, buffer, size.0, &text, true)
    }
    "Stores the time as HH:MM:SS, wide.", "strtime-s-wstrtime-s";
    _wstrtime_s(guest, buffer: GuestWord, size: GuestWord) -> i32 {
        let text = stamp(guest, "%X")?;
        store_text(guest, buffer, size.0, &text, true)
    }
    "Writes the date as MM/DD/YY, wide.", "strdate-wstrdate";
    _wstrdate(guest, datestr: GuestWord) -> GuestWord { _wstrdate_s(guest, datestr, GuestWord(9)).map(|_| datestr) }
    "Writes the time as HH:MM:SS, wide.", "strtime-wstrtime";
    _wstrtime(guest, timestr: GuestWord) -> GuestWord { _wstrtime_s(guest, timestr, GuestWord(9)).map(|_| timestr) }

    "Stores the text of a time in local time.", "ctime-s-ctime32-s-ctime64-s-wctime-s-wctime32-s-wctime64-s";
    _ctime32_s(guest, buffer: GuestWord, size: GuestWord, sourceTime: GuestWord) -> i32 {
        let seconds = time::read_seconds(guest, sourceTime, false)?;
        store_ctime(guest, buffer, size.0, seconds, false)
    }
    "Stores the text of a time in local time.", "ctime-s-ctime32-s-ctime64-s-wctime-s-wctime32-s-wctime64-s";
    _ctime64_s(guest, buffer: GuestWord, size: GuestWord, sourceTime: GuestWord) -> i32 {
        let seconds = time::read_seconds(guest, sourceTime, true)?;
        store_ctime(guest, buffer, size.0, seconds, false)
    }
    "Stores the wide text of a time in local time.", "ctime-s-ctime32-s-ctime64-s-wctime-s-wctime32-s-wctime64-s";
    _wctime32_s(guest, buffer: GuestWord, size: GuestWord, sourceTime: GuestWord) -> i32 {
        let seconds = time::read_seconds(guest, sourceTime, false)?;
        store_ctime(guest, buffer, size.0, seconds, true)
    }
    "Stores the wide text of a time in local time.", "ctime-s-ctime32-s-ctime64-s-wctime-s-wctime32-s-wctime64-s";
    _wctime64_s(guest, buffer: GuestWord, size: GuestWord, sourceTime: GuestWord) -> i32 {
        let seconds = time::read_seconds(guest, sourceTime, true)?;
        store_ctime(guest, buffer, size.0, seconds, true)
    }
    "Returns the wide text of a time in local time.", "ctime-ctime32-ctime64-wctime-wctime32-wctime64";
    _wctime(guest, sourceTime: GuestWord) -> GuestWord {
        let seconds = time::read_seconds(guest, sourceTime, time::is_64(guest))?;
        wide_ctime(guest, seconds)
    }
    "Returns the wide text of a time in local time.", "ctime-ctime32-ctime64-wctime-wctime32-wctime64";
    _wctime32(guest, sourceTime: GuestWord) -> GuestWord {
        let seconds = time::read_seconds(guest, sourceTime, false)?;
        wide_ctime(guest, seconds)
    }
    "Returns the wide text of a time in local time.", "ctime-ctime32-ctime64-wctime-wctime32-wctime64";
    _wctime64(guest, sourceTime: GuestWord) -> GuestWord {
        let seconds = time::read_seconds(guest, sourceTime, true)?;
        wide_ctime(guest, seconds)
    }
    "Stores a time's fields in UTC; returns 0, or EINVAL.", "gmtime-s-gmtime32-s-gmtime64-s";
    _gmtime32_s(guest, tmDest: GuestWord, sourceTime: GuestWord) -> i32 {
        match time::utc(time::read_seconds(guest, sourceTime, false)?) {
            Some(tm) => guest.write(tmDest.0, &tm).map(|()| 0),
            None => Ok(EINVAL),
        }
    }
    "Stores a time's fields in local time; returns 0, or EINVAL.", "localtime-s-localtime32-s-localtime64-s";
    _localtime32_s(guest, tmDest: GuestWord, sourceTime: GuestWord) -> i32 {
        let seconds = time::read_seconds(guest, sourceTime, false)?;
        match time::local(guest, seconds)? {
            Some(tm) => guest.write(tmDest.0, &tm).map(|()| 0),
            None => Ok(EINVAL),
        }
    }
    "Normalises fields of UTC and returns their second, or -1.", "mkgmtime-mkgmtime32-mkgmtime64";
    _mkgmtime32(guest, timeptr: GuestWord) -> i32 {
        Ok(i32::try_from(time::make(guest, timeptr.0, false)?).unwrap_or(-1))
    }
    "Returns the seconds between two 32-bit times.", "difftime-difftime32-difftime64";
    _difftime32(guest, timeEnd: i32, timeStart: i32) -> f64 {
        let _ = guest;
        Ok(f64::from(timeEnd) - f64::from(timeStart))
    }
    "Stores the time, its milliseconds and the time zone.", "ftime-ftime32-ftime64";
    _ftime32(guest, timeptr: GuestWord) -> () { time::store_ftime(guest, timeptr.0, 4) }
    "Stores the time, its milliseconds and the time zone; EINVAL for null.", "ftime-s-ftime32-s-ftime64-s";
    _ftime_s(guest, timeptr: GuestWord) -> i32 {
        let size = guest.machine().pointer_size();
        ftime(guest, timeptr, size)
    }
    "Stores the time, its milliseconds and the time zone; EINVAL for null.", "ftime-s-ftime32-s-ftime64-s";
    _ftime32_s(guest, timeptr: GuestWord) -> i32 { ftime(guest, timeptr, 4) }
    "Stores the time, its milliseconds and the time zone; EINVAL for null.", "ftime-s-ftime32-s-ftime64-s";
    _ftime64_s(guest, timeptr: GuestWord) -> i32 { ftime(guest, timeptr, 8) }
    "Stores the time in seconds and nanoseconds; returns the base, or 0.", "timespec-get-timespec32-get-timespec64-get1";
    _timespec32_get(guest, time_spec: GuestWord, base: i32) -> i32 { timespec(guest, time_spec, base, 4) }
    "Stores the time in seconds and nanoseconds; returns the base, or 0.", "timespec-get-timespec32-get-timespec64-get1";
    _timespec64_get(guest, time_spec: GuestWord, base: i32) -> i32 { timespec(guest, time_spec, base, 8) }
}

fn ftime(guest: &mut Guest, to: GuestWord, size: u64) -> Result<i32, Fault> {
    if to.is_null() {
        return set_errno(guest, EINVAL).map(|()| EINVAL);
    }
    time::store_ftime(guest, to.0, size).map(|()| 0)
}
