//! oleauto.h: conversions of single values, a row each: ordinal, name, what comes in, what goes out.

use plat_abi::{Fault, GuestWord, Memory};

use super::values::{self, Outcome};
use crate::export::{Body, Export};
use crate::guest::Guest;
use crate::logic::automation::{Value, kind};

/// Reads what a conversion gets; functions are named as the types are in names of conversions.
#[allow(non_snake_case)]
mod source {
    use super::{Guest, GuestWord, Memory, Outcome, Value, kind, values};

    /// Defines the reading of arguments that are the value.
    macro_rules! plain {
        ($($name:ident($value:ident: $type:ty) = $made:expr;)+) => {$(
            pub(super) fn $name(_: &mut Guest, $value: $type, _: u32) -> Outcome {
                Ok(Ok($made))
            }
        )+};
    }
    plain! {
        UI1(value: u8) = Value::Integer(kind::UI1, value.into());
        I1(value: u8) = Value::Integer(kind::I1, (value as i8).into());
        I2(value: i16) = Value::Integer(kind::I2, value.into());
        UI2(value: u16) = Value::Integer(kind::UI2, value.into());
        I4(value: i32) = Value::Integer(kind::I4, value.into());
        UI4(value: u32) = Value::Integer(kind::UI4, value.into());
        I8(value: i64) = Value::Integer(kind::I8, value.into());
        UI8(value: u64) = Value::Integer(kind::UI8, value.into());
        R4(value: f32) = Value::R4(value);
        R8(value: f64) = Value::R8(value);
        Cy(value: i64) = Value::Cy(value);
        Date(value: f64) = Value::Date(value);
        Bool(value: u16) = Value::Bool(value != 0);
    }

    pub(super) fn Dec(guest: &mut Guest, value: GuestWord, _: u32) -> Outcome {
        values::read_decimal(guest, value.get()).map(|read| read.map(Value::Decimal))
    }

    pub(super) fn Str(guest: &mut Guest, value: GuestWord, _: u32) -> Outcome {
        if value.is_null() {
            return Ok(Err(crate::logic::automation::Refused::MISMATCH));
        }
        Ok(Ok(Value::Text(guest.read_wide_string(value.get())?)))
    }

    pub(super) fn Disp(guest: &mut Guest, value: GuestWord, locale: u32) -> Outcome {
        values::of_object(guest, value.get(), locale)
    }
}

/// Defines conversions and their table.
macro_rules! conversions {
    ($($ordinal:literal $function:ident: $from:ident($value:ident: $type:ty
        $(, $locale:ident: u32 $(, $flags:ident: u32)?)?) => $to:ident($out:ident);)+) => {
        $(
            #[doc = concat!("Converts a value, as the name `", stringify!($function), "` says.")]
            #[doc = ""]
            #[doc = "Source: <https://learn.microsoft.com/windows/win32/api/oleauto/>"]
            #[plat_abi::winapi]
            pub fn $function(
                guest: &mut Guest,
                $value: $type,
                $($locale: u32, $($flags: u32,)?)?
                $out: GuestWord,
            ) -> Result<i32, Fault> {
                let (locale, flags) = (0 $(+ $locale)?, 0 $($(+ $flags)?)?);
                let value = source::$from(guest, $value, locale)?;
                values::convert_to(guest, value, kind::$to, locale, flags, $out.get())
            }
        )+

        /// The exports of this file.
        pub const EXPORTS: &[Export] = &[$(Export {
            name: stringify!($function),
            ordinal: Some($ordinal),
            body: Body::Api(&<$function as plat_abi::Api<Guest>>::DESCRIPTOR),
            limits: None,
        }),+];
    };
}

conversions! {
    138 VarUI1FromBool: Bool(boolIn: u16) => UI1(pbOut);
    134 VarUI1FromCy: Cy(cyIn: i64) => UI1(pbOut);
    135 VarUI1FromDate: Date(dateIn: f64) => UI1(pbOut);
    240 VarUI1FromDec: Dec(pdecIn: GuestWord) => UI1(pbOut);
    137 VarUI1FromDisp: Disp(pdispIn: GuestWord, lcid: u32) => UI1(pbOut);
    237 VarUI1FromI1: I1(cIn: u8) => UI1(pbOut);
    130 VarUI1FromI2: I2(sIn: i16) => UI1(pbOut);
    131 VarUI1FromI4: I4(lIn: i32) => UI1(pbOut);
    372 VarUI1FromI8: I8(i64In: i64) => UI1(pbOut);
    132 VarUI1FromR4: R4(fltIn: f32) => UI1(pbOut);
    133 VarUI1FromR8: R8(dblIn: f64) => UI1(pbOut);
    136 VarUI1FromStr: Str(strIn: GuestWord, lcid: u32, dwFlags: u32) => UI1(pbOut);
    238 VarUI1FromUI2: UI2(uiIn: u16) => UI1(pbOut);
    239 VarUI1FromUI4: UI4(ulIn: u32) => UI1(pbOut);
    373 VarUI1FromUI8: UI8(ui64In: u64) => UI1(pbOut);
    56 VarI2FromBool: Bool(boolIn: u16) => I2(psOut);
    52 VarI2FromCy: Cy(cyIn: i64) => I2(psOut);
    53 VarI2FromDate: Date(dateIn: f64) => I2(psOut);
    208 VarI2FromDec: Dec(pdecIn: GuestWord) => I2(psOut);
    55 VarI2FromDisp: Disp(pdispIn: GuestWord, lcid: u32) => I2(psOut);
    205 VarI2FromI1: I1(cIn: u8) => I2(psOut);
    49 VarI2FromI4: I4(lIn: i32) => I2(psOut);
    346 VarI2FromI8: I8(i64In: i64) => I2(psOut);
    50 VarI2FromR4: R4(fltIn: f32) => I2(psOut);
    51 VarI2FromR8: R8(dblIn: f64) => I2(psOut);
    54 VarI2FromStr: Str(strIn: GuestWord, lcid: u32, dwFlags: u32) => I2(psOut);
    48 VarI2FromUI1: UI1(bIn: u8) => I2(psOut);
    206 VarI2FromUI2: UI2(uiIn: u16) => I2(psOut);
    207 VarI2FromUI4: UI4(ulIn: u32) => I2(psOut);
    347 VarI2FromUI8: UI8(ui64In: u64) => I2(psOut);
    66 VarI4FromBool: Bool(boolIn: u16) => I4(plOut);
    62 VarI4FromCy: Cy(cyIn: i64) => I4(plOut);
    63 VarI4FromDate: Date(dateIn: f64) => I4(plOut);
    212 VarI4FromDec: Dec(pdecIn: GuestWord) => I4(plOut);
    65 VarI4FromDisp: Disp(pdispIn: GuestWord, lcid: u32) => I4(plOut);
    209 VarI4FromI1: I1(cIn: u8) => I4(plOut);
    59 VarI4FromI2: I2(sIn: i16) => I4(plOut);
    348 VarI4FromI8: I8(i64In: i64) => I4(plOut);
    60 VarI4FromR4: R4(fltIn: f32) => I4(plOut);
    61 VarI4FromR8: R8(dblIn: f64) => I4(plOut);
    64 VarI4FromStr: Str(strIn: GuestWord, lcid: u32, dwFlags: u32) => I4(plOut);
    58 VarI4FromUI1: UI1(bIn: u8) => I4(plOut);
    210 VarI4FromUI2: UI2(uiIn: u16) => I4(plOut);
    211 VarI4FromUI4: UI4(ulIn: u32) => I4(plOut);
    349 VarI4FromUI8: UI8(ui64In: u64) => I4(plOut);
    341 VarI8FromBool: Bool(boolIn: u16) => I8(pi64Out);
    337 VarI8FromCy: Cy(cyIn: i64) => I8(pi64Out);
    338 VarI8FromDate: Date(dateIn: f64) => I8(pi64Out);
    345 VarI8FromDec: Dec(pdecIn: GuestWord) => I8(pi64Out);
    340 VarI8FromDisp: Disp(pdispIn: GuestWord, lcid: u32) => I8(pi64Out);
    342 VarI8FromI1: I1(cIn: u8) => I8(pi64Out);
    334 VarI8FromI2: I2(sIn: i16) => I8(pi64Out);
    335 VarI8FromR4: R4(fltIn: f32) => I8(pi64Out);
    336 VarI8FromR8: R8(dblIn: f64) => I8(pi64Out);
    339 VarI8FromStr: Str(strIn: GuestWord, lcid: u32, dwFlags: u32) => I8(pi64Out);
    333 VarI8FromUI1: UI1(bIn: u8) => I8(pi64Out);
    343 VarI8FromUI2: UI2(uiIn: u16) => I8(pi64Out);
    344 VarI8FromUI4: UI4(ulIn: u32) => I8(pi64Out);
    427 VarI8FromUI8: UI8(ui64In: u64) => I8(pi64Out);
    76 VarR4FromBool: Bool(boolIn: u16) => R4(pfltOut);
    72 VarR4FromCy: Cy(cyIn: i64) => R4(pfltOut);
    73 VarR4FromDate: Date(dateIn: f64) => R4(pfltOut);
    216 VarR4FromDec: Dec(pdecIn: GuestWord) => R4(pfltOut);
    75 VarR4FromDisp: Disp(pdispIn: GuestWord, lcid: u32) => R4(pfltOut);
    213 VarR4FromI1: I1(cIn: u8) => R4(pfltOut);
    69 VarR4FromI2: I2(sIn: i16) => R4(pfltOut);
    70 VarR4FromI4: I4(lIn: i32) => R4(pfltOut);
    360 VarR4FromI8: I8(i64In: i64) => R4(pfltOut);
    71 VarR4FromR8: R8(dblIn: f64) => R4(pfltOut);
    74 VarR4FromStr: Str(strIn: GuestWord, lcid: u32, dwFlags: u32) => R4(pfltOut);
    68 VarR4FromUI1: UI1(bIn: u8) => R4(pfltOut);
    214 VarR4FromUI2: UI2(uiIn: u16) => R4(pfltOut);
    215 VarR4FromUI4: UI4(ulIn: u32) => R4(pfltOut);
    361 VarR4FromUI8: UI8(ui64In: u64) => R4(pfltOut);
    86 VarR8FromBool: Bool(boolIn: u16) => R8(pdblOut);
    82 VarR8FromCy: Cy(cyIn: i64) => R8(pdblOut);
    83 VarR8FromDate: Date(dateIn: f64) => R8(pdblOut);
    220 VarR8FromDec: Dec(pdecIn: GuestWord) => R8(pdblOut);
    85 VarR8FromDisp: Disp(pdispIn: GuestWord, lcid: u32) => R8(pdblOut);
    217 VarR8FromI1: I1(cIn: u8) => R8(pdblOut);
    79 VarR8FromI2: I2(sIn: i16) => R8(pdblOut);
    80 VarR8FromI4: I4(lIn: i32) => R8(pdblOut);
    362 VarR8FromI8: I8(i64In: i64) => R8(pdblOut);
    81 VarR8FromR4: R4(fltIn: f32) => R8(pdblOut);
    84 VarR8FromStr: Str(strIn: GuestWord, lcid: u32, dwFlags: u32) => R8(pdblOut);
    78 VarR8FromUI1: UI1(bIn: u8) => R8(pdblOut);
    218 VarR8FromUI2: UI2(uiIn: u16) => R8(pdblOut);
    219 VarR8FromUI4: UI4(ulIn: u32) => R8(pdblOut);
    363 VarR8FromUI8: UI8(ui64In: u64) => R8(pdblOut);
    96 VarDateFromBool: Bool(boolIn: u16) => DATE(pdateOut);
    93 VarDateFromCy: Cy(cyIn: i64) => DATE(pdateOut);
    224 VarDateFromDec: Dec(pdecIn: GuestWord) => DATE(pdateOut);
    95 VarDateFromDisp: Disp(pdispIn: GuestWord, lcid: u32) => DATE(pdateOut);
    221 VarDateFromI1: I1(cIn: u8) => DATE(pdateOut);
    89 VarDateFromI2: I2(sIn: i16) => DATE(pdateOut);
    90 VarDateFromI4: I4(lIn: i32) => DATE(pdateOut);
    364 VarDateFromI8: I8(i64In: i64) => DATE(pdateOut);
    91 VarDateFromR4: R4(fltIn: f32) => DATE(pdateOut);
    92 VarDateFromR8: R8(dblIn: f64) => DATE(pdateOut);
    94 VarDateFromStr: Str(strIn: GuestWord, lcid: u32, dwFlags: u32) => DATE(pdateOut);
    88 VarDateFromUI1: UI1(bIn: u8) => DATE(pdateOut);
    222 VarDateFromUI2: UI2(uiIn: u16) => DATE(pdateOut);
    223 VarDateFromUI4: UI4(ulIn: u32) => DATE(pdateOut);
    365 VarDateFromUI8: UI8(ui64In: u64) => DATE(pdateOut);
    106 VarCyFromBool: Bool(boolIn: u16) => CY(pcyOut);
    103 VarCyFromDate: Date(dateIn: f64) => CY(pcyOut);
    228 VarCyFromDec: Dec(pdecIn: GuestWord) => CY(pcyOut);
    105 VarCyFromDisp: Disp(pdispIn: GuestWord, lcid: u32) => CY(pcyOut);
    225 VarCyFromI1: I1(cIn: u8) => CY(pcyOut);
    99 VarCyFromI2: I2(sIn: i16) => CY(pcyOut);
    100 VarCyFromI4: I4(lIn: i32) => CY(pcyOut);
    366 VarCyFromI8: I8(i64In: i64) => CY(pcyOut);
    101 VarCyFromR4: R4(fltIn: f32) => CY(pcyOut);
    102 VarCyFromR8: R8(dblIn: f64) => CY(pcyOut);
    104 VarCyFromStr: Str(strIn: GuestWord, lcid: u32, dwFlags: u32) => CY(pcyOut);
    98 VarCyFromUI1: UI1(bIn: u8) => CY(pcyOut);
    226 VarCyFromUI2: UI2(uiIn: u16) => CY(pcyOut);
    227 VarCyFromUI4: UI4(ulIn: u32) => CY(pcyOut);
    367 VarCyFromUI8: UI8(ui64In: u64) => CY(pcyOut);
    116 VarBstrFromBool: Bool(boolIn: u16, lcid: u32, dwFlags: u32) => BSTR(pbstrOut);
    113 VarBstrFromCy: Cy(cyIn: i64, lcid: u32, dwFlags: u32) => BSTR(pbstrOut);
    114 VarBstrFromDate: Date(dateIn: f64, lcid: u32, dwFlags: u32) => BSTR(pbstrOut);
    232 VarBstrFromDec: Dec(pdecIn: GuestWord, lcid: u32, dwFlags: u32) => BSTR(pbstrOut);
    115 VarBstrFromDisp: Disp(pdispIn: GuestWord, lcid: u32, dwFlags: u32) => BSTR(pbstrOut);
    229 VarBstrFromI1: I1(cIn: u8, lcid: u32, dwFlags: u32) => BSTR(pbstrOut);
    109 VarBstrFromI2: I2(iVal: i16, lcid: u32, dwFlags: u32) => BSTR(pbstrOut);
    110 VarBstrFromI4: I4(lIn: i32, lcid: u32, dwFlags: u32) => BSTR(pbstrOut);
    368 VarBstrFromI8: I8(i64In: i64, lcid: u32, dwFlags: u32) => BSTR(pbstrOut);
    111 VarBstrFromR4: R4(fltIn: f32, lcid: u32, dwFlags: u32) => BSTR(pbstrOut);
    112 VarBstrFromR8: R8(dblIn: f64, lcid: u32, dwFlags: u32) => BSTR(pbstrOut);
    108 VarBstrFromUI1: UI1(bVal: u8, lcid: u32, dwFlags: u32) => BSTR(pbstrOut);
    230 VarBstrFromUI2: UI2(uiIn: u16, lcid: u32, dwFlags: u32) => BSTR(pbstrOut);
    231 VarBstrFromUI4: UI4(ulIn: u32, lcid: u32, dwFlags: u32) => BSTR(pbstrOut);
    369 VarBstrFromUI8: UI8(ui64In: u64, lcid: u32, dwFlags: u32) => BSTR(pbstrOut);
    124 VarBoolFromCy: Cy(cyIn: i64) => BOOL(pboolOut);
    123 VarBoolFromDate: Date(dateIn: f64) => BOOL(pboolOut);
    236 VarBoolFromDec: Dec(pdecIn: GuestWord) => BOOL(pboolOut);
    126 VarBoolFromDisp: Disp(pdispIn: GuestWord, lcid: u32) => BOOL(pboolOut);
    233 VarBoolFromI1: I1(cIn: u8) => BOOL(pboolOut);
    119 VarBoolFromI2: I2(sIn: i16) => BOOL(pboolOut);
    120 VarBoolFromI4: I4(lIn: i32) => BOOL(pboolOut);
    370 VarBoolFromI8: I8(i64In: i64) => BOOL(pboolOut);
    121 VarBoolFromR4: R4(fltIn: f32) => BOOL(pboolOut);
    122 VarBoolFromR8: R8(dblIn: f64) => BOOL(pboolOut);
    125 VarBoolFromStr: Str(strIn: GuestWord, lcid: u32, dwFlags: u32) => BOOL(pboolOut);
    118 VarBoolFromUI1: UI1(bIn: u8) => BOOL(pboolOut);
    234 VarBoolFromUI2: UI2(uiIn: u16) => BOOL(pboolOut);
    235 VarBoolFromUI4: UI4(ulIn: u32) => BOOL(pboolOut);
    371 VarBoolFromUI8: UI8(i64In: u64) => BOOL(pboolOut);
    199 VarDecFromBool: Bool(boolIn: u16) => DECIMAL(pdecOut);
    196 VarDecFromCy: Cy(cyIn: i64) => DECIMAL(pdecOut);
    195 VarDecFromDate: Date(dateIn: f64) => DECIMAL(pdecOut);
    198 VarDecFromDisp: Disp(pdispIn: GuestWord, lcid: u32) => DECIMAL(pdecOut);
    241 VarDecFromI1: I1(cIn: u8) => DECIMAL(pdecOut);
    191 VarDecFromI2: I2(uiIn: i16) => DECIMAL(pdecOut);
    192 VarDecFromI4: I4(lIn: i32) => DECIMAL(pdecOut);
    374 VarDecFromI8: I8(i64In: i64) => DECIMAL(pdecOut);
    193 VarDecFromR4: R4(fltIn: f32) => DECIMAL(pdecOut);
    194 VarDecFromR8: R8(dblIn: f64) => DECIMAL(pdecOut);
    197 VarDecFromStr: Str(strIn: GuestWord, lcid: u32, dwFlags: u32) => DECIMAL(pdecOut);
    190 VarDecFromUI1: UI1(bIn: u8) => DECIMAL(pdecOut);
    242 VarDecFromUI2: UI2(uiIn: u16) => DECIMAL(pdecOut);
    243 VarDecFromUI4: UI4(ulIn: u32) => DECIMAL(pdecOut);
    375 VarDecFromUI8: UI8(ui64In: u64) => DECIMAL(pdecOut);
    253 VarI1FromBool: Bool(boolIn: u16) => I1(pcOut);
    250 VarI1FromCy: Cy(cyIn: i64) => I1(pcOut);
    249 VarI1FromDate: Date(dateIn: f64) => I1(pcOut);
    256 VarI1FromDec: Dec(pdecIn: GuestWord) => I1(pcOut);
    252 VarI1FromDisp: Disp(pdispIn: GuestWord, lcid: u32) => I1(pcOut);
    245 VarI1FromI2: I2(uiIn: i16) => I1(pcOut);
    246 VarI1FromI4: I4(lIn: i32) => I1(pcOut);
    376 VarI1FromI8: I8(i64In: i64) => I1(pcOut);
    247 VarI1FromR4: R4(fltIn: f32) => I1(pcOut);
    248 VarI1FromR8: R8(dblIn: f64) => I1(pcOut);
    251 VarI1FromStr: Str(strIn: GuestWord, lcid: u32, dwFlags: u32) => I1(pcOut);
    244 VarI1FromUI1: UI1(bIn: u8) => I1(pcOut);
    254 VarI1FromUI2: UI2(uiIn: u16) => I1(pcOut);
    255 VarI1FromUI4: UI4(ulIn: u32) => I1(pcOut);
    377 VarI1FromUI8: UI8(i64In: u64) => I1(pcOut);
    266 VarUI2FromBool: Bool(boolIn: u16) => UI2(puiOut);
    263 VarUI2FromCy: Cy(cyIn: i64) => UI2(puiOut);
    262 VarUI2FromDate: Date(dateIn: f64) => UI2(puiOut);
    269 VarUI2FromDec: Dec(pdecIn: GuestWord) => UI2(puiOut);
    265 VarUI2FromDisp: Disp(pdispIn: GuestWord, lcid: u32) => UI2(puiOut);
    267 VarUI2FromI1: I1(cIn: u8) => UI2(puiOut);
    258 VarUI2FromI2: I2(uiIn: i16) => UI2(puiOut);
    259 VarUI2FromI4: I4(lIn: i32) => UI2(puiOut);
    378 VarUI2FromI8: I8(i64In: i64) => UI2(puiOut);
    260 VarUI2FromR4: R4(fltIn: f32) => UI2(puiOut);
    261 VarUI2FromR8: R8(dblIn: f64) => UI2(puiOut);
    264 VarUI2FromStr: Str(strIn: GuestWord, lcid: u32, dwFlags: u32) => UI2(puiOut);
    257 VarUI2FromUI1: UI1(bIn: u8) => UI2(puiOut);
    268 VarUI2FromUI4: UI4(ulIn: u32) => UI2(puiOut);
    379 VarUI2FromUI8: UI8(i64In: u64) => UI2(puiOut);
    279 VarUI4FromBool: Bool(boolIn: u16) => UI4(pulOut);
    276 VarUI4FromCy: Cy(cyIn: i64) => UI4(pulOut);
    275 VarUI4FromDate: Date(dateIn: f64) => UI4(pulOut);
    282 VarUI4FromDec: Dec(pdecIn: GuestWord) => UI4(pulOut);
    278 VarUI4FromDisp: Disp(pdispIn: GuestWord, lcid: u32) => UI4(pulOut);
    280 VarUI4FromI1: I1(cIn: u8) => UI4(pulOut);
    271 VarUI4FromI2: I2(uiIn: i16) => UI4(pulOut);
    272 VarUI4FromI4: I4(lIn: i32) => UI4(pulOut);
    425 VarUI4FromI8: I8(i64In: i64) => UI4(plOut);
    273 VarUI4FromR4: R4(fltIn: f32) => UI4(pulOut);
    274 VarUI4FromR8: R8(dblIn: f64) => UI4(pulOut);
    277 VarUI4FromStr: Str(strIn: GuestWord, lcid: u32, dwFlags: u32) => UI4(pulOut);
    270 VarUI4FromUI1: UI1(bIn: u8) => UI4(pulOut);
    281 VarUI4FromUI2: UI2(uiIn: u16) => UI4(pulOut);
    426 VarUI4FromUI8: UI8(ui64In: u64) => UI4(plOut);
    437 VarUI8FromBool: Bool(boolIn: u16) => UI8(pi64Out);
    433 VarUI8FromCy: Cy(cyIn: i64) => UI8(pi64Out);
    434 VarUI8FromDate: Date(dateIn: f64) => UI8(pi64Out);
    441 VarUI8FromDec: Dec(pdecIn: GuestWord) => UI8(pi64Out);
    436 VarUI8FromDisp: Disp(pdispIn: GuestWord, lcid: u32) => UI8(pi64Out);
    438 VarUI8FromI1: I1(cIn: u8) => UI8(pi64Out);
    430 VarUI8FromI2: I2(sIn: i16) => UI8(pi64Out);
    428 VarUI8FromI8: I8(ui64In: i64) => UI8(pi64Out);
    431 VarUI8FromR4: R4(fltIn: f32) => UI8(pi64Out);
    432 VarUI8FromR8: R8(dblIn: f64) => UI8(pi64Out);
    435 VarUI8FromStr: Str(strIn: GuestWord, lcid: u32, dwFlags: u32) => UI8(pi64Out);
    429 VarUI8FromUI1: UI1(bIn: u8) => UI8(pi64Out);
    439 VarUI8FromUI2: UI2(uiIn: u16) => UI8(pi64Out);
    440 VarUI8FromUI4: UI4(ulIn: u32) => UI8(pi64Out);
}
