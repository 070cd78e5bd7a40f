//! Pixel formats, and the way from each to the others. Pure.
//!
//! Key type: [`PixelFormat`].

use crate::com::{Guid, guid};

/// A layout of pixels in memory.
///
/// Source: <https://learn.microsoft.com/windows/win32/wic/-wic-codec-native-pixel-formats>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is Windows' name turned round")]
pub enum PixelFormat {
    Indexed1,
    Indexed2,
    Indexed4,
    Indexed8,
    BlackWhite,
    Gray2,
    Gray4,
    Gray8,
    Bgr24,
    Rgb24,
    Bgr32,
    Bgra32,
    Pbgra32,
    Rgb32,
    Rgba32,
    Prgba32,
}

use PixelFormat::*;

/// All of them, with their identifiers.
///
/// Source: <https://learn.microsoft.com/windows/win32/wic/-wic-codec-native-pixel-formats>
const ALL: [(PixelFormat, Guid); 16] = [
    (Indexed1, common(1)),
    (Indexed2, common(2)),
    (Indexed4, common(3)),
    (Indexed8, common(4)),
    (BlackWhite, common(5)),
    (Gray2, common(6)),
    (Gray4, common(7)),
    (Gray8, common(8)),
    (Bgr24, common(0x0c)),
    (Rgb24, common(0x0d)),
    (Bgr32, common(0x0e)),
    (Bgra32, common(0x0f)),
    (Pbgra32, common(0x10)),
    (Rgb32, guid(0xd98c_6b95, 0x3efe, 0x47d6, 0xbb25_eb17_48ab_0cf1)),
    (Rgba32, guid(0xf5c7_ad2d, 0x6a8d, 0x43dd, 0xa7a8_a299_3526_1ae9)),
    (Prgba32, guid(0x3cc4_a650, 0xa527, 0x4d37, 0xa916_3142_c7eb_edba)),
];

/// Makes an identifier of the large family that differs in the last byte.
const fn common(last: u64) -> Guid {
    guid(0x6fdd_c324, 0x4e03, 0x4bfe, 0xb185_3d77_768d_c900 | last)
}

impl PixelFormat {
    /// Returns the format with this identifier.
    pub fn of_guid(wanted: &Guid) -> Option<Self> {
        ALL.iter().find(|(_, guid)| guid == wanted).map(|(format, _)| *format)
    }

    /// Returns its identifier.
    pub fn guid(self) -> Guid {
        ALL.iter().find(|(format, _)| *format == self).expect("all are listed").1
    }

    /// Returns the indexed format of so many bits.
    pub const fn indexed(bits: u8) -> Self {
        match bits {
            1 => Indexed1,
            2 => Indexed2,
            4 => Indexed4,
            _ => Indexed8,
        }
    }

    /// Returns the grey format of so many bits.
    pub const fn gray(bits: u8) -> Self {
        match bits {
            1 => BlackWhite,
            2 => Gray2,
            4 => Gray4,
            _ => Gray8,
        }
    }

    /// Returns the bits of a pixel.
    pub const fn bits(self) -> u32 {
        match self {
            Indexed1 | BlackWhite => 1,
            Indexed2 | Gray2 => 2,
            Indexed4 | Gray4 => 4,
            Indexed8 | Gray8 => 8,
            Bgr24 | Rgb24 => 24,
            Bgr32 | Bgra32 | Pbgra32 | Rgb32 | Rgba32 | Prgba32 => 32,
        }
    }

    /// Returns the bytes of a row without padding.
    pub const fn row_bytes(self, width: u32) -> usize {
        ((width as u64 * self.bits() as u64).div_ceil(8)) as usize
    }

    /// Says whether pixels are numbers of colours in a palette.
    pub const fn is_indexed(self) -> bool {
        matches!(self, Indexed1 | Indexed2 | Indexed4 | Indexed8)
    }

    /// Says whether pixels can be converted to this format: those that need no choice of colours.
    pub const fn is_target(self) -> bool {
        self.bits() >= 8 && !self.is_indexed()
    }

    /// Reads pixel `x` of a row as red, green, blue and alpha.
    fn pixel(self, row: &[u8], x: usize, palette: &[u32]) -> [u8; 4] {
        let byte = |place: usize| row.get(place).copied().unwrap_or(0);
        let of = |size: usize| [byte(x * size), byte(x * size + 1), byte(x * size + 2), byte(x * size + 3)];
        match self {
            Indexed1 | Indexed2 | Indexed4 | Indexed8 => {
                let colour = palette.get(usize::from(self.number(row, x))).copied().unwrap_or(0xff00_0000);
                let [a, r, g, b] = colour.to_be_bytes();
                [r, g, b, a]
            }
            BlackWhite | Gray2 | Gray4 | Gray8 => {
                let most = ((1u32 << self.bits()) - 1) as u8;
                let gray = self.number(row, x) * (0xff / most);
                [gray, gray, gray, 0xff]
            }
            Bgr24 => [byte(x * 3 + 2), byte(x * 3 + 1), byte(x * 3), 0xff],
            Rgb24 => [byte(x * 3), byte(x * 3 + 1), byte(x * 3 + 2), 0xff],
            Bgr32 => with_alpha(turned(of(4)), 0xff),
            Rgb32 => with_alpha(of(4), 0xff),
            Bgra32 => turned(of(4)),
            Rgba32 => of(4),
            Pbgra32 => divided(turned(of(4))),
            Prgba32 => divided(of(4)),
        }
    }

    /// Returns the number in pixel `x` of a row of at most eight bits per pixel; the first pixel is in the highest bits.
    fn number(self, row: &[u8], x: usize) -> u8 {
        let bits = self.bits() as usize;
        let byte = row.get(x * bits / 8).copied().unwrap_or(0);
        let shift = 8 - bits - x * bits % 8;
        (byte >> shift) & ((1u32 << bits) - 1) as u8
    }

    /// Appends a pixel given as red, green, blue and alpha.
    fn push(self, row: &mut Vec<u8>, pixel: [u8; 4]) {
        let [r, g, b, _] = pixel;
        match self {
            Bgr24 => row.extend([b, g, r]),
            Rgb24 => row.extend([r, g, b]),
            Bgr32 => row.extend([b, g, r, 0xff]),
            Rgb32 => row.extend([r, g, b, 0xff]),
            Bgra32 => row.extend(turned(pixel)),
            Rgba32 => row.extend(pixel),
            Pbgra32 => row.extend(turned(multiplied(pixel))),
            Prgba32 => row.extend(multiplied(pixel)),
            _ => row.push(luminance(pixel)),
        }
    }

    /// Cuts `width` pixels from `left` on out of a row.
    pub fn crop(self, mut row: Vec<u8>, left: usize, width: usize) -> Vec<u8> {
        let bits = self.bits() as usize;
        let bytes = (width * bits).div_ceil(8);
        if (left * bits).is_multiple_of(8) {
            row.drain(..(left * bits / 8).min(row.len()));
            row.truncate(bytes);
            return row;
        }
        let mut out = vec![0; bytes];
        for x in 0..width {
            out[x * bits / 8] |= self.number(&row, left + x) << (8 - bits - x * bits % 8);
        }
        out
    }

    /// Converts a row of `width` pixels to another format, which must be a target.
    pub fn convert(self, row: &[u8], width: u32, palette: &[u32], to: Self) -> Vec<u8> {
        if self == to {
            return row.to_vec();
        }
        let mut out = Vec::with_capacity(to.row_bytes(width));
        for x in 0..width as usize {
            to.push(&mut out, self.pixel(row, x, palette));
        }
        out
    }
}

fn turned([a, b, c, d]: [u8; 4]) -> [u8; 4] {
    [c, b, a, d]
}

fn with_alpha([r, g, b, _]: [u8; 4], alpha: u8) -> [u8; 4] {
    [r, g, b, alpha]
}

/// Multiplies the colours with alpha, rounded.
fn multiplied([r, g, b, a]: [u8; 4]) -> [u8; 4] {
    let times = |colour: u8| ((u32::from(colour) * u32::from(a) + 127) / 255) as u8;
    [times(r), times(g), times(b), a]
}

/// Divides the colours by alpha, rounded.
fn divided([r, g, b, a]: [u8; 4]) -> [u8; 4] {
    let over = |colour: u8| match a {
        0 => 0,
        _ => ((u32::from(colour) * 255 + u32::from(a) / 2) / u32::from(a)).min(255) as u8,
    };
    [over(r), over(g), over(b), a]
}

/// Returns a colour's brightness: the weights of ITU-R BT.709.
fn luminance([r, g, b, _]: [u8; 4]) -> u8 {
    ((u32::from(r) * 2126 + u32::from(g) * 7152 + u32::from(b) * 722 + 5000) / 10000) as u8
}
