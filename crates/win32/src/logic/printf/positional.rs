//! Formats with numbered arguments, `%2$s %1$*3$d`: the `_p` functions.
//!
//! A numbered format is made into a plain one and the order in which that takes its arguments. What kinds they have is found by
//! formatting once with a recorder; then the arguments are read from first to last, and handed out in the format's order.
//!
//! Source: <https://learn.microsoft.com/cpp/c-runtime-library/printf-p-positional-parameters>

use super::{Arguments, Options, Unit, format_text};

/// Arguments with higher numbers are not known: `_ARGMAX`.
const MOST: usize = 100;

/// The kind of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Int32,
    Int64,
    Pointer,
    Double,
}

/// Formats text whose arguments may be numbered; `None` for a format that numbers some and not all, leaves a number out, or
/// takes one argument in two ways.
///
/// # Errors
/// The first error of `arguments`.
pub fn format_positional<U: Unit, A: Arguments>(
    format: &[U],
    arguments: &mut A,
    options: Options,
) -> Result<Option<Vec<U>>, A::Error> {
    let Some((plain, order)) = strip(format) else { return Ok(None) };
    let mut recorder = Recorder(Vec::new());
    let Ok(_) = format_text(&plain, &mut recorder, options);
    if order.is_empty() {
        return format_text(format, arguments, options).map(Some);
    }
    let Some(kinds) = kinds(&order, &recorder.0) else { return Ok(None) };
    let mut values = Vec::with_capacity(kinds.len());
    for kind in kinds {
        values.push(match kind {
            Kind::Int32 => arguments.int32()?.into(),
            Kind::Int64 => arguments.int64()?,
            Kind::Pointer => arguments.pointer()?,
            Kind::Double => arguments.double()?.to_bits(),
        });
    }
    let values = order.iter().map(|&index| values[index]).collect::<Vec<u64>>().into_iter();
    format_text(&plain, &mut Ordered { inner: arguments, values }, options).map(Some)
}

/// Formats text that takes one double.
pub fn format_double<U: Unit>(format: &[U], value: f64, options: Options) -> Vec<U> {
    let mut none = Recorder(Vec::new());
    let mut arguments = Ordered { inner: &mut none, values: vec![value.to_bits()].into_iter() };
    let Ok(text) = format_text(format, &mut arguments, options);
    text
}

/// Returns the kinds of the arguments from first to last.
fn kinds(order: &[usize], taken: &[Kind]) -> Option<Vec<Kind>> {
    let count = order.iter().max()? + 1;
    let mut kinds = vec![None; count];
    if order.len() != taken.len() {
        return None;
    }
    for (&index, &kind) in order.iter().zip(taken) {
        match kinds[index] {
            None => kinds[index] = Some(kind),
            Some(known) if known == kind => {}
            Some(_) => return None,
        }
    }
    kinds.into_iter().collect()
}

/// Removes the numbers; returns them in the order in which a plain format takes arguments.
fn strip<U: Unit>(format: &[U]) -> Option<(Vec<U>, Vec<usize>)> {
    let (mut plain, mut order, mut at) = (Vec::with_capacity(format.len()), Vec::new(), 0);
    let (mut numbered, mut unnumbered) = (0, 0);
    let ascii = |at: usize| format.get(at).and_then(|unit| unit.ascii());
    while at < format.len() {
        plain.push(format[at]);
        at += 1;
        if ascii(at - 1) != Some(b'%') {
            continue;
        }
        if ascii(at) == Some(b'%') {
            plain.push(format[at]);
            at += 1;
            continue;
        }
        // The value comes behind the width and the precision, though its number stands first.
        let (value, next) = number(format, at);
        at = next;
        // Up to the conversion: a letter that is no size.
        while let Some(letter) = ascii(at).filter(|letter| !is_conversion(*letter)) {
            plain.push(format[at]);
            at += 1;
            if letter != b'*' {
                continue;
            }
            let (star, next) = number(format, at);
            at = next;
            match star {
                Some(index) => order.push(index),
                None => unnumbered += 1,
            }
        }
        match value {
            Some(index) => order.push(index),
            None => unnumbered += 1,
        }
        numbered += usize::from(value.is_some());
        if let Some(&conversion) = format.get(at) {
            plain.push(conversion);
            at += 1;
        }
    }
    let is_mixed = numbered > 0 && unnumbered > 0 || order.iter().any(|&index| index >= MOST);
    if is_mixed || (numbered == 0 && !order.is_empty()) { None } else { Some((plain, order)) }
}

fn is_conversion(letter: u8) -> bool {
    letter.is_ascii_alphabetic() && !matches!(letter, b'h' | b'l' | b'L' | b'I' | b'w' | b'z' | b't' | b'j')
}

/// Reads `N$` and returns the argument's index; otherwise none, and where it began.
fn number<U: Unit>(format: &[U], at: usize) -> (Option<usize>, usize) {
    let (mut value, mut end) = (0usize, at);
    while let Some(digit @ b'0'..=b'9') = format.get(end).and_then(|unit| unit.ascii()) {
        value = value.saturating_mul(10).saturating_add(usize::from(digit - b'0'));
        end += 1;
    }
    let is_number = end > at && value > 0 && format.get(end).and_then(|unit| unit.ascii()) == Some(b'$');
    if is_number { (Some(value - 1), end + 1) } else { (None, at) }
}

/// Notes what kinds of arguments a format takes.
struct Recorder(Vec<Kind>);

impl Arguments for Recorder {
    type Error = std::convert::Infallible;
    fn int32(&mut self) -> Result<u32, Self::Error> {
        self.0.push(Kind::Int32);
        Ok(0)
    }
    fn int64(&mut self) -> Result<u64, Self::Error> {
        self.0.push(Kind::Int64);
        Ok(0)
    }
    fn pointer(&mut self) -> Result<u64, Self::Error> {
        self.0.push(Kind::Pointer);
        Ok(0)
    }
    fn double(&mut self) -> Result<f64, Self::Error> {
        self.0.push(Kind::Double);
        Ok(0.0)
    }
    fn narrow_string(&mut self, _: u64, _: Option<usize>) -> Result<Vec<u8>, Self::Error> {
        Ok(Vec::new())
    }
    fn wide_string(&mut self, _: u64, _: Option<usize>) -> Result<Vec<u16>, Self::Error> {
        Ok(Vec::new())
    }
    fn store_count(&mut self, _: u64, _: u64, _: u8) -> Result<(), Self::Error> {
        Ok(())
    }
    fn widen(&self, _: &[u8]) -> Vec<u16> {
        Vec::new()
    }
    fn narrow(&self, _: &[u16]) -> Vec<u8> {
        Vec::new()
    }
}

/// Hands out values that were read before.
struct Ordered<'a, A> {
    inner: &'a mut A,
    values: std::vec::IntoIter<u64>,
}

impl<A: Arguments> Arguments for Ordered<'_, A> {
    type Error = A::Error;
    fn int32(&mut self) -> Result<u32, A::Error> {
        Ok(self.values.next().unwrap_or(0) as u32)
    }
    fn int64(&mut self) -> Result<u64, A::Error> {
        Ok(self.values.next().unwrap_or(0))
    }
    fn pointer(&mut self) -> Result<u64, A::Error> {
        Ok(self.values.next().unwrap_or(0))
    }
    fn double(&mut self) -> Result<f64, A::Error> {
        Ok(f64::from_bits(self.values.next().unwrap_or(0)))
    }
    fn narrow_string(&mut self, address: u64, max: Option<usize>) -> Result<Vec<u8>, A::Error> {
        self.inner.narrow_string(address, max)
    }
    fn wide_string(&mut self, address: u64, max: Option<usize>) -> Result<Vec<u16>, A::Error> {
        self.inner.wide_string(address, max)
    }
    fn store_count(&mut self, address: u64, count: u64, size: u8) -> Result<(), A::Error> {
        self.inner.store_count(address, count, size)
    }
    fn widen(&self, text: &[u8]) -> Vec<u16> {
        self.inner.widen(text)
    }
    fn narrow(&self, text: &[u16]) -> Vec<u8> {
        self.inner.narrow(text)
    }
}
