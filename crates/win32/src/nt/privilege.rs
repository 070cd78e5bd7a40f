//! Privileges: numbers, names, what they allow. Key items: [`PRIVILEGES`], [`Privilege`].

use crate::logic::nls::case::equal_ignore_case;

/// Every privilege's number (the low half of its LUID), name, and what it allows in words.
///
/// Source: <https://learn.microsoft.com/windows/win32/secauthz/privilege-constants>; `wdm.h` for the numbers.
pub const PRIVILEGES: &[(u32, &str, &str)] = &[
    (2, "SeCreateTokenPrivilege", "Create a token object"),
    (3, "SeAssignPrimaryTokenPrivilege", "Replace a process level token"),
    (4, "SeLockMemoryPrivilege", "Lock pages in memory"),
    (5, "SeIncreaseQuotaPrivilege", "Adjust memory quotas for a process"),
    (6, "SeMachineAccountPrivilege", "Add workstations to domain"),
    (7, "SeTcbPrivilege", "Act as part of the operating system"),
    (8, "SeSecurityPrivilege", "Manage auditing and security log"),
    (9, "SeTakeOwnershipPrivilege", "Take ownership of files or other objects"),
    (10, "SeLoadDriverPrivilege", "Load and unload device drivers"),
    (11, "SeSystemProfilePrivilege", "Profile system performance"),
    (12, "SeSystemtimePrivilege", "Change the system time"),
    (13, "SeProfileSingleProcessPrivilege", "Profile single process"),
    (14, "SeIncreaseBasePriorityPrivilege", "Increase scheduling priority"),
    (15, "SeCreatePagefilePrivilege", "Create a pagefile"),
    (16, "SeCreatePermanentPrivilege", "Create permanent shared objects"),
    (17, "SeBackupPrivilege", "Back up files and directories"),
    (18, "SeRestorePrivilege", "Restore files and directories"),
    (19, "SeShutdownPrivilege", "Shut down the system"),
    (20, "SeDebugPrivilege", "Debug programs"),
    (21, "SeAuditPrivilege", "Generate security audits"),
    (22, "SeSystemEnvironmentPrivilege", "Modify firmware environment values"),
    (23, "SeChangeNotifyPrivilege", "Bypass traverse checking"),
    (24, "SeRemoteShutdownPrivilege", "Force shutdown from a remote system"),
    (25, "SeUndockPrivilege", "Remove computer from docking station"),
    (26, "SeSyncAgentPrivilege", "Synchronize directory service data"),
    (27, "SeEnableDelegationPrivilege", "Enable computer and user accounts to be trusted for delegation"),
    (28, "SeManageVolumePrivilege", "Perform volume maintenance tasks"),
    (29, "SeImpersonatePrivilege", "Impersonate a client after authentication"),
    (30, "SeCreateGlobalPrivilege", "Create global objects"),
    (31, "SeTrustedCredManAccessPrivilege", "Access Credential Manager as a trusted caller"),
    (32, "SeRelabelPrivilege", "Modify an object label"),
    (33, "SeIncreaseWorkingSetPrivilege", "Increase a process working set"),
    (34, "SeTimeZonePrivilege", "Change the time zone"),
    (35, "SeCreateSymbolicLinkPrivilege", "Create symbolic links"),
    (
        36,
        "SeDelegateSessionUserImpersonatePrivilege",
        "Obtain an impersonation token for another user in the same session",
    ),
];

/// `SE_PRIVILEGE_ENABLED_BY_DEFAULT`.
pub const ENABLED_BY_DEFAULT: u32 = 1;
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

/// Returns the number of a privilege by name.
pub fn privilege_number(name: &[u16]) -> Option<u32> {
    let is_called = |text: &str| equal_ignore_case(&text.encode_utf16().collect::<Vec<u16>>(), name);
    PRIVILEGES.iter().find(|row| is_called(row.1)).map(|row| row.0)
}

/// Returns name and words of a privilege by number.
pub fn privilege_texts(number: u32) -> Option<(&'static str, &'static str)> {
    PRIVILEGES.iter().find(|row| row.0 == number).map(|row| (row.1, row.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn privileges_are_found_by_name_in_any_case() {
        let name: Vec<u16> = "sebackupPRIVILEGE".encode_utf16().collect();
        assert_eq!(privilege_number(&name), Some(17));
        assert_eq!(privilege_number(&name[1..]), None);
        assert!(PRIVILEGES.is_sorted_by_key(|row| row.0));
        assert_eq!(privilege_texts(17).map(|texts| texts.0), Some("SeBackupPrivilege"));
        assert_eq!(privilege_texts(1), None);
    }
}
