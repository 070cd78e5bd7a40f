//! SIDs that are the same on every machine, and those that are the same in every domain. Key items: [`WellKnown`],
//! [`WELL_KNOWN`], [`RELATIVE`].
//!
//! Source: <https://learn.microsoft.com/windows/win32/secauthz/well-known-sids>,
//! <https://learn.microsoft.com/windows/win32/secauthz/sid-strings>, the numbers of `WELL_KNOWN_SID_TYPE` in `winnt.h`.

use super::sid::Sid;

/// What kind of account a SID stands for (`SID_NAME_USE`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// A user.
    User = 1,
    /// A domain, or a machine.
    Domain = 3,
    /// A local group.
    Alias = 4,
    /// A group that membership in is decided by the system.
    WellKnownGroup = 5,
    /// A level of integrity.
    Label = 10,
}

/// One SID that is the same everywhere.
#[derive(Clone, Copy, Debug)]
pub struct WellKnown {
    /// Its number in `WELL_KNOWN_SID_TYPE`.
    pub kind: u32,
    authority: u64,
    parts: &'static [u32],
    /// Its two letters in SDDL; empty where it has none.
    pub letters: &'static str,
    /// The domain in which its name stands.
    pub domain: &'static str,
    /// Its name; empty where it has none.
    pub name: &'static str,
}

impl WellKnown {
    /// Returns the SID.
    pub fn sid(&self) -> Sid {
        Sid::new(self.authority, self.parts)
    }

    /// Returns what kind of account it is.
    pub fn usage(&self) -> Use {
        match (self.authority, self.parts) {
            (5, [32]) | (5, []) => Use::Domain,
            (5, [32, ..]) => Use::Alias,
            (16, _) => Use::Label,
            _ => Use::WellKnownGroup,
        }
    }
}

const fn row(
    kind: u32,
    authority: u64,
    parts: &'static [u32],
    letters: &'static str,
    domain: &'static str,
    name: &'static str,
) -> WellKnown {
    WellKnown { kind, authority, parts, letters, domain, name }
}

/// A row of a SID that `WELL_KNOWN_SID_TYPE` does not have.
pub const NO_KIND: u32 = u32::MAX;
const NT: &str = "NT AUTHORITY";
const BUILTIN: &str = "BUILTIN";
const LABEL: &str = "Mandatory Label";
const PACKAGE: &str = "APPLICATION PACKAGE AUTHORITY";

/// The SIDs that are the same everywhere.
pub const WELL_KNOWN: &[WellKnown] = &[
    row(0, 0, &[0], "", "", "NULL SID"),
    row(1, 1, &[0], "WD", "", "Everyone"),
    row(2, 2, &[0], "", "", "LOCAL"),
    row(81, 2, &[1], "", "", "CONSOLE LOGON"),
    row(3, 3, &[0], "CO", "", "CREATOR OWNER"),
    row(4, 3, &[1], "CG", "", "CREATOR GROUP"),
    row(5, 3, &[2], "", "", "CREATOR OWNER SERVER"),
    row(6, 3, &[3], "", "", "CREATOR GROUP SERVER"),
    row(71, 3, &[4], "OW", "", "OWNER RIGHTS"),
    row(7, 5, &[], "", "", NT),
    row(8, 5, &[1], "", NT, "DIALUP"),
    row(9, 5, &[2], "NU", NT, "NETWORK"),
    row(10, 5, &[3], "", NT, "BATCH"),
    row(11, 5, &[4], "IU", NT, "INTERACTIVE"),
    row(12, 5, &[6], "SU", NT, "SERVICE"),
    row(13, 5, &[7], "AN", NT, "ANONYMOUS LOGON"),
    row(14, 5, &[8], "", NT, "PROXY"),
    row(15, 5, &[9], "ED", NT, "ENTERPRISE DOMAIN CONTROLLERS"),
    row(16, 5, &[10], "PS", NT, "SELF"),
    row(17, 5, &[11], "AU", NT, "Authenticated Users"),
    row(18, 5, &[12], "RC", NT, "RESTRICTED"),
    row(19, 5, &[13], "", NT, "TERMINAL SERVER USER"),
    row(20, 5, &[14], "", NT, "REMOTE INTERACTIVE LOGON"),
    row(54, 5, &[15], "", NT, "This Organization"),
    row(63, 5, &[17], "", NT, "IUSR"),
    row(22, 5, &[18], "SY", NT, "SYSTEM"),
    row(23, 5, &[19], "LS", NT, "LOCAL SERVICE"),
    row(24, 5, &[20], "NS", NT, "NETWORK SERVICE"),
    row(70, 5, &[33], "WR", NT, "WRITE RESTRICTED"),
    row(51, 5, &[64, 10], "", NT, "NTLM Authentication"),
    row(53, 5, &[64, 14], "", NT, "SChannel Authentication"),
    row(52, 5, &[64, 21], "", NT, "Digest Authentication"),
    row(105, 5, &[113], "", NT, "Local account"),
    row(106, 5, &[114], "", NT, "Local account and member of Administrators group"),
    row(55, 5, &[1000], "", NT, "Other Organization"),
    row(25, 5, &[32], "", BUILTIN, BUILTIN),
    row(26, 5, &[32, 544], "BA", BUILTIN, "Administrators"),
    row(27, 5, &[32, 545], "BU", BUILTIN, "Users"),
    row(28, 5, &[32, 546], "BG", BUILTIN, "Guests"),
    row(29, 5, &[32, 547], "PU", BUILTIN, "Power Users"),
    row(30, 5, &[32, 548], "AO", BUILTIN, "Account Operators"),
    row(31, 5, &[32, 549], "SO", BUILTIN, "Server Operators"),
    row(32, 5, &[32, 550], "PO", BUILTIN, "Print Operators"),
    row(33, 5, &[32, 551], "BO", BUILTIN, "Backup Operators"),
    row(34, 5, &[32, 552], "RE", BUILTIN, "Replicator"),
    row(35, 5, &[32, 554], "RU", BUILTIN, "Pre-Windows 2000 Compatible Access"),
    row(36, 5, &[32, 555], "RD", BUILTIN, "Remote Desktop Users"),
    row(37, 5, &[32, 556], "NO", BUILTIN, "Network Configuration Operators"),
    row(56, 5, &[32, 557], "", BUILTIN, "Incoming Forest Trust Builders"),
    row(57, 5, &[32, 558], "MU", BUILTIN, "Performance Monitor Users"),
    row(58, 5, &[32, 559], "LU", BUILTIN, "Performance Log Users"),
    row(59, 5, &[32, 560], "", BUILTIN, "Windows Authorization Access Group"),
    row(60, 5, &[32, 561], "", BUILTIN, "Terminal Server License Servers"),
    row(61, 5, &[32, 562], "", BUILTIN, "Distributed COM Users"),
    row(62, 5, &[32, 568], "IS", BUILTIN, "IIS_IUSRS"),
    row(64, 5, &[32, 569], "CY", BUILTIN, "Cryptographic Operators"),
    row(76, 5, &[32, 573], "ER", BUILTIN, "Event Log Readers"),
    row(78, 5, &[32, 574], "CD", BUILTIN, "Certificate Service DCOM Access"),
    row(95, 5, &[32, 575], "RA", BUILTIN, "RDS Remote Access Servers"),
    row(96, 5, &[32, 576], "ES", BUILTIN, "RDS Endpoint Servers"),
    row(97, 5, &[32, 577], "MS", BUILTIN, "RDS Management Servers"),
    row(99, 5, &[32, 578], "HA", BUILTIN, "Hyper-V Administrators"),
    row(101, 5, &[32, 579], "AA", BUILTIN, "Access Control Assistance Operators"),
    row(102, 5, &[32, 580], "RM", BUILTIN, "Remote Management Users"),
    row(84, 15, &[2, 1], "AC", PACKAGE, "ALL APPLICATION PACKAGES"),
    row(65, 16, &[0], "", LABEL, "Untrusted Mandatory Level"),
    row(66, 16, &[4096], "LW", LABEL, "Low Mandatory Level"),
    row(67, 16, &[8192], "ME", LABEL, "Medium Mandatory Level"),
    row(79, 16, &[8448], "MP", LABEL, "Medium Plus Mandatory Level"),
    row(68, 16, &[12288], "HI", LABEL, "High Mandatory Level"),
    row(69, 16, &[16384], "SI", LABEL, "System Mandatory Level"),
    row(103, 18, &[1], "AS", "", "Authentication authority asserted identity"),
    row(104, 18, &[2], "SS", "", "Service asserted identity"),
];

/// SIDs that every domain has, by their last part: that, the number in `WELL_KNOWN_SID_TYPE`, the letters in SDDL.
pub const RELATIVE: &[(u32, u32, &str)] = &[
    (500, 38, "LA"),
    (501, 39, "LG"),
    (502, 40, ""),
    (512, 41, "DA"),
    (513, 42, "DU"),
    (514, 43, "DG"),
    (515, 44, "DC"),
    (516, 45, "DD"),
    (517, 46, "CA"),
    (518, 47, "SA"),
    (519, 48, "EA"),
    (520, 49, "PA"),
    (553, 50, "RS"),
];

/// Everyone.
pub fn everyone() -> Sid {
    Sid::new(1, &[0])
}

/// The group of administrators.
pub fn administrators() -> Sid {
    Sid::new(5, &[32, 544])
}

/// The operating system itself.
pub fn system() -> Sid {
    Sid::new(5, &[18])
}

/// Returns the SID of a number of `WELL_KNOWN_SID_TYPE`; those of domains need one.
pub fn by_kind(kind: u32, domain: Option<&Sid>) -> Option<Sid> {
    let fixed = WELL_KNOWN.iter().find(|row| row.kind == kind && kind != NO_KIND).map(WellKnown::sid);
    fixed.or_else(|| {
        let row = RELATIVE.iter().find(|row| row.1 == kind)?;
        domain.map(|domain| domain.with(row.0))
    })
}

/// Says whether a SID is the one of a number of `WELL_KNOWN_SID_TYPE`, in whichever domain.
pub fn is_kind(sid: &Sid, kind: u32) -> bool {
    let domain = sid.account_domain().filter(|_| sid.parts().len() == 5);
    by_kind(kind, domain.as_ref()).as_ref() == Some(sid)
}

/// Returns the row of a SID.
pub fn find(sid: &Sid) -> Option<&'static WellKnown> {
    WELL_KNOWN.iter().find(|row| row.authority == sid.authority() && row.parts == sid.parts())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_row_is_there_once() {
        let (mut kinds, mut letters, mut sids) = (HashSet::new(), HashSet::new(), HashSet::new());
        for row in WELL_KNOWN {
            assert!(row.kind == NO_KIND || kinds.insert(row.kind), "{row:?}");
            assert!(row.letters.is_empty() || letters.insert(row.letters), "{row:?}");
            assert!(sids.insert(row.sid()), "{row:?}");
            assert_eq!(find(&row.sid()).map(|found| found.kind), Some(row.kind));
        }
        for row in RELATIVE {
            assert!(kinds.insert(row.1) && (row.2.is_empty() || letters.insert(row.2)), "{row:?}");
        }
    }

    #[test]
    fn kinds_lead_to_sids() {
        let domain = Sid::from_text("S-1-5-21-1-2-3").expect("a SID");
        assert_eq!(by_kind(26, None), Some(administrators()));
        assert_eq!(by_kind(38, None), None);
        assert_eq!(by_kind(38, Some(&domain)), Some(domain.with(500)));
        assert_eq!(by_kind(5000, Some(&domain)), None);
        assert!(is_kind(&administrators(), 26) && !is_kind(&administrators(), 27));
        assert!(is_kind(&domain.with(500), 38) && !is_kind(&domain.with(501), 38));
        assert_eq!(administrators(), find(&administrators()).expect("known").sid());
    }
}
