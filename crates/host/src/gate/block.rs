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
    /// Whether guest code is 32-bit code.
    pub(crate) is_i386: u32,
    pub(crate) padding: u32,
    /// Where calls of guest code begin when no call of the guest is on its way.
    pub(crate) initial_sp: u64,
    /// The innermost call of the guest by the host that has not returned.
    pub(crate) calls: *const HostCall,
    /// The state of the last fault, from the signal handler to the fault's dispatch.
    pub(crate) fault: UnsafeCell<crate::signals::SavedState>,
}

/// A call of the guest by the host, kept on the host's stack while it runs.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct HostCall {
    pub(crate) previous: *const HostCall,
    /// The guest's stack pointer at the function's first instruction.
    pub(crate) guest_sp: u64,
    /// Where the host's stack continued before the call.
    pub(crate) host_rsp: u64,
}

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
#[derive(Debug)]
pub struct CallFrame {
    pub(crate) previous: *mut CallFrame,
    pub(crate) thread: *mut ThreadBlock,
    /// The guest's stack pointer: the address of the return address.
    pub(crate) guest_sp: u64,
    pub(crate) index: u32,
    /// Set by the dispatch: 4 × the index of the `ret N` stub, and whether ST0 is to be loaded.
    pub(crate) stack_bytes: u32,
    pub(crate) load_st0: u32,
    pub(crate) padding: u32,
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
