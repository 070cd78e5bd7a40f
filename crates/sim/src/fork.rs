//! How processes begin and end: `fork`, `vfork`, `exit`, `wait`.

use plat_regions::linux::Action;

use crate::event::{Kind, Pid};
use crate::machine::{Machine, MachineError};
use crate::process::{MemoryId, Rules, State};

impl Machine {
    /// Makes a child with a copy of the address space whose pages are shared until one side writes.
    ///
    /// `Ok(Err(errno))` is a refusal of the rules.
    ///
    /// # Errors
    /// [`MachineError::NoProcess`], [`MachineError::WrongRules`], [`MachineError::OutOfMemory`].
    pub fn fork(&mut self, parent: Pid) -> Result<Result<Pid, &'static str>, MachineError> {
        let (from, space) = self.linux_of(parent, "fork")?;
        let outcome = match space.fork() {
            Ok(outcome) => outcome,
            Err(failure) => {
                self.apply_steps(parent, from, &failure.steps)?;
                self.say(parent, Kind::Rule, failure.reason.code(), failure.to_string());
                return Ok(Err(failure.error.name()));
            }
        };
        let copied: Vec<_> = outcome.value.vmas().map(|(range, vma)| (range, vma.anon.is_some())).collect();
        let to = self.add_memory(Rules::Linux(Box::new(outcome.value)))?;
        let name = self.processes[&parent].name.clone();
        let child = self.add_process(&name, Some(parent), to);
        self.say(
            parent,
            Kind::Process,
            "fork",
            format!("process {child} begins as a copy of process {parent}"),
        );
        for step in outcome.steps.iter().filter(|step| step.action != Action::Map) {
            self.say_about(child, Kind::Rule, step.reason.code(), step.to_string(), Some(step.range));
        }
        let (mut shared, mut left) = (0, 0);
        for (range, has_own_pages) in copied {
            if has_own_pages {
                shared += self.share_pages(from, to, range)?;
            } else {
                left += self.memories.get(&from).map_or(0, |memory| memory.tables.pages(range).len());
            }
        }
        let text = format!(
            "{shared} pages are shared now: both sides lose the right to write, and bit 9 (COW) is set"
        );
        self.say(parent, Kind::Page, "fork-shared", text);
        if left > 0 {
            let text =
                format!("{left} entries are not copied: a fault finds those pages in the page cache again");
            self.say(parent, Kind::Page, "fork-left", text);
        }
        Ok(Ok(child))
    }

    /// Makes a child that uses its parent's memory, which waits until the child calls `exec` or `exit`.
    ///
    /// # Errors
    /// As [`Self::fork`].
    pub fn vfork(&mut self, parent: Pid) -> Result<Pid, MachineError> {
        let child = self.clone_with_memory(parent)?;
        if let Some(process) = self.processes.get_mut(&child) {
            process.borrows = true;
        }
        if let Some(process) = self.processes.get_mut(&parent) {
            process.state = State::WaitsForVfork { child };
        }
        let text = format!("process {child} borrows the memory of {parent}, which waits: nothing is copied");
        self.say(parent, Kind::Process, "vfork", text);
        Ok(child)
    }

    /// Makes a process that shares its parent's memory for good (`clone(CLONE_VM)`), such as a thread.
    ///
    /// # Errors
    /// As [`Self::fork`].
    pub fn clone_with_memory(&mut self, parent: Pid) -> Result<Pid, MachineError> {
        let process = self.running(parent)?;
        let (memory, name) = (process.memory, process.name.clone());
        Ok(self.add_process(&name, Some(parent), memory))
    }

    /// Gives a process another address space; the old one goes with its last user.
    pub(crate) fn replace_memory(&mut self, pid: Pid, new: MemoryId) {
        let Some(process) = self.processes.get_mut(&pid) else { return };
        let old = std::mem::replace(&mut process.memory, new);
        let (borrowed, parent) = (std::mem::take(&mut process.borrows), process.parent);
        if let Some(memory) = self.memories.get_mut(&new) {
            memory.users += 1;
        }
        self.release_memory(pid, old);
        if borrowed {
            self.wake(pid, parent);
        }
    }

    fn wake(&mut self, child: Pid, parent: Option<Pid>) {
        let Some(parent) = parent else { return };
        if let Some(process) = self.processes.get_mut(&parent)
            && process.state == (State::WaitsForVfork { child })
        {
            process.state = State::Running;
            self.say(
                parent,
                Kind::Process,
                "vfork-done",
                format!("process {parent} has its memory back and runs on"),
            );
        }
    }

    pub(crate) fn release_memory(&mut self, pid: Pid, id: MemoryId) {
        let Some(memory) = self.memories.get_mut(&id) else { return };
        memory.users = memory.users.saturating_sub(1);
        if memory.users > 0 {
            return;
        }
        let Some(mut memory) = self.memories.remove(&id) else { return };
        let (mut pages, mut freed) = (0, 0);
        for (page, entry) in memory.tables.all_pages() {
            memory.tables.clear(page, &mut self.frames);
            pages += 1;
            freed += u32::from(self.frames.drop_map(entry.frame()));
        }
        memory.tables.free(&mut self.frames);
        self.tlb.flush(id.0);
        let text = format!("the address space goes: {pages} pages leave it, {freed} frames become free");
        self.say(pid, Kind::Page, "memory-freed", text);
        self.drop_unused_objects(pid);
    }

    pub(crate) fn drop_unused_objects(&mut self, pid: Pid) {
        let memories = &self.memories;
        let is_mapped = |object| memories.values().any(|memory| memory.maps(object));
        for name in self.cache.drop_unused(is_mapped, &mut self.frames) {
            self.say(pid, Kind::Page, "object-freed", format!("{name}: nobody maps it any more"));
        }
    }

    /// Ends a process.
    ///
    /// # Errors
    /// [`MachineError::NoProcess`].
    pub fn exit(&mut self, pid: Pid, code: i32) -> Result<(), MachineError> {
        self.running(pid)?;
        self.say(pid, Kind::Process, "exit", format!("process {pid} ends with {code}"));
        self.end_process(pid, State::Zombie { code });
        Ok(())
    }

    pub(crate) fn end_process(&mut self, pid: Pid, state: State) {
        let Some(process) = self.processes.get_mut(&pid) else { return };
        process.state = state;
        let (memory, parent) = (process.memory, process.parent);
        let borrowed = std::mem::take(&mut process.borrows);
        self.release_memory(pid, memory);
        if borrowed {
            self.wake(pid, parent);
        }
        // Children without a parent belong to process 1's like: nobody here asks for their result.
        for child in self.processes.values_mut().filter(|process| process.parent == Some(pid)) {
            child.parent = None;
        }
    }

    /// Takes the result of a child that ended (of any, without a number); `None` when there is none yet.
    ///
    /// # Errors
    /// [`MachineError::NoProcess`].
    pub fn wait(&mut self, pid: Pid, child: Option<Pid>) -> Result<Option<Pid>, MachineError> {
        self.running(pid)?;
        let ended = |(number, process): &(&Pid, &crate::process::Process)| {
            let chosen = child.is_none_or(|child| child == **number);
            let over = matches!(process.state, State::Zombie { .. } | State::Killed { .. });
            process.parent == Some(pid) && chosen && over
        };
        let found = self.processes.iter().find(ended).map(|(number, process)| (*number, process.state));
        let Some((number, state)) = found else {
            self.say(pid, Kind::Process, "wait-none", "no child has ended yet");
            return Ok(None);
        };
        self.processes.remove(&number);
        let how = match state {
            State::Killed { by } => format!("was ended by {by}"),
            State::Zombie { code } => format!("ended with {code}"),
            _ => "runs".into(),
        };
        self.say(pid, Kind::Process, "wait", format!("process {number} {how}; its number is free again"));
        Ok(Some(number))
    }
}
