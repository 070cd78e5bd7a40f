//! What the kernel tells of the network in text files: routes, facts about interfaces, who is connected with whom.
//!
//! Key types: [`Route`], [`InterfaceFacts`], [`Endpoints`].
//!
//! Source: Linux, proc_pid_net(5); `Documentation/ABI/testing/sysfs-class-net`.

mod counters;

pub use counters::{Counters, Neighbour, forwards_v6, hops_v6, neighbours};

use std::collections::HashMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A route: where to, through whom, how good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The network's address.
    pub destination: IpAddr,
    /// How many bits of it count.
    pub prefix: u8,
    /// The machine that passes packets on; the unspecified address for a network of the interface's own.
    pub gateway: IpAddr,
    /// The interface's name.
    pub interface: String,
    /// Lower is better.
    pub metric: u32,
}

impl Route {
    /// Says whether an address lies in the network.
    pub fn leads_to(&self, ip: IpAddr) -> bool {
        let (own, other, width) = match (self.destination, ip) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (u128::from(u32::from(own)), u128::from(u32::from(other)), 32)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => (u128::from(own), u128::from(other), 128),
            _ => return false,
        };
        let rest = width - u32::from(self.prefix).min(width);
        // A shift by all bits would be none.
        rest == 128 || (own >> rest) == (other >> rest)
    }
}

fn hex_v6(text: &str) -> Option<Ipv6Addr> {
    u128::from_str_radix(text, 16).ok().map(Ipv6Addr::from)
}

/// The address as the kernel's words of 32 bits, in the machine's order of bytes.
fn hex_words(text: &str) -> Option<IpAddr> {
    let word = |part: &str| u32::from_str_radix(part, 16).ok().map(u32::to_ne_bytes);
    match text.len() {
        8 => Some(Ipv4Addr::from(word(text)?).into()),
        32 => {
            let mut bytes = [0; 16];
            for (index, four) in bytes.chunks_mut(4).enumerate() {
                four.copy_from_slice(&word(text.get(index * 8..index * 8 + 8)?)?);
            }
            Some(Ipv6Addr::from(bytes).into())
        }
        _ => None,
    }
}

fn route_v4(line: &str) -> Option<Route> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let mask = match hex_words(fields.get(7)?)? {
        IpAddr::V4(mask) => u32::from(mask),
        IpAddr::V6(_) => return None,
    };
    Some(Route {
        destination: hex_words(fields.get(1)?)?,
        prefix: mask.leading_ones() as u8,
        gateway: hex_words(fields.get(2)?)?,
        interface: (*fields.first()?).to_owned(),
        metric: fields.get(6)?.parse().ok()?,
    })
}

fn route_v6(line: &str) -> Option<Route> {
    const REJECT: u32 = 0x200;
    let fields: Vec<&str> = line.split_whitespace().collect();
    let flags = u32::from_str_radix(fields.get(8)?, 16).ok()?;
    let route = Route {
        destination: hex_v6(fields.first()?)?.into(),
        prefix: u8::from_str_radix(fields.get(1)?, 16).ok()?,
        gateway: hex_v6(fields.get(4)?)?.into(),
        interface: (*fields.get(9)?).to_owned(),
        metric: u32::from_str_radix(fields.get(5)?, 16).ok()?,
    };
    (flags & REJECT == 0).then_some(route)
}

/// Returns the machine's routes; none where the kernel does not tell.
pub fn routes() -> Vec<Route> {
    let v4 = fs::read_to_string("/proc/net/route").unwrap_or_default();
    let v6 = fs::read_to_string("/proc/net/ipv6_route").unwrap_or_default();
    v4.lines().skip(1).filter_map(route_v4).chain(v6.lines().filter_map(route_v6)).collect()
}

/// Facts about an interface; zeros where the kernel does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InterfaceFacts {
    /// The largest packet in bytes.
    pub mtu: u32,
    /// Bits per second.
    pub speed: u64,
    /// Received: bytes, packets, packets dropped, packets with errors.
    pub received: [u64; 4],
    /// Sent: the same.
    pub sent: [u64; 4],
}

/// Returns facts about the interface of a name.
pub fn interface_facts(name: &str) -> InterfaceFacts {
    // Names of interfaces have no slashes.
    if name.contains('/') || name.starts_with('.') {
        return InterfaceFacts::default();
    }
    let read = |file: &str| {
        let text = fs::read_to_string(format!("/sys/class/net/{name}/{file}")).ok()?;
        text.trim().parse::<u64>().ok()
    };
    let count = |side: &str, what: &str| read(&format!("statistics/{side}_{what}")).unwrap_or(0);
    let side = |side: &str| ["bytes", "packets", "dropped", "errors"].map(|what| count(side, what));
    InterfaceFacts {
        mtu: read("mtu").and_then(|mtu| u32::try_from(mtu).ok()).unwrap_or(0),
        speed: read("speed").unwrap_or(0).saturating_mul(1_000_000),
        received: side("rx"),
        sent: side("tx"),
    }
}

/// Which of the kernel's tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// Streams over IPv4.
    Tcp,
    /// Streams over IPv6.
    Tcp6,
    /// Datagrams over IPv4.
    Udp,
    /// Datagrams over IPv6.
    Udp6,
}

/// A socket of the machine's and whom it is connected with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// The own address and port.
    pub local: (IpAddr, u16),
    /// The other end's, or zeros.
    pub remote: (IpAddr, u16),
    /// The connection's state in Linux's numbers: 1 is established, 10 listens.
    pub state: u8,
    /// What names the socket in the kernel.
    pub inode: u64,
}

fn endpoints(line: &str) -> Option<Endpoints> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let end = |text: &str| {
        let (ip, port) = text.split_once(':')?;
        Some((hex_words(ip)?, u16::from_str_radix(port, 16).ok()?))
    };
    Some(Endpoints {
        local: end(fields.get(1)?)?,
        remote: end(fields.get(2)?)?,
        state: u8::from_str_radix(fields.get(3)?, 16).ok()?,
        inode: fields.get(9)?.parse().ok()?,
    })
}

/// Returns the sockets of one of the kernel's tables; none where it does not tell.
pub fn sockets(table: Table) -> Vec<Endpoints> {
    let name = match table {
        Table::Tcp => "tcp",
        Table::Tcp6 => "tcp6",
        Table::Udp => "udp",
        Table::Udp6 => "udp6",
    };
    let text = fs::read_to_string(format!("/proc/net/{name}")).unwrap_or_default();
    text.lines().skip(1).filter_map(endpoints).collect()
}

/// Returns the processes that have sockets open, by the sockets' names in the kernel; of other users' the kernel does
/// not tell.
pub fn owners() -> HashMap<u64, u32> {
    let mut found = HashMap::new();
    for id in crate::process::all() {
        let Ok(files) = fs::read_dir(format!("/proc/{id}/fd")) else { continue };
        for file in files.flatten() {
            let Ok(target) = fs::read_link(file.path()) else { continue };
            let text = target.to_string_lossy();
            let inode = text.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']')?.parse().ok());
            if let Some(inode) = inode {
                found.entry(inode).or_insert(id);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read() {
        let route = route_v4("eth0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0").unwrap();
        assert_eq!((route.gateway, route.prefix, route.metric), ("192.168.2.1".parse().unwrap(), 0, 100));
        assert!(route.leads_to("8.8.8.8".parse().unwrap()) && !route.leads_to("::1".parse().unwrap()));
        let own = route_v4("eth0 0002A8C0 00000000 0001 0 0 0 00FFFFFF 0 0 0").unwrap();
        assert!(own.leads_to("192.168.2.77".parse().unwrap()));
        assert!(!own.leads_to("192.168.3.77".parse().unwrap()));
        let line = "fe800000000000000000000000000000 40 00000000000000000000000000000000 00 \
                    00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0";
        let v6 = route_v6(line).unwrap();
        assert_eq!((v6.destination, v6.prefix, v6.metric), ("fe80::".parse().unwrap(), 64, 256));
        let line =
            "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 77 1";
        let found = endpoints(line).unwrap();
        assert_eq!(found.local, (Ipv4Addr::LOCALHOST.into(), 8080));
        assert_eq!((found.state, found.inode), (10, 77));
        for bad in ["", "a b", "eth0 zz", "0: :1 :2"] {
            assert_eq!((route_v4(bad), route_v6(bad), endpoints(bad)), (None, None, None), "{bad}");
        }
    }

    #[test]
    fn this_machine_is_told_of() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let found =
            sockets(Table::Tcp).into_iter().find(|one| one.local.1 == port && one.state == 10).unwrap();
        assert_eq!(owners().get(&found.inode), Some(&std::process::id()));
        assert!(interface_facts("lo").mtu > 0);
        assert_eq!(interface_facts("../lo"), InterfaceFacts::default());
    }
}
