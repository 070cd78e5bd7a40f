//! Who may do what: generic rights, the check of a list of access. Key items: [`GenericMapping`], [`Who`], [`check`].

use super::ace::Ace;
use super::descriptor::SecurityDescriptor;
use super::sid::Sid;

/// `DELETE`.
pub const DELETE: u32 = 0x1_0000;
/// `READ_CONTROL`.
pub const READ_CONTROL: u32 = 0x2_0000;
/// `WRITE_DAC`.
pub const WRITE_DAC: u32 = 0x4_0000;
/// `WRITE_OWNER`.
pub const WRITE_OWNER: u32 = 0x8_0000;
/// `STANDARD_RIGHTS_ALL`.
pub const STANDARD_RIGHTS_ALL: u32 = 0x1f_0000;
/// `ACCESS_SYSTEM_SECURITY`.
pub const ACCESS_SYSTEM_SECURITY: u32 = 0x100_0000;
/// `MAXIMUM_ALLOWED`.
pub const MAXIMUM_ALLOWED: u32 = 0x200_0000;
/// `GENERIC_ALL`.
pub const GENERIC_ALL: u32 = 0x1000_0000;
/// `GENERIC_EXECUTE`.
pub const GENERIC_EXECUTE: u32 = 0x2000_0000;
/// `GENERIC_WRITE`.
pub const GENERIC_WRITE: u32 = 0x4000_0000;
/// `GENERIC_READ`.
pub const GENERIC_READ: u32 = 0x8000_0000;

/// What generic rights mean for a kind of object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GenericMapping {
    /// For `GENERIC_READ`.
    pub read: u32,
    /// For `GENERIC_WRITE`.
    pub write: u32,
    /// For `GENERIC_EXECUTE`.
    pub execute: u32,
    /// For `GENERIC_ALL`.
    pub all: u32,
}

/// Those of files.
pub const FILE: GenericMapping =
    GenericMapping { read: 0x12_0089, write: 0x12_0116, execute: 0x12_00a0, all: 0x1f_01ff };
/// Those of registry keys.
pub const KEY: GenericMapping =
    GenericMapping { read: 0x2_0019, write: 0x2_0006, execute: 0x2_0019, all: 0xf_003f };

impl GenericMapping {
    /// Replaces generic rights by what they mean.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-mapgenericmask>
    pub fn map(&self, mask: u32) -> u32 {
        let of = |generic, meaning| if mask & generic != 0 { meaning } else { 0 };
        let generic = GENERIC_ALL | GENERIC_EXECUTE | GENERIC_WRITE | GENERIC_READ;
        mask & !generic
            | of(GENERIC_READ, self.read)
            | of(GENERIC_WRITE, self.write)
            | of(GENERIC_EXECUTE, self.execute)
            | of(GENERIC_ALL, self.all)
    }
}

/// Who asks.
#[derive(Clone, Debug, Default)]
pub struct Who {
    /// The SIDs that allow and deny: user and enabled groups.
    pub sids: Vec<Sid>,
    /// The SIDs that only deny.
    pub deny_only: Vec<Sid>,
    /// The SIDs that must be allowed too; empty where nothing is restricted.
    pub restricted: Vec<Sid>,
    /// Whether `SeSecurityPrivilege` is enabled.
    pub may_audit: bool,
    /// Whether `SeTakeOwnershipPrivilege` is enabled.
    pub may_take_ownership: bool,
}

/// Returns the rights that a list gives these SIDs, out of `wanted` (all rights are looked at for `MAXIMUM_ALLOWED`).
pub fn granted(aces: &[Ace], mapping: &GenericMapping, sids: &[Sid], deny_only: &[Sid]) -> u32 {
    let (mut allowed, mut denied) = (0, 0);
    for ace in aces.iter().filter(|ace| ace.is_effective()) {
        let Some(sid) = ace.sid() else { continue };
        let mask = mapping.map(ace.mask());
        // The first entry about a right decides.
        if ace.allows() && sids.contains(sid) {
            allowed |= mask & !denied;
        } else if ace.denies() && (sids.contains(sid) || deny_only.contains(sid)) {
            denied |= mask & !allowed;
        }
    }
    allowed
}

/// Returns the rights that someone has to an object; `all` is what a null list gives.
fn rights(descriptor: &SecurityDescriptor, who: &Who, mapping: &GenericMapping) -> u32 {
    let all = mapping.all | STANDARD_RIGHTS_ALL;
    let Some(dacl) = descriptor.dacl.as_ref().filter(|_| descriptor.has_dacl()) else { return all };
    let mut aces = dacl.aces();
    let owner_rights = Sid::new(3, &[4]);
    let owner = descriptor.owner.as_ref();
    let has_owner_entry = aces.iter().any(|ace| ace.is_effective() && ace.sid() == Some(&owner_rights));
    let is_owner = |sids: &[Sid]| owner.is_some_and(|owner| sids.contains(owner));
    if !is_owner(&who.sids) {
        aces.retain(|ace| ace.sid() != Some(&owner_rights));
    }
    let of = |sids: &[Sid], deny_only: &[Sid]| {
        let mut sids = sids.to_vec();
        let implied = if is_owner(&sids) && !has_owner_entry { READ_CONTROL | WRITE_DAC } else { 0 };
        if is_owner(&sids) {
            sids.push(owner_rights.clone());
        }
        granted(&aces, mapping, &sids, deny_only) | implied
    };
    let rights = of(&who.sids, &who.deny_only);
    if who.restricted.is_empty() { rights } else { rights & of(&who.restricted, &[]) }
}

/// Checks access; returns the rights granted, or nothing. `MAXIMUM_ALLOWED` asks for all there are.
///
/// Source: <https://learn.microsoft.com/windows/win32/secauthz/how-dacls-control-access-to-an-object>; MS-DTYP 2.5.3.2
pub fn check(
    descriptor: &SecurityDescriptor,
    who: &Who,
    desired: u32,
    mapping: &GenericMapping,
) -> Option<u32> {
    let desired = mapping.map(desired);
    let mut have = rights(descriptor, who, mapping);
    if who.may_take_ownership {
        have |= WRITE_OWNER;
    }
    let audit = desired & ACCESS_SYSTEM_SECURITY;
    if audit != 0 && !who.may_audit {
        return None;
    }
    let asked = desired & !(MAXIMUM_ALLOWED | ACCESS_SYSTEM_SECURITY);
    if asked & !have != 0 {
        return None;
    }
    let granted = if desired & MAXIMUM_ALLOWED != 0 { have | audit } else { asked | audit };
    (granted != 0 || desired == 0).then_some(granted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::security::Acl;
    use crate::logic::security::ace::{ALLOWED, DENIED};
    use crate::logic::security::well_known::{administrators, everyone};

    fn user() -> Sid {
        Sid::new(5, &[21, 1, 2, 3, 1000])
    }

    fn who() -> Who {
        Who { sids: vec![user(), everyone()], ..Who::default() }
    }

    fn described(aces: &[(u8, u32, Sid)]) -> SecurityDescriptor {
        let aces: Vec<Ace> =
            aces.iter().map(|(kind, mask, sid)| Ace::new(*kind, 0, *mask, sid.clone())).collect();
        let owner = Some(administrators());
        SecurityDescriptor { owner, ..Default::default() }.with_dacl(Acl::of(&aces).ok())
    }

    #[test]
    fn the_first_entry_about_a_right_decides() {
        let deny_first = described(&[(DENIED, 2, everyone()), (ALLOWED, 3, user())]);
        let allow_first = described(&[(ALLOWED, 3, user()), (DENIED, 2, everyone())]);
        assert_eq!(check(&deny_first, &who(), 1, &FILE), Some(1));
        assert_eq!(check(&deny_first, &who(), 3, &FILE), None);
        assert_eq!(check(&allow_first, &who(), 3, &FILE), Some(3));
        assert_eq!(check(&deny_first, &who(), MAXIMUM_ALLOWED, &FILE), Some(1));
        assert_eq!(check(&described(&[]), &who(), MAXIMUM_ALLOWED, &FILE), None);
        assert_eq!(check(&described(&[]), &who(), 0, &FILE), Some(0));
    }

    #[test]
    fn generic_rights_are_mapped_on_both_sides() {
        let descriptor = described(&[(ALLOWED, GENERIC_READ, everyone())]);
        assert_eq!(check(&descriptor, &who(), GENERIC_READ, &FILE), Some(FILE.read));
        assert_eq!(check(&descriptor, &who(), GENERIC_READ | GENERIC_WRITE, &FILE), None);
        assert_eq!(FILE.map(GENERIC_READ | GENERIC_EXECUTE | 4), 0x12_00a9 | 4);
    }

    #[test]
    fn a_null_list_gives_all_and_privileges_add() {
        let null = SecurityDescriptor::default().with_dacl(None);
        assert_eq!(check(&null, &who(), GENERIC_ALL, &FILE), Some(0x1f_01ff));
        assert_eq!(check(&null, &who(), ACCESS_SYSTEM_SECURITY, &FILE), None);
        let may = Who { may_audit: true, may_take_ownership: true, ..who() };
        assert_eq!(check(&null, &may, ACCESS_SYSTEM_SECURITY, &FILE), Some(ACCESS_SYSTEM_SECURITY));
        assert_eq!(check(&described(&[]), &may, WRITE_OWNER, &FILE), Some(WRITE_OWNER));
    }

    #[test]
    fn owners_may_always_change_the_list_unless_an_entry_says_otherwise() {
        let mut descriptor = described(&[]);
        descriptor.owner = Some(user());
        assert_eq!(check(&descriptor, &who(), MAXIMUM_ALLOWED, &FILE), Some(READ_CONTROL | WRITE_DAC));
        descriptor.dacl = Acl::of(&[Ace::new(ALLOWED, 0, 1, Sid::new(3, &[4]))]).ok();
        assert_eq!(check(&descriptor, &who(), MAXIMUM_ALLOWED, &FILE), Some(1));
    }

    #[test]
    fn restricted_and_deny_only_sids() {
        let descriptor = described(&[(ALLOWED, 3, user()), (ALLOWED, 1, administrators())]);
        let restricted = Who { restricted: vec![administrators()], ..who() };
        assert_eq!(check(&descriptor, &restricted, 1, &FILE), Some(1));
        assert_eq!(check(&descriptor, &restricted, 2, &FILE), None);
        let deny = described(&[(DENIED, 1, administrators()), (ALLOWED, 1, everyone())]);
        let deny_only = Who { deny_only: vec![administrators()], ..who() };
        assert_eq!(check(&deny, &deny_only, 1, &FILE), None);
        assert_eq!(check(&deny, &who(), 1, &FILE), Some(1));
    }
}
