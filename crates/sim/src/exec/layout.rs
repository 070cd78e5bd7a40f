//! Where a program's parts go: fixed places, or random ones from the machine's seed.
//!
//! Source: Linux, arch/x86/mm/mmap.c, arch/x86/include/asm/elf.h (`ELF_ET_DYN_BASE`, stack bits), fs/binfmt_elf.c.

use plat_image::ElfImage;
use plat_regions::linux::{MachineLayout, Policy};
use plat_regions::{Address, AddressRange, PAGE_SIZE};

use crate::machine::Machine;

/// Where the parts of a program lie, as far as it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bases {
    /// First byte of a position-independent program.
    pub exe: Option<u64>,
    /// Where the search for mappings starts from the top.
    pub mmap_base: Option<u64>,
    /// First byte above the stack.
    pub stack_top: Option<u64>,
    /// First byte of the heap.
    pub brk: Option<u64>,
}

/// Where they are to lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chosen {
    pub(super) exe: u64,
    pub(super) stack_top: u64,
    pub(super) brk: Option<u64>,
    pub(super) brk_gap: u64,
}

/// How far the parts move at most, in pages.
#[derive(Clone, Copy)]
struct Ranges {
    mmap: u64,
    stack: u64,
    brk: u64,
}

/// Chooses a layout for a program; a 32-bit program on a 64-bit kernel gets 4 GiB less a page or two.
pub(super) fn choose(
    machine: &mut Machine,
    image: &ElfImage,
    known: Bases,
    stack_limit: u64,
) -> (Policy, Chosen) {
    let mut policy = machine.config.policy.clone();
    let narrow_machine = policy.layout.task_end.get() <= 1 << 32;
    let ranges = if image.is_64 && !narrow_machine {
        Ranges { mmap: 1 << 28, stack: 0x40_0000, brk: (1 << 30) / PAGE_SIZE }
    } else {
        Ranges { mmap: 1 << 8, stack: 0x800, brk: (32 << 20) / PAGE_SIZE }
    };
    let randomize = machine.config.randomize;
    let mut draw = |pages: u64| if randomize { machine.random.below(pages) * PAGE_SIZE } else { 0 };
    let (exe_random, mmap_random, stack_random, brk_gap) =
        (draw(ranges.mmap), draw(ranges.mmap), draw(ranges.stack), draw(ranges.brk));
    let direction = policy.layout.direction;
    if !narrow_machine {
        let stack_max = if randomize { ranges.stack * PAGE_SIZE } else { 0 };
        let make = if image.is_64 { MachineLayout::x86_64 } else { MachineLayout::compat_32 };
        policy.layout = make(stack_limit, stack_max, mmap_random / PAGE_SIZE);
        policy.layout.direction = direction;
    } else if randomize {
        let layout = &mut policy.layout;
        layout.top_base = Address::new(layout.top_base.get().saturating_sub(mmap_random));
        layout.bottom_base = Address::new(layout.bottom_base.get().saturating_add(mmap_random));
    }
    if randomize && policy.layout.low_band.size() > 0x200_0000 {
        let shift = machine.random.below(0x200_0000 / PAGE_SIZE) * PAGE_SIZE;
        let start = policy.layout.low_band.start.get() + shift;
        policy.layout.low_band = AddressRange { start: Address::new(start), ..policy.layout.low_band };
    }
    if let Some(base) = known.mmap_base {
        policy.layout.top_base = Address::new(base);
    }
    let task_end = policy.layout.task_end.get();
    let dyn_base = if image.is_64 { (task_end / 3 * 2) & !(PAGE_SIZE - 1) } else { 0x40_0000 };
    let chosen = Chosen {
        exe: known.exe.unwrap_or(dyn_base + exe_random),
        stack_top: known.stack_top.unwrap_or(task_end - stack_random),
        brk: known.brk,
        brk_gap,
    };
    (policy, chosen)
}
