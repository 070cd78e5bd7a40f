//! Unix permission bits as a security descriptor, and back. Key items: [`describe`], [`mode`].
//!
//! Each of owner, group and everyone gets an entry with the rights that its bits give. Where the bits of a later class
//! give more than those of an earlier one, an entry before denies that to the earlier class, since Linux looks at one class
//! only and Windows at all entries. The order is not Windows' canonical one, as none in that order would say the same.
//!
//! Source: <https://cygwin.com/cygwin-ug-net/ntsec.html> (how POSIX permissions become entries).

use super::access::{DELETE, FILE, STANDARD_RIGHTS_ALL, WRITE_DAC, WRITE_OWNER};
use super::ace::{ALLOWED, Ace, DENIED};
use super::acl::Acl;
use super::descriptor::{DACL_PROTECTED, SecurityDescriptor};
use super::sid::Sid;
use super::well_known::everyone;

/// `FILE_READ_DATA`.
const READ_DATA: u32 = 1;
/// `FILE_WRITE_DATA`.
const WRITE_DATA: u32 = 2;
/// `FILE_EXECUTE`.
const EXECUTE: u32 = 0x20;
/// `FILE_DELETE_CHILD`.
const DELETE_CHILD: u32 = 0x40;
/// What everyone may do with a file whose name they can reach: `READ_CONTROL`, `SYNCHRONIZE`, `FILE_READ_ATTRIBUTES`.
const ALWAYS: u32 = 0x12_0080;

/// The entries of whom a file's bits speak of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owners {
    /// The owner.
    pub user: Sid,
    /// The group.
    pub group: Sid,
}

/// Returns the rights that three bits give.
fn rights(bits: u32, is_directory: bool) -> u32 {
    let of = |bit, rights| if bits & bit != 0 { rights } else { 0 };
    let child = if is_directory { DELETE_CHILD } else { 0 };
    ALWAYS | of(4, FILE.read) | of(2, FILE.write | DELETE | child) | of(1, FILE.execute)
}

/// Describes a file by its owner, group and permission bits.
pub fn describe(owners: &Owners, mode: u32, is_directory: bool) -> SecurityDescriptor {
    let (user, group, other) = (mode >> 6 & 7, mode >> 3 & 7, mode & 7);
    let owner_always = WRITE_DAC | WRITE_OWNER;
    // With all bits, the owner has what Windows calls full control.
    let full = if user == 7 { FILE.all & !STANDARD_RIGHTS_ALL } else { 0 };
    let mut aces = Vec::new();
    let deny = |aces: &mut Vec<Ace>, bits: u32, sid: &Sid| {
        if bits != 0 {
            let mask = rights(bits, is_directory) & !ALWAYS;
            // What a bit shares with another that is there must not be denied.
            let kept = rights(if sid == &owners.user { user } else { group }, is_directory);
            aces.push(Ace::new(DENIED, 0, mask & !kept, sid.clone()));
        }
    };
    deny(&mut aces, (group | other) & !user, &owners.user);
    aces.push(Ace::new(ALLOWED, 0, rights(user, is_directory) | owner_always | full, owners.user.clone()));
    deny(&mut aces, other & !group, &owners.group);
    aces.push(Ace::new(ALLOWED, 0, rights(group, is_directory), owners.group.clone()));
    aces.push(Ace::new(ALLOWED, 0, rights(other, is_directory), everyone()));
    let descriptor = SecurityDescriptor {
        control: DACL_PROTECTED,
        owner: Some(owners.user.clone()),
        group: Some(owners.group.clone()),
        ..Default::default()
    };
    descriptor.with_dacl(Acl::of(&aces).ok())
}

/// Returns the three bits that a list gives whom any of these SIDs names.
fn bits(aces: &[Ace], sids: &[Sid]) -> u32 {
    let rights = super::access::granted(aces, &FILE, sids, &[]);
    let of = |right, bit| if rights & right != 0 { bit } else { 0 };
    of(READ_DATA, 4) | of(WRITE_DATA, 2) | of(EXECUTE, 1)
}

/// Returns the permission bits that come closest to a descriptor's list of access: what it gives the owner, the group, and
/// everyone. Entries about others than these have no bits. No list, or a null list, gives everything to everyone.
pub fn mode(descriptor: &SecurityDescriptor, owners: &Owners) -> u32 {
    let Some(dacl) = descriptor.dacl.as_ref().filter(|_| descriptor.has_dacl()) else { return 0o777 };
    let aces = dacl.aces();
    // Everyone, Authenticated Users, the group of users: there is nobody else.
    let all = [everyone(), Sid::new(5, &[11]), Sid::new(5, &[32, 545])];
    let with = |more: &[Sid]| [more, &all].concat();
    // Owner rights and the owner of what is made.
    let owner = with(&[owners.user.clone(), owners.group.clone(), Sid::new(3, &[4]), Sid::new(3, &[0])]);
    let group = with(&[owners.group.clone(), Sid::new(3, &[1])]);
    bits(&aces, &owner) << 6 | bits(&aces, &group) << 3 | bits(&aces, &all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::security::access::{MAXIMUM_ALLOWED, Who, check};
    use crate::logic::security::sddl;

    fn owners() -> Owners {
        Owners { user: Sid::new(5, &[21, 1, 2, 3, 3000]), group: Sid::new(5, &[21, 1, 2, 3, 3001]) }
    }

    fn text(mode: u32, is_directory: bool) -> String {
        let domain = Sid::new(5, &[21, 9, 9, 9]);
        sddl::write(&describe(&owners(), mode, is_directory), &domain).expect("plain entries")
    }

    #[test]
    fn bits_become_entries() {
        let (user, group) = ("S-1-5-21-1-2-3-3000", "S-1-5-21-1-2-3-3001");
        let start = format!("O:{user}G:{group}D:P");
        for (mode, is_directory, expected) in [
            (0o755, true, format!("(A;;FA;;;{user})(A;;0x1200a9;;;{group})(A;;0x1200a9;;;WD)")),
            (0o644, false, format!("(A;;0x1f019f;;;{user})(A;;FR;;;{group})(A;;FR;;;WD)")),
            (0o600, false, format!("(A;;0x1f019f;;;{user})(A;;0x120080;;;{group})(A;;0x120080;;;WD)")),
            (
                0o474,
                false,
                format!(
                    "(D;;DCLCRPWPCRSD;;;{user})(A;;0x1e0089;;;{user})(A;;0x1301bf;;;{group})(A;;FR;;;WD)"
                ),
            ),
        ] {
            assert_eq!(text(mode, is_directory), format!("{start}{expected}"), "{mode:o}");
        }
    }

    /// What each class may do by the entries is what its bits say, for every mode, and the bits come back.
    #[test]
    fn entries_say_what_bits_say() {
        let owners = owners();
        for mode in 0..0o1000 {
            let descriptor = describe(&owners, mode, false);
            assert_eq!(super::mode(&descriptor, &owners), mode, "{mode:o}");
            let classes = [
                (mode >> 6, vec![owners.user.clone(), owners.group.clone(), everyone()]),
                (mode >> 3, vec![owners.group.clone(), everyone()]),
                (mode, vec![everyone()]),
            ];
            for (bits, sids) in classes {
                let who = Who { sids, ..Who::default() };
                let granted = check(&descriptor, &who, MAXIMUM_ALLOWED, &FILE).unwrap_or(0);
                for (bit, right) in [(4, READ_DATA), (2, WRITE_DATA), (1, EXECUTE)] {
                    assert_eq!(granted & right != 0, bits & bit != 0, "{mode:o} {bit}");
                }
            }
        }
    }

    #[test]
    fn lists_of_windows_become_bits() {
        let domain = Sid::new(5, &[21, 1, 2, 3]);
        for (text, expected) in [
            ("D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;OW)", 0o700),
            ("D:(A;;FA;;;WD)", 0o777),
            ("D:(A;;GR;;;AU)(A;;FA;;;CO)", 0o744),
            ("D:(A;;GRGX;;;BU)(A;;FA;;;S-1-5-21-1-2-3-3001)", 0o775 | 0o20),
            ("D:(D;;FW;;;WD)(A;;FA;;;WD)", 0o555),
            ("D:(A;OICIIO;FA;;;WD)", 0),
            ("D:", 0),
            ("D:NO_ACCESS_CONTROL", 0o777),
            ("O:BA", 0o777),
        ] {
            let descriptor = sddl::parse(text, &domain).expect(text);
            assert_eq!(format!("{:o}", mode(&descriptor, &owners())), format!("{expected:o}"), "{text}");
        }
    }
}
