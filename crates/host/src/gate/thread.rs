//! A guest thread's host side: made on the host thread that carries it, left when the guest ends.

use std::arch::asm;
use std::cell::{Cell, UnsafeCell};
use std::fmt;

use super::block::{CallFrame, FaultFrame, MXCSR_DEFAULT, TEB_PRIVATE, ThreadBlock, X87_CONTROL};
use super::entry::{
    plat_call32, plat_call64, plat_enter32, plat_leave, plat_resume, plat_return32, plat_return64, plat_start,
};
use super::registers::Registers;
use super::trampoline::{HandlerKind, Trampoline};
use crate::memory::{self, MemoryFault};
use crate::signals::{ALTERNATE_HEADER_SIZE, ALTERNATE_STACK_SIZE, AlternateHeader, SavedState};

thread_local! {
    static CURRENT: Cell<*mut ThreadBlock> = const { Cell::new(std::ptr::null_mut()) };
}

/// The machine lacks something that the gate cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsupported;

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the processor or the kernel does not let programs set the FS and GS bases (FSGSBASE); \
             plat needs a processor from 2012 or later and Linux 5.9 or later",
        )
    }
}

impl std::error::Error for Unsupported {}

/// Says whether the gate works on this machine.
///
/// # Errors
/// [`Unsupported`] without FSGSBASE.
///
/// Source: Linux, Documentation/arch/x86/x86_64/fsgs.rst, "FSGSBASE instructions enablement".
pub fn probe() -> Result<(), Unsupported> {
    const HWCAP2_FSGSBASE: u64 = 1 << 1;
    // SAFETY: 1. getauxval has no preconditions.
    let bits = unsafe { libc::getauxval(libc::AT_HWCAP2) };
    if bits & HWCAP2_FSGSBASE != 0 { Ok(()) } else { Err(Unsupported) }
}

/// A handle on a guest thread's host side; only the thread itself has it.
#[derive(Clone, Copy)]
pub struct Thread {
    block: *mut ThreadBlock,
}

impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Thread({:p})", self.block)
    }
}

impl Thread {
    #[inline]
    pub(super) fn from_block(block: *mut ThreadBlock) -> Self {
        debug_assert!(!block.is_null());
        Self { block }
    }

    /// Returns the guest thread that runs on this host thread, if any.
    pub fn current() -> Option<Self> {
        let block = CURRENT.get();
        (!block.is_null()).then_some(Self { block })
    }

    /// Says whether its guest code is 32-bit code.
    #[inline]
    pub fn is_i386(self) -> bool {
        // SAFETY: 1. the block lives as long as its thread, and only that thread has the handle.
        unsafe { (*self.block).is_i386 != 0 }
    }

    /// Returns the address of its TEB.
    #[inline]
    pub fn teb(self) -> u64 {
        // SAFETY: 1. the block lives as long as its thread, and only that thread has the handle.
        unsafe { (*self.block).guest_fs }
    }

    /// Returns its block; for one look or one change at a time.
    #[allow(clippy::mut_from_ref)] // The block is the thread's alone, and no reference is kept.
    pub(super) fn block<'a>(self) -> &'a mut ThreadBlock {
        // SAFETY: 1. the block lives as long as its thread, and only that thread has the handle.
        unsafe { &mut *self.block }
    }

    /// Returns the guest's MXCSR, which it gets back when the call returns.
    pub(super) fn mxcsr(self) -> u32 {
        // SAFETY: 1. the block is this thread's.
        unsafe { (*self.block).mxcsr }
    }

    /// Returns the registers of the caller of the innermost call, as they will be once it has returned.
    pub fn caller_registers(self) -> Option<Box<Registers>> {
        // SAFETY: 1. the block is this thread's.
        let top = unsafe { (*self.block).top };
        // SAFETY: 1. frames on its list are alive: each is taken off when its call ends.
        let frame = unsafe { top.as_ref() };
        frame.map(Registers::of_caller)
    }

    /// Returns the index that the thunk of the innermost call passed; `None` outside calls, and in a fault.
    pub fn call_index(self) -> Option<u32> {
        self.innermost_call().map(|frame| frame.index)
    }

    /// Returns the registers with which the innermost call entered its thunk, which lies at `thunk`: going on with them
    /// makes the call again.
    pub fn entry_registers(self, thunk: u64) -> Option<Box<Registers>> {
        self.innermost_call().map(|frame| Registers::of_entry(frame, thunk))
    }

    fn innermost_call<'a>(self) -> Option<&'a CallFrame> {
        // SAFETY: 1. the block is this thread's.
        let top = unsafe { (*self.block).top };
        // SAFETY: 1. frames on its list are alive: each is taken off when its call ends.
        unsafe { top.as_ref() }.filter(|frame| frame.is_fault == 0)
    }

    /// Makes this host thread a guest thread with the TEB at `teb`, runs `body`, and returns when `body` returns or
    /// [`Thread::leave`] was called. Returns what `body` returned, or `None` when it was left.
    ///
    /// # Errors
    /// [`MemoryFault`] when the TEB cannot be written.
    pub fn enter<T>(
        teb: u64,
        trampoline: Option<&'static Trampoline>,
        body: impl FnOnce(Self) -> T,
    ) -> Result<Option<T>, MemoryFault> {
        let stack = AlternateStack::new();
        let mut block = new_block(teb, trampoline);
        let block: *mut ThreadBlock = &raw mut *block;
        memory::write_u64(teb + TEB_PRIVATE, block as u64)?;
        stack.install(block);
        CURRENT.set(block);
        set_segments(teb, trampoline.is_some());
        let interrupt = Self { block }.interrupt();
        interrupt.begin();
        let mut start = Start { thread: Self { block }, body: Some(body), result: None };
        let run = runner(&start);
        // SAFETY: 1. `block` is valid until the end of this function; 2. `run` takes a `Start` of these very types.
        unsafe { plat_start(block, run, (&raw mut start).cast()) };
        interrupt.end();
        CURRENT.set(std::ptr::null_mut());
        drop(stack);
        Ok(start.result.take())
    }

    /// Calls a guest function with pointer-sized arguments on the guest's stack below the innermost call;
    /// returns RAX, or EDX:EAX.
    ///
    /// # Errors
    /// [`MemoryFault`] when the guest's stack cannot be written.
    pub fn call(self, function: u64, arguments: &[u64]) -> Result<u64, MemoryFault> {
        self.call_at(function, arguments, self.call_stack_pointer())
    }

    /// Returns below which address of the guest's stack the next call of guest code begins.
    pub fn call_stack_pointer(self) -> u64 {
        // SAFETY: 1. the block is this thread's.
        let initial = unsafe { (*self.block).initial_sp };
        self.top_stack_pointer().unwrap_or(initial)
    }

    /// Returns the address to which guest functions return that the host calls.
    pub fn return_address(self) -> u64 {
        if self.is_i386() {
            u64::from(self.return32_address())
        } else {
            std::ptr::addr_of!(plat_return64) as u64
        }
    }

    /// Sets where calls of guest code begin when no call of the guest is on its way: near the top of its stack.
    pub fn set_initial_stack(self, stack_pointer: u64) {
        // SAFETY: 1. the block is this thread's.
        unsafe { (*self.block).initial_sp = stack_pointer };
    }

    /// Calls a guest function with its stack just below `stack_pointer`.
    ///
    /// # Errors
    /// [`MemoryFault`] when the guest's stack cannot be written.
    pub fn call_at(self, function: u64, arguments: &[u64], stack_pointer: u64) -> Result<u64, MemoryFault> {
        if self.is_i386() {
            self.call32(function, arguments, stack_pointer)
        } else {
            self.call64(function, arguments, stack_pointer)
        }
    }

    /// Calls an exception handler of the guest's as [`Self::call_at`] does, from where unwinders know that it is one.
    ///
    /// # Errors
    /// [`MemoryFault`] when the guest's stack cannot be written.
    pub fn call_handler_at(
        self,
        function: u64,
        arguments: &[u64],
        stack_pointer: u64,
        kind: HandlerKind,
    ) -> Result<u64, MemoryFault> {
        if !self.is_i386() {
            return self.call64(function, arguments, stack_pointer);
        }
        let sp = self.write_call(arguments, stack_pointer)?;
        memory::write(sp, &Trampoline::handler_return_stub(self.first_return(), kind).to_le_bytes())?;
        // SAFETY: 1. the block is this thread's. 2. the guest's stack was just written. 3. as for call64.
        Ok(unsafe { plat_call32(self.block, function, sp) })
    }

    fn call64(self, function: u64, arguments: &[u64], stack_pointer: u64) -> Result<u64, MemoryFault> {
        let sp = self.write_call(arguments, stack_pointer)?;
        let mut registers = [0; 4];
        for (register, &argument) in registers.iter_mut().zip(arguments) {
            *register = argument;
        }
        // SAFETY: 1. the block is this thread's. 2. the guest's stack was just written. 3. whatever the guest does,
        // it comes back through plat_return64, or its frames are abandoned by `leave` or `resume`.
        Ok(unsafe { plat_call64(self.block, function, sp, registers.as_ptr()) })
    }

    fn call32(self, function: u64, arguments: &[u64], stack_pointer: u64) -> Result<u64, MemoryFault> {
        let sp = self.write_call(arguments, stack_pointer)?;
        // SAFETY: 1. the block is this thread's. 2. the guest's stack was just written. 3. as for call64.
        Ok(unsafe { plat_call32(self.block, function, sp) })
    }

    /// Writes the arguments and the return address of a call of the guest below `stack_pointer`; returns the stack
    /// pointer with which the function begins.
    pub(super) fn write_call(self, arguments: &[u64], stack_pointer: u64) -> Result<u64, MemoryFault> {
        let sp = Self::stack_of_call(self.is_i386(), arguments.len() as u64, stack_pointer);
        if !self.is_i386() {
            let mut words = vec![self.return_address()];
            words.extend_from_slice(arguments);
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            memory::write(sp, &bytes)?;
            return Ok(sp);
        }
        // SAFETY: 1. the block is this thread's.
        let selector = unsafe { (*self.block).far[1] };
        debug_assert_eq!(selector, 0x23, "the far pointer's selector");
        let mut bytes = self.return32_address().to_le_bytes().to_vec();
        bytes.extend(arguments.iter().flat_map(|&word| (word as u32).to_le_bytes()));
        memory::write(sp, &bytes)?;
        Ok(sp)
    }

    /// Returns the stack pointer with which a function begins that is called with so many words of arguments below
    /// `stack_pointer`.
    pub fn stack_of_call(is_i386: bool, arguments: u64, stack_pointer: u64) -> u64 {
        if is_i386 {
            // 16 bytes of alignment, as GCC's code for i686 expects of main's callers.
            return (stack_pointer.wrapping_sub(arguments * 4) & !15).wrapping_sub(4);
        }
        let home = arguments.max(4).next_multiple_of(2) * 8;
        (stack_pointer & !15).wrapping_sub(home + 8)
    }

    /// Has the calling thread, which this is, stop before it runs more guest code.
    pub fn stop_soon(self) {
        self.block().poke = 1;
    }

    /// Returns the address of its block.
    pub(super) fn as_ptr(self) -> *mut ThreadBlock {
        self.block
    }

    fn return32_address(self) -> u32 {
        Trampoline::return_stub(self.first_return())
    }

    /// Returns the address of the first `ret N` stub.
    fn first_return(self) -> u32 {
        // SAFETY: 1. the block is this thread's.
        let returns = unsafe { (*self.block).returns };
        // SAFETY: 1. a 32-bit thread has the trampoline's table, which lives as long as the process.
        unsafe { (&*returns)[0].offset }
    }

    /// Returns the guest's stack pointer at the innermost call into the host.
    pub fn top_stack_pointer(self) -> Option<u64> {
        // SAFETY: 1. the block is this thread's.
        let top = unsafe { (*self.block).top };
        // SAFETY: 1. frames on its list are alive: each is taken off when its call ends.
        unsafe { top.as_ref() }.map(|frame| frame.guest_sp)
    }

    /// Returns the registers of the callers of all calls into the host that have not returned, innermost first.
    pub fn call_chain(self) -> Vec<Box<Registers>> {
        let mut chain = Vec::new();
        // SAFETY: 1. the block is this thread's.
        let mut frame: *mut CallFrame = unsafe { (*self.block).top };
        while !frame.is_null() {
            // SAFETY: 1. frames on the list are alive.
            let alive = unsafe { &*frame };
            chain.push(Registers::of_caller(alive));
            frame = alive.previous;
        }
        chain
    }

    /// Goes on in the guest with `registers`; host frames below the guest's new stack pointer are given up.
    pub fn resume(self, registers: Box<Registers>) -> ! {
        // What comes from here on finds the thread in the guest; what came before is seen now.
        let registers = self.stop_before_resume(registers);
        // SAFETY: 1. the block is this thread's.
        let block = unsafe { &mut *self.block };
        block.drop_frames_below(registers.rsp());
        let stack = alternate_stack_of(block);
        let fs_base = if registers.is_i386 { block.guest_fs } else { 0 };
        let context = registers.to_kernel(stack);
        let pages = ResumePages::current();
        let target = pages.fill(&context, &registers);
        drop(registers);
        // SAFETY: 1. the context is complete and lies, with its floating-point state, in memory of this thread that
        // outlives the call. 2. host frames that are given up own nothing that another thread waits for.
        unsafe { plat_resume(target, fs_base) }
    }

    /// Leaves the guest for good: [`Thread::enter`] returns `None`.
    pub fn leave(self) -> ! {
        // SAFETY: 1. the block is this thread's and `enter` is on its stack.
        unsafe { plat_leave(self.block) }
    }

    /// Puts a fault on the list of calls, for the time of its handling.
    pub(super) fn push_fault(self, frame: &mut FaultFrame, registers: Box<Registers>) {
        // SAFETY: 1. the block is this thread's.
        let block = unsafe { &mut *self.block };
        frame.head.previous = block.top;
        frame.head.thread = self.block;
        frame.head.guest_sp = registers.rsp().wrapping_sub(if self.is_i386() { 4 } else { 8 });
        frame.head.is_fault = 1;
        frame.registers = Some(registers);
        frame.host_rsp = block.host_rsp;
        block.top = (&raw mut *frame).cast();
    }

    /// Takes a fault off the list of calls.
    pub(super) fn pop_fault(self, frame: &mut FaultFrame) {
        // SAFETY: 1. the block is this thread's.
        let block = unsafe { &mut *self.block };
        block.top = frame.head.previous;
        block.host_rsp = frame.host_rsp;
        frame.registers = None;
    }

    pub(super) fn take_fault(self) -> Box<SavedState> {
        let mut saved = Box::new(SavedState::new());
        // SAFETY: 1. the block is this thread's.
        let state = unsafe { (*self.block).fault.get() };
        // SAFETY: 1. the handler that filled it has returned, and nobody else refers to it.
        let state = unsafe { &mut *state };
        std::mem::swap(&mut *saved, state);
        saved
    }
}

/// What `plat_start` passes to `run`.
struct Start<T, F> {
    thread: Thread,
    body: Option<F>,
    result: Option<T>,
}

/// Names the instance of [`run`] that takes `start`.
fn runner<T, F: FnOnce(Thread) -> T>(_: &Start<T, F>) -> extern "C" fn(*mut u8) {
    run::<T, F>
}

extern "C" fn run<T, F: FnOnce(Thread) -> T>(argument: *mut u8) {
    // SAFETY: 1. `Thread::enter` passes its own `Start<T, F>`.
    let start = unsafe { &mut *argument.cast::<Start<T, F>>() };
    if let Some(body) = start.body.take() {
        start.result = Some(body(start.thread));
    }
}

impl ThreadBlock {
    /// Drops calls whose guest frames lie below `stack_pointer`: control leaves them and never comes back.
    fn drop_frames_below(&mut self, stack_pointer: u64) {
        while !self.top.is_null() {
            // SAFETY: 1. frames on the list are alive.
            let frame = unsafe { &*self.top };
            if frame.guest_sp >= stack_pointer {
                break;
            }
            let (given_up, previous) = (self.top, frame.previous);
            self.top = previous;
            // SAFETY: 1. it just left the list; 2. only `push_fault` marks frames, and marks its own.
            self.host_rsp = unsafe { CallFrame::give_up(given_up) };
        }
    }

    /// Drops calls that guest code at `stack_pointer` has left by itself: its `longjmp`, its jump to a handler.
    /// Says whether there were any.
    ///
    /// Calls on another stack than the thread's own stay: a coroutine may come back to them.
    pub(super) fn drop_stale(&mut self, stack_pointer: u64) -> bool {
        let below = |frame: *mut CallFrame| {
            // SAFETY: 1. frames on the list are alive.
            unsafe { frame.as_ref() }.is_some_and(|frame| frame.guest_sp < stack_pointer)
        };
        if !below(self.top) {
            return false;
        }
        let Some((limit, base)) = self.guest_stack().filter(|&(_, base)| stack_pointer < base) else {
            return false;
        };
        // SAFETY: 1. frames on the list are alive.
        let is_ours = |frame: *mut CallFrame| (limit..base).contains(&unsafe { (*frame).guest_sp });
        let before = self.top;
        while below(self.top) && is_ours(self.top) {
            let given_up = self.top;
            // SAFETY: 1. frames on the list are alive.
            self.top = unsafe { (*given_up).previous };
            // SAFETY: 1. it left the list; 2. only `push_fault` marks frames, and marks its own.
            self.host_rsp = unsafe { CallFrame::give_up(given_up) };
        }
        self.top != before
    }

    /// Returns the limit and the base of the guest's stack, as its TEB has them.
    fn guest_stack(&self) -> Option<(u64, u64)> {
        if self.is_i386 != 0 {
            let base = memory::read_u32(self.guest_fs + 4).ok()?;
            Some((memory::read_u32(self.guest_fs + 8).ok()?.into(), base.into()))
        } else {
            let base = memory::read_u64(self.guest_fs + 8).ok()?;
            Some((memory::read_u64(self.guest_fs + 16).ok()?, base))
        }
    }

    /// Returns the guest's stack pointer at the fault that is about to be handled.
    pub(super) fn fault_stack_pointer(&mut self) -> u64 {
        let rsp = self.fault.get_mut().context.rsp;
        if self.is_i386 != 0 { rsp & 0xffff_ffff } else { rsp }
    }
}

fn new_block(teb: u64, trampoline: Option<&'static Trampoline>) -> Box<ThreadBlock> {
    let returns = trampoline.map_or(std::ptr::null(), |trampoline| trampoline.returns());
    Box::new(ThreadBlock {
        host_fs: read_fs_base(),
        host_rsp: 0,
        guest_fs: teb,
        top: std::ptr::null_mut(),
        enter32: std::ptr::addr_of!(plat_enter32) as u64,
        return32: std::ptr::addr_of!(plat_return32) as u64,
        far: [0, 0x23],
        returns,
        base_rsp: 0,
        is_i386: u32::from(trampoline.is_some()),
        mxcsr: MXCSR_DEFAULT,
        poke: 0,
        padding: 0,
        initial_sp: 0,
        fault: UnsafeCell::new(SavedState::new()),
        interrupt: std::sync::Arc::default(),
        root_rsp: 0,
        stacks: super::fiber::HostStacks::default(),
    })
}

fn read_fs_base() -> u64 {
    let base;
    // SAFETY: 1. FSGSBASE was probed.
    unsafe { asm!("rdfsbase {}", out(reg) base, options(nomem, nostack)) };
    base
}

/// Sets GS base to a 64-bit TEB, or loads the flat selectors that 32-bit code needs; FS base stays the host's.
fn set_segments(teb: u64, is_i386: bool) {
    // SAFETY: 1. host code does not use the x87 unit: any control word suits it.
    unsafe { asm!("fldcw word ptr [{}]", in(reg) &X87_CONTROL, options(nostack)) };
    if is_i386 {
        // SAFETY: 1. 0x2b is Linux' flat data segment. 2. loading FS clears its base, which is put back at once.
        unsafe {
            asm!(
                "rdfsbase {base}", "mov ds, {flat:e}", "mov es, {flat:e}", "mov fs, {flat:e}", "wrfsbase {base}",
                base = out(reg) _, flat = in(reg) 0x2b_u32, options(nostack)
            );
        }
    } else {
        // SAFETY: 1. FSGSBASE was probed. 2. Linux leaves GS to programs.
        unsafe { asm!("wrgsbase {}", in(reg) teb, options(nostack)) };
    }
}

/// A signal stack whose bottom tells the handler's prologue who it is.
struct AlternateStack {
    base: *mut u8,
    layout: std::alloc::Layout,
    before: libc::stack_t,
}

impl AlternateStack {
    fn new() -> Self {
        let layout = std::alloc::Layout::from_size_align(ALTERNATE_STACK_SIZE, ALTERNATE_STACK_SIZE)
            .expect("a power of two");
        // SAFETY: 1. the layout has a size.
        let base = unsafe { std::alloc::alloc(layout) };
        if base.is_null() {
            std::alloc::handle_alloc_error(layout);
        }
        let before = libc::stack_t { ss_sp: std::ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
        Self { base, layout, before }
    }

    fn install(&self, block: *mut ThreadBlock) {
        // SAFETY: 1. the block is valid.
        let host_fs = unsafe { (*block).host_fs };
        // SAFETY: 1. the base is aligned and has room for the header.
        unsafe { self.base.cast::<AlternateHeader>().write(AlternateHeader { host_fs, block }) };
        let (start, size) = self.range();
        let stack = libc::stack_t { ss_sp: start as *mut libc::c_void, ss_flags: 0, ss_size: size as usize };
        let before = (&raw const self.before).cast_mut();
        // SAFETY: 1. the range is this object's own; 2. `before` is only written here.
        let result = unsafe { libc::sigaltstack(&raw const stack, before) };
        debug_assert_eq!(result, 0, "the range is large enough");
    }

    fn range(&self) -> (u64, u64) {
        (
            self.base as u64 + ALTERNATE_HEADER_SIZE as u64,
            (ALTERNATE_STACK_SIZE - ALTERNATE_HEADER_SIZE) as u64,
        )
    }
}

impl Drop for AlternateStack {
    fn drop(&mut self) {
        // SAFETY: 1. `before` is what was installed before; 2. no signal handler runs on this stack now.
        unsafe { libc::sigaltstack(&raw const self.before, std::ptr::null_mut()) };
        // SAFETY: 1. allocated in `new` with the same layout.
        unsafe { std::alloc::dealloc(self.base, self.layout) };
    }
}

/// Asks the kernel for this thread's alternate stack: `rt_sigreturn` wants to set it again.
fn alternate_stack_of(_block: &ThreadBlock) -> (u64, u64) {
    let mut now = libc::stack_t { ss_sp: std::ptr::null_mut(), ss_flags: 0, ss_size: 0 };
    // SAFETY: 1. `now` is valid for writing.
    unsafe { libc::sigaltstack(std::ptr::null(), &raw mut now) };
    (now.ss_sp as u64, now.ss_size as u64)
}

/// Where a context lies while `rt_sigreturn` reads it: per thread, reused, never freed while the thread lives.
#[repr(C, align(64))]
struct ResumePages {
    xstate: crate::signals::Xstate,
    context: crate::signals::KernelContext,
}

thread_local! {
    static RESUME: UnsafeCell<Box<ResumePages>> = UnsafeCell::new(Box::new(ResumePages {
        xstate: crate::signals::Xstate { bytes: [0; crate::signals::XSTATE_BYTES], length: 0 },
        context: crate::signals::KernelContext::default(),
    }));
}

impl ResumePages {
    fn current() -> &'static mut Self {
        RESUME.with(|cell| {
            // SAFETY: 1. only this thread uses it, only from `resume`, which does not return.
            let pages = unsafe { &mut *cell.get() };
            let pages: *mut Self = &raw mut **pages;
            // SAFETY: 1. as above. 2. the box is never moved out, and lives as long as the thread.
            unsafe { &mut *pages }
        })
    }

    /// Copies the context and its floating-point state; returns the context's address.
    fn fill(&mut self, context: &crate::signals::KernelContext, registers: &Registers) -> *const u8 {
        registers.copy_xstate(&mut self.xstate);
        self.context = *context;
        self.context.fp_state = self.xstate.bytes.as_ptr() as u64;
        (&raw const self.context).cast()
    }
}
