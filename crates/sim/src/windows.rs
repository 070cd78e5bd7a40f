//! Processes under the rules of Windows: faults, guard pages, and the calls that another process may make.

use plat_regions::windows::Action;
use plat_regions::windows::{
    AllocationType, Edit, FreeKind, GuardTouch, MemoryKind, PageProtection, Request, RuleError, State,
    ViewRequest, WindowsSpace,
};
use plat_regions::{Access, Address, Label, Layout, PAGE_SIZE, Use};

use crate::event::{Kind, Pid};
use crate::fault::{Grant, PageSource};
use crate::machine::{Machine, MachineError};
use crate::process::{MemoryId, Rules, View};

/// A call of a Windows program, for its own process or another one's.
#[derive(Clone, Debug)]
pub enum WindowsCall {
    /// `VirtualAllocEx`.
    Alloc {
        /// Where, or zero for anywhere.
        address: Address,
        /// Bytes.
        size: u64,
        /// `MEM_*`.
        kind: AllocationType,
        /// `PAGE_*`.
        protection: PageProtection,
    },
    /// `VirtualFreeEx`.
    Free {
        /// Where.
        address: Address,
        /// Bytes; 0 for all of an allocation.
        size: u64,
        /// `MEM_RELEASE` or `MEM_DECOMMIT`.
        release: bool,
    },
    /// `VirtualProtectEx`.
    Protect {
        /// Where.
        address: Address,
        /// Bytes.
        size: u64,
        /// `PAGE_*`.
        protection: PageProtection,
    },
    /// `MapViewOfFile`.
    MapView {
        /// Where, or zero for anywhere.
        address: Address,
        /// Bytes.
        size: u64,
        /// Path of the file.
        path: String,
        /// Offset in the file in bytes.
        offset: u64,
        /// `PAGE_*`.
        protection: PageProtection,
    },
}

fn views_go_to(layout: &Layout) -> Use {
    if layout.name == "win9x" { Use::Shared } else { Use::Private }
}

impl Machine {
    /// Makes a process with an empty address space under Windows' rules.
    ///
    /// # Errors
    /// [`MachineError::OutOfMemory`].
    pub fn spawn_windows(&mut self, name: &str, layout: &Layout) -> Result<Pid, MachineError> {
        let space = Box::new(WindowsSpace::new(layout));
        let memory = self.add_memory(Rules::Windows(space, Vec::new()))?;
        let pid = self.add_process(name, None, memory);
        let text = format!("process {pid} ({name}): an empty address space laid out as {}", layout.name);
        self.say(pid, Kind::Process, "process-new", text);
        Ok(pid)
    }

    pub(crate) fn windows_of(
        &mut self,
        pid: Pid,
        command: &'static str,
    ) -> Result<(MemoryId, &mut WindowsSpace, &mut Vec<View>), MachineError> {
        let (id, memory) = self.memory_of(pid)?;
        match &mut memory.rules {
            Rules::Windows(space, views) => Ok((id, space, views)),
            Rules::Linux(_) => Err(MachineError::WrongRules { pid, has: "Linux", command, wants: "Windows" }),
        }
    }

    /// Carries a call out on the memory of `target`; the answer is an address, or the refusal's words.
    ///
    /// # Errors
    /// [`MachineError::NoProcess`], [`MachineError::WrongRules`], [`MachineError::NoFile`].
    pub fn windows_call(
        &mut self,
        caller: Pid,
        target: Pid,
        call: &WindowsCall,
    ) -> Result<Result<u64, String>, MachineError> {
        self.may_reach(caller, target)?;
        self.say(caller, Kind::Call, "call", call.to_text((caller != target).then_some(target)));
        let (answer, edits) = self.decide(target, call)?;
        let id = self.running(target)?.memory;
        for edit in &edits {
            self.say_about(target, Kind::Rule, "edit", edit.to_string(), Some(edit.range));
            self.apply_edit(target, id, edit);
        }
        match &answer {
            Ok(value) => self.say(caller, Kind::Call, "returned", format!("returns {value:#x}")),
            Err(error) => self.say(caller, Kind::Call, "refused", error.clone()),
        }
        Ok(answer)
    }

    #[allow(clippy::type_complexity, reason = "one caller")]
    fn decide(
        &mut self,
        target: Pid,
        call: &WindowsCall,
    ) -> Result<(Result<u64, String>, Vec<Edit>), MachineError> {
        if let WindowsCall::MapView { .. } = call {
            return self.map_view(target, call);
        }
        let (_, space, views) = self.windows_of(target, "VirtualAllocEx")?;
        let refused = |error: RuleError| (Err(error.to_string()), Vec::new());
        Ok(match *call {
            WindowsCall::Alloc { address, size, kind, protection } => {
                let mut request = Request::new(size, kind, protection);
                request.base = Some(address).filter(|address| *address != Address::ZERO);
                space.allocate(&request).map_or_else(refused, |done| {
                    let edits = done.edits().to_vec();
                    (Ok(done.commit().start.get()), edits)
                })
            }
            WindowsCall::Free { address, size, release } => {
                if release && let Err(error) = space.check_win32_release(address, size) {
                    return Ok(refused(error));
                }
                let kind = if release { FreeKind::Release } else { FreeKind::Decommit };
                space.free(address, size, kind).map_or_else(refused, |done| {
                    let edits = done.edits().to_vec();
                    let range = done.commit();
                    views.retain(|view| !release || view.range.start != range.start);
                    (Ok(range.start.get()), edits)
                })
            }
            WindowsCall::Protect { address, size, protection } => {
                space.protect(address, size, protection).map_or_else(refused, |done| {
                    let edits = done.edits().to_vec();
                    (Ok(u64::from(done.commit().bits())), edits)
                })
            }
            WindowsCall::MapView { .. } => (Err("handled above".into()), Vec::new()),
        })
    }

    #[allow(clippy::type_complexity, reason = "one caller")]
    fn map_view(
        &mut self,
        target: Pid,
        call: &WindowsCall,
    ) -> Result<(Result<u64, String>, Vec<Edit>), MachineError> {
        let WindowsCall::MapView { address, size, path, offset, protection } = call else {
            return Ok((Err("no view".into()), Vec::new()));
        };
        let object = self.cache.find(path).ok_or_else(|| MachineError::NoFile { path: path.clone() })?;
        let (_, space, views) = self.windows_of(target, "MapViewOfFile")?;
        let request = ViewRequest {
            base: Some(*address).filter(|address| *address != Address::ZERO),
            size: *size,
            offset: *offset,
            protection: *protection,
            // Where a layout has memory of all processes, mapped files lie there (Windows 9x).
            purpose: views_go_to(space.layout()),
            owner: Label::from(path.clone()),
            reserve_only: false,
            of_memory: false,
        };
        Ok(match space.map_view(&request) {
            Ok(done) => {
                let edits = done.edits().to_vec();
                let range = done.commit();
                let is_private = protection.is_write_copy();
                views.push(View { range, object, offset: *offset, is_private });
                (Ok(range.start.get()), edits)
            }
            Err(error) => (Err(error.to_string()), Vec::new()),
        })
    }

    /// Carries a decision of Windows' rules out on the page tables.
    pub(crate) fn apply_edit(&mut self, pid: Pid, id: MemoryId, edit: &Edit) {
        match edit.action {
            // Pages come when they are touched.
            Action::Map { .. } => {}
            Action::Protect { .. } => {
                // The entries are made anew at the next touch, with the new rights: simplest, and no page is lost.
                if let Some(memory) = self.memories.get_mut(&id) {
                    use crate::paging::EntryBits;
                    for (page, _) in memory.tables.pages(edit.range) {
                        memory.tables.change(page, EntryBits::NX, EntryBits::PRESENT | EntryBits::WRITE);
                    }
                    self.tlb.invalidate(id.0, edit.range);
                }
            }
            Action::Discard | Action::Release { .. } => self.zap(pid, id, edit.range),
        }
    }

    /// Asks Windows' rules for a page: the grant, or the exception's name.
    pub(crate) fn windows_grant(
        &mut self,
        pid: Pid,
        id: MemoryId,
        address: Address,
        wanted: Access,
    ) -> Result<Result<Grant, &'static str>, MachineError> {
        const VIOLATION: &str = "STATUS_ACCESS_VIOLATION";
        let (_, space, _) = self.windows_of(pid, "touch")?;
        let run = space.query(address);
        let Some(run) = run.filter(|run| run.state == State::Commit) else {
            let (code, text) = match run.map(|run| run.state) {
                Some(State::Reserve) => ("reserved-only", "the page is reserved, and nobody committed it"),
                _ => ("not-mapped", "nothing is allocated there"),
            };
            self.say(pid, Kind::Rule, code, text);
            return Ok(Err(VIOLATION));
        };
        if run.protection.contains(PageProtection::GUARD) {
            return self.guard_hit(pid, id, address);
        }
        let access = run.protection.access();
        if !access.contains(wanted) {
            let text = format!("the page's protection is {:?}", run.protection);
            self.say(pid, Kind::Rule, "no-access", text);
            return Ok(Err(VIOLATION));
        }
        let page = address.align_down(PAGE_SIZE);
        let copies = run.protection.is_write_copy() || run.kind == Some(MemoryKind::Image);
        let source = match self.memories.get(&id).and_then(|memory| memory.view_at(page)) {
            Some(view) => PageSource::Object {
                object: view.object,
                page: (view.offset + (page.get() - view.range.start.get())) / PAGE_SIZE,
                is_private: view.is_private || copies,
            },
            None => PageSource::Zero,
        };
        self.say(pid, Kind::Rule, "committed", "the page is committed and its protection allows it");
        Ok(Ok(Grant { page, wanted, access, source, shares_zeroes: false }))
    }

    fn guard_hit(
        &mut self,
        pid: Pid,
        id: MemoryId,
        address: Address,
    ) -> Result<Result<Grant, &'static str>, MachineError> {
        let (_, space, _) = self.windows_of(pid, "touch")?;
        let (exception, text, edits) = match space.touch_guard(address) {
            Ok(done) => {
                let edits = done.edits().to_vec();
                let (exception, text) = match done.commit() {
                    GuardTouch::Grown { .. } => {
                        (None, "a guard page of a stack: the stack grows, the guard moves down")
                    }
                    GuardTouch::Overflow { .. } => (Some("STATUS_STACK_OVERFLOW"), "the stack is at its end"),
                    _ => (
                        Some("STATUS_GUARD_PAGE_VIOLATION"),
                        "a guard page: the flag goes, and the program is told once",
                    ),
                };
                (exception, text, edits)
            }
            Err(_) => (Some("STATUS_GUARD_PAGE_VIOLATION"), "a guard page", Vec::new()),
        };
        self.say(pid, Kind::Rule, "guard-page", text);
        for edit in &edits {
            self.say_about(pid, Kind::Rule, "edit", edit.to_string(), Some(edit.range));
            self.apply_edit(pid, id, edit);
        }
        match exception {
            Some(exception) => Ok(Err(exception)),
            None => self.windows_grant(pid, id, address, Access::WRITE),
        }
    }
}
