//! The keyboard of the United States: where keys lie, what they are called, which characters they give. Key items:
//! [`key_at`], [`place_of`], [`typed`], [`key_for`], [`name_at`].
//!
//! Source: <https://learn.microsoft.com/globalization/keyboards/kbdus_7>,
//! <https://learn.microsoft.com/windows/win32/inputdev/about-keyboard-input#scan-codes>,
//! <https://learn.microsoft.com/windows/win32/inputdev/virtual-key-codes>

/// `VK_SHIFT`, `VK_CONTROL`, `VK_MENU` and `VK_CAPITAL`.
const SHIFT: u8 = 0x10;
const CONTROL: u8 = 0x11;
const MENU: u8 = 0x12;
const CAPITAL: u8 = 0x14;
/// `VK_NUMLOCK`.
const NUM_LOCK: u8 = 0x90;

/// Keys by their place, 0 where there is none; left and right ones differ.
#[rustfmt::skip]
const KEYS: [u8; 128] = [
    0x00, 0x1b, b'1', b'2', b'3', b'4', b'5', b'6', b'7', b'8', b'9', b'0', 0xbd, 0xbb, 0x08, 0x09,
    b'Q', b'W', b'E', b'R', b'T', b'Y', b'U', b'I', b'O', b'P', 0xdb, 0xdd, 0x0d, 0xa2, b'A', b'S',
    b'D', b'F', b'G', b'H', b'J', b'K', b'L', 0xba, 0xde, 0xc0, 0xa0, 0xdc, b'Z', b'X', b'C', b'V',
    b'B', b'N', b'M', 0xbc, 0xbe, 0xbf, 0xa1, 0x6a, 0xa4, 0x20, 0x14, 0x70, 0x71, 0x72, 0x73, 0x74,
    0x75, 0x76, 0x77, 0x78, 0x79, 0x90, 0x91, 0x24, 0x26, 0x21, 0x6d, 0x25, 0x0c, 0x27, 0x6b, 0x23,
    0x28, 0x22, 0x2d, 0x2e, 0x2c, 0x00, 0xe2, 0x7a, 0x7b, 0x0c, 0xee, 0xf1, 0xea, 0xf9, 0xf5, 0xf3,
    0x00, 0x00, 0xfb, 0x2f, 0x7c, 0x7d, 0x7e, 0x7f, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0xed,
    0x00, 0xe9, 0x00, 0xc1, 0x00, 0x00, 0x87, 0x00, 0x00, 0x00, 0x00, 0xeb, 0x09, 0x00, 0xc2, 0x00,
];

/// Keys whose place is sent behind 0xE0: place and key.
#[rustfmt::skip]
const EXTENDED: [(u8, u8); 38] = [
    (0x10, 0xb1), (0x19, 0xb0), (0x1c, 0x0d), (0x1d, 0xa3), (0x20, 0xad), (0x21, 0xb7), (0x22, 0xb3), (0x24, 0xb2),
    (0x2e, 0xae), (0x30, 0xaf), (0x32, 0xac), (0x35, 0x6f), (0x37, 0x2c), (0x38, 0xa5), (0x46, 0x03), (0x47, 0x24),
    (0x48, 0x26), (0x49, 0x21), (0x4b, 0x25), (0x4d, 0x27), (0x4f, 0x23), (0x50, 0x28), (0x51, 0x22), (0x52, 0x2d),
    (0x53, 0x2e), (0x5b, 0x5b), (0x5c, 0x5c), (0x5d, 0x5d), (0x5f, 0x5f), (0x65, 0xaa), (0x66, 0xab), (0x67, 0xa8),
    (0x68, 0xa9), (0x69, 0xa7), (0x6a, 0xa6), (0x6b, 0xb6), (0x6c, 0xb4), (0x6d, 0xb5),
];

/// The places of the digits of the number pad, from 0 on, then of its point.
const PAD: [u8; 10] = [0x52, 0x4f, 0x50, 0x51, 0x4b, 0x4c, 0x4d, 0x47, 0x48, 0x49];

/// Characters of keys that are no letters: alone, with shift, with control, with both; 0xffff where there is none.
#[rustfmt::skip]
const CHARACTERS: [(u8, [u16; 4]); 32] = [
    (b'1', keys(b'1', b'!')), (b'2', [0x32, 0x40, NONE, 0]), (b'3', keys(b'3', b'#')), (b'4', keys(b'4', b'$')),
    (b'5', keys(b'5', b'%')), (b'6', [0x36, 0x5e, NONE, 0x1e]), (b'7', keys(b'7', b'&')), (b'8', keys(b'8', b'*')),
    (b'9', keys(b'9', b'(')), (b'0', keys(b'0', b')')), (0xbd, [0x2d, 0x5f, NONE, 0x1f]), (0xbb, keys(b'=', b'+')),
    (0xdb, [0x5b, 0x7b, 0x1b, 0x1b]), (0xdd, [0x5d, 0x7d, 0x1d, 0x1d]), (0xdc, [0x5c, 0x7c, 0x1c, 0x1c]),
    (0xba, keys(b';', b':')), (0xde, keys(b'\'', b'"')), (0xc0, keys(b'`', b'~')), (0xbc, keys(b',', b'<')),
    (0xbe, keys(b'.', b'>')), (0xbf, keys(b'/', b'?')), (0x20, [0x20; 4]), (0x09, keys(9, 9)),
    (0x08, [8, 8, 0x7f, 0x7f]), (0x1b, [0x1b; 4]), (0x0d, [0xd, 0xd, 0xa, NONE]), (0x6a, keys(b'*', b'*')),
    (0x6b, keys(b'+', b'+')), (0x6d, keys(b'-', b'-')), (0x6f, keys(b'/', b'/')), (0x03, [3; 4]),
    (0xe2, [0x5c, 0x7c, 0x1c, 0x1c]),
];

const NONE: u16 = 0xffff;

const fn keys(plain: u8, shifted: u8) -> [u16; 4] {
    [plain as u16, shifted as u16, NONE, NONE]
}

/// Names of keys by their place; with 0x100 behind 0xE0.
#[rustfmt::skip]
const NAMES: [(u16, &str); 65] = [
    (0x01, "Esc"), (0x0e, "Backspace"), (0x0f, "Tab"), (0x1c, "Enter"), (0x1d, "Ctrl"), (0x2a, "Shift"),
    (0x36, "Right Shift"), (0x37, "Num *"), (0x38, "Alt"), (0x39, "Space"), (0x3a, "Caps Lock"), (0x3b, "F1"),
    (0x3c, "F2"), (0x3d, "F3"), (0x3e, "F4"), (0x3f, "F5"), (0x40, "F6"), (0x41, "F7"), (0x42, "F8"), (0x43, "F9"),
    (0x44, "F10"), (0x45, "Pause"), (0x46, "Scroll Lock"), (0x47, "Num 7"), (0x48, "Num 8"), (0x49, "Num 9"),
    (0x4a, "Num -"), (0x4b, "Num 4"), (0x4c, "Num 5"), (0x4d, "Num 6"), (0x4e, "Num +"), (0x4f, "Num 1"),
    (0x50, "Num 2"), (0x51, "Num 3"), (0x52, "Num 0"), (0x53, "Num Del"), (0x54, "Sys Req"), (0x57, "F11"),
    (0x58, "F12"), (0x7c, "F13"), (0x7d, "F14"), (0x7e, "F15"), (0x7f, "F16"), (0x11c, "Num Enter"),
    (0x11d, "Right Ctrl"), (0x135, "Num /"), (0x137, "Prnt Scrn"), (0x138, "Right Alt"), (0x145, "Num Lock"),
    (0x146, "Break"), (0x147, "Home"), (0x148, "Up"), (0x149, "Page Up"), (0x14b, "Left"), (0x14d, "Right"),
    (0x14f, "End"), (0x150, "Down"), (0x151, "Page Down"), (0x152, "Insert"), (0x153, "Delete"), (0x154, "<00>"),
    (0x156, "Help"), (0x15b, "Left Windows"), (0x15c, "Right Windows"), (0x15d, "Application"),
];

/// Returns the key without its side: left and right shift are shift.
fn without_side(key: u8) -> u8 {
    match key {
        0xa0 | 0xa1 => SHIFT,
        0xa2 | 0xa3 => CONTROL,
        0xa4 | 0xa5 => MENU,
        key => key,
    }
}

/// Returns the key at a place, `0xe0xx` and `0xe1xx` among them, or 0; `is_sided` tells left from right.
pub fn key_at(place: u32, is_sided: bool) -> u8 {
    let low = (place & 0xff) as u8;
    let key = match place >> 8 {
        0 => KEYS.get(usize::from(low)).copied().unwrap_or(0),
        0xe0 => EXTENDED.iter().find(|row| row.0 == low).map_or(0, |row| row.1),
        0xe1 if low == 0x1d => 0x13,
        _ => 0,
    };
    if is_sided { key } else { without_side(key) }
}

/// Returns a key's place, behind 0xe0 or 0xe1 where it is sent so, or 0.
pub fn place_of(key: u32) -> u32 {
    let Ok(key) = u8::try_from(key) else { return 0 };
    let sided = match key {
        0 => return 0,
        SHIFT => 0xa0,
        CONTROL => 0xa2,
        MENU => 0xa4,
        0x13 => return 0xe11d,
        0x60..=0x69 => return PAD[usize::from(key - 0x60)].into(),
        0x6e => return 0x53,
        key => key,
    };
    let plain = KEYS.iter().position(|&other| other == sided).map(|place| place as u32);
    let extended = || EXTENDED.iter().find(|row| row.1 == sided).map(|row| 0xe000 | u32::from(row.0));
    plain.or_else(extended).unwrap_or(0)
}

/// Returns the four characters of a key that is no letter.
fn row(key: u8) -> Option<[u16; 4]> {
    match key {
        b'A'..=b'Z' => {
            let control = u16::from(key - b'A' + 1);
            Some([u16::from(key | 0x20), u16::from(key), control, control])
        }
        0x60..=0x69 => Some([u16::from(key - 0x30), NONE, NONE, NONE]),
        0x6e => Some([0x2e, NONE, NONE, NONE]),
        key => CHARACTERS.iter().find(|row| row.0 == key).map(|row| row.1),
    }
}

/// Returns the character that stands on a key, letters as capitals, or 0.
pub fn character_on(key: u32) -> u32 {
    let Ok(key) = u8::try_from(key) else { return 0 };
    match key {
        b'A'..=b'Z' => key.into(),
        key => row(key).map_or(0, |row| row[0].into()),
    }
}

/// Returns the character that a key gives while others are down: a byte for each of the 256 keys, with 0x80 for down
/// and 1 for switched on.
pub fn typed(key: u32, state: &[u8; 256]) -> Option<u16> {
    let key = u8::try_from(key).ok()?;
    let is_down = |key: u8| state[usize::from(key)] & 0x80 != 0;
    let is_on = |key: u8| state[usize::from(key)] & 1 != 0;
    let is_pad = matches!(key, 0x60..=0x69 | 0x6e);
    if is_pad && !is_on(NUM_LOCK) || is_down(CONTROL) && is_down(MENU) {
        return None;
    }
    let mut is_shifted = is_down(SHIFT);
    if key.is_ascii_uppercase() && is_on(CAPITAL) {
        is_shifted = !is_shifted;
    }
    let column = usize::from(is_shifted) | usize::from(is_down(CONTROL)) << 1;
    row(key).map(|row| row[column]).filter(|&unit| unit != NONE)
}

/// Returns the key for a character, and what is held with it: 1 for shift, 2 for control.
pub fn key_for(unit: u16) -> Option<(u8, u8)> {
    // Control characters that have a key of their own, and brackets before letters with control.
    let order = [0x03, 0x08, 0x09, 0x0d, 0x1b];
    let own = order.into_iter().find(|&key| u16::from(key) == unit).map(|key| (key, 0));
    let own = if unit == 0xa { Some((0x0d, 2)) } else { own };
    let of = |key: u8| {
        let column = row(key)?.iter().position(|&other| other == unit && other != NONE)?;
        Some((key, column as u8))
    };
    // The number pad and the key of other keyboards come second to the same characters elsewhere.
    let mut others = CHARACTERS.iter().map(|row| row.0).filter(|key| !matches!(key, 0x60..=0x6f | 0xe2));
    own.or_else(|| (b'A'..=b'Z').find_map(of)).or_else(|| others.find_map(of))
}

/// Returns the name of the key at a place, with 0x100 behind 0xE0; the empty name where there is no key.
pub fn name_at(place: u16) -> String {
    if let Some(row) = NAMES.iter().find(|row| row.0 == place) {
        return row.1.to_owned();
    }
    let scan = u32::from(place & 0xff) | if place & 0x100 != 0 { 0xe000 } else { 0 };
    let character = character_on(key_at(scan, false).into());
    char::from_u32(character).filter(|c| c.is_ascii_graphic()).map(String::from).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_by_place_and_back() {
        for (key, place) in
            [(b'1', 2), (b'Q', 16), (b'A', 30), (b'M', 50), (0xa5, 0xe038), (0x2e, 0x53), (0x13, 0xe11d)]
        {
            assert_eq!((place_of(key.into()), key_at(place, true)), (place, key), "{key:x}");
        }
        assert_eq!((key_at(0x36, false), key_at(0x36, true), place_of(0x10)), (0x10, 0xa1, 0x2a));
        assert_eq!((place_of(0x163), key_at(0x1234, false)), (0, 0));
    }

    #[test]
    fn what_is_held_changes_the_character() {
        let mut state = [0; 256];
        assert_eq!(
            [typed(0x41, &state), typed(0xbd, &state), typed(0x70, &state)],
            [Some(0x61), Some(0x2d), None]
        );
        state[usize::from(SHIFT)] = 0x80;
        assert_eq!([typed(0x41, &state), typed(0xbd, &state)], [Some(0x41), Some(0x5f)]);
        state[usize::from(CAPITAL)] = 1;
        assert_eq!([typed(0x41, &state), typed(0xbd, &state)], [Some(0x61), Some(0x5f)]);
        state[usize::from(CONTROL)] = 0x80;
        assert_eq!([typed(0x41, &state), typed(0x36, &state)], [Some(1), Some(0x1e)]);
    }

    #[test]
    fn every_character_leads_to_a_key_that_gives_it() {
        for unit in 0..0x80 {
            let (key, held) = key_for(unit).expect("all of ASCII can be typed");
            let mut state = [0; 256];
            state[usize::from(SHIFT)] = (held & 1) << 7;
            state[usize::from(CONTROL)] = (held & 2) << 6;
            assert_eq!(typed(key.into(), &state), Some(unit), "{unit:x}");
        }
        assert_eq!([key_for(0x2a), key_for(0x1c), key_for(0xe4)], [Some((b'8', 1)), Some((0xdc, 2)), None]);
    }
}
