//! The msvcrt scanf family: input and a format → values stored through the guest's pointers.
//!
//! Units are UTF-16 units for the wide family, bytes for the narrow one; both arrive as `u16`. One unit of look-ahead
//! is enough, so the input may be a stream with one push-back.
//!
//! Source: <https://learn.microsoft.com/cpp/c-runtime-library/format-specification-fields-scanf-and-wscanf-functions>

use super::number::{read_float, read_integer, standard_point};

/// Where the units come from.
pub trait Input {
    /// Returns the next unit without consuming it; `None` at the end.
    fn peek(&mut self) -> Option<u16>;
    /// Consumes the unit that `peek` returned.
    fn advance(&mut self);
}

/// Where the values go. `Error` is what a bad guest pointer yields.
#[expect(
    clippy::missing_errors_doc,
    reason = "the implementer chooses the error: a failed access to guest memory"
)]
pub trait Targets {
    /// The error of a failed read or store.
    type Error;
    /// Reads the next pointer argument.
    fn pointer(&mut self) -> Result<u64, Self::Error>;
    /// Reads the next `unsigned` argument: a buffer size, for the `_s` functions.
    fn size(&mut self) -> Result<u32, Self::Error>;
    /// Stores bytes.
    fn store(&mut self, address: u64, bytes: &[u8]) -> Result<(), Self::Error>;
    /// Converts input units to the bytes of a narrow string.
    fn to_narrow(&self, units: &[u16]) -> Vec<u8>;
    /// Converts input units to UTF-16.
    fn to_wide(&self, units: &[u16]) -> Vec<u16>;
}

/// The variant of the family.
#[derive(Clone, Copy, Debug)]
pub struct ScanOptions {
    /// `wscanf`: `%s` and `%c` store wide text.
    pub wide: bool,
    /// `scanf_s`: text conversions take a buffer size after their pointer.
    pub secure: bool,
    /// Bytes of a pointer: 4 or 8.
    pub pointer_size: u8,
    /// The decimal point of the locale.
    pub decimal_point: u8,
}

/// One specification.
#[derive(Clone, Copy, Debug, Default)]
struct Spec {
    suppress: bool,
    width: Option<usize>,
    /// `h`s minus `l`s: -2 is `ll` or `I64`, 1 is `h`, 2 is `hh`.
    shorter: i8,
    pointer_sized: bool,
}

/// Scans `input` by `format`. Returns the count of values stored, or -1 (`EOF`) when the input ended before the first.
///
/// # Errors
/// The first error of `targets`.
pub fn scan<T: Targets>(
    format: &[u16],
    input: &mut impl Input,
    targets: &mut T,
    options: ScanOptions,
) -> Result<i32, T::Error> {
    let mut scanner = Scanner { input, targets, options, read: 0, overflowed: false };
    let mut stored = 0;
    let mut at = 0;
    while let Some(&unit) = format.get(at) {
        at += 1;
        if is_space(unit) {
            scanner.skip_spaces();
            continue;
        }
        let is_conversion = unit == u16::from(b'%') && format.get(at) != Some(&u16::from(b'%'));
        if !is_conversion {
            at += usize::from(unit == u16::from(b'%'));
            if scanner.take_if(|next| next == unit).is_none() {
                return Ok(scanner.end(stored));
            }
            continue;
        }
        let (spec, next) = parse(format, at);
        let Some(letter) = format.get(next).map(|&unit| u8::try_from(unit).unwrap_or(0)) else { break };
        at = next + 1;
        let set = if letter == b'[' { parse_set(format, &mut at) } else { Vec::new() };
        match scanner.convert(letter, spec, &set)? {
            true => stored += i32::from(!spec.suppress && letter != b'n'),
            false => return Ok(scanner.end(stored)),
        }
    }
    Ok(stored)
}

fn parse(format: &[u16], mut at: usize) -> (Spec, usize) {
    let mut spec = Spec::default();
    let peek = |at: usize| format.get(at).and_then(|&unit| u8::try_from(unit).ok()).unwrap_or(0);
    if peek(at) == b'*' {
        (spec.suppress, at) = (true, at + 1);
    }
    while peek(at).is_ascii_digit() {
        let digit = usize::from(peek(at) - b'0');
        spec.width = Some(spec.width.unwrap_or(0).saturating_mul(10).saturating_add(digit));
        at += 1;
    }
    loop {
        match (peek(at), peek(at + 1), peek(at + 2)) {
            (b'I', b'6', b'4') => (spec.shorter, at) = (-2, at + 3),
            (b'I', b'3', b'2') => at += 3,
            (b'I' | b'z' | b't', ..) => (spec.pointer_sized, at) = (true, at + 1),
            (b'h', ..) => (spec.shorter, at) = (spec.shorter.saturating_add(1), at + 1),
            (b'j', ..) => (spec.shorter, at) = (-2, at + 1),
            (b'l' | b'L' | b'w', ..) => (spec.shorter, at) = (spec.shorter.saturating_sub(1), at + 1),
            _ => return (spec, at),
        }
    }
}

/// Reads a set such as `^a-z]` as ranges; the first entry tells whether it is negated.
fn parse_set(format: &[u16], at: &mut usize) -> Vec<(u16, u16)> {
    let negated = format.get(*at) == Some(&u16::from(b'^'));
    *at += usize::from(negated);
    let mut set = vec![(u16::from(negated), 0)];
    let mut is_first = true;
    while let Some(&unit) = format.get(*at) {
        *at += 1;
        // A bracket that comes first is a member.
        if unit == u16::from(b']') && !is_first {
            break;
        }
        is_first = false;
        match format.get(*at..*at + 2) {
            Some(&[dash, end]) if dash == u16::from(b'-') && end != u16::from(b']') => {
                set.push((unit.min(end), unit.max(end)));
                *at += 2;
            }
            _ => set.push((unit, unit)),
        }
    }
    set
}

fn is_space(unit: u16) -> bool {
    matches!(unit, 32 | 9..=13)
}

struct Scanner<'a, I: Input, T: Targets> {
    input: &'a mut I,
    targets: &'a mut T,
    options: ScanOptions,
    read: u32,
    /// Whether a text did not fit its buffer: then the end of the input is not why scanning stopped.
    overflowed: bool,
}

impl<I: Input, T: Targets> Scanner<'_, I, T> {
    /// Returns the result when matching stops.
    fn end(&mut self, stored: i32) -> i32 {
        if stored == 0 && !self.overflowed && self.input.peek().is_none() { -1 } else { stored }
    }

    fn take_if(&mut self, accept: impl FnOnce(u16) -> bool) -> Option<u16> {
        let unit = self.input.peek().filter(|&unit| accept(unit))?;
        self.input.advance();
        self.read += 1;
        Some(unit)
    }

    fn skip_spaces(&mut self) {
        while self.take_if(is_space).is_some() {}
    }

    /// Performs one conversion; false when the input does not match.
    fn convert(&mut self, letter: u8, spec: Spec, set: &[(u16, u16)]) -> Result<bool, T::Error> {
        if !matches!(letter, b'c' | b'C' | b'[' | b'n') {
            self.skip_spaces();
        }
        match letter {
            b'd' => self.integer(10, true, spec),
            b'i' => self.integer(0, true, spec),
            b'u' => self.integer(10, false, spec),
            b'o' => self.integer(8, false, spec),
            b'x' | b'X' => self.integer(16, false, spec),
            b'p' => self.integer(16, false, Spec { pointer_sized: true, shorter: 0, ..spec }),
            b'e' | b'E' | b'f' | b'g' | b'G' => self.float(spec),
            b's' | b'S' | b'c' | b'C' | b'[' => self.text(letter, spec, set),
            b'n' if spec.suppress => Ok(true),
            b'n' => self.store_integer(i128::from(self.read), spec).map(|()| true),
            _ => Ok(false),
        }
    }

    fn integer(&mut self, base: u32, signed: bool, spec: Spec) -> Result<bool, T::Error> {
        let width = spec.width.unwrap_or(usize::MAX);
        let mut text: Vec<u8> = Vec::new();
        while text.len() < width {
            let accept =
                |unit: u16| u8::try_from(unit).is_ok_and(|byte| continues_integer(&text, byte, base));
            let Some(unit) = self.take_if(accept) else { break };
            text.push(unit as u8);
        }
        let bits = 8 * self.integer_size(spec).max(4) as u32;
        match read_integer(&text, base, bits, signed).filter(|number| number.length > 0) {
            Some(number) if !spec.suppress => self.store_integer(number.value, spec).map(|()| true),
            number => Ok(number.is_some()),
        }
    }

    fn float(&mut self, spec: Spec) -> Result<bool, T::Error> {
        let point = self.options.decimal_point;
        let width = spec.width.unwrap_or(usize::MAX);
        let mut text: Vec<u8> = Vec::new();
        while text.len() < width {
            let byte = |unit: u16| u8::try_from(unit).map_or(0, |byte| standard_point(byte, point));
            let Some(unit) = self.take_if(|unit| continues_float(&text, byte(unit))) else { break };
            text.push(byte(unit));
        }
        let number = read_float(&text);
        if number.length == 0 || spec.suppress {
            return Ok(number.length > 0);
        }
        let address = self.targets.pointer()?;
        let double = number.value.to_le_bytes();
        let single = (number.value as f32).to_le_bytes();
        self.targets.store(address, if spec.shorter < 0 { &double } else { &single })?;
        Ok(true)
    }

    fn text(&mut self, letter: u8, spec: Spec, set: &[(u16, u16)]) -> Result<bool, T::Error> {
        let is_character = matches!(letter, b'c' | b'C');
        let width = spec.width.unwrap_or(if is_character { 1 } else { usize::MAX });
        let accept = |unit: u16| match letter {
            b'c' | b'C' => true,
            b's' | b'S' => !is_space(unit),
            _ => set[1..].iter().any(|&(first, last)| (first..=last).contains(&unit)) != (set[0].0 == 1),
        };
        let mut units = Vec::new();
        while units.len() < width
            && let Some(unit) = self.take_if(accept)
        {
            units.push(unit);
        }
        if units.is_empty() || is_character && units.len() < width {
            return Ok(false);
        }
        if spec.suppress {
            return Ok(true);
        }
        self.store_text(&units, letter, spec)
    }

    fn store_text(&mut self, units: &[u16], letter: u8, spec: Spec) -> Result<bool, T::Error> {
        let address = self.targets.pointer()?;
        let capacity = if self.options.secure { Some(self.targets.size()? as usize) } else { None };
        let terminator = usize::from(!matches!(letter, b'c' | b'C'));
        let is_wide = match spec.shorter {
            0 => self.options.wide != matches!(letter, b'S' | b'C'),
            shorter => shorter < 0,
        };
        let mut bytes = Vec::new();
        let length;
        if is_wide {
            let wide = self.targets.to_wide(units);
            length = wide.len();
            bytes.extend(wide.iter().flat_map(|unit| unit.to_le_bytes()));
        } else {
            bytes = self.targets.to_narrow(units);
            length = bytes.len();
        }
        bytes.extend(std::iter::repeat_n(0, terminator * if is_wide { 2 } else { 1 }));
        // The secure functions fail rather than cut, and leave an empty string.
        if capacity.is_some_and(|capacity| length + terminator > capacity) {
            self.overflowed = true;
            if capacity != Some(0) {
                self.targets.store(address, if is_wide { &[0, 0] } else { &[0] })?;
            }
            return Ok(false);
        }
        self.targets.store(address, &bytes)?;
        Ok(true)
    }

    fn integer_size(&self, spec: Spec) -> usize {
        match spec.shorter {
            _ if spec.pointer_sized => usize::from(self.options.pointer_size).min(8),
            ..=-2 => 8,
            1 => 2,
            2.. => 1,
            _ => 4,
        }
    }

    fn store_integer(&mut self, value: i128, spec: Spec) -> Result<(), T::Error> {
        let address = self.targets.pointer()?;
        let size = self.integer_size(spec);
        self.targets.store(address, &value.to_le_bytes()[..size])
    }
}

/// Tells whether `byte` can follow `text` in an integer.
fn continues_integer(text: &[u8], byte: u8, base: u32) -> bool {
    let digits = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    let is_hex = base == 16 || base == 0 && digits.len() >= 2 && digits[1].eq_ignore_ascii_case(&b'x');
    let base = match base {
        _ if is_hex => 16,
        0 if digits.first() == Some(&b'0') => 8,
        0 => 10,
        other => other,
    };
    match byte {
        b'+' | b'-' => text.is_empty(),
        b'x' | b'X' => (base == 16 || base == 8) && digits == b"0",
        _ => char::from(byte).is_digit(base),
    }
}

/// Tells whether `byte` can follow `text` in a floating-point number.
fn continues_float(text: &[u8], byte: u8) -> bool {
    let exponent = text.iter().position(|byte| byte.eq_ignore_ascii_case(&b'e'));
    match byte {
        b'0'..=b'9' => true,
        b'+' | b'-' => text.is_empty() || exponent == Some(text.len() - 1),
        b'.' => exponent.is_none() && !text.contains(&b'.'),
        b'e' | b'E' => exponent.is_none() && text.iter().any(u8::is_ascii_digit),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Text(Vec<u16>, usize);

    impl Input for Text {
        fn peek(&mut self) -> Option<u16> {
            self.0.get(self.1).copied()
        }
        fn advance(&mut self) {
            self.1 += 1;
        }
    }

    /// Records what is stored; pointers are 0x10, 0x20, …
    struct Record(Vec<Vec<u8>>, u64);

    impl Targets for Record {
        type Error = ();
        fn pointer(&mut self) -> Result<u64, ()> {
            self.1 += 0x10;
            Ok(self.1)
        }
        fn size(&mut self) -> Result<u32, ()> {
            Ok(4)
        }
        fn store(&mut self, _: u64, bytes: &[u8]) -> Result<(), ()> {
            self.0.push(bytes.to_vec());
            Ok(())
        }
        fn to_narrow(&self, units: &[u16]) -> Vec<u8> {
            units.iter().map(|&unit| unit as u8).collect()
        }
        fn to_wide(&self, units: &[u16]) -> Vec<u16> {
            units.to_vec()
        }
    }

    fn run(input: &str, format: &str, secure: bool) -> (i32, Vec<Vec<u8>>) {
        let wide = |text: &str| text.encode_utf16().collect::<Vec<_>>();
        let mut record = Record(Vec::new(), 0);
        let options = ScanOptions { wide: false, secure, pointer_size: 8, decimal_point: b'.' };
        let count = scan(&wide(format), &mut Text(wide(input), 0), &mut record, options);
        (count.unwrap(), record.0)
    }

    #[test]
    fn inputs_scan_as_documented() {
        let int = |value: i32| value.to_le_bytes().to_vec();
        let text = |text: &str| text.as_bytes().to_vec();
        let cases = [
            ("12 -7", "%d %d", 2, vec![int(12), int(-7)]),
            ("12abc", "%2d%[a-c]", 2, vec![int(12), text("abc\0")]),
            ("0x1f", "%i", 1, vec![int(31)]),
            ("ff", "%x", 1, vec![int(255)]),
            ("3.5e1", "%lf", 1, vec![35f64.to_le_bytes().to_vec()]),
            ("3.5", "%f", 1, vec![3.5f32.to_le_bytes().to_vec()]),
            ("  word next", "%s", 1, vec![text("word\0")]),
            ("ab", "%c%c", 2, vec![text("a"), text("b")]),
            ("1,2", "%*d,%hd", 1, vec![vec![2, 0]]),
            ("x]y", "%[^]]", 1, vec![text("x\0")]),
            ("5", "%I64d", 1, vec![5i64.to_le_bytes().to_vec()]),
            ("5%6", "%d%%%n", 1, vec![int(5), int(2)]),
            ("abc", "%d", 0, vec![]),
            ("", "%d", -1, vec![]),
            ("7", "%d %d", 1, vec![int(7)]),
            ("99999999999", "%d", 1, vec![int(i32::MAX)]),
            ("a", "%ls", 1, vec![vec![0x61, 0, 0, 0]]),
        ];
        for (input, format, count, stored) in cases {
            assert_eq!(run(input, format, false), (count, stored), "{input:?} by {format}");
        }
    }

    #[test]
    fn secure_variant_refuses_what_does_not_fit() {
        assert_eq!(run("abc", "%s", true), (1, vec![b"abc\0".to_vec()]));
        assert_eq!(run("abcd", "%s", true).1, vec![b"\0".to_vec()]);
    }
}
