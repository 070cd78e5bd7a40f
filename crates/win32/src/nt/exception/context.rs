//! `EXCEPTION_RECORD` and `CONTEXT` as both machines lay them out, and the host's registers.
//!
//! Source: <https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-context>,
//! <https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-exception_record>; the headers of mingw-w64.

use plat_abi::{Fault, Machine, Memory};
use plat_host::gate::Registers;

use crate::NtStatus;

/// Most parameters that an exception has.
pub const MAXIMUM_PARAMETERS: usize = 15;

/// Who unwinds, and how: the flags of a record.
pub mod flags {
    /// Nobody may continue.
    pub const NONCONTINUABLE: u32 = 0x1;
    /// An unwind runs.
    pub const UNWINDING: u32 = 0x2;
    /// An unwind runs that ends the thread.
    pub const EXIT_UNWIND: u32 = 0x4;
    /// The chain of frames leads out of the stack.
    pub const STACK_INVALID: u32 = 0x8;
}

/// An exception, as its handlers see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The code.
    pub code: u32,
    /// See [`flags`].
    pub flags: u32,
    /// The address of the record of the exception during which this one happened, or 0.
    pub nested: u64,
    /// Where it happened.
    pub address: u64,
    /// The parameters, 15 at most.
    pub information: Vec<u64>,
}

impl Record {
    /// Returns a record without parameters.
    pub fn new(code: NtStatus, address: u64) -> Self {
        Self { code: code.0, address, ..Self::default() }
    }

    /// Returns a record without parameters after which nobody may continue.
    pub fn noncontinuable(code: NtStatus, address: u64) -> Self {
        Self { flags: flags::NONCONTINUABLE, ..Self::new(code, address) }
    }

    /// Returns a record's size in bytes.
    pub const fn size(machine: Machine) -> u64 {
        if machine.is_64() { 0x98 } else { 0x50 }
    }

    /// Returns the record's bytes.
    pub fn to_bytes(&self, machine: Machine) -> Vec<u8> {
        let mut bytes = vec![0; Self::size(machine) as usize];
        let width = machine.pointer_size() as usize;
        let count = self.information.len().min(MAXIMUM_PARAMETERS);
        put32(&mut bytes, 0, self.code);
        put32(&mut bytes, 4, self.flags);
        put(&mut bytes, 8, &self.nested.to_le_bytes()[..width]);
        put(&mut bytes, 8 + width, &self.address.to_le_bytes()[..width]);
        put32(&mut bytes, 8 + 2 * width, count as u32);
        let first = Self::first_parameter(machine);
        for (index, value) in self.information.iter().take(count).enumerate() {
            put(&mut bytes, first + index * width, &value.to_le_bytes()[..width]);
        }
        bytes
    }

    const fn first_parameter(machine: Machine) -> usize {
        if machine.is_64() { 0x20 } else { 0x14 }
    }

    /// Reads a record.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be read.
    pub fn load<M: Memory>(memory: &M, address: u64) -> Result<Self, Fault> {
        let machine = memory.machine();
        let width = machine.pointer_size();
        let count = u64::from(memory.read_u32(address + 8 + 2 * width)?).min(MAXIMUM_PARAMETERS as u64);
        let first = address + Self::first_parameter(machine) as u64;
        Ok(Self {
            code: memory.read_u32(address)?,
            flags: memory.read_u32(address + 4)?,
            nested: memory.read_word(address + 8)?,
            address: memory.read_word(address + 8 + width)?,
            information: (0..count)
                .map(|index| memory.read_word(first + index * width))
                .collect::<Result<_, _>>()?,
        })
    }
}

/// Returns a context's size in bytes.
pub const fn context_size(machine: Machine) -> u64 {
    if machine.is_64() { 1232 } else { 716 }
}

/// Offset in bytes of the FXSAVE area in a context.
const fn fxsave_offset(machine: Machine) -> usize {
    if machine.is_64() { 0x100 } else { 0xcc }
}

/// Offsets in bytes of EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI in the 32-bit context.
const GENERAL_I386: [usize; 8] = [0xb0, 0xac, 0xa8, 0xa4, 0xc4, 0xb4, 0xa0, 0x9c];

/// Offset in bytes of RAX in the 64-bit context; the others follow in the order of their encodings.
const GENERAL_AMD64: usize = 0x78;

/// The bytes of the FXSAVE area that hold registers.
const FXSAVE_USED: usize = 416;

/// Makes the context of these registers.
pub fn context_bytes(machine: Machine, registers: &Registers) -> Vec<u8> {
    let mut bytes = vec![0; context_size(machine) as usize];
    let fxsave = registers.fxsave();
    put(&mut bytes, fxsave_offset(machine), &fxsave[..FXSAVE_USED]);
    let flags = registers.rflags as u32;
    if machine.is_64() {
        put32(&mut bytes, 0x30, 0x0010_001f);
        put(&mut bytes, 0x34, &fxsave[24..28]);
        for (index, segment) in [0x33_u16, 0x2b, 0x2b, 0x53, 0x2b, 0x2b].into_iter().enumerate() {
            put(&mut bytes, 0x38 + index * 2, &segment.to_le_bytes());
        }
        put32(&mut bytes, 0x44, flags);
        for (index, value) in registers.general.iter().enumerate() {
            put(&mut bytes, GENERAL_AMD64 + index * 8, &value.to_le_bytes());
        }
        put(&mut bytes, 0xf8, &registers.rip.to_le_bytes());
        return bytes;
    }
    put32(&mut bytes, 0, 0x0001_003f);
    for (offset, segment) in
        [(0x8c, 0x2b), (0x90, 0x53), (0x94, 0x2b), (0x98, 0x2b), (0xbc, 0x23), (0xc8, 0x2b)]
    {
        put32(&mut bytes, offset, segment);
    }
    for (offset, value) in GENERAL_I386.into_iter().zip(registers.general) {
        put32(&mut bytes, offset, value as u32);
    }
    put32(&mut bytes, 0xb8, registers.rip as u32);
    put32(&mut bytes, 0xc0, flags);
    put_x87(&mut bytes, fxsave);
    bytes
}

/// Fills the `FLOATING_SAVE_AREA` of a 32-bit context.
fn put_x87(bytes: &mut [u8], fxsave: &[u8]) {
    let word = |at: usize| u32::from(u16::from_le_bytes([fxsave[at], fxsave[at + 1]]));
    put32(bytes, 0x1c, word(0) | 0xffff_0000);
    put32(bytes, 0x20, word(2) | 0xffff_0000);
    put32(bytes, 0x24, full_tags(fxsave, word(2)) | 0xffff_0000);
    for index in 0..8 {
        put(bytes, 0x38 + index * 10, &fxsave[32 + index * 16..42 + index * 16]);
    }
}

/// Expands FXSAVE's one bit per register to FSAVE's two: valid, zero, special, empty.
///
/// Source: Intel SDM volume 1, "x87 FPU Tag Word".
fn full_tags(fxsave: &[u8], status: u32) -> u32 {
    let top = status >> 11 & 7;
    (0..8_u32).fold(0, |tags, register| {
        let at = 32 + (register.wrapping_sub(top) & 7) as usize * 16;
        let value = &fxsave[at..at + 10];
        let exponent = u16::from_le_bytes([value[8], value[9]]) & 0x7fff;
        let tag = match exponent {
            _ if fxsave[4] >> register & 1 == 0 => 3,
            0 if value[..8].iter().all(|&byte| byte == 0) => 1,
            0x7fff => 2,
            _ if value[7] & 0x80 == 0 => 2,
            _ => 0,
        };
        tags | tag << (register * 2)
    })
}

/// Changes the registers to what a handler left in the context at `address`, as far as its flags say.
///
/// # Errors
/// [`Fault`] when the context cannot be read.
pub fn apply_context<M: Memory>(memory: &M, address: u64, registers: &mut Registers) -> Result<(), Fault> {
    const CONTROL: u32 = 1;
    const INTEGER: u32 = 2;
    const FLOATING: u32 = 8;
    const EXTENDED: u32 = 0x20;
    let machine = memory.machine();
    let is_64 = machine.is_64();
    let bytes = memory.read_vec(address, context_size(machine))?;
    let parts = get32(&bytes, if is_64 { 0x30 } else { 0 });
    let count = if is_64 { 16 } else { 8 };
    for (index, register) in registers.general.iter_mut().enumerate().take(count) {
        // The stack pointer is "control"; on i386 EBP is too.
        let part = if index == 4 || (index == 5 && !is_64) { CONTROL } else { INTEGER };
        if parts & part != 0 {
            *register = match is_64 {
                true => get64(&bytes, GENERAL_AMD64 + index * 8),
                false => u64::from(get32(&bytes, GENERAL_I386[index])),
            };
        }
    }
    if parts & CONTROL != 0 {
        registers.rip = if is_64 { get64(&bytes, 0xf8) } else { u64::from(get32(&bytes, 0xb8)) };
        let user = user_flags(get32(&bytes, if is_64 { 0x44 } else { 0xc0 }));
        registers.rflags = user;
    }
    if parts & (if is_64 { FLOATING } else { EXTENDED }) != 0 {
        let from = fxsave_offset(machine);
        // Reserved bits of MXCSR would make the processor refuse the state.
        let mxcsr = get32(&bytes, from + 24) & 0xffff;
        let area = registers.fxsave_mut();
        area.copy_from_slice(&bytes[from..from + FXSAVE_USED]);
        area[24..28].copy_from_slice(&mxcsr.to_le_bytes());
    }
    Ok(())
}

/// Keeps the flags that a program may set.
fn user_flags(flags: u32) -> u64 {
    const MAY_CHANGE: u32 = 0x0025_0dd5;
    const ALWAYS: u32 = 0x202;
    u64::from(flags & MAY_CHANGE | ALWAYS)
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

fn put32(bytes: &mut [u8], at: usize, value: u32) {
    put(bytes, at, &value.to_le_bytes());
}

fn get32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn get64(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

#[cfg(test)]
mod tests {
    use super::{Record, context_bytes, get32, get64};
    use plat_abi::Machine;
    use plat_host::gate::Registers;

    fn registers(is_i386: bool) -> Box<Registers> {
        let mut registers = Registers::zeroed(is_i386);
        for (index, value) in registers.general.iter_mut().enumerate() {
            *value = index as u64 + 100;
        }
        registers.rip = 0x1234;
        registers
    }

    #[test]
    fn registers_lie_where_windows_has_them() {
        let small = context_bytes(Machine::I386, &registers(true));
        assert_eq!(small.len(), 716);
        // Edi, Esi, Ebx, Edx, Ecx, Eax, Ebp, Eip.
        let found: Vec<u32> = (0..8).map(|index| get32(&small, 0x9c + index * 4)).collect();
        assert_eq!(found, [107, 106, 103, 102, 101, 100, 105, 0x1234]);
        assert_eq!(get32(&small, 0xc4), 104);
        assert_eq!(get32(&small, 0x1c), 0xffff_027f);
        assert_eq!(get32(&small, 0x24), 0xffff_ffff);
        let large = context_bytes(Machine::Amd64, &registers(false));
        assert_eq!(large.len(), 1232);
        assert_eq!((get64(&large, 0x98), get64(&large, 0xf0), get64(&large, 0xf8)), (104, 115, 0x1234));
        assert_eq!((get32(&large, 0x34), get32(&large, 0x118)), (0x1f80, 0x1f80));
    }

    #[test]
    fn records_have_their_parameters_last() {
        let record = Record { code: 5, address: 0x77, information: vec![1, 2], ..Record::default() };
        let small = record.to_bytes(Machine::I386);
        assert_eq!(small.len(), 80);
        assert_eq!([0xc, 0x10, 0x14, 0x18].map(|at| get32(&small, at)), [0x77, 2, 1, 2]);
        let large = record.to_bytes(Machine::Amd64);
        assert_eq!(large.len(), 152);
        assert_eq!([0x10, 0x18, 0x20, 0x28].map(|at| get64(&large, at)), [0x77, 2, 1, 2]);
    }
}
