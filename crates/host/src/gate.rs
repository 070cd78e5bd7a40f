//! The gate: guest code calls Rust, Rust calls guest code, faults become calls of the system.
//!
//! Key types: [`System`] (what runs on this side), [`Call`] (one call of the guest), [`Thread`] (the current guest
//! thread), [`Registers`] (a full register state). The assembler is in `entry`, what it shares with Rust in `block`.

pub(crate) mod block;
pub(crate) mod dispatch;
pub(crate) mod entry;
mod fiber;
mod float_state;
mod interrupt;
mod registers;
mod thread;
mod trampoline;

pub use block::{CallFrame, TEB_PRIVATE, ThreadBlock};
pub use dispatch::{Call, FaultInfo, System, install, system};
pub use fiber::{Entrance, NoStack, SavedFiber};
pub use float_state::FloatState;
pub use interrupt::{Interrupt, interrupt_signal};
pub use registers::Registers;
pub use thread::{Thread, Unsupported, probe};
pub use trampoline::{HandlerKind, TRAMPOLINE_SIZE, Trampoline};

/// Returns the address that a 64-bit thunk jumps to with the function's index in EAX.
pub fn enter64_address() -> u64 {
    std::ptr::addr_of!(entry::plat_enter64) as u64
}

/// Returns the address to which a 64-bit guest function called by the host returns.
pub fn return64_address() -> u64 {
    std::ptr::addr_of!(entry::plat_return64) as u64
}
