//! comctl32.dll: common controls. Their classes cannot be had, since there is no screen; a program that only makes them
//! known starts.

use plat_abi::{GuestWord, Memory, winapi};

use crate::dll;
use crate::export::{Dll, Export};
use crate::guest::{Bool, FALSE, Guest, TRUE};

/// The DLL.
pub const DLL: Dll = Dll {
    name: "comctl32.dll",
    description: "User Experience Controls Library",
    tables: &[EXPORTS],
    methods: &[],
};

/// The exports of this file. The number is the one that import libraries use.
pub const EXPORTS: &[Export] = dll! {
    @17 partial InitCommonControls, "no control classes";
    partial InitCommonControlsEx, "no control classes";
    stub CreateMappedBitmap; stub CreatePropertySheetPageA; stub CreatePropertySheetPageW; stub CreateStatusWindowA;
    stub CreateStatusWindowW; stub CreateToolbarEx; stub DestroyPropertySheetPage; stub ImageList_Add;
    stub ImageList_AddMasked; stub ImageList_BeginDrag; stub ImageList_Create; stub ImageList_Destroy;
    stub ImageList_DragEnter; stub ImageList_DragLeave; stub ImageList_DragMove; stub ImageList_DragShowNolock;
    stub ImageList_Draw; stub ImageList_DrawEx; stub ImageList_EndDrag; stub ImageList_GetBkColor;
    stub ImageList_GetIcon; stub ImageList_GetIconSize; stub ImageList_GetImageCount; stub ImageList_LoadImageA;
    stub ImageList_LoadImageW; stub ImageList_Read; stub ImageList_Remove; stub ImageList_Replace;
    stub ImageList_ReplaceIcon; stub ImageList_SetBkColor; stub ImageList_SetDragCursorImage;
    stub ImageList_SetIconSize; stub ImageList_Write; stub PropertySheetA; stub PropertySheetW;
    stub _TrackMouseEvent; stub FlatSB_GetScrollInfo; stub FlatSB_SetScrollInfo; stub InitializeFlatSB;
    stub TaskDialog; stub TaskDialogIndirect; stub LoadIconMetric;
    @410 stub SetWindowSubclass; @412 stub RemoveWindowSubclass; @413 stub DefSubclassProc;
};

/// Makes the common controls of Windows 95 known.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/commctrl/nf-commctrl-initcommoncontrols>
#[winapi]
pub fn InitCommonControls(guest: &mut Guest) {
    let _ = guest;
}

/// Makes the classes of controls known that the structure names.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/commctrl/nf-commctrl-initcommoncontrolsex>
#[winapi]
pub fn InitCommonControlsEx(guest: &mut Guest, picce: GuestWord) -> Bool {
    /// The size of `INITCOMMONCONTROLSEX`, and the classes that there are.
    const SIZE: u32 = 8;
    const CLASSES: u32 = 0xffff;
    let size = guest.read_u32(picce.get());
    let classes = guest.read_u32(picce.get() + 4);
    match (size, classes) {
        (Ok(SIZE), Ok(classes)) if classes & !CLASSES == 0 => TRUE,
        _ => FALSE,
    }
}
