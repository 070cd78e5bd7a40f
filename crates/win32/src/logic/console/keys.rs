//! The keyboard: virtual keys, their scan codes, and the keys that make a character, of the United States' layout.
//!
//! A terminal tells characters, not keys; programs for Windows expect keys. The layout decides which key a character
//! is said to come from, and nothing else.

use super::record::{ENHANCED, Key, LEFT_ALT, LEFT_CTRL, RIGHT_ALT, RIGHT_CTRL, SHIFT};

/// `VK_BACK`.
pub const BACK: u16 = 0x08;
/// `VK_TAB`.
pub const TAB: u16 = 0x09;
/// `VK_CLEAR`: the 5 of the number pad.
pub const CLEAR: u16 = 0x0c;
/// `VK_RETURN`.
pub const RETURN: u16 = 0x0d;
/// `VK_ESCAPE`.
pub const ESCAPE: u16 = 0x1b;
/// `VK_SPACE`.
pub const SPACE: u16 = 0x20;
/// `VK_PRIOR`: page up.
pub const PAGE_UP: u16 = 0x21;
/// `VK_NEXT`: page down.
pub const PAGE_DOWN: u16 = 0x22;
/// `VK_END`.
pub const END: u16 = 0x23;
/// `VK_HOME`.
pub const HOME: u16 = 0x24;
/// `VK_LEFT`.
pub const LEFT: u16 = 0x25;
/// `VK_UP`.
pub const UP: u16 = 0x26;
/// `VK_RIGHT`.
pub const RIGHT: u16 = 0x27;
/// `VK_DOWN`.
pub const DOWN: u16 = 0x28;
/// `VK_INSERT`.
pub const INSERT: u16 = 0x2d;
/// `VK_DELETE`.
pub const DELETE: u16 = 0x2e;
/// `VK_F1`; the others follow.
pub const F1: u16 = 0x70;

/// Scan codes of the keys without a character, and of those whose character a program is told.
///
/// Source: Microsoft, "Keyboard Scan Code Specification", scan code set 1.
const SCANS: [(u16, u16); 40] = [
    (BACK, 0x0e),
    (TAB, 0x0f),
    (CLEAR, 0x4c),
    (RETURN, 0x1c),
    (ESCAPE, 0x01),
    (SPACE, 0x39),
    (PAGE_UP, 0x49),
    (PAGE_DOWN, 0x51),
    (END, 0x4f),
    (HOME, 0x47),
    (LEFT, 0x4b),
    (UP, 0x48),
    (RIGHT, 0x4d),
    (DOWN, 0x50),
    (INSERT, 0x52),
    (DELETE, 0x53),
    (F1, 0x3b),
    (F1 + 1, 0x3c),
    (F1 + 2, 0x3d),
    (F1 + 3, 0x3e),
    (F1 + 4, 0x3f),
    (F1 + 5, 0x40),
    (F1 + 6, 0x41),
    (F1 + 7, 0x42),
    (F1 + 8, 0x43),
    (F1 + 9, 0x44),
    (F1 + 10, 0x57),
    (F1 + 11, 0x58),
    (F1 + 12, 0x64),
    (F1 + 13, 0x65),
    (F1 + 14, 0x66),
    (F1 + 15, 0x67),
    (F1 + 16, 0x68),
    (F1 + 17, 0x69),
    (F1 + 18, 0x6a),
    (F1 + 19, 0x6b),
    (F1 + 20, 0x6c),
    (F1 + 21, 0x6d),
    (F1 + 22, 0x6e),
    (F1 + 23, 0x76),
];

/// A row's first scan code, and its keys.
type Row = (u16, &'static [(u16, char, char)]);

/// The keys with characters, in rows of the keyboard: the scan code of the first, then virtual key, character, and
/// character with Shift of each.
const ROWS: [Row; 5] = [
    (
        0x02,
        &[
            (0x31, '1', '!'),
            (0x32, '2', '@'),
            (0x33, '3', '#'),
            (0x34, '4', '$'),
            (0x35, '5', '%'),
            (0x36, '6', '^'),
            (0x37, '7', '&'),
            (0x38, '8', '*'),
            (0x39, '9', '('),
            (0x30, '0', ')'),
            (0xbd, '-', '_'),
            (0xbb, '=', '+'),
        ],
    ),
    (
        0x10,
        &[
            (0x51, 'q', 'Q'),
            (0x57, 'w', 'W'),
            (0x45, 'e', 'E'),
            (0x52, 'r', 'R'),
            (0x54, 't', 'T'),
            (0x59, 'y', 'Y'),
            (0x55, 'u', 'U'),
            (0x49, 'i', 'I'),
            (0x4f, 'o', 'O'),
            (0x50, 'p', 'P'),
            (0xdb, '[', '{'),
            (0xdd, ']', '}'),
        ],
    ),
    (
        0x1e,
        &[
            (0x41, 'a', 'A'),
            (0x53, 's', 'S'),
            (0x44, 'd', 'D'),
            (0x46, 'f', 'F'),
            (0x47, 'g', 'G'),
            (0x48, 'h', 'H'),
            (0x4a, 'j', 'J'),
            (0x4b, 'k', 'K'),
            (0x4c, 'l', 'L'),
            (0xba, ';', ':'),
            (0xde, '\'', '"'),
            (0xc0, '`', '~'),
        ],
    ),
    (
        0x2b,
        &[
            (0xdc, '\\', '|'),
            (0x5a, 'z', 'Z'),
            (0x58, 'x', 'X'),
            (0x43, 'c', 'C'),
            (0x56, 'v', 'V'),
            (0x42, 'b', 'B'),
            (0x4e, 'n', 'N'),
            (0x4d, 'm', 'M'),
            (0xbc, ',', '<'),
            (0xbe, '.', '>'),
            (0xbf, '/', '?'),
        ],
    ),
    (0x39, &[(SPACE, ' ', ' ')]),
];

/// Returns the scan code of a virtual key; 0 for one that no keyboard has.
pub fn scan_of(code: u16) -> u16 {
    let named = SCANS.iter().find(|pair| pair.0 == code).map(|pair| pair.1);
    let in_row = |(first, row): &Row| row.iter().position(|key| key.0 == code).map(|at| first + at as u16);
    named.or_else(|| ROWS.iter().find_map(in_row)).unwrap_or(0)
}

/// Returns virtual key and modifiers that make a character; 0 for one that is not on the keyboard.
pub fn key_of(character: char) -> (u16, u32) {
    let all = || ROWS.iter().flat_map(|(_, row)| row.iter());
    let plain = all().find(|key| key.1 == character).map(|key| (key.0, 0));
    plain.or_else(|| all().find(|key| key.2 == character).map(|key| (key.0, SHIFT))).unwrap_or((0, 0))
}

fn is_enhanced(code: u16) -> bool {
    matches!(code, PAGE_UP..=DOWN | INSERT | DELETE)
}

/// Makes the record of a key that goes down.
pub fn press(code: u16, unit: u16, state: u32) -> Key {
    let state = if is_enhanced(code) { state | ENHANCED } else { state };
    Key { is_down: true, count: 1, code, scan: scan_of(code), unit, state }
}

/// Makes the record of a key without a character, as an arrow.
pub fn press_named(code: u16, state: u32) -> Key {
    let is_plain = state & (LEFT_ALT | RIGHT_ALT) == 0;
    let unit = match code {
        BACK if state & LEFT_CTRL != 0 => 0x7f,
        RETURN if state & LEFT_CTRL != 0 => 0x0a,
        TAB if !is_plain => 0,
        BACK | TAB | RETURN | ESCAPE | SPACE => code,
        _ => 0,
    };
    press(code, unit, state)
}

/// Makes the record of the key that gives a control character, as Ctrl-A; `backspace` is what the terminal sends for
/// that key.
pub fn press_control(byte: u8, backspace: u8, state: u32) -> Key {
    let named = match byte {
        _ if byte == backspace => Some((BACK, 0)),
        0x08 | 0x7f => Some((BACK, LEFT_CTRL)),
        0x09 => Some((TAB, 0)),
        0x0a => Some((RETURN, LEFT_CTRL)),
        0x0d => Some((RETURN, 0)),
        0x1b => Some((ESCAPE, 0)),
        0x00 => Some((SPACE, LEFT_CTRL)),
        _ => None,
    };
    if let Some((code, modifiers)) = named {
        return press_named(code, state | modifiers);
    }
    let (code, shift) = key_of(char::from(byte | 0x40).to_ascii_lowercase());
    press(code, u16::from(byte), state | shift | LEFT_CTRL)
}

/// Makes the records of the key that gives a character: two for one outside the basic plane.
pub fn press_character(character: char, state: u32) -> impl Iterator<Item = Key> {
    let (code, shift) = key_of(character);
    let mut units = [0; 2];
    let count = character.encode_utf16(&mut units).len();
    units.into_iter().take(count).map(move |unit| press(code, unit, state | shift))
}

/// What `_getch` returns for a key without a character: the byte that announces it, and its own.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/getch-getwch>, and the scan codes of IBM's
/// Personal System/2 BIOS interface, INT 16h functions 00h and 10h.
pub fn extended_code(key: &Key) -> Option<(u8, u8)> {
    let has_alt = key.state & (LEFT_ALT | RIGHT_ALT) != 0;
    let column = match key.state {
        _ if has_alt => 3,
        state if state & (LEFT_CTRL | RIGHT_CTRL) != 0 => 2,
        state if state & SHIFT != 0 => 1,
        _ => 0,
    };
    if (F1..F1 + 10).contains(&key.code) {
        let first = [59, 84, 94, 104][column];
        return Some((0, first + (key.code - F1) as u8));
    }
    if (F1 + 10..F1 + 12).contains(&key.code) {
        return Some((0xe0, [133, 135, 137, 139][column] + (key.code - F1 - 10) as u8));
    }
    let row = EXTENDED.iter().find(|row| row.0 == key.code);
    if let Some((_, codes)) = row {
        // With Alt, and for the number pad's own keys, the announcing byte is 0.
        let prefix = if has_alt || key.state & ENHANCED == 0 { 0 } else { 0xe0 };
        return Some((prefix, codes[column]));
    }
    if has_alt && key.scan != 0 {
        let scan = key.scan as u8;
        return Some((0, if (2..=13).contains(&scan) { scan + 118 } else { scan }));
    }
    None
}

/// Codes alone, with Shift, with Ctrl, with Alt.
const EXTENDED: [(u16, [u8; 4]); 10] = [
    (HOME, [71, 71, 119, 151]),
    (UP, [72, 72, 141, 152]),
    (PAGE_UP, [73, 73, 134, 153]),
    (LEFT, [75, 75, 115, 155]),
    (RIGHT, [77, 77, 116, 157]),
    (END, [79, 79, 117, 159]),
    (DOWN, [80, 80, 145, 160]),
    (PAGE_DOWN, [81, 81, 118, 161]),
    (INSERT, [82, 82, 146, 162]),
    (DELETE, [83, 83, 147, 163]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_come_from_their_keys() {
        let cases =
            [('a', 0x41, 0, 0x1e), ('A', 0x41, SHIFT, 0x1e), ('%', 0x35, SHIFT, 6), (' ', 0x20, 0, 0x39)];
        for (character, code, shift, scan) in cases {
            assert_eq!(key_of(character), (code, shift), "{character}");
            assert_eq!(scan_of(code), scan, "{character}");
        }
        assert_eq!(key_of('ä'), (0, 0));
        assert_eq!((scan_of(0xbf), scan_of(0x4d), scan_of(0x5a), scan_of(0xff)), (0x35, 0x32, 0x2c, 0));
    }

    #[test]
    fn control_characters_come_from_their_keys() {
        let cases = [
            (1, 0x41, 1, LEFT_CTRL),
            (0x7f, BACK, 8, 0),
            (8, BACK, 0x7f, LEFT_CTRL),
            (13, RETURN, 13, 0),
            (10, RETURN, 10, LEFT_CTRL),
            (9, TAB, 9, 0),
            (27, ESCAPE, 27, 0),
            (0, SPACE, 0x20, LEFT_CTRL),
            (0x1c, 0xdc, 0x1c, LEFT_CTRL),
            (0x1e, 0x36, 0x1e, LEFT_CTRL | SHIFT),
        ];
        for (byte, code, unit, state) in cases {
            let key = press_control(byte, 0x7f, 0);
            assert_eq!((key.code, key.unit, key.state), (code, unit, state), "{byte:#x}");
        }
        assert_eq!(press_control(8, 8, 0).unit, 8, "a terminal whose backspace key sends 8");
    }

    #[test]
    fn keys_without_characters_have_two_bytes() {
        let cases = [
            (press_named(UP, 0), (0xe0, 72)),
            (press_named(LEFT, LEFT_CTRL), (0xe0, 115)),
            (press_named(DELETE, LEFT_ALT), (0, 163)),
            (press_named(F1, 0), (0, 59)),
            (press_named(F1 + 11, 0), (0xe0, 134)),
            (press_named(F1 + 4, SHIFT), (0, 88)),
            (press(0x41, 0x61, LEFT_ALT), (0, 30)),
            (press(0x31, 0x31, LEFT_ALT), (0, 120)),
        ];
        for (key, expected) in cases {
            assert_eq!(extended_code(&key), Some(expected), "{key:?}");
        }
        assert_eq!(extended_code(&press(0x41, 0x61, 0)), None);
    }
}
