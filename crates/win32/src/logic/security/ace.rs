//! Entries of access control lists. Key types: [`Ace`], [`Body`].
//!
//! Source: MS-DTYP 2.4.4 "ACE".

use super::sid::Sid;

/// `ACCESS_ALLOWED_ACE_TYPE`.
pub const ALLOWED: u8 = 0;
/// `ACCESS_DENIED_ACE_TYPE`.
pub const DENIED: u8 = 1;
/// `SYSTEM_AUDIT_ACE_TYPE`.
pub const AUDIT: u8 = 2;
/// `SYSTEM_ALARM_ACE_TYPE`.
pub const ALARM: u8 = 3;
/// `ACCESS_ALLOWED_OBJECT_ACE_TYPE`.
pub const ALLOWED_OBJECT: u8 = 5;
/// `ACCESS_DENIED_OBJECT_ACE_TYPE`.
pub const DENIED_OBJECT: u8 = 6;
/// `SYSTEM_AUDIT_OBJECT_ACE_TYPE`.
pub const AUDIT_OBJECT: u8 = 7;
/// `ACCESS_ALLOWED_CALLBACK_ACE_TYPE`.
pub const ALLOWED_CALLBACK: u8 = 9;
/// `ACCESS_DENIED_CALLBACK_ACE_TYPE`.
pub const DENIED_CALLBACK: u8 = 10;
/// `SYSTEM_MANDATORY_LABEL_ACE_TYPE`.
pub const LABEL: u8 = 17;
/// The last type there is, `SYSTEM_ACCESS_FILTER_ACE_TYPE`.
const LAST: u8 = 21;

/// `INHERIT_ONLY_ACE`: the entry counts for what is made below only.
pub const INHERIT_ONLY: u8 = 8;
/// `INHERITED_ACE`.
pub const INHERITED: u8 = 16;

/// Bytes of an entry's header: type, flags, size.
pub const HEADER: usize = 4;

/// An entry: whom it is about, and what it allows, denies or reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ace {
    /// Its type.
    pub kind: u8,
    /// `…_ACE` bits: inheritance, auditing.
    pub flags: u8,
    /// The rest.
    pub body: Body,
}

/// What stands behind an entry's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Rights and a SID; what follows is the application's.
    Plain {
        /// The rights.
        mask: u32,
        /// Whom it is about.
        sid: Sid,
        /// What is behind.
        rest: Vec<u8>,
    },
    /// Rights that may be about one kind of object.
    Object {
        /// The rights.
        mask: u32,
        /// The kind of object.
        object: Option<[u8; 16]>,
        /// The kind of object that inherits it.
        inherited: Option<[u8; 16]>,
        /// Whom it is about.
        sid: Sid,
        /// What is behind.
        rest: Vec<u8>,
    },
    /// Of a type that is not looked into.
    Other(Vec<u8>),
}

fn has_objects(kind: u8) -> bool {
    matches!(kind, ALLOWED_OBJECT..=8 | 11 | 12 | 15 | 16)
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*head), rest))
}

fn guid(bytes: &[u8], is_there: bool) -> Option<(Option<[u8; 16]>, &[u8])> {
    if !is_there {
        return Some((None, bytes));
    }
    let (head, rest) = bytes.split_first_chunk::<16>()?;
    Some((Some(*head), rest))
}

impl Ace {
    /// Makes an entry of rights and a SID.
    pub fn new(kind: u8, flags: u8, mask: u32, sid: Sid) -> Self {
        Self { kind, flags, body: Body::Plain { mask, sid, rest: Vec::new() } }
    }

    /// Reads the entry that bytes begin with; returns its size too.
    pub fn parse(bytes: &[u8]) -> Option<(Self, usize)> {
        let (&[kind, flags, low, high], _) = bytes.split_first_chunk::<HEADER>()?;
        let size = usize::from(u16::from_le_bytes([low, high]));
        let rest = bytes.get(HEADER..size)?;
        let body = match kind {
            // A compound entry is not documented.
            4 => Body::Other(rest.to_vec()),
            kind if has_objects(kind) => Self::object_body(rest)?,
            0..=LAST => {
                let (mask, rest) = number(rest)?;
                let sid = Sid::parse(rest)?;
                Body::Plain { mask, rest: rest[sid.size()..].to_vec(), sid }
            }
            _ => Body::Other(rest.to_vec()),
        };
        Some((Self { kind, flags, body }, size))
    }

    fn object_body(rest: &[u8]) -> Option<Body> {
        let (mask, rest) = number(rest)?;
        let (present, rest) = number(rest)?;
        let (object, rest) = guid(rest, present & 1 != 0)?;
        let (inherited, rest) = guid(rest, present & 2 != 0)?;
        let sid = Sid::parse(rest)?;
        Some(Body::Object { mask, object, inherited, rest: rest[sid.size()..].to_vec(), sid })
    }

    /// Lays it out; the size is a multiple of four.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![self.kind, self.flags, 0, 0];
        match &self.body {
            Body::Plain { mask, sid, rest } => {
                bytes.extend(mask.to_le_bytes());
                bytes.extend(sid.to_bytes());
                bytes.extend(rest);
            }
            Body::Object { mask, object, inherited, sid, rest } => {
                bytes.extend(mask.to_le_bytes());
                let present = u32::from(object.is_some()) | u32::from(inherited.is_some()) << 1;
                bytes.extend(present.to_le_bytes());
                bytes.extend([object, inherited].into_iter().flatten().flatten());
                bytes.extend(sid.to_bytes());
                bytes.extend(rest);
            }
            Body::Other(rest) => bytes.extend(rest),
        }
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        let size = bytes.len() as u16;
        bytes[2..HEADER].copy_from_slice(&size.to_le_bytes());
        bytes
    }

    /// Returns the rights.
    pub fn mask(&self) -> u32 {
        match &self.body {
            Body::Plain { mask, .. } | Body::Object { mask, .. } => *mask,
            Body::Other(_) => 0,
        }
    }

    /// Sets the rights.
    pub fn set_mask(&mut self, new: u32) {
        if let Body::Plain { mask, .. } | Body::Object { mask, .. } = &mut self.body {
            *mask = new;
        }
    }

    /// Returns whom it is about.
    pub fn sid(&self) -> Option<&Sid> {
        match &self.body {
            Body::Plain { sid, .. } | Body::Object { sid, .. } => Some(sid),
            Body::Other(_) => None,
        }
    }

    /// Says whether it counts for the object itself.
    pub fn is_effective(&self) -> bool {
        self.flags & INHERIT_ONLY == 0
    }

    /// Says whether it allows.
    pub fn allows(&self) -> bool {
        matches!(self.kind, ALLOWED | ALLOWED_OBJECT)
    }

    /// Says whether it denies.
    pub fn denies(&self) -> bool {
        matches!(self.kind, DENIED | DENIED_OBJECT)
    }
}

/// Returns the revision that a list needs for an entry of this type: 4 for those about kinds of objects.
pub fn revision_of(kind: u8) -> u8 {
    if has_objects(kind) { 4 } else { 2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_and_bytes_lead_to_each_other() {
        let sid = Sid::new(5, &[32, 544]);
        let plain = Ace::new(ALLOWED, 3, 0x1f01ff, sid.clone());
        assert_eq!(plain.to_bytes()[..8], [0, 3, 24, 0, 0xff, 1, 0x1f, 0]);
        let object = Ace {
            kind: ALLOWED_OBJECT,
            flags: 0,
            body: Body::Object { mask: 1, object: None, inherited: Some([7; 16]), sid, rest: vec![] },
        };
        let other = Ace { kind: 4, flags: 0, body: Body::Other(vec![1, 2, 3, 4]) };
        for ace in [plain, object, other] {
            let bytes = ace.to_bytes();
            assert_eq!(Ace::parse(&bytes), Some((ace, bytes.len())));
            assert_eq!(Ace::parse(&bytes[..bytes.len() - 1]), None);
        }
        assert_eq!(Ace::parse(&[0, 0, 8, 0, 1, 0, 0, 0]), None);
        assert_eq!(Ace::parse(&[0, 0, 0, 0]), None);
    }
}
