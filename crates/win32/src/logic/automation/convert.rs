//! Conversions of values between types. Numbers are rounded to the nearest, halves to even.

use super::decimal::Decimal;
use super::{How, Refused, Value, dates, integer, kind, text};

/// `VARIANT_ALPHABOOL`: truth is written as `True` whatever `VAR_LOCALBOOL` says.
pub const ALPHA_BOOL: u32 = 2;

/// Rounds a double to the nearest integer, halves to even.
///
/// # Errors
/// `DISP_E_OVERFLOW` for what no 64 bits hold.
fn rounded(value: f64) -> Result<i128, Refused> {
    let value = value.round_ties_even();
    if value.abs() < 2e19 { Ok(value as i128) } else { Err(Refused::OVERFLOW) }
}

/// Divides money by ten thousand to the nearest integer, halves to even.
fn whole_money(value: i64) -> i128 {
    Decimal::of_money(value).to_integer()
}

/// Says whether a text is the word for truth, or for its opposite.
fn truth(text: &[u16]) -> Option<bool> {
    let text = String::from_utf16_lossy(text);
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    match () {
        () if is("True") || is("#TRUE#") => Some(true),
        () if is("False") || is("#FALSE#") => Some(false),
        () => None,
    }
}

/// Returns a value as an integer of a type.
fn to_integer(value: &Value, to: u16, how: How) -> Result<Value, Refused> {
    let (size, signed) = integer(to).ok_or(Refused::MISMATCH)?;
    if let Value::Integer(from, number) = value
        && let Some((own_size, own_signed)) = integer(*from)
        && own_size == size
        && (size < 8 || own_signed)
    {
        // Between types of a size the bits stay.
        let shift = 128 - 8 * size as u32;
        let bits = number << shift;
        let number = if signed { bits >> shift } else { (bits as u128 >> shift) as i128 };
        return Ok(Value::Integer(to, number));
    }
    let number = match value {
        Value::Empty => 0,
        // All bits are set in truth.
        Value::Bool(is) if signed => -i128::from(*is),
        Value::Bool(is) => {
            if *is {
                (1 << (8 * size)) - 1
            } else {
                0
            }
        }
        Value::Integer(_, number) => *number,
        Value::R4(number) => rounded(f64::from(*number))?,
        Value::R8(number) | Value::Date(number) => rounded(*number)?,
        Value::Cy(number) => whole_money(*number),
        Value::Decimal(number) => number.to_integer(),
        Value::Text(units) => text::read(units, how)?.integer()?,
        Value::Null | Value::Error(_) => return Err(Refused::MISMATCH),
    };
    let (lowest, highest) = match signed {
        true => (-(1_i128 << (8 * size - 1)), (1_i128 << (8 * size - 1)) - 1),
        false => (0, (1_i128 << (8 * size)) - 1),
    };
    if (lowest..=highest).contains(&number) { Ok(Value::Integer(to, number)) } else { Err(Refused::OVERFLOW) }
}

/// Returns a value as a double.
///
/// # Errors
/// `DISP_E_TYPEMISMATCH`, `DISP_E_OVERFLOW`
pub fn to_double(value: &Value, how: How) -> Result<f64, Refused> {
    Ok(match value {
        Value::Empty => 0.0,
        Value::Bool(is) => {
            if *is {
                -1.0
            } else {
                0.0
            }
        }
        Value::Integer(_, number) => *number as f64,
        Value::R4(number) => f64::from(*number),
        Value::R8(number) | Value::Date(number) => *number,
        Value::Cy(number) => *number as f64 / 10_000.0,
        Value::Decimal(number) => number.to_double(),
        Value::Text(units) => text::read(units, how)?.double()?,
        Value::Null | Value::Error(_) => return Err(Refused::MISMATCH),
    })
}

/// Returns a double as a float.
///
/// # Errors
/// `DISP_E_OVERFLOW`
pub fn to_float(value: f64) -> Result<f32, Refused> {
    if value.abs() > f64::from(f32::MAX) { Err(Refused::OVERFLOW) } else { Ok(value as f32) }
}

/// Returns a value as money.
///
/// # Errors
/// `DISP_E_TYPEMISMATCH`, `DISP_E_OVERFLOW`
pub fn to_money(value: &Value, how: How) -> Result<i64, Refused> {
    let fits = |number: i128| i64::try_from(number).map_err(|_| Refused::OVERFLOW);
    match value {
        Value::Cy(number) => Ok(*number),
        Value::Integer(_, number) => fits(number * 10_000),
        Value::Decimal(number) => fits(number.times(Decimal::of_integer(10_000)?)?.to_integer()),
        Value::Text(units) => {
            let number = text::read(units, how)?.decimal()?;
            to_money(&Value::Decimal(number), how)
        }
        other => fits(rounded(to_double(other, how)? * 10_000.0)?),
    }
}

/// Returns a value as a decimal.
///
/// # Errors
/// `DISP_E_TYPEMISMATCH`, `DISP_E_OVERFLOW`
pub fn to_decimal(value: &Value, how: How) -> Result<Decimal, Refused> {
    match value {
        Value::Decimal(number) => Ok(*number),
        Value::Empty => Ok(Decimal::default()),
        Value::Bool(is) => Decimal::of_integer(-i128::from(*is)),
        Value::Integer(_, number) => Decimal::of_integer(*number),
        Value::Cy(number) => Ok(Decimal::of_money(*number)),
        Value::R4(number) => Decimal::of_double(f64::from(*number), true),
        Value::R8(number) | Value::Date(number) => Decimal::of_double(*number, false),
        Value::Text(units) => text::read(units, how)?.decimal(),
        Value::Null | Value::Error(_) => Err(Refused::MISMATCH),
    }
}

fn to_bool(value: &Value, how: How) -> Result<bool, Refused> {
    Ok(match value {
        Value::Bool(is) => *is,
        Value::Decimal(number) => number.magnitude != 0,
        Value::Text(units) => match truth(units) {
            Some(is) => is,
            None => text::read(units, how)?.double()? != 0.0,
        },
        other => to_double(other, how)? != 0.0,
    })
}

/// Returns a value as text.
///
/// # Errors
/// `DISP_E_TYPEMISMATCH`, `E_INVALIDARG` for a date that is none
pub fn to_text(value: &Value, how: How) -> Result<Vec<u16>, Refused> {
    let made = match value {
        Value::Text(units) => return Ok(units.clone()),
        Value::Empty => String::new(),
        Value::Bool(is) => if *is { "True" } else { "False" }.to_owned(),
        Value::Integer(_, number) => number.to_string(),
        Value::R4(number) => text::of_double(f64::from(*number), 7, how),
        Value::R8(number) => text::of_double(*number, 15, how),
        Value::Cy(number) => text::localized(&Decimal::of_money(*number).to_text(), how),
        Value::Decimal(number) => text::localized(&number.to_text(), how),
        Value::Date(number) => return dates::to_text(*number, how),
        Value::Null | Value::Error(_) => return Err(Refused::MISMATCH),
    };
    Ok(made.encode_utf16().collect())
}

/// Converts a value to another type.
///
/// # Errors
/// - `DISP_E_TYPEMISMATCH` where there is no way from one to the other
/// - `DISP_E_OVERFLOW` for what does not fit
/// - `DISP_E_BADVARTYPE` for a type that no value has
pub fn convert(value: &Value, to: u16, how: How) -> Result<Value, Refused> {
    if value.kind() == to {
        return Ok(value.clone());
    }
    if integer(to).is_some() {
        return to_integer(value, to, how);
    }
    match to {
        kind::EMPTY if !matches!(value, Value::Null | Value::Error(_)) => Ok(Value::Empty),
        kind::NULL if !matches!(value, Value::Error(_)) => Ok(Value::Null),
        kind::R4 => to_float(to_double(value, how)?).map(Value::R4),
        kind::R8 => to_double(value, how).map(Value::R8),
        kind::CY => to_money(value, how).map(Value::Cy),
        kind::DECIMAL => to_decimal(value, how).map(Value::Decimal),
        kind::BOOL => to_bool(value, how).map(Value::Bool),
        kind::BSTR => to_text(value, how).map(Value::Text),
        kind::DATE => match value {
            Value::Text(units) => dates::read(units, how).map(Value::Date),
            other => dates::checked(to_double(other, how)?).map(Value::Date),
        },
        0..=14 | 36 => Err(Refused::MISMATCH),
        _ => Err(Refused::BAD_TYPE),
    }
}
