//! iphlpapi.dll: the interfaces of the network. The table of contents and its functions.

use std::net::IpAddr;

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};
use plat_host::socket::{self, Interface};

use crate::dll;
use crate::export::{Dll, Export};
use crate::guest::Guest;
use crate::logic::winsock::address::{AF_INET, AF_INET6, Endpoint};
use crate::{NtStatus, Win32Error};

/// The DLL.
pub const DLL: Dll =
    Dll { name: "iphlpapi.dll", description: "IP Helper API", tables: &[EXPORTS], methods: &[] };

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial GetAdaptersAddresses, "unicast addresses; no gateways, name servers, prefixes, or anycast and multicast addresses";
    full if_indextoname;
    full if_nametoindex;
    full GetNumberOfInterfaces;
    stub FreeMibTable;
    stub GetAdaptersInfo;
    stub GetBestInterface;
    stub GetBestRoute2;
    stub GetIfTable;
    stub GetIpAddrTable;
    stub GetNetworkParams;
    stub GetUnicastIpAddressTable;
};

/// The first fields of IP_ADAPTER_ADDRESSES; what follows is zero.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/iptypes/ns-iptypes-ip_adapter_addresses_lh>
#[derive(GuestStruct, Default)]
#[allow(non_snake_case)]
struct IP_ADAPTER_ADDRESSES {
    Length: u32,
    IfIndex: u32,
    Next: GuestWord,
    AdapterName: GuestWord,
    FirstUnicastAddress: GuestWord,
    FirstAnycastAddress: GuestWord,
    FirstMulticastAddress: GuestWord,
    FirstDnsServerAddress: GuestWord,
    DnsSuffix: GuestWord,
    Description: GuestWord,
    FriendlyName: GuestWord,
    PhysicalAddress: [u8; 8],
    PhysicalAddressLength: u32,
    Flags: u32,
    Mtu: u32,
    IfType: u32,
    OperStatus: u32,
    Ipv6IfIndex: u32,
    ZoneIndices: [u32; 16],
    FirstPrefix: GuestWord,
    TransmitLinkSpeed: u64,
    ReceiveLinkSpeed: u64,
}

/// The whole structure's size in bytes, for 32 and 64 bits.
const ADAPTER_SIZES: (u64, u64) = (376, 448);

/// IP_ADAPTER_UNICAST_ADDRESS.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/iptypes/ns-iptypes-ip_adapter_unicast_address_lh>
#[derive(GuestStruct, Default)]
#[allow(non_snake_case)]
struct IP_ADAPTER_UNICAST_ADDRESS {
    Length: u32,
    Flags: u32,
    Next: GuestWord,
    lpSockaddr: GuestWord,
    iSockaddrLength: GuestWord,
    PrefixOrigin: u32,
    SuffixOrigin: u32,
    DadState: u32,
    ValidLifetime: u32,
    PreferredLifetime: u32,
    LeaseLifetime: u32,
    OnLinkPrefixLength: u32,
}

const IF_TYPE_ETHERNET: u32 = 6;
const IF_TYPE_LOOPBACK: u32 = 24;
const STATUS_UP: u32 = 1;
const STATUS_DOWN: u32 = 2;
/// `IP_ADAPTER_IPV4_ENABLED` and `IP_ADAPTER_IPV6_ENABLED`.
const ENABLED: u32 = 0x180;
const SKIP_UNICAST: u32 = 1;
const SKIP_FRIENDLY_NAME: u32 = 0x20;
/// `IpPrefixOriginManual`, `IpSuffixOriginManual`, and `IpDadStatePreferred`.
const MANUAL: u32 = 1;
const PREFERRED: u32 = 4;
const FOREVER: u32 = u32::MAX;
const LOOPBACK_MTU: u32 = u32::MAX;
const ETHERNET_MTU: u32 = 1500;
const SPEED: u64 = 1_000_000_000;

/// Structures that are being laid out at a place of the guest's, which may be too small: then they are only measured.
struct Layout<'a> {
    guest: &'a Guest,
    base: u64,
    room: u64,
    used: u64,
}

impl Layout<'_> {
    fn take(&mut self, size: u64) -> u64 {
        let at = self.used.next_multiple_of(8);
        self.used = at + size;
        self.base + at
    }

    fn fits(&self) -> bool {
        self.used <= self.room
    }

    fn put(&mut self, bytes: &[u8]) -> Result<GuestWord, NtStatus> {
        let at = self.take(bytes.len() as u64);
        if self.fits() {
            self.guest.write_bytes(at, bytes)?;
        }
        Ok(GuestWord(at))
    }

    fn wide(&mut self, text: &str) -> Result<GuestWord, NtStatus> {
        let bytes: Vec<u8> = text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
        self.put(&bytes)
    }

    /// Lays out the addresses of an interface; returns the first.
    fn addresses(&mut self, interface: &Interface, family: u32) -> Result<GuestWord, NtStatus> {
        let mut first = GuestWord::NULL;
        // From the last to the first, so that each knows the next.
        for (ip, prefix) in interface.addresses.iter().rev().filter(|address| is_wanted(&address.0, family)) {
            let is_local = matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
            let scope = if is_local { interface.index } else { 0 };
            let bytes = Endpoint { scope, ..Endpoint::new(*ip, 0) }.to_bytes();
            let lpSockaddr = self.put(&bytes)?;
            let size = IP_ADAPTER_UNICAST_ADDRESS::size(self.guest.machine());
            let at = self.take(size);
            let address = IP_ADAPTER_UNICAST_ADDRESS {
                Length: size as u32,
                Flags: 0,
                Next: first,
                lpSockaddr,
                iSockaddrLength: GuestWord(bytes.len() as u64),
                PrefixOrigin: MANUAL,
                SuffixOrigin: MANUAL,
                DadState: PREFERRED,
                ValidLifetime: FOREVER,
                PreferredLifetime: FOREVER,
                LeaseLifetime: FOREVER,
                OnLinkPrefixLength: u32::from(*prefix),
            };
            if self.fits() {
                self.guest.write(at, &address)?;
            }
            first = GuestWord(at);
        }
        Ok(first)
    }

    /// Lays out an interface, before `next`.
    fn adapter(
        &mut self,
        interface: &Interface,
        at: u64,
        next: GuestWord,
        (family, flags): (u32, u32),
    ) -> Result<(), NtStatus> {
        let size = adapter_size(self.guest);
        let mut hardware = [0; 8];
        let length = interface.hardware.len().min(8);
        hardware[..length].copy_from_slice(&interface.hardware[..length]);
        // Loopback has no hardware address on Windows.
        let length = if interface.is_loopback { 0 } else { length };
        let name = format!("{{00000000-0000-0000-0000-{:012X}}}\0", interface.index);
        let addresses =
            if flags & SKIP_UNICAST != 0 { GuestWord::NULL } else { self.addresses(interface, family)? };
        let shown =
            if flags & SKIP_FRIENDLY_NAME != 0 { GuestWord::NULL } else { self.wide(&interface.name)? };
        let adapter = IP_ADAPTER_ADDRESSES {
            Length: size as u32,
            IfIndex: interface.index,
            Next: next,
            AdapterName: self.put(name.as_bytes())?,
            FirstUnicastAddress: addresses,
            DnsSuffix: self.wide("")?,
            Description: self.wide(&interface.name)?,
            FriendlyName: shown,
            PhysicalAddress: hardware,
            PhysicalAddressLength: length as u32,
            Flags: ENABLED,
            Mtu: if interface.is_loopback { LOOPBACK_MTU } else { ETHERNET_MTU },
            IfType: if interface.is_loopback { IF_TYPE_LOOPBACK } else { IF_TYPE_ETHERNET },
            OperStatus: if interface.is_up { STATUS_UP } else { STATUS_DOWN },
            Ipv6IfIndex: interface.index,
            TransmitLinkSpeed: SPEED,
            ReceiveLinkSpeed: SPEED,
            ..IP_ADAPTER_ADDRESSES::default()
        };
        if self.fits() {
            self.guest.write_bytes(at, &vec![0; size as usize])?;
            self.guest.write(at, &adapter)?;
        }
        Ok(())
    }
}

fn adapter_size(guest: &Guest) -> u64 {
    if guest.machine().is_64() { ADAPTER_SIZES.1 } else { ADAPTER_SIZES.0 }
}

fn is_wanted(ip: &IpAddr, family: u32) -> bool {
    let own = u32::from(if ip.is_ipv4() { AF_INET } else { AF_INET6 });
    family == 0 || family == own
}

/// Tells the interfaces and their addresses; returns 0 or an error.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getadaptersaddresses>
#[winapi]
pub fn GetAdaptersAddresses(
    guest: &mut Guest,
    Family: u32,
    Flags: u32,
    Reserved: GuestWord,
    AdapterAddresses: GuestWord,
    SizePointer: GuestWord,
) -> u32 {
    let _ = Reserved;
    if ![0, u32::from(AF_INET), u32::from(AF_INET6)].contains(&Family) || SizePointer.is_null() {
        return Win32Error::INVALID_PARAMETER.0;
    }
    match adapters(guest, (Family, Flags), AdapterAddresses.0, SizePointer.0) {
        Ok(error) => error.0,
        Err(status) => status.to_win32().0,
    }
}

fn adapters(guest: &Guest, how: (u32, u32), at: u64, size_at: u64) -> Result<Win32Error, NtStatus> {
    let room = if at == 0 { 0 } else { u64::from(guest.read_u32(size_at)?) };
    let all = socket::interfaces().map_err(|_| NtStatus::UNSUCCESSFUL)?;
    if all.is_empty() {
        return Ok(Win32Error::NO_DATA);
    }
    let mut layout = Layout { guest, base: at, room, used: 0 };
    let size = adapter_size(guest);
    let places: Vec<u64> = all.iter().map(|_| layout.take(size)).collect();
    for (index, interface) in all.iter().enumerate() {
        let next = GuestWord(places.get(index + 1).copied().unwrap_or(0));
        layout.adapter(interface, places[index], next, how)?;
    }
    let (fits, used) = (layout.fits(), layout.used);
    if !fits {
        guest.write(size_at, &(used as u32))?;
        return Ok(Win32Error::BUFFER_OVERFLOW);
    }
    Ok(Win32Error::SUCCESS)
}

/// Tells the name of an interface; returns where, or null.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-if_indextoname>
#[winapi]
pub fn if_indextoname(
    guest: &mut Guest,
    InterfaceIndex: u32,
    InterfaceName: GuestWord,
) -> Result<GuestWord, plat_abi::Fault> {
    let all = socket::interfaces().unwrap_or_default();
    let Some(found) = all.iter().find(|one| one.index == InterfaceIndex) else { return Ok(GuestWord::NULL) };
    guest.write_bytes(InterfaceName.0, &[found.name.as_bytes(), &[0]].concat())?;
    Ok(InterfaceName)
}

/// Returns the number of an interface, or 0.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-if_nametoindex>
#[winapi]
pub fn if_nametoindex(guest: &mut Guest, InterfaceName: GuestWord) -> Result<u32, plat_abi::Fault> {
    let name = guest.read_c_string(InterfaceName.0)?;
    let all = socket::interfaces().unwrap_or_default();
    Ok(all.iter().find(|one| one.name.as_bytes() == name).map_or(0, |one| one.index))
}

/// Tells how many interfaces there are; returns 0 or an error.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getnumberofinterfaces>
#[winapi]
pub fn GetNumberOfInterfaces(guest: &mut Guest, pdwNumIf: GuestWord) -> u32 {
    let count = socket::interfaces().unwrap_or_default().len() as u32;
    match guest.write(pdwNumIf.0, &count) {
        Ok(()) => 0,
        Err(_) => Win32Error::INVALID_PARAMETER.0,
    }
}
