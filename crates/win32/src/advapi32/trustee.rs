//! aclapi.h: trustees, and lists made from and described as explicit entries.

use plat_abi::{Fault, GuestWord, Machine, Memory};

use super::registry::LStatus;
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::security::access::{self, GenericMapping};
use crate::logic::security::entries::{self, Entry, Mode};
use crate::logic::security::well_known::everyone;
use crate::logic::security::{Acl, Sid};
use crate::nt::account;
use crate::nt::security_memory::{allocate, read_acl, read_optional_acl, read_sid};
use crate::nt::token_info::Answer;
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial SetEntriesInAclA, "trustees that are kinds of objects are refused";
    partial SetEntriesInAclW, "trustees that are kinds of objects are refused";
    full GetExplicitEntriesFromAclA;
    full GetExplicitEntriesFromAclW;
    partial GetEffectiveRightsFromAclA, "of groups, the trustee's own SID and Everyone are looked at";
    partial GetEffectiveRightsFromAclW, "of groups, the trustee's own SID and Everyone are looked at";
    full BuildTrusteeWithSidA;
    full BuildTrusteeWithSidW;
    full BuildTrusteeWithNameA;
    full BuildTrusteeWithNameW;
    full BuildExplicitAccessWithNameA;
    full BuildExplicitAccessWithNameW;
    full GetTrusteeNameA;
    full GetTrusteeNameW;
    full GetTrusteeFormA;
    full GetTrusteeFormW;
    full GetTrusteeTypeA;
    full GetTrusteeTypeW;
};

/// `TRUSTEE_IS_SID`.
const IS_SID: u32 = 0;
/// `TRUSTEE_IS_NAME`.
const IS_NAME: u32 = 1;

/// The layout of `TRUSTEE`: operation, form, type and name behind a pointer.
#[derive(Clone, Copy)]
struct Trustee {
    address: u64,
    word: u64,
}

impl Trustee {
    fn at(guest: &Guest, address: u64) -> Self {
        Self { address, word: guest.machine().pointer_size() }
    }

    fn form(self) -> u64 {
        self.address + self.word + 4
    }

    fn kind(self) -> u64 {
        self.address + self.word + 8
    }

    fn name(self) -> u64 {
        self.address + (self.word + 12).next_multiple_of(self.word)
    }

    /// Returns the size in bytes.
    fn size(word: u64) -> u64 {
        (word + 12).next_multiple_of(word) + word
    }

    /// Fills it in.
    fn build(self, guest: &Guest, form: u32, name: GuestWord) -> Result<(), Fault> {
        guest.write_bytes(self.address, &vec![0; Self::size(self.word) as usize])?;
        guest.write(self.form(), &form)?;
        guest.write_word(self.name(), name.get())
    }

    /// Returns whom it means.
    fn sid(self, guest: &Guest, width: Width) -> Result<Sid, Win32Error> {
        let name = guest.read_word(self.name())?;
        match guest.read_u32(self.form())? {
            IS_SID => Ok(read_sid(guest, name)?),
            IS_NAME => {
                let name = String::from_utf16_lossy(&width.read(guest, GuestWord(name))?);
                if name.eq_ignore_ascii_case("CURRENT_USER") {
                    return Ok(guest.process().tokens.effective().user.sid.clone());
                }
                account::by_name(&name).map(|account| account.sid).ok_or(Win32Error::NONE_MAPPED)
            }
            _ => Err(Win32Error::INVALID_PARAMETER),
        }
    }
}

/// Returns where the trustee stands in an `EXPLICIT_ACCESS`, and the size of that.
fn explicit_layout(machine: Machine) -> (u64, u64) {
    let word = machine.pointer_size();
    let at = 12u64.next_multiple_of(word);
    (at, at + Trustee::size(word))
}

fn read_entries(guest: &Guest, width: Width, count: u32, list: GuestWord) -> Result<Vec<Entry>, Win32Error> {
    let (trustee_at, size) = explicit_layout(guest.machine());
    let read = |index: u32| {
        let at = list.get() + size * u64::from(index);
        let [mask, mode, inheritance] = guest.read::<[u32; 3]>(at)?;
        let sid = Trustee::at(guest, at + trustee_at).sid(guest, width)?;
        let mode = Mode::of(mode).ok_or(Win32Error::INVALID_PARAMETER)?;
        Ok(Entry { mask, mode, inheritance, sid })
    };
    (0..count).map(read).collect()
}

fn set_entries(
    guest: &Guest,
    width: Width,
    (count, list): (u32, GuestWord),
    old: GuestWord,
    new: GuestWord,
) -> Result<(), Win32Error> {
    if new.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    guest.write_word(new.get(), 0)?;
    let before = read_optional_acl(guest, old.get())?;
    // Nothing of nothing is no list.
    if count == 0 && before.is_none() {
        return Ok(());
    }
    let entries = read_entries(guest, width, count, list)?;
    let merged = entries::merge(&before.map(|list| list.aces()).unwrap_or_default(), &entries);
    let list = Acl::of(&merged)?;
    Ok(guest.write_word(new.get(), allocate(guest, list.bytes())?)?)
}

/// Lays out entries as `EXPLICIT_ACCESS`es with their SIDs behind, for an address.
fn lay_entries(machine: Machine, base: u64, entries: &[Entry]) -> Vec<u8> {
    /// `TRUSTEE_IS_UNKNOWN`.
    const UNKNOWN: u32 = 0;
    let mut answer = Answer::new(machine, base);
    for entry in entries {
        answer.u32(entry.mask).u32(entry.mode as u32).u32(entry.inheritance).align();
        answer.word(0).u32(0).u32(IS_SID).u32(UNKNOWN).pointer(entry.sid.to_bytes());
    }
    answer.finish()
}

fn get_entries(
    guest: &Guest,
    list: GuestWord,
    count: GuestWord,
    target: GuestWord,
) -> Result<(), Win32Error> {
    let entries = entries::describe(&read_acl(guest, list.get())?.aces());
    guest.write(count.get(), &(entries.len() as u32))?;
    guest.write_word(target.get(), 0)?;
    if entries.is_empty() {
        return Ok(());
    }
    let size = lay_entries(guest.machine(), 0, &entries).len();
    let place = allocate(guest, &vec![0; size])?;
    guest.write_bytes(place, &lay_entries(guest.machine(), place, &entries))?;
    Ok(guest.write_word(target.get(), place)?)
}

fn effective(
    guest: &Guest,
    width: Width,
    list: GuestWord,
    trustee: GuestWord,
    rights: GuestWord,
) -> Result<(), Win32Error> {
    let sid = Trustee::at(guest, trustee.get()).sid(guest, width)?;
    let aces = read_acl(guest, list.get())?.aces();
    let own = guest.process().tokens.own();
    let sids = if own.user.sid == sid { own.who().sids } else { vec![sid, everyone()] };
    // Generic rights stay as they are.
    const NONE: GenericMapping = GenericMapping {
        read: access::GENERIC_READ,
        write: access::GENERIC_WRITE,
        execute: access::GENERIC_EXECUTE,
        all: access::GENERIC_ALL,
    };
    Ok(guest.write(rights.get(), &access::granted(&aces, &NONE, &sids, &[]))?)
}

both_widths! {
    /// Makes a list of an old one and the changes that entries ask for, in memory that `LocalFree` frees.
    "aclapi/nf-aclapi-setentriesinacl"
    SetEntriesInAclA, SetEntriesInAclW(
        guest, width, cCountOfExplicitEntries: u32, pListOfExplicitEntries: GuestWord, OldAcl: GuestWord,
        NewAcl: GuestWord
    ) -> LStatus {
        LStatus(set_entries(guest, width, (cCountOfExplicitEntries, pListOfExplicitEntries), OldAcl, NewAcl))
    }

    /// Describes a list by entries, in memory that `LocalFree` frees.
    "aclapi/nf-aclapi-getexplicitentriesfromacl"
    GetExplicitEntriesFromAclA, GetExplicitEntriesFromAclW(
        guest, width, pacl: GuestWord, pcCountOfExplicitEntries: GuestWord, pListOfExplicitEntries: GuestWord
    ) -> LStatus {
        let _ = width;
        LStatus(get_entries(guest, pacl, pcCountOfExplicitEntries, pListOfExplicitEntries))
    }

    /// Returns what a list gives a trustee.
    "aclapi/nf-aclapi-geteffectiverightsfromacl"
    GetEffectiveRightsFromAclA, GetEffectiveRightsFromAclW(
        guest, width, pacl: GuestWord, pTrustee: GuestWord, pAccessRights: GuestWord
    ) -> LStatus {
        LStatus(effective(guest, width, pacl, pTrustee, pAccessRights))
    }

    /// Makes a trustee of a SID.
    "aclapi/nf-aclapi-buildtrusteewithsid"
    BuildTrusteeWithSidA, BuildTrusteeWithSidW(
        guest, width, pTrustee: GuestWord, pSid: GuestWord
    ) -> Result<(), Fault> {
        let _ = width;
        Trustee::at(guest, pTrustee.get()).build(guest, IS_SID, pSid)
    }

    /// Makes a trustee of a name.
    "aclapi/nf-aclapi-buildtrusteewithname"
    BuildTrusteeWithNameA, BuildTrusteeWithNameW(
        guest, width, pTrustee: GuestWord, pName: GuestWord
    ) -> Result<(), Fault> {
        let _ = width;
        Trustee::at(guest, pTrustee.get()).build(guest, IS_NAME, pName)
    }

    /// Makes an entry about a trustee of a name.
    "aclapi/nf-aclapi-buildexplicitaccesswithname"
    BuildExplicitAccessWithNameA, BuildExplicitAccessWithNameW(
        guest, width, pExplicitAccess: GuestWord, pTrusteeName: GuestWord, AccessPermissions: u32, AccessMode: u32,
        Inheritance: u32
    ) -> Result<(), Fault> {
        let _ = width;
        guest.write(pExplicitAccess.get(), &[AccessPermissions, AccessMode, Inheritance])?;
        let at = pExplicitAccess.get() + explicit_layout(guest.machine()).0;
        Trustee::at(guest, at).build(guest, IS_NAME, pTrusteeName)
    }

    /// Returns the address of a trustee's name.
    "aclapi/nf-aclapi-gettrusteename"
    GetTrusteeNameA, GetTrusteeNameW(guest, width, pTrustee: GuestWord) -> Result<GuestWord, Fault> {
        let _ = width;
        let trustee = Trustee::at(guest, pTrustee.get());
        let is_name = guest.read_u32(trustee.form())? == IS_NAME;
        if is_name { guest.read_word(trustee.name()).map(GuestWord) } else { Ok(GuestWord::NULL) }
    }

    /// Returns what a trustee's name is: a name, a SID.
    "aclapi/nf-aclapi-gettrusteeform"
    GetTrusteeFormA, GetTrusteeFormW(guest, width, pTrustee: GuestWord) -> Result<u32, Fault> {
        let _ = width;
        guest.read_u32(Trustee::at(guest, pTrustee.get()).form())
    }

    /// Returns what a trustee is: a user, a group.
    "aclapi/nf-aclapi-gettrusteetype"
    GetTrusteeTypeA, GetTrusteeTypeW(guest, width, pTrustee: GuestWord) -> Result<u32, Fault> {
        let _ = width;
        guest.read_u32(Trustee::at(guest, pTrustee.get()).kind())
    }
}
