//! How a process is made: which file, what it is, what the new process is told and given.
//!
//! A Windows process is plat started again with a [`StartRecord`]; a Unix program is started directly. Key types:
//! [`Plan`], [`Image`], [`Launch`].

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use plat_host::file::{File, Open};
use plat_host::file_path::Errno;
use plat_host::pipe::{self, Form};
use plat_host::process::{ExitPage, Linux};
use plat_host::spawn::{self, Spawn};

use super::environment::{Variables, to_unix};
use super::file::{FileKind, FileObject};
use super::file_standard::{self, Standard};
use super::inherit;
use super::path::{FileSystem, status_of};
use super::process_object::ProcessObject;
use super::start_record::{StartRecord, Startup, trace_bits};
use super::thread::{FIRST_ID, ThreadObject};
use super::token::Token;
use super::token_record;
use crate::logic::command_line::{self, Rules};
use crate::logic::program_search::{self, ProgramKind};
use crate::process::Process;
use crate::{NtStatus, Win32Error};

/// A program that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its Unix path.
    pub unix: PathBuf,
    /// Its full Windows path.
    pub windows: Vec<u16>,
    /// What it is.
    pub kind: ImageKind,
}

/// What is to be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageKind {
    /// A Windows program.
    Windows,
    /// The builtin command interpreter.
    Interpreter,
    /// A batch file, for the builtin command interpreter.
    Batch,
    /// A program of Linux.
    Unix,
}

/// Says what a file is to one who wants to start it.
///
/// # Errors
/// `BAD_EXE_FORMAT`, `DIRECTORY` for a folder, and what opening says.
pub fn image_at(unix: &Path, windows: &[u16]) -> Result<Image, Win32Error> {
    let how = Open { read: true, ..Open::default() };
    let file = File::open(unix, how).map_err(status_of)?;
    if file.identity().map_err(status_of)?.kind == plat_host::file_path::Kind::Directory {
        return Err(Win32Error::DIRECTORY);
    }
    let mut head = vec![0; 4096];
    let read = file.read(&mut head, Some(0)).map_err(status_of)?;
    let kind = match program_search::program_kind(&head[..read]) {
        _ if program_search::is_batch(windows) => ImageKind::Batch,
        ProgramKind::Windows { .. } => ImageKind::Windows,
        ProgramKind::Interpreter => ImageKind::Interpreter,
        ProgramKind::Unix => ImageKind::Unix,
        ProgramKind::Foreign | ProgramKind::Unknown => return Err(Win32Error::BAD_EXE_FORMAT),
    };
    Ok(Image { unix: unix.to_owned(), windows: windows.to_vec(), kind })
}

/// Where programs without a folder are searched.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// The folders, in order, as Windows paths.
    pub folders: Vec<Vec<u16>>,
}

impl Places {
    /// Returns Windows' order: the caller's own folder, the current directory, the system's, `PATH`.
    pub fn of(process: &Process) -> Self {
        let program = &process.start.program;
        let end = program.iter().rposition(|&unit| unit == u16::from(b'\\')).unwrap_or(0);
        let path = process.environment.get(process, &wide("PATH")).unwrap_or_default();
        let mut folders = vec![program[..end].to_vec(), wide(".")];
        folders.extend([wide(r"C:\windows\system32"), wide(r"C:\windows")]);
        folders.extend(path_folders(&path));
        Self { folders }
    }
}

/// Splits a `PATH`; quotes around a folder are dropped.
pub fn path_folders(path: &[u16]) -> Vec<Vec<u16>> {
    let parts = path.split(|&unit| unit == u16::from(b';'));
    let bare =
        parts.map(|part| part.iter().copied().filter(|&unit| unit != u16::from(b'"')).collect::<Vec<u16>>());
    bare.filter(|part| !part.is_empty()).collect()
}

pub(crate) fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// Finds the program of a name: with a folder, just there; else in the places. `.exe` is added where there is no
/// extension; a Unix program may have none.
///
/// # Errors
/// `FILE_NOT_FOUND`, and what is wrong with the first file found.
pub fn find(files: &FileSystem, name: &[u16], places: &Places) -> Result<Image, Win32Error> {
    let mut tries = Vec::new();
    match program_search::extension(name) {
        None => tries.extend([[name, &wide(".exe")].concat(), name.to_vec()]),
        Some(_) => tries.extend([name.to_vec(), [name, &wide(".exe")].concat()]),
    }
    let has_folder = program_search::has_folder(name);
    let none = [Vec::new()];
    let folders = if has_folder { &none[..] } else { &places.folders[..] };
    for folder in folders {
        for name in &tries {
            let path =
                if folder.is_empty() { name.clone() } else { [folder, &wide("\\")[..], name].concat() };
            match exactly_at(files, &path) {
                Err(Win32Error::FILE_NOT_FOUND | Win32Error::PATH_NOT_FOUND) => {}
                // A folder of this name is no program.
                Err(Win32Error::DIRECTORY) => {}
                // A file without extension that is no program is not what a search looks for.
                Err(Win32Error::BAD_EXE_FORMAT) if program_search::extension(name).is_none() => {}
                other => return other,
            }
        }
    }
    Err(Win32Error::FILE_NOT_FOUND)
}

/// Takes the program of exactly this path.
///
/// # Errors
/// `FILE_NOT_FOUND`, `ACCESS_DENIED` for a folder, and what is wrong with the file.
pub fn at(files: &FileSystem, path: &[u16]) -> Result<Image, Win32Error> {
    exactly_at(files, path).map_err(|error| match error {
        Win32Error::DIRECTORY => Win32Error::ACCESS_DENIED,
        other => other,
    })
}

fn exactly_at(files: &FileSystem, path: &[u16]) -> Result<Image, Win32Error> {
    let full = files.full_path(path)?;
    let unix = files.locate(&full)?;
    image_at(&unix, &full)
}

/// What a process is made of.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The program.
    pub image: Image,
    /// The command line, exactly as the child sees it.
    pub command_line: Vec<u16>,
    /// The environment; the caller's own where there is none.
    pub environment: Option<Variables>,
    /// The current directory as a Windows path; the caller's own where there is none.
    pub directory: Option<Vec<u16>>,
    /// What `GetStartupInfo` returns.
    pub startup: Startup,
    /// The standard handles, where the caller gives some.
    pub standard: Option<[u64; 3]>,
    /// Whether inheritable handles are inherited.
    pub inherits: bool,
    /// The only handles to inherit, where the caller lists them.
    pub only: Option<Vec<u64>>,
    /// `CREATE_…`.
    pub flags: u32,
    /// The terminal of the pseudo-console that it is to have.
    pub terminal: Option<PathBuf>,
    /// Its token; a copy of the caller's where there is none.
    pub token: Option<Arc<Token>>,
}

/// `CREATE_SUSPENDED`.
pub const CREATE_SUSPENDED: u32 = 0x4;
const DETACHED_PROCESS: u32 = 0x8;
const CREATE_NEW_CONSOLE: u32 = 0x10;
const CREATE_BREAKAWAY_FROM_JOB: u32 = 0x0100_0000;
const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
const CREATE_NO_WINDOW: u32 = 0x0800_0000;

/// What goes to a new process beside the record.
pub struct Launch<'a> {
    /// Its descriptors 0, 1 and 2.
    pub standard: [Option<BorrowedFd<'a>>; 3],
    /// Descriptors that the record names.
    pub kept: Vec<OwnedFd>,
    /// Its Unix directory.
    pub directory: Option<PathBuf>,
    /// Whether it leads a process group.
    pub new_group: bool,
    /// The terminal that it gets as its own.
    pub terminal: Option<PathBuf>,
}

impl Launch<'_> {
    /// Starts a Windows process.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn windows(mut self, mut record: StartRecord) -> Result<Arc<ProcessObject>, NtStatus> {
        let page = ExitPage::create().map_err(status_of)?;
        let (own, theirs) = pipe::pair(Form::Messages).map_err(status_of)?;
        (record.page, record.control) = (page.as_fd().as_raw_fd(), theirs.number());
        let told = spawn::memory_file(&record.encode()).map_err(status_of)?;
        let mut kept: Vec<BorrowedFd<'_>> = self.kept.iter().map(AsFd::as_fd).collect();
        kept.extend([page.as_fd(), theirs.as_fd(), told.as_fd()]);
        // The program and its command line are there for those who look at a list of processes.
        let number = told.as_raw_fd().to_string();
        let arguments = vec![
            "plat".into(),
            CHILD_ARGUMENT.into(),
            number.into(),
            record.image.clone().into_os_string(),
            String::from_utf16_lossy(&record.command_line).replace('\0', " ").into(),
        ];
        let spawn = Spawn {
            program: spawn::this_program().to_owned(),
            arguments,
            environment: None,
            directory: self.directory.take(),
            new_group: self.new_group,
            terminal: self.terminal.take(),
        };
        let child = spawn.start(self.standard, &kept).map_err(start_status)?;
        ProcessObject::other(Linux::of(child), Some(page), Some(Arc::new(own)), true)
    }

    /// Starts a Unix program.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn unix(
        self,
        program: &Path,
        command_line: &[u16],
        environment: &Variables,
    ) -> Result<Arc<ProcessObject>, NtStatus> {
        let words = command_line::split_texts(command_line, Rules::Ucrt);
        let arguments = words.iter().map(|word| crate::logic::path::wide_to_unix_name(word)).collect();
        let spawn = Spawn {
            program: program.to_owned(),
            arguments,
            environment: Some(to_unix(environment)),
            directory: self.directory,
            new_group: self.new_group,
            terminal: self.terminal,
        };
        let child = spawn.start(self.standard, &[]).map_err(start_status)?;
        ProcessObject::other(Linux::of(child), None, None, true)
    }
}

/// The word with which plat starts itself for a child; the number of the record's descriptor follows.
pub const CHILD_ARGUMENT: &str = "child-process";

fn start_status(errno: Errno) -> NtStatus {
    match errno {
        // EAGAIN: no more processes.
        Errno(11) => NtStatus::INSUFFICIENT_RESOURCES,
        other => status_of(other),
    }
}

/// Makes a process; returns it and its first thread.
///
/// # Errors
/// `DIRECTORY` for a current directory that is none, and what the kernel says.
pub fn create(process: &Process, plan: Plan) -> Result<(Arc<ProcessObject>, Arc<ThreadObject>), Win32Error> {
    let directory = match &plan.directory {
        Some(path) => Some(directory_of(&process.files, path)?),
        None => None,
    };
    let mut kept = Vec::new();
    let only = plan.only.as_deref();
    let handles = if plan.inherits { inherit::records(process, only, &mut kept) } else { Vec::new() };
    let jobs = super::job::for_child(plan.flags & CREATE_BREAKAWAY_FROM_JOB != 0, &mut kept);
    // A pseudo-console is a console of its own, too.
    let detaches = plan.terminal.is_some()
        || plan.flags & (DETACHED_PROCESS | CREATE_NEW_CONSOLE | CREATE_NO_WINDOW) != 0;
    let sources = standard_sources(process, &plan, detaches);
    if is_console(sources[0].as_ref(), FileKind::ConsoleInput) {
        process.files.console.lend_terminal();
    }
    let standard = [0, 1, 2].map(|at: usize| sources[at].as_ref().map(|file| file.file.as_fd()));
    let launch = Launch {
        standard,
        kept,
        directory: directory.as_ref().map(|pair| pair.0.clone()),
        new_group: plan.flags & CREATE_NEW_PROCESS_GROUP != 0,
        terminal: plan.terminal.clone(),
    };
    let environment = plan.environment.clone().unwrap_or_else(|| process.environment.all(process));
    if plan.image.kind == ImageKind::Unix {
        let child = launch.unix(&plan.image.unix, &plan.command_line, &environment)?;
        super::job::add_unix_child(child.id());
        share_console(process, &sources, &child);
        return Ok(with_thread(process, child));
    }
    let told = |which: Standard| told_standard(process, &plan, which, detaches, &handles);
    let record = StartRecord {
        image: plan.image.unix.clone(),
        is_builtin: plan.image.kind != ImageKind::Windows,
        current_directory: match directory {
            Some(pair) => pair.1,
            None => super::path::current(&process.files),
        },
        environment,
        standard: [Standard::Input, Standard::Output, Standard::Error].map(told),
        handles,
        jobs,
        is_suspended: plan.flags & CREATE_SUSPENDED != 0,
        ignores_interrupt: plan.flags & CREATE_NEW_PROCESS_GROUP != 0,
        trace: trace_bits(process.start.trace),
        options: process.loader().options_for_children(),
        token: plan
            .token
            .or_else(|| process.tokens.known())
            .map_or_else(Vec::new, |token| token_record::encode(&token)),
        program: plan.image.windows,
        command_line: plan.command_line,
        startup: plan.startup,
        ..StartRecord::default()
    };
    if let Some(process) = Process::current() {
        // A child may open its parent.
        super::control::listen_to_others(process);
    }
    let child = launch.windows(record)?;
    share_console(process, &sources, &child);
    Ok(with_thread(process, child))
}

fn is_console(source: Option<&Arc<FileObject>>, kind: FileKind) -> bool {
    source.is_some_and(|file| file.kind == kind)
}

/// Takes note of a child that writes to the console, too.
fn share_console(process: &Process, sources: &[Option<Arc<FileObject>>; 3], child: &Arc<ProcessObject>) {
    if sources.iter().any(|source| is_console(source.as_ref(), FileKind::ConsoleOutput)) {
        process.files.console.share(child);
    }
}

fn with_thread(process: &Process, child: Arc<ProcessObject>) -> (Arc<ProcessObject>, Arc<ThreadObject>) {
    let thread = ThreadObject::of_other(Arc::clone(&child), FIRST_ID);
    child.set_main_thread(&thread);
    process.children.add(&child);
    (child, thread)
}

/// Finds a directory for a child: its Unix path and its Windows path.
fn directory_of(files: &FileSystem, path: &[u16]) -> Result<(PathBuf, Vec<u16>), Win32Error> {
    let full = files.full_path(path)?;
    let unix = files.locate(&full).map_err(|_| Win32Error::DIRECTORY)?;
    let status = plat_host::file_path::Status::of_path(&unix, true).map_err(status_of)?;
    if status.kind != plat_host::file_path::Kind::Directory {
        return Err(Win32Error::DIRECTORY);
    }
    Ok((unix, full))
}

/// The files that become the child's descriptors 0, 1 and 2.
fn standard_sources(process: &Process, plan: &Plan, detaches: bool) -> [Option<Arc<FileObject>>; 3] {
    let all = [Standard::Input, Standard::Output, Standard::Error];
    let file = |number: u64| file_standard::file(process, number, 0).ok();
    match plan.standard {
        Some(numbers) => numbers.map(file),
        None if detaches => [None, None, None],
        None => all.map(|which| file(file_standard::handle(process, which))),
    }
}

/// What the child has as the number of a standard handle: the caller's own when it is inherited; `None` when the
/// child is to make one of its descriptor.
fn told_standard(
    process: &Process,
    plan: &Plan,
    which: Standard,
    detaches: bool,
    handles: &[super::start_record::HandleRecord],
) -> Option<u64> {
    if let Some(numbers) = plan.standard {
        return Some(numbers[which as usize]);
    }
    if detaches {
        return (plan.flags & DETACHED_PROCESS != 0).then_some(0);
    }
    let number = file_standard::handle(process, which);
    handles.iter().any(|handle| handle.number == number).then_some(number)
}
