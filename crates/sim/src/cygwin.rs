//! Cygwin's fork, as a process algorithm to watch, and the loading of a PE program that it begins with.
//!
//! Modelled: a new process of the same program, memory taken at the parent's addresses, contents copied page by page, and
//! the failure when an address is taken. Not modelled: handles, retries, the DLLs' own data.
//!
//! Source: Cygwin User's Guide, "Highlights of Cygwin Functionality", section "Process Creation".

use plat_image::PeImage;
use plat_regions::windows::{AllocationType, ImageRequest, MemoryKind, PageProtection, State};
use plat_regions::{Access, Address, Label, Use};

use crate::event::{Kind, Pid};
use crate::machine::{Machine, MachineError};
use crate::process::View;
use crate::windows::WindowsCall;

impl Machine {
    /// Maps a PE file into a Windows process, at its preferred base when that is free.
    ///
    /// # Errors
    /// [`MachineError::NoFile`], [`MachineError::BadProgram`], [`MachineError::WrongRules`].
    pub fn load_pe(&mut self, pid: Pid, path: &str) -> Result<(), MachineError> {
        let missing = || MachineError::NoFile { path: path.to_owned() };
        let bad = |error: String| MachineError::BadProgram(error);
        let object = self.cache.find(path).ok_or_else(missing)?;
        let bytes = self.cache.get(object).ok_or_else(missing)?.bytes.clone();
        let image = PeImage::parse(path, &bytes).map_err(|error| bad(error.to_string()))?;
        let mapped =
            image.to_mapped(1 << 30).ok_or_else(|| bad(format!("{path}: too large to be mapped")))?;
        let parts = image.segments().iter().map(|segment| {
            let protection =
                match (segment.access.contains(Access::WRITE), segment.access.contains(Access::EXECUTE)) {
                    (true, true) => PageProtection::EXECUTE_WRITECOPY,
                    (true, false) => PageProtection::WRITECOPY,
                    (false, true) => PageProtection::EXECUTE_READ,
                    (false, false) => PageProtection::READONLY,
                };
            let offset = u64::from(segment.rvas.start.get());
            (offset, u64::from(segment.memory_bytes()), Label::from(segment.name.clone()), protection)
        });
        let request = ImageRequest {
            size: mapped.len() as u64,
            preferred: Some(Address::new(image.headers().image_base)),
            relocatable: image.is_relocatable(),
            purpose: Use::Image,
            owner: Label::from(path.rsplit(['/', '\\']).next().unwrap_or(path).to_owned()),
            parts: parts.collect(),
        };
        // What is mapped is the image as Windows lays it out, not the file's bytes in their order.
        let size = mapped.len() as u64;
        let laid_out =
            crate::cache::FileContents { path: format!("{path} (image)"), size, bytes: mapped.into() };
        let object = self.cache.add_file(laid_out);
        let (_, space, views) = self.windows_of(pid, "exec")?;
        let placement = match space.map_image(&request) {
            Ok(done) => done.commit(),
            Err(error) => return Err(bad(error.to_string())),
        };
        views.push(View { range: placement.range, object, offset: 0, is_private: true });
        let moved = if placement.moved { "; every absolute address in it is relocated" } else { "" };
        let text = format!("{path} lies at {}: {}{moved}", placement.range, placement.reason);
        self.say_about(pid, Kind::Load, "pe-image", text, Some(placement.range));
        Ok(())
    }

    /// Makes a child as Cygwin does on Windows: a new process, then everything taken and copied by hand.
    ///
    /// # Errors
    /// [`MachineError`]; a child that cannot have an address ends, and the events say which and who has it.
    pub fn cygwin_fork(&mut self, parent: Pid) -> Result<Option<Pid>, MachineError> {
        let (_, space, views) = self.windows_of(parent, "cygwin-fork")?;
        let layout = space.layout().clone();
        let regions: Vec<_> = space.regions().filter(|region| !region.is_system).collect();
        let views = views.clone();
        let name = self.processes[&parent].name.clone();
        self.say(
            parent,
            Kind::Process,
            "cygwin-create",
            "CreateProcess of the same program with the same command line: Windows knows no fork",
        );
        let child = self.spawn_windows(&name, &layout)?;
        if let Some(process) = self.processes.get_mut(&child) {
            process.parent = Some(parent);
        }
        for view in views {
            let Some(object) = self.cache.get(view.object) else { continue };
            let path = object.name.trim_end_matches(" (image)").to_owned();
            if !object.name.ends_with(" (image)") {
                continue;
            }
            self.say(
                child,
                Kind::Load,
                "cygwin-images",
                format!("Windows maps {path} itself; nobody can say where"),
            );
            self.load_pe(child, &path)?;
            let landed = self.memory(child).and_then(|memory| memory.view_at(view.range.start));
            if landed.is_none_or(|landed| landed.range.start != view.range.start) {
                return self.cygwin_fails(
                    parent,
                    child,
                    &format!("{path} landed at another address than {}", view.range.start),
                );
            }
        }
        let private = regions.iter().filter(|region| region.kind == MemoryKind::Private);
        let mut bases: Vec<_> = private.map(|region| region.allocation_base).collect();
        bases.dedup();
        for base in bases {
            let whole = regions.iter().filter(|region| region.allocation_base == base);
            let size = whole.map(|region| region.range.end.get()).max().unwrap_or(0) - base.get();
            self.say(
                child,
                Kind::Process,
                "cygwin-reserve",
                format!("the child takes {size:#x} bytes at {base}, as its parent has them"),
            );
            let kind = AllocationType::RESERVE;
            let call =
                WindowsCall::Alloc { address: base, size, kind, protection: PageProtection::READWRITE };
            if let Err(error) = self.windows_call(child, child, &call)? {
                let held = self
                    .memory(child)
                    .and_then(|memory| memory.windows()?.allocation(base))
                    .map(|(range, held)| format!("{} at {range}", held.owner));
                let who = held.map_or(error, |held| format!("taken by {held}"));
                return self.cygwin_fails(parent, child, &format!("{base} is not to be had: {who}"));
            }
        }
        for region in regions.iter().filter(|region| region.state == State::Commit) {
            self.copy_region(parent, child, region)?;
        }
        self.say(parent, Kind::Process, "cygwin-done", format!("process {child} runs on from fork() with the parent's stack; every page was copied, none is shared"));
        Ok(Some(child))
    }

    fn copy_region(
        &mut self,
        parent: Pid,
        child: Pid,
        region: &plat_regions::windows::RegionInfo,
    ) -> Result<(), MachineError> {
        let (address, size) = (region.range.start, region.range.size());
        let private = region.kind == MemoryKind::Private;
        if private {
            let kind = AllocationType::COMMIT;
            let call = WindowsCall::Alloc { address, size, kind, protection: region.protection };
            let _answered = self.windows_call(child, child, &call)?;
        }
        if !region.protection.access().contains(Access::WRITE) {
            return Ok(());
        }
        let pages = self.memory(parent).map_or_else(Vec::new, |memory| memory.tables.pages(region.range));
        let mut copied = 0;
        for (page, entry) in pages {
            let bytes = self.frames.get(entry.frame()).and_then(|frame| frame.bytes.clone());
            if let Some(bytes) = bytes {
                self.poke(child, page, &bytes[..]);
                copied += 1;
            }
        }
        if copied > 0 {
            let text = format!("WriteProcessMemory copies {copied} pages of {} into the child", region.owner);
            self.say_about(child, Kind::Page, "cygwin-copy", text, Some(region.range));
        }
        Ok(())
    }

    fn cygwin_fails(&mut self, parent: Pid, child: Pid, why: &str) -> Result<Option<Pid>, MachineError> {
        self.say(
            parent,
            Kind::Process,
            "cygwin-failed",
            format!("fork fails (EAGAIN), the child ends: {why}"),
        );
        self.exit(child, 1)?;
        Ok(None)
    }
}
