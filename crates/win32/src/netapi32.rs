//! netapi32.dll: users, groups and the machine as a network's members. The table of contents and its functions.

use plat_abi::{GuestWord, Memory, winapi};
use plat_host::accounts::{self, User};

use crate::Win32Error;
use crate::advapi32::registry::LStatus;
use crate::alike::alike;
use crate::answers::answers;
use crate::dll;
use crate::export::{Dll, Export};
use crate::guest::Guest;
use crate::nt::account::{self, Unix, computer_name};
use crate::nt::security_memory::allocate;
use crate::nt::sysinfo::VERSION;
use crate::nt::token_info::Answer;

/// The DLL.
pub const DLL: Dll =
    Dll { name: "netapi32.dll", description: "Net Win32 API DLL", tables: &[EXPORTS], methods: &[] };

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full NetApiBufferAllocate;
    full NetApiBufferFree;
    full NetApiBufferSize;
    partial NetUserGetInfo, "levels 0, 1, 10, 20 and 23; other machines are not asked";
    partial NetUserGetLocalGroups, "level 0; other machines are not asked";
    partial NetUserEnum, "level 0; other machines are not asked";
    partial NetLocalGroupGetInfo, "levels 0 and 1; other machines are not asked";
    partial NetLocalGroupEnum, "levels 0 and 1; other machines are not asked";
    partial NetGroupEnum, "a machine without domain has none";
    partial NetUserGetGroups, "a machine without domain has none";
    partial DsEnumerateDomainTrustsW, "always ERROR_NOT_SUPPORTED: the machine is in no domain";
    partial NetWkstaGetInfo, "levels 100 to 102; other machines are not asked";
    partial NetServerGetInfo, "levels 100 and 101; other machines are not asked";
    full NetGetJoinInformation;
    partial DsGetDcNameA, "always ERROR_NO_SUCH_DOMAIN: the machine is in no domain";
    partial DsGetSiteNameW, "always ERROR_NO_SITENAME: the machine is in no domain";
    partial NetGetDCName, "always NERR_DCNotFound: the machine is in no domain";
    partial NetGetAnyDCName, "always ERROR_NO_SUCH_DOMAIN: the machine is in no domain";
    full DsRoleFreeMemory;
    partial DsRoleGetPrimaryDomainInformation, "level 1; other machines are not asked";
    partial NetWkstaUserGetInfo, "levels 0 and 1";
    partial NetLocalGroupGetMembers, "levels 0 and 3; other machines are not asked";
    partial NetShareEnum, "the machine shares nothing: NERR_ServerNotStarted";
    partial NetShareGetInfo, "the machine shares nothing: NERR_ServerNotStarted";
    partial NetShareSetInfo, "the machine shares nothing: NERR_ServerNotStarted";
    partial NetShareAdd, "the machine shares nothing: NERR_ServerNotStarted";
    partial NetShareDel, "the machine shares nothing: NERR_ServerNotStarted";
    partial NetShareCheck, "the machine shares nothing: NERR_ServerNotStarted";
    partial NetSessionEnum, "the machine shares nothing: NERR_ServerNotStarted";
    partial NetSessionDel, "the machine shares nothing: NERR_ServerNotStarted";
    partial NetFileEnum, "the machine shares nothing: NERR_ServerNotStarted";
    partial NetFileClose, "the machine shares nothing: NERR_ServerNotStarted";
    partial NetConnectionEnum, "the machine shares nothing: NERR_ServerNotStarted";
    partial NetUseEnum, "nothing of other machines is in use";
    partial NetUseGetInfo, "nothing of other machines is in use: NERR_UseNotFound";
    partial NetUseDel, "nothing of other machines is in use: NERR_UseNotFound";
    partial DsGetDcNameW, "always ERROR_NO_SUCH_DOMAIN: the machine is in no domain";
};

/// `NERR_UserNotFound`.
const USER_NOT_FOUND: Win32Error = Win32Error(2221);
/// `PLATFORM_ID_NT`.
const PLATFORM_NT: u32 = 500;
/// What a machine is in that is in no domain.
const WORKGROUP: &str = "WORKGROUP";

/// Lays out a text with its zero.
fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

/// Allocates what `lay` lays out, and stores its address.
fn put(
    guest: &Guest,
    target: GuestWord,
    lay: impl Fn(&mut Answer) -> Result<(), Win32Error>,
) -> Result<(), Win32Error> {
    let laid = |base: u64| {
        let mut answer = Answer::new(guest.machine(), base);
        lay(&mut answer)?;
        Ok::<_, Win32Error>(answer.finish())
    };
    let place = allocate(guest, &vec![0; laid(0)?.len()])?;
    guest.write_bytes(place, &laid(place)?)?;
    Ok(guest.write_word(target.get(), place)?)
}

/// Refuses other machines.
fn check_server(guest: &Guest, server: GuestWord) -> Result<(), Win32Error> {
    /// `ERROR_BAD_NETPATH`.
    const BAD_PATH: Win32Error = Win32Error(53);
    if server.is_null() {
        return Ok(());
    }
    let name = guest.read_wide_string(server.get())?;
    if account::is_own_machine(&name) { Ok(()) } else { Err(BAD_PATH) }
}

fn find_user(guest: &Guest, name: GuestWord) -> Result<User, Win32Error> {
    let name = String::from_utf16_lossy(&guest.read_wide_string(name.get())?);
    let sid = account::by_name(&name).ok_or(USER_NOT_FOUND)?.sid;
    match Unix::of(&sid) {
        Some(Unix::User(id)) => account::user(id).ok_or(USER_NOT_FOUND),
        _ => Err(USER_NOT_FOUND),
    }
}

/// Lays out `USER_INFO_…` of a level.
fn lay_user(answer: &mut Answer, user: &User, level: u32) -> Result<(), Win32Error> {
    /// `UF_SCRIPT`, `UF_NORMAL_ACCOUNT`.
    const FLAGS: u32 = 0x201;
    let text = |text: &str| wide(text);
    let sid = Unix::User(user.id).sid();
    answer.pointer(text(&user.name));
    match level {
        0 => {}
        1 => {
            let privilege = if user.id == 0 { 2 } else { 1 };
            answer.word(0).u32(0).u32(privilege).pointer(text("")).pointer(text(""));
            answer.u32(FLAGS).pointer(text(""));
        }
        10 => {
            answer.pointer(text("")).pointer(text("")).pointer(text(&user.full_name));
        }
        20 => {
            let rid = sid.split().map_or(0, |(_, rid)| rid);
            answer.pointer(text(&user.full_name)).pointer(text("")).u32(FLAGS).u32(rid);
        }
        23 => {
            answer.pointer(text(&user.full_name)).pointer(text("")).u32(FLAGS).pointer(sid.to_bytes());
        }
        _ => return Err(Win32Error::INVALID_LEVEL),
    }
    answer.align();
    Ok(())
}

/// Allocates a buffer.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/lmapibuf/nf-lmapibuf-netapibufferallocate>
#[winapi]
pub fn NetApiBufferAllocate(guest: &mut Guest, ByteCount: u32, Buffer: GuestWord) -> LStatus {
    let place = guest.process().heaps.allocate(0, ByteCount.into(), false);
    LStatus(
        place
            .ok_or(Win32Error::NOT_ENOUGH_MEMORY)
            .and_then(|place| Ok(guest.write_word(Buffer.get(), place)?)),
    )
}

/// Frees a buffer of these functions.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/lmapibuf/nf-lmapibuf-netapibufferfree>
#[winapi]
pub fn NetApiBufferFree(guest: &mut Guest, Buffer: GuestWord) -> LStatus {
    let is_freed = Buffer.is_null() || guest.process().heaps.free(0, Buffer.get());
    LStatus(if is_freed { Ok(()) } else { Err(Win32Error::INVALID_PARAMETER) })
}

/// Returns the size of a buffer in bytes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/lmapibuf/nf-lmapibuf-netapibuffersize>
#[winapi]
pub fn NetApiBufferSize(guest: &mut Guest, Buffer: GuestWord, ByteCount: GuestWord) -> LStatus {
    let size = guest.process().heaps.size(0, Buffer.get()).ok_or(Win32Error::INVALID_PARAMETER);
    LStatus(size.and_then(|size| Ok(guest.write(ByteCount.get(), &(size as u32))?)))
}

/// Describes a user.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/lmaccess/nf-lmaccess-netusergetinfo>
#[winapi]
pub fn NetUserGetInfo(
    guest: &mut Guest,
    servername: GuestWord,
    username: GuestWord,
    level: u32,
    bufptr: GuestWord,
) -> LStatus {
    let told = check_server(guest, servername).and_then(|()| find_user(guest, username));
    LStatus(told.and_then(|user| put(guest, bufptr, |answer| lay_user(answer, &user, level))))
}

/// Stores how many entries were read and how many there are.
fn put_counts(guest: &Guest, places: [GuestWord; 2], count: usize) -> Result<(), Win32Error> {
    for place in places {
        guest.write(place.get(), &(count as u32))?;
    }
    Ok(())
}

/// Lays out a group: its name, and a comment for level 1.
fn lay_groups(answer: &mut Answer, names: &[String], level: u32) {
    for name in names {
        answer.pointer(wide(name));
        if level == 1 {
            answer.pointer(wide(""));
        }
    }
}

/// Stores a list of names of users or groups.
fn list(
    guest: &Guest,
    server: GuestWord,
    target: GuestWord,
    counts: [GuestWord; 2],
    (names, level): (&[String], u32),
) -> Result<(), Win32Error> {
    check_server(guest, server)?;
    put_counts(guest, counts, names.len())?;
    put(guest, target, |answer| {
        lay_groups(answer, names, level);
        Ok(())
    })
}

/// Lists the users.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/lmaccess/nf-lmaccess-netuserenum>
#[winapi]
pub fn NetUserEnum(
    guest: &mut Guest,
    servername: GuestWord,
    level: u32,
    filter: u32,
    bufptr: GuestWord,
    prefmaxlen: u32,
    entriesread: GuestWord,
    totalentries: GuestWord,
    resume_handle: GuestWord,
) -> LStatus {
    let _ = (filter, prefmaxlen, resume_handle);
    if level != 0 {
        return LStatus(Err(Win32Error::INVALID_LEVEL));
    }
    let names: Vec<String> = accounts::users().into_iter().map(|user| user.name).collect();
    LStatus(list(guest, servername, bufptr, [entriesread, totalentries], (&names, level)))
}

/// Tells facts about a group of the machine.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/lmaccess/nf-lmaccess-netlocalgroupgetinfo>
#[winapi]
pub fn NetLocalGroupGetInfo(
    guest: &mut Guest,
    servername: GuestWord,
    groupname: GuestWord,
    level: u32,
    bufptr: GuestWord,
) -> LStatus {
    /// `NERR_GroupNotFound`.
    const GROUP_NOT_FOUND: Win32Error = Win32Error(2220);
    if level > 1 {
        return LStatus(Err(Win32Error::INVALID_LEVEL));
    }
    let tell = || {
        check_server(guest, servername)?;
        let name = String::from_utf16_lossy(&guest.read_wide_string(groupname.get())?);
        let known = account::by_name(&name).ok_or(GROUP_NOT_FOUND)?;
        put(guest, bufptr, |answer| {
            lay_groups(answer, std::slice::from_ref(&known.name), level);
            Ok(())
        })
    };
    LStatus(tell())
}

fn local_groups() -> Vec<String> {
    accounts::groups().into_iter().map(|group| group.name).collect()
}

alike! {
    fn(guest, groups: (u32, fn() -> Vec<String>);
        servername: GuestWord, level: u32, bufptr: GuestWord, prefmaxlen: u32, entriesread: GuestWord,
        totalentries: GuestWord, resume_handle: GuestWord
    ) -> LStatus {
        let _ = (prefmaxlen, resume_handle);
        let (highest, names) = groups;
        if level > highest {
            return LStatus(Err(Win32Error::INVALID_LEVEL));
        }
        LStatus(list(guest, servername, bufptr, [entriesread, totalentries], (&names(), level)))
    }

    /// Lists the groups of the machine.
    "lmaccess/nf-lmaccess-netlocalgroupenum"
    NetLocalGroupEnum(servername, level, bufptr, prefmaxlen, entriesread, totalentries, resumehandle) =
        (1, local_groups);

    /// Lists the groups of a domain: there are none.
    "lmaccess/nf-lmaccess-netgroupenum" NetGroupEnum = (u32::MAX, Vec::new);

    /// Lists what is in use of other machines: nothing.
    "lmuse/nf-lmuse-netuseenum"
    NetUseEnum(UncServerName, LevelFlags, BufPtr, PreferedMaximumSize, EntriesRead, TotalEntries, ResumeHandle) =
        (2, Vec::new);
}

/// Lists the groups of a domain that a user is in: there are none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/lmaccess/nf-lmaccess-netusergetgroups>
#[winapi]
pub fn NetUserGetGroups(
    guest: &mut Guest,
    servername: GuestWord,
    username: GuestWord,
    level: u32,
    bufptr: GuestWord,
    prefmaxlen: u32,
    entriesread: GuestWord,
    totalentries: GuestWord,
) -> LStatus {
    let _ = prefmaxlen;
    if let Err(error) = find_user(guest, username) {
        return LStatus(Err(error));
    }
    LStatus(list(guest, servername, bufptr, [entriesread, totalentries], (&[], level)))
}

answers! {
    "Lists the domains that are trusted.", "dsgetdc/nf-dsgetdc-dsenumeratedomaintrustsw";
    DsEnumerateDomainTrustsW(
        ServerName: GuestWord, Flags: u32, Domains: GuestWord, DomainCount: GuestWord
    ) -> LStatus = LStatus(Err(Win32Error::NOT_SUPPORTED));
    "Refuses: the machine is in no domain.", "dsgetdc/nf-dsgetdc-dsgetdcnamew";
    DsGetDcNameW(
        ComputerName: GuestWord, DomainName: GuestWord, DomainGuid: GuestWord, SiteName: GuestWord, Flags: u32,
        DomainControllerInfo: GuestWord
    ) -> LStatus = LStatus(Err(Win32Error::NO_SUCH_DOMAIN));
}

/// `NERR_ServerNotStarted`: the service that shares does not run.
const NO_SERVER: LStatus = LStatus(Err(Win32Error(2114)));
/// `NERR_UseNotFound`.
const NOT_IN_USE: LStatus = LStatus(Err(Win32Error(2250)));

answers! {
    "Refuses: the machine shares nothing, as one whose server service does not run." -> LStatus = NO_SERVER => {
        "lmshare/nf-lmshare-netshareenum"
        NetShareEnum(servername: GuestWord, level: u32, bufptr: GuestWord, prefmaxlen: u32, entriesread: GuestWord, totalentries: GuestWord, resume_handle: GuestWord);
        "lmshare/nf-lmshare-netsharegetinfo"
        NetShareGetInfo(servername: GuestWord, netname: GuestWord, level: u32, bufptr: GuestWord);
        "lmshare/nf-lmshare-netsharesetinfo"
        NetShareSetInfo(servername: GuestWord, netname: GuestWord, level: u32, buf: GuestWord, parm_err: GuestWord);
        "lmshare/nf-lmshare-netshareadd"
        NetShareAdd(servername: GuestWord, level: u32, buf: GuestWord, parm_err: GuestWord);
        "lmshare/nf-lmshare-netsharedel"
        NetShareDel(servername: GuestWord, netname: GuestWord, reserved: u32);
        "lmshare/nf-lmshare-netsharecheck"
        NetShareCheck(servername: GuestWord, device: GuestWord, r#type: GuestWord);
        "lmshare/nf-lmshare-netsessionenum"
        NetSessionEnum(servername: GuestWord, UncClientName: GuestWord, username: GuestWord, level: u32, bufptr: GuestWord, prefmaxlen: u32, entriesread: GuestWord, totalentries: GuestWord, resume_handle: GuestWord);
        "lmshare/nf-lmshare-netsessiondel"
        NetSessionDel(servername: GuestWord, UncClientName: GuestWord, username: GuestWord);
        "lmshare/nf-lmshare-netfileenum"
        NetFileEnum(servername: GuestWord, basepath: GuestWord, username: GuestWord, level: u32, bufptr: GuestWord, prefmaxlen: u32, entriesread: GuestWord, totalentries: GuestWord, resume_handle: GuestWord);
        "lmshare/nf-lmshare-netfileclose" NetFileClose(servername: GuestWord, fileid: u32);
        "lmshare/nf-lmshare-netconnectionenum"
        NetConnectionEnum(servername: GuestWord, qualifier: GuestWord, level: u32, bufptr: GuestWord, prefmaxlen: u32, entriesread: GuestWord, totalentries: GuestWord, resume_handle: GuestWord);
    }
    "Refuses: nothing of other machines is in use." -> LStatus = NOT_IN_USE => {
        "lmuse/nf-lmuse-netusegetinfo"
        NetUseGetInfo(UncServerName: GuestWord, UseName: GuestWord, LevelFlags: u32, bufptr: GuestWord);
        "lmuse/nf-lmuse-netusedel" NetUseDel(UncServerName: GuestWord, UseName: GuestWord, ForceLevelFlags: u32);
    }
}

answers! {
    "Refuses: the machine is in no domain.", "dsgetdc/nf-dsgetdc-dsgetdcnamea";
    DsGetDcNameA(
        ComputerName: GuestWord, DomainName: GuestWord, DomainGuid: GuestWord, SiteName: GuestWord, Flags: u32,
        DomainControllerInfo: GuestWord
    ) -> LStatus = LStatus(Err(Win32Error::NO_SUCH_DOMAIN));
    "Refuses: the machine is in no site.", "dsgetdc/nf-dsgetdc-dsgetsitenamew";
    DsGetSiteNameW(ComputerName: GuestWord, SiteName: GuestWord) -> LStatus = LStatus(Err(Win32Error(1919)));
    "Refuses: there is no domain controller.", "lmaccess/nf-lmaccess-netgetdcname";
    NetGetDCName(ServerName: GuestWord, DomainName: GuestWord, Buffer: GuestWord) -> LStatus =
        LStatus(Err(Win32Error(2453)));
    "Refuses: there is no domain controller.", "lmaccess/nf-lmaccess-netgetanydcname";
    NetGetAnyDCName(ServerName: GuestWord, DomainName: GuestWord, Buffer: GuestWord) -> LStatus =
        LStatus(Err(Win32Error::NO_SUCH_DOMAIN));
}

/// Tells the machine's part in a domain: a workstation by itself, in a work group.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/dsrole/nf-dsrole-dsrolegetprimarydomaininformation>
#[winapi]
pub fn DsRoleGetPrimaryDomainInformation(
    guest: &mut Guest,
    lpServer: GuestWord,
    InfoLevel: u32,
    Buffer: GuestWord,
) -> LStatus {
    /// `DsRolePrimaryDomainInfoBasic`.
    const BASIC: u32 = 1;
    const GUID_BYTES: usize = 16;
    if InfoLevel != BASIC || Buffer.is_null() {
        return LStatus(Err(Win32Error::INVALID_PARAMETER));
    }
    LStatus(check_server(guest, lpServer).and_then(|()| {
        put(guest, Buffer, |answer| {
            // DsRole_RoleStandaloneWorkstation, no flags; no names of DNS; no GUID.
            answer.u32(0).u32(0).pointer(wide(WORKGROUP)).word(0).word(0);
            for _ in 0..GUID_BYTES / 4 {
                answer.u32(0);
            }
            answer.align();
            Ok(())
        })
    }))
}

/// Frees what `DsRoleGetPrimaryDomainInformation` gave.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/dsrole/nf-dsrole-dsrolefreememory>
#[winapi]
pub fn DsRoleFreeMemory(guest: &mut Guest, Buffer: GuestWord) {
    if !Buffer.is_null() {
        guest.process().heaps.free(0, Buffer.get());
    }
}

/// Describes who is logged on.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/lmwksta/nf-lmwksta-netwkstausergetinfo>
#[winapi]
pub fn NetWkstaUserGetInfo(guest: &mut Guest, reserved: GuestWord, level: u32, bufptr: GuestWord) -> LStatus {
    if !reserved.is_null() {
        return LStatus(Err(Win32Error::INVALID_PARAMETER));
    }
    let (name, machine) = (account::own_name(guest.process()), computer_name());
    LStatus(put(guest, bufptr, |answer| {
        answer.pointer(wide(&name));
        match level {
            0 => {}
            1 => {
                answer.pointer(wide(&machine)).pointer(wide("")).pointer(wide(&machine));
            }
            _ => return Err(Win32Error::INVALID_LEVEL),
        }
        Ok(())
    }))
}

/// Lists the members of a group of the machine: their SIDs, or their names.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/lmaccess/nf-lmaccess-netlocalgroupgetmembers>
#[winapi]
pub fn NetLocalGroupGetMembers(
    guest: &mut Guest,
    servername: GuestWord,
    localgroupname: GuestWord,
    level: u32,
    bufptr: GuestWord,
    prefmaxlen: u32,
    entriesread: GuestWord,
    totalentries: GuestWord,
    resumehandle: GuestWord,
) -> LStatus {
    /// `ERROR_NO_SUCH_ALIAS`.
    const NO_SUCH_GROUP: Win32Error = Win32Error(1376);
    let _ = (prefmaxlen, resumehandle);
    if level != 0 && level != 3 {
        return LStatus(Err(Win32Error::INVALID_LEVEL));
    }
    let tell = || {
        check_server(guest, servername)?;
        let name = String::from_utf16_lossy(&guest.read_wide_string(localgroupname.get())?);
        let groups = accounts::groups();
        let group =
            groups.iter().find(|group| group.name.eq_ignore_ascii_case(&name)).ok_or(NO_SUCH_GROUP)?;
        let is_member = |user: &User| user.group == group.id || group.members.contains(&user.name);
        let members: Vec<User> = accounts::users().into_iter().filter(is_member).collect();
        put_counts(guest, [entriesread, totalentries], members.len())?;
        put(guest, bufptr, |answer| {
            for user in &members {
                answer.pointer(match level {
                    0 => Unix::User(user.id).sid().to_bytes(),
                    _ => wide(&format!("{}\\{}", computer_name(), user.name)),
                });
            }
            Ok(())
        })
    };
    LStatus(tell())
}

/// Lists the groups of a user by name.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/lmaccess/nf-lmaccess-netusergetlocalgroups>
#[winapi]
pub fn NetUserGetLocalGroups(
    guest: &mut Guest,
    servername: GuestWord,
    username: GuestWord,
    level: u32,
    flags: u32,
    bufptr: GuestWord,
    prefmaxlen: u32,
    entriesread: GuestWord,
    totalentries: GuestWord,
) -> LStatus {
    let _ = (flags, prefmaxlen);
    if level != 0 {
        return LStatus(Err(Win32Error::INVALID_LEVEL));
    }
    let told = check_server(guest, servername).and_then(|()| find_user(guest, username));
    LStatus(told.and_then(|user| {
        let all = accounts::groups();
        let is_his = |group: &&accounts::Group| group.id == user.group || group.members.contains(&user.name);
        let groups: Vec<_> = all.iter().filter(is_his).collect();
        put_counts(guest, [entriesread, totalentries], groups.len())?;
        put(guest, bufptr, |answer| {
            groups.iter().for_each(|group| {
                answer.pointer(wide(&group.name));
            });
            Ok(())
        })
    }))
}

/// Lays out what `WKSTA_INFO_100` and `SERVER_INFO_101` have in common: platform, name, version.
fn lay_machine(answer: &mut Answer, group: Option<&str>) {
    answer.u32(PLATFORM_NT).pointer(wide(&computer_name()));
    if let Some(group) = group {
        answer.pointer(wide(group));
    }
    answer.u32(VERSION.0).u32(VERSION.1);
}

/// Describes the machine as one that uses a network.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/lmwksta/nf-lmwksta-netwkstagetinfo>
#[winapi]
pub fn NetWkstaGetInfo(guest: &mut Guest, servername: GuestWord, level: u32, bufptr: GuestWord) -> LStatus {
    LStatus(check_server(guest, servername).and_then(|()| {
        put(guest, bufptr, |answer| {
            lay_machine(answer, Some(WORKGROUP));
            match level {
                100 => {}
                101 => {
                    answer.pointer(wide(""));
                }
                102 => {
                    answer.pointer(wide("")).u32(1);
                }
                _ => return Err(Win32Error::INVALID_LEVEL),
            }
            answer.align();
            Ok(())
        })
    }))
}

/// Describes the machine as one that serves a network.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/lmserver/nf-lmserver-netservergetinfo>
#[winapi]
pub fn NetServerGetInfo(guest: &mut Guest, servername: GuestWord, level: u32, bufptr: GuestWord) -> LStatus {
    /// `SV_TYPE_WORKSTATION`, `SV_TYPE_NT`.
    const KIND: u32 = 0x1001;
    LStatus(check_server(guest, servername).and_then(|()| {
        put(guest, bufptr, |answer| {
            match level {
                100 => {
                    answer.u32(PLATFORM_NT).pointer(wide(&computer_name()));
                }
                101 => {
                    lay_machine(answer, None);
                    answer.u32(KIND).pointer(wide(""));
                }
                _ => return Err(Win32Error::INVALID_LEVEL),
            }
            Ok(())
        })
    }))
}

/// Tells what the machine is in: a work group.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/lmjoin/nf-lmjoin-netgetjoininformation>
#[winapi]
pub fn NetGetJoinInformation(
    guest: &mut Guest,
    lpServer: GuestWord,
    lpNameBuffer: GuestWord,
    BufferType: GuestWord,
) -> LStatus {
    /// `NetSetupWorkgroupName`.
    const IN_WORKGROUP: u32 = 2;
    LStatus(check_server(guest, lpServer).and_then(|()| {
        guest.write_word(lpNameBuffer.get(), allocate(guest, &wide(WORKGROUP))?)?;
        Ok(guest.write(BufferType.get(), &IN_WORKGROUP)?)
    }))
}

#[cfg(test)]
mod tests {
    use plat_abi::Machine;

    use super::*;

    #[test]
    fn users_are_laid_out_as_the_headers_say() {
        let user = User {
            name: "ada".into(),
            id: 1000,
            group: 100,
            full_name: "Ada Lovelace".into(),
            home: "/home/ada".into(),
        };
        // Sizes of USER_INFO_0, 1, 10, 20, 23 for both machines: the first text lies behind.
        for (level, narrow, wide_size) in [(0, 4, 8), (1, 32, 56), (10, 16, 32), (20, 20, 32), (23, 20, 40)] {
            for (machine, size) in [(Machine::I386, narrow), (Machine::Amd64, wide_size)] {
                let mut answer = Answer::new(machine, 0);
                lay_user(&mut answer, &user, level).expect("a level");
                let bytes = answer.finish();
                assert_eq!(u32::from(bytes[0]), size, "level {level} {machine:?}");
            }
        }
        let mut answer = Answer::new(Machine::Amd64, 0);
        assert_eq!(lay_user(&mut answer, &user, 7), Err(Win32Error::INVALID_LEVEL));
    }
}
