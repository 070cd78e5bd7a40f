//! Typed addresses, half-open ranges of them, and what may be done with a page.
//!
//! Key types: [`Address`], [`AddressRange`], [`Access`].

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::PAGE_SIZE;

/// An address in a guest's address space, in bytes from zero.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Address(u64);

impl Address {
    /// The lowest address.
    pub const ZERO: Self = Self(0);
    /// The highest address.
    pub const MAX: Self = Self(u64::MAX);

    /// Wraps a number of bytes from zero.
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// Returns the address as a number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Returns the address `bytes` above, or `None` past the end of 64 bits.
    pub const fn checked_add(self, bytes: u64) -> Option<Self> {
        match self.0.checked_add(bytes) {
            Some(value) => Some(Self(value)),
            None => None,
        }
    }

    /// Returns the address `bytes` below, or `None` below zero.
    pub const fn checked_sub(self, bytes: u64) -> Option<Self> {
        match self.0.checked_sub(bytes) {
            Some(value) => Some(Self(value)),
            None => None,
        }
    }

    /// Returns the distance in bytes from `lower`, or `None` when `lower` is above.
    pub const fn offset_from(self, lower: Self) -> Option<u64> {
        self.0.checked_sub(lower.0)
    }

    /// Rounds down to a multiple of `alignment`, a power of two.
    pub const fn align_down(self, alignment: u64) -> Self {
        debug_assert!(alignment.is_power_of_two());
        Self(self.0 & !(alignment - 1))
    }

    /// Rounds up to a multiple of `alignment`, a power of two; `None` past the end of 64 bits.
    pub const fn align_up(self, alignment: u64) -> Option<Self> {
        debug_assert!(alignment.is_power_of_two());
        match self.0.checked_add(alignment - 1) {
            Some(value) => Some(Self(value & !(alignment - 1))),
            None => None,
        }
    }

    /// Says whether the address is a multiple of `alignment`, a power of two.
    pub const fn is_aligned(self, alignment: u64) -> bool {
        self.0 & (alignment - 1) == 0
    }

    /// Says whether the address is the first byte of a page.
    pub const fn is_page_aligned(self) -> bool {
        self.is_aligned(PAGE_SIZE)
    }
}

impl fmt::Display for Address {
    /// Writes `0x00007ff6_12340000`: two groups of eight digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:08x}_{:08x}", self.0 >> 32, self.0 & 0xffff_ffff)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// A half-open range of addresses: `start` is inside, `end` is the first byte after.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AddressRange {
    /// The first byte.
    pub start: Address,
    /// The first byte after; never below `start`.
    pub end: Address,
}

impl AddressRange {
    /// Makes a range, or `None` when `end` is below `start`.
    pub const fn new(start: Address, end: Address) -> Option<Self> {
        if end.0 < start.0 { None } else { Some(Self { start, end }) }
    }

    /// Makes the range of `size` bytes at `start`, or `None` past the end of 64 bits.
    pub const fn sized(start: Address, size: u64) -> Option<Self> {
        match start.checked_add(size) {
            Some(end) => Some(Self { start, end }),
            None => None,
        }
    }

    /// Returns the number of bytes inside.
    pub const fn size(self) -> u64 {
        self.end.0 - self.start.0
    }

    /// Says whether nothing is inside.
    pub const fn is_empty(self) -> bool {
        self.start.0 == self.end.0
    }

    /// Says whether `address` is inside.
    pub const fn contains(self, address: Address) -> bool {
        self.start.0 <= address.0 && address.0 < self.end.0
    }

    /// Says whether all of `other` is inside; an empty range is inside where it touches.
    pub const fn contains_range(self, other: Self) -> bool {
        self.start.0 <= other.start.0 && other.end.0 <= self.end.0
    }

    /// Says whether the two share at least one byte.
    pub const fn overlaps(self, other: Self) -> bool {
        self.start.0 < other.end.0 && other.start.0 < self.end.0
    }

    /// Returns what the two share, or `None` when they share no byte.
    pub fn intersection(self, other: Self) -> Option<Self> {
        let (start, end) = (self.start.max(other.start), self.end.min(other.end));
        (start < end).then_some(Self { start, end })
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

impl fmt::Debug for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}..{:?}", self.start, self.end)
    }
}

bitflags::bitflags! {
    /// What the processor may do with a page: the rights that a kernel knows.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Access: u8 {
        /// Loads.
        const READ = 1;
        /// Stores.
        const WRITE = 2;
        /// Instruction fetches.
        const EXECUTE = 4;
    }
}

impl fmt::Display for Access {
    /// Writes three letters as `/proc/PID/maps` does: `rw-`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = |right, letter| if self.contains(right) { letter } else { '-' };
        let (r, w) = (letter(Self::READ, 'r'), letter(Self::WRITE, 'w'));
        write!(f, "{r}{w}{}", letter(Self::EXECUTE, 'x'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_in_two_groups() {
        assert_eq!(Address::new(0x7ff6_1234_0000).to_string(), "0x00007ff6_12340000");
    }

    #[test]
    fn rounding_up_past_the_end_is_refused() {
        assert_eq!(Address::new(u64::MAX).align_up(PAGE_SIZE), None);
        assert_eq!(Address::new(1).align_up(PAGE_SIZE), Some(Address::new(PAGE_SIZE)));
    }

    #[test]
    fn neighbours_do_not_overlap() {
        let lower = AddressRange::sized(Address::new(0x1000), 0x1000).expect("in range");
        let upper = AddressRange::sized(Address::new(0x2000), 0x1000).expect("in range");
        assert!(!lower.overlaps(upper));
        assert_eq!(lower.intersection(upper), None);
    }
}
