//! `INPUT_RECORD`: twenty bytes, the same for both bitnesses. Key type: [`Record`].

/// `RIGHT_ALT_PRESSED`.
pub const RIGHT_ALT: u32 = 0x1;
/// `LEFT_ALT_PRESSED`.
pub const LEFT_ALT: u32 = 0x2;
/// `RIGHT_CTRL_PRESSED`.
pub const RIGHT_CTRL: u32 = 0x4;
/// `LEFT_CTRL_PRESSED`.
pub const LEFT_CTRL: u32 = 0x8;
/// `SHIFT_PRESSED`.
pub const SHIFT: u32 = 0x10;
/// `ENHANCED_KEY`: one of the keys beside the number pad.
pub const ENHANCED: u32 = 0x100;

/// `MOUSE_MOVED`.
pub const MOUSE_MOVED: u32 = 1;
/// `DOUBLE_CLICK`.
pub const DOUBLE_CLICK: u32 = 2;
/// `MOUSE_WHEELED`.
pub const MOUSE_WHEELED: u32 = 4;
/// `MOUSE_HWHEELED`.
pub const MOUSE_HWHEELED: u32 = 8;

/// Bytes of an `INPUT_RECORD`.
pub const RECORD_BYTES: usize = 20;

/// `KEY_EVENT_RECORD`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Key {
    /// Pressed rather than let go.
    pub is_down: bool,
    /// How often.
    pub count: u16,
    /// The virtual key's code.
    pub code: u16,
    /// The keyboard's own code.
    pub scan: u16,
    /// A unit of UTF-16, or a byte of the input code page; 0 for keys without a character.
    pub unit: u16,
    /// Which of [`SHIFT`], [`LEFT_CTRL`] and their like are held.
    pub state: u32,
}

/// `MOUSE_EVENT_RECORD`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mouse {
    /// Column and row, from 0.
    pub at: (i16, i16),
    /// Buttons held, bit 0 the left one, bit 1 the right one, bit 2 the middle one; a wheel's way in the upper half.
    pub buttons: u32,
    /// Which modifiers are held.
    pub state: u32,
    /// [`MOUSE_MOVED`] and its like; 0 for a button pressed or let go.
    pub flags: u32,
}

/// What happened at the console.
///
/// Source: <https://learn.microsoft.com/windows/console/input-record-str>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// `KEY_EVENT`.
    Key(Key),
    /// `MOUSE_EVENT`.
    Mouse(Mouse),
    /// `WINDOW_BUFFER_SIZE_EVENT`: columns and rows.
    Size(u16, u16),
    /// `MENU_EVENT`.
    Menu(u32),
    /// `FOCUS_EVENT`.
    Focus(bool),
}

impl Record {
    /// Lays the record out.
    pub fn encode(&self) -> [u8; RECORD_BYTES] {
        let mut bytes = [0; RECORD_BYTES];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        let kind: u16 = match *self {
            Self::Key(key) => {
                put(4, &u32::from(key.is_down).to_le_bytes());
                put(8, &key.count.to_le_bytes());
                put(10, &key.code.to_le_bytes());
                put(12, &key.scan.to_le_bytes());
                put(14, &key.unit.to_le_bytes());
                put(16, &key.state.to_le_bytes());
                1
            }
            Self::Mouse(mouse) => {
                put(4, &mouse.at.0.to_le_bytes());
                put(6, &mouse.at.1.to_le_bytes());
                put(8, &mouse.buttons.to_le_bytes());
                put(12, &mouse.state.to_le_bytes());
                put(16, &mouse.flags.to_le_bytes());
                2
            }
            Self::Size(columns, rows) => {
                put(4, &columns.to_le_bytes());
                put(6, &rows.to_le_bytes());
                4
            }
            Self::Menu(command) => {
                put(4, &command.to_le_bytes());
                8
            }
            Self::Focus(has_focus) => {
                put(4, &u32::from(has_focus).to_le_bytes());
                16
            }
        };
        put(0, &kind.to_le_bytes());
        bytes
    }

    /// Reads a record; nothing for a kind that there is not.
    pub fn decode(bytes: &[u8; RECORD_BYTES]) -> Option<Self> {
        let half = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let word = |at: usize| u32::from(half(at)) | u32::from(half(at + 2)) << 16;
        Some(match half(0) {
            1 => Self::Key(Key {
                is_down: word(4) != 0,
                count: half(8),
                code: half(10),
                scan: half(12),
                unit: half(14),
                state: word(16),
            }),
            2 => Self::Mouse(Mouse {
                at: (half(4) as i16, half(6) as i16),
                buttons: word(8),
                state: word(12),
                flags: word(16),
            }),
            4 => Self::Size(half(4), half(6)),
            8 => Self::Menu(word(4)),
            16 => Self::Focus(word(4) != 0),
            _ => return None,
        })
    }

    /// Returns the key, if it is one that goes down.
    pub fn pressed(&self) -> Option<&Key> {
        match self {
            Self::Key(key) if key.is_down => Some(key),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_survive_the_way() {
        let key = Key { is_down: true, count: 1, code: 0x41, scan: 0x1e, unit: 0x61, state: 0x20 };
        let mouse = Mouse { at: (3, -1), buttons: 0xff88_0001, state: 8, flags: 4 };
        let all = [
            Record::Key(key),
            Record::Mouse(mouse),
            Record::Size(80, 25),
            Record::Menu(7),
            Record::Focus(true),
        ];
        for record in all {
            assert_eq!(Record::decode(&record.encode()), Some(record));
        }
        assert_eq!(Record::decode(&[0; RECORD_BYTES]), None);
        let bytes = Record::Key(key).encode();
        assert_eq!(bytes, [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0x41, 0, 0x1e, 0, 0x61, 0, 0x20, 0, 0, 0]);
    }
}
