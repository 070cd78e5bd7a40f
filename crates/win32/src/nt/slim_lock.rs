//! Slim reader/writer locks and one-time initialisation, in words of guest memory.
//!
//! A lock's low 32 bits: bit 0 held by a writer, bit 1 somebody sleeps, the rest counts readers. What the word holds
//! is nobody's business but Windows'. The uncontended exclusive ways are guest code in `kernel32::leaves`.

use plat_abi::{Fault, Machine, Memory};
use plat_host::memory;

use super::wait_address;
use crate::guest::{GuestMemory, to_fault};

const WRITER: u32 = 1;
const SLEEPERS: u32 = 2;
const READER: u32 = 4;

/// A slim reader/writer lock at a guest address.
#[derive(Clone, Copy, Debug)]
pub struct SlimLock(pub u64);

impl SlimLock {
    /// Takes it for writing if it is free; says whether it did.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be accessed.
    pub fn try_exclusive(self) -> Result<bool, Fault> {
        let word = self.load()?;
        Ok(word & !SLEEPERS == 0 && self.exchange(word, word | WRITER)?)
    }

    /// Takes it for reading unless it is held for writing; says whether it did.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be accessed.
    pub fn try_shared(self) -> Result<bool, Fault> {
        loop {
            let word = self.load()?;
            // Readers queue behind those who sleep, or writers would never get in.
            if word & (WRITER | SLEEPERS) != 0 {
                return Ok(false);
            }
            if self.exchange(word, word + READER)? {
                return Ok(true);
            }
        }
    }

    /// Takes it for writing.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be accessed.
    pub fn acquire_exclusive(self) -> Result<(), Fault> {
        while !self.try_exclusive()? {
            self.sleep(|word| word & !SLEEPERS != 0)?;
        }
        Ok(())
    }

    /// Takes it for reading.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be accessed.
    pub fn acquire_shared(self) -> Result<(), Fault> {
        while !self.try_shared()? {
            self.sleep(|word| word & (WRITER | SLEEPERS) != 0)?;
        }
        Ok(())
    }

    /// Gives it up after writing.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be accessed.
    pub fn release_exclusive(self) -> Result<(), Fault> {
        self.release(|word| word & !(WRITER | SLEEPERS))
    }

    /// Gives it up after reading.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be accessed.
    pub fn release_shared(self) -> Result<(), Fault> {
        self.release(|word| {
            let left = word.wrapping_sub(READER);
            if left >= READER { left } else { 0 }
        })
    }

    fn release(self, change: impl Fn(u32) -> u32) -> Result<(), Fault> {
        loop {
            let word = self.load()?;
            let new = change(word);
            if self.exchange(word, new)? {
                if word & SLEEPERS != 0 && new & SLEEPERS == 0 {
                    wait_address::wake(self.0, usize::MAX);
                }
                return Ok(());
            }
        }
    }

    /// Sleeps until a release while `is_taken` holds.
    fn sleep(self, is_taken: impl Fn(u32) -> bool) -> Result<(), Fault> {
        let word = self.load()?;
        if !is_taken(word) || (word & SLEEPERS == 0 && !self.exchange(word, word | SLEEPERS)?) {
            return Ok(());
        }
        if wait_address::enqueue_if(self.0, || Ok(self.load()? & SLEEPERS != 0))? {
            wait_address::sleep(self.0, None);
        }
        Ok(())
    }

    fn load(self) -> Result<u32, Fault> {
        memory::read_u32(self.0).map_err(to_fault)
    }

    fn exchange(self, expected: u32, new: u32) -> Result<bool, Fault> {
        Ok(memory::compare_exchange_u32(self.0, expected, new).map_err(to_fault)? == expected)
    }
}

/// A one-time initialisation at a guest address. The low two bits: 0 not begun, 1 one thread is at it, 2 done,
/// 3 several threads are at it; the rest is the context once it is done.
#[derive(Clone, Copy, Debug)]
pub struct InitOnce {
    /// Its address.
    pub address: u64,
    /// How wide it is.
    pub machine: Machine,
}

/// What a thread finds when it wants to initialise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InitOnceState {
    /// It is this thread's work now.
    Begun,
    /// Done, with this context.
    Done(u64),
    /// Begun in the other way, by one thread or by several.
    Mismatch,
}

impl InitOnce {
    const PENDING: u64 = 1;
    const DONE: u64 = 2;
    const PENDING_ASYNC: u64 = 3;

    /// Begins, or waits for the thread that has begun; `is_async` lets several threads work at once.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be accessed.
    pub fn begin(self, is_async: bool) -> Result<InitOnceState, Fault> {
        loop {
            let word = self.load()?;
            match (word & 3, is_async) {
                (Self::DONE, _) => return Ok(InitOnceState::Done(word & !3)),
                (0, _) => {
                    let pending = if is_async { Self::PENDING_ASYNC } else { Self::PENDING };
                    if self.exchange(word, pending)? {
                        return Ok(InitOnceState::Begun);
                    }
                }
                (Self::PENDING_ASYNC, true) => return Ok(InitOnceState::Begun),
                (Self::PENDING, false) => {
                    if wait_address::enqueue_if(self.address, || Ok(self.load()? == Self::PENDING))? {
                        wait_address::sleep(self.address, None);
                    }
                }
                _ => return Ok(InitOnceState::Mismatch),
            }
        }
    }

    /// Ends the work: done with a context whose low two bits are zero, or (`None`) failed. Says whether this thread's
    /// result counts.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be accessed.
    pub fn complete(self, context: Option<u64>, is_async: bool) -> Result<bool, Fault> {
        let pending = if is_async { Self::PENDING_ASYNC } else { Self::PENDING };
        let is_first = self.exchange(pending, context.map_or(0, |context| context | Self::DONE))?;
        if is_first {
            wait_address::wake(self.address, usize::MAX);
        }
        Ok(is_first)
    }

    /// Returns the context if it is done.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be read.
    pub fn context(self) -> Result<Option<u64>, Fault> {
        let word = self.load()?;
        Ok((word & 3 == Self::DONE).then_some(word & !3))
    }

    fn load(self) -> Result<u64, Fault> {
        GuestMemory::of(self.machine).read_word(self.address)
    }

    fn exchange(self, expected: u64, new: u64) -> Result<bool, Fault> {
        let found = match self.machine {
            Machine::I386 => {
                memory::compare_exchange_u32(self.address, expected as u32, new as u32).map(u64::from)
            }
            Machine::Amd64 => memory::compare_exchange_u64(self.address, expected, new),
        };
        Ok(found.map_err(to_fault)? == expected)
    }
}
