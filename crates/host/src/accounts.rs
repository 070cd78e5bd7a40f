//! Users and groups: who runs, what the user data base says, what names the machine. Key types: [`User`], [`Group`],
//! [`Identity`].
//!
//! The data base is the files `/etc/passwd` and `/etc/group`: a static C library cannot load the modules by which others
//! (LDAP and its like) are asked. Who is not in them has a number and no name.

use std::path::Path;

use rustix::fs::{AtFlags, CWD};
use rustix::process::{Gid, Uid};

use crate::file_path::Errno;

/// A user.
///
/// Source: passwd(5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// The number.
    pub id: u32,
    /// The number of the first group.
    pub group: u32,
    /// The whole name, the first of the fields that commas separate.
    pub full_name: String,
    /// The home directory.
    pub home: String,
}

/// A group.
///
/// Source: group(5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The name.
    pub name: String,
    /// The number.
    pub id: u32,
    /// The names of its members; a user's first group does not name him.
    pub members: Vec<String>,
}

/// Who a process is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The effective user.
    pub user: u32,
    /// The effective group.
    pub group: u32,
    /// All groups besides.
    pub groups: Vec<u32>,
}

fn lines(path: &str) -> Vec<String> {
    let bytes = std::fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
}

fn parse_user(line: &str) -> Option<User> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, id, group, comment, home, ..] = fields[..] else { return None };
    Some(User {
        name: name.to_owned(),
        id: id.parse().ok()?,
        group: group.parse().ok()?,
        full_name: comment.split(',').next().unwrap_or_default().to_owned(),
        home: home.to_owned(),
    })
}

fn parse_group(line: &str) -> Option<Group> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, id, members, ..] = fields[..] else { return None };
    let members = members.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    Some(Group { name: name.to_owned(), id: id.parse().ok()?, members })
}

/// Returns all users of the machine.
pub fn users() -> Vec<User> {
    lines("/etc/passwd").iter().filter_map(|line| parse_user(line)).collect()
}

/// Returns all groups of the machine.
pub fn groups() -> Vec<Group> {
    lines("/etc/group").iter().filter_map(|line| parse_group(line)).collect()
}

/// Returns who this process is.
pub fn own_identity() -> Identity {
    let groups = rustix::process::getgroups().unwrap_or_default();
    Identity {
        user: rustix::process::geteuid().as_raw(),
        group: rustix::process::getegid().as_raw(),
        groups: groups.into_iter().map(Gid::as_raw).collect(),
    }
}

/// Returns who another process is, or `None` when there is none of this number.
///
/// Source: proc(5), `/proc/pid/status`.
pub fn identity_of(process: u32) -> Option<Identity> {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    parse_identity(&text)
}

fn parse_identity(text: &str) -> Option<Identity> {
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    // Real, effective, saved, of the file system.
    let effective = |name| field(name)?.split_whitespace().nth(1)?.parse().ok();
    let groups = field("Groups:").unwrap_or_default().split_whitespace();
    Some(Identity {
        user: effective("Uid:")?,
        group: effective("Gid:")?,
        groups: groups.filter_map(|number| number.parse().ok()).collect(),
    })
}

/// Returns what names this installation and no other: the machine's identifier, else its name.
///
/// Source: machine-id(5).
pub fn machine_id() -> String {
    let read = |path| std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
    let ids = ["/etc/machine-id", "/var/lib/dbus/machine-id"].into_iter().filter_map(read);
    ids.into_iter().find(|id| !id.is_empty()).unwrap_or_else(crate::sysinfo::host_name)
}

/// Changes owner and group of a path; `None` leaves one as it is. A symbolic link is followed.
///
/// # Errors
/// The kernel's errno: EPERM without the right to.
pub fn set_owner(path: &Path, user: Option<u32>, group: Option<u32>) -> Result<(), Errno> {
    // The highest number means "leave it" to the kernel.
    let valid = |id: &u32| *id != u32::MAX;
    let user = user.filter(valid).map(Uid::from_raw);
    let group = group.filter(valid).map(Gid::from_raw);
    Ok(rustix::fs::chownat(CWD, path, user, group, AtFlags::empty())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_data_base_are_read() {
        let user = parse_user("ada:x:1000:100:Ada Lovelace,,,:/home/ada:/bin/sh").expect("a user");
        assert_eq!((user.name.as_str(), user.id, user.group), ("ada", 1000, 100));
        assert_eq!((user.full_name.as_str(), user.home.as_str()), ("Ada Lovelace", "/home/ada"));
        assert_eq!(parse_user("+::::::"), None);
        assert_eq!(parse_user("# remark"), None);
        let group = parse_group("wheel:x:10:ada,bob").expect("a group");
        assert_eq!((group.id, group.members.len()), (10, 2));
        assert_eq!(parse_group("users:x:100:").map(|group| group.members), Some(vec![]));
        assert_eq!(parse_group("users"), None);
    }

    #[test]
    fn a_process_tells_who_it_is() {
        let text = "Name:\tx\nUid:\t1000\t1001\t1000\t1000\nGid:\t100\t101\t100\t100\nGroups:\t4 24 \n";
        let expected = Identity { user: 1001, group: 101, groups: vec![4, 24] };
        assert_eq!(parse_identity(text), Some(expected));
        let own = own_identity();
        let seen = identity_of(std::process::id()).expect("this process");
        assert_eq!((own.user, own.group), (seen.user, seen.group));
        assert_eq!(identity_of(u32::MAX), None);
        assert!(!machine_id().is_empty());
    }
}
