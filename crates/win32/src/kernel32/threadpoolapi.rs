//! threadpoolapiset.h: work, timers, waits and transfers of the thread pool. Most of it is ntdll's.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use plat_abi::{GuestWord, Memory, winapi};

use super::fileapi::file;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest, TRUE};
use crate::nt::completion_port::CompletionPort;
use crate::nt::pool::Workers;
use crate::nt::pool_object::PooledKind;
use crate::ntdll::threadpool as tp;
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full BindIoCompletionCallback;
    full CallbackMayRunLong;
    forward CancelThreadpoolIo => "ntdll.TpCancelAsyncIoOperation";
    forward CloseThreadpool => "ntdll.TpReleasePool";
    forward CloseThreadpoolCleanupGroup => "ntdll.TpReleaseCleanupGroup";
    forward CloseThreadpoolCleanupGroupMembers => "ntdll.TpReleaseCleanupGroupMembers";
    forward CloseThreadpoolIo => "ntdll.TpReleaseIoCompletion";
    forward CloseThreadpoolTimer => "ntdll.TpReleaseTimer";
    forward CloseThreadpoolWait => "ntdll.TpReleaseWait";
    forward CloseThreadpoolWork => "ntdll.TpReleaseWork";
    full CreateThreadpool;
    full CreateThreadpoolCleanupGroup;
    full CreateThreadpoolIo;
    full CreateThreadpoolTimer;
    full CreateThreadpoolWait;
    full CreateThreadpoolWork;
    forward DisassociateCurrentThreadFromCallback => "ntdll.TpDisassociateCallback";
    forward FreeLibraryWhenCallbackReturns => "ntdll.TpCallbackUnloadDllOnCompletion";
    forward IsThreadpoolTimerSet => "ntdll.TpIsTimerSet";
    forward LeaveCriticalSectionWhenCallbackReturns => "ntdll.TpCallbackLeaveCriticalSectionOnCompletion";
    full QueryThreadpoolStackInformation;
    forward ReleaseMutexWhenCallbackReturns => "ntdll.TpCallbackReleaseMutexOnCompletion";
    forward ReleaseSemaphoreWhenCallbackReturns => "ntdll.TpCallbackReleaseSemaphoreOnCompletion";
    forward SetEventWhenCallbackReturns => "ntdll.TpCallbackSetEventOnCompletion";
    full SetThreadpoolStackInformation;
    forward SetThreadpoolThreadMaximum => "ntdll.TpSetPoolMaxThreads";
    full SetThreadpoolThreadMinimum;
    forward SetThreadpoolTimer => "ntdll.TpSetTimer";
    full SetThreadpoolTimerEx;
    forward SetThreadpoolWait => "ntdll.TpSetWait";
    full SetThreadpoolWaitEx;
    forward StartThreadpoolIo => "ntdll.TpStartAsyncIoOperation";
    forward SubmitThreadpoolWork => "ntdll.TpPostWork";
    full TrySubmitThreadpoolCallback;
    forward WaitForThreadpoolIoCallbacks => "ntdll.TpWaitForIoCompletion";
    forward WaitForThreadpoolTimerCallbacks => "ntdll.TpWaitForTimer";
    forward WaitForThreadpoolWaitCallbacks => "ntdll.TpWaitForWait";
    forward WaitForThreadpoolWorkCallbacks => "ntdll.TpWaitForWork";
};

/// Makes a pool of workers.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-createthreadpool>
#[winapi]
pub fn CreateThreadpool(guest: &mut Guest, reserved: GuestWord) -> GuestWord {
    let _ = reserved;
    GuestWord(guest.process().pool.objects.add_pool())
}

/// Returns a pool of the program's.
fn pool(guest: &Guest, number: GuestWord) -> Result<Arc<Workers>, Win32Error> {
    let process = guest.process();
    process.pool.objects.pool(process, number.0).ok_or(Win32Error::INVALID_PARAMETER)
}

/// Sets the least workers of a pool; they are started when there is work.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-setthreadpoolthreadminimum>
#[winapi]
pub fn SetThreadpoolThreadMinimum(
    guest: &mut Guest,
    ptpp: GuestWord,
    cthrdMic: u32,
) -> Result<Bool, Win32Error> {
    tp::TpSetPoolMinThreads(guest, ptpp, cthrdMic).map_err(NtStatus::to_win32)?;
    Ok(TRUE)
}

/// Sets the sizes of the stacks of workers that are started from now on.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-setthreadpoolstackinformation>
#[winapi]
pub fn SetThreadpoolStackInformation(
    guest: &mut Guest,
    ptpp: GuestWord,
    ptpsi: GuestWord,
) -> Result<Bool, Win32Error> {
    let pool = pool(guest, ptpp)?;
    for (index, size) in (0..).zip(&pool.stack) {
        let place = ptpsi.0 + index * guest.machine().pointer_size();
        size.store(guest.read_word(place)?, Ordering::Relaxed);
    }
    Ok(TRUE)
}

/// Returns the sizes of the stacks of a pool's workers.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-querythreadpoolstackinformation>
#[winapi]
pub fn QueryThreadpoolStackInformation(
    guest: &mut Guest,
    ptpp: GuestWord,
    ptpsi: GuestWord,
) -> Result<Bool, Win32Error> {
    let pool = pool(guest, ptpp)?;
    for (index, size) in (0..).zip(&pool.stack) {
        let place = ptpsi.0 + index * guest.machine().pointer_size();
        guest.write_word(place, size.load(Ordering::Relaxed))?;
    }
    Ok(TRUE)
}

/// Makes a cleanup group.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-createthreadpoolcleanupgroup>
#[winapi]
pub fn CreateThreadpoolCleanupGroup(guest: &mut Guest) -> GuestWord {
    GuestWord(guest.process().pool.objects.add_group())
}

/// Has a worker call a function once.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-trysubmitthreadpoolcallback>
#[winapi]
pub fn TrySubmitThreadpoolCallback(
    guest: &mut Guest,
    pfns: GuestWord,
    pv: GuestWord,
    pcbe: GuestWord,
) -> Result<Bool, Win32Error> {
    tp::TpSimpleTryPost(guest, pfns, pv, pcbe).map_err(NtStatus::to_win32)?;
    Ok(TRUE)
}

/// Makes an object of the pool; returns its number.
fn make(
    guest: &Guest,
    kind: PooledKind,
    call: (GuestWord, GuestWord),
    environ: GuestWord,
) -> Result<GuestWord, Win32Error> {
    Ok(GuestWord(tp::make(guest, kind, call, environ).map_err(NtStatus::to_win32)?.number()))
}

/// Defines functions that make pooled objects: what one makes, its page, its name, its callback's name, its kind.
macro_rules! makers {
    ($($(#[doc = $what:literal])+ $page:literal $name:ident($function:ident) = $kind:ident;)*) => {$(
        $(#[doc = $what])+
        ///
        #[doc = concat!("Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-", $page, ">")]
        #[winapi]
        pub fn $name(
            guest: &mut Guest,
            $function: GuestWord,
            pv: GuestWord,
            pcbe: GuestWord,
        ) -> Result<GuestWord, Win32Error> {
            make(guest, PooledKind::$kind, ($function, pv), pcbe)
        }
    )*};
}

makers! {
    /// Makes a work object.
    "createthreadpoolwork" CreateThreadpoolWork(pfnwk) = Work;
    /// Makes a timer.
    "createthreadpooltimer" CreateThreadpoolTimer(pfnti) = Timer;
    /// Makes a wait.
    "createthreadpoolwait" CreateThreadpoolWait(pfnwa) = Wait;
}

/// Has callbacks made of a file's transfers.
fn bind(
    guest: &Guest,
    handle: GuestWord,
    kind: PooledKind,
    call: (GuestWord, GuestWord),
    environ: GuestWord,
) -> Result<u64, Win32Error> {
    let file = file(guest, handle, 0)?;
    if !file.traits.overlapped {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let object = tp::make(guest, kind, call, environ).map_err(NtStatus::to_win32)?;
    let number = object.number();
    if !file.transfers.set_port(&CompletionPort::with_sink(Arc::clone(&object)), number) {
        object.close(guest.process());
        return Err(Win32Error::INVALID_PARAMETER);
    }
    Ok(number)
}

/// Has callbacks made of a file's transfers, each of which is announced.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-createthreadpoolio>
#[winapi]
pub fn CreateThreadpoolIo(
    guest: &mut Guest,
    fl: GuestWord,
    pfnio: GuestWord,
    pv: GuestWord,
    pcbe: GuestWord,
) -> Result<GuestWord, Win32Error> {
    Ok(GuestWord(bind(guest, fl, PooledKind::Io, (pfnio, pv), pcbe)?))
}

/// Has callbacks made of all of a file's transfers.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-bindiocompletioncallback>
#[winapi]
pub fn BindIoCompletionCallback(
    guest: &mut Guest,
    FileHandle: GuestWord,
    Function: GuestWord,
    Flags: u32,
) -> Result<Bool, Win32Error> {
    let _ = Flags;
    let call = (Function, GuestWord::NULL);
    bind(guest, FileHandle, PooledKind::BoundIo, call, GuestWord::NULL)?;
    Ok(TRUE)
}

/// Sets a timer, or stops it; says whether it was set.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-setthreadpooltimerex>
#[winapi]
pub fn SetThreadpoolTimerEx(
    guest: &mut Guest,
    pti: GuestWord,
    pftDueTime: GuestWord,
    msPeriod: u32,
    msWindowLength: u32,
) -> Result<Bool, plat_abi::Fault> {
    let _ = msWindowLength;
    tp::set_timer(guest, pti, pftDueTime, msPeriod).map(Bool)
}

/// Sets what a wait waits for, or stops it; says whether it was set.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-setthreadpoolwaitex>
#[winapi]
pub fn SetThreadpoolWaitEx(
    guest: &mut Guest,
    pwa: GuestWord,
    h: GuestWord,
    pftTimeout: GuestWord,
    Reserved: GuestWord,
) -> Result<Bool, plat_abi::Fault> {
    let _ = Reserved;
    tp::set_wait(guest, pwa, h, pftTimeout).map(Bool)
}

/// Says that a callback may take long; fails where no further worker may be started.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-callbackmayrunlong>
#[winapi]
pub fn CallbackMayRunLong(guest: &mut Guest, pci: GuestWord) -> Bool {
    if tp::TpCallbackMayRunLong(guest, pci).is_ok() { TRUE } else { FALSE }
}
