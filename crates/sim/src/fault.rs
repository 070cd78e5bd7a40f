//! A touch of memory: translation cache, walk, page fault, the rules, the page, or a signal.

use plat_regions::linux::{Fault, FaultAccess, Signal, VmFlags, Vma};
use plat_regions::{Access, Address, AddressRange, PAGE_SIZE};

use crate::event::{Kind, Pid};
use crate::frames::{FrameId, FrameUse, ZERO_FRAME};
use crate::machine::{Machine, MachineError};
use crate::paging::{Entry, EntryBits, WalkEnd};
use crate::process::{MemoryId, Rules, State, object_of};

/// How a touch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// The byte is at this place of this frame.
    Reached(FrameId),
    /// A signal, or an exception of Windows, whose name this is.
    Signal(&'static str),
}

/// Where the page that a fault wants comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PageSource {
    /// Zeroes.
    Zero,
    /// A page of an object, and whether stores make a private copy.
    Object { object: crate::frames::ObjectId, page: u64, is_private: bool },
}

/// A page that the rules allow a process to have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grant {
    pub(crate) page: Address,
    pub(crate) wanted: Access,
    /// What the region allows.
    pub(crate) access: Access,
    pub(crate) source: PageSource,
    /// Whether reads of untouched private memory share the page of zeroes: Linux does, Windows does not.
    pub(crate) shares_zeroes: bool,
}

fn word(access: Access) -> &'static str {
    if access.contains(Access::WRITE) {
        "write"
    } else if access.contains(Access::EXECUTE) {
        "fetch an instruction"
    } else {
        "read"
    }
}

impl Machine {
    /// Reads a byte as the process would.
    ///
    /// # Errors
    /// [`MachineError::NoProcess`], [`MachineError::OutOfMemory`].
    pub fn read(&mut self, pid: Pid, address: Address) -> Result<Result<u8, &'static str>, MachineError> {
        Ok(match self.access(pid, address, Access::READ, true)? {
            Touch::Reached(frame) => Ok(self.frames.byte(frame, (address.get() & 0xfff) as u16)),
            Touch::Signal(signal) => Err(signal),
        })
    }

    /// Writes a byte as the process would; `Some` is the signal that it got instead.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn write(
        &mut self,
        pid: Pid,
        address: Address,
        value: u8,
    ) -> Result<Option<&'static str>, MachineError> {
        Ok(match self.access(pid, address, Access::WRITE, true)? {
            Touch::Reached(frame) => {
                self.frames.write(frame, (address.get() & 0xfff) as u16, &[value]);
                if let Some(frame) = self.frames.get_mut(frame) {
                    frame.dirty = matches!(frame.purpose, FrameUse::Cached { .. });
                }
                None
            }
            Touch::Signal(signal) => Some(signal),
        })
    }

    /// Touches a byte; a signal ends the process when `is_deadly`, and is only reported else (as for the kernel's own touches).
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn access(
        &mut self,
        pid: Pid,
        address: Address,
        access: Access,
        is_deadly: bool,
    ) -> Result<Touch, MachineError> {
        let id = self.running(pid)?.memory;
        if self.tlb.switch_to(id.0) {
            self.say(
                pid,
                Kind::Processor,
                "tlb-flush",
                "another address space: the translation cache is emptied",
            );
        }
        if let Some(frame) = self.tlb.look_up(address, access) {
            let text =
                format!("{} at {address}: the translation cache knows frame {}", word(access), frame.0);
            self.say(pid, Kind::Processor, "tlb-hit", text);
            return Ok(Touch::Reached(frame));
        }
        // Growth and copies change what the next walk finds; two rounds are enough, a third is a bug.
        for _ in 0..3 {
            let Some(memory) = self.memories.get_mut(&id) else { break };
            let walk = memory.tables.walk(address, access);
            if let WalkEnd::Done { .. } = walk.end {
                let dirty =
                    if access.contains(Access::WRITE) { EntryBits::DIRTY } else { EntryBits::empty() };
                memory.tables.change(address, EntryBits::ACCESSED | dirty, EntryBits::empty());
                let entry = memory.tables.entry(address).unwrap_or_default();
                self.tlb.fill(address, entry);
                let text = format!("{} at {address}: the walk finds frame {}", word(access), entry.frame().0);
                self.say_walk(pid, "walk", text, walk);
                return Ok(Touch::Reached(entry.frame()));
            }
            if walk.end == WalkEnd::NotCanonical {
                self.say_walk(pid, "walk-fault", format!("{address} is no address of a program"), walk);
                break;
            }
            let present = matches!(walk.end, WalkEnd::Forbidden { .. });
            let bits = [
                if present { "protection" } else { "not present" },
                if access.contains(Access::WRITE) { "write" } else { "read" },
                "user",
            ];
            let fetch = if access.contains(Access::EXECUTE) { ", instruction fetch" } else { "" };
            let text = format!("page fault at {address} (error code: {}{fetch})", bits.join(", "));
            self.say_walk(pid, "walk-fault", text, walk);
            if let Some(signal) = self.handle_fault(pid, id, address, access)? {
                return Ok(self.deliver(pid, address, signal, is_deadly));
            }
        }
        Ok(self.deliver(pid, address, "SIGSEGV", is_deadly))
    }

    /// Touches a page without walking and without the translation cache, for what the kernel fetches ahead.
    pub(crate) fn touch_quietly(
        &mut self,
        pid: Pid,
        address: Address,
        access: Access,
    ) -> Result<Option<&'static str>, MachineError> {
        let (id, memory) = self.memory_of(pid)?;
        match memory.tables.walk(address, access).end {
            WalkEnd::Done { .. } => Ok(None),
            _ => self.handle_fault(pid, id, address, access),
        }
    }

    fn deliver(&mut self, pid: Pid, address: Address, signal: &'static str, is_deadly: bool) -> Touch {
        let text = if is_deadly {
            format!("{signal}: process {pid} ends at {address}")
        } else {
            format!("{signal} at {address}")
        };
        self.say(pid, Kind::Signal, "signal", text);
        if is_deadly {
            self.end_process(pid, State::Killed { by: signal });
        }
        Touch::Signal(signal)
    }

    /// Asks the rules for the page, and gives it; `Some` is a signal.
    fn handle_fault(
        &mut self,
        pid: Pid,
        id: MemoryId,
        address: Address,
        access: Access,
    ) -> Result<Option<&'static str>, MachineError> {
        let Some(memory) = self.memories.get_mut(&id) else { return Ok(Some("SIGSEGV")) };
        let grant = match &mut memory.rules {
            Rules::Linux(space) => {
                let outcome = space.fault(address, kind_of(access));
                self.apply_steps(pid, id, &outcome.steps)?;
                match outcome.value {
                    Fault::Killed(Signal::Bus) => return Ok(Some("SIGBUS")),
                    Fault::Killed(_) => return Ok(Some("SIGSEGV")),
                    Fault::Served { range, vma } => linux_grant(address, access, range, &vma),
                }
            }
            Rules::Windows(..) => match self.windows_grant(pid, id, address, access)? {
                Ok(grant) => grant,
                Err(exception) => return Ok(Some(exception)),
            },
        };
        if let PageSource::Object { object, page, .. } = grant.source
            && self.cache.get(object).is_none_or(|object| page >= object.size.div_ceil(PAGE_SIZE))
        {
            self.say(pid, Kind::Rule, "beyond-file", "the file ends before this page");
            return Ok(Some("SIGBUS"));
        }
        self.give_page(pid, id, grant)?;
        Ok(None)
    }

    /// Makes the page of a grant present with the rights that the touch needs.
    pub(crate) fn give_page(&mut self, pid: Pid, id: MemoryId, grant: Grant) -> Result<(), MachineError> {
        let held = self.memories.get(&id).and_then(|memory| memory.tables.entry(grant.page));
        let writes = grant.wanted.contains(Access::WRITE);
        match held {
            Some(entry) if writes => self.make_writable(pid, id, grant, entry),
            // Present but forbidden for reading or execution: an entry that an earlier right left behind.
            Some(entry) => {
                let bits = self.bits_of(grant, false, false);
                self.set_entry(id, grant.page, Entry::new(entry.frame(), bits))
            }
            None => self.first_page(pid, id, grant),
        }
    }

    fn bits_of(&self, grant: Grant, writable: bool, cow: bool) -> EntryBits {
        let mut bits = EntryBits::PRESENT | EntryBits::USER;
        bits.set(EntryBits::WRITE, writable);
        bits.set(EntryBits::COW, cow);
        bits.set(EntryBits::NX, self.config.format.has_nx() && !grant.access.contains(Access::EXECUTE));
        bits
    }

    fn first_page(&mut self, pid: Pid, id: MemoryId, grant: Grant) -> Result<(), MachineError> {
        let writes = grant.wanted.contains(Access::WRITE);
        let may_write = grant.access.contains(Access::WRITE);
        let (frame, writable, cow, code, text) = match grant.source {
            PageSource::Zero if !writes && grant.shares_zeroes => {
                let text = "first read: the page of zeroes, which all share, read-only".to_owned();
                (ZERO_FRAME, false, may_write, "zero-page", text)
            }
            PageSource::Zero => {
                let frame = self.frames.allocate(FrameUse::Anonymous).ok_or_else(|| self.out_of_memory())?;
                let text = format!("frame {} is zeroed for this page", frame.0);
                (frame, may_write, false, "new-page", text)
            }
            PageSource::Object { object, page, is_private } => {
                let (cached, read) =
                    self.cache.page(object, page, &mut self.frames).ok_or_else(|| self.out_of_memory())?;
                self.count_fault(pid, read);
                let name = self.cache.get(object).map_or(String::new(), |object| object.name.clone());
                let how = if read { "read from the file" } else { "in the page cache already" };
                let text = format!("page {page} of {name}, frame {}, is {how}", cached.0);
                self.say(pid, Kind::Page, if read { "file-read" } else { "file-cached" }, text);
                if !(writes && is_private) {
                    let text =
                        if writes { "shared: stores go to the file's own page" } else { "mapped as it is" };
                    (cached, writes, is_private && may_write, "file-mapped", text.to_owned())
                } else {
                    let copy = self.copy_frame(cached)?;
                    self.count_copy(pid);
                    let text = format!("a store to a private mapping: frame {} is the copy", copy.0);
                    (copy, true, false, "file-copied", text)
                }
            }
        };
        if matches!(grant.source, PageSource::Zero) {
            self.count_fault(pid, false);
        }
        let bits = self.bits_of(grant, writable, cow);
        self.say(pid, Kind::Page, code, text);
        self.set_entry(id, grant.page, Entry::new(frame, bits))
    }

    /// Answers a store to a page that is present and read-only.
    fn make_writable(
        &mut self,
        pid: Pid,
        id: MemoryId,
        grant: Grant,
        entry: Entry,
    ) -> Result<(), MachineError> {
        self.count_fault(pid, false);
        let bits = self.bits_of(grant, true, false);
        let frame = entry.frame();
        let (maps, purpose) =
            self.frames.get(frame).map_or((0, FrameUse::Zero), |frame| (frame.maps, frame.purpose));
        let shared = matches!(grant.source, PageSource::Object { is_private: false, .. });
        if shared {
            self.say(pid, Kind::Page, "shared-written", "a shared page: stores are allowed from now on");
            return self.set_entry(id, grant.page, Entry::new(frame, bits));
        }
        if purpose == FrameUse::Anonymous && maps == 1 {
            let text = format!(
                "frame {} is this process's alone by now: no copy, the entry becomes writable",
                frame.0
            );
            self.say(pid, Kind::Page, "cow-reuse", text);
            return self.set_entry(id, grant.page, Entry::new(frame, bits));
        }
        let copy = self.copy_frame(frame)?;
        self.count_copy(pid);
        let (code, text) = match purpose {
            FrameUse::Zero => {
                ("zero-replaced", format!("first store: frame {} replaces the page of zeroes", copy.0))
            }
            FrameUse::Anonymous => (
                "cow-copy",
                format!(
                    "copy on write: frame {} had {maps} owners, frame {} is this process's copy",
                    frame.0, copy.0
                ),
            ),
            _ => ("file-copied", format!("a store to a private mapping: frame {} is the copy", copy.0)),
        };
        self.say(pid, Kind::Page, code, text);
        self.set_entry(id, grant.page, Entry::new(copy, bits))
    }

    fn count_fault(&mut self, pid: Pid, is_major: bool) {
        if let Some(process) = self.processes.get_mut(&pid) {
            let counter = if is_major {
                &mut process.counters.major_faults
            } else {
                &mut process.counters.minor_faults
            };
            *counter += 1;
        }
    }

    fn count_copy(&mut self, pid: Pid) {
        if let Some(process) = self.processes.get_mut(&pid) {
            process.counters.copies += 1;
        }
    }
}

fn kind_of(access: Access) -> FaultAccess {
    if access.contains(Access::WRITE) {
        FaultAccess::Write
    } else if access.contains(Access::EXECUTE) {
        FaultAccess::Execute
    } else {
        FaultAccess::Read
    }
}

fn linux_grant(address: Address, wanted: Access, range: AddressRange, vma: &Vma) -> Grant {
    let page = address.align_down(PAGE_SIZE);
    let source = match object_of(vma) {
        Some(object) => PageSource::Object {
            object,
            page: vma.page_at(range.start, page),
            is_private: !vma.flags.contains(VmFlags::MAY_SHARE),
        },
        None => PageSource::Zero,
    };
    Grant { page, wanted, access: vma.access, source, shares_zeroes: true }
}
