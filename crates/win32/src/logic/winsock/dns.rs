//! Questions to name servers and their answers, and the file `hosts`: bytes in, names and addresses out.
//!
//! Source: RFC 1035, RFC 3596.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The type of a question: an IPv4 address.
pub const TYPE_A: u16 = 1;
/// An IPv6 address.
pub const TYPE_AAAA: u16 = 28;
/// A name for an address.
pub const TYPE_PTR: u16 = 12;
/// Another name.
pub const TYPE_CNAME: u16 = 5;
/// A name server of a domain.
pub const TYPE_NS: u16 = 2;
/// A mail server of a domain.
pub const TYPE_MX: u16 = 15;
/// Texts.
pub const TYPE_TXT: u16 = 16;
/// A service's machine.
pub const TYPE_SRV: u16 = 33;
const CLASS_IN: u16 = 1;
const HEADER: usize = 12;

/// What a name server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The answer was too long for a datagram.
    Cut,
    /// There is no such name.
    NoName,
    /// The server could not say.
    Failed,
    /// The name that was meant in the end, its addresses, and names that were asked for.
    Found {
        /// The name behind all others.
        canonical: String,
        /// Its addresses of the kind asked for.
        addresses: Vec<IpAddr>,
        /// Names, for a question about an address.
        names: Vec<String>,
    },
}

/// Makes a question; `None` for what is no name.
pub fn question(id: u16, name: &str, kind: u16) -> Option<Vec<u8>> {
    const LABEL_MAX: usize = 63;
    const NAME_MAX: usize = 253;
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.is_empty() || name.len() > NAME_MAX || !name.is_ascii() {
        return None;
    }
    // Recursion is wanted; one question.
    let mut bytes = [id.to_be_bytes(), [1, 0], [0, 1], [0, 0], [0, 0], [0, 0]].concat();
    for label in name.split('.') {
        if label.is_empty() || label.len() > LABEL_MAX {
            return None;
        }
        bytes.push(label.len() as u8);
        bytes.extend(label.bytes());
    }
    bytes.push(0);
    bytes.extend(kind.to_be_bytes());
    bytes.extend(CLASS_IN.to_be_bytes());
    Some(bytes)
}

/// Returns the name under which an address is asked for.
pub fn reverse_name(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(ip) => {
            let nibbles = ip.octets().into_iter().rev().flat_map(|octet| [octet & 15, octet >> 4]);
            let labels: Vec<String> = nibbles.map(|nibble| format!("{nibble:x}")).collect();
            format!("{}.ip6.arpa", labels.join("."))
        }
    }
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2).and_then(|two| two.try_into().ok()).map(u16::from_be_bytes)
}

/// Reads a name at a place, following pointers; returns it and where the bytes after it begin.
fn name_at(bytes: &[u8], mut at: usize) -> Option<(String, usize)> {
    const JUMPS_MAX: usize = 64;
    let mut labels = Vec::new();
    let mut end = None;
    for _ in 0..JUMPS_MAX * 4 {
        let length = usize::from(*bytes.get(at)?);
        match length {
            0 => return Some((labels.join("."), end.unwrap_or(at + 1))),
            1..=63 => {
                labels.push(String::from_utf8_lossy(bytes.get(at + 1..at + 1 + length)?).into_owned());
                at += 1 + length;
            }
            0xc0.. => {
                end = end.or(Some(at + 2));
                at = usize::from(short(bytes, at)? & 0x3fff);
            }
            _ => return None,
        }
    }
    None
}

/// Reads an answer; `None` for what is none to this question.
pub fn answer(bytes: &[u8], id: u16, asked: &str, kind: u16) -> Option<Answer> {
    const RESPONSE: u16 = 0x8000;
    const TRUNCATED: u16 = 0x0200;
    let flags = short(bytes, 2)?;
    if short(bytes, 0)? != id || flags & RESPONSE == 0 {
        return None;
    }
    if flags & TRUNCATED != 0 {
        return Some(Answer::Cut);
    }
    match flags & 15 {
        0 => {}
        3 => return Some(Answer::NoName),
        _ => return Some(Answer::Failed),
    }
    let mut at = HEADER;
    for _ in 0..short(bytes, 4)? {
        at = name_at(bytes, at)?.1 + 4;
    }
    let mut canonical = asked.strip_suffix('.').unwrap_or(asked).to_owned();
    let (mut addresses, mut names) = (Vec::new(), Vec::new());
    for _ in 0..short(bytes, 6)? {
        let after_name = name_at(bytes, at)?.1;
        let (found, size) = (short(bytes, after_name)?, usize::from(short(bytes, after_name + 8)?));
        let data_at = after_name + 10;
        let data = bytes.get(data_at..data_at + size)?;
        match found {
            TYPE_CNAME => canonical = name_at(bytes, data_at)?.0,
            TYPE_PTR if kind == TYPE_PTR => names.push(name_at(bytes, data_at)?.0),
            TYPE_A if kind == TYPE_A => {
                addresses.push(IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?)))
            }
            TYPE_AAAA if kind == TYPE_AAAA => {
                addresses.push(IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?)));
            }
            _ => {}
        }
        at = data_at + size;
    }
    Some(Answer::Found { canonical, addresses, names })
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// An address.
    Address(IpAddr),
    /// A name: of `CNAME`, `NS`, `PTR`.
    Name(String),
    /// A name and numbers: of `MX` its preference; of `SRV` priority, weight and port.
    Numbered(String, Vec<u16>),
    /// Texts.
    Texts(Vec<Vec<u8>>),
}

/// A record of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose it is.
    pub name: String,
    /// Its type.
    pub kind: u16,
    /// How many seconds it holds.
    pub seconds: u32,
    /// What it says.
    pub data: Data,
}

/// Reads the records of an answer, those of unknown types left out; `None` for what is none.
pub fn records(bytes: &[u8]) -> Option<Vec<Record>> {
    let mut at = HEADER;
    for _ in 0..short(bytes, 4)? {
        at = name_at(bytes, at)?.1 + 4;
    }
    let mut found = Vec::new();
    for _ in 0..short(bytes, 6)? {
        let (name, after) = name_at(bytes, at)?;
        let (kind, size) = (short(bytes, after)?, usize::from(short(bytes, after + 8)?));
        let seconds = u32::from(short(bytes, after + 4)?) << 16 | u32::from(short(bytes, after + 6)?);
        let from = after + 10;
        let data = bytes.get(from..from + size)?;
        if let Some(data) = data_of(bytes, from, data, kind) {
            found.push(Record { name, kind, seconds, data });
        }
        at = from + size;
    }
    Some(found)
}

fn data_of(bytes: &[u8], at: usize, data: &[u8], kind: u16) -> Option<Data> {
    let name = |skip: usize| name_at(bytes, at + skip).map(|found| found.0);
    Some(match kind {
        TYPE_A => Data::Address(Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?).into()),
        TYPE_AAAA => Data::Address(Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?).into()),
        TYPE_CNAME | TYPE_NS | TYPE_PTR => Data::Name(name(0)?),
        TYPE_MX => Data::Numbered(name(2)?, vec![short(data, 0)?]),
        TYPE_SRV => Data::Numbered(name(6)?, vec![short(data, 0)?, short(data, 2)?, short(data, 4)?]),
        TYPE_TXT => {
            let (mut rest, mut texts) = (data, Vec::new());
            while let Some((&length, after)) = rest.split_first() {
                texts.push(after.get(..usize::from(length))?.to_vec());
                rest = &after[usize::from(length)..];
            }
            Data::Texts(texts)
        }
        _ => return None,
    })
}

/// Reads the lines of a file `hosts`: an address and its names each.
pub fn hosts(text: &str) -> Vec<(IpAddr, Vec<String>)> {
    let line = |line: &str| {
        let mut words = line.split('#').next()?.split_whitespace();
        let ip = words.next()?.parse().ok()?;
        Some((ip, words.map(str::to_owned).collect()))
    };
    text.lines().filter_map(line).collect()
}

/// Reads the name servers and the domains to try from a file `resolv.conf`.
pub fn servers(text: &str) -> (Vec<IpAddr>, Vec<String>) {
    let (mut servers, mut domains) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("nameserver") => servers.extend(words.next().and_then(|word| word.parse::<IpAddr>().ok())),
            Some("search" | "domain") => domains = words.map(str::to_owned).collect(),
            _ => {}
        }
    }
    (servers, domains)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer to `www.example` with a CNAME and an address, made by hand.
    fn sample() -> Vec<u8> {
        let mut bytes = question(7, "www.example", TYPE_A).unwrap();
        bytes[2] = 0x81;
        bytes[7] = 2;
        // The question's name, type 5: `real` and a pointer to `example`.
        bytes.extend([0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 7, 4, b'r', b'e', b'a', b'l', 0xc0, 16]);
        bytes.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 1]);
        bytes
    }

    #[test]
    fn answers_are_read() {
        let Some(Answer::Found { canonical, addresses, .. }) = answer(&sample(), 7, "www.example", TYPE_A)
        else {
            panic!("it is an answer");
        };
        assert_eq!((canonical.as_str(), addresses), ("real.example", vec!["192.0.2.1".parse().unwrap()]));
        assert_eq!(answer(&sample(), 8, "www.example", TYPE_A), None, "another question's");
    }

    #[test]
    fn records_are_read() {
        let found = records(&sample()).unwrap();
        assert_eq!((found[0].name.as_str(), found[0].kind, found[0].seconds), ("www.example", TYPE_CNAME, 9));
        assert_eq!(found[0].data, Data::Name("real.example".into()));
        assert_eq!(found[1].data, Data::Address("192.0.2.1".parse().unwrap()));
        let mut bytes = question(1, "x", TYPE_TXT).unwrap();
        bytes[7] = 2;
        bytes.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 9, 0, 5, 2, b'h', b'i', 1, b'!']);
        bytes.extend([0xc0, 12, 0, 15, 0, 1, 0, 0, 0, 9, 0, 4, 0, 5, 0xc0, 12]);
        let found = records(&bytes).unwrap();
        assert_eq!(found[0].data, Data::Texts(vec![b"hi".to_vec(), b"!".to_vec()]));
        assert_eq!(found[1].data, Data::Numbered("x".into(), vec![5]));
        for end in 0..bytes.len() {
            let _ = records(&bytes[..end]);
        }
    }

    #[test]
    fn bad_answers_are_none() {
        let bytes = sample();
        for end in 0..bytes.len() {
            // Whatever is cut off: no panic.
            let _ = answer(&bytes[..end], 7, "www.example", TYPE_A);
        }
        let mut looped = question(7, "a", TYPE_A).unwrap();
        (looped[2], looped[7]) = (0x81, 1);
        let here = looped.len() as u8;
        looped.extend([0xc0, here, 0, 1, 0, 1]);
        assert_eq!(answer(&looped, 7, "a", TYPE_A), None, "a name that points to itself");
        assert_eq!(question(1, "a..b", TYPE_A), None);
    }

    #[test]
    fn files_are_read() {
        let found = hosts("# c\n127.0.0.1 localhost me # x\nbad line\n::1 six\n");
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].1, ["localhost", "me"]);
        assert_eq!(servers("nameserver 192.0.2.53\nsearch a.b c\n").1, ["a.b", "c"]);
        assert_eq!(reverse_name("192.0.2.1".parse().unwrap()), "1.2.0.192.in-addr.arpa");
    }
}
