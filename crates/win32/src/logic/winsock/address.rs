//! Addresses: Windows' and Linux's `sockaddr` (only the family's number differs), and their texts.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `AF_UNIX`, the same on both sides.
pub const AF_UNIX: u16 = 1;
/// `AF_INET`, the same on both sides.
pub const AF_INET: u16 = 2;
/// `AF_INET6` of Windows.
pub const AF_INET6: u16 = 23;
/// `AF_INET6` of Linux.
const LINUX_INET6: u16 = 10;

/// The size of `SOCKADDR_IN`.
pub const SIZE_V4: usize = 16;
/// The size of `SOCKADDR_IN6`.
pub const SIZE_V6: usize = 28;

/// Returns Linux's number of a family of Windows'.
pub fn family_to_linux(family: u16) -> Option<u16> {
    match family {
        AF_UNIX | AF_INET => Some(family),
        AF_INET6 => Some(LINUX_INET6),
        _ => None,
    }
}

fn with_family(bytes: &[u8], change: impl FnOnce(u16) -> u16) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if let Some(place) = bytes.first_chunk_mut::<2>() {
        *place = change(u16::from_le_bytes(*place)).to_le_bytes();
    }
    bytes
}

/// Turns a `sockaddr` of Windows' into Linux's; `None` for an unknown family or one that is too short for its family.
pub fn to_linux(bytes: &[u8]) -> Option<Vec<u8>> {
    let family = u16::from_le_bytes(*bytes.first_chunk()?);
    let linux = family_to_linux(family)?;
    let size = match family {
        AF_INET => SIZE_V4,
        AF_INET6 => SIZE_V6,
        // The path ends at its zero byte.
        _ => bytes.iter().skip(2).position(|&byte| byte == 0).map_or(bytes.len(), |end| end + 3).max(2),
    };
    Some(with_family(bytes.get(..size)?, |_| linux))
}

/// Turns a `sockaddr` of Linux's into Windows'.
pub fn of_linux(bytes: &[u8]) -> Vec<u8> {
    with_family(bytes, |family| if family == LINUX_INET6 { AF_INET6 } else { family })
}

/// An address of the internet in parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The machine.
    pub ip: IpAddr,
    /// The port.
    pub port: u16,
    /// The interface of a link-local address, or 0.
    pub scope: u32,
}

impl Endpoint {
    /// Makes one without a scope.
    pub fn new(ip: impl Into<IpAddr>, port: u16) -> Self {
        Self { ip: ip.into(), port, scope: 0 }
    }

    /// Returns Windows' `sockaddr`.
    pub fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SIZE_V6);
        match self.ip {
            IpAddr::V4(ip) => {
                bytes.extend(AF_INET.to_le_bytes());
                bytes.extend(self.port.to_be_bytes());
                bytes.extend(ip.octets());
                bytes.resize(SIZE_V4, 0);
            }
            IpAddr::V6(ip) => {
                bytes.extend(AF_INET6.to_le_bytes());
                bytes.extend(self.port.to_be_bytes());
                bytes.extend([0; 4]);
                bytes.extend(ip.octets());
                bytes.extend(self.scope.to_le_bytes());
            }
        }
        bytes
    }

    /// Takes Windows' `sockaddr` apart; `None` for other families and short ones.
    pub fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let family = u16::from_le_bytes(*bytes.first_chunk()?);
        let port = u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?);
        match family {
            AF_INET => {
                let octets: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
                Some(Self::new(Ipv4Addr::from(octets), port))
            }
            AF_INET6 => {
                let octets: [u8; 16] = bytes.get(8..24)?.try_into().ok()?;
                let scope = bytes.get(24..28).and_then(|scope| scope.try_into().ok());
                let scope = scope.map_or(0, u32::from_le_bytes);
                Some(Self { ip: Ipv6Addr::from(octets).into(), port, scope })
            }
            _ => None,
        }
    }

    /// Returns the text of the machine alone, with the scope.
    pub fn host_text(&self) -> String {
        if self.scope == 0 { self.ip.to_string() } else { format!("{}%{}", self.ip, self.scope) }
    }

    /// Returns the text that `WSAAddressToString` makes: the port only where there is one.
    pub fn text(&self) -> String {
        match (self.ip, self.port) {
            (_, 0) => self.host_text(),
            (IpAddr::V4(ip), port) => format!("{ip}:{port}"),
            (IpAddr::V6(_), port) => format!("[{}]:{port}", self.host_text()),
        }
    }

    /// Reads a text as [`Endpoint::text`] makes it, of one family.
    pub fn parse(text: &str, family: u16) -> Option<Self> {
        if family == AF_INET {
            let (host, port) = match text.rsplit_once(':') {
                Some((host, port)) => (host, port.parse().ok()?),
                None => (text, 0),
            };
            return Some(Self::new(parse_v4(host)?, port));
        }
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, 0),
            Some((host, port)) => (host, port.strip_prefix(':')?.parse().ok()?),
            None => (text, 0),
        };
        let (ip, scope) = parse_v6(host)?;
        Some(Self { ip: ip.into(), port, scope })
    }
}

/// Reads an IPv6 address with or without a scope's number.
pub fn parse_v6(text: &str) -> Option<(Ipv6Addr, u32)> {
    let (ip, scope) = match text.split_once('%') {
        Some((ip, scope)) => (ip, scope.parse().ok()?),
        None => (text, 0),
    };
    Some((ip.parse().ok()?, scope))
}

/// Reads an IPv4 address as `inet_addr` does: one to four numbers, decimal, octal (0) or hexadecimal (0x), the last of
/// which fills what is left.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-inet_addr>
pub fn parse_v4(text: &str) -> Option<Ipv4Addr> {
    let number = |text: &str| {
        let lower = text.to_ascii_lowercase();
        let (digits, radix) = match (lower.strip_prefix("0x"), lower.strip_prefix('0')) {
            (Some(digits), _) => (digits, 16),
            (None, Some(digits)) if !digits.is_empty() => (digits, 8),
            _ => (lower.as_str(), 10),
        };
        let is_clean = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
        u32::from_str_radix(digits, radix).ok().filter(|_| is_clean)
    };
    let parts: Vec<u32> = text.split('.').map(number).collect::<Option<_>>()?;
    let (last, heads) = parts.split_last()?;
    if heads.len() > 3 || heads.iter().any(|&head| head > 255) {
        return None;
    }
    let left = 32 - 8 * heads.len() as u32;
    if left < 32 && last >> left != 0 {
        return None;
    }
    let above = |(index, &head): (usize, &u32)| head << (24 - 8 * index);
    Some(Ipv4Addr::from(heads.iter().enumerate().map(above).fold(*last, |sum, part| sum | part)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_many_forms_are_addresses() {
        let cases = [
            ("127.0.0.1", Some([127, 0, 0, 1])),
            ("0x7f.1", Some([127, 0, 0, 1])),
            ("010.0.0.1", Some([8, 0, 0, 1])),
            ("1", Some([0, 0, 0, 1])),
            ("1.2.65535", Some([1, 2, 255, 255])),
            ("1.2.3.256", None),
            ("256.1", None),
            ("", None),
            ("1..2", None),
            ("1.2.3.4.5", None),
            ("host", None),
            ("+1", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_v4(text), expected.map(Ipv4Addr::from), "{text}");
        }
    }

    #[test]
    fn endpoints_have_texts_and_bytes() {
        for (text, family) in
            [("127.0.0.1:80", AF_INET), ("[::1]:443", AF_INET6), ("::1", AF_INET6), ("fe80::1%3", AF_INET6)]
        {
            let endpoint = Endpoint::parse(text, family).unwrap();
            assert_eq!(endpoint.text(), text);
            assert_eq!(Endpoint::of_bytes(&endpoint.to_bytes()), Some(endpoint));
            let linux = to_linux(&endpoint.to_bytes()).unwrap();
            assert_eq!(of_linux(&linux), endpoint.to_bytes());
        }
        assert_eq!(Endpoint::parse("::1", AF_INET), None);
        assert_eq!(to_linux(&[23, 0, 0]), None, "too short");
        assert_eq!(to_linux(&[99, 0, 0, 0]), None, "unknown");
    }
}
