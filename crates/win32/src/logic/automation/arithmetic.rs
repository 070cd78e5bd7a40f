//! Arithmetic on values: the type of the result, and the result. An integer that does not fit becomes wider.
//!
//! Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varadd> and its neighbours; the types of results
//! were recorded under Wine 8.0

use std::cmp::Ordering;

use super::convert::{convert, to_decimal, to_double, to_float, to_money, to_text};
use super::decimal::Decimal;
use super::{How, Refused, Value, dates, kind};

/// An operation on two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// The sum; of two texts, one behind the other.
    Add,
    /// The difference.
    Subtract,
    /// The product.
    Multiply,
}

/// Types that sums, differences and products know.
fn is_known(kind: u16) -> bool {
    matches!(kind, 0..=8 | kind::BOOL | kind::DECIMAL | kind::UI1 | kind::I8)
}

/// Returns the type of a sum, difference or product of two types that are neither `NULL`.
fn type_of(operation: Operation, first: u16, second: u16) -> u16 {
    use kind::{BSTR, CY, DATE, DECIMAL, EMPTY, I2, I4, I8, R4, R8, UI1};
    let has = |kind| first == kind || second == kind;
    let is_product = operation == Operation::Multiply;
    if has(DECIMAL) {
        return DECIMAL;
    }
    if has(DATE) {
        let is_number = is_product || operation == Operation::Subtract && first == second;
        return if is_number { R8 } else { DATE };
    }
    if has(CY) {
        return if is_product && (has(R4) || has(R8) || has(BSTR)) { R8 } else { CY };
    }
    let is_wide = has(I4) || has(I8);
    match () {
        () if has(R8) || has(BSTR) || has(R4) && is_wide => R8,
        () if has(R4) => R4,
        () if has(I8) => I8,
        () if has(I4) => I4,
        () if [first, second].iter().all(|kind| [UI1, EMPTY].contains(kind)) && has(UI1) => UI1,
        () => I2,
    }
}

/// Returns an integer in the narrowest type from `kind` on that holds it, at last as a double.
fn widened(number: i128, kind: u16) -> Value {
    let wider: &[u16] = match kind {
        kind::UI1 => &[kind::UI1, kind::I2, kind::I4],
        kind::I2 => &[kind::I2, kind::I4],
        kind::I4 => &[kind::I4],
        _ => &[kind::I8],
    };
    let fits = |kind: u16| match kind {
        kind::UI1 => u8::try_from(number).is_ok(),
        kind::I2 => i16::try_from(number).is_ok(),
        kind::I4 => i32::try_from(number).is_ok(),
        _ => i64::try_from(number).is_ok(),
    };
    match wider.iter().find(|&&kind| fits(kind)) {
        Some(&kind) => Value::Integer(kind, number),
        None => Value::R8(number as f64),
    }
}

/// Returns the integer that a value is.
fn whole(value: &Value) -> i128 {
    match value {
        Value::Integer(_, number) => *number,
        Value::Bool(is) => -i128::from(*is),
        _ => 0,
    }
}

fn finite(value: f64) -> Result<f64, Refused> {
    if value.is_finite() { Ok(value) } else { Err(Refused::OVERFLOW) }
}

/// Adds, subtracts or multiplies.
///
/// # Errors
/// - `DISP_E_BADVARTYPE`, `DISP_E_TYPEMISMATCH` for types without arithmetic
/// - `DISP_E_OVERFLOW`
pub fn combine(operation: Operation, first: &Value, second: &Value, how: How) -> Result<Value, Refused> {
    let kinds = [first.kind(), second.kind()];
    if !kinds.iter().all(|&kind| is_known(kind)) {
        let is_difference = operation == Operation::Subtract;
        let only_errors = kinds.iter().all(|&kind| is_known(kind) || kind == kind::ERROR);
        return Err(if is_difference && only_errors { Refused::MISMATCH } else { Refused::BAD_TYPE });
    }
    if kinds.contains(&kind::NULL) {
        return Ok(Value::Null);
    }
    if operation == Operation::Add
        && kinds.contains(&kind::BSTR)
        && kinds.iter().all(|kind| [kind::BSTR, kind::EMPTY].contains(kind))
    {
        return Ok(Value::Text([to_text(first, how)?, to_text(second, how)?].concat()));
    }
    let doubles = || {
        let (first, second) = (to_double(first, how)?, to_double(second, how)?);
        finite(match operation {
            Operation::Add => first + second,
            Operation::Subtract => first - second,
            Operation::Multiply => first * second,
        })
    };
    match type_of(operation, kinds[0], kinds[1]) {
        kind::DECIMAL => {
            let (first, second) = (to_decimal(first, how)?, to_decimal(second, how)?);
            let result = match operation {
                Operation::Add => first.plus(second),
                Operation::Subtract => first.plus(second.negated()),
                Operation::Multiply => first.times(second),
            };
            result.map(Value::Decimal)
        }
        kind::DATE => dates::checked(doubles()?).map(Value::Date),
        kind::CY => {
            let (first, second) = (to_money(first, how)?, to_money(second, how)?);
            money(operation, first, second).map(Value::Cy)
        }
        kind::R8 => doubles().map(Value::R8),
        kind::R4 => {
            let sum = doubles()?;
            Ok(to_float(sum).map_or(Value::R8(sum), Value::R4))
        }
        to => {
            let (first, second) = (whole(first), whole(second));
            let number = match operation {
                Operation::Add => first + second,
                Operation::Subtract => first - second,
                Operation::Multiply => first * second,
            };
            Ok(widened(number, to))
        }
    }
}

/// Adds, subtracts or multiplies money; a product is rounded to the nearest, halves to even.
///
/// # Errors
/// `DISP_E_OVERFLOW`
pub fn money(operation: Operation, first: i64, second: i64) -> Result<i64, Refused> {
    let (first, second) = (i128::from(first), i128::from(second));
    let result = match operation {
        Operation::Add => first + second,
        Operation::Subtract => first - second,
        Operation::Multiply => {
            let product = first * second;
            let decimal = Decimal { negative: product < 0, scale: 4, magnitude: product.unsigned_abs() };
            decimal.to_integer()
        }
    };
    i64::try_from(result).map_err(|_| Refused::OVERFLOW)
}

/// Divides. The result is a double, a float, or a decimal.
///
/// # Errors
/// `DISP_E_TYPEMISMATCH`, `DISP_E_DIVBYZERO`, `DISP_E_OVERFLOW`
pub fn divide(first: &Value, second: &Value, how: How) -> Result<Value, Refused> {
    let kinds = [first.kind(), second.kind()];
    if kinds.contains(&kind::NULL) {
        return Ok(Value::Null);
    }
    if kinds.contains(&kind::DECIMAL) {
        return to_decimal(first, how)?.divided_by(to_decimal(second, how)?).map(Value::Decimal);
    }
    let (dividend, divisor) = (to_double(first, how)?, to_double(second, how)?);
    if divisor == 0.0 {
        return Err(Refused::DIVISION_BY_ZERO);
    }
    let quotient = finite(dividend / divisor)?;
    let needs_double = [kind::I4, kind::I8, kind::R8, kind::CY, kind::DATE, kind::BSTR];
    if kinds.contains(&kind::R4) && !kinds.iter().any(|kind| needs_double.contains(kind)) {
        return to_float(quotient).map(Value::R4);
    }
    Ok(Value::R8(quotient))
}

/// Returns the power, a double, which may be infinite.
///
/// # Errors
/// `DISP_E_BADVARTYPE`, `DISP_E_TYPEMISMATCH`
pub fn power(first: &Value, second: &Value, how: How) -> Result<Value, Refused> {
    if [first.kind(), second.kind()].contains(&kind::NULL) {
        return Ok(Value::Null);
    }
    if [first.kind(), second.kind()].contains(&kind::ERROR) {
        return Err(Refused::BAD_TYPE);
    }
    Ok(Value::R8(to_double(first, how)?.powf(to_double(second, how)?)))
}

/// Divides whole numbers, to the quotient or to the rest; what is no whole number is rounded first.
///
/// # Errors
/// `DISP_E_TYPEMISMATCH`, `DISP_E_DIVBYZERO`, `DISP_E_OVERFLOW`
pub fn divide_whole(first: &Value, second: &Value, how: How, is_rest: bool) -> Result<Value, Refused> {
    let kinds = [first.kind(), second.kind()];
    if kinds.contains(&kind::ERROR) && (is_rest || !kinds.contains(&kind::NULL)) {
        return Err(Refused::MISMATCH);
    }
    if kinds.contains(&kind::NULL) {
        return Ok(Value::Null);
    }
    let small = [kind::EMPTY, kind::I2, kind::BOOL, kind::UI1];
    let to = match () {
        // Nothing divided to the rest is four bytes wide.
        () if is_rest && kinds[0] == kind::EMPTY => kind::I4,
        () if kinds == [kind::UI1; 2] => kind::UI1,
        () if kinds.contains(&kind::I8) => kind::I8,
        () if kinds.iter().all(|kind| small.contains(kind)) => kind::I2,
        () => kind::I4,
    };
    let number = |value: &Value| match value {
        Value::Bool(_) | Value::Empty => Ok(whole(value)),
        value => convert(value, to, how).map(|value| whole(&value)),
    };
    let (first, second) = (number(first)?, number(second)?);
    if second == 0 {
        return Err(Refused::DIVISION_BY_ZERO);
    }
    let result = if is_rest { first % second } else { first / second };
    convert(&Value::Integer(u16::MAX, result), to, how)
}

/// Operations on one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Single {
    /// The other sign.
    Negate,
    /// No sign.
    Absolute,
    /// Without what stands behind the point.
    Cut,
    /// The next whole number downwards.
    Floor,
    /// So many digits behind the point.
    Round(u8),
}

/// Does an operation on one value.
///
/// # Errors
/// `DISP_E_TYPEMISMATCH`, `DISP_E_BADVARTYPE` for types without it, `DISP_E_OVERFLOW`
pub fn single(operation: Single, value: &Value, how: How) -> Result<Value, Refused> {
    Ok(match value {
        Value::Null => Value::Null,
        Value::Empty => Value::Integer(kind::I2, 0),
        Value::Bool(is) => single(operation, &Value::Integer(kind::I2, -i128::from(*is)), how)?,
        Value::Text(_) => Value::R8(of_double(operation, to_double(value, how)?)),
        Value::R4(number) => Value::R4(of_double(operation, f64::from(*number)) as f32),
        Value::R8(number) => Value::R8(of_double(operation, *number)),
        Value::Date(number) => Value::Date(of_double(operation, *number)),
        Value::Cy(number) => Value::Cy(of_money(operation, *number)?),
        Value::Decimal(number) => Value::Decimal(of_decimal(operation, *number)),
        Value::Integer(kind, number) => of_integer(operation, *kind, *number)?,
        Value::Error(_) if matches!(operation, Single::Round(_)) => return Err(Refused::BAD_TYPE),
        Value::Error(_) => return Err(Refused::MISMATCH),
    })
}

fn of_integer(operation: Single, kind: u16, number: i128) -> Result<Value, Refused> {
    let is_known = is_known(kind);
    match operation {
        Single::Absolute if !is_known => Ok(Value::Integer(kind, number.abs())),
        Single::Absolute => Ok(widened(number.abs(), kind)),
        Single::Round(_) if !is_known => Err(Refused::BAD_TYPE),
        _ if !is_known => Err(Refused::MISMATCH),
        // A byte has no sign.
        Single::Negate => Ok(widened(-number, if kind == kind::UI1 { kind::I2 } else { kind })),
        _ => Ok(Value::Integer(kind, number)),
    }
}

/// Does an operation on a double; it is rounded halves to even.
pub fn of_double(operation: Single, number: f64) -> f64 {
    match operation {
        Single::Negate => -number,
        Single::Absolute => number.abs(),
        Single::Cut => number.trunc(),
        Single::Floor => number.floor(),
        Single::Round(digits) => {
            let scale = 10f64.powi(digits.into());
            let scaled = number * scale;
            if scaled.is_finite() { scaled.round_ties_even() / scale } else { number }
        }
    }
}

/// Does an operation on money.
///
/// # Errors
/// `DISP_E_OVERFLOW`
pub fn of_money(operation: Single, number: i64) -> Result<i64, Refused> {
    let done = of_decimal(operation, Decimal::of_money(number));
    let magnitude = done.magnitude * 10u128.pow(4 - u32::from(done.scale));
    let magnitude = i128::try_from(magnitude).map_err(|_| Refused::OVERFLOW)?;
    i64::try_from(if done.negative { -magnitude } else { magnitude }).map_err(|_| Refused::OVERFLOW)
}

/// Does an operation on a decimal.
pub fn of_decimal(operation: Single, number: Decimal) -> Decimal {
    match operation {
        Single::Negate => number.negated(),
        Single::Absolute => Decimal { negative: false, ..number },
        Single::Cut => number.cut(),
        Single::Floor => number.floor(),
        Single::Round(digits) => number.rounded(digits),
    }
}

/// Compares two values; `None` where one has no value. Texts are compared by `texts`, and are greater than numbers.
///
/// # Errors
/// `DISP_E_TYPEMISMATCH`, `DISP_E_BADVARTYPE` for types that are not compared
pub fn compare(
    first: &Value,
    second: &Value,
    how: How,
    texts: impl Fn(&[u16], &[u16]) -> Ordering,
) -> Result<Option<Ordering>, Refused> {
    let kinds = [first.kind(), second.kind()];
    if kinds.iter().any(|kind| [kind::INT, kind::UINT].contains(kind)) {
        return Err(Refused::BAD_TYPE);
    }
    if kinds.contains(&kind::ERROR) && kinds[0] == kinds[1] {
        let (Value::Error(first), Value::Error(second)) = (first, second) else { return Ok(None) };
        return Ok(Some(first.cmp(second)));
    }
    if !kinds.iter().all(|&kind| is_known(kind)) {
        return Err(Refused::MISMATCH);
    }
    let order = match (first, second) {
        (Value::Null, _) | (_, Value::Null) => return Ok(None),
        (Value::Text(first), Value::Text(second)) => texts(first, second),
        (Value::Empty, Value::Text(second)) => texts(&[], second),
        (Value::Text(first), Value::Empty) => texts(first, &[]),
        (Value::Text(_), _) => Ordering::Greater,
        (_, Value::Text(_)) => Ordering::Less,
        _ if kinds.contains(&kind::DECIMAL) || kinds.contains(&kind::CY) => {
            to_decimal(first, how)?.compare(to_decimal(second, how)?)
        }
        _ if kinds.iter().any(|kind| [kind::R4, kind::R8, kind::DATE].contains(kind)) => {
            to_double(first, how)?.partial_cmp(&to_double(second, how)?).unwrap_or(Ordering::Equal)
        }
        _ => whole(first).cmp(&whole(second)),
    };
    Ok(Some(order))
}

/// Puts two texts together; no value is nothing, but two of them are none.
///
/// # Errors
/// `DISP_E_TYPEMISMATCH`
pub fn concatenate(first: &Value, second: &Value, how: How) -> Result<Value, Refused> {
    let text = |value: &Value| match value {
        Value::Null => Ok(Vec::new()),
        value => to_text(value, how),
    };
    match (first, second) {
        (Value::Null, Value::Null) => Ok(Value::Null),
        _ => Ok(Value::Text([text(first)?, text(second)?].concat())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::nls::locale::EN_US;

    #[test]
    fn integers_become_wider() {
        let how = How { locale: &EN_US, flags: 0 };
        let add = |kind, first, second| {
            combine(Operation::Add, &Value::Integer(kind, first), &Value::Integer(kind, second), how)
        };
        assert_eq!(add(kind::UI1, 200, 100), Ok(Value::Integer(kind::I2, 300)));
        assert_eq!(add(kind::I2, 32_767, 1), Ok(Value::Integer(kind::I4, 32_768)));
        assert_eq!(add(kind::I4, 2_147_483_647, 1), Ok(Value::R8(2_147_483_648.0)));
        assert_eq!(add(kind::I1, 1, 1), Err(Refused::BAD_TYPE));
        let min = Value::Integer(kind::I2, -32_768);
        assert_eq!(single(Single::Negate, &min, how), Ok(Value::Integer(kind::I4, 32_768)));
        assert_eq!(money(Operation::Multiply, 5, 10_000), Ok(5));
        assert_eq!(of_money(Single::Round(2), 12_350), Ok(12_400));
        assert_eq!(divide(&min, &Value::Empty, how), Err(Refused::DIVISION_BY_ZERO));
    }
}
