//! Streams: `FILE` structures in guest memory, with a buffer that old programs' `getc` and `putc` macros reach into.
//!
//! While a stream reads, `_cnt` bytes at `_ptr` are left; while it writes, `_cnt` bytes at `_ptr` are free. The
//! functions here expect the stream's lock to be held; `stdio.rs` takes it.
//! Source: `stdio.h` of the Windows SDK and of mingw-w64 (layout, flags, the macros of getc and putc).

use plat_abi::{Fault, GuestStruct, GuestWord, Machine, Memory};

use super::data::IOB_COUNT;
use super::errno::EBADF;
use super::fd::{self, Mode};
use super::handles::Whence;
use super::state::{allocate, crt, set_errno, variable};
use crate::guest::Guest;
use crate::nt::critical_section::CriticalSection;

/// `FILE`: 32 bytes in a 32-bit guest, 48 in a 64-bit one.
#[derive(GuestStruct, Clone, Copy, Debug, Default)]
#[allow(clippy::upper_case_acronyms, reason = "the name in stdio.h")]
pub(crate) struct FILE {
    pub(crate) _ptr: GuestWord,
    pub(crate) _cnt: i32,
    pub(crate) _base: GuestWord,
    pub(crate) _flag: u32,
    pub(crate) _file: i32,
    pub(crate) _charbuf: i32,
    pub(crate) _bufsiz: i32,
    pub(crate) _tmpfname: GuestWord,
}

/// The stream reads.
pub(crate) const IOREAD: u32 = 1;
/// The stream writes.
pub(crate) const IOWRT: u32 = 2;
/// No buffer.
pub(crate) const IONBF: u32 = 4;
/// The buffer was allocated here.
pub(crate) const IOMYBUF: u32 = 8;
/// The end was met.
pub(crate) const IOEOF: u32 = 0x10;
/// An error was met.
pub(crate) const IOERR: u32 = 0x20;
/// Line buffering, which Windows treats as full buffering.
pub(crate) const IOLBF: u32 = 0x40;
/// The stream may read and write.
pub(crate) const IORW: u32 = 0x80;
/// The buffer is the program's.
pub(crate) const IOYOURBUF: u32 = 0x100;

/// Somebody is about to open the stream (`_IOLOCKED`).
const IOLOCKED: u32 = 0x8000;

/// The size of a buffer that the runtime allocates, in bytes.
const BUFFER_SIZE: i32 = 4096;
/// The end, as `fgetc` returns it.
pub(crate) const EOF: i32 = -1;

/// Returns the size of a `FILE`.
pub(crate) fn size(machine: Machine) -> u64 {
    FILE::size(machine)
}

/// Returns the bytes of `_iob` at load: three open streams.
pub(crate) fn initial(machine: Machine) -> Vec<u8> {
    let mut bytes = vec![0; (IOB_COUNT * size(machine)) as usize];
    let (flag, file) = if machine.is_64() { (24, 28) } else { (12, 16) };
    for (index, flags) in [IOREAD, IOWRT, IOWRT | IONBF].into_iter().enumerate() {
        let at = index * size(machine) as usize;
        bytes[at + flag..at + flag + 4].copy_from_slice(&flags.to_le_bytes());
        bytes[at + file] = index as u8;
    }
    bytes
}

/// Returns where `_iob` lies.
pub(crate) fn iob(guest: &Guest) -> u64 {
    *crt(guest).iob.get_or_init(|| variable(guest, "_iob"))
}

impl FILE {
    pub(crate) fn has(&self, flags: u32) -> bool {
        self._flag & flags != 0
    }

    /// Says whether there is a buffer of more than one byte.
    fn is_buffered(&self) -> bool {
        self.has(IOMYBUF | IOYOURBUF)
    }

    /// Returns how many bytes lie in the buffer before the pointer.
    pub(crate) fn before(&self) -> u64 {
        self._ptr.0.wrapping_sub(self._base.0)
    }

    fn empty_buffer(&mut self) {
        self._ptr = self._base;
        self._cnt = 0;
    }
}

/// Gives a stream its buffer if it has none and should have one. `file` is the stream's address.
fn get_buffer(guest: &Guest, file: u64, stream: &mut FILE) {
    if stream.is_buffered() || stream._base.0 != 0 {
        return;
    }
    let allocated = if stream.has(IONBF) { None } else { allocate(guest, BUFFER_SIZE as u64) };
    match allocated {
        Some(address) => {
            stream._base = GuestWord(address);
            stream._bufsiz = BUFFER_SIZE;
            stream._flag |= IOMYBUF;
        }
        None => {
            // One byte of room within the structure itself.
            let offset = if guest.machine().is_64() { 32 } else { 20 };
            stream._base = GuestWord(file + offset);
            stream._bufsiz = 1;
            stream._flag |= IONBF;
        }
    }
    stream.empty_buffer();
}

/// Reads the next piece into the buffer; false at the end or on an error.
pub(crate) fn fill(guest: &mut Guest, file: u64, stream: &mut FILE) -> Result<bool, Fault> {
    if !stream.has(IOREAD | IORW) || stream.has(IOWRT) {
        if stream.has(IOWRT) {
            stream._flag |= IOERR;
        }
        stream._cnt = 0;
        return Ok(false);
    }
    stream._flag |= IOREAD;
    get_buffer(guest, file, stream);
    stream._ptr = stream._base;
    let count = fd::read_guest(guest, stream._file, stream._base.0, stream._bufsiz as u64)?;
    stream._cnt = count.max(0);
    stream._flag |= match count {
        0 => IOEOF,
        -1 => IOERR,
        _ => 0,
    };
    Ok(count > 0)
}

/// Takes one byte; `None` at the end or on an error.
pub(crate) fn take(guest: &mut Guest, file: u64, stream: &mut FILE) -> Result<Option<u8>, Fault> {
    if stream._cnt <= 0 && !fill(guest, file, stream)? {
        return Ok(None);
    }
    let byte: u8 = guest.read(stream._ptr.0)?;
    stream._ptr.0 += 1;
    stream._cnt -= 1;
    Ok(Some(byte))
}

/// Puts a byte back; false when there is no room.
pub(crate) fn put_back(guest: &mut Guest, file: u64, stream: &mut FILE, byte: u8) -> Result<bool, Fault> {
    let may = stream.has(IOREAD) || stream.has(IORW) && !stream.has(IOWRT);
    if !may {
        return Ok(false);
    }
    get_buffer(guest, file, stream);
    if stream._ptr == stream._base {
        if stream._cnt > 0 {
            return Ok(false);
        }
        stream._ptr.0 += 1;
    }
    stream._ptr.0 -= 1;
    stream._cnt = stream._cnt.max(0) + 1;
    stream._flag = stream._flag & !IOEOF | IOREAD;
    guest.write(stream._ptr.0, &byte)?;
    Ok(true)
}

/// Prepares a stream for writing; false when it cannot.
fn begin_write(guest: &mut Guest, file: u64, stream: &mut FILE) -> Result<bool, Fault> {
    if !stream.has(IOWRT | IORW) {
        stream._flag |= IOERR;
        set_errno(guest, EBADF)?;
        return Ok(false);
    }
    if stream.has(IOREAD) {
        // Only at the end, or after a seek, may a stream turn from reading to writing.
        if !stream.has(IOEOF) {
            stream._flag |= IOERR;
            return Ok(false);
        }
        stream._flag &= !IOREAD;
        stream.empty_buffer();
    }
    stream._flag = stream._flag & !IOEOF | IOWRT;
    let is_output = file == iob(guest) + size(guest.machine());
    let is_console = is_output && fd::mode(guest, stream._file).contains(Mode::DEVICE);
    if !is_console {
        get_buffer(guest, file, stream);
    }
    Ok(true)
}

/// Writes bytes to a stream; returns how many.
pub(crate) fn put(guest: &mut Guest, file: u64, stream: &mut FILE, bytes: &[u8]) -> Result<usize, Fault> {
    if bytes.is_empty() || !begin_write(guest, file, stream)? {
        return Ok(0);
    }
    if !stream.is_buffered() {
        stream._cnt = 0;
        return put_through(guest, stream, bytes);
    }
    let size = u64::from(stream._bufsiz.unsigned_abs());
    let room = size.saturating_sub(stream.before());
    if bytes.len() as u64 > room {
        if !flush(guest, stream)? {
            return Ok(0);
        }
        stream._flag |= IOWRT;
        if bytes.len() as u64 >= size {
            return put_through(guest, stream, bytes);
        }
    }
    guest.write_bytes(stream._ptr.0, bytes)?;
    stream._ptr.0 += bytes.len() as u64;
    stream._cnt = size.saturating_sub(stream.before()) as i32;
    Ok(bytes.len())
}

/// Writes past the buffer, which is empty.
fn put_through(guest: &mut Guest, stream: &mut FILE, bytes: &[u8]) -> Result<usize, Fault> {
    let written = fd::write_to(guest, stream._file, bytes)?;
    if written < bytes.len() as i32 {
        stream._flag |= IOERR;
    }
    Ok(written.max(0) as usize)
}

/// Writes out what the buffer holds, and empties it; false when that failed.
pub(crate) fn flush(guest: &mut Guest, stream: &mut FILE) -> Result<bool, Fault> {
    let mut done = true;
    if stream._flag & (IOREAD | IOWRT) == IOWRT && stream.is_buffered() {
        let length = stream.before();
        if length > 0 {
            let written = fd::write_guest(guest, stream._file, stream._base.0, length)?;
            done = written == length as i32;
        }
        if !done {
            stream._flag |= IOERR;
        } else if stream.has(IORW) {
            stream._flag &= !IOWRT;
        }
    }
    stream.empty_buffer();
    Ok(done)
}

/// Moves a stream's position; false with `errno` when that failed.
pub(crate) fn seek(guest: &mut Guest, stream: &mut FILE, offset: i64, whence: Whence) -> Result<bool, Fault> {
    stream._flag &= !IOEOF;
    let (offset, whence) = match whence {
        Whence::Current => match tell(guest, stream)? {
            -1 => return Ok(false),
            position => (position + offset, Whence::Start),
        },
        other => (offset, other),
    };
    flush(guest, stream)?;
    if stream.has(IORW) {
        stream._flag &= !(IOREAD | IOWRT);
    }
    Ok(fd::seek(guest, stream._file, offset, whence)? != -1)
}

/// Returns a stream's position in the file, or -1 with `errno`.
pub(crate) fn tell(guest: &mut Guest, stream: &FILE) -> Result<i64, Fault> {
    let position = fd::seek(guest, stream._file, 0, Whence::Current)?;
    if position < 0 || !stream.is_buffered() {
        return Ok(if position < 0 { -1 } else { position - i64::from(stream._cnt.max(0)) });
    }
    let is_text = fd::mode(guest, stream._file).contains(Mode::TEXT);
    if stream.has(IOWRT) {
        let held = guest.read_vec(stream._base.0, stream.before())?;
        let breaks = held.iter().filter(|&&byte| byte == b'\n').count();
        return Ok(position + held.len() as i64 + if is_text { breaks as i64 } else { 0 });
    }
    if stream._cnt <= 0 {
        return Ok(position);
    }
    if !is_text {
        return Ok(position - i64::from(stream._cnt));
    }
    let (all, before) = fd::raw_lengths(guest, stream._file, stream.before() as usize);
    Ok(position - all as i64 + before as i64)
}

/// Runs `work` on a stream under its lock, and writes the structure back.
pub(crate) fn with<T>(
    guest: &mut Guest,
    file: u64,
    work: impl FnOnce(&mut Guest, &mut FILE) -> Result<T, Fault>,
) -> Result<T, Fault> {
    super::locks::with_stream(guest, file, |guest| {
        let mut stream: FILE = guest.read(file)?;
        let result = work(guest, &mut stream)?;
        guest.write(file, &stream)?;
        Ok(result)
    })
}

/// Returns the addresses of all streams, used or not.
pub(crate) fn all(guest: &Guest) -> Vec<u64> {
    let (first, size) = (iob(guest), size(guest.machine()));
    let extra = crt(guest).extra_streams.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    (0..IOB_COUNT).map(|index| first + index * size).chain(extra).collect()
}

/// Says whether a stream is open.
pub(crate) fn is_open(stream: &FILE) -> bool {
    stream.has(IOREAD | IOWRT | IORW)
}

/// Takes a closed stream, or makes one, which nobody else is given before it was opened and closed, or
/// [`give_back`]; `None` when memory is short.
pub(crate) fn claim(guest: &mut Guest) -> Result<Option<u64>, Fault> {
    // The first three are never given to fopen while the program may reopen them.
    for file in all(guest).into_iter().skip(3) {
        let stream: FILE = guest.read(file)?;
        if is_free(&stream) && with(guest, file, |_, stream| Ok(claim_one(stream)))? {
            return Ok(Some(file));
        }
    }
    let (machine, size) = (guest.machine(), size(guest.machine()));
    let all = size + CriticalSection::size(machine);
    let Some(file) = guest.process().heaps.allocate(0, all, true) else { return Ok(None) };
    guest.write(file, &FILE { _flag: IOLOCKED, ..FILE::default() })?;
    CriticalSection::at(machine, file + size).initialize(0)?;
    crt(guest).extra_streams.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(file);
    Ok(Some(file))
}

/// Takes a stream if it is free; says whether it was.
fn claim_one(stream: &mut FILE) -> bool {
    let is_free = is_free(stream);
    if is_free {
        stream._flag = IOLOCKED;
    }
    is_free
}

/// Says whether a stream is closed and nobody is about to open it.
fn is_free(stream: &FILE) -> bool {
    !is_open(stream) && !stream.has(IOLOCKED)
}

/// Gives back a stream that was claimed and not opened.
pub(crate) fn give_back(guest: &mut Guest, file: u64) -> Result<(), Fault> {
    with(guest, file, |_, stream| {
        stream._flag &= !IOLOCKED;
        Ok(())
    })
}

/// Makes a stream of a descriptor that has just been opened.
pub(crate) fn begin(guest: &mut Guest, file: u64, descriptor: i32, flags: u32) -> Result<(), Fault> {
    with(guest, file, |_, stream| {
        *stream = FILE { _flag: flags, _file: descriptor, ..FILE::default() };
        Ok(())
    })
}

/// Writes out all streams; returns how many are open.
pub(crate) fn flush_all(guest: &mut Guest) -> Result<i32, Fault> {
    let mut open = 0;
    for file in all(guest) {
        let stream: FILE = guest.read(file)?;
        if is_open(&stream) {
            open += 1;
            if stream.has(IOWRT) {
                with(guest, file, flush)?;
            }
        }
    }
    Ok(open)
}

/// Writes out all streams at the end of the program, and closes all but the standard ones, which removes temporary files.
pub(crate) fn finish_all(guest: &mut Guest) -> Result<(), Fault> {
    for (index, file) in all(guest).into_iter().enumerate() {
        let stream: FILE = guest.read(file)?;
        let is_standard = index < 3;
        if is_open(&stream) && (stream.has(IOWRT) || !is_standard) {
            super::locks::with_stream_at_end(guest, file, |guest| {
                if is_standard {
                    with(guest, file, flush).map(|_| ())
                } else {
                    close(guest, file).map(|_| ())
                }
            })?;
        }
    }
    Ok(())
}

/// Closes a stream; returns 0, or `EOF`.
pub(crate) fn close(guest: &mut Guest, file: u64) -> Result<i32, Fault> {
    with(guest, file, |guest, stream| {
        if !is_open(stream) {
            return Ok(EOF);
        }
        let flushed = flush(guest, stream)?;
        release_buffer(guest, stream);
        let closed = fd::close(guest, stream._file)?;
        stream._flag = 0;
        if stream._tmpfname.0 != 0 {
            guest.process().heaps.free(0, stream._tmpfname.0);
            stream._tmpfname = GuestWord::NULL;
        }
        Ok(if flushed && closed == 0 { 0 } else { EOF })
    })
}

/// Gives back the buffer that the runtime allocated.
pub(crate) fn release_buffer(guest: &Guest, stream: &mut FILE) {
    if stream.has(IOMYBUF) {
        guest.process().heaps.free(0, stream._base.0);
    }
    stream._flag &= !(IOMYBUF | IOYOURBUF | IONBF | IOLBF);
    stream._base = GuestWord::NULL;
    stream.empty_buffer();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iob_begins_with_the_three_standard_streams() {
        for (machine, size_expected) in [(Machine::I386, 32), (Machine::Amd64, 48)] {
            assert_eq!(size(machine), size_expected);
            let bytes = initial(machine);
            assert_eq!(bytes.len() as u64, IOB_COUNT * size_expected);
            let nonzero: Vec<(usize, u8)> =
                bytes.iter().copied().enumerate().filter(|&(_, byte)| byte != 0).collect();
            let s = size_expected as usize;
            let (flag, file) = if machine.is_64() { (24, 28) } else { (12, 16) };
            let expected = [(flag, 1), (s + flag, 2), (s + file, 1), (2 * s + flag, 6), (2 * s + file, 2)];
            assert_eq!(nonzero, expected);
        }
    }
}
