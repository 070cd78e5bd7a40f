//! stdio.h: opening, closing, positions and buffers of streams.

use plat_abi::{Fault, GuestWord, Memory};

use super::define::define;
use super::errno::EINVAL;
use super::io::{
    O_APPEND, O_BINARY, O_CREAT, O_EXCL, O_RDWR, O_TEMPORARY, O_TEXT, O_TRUNC, O_WRONLY, S_IWRITE, SH_DENYNO,
    open_path, read_path, whence,
};
use super::state::{set_errno, thread_block, write_narrow_z, write_wide_z};
use super::stream::{self, EOF, FILE, IOLBF, IONBF, IOREAD, IORW, IOWRT, IOYOURBUF};
use super::{fd, handles::Whence, locks, state::block, state::crt};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full fopen; full _wfopen; full fopen_s; full _wfopen_s; full _fsopen; full _wfsopen;
    full freopen; full _wfreopen; full freopen_s; full _fdopen; full "fdopen" = _fdopen; full _wfdopen;
    full fclose; full _fcloseall;
    full fseek; full _fseeki64; full "fseeko64" = _fseeki64; full ftell; full _ftelli64; full "ftello64" = _ftelli64;
    full rewind; full fgetpos; full fsetpos;
    full setvbuf; full setbuf;
    full tmpfile; full tmpnam; full _wtmpnam; full _tempnam;
};

/// What a mode string asks for: flags of `_open`, flags of the stream.
fn parse_mode(mode: &[u8]) -> Option<(i32, u32)> {
    let mode = mode.trim_ascii_start();
    let (mut flags, mut stream) = match mode.first()? {
        b'r' => (0, IOREAD),
        b'w' => (O_WRONLY | O_CREAT | O_TRUNC, IOWRT),
        b'a' => (O_WRONLY | O_CREAT | O_APPEND, IOWRT),
        _ => return None,
    };
    for letter in &mode[1..] {
        match letter {
            b'+' => {
                flags = flags & !O_WRONLY | O_RDWR;
                stream = IORW;
            }
            b'b' => flags |= O_BINARY,
            b't' => flags |= O_TEXT,
            b'D' => flags |= O_TEMPORARY,
            b'x' => flags |= O_EXCL,
            // Hints for the cache and for inheritance.
            b'c' | b'n' | b'S' | b'R' | b'T' | b'N' | b' ' => {}
            b',' => break,
            _ => return None,
        }
    }
    Some((flags, stream))
}

/// Opens a file as a stream, at `file` or at a free place; null with `errno` when that failed.
fn open(
    guest: &mut Guest,
    path: &[u16],
    mode: &[u8],
    share: i32,
    file: Option<u64>,
) -> Result<GuestWord, Fault> {
    let Some((flags, stream_flags)) = parse_mode(mode) else {
        return set_errno(guest, EINVAL).map(|()| GuestWord::NULL);
    };
    let file = match file {
        Some(file) => file,
        None => match stream::claim(guest)? {
            Some(file) => file,
            None => return set_errno(guest, super::errno::ENOMEM).map(|()| GuestWord::NULL),
        },
    };
    let descriptor = open_path(guest, path, flags, share, S_IWRITE)?;
    if descriptor < 0 {
        stream::give_back(guest, file)?;
        return Ok(GuestWord::NULL);
    }
    stream::begin(guest, file, descriptor, stream_flags)?;
    Ok(GuestWord(file))
}

/// Reads a mode given as wide text.
fn read_wide_mode(guest: &Guest, address: GuestWord) -> Result<Vec<u8>, Fault> {
    let units = guest.read_wide_string(address.0)?;
    Ok(units.into_iter().map(|unit| u8::try_from(unit).unwrap_or(0)).collect())
}

/// Stores an opened stream; returns 0, or `errno`.
fn store(guest: &mut Guest, to: GuestWord, file: GuestWord) -> Result<i32, Fault> {
    guest.write_word(to.0, file.0)?;
    if file.is_null() { super::state::errno(guest) } else { Ok(0) }
}

/// Opens another file in place of a stream's own.
fn reopen(guest: &mut Guest, path: &[u16], mode: &[u8], file: GuestWord) -> Result<GuestWord, Fault> {
    // Under the stream's lock, so that nobody takes it while it is closed.
    locks::with_stream(guest, file.0, |guest| {
        let stream: FILE = guest.read(file.0)?;
        if stream::is_open(&stream) {
            stream::close(guest, file.0)?;
        }
        // A standard stream gets its own number again: it is the lowest free one, unless the program closed a lower.
        open(guest, path, mode, SH_DENYNO, Some(file.0))
    })
}

fn seek(guest: &mut Guest, file: u64, offset: i64, origin: i32) -> Result<i32, Fault> {
    let Some(whence) = whence(origin) else { return set_errno(guest, EINVAL).map(|()| EOF) };
    let done = stream::with(guest, file, |guest, stream| stream::seek(guest, stream, offset, whence))?;
    Ok(if done { 0 } else { EOF })
}

fn tell(guest: &mut Guest, file: u64) -> Result<i64, Fault> {
    stream::with(guest, file, |guest, stream| stream::tell(guest, stream))
}

/// Returns the next name for a temporary file: `\s` and the process, a point, and a number.
fn next_name(guest: &Guest) -> String {
    let number = crt(guest).names_given.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let process = guest.teb().get(crate::teb::Teb::PROCESS_ID).unwrap_or(0);
    format!("\\s{process:x}.{number:x}")
}

define! {
    "Opens a file as a stream; null with `errno` when that failed.", "fopen-wfopen";
    fopen(guest, filename: GuestWord, mode: GuestWord) -> GuestWord {
        let (path, mode) = (read_path(guest, filename)?, guest.read_c_string(mode.0)?);
        open(guest, &path, &mode, SH_DENYNO, None)
    }
    "Opens a file as a stream; null with `errno` when that failed.", "fopen-wfopen";
    _wfopen(guest, filename: GuestWord, mode: GuestWord) -> GuestWord {
        let (path, mode) = (guest.read_wide_string(filename.0)?, read_wide_mode(guest, mode)?);
        open(guest, &path, &mode, SH_DENYNO, None)
    }
    "Opens a file that nobody else may write, and stores the stream; returns 0, or `errno`.", "fopen-s-wfopen-s";
    fopen_s(guest, pFile: GuestWord, filename: GuestWord, mode: GuestWord) -> i32 {
        let (path, mode) = (read_path(guest, filename)?, guest.read_c_string(mode.0)?);
        let share = if mode.first() == Some(&b'r') { 0x20 } else { 0x10 };
        let file = open(guest, &path, &mode, share, None)?;
        store(guest, pFile, file)
    }
    "Opens a file that nobody else may write, and stores the stream; returns 0, or `errno`.", "fopen-s-wfopen-s";
    _wfopen_s(guest, pFile: GuestWord, filename: GuestWord, mode: GuestWord) -> i32 {
        let (path, mode) = (guest.read_wide_string(filename.0)?, read_wide_mode(guest, mode)?);
        let share = if mode.first() == Some(&b'r') { 0x20 } else { 0x10 };
        let file = open(guest, &path, &mode, share, None)?;
        store(guest, pFile, file)
    }
    "Opens a file as a stream and says what others may do with it.", "fsopen-wfsopen";
    _fsopen(guest, filename: GuestWord, mode: GuestWord, shflag: i32) -> GuestWord {
        let (path, mode) = (read_path(guest, filename)?, guest.read_c_string(mode.0)?);
        open(guest, &path, &mode, shflag, None)
    }
    "Opens a file as a stream and says what others may do with it.", "fsopen-wfsopen";
    _wfsopen(guest, filename: GuestWord, mode: GuestWord, shflag: i32) -> GuestWord {
        let (path, mode) = (guest.read_wide_string(filename.0)?, read_wide_mode(guest, mode)?);
        open(guest, &path, &mode, shflag, None)
    }
    "Opens another file in place of a stream's own; null with `errno` when that failed.", "freopen-wfreopen";
    freopen(guest, filename: GuestWord, mode: GuestWord, stream: GuestWord) -> GuestWord {
        let (path, mode) = (read_path(guest, filename)?, guest.read_c_string(mode.0)?);
        reopen(guest, &path, &mode, stream)
    }
    "Opens another file in place of a stream's own; null with `errno` when that failed.", "freopen-wfreopen";
    _wfreopen(guest, filename: GuestWord, mode: GuestWord, stream: GuestWord) -> GuestWord {
        let (path, mode) = (guest.read_wide_string(filename.0)?, read_wide_mode(guest, mode)?);
        reopen(guest, &path, &mode, stream)
    }
    "Opens another file in place of a stream's own, and stores the stream; returns 0, or `errno`.", "freopen-s-wfreopen-s";
    freopen_s(guest, stream: GuestWord, fileName: GuestWord, mode: GuestWord, oldStream: GuestWord) -> i32 {
        let file = freopen(guest, fileName, mode, oldStream)?;
        store(guest, stream, file)
    }
    "Makes a stream of a descriptor; null with `errno` when that failed.", "fdopen-wfdopen";
    _fdopen(guest, fd: i32, mode: GuestWord) -> GuestWord {
        let mode = guest.read_c_string(mode.0)?;
        of_descriptor(guest, fd, &mode)
    }
    "Makes a stream of a descriptor; null with `errno` when that failed.", "fdopen-wfdopen";
    _wfdopen(guest, fd: i32, mode: GuestWord) -> GuestWord {
        let mode = read_wide_mode(guest, mode)?;
        of_descriptor(guest, fd, &mode)
    }
    "Writes out and closes a stream; returns 0, or `EOF`.", "fclose-fcloseall";
    fclose(guest, stream: GuestWord) -> i32 {
        stream::close(guest, stream.0)
    }
    "Closes all streams but the standard ones; returns how many.", "fclose-fcloseall";
    _fcloseall(guest) -> i32 {
        let mut closed = 0;
        for file in stream::all(guest).into_iter().skip(3) {
            let stream: FILE = guest.read(file)?;
            closed += i32::from(stream::is_open(&stream) && stream::close(guest, file)? == 0);
        }
        Ok(closed)
    }
    "Moves a stream's position; returns 0, or -1 with `errno`.", "fseek-fseeki64";
    fseek(guest, stream: GuestWord, offset: i32, origin: i32) -> i32 {
        seek(guest, stream.0, offset.into(), origin)
    }
    "Moves a stream's position; returns 0, or -1 with `errno`.", "fseek-fseeki64";
    _fseeki64(guest, stream: GuestWord, offset: i64, origin: i32) -> i32 {
        seek(guest, stream.0, offset, origin)
    }
    "Returns a stream's position, or -1 with `errno`.", "ftell-ftelli64";
    ftell(guest, stream: GuestWord) -> i32 {
        let position = tell(guest, stream.0)?;
        match i32::try_from(position) {
            Ok(position) => Ok(position),
            Err(_) => set_errno(guest, EINVAL).map(|()| -1),
        }
    }
    "Returns a stream's position, or -1 with `errno`.", "ftell-ftelli64";
    _ftelli64(guest, stream: GuestWord) -> i64 {
        tell(guest, stream.0)
    }
    "Goes to the beginning, and forgets errors.", "rewind";
    rewind(guest, stream: GuestWord) -> () {
        stream::with(guest, stream.0, |guest, file| {
            stream::seek(guest, file, 0, Whence::Start)?;
            file._flag &= !(stream::IOERR | stream::IOEOF);
            Ok(())
        })
    }
    "Stores a stream's position; returns 0, or -1 with `errno`.", "fgetpos";
    fgetpos(guest, stream: GuestWord, pos: GuestWord) -> i32 {
        let position = tell(guest, stream.0)?;
        guest.write(pos.0, &position)?;
        Ok(if position < 0 { -1 } else { 0 })
    }
    "Goes to a stored position; returns 0, or -1 with `errno`.", "fsetpos";
    fsetpos(guest, stream: GuestWord, pos: GuestWord) -> i32 {
        let position: i64 = guest.read(pos.0)?;
        seek(guest, stream.0, position, 0)
    }
    "Sets a stream's buffer: the program's, one of `size` bytes, or none. Returns 0, or -1.", "setvbuf";
    setvbuf(guest, stream: GuestWord, buffer: GuestWord, mode: i32, size: GuestWord) -> i32 {
        let is_size_good = (2..=i32::MAX as u64).contains(&size.0);
        let mode = mode as u32;
        if !matches!(mode, 0 | IOLBF | IONBF) || mode != IONBF && !is_size_good {
            return Ok(-1);
        }
        stream::with(guest, stream.0, |guest, file| set_buffer(guest, file, buffer.0, mode, size.0))
    }
    "Sets a stream's buffer of 512 bytes, or none.", "setbuf";
    setbuf(guest, stream: GuestWord, buffer: GuestWord) -> () {
        let mode = if buffer.is_null() { IONBF as i32 } else { 0 };
        setvbuf(guest, stream, buffer, mode, GuestWord(512)).map(|_| ())
    }
    "Makes a temporary file that goes away when closed; null with `errno` when that failed.", "tmpfile";
    tmpfile(guest) -> GuestWord {
        let name: Vec<u16> = format!("\\tmp{}", next_name(guest)).encode_utf16().collect();
        open(guest, &name, b"w+bDx", SH_DENYNO, None)
    }
    "Returns a name that no file has, in the program's buffer or the thread's.", "tempnam-wtempnam-tmpnam-wtmpnam";
    tmpnam(guest, str: GuestWord) -> GuestWord {
        let to = if str.is_null() { thread_block(guest)? + block::TMPNAM } else { str.0 };
        let name = next_name(guest);
        write_narrow_z(guest, to, name.as_bytes())?;
        Ok(GuestWord(to))
    }
    "Returns a name that no file has, in the program's buffer or the thread's.", "tempnam-wtempnam-tmpnam-wtmpnam";
    _wtmpnam(guest, str: GuestWord) -> GuestWord {
        let to = if str.is_null() { thread_block(guest)? + block::TMPNAM } else { str.0 };
        let name: Vec<u16> = next_name(guest).encode_utf16().collect();
        write_wide_z(guest, to, &name)?;
        Ok(GuestWord(to))
    }
    "Returns a name that no file in `dirname` has, in new memory.", "tempnam-wtempnam-tmpnam-wtmpnam";
    _tempnam(guest, dirname: GuestWord, prefix: GuestWord) -> GuestWord {
        let mut name = if dirname.is_null() { b"\\tmp".to_vec() } else { guest.read_c_string(dirname.0)? };
        name.push(b'\\');
        if !prefix.is_null() {
            name.extend(guest.read_c_string(prefix.0)?);
        }
        name.extend(next_name(guest)[2..].bytes());
        super::state::place_narrow(guest, &name).map(GuestWord)
    }
}

fn of_descriptor(guest: &mut Guest, fd: i32, mode: &[u8]) -> Result<GuestWord, Fault> {
    let Some((flags, stream_flags)) = parse_mode(mode) else {
        return set_errno(guest, EINVAL).map(|()| GuestWord::NULL);
    };
    let Some(descriptor) = fd::get_or_errno(guest, fd)? else { return Ok(GuestWord::NULL) };
    if flags & (O_BINARY | O_TEXT) != 0 {
        fd::set_text(&descriptor, flags & O_TEXT != 0);
    }
    let Some(file) = stream::claim(guest)? else {
        return set_errno(guest, super::errno::ENOMEM).map(|()| GuestWord::NULL);
    };
    stream::begin(guest, file, fd, stream_flags)?;
    Ok(GuestWord(file))
}

fn set_buffer(guest: &mut Guest, file: &mut FILE, buffer: u64, mode: u32, size: u64) -> Result<i32, Fault> {
    stream::flush(guest, file)?;
    stream::release_buffer(guest, file);
    if mode == IONBF {
        file._flag |= IONBF;
        return Ok(0);
    }
    let address = if buffer != 0 { Some(buffer) } else { super::state::allocate(guest, size) };
    let Some(address) = address else { return Ok(-1) };
    file._flag |= if buffer != 0 { IOYOURBUF } else { stream::IOMYBUF };
    file._base = GuestWord(address);
    file._ptr = file._base;
    file._bufsiz = size as i32;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_parsed() {
        let cases = [
            (b"r".as_slice(), Some((0, IOREAD))),
            (b"rb", Some((O_BINARY, IOREAD))),
            (b"w+b", Some((O_RDWR | O_CREAT | O_TRUNC | O_BINARY, IORW))),
            (b"wb+", Some((O_RDWR | O_CREAT | O_TRUNC | O_BINARY, IORW))),
            (b"at", Some((O_WRONLY | O_CREAT | O_APPEND | O_TEXT, IOWRT))),
            (b"r, ccs=UTF-8", Some((0, IOREAD))),
            (b"", None),
            (b"q", None),
        ];
        for (mode, expected) in cases {
            assert_eq!(parse_mode(mode), expected, "{}", String::from_utf8_lossy(mode));
        }
    }
}
