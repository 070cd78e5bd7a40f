//! One page-table entry as the processor sees it: [`Entry`] and its [`EntryBits`].

use std::fmt;

use serde::Serialize;

use crate::frames::FrameId;

bitflags::bitflags! {
    /// The flag bits of an entry.
    ///
    /// Source: Intel SDM volume 3A, table "Format of a Page-Table Entry that Maps a 4-KByte Page".
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct EntryBits: u64 {
        /// The entry points at something.
        const PRESENT = 1;
        /// Stores are allowed.
        const WRITE = 1 << 1;
        /// User mode may use it.
        const USER = 1 << 2;
        /// The processor used the entry.
        const ACCESSED = 1 << 5;
        /// The processor stored through the entry.
        const DIRTY = 1 << 6;
        /// One of the bits that hardware ignores: a store is to make a private copy.
        const COW = 1 << 9;
        /// Instruction fetches are forbidden.
        const NX = 1 << 63;
    }
}

impl EntryBits {
    /// The letters of the bits, highest bit first.
    const LETTERS: [(Self, &'static str, &'static str); 7] = [
        (Self::NX, "NX", "no-execute"),
        (Self::COW, "COW", "copy on write (software's own bit 9)"),
        (Self::DIRTY, "D", "dirty"),
        (Self::ACCESSED, "A", "accessed"),
        (Self::USER, "U", "user"),
        (Self::WRITE, "W", "writable"),
        (Self::PRESENT, "P", "present"),
    ];

    /// Lists the bits that are set, as short names, highest bit first.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::LETTERS.into_iter().filter(move |(bit, ..)| self.contains(*bit)).map(|(_, short, _)| short)
    }
}

/// Bits 12 to 51 hold the frame's physical address.
const FRAME_MASK: u64 = 0x000f_ffff_ffff_f000;

/// A page-table entry: a number whose bits the processor gives meaning to.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Entry(pub u64);

impl Entry {
    /// Makes an entry that points at a frame.
    pub const fn new(frame: FrameId, bits: EntryBits) -> Self {
        Self(((frame.0 as u64) << 12) & FRAME_MASK | bits.bits())
    }

    /// Returns the frame that it points at.
    pub const fn frame(self) -> FrameId {
        FrameId(((self.0 & FRAME_MASK) >> 12) as u32)
    }

    /// Returns its flag bits.
    pub const fn bits(self) -> EntryBits {
        EntryBits::from_bits_truncate(self.0)
    }

    /// Returns the entry with flag bits set and cleared.
    pub fn with(self, set: EntryBits, cleared: EntryBits) -> Self {
        Self((self.0 | set.bits()) & !cleared.bits())
    }

    /// Says whether it points at anything.
    pub const fn is_present(self) -> bool {
        self.bits().contains(EntryBits::PRESENT)
    }
}

impl fmt::Display for Entry {
    /// Writes `frame 12 [NX A U P]`, or `empty`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("empty");
        }
        let names: Vec<_> = self.bits().names().collect();
        write!(f, "frame {} [{}]", self.frame().0, names.join(" "))
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}
