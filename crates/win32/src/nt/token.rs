//! Access tokens: who runs, in which groups, and with which privileges. Key types: [`Token`], [`Membership`], [`Tokens`].
//!
//! A token says what Linux says: the effective user, the groups of the process, and for root the group of administrators,
//! high integrity and the privileges that go with it. It decides nothing: what the process may do is decided by Linux.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use plat_host::accounts::{self, Identity};

use super::account::Unix;
use super::object::{Object, ObjectKind};
use super::privilege::{ENABLED, ENABLED_BY_DEFAULT, Privilege, REMOVED};
use super::process_object::ProcessObject;
use super::thread;
use crate::NtStatus;
use crate::logic::security::access::{GENERIC_ALL, Who};
use crate::logic::security::ace::{ALLOWED, Ace};
use crate::logic::security::well_known::{administrators, everyone, system};
use crate::logic::security::{Acl, Sid};

/// `SE_GROUP_MANDATORY`, `SE_GROUP_ENABLED_BY_DEFAULT`, `SE_GROUP_ENABLED`: a group as most are.
const GROUP: u32 = 7;
/// `SE_GROUP_MANDATORY`.
const GROUP_MANDATORY: u32 = 1;
/// `SE_GROUP_ENABLED`.
pub const GROUP_ENABLED: u32 = 4;
/// `SE_GROUP_OWNER`: it may own what the user makes.
const GROUP_OWNER: u32 = 8;
/// `SE_GROUP_USE_FOR_DENY_ONLY`.
pub const GROUP_DENY_ONLY: u32 = 0x10;
/// `SE_GROUP_INTEGRITY`, `SE_GROUP_INTEGRITY_ENABLED`.
const GROUP_INTEGRITY: u32 = 0x60;
/// `SE_GROUP_LOGON_ID`.
pub const GROUP_LOGON: u32 = 0xc000_0000;

/// The privileges of an ordinary user: shutdown, traverse checking, undock, working set, time zone, symbolic links.
const USER_PRIVILEGES: [u32; 6] = [19, 23, 25, 33, 34, 35];
/// Those of an administrator.
const ROOT_PRIVILEGES: [u32; 24] =
    [5, 8, 9, 10, 11, 12, 13, 14, 15, 17, 18, 19, 20, 22, 23, 24, 25, 28, 29, 30, 33, 34, 35, 36];
/// `SeChangeNotifyPrivilege`, `SeImpersonatePrivilege`, `SeCreateGlobalPrivilege`: enabled from the start.
const ENABLED_PRIVILEGES: [u32; 3] = [23, 29, 30];
/// `SeSecurityPrivilege`.
const SECURITY_PRIVILEGE: u32 = 8;
/// `SeTakeOwnershipPrivilege`.
const TAKE_OWNERSHIP_PRIVILEGE: u32 = 9;

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A process runs with it.
    Primary,
    /// A thread acts for someone with it: `SecurityAnonymous` (0) to `SecurityDelegation` (3).
    Impersonation(u32),
}

/// A group of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The group.
    pub sid: Sid,
    /// `SE_GROUP_…` bits.
    pub attributes: u32,
}

/// What may change in a token.
#[derive(Clone, Debug)]
pub struct TokenState {
    /// Its groups, the label of integrity among them.
    pub groups: Vec<Membership>,
    /// Its privileges.
    pub privileges: Vec<Privilege>,
    /// Who owns what is made with it.
    pub owner: Sid,
    /// The group of what is made with it.
    pub primary_group: Sid,
    /// The list of access of what is made with it.
    pub default_dacl: Option<Acl>,
    /// Changes with each change.
    pub modified: u64,
}

/// A token.
#[derive(Debug)]
pub struct Token {
    /// Its number.
    pub id: u64,
    /// What it is for.
    pub kind: TokenKind,
    /// The user, and whether that SID only denies.
    pub user: Membership,
    /// The SIDs that must be allowed besides.
    pub restricted: Vec<Sid>,
    /// Whether it has an administrator's rights.
    pub is_elevated: bool,
    state: Mutex<TokenState>,
}

impl Object for Token {
    fn kind(&self) -> ObjectKind {
        ObjectKind::Token
    }
}

/// Returns a number that nothing else has (`AllocateLocallyUniqueId`).
pub fn unique_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0x1_0000);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The session of the user's logon: one for each, whatever process asks.
pub fn logon_id(user: &Sid) -> u32 {
    user.parts().last().copied().unwrap_or(0)
}

/// What `CreateRestrictedToken` takes away.
#[derive(Debug, Default)]
pub struct Restriction {
    /// All privileges but the one to pass directories.
    pub all_privileges: bool,
    /// SIDs that only deny from now on.
    pub deny_only: Vec<Sid>,
    /// Privileges.
    pub privileges: Vec<u32>,
    /// SIDs that must be allowed too.
    pub restricted: Vec<Sid>,
}

fn groups_of(identity: &Identity, user: &Sid) -> Vec<Membership> {
    let is_root = identity.user == 0;
    let mut groups = vec![Membership { sid: Unix::Group(identity.group).sid(), attributes: GROUP }];
    let mut add = |sid: Sid, attributes| {
        if !groups.iter().any(|group| group.sid == sid) {
            groups.push(Membership { sid, attributes });
        }
    };
    add(everyone(), GROUP);
    if is_root {
        add(administrators(), GROUP | GROUP_OWNER);
    }
    // Users, INTERACTIVE, Authenticated Users.
    for sid in [Sid::new(5, &[32, 545]), Sid::new(5, &[4]), Sid::new(5, &[11])] {
        add(sid, GROUP);
    }
    for &group in &identity.groups {
        add(Unix::Group(group).sid(), GROUP);
    }
    add(Sid::new(5, &[5, 0, logon_id(user)]), GROUP | GROUP_LOGON);
    add(Sid::new(2, &[0]), GROUP);
    add(Sid::new(16, &[if is_root { 12288 } else { 8192 }]), GROUP_INTEGRITY);
    groups
}

fn privileges_of(numbers: &[u32]) -> Vec<Privilege> {
    let attributes =
        |number| if ENABLED_PRIVILEGES.contains(&number) { ENABLED | ENABLED_BY_DEFAULT } else { 0 };
    numbers.iter().map(|&number| Privilege { number, attributes: attributes(number) }).collect()
}

impl Token {
    /// Makes the token of a process of this identity.
    pub fn of(identity: &Identity) -> Self {
        let user = Unix::User(identity.user).sid();
        let is_root = identity.user == 0;
        let owner = if is_root { administrators() } else { user.clone() };
        let all = |sid| Ace::new(ALLOWED, 0, GENERIC_ALL, sid);
        let state = TokenState {
            groups: groups_of(identity, &user),
            privileges: privileges_of(if is_root { &ROOT_PRIVILEGES } else { &USER_PRIVILEGES }),
            primary_group: Unix::Group(identity.group).sid(),
            default_dacl: Acl::of(&[all(owner.clone()), all(system())]).ok(),
            owner,
            modified: unique_id(),
        };
        Self {
            id: unique_id(),
            kind: TokenKind::Primary,
            user: Membership { sid: user, attributes: 0 },
            restricted: Vec::new(),
            is_elevated: is_root,
            state: Mutex::new(state),
        }
    }

    /// Makes a process's token of its parts.
    pub fn from_parts(user: Membership, restricted: Vec<Sid>, is_elevated: bool, state: TokenState) -> Self {
        let state = Mutex::new(state);
        Self { id: unique_id(), kind: TokenKind::Primary, user, restricted, is_elevated, state }
    }

    fn lock(&self) -> MutexGuard<'_, TokenState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns its level of integrity.
    pub fn integrity(&self) -> Option<Sid> {
        let state = self.state();
        let mut labels = state.groups.into_iter().filter(|group| group.attributes & GROUP_INTEGRITY != 0);
        labels.next().map(|group| group.sid)
    }

    /// Returns what may change, as it is now.
    pub fn state(&self) -> TokenState {
        self.lock().clone()
    }

    /// Changes what may change.
    pub fn change<R>(&self, change: impl FnOnce(&mut TokenState) -> R) -> R {
        let mut state = self.lock();
        state.modified = unique_id();
        change(&mut state)
    }

    /// Returns the privileges held.
    pub fn privileges(&self) -> Vec<Privilege> {
        self.lock().privileges.clone()
    }

    /// Says whether a privilege is held and enabled.
    pub fn has_privilege(&self, number: u32) -> bool {
        self.lock().privileges.iter().any(|held| held.number == number && held.attributes & ENABLED != 0)
    }

    /// Returns a copy of it for another purpose.
    ///
    /// # Errors
    /// `BAD_IMPERSONATION_LEVEL` for a level above that of an impersonation token.
    pub fn duplicate(&self, kind: TokenKind) -> Result<Arc<Self>, NtStatus> {
        let level = |kind| if let TokenKind::Impersonation(level) = kind { level } else { 2 };
        // Who may only be identified may not become a process or act.
        let is_above = match (self.kind, kind) {
            (TokenKind::Impersonation(_), _) => level(kind) > level(self.kind),
            (TokenKind::Primary, _) => level(kind) > 3,
        };
        if is_above {
            return Err(NtStatus::BAD_IMPERSONATION_LEVEL);
        }
        Ok(Arc::new(self.copy(kind, &Restriction::default())))
    }

    fn copy(&self, kind: TokenKind, less: &Restriction) -> Self {
        let denies = |member: &Membership| match less.deny_only.contains(&member.sid) {
            true => Membership { attributes: member.attributes & !GROUP | GROUP_DENY_ONLY, ..member.clone() },
            false => member.clone(),
        };
        let mut state = self.state();
        state.groups = state.groups.iter().map(denies).collect();
        const CHANGE_NOTIFY: u32 = 23;
        state.privileges.retain(|held| {
            !less.privileges.contains(&held.number) && (!less.all_privileges || held.number == CHANGE_NOTIFY)
        });
        let restricted = match self.restricted.is_empty() {
            true => less.restricted.clone(),
            // Both lists must allow.
            false if less.restricted.is_empty() => self.restricted.clone(),
            false => self.restricted.iter().filter(|sid| less.restricted.contains(sid)).cloned().collect(),
        };
        let keeps_rights = !less.deny_only.contains(&administrators());
        Self {
            id: unique_id(),
            kind,
            user: denies(&self.user),
            restricted,
            is_elevated: self.is_elevated && keeps_rights,
            state: Mutex::new(state),
        }
    }

    /// Returns a copy with less.
    pub fn restrict(&self, less: &Restriction) -> Arc<Self> {
        Arc::new(self.copy(self.kind, less))
    }

    /// Returns whom it makes to a list of access.
    pub fn who(&self) -> Who {
        let state = self.state();
        let (mut sids, mut deny_only) = (Vec::new(), Vec::new());
        for member in [&self.user].into_iter().chain(&state.groups) {
            // The user's own SID has no bit for enabled.
            let is_user = std::ptr::eq(member, &self.user);
            if member.attributes & GROUP_DENY_ONLY != 0 {
                deny_only.push(member.sid.clone());
            } else if is_user || member.attributes & GROUP_ENABLED != 0 {
                sids.push(member.sid.clone());
            }
        }
        Who {
            sids,
            deny_only,
            restricted: self.restricted.clone(),
            may_audit: self.has_privilege(SECURITY_PRIVILEGE),
            may_take_ownership: self.has_privilege(TAKE_OWNERSHIP_PRIVILEGE),
        }
    }

    /// Says whether a SID is among those that give it access.
    pub fn is_member(&self, sid: &Sid) -> bool {
        let who = self.who();
        who.sids.contains(sid) && (who.restricted.is_empty() || who.restricted.contains(sid))
    }

    /// Disables all privileges; returns those that changed, as they were.
    pub fn disable_all(&self) -> Vec<Privilege> {
        let all: Vec<Privilege> =
            self.privileges().iter().map(|held| Privilege { attributes: 0, ..*held }).collect();
        self.adjust(&all).0
    }

    /// Enables, disables or removes privileges. Returns those that changed, as they were, and whether all were held.
    pub fn adjust(&self, wanted: &[Privilege]) -> (Vec<Privilege>, bool) {
        self.change(|state| {
            let held = &mut state.privileges;
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
        })
    }

    /// Enables or disables groups. Returns those that changed, as they were, and whether all are the token's.
    ///
    /// # Errors
    /// `CANT_DISABLE_MANDATORY` for a group that must stay enabled.
    pub fn adjust_groups(&self, wanted: &[Membership]) -> Result<(Vec<Membership>, bool), NtStatus> {
        self.change(|state| {
            let mandatory =
                |member: &Membership| member.attributes & (GROUP_MANDATORY | GROUP_INTEGRITY) != 0;
            let find = |groups: &[Membership], sid: &Sid| groups.iter().position(|group| group.sid == *sid);
            let disables = |want: &&Membership| {
                let held = find(&state.groups, &want.sid).map(|index| &state.groups[index]);
                want.attributes & GROUP_ENABLED == 0 && held.is_some_and(mandatory)
            };
            if wanted.iter().any(|want| disables(&want)) {
                return Err(NtStatus::CANT_DISABLE_MANDATORY);
            }
            let (mut changed, mut all) = (Vec::new(), true);
            for want in wanted {
                let Some(index) = find(&state.groups, &want.sid) else {
                    all = false;
                    continue;
                };
                let group = &mut state.groups[index];
                if (group.attributes ^ want.attributes) & GROUP_ENABLED != 0 {
                    changed.push(group.clone());
                    group.attributes ^= GROUP_ENABLED;
                }
            }
            Ok((changed, all))
        })
    }
}

/// The token of this process, made when it is first asked for.
#[derive(Default)]
pub struct Tokens {
    own: OnceLock<Arc<Token>>,
}

impl Tokens {
    /// Returns the process's token.
    pub fn own(&self) -> Arc<Token> {
        Arc::clone(self.own.get_or_init(|| Arc::new(Token::of(&accounts::own_identity()))))
    }

    /// Returns the process's token, if anything asked for it or its parent gave it one.
    pub fn known(&self) -> Option<Arc<Token>> {
        self.own.get().cloned()
    }

    /// Takes the token that the parent gave.
    pub fn set(&self, token: Token) {
        // Nothing asks for the token before the process begins.
        let _ = self.own.set(Arc::new(token));
    }

    /// Returns the token of a process: that of another one is a description, and changes to it do not reach it.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` when it has ended.
    pub fn of_process(&self, process: &ProcessObject) -> Result<Arc<Token>, NtStatus> {
        if process.as_other().is_none() {
            return Ok(self.own());
        }
        let identity = accounts::identity_of(process.id()).ok_or(NtStatus::INVALID_PARAMETER)?;
        Ok(Arc::new(Token::of(&identity)))
    }

    /// Returns the token by which the current thread acts.
    pub fn effective(&self) -> Arc<Token> {
        thread::with_current(thread::ThreadObject::token).unwrap_or_else(|| self.own())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user() -> Token {
        Token::of(&Identity { user: 1000, group: 100, groups: vec![4, 100] })
    }

    fn root() -> Token {
        Token::of(&Identity { user: 0, group: 0, groups: vec![] })
    }

    #[test]
    fn adjusting_reports_what_changed_and_what_is_missing() {
        let token = user();
        let want = |number, attributes| Privilege { number, attributes };
        assert_eq!(token.adjust(&[want(19, ENABLED)]), (vec![want(19, 0)], true));
        assert_eq!(token.adjust(&[want(19, ENABLED), want(20, ENABLED)]), (vec![], false));
        assert_eq!(token.adjust(&[want(19, REMOVED)]), (vec![want(19, ENABLED)], true));
        assert_eq!(token.adjust(&[want(19, 0)]), (vec![], false));
        assert_eq!(token.disable_all(), vec![want(23, ENABLED | ENABLED_BY_DEFAULT)]);
    }

    #[test]
    fn a_token_says_what_linux_says() {
        let (user, root) = (user(), root());
        assert!(user.is_member(&Unix::Group(4).sid()) && user.is_member(&Unix::Group(100).sid()));
        assert!(user.is_member(&everyone()) && user.is_member(&Unix::User(1000).sid()));
        assert!(!user.is_member(&administrators()) && root.is_member(&administrators()));
        assert!(!user.is_elevated && root.is_elevated);
        assert_eq!(user.state().owner, Unix::User(1000).sid());
        assert_eq!(root.state().owner, administrators());
        let label = |token: &Token| token.state().groups.last().map(|group| group.sid.to_string());
        assert_eq!(label(&user).as_deref(), Some("S-1-16-8192"));
        assert_eq!(label(&root).as_deref(), Some("S-1-16-12288"));
        // A label is no group that gives access.
        assert!(!user.is_member(&Sid::new(16, &[8192])));
    }

    #[test]
    fn restricted_copies_have_less() {
        let root = root();
        let less = Restriction {
            all_privileges: true,
            deny_only: vec![administrators()],
            restricted: vec![everyone()],
            ..Restriction::default()
        };
        let copy = root.restrict(&less);
        assert!(!copy.is_member(&administrators()) && !copy.is_elevated);
        assert!(copy.is_member(&everyone()) && !copy.is_member(&Unix::User(0).sid()));
        assert_eq!(copy.privileges().iter().map(|held| held.number).collect::<Vec<_>>(), [23]);
        assert_eq!(copy.who().deny_only, [administrators()]);
        assert!(root.is_member(&administrators()));
    }

    #[test]
    fn a_copy_may_not_do_more() {
        let identification = user().duplicate(TokenKind::Impersonation(1)).expect("less");
        for (kind, allowed) in [
            (TokenKind::Impersonation(0), true),
            (TokenKind::Impersonation(1), true),
            (TokenKind::Impersonation(2), false),
            (TokenKind::Primary, false),
        ] {
            assert_eq!(identification.duplicate(kind).is_ok(), allowed, "{kind:?}");
        }
        assert!(user().duplicate(TokenKind::Impersonation(3)).is_ok());
        assert!(user().duplicate(TokenKind::Impersonation(4)).is_err());
    }

    #[test]
    fn mandatory_groups_stay() {
        let token = user();
        let off = |sid| Membership { sid, attributes: 0 };
        assert_eq!(token.adjust_groups(&[off(everyone())]), Err(NtStatus::CANT_DISABLE_MANDATORY));
        assert_eq!(token.adjust_groups(&[off(system())]), Ok((vec![], false)));
    }
}
