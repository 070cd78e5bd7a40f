//! What tasks of the Parallel Patterns Library need: chores for the thread pool, contexts of callbacks.
//!
//! A chore is three words of the program's: the pool's work, the function, its argument. Contexts are those of the Windows
//! Runtime's apartments: there are none, so callbacks are called where they are.
//!
//! Source: <https://learn.microsoft.com/cpp/parallel/concrt/task-parallelism-concurrency-runtime>; fields as the public header
//! `ppltasks.h` has them.

use std::sync::atomic::{AtomicU32, Ordering};

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::members::{functions, members, named};
use super::object::{Words, virtual_method};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::kernel32::threadpoolapi::CreateThreadpoolWork;
use crate::msvcrt::system::exported;
use crate::ntdll::threadpool::{TpPostWork, TpReleaseWork};

/// The function that the pool calls.
pub const HELPERS: &[Export] = dll! { full "__plat_chore" = chore; };

/// Calls a chore's function.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-createthreadpoolwork>
#[winapi]
pub fn chore(
    guest: &mut Guest,
    instance: GuestWord,
    context: GuestWord,
    work: GuestWord,
) -> Result<(), Fault> {
    let _ = (instance, work);
    let word = guest.machine().pointer_size();
    let function = guest.read_word(context.0 + word)?;
    let argument = guest.read_word(context.0 + 2 * word)?;
    guest.call(function, &[argument]).map(drop)
}

functions! { EXPORTS, "../parallel/concrt/reference/concurrency-namespace-functions";
    "Has the thread pool do a chore; 0, or an error.", "?_Schedule_chore@details@Concurrency@@YAHP*AU_Threadpool_chore@12@@Z";
    schedule(guest, chore: GuestWord) -> u32 {
        if guest.read_word(chore.0)? == 0 {
            let function = GuestWord(exported(guest, "msvcp140.dll", "__plat_chore")?);
            match CreateThreadpoolWork(guest, function, chore, GuestWord::NULL) {
                Ok(work) => guest.write_word(chore.0, work.0)?,
                Err(error) => return Ok(error.0),
            }
        }
        reschedule(guest, chore)
    }

    "Has the thread pool do a chore again.", "?_Reschedule_chore@details@Concurrency@@YAHP*BU_Threadpool_chore@12@@Z";
    reschedule(guest, chore: GuestWord) -> u32 {
        TpPostWork(guest, GuestWord(guest.read_word(chore.0)?));
        Ok(0)
    }

    "Gives a chore's work back.", "?_Release_chore@details@Concurrency@@YAXP*AU_Threadpool_chore@12@@Z";
    release(guest, chore: GuestWord) -> () {
        let work = GuestWord(guest.read_word(chore.0)?);
        if !work.is_null() {
            TpReleaseWork(guest, work);
            guest.write_word(chore.0, 0)?;
        }
        Ok(())
    }

    "Notes no calls.", "?CaptureCallstack@platform@details@Concurrency@@YA~P*AP*AX~1@Z";
    capture_callstack(guest, frames: GuestWord, skipped: GuestWord, most: GuestWord) -> GuestWord {
        let _ = (guest, frames, skipped, most);
        Ok(GuestWord(0))
    }
}

named! { NAMED, "../parallel/concrt/reference/concurrency-namespace-functions";
    "Returns the calling thread's number.", "?GetCurrentThreadId@platform@details@Concurrency@@YAJXZ";
    thread_number(guest) -> u32 { super::threads::_Thrd_id(guest) }

    "Returns a number for a new asynchronous operation.", "?GetNextAsyncId@platform@details@Concurrency@@YAIXZ";
    next_number(guest) -> u32 {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let _ = guest;
        Ok(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    "Says that the context is no single-threaded apartment.", "?_IsCurrentOriginSTA@_ContextCallback@details@Concurrency@@CA_NXZ";
    is_apartment(guest) -> u8 {
        let _ = guest;
        Ok(0)
    }

    "Says that the thread may wait.", "?_IsNonBlockingThread@_Task_impl_base@details@Concurrency@@SA_NXZ";
    is_nonblocking(guest) -> u8 { is_apartment(guest) }

    "Ends the program: an exception of a task was seen by nobody.", "?_ReportUnobservedException@details@Concurrency@@YAXXZ";
    report_unobserved(guest) -> () {
        crate::msvcrt::exit::fatal(guest, "\nthe exception of a task was seen by nobody\n", 3)
    }
}

members! { MEMBERS, "../parallel/concrt/reference/task-class";
    "Makes the context in which a continuation runs: any.", "??0task_continuation_context@Concurrency@@A*A+@XZ";
    continuation_new(guest, this) -> GuestWord {
        guest.write_word(this.0, 0)?;
        Ok(this)
    }

    "Notes the context, of which there is one.", "?_Capture@_ContextCallback@details@Concurrency@@A*A+XXZ";
    context_capture(guest, this) -> () { guest.write_word(this.0, 0) }

    "Forgets the context.", "?_Reset@_ContextCallback@details@Concurrency@@A*A+XXZ";
    context_reset(guest, this) -> () { guest.write_word(this.0, 0) }

    "Takes a context over.", "?_Assign@_ContextCallback@details@Concurrency@@A*A+XP*AX@Z";
    context_assign(guest, this, context: GuestWord) -> () { guest.write_word(this.0, context.0) }

    "Notes nothing of a task's way.", "?_LogScheduleTask@_TaskEventLogger@details@Concurrency@@Q*A+X_N@Z";
    log_schedule(guest, this, is_continuation: u8) -> () {
        let _ = (guest, this, is_continuation);
        Ok(())
    }

    "Notes nothing of a task's way.", "?_LogCancelTask@_TaskEventLogger@details@Concurrency@@Q*A+XXZ";
    log_cancel(guest, this) -> () {
        let _ = (guest, this);
        Ok(())
    }

    "Notes nothing of a task's way.", "?_LogTaskCompleted@_TaskEventLogger@details@Concurrency@@Q*A+XXZ";
    log_completed(guest, this) -> () { log_cancel(guest, this) }

    "Notes nothing of a task's way.", "?_LogTaskExecutionCompleted@_TaskEventLogger@details@Concurrency@@Q*A+XXZ";
    log_execution(guest, this) -> () { log_cancel(guest, this) }

    "Notes nothing of a task's way.", "?_LogWorkItemCompleted@_TaskEventLogger@details@Concurrency@@Q*A+XXZ";
    log_work_completed(guest, this) -> () { log_cancel(guest, this) }

    "Notes nothing of a task's way.", "?_LogWorkItemStarted@_TaskEventLogger@details@Concurrency@@Q*A+XXZ";
    log_work_started(guest, this) -> () { log_cancel(guest, this) }

    "Ends the program: an exception of a task was seen by nobody.", "?ReportUnhandledError@_ExceptionHolder@details@Concurrency@@A*A+XXZ";
    report_unhandled(guest, this) -> () {
        let _ = this;
        report_unobserved(guest)
    }
}

/// A `std::function` by value: an address in 64-bit calls, ten words in 32-bit ones.
#[derive(Clone, Copy, Debug)]
pub struct Callback(u64);

impl plat_abi::Param for Callback {
    const SIZE_I386: u32 = 40;

    fn take<M: Memory>(cursor: &mut plat_abi::Cursor<'_, M>) -> Result<Self, Fault> {
        if cursor.machine().is_64() {
            return cursor.slot_u64().map(Self);
        }
        let at = cursor.address();
        for _ in 0..10 {
            cursor.slot_u32()?;
        }
        Ok(Self(at))
    }
}

members! { CALLS, "../parallel/concrt/reference/task-class";
    "Calls a function where it is, and ends it.", "?_CallInContext@_ContextCallback@details@Concurrency@@Q*B+XV?$function@$$A6AXXZ@std@@_N@Z";
    context_call(guest, this, callback: Callback, is_apartment: u8) -> () {
        // The last word of a function leads to what it holds: an object whose table has the call and the end.
        const CALL: u64 = 2;
        const DELETE: u64 = 4;
        let _ = (this, is_apartment);
        let word = guest.machine().pointer_size();
        let (words, bytes) = if guest.machine().is_64() { (8, 64) } else { (10, 40) };
        let held = guest.read_word(callback.0 + (words - 1) * word)?;
        if held == 0 {
            return Ok(());
        }
        let none = Words::new(guest);
        virtual_method(guest, held, CALL, none)?;
        let is_apart = !(callback.0..callback.0 + bytes).contains(&held);
        let frees = Words::new(guest).word(is_apart.into());
        virtual_method(guest, held, DELETE, frees).map(drop)
    }
}
