//! The loader as the Windows functions see it: `LoadLibrary`, `GetProcAddress`, threads and the end of the process.
//!
//! Key type: [`PeLoader`].

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use plat_host::file_image::FileImage;
use plat_regions::{Address, AddressRange};
use plat_win32::NtStatus;
use plat_win32::guest::Guest;
use plat_win32::process::{Crash, Module, ModuleLoader, Process, Symbol};

use crate::error::LoadError;
use crate::graph::{Graph, References};
use crate::image_section;
use crate::initialise::Reason;
use crate::ldr::Ldr;
use crate::lock::LoaderLock;
use crate::references::Wanted;
use crate::search::normal_name;
use crate::start::Sinks;

/// `LoadLibraryEx`: map the DLL, bind nothing, initialise nothing.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-loadlibraryexw>
const DONT_RESOLVE_DLL_REFERENCES: u32 = 1;

/// The loader of the one process.
pub(crate) struct PeLoader {
    process: &'static Process,
    graph: Mutex<Graph>,
    ldr: OnceLock<Ldr>,
    /// TEBs of all guest threads.
    threads: Mutex<Vec<u64>>,
    pub(crate) sinks: Sinks,
    /// The options in a form for child processes.
    for_children: Vec<u8>,
    /// Whether some thread has begun to initialise the process: the first, or one that another process made in it
    /// before.
    has_begun: AtomicBool,
}

/// Writes a line of `--trace loader`.
pub(crate) fn trace_line(line: &str) {
    eprintln!("loader: {line}");
}

impl PeLoader {
    pub(crate) fn new(process: &'static Process, graph: Graph, sinks: Sinks, for_children: Vec<u8>) -> Self {
        let (graph, ldr, threads) = (Mutex::new(graph), OnceLock::new(), Mutex::default());
        let has_begun = AtomicBool::new(false);
        Self { process, graph, ldr, threads, sinks, for_children, has_begun }
    }

    /// Initialises the modules for the process on the calling thread; if another thread did, tells them of this one.
    pub(crate) fn begin_process(&self, guest: &mut Guest) -> Result<(), LoadError> {
        if self.has_begun.swap(true, Ordering::AcqRel) {
            self.attach_thread(guest);
            return Ok(());
        }
        self.start_tls(guest)?;
        LoaderLock::of(guest).with(|| self.attach_modules(guest, None, 1))
    }

    pub(crate) fn process(&self) -> &'static Process {
        self.process
    }

    pub(crate) fn graph(&self) -> MutexGuard<'_, Graph> {
        self.graph.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn ldr(&self) -> Option<Ldr> {
        self.ldr.get().copied()
    }

    /// Makes the guest's lists of modules and fills them with what is loaded.
    pub(crate) fn start_lists(&self, peb: u64) {
        if let Some(ldr) = Ldr::make(self.process, peb) {
            self.ldr.get_or_init(|| ldr);
        }
        self.list_new_modules();
    }

    /// Adds modules to the guest's lists that are not on them.
    pub(crate) fn list_new_modules(&self) {
        let Some(ldr) = self.ldr() else { return };
        let mut graph = self.graph();
        for loaded in graph.loaded.iter_mut().filter(|loaded| loaded.ldr_entry == 0) {
            loaded.ldr_entry = ldr.add(self.process, &loaded.module).unwrap_or(0);
        }
    }

    /// Compares the books with the kernel's maps and reports; a difference ends the process with exit code 2.
    fn verify(&self) {
        let report = &self.sinks.report;
        match self.process.memory.verify() {
            Ok(differences) if differences.is_empty() => report("verify: no difference\n"),
            Ok(differences) => {
                for difference in differences {
                    report(&format!("verify: {difference}\n"));
                }
                plat_host::thread::exit_process(crate::start::EXIT_ERROR)
            }
            Err(error) => report(&format!("verify: cannot read the kernel's maps: {error}\n")),
        }
    }

    pub(crate) fn remember_thread(&self, teb: u64) {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(teb);
    }

    pub(crate) fn threads(&self) -> Vec<u64> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// `.dll`, which a name without extension gets.
const DLL_EXTENSION: [u16; 4] = [b'.' as u16, b'd' as u16, b'l' as u16, b'l' as u16];

/// Splits what a guest asks `LoadLibrary` for: a path to a file, or a name to search.
///
/// # Errors
/// [`NtStatus::DLL_NOT_FOUND`] for a full path where nothing is, unless plat has a DLL of that name.
fn path_of(process: &Process, name: &[u16]) -> Result<Option<PathBuf>, NtStatus> {
    let has_folder = name.iter().any(|&unit| unit == u16::from(b'\\') || unit == u16::from(b'/'));
    if !has_folder {
        return Ok(None);
    }
    let last =
        name.rsplit(|&unit| unit == u16::from(b'\\') || unit == u16::from(b'/')).next().unwrap_or(name);
    let extension: &[u16] = if last.contains(&u16::from(b'.')) { &[] } else { &DLL_EXTENSION };
    let located = process.files.locate(&[name, extension].concat()).ok();
    let stands_alone = || plat_win32::builtin(&normal_name(&String::from_utf16_lossy(name))).is_some();
    if located.is_none() && folder_of(name).is_some() && !stands_alone() {
        return Err(NtStatus::DLL_NOT_FOUND);
    }
    Ok(located)
}

/// Returns the folder of a DLL that is named by its full path.
fn folder_of(name: &[u16]) -> Option<Vec<u16>> {
    let is_separator = |&unit: &u16| unit == u16::from(b'\\') || unit == u16::from(b'/');
    let is_full = name.get(1) == Some(&u16::from(b':'))
        || name.iter().take(2).filter(|unit| is_separator(unit)).count() == 2;
    let last = name.iter().rposition(is_separator)?;
    is_full.then(|| name[..last + 1].to_vec())
}

impl ModuleLoader for PeLoader {
    fn load(&self, guest: &mut Guest, name: &[u16], flags: u32) -> Result<u64, NtStatus> {
        let leave = flags & DONT_RESOLVE_DLL_REFERENCES != 0;
        let references = if leave { References::Leave } else { References::Resolve };
        let text = String::from_utf16_lossy(name);
        let path = path_of(self.process, name)?;
        let plan = self.process.dll_folders.plan(flags, folder_of(name));
        let plan = plan.map_err(|_| NtStatus::INVALID_PARAMETER)?;
        let wanted = Wanted { name: &text, path, references, plan };
        self.load_library(guest, &wanted).map_err(|error| {
            if self.process.start.trace.loader {
                trace_line(&format!("LoadLibrary({text}): {error}"));
            }
            error.status()
        })
    }

    fn hold(&self, base: u64) {
        let mut graph = self.graph();
        if let Some(index) = graph.at(base) {
            let references = &mut graph.loaded[index].references;
            *references = references.saturating_add(1);
        }
    }

    fn unload(&self, guest: &mut Guest, base: u64) -> Result<(), NtStatus> {
        self.graph().at(base).ok_or(NtStatus::DLL_NOT_FOUND)?;
        self.drop_reference(guest, base);
        Ok(())
    }

    fn symbol(&self, _guest: &mut Guest, base: u64, symbol: Symbol<'_>) -> Result<u64, NtStatus> {
        let base = if base == 0 { self.module_named(&[]).map_or(0, |module| module.base) } else { base };
        let mut graph = self.graph();
        graph.symbol(base, symbol).inspect_err(|_| {
            if self.process.start.trace.loader
                && let Some(index) = graph.at(base)
            {
                trace_line(&format!("GetProcAddress: {} has no {symbol}", graph.loaded[index].module.name));
            }
        })
    }

    fn import(&self, base: u64, symbol: Symbol<'_>) -> Result<u64, NtStatus> {
        self.graph().import_late(base, symbol).map_err(|_| NtStatus::NO_MEMORY)
    }

    fn image_size(&self, file: &FileImage) -> Result<u64, NtStatus> {
        image_section::size(file)
    }

    fn map_image(
        &self,
        file: &FileImage,
        name: &str,
        base: Option<Address>,
    ) -> Result<AddressRange, NtStatus> {
        image_section::map(self.process, file, name, base)
    }

    fn module_at(&self, address: u64) -> Option<Module> {
        let graph = self.graph();
        graph.at(address).map(|index| graph.loaded[index].module.clone())
    }

    fn module_named(&self, name: &[u16]) -> Option<Module> {
        let graph = self.graph();
        if name.is_empty() {
            return graph
                .loaded
                .iter()
                .find(|loaded| loaded.module.is_program)
                .map(|loaded| loaded.module.clone());
        }
        let text = String::from_utf16_lossy(name);
        let has_folder = text.contains(['\\', '/']);
        let by_path = || {
            graph.loaded.iter().position(|loaded| {
                String::from_utf16_lossy(&loaded.module.path).eq_ignore_ascii_case(&text.replace('/', "\\"))
            })
        };
        let index = if has_folder { by_path() } else { graph.by_name(&text) };
        index.map(|index| graph.loaded[index].module.clone())
    }

    fn modules(&self) -> Vec<Module> {
        self.graph().loaded.iter().map(|loaded| loaded.module.clone()).collect()
    }

    fn attach_thread(&self, guest: &mut Guest) {
        if !self.has_begun.load(Ordering::Acquire) {
            if let Err(error) = self.begin_process(guest) {
                eprintln!("plat: {error}");
            }
            return;
        }
        LoaderLock::of(guest).with(|| {
            if let Err(error) = self.start_tls(guest) {
                eprintln!("plat: {error}");
            }
            self.notify(guest, Reason::ThreadAttach, 0);
        });
    }

    fn detach_thread(&self, guest: &mut Guest) {
        let lock = LoaderLock::of(guest);
        lock.with(|| self.notify(guest, Reason::ThreadDetach, 0));
        lock.abandon();
        let teb = guest.teb().address;
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).retain(|&other| other != teb);
    }

    fn begin_process_exit(&self, guest: &mut Guest) {
        let threads = &self.process.threads;
        LoaderLock::of(guest).enter_for_exit(|id| threads.find(id).is_some_and(|thread| !thread.has_ended()));
    }

    fn detach_process(&self, guest: &mut Guest) {
        self.notify(guest, Reason::ProcessDetach, 1);
        if let Some(map) = &self.sinks.map {
            map(&self.rows());
        }
        if self.sinks.verify {
            self.verify();
        }
    }

    fn options_for_children(&self) -> Vec<u8> {
        self.for_children.clone()
    }

    fn report_crash(&self, guest: &Guest, crash: &Crash) {
        let report = self.describe_crash(guest, crash);
        (self.sinks.report)(&report);
    }
}
