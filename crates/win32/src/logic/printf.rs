//! The msvcrt printf family: a format and a source of arguments → text, narrow or wide.
//!
//! [`format_text`] works on UTF-16 units or on bytes (the trait [`Unit`]); what `%s` means follows from that.
//! Numbers are rounded exactly at any precision, by the standard library's exact decimal expansion.
//!
//! Source: <https://learn.microsoft.com/cpp/c-runtime-library/format-specification-syntax-printf-and-wprintf-functions>

mod float;
mod positional;

pub use positional::{format_double, format_positional};

/// The C runtime whose format of exponents, infinities and `%n` applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// `msvcrt.dll`: `1.0e+001`, `1.#INF`; `%n` works, `%F` does not exist, `%hs`/`%ls` as documented.
    Msvcrt,
    /// The Universal CRT: `1.0e+01`, `inf`, `nan`.
    Ucrt,
}

/// What the formatter needs to know of its surroundings.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The C runtime to follow.
    pub runtime: Runtime,
    /// Bytes of a pointer: 4 or 8.
    pub pointer_size: u8,
    /// Whether `%s` in a wide format is a narrow string, as ISO C has it; Windows' own rule is the family's width.
    pub iso_wide: bool,
    /// Whether `%n` stores; otherwise it is an invalid parameter.
    pub counts: bool,
    /// The decimal point of the locale.
    pub decimal_point: u8,
    /// Whether exponents have at least three digits even in the Universal CRT.
    pub three_digits: bool,
}

impl Options {
    /// Returns the options of a runtime without any of its switches.
    pub const fn of(runtime: Runtime, pointer_size: u8) -> Self {
        let counts = matches!(runtime, Runtime::Msvcrt);
        Self { runtime, pointer_size, iso_wide: false, counts, three_digits: counts, decimal_point: b'.' }
    }
}

/// The arguments of a call, read one after the other from guest memory. `Error` is what a failed read yields.
#[expect(
    clippy::missing_errors_doc,
    reason = "the implementer chooses the error: a failed access to guest memory"
)]
pub trait Arguments {
    /// The error of a failed read.
    type Error;
    /// Reads an `int` (promoted `char` and `short` too).
    fn int32(&mut self) -> Result<u32, Self::Error>;
    /// Reads an `__int64`.
    fn int64(&mut self) -> Result<u64, Self::Error>;
    /// Reads a pointer, or a `size_t`.
    fn pointer(&mut self) -> Result<u64, Self::Error>;
    /// Reads a `double`.
    fn double(&mut self) -> Result<f64, Self::Error>;
    /// Reads the bytes at `address` up to the terminator, or at most `max` of them.
    fn narrow_string(&mut self, address: u64, max: Option<usize>) -> Result<Vec<u8>, Self::Error>;
    /// Reads the UTF-16 units at `address` up to the terminator, or at most `max` of them.
    fn wide_string(&mut self, address: u64, max: Option<usize>) -> Result<Vec<u16>, Self::Error>;
    /// Stores the count of units written so far at `address`, in `size` bytes: `%n`.
    fn store_count(&mut self, address: u64, count: u64, size: u8) -> Result<(), Self::Error>;
    /// Converts bytes of the locale's code page to UTF-16.
    fn widen(&self, text: &[u8]) -> Vec<u16>;
    /// Converts UTF-16 to the locale's code page.
    fn narrow(&self, text: &[u16]) -> Vec<u8>;
}

/// A unit of the format and the output: `u8` for printf, `u16` for wprintf.
pub trait Unit: Copy + From<u8> + PartialEq {
    /// Whether this is the wide family, where `%s` is a wide string.
    const IS_WIDE: bool;
    /// Returns the unit as ASCII, if it is.
    fn ascii(self) -> Option<u8>;
    /// Makes output of bytes in the locale's code page.
    fn from_narrow<A: Arguments>(arguments: &A, text: Vec<u8>) -> Vec<Self>;
    /// Makes output of UTF-16.
    fn from_wide<A: Arguments>(arguments: &A, text: Vec<u16>) -> Vec<Self>;
}

impl Unit for u8 {
    const IS_WIDE: bool = false;
    fn ascii(self) -> Option<u8> {
        self.is_ascii().then_some(self)
    }
    fn from_narrow<A: Arguments>(_: &A, text: Vec<u8>) -> Vec<u8> {
        text
    }
    fn from_wide<A: Arguments>(arguments: &A, text: Vec<u16>) -> Vec<u8> {
        arguments.narrow(&text)
    }
}

impl Unit for u16 {
    const IS_WIDE: bool = true;
    fn ascii(self) -> Option<u8> {
        u8::try_from(self).ok().filter(u8::is_ascii)
    }
    fn from_narrow<A: Arguments>(arguments: &A, text: Vec<u8>) -> Vec<u16> {
        arguments.widen(&text)
    }
    fn from_wide<A: Arguments>(_: &A, text: Vec<u16>) -> Vec<u16> {
        text
    }
}

/// The size prefix of a specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
enum Size {
    #[default]
    None,
    Char,
    /// `h`: a `short`, or a narrow string.
    Short,
    /// `l`: a `long` (32 bits), or a wide string.
    Long,
    /// `w`: a wide string.
    Wide,
    Int64,
    /// `I`, `z`, `t`: as wide as a pointer.
    Pointer,
}

/// One parsed specification.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spec {
    left: bool,
    plus: bool,
    space: bool,
    zero: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
    size: Size,
}

/// Widths and precisions beyond this are cut to it: a format cannot make the host allocate gigabytes.
const FIELD_MAX: usize = 1 << 20;

/// Formats `format` (without its terminator) with `arguments`, and returns the text.
///
/// # Errors
/// The first error of `arguments`.
pub fn format_text<U: Unit, A: Arguments>(
    format: &[U],
    arguments: &mut A,
    options: Options,
) -> Result<Vec<U>, A::Error> {
    let mut output = Vec::with_capacity(format.len() + 16);
    let mut at = 0;
    while at < format.len() {
        let unit = format[at];
        at += 1;
        if unit.ascii() != Some(b'%') {
            output.push(unit);
            continue;
        }
        let (spec, next) = parse(format, at, arguments)?;
        let Some(&conversion) = format.get(next) else { break };
        at = next + 1;
        match conversion.ascii() {
            Some(letter) if convert(letter, spec, &mut output, arguments, options)? => {}
            // An unknown conversion prints its own character, as msvcrt does; `%%` too.
            _ => output.push(conversion),
        }
    }
    Ok(output)
}

/// Reads flags, width, precision and size from `format[at..]`. Returns the index of the conversion.
fn parse<U: Unit, A: Arguments>(
    format: &[U],
    mut at: usize,
    arguments: &mut A,
) -> Result<(Spec, usize), A::Error> {
    let mut spec = Spec::default();
    let peek = |at: usize| format.get(at).and_then(|unit| unit.ascii());
    loop {
        match peek(at) {
            Some(b'-') => spec.left = true,
            Some(b'+') => spec.plus = true,
            Some(b' ') => spec.space = true,
            Some(b'0') => spec.zero = true,
            Some(b'#') => spec.alternate = true,
            _ => break,
        }
        at += 1;
    }
    let (width, next) = parse_number(format, at, arguments)?;
    at = next;
    spec.left |= width < 0;
    spec.width = (width.unsigned_abs() as usize).min(FIELD_MAX);
    if peek(at) == Some(b'.') {
        let (precision, next) = parse_number(format, at + 1, arguments)?;
        at = next;
        // A negative precision counts as none.
        spec.precision = usize::try_from(precision).ok().map(|precision| precision.min(FIELD_MAX));
    }
    loop {
        let (size, length) = match (peek(at), peek(at + 1), peek(at + 2)) {
            (Some(b'I'), Some(b'6'), Some(b'4')) => (Size::Int64, 3),
            (Some(b'I'), Some(b'3'), Some(b'2')) => (Size::Long, 3),
            (Some(b'I' | b'z' | b't'), ..) => (Size::Pointer, 1),
            (Some(b'l'), Some(b'l'), _) => (Size::Int64, 2),
            (Some(b'h'), Some(b'h'), _) => (Size::Char, 2),
            (Some(b'j'), ..) => (Size::Int64, 1),
            (Some(b'l' | b'L'), ..) => (Size::Long, 1),
            (Some(b'h'), ..) => (Size::Short, 1),
            (Some(b'w'), ..) => (Size::Wide, 1),
            _ => return Ok((spec, at)),
        };
        spec.size = size;
        at += length;
    }
}

/// Reads digits or `*`; 0 when there is neither.
fn parse_number<U: Unit, A: Arguments>(
    format: &[U],
    mut at: usize,
    arguments: &mut A,
) -> Result<(i32, usize), A::Error> {
    let peek = |at: usize| format.get(at).and_then(|unit| unit.ascii());
    if peek(at) == Some(b'*') {
        return Ok((arguments.int32()? as i32, at + 1));
    }
    let mut value = 0i32;
    while let Some(digit @ b'0'..=b'9') = peek(at) {
        value = value.saturating_mul(10).saturating_add(i32::from(digit - b'0'));
        at += 1;
    }
    Ok((value, at))
}

/// Appends one conversion; false when the letter is not one.
fn convert<U: Unit, A: Arguments>(
    letter: u8,
    spec: Spec,
    output: &mut Vec<U>,
    arguments: &mut A,
    options: Options,
) -> Result<bool, A::Error> {
    match letter {
        b'd' | b'i' => {
            let value = read_integer(spec.size, arguments, options, true)? as i64;
            put_integer(output, spec, value < 0, true, value.unsigned_abs().to_string(), "");
        }
        b'u' | b'o' | b'x' | b'X' => {
            let value = read_integer(spec.size, arguments, options, false)?;
            let (digits, prefix) = match letter {
                b'u' => (value.to_string(), ""),
                b'o' => (format!("{value:o}"), "0"),
                b'x' => (format!("{value:x}"), "0x"),
                _ => (format!("{value:X}"), "0X"),
            };
            let prefix = if spec.alternate && value != 0 { prefix } else { "" };
            put_integer(output, spec, false, false, digits, prefix);
        }
        b'p' => {
            let digits =
                format!("{:0width$X}", arguments.pointer()?, width = 2 * usize::from(options.pointer_size));
            put_integer(output, Spec { precision: None, ..spec }, false, false, digits, "");
        }
        b'e' | b'E' | b'f' | b'F' | b'g' | b'G' | b'a' | b'A' => {
            let number = float::format(arguments.double()?, letter, &spec, options);
            let digits = match options.decimal_point {
                b'.' => number.digits,
                point => number.digits.replace('.', char::from(point).encode_utf8(&mut [0; 4])),
            };
            put_number(output, &spec, &number.sign, &digits, spec.zero && number.is_finite);
        }
        b'c' | b'C' => put_character(letter, spec, output, arguments, options)?,
        b's' | b'S' => put_string(letter, spec, output, arguments, options)?,
        b'n' => {
            let address = arguments.pointer()?;
            let size = match spec.size {
                Size::Char => 1,
                Size::Short => 2,
                Size::Int64 => 8,
                _ => 4,
            };
            if options.counts {
                arguments.store_count(address, output.len() as u64, size)?;
            }
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn read_integer<A: Arguments>(
    size: Size,
    arguments: &mut A,
    options: Options,
    signed: bool,
) -> Result<u64, A::Error> {
    let is_64 = size == Size::Int64 || size == Size::Pointer && options.pointer_size == 8;
    if is_64 {
        return arguments.int64();
    }
    let value = arguments.int32()?;
    Ok(match (size, signed) {
        (Size::Char, true) => value as i8 as u64,
        (Size::Char, false) => u64::from(value as u8),
        (Size::Short, true) => value as i16 as u64,
        (Size::Short, false) => u64::from(value as u16),
        (_, true) => value as i32 as u64,
        (_, false) => u64::from(value),
    })
}

fn put_integer<U: Unit>(
    output: &mut Vec<U>,
    spec: Spec,
    negative: bool,
    signed: bool,
    digits: String,
    prefix: &str,
) {
    let digits = match spec.precision {
        Some(0) if digits == "0" => String::new(),
        Some(precision) => format!("{digits:0>precision$}"),
        None => digits,
    };
    // `#o` promises one leading zero, not two.
    let octal = prefix == "0" && digits.starts_with('0');
    let prefix = if octal { "" } else { prefix };
    let sign = if signed { sign_text(negative, &spec) } else { "" };
    put_number(output, &spec, &format!("{sign}{prefix}"), &digits, spec.zero && spec.precision.is_none());
}

/// Returns the sign to print before a signed number.
fn sign_text(negative: bool, spec: &Spec) -> &'static str {
    match (negative, spec.plus, spec.space) {
        (true, ..) => "-",
        (_, true, _) => "+",
        (_, _, true) => " ",
        _ => "",
    }
}

/// Appends sign and digits, padded to the width: by zeros between them or by spaces around.
fn put_number<U: Unit>(output: &mut Vec<U>, spec: &Spec, sign: &str, digits: &str, zeros: bool) {
    let padding = spec.width.saturating_sub(sign.len() + digits.len());
    let zeros = zeros && !spec.left;
    let pad = |output: &mut Vec<U>, wanted: bool, byte: u8| {
        output.extend(std::iter::repeat_n(U::from(byte), if wanted { padding } else { 0 }));
    };
    pad(output, !spec.left && !zeros, b' ');
    output.extend(sign.bytes().map(U::from));
    pad(output, zeros, b'0');
    output.extend(digits.bytes().map(U::from));
    pad(output, spec.left, b' ');
}

/// Tells whether the text argument of `%c` or `%s` (`%C`, `%S`) is wide.
fn is_wide<U: Unit>(letter: u8, size: Size, options: Options) -> bool {
    match size {
        Size::None if options.iso_wide && matches!(letter, b'c' | b's') => false,
        Size::Short | Size::Char => false,
        Size::Long | Size::Wide => true,
        // The capital means the other kind than the function's own.
        _ => U::IS_WIDE != matches!(letter, b'C' | b'S'),
    }
}

fn put_character<U: Unit, A: Arguments>(
    letter: u8,
    spec: Spec,
    output: &mut Vec<U>,
    arguments: &mut A,
    options: Options,
) -> Result<(), A::Error> {
    let value = arguments.int32()?;
    let text = if is_wide::<U>(letter, spec.size, options) {
        U::from_wide(arguments, vec![value as u16])
    } else {
        U::from_narrow(arguments, vec![value as u8])
    };
    put_text(output, &spec, text);
    Ok(())
}

fn put_string<U: Unit, A: Arguments>(
    letter: u8,
    spec: Spec,
    output: &mut Vec<U>,
    arguments: &mut A,
    options: Options,
) -> Result<(), A::Error> {
    let address = arguments.pointer()?;
    let max = spec.precision;
    let wide = is_wide::<U>(letter, spec.size, options);
    let cut = |mut text: Vec<U>| {
        text.truncate(max.unwrap_or(usize::MAX));
        text
    };
    let text = if address == 0 {
        cut(b"(null)".iter().map(|&byte| U::from(byte)).collect())
    } else if wide {
        let text = arguments.wide_string(address, max)?;
        cut(U::from_wide(arguments, text))
    } else {
        let text = arguments.narrow_string(address, max)?;
        cut(U::from_narrow(arguments, text))
    };
    put_text(output, &spec, text);
    Ok(())
}

fn put_text<U: Unit>(output: &mut Vec<U>, spec: &Spec, text: Vec<U>) {
    let padding = spec.width.saturating_sub(text.len());
    // msvcrt pads text with zeros too when asked to.
    let fill = U::from(if spec.zero && !spec.left { b'0' } else { b' ' });
    if !spec.left {
        output.extend(std::iter::repeat_n(fill, padding));
    }
    output.extend(text);
    if spec.left {
        output.extend(std::iter::repeat_n(fill, padding));
    }
}

#[cfg(test)]
mod tests;
