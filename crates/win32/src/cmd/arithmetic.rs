//! `set /a`: 32-bit arithmetic with C's operators. Key item: [`evaluate`].
//!
//! Source: <https://learn.microsoft.com/windows-server/administration/windows-commands/set_1>

/// Why an expression has no value; the texts are Windows'.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// Two operands in a row, or the like.
    #[error("Missing operator.")]
    Operator,
    /// An operator without operand.
    #[error("Missing operand.")]
    Operand,
    /// Parentheses do not match.
    #[error("Unbalanced parenthesis.")]
    Parenthesis,
    /// A division by zero.
    #[error("Divide by zero error.")]
    Zero,
    /// Not a number.
    #[error(
        "Invalid number.  Numeric constants are either decimal (17),\nhexadecimal (0x11), or octal (021)."
    )]
    Number,
}

impl Wrong {
    /// Returns the error level that Windows sets.
    pub fn level(self) -> i32 {
        match self {
            Self::Parenthesis => 1_073_750_988,
            Self::Operator | Self::Operand => 1_073_750_989,
            Self::Number => 1_073_750_991,
            Self::Zero => 1_073_750_993,
        }
    }
}

/// The variables that an expression reads and sets.
pub trait Variables {
    /// Returns a variable's text.
    fn get(&self, name: &str) -> Option<String>;
    /// Sets a variable.
    fn set(&mut self, name: &str, value: i32);
}

/// Evaluates an expression; the value is that of its last part.
///
/// # Errors
/// [`Wrong`].
pub fn evaluate(text: &str, variables: &mut dyn Variables) -> Result<i32, Wrong> {
    // Quotes only protect the text from the interpreter.
    let text: Vec<char> = text.chars().filter(|&c| c != '"').collect();
    let mut parser = Parser { text, at: 0, variables };
    let value = parser.comma()?;
    parser.skip();
    match parser.peek() {
        None => Ok(value),
        Some(')') => Err(Wrong::Parenthesis),
        Some(_) => Err(Wrong::Operator),
    }
}

/// Reads a number as `set /a` does; the text of a variable that is none counts as 0.
fn number(text: &str) -> Option<i32> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let parsed = if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        i64::from(u32::from_str_radix(hex, 16).ok()? as i32)
    } else if digits.len() > 1 && digits.starts_with('0') {
        i64::from_str_radix(&digits[1..], 8).ok()?
    } else {
        digits.parse::<i64>().ok()?
    };
    let value = if negative { -parsed } else { parsed };
    i32::try_from(value).ok()
}

struct Parser<'a> {
    text: Vec<char>,
    at: usize,
    variables: &'a mut dyn Variables,
}

/// Binary operators from the one that binds least to the one that binds most.
const LEVELS: [&[&str]; 6] = [&["|"], &["^"], &["&"], &["<<", ">>"], &["+", "-"], &["*", "/", "%"]];
const ASSIGNMENTS: [&str; 11] = ["<<=", ">>=", "*=", "/=", "%=", "+=", "-=", "&=", "^=", "|=", "="];

fn apply(operator: &str, left: i32, right: i32) -> Result<i32, Wrong> {
    let shift = |shifted: fn(i32, u32) -> i32| match u32::try_from(right) {
        Ok(by) if by < 32 => shifted(left, by),
        _ => 0,
    };
    Ok(match operator {
        "|" => left | right,
        "^" => left ^ right,
        "&" => left & right,
        "<<" => shift(|value, by| value << by),
        ">>" => shift(|value, by| value >> by),
        "+" => left.wrapping_add(right),
        "-" => left.wrapping_sub(right),
        "*" => left.wrapping_mul(right),
        _ if right == 0 => return Err(Wrong::Zero),
        "/" => left.wrapping_div(right),
        _ => left.wrapping_rem(right),
    })
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn skip(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn take(&mut self, token: &str) -> bool {
        self.skip();
        let is_next = token.chars().enumerate().all(|(index, c)| self.text.get(self.at + index) == Some(&c));
        if is_next {
            self.at += token.len();
        }
        is_next
    }

    fn comma(&mut self) -> Result<i32, Wrong> {
        let mut value = self.assignment()?;
        while self.take(",") {
            value = self.assignment()?;
        }
        Ok(value)
    }

    fn name(&mut self) -> Option<String> {
        self.skip();
        let first = self.peek()?;
        let is_part = |c: char| !c.is_whitespace() && !"()!~*/%+-<>&^|=,".contains(c);
        if first.is_ascii_digit() || !is_part(first) {
            return None;
        }
        let start = self.at;
        while self.peek().is_some_and(is_part) {
            self.at += 1;
        }
        Some(self.text[start..self.at].iter().collect())
    }

    fn assignment(&mut self) -> Result<i32, Wrong> {
        let mark = self.at;
        if let Some(name) = self.name() {
            for operator in ASSIGNMENTS {
                if self.take(operator) {
                    let right = self.assignment()?;
                    let before = self.value_of(&name);
                    let value = match operator.strip_suffix('=') {
                        None | Some("") => right,
                        Some(binary) => apply(binary, before, right)?,
                    };
                    self.variables.set(&name, value);
                    return Ok(value);
                }
            }
            self.at = mark;
        }
        self.binary(0)
    }

    fn value_of(&self, name: &str) -> i32 {
        self.variables.get(name).and_then(|text| number(text.trim())).unwrap_or(0)
    }

    fn binary(&mut self, level: usize) -> Result<i32, Wrong> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = self.operator(operators) {
            let right = self.binary(level + 1)?;
            left = apply(operator, left, right)?;
        }
        Ok(left)
    }

    fn operator(&mut self, operators: &[&'static str]) -> Option<&'static str> {
        let mark = self.at;
        let found = operators.iter().copied().find(|operator| self.take(operator))?;
        // The assignment of this operator is another thing.
        if self.peek() == Some('=') {
            self.at = mark;
            return None;
        }
        Some(found)
    }

    fn unary(&mut self) -> Result<i32, Wrong> {
        self.skip();
        match self.peek() {
            None => Err(Wrong::Operand),
            Some('-') => self.after_sign(i32::wrapping_neg),
            Some('+') => self.after_sign(|value| value),
            Some('~') => self.after_sign(|value| !value),
            Some('!') => self.after_sign(|value| i32::from(value == 0)),
            Some('(') => {
                self.at += 1;
                let value = self.comma()?;
                if self.take(")") { Ok(value) } else { Err(Wrong::Parenthesis) }
            }
            Some(c) if c.is_ascii_digit() => {
                let start = self.at;
                while self.peek().is_some_and(|c| c.is_ascii_alphanumeric()) {
                    self.at += 1;
                }
                let text: String = self.text[start..self.at].iter().collect();
                number(&text).ok_or(Wrong::Number)
            }
            Some(_) => match self.name() {
                Some(name) => Ok(self.value_of(&name)),
                None => Err(Wrong::Operand),
            },
        }
    }

    fn after_sign(&mut self, apply: fn(i32) -> i32) -> Result<i32, Wrong> {
        self.at += 1;
        self.unary().map(apply)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    impl Variables for HashMap<String, i32> {
        fn get(&self, name: &str) -> Option<String> {
            HashMap::get(self, name).map(i32::to_string)
        }
        fn set(&mut self, name: &str, value: i32) {
            self.insert(name.to_owned(), value);
        }
    }

    #[test]
    fn expressions_have_cs_values() {
        for (text, expected) in [
            ("1+2*3", Ok(7)),
            ("(1+2)*3", Ok(9)),
            ("-7/2", Ok(-3)),
            ("-7%3", Ok(-1)),
            ("0x10+010", Ok(24)),
            ("1<<4|3", Ok(19)),
            ("~0 & 0xff ^ 1", Ok(254)),
            ("!5+!0", Ok(1)),
            ("a=5,b=a*2,a+b", Ok(15)),
            ("c=d=4", Ok(4)),
            ("c+=1", Ok(5)),
            ("c<<=2", Ok(20)),
            ("none", Ok(0)),
            ("2147483647+1", Ok(i32::MIN)),
            ("1/0", Err(Wrong::Zero)),
            ("1+", Err(Wrong::Operand)),
            ("(1", Err(Wrong::Parenthesis)),
            ("1 2", Err(Wrong::Operator)),
            ("08", Err(Wrong::Number)),
            ("\"6 * 7\"", Ok(42)),
        ] {
            let mut variables = HashMap::from([("c".to_owned(), 0)]);
            if text.starts_with("c") && text != "c=d=4" {
                variables.insert("c".into(), if text == "c+=1" { 4 } else { 5 });
            }
            assert_eq!(evaluate(text, &mut variables), expected, "{text}");
        }
    }
}
