//! From the assembler to the installed [`System`]: calls and faults.

use std::sync::OnceLock;

use super::block::{CallFrame, FaultFrame, ThreadBlock};
use super::entry::{plat_again32, plat_again64};
use super::interrupt::interrupt_signal;
use super::registers::Registers;
use super::thread::Thread;
use crate::memory::MemoryFault;

/// What runs on the host's side of the gate.
pub trait System: Sync {
    /// Carries out a call of the guest.
    fn call(&self, call: &mut Call<'_>);

    /// Handles a processor fault in guest code; the guest goes on with the registers that are returned.
    fn fault(&self, thread: Thread, fault: &FaultInfo, registers: Box<Registers>) -> Box<Registers>;

    /// Holds a thread that another one interrupted, as long as that wants it; returns the registers to go on with, and
    /// whether they are others than those given.
    fn stop(&self, thread: Thread, registers: Box<Registers>) -> (Box<Registers>, bool) {
        let _ = thread;
        (registers, false)
    }

    /// Returns how many bytes of arguments a call of 32-bit code takes off its stack.
    fn stack_bytes(&self, index: u32) -> u32 {
        let _ = index;
        0
    }

    /// Makes a page accessible that the host was refused on the guest's behalf (a guard page, a growing stack);
    /// says whether to try again.
    fn resolve(&self, fault: MemoryFault) -> bool;
}

/// What the processor said about a fault.
#[derive(Clone, Copy, Debug)]
pub struct FaultInfo {
    /// The signal's number.
    pub signal: i32,
    /// The signal's `si_code`.
    pub code: i32,
    /// The processor's exception number: 0 divide, 3 breakpoint, 6 invalid opcode, 13 protection, 14 page fault.
    pub trap: u64,
    /// The processor's error code.
    pub error: u64,
    /// The address of a page fault.
    pub address: u64,
}

static SYSTEM: OnceLock<&'static dyn System> = OnceLock::new();

/// Installs the system and the handlers of processor faults. The first call counts.
pub fn install(system: &'static dyn System) {
    if SYSTEM.set(system).is_ok() {
        crate::signals::install();
    }
}

/// Returns the installed system, if there is one yet.
#[inline]
pub fn system() -> Option<&'static dyn System> {
    SYSTEM.get().copied()
}

/// One call of the guest into the host.
#[derive(Debug)]
pub struct Call<'a> {
    frame: &'a mut CallFrame,
    result: u64,
}

impl Call<'_> {
    /// Returns the index that the thunk passed.
    #[inline]
    pub fn index(&self) -> u32 {
        self.frame.index
    }

    /// Says whether 32-bit code called.
    #[inline]
    pub fn is_i386(&self) -> bool {
        self.thread().is_i386()
    }

    /// Returns the thread that called.
    #[inline]
    pub fn thread(&self) -> Thread {
        Thread::from_block(self.frame.thread)
    }

    /// Returns the guest's stack pointer at the call: the address of the return address.
    #[inline]
    pub fn stack_pointer(&self) -> u64 {
        self.frame.guest_sp
    }

    /// Returns the address of the first argument.
    #[inline]
    pub fn arguments(&self) -> u64 {
        self.frame.guest_sp + if self.is_i386() { 4 } else { 8 }
    }

    /// Returns the low halves of XMM0 to XMM3 at the call.
    #[inline]
    pub fn floats(&self) -> [u64; 4] {
        self.frame.floats
    }

    /// Sets RAX, or EDX:EAX.
    #[inline]
    pub fn set_result(&mut self, value: u64) {
        self.result = value;
    }

    /// Sets a `double` result: XMM0, or ST0.
    pub fn set_double(&mut self, value: f64) {
        self.frame.floats[0] = value.to_bits();
        self.frame.load_st0 = 1;
    }

    /// Sets a `float` result: XMM0 in single precision, or ST0.
    pub fn set_float(&mut self, value: f32) {
        if self.is_i386() {
            self.set_double(f64::from(value));
        } else {
            self.frame.floats[0] = u64::from(value.to_bits());
        }
    }

    /// Sets how many bytes of arguments a 32-bit call removes; a multiple of 4 below 256.
    #[inline]
    pub fn set_stack_bytes(&mut self, bytes: u32) {
        debug_assert!(bytes.is_multiple_of(4) && bytes < 256, "there are 64 `ret N` stubs");
        self.frame.stack_bytes = bytes & 0xfc;
    }

    /// Returns the registers of the caller as they will be once the call has returned, but for the result:
    /// instruction pointer at the return address, volatile registers zero.
    pub fn caller_registers(&self) -> Box<Registers> {
        Registers::of_caller(self.frame)
    }
}

/// Called by `plat_enter64` and `plat_enter32`; returns RAX.
pub(crate) extern "C" fn plat_dispatch(frame: &mut CallFrame) -> u64 {
    frame.stack_bytes = 0;
    frame.load_st0 = 0;
    frame.is_fault = 0;
    // SAFETY: 1. frames on the list are alive.
    if unsafe { frame.previous.as_ref() }.is_some_and(|previous| previous.guest_sp < frame.guest_sp) {
        leave_stale(frame);
    }
    let mut call = Call { frame, result: 0 };
    match SYSTEM.get() {
        Some(system) => system.call(&mut call),
        None => unreachable!("guest code runs only after a system was installed"),
    }
    call.result
}

/// Drops calls that the guest left by itself, and starts this one again where they began on the host's stack.
#[cold]
fn leave_stale(frame: &mut CallFrame) {
    // SAFETY: 1. the block is this thread's.
    let block = unsafe { &mut *frame.thread };
    block.top = frame.previous;
    let dropped = block.drop_stale(frame.guest_sp);
    frame.previous = block.top;
    block.top = frame;
    if dropped {
        let moved = (block.host_rsp - size_of::<CallFrame>() as u64) as *mut CallFrame;
        block.top = moved;
        let again = if block.is_i386 != 0 { plat_again32 } else { plat_again64 };
        // SAFETY: 1. the dropped calls' frames, which nothing uses any more, make room: the new place lies above
        // this frame by at least the dropped frame's size.
        unsafe { std::ptr::copy(std::ptr::from_ref(frame), moved, 1) };
        // SAFETY: 1. the frame at the new place is complete. 2. nothing on the stack below it is used afterwards.
        unsafe { again(moved) }
    }
}

/// Called by `plat_fault_entry` before the dispatch, which then starts where the host's stack continues.
pub(crate) extern "C" fn plat_drop_stale(block: &mut ThreadBlock) {
    let stack_pointer = block.fault_stack_pointer();
    block.drop_stale(stack_pointer);
}

/// Called by `plat_fault_entry` on the host's stack; goes on in the guest.
pub(crate) extern "C" fn plat_fault_dispatch(block: *mut ThreadBlock) -> ! {
    let thread = Thread::from_block(block);
    let (info, registers) = Registers::of_fault(thread);
    let system = system().expect("guest code runs only after a system was installed");
    let mut frame = FaultFrame::default();
    // The copy that unwinding sees; `resume` out of a handler gives it up.
    thread.push_fault(&mut frame, registers.clone());
    let registers = match info.signal {
        signal if signal == interrupt_signal() => system.stop(thread, registers).0,
        _ => system.fault(thread, &info, registers),
    };
    thread.pop_fault(&mut frame);
    thread.resume(registers)
}
