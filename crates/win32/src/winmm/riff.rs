//! mmiscapi.h: the chunks of RIFF files, and the buffers of multimedia files in programs' own hands.

use plat_abi::{Fault, GuestStruct, GuestWord, Memory, winapi};

use super::mmio::{Info, Stream, error, with};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full mmioDescend; full mmioAscend; full mmioCreateChunk; full mmioStringToFOURCCA; full mmioStringToFOURCCW;
    full mmioGetInfo; full mmioSetInfo; full mmioAdvance; full mmioFlush; full mmioSetBuffer;
};

/// `MMCKINFO`.
///
/// Source: <https://learn.microsoft.com/previous-versions/dd757320(v=vs.85)>
#[derive(GuestStruct, Default, Clone, Debug)]
struct Chunk {
    ckid: u32,
    cksize: u32,
    fccType: u32,
    dwDataOffset: u32,
    dwFlags: u32,
}

const RIFF: u32 = u32::from_le_bytes(*b"RIFF");
const LIST: u32 = u32::from_le_bytes(*b"LIST");
/// `MMIO_DIRTY`.
const DIRTY: u32 = 0x1000_0000;
/// `MMIO_FINDRIFF`, also `MMIO_CREATERIFF`; `MMIO_FINDLIST`, also `MMIO_CREATELIST`.
const OF_RIFF: u32 = 0x20;
const OF_LIST: u32 = 0x40;

/// Runs `on` with a block of the guest's for a few bytes.
fn with_block<T>(guest: &Guest, on: impl FnOnce(u64) -> Result<T, u32>) -> Result<T, u32> {
    let block = guest.process().heaps.allocate(0, 16, true).ok_or(error::OUT_OF_MEMORY)?;
    let result = on(block);
    guest.process().heaps.free(0, block);
    result
}

/// Reads words; `None` at the end.
fn words<const N: usize>(guest: &Guest, stream: &mut Stream, block: u64) -> Result<Option<[u32; N]>, u32> {
    let size = 4 * N as u64;
    if stream.read(guest, block, size)? != size {
        return Ok(None);
    }
    guest.read(block).map(Some).map_err(|_| error::CANNOT_READ)
}

/// Reads the head of a chunk.
fn head(guest: &Guest, stream: &mut Stream, block: u64) -> Result<Chunk, u32> {
    let begin = stream.position() as u32;
    let [ckid, cksize] = words(guest, stream, block)?.ok_or(error::CHUNK_NOT_FOUND)?;
    let fccType = match ckid {
        RIFF | LIST => words::<1>(guest, stream, block)?.ok_or(error::CHUNK_NOT_FOUND)?[0],
        _ => 0,
    };
    Ok(Chunk { ckid, cksize, fccType, dwDataOffset: begin.wrapping_add(8), dwFlags: 0 })
}

/// Returns where the chunk behind one begins: sizes are rounded up to two bytes.
fn behind(chunk: &Chunk) -> u64 {
    u64::from(chunk.dwDataOffset) + u64::from(chunk.cksize) + u64::from(chunk.cksize & 1)
}

/// Finds a chunk from the current place on, within its parent.
fn find(
    guest: &Guest,
    stream: &mut Stream,
    wanted: &Chunk,
    parent: Option<&Chunk>,
    flags: u32,
) -> Result<Chunk, u32> {
    /// `MMIO_FINDCHUNK`.
    const OF_CHUNK: u32 = 0x10;
    let fits = |chunk: &Chunk| match flags & (OF_CHUNK | OF_RIFF | OF_LIST) {
        0 => true,
        OF_CHUNK => chunk.ckid == wanted.ckid,
        kind => {
            let id = if kind & OF_RIFF != 0 { RIFF } else { LIST };
            chunk.ckid == id && (wanted.fccType == 0 || chunk.fccType == wanted.fccType)
        }
    };
    let end = parent.map(|parent| u64::from(parent.dwDataOffset) + u64::from(parent.cksize));
    let begin = stream.position();
    let found = with_block(guest, |block| {
        loop {
            if end.is_some_and(|end| stream.position() >= end) {
                return Err(error::CHUNK_NOT_FOUND);
            }
            let chunk = head(guest, stream, block)?;
            if fits(&chunk) {
                return Ok(chunk);
            }
            stream.seek(behind(&chunk)).map_err(|_| error::CHUNK_NOT_FOUND)?;
        }
    });
    if found.is_err() {
        stream.seek(begin)?;
    }
    found
}

/// Returns what a result is as a number: 0, or the error.
fn code(result: Result<(), u32>) -> u32 {
    result.err().unwrap_or(0)
}

/// Goes into a chunk: the next one, or the next of a kind.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/mmiscapi/nf-mmiscapi-mmiodescend>
#[winapi]
pub fn mmioDescend(
    guest: &mut Guest,
    hmmio: GuestWord,
    pmmcki: GuestWord,
    pmmckiParent: GuestWord,
    fuDescend: u32,
) -> Result<u32, Fault> {
    let wanted: Chunk = guest.read(pmmcki.get())?;
    let parent: Option<Chunk> =
        if pmmckiParent.is_null() { None } else { Some(guest.read(pmmckiParent.get())?) };
    match with(guest, hmmio, |stream| find(guest, stream, &wanted, parent.as_ref(), fuDescend)) {
        Ok(chunk) => {
            guest.write(pmmcki.get(), &chunk)?;
            Ok(0)
        }
        Err(error) => Ok(error),
    }
}

/// Ends a chunk: writes its size if that changed, and goes behind it.
fn ascend(guest: &Guest, stream: &mut Stream, chunk: &mut Chunk) -> Result<(), u32> {
    if chunk.dwFlags & DIRTY != 0 {
        let size = stream.position().checked_sub(chunk.dwDataOffset.into()).ok_or(error::CANNOT_SEEK)?;
        with_block(guest, |block| {
            if size & 1 != 0 {
                stream.write(guest, block, 1)?;
            }
            if u64::from(chunk.cksize) != size {
                chunk.cksize = size as u32;
                stream.seek(u64::from(chunk.dwDataOffset).saturating_sub(4))?;
                guest.write(block, &chunk.cksize).map_err(|_| error::CANNOT_WRITE)?;
                stream.write(guest, block, 4)?;
            }
            Ok(())
        })?;
        chunk.dwFlags &= !DIRTY;
    }
    stream.seek(behind(chunk))
}

/// Goes out of a chunk.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/mmiscapi/nf-mmiscapi-mmioascend>
#[winapi]
pub fn mmioAscend(
    guest: &mut Guest,
    hmmio: GuestWord,
    pmmcki: GuestWord,
    fuAscend: u32,
) -> Result<u32, Fault> {
    let _ = fuAscend;
    let mut chunk: Chunk = guest.read(pmmcki.get())?;
    let done = with(guest, hmmio, |stream| ascend(guest, stream, &mut chunk));
    guest.write(pmmcki.get(), &chunk)?;
    Ok(code(done))
}

/// Begins a chunk at the current place; its size is written when it ends.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/mmiscapi/nf-mmiscapi-mmiocreatechunk>
#[winapi]
pub fn mmioCreateChunk(
    guest: &mut Guest,
    hmmio: GuestWord,
    pmmcki: GuestWord,
    fuCreate: u32,
) -> Result<u32, Fault> {
    let mut chunk: Chunk = guest.read(pmmcki.get())?;
    let kind = fuCreate & (OF_RIFF | OF_LIST);
    if kind & OF_RIFF != 0 {
        chunk.ckid = RIFF;
    } else if kind != 0 {
        chunk.ckid = LIST;
    }
    let done = with(guest, hmmio, |stream| {
        let begin = stream.position() as u32;
        let size = if kind == 0 { 8 } else { 12 };
        let written = with_block(guest, |block| {
            let head = [chunk.ckid, chunk.cksize, chunk.fccType];
            guest.write(block, &head).map_err(|_| error::CANNOT_WRITE)?;
            stream.write(guest, block, size)
        })?;
        if written != size {
            return Err(error::CANNOT_WRITE);
        }
        (chunk.dwDataOffset, chunk.dwFlags) = (begin.wrapping_add(8), DIRTY);
        Ok(())
    });
    guest.write(pmmcki.get(), &chunk)?;
    Ok(code(done))
}

both_widths! {
    /// Makes a code of four characters of a text, which spaces fill up.
    "mmiscapi/nf-mmiscapi-mmiostringtofourcc"
    mmioStringToFOURCCA, mmioStringToFOURCCW(guest, width, sz: GuestWord, uFlags: u32) -> Result<u32, Fault> {
        /// `MMIO_TOUPPER`.
        const TO_UPPER: u32 = 0x10;
        let text = match width {
            Width::Narrow => guest.read_c_string(sz.get())?,
            Width::Wide => crate::nt::nls::narrow(&guest.read_wide_string(sz.get())?),
        };
        let mut code = [b' '; 4];
        for (place, byte) in code.iter_mut().zip(text) {
            *place = if uFlags & TO_UPPER != 0 { byte.to_ascii_uppercase() } else { byte };
        }
        Ok(u32::from_le_bytes(code))
    }
}

/// Describes an open file and its buffer.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/mmiscapi/nf-mmiscapi-mmiogetinfo>
#[winapi]
pub fn mmioGetInfo(
    guest: &mut Guest,
    hmmio: GuestWord,
    pmmioinfo: GuestWord,
    fuInfo: u32,
) -> Result<u32, Fault> {
    let _ = fuInfo;
    let mut info = Info::default();
    let done = with(guest, hmmio, |stream| {
        stream.describe(&mut info, hmmio);
        Ok(())
    });
    if done.is_ok() {
        guest.write(pmmioinfo.get(), &info)?;
    }
    Ok(code(done))
}

/// Takes over what a program did with the buffer: how far it went, and what it wrote there.
fn take(guest: &Guest, stream: &mut Stream, info: &Info) -> Result<(), u32> {
    let (buffer, size, _) = stream.buffer;
    let next = info.pchNext.get().checked_sub(buffer).filter(|&next| next <= size);
    let next = next.ok_or(error::INVALID_PARAMETER)?;
    let is_dirty = info.dwFlags & DIRTY != 0;
    if stream.is_memory() {
        stream.end = if is_dirty { stream.end.max(next) } else { stream.end };
        return stream.seek(next.min(stream.end));
    }
    if is_dirty && next > 0 {
        // All from the buffer's begin on: what was read and not changed is written again.
        stream.seek(stream.start)?;
        stream.write(guest, buffer, next)?;
    } else {
        stream.next = next;
    }
    Ok(())
}

/// Takes over what a program did with the buffer.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/mmiscapi/nf-mmiscapi-mmiosetinfo>
#[winapi]
pub fn mmioSetInfo(
    guest: &mut Guest,
    hmmio: GuestWord,
    pmmioinfo: GuestWord,
    fuInfo: u32,
) -> Result<u32, Fault> {
    let _ = fuInfo;
    let info: Info = guest.read(pmmioinfo.get())?;
    Ok(code(with(
        guest,
        hmmio,
        |stream| {
            if stream.buffer.0 == 0 { Ok(()) } else { take(guest, stream, &info) }
        },
    )))
}

/// Writes what a program put into the buffer, and fills it again for reading.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/mmiscapi/nf-mmiscapi-mmioadvance>
#[winapi]
pub fn mmioAdvance(
    guest: &mut Guest,
    hmmio: GuestWord,
    pmmioinfo: GuestWord,
    fuAdvance: u32,
) -> Result<u32, Fault> {
    /// `MMIO_WRITE`.
    const WRITE: u32 = 1;
    let mut info = if pmmioinfo.is_null() { None } else { Some(guest.read::<Info>(pmmioinfo.get())?) };
    let done = with(guest, hmmio, |stream| {
        if stream.buffer.1 == 0 && !stream.is_memory() {
            return Err(error::UNBUFFERED);
        }
        if let Some(info) = &info {
            take(guest, stream, info)?;
        }
        if stream.is_memory() {
            if fuAdvance & WRITE != 0 && stream.next == stream.buffer.1 {
                stream.reserve(guest, stream.next + 1)?;
            }
        } else {
            let place = stream.position();
            stream.seek(place)?;
            if fuAdvance & WRITE == 0 {
                let (buffer, size, _) = stream.buffer;
                let read = stream.read(guest, buffer, size)?;
                (stream.start, stream.next, stream.end) = (place, 0, read);
            }
        }
        if let Some(info) = &mut info {
            stream.describe(info, hmmio);
        }
        Ok(())
    });
    if let Some(info) = &info {
        guest.write(pmmioinfo.get(), info)?;
    }
    Ok(code(done))
}

/// Writes what is in the buffer: nothing is ever left there.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/mmiscapi/nf-mmiscapi-mmioflush>
#[winapi]
pub fn mmioFlush(guest: &mut Guest, hmmio: GuestWord, fuFlush: u32) -> u32 {
    /// `MMIO_EMPTYBUF`.
    const EMPTY: u32 = 0x10;
    code(with(guest, hmmio, |stream| {
        if fuFlush & EMPTY != 0 {
            let place = stream.position();
            stream.seek(place)?;
        }
        Ok(())
    }))
}

/// Gives a file another buffer.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/mmiscapi/nf-mmiscapi-mmiosetbuffer>
#[winapi]
pub fn mmioSetBuffer(
    guest: &mut Guest,
    hmmio: GuestWord,
    pchBuffer: GuestWord,
    cchBuffer: i32,
    fuBuffer: u32,
) -> u32 {
    let _ = fuBuffer;
    let Ok(size) = u64::try_from(cchBuffer) else { return error::INVALID_PARAMETER };
    code(with(guest, hmmio, |stream| stream.set_buffer(guest, pchBuffer.get(), size)))
}
