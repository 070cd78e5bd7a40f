//! The text form of security descriptors (SDDL). Key items: [`parse`], [`fn@write`], [`sid_from_text`].
//!
//! Source: <https://learn.microsoft.com/windows/win32/secauthz/security-descriptor-string-format>, MS-DTYP 2.5.1

mod read;
mod write;

pub use read::{parse, sid_from_text};
pub use write::{sid_to_text, write};

use super::ace;
use super::descriptor as sd;

/// Types of entries: letters and type.
const KINDS: &[(&str, u8)] = &[
    ("A", ace::ALLOWED),
    ("D", ace::DENIED),
    ("AU", ace::AUDIT),
    ("AL", ace::ALARM),
    ("OA", ace::ALLOWED_OBJECT),
    ("OD", ace::DENIED_OBJECT),
    ("OU", ace::AUDIT_OBJECT),
    ("OL", 8),
    ("ML", ace::LABEL),
    ("SP", 19),
    ("TL", 20),
];

/// Flags of entries, in the order in which they are written.
const ACE_FLAGS: &[(&str, u32)] =
    &[("OI", 1), ("CI", 2), ("NP", 4), ("IO", 8), ("ID", 16), ("SA", 64), ("FA", 128)];

/// Rights of one bit, in the order in which they are written.
const RIGHTS: &[(&str, u32)] = &[
    ("CC", 1),
    ("DC", 2),
    ("LC", 4),
    ("SW", 8),
    ("RP", 0x10),
    ("WP", 0x20),
    ("DT", 0x40),
    ("LO", 0x80),
    ("CR", 0x100),
    ("SD", 0x1_0000),
    ("RC", 0x2_0000),
    ("WD", 0x4_0000),
    ("WO", 0x8_0000),
    ("GA", 0x1000_0000),
    ("GX", 0x2000_0000),
    ("GW", 0x4000_0000),
    ("GR", 0x8000_0000),
];

/// Rights of several bits; of two with the same bits the first is written.
const GROUPS: &[(&str, u32)] = &[
    ("FA", 0x1f_01ff),
    ("FR", 0x12_0089),
    ("FW", 0x12_0116),
    ("FX", 0x12_00a0),
    ("KA", 0xf_003f),
    ("KR", 0x2_0019),
    ("KW", 0x2_0006),
    ("KX", 0x2_0019),
];

/// Rights of labels of integrity.
const LABEL_RIGHTS: &[(&str, u32)] = &[("NW", 1), ("NR", 2), ("NX", 4)];

/// Flags of the two lists, in the order in which they are written: letters, of access, of audit.
const LIST_FLAGS: &[(&str, u16, u16)] = &[
    ("P", sd::DACL_PROTECTED, sd::SACL_PROTECTED),
    ("AR", sd::DACL_AUTO_INHERIT_REQ, sd::SACL_AUTO_INHERIT_REQ),
    ("AI", sd::DACL_AUTO_INHERITED, sd::SACL_AUTO_INHERITED),
];

/// What stands for a null list of access.
const NULL_LIST: &str = "NO_ACCESS_CONTROL";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Win32Error;
    use crate::logic::security::{SecurityDescriptor, Sid};

    fn domain() -> Sid {
        Sid::new(5, &[21, 1, 2, 3])
    }

    fn read(text: &str) -> Result<SecurityDescriptor, Win32Error> {
        parse(text, &domain())
    }

    #[test]
    fn texts_come_back_as_windows_writes_them() {
        for (text, written) in [
            ("", ""),
            ("O:BAG:SY", "O:BAG:SY"),
            ("O:S-1-5-32-544 G:S-1-5-18", "O:BAG:SY"),
            ("D:(A;;GA;;;WD)", "D:(A;;GA;;;WD)"),
            ("d:p(a;oici;fa;;;sy)(A;OICI;0x1f01ff;;;BA)", "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"),
            ("D:PAI(D;;KA;;;S-1-5-7)(A;ID;0x20019;;;AU)", "D:PAI(D;;KA;;;AN)(A;ID;KR;;;AU)"),
            ("D:(A;OICIIO;GRGX;;;BU)", "D:(A;OICIIO;GXGR;;;BU)"),
            ("D:(A;;0x1301bf;;;AU)", "D:(A;;0x1301bf;;;AU)"),
            ("D:(A;;CCLCSWRPWPDTLOCRRC;;;SY)", "D:(A;;CCLCSWRPWPDTLOCRRC;;;SY)"),
            ("D:", "D:"),
            ("D:NO_ACCESS_CONTROL", "D:NO_ACCESS_CONTROL"),
            ("D:(A;;;;;WD)", "D:(A;;;;;WD)"),
            ("D:(A;;010;;;WD)(A;;10;;;WD)", "D:(A;;SW;;;WD)(A;;DCSW;;;WD)"),
            ("S:(ML;;NWNR;;;LW)", "S:(ML;;NWNR;;;LW)"),
            ("S:AI(AU;SAFA;FA;;;WD)D:(A;;GA;;;LA)", "D:(A;;GA;;;LA)S:AI(AU;SAFA;FA;;;WD)"),
            (
                "D:(OA;;CR;bf967aba-0de6-11d0-a285-00aa003049e2;;BA)",
                "D:(OA;;CR;bf967aba-0de6-11d0-a285-00aa003049e2;;BA)",
            ),
            ("O:S-1-5-21-1-2-3-1000D:", "O:S-1-5-21-1-2-3-1000D:"),
        ] {
            let descriptor = read(text).expect(text);
            assert_eq!(write(&descriptor, &domain()).as_deref(), Some(written), "{text}");
            assert_eq!(read(written), Ok(descriptor), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for (text, error) in [
            ("X:BA", Win32Error::INVALID_PARAMETER),
            ("D:(A;;GA;;;WD", Win32Error::INVALID_ACL),
            ("D:(A;;GA;;WD)", Win32Error::INVALID_ACL),
            ("D:(Q;;GA;;;WD)", Win32Error::INVALID_ACL),
            ("D:(A;ZZ;GA;;;WD)", Win32Error::INVALID_ACL),
            ("D:(A;;GAx;;;WD)", Win32Error::INVALID_ACL),
            ("D:(A;;GA;;;ZZ)", Win32Error::INVALID_SID),
            ("D:(XA;;FX;;;WD;(x))", Win32Error::INVALID_ACL),
            ("O:ZZ", Win32Error::INVALID_SID),
            ("D:é", Win32Error::INVALID_ACL),
        ] {
            assert_eq!(read(text).err(), Some(error), "{text}");
        }
    }

    #[test]
    fn tables_have_each_bit_once() {
        let all = RIGHTS.iter().fold(0u32, |bits, row| {
            assert_eq!((bits & row.1, row.1.count_ones()), (0, 1), "{row:?}");
            bits | row.1
        });
        assert_eq!(all, 0xf00f_01ff);
    }
}
