//! Share modes: who has which file open for what, and whom they let in. Key type: [`ShareTable`].
//!
//! Source: <https://learn.microsoft.com/windows/win32/fileio/creating-and-opening-files>; the rule is that of
//! `IoCheckShareAccess`: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iocheckshareaccess>.
//! It holds among the handles of this process; other processes are not asked.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Mutex;

use super::file::access;
use super::path::lock;
use crate::NtStatus;

/// `FILE_SHARE_READ`.
pub const SHARE_READ: u32 = 1;
/// `FILE_SHARE_WRITE`.
pub const SHARE_WRITE: u32 = 2;
/// `FILE_SHARE_DELETE`.
pub const SHARE_DELETE: u32 = 4;

/// Device and inode.
pub type FileId = (u64, u64);

/// What one opening wants and lets others do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Rights as in an access mask.
    pub access: u32,
    /// `FILE_SHARE_…`.
    pub share: u32,
}

#[derive(Default)]
struct Openings {
    claims: Vec<Claim>,
    /// The name that goes away with the last opening.
    delete: Option<PathBuf>,
}

/// All files that the process has open.
#[derive(Default)]
pub struct ShareTable {
    files: Mutex<HashMap<FileId, Openings>>,
}

const READ: u32 = access::READ_DATA | access::EXECUTE;
const WRITE: u32 = access::WRITE_DATA | access::APPEND_DATA;

/// Whether `claim` wants something that `other` does not share. Openings for attributes only never conflict.
fn conflicts(claim: Claim, other: Claim) -> bool {
    let classes = [(READ, SHARE_READ), (WRITE, SHARE_WRITE), (access::DELETE, SHARE_DELETE)];
    let counts = |claim: Claim| classes.iter().any(|(rights, _)| claim.access & rights != 0);
    counts(other)
        && counts(claim)
        && classes.iter().any(|&(rights, share)| {
            (claim.access & rights != 0 && other.share & share == 0)
                || (other.access & rights != 0 && claim.share & share == 0)
        })
}

impl ShareTable {
    /// Adds an opening.
    ///
    /// # Errors
    /// `SHARING_VIOLATION`; `DELETE_PENDING` when the file is about to go.
    pub fn open(&self, file: FileId, claim: Claim) -> Result<(), NtStatus> {
        let mut files = lock(&self.files);
        let openings = files.entry(file).or_default();
        if openings.delete.is_some() {
            return Err(NtStatus::DELETE_PENDING);
        }
        if openings.claims.iter().any(|&other| conflicts(claim, other)) {
            return Err(NtStatus::SHARING_VIOLATION);
        }
        openings.claims.push(claim);
        Ok(())
    }

    /// Adds an opening that another process made and let in already.
    pub fn add(&self, file: FileId, claim: Claim) {
        lock(&self.files).entry(file).or_default().claims.push(claim);
    }

    /// Asks whether an opening would be let in, without adding it.
    ///
    /// # Errors
    /// As for [`ShareTable::open`].
    pub fn check(&self, file: FileId, claim: Claim) -> Result<(), NtStatus> {
        let files = lock(&self.files);
        let Some(openings) = files.get(&file) else { return Ok(()) };
        if openings.delete.is_some() {
            return Err(NtStatus::DELETE_PENDING);
        }
        let refused = openings.claims.iter().any(|&other| conflicts(claim, other));
        if refused { Err(NtStatus::SHARING_VIOLATION) } else { Ok(()) }
    }

    /// Takes an opening away; returns the path to delete when it was the last of a file that is to go.
    pub fn close(&self, file: FileId, claim: Claim) -> Option<PathBuf> {
        let mut files = lock(&self.files);
        let openings = files.get_mut(&file)?;
        if let Some(at) = openings.claims.iter().position(|&other| other == claim) {
            openings.claims.swap_remove(at);
        }
        if !openings.claims.is_empty() {
            return None;
        }
        files.remove(&file)?.delete
    }

    /// Marks an open file for deletion at its last close, or takes the mark away (`None`).
    pub fn set_delete(&self, file: FileId, path: Option<PathBuf>) {
        if let Some(openings) = lock(&self.files).get_mut(&file) {
            openings.delete = path;
        }
    }

    /// Says whether a file is marked for deletion.
    pub fn is_delete_pending(&self, file: FileId) -> bool {
        lock(&self.files).get(&file).is_some_and(|openings| openings.delete.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openings_conflict_as_documented() {
        let (r, w, d) = (access::READ_DATA, access::WRITE_DATA, access::DELETE);
        let cases = [
            ((r, SHARE_READ), (r, SHARE_READ), true),
            ((r, SHARE_READ), (w, SHARE_READ), false),
            ((r, SHARE_READ | SHARE_WRITE), (w, SHARE_READ), true),
            ((r, SHARE_READ | SHARE_WRITE), (w, 0), false),
            ((w, SHARE_READ), (r, SHARE_READ), false),
            ((w, SHARE_READ), (r, SHARE_READ | SHARE_WRITE), true),
            ((r, 0), (access::READ_ATTRIBUTES, 0), true),
            ((access::READ_ATTRIBUTES, 0), (w, 0), true),
            ((r, SHARE_READ), (d, 7), false),
            ((r, SHARE_READ | SHARE_DELETE), (d, 7), true),
        ];
        for (first, second, expected) in cases {
            let table = ShareTable::default();
            table.open((1, 1), Claim { access: first.0, share: first.1 }).expect("nobody else has it");
            let result = table.open((1, 1), Claim { access: second.0, share: second.1 });
            assert_eq!(result.is_ok(), expected, "{first:?} then {second:?}");
        }
    }

    #[test]
    fn last_close_returns_the_name_to_delete() {
        let table = ShareTable::default();
        let claim = Claim { access: access::DELETE, share: 7 };
        table.open((1, 1), claim).expect("free");
        table.open((1, 1), claim).expect("shared");
        table.set_delete((1, 1), Some("/x".into()));
        assert_eq!(table.open((1, 1), claim), Err(NtStatus::DELETE_PENDING));
        assert_eq!(table.close((1, 1), claim), None);
        assert_eq!(table.close((1, 1), claim), Some("/x".into()));
    }
}
