//! Values of automation (VARIANT) without a guest: numbers, money, dates, decimals, texts; conversions and arithmetic.
//!
//! Source: <https://learn.microsoft.com/windows/win32/api/oleauto/>, section "Conversion and Manipulation Functions"

pub mod arithmetic;
pub mod bits;
pub mod convert;
pub mod dates;
pub mod decimal;
pub mod format;
pub mod parsed;
pub mod text;

use crate::logic::nls::locale::Locale;
use decimal::Decimal;

/// Why an operation fails: an `HRESULT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused(pub i32);

impl Refused {
    /// `DISP_E_TYPEMISMATCH`.
    pub const MISMATCH: Self = Self(0x8002_0005_u32 as i32);
    /// `DISP_E_BADVARTYPE`.
    pub const BAD_TYPE: Self = Self(0x8002_0008_u32 as i32);
    /// `DISP_E_OVERFLOW`.
    pub const OVERFLOW: Self = Self(0x8002_000a_u32 as i32);
    /// `DISP_E_DIVBYZERO`.
    pub const DIVISION_BY_ZERO: Self = Self(0x8002_0012_u32 as i32);
    /// `E_INVALIDARG`.
    pub const INVALID: Self = Self(0x8007_0057_u32 as i32);
}

/// Types of values (`VARENUM`).
pub mod kind {
    /// Nothing.
    pub const EMPTY: u16 = 0;
    /// No value, as in a database.
    pub const NULL: u16 = 1;
    /// 16 bits.
    pub const I2: u16 = 2;
    /// 32 bits.
    pub const I4: u16 = 3;
    /// A float.
    pub const R4: u16 = 4;
    /// A double.
    pub const R8: u16 = 5;
    /// Money: ten-thousandths in 64 bits.
    pub const CY: u16 = 6;
    /// Days since 30 December 1899.
    pub const DATE: u16 = 7;
    /// Text.
    pub const BSTR: u16 = 8;
    /// An error's code.
    pub const ERROR: u16 = 10;
    /// Whether something is so.
    pub const BOOL: u16 = 11;
    /// 96 bits and a power of ten.
    pub const DECIMAL: u16 = 14;
    /// 8 bits.
    pub const I1: u16 = 16;
    /// 8 bits without a sign.
    pub const UI1: u16 = 17;
    /// 16 bits without a sign.
    pub const UI2: u16 = 18;
    /// 32 bits without a sign.
    pub const UI4: u16 = 19;
    /// 64 bits.
    pub const I8: u16 = 20;
    /// 64 bits without a sign.
    pub const UI8: u16 = 21;
    /// 32 bits.
    pub const INT: u16 = 22;
    /// 32 bits without a sign.
    pub const UINT: u16 = 23;
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Empty,
    /// No value.
    Null,
    /// An integer of one of the types.
    Integer(u16, i128),
    /// A float.
    R4(f32),
    /// A double.
    R8(f64),
    /// Money, in ten-thousandths.
    Cy(i64),
    /// Days since 30 December 1899.
    Date(f64),
    /// Text.
    Text(Vec<u16>),
    /// An error's code.
    Error(u32),
    /// Whether something is so.
    Bool(bool),
    /// A decimal.
    Decimal(Decimal),
}

impl Value {
    /// Returns the type.
    pub fn kind(&self) -> u16 {
        match self {
            Self::Empty => kind::EMPTY,
            Self::Null => kind::NULL,
            Self::Integer(kind, _) => *kind,
            Self::R4(_) => kind::R4,
            Self::R8(_) => kind::R8,
            Self::Cy(_) => kind::CY,
            Self::Date(_) => kind::DATE,
            Self::Text(_) => kind::BSTR,
            Self::Error(_) => kind::ERROR,
            Self::Bool(_) => kind::BOOL,
            Self::Decimal(_) => kind::DECIMAL,
        }
    }
}

/// Returns size in bytes and signedness of an integer type.
pub fn integer(kind: u16) -> Option<(usize, bool)> {
    Some(match kind {
        kind::I1 => (1, true),
        kind::UI1 => (1, false),
        kind::I2 => (2, true),
        kind::UI2 => (2, false),
        kind::I4 | kind::INT => (4, true),
        kind::UI4 | kind::UINT => (4, false),
        kind::I8 => (8, true),
        kind::UI8 => (8, false),
        _ => return None,
    })
}

/// What conversions between numbers and texts go by.
#[derive(Clone, Copy, Debug)]
pub struct How {
    /// The locale.
    pub locale: &'static Locale,
    /// `VAR_…` and `VARIANT_…` flags.
    pub flags: u32,
}
