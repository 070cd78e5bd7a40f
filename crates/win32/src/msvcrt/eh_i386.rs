//! The 32-bit frames of `__try`: `_except_handler3`, `_except_handler4_common` and their unwinding.
//!
//! Filters, `__finally` blocks and `catch` blocks are funclets: they run with the EBP of their function's frame.
//! Guest code that the host cannot call by itself goes through `FUNCLET` and `THISCALL`.
//!
//! Source: Microsoft Systems Journal, January 1997, "A Crash Course on the Depths of Win32 Structured Exception
//! Handling" (frame and scope table).

pub mod cxx;
mod cxx_types;
pub mod jump;

use std::sync::OnceLock;

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::NtStatus;
use crate::dll;
use crate::export::{Code, Export};
use crate::guest::{Guest, to_fault};
use crate::nt::exception::context::{Record, flags};
use crate::nt::exception::dispatch;
use crate::process::Symbol;

/// The exports of this file: 32-bit ones only.
pub const EXPORTS: &[Export] = dll! {
    code _except_handler3: EXCEPT_HANDLER3;
    code _except_handler4_common: EXCEPT_HANDLER4_COMMON;
    code _local_unwind2: LOCAL_UNWIND2;
    code _local_unwind4: LOCAL_UNWIND4;
    code _global_unwind2: GLOBAL_UNWIND2;
    code _seh_longjmp_unwind: SEH_LONGJMP_UNWIND;
    code _seh_longjmp_unwind4: SEH_LONGJMP_UNWIND4;
    code __plat_funclet: FUNCLET;
    code __plat_thiscall: THISCALL;
};

/// A 32-bit function in Rust: the name is not exported to 64-bit programs.
macro_rules! only_i386 {
    ($($name:ident: $function:ty;)*) => {
        $(static $name: $crate::export::Code = $crate::export::Code {
            i386: &[0x90], // nop: the thunk follows
            amd64: &[],
            slow: Some(&<$function as plat_abi::Api<$crate::guest::Guest>>::DESCRIPTOR),
        };)*
    };
}
pub(crate) use only_i386;

only_i386! {
    EXCEPT_HANDLER3: _except_handler3;
    EXCEPT_HANDLER4_COMMON: _except_handler4_common;
    LOCAL_UNWIND2: _local_unwind2;
    LOCAL_UNWIND4: _local_unwind4;
    GLOBAL_UNWIND2: _global_unwind2;
    SEH_LONGJMP_UNWIND: _seh_longjmp_unwind;
    SEH_LONGJMP_UNWIND4: _seh_longjmp_unwind4;
}

/// `funclet(function, ebp)`: calls a function that has no frame of its own.
#[rustfmt::skip]
static FUNCLET: Code = Code {
    i386: &[
        0x55, 0x53, 0x56, 0x57, // push ebp; push ebx; push esi; push edi
        0x8b, 0x44, 0x24, 0x14, // mov eax,[esp+0x14]
        0x8b, 0x6c, 0x24, 0x18, // mov ebp,[esp+0x18]
        0xff, 0xd0, // call eax
        0x5f, 0x5e, 0x5b, 0x5d, // pop edi; pop esi; pop ebx; pop ebp
        0xc3, // ret
    ],
    amd64: &[],
    slow: None,
};

/// `thiscall(function, this, first, second)`: calls a member function that takes up to two arguments.
#[rustfmt::skip]
static THISCALL: Code = Code {
    i386: &[
        0x55, 0x89, 0xe5, // push ebp; mov ebp,esp
        0xff, 0x75, 0x14, // push [ebp+0x14]
        0xff, 0x75, 0x10, // push [ebp+0x10]
        0x8b, 0x4d, 0x0c, // mov ecx,[ebp+0xc]
        0xff, 0x55, 0x08, // call [ebp+8]
        0x89, 0xec, 0x5d, 0xc3, // mov esp,ebp; pop ebp; ret: however much the function removed
    ],
    amd64: &[],
    slow: None,
};

/// Disposition: the next frame's handler is asked.
const CONTINUE_SEARCH: u32 = 1;

/// Room in bytes on the guest's stack between a handler's arguments and the funclets that it calls.
const ROOM: u64 = 16;

/// Calls a funclet; returns EAX.
fn funclet(guest: &mut Guest, function: u64, ebp: u64) -> Result<u32, Fault> {
    static HELPER: OnceLock<u64> = OnceLock::new();
    let helper = helper(guest, &HELPER, "__plat_funclet");
    let stack = room(guest);
    guest.gate().call_at(helper, &[function, ebp], stack).map(|eax| eax as u32).map_err(to_fault)
}

/// Calls a member function.
fn thiscall(guest: &mut Guest, function: u64, this: u64, arguments: [u64; 2]) -> Result<u32, Fault> {
    static HELPER: OnceLock<u64> = OnceLock::new();
    let helper = helper(guest, &HELPER, "__plat_thiscall");
    Ok(guest.call(helper, &[function, this, arguments[0], arguments[1]])? as u32)
}

/// Returns where the room begins that funclets leave free.
fn room(guest: &Guest) -> u64 {
    guest.gate().top_stack_pointer().unwrap_or(0).wrapping_sub(ROOM)
}

/// Finds one of this file's functions in guest code; 0 ends in an access violation of the guest.
fn helper(guest: &mut Guest, known: &OnceLock<u64>, name: &str) -> u64 {
    if let Some(&address) = known.get() {
        return address;
    }
    let dll: Vec<u16> = "msvcrt.dll".encode_utf16().collect();
    let loader = guest.process().loader();
    let base = loader.module_named(&dll).map(|module| module.base);
    let found = base.and_then(|base| loader.symbol(guest, base, Symbol::Name(name)).ok());
    *known.get_or_init(|| found.unwrap_or(0))
}

/// Goes on in the guest with these registers; the others are the caller's.
fn go_on(guest: &Guest, eip: u64, esp: u64, ebp: u64) -> ! {
    let mut registers = dispatch::caller(guest, 0);
    registers.rip = eip;
    registers.general[4] = esp;
    registers.general[5] = ebp;
    guest.gate().resume(registers)
}

/// A frame of `__try`, with its scope table decoded.
#[derive(Clone, Copy, Debug)]
struct Frame {
    /// The address of its node in the chain.
    node: u64,
    /// The address of the first entry of its scope table.
    table: u64,
    /// The level outside every `__try`.
    outside: u32,
}

/// One entry of a scope table.
#[derive(Clone, Copy, Debug)]
struct Scope {
    enclosing: u32,
    /// 0 for `__finally`.
    filter: u64,
    handler: u64,
}

impl Frame {
    const LEVEL: u64 = 12;

    fn of_handler3(guest: &Guest, node: u64) -> Result<Self, Fault> {
        Ok(Self { node, table: guest.read_word(node + 8)?, outside: u32::MAX })
    }

    /// The table's address is hidden by the module's cookie; a header with the places of cookies comes first.
    fn of_handler4(guest: &Guest, node: u64, cookie: u64) -> Result<Self, Fault> {
        const HEADER: u64 = 16;
        let hidden = guest.read_word(node + 8)? ^ guest.read_word(cookie)?;
        Ok(Self { node, table: hidden + HEADER, outside: u32::MAX - 1 })
    }

    fn ebp(self) -> u64 {
        self.node + 16
    }

    fn level(self, guest: &Guest) -> Result<u32, Fault> {
        guest.read_u32(self.node + Self::LEVEL)
    }

    fn set_level(self, guest: &Guest, level: u32) -> Result<(), Fault> {
        guest.write_bytes(self.node + Self::LEVEL, &level.to_le_bytes())
    }

    fn scope(self, guest: &Guest, level: u32) -> Result<Scope, Fault> {
        let at = self.table + u64::from(level) * 12;
        Ok(Scope {
            enclosing: guest.read_u32(at)?,
            filter: guest.read_word(at + 4)?,
            handler: guest.read_word(at + 8)?,
        })
    }

    /// Runs the `__finally` blocks between the frame's level and `stop`.
    fn unwind(self, guest: &mut Guest, stop: u32) -> Result<(), Fault> {
        loop {
            let level = self.level(guest)?;
            if level == self.outside || level == stop {
                return Ok(());
            }
            let scope = self.scope(guest, level)?;
            self.set_level(guest, scope.enclosing)?;
            if scope.filter == 0 {
                funclet(guest, scope.handler, self.ebp())?;
            }
        }
    }

    /// Answers for the frame: asks its filters from the innermost, or unwinds it.
    fn handle(self, guest: &mut Guest, record: u64, context: u64) -> Result<u32, Fault> {
        const XPOINTERS_BELOW: u64 = 4;
        const CONTINUE_EXECUTION: u32 = 0;
        let what = Record::load(guest, record)?;
        if what.flags & (flags::UNWINDING | flags::EXIT_UNWIND) != 0 {
            self.unwind(guest, self.outside)?;
            return Ok(CONTINUE_SEARCH);
        }
        let pointers = room(guest);
        guest.write_word(pointers, record)?;
        guest.write_word(pointers + 4, context)?;
        guest.write_word(self.node - XPOINTERS_BELOW, pointers)?;
        let mut level = self.level(guest)?;
        while level != self.outside {
            let scope = self.scope(guest, level)?;
            if scope.filter != 0 {
                match funclet(guest, scope.filter, self.ebp())? as i32 {
                    0 => {}
                    ..0 => return Ok(CONTINUE_EXECUTION),
                    _ => return self.enter(guest, level, scope, what),
                }
            }
            level = scope.enclosing;
        }
        Ok(CONTINUE_SEARCH)
    }

    /// Unwinds everything inside the `__except` block, and goes on there.
    fn enter(self, guest: &mut Guest, level: u32, scope: Scope, record: Record) -> Result<u32, Fault> {
        const SAVED_ESP_BELOW: u64 = 8;
        unwind_to(guest, self.node, record);
        self.unwind(guest, level)?;
        self.set_level(guest, scope.enclosing)?;
        let esp = guest.read_word(self.node - SAVED_ESP_BELOW)?;
        go_on(guest, scope.handler, esp, self.ebp())
    }
}

/// Unwinds the chain up to `node`; a broken chain raises what Windows raises.
fn unwind_to(guest: &mut Guest, node: u64, record: Record) {
    if let Err(status) = dispatch::unwind_chain(guest, node, record) {
        let registers = dispatch::caller(guest, 0);
        let record = Record::noncontinuable(status, registers.rip);
        dispatch::raise(guest, record, registers)
    }
}

/// Handles an exception for a frame of `__try`.
///
/// Source: <https://learn.microsoft.com/windows/win32/devnotes/-except-handler3>
#[winapi(cdecl)]
pub fn _except_handler3(
    guest: &mut Guest,
    exception_record: GuestWord,
    registration: GuestWord,
    context: GuestWord,
    dispatcher: GuestWord,
) -> Result<u32, Fault> {
    let _ = dispatcher;
    let frame = Frame::of_handler3(guest, registration.0)?;
    frame.handle(guest, exception_record.0, context.0)
}

/// Handles an exception for a frame of `__try` whose scope table is hidden by a cookie.
///
/// The cookies on the stack are not checked: they find attacks on the program, which `plat` does not defend.
///
/// Source: mingw-w64, msvcrt.def (name); the compiler's code (arguments).
#[winapi(cdecl)]
pub fn _except_handler4_common(
    guest: &mut Guest,
    cookie: GuestWord,
    check_cookie: GuestWord,
    exception_record: GuestWord,
    registration: GuestWord,
    context: GuestWord,
    dispatcher: GuestWord,
) -> Result<u32, Fault> {
    let _ = (check_cookie, dispatcher);
    let frame = Frame::of_handler4(guest, registration.0, cookie.0)?;
    frame.handle(guest, exception_record.0, context.0)
}

/// Runs a frame's `__finally` blocks up to a level.
///
/// Source: <https://learn.microsoft.com/windows/win32/devnotes/-local-unwind2>
#[winapi(cdecl)]
pub fn _local_unwind2(guest: &mut Guest, xr: GuestWord, stop: u32) -> Result<(), Fault> {
    Frame::of_handler3(guest, xr.0)?.unwind(guest, stop)
}

/// Runs a frame's `__finally` blocks up to a level; the scope table is hidden by a cookie.
///
/// Source: <https://learn.microsoft.com/windows/win32/devnotes/-local-unwind4>
#[winapi(cdecl)]
pub fn _local_unwind4(guest: &mut Guest, cookie: GuestWord, xr: GuestWord, stop: u32) -> Result<(), Fault> {
    Frame::of_handler4(guest, xr.0, cookie.0)?.unwind(guest, stop)
}

/// Unwinds all frames above one.
///
/// Source: <https://learn.microsoft.com/windows/win32/devnotes/-global-unwind2>
#[winapi(cdecl)]
pub fn _global_unwind2(guest: &mut Guest, xr: GuestWord) {
    let address = dispatch::caller(guest, 0).rip;
    unwind_to(guest, xr.0, Record::new(NtStatus::UNWIND, address));
}

/// Runs the `__finally` blocks that a `longjmp` leaves: `buffer` is the `jmp_buf`.
///
/// Source: <https://learn.microsoft.com/windows/win32/devnotes/-seh-longjmp-unwind>
#[winapi]
pub fn _seh_longjmp_unwind(guest: &mut Guest, buffer: GuestWord) -> Result<(), Fault> {
    jump::unwind_frame(guest, buffer.0)
}

/// Runs the `__finally` blocks that a `longjmp` leaves, for a frame with a cookie.
///
/// Source: <https://learn.microsoft.com/windows/win32/devnotes/-seh-longjmp-unwind4>
#[winapi]
pub fn _seh_longjmp_unwind4(guest: &mut Guest, buffer: GuestWord) -> Result<(), Fault> {
    jump::unwind_frame4(guest, buffer.0)
}
