//! wincrypt.h and ntsecapi.h: random numbers, and memory that nobody else is to read.

use std::sync::OnceLock;

use plat_abi::{GuestWord, Memory, winapi};
use plat_host::random;

use super::crypt_provider::provider;
use crate::alike::alike;
use crate::bcrypt::random::fill;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::crypto::cipher::{BlockCipher, BlockKey, Chaining};
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full SystemFunction036;
    partial SystemFunction040, "for this process only";
    partial SystemFunction041, "for this process only";
    full CryptGenRandom;
};

/// Fills a buffer with random bytes; headers call it `RtlGenRandom`. Returns a `BOOLEAN`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ntsecapi/nf-ntsecapi-rtlgenrandom>
#[winapi]
pub fn SystemFunction036(guest: &mut Guest, RandomBuffer: GuestWord, RandomBufferLength: u32) -> u8 {
    u8::from(fill(guest, RandomBuffer.get(), u64::from(RandomBufferLength)).is_ok())
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
    provider(guest, hProv)?;
    fill(guest, pbBuffer.get(), u64::from(dwLen))?;
    Ok(TRUE)
}

/// The key for memory, made at its first use.
static MEMORY_KEY: OnceLock<Option<BlockKey>> = OnceLock::new();

/// Encrypts or decrypts guest memory in place, for this process.
pub(crate) fn protect_memory(
    guest: &Guest,
    memory: GuestWord,
    size: u32,
    unit: u32,
    encrypts: bool,
) -> NtStatus {
    let made = MEMORY_KEY.get_or_init(|| {
        let mut bytes = [0; 24];
        random::fill(&mut bytes).ok()?;
        BlockKey::new(BlockCipher::TripleDes, &bytes).ok()
    });
    let Some(key) = made else { return NtStatus::UNSUCCESSFUL };
    if size == 0 || !size.is_multiple_of(unit) {
        return NtStatus::INVALID_PARAMETER;
    }
    let Ok(mut data) = guest.read_vec(memory.get(), u64::from(size)) else {
        return NtStatus::ACCESS_VIOLATION;
    };
    let mut iv = [0; 8];
    let done = match encrypts {
        true => Chaining::Cbc.encrypt(key, &mut iv, &mut data),
        false => Chaining::Cbc.decrypt(key, &mut iv, &mut data),
    };
    match done.is_ok() && guest.write_bytes(memory.get(), &data).is_ok() {
        true => NtStatus::SUCCESS,
        false => NtStatus::ACCESS_VIOLATION,
    }
}

alike! {
    fn(guest, encrypts; Memory: GuestWord, MemorySize: u32, OptionFlags: u32) -> NtStatus {
        match OptionFlags {
            0 => protect_memory(guest, Memory, MemorySize, 8, encrypts),
            _ => NtStatus::NOT_SUPPORTED,
        }
    }

    /// Encrypts memory in place; headers call it `RtlEncryptMemory`.
    "ntsecapi/nf-ntsecapi-rtlencryptmemory"
    SystemFunction040 = true;

    /// Decrypts memory in place; headers call it `RtlDecryptMemory`.
    "ntsecapi/nf-ntsecapi-rtldecryptmemory"
    SystemFunction041 = false;
}
