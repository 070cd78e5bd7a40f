//! Access tokens: who runs, and with which privileges. Key types: [`Token`], [`Privilege`].

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::object::{Object, ObjectKind};
use crate::logic::nls::case::equal_ignore_case;

/// Every privilege's number (the low half of its LUID) and name.
///
/// Source: <https://learn.microsoft.com/windows/win32/secauthz/privilege-constants>; `wdm.h` for the numbers.
pub const PRIVILEGES: &[(u32, &str)] = &[
    (2, "SeCreateTokenPrivilege"),
    (3, "SeAssignPrimaryTokenPrivilege"),
    (4, "SeLockMemoryPrivilege"),
    (5, "SeIncreaseQuotaPrivilege"),
    (6, "SeMachineAccountPrivilege"),
    (7, "SeTcbPrivilege"),
    (8, "SeSecurityPrivilege"),
    (9, "SeTakeOwnershipPrivilege"),
    (10, "SeLoadDriverPrivilege"),
    (11, "SeSystemProfilePrivilege"),
    (12, "SeSystemtimePrivilege"),
    (13, "SeProfileSingleProcessPrivilege"),
    (14, "SeIncreaseBasePriorityPrivilege"),
    (15, "SeCreatePagefilePrivilege"),
    (16, "SeCreatePermanentPrivilege"),
    (17, "SeBackupPrivilege"),
    (18, "SeRestorePrivilege"),
    (19, "SeShutdownPrivilege"),
    (20, "SeDebugPrivilege"),
    (21, "SeAuditPrivilege"),
    (22, "SeSystemEnvironmentPrivilege"),
    (23, "SeChangeNotifyPrivilege"),
    (24, "SeRemoteShutdownPrivilege"),
    (25, "SeUndockPrivilege"),
    (26, "SeSyncAgentPrivilege"),
    (27, "SeEnableDelegationPrivilege"),
    (28, "SeManageVolumePrivilege"),
    (29, "SeImpersonatePrivilege"),
    (30, "SeCreateGlobalPrivilege"),
    (31, "SeTrustedCredManAccessPrivilege"),
    (32, "SeRelabelPrivilege"),
    (33, "SeIncreaseWorkingSetPrivilege"),
    (34, "SeTimeZonePrivilege"),
    (35, "SeCreateSymbolicLinkPrivilege"),
];

/// `SE_PRIVILEGE_ENABLED_BY_DEFAULT`.
const ENABLED_BY_DEFAULT: u32 = 1;
/// `SE_PRIVILEGE_ENABLED`.
pub const ENABLED: u32 = 2;
/// `SE_PRIVILEGE_REMOVED`.
pub const REMOVED: u32 = 4;

/// One privilege that a token holds, and its attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Privilege {
    /// Its number.
    pub number: u32,
    /// `SE_PRIVILEGE_…` bits.
    pub attributes: u32,
}

/// The token of an ordinary user.
pub struct Token {
    privileges: Mutex<Vec<Privilege>>,
}

impl Default for Token {
    fn default() -> Self {
        let held = [(19, 0), (23, ENABLED | ENABLED_BY_DEFAULT), (25, 0), (33, 0), (34, 0)];
        let held = held.map(|(number, attributes)| Privilege { number, attributes });
        Self { privileges: Mutex::new(held.to_vec()) }
    }
}

impl Object for Token {
    fn kind(&self) -> ObjectKind {
        ObjectKind::Token
    }
}

impl Token {
    fn lock(&self) -> MutexGuard<'_, Vec<Privilege>> {
        self.privileges.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the privileges held.
    pub fn privileges(&self) -> Vec<Privilege> {
        self.lock().clone()
    }

    /// Disables all privileges; returns those that changed, as they were.
    pub fn disable_all(&self) -> Vec<Privilege> {
        let all: Vec<Privilege> =
            self.privileges().iter().map(|held| Privilege { attributes: 0, ..*held }).collect();
        self.adjust(&all).0
    }

    /// Enables, disables or removes privileges. Returns those that changed, as they were, and whether all were held.
    pub fn adjust(&self, wanted: &[Privilege]) -> (Vec<Privilege>, bool) {
        let mut held = self.lock();
        let (mut changed, mut all) = (Vec::new(), true);
        for want in wanted {
            let Some(index) = held.iter().position(|have| have.number == want.number) else {
                all = false;
                continue;
            };
            let before = held[index];
            if want.attributes & REMOVED != 0 {
                held.remove(index);
                changed.push(before);
            } else if (before.attributes ^ want.attributes) & ENABLED != 0 {
                held[index].attributes ^= ENABLED;
                changed.push(before);
            }
        }
        (changed, all)
    }
}

/// Returns the number of a privilege by name.
pub fn privilege_number(name: &[u16]) -> Option<u32> {
    let is_called = |text: &str| equal_ignore_case(&text.encode_utf16().collect::<Vec<u16>>(), name);
    PRIVILEGES.iter().find(|row| is_called(row.1)).map(|row| row.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adjusting_reports_what_changed_and_what_is_missing() {
        let token = Token::default();
        let want = |number, attributes| Privilege { number, attributes };
        assert_eq!(token.adjust(&[want(19, ENABLED)]), (vec![want(19, 0)], true));
        assert_eq!(token.adjust(&[want(19, ENABLED), want(20, ENABLED)]), (vec![], false));
        assert_eq!(token.adjust(&[want(19, REMOVED)]), (vec![want(19, ENABLED)], true));
        assert_eq!(token.adjust(&[want(19, 0)]), (vec![], false));
        assert_eq!(token.disable_all(), vec![want(23, ENABLED | ENABLED_BY_DEFAULT)]);
    }

    #[test]
    fn privileges_are_found_by_name_in_any_case() {
        let name: Vec<u16> = "sebackupPRIVILEGE".encode_utf16().collect();
        assert_eq!(privilege_number(&name), Some(17));
        assert_eq!(privilege_number(&name[1..]), None);
        assert!(PRIVILEGES.is_sorted_by_key(|row| row.0));
    }
}
