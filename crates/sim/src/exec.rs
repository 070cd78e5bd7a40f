//! `execve` of an ELF program, step by step as Linux does it.
//!
//! Source: Linux, fs/binfmt_elf.c (`load_elf_binary`, `elf_load`, `create_elf_tables`), fs/exec.c (`setup_arg_pages`),
//! arch/x86/entry/vdso/vma.c, arch/x86/kernel/process.c (`arch_randomize_brk`).

mod layout;
mod stack;

pub use layout::Bases;

use plat_image::ElfImage;
use plat_image::elf::{ElfKind, ElfSegment};
use plat_regions::linux::{Backing, LinuxSpace, MapFlags, MapRequest, OpenFile, Source, VmFlags, Vma};
use plat_regions::{Access, Address, AddressRange, Label, PAGE_SIZE};

use crate::calls::Call;
use crate::event::{Kind, Pid};
use crate::machine::{Machine, MachineError};
use crate::process::Rules;
use std::sync::Arc;

/// What to execute.
#[derive(Clone, Debug, Default)]
pub struct Exec {
    /// The program.
    pub path: String,
    /// Its arguments, the program's own name first.
    pub arguments: Vec<String>,
    /// Its environment, each as `NAME=value`.
    pub environment: Vec<String>,
    /// Where things lie when it is known: what is `None` follows from the rules and the seed.
    pub bases: Bases,
}

/// What a program became in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Loaded {
    /// What is added to the file's addresses.
    bias: u64,
    /// The first byte behind the last segment.
    end: u64,
}

impl Machine {
    /// Replaces a process' address space by a program's.
    ///
    /// # Errors
    /// [`MachineError::NoFile`], [`MachineError::BadProgram`]; the process stays as it was.
    pub fn exec(&mut self, pid: Pid, exec: &Exec) -> Result<(), MachineError> {
        self.linux_of(pid, "exec")?;
        if self.config.policy.name == "freebsd" {
            return Err(self.not_there("layout of programs that is known here", "`map`"));
        }
        let file = self.open(&exec.path, true, false)?;
        let image = self.elf_of(&exec.path)?;
        if image.is_64 && self.config.format.address_bits() == 32 {
            let text = format!("{}: a 64-bit program needs page tables of 4 levels", exec.path);
            return Err(MachineError::BadProgram(text));
        }
        let interpreter = match &image.interpreter {
            Some(path) => Some((path.clone(), self.elf_of(path)?)),
            None => None,
        };
        let limits = self.linux_of(pid, "exec")?.1.limits().to_owned();
        let (policy, bases) = layout::choose(self, &image, exec.bases, limits.stack);
        let space = LinuxSpace::new(policy, limits);
        let memory = self.add_memory(Rules::Linux(Box::new(space)))?;
        self.say(
            pid,
            Kind::Load,
            "exec",
            format!("{}: the old address space goes, a new one begins", exec.path),
        );
        self.replace_memory(pid, memory);
        if let Some(process) = self.processes.get_mut(&pid) {
            process.name = exec.path.rsplit('/').next().unwrap_or_default().to_owned();
        }
        self.load(pid, exec, &file, &image, interpreter, &bases)
    }

    fn elf_of(&self, path: &str) -> Result<ElfImage, MachineError> {
        let missing = || MachineError::NoFile { path: path.to_owned() };
        let id = self.cache.find(path).ok_or_else(missing)?;
        let object = self.cache.get(id).ok_or_else(missing)?;
        object.elf().map_err(|error| MachineError::BadProgram(error.to_string()))
    }

    fn load(
        &mut self,
        pid: Pid,
        exec: &Exec,
        file: &Arc<OpenFile>,
        image: &ElfImage,
        interpreter: Option<(String, ElfImage)>,
        bases: &layout::Chosen,
    ) -> Result<(), MachineError> {
        let stack = self.make_stack(pid, exec, image, bases)?;
        let program = self.map_program(pid, file, image, interpreter.is_some(), bases)?;
        let loader = match &interpreter {
            Some((path, loader)) => {
                let text =
                    format!("the program names its interpreter: {path}, which is mapped too and runs first");
                self.say(pid, Kind::Load, "interpreter", text);
                let file = self.open(path, true, false)?;
                Some(self.map_interpreter(pid, &file, loader)?)
            }
            None => None,
        };
        self.make_heap(pid, image, program, bases)?;
        let vdso = self.map_vdso(pid, image)?;
        let tables =
            stack::Tables { program, loader, vdso, interpreter: interpreter.map(|(_, image)| image) };
        self.fill_stack(pid, exec, image, stack, &tables)
    }

    /// Maps the program's own segments.
    fn map_program(
        &mut self,
        pid: Pid,
        file: &Arc<OpenFile>,
        image: &ElfImage,
        has_interpreter: bool,
        bases: &layout::Chosen,
    ) -> Result<Loaded, MachineError> {
        let (low, high) =
            image.span().ok_or_else(|| MachineError::BadProgram("no segment to load".into()))?;
        let bias = match image.kind {
            ElfKind::Fixed => {
                self.say(pid, Kind::Load, "fixed-program", "ET_EXEC: linked for fixed addresses, bias 0");
                0
            }
            ElfKind::Movable if has_interpreter => {
                let start = bases.exe & !(image.alignment() - 1);
                let text =
                    format!("ET_DYN with an interpreter: a position-independent program, at {start:#x}");
                self.say(pid, Kind::Load, "movable-program", text);
                start.wrapping_sub(low)
            }
            ElfKind::Movable => {
                let start = self.find_place(pid, high - low)?;
                let text = format!("ET_DYN without an interpreter: placed like a mapping, at {start:#x}");
                self.say(pid, Kind::Load, "movable-loader", text);
                start.wrapping_sub(low)
            }
        };
        self.map_segments(pid, file, image, bias)
    }

    fn map_interpreter(
        &mut self,
        pid: Pid,
        file: &Arc<OpenFile>,
        image: &ElfImage,
    ) -> Result<Loaded, MachineError> {
        let (low, high) =
            image.span().ok_or_else(|| MachineError::BadProgram("no segment to load".into()))?;
        let start = self.find_place(pid, high - low)?;
        self.map_segments(pid, file, image, start.wrapping_sub(low))
    }

    /// Asks the rules where `bytes` would go, without mapping anything.
    fn find_place(&mut self, pid: Pid, bytes: u64) -> Result<u64, MachineError> {
        let (_, space) = self.linux_of(pid, "exec")?;
        let request = MapRequest {
            address: Address::ZERO,
            length: bytes,
            access: Access::empty(),
            flags: MapFlags::PRIVATE | MapFlags::NO_RESERVE | MapFlags::STACK,
            source: Source::File { file: Arc::new(unaligned()), offset: 0 },
        };
        let mut probe = space.clone();
        match probe.map(&request) {
            Ok(outcome) => Ok(outcome.value.get()),
            Err(failure) => Err(MachineError::BadProgram(failure.to_string())),
        }
    }

    fn map_segments(
        &mut self,
        pid: Pid,
        file: &Arc<OpenFile>,
        image: &ElfImage,
        bias: u64,
    ) -> Result<Loaded, MachineError> {
        let mut end = 0;
        for segment in &image.segments {
            end = end.max(self.map_segment(pid, file, segment, bias)?);
        }
        Ok(Loaded { bias, end })
    }

    fn map_segment(
        &mut self,
        pid: Pid,
        file: &Arc<OpenFile>,
        segment: &ElfSegment,
        bias: u64,
    ) -> Result<u64, MachineError> {
        let address = bias.wrapping_add(segment.address);
        let inset = address % PAGE_SIZE;
        let flags = MapFlags::PRIVATE | MapFlags::FIXED;
        let mut zero_from = address - inset;
        if segment.file_bytes > 0 {
            let call = Call::Map {
                address: Address::new(address - inset),
                length: segment.file_bytes.saturating_add(inset),
                access: segment.access,
                flags,
                file: Some((file.clone(), segment.offset - inset)),
            };
            self.must(pid, &call)?;
            let file_end = address.saturating_add(segment.file_bytes);
            zero_from = file_end.checked_next_multiple_of(PAGE_SIZE).unwrap_or(u64::MAX);
            if segment.memory_bytes > segment.file_bytes
                && file_end < zero_from
                && segment.access.contains(Access::WRITE)
            {
                self.say(
                    pid,
                    Kind::Load,
                    "pad-zero",
                    "the rest of the segment's last file page is zeroed: a first private page",
                );
                self.touch_quietly(pid, Address::new(file_end), Access::WRITE)?;
                self.poke(pid, Address::new(file_end), &vec![0; (zero_from - file_end) as usize]);
            }
        }
        let memory_end = address.saturating_add(segment.memory_bytes);
        let zero_end = memory_end.checked_next_multiple_of(PAGE_SIZE).unwrap_or(u64::MAX);
        if segment.memory_bytes > segment.file_bytes && zero_end > zero_from {
            self.say(
                pid,
                Kind::Load,
                "bss",
                "the segment is larger in memory than in the file: zeroed memory (bss)",
            );
            let access = Access::READ | Access::WRITE | (segment.access & Access::EXECUTE);
            let flags = flags | MapFlags::ANONYMOUS;
            let address = Address::new(zero_from);
            let call = Call::Map { address, length: zero_end - zero_from, access, flags, file: None };
            self.must(pid, &call)?;
        }
        Ok(memory_end)
    }

    fn must(&mut self, pid: Pid, call: &Call) -> Result<(), MachineError> {
        match self.call(pid, call)? {
            Ok(_) => Ok(()),
            Err(error) => Err(MachineError::BadProgram(format!(
                "{} fails with {error}: the program is killed",
                call.to_text()
            ))),
        }
    }

    fn make_heap(
        &mut self,
        pid: Pid,
        image: &ElfImage,
        program: Loaded,
        bases: &layout::Chosen,
    ) -> Result<(), MachineError> {
        let end = program.end.checked_next_multiple_of(PAGE_SIZE).unwrap_or(u64::MAX);
        let start = bases.brk.unwrap_or(end.saturating_add(bases.brk_gap));
        let writable = image.segments.iter().filter(|segment| segment.access.contains(Access::WRITE));
        let data = writable.map(|segment| segment.file_bytes).sum();
        self.linux_of(pid, "exec")?.1.set_heap(Address::new(start), data);
        let text = format!(
            "the heap starts empty at {start:#x}, {:#x} bytes behind the program",
            start.wrapping_sub(end)
        );
        self.say(pid, Kind::Load, "heap", text);
        Ok(())
    }

    /// Maps the kernel's own pages: clock data, and code that reads it.
    fn map_vdso(&mut self, pid: Pid, image: &ElfImage) -> Result<Option<u64>, MachineError> {
        if !image.is_64 || self.config.policy.free_area_cache {
            self.say(
                pid,
                Kind::Load,
                "no-vdso",
                "the kernel's own pages are not modelled for this kind of program",
            );
            return Ok(None);
        }
        const PARTS: [(&str, u64, Access); 3] = [
            ("[vvar]", 4, Access::READ),
            ("[vvar_vclock]", 2, Access::READ),
            ("[vdso]", 2, Access::READ.union(Access::EXECUTE)),
        ];
        let pages: u64 = PARTS.iter().map(|(_, pages, _)| pages).sum();
        let mut at = self.find_place(pid, pages * PAGE_SIZE)?;
        let first = at;
        for (name, pages, access) in PARTS {
            let range = AddressRange { start: Address::new(at), end: Address::new(at + pages * PAGE_SIZE) };
            let backing = Backing::Special(Label::fixed(name));
            let flags = VmFlags::SPECIAL | VmFlags::DONT_EXPAND | VmFlags::MAY_READ;
            let vma = Vma { access, flags, backing, page_offset: 0, anon: None };
            self.linux_of(pid, "exec")?.1.seed(range, vma);
            at += pages * PAGE_SIZE;
        }
        let text = format!("the kernel's own pages at {first:#x}: clock data and the code that reads it");
        self.say(pid, Kind::Load, "vdso", text);
        Ok(Some(at - 2 * PAGE_SIZE))
    }

    /// Writes bytes as the kernel does: pages that are missing are fetched first, without walks.
    pub(crate) fn poke(&mut self, pid: Pid, address: Address, bytes: &[u8]) {
        let mut at = address.get();
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = (PAGE_SIZE - at % PAGE_SIZE) as usize;
            let (now, later) = rest.split_at(room.min(rest.len()));
            if !matches!(self.touch_quietly(pid, Address::new(at), Access::WRITE), Ok(None)) {
                return;
            }
            let entry = self.memory(pid).and_then(|memory| memory.tables.entry(Address::new(at)));
            if let Some(entry) = entry {
                self.frames.write(entry.frame(), (at % PAGE_SIZE) as u16, now);
            }
            at += now.len() as u64;
            rest = later;
        }
    }
}

/// A file that is placed without regard to huge pages, for asking where something would go.
fn unaligned() -> OpenFile {
    OpenFile {
        id: 0,
        inode: 0,
        readable: true,
        writable: false,
        size_bytes: 0,
        aligns_huge: false,
        seals_writes: false,
        name: Label::default(),
    }
}
