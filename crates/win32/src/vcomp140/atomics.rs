//! What the compiler's code has done in one step: atomic updates, and the sums of reductions.
//!
//! Source: the OpenMP 2.0 specification, 2.6.4 and 2.7.2.6; <https://learn.microsoft.com/cpp/parallel/openmp/2-directives>.

use plat_abi::{Fault, GuestWord, winapi};

use crate::dll;
use crate::export::Export;
use crate::guest::{Guest, to_fault};

/// Changes one, two, four or eight bytes of the program's in one step.
fn update(at: u64, bytes: u64, new: impl Fn(u64) -> u64) -> Result<(), Fault> {
    use plat_host::memory::{compare_exchange_u32, compare_exchange_u64, read_u32, read_u64};
    if bytes == 8 {
        let mut old = read_u64(at).map_err(to_fault)?;
        loop {
            let found = compare_exchange_u64(at, old, new(old)).map_err(to_fault)?;
            if found == old {
                return Ok(());
            }
            old = found;
        }
    }
    // Smaller ones are changed with the aligned four bytes around them.
    let (place, shift) = if bytes == 4 { (at, 0) } else { (at & !3, 8 * (at & 3)) };
    let mask = (u64::from(u32::MAX) >> (32 - 8 * bytes)) << shift;
    let mut old = read_u32(place).map_err(to_fault)?;
    loop {
        let value = (u64::from(old) & mask) >> shift;
        let changed = (u64::from(old) & !mask | new(value) << shift & mask) as u32;
        let found = compare_exchange_u32(place, old, changed).map_err(to_fault)?;
        if found == old {
            return Ok(());
        }
        old = found;
    }
}

/// Operations of numbers, as the compiler numbers those of reductions.
///
/// Source: OpenMP 2.0, 2.7.2.6 (which ones there are).
fn reduce<T: Number>(operation: u32, left: T, right: T) -> T {
    const OPERATIONS: u32 = 0xf00;
    match operation & OPERATIONS {
        0x100 | 0x200 => left.add(right),
        0x300 => left.multiply(right),
        0x400 => left.and(right),
        0x500 => left.or(right),
        0x600 => left.exclusive_or(right),
        0x700 => T::from_truth(left.is_true() && right.is_true()),
        _ => T::from_truth(left.is_true() || right.is_true()),
    }
}

/// What numbers of all types can do; bits of fractions are not combined.
trait Number: Copy {
    fn of_bits(bits: u64) -> Self;
    fn bits(self) -> u64;
    fn add(self, other: Self) -> Self;
    fn multiply(self, other: Self) -> Self;
    fn and(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
    fn exclusive_or(self, other: Self) -> Self;
    fn is_true(self) -> bool;
    fn from_truth(truth: bool) -> Self;
}

macro_rules! whole {
    ($($type:ty)*) => {$(
        impl Number for $type {
            fn of_bits(bits: u64) -> Self { bits as Self }
            fn bits(self) -> u64 { self as u64 }
            fn add(self, other: Self) -> Self { self.wrapping_add(other) }
            fn multiply(self, other: Self) -> Self { self.wrapping_mul(other) }
            fn and(self, other: Self) -> Self { self & other }
            fn or(self, other: Self) -> Self { self | other }
            fn exclusive_or(self, other: Self) -> Self { self ^ other }
            fn is_true(self) -> bool { self != 0 }
            fn from_truth(truth: bool) -> Self { Self::from(truth) }
        }
    )*};
}
whole! { i8 u8 i16 u16 i32 u32 i64 u64 }

macro_rules! fraction {
    ($($type:ty: $bits:ty;)*) => {$(
        impl Number for $type {
            fn of_bits(bits: u64) -> Self { Self::from_bits(bits as $bits) }
            fn bits(self) -> u64 { self.to_bits().into() }
            fn add(self, other: Self) -> Self { self + other }
            fn multiply(self, other: Self) -> Self { self * other }
            fn and(self, _: Self) -> Self { self }
            fn or(self, _: Self) -> Self { self }
            fn exclusive_or(self, _: Self) -> Self { self }
            fn is_true(self) -> bool { self != 0.0 }
            fn from_truth(truth: bool) -> Self { if truth { 1.0 } else { 0.0 } }
        }
    )*};
}
fraction! { f32: u32; f64: u64; }

/// Defines atomic updates and their table: name, type of the variable, type of the argument, the new value.
macro_rules! atomics {
    ($($name:ident: $type:ty, $argument:ty, $old:ident $value:ident => $new:expr;)*) => {
        /// The atomic updates.
        pub const EXPORTS: &[Export] = dll! { $(full $name;)* };
        $(
            /// Changes a variable of the program's in one step.
            ///
            /// Source: <https://learn.microsoft.com/cpp/parallel/openmp/2-directives>
            #[winapi(cdecl)]
            pub fn $name(guest: &mut Guest, dest: GuestWord, val: $argument) -> Result<(), Fault> {
                let _ = guest;
                update(dest.0, size_of::<$type>() as u64, |bits| {
                    let ($old, $value) = (<$type as Number>::of_bits(bits), val);
                    let new: $type = $new;
                    new.bits()
                })
            }
        )*
    };
}

/// Divides as the processor does, but for what stops a program there: the value stays.
macro_rules! divided {
    ($old:ident, $value:ident) => {
        $old.checked_div($value).unwrap_or($old)
    };
}

atomics! {
    _vcomp_atomic_add_i1: i8, i8, old value => old.wrapping_add(value);
    _vcomp_atomic_add_i2: i16, i16, old value => old.wrapping_add(value);
    _vcomp_atomic_add_i4: i32, i32, old value => old.wrapping_add(value);
    _vcomp_atomic_add_i8: i64, i64, old value => old.wrapping_add(value);
    _vcomp_atomic_add_r4: f32, f32, old value => old + value;
    _vcomp_atomic_add_r8: f64, f64, old value => old + value;
    _vcomp_atomic_sub_i1: i8, i8, old value => old.wrapping_sub(value);
    _vcomp_atomic_sub_i2: i16, i16, old value => old.wrapping_sub(value);
    _vcomp_atomic_sub_i4: i32, i32, old value => old.wrapping_sub(value);
    _vcomp_atomic_sub_i8: i64, i64, old value => old.wrapping_sub(value);
    _vcomp_atomic_sub_r4: f32, f32, old value => old - value;
    _vcomp_atomic_sub_r8: f64, f64, old value => old - value;
    _vcomp_atomic_mul_i1: i8, i8, old value => old.wrapping_mul(value);
    _vcomp_atomic_mul_i2: i16, i16, old value => old.wrapping_mul(value);
    _vcomp_atomic_mul_i4: i32, i32, old value => old.wrapping_mul(value);
    _vcomp_atomic_mul_i8: i64, i64, old value => old.wrapping_mul(value);
    _vcomp_atomic_mul_r4: f32, f32, old value => old * value;
    _vcomp_atomic_mul_r8: f64, f64, old value => old * value;
    _vcomp_atomic_div_i1: i8, i8, old value => divided!(old, value);
    _vcomp_atomic_div_i2: i16, i16, old value => divided!(old, value);
    _vcomp_atomic_div_i4: i32, i32, old value => divided!(old, value);
    _vcomp_atomic_div_i8: i64, i64, old value => divided!(old, value);
    _vcomp_atomic_div_ui1: u8, u8, old value => divided!(old, value);
    _vcomp_atomic_div_ui2: u16, u16, old value => divided!(old, value);
    _vcomp_atomic_div_ui4: u32, u32, old value => divided!(old, value);
    _vcomp_atomic_div_ui8: u64, u64, old value => divided!(old, value);
    _vcomp_atomic_div_r4: f32, f32, old value => old / value;
    _vcomp_atomic_div_r8: f64, f64, old value => old / value;
    _vcomp_atomic_and_i1: i8, i8, old value => old & value;
    _vcomp_atomic_and_i2: i16, i16, old value => old & value;
    _vcomp_atomic_and_i4: i32, i32, old value => old & value;
    _vcomp_atomic_and_i8: i64, i64, old value => old & value;
    _vcomp_atomic_or_i1: i8, i8, old value => old | value;
    _vcomp_atomic_or_i2: i16, i16, old value => old | value;
    _vcomp_atomic_or_i4: i32, i32, old value => old | value;
    _vcomp_atomic_or_i8: i64, i64, old value => old | value;
    _vcomp_atomic_xor_i1: i8, i8, old value => old ^ value;
    _vcomp_atomic_xor_i2: i16, i16, old value => old ^ value;
    _vcomp_atomic_xor_i4: i32, i32, old value => old ^ value;
    _vcomp_atomic_xor_i8: i64, i64, old value => old ^ value;
    _vcomp_atomic_shl_i1: i8, u32, old value => (i32::from(old) << (value & 31)) as i8;
    _vcomp_atomic_shl_i2: i16, u32, old value => (i32::from(old) << (value & 31)) as i16;
    _vcomp_atomic_shl_i4: i32, u32, old value => old << (value & 31);
    _vcomp_atomic_shl_i8: i64, u32, old value => old << (value & 63);
    _vcomp_atomic_shr_i1: i8, u32, old value => (i32::from(old) >> (value & 31)) as i8;
    _vcomp_atomic_shr_i2: i16, u32, old value => (i32::from(old) >> (value & 31)) as i16;
    _vcomp_atomic_shr_i4: i32, u32, old value => old >> (value & 31);
    _vcomp_atomic_shr_i8: i64, u32, old value => old >> (value & 63);
    _vcomp_atomic_shr_ui1: u8, u32, old value => (u32::from(old) >> (value & 31)) as u8;
    _vcomp_atomic_shr_ui2: u16, u32, old value => (u32::from(old) >> (value & 31)) as u16;
    _vcomp_atomic_shr_ui4: u32, u32, old value => old >> (value & 31);
    _vcomp_atomic_shr_ui8: u64, u32, old value => old >> (value & 63);
}

/// Defines the functions of reductions: a member's part is joined to the variable in one step.
macro_rules! reductions {
    ($($name:ident: $type:ty;)*) => {
        /// The reductions.
        pub const REDUCTIONS: &[Export] = dll! { $(full $name;)* };
        $(
            /// Joins a member's part of a reduction to the variable in one step.
            ///
            /// Source: <https://learn.microsoft.com/cpp/parallel/openmp/2-directives>
            #[winapi(cdecl)]
            pub fn $name(guest: &mut Guest, op: u32, dest: GuestWord, val: $type) -> Result<(), Fault> {
                let _ = guest;
                update(dest.0, size_of::<$type>() as u64, |bits| {
                    reduce(op, <$type as Number>::of_bits(bits), val).bits()
                })
            }
        )*
    };
}
reductions! {
    _vcomp_reduction_i1: i8; _vcomp_reduction_i2: i16; _vcomp_reduction_i4: i32; _vcomp_reduction_i8: i64;
    _vcomp_reduction_u1: u8; _vcomp_reduction_u2: u16; _vcomp_reduction_u4: u32; _vcomp_reduction_u8: u64;
    _vcomp_reduction_r4: f32; _vcomp_reduction_r8: f64;
}
