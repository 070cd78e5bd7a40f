//! Mutexes, condition variables and threads of the standard library: what `std::mutex` and its likes call.
//!
//! A mutex is the program's memory: its kind, a slim lock, the owner, how often it is locked. Newer programs make one of zeros
//! and the kind by themselves, so zeros are an unlocked mutex. The same holds for condition variables.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/mutex>; size and first field as in the public headers of
//! Microsoft's C++ library.

use std::cell::RefCell;

use plat_abi::{Fault, GuestWord, Machine, Memory};

use super::errors::result::{BUSY, ERROR, SUCCESS, TIMED_OUT};
use super::members::{functions, plain};
use crate::guest::Guest;
use crate::kernel32::synchapi::sleep_on_condition;
use crate::msvcrt::state::allocate;
use crate::nt::slim_lock::SlimLock;
use crate::nt::time;
use crate::nt::wait_address;

/// The bit of a mutex's kind that lets its owner lock it again.
const RECURSIVE: u32 = 0x100;

/// Wait for ever.
const INFINITE: u32 = u32::MAX;

/// Hundreds of nanoseconds from 1601 to 1970.
const EPOCH: i64 = 116_444_736_000_000_000;

/// A mutex of the program's.
#[derive(Clone, Copy, Debug)]
struct Mutex {
    at: u64,
    is_64: bool,
}

impl Mutex {
    fn new(guest: &Guest, at: u64) -> Self {
        Self { at, is_64: guest.machine().is_64() }
    }

    fn size(machine: Machine) -> u64 {
        if machine.is_64() { 80 } else { 48 }
    }

    fn lock_word(self) -> SlimLock {
        SlimLock(self.at + if self.is_64 { 16 } else { 8 })
    }

    fn owner_at(self) -> u64 {
        self.at + if self.is_64 { 72 } else { 40 }
    }

    fn count_at(self) -> u64 {
        self.owner_at() + 4
    }

    fn count(self, guest: &Guest) -> Result<u32, Fault> {
        guest.read_u32(self.count_at())
    }

    fn is_owned(self, guest: &Guest, thread: u32) -> Result<bool, Fault> {
        Ok(self.count(guest)? != 0 && guest.read_u32(self.owner_at())? == thread)
    }

    fn set(self, guest: &Guest, owner: u32, count: u32) -> Result<(), Fault> {
        guest.write(self.owner_at(), &[owner, count])
    }

    /// Locks it, or says that it is busy.
    fn enter(self, guest: &Guest, waits: bool) -> Result<i32, Fault> {
        let thread = thread_id(guest)?;
        if self.is_owned(guest, thread)? {
            if guest.read_u32(self.at)? & RECURSIVE == 0 {
                return Ok(BUSY);
            }
            let count = self.count(guest)?;
            self.set(guest, thread, count + 1)?;
            return Ok(SUCCESS);
        }
        if waits {
            self.lock_word().acquire_exclusive()?;
        } else if !self.lock_word().try_exclusive()? {
            return Ok(BUSY);
        }
        self.set(guest, thread, 1)?;
        Ok(SUCCESS)
    }

    fn leave(self, guest: &Guest) -> Result<i32, Fault> {
        match self.count(guest)? {
            0 => return Ok(ERROR),
            1 => {
                self.set(guest, u32::MAX, 0)?;
                self.lock_word().release_exclusive()?;
            }
            count => guest.write(self.count_at(), &(count - 1))?,
        }
        Ok(SUCCESS)
    }
}

fn thread_id(guest: &Guest) -> Result<u32, Fault> {
    guest.teb().get(crate::teb::Teb::THREAD_ID).map(|id| id as u32)
}

/// Where threads sleep for a condition variable: behind its first word.
fn sleepers(guest: &Guest, condition: GuestWord) -> GuestWord {
    GuestWord(condition.0 + guest.machine().pointer_size())
}

/// Sleeps for a condition variable, its mutex unlocked meanwhile; says whether it was woken.
fn wait(guest: &Guest, condition: GuestWord, mutex: GuestWord, milliseconds: u32) -> Result<bool, Fault> {
    let mutex = Mutex::new(guest, mutex.0);
    let (owner, count) = (thread_id(guest)?, mutex.count(guest)?);
    mutex.set(guest, u32::MAX, 0)?;
    let lock = mutex.lock_word();
    let place = sleepers(guest, condition);
    let woken =
        sleep_on_condition(place, milliseconds, || lock.release_exclusive(), || lock.acquire_exclusive());
    mutex.set(guest, owner, count)?;
    Ok(woken.is_ok())
}

/// Returns how many milliseconds there are until an `xtime`: seconds and nanoseconds since 1970.
fn until(guest: &Guest, at: GuestWord) -> Result<u32, Fault> {
    let (seconds, nanoseconds): (i64, i32) = (guest.read(at.0)?, guest.read(at.0 + 8)?);
    let due = seconds.saturating_mul(10_000_000).saturating_add(i64::from(nanoseconds) / 100);
    let left = due.saturating_sub(time::now() - EPOCH).max(0);
    Ok(u32::try_from(left / 10_000 + i64::from(left % 10_000 != 0)).unwrap_or(INFINITE - 1))
}

/// What shall happen when a thread ends: wake those who wait for a condition variable, a flag set, the mutex unlocked.
#[derive(Clone, Copy, Debug)]
struct AtExit {
    condition: GuestWord,
    mutex: GuestWord,
    flag: GuestWord,
}

thread_local! {
    static AT_EXIT: RefCell<Vec<AtExit>> = const { RefCell::new(Vec::new()) };
}

plain! { EXPORTS, "thread-class";
    "Makes a mutex in memory of the program's."; _Mtx_init_in_situ(guest, mtx: GuestWord, kind: i32) -> () {
        guest.write_bytes(mtx.0, &vec![0; Mutex::size(guest.machine()) as usize])?;
        guest.write(mtx.0, &kind)
    }

    "Makes a mutex."; _Mtx_init(guest, mtx: GuestWord, kind: i32) -> i32 {
        let Some(at) = allocate(guest, Mutex::size(guest.machine())) else { return Ok(1) };
        _Mtx_init_in_situ(guest, GuestWord(at), kind)?;
        guest.write_word(mtx.0, at)?;
        Ok(SUCCESS)
    }

    "Ends a mutex."; _Mtx_destroy_in_situ(guest, mtx: GuestWord) -> () {
        let _ = (guest, mtx);
        Ok(())
    }

    "Ends a mutex and gives its memory back."; _Mtx_destroy(guest, mtx: GuestWord) -> () {
        guest.process().heaps.free(0, mtx.0);
        Ok(())
    }

    "Locks a mutex."; _Mtx_lock(guest, mtx: GuestWord) -> i32 { Mutex::new(guest, mtx.0).enter(guest, true) }

    "Locks a mutex if that is possible at once."; _Mtx_trylock(guest, mtx: GuestWord) -> i32 {
        Mutex::new(guest, mtx.0).enter(guest, false)
    }

    "Locks a mutex before a time."; _Mtx_timedlock(guest, mtx: GuestWord, xt: GuestWord) -> i32 {
        let mutex = Mutex::new(guest, mtx.0);
        loop {
            match mutex.enter(guest, false)? {
                BUSY if until(guest, xt)? == 0 => return Ok(TIMED_OUT),
                BUSY => { crate::kernel32::processthreadsapi::SwitchToThread(guest); }
                done => return Ok(done),
            }
        }
    }

    "Unlocks a mutex."; _Mtx_unlock(guest, mtx: GuestWord) -> i32 { Mutex::new(guest, mtx.0).leave(guest) }

    "Says whether the calling thread has a mutex locked."; _Mtx_current_owns(guest, mtx: GuestWord) -> i32 {
        let thread = thread_id(guest)?;
        Mutex::new(guest, mtx.0).is_owned(guest, thread).map(i32::from)
    }

    "Returns the lock inside a mutex."; _Mtx_getconcrtcs(guest, mtx: GuestWord) -> GuestWord {
        Ok(GuestWord(Mutex::new(guest, mtx.0).lock_word().0))
    }

    "Says that the calling thread has a mutex locked."; _Mtx_reset_owner(guest, mtx: GuestWord) -> () {
        let owner = thread_id(guest)?;
        Mutex::new(guest, mtx.0).set(guest, owner, 1)
    }

    "Says that no thread has a mutex locked."; _Mtx_clear_owner(guest, mtx: GuestWord) -> () {
        Mutex::new(guest, mtx.0).set(guest, u32::MAX, 0)
    }

    "Makes a condition variable in memory of the program's."; _Cnd_init_in_situ(guest, cnd: GuestWord) -> () {
        let word = guest.machine().pointer_size();
        guest.write_bytes(cnd.0, &vec![0; 2 * word as usize])
    }

    "Makes a condition variable."; _Cnd_init(guest, cnd: GuestWord) -> i32 {
        let Some(at) = allocate(guest, 72) else { return Ok(1) };
        _Cnd_init_in_situ(guest, GuestWord(at))?;
        guest.write_word(cnd.0, at)?;
        Ok(SUCCESS)
    }

    "Ends a condition variable."; _Cnd_destroy_in_situ(guest, cnd: GuestWord) -> () {
        let _ = (guest, cnd);
        Ok(())
    }

    "Ends a condition variable and gives its memory back."; _Cnd_destroy(guest, cnd: GuestWord) -> () {
        guest.process().heaps.free(0, cnd.0);
        Ok(())
    }

    "Waits for a condition variable."; _Cnd_wait(guest, cnd: GuestWord, mtx: GuestWord) -> i32 {
        wait(guest, cnd, mtx, INFINITE)?;
        Ok(SUCCESS)
    }

    "Waits for a condition variable until a time."; _Cnd_timedwait(guest, cnd: GuestWord, mtx: GuestWord, xt: GuestWord) -> i32 {
        let milliseconds = until(guest, xt)?;
        let woken = wait(guest, cnd, mtx, milliseconds)?;
        Ok(if woken { SUCCESS } else { TIMED_OUT })
    }

    "Wakes one thread that waits for a condition variable."; _Cnd_signal(guest, cnd: GuestWord) -> i32 {
        wait_address::wake(sleepers(guest, cnd).0, 1);
        Ok(SUCCESS)
    }

    "Wakes all threads that wait for a condition variable."; _Cnd_broadcast(guest, cnd: GuestWord) -> i32 {
        wait_address::wake(sleepers(guest, cnd).0, usize::MAX);
        Ok(SUCCESS)
    }

    "Remembers what to wake when the calling thread ends.";
    _Cnd_register_at_thread_exit(guest, cnd: GuestWord, mtx: GuestWord, p: GuestWord) -> () {
        let _ = guest;
        AT_EXIT.with_borrow_mut(|list| list.push(AtExit { condition: cnd, mutex: mtx, flag: p }));
        Ok(())
    }

    "Forgets what was to be woken with a mutex."; _Cnd_unregister_at_thread_exit(guest, mtx: GuestWord) -> () {
        let _ = guest;
        AT_EXIT.with_borrow_mut(|list| list.retain(|entry| entry.mutex != mtx));
        Ok(())
    }

    "Wakes what was to be woken when the calling thread ends."; _Cnd_do_broadcast_at_thread_exit(guest) -> () {
        for entry in AT_EXIT.take() {
            if !entry.flag.is_null() {
                guest.write(entry.flag.0, &1_u32)?;
            }
            Mutex::new(guest, entry.mutex.0).leave(guest)?;
            wait_address::wake(sleepers(guest, entry.condition).0, usize::MAX);
        }
        Ok(())
    }

    "Returns the calling thread's number."; _Thrd_id(guest) -> u32 { thread_id(guest) }

    "Returns the number of processors."; _Thrd_hardware_concurrency(guest) -> u32 {
        Ok(crate::nt::sysinfo::processors(guest.machine()).count_ones())
    }

    "Lets other threads run."; _Thrd_yield(guest) -> () {
        crate::kernel32::processthreadsapi::SwitchToThread(guest);
        Ok(())
    }

    "Sleeps until a time."; _Thrd_sleep(guest, xt: GuestWord) -> () {
        let milliseconds = until(guest, xt)?;
        crate::kernel32::synchapi::Sleep(guest, milliseconds);
        Ok(())
    }

    "Says whether two numbers are of one thread."; _Thrd_equal(guest, one: u32, other: u32) -> i32 {
        let _ = guest;
        Ok(i32::from(one == other))
    }

    "Waits until a thread has ended; in 64-bit programs the first argument is the address of its handle and number.";
    _Thrd_join(guest, first: GuestWord, second: GuestWord, third: GuestWord) -> i32 {
        let (handle, code) = thread_arguments(guest, first, second, third)?;
        let handle = GuestWord(handle);
        if crate::kernel32::synchapi::WaitForSingleObject(guest, handle, INFINITE).is_err() {
            return Ok(ERROR);
        }
        if !code.is_null() && crate::kernel32::processthreadsapi::GetExitCodeThread(guest, handle, code).is_err() {
            return Ok(ERROR);
        }
        let closed = crate::kernel32::handleapi::CloseHandle(guest, handle);
        Ok(if closed.is_ok() { SUCCESS } else { ERROR })
    }

    "Gives a thread's handle back; arguments as of `_Thrd_join`.";
    _Thrd_detach(guest, first: GuestWord, second: GuestWord) -> i32 {
        let (handle, _) = thread_arguments(guest, first, second, GuestWord::NULL)?;
        let closed = crate::kernel32::handleapi::CloseHandle(guest, GuestWord(handle));
        Ok(if closed.is_ok() { SUCCESS } else { ERROR })
    }

    "Locks a shared mutex for one thread."; _Smtx_lock_exclusive(guest, smtx: GuestWord) -> () {
        let _ = guest;
        SlimLock(smtx.0).acquire_exclusive()
    }

    "Locks a shared mutex for readers."; _Smtx_lock_shared(guest, smtx: GuestWord) -> () {
        let _ = guest;
        SlimLock(smtx.0).acquire_shared()
    }

    "Locks a shared mutex for one thread if that is possible at once."; _Smtx_try_lock_exclusive(guest, smtx: GuestWord) -> i32 {
        let _ = guest;
        SlimLock(smtx.0).try_exclusive().map(i32::from)
    }

    "Locks a shared mutex for readers if that is possible at once."; _Smtx_try_lock_shared(guest, smtx: GuestWord) -> i32 {
        let _ = guest;
        SlimLock(smtx.0).try_shared().map(i32::from)
    }

    "Unlocks a shared mutex."; _Smtx_unlock_exclusive(guest, smtx: GuestWord) -> () {
        let _ = guest;
        SlimLock(smtx.0).release_exclusive()
    }

    "Unlocks a shared mutex for a reader."; _Smtx_unlock_shared(guest, smtx: GuestWord) -> () {
        let _ = guest;
        SlimLock(smtx.0).release_shared()
    }
}

plain! { CLOCKS, "chrono";
    "Returns the time since 1970 in hundreds of nanoseconds."; _Xtime_get_ticks(guest) -> i64 {
        let _ = guest;
        Ok(time::now() - EPOCH)
    }

    "Stores the time since 1970: seconds and nanoseconds."; xtime_get(guest, xt: GuestWord, kind: i32) -> i32 {
        let ticks = time::now() - EPOCH;
        guest.write(xt.0, &(ticks / 10_000_000))?;
        guest.write(xt.0 + 8, &((ticks % 10_000_000 * 100) as i32))?;
        Ok(kind)
    }

    "Returns the performance counter."; _Query_perf_counter(guest) -> i64 {
        let _ = guest;
        Ok(time::performance_counter())
    }

    "Returns how often per second the performance counter grows."; _Query_perf_frequency(guest) -> i64 {
        let _ = guest;
        Ok(time::PERFORMANCE_FREQUENCY)
    }
}

functions! { ONCE, "mutex";
    "Calls a function once, and lets others wait until it is done.", "?_Execute_once@std@@YAHA*AUonce_flag@1@P6!HP*AX1P*AP*AX@Z1@Z";
    execute_once(guest, flag: GuestWord, callback: GuestWord, parameter: GuestWord) -> i32 {
        let done = crate::kernel32::synchapi::InitOnceExecuteOnce(guest, flag, callback, parameter, GuestWord::NULL);
        Ok(i32::from(done.is_ok_and(|done| done.0)))
    }
}

/// Takes a thread's handle, and the argument behind the thread, from what a call has.
fn thread_arguments(
    guest: &Guest,
    first: GuestWord,
    second: GuestWord,
    third: GuestWord,
) -> Result<(u64, GuestWord), Fault> {
    if guest.machine().is_64() { Ok((guest.read_word(first.0)?, second)) } else { Ok((first.0, third)) }
}

/// Locks or unlocks what the library itself locks, as often as a thread likes.
///
/// # Errors
/// [`Fault`] when the lock's memory is not there.
pub(super) fn lock_library(guest: &Guest, enters: bool) -> Result<(), Fault> {
    let mutex = Mutex::new(guest, super::tables::table(guest, "__plat_library_lock"));
    if enters { mutex.enter(guest, true).map(drop) } else { mutex.leave(guest).map(drop) }
}
