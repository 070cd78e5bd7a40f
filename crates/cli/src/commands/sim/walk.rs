//! `plat sim repl TRACE`: what strace printed, line by line, forwards and back.

use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;

use anyhow::Context;
use plat_sim::script::{Checkpoint, Command, Outside, Playback, State, parse_line};

use super::replay::only_linux;
use super::{configs, done_text, write_diff};
use crate::arguments::SimMachine;

const HELP: &str = "  next [N]     carry out one line, or N        back [N]     undo one line, or N
  jump N       go to the state after N lines   go           carry all the rest out
  diff A B     what differs between the states after A and after B lines
  use PID, maps, pages, frames, tlb, processes, totals, walk ADDRESS   look at the state
  quit
";

/// Reads commands until the end of standard input.
pub(super) fn walk(
    machine: &SimMachine,
    checkpoints: Vec<Checkpoint>,
    text: &str,
    mut outside: Box<dyn Outside>,
) -> anyhow::Result<ExitCode> {
    let config = configs(machine)?.into_iter().next().context("--policy: no name")?;
    only_linux(&config)?;
    let mut playback = Playback::new(config, checkpoints, text);
    let mut process = None;
    let mut out = std::io::stdout().lock();
    if std::io::stdin().is_terminal() {
        eprintln!("{} lines; help shows what can be typed", playback.len());
    }
    for (index, line) in std::io::stdin().lock().lines().enumerate() {
        let line = line?;
        let words: Vec<_> = line.split_whitespace().collect();
        let outside = outside.as_mut();
        let count = |text: Option<&&str>| text.map_or(Some(1), |text| text.parse::<usize>().ok());
        match words[..] {
            [] => {}
            ["quit" | "q"] => break,
            ["help" | "h" | "?"] => out.write_all(HELP.as_bytes())?,
            ["next" | "n", ..] | ["go"] => {
                let most = if words[0] == "go" { Some(usize::MAX) } else { count(words.get(1)) };
                for _ in 0..most.unwrap_or(0) {
                    let Some(done) = playback.step(outside)? else { break };
                    out.write_all(done_text(&done).as_bytes())?;
                }
                say_place(&mut out, &playback)?;
            }
            ["back" | "b", ..] => {
                let target = count(words.get(1)).and_then(|lines| playback.at().checked_sub(lines));
                go_to(&mut out, &mut playback, target, outside)?;
            }
            ["jump", target] => go_to(&mut out, &mut playback, target.parse().ok(), outside)?,
            ["diff", a, b] => {
                let places = a.parse().ok().zip(b.parse().ok());
                match places.map(|(a, b)| playback.diff(a, b, outside)).transpose()?.flatten() {
                    Some(diff) => write_diff(&mut out, Some(&diff))?,
                    None => writeln!(out, "there are states 0 to {}", playback.len())?,
                }
            }
            _ => match parse_line(&line, index + 1) {
                Ok(command) => look(&mut out, &playback, &mut process, &command, outside)?,
                Err(error) => eprintln!("{error}"),
            },
        }
        out.flush()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows something of the state, which stays as it is.
fn look(
    out: &mut impl Write,
    playback: &Playback,
    process: &mut Option<u32>,
    command: &Command,
    outside: &mut dyn Outside,
) -> std::io::Result<()> {
    if !matches!(command, Command::Show(_) | Command::Walk(_) | Command::Use(_)) {
        eprintln!(
            "a recording is looked at, not changed: use, maps, pages, frames, tlb, processes, totals, walk"
        );
        return Ok(());
    }
    let machine = playback.replay().machine.clone();
    let current = process.or_else(|| machine.processes.keys().next().copied());
    let mut state = State { machine, current };
    match state.run(command, outside) {
        Ok(text) => out.write_all(text.as_bytes())?,
        Err(error) => eprintln!("{error}"),
    }
    if matches!(command, Command::Use(_)) {
        *process = state.current;
    }
    Ok(())
}

fn go_to(
    out: &mut impl Write,
    playback: &mut Playback,
    target: Option<usize>,
    outside: &mut dyn Outside,
) -> anyhow::Result<()> {
    if !target.map_or(Ok(false), |target| playback.jump(target, outside))? {
        writeln!(out, "there are states 0 to {}", playback.len())?;
    }
    say_place(out, playback)?;
    Ok(())
}

fn say_place(out: &mut impl Write, playback: &Playback) -> std::io::Result<()> {
    writeln!(out, "after {} of {} lines", playback.at(), playback.len())
}
