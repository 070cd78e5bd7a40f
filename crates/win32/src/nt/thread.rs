//! Threads and the process as objects; which threads there are. How they start and end is in `thread_start`.
//!
//! Key types: [`ThreadObject`], [`Threads`]. Processes are in `process_object`.

use std::cell::OnceCell;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use plat_abi::Machine;
use plat_host::clock::{self, ProcessorTime};
use plat_host::file::File;
use plat_host::gate::{Interrupt, Registers};
use plat_host::thread_park::Parker;

use super::hints::Hints;
use super::mutant::Mutant;
use super::object::{Object, ObjectKind, ObjectRef};
pub use super::process_object::ProcessObject;
use super::timer::Timer;
use super::token::Token;
use super::wait::{self, Waitable};
use super::{time, tls};
use crate::NtStatus;
use crate::process::Process;
use crate::teb::Teb;

/// `STILL_ACTIVE`: the exit code of what has not ended.
pub const STILL_ACTIVE: u32 = 259;
/// The most suspensions of a thread.
const SUSPENSIONS_MAX: u32 = 127;

/// A guest function that a thread calls when it waits alertably.
#[derive(Clone, Copy, Debug)]
pub struct Apc {
    /// Its address.
    pub function: u64,
    /// Its arguments.
    pub arguments: [u64; 4],
    /// How many arguments it takes.
    pub count: usize,
}

/// A guest thread.
#[derive(Debug)]
pub struct ThreadObject {
    id: u32,
    parker: Parker,
    /// Where it stops while it is suspended.
    stop: Parker,
    suspensions: AtomicU32,
    /// Whether somebody alerted it by its identifier.
    pub alert: AtomicBool,
    /// Whether somebody alerted it by a handle.
    pub alerted: AtomicBool,
    /// Whether it waits in a way that such an alert ends.
    pub takes_alerts: AtomicBool,
    /// How it is interrupted, once it runs.
    interrupt: OnceLock<Arc<Interrupt>>,
    /// Its registers while it is held between two instructions of the guest.
    held: Mutex<Option<Box<Registers>>>,
    /// The registers that it is to go on with, if somebody set them.
    wanted: Mutex<Option<Box<Registers>>>,
    teb: AtomicU64,
    kernel_id: AtomicU32,
    has_ended: AtomicBool,
    is_terminating: AtomicBool,
    exit_code: AtomicU32,
    created: i64,
    ended: AtomicI64,
    /// What it had used when it ended.
    used: Mutex<ProcessorTime>,
    /// The priority that was asked for, -15 to 15; Linux does not let it rise.
    pub priority: AtomicI32,
    /// What it wants to stay awake: flags of `SetThreadExecutionState`.
    pub execution_state: AtomicU32,
    /// The processors it may use.
    pub affinity: AtomicU64,
    /// The address of its first function.
    pub start_address: AtomicU64,
    /// Whether it is held before it does anything for the guest.
    is_early: AtomicBool,
    /// How it begins, until it has; nothing for a thread that has no function of the guest's.
    beginning: Mutex<Option<Beginning>>,
    /// Its name, as `SetThreadDescription` gave it.
    pub description: Mutex<Vec<u16>>,
    /// What the program told about its worth.
    pub hints: Hints,
    apcs: Mutex<VecDeque<Apc>>,
    timers: Mutex<Vec<Weak<Timer>>>,
    mutants: Mutex<Vec<Weak<Mutant>>>,
    /// Its fiber-local slots.
    pub(super) fiber_slots: Mutex<Vec<u64>>,
    /// The process it belongs to, when that is another one.
    owner: OnceLock<Arc<ProcessObject>>,
    /// Where another process waits for its exit code.
    listener: Mutex<Option<File>>,
    /// Whom it impersonates.
    token: Mutex<Option<Arc<Token>>>,
}

/// The registers of a thread before its first function.
#[derive(Debug)]
struct Beginning {
    /// Those it has by itself: it is about to run that function's first instruction.
    registers: Box<Registers>,
    /// Whether somebody set them.
    is_set: bool,
}

/// The identifier of a process's first thread.
pub const FIRST_ID: u32 = 0x100;

static NEXT_ID: AtomicU32 = AtomicU32::new(FIRST_ID);

thread_local! {
    static CURRENT: OnceCell<Arc<ThreadObject>> = const { OnceCell::new() };
}

/// Returns the calling thread's record. A host thread that is no guest thread gets one of its own.
pub fn current() -> Arc<ThreadObject> {
    CURRENT.with(|cell| Arc::clone(cell.get_or_init(ThreadObject::new)))
}

/// Does something with the calling thread's record.
pub fn with_current<R>(with: impl FnOnce(&ThreadObject) -> R) -> R {
    CURRENT.with(|cell| with(cell.get_or_init(ThreadObject::new)))
}

/// Makes the calling host thread the one of this record.
pub(super) fn become_current(thread: Arc<ThreadObject>) {
    CURRENT.with(|cell| {
        let _ = cell.set(thread);
    });
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ThreadObject {
    /// Makes a record with a fresh identifier, a multiple of four as on Windows.
    pub fn new() -> Arc<Self> {
        Self::with_id(NEXT_ID.fetch_add(4, Ordering::Relaxed))
    }

    /// Makes the record of another process's thread.
    pub fn of_other(owner: Arc<ProcessObject>, id: u32) -> Arc<Self> {
        let thread = Self::with_id(id);
        let _ = thread.owner.set(owner);
        thread
    }

    /// Returns the process that it belongs to, when that is another one.
    pub fn owner(&self) -> Option<&Arc<ProcessObject>> {
        self.owner.get()
    }

    /// Returns the token with which it acts for someone, if it does.
    pub fn token(&self) -> Option<Arc<Token>> {
        locked(&self.token).clone()
    }

    /// Has it act with a token, or for itself again.
    pub fn set_token(&self, token: Option<Arc<Token>>) {
        *locked(&self.token) = token;
    }

    /// Tells its exit code to another process when it ends.
    pub(super) fn tell_end_to(&self, pipe: File) {
        *locked(&self.listener) = Some(pipe);
    }

    /// Notes the end of another process's thread; without a code, the whole process ended.
    pub(super) fn end_as_other(&self, code: Option<u32>) {
        let mut queues = wait::lock();
        if let Some(code) = code {
            self.exit_code.store(code, Ordering::Release);
            self.ended.store(time::now(), Ordering::Release);
            self.has_ended.store(true, Ordering::Release);
        }
        queues.release(self);
    }

    fn with_id(id: u32) -> Arc<Self> {
        Arc::new(Self {
            id,
            parker: Parker::default(),
            stop: Parker::default(),
            suspensions: AtomicU32::new(0),
            alert: AtomicBool::new(false),
            alerted: AtomicBool::new(false),
            takes_alerts: AtomicBool::new(false),
            interrupt: OnceLock::new(),
            held: Mutex::default(),
            wanted: Mutex::default(),
            teb: AtomicU64::new(0),
            kernel_id: AtomicU32::new(0),
            has_ended: AtomicBool::new(false),
            is_terminating: AtomicBool::new(false),
            exit_code: AtomicU32::new(STILL_ACTIVE),
            created: time::now(),
            ended: AtomicI64::new(0),
            used: Mutex::default(),
            priority: AtomicI32::new(0),
            execution_state: AtomicU32::new(0x8000_0000),
            affinity: AtomicU64::new(0),
            start_address: AtomicU64::new(0),
            is_early: AtomicBool::new(false),
            beginning: Mutex::default(),
            description: Mutex::default(),
            hints: Hints::default(),
            apcs: Mutex::default(),
            timers: Mutex::default(),
            mutants: Mutex::default(),
            fiber_slots: Mutex::default(),
            owner: OnceLock::new(),
            listener: Mutex::default(),
            token: Mutex::default(),
        })
    }

    /// Returns its identifier.
    #[inline]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Returns where it sleeps.
    #[inline]
    pub fn parker(&self) -> &Parker {
        &self.parker
    }

    /// Returns its TEB's address; 0 before it runs and after it ended.
    pub fn teb(&self) -> u64 {
        self.teb.load(Ordering::Acquire)
    }

    pub(super) fn set_teb(&self, teb: u64) {
        self.teb.store(teb, Ordering::Release);
    }

    /// Returns the kernel's identifier; 0 before it runs.
    pub fn kernel_id(&self) -> u32 {
        self.kernel_id.load(Ordering::Acquire)
    }

    pub(super) fn set_kernel_id(&self, id: u32) {
        self.kernel_id.store(id, Ordering::Release);
    }

    /// Says whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire) || self.owner().is_some_and(|owner| owner.has_ended())
    }

    /// Says whether somebody terminated it.
    pub fn is_terminating(&self) -> bool {
        self.is_terminating.load(Ordering::Acquire)
    }

    /// Returns its exit code, [`STILL_ACTIVE`] while it runs.
    pub fn exit_code(&self) -> u32 {
        match self.owner() {
            Some(owner) if !self.has_ended.load(Ordering::Acquire) => owner.exit_code(),
            _ if self.has_ended() => self.exit_code.load(Ordering::Acquire),
            _ => STILL_ACTIVE,
        }
    }

    /// Returns when it was made and when it ended (0 while it runs), as FILETIMEs.
    pub fn life(&self) -> (i64, i64) {
        (self.created, self.ended.load(Ordering::Acquire))
    }

    /// Returns the processor time it has used.
    pub fn processor_time(&self) -> ProcessorTime {
        if self.has_ended() {
            return *locked(&self.used);
        }
        if with_current(|thread| thread.id == self.id) {
            return clock::thread_time();
        }
        clock::thread_time_of(self.kernel_id()).unwrap_or_default()
    }

    /// Notes the exit code; the first counts.
    pub(super) fn set_exit_code(&self, code: u32) {
        if !self.is_terminating() {
            self.exit_code.store(code, Ordering::Release);
        }
    }

    /// Marks it for its end with an exit code, at its next wait; says whether it was not marked before.
    pub fn terminate(&self, code: u32) -> bool {
        self.exit_code.store(code, Ordering::Release);
        let is_first = !self.is_terminating.swap(true, Ordering::AcqRel);
        wait::interrupt_for_end(self);
        self.stop.unpark();
        self.interrupt();
        is_first
    }

    /// Signals that it has ended and abandons its mutexes.
    pub(super) fn end(&self) {
        *locked(&self.used) = clock::thread_time();
        self.ended.store(time::now(), Ordering::Release);
        if let Some(pipe) = locked(&self.listener).take() {
            // Who does not listen any more need not know.
            let _ = pipe.write(&self.exit_code.load(Ordering::Acquire).to_le_bytes(), None);
        }
        self.set_teb(0);
        let mut queues = wait::lock();
        self.has_ended.store(true, Ordering::Release);
        let owned = std::mem::take(&mut *locked(&self.mutants));
        for mutant in owned.iter().filter_map(Weak::upgrade) {
            mutant.abandon(&mut queues, self);
        }
        queues.release(self);
    }

    /// Stops it once more; returns how often it was stopped before. When this returns it runs no more of the guest's
    /// code; what the host does for it goes on until it would return to the guest.
    ///
    /// # Errors
    /// `SUSPEND_COUNT_EXCEEDED` after 127 times, `THREAD_IS_TERMINATING` once it ended.
    pub fn suspend(&self) -> Result<u32, NtStatus> {
        if self.has_ended() {
            return Err(NtStatus::THREAD_IS_TERMINATING);
        }
        if let Some(owner) = self.owner() {
            return owner.move_thread(self.id, false);
        }
        let more = |count: u32| (count < SUSPENSIONS_MAX).then_some(count + 1);
        let result = self.suspensions.fetch_update(Ordering::AcqRel, Ordering::Acquire, more);
        let before = result.map_err(|_| NtStatus::SUSPEND_COUNT_EXCEEDED)?;
        self.interrupt();
        Ok(before)
    }

    /// Returns how often it is suspended.
    pub fn suspensions(&self) -> u32 {
        self.suspensions.load(Ordering::Acquire)
    }

    /// Takes back one suspension; returns how many there were. With the last it goes on.
    pub fn resume(&self) -> u32 {
        let less = |count: u32| count.checked_sub(1);
        let before = self.suspensions.fetch_update(Ordering::AcqRel, Ordering::Acquire, less).unwrap_or(0);
        if before == 1 {
            self.stop.unpark();
        }
        before
    }

    /// Stops the calling thread, whose record this is, while it is suspended.
    pub(super) fn hold_while_suspended(&self) {
        while self.suspensions.load(Ordering::Acquire) > 0 && !self.is_terminating() {
            self.stop.park(None);
        }
    }

    /// Holds the calling thread, whose record this is, while it is suspended before it has done anything.
    pub(super) fn hold_early(&self) {
        loop {
            self.is_early.store(true, Ordering::SeqCst);
            self.hold_while_suspended();
            self.is_early.store(false, Ordering::SeqCst);
            // Who suspended it meanwhile has perhaps seen that it was early, and counts on that.
            if self.suspensions.load(Ordering::SeqCst) == 0 || self.is_terminating() {
                return;
            }
        }
    }

    /// Says with which registers it will begin.
    pub(super) fn will_begin(&self, registers: Box<Registers>) {
        *locked(&self.beginning) = Some(Beginning { registers, is_set: false });
    }

    /// Has it begin now; says whether it is to do so with registers that somebody has set, at its next stop.
    pub(super) fn begin(&self) -> bool {
        let set = locked(&self.beginning).take().filter(|beginning| beginning.is_set);
        let is_set = set.is_some();
        if let Some(beginning) = set {
            *locked(&self.wanted) = Some(beginning.registers);
        }
        is_set
    }

    /// Returns the registers with which it will begin, unless it has begun.
    fn at_beginning(&self) -> Option<Box<Registers>> {
        locked(&self.beginning).as_ref().map(|beginning| beginning.registers.clone())
    }

    pub(super) fn set_interrupt(&self, interrupt: Arc<Interrupt>) {
        let _ = self.interrupt.set(interrupt);
    }

    /// Makes it stop before it runs more guest code, if it is another thread than the calling one; returns the
    /// registers of the call that it is in.
    fn interrupt(&self) -> Option<Box<Registers>> {
        if with_current(|thread| thread.id == self.id) {
            return None;
        }
        let is_i386 = Process::current().is_some_and(|process| !process.machine.is_64());
        self.interrupt.get().and_then(|interrupt| interrupt.send(is_i386))
    }

    /// Holds the calling thread, whose record this is, between two instructions of the guest while it is suspended.
    /// Returns the registers to go on with and whether somebody set them.
    pub(super) fn hold_with(&self, registers: Box<Registers>) -> (Box<Registers>, bool) {
        // Registers that were set while a call was under way, and say that it goes on, leave it its result.
        if let Some(wanted) = locked(&self.wanted).as_mut()
            && (wanted.rip, wanted.rsp()) == (registers.rip, registers.rsp())
        {
            wanted.general[0] = registers.general[0];
            if registers.is_i386 {
                wanted.general[2] = registers.general[2];
            } else {
                wanted.set_xmm(0, registers.xmm(0));
            }
        }
        *locked(&self.held) = Some(registers);
        self.hold_while_suspended();
        let held = locked(&self.held).take();
        let wanted = locked(&self.wanted).take();
        let is_changed = wanted.is_some();
        let registers = wanted.or(held).unwrap_or_else(|| Registers::zeroed(false));
        (registers, is_changed)
    }

    /// Returns the registers of another thread, which should be suspended; a thread that has not begun has its start
    /// address.
    ///
    /// # Errors
    /// `THREAD_IS_TERMINATING` once it ended; `NOT_SUPPORTED` for a thread of another process.
    pub fn registers(&self) -> Result<Box<Registers>, NtStatus> {
        if self.owner().is_some() {
            return Err(NtStatus::NOT_SUPPORTED);
        }
        if self.has_ended() {
            return Err(NtStatus::THREAD_IS_TERMINATING);
        }
        /// How often to look for a thread that is on its way from the guest to its stop, once a millisecond.
        const LOOKS: u32 = 100;
        let known = || locked(&self.wanted).clone().or_else(|| locked(&self.held).clone());
        // It has not yet come to where the guest's code could be.
        let is_early = || self.interrupt.get().is_none() || self.is_early.load(Ordering::SeqCst);
        let early = || is_early().then(|| self.at_beginning()).flatten();
        let look = |again: u32| {
            if again > 0 {
                plat_host::thread::sleep(1_000_000);
            }
            known().or_else(early).or_else(|| self.interrupt())
        };
        let found = (0..LOOKS).find_map(look).or_else(|| self.at_beginning());
        Ok(found.unwrap_or_else(|| {
            let machine = Process::current().map_or(Machine::Amd64, |process| process.machine);
            let mut registers = Registers::zeroed(!machine.is_64());
            // It has no frame: its whole stack is free.
            let teb = Teb { address: self.teb(), machine };
            registers.general[4] = teb.get(Teb::STACK_BASE).map_or(0, |base| base.saturating_sub(16));
            registers
        }))
    }

    /// Sets the registers with which another thread, which should be suspended, goes on in the guest.
    pub fn set_registers(&self, registers: Box<Registers>) {
        let is_held = locked(&self.held).is_some();
        // It may have come to a stop before its beginning since somebody looked.
        let is_for = |beginning: &Beginning| !is_held || beginning.registers.rsp() == registers.rsp();
        if let Some(beginning) = locked(&self.beginning).as_mut().filter(|beginning| is_for(beginning)) {
            (beginning.registers, beginning.is_set) = (registers, true);
            return;
        }
        *locked(&self.wanted) = Some(registers);
        self.interrupt();
    }

    pub(super) fn has_apcs(&self) -> bool {
        !locked(&self.apcs).is_empty()
    }

    pub(super) fn push_apc(&self, apc: Apc) {
        locked(&self.apcs).push_back(apc);
    }

    pub(super) fn pop_apc(&self) -> Option<Apc> {
        locked(&self.apcs).pop_front()
    }

    pub(super) fn add_timer(&self, timer: Weak<Timer>) {
        let mut timers = locked(&self.timers);
        timers.retain(|other| other.strong_count() > 0 && !other.ptr_eq(&timer));
        timers.push(timer);
    }

    /// Returns when the first of its timers with a call is due, for a wait in which calls are made.
    pub(super) fn timers_due(&self, is_alertable: bool) -> Option<u64> {
        if !is_alertable {
            return None;
        }
        let timers: Vec<Arc<Timer>> = locked(&self.timers).iter().filter_map(Weak::upgrade).collect();
        timers.iter().filter_map(|timer| timer.advance()).min()
    }

    pub(super) fn own_mutant(&self, mutant: Weak<Mutant>) {
        locked(&self.mutants).push(mutant);
    }

    pub(super) fn forget_mutant(&self, mutant: &Weak<Mutant>) {
        locked(&self.mutants).retain(|other| !other.ptr_eq(mutant));
    }
}

impl Object for ThreadObject {
    fn kind(&self) -> ObjectKind {
        ObjectKind::Thread
    }
    fn waitable(&self) -> Option<&dyn Waitable> {
        Some(self)
    }
}

impl Waitable for ThreadObject {
    fn is_signalled(&self, _: &ThreadObject) -> bool {
        self.has_ended()
    }
}

/// The threads of the process, and their thread-local slots.
#[derive(Default)]
pub struct Threads {
    all: Mutex<HashMap<u32, Arc<ThreadObject>>>,
    /// How many have not begun to end.
    pub(super) live: AtomicU32,
    this_process: OnceLock<Arc<ProcessObject>>,
    /// Thread-local slots.
    pub slots: tls::Slots,
    /// Fiber-local slots.
    pub fiber_slots: tls::FiberSlots,
}

impl Threads {
    pub(super) fn add(&self, thread: &Arc<ThreadObject>) {
        self.live.fetch_add(1, Ordering::AcqRel);
        locked(&self.all).insert(thread.id(), Arc::clone(thread));
    }

    pub(super) fn remove(&self, thread: &ThreadObject) {
        locked(&self.all).remove(&thread.id());
    }

    /// Returns the running thread of this identifier.
    pub fn find(&self, id: u32) -> Option<Arc<ThreadObject>> {
        locked(&self.all).get(&id).cloned()
    }

    /// Returns all running threads.
    pub fn all(&self) -> Vec<Arc<ThreadObject>> {
        locked(&self.all).values().cloned().collect()
    }

    /// Returns this process as an object.
    pub fn this_process(&self) -> Arc<ProcessObject> {
        let make = || ProcessObject::this(plat_host::sysinfo::process_id());
        Arc::clone(self.this_process.get_or_init(make))
    }
}

impl Process {
    /// Returns a handle's object; knows the pseudo handles of the process (-1) and the calling thread (-2).
    ///
    /// # Errors
    /// `INVALID_HANDLE` when it stands for nothing.
    pub fn object(&self, handle: u64) -> Result<ObjectRef, NtStatus> {
        match self.signed_handle(handle) {
            -1 => Ok(self.threads.this_process()),
            -2 => Ok(current()),
            _ => Ok(self.handles.entry(handle)?.object),
        }
    }

    /// Returns a handle's object as its own type; knows the pseudo handles.
    ///
    /// # Errors
    /// `INVALID_HANDLE` when it stands for nothing, `OBJECT_TYPE_MISMATCH` when for another kind.
    pub fn object_as<T: Object>(&self, handle: u64) -> Result<Arc<T>, NtStatus> {
        super::object::downcast(self.object(handle)?).ok_or(NtStatus::OBJECT_TYPE_MISMATCH)
    }

    /// Handles of a 32-bit guest arrive without their sign.
    fn signed_handle(&self, handle: u64) -> i64 {
        if self.machine.is_64() { handle as i64 } else { i64::from(handle as u32 as i32) }
    }
}

impl ThreadObject {
    /// Returns the exit code that it will have.
    pub(super) fn exit_code_at_end(&self) -> u32 {
        self.exit_code.load(Ordering::Acquire)
    }

    /// Signals it, since the process ends, and keeps it from going on after its next wait.
    pub(super) fn stop_for_exit(&self, code: u32) {
        self.suspensions.store(SUSPENSIONS_MAX, Ordering::Release);
        self.interrupt();
        self.set_exit_code(code);
        let mut queues = wait::lock();
        self.has_ended.store(true, Ordering::Release);
        queues.release(self);
    }
}

impl ThreadObject {
    /// Stops the calling thread if it is this one and was suspended.
    pub fn stop_if_current(&self) {
        if with_current(|thread| thread.id == self.id) {
            self.hold_while_suspended();
        }
    }

    /// Returns its name.
    pub fn description(&self) -> Vec<u16> {
        locked(&self.description).clone()
    }

    /// Sets its name.
    pub fn describe(&self, name: Vec<u16>) {
        if with_current(|thread| thread.id == self.id) {
            plat_host::thread::set_name(&String::from_utf16_lossy(&name));
        }
        *locked(&self.description) = name;
    }
}
