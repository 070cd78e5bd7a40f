//! What the gate's assembler shares with Rust: one [`ThreadBlock`] per guest thread, one [`CallFrame`] per call.

use std::cell::UnsafeCell;

/// Where a TEB holds the address of its thread's [`ThreadBlock`]: beyond all that Windows defines, in the second page.
pub const TEB_PRIVATE: u64 = 0x1ff8;

/// The host's side of one guest thread. The gate reaches it through the TEB, a signal through the alternate stack.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct ThreadBlock {
    /// FS base of the host thread: its thread-local storage.
    pub(crate) host_fs: u64,
    /// Where the host's stack continues when the guest enters; a multiple of 16.
    pub(crate) host_rsp: u64,
    /// FS base of 32-bit guest code: the address of its TEB.
    pub(crate) guest_fs: u64,
    /// The innermost call that has not returned.
    pub(crate) top: *mut CallFrame,
    /// `plat_enter32` and `plat_return32`, for the trampolines below 4 GiB.
    pub(crate) enter32: u64,
    pub(crate) return32: u64,
    /// A far pointer m16:32 in the making.
    pub(crate) far: [u32; 2],
    /// The far pointers of the `ret N` stubs, N = 4 × index.
    pub(crate) returns: *const [FarPointer; RETURN_STUBS],
    /// The host's stack when the thread entered the guest for the first time.
    pub(crate) base_rsp: u64,
    /// The guest's MXCSR while the host runs.
    pub(crate) mxcsr: u32,
    /// Whether the thread is to stop before it runs more guest code; the gate looks at it and MXCSR in one.
    pub(crate) poke: u32,
    /// Whether guest code is 32-bit code.
    pub(crate) is_i386: u32,
    pub(crate) padding: u32,
    /// Where calls of guest code begin when no call of the guest is on its way.
    pub(crate) initial_sp: u64,
    /// The state of the last fault, from the signal handler to the fault's dispatch.
    pub(crate) fault: UnsafeCell<crate::signals::SavedState>,
    /// How other threads stop this one.
    pub(crate) interrupt: std::sync::Arc<super::interrupt::Interrupt>,
    /// Where the host's first stack continued when the thread's first function was called; set by switches of fibers.
    pub(crate) root_rsp: u64,
    /// Where its host frames lie.
    pub(super) stacks: super::fiber::HostStacks,
}

/// MXCSR of a fresh thread, and the host's: everything masked, rounding to nearest.
pub(crate) const MXCSR_DEFAULT: u32 = 0x1f80;

/// The bits of MXCSR that control; the others report what happened.
///
/// Source: <https://learn.microsoft.com/cpp/build/x64-calling-convention>, "MxCsr"
pub(crate) const MXCSR_CONTROLS: u32 = 0xffc0;

/// The x87 control word of a fresh thread: everything masked, 53 bits of precision.
///
/// Source: <https://learn.microsoft.com/cpp/build/x64-calling-convention>, "FpCsr"
pub(crate) const X87_CONTROL: u16 = 0x27f;

/// How many `ret N` stubs there are: functions of up to 63 words of arguments.
pub(crate) const RETURN_STUBS: usize = 64;

/// The memory operand of a far jump to 32-bit code.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FarPointer {
    /// The address.
    pub offset: u32,
    /// The code segment.
    pub selector: u16,
    pub(crate) padding: u16,
}

/// The guest's registers at a call into the host, kept on the host's stack while the call runs.
#[repr(C, align(16))]
#[derive(Clone, Debug)]
pub struct CallFrame {
    pub(crate) previous: *mut CallFrame,
    pub(crate) thread: *mut ThreadBlock,
    /// The guest's stack pointer: the address of the return address.
    pub(crate) guest_sp: u64,
    pub(crate) index: u32,
    /// Set by the dispatch: 4 × the index of the `ret N` stub, and whether ST0 is to be loaded.
    pub(crate) stack_bytes: u32,
    pub(crate) load_st0: u32,
    /// Whether this is the head of a [`FaultFrame`]; the dispatch clears it for calls.
    pub(crate) is_fault: u32,
    pub(crate) rbx: u64,
    pub(crate) rbp: u64,
    pub(crate) rsi: u64,
    pub(crate) rdi: u64,
    pub(crate) r12: u64,
    pub(crate) r13: u64,
    pub(crate) r14: u64,
    pub(crate) r15: u64,
    /// The low halves of XMM0 to XMM3; XMM0 is the result when the call returns.
    pub(crate) floats: [u64; 4],
    pub(crate) flags: u64,
    /// Keeps the size an odd multiple of 16 away from a misaligned XMM area.
    pub(crate) padding2: u64,
    /// XMM6 to XMM15, which 64-bit Windows preserves and the host's convention does not.
    pub(crate) xmm6: [u128; 10],
}

/// What a fault puts on the list of calls: handlers run above it, unwinding leads across it.
#[repr(C, align(16))]
#[derive(Debug)]
pub(crate) struct FaultFrame {
    /// Its guest's stack pointer is a word below the fault's, as if the instruction had called.
    pub(crate) head: CallFrame,
    /// The registers at the fault.
    pub(crate) registers: Option<Box<super::registers::Registers>>,
    /// Where the host's stack continued when the fault came.
    pub(crate) host_rsp: u64,
}

impl CallFrame {
    /// Gives a frame up; returns where the host's stack continues.
    ///
    /// # Safety
    /// 1. The frame is taken off its list and not used again. 2. A frame whose `is_fault` is set is the head of a
    ///    living [`FaultFrame`].
    pub(crate) unsafe fn give_up(frame: *mut Self) -> u64 {
        // SAFETY: 1. by the caller: the frame is alive until it is given up here.
        let is_fault = unsafe { (*frame).is_fault } != 0;
        if !is_fault {
            return frame as u64 + size_of::<Self>() as u64;
        }
        // SAFETY: 1. and 2. by the caller.
        let fault = unsafe { &mut *frame.cast::<FaultFrame>() };
        fault.registers = None;
        fault.host_rsp
    }
}

impl Default for FaultFrame {
    fn default() -> Self {
        let head = CallFrame {
            previous: std::ptr::null_mut(),
            thread: std::ptr::null_mut(),
            guest_sp: 0,
            index: 0,
            stack_bytes: 0,
            load_st0: 0,
            is_fault: 1,
            rbx: 0,
            rbp: 0,
            rsi: 0,
            rdi: 0,
            r12: 0,
            r13: 0,
            r14: 0,
            r15: 0,
            floats: [0; 4],
            flags: 0,
            padding2: 0,
            xmm6: [0; 10],
        };
        Self { head, registers: None, host_rsp: 0 }
    }
}
