//! netioapi.h: interfaces as rows, their names and numbers, and their addresses.

use std::net::IpAddr;

use plat_abi::{Fault, GuestWord, Memory, winapi};
use plat_host::network::{InterfaceFacts, interface_facts};
use plat_host::socket::Interface;

use super::{Bytes, Outcome, all_interfaces, code, put_allocated, table_of};
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::winsock::address::{AF_INET, AF_INET6, Endpoint};
use crate::widths::both_widths;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full FreeMibTable;
    full GetIfTable2;
    full GetIfTable2Ex;
    full GetIfEntry2;
    full GetUnicastIpAddressTable;
    full if_indextoname;
    full if_nametoindex;
    full GetNumberOfInterfaces;
    full ConvertInterfaceIndexToLuid;
    full ConvertInterfaceLuidToIndex;
    full ConvertInterfaceLuidToGuid;
    full ConvertInterfaceGuidToLuid;
    full ConvertInterfaceLuidToNameA;
    full ConvertInterfaceLuidToNameW;
    full ConvertInterfaceNameToLuidA;
    full ConvertInterfaceNameToLuidW;
    full ConvertInterfaceLuidToAlias;
    full ConvertInterfaceAliasToLuid;
};

const ETHERNET: u32 = 6;
const LOOPBACK: u32 = 24;
const UP: u32 = 1;
const DOWN: u32 = 2;
const LOOPBACK_MTU: u32 = u32::MAX;
/// What a link that does not tell its speed is taken for.
const SPEED: u64 = 1_000_000_000;
/// The size of SOCKADDR_INET.
pub(super) const ADDRESS_SIZE: usize = 28;

/// Returns Windows' kind of an interface.
pub(super) fn kind_of(interface: &Interface) -> u32 {
    if interface.is_loopback { LOOPBACK } else { ETHERNET }
}

/// Returns the number that names an interface for ever: kind in the highest 16 bits, index in the next 24.
pub(super) fn luid_of(interface: &Interface) -> u64 {
    u64::from(kind_of(interface)) << 48 | u64::from(interface.index) << 24
}

/// Returns the identifier of an interface: its index in the last bytes.
pub(super) fn guid_of(interface: &Interface) -> [u8; 16] {
    let mut guid = [0; 16];
    guid[12..].copy_from_slice(&interface.index.to_be_bytes());
    guid
}

/// Returns Windows' short name of an interface.
fn name_of(interface: &Interface) -> String {
    let kind = if interface.is_loopback { "loopback" } else { "ethernet" };
    format!("{kind}_{}", interface.index)
}

pub(super) fn mtu_of(interface: &Interface, facts: &InterfaceFacts) -> u32 {
    if interface.is_loopback { LOOPBACK_MTU } else { facts.mtu }
}

pub(super) fn speed_of(facts: &InterfaceFacts) -> u64 {
    if facts.speed == 0 { SPEED } else { facts.speed }
}

pub(super) fn status_of(interface: &Interface) -> u32 {
    if interface.is_up { UP } else { DOWN }
}

/// Returns the hardware address; loopback has none on Windows.
pub(super) fn hardware_of(interface: &Interface) -> &[u8] {
    if interface.is_loopback { &[] } else { &interface.hardware }
}

/// Lays out a SOCKADDR_INET.
pub(super) fn address(ip: IpAddr, interface: &Interface) -> Vec<u8> {
    let is_local = matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
    let scope = if is_local { interface.index } else { 0 };
    let mut bytes = Endpoint { scope, ..Endpoint::new(ip, 0) }.to_bytes();
    bytes.resize(ADDRESS_SIZE, 0);
    bytes
}

pub(super) fn is_wanted(ip: &IpAddr, family: u32) -> bool {
    let own = u32::from(if ip.is_ipv4() { AF_INET } else { AF_INET6 });
    family == 0 || family == own
}

/// Finds the interface of a LUID, or of an index where that is 0.
pub(super) fn find(luid: u64, index: u32) -> Result<Interface, Win32Error> {
    let is_it = |one: &Interface| if luid == 0 { one.index == index } else { luid_of(one) == luid };
    all_interfaces()?.into_iter().find(is_it).ok_or(Win32Error::FILE_NOT_FOUND)
}

/// Lays out a MIB_IF_ROW2.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/netioapi/ns-netioapi-mib_if_row2>
fn row(interface: &Interface) -> Vec<u8> {
    const NAME_UNITS: usize = 257;
    const HARDWARE_SIZE: usize = 32;
    const GUID_SIZE: usize = 16;
    /// `NdisMedium802_3`, `NdisPhysicalMediumUnspecified`, `NET_IF_ACCESS_BROADCAST`, `NET_IF_DIRECTION_SENDRECEIVE`.
    const MEDIUM: [u32; 4] = [0, 0, 2, 0];
    /// `NdisMediumLoopback`, the same, `NET_IF_ACCESS_LOOPBACK`, the same.
    const LOOPBACK_MEDIUM: [u32; 4] = [17, 0, 1, 0];
    const CONNECTED: u32 = 1;
    const DISCONNECTED: u32 = 2;
    const DEDICATED: u32 = 1;
    let facts = interface_facts(&interface.name);
    let hardware = hardware_of(interface);
    let connected = if interface.is_up { CONNECTED } else { DISCONNECTED };
    let [in_bytes, in_packets, in_dropped, in_errors] = facts.received;
    let [out_bytes, out_packets, out_dropped, out_errors] = facts.sent;
    let mut bytes = Bytes::default();
    bytes.u64s(&[luid_of(interface)]).u32s(&[interface.index]).field(&guid_of(interface), GUID_SIZE);
    bytes.wide(&interface.name, NAME_UNITS).wide(&interface.name, NAME_UNITS);
    bytes.u32s(&[hardware.len() as u32]).field(hardware, HARDWARE_SIZE).field(hardware, HARDWARE_SIZE);
    bytes.u32s(&[mtu_of(interface, &facts), kind_of(interface), 0]);
    bytes.u32s(if interface.is_loopback { &LOOPBACK_MEDIUM } else { &MEDIUM });
    // Flags, states, network, kind of connection.
    bytes.u32s(&[0, status_of(interface), UP, connected]).field(&[], GUID_SIZE).u32s(&[DEDICATED, 0]);
    bytes.u64s(&[speed_of(&facts), speed_of(&facts)]);
    bytes.u64s(&[in_bytes, in_packets, 0, in_dropped, in_errors, 0, in_bytes, 0, 0]);
    bytes.u64s(&[out_bytes, out_packets, 0, out_dropped, out_errors, out_bytes, 0, 0, 0]);
    bytes.0
}

/// Gives a table of this DLL's back.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-freemibtable>
#[winapi]
pub fn FreeMibTable(guest: &mut Guest, Memory: GuestWord) {
    if !Memory.is_null() {
        guest.process().heaps.free(0, Memory.0);
    }
}

fn put_rows(guest: &Guest, place: GuestWord) -> Outcome {
    let rows: Vec<Vec<u8>> = all_interfaces()?.iter().map(row).collect();
    put_allocated(guest, place.0, &table_of(&rows))
}

/// Tells of all interfaces.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-getiftable2>
#[winapi]
pub fn GetIfTable2(guest: &mut Guest, Table: GuestWord) -> u32 {
    code(put_rows(guest, Table))
}

/// Tells of all interfaces: as they are (0), or without what filters add (1), of which there is none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-getiftable2ex>
#[winapi]
pub fn GetIfTable2Ex(guest: &mut Guest, Level: i32, Table: GuestWord) -> u32 {
    if ![0, 1].contains(&Level) {
        return Win32Error::INVALID_PARAMETER.0;
    }
    code(put_rows(guest, Table))
}

/// Tells of the interface whose LUID or index stands in the row.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-getifentry2>
#[winapi]
pub fn GetIfEntry2(guest: &mut Guest, Row: GuestWord) -> u32 {
    let fill = || -> Outcome {
        let bad = |_: Fault| Win32Error::INVALID_PARAMETER;
        let luid = guest.read_u64(Row.0).map_err(bad)?;
        let interface = find(luid, guest.read_u32(Row.0 + 8).map_err(bad)?)?;
        guest.write_bytes(Row.0, &row(&interface)).map_err(bad)
    };
    code(fill())
}

/// Lays out a MIB_UNICASTIPADDRESS_ROW.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/netioapi/ns-netioapi-mib_unicastipaddress_row>
fn address_row(interface: &Interface, ip: IpAddr, prefix: u8) -> Vec<u8> {
    const MANUAL: u32 = 1;
    const PREFERRED: u32 = 4;
    const FOREVER: u32 = u32::MAX;
    let mut bytes = Bytes::default();
    bytes.field(&address(ip, interface), ADDRESS_SIZE).align(8);
    bytes.u64s(&[luid_of(interface)]).u32s(&[interface.index, MANUAL, MANUAL, FOREVER, FOREVER]);
    bytes.u32s(&[u32::from(prefix), PREFERRED, 0]).u64s(&[0]);
    bytes.0
}

/// Tells the addresses of all interfaces.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-getunicastipaddresstable>
#[winapi]
pub fn GetUnicastIpAddressTable(guest: &mut Guest, Family: u16, Table: GuestWord) -> u32 {
    if ![0, AF_INET, AF_INET6].contains(&Family) {
        return Win32Error::INVALID_PARAMETER.0;
    }
    let put = || -> Outcome {
        let all = all_interfaces()?;
        let of = |one: &Interface| {
            let wanted = one.addresses.iter().filter(|found| is_wanted(&found.0, u32::from(Family)));
            wanted.map(|(ip, prefix)| address_row(one, *ip, *prefix)).collect::<Vec<_>>()
        };
        let rows: Vec<Vec<u8>> = all.iter().flat_map(of).collect();
        put_allocated(guest, Table.0, &table_of(&rows))
    };
    code(put())
}

/// Tells the name of an interface; returns where, or null.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-if_indextoname>
#[winapi]
pub fn if_indextoname(
    guest: &mut Guest,
    InterfaceIndex: u32,
    InterfaceName: GuestWord,
) -> Result<GuestWord, Fault> {
    let Ok(found) = find(0, InterfaceIndex) else { return Ok(GuestWord::NULL) };
    guest.write_bytes(InterfaceName.0, &[found.name.as_bytes(), &[0]].concat())?;
    Ok(InterfaceName)
}

/// Returns the number of an interface, or 0.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-if_nametoindex>
#[winapi]
pub fn if_nametoindex(guest: &mut Guest, InterfaceName: GuestWord) -> Result<u32, Fault> {
    let name = guest.read_c_string(InterfaceName.0)?;
    let all = all_interfaces().unwrap_or_default();
    Ok(all.iter().find(|one| one.name.as_bytes() == name).map_or(0, |one| one.index))
}

/// Tells how many interfaces there are; returns 0 or an error.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getnumberofinterfaces>
#[winapi]
pub fn GetNumberOfInterfaces(guest: &mut Guest, pdwNumIf: GuestWord) -> u32 {
    let count = all_interfaces().map_or(0, |all| all.len() as u32);
    code(guest.write(pdwNumIf.0, &count).map_err(|_| Win32Error::INVALID_PARAMETER))
}

/// Converts what names an interface: finds it by one thing, and stores another.
fn convert(
    guest: &Guest,
    is_it: impl Fn(&Interface) -> bool,
    to: GuestWord,
    value: impl Fn(&Interface) -> Vec<u8>,
) -> u32 {
    let found = all_interfaces().and_then(|all| {
        let found = all.iter().find(|one| is_it(one)).map(value);
        found.ok_or(Win32Error::INVALID_PARAMETER)
    });
    let put =
        found.and_then(|bytes| guest.write_bytes(to.0, &bytes).map_err(|_| Win32Error::INVALID_PARAMETER));
    code(put)
}

fn has_luid(guest: &Guest, at: GuestWord) -> impl Fn(&Interface) -> bool {
    let luid = guest.read_u64(at.0).unwrap_or(0);
    move |one: &Interface| luid_of(one) == luid
}

fn luid_bytes(interface: &Interface) -> Vec<u8> {
    luid_of(interface).to_le_bytes().to_vec()
}

/// Finds the LUID of an index.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-convertinterfaceindextoluid>
#[winapi]
pub fn ConvertInterfaceIndexToLuid(guest: &mut Guest, InterfaceIndex: u32, InterfaceLuid: GuestWord) -> u32 {
    let is_it = |one: &Interface| one.index == InterfaceIndex;
    match convert(guest, is_it, InterfaceLuid, luid_bytes) {
        0 => 0,
        _ => Win32Error::FILE_NOT_FOUND.0,
    }
}

/// Finds the index of a LUID.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-convertinterfaceluidtoindex>
#[winapi]
pub fn ConvertInterfaceLuidToIndex(
    guest: &mut Guest,
    InterfaceLuid: GuestWord,
    InterfaceIndex: GuestWord,
) -> u32 {
    let value = |one: &Interface| one.index.to_le_bytes().to_vec();
    convert(guest, has_luid(guest, InterfaceLuid), InterfaceIndex, value)
}

/// Finds the identifier of a LUID.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-convertinterfaceluidtoguid>
#[winapi]
pub fn ConvertInterfaceLuidToGuid(
    guest: &mut Guest,
    InterfaceLuid: GuestWord,
    InterfaceGuid: GuestWord,
) -> u32 {
    convert(guest, has_luid(guest, InterfaceLuid), InterfaceGuid, |one| guid_of(one).to_vec())
}

/// Finds the LUID of an identifier.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-convertinterfaceguidtoluid>
#[winapi]
pub fn ConvertInterfaceGuidToLuid(
    guest: &mut Guest,
    InterfaceGuid: GuestWord,
    InterfaceLuid: GuestWord,
) -> u32 {
    let mut guid = [0; 16];
    if guest.read_bytes(InterfaceGuid.0, &mut guid).is_err() {
        return Win32Error::INVALID_PARAMETER.0;
    }
    convert(guest, |one| guid_of(one) == guid, InterfaceLuid, luid_bytes)
}

/// Stores a text for an interface where there is room for so many units.
fn put_name(guest: &Guest, luid: GuestWord, to: GuestWord, room: u64, is_wide: bool, is_alias: bool) -> u32 {
    let name = |one: &Interface| if is_alias { one.name.clone() } else { name_of(one) };
    let longest = all_interfaces().unwrap_or_default();
    let found = longest.iter().find(|one| has_luid(guest, luid)(one)).map(name);
    if found.is_some_and(|name| name.encode_utf16().count() as u64 >= room) {
        return Win32Error::NOT_ENOUGH_MEMORY.0;
    }
    convert(guest, has_luid(guest, luid), to, |one| {
        let units = name(one).encode_utf16().chain([0]).collect::<Vec<u16>>();
        units
            .iter()
            .flat_map(|unit| unit.to_le_bytes().into_iter().take(if is_wide { 2 } else { 1 }))
            .collect()
    })
}

both_widths! {
    /// Finds the short name of a LUID.
    "netioapi/nf-netioapi-convertinterfaceluidtoname"
    ConvertInterfaceLuidToNameA, ConvertInterfaceLuidToNameW(
        guest, width, InterfaceLuid: GuestWord, InterfaceName: GuestWord, Length: GuestWord
    ) -> u32 {
        put_name(guest, InterfaceLuid, InterfaceName, Length.0, width.is_wide(), false)
    }
}

/// Finds the name that a person knows of a LUID.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-convertinterfaceluidtoalias>
#[winapi]
pub fn ConvertInterfaceLuidToAlias(
    guest: &mut Guest,
    InterfaceLuid: GuestWord,
    InterfaceAlias: GuestWord,
    Length: GuestWord,
) -> u32 {
    put_name(guest, InterfaceLuid, InterfaceAlias, Length.0, true, true)
}

/// Finds the LUID of a short name.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-convertinterfacenametoluida>
#[winapi]
pub fn ConvertInterfaceNameToLuidA(
    guest: &mut Guest,
    InterfaceName: GuestWord,
    InterfaceLuid: GuestWord,
) -> u32 {
    let name = guest.read_c_string(InterfaceName.0).unwrap_or_default();
    convert(guest, |one| name_of(one).as_bytes() == name, InterfaceLuid, luid_bytes)
}

fn wide_name(guest: &Guest, at: GuestWord) -> String {
    String::from_utf16_lossy(&guest.read_wide_string(at.0).unwrap_or_default())
}

/// Finds the LUID of a short name.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-convertinterfacenametoluidw>
#[winapi]
pub fn ConvertInterfaceNameToLuidW(
    guest: &mut Guest,
    InterfaceName: GuestWord,
    InterfaceLuid: GuestWord,
) -> u32 {
    let name = wide_name(guest, InterfaceName);
    convert(guest, |one| name_of(one) == name, InterfaceLuid, luid_bytes)
}

/// Finds the LUID of the name that a person knows.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-convertinterfacealiastoluid>
#[winapi]
pub fn ConvertInterfaceAliasToLuid(
    guest: &mut Guest,
    InterfaceAlias: GuestWord,
    InterfaceLuid: GuestWord,
) -> u32 {
    let name = wide_name(guest, InterfaceAlias);
    convert(guest, |one| one.name == name, InterfaceLuid, luid_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_the_documented_sizes() {
        let interface =
            Interface { name: "eth0".into(), index: 2, hardware: vec![1; 6], ..Interface::default() };
        let bytes = row(&interface);
        assert_eq!(bytes.len(), 1352);
        assert_eq!(bytes[1056..1064], [6, 0, 0, 0, 1, 1, 1, 1], "PhysicalAddressLength");
        assert_eq!(bytes[1128], 6, "Type");
        assert_eq!(address_row(&interface, "10.0.0.1".parse().unwrap(), 8).len(), 80);
    }
}
