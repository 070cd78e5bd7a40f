//! The tables that the compiler makes for 64-bit functions with C++ exceptions: states, try blocks, catchable types.
//!
//! Every reference is an offset in bytes from the base of the image.
//! Source: the tables in `ehdata.h` of Microsoft's C++ runtime, as LLVM's `WinException.cpp` writes them.

use plat_abi::{Fault, Memory};

use super::eh_packed::PackedInfo;

/// How an object is destroyed when its state is left: a function and what it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cleanup {
    /// The address of the function.
    pub(crate) function: u64,
    /// What it is called with.
    pub(crate) argument: Argument,
}

/// What the function of a [`Cleanup`] is called with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Argument {
    /// Nothing and the frame: it is a part of the function.
    Frame,
    /// The address of an object, which lies that many bytes into the frame.
    Object(u32),
    /// The address that lies that many bytes into the frame.
    Pointer(u32),
}

/// A function's tables, of either kind.
#[derive(Debug)]
pub(crate) enum Tables {
    /// Of `__CxxFrameHandler` to `__CxxFrameHandler3`.
    Plain(FuncInfo),
    /// Of `__CxxFrameHandler4`.
    Packed(PackedInfo),
}

/// Calls a method of whichever kind it is.
macro_rules! either {
    ($tables:expr, $info:ident => $call:expr) => {
        match $tables {
            Tables::Plain($info) => $call,
            Tables::Packed($info) => $call,
        }
    };
}

impl Tables {
    /// Returns the image's base.
    pub(crate) fn base(&self) -> u64 {
        either!(self, info => info.base)
    }

    /// Says whether `catch (...)` takes only C++ exceptions.
    pub(crate) fn is_synchronous(&self) -> bool {
        either!(self, info => info.is_synchronous())
    }

    /// Says whether no exception may leave the function.
    pub(crate) fn is_noexcept(&self) -> bool {
        either!(self, info => info.is_noexcept())
    }

    /// Returns the state at an instruction; -1 is the empty state.
    pub(crate) fn state<M: Memory>(&self, memory: &M, pc: u64) -> Result<i32, Fault> {
        either!(self, info => info.state(memory, pc))
    }

    /// Returns the state below a state, and what leads there.
    pub(crate) fn unwind_step<M: Memory>(
        &self,
        memory: &M,
        state: i32,
    ) -> Result<(i32, Option<Cleanup>), Fault> {
        match self {
            Self::Packed(info) => Ok(info.unwind_step(state)),
            Self::Plain(info) => {
                let (next, function) = info.unwind_step(memory, state)?;
                let cleanup = Cleanup { function, argument: Argument::Frame };
                Ok((next, (function != 0).then_some(cleanup)))
            }
        }
    }

    /// Returns the try blocks, inner ones first.
    pub(crate) fn try_blocks<M: Memory>(&self, memory: &M) -> Result<Vec<TryBlock>, Fault> {
        either!(self, info => info.try_blocks(memory))
    }

    /// Returns a try block's catch blocks in their order.
    pub(crate) fn catches<M: Memory>(&self, memory: &M, block: &TryBlock) -> Result<Vec<Catch>, Fault> {
        either!(self, info => info.catches(memory, block))
    }
}

/// A function's states and try blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FuncInfo {
    /// The image's base.
    pub(crate) base: u64,
    /// The version of the tables.
    magic: u32,
    states: u32,
    unwind_map: u64,
    tries: u32,
    try_map: u64,
    ips: u32,
    ip_map: u64,
    eh_flags: u32,
    allows_nothing: bool,
}

/// A try block: its states, those of its catch blocks, the catch blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TryBlock {
    /// Its place in the map.
    pub(crate) index: u32,
    /// The first state in the block.
    pub(crate) low: i32,
    /// The last state in the block.
    pub(crate) high: i32,
    /// The last state in its catch blocks.
    pub(crate) catch_high: i32,
    /// How many catch blocks there are, where the block itself says so.
    pub(crate) count: u32,
    /// Where their table lies.
    pub(crate) handlers: u64,
}

/// A catch block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Catch {
    /// 1 const, 2 volatile, 4 unaligned, 8 a reference.
    pub(crate) adjectives: u32,
    /// The address of the type's descriptor, or 0 for all types.
    pub(crate) descriptor: u64,
    /// Where the frame has the caught object; 0 for nowhere.
    pub(crate) object: i32,
    /// Offset of the block's function.
    pub(crate) function: u32,
    /// Where the block's own frame has its function's frame.
    pub(crate) frame: u32,
    /// Where the function can go on behind the block, if the tables say so: the block then returns which.
    pub(crate) continuations: [Option<u64>; 2],
}

impl Catch {
    /// Returns where the function goes on, from what the block returned.
    pub(crate) fn next(&self, returned: u64) -> u64 {
        let known = usize::try_from(returned).ok().and_then(|index| self.continuations.get(index));
        known.copied().flatten().unwrap_or(returned)
    }
}

impl FuncInfo {
    /// Reads a function's tables.
    pub(crate) fn load<M: Memory>(memory: &M, base: u64, address: u64) -> Result<Self, Fault> {
        let field = |index: u64| memory.read_u32(address + index * 4);
        let place = |index: u64| field(index).map(|offset| base + u64::from(offset));
        let magic = field(0)? & 0x1fff_ffff;
        // The second version added the list of types that may leave the function.
        let types = if magic >= 0x1993_0521 { field(8)? } else { 0 };
        Ok(Self {
            allows_nothing: types != 0 && memory.read_u32(base + u64::from(types))? == 0,
            base,
            magic,
            states: field(1)?,
            unwind_map: place(2)?,
            tries: field(3)?,
            try_map: place(4)?,
            ips: field(5)?,
            ip_map: place(6)?,
            // Later versions have two more fields.
            eh_flags: if magic >= 0x1993_0522 { field(9)? } else { 0 },
        })
    }

    /// Says whether `catch (...)` takes only C++ exceptions.
    pub(crate) fn is_synchronous(&self) -> bool {
        self.eh_flags & 1 != 0
    }

    /// Says whether no exception may leave the function: `noexcept`, or an exception specification without types.
    pub(crate) fn is_noexcept(&self) -> bool {
        self.eh_flags & 4 != 0 || self.allows_nothing
    }

    /// Returns the state at an instruction; -1 is the empty state.
    pub(crate) fn state<M: Memory>(&self, memory: &M, pc: u64) -> Result<i32, Fault> {
        let offset = pc.wrapping_sub(self.base) as u32;
        let mut state = -1;
        for index in 0..u64::from(self.ips) {
            if offset < memory.read_u32(self.ip_map + index * 8)? {
                break;
            }
            state = memory.read_u32(self.ip_map + index * 8 + 4)? as i32;
        }
        Ok(state)
    }

    /// Returns the state below a state, and the address of the function that leads there or 0.
    pub(crate) fn unwind_step<M: Memory>(&self, memory: &M, state: i32) -> Result<(i32, u64), Fault> {
        let Some(index) = u32::try_from(state).ok().filter(|&state| state < self.states) else {
            return Ok((-1, 0));
        };
        let entry = self.unwind_map + u64::from(index) * 8;
        let action = memory.read_u32(entry + 4)?;
        let function = if action == 0 { 0 } else { self.base + u64::from(action) };
        Ok((memory.read_u32(entry)? as i32, function))
    }

    /// Returns the try blocks, inner ones first.
    pub(crate) fn try_blocks<M: Memory>(&self, memory: &M) -> Result<Vec<TryBlock>, Fault> {
        (0..self.tries)
            .map(|index| {
                let entry = self.try_map + u64::from(index) * 20;
                let field = |at: u64| memory.read_u32(entry + at * 4);
                Ok(TryBlock {
                    index,
                    low: field(0)? as i32,
                    high: field(1)? as i32,
                    catch_high: field(2)? as i32,
                    count: field(3)?,
                    handlers: self.base + u64::from(field(4)?),
                })
            })
            .collect()
    }

    /// Returns a try block's catch blocks in their order.
    pub(crate) fn catches<M: Memory>(&self, memory: &M, block: &TryBlock) -> Result<Vec<Catch>, Fault> {
        (0..u64::from(block.count))
            .map(|index| {
                let entry = block.handlers + index * 20;
                let field = |at: u64| memory.read_u32(entry + at * 4);
                let descriptor = field(1)?;
                Ok(Catch {
                    adjectives: field(0)?,
                    descriptor: if descriptor == 0 { 0 } else { self.base + u64::from(descriptor) },
                    object: field(2)? as i32,
                    function: field(3)?,
                    frame: field(4)?,
                    continuations: [None; 2],
                })
            })
            .collect()
    }
}

impl TryBlock {
    /// Says whether a state is inside the block.
    pub(crate) fn holds(&self, state: i32) -> bool {
        self.low <= state && state <= self.high
    }

    /// Says whether a block lies inside this one's catch blocks.
    pub(crate) fn catches_around(&self, inner: &Self) -> bool {
        self.high < inner.low && inner.high <= self.catch_high
    }
}

/// A type as which an exception can be caught.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Catchable {
    /// 1 a simple type, 2 by reference only, 4 with a virtual base.
    pub(crate) properties: u32,
    /// The address of the type's descriptor.
    pub(crate) descriptor: u64,
    /// How to get from the thrown object to the one of this type: `mdisp`, `pdisp`, `vdisp`.
    displacement: [i32; 3],
    /// Size in bytes.
    pub(crate) size: u32,
    /// The address of the copy constructor, or 0.
    pub(crate) copy: u64,
}

impl Catchable {
    /// Reads the types of a `ThrowInfo`.
    pub(crate) fn load_all<M: Memory>(memory: &M, base: u64, throw_info: u64) -> Result<Vec<Self>, Fault> {
        let array = base + u64::from(memory.read_u32(throw_info + 12)?);
        let count = u64::from(memory.read_u32(array)?);
        (1..=count)
            .map(|index| {
                let entry = base + u64::from(memory.read_u32(array + index * 4)?);
                let field = |at: u64| memory.read_u32(entry + at * 4);
                let copy = field(6)?;
                Ok(Self {
                    properties: field(0)?,
                    descriptor: base + u64::from(field(1)?),
                    displacement: [field(2)? as i32, field(3)? as i32, field(4)? as i32],
                    size: field(5)?,
                    copy: if copy == 0 { 0 } else { base + u64::from(copy) },
                })
            })
            .collect()
    }

    /// Returns the address of the part of an object that has this type.
    pub(crate) fn adjust<M: Memory>(&self, memory: &M, object: u64) -> Result<u64, Fault> {
        let [member, pointer, entry] = self.displacement.map(i64::from);
        let mut address = object.wrapping_add_signed(member);
        if pointer >= 0 {
            let place = object.wrapping_add_signed(pointer);
            let table = memory.read_u64(place)?;
            let by = memory.read_u32(table.wrapping_add_signed(entry))? as i32;
            address = address.wrapping_add_signed(pointer + i64::from(by));
        }
        Ok(address)
    }
}

/// Says whether two descriptors name the same type; modules have their own descriptors of it.
pub(crate) fn is_same_type<M: Memory>(memory: &M, one: u64, other: u64) -> Result<bool, Fault> {
    const NAME: u64 = 16;
    Ok(one == other || memory.read_c_string(one + NAME)? == memory.read_c_string(other + NAME)?)
}

/// Says whether a descriptor has no name: it stands for all types.
pub(crate) fn is_any_type<M: Memory>(memory: &M, descriptor: u64) -> Result<bool, Fault> {
    const NAME: u64 = 16;
    Ok(descriptor == 0 || memory.read_c_string(descriptor + NAME)?.is_empty())
}

#[cfg(test)]
pub(super) mod tests {
    use plat_abi::{Fault, Machine, Memory};

    use super::{Catchable, FuncInfo, is_any_type, is_same_type};

    pub(in super::super) const BASE: u64 = 0x10_0000;

    /// Memory from `BASE` on.
    pub(in super::super) struct Image(pub(in super::super) Vec<u8>);

    impl Memory for Image {
        fn machine(&self) -> Machine {
            Machine::Amd64
        }

        fn read_bytes(&self, address: u64, into: &mut [u8]) -> Result<(), Fault> {
            let at = (address - BASE) as usize;
            into.copy_from_slice(&self.0[at..at + into.len()]);
            Ok(())
        }

        fn write_bytes(&self, _: u64, _: &[u8]) -> Result<(), Fault> {
            unreachable!("tables are only read")
        }
    }

    /// Makes an image with words at the given offsets.
    fn image(parts: &[(usize, &[u32])]) -> Image {
        let mut bytes = vec![0; 0x2000];
        for (at, words) in parts {
            for (index, word) in words.iter().enumerate() {
                bytes[at + index * 4..][..4].copy_from_slice(&word.to_le_bytes());
            }
        }
        Image(bytes)
    }

    /// States 0 (one object) and 1 (a try block in it), 2 its catch block.
    fn function() -> (Image, FuncInfo) {
        const NONE: u32 = u32::MAX;
        let image = image(&[
            (0x10, &[0x1993_0522, 3, 0x100, 1, 0x200, 4, 0x300, 0, 0, 1]),
            (0x100, &[NONE, 0x900, 0, 0, 0, 0x910]),
            (0x200, &[1, 1, 2, 1, 0x280]),
            (0x280, &[8, 0x500, 0x20, 0xa00, 0x38]),
            (0x300, &[0x1000, NONE, 0x1010, 0, 0x1020, 1, 0x1030, NONE]),
        ]);
        let info = FuncInfo::load(&image, BASE, BASE + 0x10).expect("inside");
        (image, info)
    }

    #[test]
    fn instructions_have_states_that_lead_to_the_empty_one() {
        let (image, info) = function();
        assert!(info.is_synchronous());
        let states = [0xfff, 0x1000, 0x1010, 0x101f, 0x1020, 0x1031]
            .map(|offset| info.state(&image, BASE + offset).expect("inside"));
        assert_eq!(states, [-1, -1, 0, 0, 1, -1]);
        let steps = [2, 1, 0, -1, 7].map(|state| info.unwind_step(&image, state).expect("inside"));
        assert_eq!(steps, [(0, BASE + 0x910), (0, 0), (-1, BASE + 0x900), (-1, 0), (-1, 0)]);
    }

    #[test]
    fn a_try_block_knows_its_catch_blocks() {
        let (image, info) = function();
        let block = info.try_blocks(&image).expect("inside")[0];
        assert!(block.holds(1) && !block.holds(0) && !block.holds(2));
        let catch = info.catches(&image, &block).expect("inside")[0];
        assert_eq!((catch.adjectives, catch.descriptor, catch.object), (8, BASE + 0x500, 0x20));
        assert_eq!((catch.function, catch.frame), (0xa00, 0x38));
    }

    #[test]
    fn objects_lead_to_their_bases_virtual_ones_through_a_table() {
        // The object at 0x400 has at 8 the address of a table whose third entry says 0x30.
        let object = (BASE + 0x400) as u32;
        let image = image(&[(0x408, &[(BASE + 0x480) as u32, 0]), (0x480, &[0, 0, 0x30])]);
        let plain = Catchable { displacement: [4, -1, 0], ..Catchable::default() };
        assert_eq!(plain.adjust(&image, u64::from(object)), Ok(BASE + 0x404));
        let within = Catchable { displacement: [4, 8, 8], ..Catchable::default() };
        assert_eq!(within.adjust(&image, u64::from(object)), Ok(BASE + 0x400 + 8 + 0x30 + 4));
    }

    #[test]
    fn types_are_the_same_by_name() {
        let image = image(&[(0x510, &[0x2e, 0]), (0x610, &[0x2e, 0]), (0x710, &[0x2f, 0])]);
        let same = |one, other| is_same_type(&image, BASE + one, BASE + other);
        assert_eq!((same(0x500, 0x600), same(0x500, 0x700)), (Ok(true), Ok(false)));
        assert_eq!(is_any_type(&image, BASE + 0x800), Ok(true));
        assert_eq!(is_any_type(&image, BASE + 0x500), Ok(false));
    }
}
