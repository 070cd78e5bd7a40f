//! netioapi.h: masks of networks and their lengths; addresses that several interfaces share.

use plat_abi::{GuestWord, Memory, winapi};

use super::{Outcome, code, put_allocated, table_of};
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::winsock::address::{AF_INET, AF_INET6};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full ConvertIpv4MaskToLength;
    full ConvertLengthToIpv4Mask;
    partial GetAnycastIpAddressTable, "Linux does not list anycast addresses: the table is empty";
};

/// Makes the mask of a length, in the order of the network; a length that is none gives `INADDR_NONE` and an error.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-convertlengthtoipv4mask>
#[winapi]
pub fn ConvertLengthToIpv4Mask(guest: &mut Guest, MaskLength: u32, Mask: GuestWord) -> u32 {
    let mask = match MaskLength {
        0 => Some(0),
        1..=32 => Some(u32::MAX << (32 - MaskLength)),
        _ => None,
    };
    let stored = guest.write(Mask.get(), &mask.unwrap_or(u32::MAX).to_be());
    let outcome: Outcome = match (mask, stored) {
        (Some(_), Ok(())) => Ok(()),
        _ => Err(Win32Error::INVALID_PARAMETER),
    };
    code(outcome)
}

/// Stores the length of a mask, whose ones must stand together at its beginning.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-convertipv4masktolength>
#[winapi]
pub fn ConvertIpv4MaskToLength(guest: &mut Guest, Mask: u32, MaskLength: GuestWord) -> u32 {
    let mask = u32::from_be(Mask);
    let length = mask.leading_ones();
    let is_one = mask.count_ones() == length;
    let stored = is_one && guest.write_bytes(MaskLength.get(), &[length as u8]).is_ok();
    code(if stored { Ok(()) } else { Err(Win32Error::INVALID_PARAMETER) })
}

/// Tells the anycast addresses of all interfaces: none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-getanycastipaddresstable>
#[winapi]
pub fn GetAnycastIpAddressTable(guest: &mut Guest, Family: u16, Table: GuestWord) -> u32 {
    if ![0, AF_INET, AF_INET6].contains(&Family) {
        return Win32Error::INVALID_PARAMETER.0;
    }
    code(put_allocated(guest, Table.0, &table_of(&[])))
}
