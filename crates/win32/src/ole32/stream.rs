//! objidl.h, combaseapi.h: `IStream` over global memory, borrowed memory and files.
//!
//! Key type: [`Stream`], which windowscodecs.dll and shlwapi.dll use too. A clone shares the bytes and has a position of
//! its own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plat_abi::{Fault, GuestStruct, GuestWord, Memory, winapi};

use crate::com::{self, Class, ComError, Component, Guid, Methods, fail, guid, result};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::kernel32::heapapi;
use crate::nt::file::FileObject;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full CreateStreamOnHGlobal;
    full GetHGlobalFromStream;
};

/// The methods of `ISequentialStream` and `IStream`.
pub const ROWS: &[Export] = dll! {
    full IStream_Read;
    full IStream_Write;
    full IStream_Seek;
    full IStream_SetSize;
    full IStream_CopyTo;
    full IStream_Commit;
    full IStream_Revert;
    full IStream_LockRegion;
    full IStream_UnlockRegion;
    full IStream_Stat;
    full IStream_Clone;
};

/// The part of a virtual function table that is `IStream`'s.
pub const METHODS: Methods = Methods { dll: "ole32.dll", rows: ROWS };

/// `ISequentialStream`.
pub const IID_ISEQUENTIAL_STREAM: Guid = guid(0x0c73_3a30, 0x2a1c, 0x11ce, 0xade5_00aa_0044_773d);
/// `IStream`.
pub const IID_ISTREAM: Guid = guid(0x0000_000c, 0, 0, 0xc000_0000_0000_0046);

/// Streams that are nothing more.
pub static STREAM: Class =
    Class { name: "Stream", interfaces: &[IID_ISEQUENTIAL_STREAM, IID_ISTREAM], methods: &[METHODS] };

/// `S_FALSE`.
const FALSE: u32 = 1;
/// `STG_E_INVALIDFUNCTION`.
const INVALID_FUNCTION: u32 = 0x8003_0001;
/// `STG_E_ACCESSDENIED`.
const ACCESS_DENIED: u32 = 0x8003_0005;
/// `STG_E_INVALIDPOINTER`.
const INVALID_POINTER: u32 = 0x8003_0009;
/// `STG_E_MEDIUMFULL`.
const MEDIUM_FULL: u32 = 0x8003_0070;
/// `GMEM_MOVEABLE`.
const MOVABLE: u32 = 2;

/// Where a stream's bytes are.
pub enum Backing {
    /// Global memory, which grows.
    Global {
        /// Its handle.
        handle: GuestWord,
        /// Whether it is freed with the stream.
        owned: bool,
    },
    /// Memory of the guest's, of a fixed size.
    Borrowed {
        /// Where it begins.
        address: u64,
    },
    /// An open file.
    File(Box<FileObject>),
}

/// What a stream and its clones share.
struct Shared {
    backing: Backing,
    /// Size in bytes; files have their own.
    size: Mutex<u64>,
}

/// One stream.
pub struct Stream {
    class: &'static Class,
    state: Mutex<State>,
}

/// What changes: where its bytes are, once it was told, and its position.
#[derive(Clone, Default)]
struct State {
    shared: Option<Arc<Shared>>,
    position: u64,
}

impl Component for Stream {
    fn class(&self) -> &'static Class {
        self.class
    }

    fn end(&self, guest: &mut Guest) {
        let shared = self.state().shared.take().and_then(Arc::into_inner);
        if let Some(Shared { backing: Backing::Global { handle, owned: true }, .. }) = shared {
            heapapi::GlobalFree(guest, handle);
        }
    }
}

impl Stream {
    /// Makes a stream of a class that has no bytes yet.
    pub fn empty(class: &'static Class) -> Self {
        Self { class, state: Mutex::default() }
    }

    /// Makes a stream; `size` does not matter for a file.
    pub fn new(backing: Backing, size: u64) -> Self {
        let stream = Self::empty(&STREAM);
        stream.fill(backing, size);
        stream
    }

    /// Gives a stream its bytes; says whether it had none before.
    pub fn fill(&self, backing: Backing, size: u64) -> bool {
        let mut state = self.state();
        if state.shared.is_some() {
            return false;
        }
        *state = State { shared: Some(Arc::new(Shared { backing, size: Mutex::new(size) })), position: 0 };
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shared(&self) -> Result<(Arc<Shared>, u64), ComError> {
        /// `WINCODEC_ERR_NOTINITIALIZED`.
        const NOT_INITIALIZED: u32 = 0x8898_2f0c;
        let state = self.state();
        let shared = state.shared.clone().ok_or(ComError::Result(NOT_INITIALIZED))?;
        Ok((shared, state.position))
    }
}

impl Shared {
    fn size(&self) -> Result<u64, ComError> {
        match &self.backing {
            Backing::File(file) => Ok(file.size().map_err(|status| status.to_win32())?),
            _ => Ok(*self.size.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    fn resize(&self, guest: &mut Guest, size: u64) -> Result<(), ComError> {
        match &self.backing {
            Backing::File(file) => return Ok(file.set_size(size).map_err(|status| status.to_win32())?),
            Backing::Borrowed { .. } => return fail(MEDIUM_FULL),
            Backing::Global { handle, .. } => {
                let most = if guest.process().machine.is_64() { 1 << 40 } else { 0x7fff_ffff };
                if size > most {
                    return fail(MEDIUM_FULL);
                }
                // Global memory of no bytes would be discarded.
                let bytes = GuestWord(size.max(1));
                heapapi::GlobalReAlloc(guest, *handle, bytes, MOVABLE)
                    .map_err(|_| ComError::Result(MEDIUM_FULL))?;
            }
        }
        *self.size.lock().unwrap_or_else(PoisonError::into_inner) = size;
        Ok(())
    }

    /// Moves bytes between the stream and the guest's buffer; the range lies in the stream.
    fn transfer(
        &self,
        guest: &mut Guest,
        at: u64,
        buffer: u64,
        count: u64,
        write: bool,
    ) -> Result<u64, ComError> {
        let start = match &self.backing {
            Backing::File(file) => {
                let done = match write {
                    true => file.write_from_guest(buffer, count, Some(at)),
                    false => file.read_to_guest(buffer, count, Some(at)),
                };
                return match done {
                    Err(crate::NtStatus::END_OF_FILE) => Ok(0),
                    Err(crate::NtStatus::ACCESS_DENIED) => fail(ACCESS_DENIED),
                    other => Ok(other.map_err(|status| status.to_win32())?),
                };
            }
            Backing::Borrowed { address } => *address,
            Backing::Global { handle, .. } => heapapi::GlobalLock(guest, *handle).get(),
        };
        let (from, to) = if write { (buffer, start + at) } else { (start + at, buffer) };
        let copied = copy(guest, from, to, count);
        if let Backing::Global { handle, .. } = &self.backing {
            let _ = heapapi::GlobalUnlock(guest, *handle);
        }
        copied?;
        Ok(count)
    }
}

/// Copies guest memory in pieces.
fn copy(guest: &Guest, from: u64, to: u64, count: u64) -> Result<(), Fault> {
    let mut piece = vec![0; count.min(0x1_0000) as usize];
    let mut done = 0;
    while done < count {
        let bytes = (count - done).min(piece.len() as u64) as usize;
        guest.read_bytes(from + done, &mut piece[..bytes])?;
        guest.write_bytes(to + done, &piece[..bytes])?;
        done += bytes as u64;
    }
    Ok(())
}

/// Makes a stream over global memory: the given one, or its own.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-createstreamonhglobal>
#[winapi]
pub fn CreateStreamOnHGlobal(
    guest: &mut Guest,
    hGlobal: GuestWord,
    fDeleteOnRelease: u32,
    ppstm: GuestWord,
) -> Result<(), ComError> {
    if ppstm.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    let (handle, size) = match hGlobal.is_null() {
        true => (heapapi::GlobalAlloc(guest, MOVABLE, GuestWord(1))?, 0),
        false => {
            let size = heapapi::GlobalSize(guest, hGlobal).or(fail(result::INVALID_ARGUMENT))?;
            (hGlobal, size.get())
        }
    };
    let backing = Backing::Global { handle, owned: fDeleteOnRelease != 0 };
    com::give(guest, Stream::new(backing, size), ppstm)
}

/// Returns the global memory of a stream that lies over some.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-gethglobalfromstream>
#[winapi]
pub fn GetHGlobalFromStream(guest: &mut Guest, pstm: GuestWord, phglobal: GuestWord) -> Result<(), ComError> {
    let (shared, _) = com::this::<Stream>(guest, pstm)?.shared()?;
    let Backing::Global { handle, .. } = shared.backing else { return fail(result::INVALID_ARGUMENT) };
    Ok(guest.write_word(phglobal.get(), handle.get())?)
}

/// Writes a count where the caller wants it.
fn report(guest: &Guest, into: GuestWord, count: u32) -> Result<(), Fault> {
    if into.is_null() { Ok(()) } else { guest.write_bytes(into.get(), &count.to_le_bytes()) }
}

/// Reads bytes at the stream's position: fewer at its end. A file answers `S_FALSE` then.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/objidl/nf-objidl-isequentialstream-read>
#[winapi]
pub fn IStream_Read(
    guest: &mut Guest,
    This: GuestWord,
    pv: GuestWord,
    cb: u32,
    pcbRead: GuestWord,
) -> Result<(), ComError> {
    if pv.is_null() {
        return fail(INVALID_POINTER);
    }
    let stream = com::this::<Stream>(guest, This)?;
    let (shared, position) = stream.shared()?;
    let count = u64::from(cb).min(shared.size()?.saturating_sub(position));
    let done = if count == 0 { 0 } else { shared.transfer(guest, position, pv.get(), count, false)? };
    stream.state().position = position + done;
    report(guest, pcbRead, done as u32)?;
    match shared.backing {
        Backing::File(_) if done < u64::from(cb) => fail(FALSE),
        _ => Ok(()),
    }
}

/// Writes bytes at the stream's position; it grows where it can.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/objidl/nf-objidl-isequentialstream-write>
#[winapi]
pub fn IStream_Write(
    guest: &mut Guest,
    This: GuestWord,
    pv: GuestWord,
    cb: u32,
    pcbWritten: GuestWord,
) -> Result<(), ComError> {
    if pv.is_null() {
        return fail(INVALID_POINTER);
    }
    report(guest, pcbWritten, 0)?;
    let stream = com::this::<Stream>(guest, This)?;
    let (shared, position) = stream.shared()?;
    if cb == 0 {
        return Ok(());
    }
    let end = position.checked_add(u64::from(cb)).ok_or(ComError::Result(MEDIUM_FULL))?;
    if end > shared.size()? && !matches!(shared.backing, Backing::File(_)) {
        shared.resize(guest, end)?;
    }
    let done = shared.transfer(guest, position, pv.get(), u64::from(cb), true)?;
    stream.state().position = position + done;
    Ok(report(guest, pcbWritten, done as u32)?)
}

/// Moves the stream's position.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/objidl/nf-objidl-istream-seek>
#[winapi]
pub fn IStream_Seek(
    guest: &mut Guest,
    This: GuestWord,
    dlibMove: i64,
    dwOrigin: u32,
    plibNewPosition: GuestWord,
) -> Result<(), ComError> {
    let stream = com::this::<Stream>(guest, This)?;
    let (shared, position) = stream.shared()?;
    let base = match dwOrigin {
        0 => 0,
        1 => position,
        2 => shared.size()?,
        _ => return fail(INVALID_FUNCTION),
    };
    let Some(new) = base.checked_add_signed(dlibMove) else { return fail(INVALID_FUNCTION) };
    stream.state().position = new;
    if !plibNewPosition.is_null() {
        guest.write_bytes(plibNewPosition.get(), &new.to_le_bytes())?;
    }
    Ok(())
}

/// Sets the stream's size.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/objidl/nf-objidl-istream-setsize>
#[winapi]
pub fn IStream_SetSize(guest: &mut Guest, This: GuestWord, libNewSize: u64) -> Result<(), ComError> {
    com::this::<Stream>(guest, This)?.shared()?.0.resize(guest, libNewSize)
}

/// Copies bytes from this stream's position to another stream, whoever made it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/objidl/nf-objidl-istream-copyto>
#[winapi]
pub fn IStream_CopyTo(
    guest: &mut Guest,
    This: GuestWord,
    pstm: GuestWord,
    cb: u64,
    pcbRead: GuestWord,
    pcbWritten: GuestWord,
) -> Result<(), ComError> {
    const PIECE: u64 = 0x1_0000;
    let heaps = &guest.process().heaps;
    // The count that Write reports lies behind the bytes.
    let buffer = heaps.allocate(0, PIECE + 8, true).ok_or(ComError::Result(result::OUT_OF_MEMORY))?;
    let (mut total, mut answer) = (0, Ok(()));
    while total < cb {
        let before = com::this::<Stream>(guest, This)?.shared()?;
        let count = (cb - total).min(PIECE).min(before.0.size()?.saturating_sub(before.1));
        if count == 0 {
            break;
        }
        answer = IStream_Read(guest, This, GuestWord(buffer), count as u32, GuestWord::NULL);
        drop(before);
        if answer.is_err() {
            break;
        }
        let code = com::call(guest, pstm.get(), 4, &[buffer, count, buffer + PIECE])?;
        if code & 0x8000_0000 != 0 {
            answer = fail(code);
            break;
        }
        total += count;
    }
    heaps.free(0, buffer);
    for into in [pcbRead, pcbWritten].into_iter().filter(|into| !into.is_null()) {
        guest.write_bytes(into.get(), &total.to_le_bytes())?;
    }
    answer
}

/// Does nothing: no change is held back.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/objidl/nf-objidl-istream-commit>
#[winapi]
pub fn IStream_Commit(guest: &mut Guest, This: GuestWord, grfCommitFlags: u32) -> Result<(), ComError> {
    let _ = grfCommitFlags;
    com::this::<Stream>(guest, This).map(|_| ())
}

/// Does nothing: no change is held back.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/objidl/nf-objidl-istream-revert>
#[winapi]
pub fn IStream_Revert(guest: &mut Guest, This: GuestWord) -> Result<(), ComError> {
    com::this::<Stream>(guest, This).map(|_| ())
}

/// Answers that these streams have no locks.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/objidl/nf-objidl-istream-lockregion>
#[winapi]
pub fn IStream_LockRegion(
    guest: &mut Guest,
    This: GuestWord,
    libOffset: u64,
    cb: u64,
    dwLockType: u32,
) -> Result<(), ComError> {
    let _ = (guest, This, libOffset, cb, dwLockType);
    fail(INVALID_FUNCTION)
}

/// Answers that these streams have no locks.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/objidl/nf-objidl-istream-unlockregion>
#[winapi]
pub fn IStream_UnlockRegion(
    guest: &mut Guest,
    This: GuestWord,
    libOffset: u64,
    cb: u64,
    dwLockType: u32,
) -> Result<(), ComError> {
    IStream_LockRegion(guest, This, libOffset, cb, dwLockType)
}

/// `STATSTG`.
#[derive(GuestStruct, Default)]
struct STATSTG {
    pwcsName: GuestWord,
    kind: u32,
    cbSize: u64,
    mtime: u64,
    ctime: u64,
    atime: u64,
    grfMode: u32,
    grfLocksSupported: u32,
    clsid_first: u64,
    clsid_second: u64,
    grfStateBits: u32,
    reserved: u32,
}

/// Describes the stream: its kind and size.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/objidl/nf-objidl-istream-stat>
#[winapi]
pub fn IStream_Stat(
    guest: &mut Guest,
    This: GuestWord,
    pstatstg: GuestWord,
    grfStatFlag: u32,
) -> Result<(), ComError> {
    const STGTY_STREAM: u32 = 2;
    let _ = grfStatFlag;
    if pstatstg.is_null() {
        return fail(INVALID_POINTER);
    }
    let cbSize = com::this::<Stream>(guest, This)?.shared()?.0.size()?;
    Ok(guest.write(pstatstg.get(), &STATSTG { kind: STGTY_STREAM, cbSize, ..STATSTG::default() })?)
}

/// Makes another stream over the same bytes, at the same position.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/objidl/nf-objidl-istream-clone>
#[winapi]
pub fn IStream_Clone(guest: &mut Guest, This: GuestWord, ppstm: GuestWord) -> Result<(), ComError> {
    let stream = com::this::<Stream>(guest, This)?;
    let state = stream.state().clone();
    com::give(guest, Stream { class: &STREAM, state: Mutex::new(state) }, ppstm)
}

/// Reads a whole stream, whoever made it, from its start.
///
/// # Errors
/// What the stream answers; `E_OUTOFMEMORY` when it has more than `most` bytes.
pub fn read_all(guest: &mut Guest, stream: GuestWord, most: usize) -> Result<Vec<u8>, ComError> {
    const PIECE: u64 = 0x1_0000;
    if stream.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    let to_start: &[u64] = if guest.process().machine.is_64() { &[0, 0, 0] } else { &[0, 0, 0, 0] };
    let code = com::call(guest, stream.get(), 5, to_start)?;
    if code & 0x8000_0000 != 0 {
        return fail(code);
    }
    let heaps = &guest.process().heaps;
    let buffer = heaps.allocate(0, PIECE + 8, true).ok_or(ComError::Result(result::OUT_OF_MEMORY))?;
    let bytes = read_pieces(guest, stream, buffer, PIECE, most);
    heaps.free(0, buffer);
    bytes
}

fn read_pieces(
    guest: &mut Guest,
    stream: GuestWord,
    buffer: u64,
    piece: u64,
    most: usize,
) -> Result<Vec<u8>, ComError> {
    let mut bytes = Vec::new();
    loop {
        guest.write_bytes(buffer + piece, &[0; 4])?;
        let code = com::call(guest, stream.get(), 3, &[buffer, piece, buffer + piece])?;
        let count = guest.read_u32(buffer + piece)?;
        if code & 0x8000_0000 != 0 {
            return fail(code);
        }
        if count == 0 || u64::from(count) > piece {
            return Ok(bytes);
        }
        if bytes.len() + count as usize > most {
            return fail(result::OUT_OF_MEMORY);
        }
        let start = bytes.len();
        bytes.resize(start + count as usize, 0);
        guest.read_bytes(buffer, &mut bytes[start..])?;
    }
}
