//! iphlpapi.h: what the protocols have counted since the machine started, as the kernel tells it.

use plat_abi::{GuestWord, Memory};
use plat_host::network::{self, Counters, Table};

use super::{Bytes, Outcome, all_interfaces, code, routes};
use crate::Win32Error;
use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::winsock::address::{AF_INET, AF_INET6};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full GetIpStatistics; full GetIpStatisticsEx; full GetUdpStatistics; full GetUdpStatisticsEx;
    partial GetTcpStatistics, "Linux counts streams over both kinds of addresses together";
    partial GetTcpStatisticsEx, "Linux counts streams over both kinds of addresses together";
    full GetIcmpStatistics; full GetIcmpStatisticsEx;
};

/// Kinds of messages of ICMP.
const MESSAGE_KINDS: usize = 256;

/// Whether a family is that of IPv6.
///
/// # Errors
/// `INVALID_PARAMETER` for a family that is neither.
fn is_v6(family: u32) -> Result<bool, Win32Error> {
    match family {
        _ if family == u32::from(AF_INET) => Ok(false),
        _ if family == u32::from(AF_INET6) => Ok(true),
        _ => Err(Win32Error::INVALID_PARAMETER),
    }
}

/// Lays out a MIB_IPSTATS.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ipmib/ns-ipmib-mib_ipstats_lh>
fn ip(counters: &Counters, is_v6: bool) -> Result<Bytes, Win32Error> {
    const FORWARDS: u32 = 1;
    const KEEPS: u32 = 2;
    let interfaces = all_interfaces()?;
    let addresses = interfaces.iter().flat_map(|one| &one.addresses);
    let addresses = addresses.filter(|(ip, _)| ip.is_ipv6() == is_v6).count() as u32;
    let kept = routes::count(is_v6)?;
    let get = |name| counters.get(if is_v6 { "Ip6" } else { "Ip" }, name);
    let forwards = if is_v6 { network::forwards_v6() } else { get("Forwarding") == FORWARDS };
    let hops = if is_v6 { network::hops_v6() } else { get("DefaultTTL") };
    let mut bytes = Bytes::default();
    bytes.u32s(&[if forwards { FORWARDS } else { KEEPS }, hops]);
    bytes.u32s(&["InReceives", "InHdrErrors", "InAddrErrors"].map(get));
    bytes.u32s(&[get(if is_v6 { "OutForwDatagrams" } else { "ForwDatagrams" })]);
    bytes.u32s(&["InUnknownProtos", "InDiscards", "InDelivers", "OutRequests"].map(get));
    // Linux throws no routes away.
    bytes.u32s(&[0]).u32s(&["OutDiscards", "OutNoRoutes", "ReasmTimeout", "ReasmReqds"].map(get));
    bytes.u32s(&["ReasmOKs", "ReasmFails", "FragOKs", "FragFails", "FragCreates"].map(get));
    bytes.u32s(&[interfaces.len() as u32, addresses, kept]);
    Ok(bytes)
}

/// Lays out a MIB_TCPSTATS.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/tcpmib/ns-tcpmib-mib_tcpstats_lh>
fn tcp(counters: &Counters, is_v6: bool) -> Bytes {
    const NAMES: [&str; 14] = [
        "RtoAlgorithm",
        "RtoMin",
        "RtoMax",
        "MaxConn",
        "ActiveOpens",
        "PassiveOpens",
        "AttemptFails",
        "EstabResets",
        "CurrEstab",
        "InSegs",
        "OutSegs",
        "RetransSegs",
        "InErrs",
        "OutRsts",
    ];
    let open = network::sockets(if is_v6 { Table::Tcp6 } else { Table::Tcp }).len() as u32;
    let mut bytes = Bytes::default();
    bytes.u32s(&NAMES.map(|name| counters.get("Tcp", name))).u32s(&[open]);
    bytes
}

/// Lays out a MIB_UDPSTATS.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/udpmib/ns-udpmib-mib_udpstats>
fn udp(counters: &Counters, is_v6: bool) -> Bytes {
    let group = if is_v6 { "Udp6" } else { "Udp" };
    let open = network::sockets(if is_v6 { Table::Udp6 } else { Table::Udp }).len() as u32;
    let counted =
        ["InDatagrams", "NoPorts", "InErrors", "OutDatagrams"].map(|name| counters.get(group, name));
    let mut bytes = Bytes::default();
    bytes.u32s(&counted).u32s(&[open]);
    bytes
}

/// Lays out a MIB_ICMP.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ipmib/ns-ipmib-mibicmpstats>
fn icmp(counters: &Counters) -> Bytes {
    const NAMES: [&str; 13] = [
        "Msgs",
        "Errors",
        "DestUnreachs",
        "TimeExcds",
        "ParmProbs",
        "SrcQuenchs",
        "Redirects",
        "Echos",
        "EchoReps",
        "Timestamps",
        "TimestampReps",
        "AddrMasks",
        "AddrMaskReps",
    ];
    let mut bytes = Bytes::default();
    for side in ["In", "Out"] {
        bytes.u32s(&NAMES.map(|name| counters.get("Icmp", &format!("{side}{name}"))));
    }
    bytes
}

/// Lays out a MIB_ICMP_EX.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ipmib/ns-ipmib-mibicmpstats_ex_xpsp1>
fn icmp_kinds(counters: &Counters, is_v6: bool) -> Bytes {
    let (whole, kinds) = if is_v6 { ("Icmp6", "Icmp6") } else { ("Icmp", "IcmpMsg") };
    let mut bytes = Bytes::default();
    for side in ["In", "Out"] {
        bytes.u32s(&["Msgs", "Errors"].map(|name| counters.get(whole, &format!("{side}{name}"))));
        let of_kind: Vec<u32> =
            (0..MESSAGE_KINDS).map(|kind| counters.get(kinds, &format!("{side}Type{kind}"))).collect();
        bytes.u32s(&of_kind);
    }
    bytes
}

/// Which structure is wanted.
#[derive(Clone, Copy)]
enum Kind {
    Ip,
    Tcp,
    Udp,
    Icmp,
    IcmpKinds,
}

/// Stores what a protocol has counted.
fn put(guest: &Guest, into: GuestWord, family: u32, kind: Kind) -> u32 {
    let put = || -> Outcome {
        let is_v6 = is_v6(family)?;
        let counters = Counters::read(is_v6 && !matches!(kind, Kind::Tcp));
        let bytes = match kind {
            Kind::Ip => ip(&counters, is_v6)?,
            Kind::Tcp => tcp(&counters, is_v6),
            Kind::Udp => udp(&counters, is_v6),
            Kind::Icmp => icmp(&counters),
            Kind::IcmpKinds => icmp_kinds(&counters, is_v6),
        };
        guest.write_bytes(into.0, &bytes.0).map_err(|_| Win32Error::INVALID_PARAMETER)
    };
    code(put())
}

alike! {
    fn(guest, kind: Kind; Statistics: GuestWord) -> u32 {
        let family = u32::from(AF_INET);
        put(guest, Statistics, family, kind)
    }

    /// Tells what IPv4 has counted.
    "iphlpapi/nf-iphlpapi-getipstatistics" GetIpStatistics = Kind::Ip;
    /// Tells what TCP has counted.
    "iphlpapi/nf-iphlpapi-gettcpstatistics" GetTcpStatistics = Kind::Tcp;
    /// Tells what UDP over IPv4 has counted.
    "iphlpapi/nf-iphlpapi-getudpstatistics" GetUdpStatistics(Stats) = Kind::Udp;
    /// Tells what ICMP of IPv4 has counted.
    "iphlpapi/nf-iphlpapi-geticmpstatistics" GetIcmpStatistics = Kind::Icmp;
}

alike! {
    fn(guest, kind: Kind; Statistics: GuestWord, Family: u32) -> u32 {
        let into = Statistics;
        put(guest, into, Family, kind)
    }

    /// Tells what IP of a family has counted.
    "iphlpapi/nf-iphlpapi-getipstatisticsex" GetIpStatisticsEx = Kind::Ip;
    /// Tells what TCP has counted.
    "iphlpapi/nf-iphlpapi-gettcpstatisticsex" GetTcpStatisticsEx = Kind::Tcp;
    /// Tells what UDP over a family has counted.
    "iphlpapi/nf-iphlpapi-getudpstatisticsex" GetUdpStatisticsEx = Kind::Udp;
    /// Tells what ICMP of a family has counted, by kinds of messages.
    "iphlpapi/nf-iphlpapi-geticmpstatisticsex" GetIcmpStatisticsEx = Kind::IcmpKinds;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_have_the_documented_sizes() {
        let counters =
            Counters::of("Ip: Forwarding DefaultTTL\nIp: 1 64\nTcp: RtoMin MaxConn\nTcp: 200 -1\n", false);
        assert_eq!(ip(&counters, false).map(|bytes| bytes.0.len()), Ok(92));
        assert_eq!(
            ip(&counters, false).map(|bytes| bytes.0[..8].to_vec()),
            Ok(vec![1, 0, 0, 0, 64, 0, 0, 0])
        );
        assert_eq!(tcp(&counters, false).0.len(), 60);
        assert_eq!(tcp(&counters, false).0[4..8], [200, 0, 0, 0]);
        assert_eq!(tcp(&counters, false).0[12..16], [0xff; 4], "no bound");
        assert_eq!(udp(&counters, true).0.len(), 20);
        assert_eq!(icmp(&counters).0.len(), 104);
        assert_eq!(icmp_kinds(&counters, false).0.len(), 2064);
        assert_eq!(is_v6(7), Err(Win32Error::INVALID_PARAMETER));
    }
}
