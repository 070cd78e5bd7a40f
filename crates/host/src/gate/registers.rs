//! A full register state: taken from a fault or a call, given back to the processor.

use std::arch::asm;

use super::block::{CallFrame, FaultFrame};
use super::dispatch::FaultInfo;
use super::thread::Thread;
use crate::signals::{KernelContext, XSTATE_BYTES, Xstate};

/// Length in bytes of the FXSAVE area.
pub(super) const FXSAVE_BYTES: usize = 512;

/// Offset in bytes of XMM0 in the FXSAVE area.
const FXSAVE_XMM: usize = 160;

/// Every register of a guest thread, whichever machine it is.
#[derive(Clone, Debug)]
pub struct Registers {
    /// RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15: in the order of their encodings.
    pub general: [u64; 16],
    /// The instruction pointer.
    pub rip: u64,
    /// The flags.
    pub rflags: u64,
    /// Whether the code is 32-bit code.
    pub is_i386: bool,
    xstate: Xstate,
}

impl Registers {
    /// Returns a state with all registers zero, and the floating-point state that Windows gives to a new thread.
    pub fn zeroed(is_i386: bool) -> Box<Self> {
        let mut xstate = Xstate { bytes: [0; XSTATE_BYTES], length: FXSAVE_BYTES };
        // x87: 64-bit precision is Linux' default, 53-bit is Windows'; MXCSR: all exceptions masked.
        xstate.bytes[..2].copy_from_slice(&0x27f_u16.to_le_bytes());
        xstate.bytes[24..28].copy_from_slice(&0x1f80_u32.to_le_bytes());
        Box::new(Self { general: [0; 16], rip: 0, rflags: 0x202, is_i386, xstate })
    }

    /// Returns the stack pointer.
    pub fn rsp(&self) -> u64 {
        self.general[4]
    }

    /// Returns the FXSAVE area: x87, MMX, XMM and MXCSR.
    ///
    /// Source: Intel SDM volume 1, "FXSAVE Area".
    pub fn fxsave(&self) -> &[u8] {
        &self.xstate.bytes[..FXSAVE_BYTES]
    }

    /// Returns the FXSAVE area for changing; the upper halves of vector registers stay as they are.
    pub fn fxsave_mut(&mut self) -> &mut [u8] {
        &mut self.xstate.bytes[..416]
    }

    /// Returns XMM`index`, 0 to 15.
    pub fn xmm(&self, index: usize) -> u128 {
        let at = FXSAVE_XMM + (index & 15) * 16;
        u128::from_le_bytes(self.xstate.bytes[at..at + 16].try_into().expect("sixteen bytes"))
    }

    /// Sets XMM`index`, 0 to 15.
    pub fn set_xmm(&mut self, index: usize, value: u128) {
        let at = FXSAVE_XMM + (index & 15) * 16;
        self.xstate.bytes[at..at + 16].copy_from_slice(&value.to_le_bytes());
    }

    /// Reads the state of a call's caller.
    pub(super) fn of_caller(frame: &CallFrame) -> Box<Self> {
        if frame.is_fault != 0 {
            // SAFETY: 1. only `Thread::push_fault` marks frames, and marks those inside a `FaultFrame`.
            let fault = unsafe { &*std::ptr::from_ref(frame).cast::<FaultFrame>() };
            return fault.registers.clone().unwrap_or_else(|| Self::zeroed(false));
        }
        let thread = Thread::from_block(frame.thread);
        let mut registers = Self::zeroed(thread.is_i386());
        save_floating_point(&mut registers.xstate);
        registers.xstate.bytes[24..28].copy_from_slice(&thread.mxcsr().to_le_bytes());
        let return_address = if thread.is_i386() {
            crate::memory::read_u32(frame.guest_sp).map(u64::from)
        } else {
            crate::memory::read_u64(frame.guest_sp)
        };
        // The thunk's `call` wrote the return address a moment ago; zero shows in a report if another thread unmapped it.
        registers.rip = return_address.unwrap_or(0);
        registers.general[4] = frame.guest_sp + if thread.is_i386() { 4 } else { 8 };
        registers.general[3] = frame.rbx;
        registers.general[5] = frame.rbp;
        registers.general[6] = frame.rsi;
        registers.general[7] = frame.rdi;
        registers.general[12..16].copy_from_slice(&[frame.r12, frame.r13, frame.r14, frame.r15]);
        if !thread.is_i386() {
            for (index, &value) in frame.xmm6.iter().enumerate() {
                registers.set_xmm(6 + index, value);
            }
        }
        registers
    }

    /// Reads the state with which a call entered its thunk at `thunk`: going on with it makes the call again.
    pub(super) fn of_entry(frame: &CallFrame, thunk: u64) -> Box<Self> {
        let mut registers = Self::of_caller(frame);
        registers.rip = thunk;
        registers.general[4] = frame.guest_sp;
        if !registers.is_i386 {
            // The gate has put the arguments' registers into their home area; RCX, RDX, R8, R9 in this order.
            for (index, register) in [1, 2, 8, 9].into_iter().enumerate() {
                let home = frame.guest_sp + 8 + 8 * index as u64;
                registers.general[register] = crate::memory::read_u64(home).unwrap_or(0);
            }
            for (index, &value) in frame.floats.iter().enumerate() {
                registers.set_xmm(index, u128::from(value));
            }
        }
        registers
    }

    /// Takes the state of a fault out of its thread's block.
    pub(super) fn of_fault(thread: Thread) -> (FaultInfo, Box<Self>) {
        let saved = thread.take_fault();
        let context = &saved.context;
        let info = FaultInfo {
            signal: saved.signal,
            code: saved.code,
            trap: context.trap,
            error: context.error,
            address: context.cr2,
        };
        let mut registers = Self::zeroed(context.segments[0] == 0x23);
        registers.general[..8].copy_from_slice(&[
            context.rax,
            context.rcx,
            context.rdx,
            context.rbx,
            context.rsp,
            context.rbp,
            context.rsi,
            context.rdi,
        ]);
        registers.general[8..].copy_from_slice(&context.r8_15);
        if registers.is_i386 {
            // The upper halves hold whatever 64-bit code left there.
            registers.general.iter_mut().for_each(|register| *register &= 0xffff_ffff);
        }
        registers.rip = context.rip;
        registers.rflags = context.rflags;
        registers.xstate.clone_from(&saved.xstate);
        (info, registers)
    }

    /// Makes the kernel's context from which `rt_sigreturn` restores this state.
    pub(super) fn to_kernel(&self, alternate_stack: (u64, u64)) -> KernelContext {
        const HAS_XSTATE: u64 = 1;
        const RESTORE_SS: u64 = 2 | 4;
        let general = &self.general;
        let extended = u64::from(self.xstate.length > FXSAVE_BYTES);
        let mut context = KernelContext {
            flags: (HAS_XSTATE * extended) | RESTORE_SS,
            stack_base: alternate_stack.0,
            stack_size: alternate_stack.1,
            rip: self.rip,
            rflags: self.rflags,
            segments: [if self.is_i386 { 0x23 } else { 0x33 }, 0, 0, 0x2b],
            fp_state: self.xstate.bytes.as_ptr() as u64,
            ..KernelContext::default()
        };
        context.r8_15.copy_from_slice(&general[8..]);
        [context.rax, context.rcx, context.rdx, context.rbx] =
            [general[0], general[1], general[2], general[3]];
        [context.rsp, context.rbp, context.rsi, context.rdi] =
            [general[4], general[5], general[6], general[7]];
        context
    }
}

/// Saves the processor's x87 and XMM registers.
fn save_floating_point(xstate: &mut Xstate) {
    // SAFETY: 1. the area has 512 bytes and is aligned to 64.
    unsafe { asm!("fxsave64 [{}]", in(reg) xstate.bytes.as_mut_ptr(), options(nostack)) };
    // Software bytes: zero says that nothing beyond the legacy area follows.
    xstate.bytes[464..FXSAVE_BYTES].fill(0);
    xstate.length = FXSAVE_BYTES;
}

impl Registers {
    /// Copies the used part of the extended state.
    pub(super) fn copy_xstate(&self, into: &mut Xstate) {
        let length = self.xstate.length.max(FXSAVE_BYTES);
        into.bytes[..length].copy_from_slice(&self.xstate.bytes[..length]);
        into.length = length;
    }
}
