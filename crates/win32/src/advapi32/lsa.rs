//! ntsecapi.h: the machine's policy. It is in no domain, its users are Linux'.

use std::sync::Arc;

use plat_abi::{GuestWord, Memory, winapi};

use crate::NtStatus;
use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::security::sid::Sid;
use crate::nt::account::{self, Account};
use crate::nt::handle::HandleFlags;
use crate::nt::object::{Object, ObjectKind};
use crate::nt::security_memory::read_sid;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial LsaOpenPolicy, "other machines are not asked";
    full LsaClose;
    full LsaFreeMemory;
    partial LsaQueryInformationPolicy, "primary domain, account domain, role, DNS domain";
    partial LsaLookupSids, "other machines are not asked";
    partial LsaEnumerateAccountRights, "nobody has rights of his own: OBJECT_NAME_NOT_FOUND";
    partial LsaRetrievePrivateData, "nothing is kept: OBJECT_NAME_NOT_FOUND";
    partial LsaStorePrivateData, "nothing is kept: ACCESS_DENIED";
    full LsaNtStatusToWinError;
};

/// An open policy.
struct Policy;

impl Object for Policy {
    fn kind(&self) -> ObjectKind {
        ObjectKind::Policy
    }
}

fn policy(guest: &Guest, handle: GuestWord) -> Result<Arc<Policy>, NtStatus> {
    guest.process().handles.get::<Policy>(handle.0).map_err(|_| NtStatus::INVALID_HANDLE)
}

/// Refuses what a policy has not.
fn refuse(guest: &Guest, handle: GuestWord, status: NtStatus) -> Result<(), NtStatus> {
    policy(guest, handle)?;
    Err(status)
}

/// Opens the policy of a machine.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ntsecapi/nf-ntsecapi-lsaopenpolicy>
#[winapi]
pub fn LsaOpenPolicy(
    guest: &mut Guest,
    SystemName: GuestWord,
    ObjectAttributes: GuestWord,
    DesiredAccess: u32,
    PolicyHandle: GuestWord,
) -> Result<(), NtStatus> {
    let _ = (SystemName, ObjectAttributes);
    let handle = guest.process().handles.insert(Arc::new(Policy), DesiredAccess, HandleFlags::empty());
    Ok(guest.write_word(PolicyHandle.0, handle)?)
}

/// Closes a policy.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ntsecapi/nf-ntsecapi-lsaclose>
#[winapi]
pub fn LsaClose(guest: &mut Guest, ObjectHandle: GuestWord) -> Result<(), NtStatus> {
    policy(guest, ObjectHandle)?;
    drop(guest.process().handles.close(ObjectHandle.0)?);
    Ok(())
}

/// Frees what these functions have given.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ntsecapi/nf-ntsecapi-lsafreememory>
#[winapi]
pub fn LsaFreeMemory(guest: &mut Guest, Buffer: GuestWord) -> Result<(), NtStatus> {
    guest.process().heaps.free(0, Buffer.0);
    Ok(())
}

/// What is laid out in one block: fixed parts first, what they point to behind them.
struct Block {
    word: usize,
    fixed: Vec<u8>,
    /// Where a pointer stands and what it leads to.
    tails: Vec<(usize, Vec<u8>)>,
}

impl Block {
    fn new(guest: &Guest) -> Self {
        Self { word: guest.machine().pointer_size() as usize, fixed: Vec::new(), tails: Vec::new() }
    }

    fn number(&mut self, value: u32) {
        self.fixed.extend(value.to_le_bytes());
    }

    /// A pointer to bytes; null for none.
    fn pointer(&mut self, bytes: Vec<u8>) {
        self.fixed.resize(self.fixed.len().next_multiple_of(self.word), 0);
        if !bytes.is_empty() {
            self.tails.push((self.fixed.len(), bytes));
        }
        self.fixed.resize(self.fixed.len() + self.word, 0);
    }

    /// A counted string.
    fn text(&mut self, text: &str) {
        self.fixed.resize(self.fixed.len().next_multiple_of(self.word), 0);
        let units: Vec<u16> = text.encode_utf16().collect();
        let length = (units.len() * 2) as u16;
        self.fixed.extend(length.to_le_bytes());
        self.fixed.extend((length + if units.is_empty() { 0 } else { 2 }).to_le_bytes());
        let bytes = units.iter().chain(&[0]).flat_map(|unit| unit.to_le_bytes()).collect();
        self.pointer(if units.is_empty() { Vec::new() } else { bytes });
    }

    fn sid(&mut self, sid: Option<&Sid>) {
        self.pointer(sid.map(Sid::to_bytes).unwrap_or_default());
    }

    /// Puts it into memory that the caller frees; returns where.
    fn store(mut self, guest: &Guest) -> Result<u64, NtStatus> {
        let mut places = Vec::new();
        let mut size = self.fixed.len();
        for (_, bytes) in &self.tails {
            size = size.next_multiple_of(8);
            places.push(size);
            size += bytes.len();
        }
        let block = guest.process().heaps.allocate(0, size.max(1) as u64, true).ok_or(NtStatus::NO_MEMORY)?;
        for ((at, bytes), place) in self.tails.iter().zip(places) {
            let address = block + place as u64;
            self.fixed[*at..*at + self.word].copy_from_slice(&address.to_le_bytes()[..self.word]);
            guest.write_bytes(address, bytes)?;
        }
        guest.write_bytes(block, &self.fixed)?;
        Ok(block)
    }
}

/// Tells a part of the policy.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ntsecapi/nf-ntsecapi-lsaqueryinformationpolicy>
#[winapi]
pub fn LsaQueryInformationPolicy(
    guest: &mut Guest,
    PolicyHandle: GuestWord,
    InformationClass: u32,
    Buffer: GuestWord,
) -> Result<(), NtStatus> {
    const WORKGROUP: &str = "WORKGROUP";
    const PRIMARY_SERVER: u32 = 3;
    policy(guest, PolicyHandle)?;
    let mut block = Block::new(guest);
    match InformationClass {
        3 => {
            block.text(WORKGROUP);
            block.sid(None);
        }
        5 => {
            block.text(&account::computer_name());
            block.sid(Some(account::machine_domain()));
        }
        6 => block.number(PRIMARY_SERVER),
        // Names, no identifier, no SID.
        12 => {
            block.text(WORKGROUP);
            block.text("");
            block.text("");
            block.fixed.extend([0; 16]);
            block.sid(None);
        }
        _ => return Err(NtStatus::INVALID_PARAMETER),
    }
    let place = block.store(guest)?;
    Ok(guest.write_word(Buffer.0, place)?)
}

/// Finds the names of SIDs.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ntsecapi/nf-ntsecapi-lsalookupsids>
#[winapi]
pub fn LsaLookupSids(
    guest: &mut Guest,
    PolicyHandle: GuestWord,
    Count: u32,
    Sids: GuestWord,
    ReferencedDomains: GuestWord,
    Names: GuestWord,
) -> Result<(), NtStatus> {
    const UNKNOWN: u32 = 8;
    policy(guest, PolicyHandle)?;
    let word = guest.machine().pointer_size();
    let mut domains: Vec<(String, Option<Sid>)> = Vec::new();
    let mut names = Block::new(guest);
    let mut found = 0;
    for index in 0..u64::from(Count) {
        let sid = read_sid(guest, guest.read_word(Sids.0 + index * word)?)?;
        let Some(known) = account::by_sid(&sid) else {
            names.number(UNKNOWN);
            names.text(&sid.to_string());
            names.number(u32::MAX);
            names.fixed.resize(names.fixed.len().next_multiple_of(word as usize), 0);
            continue;
        };
        found += 1;
        names.number(known.usage as u32);
        names.text(&known.name);
        names.number(domain_index(&mut domains, &known));
        names.fixed.resize(names.fixed.len().next_multiple_of(word as usize), 0);
    }
    let mut list = Block::new(guest);
    for (name, sid) in &domains {
        list.text(name);
        list.sid(sid.as_ref());
    }
    let entries = list.store(guest)?;
    let mut head = Block::new(guest);
    head.number(domains.len() as u32);
    head.pointer(Vec::new());
    head.number(domains.len() as u32);
    let head = head.store(guest)?;
    guest.write_word(head + word, entries)?;
    guest.write_word(ReferencedDomains.0, head)?;
    let place = names.store(guest)?;
    guest.write_word(Names.0, place)?;
    match found {
        0 => Err(NtStatus::NONE_MAPPED),
        found if found < Count => Err(NtStatus::SOME_NOT_MAPPED),
        _ => Ok(()),
    }
}

/// Returns the place of an account's domain in the list.
fn domain_index(domains: &mut Vec<(String, Option<Sid>)>, account: &Account) -> u32 {
    if let Some(index) = domains.iter().position(|(name, _)| *name == account.domain) {
        return index as u32;
    }
    let sid = match account.sid.account_domain() {
        Some(domain) => Some(domain),
        None => account.sid.split().map(|(domain, _)| domain),
    };
    domains.push((account.domain.clone(), sid));
    domains.len() as u32 - 1
}

/// Tells the rights that an account was given: none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ntsecapi/nf-ntsecapi-lsaenumerateaccountrights>
#[winapi]
pub fn LsaEnumerateAccountRights(
    guest: &mut Guest,
    PolicyHandle: GuestWord,
    AccountSid: GuestWord,
    UserRights: GuestWord,
    CountOfRights: GuestWord,
) -> Result<(), NtStatus> {
    let _ = (AccountSid, UserRights, CountOfRights);
    refuse(guest, PolicyHandle, NtStatus::OBJECT_NAME_NOT_FOUND)
}

alike! {
    fn(guest, status;
        PolicyHandle: GuestWord, KeyName: GuestWord, PrivateData: GuestWord
    ) -> Result<(), NtStatus> {
        let _ = (KeyName, PrivateData);
        refuse(guest, PolicyHandle, status)
    }

    /// Returns a secret: there are none.
    "ntsecapi/nf-ntsecapi-lsaretrieveprivatedata" LsaRetrievePrivateData = NtStatus::OBJECT_NAME_NOT_FOUND;

    /// Refuses to keep a secret.
    "ntsecapi/nf-ntsecapi-lsastoreprivatedata" LsaStorePrivateData = NtStatus::ACCESS_DENIED;
}

/// Returns the Win32 error of a status.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ntsecapi/nf-ntsecapi-lsantstatustowinerror>
#[winapi]
pub fn LsaNtStatusToWinError(guest: &mut Guest, Status: u32) -> u32 {
    let _ = guest;
    NtStatus(Status).to_win32().0
}
