//! oleauto.h: arithmetic, logic and comparisons of VARIANTs. The rules are [`crate::logic::automation`].

use std::cmp::Ordering;

use plat_abi::{Fault, GuestWord, winapi};

use super::values::{finish, how, read_variant};
use super::{E_INVALIDARG, texts};
use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::automation::arithmetic::{self, Operation, Single};
use crate::logic::automation::bits::{self, Logic};
use crate::logic::automation::{How, Refused, Value};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    @141 full VarAdd; @142 full VarAnd; @143 full VarDiv; @152 full VarEqv; @153 full VarIdiv; @154 full VarImp;
    @155 full VarMod; @156 full VarMul; @157 full VarOr; @158 full VarPow; @159 full VarSub; @167 full VarXor;
    @168 full VarAbs; @169 full VarFix; @172 full VarInt; @173 full VarNeg; @174 full VarNot; @175 full VarRound;
    @176 full VarCmp; @318 full VarCat;
};

/// What is done with two values.
enum Binary {
    Sum(Operation),
    Quotient,
    WholeQuotient,
    Rest,
    Power,
    Bits(Logic),
    Join,
}

impl Binary {
    fn run(self, left: &Value, right: &Value, how: How) -> Result<Value, Refused> {
        match self {
            Self::Sum(operation) => arithmetic::combine(operation, left, right, how),
            Self::Quotient => arithmetic::divide(left, right, how),
            Self::WholeQuotient => arithmetic::divide_whole(left, right, how, false),
            Self::Rest => arithmetic::divide_whole(left, right, how, true),
            Self::Power => arithmetic::power(left, right, how),
            Self::Bits(logic) => bits::combine(logic, left, right, how),
            Self::Join => arithmetic::concatenate(left, right, how),
        }
    }
}

alike! {
    fn(guest, operation; left: GuestWord, right: GuestWord, result: GuestWord) -> Result<i32, Fault> {
        let left = read_variant(guest, left.get(), 0)?;
        let right = read_variant(guest, right.get(), 0)?;
        let done = left.and_then(|left| operation.run(&left, &right?, how(0, 0)));
        finish(guest, done, result.get())
    }

    /// Adds two values; two texts are put together.
    "oleauto/nf-oleauto-varadd"
    VarAdd(pvarLeft, pvarRight, pvarResult) = Binary::Sum(Operation::Add);
    /// Subtracts the second value from the first.
    "oleauto/nf-oleauto-varsub"
    VarSub(pvarLeft, pvarRight, pvarResult) = Binary::Sum(Operation::Subtract);
    /// Multiplies two values.
    "oleauto/nf-oleauto-varmul"
    VarMul(pvarLeft, pvarRight, pvarResult) = Binary::Sum(Operation::Multiply);
    /// Divides the first value by the second.
    "oleauto/nf-oleauto-vardiv"
    VarDiv(pvarLeft, pvarRight, pvarResult) = Binary::Quotient;
    /// Divides whole numbers.
    "oleauto/nf-oleauto-varidiv"
    VarIdiv(pvarLeft, pvarRight, pvarResult) = Binary::WholeQuotient;
    /// Returns the rest of a division of whole numbers.
    "oleauto/nf-oleauto-varmod"
    VarMod(pvarLeft, pvarRight, pvarResult) = Binary::Rest;
    /// Returns the first value to the power of the second.
    "oleauto/nf-oleauto-varpow"
    VarPow(pvarLeft, pvarRight, pvarResult) = Binary::Power;
    /// Puts the texts of two values together.
    "oleauto/nf-oleauto-varcat"
    VarCat(pvarLeft, pvarRight, pvarResult) = Binary::Join;
    /// Returns the bits that both values have.
    "oleauto/nf-oleauto-varand"
    VarAnd(pvarLeft, pvarRight, pvarResult) = Binary::Bits(Logic::And);
    /// Returns the bits that one of two values has.
    "oleauto/nf-oleauto-varor"
    VarOr(pvarLeft, pvarRight, pvarResult) = Binary::Bits(Logic::Or);
    /// Returns the bits in which two values differ.
    "oleauto/nf-oleauto-varxor"
    VarXor(pvarLeft, pvarRight, pvarResult) = Binary::Bits(Logic::Xor);
    /// Returns the bits in which two values agree.
    "oleauto/nf-oleauto-vareqv"
    VarEqv(pvarLeft, pvarRight, pvarResult) = Binary::Bits(Logic::Eqv);
    /// Returns the bits in which the second value follows from the first.
    "oleauto/nf-oleauto-varimp"
    VarImp(pvarLeft, pvarRight, pvarResult) = Binary::Bits(Logic::Imp);
}

/// Does something with one VARIANT.
fn with_one(
    guest: &mut Guest,
    value: GuestWord,
    result: GuestWord,
    run: impl FnOnce(&Value, How) -> Result<Value, Refused>,
) -> Result<i32, Fault> {
    let value = read_variant(guest, value.get(), 0)?;
    let done = value.and_then(|value| run(&value, how(0, 0)));
    finish(guest, done, result.get())
}

alike! {
    fn(guest, operation; value: GuestWord, result: GuestWord) -> Result<i32, Fault> {
        with_one(guest, value, result, |value, how| arithmetic::single(operation, value, how))
    }

    /// Returns a value without its sign.
    "oleauto/nf-oleauto-varabs"
    VarAbs(pvarIn, pvarResult) = Single::Absolute;
    /// Returns a value without what stands behind the point.
    "oleauto/nf-oleauto-varfix"
    VarFix(pvarIn, pvarResult) = Single::Cut;
    /// Returns the next whole number downwards.
    "oleauto/nf-oleauto-varint"
    VarInt(pvarIn, pvarResult) = Single::Floor;
    /// Returns a value with the other sign.
    "oleauto/nf-oleauto-varneg"
    VarNeg(pvarIn, pvarResult) = Single::Negate;
}

/// Returns a value with its bits turned over.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varnot>
#[winapi]
pub fn VarNot(guest: &mut Guest, pvarIn: GuestWord, pvarResult: GuestWord) -> Result<i32, Fault> {
    with_one(guest, pvarIn, pvarResult, bits::not)
}

/// Rounds a value to so many digits behind the point.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varround>
#[winapi]
pub fn VarRound(
    guest: &mut Guest,
    pvarIn: GuestWord,
    cDecimals: i32,
    pvarResult: GuestWord,
) -> Result<i32, Fault> {
    let Ok(digits) = u8::try_from(cDecimals) else { return Ok(E_INVALIDARG) };
    let round = Single::Round(digits);
    with_one(guest, pvarIn, pvarResult, |value, how| arithmetic::single(round, value, how))
}

/// Returns an order as `VARCMP_LT`, `VARCMP_EQ` or `VARCMP_GT`.
pub(super) fn order_code(order: Ordering) -> i32 {
    order as i32 + 1
}

/// Compares two values: 0 less, 1 equal, 2 greater, 3 one has no value.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varcmp>
#[winapi]
pub fn VarCmp(
    guest: &mut Guest,
    pvarLeft: GuestWord,
    pvarRight: GuestWord,
    lcid: u32,
    dwFlags: u32,
) -> Result<i32, Fault> {
    /// `VARCMP_NULL`.
    const NULL: i32 = 3;
    let (left, right) =
        (read_variant(guest, pvarLeft.get(), lcid)?, read_variant(guest, pvarRight.get(), lcid)?);
    let texts = |left: &[u16], right: &[u16]| texts::compare(left, right, lcid, dwFlags);
    let order = left.and_then(|left| arithmetic::compare(&left, &right?, how(lcid, 0), texts));
    Ok(match order {
        Ok(order) => order.map_or(NULL, order_code),
        Err(Refused(code)) => code,
    })
}
