//! The machine: one processor, its memory, its processes. [`Machine`] is a value: a clone is a snapshot.

use std::borrow::Cow;
use std::collections::BTreeMap;

use plat_regions::linux::{Limits, LinuxSpace, MachineLayout, Policy};
use plat_regions::{Address, AddressRange};
use serde::Serialize;

use crate::cache::PageCache;
use crate::event::{Event, Kind, Pid};
use crate::frames::{FrameUse, Frames};
use crate::kernel::Kernel;
use crate::paging::{Format, PageTables, Walk};
use crate::process::{Counters, Memory, MemoryId, Process, Rules, State};
use crate::random::Random;
use crate::tlb::Tlb;

/// What the machine is made of.
#[derive(Clone, Debug)]
pub struct Config {
    /// The form of the page tables.
    pub format: Format,
    /// Physical memory in frames of 4 KiB.
    pub frames: u32,
    /// Translations that the cache holds.
    pub tlb_entries: usize,
    /// Whether translations of several address spaces live side by side (ASID, PCID).
    pub tlb_identifiers: bool,
    /// The kernel's rules, those of Linux's kind.
    pub policy: Policy,
    /// Whose rules processes follow that are made without a layout.
    pub kernel: Kernel,
    /// What processes may have.
    pub limits: Limits,
    /// Whether addresses are random.
    pub randomize: bool,
    /// Where random numbers start.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            format: Format::FourLevel,
            frames: 1 << 18,
            tlb_entries: 64,
            tlb_identifiers: false,
            policy: Policy::builtin("linux-modern").expect("the name is built in"),
            kernel: Kernel::Posix,
            limits: Limits::default(),
            randomize: false,
            seed: 1,
        }
    }
}

/// What cannot be done at all, whatever the rules say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MachineError {
    /// There is no such process, or it ended.
    #[error("process {pid} does not run{hint}")]
    NoProcess {
        /// Its number.
        pid: Pid,
        /// How it stands, in words that follow.
        hint: String,
    },
    /// Physical memory is full.
    #[error("physical memory is full: all {frames} frames are in use")]
    OutOfMemory {
        /// How many there are.
        frames: u32,
    },
    /// The command is for the other kind of process.
    #[error("process {pid} follows the rules of {has}, and `{command}` is for {wants}")]
    WrongRules {
        /// Its number.
        pid: Pid,
        /// Whose rules it follows.
        has: &'static str,
        /// The command.
        command: &'static str,
        /// Whose rules it should follow.
        wants: &'static str,
    },
    /// A file is not known.
    #[error("no file {path}: say `file {path} size N`, or give a path that exists")]
    NoFile {
        /// Its path.
        path: String,
    },
    /// The kernel has no such thing.
    #[error("{kernel} has no {what}; nearest: {instead}")]
    NotThere {
        /// The kernel's name.
        kernel: &'static str,
        /// What was asked for.
        what: String,
        /// What there is.
        instead: String,
    },
    /// A file cannot be executed.
    #[error("{0}")]
    BadProgram(String),
}

/// The machine and everything in it.
#[derive(Clone, Debug)]
pub struct Machine {
    /// What it is made of.
    pub config: Config,
    /// Physical memory.
    pub frames: Frames,
    /// The translation cache.
    pub tlb: Tlb,
    /// Files and shared memory.
    pub cache: PageCache,
    /// Every process that was not waited for.
    pub processes: BTreeMap<Pid, Process>,
    /// Every address space.
    pub memories: BTreeMap<MemoryId, Memory>,
    pub(crate) events: Vec<Event>,
    pub(crate) step: usize,
    pub(crate) random: Random,
    next_pid: Pid,
    next_memory: u32,
    pub(crate) next_open: u64,
}

/// What there is, in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Frames in use.
    pub frames_in_use: u32,
    /// Frames that two or more page-table entries point at, the page of zeroes left out.
    pub shared_frames: usize,
    /// Frames that hold page tables.
    pub table_frames: usize,
    /// Frames that the page cache holds.
    pub cached_frames: usize,
    /// The most frames that were ever in use.
    pub peak_frames: u32,
}

impl Machine {
    /// Makes a machine without processes; with page tables of 32 bits, Linux gets a layout of 4 GiB.
    pub fn new(mut config: Config) -> Self {
        let layout = &mut config.policy.layout;
        if config.format.address_bits() == 32 && layout.task_end.get() > 1 << 32 {
            let direction = layout.direction;
            *layout = MachineLayout { direction, ..MachineLayout::compat_32(config.limits.stack, 0, 0) };
        }
        Self {
            frames: Frames::new(config.frames),
            tlb: Tlb::new(config.tlb_entries, config.tlb_identifiers),
            cache: PageCache::default(),
            processes: BTreeMap::new(),
            memories: BTreeMap::new(),
            events: Vec::new(),
            step: 0,
            random: Random::new(config.seed),
            next_pid: 1,
            next_memory: 1,
            next_open: 1,
            config,
        }
    }

    /// Makes a process with an empty address space under the machine's Linux rules.
    ///
    /// # Errors
    /// [`MachineError::OutOfMemory`].
    pub fn spawn(&mut self, name: &str) -> Result<Pid, MachineError> {
        let space = LinuxSpace::new(self.config.policy.clone(), self.config.limits);
        let memory = self.add_memory(Rules::Linux(Box::new(space)))?;
        let pid = self.add_process(name, None, memory);
        self.say(
            pid,
            Kind::Process,
            "process-new",
            format!("process {pid} ({name}): an empty address space"),
        );
        Ok(pid)
    }

    pub(crate) fn add_memory(&mut self, rules: Rules) -> Result<MemoryId, MachineError> {
        let full = MachineError::OutOfMemory { frames: self.frames.limit() };
        let tables = PageTables::new(self.config.format, &mut self.frames).ok_or(full)?;
        let id = MemoryId(self.next_memory);
        self.next_memory += 1;
        self.memories.insert(id, Memory { rules, tables, users: 0 });
        Ok(id)
    }

    /// Returns the number that the next process gets.
    pub fn next_pid(&self) -> Pid {
        self.next_pid
    }

    /// Chooses the number of the next process; numbers in use are refused with false.
    pub fn set_next_pid(&mut self, pid: Pid) -> bool {
        let free = !self.processes.contains_key(&pid);
        if free {
            self.next_pid = pid;
        }
        free
    }

    pub(crate) fn add_process(&mut self, name: &str, parent: Option<Pid>, memory: MemoryId) -> Pid {
        let pid = self.next_pid;
        self.next_pid = self.processes.keys().next_back().map_or(pid, |last| pid.max(*last)) + 1;
        if let Some(memory) = self.memories.get_mut(&memory) {
            memory.users += 1;
        }
        let process = Process {
            parent,
            name: name.to_owned(),
            memory,
            state: State::Running,
            borrows: false,
            counters: Counters::default(),
        };
        self.processes.insert(pid, process);
        pid
    }

    /// Returns a process that runs.
    ///
    /// # Errors
    /// [`MachineError::NoProcess`] with what became of it.
    pub fn running(&self, pid: Pid) -> Result<&Process, MachineError> {
        let hint = match self.processes.get(&pid).map(|process| process.state) {
            Some(State::Running) => return Ok(&self.processes[&pid]),
            Some(State::WaitsForVfork { child }) => {
                format!(": it waits until its vfork child {child} calls exec or exit")
            }
            Some(State::Zombie { code }) => format!(": it ended with {code}"),
            Some(State::Killed { by }) => format!(": {by} ended it"),
            None => String::new(),
        };
        Err(MachineError::NoProcess { pid, hint })
    }

    /// Returns the address space of a process, running or not; `None` once it has none.
    pub fn memory(&self, pid: Pid) -> Option<&Memory> {
        self.memories.get(&self.processes.get(&pid)?.memory)
    }

    pub(crate) fn memory_of(&mut self, pid: Pid) -> Result<(MemoryId, &mut Memory), MachineError> {
        let id = self.running(pid)?.memory;
        let gone = MachineError::NoProcess { pid, hint: ": it has no memory".into() };
        self.memories.get_mut(&id).map(|memory| (id, memory)).ok_or(gone)
    }

    pub(crate) fn linux_of(
        &mut self,
        pid: Pid,
        command: &'static str,
    ) -> Result<(MemoryId, &mut LinuxSpace), MachineError> {
        let (id, memory) = self.memory_of(pid)?;
        match &mut memory.rules {
            Rules::Linux(space) => Ok((id, space)),
            Rules::Windows(..) => {
                Err(MachineError::WrongRules { pid, has: "Windows", command, wants: "Linux" })
            }
        }
    }

    pub(crate) fn out_of_memory(&self) -> MachineError {
        MachineError::OutOfMemory { frames: self.frames.limit() }
    }

    /// Notes an event.
    pub(crate) fn say(
        &mut self,
        process: Pid,
        kind: Kind,
        code: impl Into<Cow<'static, str>>,
        text: impl Into<String>,
    ) {
        self.say_about(process, kind, code, text, None);
    }

    pub(crate) fn say_about(
        &mut self,
        process: Pid,
        kind: Kind,
        code: impl Into<Cow<'static, str>>,
        text: impl Into<String>,
        range: Option<AddressRange>,
    ) {
        let (code, text) = (code.into(), text.into());
        self.events.push(Event { step: self.step, process, kind, code, text, range, walk: None });
    }

    pub(crate) fn say_walk(&mut self, process: Pid, code: &'static str, text: String, walk: Walk) {
        let walk = Some(Box::new(walk));
        let kind = Kind::Processor;
        self.events.push(Event {
            step: self.step,
            process,
            kind,
            code: code.into(),
            text,
            range: None,
            walk,
        });
    }

    /// Starts a new step and returns its number: events belong to it from now on.
    pub fn begin_step(&mut self) -> usize {
        self.step += 1;
        self.step
    }

    /// Hands the events out that were noted since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Counts frames.
    pub fn totals(&self) -> Totals {
        let count = |wanted: fn(&FrameUse) -> bool| {
            self.frames.iter().filter(|(_, frame)| wanted(&frame.purpose)).count()
        };
        Totals {
            frames_in_use: self.frames.in_use(),
            shared_frames: self
                .frames
                .iter()
                .filter(|(_, frame)| frame.maps > 1 && frame.purpose != FrameUse::Zero)
                .count(),
            table_frames: count(|purpose| matches!(purpose, FrameUse::Table { .. })),
            cached_frames: count(|purpose| matches!(purpose, FrameUse::Cached { .. })),
            peak_frames: self.frames.peak(),
        }
    }

    /// Checks that every count of references equals the references there are, and that no frame is lost.
    ///
    /// # Errors
    /// What is wrong, and with which frame.
    pub fn check(&self) -> Result<(), String> {
        let mut maps: BTreeMap<_, u32> = BTreeMap::new();
        for memory in self.memories.values() {
            for (_, entry) in memory.tables.all_pages() {
                *maps.entry(entry.frame()).or_default() += 1;
            }
        }
        let cached: std::collections::BTreeSet<_> = self.cache.frames().collect();
        let mut tables = 0;
        for (id, frame) in self.frames.iter() {
            let counted = maps.remove(&id).unwrap_or(0);
            if frame.maps != counted {
                return Err(format!(
                    "frame {} counts {} maps, {counted} entries point at it",
                    id.0, frame.maps
                ));
            }
            let pins = match frame.purpose {
                FrameUse::Anonymous => 0,
                FrameUse::Cached { .. } => u32::from(cached.contains(&id)),
                FrameUse::Table { .. } => {
                    tables += 1;
                    1
                }
                FrameUse::Zero => 1,
            };
            if frame.pins != pins || frame.maps + frame.pins == 0 {
                return Err(format!("frame {} ({:?}) is lost: nobody holds it", id.0, frame.purpose));
            }
        }
        let held: usize = self.memories.values().map(|memory| memory.tables.table_count()).sum();
        match maps.into_keys().next() {
            Some(id) => Err(format!("frame {} is free but entries point at it", id.0)),
            None if held != tables => Err(format!("{tables} frames are tables, {held} tables are held")),
            None => Ok(()),
        }
    }

    /// Reads a byte as a debugger does: without faults, walks or counting; `None` where no page is in memory.
    pub fn peek(&self, pid: Pid, address: Address) -> Option<u8> {
        let entry = self.memory(pid)?.tables.entry(address)?;
        Some(self.frames.byte(entry.frame(), (address.get() & 0xfff) as u16))
    }
}
