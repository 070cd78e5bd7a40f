//! The counters that plat has: objects, their instances, and what Linux says about them.

use plat_host::process::{self as linux};
use plat_host::sysinfo;

use crate::logic::performance::{CounterPath, CounterType, Sample, fits, split_index};
use crate::nt::path::FileSystem;
use crate::nt::process_list::{self, Listed};
use crate::nt::time;

/// A counter of an object.
#[derive(Debug)]
pub(super) struct Counter {
    pub(super) object: &'static str,
    pub(super) name: &'static str,
    pub(super) kind: CounterType,
    source: Source,
}

/// Where a counter's raw value comes from: `first` and the base are units of 100 ns, bytes or numbers.
#[derive(Clone, Copy, Debug)]
enum Source {
    /// Of the whole machine: the value and its base.
    Machine(fn() -> (i64, i64)),
    /// Of a processor's times: idle, kernel, programs, in nanoseconds.
    Processor(fn((u64, u64, u64)) -> u64),
    /// Of a process.
    Process(fn(&Listed) -> u64),
}

/// All counters.
#[rustfmt::skip]
pub(super) const COUNTERS: &[Counter] = &[
    processor("% Processor Time", CounterType::InverseTimer, |(idle, _, _)| idle / 100),
    processor("% Idle Time", CounterType::Timer, |(idle, _, _)| idle / 100),
    processor("% Privileged Time", CounterType::Timer, |(_, kernel, _)| kernel / 100),
    processor("% User Time", CounterType::Timer, |(_, _, user)| user / 100),
    machine("Memory", "Available Bytes", CounterType::LargeRaw, || (available(), 0)),
    machine("Memory", "Available KBytes", CounterType::LargeRaw, || (available() >> 10, 0)),
    machine("Memory", "Available MBytes", CounterType::LargeRaw, || (available() >> 20, 0)),
    machine("Memory", "Committed Bytes", CounterType::LargeRaw, || (committed().0, 0)),
    machine("Memory", "Commit Limit", CounterType::LargeRaw, || (committed().1, 0)),
    machine("Memory", "% Committed Bytes In Use", CounterType::Fraction, committed),
    machine("System", "System Up Time", CounterType::Elapsed, || (boot(), time::now())),
    machine("System", "Processes", CounterType::Raw, || (linux::all().len() as i64, 0)),
    machine("System", "Threads", CounterType::Raw, || (threads(), 0)),
    process("% Processor Time", CounterType::Timer, |one| (one.facts.used.user + one.facts.used.kernel) / 100),
    process("% User Time", CounterType::Timer, |one| one.facts.used.user / 100),
    process("% Privileged Time", CounterType::Timer, |one| one.facts.used.kernel / 100),
    process("ID Process", CounterType::Raw, |one| one.facts.id.into()),
    process("Creating Process ID", CounterType::Raw, |one| one.facts.parent.into()),
    process("Working Set", CounterType::LargeRaw, |one| one.facts.resident),
    process("Working Set Peak", CounterType::LargeRaw, |one| one.facts.resident_peak),
    process("Virtual Bytes", CounterType::LargeRaw, |one| one.facts.address_space),
    process("Thread Count", CounterType::Raw, |one| one.facts.threads.into()),
    process("Handle Count", CounterType::Raw, |one| linux::descriptors(one.facts.id) as u64),
    process("Page Faults/sec", CounterType::Rate, |one| one.facts.faults),
    process("Elapsed Time", CounterType::Elapsed, |one| since_epoch(one.facts.started)),
];

const fn machine(
    object: &'static str,
    name: &'static str,
    kind: CounterType,
    of: fn() -> (i64, i64),
) -> Counter {
    Counter { object, name, kind, source: Source::Machine(of) }
}

const fn processor(name: &'static str, kind: CounterType, of: fn((u64, u64, u64)) -> u64) -> Counter {
    Counter { object: "Processor", name, kind, source: Source::Processor(of) }
}

const fn process(name: &'static str, kind: CounterType, of: fn(&Listed) -> u64) -> Counter {
    Counter { object: "Process", name, kind, source: Source::Process(of) }
}

/// The name of what stands for all instances.
const TOTAL: &str = "_Total";

fn available() -> i64 {
    sysinfo::memory_status().available as i64
}

/// Returns the memory that is in use with swap, and how much there could be.
fn committed() -> (i64, i64) {
    let memory = sysinfo::memory_status();
    let used = memory.total - memory.available.min(memory.total) + memory.swap_total
        - memory.swap_free.min(memory.swap_total);
    (used as i64, (memory.total + memory.swap_total) as i64)
}

/// Returns when the system began, a FILETIME.
fn boot() -> i64 {
    time::now() - (time::tick_count() * 10_000) as i64
}

fn since_epoch(nanoseconds: u64) -> u64 {
    boot() as u64 + nanoseconds / 100
}

fn threads() -> i64 {
    linux::all().into_iter().filter_map(linux::facts).map(|facts| i64::from(facts.threads)).sum()
}

/// Says whether instances of an object are named.
pub(super) fn has_instances(object: &str) -> bool {
    COUNTERS.iter().any(|counter| {
        counter.object.eq_ignore_ascii_case(object) && !matches!(counter.source, Source::Machine(_))
    })
}

/// Returns the name of a process's instance: the program's without `.exe`.
fn instance_name(listed: &Listed) -> String {
    let name = String::from_utf16_lossy(&listed.name);
    let is_program = name.len() > 4 && name[name.len() - 4..].eq_ignore_ascii_case(".exe");
    if is_program { name[..name.len() - 4].to_owned() } else { name }
}

/// Returns the instances of an object, numbered where several have a name (`name`, `name#1`).
pub(super) fn instances(object: &str, files: &FileSystem) -> Vec<String> {
    let mut names: Vec<String> = match object.to_ascii_lowercase().as_str() {
        "processor" => (0..linux::processor_times().len()).map(|number| number.to_string()).collect(),
        "process" => process_list::all(files).iter().map(instance_name).collect(),
        _ => return Vec::new(),
    };
    for place in 1..names.len() {
        let earlier = names[..place].iter().filter(|name| split_index(name).0 == names[place]).count();
        if earlier > 0 {
            names[place] = format!("{}#{earlier}", names[place]);
        }
    }
    names.push(TOTAL.to_owned());
    names
}

impl Counter {
    /// Finds the counter of a path, if its object has it.
    pub(super) fn find(path: &CounterPath) -> Option<&'static Self> {
        COUNTERS.iter().find(|counter| {
            counter.object.eq_ignore_ascii_case(&path.object)
                && counter.name.eq_ignore_ascii_case(&path.counter)
        })
    }

    /// Takes a sample of an instance; `None` where it is not there.
    pub(super) fn sample(&self, path: &CounterPath, files: &FileSystem) -> Option<Sample> {
        let at = time::now();
        let is_total = path.instance.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(TOTAL));
        let clock = if self.kind == CounterType::Rate { time::performance_counter() } else { at };
        let first = match self.source {
            Source::Machine(of) => {
                let (first, second) = of();
                let has_base = matches!(self.kind, CounterType::Fraction | CounterType::Elapsed);
                return Some(Sample { first, second: if has_base { second } else { at }, at });
            }
            Source::Processor(of) => {
                let times = linux::processor_times();
                match is_total {
                    // The mean of all.
                    true => times.iter().map(|&times| of(times)).sum::<u64>() / times.len().max(1) as u64,
                    false => of(*times.get(path.instance.as_ref()?.parse::<usize>().ok()?)?),
                }
            }
            Source::Process(of) => {
                let list = process_list::all(files);
                let name = path.instance.as_ref()?;
                let is_named = |one: &&Listed| instance_name(one).eq_ignore_ascii_case(name);
                match is_total {
                    true => list.iter().map(of).sum(),
                    false => of(list.iter().filter(is_named).nth(path.index as usize)?),
                }
            }
        };
        Some(Sample { first: first as i64, second: clock, at })
    }
}

/// Returns the paths that a path with wildcards stands for.
pub(super) fn expand(path: &CounterPath, files: &FileSystem) -> Vec<CounterPath> {
    let mut found = Vec::new();
    let fitting =
        |counter: &&Counter| fits(&path.object, counter.object) && fits(&path.counter, counter.name);
    for counter in COUNTERS.iter().filter(fitting) {
        let made = |instance: Option<(&str, u32)>| CounterPath {
            machine: path.machine.clone(),
            object: counter.object.to_owned(),
            parent: None,
            instance: instance.map(|(name, _)| name.to_owned()),
            index: instance.map_or(0, |(_, index)| index),
            counter: counter.name.to_owned(),
        };
        match &path.instance {
            Some(pattern) if has_instances(counter.object) => {
                for instance in instances(counter.object, files) {
                    let (name, index) = split_index(&instance);
                    let is_index = pattern.contains(['*', '?']) || index == path.index;
                    if fits(pattern, name) && is_index {
                        found.push(made(Some((name, index))));
                    }
                }
            }
            None if !has_instances(counter.object) => found.push(made(None)),
            _ => {}
        }
    }
    found
}
