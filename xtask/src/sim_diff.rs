//! `cargo xtask sim-diff`: the simulated Linux against the kernel of this machine, on the same random operations.
//!
//! After every operation the value returned and the map around what it may have changed are compared; after every batch
//! the whole map, and which private pages are in memory. The simulator runs ahead by a batch, so that both work at once. A difference is shrunk to the operations that it needs.

mod generator;
mod operation;
mod pages;
mod windows;

use anyhow::{Context, Result, bail};
use generator::Generator;
use operation::Operation;
use pages::Pages;
use plat_host::kernel_lab::{Call, Lab, LabOptions, Order, PAGEMAP_FD, SCRATCH, SCRATCH_SIZE, memory_file};
use plat_regions::linux::{
    Backing, Limits, LinuxSpace, MachineLayout, OpenFile, Overcommit, Policy, Step, VmFlags, Vma,
};
use plat_regions::{Access, Address, AddressRange, Direction, Label};
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Instant;

/// Operations of one seed; the next seed starts a new process.
const STEPS_PER_SEED: u64 = 10_000;
/// Operations posted at once.
const BATCH: usize = 512;
/// Most words that the answers of a batch may have.
const WORDS_MAX: usize = plat_host::kernel_lab::ANSWER_WORDS_MAX / 2;

/// What is compared, and from which seed on.
#[derive(Clone, Copy, Debug)]
struct Plan {
    steps: u64,
    seed: u64,
    per_seed: u64,
    /// Whether to tell how often each reason was given.
    reasons: bool,
}

/// How often each reason was given.
type Reasons = BTreeMap<&'static str, u64>;

/// Compares; `--steps N` operations, from `--seed S` on, `--per-seed N` of them in one process.
pub(crate) fn sim_diff(arguments: &[String]) -> Result<()> {
    if arguments.iter().any(|word| word == "--windows") {
        return windows::windows(arguments);
    }
    let mut plan = Plan { steps: 200_000, seed: 1, per_seed: STEPS_PER_SEED, reasons: false };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut number = || -> Result<u64> {
            let text = words.next().with_context(|| format!("{word} needs a number"))?;
            text.parse().with_context(|| format!("{word} {text}"))
        };
        match word.as_str() {
            "--reasons" => plan.reasons = true,
            "--steps" => plan.steps = number()?,
            "--seed" => plan.seed = number()?,
            "--per-seed" => plan.per_seed = number()?.max(1),
            _ => bail!("sim-diff knows --steps, --seed, --per-seed and --reasons, not {word}"),
        }
    }
    let machine = Machine::read()?;
    println!("kernel {}, {} operations from seed {}", machine.release, plan.steps, plan.seed);
    if let Some(warning) = machine.warning() {
        println!("{warning}");
    }
    let start = Instant::now();
    let (steps, seeds, reasons) = run(&machine, plan)?;
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{steps} operations of {seeds} seeds in {seconds:.2} s ({:.0} a second): 0 differences",
        steps as f64 / seconds
    );
    for (reason, count) in reasons {
        println!("{count:>10} {reason}");
    }
    Ok(())
}

fn run(machine: &Machine, plan: Plan) -> Result<(u64, u64, Reasons)> {
    let (mut done, mut seed, mut reasons) = (0, plan.seed, Reasons::new());
    while done < plan.steps {
        let steps = plan.per_seed.min(plan.steps - done);
        let setting = Setting::of(seed);
        if let Some(found) = compare_seed(machine, &setting, Plan { seed, steps, ..plan }, &mut reasons)? {
            let shortest = shrink(machine, &setting, found)?;
            bail!(
                "seed {seed} differs; replay: cargo xtask sim-diff --seed {seed} --steps {steps} --per-seed {}\n{shortest}",
                plan.per_seed
            );
        }
        done += steps;
        seed += 1;
    }
    Ok((done, seed - plan.seed, reasons))
}

/// What of this machine the rules depend on.
#[derive(Clone, Debug)]
struct Machine {
    release: String,
    lowest: u64,
    lowest_fixed: u64,
    mappings: usize,
    overcommit: Overcommit,
}

impl Machine {
    fn read() -> Result<Self> {
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
        Ok(Self { release, lowest: lowest_hint()?, lowest_fixed, mappings, overcommit })
    }

    /// Says in words when the rules were written for another kernel than this.
    fn warning(&self) -> Option<String> {
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

/// What a seed decides besides the operations: the limits and the direction.
#[derive(Clone, Copy, Debug)]
struct Setting {
    stack: u64,
    locked: u64,
    address_space: u64,
    data: u64,
    bottom_up: bool,
}

impl Setting {
    fn of(seed: u64) -> Self {
        let unlimited = u64::MAX;
        Self {
            stack: if seed.is_multiple_of(3) { 1 << 20 } else { 8 << 20 },
            locked: if seed % 5 == 1 { 0 } else { 128 << 10 },
            address_space: if seed % 7 == 3 { 32 << 20 } else { unlimited },
            data: if seed % 11 == 5 { 4 << 20 } else { unlimited },
            bottom_up: seed % 6 == 4,
        }
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
struct Pair {
    lab: Lab,
    space: LinuxSpace,
    files: Vec<Arc<OpenFile>>,
    pages: Pages,
}

impl Pair {
    fn new(machine: &Machine, setting: &Setting) -> Result<Self> {
        let sizes: [u64; 2] = [8 * 4096, 3 * 4096 + 100];
        let mut descriptors: Vec<OwnedFd> = Vec::new();
        for size in sizes {
            let (file, reader) = memory_file(size)?;
            descriptors.extend([file, reader]);
        }
        let file = |id: u64, writable, size_bytes| {
            let name = Label::fixed("/memfd:plat-lab-file (deleted)");
            Arc::new(OpenFile {
                id,
                inode: id,
                readable: true,
                writable,
                size_bytes,
                aligns_huge: false,
                name,
            })
        };
        let files = vec![
            file(1, true, sizes[0]),
            file(2, false, sizes[0]),
            file(3, true, sizes[1]),
            file(4, false, sizes[1]),
        ];
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
        let file =
            OpenFile { id, inode, readable: true, writable: true, size_bytes, aligns_huge: false, name };
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

/// Adds what the lab should answer: the value, and the map in the windows as it then is.
fn expect(space: &LinuxSpace, value: i64, windows: [AddressRange; 2], words: &mut Vec<u64>) {
    let head = words.len();
    words.extend([value as u64, 0]);
    for (range, vma) in windows.into_iter().flat_map(|window| space.overlapping(window)) {
        words[head + 1] += 1;
        let flags = u64::from(vma.access.bits()) | if vma.is_shared() { 8 } else { 0 };
        words.extend([range.start.get(), range.end.get(), flags, vma.shown_offset()]);
    }
}

/// Runs of pages that a scan has room for.
const RUNS_MAX: usize = (SCRATCH_SIZE / 2 - SCAN_SIZE) / 24;
/// Size of the argument of a scan in bytes.
const SCAN_SIZE: usize = 96;

impl Pair {
    /// Does an operation in the simulator, and adds what the lab should answer.
    ///
    /// The windows are those that it may have changed, when only these are to be compared.
    fn simulate(&mut self, operation: &Operation, near: bool, expected: &mut Vec<u64>) -> (Order, Vec<Step>) {
        let (value, steps) = operation.apply(&mut self.space, &self.files);
        self.pages.follow(operation, value, &steps, &self.space);
        let windows = if near { operation.windows(value, &self.space) } else { [Order::ALL, Order::NONE] };
        expect(&self.space, value, windows, expected);
        (Order { call: operation.call(), windows }, steps)
    }

    /// Readies a scan of the private pages in memory in half `half` of the scratch memory; returns its call and result.
    fn scan(&mut self, half: usize, expected: &mut Vec<u64>) -> (Order, Vec<u64>) {
        let mut runs = self.pages.runs();
        runs.truncate(3 * RUNS_MAX);
        let offset = half % 2 * (SCRATCH_SIZE / 2);
        let at = SCRATCH.get() + offset as u64;
        self.lab.write_scratch(offset, &pages::scan_argument(at + SCAN_SIZE as u64, RUNS_MAX as u64));
        let call = Call::System { number: 16, arguments: [PAGEMAP_FD, 0xc060_6610, at, 0, 0, 0] };
        let order = Order::whole(call);
        expect(&self.space, (runs.len() / 3) as i64, order.windows, expected);
        (order, runs)
    }

    /// Returns the runs of pages that the scan in half `half` found, at most as many as `words`.
    fn scanned(&self, half: usize, words: usize) -> Vec<u64> {
        self.lab.read_scratch(half % 2 * (SCRATCH_SIZE / 2) + SCAN_SIZE, words)
    }
}

/// What went wrong: the operations up to it.
struct Found {
    operations: Vec<Operation>,
}

/// Runs one seed; returns the operations up to the first difference, if there is one.
fn compare_seed(
    machine: &Machine,
    setting: &Setting,
    plan: Plan,
    reasons: &mut Reasons,
) -> Result<Option<Found>> {
    let mut pair = Pair::new(machine, setting)?;
    let mut generator = Generator::new(plan.seed);
    let mut operations: Vec<Operation> = Vec::new();
    let mut waiting: Option<(usize, Vec<u64>, Vec<u64>)> = None;
    let mut half = 0;
    let (mut spare, mut answers, mut calls) = (Vec::new(), Vec::new(), Vec::<Order>::new());
    loop {
        let first = operations.len();
        let mut expected = std::mem::take(&mut spare);
        expected.clear();
        calls.clear();
        while calls.len() < BATCH && (operations.len() as u64) < plan.steps && expected.len() < WORDS_MAX {
            let operation = generator.next(&pair.space);
            let (order, steps) = pair.simulate(&operation, true, &mut expected);
            calls.push(order);
            for step in steps.iter().filter(|_| plan.reasons) {
                *reasons.entry(step.reason.code()).or_default() += 1;
            }
            operations.push(operation);
        }
        let mut runs = Vec::new();
        if !calls.is_empty() {
            half += 1;
            let (call, expected_runs) = pair.scan(half, &mut expected);
            runs = expected_runs;
            calls.push(call);
            pair.lab.post(&calls)?;
        }
        if let Some((start, wanted, runs)) = waiting.take() {
            pair.lab.take(&mut answers)?;
            let scanned_half = if calls.is_empty() { half } else { half - 1 };
            if answers != wanted || pair.scanned(scanned_half, runs.len()) != runs {
                operations.truncate(start + answer_of(&wanted, first_difference(&wanted, &answers)) + 1);
                return Ok(Some(Found { operations }));
            }
            spare = wanted;
        }
        if calls.is_empty() {
            return Ok(None);
        }
        waiting = Some((first, expected, runs));
    }
}

fn first_difference(wanted: &[u64], answers: &[u64]) -> usize {
    wanted.iter().zip(answers).position(|(a, b)| a != b).unwrap_or(wanted.len().min(answers.len()))
}

/// Returns the index of the answer that the word belongs to.
fn answer_of(words: &[u64], word: usize) -> usize {
    let (mut at, mut index) = (0, 0);
    while let Some(regions) = words.get(at + 1) {
        at += 2 + 4 * *regions as usize;
        if at > word {
            break;
        }
        index += 1;
    }
    index
}

/// One run of a list of operations: the first that differs, and how.
struct Difference {
    index: usize,
    wanted: Vec<u64>,
    answered: Vec<u64>,
    before: Vec<u64>,
    /// Runs of pages, as simulated and as scanned.
    pages: [Vec<u64>; 2],
    steps: Vec<Step>,
}

/// Runs operations one by one in a new pair, with a scan after each; returns the first difference.
fn rerun(machine: &Machine, setting: &Setting, operations: &[Operation]) -> Result<Option<Difference>> {
    let mut pair = Pair::new(machine, setting)?;
    let (mut answers, mut before) = (Vec::new(), Vec::new());
    for (index, operation) in operations.iter().enumerate() {
        let mut expected = Vec::new();
        let (order, steps) = pair.simulate(operation, false, &mut expected);
        let size = expected.len();
        let (scan, runs) = pair.scan(0, &mut expected);
        pair.lab.post(&[order, scan])?;
        pair.lab.take(&mut answers)?;
        let regions = answers.get(1).map_or(0, |regions| *regions as usize);
        let found = (2 + 4 * regions).min(answers.len());
        let count = answers.get(found).map_or(0, |count| *count as usize);
        let scanned = pair.scanned(0, count.min(RUNS_MAX) * 3);
        if answers != expected || scanned != runs {
            expected.truncate(size);
            answers.truncate(found);
            let pages = [runs, scanned];
            return Ok(Some(Difference { index, wanted: expected, answered: answers, before, pages, steps }));
        }
        expected.truncate(size);
        before = expected;
    }
    Ok(None)
}

/// Leaves operations out while a difference remains, and tells it.
fn shrink(machine: &Machine, setting: &Setting, found: Found) -> Result<String> {
    let mut operations = found.operations;
    let Some(mut last) = rerun(machine, setting, &operations)? else {
        return Ok("the difference did not come again".to_owned());
    };
    operations.truncate(last.index + 1);
    let mut size = operations.len() / 2;
    while size > 0 {
        let mut start = 0;
        while start < operations.len() {
            let end = (start + size).min(operations.len());
            let fewer: Vec<_> = operations[..start].iter().chain(&operations[end..]).copied().collect();
            match rerun(machine, setting, &fewer)? {
                Some(difference) => {
                    operations = fewer;
                    operations.truncate(difference.index + 1);
                    last = difference;
                }
                None => start = end,
            }
        }
        size /= 2;
    }
    Ok(tell(setting, &operations, &last))
}

fn tell(setting: &Setting, operations: &[Operation], difference: &Difference) -> String {
    let mut text = format!("{setting:?}\n{} operations:\n", operations.len());
    for operation in operations {
        text += &format!("  {operation}\n");
    }
    text += &format!("before:\n{}", map_text(&difference.before));
    text += &format!("simulated: {}\n{}", value_text(&difference.wanted), map_text(&difference.wanted));
    for step in &difference.steps {
        text += &format!("    {step}\n");
    }
    text += &format!("kernel: {}\n{}", value_text(&difference.answered), map_text(&difference.answered));
    let [simulated, scanned] = &difference.pages;
    if simulated != scanned {
        text += &format!("pages, simulated:\n{}pages, kernel:\n{}", runs_text(simulated), runs_text(scanned));
    }
    text
}

fn value_text(words: &[u64]) -> String {
    match words.first() {
        Some(value) if (*value as i64) < 0 => format!("{}", *value as i64),
        Some(value) => format!("{value:#x}"),
        None => "no answer".to_owned(),
    }
}

fn runs_text(runs: &[u64]) -> String {
    let zeros = |kind: u64| if kind & 32 != 0 { " zeros" } else { "" };
    runs.chunks_exact(3).map(|run| format!("  {:#x}..{:#x}{}\n", run[0], run[1], zeros(run[2]))).collect()
}

fn map_text(words: &[u64]) -> String {
    let mut text = String::new();
    for region in words.get(2..).unwrap_or_default().chunks_exact(4) {
        let access = Access::from_bits_truncate(region[2] as u8);
        let shared = if region[2] & 8 != 0 { 's' } else { 'p' };
        text += &format!("  {:#x}..{:#x} {access}{shared} {:#x}\n", region[0], region[1], region[3]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_thousand_operations_without_a_difference() {
        let plan = Plan { steps: 20_000, seed: 1, per_seed: 1_000, reasons: false };
        let machine = match Machine::read() {
            Ok(machine) => machine,
            Err(error) => return say(&format!("nothing was compared with this kernel: {error:#}")),
        };
        let compared = run(&machine, plan);
        if let Some(warning) = machine.warning() {
            // Another kernel may have other rules: that is news, and no fault of the simulator's.
            return say(&match compared {
                Ok((steps, ..)) => format!("{warning}; {steps} operations are equal all the same"),
                Err(error) => format!("{warning}; they differ: {error:#}"),
            });
        }
        let (steps, seeds, _) = compared.expect("no difference");
        assert_eq!((steps, seeds), (20_000, 20));
    }

    /// Writes past the capture of the test harness: what was not compared is not silent.
    fn say(text: &str) {
        use std::io::Write;
        drop(writeln!(std::io::stderr(), "sim-diff: {text}"));
    }
}
