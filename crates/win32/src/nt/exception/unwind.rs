//! Undoes one frame of 64-bit code by its unwind information: pure, on a plain set of registers.
//!
//! Source: <https://learn.microsoft.com/cpp/build/exception-handling-x64>.

use plat_abi::{Fault, Memory};

use super::unwind_epilogue::leave_epilogue;

/// The registers that an unwind follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// RAX to R15 in the order of their encodings.
    pub general: [u64; 16],
    /// The instruction pointer.
    pub rip: u64,
    /// XMM0 to XMM15.
    pub xmm: [u128; 16],
    /// Where the frames that were left had saved them.
    pub places: Places,
}

/// Addresses of registers that were saved on the stack; 0 for those that were not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// Of the general registers, in the order of their encodings.
    pub general: [u64; 16],
    /// Of XMM0 to XMM15.
    pub xmm: [u64; 16],
}

/// Index of RSP among the general registers.
pub(super) const RSP: usize = 4;

/// One `RUNTIME_FUNCTION`: offsets in bytes from its image's base.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuntimeFunction {
    /// Where the function begins.
    pub begin: u32,
    /// Where it ends.
    pub end: u32,
    /// Where its unwind information lies.
    pub unwind_info: u32,
}

impl RuntimeFunction {
    /// Size of a `RUNTIME_FUNCTION` in bytes.
    pub const SIZE: u64 = 12;

    /// Reads an entry.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be read.
    pub fn load<M: Memory>(memory: &M, address: u64) -> Result<Self, Fault> {
        Ok(Self {
            begin: memory.read_u32(address)?,
            end: memory.read_u32(address + 4)?,
            unwind_info: memory.read_u32(address + 8)?,
        })
    }

    /// Finds the entry of a sorted table that covers `offset` in the image at `base`; returns the entry's address and the
    /// entry. An indirect one stands for the entry that it names, as those of .NET's compiled libraries do.
    ///
    /// # Errors
    /// [`Fault`] when the table cannot be read.
    pub fn find<M: Memory>(
        memory: &M,
        base: u64,
        table: u64,
        count: u64,
        offset: u32,
    ) -> Result<Option<(u64, Self)>, Fault> {
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low) / 2;
            let address = table + middle * Self::SIZE;
            let entry = Self::load(memory, address)?;
            if offset < entry.begin {
                high = middle;
            } else if offset >= entry.end {
                low = middle + 1;
            } else if entry.unwind_info & INDIRECT != 0 {
                let named = base + u64::from(entry.unwind_info & !INDIRECT);
                return Ok(Some((named, Self::load(memory, named)?)));
            } else {
                return Ok(Some((address, entry)));
            }
        }
        Ok(None)
    }
}

/// `RUNTIME_FUNCTION_INDIRECT`: the entry names another entry instead of unwind information.
const INDIRECT: u32 = 1;
/// The flag of unwind information whose handler is asked about exceptions.
pub const EHANDLER: u8 = 1;
/// The flag of unwind information whose handler is called for unwinds.
pub const UHANDLER: u8 = 2;
/// The flag of unwind information that goes on in another function's entry.
const CHAINED: u8 = 4;

/// What undoing a frame told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unwound {
    /// The frame's base, which names it.
    pub establisher: u64,
    /// The address of the frame's handler, or 0.
    pub handler: u64,
    /// The address of the handler's data.
    pub handler_data: u64,
    /// [`EHANDLER`] and [`UHANDLER`].
    pub flags: u8,
}

/// Most entries that chain up for one function.
const LONGEST_CHAIN: u32 = 32;

/// One block of unwind information.
struct Info {
    version: u8,
    flags: u8,
    prologue: u8,
    frame_register: usize,
    frame_offset: u64,
    codes: Vec<u16>,
    /// The address behind the codes: of the handler's offset, or of the chained entry.
    rest: u64,
}

impl Info {
    fn load<M: Memory>(memory: &M, address: u64) -> Result<Self, Fault> {
        let mut header = [0; 4];
        memory.read_bytes(address, &mut header)?;
        let count = u64::from(header[2]);
        let bytes = memory.read_vec(address + 4, count * 2)?;
        Ok(Self {
            version: header[0] & 7,
            flags: header[0] >> 3,
            prologue: header[1],
            frame_register: usize::from(header[3] & 15),
            frame_offset: u64::from(header[3] >> 4) * 16,
            codes: bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect(),
            rest: address + 4 + count.next_multiple_of(2) * 2,
        })
    }

    /// Iterates over the codes: offset in the prologue, operation, its information, the words that follow it.
    fn operations(&self) -> impl Iterator<Item = (u8, u16, usize, &[u16])> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let code = *self.codes.get(at)?;
            let (operation, info) = (code >> 8 & 15, usize::from(code >> 12));
            let extra = match operation {
                1 if info == 0 => 1,
                1 | 5 | 9 | 7 => 2,
                4 | 8 => 1,
                6 if self.version < 2 => 1,
                _ => 0,
            };
            let words = self.codes.get(at + 1..at + 1 + extra)?;
            at += 1 + extra;
            Some((code as u8, operation, info, words))
        })
    }

    /// Returns the frame's base when its prologue was executed up to `offset`.
    fn base(&self, frame: &Frame, offset: u32) -> u64 {
        const SET_FRAME: u16 = 3;
        let is_set =
            || self.operations().any(|(at, operation, ..)| operation == SET_FRAME && u32::from(at) <= offset);
        if self.frame_register != 0 && (offset >= u32::from(self.prologue) || is_set()) {
            return frame.general[self.frame_register].wrapping_sub(self.frame_offset);
        }
        frame.general[RSP]
    }

    /// Undoes the operations that were executed; says whether an interrupt's frame gave the instruction pointer.
    fn undo<M: Memory>(&self, memory: &M, frame: &mut Frame, base: u64, offset: u32) -> Result<bool, Fault> {
        let mut is_interrupt = false;
        for (at, operation, info, words) in self.operations() {
            if u32::from(at) > offset {
                continue;
            }
            let small = || u64::from(words[0]);
            let large = || u64::from(words[0]) | u64::from(words[1]) << 16;
            match operation {
                0 => frame.pop_register(memory, info)?,
                1 if info == 0 => frame.move_stack(small() * 8),
                1 => frame.move_stack(large()),
                2 => frame.move_stack(info as u64 * 8 + 8),
                3 => frame.general[RSP] = base,
                4 => frame.restore(memory, info, base.wrapping_add(small() * 8))?,
                5 => frame.restore(memory, info, base.wrapping_add(large()))?,
                8 => frame.restore_xmm(memory, info, base.wrapping_add(small() * 16))?,
                9 => frame.restore_xmm(memory, info, base.wrapping_add(large()))?,
                10 => {
                    // The processor's error code lies first, if there is one.
                    let at = frame.general[RSP].wrapping_add(if info == 1 { 8 } else { 0 });
                    frame.rip = memory.read_u64(at)?;
                    frame.general[RSP] = memory.read_u64(at.wrapping_add(24))?;
                    is_interrupt = true;
                }
                _ => {}
            }
        }
        Ok(is_interrupt)
    }
}

fn read_u128<M: Memory>(memory: &M, address: u64) -> Result<u128, Fault> {
    let mut bytes = [0; 16];
    memory.read_bytes(address, &mut bytes)?;
    Ok(u128::from_le_bytes(bytes))
}

impl Frame {
    /// Takes a word off the stack.
    pub(super) fn pop<M: Memory>(&mut self, memory: &M) -> Result<u64, Fault> {
        let value = memory.read_u64(self.general[RSP])?;
        self.move_stack(8);
        Ok(value)
    }

    /// Takes a register off the stack.
    pub(super) fn pop_register<M: Memory>(&mut self, memory: &M, register: usize) -> Result<(), Fault> {
        let place = self.general[RSP];
        // A pop of RSP itself, which no prologue has, would leave what was read.
        self.move_stack(8);
        self.restore(memory, register, place)
    }

    /// Reads a general register from where it was saved.
    fn restore<M: Memory>(&mut self, memory: &M, register: usize, place: u64) -> Result<(), Fault> {
        self.general[register] = memory.read_u64(place)?;
        self.places.general[register] = place;
        Ok(())
    }

    /// Reads an XMM register from where it was saved.
    fn restore_xmm<M: Memory>(&mut self, memory: &M, register: usize, place: u64) -> Result<(), Fault> {
        self.xmm[register] = read_u128(memory, place)?;
        self.places.xmm[register] = place;
        Ok(())
    }

    pub(super) fn move_stack(&mut self, bytes: u64) {
        self.general[RSP] = self.general[RSP].wrapping_add(bytes);
    }

    /// Leaves a function that neither moves the stack nor has an entry.
    ///
    /// # Errors
    /// [`Fault`] when the stack cannot be read.
    pub fn leave_leaf<M: Memory>(&mut self, memory: &M) -> Result<Unwound, Fault> {
        let establisher = self.general[RSP];
        self.rip = self.pop(memory)?;
        Ok(Unwound { establisher, ..Unwound::default() })
    }

    /// Leaves the function of `entry` in the image at `base`: the registers become the caller's.
    ///
    /// # Errors
    /// [`Fault`] when the unwind information or the stack cannot be read.
    pub fn leave<M: Memory>(
        &mut self,
        memory: &M,
        base: u64,
        entry: &RuntimeFunction,
    ) -> Result<Unwound, Fault> {
        let offset = self.rip.wrapping_sub(base).wrapping_sub(u64::from(entry.begin)) as u32;
        let mut info = Info::load(memory, base + u64::from(entry.unwind_info))?;
        let is_in_prologue = offset < u32::from(info.prologue);
        let mut next = *self;
        let establisher = info.base(&next, offset);
        let register = (info.frame_register != 0).then_some(info.frame_register);
        if !is_in_prologue && leave_epilogue(&mut next, memory, base, entry, register)? {
            *self = next;
            return Ok(Unwound { establisher, ..Unwound::default() });
        }
        let mut is_interrupt = info.undo(memory, &mut next, establisher, offset)?;
        for _ in 0..LONGEST_CHAIN {
            if info.flags & CHAINED == 0 {
                break;
            }
            let chained = RuntimeFunction::load(memory, info.rest)?;
            info = Info::load(memory, base + u64::from(chained.unwind_info))?;
            let inner = info.base(&next, u32::MAX);
            is_interrupt |= info.undo(memory, &mut next, inner, u32::MAX)?;
        }
        if !is_interrupt {
            next.rip = next.pop(memory)?;
        }
        *self = next;
        let mut unwound = Unwound { establisher, ..Unwound::default() };
        let flags = info.flags & (EHANDLER | UHANDLER);
        if !is_in_prologue && flags != 0 && info.flags & CHAINED == 0 {
            unwound.handler = base + u64::from(memory.read_u32(info.rest)?);
            unwound.handler_data = info.rest + 4;
            unwound.flags = flags;
        }
        Ok(unwound)
    }
}
