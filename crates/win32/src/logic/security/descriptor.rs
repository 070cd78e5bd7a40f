//! Security descriptors. Key type: [`SecurityDescriptor`].
//!
//! Source: MS-DTYP 2.4.6 "SECURITY_DESCRIPTOR".

use super::acl::Acl;
use super::sid::Sid;

/// `SECURITY_DESCRIPTOR_REVISION`.
pub const REVISION: u8 = 1;
/// Bytes of the self-relative form's header.
pub const HEADER: usize = 20;

/// `SE_OWNER_DEFAULTED`.
pub const OWNER_DEFAULTED: u16 = 1;
/// `SE_GROUP_DEFAULTED`.
pub const GROUP_DEFAULTED: u16 = 2;
/// `SE_DACL_PRESENT`.
pub const DACL_PRESENT: u16 = 4;
/// `SE_DACL_DEFAULTED`.
pub const DACL_DEFAULTED: u16 = 8;
/// `SE_SACL_PRESENT`.
pub const SACL_PRESENT: u16 = 16;
/// `SE_SACL_DEFAULTED`.
pub const SACL_DEFAULTED: u16 = 32;
/// `SE_DACL_AUTO_INHERIT_REQ`.
pub const DACL_AUTO_INHERIT_REQ: u16 = 0x100;
/// `SE_SACL_AUTO_INHERIT_REQ`.
pub const SACL_AUTO_INHERIT_REQ: u16 = 0x200;
/// `SE_DACL_AUTO_INHERITED`.
pub const DACL_AUTO_INHERITED: u16 = 0x400;
/// `SE_SACL_AUTO_INHERITED`.
pub const SACL_AUTO_INHERITED: u16 = 0x800;
/// `SE_DACL_PROTECTED`.
pub const DACL_PROTECTED: u16 = 0x1000;
/// `SE_SACL_PROTECTED`.
pub const SACL_PROTECTED: u16 = 0x2000;
/// `SE_SELF_RELATIVE`.
pub const SELF_RELATIVE: u16 = 0x8000;

/// `OWNER_SECURITY_INFORMATION`.
pub const OWNER_INFORMATION: u32 = 1;
/// `GROUP_SECURITY_INFORMATION`.
pub const GROUP_INFORMATION: u32 = 2;
/// `DACL_SECURITY_INFORMATION`.
pub const DACL_INFORMATION: u32 = 4;
/// `SACL_SECURITY_INFORMATION`.
pub const SACL_INFORMATION: u32 = 8;
/// `LABEL_SECURITY_INFORMATION`.
pub const LABEL_INFORMATION: u32 = 16;
/// `PROTECTED_DACL_SECURITY_INFORMATION`.
pub const PROTECTED_DACL_INFORMATION: u32 = 0x8000_0000;
/// `UNPROTECTED_DACL_SECURITY_INFORMATION`.
pub const UNPROTECTED_DACL_INFORMATION: u32 = 0x2000_0000;

/// Who owns an object, and who may do what with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecurityDescriptor {
    /// `SE_…` bits; `SE_SELF_RELATIVE` is not among them, it says how the bytes lie.
    pub control: u16,
    /// The resource manager's byte.
    pub resource: u8,
    /// The owner.
    pub owner: Option<Sid>,
    /// The primary group.
    pub group: Option<Sid>,
    /// Who is audited; with `SE_SACL_PRESENT`, nothing is a null list.
    pub sacl: Option<Acl>,
    /// Who has access; with `SE_DACL_PRESENT`, nothing is a null list: everyone has all access.
    pub dacl: Option<Acl>,
}

impl SecurityDescriptor {
    /// Says whether it has a list of access, be it a null list.
    pub fn has_dacl(&self) -> bool {
        self.control & DACL_PRESENT != 0
    }

    /// Says whether it has a list of audits, be it a null list.
    pub fn has_sacl(&self) -> bool {
        self.control & SACL_PRESENT != 0
    }

    /// Returns it with the list of access.
    pub fn with_dacl(mut self, dacl: Option<Acl>) -> Self {
        self.control |= DACL_PRESENT;
        self.dacl = dacl;
        self
    }

    /// Gives it a system list of access.
    pub fn with_sacl(mut self, sacl: Option<Acl>) -> Self {
        self.control |= SACL_PRESENT;
        self.sacl = sacl;
        self
    }

    /// Reads the self-relative form; nothing if any part is not valid.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let header: &[u8; HEADER] = bytes.first_chunk()?;
        let control = u16::from_le_bytes([header[2], header[3]]);
        if header[0] != REVISION || control & SELF_RELATIVE == 0 {
            return None;
        }
        let part = |at: usize| {
            let offset = u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
            if offset == 0 { Some(None) } else { bytes.get(offset as usize..).map(Some) }
        };
        let sid = |at| match part(at)? {
            Some(bytes) => Sid::parse(bytes).map(Some),
            None => Some(None),
        };
        let list = |at, present: u16| match part(at)? {
            Some(bytes) if control & present != 0 => Acl::parse(bytes).map(Some),
            _ => Some(None),
        };
        Some(Self {
            control: control & !SELF_RELATIVE,
            resource: header[1],
            owner: sid(4)?,
            group: sid(8)?,
            sacl: list(12, SACL_PRESENT)?,
            dacl: list(16, DACL_PRESENT)?,
        })
    }

    /// Returns the size of the self-relative form in bytes.
    pub fn size(&self) -> usize {
        let sids = [&self.owner, &self.group].into_iter().flatten().map(Sid::size);
        let lists = [&self.sacl, &self.dacl].into_iter().flatten().map(|list| list.bytes().len());
        HEADER + sids.chain(lists).sum::<usize>()
    }

    /// Lays out the self-relative form: the lists, then owner and group.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![REVISION, self.resource];
        bytes.extend((self.control | SELF_RELATIVE).to_le_bytes());
        bytes.resize(HEADER, 0);
        let lists = [(12, &self.sacl), (16, &self.dacl)];
        let lists = lists.into_iter().filter_map(|(at, list)| Some((at, list.as_ref()?.bytes().to_vec())));
        let sids = [(4, &self.owner), (8, &self.group)];
        let sids = sids.into_iter().filter_map(|(at, sid)| Some((at, sid.as_ref()?.to_bytes())));
        for (at, part) in lists.chain(sids) {
            let offset = (bytes.len() as u32).to_le_bytes();
            bytes[at..at + 4].copy_from_slice(&offset);
            bytes.extend(part);
        }
        bytes
    }

    /// Returns only the parts that `…_SECURITY_INFORMATION` bits ask for.
    pub fn only(&self, information: u32) -> Self {
        let asks = |bits| information & bits != 0;
        let owner_bits = if asks(OWNER_INFORMATION) { OWNER_DEFAULTED } else { 0 };
        let group_bits = if asks(GROUP_INFORMATION) { GROUP_DEFAULTED } else { 0 };
        const DACL_BITS: u16 =
            DACL_PRESENT | DACL_DEFAULTED | DACL_AUTO_INHERIT_REQ | DACL_AUTO_INHERITED | DACL_PROTECTED;
        let dacl_bits = if asks(DACL_INFORMATION) { DACL_BITS } else { 0 };
        let wants_sacl = asks(SACL_INFORMATION | LABEL_INFORMATION);
        const SACL_BITS: u16 =
            SACL_PRESENT | SACL_DEFAULTED | SACL_AUTO_INHERIT_REQ | SACL_AUTO_INHERITED | SACL_PROTECTED;
        let sacl_bits = if wants_sacl { SACL_BITS } else { 0 };
        Self {
            control: self.control & (owner_bits | group_bits | dacl_bits | sacl_bits),
            resource: self.resource,
            owner: self.owner.clone().filter(|_| asks(OWNER_INFORMATION)),
            group: self.group.clone().filter(|_| asks(GROUP_INFORMATION)),
            sacl: self.sacl.clone().filter(|_| wants_sacl),
            dacl: self.dacl.clone().filter(|_| asks(DACL_INFORMATION)),
        }
    }

    /// Takes over the parts of another that `…_SECURITY_INFORMATION` bits name.
    pub fn update(&mut self, other: &Self, information: u32) {
        if information & OWNER_INFORMATION != 0 {
            self.owner = other.owner.clone();
        }
        if information & GROUP_INFORMATION != 0 {
            self.group = other.group.clone();
        }
        let take = |control: u16, bits: u16| control & !bits | other.control & bits;
        if information & DACL_INFORMATION != 0 {
            self.control =
                take(self.control, DACL_PRESENT | DACL_DEFAULTED | DACL_AUTO_INHERITED | DACL_PROTECTED);
            self.dacl = other.dacl.clone();
        }
        if information & (SACL_INFORMATION | LABEL_INFORMATION) != 0 {
            self.control =
                take(self.control, SACL_PRESENT | SACL_DEFAULTED | SACL_AUTO_INHERITED | SACL_PROTECTED);
            self.sacl = other.sacl.clone();
        }
        if information & PROTECTED_DACL_INFORMATION != 0 {
            self.control |= DACL_PROTECTED;
        }
        if information & UNPROTECTED_DACL_INFORMATION != 0 {
            self.control &= !DACL_PROTECTED;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::security::ace::{ALLOWED, Ace};
    use crate::logic::security::well_known::{administrators, everyone, system};

    fn whole() -> SecurityDescriptor {
        let dacl = Acl::of(&[Ace::new(ALLOWED, 0, 1, everyone())]).expect("a list");
        let descriptor =
            SecurityDescriptor { owner: Some(administrators()), group: Some(system()), ..Default::default() };
        descriptor.with_dacl(Some(dacl))
    }

    #[test]
    fn descriptors_and_bytes_lead_to_each_other() {
        let null = SecurityDescriptor::default().with_dacl(None);
        for descriptor in [whole(), SecurityDescriptor::default(), null] {
            let bytes = descriptor.to_bytes();
            assert_eq!(bytes.len(), descriptor.size());
            assert_eq!(SecurityDescriptor::parse(&bytes), Some(descriptor.clone()));
            if descriptor.size() > HEADER {
                assert_eq!(SecurityDescriptor::parse(&bytes[..bytes.len() - 1]), None);
            }
        }
        assert_eq!(SecurityDescriptor::parse(&[0; HEADER]), None);
    }

    #[test]
    fn parts_are_picked_and_replaced() {
        let whole = whole();
        let owner = whole.only(OWNER_INFORMATION);
        assert_eq!((owner.owner.clone(), owner.group.clone(), owner.control), (whole.owner.clone(), None, 0));
        assert_eq!(whole.only(OWNER_INFORMATION | GROUP_INFORMATION | DACL_INFORMATION), whole);
        let mut changed = owner;
        changed.update(&whole, DACL_INFORMATION | PROTECTED_DACL_INFORMATION);
        assert_eq!((changed.control, changed.dacl), (DACL_PRESENT | DACL_PROTECTED, whole.dacl));
    }
}
