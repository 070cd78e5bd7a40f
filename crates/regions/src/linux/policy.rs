//! Kernels as data: where they place mappings, which rules they have, which limits hold.
//!
//! Key types: [`Policy`], [`MachineLayout`], [`Limits`].

use crate::{Address, AddressRange, Direction, PAGE_SIZE};

/// Which mappings may become one when only one of them has an owner of anonymous pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnonMerging {
    /// The one without takes the other's, unless that was made by a fork. Since Linux 6.16.
    UnlessForked,
    /// The neighbour's chain must be its own alone; what is changed may bring any. Until Linux 6.15.
    IfNeighbourSingular,
    /// Equal owners or none: 2.6.
    IfEqualOrNone,
}

/// The addresses that a kernel hands out, fixed when a program starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MachineLayout {
    /// First address that no program may use.
    pub task_end: Address,
    /// Lowest address that a search or a stack reaches, and to which hints are raised: the larger of
    /// `vm.mmap_min_addr` and `CONFIG_LSM_MMAP_MIN_ADDR`.
    pub lowest: Address,
    /// Lowest address that `MAP_FIXED` is allowed (`vm.mmap_min_addr`).
    pub lowest_fixed: Address,
    /// Where a search from the top starts (`mmap_base`).
    pub top_base: Address,
    /// Where a search from the bottom starts.
    pub bottom_base: Address,
    /// From which end the search goes first.
    pub direction: Direction,
    /// Where `MAP_32BIT` searches.
    pub low_band: AddressRange,
}

impl MachineLayout {
    /// Returns the layout of a 64-bit program on x86-64 with a stack of at most `stack_limit` bytes,
    /// its mappings `random_pages` below the fixed place, and its stack moved by at most `stack_random` bytes.
    ///
    /// Source: Linux, arch/x86/mm/mmap.c, `mmap_base`, and arch/x86/include/asm/page_64_types.h.
    pub fn x86_64(stack_limit: u64, stack_random: u64, random_pages: u64) -> Self {
        Self::of(0x7fff_ffff_f000, stack_limit, stack_random, random_pages)
    }

    /// Returns the layout of a 32-bit program on a 64-bit kernel; arguments as for [`Self::x86_64`].
    pub fn compat_32(stack_limit: u64, stack_random: u64, random_pages: u64) -> Self {
        Self::of(0xffff_e000, stack_limit, stack_random, random_pages)
    }

    /// Returns the layout of a program on a 32-bit kernel with 3 GiB for programs.
    pub fn i386(stack_limit: u64, stack_random: u64, random_pages: u64) -> Self {
        Self::of(0xc000_0000, stack_limit, stack_random, random_pages)
    }

    fn of(task_end: u64, stack_limit: u64, stack_random: u64, random_pages: u64) -> Self {
        let random = random_pages.saturating_mul(PAGE_SIZE);
        let guard = Policy::GUARD_GAP_PAGES * PAGE_SIZE;
        let wanted = stack_limit.saturating_add(stack_random).saturating_add(guard);
        // At least 128 MiB and at most five sixths are kept for the stack.
        let gap = wanted.clamp(128 << 20, task_end / 6 * 5);
        let top = (task_end - gap).saturating_sub(random).next_multiple_of(PAGE_SIZE);
        let bottom = (task_end / 3).next_multiple_of(PAGE_SIZE).saturating_add(random);
        Self {
            task_end: Address::new(task_end),
            lowest: Address::new(0x1_0000),
            lowest_fixed: Address::new(0x1_0000),
            top_base: Address::new(top),
            bottom_base: Address::new(bottom),
            direction: Direction::Down,
            low_band: AddressRange { start: Address::new(0x4000_0000), end: Address::new(0x8000_0000) },
        }
    }
}

/// Which kernel it is: its layout and the rules that differ between kernels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Name, such as `linux-modern`.
    pub name: &'static str,
    /// Where things lie.
    pub layout: MachineLayout,
    /// Pages kept free below a mapping that grows down. Since 2.6.36 one page, since 4.12 256.
    pub guard_gap_pages: u64,
    /// Large anonymous mappings start at a multiple of this many bytes. Linux 6.7 and later: 2 MiB.
    pub huge_alignment: Option<u64>,
    /// Whether only multiples of the alignment are aligned (Linux 6.13 and later) or anything as large.
    pub aligns_multiples_only: bool,
    /// Whether the search from the bottom continues where the last one ended (until Linux 3.7).
    pub free_area_cache: bool,
    /// Which mappings with and without an owner of pages may become one.
    pub anon_merging: AnonMerging,
    /// Whether `MAP_FIXED_NOREPLACE` is known (Linux 4.17 and later).
    pub knows_noreplace: bool,
    /// Whether `mremap` moves several mappings in one call (Linux 6.17 and later).
    pub remap_moves_many: bool,
    /// Whether a hint is where an upward search starts, unless it lies between the program and that search's base
    /// (FreeBSD): a busy hint then gives the next higher free place. Linux forgets a busy hint.
    pub searches_from_hint: Option<Address>,
}

impl Policy {
    /// Pages kept free below a stack by every kernel since 4.12.
    pub const GUARD_GAP_PAGES: u64 = 256;
    /// The policies that [`Self::builtin`] knows.
    pub const BUILTIN: [&str; 4] = ["linux-modern", "linux-modern-legacy", "linux-2.6", "freebsd"];

    /// Returns Linux 6.18 on x86-64: top-down.
    pub fn linux_modern(layout: MachineLayout) -> Self {
        Self {
            name: "linux-modern",
            layout,
            guard_gap_pages: Self::GUARD_GAP_PAGES,
            huge_alignment: Some(0x20_0000),
            aligns_multiples_only: true,
            free_area_cache: false,
            anon_merging: AnonMerging::UnlessForked,
            knows_noreplace: true,
            remap_moves_many: true,
            searches_from_hint: None,
        }
    }

    /// Returns Linux 2.6.24 of a 32-bit machine: bottom-up, with the cache of the last free place.
    ///
    /// Source: Mauerer, Professional Linux Kernel Architecture, sections 4.2 and 4.5.
    pub fn linux_2_6(layout: MachineLayout) -> Self {
        Self {
            name: "linux-2.6",
            layout: MachineLayout { direction: Direction::Up, ..layout },
            guard_gap_pages: 0,
            huge_alignment: None,
            aligns_multiples_only: false,
            free_area_cache: true,
            anon_merging: AnonMerging::IfEqualOrNone,
            knows_noreplace: false,
            remap_moves_many: false,
            searches_from_hint: None,
        }
    }

    /// Returns FreeBSD on amd64: upwards from behind the largest heap that a program could have, first fit.
    ///
    /// Known and modelled: the search, what a hint does, no gap below stacks. Not modelled: clusters of anonymous memory,
    /// alignment for superpages, random gaps.
    /// Source: FreeBSD, sys/vm/vm_mmap.c, `kern_mmap`, sys/vm/vm_map.c, `vm_map_find`, sys/amd64/include/vmparam.h.
    pub fn freebsd() -> Self {
        let mut layout = MachineLayout::x86_64(8 << 20, 0, 0);
        layout.direction = Direction::Up;
        layout.bottom_base = Address::new(0x8_0040_0000);
        layout.lowest = Address::new(PAGE_SIZE);
        layout.lowest_fixed = layout.lowest;
        layout.low_band = AddressRange { start: layout.lowest, end: Address::new(0x8000_0000) };
        Self {
            name: "freebsd",
            layout,
            guard_gap_pages: 0,
            huge_alignment: None,
            aligns_multiples_only: false,
            free_area_cache: false,
            anon_merging: AnonMerging::IfEqualOrNone,
            knows_noreplace: false,
            remap_moves_many: false,
            searches_from_hint: Some(Address::new(0x20_0000)),
        }
    }

    /// Returns a built-in policy with the layout of a program that is not randomised and has 8 MiB of stack.
    pub fn builtin(name: &str) -> Option<Self> {
        let stack = 8 << 20;
        match name {
            "linux-modern" => Some(Self::linux_modern(MachineLayout::x86_64(stack, 0, 0))),
            "linux-modern-legacy" => {
                let mut policy = Self::linux_modern(MachineLayout::x86_64(stack, 0, 0));
                policy.name = "linux-modern-legacy";
                policy.layout.direction = Direction::Up;
                Some(policy)
            }
            "freebsd" => Some(Self::freebsd()),
            "linux-2.6" => Some(Self::linux_2_6(MachineLayout::i386(stack, 0, 0))),
            _ => None,
        }
    }
}

/// How much memory the kernel promises (`vm.overcommit_memory`); numbers are pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overcommit {
    /// Refuses only what exceeds all memory and swap at once.
    Guess {
        /// Memory and swap.
        machine_pages: u64,
    },
    /// Promises everything.
    Always,
    /// Promises no more than the limit.
    Never {
        /// All that may be promised.
        limit_pages: u64,
    },
}

/// What a process may have at most; bytes, `u64::MAX` is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `RLIMIT_AS`: all mappings.
    pub address_space: u64,
    /// `RLIMIT_DATA`: private writable mappings, and the heap with the program's data.
    pub data: u64,
    /// The hard limit of `RLIMIT_DATA`: up to it mappings are allowed when the limit itself is 0.
    pub data_hard: u64,
    /// `RLIMIT_STACK`: a mapping that grows down.
    pub stack: u64,
    /// `RLIMIT_MEMLOCK`: locked memory.
    pub locked: u64,
    /// Whether the process may lock as much as it likes (`CAP_IPC_LOCK`).
    pub may_lock_all: bool,
    /// Most mappings (`vm.max_map_count`).
    pub mappings: usize,
    /// What the kernel promises.
    pub overcommit: Overcommit,
}

impl Default for Limits {
    /// Returns the usual limits: 8 MiB of stack and of locked memory, 65,530 mappings.
    fn default() -> Self {
        Self {
            address_space: u64::MAX,
            data: u64::MAX,
            data_hard: u64::MAX,
            stack: 8 << 20,
            locked: 8 << 20,
            may_lock_all: false,
            mappings: 65_530,
            overcommit: Overcommit::Always,
        }
    }
}
