//! wincodec.h: `IWICStream`, a stream that is told afterwards what it reads.

use plat_abi::{GuestWord, Memory, winapi};

use super::WRONG_STATE;
use crate::com::{self, Class, ComError, Guid, Methods, fail, guid, result};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::ole32::stream::{self, Backing, Stream};

/// The methods of `IWICStream`.
pub const ROWS: &[Export] = dll! {
    stub IWICStream_InitializeFromIStream;
    full IWICStream_InitializeFromFilename;
    full IWICStream_InitializeFromMemory;
    stub IWICStream_InitializeFromIStreamRegion;
};

/// `IWICStream`.
const IID_WIC_STREAM: Guid = guid(0x135f_f860, 0x22b7, 0x4ddf, 0xb0f6_218f_4f29_9a43);

/// The class of these streams.
pub static STREAM: Class = Class {
    name: "WICStream",
    interfaces: &[stream::IID_ISEQUENTIAL_STREAM, stream::IID_ISTREAM, IID_WIC_STREAM],
    methods: &[stream::METHODS, Methods { dll: "windowscodecs.dll", rows: ROWS }],
};

fn fill(guest: &Guest, this: GuestWord, backing: Backing, size: u64) -> Result<(), ComError> {
    match com::this::<Stream>(guest, this)?.fill(backing, size) {
        true => Ok(()),
        false => fail(WRONG_STATE),
    }
}

/// Opens the stream's file.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicstream-initializefromfilename>
#[winapi]
pub fn IWICStream_InitializeFromFilename(
    guest: &mut Guest,
    This: GuestWord,
    wzFileName: GuestWord,
    dwDesiredAccess: u32,
) -> Result<(), ComError> {
    const GENERIC_WRITE: u32 = 0x4000_0000;
    /// `STGM_READWRITE | STGM_CREATE`.
    const MAKE: u32 = 0x1002;
    let path = guest.read_wide_string(wzFileName.get())?;
    let mode = if dwDesiredAccess & GENERIC_WRITE == 0 { 0 } else { MAKE };
    let file = crate::shlwapi::file_stream::open(guest, &path, mode)?;
    fill(guest, This, Backing::File(Box::new(file)), 0)
}

/// Lays the stream over memory of the caller's.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicstream-initializefrommemory>
#[winapi]
pub fn IWICStream_InitializeFromMemory(
    guest: &mut Guest,
    This: GuestWord,
    pbBuffer: GuestWord,
    cbBufferSize: u32,
) -> Result<(), ComError> {
    if pbBuffer.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    fill(guest, This, Backing::Borrowed { address: pbBuffer.get() }, u64::from(cbBufferSize))
}
