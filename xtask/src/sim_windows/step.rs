//! One memory call of a Windows program as five words, and the random lists of them that are compared.

use plat_regions::windows::State;
use plat_regions::{Address, PAGE_SIZE};

use super::model::{Model, SECTION_SIZE};

/// Size of the window in bytes that the calls work in: what `fixtures/src/memory_steps.c` calls `WINDOW_SIZE`.
pub(crate) const WINDOW_SIZE: u64 = 0x20_0000;

/// What to call, in the numbers of `fixtures/src/memory_steps.c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Kind {
    /// `VirtualAlloc` at an address; `a` is the type, `b` the protection.
    Alloc,
    /// `VirtualFree`; `a` is the type.
    Free,
    /// `VirtualProtect`; `a` is the protection.
    Protect,
    /// A load, or a store when `a` is 1.
    Touch,
    /// `MapViewOfFileEx`; `a` is the access and above 32 bits the section, `b` the offset.
    View,
    /// `UnmapViewOfFile`.
    Unmap,
    /// `VirtualQuery` of one address.
    Query,
    /// `VirtualAlloc` anywhere, and its release.
    Anywhere,
}

/// One call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) kind: Kind,
    pub(crate) address: u64,
    pub(crate) size: u64,
    pub(crate) a: u64,
    pub(crate) b: u64,
}

impl Step {
    /// Returns the words that the guest program reads.
    pub(crate) fn words(&self) -> [u64; 5] {
        [self.kind as u64, self.address, self.size, self.a, self.b]
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind, address, size, a, b } = self;
        write!(f, "{kind:?} at {address:#x} size {size:#x} a {a:#x} b {b:#x}")
    }
}

/// Numbers that follow from a seed (xorshift64*).
pub(crate) struct Random(u64);

impl Random {
    /// Returns a number below `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end
    }

    /// Says yes once in `times`.
    fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    fn pick(&mut self, values: &[u64]) -> u64 {
        values.get(self.below(values.len() as u64) as usize).copied().unwrap_or_default()
    }
}

const RESERVE: u64 = 0x2000;
const COMMIT: u64 = 0x1000;
const TOP_DOWN: u64 = 0x10_0000;
const DECOMMIT: u64 = 0x4000;
const RELEASE: u64 = 0x8000;
const RESET: u64 = 0x8_0000;

/// Makes steps that are likely to do something, from what is in the model's window.
pub(crate) struct Generator {
    random: Random,
}

impl Generator {
    /// Starts from a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self { random: Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1) }
    }

    /// Returns the next step for a model in this state.
    pub(crate) fn next(&mut self, model: &Model) -> Step {
        let kind = match self.random.below(100) {
            0..=33 => Kind::Alloc,
            34..=49 => Kind::Free,
            50..=65 => Kind::Protect,
            66..=83 => Kind::Touch,
            84..=88 => Kind::View,
            89..=91 => Kind::Unmap,
            92..=95 => Kind::Query,
            _ => Kind::Anywhere,
        };
        let (address, size) = (self.address(model), self.size());
        let (mut a, mut b) = (0, 0);
        let mut step = Step { kind, address, size, a, b };
        match kind {
            Kind::Alloc => {
                (a, b) = (self.allocation(model.state(address)), self.protection());
                if a & RESERVE != 0 && !self.random.once_in(4) {
                    step.size = self.random.below(0x6_0000) + 1;
                }
            }
            Kind::Anywhere => (a, b) = (self.any_type(), self.protection()),
            Kind::Free => {
                (a, step.address, step.size) = self.freeing(model, step);
            }
            Kind::Protect => a = self.protection(),
            Kind::Touch => a = self.random.below(2),
            Kind::View => {
                // FILE_MAP_COPY, WRITE, READ, EXECUTE and all that belongs to "all access".
                let access = self.random.pick(&[4, 4, 2, 2, 6, 1, 0x20 | 4, 0x20 | 2, 0x20 | 1, 0xf001f, 0]);
                a = access | self.random.below(2) << 32;
                b = self.random.pick(&[0, 0, 0, 0x1_0000, 0x2_0000, 0x1000, SECTION_SIZE]);
                step.size = if self.random.once_in(3) { 0 } else { self.random.below(0x4_8000) };
                if step.address > 0xffff && !self.random.once_in(8) {
                    step.address &= !0xffff;
                }
            }
            Kind::Unmap | Kind::Query => {}
        }
        step.a = a;
        step.b = b;
        step
    }

    fn address(&mut self, model: &Model) -> u64 {
        let window = model.window();
        if self.random.once_in(60) {
            return self.random.pick(&model.odd_addresses());
        }
        let page = window.start.get() + self.random.below(WINDOW_SIZE / PAGE_SIZE) * PAGE_SIZE;
        let mut address = page;
        if self.random.below(3) != 0 {
            // Near the base of what is there, or at it.
            let run = model.query(Address::new(page));
            address = run.and_then(|run| run.allocation_base).map_or(page, |base| base.get());
            if self.random.below(2) == 0 {
                address = (address + self.random.below(8) * PAGE_SIZE).min(window.end.get() - PAGE_SIZE);
            }
        }
        if self.random.once_in(6) { address + self.random.below(PAGE_SIZE) } else { address }
    }

    fn size(&mut self) -> u64 {
        match self.random.below(20) {
            0 => 0,
            1 => 1,
            2..=12 => (self.random.below(6) + 1) * PAGE_SIZE,
            13..=17 => self.random.below(0x1_8000) + 1,
            _ => self.random.pick(&[0x1_0000, 0x2_0000, 0x10_0000, 0x7000_0000]),
        }
    }

    fn allocation(&mut self, state: State) -> u64 {
        if self.random.once_in(12) {
            return self.any_type();
        }
        match (state, self.random.below(6)) {
            (State::Free, 0..=2) => RESERVE,
            (State::Free, _) => RESERVE | COMMIT,
            (_, 0) => RESERVE | COMMIT,
            (_, 1) => RESET,
            _ => COMMIT,
        }
    }

    fn any_type(&mut self) -> u64 {
        let known = [
            RESERVE,
            RESERVE | COMMIT,
            COMMIT,
            RESERVE | COMMIT | TOP_DOWN,
            RESERVE | TOP_DOWN,
            COMMIT | TOP_DOWN,
            RESET,
            RESET | COMMIT,
            0,
            RELEASE,
            0x8_0000_0000 >> 4,
            0x1,
        ];
        self.random.pick(&known)
    }

    fn protection(&mut self) -> u64 {
        match self.random.below(24) {
            0..=9 => self.random.pick(&[4, 4, 4, 2, 1]),
            10..=15 => self.random.pick(&[0x10, 0x20, 0x40]),
            16..=19 => self.random.pick(&[2, 4, 0x20, 0x40]) | 0x100,
            20 => self.random.pick(&[8, 0x80]),
            21 => self.random.pick(&[0, 3, 6, 0x60, 0x101, 0x1000, 0x204, 0x404]),
            _ => 4,
        }
    }

    fn freeing(&mut self, model: &Model, step: Step) -> (u64, u64, u64) {
        let base = model.query(Address::new(step.address)).and_then(|run| run.allocation_base);
        match (self.random.below(12), base) {
            (0..=3, Some(base)) => (RELEASE, base.get(), 0),
            (4..=8, _) => (DECOMMIT, step.address, step.size),
            (9, _) => (DECOMMIT, step.address, 0),
            (10, _) => (RELEASE, step.address, step.size * self.random.below(2)),
            _ => (self.random.pick(&[RELEASE | DECOMMIT, 0, RELEASE | 1, COMMIT]), step.address, step.size),
        }
    }
}
