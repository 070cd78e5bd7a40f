//! Decoders: the bytes of a file become a picture with one of the imaging component's pixel formats.
//!
//! Key types: [`Picture`], [`Container`]. Pure: no guest. Sizes are checked against what the file can justify before memory
//! is taken.

use std::io::Cursor;

use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::format::PixelFormat;

/// The most bytes that a decoded picture may have.
const BYTES_MAX: usize = 1 << 30;

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// Portable network graphics.
    Png,
    /// JPEG.
    Jpeg,
}

/// Why a picture cannot be had; each is a `WINCODEC_ERR_…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// No decoder knows the bytes.
    #[error("no decoder knows this format")]
    UnknownFormat,
    /// What says how large the picture is, is damaged.
    #[error("the header is damaged")]
    BadHeader,
    /// The picture's data are damaged or cut off.
    #[error("the picture is damaged")]
    BadImage,
    /// The picture is larger than plat decodes.
    #[error("the picture is too large")]
    TooLarge,
}

impl PictureError {
    /// Returns the `HRESULT`.
    ///
    /// Source: winerror.h
    pub const fn code(self) -> u32 {
        match self {
            Self::UnknownFormat => 0x8898_2f50,
            Self::BadHeader => 0x8898_2f61,
            Self::BadImage => 0x8898_2f60,
            Self::TooLarge => 0x8898_2f51,
        }
    }
}

/// What a file's header says, and the file.
#[derive(Debug)]
pub struct Picture {
    /// The file's format.
    pub container: Container,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// How pixels are stored.
    pub format: PixelFormat,
    /// Dots per inch, horizontally and vertically.
    pub resolution: (f64, f64),
    /// Colours of an indexed format, as 0xAARRGGBB.
    pub palette: Vec<u32>,
    /// The colour profile in the file.
    pub profile: Option<Vec<u8>>,
    file: Vec<u8>,
}

/// Windows' resolution where a file has none.
const DEFAULT_RESOLUTION: (f64, f64) = (96.0, 96.0);

impl Picture {
    /// Reads a file's header.
    ///
    /// # Errors
    /// [`PictureError`].
    pub fn open(file: Vec<u8>) -> Result<Self, PictureError> {
        let picture = match file.as_slice() {
            [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Self::open_png(file)?,
            [0xff, 0xd8, 0xff, ..] => Self::open_jpeg(file)?,
            _ => return Err(PictureError::UnknownFormat),
        };
        let bytes = picture.stride().checked_mul(picture.height as usize);
        bytes.filter(|&bytes| bytes <= BYTES_MAX).ok_or(PictureError::TooLarge)?;
        Ok(picture)
    }

    /// Returns the bytes of a row, without padding.
    pub fn stride(&self) -> usize {
        self.format.row_bytes(self.width)
    }

    fn open_png(file: Vec<u8>) -> Result<Self, PictureError> {
        let reader = png_reader(&file).map_err(|_| PictureError::BadHeader)?;
        let info = reader.info();
        let format = png_format(info);
        let resolution = info.pixel_dims.map_or(DEFAULT_RESOLUTION, |dims| match dims.unit {
            png::Unit::Meter => (f64::from(dims.xppu) * 0.0254, f64::from(dims.yppu) * 0.0254),
            png::Unit::Unspecified => DEFAULT_RESOLUTION,
        });
        let (width, height) = (info.width, info.height);
        let palette = png_palette(info);
        let profile = info.icc_profile.as_ref().map(|profile| profile.to_vec());
        Ok(Self { container: Container::Png, width, height, format, resolution, palette, profile, file })
    }

    fn open_jpeg(file: Vec<u8>) -> Result<Self, PictureError> {
        let mut decoder = JpegDecoder::new_with_options(Cursor::new(&file), jpeg_options());
        decoder.decode_headers().map_err(|_| PictureError::BadHeader)?;
        let info = decoder.info().ok_or(PictureError::BadHeader)?;
        let format = match decoder.input_colorspace() {
            Some(ColorSpace::Luma) => PixelFormat::Gray8,
            _ => PixelFormat::Bgr24,
        };
        let profile = decoder.icc_profile();
        let dots = (f64::from(info.x_density), f64::from(info.y_density));
        let resolution = match info.pixel_density {
            _ if info.x_density == 0 || info.y_density == 0 => DEFAULT_RESOLUTION,
            1 => dots,
            2 => (dots.0 * 2.54, dots.1 * 2.54),
            _ => DEFAULT_RESOLUTION,
        };
        let (width, height) = (u32::from(info.width), u32::from(info.height));
        let palette = Vec::new();
        Ok(Self { container: Container::Jpeg, width, height, format, resolution, palette, profile, file })
    }

    /// Decodes the pixels: rows of [`Self::stride`] bytes.
    ///
    /// # Errors
    /// [`PictureError::BadImage`].
    pub fn decode(&self) -> Result<Vec<u8>, PictureError> {
        let pixels = match self.container {
            Container::Png => self.decode_png(),
            Container::Jpeg => self.decode_jpeg(),
        };
        pixels
            .filter(|pixels| pixels.len() == self.stride() * self.height as usize)
            .ok_or(PictureError::BadImage)
    }

    fn decode_png(&self) -> Option<Vec<u8>> {
        let mut reader = png_reader(&self.file).ok()?;
        let mut pixels = vec![0; reader.output_buffer_size()?];
        let out = reader.next_frame(&mut pixels).ok()?;
        pixels.truncate(out.buffer_size());
        match (self.format, out.color_type) {
            (PixelFormat::Bgr24, _) => swap_ends(&mut pixels, 3),
            (PixelFormat::Bgra32, png::ColorType::GrayscaleAlpha) => {
                pixels = pixels
                    .chunks_exact(2)
                    .flat_map(|pixel| [pixel[0], pixel[0], pixel[0], pixel[1]])
                    .collect();
            }
            (PixelFormat::Bgra32, _) => swap_ends(&mut pixels, 4),
            _ => {}
        }
        Some(pixels)
    }

    fn decode_jpeg(&self) -> Option<Vec<u8>> {
        let space = if self.format == PixelFormat::Gray8 { ColorSpace::Luma } else { ColorSpace::RGB };
        let options = jpeg_options().jpeg_set_out_colorspace(space);
        let mut pixels = JpegDecoder::new_with_options(Cursor::new(&self.file), options).decode().ok()?;
        if self.format == PixelFormat::Bgr24 {
            swap_ends(&mut pixels, 3);
        }
        Some(pixels)
    }
}

/// Exchanges red and blue in pixels of `size` bytes.
fn swap_ends(pixels: &mut [u8], size: usize) {
    pixels.chunks_exact_mut(size).for_each(|pixel| pixel.swap(0, 2));
}

fn jpeg_options() -> DecoderOptions {
    DecoderOptions::default().set_max_width(0xffff).set_max_height(0xffff).set_strict_mode(false)
}

/// Reads the chunks before a PNG's pixels. Sixteen bits per channel become eight; transparency of a colour becomes alpha.
fn png_reader(file: &[u8]) -> Result<png::Reader<Cursor<&[u8]>>, png::DecodingError> {
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(file), png::Limits { bytes: BYTES_MAX });
    let info = decoder.read_header_info()?;
    let is_indexed = info.color_type == png::ColorType::Indexed;
    let is_narrow = info.color_type == png::ColorType::Grayscale && (info.bit_depth as u8) < 8;
    decoder.set_transformations(match is_indexed || is_narrow {
        true => png::Transformations::IDENTITY,
        false => png::Transformations::EXPAND | png::Transformations::STRIP_16,
    });
    decoder.read_info()
}

fn png_format(info: &png::Info<'_>) -> PixelFormat {
    use png::ColorType::*;
    let bits = info.bit_depth as u8;
    match info.color_type {
        Indexed => PixelFormat::indexed(bits),
        Grayscale if bits < 8 => PixelFormat::gray(bits),
        Grayscale if info.trns.is_none() => PixelFormat::Gray8,
        Rgb if info.trns.is_none() => PixelFormat::Bgr24,
        _ => PixelFormat::Bgra32,
    }
}

/// Returns a PNG's palette with its transparency.
fn png_palette(info: &png::Info<'_>) -> Vec<u32> {
    let (Some(palette), png::ColorType::Indexed) = (&info.palette, info.color_type) else {
        return Vec::new();
    };
    let alpha = info.trns.as_deref().unwrap_or_default();
    let colours = palette.chunks_exact(3).take(256).enumerate();
    colours
        .map(|(place, colour)| {
            let alpha = alpha.get(place).copied().unwrap_or(0xff);
            u32::from_be_bytes([alpha, colour[0], colour[1], colour[2]])
        })
        .collect()
}
