//! Critical sections in guest memory, in Windows' visible layout.
//!
//! Lock count: bit 0 is set while the section is free, bits 2 and up are the complement of the number of waiting
//! threads; so -1 is free and -2 is held with nobody waiting. The short ways are guest code in `kernel32::leaves`;
//! this is what they fall back to.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/debugger/displaying-a-critical-section>

use plat_abi::{Fault, Machine, Memory};
use plat_host::memory;

use super::wait_address;
use crate::guest::{Guest, GuestMemory, to_fault};
use crate::teb::{Field, Teb};

const DEBUG_INFO: Field = Field { i386: 0, amd64: 0 };
const LOCK_COUNT: Field = Field { i386: 4, amd64: 8 };
const RECURSION_COUNT: Field = Field { i386: 8, amd64: 12 };
const OWNING_THREAD: Field = Field { i386: 12, amd64: 16 };
const LOCK_SEMAPHORE: Field = Field { i386: 16, amd64: 24 };
const SPIN_COUNT: Field = Field { i386: 20, amd64: 32 };

const FREE_BIT: u32 = 1;
const ONE_WAITER: u32 = 4;
const FREE: u32 = u32::MAX;
const HELD: u32 = u32::MAX - 1;
/// How often a taken section is looked at before the thread sleeps.
const SPINS: u32 = 100;

/// A critical section at a guest address.
#[derive(Clone, Copy, Debug)]
pub struct CriticalSection {
    address: u64,
    machine: Machine,
}

impl CriticalSection {
    /// Names the section at an address.
    pub fn at(machine: Machine, address: u64) -> Self {
        Self { address, machine }
    }

    /// Returns the size of one in bytes.
    pub fn size(machine: Machine) -> u64 {
        if machine.is_64() { 40 } else { 24 }
    }

    /// Makes it free; `spin_count` is kept for those who look.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be written.
    pub fn initialize(self, spin_count: u32) -> Result<(), Fault> {
        let memory = GuestMemory::of(self.machine);
        // Windows says "no debug information" with -1.
        memory.write_word(self.place(DEBUG_INFO), u64::MAX)?;
        memory.write_word(self.place(LOCK_SEMAPHORE), 0)?;
        memory.write_word(self.place(SPIN_COUNT), u64::from(spin_count & 0x00ff_ffff))?;
        self.set_owner(0, 0)?;
        self.store(LOCK_COUNT, FREE)
    }

    /// Sets the spin count and returns the one before.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be accessed.
    pub fn set_spin_count(self, spin_count: u32) -> Result<u32, Fault> {
        let memory = GuestMemory::of(self.machine);
        let before = memory.read_word(self.place(SPIN_COUNT))?;
        memory.write_word(self.place(SPIN_COUNT), u64::from(spin_count & 0x00ff_ffff))?;
        Ok(before as u32)
    }

    /// Ends its use.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be written.
    pub fn delete(self) -> Result<(), Fault> {
        GuestMemory::of(self.machine).write_word(self.place(DEBUG_INFO), 0)?;
        self.set_owner(0, 0)?;
        self.store(LOCK_COUNT, FREE)
    }

    /// Returns the identifier of the thread that holds it, or 0.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be read.
    pub fn owner(self) -> Result<u64, Fault> {
        GuestMemory::of(self.machine).read_word(self.place(OWNING_THREAD))
    }

    /// Takes it for a thread if it is free or already the thread's; says whether it did.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be accessed.
    pub fn try_enter(self, thread_id: u32) -> Result<bool, Fault> {
        if self.owner()? == u64::from(thread_id) {
            let recursion = self.load(RECURSION_COUNT)?;
            self.store(RECURSION_COUNT, recursion.wrapping_add(1))?;
            return Ok(true);
        }
        let count = self.load(LOCK_COUNT)?;
        let taken = count & FREE_BIT != 0 && self.exchange(count, count & !FREE_BIT)?;
        if taken {
            self.set_owner(thread_id, 1)?;
        }
        Ok(taken)
    }

    /// Takes it for a thread, which sleeps until it can.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be accessed.
    pub fn enter(self, thread_id: u32) -> Result<(), Fault> {
        for _ in 0..SPINS {
            if self.try_enter(thread_id)? {
                return Ok(());
            }
            plat_host::thread::spin();
        }
        while !self.update(|count| count.wrapping_sub(ONE_WAITER))? {}
        loop {
            let count = self.load(LOCK_COUNT)?;
            if count & FREE_BIT != 0 {
                if self.exchange(count, (count & !FREE_BIT).wrapping_add(ONE_WAITER))? {
                    return self.set_owner(thread_id, 1);
                }
                continue;
            }
            let place = self.place(LOCK_COUNT);
            if wait_address::enqueue_if(place, || Ok(self.load(LOCK_COUNT)? & FREE_BIT == 0))? {
                wait_address::sleep(place, None);
            }
        }
    }

    /// Gives up one entry; the last lets the next thread in. A section that is not held stays as it is, where Windows
    /// would leave it broken.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be accessed.
    pub fn leave(self) -> Result<(), Fault> {
        let recursion = self.load(RECURSION_COUNT)?;
        if recursion > 1 && recursion < 1 << 31 {
            return self.store(RECURSION_COUNT, recursion - 1);
        }
        if self.load(LOCK_COUNT)? & FREE_BIT != 0 {
            return Ok(());
        }
        self.set_owner(0, 0)?;
        while !self.update(|count| count | FREE_BIT)? {}
        if self.load(LOCK_COUNT)? < HELD {
            wait_address::wake(self.place(LOCK_COUNT), 1);
        }
        Ok(())
    }

    fn place(self, field: Field) -> u64 {
        self.address.wrapping_add(field.offset(self.machine))
    }

    fn load(self, field: Field) -> Result<u32, Fault> {
        memory::read_u32(self.place(field)).map_err(to_fault)
    }

    fn store(self, field: Field, value: u32) -> Result<(), Fault> {
        memory::write_u32(self.place(field), value).map_err(to_fault)
    }

    fn exchange(self, expected: u32, new: u32) -> Result<bool, Fault> {
        let found = memory::compare_exchange_u32(self.place(LOCK_COUNT), expected, new).map_err(to_fault)?;
        Ok(found == expected)
    }

    /// Changes the lock count if nobody else does at the same time; says whether it did.
    fn update(self, change: impl FnOnce(u32) -> u32) -> Result<bool, Fault> {
        let count = self.load(LOCK_COUNT)?;
        self.exchange(count, change(count))
    }

    fn set_owner(self, thread_id: u32, recursion: u32) -> Result<(), Fault> {
        GuestMemory::of(self.machine).write_word(self.place(OWNING_THREAD), u64::from(thread_id))?;
        self.store(RECURSION_COUNT, recursion)
    }
}

impl Guest {
    /// Names the critical section at a guest address.
    pub(crate) fn critical_section(&self, address: u64) -> CriticalSection {
        CriticalSection::at(self.process().machine, address)
    }

    /// Returns the identifier of the calling thread.
    pub(crate) fn thread_id(&self) -> u32 {
        self.teb().get(Teb::THREAD_ID).unwrap_or(0) as u32
    }
}
