//! vcruntime140_threads.dll: C11's threads, which are those of the C++ library.
//!
//! Source: <https://en.cppreference.com/w/c/thread>; <https://learn.microsoft.com/cpp/c-runtime-library/thread-control>.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::errors::result::{ERROR, SUCCESS};
use super::threads;
use crate::dll;
use crate::export::{Dll, Export};
use crate::guest::Guest;
use crate::kernel32::{processthreadsapi, tls};

/// The DLL.
pub const DLL: Dll = Dll {
    name: "vcruntime140_threads.dll",
    description: "Microsoft\u{ae} C Runtime Library _threads",
    tables: &[EXPORTS],
    methods: &[],
};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full "mtx_lock" = threads::_Mtx_lock; full "mtx_trylock" = threads::_Mtx_trylock; full "mtx_unlock" = threads::_Mtx_unlock;
    full "cnd_wait" = threads::_Cnd_wait; full "cnd_signal" = threads::_Cnd_signal; full "cnd_broadcast" = threads::_Cnd_broadcast;
    full "thrd_yield" = threads::_Thrd_yield; full "thrd_join" = threads::_Thrd_join; full "thrd_detach" = threads::_Thrd_detach;
    full mtx_init; full mtx_destroy; full cnd_init; full cnd_destroy;
    full thrd_create; full thrd_exit;
    partial tss_create, "places with a destructor are refused";
    full tss_delete; full tss_get; full tss_set;
    stub thrd_current; stub thrd_equal; stub call_once;
    stub _cnd_timedwait32; stub _cnd_timedwait64; stub _mtx_timedlock32; stub _mtx_timedlock64;
    stub _thrd_sleep32; stub _thrd_sleep64;
};

/// Defines functions: text, name, parameters, result, body.
macro_rules! threads {
    ($($doc:literal; $name:ident($guest:ident $(, $param:ident: $type:ty)*) -> $result:ty $body:block)*) => {$(
        #[doc = $doc]
        ///
        /// Source: <https://en.cppreference.com/w/c/thread>
        #[winapi(cdecl)]
        pub fn $name($guest: &mut Guest $(, $param: $type)*) -> Result<$result, Fault> $body
    )*};
}

threads! {
    "Makes a mutex."; mtx_init(guest, mutex: GuestWord, kind: i32) -> i32 {
        threads::_Mtx_init_in_situ(guest, mutex, kind)?;
        Ok(SUCCESS)
    }

    "Ends a mutex, which owns nothing."; mtx_destroy(guest, mutex: GuestWord) -> () { threads::_Mtx_destroy_in_situ(guest, mutex) }

    "Makes a condition variable."; cnd_init(guest, condition: GuestWord) -> i32 {
        threads::_Cnd_init_in_situ(guest, condition)?;
        Ok(SUCCESS)
    }

    "Ends a condition variable, which owns nothing."; cnd_destroy(guest, condition: GuestWord) -> () {
        threads::_Cnd_destroy_in_situ(guest, condition)
    }

    "Starts a thread; stores its handle and number."; thrd_create(guest, thread: GuestWord, function: GuestWord, argument: GuestWord) -> i32 {
        let word = guest.machine().pointer_size();
        let (null, id) = (GuestWord::NULL, GuestWord(thread.0 + word));
        match processthreadsapi::CreateThread(guest, null, null, function, argument, 0, id) {
            Ok(handle) => guest.write_word(thread.0, handle.0).map(|()| SUCCESS),
            Err(_) => Ok(ERROR),
        }
    }

    "Ends the thread."; thrd_exit(guest, result: i32) -> () { crate::msvcrt::threads::_endthreadex(guest, result as u32) }

    "Makes a place that each thread has for itself."; tss_create(guest, key: GuestWord, destructor: GuestWord) -> i32 {
        // What a destructor would be called for is the program's: it is not called, and a program that has one is told so.
        if !destructor.is_null() {
            return Ok(ERROR);
        }
        match tls::TlsAlloc(guest) {
            Ok(index) => guest.write(key.0, &index.0).map(|()| SUCCESS),
            Err(_) => Ok(ERROR),
        }
    }

    "Gives such a place back."; tss_delete(guest, key: u32) -> () {
        // Nobody is told when it was none.
        let _ = tls::TlsFree(guest, key);
        Ok(())
    }

    "Returns what the thread has there."; tss_get(guest, key: u32) -> GuestWord { Ok(tls::TlsGetValue(guest, key).unwrap_or_default()) }

    "Sets what the thread has there."; tss_set(guest, key: u32, value: GuestWord) -> i32 {
        Ok(if tls::TlsSetValue(guest, key, value).is_ok() { SUCCESS } else { ERROR })
    }
}
