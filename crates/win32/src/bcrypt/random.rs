//! bcrypt.h: random numbers.

use plat_abi::{GuestWord, Memory, winapi};
use plat_host::random;

use super::algorithm::{Kind, algorithm};
use crate::NtStatus;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest, TRUE};

/// The exports of this file in bcrypt.dll.
pub const EXPORTS: &[Export] = dll! {
    full BCryptGenRandom;
};

/// Its exports in bcryptprimitives.dll.
pub const PRIMITIVES: &[Export] = dll! {
    full ProcessPrng;
};

/// `BCRYPT_USE_SYSTEM_PREFERRED_RNG`.
const USE_SYSTEM_PREFERRED: u32 = 2;
/// Fills guest memory with random bytes.
pub(crate) fn fill(guest: &Guest, address: u64, length: u64) -> Result<(), NtStatus> {
    const PIECE: u64 = 1 << 16;
    let mut piece = vec![0; PIECE.min(length) as usize];
    for start in (0..length).step_by(PIECE as usize) {
        let size = PIECE.min(length - start) as usize;
        random::fill(&mut piece[..size]).map_err(|_| NtStatus::UNSUCCESSFUL)?;
        guest
            .write_bytes(address.wrapping_add(start), &piece[..size])
            .map_err(|_| NtStatus::ACCESS_VIOLATION)?;
    }
    Ok(())
}

/// Fills a buffer with random bytes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptgenrandom>
#[winapi]
pub fn BCryptGenRandom(
    guest: &mut Guest,
    hAlgorithm: GuestWord,
    pbBuffer: GuestWord,
    cbBuffer: u32,
    dwFlags: u32,
) -> Result<(), NtStatus> {
    let by_flag = hAlgorithm.is_null() && dwFlags & USE_SYSTEM_PREFERRED != 0;
    if !by_flag && algorithm(guest, hAlgorithm)?.kind != Kind::Random {
        return Err(NtStatus::INVALID_HANDLE);
    }
    if pbBuffer.is_null() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    fill(guest, pbBuffer.get(), u64::from(cbBuffer))
}

/// Fills a buffer with random bytes; it does not fail.
///
/// Source: <https://learn.microsoft.com/windows/win32/seccng/processprng>
#[winapi]
pub fn ProcessPrng(guest: &mut Guest, pbData: GuestWord, cbData: GuestWord) -> Bool {
    match fill(guest, pbData.get(), cbData.get()) {
        Ok(()) => TRUE,
        Err(_) => FALSE,
    }
}
