//! Recorded maps: [`Checkpoint`], compared with the model's line by line.

use plat_image::ElfImage;
use plat_image::elf::ElfKind;
use plat_regions::PAGE_SIZE;
use plat_regions::linux::Backing;

use crate::event::Pid;
use crate::exec::Bases;
use crate::machine::Machine;

use super::Replay;
use crate::script::c_call;

/// Position-independent programs lie below this, what they map above, on x86-64 with 47 bits.
const MAPPINGS_START: u64 = 0x7000_0000_0000;

/// The maps of a process at one moment, and how the model's differed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The process.
    pub pid: Pid,
    /// Recorded after `execve`; else before the end.
    pub at_exec: bool,
    /// `START-END PERMS OFFSET [PATH]`.
    pub lines: Vec<String>,
    /// Lines that differ, `-` recorded and `+` model; `None` until compared.
    pub differing: Option<Vec<String>>,
    /// Whether the stack had to be grown: by touches that the trace does not show.
    pub stack_grown: bool,
}

impl Checkpoint {
    /// Reads a `.maps` file of plat's recordings: blocks headed `== PID exec|exit ...`.
    ///
    /// # Errors
    /// The line that is no heading where one should be.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, String> {
        let mut found: Vec<Self> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            if let Some(heading) = line.strip_prefix("== ") {
                let mut words = heading.split_whitespace();
                let pid = words.next().and_then(|pid| pid.parse().ok());
                let (Some(pid), Some(when)) = (pid, words.next()) else {
                    return Err(format!("line {}: expected == PID exec or == PID exit", index + 1));
                };
                let at_exec = when == "exec";
                found.push(Self { pid, at_exec, lines: Vec::new(), differing: None, stack_grown: false });
            } else if let Some(last) = found.last_mut() {
                last.lines.push(line.trim_end().to_owned());
            } else {
                return Err(format!("line {}: expected == PID exec or == PID exit", index + 1));
            }
        }
        Ok(found)
    }

    fn span_of(&self, wanted: impl Fn(&str) -> bool) -> Option<(u64, u64)> {
        let hexadecimal = |text| u64::from_str_radix(text, 16).ok();
        let mut whole = None;
        for line in self.lines.iter().filter(|line| line.split_whitespace().nth(3).is_some_and(&wanted)) {
            let (start, end) = line.split_whitespace().next()?.split_once('-')?;
            let (start, end) = (hexadecimal(start)?, hexadecimal(end)?);
            whole = Some((whole.map_or(start, |(first, _)| first), end));
        }
        whole
    }
}

impl Machine {
    /// Writes the address space as `/proc/PID/maps` does, device and inode left out.
    pub fn maps_lines(&self, pid: Pid) -> Vec<String> {
        let Some(space) = self.memory(pid).and_then(|memory| memory.linux()) else { return Vec::new() };
        let mut lines: Vec<String> = space
            .vmas()
            .map(|(range, vma)| {
                let letter = if vma.is_shared() { 's' } else { 'p' };
                let (start, end) = (range.start.get(), range.end.get());
                let now = match &vma.backing {
                    Backing::File(file) => self.cache.shown_name(file).map(str::to_owned),
                    _ => None,
                };
                let name = now.unwrap_or_else(|| space.name(range, vma).to_string());
                let text =
                    format!("{start:08x}-{end:08x} {}{letter} {:08x} {name}", vma.access, vma.shown_offset());
                text.trim_end().to_owned()
            })
            .collect();
        if !lines.is_empty() && space.policy().layout.task_end.get() > 1 << 32 {
            // Not a region: one page of the kernel that every 64-bit process sees.
            lines.push("ffffffffff600000-ffffffffff601000 --xp 00000000 [vsyscall]".to_owned());
        }
        lines
    }
}

impl Replay {
    /// Returns where the parts of a program lie that is about to start, as the recorded maps show it.
    pub(super) fn bases(&self, pid: Pid, path: &str) -> Bases {
        let here = self.checkpoints.iter().find(|at| at.pid == pid && at.at_exec && at.differing.is_none());
        // Without the maps after this execve, those of the end tell the same.
        let Some(at) = here.or_else(|| self.checkpoints.iter().find(|at| at.pid == pid)) else {
            return self.guessed_bases(pid, path);
        };
        let object = |path: &str| {
            let id = self.machine.cache.find(path)?;
            self.machine.cache.get(id)
        };
        let program = object(path);
        let loader = program.and_then(|object_| object(&object_.elf().ok()?.interpreter?));
        let name = program.map_or(path, |object| object.name.as_str());
        Bases {
            exe: at.span_of(|shown| shown == name).map(|span| span.0),
            mmap_base: loader.and_then(|loader| at.span_of(|shown| shown == loader.name)).map(|span| span.1),
            stack_top: at.span_of(|shown| shown == "[stack]").map(|span| span.1),
            brk: None,
        }
    }

    /// Tells random bases by what the dynamic linker makes read-only: where that lies in the file is known.
    fn guessed_bases(&self, pid: Pid, path: &str) -> Bases {
        let elf = |path: &str| {
            let id = self.machine.cache.find(path)?;
            self.machine.cache.get(id)?.elf().ok()
        };
        let (Some(program), mut bases) = (elf(path), Bases::default()) else { return Bases::default() };
        let Some(loader) = program.interpreter.as_deref().and_then(elf) else { return bases };
        for (address, length) in self.protects_ahead(pid) {
            let base_in = |image: &ElfImage| {
                let (at, size) = image.relro?;
                let start = at & !(PAGE_SIZE - 1);
                let matches = (at.checked_add(size)? & !(PAGE_SIZE - 1)).checked_sub(start)? == length;
                address.checked_sub(start).filter(|_| matches)
            };
            if address < MAPPINGS_START && program.kind == ElfKind::Movable {
                bases.exe = bases.exe.or(base_in(&program));
            } else if let (Some(base), Some((low, high))) = (base_in(&loader), loader.span()) {
                // The linker lies above all that it maps.
                let end = base.saturating_add(high - low);
                bases.mmap_base = Some(bases.mmap_base.map_or(end, |highest| highest.max(end)));
            }
        }
        bases
    }

    /// Lists what the process protects until its next execve: address and length.
    fn protects_ahead(&self, pid: Pid) -> Vec<(u64, u64)> {
        let mut found = Vec::new();
        for line in self.lines.iter().skip(self.line) {
            let (of, column, text) = self.process_of(line);
            if of == pid && text.starts_with("execve(") {
                break;
            }
            if of == pid
                && text.starts_with("mprotect(")
                && let Ok(call) = c_call::split(text, column)
                && let (Ok(address), Ok(length)) = (call.number(0), call.number(1))
            {
                found.push((address, length));
            }
        }
        found
    }

    /// Compares the model's maps with the next recorded ones of a process.
    pub(super) fn compare_maps(&mut self, pid: Pid, at_exec: bool) {
        let next = self
            .checkpoints
            .iter()
            .position(|at| at.pid == pid && at.at_exec == at_exec && at.differing.is_none());
        let Some(index) = next else { return };
        let recorded = self.checkpoints[index].span_of(|shown| shown == "[stack]");
        let is_stack = |line: &&String| line.ends_with(" [stack]");
        let stack = self.machine.maps_lines(pid).iter().find(is_stack).cloned();
        let model = stack.and_then(|line| u64::from_str_radix(line.split('-').next()?, 16).ok());
        if let (Some((start, _)), Some(model)) = (recorded, model)
            && start < model
            && self.machine.grow_stack_to(pid, plat_regions::Address::new(start)) == Ok(true)
        {
            self.checkpoints[index].stack_grown = true;
        }
        let model = self.machine.maps_lines(pid);
        let recorded = &self.checkpoints[index].lines;
        let only = |a: &[String], b: &[String], mark: &str| {
            a.iter().filter(|line| !b.contains(line)).map(|line| format!("{mark} {line}")).collect::<Vec<_>>()
        };
        let mut differing = only(recorded, &model, "-");
        differing.extend(only(&model, recorded, "+"));
        self.checkpoints[index].differing = Some(differing);
    }

    /// Returns the recorded maps, each with how the model's differed.
    pub fn checkpoints(&self) -> &[Checkpoint] {
        &self.checkpoints
    }
}
