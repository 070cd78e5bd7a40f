//! wincodec.h: `IWICPalette`, a list of colours.

use std::sync::{Mutex, PoisonError};

use plat_abi::{GuestWord, Memory, winapi};

use super::NOT_INITIALIZED;
use crate::com::{self, Class, ComError, Component, Guid, Methods, fail, guid, result};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The methods of `IWICPalette`.
pub const ROWS: &[Export] = dll! {
    stub IWICPalette_InitializePredefined;
    full IWICPalette_InitializeCustom;
    stub IWICPalette_InitializeFromBitmap;
    full IWICPalette_InitializeFromPalette;
    full IWICPalette_GetType;
    full IWICPalette_GetColorCount;
    full IWICPalette_GetColors;
    full IWICPalette_IsBlackWhite;
    full IWICPalette_IsGrayscale;
    full IWICPalette_HasAlpha;
};

/// `IWICPalette`.
const IID_PALETTE: Guid = guid(0x0000_0040, 0xa8f2, 0x4877, 0xba0a_fd2b_6645_fb94);

static PALETTE: Class = Class {
    name: "Palette",
    interfaces: &[IID_PALETTE],
    methods: &[Methods { dll: "windowscodecs.dll", rows: ROWS }],
};

/// A palette: colours as 0xAARRGGBB, or nothing yet.
#[derive(Default)]
pub struct Palette(Mutex<Option<Vec<u32>>>);

impl Component for Palette {
    fn class(&self) -> &'static Class {
        &PALETTE
    }
}

impl Palette {
    /// Gives the palette its colours.
    pub fn set(&self, colours: Vec<u32>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(colours);
    }

    fn colours(&self) -> Option<Vec<u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Gives the palette the caller's colours: at least one, at most 256.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicpalette-initializecustom>
#[winapi]
pub fn IWICPalette_InitializeCustom(
    guest: &mut Guest,
    This: GuestWord,
    pColors: GuestWord,
    cCount: u32,
) -> Result<(), ComError> {
    if pColors.is_null() || !(1..=256).contains(&cCount) {
        return fail(result::INVALID_ARGUMENT);
    }
    let colours: Result<Vec<u32>, _> =
        (0..u64::from(cCount)).map(|place| guest.read_u32(pColors.get() + place * 4)).collect();
    com::this::<Palette>(guest, This)?.set(colours?);
    Ok(())
}

/// Gives the palette another one's colours.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicpalette-initializefrompalette>
#[winapi]
pub fn IWICPalette_InitializeFromPalette(
    guest: &mut Guest,
    This: GuestWord,
    pIPalette: GuestWord,
) -> Result<(), ComError> {
    let colours = com::this::<Palette>(guest, pIPalette)?.colours();
    com::this::<Palette>(guest, This)?.set(colours.ok_or(ComError::Result(NOT_INITIALIZED))?);
    Ok(())
}

/// Writes where the colours are from: always the caller or a picture.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicpalette-gettype>
#[winapi]
pub fn IWICPalette_GetType(
    guest: &mut Guest,
    This: GuestWord,
    pePaletteType: GuestWord,
) -> Result<(), ComError> {
    /// `WICBitmapPaletteTypeCustom`.
    const CUSTOM: u32 = 0;
    com::this::<Palette>(guest, This)?;
    write(guest, pePaletteType, CUSTOM)
}

/// Writes how many colours there are.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicpalette-getcolorcount>
#[winapi]
pub fn IWICPalette_GetColorCount(
    guest: &mut Guest,
    This: GuestWord,
    pcCount: GuestWord,
) -> Result<(), ComError> {
    let colours = com::this::<Palette>(guest, This)?.colours().unwrap_or_default();
    write(guest, pcCount, colours.len() as u32)
}

/// Writes the colours that the caller has room for, and how many those are.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicpalette-getcolors>
#[winapi]
pub fn IWICPalette_GetColors(
    guest: &mut Guest,
    This: GuestWord,
    cCount: u32,
    pColors: GuestWord,
    pcActualColors: GuestWord,
) -> Result<(), ComError> {
    if pColors.is_null() || pcActualColors.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    let colours = com::this::<Palette>(guest, This)?.colours().ok_or(ComError::Result(NOT_INITIALIZED))?;
    let bytes: Vec<u8> =
        colours.iter().take(cCount as usize).flat_map(|colour| colour.to_le_bytes()).collect();
    guest.write_bytes(pColors.get(), &bytes)?;
    write(guest, pcActualColors, (bytes.len() / 4) as u32)
}

fn write(guest: &Guest, into: GuestWord, value: u32) -> Result<(), ComError> {
    match into.is_null() {
        true => fail(result::INVALID_ARGUMENT),
        false => Ok(guest.write(into.get(), &value)?),
    }
}

/// Answers a question about where the colours are from: never from a predefined palette.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicpalette-isblackwhite>
#[winapi]
pub fn IWICPalette_IsBlackWhite(
    guest: &mut Guest,
    This: GuestWord,
    pfIsBlackWhite: GuestWord,
) -> Result<(), ComError> {
    com::this::<Palette>(guest, This)?;
    write(guest, pfIsBlackWhite, 0)
}

/// Answers a question about where the colours are from: never from a predefined palette.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicpalette-isgrayscale>
#[winapi]
pub fn IWICPalette_IsGrayscale(
    guest: &mut Guest,
    This: GuestWord,
    pfIsGrayscale: GuestWord,
) -> Result<(), ComError> {
    IWICPalette_IsBlackWhite(guest, This, pfIsGrayscale)
}

/// Says whether a colour is not opaque.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicpalette-hasalpha>
#[winapi]
pub fn IWICPalette_HasAlpha(
    guest: &mut Guest,
    This: GuestWord,
    pfHasAlpha: GuestWord,
) -> Result<(), ComError> {
    let colours = com::this::<Palette>(guest, This)?.colours().unwrap_or_default();
    let has_alpha = colours.iter().any(|colour| colour >> 24 != 0xff);
    write(guest, pfHasAlpha, u32::from(has_alpha))
}
