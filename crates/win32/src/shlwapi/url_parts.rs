//! shlwapi.h: simplifying, joining, taking apart, comparing and hashing URLs. The rules are [`crate::logic::url`].

use plat_abi::{Fault, GuestStruct, GuestWord, Memory, winapi};

use super::urls::{E_INVALIDARG, S_FALSE, S_OK, give};
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest};
use crate::logic::url::parts::{Found, Part};
use crate::logic::url::{self, combine, hash, parts};
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full HashData;
    @1 full ParseURLA; @2 full ParseURLW;
    full UrlApplySchemeA; full UrlApplySchemeW;
    full UrlCanonicalizeA; full UrlCanonicalizeW;
    full UrlCombineA; full UrlCombineW;
    full UrlCompareA; full UrlCompareW;
    full UrlGetPartA; full UrlGetPartW;
    full UrlHashA; full UrlHashW;
    full UrlIsNoHistoryA; full UrlIsNoHistoryW;
};

const E_FAIL: i32 = 0x8000_4005_u32 as i32;
const URL_E_INVALID_SYNTAX: i32 = 0x8004_1001_u32 as i32;

/// Says whether a buffer for a text is given.
fn has_room(guest: &Guest, buffer: GuestWord, size: GuestWord) -> Result<bool, Fault> {
    Ok(!buffer.is_null() && !size.is_null() && guest.read_u32(size.get())? != 0)
}

/// Writes a URL; an empty one leaves the size alone.
fn give_url(
    guest: &Guest,
    width: Width,
    made: &[u16],
    into: GuestWord,
    size: GuestWord,
) -> Result<i32, Fault> {
    if made.is_empty() {
        return width.write(guest, into, made).map(|()| S_OK);
    }
    give(guest, width, made, into, size)
}

both_widths! {
    /// Brings a URL to the form that other functions expect.
    "shlwapi/nf-shlwapi-urlcanonicalize"
    UrlCanonicalizeA, UrlCanonicalizeW(
        guest, width, pszUrl: GuestWord, pszCanonicalized: GuestWord, pcchCanonicalized: GuestWord, dwFlags: u32
    ) -> Result<i32, Fault> {
        if pszUrl.is_null() || !has_room(guest, pszCanonicalized, pcchCanonicalized)? {
            return Ok(E_INVALIDARG);
        }
        let made = combine::canonicalize(&width.read(guest, pszUrl)?, dwFlags);
        give_url(guest, width, &made, pszCanonicalized, pcchCanonicalized)
    }

    /// Resolves a URL against another.
    "shlwapi/nf-shlwapi-urlcombine"
    UrlCombineA, UrlCombineW(
        guest, width, pszBase: GuestWord, pszRelative: GuestWord, pszCombined: GuestWord, pcchCombined: GuestWord,
        dwFlags: u32
    ) -> Result<i32, Fault> {
        if pszBase.is_null() || pszRelative.is_null() || pcchCombined.is_null() {
            return Ok(E_INVALIDARG);
        }
        let made = combine::combine(&width.read(guest, pszBase)?, &width.read(guest, pszRelative)?, dwFlags);
        give_url(guest, width, &made, pszCombined, pcchCombined)
    }

    /// Compares two URLs letter by letter; slashes at their ends count for nothing if that is asked for.
    "shlwapi/nf-shlwapi-urlcompare"
    UrlCompareA, UrlCompareW(
        guest, width, psz1: GuestWord, psz2: GuestWord, fIgnoreSlash: Bool
    ) -> Result<i32, Fault> {
        let slash = [u16::from(b'/')];
        let [first, second] = [width.read(guest, psz1)?, width.read(guest, psz2)?].map(|url| match url.strip_suffix(&slash) {
            Some(bare) if fIgnoreSlash.0 => bare.to_vec(),
            _ => url,
        });
        Ok(first.cmp(&second) as i32)
    }

    /// Returns a part of a URL, with the scheme before it if that is asked for.
    "shlwapi/nf-shlwapi-urlgetpart"
    UrlGetPartA, UrlGetPartW(
        guest, width, pszIn: GuestWord, pszOut: GuestWord, pcchOut: GuestWord, dwPart: u32, dwFlags: u32
    ) -> Result<i32, Fault> {
        const KEEP_SCHEME: u32 = 1;
        let part = Part::of_number(dwPart);
        let (Some(part), false) = (part, pszIn.is_null() || !has_room(guest, pszOut, pcchOut)?) else {
            return Ok(E_INVALIDARG);
        };
        let url = width.read(guest, pszIn)?;
        let mut text = match parts::part(&url, part) {
            Found::Text(text) => text,
            Found::Missing => return Ok(E_INVALIDARG),
            Found::NoSuchPart => return Ok(E_FAIL),
            Found::Empty => {
                width.write(guest, pszOut, &[])?;
                return guest.write(pcchOut.get(), &0_u32).map(|()| S_FALSE);
            }
        };
        let name = url::scheme(&url).unwrap_or_default();
        let is_of_server = !matches!(part, Part::Scheme | Part::Query) && name != "file";
        if dwFlags & KEEP_SCHEME != 0 && is_of_server {
            text.splice(..0, url[..=name.len()].iter().copied());
        }
        give(guest, width, &text, pszOut, pcchOut)
    }

    /// Gives a text without a scheme one; `S_FALSE` if it has one or none fits.
    "shlwapi/nf-shlwapi-urlapplyscheme"
    UrlApplySchemeA, UrlApplySchemeW(
        guest, width, pszIn: GuestWord, pszOut: GuestWord, pcchOut: GuestWord, dwFlags: u32
    ) -> Result<i32, Fault> {
        if pszIn.is_null() || !has_room(guest, pszOut, pcchOut)? {
            return Ok(E_INVALIDARG);
        }
        match parts::apply_scheme(&width.read(guest, pszIn)?, dwFlags) {
            Some(made) => give(guest, width, &made, pszOut, pcchOut),
            None => Ok(S_FALSE),
        }
    }

    /// Hashes a URL, as text of the ANSI code page.
    "shlwapi/nf-shlwapi-urlhash"
    UrlHashA, UrlHashW(guest, width, pszUrl: GuestWord, pbHash: GuestWord, cbHash: u32) -> Result<i32, Fault> {
        if pszUrl.is_null() || pbHash.is_null() {
            return Ok(E_INVALIDARG);
        }
        let text = crate::nt::nls::narrow(&width.read(guest, pszUrl)?);
        guest.write_bytes(pbHash.get(), &hash::hash(&text, cbHash as usize)).map(|()| S_OK)
    }

    /// Says whether a URL is one that browsers keep out of their history: of none is this known.
    "shlwapi/nf-shlwapi-urlisnohistory"
    UrlIsNoHistoryA, UrlIsNoHistoryW(guest, width, pszURL: GuestWord) -> Bool {
        let _ = (guest, width, pszURL);
        FALSE
    }

    /// Finds scheme and rest of a URL.
    "shlwapi/nf-shlwapi-parseurl"
    ParseURLA, ParseURLW(guest, width, pcszURL: GuestWord, ppu: GuestWord) -> Result<i32, Fault> {
        parse(guest, width, pcszURL, ppu)
    }
}

/// `PARSEDURLA` and `PARSEDURLW`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlwapi/ns-shlwapi-parsedurlw>
#[derive(GuestStruct, Default)]
#[allow(non_snake_case)]
struct PARSEDURL {
    cbSize: u32,
    pszProtocol: GuestWord,
    cchProtocol: u32,
    pszSuffix: GuestWord,
    cchSuffix: u32,
    nScheme: u32,
}

fn parse(guest: &Guest, width: Width, url: GuestWord, into: GuestWord) -> Result<i32, Fault> {
    let size = if guest.machine().is_64() { 40 } else { 24 };
    if url.is_null() || into.is_null() || guest.read_u32(into.get())? != size {
        return Ok(E_INVALIDARG);
    }
    // Units where they lie: a letter of two bytes is no part of a scheme.
    let units: Vec<u16> = match width {
        Width::Narrow => guest.read_c_string(url.get())?.into_iter().map(u16::from).collect(),
        Width::Wide => guest.read_wide_string(url.get())?,
    };
    let Some(name) = url::scheme(&units) else { return Ok(URL_E_INVALID_SYNTAX) };
    let suffix = name.len() + 1;
    let found = PARSEDURL {
        cbSize: size,
        pszProtocol: url,
        cchProtocol: name.len() as u32,
        pszSuffix: GuestWord(url.get() + (suffix * width.unit_bytes()) as u64),
        cchSuffix: (units.len() - suffix) as u32,
        nScheme: parts::scheme_number(&name),
    };
    guest.write(into.get(), &found).map(|()| S_OK)
}

/// Hashes bytes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlwapi/nf-shlwapi-hashdata>
#[winapi]
pub fn HashData(
    guest: &mut Guest,
    pbData: GuestWord,
    cbData: u32,
    pbHash: GuestWord,
    cbHash: u32,
) -> Result<i32, Fault> {
    if pbData.is_null() || pbHash.is_null() {
        return Ok(E_INVALIDARG);
    }
    let bytes = guest.read_vec(pbData.get(), cbData.into())?;
    guest.write_bytes(pbHash.get(), &hash::hash(&bytes, cbHash as usize)).map(|()| S_OK)
}
