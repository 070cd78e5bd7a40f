//! Size classes: multiples of the granularity up to eight of them, then four per doubling, up to 128 KiB.

use super::CHUNK_SIZE;

/// The largest size that comes from a slab, in bytes.
const SMALL_MAX: u64 = 128 * 1024;
/// The largest slab, in bytes. Slot numbers are found by a multiplication that is exact up to here.
const SLAB_MAX: u64 = 1024 * 1024;
/// Slots that a slab has at least, unless that makes it larger than [`SLAB_MAX`].
const SLOTS_MIN: u64 = 16;
const MAGIC_SHIFT: u32 = 40;

/// One size class.
#[derive(Debug)]
struct Class {
    size: u64,
    slab_size: u64,
    /// ⌈2^40 / size⌉: offset × magic ≫ 40 is offset ÷ size for offsets below 1 MiB and sizes up to 128 KiB.
    magic: u64,
}

/// The size classes of a heap and the table from sizes to classes.
#[derive(Debug)]
pub(super) struct Classes {
    granularity_shift: u32,
    classes: Vec<Class>,
    /// Per size in units of the granularity, rounded up: its class.
    by_units: Vec<u8>,
}

impl Classes {
    pub(super) fn new(granularity: u64) -> Self {
        let mut classes = Vec::new();
        let mut by_units = vec![0u8];
        let mut size = granularity;
        while size <= SMALL_MAX {
            by_units.resize((size / granularity) as usize + 1, classes.len() as u8);
            let slab_size = (size * SLOTS_MIN).next_multiple_of(CHUNK_SIZE).min(SLAB_MAX);
            classes.push(Class { size, slab_size, magic: (1u64 << MAGIC_SHIFT).div_ceil(size) });
            let step = (size.next_power_of_two() / 8).max(granularity);
            size += if size.is_power_of_two() { (size / 4).max(granularity) } else { step };
        }
        Self { granularity_shift: granularity.trailing_zeros(), classes, by_units }
    }

    pub(super) fn len(&self) -> usize {
        self.classes.len()
    }

    /// Returns the class for a block of `size` bytes, if it is a small one.
    #[inline]
    pub(super) fn class_for(&self, size: u64) -> Option<usize> {
        let units = size.saturating_add((1 << self.granularity_shift) - 1) >> self.granularity_shift;
        self.by_units.get(usize::try_from(units).ok()?).map(|&class| usize::from(class))
    }

    /// Returns the slot size of a class, in bytes.
    #[inline]
    pub(super) fn size(&self, class: usize) -> u64 {
        self.classes[class].size
    }

    /// Returns the smallest distance of two blocks, in bytes.
    pub(super) fn granularity(&self) -> u64 {
        1 << self.granularity_shift
    }

    /// Returns the slab size of a class, in bytes, a multiple of 64 KiB.
    pub(super) fn slab_size(&self, class: usize) -> u64 {
        self.classes[class].slab_size
    }

    /// Returns the slot that begins at `offset` in a slab, if one does.
    #[inline]
    pub(super) fn slot(&self, class: usize, offset: u64) -> Option<u32> {
        let Class { size, magic, .. } = self.classes[class];
        let slot = (offset * magic) >> MAGIC_SHIFT;
        (slot * size == offset).then_some(slot as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_waste_at_most_a_quarter_and_keep_alignment() {
        for granularity in [8, 16] {
            let classes = Classes::new(granularity);
            assert!(classes.len() < usize::from(u8::MAX));
            for size in 0..=SMALL_MAX {
                let held = classes.size(classes.class_for(size).unwrap());
                assert!(held >= size && held.is_multiple_of(granularity), "{size} in {held}");
                assert!(held <= granularity || held - size < (size / 4).max(granularity), "{size} in {held}");
            }
            assert_eq!(classes.class_for(SMALL_MAX + 1), None);
            assert_eq!(classes.class_for(u64::MAX), None);
        }
    }

    #[test]
    fn slot_division_is_exact() {
        let classes = Classes::new(8);
        for class in 0..classes.len() {
            let size = classes.size(class);
            for offset in (0..SLAB_MAX).step_by(8) {
                let expected = (offset % size == 0).then_some((offset / size) as u32);
                assert_eq!(classes.slot(class, offset), expected, "{offset} / {size}");
            }
        }
    }
}
