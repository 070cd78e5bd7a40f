//! Whole granules: the parts of a free range that may be handed out.

use crate::{Address, AddressRange};

/// The unit in which gaps count: a power of two, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Granule {
    mask: u64,
}

impl Granule {
    /// Takes `bytes` rounded up to a power of two, at most 2^63.
    pub(super) fn new(bytes: u64) -> Self {
        Self { mask: bytes.max(1).checked_next_power_of_two().unwrap_or(1 << 63) - 1 }
    }

    /// Returns the size in bytes.
    pub(super) fn size(self) -> u64 {
        self.mask + 1
    }

    /// Returns how many bytes of whole granules lie between two addresses; 0 when `end` is not above `start`.
    pub(super) fn room(self, start: Address, end: Address) -> u64 {
        // Saturation is exact: nothing whole lies between 2^64 minus one granule and the last address.
        let first = start.get().saturating_add(self.mask) & !self.mask;
        (end.get() & !self.mask).saturating_sub(first)
    }

    /// Returns the whole granules between two addresses, or `None` when there is none.
    pub(super) fn whole(self, start: Address, end: Address) -> Option<AddressRange> {
        let range = AddressRange { start: start.align_up(self.size())?, end: end.align_down(self.size()) };
        (range.start < range.end).then_some(range)
    }
}
