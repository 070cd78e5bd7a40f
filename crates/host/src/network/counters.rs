//! What the kernel's protocols have counted, and the machines that its interfaces have met.
//!
//! Key types: [`Counters`], [`Neighbour`].
//!
//! Source: Linux, `Documentation/networking/snmp_counter.rst`, proc_pid_net(5), arp(7).

use std::collections::HashMap;
use std::fs;
use std::net::Ipv4Addr;

/// Counters by the kernel's names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters(HashMap<String, u32>);

impl Counters {
    /// Reads what the protocols over one kind of addresses have counted; nothing where the kernel does not tell.
    pub fn read(is_v6: bool) -> Self {
        let file = if is_v6 { "/proc/net/snmp6" } else { "/proc/net/snmp" };
        Self::of(&fs::read_to_string(file).unwrap_or_default(), is_v6)
    }

    /// Reads the kernel's text: for IPv4 two lines a group, names and numbers, for IPv6 a line each.
    pub fn of(text: &str, is_v6: bool) -> Self {
        // Counters go round at 32 bits on Windows; -1 stands for no bound on both.
        let number = |text: &str| text.parse::<i64>().ok().map(|number| number as u32);
        let mut found = HashMap::new();
        if is_v6 {
            let pairs = text.lines().filter_map(|line| line.split_once(char::is_whitespace));
            found.extend(pairs.filter_map(|(name, value)| Some((name.to_owned(), number(value.trim())?))));
            return Self(found);
        }
        let groups: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once(':')).collect();
        for pair in groups.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
            let [(group, names), (_, values)] = pair else { continue };
            for (name, value) in names.split_whitespace().zip(values.split_whitespace()) {
                found.extend(number(value).map(|value| (format!("{group}{name}"), value)));
            }
        }
        Self(found)
    }

    /// Returns a counter of a group, 0 where the kernel does not tell of it.
    pub fn get(&self, group: &str, name: &str) -> u32 {
        self.0.get(&format!("{group}{name}")).copied().unwrap_or(0)
    }
}

fn setting_v6(name: &str) -> Option<u32> {
    fs::read_to_string(format!("/proc/sys/net/ipv6/conf/all/{name}")).ok()?.trim().parse().ok()
}

/// Says whether the machine passes on packets of IPv6.
pub fn forwards_v6() -> bool {
    setting_v6("forwarding").is_some_and(|value| value != 0)
}

/// Returns how many machines a packet of IPv6 may pass through.
pub fn hops_v6() -> u32 {
    setting_v6("hop_limit").unwrap_or(0)
}

/// A machine that an interface has met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// Its address.
    pub address: Ipv4Addr,
    /// Its hardware address.
    pub hardware: Vec<u8>,
    /// The interface's name.
    pub interface: String,
    /// The hardware address is known.
    pub is_complete: bool,
    /// Somebody entered it by hand.
    pub is_permanent: bool,
}

fn neighbour(line: &str) -> Option<Neighbour> {
    const COMPLETE: u32 = 2;
    const PERMANENT: u32 = 4;
    let fields: Vec<&str> = line.split_whitespace().collect();
    let flags = u32::from_str_radix(fields.get(2)?.strip_prefix("0x")?, 16).ok()?;
    let hardware = fields.get(3)?.split(':').map(|byte| u8::from_str_radix(byte, 16).ok());
    Some(Neighbour {
        address: fields.first()?.parse().ok()?,
        hardware: hardware.collect::<Option<_>>()?,
        interface: (*fields.get(5)?).to_owned(),
        is_complete: flags & COMPLETE != 0,
        is_permanent: flags & PERMANENT != 0,
    })
}

/// Returns the machines that the interfaces have met; none where the kernel does not tell.
pub fn neighbours() -> Vec<Neighbour> {
    let text = fs::read_to_string("/proc/net/arp").unwrap_or_default();
    text.lines().skip(1).filter_map(neighbour).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_read() {
        let text = "Ip: Forwarding DefaultTTL\nIp: 1 64\nTcp: RtoMin MaxConn\nTcp: 200 -1\nIcmpMsg: InType3\nIcmpMsg: 7\n";
        let counters = Counters::of(text, false);
        assert_eq!((counters.get("Ip", "DefaultTTL"), counters.get("Tcp", "MaxConn")), (64, u32::MAX));
        assert_eq!((counters.get("IcmpMsg", "InType3"), counters.get("Tcp", "DefaultTTL")), (7, 0));
        let counters = Counters::of("Ip6InReceives                   \t41\nUdp6NoPorts\t2\nbad\n", true);
        assert_eq!((counters.get("Ip6", "InReceives"), counters.get("Udp6", "NoPorts")), (41, 2));
        assert_eq!(Counters::of("Ip: A B\nIp: x\nTcp: C\n", false), Counters::default());
    }

    #[test]
    fn neighbours_are_read() {
        let line = "172.16.0.1       0x1         0x6         02:fc:00:00:00:05     *        eth0";
        let found = neighbour(line).expect("well formed");
        assert_eq!((found.address, found.interface.as_str()), (Ipv4Addr::new(172, 16, 0, 1), "eth0"));
        assert_eq!(
            (found.hardware, found.is_complete, found.is_permanent),
            (vec![2, 0xfc, 0, 0, 0, 5], true, true)
        );
        for bad in ["", "1.2.3.4 0x1 2 00 * eth0", "1.2.3.4 0x1 0x2 zz * eth0", "1.2.3.4 0x1 0x2 00:01 *"] {
            assert_eq!(neighbour(bad), None, "{bad}");
        }
    }
}
