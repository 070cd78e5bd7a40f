//! mmiscapi.h: multimedia files: bytes of a file or of memory, with a place and a buffer that programs may use themselves.
//!
//! Key types: [`Stream`], [`Files`] (all of a process).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use plat_abi::{Fault, GuestStruct, GuestWord, Machine, Memory, winapi};

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::status::Win32Error;
use crate::nt::file::{FileObject, access};
use crate::nt::file_open::{CreateOptions, Disposition, Request};
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial mmioOpenA, "no procedures of the program's own; no temporary names"; partial mmioOpenW, "no procedures of the program's own; no temporary names";
    full mmioClose; full mmioRead; full mmioWrite; full mmioSeek; full mmioRenameA; full mmioRenameW;
    partial mmioInstallIOProcA, "no procedures of the program's own: null"; partial mmioInstallIOProcW, "no procedures of the program's own: null";
};

/// `MMIOERR_*` and the errors that they share with devices.
pub mod error {
    /// `MMSYSERR_INVALHANDLE`.
    pub const INVALID_HANDLE: u32 = 5;
    /// `MMSYSERR_INVALPARAM`.
    pub const INVALID_PARAMETER: u32 = 11;
    /// `MMIOERR_FILENOTFOUND`.
    pub const FILE_NOT_FOUND: u32 = 257;
    /// `MMIOERR_OUTOFMEMORY`.
    pub const OUT_OF_MEMORY: u32 = 258;
    /// `MMIOERR_CANNOTOPEN`.
    pub const CANNOT_OPEN: u32 = 259;
    /// `MMIOERR_CANNOTREAD`.
    pub const CANNOT_READ: u32 = 261;
    /// `MMIOERR_CANNOTWRITE`.
    pub const CANNOT_WRITE: u32 = 262;
    /// `MMIOERR_CANNOTSEEK`.
    pub const CANNOT_SEEK: u32 = 263;
    /// `MMIOERR_CANNOTEXPAND`.
    pub const CANNOT_EXPAND: u32 = 264;
    /// `MMIOERR_CHUNKNOTFOUND`.
    pub const CHUNK_NOT_FOUND: u32 = 265;
    /// `MMIOERR_UNBUFFERED`.
    pub const UNBUFFERED: u32 = 266;
    /// `MMIOERR_PATHNOTFOUND`.
    pub const PATH_NOT_FOUND: u32 = 267;
    /// `MMIOERR_ACCESSDENIED`.
    pub const ACCESS_DENIED: u32 = 268;
    /// `MMIOERR_SHARINGVIOLATION`.
    pub const SHARING_VIOLATION: u32 = 269;
}

/// The procedures of files and of memory: `DOS ` and `MEM `.
const DOS: u32 = u32::from_le_bytes(*b"DOS ");
const MEM: u32 = u32::from_le_bytes(*b"MEM ");
/// `MMIO_WRITE` and `MMIO_READWRITE`.
const WRITES: u32 = 3;
/// `MMIO_EXIST` and `MMIO_PARSE`.
const EXIST: u32 = 0x4000;
const PARSE: u32 = 0x100;
/// `MMIO_CREATE`.
const CREATE: u32 = 0x1000;
/// The size of a buffer that nobody asked for another one of.
const BUFFER: u32 = 8192;

/// A pointer in a structure that is packed: aligned to four bytes.
#[derive(Clone, Copy, Default)]
pub(super) struct Packed(pub GuestWord);

impl GuestStruct for Packed {
    fn size(machine: Machine) -> u64 {
        machine.pointer_size()
    }
    fn align(_: Machine) -> u64 {
        4
    }
    fn load<M: Memory>(memory: &M, address: u64) -> Result<Self, Fault> {
        GuestWord::load(memory, address).map(Self)
    }
    fn store<M: Memory>(&self, memory: &M, address: u64) -> Result<(), Fault> {
        self.0.store(memory, address)
    }
}

/// `MMIOINFO`, whose members lie without gaps.
///
/// Source: <https://learn.microsoft.com/previous-versions/dd757322(v=vs.85)>
#[derive(GuestStruct, Default, Clone)]
pub(super) struct Info {
    pub dwFlags: u32,
    pub fccIOProc: u32,
    pub pIOProc: GuestWord,
    pub wErrorRet: u32,
    pub htask: Packed,
    pub cchBuffer: u32,
    pub pchBuffer: GuestWord,
    pub pchNext: GuestWord,
    pub pchEndRead: GuestWord,
    pub pchEndWrite: GuestWord,
    pub lBufOffset: u32,
    pub lDiskOffset: u32,
    pub adwInfo: [u32; 3],
    pub dwReserved1: u32,
    pub dwReserved2: u32,
    pub hmmio: Packed,
}

/// An open file.
pub struct Stream {
    /// The file; `None` for memory, which is the buffer.
    file: Option<Box<FileObject>>,
    flags: u32,
    /// The buffer's address, its size, and whether it was made here.
    pub(super) buffer: (u64, u64, bool),
    /// How much memory grows at least; 0 for never.
    grows: u64,
    /// Where in the file the buffer begins; in memory 0.
    pub(super) start: u64,
    /// The place in the buffer, and how much of it was read.
    pub(super) next: u64,
    pub(super) end: u64,
}

/// The multimedia files of a process.
#[derive(Default)]
pub struct Files {
    all: Mutex<(u64, HashMap<u64, Stream>)>,
}

impl Files {
    fn lock(&self) -> MutexGuard<'_, (u64, HashMap<u64, Stream>)> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, stream: Stream) -> u64 {
        let mut all = self.lock();
        all.0 += 1;
        let handle = 0x1000 + 4 * all.0;
        all.1.insert(handle, stream);
        handle
    }
}

/// Runs `on` with an open file.
pub(super) fn with<T>(
    guest: &Guest,
    file: GuestWord,
    on: impl FnOnce(&mut Stream) -> Result<T, u32>,
) -> Result<T, u32> {
    let mut files = guest.process().multimedia_files.lock();
    on(files.1.get_mut(&file.get()).ok_or(error::INVALID_HANDLE)?)
}

impl Stream {
    /// Says whether its bytes are in memory.
    pub(super) fn is_memory(&self) -> bool {
        self.file.is_none()
    }

    pub(super) fn position(&self) -> u64 {
        self.start + self.next
    }

    fn can_write(&self) -> bool {
        self.flags & WRITES != 0
    }

    /// Returns how many bytes there are.
    fn length(&self) -> Result<u64, u32> {
        match &self.file {
            Some(file) => file.size().map_err(|_| error::CANNOT_SEEK),
            None => Ok(self.end),
        }
    }

    /// Goes to a place; memory has none behind its end.
    pub(super) fn seek(&mut self, place: u64) -> Result<(), u32> {
        if self.is_memory() {
            if place > self.end {
                return Err(error::CANNOT_SEEK);
            }
            self.next = place;
        } else {
            (self.start, self.next, self.end) = (place, 0, 0);
        }
        Ok(())
    }

    /// Reads into the guest's memory; returns how much there was.
    pub(super) fn read(&mut self, guest: &Guest, to: u64, count: u64) -> Result<u64, u32> {
        let done = match &self.file {
            Some(file) => match file.read_to_guest(to, count, Some(self.position())) {
                Err(crate::NtStatus::END_OF_FILE) => 0,
                done => done.map_err(|_| error::CANNOT_READ)?,
            },
            None => {
                let count = count.min(self.end - self.next);
                copy(guest, self.buffer.0 + self.next, to, count)?;
                count
            }
        };
        self.seek(self.position() + done)?;
        Ok(done)
    }

    /// Writes from the guest's memory.
    pub(super) fn write(&mut self, guest: &Guest, from: u64, count: u64) -> Result<u64, u32> {
        if !self.can_write() {
            return Err(error::CANNOT_WRITE);
        }
        let done = match &self.file {
            Some(file) => {
                file.write_from_guest(from, count, Some(self.position())).map_err(|_| error::CANNOT_WRITE)?
            }
            None => {
                self.reserve(guest, self.next + count)?;
                copy(guest, from, self.buffer.0 + self.next, count)?;
                self.end = self.end.max(self.next + count);
                count
            }
        };
        self.seek(self.position() + done)?;
        Ok(done)
    }

    /// Makes memory larger, where it may grow.
    pub(super) fn reserve(&mut self, guest: &Guest, wanted: u64) -> Result<(), u32> {
        if wanted <= self.buffer.1 {
            return Ok(());
        }
        if self.grows == 0 || !self.buffer.2 {
            return Err(error::CANNOT_EXPAND);
        }
        let size = wanted.max(self.buffer.1 + self.grows);
        let block = allocate(guest, size)?;
        copy(guest, self.buffer.0, block, self.end)?;
        release(guest, self.buffer);
        self.buffer = (block, size, true);
        Ok(())
    }

    /// Gives it another buffer: one of the program's, one that is made here, or none.
    pub(super) fn set_buffer(&mut self, guest: &Guest, given: u64, size: u64) -> Result<(), u32> {
        if self.is_memory() {
            // Its buffer is its bytes.
            return if given == 0 { self.reserve(guest, size) } else { Err(error::CANNOT_EXPAND) };
        }
        let place = self.position();
        let buffer = match (given, size) {
            (_, 0) => (0, 0, false),
            (0, size) => (allocate(guest, size)?, size, true),
            (given, size) => (given, size, false),
        };
        release(guest, std::mem::replace(&mut self.buffer, buffer));
        self.seek(place)
    }

    /// Describes the state; nothing is ever left in the buffer that was not written.
    pub(super) fn describe(&self, info: &mut Info, handle: GuestWord) {
        let at = |offset: u64| GuestWord(if self.buffer.0 == 0 { 0 } else { self.buffer.0 + offset });
        info.dwFlags = self.flags | if self.buffer.2 { 0x1_0000 } else { 0 };
        info.fccIOProc = if self.is_memory() { MEM } else { DOS };
        info.cchBuffer = self.buffer.1 as u32;
        (info.pchBuffer, info.pchNext, info.pchEndRead) = (at(0), at(self.next), at(self.end));
        info.pchEndWrite = at(self.buffer.1);
        info.lBufOffset = self.start as u32;
        info.lDiskOffset = if self.is_memory() { 0 } else { (self.start + self.end) as u32 };
        (info.wErrorRet, info.hmmio) = (0, Packed(handle));
    }
}

fn allocate(guest: &Guest, size: u64) -> Result<u64, u32> {
    guest.process().heaps.allocate(0, size, true).ok_or(error::OUT_OF_MEMORY)
}

fn release(guest: &Guest, (address, _, is_own): (u64, u64, bool)) {
    if is_own {
        guest.process().heaps.free(0, address);
    }
}

fn copy(guest: &Guest, from: u64, to: u64, count: u64) -> Result<(), u32> {
    let bytes = guest.read_vec(from, count).map_err(|_| error::CANNOT_READ)?;
    guest.write_bytes(to, &bytes).map_err(|_| error::CANNOT_WRITE)
}

/// Returns what a file's error is called here.
fn file_error(error: Win32Error) -> u32 {
    match error {
        Win32Error::FILE_NOT_FOUND => error::FILE_NOT_FOUND,
        Win32Error::PATH_NOT_FOUND => error::PATH_NOT_FOUND,
        Win32Error::ACCESS_DENIED => error::ACCESS_DENIED,
        Win32Error::SHARING_VIOLATION => error::SHARING_VIOLATION,
        _ => error::CANNOT_OPEN,
    }
}

fn open_file(guest: &Guest, path: &[u16], flags: u32) -> Result<FileObject, u32> {
    /// `FILE_ATTRIBUTE_NORMAL`.
    const NORMAL: u32 = 0x80;
    let files = &guest.process().files;
    let wanted = match flags & WRITES {
        0 => access::FILE_READ,
        1 => access::FILE_WRITE,
        _ => access::FILE_READ | access::FILE_WRITE,
    };
    let share = match flags & 0x70 {
        // MMIO_EXCLUSIVE, MMIO_DENYWRITE, MMIO_DENYREAD
        0x10 => 0,
        0x20 => 1,
        0x30 => 2,
        _ => 3,
    };
    let request = Request {
        access: wanted,
        share,
        disposition: if flags & CREATE == 0 { Disposition::Open } else { Disposition::OverwriteIf },
        options: CreateOptions::NON_DIRECTORY_FILE,
        attributes: NORMAL,
        mode: None,
    };
    let unix = files.resolve_file(path).map_err(file_error)?;
    files.open(unix, &request).map(|(file, _)| file).map_err(|status| file_error(status.to_win32()))
}

/// Opens memory that a structure describes.
fn open_memory(guest: &Guest, info: &Info, flags: u32) -> Result<Stream, u32> {
    let size = u64::from(info.cchBuffer);
    let buffer = match info.pchBuffer.get() {
        0 if size == 0 => (allocate(guest, 1)?, 0, true),
        0 => (allocate(guest, size)?, size, true),
        address => (address, size, false),
    };
    // What was made here holds nothing yet.
    let end = if flags & CREATE != 0 || buffer.2 { 0 } else { size };
    Ok(Stream { file: None, flags, buffer, grows: info.adwInfo[0].into(), start: 0, next: 0, end })
}

/// Opens a file or memory; returns the handle, or 1 where the question was another one.
fn open(guest: &Guest, name: Option<&[u16]>, info: Option<&Info>, flags: u32) -> Result<u64, u32> {
    /// `MMIO_DELETE`, `MMIO_ALLOCBUF` and `MMIO_GETTEMP`.
    const DELETE: u32 = 0x200;
    const ALLOCATE: u32 = 0x1_0000;
    const OTHERS: u32 = 0x2_0000;
    let is_memory = info.is_some_and(|info| info.fccIOProc == MEM);
    if flags & OTHERS != 0 || info.is_some_and(|info| !info.pIOProc.is_null()) {
        return Err(error::CANNOT_OPEN);
    }
    if let (true, Some(info)) = (is_memory, info) {
        return Ok(guest.process().multimedia_files.add(open_memory(guest, info, flags)?));
    }
    let name = name.ok_or(error::FILE_NOT_FOUND)?;
    if flags & DELETE != 0 {
        let files = &guest.process().files;
        let unix = files.resolve_file(name).map_err(file_error)?;
        files.delete_file(&unix).map_err(|status| file_error(status.to_win32()))?;
        return Ok(1);
    }
    if flags & (EXIST | PARSE) != 0 {
        if flags & EXIST != 0 {
            open_file(guest, name, 0)?;
        }
        return Ok(1);
    }
    let file = Box::new(open_file(guest, name, flags)?);
    let buffer = (0, 0, false);
    let mut stream =
        Stream { file: Some(file), flags: flags & 0x1073, buffer, grows: 0, start: 0, next: 0, end: 0 };
    let (given, size) = info.map_or((0, 0), |info| (info.pchBuffer.get(), info.cchBuffer));
    if given != 0 || size != 0 {
        stream.set_buffer(guest, given, size.into())?;
    } else if flags & ALLOCATE != 0 {
        stream.set_buffer(guest, 0, BUFFER.into())?;
    }
    Ok(guest.process().multimedia_files.add(stream))
}

/// Reads a path of either width.
fn path(guest: &Guest, width: Width, address: GuestWord) -> Result<Vec<u16>, Win32Error> {
    Ok(match width {
        Width::Narrow => guest.process().files.widen(&guest.read_c_string(address.get())?),
        Width::Wide => guest.read_wide_string(address.get())?,
    })
}

/// Turns an error into -1, the answer of functions that count bytes.
fn counted(result: Result<u64, u32>) -> i32 {
    result.map_or(-1, |count| count as i32)
}

both_widths! {
    /// Opens a file or memory; null where that fails, with the reason in the structure.
    "mmiscapi/nf-mmiscapi-mmioopen"
    mmioOpenA, mmioOpenW(
        guest, width, pszFileName: GuestWord, pmmioinfo: GuestWord, fdwOpen: u32
    ) -> Result<GuestWord, Win32Error> {
        let name = if pszFileName.is_null() { None } else { Some(path(guest, width, pszFileName)?) };
        let mut info = if pmmioinfo.is_null() { None } else { Some(guest.read::<Info>(pmmioinfo.get())?) };
        let opened = open(guest, name.as_deref(), info.as_ref(), fdwOpen);
        if let Some(info) = &mut info {
            info.wErrorRet = opened.err().unwrap_or(0);
            if let Ok(handle) = opened
                && handle != 1
            {
                let _ = with(guest, GuestWord(handle), |stream| {
                    stream.describe(info, GuestWord(handle));
                    Ok(())
                });
            }
            guest.write(pmmioinfo.get(), info)?;
        }
        if let (Ok(1), Some(name)) = (opened, &name)
            && fdwOpen & (EXIST | PARSE) != 0
        {
            // The full name goes where the name was.
            width.write(guest, pszFileName, &guest.process().files.full_path(name)?)?;
        }
        Ok(GuestWord(opened.unwrap_or(0)))
    }

    /// Renames a file.
    "mmiscapi/nf-mmiscapi-mmiorename"
    mmioRenameA, mmioRenameW(
        guest, width, pszFileName: GuestWord, pszNewFileName: GuestWord, pmmioinfo: GuestWord, fdwRename: u32
    ) -> Result<u32, Win32Error> {
        let _ = (pmmioinfo, fdwRename);
        let (from, to) = (path(guest, width, pszFileName)?, path(guest, width, pszNewFileName)?);
        let files = &guest.process().files;
        let renamed = files.resolve_file(&from).and_then(|from| {
            let to = files.resolve_file(&to)?;
            files.rename(&from, &to, false, false).map_err(|status| status.to_win32())
        });
        Ok(renamed.map_or_else(file_error, |()| 0))
    }

    /// Takes a program's own procedure for files: there are none.
    "mmiscapi/nf-mmiscapi-mmioinstallioproc"
    mmioInstallIOProcA, mmioInstallIOProcW(
        guest, width, fccIOProc: u32, pIOProc: GuestWord, dwFlags: u32
    ) -> GuestWord {
        let _ = (guest, width, fccIOProc, pIOProc, dwFlags);
        GuestWord::NULL
    }
}

/// Closes a file.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/mmiscapi/nf-mmiscapi-mmioclose>
#[winapi]
pub fn mmioClose(guest: &mut Guest, hmmio: GuestWord, fuClose: u32) -> u32 {
    let _ = fuClose;
    let closed = guest.process().multimedia_files.lock().1.remove(&hmmio.get());
    match closed {
        Some(stream) => {
            release(guest, stream.buffer);
            0
        }
        None => error::INVALID_HANDLE,
    }
}

/// Reads bytes; returns how many, or -1.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/mmiscapi/nf-mmiscapi-mmioread>
#[winapi]
pub fn mmioRead(guest: &mut Guest, hmmio: GuestWord, pch: GuestWord, cch: i32) -> i32 {
    let count = u64::try_from(cch).unwrap_or(0);
    counted(with(guest, hmmio, |stream| stream.read(guest, pch.get(), count)))
}

/// Writes bytes; returns how many, or -1.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/mmiscapi/nf-mmiscapi-mmiowrite>
#[winapi]
pub fn mmioWrite(guest: &mut Guest, hmmio: GuestWord, pch: GuestWord, cch: i32) -> i32 {
    let count = u64::try_from(cch).unwrap_or(0);
    counted(with(guest, hmmio, |stream| stream.write(guest, pch.get(), count)))
}

/// Goes to a place, from the begin, from here, or from the end; returns it, or -1.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/mmiscapi/nf-mmiscapi-mmioseek>
#[winapi]
pub fn mmioSeek(guest: &mut Guest, hmmio: GuestWord, lOffset: i32, iOrigin: i32) -> i32 {
    counted(with(guest, hmmio, |stream| {
        let from = match iOrigin {
            0 => 0,
            1 => stream.position(),
            2 => stream.length()?,
            _ => return Err(error::CANNOT_SEEK),
        };
        let place = from.checked_add_signed(lOffset.into()).ok_or(error::CANNOT_SEEK)?;
        stream.seek(place)?;
        Ok(place)
    }))
}
