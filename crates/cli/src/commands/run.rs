//! `plat run`: a Windows program, with its own arguments, exit code and standard streams.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use plat_loader::{Choice, Outcome, RegionRow, RunOptions, SearchOptions, Sinks, Trace};
use plat_regions::Layout;

use crate::arguments::{DllChoice, Run, TraceKind};

/// Runs the program. Comes back only when it could not be started.
pub(crate) fn run(arguments: Run) -> anyhow::Result<ExitCode> {
    let layout = arguments.layout.as_deref().map(read_layout).transpose()?;
    let choices = arguments.dll.into_iter().map(|(name, choice)| (name, translate(choice))).collect();
    let trace = Trace {
        api: arguments.trace.contains(&TraceKind::Api),
        loader: arguments.trace.contains(&TraceKind::Loader),
        memory: arguments.trace.contains(&TraceKind::Memory),
    };
    let (program, rest) = arguments.words.split_first().context("no program was given")?;
    let options = RunOptions {
        program: PathBuf::from(program),
        arguments: rest.to_vec(),
        layout,
        search: SearchOptions { choices, paths: arguments.dll_path },
        trace,
        sinks: Sinks {
            report: std::sync::Arc::new(|text: &str| eprint!("{text}")),
            map: arguments.map.map(map_sink),
            verify: arguments.verify,
        },
    };
    let Outcome::Exited(code) = plat_loader::run(options)?;
    Ok(ExitCode::from(code as u8))
}

/// Runs as the child of another plat process, if that is what the arguments say: `child-process NUMBER …`. It is no
/// command of the user's, so it is looked for before they are parsed.
pub(crate) fn child() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next()? != plat_loader::child::ARGUMENT {
        return None;
    }
    let descriptor = arguments.next().and_then(|number| number.to_str()?.parse().ok()).unwrap_or(-1);
    Some(match plat_loader::child::run(descriptor, |text| eprint!("{text}")) {
        Ok(Outcome::Exited(code)) => ExitCode::from(code as u8),
        Err(error) => {
            eprintln!("plat: {error}");
            ExitCode::from(2)
        }
    })
}

fn translate(choice: DllChoice) -> Choice {
    match choice {
        DllChoice::Native => Choice::Native,
        DllChoice::Builtin => Choice::Builtin,
    }
}

/// Takes a built-in layout by name, else reads a file.
fn read_layout(text: &str) -> anyhow::Result<Layout> {
    if let Ok(layout) = Layout::builtin(text) {
        return Ok(layout);
    }
    let known: Vec<&str> = Layout::builtin_names().collect();
    let content = std::fs::read_to_string(text).with_context(|| {
        format!("layout {text}: neither one of {} nor a file that can be read", known.join(", "))
    })?;
    Layout::parse(&content).with_context(|| format!("layout file {text}"))
}

type MapSink = Box<dyn Fn(&[RegionRow]) + Send + Sync>;

/// Makes the sink that writes the map when the program ends.
fn map_sink(path: PathBuf) -> MapSink {
    Box::new(move |rows| {
        let text = super::map::render(rows, super::map::form_of(&path));
        let written = write_map(&path, &text);
        if let Err(error) = written {
            eprintln!("plat: cannot write the map to {}: {error}", path.display());
        }
    })
}

/// Standard error, not output: that belongs to the program.
fn write_map(path: &Path, text: &str) -> std::io::Result<()> {
    if path == Path::new("-") {
        return std::io::stderr().lock().write_all(text.as_bytes());
    }
    std::fs::write(path, text)
}
