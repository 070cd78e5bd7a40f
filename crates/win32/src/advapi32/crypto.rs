//! wincrypt.h and ntsecapi.h: random numbers. The rest of the cryptography of advapi32 is not here.

use plat_abi::{GuestWord, Memory, winapi};
use plat_host::random;

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full SystemFunction036;
    partial CryptAcquireContextA, "only with CRYPT_VERIFYCONTEXT: there are no key containers";
    partial CryptAcquireContextW, "only with CRYPT_VERIFYCONTEXT: there are no key containers";
    full CryptGenRandom;
    full CryptReleaseContext;
    stub CryptCreateHash;
    stub CryptHashData;
    stub CryptGetHashParam;
    stub CryptDestroyHash;
    stub CryptImportKey;
    stub CryptDestroyKey;
    stub CryptEncrypt;
    stub CryptDecrypt;
};

/// `CRYPT_VERIFYCONTEXT`.
const VERIFY_CONTEXT: u32 = 0xf000_0000;
/// `NTE_BAD_KEYSET`.
const BAD_KEYSET: Win32Error = Win32Error(0x8009_0016);
/// `NTE_BAD_PROV_TYPE`.
const BAD_PROVIDER_TYPE: Win32Error = Win32Error(0x8009_0014);
/// `NTE_PROV_TYPE_NOT_DEF`.
const PROVIDER_TYPE_NOT_DEFINED: Win32Error = Win32Error(0x8009_0017);
/// `PROV_RSA_FULL` and `PROV_RSA_AES`.
const PROVIDER_TYPES: [u32; 2] = [1, 24];
/// The handle of every context: contexts without a key container have no state that could differ.
const CONTEXT: u64 = 0x00c0_ffe0;

/// Fills guest memory with random bytes.
fn fill(guest: &Guest, address: u64, length: u32) -> Result<(), Win32Error> {
    const PIECE: u64 = 1 << 16;
    let mut piece = vec![0; PIECE.min(u64::from(length)) as usize];
    for start in (0..u64::from(length)).step_by(PIECE as usize) {
        let size = PIECE.min(u64::from(length) - start) as usize;
        random::fill(&mut piece[..size]).map_err(|_| Win32Error::GEN_FAILURE)?;
        guest.write_bytes(address.wrapping_add(start), &piece[..size])?;
    }
    Ok(())
}

/// Fills a buffer with random bytes; headers call it `RtlGenRandom`. Returns a `BOOLEAN`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ntsecapi/nf-ntsecapi-rtlgenrandom>
#[winapi]
pub fn SystemFunction036(guest: &mut Guest, RandomBuffer: GuestWord, RandomBufferLength: u32) -> u8 {
    u8::from(fill(guest, RandomBuffer.get(), RandomBufferLength).is_ok())
}

fn acquire(guest: &Guest, phProv: GuestWord, kind: u32, flags: u32) -> Result<Bool, Win32Error> {
    if kind == 0 || kind > 999 {
        return Err(BAD_PROVIDER_TYPE);
    }
    if !PROVIDER_TYPES.contains(&kind) {
        return Err(PROVIDER_TYPE_NOT_DEFINED);
    }
    if flags & VERIFY_CONTEXT != VERIFY_CONTEXT {
        return Err(BAD_KEYSET);
    }
    guest.write_word(phProv.get(), CONTEXT)?;
    Ok(TRUE)
}

/// Opens a provider of cryptography, here for random numbers only.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptacquirecontexta>
#[winapi]
pub fn CryptAcquireContextA(
    guest: &mut Guest,
    phProv: GuestWord,
    szContainer: GuestWord,
    szProvider: GuestWord,
    dwProvType: u32,
    dwFlags: u32,
) -> Result<Bool, Win32Error> {
    let _ = (szContainer, szProvider);
    acquire(guest, phProv, dwProvType, dwFlags)
}

/// Opens a provider of cryptography, here for random numbers only.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptacquirecontextw>
#[winapi]
pub fn CryptAcquireContextW(
    guest: &mut Guest,
    phProv: GuestWord,
    szContainer: GuestWord,
    szProvider: GuestWord,
    dwProvType: u32,
    dwFlags: u32,
) -> Result<Bool, Win32Error> {
    let _ = (szContainer, szProvider);
    acquire(guest, phProv, dwProvType, dwFlags)
}

/// Fills a buffer with random bytes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptgenrandom>
#[winapi]
pub fn CryptGenRandom(
    guest: &mut Guest,
    hProv: GuestWord,
    dwLen: u32,
    pbBuffer: GuestWord,
) -> Result<Bool, Win32Error> {
    check(hProv)?;
    fill(guest, pbBuffer.get(), dwLen)?;
    Ok(TRUE)
}

/// Closes a provider.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptreleasecontext>
#[winapi]
pub fn CryptReleaseContext(guest: &mut Guest, hProv: GuestWord, dwFlags: u32) -> Result<Bool, Win32Error> {
    let _ = guest;
    check(hProv)?;
    if dwFlags == 0 { Ok(TRUE) } else { Err(Win32Error(0x8009_0009)) }
}

fn check(hProv: GuestWord) -> Result<(), Win32Error> {
    if hProv.get() == CONTEXT { Ok(()) } else { Err(Win32Error::INVALID_PARAMETER) }
}
