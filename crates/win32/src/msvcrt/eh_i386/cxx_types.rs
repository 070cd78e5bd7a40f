//! What the compiler writes about a 32-bit function's `try` blocks and about a thrown type.
//!
//! Source: the structures' names and members in the compiler's own listings (`cl /FAs`); OpenRCE, "Reversing Microsoft
//! Visual C++ Part I: Exception Handling".

use plat_abi::{Fault, Memory};

/// The code of a C++ exception.
pub(crate) const CODE: u32 = 0xe06d_7363;

/// `FuncInfo` and who uses it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Function {
    states: u32,
    unwind_map: u64,
    try_count: u32,
    try_map: u64,
    /// Whether `catch (...)` catches C++ exceptions only (`/EHs`).
    pub(crate) is_synchronous: bool,
    /// Whether no exception may leave the function: `noexcept`, or an exception specification without types.
    pub(crate) is_noexcept: bool,
}

/// A `try` block: the states inside, and its handlers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Try {
    pub(crate) low: u32,
    pub(crate) high: u32,
    handlers: u64,
    count: u32,
}

/// A `catch` block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Catch {
    pub(crate) adjectives: u32,
    pub(crate) kind: u64,
    /// Where the variable lies from EBP, or 0.
    pub(crate) variable: i32,
    pub(crate) function: u64,
}

/// Adjectives of a handler and properties of a catchable type.
pub(crate) mod bits {
    pub(crate) const REFERENCE: u32 = 8;
    pub(crate) const CONST_VOLATILE: u32 = 3;
    pub(crate) const SIMPLE: u32 = 1;
    pub(crate) const BY_REFERENCE_ONLY: u32 = 2;
    pub(crate) const HAS_VIRTUAL_BASE: u32 = 4;
}

impl Function {
    pub(crate) fn load<M: Memory>(memory: &M, at: u64) -> Result<Self, Fault> {
        const WITH_TYPES: u32 = 0x1993_0521;
        const WITH_FLAGS: u32 = 0x1993_0522;
        let magic = memory.read_u32(at)? & 0x1fff_ffff;
        let flags = if magic >= WITH_FLAGS { memory.read_u32(at + 0x20)? } else { 0 };
        let types = if magic >= WITH_TYPES { memory.read_word(at + 0x1c)? } else { 0 };
        Ok(Self {
            states: memory.read_u32(at + 4)?,
            unwind_map: memory.read_word(at + 8)?,
            try_count: memory.read_u32(at + 12)?,
            try_map: memory.read_word(at + 16)?,
            is_synchronous: flags & 1 != 0,
            is_noexcept: flags & 4 != 0 || types != 0 && memory.read_u32(types)? == 0,
        })
    }

    /// Returns the next state outwards, and the function that leaves this one, or 0; `None` for no state.
    pub(crate) fn leave<M: Memory>(self, memory: &M, state: u32) -> Result<Option<(u32, u64)>, Fault> {
        if state >= self.states {
            return Ok(None);
        }
        let at = self.unwind_map + u64::from(state) * 8;
        Ok(Some((memory.read_u32(at)?, memory.read_word(at + 4)?)))
    }

    /// Returns the `try` blocks that a state lies in, innermost first.
    pub(crate) fn tries<M: Memory>(self, memory: &M, state: u32) -> Result<Vec<Try>, Fault> {
        let mut found = Vec::new();
        for index in 0..u64::from(self.try_count) {
            let at = self.try_map + index * 20;
            let (low, high) = (memory.read_u32(at)?, memory.read_u32(at + 4)?);
            // No state is -1, above all others.
            if (low..=high).contains(&state) && state < self.states {
                let (count, handlers) = (memory.read_u32(at + 12)?, memory.read_word(at + 16)?);
                found.push(Try { low, high, handlers, count });
            }
        }
        Ok(found)
    }
}

impl Try {
    pub(crate) fn catches<M: Memory>(self, memory: &M) -> Result<Vec<Catch>, Fault> {
        (0..u64::from(self.count))
            .map(|index| {
                let at = self.handlers + index * 16;
                Ok(Catch {
                    adjectives: memory.read_u32(at)?,
                    kind: memory.read_word(at + 4)?,
                    variable: memory.read_u32(at + 8)? as i32,
                    function: memory.read_word(at + 12)?,
                })
            })
            .collect()
    }
}

/// One of the types that a thrown object may be caught as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Catchable {
    pub(crate) properties: u32,
    kind: u64,
    place: [i32; 3],
    pub(crate) size: u32,
    /// The copy constructor, or 0.
    pub(crate) copy: u64,
}

impl Catchable {
    fn load<M: Memory>(memory: &M, at: u64) -> Result<Self, Fault> {
        let word = |offset| memory.read_u32(at + offset);
        Ok(Self {
            properties: word(0)?,
            kind: u64::from(word(4)?),
            place: [word(8)? as i32, word(12)? as i32, word(16)? as i32],
            size: word(20)?,
            copy: u64::from(word(24)?),
        })
    }

    /// Returns the address of this type's part of an object.
    pub(crate) fn part_of<M: Memory>(self, memory: &M, object: u64) -> Result<u64, Fault> {
        let [member, table, entry] = self.place;
        let mut part = (object as u32).wrapping_add_signed(member);
        if table >= 0 {
            // The displacement of a virtual base is in the table that the object points to.
            let displacements = memory.read_u32(u64::from((object as u32).wrapping_add_signed(table)))?;
            let displacement = memory.read_u32(u64::from(displacements.wrapping_add_signed(entry)))?;
            part = part.wrapping_add_signed(table).wrapping_add(displacement);
        }
        Ok(u64::from(part))
    }
}

/// What a handler gets to see of a thrown object; `None` in the middle: the handler takes everything.
pub(crate) fn matching<M: Memory>(
    memory: &M,
    catch: Catch,
    throw: u64,
) -> Result<Option<Option<Catchable>>, Fault> {
    if catch.kind == 0 || byte(memory, catch.kind + 8)? == 0 {
        return Ok(Some(None));
    }
    if throw == 0 {
        return Ok(None);
    }
    let attributes = memory.read_u32(throw)? & bits::CONST_VOLATILE;
    let table = memory.read_word(throw + 12)?;
    for index in 0..u64::from(memory.read_u32(table)?) {
        let kind = Catchable::load(memory, memory.read_word(table + 4 + index * 4)?)?;
        let is_reference = catch.adjectives & bits::REFERENCE != 0;
        if same_type(memory, catch.kind, kind.kind)?
            && (is_reference || kind.properties & bits::BY_REFERENCE_ONLY == 0)
            && attributes & !catch.adjectives == 0
        {
            return Ok(Some(Some(kind)));
        }
    }
    Ok(None)
}

/// Modules have their own descriptors of the same type: the mangled names decide.
fn same_type<M: Memory>(memory: &M, first: u64, second: u64) -> Result<bool, Fault> {
    const NAME: u64 = 8;
    const LONGEST: u64 = 4096;
    if first == second {
        return Ok(true);
    }
    for index in NAME..NAME + LONGEST {
        let (one, other) = (byte(memory, first + index)?, byte(memory, second + index)?);
        if one != other || one == 0 {
            return Ok(one == other);
        }
    }
    Ok(false)
}

fn byte<M: Memory>(memory: &M, at: u64) -> Result<u8, Fault> {
    let mut byte = [0];
    memory.read_bytes(at, &mut byte)?;
    Ok(byte[0])
}
