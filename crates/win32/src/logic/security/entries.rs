//! Lists made from and described as explicit entries (`SetEntriesInAcl`). Key items: [`Entry`], [`merge`].
//!
//! Source: <https://learn.microsoft.com/windows/win32/api/aclapi/nf-aclapi-setentriesinacla>,
//! <https://learn.microsoft.com/windows/win32/api/accctrl/ne-accctrl-access_mode>

use super::ace::{self, Ace};
use super::sid::Sid;

/// What an entry asks for (`ACCESS_MODE`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Rights are added.
    Grant = 1,
    /// These rights are all that the trustee has.
    Set = 2,
    /// Rights are denied.
    Deny = 3,
    /// All that the list says about the trustee goes.
    Revoke = 4,
    /// Success is audited.
    AuditSuccess = 5,
    /// Failure is audited.
    AuditFailure = 6,
}

impl Mode {
    /// Returns the mode of a number.
    pub fn of(number: u32) -> Option<Self> {
        use Mode::{AuditFailure, AuditSuccess, Deny, Grant, Revoke, Set};
        [Grant, Set, Deny, Revoke, AuditSuccess, AuditFailure].into_iter().find(|&mode| mode as u32 == number)
    }
}

/// `SUCCESSFUL_ACCESS_ACE_FLAG`.
const SUCCESS: u8 = 0x40;
/// `FAILED_ACCESS_ACE_FLAG`.
const FAILURE: u8 = 0x80;
/// The flags of inheritance that an entry may have.
const INHERITANCE: u8 = 15;

/// What is asked for, or said, about one trustee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Rights.
    pub mask: u32,
    /// What to do with them.
    pub mode: Mode,
    /// Flags of inheritance.
    pub inheritance: u32,
    /// Whom it is about.
    pub sid: Sid,
}

/// Takes rights away from entries that are about the same trustee and inherited in the same way; empty ones go.
fn take(aces: &mut Vec<Ace>, kind: u8, entry: &Entry, flags: u8) {
    for ace in aces.iter_mut() {
        if ace.kind == kind && ace.sid() == Some(&entry.sid) && ace.flags == flags {
            ace.set_mask(ace.mask() & !entry.mask);
        }
    }
    aces.retain(|ace| ace.kind != kind || ace.sid() != Some(&entry.sid) || ace.mask() != 0);
}

/// Adds rights to the entry of the same kind about the same trustee, or makes one before all others.
fn add(aces: &mut Vec<Ace>, kind: u8, entry: &Entry, flags: u8) {
    let same = |ace: &&mut Ace| ace.kind == kind && ace.sid() == Some(&entry.sid) && ace.flags == flags;
    match aces.iter_mut().find(same) {
        Some(ace) => ace.set_mask(ace.mask() | entry.mask),
        None => aces.insert(0, Ace::new(kind, flags, entry.mask, entry.sid.clone())),
    }
}

/// Makes the changes that entries ask for to a list, and puts it in order: what denies, what allows, what is inherited.
pub fn merge(old: &[Ace], entries: &[Entry]) -> Vec<Ace> {
    let mut aces = old.to_vec();
    for entry in entries {
        let flags = entry.inheritance as u8 & INHERITANCE;
        match entry.mode {
            Mode::Grant => {
                take(&mut aces, ace::DENIED, entry, flags);
                add(&mut aces, ace::ALLOWED, entry, flags);
            }
            Mode::Set => {
                forget(&mut aces, &entry.sid);
                add(&mut aces, ace::ALLOWED, entry, flags);
            }
            Mode::Deny => {
                take(&mut aces, ace::ALLOWED, entry, flags);
                add(&mut aces, ace::DENIED, entry, flags);
            }
            Mode::Revoke => forget(&mut aces, &entry.sid),
            Mode::AuditSuccess => add(&mut aces, ace::AUDIT, entry, flags | SUCCESS),
            Mode::AuditFailure => add(&mut aces, ace::AUDIT, entry, flags | FAILURE),
        }
    }
    aces.sort_by_key(|ace| match ace {
        _ if ace.flags & ace::INHERITED != 0 => 2,
        _ if ace.denies() => 0,
        _ => 1,
    });
    aces
}

/// Takes out all that is said about a trustee, but not what is inherited.
fn forget(aces: &mut Vec<Ace>, sid: &Sid) {
    aces.retain(|ace| ace.flags & ace::INHERITED != 0 || ace.sid() != Some(sid));
}

/// Describes a list by entries; what is inherited, and what no entry can say, is left out.
pub fn describe(aces: &[Ace]) -> Vec<Entry> {
    let own = aces.iter().filter(|ace| ace.flags & ace::INHERITED == 0);
    let entry = |ace: &Ace| {
        let mode = match ace.kind {
            ace::ALLOWED => Mode::Grant,
            ace::DENIED => Mode::Deny,
            ace::AUDIT if ace.flags & SUCCESS != 0 => Mode::AuditSuccess,
            ace::AUDIT => Mode::AuditFailure,
            _ => return None,
        };
        let inheritance = u32::from(ace.flags & INHERITANCE);
        Some(Entry { mask: ace.mask(), mode, inheritance, sid: ace.sid()?.clone() })
    };
    own.filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::security::well_known::{everyone, system};

    fn entry(mode: Mode, mask: u32, sid: Sid) -> Entry {
        Entry { mask, mode, inheritance: 0, sid }
    }

    fn allow(mask: u32, sid: Sid) -> Ace {
        Ace::new(ace::ALLOWED, 0, mask, sid)
    }

    fn deny(mask: u32, sid: Sid) -> Ace {
        Ace::new(ace::DENIED, 0, mask, sid)
    }

    #[test]
    fn entries_change_a_list() {
        let old = [allow(1, everyone()), allow(2, system())];
        for (entries, expected) in [
            (vec![entry(Mode::Grant, 4, everyone())], vec![allow(5, everyone()), allow(2, system())]),
            (vec![entry(Mode::Set, 4, everyone())], vec![allow(4, everyone()), allow(2, system())]),
            (
                vec![entry(Mode::Deny, 4, everyone())],
                vec![deny(4, everyone()), allow(1, everyone()), allow(2, system())],
            ),
            (vec![entry(Mode::Deny, 1, everyone())], vec![deny(1, everyone()), allow(2, system())]),
            (vec![entry(Mode::Revoke, 0, everyone())], vec![allow(2, system())]),
            (vec![], old.to_vec()),
        ] {
            assert_eq!(merge(&old, &entries), expected, "{entries:?}");
        }
        assert_eq!(
            merge(&[deny(3, system())], &[entry(Mode::Grant, 1, system())]),
            [deny(2, system()), allow(1, system())]
        );
    }

    #[test]
    fn inherited_entries_stay_behind() {
        let inherited = Ace::new(ace::ALLOWED, ace::INHERITED, 1, everyone());
        let merged = merge(std::slice::from_ref(&inherited), &[entry(Mode::Set, 2, everyone())]);
        assert_eq!(merged, [allow(2, everyone()), inherited]);
        assert_eq!(describe(&merged), [entry(Mode::Grant, 2, everyone())]);
    }
}
