//! How guest threads begin and end: TEB, attach, first function, detach, signal, release.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use plat_abi::{Fault, Machine, Memory};
use plat_host::gate::Registers;
use plat_host::{gate, memory, thread as host_thread};

use super::memory::Stack;
use super::thread::{self, ThreadObject};
use crate::NtStatus;
use crate::guest::{Guest, GuestMemory};
use crate::process::Process;
use crate::teb::{Field, Peb, Teb};

/// Bytes left free at the base of a thread's stack, as Windows leaves some for its own first frames.
const STACK_HEADROOM: u64 = 0x80;
/// `FiberData` of a thread that is no fiber: the version of the structure.
const NO_FIBER: u64 = 0x1e00;

/// What a new thread is to do.
#[derive(Clone, Copy, Debug, Default)]
pub struct ThreadPlan {
    /// Address of its function.
    pub start: u64,
    /// The function's argument.
    pub parameter: u64,
    /// Bytes of stack to reserve; 0 for the program's default.
    pub stack_reserve: u64,
    /// Bytes of stack to commit; 0 for the program's default.
    pub stack_commit: u64,
    /// Whether it waits for `ResumeThread` before it begins.
    pub is_suspended: bool,
}

/// Makes a thread of this process.
///
/// # Errors
/// `NO_MEMORY` without room for its stack or TEB, `INSUFFICIENT_RESOURCES` when Linux starts no more threads.
pub fn create(process: &'static Process, plan: ThreadPlan) -> Result<Arc<ThreadObject>, NtStatus> {
    create_with(process, plan, move |guest| {
        guest.process().loader().attach_thread(guest);
        if super::wait::make_early_calls(guest).is_err() {
            return NtStatus::ACCESS_VIOLATION.0;
        }
        if thread::with_current(ThreadObject::begin) {
            guest.gate().stop_soon();
        }
        match guest.call(plan.start, &[plan.parameter]) {
            Ok(code) => code as u32,
            Err(fault) => guest.raise_fault(fault),
        }
    })
}

/// Makes a thread of this process that runs `body`, whose result is its exit code; `plan` has stack and suspension.
///
/// # Errors
/// As for [`create`].
pub fn create_with(
    process: &'static Process,
    plan: ThreadPlan,
    body: impl FnOnce(&mut Guest) -> u32 + Send + 'static,
) -> Result<Arc<ThreadObject>, NtStatus> {
    let thread = ThreadObject::new();
    let owner = format!("thread {:#x}", thread.id());
    let stack = process.memory.allocate_stack(plan.stack_reserve, plan.stack_commit, &owner)?;
    let teb = match process.memory.allocate_teb() {
        Ok(teb) => teb,
        Err(status) => {
            process.memory.release(stack.allocation_base);
            return Err(status);
        }
    };
    thread.set_teb(teb);
    thread.start_address.store(plan.start, Ordering::Relaxed);
    if plan.start != 0 {
        thread.will_begin(first_registers(process.machine, plan, stack.base));
    }
    if plan.is_suspended {
        thread.suspend()?;
    }
    process.threads.add(&thread);
    tell_of_threads(process);
    let own = Arc::clone(&thread);
    let started = host_thread::spawn(move || run_guest_thread(process, own, stack, teb, body));
    if started.is_err() {
        process.threads.live.fetch_sub(1, Ordering::AcqRel);
        process.threads.remove(&thread);
        process.memory.release(stack.allocation_base);
        process.memory.release(teb);
        return Err(NtStatus::INSUFFICIENT_RESOURCES);
    }
    Ok(thread)
}

/// Returns the registers with which a thread's first function begins.
fn first_registers(machine: Machine, plan: ThreadPlan, stack_base: u64) -> Box<Registers> {
    let is_i386 = !machine.is_64();
    let mut registers = Registers::zeroed(is_i386);
    registers.rip = plan.start;
    registers.general[4] = gate::Thread::stack_of_call(is_i386, 1, stack_base - STACK_HEADROOM);
    if !is_i386 {
        registers.general[1] = plan.parameter;
    }
    registers
}

/// Notes in the PEB that there is more than one thread: guest code without locks (`msvcrt::stream_leaves`) stops there.
pub fn tell_of_threads(process: &Process) {
    if let Some(peb) = process.peb.get() {
        let place = peb + Peb::THREADS.offset(process.machine);
        // The PEB is there as long as the process; were it not, then there would be no guest code that looks.
        let _ = GuestMemory::of(process.machine).write(place, &1_u32);
    }
}

/// Turns the calling host thread into the process's first guest thread: sets up its TEB, runs `body` (which calls the
/// program, and whose result is the thread's exit code), ends the thread. The last thread's end is the process's.
pub fn start_main(
    process: &'static Process,
    stack: Stack,
    teb: u64,
    body: impl FnOnce(&mut Guest) -> u32,
) -> ! {
    let thread = ThreadObject::new();
    thread.set_teb(teb);
    process.threads.add(&thread);
    run_guest_thread(process, Arc::clone(&thread), stack, teb, body);
    // Other threads go on, and this is the host's main thread, which must not return.
    loop {
        thread.parker().park(None);
    }
}

/// Runs a guest thread on the calling host thread, from its TEB to its end.
pub fn run_guest_thread(
    process: &'static Process,
    thread: Arc<ThreadObject>,
    stack: Stack,
    teb: u64,
    body: impl FnOnce(&mut Guest) -> u32,
) {
    thread.set_kernel_id(host_thread::kernel_id());
    let affinity = thread.affinity.load(Ordering::Relaxed);
    if affinity != 0 {
        plat_host::sysinfo::set_thread_affinity(thread.kernel_id(), affinity);
    }
    thread::become_current(Arc::clone(&thread));
    let trampoline = process.trampoline.get().copied();
    let entered = gate::Thread::enter(teb, trampoline, |gate| {
        gate.set_initial_stack(stack.base - STACK_HEADROOM);
        thread.set_interrupt(gate.interrupt());
        let mut guest = Guest::of_thread(process, gate);
        if initialize_teb(&guest, stack, thread.id()).is_err() {
            return;
        }
        thread.hold_early();
        if !thread.is_terminating() {
            let code = body(&mut guest);
            end_current(&mut guest, code);
        }
        leave_terminated(&mut guest);
    });
    if entered.is_err() {
        thread.set_exit_code(NtStatus::ACCESS_VIOLATION.0);
    }
    thread.end();
    process.desktop.end_thread(thread.id());
    process.threads.remove(&thread);
    let own = super::fiber::stack_at_end(
        process,
        Teb { address: teb, machine: process.machine },
        stack.allocation_base,
    );
    process.memory.release(own);
    super::thread_cache::release(process, Teb { address: teb, machine: process.machine });
    process.memory.release(teb);
}

/// Fills a fresh, zeroed TEB.
///
/// # Errors
/// [`Fault`] when it cannot be written.
pub fn initialize_teb(guest: &Guest, stack: Stack, thread_id: u32) -> Result<(), Fault> {
    let process = guest.process();
    let teb = guest.teb();
    let end_of_list = if process.machine.is_64() { 0 } else { u64::from(u32::MAX) };
    teb.set(Teb::EXCEPTION_LIST, end_of_list)?;
    teb.set(Teb::STACK_BASE, stack.base)?;
    teb.set(Teb::STACK_LIMIT, stack.limit)?;
    teb.set(Teb::DEALLOCATION_STACK, stack.allocation_base)?;
    teb.set(Teb::FIBER_DATA, NO_FIBER)?;
    teb.set(Teb::SELF, teb.address)?;
    teb.set(Teb::PROCESS_ID, u64::from(process.threads.this_process().id()))?;
    teb.set(Teb::THREAD_ID, u64::from(thread_id))?;
    teb.set(Teb::PEB, process.peb.get().copied().unwrap_or(0))?;
    let locale = teb.address + Teb::CURRENT_LOCALE.offset(process.machine);
    memory::write_u32(locale, super::nls::user_locale().number).map_err(crate::guest::to_fault)?;
    static_string(process.machine, teb)
}

/// `StaticUnicodeString`: a string buffer in the TEB that the A functions use.
fn static_string(machine: Machine, teb: Teb) -> Result<(), Fault> {
    const STRING: Field = Field { i386: 0xbf8, amd64: 0x1258 };
    const BUFFER: Field = Field { i386: 0xc00, amd64: 0x1268 };
    const MAXIMUM_LENGTH: u16 = 261 * 2;
    let memory = GuestMemory::of(machine);
    let string = teb.address + STRING.offset(machine);
    memory.write_bytes(string + 2, &MAXIMUM_LENGTH.to_le_bytes())?;
    memory.write_word(string + machine.pointer_size(), teb.address + BUFFER.offset(machine))
}

/// Marks the calling thread as suspended once, if a parent wants it so.
pub fn suspend_first_thread(is_suspended: bool) {
    if is_suspended {
        // A thread that runs can be suspended.
        let _ = thread::current().suspend();
    }
}

/// Stops the first thread of a process that was made suspended, until somebody resumes it.
pub fn hold_first_thread(guest: &mut Guest) {
    let thread = thread::current();
    thread.hold_while_suspended();
    if thread.is_terminating() {
        drop(thread);
        leave_terminated(guest);
    }
}

/// Ends the calling thread with an exit code: callbacks of fiber-local slots, `DllMain`, then out of the guest. The
/// last thread ends the process. Hold nothing: host frames of the thread are given up.
pub fn end_current(guest: &mut Guest, code: u32) -> ! {
    let process = guest.process();
    thread::with_current(|thread| thread.set_exit_code(code));
    process.threads.fiber_slots.end_thread(guest);
    if process.threads.live.fetch_sub(1, Ordering::AcqRel) == 1 {
        crate::kernel32::process::exit_process(guest, code);
    }
    process.loader().detach_thread(guest);
    crate::msvcrt::detach_thread(guest);
    guest.gate().leave()
}

/// Takes the calling thread out of the guest because it was terminated: nothing of the guest's is called.
pub(crate) fn leave_terminated(guest: &mut Guest) -> ! {
    let process = guest.process();
    if process.threads.live.fetch_sub(1, Ordering::AcqRel) == 1 {
        let code = thread::current().exit_code_at_end();
        super::process_object::leave(code);
    }
    guest.gate().leave()
}

/// Holds the calling thread, which another one interrupted, while it is suspended, and ends it when it was terminated.
/// Returns the registers to go on with and whether somebody set them.
pub(crate) fn stop(guest: &mut Guest, registers: Box<Registers>) -> (Box<Registers>, bool) {
    let (registers, is_terminating) = thread::with_current(|thread| {
        let registers = thread.hold_with(registers);
        (registers, thread.is_terminating())
    });
    if is_terminating {
        drop(registers);
        leave_terminated(guest);
    }
    registers
}

/// Prepares the end of the process: all other threads run no more guest code, and count as ended for those who wait for
/// them. The caller then detaches the modules and ends the host's process.
pub fn begin_process_exit(process: &'static Process, code: u32) {
    let own = thread::with_current(ThreadObject::id);
    for thread in process.threads.all() {
        if thread.id() != own {
            thread.stop_for_exit(code);
        }
    }
}
