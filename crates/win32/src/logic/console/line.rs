//! Editing a line: what `ReadConsole` does with keys under `ENABLE_LINE_INPUT`. Key type: [`Line`].
//!
//! The line is drawn where the cursor stood when it began; the rest of the terminal is left alone.
//!
//! Source: <https://learn.microsoft.com/windows/console/high-level-console-modes>, and the console's editing keys in
//! <https://learn.microsoft.com/windows-server/administration/windows-commands/doskey>.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar as _;

use super::keys;
use super::record::{Key, LEFT_CTRL, RIGHT_CTRL};

/// Ctrl-D: a terminal's user ends input with it.
const END_OF_INPUT: u16 = 4;
/// `VK_F3`: the rest of the line before.
const RECALL_REST: u16 = keys::F1 + 2;

/// How a line is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineRules {
    /// What is typed is shown: `ENABLE_ECHO_INPUT`.
    pub echoes: bool,
    /// Which control characters end the line at once: `dwCtrlWakeupMask`.
    pub wakeup: u32,
    /// The terminal's columns.
    pub columns: u16,
    /// The column where the line begins.
    pub start: u16,
}

/// What a key leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// More keys.
    More,
    /// The line is complete.
    Done,
    /// The user ends input.
    End,
    /// One of the control characters that end the line was typed; it is in the line. With the modifiers held.
    Woken(u32),
}

/// A line that is being typed.
#[derive(Clone, Debug)]
pub struct Line {
    text: Vec<char>,
    /// Before which character the next one goes.
    at: usize,
    overwrites: bool,
    /// Which line of the history is shown, counted from the last one; 0 is the one being typed.
    recalled: usize,
    rules: LineRules,
    /// A high surrogate that waits for its other half.
    half: Option<u16>,
}

impl Line {
    /// Begins a line. `initial` stands on the screen already, before the cursor.
    pub fn new(rules: LineRules, initial: &[u16]) -> Self {
        let text: Vec<char> =
            char::decode_utf16(initial.iter().copied()).map(|unit| unit.unwrap_or('\u{fffd}')).collect();
        let columns = rules.columns.max(1);
        let width: usize = text.iter().map(|&character| width_of(character)).sum();
        let start =
            usize::from(rules.start.min(columns - 1)) + usize::from(columns) - width % usize::from(columns);
        let start = (start % usize::from(columns)) as u16;
        let rules = LineRules { columns, start, ..rules };
        Self { at: text.len(), text, overwrites: false, recalled: 0, rules, half: None }
    }

    /// Returns what was typed.
    pub fn text(&self) -> String {
        self.text.iter().collect()
    }

    /// Takes note of the terminal's new width.
    pub fn set_columns(&mut self, columns: u16) {
        self.rules.columns = columns.max(1);
        self.rules.start = self.rules.start.min(self.rules.columns - 1);
    }

    /// Returns what draws the line anew where the cursor stands, which is `start`.
    pub fn draw_again(&mut self, start: u16) -> String {
        self.rules.start = start.min(self.rules.columns - 1);
        let mut out = String::new();
        self.draw_from(0, &mut out);
        out
    }

    /// Does what a key does; returns what the terminal is to be sent. `history` is the lines before, oldest first.
    pub fn press(&mut self, key: &Key, history: &[String]) -> (Next, String) {
        let mut out = String::new();
        let has_control = key.state & (LEFT_CTRL | RIGHT_CTRL) != 0;
        if key.unit != 0 && key.unit < 32 && self.rules.wakeup >> key.unit & 1 != 0 {
            self.text.insert(self.at, char::from(key.unit as u8));
            return (Next::Woken(key.state), out);
        }
        match key.code {
            keys::RETURN => {
                self.go(self.text.len(), &mut out);
                out.push_str(if self.rules.echoes { "\r\n" } else { "" });
                return (Next::Done, out);
            }
            keys::BACK if self.at > 0 => {
                let from = if has_control { self.word_left() } else { self.at - 1 };
                self.replace(from, self.at, &[], &mut out);
            }
            keys::BACK => {}
            keys::ESCAPE => self.replace(0, self.text.len(), &[], &mut out),
            keys::DELETE if self.at < self.text.len() => self.replace(self.at, self.at + 1, &[], &mut out),
            keys::HOME if has_control => self.replace(0, self.at, &[], &mut out),
            keys::END if has_control => self.replace(self.at, self.text.len(), &[], &mut out),
            keys::HOME => self.go(0, &mut out),
            keys::END => self.go(self.text.len(), &mut out),
            keys::LEFT if has_control => self.go(self.word_left(), &mut out),
            keys::LEFT => self.go(self.at.saturating_sub(1), &mut out),
            keys::RIGHT if has_control => self.go(self.word_right(), &mut out),
            keys::RIGHT => self.go((self.at + 1).min(self.text.len()), &mut out),
            keys::UP => self.recall(self.recalled + 1, history, &mut out),
            keys::DOWN => self.recall(self.recalled.saturating_sub(1), history, &mut out),
            keys::INSERT => self.overwrites = !self.overwrites,
            RECALL_REST => {
                let rest: Vec<char> =
                    history.last().map_or_else(Vec::new, |line| line.chars().skip(self.at).collect());
                self.replace(self.at, self.text.len(), &rest, &mut out);
            }
            _ if key.unit == END_OF_INPUT && self.text.is_empty() => return (Next::End, out),
            _ if key.unit != 0 => self.unit(key.unit, &mut out),
            _ => {}
        }
        (Next::More, out)
    }

    /// Takes a unit of UTF-16 that was typed.
    fn unit(&mut self, unit: u16, out: &mut String) {
        let character = match (self.half.take(), unit) {
            (_, 0xd800..0xdc00) => {
                self.half = Some(unit);
                return;
            }
            (Some(high), low) => char::decode_utf16([high, low]).next().and_then(Result::ok),
            (None, unit) => char::from_u32(u32::from(unit)),
        };
        let end = if self.overwrites { (self.at + 1).min(self.text.len()) } else { self.at };
        self.replace(self.at, end, &[character.unwrap_or('\u{fffd}')], out);
    }

    fn recall(&mut self, which: usize, history: &[String], out: &mut String) {
        if which > history.len() || which == self.recalled {
            return;
        }
        self.recalled = which;
        let text = if which == 0 { "" } else { &history[history.len() - which] };
        let text: Vec<char> = text.chars().collect();
        self.replace(0, self.text.len(), &text, out);
    }

    fn word_left(&self) -> usize {
        let is_space = |at: usize| self.text[at] == ' ';
        let mut at = self.at;
        while at > 0 && is_space(at - 1) {
            at -= 1;
        }
        while at > 0 && !is_space(at - 1) {
            at -= 1;
        }
        at
    }

    fn word_right(&self) -> usize {
        let rest = &self.text[self.at..];
        let word = rest.iter().take_while(|&&character| character != ' ').count();
        self.at + word + rest[word..].iter().take_while(|&&character| character == ' ').count()
    }

    /// Puts characters in the place of others, and the cursor behind them.
    fn replace(&mut self, from: usize, to: usize, new: &[char], out: &mut String) {
        if from == to && new.is_empty() {
            return;
        }
        let is_at_end = from == self.at && to == self.text.len() && from == to;
        self.go(from, out);
        self.text.splice(from..to, new.iter().copied());
        self.at = from + new.len();
        if !self.rules.echoes {
            return;
        }
        // The driver moves on from the last column by itself only with the next character.
        let before = self.place(from);
        self.write_text(from, self.text.len(), out);
        if !is_at_end {
            let is_shorter = new.len() < to - from;
            out.push_str(if is_shorter || before.0 != self.place(self.text.len()).0 {
                "\x1b[J"
            } else {
                "\x1b[K"
            });
        }
        let (end, cursor) = (self.place(self.text.len()), self.place(self.at));
        move_between(end, cursor, out);
    }

    /// Draws from a character on, where the terminal's cursor stands at it, and puts the cursor to its place.
    fn draw_from(&mut self, from: usize, out: &mut String) {
        if self.rules.echoes {
            self.write_text(from, self.text.len(), out);
            move_between(self.place(self.text.len()), self.place(self.at), out);
        }
    }

    fn write_text(&self, from: usize, to: usize, out: &mut String) {
        let mut place = self.place(from);
        for &character in &self.text[from..to] {
            if is_cut(character, place.1, self.rules.columns) {
                // What stood in the last column goes.
                out.push(' ');
            }
            place = step(place, character, self.rules.columns);
            if (character as u32) < 0x20 {
                let _ = write!(out, "^{}", char::from(character as u8 | 0x40));
            } else {
                out.push(character);
            }
        }
        // Behind a row's last column the cursor hangs: a blank takes it to the next row.
        if from < to && self.place(to).1 == 0 {
            out.push_str(" \r");
        }
    }

    fn go(&mut self, to: usize, out: &mut String) {
        let before = self.place(self.at);
        self.at = to;
        if self.rules.echoes {
            move_between(before, self.place(to), out);
        }
    }

    /// Returns row, from the line's first one, and column of a character.
    fn place(&self, index: usize) -> (usize, usize) {
        let place = (0, usize::from(self.rules.start));
        let before = &self.text[..index.min(self.text.len())];
        before.iter().fold(place, |place, &character| step(place, character, self.rules.columns))
    }
}

/// Says whether a wide character does not fit into the last column, and goes to the next row.
fn is_cut(character: char, column: usize, columns: u16) -> bool {
    (character as u32) >= 0x20 && width_of(character) == 2 && column + 1 == usize::from(columns)
}

/// Returns row and column behind a character that stands at a place.
fn step((row, column): (usize, usize), character: char, columns: u16) -> (usize, usize) {
    let (row, column) = if is_cut(character, column, columns) { (row + 1, 0) } else { (row, column) };
    let (columns, column) = (usize::from(columns), column + width_of(character));
    (row + column / columns, column % columns)
}

fn width_of(character: char) -> usize {
    if (character as u32) < 0x20 { 2 } else { character.width().unwrap_or(0) }
}

/// Moves the terminal's cursor from one row and column to another.
fn move_between(from: (usize, usize), to: (usize, usize), out: &mut String) {
    let mut step = |count: usize, letter: char| {
        let _ = match count {
            0 => Ok(()),
            1 if letter == 'D' => write!(out, "\x08"),
            _ => write!(out, "\x1b[{count}{letter}"),
        };
    };
    step(from.0.saturating_sub(to.0), 'A');
    step(to.0.saturating_sub(from.0), 'B');
    step(from.1.saturating_sub(to.1), 'D');
    step(to.1.saturating_sub(from.1), 'C');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::decode::{Decoded, Decoder};
    use super::super::record::Record;
    use super::super::screen::Screen;
    use super::*;

    const RULES: LineRules = LineRules { echoes: true, wakeup: 0, columns: 10, start: 2 };

    /// Types on a screen of ten columns behind a prompt of two; returns the line, and how the screen looks.
    fn typed(text: &str, initial: &str, rules: LineRules) -> (Next, String, Vec<String>, (u16, u16)) {
        let mut screen = Screen::new(10, 6);
        screen.show_on_cleared();
        screen.follow("> ");
        screen.follow(initial);
        let initial: Vec<u16> = initial.encode_utf16().collect();
        let rules = LineRules { start: screen.cursor().0, ..rules };
        let mut line = Line::new(rules, &initial);
        let history = ["first".to_owned(), "a longer second line".to_owned()];
        let mut decoder = Decoder::default();
        let mut decoded = decoder.push(text.as_bytes(), 0);
        decoded.extend(decoder.flush(0));
        let mut last = Next::More;
        for one in decoded {
            if let Decoded::Record(Record::Key(key)) = one
                && key.is_down
                && last == Next::More
            {
                let (next, out) = line.press(&key, &history);
                screen.follow(&out);
                last = next;
            }
        }
        let rows = (0..6).map(|row| {
            let units: Vec<u16> =
                screen.read(10, (0, row)).unwrap_or_default().iter().map(|cell| cell.unit).collect();
            String::from_utf16_lossy(&units).trim_end().to_owned()
        });
        let mut rows: Vec<String> = rows.collect();
        while rows.last().is_some_and(String::is_empty) {
            rows.pop();
        }
        (last, line.text(), rows, screen.cursor())
    }

    #[test]
    fn lines_are_edited() {
        type Case = (&'static str, &'static str, &'static [&'static str], (u16, u16));
        let cases: [Case; 14] = [
            ("abc", "abc", &["> abc"], (5, 0)),
            ("abc\x1b[D\x1b[DX", "aXbc", &["> aXbc"], (4, 0)),
            ("abc\x7f\x7f", "a", &["> a"], (3, 0)),
            ("abc\x1b[H\x1b[3~", "bc", &["> bc"], (2, 0)),
            ("abcdefgh", "abcdefgh", &["> abcdefgh"], (0, 1)),
            ("abcdefghij\x1b[HX", "Xabcdefghij", &["> Xabcdefg", "hij"], (3, 0)),
            ("abcdefghij\x7f\x7f\x7f", "abcdefg", &["> abcdefg"], (9, 0)),
            ("\x1b[A\x1b[A", "first", &["> first"], (7, 0)),
            ("\x1b[A\x1b[A\x1b[B", "a longer second line", &["> a longer", " second li", "ne"], (2, 2)),
            ("abc\x1b", "", &[">"], (2, 0)),
            ("ab cd\x1b[1;5DX", "ab Xcd", &["> ab Xcd"], (6, 0)),
            ("abc\x1b[D\x1b[2~XY", "abXY", &["> abXY"], (6, 0)),
            ("a\x01b", "a\x01b", &["> a^Ab"], (6, 0)),
            ("ab\x1bOR", "ablonger second line", &["> ablonger", " second li", "ne"], (2, 2)),
        ];
        for (text, expected, rows, cursor) in cases {
            let seen = typed(text, "", RULES);
            let rows: Vec<&str> = rows.iter().map(|row| row.trim_end()).collect();
            assert_eq!((seen.0, seen.1.as_str(), seen.3), (Next::More, expected, cursor), "{text:?}");
            assert_eq!(seen.2, rows, "{text:?}");
        }
        assert_eq!(typed("a日本語日本", "", RULES).3, (4, 1), "wide characters do not lie across the edge");
    }

    #[test]
    fn lines_end() {
        assert_eq!(typed("ab\x1b[D\rc", "", RULES), (Next::Done, "ab".into(), vec!["> ab".into()], (0, 1)));
        assert_eq!(typed("\x04", "", RULES).0, Next::End);
        assert_eq!(typed("a\x04", "", RULES).1, "a\x04");
        let quiet = LineRules { echoes: false, ..RULES };
        assert_eq!(typed("ab\r", "", quiet), (Next::Done, "ab".into(), vec![">".into()], (2, 0)));
        let woken = LineRules { wakeup: 1 << 9, ..RULES };
        assert_eq!(typed("y\t", "x", woken), (Next::Woken(0), "xy\t".into(), vec!["> xy".into()], (4, 0)));
    }

    proptest! {
        /// Whatever is typed, the screen shows the line, and the cursor is where the next character goes.
        #[test]
        fn the_screen_shows_the_line(keys in prop::collection::vec(
            prop_oneof![
                "[a-z ]{1,5}", Just("\x7f".to_owned()), Just("\x1b[D".to_owned()), Just("\x1b[C".to_owned()),
                Just("\x1b[H".to_owned()), Just("\x1b[F".to_owned()), Just("\x1b[3~".to_owned()),
                Just("\x1b[A".to_owned()), Just("\x1b[B".to_owned()), Just("\x1b[1;5D".to_owned()),
                Just("\x1b[2~".to_owned()), Just("日".to_owned()), Just("\x1b[1;5C".to_owned()),
            ],
            0..12,
        )) {
            let (_, text, rows, _) = typed(&keys.concat(), "", RULES);
            let shown: String = rows.concat().chars().filter(|c| *c != ' ').collect();
            let mut expected = String::from(">");
            for character in text.chars().filter(|c| *c != ' ') {
                // Both halves of a wide character hold it.
                (0..width_of(character)).for_each(|_| expected.push(character));
            }
            prop_assume!(text.chars().count() < 25);
            prop_assert_eq!(shown, expected);
        }
    }
}
