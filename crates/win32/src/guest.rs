//! What a Windows function gets as its first parameter: the calling guest thread.
//!
//! Key type: [`Guest`]. It reads and writes guest memory through [`plat_abi::Memory`], calls guest functions, and
//! leads to the thread's TEB and to the [`Process`].

use std::sync::Arc;

use plat_abi::{Cursor, Fault, FaultKind, GuestWord, Machine, Memory, Raw, Return};
use plat_host::gate::{Call, Registers, Thread};
use plat_host::memory::{self, MemoryFault};
use plat_regions::Address;

use crate::nt::object::Object;
use crate::process::Process;
use crate::teb::Teb;
use crate::{NtStatus, Win32Error};

/// The guest thread that called, for the time of one call.
pub struct Guest {
    process: &'static Process,
    thread: Thread,
    teb: Teb,
    machine: Machine,
    arguments: u64,
    floats: [u64; 4],
}

impl Guest {
    /// Describes the caller of a call.
    #[inline]
    pub(crate) fn of_call(process: &'static Process, call: &Call<'_>) -> Self {
        let (thread, machine) = (call.thread(), process.machine);
        let teb = Teb { address: thread.teb(), machine };
        Self { process, thread, teb, machine, arguments: call.arguments(), floats: call.floats() }
    }

    /// Describes a guest thread outside any call: at its start, or in a fault.
    pub fn of_thread(process: &'static Process, thread: Thread) -> Self {
        let machine = process.machine;
        let teb = Teb { address: thread.teb(), machine };
        Self { process, thread, teb, machine, arguments: 0, floats: [0; 4] }
    }

    /// Returns the process.
    #[inline]
    pub fn process(&self) -> &'static Process {
        self.process
    }

    /// Returns a handle's object as its type; knows the pseudo handles.
    ///
    /// # Errors
    ///
    /// `ERROR_INVALID_HANDLE` where there is none, or one of another type.
    pub fn object<T: Object>(&self, handle: GuestWord) -> Result<Arc<T>, Win32Error> {
        Ok(self.process.object_as(handle.get())?)
    }

    /// Returns a word as it lies in the guest's memory: four bytes or eight.
    pub fn word_bytes(&self, word: u64) -> Vec<u8> {
        word.to_le_bytes()[..self.machine.pointer_size() as usize].to_vec()
    }

    /// Returns the thread's side of the gate.
    pub fn gate(&self) -> Thread {
        self.thread
    }

    /// Returns the thread's environment block.
    #[inline]
    pub fn teb(&self) -> Teb {
        self.teb
    }

    /// Starts at the first argument of the call.
    #[inline]
    pub fn arguments(&self) -> Cursor<'static, GuestMemory> {
        Cursor::new(GuestMemory::of(self.machine), self.arguments, self.floats)
    }

    /// Starts at a `va_list`, which in Microsoft's conventions is the address of the next argument.
    pub fn va_list(&self, address: u64) -> Cursor<'static, GuestMemory> {
        // Variable arguments are never taken from XMM registers: callers put floats into both places.
        let mut cursor = Cursor::new(GuestMemory::of(self.machine), address, [0; 4]);
        cursor.forget_registers();
        cursor
    }

    /// Ends a call whose arguments could not be read: an access violation in the guest.
    #[cold]
    pub fn argument_fault(&mut self, fault: Fault) -> Raw {
        self.raise_fault(fault)
    }

    /// Sets the thread's last error.
    #[inline]
    pub fn set_last_error(&mut self, error: Win32Error) {
        self.teb.set_last_error(error);
    }

    /// Calls a guest function with pointer-sized arguments; returns RAX, or EDX:EAX.
    ///
    /// The guest may throw an exception across this call: hold no lock while it runs.
    ///
    /// # Errors
    /// [`Fault`] when the guest's stack has no room.
    pub fn call(&mut self, function: u64, arguments: &[u64]) -> Result<u64, Fault> {
        self.thread.call(function, arguments).map_err(to_fault)
    }

    /// Returns the registers of the caller of the current call, as they will be once it has returned.
    pub fn caller_registers(&self) -> Option<Box<Registers>> {
        self.thread.caller_registers()
    }

    /// Raises an access violation in the guest, at the instruction after the call; never comes back here.
    #[cold]
    pub fn raise_fault(&mut self, fault: Fault) -> ! {
        self.process.raise_fault(self, fault)
    }
}

/// Translates the host's fault.
pub(crate) fn to_fault(fault: MemoryFault) -> Fault {
    let kind = if fault.write { FaultKind::Write } else { FaultKind::Read };
    Fault { address: Address::new(fault.address), kind }
}

/// Guest memory of a process of one machine.
#[derive(Clone, Copy, Debug)]
pub struct GuestMemory {
    machine: Machine,
}

impl GuestMemory {
    /// Returns the memory of a process of this machine.
    #[inline]
    pub fn of(machine: Machine) -> &'static Self {
        match machine {
            Machine::I386 => &Self { machine: Machine::I386 },
            Machine::Amd64 => &Self { machine: Machine::Amd64 },
        }
    }
}

/// Implements [`Memory`] over the host's recoverable accesses.
macro_rules! memory_over_host {
    ($type:ty) => {
        impl Memory for $type {
            #[inline]
            fn machine(&self) -> Machine {
                self.machine
            }
            #[inline]
            fn read_bytes(&self, address: u64, into: &mut [u8]) -> Result<(), Fault> {
                memory::read(address, into).map_err(to_fault)
            }
            #[inline]
            fn write_bytes(&self, address: u64, from: &[u8]) -> Result<(), Fault> {
                memory::write(address, from).map_err(to_fault)
            }
            #[inline]
            fn read_u32(&self, address: u64) -> Result<u32, Fault> {
                memory::read_u32(address).map_err(to_fault)
            }
            #[inline]
            fn read_u64(&self, address: u64) -> Result<u64, Fault> {
                memory::read_u64(address).map_err(to_fault)
            }
        }
    };
}
memory_over_host!(Guest);
memory_over_host!(GuestMemory);

/// A Win32 `BOOL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bool(pub bool);

/// `TRUE`.
pub const TRUE: Bool = Bool(true);
/// `FALSE`.
pub const FALSE: Bool = Bool(false);

impl Return<Guest> for Bool {
    #[inline]
    fn finish(self, _: &mut Guest) -> Raw {
        Raw::Integer(u64::from(self.0))
    }
}

impl plat_abi::Param for Bool {
    const SIZE_I386: u32 = 4;
    #[inline]
    fn take<M: Memory>(cursor: &mut Cursor<'_, M>) -> Result<Self, Fault> {
        cursor.slot_u32().map(|value| Self(value != 0))
    }
}

/// What a function returns when it fails with a last error.
pub trait Failure {
    /// The value that says "failed".
    const FAILED: Raw;
}

impl Failure for Bool {
    const FAILED: Raw = Raw::Integer(0);
}
impl Failure for plat_abi::GuestWord {
    const FAILED: Raw = Raw::Integer(0);
}
impl Failure for u32 {
    const FAILED: Raw = Raw::Integer(0);
}
impl Failure for i32 {
    const FAILED: Raw = Raw::Integer(0);
}
impl Failure for u8 {
    const FAILED: Raw = Raw::Integer(0);
}
impl Failure for u16 {
    const FAILED: Raw = Raw::Integer(0);
}

/// A `DWORD` whose failure value is 0xFFFFFFFF (`INVALID_FILE_SIZE`, `WAIT_FAILED`, `TLS_OUT_OF_INDEXES`, …).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrMinusOne(pub u32);

impl Return<Guest> for OrMinusOne {
    fn finish(self, _: &mut Guest) -> Raw {
        Raw::Integer(u64::from(self.0))
    }
}
impl Failure for OrMinusOne {
    const FAILED: Raw = Raw::Integer(0xffff_ffff);
}

/// A `HANDLE` whose failure value is `INVALID_HANDLE_VALUE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandleOrInvalid(pub u64);

impl Return<Guest> for HandleOrInvalid {
    fn finish(self, _: &mut Guest) -> Raw {
        Raw::Integer(self.0)
    }
}
impl Failure for HandleOrInvalid {
    const FAILED: Raw = Raw::Integer(u64::MAX);
}

impl<T: Return<Guest> + Failure> Return<Guest> for Result<T, Win32Error> {
    #[inline]
    fn finish(self, guest: &mut Guest) -> Raw {
        match self {
            Ok(value) => value.finish(guest),
            Err(error) => {
                guest.set_last_error(error);
                T::FAILED
            }
        }
    }
}

/// A function that takes pointers without checking them, as the C runtime does: a bad one is an access violation.
impl<T: Return<Guest>> Return<Guest> for Result<T, Fault> {
    #[inline]
    fn finish(self, guest: &mut Guest) -> Raw {
        match self {
            Ok(value) => value.finish(guest),
            Err(fault) => guest.raise_fault(fault),
        }
    }
}

impl Return<Guest> for NtStatus {
    #[inline]
    fn finish(self, _: &mut Guest) -> Raw {
        Raw::Integer(u64::from(self.0))
    }
}

/// A native function: `Ok` is `STATUS_SUCCESS`.
impl Return<Guest> for Result<(), NtStatus> {
    #[inline]
    fn finish(self, _: &mut Guest) -> Raw {
        Raw::Integer(u64::from(self.err().unwrap_or(NtStatus::SUCCESS).0))
    }
}

impl From<Fault> for Win32Error {
    /// Most Win32 functions answer a bad pointer with `ERROR_NOACCESS`.
    fn from(_: Fault) -> Self {
        Self::NOACCESS
    }
}

impl From<Fault> for NtStatus {
    fn from(_: Fault) -> Self {
        Self::ACCESS_VIOLATION
    }
}
