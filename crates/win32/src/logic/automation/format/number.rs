//! Numbers by pictures of digits: `#,##0.00`, `000-00`, `0.0E+00`, with sections for negative numbers and for zero.

use super::digits::Digits;
use super::picture::{Item, Picture};
use crate::logic::automation::How;
use crate::logic::nls::locale;

const MINUS: u16 = b'-' as u16;

/// Returns what a section has that stands for itself.
pub fn literals(section: &[Item]) -> Vec<u16> {
    section.iter().filter_map(|item| if let Item::Unit(unit) = item { Some(*unit) } else { None }).collect()
}

/// What a section asks for as a whole.
struct Plan {
    /// Placeholders before the point.
    whole: usize,
    /// The least digits before the point: as many as stand behind the first `0`.
    whole_least: usize,
    /// Placeholders behind the point.
    places: usize,
    /// The least digits behind the point.
    places_least: usize,
    grouped: bool,
    /// The power of ten by which commas and percent signs change the number.
    power: i32,
    scientific: bool,
}

impl Plan {
    fn of(section: &[Item]) -> Self {
        let is_digit = |item: &Item| matches!(item, Item::Digit(_));
        let exponent = section.iter().position(|item| matches!(item, Item::Exponent(..)));
        let mantissa = &section[..exponent.unwrap_or(section.len())];
        let point = mantissa.iter().position(|item| *item == Item::Point).unwrap_or(mantissa.len());
        let (before, behind) = mantissa.split_at(point);
        let whole: Vec<bool> = placeholders(before);
        let places: Vec<bool> = placeholders(behind);
        let last = before.iter().rposition(is_digit);
        let first = before.iter().position(is_digit);
        // A comma between digits groups; one behind the last digit divides by a thousand.
        let commas = |from: usize, to: usize| before[from..to].iter().filter(|item| **item == Item::Comma);
        let grouped = first.zip(last).is_some_and(|(first, last)| commas(first, last).next().is_some());
        let thousands = last.map_or(0, |last| commas(last, before.len()).count());
        let percents = section.iter().filter(|item| **item == Item::Percent).count();
        Self {
            whole: whole.len(),
            whole_least: whole.iter().position(|is| *is).map_or(0, |at| whole.len() - at),
            places: places.len(),
            places_least: places.iter().rposition(|is| *is).map_or(0, |at| at + 1),
            grouped,
            power: 2 * percents as i32 - 3 * thousands as i32,
            scientific: exponent.is_some(),
        }
    }
}

/// Returns for each placeholder whether it always shows a digit.
fn placeholders(items: &[Item]) -> Vec<bool> {
    items.iter().filter_map(|item| if let Item::Digit(is) = item { Some(*is) } else { None }).collect()
}

/// Writes a number by the section for its sign.
pub fn write(digits: &Digits, picture: &Picture, how: How) -> Vec<u16> {
    let special = match digits {
        digits if digits.is_zero() => picture.used(2),
        digits if digits.negative => picture.used(1),
        _ => None,
    };
    let section = special.unwrap_or(picture.section(0));
    // The section for negative numbers says by itself that they are.
    let mut text = if digits.negative && special.is_none() { vec![MINUS] } else { Vec::new() };
    text.extend(by_section(digits, section, how));
    text
}

fn by_section(digits: &Digits, section: &[Item], how: How) -> Vec<u16> {
    let plan = Plan::of(section);
    let mut digits = digits.scaled(plan.power);
    let mut exponent = 0;
    if plan.scientific {
        exponent = digits.exponent(plan.whole);
        // What is rounded up may have a digit more.
        if digits.scaled(-exponent).rounded(plan.places).0.len() > plan.whole {
            exponent += 1;
        }
        digits = digits.scaled(-exponent);
    }
    let (mut whole, mut fraction) = digits.rounded(plan.places);
    let missing = plan.whole_least.saturating_sub(whole.len());
    whole.splice(0..0, std::iter::repeat_n(0, missing));
    let used = fraction.iter().rposition(|&digit| digit != 0).map_or(0, |at| at + 1);
    fraction.truncate(used.max(plan.places_least));
    Writer { how, plan, whole, fraction, exponent, text: Vec::new(), used: 0, placed: 0 }.write(section)
}

/// Puts digits into a section's places.
struct Writer {
    how: How,
    plan: Plan,
    whole: Vec<u8>,
    fraction: Vec<u8>,
    exponent: i32,
    text: Vec<u16>,
    /// How many digits before the point are written.
    used: usize,
    /// How many places before the point were passed.
    placed: usize,
}

impl Writer {
    fn write(mut self, section: &[Item]) -> Vec<u16> {
        let mut behind = false;
        let mut places = 0;
        let mut items = section.iter().peekable();
        while let Some(item) = items.next() {
            match *item {
                Item::Unit(unit) => self.text.push(unit),
                Item::Percent => self.text.push(u16::from(b'%')),
                Item::Digit(_) if behind => {
                    self.text.extend(self.fraction.get(places).map(|digit| u16::from(b'0' + digit)));
                    places += 1;
                }
                Item::Digit(_) => {
                    self.placed += 1;
                    // The first place takes what has no place of its own.
                    let rest = self.plan.whole - self.placed;
                    self.digits_to(self.whole.len().saturating_sub(rest));
                }
                Item::Point if !behind => {
                    self.digits_to(self.whole.len());
                    self.text.extend(self.how.locale.text(locale::DECIMAL).encode_utf16());
                    behind = true;
                }
                Item::Exponent(letter, plus) => {
                    let mut least = 0;
                    while items.next_if(|item| matches!(item, Item::Digit(_))).is_some() {
                        least += 1;
                    }
                    self.exponent(letter, plus, least);
                    behind = true;
                }
                _ => {}
            }
        }
        self.text
    }

    /// Writes digits before the point up to a place.
    fn digits_to(&mut self, end: usize) {
        while self.used < end {
            self.text.push(u16::from(b'0' + self.whole[self.used]));
            self.used += 1;
            let left = self.whole.len() - self.used;
            if self.plan.grouped && left > 0 && left.is_multiple_of(3) {
                self.text.extend(self.how.locale.text(locale::THOUSAND).encode_utf16());
            }
        }
    }

    fn exponent(&mut self, letter: u8, plus: bool, least: usize) {
        self.text.push(u16::from(letter));
        if self.exponent < 0 {
            self.text.push(MINUS);
        } else if plus {
            self.text.push(u16::from(b'+'));
        }
        self.text.extend(format!("{:0least$}", self.exponent.unsigned_abs()).encode_utf16());
    }
}
