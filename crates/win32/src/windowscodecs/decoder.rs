//! wincodec.h: `IWICBitmapDecoder`, a file whose format is known.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plat_abi::{GuestWord, Memory, winapi};

use super::picture::{Container, Picture, PictureError};
use super::source::{Decoded, FRAME, Source};
use super::{FRAME_MISSING, NO_THUMBNAIL, NOT_INITIALIZED, UNSUPPORTED_OPERATION, WRONG_STATE};
use crate::alike::alike;
use crate::answers::answers;
use crate::com::{self, Class, ComError, Component, Guid, Methods, fail, guid, result};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::ole32::stream::read_all;

/// The methods of `IWICBitmapDecoder`.
pub const ROWS: &[Export] = dll! {
    full IWICBitmapDecoder_QueryCapability;
    full IWICBitmapDecoder_Initialize;
    full IWICBitmapDecoder_GetContainerFormat;
    stub IWICBitmapDecoder_GetDecoderInfo;
    full IWICBitmapDecoder_CopyPalette;
    full IWICBitmapDecoder_GetMetadataQueryReader;
    full IWICBitmapDecoder_GetPreview;
    full IWICBitmapDecoder_GetColorContexts;
    full IWICBitmapDecoder_GetThumbnail;
    full IWICBitmapDecoder_GetFrameCount;
    full IWICBitmapDecoder_GetFrame;
};

/// `IWICBitmapDecoder`.
const IID_DECODER: Guid = guid(0x9edd_e9e7, 0x8dee, 0x47ea, 0x99df_e6fa_f2ed_44bf);

static DECODER: Class = Class {
    name: "BitmapDecoder",
    interfaces: &[IID_DECODER],
    methods: &[Methods { dll: "windowscodecs.dll", rows: ROWS }],
};

/// The identifiers of file formats.
///
/// Source: <https://learn.microsoft.com/windows/win32/wic/-wic-guids-clsids#container-formats>
const CONTAINERS: [(Container, Guid); 2] = [
    (Container::Png, guid(0x1b7c_faf4, 0x713f, 0x473c, 0xbbcd_6137_425f_aeaf)),
    (Container::Jpeg, guid(0x19e4_a5aa, 0x5662, 0x4fc5, 0xa0c0_1758_028e_1057)),
];

/// Returns the file format with an identifier.
pub fn container_of(wanted: &Guid) -> Option<Container> {
    CONTAINERS.iter().find(|(_, guid)| guid == wanted).map(|(container, _)| *container)
}

/// A decoder, with its file once it was told.
pub struct Decoder {
    container: Container,
    decoded: Mutex<Option<Arc<Decoded>>>,
}

impl Component for Decoder {
    fn class(&self) -> &'static Class {
        &DECODER
    }
}

impl Decoder {
    /// Makes the decoder of a file.
    pub fn new(picture: Picture) -> Self {
        let container = picture.container;
        Self { container, decoded: Mutex::new(Some(Arc::new(Decoded::new(picture)))) }
    }

    /// Makes a decoder without a file.
    pub fn empty(container: Container) -> Self {
        Self { container, decoded: Mutex::default() }
    }

    fn slot(&self) -> MutexGuard<'_, Option<Arc<Decoded>>> {
        self.decoded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn decoded(&self) -> Result<Arc<Decoded>, ComError> {
        self.slot().clone().ok_or(ComError::Result(NOT_INITIALIZED))
    }
}

/// Reads the whole stream when it holds the decoder's format.
fn open(guest: &mut Guest, decoder: &Decoder, stream: GuestWord) -> Result<Picture, ComError> {
    const FILE_BYTES_MAX: usize = 1 << 30;
    let file = read_all(guest, stream, FILE_BYTES_MAX)?;
    let picture = Picture::open(file).map_err(|error| ComError::Result(error.code()))?;
    match picture.container == decoder.container {
        true => Ok(picture),
        false => fail(PictureError::BadHeader.code()),
    }
}

/// Says what the decoder can do with a stream: all pictures in it, or nothing.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicbitmapdecoder-querycapability>
#[winapi]
pub fn IWICBitmapDecoder_QueryCapability(
    guest: &mut Guest,
    This: GuestWord,
    pIStream: GuestWord,
    pdwCapability: GuestWord,
) -> Result<(), ComError> {
    /// `WICBitmapDecoderCapabilityCanDecodeAllImages`.
    const CAN_DECODE_ALL: u32 = 2;
    let decoder = com::this::<Decoder>(guest, This)?;
    open(guest, &decoder, pIStream)?;
    Ok(guest.write(pdwCapability.get(), &CAN_DECODE_ALL)?)
}

/// Gives the decoder its file.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicbitmapdecoder-initialize>
#[winapi]
pub fn IWICBitmapDecoder_Initialize(
    guest: &mut Guest,
    This: GuestWord,
    pIStream: GuestWord,
    cacheOptions: u32,
) -> Result<(), ComError> {
    let _ = cacheOptions;
    let decoder = com::this::<Decoder>(guest, This)?;
    if decoder.slot().is_some() {
        return fail(WRONG_STATE);
    }
    let picture = open(guest, &decoder, pIStream)?;
    *decoder.slot() = Some(Arc::new(Decoded::new(picture)));
    Ok(())
}

/// Writes the identifier of the file's format.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicbitmapdecoder-getcontainerformat>
#[winapi]
pub fn IWICBitmapDecoder_GetContainerFormat(
    guest: &mut Guest,
    This: GuestWord,
    pguidContainerFormat: GuestWord,
) -> Result<(), ComError> {
    let container = com::this::<Decoder>(guest, This)?.container;
    let guid = CONTAINERS.iter().find(|row| row.0 == container).expect("all are listed").1;
    Ok(guest.write_bytes(pguidContainerFormat.get(), &guid)?)
}

answers! {
    "Answers that these formats have no palette for all frames.", "wincodec/nf-wincodec-iwicbitmapdecoder-copypalette";
    IWICBitmapDecoder_CopyPalette(
        This: GuestWord, pIPalette: GuestWord
    ) -> Result<(), ComError> = fail(super::PALETTE_UNAVAILABLE);
    "Answers that these formats have no colour contexts for all frames.", "wincodec/nf-wincodec-iwicbitmapdecoder-getcolorcontexts";
    IWICBitmapDecoder_GetColorContexts(
        This: GuestWord, cCount: u32, ppIColorContexts: GuestWord, pcActualCount: GuestWord
    ) -> Result<(), ComError> = fail(UNSUPPORTED_OPERATION);
}

alike! {
    fn(guest, code; This: GuestWord, into: GuestWord) -> Result<(), ComError> {
        unsupported(guest, This, into, code)
    }

    /// Answers that these formats have no metadata for all frames.
    "wincodec/nf-wincodec-iwicbitmapdecoder-getmetadataqueryreader"
    IWICBitmapDecoder_GetMetadataQueryReader(This, ppIMetadataQueryReader) = UNSUPPORTED_OPERATION;

    /// Answers that these formats have no preview.
    "wincodec/nf-wincodec-iwicbitmapdecoder-getpreview"
    IWICBitmapDecoder_GetPreview(This, ppIBitmapSource) = UNSUPPORTED_OPERATION;

    /// Answers that the file has no thumbnail.
    "wincodec/nf-wincodec-iwicbitmapdecoder-getthumbnail"
    IWICBitmapDecoder_GetThumbnail(This, ppIThumbnail) = NO_THUMBNAIL;
}

/// Answers that an object is not to be had.
pub(super) fn unsupported(
    guest: &Guest,
    this: GuestWord,
    into: GuestWord,
    code: u32,
) -> Result<(), ComError> {
    let _ = this;
    if into.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    guest.write_word(into.get(), 0)?;
    fail(code)
}

/// Writes the number of pictures: one, or none before there is a file.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicbitmapdecoder-getframecount>
#[winapi]
pub fn IWICBitmapDecoder_GetFrameCount(
    guest: &mut Guest,
    This: GuestWord,
    pCount: GuestWord,
) -> Result<(), ComError> {
    if pCount.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    let count = u32::from(com::this::<Decoder>(guest, This)?.slot().is_some());
    Ok(guest.write(pCount.get(), &count)?)
}

/// Gives a picture.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicbitmapdecoder-getframe>
#[winapi]
pub fn IWICBitmapDecoder_GetFrame(
    guest: &mut Guest,
    This: GuestWord,
    index: u32,
    ppIBitmapFrame: GuestWord,
) -> Result<(), ComError> {
    let decoded = com::this::<Decoder>(guest, This)?.decoded()?;
    if index != 0 {
        return fail(FRAME_MISSING);
    }
    com::give(guest, Source::new(&FRAME, decoded), ppIBitmapFrame)
}
