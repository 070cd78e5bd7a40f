//! The first stack: strings, pointers to them, and what the kernel tells the program (the auxiliary vector).

use plat_image::ElfImage;
use plat_regions::linux::{Backing, VmFlags, Vma};
use plat_regions::{Access, Address, AddressRange, PAGE_SIZE};

use super::layout::Chosen;
use super::{Exec, Loaded};
use crate::event::{Kind, Pid};
use crate::machine::{Machine, MachineError};

/// The kernel makes the stack so much larger than the strings need.
const EXPANSION: u64 = 128 << 10;

/// What the auxiliary vector tells.
pub(super) struct Tables {
    pub(super) program: Loaded,
    pub(super) loader: Option<Loaded>,
    pub(super) vdso: Option<u64>,
    pub(super) interpreter: Option<ElfImage>,
}

/// Where the strings are.
#[derive(Clone, Copy)]
pub(super) struct Strings {
    lowest: u64,
    path: u64,
}

impl Machine {
    /// Maps the stack and writes the strings.
    pub(super) fn make_stack(
        &mut self,
        pid: Pid,
        exec: &Exec,
        image: &ElfImage,
        bases: &Chosen,
    ) -> Result<Strings, MachineError> {
        let word: u64 = if image.is_64 { 8 } else { 4 };
        let top = bases.stack_top;
        let sizes = exec.arguments.iter().chain(&exec.environment).map(|text| text.len() as u64 + 1);
        let path = top.saturating_sub(word + exec.path.len() as u64 + 1);
        let lowest = path.saturating_sub(sizes.sum());
        let (_, space) = self.linux_of(pid, "exec")?;
        let wanted = (lowest & !(PAGE_SIZE - 1)).saturating_sub(EXPANSION);
        let start = wanted.max(top.saturating_sub(space.limits().stack & !(PAGE_SIZE - 1)));
        let range = AddressRange { start: Address::new(start), end: Address::new(top) };
        let mut access = Access::READ | Access::WRITE;
        access.set(Access::EXECUTE, image.executable_stack == Some(true));
        let flags = VmFlags::MAY_ALL | VmFlags::GROWS_DOWN | VmFlags::ACCOUNT;
        let vma =
            Vma { access, flags, backing: Backing::Anonymous, page_offset: start / PAGE_SIZE, anon: None };
        if !space.seed(range, vma) {
            return Err(MachineError::BadProgram(format!("no room for a stack at {range}")));
        }
        space.set_start_stack(Address::new(lowest));
        let text = format!(
            "the stack: {} KiB, 128 KiB more than the strings need; it grows down",
            range.size() >> 10
        );
        self.say_about(pid, Kind::Load, "stack", text, Some(range));
        let mut strings = Vec::new();
        for text in exec.arguments.iter().chain(&exec.environment).chain([&exec.path]) {
            strings.extend_from_slice(text.as_bytes());
            strings.push(0);
        }
        self.poke(pid, Address::new(lowest), &strings);
        Ok(Strings { lowest, path })
    }

    /// Writes the pointers and the auxiliary vector; the stack pointer points at the first word.
    pub(super) fn fill_stack(
        &mut self,
        pid: Pid,
        exec: &Exec,
        image: &ElfImage,
        strings: Strings,
        tables: &Tables,
    ) -> Result<(), MachineError> {
        let word: u64 = if image.is_64 { 8 } else { 4 };
        let skew = if self.config.randomize { self.random.below(8192) } else { 0 };
        let mut at = strings.lowest.saturating_sub(skew) & !15;
        let platform: &[u8] = if image.is_64 { b"x86_64\0" } else { b"i686\0" };
        at -= platform.len() as u64;
        let platform_at = at;
        self.poke(pid, Address::new(at), platform);
        at -= 16;
        let random_at = at;
        let secret = [self.random.next_u64().to_le_bytes(), self.random.next_u64().to_le_bytes()].concat();
        self.poke(pid, Address::new(at), &secret);
        let vector = self.auxiliary(image, strings, tables, platform_at, random_at);
        let mut words = vec![exec.arguments.len() as u64];
        let mut text_at = strings.lowest;
        for texts in [&exec.arguments, &exec.environment] {
            for text in texts {
                words.push(text_at);
                text_at += text.len() as u64 + 1;
            }
            words.push(0);
        }
        words.extend(vector.iter().flat_map(|(key, value, _)| [*key, *value]));
        let pointer = (at - words.len() as u64 * word) & !15;
        let bytes: Vec<u8> =
            words.iter().flat_map(|value| value.to_le_bytes().into_iter().take(word as usize)).collect();
        self.poke(pid, Address::new(pointer), &bytes);
        for (_, value, name) in vector.iter().filter(|(key, ..)| *key != 0) {
            self.say(pid, Kind::Load, "auxv", format!("{name} = {value:#x}"));
        }
        let entry = match (&tables.loader, &tables.interpreter) {
            (Some(loader), Some(image)) => loader.bias.wrapping_add(image.entry),
            _ => tables.program.bias.wrapping_add(image.entry),
        };
        self.linux_of(pid, "exec")?.1.set_start_stack(Address::new(pointer));
        let text = format!("the stack pointer is {pointer:#x}; the first instruction is at {entry:#x}");
        self.say(pid, Kind::Load, "entry", text);
        Ok(())
    }

    /// Returns keys, values and names; entries that only describe the processor are left out.
    ///
    /// Source: getauxval(3); Linux, include/uapi/linux/auxvec.h.
    fn auxiliary(
        &self,
        image: &ElfImage,
        strings: Strings,
        tables: &Tables,
        platform: u64,
        random: u64,
    ) -> Vec<(u64, u64, &'static str)> {
        let bias = tables.program.bias;
        let header_bytes = if image.is_64 { 56 } else { 32 };
        let mut vector = Vec::new();
        if let Some(vdso) = tables.vdso {
            vector.push((33, vdso, "AT_SYSINFO_EHDR (the kernel's own code)"));
        }
        vector.extend([
            (6, PAGE_SIZE, "AT_PAGESZ"),
            (3, bias.wrapping_add(image.headers_at.unwrap_or(0)), "AT_PHDR (the program's headers)"),
            (4, header_bytes, "AT_PHENT"),
            (5, u64::from(image.header_count), "AT_PHNUM"),
            (7, tables.loader.map_or(0, |loader| loader.bias), "AT_BASE (where the interpreter lies)"),
            (9, bias.wrapping_add(image.entry), "AT_ENTRY (where the program itself starts)"),
            (25, random, "AT_RANDOM (16 random bytes)"),
            (31, strings.path, "AT_EXECFN (the path)"),
            (15, platform, "AT_PLATFORM"),
            (0, 0, "AT_NULL"),
        ]);
        vector
    }
}
