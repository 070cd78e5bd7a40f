//! The C runtime's words for control and status of the floating-point units, made of the processor's and put into them.
//!
//! In 64-bit programs the x87 unit does not count. Flags of exceptions have the C runtime's order (inexact 1, underflow 2,
//! overflow 4, division by zero 8, invalid 16, denormal 32), the reverse of the processor's but for denormal.

use plat_host::gate::FloatState;

/// All exceptions in `fenv.h`'s sense: without denormal.
pub(super) const EXCEPTIONS: u32 = 0x1f;

/// Exceptions as the processor orders them in its words' six lowest bits, and as the C runtime does.
const ORDER: [(u32, u32); 6] =
    [(0x01, 0x10), (0x02, 0x20), (0x04, 0x08), (0x08, 0x04), (0x10, 0x02), (0x20, 0x01)];

/// `_EM_DENORMAL`, `_SW_DENORMAL`: where control words and `_statusfp` have it.
const DENORMAL: u32 = 0x8_0000;
/// Where `fenv.h` and the processor have it.
const DENORMAL_OF_ENVIRONMENT: u32 = 0x20;

/// Bits of a control word of `float.h`.
pub(super) mod control {
    /// `_MCW_RC`: the direction of rounding.
    pub(crate) const ROUNDING: u32 = 0x300;
    /// `_MCW_PC`: 24 bits 0x20000, 53 bits 0x10000, 64 bits 0.
    pub(crate) const PRECISION: u32 = 0x3_0000;
    /// `_MCW_IC`.
    pub(crate) const INFINITY: u32 = 0x4_0000;
    /// `_MCW_EM`: the masked exceptions.
    pub(crate) const EXCEPTIONS: u32 = 0x8_001f;
    /// `_MCW_DN`: what becomes of denormal numbers.
    pub(crate) const DENORMALS: u32 = 0x300_0000;
}

/// Translates the processor's exceptions, the six lowest bits, into the order of `fenv.h`.
pub(super) fn flags(processor: u32) -> u32 {
    ORDER.iter().filter(|(own, _)| processor & own != 0).map(|(_, flag)| flag).sum()
}

/// Translates flags in the order of `fenv.h` into the processor's.
pub(super) fn processor_flags(flags: u32) -> u32 {
    ORDER.iter().filter(|(_, flag)| flags & flag != 0).map(|(own, _)| own).sum()
}

/// Moves denormal to where control words have it.
fn word_of(flags: u32) -> u32 {
    flags & EXCEPTIONS | if flags & DENORMAL_OF_ENVIRONMENT != 0 { DENORMAL } else { 0 }
}

/// Moves denormal back.
fn flags_of(word: u32) -> u32 {
    word & EXCEPTIONS | if word & DENORMAL != 0 { DENORMAL_OF_ENVIRONMENT } else { 0 }
}

/// Returns the x87 unit's status as `_statusfp` words it.
pub(super) fn x87_status(state: &FloatState) -> u32 {
    word_of(flags(state.x87_status.into()))
}

/// Returns SSE's status as `_statusfp` words it.
pub(super) fn sse_status(state: &FloatState) -> u32 {
    word_of(flags(state.mxcsr))
}

/// Returns the x87 unit's control word.
pub(super) fn x87_control(state: &FloatState) -> u32 {
    let word = u32::from(state.x87_control);
    let precision = match word >> 8 & 3 {
        0 => 0x2_0000,
        2 => 0x1_0000,
        _ => 0,
    };
    word_of(flags(word)) | word >> 2 & control::ROUNDING | precision | word << 6 & control::INFINITY
}

/// Sets what of a control word the x87 unit has.
pub(super) fn set_x87_control(state: &mut FloatState, word: u32) {
    let precision = match word & control::PRECISION {
        0 => 0x300,
        0x1_0000 => 0x200,
        _ => 0,
    };
    let own = processor_flags(flags_of(word))
        | (word & control::ROUNDING) << 2
        | precision
        | (word & control::INFINITY) >> 6;
    state.x87_control = state.x87_control & !0x1f3f | own as u16;
}

/// Returns SSE's control word.
pub(super) fn sse_control(state: &FloatState) -> u32 {
    let denormals = match state.mxcsr & 0x8040 {
        0x8040 => 0x100_0000,
        0x8000 => 0x300_0000,
        0x0040 => 0x200_0000,
        _ => 0,
    };
    word_of(flags(state.mxcsr >> 7)) | state.mxcsr >> 5 & control::ROUNDING | denormals
}

/// Sets what of a control word SSE has.
pub(super) fn set_sse_control(state: &mut FloatState, word: u32) {
    let denormals = match word & control::DENORMALS {
        0x100_0000 => 0x8040,
        0x300_0000 => 0x8000,
        0x200_0000 => 0x0040,
        _ => 0,
    };
    let own = processor_flags(flags_of(word)) << 7 | (word & control::ROUNDING) << 5 | denormals;
    state.mxcsr = state.mxcsr & !0xffc0 | own;
}

/// What `fegetenv` stores: in bits 0 to 5 the masks or flags of both units, in 16 to 21 those of the x87, in 24 to 29 those
/// of SSE; directions of rounding lie in bits 8, 22 and 30, flushing in 10 and 11, the precision in 12 and 13, infinity in 14.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Environment {
    /// The control word.
    pub(super) control: u32,
    /// The status.
    pub(super) status: u32,
}

impl Environment {
    /// Makes one of the units' words.
    pub(super) fn of(state: &FloatState, has_x87: bool) -> Self {
        /// A value for both units, and for SSE.
        const SSE: u32 = 0x0100_0001;
        /// A value for both units, and for the x87.
        const X87: u32 = 0x0001_0001;
        let rounding = state.mxcsr >> 13 & 3;
        let masks = flags(state.mxcsr >> 7) * SSE;
        let mut control =
            masks | rounding << 30 | rounding << 8 | state.mxcsr >> 5 & 0x400 | state.mxcsr << 5 & 0x800;
        let mut status = flags(state.mxcsr) * SSE;
        if has_x87 {
            let word = u32::from(state.x87_control);
            let rounding = word >> 10 & 3;
            let precision = match word >> 8 & 3 {
                3 => 0,
                2 => 0x1000,
                _ => 0x2000,
            };
            let masks = flags(word) * X87;
            control |= masks | rounding << 22 | rounding << 8 | precision | word << 2 & 0x4000;
            status |= flags(state.x87_status.into()) * X87;
        }
        Self { control, status }
    }

    /// Puts it into the units' words.
    pub(super) fn put(self, state: &mut FloatState, has_x87: bool) {
        let Self { control, status } = self;
        state.mxcsr = processor_flags(control >> 24) << 7
            | control >> 30 << 13
            | (control & 0x400) << 5
            | (control & 0x800) >> 5
            | processor_flags(status >> 24);
        if has_x87 {
            let precision = match control & 0x3000 {
                0 => 0x300,
                0x1000 => 0x200,
                _ => 0,
            };
            let own = processor_flags(control >> 16)
                | (control >> 22 & 3) << 10
                | precision
                | control >> 2 & 0x1000;
            state.x87_control = state.x87_control & !0x1f3f | own as u16;
            state.x87_status = processor_flags(status >> 16) as u16;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a program starts with.
    const FRESH: FloatState = FloatState { x87_control: 0x27f, x87_status: 0, mxcsr: 0x1f80 };

    #[test]
    fn exceptions_go_there_and_back() {
        for processor in 0..0x40 {
            assert_eq!(processor_flags(flags(processor)), processor);
            assert_eq!(flags_of(word_of(flags(processor))), flags(processor));
        }
        assert_eq!([flags(1), flags(2), flags(4), flags(8), flags(16), flags(32)], [16, 32, 8, 4, 2, 1]);
    }

    #[test]
    fn words_of_a_fresh_program() {
        assert_eq!(x87_control(&FRESH), 0x9_001f);
        assert_eq!(sse_control(&FRESH), 0x8_001f);
        let all = Environment { control: 0x3f3f_103f, status: 0 };
        assert_eq!(Environment::of(&FRESH, true), all);
        assert_eq!(Environment::of(&FRESH, false), Environment { control: 0x3f00_003f, status: 0 });
    }

    #[test]
    fn every_control_comes_back() {
        for word in (0..=0xffff_u32).filter(|word| word & 0xe0c0 == 0) {
            let state = FloatState { x87_control: word as u16, mxcsr: word << 7 & 0xffc0, ..FRESH };
            let mut again = FRESH;
            set_x87_control(&mut again, x87_control(&state));
            set_sse_control(&mut again, sse_control(&state));
            // One precision is reserved, and read as 64 bits; a bit that means nothing stays.
            let precision = if word >> 8 & 3 == 1 { 0x200 } else { 0 };
            assert_eq!(again.x87_control, (word | precision | 0x40) as u16);
            assert_eq!(again.mxcsr, state.mxcsr & 0xffc0);
            let mut environment = FRESH;
            Environment::of(&state, true).put(&mut environment, true);
            assert_eq!(Environment::of(&environment, true), Environment::of(&state, true));
        }
    }
}
