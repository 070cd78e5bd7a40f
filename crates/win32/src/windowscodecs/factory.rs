//! wincodec.h: `IWICImagingFactory`, where everything begins.

use plat_abi::{GuestWord, Memory, winapi};

use super::color::ColorContext;
use super::decoder::Decoder;
use super::palette::Palette;
use super::picture::Picture;
use super::source::{CONVERTER, Source};
use super::stream::STREAM;
use crate::com::{self, Class, ComError, Component, Guid, Methods, fail, guid, result};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::ole32::stream::{Stream, read_all};

/// The methods of `IWICImagingFactory` and `IWICImagingFactory2`.
pub const ROWS: &[Export] = dll! {
    full IWICImagingFactory_CreateDecoderFromFilename;
    full IWICImagingFactory_CreateDecoderFromStream;
    stub IWICImagingFactory_CreateDecoderFromFileHandle;
    stub IWICImagingFactory_CreateComponentInfo;
    full IWICImagingFactory_CreateDecoder;
    stub IWICImagingFactory_CreateEncoder;
    full IWICImagingFactory_CreatePalette;
    full IWICImagingFactory_CreateFormatConverter;
    stub IWICImagingFactory_CreateBitmapScaler;
    stub IWICImagingFactory_CreateBitmapClipper;
    stub IWICImagingFactory_CreateBitmapFlipRotator;
    full IWICImagingFactory_CreateStream;
    full IWICImagingFactory_CreateColorContext;
    stub IWICImagingFactory_CreateColorTransformer;
    stub IWICImagingFactory_CreateBitmap;
    stub IWICImagingFactory_CreateBitmapFromSource;
    stub IWICImagingFactory_CreateBitmapFromSourceRect;
    stub IWICImagingFactory_CreateBitmapFromMemory;
    stub IWICImagingFactory_CreateBitmapFromHBITMAP;
    stub IWICImagingFactory_CreateBitmapFromHICON;
    stub IWICImagingFactory_CreateComponentEnumerator;
    stub IWICImagingFactory_CreateFastMetadataEncoderFromDecoder;
    stub IWICImagingFactory_CreateFastMetadataEncoderFromFrameDecode;
    stub IWICImagingFactory_CreateQueryWriter;
    stub IWICImagingFactory_CreateQueryWriterFromReader;
    stub IWICImagingFactory2_CreateImageEncoder;
};

/// The class of the imaging factory, version 1.
pub const CLSID_WIC_IMAGING_FACTORY: Guid = guid(0xcaca_f262, 0x9370, 0x4615, 0xa13b_9f55_39da_4c0a);
/// The class of the imaging factory, version 2, which programs built for Windows 8 and later name.
pub const CLSID_WIC_IMAGING_FACTORY2: Guid = guid(0x317d_06e8, 0x5f24, 0x433d, 0xbdf7_79ce_68d8_abc2);
/// `IWICImagingFactory2`.
const IID_FACTORY2: Guid = guid(0x7b81_6b45, 0x1996, 0x4476, 0xb132_de9e_247c_8af0);
/// `IWICImagingFactory`.
const IID_FACTORY: Guid = guid(0xec5e_c8a9, 0xc395, 0x4314, 0x9c77_54d7_a935_ff70);
/// The most bytes of a file that are read.
const FILE_BYTES_MAX: usize = 1 << 30;

static FACTORY: Class = Class {
    name: "ImagingFactory",
    interfaces: &[IID_FACTORY, IID_FACTORY2],
    methods: &[Methods { dll: "windowscodecs.dll", rows: ROWS }],
};

/// The factory: it has no state.
struct Factory;

impl Component for Factory {
    fn class(&self) -> &'static Class {
        &FACTORY
    }
}

/// Makes a factory.
///
/// # Errors
/// `E_OUTOFMEMORY`.
pub fn make_factory(guest: &mut Guest, into: GuestWord) -> Result<(), ComError> {
    com::give(guest, Factory, into)
}

/// Makes a decoder for the bytes of a file.
fn decode(guest: &mut Guest, file: Vec<u8>, into: GuestWord) -> Result<(), ComError> {
    let picture = Picture::open(file).map_err(|error| ComError::Result(error.code()))?;
    com::give(guest, Decoder::new(picture), into)
}

/// Reads a file and finds its decoder.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicimagingfactory-createdecoderfromfilename>
#[winapi]
pub fn IWICImagingFactory_CreateDecoderFromFilename(
    guest: &mut Guest,
    This: GuestWord,
    wzFilename: GuestWord,
    pguidVendor: GuestWord,
    dwDesiredAccess: u32,
    metadataOptions: u32,
    ppIDecoder: GuestWord,
) -> Result<(), ComError> {
    let _ = (This, pguidVendor, dwDesiredAccess, metadataOptions);
    if wzFilename.is_null() || ppIDecoder.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    guest.write_word(ppIDecoder.get(), 0)?;
    let path = guest.read_wide_string(wzFilename.get())?;
    let file = crate::shlwapi::file_stream::open(guest, &path, 0)?;
    let size = file.size().map_err(|status| status.to_win32())?;
    if size > FILE_BYTES_MAX as u64 {
        return fail(result::OUT_OF_MEMORY);
    }
    let mut bytes = vec![0; size as usize];
    let mut done = 0;
    while done < bytes.len() {
        match file.read(&mut bytes[done..], Some(done as u64)) {
            Ok(0) | Err(crate::NtStatus::END_OF_FILE) => break,
            Ok(count) => done += count as usize,
            Err(status) => return Err(status.to_win32().into()),
        }
    }
    bytes.truncate(done);
    decode(guest, bytes, ppIDecoder)
}

/// Reads a stream and finds its decoder.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicimagingfactory-createdecoderfromstream>
#[winapi]
pub fn IWICImagingFactory_CreateDecoderFromStream(
    guest: &mut Guest,
    This: GuestWord,
    pIStream: GuestWord,
    pguidVendor: GuestWord,
    metadataOptions: u32,
    ppIDecoder: GuestWord,
) -> Result<(), ComError> {
    let _ = (This, pguidVendor, metadataOptions);
    if pIStream.is_null() || ppIDecoder.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    guest.write_word(ppIDecoder.get(), 0)?;
    let file = read_all(guest, pIStream, FILE_BYTES_MAX)?;
    decode(guest, file, ppIDecoder)
}

/// Makes a decoder of a format that `Initialize` gives its stream.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicimagingfactory-createdecoder>
#[winapi]
pub fn IWICImagingFactory_CreateDecoder(
    guest: &mut Guest,
    This: GuestWord,
    guidContainerFormat: GuestWord,
    pguidVendor: GuestWord,
    ppIDecoder: GuestWord,
) -> Result<(), ComError> {
    let _ = (This, pguidVendor);
    let format: Guid = guest.read(guidContainerFormat.get())?;
    match super::decoder::container_of(&format) {
        Some(container) => com::give(guest, Decoder::empty(container), ppIDecoder),
        None => fail(super::picture::PictureError::UnknownFormat.code()),
    }
}

/// Makes a palette without colours.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicimagingfactory-createpalette>
#[winapi]
pub fn IWICImagingFactory_CreatePalette(
    guest: &mut Guest,
    This: GuestWord,
    ppIPalette: GuestWord,
) -> Result<(), ComError> {
    let _ = This;
    com::give(guest, Palette::default(), ppIPalette)
}

/// Makes a converter without a source.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicimagingfactory-createformatconverter>
#[winapi]
pub fn IWICImagingFactory_CreateFormatConverter(
    guest: &mut Guest,
    This: GuestWord,
    ppIFormatConverter: GuestWord,
) -> Result<(), ComError> {
    let _ = This;
    com::give(guest, Source::empty(&CONVERTER), ppIFormatConverter)
}

/// Makes a stream without bytes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicimagingfactory-createstream>
#[winapi]
pub fn IWICImagingFactory_CreateStream(
    guest: &mut Guest,
    This: GuestWord,
    ppIWICStream: GuestWord,
) -> Result<(), ComError> {
    let _ = This;
    com::give(guest, Stream::empty(&STREAM), ppIWICStream)
}

/// Makes a colour context without a profile.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincodec/nf-wincodec-iwicimagingfactory-createcolorcontext>
#[winapi]
pub fn IWICImagingFactory_CreateColorContext(
    guest: &mut Guest,
    This: GuestWord,
    ppIWICColorContext: GuestWord,
) -> Result<(), ComError> {
    let _ = This;
    com::give(guest, ColorContext::default(), ppIWICColorContext)
}
