//! The packed tables of `__CxxFrameHandler4`, which 64-bit compilers make since Visual Studio 2019.
//!
//! Numbers have one to five bytes: the low bits of the first say how many. Unlike in the older tables, a `catch` block has
//! tables of its own, with states of its own, and addresses in a function are offsets from its start.
//!
//! Source: <https://devblogs.microsoft.com/cppblog/making-cpp-exception-handling-smaller-x64/>; the tables that the
//! compiler writes (order and width of the fields).

use plat_abi::{Fault, Memory};

use super::eh_tables::{Argument, Catch, Cleanup, TryBlock};

/// Bits of a function's first byte.
mod header {
    pub(super) const IS_CATCH: u8 = 1;
    pub(super) const IS_SEPARATED: u8 = 2;
    pub(super) const HAS_BBT_FLAGS: u8 = 4;
    pub(super) const HAS_UNWIND_MAP: u8 = 8;
    pub(super) const HAS_TRY_MAP: u8 = 16;
    pub(super) const IS_SYNCHRONOUS: u8 = 32;
    pub(super) const IS_NOEXCEPT: u8 = 64;
}

/// Bits of a catch block's first byte; how many continuations follow is in two more.
mod catch_header {
    pub(super) const HAS_ADJECTIVES: u8 = 1;
    pub(super) const HAS_TYPE: u8 = 2;
    pub(super) const HAS_OBJECT: u8 = 4;
    pub(super) const HAS_IMAGE_OFFSETS: u8 = 8;
    pub(super) const COUNT_SHIFT: u32 = 4;
}

/// A map with more entries than this is not a map.
const ENTRIES_MAX: u32 = 1 << 20;

/// Reads a table from its start on.
struct Cursor<'a, M> {
    memory: &'a M,
    at: u64,
}

impl<M: Memory> Cursor<'_, M> {
    fn byte(&mut self) -> Result<u8, Fault> {
        let mut byte = [0];
        self.memory.read_bytes(self.at, &mut byte)?;
        self.at += 1;
        Ok(byte[0])
    }

    /// Reads four bytes.
    fn word(&mut self) -> Result<u32, Fault> {
        let value = self.memory.read_u32(self.at)?;
        self.at += 4;
        Ok(value)
    }

    /// Reads a number of one to five bytes.
    fn number(&mut self) -> Result<u32, Fault> {
        let first = self.byte()?;
        let more = first.trailing_ones().min(4);
        if more == 4 {
            return self.word();
        }
        let mut value = u32::from(first);
        for index in 0..more {
            value |= u32::from(self.byte()?) << (8 * (index + 1));
        }
        Ok(value >> (more + 1))
    }

    /// Reads how many entries follow.
    fn count(&mut self) -> Result<u32, Fault> {
        self.number().map(|count| count.min(ENTRIES_MAX))
    }
}

/// A function's states and try blocks.
#[derive(Debug, Default)]
pub(crate) struct PackedInfo {
    /// The image's base.
    pub(crate) base: u64,
    header: u8,
    /// The address of the function's first instruction.
    start: u64,
    /// Each state's outer state, and what is destroyed on the way there.
    states: Vec<(i32, Option<Cleanup>)>,
    try_map: u64,
    ip_map: u64,
    /// Where a catch block's own frame has its function's frame.
    frame: u32,
}

impl PackedInfo {
    /// Reads the tables at `address` of the function that starts at `start`.
    pub(crate) fn load<M: Memory>(memory: &M, base: u64, address: u64, start: u64) -> Result<Self, Fault> {
        let mut cursor = Cursor { memory, at: address };
        let mut info = Self { base, start, header: cursor.byte()?, ..Self::default() };
        if info.has(header::HAS_BBT_FLAGS) {
            cursor.number()?;
        }
        if info.has(header::HAS_UNWIND_MAP) {
            let map = base + u64::from(cursor.word()?);
            info.states = unwind_map(memory, base, map)?;
        }
        if info.has(header::HAS_TRY_MAP) {
            info.try_map = base + u64::from(cursor.word()?);
        }
        info.ip_map = base + u64::from(cursor.word()?);
        if info.has(header::IS_SEPARATED) {
            info.ip_map = info.segment_map(memory)?;
        }
        if info.has(header::IS_CATCH) {
            info.frame = cursor.number()?;
        }
        Ok(info)
    }

    fn has(&self, bit: u8) -> bool {
        self.header & bit != 0
    }

    /// Finds the map of the part of the function that starts at `start`; 0 for none.
    fn segment_map<M: Memory>(&self, memory: &M) -> Result<u64, Fault> {
        let mut cursor = Cursor { memory, at: self.ip_map };
        for _ in 0..cursor.count()? {
            let (start, map) = (cursor.word()?, cursor.word()?);
            if self.base + u64::from(start) == self.start {
                return Ok(self.base + u64::from(map));
            }
        }
        Ok(0)
    }

    /// Says whether `catch (...)` takes only C++ exceptions.
    pub(crate) fn is_synchronous(&self) -> bool {
        self.has(header::IS_SYNCHRONOUS)
    }

    /// Says whether no exception may leave the function.
    pub(crate) fn is_noexcept(&self) -> bool {
        self.has(header::IS_NOEXCEPT)
    }

    /// Returns where a catch block's own frame has its function's frame; `None` for a function that is no catch block.
    pub(crate) fn parent_frame(&self) -> Option<u32> {
        self.has(header::IS_CATCH).then_some(self.frame)
    }

    /// Returns the state at an instruction; -1 is the empty state.
    pub(crate) fn state<M: Memory>(&self, memory: &M, pc: u64) -> Result<i32, Fault> {
        if self.ip_map == self.base || self.ip_map == 0 {
            return Ok(-1);
        }
        let offset = pc.wrapping_sub(self.start);
        let mut cursor = Cursor { memory, at: self.ip_map };
        let (mut state, mut from) = (-1, 0);
        for _ in 0..cursor.count()? {
            from += u64::from(cursor.number()?);
            if offset < from {
                break;
            }
            // The table counts from the empty state.
            state = (cursor.number()? as i32).wrapping_sub(1);
        }
        Ok(state)
    }

    /// Returns the state below a state, and what leads there.
    pub(crate) fn unwind_step(&self, state: i32) -> (i32, Option<Cleanup>) {
        usize::try_from(state).ok().and_then(|index| self.states.get(index)).copied().unwrap_or((-1, None))
    }

    /// Returns the try blocks, inner ones first.
    pub(crate) fn try_blocks<M: Memory>(&self, memory: &M) -> Result<Vec<TryBlock>, Fault> {
        if self.try_map == 0 {
            return Ok(Vec::new());
        }
        let mut cursor = Cursor { memory, at: self.try_map };
        (0..cursor.count()?)
            .map(|index| {
                Ok(TryBlock {
                    index,
                    low: cursor.number()? as i32,
                    high: cursor.number()? as i32,
                    catch_high: cursor.number()? as i32,
                    count: 0,
                    handlers: self.base + u64::from(cursor.word()?),
                })
            })
            .collect()
    }

    /// Returns a try block's catch blocks in their order.
    pub(crate) fn catches<M: Memory>(&self, memory: &M, block: &TryBlock) -> Result<Vec<Catch>, Fault> {
        use catch_header::{COUNT_SHIFT, HAS_ADJECTIVES, HAS_IMAGE_OFFSETS, HAS_OBJECT, HAS_TYPE};
        let mut cursor = Cursor { memory, at: block.handlers };
        (0..cursor.count()?)
            .map(|_| {
                let header = cursor.byte()?;
                let mut catch = Catch::default();
                if header & HAS_ADJECTIVES != 0 {
                    catch.adjectives = cursor.number()?;
                }
                if header & HAS_TYPE != 0 {
                    catch.descriptor = self.base + u64::from(cursor.word()?);
                }
                if header & HAS_OBJECT != 0 {
                    catch.object = cursor.number()? as i32;
                }
                catch.function = cursor.word()?;
                let count = usize::from(header >> COUNT_SHIFT & 3);
                for place in catch.continuations.iter_mut().take(count) {
                    *place = Some(match header & HAS_IMAGE_OFFSETS {
                        0 => self.start + u64::from(cursor.number()?),
                        _ => self.base + u64::from(cursor.word()?),
                    });
                }
                Ok(catch)
            })
            .collect()
    }
}

/// Reads the states. An entry says how many bytes before it the entry of the state below begins.
fn unwind_map<M: Memory>(memory: &M, base: u64, map: u64) -> Result<Vec<(i32, Option<Cleanup>)>, Fault> {
    let mut cursor = Cursor { memory, at: map };
    let count = cursor.count()?;
    let mut places: Vec<u64> = Vec::new();
    let mut states = Vec::new();
    for _ in 0..count {
        let place = cursor.at;
        let first = cursor.number()?;
        let below = place.wrapping_sub(u64::from(first >> 2));
        let next = places.binary_search(&below).map_or(-1, |index| index as i32);
        let mut cleanup = |is_function: bool, argument: fn(u32) -> Argument| {
            let function = base + u64::from(cursor.word()?);
            let offset = if is_function { 0 } else { cursor.number()? };
            Ok(Some(Cleanup { function, argument: argument(offset) }))
        };
        let cleanup = match first & 3 {
            0 => None,
            1 => cleanup(false, Argument::Object)?,
            2 => cleanup(false, Argument::Pointer)?,
            _ => cleanup(true, |_| Argument::Frame)?,
        };
        places.push(place);
        states.push((next, cleanup));
    }
    Ok(states)
}
