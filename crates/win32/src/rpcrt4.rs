//! rpcrt4.dll: universally unique identifiers. There are no remote procedure calls.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::alike::alike;
use crate::dll;
use crate::export::{Dll, Export};
use crate::guest::Guest;
use crate::logic::guid::{Guid, from_text, to_text};
use crate::ole32::guid::CoCreateGuid;
use crate::widths::both_widths;

/// The DLL.
pub const DLL: Dll = Dll {
    name: "rpcrt4.dll",
    description: "Remote Procedure Call Runtime",
    tables: &[EXPORTS],
    methods: &[],
};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full UuidCreate;
    partial UuidCreateSequential, "random, which no machine's address is needed for";
    full UuidCreateNil;
    full UuidToStringA;
    full UuidToStringW;
    full UuidFromStringA;
    full UuidFromStringW;
    full RpcStringFreeA;
    full RpcStringFreeW;
    full UuidCompare;
    full UuidEqual;
    full UuidIsNil;
    full UuidHash;
    stub RpcBindingFree;
    stub RpcBindingFromStringBindingW;
    stub RpcStringBindingComposeW;
    stub RpcServerListen;
    stub NdrClientCall2;
    stub NdrClientCall3;
};

const RPC_S_OK: i32 = 0;
const RPC_S_OUT_OF_MEMORY: i32 = 14;
const RPC_S_INVALID_STRING_UUID: i32 = 1705;

/// Makes an identifier of random bits.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/rpcdce/nf-rpcdce-uuidcreate>
#[winapi]
pub fn UuidCreate(guest: &mut Guest, Uuid: GuestWord) -> Result<i32, Fault> {
    CoCreateGuid(guest, Uuid)
}

/// Makes an identifier.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/rpcdce/nf-rpcdce-uuidcreatesequential>
#[winapi]
pub fn UuidCreateSequential(guest: &mut Guest, Uuid: GuestWord) -> Result<i32, Fault> {
    UuidCreate(guest, Uuid)
}

/// Makes the identifier of zeros.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/rpcdce/nf-rpcdce-uuidcreatenil>
#[winapi]
pub fn UuidCreateNil(guest: &mut Guest, NilUuid: GuestWord) -> Result<i32, Fault> {
    guest.write_bytes(NilUuid.get(), &[0; 16])?;
    Ok(RPC_S_OK)
}

/// Returns an identifier's text: `00000000-0000-0000-0000-000000000000`.
fn text_of(bytes: &[u8; 16]) -> String {
    to_text(bytes).trim_matches(['{', '}']).to_lowercase()
}

/// Reads such a text.
fn bytes_of(text: &str) -> Option<[u8; 16]> {
    from_text(&format!("{{{text}}}"))
}

fn read(guest: &Guest, address: GuestWord) -> Result<Guid, Fault> {
    if address.is_null() { Ok(Guid::default()) } else { guest.read(address.get()) }
}

both_widths! {
    /// Returns an identifier's text in memory for `RpcStringFree`.
    "rpcdce/nf-rpcdce-uuidtostring"
    UuidToStringA, UuidToStringW(guest, width, Uuid: GuestWord, StringUuid: GuestWord) -> Result<i32, Fault> {
        let text: Vec<u16> = text_of(&read(guest, Uuid)?).encode_utf16().collect();
        let bytes = width.bytes(&text);
        let Some(block) = guest.process().heaps.allocate(0, bytes.len() as u64, false) else {
            return Ok(RPC_S_OUT_OF_MEMORY);
        };
        guest.write_bytes(block, &bytes)?;
        guest.write_word(StringUuid.get(), block)?;
        Ok(RPC_S_OK)
    }

    /// Reads an identifier; null is that of zeros.
    "rpcdce/nf-rpcdce-uuidfromstring"
    UuidFromStringA, UuidFromStringW(guest, width, StringUuid: GuestWord, Uuid: GuestWord) -> Result<i32, Fault> {
        let bytes = match StringUuid.is_null() {
            true => Some([0; 16]),
            false => bytes_of(&String::from_utf16_lossy(&width.read(guest, StringUuid)?)),
        };
        let Some(bytes) = bytes else { return Ok(RPC_S_INVALID_STRING_UUID) };
        guest.write_bytes(Uuid.get(), &bytes)?;
        Ok(RPC_S_OK)
    }

    /// Frees a text.
    "rpcdce/nf-rpcdce-rpcstringfree"
    RpcStringFreeA, RpcStringFreeW(guest, width, String: GuestWord) -> Result<i32, Fault> {
        let _ = width;
        let block = guest.read_word(String.get())?;
        if block != 0 {
            guest.process().heaps.free(0, block);
        }
        guest.write_word(String.get(), 0)?;
        Ok(RPC_S_OK)
    }
}

/// Compares two identifiers: first the numbers, then the bytes.
fn order(left: &[u8; 16], right: &[u8; 16]) -> i32 {
    text_of(left).cmp(&text_of(right)) as i32
}

/// Says whether two identifiers are the same.
fn equal(left: &[u8; 16], right: &[u8; 16]) -> i32 {
    i32::from(left == right)
}

alike! {
    fn(guest, compare;
        Uuid1: GuestWord, Uuid2: GuestWord, Status: GuestWord
    ) -> Result<i32, Fault> {
        guest.write(Status.get(), &RPC_S_OK)?;
        Ok(compare(&read(guest, Uuid1)?, &read(guest, Uuid2)?))
    }

    /// Compares two identifiers.
    "rpcdce/nf-rpcdce-uuidcompare" UuidCompare = order;

    /// Says whether two identifiers are the same.
    "rpcdce/nf-rpcdce-uuidequal" UuidEqual = equal;
}

/// Says whether an identifier is that of zeros.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/rpcdce/nf-rpcdce-uuidisnil>
#[winapi]
pub fn UuidIsNil(guest: &mut Guest, Uuid: GuestWord, Status: GuestWord) -> Result<i32, Fault> {
    guest.write(Status.get(), &RPC_S_OK)?;
    Ok(i32::from(read(guest, Uuid)? == [0; 16]))
}

/// Returns a small number that is the same for the same identifier.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/rpcdce/nf-rpcdce-uuidhash>
#[winapi]
pub fn UuidHash(guest: &mut Guest, Uuid: GuestWord, Status: GuestWord) -> Result<u16, Fault> {
    guest.write(Status.get(), &RPC_S_OK)?;
    // The check sum of Fletcher, as the standard of DCE has it.
    let (mut low, mut high) = (0_i32, 0_i32);
    for byte in read(guest, Uuid)? {
        low = (low + i32::from(byte)) % 255;
        high = (high + low) % 255;
    }
    let x = (-high).rem_euclid(255);
    let y = (high - low).rem_euclid(255);
    Ok((y * 256 + x) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_become_texts_and_back() {
        let text = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
        let bytes = bytes_of(text).expect("it has the form");
        assert_eq!(bytes[..4], [0x10, 0xb8, 0xa7, 0x6b]);
        assert_eq!(text_of(&bytes), text);
        for wrong in [
            "",
            "6ba7b810-9dad-11d1-80b4-00c04fd430c",
            "{ba7b810-9dad-11d1-80b4-00c04fd430c8",
            "6ba7b81009dad-11d1-80b4-00c04fd430c8",
        ] {
            assert_eq!(bytes_of(wrong), None, "{wrong}");
        }
        assert_eq!(order(&[0; 16], &bytes), -1);
    }
}
