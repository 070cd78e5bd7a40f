//! From the decisions of the rules to the page tables: pages dropped, moved, their entries changed.

use plat_regions::linux::{Action, Step, VmFlags};
use plat_regions::{Access, Address, AddressRange, PAGE_SIZE};

use crate::event::{Kind, Pid};
use crate::frames::{FrameUse, ZERO_FRAME};
use crate::machine::{Machine, MachineError};
use crate::paging::{Entry, EntryBits};
use crate::process::MemoryId;

impl Machine {
    /// Carries out what Linux's rules decided, and says it.
    pub(crate) fn apply_steps(
        &mut self,
        pid: Pid,
        memory: MemoryId,
        steps: &[Step],
    ) -> Result<(), MachineError> {
        for step in steps {
            let range = Some(step.range).filter(|range| !range.is_empty());
            self.say_about(pid, Kind::Rule, step.reason.code(), step.to_string(), range);
            match step.action {
                Action::Unmap => self.zap(pid, memory, step.range),
                Action::Discard => self.zap(pid, memory, step.range),
                Action::Protect { access } => self.protect_pages(memory, step.range, access),
                Action::Move { from } => self.move_pages(pid, memory, from, step.range)?,
                Action::Populate => self.populate(pid, step.range)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Drops the pages of a range.
    pub(crate) fn zap(&mut self, pid: Pid, id: MemoryId, range: AddressRange) {
        let Some(memory) = self.memories.get_mut(&id) else { return };
        let (mut dropped, mut freed) = (0u64, 0u64);
        for (page, entry) in memory.tables.pages(range) {
            memory.tables.clear(page, &mut self.frames);
            dropped += 1;
            freed += u64::from(self.frames.drop_map(entry.frame()));
        }
        if dropped > 0 {
            self.tlb.invalidate(id.0, range);
            let text = format!("{dropped} pages leave the page tables; {freed} frames become free");
            self.say_about(pid, Kind::Page, "pages-dropped", text, Some(range));
        }
    }

    /// Takes rights from entries at once; rights that are added to private pages come with the next fault.
    fn protect_pages(&mut self, id: MemoryId, range: AddressRange, access: Access) {
        let Some(memory) = self.memories.get_mut(&id) else { return };
        let pages = memory.tables.pages(range);
        let has_nx = memory.tables.format().has_nx();
        for (page, _) in &pages {
            let (mut set, mut cleared) = (EntryBits::empty(), EntryBits::empty());
            // A page that nobody may touch keeps its frame, and its entry is not present.
            if access.is_empty() { &mut cleared } else { &mut set }.insert(EntryBits::PRESENT);
            if has_nx {
                let nx = if access.contains(Access::EXECUTE) { &mut cleared } else { &mut set };
                nx.insert(EntryBits::NX);
            }
            if !access.contains(Access::WRITE) {
                cleared |= EntryBits::WRITE | EntryBits::COW;
            }
            memory.tables.change(*page, set, cleared);
        }
        if !pages.is_empty() {
            self.tlb.invalidate(id.0, range);
        }
    }

    fn move_pages(
        &mut self,
        pid: Pid,
        id: MemoryId,
        from: Address,
        to: AddressRange,
    ) -> Result<(), MachineError> {
        let full = self.out_of_memory();
        let Some(memory) = self.memories.get_mut(&id) else { return Ok(()) };
        let Some(old) = AddressRange::sized(from, to.size()) else { return Ok(()) };
        let pages = memory.tables.pages(old);
        for (page, entry) in &pages {
            memory.tables.clear(*page, &mut self.frames);
            let target = Address::new(to.start.get() + (page.get() - from.get()));
            memory.tables.set(target, *entry, &mut self.frames).ok_or(full.clone())?;
        }
        if !pages.is_empty() {
            self.tlb.invalidate(id.0, old);
            let text = format!("{} entries move from {from}; no page is copied", pages.len());
            self.say_about(pid, Kind::Page, "pages-moved", text, Some(to));
        }
        Ok(())
    }

    /// Fetches every page of a range now, as `MAP_POPULATE` and locked memory want.
    fn populate(&mut self, pid: Pid, range: AddressRange) -> Result<(), MachineError> {
        let mut at = range.start;
        while at < range.end {
            let Some((_, vma)) = self.memory(pid).and_then(|memory| memory.linux()?.vma_at(at)) else {
                return Ok(());
            };
            let private = vma.access.contains(Access::WRITE) && !vma.flags.contains(VmFlags::SHARED);
            if vma.access.is_empty() {
                return Ok(());
            }
            let access = if private { Access::WRITE } else { Access::READ };
            self.touch_quietly(pid, at, access)?;
            at = Address::new(at.get() + PAGE_SIZE);
        }
        Ok(())
    }

    /// Copies the page tables of a range for a child: both sides lose the right to write.
    pub(crate) fn share_pages(
        &mut self,
        parent: MemoryId,
        child: MemoryId,
        range: AddressRange,
    ) -> Result<usize, MachineError> {
        let full = self.out_of_memory();
        let Some(memory) = self.memories.get_mut(&parent) else { return Ok(0) };
        let pages = memory.tables.pages(range);
        for (page, entry) in &pages {
            // The page of zeroes is read-only already and is not marked.
            let marked = entry.bits().contains(EntryBits::WRITE);
            let set = if marked { EntryBits::COW } else { EntryBits::empty() };
            memory.tables.change(*page, set, EntryBits::WRITE);
        }
        let Some(memory) = self.memories.get_mut(&child) else { return Ok(0) };
        for (page, entry) in &pages {
            let marked = entry.bits().contains(EntryBits::WRITE);
            let set = if marked { EntryBits::COW } else { EntryBits::empty() };
            let entry = entry.with(set, EntryBits::WRITE | EntryBits::ACCESSED);
            memory.tables.set(*page, entry, &mut self.frames).ok_or(full.clone())?;
            self.frames.add_map(entry.frame());
        }
        if !pages.is_empty() {
            self.tlb.invalidate(parent.0, range);
        }
        Ok(pages.len())
    }

    /// Points a page's entry at a frame, in place of what it pointed at.
    pub(crate) fn set_entry(
        &mut self,
        id: MemoryId,
        page: Address,
        entry: Entry,
    ) -> Result<(), MachineError> {
        let full = self.out_of_memory();
        let Some(memory) = self.memories.get_mut(&id) else { return Ok(()) };
        let old = memory.tables.entry(page);
        // The new one first: old and new may be one frame.
        memory.tables.set(page, entry, &mut self.frames).ok_or(full)?;
        self.frames.add_map(entry.frame());
        if let Some(old) = old {
            self.frames.drop_map(old.frame());
        }
        let end = Address::new(page.get() + PAGE_SIZE);
        self.tlb.invalidate(id.0, AddressRange { start: page, end });
        Ok(())
    }

    /// Copies a frame for one process.
    pub(crate) fn copy_frame(
        &mut self,
        from: crate::frames::FrameId,
    ) -> Result<crate::frames::FrameId, MachineError> {
        let copy = self.frames.allocate(FrameUse::Anonymous).ok_or_else(|| self.out_of_memory())?;
        let bytes = self.frames.get(from).and_then(|frame| frame.bytes.clone());
        if from != ZERO_FRAME
            && let Some(frame) = self.frames.get_mut(copy)
        {
            // Shared until one of the two is written: `Frames::write` makes its own.
            frame.bytes = bytes;
        }
        Ok(copy)
    }
}
