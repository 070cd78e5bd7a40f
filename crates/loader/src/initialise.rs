//! The beginning and the end of modules and threads: static TLS, TLS callbacks, `DllMain`, in Windows' order.
//!
//! No lock of the host is held while guest code runs: modules may load others, and exceptions may pass.

use plat_abi::{Fault, Memory};
use plat_win32::NtStatus;
use plat_win32::guest::{Guest, GuestMemory};
use plat_win32::nt::exception::guarded;
use plat_win32::teb::Teb;

use crate::error::LoadError;
use crate::graph::{Attached, Loaded};
use crate::modules::{PeLoader, trace_line};

/// Why an entry point is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    ProcessDetach = 0,
    ProcessAttach = 1,
    ThreadAttach = 2,
    ThreadDetach = 3,
}

/// How many modules with static thread-local data a process may have.
pub(crate) const TLS_MODULES_MAX: u64 = 256;

/// What is called for one module.
struct Entry {
    base: u64,
    name: String,
    callbacks: Vec<u64>,
    /// Address of `DllMain`, or 0.
    main: u64,
}

impl PeLoader {
    /// Initialises, under the loader's lock, modules that are not yet, what a module needs before it: all, or only `root`
    /// and what it needs. A `DllMain` that loads a DLL does not have those initialised that wait for its own end.
    ///
    /// # Errors
    /// [`LoadError::DllRefused`] when a `DllMain` returns `FALSE`, or has before; [`LoadError::DllFaulted`] when an exception
    /// leaves it.
    pub(crate) fn attach_modules(
        &self,
        guest: &mut Guest,
        root: Option<u64>,
        reserved: u64,
    ) -> Result<(), LoadError> {
        if let Some(dll) = root.and_then(|root| self.refused(root)) {
            return Err(LoadError::DllRefused { dll });
        }
        while let Some(entry) = self.next_to_attach(root) {
            // Nobody takes it for initialised when its data found no room.
            self.give_tls(guest, entry.base).inspect_err(|_| self.mark(entry.base, Attached::Refused))?;
            if entry.name.eq_ignore_ascii_case(plat_win32::msvcrt::DLL.name) {
                self.written(plat_win32::msvcrt::attach(guest))?;
            } else if entry.name.eq_ignore_ascii_case(plat_win32::msvcp140::DLL.name) {
                self.written(plat_win32::msvcp140::attach(guest))?;
            }
            let answer = if root.is_none() {
                // A fault while the process starts ends it, with a report that tells where.
                call(guest, &entry, Reason::ProcessAttach, reserved)
            } else {
                call_guarded(guest, &entry, Reason::ProcessAttach, reserved)
            };
            if answer != Ok(true) {
                self.mark(entry.base, Attached::Refused);
                let dll = entry.name;
                return Err(match answer {
                    Err(status) => LoadError::DllFaulted { dll, status },
                    Ok(_) => LoadError::DllRefused { dll },
                });
            }
            self.mark(entry.base, Attached::Wholly);
        }
        Ok(())
    }

    /// Returns whether a module and all that it needs were initialised, so that nobody need wait for it.
    pub(crate) fn is_attached(&self, root: u64) -> bool {
        let graph = self.graph();
        let attached =
            |base: &u64| graph.at(*base).is_some_and(|at| graph.loaded[at].attached == Attached::Wholly);
        graph.closure(root).iter().all(attached)
    }

    /// Returns the name of a module that refused to begin, if `root` is or needs one.
    fn refused(&self, root: u64) -> Option<String> {
        let graph = self.graph();
        let modules = graph.closure(root).into_iter().filter_map(|base| graph.at(base));
        let mut modules = modules.map(|index| &graph.loaded[index]);
        modules.find(|loaded| loaded.attached == Attached::Refused).map(|loaded| loaded.module.name.clone())
    }

    fn mark(&self, base: u64, attached: Attached) {
        let mut graph = self.graph();
        // A `DllMain` may have had its own module unloaded.
        if let Some(index) = graph.at(base) {
            graph.loaded[index].attached = attached;
        }
    }

    /// Marks the next module as attached and returns what to call for it.
    fn next_to_attach(&self, root: Option<u64>) -> Option<Entry> {
        let mut graph = self.graph();
        let wanted = root.map(|root| graph.closure(root));
        let is_wanted = |loaded: &Loaded| {
            let base = loaded.module.base;
            loaded.attached == Attached::No
                && wanted.as_ref().is_none_or(|wanted| loaded.module.is_builtin || wanted.contains(&base))
        };
        let mut order = graph.order.iter().map(|&base| graph.index_of(base));
        let index = order.find(|&index| is_wanted(&graph.loaded[index]))?;
        graph.loaded[index].attached = Attached::Begun;
        let (ldr_entry, entry) = (graph.loaded[index].ldr_entry, entry_of(&graph.loaded[index]));
        if let Some(ldr) = self.ldr() {
            // A guest that broke its own lists finds out by itself.
            let _ = ldr.link(2, ldr_entry);
        }
        drop(graph);
        Some(entry)
    }

    /// Tells all attached modules, in order or in reverse: under the loader's lock. A `DllMain` need not be ready for two
    /// threads at once; Delphi's ends the process when two of them come together.
    pub(crate) fn notify(&self, guest: &mut Guest, reason: Reason, reserved: u64) {
        let entries: Vec<Entry> = {
            let graph = self.graph();
            let attached = graph.order.iter().map(|&base| &graph.loaded[graph.index_of(base)]);
            attached
                .filter(|loaded| loaded.attached != Attached::No && !loaded.module.is_builtin)
                .map(entry_of)
                .collect()
        };
        let backwards = matches!(reason, Reason::ProcessDetach | Reason::ThreadDetach);
        let mut entries = entries;
        if backwards {
            entries.reverse();
        }
        for entry in &entries {
            self.tell(guest, entry, reason, reserved);
        }
    }

    /// Tells one module that it is unloaded.
    pub(crate) fn notify_one(&self, guest: &mut Guest, base: u64) {
        let entry = {
            let graph = self.graph();
            graph
                .at(base)
                .map(|index| &graph.loaded[index])
                .filter(|loaded| loaded.attached != Attached::No)
                .map(entry_of)
        };
        if let Some(entry) = entry {
            self.tell(guest, &entry, Reason::ProcessDetach, 0);
        }
    }

    /// Tells a module something that it cannot refuse: an exception is its own affair.
    fn tell(&self, guest: &mut Guest, entry: &Entry, reason: Reason, reserved: u64) {
        let told = call_guarded(guest, entry, reason, reserved);
        if let Err(status) = told
            && self.process().start.trace.loader
        {
            trace_line(&format!("{}: {reason:?}: DllMain raised {status}", entry.name));
        }
    }

    /// Gives the calling thread its array of pointers to static thread-local data, and all blocks there are.
    pub(crate) fn start_tls(&self, guest: &Guest) -> Result<(), LoadError> {
        let pointer = guest.process().machine.pointer_size();
        let array = self.allocate(TLS_MODULES_MAX * pointer)?;
        self.written(guest.teb().set(Teb::TLS_POINTER, array))?;
        self.remember_thread(guest.teb().address);
        let modules: Vec<u64> = {
            let graph = self.graph();
            let with_tls =
                graph.loaded.iter().filter(|loaded| loaded.tls.is_some() && loaded.attached != Attached::No);
            with_tls.map(|loaded| loaded.module.base).collect()
        };
        modules.into_iter().try_for_each(|base| self.give_block(guest.teb(), base))
    }

    /// Gives every thread its block of a new module's static thread-local data.
    fn give_tls(&self, guest: &Guest, base: u64) -> Result<(), LoadError> {
        let machine = guest.process().machine;
        let index = {
            let graph = self.graph();
            let loaded = &graph.loaded[graph.index_of(base)];
            let Some(tls) = &loaded.tls else { return Ok(()) };
            tls.index.map(|index| (base + u64::from(index.get()), loaded.tls_index))
        };
        if let Some((place, value)) = index {
            self.written(GuestMemory::of(machine).write(place, &value))?;
        }
        let threads = self.threads();
        threads.into_iter().try_for_each(|address| self.give_block(Teb { address, machine }, base))
    }

    /// Gives one thread its block.
    fn give_block(&self, teb: Teb, base: u64) -> Result<(), LoadError> {
        let (template, zeros, index) = {
            let graph = self.graph();
            let loaded = &graph.loaded[graph.index_of(base)];
            let Some(tls) = &loaded.tls else { return Ok(()) };
            (tls.template.clone(), tls.zero_fill_bytes, u64::from(loaded.tls_index))
        };
        let memory = GuestMemory::of(teb.machine);
        let length = u64::from(template.end.get().saturating_sub(template.start.get()));
        let block = self.allocate(length + u64::from(zeros))?;
        let bytes = self.written(memory.read_vec(base + u64::from(template.start.get()), length))?;
        self.written(memory.write_bytes(block, &bytes))?;
        let array = self.written(teb.get(Teb::TLS_POINTER))?;
        self.written(memory.write_word(array + index * teb.machine.pointer_size(), block))
    }

    /// Frees every thread's block of a module that goes.
    pub(crate) fn take_tls(&self, guest: &Guest, base: u64) {
        let machine = guest.process().machine;
        let index = {
            let graph = self.graph();
            let loaded = graph.at(base).map(|index| &graph.loaded[index]);
            let Some(loaded) =
                loaded.filter(|loaded| loaded.tls.is_some() && loaded.attached != Attached::No)
            else {
                return;
            };
            u64::from(loaded.tls_index)
        };
        for address in self.threads() {
            // A thread that broke its own pointers keeps its block.
            let _ = self.take_block(Teb { address, machine }, index);
        }
    }

    fn take_block(&self, teb: Teb, index: u64) -> Result<(), Fault> {
        let memory = GuestMemory::of(teb.machine);
        let place = teb.get(Teb::TLS_POINTER)? + index * teb.machine.pointer_size();
        let block = memory.read_word(place)?;
        memory.write_word(place, 0)?;
        if block != 0 {
            self.process().heaps.free(0, block);
        }
        Ok(())
    }

    fn allocate(&self, size: u64) -> Result<u64, LoadError> {
        self.process().heaps.allocate(0, size.max(1), true).ok_or_else(|| LoadError::Setup {
            what: "static thread-local data".to_owned(),
            status: plat_win32::NtStatus::NO_MEMORY,
        })
    }

    fn written<T>(&self, result: Result<T, Fault>) -> Result<T, LoadError> {
        result.map_err(|_| LoadError::Setup {
            what: "static thread-local data".to_owned(),
            status: plat_win32::NtStatus::ACCESS_VIOLATION,
        })
    }
}

fn entry_of(loaded: &Loaded) -> Entry {
    let base = loaded.module.base;
    let callbacks = loaded.tls.iter().flat_map(|tls| &tls.callbacks);
    Entry {
        base,
        name: loaded.module.name.clone(),
        callbacks: callbacks.map(|callback| base + u64::from(callback.get())).collect(),
        main: if loaded.module.is_program { 0 } else { loaded.module.entry_point },
    }
}

/// Calls a module's TLS callbacks and its `DllMain`; says whether it agrees.
///
/// # Errors
/// The status of a stack without room.
fn call(guest: &mut Guest, entry: &Entry, reason: Reason, reserved: u64) -> Result<bool, NtStatus> {
    call_by(guest, entry, reason, reserved, |guest, function, arguments| Ok(guest.call(function, arguments)?))
}

/// As [`call`], under the loader's eyes: an exception that a callback does not handle ends the callback, as Windows has it.
///
/// # Errors
/// The code of an exception that left `DllMain`.
fn call_guarded(guest: &mut Guest, entry: &Entry, reason: Reason, reserved: u64) -> Result<bool, NtStatus> {
    call_by(guest, entry, reason, reserved, guarded::call)
}

fn call_by(
    guest: &mut Guest,
    entry: &Entry,
    reason: Reason,
    reserved: u64,
    run: impl Fn(&mut Guest, u64, &[u64]) -> Result<u64, NtStatus>,
) -> Result<bool, NtStatus> {
    let arguments = [entry.base, reason as u64, reserved];
    for &callback in &entry.callbacks {
        // What happens to one callback keeps nobody from the next, nor from `DllMain`.
        let _ = run(guest, callback, &arguments);
    }
    if entry.main == 0 {
        return Ok(true);
    }
    let answer = run(guest, entry.main, &arguments)?;
    Ok(reason != Reason::ProcessAttach || answer as u32 & 0xff != 0)
}
