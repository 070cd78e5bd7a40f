//! What a layout leaves for DLLs: [`Space`].

use plat_regions::{ALLOCATION_GRANULARITY, Address, AddressRange, Band, Direction, Layout, Use};

use crate::ReservedRange;

/// A range that DLLs may be given bases in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Where it lies; both ends are multiples of 64 KiB.
    pub range: AddressRange,
    /// From which end it fills: the first end is the safe one.
    pub direction: Direction,
}

/// What a layout leaves for DLLs, and what it keeps for itself.
#[derive(Clone, Debug)]
pub struct Space<'a> {
    layout: &'a Layout,
    /// Where new places are found, best first.
    pub segments: Vec<Segment>,
    /// Where a DLL that is there already may stay; ascending and disjoint.
    stays: Vec<AddressRange>,
}

/// Says whether nothing but what the band is for may lie in it. Heaps, stacks and the like also make do with what is left
/// of a band for DLLs that overlaps theirs.
fn is_hard(purpose: Use) -> bool {
    matches!(
        purpose,
        Use::NullGuard
            | Use::Dos
            | Use::SystemImage
            | Use::Environment
            | Use::SharedData
            | Use::Runtime
            | Use::Shared
            | Use::Forbidden
    )
}

impl<'a> Space<'a> {
    /// Makes out what a layout leaves for DLLs.
    pub fn of(layout: &'a Layout) -> Self {
        let hard = layout.bands.iter().filter(|band| is_hard(band.purpose));
        let hard = union(hard.map(|band| band.range).collect());
        let mut segments = Vec::new();
        for band in layout.bands_for(Use::Dll) {
            let mut free: Vec<AddressRange> =
                subtract(band.range, &hard).into_iter().filter_map(whole_units).collect();
            if band.direction == Direction::Down {
                free.reverse();
            }
            segments.extend(free.into_iter().map(|range| Segment { range, direction: band.direction }));
        }
        let keepable = layout.bands.iter().filter(|it| matches!(it.purpose, Use::Dll | Use::AutoBase));
        let keepable = union(keepable.map(|band| band.range).collect());
        let stays = keepable.into_iter().flat_map(|range| subtract(range, &hard)).collect();
        Self { layout, segments, stays }
    }

    /// Returns why a DLL must not lie at a range, or `None` when it may stay there.
    pub fn objection(&self, range: AddressRange) -> Option<String> {
        let index = self.stays.partition_point(|free| free.end <= range.start);
        if self.stays.get(index).is_some_and(|free| free.contains_range(range)) {
            return None;
        }
        // The strictest reason first.
        let strictness = |band: &&Band| (is_hard(band.purpose), band.purpose == Use::Aslr);
        let others = self.layout.bands.iter().filter(|it| !matches!(it.purpose, Use::Dll | Use::AutoBase));
        let hits = others.filter(|band| band.range.overlaps(range));
        Some(match hits.rev().max_by_key(strictness) {
            Some(band) => what_is_there(band),
            None => format!("it is outside the bands of {} for DLLs", self.layout.name),
        })
    }

    /// Returns why a DLL of this size must not have this base, or `None` when it may keep it.
    pub fn objection_to(&self, base: Address, bytes: u64) -> Option<String> {
        if !base.is_aligned(ALLOCATION_GRANULARITY) {
            return Some("its base is no multiple of 64 KiB".into());
        }
        match AddressRange::sized(base, bytes) {
            Some(range) => self.objection(range),
            None => Some("it would pass the end of the address space".into()),
        }
    }

    /// Returns what a layout keeps for something else than all DLLs: for checks of files that are there.
    pub fn reserved(&self) -> Vec<ReservedRange> {
        let others = self.layout.bands.iter().filter(|it| !matches!(it.purpose, Use::Dll | Use::AutoBase));
        let free = |band: &Band| if is_hard(band.purpose) { Vec::new() } else { self.stays.clone() };
        let parts = |band: &'a Band| {
            let made = |range| ReservedRange { range, what: what_is_there(band), owners: band.files.clone() };
            subtract(band.range, &free(band)).into_iter().map(made)
        };
        others.flat_map(parts).collect()
    }

    /// Says whether a file of this name belongs to a band of its own.
    pub fn owner_of(&self, file_name: &str) -> Option<&'a Band> {
        let name = file_name.to_lowercase();
        self.layout.bands.iter().find(|band| band.files.contains(&name))
    }

    /// Returns what heaps and DLLs have together: bands for either, without what is kept; ascending.
    pub fn heap_and_dlls(&self) -> Vec<AddressRange> {
        let wanted = |band: &&Band| matches!(band.purpose, Use::Heap | Use::Dll);
        let both = union(self.layout.bands.iter().filter(wanted).map(|band| band.range).collect());
        let hard = self.layout.bands.iter().filter(|band| is_hard(band.purpose));
        let hard = union(hard.map(|band| band.range).collect());
        both.into_iter().flat_map(|range| subtract(range, &hard)).collect()
    }
}

/// Says what a band is for: its own words, or its use.
fn what_is_there(band: &Band) -> String {
    if band.why.is_empty() { format!("{:?}", band.purpose).to_lowercase() } else { band.why.clone() }
}

/// Shrinks a range to whole units of 64 KiB.
fn whole_units(range: AddressRange) -> Option<AddressRange> {
    let start = range.start.align_up(ALLOCATION_GRANULARITY)?;
    let end = range.end.align_down(ALLOCATION_GRANULARITY);
    AddressRange::new(start, end).filter(|range| !range.is_empty())
}

/// Sorts ranges and joins those that touch.
pub(crate) fn union(mut ranges: Vec<AddressRange>) -> Vec<AddressRange> {
    ranges.sort_unstable();
    let mut joined: Vec<AddressRange> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

/// Returns what is left of a range; `taken` ascends and is disjoint.
pub(crate) fn subtract(range: AddressRange, taken: &[AddressRange]) -> Vec<AddressRange> {
    let mut left = Vec::new();
    let mut start = range.start;
    let first = taken.partition_point(|it| it.end <= range.start);
    for it in taken[first..].iter().take_while(|it| it.start < range.end) {
        left.extend(AddressRange::new(start, it.start).filter(|range| !range.is_empty()));
        start = start.max(it.end);
    }
    left.extend(AddressRange::new(start, range.end).filter(|range| !range.is_empty()));
    left
}

/// Rounds a size up to whole units of 64 KiB; `None` past the end of 64 bits.
pub(crate) fn round_up(bytes: u64) -> Option<u64> {
    Address::new(bytes).align_up(ALLOCATION_GRANULARITY).map(Address::get)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn every_layout_leaves_room_for_dlls() {
        let mut text = String::new();
        for name in Layout::builtin_names() {
            let layout = Layout::builtin(name).expect(name);
            for segment in Space::of(&layout).segments {
                text.push_str(&format!("{name}: {} {:?}\n", segment.range, segment.direction));
            }
        }
        expect![[r#"
            cygwin32: 0x00000000_61600000..0x00000000_70000000 Down
            cygwin32: 0x00000000_38000000..0x00000000_60fc0000 Down
            cygwin64: 0x00000002_00000000..0x00000004_00000000 Down
            cygwin64-3.3: 0x00000002_00000000..0x00000004_00000000 Down
            msys2: 0x00000002_20000000..0x00000004_00000000 Down
            msys2: 0x00000002_00000000..0x00000002_10000000 Down
            win32: 0x00000000_38000000..0x00000000_70000000 Down
            win32-3gb: 0x00000000_38000000..0x00000000_70000000 Down
            win32-4gb: 0x00000000_38000000..0x00000000_70000000 Down
            win64: 0x00000001_80000000..0x00000002_00000000 Down
            win64: 0x00006000_00000000..0x00006f00_00000000 Up
        "#]]
        .assert_eq(&text);
    }

    #[test]
    fn objections_name_the_band() {
        let layout = Layout::builtin("cygwin32").expect("built in");
        let space = Space::of(&layout);
        let says = |start, bytes| {
            space.objection(AddressRange::sized(Address::new(start), bytes).expect("in range"))
        };
        assert_eq!(says(0x6000_0000, 0x1_0000), None);
        expect![[r#"
            Windows 10 from 1703 moves images that ask for less than 0x38000000
            Cygwin's heap, 384 MiB to begin with, grows up from here and on into what is free behind it
            cygwin1.dll with four shared regions below it and room to grow
            KUSER_SHARED_DATA, read-only, the same in every process
            it is outside the bands of cygwin32 for DLLs"#]]
        .assert_eq(
            &[
                says(0x1000_0000, 0x1000),
                says(0x37ff_0000, 0x2_0000),
                says(0x6100_0000, 0x1000),
                says(0x7ffe_0000, 0x1000),
                says(0xc000_0000, 0x1000),
            ]
            .map(Option::unwrap_or_default)
            .join("\n"),
        );
    }
}
