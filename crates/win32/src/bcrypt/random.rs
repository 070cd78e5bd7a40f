//! bcrypt.h: random numbers.

use plat_abi::{GuestWord, Memory, winapi};
use plat_host::random;

use crate::NtStatus;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest, TRUE};

/// The exports of this file in bcrypt.dll.
pub const EXPORTS: &[Export] = dll! {
    full BCryptGenRandom;
    partial BCryptOpenAlgorithmProvider, "only random numbers: there are no hashes, ciphers or keys yet";
    full BCryptCloseAlgorithmProvider;
    stub BCryptCreateHash;
    stub BCryptHashData;
    stub BCryptFinishHash;
    stub BCryptDestroyHash;
    stub BCryptGetProperty;
    stub BCryptHash;
};

/// Its exports in bcryptprimitives.dll.
pub const PRIMITIVES: &[Export] = dll! {
    full ProcessPrng;
};

/// `BCRYPT_USE_SYSTEM_PREFERRED_RNG`.
const USE_SYSTEM_PREFERRED: u32 = 2;
/// `BCRYPT_RNG_ALG_HANDLE`, which needs no opening.
const RNG_PSEUDO_HANDLE: u64 = 0x81;
/// The handle of every opened random generator: it has no state that could differ.
const RNG_HANDLE: u64 = 0x00c0_ffe8;

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
    if !by_flag && ![RNG_PSEUDO_HANDLE, RNG_HANDLE].contains(&hAlgorithm.get()) {
        return Err(NtStatus::INVALID_HANDLE);
    }
    if pbBuffer.is_null() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    fill(guest, pbBuffer.get(), u64::from(cbBuffer))
}

/// Opens an algorithm: `RNG`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptopenalgorithmprovider>
#[winapi]
pub fn BCryptOpenAlgorithmProvider(
    guest: &mut Guest,
    phAlgorithm: GuestWord,
    pszAlgId: GuestWord,
    pszImplementation: GuestWord,
    dwFlags: u32,
) -> Result<(), NtStatus> {
    let _ = (pszImplementation, dwFlags);
    if phAlgorithm.is_null() || pszAlgId.is_null() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let name = String::from_utf16_lossy(&guest.read_wide_string(pszAlgId.get())?);
    if !["RNG", "FIPS186DSARNG", "DUALECRNG"].contains(&name.as_str()) {
        return Err(NtStatus::NOT_FOUND);
    }
    guest.write(phAlgorithm.get(), &GuestWord(RNG_HANDLE))?;
    Ok(())
}

/// Closes an algorithm.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptclosealgorithmprovider>
#[winapi]
pub fn BCryptCloseAlgorithmProvider(
    guest: &mut Guest,
    hAlgorithm: GuestWord,
    dwFlags: u32,
) -> Result<(), NtStatus> {
    let _ = (guest, dwFlags);
    if hAlgorithm.get() == RNG_HANDLE { Ok(()) } else { Err(NtStatus::INVALID_HANDLE) }
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
