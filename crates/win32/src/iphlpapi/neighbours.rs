//! iphlpapi.h: what belongs to one adapter, the adapters by name, and the machines that they have met.

use std::net::IpAddr;

use plat_abi::{GuestWord, Memory, winapi};
use plat_host::network;

use super::interfaces::{GetUnicastIpAddressTable, find};
use super::legacy::{Lists, adapter_name};
use super::{Bytes, Outcome, all_interfaces, bad, code, old_table_of, put_sized};
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest};
use crate::nt::resolver;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full GetPerAdapterInfo; full GetInterfaceInfo; full GetAdapterIndex; full GetIpNetTable;
    partial SendARP, "nobody is asked: it knows whom the machine has met";
    full NotifyStableUnicastIpAddressTable;
};

/// What the device of an adapter is called before its identifier.
const DEVICE: &str = "\\DEVICE\\TCPIP_";

/// Tells of one adapter whether it chose its address itself, and its name servers: those of the machine.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getperadapterinfo>
#[winapi]
pub fn GetPerAdapterInfo(
    guest: &mut Guest,
    IfIndex: u32,
    pPerAdapterInfo: GuestWord,
    pOutBufLen: GuestWord,
) -> u32 {
    let put = || -> Outcome {
        find(0, IfIndex).map_err(|_| Win32Error::INVALID_PARAMETER)?;
        let word = guest.machine().pointer_size() as usize;
        let mut lists = Lists::at(pPerAdapterInfo.0, word);
        // No address of its own choice; the list's first entry is the server in use, and nothing points to it.
        lists.bytes.u32s(&[0, 0]).align(word).field(&[], word);
        let servers = resolver::settings().0;
        let servers: Vec<[String; 2]> = servers.iter().map(|ip| [ip.to_string(), String::new()]).collect();
        lists.list(&servers);
        put_sized(guest, pPerAdapterInfo.0, pOutBufLen.0, &lists.finish(), Win32Error::BUFFER_OVERFLOW)
    };
    code(put())
}

/// Lists the adapters with IPv4 by number and name, loopback left out.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getinterfaceinfo>
#[winapi]
pub fn GetInterfaceInfo(guest: &mut Guest, pIfTable: GuestWord, dwOutBufLen: GuestWord) -> u32 {
    const NAME_UNITS: usize = 128;
    let put = || -> Outcome {
        let mut all = all_interfaces()?;
        all.retain(|one| !one.is_loopback && one.addresses.iter().any(|(ip, _)| ip.is_ipv4()));
        if all.is_empty() {
            return Err(Win32Error::NO_DATA);
        }
        let rows: Vec<Vec<u8>> = all
            .iter()
            .map(|one| {
                let mut bytes = Bytes::default();
                bytes.u32s(&[one.index]).wide(&format!("{DEVICE}{}", adapter_name(one)), NAME_UNITS);
                bytes.0
            })
            .collect();
        let bytes = old_table_of(&rows);
        put_sized(guest, pIfTable.0, dwOutBufLen.0, &bytes, Win32Error::INSUFFICIENT_BUFFER)
    };
    code(put())
}

/// Finds the number of an adapter by its name, with or without that of the device.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getadapterindex>
#[winapi]
pub fn GetAdapterIndex(guest: &mut Guest, AdapterName: GuestWord, IfIndex: GuestWord) -> u32 {
    let find = || -> Outcome {
        let name = String::from_utf16_lossy(&guest.read_wide_string(AdapterName.0).map_err(bad)?);
        let own = name.get(..DEVICE.len()).filter(|start| start.eq_ignore_ascii_case(DEVICE));
        let own = &name[own.map_or(0, str::len)..];
        let all = all_interfaces()?;
        let found = all.iter().find(|one| adapter_name(one).eq_ignore_ascii_case(own));
        let found = found.ok_or(Win32Error::FILE_NOT_FOUND)?;
        guest.write(IfIndex.0, &found.index).map_err(bad)
    };
    code(find())
}

/// Tells the hardware addresses of the machines that the adapters have met.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getipnettable>
#[winapi]
pub fn GetIpNetTable(guest: &mut Guest, IpNetTable: GuestWord, SizePointer: GuestWord, Order: Bool) -> u32 {
    /// `MIB_IPNET_TYPE_INVALID`, `MIB_IPNET_TYPE_DYNAMIC`, `MIB_IPNET_TYPE_STATIC`.
    const KINDS: [u32; 3] = [2, 3, 4];
    const HARDWARE_SIZE: usize = 8;
    let put = || -> Outcome {
        let all = all_interfaces()?;
        let mut met = network::neighbours();
        if Order.0 {
            met.sort_by_key(|one| one.address);
        }
        let row = |one: &network::Neighbour| {
            let index = all.iter().find(|interface| interface.name == one.interface)?.index;
            let kind = KINDS[if !one.is_complete { 0 } else { 1 + usize::from(one.is_permanent) }];
            let mut bytes = Bytes::default();
            bytes.u32s(&[index, one.hardware.len() as u32]).field(&one.hardware, HARDWARE_SIZE);
            bytes.field(&one.address.octets(), 4).u32s(&[kind]);
            Some(bytes.0)
        };
        let rows: Vec<Vec<u8>> = met.iter().filter_map(row).collect();
        if rows.is_empty() {
            return Err(Win32Error::NO_DATA);
        }
        let bytes = old_table_of(&rows);
        put_sized(guest, IpNetTable.0, SizePointer.0, &bytes, Win32Error::INSUFFICIENT_BUFFER)
    };
    code(put())
}

/// Tells the hardware address of a machine that has been met.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-sendarp>
#[winapi]
pub fn SendARP(
    guest: &mut Guest,
    DestIP: u32,
    SrcIP: u32,
    pMacAddr: GuestWord,
    PhyAddrLen: GuestWord,
) -> u32 {
    let _ = SrcIP;
    let find = || -> Outcome {
        let wanted = IpAddr::from(DestIP.to_le_bytes());
        let met = network::neighbours().into_iter().find(|one| one.is_complete && wanted == one.address);
        let hardware = met.ok_or(Win32Error::BAD_NET_NAME)?.hardware;
        let room = guest.read_u32(PhyAddrLen.0).map_err(bad)? as usize;
        if room < hardware.len() {
            return Err(Win32Error::BUFFER_OVERFLOW);
        }
        guest.write_bytes(pMacAddr.0, &hardware).map_err(bad)?;
        guest.write(PhyAddrLen.0, &(hardware.len() as u32)).map_err(bad)
    };
    code(find())
}

/// Tells the addresses of all interfaces once none of them is being tried out: at once.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-notifystableunicastipaddresstable>
#[winapi]
pub fn NotifyStableUnicastIpAddressTable(
    guest: &mut Guest,
    Family: u16,
    Table: GuestWord,
    CallerCallback: GuestWord,
    CallerContext: GuestWord,
    NotificationHandle: GuestWord,
) -> u32 {
    let _ = (CallerCallback, CallerContext);
    if Table.is_null() || guest.write_word(NotificationHandle.0, 0).is_err() {
        return Win32Error::INVALID_PARAMETER.0;
    }
    GetUnicastIpAddressTable(guest, Family, Table)
}
