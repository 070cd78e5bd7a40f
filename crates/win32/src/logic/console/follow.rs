//! Text that goes to the terminal moves the cursor and fills cells here as it does there. Key item: [`Screen::follow`].
//!
//! Sources: ECMA-48; "XTerm Control Sequences"; DEC's VT510 reference for wrapping behind the last column.

use unicode_width::UnicodeWidthChar as _;

use super::screen::{Cell, DEFAULT_ATTRIBUTES, LEADING_HALF, Screen, Shown, TRAILING_HALF};
use super::sequence::{Scanned, Sequence, scan};

/// Ends a sequence that is not complete.
const CANCEL: char = '\x18';

/// The longest beginning of a sequence that is kept for the next piece of text.
const PARTIAL_MAX: usize = 4096;

/// Follows one piece of text: where a sequence in it ends.
enum Step {
    /// The text ends within a sequence.
    Unfinished,
    /// So many bytes are done.
    Done(usize),
}

impl Screen {
    /// Does what the terminal does with text; sequences may be cut into pieces.
    pub fn follow(&mut self, text: &str) {
        let text = match text.strip_prefix(CANCEL) {
            Some(rest) => {
                self.partial.clear();
                rest
            }
            None => text,
        };
        let whole;
        let mut rest = if self.partial.is_empty() {
            text
        } else {
            whole = std::mem::take(&mut self.partial) + text;
            &whole
        };
        while let Some(character) = rest.chars().next() {
            let step = match character {
                '\x1b' => self.escape(rest),
                '\0'..'\x20' | '\x7f' => {
                    self.control(character);
                    Step::Done(1)
                }
                _ => {
                    self.print(character);
                    Step::Done(character.len_utf8())
                }
            };
            match step {
                Step::Done(length) => rest = rest.get(length..).unwrap_or_default(),
                Step::Unfinished => {
                    if rest.len() <= PARTIAL_MAX {
                        rest.clone_into(&mut self.partial);
                    }
                    return;
                }
            }
        }
    }

    /// Puts what plat itself says to the terminal between the pieces of a sequence that a program has begun: the
    /// beginning is taken back, and said again behind.
    pub(super) fn between_pieces(&self, said: String) -> String {
        if said.is_empty() || self.partial.is_empty() {
            said
        } else {
            format!("{CANCEL}{said}{}", self.partial)
        }
    }

    fn control(&mut self, character: char) {
        let (column, row) = self.cursor;
        match character {
            '\r' => self.set_cursor(0, row),
            // The terminal's driver adds the carriage's return.
            '\n' => {
                self.set_cursor(0, row);
                self.line_feed();
            }
            '\x0b' | '\x0c' => self.line_feed(),
            '\x08' => self.set_cursor(column.saturating_sub(1), row),
            '\t' => self.set_cursor(((column / 8) + 1).saturating_mul(8), row),
            _ => {}
        }
    }

    fn line_feed(&mut self) {
        let (column, row) = self.cursor;
        if row == self.region.1 {
            self.scroll_text(self.region, 1, true);
            self.is_past_end = false;
        } else {
            self.set_cursor(column, row.saturating_add(1));
        }
    }

    fn scroll_text(&mut self, region: (u16, u16), count: u16, is_up: bool) {
        self.move_rows(region, count, is_up, self.blank());
    }

    /// What the terminal puts where it clears: a blank in the colour behind the text.
    fn blank(&self) -> Cell {
        let attributes = self.attributes & 0xf0 | DEFAULT_ATTRIBUTES;
        Cell { unit: 0x20, attributes, shown: self.shown_by_text() }
    }

    fn print(&mut self, character: char) {
        let width = character.width().unwrap_or(0).min(2) as u16;
        if width == 0 {
            return;
        }
        if self.is_past_end || self.cursor.0 + width > self.columns && self.columns >= width {
            self.cursor.0 = 0;
            self.is_past_end = false;
            self.line_feed();
        }
        let (column, row) = self.cursor;
        let mut units = [0; 2];
        let count = character.encode_utf16(&mut units).len();
        if count == 1 {
            units[1] = units[0];
        } else if width == 1 {
            units[0] = 0xfffd;
        }
        for half in 0..width.min(self.columns - column) {
            let mark = match (width, half) {
                (2, 0) if count == 1 => LEADING_HALF,
                (2, _) if count == 1 => TRAILING_HALF,
                _ => 0,
            };
            let at = self.index(column + half, row);
            let unit = units[usize::from(half)];
            let shown = self.shown_by_text();
            self.cells[at] = Cell { unit, attributes: self.attributes | mark, shown };
        }
        self.is_past_end = column + width >= self.columns;
        self.cursor.0 = (column + width).min(self.columns - 1);
    }

    /// Follows what begins with an Escape.
    fn escape(&mut self, text: &str) -> Step {
        let bytes = text.as_bytes();
        match bytes.get(1) {
            None => return Step::Unfinished,
            Some(b'[') => {
                return match scan(&bytes[2..]) {
                    Scanned::Unfinished => Step::Unfinished,
                    Scanned::None => Step::Done(2),
                    Scanned::Sequence(length, sequence) => {
                        self.sequence(&sequence);
                        Step::Done(length + 2)
                    }
                };
            }
            // Strings end with BEL or `ESC \`: titles, colours, pictures.
            Some(b']' | b'P' | b'_' | b'^' | b'X') => {
                let end = bytes.iter().enumerate().skip(2).find(|&(_, &byte)| matches!(byte, 7 | 0x1b));
                return match end {
                    Some((at, 7)) => Step::Done(at + 1),
                    Some((at, _)) if at + 1 == bytes.len() => Step::Unfinished,
                    Some((at, _)) => Step::Done(at + if bytes[at + 1] == b'\\' { 2 } else { 0 }),
                    None => Step::Unfinished,
                };
            }
            Some(b'(' | b')' | b'#' | b' ' | b'%') => {
                return if bytes.len() < 3 { Step::Unfinished } else { Step::Done(3) };
            }
            Some(b'7') => self.saved = self.cursor,
            Some(b'8') => self.set_cursor(self.saved.0, self.saved.1),
            Some(b'D') => self.line_feed(),
            Some(b'E') => self.control('\n'),
            Some(b'M') if self.cursor.1 == self.region.0 => self.scroll_text(self.region, 1, false),
            Some(b'M') => self.set_cursor(self.cursor.0, self.cursor.1.saturating_sub(1)),
            Some(b'c') => self.reset(),
            Some(_) => {}
        }
        Step::Done(2)
    }

    fn reset(&mut self) {
        self.attributes = DEFAULT_ATTRIBUTES;
        self.region = (0, self.rows - 1);
        self.shows_cursor = true;
        self.erase(0, self.cells.len());
        self.set_cursor(0, 0);
    }

    fn sequence(&mut self, sequence: &Sequence) {
        let count = sequence.number(0, 1);
        let (column, row) = self.cursor;
        if sequence.marker == b'?' && matches!(sequence.last, b'h' | b'l') {
            sequence.numbers().iter().for_each(|&mode| self.set_mode(mode, sequence.last == b'h'));
            return;
        }
        if sequence.marker != 0 || sequence.intermediate != 0 {
            return;
        }
        match sequence.last {
            b'A' => self.set_cursor(column, row.saturating_sub(count)),
            b'B' | b'e' => self.set_cursor(column, row.saturating_add(count)),
            b'C' | b'a' => self.set_cursor(column.saturating_add(count), row),
            b'D' => self.set_cursor(column.saturating_sub(count), row),
            b'E' => self.set_cursor(0, row.saturating_add(count)),
            b'F' => self.set_cursor(0, row.saturating_sub(count)),
            b'G' | b'`' => self.set_cursor(count - 1, row),
            b'd' => self.set_cursor(column, count - 1),
            b'H' | b'f' => self.set_cursor(sequence.number(1, 1) - 1, count - 1),
            b's' => self.saved = self.cursor,
            b'u' => self.set_cursor(self.saved.0, self.saved.1),
            b'm' => self.attributes = rendition(self.attributes, sequence.numbers()),
            b'r' => self.set_region(count - 1, sequence.number(1, self.rows) - 1),
            _ => self.change_cells(sequence, count),
        }
    }

    fn set_region(&mut self, top: u16, bottom: u16) {
        let bottom = bottom.min(self.rows - 1);
        self.region = if top < bottom { (top, bottom) } else { (0, self.rows - 1) };
        self.set_cursor(0, 0);
    }

    fn set_mode(&mut self, mode: u16, is_on: bool) {
        match mode {
            25 => self.shows_cursor = is_on,
            // The other screen begins empty; what the first one showed then, only the terminal knows.
            47 | 1047 | 1049 => {
                let unknown = Cell { shown: Shown::Unknown, ..self.blank() };
                self.cells.fill(unknown);
                if is_on {
                    self.erase(0, self.cells.len());
                    self.saved = self.cursor;
                } else {
                    self.set_cursor(self.saved.0, self.saved.1);
                }
            }
            _ => {}
        }
    }

    fn change_cells(&mut self, sequence: &Sequence, count: u16) {
        let (column, row) = self.cursor;
        let here = self.index(column, row);
        let (line, end) = (self.index(0, row), self.index(self.columns - 1, row) + 1);
        let width = usize::from(count).min(end - here);
        match (sequence.last, sequence.number(0, 0)) {
            (b'J', 0) => self.erase(here, self.cells.len()),
            (b'J', 1) => self.erase(0, here + 1),
            (b'J', 2 | 3) => self.erase(0, self.cells.len()),
            (b'K', 0) => self.erase(here, end),
            (b'K', 1) => self.erase(line, here + 1),
            (b'K', 2) => self.erase(line, end),
            (b'X', _) => self.erase(here, here + width),
            (b'P', _) => {
                self.cells[here..end].rotate_left(width);
                self.erase(end - width, end);
            }
            (b'@', _) => {
                self.cells[here..end].rotate_right(width);
                self.erase(here, here + width);
            }
            (b'L' | b'M', _) if (self.region.0..=self.region.1).contains(&row) => {
                self.scroll_text((row, self.region.1), count, sequence.last == b'M');
            }
            (b'S', _) => self.scroll_text(self.region, count, true),
            (b'T', _) => self.scroll_text(self.region, count, false),
            _ => {}
        }
    }

    fn erase(&mut self, from: usize, to: usize) {
        let blank = self.blank();
        self.cells[from..to].fill(blank);
    }
}

/// Returns the attributes after `CSI … m`.
///
/// Source: ECMA-48 SGR; "XTerm Control Sequences" for 38, 48, 90 and 100.
fn rendition(before: u16, numbers: &[u16]) -> u16 {
    let mut attributes = before;
    let numbers = if numbers.is_empty() { &[0] } else { numbers };
    let mut at = 0;
    while let Some(&number) = numbers.get(at) {
        let text = |colour: u16| attributes & !0xf | colour;
        let back = |colour: u16| attributes & !0xf0 | colour << 4;
        attributes = match number {
            0 => DEFAULT_ATTRIBUTES,
            1 => attributes | 8,
            22 => attributes & !8,
            4 => attributes | 0x8000,
            24 => attributes & !0x8000,
            7 => attributes | 0x4000,
            27 => attributes & !0x4000,
            30..=37 => text(reversed(number - 30) | attributes & 8),
            39 => text(7),
            40..=47 => back(reversed(number - 40)),
            49 => back(0),
            90..=97 => text(reversed(number - 90) | 8),
            100..=107 => back(reversed(number - 100) | 8),
            38 | 48 => {
                let (colour, length) = extended(&numbers[at + 1..]);
                at += length;
                match colour {
                    Some(colour) if number == 38 => text(colour),
                    Some(colour) => back(colour),
                    None => attributes,
                }
            }
            _ => attributes,
        };
        at += 1;
    }
    attributes
}

/// Turns a terminal's colour of three bits into Windows'.
fn reversed(colour: u16) -> u16 {
    (colour & 1) << 2 | colour & 2 | (colour & 4) >> 2
}

/// Reads what follows 38 or 48; returns the nearest of the sixteen colours, and how many numbers it took.
fn extended(numbers: &[u16]) -> (Option<u16>, usize) {
    match numbers {
        [5, index @ 0..16, ..] => (Some(reversed(index & 7) | index & 8), 2),
        [5, index @ 16..232, ..] => {
            let cube = index - 16;
            let level = |digit: u16| if digit == 0 { 0 } else { 55 + 40 * digit };
            (Some(nearest(level(cube / 36), level(cube / 6 % 6), level(cube % 6))), 2)
        }
        [5, index @ 232..256, ..] => {
            let level = 8 + 10 * (index - 232);
            (Some(nearest(level, level, level)), 2)
        }
        [2, red, green, blue, ..] => (Some(nearest(*red, *green, *blue)), 4),
        [5, ..] => (None, numbers.len().min(2)),
        [2, ..] => (None, numbers.len().min(4)),
        _ => (None, 0),
    }
}

/// Returns the one of Windows' sixteen colours that is nearest to a mixture of 0 to 255 each.
fn nearest(red: u16, green: u16, blue: u16) -> u16 {
    let distance = |colour: u16| {
        let full: i32 = if colour & 8 != 0 { 255 } else { 128 };
        let part = |bit: u16, seen: u16| {
            let shade = match colour {
                7 => 192,
                8 => 128,
                _ if colour & bit != 0 => full,
                _ => 0,
            };
            (shade - i32::from(seen.min(255))).pow(2)
        };
        part(4, red) + part(2, green) + part(1, blue)
    };
    (0..16).min_by_key(|&colour| distance(colour)).unwrap_or(DEFAULT_ATTRIBUTES)
}
