//! What is compared: the kernel's process and the simulated space, begun with the same limits, files and layout.

use super::files::Files;
use super::operation::{Operation, Resource};
use super::pages::{self, Pages};
use anyhow::{Context, Result, bail};
use plat_host::kernel_lab::{Call, Lab, LabOptions, Order, RUNS_MAX, hard_limit};
use plat_regions::linux::{
    Backing, Limits, LinuxSpace, MachineLayout, OpenFile, Overcommit, Policy, Step, VmFlags, Vma,
};
use plat_regions::{Access, Address, Direction, Label};
use std::sync::Arc;

/// What of this machine the rules depend on.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) release: String,
    lowest: u64,
    lowest_fixed: u64,
    pub(crate) mappings: usize,
    overcommit: Overcommit,
    /// Whether pages may go to a disk.
    pub(crate) swaps: bool,
}

impl Machine {
    pub(crate) fn read() -> Result<Self> {
        let number = |path: &str| -> Result<u64> {
            let text = std::fs::read_to_string(path).with_context(|| format!("reading {path}"))?;
            text.trim().parse().with_context(|| format!("{path}: {text}"))
        };
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned();
        let memory = std::fs::read_to_string("/proc/meminfo")?;
        let kib = |name: &str| -> u64 {
            let line = memory.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
        };
        let overcommit = match number("/proc/sys/vm/overcommit_memory")? {
            0 => Overcommit::Guess { machine_pages: (kib("MemTotal:") + kib("SwapTotal:")) / 4 },
            1 => Overcommit::Always,
            other => bail!("vm.overcommit_memory is {other}: what is promised depends on all processes"),
        };
        let mappings = number("/proc/sys/vm/max_map_count")? as usize;
        let lowest_fixed = number("/proc/sys/vm/mmap_min_addr")?;
        let swaps = std::fs::read_to_string("/proc/swaps")?.lines().count() > 1;
        Ok(Self { release, lowest: lowest_hint()?, lowest_fixed, mappings, overcommit, swaps })
    }

    /// Says in words when the rules were written for another kernel than this.
    pub(crate) fn warning(&self) -> Option<String> {
        let mut parts = self.release.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
        let version = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
        (version != (6, 18)).then(|| format!("the rules are those of Linux 6.18, this is {}", self.release))
    }
}

/// Asks the kernel to which address it raises a low hint: it may be more than `vm.mmap_min_addr`.
fn lowest_hint() -> Result<u64> {
    let mut lab = Lab::start(&LabOptions::default(), &[]).context("starting the lab")?;
    let hint = Operation::Map { address: 4096, length: 4096, access: 0, flags: 0x22, file: None, offset: 0 };
    lab.post(&[Order::whole(hint.call())])?;
    let mut answers = Vec::new();
    lab.take(&mut answers)?;
    answers.first().copied().context("the lab gave no answer")
}

/// Most mappings whose whole map fits the answers of a batch twice, four words each, with those of other operations.
const MAPPINGS_MAX: usize = plat_host::kernel_lab::ANSWER_WORDS_MAX / 10;

/// What a seed decides besides the operations: the limits and the direction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    stack: u64,
    locked: u64,
    address_space: u64,
    data: u64,
    bottom_up: bool,
}

impl Setting {
    pub(crate) fn of(seed: u64) -> Self {
        let unlimited = u64::MAX;
        Self {
            stack: if seed.is_multiple_of(3) { 1 << 20 } else { 8 << 20 },
            locked: if seed % 5 == 1 { 0 } else { 128 << 10 },
            address_space: if seed % 7 == 3 { 32 << 20 } else { unlimited },
            data: if seed % 11 == 5 { 4 << 20 } else { unlimited },
            bottom_up: seed % 6 == 4,
        }
    }

    /// Returns limits under which nothing but the number of mappings is short.
    pub(crate) fn crowded(seed: u64, machine: &Machine) -> Result<Self> {
        if machine.mappings > MAPPINGS_MAX {
            bail!(
                "vm.max_map_count is {}: the lab has room to show {MAPPINGS_MAX} mappings",
                machine.mappings
            );
        }
        Ok(Self { address_space: u64::MAX, data: u64::MAX, ..Self::of(seed) })
    }

    fn options(&self) -> LabOptions {
        LabOptions {
            stack: Some(self.stack),
            locked: Some(self.locked),
            address_space: Some(self.address_space),
            data: Some(self.data),
            bottom_up: self.bottom_up,
        }
    }
}

/// A lab and a simulated space in the same state.
pub(crate) struct Pair {
    pub(crate) lab: Lab,
    pub(crate) space: LinuxSpace,
    files: Files,
    pages: Pages,
}

impl Pair {
    pub(crate) fn new(machine: &Machine, setting: &Setting) -> Result<Self> {
        let (files, descriptors) = Files::new().context("making files in memory")?;
        let lab = Lab::start(&setting.options(), &descriptors).context("starting the lab")?;
        Ok(Self { lab, space: space(machine, setting), files, pages: Pages::default() })
    }
}

fn space(machine: &Machine, setting: &Setting) -> LinuxSpace {
    let mut layout = MachineLayout::x86_64(setting.stack, 0, 0);
    layout.lowest = Address::new(machine.lowest);
    layout.lowest_fixed = Address::new(machine.lowest_fixed);
    layout.direction = if setting.bottom_up { Direction::Up } else { Direction::Down };
    let limits = Limits {
        address_space: setting.address_space,
        data: setting.data,
        data_hard: hard_limit(Resource::Data as u32),
        stack: setting.stack,
        locked: setting.locked,
        may_lock_all: false,
        mappings: machine.mappings,
        overcommit: machine.overcommit,
    };
    let mut space = LinuxSpace::new(Policy::linux_modern(layout), limits);
    for (index, range) in Lab::OWN.into_iter().enumerate() {
        let name = Label::fixed("/memfd:plat-lab (deleted)");
        let (id, inode) = (100 + index as u64, 100 + index as u64);
        let size_bytes = range.size();
        let file = OpenFile {
            id,
            inode,
            readable: true,
            writable: true,
            size_bytes,
            aligns_huge: false,
            seals_writes: false,
            name,
        };
        let (access, flags) = if index == 0 {
            (Access::READ | Access::WRITE, VmFlags::SHARED | VmFlags::MAY_SHARE)
        } else {
            (Access::READ | Access::EXECUTE, VmFlags::empty())
        };
        let flags = flags | VmFlags::MAY_ALL;
        space.seed(
            range,
            Vma { access, flags, backing: Backing::File(Arc::new(file)), page_offset: 0, anon: None },
        );
    }
    // The program's one segment is its code and, as Linux counts, its data.
    space.set_heap(Lab::OWN[1].end, Lab::OWN[1].size());
    space
}

/// Most runs of pages that are compared after each operation; the kernel makes room for them every time.
const RUNS_NEAR: usize = 128;

impl Pair {
    /// Does an operation in the simulator, and adds what the lab should answer.
    ///
    /// The windows are those that it may have changed, when only these are to be compared.
    pub(crate) fn simulate(
        &mut self,
        operation: &Operation,
        near: bool,
        expected: &mut Vec<u64>,
    ) -> (Order, Vec<Step>) {
        let (value, steps) = operation.apply(&mut self.space, &mut self.files);
        self.pages.follow(operation, value, &steps, &self.space);
        let windows = if near { operation.windows(value, &self.space) } else { [Order::ALL, Order::NONE] };
        let runs = match near {
            true if pages::may_change(operation, &steps) => RUNS_NEAR,
            // The look at all pages after the batch is for what nobody thought of.
            true => 0,
            false => RUNS_MAX,
        };
        let order = Order { call: operation.call(), windows, runs };
        self.expect(value, order, expected);
        (order, steps)
    }

    /// Looks at the whole map and all pages, and changes nothing.
    pub(crate) fn look(&self, expected: &mut Vec<u64>) -> Order {
        // brk below the heap's start is refused, and answers with the heap's end.
        let order = Order::whole(Call::System { number: 12, arguments: [0; 6] });
        self.expect(self.space.heap().end.get() as i64, order, expected);
        order
    }

    /// Adds what the lab should answer: the value, and the map and the pages in the windows as they then are.
    fn expect(&self, value: i64, Order { windows, runs, .. }: Order, words: &mut Vec<u64>) {
        let head = words.len();
        words.extend([value as u64, 0]);
        for (range, vma) in windows.into_iter().flat_map(|window| self.space.overlapping(window)) {
            words[head + 1] += 1;
            let flags = u64::from(vma.access.bits()) | if vma.is_shared() { 8 } else { 0 };
            words.extend([range.start.get(), range.end.get(), flags, vma.shown_offset()]);
        }
        let count = words.len();
        words.push(0);
        for window in windows {
            words[count] += self.pages.runs(window, runs, words) as u64;
        }
    }
}
