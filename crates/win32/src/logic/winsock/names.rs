//! Names of services and protocols that programs ask for, as in Windows' files `services` and `protocol`.

/// A service: its names, its port, its protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its official name.
    pub name: &'static str,
    /// Another name, or nothing.
    pub alias: &'static str,
    /// Its port.
    pub port: u16,
    /// `tcp`, `udp`, or both with a blank between.
    pub protocols: &'static str,
}

/// A protocol: its name, its other name, its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protocol {
    /// Its official name.
    pub name: &'static str,
    /// The other name.
    pub alias: &'static str,
    /// Its number.
    pub number: i16,
}

const fn service(name: &'static str, alias: &'static str, port: u16, protocols: &'static str) -> Service {
    Service { name, alias, port, protocols }
}

const BOTH: &str = "tcp udp";

/// Source: the service name and port number registry of IANA.
const SERVICES: &[Service] = &[
    service("echo", "", 7, BOTH),
    service("discard", "sink", 9, BOTH),
    service("systat", "users", 11, BOTH),
    service("daytime", "", 13, BOTH),
    service("qotd", "quote", 17, BOTH),
    service("chargen", "ttytst", 19, BOTH),
    service("ftp-data", "", 20, "tcp"),
    service("ftp", "", 21, "tcp"),
    service("ssh", "", 22, "tcp"),
    service("telnet", "", 23, "tcp"),
    service("smtp", "mail", 25, "tcp"),
    service("time", "timserver", 37, BOTH),
    service("nameserver", "name", 42, BOTH),
    service("nicname", "whois", 43, "tcp"),
    service("domain", "", 53, BOTH),
    service("bootps", "dhcps", 67, "udp"),
    service("bootpc", "dhcpc", 68, "udp"),
    service("tftp", "", 69, "udp"),
    service("gopher", "", 70, "tcp"),
    service("finger", "", 79, "tcp"),
    service("http", "www", 80, "tcp"),
    service("kerberos", "krb5", 88, BOTH),
    service("pop3", "", 110, "tcp"),
    service("sunrpc", "rpcbind", 111, BOTH),
    service("nntp", "usenet", 119, "tcp"),
    service("ntp", "", 123, "udp"),
    service("epmap", "loc-srv", 135, BOTH),
    service("netbios-ns", "nbname", 137, BOTH),
    service("netbios-ssn", "nbsession", 139, "tcp"),
    service("imap", "imap4", 143, "tcp"),
    service("snmp", "", 161, "udp"),
    service("snmptrap", "snmp-trap", 162, "udp"),
    service("irc", "", 194, "tcp"),
    service("ldap", "", 389, "tcp"),
    service("https", "MCom", 443, BOTH),
    service("microsoft-ds", "", 445, BOTH),
    service("isakmp", "ike", 500, "udp"),
    service("exec", "", 512, "tcp"),
    service("login", "", 513, "tcp"),
    service("cmd", "shell", 514, "tcp"),
    service("syslog", "", 514, "udp"),
    service("printer", "", 515, "tcp"),
    service("ldaps", "sldap", 636, "tcp"),
    service("ftps", "", 990, "tcp"),
    service("imaps", "", 993, "tcp"),
    service("pop3s", "", 995, "tcp"),
    service("ms-sql-s", "", 1433, BOTH),
    service("nfs", "", 2049, BOTH),
    service("ms-wbt-server", "", 3389, "tcp"),
];

const PROTOCOLS: &[Protocol] = &[
    Protocol { name: "ip", alias: "IP", number: 0 },
    Protocol { name: "icmp", alias: "ICMP", number: 1 },
    Protocol { name: "ggp", alias: "GGP", number: 3 },
    Protocol { name: "tcp", alias: "TCP", number: 6 },
    Protocol { name: "egp", alias: "EGP", number: 8 },
    Protocol { name: "pup", alias: "PUP", number: 12 },
    Protocol { name: "udp", alias: "UDP", number: 17 },
    Protocol { name: "hmp", alias: "HMP", number: 20 },
    Protocol { name: "xns-idp", alias: "XNS-IDP", number: 22 },
    Protocol { name: "rdp", alias: "RDP", number: 27 },
    Protocol { name: "ipv6", alias: "IPv6", number: 41 },
    Protocol { name: "ipv6-icmp", alias: "IPv6-ICMP", number: 58 },
];

fn first_protocol(service: &Service, wanted: Option<&str>) -> Option<&'static str> {
    service.protocols.split(' ').find(|protocol| {
        wanted.is_none_or(|wanted| wanted.is_empty() || wanted.eq_ignore_ascii_case(protocol))
    })
}

/// Finds a service by one of its names; returns it with the protocol found.
pub fn service_by_name(name: &str, protocol: Option<&str>) -> Option<(Service, &'static str)> {
    let mut named =
        SERVICES.iter().filter(|service| service.name == name || (service.alias == name && !name.is_empty()));
    named.find_map(|service| Some((*service, first_protocol(service, protocol)?)))
}

/// Finds a service by its port.
pub fn service_by_port(port: u16, protocol: Option<&str>) -> Option<(Service, &'static str)> {
    let mut there = SERVICES.iter().filter(|service| service.port == port);
    there.find_map(|service| Some((*service, first_protocol(service, protocol)?)))
}

/// Finds a protocol by one of its names.
pub fn protocol_by_name(name: &str) -> Option<Protocol> {
    PROTOCOLS.iter().find(|protocol| protocol.name.eq_ignore_ascii_case(name)).copied()
}

/// Finds a protocol by its number.
pub fn protocol_by_number(number: i32) -> Option<Protocol> {
    PROTOCOLS.iter().find(|protocol| i32::from(protocol.number) == number).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_found_by_name_and_port() {
        assert_eq!(service_by_name("http", None).map(|found| (found.0.port, found.1)), Some((80, "tcp")));
        assert_eq!(service_by_name("mail", Some("tcp")).map(|found| found.0.name), Some("smtp"));
        assert_eq!(service_by_name("http", Some("udp")), None);
        assert_eq!(service_by_port(514, Some("udp")).map(|found| found.0.name), Some("syslog"));
        assert_eq!(service_by_name("", None), None);
        assert_eq!(protocol_by_name("TCP").map(|found| found.number), Some(6));
    }
}
