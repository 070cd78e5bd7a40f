//! The walk over a call's arguments: one cursor for the 32-bit stack and the 64-bit home space.

use crate::{Fault, Machine, Memory, Param};

/// The next argument of a guest's call.
#[derive(Clone, Copy)]
pub struct Cursor<'a, M> {
    memory: &'a M,
    machine: Machine,
    /// Where the next argument lies.
    at: u64,
    /// How many arguments were taken: the first four may lie in XMM registers.
    index: usize,
    /// The low halves of XMM0 to XMM3 at the call.
    floats: [u64; 4],
}

impl<'a, M: Memory> Cursor<'a, M> {
    /// Starts at the first argument, which lies at `at`; `floats` are the low halves of XMM0 to XMM3.
    #[inline]
    pub fn new(memory: &'a M, at: u64, floats: [u64; 4]) -> Self {
        Self { memory, machine: memory.machine(), at, index: 0, floats }
    }

    /// Takes the next argument.
    ///
    /// # Errors
    /// [`Fault`] when the guest's stack cannot be read there.
    #[inline]
    pub fn take<P: Param>(&mut self) -> Result<P, Fault> {
        P::take(self)
    }

    /// Takes floats from memory only, as a `va_list` has them.
    pub fn forget_registers(&mut self) {
        self.index = self.floats.len();
    }

    /// Returns the guest's machine.
    #[inline]
    pub fn machine(&self) -> Machine {
        self.machine
    }

    /// Returns the address of the next argument: what a `va_list` of the Microsoft conventions is.
    #[inline]
    pub fn address(&self) -> u64 {
        self.at
    }

    /// Takes a slot of four bytes (one stack word in 32 bits, one home word in 64 bits).
    ///
    /// # Errors
    /// [`Fault`] when the guest's stack cannot be read there.
    #[inline]
    pub fn slot_u32(&mut self) -> Result<u32, Fault> {
        let value = self.memory.read_u32(self.at)?;
        self.at = self.at.wrapping_add(self.machine.pointer_size());
        self.index += 1;
        Ok(value)
    }

    /// Takes eight bytes: two stack words in 32 bits, one home word in 64 bits.
    ///
    /// # Errors
    /// [`Fault`] when the guest's stack cannot be read there.
    #[inline]
    pub fn slot_u64(&mut self) -> Result<u64, Fault> {
        let value = self.memory.read_u64(self.at)?;
        self.at = self.at.wrapping_add(8);
        self.index += 1;
        Ok(value)
    }

    /// Takes a pointer-sized slot.
    ///
    /// # Errors
    /// [`Fault`] when the guest's stack cannot be read there.
    #[inline]
    pub fn slot_word(&mut self) -> Result<u64, Fault> {
        match self.machine {
            Machine::I386 => self.slot_u32().map(u64::from),
            Machine::Amd64 => self.slot_u64(),
        }
    }

    /// Takes a `double` declared in the prototype: XMM register for the first four in 64 bits, else eight bytes.
    ///
    /// # Errors
    /// [`Fault`] when the guest's stack cannot be read there.
    #[inline]
    pub fn slot_f64(&mut self) -> Result<f64, Fault> {
        let register = self.floats.get(self.index).copied();
        let in_memory = self.slot_u64()?;
        let bits = match (self.machine, register) {
            (Machine::Amd64, Some(bits)) => bits,
            _ => in_memory,
        };
        Ok(f64::from_bits(bits))
    }

    /// Takes a `float` declared in the prototype.
    ///
    /// # Errors
    /// [`Fault`] when the guest's stack cannot be read there.
    #[inline]
    pub fn slot_f32(&mut self) -> Result<f32, Fault> {
        let register = self.floats.get(self.index).copied();
        let in_memory = self.slot_u32()?;
        let bits = match (self.machine, register) {
            (Machine::Amd64, Some(bits)) => bits as u32,
            _ => in_memory,
        };
        Ok(f32::from_bits(bits))
    }
}
