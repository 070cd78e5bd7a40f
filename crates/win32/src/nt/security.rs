//! The security descriptors of objects: files' are made of their permission bits, other objects' are told and kept. Key
//! type: [`Descriptors`].
//!
//! A file's list of access becomes the permission bits that come closest (see `logic::security::file_mode`). Other objects
//! keep what they are given for this process to see; other users' processes are kept out of them by Linux, whatever
//! their lists say.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use plat_host::accounts;
use plat_host::file_path::{self, Kind, Status};

use super::account::Unix;
use super::file::{FileKind, FileObject};
use super::object::{Object, ObjectKind, ObjectRef, downcast};
use super::path::status_of;
use super::token::Token;
use crate::NtStatus;
use crate::logic::security::ace::{ALLOWED, Ace, LABEL};
use crate::logic::security::descriptor::{
    DACL_INFORMATION, GROUP_INFORMATION, LABEL_INFORMATION, OWNER_INFORMATION, SACL_INFORMATION,
};
use crate::logic::security::file_mode::{self, Owners};
use crate::logic::security::well_known::{administrators, system};
use crate::logic::security::{Acl, SecurityDescriptor, Sid};
use crate::process::Process;

/// `SeSecurityPrivilege`.
const SECURITY_PRIVILEGE: u32 = 8;

fn owners(status: &Status) -> Owners {
    Owners { user: Unix::User(status.user).sid(), group: Unix::Group(status.group).sid() }
}

/// Describes a file by its status.
pub fn of_status(status: &Status) -> SecurityDescriptor {
    file_mode::describe(&owners(status), status.mode, status.kind == Kind::Directory)
}

/// Describes the file of a path.
///
/// # Errors
/// What the kernel answers.
pub fn of_path(path: &Path) -> Result<SecurityDescriptor, NtStatus> {
    Ok(of_status(&Status::of_path(path, true).map_err(status_of)?))
}

/// Returns the number of the user that an owner stands for; administrators and the system are root.
fn user_of(sid: Option<&Sid>) -> Result<u32, NtStatus> {
    match sid {
        Some(sid) if [administrators(), system()].contains(sid) => Ok(0),
        Some(sid) => match Unix::of(sid) {
            Some(Unix::User(id)) => Ok(id),
            _ => Err(NtStatus::INVALID_OWNER),
        },
        None => Err(NtStatus::INVALID_OWNER),
    }
}

fn group_of(sid: Option<&Sid>) -> Result<u32, NtStatus> {
    match sid.and_then(Unix::of) {
        Some(Unix::Group(id)) => Ok(id),
        _ => Err(NtStatus::INVALID_PRIMARY_GROUP),
    }
}

/// Changes owner, group and permission bits of the file of a path to what comes closest to a descriptor.
///
/// # Errors
/// `INVALID_OWNER` and `INVALID_PRIMARY_GROUP` for someone who is no user or group of Linux, or whom Linux does not allow,
/// `ACCESS_DENIED`, and what else the kernel answers.
pub fn set_on_path(path: &Path, descriptor: &SecurityDescriptor, information: u32) -> Result<(), NtStatus> {
    let status = Status::of_path(path, true).map_err(status_of)?;
    let asks = |bit| information & bit != 0;
    if asks(OWNER_INFORMATION) {
        let user = user_of(descriptor.owner.as_ref())?;
        if user != status.user {
            accounts::set_owner(path, Some(user), None).map_err(|_| NtStatus::INVALID_OWNER)?;
        }
    }
    if asks(GROUP_INFORMATION) {
        let group = group_of(descriptor.group.as_ref())?;
        if group != status.group {
            accounts::set_owner(path, None, Some(group)).map_err(|_| NtStatus::INVALID_PRIMARY_GROUP)?;
        }
    }
    if asks(DACL_INFORMATION) {
        let status = Status::of_path(path, true).map_err(status_of)?;
        let mode = status.mode & 0o7000 | file_mode::mode(descriptor, &owners(&status));
        if mode != status.mode {
            file_path::set_mode(path, mode).map_err(status_of)?;
        }
    }
    Ok(())
}

/// Returns the permission bits of a new file with a descriptor, if that has a list of access.
pub fn mode_of_new(descriptor: &SecurityDescriptor) -> Option<u32> {
    let identity = accounts::own_identity();
    let owners = Owners { user: Unix::User(identity.user).sid(), group: Unix::Group(identity.group).sid() };
    descriptor.has_dacl().then(|| file_mode::mode(descriptor, &owners))
}

/// Returns all rights that there are to a kind of object.
fn all_rights(kind: ObjectKind) -> u32 {
    match kind {
        ObjectKind::Event | ObjectKind::Semaphore | ObjectKind::Timer | ObjectKind::CompletionPort => {
            0x1f_0003
        }
        ObjectKind::Mutant => 0x1f_0001,
        ObjectKind::Section => 0xf_001f,
        ObjectKind::Key => 0xf_003f,
        ObjectKind::Token => 0xf_01ff,
        ObjectKind::Job => 0x1f_003f,
        ObjectKind::File | ObjectKind::Directory | ObjectKind::Find => 0x1f_01ff,
        _ => 0x1f_ffff,
    }
}

/// Describes an object that nobody gave a descriptor: its maker and the system have all rights.
pub fn default_of(kind: ObjectKind, token: &Token) -> SecurityDescriptor {
    let state = token.state();
    let all = |sid| Ace::new(ALLOWED, 0, all_rights(kind), sid);
    let dacl = Acl::of(&[all(state.owner.clone()), all(system())]).ok();
    let (owner, group) = (Some(state.owner), Some(state.primary_group));
    let whole = SecurityDescriptor { owner, group, ..SecurityDescriptor::default() }.with_dacl(dacl);
    match label_of(kind, token) {
        Some(label) => whole.with_sacl(Acl::of(&[label]).ok()),
        None => whole,
    }
}

/// The entry that says which level of integrity an object has: processes, threads and tokens have their creator's.
///
/// Source: <https://learn.microsoft.com/windows/win32/secauthz/mandatory-integrity-control>
fn label_of(kind: ObjectKind, token: &Token) -> Option<Ace> {
    /// `SYSTEM_MANDATORY_LABEL_NO_WRITE_UP` and `…_NO_READ_UP`.
    const NO_WRITE_UP: u32 = 1;
    const NO_READ_UP: u32 = 2;
    let policy = match kind {
        ObjectKind::Process | ObjectKind::Thread => NO_WRITE_UP | NO_READ_UP,
        ObjectKind::Token => NO_WRITE_UP,
        _ => return None,
    };
    Some(Ace::new(LABEL, 0, policy, token.integrity()?))
}

/// An object that may be gone, and what it was given.
type Kept = (Weak<dyn Object>, SecurityDescriptor);

/// What objects were given, by the object's place as long as it lives.
#[derive(Default)]
pub struct Descriptors {
    kept: Mutex<HashMap<usize, Kept>>,
}

fn place(object: &ObjectRef) -> usize {
    Arc::as_ptr(object).cast::<()>() as usize
}

impl Descriptors {
    fn get(&self, object: &ObjectRef) -> Option<SecurityDescriptor> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (owner, descriptor) = kept.get(&place(object))?;
        // The place may be another's by now.
        owner.upgrade().filter(|owner| Arc::ptr_eq(owner, object)).map(|_| descriptor.clone())
    }

    fn set(&self, object: &ObjectRef, descriptor: SecurityDescriptor) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, (owner, _)| owner.strong_count() > 0);
        kept.insert(place(object), (Arc::downgrade(object), descriptor));
    }
}

impl Process {
    /// Checks that parts of a descriptor may be asked for: audits need their privilege.
    ///
    /// # Errors
    /// `PRIVILEGE_NOT_HELD`.
    pub fn check_information(&self, information: u32) -> Result<(), NtStatus> {
        let audits = information & (SACL_INFORMATION & !LABEL_INFORMATION) != 0;
        if audits && !self.tokens.effective().has_privilege(SECURITY_PRIVILEGE) {
            return Err(NtStatus::PRIVILEGE_NOT_HELD);
        }
        Ok(())
    }

    /// Returns the parts of an object's descriptor that are asked for.
    ///
    /// # Errors
    /// `PRIVILEGE_NOT_HELD`, and what the kernel answers.
    pub fn object_security(
        &self,
        object: &ObjectRef,
        information: u32,
    ) -> Result<SecurityDescriptor, NtStatus> {
        self.check_information(information)?;
        let whole = match file_of(object) {
            Some(file) => of_status(&file.file.identity().map_err(status_of)?),
            None => {
                let kept = self.descriptors.get(object);
                kept.unwrap_or_else(|| default_of(object.kind(), &self.tokens.effective()))
            }
        };
        Ok(whole.only(information))
    }

    /// Sets parts of an object's descriptor.
    ///
    /// # Errors
    /// Those of [`set_on_path`], `PRIVILEGE_NOT_HELD`.
    pub fn set_object_security(
        &self,
        object: &ObjectRef,
        descriptor: &SecurityDescriptor,
        information: u32,
    ) -> Result<(), NtStatus> {
        self.check_information(information)?;
        if let Some(file) = file_of(object) {
            let path = file.unix_path().ok_or(NtStatus::NOT_SUPPORTED)?;
            return set_on_path(&path, descriptor, information);
        }
        let mut whole = self
            .descriptors
            .get(object)
            .unwrap_or_else(|| default_of(object.kind(), &self.tokens.effective()));
        whole.update(descriptor, information);
        self.descriptors.set(object, whole);
        Ok(())
    }
}

/// Returns the file on a disk that an object is.
fn file_of(object: &ObjectRef) -> Option<Arc<FileObject>> {
    let file = downcast::<FileObject>(Arc::clone(object))?;
    matches!(file.kind, FileKind::Disk | FileKind::Directory).then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::security::sddl;
    use crate::nt::account::machine_domain;

    #[test]
    fn permission_bits_follow_a_list_of_access() {
        let path = std::env::temp_dir().join(format!("plat-security-{}", std::process::id()));
        std::fs::write(&path, "x").expect("written");
        for (text, mode) in [("D:P(A;;FA;;;OW)", 0o700), ("D:(A;;FR;;;WD)(A;;FA;;;OW)", 0o744)] {
            let descriptor = sddl::parse(text, machine_domain()).expect(text);
            assert_eq!(set_on_path(&path, &descriptor, DACL_INFORMATION), Ok(()));
            let status = Status::of_path(&path, true).expect("there");
            assert_eq!(status.mode, mode, "{text}");
            let described = of_path(&path).expect("there");
            assert_eq!(described.owner, Some(Unix::User(status.user).sid()));
            assert_eq!(set_on_path(&path, &described, 7), Ok(()), "what is there already can be set");
            assert_eq!(Status::of_path(&path, true).expect("there").mode, mode);
        }
        let nobody = SecurityDescriptor { owner: Some(Sid::new(5, &[32, 545])), ..Default::default() };
        assert_eq!(set_on_path(&path, &nobody, OWNER_INFORMATION), Err(NtStatus::INVALID_OWNER));
        std::fs::remove_file(&path).expect("removed");
    }

    #[test]
    fn objects_keep_what_they_are_given_as_long_as_they_live() {
        let descriptors = Descriptors::default();
        let object: ObjectRef = crate::nt::event::Event::new(true, false);
        assert_eq!(descriptors.get(&object), None);
        let null = SecurityDescriptor::default().with_dacl(None);
        descriptors.set(&object, null.clone());
        assert_eq!(descriptors.get(&object), Some(null));
        drop(object);
        let other: ObjectRef = crate::nt::event::Event::new(true, false);
        assert_eq!(descriptors.get(&other), None);
    }
}
