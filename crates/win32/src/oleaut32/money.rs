//! oleauto.h: arithmetic of money, decimals and doubles.

use std::cmp::Ordering;

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::arithmetic::order_code;
use super::values::{how, read_decimal, write_decimal};
use super::{E_INVALIDARG, S_OK};
use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::automation::arithmetic::{self, Operation, Single};
use crate::logic::automation::decimal::Decimal;
use crate::logic::automation::{Refused, Value, convert};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    @177 full VarDecAdd; @178 full VarDecDiv; @179 full VarDecMul; @181 full VarDecSub; @182 full VarDecAbs;
    @187 full VarDecFix; @188 full VarDecInt; @189 full VarDecNeg; @203 full VarDecRound; @204 full VarDecCmp;
    @298 full VarDecCmpR8; @299 full VarCyAdd; @303 full VarCyMul; @304 full VarCyMulI4; @305 full VarCySub;
    @306 full VarCyAbs; @307 full VarCyFix; @308 full VarCyInt; @309 full VarCyNeg; @310 full VarCyRound;
    @311 full VarCyCmp; @312 full VarCyCmpR8; @315 full VarR8Pow; @316 full VarR4CmpR8; @317 full VarR8Round;
    @329 full VarCyMulI8;
};

/// Writes money or says why there is none.
fn give_money(guest: &Guest, made: Result<i64, Refused>, out: GuestWord) -> Result<i32, Fault> {
    match made {
        Ok(money) => guest.write(out.get(), &(money as u64)).map(|()| S_OK),
        Err(Refused(code)) => Ok(code),
    }
}

alike! {
    fn(guest, operation; left: i64, right: i64, result: GuestWord) -> Result<i32, Fault> {
        give_money(guest, arithmetic::money(operation, left, right), result)
    }

    /// Adds money.
    "oleauto/nf-oleauto-varcyadd"
    VarCyAdd(cyLeft, cyRight, pcyResult) = Operation::Add;
    /// Subtracts money.
    "oleauto/nf-oleauto-varcysub"
    VarCySub(cyLeft, cyRight, pcyResult) = Operation::Subtract;
    /// Multiplies money.
    "oleauto/nf-oleauto-varcymul"
    VarCyMul(cyLeft, cyRight, pcyResult) = Operation::Multiply;
}

/// Multiplies money by a whole number.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varcymuli8>
#[winapi]
pub fn VarCyMulI8(guest: &mut Guest, cyLeft: i64, lRight: i64, pcyResult: GuestWord) -> Result<i32, Fault> {
    give_money(guest, cyLeft.checked_mul(lRight).ok_or(Refused::OVERFLOW), pcyResult)
}

/// Multiplies money by a whole number.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varcymuli4>
#[winapi]
pub fn VarCyMulI4(guest: &mut Guest, cyLeft: i64, lRight: i32, pcyResult: GuestWord) -> Result<i32, Fault> {
    VarCyMulI8(guest, cyLeft, lRight.into(), pcyResult)
}

alike! {
    fn(guest, operation; value: i64, result: GuestWord) -> Result<i32, Fault> {
        give_money(guest, arithmetic::of_money(operation, value), result)
    }

    /// Returns money without its sign.
    "oleauto/nf-oleauto-varcyabs"
    VarCyAbs(cyIn, pcyResult) = Single::Absolute;
    /// Returns money without what stands behind the point.
    "oleauto/nf-oleauto-varcyfix"
    VarCyFix(cyIn, pcyResult) = Single::Cut;
    /// Returns the next whole amount downwards.
    "oleauto/nf-oleauto-varcyint"
    VarCyInt(cyIn, pcyResult) = Single::Floor;
    /// Returns money with the other sign.
    "oleauto/nf-oleauto-varcyneg"
    VarCyNeg(cyIn, pcyResult) = Single::Negate;
}

/// Rounds money to so many digits behind the point.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varcyround>
#[winapi]
pub fn VarCyRound(guest: &mut Guest, cyIn: i64, cDecimals: i32, pcyResult: GuestWord) -> Result<i32, Fault> {
    let Ok(digits) = u8::try_from(cDecimals) else { return Ok(E_INVALIDARG) };
    give_money(guest, arithmetic::of_money(Single::Round(digits), cyIn), pcyResult)
}

/// Compares money: 0 less, 1 equal, 2 greater.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varcycmp>
#[winapi]
pub fn VarCyCmp(guest: &mut Guest, cyLeft: i64, cyRight: i64) -> i32 {
    let _ = guest;
    order_code(cyLeft.cmp(&cyRight))
}

/// Compares money with a double.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varcycmpr8>
#[winapi]
pub fn VarCyCmpR8(guest: &mut Guest, cyLeft: i64, dblRight: f64) -> i32 {
    let _ = guest;
    match convert::to_money(&Value::R8(dblRight), how(0, 0)) {
        Ok(right) => order_code(cyLeft.cmp(&right)),
        Err(Refused(code)) => code,
    }
}

/// Writes a decimal or says why there is none.
fn give_decimal(guest: &Guest, made: Result<Decimal, Refused>, out: GuestWord) -> Result<i32, Fault> {
    match made {
        Ok(decimal) => write_decimal(guest, out.get(), decimal).map(|()| S_OK),
        Err(Refused(code)) => Ok(code),
    }
}

alike! {
    fn(guest, operation; left: GuestWord, right: GuestWord, result: GuestWord) -> Result<i32, Fault> {
        let (left, right) = (read_decimal(guest, left.get())?, read_decimal(guest, right.get())?);
        give_decimal(guest, left.and_then(|left| operation(left, right?)), result)
    }

    /// Adds decimals.
    "oleauto/nf-oleauto-vardecadd"
    VarDecAdd(pdecLeft, pdecRight, pdecResult) = Decimal::plus;
    /// Subtracts decimals.
    "oleauto/nf-oleauto-vardecsub"
    VarDecSub(pdecLeft, pdecRight, pdecResult) = Decimal::minus;
    /// Multiplies decimals.
    "oleauto/nf-oleauto-vardecmul"
    VarDecMul(pdecLeft, pdecRight, pdecResult) = Decimal::times;
    /// Divides decimals.
    "oleauto/nf-oleauto-vardecdiv"
    VarDecDiv(pdecLeft, pdecRight, pdecResult) = Decimal::divided_by;
}

alike! {
    fn(guest, operation; value: GuestWord, result: GuestWord) -> Result<i32, Fault> {
        let value = read_decimal(guest, value.get())?;
        give_decimal(guest, value.map(|value| arithmetic::of_decimal(operation, value)), result)
    }

    /// Returns a decimal without its sign.
    "oleauto/nf-oleauto-vardecabs"
    VarDecAbs(pdecIn, pdecResult) = Single::Absolute;
    /// Returns a decimal without what stands behind the point.
    "oleauto/nf-oleauto-vardecfix"
    VarDecFix(pdecIn, pdecResult) = Single::Cut;
    /// Returns the next whole number downwards.
    "oleauto/nf-oleauto-vardecint"
    VarDecInt(pdecIn, pdecResult) = Single::Floor;
    /// Returns a decimal with the other sign.
    "oleauto/nf-oleauto-vardecneg"
    VarDecNeg(pdecIn, pdecResult) = Single::Negate;
}

/// Rounds a decimal to so many digits behind the point.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-vardecround>
#[winapi]
pub fn VarDecRound(
    guest: &mut Guest,
    pdecIn: GuestWord,
    cDecimals: i32,
    pdecResult: GuestWord,
) -> Result<i32, Fault> {
    let Ok(digits) = u8::try_from(cDecimals) else { return Ok(E_INVALIDARG) };
    let value = read_decimal(guest, pdecIn.get())?;
    give_decimal(guest, value.map(|value| value.rounded(digits)), pdecResult)
}

/// Returns an order's code or an error's.
fn order_or_error(order: Result<Ordering, Refused>) -> i32 {
    match order {
        Ok(order) => order_code(order),
        Err(Refused(code)) => code,
    }
}

/// Compares decimals: 0 less, 1 equal, 2 greater.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-vardeccmp>
#[winapi]
pub fn VarDecCmp(guest: &mut Guest, pdecLeft: GuestWord, pdecRight: GuestWord) -> Result<i32, Fault> {
    let (left, right) = (read_decimal(guest, pdecLeft.get())?, read_decimal(guest, pdecRight.get())?);
    Ok(order_or_error(left.and_then(|left| Ok(left.compare(right?)))))
}

/// Compares a decimal with a double.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-vardeccmpr8>
#[winapi]
pub fn VarDecCmpR8(guest: &mut Guest, pdecLeft: GuestWord, dblRight: f64) -> Result<i32, Fault> {
    let left = read_decimal(guest, pdecLeft.get())?;
    Ok(order_or_error(left.and_then(|left| Ok(left.compare(Decimal::of_double(dblRight, false)?)))))
}

/// Compares a float with a double: 0 less, 1 equal, 2 greater.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varr4cmpr8>
#[winapi]
pub fn VarR4CmpR8(guest: &mut Guest, fltLeft: f32, dblRight: f64) -> i32 {
    let _ = guest;
    order_code(f64::from(fltLeft).partial_cmp(&dblRight).unwrap_or(Ordering::Greater))
}

/// Returns a double to the power of another.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varr8pow>
#[winapi]
pub fn VarR8Pow(guest: &mut Guest, dblLeft: f64, dblRight: f64, pdblResult: GuestWord) -> Result<i32, Fault> {
    guest.write(pdblResult.get(), &dblLeft.powf(dblRight).to_bits()).map(|()| S_OK)
}

/// Rounds a double to so many digits behind the point.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varr8round>
#[winapi]
pub fn VarR8Round(
    guest: &mut Guest,
    dblIn: f64,
    cDecimals: i32,
    pdblResult: GuestWord,
) -> Result<i32, Fault> {
    let Ok(digits) = u8::try_from(cDecimals) else { return Ok(E_INVALIDARG) };
    let rounded = arithmetic::of_double(Single::Round(digits), dblIn);
    guest.write(pdblResult.get(), &rounded.to_bits()).map(|()| S_OK)
}
