//! Decorated names from patterns: one pattern stands for a name on both machines and for all kinds of characters.
//!
//! | mark | 64-bit | 32-bit | |
//! |---|---|---|---|
//! | `#` | `D`, `_W`, `G` | the same | the characters: `char`, `wchar_t`, `unsigned short` |
//! | `%` | `H`, `G`, `G` | the same | the type of a character or the end |
//! | `^` | `#U?$char_traits@#@std@@@std@@` | the same | the end of a stream's class |
//! | `*` | `E` | nothing | behind the `P`, `A` or `Q` of a pointer |
//! | `+` | `A` | `E` | the calling convention of member functions |
//! | `~` | `_K` | `I` | `size_t` |
//! | `!` | `A` | `G` | the calling convention of Windows' functions |
//!
//! Source: <https://learn.microsoft.com/cpp/build/reference/decorated-names>; the names that programs import.

/// The kinds of characters that streams and facets are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `char`.
    Narrow,
    /// `wchar_t`.
    Wide,
    /// `unsigned short`: `wchar_t` of programs compiled with `/Zc:wchar_t-`.
    Short,
}

/// What reading answers at the end, for bytes; the low half of it for wide characters.
pub(super) const EOF: i32 = -1;

impl Kind {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Narrow, Self::Wide, Self::Short];

    /// Returns the bytes of a character.
    pub(super) const fn unit(self) -> u64 {
        if self.is_narrow() { 1 } else { 2 }
    }

    pub(super) const fn is_narrow(self) -> bool {
        matches!(self, Self::Narrow)
    }

    /// Returns a character as a call has it: only the low bits of its register count.
    pub(super) const fn value(self, word: u32) -> u16 {
        if self.is_narrow() { word as u8 as u16 } else { word as u16 }
    }

    /// Returns a character, or the end, as functions return it.
    pub(super) const fn meta(self, unit: Option<u16>) -> i32 {
        match unit {
            Some(unit) => unit as i32,
            None if self.is_narrow() => EOF,
            None => u16::MAX as i32,
        }
    }

    /// Returns what a function answered: a character, or the end.
    pub(super) const fn of_meta(self, answer: i32) -> Option<u16> {
        match self.is_narrow() {
            true if answer == EOF => None,
            false if answer as u16 == u16::MAX => None,
            true => Some(answer as u8 as u16),
            false => Some(answer as u16),
        }
    }

    /// Returns one of three names.
    pub(super) const fn pick(self, names: [&'static str; 3]) -> &'static str {
        names[self as usize]
    }
}

/// Returns what a mark stands for; `None` for a character that stands for itself.
const fn meaning(mark: u8, kind: Kind, is_64: bool) -> Option<&'static [u8]> {
    Some(match (mark, kind) {
        (b'#', Kind::Narrow) => b"D",
        (b'#', Kind::Wide) => b"_W",
        (b'%', Kind::Narrow) => b"H",
        (b'#' | b'%', _) => b"G",
        (b'^', Kind::Narrow) => b"DU?$char_traits@D@std@@@std@@",
        (b'^', Kind::Wide) => b"_WU?$char_traits@_W@std@@@std@@",
        (b'^', Kind::Short) => b"GU?$char_traits@G@std@@@std@@",
        (b'*', _) if is_64 => b"E",
        (b'*', _) => b"",
        (b'+', _) if is_64 => b"A",
        (b'+', _) => b"E",
        (b'~', _) if is_64 => b"_K",
        (b'~', _) => b"I",
        (b'!', _) if is_64 => b"A",
        (b'!', _) => b"G",
        _ => return None,
    })
}

/// Returns the length of the name that a pattern stands for.
pub(super) const fn length(pattern: &str, kind: Kind, is_64: bool) -> usize {
    let pattern = pattern.as_bytes();
    let (mut sum, mut at) = (0, 0);
    while at < pattern.len() {
        sum += match meaning(pattern[at], kind, is_64) {
            Some(text) => text.len(),
            None => 1,
        };
        at += 1;
    }
    sum
}

/// Returns the name that a pattern stands for; `LENGTH` is its [`length`].
pub(super) const fn expand<const LENGTH: usize>(pattern: &str, kind: Kind, is_64: bool) -> [u8; LENGTH] {
    let pattern = pattern.as_bytes();
    let mut name = [0; LENGTH];
    let (mut next, mut at) = (0, 0);
    while at < pattern.len() {
        match meaning(pattern[at], kind, is_64) {
            None => {
                name[next] = pattern[at];
                next += 1;
            }
            Some(text) => {
                let mut place = 0;
                while place < text.len() {
                    name[next] = text[place];
                    next += 1;
                    place += 1;
                }
            }
        }
        at += 1;
    }
    name
}

/// Returns the bytes of a name as text.
pub(super) const fn text(bytes: &'static [u8]) -> &'static str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!("a pattern is not ASCII"),
    }
}

/// The name that a pattern stands for, made by the compiler.
macro_rules! name {
    ($pattern:expr, $kind:expr, $is_64:expr) => {{
        const LENGTH: usize = $crate::msvcp140::names::length($pattern, $kind, $is_64);
        const BYTES: &[u8; LENGTH] = &$crate::msvcp140::names::expand($pattern, $kind, $is_64);
        $crate::msvcp140::names::text(BYTES)
    }};
}
pub(super) use name;

/// The names of a pattern for 64-bit programs, of each kind of characters.
macro_rules! kinds {
    ($pattern:expr) => {
        [
            $crate::msvcp140::names::name!($pattern, $crate::msvcp140::names::Kind::Narrow, true),
            $crate::msvcp140::names::name!($pattern, $crate::msvcp140::names::Kind::Wide, true),
            $crate::msvcp140::names::name!($pattern, $crate::msvcp140::names::Kind::Short, true),
        ]
    };
}
pub(super) use kinds;

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn patterns_stand_for_names() {
        const PATTERN: &str = "?getline@?$basic_istream@^Q*A+A*AV12@P*A#_J#@Z";
        assert_eq!(
            name!(PATTERN, Kind::Narrow, true),
            "?getline@?$basic_istream@DU?$char_traits@D@std@@@std@@QEAAAEAV12@PEAD_JD@Z"
        );
        assert_eq!(
            name!(PATTERN, Kind::Wide, false),
            "?getline@?$basic_istream@_WU?$char_traits@_W@std@@@std@@QAEAAV12@PA_W_J_W@Z"
        );
        assert_eq!(name!("??Bid@locale@std@@Q*A+~XZ", Kind::Short, false), "??Bid@locale@std@@QAEIXZ");
    }

    #[test]
    fn the_end_is_told_from_characters() {
        assert_eq!(Kind::Narrow.of_meta(0xff), Some(0xff));
        assert_eq!(Kind::Narrow.of_meta(-1), None);
        assert_eq!(Kind::Wide.of_meta(0x1234_ffff), None);
        assert_eq!(Kind::Wide.of_meta(0x1234_fffe), Some(0xfffe));
        assert_eq!((Kind::Narrow.meta(None), Kind::Wide.meta(None)), (-1, 0xffff));
    }
}
