//! msvcp140_atomic_wait.dll: waiting for atomics, parallel algorithms, time zones; msvcp140_codecvt_ids.dll.
//!
//! Source: the declarations in the public headers of Microsoft's C++ library (<https://github.com/microsoft/STL>);
//! <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-waitonaddress>.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::dll;
use crate::export::{Code, Data, DataSize, Dll, Export};
use crate::guest::Guest;
use crate::kernel32::synchapi::WaitOnAddress;
use crate::kernel32::threadpoolapi::CreateThreadpoolWork;
use crate::msvcrt::state::place;
use crate::nt::{time, wait, wait_address};
use crate::ntdll::threadpool::{TpPostWork, TpReleaseWork, TpWaitForWork};

/// msvcp140_atomic_wait.dll.
pub const DLL: Dll = Dll {
    name: "msvcp140_atomic_wait.dll",
    description: "Microsoft\u{ae} C Runtime Library _atomic_wait",
    tables: &[EXPORTS],
    methods: &[],
};

/// msvcp140_codecvt_ids.dll: the numbers of four kinds of facets.
pub const CODECVT_IDS: Dll = Dll {
    name: "msvcp140_codecvt_ids.dll",
    description: "Microsoft\u{ae} C Runtime Library _codecvt_ids",
    tables: &[IDS],
    methods: &[],
};

/// A number that is given out when it is first asked for.
static ID: Data = Data { size: DataSize::words(1), initial: |_| Vec::new() };

/// The exports of msvcp140_codecvt_ids.dll.
pub const IDS: &[Export] = dll! {
    data "?id@?$codecvt@_SDU_Mbstatet@@@std@@2V0locale@2@A": ID;
    data "?id@?$codecvt@_S_QU_Mbstatet@@@std@@2V0locale@2@A": ID;
    data "?id@?$codecvt@_UDU_Mbstatet@@@std@@2V0locale@2@A": ID;
    data "?id@?$codecvt@_U_QU_Mbstatet@@@std@@2V0locale@2@A": ID;
};

/// The exports of msvcp140_atomic_wait.dll.
pub const EXPORTS: &[Export] = dll! {
    full __std_atomic_wait_direct;
    full __std_atomic_wait_indirect;
    full __std_atomic_notify_one_direct;
    full __std_atomic_notify_all_direct;
    full "__std_atomic_notify_one_indirect" = __std_atomic_notify_indirect;
    full "__std_atomic_notify_all_indirect" = __std_atomic_notify_indirect;
    full __std_atomic_wait_get_deadline;
    full __std_atomic_wait_get_remaining_timeout;
    full __std_atomic_set_api_level;
    full __std_atomic_get_mutex;
    code __std_atomic_compare_exchange_128: COMPARE_EXCHANGE_128;
    code __std_atomic_has_cmpxchg16b: HAS_CMPXCHG16B;
    full __std_acquire_shared_mutex_for_instance;
    full __std_release_shared_mutex_for_instance;
    full __std_execution_wait_on_uchar;
    full "__std_execution_wake_by_address_all" = __std_atomic_notify_all_direct;
    full __std_parallel_algorithms_hw_threads;
    full __std_create_threadpool_work;
    full __std_submit_threadpool_work;
    full __std_bulk_submit_threadpool_work;
    full __std_close_threadpool_work;
    full __std_wait_for_threadpool_work_callbacks;
    full __std_calloc_crt;
    full __std_free_crt;
    stub __std_tzdb_get_time_zones; stub __std_tzdb_delete_time_zones;
    stub __std_tzdb_get_current_zone; stub __std_tzdb_delete_current_zone;
    stub __std_tzdb_get_sys_info; stub __std_tzdb_delete_sys_info;
    partial __std_tzdb_get_leap_seconds, "no leap seconds but those that programs know themselves";
    full __std_tzdb_delete_leap_seconds;
};

/// `compare_exchange_128(destination, high, low, comparand)`: exchanges 16 bytes if they are what the comparand has, which
/// gets what they were.
#[rustfmt::skip]
static COMPARE_EXCHANGE_128: Code = Code {
    i386: &[],
    amd64: &[
        0x53, 0x49, 0x89, 0xca, // push rbx; mov r10,rcx
        0x48, 0x89, 0xd1, 0x4c, 0x89, 0xc3, // mov rcx,rdx; mov rbx,r8
        0x49, 0x8b, 0x01, 0x49, 0x8b, 0x51, 0x08, // mov rax,[r9]; mov rdx,[r9+8]
        0xf0, 0x49, 0x0f, 0xc7, 0x0a, // lock cmpxchg16b [r10]
        0x49, 0x89, 0x01, 0x49, 0x89, 0x51, 0x08, // mov [r9],rax; mov [r9+8],rdx
        0x0f, 0x94, 0xc0, 0x5b, 0xc3, // setz al; pop rbx; ret
    ],
    slow: None,
};

/// Every processor that plat runs on has the instruction.
static HAS_CMPXCHG16B: Code = Code { i386: &[], amd64: &[0xb0, 0x01, 0xc3], slow: None };

/// No end of waiting: as a time from now, and as a point in time.
const NO_TIMEOUT: u32 = u32::MAX;
const NO_DEADLINE: u64 = u64::MAX;

/// How often those who wait for an answer of the program's own were woken.
static WOKEN: AtomicU64 = AtomicU64::new(0);

/// Defines functions of this DLL: text, name, parameters, result, body.
macro_rules! helpers {
    ($($doc:literal; $name:ident($guest:ident $(, $param:ident: $type:ty)*) -> $result:ty $body:block)*) => {$(
        #[doc = $doc]
        ///
        /// Source: <https://github.com/microsoft/STL/blob/main/stl/inc/xatomic_wait.h>
        #[winapi]
        pub fn $name($guest: &mut Guest $(, $param: $type)*) -> Result<$result, Fault> $body
    )*};
}

helpers! {
    "Sleeps while an atomic has a value; false when that took too long.";
    __std_atomic_wait_direct(guest, storage: GuestWord, comparand: GuestWord, size: GuestWord, timeout: u32) -> u32 {
        Ok(u32::from(WaitOnAddress(guest, storage, comparand, size, timeout).is_ok()))
    }

    "Sleeps while a function of the program's says that an atomic has a value; false when that took too long.";
    __std_atomic_wait_indirect(guest, storage: GuestWord, comparand: GuestWord, size: GuestWord, param: GuestWord,
        are_equal: GuestWord, timeout: u32) -> u32 {
        let deadline = wait::deadline_of_milliseconds(timeout);
        loop {
            let woken = WOKEN.load(Ordering::SeqCst);
            let answer = guest.call(are_equal.0, &[storage.0, comparand.0, size.0, param.0])?;
            if answer as u8 == 0 {
                return Ok(1);
            }
            // Who wakes counts first: what happens after the question is not missed.
            let test = || Ok::<bool, Infallible>(WOKEN.load(Ordering::SeqCst) == woken);
            if wait_address::enqueue_if(storage.0, test).unwrap_or(false) && !wait_address::sleep(storage.0, deadline) {
                return Ok(0);
            }
        }
    }

    "Wakes one that waits for an atomic."; __std_atomic_notify_one_direct(guest, storage: GuestWord) -> () {
        let _ = guest;
        wait_address::wake(storage.0, 1);
        Ok(())
    }

    "Wakes all that wait for an atomic."; __std_atomic_notify_all_direct(guest, storage: GuestWord) -> () {
        let _ = guest;
        wait_address::wake(storage.0, usize::MAX);
        Ok(())
    }

    "Wakes all that ask a function of the program's whether they shall wait on.";
    __std_atomic_notify_indirect(guest, storage: GuestWord) -> () {
        WOKEN.fetch_add(1, Ordering::SeqCst);
        __std_atomic_notify_all_direct(guest, storage)
    }

    "Returns when a wait of so many milliseconds ends."; __std_atomic_wait_get_deadline(guest, timeout: u32) -> u64 {
        let _ = guest;
        Ok(if timeout == NO_TIMEOUT { NO_DEADLINE } else { time::tick_count() + u64::from(timeout) })
    }

    "Returns how many milliseconds there are until then, ten days at most.";
    __std_atomic_wait_get_remaining_timeout(guest, deadline: u64) -> u32 {
        const TEN_DAYS: u64 = 864_000_000;
        let _ = guest;
        if deadline == NO_DEADLINE {
            return Ok(NO_TIMEOUT);
        }
        Ok(deadline.saturating_sub(time::tick_count()).min(TEN_DAYS) as u32)
    }

    "Says how waiting is done: with `WaitOnAddress`, whatever was asked for."; __std_atomic_set_api_level(guest, level: u32) -> u32 {
        const WAIT_ON_ADDRESS: u32 = 3;
        let _ = (guest, level);
        Ok(WAIT_ON_ADDRESS)
    }

    "Returns the shared mutex of an address, which others may share."; __std_atomic_get_mutex(guest, address: GuestWord) -> GuestWord {
        const MUTEXES: u64 = 256;
        const BYTES: u64 = 64;
        static START: OnceLock<u64> = OnceLock::new();
        let start = match START.get() {
            Some(&known) => known,
            None => {
                let made = place(guest, &[0; (MUTEXES * BYTES) as usize])?;
                *START.get_or_init(|| made)
            }
        };
        Ok(GuestWord(start + (address.0 >> 4 ^ address.0 >> 12) % MUTEXES * BYTES))
    }

    "Returns the shared mutex of an object, made by the first who asks; null without memory.";
    __std_acquire_shared_mutex_for_instance(guest, instance: GuestWord) -> GuestWord {
        let mut mutexes = MUTEXES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = mutexes.get_mut(&instance.0) {
            entry.1 += 1;
            return Ok(GuestWord(entry.0));
        }
        let made = place(guest, &[0; 16])?;
        mutexes.insert(instance.0, (made, 1));
        Ok(GuestWord(made))
    }

    "Gives an object's shared mutex back."; __std_release_shared_mutex_for_instance(guest, instance: GuestWord) -> () {
        let mut mutexes = MUTEXES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = mutexes.get_mut(&instance.0) {
            entry.1 -= 1;
            if entry.1 == 0 {
                guest.process().heaps.free(0, entry.0);
                mutexes.remove(&instance.0);
            }
        }
        Ok(())
    }

    "Sleeps while a byte has a value."; __std_execution_wait_on_uchar(guest, address: GuestWord, value: u8) -> () {
        let test = || guest.read::<u8>(address.0).map(|now| now == value);
        if wait_address::enqueue_if(address.0, test)? {
            wait_address::sleep(address.0, None);
        }
        Ok(())
    }

    "Returns the number of processors."; __std_parallel_algorithms_hw_threads(guest) -> u32 {
        Ok(crate::nt::sysinfo::processors(guest.machine()).count_ones())
    }

    "Makes work for the thread pool; null when that is not possible.";
    __std_create_threadpool_work(guest, callback: GuestWord, context: GuestWord, environ: GuestWord) -> GuestWord {
        Ok(CreateThreadpoolWork(guest, callback, context, environ).unwrap_or_default())
    }

    "Has the thread pool do work."; __std_submit_threadpool_work(guest, work: GuestWord) -> () {
        TpPostWork(guest, work);
        Ok(())
    }

    "Has the thread pool do work several times."; __std_bulk_submit_threadpool_work(guest, work: GuestWord, count: GuestWord) -> () {
        for _ in 0..count.0 {
            TpPostWork(guest, work);
        }
        Ok(())
    }

    "Ends work."; __std_close_threadpool_work(guest, work: GuestWord) -> () {
        TpReleaseWork(guest, work);
        Ok(())
    }

    "Waits until the thread pool has done work."; __std_wait_for_threadpool_work_callbacks(guest, work: GuestWord, cancels: u32) -> () {
        TpWaitForWork(guest, work, cancels);
        Ok(())
    }

    "Allocates zeros."; __std_calloc_crt(guest, count: GuestWord, size: GuestWord) -> GuestWord {
        crate::msvcrt::malloc::calloc(guest, count, size)
    }

    "Frees what was allocated."; __std_free_crt(guest, at: GuestWord) -> () {
        crate::msvcrt::malloc::free(guest, at);
        Ok(())
    }

    "Returns the leap seconds that the system knows and the program does not: none.";
    __std_tzdb_get_leap_seconds(guest, known: GuestWord, count: GuestWord) -> GuestWord {
        guest.write_word(count.0, known.0)?;
        Ok(GuestWord::NULL)
    }

    "Frees leap seconds."; __std_tzdb_delete_leap_seconds(guest, seconds: GuestWord) -> () { __std_free_crt(guest, seconds) }
}

/// Shared mutexes by the object that they are for: where, and how many hold it.
static MUTEXES: Mutex<BTreeMap<u64, (u64, u32)>> = Mutex::new(BTreeMap::new());
