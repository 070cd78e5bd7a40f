//! `plat sim`: scripts, straces, questions.

mod ask;
mod columns;
mod lesson;
mod place;
mod quiz;
mod repl;
mod replay;
mod structures;
mod walk;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use plat_sim::cache::FileContents;
use plat_sim::paging::Format as TableFormat;
use plat_sim::script::{Difference, Done, Outside, Session};
use plat_sim::{Config, Kernel};

use columns::Column;

use crate::arguments::{Format, Levels, Sim, SimCommand, SimMachine, SimRepl, SimRun};

/// Does what `plat sim` was asked for.
pub(crate) fn sim(arguments: &Sim) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        None => repl::repl(&arguments.machine, None, Box::new(Disk)),
        Some(SimCommand::Repl(arguments)) => walk(arguments),
        Some(SimCommand::Run(arguments)) => run(arguments),
        Some(SimCommand::Place(arguments)) => place::place(arguments),
        Some(SimCommand::Structures(arguments)) => structures::structures(arguments),
        Some(SimCommand::Lesson(arguments)) => lesson::lesson(arguments),
        Some(SimCommand::Quiz(arguments)) => quiz::quiz(arguments),
    }
}

/// Makes the machines that the options ask for, one for each policy.
fn configs(machine: &SimMachine) -> anyhow::Result<Vec<Config>> {
    let one = |name: &String| {
        let known = || format!("no rules are called {name:?}; there are {}", Kernel::BUILTIN.join(", "));
        let (kernel, policy) = Kernel::builtin(name).with_context(known)?;
        Ok(Config {
            format: match machine.levels {
                Levels::Two => TableFormat::TwoLevel,
                Levels::Three => TableFormat::Pae,
                Levels::Four => TableFormat::FourLevel,
            },
            frames: machine.frames,
            tlb_entries: machine.tlb,
            tlb_identifiers: machine.asid,
            policy,
            kernel,
            randomize: machine.seed.is_some(),
            seed: machine.seed.unwrap_or(1),
            ..Config::default()
        })
    };
    machine.policy.iter().map(one).collect()
}

/// Reads a file as text; `-` is standard input.
fn text_of(path: &Path) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().read_to_end(&mut bytes)?;
    } else {
        bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The files of this machine.
struct Disk;

impl Outside for Disk {
    fn file(&mut self, path: &str) -> Option<FileContents> {
        let real = std::fs::canonicalize(path).ok()?;
        let bytes = std::fs::read(&real).ok()?;
        let path = real.to_string_lossy().into_owned();
        Some(FileContents { path, size: bytes.len() as u64, bytes: bytes.into() })
    }
}

/// The files of a list: `PATH SIZE [BYTES IN HEXADECIMAL]` and `PATH -> PATH`.
#[derive(Default)]
struct Listed {
    files: BTreeMap<String, FileContents>,
    links: BTreeMap<String, String>,
}

impl Listed {
    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut listed = Self::default();
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            if let Some((link, target)) = line.split_once(" -> ") {
                listed.links.insert(link.to_owned(), target.to_owned());
                continue;
            }
            let mut words = line.split(' ');
            let path = words.next().unwrap_or_default().to_owned();
            let size = words.next().and_then(|size| size.parse().ok());
            let size = size.with_context(|| format!("line {number}: expected PATH SIZE [BYTES]"))?;
            let digits = words.next().unwrap_or_default();
            let byte = |at: usize| digits.get(at..at + 2).and_then(|byte| u8::from_str_radix(byte, 16).ok());
            let bytes: Option<Arc<[u8]>> = (0..digits.len()).step_by(2).map(byte).collect();
            let bytes = bytes.with_context(|| format!("line {number}: bytes are not hexadecimal"))?;
            listed.files.insert(path.clone(), FileContents { path, size, bytes });
        }
        Ok(listed)
    }
}

impl Outside for Listed {
    fn file(&mut self, path: &str) -> Option<FileContents> {
        self.files.get(self.links.get(path).map_or(path, String::as_str)).cloned()
    }
}

fn outside(files: Option<&Path>) -> anyhow::Result<Box<dyn Outside>> {
    Ok(match files {
        Some(path) => Box::new(Listed::parse(&text_of(path)?).with_context(|| path.display().to_string())?),
        None => Box::new(Disk),
    })
}

/// Walks through a file, or starts with nothing.
fn walk(arguments: &SimRepl) -> anyhow::Result<ExitCode> {
    let outside = outside(arguments.files.as_deref())?;
    let Some(path) = &arguments.file else { return repl::repl(&arguments.machine, None, outside) };
    let text = text_of(path)?;
    if plat_sim::script::is_strace(&text) {
        let checkpoints = replay::checkpoints(arguments.maps.as_deref())?;
        return walk::walk(&arguments.machine, checkpoints, &text, outside);
    }
    repl::repl(&arguments.machine, Some(&text), outside)
}

fn run(arguments: &SimRun) -> anyhow::Result<ExitCode> {
    let text = text_of(&arguments.file)?;
    if plat_sim::script::is_strace(&text) {
        return replay::replay(arguments, &text);
    }
    let mut outside = outside(arguments.files.as_deref())?;
    let configs = configs(&arguments.machine)?;
    let several = configs.len() > 1;
    let (mut json, mut failed) = (Vec::new(), false);
    let mut out = std::io::stdout().lock();
    let mut columns = Vec::new();
    for config in configs {
        let name = config.kernel_name();
        let mut session = Session::new(config);
        session.add_all(&text).with_context(|| arguments.file.display().to_string())?;
        let (mut done, mut states) = (Vec::new(), Vec::new());
        while session.at() < arguments.until.unwrap_or(usize::MAX)
            && let Some(one) = session.step(outside.as_mut())
        {
            failed |= one.error.is_some();
            if arguments.states {
                let state = session.state();
                states.push(state.machine.snapshot(state.current));
            }
            done.push(one);
        }
        let diff = match arguments.diff[..] {
            [a, b] => Some(session.diff(a, b, outside.as_mut()).context("--diff: the script is shorter")?),
            [] => None,
            _ => bail!("--diff: expected two numbers such as 1,3"),
        };
        match arguments.format {
            Format::Json => {
                let mut one = serde_json::json!({ "policy": name, "steps": done, "diff": diff });
                for (step, state) in states.iter().enumerate() {
                    one["steps"][step]["state"] = serde_json::to_value(state)?;
                }
                json.push(one);
            }
            Format::Text if several => columns.push(Column { name, done, diff }),
            Format::Text => {
                done.iter().try_for_each(|one| write!(out, "{}", done_text(one)))?;
                write_diff(&mut out, diff.as_ref())?;
            }
            _ => bail!("--format: a simulation is written as text or json"),
        }
    }
    if arguments.format == Format::Json {
        writeln!(out, "{}", serde_json::to_string_pretty(&json)?)?;
    }
    columns::write(&mut out, &columns)?;
    Ok(if failed { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// Writes what differs between two states.
fn write_diff(out: &mut impl Write, diff: Option<&Difference>) -> std::io::Result<()> {
    let Some(diff) = diff else { return Ok(()) };
    diff.removed.iter().try_for_each(|line| writeln!(out, "- {line}"))?;
    diff.added.iter().try_for_each(|line| writeln!(out, "+ {line}"))
}

/// Writes a command, what happened, and what it shows.
fn done_text(done: &Done) -> String {
    let mut text = format!("sim> {}\n", done.text);
    for event in &done.events {
        text += &event.to_text();
        text.push('\n');
    }
    text += &done.output;
    if let Some(error) = &done.error {
        text += &format!("cannot be done: {error}\n");
    }
    text
}
