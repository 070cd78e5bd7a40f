//! iphlpapi.h: interfaces and addresses of IPv4 in the structures of old.

use std::net::{IpAddr, Ipv4Addr};

use plat_abi::{GuestWord, Memory, winapi};
use plat_host::network::{self, interface_facts};
use plat_host::socket::Interface;

use super::interfaces::{find, guid_of, hardware_of, kind_of, mtu_of, speed_of};
use super::{Bytes, Outcome, all_interfaces, code, old_table_of, put_sized};
use crate::Win32Error;
use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest};
use crate::nt::resolver;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial GetAdaptersInfo, "no leases of DHCP";
    full GetIfTable;
    full GetIfEntry;
    full GetIpAddrTable;
    full GetNetworkParams;
    full GetFriendlyIfIndex;
    partial IpReleaseAddress, "always ERROR_ACCESS_DENIED: a program may not change the machine's addresses";
    partial IpRenewAddress, "always ERROR_ACCESS_DENIED: a program may not change the machine's addresses";
};

/// Returns the name of an interface as Windows writes identifiers.
pub(super) fn adapter_name(interface: &Interface) -> String {
    let guid = guid_of(interface);
    let last: String = guid[10..].iter().map(|byte| format!("{byte:02X}")).collect();
    format!("{{00000000-0000-0000-0000-{last}}}")
}

/// Returns the mask of a network of IPv4.
fn mask(prefix: u8) -> Ipv4Addr {
    Ipv4Addr::from(u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0))
}

fn v4_of(interface: &Interface) -> Vec<(Ipv4Addr, u8)> {
    let v4 = |(ip, prefix): &(IpAddr, u8)| match ip {
        IpAddr::V4(ip) => Some((*ip, *prefix)),
        IpAddr::V6(_) => None,
    };
    interface.addresses.iter().filter_map(v4).collect()
}

/// A structure with strings of addresses, whose lists go on behind it.
pub(super) struct Lists {
    /// Where the structure will lie.
    base: u64,
    word: usize,
    pub(super) bytes: Bytes,
    /// What comes behind: where the pointer to it stands, address and mask.
    more: Vec<(usize, [String; 2])>,
}

impl Lists {
    /// Begins a structure that will lie at `base`, with pointers of `word` bytes.
    pub(super) fn at(base: u64, word: usize) -> Self {
        Self { base, word, bytes: Bytes::default(), more: Vec::new() }
    }

    /// Appends an IP_ADDR_STRING; those after the first come behind the structure.
    pub(super) fn list(&mut self, texts: &[[String; 2]]) {
        self.bytes.align(self.word);
        let at = self.bytes.0.len();
        let none = [String::new(), String::new()];
        self.entry(texts.first().unwrap_or(&none));
        self.more.extend(texts.iter().skip(1).map(|texts| (at, texts.clone())));
    }

    fn entry(&mut self, [address, mask]: &[String; 2]) {
        self.bytes.field(&[], self.word).text(address, 16).text(mask, 16).u32s(&[0]).align(self.word);
    }

    /// Appends what comes behind; returns all.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.bytes.align(8);
        let mut last: Option<(usize, usize)> = None;
        for (list, texts) in std::mem::take(&mut self.more) {
            let at = self.bytes.0.len();
            // Each entry is pointed to by the one before it in its list.
            let from = last.filter(|last| last.0 == list).map_or(list, |last| last.1);
            let pointer = (self.base + at as u64).to_le_bytes();
            self.bytes.0[from..from + self.word].copy_from_slice(&pointer[..self.word]);
            self.entry(&texts);
            last = Some((list, at));
        }
        self.bytes.align(8);
        self.bytes.0
    }
}

/// Lays out an IP_ADAPTER_INFO, which will lie at `base`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/iptypes/ns-iptypes-ip_adapter_info>
fn adapter(interface: &Interface, base: u64, word: usize) -> Vec<u8> {
    let hardware = hardware_of(interface);
    let mut lists = Lists::at(base, word);
    lists.bytes.field(&[], word).u32s(&[0]).text(&adapter_name(interface), 260).text(&interface.name, 132);
    lists.bytes.u32s(&[hardware.len() as u32]).field(hardware, 8).u32s(&[
        interface.index,
        kind_of(interface),
        0,
    ]);
    lists.bytes.align(word).field(&[], word);
    let own: Vec<[String; 2]> =
        v4_of(interface).iter().map(|(ip, prefix)| [ip.to_string(), mask(*prefix).to_string()]).collect();
    lists.list(if own.is_empty() { &[] } else { &own });
    let gateways = network::routes().into_iter().filter(|route| {
        route.interface == interface.name && route.gateway.is_ipv4() && !route.gateway.is_unspecified()
    });
    let gateways: Vec<[String; 2]> =
        gateways.map(|route| [route.gateway.to_string(), "255.255.255.255".to_owned()]).collect();
    lists.list(&gateways);
    // No DHCP, no WINS.
    lists.list(&[]);
    lists.bytes.u32s(&[0]);
    lists.list(&[]);
    lists.list(&[]);
    // Two times, which are words.
    lists.bytes.align(word).field(&[], 2 * word);
    lists.finish()
}

/// Tells the interfaces, loopback left out, and their addresses of IPv4.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getadaptersinfo>
#[winapi]
pub fn GetAdaptersInfo(guest: &mut Guest, AdapterInfo: GuestWord, SizePointer: GuestWord) -> u32 {
    let put = || -> Outcome {
        let mut all = all_interfaces()?;
        all.retain(|one| !one.is_loopback);
        if all.is_empty() {
            return Err(Win32Error::NO_DATA);
        }
        let word = guest.machine().pointer_size() as usize;
        let mut bytes: Vec<u8> = Vec::new();
        let mut last = None;
        for interface in &all {
            let at = bytes.len();
            let place = AdapterInfo.0 + at as u64;
            if let Some(last) = last.replace(at) {
                bytes[last..last + word].copy_from_slice(&place.to_le_bytes()[..word]);
            }
            bytes.extend(adapter(interface, place, word));
        }
        put_sized(guest, AdapterInfo.0, SizePointer.0, &bytes, Win32Error::BUFFER_OVERFLOW)
    };
    code(put())
}

/// Lays out a MIB_IFROW.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ifmib/ns-ifmib-mib_ifrow>
fn row(interface: &Interface) -> Vec<u8> {
    const OPERATIONAL: u32 = 5;
    const NON_OPERATIONAL: u32 = 0;
    let facts = interface_facts(&interface.name);
    let hardware = hardware_of(interface);
    let speed = u32::try_from(speed_of(&facts)).unwrap_or(u32::MAX);
    let status = if interface.is_up { OPERATIONAL } else { NON_OPERATIONAL };
    let mut bytes = Bytes::default();
    bytes.wide(&adapter_name(interface), 256);
    bytes.u32s(&[
        interface.index,
        kind_of(interface),
        mtu_of(interface, &facts),
        speed,
        hardware.len() as u32,
    ]);
    bytes.field(hardware, 8).u32s(&[1, status, 0]);
    // These counters go round.
    let [in_bytes, in_packets, in_dropped, in_errors] = facts.received.map(|count| count as u32);
    let [out_bytes, out_packets, out_dropped, out_errors] = facts.sent.map(|count| count as u32);
    bytes.u32s(&[in_bytes, in_packets, 0, in_dropped, in_errors, 0]);
    bytes.u32s(&[out_bytes, out_packets, 0, out_dropped, out_errors, 0]);
    bytes.u32s(&[interface.name.len() as u32]).text(&interface.name, 256);
    bytes.0
}

/// Tells of all interfaces.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getiftable>
#[winapi]
pub fn GetIfTable(guest: &mut Guest, pIfTable: GuestWord, pdwSize: GuestWord, bOrder: Bool) -> u32 {
    let _ = bOrder;
    let put = || -> Outcome {
        let mut all = all_interfaces()?;
        all.sort_by_key(|one| one.index);
        let rows: Vec<Vec<u8>> = all.iter().map(row).collect();
        let bytes = old_table_of(&rows);
        put_sized(guest, pIfTable.0, pdwSize.0, &bytes, Win32Error::INSUFFICIENT_BUFFER)
    };
    code(put())
}

/// Tells of the interface whose index stands in the row.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getifentry>
#[winapi]
pub fn GetIfEntry(guest: &mut Guest, pIfRow: GuestWord) -> u32 {
    const INDEX_AT: u64 = 512;
    let fill = || -> Outcome {
        let bad = |_| Win32Error::INVALID_PARAMETER;
        let index = guest.read_u32(pIfRow.0 + INDEX_AT).map_err(bad)?;
        guest.write_bytes(pIfRow.0, &row(&find(0, index)?)).map_err(bad)
    };
    code(fill())
}

/// Tells the addresses of IPv4.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getipaddrtable>
#[winapi]
pub fn GetIpAddrTable(guest: &mut Guest, pIpAddrTable: GuestWord, pdwSize: GuestWord, bOrder: Bool) -> u32 {
    const BROADCAST: u32 = 1;
    const REASSEMBLED: u32 = 65_535;
    const PRIMARY: u16 = 1;
    let number = |ip: Ipv4Addr| u32::from_le_bytes(ip.octets());
    let put = || -> Outcome {
        let mut rows = Vec::new();
        for interface in all_interfaces()? {
            for (ip, prefix) in v4_of(&interface) {
                let mut bytes = Bytes::default();
                bytes.u32s(&[number(ip), interface.index, number(mask(prefix)), BROADCAST, REASSEMBLED]);
                bytes.field(&[], 2).field(&PRIMARY.to_le_bytes(), 2);
                rows.push(bytes.0);
            }
        }
        if bOrder.0 {
            rows.sort();
        }
        let bytes = old_table_of(&rows);
        put_sized(guest, pIpAddrTable.0, pdwSize.0, &bytes, Win32Error::INSUFFICIENT_BUFFER)
    };
    code(put())
}

/// Tells the machine's name, its domain and its name servers.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getnetworkparams>
#[winapi]
pub fn GetNetworkParams(guest: &mut Guest, pFixedInfo: GuestWord, pOutBufLen: GuestWord) -> u32 {
    /// `HYBRID_NODETYPE`, what Windows has without settings.
    const HYBRID: u32 = 8;
    let (servers, domains) = resolver::settings();
    let name = plat_host::sysinfo::host_name();
    let name = name.split('.').next().unwrap_or_default();
    let word = guest.machine().pointer_size() as usize;
    let mut lists = Lists::at(pFixedInfo.0, word);
    let domain = domains.first().map_or("", String::as_str);
    lists.bytes.text(name, 132).text(domain, 132).field(&[], word);
    let servers: Vec<[String; 2]> = servers.iter().map(|ip| [ip.to_string(), String::new()]).collect();
    lists.list(&servers);
    lists.bytes.u32s(&[HYBRID]).text("", 260).u32s(&[0, 0, 0]);
    code(put_sized(guest, pFixedInfo.0, pOutBufLen.0, &lists.finish(), Win32Error::BUFFER_OVERFLOW))
}

answers! {
    "Gives a leased address back: a program may not change the machine's addresses.", "iphlpapi/nf-iphlpapi-ipreleaseaddress";
    IpReleaseAddress(AdapterInfo: GuestWord) -> u32 = Win32Error::ACCESS_DENIED.0;
    "Leases an address anew: a program may not change the machine's addresses.", "iphlpapi/nf-iphlpapi-iprenewaddress";
    IpRenewAddress(AdapterInfo: GuestWord) -> u32 = Win32Error::ACCESS_DENIED.0;
}

/// Returns an interface's number in the form that old programs expect, without its upper byte.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getfriendlyifindex>
#[winapi]
pub fn GetFriendlyIfIndex(guest: &mut Guest, IfIndex: u32) -> u32 {
    let _ = guest;
    IfIndex & 0xff_ffff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_have_the_documented_sizes() {
        let mut interface = Interface { name: "nowhere".into(), index: 0x1f, ..Interface::default() };
        assert_eq!((row(&interface).len(), adapter(&interface, 0, 8).len()), (860, 704));
        assert_eq!(adapter(&interface, 0, 4).len(), 640);
        assert_eq!(adapter_name(&interface), "{00000000-0000-0000-0000-00000000001F}");
        interface.addresses = vec![("10.0.0.1".parse().unwrap(), 8), ("10.0.0.2".parse().unwrap(), 32)];
        let bytes = adapter(&interface, 0x1000, 8);
        assert_eq!(bytes.len(), 704 + 48);
        assert_eq!(bytes[440..448], (0x1000_u64 + 704).to_le_bytes(), "the second address follows");
        assert_eq!(&bytes[448..457], b"10.0.0.1\0");
        assert_eq!(&bytes[712..721], b"10.0.0.2\0");
    }
}
