//! Loading and unloading while the program runs: the references to a module, and who waits for whom.
//!
//! A module is unloaded under the loader's lock: it is told, and then gone. Who asks for a module meanwhile waits for the
//! lock, and has it loaded anew. A module that a thread initialises is waited for in the same way.

use std::path::PathBuf;

use plat_win32::guest::Guest;
use plat_win32::nt::dll_folders::SearchPlan;

use crate::error::LoadError;
use crate::graph::References;
use crate::lock::LoaderLock;
use crate::modules::PeLoader;

/// What a program asks `LoadLibrary` for.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) name: &'a str,
    /// The file, when the name tells it; else the name is searched for.
    pub(crate) path: Option<PathBuf>,
    pub(crate) references: References,
    pub(crate) plan: SearchPlan,
}

impl PeLoader {
    /// Loads a DLL and initialises what is new; one that is there gets one more reference.
    ///
    /// # Errors
    /// [`LoadError`] when it is nowhere, damaged, fits nowhere, or refuses to begin.
    pub(crate) fn load_library(&self, guest: &mut Guest, wanted: &Wanted<'_>) -> Result<u64, LoadError> {
        let lock = LoaderLock::of(guest);
        let base = match self.load_unless_ending(wanted)? {
            Some(base) => base,
            // What still ends under the lock ends on this very thread.
            None => lock.with(|| self.load_now(wanted))?,
        };
        if wanted.references == References::Resolve && !self.is_attached(base) {
            lock.with(|| {
                self.attach_modules(guest, Some(base), 0).inspect_err(|_| {
                    // A DLL that refused is told that it goes, as Windows does, and is gone.
                    self.drop_reference(guest, base);
                })
            })?;
        }
        Ok(base)
    }

    /// Loads a DLL; answers nothing while a module is being unloaded.
    fn load_unless_ending(&self, wanted: &Wanted<'_>) -> Result<Option<u64>, LoadError> {
        let mut graph = self.graph();
        if graph.loaded.iter().any(|loaded| loaded.is_ending) {
            return Ok(None);
        }
        let (base, is_new) = graph.load(wanted)?;
        drop(graph);
        self.list_if(is_new);
        Ok(Some(base))
    }

    fn load_now(&self, wanted: &Wanted<'_>) -> Result<u64, LoadError> {
        let (base, is_new) = self.graph().load(wanted)?;
        self.list_if(is_new);
        Ok(base)
    }

    fn list_if(&self, is_new: bool) {
        if is_new {
            self.list_new_modules();
        }
    }

    /// Gives up one reference to a module; the last one unloads it, and gives up those that it holds itself.
    pub(crate) fn drop_reference(&self, guest: &mut Guest, base: u64) {
        if !self.give_up(base, false) {
            return;
        }
        LoaderLock::of(guest).with(|| {
            // Somebody may have asked for it before the lock was free.
            if self.give_up(base, true) {
                self.notify_one(guest, base);
                self.take_tls(guest, base);
                for needed in self.remove(base) {
                    self.drop_reference(guest, needed);
                }
            }
        });
    }

    /// Gives up one reference, the last one only if the module `may_end`; says whether it is the last one.
    fn give_up(&self, base: u64, may_end: bool) -> bool {
        let mut graph = self.graph();
        let Some(index) = graph.at(base) else { return false };
        let loaded = &mut graph.loaded[index];
        if loaded.module.is_builtin || loaded.pinned || loaded.is_ending {
            return false;
        }
        let is_last = loaded.references <= 1;
        if !is_last || may_end {
            loaded.references = loaded.references.saturating_sub(1);
            loaded.is_ending = is_last;
        }
        is_last
    }

    /// Takes a module off the lists and gives its pages back; returns the modules that it needed.
    fn remove(&self, base: u64) -> Vec<u64> {
        let mut graph = self.graph();
        let index = graph.index_of(base);
        let loaded = graph.loaded.remove(index);
        graph.order.retain(|&other| other != base);
        if let Some(ldr) = self.ldr().filter(|_| loaded.ldr_entry != 0) {
            for list in 0..3 {
                // A guest that broke its own lists finds out by itself.
                let _ = ldr.unlink(list, loaded.ldr_entry);
            }
        }
        // Who loads it again finds its place free.
        self.process().memory.unmap_image(base);
        drop(graph);
        loaded.needs
    }
}
