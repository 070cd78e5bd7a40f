//! Fibers on the host's side: what is kept of one that does not run, and the switch from one to another.
//!
//! A fiber that is left by a call of `SwitchToFiber` and nothing else keeps only the guest's registers: the call's host
//! frames are given up, and the next fiber uses the same host stack. Such a fiber goes on in any thread. A fiber that is
//! left inside a call of the system that called the guest back (the compare function of `qsort`, a catch block) keeps its
//! host stack with those frames; they know their thread, so it goes on only there. The thread goes on with another stack.
//!
//! A stack per fiber was the alternative: half a megabyte of addresses and two pages for each of what programs make by
//! the ten thousand, and no fiber could go to another thread.
//!
//! Key types: [`SavedFiber`], [`HostStack`].

use std::arch::asm;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags};

use super::block::{CallFrame, FaultFrame, ThreadBlock};
use super::entry::{plat_root_return, plat_switch32, plat_switch64};
use super::interrupt::Interrupt;
use super::registers::Registers;
use super::thread::Thread;
use crate::thread::HOST_STACK_SIZE;

/// Bytes below a host stack that nothing may touch.
const GUARD: usize = 4096;
/// Words at the top of a spare stack that `plat_return64` and `plat_return32` take for those of a call of the guest.
const ROOT_WORDS: usize = 10;
/// Bytes above those words, for the end of a root call.
const ROOT_ROOM: usize = 128;

/// Where host frames of a thread lie: its first stack, or one that was made because a fiber kept another.
#[derive(Debug)]
pub(super) struct HostStack {
    /// The lowest address of the mapping; 0 for the first stack, which the thread's maker owns.
    start: usize,
    /// Where the host's stack continues when a call comes with no other below it.
    root: AtomicU64,
}

impl HostStack {
    /// Describes a thread's first stack.
    pub(super) fn first() -> Arc<Self> {
        Arc::new(Self { start: 0, root: AtomicU64::new(0) })
    }

    /// Makes a stack whose root call, when it returns, ends the root call of the thread's first stack.
    fn spare(block: *mut ThreadBlock) -> Result<Arc<Self>, crate::file_path::Errno> {
        let size = GUARD + HOST_STACK_SIZE;
        let (access, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE | MapFlags::NORESERVE);
        // SAFETY: 1. a fresh mapping at an address of the kernel's choice touches nothing that exists.
        let start = unsafe { rustix::mm::mmap_anonymous(std::ptr::null_mut(), size, access, flags)? };
        // SAFETY: 1. the page is the mapping's own, and nothing lies there yet.
        let guarded = unsafe { rustix::mm::mprotect(start, GUARD, MprotectFlags::empty()) };
        let root = start as u64 + (size - ROOT_ROOM - ROOT_WORDS * 8) as u64;
        let stack = Arc::new(Self { start: start as usize, root: AtomicU64::new(root) });
        guarded?;
        let mut words = [0; ROOT_WORDS];
        // In the order in which they are popped: the block, the call below, the stack, R15 to R12, RBX, RBP.
        (words[0], words[2], words[7]) = (block as u64, root, block as u64);
        words[9] = std::ptr::addr_of!(plat_root_return) as u64;
        // SAFETY: 1. the words lie in the mapping, which is writable there; 2. `root` is a multiple of 16.
        unsafe { (root as *mut [u64; ROOT_WORDS]).write(words) };
        Ok(stack)
    }

    fn contains(&self, address: u64) -> bool {
        let start = self.start as u64;
        start != 0 && (start..start + (GUARD + HOST_STACK_SIZE) as u64).contains(&address)
    }
}

impl Drop for HostStack {
    fn drop(&mut self) {
        if self.start != 0 {
            let start = self.start as *mut std::ffi::c_void;
            // SAFETY: 1. it was mapped by `spare`, and no thread runs on it: the running one's block has it.
            let _ = unsafe { rustix::mm::munmap(start, GUARD + HOST_STACK_SIZE) };
        }
    }
}

/// The host stacks of a thread.
#[derive(Debug)]
pub(super) struct HostStacks {
    first: Arc<HostStack>,
    spare: Vec<Arc<HostStack>>,
}

impl Default for HostStacks {
    fn default() -> Self {
        Self { first: HostStack::first(), spare: Vec::new() }
    }
}

impl HostStacks {
    /// Returns the one on which a call's frame lies.
    fn of(&self, frame: *const CallFrame) -> Arc<HostStack> {
        let found = self.spare.iter().find(|stack| stack.contains(frame as u64));
        Arc::clone(found.unwrap_or(&self.first))
    }

    /// Returns one that no fiber keeps.
    fn free(&mut self, block: *mut ThreadBlock) -> Result<Arc<HostStack>, crate::file_path::Errno> {
        let mut all = std::iter::once(&self.first).chain(&self.spare);
        if let Some(free) = all.find(|stack| Arc::strong_count(stack) == 1) {
            return Ok(Arc::clone(free));
        }
        let stack = HostStack::spare(block)?;
        self.spare.push(Arc::clone(&stack));
        Ok(stack)
    }
}

/// What a fiber keeps of the host while it is left inside a callback.
#[derive(Debug)]
struct Held {
    /// Whose frames they are.
    thread: Arc<Interrupt>,
    stack: Arc<HostStack>,
    host_rsp: u64,
    top: *mut CallFrame,
}

/// A fiber that does not run.
#[derive(Debug)]
pub struct SavedFiber {
    frame: Box<CallFrame>,
    held: Option<Held>,
    mxcsr: u32,
    x87_control: u16,
}

// SAFETY: 1. frames that are held are used by their own thread only, which `Thread::can_enter` checks.
unsafe impl Send for SavedFiber {}

/// How a fiber goes on.
#[derive(Debug)]
pub enum Entrance {
    /// For the first time, with these registers.
    Start(Box<Registers>),
    /// Where it was left, and whether with its own floating-point control words.
    Saved(Box<SavedFiber>, bool),
}

/// No host stack can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoStack;

impl Thread {
    /// Says whether a fiber can go on in this thread.
    pub fn can_enter(self, fiber: &SavedFiber) -> bool {
        let block = self.block();
        let is_own = |held: &Held| {
            let stacks = &block.stacks;
            Arc::ptr_eq(&held.thread, &block.interrupt)
                && (held.stack.start != 0 || Arc::ptr_eq(&held.stack, &stacks.first))
        };
        fiber.held.as_ref().is_none_or(is_own)
    }

    /// Saves the running fiber as the caller of the current call, which returns with `stack_bytes` of arguments removed.
    /// `None` outside of calls. [`Thread::enter_fiber`] follows at once.
    pub fn save_fiber(self, stack_bytes: u32) -> Option<Box<SavedFiber>> {
        let block = self.block();
        // SAFETY: 1. frames on the list are alive.
        let frame = unsafe { block.top.as_ref() }.filter(|frame| frame.is_fault == 0)?;
        let stack = block.stacks.of(block.top);
        if stack.start == 0 {
            stack.root.store(root_below(block.top), Ordering::Relaxed);
            block.root_rsp = root_below(block.top);
        }
        let held = (!frame.previous.is_null()).then(|| Held {
            thread: Arc::clone(&block.interrupt),
            stack,
            host_rsp: block.host_rsp,
            top: frame.previous,
        });
        let mut copy = Box::new(frame.clone());
        (copy.stack_bytes, copy.load_st0) = (stack_bytes, 0);
        Some(Box::new(SavedFiber { frame: copy, held, mxcsr: block.mxcsr, x87_control: x87_control() }))
    }

    /// Goes on as another fiber. The current call's host frames must own nothing; `left` is what
    /// [`Thread::save_fiber`] made of the running one, or `None` when that one is given up.
    ///
    /// # Errors
    /// [`NoStack`] when a second host stack is needed and the kernel has none.
    pub fn enter_fiber(
        self,
        left_is_held: bool,
        entrance: Entrance,
    ) -> Result<std::convert::Infallible, NoStack> {
        let block = self.block();
        let held = match &entrance {
            Entrance::Saved(saved, _) => saved.held.as_ref().map(|held| (held.host_rsp, held.top)),
            Entrance::Start(_) => None,
        };
        let (host_rsp, top) = match held {
            Some(held) => held,
            None => {
                let current = block.stacks.of(block.top);
                let stack = if left_is_held {
                    block.stacks.free(self.as_ptr()).map_err(|_| NoStack)?
                } else {
                    current
                };
                (stack.root.load(Ordering::Relaxed), std::ptr::null_mut())
            }
        };
        match entrance {
            Entrance::Start(registers) => {
                (block.host_rsp, block.top) = (host_rsp, top);
                self.resume(registers)
            }
            Entrance::Saved(saved, has_float) => {
                if has_float {
                    block.mxcsr = saved.mxcsr;
                    set_x87_control(saved.x87_control);
                }
                let place = (host_rsp - size_of::<CallFrame>() as u64) as *mut CallFrame;
                let mut frame = (*saved.frame).clone();
                drop(saved);
                (frame.previous, frame.thread) = (top, self.as_ptr());
                // SAFETY: 1. the place lies where the target's stack continues: below what it holds, above what this
                // function uses of the same stack, since calls begin there. 2. it is aligned as every frame is.
                unsafe { place.write(frame) };
                (block.host_rsp, block.top) = (host_rsp, place);
                let switch = if self.is_i386() { plat_switch32 } else { plat_switch64 };
                // SAFETY: 1. the frame is complete. 2. nothing on the stack below it is used afterwards.
                unsafe { switch(place) }
            }
        }
    }

    /// Returns registers with which a fresh fiber begins: `function(argument)` on a stack that ends at `stack_base`;
    /// its return ends the thread's own function.
    ///
    /// # Errors
    /// [`crate::memory::MemoryFault`] when the stack cannot be written.
    pub fn fiber_start(
        self,
        function: u64,
        argument: u64,
        stack_base: u64,
    ) -> Result<Box<Registers>, crate::memory::MemoryFault> {
        let mut registers = Registers::zeroed(self.is_i386());
        registers.rip = function;
        registers.general[4] = self.write_call(&[argument], stack_base)?;
        registers.general[1] = argument;
        Ok(registers)
    }
}

impl SavedFiber {
    /// Says whether it keeps frames of the host's.
    pub fn is_held(&self) -> bool {
        self.held.is_some()
    }
}

/// Returns where the host's stack continued before the outermost of the calls.
fn root_below(mut frame: *mut CallFrame) -> u64 {
    loop {
        // SAFETY: 1. frames on the list are alive.
        let alive = unsafe { &*frame };
        if !alive.previous.is_null() {
            frame = alive.previous;
            continue;
        }
        if alive.is_fault == 0 {
            return frame as u64 + size_of::<CallFrame>() as u64;
        }
        // SAFETY: 1. only `push_fault` marks frames, and marks those inside a `FaultFrame`.
        return unsafe { &*frame.cast::<FaultFrame>() }.host_rsp;
    }
}

/// Called by `plat_root_return`: the thread's first function has returned on a spare stack. Whoever keeps the first stack
/// loses it.
pub(crate) extern "C" fn plat_root_returned(block: &mut ThreadBlock) {
    block.stacks.first = HostStack::first();
}

fn x87_control() -> u16 {
    let mut word = 0_u16;
    // SAFETY: 1. the word is writable.
    unsafe { asm!("fnstcw word ptr [{}]", in(reg) &raw mut word, options(nostack)) };
    word
}

fn set_x87_control(word: u16) {
    // SAFETY: 1. the word is readable; host code does not use the x87 unit. Exceptions that it unmasks come to the guest.
    unsafe { asm!("fldcw word ptr [{}]", in(reg) &raw const word, options(nostack)) };
}
