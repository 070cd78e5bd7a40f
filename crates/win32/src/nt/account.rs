//! Accounts: which SIDs Linux' users and groups have, and the names of SIDs. Key items: [`Account`], [`by_sid`],
//! [`by_name`].
//!
//! The machine is a domain `S-1-5-21-…` of three numbers made from its identifier, so that it stays the same as long as
//! the installation. A user's relative identifier is twice his number plus 1000, a group's one more, as Samba maps
//! them: every number has a SID, none has two, and both ways are arithmetic. Numbers too large for that have Samba's SIDs of
//! Unix users and groups, `S-1-22-1-…` and `S-1-22-2-…`, which are understood for all numbers.
//!
//! Source: smb.conf(5) "algorithmic rid base"; <https://wiki.samba.org/index.php/Idmap_config_nss> for `S-1-22`

use std::sync::OnceLock;

use plat_host::accounts::{self, Group, User};
use plat_host::sysinfo;

use crate::logic::security::Sid;
use crate::logic::security::well_known::{self, Use};
use crate::process::Process;

/// `algorithmic rid base`.
const RID_BASE: u32 = 1000;
/// The authority of Samba's SIDs of Unix users (1) and groups (2).
const UNIX_AUTHORITY: u64 = 22;

/// A user or group of Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unix {
    /// A user's number.
    User(u32),
    /// A group's number.
    Group(u32),
}

/// Whom a SID stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The SID.
    pub sid: Sid,
    /// The domain's name: the machine's for its own users and groups.
    pub domain: String,
    /// The name.
    pub name: String,
    /// What it is.
    pub usage: Use,
}

/// Returns the machine's name as Windows has it: the first part, in capitals, at most fifteen characters.
pub fn computer_name() -> String {
    let host = sysinfo::host_name();
    let first = host.split('.').next().unwrap_or_default();
    first.chars().filter(char::is_ascii).take(15).map(|letter| letter.to_ascii_uppercase()).collect()
}

/// Says whether a name, with backslashes before it or not, is the machine's; no name is, too.
pub fn is_own_machine(name: &[u16]) -> bool {
    let name = String::from_utf16_lossy(name);
    let name = name.trim_start_matches('\\');
    name.is_empty() || name.eq_ignore_ascii_case(&computer_name())
}

/// Makes three numbers of an identifier, which do not give the identifier away.
fn domain_of(machine: &str) -> Sid {
    // FNV-1a, with the place of the number as the first byte.
    let number = |place: u8| {
        let bytes = [place].into_iter().chain(*b"plat").chain(machine.bytes());
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        (hash ^ hash >> 32) as u32
    };
    Sid::new(5, &[21, number(1), number(2), number(3)])
}

/// Returns the machine's domain.
pub fn machine_domain() -> &'static Sid {
    static DOMAIN: OnceLock<Sid> = OnceLock::new();
    DOMAIN.get_or_init(|| domain_of(&accounts::machine_id()))
}

impl Unix {
    /// Returns the SID.
    pub fn sid(self) -> Sid {
        let (id, odd, kind) = match self {
            Self::User(id) => (id, 0, 1),
            Self::Group(id) => (id, 1, 2),
        };
        let rid = id.checked_mul(2).and_then(|twice| twice.checked_add(RID_BASE + odd));
        match rid {
            Some(rid) => machine_domain().with(rid),
            None => Sid::new(UNIX_AUTHORITY, &[kind, id]),
        }
    }

    /// Returns whom a SID of this machine stands for, whether or not there is one of this number.
    pub fn of(sid: &Sid) -> Option<Self> {
        match (sid.authority(), sid.parts()) {
            (UNIX_AUTHORITY, &[1, id]) => return Some(Self::User(id)),
            (UNIX_AUTHORITY, &[2, id]) => return Some(Self::Group(id)),
            _ => {}
        }
        let (domain, rid) = sid.split()?;
        let number = rid.checked_sub(RID_BASE).filter(|_| domain == *machine_domain())?;
        Some(if number % 2 == 0 { Self::User(number / 2) } else { Self::Group(number / 2) })
    }

    fn account(self) -> Option<Account> {
        let (name, usage) = match self {
            Self::User(id) => (user(id)?.name, Use::User),
            Self::Group(id) => {
                (accounts::groups().into_iter().find(|group| group.id == id)?.name, Use::Alias)
            }
        };
        Some(Account { sid: self.sid(), domain: computer_name(), name, usage })
    }
}

/// Returns the user of a number.
pub fn user(id: u32) -> Option<User> {
    accounts::users().into_iter().find(|user| user.id == id)
}

/// Returns the name of the user who runs this process: that of the data base, else what the environment says.
pub fn own_name(process: &Process) -> String {
    let variable = |name: &str| {
        let name: Vec<u16> = name.encode_utf16().collect();
        process.environment.get(process, &name).filter(|value| !value.is_empty())
    };
    let known = user(accounts::own_identity().user).map(|user| user.name);
    let told = || Some(String::from_utf16_lossy(&variable("USERNAME").or_else(|| variable("USER"))?));
    known.or_else(told).unwrap_or_else(|| accounts::own_identity().user.to_string())
}

/// Returns the name under which a SID stands, if it has one.
pub fn by_sid(sid: &Sid) -> Option<Account> {
    if let Some(row) = well_known::find(sid).filter(|row| !row.name.is_empty()) {
        let (domain, name) = (row.domain.to_owned(), row.name.to_owned());
        return Some(Account { sid: sid.clone(), domain, name, usage: row.usage() });
    }
    if sid == machine_domain() {
        let name = computer_name();
        return Some(Account {
            sid: sid.clone(),
            domain: name.clone(),
            name: String::new(),
            usage: Use::Domain,
        });
    }
    Unix::of(sid)?.account()
}

fn same(a: &str, b: &str) -> bool {
    a == b || a.to_lowercase() == b.to_lowercase()
}

/// Returns the account of a name: `name`, `DOMAIN\name`, `.\name` or `name@DOMAIN`. Users come before groups.
pub fn by_name(name: &str) -> Option<Account> {
    let (domain, name) = match (name.split_once('\\'), name.rsplit_once('@')) {
        (Some((domain, name)), _) => (Some(domain), name),
        (None, Some((name, domain))) => (Some(domain), name),
        (None, None) => (None, name),
    };
    let computer = computer_name();
    let domain = domain.map(|domain| if domain == "." { computer.as_str() } else { domain });
    let in_domain = |of: &str| domain.is_none_or(|domain| same(domain, of));
    let known = well_known::WELL_KNOWN.iter().filter(|row| !row.name.is_empty());
    let mut known = known.filter(|row| same(row.name, name) && in_domain(row.domain));
    if let Some(row) = known.next() {
        return by_sid(&row.sid());
    }
    if !in_domain(&computer) {
        return None;
    }
    if (name.is_empty() && domain.is_some()) || (domain.is_none() && same(name, &computer)) {
        return by_sid(machine_domain());
    }
    let (users, groups) = (accounts::users(), accounts::groups());
    // A name in its own spelling is preferred: Linux tells them apart.
    let user = users
        .iter()
        .find(|user| user.name == name)
        .or_else(|| users.iter().find(|user| same(&user.name, name)));
    let group = || groups.iter().find(|group| same(&group.name, name));
    let unix =
        user.map(|user| Unix::User(user.id)).or_else(|| group().map(|group: &Group| Unix::Group(group.id)));
    unix?.account()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_sids_lead_to_each_other() {
        for unix in [0, 1, 1000, 65534, 0x7fff_fe00, 0x7fff_ffff, u32::MAX]
            .into_iter()
            .flat_map(|id| [Unix::User(id), Unix::Group(id)])
        {
            assert_eq!(Unix::of(&unix.sid()), Some(unix));
        }
        let domain = machine_domain();
        assert_eq!(Unix::User(1000).sid(), domain.with(3000));
        assert_eq!(Unix::Group(1000).sid(), domain.with(3001));
        assert_eq!(Unix::of(&domain.with(500)), None);
        assert_eq!(Unix::of(&Sid::new(5, &[21, 1, 2, 3, 3000])), None);
        assert_eq!(Unix::of(&Sid::new(22, &[1, 7])), Some(Unix::User(7)));
    }

    #[test]
    fn a_machine_has_one_domain() {
        let of = |machine: &str| domain_of(machine).to_string();
        assert_eq!(of("0123456789abcdef0123456789abcdef"), of("0123456789abcdef0123456789abcdef"));
        assert_ne!(of("0123456789abcdef0123456789abcdef"), of("0123456789abcdef0123456789abcdee"));
        assert_eq!(machine_domain().account_domain().as_ref(), Some(machine_domain()));
    }

    #[test]
    fn names_are_found_both_ways() {
        let root = by_name("root").expect("every machine has it");
        assert_eq!((root.sid.clone(), root.usage), (Unix::User(0).sid(), Use::User));
        assert_eq!(by_sid(&root.sid), Some(root.clone()));
        for name in ["ROOT", ".\\root", &format!("{}\\root", computer_name().to_lowercase())] {
            assert_eq!(by_name(name), Some(root.clone()), "{name}");
        }
        let system = by_name("nt authority\\system").expect("well-known");
        assert_eq!((system.sid, system.usage), (well_known::system(), Use::WellKnownGroup));
        assert_eq!(by_name("everyone").map(|account| account.sid), Some(well_known::everyone()));
        assert_eq!(by_name("Administrators").map(|account| account.usage), Some(Use::Alias));
        assert_eq!(by_name("elsewhere\\root"), None);
        assert_eq!(by_name("no such user"), None);
        assert_eq!(by_name(&computer_name()).map(|account| account.usage), Some(Use::Domain));
        assert_eq!(by_sid(&Sid::new(5, &[21, 1, 2, 3, 4])), None);
    }
}
