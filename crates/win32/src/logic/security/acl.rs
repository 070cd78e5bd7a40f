//! Access control lists as the bytes that Windows keeps them in. Key type: [`Acl`].
//!
//! Source: MS-DTYP 2.4.5 "ACL".

use super::ace::{self, Ace};
use crate::NtStatus;

/// Bytes of a list's header: revision, size, count.
pub const HEADER: usize = 8;
/// `ACL_REVISION`.
pub const REVISION: u8 = 2;
/// `ACL_REVISION_DS`.
pub const REVISION_DS: u8 = 4;

/// A list with its room: entries, and perhaps free bytes behind them. It is valid at all times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acl {
    bytes: Vec<u8>,
}

impl Acl {
    /// Makes an empty list with room of `size` bytes, header included.
    ///
    /// # Errors
    /// `BUFFER_TOO_SMALL` below the header's size, `INVALID_PARAMETER` for more than 65532 bytes or a revision that
    /// does not exist.
    pub fn empty(size: usize, revision: u8) -> Result<Self, NtStatus> {
        if size < HEADER {
            return Err(NtStatus::BUFFER_TOO_SMALL);
        }
        if size > 0xffff || !(REVISION..=REVISION_DS).contains(&revision) {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let mut bytes = vec![0; size & !3];
        bytes[0] = revision;
        let size = (bytes.len() as u16).to_le_bytes();
        bytes[2..4].copy_from_slice(&size);
        Ok(Self { bytes })
    }

    /// Makes a list of entries, as large as they need.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` when they do not fit into 65535 bytes.
    pub fn of(aces: &[Ace]) -> Result<Self, NtStatus> {
        let entries: Vec<u8> = aces.iter().flat_map(Ace::to_bytes).collect();
        let revision = aces.iter().map(|ace| ace::revision_of(ace.kind)).max().unwrap_or(REVISION);
        let mut list = Self::empty(HEADER + entries.len(), revision)?;
        list.bytes[HEADER..].copy_from_slice(&entries);
        list.set_count(aces.len());
        Ok(list)
    }

    /// Reads the list that bytes begin with; nothing if it is not valid.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let size = usize::from(u16::from_le_bytes([*bytes.get(2)?, *bytes.get(3)?]));
        let list = Self { bytes: bytes.get(..size)?.to_vec() };
        if size < HEADER || !(REVISION..=REVISION_DS).contains(&list.bytes[0]) {
            return None;
        }
        let aces = list.aces();
        (aces.len() == list.count()).then_some(list)
    }

    /// Returns the size that the header states, in bytes.
    pub fn size_in(header: [u8; HEADER]) -> usize {
        usize::from(u16::from_le_bytes([header[2], header[3]]))
    }

    /// Returns its bytes, free ones included.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the revision.
    pub fn revision(&self) -> u8 {
        self.bytes[0]
    }

    /// Returns the count of entries.
    pub fn count(&self) -> usize {
        usize::from(u16::from_le_bytes([self.bytes[4], self.bytes[5]]))
    }

    fn set_count(&mut self, count: usize) {
        self.bytes[4..6].copy_from_slice(&(count as u16).to_le_bytes());
    }

    /// Returns the place of each entry and, as the last, that of the first free byte.
    fn places(&self) -> Vec<usize> {
        let mut places = vec![HEADER];
        let mut at = HEADER;
        for _ in 0..self.count() {
            let Some((_, size)) = self.bytes.get(at..).and_then(Ace::parse) else { break };
            at += size;
            places.push(at);
        }
        places
    }

    /// Returns the entries.
    pub fn aces(&self) -> Vec<Ace> {
        let mut at = HEADER;
        let next = || {
            let (ace, size) = Ace::parse(self.bytes.get(at..)?)?;
            at += size;
            Some(ace)
        };
        std::iter::from_fn(next).take(self.count()).collect()
    }

    /// Returns where an entry begins.
    pub fn place(&self, index: usize) -> Option<usize> {
        if index < self.count() { self.places().get(index).copied() } else { None }
    }

    /// Returns the bytes in use, header included.
    pub fn used(&self) -> usize {
        self.places().last().copied().unwrap_or(HEADER)
    }

    /// Puts entries that lie in a row before the entry at `index`, or at the end; the list's revision becomes at least
    /// `revision`.
    ///
    /// # Errors
    /// `ALLOTTED_SPACE_EXCEEDED` without room, `INVALID_PARAMETER` for bytes that are no entries.
    pub fn insert(&mut self, index: usize, entries: &[u8], revision: u8) -> Result<(), NtStatus> {
        let mut count = 0;
        let mut rest = entries;
        while !rest.is_empty() {
            let (_, size) = Ace::parse(rest).ok_or(NtStatus::INVALID_PARAMETER)?;
            rest = &rest[size..];
            count += 1;
        }
        let (used, before) = (self.used(), self.count());
        if used + entries.len() > self.bytes.len() {
            return Err(NtStatus::ALLOTTED_SPACE_EXCEEDED);
        }
        let at = self.place(index).unwrap_or(used);
        self.bytes.copy_within(at..used, at + entries.len());
        self.bytes[at..at + entries.len()].copy_from_slice(entries);
        self.bytes[0] = self.bytes[0].max(revision);
        self.set_count(before + count);
        Ok(())
    }

    /// Takes an entry out.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` when there is none at `index`.
    pub fn delete(&mut self, index: usize) -> Result<(), NtStatus> {
        let places = self.places();
        let (Some(&start), Some(&end)) = (places.get(index), places.get(index + 1)) else {
            return Err(NtStatus::INVALID_PARAMETER);
        };
        let used = self.used();
        self.bytes.copy_within(end..used, start);
        self.bytes[used - (end - start)..used].fill(0);
        self.set_count(self.count() - 1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::security::Sid;
    use crate::logic::security::ace::{ALLOWED, DENIED};

    fn ace(kind: u8, mask: u32) -> Ace {
        Ace::new(kind, 0, mask, Sid::new(1, &[0]))
    }

    #[test]
    fn entries_are_put_in_and_taken_out() {
        let mut list = Acl::empty(52, REVISION).expect("room for two");
        assert_eq!((list.used(), list.count(), list.place(0)), (8, 0, None));
        list.insert(usize::MAX, &ace(ALLOWED, 1).to_bytes(), REVISION).expect("room");
        list.insert(0, &ace(DENIED, 2).to_bytes(), REVISION_DS).expect("room");
        assert_eq!(list.aces(), [ace(DENIED, 2), ace(ALLOWED, 1)]);
        assert_eq!((list.used(), list.revision(), list.place(1)), (48, REVISION_DS, Some(28)));
        let more = ace(ALLOWED, 4).to_bytes();
        assert_eq!(list.insert(0, &more, 2), Err(NtStatus::ALLOTTED_SPACE_EXCEEDED));
        assert_eq!(list.insert(0, &more[..9], 2), Err(NtStatus::INVALID_PARAMETER));
        assert_eq!(Acl::parse(list.bytes()), Some(list.clone()));
        assert_eq!(list.delete(0), Ok(()));
        assert_eq!(list.aces(), [ace(ALLOWED, 1)]);
        assert_eq!(list.delete(1), Err(NtStatus::INVALID_PARAMETER));
        assert_eq!(Acl::of(&[ace(ALLOWED, 1)]).expect("a list").bytes()[HEADER..], list.bytes()[HEADER..28]);
    }

    #[test]
    fn what_is_no_list_is_refused() {
        assert_eq!(Acl::empty(7, 2), Err(NtStatus::BUFFER_TOO_SMALL));
        assert_eq!(Acl::empty(8, 1), Err(NtStatus::INVALID_PARAMETER));
        assert_eq!(Acl::empty(0x10000, 2), Err(NtStatus::INVALID_PARAMETER));
        for bytes in
            [&[][..], &[2, 0, 7, 0, 0, 0, 0, 0], &[5, 0, 8, 0, 0, 0, 0, 0], &[2, 0, 8, 0, 1, 0, 0, 0]]
        {
            assert_eq!(Acl::parse(bytes), None, "{bytes:?}");
        }
        assert!(Acl::parse(&[2, 0, 8, 0, 0, 0, 0, 0]).is_some());
    }
}
