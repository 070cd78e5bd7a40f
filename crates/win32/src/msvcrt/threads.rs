//! process.h: threads. The runtime's own part is the thread's block, made when first needed (`state.rs`).

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::errno::{EINVAL, of_win32};
use super::state::{block, set_errno, thread_block};
use super::system::kernel32;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full _beginthreadex;
    full _endthreadex;
    partial _beginthread, "the thread's handle stays open when the thread ends";
    full _endthread;
    full __threadid;
    full __threadhandle;
};

/// Makes a thread; returns its handle, or 0 with `errno`.
fn begin(guest: &mut Guest, arguments: [u64; 5], thread_id: u64) -> Result<u64, Fault> {
    let [security, stack, start, argument, flags] = arguments;
    if start == 0 {
        return set_errno(guest, EINVAL).map(|()| 0);
    }
    // CreateThread stores the identifier, wanted or not.
    let scratch = thread_block(guest)? + block::CVT;
    let id = if thread_id == 0 { scratch } else { thread_id };
    let handle = kernel32(guest, "CreateThread", &[security, stack, start, argument, flags, id])?;
    let handle = if guest.machine().is_64() { handle } else { handle & 0xffff_ffff };
    if handle == 0 {
        let code = of_win32(guest.teb().last_error());
        set_errno(guest, code)?;
    }
    Ok(handle)
}

/// Starts a thread; returns its handle, which the program closes, or 0 with `errno`.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/beginthread-beginthreadex>
#[winapi(cdecl)]
pub fn _beginthreadex(
    guest: &mut Guest,
    security: GuestWord,
    stack_size: u32,
    start_address: GuestWord,
    arglist: GuestWord,
    initflag: u32,
    thrdaddr: GuestWord,
) -> Result<GuestWord, Fault> {
    let arguments = [security.0, stack_size.into(), start_address.0, arglist.0, initflag.into()];
    begin(guest, arguments, thrdaddr.0).map(GuestWord)
}

/// Ends the thread with an exit code.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/endthread-endthreadex>
#[winapi(cdecl)]
pub fn _endthreadex(guest: &mut Guest, retval: u32) -> Result<(), Fault> {
    super::state::detach_thread(guest);
    kernel32(guest, "ExitThread", &[retval.into()]).map(|_| ())
}

/// Starts a thread; returns its handle, or -1 with `errno`.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/beginthread-beginthreadex>
#[winapi(cdecl)]
pub fn _beginthread(
    guest: &mut Guest,
    start_address: GuestWord,
    stack_size: u32,
    arglist: GuestWord,
) -> Result<GuestWord, Fault> {
    // A cdecl function where a stdcall one is expected: the gate does not mind who removes the argument.
    let handle = begin(guest, [0, stack_size.into(), start_address.0, arglist.0, 0], 0)?;
    Ok(GuestWord(if handle == 0 { u64::MAX } else { handle }))
}

/// Ends the thread.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/endthread-endthreadex>
#[winapi(cdecl)]
pub fn _endthread(guest: &mut Guest) -> Result<(), Fault> {
    _endthreadex(guest, 0)
}

/// Returns the identifier of the thread.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/internal-crt-globals-and-functions>
#[winapi(cdecl)]
pub fn __threadid(guest: &mut Guest) -> u32 {
    guest.teb().get(crate::teb::Teb::THREAD_ID).unwrap_or(0) as u32
}

/// Returns the pseudo handle of the thread.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/internal-crt-globals-and-functions>
#[winapi(cdecl)]
pub fn __threadhandle(guest: &mut Guest) -> GuestWord {
    let _ = guest;
    GuestWord(-2i64 as u64)
}
