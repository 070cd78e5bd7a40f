//! A process that another plat process started: it reads its record, takes what it inherits, and runs.

use std::io::Read;
use std::path::Path;

use plat_host::file::File;
use plat_host::process::ExitPage;
use plat_host::spawn;
use plat_win32::logic::program_search::{ProgramKind, program_kind};
use plat_win32::nt::start_record::{StartRecord, trace_of};
use plat_win32::nt::{inherit, token_record};
use plat_win32::process::{Process, Start};

use crate::error::LoadError;
use crate::search::SearchOptions;
use crate::start::{LaunchPlan, Outcome, Sinks, launch};

/// The argument with which plat starts itself for a child; the number of the record's descriptor follows.
pub use plat_win32::nt::process_create::CHILD_ARGUMENT as ARGUMENT;

/// Bytes at the start of a file that tell what kind of program it is.
const HEAD_BYTES: u64 = 4096;

/// Runs the process whose record is in the file of this descriptor.
///
/// # Errors
/// [`LoadError`] when the record is none, or the program cannot be started.
pub fn run(descriptor: i32, report: fn(&str)) -> Result<Outcome, LoadError> {
    let damaged = || LoadError::Record { descriptor };
    let file = spawn::take_inherited(descriptor).ok_or_else(damaged)?;
    let bytes = spawn::read_memory_file(file).map_err(|_| damaged())?;
    let record = StartRecord::decode(&bytes).map_err(|_| damaged())?;
    if let Some(name) = record.image.file_name() {
        plat_host::thread::set_name(&name.to_string_lossy());
    }
    let start = Start {
        program: record.program.clone(),
        command_line: record.command_line.clone(),
        current_directory: record.current_directory.clone(),
        environment: record.environment.clone(),
        trace: trace_of(record.trace),
        startup: Some(record.startup.clone()),
    };
    if record.is_builtin {
        run_interpreter(&record, &start);
    }
    // A second one, for the case that the program does not even begin.
    let page = spawn::inherited_copy(record.page).and_then(|fd| ExitPage::map(fd).ok());
    let search = SearchOptions::decode(&record.options).ok_or_else(damaged)?;
    let sinks = Sinks { report: std::sync::Arc::new(report), ..Sinks::default() };
    let plan = LaunchPlan { path: record.image.clone(), layout: None, record: Some(record) };
    let outcome = launch(plan, || start, search, sinks);
    if let (Err(error), Some(page)) = (&outcome, page) {
        page.set_code(error.status().0, false);
    }
    outcome
}

fn run_interpreter(record: &StartRecord, start: &Start) -> ! {
    let page = spawn::take_inherited(record.page).and_then(|fd| ExitPage::map(fd).ok());
    for &numbers in &record.jobs {
        let _ = plat_win32::nt::job::join(&mut inherit::Inherited, numbers);
    }
    if let Some(control) = spawn::take_inherited(record.control) {
        plat_win32::nt::control::serve_interpreter(File::from(control), record.is_suspended);
    }
    plat_win32::cmd::run_with_page(start, page, record.options.clone(), record.token.clone())
}

/// Takes what the parent gave: where to tell the exit code, handles, and whom to listen to.
pub(crate) fn restore(process: &'static Process, record: StartRecord) -> Option<File> {
    if let Some(page) = spawn::take_inherited(record.page).and_then(|fd| ExitPage::map(fd).ok()) {
        process.children.set_page(page);
    }
    for &numbers in &record.jobs {
        // A job that cannot be joined any more is over.
        let _ = plat_win32::nt::job::join(&mut inherit::Inherited, numbers);
    }
    inherit::restore(process, &record.handles);
    if let Some(token) = token_record::decode(&record.token) {
        process.tokens.set(token);
    }
    plat_win32::nt::file_standard::preset(process, record.standard);
    if record.ignores_interrupt {
        // A new process group does not hear Ctrl-C until it asks to.
        let _ = process.files.console.ignore_interrupt(true);
    }
    spawn::take_inherited(record.control).map(File::from)
}

/// Reads as much of a file as tells what kind it is.
fn read_head(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD_BYTES as usize);
    std::fs::File::open(path)?.take(HEAD_BYTES).read_to_end(&mut head)?;
    Ok(head)
}

/// Says whether a path means the builtin command interpreter: its file, or `cmd` where there is none.
pub(crate) fn is_interpreter(path: &Path) -> bool {
    match read_head(path) {
        Ok(head) => program_kind(&head) == ProgramKind::Interpreter,
        Err(_) => {
            let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
            matches!(name.as_str(), "cmd" | "cmd.exe")
        }
    }
}
