//! Structures whose layout depends on the guest's machine: natural alignment, pointers of its width.

use crate::{Fault, GuestWord, Machine, Memory};

/// A value that lies in guest memory as the guest's compiler lays it out.
pub trait GuestStruct: Sized {
    /// Returns its size in bytes, trailing padding included.
    fn size(machine: Machine) -> u64;
    /// Returns its alignment in bytes.
    fn align(machine: Machine) -> u64;
    /// Reads one at `address`.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be read.
    fn load<M: Memory>(memory: &M, address: u64) -> Result<Self, Fault>;
    /// Writes it at `address`; padding is left as it is.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be written.
    fn store<M: Memory>(&self, memory: &M, address: u64) -> Result<(), Fault>;
}

/// Returns where a field of alignment `align` begins when the one before ends at `offset`.
pub const fn field_offset(offset: u64, align: u64) -> u64 {
    offset.next_multiple_of(align)
}

macro_rules! plain {
    ($($type:ty),*) => {$(
        impl GuestStruct for $type {
            fn size(_: Machine) -> u64 {
                size_of::<$type>() as u64
            }
            fn align(_: Machine) -> u64 {
                size_of::<$type>() as u64
            }
            fn load<M: Memory>(memory: &M, address: u64) -> Result<Self, Fault> {
                let mut bytes = [0; size_of::<$type>()];
                memory.read_bytes(address, &mut bytes)?;
                Ok(<$type>::from_le_bytes(bytes))
            }
            fn store<M: Memory>(&self, memory: &M, address: u64) -> Result<(), Fault> {
                memory.write_bytes(address, &self.to_le_bytes())
            }
        }
    )*};
}
plain!(u8, i8, u16, i16, u32, i32, u64, i64, f32, f64);

impl GuestStruct for GuestWord {
    fn size(machine: Machine) -> u64 {
        machine.pointer_size()
    }
    fn align(machine: Machine) -> u64 {
        machine.pointer_size()
    }
    fn load<M: Memory>(memory: &M, address: u64) -> Result<Self, Fault> {
        memory.read_word(address).map(Self)
    }
    fn store<M: Memory>(&self, memory: &M, address: u64) -> Result<(), Fault> {
        memory.write_word(address, self.0)
    }
}

impl<T: GuestStruct + Copy + Default, const N: usize> GuestStruct for [T; N] {
    fn size(machine: Machine) -> u64 {
        T::size(machine) * N as u64
    }
    fn align(machine: Machine) -> u64 {
        T::align(machine)
    }
    fn load<M: Memory>(memory: &M, address: u64) -> Result<Self, Fault> {
        let mut values = [T::default(); N];
        let step = T::size(memory.machine());
        for (index, value) in values.iter_mut().enumerate() {
            *value = T::load(memory, address.wrapping_add(step * index as u64))?;
        }
        Ok(values)
    }
    fn store<M: Memory>(&self, memory: &M, address: u64) -> Result<(), Fault> {
        let step = T::size(memory.machine());
        for (index, value) in self.iter().enumerate() {
            value.store(memory, address.wrapping_add(step * index as u64))?;
        }
        Ok(())
    }
}
