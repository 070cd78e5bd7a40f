//! What `NtQueryInformationToken` answers, class by class. Key items: [`query`], [`Answer`].
//!
//! Source: <https://learn.microsoft.com/windows/win32/api/winnt/ne-winnt-token_information_class>

use plat_abi::Machine;

use super::token::{GROUP_LOGON, Membership, Token, TokenKind, logon_id, unique_id};
use crate::NtStatus;
use crate::logic::security::Sid;

/// The session in which everything runs.
const SESSION: u32 = 1;
/// `TokenElevationTypeDefault`: there is no other token to change to.
const ELEVATION_DEFAULT: u32 = 1;
/// `TOKEN_MANDATORY_POLICY_NO_WRITE_UP`.
const NO_WRITE_UP: u32 = 1;

/// Bytes laid out for a place in guest memory, with SIDs behind the fixed part that pointers lead to.
pub struct Answer {
    machine: Machine,
    base: u64,
    bytes: Vec<u8>,
    /// Where a pointer stands, and what it leads to.
    tails: Vec<(usize, Vec<u8>)>,
}

impl Answer {
    /// Begins at an address.
    pub fn new(machine: Machine, base: u64) -> Self {
        Self { machine, base, bytes: Vec::new(), tails: Vec::new() }
    }

    /// Adds a number.
    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes.extend(value.to_le_bytes());
        self
    }

    /// Adds two numbers, as a LUID is.
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes.extend(value.to_le_bytes());
        self
    }

    /// Adds a pointer-sized number at its natural place.
    pub fn word(&mut self, value: u64) -> &mut Self {
        self.align();
        let size = self.machine.pointer_size() as usize;
        self.bytes.extend(&value.to_le_bytes()[..size]);
        self
    }

    /// Fills up to a pointer's natural place.
    pub fn align(&mut self) -> &mut Self {
        let size = self.machine.pointer_size() as usize;
        self.bytes.resize(self.bytes.len().next_multiple_of(size), 0);
        self
    }

    /// Adds a pointer to bytes that come behind.
    pub fn pointer(&mut self, target: Vec<u8>) -> &mut Self {
        self.align();
        self.tails.push((self.bytes.len(), target));
        self.word(0)
    }

    /// Adds a pointer to a SID and its attributes.
    fn member(&mut self, member: &Membership) -> &mut Self {
        self.pointer(member.sid.to_bytes()).u32(member.attributes).align()
    }

    /// Adds a count and so many SIDs.
    pub fn members(&mut self, members: &[Membership]) -> &mut Self {
        self.u32(members.len() as u32).align();
        members.iter().for_each(|member| {
            self.member(member);
        });
        self
    }

    /// Returns the bytes, pointers filled in.
    pub fn finish(mut self) -> Vec<u8> {
        let size = self.machine.pointer_size() as usize;
        for (at, target) in self.tails {
            self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
            let address = self.base + self.bytes.len() as u64;
            self.bytes[at..at + size].copy_from_slice(&address.to_le_bytes()[..size]);
            self.bytes.extend(target);
        }
        self.bytes
    }
}

fn restricted(token: &Token) -> Vec<Membership> {
    token.restricted.iter().map(|sid| Membership { sid: sid.clone(), attributes: 7 }).collect()
}

/// Adds privileges: their numbers and attributes.
fn add_privileges(answer: &mut Answer, token: &Token) {
    for held in token.privileges() {
        answer.u64(held.number.into()).u32(held.attributes);
    }
}

/// Lays out `TOKEN_STATISTICS`.
fn statistics(answer: &mut Answer, token: &Token) {
    let state = token.state();
    let (kind, level) = match token.kind {
        TokenKind::Primary => (1, 0),
        TokenKind::Impersonation(level) => (2, level),
    };
    // Numbers, no expiry, type and level, memory charged and available, counts, number of the last change.
    answer.u64(token.id).u64(logon_id(&token.user.sid).into()).u64(i64::MAX as u64);
    answer.u32(kind).u32(level).u32(4096).u32(4096);
    answer.u32(state.groups.len() as u32).u32(state.privileges.len() as u32).u64(state.modified);
}

/// Lays out `TOKEN_GROUPS_AND_PRIVILEGES`: the lists lie behind and are pointed at.
fn groups_and_privileges(answer: &mut Answer, token: &Token) {
    let state = token.state();
    let header = if answer.machine.is_64() { 56 } else { 44 };
    let step = 2 * answer.machine.pointer_size();
    let limits = restricted(token);
    let groups: Vec<Membership> = [&token.user].into_iter().chain(&state.groups).cloned().collect();
    let sizes = |members: &[Membership]| -> u32 {
        members.iter().map(|member| member.sid.size() as u32 + step as u32).sum()
    };
    let groups_at = answer.base + header;
    let limits_at = groups_at + step * groups.len() as u64;
    let privileges_at = limits_at + step * limits.len() as u64;
    let place = |at: u64, count: usize| if count == 0 { 0 } else { at };
    answer.u32(groups.len() as u32).u32(sizes(&groups)).word(place(groups_at, groups.len()));
    answer.u32(limits.len() as u32).u32(sizes(&limits)).word(place(limits_at, limits.len()));
    let count = state.privileges.len();
    answer.u32(count as u32).u32(12 * count as u32).word(place(privileges_at, count));
    answer.u64(logon_id(&token.user.sid).into()).align();
    // The header ends with what was laid so far.
    answer.bytes.resize(header as usize, 0);
    for member in groups.iter().chain(&limits) {
        answer.member(member);
    }
    add_privileges(answer, token);
}

fn label(token: &Token) -> Option<Membership> {
    token.state().groups.into_iter().find(|group| group.sid.authority() == 16)
}

/// Answers a class that is one number.
fn number(token: &Token, class: u32) -> Option<u32> {
    Some(match class {
        8 => match token.kind {
            TokenKind::Primary => 1,
            TokenKind::Impersonation(_) => 2,
        },
        12 => SESSION,
        // Sandbox inert, virtualization allowed and enabled, UI access, app container, its number, its restrictions.
        15 | 23 | 24 | 26 | 29 | 32 | 42 => 0,
        18 => ELEVATION_DEFAULT,
        20 => token.is_elevated.into(),
        21 | 40 => u32::from(!token.restricted.is_empty()),
        27 => NO_WRITE_UP,
        _ => return None,
    })
}

/// Answers a class for a place in guest memory.
///
/// # Errors
/// `INVALID_INFO_CLASS` for a class that there is not, or that may only be set; `INVALID_PARAMETER` for the level of a
/// primary token; `NO_SUCH_LOGON_SESSION` for the linked token that there is not.
pub fn query(token: &Token, class: u32, machine: Machine, base: u64) -> Result<Vec<u8>, NtStatus> {
    let mut answer = Answer::new(machine, base);
    let state = token.state();
    let level = match token.kind {
        TokenKind::Primary => None,
        TokenKind::Impersonation(level) => Some(level),
    };
    match class {
        1 => {
            answer.member(&token.user);
        }
        2 => {
            answer.members(&state.groups);
        }
        3 => {
            answer.u32(state.privileges.len() as u32);
            add_privileges(&mut answer, token);
        }
        4 => {
            answer.pointer(state.owner.to_bytes());
        }
        5 => {
            answer.pointer(state.primary_group.to_bytes());
        }
        6 => {
            match &state.default_dacl {
                Some(list) => answer.pointer(list.bytes().to_vec()),
                None => answer.word(0),
            };
        }
        7 => {
            answer.bytes.extend(b"User32 \0");
            answer.u64(logon_id(&token.user.sid).into());
        }
        9 => {
            answer.u32(level.ok_or(NtStatus::INVALID_PARAMETER)?);
        }
        10 => statistics(&mut answer, token),
        11 => {
            answer.members(&restricted(token));
        }
        13 => groups_and_privileges(&mut answer, token),
        17 => {
            answer.u64(0);
        }
        19 => return Err(NtStatus::NO_SUCH_LOGON_SESSION),
        25 => {
            answer.member(&label(token).ok_or(NtStatus::INVALID_PARAMETER)?);
        }
        28 => {
            let is_logon = |group: &&Membership| group.attributes & GROUP_LOGON == GROUP_LOGON;
            let logon = state.groups.iter().find(is_logon).ok_or(NtStatus::NOT_FOUND)?;
            answer.members(std::slice::from_ref(logon));
        }
        30 => {
            answer.members(&[]);
        }
        31 => {
            answer.word(0);
        }
        _ => {
            answer.u32(number(token, class).ok_or(NtStatus::INVALID_INFO_CLASS)?);
        }
    }
    Ok(answer.finish())
}

/// What `NtSetInformationToken` may set.
#[derive(Debug)]
pub enum Setting {
    /// The owner of what is made.
    Owner(Sid),
    /// The group of what is made.
    PrimaryGroup(Sid),
    /// The list of access of what is made.
    DefaultDacl(Option<crate::logic::security::Acl>),
    /// The level of integrity.
    Integrity(Sid),
}

/// Sets something of a token.
///
/// # Errors
/// `INVALID_OWNER` and `INVALID_PRIMARY_GROUP` for someone the token does not have; `INVALID_PARAMETER` for what is no label,
/// `PRIVILEGE_NOT_HELD` for one above the token's.
pub fn set(token: &Token, setting: Setting) -> Result<(), NtStatus> {
    const OWNER: u32 = 8;
    token.change(|state| {
        let has = |sid: &Sid, bits: u32| {
            state.groups.iter().any(|group| group.sid == *sid && group.attributes & bits == bits)
        };
        match setting {
            Setting::Owner(sid) if sid == token.user.sid || has(&sid, OWNER) => state.owner = sid,
            Setting::Owner(_) => return Err(NtStatus::INVALID_OWNER),
            Setting::PrimaryGroup(sid) if sid == token.user.sid || has(&sid, 0) => state.primary_group = sid,
            Setting::PrimaryGroup(_) => return Err(NtStatus::INVALID_PRIMARY_GROUP),
            Setting::DefaultDacl(list) => state.default_dacl = list,
            Setting::Integrity(sid) => {
                let own = state.groups.iter_mut().find(|group| group.sid.authority() == 16);
                let own = own.ok_or(NtStatus::INVALID_PARAMETER)?;
                match (sid.authority(), sid.parts(), own.sid.parts()) {
                    (16, [new], [old]) if new <= old => own.sid = sid,
                    (16, [_], _) => return Err(NtStatus::PRIVILEGE_NOT_HELD),
                    _ => return Err(NtStatus::INVALID_PARAMETER),
                }
            }
        }
        state.modified = unique_id();
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use plat_host::accounts::Identity;

    use super::*;
    use crate::logic::security::well_known::{administrators, everyone};

    fn token() -> Token {
        Token::of(&Identity { user: 1000, group: 100, groups: vec![] })
    }

    fn ask(class: u32, machine: Machine) -> Vec<u8> {
        query(&token(), class, machine, 0x1000).expect("a class")
    }

    #[test]
    fn pointers_lead_behind_the_fixed_part() {
        let sid = token().user.sid.to_bytes();
        let wide = ask(1, Machine::Amd64);
        assert_eq!(wide[..16], [0x10, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(wide[16..], sid);
        let narrow = ask(1, Machine::I386);
        assert_eq!(narrow[..8], [8, 0x10, 0, 0, 0, 0, 0, 0]);
        assert_eq!(narrow[8..], sid);
    }

    #[test]
    fn sizes_are_windows_own() {
        for (class, narrow, wide) in
            [(7, 16, 16), (8, 4, 4), (10, 56, 56), (12, 4, 4), (17, 8, 8), (20, 4, 4), (27, 4, 4), (30, 4, 8)]
        {
            assert_eq!(
                (ask(class, Machine::I386).len(), ask(class, Machine::Amd64).len()),
                (narrow, wide),
                "{class}"
            );
        }
        let header = |machine| {
            let bytes = ask(13, machine);
            let first = bytes[8..12].try_into().map(u32::from_le_bytes).expect("four bytes");
            first - 0x1000
        };
        assert_eq!((header(Machine::I386), header(Machine::Amd64)), (44, 56));
    }

    #[test]
    fn what_there_is_not_is_refused() {
        for (class, status) in [
            (0, NtStatus::INVALID_INFO_CLASS),
            (9, NtStatus::INVALID_PARAMETER),
            (19, NtStatus::NO_SUCH_LOGON_SESSION),
            (999, NtStatus::INVALID_INFO_CLASS),
        ] {
            assert_eq!(query(&token(), class, Machine::Amd64, 0), Err(status), "{class}");
        }
    }

    #[test]
    fn what_the_token_has_may_be_set() {
        let token = token();
        assert_eq!(set(&token, Setting::Owner(administrators())), Err(NtStatus::INVALID_OWNER));
        assert_eq!(set(&token, Setting::PrimaryGroup(everyone())), Ok(()));
        assert_eq!(
            set(&token, Setting::Integrity(Sid::new(16, &[16384]))),
            Err(NtStatus::PRIVILEGE_NOT_HELD)
        );
        assert_eq!(set(&token, Setting::Integrity(Sid::new(16, &[4096]))), Ok(()));
        assert_eq!(label(&token).map(|label| label.sid.to_string()).as_deref(), Some("S-1-16-4096"));
    }
}
