//! What `strace -f` prints, carried out in the model: [`Replay`].
//!
//! Lines are `PID call(arguments) = result`; calls that strace cut in two are joined at `resumed`. plat's recordings also
//! hold page faults: `PID faults PAGE[rwxRW][*COUNT]...`, in capitals those that the kernel took on behalf of a call.

mod calls;
mod maps;
mod overlap;
mod shared;

pub(in crate::script) use calls::plain_call;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use plat_regions::linux::OpenFile;

use crate::event::Pid;
use crate::machine::{Config, Machine, MachineError};
use crate::script::run::Outside;
use crate::structures::{Operation, Span};
pub use maps::Checkpoint;

/// Why a trace cannot be replayed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// A line is not what strace prints.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// The machine cannot do it.
    #[error("line {line}: {source}")]
    Machine {
        /// From 1.
        line: usize,
        /// Why.
        source: MachineError,
    },
}

/// Says whether a text looks like what strace prints.
pub fn is_strace(text: &str) -> bool {
    let first = text.lines().find(|line| !line.is_empty() && !line.starts_with('#'));
    let Some(line) = first else { return false };
    let line = line.trim_start_matches("[pid ").trim_start();
    let digits = line.trim_start_matches(|letter: char| letter.is_ascii_digit());
    line.contains(" = ") && line.contains('(') || digits.starts_with(" faults ") && digits != line
}

/// Open files by their numbers, with the path that they were opened by.
type Descriptors = BTreeMap<i64, (String, Arc<OpenFile>)>;

/// A trace on its way through the model.
#[derive(Clone, Debug)]
pub struct Replay {
    /// The machine; its processes bear the numbers of the trace.
    pub machine: Machine,
    /// Calls whose result in the model is not the recorded one: line, call, recorded, model.
    pub differences: Vec<(usize, String, String, String)>,
    /// How many results were compared and equal.
    pub equal: usize,
    /// How many recorded page faults the model answered with a signal, which the recorded process did not get.
    pub refused_faults: usize,
    /// How many times the kernel may not touch memory for a call, in the model, and the recorded call failed with `EFAULT`.
    pub refused_touches: usize,
    /// What was done to the regions of each process, for the structures.
    pub operations: BTreeMap<Pid, Vec<Operation>>,
    files: BTreeMap<Pid, Descriptors>,
    /// Whose open files a thread uses.
    files_of: BTreeMap<Pid, Pid>,
    halves: BTreeMap<Pid, String>,
    /// Touches that the model refused to calls whose results are still to come.
    touching: BTreeMap<Pid, usize>,
    /// The threads whose last call failed with `EFAULT`: what it touched may stand behind it.
    bad_addresses: BTreeSet<Pid>,
    /// Lines that were carried out before their turn.
    early: BTreeSet<usize>,
    /// The path that each process was started from.
    programs: BTreeMap<Pid, String>,
    checkpoints: Vec<Checkpoint>,
    known: BTreeMap<Pid, Vec<Span>>,
    waiting: BTreeMap<Pid, Vec<String>>,
    segments: shared::Segments,
    /// The trace from its first line on, when it is known as a whole.
    lines: Arc<[String]>,
    line: usize,
}

impl Replay {
    /// Starts with a machine of this make; `checkpoints` are maps that were recorded, and give the random bases.
    pub fn new(config: Config, checkpoints: Vec<Checkpoint>) -> Self {
        Self {
            machine: Machine::new(config),
            differences: Vec::new(),
            equal: 0,
            refused_faults: 0,
            refused_touches: 0,
            touching: BTreeMap::new(),
            bad_addresses: BTreeSet::new(),
            operations: BTreeMap::new(),
            files: BTreeMap::new(),
            files_of: BTreeMap::new(),
            halves: BTreeMap::new(),
            early: BTreeSet::new(),
            programs: BTreeMap::new(),
            segments: shared::Segments::default(),
            checkpoints,
            known: BTreeMap::new(),
            waiting: BTreeMap::new(),
            lines: Arc::from([]),
            line: 0,
        }
    }

    /// Starts with a machine of this make and a trace that is to be carried out line by line.
    pub fn of(config: Config, checkpoints: Vec<Checkpoint>, text: &str) -> Self {
        let lines = text.lines().map(str::to_owned).collect();
        Self { lines, ..Self::new(config, checkpoints) }
    }

    /// Replays a whole trace.
    ///
    /// # Errors
    /// [`ReplayError`] with the line.
    pub fn run(&mut self, text: &str, outside: &mut dyn Outside) -> Result<(), ReplayError> {
        self.lines = text.lines().map(str::to_owned).collect();
        for line in text.lines() {
            self.line(line, outside)?;
            self.machine.take_events();
        }
        Ok(())
    }

    /// Replays one line.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn line(&mut self, text: &str, outside: &mut dyn Outside) -> Result<(), ReplayError> {
        self.line += 1;
        if self.early.remove(&self.line) {
            return Ok(());
        }
        self.machine.begin_step();
        self.one(text, outside)
    }

    fn one(&mut self, text: &str, outside: &mut dyn Outside) -> Result<(), ReplayError> {
        let (pid, column, text) = self.process_of(text);
        let bare = text.trim();
        if bare.is_empty() || bare.starts_with(['#', '+', '-']) {
            return Ok(());
        }
        if let Some(pages) = bare.strip_prefix("faults ") {
            if self.halves.get(&pid).is_some_and(|half| half.starts_with("execve(")) {
                // The new program's map is there before execve returns: these wait for it.
                self.waiting.entry(pid).or_default().push(pages.to_owned());
                return Ok(());
            }
            return self.faults(pid, pages);
        }
        let owned;
        let call = if let Some(start) = bare.strip_suffix("<unfinished ...>") {
            self.halves.insert(pid, start.trim_end().to_owned());
            return Ok(());
        } else if bare.starts_with("<... ") {
            let rest = bare.split_once("resumed>").map_or("", |(_, rest)| rest);
            let Some(start) = self.halves.remove(&pid) else { return Ok(()) };
            owned = format!("{start}{rest}");
            owned.as_str()
        } else {
            bare
        };
        self.call(pid, column, call, outside)
    }

    /// Cuts the process' number off; a line without one belongs to the first process.
    fn process_of<'a>(&self, text: &'a str) -> (Pid, usize, &'a str) {
        let inner = text.trim_start_matches("[pid").trim_start();
        let digits = inner.len() - inner.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        let rest = inner[digits..].trim_start_matches(']');
        match inner[..digits].parse() {
            Ok(pid) if rest.starts_with(' ') => {
                let rest = rest.trim_start();
                (pid, text.len() - rest.len() + 1, rest)
            }
            _ => (self.machine.processes.keys().next().copied().unwrap_or(1), 1, text),
        }
    }

    pub(super) fn wrong(&self, column: usize, message: impl Into<String>) -> ReplayError {
        ReplayError::Syntax { line: self.line, column, message: message.into() }
    }

    pub(super) fn cannot(&self, source: MachineError) -> ReplayError {
        ReplayError::Machine { line: self.line, source }
    }
}
