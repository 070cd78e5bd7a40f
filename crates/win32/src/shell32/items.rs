//! shobjidl_core.h: `IShellItem` for files and folders.

use plat_abi::{GuestWord, Memory, winapi};

use super::{folders, id_list, id_lists};
use crate::com::{self, Class, ComError, Component, Guid, Methods, fail, guid, result};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::shell_path;
use crate::ole32::stream::{Backing, Stream};
use crate::shlwapi::file_stream;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial SHCreateItemFromParsingName, "paths of files"; partial SHCreateItemFromIDList, "lists that these functions made";
    partial SHCreateItemFromRelativeName, "paths of files"; partial SHGetKnownFolderItem, "folders that are there";
    full SHGetKnownFolderIDList; partial SHGetIDListFromObject, "items that these functions made";
};

/// The methods of `IShellItem`.
pub const ROWS: &[Export] = dll! {
    partial IShellItem_BindToHandler, "streams only";
    full IShellItem_GetParent;
    full IShellItem_GetDisplayName;
    full IShellItem_GetAttributes;
    full IShellItem_Compare;
};

/// The part of a virtual function table that is `IShellItem`'s.
const METHODS: Methods = Methods { dll: "shell32.dll", rows: ROWS };

/// `IShellItem`.
const IID_ISHELL_ITEM: Guid = guid(0x4382_6d1e, 0xe718, 0x42ee, 0xbc55_a1e2_61c3_7bfe);
/// `BHID_Stream`.
const STREAM_HANDLER: Guid = guid(0x1ceb_b3ab, 0x7c10, 0x499a, 0xa417_92ca_16c4_cb83);
/// `MK_E_NOOBJECT`.
const NO_OBJECT: u32 = 0x8004_01e5;

static ITEM: Class = Class { name: "ShellItem", interfaces: &[IID_ISHELL_ITEM], methods: &[METHODS] };

/// A file or a folder, by its full path.
struct ShellItem {
    path: Vec<u16>,
}

impl Component for ShellItem {
    fn class(&self) -> &'static Class {
        &ITEM
    }
}

/// Makes an item and gives the interface that is asked for.
fn give(guest: &mut Guest, path: Vec<u16>, riid: GuestWord, into: GuestWord) -> Result<(), ComError> {
    if into.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    guest.write_word(into.get(), 0)?;
    let mut wanted = Guid::default();
    guest.read_bytes(riid.get(), &mut wanted)?;
    if wanted != IID_ISHELL_ITEM && wanted != com::unknown::IID_IUNKNOWN {
        return fail(result::NO_INTERFACE);
    }
    // IUnknown's methods are ole32's, which a program that only asks here may not have loaded.
    let name: Vec<u16> = "ole32.dll".encode_utf16().collect();
    let loaded = guest.process().loader().load(guest, &name, 0);
    loaded.map_err(|_| ComError::Result(result::OUT_OF_MEMORY))?;
    com::give(guest, ShellItem { path }, into)
}

/// Returns the folder that a path lies in; `None` for a root.
fn parent(path: &[u16]) -> Option<Vec<u16>> {
    if shell_path::is_root(path) {
        return None;
    }
    let mut parent = path.to_vec();
    shell_path::remove_file_name(&mut parent).then_some(parent)
}

/// Returns what a file is like: `SFGAO_*`.
///
/// # Errors
/// Those of the file.
pub(super) fn attributes(guest: &Guest, path: &[u16]) -> Result<u32, ComError> {
    /// Copied, moved, linked, renamed, deleted, with properties; of the file system.
    const FILE: u32 = 0x4000_0077;
    /// A stream.
    const STREAM: u32 = 0x40_0000;
    /// A folder, in which others are, onto which files are dropped.
    const FOLDER: u32 = 0x3000_0100;
    const READ_ONLY: u32 = 0x4_0000;
    let unix = guest.process().files.locate(path)?;
    let status = plat_host::file_path::Status::of_path(&unix, true)
        .map_err(|_| ComError::from(crate::Win32Error::FILE_NOT_FOUND))?;
    let is_folder = status.kind == plat_host::file_path::Kind::Directory;
    let is_read_only = crate::nt::file_info::attributes_of(&status) & 1 != 0;
    Ok(FILE | if is_folder { FOLDER } else { STREAM } | if is_read_only { READ_ONLY } else { 0 })
}

/// Gives a name of a path in task memory, by `SIGDN_*`.
pub(super) fn give_name(guest: &mut Guest, path: &[u16], kind: u32, into: GuestWord) -> Result<(), ComError> {
    let name = match kind {
        // SIGDN_NORMALDISPLAY, SIGDN_PARENTRELATIVEPARSING, …EDITING, …FORADDRESSBAR, SIGDN_PARENTRELATIVE, …FORUI
        0 | 0x8001_8001 | 0x8003_1001 | 0x8007_c001 | 0x8008_0001 | 0x8009_4001 => {
            if shell_path::is_root(path) { path } else { &path[shell_path::file_name(path)..] }.to_vec()
        }
        // SIGDN_DESKTOPABSOLUTEPARSING, SIGDN_DESKTOPABSOLUTEEDITING, SIGDN_FILESYSPATH
        0x8002_8000 | 0x8004_c000 | 0x8005_8000 => path.to_vec(),
        // SIGDN_URL
        0x8006_8000 => {
            let text =
                String::from_utf16_lossy(path).replace('\\', "/").replace('%', "%25").replace(' ', "%20");
            format!("file:///{text}").encode_utf16().collect()
        }
        _ => return fail(result::INVALID_ARGUMENT),
    };
    let text: Vec<u16> = name.into_iter().chain([0]).collect();
    let block = guest.process().heaps.allocate(0, text.len() as u64 * 2, false);
    let block = block.ok_or(ComError::Result(result::OUT_OF_MEMORY))?;
    guest.write_wide(block, &text)?;
    Ok(guest.write_word(into.get(), block)?)
}

/// Makes an item of a path.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shobjidl_core/nf-shobjidl_core-shcreateitemfromparsingname>
#[winapi]
pub fn SHCreateItemFromParsingName(
    guest: &mut Guest,
    pszPath: GuestWord,
    pbc: GuestWord,
    riid: GuestWord,
    ppv: GuestWord,
) -> Result<(), ComError> {
    let _ = pbc;
    if pszPath.is_null() || ppv.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    guest.write_word(ppv.get(), 0)?;
    let path = id_lists::existing(guest, &guest.read_wide_string(pszPath.get())?)?;
    give(guest, path, riid, ppv)
}

/// Makes an item of a name in the folder that another item is.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shobjidl_core/nf-shobjidl_core-shcreateitemfromrelativename>
#[winapi]
pub fn SHCreateItemFromRelativeName(
    guest: &mut Guest,
    psiParent: GuestWord,
    pszName: GuestWord,
    pbc: GuestWord,
    riid: GuestWord,
    ppv: GuestWord,
) -> Result<(), ComError> {
    let _ = pbc;
    if pszName.is_null() || ppv.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    guest.write_word(ppv.get(), 0)?;
    let parent = com::this::<ShellItem>(guest, psiParent)?;
    let name = guest.read_wide_string(pszName.get())?;
    let path = shell_path::combine(&parent.path, &name).ok_or(ComError::Result(result::INVALID_ARGUMENT))?;
    drop(parent);
    let path = id_lists::existing(guest, &path)?;
    give(guest, path, riid, ppv)
}

/// Makes an item of a list.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shobjidl_core/nf-shobjidl_core-shcreateitemfromidlist>
#[winapi]
pub fn SHCreateItemFromIDList(
    guest: &mut Guest,
    pidl: GuestWord,
    riid: GuestWord,
    ppv: GuestWord,
) -> Result<(), ComError> {
    let path = id_list::path_of(guest, pidl)?.ok_or(ComError::Result(result::INVALID_ARGUMENT))?;
    give(guest, path, riid, ppv)
}

/// Makes an item of a folder by its identifier.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlobj_core/nf-shlobj_core-shgetknownfolderitem>
#[winapi]
pub fn SHGetKnownFolderItem(
    guest: &mut Guest,
    rfid: GuestWord,
    flags: u32,
    hToken: GuestWord,
    riid: GuestWord,
    ppv: GuestWord,
) -> Result<(), ComError> {
    let _ = (flags, hToken);
    let path = folders::by_identifier(guest, rfid)?.ok_or(crate::Win32Error::FILE_NOT_FOUND)?;
    let path = id_lists::existing(guest, &path)?;
    give(guest, path, riid, ppv)
}

/// Makes a list of a folder by its identifier.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlobj_core/nf-shlobj_core-shgetknownfolderidlist>
#[winapi]
pub fn SHGetKnownFolderIDList(
    guest: &mut Guest,
    rfid: GuestWord,
    dwFlags: u32,
    hToken: GuestWord,
    ppidl: GuestWord,
) -> Result<(), ComError> {
    let _ = (dwFlags, hToken);
    guest.write_word(ppidl.get(), 0)?;
    let path = folders::by_identifier(guest, rfid)?.ok_or(crate::Win32Error::FILE_NOT_FOUND)?;
    let list = id_list::make(guest, &path)?;
    Ok(guest.write_word(ppidl.get(), list.get())?)
}

/// Makes a list of an item.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlobj_core/nf-shlobj_core-shgetidlistfromobject>
#[winapi]
pub fn SHGetIDListFromObject(guest: &mut Guest, punk: GuestWord, ppidl: GuestWord) -> Result<(), ComError> {
    guest.write_word(ppidl.get(), 0)?;
    let item = com::this::<ShellItem>(guest, punk).map_err(|_| ComError::Result(result::NO_INTERFACE))?;
    let path = item.path.clone();
    drop(item);
    let list = id_list::make(guest, &path)?;
    Ok(guest.write_word(ppidl.get(), list.get())?)
}

/// Gives something that works with the item: a stream of a file's bytes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shobjidl_core/nf-shobjidl_core-ishellitem-bindtohandler>
#[winapi]
pub fn IShellItem_BindToHandler(
    guest: &mut Guest,
    This: GuestWord,
    pbc: GuestWord,
    bhid: GuestWord,
    riid: GuestWord,
    ppv: GuestWord,
) -> Result<(), ComError> {
    let _ = (pbc, riid);
    let item = com::this::<ShellItem>(guest, This)?;
    guest.write_word(ppv.get(), 0)?;
    let mut handler = Guid::default();
    guest.read_bytes(bhid.get(), &mut handler)?;
    if handler != STREAM_HANDLER {
        return fail(NO_OBJECT);
    }
    let file = file_stream::open(guest, &item.path, 0)?;
    drop(item);
    com::give(guest, Stream::new(Backing::File(Box::new(file)), 0), ppv)
}

/// Gives the folder that the item lies in.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shobjidl_core/nf-shobjidl_core-ishellitem-getparent>
#[winapi]
pub fn IShellItem_GetParent(guest: &mut Guest, This: GuestWord, ppsi: GuestWord) -> Result<(), ComError> {
    if ppsi.is_null() {
        return fail(result::BAD_POINTER);
    }
    guest.write_word(ppsi.get(), 0)?;
    let above = parent(&com::this::<ShellItem>(guest, This)?.path);
    match above {
        Some(path) => com::give(guest, ShellItem { path }, ppsi),
        None => fail(NO_OBJECT),
    }
}

/// Gives a name of the item, in memory for `CoTaskMemFree`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shobjidl_core/nf-shobjidl_core-ishellitem-getdisplayname>
#[winapi]
pub fn IShellItem_GetDisplayName(
    guest: &mut Guest,
    This: GuestWord,
    sigdnName: u32,
    ppszName: GuestWord,
) -> Result<(), ComError> {
    if ppszName.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    guest.write_word(ppszName.get(), 0)?;
    let path = com::this::<ShellItem>(guest, This)?.path.clone();
    give_name(guest, &path, sigdnName, ppszName)
}

/// Returns `S_OK` or `S_FALSE`.
fn true_or_false(is_true: bool) -> Result<(), ComError> {
    if is_true { Ok(()) } else { fail(1) }
}

/// Says what the item is like; `S_FALSE` where not all of what was asked for is so.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shobjidl_core/nf-shobjidl_core-ishellitem-getattributes>
#[winapi]
pub fn IShellItem_GetAttributes(
    guest: &mut Guest,
    This: GuestWord,
    sfgaoMask: u32,
    psfgaoAttribs: GuestWord,
) -> Result<(), ComError> {
    let item = com::this::<ShellItem>(guest, This)?;
    let found = attributes(guest, &item.path)? & sfgaoMask;
    guest.write(psfgaoAttribs.get(), &found)?;
    true_or_false(found == sfgaoMask)
}

/// Compares two items by their paths; `S_FALSE` where they differ.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shobjidl_core/nf-shobjidl_core-ishellitem-compare>
#[winapi]
pub fn IShellItem_Compare(
    guest: &mut Guest,
    This: GuestWord,
    psi: GuestWord,
    hint: u32,
    piOrder: GuestWord,
) -> Result<(), ComError> {
    let _ = hint;
    let (one, two) = (com::this::<ShellItem>(guest, This)?, com::this::<ShellItem>(guest, psi)?);
    let lower = |item: &ShellItem| String::from_utf16_lossy(&item.path).to_lowercase();
    let order = lower(&one).cmp(&lower(&two)) as i32;
    guest.write(piOrder.get(), &order)?;
    true_or_false(order == 0)
}
