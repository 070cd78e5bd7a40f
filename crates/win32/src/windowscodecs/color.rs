//! wincodec.h: `IWICColorContext`, a colour profile.

use std::sync::{Mutex, PoisonError};

use plat_abi::{GuestWord, Memory, winapi};

use super::{INSUFFICIENT_BUFFER, NOT_INITIALIZED, WRONG_STATE};
use crate::com::{self, Class, ComError, Component, Guid, Methods, fail, guid, result};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The methods of `IWICColorContext`.
pub const ROWS: &[Export] = dll! {
    stub IWICColorContext_InitializeFromFilename;
    full IWICColorContext_InitializeFromMemory;
    stub IWICColorContext_InitializeFromExifColorSpace;
    full IWICColorContext_GetType;
    full IWICColorContext_GetProfileBytes;
    full IWICColorContext_GetExifColorSpace;
};

/// `IWICColorContext`.
const IID_COLOR_CONTEXT: Guid = guid(0x3c61_3a02, 0x34b2, 0x44ea, 0x9a7c_45ae_a9c6_fd6d);

static COLOR_CONTEXT: Class = Class {
    name: "ColorContext",
    interfaces: &[IID_COLOR_CONTEXT],
    methods: &[Methods { dll: "windowscodecs.dll", rows: ROWS }],
};

/// A colour context: the bytes of a profile, or nothing yet.
#[derive(Default)]
pub struct ColorContext(Mutex<Option<Vec<u8>>>);

impl Component for ColorContext {
    fn class(&self) -> &'static Class {
        &COLOR_CONTEXT
    }
}

impl ColorContext {
    /// Gives the context its profile.
    pub fn set(&self, profile: Vec<u8>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(profile);
    }

    fn profile(&self) -> Option<Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Gives the context a profile.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwiccolorcontext-initializefrommemory>
#[winapi]
pub fn IWICColorContext_InitializeFromMemory(
    guest: &mut Guest,
    This: GuestWord,
    pbBuffer: GuestWord,
    cbBufferSize: u32,
) -> Result<(), ComError> {
    /// Larger than any profile.
    const BYTES_MAX: u32 = 1 << 26;
    let context = com::this::<ColorContext>(guest, This)?;
    if context.profile().is_some() {
        return fail(WRONG_STATE);
    }
    if cbBufferSize > BYTES_MAX {
        return fail(result::INVALID_ARGUMENT);
    }
    let mut profile = vec![0; cbBufferSize as usize];
    guest.read_bytes(pbBuffer.get(), &mut profile)?;
    context.set(profile);
    Ok(())
}

/// Writes what the context is: nothing, or a profile.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwiccolorcontext-gettype>
#[winapi]
pub fn IWICColorContext_GetType(
    guest: &mut Guest,
    This: GuestWord,
    pType: GuestWord,
) -> Result<(), ComError> {
    if pType.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    // `WICColorContextProfile` is 1, `WICColorContextUninitialized` 0.
    let kind = u32::from(com::this::<ColorContext>(guest, This)?.profile().is_some());
    Ok(guest.write(pType.get(), &kind)?)
}

/// Writes the profile's bytes, or only how many there are.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwiccolorcontext-getprofilebytes>
#[winapi]
pub fn IWICColorContext_GetProfileBytes(
    guest: &mut Guest,
    This: GuestWord,
    cbBuffer: u32,
    pbBuffer: GuestWord,
    pcbActual: GuestWord,
) -> Result<(), ComError> {
    let profile = com::this::<ColorContext>(guest, This)?.profile();
    let profile = profile.ok_or(ComError::Result(NOT_INITIALIZED))?;
    if pcbActual.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    guest.write(pcbActual.get(), &(profile.len() as u32))?;
    if pbBuffer.is_null() {
        return Ok(());
    }
    if (cbBuffer as usize) < profile.len() {
        return fail(INSUFFICIENT_BUFFER);
    }
    Ok(guest.write_bytes(pbBuffer.get(), &profile)?)
}

/// Answers that the context is no Exif colour space.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwiccolorcontext-getexifcolorspace>
#[winapi]
pub fn IWICColorContext_GetExifColorSpace(
    guest: &mut Guest,
    This: GuestWord,
    pValue: GuestWord,
) -> Result<(), ComError> {
    let _ = (guest, This, pValue);
    fail(WRONG_STATE)
}
