//! iphlpapi.h, netioapi.h: routes, and which of them leads to an address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use plat_abi::{GuestWord, Memory, winapi};
use plat_host::network::{self, Route};
use plat_host::socket::Interface;

use super::interfaces::{ADDRESS_SIZE, address, is_wanted, luid_of};
use super::{Bytes, Outcome, all_interfaces, bad, code, old_table_of, put_allocated, put_sized, table_of};
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest};
use crate::logic::winsock::address::{AF_INET, AF_INET6, Endpoint};
use crate::nt::resolver;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full GetBestInterface;
    full GetBestInterfaceEx;
    full GetBestRoute;
    full GetBestRoute2;
    full GetIpForwardTable;
    full GetIpForwardTable2;
};

/// `MIB_IPROUTE_TYPE_DIRECT`, `MIB_IPROUTE_TYPE_INDIRECT`; `MIB_IPPROTO_NETMGMT`.
const DIRECT: u32 = 3;
const INDIRECT: u32 = 4;
const MANAGED: u32 = 3;
const FOREVER: u32 = u32::MAX;

/// Returns the routes with their interfaces. The loopback network, which Linux keeps elsewhere, comes first.
fn all() -> Result<Vec<(Route, Interface)>, Win32Error> {
    let interfaces = all_interfaces()?;
    let mut routes: Vec<Route> = Vec::new();
    for one in interfaces.iter().filter(|one| one.is_loopback && one.is_up) {
        for (ip, prefix) in &one.addresses {
            let (destination, gateway): (IpAddr, IpAddr) = match ip {
                IpAddr::V4(ip) => {
                    let mask = u32::MAX.checked_shl(32 - u32::from(*prefix)).unwrap_or(0);
                    (Ipv4Addr::from(u32::from(*ip) & mask).into(), Ipv4Addr::UNSPECIFIED.into())
                }
                IpAddr::V6(ip) => ((*ip).into(), Ipv6Addr::UNSPECIFIED.into()),
            };
            routes.push(Route {
                destination,
                prefix: *prefix,
                gateway,
                interface: one.name.clone(),
                metric: 0,
            });
        }
    }
    routes.extend(network::routes().into_iter().filter(|route| route.interface != "lo"));
    let with = |route: Route| {
        let interface = interfaces.iter().find(|one| one.name == route.interface)?.clone();
        Some((route, interface))
    };
    Ok(routes.into_iter().filter_map(with).collect())
}

/// Counts the routes of a family.
pub(super) fn count(is_v6: bool) -> Result<u32, Win32Error> {
    Ok(all()?.iter().filter(|(route, _)| route.destination.is_ipv6() == is_v6).count() as u32)
}

/// Finds the best route to an address: the longest prefix, then the lowest metric.
fn best(to: IpAddr) -> Result<(Route, Interface), Win32Error> {
    let leading = all()?.into_iter().filter(|(route, _)| route.leads_to(to));
    let by = |(route, _): &(Route, Interface)| (route.prefix, u32::MAX - route.metric);
    leading.max_by_key(by).ok_or(Win32Error::NETWORK_UNREACHABLE)
}

/// Lays out a MIB_IPFORWARDROW; nothing for a route of IPv6.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ipmib/ns-ipmib-mib_ipforwardrow>
fn old_row((route, interface): &(Route, Interface)) -> Option<Vec<u8>> {
    let (IpAddr::V4(to), IpAddr::V4(gateway)) = (route.destination, route.gateway) else { return None };
    let mask = u32::MAX.checked_shl(32 - u32::from(route.prefix)).unwrap_or(0);
    let number = |ip: Ipv4Addr| u32::from_le_bytes(ip.octets());
    let kind = if gateway.is_unspecified() { DIRECT } else { INDIRECT };
    let own = resolver::own_address_towards(IpAddr::V4(to));
    // A network of the interface's own has the own address as its next hop.
    let next = match own {
        Some(IpAddr::V4(own)) if gateway.is_unspecified() => own,
        _ => gateway,
    };
    let unused = u32::MAX;
    let mut bytes = Bytes::default();
    bytes.u32s(&[number(to), number(Ipv4Addr::from(mask)), 0, number(next), interface.index, kind, MANAGED]);
    bytes.u32s(&[0, 0, route.metric, unused, unused, unused, unused]);
    Some(bytes.0)
}

/// Lays out a MIB_IPFORWARD_ROW2.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/netioapi/ns-netioapi-mib_ipforward_row2>
fn row((route, interface): &(Route, Interface)) -> Vec<u8> {
    /// `NlroManual`.
    const MANUAL: u32 = 0;
    let mut bytes = Bytes::default();
    bytes.u64s(&[luid_of(interface)]).u32s(&[interface.index]);
    bytes.field(&address(route.destination, interface), ADDRESS_SIZE).field(&[route.prefix], 4);
    bytes.field(&address(route.gateway, interface), ADDRESS_SIZE).field(&[0], 4);
    bytes.u32s(&[FOREVER, FOREVER, route.metric, MANAGED]);
    // Loopback, made by itself, published, immortal.
    bytes.field(&[u8::from(interface.is_loopback), 0, 0, 1], 4).u32s(&[0, MANUAL]);
    bytes.0
}

fn ip_of(address: u32) -> IpAddr {
    Ipv4Addr::from(address.to_le_bytes()).into()
}

fn read_address(guest: &Guest, at: GuestWord) -> Result<IpAddr, Win32Error> {
    let bytes = guest.read_vec(at.0, 16).map_err(bad)?;
    let family = u16::from_le_bytes([bytes[0], bytes[1]]);
    let size = match family {
        AF_INET => 16,
        AF_INET6 => ADDRESS_SIZE as u64,
        _ => return Err(Win32Error::INVALID_PARAMETER),
    };
    let bytes = guest.read_vec(at.0, size).map_err(bad)?;
    Ok(Endpoint::of_bytes(&bytes).ok_or(Win32Error::INVALID_PARAMETER)?.ip)
}

/// Finds the interface that leads to an address of IPv4.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getbestinterface>
#[winapi]
pub fn GetBestInterface(guest: &mut Guest, dwDestAddr: u32, pdwBestIfIndex: GuestWord) -> u32 {
    let put =
        best(ip_of(dwDestAddr)).and_then(|found| guest.write(pdwBestIfIndex.0, &found.1.index).map_err(bad));
    code(put)
}

/// Finds the interface that leads to an address.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getbestinterfaceex>
#[winapi]
pub fn GetBestInterfaceEx(guest: &mut Guest, DestinationAddress: GuestWord, BestIfIndex: GuestWord) -> u32 {
    let found = read_address(guest, DestinationAddress).and_then(best);
    code(found.and_then(|found| guest.write(BestIfIndex.0, &found.1.index).map_err(bad)))
}

/// Finds the route to an address of IPv4.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getbestroute>
#[winapi]
pub fn GetBestRoute(guest: &mut Guest, dwDestAddr: u32, dwSourceAddr: u32, pBestRoute: GuestWord) -> u32 {
    let _ = dwSourceAddr;
    let found = best(ip_of(dwDestAddr));
    let row = found.and_then(|found| old_row(&found).ok_or(Win32Error::NETWORK_UNREACHABLE));
    code(row.and_then(|row| guest.write_bytes(pBestRoute.0, &row).map_err(bad)))
}

/// Finds the route to an address, and the own address that goes with it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-getbestroute2>
#[winapi]
pub fn GetBestRoute2(
    guest: &mut Guest,
    InterfaceLuid: GuestWord,
    InterfaceIndex: u32,
    SourceAddress: GuestWord,
    DestinationAddress: GuestWord,
    AddressSortOptions: u32,
    BestRoute: GuestWord,
    BestSourceAddress: GuestWord,
) -> u32 {
    let _ = (InterfaceLuid, InterfaceIndex, SourceAddress, AddressSortOptions);
    let find = || -> Outcome {
        let to = read_address(guest, DestinationAddress)?;
        let found = best(to)?;
        let own = resolver::own_address_towards(to).ok_or(Win32Error::NETWORK_UNREACHABLE)?;
        guest.write_bytes(BestRoute.0, &row(&found)).map_err(bad)?;
        guest.write_bytes(BestSourceAddress.0, &address(own, &found.1)).map_err(bad)
    };
    code(find())
}

/// Tells the routes of IPv4.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getipforwardtable>
#[winapi]
pub fn GetIpForwardTable(
    guest: &mut Guest,
    pIpForwardTable: GuestWord,
    pdwSize: GuestWord,
    bOrder: Bool,
) -> u32 {
    let put = || -> Outcome {
        let mut rows: Vec<Vec<u8>> = all()?.iter().filter_map(old_row).collect();
        if bOrder.0 {
            rows.sort();
        }
        let bytes = old_table_of(&rows);
        put_sized(guest, pIpForwardTable.0, pdwSize.0, &bytes, Win32Error::INSUFFICIENT_BUFFER)
    };
    code(put())
}

/// Tells the routes of a family, or all.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-getipforwardtable2>
#[winapi]
pub fn GetIpForwardTable2(guest: &mut Guest, Family: u16, Table: GuestWord) -> u32 {
    if ![0, AF_INET, AF_INET6].contains(&Family) {
        return Win32Error::INVALID_PARAMETER.0;
    }
    let put = || -> Outcome {
        let mut routes = all()?;
        routes.retain(|(route, _)| is_wanted(&route.destination, u32::from(Family)));
        let rows: Vec<Vec<u8>> = routes.iter().map(row).collect();
        put_allocated(guest, Table.0, &table_of(&rows))
    };
    code(put())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_the_documented_sizes() {
        let (destination, gateway) = ("10.0.0.0".parse().unwrap(), "10.0.0.1".parse().unwrap());
        let route = Route { destination, prefix: 8, gateway, interface: "eth0".into(), metric: 5 };
        let both = (route, Interface { index: 2, ..Interface::default() });
        assert_eq!((row(&both).len(), old_row(&both).map(|row| row.len())), (104, Some(56)));
        assert_eq!(row(&both)[40], 8, "PrefixLength");
        assert!(best("127.0.0.1".parse().unwrap()).is_ok_and(|found| found.1.is_loopback));
    }
}
