//! Security identifiers. Key type: [`Sid`].

use std::fmt;

/// The most parts behind the authority.
pub const PARTS_MAX: usize = 15;
/// The only revision there is.
pub const REVISION: u8 = 1;
/// Bytes of a SID without parts: revision, count, authority.
pub const HEADER: usize = 8;

/// A security identifier: who someone or some group is.
///
/// Source: MS-DTYP 2.4.2 "SID".
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sid {
    authority: u64,
    parts: Vec<u32>,
}

impl Sid {
    /// Makes a SID of an authority (48 bits) and its parts; more than fifteen are cut.
    pub fn new(authority: u64, parts: &[u32]) -> Self {
        let parts = parts[..parts.len().min(PARTS_MAX)].to_vec();
        Self { authority: authority & 0xffff_ffff_ffff, parts }
    }

    /// Reads the SID that bytes begin with.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (&[revision, count], rest) = bytes.split_first_chunk::<2>()?;
        if revision != REVISION || usize::from(count) > PARTS_MAX {
            return None;
        }
        let (authority, rest) = rest.split_first_chunk::<6>()?;
        let authority = authority.iter().fold(0, |value, &byte| value << 8 | u64::from(byte));
        let parts = rest.get(..4 * usize::from(count))?;
        let parts =
            parts.chunks_exact(4).map(|part| u32::from_le_bytes([part[0], part[1], part[2], part[3]]));
        Some(Self { authority, parts: parts.collect() })
    }

    /// Lays it out.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![REVISION, self.parts.len() as u8];
        bytes.extend(&self.authority.to_be_bytes()[2..]);
        bytes.extend(self.parts.iter().flat_map(|part| part.to_le_bytes()));
        bytes
    }

    /// Returns its size in bytes.
    pub fn size(&self) -> usize {
        HEADER + 4 * self.parts.len()
    }

    /// Returns the authority.
    pub fn authority(&self) -> u64 {
        self.authority
    }

    /// Returns what stands behind the authority.
    pub fn parts(&self) -> &[u32] {
        &self.parts
    }

    /// Returns the SID with one more part.
    pub fn with(&self, part: u32) -> Self {
        let parts: Vec<u32> = self.parts.iter().copied().chain([part]).collect();
        Self::new(self.authority, &parts)
    }

    /// Splits off the last part: the domain and the relative identifier.
    pub fn split(&self) -> Option<(Self, u32)> {
        let (&last, rest) = self.parts.split_last()?;
        Some((Self::new(self.authority, rest), last))
    }

    /// Returns the domain of an account's SID, `S-1-5-21-…` with three numbers.
    pub fn account_domain(&self) -> Option<Self> {
        let is_account = self.authority == 5 && self.parts.first() == Some(&21) && self.parts.len() >= 4;
        is_account.then(|| Self::new(5, &self.parts[..4]))
    }

    /// Reads the text form, `S-1-5-32-544`, which has at least one part; numbers may be hexadecimal with `0x`.
    ///
    /// Source: MS-DTYP 2.4.2.1 "SID String Format Syntax"
    pub fn from_text(text: &str) -> Option<Self> {
        let mut fields = text.split('-');
        let starts = fields.next()?.eq_ignore_ascii_case("S") && number(fields.next()?)? == 1;
        let authority = number(fields.next()?)?;
        let parts: Option<Vec<u32>> = fields.map(|field| u32::try_from(number(field)?).ok()).collect();
        let counted = |parts: &Vec<u32>| (1..=PARTS_MAX).contains(&parts.len());
        let parts = parts.filter(|parts| starts && counted(parts) && authority >> 48 == 0)?;
        Some(Self { authority, parts })
    }
}

/// Reads a number of the text form.
fn number(text: &str) -> Option<u64> {
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (digits, radix) = hexadecimal.map_or((text, 10), |digits| (digits, 16));
    // `from_str_radix` takes a sign.
    if digits.starts_with(['+', '-']) { None } else { u64::from_str_radix(digits, radix).ok() }
}

impl fmt::Display for Sid {
    /// Writes the text form; an authority of more than 32 bits is hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.authority >> 32 {
            0 => write!(f, "S-1-{}", self.authority)?,
            _ => write!(f, "S-1-0x{:012X}", self.authority)?,
        }
        self.parts.iter().try_for_each(|part| write!(f, "-{part}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_lead_to_each_other() {
        for text in ["S-1-5-32-544", "S-1-1-0", "S-1-5-21-1-2-4294967295-1000", "S-1-0x123456789ABC-7"] {
            let sid = Sid::from_text(text).expect(text);
            assert_eq!(sid.to_string(), text);
            let bytes = sid.to_bytes();
            assert_eq!(bytes.len(), sid.size());
            assert_eq!(Sid::parse(&bytes), Some(sid.clone()));
            assert_eq!(Sid::parse(&bytes[..bytes.len() - 1]), None);
        }
        let administrators = Sid::from_text("s-1-0x5-32-0x220").expect("hexadecimal");
        assert_eq!(administrators.to_bytes(), [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0]);
    }

    #[test]
    fn what_is_no_sid_is_refused() {
        for text in [
            "",
            "S",
            "S-1",
            "S-1-5",
            "S-2-5-1",
            "S-1-",
            "S-1-5-",
            "S-1-5-x",
            "S-1-5-4294967296",
            "S-1-5--1",
            "S-1-+5",
        ] {
            assert_eq!(Sid::from_text(text), None, "{text}");
        }
        assert_eq!(Sid::from_text("S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16"), None);
        assert_eq!(Sid::parse(&[2, 0, 0, 0, 0, 0, 0, 5]), None);
        assert_eq!(Sid::parse(&[1, 16, 0, 0, 0, 0, 0, 5]), None);
    }

    #[test]
    fn domains_are_split_off() {
        let user = Sid::from_text("S-1-5-21-1-2-3-1000").expect("a SID");
        assert_eq!(user.split(), Sid::from_text("S-1-5-21-1-2-3").map(|domain| (domain, 1000)));
        assert_eq!(user.account_domain(), Sid::from_text("S-1-5-21-1-2-3"));
        assert_eq!(Sid::new(5, &[32, 544]).account_domain(), None);
        assert_eq!(Sid::new(5, &[]).split(), None);
    }
}
