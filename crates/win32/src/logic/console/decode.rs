//! A terminal's bytes become input records. Key type: [`Decoder`].
//!
//! Sources: ECMA-48; "XTerm Control Sequences" (PC-style function keys, SGR mouse, focus, `CPR`); rxvt's reference for
//! its suffixes; the Linux console's `ESC [ [ A`; fixterms for `CSI … u`.

use super::keys;
use super::record::{self, Key, LEFT_ALT, LEFT_CTRL, Mouse, Record, SHIFT};
use super::sequence::{Scanned, Sequence, scan};

/// `VK_F1` and the like that `CSI n ~` means, beginning with n = 11; 0 is none.
const TILDE_FUNCTIONS: [u8; 24] =
    [1, 2, 3, 4, 5, 0, 6, 7, 8, 9, 10, 0, 11, 12, 13, 14, 0, 15, 16, 0, 17, 18, 19, 20];
/// Milliseconds within which two presses of a button are one double click.
const DOUBLE_CLICK_MS: u64 = 500;

/// What was read from a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// Something for the program.
    Record(Record),
    /// The answer to the question where the cursor is: column and row from 0.
    Position(u16, u16),
}

/// How what is typed is given to the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The program gets the terminal's sequences as they are: `ENABLE_VIRTUAL_TERMINAL_INPUT`.
    pub passes_sequences: bool,
    /// The byte that the terminal sends for Backspace.
    pub backspace: u8,
}

impl Default for Rules {
    fn default() -> Self {
        Self { passes_sequences: false, backspace: 0x7f }
    }
}

/// Reads a terminal's bytes, in pieces of any size.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    /// What may be the beginning of something longer.
    held: Vec<u8>,
    /// Whether the terminal was asked where the cursor is: the answer looks like a function key.
    pub awaits_position: bool,
    /// How what is typed is given to the program.
    pub rules: Rules,
    buttons: u32,
    /// The button last pressed, when and where.
    click: Option<(u32, u64, (i16, i16))>,
}

/// What stands at the beginning of the held bytes.
enum Found {
    Unfinished,
    /// Bytes, and what they mean; nothing for what is not for programs.
    Key(usize, Option<Key>),
    Character(usize, char, u32),
    Mouse(usize, Sequence),
    Focus(usize, bool),
    Position(usize, u16, u16),
}

impl Found {
    /// The same, found one byte later, behind an Escape that means Alt.
    fn with_alt(self) -> Self {
        let alt = |mut key: Key| {
            key.state |= LEFT_ALT;
            key
        };
        match self {
            Self::Key(length, key) => Self::Key(length + 1, key.map(alt)),
            Self::Character(length, character, state) => {
                Self::Character(length + 1, character, state | LEFT_ALT)
            }
            Self::Mouse(length, sequence) => Self::Mouse(length + 1, sequence),
            Self::Focus(length, has_focus) => Self::Focus(length + 1, has_focus),
            Self::Position(length, column, row) => Self::Position(length + 1, column, row),
            Self::Unfinished => Self::Unfinished,
        }
    }

    fn length(&self) -> usize {
        match self {
            Self::Unfinished => 0,
            Self::Key(length, _)
            | Self::Character(length, ..)
            | Self::Mouse(length, _)
            | Self::Focus(length, _)
            | Self::Position(length, ..) => *length,
        }
    }
}

impl Decoder {
    /// Says whether bytes are held that more bytes, or the time, will decide about.
    pub fn is_waiting(&self) -> bool {
        !self.held.is_empty()
    }

    /// Reads bytes that came at `now`, in milliseconds of any clock.
    pub fn push(&mut self, bytes: &[u8], now: u64) -> Vec<Decoded> {
        self.held.extend_from_slice(bytes);
        self.run(now, false)
    }

    /// Decides about what is held, since nothing followed: an Escape alone is the key.
    pub fn flush(&mut self, now: u64) -> Vec<Decoded> {
        self.run(now, true)
    }

    /// Forgets what is held.
    pub fn clear(&mut self) {
        self.held.clear();
    }

    fn run(&mut self, now: u64, is_over: bool) -> Vec<Decoded> {
        let (mut out, mut at) = (Vec::new(), 0);
        while at < self.held.len() {
            let found = self.look(&self.held[at..], is_over);
            let length = found.length();
            if length == 0 {
                break;
            }
            let bytes = self.held[at..at + length].to_vec();
            self.tell(found, &bytes, now, &mut out);
            at += length;
        }
        self.held.drain(..at);
        out
    }

    fn tell(&mut self, found: Found, bytes: &[u8], now: u64, out: &mut Vec<Decoded>) {
        if let Found::Position(_, column, row) = found {
            out.push(Decoded::Position(column, row));
            return;
        }
        if self.rules.passes_sequences {
            let units = String::from_utf8_lossy(bytes).encode_utf16().collect::<Vec<u16>>();
            let record =
                |unit| Decoded::Record(Record::Key(Key { is_down: true, count: 1, unit, ..Key::default() }));
            out.extend(units.into_iter().map(record));
            return;
        }
        match found {
            Found::Key(_, Some(key)) => tap(key, out),
            Found::Character(_, character, state) => {
                keys::press_character(character, state).for_each(|key| tap(key, out));
            }
            Found::Mouse(_, sequence) => {
                out.push(Decoded::Record(Record::Mouse(self.mouse(&sequence, now))));
            }
            Found::Focus(_, has_focus) => out.push(Decoded::Record(Record::Focus(has_focus))),
            Found::Key(_, None) | Found::Position(..) | Found::Unfinished => {}
        }
    }

    fn look(&self, bytes: &[u8], is_over: bool) -> Found {
        match bytes {
            [] => Found::Unfinished,
            [0x1b, rest @ ..] => self.look_after_escape(rest, is_over),
            [byte @ (0..=0x1f | 0x7f), ..] => {
                Found::Key(1, Some(keys::press_control(*byte, self.rules.backspace, 0)))
            }
            _ => look_at_character(bytes, is_over),
        }
    }

    fn look_after_escape(&self, rest: &[u8], is_over: bool) -> Found {
        let found = match rest {
            [] => Found::Unfinished,
            [b'[', b'[', letter @ b'A'..=b'E', ..] => {
                let code = keys::F1 + u16::from(letter - b'A');
                return Found::Key(4, Some(keys::press_named(code, 0)));
            }
            [b'[', b'['] => Found::Unfinished,
            [b'[', after @ ..] => match scan(after) {
                Scanned::Sequence(length, sequence) => return self.meaning(length + 2, sequence),
                Scanned::Unfinished => Found::Unfinished,
                Scanned::None => self.look(rest, is_over).with_alt(),
            },
            [b'O', after @ ..] => match single_shift(after) {
                Some(found) => return found,
                None if after.is_empty() || after[0].is_ascii_digit() && after.len() == 1 => {
                    Found::Unfinished
                }
                None => self.look(rest, is_over).with_alt(),
            },
            // Of three, the first is the key alone: this goes no deeper than two.
            [0x1b, 0x1b, ..] => return Found::Key(1, Some(keys::press_named(keys::ESCAPE, 0))),
            // Escape before something longer: the same with Alt; Escape twice: Alt-Escape.
            _ => self.look(rest, is_over).with_alt(),
        };
        match found {
            Found::Unfinished if is_over => match rest {
                [] => Found::Key(1, Some(keys::press_named(keys::ESCAPE, 0))),
                [0x1b, ..] => Found::Key(2, Some(keys::press_named(keys::ESCAPE, LEFT_ALT))),
                _ => look_at_character(rest, true).with_alt(),
            },
            found => found,
        }
    }

    /// Returns what a sequence that takes `length` bytes means.
    fn meaning(&self, length: usize, sequence: Sequence) -> Found {
        match (sequence.marker, sequence.last) {
            (b'<', b'M' | b'm') => return Found::Mouse(length, sequence),
            (0, b'I') => return Found::Focus(length, true),
            (0, b'O') => return Found::Focus(length, false),
            (0, b'R') if self.awaits_position => {
                let (row, column) = (sequence.number(0, 1), sequence.number(1, 1));
                return Found::Position(length, column - 1, row - 1);
            }
            (0, _) => {}
            _ => return Found::Key(length, None),
        }
        if let (Some(code), modifiers) = self.coded(&sequence) {
            return match code {
                0..=0x1f | 0x7f => {
                    let byte = if code == 0x7f { self.rules.backspace } else { code as u8 };
                    Found::Key(length, Some(keys::press_control(byte, self.rules.backspace, modifiers)))
                }
                _ => match char::from_u32(code) {
                    Some(character) if modifiers & LEFT_CTRL != 0 => {
                        Found::Key(length, Some(with_control(character, modifiers)))
                    }
                    Some(character) => Found::Character(length, character, modifiers),
                    None => Found::Key(length, None),
                },
            };
        }
        let state = modifiers_of(sequence.number(1, 1));
        let key = match sequence.last {
            b'~' => of_number(sequence.number(0, 0)).map(|code| (code, state)),
            b'^' => of_number(sequence.number(0, 0)).map(|code| (code, LEFT_CTRL)),
            b'$' => of_number(sequence.number(0, 0)).map(|code| (code, SHIFT)),
            b'@' => of_number(sequence.number(0, 0)).map(|code| (code, SHIFT | LEFT_CTRL)),
            b'Z' => Some((keys::TAB, state | SHIFT)),
            letter @ b'a'..=b'd' => of_letter(letter.to_ascii_uppercase()).map(|code| (code, SHIFT)),
            letter => of_letter(letter).map(|code| (code, state)),
        };
        Found::Key(length, key.map(|(code, state)| keys::press_named(code, state)))
    }

    /// A character told by number: `CSI code ; modifiers u` and `CSI 27 ; modifiers ; code ~`.
    fn coded(&self, sequence: &Sequence) -> (Option<u32>, u32) {
        let state = modifiers_of(sequence.number(1, 1));
        match (sequence.last, sequence.numbers()) {
            (b'u', [code, ..]) => (Some(u32::from(*code)), state),
            (b'~', [27, _, code, ..]) => (Some(u32::from(*code)), state),
            _ => (None, 0),
        }
    }

    /// Source: "XTerm Control Sequences", Mouse Tracking, SGR (1006).
    fn mouse(&mut self, sequence: &Sequence, now: u64) -> Mouse {
        let bits = sequence.number(0, 0);
        let place = |number: u16| i16::try_from(number.saturating_sub(1)).unwrap_or(i16::MAX);
        let at = (place(sequence.number(1, 1)), place(sequence.number(2, 1)));
        let held = |bit: u16, flag: u32| if bits & bit != 0 { flag } else { 0 };
        let state = held(4, SHIFT) | held(8, LEFT_ALT) | held(16, LEFT_CTRL);
        if bits & 64 != 0 {
            const NOTCH: i32 = 120;
            let way = if bits & 1 == 0 { NOTCH } else { -NOTCH };
            // Sideways the terminal counts left before right, Windows' positive way is right.
            let (way, flags) =
                if bits & 2 == 0 { (way, record::MOUSE_WHEELED) } else { (-way, record::MOUSE_HWHEELED) };
            return Mouse { at, buttons: (way as u32) << 16 | self.buttons, state, flags };
        }
        // The terminal counts left, middle, right; Windows left, right, middle.
        let button = [1, 4, 2, 0][usize::from(bits & 3)];
        if bits & 32 != 0 {
            return Mouse { at, buttons: self.buttons, state, flags: record::MOUSE_MOVED };
        }
        if sequence.last == b'm' {
            self.buttons &= !button;
            return Mouse { at, buttons: self.buttons, state, flags: 0 };
        }
        self.buttons |= button;
        let is_second = self.click.is_some_and(|(before, when, place)| {
            before == button && place == at && now.saturating_sub(when) <= DOUBLE_CLICK_MS
        });
        self.click = (!is_second).then_some((button, now, at));
        let flags = if is_second { record::DOUBLE_CLICK } else { 0 };
        Mouse { at, buttons: self.buttons, state, flags }
    }
}

/// A key goes down and up again: terminals do not tell when it is let go.
fn tap(key: Key, out: &mut Vec<Decoded>) {
    out.push(Decoded::Record(Record::Key(key)));
    out.push(Decoded::Record(Record::Key(Key { is_down: false, ..key })));
}

fn with_control(character: char, state: u32) -> Key {
    let (code, shift) = keys::key_of(character);
    let unit = if character.is_ascii_alphabetic() { character as u16 & 0x1f } else { 0 };
    keys::press(code, unit, state | shift)
}

fn modifiers_of(number: u16) -> u32 {
    let bits = number.saturating_sub(1);
    let held = |bit: u16, flag: u32| if bits & bit != 0 { flag } else { 0 };
    held(1, SHIFT) | held(2, LEFT_ALT) | held(4, LEFT_CTRL)
}

fn of_letter(letter: u8) -> Option<u16> {
    Some(match letter {
        b'A' => keys::UP,
        b'B' => keys::DOWN,
        b'C' => keys::RIGHT,
        b'D' => keys::LEFT,
        b'E' => keys::CLEAR,
        b'F' => keys::END,
        b'H' => keys::HOME,
        b'P'..=b'S' => keys::F1 + u16::from(letter - b'P'),
        _ => return None,
    })
}

fn of_number(number: u16) -> Option<u16> {
    Some(match number {
        1 | 7 => keys::HOME,
        2 => keys::INSERT,
        3 => keys::DELETE,
        4 | 8 => keys::END,
        5 => keys::PAGE_UP,
        6 => keys::PAGE_DOWN,
        _ => match TILDE_FUNCTIONS.get(usize::from(number.checked_sub(11)?)) {
            Some(&function) if function != 0 => keys::F1 + u16::from(function) - 1,
            _ => return None,
        },
    })
}

/// `ESC O` and a letter, with a modifier between them in old xterms, and the number pad's own keys.
fn single_shift(after: &[u8]) -> Option<Found> {
    let (letter, state, length) = match after {
        [digit @ b'1'..=b'9', letter, ..] => (*letter, modifiers_of(u16::from(digit - b'0')), 4),
        [letter, ..] => (*letter, 0, 3),
        [] => return None,
    };
    if letter == b'M' {
        return Some(Found::Key(length, Some(keys::press_named(keys::RETURN, state))));
    }
    if let b'j'..=b'y' = letter {
        let character = char::from(letter - 0x40);
        return Some(Found::Character(length, character, state));
    }
    let (letter, shift) = match letter {
        b'a'..=b'd' => (letter.to_ascii_uppercase(), LEFT_CTRL),
        other => (other, 0),
    };
    of_letter(letter).map(|code| Found::Key(length, Some(keys::press_named(code, state | shift))))
}

fn look_at_character(bytes: &[u8], is_over: bool) -> Found {
    let start = &bytes[..bytes.len().min(4)];
    let Some(chunk) = start.utf8_chunks().next() else { return Found::Unfinished };
    if let Some(character) = chunk.valid().chars().next() {
        return Found::Character(character.len_utf8(), character, 0);
    }
    let is_beginning = str::from_utf8(start).is_err_and(|error| error.error_len().is_none());
    if is_beginning && start.len() < 4 && !is_over {
        return Found::Unfinished;
    }
    Found::Character(chunk.invalid().len().max(1), char::REPLACEMENT_CHARACTER, 0)
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
