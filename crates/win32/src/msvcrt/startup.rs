//! What a program's start-up code calls before `main`: arguments, environment, initialisers, modes.
//!
//! [`attach`] is the runtime's own start: the crate `loader` calls it once the DLL is mapped.

use std::sync::atomic::Ordering;

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::state::{crt, place, place_narrow, place_wide, variable};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::command_line::{Rules, expand_wildcards, split};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full __getmainargs;
    full __wgetmainargs;
    full _initterm;
    full _initterm_e;
    full __set_app_type;
    partial __setusermatherr, "the handler is kept but never called";
    full __p__fmode;
    full __p__commode;
    full __p___initenv;
    full __p___winitenv;
    full __p__environ;
    full __p__wenviron;
    full __p__acmdln;
    full __p__wcmdln;
    full __p__pgmptr;
    full __p__wpgmptr;
    full __p___argc;
    full __p___argv;
    full __p___wargv;
    full __p__timezone;
    full __p__daylight;
    full __p__dstbias;
    full __p__tzname;
    full __p__pctype;
    full __p__iob;
    full __p__osver;
    full __p__winver;
    full __p__winmajor;
    full __p__winminor;
    full __p___mb_cur_max;
    full _get_fmode;
    full _set_fmode;
    full _get_osplatform;
    full __lconv_init;
    partial _set_invalid_parameter_handler, "the handler is kept but never called";
    full _set_error_mode;
    full __p__fileinfo;
};

/// Fills in the variables that hold addresses: command line, environment, tables. Called once, before any DLL's or
/// program's code runs.
///
/// # Errors
/// [`Fault`] when the DLL's variables are not mapped.
pub fn attach(guest: &mut Guest) -> Result<(), Fault> {
    // A program may bring its own msvcrt.dll, and an attached one stays as it is.
    if variable(guest, "_iob") == 0 || crt(guest).attached.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    let start = &guest.process().start;
    let line = crt(guest).narrow(&start.command_line);
    let program = crt(guest).narrow(&start.program);
    let pointers = [
        ("_acmdln", place_narrow(guest, &line)?),
        ("_wcmdln", place_wide(guest, &start.command_line)?),
        ("_pgmptr", place_narrow(guest, &program)?),
        ("_wpgmptr", place_wide(guest, &start.program)?),
        // The table begins with the entry for EOF, -1.
        ("_pctype", variable(guest, "_ctype") + 2),
        ("_pwctype", variable(guest, "_ctype") + 2),
    ];
    for (name, address) in pointers {
        guest.write_word(variable(guest, name), address)?;
    }
    super::env::attach(guest)?;
    super::time::attach(guest)?;
    super::locale::attach(guest)?;
    place_error_texts(guest)?;
    super::fd::attach(guest);
    Ok(())
}

fn place_error_texts(guest: &Guest) -> Result<(), Fault> {
    let (list, word) = (variable(guest, "_sys_errlist"), guest.machine().pointer_size());
    for (index, text) in super::errno::TEXTS.iter().enumerate() {
        let address = place_narrow(guest, text.as_bytes())?;
        guest.write_word(list + index as u64 * word, address)?;
    }
    Ok(())
}

/// Splits the command line by msvcrt's rules, with wildcards expanded if asked.
pub(crate) fn arguments(guest: &mut Guest, expand: bool) -> Vec<Vec<u16>> {
    let arguments = split(&guest.process().start.command_line, Rules::Msvcrt);
    if !expand {
        return arguments.into_iter().map(|argument| argument.text).collect();
    }
    expand_wildcards(arguments, |pattern| super::find::expand(guest, pattern))
}

/// Puts an array of pointers, ended by null, into guest memory.
pub(crate) fn place_pointers(guest: &Guest, pointers: &[u64]) -> Result<u64, Fault> {
    let size = guest.machine().pointer_size() as usize;
    let bytes: Vec<u8> =
        pointers.iter().chain(&[0]).flat_map(|pointer| pointer.to_le_bytes()[..size].to_vec()).collect();
    place(guest, &bytes)
}

/// Stores `argc`, `argv` and the environment for `main`; expands wildcards if asked.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/getmainargs-wgetmainargs>
#[winapi(cdecl)]
pub fn __getmainargs(
    guest: &mut Guest,
    Argc: GuestWord,
    Argv: GuestWord,
    Env: GuestWord,
    DoWildCard: i32,
    StartInfo: GuestWord,
) -> Result<i32, Fault> {
    let _ = StartInfo;
    let mut pointers = Vec::new();
    for argument in arguments(guest, DoWildCard != 0) {
        let text = crt(guest).narrow(&argument);
        pointers.push(place_narrow(guest, &text)?);
    }
    store_arguments(guest, [Argc.0, Argv.0, Env.0], &pointers, ["__argv", "_environ"])
}

/// Stores `argc`, `argv` and the environment for `wmain`; expands wildcards if asked.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/getmainargs-wgetmainargs>
#[winapi(cdecl)]
pub fn __wgetmainargs(
    guest: &mut Guest,
    Argc: GuestWord,
    Argv: GuestWord,
    Env: GuestWord,
    DoWildCard: i32,
    StartInfo: GuestWord,
) -> Result<i32, Fault> {
    let _ = StartInfo;
    let mut pointers = Vec::new();
    for argument in arguments(guest, DoWildCard != 0) {
        pointers.push(place_wide(guest, &argument)?);
    }
    store_arguments(guest, [Argc.0, Argv.0, Env.0], &pointers, ["__wargv", "_wenviron"])
}

fn store_arguments(
    guest: &mut Guest,
    to: [u64; 3],
    pointers: &[u64],
    [argv, environ]: [&'static str; 2],
) -> Result<i32, Fault> {
    let array = place_pointers(guest, pointers)?;
    let count = pointers.len() as u32;
    guest.write(variable(guest, "__argc"), &count)?;
    guest.write_word(variable(guest, argv), array)?;
    guest.write(to[0], &count)?;
    guest.write_word(to[1], array)?;
    let environment = guest.read_word(variable(guest, environ))?;
    guest.write_word(to[2], environment)?;
    Ok(0)
}

/// Calls each function in a table of pointers, null ones left out.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/initterm-initterm-e>
#[winapi(cdecl)]
pub fn _initterm(guest: &mut Guest, first: GuestWord, last: GuestWord) -> Result<(), Fault> {
    run_table(guest, first.0, last.0, |_| false).map(|_| ())
}

/// Calls each function in a table of pointers until one returns something else than 0; returns that.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/initterm-initterm-e>
#[winapi(cdecl)]
pub fn _initterm_e(guest: &mut Guest, first: GuestWord, last: GuestWord) -> Result<i32, Fault> {
    run_table(guest, first.0, last.0, |result| result != 0)
}

fn run_table(guest: &mut Guest, first: u64, last: u64, stop: fn(i32) -> bool) -> Result<i32, Fault> {
    let word = guest.machine().pointer_size();
    let mut at = first;
    while at < last {
        let function = guest.read_word(at)?;
        if function != 0 {
            let result = guest.call(function, &[])? as i32;
            if stop(result) {
                return Ok(result);
            }
        }
        at += word;
    }
    Ok(0)
}

/// Is told whether the program has a console: fatal errors go to the standard error in either case.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/set-app-type>
#[winapi(cdecl)]
pub fn __set_app_type(guest: &mut Guest, at: i32) {
    let _ = (guest, at);
}

/// Is given the program's own `_matherr`, which a program may leave to the default: nothing calls it, since the
/// results and `errno` of failed functions are the default's.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/setusermatherr>
#[winapi(cdecl)]
pub fn __setusermatherr(guest: &mut Guest, pf: GuestWord) {
    let _ = (guest, pf);
}

/// Defines functions that return the address of a variable.
macro_rules! addresses {
    ($($function:ident => $variable:literal;)*) => {$(
        #[doc = concat!("Returns the address of `", $variable, "`.")]
        ///
        /// Source: <https://learn.microsoft.com/cpp/c-runtime-library/internal-crt-globals-and-functions>
        #[winapi(cdecl)]
        pub fn $function(guest: &mut Guest) -> GuestWord {
            GuestWord(variable(guest, $variable))
        }
    )*};
}
addresses! {
    __p__fmode => "_fmode";
    __p__commode => "_commode";
    __p___initenv => "__initenv";
    __p___winitenv => "__winitenv";
    __p__environ => "_environ";
    __p__wenviron => "_wenviron";
    __p__acmdln => "_acmdln";
    __p__wcmdln => "_wcmdln";
    __p__pgmptr => "_pgmptr";
    __p__wpgmptr => "_wpgmptr";
    __p___argc => "__argc";
    __p___argv => "__argv";
    __p___wargv => "__wargv";
    __p__timezone => "_timezone";
    __p__daylight => "_daylight";
    __p__dstbias => "_dstbias";
    __p__tzname => "_tzname";
    __p__pctype => "_pctype";
    __p__iob => "_iob";
    __p__osver => "_osver";
    __p__winver => "_winver";
    __p__winmajor => "_winmajor";
    __p__winminor => "_winminor";
    __p___mb_cur_max => "__mb_cur_max";
    __p__fileinfo => "_fileinfo";
}

/// Stores the default translation mode of files at `pmode`.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/get-fmode>
#[winapi(cdecl)]
pub fn _get_fmode(guest: &mut Guest, pmode: GuestWord) -> Result<i32, Fault> {
    let mode: u32 = guest.read(variable(guest, "_fmode"))?;
    guest.write(pmode.0, &mode)?;
    Ok(0)
}

/// Sets the default translation mode of files.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/set-fmode>
#[winapi(cdecl)]
pub fn _set_fmode(guest: &mut Guest, mode: u32) -> Result<i32, Fault> {
    guest.write(variable(guest, "_fmode"), &mode)?;
    Ok(0)
}

/// Stores the platform, Windows NT, at `pValue`.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/osplatform>
#[winapi(cdecl)]
pub fn _get_osplatform(guest: &mut Guest, pValue: GuestWord) -> Result<i32, Fault> {
    guest.write(pValue.0, &2u32)?;
    Ok(0)
}

/// Says that the program was compiled with unsigned characters (`/J`): what no locale tells is 255 in `localeconv`'s structure.
///
/// Source: <https://learn.microsoft.com/cpp/build/reference/j-default-char-type-is-unsigned>
#[winapi(cdecl)]
pub fn __lconv_init(guest: &mut Guest) -> Result<i32, Fault> {
    super::locale::use_unsigned_characters(guest)?;
    Ok(0)
}

/// Sets the function that is told of invalid parameters; returns the one before.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/set-invalid-parameter-handler-set-thread-local-invalid-parameter-handler>
#[winapi(cdecl)]
pub fn _set_invalid_parameter_handler(guest: &mut Guest, pNew: GuestWord) -> GuestWord {
    GuestWord(crt(guest).handlers[0].swap(pNew.0, Ordering::Relaxed))
}

/// Says where fatal errors are shown: always on the standard error. Returns the old mode, `_OUT_TO_STDERR`.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/set-error-mode>
#[winapi(cdecl)]
pub fn _set_error_mode(guest: &mut Guest, mode_val: i32) -> i32 {
    let _ = (guest, mode_val);
    1
}
