//! iphlpapi.h: adapters with all that belongs to them.

use std::net::IpAddr;

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};
use plat_host::network::{self, Route, interface_facts};
use plat_host::socket::Interface;

use super::all_interfaces;
use super::interfaces::{address, hardware_of, is_wanted, kind_of, luid_of, mtu_of, speed_of, status_of};
use super::legacy::adapter_name;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::winsock::address::{AF_INET, AF_INET6, Endpoint, SIZE_V4, SIZE_V6};
use crate::nt::resolver;
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial GetAdaptersAddresses, "no anycast and multicast addresses, no DHCP";
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
    FirstWinsServerAddress: GuestWord,
    FirstGatewayAddress: GuestWord,
    Ipv4Metric: u32,
    Ipv6Metric: u32,
    Luid: u64,
    Dhcpv4Server: GuestWord,
    Dhcpv4ServerLength: GuestWord,
    CompartmentId: u32,
    NetworkGuid: [u8; 16],
    ConnectionType: u32,
}

/// What IP_ADAPTER_DNS_SERVER_ADDRESS, IP_ADAPTER_GATEWAY_ADDRESS and IP_ADAPTER_PREFIX begin with; the last goes on with
/// the prefix' length.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/iptypes/ns-iptypes-ip_adapter_prefix_xp>
#[derive(GuestStruct, Default)]
#[allow(non_camel_case_types, non_snake_case)]
struct IP_ADAPTER_PREFIX {
    Length: u32,
    Flags: u32,
    Next: GuestWord,
    lpSockaddr: GuestWord,
    iSockaddrLength: GuestWord,
    PrefixLength: u32,
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

/// `IP_ADAPTER_IPV4_ENABLED` and `IP_ADAPTER_IPV6_ENABLED`.
const ENABLED: u32 = 0x180;
const SKIP_UNICAST: u32 = 1;
const SKIP_DNS_SERVER: u32 = 8;
const INCLUDE_PREFIX: u32 = 0x10;
const SKIP_FRIENDLY_NAME: u32 = 0x20;
const INCLUDE_GATEWAYS: u32 = 0x80;
/// `NET_IF_CONNECTION_DEDICATED`, and the one compartment.
const DEDICATED: u32 = 1;
const COMPARTMENT: u32 = 1;
/// `IpPrefixOriginManual`, `IpSuffixOriginManual`, and `IpDadStatePreferred`.
const MANUAL: u32 = 1;
const PREFERRED: u32 = 4;
const FOREVER: u32 = u32::MAX;

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

    /// Lays out a list of addresses with the lengths of their prefixes, which only lists of prefixes have; returns the
    /// first.
    fn list(&mut self, found: &[(IpAddr, Option<u8>)], interface: &Interface) -> Result<GuestWord, NtStatus> {
        let mut first = GuestWord::NULL;
        for (ip, prefix) in found.iter().rev() {
            let mut bytes = address(*ip, interface);
            bytes.truncate(if ip.is_ipv4() { SIZE_V4 } else { SIZE_V6 });
            let lpSockaddr = self.put(&bytes)?;
            let whole = IP_ADAPTER_PREFIX::size(self.guest.machine());
            let short = (whole - self.guest.machine().pointer_size()).next_multiple_of(8);
            let size = if prefix.is_some() { whole } else { short };
            // The room is that of the longest.
            let at = self.take(whole);
            let entry = IP_ADAPTER_PREFIX {
                Length: size as u32,
                Flags: 0,
                Next: first,
                lpSockaddr,
                iSockaddrLength: GuestWord(bytes.len() as u64),
                PrefixLength: u32::from(prefix.unwrap_or(0)),
            };
            if self.fits() {
                self.guest.write(at, &entry)?;
            }
            first = GuestWord(at);
        }
        Ok(first)
    }

    /// Lays out gateways, name servers and prefixes as they are asked for; returns the first of each.
    fn lists(
        &mut self,
        interface: &Interface,
        (family, flags): (u32, u32),
    ) -> Result<[GuestWord; 3], NtStatus> {
        let routes = network::routes();
        let own = |route: &&Route| route.interface == interface.name && is_wanted(&route.destination, family);
        let mut lists = [Vec::new(), Vec::new(), Vec::new()];
        if flags & INCLUDE_GATEWAYS != 0 {
            let through = routes.iter().filter(own).filter(|route| !route.gateway.is_unspecified());
            lists[0].extend(through.map(|route| (route.gateway, None)));
        }
        if flags & SKIP_DNS_SERVER == 0 && !interface.is_loopback {
            lists[1].extend(resolver::settings().0.into_iter().map(|ip| (ip, None)));
        }
        if flags & INCLUDE_PREFIX != 0 {
            let direct = routes.iter().filter(own).filter(|route| route.gateway.is_unspecified());
            lists[2].extend(direct.map(|route| (route.destination, Some(route.prefix))));
        }
        let mut firsts = [GuestWord::NULL; 3];
        for (first, found) in firsts.iter_mut().zip(&lists) {
            *first = self.list(found, interface)?;
        }
        Ok(firsts)
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
        let length = hardware_of(interface).len().min(8);
        hardware[..length].copy_from_slice(&hardware_of(interface)[..length]);
        let facts = interface_facts(&interface.name);
        let [gateways, servers, prefixes] = self.lists(interface, (family, flags))?;
        let name = format!("{}\0", adapter_name(interface));
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
            FirstDnsServerAddress: servers,
            FirstPrefix: prefixes,
            FirstGatewayAddress: gateways,
            Luid: luid_of(interface),
            CompartmentId: COMPARTMENT,
            ConnectionType: DEDICATED,
            Mtu: mtu_of(interface, &facts),
            IfType: kind_of(interface),
            OperStatus: status_of(interface),
            Ipv6IfIndex: interface.index,
            TransmitLinkSpeed: speed_of(&facts),
            ReceiveLinkSpeed: speed_of(&facts),
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
    let all = all_interfaces().map_err(NtStatus::from_win32)?;
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
