//! What certificates say about who may be below them: names that are permitted and excluded, and how host names match.

use super::certificate::{Elements, Encoded, SEQUENCE, attributes};

/// `szOID_SUBJECT_ALT_NAME2`.
const OTHER_NAMES: &str = "2.5.29.17";
/// `szOID_NAME_CONSTRAINTS`.
const NAME_CONSTRAINTS: &str = "2.5.29.30";
/// `szOID_COMMON_NAME`.
const COMMON_NAME: &str = "2.5.4.3";

/// The tags of general names: mail, DNS, directory name, address.
const MAIL: u8 = 0x81;
const DNS: u8 = 0x82;
const DIRECTORY: u8 = 0xa4;
const ADDRESS: u8 = 0x87;

/// What a check of names found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// The issuer constrains no names.
    Free,
    /// All names are within the constraints.
    Permitted,
    /// A name is outside of what is permitted.
    NotPermitted,
    /// A name is excluded.
    Excluded,
    /// The constraints are of a kind that is not known, or malformed.
    Unknown,
}

/// A general name: its tag and content.
type Name = (u8, Vec<u8>);

/// Returns the names of a sequence of general names.
fn general_names(bytes: &[u8]) -> Vec<Name> {
    let Ok(list) = Elements::new(bytes, 0..bytes.len()).tagged(SEQUENCE) else { return Vec::new() };
    Elements::new(bytes, list.content).map(|name| (name.tag, bytes[name.content].to_vec())).collect()
}

/// Returns all names of a certificate's owner, the one in its subject included.
fn names_of(certificate: &Encoded) -> Vec<Name> {
    let mut names = certificate.extension(OTHER_NAMES).map_or(Vec::new(), general_names);
    if certificate.subject().len() > 2 {
        names.push((DIRECTORY, certificate.subject().to_vec()));
    }
    names
}

/// Reads one of the two lists of constraints.
fn subtrees(bytes: &[u8], tag: u8) -> Option<Vec<Name>> {
    let outer = Elements::new(bytes, 0..bytes.len()).tagged(SEQUENCE).ok()?;
    let Some(list) = Elements::new(bytes, outer.content).find(|part| part.tag == tag) else {
        return Some(Vec::new());
    };
    let base = |tree: super::certificate::Element| {
        let name = Elements::new(bytes, tree.content).next()?;
        Some((name.tag, bytes[name.content].to_vec()))
    };
    Elements::new(bytes, list.content).map(base).collect()
}

/// Says whether a host name is a domain or below it.
fn is_below(host: &[u8], domain: &[u8]) -> bool {
    let domain = domain.strip_prefix(b".").unwrap_or(domain);
    let Some(start) = host.len().checked_sub(domain.len()) else { return false };
    let fits = host[start..].eq_ignore_ascii_case(domain);
    fits && (start == 0 || domain.is_empty() || host[start - 1] == b'.')
}

/// Says whether a name lies in a constraint of its kind.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.10>
fn lies_in(name: &[u8], constraint: &[u8], tag: u8) -> bool {
    match tag {
        DNS => is_below(name, constraint),
        MAIL if constraint.contains(&b'@') => name.eq_ignore_ascii_case(constraint),
        MAIL => {
            let host = name.rsplit(|&byte| byte == b'@').next().unwrap_or(name);
            match constraint.strip_prefix(b".") {
                Some(domain) => host.len() > domain.len() && is_below(host, domain),
                None => host.eq_ignore_ascii_case(constraint),
            }
        }
        ADDRESS if constraint.len() == 2 * name.len() => {
            let (network, mask) = constraint.split_at(name.len());
            name.iter().zip(network).zip(mask).all(|((name, network), mask)| name & mask == network & mask)
        }
        DIRECTORY => {
            let (name, constraint) = (relative_names(name), relative_names(constraint));
            name.len() >= constraint.len() && name.iter().zip(&constraint).all(|(one, other)| one == other)
        }
        _ => false,
    }
}

fn relative_names(bytes: &[u8]) -> Vec<Vec<u8>> {
    let Ok(list) = Elements::new(bytes, 0..bytes.len()).tagged(SEQUENCE) else { return Vec::new() };
    Elements::new(bytes, list.content).map(|name| bytes[name.whole].to_vec()).collect()
}

/// Holds a certificate's names against the constraints of one above it.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.10>
pub fn check_names(certificate: &Encoded, issuer: &Encoded) -> Names {
    let Some(constraints) = issuer.extension(NAME_CONSTRAINTS) else { return Names::Free };
    let (Some(permitted), Some(excluded)) = (subtrees(constraints, 0xa0), subtrees(constraints, 0xa1)) else {
        return Names::Unknown;
    };
    let known = [MAIL, DNS, DIRECTORY, ADDRESS];
    let names = names_of(certificate);
    let mut result = Names::Permitted;
    for (tag, name) in &names {
        let of_kind = |list: &[Name]| list.iter().any(|other| other.0 == *tag);
        if !known.contains(tag) && (of_kind(&permitted) || of_kind(&excluded)) {
            return Names::Unknown;
        }
        let within =
            |list: &[Name]| list.iter().any(|other| other.0 == *tag && lies_in(name, &other.1, *tag));
        if within(&excluded) {
            return Names::Excluded;
        }
        if of_kind(&permitted) && !within(&permitted) {
            result = Names::NotPermitted;
        }
    }
    result
}

/// Says whether a pattern of a certificate stands for a host: a star for its first label, alone.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc6125#section-6.4>
fn pattern_fits(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(rest) => host.split_once('.').is_some_and(|(first, other)| !first.is_empty() && other == rest),
        None => pattern == host,
    }
}

/// Says whether a certificate is for a host, given as a name or an address. The common name counts only where no host
/// is named elsewhere.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc6125#section-6>
pub fn is_for_host(certificate: &Encoded, host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let names = certificate.extension(OTHER_NAMES).map_or(Vec::new(), general_names);
    if let Ok(address) = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>() {
        let bytes = match address {
            std::net::IpAddr::V4(address) => address.octets().to_vec(),
            std::net::IpAddr::V6(address) => address.octets().to_vec(),
        };
        return names.iter().any(|(tag, name)| *tag == ADDRESS && *name == bytes);
    }
    let text = |name: &[u8]| String::from_utf8_lossy(name).to_ascii_lowercase();
    let hosts: Vec<String> =
        names.iter().filter(|(tag, _)| *tag == DNS).map(|(_, name)| text(name)).collect();
    if !hosts.is_empty() {
        return hosts.iter().any(|pattern| pattern_fits(pattern, &host));
    }
    let common = attributes(&certificate.bytes, certificate.parts.subject.clone());
    common.iter().any(|(kind, value)| kind == COMMON_NAME && pattern_fits(&value.to_lowercase(), &host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_patterns() {
        for (pattern, host, fits) in [
            ("a.test", "a.test", true),
            ("*.a.test", "b.a.test", true),
            ("*.a.test", "c.b.a.test", false),
            ("*.a.test", "a.test", false),
            ("*.a.test", ".a.test", false),
            ("b*.a.test", "bc.a.test", false),
        ] {
            assert_eq!(pattern_fits(pattern, host), fits, "{pattern} {host}");
        }
    }

    #[test]
    fn names_lie_in_constraints_of_their_kind() {
        assert!(lies_in(b"x.Inside.test", b"inside.test", DNS));
        assert!(lies_in(b"inside.test", b".inside.test", DNS));
        assert!(!lies_in(b"notinside.test", b"inside.test", DNS));
        assert!(lies_in(b"a@b.test", b"b.test", MAIL));
        assert!(!lies_in(b"a@c.b.test", b"b.test", MAIL));
        assert!(lies_in(b"a@c.b.test", b".b.test", MAIL));
        assert!(lies_in(&[10, 1, 2, 3], &[10, 0, 0, 0, 255, 0, 0, 0], ADDRESS));
        assert!(!lies_in(&[11, 1, 2, 3], &[10, 0, 0, 0, 255, 0, 0, 0], ADDRESS));
    }
}
