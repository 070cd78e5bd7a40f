//! fibersapi.h and winbase.h: fibers, of which there are none yet: no thread can become one.

use plat_abi::winapi;

use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full IsThreadAFiber;
    stub ConvertThreadToFiber;
    stub ConvertThreadToFiberEx;
    stub ConvertFiberToThread;
    stub CreateFiber;
    stub CreateFiberEx;
    stub DeleteFiber;
    stub SwitchToFiber;
};

/// Says whether the thread is a fiber: none can be.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fibersapi/nf-fibersapi-isthreadafiber>
#[winapi]
pub fn IsThreadAFiber(guest: &mut Guest) -> Bool {
    let _ = guest;
    FALSE
}
