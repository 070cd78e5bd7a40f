//! Pictures taken apart: sections between semicolons, of placeholders, fields and literals.

/// What a picture is for: what its first placeholder says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Literals only.
    Literal,
    /// `0 # . , % E+`
    Number,
    /// `d m y h n s …`
    Date,
    /// `@ & < > !`
    Text,
}

/// A part of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// A unit that stands for itself.
    Unit(u16),
    /// A digit: `0`, which always shows one, or `#`.
    Digit(bool),
    /// The decimal point.
    Point,
    /// A comma.
    Comma,
    /// A percent sign.
    Percent,
    /// `E+`, `E-`, `e+`, `e-`: the letter, and whether a plus is written.
    Exponent(u8, bool),
    /// A field of a date, in lower case, and whether the picture has capitals.
    Field(&'static str, bool),
    /// A character: `@`, a space where there is none, or `&`.
    Character(bool),
    /// `<`
    Lower,
    /// `>`
    Upper,
    /// `!`: the first character goes to the first place.
    FromLeft,
}

/// Fields of dates and times; of those that begin alike, the longest comes first.
const FIELDS: [&str; 29] = [
    "dddddd", "ddddd", "dddd", "ddd", "dd", "d", "mmmm", "mmm", "mm", "m", "oooo", "yyyy", "yy", "y", "ww",
    "w", "q", "hh", "h", "nn", "n", "ss", "s", "ttttt", "c", "am/pm", "ampm", "a/p", "/",
];

/// A picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// What it is for.
    pub kind: Kind,
    sections: Vec<Vec<Item>>,
}

/// Says whether a text begins with letters, however they are written.
fn begins_with(text: &[u16], letters: &str) -> bool {
    let is = |(unit, letter): (&u16, u8)| {
        u8::try_from(*unit).is_ok_and(|unit| unit.to_ascii_lowercase() == letter)
    };
    text.len() >= letters.len() && text.iter().zip(letters.bytes()).all(is)
}

/// Returns the item of a kind that a text begins with, and its length.
fn item_of(text: &[u16], kind: Kind) -> Option<(Item, usize)> {
    let first = u8::try_from(*text.first()?).ok()?;
    let one = |item| Some((item, 1));
    match (kind, first) {
        (Kind::Number, b'0' | b'#') => one(Item::Digit(first == b'0')),
        (Kind::Number, b'.') => one(Item::Point),
        (Kind::Number, b',') => one(Item::Comma),
        (Kind::Number, b'%') => one(Item::Percent),
        (Kind::Number, b'E' | b'e') => {
            let sign = u8::try_from(*text.get(1)?).ok().filter(|sign| matches!(sign, b'+' | b'-'))?;
            Some((Item::Exponent(first, sign == b'+'), 2))
        }
        (Kind::Text, b'@' | b'&') => one(Item::Character(first == b'@')),
        (Kind::Text, b'<') => one(Item::Lower),
        (Kind::Text, b'>') => one(Item::Upper),
        (Kind::Text, b'!') => one(Item::FromLeft),
        (Kind::Date, b':') => one(Item::Field(":", false)),
        (Kind::Date, _) => {
            let field = FIELDS.iter().find(|field| begins_with(text, field))?;
            Some((Item::Field(field, first.is_ascii_uppercase()), field.len()))
        }
        _ => None,
    }
}

impl Picture {
    /// Takes a picture apart. What is no placeholder of its kind stands for itself.
    pub fn parse(text: &[u16]) -> Self {
        const QUOTE: u16 = b'"' as u16;
        const ESCAPE: u16 = b'\\' as u16;
        const SEMICOLON: u16 = b';' as u16;
        let (mut kind, mut sections, mut section) = (Kind::Literal, Vec::new(), Vec::new());
        let mut at = 0;
        while let Some(&unit) = text.get(at) {
            match unit {
                QUOTE => {
                    let rest = &text[at + 1..];
                    let length = rest.iter().position(|&unit| unit == QUOTE).unwrap_or(rest.len());
                    section.extend(rest[..length].iter().map(|&unit| Item::Unit(unit)));
                    at += length + 2;
                    continue;
                }
                ESCAPE => {
                    section.extend(text.get(at + 1).map(|&unit| Item::Unit(unit)));
                    at += 2;
                    continue;
                }
                SEMICOLON => {
                    sections.push(std::mem::take(&mut section));
                    at += 1;
                    continue;
                }
                _ => {}
            }
            let kinds: &[Kind] = match kind {
                Kind::Literal => &[Kind::Number, Kind::Text, Kind::Date],
                _ => &[kind],
            };
            let found = kinds.iter().find_map(|&one| Some((one, item_of(&text[at..], one)?)));
            let (item, length) = match found {
                Some((one, found)) => {
                    kind = one;
                    found
                }
                None => (Item::Unit(unit), 1),
            };
            section.push(item);
            at += length;
        }
        sections.push(section);
        Self { kind, sections }
    }

    /// Returns a section, counted from 0; an empty one where there is none.
    pub fn section(&self, place: usize) -> &[Item] {
        self.sections.get(place).map_or(&[], Vec::as_slice)
    }

    /// Returns a section that is not empty.
    pub fn used(&self, place: usize) -> Option<&[Item]> {
        Some(self.section(place)).filter(|section| !section.is_empty())
    }
}
