//! How a guest call becomes a Rust call, for 32 and 64 bits.
//!
//! A guest's arguments are an array of words in guest memory: the 32-bit stack after the return address, or the
//! 64-bit home space after the gate spilled RCX, RDX, R8 and R9 there. One [`Cursor`] serves both. Sizes come from
//! types ([`Param::SIZE_I386`]), so the `ret N` of a stdcall thunk is a sum that rustc makes. Widths stop here:
//! inside, an address is a `u64`.
//!
//! Start with [`Api`]; `#[winapi]` implements it. Neighbours: `win32` declares functions, `loader` writes thunks.
#![forbid(unsafe_code)]

mod api;
mod cursor;
mod memory;
mod param;
mod structs;

pub use api::{Api, ApiDescriptor, Convention, ParamInfo, Raw, Return};
pub use cursor::Cursor;
pub use memory::{Fault, FaultKind, Machine, Memory};
pub use param::{GuestWord, Param, VarArgs};
pub use plat_abi_macros::{GuestStruct, winapi};
pub use structs::{GuestStruct, field_offset};
