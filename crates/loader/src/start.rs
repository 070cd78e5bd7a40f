//! From a program's path to its first instruction.

use std::path::{Path, PathBuf};

use plat_abi::{Machine, Memory};
use plat_host::gate::{self, Trampoline};
use plat_image::{FileKind, PeImage, classify};
use plat_regions::windows::{AllocationType, PageProtection, Request};
use plat_regions::{Address, Layout};
use plat_win32::NtStatus;
use plat_win32::guest::{Guest, GuestMemory};
use plat_win32::logic::{command_line, path::Drives, path::unix_name_to_wide, path::unix_to_win32};
use plat_win32::nt::memory::{AddressSpace, Stack};
use plat_win32::nt::start_record::StartRecord;
use plat_win32::nt::thread_start;
use plat_win32::process::{Process, Start, Trace};
use plat_win32::teb::{Peb, Teb};

use crate::RegionRow;
use crate::builtin::Entrance;
use crate::environment;
use crate::error::LoadError;
use crate::graph::{self, Graph, ImageBytes};
use crate::modules::PeLoader;
use crate::search::{Search, SearchOptions};

/// plat's exit code when the program could not be started.
pub(crate) const EXIT_ERROR: i32 = 2;

/// Bytes left free above the first frame of the program's stack.
const STACK_HEADROOM: u64 = 0x100;

/// Receives the rows of a map.
pub type MapSink = Box<dyn Fn(&[RegionRow]) + Send + Sync>;

/// What the caller does with what the loader has to say.
pub struct Sinks {
    /// Receives the report of a crash, or the reason why the program did not start.
    pub report: std::sync::Arc<dyn Fn(&str) + Send + Sync>,
    /// Receives the address space when the program ends.
    pub map: Option<MapSink>,
    /// Whether books and kernel are compared when the program ends; the report receives what was found.
    pub verify: bool,
}

impl Default for Sinks {
    fn default() -> Self {
        Self { report: std::sync::Arc::new(|_| ()), map: None, verify: false }
    }
}

impl std::fmt::Debug for Sinks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sinks").field("map", &self.map.is_some()).finish_non_exhaustive()
    }
}

/// What to run, and how.
#[derive(Debug)]
pub struct RunOptions {
    /// The program's path.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<std::ffi::OsString>,
    /// The layout; the program's own where none is given.
    pub layout: Option<Layout>,
    /// Where DLLs come from.
    pub search: SearchOptions,
    /// What to trace.
    pub trace: Trace,
    /// Where reports go.
    pub sinks: Sinks,
}

/// How a run ended when the program itself did not end the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The program's last thread ended with this exit code.
    Exited(u32),
}

/// Runs a program. Where the program ends the process, as most do, this never returns.
///
/// # Errors
/// [`LoadError`] when the program cannot be started.
pub fn run(options: RunOptions) -> Result<Outcome, LoadError> {
    let path = absolute(&options.program);
    let start = || describe_start(&path, &options.arguments, options.trace);
    if crate::child::is_interpreter(&path) {
        plat_win32::cmd::run(&start());
    }
    let plan = LaunchPlan { path: path.clone(), layout: options.layout, record: None };
    launch(plan, start, options.search, options.sinks)
}

/// What is launched.
pub(crate) struct LaunchPlan {
    pub(crate) path: PathBuf,
    pub(crate) layout: Option<Layout>,
    /// What the parent said, if this is a child.
    pub(crate) record: Option<StartRecord>,
}

/// Makes the process and its first thread, and runs it.
pub(crate) fn launch(
    plan: LaunchPlan,
    start: impl FnOnce() -> Start,
    search: SearchOptions,
    sinks: Sinks,
) -> Result<Outcome, LoadError> {
    let LaunchPlan { path, layout, record } = plan;
    gate::probe()?;
    let bytes = read_program(&path)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let image = PeImage::parse(&name, &bytes)?;
    if image.headers().is_dll() {
        return Err(LoadError::IsDll { path });
    }
    let machine = if image.headers().is_64 { Machine::Amd64 } else { Machine::I386 };
    let layout = choose_layout(&path, &image, layout)?;
    let start = start();
    let space = AddressSpace::new(&layout, start.trace.memory)?;
    space.set_stack_defaults(image.headers().stack_reserve, image.headers().stack_commit);
    let held = hold_place(&space, &image);
    drop(image);
    let process = Process::install(machine, start, space);
    let is_suspended = record.as_ref().is_some_and(|record| record.is_suspended);
    let stack =
        process.memory.allocate_stack(0, 0, "stack of the main thread").map_err(setup("the stack"))?;
    let teb = process.memory.allocate_teb().map_err(setup("the TEB"))?;
    if machine == Machine::I386 {
        let trampoline = make_trampoline(process)?;
        process.trampoline.get_or_init(|| trampoline);
    }
    let control = record.map(|record| crate::child::restore(process, record));
    let launch = Launch { process, path, bytes, held, stack, search, sinks, is_suspended, control };
    thread_start::start_main(process, stack, teb, |guest| launch.go(guest))
}

/// Holds the program's preferred place, so that what is made before it (heap, stack, PEB) does not lie there: on Windows
/// the program comes first. Returns the base to release; nothing when the place cannot be had anyway.
fn hold_place(space: &AddressSpace, image: &PeImage) -> Option<u64> {
    let headers = image.headers();
    let size = headers.size_of_image.into();
    let mut request = Request::new(size, AllocationType::RESERVE, PageProtection::NOACCESS);
    request.base = Some(Address::new(headers.image_base));
    let range = space.allocate(&request).ok()?;
    Some(range.start.get())
}

/// All that the first thread needs.
struct Launch {
    process: &'static Process,
    path: PathBuf,
    bytes: ImageBytes,
    /// Where the program's place is held.
    held: Option<u64>,
    stack: Stack,
    search: SearchOptions,
    sinks: Sinks,
    is_suspended: bool,
    /// Through what the parent asks; nothing when there is no plat parent.
    control: Option<Option<plat_host::file::File>>,
}

impl Launch {
    /// Runs on the first guest thread: loads, initialises, calls the entry point; returns what that returned.
    fn go(mut self, guest: &mut Guest) -> u32 {
        let sinks = std::mem::take(&mut self.sinks);
        let report = std::sync::Arc::clone(&sinks.report);
        match self.load(guest, sinks).and_then(|entry| start_program(guest, entry)) {
            Ok(code) => code,
            Err(error) => {
                report(&format!("plat: {error}\n"));
                plat_win32::nt::process_object::leave_with(error.status().0, EXIT_ERROR)
            }
        }
    }

    /// Makes the process's structures, loads the program and all it needs; returns its entry point and argument.
    fn load(self, guest: &mut Guest, sinks: Sinks) -> Result<(u64, u64), LoadError> {
        let process = self.process;
        guest.gate().set_initial_stack(self.stack.base - STACK_HEADROOM);
        if let Some(trampoline) = process.trampoline.get() {
            let code = trampoline.code();
            process.memory.write_code(u64::from(trampoline.entry()), &code).map_err(setup("the gate"))?;
        }
        process.memory.set_shared_data(environment::shared_data()).map_err(setup("the shared data"))?;
        let peb = environment::make_peb(process).map_err(setup("the PEB"))?;
        process.peb.get_or_init(|| peb);
        guest.teb().set(Teb::PEB, peb).map_err(|_| setup("the TEB")(NtStatus::ACCESS_VIOLATION))?;
        let entrance = match process.trampoline.get() {
            Some(trampoline) => Entrance::I386(trampoline.entry()),
            None => Entrance::amd64(),
        };
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        let for_children = self.search.encode();
        let mut graph = Graph::new(process, Search::new(folder, self.search), entrance);
        if let Some(held) = self.held {
            process.memory.release(held);
        }
        let base = graph.load_program(&self.path, self.bytes)?;
        let entry = graph.loaded[graph.index_of(base)].module.entry_point;
        let loader: &'static PeLoader =
            Box::leak(Box::new(PeLoader::new(process, graph, sinks, for_children)));
        process.complete(loader);
        let machine = process.machine;
        let at = peb + Peb::IMAGE_BASE.offset(machine);
        let written = GuestMemory::of(machine).write_word(at, base);
        written.map_err(|_| setup("the PEB")(NtStatus::ACCESS_VIOLATION))?;
        loader.start_lists(peb);
        // Others may ask from here on: everything that they may ask for is there.
        if let Some(parent) = self.control {
            plat_win32::nt::thread_start::suspend_first_thread(self.is_suspended);
            plat_win32::nt::control::start(process, parent);
        }
        if self.is_suspended {
            // What Windows would have mapped by now is there; nothing of the program's has run.
            plat_win32::nt::thread_start::hold_first_thread(guest);
        }
        loader.begin_process(guest)?;
        Ok((entry, peb))
    }
}

/// Calls the program's entry point.
fn start_program(guest: &mut Guest, (entry, peb): (u64, u64)) -> Result<u32, LoadError> {
    plat_win32::nt::wait::make_early_calls(guest).map_err(setup("calls queued before the start"))?;
    let code = guest.call(entry, &[peb]).map_err(|_| setup("the stack")(NtStatus::STACK_OVERFLOW))?;
    Ok(code as u32)
}

/// Makes the error of a part that could not be set up.
fn setup(what: &'static str) -> impl Fn(NtStatus) -> LoadError {
    move |status| LoadError::Setup { what: what.to_owned(), status }
}

/// Reads the program's file; says what it is when it is none.
fn read_program(path: &Path) -> Result<ImageBytes, LoadError> {
    if path.is_dir() {
        return Err(LoadError::Directory { path: path.to_path_buf() });
    }
    let bytes = graph::read(path)?;
    match classify(&bytes) {
        FileKind::Pe32 | FileKind::Pe32Plus => Ok(bytes),
        kind => Err(LoadError::WrongKind { path: path.to_path_buf(), kind }),
    }
}

/// Makes a path absolute without resolving links: the program sees the name it was called by.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

/// Takes the user's layout if it fits the program, else the program's own.
fn choose_layout(path: &Path, image: &PeImage<'_>, wanted: Option<Layout>) -> Result<Layout, LoadError> {
    let headers = image.headers();
    let bits = if headers.is_64 { 64 } else { 32 };
    let Some(layout) = wanted else {
        let large = headers.characteristics.contains(plat_image::pe::Characteristics::LARGE_ADDRESS_AWARE);
        let name = match (headers.is_64, large) {
            (true, _) => "win64",
            (false, true) => "win32-4gb",
            (false, false) => "win32",
        };
        return Ok(Layout::builtin(name)?);
    };
    if layout.bits != bits {
        let (layout_bits, layout) = (layout.bits, layout.name);
        return Err(LoadError::WrongLayout { layout, layout_bits, path: path.to_path_buf(), bits });
    }
    Ok(layout)
}

/// Translates what Unix passes into what Windows passes.
fn describe_start(path: &Path, arguments: &[std::ffi::OsString], trace: Trace) -> Start {
    let program = to_windows(path);
    let mut words = vec![program.clone()];
    words.extend(arguments.iter().map(|argument| argument_to_wide(argument)));
    let directory = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    Start {
        command_line: command_line::join(&words),
        program,
        current_directory: to_windows(&directory),
        environment: plat_win32::nt::environment::from_unix(std::env::vars_os()),
        trace,
        startup: None,
    }
}

/// Converts an argument to UTF-16; a byte that is no UTF-8 becomes what file names have for it.
fn argument_to_wide(argument: &std::ffi::OsStr) -> Vec<u16> {
    use std::os::unix::ffi::OsStrExt;
    let mut wide = Vec::new();
    for chunk in argument.as_bytes().utf8_chunks() {
        wide.extend(chunk.valid().encode_utf16());
        wide.extend(unix_name_to_wide(std::ffi::OsStr::from_bytes(chunk.invalid())));
    }
    wide
}

pub(crate) fn to_windows(path: &Path) -> Vec<u16> {
    unix_to_win32(path, &Drives { c: None })
}

/// Makes the gate of a 32-bit process.
fn make_trampoline(process: &Process) -> Result<&'static Trampoline, LoadError> {
    let setup = |status| LoadError::Setup { what: "the gate".to_owned(), status };
    let address = process.memory.allocate_code(gate::TRAMPOLINE_SIZE, &[], "32-bit gate").map_err(setup)?;
    let address = u32::try_from(address).map_err(|_| setup(plat_win32::NtStatus::NO_MEMORY))?;
    Ok(Box::leak(Box::new(Trampoline::new(address))))
}
