//! Kernel objects: one trait, one kind each.

use std::any::Any;
use std::sync::Arc;

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    /// An I/O completion port.
    CompletionPort,
    /// A job.
    Job,
    /// A snapshot of processes, threads or modules.
    Snapshot,
    /// A file, a pipe, a device or a console.
    File,
    /// An open directory, for enumeration.
    Directory,
    /// A directory of named objects.
    ObjectDirectory,
    /// A name that leads to another.
    ObjectLink,
    /// A memory section (file mapping).
    Section,
    /// An event.
    Event,
    /// A mutex.
    Mutant,
    /// A semaphore.
    Semaphore,
    /// A waitable timer.
    Timer,
    /// A process.
    Process,
    /// A thread.
    Thread,
    /// A registry key.
    Key,
    /// An access token.
    Token,
    /// An enumeration of files begun by `FindFirstFile`.
    Find,
    /// A pseudo-console.
    PseudoConsole,
    /// A keyed event.
    KeyedEvent,
    /// A notice of scarce or ample memory.
    MemoryNotice,
    /// A wish that the machine stay awake.
    PowerRequest,
    /// An event log, or a source of events.
    EventLog,
    /// A directory whose changes are waited for, begun by `FindFirstChangeNotification`.
    ChangeNotification,
    /// The machine's policy.
    Policy,
    /// Changes of a file's resources, begun by `BeginUpdateResource`.
    ResourceUpdate,
}

/// A kernel object. Handles and waiting threads share it; it is gone when the last of them lets it go.
pub trait Object: Any + Send + Sync {
    /// Returns what it is.
    fn kind(&self) -> ObjectKind;

    /// Returns where its name is kept, if it can have one.
    fn lease(&self) -> Option<&super::names::LeaseCell> {
        None
    }

    /// Is told that a handle of it is about to stand for something else. No lock is held.
    fn handle_closes(&self, handle: u64) {
        let _ = handle;
    }

    /// Waits until what the host does for it lets it go, before the caller gives up a handle's reference. No lock is held.
    fn settle(&self) {}

    /// Returns its waiting side, if a thread can wait for it.
    fn waitable(&self) -> Option<&dyn super::wait::Waitable> {
        None
    }
}

/// A shared reference to an object.
pub type ObjectRef = Arc<dyn Object>;

/// Returns the object as its own type.
pub fn downcast<T: Object>(object: ObjectRef) -> Option<Arc<T>> {
    let any: Arc<dyn Any + Send + Sync> = object;
    any.downcast::<T>().ok()
}
