//! winuser.h: rectangles: left, top, right, bottom, of which right and bottom are outside.

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest, TRUE};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full SetRect; full SetRectEmpty; full CopyRect; full InflateRect; full OffsetRect; full IntersectRect;
    full UnionRect; full SubtractRect; full IsRectEmpty; full PtInRect; full EqualRect;
    partial AdjustWindowRect, "borders have no width: checks and changes nothing";
    partial AdjustWindowRectEx, "borders have no width: checks and changes nothing";
    partial AdjustWindowRectExForDpi, "borders have no width: checks and changes nothing";
};

type Rect = [i32; 4];
type Done = Result<Bool, Win32Error>;

fn is_empty([left, top, right, bottom]: Rect) -> bool {
    left >= right || top >= bottom
}

fn intersection(one: Rect, two: Rect) -> Option<Rect> {
    if is_empty(one) || is_empty(two) {
        return None;
    }
    let common = [one[0].max(two[0]), one[1].max(two[1]), one[2].min(two[2]), one[3].min(two[3])];
    (!is_empty(common)).then_some(common)
}

fn union(one: Rect, two: Rect) -> Option<Rect> {
    match (is_empty(one), is_empty(two)) {
        (true, true) => None,
        (true, false) => Some(two),
        (false, true) => Some(one),
        _ => Some([one[0].min(two[0]), one[1].min(two[1]), one[2].max(two[2]), one[3].max(two[3])]),
    }
}

/// Returns what is left of one rectangle, where that is a rectangle; else the whole.
fn difference(one: Rect, two: Rect) -> Option<Rect> {
    if is_empty(one) {
        return None;
    }
    let Some(common) = intersection(one, two) else { return Some(one) };
    let mut rest = one;
    if common == one {
        return None;
    }
    // The common part reaches from top to bottom, or from left to right.
    for (low, high, across) in [(0, 2, [1, 3]), (1, 3, [0, 2])] {
        if across.iter().all(|&side| common[side] == one[side]) {
            if common[low] == one[low] {
                rest[low] = common[high];
            } else if common[high] == one[high] {
                rest[high] = common[low];
            }
        }
    }
    Some(rest)
}

fn is_null(addresses: &[GuestWord]) -> bool {
    addresses.iter().any(|address| address.is_null())
}

/// Stores a rectangle, or zeros and FALSE where there is none.
fn give(guest: &Guest, to: GuestWord, rectangle: Option<Rect>) -> Done {
    guest.write(to.get(), &rectangle.unwrap_or_default())?;
    Ok(Bool(rectangle.is_some()))
}

/// Changes a rectangle.
fn change(guest: &Guest, at: GuestWord, by: Rect) -> Done {
    if at.is_null() {
        return Ok(FALSE);
    }
    let mut rectangle: Rect = guest.read(at.get())?;
    for (side, by) in rectangle.iter_mut().zip(by) {
        *side = side.wrapping_add(by);
    }
    give(guest, at, Some(rectangle))
}

/// Makes a third rectangle of two.
fn combine(
    guest: &Guest,
    to: GuestWord,
    (one, two): (GuestWord, GuestWord),
    rule: fn(Rect, Rect) -> Option<Rect>,
) -> Done {
    if is_null(&[to, one, two]) {
        return Ok(FALSE);
    }
    give(guest, to, rule(guest.read(one.get())?, guest.read(two.get())?))
}

/// Sets the four sides of a rectangle.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-setrect>
#[winapi]
pub fn SetRect(guest: &mut Guest, lprc: GuestWord, xLeft: i32, yTop: i32, xRight: i32, yBottom: i32) -> Done {
    if lprc.is_null() { Ok(FALSE) } else { give(guest, lprc, Some([xLeft, yTop, xRight, yBottom])) }
}

/// Makes a rectangle of zeros.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-setrectempty>
#[winapi]
pub fn SetRectEmpty(guest: &mut Guest, lprc: GuestWord) -> Done {
    if lprc.is_null() { Ok(FALSE) } else { give(guest, lprc, Some([0; 4])) }
}

/// Copies a rectangle.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-copyrect>
#[winapi]
pub fn CopyRect(guest: &mut Guest, lprcDst: GuestWord, lprcSrc: GuestWord) -> Done {
    if is_null(&[lprcDst, lprcSrc]) {
        return Ok(FALSE);
    }
    give(guest, lprcDst, Some(guest.read(lprcSrc.get())?))
}

/// Moves all sides outwards, or inwards by negative numbers.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-inflaterect>
#[winapi]
pub fn InflateRect(guest: &mut Guest, lprc: GuestWord, dx: i32, dy: i32) -> Done {
    change(guest, lprc, [dx.wrapping_neg(), dy.wrapping_neg(), dx, dy])
}

/// Moves a rectangle.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-offsetrect>
#[winapi]
pub fn OffsetRect(guest: &mut Guest, lprc: GuestWord, dx: i32, dy: i32) -> Done {
    change(guest, lprc, [dx, dy, dx, dy])
}

/// Stores what two rectangles have in common; says whether that is anything.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-intersectrect>
#[winapi]
pub fn IntersectRect(
    guest: &mut Guest,
    lprcDst: GuestWord,
    lprcSrc1: GuestWord,
    lprcSrc2: GuestWord,
) -> Done {
    combine(guest, lprcDst, (lprcSrc1, lprcSrc2), intersection)
}

/// Stores the smallest rectangle around two that are not empty.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-unionrect>
#[winapi]
pub fn UnionRect(guest: &mut Guest, lprcDst: GuestWord, lprcSrc1: GuestWord, lprcSrc2: GuestWord) -> Done {
    combine(guest, lprcDst, (lprcSrc1, lprcSrc2), union)
}

/// Stores what the second leaves of the first, where that is a rectangle.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-subtractrect>
#[winapi]
pub fn SubtractRect(guest: &mut Guest, lprcDst: GuestWord, lprcSrc1: GuestWord, lprcSrc2: GuestWord) -> Done {
    combine(guest, lprcDst, (lprcSrc1, lprcSrc2), difference)
}

/// Says whether nothing is in a rectangle.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-isrectempty>
#[winapi]
pub fn IsRectEmpty(guest: &mut Guest, lprc: GuestWord) -> Done {
    if lprc.is_null() { Ok(TRUE) } else { Ok(Bool(is_empty(guest.read(lprc.get())?))) }
}

/// Says whether a point, which is passed by value, is in a rectangle.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-ptinrect>
#[winapi]
pub fn PtInRect(guest: &mut Guest, lprc: GuestWord, pt: u64) -> Done {
    if lprc.is_null() {
        return Ok(FALSE);
    }
    let [left, top, right, bottom]: Rect = guest.read(lprc.get())?;
    let (x, y) = (pt as i32, (pt >> 32) as i32);
    Ok(Bool((left..right).contains(&x) && (top..bottom).contains(&y)))
}

/// Says whether two rectangles are the same.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-equalrect>
#[winapi]
pub fn EqualRect(guest: &mut Guest, lprc1: GuestWord, lprc2: GuestWord) -> Done {
    if is_null(&[lprc1, lprc2]) {
        return Ok(FALSE);
    }
    let (one, two): (Rect, Rect) = (guest.read(lprc1.get())?, guest.read(lprc2.get())?);
    Ok(Bool(one == two))
}

/// Makes the rectangle of a window of that of its inside: the same, since `GetSystemMetrics` gives borders no width.
fn adjust(guest: &Guest, rectangle: GuestWord) -> Done {
    let same: Rect = guest.read(rectangle.get())?;
    give(guest, rectangle, Some(same))
}

/// Makes the rectangle of a window of that of its inside.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-adjustwindowrect>
#[winapi]
pub fn AdjustWindowRect(guest: &mut Guest, lpRect: GuestWord, dwStyle: u32, bMenu: Bool) -> Done {
    let _ = (dwStyle, bMenu);
    adjust(guest, lpRect)
}

/// Makes the rectangle of a window of that of its inside.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-adjustwindowrectex>
#[winapi]
pub fn AdjustWindowRectEx(
    guest: &mut Guest,
    lpRect: GuestWord,
    dwStyle: u32,
    bMenu: Bool,
    dwExStyle: u32,
) -> Done {
    let _ = (dwStyle, bMenu, dwExStyle);
    adjust(guest, lpRect)
}

/// Makes the rectangle of a window of that of its inside.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-adjustwindowrectexfordpi>
#[winapi]
pub fn AdjustWindowRectExForDpi(
    guest: &mut Guest,
    lpRect: GuestWord,
    dwStyle: u32,
    bMenu: Bool,
    dwExStyle: u32,
    dpi: u32,
) -> Done {
    let _ = (dwStyle, bMenu, dwExStyle, dpi);
    adjust(guest, lpRect)
}
