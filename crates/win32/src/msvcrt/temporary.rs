//! Temporary files with checked buffers, wide forms of error texts, and descriptors opened by the names that inline functions call.

use plat_abi::{Fault, GuestWord, Memory};

use super::define::define;
use super::errno::{EINVAL, ERANGE};
use super::fopen::{_wfreopen, _wtmpnam, tmpfile, tmpnam};
use super::io::{_sopen_s, _wsopen_s};
use super::state::{place_wide, set_errno, write_narrow_z, write_wide_z};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full tmpfile_s; full tmpnam_s; full _wtmpnam_s; full _wtempnam; full _wfreopen_s; full _wperror; full _sopen_dispatch; full _wsopen_dispatch;
    full _rmtmp; full "rmtmp" = _rmtmp;
};

/// Checks a buffer for a name; the error, or 0.
fn check(guest: &mut Guest, buffer: GuestWord, size: u64, length: usize) -> Result<i32, Fault> {
    let code = match () {
        () if buffer.is_null() || size == 0 => EINVAL,
        () if length as u64 >= size => ERANGE,
        () => 0,
    };
    if code != 0 {
        set_errno(guest, code)?;
    }
    Ok(code)
}

define! {
    "Makes a temporary file and stores its stream; returns 0, or `errno`.", "tmpfile-s";
    tmpfile_s(guest, pFilePtr: GuestWord) -> i32 {
        if pFilePtr.is_null() {
            return set_errno(guest, EINVAL).map(|()| EINVAL);
        }
        let file = tmpfile(guest)?;
        guest.write_word(pFilePtr.0, file.0)?;
        if file.is_null() { super::state::errno(guest) } else { Ok(0) }
    }
    "Stores a name that no file has; returns 0, or the error.", "tmpnam-s-wtmpnam-s";
    tmpnam_s(guest, str: GuestWord, sizeInChars: GuestWord) -> i32 {
        let name = tmpnam(guest, GuestWord::NULL)?;
        let name = guest.read_c_string(name.0)?;
        match check(guest, str, sizeInChars.0, name.len())? {
            0 => write_narrow_z(guest, str.0, &name).map(|()| 0),
            code => Ok(code),
        }
    }
    "Stores a name that no file has; returns 0, or the error.", "tmpnam-s-wtmpnam-s";
    _wtmpnam_s(guest, str: GuestWord, sizeInChars: GuestWord) -> i32 {
        let name = _wtmpnam(guest, GuestWord::NULL)?;
        let name = guest.read_wide_string(name.0)?;
        match check(guest, str, sizeInChars.0, name.len())? {
            0 => write_wide_z(guest, str.0, &name).map(|()| 0),
            code => Ok(code),
        }
    }
    "Returns a name that no file in `dirname` has, in new memory.", "tempnam-wtempnam-tmpnam-wtmpnam";
    _wtempnam(guest, dirname: GuestWord, prefix: GuestWord) -> GuestWord {
        let read = |text: GuestWord, other: &str| match text.is_null() {
            true => Ok(other.encode_utf16().collect()),
            false => guest.read_wide_string(text.0),
        };
        let mut name: Vec<u16> = read(dirname, "\\tmp")?;
        name.push(u16::from(b'\\'));
        name.extend(read(prefix, "")?);
        let own = _wtmpnam(guest, GuestWord::NULL)?;
        name.extend(guest.read_wide_string(own.0)?.get(2..).unwrap_or_default());
        place_wide(guest, &name).map(GuestWord)
    }
    "Opens another file in place of a stream's own, and stores the stream; returns 0, or `errno`.", "freopen-s-wfreopen-s";
    _wfreopen_s(guest, stream: GuestWord, fileName: GuestWord, mode: GuestWord, oldStream: GuestWord) -> i32 {
        let file = _wfreopen(guest, fileName, mode, oldStream)?;
        guest.write_word(stream.0, file.0)?;
        if file.is_null() { super::state::errno(guest) } else { Ok(0) }
    }
    "Writes a text and the text of `errno` to the standard error.", "perror-wperror";
    _wperror(guest, message: GuestWord) -> () {
        let text = if message.is_null() { Vec::new() } else { guest.read_wide_string(message.0)? };
        let text = super::state::crt(guest).narrow(&text);
        let address = super::state::place_narrow(guest, &text)?;
        super::stdio::perror(guest, GuestWord(address))?;
        guest.process().heaps.free(0, address);
        Ok(())
    }
    "Opens a file and stores its descriptor; returns 0, or `errno`.", "sopen-s-wsopen-s";
    _sopen_dispatch(guest, filename: GuestWord, oflag: i32, shflag: i32, pmode: i32, pfh: GuestWord, secure: i32) -> i32 {
        let _ = secure;
        _sopen_s(guest, pfh, filename, oflag, shflag, pmode)
    }
    "Opens a file and stores its descriptor; returns 0, or `errno`.", "sopen-s-wsopen-s";
    _wsopen_dispatch(guest, filename: GuestWord, oflag: i32, shflag: i32, pmode: i32, pfh: GuestWord, secure: i32) -> i32 {
        let _ = secure;
        _wsopen_s(guest, pfh, filename, oflag, shflag, pmode)
    }
    "Closes and removes temporary files; returns how many: those of `tmpfile` go away by themselves when they are closed.", "rmtmp";
    _rmtmp(guest) -> i32 {
        let _ = guest;
        Ok(0)
    }
}
