//! The one Windows process that this Linux process is: what its threads share.
//!
//! Key types: [`Process`], [`ModuleLoader`] (the part that the crate `loader` plays). Each area keeps its own state
//! in a field of its own type, made with `Default`, locked inside.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError, RwLock};

use plat_abi::{ApiDescriptor, Fault, Machine, Raw};
use plat_host::file_image::FileImage;
use plat_host::gate::{Call, FaultInfo, Registers, System, Thread};
use plat_host::memory::MemoryFault;
use plat_regions::{Address, AddressRange};

use crate::NtStatus;
use crate::entries::{self, Entry};
use crate::guest::Guest;
use crate::nt::handle::HandleTable;

/// The index of the first import that nothing provides.
const MISSING_INDEX: u32 = 0x8000_0000;

/// An import that nothing provides.
#[derive(Clone, Debug)]
pub struct MissingImport {
    /// The DLL that was to provide it.
    pub dll: String,
    /// Its name, or `#` and its ordinal.
    pub symbol: String,
    /// Why it is missing, as the second half of a sentence: `which this DLL does not export`.
    pub reason: String,
}

/// One loaded module, builtin or native.
#[derive(Clone, Debug)]
pub struct Module {
    /// Where it lies.
    pub base: u64,
    /// Its size in bytes.
    pub size: u64,
    /// Its entry point's address, or 0.
    pub entry_point: u64,
    /// Its file name, as in `kernel32.dll`.
    pub name: String,
    /// Its full Windows path.
    pub path: Vec<u16>,
    /// Whether plat made it.
    pub is_builtin: bool,
    /// Whether it is the program itself.
    pub is_program: bool,
    /// Address and size in bytes of its exception table; zero where it has none.
    pub exception_table: (u64, u64),
}

/// How an export is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symbol<'a> {
    /// By name.
    Name(&'a str),
    /// By ordinal.
    Ordinal(u16),
}

impl std::fmt::Display for Symbol<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => write!(formatter, "{name}"),
            Self::Ordinal(ordinal) => write!(formatter, "#{ordinal}"),
        }
    }
}

/// What the crate `loader` does for the functions here.
pub trait ModuleLoader: Sync + Send {
    /// Loads a DLL by file name or path (UTF-16, as the guest gave it), with what it needs; returns its base.
    ///
    /// # Errors
    /// `DLL_NOT_FOUND`, `INVALID_IMAGE_FORMAT`, `DLL_INIT_FAILED` and their like.
    fn load(&self, guest: &mut Guest, name: &[u16], flags: u32) -> Result<u64, NtStatus>;

    /// Adds one reference to a module, if it is there.
    fn hold(&self, base: u64);

    /// Gives up one reference to a module.
    ///
    /// # Errors
    /// `DLL_NOT_FOUND` when no module lies there.
    fn unload(&self, guest: &mut Guest, base: u64) -> Result<(), NtStatus>;

    /// Finds an export's address; follows forwarders.
    ///
    /// # Errors
    /// `ENTRYPOINT_NOT_FOUND`, `ORDINAL_NOT_FOUND`, `DLL_NOT_FOUND`.
    fn symbol(&self, guest: &mut Guest, base: u64, symbol: Symbol<'_>) -> Result<u64, NtStatus>;

    /// Finds what an import means: an export, or else a thunk that names it when it is called.
    ///
    /// # Errors
    /// `NO_MEMORY` when there is no room for the thunk.
    fn import(&self, base: u64, symbol: Symbol<'_>) -> Result<u64, NtStatus>;

    /// Returns how many bytes an image takes in memory, for a section of it.
    ///
    /// # Errors
    /// `INVALID_IMAGE_NOT_MZ`, `INVALID_IMAGE_FORMAT`.
    fn image_size(&self, file: &FileImage) -> Result<u64, NtStatus>;

    /// Maps an image that is no module, at `base` if that is given: relocated, with its sections' protections.
    ///
    /// # Errors
    /// As [`Self::image_size`]; `CONFLICTING_ADDRESSES` when `base` is taken, `NO_MEMORY` when no place is free.
    fn map_image(
        &self,
        file: &FileImage,
        name: &str,
        base: Option<Address>,
    ) -> Result<AddressRange, NtStatus>;

    /// Returns the module in which an address lies.
    fn module_at(&self, address: u64) -> Option<Module>;

    /// Returns the module of this name or path (UTF-16; `.dll` is added where there is no dot); the program for an
    /// empty name.
    fn module_named(&self, name: &[u16]) -> Option<Module>;

    /// Returns all modules in load order.
    fn modules(&self) -> Vec<Module>;

    /// Tells the modules (static TLS, TLS callbacks, `DllMain`) that this thread begins.
    fn attach_thread(&self, guest: &mut Guest);

    /// Tells the modules that this thread ends, in reverse order.
    fn detach_thread(&self, guest: &mut Guest);

    /// Waits until no other thread is in a `DllMain`, and lets none begin: the process ends.
    fn begin_process_exit(&self, guest: &mut Guest);

    /// Tells the modules that the process ends, in reverse order.
    fn detach_process(&self, guest: &mut Guest);

    /// Returns the loader's options in a form for a child process.
    fn options_for_children(&self) -> Vec<u8>;

    /// Describes a crash to the user on standard error: exception, place, registers, code, stack, regions.
    fn report_crash(&self, guest: &Guest, crash: &Crash);
}

/// An exception that nobody handled, or a call of a function that plat lacks.
#[derive(Debug)]
pub struct Crash {
    /// The exception code.
    pub code: u32,
    /// A sentence: what happened.
    pub message: String,
    /// Where.
    pub registers: Box<Registers>,
    /// The address that was accessed, if the exception has one.
    pub accessed: Option<u64>,
}

/// What `--trace` shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trace {
    /// Calls of Windows functions, but for those that stay in guest code.
    pub api: bool,
    /// The loader's decisions.
    pub loader: bool,
    /// Changes of the address space.
    pub memory: bool,
}

/// What a process is started with.
#[derive(Debug, Default)]
pub struct Start {
    /// The program's full Windows path.
    pub program: Vec<u16>,
    /// The command line.
    pub command_line: Vec<u16>,
    /// The current directory's full Windows path.
    pub current_directory: Vec<u16>,
    /// The environment: names and values.
    pub environment: Vec<(Vec<u16>, Vec<u16>)>,
    /// What to trace.
    pub trace: Trace,
    /// What `GetStartupInfo` returns; nothing where a Unix program started it.
    pub startup: Option<crate::nt::start_record::Startup>,
}

/// The state that all guest threads share.
pub struct Process {
    /// The guest's machine.
    pub machine: Machine,
    /// What it was started with.
    pub start: Start,
    /// Its objects, by handle.
    pub handles: HandleTable,
    /// The states of its events that guest code changes.
    pub event_words: crate::nt::event_words::EventWords,
    /// Its address space.
    pub memory: crate::nt::memory::AddressSpace,
    /// Its registry.
    pub registry: crate::nt::registry::Registry,
    /// Its heaps.
    pub heaps: crate::nt::heap::Heaps,
    /// The objects that its components made.
    pub components: crate::com::Components,
    /// Its exception handlers.
    pub exceptions: crate::nt::exception::Exceptions,
    /// The state of the C runtime, msvcrt.dll.
    pub crt: crate::msvcrt::Crt,
    /// Its files, paths and console.
    pub files: crate::nt::path::FileSystem,
    /// Its environment variables.
    pub environment: crate::nt::environment::Environment,
    /// Its threads, thread-local slots and their callbacks.
    pub threads: crate::nt::thread::Threads,
    /// What the program told about its worth.
    pub hints: crate::nt::hints::Hints,
    /// Its windows and message queues.
    pub desktop: crate::nt::user::Desktop,
    /// Multimedia files.
    pub multimedia_files: crate::winmm::mmio::Files,
    /// Its fibers.
    pub fibers: crate::nt::fiber::Fibers,
    /// The names of pipes that it serves.
    pub pipes: crate::nt::pipe_name::PipeNames,
    /// Its use of the network.
    pub network: crate::nt::socket::Network,
    /// Its providers of cryptography, hashes, keys and certificates.
    pub cryptography: crate::crypto_objects::Objects,
    /// The certificates that the Linux system trusts, once a program asked for them.
    pub trusted_certificates:
        std::sync::OnceLock<Vec<std::sync::Arc<crate::logic::crypto::certificate::Encoded>>>,
    /// Its access token.
    pub tokens: crate::nt::token::Tokens,
    /// The security descriptors that its objects were given.
    pub descriptors: crate::nt::security::Descriptors,
    /// The processes it knows.
    pub children: crate::nt::process_object::Children,
    /// The threads that make calls for others.
    pub pool: crate::nt::pool::Pool,
    /// Files that it loaded as data.
    pub data_files: crate::nt::data_file::DataFiles,
    /// Where it searches for DLLs.
    pub dll_folders: crate::nt::dll_folders::DllFolders,
    /// Its named objects.
    pub names: crate::nt::names::Names,
    /// What error reporting was told.
    pub(crate) error_reporting: crate::kernel32::werapi::ErrorReporting,
    /// Where 32-bit code enters the host, once it was placed.
    pub trampoline: OnceLock<&'static plat_host::gate::Trampoline>,
    loader: OnceLock<&'static dyn ModuleLoader>,
    missing: Mutex<Vec<MissingImport>>,
    data: RwLock<HashMap<(&'static str, &'static str), u64>>,
    /// The PEB's address, once there is one.
    pub peb: OnceLock<u64>,
}

static PROCESS: OnceLock<Process> = OnceLock::new();

/// The system that the gate calls: it leads to the process.
struct Gate;

static GATE: Gate = Gate;

impl Process {
    /// Makes the process and installs it behind the gate; there is one in a Linux process.
    ///
    /// # Panics
    /// When called twice.
    pub fn install(machine: Machine, start: Start, memory: crate::nt::memory::AddressSpace) -> &'static Self {
        let process = Self {
            machine,
            start,
            handles: HandleTable::default(),
            event_words: crate::nt::event_words::EventWords::default(),
            memory,
            registry: crate::nt::registry::Registry::default(),
            heaps: crate::nt::heap::Heaps::default(),
            components: crate::com::Components::default(),
            exceptions: crate::nt::exception::Exceptions::default(),
            crt: crate::msvcrt::Crt::default(),
            files: crate::nt::path::FileSystem::default(),
            environment: crate::nt::environment::Environment::default(),
            threads: crate::nt::thread::Threads::default(),
            hints: crate::nt::hints::Hints::default(),
            desktop: crate::nt::user::Desktop::default(),
            multimedia_files: crate::winmm::mmio::Files::default(),
            fibers: crate::nt::fiber::Fibers::default(),
            pipes: crate::nt::pipe_name::PipeNames::default(),
            network: crate::nt::socket::Network::default(),
            cryptography: crate::crypto_objects::Objects::default(),
            trusted_certificates: std::sync::OnceLock::new(),
            tokens: crate::nt::token::Tokens::default(),
            descriptors: crate::nt::security::Descriptors::default(),
            children: crate::nt::process_object::Children::default(),
            pool: crate::nt::pool::Pool::default(),
            data_files: crate::nt::data_file::DataFiles::default(),
            dll_folders: crate::nt::dll_folders::DllFolders::default(),
            names: crate::nt::names::Names::default(),
            error_reporting: crate::kernel32::werapi::ErrorReporting::default(),
            trampoline: OnceLock::new(),
            loader: OnceLock::new(),
            missing: Mutex::default(),
            data: RwLock::default(),
            peb: OnceLock::new(),
        };
        let made = PROCESS.set(process).is_ok();
        assert!(made, "there is one Windows process in a Linux process");
        plat_host::gate::install(&GATE);
        PROCESS.get().expect("it was just set")
    }

    /// Returns the process, once it was installed.
    pub fn current() -> Option<&'static Self> {
        PROCESS.get()
    }

    /// Completes the process with its loader.
    ///
    /// # Panics
    /// When called twice.
    pub fn complete(&self, loader: &'static dyn ModuleLoader) {
        let fresh = self.loader.set(loader).is_ok();
        assert!(fresh, "a process is completed once");
    }

    /// Notes an import that nothing provides; returns the index for its thunk, which names it when called.
    pub fn add_missing(&self, missing: MissingImport) -> u32 {
        let mut list = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        list.push(missing);
        MISSING_INDEX + (list.len() - 1) as u32
    }

    /// Notes where a builtin DLL's variable or method lies.
    pub fn add_data(&self, dll: &'static str, name: &'static str, address: u64) {
        self.data.write().unwrap_or_else(PoisonError::into_inner).insert((dll, name), address);
    }

    /// Returns the loader.
    pub fn loader(&self) -> &'static dyn ModuleLoader {
        *self.loader.get().expect("guest code runs after the process was completed")
    }

    /// Returns where a builtin DLL's variable or method lies, as `data_address("msvcrt.dll", "_iob")`.
    pub fn data_address(&self, dll: &'static str, name: &'static str) -> Option<u64> {
        self.data.read().unwrap_or_else(PoisonError::into_inner).get(&(dll, name)).copied()
    }

    /// Raises an access violation at the caller of the current call. Never comes back.
    pub(crate) fn raise_fault(&self, guest: &mut Guest, fault: Fault) -> ! {
        crate::nt::exception::dispatch::raise_access_violation(guest, fault)
    }

    /// Returns the registers with which the current call can be made again, at its thunk.
    pub(crate) fn retry_registers(&self, guest: &mut Guest) -> Option<Box<Registers>> {
        let thunk = self.current_thunk(guest)?;
        guest.gate().entry_registers(thunk)
    }

    /// Returns where the thunk of the current call lies, found by its name.
    pub(crate) fn current_thunk(&self, guest: &mut Guest) -> Option<u64> {
        let entry = entries::entry(guest.gate().call_index()?)?;
        let name: Vec<u16> = entry.dll().encode_utf16().collect();
        let base = self.loader().module_named(&name)?.base;
        let exported = self.loader().symbol(guest, base, Symbol::Name(entry.name)).ok();
        exported.or_else(|| self.data_address(entry.dll(), entry.name))
    }

    /// Reports a crash and ends the process with the exception's code.
    pub fn end_by_crash(&self, guest: &Guest, crash: &Crash) -> ! {
        self.loader().report_crash(guest, crash);
        crate::nt::process_object::leave(crash.code)
    }

    /// Ends the process because of a call that leads nowhere: the function is named.
    #[cold]
    fn call_nowhere(&self, guest: &Guest, index: u32) -> ! {
        let registers = guest.caller_registers().unwrap_or_else(|| Registers::zeroed(!self.machine.is_64()));
        let missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        let message = match (entries::entry(index), missing.get(index.wrapping_sub(MISSING_INDEX) as usize)) {
            (Some(entry), _) => {
                format!("the program called {}!{}, which plat does not have yet", entry.dll(), entry.name)
            }
            (None, Some(import)) => {
                format!("the program called {}!{}, {}", import.dll, import.symbol, import.reason)
            }
            (None, None) => {
                format!("the program called a function of plat that does not exist (index {index})")
            }
        };
        drop(missing);
        let crash = Crash { code: NtStatus::ENTRYPOINT_NOT_FOUND.0, message, registers, accessed: None };
        self.end_by_crash(guest, &crash)
    }

    fn trace_call(&self, guest: &Guest, entry: &Entry, api: &ApiDescriptor<Guest>) {
        let mut cursor = guest.arguments();
        let mut line = format!("{}!{}(", entry.dll(), entry.name);
        for (index, param) in api.params.iter().enumerate() {
            let value = if param.size_i386 == 8 { cursor.take::<u64>() } else { cursor.slot_word() };
            let comma = if index == 0 { "" } else { ", " };
            let wide = param.size_i386 == 8 || param.type_name == "GuestWord";
            let value = value.map(|value| if wide { value } else { value & 0xffff_ffff }).unwrap_or(0);
            line.push_str(&format!("{comma}{}={value:#x}", param.name));
        }
        eprintln!("{:04x} {line})", guest.teb().get(crate::teb::Teb::THREAD_ID).unwrap_or(0));
    }
}

/// Maps a Windows exit code to what a Unix parent sees: the low eight bits, never 0 for a failure.
pub fn exit_status(code: u32) -> i32 {
    let low = (code & 0xff) as i32;
    if low == 0 && code != 0 { 1 } else { low }
}

impl System for Gate {
    #[inline]
    fn call(&self, call: &mut Call<'_>) {
        let process = PROCESS.get().expect("installed with the gate");
        let mut guest = Guest::of_call(process, call);
        let Some((entry, api)) = entries::entry(call.index()).and_then(|entry| Some((entry, entry.api?)))
        else {
            process.call_nowhere(&guest, call.index())
        };
        if process.start.trace.api {
            process.trace_call(&guest, entry, api);
        }
        match (api.entry)(&mut guest) {
            Raw::Integer(value) => call.set_result(value),
            Raw::Double(value) => call.set_double(value),
            Raw::Float(value) => call.set_float(value),
        }
        call.set_stack_bytes(entry.stack_bytes);
    }

    fn fault(&self, thread: Thread, fault: &FaultInfo, registers: Box<Registers>) -> Box<Registers> {
        let process = PROCESS.get().expect("installed with the gate");
        let mut guest = Guest::of_thread(process, thread);
        crate::nt::exception::dispatch::handle_fault(&mut guest, fault, registers)
    }

    fn stop(&self, thread: Thread, registers: Box<Registers>) -> (Box<Registers>, bool) {
        match PROCESS.get() {
            Some(process) => crate::nt::thread_start::stop(&mut Guest::of_thread(process, thread), registers),
            None => (registers, false),
        }
    }

    fn stack_bytes(&self, index: u32) -> u32 {
        entries::entry(index).map_or(0, |entry| entry.stack_bytes)
    }

    fn resolve(&self, fault: MemoryFault) -> bool {
        let (Some(process), Some(thread)) = (PROCESS.get(), Thread::current()) else { return false };
        crate::nt::exception::dispatch::resolve(&Guest::of_thread(process, thread), fault)
    }
}
