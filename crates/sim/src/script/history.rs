//! A script that can be gone through forwards and backwards: [`Session`].
//!
//! Every [`EVERY`] commands the state is kept; any other state is made again from the one before it. The model knows no
//! clock and no randomness but its seed, so it comes out the same.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::event::{Event, Pid};
use crate::machine::{Config, Machine};
use crate::script::command::{Command, ScriptError, parse_line};
use crate::script::run::{Outside, State};

/// A state is kept after so many commands.
const EVERY: usize = 16;

/// One command and what it did.
#[derive(Clone, Debug, Serialize)]
pub struct Done {
    /// The line as it was written.
    pub text: String,
    /// What it shows.
    pub output: String,
    /// What happened.
    pub events: Vec<Event>,
    /// Why it could not be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What differs between two states.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Lines of maps and pages that only the first state has, with their process.
    pub removed: Vec<String>,
    /// Lines that only the second state has.
    pub added: Vec<String>,
}

/// A script, and where in it one stands.
#[derive(Clone, Debug)]
pub struct Session {
    commands: Vec<(String, Command)>,
    kept: BTreeMap<usize, State>,
    state: State,
    at: usize,
}

impl Session {
    /// Starts with an empty script.
    pub fn new(config: Config) -> Self {
        let state = State::new(config);
        Self { commands: Vec::new(), kept: BTreeMap::from([(0, state.clone())]), state, at: 0 }
    }

    /// Returns how many commands were carried out to reach this state.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Returns how many commands the script has.
    pub fn len(&self) -> usize {
        self.commands.len()
    }

    /// Returns the commands as they were written.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.commands.iter().map(|(text, _)| text.as_str())
    }

    /// Says whether the script is empty.
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// Returns the state.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Adds a line behind the current place; what came after it is forgotten. Empty lines and remarks are not added.
    ///
    /// # Errors
    /// [`ScriptError`] when the line is no command.
    pub fn add(&mut self, line: &str, number: usize) -> Result<bool, ScriptError> {
        let command = parse_line(line, number)?;
        if command == Command::Nothing {
            return Ok(false);
        }
        self.commands.truncate(self.at);
        let at = self.at;
        self.kept.retain(|kept, _| *kept <= at);
        self.commands.push((line.trim().to_owned(), command));
        Ok(true)
    }

    /// Adds a line behind the end of the script, without carrying it out.
    ///
    /// # Errors
    /// [`ScriptError`] when the line is no command.
    pub fn append(&mut self, line: &str, number: usize) -> Result<(), ScriptError> {
        let command = parse_line(line, number)?;
        if command != Command::Nothing {
            self.commands.push((line.trim().to_owned(), command));
        }
        Ok(())
    }

    /// Adds all lines of a script behind its end, without carrying them out.
    ///
    /// # Errors
    /// The first line that is no command.
    pub fn add_all(&mut self, text: &str) -> Result<(), ScriptError> {
        text.lines().enumerate().try_for_each(|(index, line)| self.append(line, index + 1))
    }

    /// Carries the next command out; `None` at the end.
    pub fn step(&mut self, outside: &mut dyn Outside) -> Option<Done> {
        let (text, command) = self.commands.get(self.at)?.clone();
        let result = self.state.run(&command, outside);
        self.at += 1;
        if self.at.is_multiple_of(EVERY) {
            let mut kept = self.state.clone();
            kept.machine.take_events();
            self.kept.insert(self.at, kept);
        }
        let events = self.state.machine.take_events();
        let (output, error) = match result {
            Ok(output) => (output, None),
            Err(error) => (String::new(), Some(error.to_string())),
        };
        Some(Done { text, output, events, error })
    }

    /// Goes to the state after `target` commands, forwards or backwards; false past the end.
    pub fn jump(&mut self, target: usize, outside: &mut dyn Outside) -> bool {
        if target > self.commands.len() {
            return false;
        }
        if target < self.at
            && let Some((at, state)) = self.kept.range(..=target).next_back()
        {
            (self.at, self.state) = (*at, state.clone());
        }
        while self.at < target {
            self.step(outside);
        }
        true
    }

    /// Goes one command back; false at the start.
    pub fn back(&mut self, outside: &mut dyn Outside) -> bool {
        self.at > 0 && self.jump(self.at - 1, outside)
    }

    /// Compares the states after `a` and after `b` commands; the current place stays. `None` past the end.
    pub fn diff(&mut self, a: usize, b: usize, outside: &mut dyn Outside) -> Option<Difference> {
        let here = self.at;
        let mut states = Vec::new();
        for target in [a, b] {
            if !self.jump(target, outside) {
                return None;
            }
            states.push(self.state.machine.clone());
        }
        self.jump(here, outside);
        Some(Difference::between(&states[0], &states[1]))
    }
}

impl Difference {
    /// Compares two machines.
    pub fn between(old: &Machine, new: &Machine) -> Self {
        let (old, new) = (lines(old), lines(new));
        let only = |these: &[String], those: &[String]| {
            these.iter().filter(|line| !those.contains(line)).cloned().collect()
        };
        Self { removed: only(&old, &new), added: only(&new, &old) }
    }
}

/// Lists a machine as lines: every process, region and page.
fn lines(machine: &Machine) -> Vec<String> {
    let prefixed = |pid: Pid, text: String| {
        text.lines().map(|line| format!("process {pid}: {line}")).collect::<Vec<_>>()
    };
    let mut lines: Vec<String> =
        machine.processes_text().lines().map(|line| line.trim().to_owned()).collect();
    for pid in machine.processes.keys() {
        lines.extend(prefixed(*pid, machine.maps_text(*pid)));
        lines.extend(prefixed(*pid, machine.pages_text(*pid)));
    }
    lines
}
