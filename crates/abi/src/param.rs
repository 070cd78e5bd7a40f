//! The types a declared parameter may have, and how many bytes of a 32-bit stack each takes.

use crate::{Cursor, Fault, Memory};

/// A type that a Windows function may take as a parameter.
pub trait Param: Sized {
    /// Bytes on the stack of a 32-bit guest.
    const SIZE_I386: u32;

    /// Takes one value from the call's arguments.
    ///
    /// # Errors
    /// [`Fault`] when the guest's stack cannot be read there.
    fn take<M: Memory>(cursor: &mut Cursor<'_, M>) -> Result<Self, Fault>;
}

/// A pointer, a handle or a `SIZE_T`: four bytes in a 32-bit guest, eight in a 64-bit one; always a `u64` here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GuestWord(pub u64);

impl GuestWord {
    /// The null pointer.
    pub const NULL: Self = Self(0);

    /// Says whether the word is zero.
    #[inline]
    pub const fn is_null(self) -> bool {
        self.0 == 0
    }

    /// Returns the word as a number.
    #[inline]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl From<u64> for GuestWord {
    fn from(value: u64) -> Self {
        Self(value)
    }
}

impl Param for GuestWord {
    const SIZE_I386: u32 = 4;
    #[inline]
    fn take<M: Memory>(cursor: &mut Cursor<'_, M>) -> Result<Self, Fault> {
        cursor.slot_word().map(Self)
    }
}

macro_rules! narrow {
    ($($type:ty),*) => {$(
        impl Param for $type {
            const SIZE_I386: u32 = 4;
            #[inline]
            fn take<M: Memory>(cursor: &mut Cursor<'_, M>) -> Result<Self, Fault> {
                cursor.slot_u32().map(|value| value as $type)
            }
        }
    )*};
}
narrow!(u8, i8, u16, i16, u32, i32);

macro_rules! wide {
    ($($type:ty),*) => {$(
        impl Param for $type {
            const SIZE_I386: u32 = 8;
            #[inline]
            fn take<M: Memory>(cursor: &mut Cursor<'_, M>) -> Result<Self, Fault> {
                cursor.slot_u64().map(|value| value as $type)
            }
        }
    )*};
}
wide!(u64, i64);

impl Param for f64 {
    const SIZE_I386: u32 = 8;
    #[inline]
    fn take<M: Memory>(cursor: &mut Cursor<'_, M>) -> Result<Self, Fault> {
        cursor.slot_f64()
    }
}

impl Param for f32 {
    const SIZE_I386: u32 = 4;
    #[inline]
    fn take<M: Memory>(cursor: &mut Cursor<'_, M>) -> Result<Self, Fault> {
        cursor.slot_f32()
    }
}

impl Param for bool {
    const SIZE_I386: u32 = 4;
    #[inline]
    fn take<M: Memory>(cursor: &mut Cursor<'_, M>) -> Result<Self, Fault> {
        cursor.slot_u32().map(|value| value != 0)
    }
}

/// The `...` of a variadic function: the address of the first variable argument, which is also a `va_list`.
#[derive(Clone, Copy, Debug)]
pub struct VarArgs(pub u64);

impl Param for VarArgs {
    const SIZE_I386: u32 = 0;
    #[inline]
    fn take<M: Memory>(cursor: &mut Cursor<'_, M>) -> Result<Self, Fault> {
        Ok(Self(cursor.address()))
    }
}
