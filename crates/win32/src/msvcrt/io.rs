//! io.h: descriptors. The mechanics live in `fd.rs`.

use plat_abi::{Fault, GuestWord, Memory, VarArgs};

use super::define::define;
use super::errno::{EACCES, EBADF, EDEADLOCK, EINVAL};
use super::fd::{self, Mode};
use super::handles::{self, Disposition, Whence, Wish};
use super::state::{crt, set_errno, set_win32_errno, variable};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full _isatty; full "isatty" = _isatty;
    full _setmode; full "setmode" = _setmode;
    full _get_osfhandle;
    full _open_osfhandle;
    full _write; full "write" = _write;
    full _read; full "read" = _read;
    full _close; full "close" = _close;
    full _open; full "open" = _open;
    full _wopen;
    full _sopen; full _wsopen; full _sopen_s; full _wsopen_s;
    full _creat; full _wcreat; full "creat" = _creat;
    full _lseek; full "lseek" = _lseek; full _lseeki64;
    full _tell; full _telli64;
    full _dup; full "dup" = _dup; full _dup2; full "dup2" = _dup2;
    full _commit;
    full _chsize; full _chsize_s;
    full _filelength; full _filelengthi64;
    full _eof;
    full _locking;
};

/// `_O_TEXT`, `_O_BINARY` and the other flags of `_open`.
pub(crate) const O_TEXT: i32 = 0x4000;
pub(crate) const O_BINARY: i32 = 0x8000;
pub(crate) const O_WRONLY: i32 = 1;
pub(crate) const O_RDWR: i32 = 2;
pub(crate) const O_APPEND: i32 = 8;
pub(crate) const O_TEMPORARY: i32 = 0x40;
const O_NOINHERIT: i32 = 0x80;
pub(crate) const O_CREAT: i32 = 0x100;
pub(crate) const O_TRUNC: i32 = 0x200;
pub(crate) const O_EXCL: i32 = 0x400;
/// `_S_IWRITE`: a new file may be written.
pub(crate) const S_IWRITE: i32 = 0x80;
/// `_SH_DENYRW`, `_SH_DENYWR`, `_SH_DENYRD`, `_SH_DENYNO`.
const SH_DENYRW: i32 = 0x10;
const SH_DENYWR: i32 = 0x20;
const SH_DENYRD: i32 = 0x30;
pub(crate) const SH_DENYNO: i32 = 0x40;
/// `FILE_SHARE_READ`, `FILE_SHARE_WRITE`.
const SHARE_READ: u32 = 1;
const SHARE_WRITE: u32 = 2;
/// `FOPEN` bits of `_open_osfhandle` beside the flags above: none.
const LONG_MAX: i64 = i32::MAX as i64;

/// Says whether new descriptors are in text mode, by the flags or else by `_fmode`.
fn wants_text(guest: &Guest, flags: i32) -> Result<bool, Fault> {
    if flags & (O_TEXT | O_BINARY) != 0 {
        return Ok(flags & O_BINARY == 0);
    }
    let mode: i32 = guest.read(variable(guest, "_fmode"))?;
    Ok(mode & O_BINARY == 0)
}

fn disposition(flags: i32) -> Disposition {
    let has = |flag| flags & flag != 0;
    match (has(O_CREAT), has(O_EXCL), has(O_TRUNC)) {
        (true, true, _) => Disposition::Create,
        (true, false, true) => Disposition::OverwriteIf,
        (true, false, false) => Disposition::OpenIf,
        (false, _, true) => Disposition::Overwrite,
        (false, _, false) => Disposition::Open,
    }
}

/// Opens a file; returns its descriptor, or -1 with `errno`.
pub(crate) fn open_path(
    guest: &mut Guest,
    path: &[u16],
    flags: i32,
    share: i32,
    permission: i32,
) -> Result<i32, Fault> {
    let share = match share {
        SH_DENYRW => 0,
        SH_DENYWR => SHARE_READ,
        SH_DENYRD => SHARE_WRITE,
        SH_DENYNO => SHARE_READ | SHARE_WRITE,
        _ => return set_errno(guest, EINVAL).map(|()| -1),
    };
    let mask = crt(guest).mask.load(std::sync::atomic::Ordering::Relaxed);
    let wish = Wish {
        read: flags & O_WRONLY == 0,
        write: flags & (O_WRONLY | O_RDWR) != 0,
        share,
        disposition: disposition(flags),
        read_only: flags & O_CREAT != 0 && permission & !mask & S_IWRITE == 0,
        temporary: flags & O_TEMPORARY != 0,
        inherit: flags & O_NOINHERIT == 0,
    };
    match handles::open(guest, path, wish) {
        Ok(handle) => insert(guest, handle, flags),
        Err(error) => set_win32_errno(guest, error).map(|()| -1),
    }
}

fn insert(guest: &mut Guest, handle: u64, flags: i32) -> Result<i32, Fault> {
    let mut mode = Mode::empty();
    mode.set(Mode::TEXT, wants_text(guest, flags)?);
    mode.set(Mode::APPEND, flags & O_APPEND != 0);
    let descriptor = fd::insert(guest, handle, mode)?;
    if descriptor < 0 {
        // The handle was not given away.
        let _ = handles::close(guest, handle);
    }
    Ok(descriptor)
}

/// Reads a path in the ANSI code page.
pub(crate) fn read_path(guest: &Guest, address: GuestWord) -> Result<Vec<u16>, Fault> {
    Ok(crt(guest).widen(&guest.read_c_string(address.0)?))
}

/// Returns the permission that follows the flags when a file may be made.
fn permission(guest: &Guest, flags: i32, arguments: u64) -> Result<i32, Fault> {
    if flags & O_CREAT == 0 {
        return Ok(S_IWRITE);
    }
    guest.va_list(arguments).slot_u32().map(|permission| permission as i32)
}

/// Says from where a position is counted; `None` for a wrong number.
pub(crate) fn whence(origin: i32) -> Option<Whence> {
    [Whence::Start, Whence::Current, Whence::End].get(usize::try_from(origin).ok()?).copied()
}

fn seek(guest: &mut Guest, fd: i32, offset: i64, origin: i32) -> Result<i64, Fault> {
    match whence(origin) {
        Some(whence) => fd::seek(guest, fd, offset, whence),
        None => set_errno(guest, EINVAL).map(|()| -1),
    }
}

/// Returns a 64-bit position as a `long`; -1 with EINVAL when it does not fit.
fn narrow(guest: &mut Guest, position: i64) -> Result<i32, Fault> {
    if position > LONG_MAX {
        return set_errno(guest, EINVAL).map(|()| -1);
    }
    Ok(position as i32)
}

/// Returns a file's length by seeking to its end and back, or -1 with `errno`.
fn length(guest: &mut Guest, fd: i32) -> Result<i64, Fault> {
    let here = fd::seek(guest, fd, 0, Whence::Current)?;
    if here < 0 {
        return Ok(-1);
    }
    let end = fd::seek(guest, fd, 0, Whence::End)?;
    fd::seek(guest, fd, here, Whence::Start)?;
    Ok(end)
}

fn on_handle(
    guest: &mut Guest,
    fd: i32,
    work: impl FnOnce(&Guest, u64) -> Result<(), crate::Win32Error>,
) -> Result<i32, Fault> {
    let Some(descriptor) = fd::get_or_errno(guest, fd)? else { return Ok(-1) };
    let result = work(guest, fd::handle(&descriptor));
    fd::finish(guest, result.map(|()| 0))
}

/// `_LK_UNLCK`, `_LK_LOCK`, `_LK_RLCK`, `_LK_NBRLCK`; `_LK_NBLCK` lies between.
const LK_UNLCK: i32 = 0;
const LK_LOCK: i32 = 1;
const LK_RLCK: i32 = 3;
const LK_NBRLCK: i32 = 4;
/// How often, a second apart, `_locking` tries before it gives up.
const LOCK_TRIES: u32 = 10;

/// Locks or unlocks bytes from the position on; 0, or -1 with `errno`.
fn lock_bytes(guest: &mut Guest, fd: i32, mode: i32, bytes: i32) -> Result<i32, Fault> {
    let Some(descriptor) = fd::get_or_errno(guest, fd)? else { return Ok(-1) };
    if bytes < 0 || !(LK_UNLCK..=LK_NBRLCK).contains(&mode) {
        return set_errno(guest, EINVAL).map(|()| -1);
    }
    let here = fd::seek(guest, fd, 0, Whence::Current)?;
    let (Ok(start), length) = (u64::try_from(here), bytes as u64) else { return Ok(-1) };
    if mode == LK_UNLCK {
        return match handles::unlock_range(guest, fd::handle(&descriptor), start, length) {
            Ok(()) => Ok(0),
            Err(_) => set_errno(guest, EACCES).map(|()| -1),
        };
    }
    let waits = matches!(mode, LK_LOCK | LK_RLCK);
    for attempt in 1..=LOCK_TRIES {
        if handles::lock_range(guest, fd::handle(&descriptor), start, length).is_ok() {
            return Ok(0);
        }
        if !waits {
            return set_errno(guest, EACCES).map(|()| -1);
        }
        if attempt < LOCK_TRIES {
            super::system::_sleep(guest, 1000)?;
        }
    }
    set_errno(guest, EDEADLOCK).map(|()| -1)
}

define! {
    "Locks or unlocks bytes of a file from the position on; returns 0, or -1.", "locking";
    _locking(guest, fd: i32, mode: i32, nbytes: i32) -> i32 {
        lock_bytes(guest, fd, mode, nbytes)
    }
    "Says whether a descriptor is a console or another character device.", "isatty";
    _isatty(guest, fd: i32) -> i32 {
        Ok(if fd::mode(guest, fd).contains(Mode::DEVICE) { 0x40 } else { 0 })
    }
    "Sets the translation mode; returns the one before, or -1.", "setmode";
    _setmode(guest, fd: i32, mode: i32) -> i32 {
        let Some(descriptor) = fd::get_or_errno(guest, fd)? else { return Ok(-1) };
        let text = match mode {
            O_TEXT => true,
            O_BINARY => false,
            _ => return set_errno(guest, EINVAL).map(|()| -1),
        };
        Ok(if fd::set_text(&descriptor, text) { O_TEXT } else { O_BINARY })
    }
    "Returns a descriptor's handle, or -1.", "get-osfhandle";
    _get_osfhandle(guest, fd: i32) -> GuestWord {
        let descriptor = fd::get_or_errno(guest, fd)?;
        Ok(GuestWord(descriptor.map_or(u64::MAX, |descriptor| fd::handle(&descriptor))))
    }
    "Gives a handle a descriptor, which then owns it; returns it, or -1.", "open-osfhandle";
    _open_osfhandle(guest, osfhandle: GuestWord, flags: i32) -> i32 {
        if let Err(error) = handles::kind(guest, osfhandle.0) {
            return set_win32_errno(guest, error).map(|()| -1);
        }
        // Unlike _open, only the flag makes it text: see the documentation of _O_TEXT there.
        insert(guest, osfhandle.0, if flags & O_TEXT != 0 { flags } else { flags | O_BINARY })
    }
    "Writes; returns how many bytes, or -1.", "write";
    _write(guest, fd: i32, buffer: GuestWord, count: u32) -> i32 {
        fd::write_guest(guest, fd, buffer.0, u64::from(count))
    }
    "Reads; returns how many bytes, 0 at the end, or -1.", "read";
    _read(guest, fd: i32, buffer: GuestWord, buffer_size: u32) -> i32 {
        fd::read_guest(guest, fd, buffer.0, u64::from(buffer_size))
    }
    "Closes a descriptor; returns 0, or -1.", "close";
    _close(guest, fd: i32) -> i32 {
        fd::close(guest, fd)
    }
    "Opens a file; returns its descriptor, or -1.", "open-wopen";
    _open(guest, filename: GuestWord, oflag: i32, pmode: VarArgs) -> i32 {
        let (path, permission) = (read_path(guest, filename)?, permission(guest, oflag, pmode.0)?);
        open_path(guest, &path, oflag, SH_DENYNO, permission)
    }
    "Opens a file; returns its descriptor, or -1.", "open-wopen";
    _wopen(guest, filename: GuestWord, oflag: i32, pmode: VarArgs) -> i32 {
        let (path, permission) = (guest.read_wide_string(filename.0)?, permission(guest, oflag, pmode.0)?);
        open_path(guest, &path, oflag, SH_DENYNO, permission)
    }
    "Opens a file and says what others may do with it; returns its descriptor, or -1.", "sopen-wsopen";
    _sopen(guest, filename: GuestWord, oflag: i32, shflag: i32, pmode: VarArgs) -> i32 {
        let (path, permission) = (read_path(guest, filename)?, permission(guest, oflag, pmode.0)?);
        open_path(guest, &path, oflag, shflag, permission)
    }
    "Opens a file and says what others may do with it; returns its descriptor, or -1.", "sopen-wsopen";
    _wsopen(guest, filename: GuestWord, oflag: i32, shflag: i32, pmode: VarArgs) -> i32 {
        let (path, permission) = (guest.read_wide_string(filename.0)?, permission(guest, oflag, pmode.0)?);
        open_path(guest, &path, oflag, shflag, permission)
    }
    "Opens a file and stores its descriptor; returns 0, or `errno`.", "sopen-s-wsopen-s";
    _sopen_s(guest, pfh: GuestWord, filename: GuestWord, oflag: i32, shflag: i32, pmode: i32) -> i32 {
        let path = read_path(guest, filename)?;
        let descriptor = open_path(guest, &path, oflag, shflag, pmode)?;
        guest.write(pfh.0, &descriptor)?;
        if descriptor >= 0 { Ok(0) } else { super::state::errno(guest) }
    }
    "Opens a file and stores its descriptor; returns 0, or `errno`.", "sopen-s-wsopen-s";
    _wsopen_s(guest, pfh: GuestWord, filename: GuestWord, oflag: i32, shflag: i32, pmode: i32) -> i32 {
        let path = guest.read_wide_string(filename.0)?;
        let descriptor = open_path(guest, &path, oflag, shflag, pmode)?;
        guest.write(pfh.0, &descriptor)?;
        if descriptor >= 0 { Ok(0) } else { super::state::errno(guest) }
    }
    "Makes a file, or empties it; returns its descriptor, or -1.", "creat-wcreat";
    _creat(guest, filename: GuestWord, pmode: i32) -> i32 {
        let path = read_path(guest, filename)?;
        open_path(guest, &path, O_CREAT | O_TRUNC | O_RDWR, SH_DENYNO, pmode)
    }
    "Makes a file, or empties it; returns its descriptor, or -1.", "creat-wcreat";
    _wcreat(guest, filename: GuestWord, pmode: i32) -> i32 {
        let path = guest.read_wide_string(filename.0)?;
        open_path(guest, &path, O_CREAT | O_TRUNC | O_RDWR, SH_DENYNO, pmode)
    }
    "Moves the position; returns the new one, or -1.", "lseek-lseeki64";
    _lseek(guest, fd: i32, offset: i32, origin: i32) -> i32 {
        let position = seek(guest, fd, offset.into(), origin)?;
        narrow(guest, position)
    }
    "Moves the position; returns the new one, or -1.", "lseek-lseeki64";
    _lseeki64(guest, fd: i32, offset: i64, origin: i32) -> i64 {
        seek(guest, fd, offset, origin)
    }
    "Returns the position, or -1.", "tell-telli64";
    _tell(guest, handle: i32) -> i32 {
        _lseek(guest, handle, 0, 1)
    }
    "Returns the position, or -1.", "tell-telli64";
    _telli64(guest, handle: i32) -> i64 {
        seek(guest, handle, 0, 1)
    }
    "Makes a second descriptor of an open file; returns it, or -1.", "dup-dup2";
    _dup(guest, fd: i32) -> i32 {
        let Some(descriptor) = fd::get_or_errno(guest, fd)? else { return Ok(-1) };
        let mode = fd::mode(guest, fd);
        match handles::duplicate(guest, fd::handle(&descriptor)) {
            Ok(handle) => fd::insert(guest, handle, mode),
            Err(error) => set_win32_errno(guest, error).map(|()| -1),
        }
    }
    "Makes `fd2` mean the file of `fd1`, closing what it was; returns 0, or -1.", "dup-dup2";
    _dup2(guest, fd1: i32, fd2: i32) -> i32 {
        let Some(descriptor) = fd::get_or_errno(guest, fd1)? else { return Ok(-1) };
        if fd1 == fd2 {
            return Ok(0);
        }
        let mode = fd::mode(guest, fd1);
        let handle = match handles::duplicate(guest, fd::handle(&descriptor)) {
            Ok(handle) => handle,
            Err(error) => return set_win32_errno(guest, error).map(|()| -1),
        };
        if !fd::put_at(guest, fd2, handle, mode) {
            // The handle was not given away.
            let _ = handles::close(guest, handle);
            return set_errno(guest, EBADF).map(|()| -1);
        }
        Ok(0)
    }
    "Writes a file's contents to the disk; returns 0, or -1.", "commit";
    _commit(guest, fd: i32) -> i32 {
        on_handle(guest, fd, handles::flush)
    }
    "Cuts or extends a file; returns 0, or -1.", "chsize";
    _chsize(guest, fd: i32, size: i32) -> i32 {
        if size < 0 {
            return set_errno(guest, EINVAL).map(|()| -1);
        }
        on_handle(guest, fd, |guest, handle| handles::set_size(guest, handle, size as u64))
    }
    "Cuts or extends a file; returns 0, or `errno`.", "chsize-s";
    _chsize_s(guest, fd: i32, size: i64) -> i32 {
        if size < 0 {
            return set_errno(guest, EINVAL).map(|()| EINVAL);
        }
        let done = on_handle(guest, fd, |guest, handle| handles::set_size(guest, handle, size as u64))?;
        if done == 0 { Ok(0) } else { super::state::errno(guest) }
    }
    "Returns a file's length in bytes, or -1.", "filelength-filelengthi64";
    _filelength(guest, fd: i32) -> i32 {
        let length = length(guest, fd)?;
        narrow(guest, length)
    }
    "Returns a file's length in bytes, or -1.", "filelength-filelengthi64";
    _filelengthi64(guest, fd: i32) -> i64 {
        length(guest, fd)
    }
    "Says whether the position is at the end: 1, 0, or -1.", "eof";
    _eof(guest, fd: i32) -> i32 {
        let (here, end) = (fd::seek(guest, fd, 0, Whence::Current)?, length(guest, fd)?);
        Ok(if here < 0 || end < 0 { -1 } else { i32::from(here >= end) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_choose_what_happens_to_a_file() {
        let cases = [
            (0, Disposition::Open),
            (O_TRUNC, Disposition::Overwrite),
            (O_CREAT, Disposition::OpenIf),
            (O_CREAT | O_TRUNC, Disposition::OverwriteIf),
            (O_CREAT | O_EXCL, Disposition::Create),
            (O_CREAT | O_EXCL | O_TRUNC, Disposition::Create),
        ];
        for (flags, expected) in cases {
            assert_eq!(disposition(flags), expected, "{flags:#x}");
        }
    }
}
