//! Positions in an image: [`Rva`] counts from its base in memory, [`FileOffset`] from the start of its file.

use std::fmt;

/// A position in a mapped image, in bytes from the image's base.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rva(u32);

impl Rva {
    /// Wraps a number of bytes from the image's base.
    pub const fn new(value: u32) -> Self {
        Self(value)
    }

    /// Returns the position as a number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Says whether the position is zero, which in most fields of a PE means "absent".
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Returns the position `bytes` further, or `None` past the end of 32 bits.
    pub const fn checked_add(self, bytes: u32) -> Option<Self> {
        match self.0.checked_add(bytes) {
            Some(value) => Some(Self(value)),
            None => None,
        }
    }

    /// Returns the distance in bytes from `lower`, or `None` when `lower` is further.
    pub const fn offset_from(self, lower: Self) -> Option<u32> {
        self.0.checked_sub(lower.0)
    }
}

/// A position in a file, in bytes from its start.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileOffset(u64);

impl FileOffset {
    /// Wraps a number of bytes from the start of the file.
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// Returns the position as a number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Says whether the position is a multiple of `alignment`, a power of two.
    pub const fn is_aligned(self, alignment: u64) -> bool {
        self.0 & (alignment - 1) == 0
    }
}

macro_rules! hexadecimal {
    ($type:ty) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:#x}", self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:#x}", self.0)
            }
        }
    };
}
hexadecimal!(Rva);
hexadecimal!(FileOffset);
