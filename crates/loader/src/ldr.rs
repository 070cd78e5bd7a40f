//! What the guest sees of its modules: `PEB.Ldr` and its three lists.
//!
//! Source for offsets: the public symbols of ntdll (`PEB_LDR_DATA`, `LDR_DATA_TABLE_ENTRY`).

use plat_abi::{Fault, Machine, Memory};
use plat_win32::guest::GuestMemory;
use plat_win32::process::{Module, Process};
use plat_win32::teb::Peb;

use crate::environment::write_string;

/// Bytes of `PEB_LDR_DATA`, and where its three list heads begin.
const LDR_DATA_BYTES: u64 = 0x58;

/// Bytes of `LDR_DATA_TABLE_ENTRY`, with room to spare.
const ENTRY_BYTES: u64 = 0x138;

/// The guest's lists of modules.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ldr {
    machine: Machine,
    base: u64,
}

impl Ldr {
    /// Makes empty lists and points the PEB to them.
    pub(crate) fn make(process: &Process, peb: u64) -> Option<Self> {
        let base = process.heaps.allocate(0, LDR_DATA_BYTES, true)?;
        let ldr = Self { machine: process.machine, base };
        ldr.initialise(peb).ok()?;
        Some(ldr)
    }

    fn initialise(self, peb: u64) -> Result<(), Fault> {
        let memory = GuestMemory::of(self.machine);
        memory.write(self.base, &(LDR_DATA_BYTES as u32))?;
        memory.write(self.base + 4, &1_u32)?;
        for list in 0..3 {
            let head = self.head(list);
            memory.write_word(head, head)?;
            memory.write_word(head + self.pointer(), head)?;
        }
        memory.write_word(peb + Peb::LDR.offset(self.machine), self.base)
    }

    fn pointer(self) -> u64 {
        self.machine.pointer_size()
    }

    /// Returns the head of a list: 0 load order, 1 memory order, 2 initialisation order.
    fn head(self, list: u64) -> u64 {
        let first = if self.machine.is_64() { 0x10 } else { 0xc };
        self.base + first + list * 2 * self.pointer()
    }

    /// Adds a module at the end of a list.
    pub(crate) fn link(self, list: u64, entry: u64) -> Result<(), Fault> {
        let memory = GuestMemory::of(self.machine);
        let (head, pointer) = (self.head(list), self.pointer());
        let link = entry + list * 2 * pointer;
        let last = memory.read_word(head + pointer)?;
        memory.write_word(link, head)?;
        memory.write_word(link + pointer, last)?;
        memory.write_word(last, link)?;
        memory.write_word(head + pointer, link)
    }

    /// Takes a module off a list.
    pub(crate) fn unlink(self, list: u64, entry: u64) -> Result<(), Fault> {
        let memory = GuestMemory::of(self.machine);
        let pointer = self.pointer();
        let link = entry + list * 2 * pointer;
        let (next, previous) = (memory.read_word(link)?, memory.read_word(link + pointer)?);
        if next == 0 {
            return Ok(());
        }
        memory.write_word(previous, next)?;
        memory.write_word(next + pointer, previous)
    }

    /// Makes a module's entry and links it into load and memory order; returns its address.
    pub(crate) fn add(self, process: &Process, module: &Module) -> Option<u64> {
        let name: Vec<u16> = module.name.encode_utf16().collect();
        let size = ENTRY_BYTES + (module.path.len() + name.len()) as u64 * 2 + 32;
        let entry = process.heaps.allocate(0, size, true)?;
        self.describe(entry, module, &name).ok()?;
        self.link(0, entry).ok()?;
        self.link(1, entry).ok()?;
        Some(entry)
    }

    fn describe(self, entry: u64, module: &Module, name: &[u16]) -> Result<(), Fault> {
        let memory = GuestMemory::of(self.machine);
        let (base, names, flags) = if self.machine.is_64() { (0x30, 0x48, 0x68) } else { (0x18, 0x24, 0x34) };
        let pointer = self.pointer();
        memory.write_word(entry + base, module.base)?;
        memory.write_word(entry + base + pointer, module.entry_point)?;
        memory.write(entry + base + 2 * pointer, &(module.size as u32))?;
        let after = write_string(self.machine, entry + names, entry + ENTRY_BYTES, &module.path)?;
        write_string(self.machine, entry + names + 2 * pointer, after, name)?;
        // LDRP_IMAGE_DLL for DLLs; LDRP_ENTRY_PROCESSED; LDRP_PROCESS_ATTACH_CALLED is not kept up to date.
        let flag = if module.is_program { 0x4000_u32 } else { 0x4004 };
        memory.write(entry + flags, &flag)?;
        memory.write(entry + flags + 4, &0xffff_u16)
    }
}
