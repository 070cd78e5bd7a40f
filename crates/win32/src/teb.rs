//! The thread and process environment blocks: where their fields lie for each machine, and access to them.
//!
//! Key types: [`Teb`], [`Peb`], [`Field`].
//! Source: the public symbols of ntdll (`dt ntdll!_TEB`, `dt ntdll!_PEB`), as published at
//! <https://www.vergiliusproject.com>.

use plat_abi::{Fault, Machine, Memory};
use plat_host::memory;

use crate::guest::GuestMemory;
use crate::nt::file_standard::Standard;
use crate::{NtStatus, Win32Error};

/// Bytes reserved for a TEB: Windows' structure in the first page and a half, plat's own word at the end.
pub const TEB_SIZE: u64 = 0x2000;

/// Bytes reserved for the PEB.
pub const PEB_SIZE: u64 = 0x1000;

/// Where a field lies in each machine's structure.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Offset in bytes in the 32-bit structure.
    pub i386: u64,
    /// Offset in bytes in the 64-bit structure.
    pub amd64: u64,
}

impl Field {
    pub(crate) const fn new(i386: u64, amd64: u64) -> Self {
        Self { i386, amd64 }
    }

    /// Returns the offset for a machine.
    #[inline]
    pub const fn offset(self, machine: Machine) -> u64 {
        match machine {
            Machine::I386 => self.i386,
            Machine::Amd64 => self.amd64,
        }
    }
}

/// A thread environment block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Teb {
    /// Its address.
    pub address: u64,
    /// Whose layout it has.
    pub machine: Machine,
}

impl Teb {
    /// The head of the 32-bit chain of exception handlers.
    pub const EXCEPTION_LIST: Field = Field::new(0, 0);
    /// The highest address of the stack, exclusive.
    pub const STACK_BASE: Field = Field::new(0x4, 0x8);
    /// The lowest committed address of the stack.
    pub const STACK_LIMIT: Field = Field::new(0x8, 0x10);
    /// The current fiber, or the version on systems without.
    pub const FIBER_DATA: Field = Field::new(0x10, 0x20);
    /// The block's own address.
    pub const SELF: Field = Field::new(0x18, 0x30);
    /// The process identifier.
    pub const PROCESS_ID: Field = Field::new(0x20, 0x40);
    /// The thread identifier.
    pub const THREAD_ID: Field = Field::new(0x24, 0x48);
    /// The array of pointers to the modules' static thread-local data.
    pub const TLS_POINTER: Field = Field::new(0x2c, 0x58);
    /// The PEB's address.
    pub const PEB: Field = Field::new(0x30, 0x60);
    /// The last Win32 error.
    pub const LAST_ERROR: Field = Field::new(0x34, 0x68);
    /// The last status, four bytes.
    pub const LAST_STATUS: Field = Field::new(0xbf4, 0x1250);
    /// The locale identifier.
    pub const CURRENT_LOCALE: Field = Field::new(0xc4, 0x108);
    /// The lowest address of the stack's reservation.
    pub const DEALLOCATION_STACK: Field = Field::new(0xe0c, 0x1478);
    /// The first 64 thread-local slots.
    pub const TLS_SLOTS: Field = Field::new(0xe10, 0x1480);
    /// The further 1,024 thread-local slots.
    pub const TLS_EXPANSION: Field = Field::new(0xf94, 0x1780);
    /// Two bytes of flags, among them whether the thread is a fiber.
    pub const SAME_TEB_FLAGS: Field = Field::new(0xfca, 0x17ee);
    /// The fiber-local slots.
    pub const FLS_DATA: Field = Field::new(0xfb4, 0x17c8);
    /// Where the thread's `errno` lies, once it was needed; beyond all that Windows defines.
    pub const ERRNO: Field = Field::new(0x1fd8, 0x1fd8);
    /// The guaranteed bytes left for a stack overflow's handler.
    pub const GUARANTEED_STACK: Field = Field::new(0xf78, 0x1748);

    /// Reads a pointer-sized field.
    ///
    /// # Errors
    /// [`Fault`] when the guest unmapped its own TEB.
    pub fn get(self, field: Field) -> Result<u64, Fault> {
        GuestMemory::of(self.machine).read_word(self.address + field.offset(self.machine))
    }

    /// Writes a pointer-sized field.
    ///
    /// # Errors
    /// [`Fault`] when the guest unmapped its own TEB.
    pub fn set(self, field: Field, value: u64) -> Result<(), Fault> {
        GuestMemory::of(self.machine).write_word(self.address + field.offset(self.machine), value)
    }

    /// Sets the last error; a guest without a TEB has none.
    #[inline]
    pub fn set_last_error(self, error: Win32Error) {
        // A guest that unmapped its own TEB runs into the fault by itself at its next access.
        let _ = memory::write_u32(self.address + Self::LAST_ERROR.offset(self.machine), error.0);
    }

    /// Sets the last status; a guest without a TEB has none.
    pub fn set_last_status(self, status: NtStatus) {
        // As for the last error.
        let _ = memory::write_u32(self.address + Self::LAST_STATUS.offset(self.machine), status.0);
    }

    /// Reads the last status.
    pub fn last_status(self) -> NtStatus {
        NtStatus(memory::read_u32(self.address + Self::LAST_STATUS.offset(self.machine)).unwrap_or(0))
    }

    /// Reads the last error.
    pub fn last_error(self) -> Win32Error {
        Win32Error(memory::read_u32(self.address + Self::LAST_ERROR.offset(self.machine)).unwrap_or(0))
    }
}

/// Returns where the process parameters have a standard handle.
///
/// Source: the public symbols of ntdll (`RTL_USER_PROCESS_PARAMETERS`).
pub const fn standard_handle(which: Standard) -> Field {
    let index = which as u64;
    Field::new(0x18 + 4 * index, 0x20 + 8 * index)
}

/// Offsets in the process environment block.
#[derive(Clone, Copy, Debug)]
pub struct Peb;

impl Peb {
    /// One byte: whether a debugger is there.
    pub const BEING_DEBUGGED: Field = Field::new(0x2, 0x2);
    /// The EXE's base.
    pub const IMAGE_BASE: Field = Field::new(0x8, 0x10);
    /// The loader's lists.
    pub const LDR: Field = Field::new(0xc, 0x18);
    /// The process parameters.
    pub const PROCESS_PARAMETERS: Field = Field::new(0x10, 0x20);
    /// The process heap.
    pub const PROCESS_HEAP: Field = Field::new(0x18, 0x30);
    /// The critical section that guards this block.
    pub const FAST_PEB_LOCK: Field = Field::new(0x1c, 0x38);
    /// Four bytes, beyond all that Windows defines: whether there was ever a second thread.
    pub const THREADS: Field = Field::new(0xff0, 0xff0);
    /// Number of processors, four bytes.
    pub const NUMBER_OF_PROCESSORS: Field = Field::new(0x64, 0xb8);
    /// The loader's critical section.
    pub const LOADER_LOCK: Field = Field::new(0xa0, 0x110);
    /// Windows' major version, four bytes.
    pub const OS_MAJOR: Field = Field::new(0xa4, 0x118);
    /// Windows' minor version, four bytes.
    pub const OS_MINOR: Field = Field::new(0xa8, 0x11c);
    /// Windows' build number, two bytes.
    pub const OS_BUILD: Field = Field::new(0xac, 0x120);
    /// Platform identifier, four bytes: 2 for NT.
    pub const OS_PLATFORM: Field = Field::new(0xb0, 0x124);
    /// The EXE's subsystem, four bytes.
    pub const IMAGE_SUBSYSTEM: Field = Field::new(0xb4, 0x128);
    /// The session identifier, four bytes.
    pub const SESSION_ID: Field = Field::new(0x1d4, 0x2c0);
}
