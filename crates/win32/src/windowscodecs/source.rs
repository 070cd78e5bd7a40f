//! wincodec.h: `IWICBitmapSource` and the two kinds of it: a decoder's frame and a format converter.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use super::color::ColorContext;
use super::format::PixelFormat;
use super::palette::Palette;
use super::picture::{Picture, PictureError};
use super::{
    INSUFFICIENT_BUFFER, NO_THUMBNAIL, NOT_INITIALIZED, PALETTE_UNAVAILABLE, UNSUPPORTED_OPERATION,
    UNSUPPORTED_PIXEL_FORMAT, WRONG_STATE,
};
use crate::com::{self, Class, ComError, Component, Guid, Methods, fail, guid, result};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The methods of `IWICBitmapSource`.
pub const SOURCE_ROWS: &[Export] = dll! {
    full IWICBitmapSource_GetSize;
    full IWICBitmapSource_GetPixelFormat;
    full IWICBitmapSource_GetResolution;
    full IWICBitmapSource_CopyPalette;
    full IWICBitmapSource_CopyPixels;
};

/// The methods of `IWICBitmapFrameDecode`.
pub const FRAME_ROWS: &[Export] = dll! {
    full IWICBitmapFrameDecode_GetMetadataQueryReader;
    full IWICBitmapFrameDecode_GetColorContexts;
    full IWICBitmapFrameDecode_GetThumbnail;
};

/// The methods of `IWICFormatConverter`.
pub const CONVERTER_ROWS: &[Export] = dll! {
    full IWICFormatConverter_Initialize;
    full IWICFormatConverter_CanConvert;
};

/// `IWICBitmapSource`.
const IID_SOURCE: Guid = guid(0x0000_0120, 0xa8f2, 0x4877, 0xba0a_fd2b_6645_fb94);
/// `IWICBitmapFrameDecode`.
const IID_FRAME: Guid = guid(0x3b16_811b, 0x6a43, 0x4ec9, 0xa813_3d93_0c13_b940);
/// `IWICFormatConverter`.
const IID_CONVERTER: Guid = guid(0x0000_0301, 0xa8f2, 0x4877, 0xba0a_fd2b_6645_fb94);

const SOURCE_METHODS: Methods = Methods { dll: "windowscodecs.dll", rows: SOURCE_ROWS };

/// The class of a decoder's frames.
pub static FRAME: Class = Class {
    name: "BitmapFrameDecode",
    interfaces: &[IID_SOURCE, IID_FRAME],
    methods: &[SOURCE_METHODS, Methods { dll: "windowscodecs.dll", rows: FRAME_ROWS }],
};

/// The class of format converters.
pub static CONVERTER: Class = Class {
    name: "FormatConverter",
    interfaces: &[IID_SOURCE, IID_CONVERTER],
    methods: &[SOURCE_METHODS, Methods { dll: "windowscodecs.dll", rows: CONVERTER_ROWS }],
};

/// A picture, decoded when its pixels are first wanted.
pub struct Decoded {
    picture: Picture,
    pixels: OnceLock<Result<Vec<u8>, PictureError>>,
}

impl Decoded {
    /// Wraps a picture.
    pub fn new(picture: Picture) -> Self {
        Self { picture, pixels: OnceLock::new() }
    }

    fn pixels(&self) -> Result<&[u8], ComError> {
        let pixels = self.pixels.get_or_init(|| self.picture.decode());
        pixels.as_deref().map_err(|error| ComError::Result(error.code()))
    }
}

/// A picture and the formats it is converted to, one after the other.
#[derive(Clone)]
struct Image {
    decoded: Arc<Decoded>,
    steps: Vec<PixelFormat>,
}

impl Image {
    fn format(&self) -> PixelFormat {
        self.steps.last().copied().unwrap_or(self.decoded.picture.format)
    }

    /// Returns row `y`, converted.
    fn row(&self, y: usize) -> Result<Vec<u8>, ComError> {
        let picture = &self.decoded.picture;
        let stride = picture.stride();
        let mut row = self.decoded.pixels()?[y * stride..(y + 1) * stride].to_vec();
        let mut format = picture.format;
        for &step in &self.steps {
            row = format.convert(&row, picture.width, &picture.palette, step);
            format = step;
        }
        Ok(row)
    }
}

/// A frame, or a converter, which has no picture at first.
pub struct Source {
    class: &'static Class,
    image: Mutex<Option<Image>>,
}

impl Component for Source {
    fn class(&self) -> &'static Class {
        self.class
    }
}

impl Source {
    /// Makes a source without a picture.
    pub fn empty(class: &'static Class) -> Self {
        Self { class, image: Mutex::default() }
    }

    /// Makes a source of a picture as it is in its file.
    pub fn new(class: &'static Class, decoded: Arc<Decoded>) -> Self {
        Self { class, image: Mutex::new(Some(Image { decoded, steps: Vec::new() })) }
    }
}

fn image(guest: &Guest, this: GuestWord) -> Result<Image, ComError> {
    let source = com::this::<Source>(guest, this)?;
    let image = source.image.lock().unwrap_or_else(PoisonError::into_inner).clone();
    image.ok_or(ComError::Result(NOT_INITIALIZED))
}

/// Writes width and height in pixels.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicbitmapsource-getsize>
#[winapi]
pub fn IWICBitmapSource_GetSize(
    guest: &mut Guest,
    This: GuestWord,
    puiWidth: GuestWord,
    puiHeight: GuestWord,
) -> Result<(), ComError> {
    if puiWidth.is_null() || puiHeight.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    let image = image(guest, This)?;
    guest.write(puiWidth.get(), &image.decoded.picture.width)?;
    Ok(guest.write(puiHeight.get(), &image.decoded.picture.height)?)
}

/// Writes the identifier of the pixel format.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicbitmapsource-getpixelformat>
#[winapi]
pub fn IWICBitmapSource_GetPixelFormat(
    guest: &mut Guest,
    This: GuestWord,
    pPixelFormat: GuestWord,
) -> Result<(), ComError> {
    if pPixelFormat.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    let format = image(guest, This)?.format();
    Ok(guest.write_bytes(pPixelFormat.get(), &format.guid())?)
}

/// Writes the resolution in dots per inch.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicbitmapsource-getresolution>
#[winapi]
pub fn IWICBitmapSource_GetResolution(
    guest: &mut Guest,
    This: GuestWord,
    pDpiX: GuestWord,
    pDpiY: GuestWord,
) -> Result<(), ComError> {
    if pDpiX.is_null() || pDpiY.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    let (x, y) = image(guest, This)?.decoded.picture.resolution;
    guest.write_bytes(pDpiX.get(), &x.to_le_bytes())?;
    Ok(guest.write_bytes(pDpiY.get(), &y.to_le_bytes())?)
}

/// Gives a palette the picture's colours.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicbitmapsource-copypalette>
#[winapi]
pub fn IWICBitmapSource_CopyPalette(
    guest: &mut Guest,
    This: GuestWord,
    pIPalette: GuestWord,
) -> Result<(), ComError> {
    let image = image(guest, This)?;
    if !image.format().is_indexed() {
        return fail(PALETTE_UNAVAILABLE);
    }
    com::this::<Palette>(guest, pIPalette)?.set(image.decoded.picture.palette.clone());
    Ok(())
}

/// `WICRect`.
#[derive(GuestStruct, Default, Clone, Copy)]
struct WICRect {
    X: i32,
    Y: i32,
    Width: i32,
    Height: i32,
}

/// Returns the rectangle in pixels (left, top, width, height) if it lies in the picture.
fn rectangle(guest: &Guest, picture: &Picture, at: GuestWord) -> Result<[usize; 4], ComError> {
    let whole = [0, 0, picture.width as usize, picture.height as usize];
    if at.is_null() {
        return Ok(whole);
    }
    let WICRect { X, Y, Width, Height } = guest.read(at.get())?;
    let inside = |start: i32, size: i32, most: u32| {
        start >= 0 && size > 0 && i64::from(start) + i64::from(size) <= i64::from(most)
    };
    match inside(X, Width, picture.width) && inside(Y, Height, picture.height) {
        true => Ok([X as usize, Y as usize, Width as usize, Height as usize]),
        false => fail(result::INVALID_ARGUMENT),
    }
}

/// Copies a rectangle of pixels, or all.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicbitmapsource-copypixels>
#[winapi]
pub fn IWICBitmapSource_CopyPixels(
    guest: &mut Guest,
    This: GuestWord,
    prc: GuestWord,
    cbStride: u32,
    cbBufferSize: u32,
    pbBuffer: GuestWord,
) -> Result<(), ComError> {
    if pbBuffer.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    let image = image(guest, This)?;
    let [left, top, width, height] = rectangle(guest, &image.decoded.picture, prc)?;
    let format = image.format();
    let bytes = format.row_bytes(width as u32);
    if (cbStride as usize) < bytes {
        return fail(result::INVALID_ARGUMENT);
    }
    if u64::from(cbStride) * (height as u64 - 1) + bytes as u64 > u64::from(cbBufferSize) {
        return fail(INSUFFICIENT_BUFFER);
    }
    for y in 0..height {
        let row = format.crop(image.row(top + y)?, left, width);
        guest.write_bytes(pbBuffer.get() + y as u64 * u64::from(cbStride), &row)?;
    }
    Ok(())
}

/// Answers that metadata are not read.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicbitmapframedecode-getmetadataqueryreader>
#[winapi]
pub fn IWICBitmapFrameDecode_GetMetadataQueryReader(
    guest: &mut Guest,
    This: GuestWord,
    ppIMetadataQueryReader: GuestWord,
) -> Result<(), ComError> {
    super::decoder::unsupported(guest, This, ppIMetadataQueryReader, UNSUPPORTED_OPERATION)
}

/// Gives colour contexts the picture's profile; writes how many there are.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicbitmapframedecode-getcolorcontexts>
#[winapi]
pub fn IWICBitmapFrameDecode_GetColorContexts(
    guest: &mut Guest,
    This: GuestWord,
    cCount: u32,
    ppIColorContexts: GuestWord,
    pcActualCount: GuestWord,
) -> Result<(), ComError> {
    if pcActualCount.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    let image = image(guest, This)?;
    let profile = &image.decoded.picture.profile;
    if let (Some(profile), false) = (profile, cCount == 0 || ppIColorContexts.is_null()) {
        let context = GuestWord(guest.read_word(ppIColorContexts.get())?);
        com::this::<ColorContext>(guest, context)?.set(profile.clone());
    }
    Ok(guest.write(pcActualCount.get(), &u32::from(profile.is_some()))?)
}

/// Answers that the picture has no thumbnail.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicbitmapframedecode-getthumbnail>
#[winapi]
pub fn IWICBitmapFrameDecode_GetThumbnail(
    guest: &mut Guest,
    This: GuestWord,
    ppIThumbnail: GuestWord,
) -> Result<(), ComError> {
    super::decoder::unsupported(guest, This, ppIThumbnail, NO_THUMBNAIL)
}

/// Returns the pixel format whose identifier the guest passes.
fn format_at(guest: &Guest, at: GuestWord) -> Result<Option<PixelFormat>, ComError> {
    let format: Guid = guest.read(at.get())?;
    Ok(PixelFormat::of_guid(&format))
}

/// Gives the converter its source, which plat must have made, and the format it converts to.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicformatconverter-initialize>
#[winapi]
pub fn IWICFormatConverter_Initialize(
    guest: &mut Guest,
    This: GuestWord,
    pISource: GuestWord,
    dstFormat: GuestWord,
    dither: u32,
    pIPalette: GuestWord,
    alphaThresholdPercent: f64,
    paletteTranslate: u32,
) -> Result<(), ComError> {
    let _ = (dither, pIPalette, alphaThresholdPercent, paletteTranslate);
    let converter = com::this::<Source>(guest, This)?;
    let mut image = image(guest, pISource)?;
    let Some(target) = format_at(guest, dstFormat)?.filter(|to| can_convert(image.format(), *to)) else {
        return fail(UNSUPPORTED_PIXEL_FORMAT);
    };
    image.steps.push(target);
    let mut slot = converter.image.lock().unwrap_or_else(PoisonError::into_inner);
    if slot.is_some() {
        return fail(WRONG_STATE);
    }
    *slot = Some(image);
    Ok(())
}

/// Says whether pixels of one format can become another.
fn can_convert(from: PixelFormat, to: PixelFormat) -> bool {
    from == to || to.is_target()
}

/// Says whether the converter knows the way from one format to another.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicformatconverter-canconvert>
#[winapi]
pub fn IWICFormatConverter_CanConvert(
    guest: &mut Guest,
    This: GuestWord,
    srcPixelFormat: GuestWord,
    dstPixelFormat: GuestWord,
    pfCanConvert: GuestWord,
) -> Result<(), ComError> {
    let _ = This;
    let formats = (format_at(guest, srcPixelFormat)?, format_at(guest, dstPixelFormat)?);
    let can = matches!(formats, (Some(from), Some(to)) if can_convert(from, to));
    Ok(guest.write(pfCanConvert.get(), &u32::from(can))?)
}
