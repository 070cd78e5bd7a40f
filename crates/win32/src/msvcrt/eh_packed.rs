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

#[cfg(test)]
mod tests {
    use plat_abi::Memory;

    use super::super::eh_tables::tests::{BASE, Image};
    use super::super::eh_tables::{Argument, Cleanup};
    use super::{Cursor, PackedInfo};

    const START: u64 = BASE + 0x1000;

    /// Makes an image with bytes at the given offsets.
    fn image(parts: &[(usize, &[u8])]) -> Image {
        let mut bytes = vec![0; 0x2000];
        for (at, part) in parts {
            bytes[*at..at + part.len()].copy_from_slice(part);
        }
        Image(bytes)
    }

    /// Packs a number into one byte, or two.
    fn packed(value: u32) -> Vec<u8> {
        match value {
            ..0x80 => vec![(value << 1) as u8],
            _ => ((value << 2 | 1) as u16).to_le_bytes().to_vec(),
        }
    }

    /// A function with states 0 (an object), 1 (a pointer to one, in a try block), 2 (a part of the function).
    fn function() -> Image {
        let rva = |value: u32| value.to_le_bytes().to_vec();
        let header = [vec![0x78], rva(0x100), rva(0x200), rva(0x300)].concat();
        let outermost = [packed(8 << 2 | 1), rva(0x900), packed(0x20)].concat();
        let second = [packed((outermost.len() as u32) << 2 | 2), rva(0x910), packed(0x180)].concat();
        let third = [packed((second.len() as u32) << 2 | 3), rva(0x920)].concat();
        let states = [packed(3), outermost, second, third].concat();
        let tries = [packed(1), packed(1), packed(2), packed(3), rva(0x280)].concat();
        let typed = [vec![0x17], packed(9), rva(0x500), packed(0x28), rva(0xa00), packed(0x44)].concat();
        let all = [vec![0x29], packed(0x40), rva(0xb00), rva(0x1050), rva(0x1060)].concat();
        let catches = [packed(2), typed, all].concat();
        let ips = [
            packed(4),
            packed(0),
            packed(0),
            packed(0x10),
            packed(1),
            packed(0x90),
            packed(3),
            packed(8),
            packed(0),
        ]
        .concat();
        image(&[(0x10, &header), (0x100, &states), (0x200, &tries), (0x280, &catches), (0x300, &ips)])
    }

    #[test]
    fn numbers_have_one_to_five_bytes() {
        let bytes = [0x54, 0x01, 0x04, 0x0b, 0x00, 0x10, 0x07, 0, 0, 0x30, 0xff, 0x78, 0x56, 0x34, 0x12];
        let image = image(&[(0, &bytes)]);
        let mut cursor = Cursor { memory: &image, at: BASE };
        let numbers: Vec<u32> = (0..5).map(|_| cursor.number().expect("inside")).collect();
        assert_eq!(numbers, [0x2a, 0x100, 0x20001, 0x300_0000, 0x1234_5678]);
        assert_eq!(cursor.at, BASE + bytes.len() as u64);
    }

    #[test]
    fn instructions_have_states_that_lead_to_the_empty_one() {
        let image = function();
        let info = PackedInfo::load(&image, BASE, BASE + 0x10, START).expect("inside");
        assert!(info.is_synchronous() && info.is_noexcept());
        assert_eq!(info.parent_frame(), None);
        let states = [0, 0xf, 0x10, 0x9f, 0xa0, 0xa8]
            .map(|offset| info.state(&image, START + offset).expect("inside"));
        assert_eq!(states, [-1, -1, 0, 0, 2, -1]);
        let cleanup = |function: u64, argument| Some(Cleanup { function: BASE + function, argument });
        assert_eq!(info.unwind_step(2), (1, cleanup(0x920, Argument::Frame)));
        assert_eq!(info.unwind_step(1), (0, cleanup(0x910, Argument::Pointer(0x180))));
        assert_eq!(info.unwind_step(0), (-1, cleanup(0x900, Argument::Object(0x20))));
        assert_eq!(info.unwind_step(7), (-1, None));
    }

    #[test]
    fn catch_blocks_say_where_the_function_goes_on() {
        let image = function();
        let info = PackedInfo::load(&image, BASE, BASE + 0x10, START).expect("inside");
        let block = info.try_blocks(&image).expect("inside")[0];
        assert_eq!((block.low, block.high, block.catch_high), (1, 2, 3));
        let [typed, all] = info.catches(&image, &block).expect("inside")[..] else { panic!("two blocks") };
        assert_eq!((typed.adjectives, typed.descriptor, typed.object), (9, BASE + 0x500, 0x28));
        assert_eq!((typed.function, typed.next(0), typed.next(BASE)), (0xa00, START + 0x44, BASE));
        assert_eq!((all.adjectives, all.descriptor, all.object, all.function), (0x40, 0, 0, 0xb00));
        assert_eq!((all.next(0), all.next(1), all.next(2)), (BASE + 0x1050, BASE + 0x1060, 2));
    }

    #[test]
    fn parts_of_a_function_have_maps_of_their_own() {
        let header = [vec![0x03], 0x300_u32.to_le_bytes().to_vec(), packed(0x38)].concat();
        let mut segments = packed(2);
        for (start, map) in [(0x1000_u32, 0x380_u32), (0x1800, 0x390)] {
            segments.extend(start.to_le_bytes());
            segments.extend(map.to_le_bytes());
        }
        let one = [packed(1), packed(0), packed(5)].concat();
        let other = [packed(1), packed(4), packed(7)].concat();
        let image = image(&[(0x10, &header), (0x300, &segments), (0x380, &one), (0x390, &other)]);
        let state = |start: u64, offset: u64| {
            let info = PackedInfo::load(&image, BASE, BASE + 0x10, BASE + start).expect("inside");
            assert_eq!(info.parent_frame(), Some(0x38));
            info.state(&image, BASE + start + offset).expect("inside")
        };
        assert_eq!((state(0x1000, 2), state(0x1800, 2), state(0x1800, 4), state(0x1900, 4)), (4, -1, 6, -1));
        assert_eq!(image.machine().pointer_size(), 8);
    }
}
