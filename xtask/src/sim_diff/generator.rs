//! Random operations near what is mapped: most of them do something, some are wrong on purpose.

use super::operation::{Operation, Resource};
use plat_host::kernel_lab::{Lab, hard_limit};
use plat_regions::linux::{Advice, LinuxSpace};
use plat_regions::{Address, AddressRange};

const PAGE: u64 = 4096;
const HUGE: u64 = 0x20_0000;
/// Where most fixed addresses lie: `WINDOW_PAGES` pages.
const WINDOW: u64 = 0x10_0000_0000;
const WINDOW_PAGES: u64 = 64;
/// Where many mappings lie, when there are to be many.
const CROWD: u64 = 0x20_0000_0000;
/// Number of regions above which regions are rather removed than made.
const REGIONS_MANY: usize = 18;

/// A source of numbers that gives the same for the same seed.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d)
    }

    /// Returns the next number. Source: Steele and others, "Fast splittable pseudorandom number generators", 2014.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}

/// Makes operations for one space.
#[derive(Clone, Debug)]
pub(crate) struct Generator {
    random: Random,
    /// Whether pages are to be reclaimed (`MADV_PAGEOUT`) rather than given away (`MADV_FREE`): together, which of the
    /// given pages go is a matter of lists per processor.
    reclaims: bool,
    /// How many mappings there may be, when there are to be as many.
    crowd: Option<usize>,
    /// How many pages were made mappings of their own to get there.
    filled: u64,
}

impl Generator {
    /// `may_reclaim` says that reclaimed pages stay in memory, for want of anywhere else.
    pub(crate) fn new(seed: u64, may_reclaim: bool) -> Self {
        Self { random: Random::new(seed), reclaims: may_reclaim && seed % 2 == 1, crowd: None, filled: 0 }
    }

    /// Makes the process have about `mappings` mappings, all that it may.
    pub(crate) fn crowd(&mut self, mappings: usize) {
        self.crowd = Some(mappings);
    }

    /// Returns an operation that brings the number of mappings nearer to the most there may be.
    fn crowding(&mut self, space: &LinuxSpace, mappings: usize) -> Option<Operation> {
        let (mappings_pages, length) = (mappings as u64, 4 * mappings as u64 * PAGE);
        if space.vma_at(Address::new(CROWD)).is_none() {
            return Some(Operation::Map {
                address: CROWD,
                length,
                access: 3,
                flags: 0x4032,
                file: None,
                offset: 0,
            });
        }
        // Filling takes every other page in turn; near the limit every other operation is any.
        let missing = mappings.saturating_sub(space.len());
        let page = if 2 * self.filled < mappings_pages && missing > 20 {
            self.filled += 1;
            2 * self.filled - 1
        } else if missing > 2 && self.random.one_in(2) {
            mappings_pages + self.random.below(3 * mappings_pages)
        } else {
            return None;
        };
        let address = CROWD + page * PAGE;
        let access = space.vma_at(Address::new(address)).map_or(1, |(_, vma)| vma.access.bits() ^ 2);
        Some(Operation::Protect { address, length: PAGE, access, grows: 0 })
    }

    /// Returns the next operation, which leaves the lab's own memory alone.
    pub(crate) fn next(&mut self, space: &LinuxSpace) -> Operation {
        loop {
            let operation = self.any(space);
            if touched(&operation).into_iter().flatten().all(is_harmless) {
                return operation;
            }
        }
    }

    fn any(&mut self, space: &LinuxSpace) -> Operation {
        let r = &mut self.random;
        match self.crowd {
            None if space.len() > REGIONS_MANY && r.one_in(2) => return self.unmap(space),
            None => {}
            Some(mappings) => {
                if let Some(operation) = self.crowding(space, mappings) {
                    return operation;
                }
            }
        }
        if self.random.one_in(if self.crowd.is_some() { 500 } else { 50 }) {
            return self.rare(space);
        }
        match self.random.below(100) {
            0..29 => self.map(space),
            29..40 => self.unmap(space),
            40..56 => self.protect(space),
            56..66 => self.remap(space),
            66..76 => self.advise(space),
            76..79 => self.brk(space),
            79..82 => self.lock(space),
            82..89 => Operation::Load { address: self.touch_address(space) },
            _ if self.random.one_in(150) => Operation::Fork,
            _ => Operation::Store { address: self.touch_address(space) },
        }
    }

    /// Returns an operation that changes the rules for those that follow.
    fn rare(&mut self, space: &LinuxSpace) -> Operation {
        let r = &mut self.random;
        match r.below(40) {
            0..20 => self.limit(space),
            20..30 => {
                let bytes = if r.one_in(4) { r.below(12 * PAGE) } else { r.below(12) * PAGE };
                Operation::Resize { file: r.below(4) as usize, bytes }
            }
            30..32 => Operation::LockAll { flags: r.pick(&[1, 2, 3, 5, 6, 7, 3, 1, 4, 0, 9]) },
            32..37 => Operation::UnlockAll,
            37..39 => Operation::Vfork,
            _ => Operation::Seal { file: r.below(4) as usize, seals: r.pick(&[2, 4, 8, 16, 8, 10, 20, 1]) },
        }
    }

    fn limit(&mut self, space: &LinuxSpace) -> Operation {
        let (r, totals) = (&mut self.random, space.totals());
        let resource = r.pick(&[Resource::AddressSpace, Resource::Data, Resource::Stack, Resource::Locked]);
        let near = |r: &mut Random, pages: u64| (pages + r.below(40)).saturating_sub(8) * PAGE + r.below(2);
        let bytes = match resource {
            Resource::Stack => r.pick(&[8 << 20, 8 << 20, 1 << 20, 1 << 16, 3 * PAGE + 1, 0]),
            Resource::Locked if r.one_in(3) => near(r, totals.locked),
            Resource::Locked => r.pick(&[128 << 10, 128 << 10, 64 << 10, 16 << 20, 0]),
            _ if !r.one_in(3) => u64::MAX,
            Resource::AddressSpace if r.one_in(2) => near(r, totals.mapped),
            Resource::AddressSpace => 32 << 20,
            Resource::Data => {
                if r.one_in(2) {
                    near(r, totals.data)
                } else {
                    r.pick(&[4 << 20, 0])
                }
            }
        };
        Operation::Limit { resource, bytes: bytes.min(hard_limit(resource as u32)) }
    }

    /// Returns a page near something that is mapped, or in the window.
    fn address(&mut self, space: &LinuxSpace) -> u64 {
        if self.random.one_in(60) {
            let odd = [0, PAGE, 0x1_0000, 0x4000_0000, 0x7fff_f000, 0x7fff_ffff_e000, 0x7fff_ffff_f000];
            return self.random.pick(&odd);
        }
        let r = &mut self.random;
        // A crowd is to stay one: only few operations go there.
        let elsewhere = if self.crowd.is_some() { !r.one_in(40) } else { r.one_in(3) };
        if elsewhere || space.is_empty() {
            return WINDOW + r.below(WINDOW_PAGES) * PAGE;
        }
        let Some((range, _)) = space.vmas().nth(r.below(space.len() as u64) as usize) else { return WINDOW };
        let near = match r.below(6) {
            0 => range.start.get().wrapping_sub(r.below(4) * PAGE),
            1 => range.end.get().wrapping_add(r.below(4) * PAGE),
            2 => range.start.get(),
            3 if r.one_in(4) => range.start.get().wrapping_sub((250 + r.below(10)) * PAGE),
            _ => range.start.get() + r.below(range.size() / PAGE) * PAGE,
        };
        near & 0x7fff_ffff_ffff
    }

    fn touch_address(&mut self, space: &LinuxSpace) -> u64 {
        let r = &mut self.random;
        let grows =
            |flags: plat_regions::linux::VmFlags| flags.contains(plat_regions::linux::VmFlags::GROWS_DOWN);
        if r.one_in(3)
            && let Some((range, _)) = space.vmas().find(|(_, vma)| grows(vma.flags))
        {
            let below = if r.one_in(4) { r.below(300) } else { r.below(4) };
            return range.start.get().saturating_sub(below * PAGE).saturating_add(r.below(PAGE));
        }
        let inside = r.below(PAGE);
        self.address(space).saturating_add(inside).min(0x7fff_ffff_ffff)
    }

    fn length(&mut self) -> u64 {
        let r = &mut self.random;
        match r.below(40) {
            0 => 0,
            1 => 1 + r.below(8 * PAGE),
            2 => HUGE,
            3 => (1 + r.below(3)) * HUGE - r.below(2) * PAGE,
            4 => 512 * PAGE + r.below(3) * PAGE,
            5 if r.one_in(10) => {
                r.pick(&[1 << 30, 1 << 36, 1 << 46, 0x7fff_ffff_f000, u64::MAX - 4095, u64::MAX])
            }
            _ => (1 + r.below(8)) * PAGE,
        }
    }

    /// Returns an access: often that of a neighbour of the range, so that regions may merge.
    fn access_near(&mut self, space: &LinuxSpace, address: u64, length: u64) -> u8 {
        let at = match self.random.below(4) {
            0 => address.wrapping_sub(1),
            1 => address.wrapping_add(length),
            _ => return self.access(),
        };
        space.vma_at(Address::new(at)).map_or_else(|| self.access(), |(_, vma)| vma.access.bits())
    }

    fn access(&mut self) -> u8 {
        // rw, r, none, rwx, r-x, -w-, --x
        self.random.pick(&[3, 3, 3, 3, 3, 1, 1, 0, 7, 5, 2, 4])
    }

    fn map(&mut self, space: &LinuxSpace) -> Operation {
        let length = self.length();
        let hinted = self.address(space);
        let access = self.access_near(space, hinted, length);
        let r = &mut self.random;
        let mut flags = if r.one_in(5) { 1 } else { 2 };
        let file = r.one_in(4).then(|| r.below(4) as usize);
        flags |= if file.is_none() { 0x20 } else { 0 };
        let mut address = if r.one_in(3) { 0 } else { hinted };
        match r.below(10) {
            0..4 => {
                flags |= 0x10;
                address = hinted;
            }
            4 => {
                flags |= 0x10_0000;
                address = hinted;
            }
            5 if r.one_in(4) => flags |= 0x40,
            _ => {}
        }
        let small = length <= 64 * PAGE;
        let extra =
            [(0x100, 7), (0x2000, 30), (0x4000, 9), (0x8000, 15), (0x2_0000, 25), (0x80, 40), (0x1_0000, 40)];
        for (flag, odds) in extra {
            if r.one_in(odds) && (small || !matches!(flag, 0x2000 | 0x8000)) {
                flags |= flag;
            }
        }
        if r.one_in(50) {
            address = address.wrapping_add(r.below(PAGE));
        }
        if r.one_in(100) {
            flags ^= r.pick(&[1, 2, 3]);
        }
        let offset = if file.is_some() { r.below(6) * PAGE + u64::from(r.one_in(60)) } else { 0 };
        Operation::Map { address, length, access, flags, file, offset }
    }

    fn unmap(&mut self, space: &LinuxSpace) -> Operation {
        let address = self.address(space);
        if self.random.one_in(120) {
            // Room to start anew: the whole window, or everything high.
            let high = self.random.one_in(2);
            let (address, length) = if high { (0x7f00_0000_0000, 0xff_ffff_f000) } else { (WINDOW, 1 << 30) };
            return Operation::Unmap { address, length };
        }
        let mut length = self.length();
        if self.random.one_in(3)
            && let Some((range, _)) = space.vma_at(Address::new(address))
        {
            length = range.end.get() - address;
        }
        let odd = u64::from(self.random.one_in(80));
        Operation::Unmap { address: address + odd, length }
    }

    fn protect(&mut self, space: &LinuxSpace) -> Operation {
        let (address, mut length) = (self.address(space), self.length());
        if self.random.one_in(3)
            && let Some((range, _)) = space.vma_at(Address::new(address))
        {
            length = range.end.get() - address;
        }
        let access = self.access_near(space, address, length);
        let grows = if self.random.one_in(30) { self.random.pick(&[1, 1, 1, 2, 3]) << 24 } else { 0 };
        let odd = u64::from(self.random.one_in(80));
        Operation::Protect { address: address + odd, length, access, grows }
    }

    fn remap(&mut self, space: &LinuxSpace) -> Operation {
        let (address, mut old, mut new, to) =
            (self.address(space), self.length(), self.length(), self.address(space));
        let r = &mut self.random;
        if r.one_in(2)
            && let Some((range, _)) = space.vma_at(Address::new(address))
        {
            old = range.end.get() - address;
        }
        if r.one_in(3) {
            new = old;
        }
        if r.one_in(30) {
            old = 0;
        }
        let mut flags = r.pick(&[0, 1, 1, 1, 3, 3, 3, 5, 2, 7]);
        if r.one_in(80) {
            flags |= 8;
        }
        let to = if flags & 6 == 4 && r.one_in(2) { 0 } else { to };
        let odd = u64::from(r.one_in(80));
        Operation::Remap { address: address + odd, old, new, flags, to: to + u64::from(r.one_in(80)) }
    }

    fn advise(&mut self, space: &LinuxSpace) -> Operation {
        const USED: &[Advice] = &[
            Advice::Normal,
            Advice::Random,
            Advice::Sequential,
            Advice::WillNeed,
            Advice::DontNeed,
            Advice::DontNeed,
            Advice::DontNeed,
            Advice::Free,
            Advice::DontFork,
            Advice::DoFork,
            Advice::DoFork,
            Advice::Mergeable,
            Advice::Unmergeable,
            Advice::Unmergeable,
            Advice::NoHugePage,
            Advice::DontDump,
            Advice::DoDump,
            Advice::WipeOnFork,
            Advice::KeepOnFork,
            Advice::Cold,
            Advice::DontNeedLocked,
            Advice::PopulateRead,
            Advice::PopulateWrite,
        ];
        let (address, mut length) = (self.address(space), self.length());
        let advice = match self.random.pick(USED) {
            Advice::Free if self.reclaims => Advice::PageOut,
            advice => advice,
        };
        if matches!(advice, Advice::PopulateRead | Advice::PopulateWrite) {
            length = length.min(16 * PAGE);
        }
        Operation::Advise { address: address + u64::from(self.random.one_in(80)), length, advice }
    }

    fn brk(&mut self, space: &LinuxSpace) -> Operation {
        let heap = space.heap();
        let r = &mut self.random;
        let address = match r.below(6) {
            0 => heap.start.get(),
            1 => heap.start.get() - r.below(3 * PAGE),
            2 => heap.end.get() + r.below(600 * PAGE),
            _ => heap.start.get() + r.below(24 * PAGE),
        };
        Operation::Brk { address }
    }

    fn lock(&mut self, space: &LinuxSpace) -> Operation {
        let (address, length) = (self.address(space), self.length().min(24 * PAGE));
        let r = &mut self.random;
        let address = address + if r.one_in(4) { r.below(PAGE) } else { 0 };
        if r.one_in(2) {
            Operation::Unlock { address, length }
        } else {
            Operation::Lock { address, length, on_fault: r.one_in(3) }
        }
    }
}

/// Returns the ranges that an operation changes, as far as it says.
fn touched(operation: &Operation) -> [Option<AddressRange>; 2] {
    let range = |address: u64, length: u64| {
        let end = address.saturating_add(length).saturating_add(PAGE);
        AddressRange::new(Address::new(address & !(PAGE - 1)), Address::new(end))
    };
    match *operation {
        Operation::Map { address, length, flags, .. } if flags & 0x10_0010 != 0 => {
            [range(address, length), None]
        }
        Operation::Unmap { address, length }
        | Operation::Protect { address, length, .. }
        | Operation::Advise { address, length, .. }
        | Operation::Lock { address, length, .. }
        | Operation::Unlock { address, length } => [range(address, length), None],
        Operation::Remap { address, old, new, to, .. } => [range(address, old.max(1)), range(to, new)],
        Operation::Load { address } | Operation::Store { address } => [range(address, 1), None],
        _ => [None, None],
    }
}

fn is_harmless(range: AddressRange) -> bool {
    Lab::OWN.iter().all(|own| !own.overlaps(range))
}
