//! Pointers made unreadable: `RtlEncodePointer` and its inverse, with a secret of the process.

use std::sync::OnceLock;

use plat_abi::{GuestWord, Machine, Memory, winapi};
use plat_host::random;

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full RtlEncodePointer;
    full RtlDecodePointer;
    full RtlEncodeSystemPointer;
    full RtlDecodeSystemPointer;
};

/// Returns the process's secret.
fn cookie() -> u64 {
    static COOKIE: OnceLock<u64> = OnceLock::new();
    *COOKIE.get_or_init(|| {
        let mut bytes = [0; 8];
        // Without randomness the pointers are only rotated: that is no reason to stop a program.
        let _ = random::fill(&mut bytes);
        u64::from_le_bytes(bytes)
    })
}

/// Mixes the secret in, then rotates by its low bits within the guest's word.
fn encode(machine: Machine, pointer: u64) -> u64 {
    match machine {
        Machine::I386 => u64::from((pointer as u32 ^ cookie() as u32).rotate_right(cookie() as u32 & 31)),
        Machine::Amd64 => (pointer ^ cookie()).rotate_right(cookie() as u32 & 63),
    }
}

fn decode(machine: Machine, encoded: u64) -> u64 {
    match machine {
        Machine::I386 => u64::from((encoded as u32).rotate_left(cookie() as u32 & 31) ^ cookie() as u32),
        Machine::Amd64 => encoded.rotate_left(cookie() as u32 & 63) ^ cookie(),
    }
}

/// Encodes a pointer.
///
/// Source: <https://learn.microsoft.com/previous-versions/bb432254(v=vs.85)>
#[winapi]
pub fn RtlEncodePointer(guest: &mut Guest, Ptr: GuestWord) -> GuestWord {
    GuestWord(encode(guest.machine(), Ptr.get()))
}

/// Decodes a pointer.
///
/// Source: <https://learn.microsoft.com/previous-versions/bb432242(v=vs.85)>
#[winapi]
pub fn RtlDecodePointer(guest: &mut Guest, Ptr: GuestWord) -> GuestWord {
    GuestWord(decode(guest.machine(), Ptr.get()))
}

/// Encodes a pointer with the system's secret; here that is the process's.
///
/// Source: <https://learn.microsoft.com/previous-versions/bb432255(v=vs.85)>
#[winapi]
pub fn RtlEncodeSystemPointer(guest: &mut Guest, Ptr: GuestWord) -> GuestWord {
    GuestWord(encode(guest.machine(), Ptr.get()))
}

/// Decodes a pointer with the system's secret; here that is the process's.
///
/// Source: <https://learn.microsoft.com/previous-versions/bb432243(v=vs.85)>
#[winapi]
pub fn RtlDecodeSystemPointer(guest: &mut Guest, Ptr: GuestWord) -> GuestWord {
    GuestWord(decode(guest.machine(), Ptr.get()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        for machine in [Machine::I386, Machine::Amd64] {
            for pointer in [0, 1, 0x40_1000, 0xffff_ffff] {
                assert_eq!(decode(machine, encode(machine, pointer)), pointer);
            }
        }
    }
}
