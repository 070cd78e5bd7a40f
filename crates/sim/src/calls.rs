//! Linux's memory calls on a process: [`Call`], carried out by [`Machine::call`].

use std::sync::Arc;

use plat_regions::linux::{
    Advice, Failure, Fault, LockAllFlags, MapFlags, MapRequest, OpenFile, Outcome, ProtectGrows,
    RemapRequest, Source,
};
use plat_regions::{Access, Address, Label};

use crate::event::{Kind, Pid};
use crate::frames::ObjectId;
use crate::machine::{Machine, MachineError};

/// A call of a Linux program that changes its memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// `mmap`.
    Map {
        /// Hint, or the fixed address.
        address: Address,
        /// Bytes.
        length: u64,
        /// `PROT_*`.
        access: Access,
        /// `MAP_*`.
        flags: MapFlags,
        /// What is mapped: an open file and the offset in bytes, or nothing for zeroed memory.
        file: Option<(Arc<OpenFile>, u64)>,
    },
    /// `munmap`.
    Unmap {
        /// Where.
        address: Address,
        /// Bytes.
        length: u64,
    },
    /// `mprotect`.
    Protect {
        /// Where.
        address: Address,
        /// Bytes.
        length: u64,
        /// `PROT_*`.
        access: Access,
        /// `PROT_GROWSDOWN` and `PROT_GROWSUP`.
        grows: ProtectGrows,
    },
    /// `mremap`.
    Remap(RemapRequest),
    /// `madvise`.
    Advise {
        /// Where.
        address: Address,
        /// Bytes.
        length: u64,
        /// `MADV_*`.
        advice: Advice,
    },
    /// `brk`.
    Brk {
        /// The wanted end of the heap; 0 asks where it is.
        address: Address,
    },
    /// `mlock`, and `mlock2`.
    Lock {
        /// Where.
        address: Address,
        /// Bytes.
        length: u64,
        /// `MLOCK_ONFAULT`.
        on_fault: bool,
    },
    /// `munlock`.
    Unlock {
        /// Where.
        address: Address,
        /// Bytes.
        length: u64,
    },
    /// `mlockall`.
    LockAll {
        /// `MCL_*`.
        flags: LockAllFlags,
    },
    /// `munlockall`.
    UnlockAll,
}

/// What a call returns: a number, or an errno's name.
pub type Answer = Result<u64, &'static str>;

impl Call {
    /// Returns the call's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Map { .. } => "mmap",
            Self::Unmap { .. } => "munmap",
            Self::Protect { .. } => "mprotect",
            Self::Remap(_) => "mremap",
            Self::Advise { .. } => "madvise",
            Self::Brk { .. } => "brk",
            Self::Lock { on_fault: false, .. } => "mlock",
            Self::Lock { on_fault: true, .. } => "mlock2",
            Self::Unlock { .. } => "munlock",
            Self::LockAll { .. } => "mlockall",
            Self::UnlockAll => "munlockall",
        }
    }

    /// Writes the call as in C.
    pub fn to_text(&self) -> String {
        let at = |address: &Address| format!("{:#x}", address.get());
        match self {
            Self::Map { address, length, access, flags, file } => {
                let (fd, offset) =
                    file.as_ref().map_or(("-1", 0), |(file, offset)| (file.name.as_str(), *offset));
                let flags = flags_text(*flags);
                format!(
                    "mmap({}, {length}, {}, {flags}, {fd}, {offset:#x})",
                    at(address),
                    access_text(*access)
                )
            }
            Self::Protect { address, length, access, grows } => {
                let grows: String =
                    grows.iter_names().map(|(name, _)| format!("|PROT_GROWS{name}")).collect();
                format!("mprotect({}, {length}, {}{grows})", at(address), access_text(*access))
            }
            Self::Remap(request) => {
                let RemapRequest { address, old_length, new_length, flags, .. } = request;
                format!("mremap({}, {old_length}, {new_length}, {:#x})", at(address), flags.bits())
            }
            Self::Advise { address, length, advice } => {
                format!("madvise({}, {length}, {})", at(address), advice.name())
            }
            Self::Brk { address } => format!("brk({})", at(address)),
            Self::Lock { address, length, on_fault: true } => {
                format!("mlock2({}, {length}, MLOCK_ONFAULT)", at(address))
            }
            Self::LockAll { flags } => format!("mlockall({})", lock_all_text(*flags)),
            Self::UnlockAll => "munlockall()".to_owned(),
            Self::Unmap { address, length }
            | Self::Lock { address, length, .. }
            | Self::Unlock { address, length } => format!("{}({}, {length})", self.name(), at(address)),
        }
    }
}

fn access_text(access: Access) -> String {
    let names = [(Access::READ, "PROT_READ"), (Access::WRITE, "PROT_WRITE"), (Access::EXECUTE, "PROT_EXEC")];
    let set: Vec<_> = names.iter().filter(|(bit, _)| access.contains(*bit)).map(|(_, name)| *name).collect();
    if set.is_empty() { "PROT_NONE".to_owned() } else { set.join("|") }
}

/// The names of the flags of `mlockall`.
pub(crate) const LOCK_ALL_NAMES: [(&str, LockAllFlags); 3] = [
    ("MCL_CURRENT", LockAllFlags::CURRENT),
    ("MCL_FUTURE", LockAllFlags::FUTURE),
    ("MCL_ONFAULT", LockAllFlags::ON_FAULT),
];

fn lock_all_text(flags: LockAllFlags) -> String {
    let set = LOCK_ALL_NAMES.iter().filter(|(_, bit)| flags.contains(*bit));
    let names: Vec<_> = set.map(|(name, _)| *name).collect();
    if names.is_empty() { "0".to_owned() } else { names.join("|") }
}

/// The names of the flags of `mmap`.
pub(crate) const MAP_NAMES: [(&str, MapFlags); 16] = [
    ("MAP_SHARED", MapFlags::SHARED),
    ("MAP_PRIVATE", MapFlags::PRIVATE),
    ("MAP_DROPPABLE", MapFlags::DROPPABLE),
    ("MAP_FIXED", MapFlags::FIXED),
    ("MAP_ANONYMOUS", MapFlags::ANONYMOUS),
    ("MAP_32BIT", MapFlags::LOW_2GB),
    ("MAP_ABOVE4G", MapFlags::ABOVE_4GB),
    ("MAP_GROWSDOWN", MapFlags::GROWS_DOWN),
    ("MAP_DENYWRITE", MapFlags::DENY_WRITE),
    ("MAP_LOCKED", MapFlags::LOCKED),
    ("MAP_NORESERVE", MapFlags::NO_RESERVE),
    ("MAP_POPULATE", MapFlags::POPULATE),
    ("MAP_NONBLOCK", MapFlags::NON_BLOCK),
    ("MAP_STACK", MapFlags::STACK),
    ("MAP_HUGETLB", MapFlags::HUGE_PAGES),
    ("MAP_FIXED_NOREPLACE", MapFlags::FIXED_NOREPLACE),
];

fn flags_text(flags: MapFlags) -> String {
    let set = MAP_NAMES.iter().filter(|(_, bit)| flags.contains(*bit)).map(|(name, _)| *name);
    let text = set.collect::<Vec<_>>().join("|");
    if text.is_empty() { "0".into() } else { text }
}

impl Machine {
    /// Opens a file for mapping.
    ///
    /// # Errors
    /// [`MachineError::NoFile`].
    pub fn open(
        &mut self,
        path: &str,
        readable: bool,
        writable: bool,
    ) -> Result<Arc<OpenFile>, MachineError> {
        let missing = || MachineError::NoFile { path: path.to_owned() };
        let id = self.cache.find(path).ok_or_else(missing)?;
        Ok(self.open_object(id, readable, writable))
    }

    pub(crate) fn open_object(&mut self, id: ObjectId, readable: bool, writable: bool) -> Arc<OpenFile> {
        self.next_open += 1;
        let (name, size, temporary) = self.cache.get(id).map_or((String::new(), 0, false), |object| {
            (object.name.clone(), object.size, object.is_temporary)
        });
        Arc::new(OpenFile {
            id: self.next_open,
            inode: u64::from(id.0),
            readable,
            writable,
            size_bytes: size,
            // As ext4 and most file systems of disks; memory without a file is placed without it.
            aligns_huge: !temporary,
            seals_writes: false,
            name: Label::from(name),
        })
    }

    /// Carries a memory call out.
    ///
    /// # Errors
    /// [`MachineError`] when there is no such process or no memory for page tables; a refusal of the rules is an [`Answer`].
    pub fn call(&mut self, pid: Pid, call: &Call) -> Result<Answer, MachineError> {
        self.linux_of(pid, call.name())?;
        self.say(pid, Kind::Call, "call", call.to_text());
        let answer = self.carry_out(pid, call)?;
        if matches!(call, Call::Map { .. } | Call::Unmap { .. } | Call::Remap(_)) {
            self.drop_unused_objects(pid);
        }
        let text = match answer {
            Ok(value) => format!("{} returns {value:#x}", call.name()),
            Err(error) => format!("{} fails: {error}", call.name()),
        };
        self.say(pid, Kind::Call, if answer.is_ok() { "returned" } else { "refused" }, text);
        Ok(answer)
    }

    fn carry_out(&mut self, pid: Pid, call: &Call) -> Result<Answer, MachineError> {
        match call {
            Call::Map { address, length, access, flags, file } => {
                let source = self.source_of(*flags, *length, file);
                let (address, length, access, flags) = (*address, *length, *access, *flags);
                let request = MapRequest { address, length, access, flags, source };
                let (id, space) = self.linux_of(pid, "mmap")?;
                let outcome = space.map(&request);
                self.settle(pid, id, outcome, Address::get)
            }
            Call::Unmap { address, length } => {
                let (id, space) = self.linux_of(pid, "munmap")?;
                let outcome = space.unmap(*address, *length);
                self.settle(pid, id, outcome, |()| 0)
            }
            Call::Protect { address, length, access, grows } => {
                let (id, space) = self.linux_of(pid, "mprotect")?;
                let outcome = space.protect_growing(*address, *length, *access, *grows);
                self.settle(pid, id, outcome, |()| 0)
            }
            Call::Remap(request) => {
                let (id, space) = self.linux_of(pid, "mremap")?;
                let outcome = space.remap(request);
                self.settle(pid, id, outcome, Address::get)
            }
            Call::Advise { address, length, advice } => {
                let (id, space) = self.linux_of(pid, "madvise")?;
                let outcome = space.advise(*address, *length, *advice);
                self.settle(pid, id, outcome, |()| 0)
            }
            Call::Brk { address } => {
                let (id, space) = self.linux_of(pid, "brk")?;
                let outcome = space.brk(*address);
                self.settle(pid, id, Ok(outcome), Address::get)
            }
            Call::Lock { address, length, on_fault } => {
                let (id, space) = self.linux_of(pid, call.name())?;
                let outcome = space.lock(*address, *length, *on_fault);
                self.settle(pid, id, outcome, |()| 0)
            }
            Call::Unlock { address, length } => {
                let (id, space) = self.linux_of(pid, "munlock")?;
                let outcome = space.unlock(*address, *length);
                self.settle(pid, id, outcome, |()| 0)
            }
            Call::LockAll { flags } => {
                let (id, space) = self.linux_of(pid, "mlockall")?;
                let outcome = space.lock_all(*flags);
                self.settle(pid, id, outcome, |()| 0)
            }
            Call::UnlockAll => {
                let (id, space) = self.linux_of(pid, "munlockall")?;
                let outcome = space.unlock_all();
                self.settle(pid, id, Ok(outcome), |()| 0)
            }
        }
    }

    /// Chooses what is mapped; shared memory without a file becomes an object that children can see too.
    fn source_of(&mut self, flags: MapFlags, length: u64, file: &Option<(Arc<OpenFile>, u64)>) -> Source {
        match file {
            Some((file, offset)) => Source::File { file: file.clone(), offset: *offset },
            None if flags.contains(MapFlags::SHARED) && !flags.contains(MapFlags::PRIVATE) && length > 0 => {
                let object = self.cache.add_memory("/dev/zero (deleted)", length);
                Source::File { file: self.open_object(object, true, true), offset: 0 }
            }
            None => Source::Anonymous,
        }
    }

    fn settle<T>(
        &mut self,
        pid: Pid,
        id: crate::process::MemoryId,
        outcome: Result<Outcome<T>, Failure>,
        value: impl Fn(T) -> u64,
    ) -> Result<Answer, MachineError> {
        match outcome {
            Ok(outcome) => {
                self.apply_steps(pid, id, &outcome.steps)?;
                Ok(Ok(value(outcome.value)))
            }
            Err(failure) => {
                self.apply_steps(pid, id, &failure.steps)?;
                self.say(pid, Kind::Rule, failure.reason.code(), failure.to_string());
                Ok(Err(failure.error.name()))
            }
        }
    }

    /// Lets the rules grow a stack to `address`, as a touch that nobody recorded did.
    ///
    /// # Errors
    /// [`MachineError`] as for [`Self::call`]. False when the rules refuse.
    pub fn grow_stack_to(&mut self, pid: Pid, address: Address) -> Result<bool, MachineError> {
        let (id, space) = self.linux_of(pid, "stack")?;
        let outcome = space.fault(address, plat_regions::linux::FaultAccess::Write);
        self.apply_steps(pid, id, &outcome.steps)?;
        Ok(matches!(outcome.value, Fault::Served { .. }))
    }
}
