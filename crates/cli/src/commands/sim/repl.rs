//! `plat sim repl`: one command at a time, and back again.

use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;

use anyhow::Context;
use plat_sim::script::{Outside, Session};

use super::{configs, done_text, write_diff};
use crate::arguments::SimMachine;

const HELP: &str =
    "Commands change the machine: map 4 pages rw at 0x40000, write 0x40000, fork, exec /usr/bin/true, maps,
walk 0x40000, mmap(0, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0), ... (docs/sim.md lists them all).
  back         undo the last command          next         do it again
  jump N       go to the state after N commands
  diff A B     what differs between the states after A and after B commands
  go           carry all the rest out                list         the commands, and where one stands
  save FILE    write the commands down as a script
  quit
";

/// Reads commands until the end of standard input.
pub(super) fn repl(
    machine: &SimMachine,
    script: Option<&str>,
    mut outside: Box<dyn Outside>,
) -> anyhow::Result<ExitCode> {
    let config = configs(machine)?.into_iter().next().context("--policy: no name")?;
    let mut session = Session::new(config);
    session.add_all(script.unwrap_or_default())?;
    let outside = outside.as_mut();
    let prompts = std::io::stdin().is_terminal();
    let mut out = std::io::stdout().lock();
    if prompts {
        eprintln!("help shows what can be typed");
    }
    let mut failed = false;
    for (index, line) in std::io::stdin().lock().lines().enumerate() {
        let line = line?;
        let words: Vec<_> = line.split_whitespace().collect();
        match words[..] {
            ["quit" | "q"] => break,
            ["help" | "h" | "?"] => out.write_all(HELP.as_bytes())?,
            ["back" | "b"] => {
                let moved = session.back(outside);
                say_place(&mut out, &session, moved)?;
            }
            ["next" | "n"] => match session.step(outside) {
                Some(done) => out.write_all(done_text(&done).as_bytes())?,
                None => say_place(&mut out, &session, false)?,
            },
            ["jump", target] => {
                let moved = target.parse().is_ok_and(|target| session.jump(target, outside));
                say_place(&mut out, &session, moved)?;
            }
            ["diff", a, b] => {
                let places = a.parse().ok().zip(b.parse().ok());
                match places.and_then(|(a, b)| session.diff(a, b, outside)) {
                    Some(diff) => write_diff(&mut out, Some(&diff))?,
                    None => writeln!(out, "there are states 0 to {}", session.len())?,
                }
            }
            ["go"] => {
                while let Some(done) = session.step(outside) {
                    out.write_all(done_text(&done).as_bytes())?;
                }
            }
            ["list"] => list(&mut out, &session)?,
            ["save", path] => save(&mut out, &session, path)?,
            _ => match session.add(&line, index + 1) {
                Ok(true) => {
                    if let Some(done) = session.step(outside) {
                        out.write_all(done_text(&done).as_bytes())?;
                    }
                }
                Ok(false) => {}
                Err(error) => {
                    failed = true;
                    eprintln!("{error}");
                }
            },
        }
        out.flush()?;
    }
    Ok(if failed && !prompts { ExitCode::from(2) } else { ExitCode::SUCCESS })
}

fn list(out: &mut impl Write, session: &Session) -> std::io::Result<()> {
    for (number, text) in session.texts().enumerate() {
        let mark = if number == session.at() { ">" } else { " " };
        writeln!(out, "{mark}{:>4}  {text}", number + 1)?;
    }
    Ok(())
}

fn save(out: &mut impl Write, session: &Session, path: &str) -> std::io::Result<()> {
    let text: String = session.texts().map(|text| format!("{text}\n")).collect();
    match std::fs::write(path, text) {
        Ok(()) => writeln!(out, "{} commands are in {path}", session.len()),
        Err(error) => {
            eprintln!("cannot write {path}: {error}");
            Ok(())
        }
    }
}

fn say_place(out: &mut impl Write, session: &Session, moved: bool) -> std::io::Result<()> {
    let word = if moved { "the state" } else { "cannot go there; still the state" };
    writeln!(out, "{word} after {} of {} commands", session.at(), session.len())
}
