//! Control and status of the guest's floating-point units, as host code finds and leaves them: [`FloatState`].
//!
//! The x87 unit is the guest's all the time, since host code does not use it. Of SSE's word the thread's block has the guest's.

use std::arch::asm;

use super::Thread;
use super::block::MXCSR_DEFAULT;

/// The words of both units, in the processor's form.
///
/// Source: Intel SDM volume 1, "x87 FPU Control Word", "x87 FPU Status Register", "MXCSR Control and Status Register".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FloatState {
    /// The x87 unit's control word.
    pub x87_control: u16,
    /// The x87 unit's status word; of what is set, only the six exceptions count.
    pub x87_status: u16,
    /// SSE's control and status; of what is set, the lower 16 bits count.
    pub mxcsr: u32,
}

/// The exceptions in the status words.
const EXCEPTIONS: u32 = 0x3f;

/// The bits of MXCSR that every processor has; others must not be set.
const MXCSR_BITS: u32 = 0xffff;

/// The x87 unit's environment in 32-bit form: control, status, and five words that stay as they are.
type Environment = [u32; 7];

impl Thread {
    /// Returns the words as the guest's call left them.
    pub fn float_state(self) -> FloatState {
        let environment = store();
        load(&environment);
        let [control, status, ..] = environment;
        FloatState { x87_control: control as u16, x87_status: status as u16, mxcsr: self.mxcsr() }
    }

    /// Sets the words that the guest has when its call returns. An x87 exception that is set and not masked comes with the
    /// guest's next x87 instruction.
    pub fn set_float_state(self, state: FloatState) {
        let mut environment = store();
        environment[0] = environment[0] & !0xffff | u32::from(state.x87_control);
        environment[1] = environment[1] & !EXCEPTIONS | u32::from(state.x87_status) & EXCEPTIONS;
        load(&environment);
        self.block().mxcsr = state.mxcsr & MXCSR_BITS;
        // The gate gives the guest its own word back only where controls differ from the host's; else this one stays.
        let live = MXCSR_DEFAULT | state.mxcsr & EXCEPTIONS;
        // SAFETY: 1. the word is readable, and has bits that every processor has. 2. its controls are the host's.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const live, options(nostack)) };
    }
}

/// Stores the environment. That masks all exceptions, so that none comes in the host: [`load`] follows.
fn store() -> Environment {
    let mut environment: Environment = [0; 7];
    // SAFETY: 1. the environment is writable and as large as the processor writes. 2. host code does not use the unit.
    unsafe { asm!("fnstenv [{}]", in(reg) environment.as_mut_ptr(), options(nostack)) };
    environment
}

/// Loads an environment that [`store`] gave. An exception in it comes with the next x87 instruction, the guest's.
fn load(environment: &Environment) {
    // SAFETY: 1. the environment is readable. 2. host code does not use the unit.
    unsafe { asm!("fldenv [{}]", in(reg) environment.as_ptr(), options(nostack)) };
}
