//! shlwapi.h: URLs. The rules are [`crate::logic::url`].

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest};
use crate::logic::url;
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full UrlEscapeA; full UrlEscapeW;
    full UrlUnescapeA; full UrlUnescapeW;
    full UrlCreateFromPathA; full UrlCreateFromPathW;
    full PathCreateFromUrlA; full PathCreateFromUrlW;
    full PathCreateFromUrlAlloc;
    partial UrlIsA, "URLs, those without parts, of files, of directories, with queries"; partial UrlIsW, "as UrlIsA";
    full UrlIsOpaqueA; full UrlIsOpaqueW;
    full UrlGetLocationA; full UrlGetLocationW;
};

pub(super) const S_OK: i32 = 0;
pub(super) const S_FALSE: i32 = 1;
const E_POINTER: i32 = 0x8000_4003_u32 as i32;
pub(super) const E_INVALIDARG: i32 = 0x8007_0057_u32 as i32;

/// Writes a text where `size` says how much room there is; it becomes the length, or the room that is needed.
pub(super) fn give(
    guest: &Guest,
    width: Width,
    text: &[u16],
    into: GuestWord,
    size: GuestWord,
) -> Result<i32, Fault> {
    let bytes = width.bytes(text);
    let length = (bytes.len() / width.unit_bytes()) as u32;
    if guest.read_u32(size.get())? < length {
        return guest.write(size.get(), &length).map(|()| E_POINTER);
    }
    guest.write_bytes(into.get(), &bytes)?;
    guest.write(size.get(), &(length - 1)).map(|()| S_OK)
}

both_widths! {
    /// Replaces what may not stand in a URL.
    "shlwapi/nf-shlwapi-urlescape"
    UrlEscapeA, UrlEscapeW(
        guest, width, pszUrl: GuestWord, pszEscaped: GuestWord, pcchEscaped: GuestWord, dwFlags: u32
    ) -> Result<i32, Fault> {
        if pszUrl.is_null() || pszEscaped.is_null() || pcchEscaped.is_null() {
            return Ok(E_INVALIDARG);
        }
        let text = width.read(guest, pszUrl)?;
        give(guest, width, &url::escape(&text, dwFlags), pszEscaped, pcchEscaped)
    }

    /// Replaces escapes in a URL, in place if that is asked for.
    "shlwapi/nf-shlwapi-urlunescape"
    UrlUnescapeA, UrlUnescapeW(
        guest, width, pszUrl: GuestWord, pszUnescaped: GuestWord, pcchUnescaped: GuestWord, dwFlags: u32
    ) -> Result<i32, Fault> {
        const IN_PLACE: u32 = 0x10_0000;
        if pszUrl.is_null() {
            return Ok(E_INVALIDARG);
        }
        let text = url::unescape(&width.read(guest, pszUrl)?, dwFlags);
        if dwFlags & IN_PLACE != 0 {
            return width.write(guest, pszUrl, &text).map(|()| S_OK);
        }
        if pszUnescaped.is_null() || pcchUnescaped.is_null() {
            return Ok(E_INVALIDARG);
        }
        give(guest, width, &text, pszUnescaped, pcchUnescaped)
    }

    /// Returns the URL of a path; a URL is copied, which is `S_FALSE`.
    "shlwapi/nf-shlwapi-urlcreatefrompath"
    UrlCreateFromPathA, UrlCreateFromPathW(
        guest, width, pszPath: GuestWord, pszUrl: GuestWord, pcchUrl: GuestWord, dwFlags: u32
    ) -> Result<i32, Fault> {
        let _ = dwFlags;
        if pszPath.is_null() || pszUrl.is_null() || pcchUrl.is_null() {
            return Ok(E_INVALIDARG);
        }
        let path = width.read(guest, pszPath)?;
        let made = url::from_path(&path);
        let good = if made.is_some() { S_OK } else { S_FALSE };
        let result = give(guest, width, &made.unwrap_or(path), pszUrl, pcchUrl)?;
        Ok(if result == S_OK { good } else { result })
    }

    /// Returns the path of a URL of a file.
    "shlwapi/nf-shlwapi-pathcreatefromurl"
    PathCreateFromUrlA, PathCreateFromUrlW(
        guest, width, pszUrl: GuestWord, pszPath: GuestWord, pcchPath: GuestWord, dwFlags: u32
    ) -> Result<i32, Fault> {
        let _ = dwFlags;
        if pszUrl.is_null() || pszPath.is_null() || pcchPath.is_null() {
            return Ok(E_INVALIDARG);
        }
        match url::to_path(&width.read(guest, pszUrl)?) {
            Some(path) => give(guest, width, &path, pszPath, pcchPath),
            None => Ok(E_INVALIDARG),
        }
    }

    /// Says whether a URL is of a kind.
    "shlwapi/nf-shlwapi-urlis"
    UrlIsA, UrlIsW(guest, width, pszUrl: GuestWord, UrlIs: i32) -> Result<Bool, Fault> {
        Ok(Bool(url::is(&width.read(guest, pszUrl)?, UrlIs)))
    }

    /// Says whether a URL has no parts.
    "shlwapi/nf-shlwapi-urlisopaque"
    UrlIsOpaqueA, UrlIsOpaqueW(guest, width, pszURL: GuestWord) -> Result<Bool, Fault> {
        Ok(Bool(url::is(&width.read(guest, pszURL)?, 1)))
    }

    /// Finds the `#` before a URL's place in its document.
    "shlwapi/nf-shlwapi-urlgetlocation"
    UrlGetLocationA, UrlGetLocationW(guest, width, pszURL: GuestWord) -> Result<GuestWord, Fault> {
        let units: Vec<u16> = match width {
            Width::Narrow if !pszURL.is_null() => {
                guest.read_c_string(pszURL.get())?.into_iter().map(u16::from).collect()
            }
            _ => width.read(guest, pszURL)?,
        };
        let found = units.iter().position(|&unit| unit == u16::from(b'#'));
        let is_url = url::scheme(&units).is_some_and(|name| name != "file");
        let place = found.filter(|_| is_url).map(|at| pszURL.get() + (at * width.unit_bytes()) as u64);
        Ok(GuestWord(place.unwrap_or(0)))
    }
}

/// Returns the path of a URL of a file in memory that `LocalFree` frees.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlwapi/nf-shlwapi-pathcreatefromurlalloc>
#[winapi]
pub fn PathCreateFromUrlAlloc(
    guest: &mut Guest,
    pszIn: GuestWord,
    ppszOut: GuestWord,
    dwFlags: u32,
) -> Result<i32, Fault> {
    const E_OUTOFMEMORY: i32 = 0x8007_000e_u32 as i32;
    let _ = dwFlags;
    guest.write_word(ppszOut.get(), 0)?;
    let Some(path) = url::to_path(&guest.read_wide_string(pszIn.get())?) else { return Ok(E_INVALIDARG) };
    let bytes = Width::Wide.bytes(&path);
    let Some(block) = guest.process().heaps.allocate(0, bytes.len() as u64, false) else {
        return Ok(E_OUTOFMEMORY);
    };
    guest.write_bytes(block, &bytes)?;
    guest.write_word(ppszOut.get(), block).map(|()| S_OK)
}
