//! The counters that plat has: objects, their instances, and what Linux says about them.

use std::cell::OnceCell;
use std::collections::HashMap;

use plat_host::network::InterfaceFacts;
use plat_host::process::{self as linux};
use plat_host::statistics::{self, Counts, Disk};
use plat_host::sysinfo;

use super::parts::{self, Drive};
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
    pub(super) source: Source,
}

/// Where a counter's raw value comes from: `first` and the base are units of 100 ns, bytes or numbers.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// Of the whole machine: the value and its base.
    Machine(fn(&Snapshot) -> (i64, i64)),
    /// Of a processor's times: idle, kernel, programs, in nanoseconds.
    Processor(fn((u64, u64, u64)) -> u64),
    /// Of a process.
    Process(fn(&Listed) -> u64),
    /// Of a disk: the value and its base.
    Disk(fn(&Disk) -> (u64, u64)),
    /// Of a drive: the value and its base.
    Drive(fn(&Drive) -> (u64, u64)),
    /// Of a network's interface.
    Network(fn(&InterfaceFacts) -> u64),
}

/// Counters of the machine, its processors and processes.
#[rustfmt::skip]
const COUNTERS: &[Counter] = &[
    processor("% Processor Time", CounterType::InverseTimer, |(idle, _, _)| idle / 100),
    processor("% Idle Time", CounterType::Timer, |(idle, _, _)| idle / 100),
    processor("% Privileged Time", CounterType::Timer, |(_, kernel, _)| kernel / 100),
    processor("% User Time", CounterType::Timer, |(_, _, user)| user / 100),
    machine("Memory", "Available Bytes", CounterType::LargeRaw, |_| (available(), 0)),
    machine("Memory", "Available KBytes", CounterType::LargeRaw, |_| (available() >> 10, 0)),
    machine("Memory", "Available MBytes", CounterType::LargeRaw, |_| (available() >> 20, 0)),
    machine("Memory", "Committed Bytes", CounterType::LargeRaw, |_| (committed().0, 0)),
    machine("Memory", "Commit Limit", CounterType::LargeRaw, |_| (committed().1, 0)),
    machine("Memory", "% Committed Bytes In Use", CounterType::Fraction, |_| committed()),
    machine("Memory", "Page Faults/sec", CounterType::Rate, |now| (now.counts().faults as i64, 0)),
    machine("Memory", "Page Reads/sec", CounterType::Rate, |now| (now.counts().hard_faults as i64, 0)),
    machine("Memory", "Pages Input/sec", CounterType::Rate, |now| (now.counts().read as i64 / 4, 0)),
    machine("Memory", "Pages Output/sec", CounterType::Rate, |now| (now.counts().written as i64 / 4, 0)),
    machine("System", "System Up Time", CounterType::Elapsed, |_| (boot(), time::now())),
    machine("System", "Processes", CounterType::Raw, |now| (now.processes().len() as i64, 0)),
    machine("System", "Threads", CounterType::Raw, |now| (now.threads(), 0)),
    machine("System", "Context Switches/sec", CounterType::Rate, |now| (now.counts().switches as i64, 0)),
    machine("System", "Processor Queue Length", CounterType::Raw, |now| (now.waiting(), 0)),
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

/// Returns all counters, those of an object one after the other.
pub(super) fn all() -> impl Iterator<Item = &'static Counter> {
    [COUNTERS, parts::PHYSICAL, parts::SPACE, parts::LOGICAL, parts::NETWORKS].into_iter().flatten()
}

const fn machine(
    object: &'static str,
    name: &'static str,
    kind: CounterType,
    of: fn(&Snapshot) -> (i64, i64),
) -> Counter {
    Counter { object, name, kind, source: Source::Machine(of) }
}

const fn processor(name: &'static str, kind: CounterType, of: fn((u64, u64, u64)) -> u64) -> Counter {
    Counter { object: "Processor", name, kind, source: Source::Processor(of) }
}

const fn process(name: &'static str, kind: CounterType, of: fn(&Listed) -> u64) -> Counter {
    Counter { object: "Process", name, kind, source: Source::Process(of) }
}

/// What Linux says at one time: each list is read once, when a counter first asks for it.
pub(super) struct Snapshot<'a> {
    files: &'a FileSystem,
    processes: OnceCell<Vec<Listed>>,
    processors: OnceCell<Vec<(u64, u64, u64)>>,
    disks: OnceCell<Vec<(String, Disk)>>,
    drives: OnceCell<Vec<Drive>>,
    networks: OnceCell<Vec<(String, InterfaceFacts)>>,
    counts: OnceCell<Counts>,
}

impl<'a> Snapshot<'a> {
    pub(super) fn new(files: &'a FileSystem) -> Self {
        Self {
            files,
            processes: OnceCell::new(),
            processors: OnceCell::new(),
            disks: OnceCell::new(),
            drives: OnceCell::new(),
            networks: OnceCell::new(),
            counts: OnceCell::new(),
        }
    }

    fn processes(&self) -> &[Listed] {
        self.processes.get_or_init(|| process_list::all(self.files))
    }

    fn processors(&self) -> &[(u64, u64, u64)] {
        self.processors.get_or_init(linux::processor_times)
    }

    fn drives(&self) -> &[Drive] {
        self.drives.get_or_init(|| parts::drives(self.files))
    }

    fn disks(&self) -> &[(String, Disk)] {
        self.disks.get_or_init(|| parts::disks(self.drives()))
    }

    fn networks(&self) -> &[(String, InterfaceFacts)] {
        self.networks.get_or_init(parts::networks)
    }

    fn counts(&self) -> &Counts {
        self.counts.get_or_init(statistics::counts)
    }

    fn threads(&self) -> i64 {
        self.processes().iter().map(|one| i64::from(one.facts.threads)).sum()
    }

    /// Returns how many threads wait for a processor.
    fn waiting(&self) -> i64 {
        (self.counts().running as i64 - self.processors().len() as i64).max(0)
    }
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

/// Says whether instances of an object are named.
pub(super) fn has_instances(object: &str) -> bool {
    all().any(|counter| {
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
pub(super) fn instances(object: &str, now: &Snapshot) -> Vec<String> {
    let Some(counter) = all().find(|counter| counter.object.eq_ignore_ascii_case(object)) else {
        return Vec::new();
    };
    let mut names: Vec<String> = match counter.source {
        Source::Machine(_) => return Vec::new(),
        Source::Processor(_) => (0..now.processors().len()).map(|number| number.to_string()).collect(),
        Source::Process(_) => now.processes().iter().map(instance_name).collect(),
        Source::Disk(_) => now.disks().iter().map(|(name, _)| name.clone()).collect(),
        Source::Drive(_) => now.drives().iter().map(|drive| drive.name.clone()).collect(),
        // There is no sum of interfaces.
        Source::Network(_) => return now.networks().iter().map(|(name, _)| name.clone()).collect(),
    };
    let mut seen = HashMap::new();
    for name in &mut names {
        let earlier = seen.entry(name.clone()).or_insert(0);
        if *earlier > 0 {
            *name = format!("{name}#{earlier}");
        }
        *earlier += 1;
    }
    names.push(TOTAL.to_owned());
    names
}

impl Counter {
    /// Finds the counter of a path, if its object has it.
    pub(super) fn find(path: &CounterPath) -> Option<&'static Self> {
        all().find(|counter| {
            counter.object.eq_ignore_ascii_case(&path.object)
                && counter.name.eq_ignore_ascii_case(&path.counter)
        })
    }

    /// Takes a sample of an instance; `None` where it is not there.
    pub(super) fn sample(&self, path: &CounterPath, now: &Snapshot) -> Option<Sample> {
        let at = time::now();
        let is_event = matches!(self.kind, CounterType::Rate | CounterType::BulkRate);
        let clock = if is_event { time::performance_counter() } else { at };
        let (first, base) = match self.source {
            Source::Machine(of) => of(now),
            _ => {
                let (first, base) = self.instance_values(path, now)?;
                (first as i64, base as i64)
            }
        };
        // A process's start has the present as its base.
        let has_base = self.kind.has_base() && !matches!(self.source, Source::Process(_));
        let second = if has_base { base } else { clock };
        Some(Sample { first, second, at })
    }

    /// Returns an instance's value and base.
    fn instance_values(&self, path: &CounterPath, now: &Snapshot) -> Option<(u64, u64)> {
        let name = path.instance.as_deref()?;
        let values: Vec<(&str, (u64, u64))> = match self.source {
            Source::Machine(_) => return None,
            Source::Processor(of) => {
                let times = now.processors();
                return match name.eq_ignore_ascii_case(TOTAL) {
                    true => {
                        Some((times.iter().map(|&one| of(one)).sum::<u64>() / times.len().max(1) as u64, 0))
                    }
                    false => times.get(name.parse::<usize>().ok()?).map(|&one| (of(one), 0)),
                };
            }
            Source::Process(of) => {
                let list = now.processes();
                let is_named = |one: &&Listed| instance_name(one).eq_ignore_ascii_case(name);
                return match name.eq_ignore_ascii_case(TOTAL) {
                    true => Some((list.iter().map(of).sum(), 0)),
                    false => list.iter().filter(is_named).nth(path.index as usize).map(|one| (of(one), 0)),
                };
            }
            Source::Disk(of) if self.object == parts::DRIVES => {
                now.drives().iter().map(|drive| (&*drive.name, of(&drive.disk))).collect()
            }
            Source::Disk(of) => now.disks().iter().map(|(name, disk)| (&**name, of(disk))).collect(),
            Source::Drive(of) => now.drives().iter().map(|drive| (&*drive.name, of(drive))).collect(),
            Source::Network(of) => now.networks().iter().map(|(name, one)| (&**name, (of(one), 0))).collect(),
        };
        if name.eq_ignore_ascii_case(TOTAL) {
            return self.total(&values);
        }
        values.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    /// Returns what stands for all instances, from the value and base of each.
    fn total(&self, values: &[(&str, (u64, u64))]) -> Option<(u64, u64)> {
        let sum = values.iter().fold((0, 0), |sum, (_, value)| (sum.0 + value.0, sum.1 + value.1));
        // Of parts of the time, the mean.
        let parts = if self.kind == CounterType::Timer || self.kind == CounterType::InverseTimer {
            values.len().max(1) as u64
        } else {
            1
        };
        let is_network = matches!(self.source, Source::Network(_));
        (!is_network).then_some((sum.0 / parts, sum.1))
    }
}

/// Returns the paths that a path with wildcards stands for.
pub(super) fn expand(path: &CounterPath, now: &Snapshot) -> Vec<CounterPath> {
    let mut found = Vec::new();
    let fitting =
        |counter: &&Counter| fits(&path.object, counter.object) && fits(&path.counter, counter.name);
    for counter in all().filter(fitting) {
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
                for instance in instances(counter.object, now) {
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
