//! File descriptors: small numbers for handles, with text mode (CR LF, Ctrl-Z), append mode and devices.
//!
//! Key types: [`Descriptors`], [`Open`]. `io.rs` exports the functions.
//!
//! Three locks, taken in this order: that of a descriptor's transfers, which a thread holds as long as it waits for a
//! pipe; that of the table; that of a descriptor's state. The last two are never held while anybody waits.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bitflags::bitflags;
use plat_abi::{Fault, Memory};

use super::errno::{EBADF, EMFILE};
use super::handles::{self, Kind, Whence};
use super::ioinfo::{self, Told};
use super::state::{crt, set_errno, set_win32_errno};
use crate::Win32Error;
use crate::guest::Guest;

/// How many descriptors there may be.
const DESCRIPTORS_MAX: usize = 2048;
/// The most that is copied through the host in one piece, in bytes.
const PIECE: u64 = 1 << 18;
const CTRL_Z: u8 = 0x1a;

bitflags! {
    /// How a descriptor behaves.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(crate) struct Mode: u32 {
        /// Every write goes to the end of the file.
        const APPEND = 1;
        /// Lines end with CR LF in the file, with LF in the program.
        const TEXT = 2;
        /// Text mode has met Ctrl-Z: there is nothing more to read.
        const END = 4;
        /// A console or another character device.
        const DEVICE = 8;
        /// A pipe.
        const PIPE = 16;
        /// The file is removed when closed.
        const TEMPORARY = 32;
    }
}

/// An open descriptor.
#[derive(Debug, Default)]
pub(crate) struct Open {
    /// Held while text is read or written, or the position changes.
    transfer: Mutex<()>,
    state: Mutex<Descriptor>,
}

/// What there is to know of a descriptor.
#[derive(Debug, Default)]
struct Descriptor {
    /// The Windows handle.
    handle: u64,
    /// How it behaves.
    mode: Mode,
    /// A byte read ahead in text mode: what came after a CR at the end of a piece.
    ahead: Option<u8>,
    /// The bytes of the last read in text mode as they stand in the file: `ftell` counts in them.
    raw: Vec<u8>,
    /// What `__pioinfo` was told.
    told: Option<Told>,
}

impl Descriptor {
    fn new(handle: u64, mode: Mode) -> Self {
        Self { handle, mode, ..Self::default() }
    }

    /// Takes over what the program wrote into `__pioinfo`.
    fn follow(&mut self, now: Option<Told>) {
        if let (Some(told), Some(now)) = (self.told, now)
            && told != now
        {
            *self = Self { told: Some(now), ..Self::new(now.handle, now.mode()) };
        }
    }
}

impl Open {
    fn new(handle: u64, mode: Mode) -> Shared {
        Arc::new(Self { transfer: Mutex::new(()), state: Mutex::new(Descriptor::new(handle, mode)) })
    }

    fn state(&self) -> MutexGuard<'_, Descriptor> {
        lock(&self.state)
    }
}

type Shared = Arc<Open>;

/// All descriptors by number.
#[derive(Default)]
pub(crate) struct Descriptors {
    table: Mutex<Vec<Option<Shared>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the mode bits that a handle's kind gives.
fn kind_mode(kind: Kind) -> Mode {
    match kind {
        Kind::Disk => Mode::empty(),
        Kind::Character => Mode::DEVICE,
        Kind::Pipe => Mode::PIPE,
    }
}

/// Opens the descriptors that the parent's runtime left, and 0, 1 and 2 for the standard handles, in text mode.
pub(crate) fn attach(guest: &mut Guest) {
    let mut table: Vec<Option<Shared>> = Vec::new();
    for entry in super::spawn::inherited(guest).unwrap_or_default().into_iter().take(DESCRIPTORS_MAX) {
        let open = entry.and_then(|(handle, mode)| {
            let kind = handles::kind(guest, handle).ok()?;
            Some(Open::new(handle, mode | kind_mode(kind)))
        });
        table.push(open);
    }
    table.resize(table.len().max(3), None);
    for (index, slot) in table.iter_mut().enumerate().take(3) {
        if slot.is_some() {
            continue;
        }
        let handle = handles::standard(guest, index);
        let kind = handles::kind(guest, handle);
        *slot = kind.ok().map(|kind| Open::new(handle, Mode::TEXT | kind_mode(kind)));
    }
    for (index, shared) in table.iter().enumerate() {
        if let Some(shared) = shared {
            tell(guest, index, shared);
        }
    }
    *lock(&crt(guest).descriptors.table) = table;
}

/// Tells `__pioinfo` of a descriptor.
fn tell(guest: &Guest, index: usize, shared: &Shared) {
    let mut descriptor = shared.state();
    descriptor.told = ioinfo::tell(guest, index as i32, descriptor.handle, descriptor.mode);
}

/// Returns handle and mode of all descriptors by number.
pub(crate) fn all(guest: &Guest) -> Vec<Option<(u64, Mode)>> {
    let count = lock(&crt(guest).descriptors.table).len() as i32;
    let of = |fd| {
        let shared = get(guest, fd)?;
        let descriptor = shared.state();
        Some((descriptor.handle, descriptor.mode))
    };
    (0..count).map(of).collect()
}

/// Returns an open descriptor.
pub(crate) fn get(guest: &Guest, fd: i32) -> Option<Shared> {
    let shared = lock(&crt(guest).descriptors.table).get(usize::try_from(fd).ok()?)?.clone()?;
    shared.state().follow(ioinfo::look(guest, fd));
    Some(shared)
}

/// Returns an open descriptor, or sets `errno` to EBADF.
pub(crate) fn get_or_errno(guest: &mut Guest, fd: i32) -> Result<Option<Shared>, Fault> {
    let found = get(guest, fd);
    if found.is_none() {
        set_errno(guest, EBADF)?;
    }
    Ok(found)
}

/// Returns the mode of a descriptor; none is empty.
pub(crate) fn mode(guest: &Guest, fd: i32) -> Mode {
    get(guest, fd).map_or(Mode::empty(), |descriptor| descriptor.state().mode)
}

/// Changes the translation mode; returns whether it was text before.
pub(crate) fn set_text(descriptor: &Shared, text: bool) -> bool {
    let mut descriptor = descriptor.state();
    let was = descriptor.mode.contains(Mode::TEXT);
    descriptor.mode.set(Mode::TEXT, text);
    was
}

/// Returns the handle of a descriptor.
pub(crate) fn handle(descriptor: &Shared) -> u64 {
    descriptor.state().handle
}

/// Gives a handle the lowest free number, or -1 with `errno` EMFILE.
pub(crate) fn insert(guest: &mut Guest, handle: u64, mode: Mode) -> Result<i32, Fault> {
    let kind = handles::kind(guest, handle).map(kind_mode).unwrap_or_default();
    let shared = Open::new(handle, mode | kind);
    let mut table = lock(&crt(guest).descriptors.table);
    let index = table.iter().position(Option::is_none).unwrap_or(table.len());
    if index >= DESCRIPTORS_MAX {
        drop(table);
        set_errno(guest, EMFILE)?;
        return Ok(-1);
    }
    if index == table.len() {
        table.push(None);
    }
    // Told before anybody else can have the number.
    tell(guest, index, &shared);
    table[index] = Some(shared);
    Ok(index as i32)
}

/// Puts a handle at a given number, and closes what was there; says whether there is such a number.
pub(crate) fn put_at(guest: &Guest, fd: i32, handle: u64, mode: Mode) -> bool {
    let Some(index) = usize::try_from(fd).ok().filter(|&index| index < DESCRIPTORS_MAX) else { return false };
    let current = get(guest, fd);
    let shared = Open::new(handle, mode);
    let replaced = {
        let mut table = lock(&crt(guest).descriptors.table);
        if table.len() <= index {
            table.resize(index + 1, None);
        }
        let before = table[index].take().and(current);
        tell(guest, index, &shared);
        table[index] = Some(shared);
        before.and_then(|before| last_handle(&table, &before))
    };
    if let Some(handle) = replaced {
        // `dup2` does not tell what closing the other file brought.
        let _ = handles::close(guest, handle);
    }
    true
}

/// Closes a descriptor and its handle; returns 0, or -1 with `errno`.
pub(crate) fn close(guest: &mut Guest, fd: i32) -> Result<i32, Fault> {
    // What the program put in the place of the handle is what it means.
    let current = get(guest, fd);
    let taken = {
        let mut table = lock(&crt(guest).descriptors.table);
        let slot = usize::try_from(fd).ok().and_then(|index| table.get_mut(index)?.take());
        let taken = slot.and(current);
        if taken.is_some() {
            // Forgotten before anybody else can have the number.
            ioinfo::forget(guest, fd);
        }
        taken.map(|descriptor| last_handle(&table, &descriptor))
    };
    let Some(handle) = taken else {
        set_errno(guest, EBADF)?;
        return Ok(-1);
    };
    let closed = handle.map_or(Ok(()), |handle| handles::close(guest, handle));
    finish(guest, closed.map(|()| 0))
}

/// Returns the handle of a descriptor that is not in the table any more, if no other has it too: stdout and stderr may
/// share one handle, which the last of them closes.
fn last_handle(table: &[Option<Shared>], descriptor: &Shared) -> Option<u64> {
    let handle = descriptor.state().handle;
    let is_shared = table.iter().flatten().any(|other| other.state().handle == handle);
    (!is_shared).then_some(handle)
}

/// Turns a native result into the runtime's: the value, or -1 with `errno`.
pub(crate) fn finish(guest: &mut Guest, result: Result<i32, Win32Error>) -> Result<i32, Fault> {
    match result {
        Ok(value) => Ok(value),
        Err(error) => set_win32_errno(guest, error).map(|()| -1),
    }
}

/// Writes bytes of the program (LF) to a descriptor; returns how many of them, or -1 with `errno`.
pub(crate) fn write_to(guest: &mut Guest, fd: i32, bytes: &[u8]) -> Result<i32, Fault> {
    let Some(descriptor) = get_or_errno(guest, fd)? else { return Ok(-1) };
    let result = write_locked(guest, &descriptor, bytes);
    finish(guest, result.map(|count| count as i32))
}

fn write_locked(guest: &mut Guest, descriptor: &Shared, bytes: &[u8]) -> Result<usize, Win32Error> {
    let _transfer = lock(&descriptor.transfer);
    let (handle, mode) = handle_and_mode(descriptor);
    if bytes.is_empty() {
        return Ok(0);
    }
    if mode.contains(Mode::APPEND) {
        // What cannot be sought (a pipe, a console) is at its end anyway.
        let _ = handles::seek(guest, handle, 0, Whence::End);
    }
    if !mode.contains(Mode::TEXT) {
        return handles::write(guest, handle, bytes);
    }
    let translated = to_file_lines(bytes);
    let written = handles::write(guest, handle, &translated)?;
    Ok(if written >= translated.len() { bytes.len() } else { count_program_bytes(bytes, written) })
}

/// Writes guest memory to a descriptor; returns how many bytes, or -1 with `errno`.
pub(crate) fn write_guest(guest: &mut Guest, fd: i32, address: u64, length: u64) -> Result<i32, Fault> {
    let Some(descriptor) = get_or_errno(guest, fd)? else { return Ok(-1) };
    let (handle, mode) = handle_and_mode(&descriptor);
    if !mode.intersects(Mode::TEXT | Mode::APPEND) && length > 0 {
        let written = handles::write_from_guest(guest, handle, address, length);
        return finish(guest, written.map(|count| count as i32));
    }
    let mut done = 0;
    while done < length {
        let piece = PIECE.min(length - done);
        let bytes = guest.read_vec(address.wrapping_add(done), piece)?;
        let written = write_to(guest, fd, &bytes)?;
        if written < 0 {
            return Ok(if done > 0 { done as i32 } else { -1 });
        }
        done += written as u64;
        if (written as u64) < piece {
            break;
        }
    }
    Ok(done as i32)
}

/// Reads from a descriptor to guest memory; returns how many bytes, 0 at the end, or -1 with `errno`.
pub(crate) fn read_guest(guest: &mut Guest, fd: i32, address: u64, length: u64) -> Result<i32, Fault> {
    let Some(descriptor) = get_or_errno(guest, fd)? else { return Ok(-1) };
    if let Some(handle) = binary_handle(&descriptor) {
        let read = match handles::read_to_guest(guest, handle, address, length) {
            Err(Win32Error::BROKEN_PIPE | Win32Error::HANDLE_EOF) => Ok(0),
            other => other,
        };
        return finish(guest, read.map(|count| count as i32));
    }
    let mut done = 0;
    while done < length {
        let wanted = PIECE.min(length - done) as usize;
        let result = read_locked(guest, &descriptor, wanted);
        let bytes = match result {
            Ok(bytes) => bytes,
            Err(_) if done > 0 => break,
            Err(error) => return finish(guest, Err(error)),
        };
        guest.write_bytes(address.wrapping_add(done), &bytes)?;
        done += bytes.len() as u64;
        // A pipe or a console may give less than is asked for: what is there is enough.
        if bytes.len() < wanted {
            break;
        }
    }
    Ok(done as i32)
}

/// Returns the handle of a descriptor that needs no translation and has read nothing ahead.
fn binary_handle(descriptor: &Shared) -> Option<u64> {
    let descriptor = descriptor.state();
    let is_plain = !descriptor.mode.contains(Mode::TEXT) && descriptor.ahead.is_none();
    is_plain.then_some(descriptor.handle)
}

fn handle_and_mode(descriptor: &Shared) -> (u64, Mode) {
    let descriptor = descriptor.state();
    (descriptor.handle, descriptor.mode)
}

fn read_locked(guest: &mut Guest, descriptor: &Shared, wanted: usize) -> Result<Vec<u8>, Win32Error> {
    let _transfer = lock(&descriptor.transfer);
    let (handle, mode) = handle_and_mode(descriptor);
    if mode.contains(Mode::END) || wanted == 0 {
        return Ok(Vec::new());
    }
    let ahead = descriptor.state().ahead.take();
    let mut raw: Vec<u8> = ahead.into_iter().collect();
    let start = raw.len();
    raw.resize(wanted.max(start), 0);
    let count =
        read_or_end(guest, handle, &mut raw[start..]).inspect_err(|_| descriptor.state().ahead = ahead)?;
    raw.truncate(start + count);
    if !mode.contains(Mode::TEXT) || raw.is_empty() {
        return Ok(raw);
    }
    let mut beyond = None;
    if raw.last() == Some(&b'\r') {
        let mut next = [0];
        if read_or_end(guest, handle, &mut next)? == 1 {
            if next[0] == b'\n' { raw.push(b'\n') } else { beyond = Some(next[0]) }
        }
    }
    let text = to_program_lines(&raw, mode.contains(Mode::DEVICE));
    raw.truncate(text.raw_length);
    let mut state = descriptor.state();
    state.ahead = beyond;
    state.mode.set(Mode::END, text.ended);
    state.raw = raw;
    Ok(text.bytes)
}

/// Reads; the end of a pipe whose writer is gone is an end, not an error.
fn read_or_end(guest: &mut Guest, handle: u64, into: &mut [u8]) -> Result<usize, Win32Error> {
    match handles::read(guest, handle, into) {
        Err(Win32Error::BROKEN_PIPE | Win32Error::HANDLE_EOF) => Ok(0),
        other => other,
    }
}

/// Moves a descriptor's position; returns the new one, or -1 with `errno`.
pub(crate) fn seek(guest: &mut Guest, fd: i32, offset: i64, whence: Whence) -> Result<i64, Fault> {
    let Some(descriptor) = get_or_errno(guest, fd)? else { return Ok(-1) };
    let result = {
        let _transfer = lock(&descriptor.transfer);
        let (handle, is_ahead) = {
            let state = descriptor.state();
            (state.handle, state.ahead.is_some())
        };
        let ahead = i64::from(whence == Whence::Current && is_ahead);
        let is_query = whence == Whence::Current && offset == 0;
        let moved = handles::seek(guest, handle, if is_query { 0 } else { offset - ahead }, whence);
        if moved.is_ok() && !is_query {
            let mut state = descriptor.state();
            state.ahead = None;
            state.mode.remove(Mode::END);
        }
        moved.map(|position| position as i64 - if is_query { ahead } else { 0 })
    };
    match result {
        Ok(position) => Ok(position),
        Err(error) => set_win32_errno(guest, error).map(|()| -1),
    }
}

/// Returns how many bytes of the file the last read in text mode took, and how many of them stand for the first
/// `read` bytes that the program got.
pub(crate) fn raw_lengths(guest: &Guest, fd: i32, read: usize) -> (u64, u64) {
    let Some(descriptor) = get(guest, fd) else { return (0, 0) };
    let descriptor = descriptor.state();
    let (mut at, mut given) = (0, 0);
    while at < descriptor.raw.len() && given < read {
        at += if descriptor.raw[at..].starts_with(b"\r\n") { 2 } else { 1 };
        given += 1;
    }
    (descriptor.raw.len() as u64, at as u64)
}

/// Puts a CR before each LF.
fn to_file_lines(bytes: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(bytes.len() + bytes.len() / 16 + 8);
    for &byte in bytes {
        if byte == b'\n' {
            lines.push(b'\r');
        }
        lines.push(byte);
    }
    lines
}

/// Returns how many of the program's bytes were written when the file took `written`.
fn count_program_bytes(bytes: &[u8], written: usize) -> usize {
    let mut in_file = 0;
    for (index, &byte) in bytes.iter().enumerate() {
        in_file += if byte == b'\n' { 2 } else { 1 };
        if in_file > written {
            return index;
        }
    }
    bytes.len()
}

/// What text mode makes of a piece of a file.
struct Text {
    bytes: Vec<u8>,
    /// Whether Ctrl-Z ended it.
    ended: bool,
    /// How many bytes of the file count as read.
    raw_length: usize,
}

/// Drops the CR of each CR LF and ends at Ctrl-Z, which a device returns as a byte when it is not the first.
fn to_program_lines(raw: &[u8], is_device: bool) -> Text {
    let mut bytes = Vec::with_capacity(raw.len());
    for (index, &byte) in raw.iter().enumerate() {
        if byte == CTRL_Z && (!is_device || index == 0) {
            return Text { bytes, ended: !is_device, raw_length: index };
        }
        if byte != b'\r' || raw.get(index + 1) != Some(&b'\n') {
            bytes.push(byte);
        }
    }
    Text { bytes, ended: false, raw_length: raw.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_translated_both_ways() {
        let cases: [(&[u8], &[u8], bool); 6] = [
            (b"a\r\nb", b"a\nb", false),
            (b"a\rb\r", b"a\rb\r", false),
            (b"\r\r\n", b"\r\n", false),
            (b"a\x1ab", b"a", true),
            (b"\n", b"\n", false),
            (b"", b"", false),
        ];
        for (raw, expected, ended) in cases {
            let text = to_program_lines(raw, false);
            assert_eq!((text.bytes.as_slice(), text.ended), (expected, ended), "{raw:?}");
        }
        assert_eq!(to_file_lines(b"a\n\nb"), b"a\r\n\r\nb");
    }

    #[test]
    fn partial_writes_count_in_the_programs_bytes() {
        let written = |count| count_program_bytes(b"a\nb", count);
        assert_eq!([written(0), written(1), written(2), written(3), written(4)], [0, 1, 1, 2, 3]);
    }
}
