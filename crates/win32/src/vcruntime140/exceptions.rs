//! What a thread knows of the exceptions that it handles, and helpers of compiled code around them.

use plat_abi::{GuestWord, Memory};

use crate::dll;
use crate::export::Export;
use crate::msvcrt::define::define;
use crate::msvcrt::eh::current_record;
use crate::msvcrt::state::{block, crt, thread_block};
use crate::msvcrt::system::kernel32;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full __current_exception; full __current_exception_context; full __processing_throw;
    full __uncaught_exception; full __uncaught_exceptions; full __std_terminate; full __AdjustPointer;
    full __vcrt_InitializeCriticalSectionEx; full __vcrt_GetModuleFileNameW; full __vcrt_GetModuleHandleW; full __vcrt_LoadLibraryExW;
    full __telemetry_main_invoke_trigger; full __telemetry_main_return_trigger;
    full _set_se_translator;
};

define! {
    "Returns the address of the thread's pointer to the exception that is handled.", "current-exception";
    __current_exception(guest) -> GuestWord {
        let record = current_record(guest).unwrap_or(0);
        let slot = thread_block(guest)? + block::CURRENT_EXCEPTION;
        guest.write_word(slot, record)?;
        Ok(GuestWord(slot))
    }

    "Returns the address of the thread's pointer to the context of the exception that is handled.", "current-exception";
    __current_exception_context(guest) -> GuestWord {
        Ok(GuestWord(thread_block(guest)? + block::CURRENT_EXCEPTION + 8))
    }

    "Returns the address of the thread's count of exceptions on their way to a handler.", "processing-throw";
    __processing_throw(guest) -> GuestWord { Ok(GuestWord(thread_block(guest)? + block::PROCESSING_THROW)) }

    "Says whether an exception is on its way to its handler.", "uncaught-exception";
    __uncaught_exception(guest) -> u8 {
        let address = thread_block(guest)? + block::PROCESSING_THROW;
        Ok(u8::from(guest.read_u32(address)? != 0))
    }

    "Returns how many exceptions are on their way to their handlers.", "uncaught-exceptions";
    __uncaught_exceptions(guest) -> i32 {
        let address = thread_block(guest)? + block::PROCESSING_THROW;
        guest.read_u32(address).map(|count| count as i32)
    }

    "Ends the program because of an exception that C++ cannot handle.", "terminate-crt";
    __std_terminate(guest) -> () { crate::msvcrt::exit::terminate(guest) }

    "Moves a pointer to an object to its base that a member displacement tells of.", "adjustpointer";
    __AdjustPointer(guest, pThis: GuestWord, pmd: GuestWord) -> GuestWord {
        let field = |index: u64| guest.read_u32(pmd.0 + 4 * index).map(|value| i64::from(value as i32) as u64);
        let mut address = pThis.0.wrapping_add(field(0)?);
        if field(1)? as i64 >= 0 {
            address = address.wrapping_add(field(1)?);
            let entries = guest.read_word(pThis.0.wrapping_add(field(1)?))?;
            let displacement = guest.read_u32(entries.wrapping_add(field(2)?))? as i32;
            address = address.wrapping_add(i64::from(displacement) as u64);
        }
        Ok(GuestWord(address))
    }

    "Prepares a critical section.", "vcrt-initializecriticalsectionex";
    __vcrt_InitializeCriticalSectionEx(guest, critical_section: GuestWord, spin_count: u32, flags: u32) -> u32 {
        let arguments = [critical_section.0, spin_count.into(), flags.into()];
        kernel32(guest, "InitializeCriticalSectionEx", &arguments).map(|result| result as u32)
    }

    "Returns the path of a module.", "vcrt-getmodulefilename";
    __vcrt_GetModuleFileNameW(guest, module: GuestWord, filename: GuestWord, size: u32) -> u32 {
        kernel32(guest, "GetModuleFileNameW", &[module.0, filename.0, size.into()]).map(|result| result as u32)
    }

    "Returns the base of a module.", "vcrt-getmodulehandle";
    __vcrt_GetModuleHandleW(guest, name: GuestWord) -> GuestWord {
        kernel32(guest, "GetModuleHandleW", &[name.0]).map(GuestWord)
    }

    "Loads a module.", "vcrt-loadlibraryex";
    __vcrt_LoadLibraryExW(guest, name: GuestWord, file: GuestWord, flags: u32) -> GuestWord {
        kernel32(guest, "LoadLibraryExW", &[name.0, file.0, flags.into()]).map(GuestWord)
    }

    "Would tell Microsoft that `main` begins.", "telemetry";
    __telemetry_main_invoke_trigger(guest, module: GuestWord) -> () {
        let _ = (guest, module);
        Ok(())
    }

    "Would tell Microsoft that `main` has returned.", "telemetry";
    __telemetry_main_return_trigger(guest, module: GuestWord) -> () {
        let _ = (guest, module);
        Ok(())
    }

    "Sets the function that makes C++ exceptions of others; returns the one before.", "set-se-translator";
    _set_se_translator(guest, seTransFunction: GuestWord) -> GuestWord {
        Ok(GuestWord(crt(guest).se_translator.swap(seTransFunction.0, std::sync::atomic::Ordering::Relaxed)))
    }
}
