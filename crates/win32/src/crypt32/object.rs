//! wincrypt.h: structures to DER and back. What is read of DER is [`crate::logic::crypto::decode`].

use plat_abi::{GuestWord, Memory, winapi};

use super::certificate::MALFORMED;
use super::give;
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::crypto::CryptoError;
use crate::logic::crypto::decode::{decode, kind_of};
use crate::logic::crypto::layout::Laid;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial CryptDecodeObject, "names, keys, extensions, certificates, numbers, times; no lists of revocations, requests, messages";
    partial CryptDecodeObjectEx, "as CryptDecodeObject";
    partial CryptEncodeObject, "names, keys, extensions, numbers, times; no certificates, lists of revocations, requests, messages";
    partial CryptEncodeObjectEx, "as CryptEncodeObject";
    full CryptMemAlloc;
    full CryptMemRealloc;
    full CryptMemFree;
};

/// `CRYPT_E_ASN1_EOD`.
const END_OF_DATA: Win32Error = Win32Error(0x8009_3102);
/// `CRYPT_DECODE_ALLOC_FLAG` and `CRYPT_ENCODE_ALLOC_FLAG`.
const ALLOCATE: u32 = 0x8000;

/// Returns the number of a structure that is given by number or by the identifier of an extension.
fn structure(guest: &Guest, kind: GuestWord) -> Result<u64, Win32Error> {
    match kind.get() {
        number @ 0..=0xffff => Ok(number),
        address => {
            let text = guest.read_c_string(address)?;
            kind_of(&String::from_utf8_lossy(&text)).ok_or(Win32Error::FILE_NOT_FOUND)
        }
    }
}

/// Allocates with the program's function, given in a structure of size and functions, or as `LocalAlloc` does.
fn allocate(guest: &mut Guest, para: GuestWord, size: u64) -> Result<u64, Win32Error> {
    let function = match para.is_null() {
        true => 0,
        false => guest.read_word(para.get() + guest.machine().pointer_size())?,
    };
    let address = match function {
        0 => guest.process().heaps.allocate(0, size, true).unwrap_or(0),
        function => guest.call(function, &[size])?,
    };
    if address == 0 { Err(Win32Error::NOT_ENOUGH_MEMORY) } else { Ok(address) }
}

/// Decodes a structure into a program's memory, or into new memory.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptdecodeobjectex>
#[winapi]
pub fn CryptDecodeObjectEx(
    guest: &mut Guest,
    dwCertEncodingType: u32,
    lpszStructType: GuestWord,
    pbEncoded: GuestWord,
    cbEncoded: u32,
    dwFlags: u32,
    pDecodePara: GuestWord,
    pvStructInfo: GuestWord,
    pcbStructInfo: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = dwCertEncodingType;
    let number = structure(guest, lpszStructType)?;
    if cbEncoded == 0 {
        return Err(END_OF_DATA);
    }
    let bytes = guest.read_vec(pbEncoded.get(), u64::from(cbEncoded))?;
    let items = decode(number, &bytes).map_err(|error| match error {
        CryptoError::Unsupported => Win32Error::FILE_NOT_FOUND,
        _ => MALFORMED,
    })?;
    let machine = guest.machine();
    let laid = Laid::new(&items, machine);
    if dwFlags & ALLOCATE != 0 && !pvStructInfo.is_null() {
        let address = allocate(guest, pDecodePara, laid.len() as u64)?;
        guest.write_bytes(address, &laid.at(address, machine))?;
        guest.write_word(pvStructInfo.get(), address)?;
        if !pcbStructInfo.is_null() {
            guest.write(pcbStructInfo.get(), &(laid.len() as u32))?;
        }
        return Ok(TRUE);
    }
    give(guest, &laid.at(pvStructInfo.get(), machine), pvStructInfo, pcbStructInfo)
}

/// Decodes a structure into a program's memory.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptdecodeobject>
#[winapi]
pub fn CryptDecodeObject(
    guest: &mut Guest,
    dwCertEncodingType: u32,
    lpszStructType: GuestWord,
    pbEncoded: GuestWord,
    cbEncoded: u32,
    dwFlags: u32,
    pvStructInfo: GuestWord,
    pcbStructInfo: GuestWord,
) -> Result<Bool, Win32Error> {
    CryptDecodeObjectEx(
        guest,
        dwCertEncodingType,
        lpszStructType,
        pbEncoded,
        cbEncoded,
        dwFlags & !ALLOCATE,
        GuestWord::NULL,
        pvStructInfo,
        pcbStructInfo,
    )
}

/// Encodes a structure into a program's memory, or into new memory.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptencodeobjectex>
#[winapi]
pub fn CryptEncodeObjectEx(
    guest: &mut Guest,
    dwCertEncodingType: u32,
    lpszStructType: GuestWord,
    pvStructInfo: GuestWord,
    dwFlags: u32,
    pEncodePara: GuestWord,
    pvEncoded: GuestWord,
    pcbEncoded: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = dwCertEncodingType;
    let number = structure(guest, lpszStructType)?;
    let bytes = super::encode::encode(guest, number, pvStructInfo.get())?;
    if dwFlags & ALLOCATE != 0 && !pvEncoded.is_null() {
        let address = allocate(guest, pEncodePara, bytes.len() as u64)?;
        guest.write_bytes(address, &bytes)?;
        guest.write_word(pvEncoded.get(), address)?;
        guest.write(pcbEncoded.get(), &(bytes.len() as u32))?;
        return Ok(TRUE);
    }
    give(guest, &bytes, pvEncoded, pcbEncoded)
}

/// Encodes a structure into a program's memory.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptencodeobject>
#[winapi]
pub fn CryptEncodeObject(
    guest: &mut Guest,
    dwCertEncodingType: u32,
    lpszStructType: GuestWord,
    pvStructInfo: GuestWord,
    pbEncoded: GuestWord,
    pcbEncoded: GuestWord,
) -> Result<Bool, Win32Error> {
    CryptEncodeObjectEx(
        guest,
        dwCertEncodingType,
        lpszStructType,
        pvStructInfo,
        0,
        GuestWord::NULL,
        pbEncoded,
        pcbEncoded,
    )
}

/// Allocates memory.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptmemalloc>
#[winapi]
pub fn CryptMemAlloc(guest: &mut Guest, cbSize: u32) -> Result<GuestWord, Win32Error> {
    let block = guest.process().heaps.allocate(0, u64::from(cbSize), false);
    block.map(GuestWord).ok_or(Win32Error::NOT_ENOUGH_MEMORY)
}

/// Changes the size of memory; null is allocated.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptmemrealloc>
#[winapi]
pub fn CryptMemRealloc(guest: &mut Guest, pv: GuestWord, cbSize: u32) -> Result<GuestWord, Win32Error> {
    if pv.is_null() {
        return CryptMemAlloc(guest, cbSize);
    }
    let block = guest.process().heaps.reallocate(0, pv.get(), u64::from(cbSize), false, false);
    block.map(GuestWord).ok_or(Win32Error::NOT_ENOUGH_MEMORY)
}

/// Frees memory; null is nothing to do.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptmemfree>
#[winapi]
pub fn CryptMemFree(guest: &mut Guest, pv: GuestWord) {
    if !pv.is_null() {
        guest.process().heaps.free(0, pv.get());
    }
}
