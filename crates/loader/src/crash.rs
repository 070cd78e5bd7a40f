//! The report of a crash: what happened, where, with which registers, in which code, called from where.

use std::fmt::Write;

use iced_x86::{Decoder, DecoderOptions, Formatter, IntelFormatter};
use plat_host::gate::Registers;
use plat_host::memory;
use plat_regions::{Address, PAGE_SIZE};
use plat_win32::NtStatus;
use plat_win32::guest::Guest;
use plat_win32::process::{Crash, ModuleLoader};

use crate::modules::PeLoader;

/// How many instructions are shown.
const INSTRUCTIONS_MAX: usize = 5;

/// How many callers are shown.
const CALLERS_MAX: usize = 24;

impl PeLoader {
    /// Writes the report.
    pub(crate) fn describe_crash(&self, guest: &Guest, crash: &Crash) -> String {
        let registers = &crash.registers;
        let mut text = String::new();
        let name = NtStatus(crash.code).name().unwrap_or_else(|| "exception".to_owned());
        // Writing to a string does not fail.
        let _ = writeln!(text, "plat: {} ended by {name} (0x{:08x})", self.program_name(), crash.code);
        let _ = writeln!(text, "  {}", crash.message);
        let _ = writeln!(text, "  at {}", self.place_of(registers.rip));
        if let Some(accessed) = crash.accessed {
            let _ = writeln!(text, "  accessed {}: {}", Address::new(accessed), self.region_of(accessed));
        }
        self.write_missing(&mut text);
        text.push('\n');
        write_registers(&mut text, registers);
        self.write_code(&mut text, registers);
        self.write_callers(&mut text, guest, registers);
        text
    }

    /// Names the DLLs that are nowhere: what a program reads of them by itself, variables and tables, is null.
    fn write_missing(&self, text: &mut String) {
        for (needed_by, name) in self.graph().missing_dlls() {
            let _ = writeln!(
                text,
                "  {name}, from which {needed_by} imports, is nowhere: put it beside the program or into a folder of PATH"
            );
        }
    }

    fn program_name(&self) -> String {
        self.module_named(&[]).map_or_else(|| "the program".to_owned(), |module| module.name)
    }

    /// Describes an address as module and offset.
    fn place_of(&self, address: u64) -> String {
        match self.module_at(address) {
            Some(module) => {
                format!("{} ({} + {:#x})", Address::new(address), module.name, address - module.base)
            }
            None => format!("{} (in no module)", Address::new(address)),
        }
    }

    /// Describes the region around an address.
    fn region_of(&self, address: u64) -> String {
        let rows = self.rows();
        let address = Address::new(address);
        match rows.iter().find(|row| row.range.contains(address)) {
            Some(row) => format!("{} {} {}, {}", row.state, row.kind, row.protection, row.owner),
            None if address.get() < 0x1_0000 => "in the null guard: a null pointer".to_owned(),
            None => "no region is there".to_owned(),
        }
    }

    fn write_code(&self, text: &mut String, registers: &Registers) {
        let mut code = [0; 64];
        let to_page_end = (PAGE_SIZE - registers.rip % PAGE_SIZE).min(64) as usize;
        if memory::read(registers.rip, &mut code[..to_page_end]).is_err() {
            let _ = writeln!(text, "\n  no code can be read at the instruction pointer");
            return;
        }
        let bits = if registers.is_i386 { 32 } else { 64 };
        let mut decoder = Decoder::with_ip(bits, &code[..to_page_end], registers.rip, DecoderOptions::NONE);
        let mut formatter = IntelFormatter::new();
        text.push('\n');
        for instruction in decoder.iter().take(INSTRUCTIONS_MAX) {
            if instruction.is_invalid() {
                let _ = writeln!(text, "  {}  (no instruction)", Address::new(instruction.ip()));
                break;
            }
            let mut line = String::new();
            formatter.format(&instruction, &mut line);
            let _ = writeln!(text, "  {}  {line}", Address::new(instruction.ip()));
        }
    }

    /// Lists words on the stack that are return addresses: they follow a call in a module's code.
    fn write_callers(&self, text: &mut String, guest: &Guest, registers: &Registers) {
        const WORDS_MAX: u64 = 2048;
        let _ = writeln!(text, "\n  return addresses on the stack:");
        let size = guest.process().machine.pointer_size();
        let mut count = 0;
        for index in 0..WORDS_MAX {
            let at = registers.rsp().wrapping_add(index * size);
            let word = if size == 4 { memory::read_u32(at).map(u64::from) } else { memory::read_u64(at) };
            let Ok(word) = word else { break };
            if self.is_return_address(word) {
                let _ = writeln!(text, "  {}  {}", Address::new(at), self.place_of(word));
                count += 1;
            }
            if count == CALLERS_MAX {
                break;
            }
        }
        if count == 0 {
            let _ = writeln!(text, "  none");
        }
    }

    /// Says whether a call instruction ends at `address` in a module.
    fn is_return_address(&self, address: u64) -> bool {
        let mut before = [0; 7];
        if self.module_at(address).is_none() || memory::read(address.wrapping_sub(7), &mut before).is_err() {
            return false;
        }
        // E8 rel32; FF /2 with two to seven bytes.
        let indirect = |length: usize| before[7 - length] == 0xff && before[8 - length] >> 3 & 7 == 2;
        before[2] == 0xe8 || [2, 3, 6, 7].into_iter().any(indirect)
    }
}

fn write_registers(text: &mut String, registers: &Registers) {
    const NAMES: [&str; 16] = [
        "ax", "cx", "dx", "bx", "sp", "bp", "si", "di", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
    ];
    let (count, prefix, width) = if registers.is_i386 { (8, "e", 8) } else { (16, "r", 16) };
    for (index, name) in NAMES.iter().take(count).enumerate() {
        let prefix = if index < 8 { prefix } else { "" };
        let name = format!("{prefix}{name}");
        let end = if index % 4 == 3 { "\n" } else { "  " };
        let start = if index % 4 == 0 { "  " } else { "" };
        let _ = write!(text, "{start}{name:>3} {:0width$x}{end}", registers.general[index]);
    }
    let _ = writeln!(text, "  {prefix}ip {:0width$x}  flags {:08x}", registers.rip, registers.rflags);
}
