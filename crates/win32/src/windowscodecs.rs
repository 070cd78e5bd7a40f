//! windowscodecs.dll: the Windows Imaging Component. It exports nothing here: programs come by `CoCreateInstance`.
//!
//! Reading order: [`picture`] (decoders) and [`mod@format`] (pixel formats), both pure, then the objects: [`factory`],
//! [`decoder`], [`source`] (frames and converters), [`palette`], [`color`], [`stream`].

pub mod color;
pub mod decoder;
pub mod factory;
pub mod format;
pub mod palette;
pub mod picture;
pub mod source;
pub mod stream;

use crate::export::Dll;

/// The DLL.
pub const DLL: Dll = Dll {
    name: "windowscodecs.dll",
    description: "Microsoft Windows Codecs Library",
    tables: &[],
    methods: &[
        factory::ROWS,
        decoder::ROWS,
        source::SOURCE_ROWS,
        source::FRAME_ROWS,
        source::CONVERTER_ROWS,
        palette::ROWS,
        color::ROWS,
        stream::ROWS,
    ],
};

/// `WINCODEC_ERR_UNSUPPORTEDOPERATION`.
pub const UNSUPPORTED_OPERATION: u32 = 0x8898_2f81;
/// `WINCODEC_ERR_UNSUPPORTEDPIXELFORMAT`.
pub const UNSUPPORTED_PIXEL_FORMAT: u32 = 0x8898_2f80;
/// `WINCODEC_ERR_NOTINITIALIZED`.
pub const NOT_INITIALIZED: u32 = 0x8898_2f0c;
/// `WINCODEC_ERR_WRONGSTATE`.
pub const WRONG_STATE: u32 = 0x8898_2f04;
/// `WINCODEC_ERR_INSUFFICIENTBUFFER`.
pub const INSUFFICIENT_BUFFER: u32 = 0x8898_2f8c;
/// `WINCODEC_ERR_PALETTEUNAVAILABLE`.
pub const PALETTE_UNAVAILABLE: u32 = 0x8898_2f45;
/// `WINCODEC_ERR_CODECNOTHUMBNAIL`.
pub const NO_THUMBNAIL: u32 = 0x8898_2f44;
/// `WINCODEC_ERR_FRAMEMISSING`.
pub const FRAME_MISSING: u32 = 0x8898_2f62;
