//! What start-up code of the Universal CRT calls before `main`: arguments, environment, modes, handlers of errors.
//!
//! Source: `corecrt_startup.h` of the Windows SDK and of mingw-w64 for the signatures.

use std::sync::atomic::Ordering;

use plat_abi::{Fault, GuestWord, Memory};

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::msvcrt::define::define;
use crate::msvcrt::errno::{EINVAL, ENOMEM};
use crate::msvcrt::locale::use_unsigned_characters;
use crate::msvcrt::signal::_XcptFilter;
use crate::msvcrt::startup::{arguments, place_pointers};
use crate::msvcrt::state::{crt, place_narrow, place_wide, set_errno, variable};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full _configure_narrow_argv; full _configure_wide_argv;
    full _initialize_narrow_environment; full _initialize_wide_environment;
    full _get_initial_narrow_environment; full _get_initial_wide_environment;
    full _get_narrow_winmain_command_line; full _get_wide_winmain_command_line;
    full _set_app_type; full _query_app_type;
    full _seh_filter_exe; full _seh_filter_dll;
    full _getmaxstdio; full _setmaxstdio;
    full _crt_debugger_hook;
    full __initialize_lconv_for_unsigned_char;
};

/// What msvcr80.dll and all after it have, too.
pub const STANDARD_EXPORTS: &[Export] = dll! { full _get_pgmptr; full _get_wpgmptr; };

/// `_crt_argv_expanded_arguments`.
const EXPANDED: i32 = 2;

fn configure(guest: &mut Guest, mode: i32, wide: bool) -> Result<i32, Fault> {
    if !(0..=EXPANDED).contains(&mode) {
        return set_errno(guest, EINVAL).map(|()| EINVAL);
    }
    if mode == 0 {
        return Ok(0);
    }
    let mut pointers = Vec::new();
    for argument in arguments(guest, mode == EXPANDED) {
        let address = if wide {
            place_wide(guest, &argument)?
        } else {
            place_narrow(guest, &crt(guest).narrow(&argument))?
        };
        if address == 0 {
            return Ok(ENOMEM);
        }
        pointers.push(address);
    }
    let array = place_pointers(guest, &pointers)?;
    guest.write(variable(guest, "__argc"), &(pointers.len() as u32))?;
    guest.write_word(variable(guest, if wide { "__wargv" } else { "__argv" }), array)?;
    Ok(0)
}

/// Returns where in a command line the arguments begin: behind the program's name and blanks.
fn skip_program(line: &[u16]) -> usize {
    let mut quoted = false;
    let mut at = 0;
    while let Some(&unit) = line.get(at) {
        if unit == u16::from(b'"') {
            quoted = !quoted;
        } else if unit <= 0x20 && !quoted {
            break;
        }
        at += 1;
    }
    at + line[at..].iter().take_while(|&&unit| unit <= 0x20).count()
}

define! {
    "Stores the arguments as `__argc` and `__argv`: not at all, as they are, or with wildcards expanded.", "getmainargs-wgetmainargs";
    _configure_narrow_argv(guest, mode: i32) -> i32 { configure(guest, mode, false) }

    "Stores the arguments as `__argc` and `__wargv`: not at all, as they are, or with wildcards expanded.", "getmainargs-wgetmainargs";
    _configure_wide_argv(guest, mode: i32) -> i32 { configure(guest, mode, true) }

    "Makes the narrow environment, which exists from the start.", "getmainargs-wgetmainargs";
    _initialize_narrow_environment(guest) -> i32 {
        let _ = guest;
        Ok(0)
    }

    "Makes the wide environment, which exists from the start.", "getmainargs-wgetmainargs";
    _initialize_wide_environment(guest) -> i32 {
        let _ = guest;
        Ok(0)
    }

    "Returns the environment as `main` gets it.", "getmainargs-wgetmainargs";
    _get_initial_narrow_environment(guest) -> GuestWord { guest.read_word(variable(guest, "_environ")).map(GuestWord) }

    "Returns the environment as `wmain` gets it.", "getmainargs-wgetmainargs";
    _get_initial_wide_environment(guest) -> GuestWord { guest.read_word(variable(guest, "_wenviron")).map(GuestWord) }

    "Returns the command line as `WinMain` gets it: behind the program's name.", "getmainargs-wgetmainargs";
    _get_narrow_winmain_command_line(guest) -> GuestWord {
        let before = skip_program(&guest.process().start.command_line);
        let skipped = crt(guest).narrow(&guest.process().start.command_line[..before]).len() as u64;
        Ok(GuestWord(guest.read_word(variable(guest, "_acmdln"))? + skipped))
    }

    "Returns the command line as `wWinMain` gets it: behind the program's name.", "getmainargs-wgetmainargs";
    _get_wide_winmain_command_line(guest) -> GuestWord {
        let before = skip_program(&guest.process().start.command_line) as u64;
        Ok(GuestWord(guest.read_word(variable(guest, "_wcmdln"))? + 2 * before))
    }

    "Is told whether the program has a console.", "set-app-type";
    _set_app_type(guest, app_type: i32) -> () {
        crt(guest).app_type.store(app_type, Ordering::Relaxed);
        Ok(())
    }

    "Returns what `_set_app_type` was told.", "query-app-type";
    _query_app_type(guest) -> i32 { Ok(crt(guest).app_type.load(Ordering::Relaxed)) }

    "Decides what start-up code does with an exception that `main` did not handle.", "seh-filter-dll-seh-filter-exe";
    _seh_filter_exe(guest, xcptnum: u32, pxcptinfoptrs: GuestWord) -> i32 { _XcptFilter(guest, xcptnum, pxcptinfoptrs) }

    "Decides what a DLL's start-up code does with an exception: only those of C++ are looked at.", "seh-filter-dll-seh-filter-exe";
    _seh_filter_dll(guest, xcptnum: u32, pxcptinfoptrs: GuestWord) -> i32 {
        if xcptnum == 0xe06d_7363 { _XcptFilter(guest, xcptnum, pxcptinfoptrs) } else { Ok(0) }
    }

    "Stores the program's path.", "get-pgmptr";
    _get_pgmptr(guest, pValue: GuestWord) -> i32 {
        let path = guest.read_word(variable(guest, "_pgmptr"))?;
        guest.write_word(pValue.0, path).map(|()| 0)
    }

    "Stores the program's path.", "get-wpgmptr";
    _get_wpgmptr(guest, pValue: GuestWord) -> i32 {
        let path = guest.read_word(variable(guest, "_wpgmptr"))?;
        guest.write_word(pValue.0, path).map(|()| 0)
    }

    "Returns how many streams may be open at once.", "getmaxstdio";
    _getmaxstdio(guest) -> i32 { Ok(crt(guest).max_streams.load(Ordering::Relaxed)) }

    "Sets how many streams may be open at once, at most 8192; returns the new number, or -1.", "setmaxstdio";
    _setmaxstdio(guest, newmax: i32) -> i32 {
        if !(20..=8192).contains(&newmax) {
            return set_errno(guest, EINVAL).map(|()| -1);
        }
        crt(guest).max_streams.store(newmax, Ordering::Relaxed);
        Ok(newmax)
    }

    "Says that the program was compiled with unsigned characters (`/J`).", "internal-crt-globals-and-functions";
    __initialize_lconv_for_unsigned_char(guest) -> () {
        use_unsigned_characters(guest)
    }

    "Is called where a debugger may want to look: does nothing.", "crt-debugger-hook";
    _crt_debugger_hook(guest, reserved: i32) -> () {
        let _ = (guest, reserved);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::skip_program;

    #[test]
    fn arguments_begin_behind_the_programs_name() {
        for (line, rest) in
            [("a.exe b c", "b c"), ("\"a b.exe\"  c", "c"), ("a\" \"b x", "x"), ("a", ""), ("", "")]
        {
            let units: Vec<u16> = line.encode_utf16().collect();
            assert_eq!(String::from_utf16_lossy(&units[skip_program(&units)..]), rest, "{line}");
        }
    }
}
