//! winuser.h: menus as data; nothing is shown, so nobody chooses.

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use super::calls;
use crate::Win32Error;
use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest, TRUE};
use crate::nt::user::State;
use crate::nt::user::menu::{CHECKED, DEFAULT, DISABLED, Item, Menu, RADIO, SEPARATOR, Wanted};
use crate::nt::user::window::WS_CHILD;
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full CreateMenu; full CreatePopupMenu; full DestroyMenu; full IsMenu;
    full AppendMenuA; full AppendMenuW; full InsertMenuA; full InsertMenuW; full ModifyMenuA; full ModifyMenuW;
    full InsertMenuItemA; full InsertMenuItemW; full SetMenuItemInfoA; full SetMenuItemInfoW;
    full GetMenuItemInfoA; full GetMenuItemInfoW; full GetMenuStringA; full GetMenuStringW;
    full GetMenuItemCount; full GetMenuItemID; full GetMenuState; full GetSubMenu;
    full RemoveMenu; full DeleteMenu; full CheckMenuItem; full EnableMenuItem; full CheckMenuRadioItem;
    full SetMenuDefaultItem; full GetMenuDefaultItem; full GetMenuInfo; full SetMenuInfo; full SetMenuItemBitmaps;
    full GetMenu; full SetMenu; full GetSystemMenu;
    partial DrawMenuBar, "nothing is drawn";
    partial TrackPopupMenu, "nothing is shown: nobody chooses"; partial TrackPopupMenuEx, "nothing is shown: nobody chooses";
    partial EndMenu, "no menu is open";
};

type Done = Result<Bool, Win32Error>;

/// `MF_BYPOSITION`.
const BY_POSITION: u32 = 0x400;
/// `MF_POPUP`.
const POPUP: u32 = 0x10;
/// `MF_BITMAP`, also `MFT_BITMAP`.
const BITMAP: u32 = 4;
/// `MF_OWNERDRAW`, also `MFT_OWNERDRAW`.
const OWNER_DRAW: u32 = 0x100;
/// The flags of old functions that are `MFT_*`: bitmap, bars, own drawing, separator, right order, right side.
const KINDS: u32 = 0x6964;
/// Those that are `MFS_*`: grayed, disabled, checked, lit.
const STATES: u32 = 0x8b;

/// `MIIM_*`: what a `MENUITEMINFO` is about.
const MASK_STATE: u32 = 1;
const MASK_ID: u32 = 2;
const MASK_SUBMENU: u32 = 4;
const MASK_CHECKMARKS: u32 = 8;
const MASK_TYPE: u32 = 0x10;
const MASK_DATA: u32 = 0x20;
const MASK_STRING: u32 = 0x40;
const MASK_BITMAP: u32 = 0x80;
const MASK_KIND: u32 = 0x100;

/// `MENUITEMINFO`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/ns-winuser-menuiteminfow>
#[derive(GuestStruct, Default, Clone)]
struct ItemInfo {
    cbSize: u32,
    fMask: u32,
    fType: u32,
    fState: u32,
    wID: u32,
    hSubMenu: GuestWord,
    hbmpChecked: GuestWord,
    hbmpUnchecked: GuestWord,
    dwItemData: GuestWord,
    dwTypeData: GuestWord,
    cch: u32,
    hbmpItem: GuestWord,
}

/// `MENUINFO`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/ns-winuser-menuinfo>
#[derive(GuestStruct, Default)]
struct Info {
    cbSize: u32,
    fMask: u32,
    dwStyle: u32,
    cyMax: u32,
    hbrBack: GuestWord,
    dwContextHelpID: u32,
    dwMenuData: GuestWord,
}

answers! {
    "Opens a menu: nothing is shown, so nobody chooses.", "winuser/nf-winuser-trackpopupmenu";
    TrackPopupMenu(
        hMenu: GuestWord, uFlags: u32, x: i32, y: i32, nReserved: i32, hWnd: GuestWord, prcRect: GuestWord
    ) -> u32 = 0;
    "Opens a menu: nothing is shown, so nobody chooses.", "winuser/nf-winuser-trackpopupmenuex";
    TrackPopupMenuEx(hMenu: GuestWord, uFlags: u32, x: i32, y: i32, hwnd: GuestWord, lptpm: GuestWord) -> u32 = 0;
    "Closes the open menu: there is none.", "winuser/nf-winuser-endmenu";
    EndMenu() -> Bool = FALSE;
}

fn wanted(item: u32, is_place: bool) -> Wanted {
    if is_place { Wanted::Place(item) } else { Wanted::Number(item) }
}

/// Runs `on` with an item of a menu.
fn with_item<T>(
    guest: &Guest,
    menu: GuestWord,
    wanted: Wanted,
    on: impl FnOnce(&mut Item) -> T,
) -> Result<T, Win32Error> {
    let mut state = guest.process().desktop.state();
    let menu = check(&state, menu)?;
    state.menus.item_mut(menu, wanted).map(on).ok_or(Win32Error::MENU_ITEM_NOT_FOUND)
}

/// Returns a menu's handle if it is one.
fn check(state: &State, menu: GuestWord) -> Result<u64, Win32Error> {
    state.menus.get(menu.get()).map(|_| menu.get()).ok_or(Win32Error::INVALID_MENU_HANDLE)
}

fn menu_of(state: &State, menu: GuestWord) -> Result<&Menu, Win32Error> {
    state.menus.get(menu.get()).ok_or(Win32Error::INVALID_MENU_HANDLE)
}

/// Turns an error into the number that a function says then; the error becomes the last one.
fn or_all_ones(guest: &mut Guest, result: Result<u32, Win32Error>) -> u32 {
    result.unwrap_or_else(|error| {
        guest.set_last_error(error);
        u32::MAX
    })
}

fn make(guest: &Guest) -> GuestWord {
    GuestWord(guest.process().desktop.state().menus.make())
}

/// Makes a menu bar without items.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-createmenu>
#[winapi]
pub fn CreateMenu(guest: &mut Guest) -> GuestWord {
    make(guest)
}

/// Makes a menu without items.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-createpopupmenu>
#[winapi]
pub fn CreatePopupMenu(guest: &mut Guest) -> GuestWord {
    make(guest)
}

/// Forgets a menu and those below it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-destroymenu>
#[winapi]
pub fn DestroyMenu(guest: &mut Guest, hMenu: GuestWord) -> Done {
    let is_gone = guest.process().desktop.state().menus.destroy(hMenu.get());
    if is_gone { Ok(TRUE) } else { Err(Win32Error::INVALID_MENU_HANDLE) }
}

/// Says whether a handle is a menu's.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-ismenu>
#[winapi]
pub fn IsMenu(guest: &mut Guest, hMenu: GuestWord) -> Bool {
    Bool(guest.process().desktop.state().menus.get(hMenu.get()).is_some())
}

/// Makes an item of what the older functions take.
fn old_item(
    guest: &Guest,
    width: Width,
    flags: u32,
    id: GuestWord,
    given: GuestWord,
) -> Result<Item, Win32Error> {
    let mut item = Item { id: id.get() as u32, kind: flags & KINDS, ..Item::default() };
    if flags & POPUP != 0 {
        item.below = id.get();
    }
    if flags & BITMAP != 0 {
        item.pictures[2] = given.get();
        item.type_data = given.get();
    } else if flags & OWNER_DRAW != 0 {
        item.data = given.get();
    } else if flags & SEPARATOR != 0 || given.is_null() {
        // Nothing to read: an item without a text is a line.
        item.kind |= SEPARATOR;
    } else {
        item.text = Some(width.read(guest, given)?);
    }
    item.state = flags & STATES;
    if item.kind & SEPARATOR != 0 {
        item.state |= DISABLED;
    }
    Ok(item)
}

fn insert(guest: &Guest, menu: GuestWord, before: Wanted, item: Item) -> Done {
    let mut state = guest.process().desktop.state();
    let menu = check(&state, menu)?;
    if item.below != 0 {
        check(&state, GuestWord(item.below))?;
    }
    Ok(Bool(state.menus.insert(menu, before, item)))
}

/// Returns whether a structure's size is one of the two that there are: with and without its last member.
fn is_size(guest: &Guest, size: u32) -> bool {
    let whole = ItemInfo::size(guest.machine());
    [whole, whole - guest.machine().pointer_size()].contains(&size.into())
}

/// Reads a `MENUITEMINFO`; the short form has no last member.
fn read_info(guest: &Guest, address: GuestWord) -> Result<ItemInfo, Win32Error> {
    let size = guest.read_u32(address.get())?;
    if !is_size(guest, size) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let mut info: ItemInfo = guest.read(address.get())?;
    if u64::from(size) < ItemInfo::size(guest.machine()) {
        info.hbmpItem = GuestWord::NULL;
    }
    // MIIM_TYPE stands for three others, and not beside them.
    if info.fMask & MASK_TYPE != 0 && info.fMask & (MASK_STRING | MASK_KIND | MASK_BITMAP) != 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    Ok(info)
}

/// Changes an item to what a structure says.
fn apply(guest: &Guest, width: Width, info: &ItemInfo, item: &mut Item) -> Result<(), Win32Error> {
    let mask = info.fMask;
    if mask & (MASK_TYPE | MASK_KIND) != 0 {
        item.kind = info.fType & (KINDS | RADIO);
    }
    let has_text = mask & MASK_STRING != 0
        || mask & MASK_TYPE != 0 && info.fType & (BITMAP | SEPARATOR | OWNER_DRAW) == 0;
    if has_text {
        let text = if info.dwTypeData.is_null() { None } else { Some(width.read(guest, info.dwTypeData)?) };
        item.text = text;
    } else if mask & MASK_TYPE != 0 {
        (item.type_data, item.text) = (info.dwTypeData.get(), None);
        if info.fType & BITMAP != 0 {
            item.pictures[2] = info.dwTypeData.get();
        }
    }
    if mask & MASK_STATE != 0 {
        item.state = info.fState & (STATES | DEFAULT);
    }
    if mask & MASK_ID != 0 {
        item.id = info.wID;
    }
    if mask & MASK_SUBMENU != 0 {
        item.below = info.hSubMenu.get();
    }
    if mask & MASK_CHECKMARKS != 0 {
        (item.pictures[0], item.pictures[1]) = (info.hbmpChecked.get(), info.hbmpUnchecked.get());
    }
    if mask & MASK_DATA != 0 {
        item.data = info.dwItemData.get();
    }
    if mask & MASK_BITMAP != 0 {
        item.pictures[2] = info.hbmpItem.get();
    }
    Ok(())
}

/// Fills a structure with what it asks about an item.
fn describe(guest: &Guest, width: Width, info: &mut ItemInfo, item: &Item) -> Result<(), Win32Error> {
    let mask = info.fMask;
    if mask & (MASK_TYPE | MASK_KIND) != 0 {
        info.fType = item.kind;
    }
    if mask & MASK_STATE != 0 {
        info.fState = item.state;
    }
    if mask & MASK_ID != 0 {
        info.wID = item.id;
    }
    if mask & MASK_SUBMENU != 0 {
        info.hSubMenu = GuestWord(item.below);
    }
    if mask & MASK_CHECKMARKS != 0 {
        (info.hbmpChecked, info.hbmpUnchecked) = (GuestWord(item.pictures[0]), GuestWord(item.pictures[1]));
    }
    if mask & MASK_DATA != 0 {
        info.dwItemData = GuestWord(item.data);
    }
    if mask & MASK_BITMAP != 0 {
        info.hbmpItem = GuestWord(item.pictures[2]);
    }
    if mask & MASK_TYPE != 0 && item.text.is_none() {
        (info.dwTypeData, info.cch) = (GuestWord(item.type_data), 0);
    } else if mask & (MASK_STRING | MASK_TYPE) != 0 {
        let text = item.text.as_deref().unwrap_or_default();
        let whole = width.bytes(text).len() / width.unit_bytes() - 1;
        info.cch = match info.dwTypeData.get() {
            0 => whole as u32,
            buffer => calls::put_text(guest, width, buffer, info.cch as usize, text)? as u32,
        };
    }
    Ok(())
}

both_widths! {
    /// Adds an item behind the others.
    "winuser/nf-winuser-appendmenu"
    AppendMenuA, AppendMenuW(
        guest, width, hMenu: GuestWord, uFlags: u32, uIDNewItem: GuestWord, lpNewItem: GuestWord
    ) -> Done {
        let item = old_item(guest, width, uFlags & !BY_POSITION, uIDNewItem, lpNewItem)?;
        insert(guest, hMenu, Wanted::Place(u32::MAX), item)
    }

    /// Adds an item before another.
    "winuser/nf-winuser-insertmenu"
    InsertMenuA, InsertMenuW(
        guest, width, hMenu: GuestWord, uPosition: u32, uFlags: u32, uIDNewItem: GuestWord, lpNewItem: GuestWord
    ) -> Done {
        let item = old_item(guest, width, uFlags, uIDNewItem, lpNewItem)?;
        insert(guest, hMenu, wanted(uPosition, uFlags & BY_POSITION != 0), item)
    }

    /// Replaces an item; a menu below it is forgotten.
    "winuser/nf-winuser-modifymenu"
    ModifyMenuA, ModifyMenuW(
        guest, width, hMnu: GuestWord, uPosition: u32, uFlags: u32, uIDNewItem: GuestWord, lpNewItem: GuestWord
    ) -> Done {
        let new = old_item(guest, width, uFlags, uIDNewItem, lpNewItem)?;
        let keeps_data = uFlags & OWNER_DRAW == 0;
        let below = with_item(guest, hMnu, wanted(uPosition, uFlags & BY_POSITION != 0), |item| {
            let old = std::mem::replace(item, new);
            if keeps_data {
                item.data = old.data;
            }
            if old.below == item.below { 0 } else { old.below }
        })?;
        guest.process().desktop.state().menus.destroy(below);
        Ok(TRUE)
    }

    /// Adds an item that a structure describes before another.
    "winuser/nf-winuser-insertmenuitem"
    InsertMenuItemA, InsertMenuItemW(
        guest, width, hmenu: GuestWord, item: u32, fByPosition: Bool, lpmi: GuestWord
    ) -> Done {
        let info = read_info(guest, lpmi)?;
        let mut new = Item::default();
        apply(guest, width, &info, &mut new)?;
        if new.kind & SEPARATOR != 0 {
            new.state |= DISABLED;
        }
        insert(guest, hmenu, wanted(item, fByPosition.0), new)
    }

    /// Changes an item to what a structure says.
    "winuser/nf-winuser-setmenuiteminfo"
    SetMenuItemInfoA, SetMenuItemInfoW(
        guest, width, hmenu: GuestWord, item: u32, fByPositon: Bool, lpmii: GuestWord
    ) -> Done {
        let info = read_info(guest, lpmii)?;
        let which = wanted(item, fByPositon.0);
        let mut changed = with_item(guest, hmenu, which, |item| item.clone())?;
        apply(guest, width, &info, &mut changed)?;
        with_item(guest, hmenu, which, |item| *item = changed)?;
        Ok(TRUE)
    }

    /// Stores what a structure asks about an item.
    "winuser/nf-winuser-getmenuiteminfo"
    GetMenuItemInfoA, GetMenuItemInfoW(
        guest, width, hmenu: GuestWord, item: u32, fByPosition: Bool, lpmii: GuestWord
    ) -> Done {
        let mut info = read_info(guest, lpmii)?;
        let item = with_item(guest, hmenu, wanted(item, fByPosition.0), |item| item.clone())?;
        describe(guest, width, &mut info, &item)?;
        if u64::from(info.cbSize) == ItemInfo::size(guest.machine()) {
            guest.write(lpmii.get(), &info)?;
        } else {
            // The short form ends before the last member: what lies behind it is put back.
            let last = lpmii.get() + u64::from(info.cbSize);
            let behind = guest.read_word(last)?;
            guest.write(lpmii.get(), &info)?;
            guest.write_word(last, behind)?;
        }
        Ok(TRUE)
    }

    /// Stores an item's text; returns its length, without a buffer too.
    "winuser/nf-winuser-getmenustring"
    GetMenuStringA, GetMenuStringW(
        guest, width, hMenu: GuestWord, uIDItem: u32, lpString: GuestWord, cchMax: i32, flags: u32
    ) -> Result<i32, Win32Error> {
        let room = usize::try_from(cchMax).unwrap_or(0);
        if !lpString.is_null() && room > 0 {
            width.write(guest, lpString, &[])?;
        }
        let which = wanted(uIDItem, flags & BY_POSITION != 0);
        let text = with_item(guest, hMenu, which, |item| item.text.clone())?.unwrap_or_default();
        if lpString.is_null() || room == 0 {
            return Ok(width.bytes(&text).len() as i32 / width.unit_bytes() as i32 - 1);
        }
        calls::put_text(guest, width, lpString.get(), room, &text).map(|length| length as i32)
    }
}

/// Returns how many items a menu has, or -1.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getmenuitemcount>
#[winapi]
pub fn GetMenuItemCount(guest: &mut Guest, hMenu: GuestWord) -> u32 {
    let count = menu_of(&guest.process().desktop.state(), hMenu).map(|menu| menu.items.len() as u32);
    or_all_ones(guest, count)
}

/// Returns the number of the item at a place; -1 where there is none, or where it has a menu below it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getmenuitemid>
#[winapi]
pub fn GetMenuItemID(guest: &mut Guest, hMenu: GuestWord, nPos: i32) -> u32 {
    let id =
        with_item(
            guest,
            hMenu,
            Wanted::Place(nPos as u32),
            |item| {
                if item.below != 0 { u32::MAX } else { item.id }
            },
        );
    or_all_ones(guest, id)
}

/// Returns an item's flags, for one with a menu below it the count of items there in the second byte; -1 where there is none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getmenustate>
#[winapi]
pub fn GetMenuState(guest: &mut Guest, hMenu: GuestWord, uId: u32, uFlags: u32) -> u32 {
    let found = with_item(guest, hMenu, wanted(uId, uFlags & BY_POSITION != 0), |item| item.clone());
    let flags = found.map(|item| {
        let flags = item.kind | item.state;
        match guest.process().desktop.state().menus.get(item.below) {
            Some(below) => (below.items.len() as u32) << 8 | (flags | POPUP) & 0xff,
            None => flags,
        }
    });
    or_all_ones(guest, flags)
}

/// Returns the menu below the item at a place, or null.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getsubmenu>
#[winapi]
pub fn GetSubMenu(guest: &mut Guest, hMenu: GuestWord, nPos: i32) -> Result<GuestWord, Win32Error> {
    with_item(guest, hMenu, Wanted::Place(nPos as u32), |item| GuestWord(item.below))
}

fn remove(guest: &Guest, menu: GuestWord, item: u32, flags: u32) -> Result<Item, Win32Error> {
    let mut state = guest.process().desktop.state();
    let menu = check(&state, menu)?;
    let removed = state.menus.remove(menu, wanted(item, flags & BY_POSITION != 0));
    removed.ok_or(Win32Error::MENU_ITEM_NOT_FOUND)
}

/// Takes an item out; a menu below it stays.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-removemenu>
#[winapi]
pub fn RemoveMenu(guest: &mut Guest, hMenu: GuestWord, uPosition: u32, uFlags: u32) -> Done {
    remove(guest, hMenu, uPosition, uFlags).map(|_| TRUE)
}

/// Takes an item out, with a menu below it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-deletemenu>
#[winapi]
pub fn DeleteMenu(guest: &mut Guest, hMenu: GuestWord, uPosition: u32, uFlags: u32) -> Done {
    let item = remove(guest, hMenu, uPosition, uFlags)?;
    guest.process().desktop.state().menus.destroy(item.below);
    Ok(TRUE)
}

/// Sets some of an item's states; returns the former ones, or -1.
fn set_states(guest: &Guest, menu: GuestWord, item: u32, flags: u32, states: u32) -> u32 {
    let which = wanted(item, flags & BY_POSITION != 0);
    let former = with_item(guest, menu, which, |item| {
        let former = item.state & states;
        item.state = item.state & !states | flags & states;
        former
    });
    former.unwrap_or(u32::MAX)
}

/// Checks an item or not; returns `MF_CHECKED` if it was, -1 where there is none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-checkmenuitem>
#[winapi]
pub fn CheckMenuItem(guest: &mut Guest, hMenu: GuestWord, uIDCheckItem: u32, uCheck: u32) -> u32 {
    set_states(guest, hMenu, uIDCheckItem, uCheck, CHECKED)
}

/// Enables an item or not; returns how it was, -1 where there is none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-enablemenuitem>
#[winapi]
pub fn EnableMenuItem(guest: &mut Guest, hMenu: GuestWord, uIDEnableItem: u32, uEnable: u32) -> u32 {
    set_states(guest, hMenu, uIDEnableItem, uEnable, DISABLED)
}

/// Checks one item of several in a row with a dot, and the others not.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-checkmenuradioitem>
#[winapi]
pub fn CheckMenuRadioItem(
    guest: &mut Guest,
    hmenu: GuestWord,
    first: u32,
    last: u32,
    check: u32,
    flags: u32,
) -> Done {
    let is_place = flags & BY_POSITION != 0;
    let mut was_found = false;
    for number in (first..=last).take(0x1_0000) {
        let _ = with_item(guest, hmenu, wanted(number, is_place), |item| {
            if number == check {
                item.kind |= RADIO;
                item.state |= CHECKED;
                was_found = true;
            } else {
                item.kind &= !RADIO;
                item.state &= !CHECKED;
            }
        });
    }
    if was_found { Ok(TRUE) } else { Err(Win32Error::MENU_ITEM_NOT_FOUND) }
}

/// Makes one item the default one; -1 makes none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-setmenudefaultitem>
#[winapi]
pub fn SetMenuDefaultItem(guest: &mut Guest, hMenu: GuestWord, uItem: u32, fByPos: u32) -> Done {
    let mut state = guest.process().desktop.state();
    let menu = state.menus.get_mut(hMenu.get()).ok_or(Win32Error::INVALID_MENU_HANDLE)?;
    for item in &mut menu.items {
        item.state &= !DEFAULT;
    }
    if uItem == u32::MAX {
        return Ok(TRUE);
    }
    let place =
        if fByPos != 0 { Some(uItem as usize) } else { menu.items.iter().position(|item| item.id == uItem) };
    let item = place.and_then(|place| menu.items.get_mut(place)).ok_or(Win32Error::MENU_ITEM_NOT_FOUND)?;
    item.state |= DEFAULT;
    Ok(TRUE)
}

/// Returns the default item's number or place, or -1.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getmenudefaultitem>
#[winapi]
pub fn GetMenuDefaultItem(guest: &mut Guest, hMenu: GuestWord, fByPos: u32, gmdiFlags: u32) -> u32 {
    /// `GMDI_USEDISABLED`.
    const USE_DISABLED: u32 = 1;
    let found = menu_of(&guest.process().desktop.state(), hMenu).and_then(|menu| {
        let place = menu.items.iter().position(|item| item.state & DEFAULT != 0);
        let place = place.ok_or(Win32Error::MENU_ITEM_NOT_FOUND)?;
        let item = &menu.items[place];
        match item.state & DISABLED != 0 && gmdiFlags & USE_DISABLED == 0 {
            true => Err(Win32Error::MENU_ITEM_NOT_FOUND),
            false => Ok(if fByPos != 0 { place as u32 } else { item.id }),
        }
    });
    or_all_ones(guest, found)
}

/// Reads a `MENUINFO` for a menu.
fn about(guest: &Guest, address: GuestWord) -> Result<Info, Win32Error> {
    let info: Info = guest.read(address.get())?;
    if u64::from(info.cbSize) != Info::size(guest.machine()) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    Ok(info)
}

/// Stores what a structure asks about a menu.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getmenuinfo>
#[winapi]
pub fn GetMenuInfo(guest: &mut Guest, param0: GuestWord, param1: GuestWord) -> Done {
    let mut info = about(guest, param1)?;
    let menu = menu_of(&guest.process().desktop.state(), param0)?.clone();
    // MIM_MAXHEIGHT, MIM_BACKGROUND, MIM_HELPID, MIM_MENUDATA, MIM_STYLE
    if info.fMask & 1 != 0 {
        info.cyMax = menu.height;
    }
    if info.fMask & 2 != 0 {
        info.hbrBack = GuestWord(menu.brush);
    }
    if info.fMask & 4 != 0 {
        info.dwContextHelpID = menu.help;
    }
    if info.fMask & 8 != 0 {
        info.dwMenuData = GuestWord(menu.data);
    }
    if info.fMask & 0x10 != 0 {
        info.dwStyle = menu.style;
    }
    guest.write(param1.get(), &info)?;
    Ok(TRUE)
}

/// Changes a menu to what a structure says, and those below it where that is asked for.
fn set_info(state: &mut State, menu: u64, info: &Info, depth: u32) -> Result<(), Win32Error> {
    let own = state.menus.get_mut(menu).ok_or(Win32Error::INVALID_MENU_HANDLE)?;
    if info.fMask & 1 != 0 {
        own.height = info.cyMax;
    }
    if info.fMask & 2 != 0 {
        own.brush = info.hbrBack.get();
    }
    if info.fMask & 4 != 0 {
        own.help = info.dwContextHelpID;
    }
    if info.fMask & 8 != 0 {
        own.data = info.dwMenuData.get();
    }
    if info.fMask & 0x10 != 0 {
        own.style = info.dwStyle;
    }
    // MIM_APPLYTOSUBMENUS
    if info.fMask & 0x8000_0000 != 0 && depth < 25 {
        let below: Vec<u64> = own.items.iter().map(|item| item.below).filter(|&below| below != 0).collect();
        for menu in below {
            set_info(state, menu, info, depth + 1)?;
        }
    }
    Ok(())
}

/// Changes a menu to what a structure says.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-setmenuinfo>
#[winapi]
pub fn SetMenuInfo(guest: &mut Guest, param0: GuestWord, param1: GuestWord) -> Done {
    let info = about(guest, param1)?;
    set_info(&mut guest.process().desktop.state(), param0.get(), &info, 0)?;
    Ok(TRUE)
}

/// Gives an item pictures for when it is checked and when not.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-setmenuitembitmaps>
#[winapi]
pub fn SetMenuItemBitmaps(
    guest: &mut Guest,
    hMenu: GuestWord,
    uPosition: u32,
    uFlags: u32,
    hBitmapUnchecked: GuestWord,
    hBitmapChecked: GuestWord,
) -> Done {
    with_item(guest, hMenu, wanted(uPosition, uFlags & BY_POSITION != 0), |item| {
        (item.pictures[0], item.pictures[1]) = (hBitmapChecked.get(), hBitmapUnchecked.get());
    })?;
    Ok(TRUE)
}

/// Returns a window's menu; a child has none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getmenu>
#[winapi]
pub fn GetMenu(guest: &mut Guest, hWnd: GuestWord) -> Result<GuestWord, Win32Error> {
    let state = guest.process().desktop.state();
    let window = state.window(hWnd.get())?;
    Ok(GuestWord(if window.style & WS_CHILD != 0 { 0 } else { window.id }))
}

/// Gives a window another menu, or none; the former stays.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-setmenu>
#[winapi]
pub fn SetMenu(guest: &mut Guest, hWnd: GuestWord, hMenu: GuestWord) -> Done {
    let mut state = guest.process().desktop.state();
    if !hMenu.is_null() {
        check(&state, hMenu)?;
    }
    let window = state.window_mut(hWnd.get())?;
    if window.style & WS_CHILD != 0 {
        return Ok(FALSE);
    }
    window.id = hMenu.get();
    Ok(TRUE)
}

/// Returns a copy of the menu of a window's title, which the first call makes; `bRevert` forgets it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getsystemmenu>
#[winapi]
pub fn GetSystemMenu(guest: &mut Guest, hWnd: GuestWord, bRevert: Bool) -> Result<GuestWord, Win32Error> {
    /// `SC_*` and the texts that go with them.
    const ROWS: [(u32, &str); 7] = [
        (0xf120, "&Restore"),
        (0xf010, "&Move"),
        (0xf000, "&Size"),
        (0xf020, "Mi&nimize"),
        (0xf030, "Ma&ximize"),
        (0, ""),
        (0xf060, "&Close\tAlt+F4"),
    ];
    let mut state = guest.process().desktop.state();
    let former = state.window(hWnd.get())?.system_menu;
    if bRevert.0 {
        state.menus.destroy(former);
        state.window_mut(hWnd.get())?.system_menu = 0;
        return Ok(GuestWord::NULL);
    }
    if state.menus.get(former).is_some() {
        return Ok(GuestWord(former));
    }
    let menu = state.menus.make();
    for (id, text) in ROWS {
        let item = match id {
            0 => Item { kind: SEPARATOR, state: DISABLED, ..Item::default() },
            id => Item { id, text: Some(text.encode_utf16().collect()), ..Item::default() },
        };
        state.menus.insert(menu, Wanted::Place(u32::MAX), item);
    }
    state.window_mut(hWnd.get())?.system_menu = menu;
    Ok(GuestWord(menu))
}

/// Draws a window's menu: nothing.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-drawmenubar>
#[winapi]
pub fn DrawMenuBar(guest: &mut Guest, hWnd: GuestWord) -> Done {
    guest.process().desktop.state().window(hWnd.get())?;
    Ok(TRUE)
}
