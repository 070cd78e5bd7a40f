//! What changed on a screen becomes a terminal's sequences. Key items: [`Screen::paint`], [`colours`].

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar as _;

use super::screen::{Cell, DEFAULT_ATTRIBUTES, LEADING_HALF, Screen, Shown, TRAILING_HALF};

/// `COMMON_LVB_REVERSE_VIDEO`.
const REVERSED: u16 = 0x4000;
/// `COMMON_LVB_UNDERSCORE`.
const UNDERLINED: u16 = 0x8000;
/// The fewest blanks for which a row's rest is cleared rather than written.
const CLEARED_MIN: usize = 4;

/// What Windows' fonts show for 0x00 to 0x1f.
///
/// Source: the Unicode consortium's mapping of code page 437's graphics.
const CONTROL_GLYPHS: &str = " ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼";

/// Returns the terminal's sequence for colours; grey on black is the terminal's own.
///
/// Source: <https://learn.microsoft.com/windows/console/console-screen-buffers#character-attributes>, ECMA-48 SGR.
pub fn colours(attributes: u16) -> String {
    // Windows counts blue, green, red from the lowest bit; terminals the other way round.
    let colour = |bits: u16| (bits & 1) << 2 | bits & 2 | (bits & 4) >> 2;
    let base = |bits: u16, normal: u16| if bits & 8 != 0 { normal + 60 } else { normal } + colour(bits);
    let mut sequence = String::from("\x1b[0");
    for (flag, number) in [(UNDERLINED, 4), (REVERSED, 7)] {
        if attributes & flag != 0 {
            let _ = write!(sequence, ";{number}");
        }
    }
    let (text, back) = (attributes & 0xf, attributes >> 4 & 0xf);
    if (text, back) != (7, 0) {
        let _ = write!(sequence, ";{}", base(text, 30));
    }
    if back != 0 {
        let _ = write!(sequence, ";{}", base(back, 40));
    }
    sequence.push('m');
    sequence
}

/// Writes sequences, and knows where the terminal's cursor is and with which colours it writes.
struct Pen {
    out: String,
    at: Option<(u16, u16)>,
    attributes: Option<u16>,
}

impl Pen {
    fn move_to(&mut self, column: u16, row: u16) {
        if self.at != Some((column, row)) {
            let _ = write!(self.out, "\x1b[{};{}H", row + 1, column + 1);
            self.at = Some((column, row));
        }
    }

    fn colour(&mut self, attributes: u16) {
        let attributes = attributes & !(LEADING_HALF | TRAILING_HALF);
        if self.attributes != Some(attributes) {
            self.out.push_str(&colours(attributes));
            self.attributes = Some(attributes);
        }
    }

    /// Writes a character that is to fill `width` cells of `columns`.
    fn character(&mut self, character: char, width: u16, columns: u16) {
        self.out.push(character);
        let fills = character.width().is_some_and(|seen| seen == usize::from(width));
        // Behind the last column terminals differ; a character of another width leads who knows where.
        self.at = self
            .at
            .filter(|at| fills && u32::from(at.0) + u32::from(width) < u32::from(columns))
            .map(|at| (at.0 + width, at.1));
    }
}

/// Returns what a terminal shows for a cell, and how many cells that takes; nothing for a right half.
fn character_of(cell: Cell, next: Option<Cell>) -> Option<(char, u16)> {
    if cell.attributes & TRAILING_HALF != 0 {
        return None;
    }
    let width = if cell.attributes & LEADING_HALF != 0 { 2 } else { 1 };
    let pair = [cell.unit, next.map_or(0, |next| next.unit)];
    let decoded = char::decode_utf16(pair).next().and_then(Result::ok);
    let character = match decoded {
        Some(character @ '\0'..'\x20') => CONTROL_GLYPHS.chars().nth(character as usize).unwrap_or(' '),
        Some('\x7f') => '⌂',
        Some('\u{80}'..'\u{a0}') => ' ',
        // What has no width would stand on its neighbour.
        Some(character) if character.width() == Some(0) => ' ',
        Some(character) => character,
        None => char::REPLACEMENT_CHARACTER,
    };
    Some((character, if character.len_utf16() == 2 { 2 } else { width }))
}

impl Screen {
    /// Returns what makes the terminal show what it does not yet, with cursor and colours put back; nothing when it
    /// shows all.
    pub fn paint(&mut self) -> String {
        let mut pen = Pen { out: String::new(), at: None, attributes: None };
        for row in 0..self.rows {
            self.paint_row(row, &mut pen);
        }
        if !pen.out.is_empty() {
            pen.colour(self.attributes);
            pen.move_to(self.cursor.0, self.cursor.1);
            self.is_past_end = false;
        }
        self.between_pieces(pen.out)
    }

    fn paint_row(&mut self, row: u16, pen: &mut Pen) {
        let start = self.index(0, row);
        let cells = &mut self.cells[start..start + usize::from(self.columns)];
        if cells.iter().all(|cell| cell.shown != Shown::Before) {
            return;
        }
        // The blanks at the row's end that the terminal may clear at once.
        let is_blank = |cell: &Cell| {
            (cell.unit, cell.attributes) == (0x20, DEFAULT_ATTRIBUTES) && cell.shown != Shown::Unknown
        };
        let blank_from = cells.iter().rposition(|cell| !is_blank(cell)).map_or(0, |at| at + 1);
        let mut at = 0;
        while at < cells.len() {
            let (cell, next) = (cells[at], cells.get(at + 1).copied());
            let width =
                character_of(cell, next).map_or(1, |found| usize::from(found.1)).min(cells.len() - at);
            if cells[at..at + width].iter().all(|cell| cell.shown != Shown::Before) {
                at += width;
                continue;
            }
            if at >= blank_from && cells.len() - at >= CLEARED_MIN {
                pen.move_to(at as u16, row);
                pen.colour(DEFAULT_ATTRIBUTES);
                pen.out.push_str("\x1b[K");
                cells[at..].iter_mut().for_each(|cell| cell.shown = Shown::Same);
                return;
            }
            if let Some((character, width)) = character_of(cell, next) {
                pen.move_to(at as u16, row);
                pen.colour(cell.attributes);
                pen.character(character, width, self.columns);
            }
            cells[at..at + width].iter_mut().for_each(|cell| cell.shown = Shown::Same);
            at += width;
        }
    }
}

#[cfg(test)]
#[path = "paint_tests.rs"]
mod tests;
