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

/// Name, other name or `-`, port, protocols.
///
/// Source: the service name and port number registry of IANA.
const SERVICES: &str = "\
echo - 7 tcp udp
discard sink 9 tcp udp
systat users 11 tcp udp
daytime - 13 tcp udp
qotd quote 17 tcp udp
chargen ttytst 19 tcp udp
ftp-data - 20 tcp
ftp - 21 tcp
ssh - 22 tcp
telnet - 23 tcp
smtp mail 25 tcp
time timserver 37 tcp udp
nameserver name 42 tcp udp
nicname whois 43 tcp
domain - 53 tcp udp
bootps dhcps 67 udp
bootpc dhcpc 68 udp
tftp - 69 udp
gopher - 70 tcp
finger - 79 tcp
http www 80 tcp
kerberos krb5 88 tcp udp
pop3 - 110 tcp
sunrpc rpcbind 111 tcp udp
nntp usenet 119 tcp
ntp - 123 udp
epmap loc-srv 135 tcp udp
netbios-ns nbname 137 tcp udp
netbios-ssn nbsession 139 tcp
imap imap4 143 tcp
snmp - 161 udp
snmptrap snmp-trap 162 udp
irc - 194 tcp
ldap - 389 tcp
https MCom 443 tcp udp
microsoft-ds - 445 tcp udp
isakmp ike 500 udp
exec - 512 tcp
login - 513 tcp
cmd shell 514 tcp
syslog - 514 udp
printer - 515 tcp
ldaps sldap 636 tcp
ftps - 990 tcp
imaps - 993 tcp
pop3s - 995 tcp
ms-sql-s - 1433 tcp udp
nfs - 2049 tcp udp
ms-wbt-server - 3389 tcp";

/// Reads the table.
fn services() -> impl Iterator<Item = Service> {
    SERVICES.lines().filter_map(|line| {
        let (name, rest) = line.split_once(' ')?;
        let (alias, rest) = rest.split_once(' ')?;
        let (port, protocols) = rest.split_once(' ')?;
        let alias = if alias == "-" { "" } else { alias };
        Some(Service { name, alias, port: port.parse().ok()?, protocols })
    })
}

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
        services().filter(|service| service.name == name || (service.alias == name && !name.is_empty()));
    named.find_map(|service| Some((service, first_protocol(&service, protocol)?)))
}

/// Finds a service by its port.
pub fn service_by_port(port: u16, protocol: Option<&str>) -> Option<(Service, &'static str)> {
    let mut there = services().filter(|service| service.port == port);
    there.find_map(|service| Some((service, first_protocol(&service, protocol)?)))
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
        assert_eq!(services().count(), SERVICES.lines().count(), "every line is read");
        assert_eq!(protocol_by_name("TCP").map(|found| found.number), Some(6));
    }
}
