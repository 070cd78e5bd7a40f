//! What the runtime has as variables, asked for by functions; and small services of the system.

use plat_abi::{Fault, GuestStruct, GuestWord, Memory};

use super::define::define;
use super::errno::{EINVAL, ERANGE};
use super::state::{crt, set_errno, variable, write_narrow_z};
use super::system::kernel32;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::ucrtbase::{handlers, startup};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full _get_timezone; full _get_daylight; full _get_dstbias; full _get_tzname; full __timezone; full __daylight; full __dstbias; full __tzname;
    full __sys_nerr; full __sys_errlist;
    full _get_output_format; full _set_output_format; full _getdiskfree; full _seterrormode; full _beep; full _getsystime; full _setsystime;
    full _getdllprocaddr; full _loaddll; full _unloaddll; full _resetstkoflw; full __fpe_flt_rounds; full __fpecode;
    full _get_FMA3_enable; full _set_FMA3_enable; full _set_SSE2_enable;
    full _wdupenv_s;
};

/// What old runtimes have beside these.
pub const OLD_EXPORTS: &[Export] = dll! {
    forward _encode_pointer => "ntdll.RtlEncodePointer"; forward _decode_pointer => "ntdll.RtlDecodePointer";
    full ___setlc_active_func;
    full "_getmaxstdio" = startup::_getmaxstdio; full "_setmaxstdio" = startup::_setmaxstdio;
    full "_crt_debugger_hook" = startup::_crt_debugger_hook; full "__crt_debugger_hook" = startup::_crt_debugger_hook;
    forward __fls_getvalue => "kernel32.FlsGetValue"; forward __fls_setvalue => "kernel32.FlsSetValue";
    forward __crtSleep => "kernel32.Sleep"; forward __crtGetTickCount64 => "kernel32.GetTickCount64"; forward __crtTerminateProcess => "kernel32.TerminateProcess";
    forward __crtSetUnhandledExceptionFilter => "kernel32.SetUnhandledExceptionFilter"; forward __crtUnhandledException => "kernel32.UnhandledExceptionFilter";
    forward __crtFlsAlloc => "kernel32.FlsAlloc"; forward __crtFlsFree => "kernel32.FlsFree"; forward __crtFlsGetValue => "kernel32.FlsGetValue"; forward __crtFlsSetValue => "kernel32.FlsSetValue";
    forward __crtInitializeCriticalSectionEx => "kernel32.InitializeCriticalSectionEx"; forward __crtCreateSemaphoreExW => "kernel32.CreateSemaphoreExW"; forward __crtCreateEventExW => "kernel32.CreateEventExW";
    forward __crtSetThreadStackGuarantee => "kernel32.SetThreadStackGuarantee"; forward __crtGetLocaleInfoEx => "kernel32.GetLocaleInfoEx"; forward __crtLCMapStringEx => "kernel32.LCMapStringEx";
    forward __crtCompareStringEx => "kernel32.CompareStringEx"; forward __crtIsValidLocaleName => "kernel32.IsValidLocaleName"; forward __crtEnumSystemLocalesEx => "kernel32.EnumSystemLocalesEx";
    forward __crtGetUserDefaultLocaleName => "kernel32.GetUserDefaultLocaleName"; forward __crtGetDateFormatEx => "kernel32.GetDateFormatEx"; forward __crtGetTimeFormatEx => "kernel32.GetTimeFormatEx";
};

/// What msvcrt.dll has of the Universal CRT's.
pub const MSVCRT_EXPORTS: &[Export] = dll! { full "_callnewh" = handlers::_callnewh; };

/// `struct _diskfree_t`.
#[derive(GuestStruct, Default)]
struct DiskFree {
    total_clusters: u32,
    available_clusters: u32,
    sectors_per_cluster: u32,
    bytes_per_sector: u32,
}

/// Copies a variable to the program's; EINVAL without one.
fn copy_variable(guest: &mut Guest, to: GuestWord, name: &'static str) -> Result<i32, Fault> {
    if to.is_null() {
        return set_errno(guest, EINVAL).map(|()| EINVAL);
    }
    let value: i32 = guest.read(variable(guest, name))?;
    guest.write(to.0, &value).map(|()| 0)
}

define! {
    "Stores the seconds between UTC and local time.", "get-timezone";
    _get_timezone(guest, seconds: GuestWord) -> i32 { copy_variable(guest, seconds, "_timezone") }
    "Stores the hours of summer time.", "get-daylight";
    _get_daylight(guest, hours: GuestWord) -> i32 { copy_variable(guest, hours, "_daylight") }
    "Stores the seconds of summer time.", "get-dstbias";
    _get_dstbias(guest, seconds: GuestWord) -> i32 { copy_variable(guest, seconds, "_dstbias") }
    "Stores the name of standard time (0) or summer time (1), and its size.", "get-tzname";
    _get_tzname(guest, pReturnValue: GuestWord, timeZoneName: GuestWord, sizeInBytes: GuestWord, index: i32) -> i32 {
        let is_bad = pReturnValue.is_null() || (timeZoneName.is_null() != (sizeInBytes.0 == 0)) || !(0..2).contains(&index);
        if is_bad {
            return set_errno(guest, EINVAL).map(|()| EINVAL);
        }
        let word = guest.machine().pointer_size();
        let address = guest.read_word(variable(guest, "_tzname") + index as u64 * word)?;
        let name = guest.read_c_string(address)?;
        guest.write_word(pReturnValue.0, name.len() as u64 + 1)?;
        match () {
            () if timeZoneName.is_null() => Ok(0),
            () if name.len() as u64 >= sizeInBytes.0 => Ok(ERANGE),
            () => write_narrow_z(guest, timeZoneName.0, &name).map(|()| 0),
        }
    }
    "Returns where the number of texts of `errno` lies.", "errno-doserrno-sys-errlist-and-sys-nerr";
    __sys_nerr(guest) -> GuestWord { Ok(GuestWord(variable(guest, "_sys_nerr"))) }
    "Returns where the texts of `errno` lie.", "errno-doserrno-sys-errlist-and-sys-nerr";
    __sys_errlist(guest) -> GuestWord { Ok(GuestWord(variable(guest, "_sys_errlist"))) }
    "Returns where `_timezone` lies.", "timezone";
    __timezone(guest) -> GuestWord { Ok(GuestWord(variable(guest, "_timezone"))) }
    "Returns where `_daylight` lies.", "daylight-dstbias-timezone-and-tzname";
    __daylight(guest) -> GuestWord { Ok(GuestWord(variable(guest, "_daylight"))) }
    "Returns where `_dstbias` lies.", "daylight-dstbias-timezone-and-tzname";
    __dstbias(guest) -> GuestWord { Ok(GuestWord(variable(guest, "_dstbias"))) }
    "Returns where `_tzname` lies.", "daylight-dstbias-timezone-and-tzname";
    __tzname(guest) -> GuestWord { Ok(GuestWord(variable(guest, "_tzname"))) }
    "Returns how exponents are printed: 0, three digits.", "set-output-format";
    _get_output_format(guest) -> u32 {
        let _ = guest;
        Ok(0)
    }
    "Sets how exponents are printed, which stays as it is; returns what was before.", "set-output-format";
    _set_output_format(guest, format: u32) -> u32 {
        let _ = (guest, format);
        Ok(0)
    }
    "Stores the size of a disk in clusters; returns 0, or the error.", "getdiskfree";
    _getdiskfree(guest, drive: u32, driveinfo: GuestWord) -> u32 {
        let scratch = super::state::place(guest, &[0; 32])?;
        if drive > 26 {
            set_errno(guest, EINVAL)?;
            return Ok(87);
        }
        guest.write_bytes(scratch, &[b'@' + drive as u8, b':', b'\\', 0])?;
        let root = if drive == 0 { 0 } else { scratch };
        let numbers = [scratch + 4, scratch + 8, scratch + 12, scratch + 16];
        let done = kernel32(guest, "GetDiskFreeSpaceA", &[root, numbers[0], numbers[1], numbers[2], numbers[3]])?;
        let read = |at: u64| guest.read_u32(at);
        let info = DiskFree {
            sectors_per_cluster: read(numbers[0])?,
            bytes_per_sector: read(numbers[1])?,
            available_clusters: read(numbers[2])?,
            total_clusters: read(numbers[3])?,
        };
        guest.process().heaps.free(0, scratch);
        if done as u32 == 0 {
            return Ok(guest.teb().last_error().0);
        }
        guest.write(driveinfo.0, &info).map(|()| 0)
    }
    "Sets which errors the system shows.", "seterrormode";
    _seterrormode(guest, mode: u32) -> () { kernel32(guest, "SetErrorMode", &[mode.into()]).map(|_| ()) }
    "Makes a sound.", "beep";
    _beep(guest, frequency: u32, duration: u32) -> () {
        kernel32(guest, "Beep", &[frequency.into(), duration.into()]).map(|_| ())
    }
    "Stores the local time as `struct tm`; returns its milliseconds.", "getsystime";
    _getsystime(guest, tm: GuestWord) -> u32 {
        let (seconds, nanoseconds) = crate::logic::time::file_time_to_unix(super::time::now(guest)?);
        if let Some(fields) = super::time::local(guest, seconds)? {
            guest.write(tm.0, &fields)?;
        }
        Ok(nanoseconds / 1_000_000)
    }
    "Refuses to set the system's time: 1314, the right is missing.", "setsystime";
    _setsystime(guest, tm: GuestWord, milliseconds: u32) -> u32 {
        let _ = (guest, tm, milliseconds);
        Ok(1314)
    }
    "Loads a DLL.", "loadlibrary";
    _loaddll(guest, name: GuestWord) -> GuestWord { kernel32(guest, "LoadLibraryA", &[name.0]).map(GuestWord) }
    "Frees a DLL; returns 0, or the error.", "unloaddll";
    _unloaddll(guest, handle: GuestWord) -> i32 {
        let freed = kernel32(guest, "FreeLibrary", &[handle.0])? as u32 != 0;
        Ok(if freed { 0 } else { guest.teb().last_error().0 as i32 })
    }
    "Returns the address of a DLL's export by name, or by number where there is no name.", "getdllprocaddr";
    _getdllprocaddr(guest, handle: GuestWord, name: GuestWord, ordinal: GuestWord) -> GuestWord {
        let what = if name.is_null() { ordinal.0 & 0xffff } else { name.0 };
        kernel32(guest, "GetProcAddress", &[handle.0, what]).map(GuestWord)
    }
    "Sets the guard page of the stack again; returns whether that was done.", "resetstkoflw";
    _resetstkoflw(guest) -> i32 {
        // The stack's guard page is set again when its overflow is reported: there is nothing left to do.
        let _ = guest;
        Ok(1)
    }
    "Returns how floating-point numbers are rounded: 1, to the nearest.", "internal-crt-globals-and-functions";
    __fpe_flt_rounds(guest) -> i32 {
        let _ = guest;
        Ok(1)
    }
    "Returns where the code of the last floating-point exception lies.", "internal-crt-globals-and-functions";
    __fpecode(guest) -> GuestWord { super::state::thread_block(guest).map(|block| GuestWord(block + super::state::block::FPE_CODE)) }
    "Says whether fused multiplication is used: it is not asked for.", "get-fma3-enable-set-fma3-enable";
    _get_FMA3_enable(guest) -> i32 {
        let _ = guest;
        Ok(0)
    }
    "Sets whether fused multiplication is used; returns what is: it never is.", "get-fma3-enable-set-fma3-enable";
    _set_FMA3_enable(guest, flag: i32) -> i32 {
        let _ = (guest, flag);
        Ok(0)
    }
    "Sets whether SSE2 is used; returns what is: always.", "set-sse2-enable";
    _set_SSE2_enable(guest, flag: i32) -> i32 {
        let _ = (guest, flag);
        Ok(1)
    }
    "Stores a copy of a variable of the environment in new memory, and its size.", "dupenv-s-wdupenv-s";
    _wdupenv_s(guest, buffer: GuestWord, numberOfElements: GuestWord, varname: GuestWord) -> i32 {
        let value = super::env::_wgetenv(guest, varname)?;
        let (mut address, mut size) = (0, 0);
        if !value.is_null() {
            let text = guest.read_wide_string(value.0)?;
            address = super::state::place_wide(guest, &text)?;
            size = text.len() as u64 + 1;
        }
        guest.write_word(buffer.0, address)?;
        if !numberOfElements.is_null() {
            guest.write_word(numberOfElements.0, size)?;
        }
        Ok(0)
    }
    "Returns 0: no locale is ever being set while another thread reads it.", "internal-crt-globals-and-functions";
    ___setlc_active_func(guest) -> i32 {
        let _ = crt(guest);
        Ok(0)
    }
}
