//! gdi32.dll: drawing. There is no screen: what asks gets the honest answer, what would draw is a stub.

use plat_abi::{GuestWord, winapi};

use crate::answers::answers;
use crate::dll;
use crate::export::{Dll, Export};
use crate::guest::{Bool, FALSE, Guest, TRUE};
use crate::widths::both_widths;

/// The DLL.
pub const DLL: Dll =
    Dll { name: "gdi32.dll", description: "GDI Client DLL", tables: &[EXPORTS], methods: &[] };

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial GetDeviceCaps, "no screen: 0";
    partial GetStockObject, "a handle without an object";
    partial DeleteObject, "nothing to delete";
    partial CreateCompatibleDC, "no screen: null";
    partial CreateDCA, "no screen: null";
    partial CreateDCW, "no screen: null";
    partial DeleteDC, "nothing to delete";
    partial SelectObject, "no screen: null";
    partial GdiFlush, "nothing is drawn";
    stub CreateFontIndirectW;
    stub CreateSolidBrush;
    stub CreatePen;
    stub CreateBitmap;
    stub CreateCompatibleBitmap;
    stub CreateDIBSection;
    stub BitBlt;
    stub StretchBlt;
    stub GetDIBits;
    stub GetObjectW;
    stub SetBkMode;
    stub SetTextColor;
    stub TextOutW;
    stub GetTextExtentPoint32W;
    stub GetTextMetricsW;
    stub EnumFontFamiliesExW;
    stub ChoosePixelFormat;
    stub SetPixelFormat;
    stub SwapBuffers;
};

answers! {
    "Returns a size or an ability of a device: there is none.", "wingdi/nf-wingdi-getdevicecaps";
    GetDeviceCaps(hdc: GuestWord, index: i32) -> i32 = 0;
    "Makes what draws into memory: nothing does.", "wingdi/nf-wingdi-createcompatibledc";
    CreateCompatibleDC(hdc: GuestWord) -> GuestWord = GuestWord::NULL;
    "Deletes what draws.", "wingdi/nf-wingdi-deletedc";
    DeleteDC(hdc: GuestWord) -> Bool = FALSE;
    "Chooses what is drawn with.", "wingdi/nf-wingdi-selectobject";
    SelectObject(hdc: GuestWord, h: GuestWord) -> GuestWord = GuestWord::NULL;
    "Draws what was put off.", "wingdi/nf-wingdi-gdiflush";
    GdiFlush() -> Bool = TRUE;
    "Makes what draws on a device: there is none.", "wingdi/nf-wingdi-createdc";
    CreateDCA, CreateDCW(
        pwszDriver: GuestWord, pwszDevice: GuestWord, pszPort: GuestWord, pdm: GuestWord
    ) -> GuestWord = GuestWord::NULL;
}

/// Returns the handle of one of the system's brushes, pens, fonts.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wingdi/nf-wingdi-getstockobject>
#[winapi]
pub fn GetStockObject(guest: &mut Guest, i: i32) -> GuestWord {
    let _ = guest;
    // From WHITE_BRUSH to DC_PEN; 9 is no object.
    match u64::try_from(i) {
        Ok(number) if number <= 19 && number != 9 => GuestWord(0x0090_0010 + number),
        _ => GuestWord::NULL,
    }
}

/// Deletes a pen, a brush, a font or a picture.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wingdi/nf-wingdi-deleteobject>
#[winapi]
pub fn DeleteObject(guest: &mut Guest, ho: GuestWord) -> Bool {
    let _ = guest;
    Bool(!ho.is_null())
}

both_widths! {}
