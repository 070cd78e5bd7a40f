//! oleaut32.dll: the table of contents. Each file beside the functions has its own table.

pub mod arithmetic;
pub mod bstr;
pub mod conversions;
pub mod errors;
pub mod formats;
pub mod money;
pub mod safe_array;
pub mod safe_array_parts;
pub mod texts;
pub mod udates;
mod values;
pub mod variant;

use crate::export::Dll;

/// The DLL.
pub const DLL: Dll = Dll {
    name: "oleaut32.dll",
    description: "OLEAUT32.DLL",
    tables: &[
        bstr::EXPORTS,
        variant::EXPORTS,
        safe_array::EXPORTS,
        safe_array_parts::EXPORTS,
        errors::EXPORTS,
        conversions::EXPORTS,
        arithmetic::EXPORTS,
        money::EXPORTS,
        texts::EXPORTS,
        formats::EXPORTS,
        udates::EXPORTS,
    ],
    methods: &[],
};

const S_OK: i32 = 0;
const E_INVALIDARG: i32 = 0x8007_0057_u32 as i32;
const E_OUTOFMEMORY: i32 = 0x8007_000e_u32 as i32;
