//! Logic on values, bit by bit, with three truths where one has no value.
//!
//! Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varand> and its neighbours; the types of results
//! were recorded under Wine 8.0

use super::convert::convert;
use super::{How, Refused, Value, kind};

/// An operation on bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logic {
    /// Both.
    And,
    /// One or both.
    Or,
    /// One of them.
    Xor,
    /// Both or none.
    Eqv,
    /// The second, where the first is set.
    Imp,
}

/// Returns the type that two values are brought to.
fn type_of(logic: Logic, kinds: [u16; 2]) -> u16 {
    let all = |known: &[u16]| kinds.iter().all(|kind| known.contains(kind));
    // In these, a text is a number.
    let text = if matches!(logic, Logic::Xor | Logic::Eqv) { kind::BOOL } else { kind::BSTR };
    match () {
        () if kinds.contains(&kind::I8) => kind::I8,
        () if all(&[kind::UI1]) => kind::UI1,
        () if all(&[kind::BOOL, text]) => kind::BOOL,
        () if all(&[kind::EMPTY, kind::I2, kind::BOOL, kind::UI1, text]) => kind::I2,
        () => kind::I4,
    }
}

/// Returns a value's bits in a type.
fn bits(value: &Value, to: u16, how: How) -> Result<i128, Refused> {
    match convert(value, to, how)? {
        Value::Bool(is) => Ok(-i128::from(is)),
        Value::Integer(_, number) => Ok(number),
        _ => Err(Refused::MISMATCH),
    }
}

/// Makes a value of bits.
fn value(bits: i128, to: u16) -> Value {
    match to {
        kind::BOOL => Value::Bool(bits != 0),
        kind::UI1 => Value::Integer(to, bits & 0xff),
        to => Value::Integer(to, bits),
    }
}

/// Does an operation on two values' bits.
///
/// # Errors
/// `DISP_E_TYPEMISMATCH`, `DISP_E_OVERFLOW`
pub fn combine(logic: Logic, first: &Value, second: &Value, how: How) -> Result<Value, Refused> {
    let kinds = [first.kind(), second.kind()];
    if kinds.contains(&kind::ERROR) {
        return Err(if logic == Logic::Xor { Refused::BAD_TYPE } else { Refused::MISMATCH });
    }
    match (first, second) {
        (Value::Null, Value::Null) => return Ok(Value::Null),
        (Value::Null, other) | (other, Value::Null) => {
            return with_null(logic, other, *second == Value::Null, how);
        }
        _ => {}
    }
    let to = type_of(logic, kinds);
    let (first, second) = (bits(first, to, how)?, bits(second, to, how)?);
    let result = match logic {
        Logic::And => first & second,
        Logic::Or => first | second,
        Logic::Xor => first ^ second,
        Logic::Eqv => !(first ^ second),
        Logic::Imp => !first | second,
    };
    Ok(value(result, to))
}

/// What no value leaves undecided has no value.
fn with_null(logic: Logic, other: &Value, is_second: bool, how: How) -> Result<Value, Refused> {
    let to = type_of(logic, [other.kind(); 2]);
    let own = bits(other, to, how)?;
    let decided = match logic {
        Logic::And => (own == 0).then_some(0),
        Logic::Or => (own != 0).then_some(own),
        Logic::Imp if is_second => (!own != 0).then_some(!own),
        Logic::Imp => (own != 0).then_some(own),
        Logic::Xor | Logic::Eqv => None,
    };
    Ok(decided.map_or(Value::Null, |bits| value(bits, to)))
}

/// Turns a value's bits over.
///
/// # Errors
/// `DISP_E_TYPEMISMATCH`, `DISP_E_OVERFLOW`
pub fn not(operand: &Value, how: How) -> Result<Value, Refused> {
    let to = match operand {
        Value::Null => return Ok(Value::Null),
        Value::Empty => kind::I2,
        Value::Bool(_) => kind::BOOL,
        Value::Integer(kind @ (kind::I2 | kind::I8 | kind::UI1), _) => *kind,
        _ => kind::I4,
    };
    Ok(value(!bits(operand, to, how)?, to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::nls::locale::EN_US;

    #[test]
    fn three_truths() {
        let how = How { locale: &EN_US, flags: 0 };
        let (yes, no) = (Value::Bool(true), Value::Bool(false));
        for (logic, first, second, expected) in [
            (Logic::And, &yes, &Value::Null, &Value::Null),
            (Logic::And, &no, &Value::Null, &no),
            (Logic::Or, &yes, &Value::Null, &yes),
            (Logic::Or, &no, &Value::Null, &Value::Null),
            (Logic::Imp, &Value::Null, &yes, &yes),
            (Logic::Imp, &no, &Value::Null, &yes),
            (Logic::Imp, &yes, &no, &no),
            (Logic::Eqv, &no, &no, &yes),
        ] {
            assert_eq!(
                combine(logic, first, second, how).as_ref(),
                Ok(expected),
                "{logic:?} {first:?} {second:?}"
            );
        }
        assert_eq!(not(&Value::Integer(kind::UI1, 7), how), Ok(Value::Integer(kind::UI1, 248)));
    }
}
