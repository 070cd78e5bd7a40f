//! winbase.h: activation contexts. They are kept and stacked as Windows does; nothing is taken from their manifests.
//!
//! Source: <https://learn.microsoft.com/windows/win32/sbscs/activation-contexts>

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use plat_abi::{GuestWord, Memory, winapi};
use plat_host::file::{File, Open};

use super::fileapi::path;
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, HandleOrInvalid, TRUE};
use crate::widths::both_widths;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial CreateActCtxA, "manifests are checked for, and not obeyed";
    partial CreateActCtxW, "manifests are checked for, and not obeyed";
    full AddRefActCtx; full ReleaseActCtx; full ZombifyActCtx;
    full ActivateActCtx; full DeactivateActCtx; full GetCurrentActCtx;
    partial QueryActCtxW, "basic, run level and compatibility: ERROR_NOT_SUPPORTED for what manifests say";
    partial QueryActCtxSettingsW, "no setting is known: ERROR_SXS_KEY_NOT_FOUND";
    partial FindActCtxSectionStringA, "nothing is redirected: ERROR_SXS_KEY_NOT_FOUND";
    partial FindActCtxSectionStringW, "nothing is redirected: ERROR_SXS_KEY_NOT_FOUND";
    partial FindActCtxSectionGuid, "nothing is redirected: ERROR_SXS_KEY_NOT_FOUND";
};

/// `ERROR_SXS_CANT_GEN_ACTCTX`.
const CANNOT_MAKE: Win32Error = Win32Error(14001);
/// `ERROR_SXS_KEY_NOT_FOUND`.
const KEY_NOT_FOUND: Win32Error = Win32Error(14007);
/// `ERROR_SXS_EARLY_DEACTIVATION`.
const TOO_EARLY: Win32Error = Win32Error(14084);
/// `ERROR_SXS_INVALID_DEACTIVATION`.
const NOT_ACTIVE: Win32Error = Win32Error(14085);

/// A context.
struct Context {
    references: AtomicU32,
}

thread_local! {
    /// The contexts that are active in this thread, each with its cookie; the last counts.
    static ACTIVE: RefCell<Vec<(u64, u64)>> = const { RefCell::new(Vec::new()) };
}

/// Returns the context that counts in this thread; null is that of the process.
fn current() -> GuestWord {
    ACTIVE.with_borrow(|active| GuestWord(active.last().map_or(0, |(_, handle)| *handle)))
}

fn context(guest: &Guest, handle: GuestWord) -> Result<Arc<Context>, Win32Error> {
    guest.process().cryptography.get(handle.get()).ok_or(Win32Error::INVALID_HANDLE)
}

/// What an `ACTCTX` has (`ACTCTX_FLAG_…`).
mod flag {
    pub(super) const RESOURCE_NAME: u32 = 8;
    pub(super) const MODULE: u32 = 0x80;
    pub(super) const ALL: u32 = 0xff;
}

both_widths! {
    /// Makes an activation context of a manifest in a file or among a module's resources.
    "winbase/nf-winbase-createactctx"
    CreateActCtxA, CreateActCtxW(guest, width, pActCtx: GuestWord) -> Result<HandleOrInvalid, Win32Error> {
        if pActCtx.is_null() {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        let pointer = guest.machine().pointer_size();
        let (size, flags) = (guest.read_u32(pActCtx.get())?, guest.read_u32(pActCtx.get() + 4)?);
        // Source, four bytes of processor and language, folder, resource, application; then the module.
        let least = 8 + pointer + pointer.max(4) + 3 * pointer;
        let source = GuestWord(guest.read_word(pActCtx.get() + 8)?);
        let has_module = flags & flag::MODULE != 0;
        if u64::from(size) < least || flags & !flag::ALL != 0 || (source.is_null() && !has_module) {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        if !source.is_null() {
            let path = guest.process().files.locate(&path(guest, width, source)?)?;
            if flags & flag::RESOURCE_NAME == 0 {
                check_manifest(&path)?;
            }
        }
        let made = Context { references: AtomicU32::new(1) };
        Ok(HandleOrInvalid(guest.process().cryptography.add(made)))
    }
}

/// Fails for a file that is no manifest.
fn check_manifest(path: &std::path::Path) -> Result<(), Win32Error> {
    let file = File::open(path, Open { read: true, ..Open::default() });
    let file = file.map_err(|error| Win32Error::from(crate::nt::path::status_of(error)))?;
    let mut start = [0; 4096];
    let length = file.read(&mut start, None).unwrap_or(0);
    // In UTF-16, too, the letters are there, with zeros between them.
    let letters: Vec<u8> = start[..length].iter().copied().filter(|&byte| byte != 0).collect();
    let is_manifest = letters.windows(9).any(|letters| letters == b"<assembly");
    if is_manifest { Ok(()) } else { Err(CANNOT_MAKE) }
}

/// Takes part in a context.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-addrefactctx>
#[winapi]
pub fn AddRefActCtx(guest: &mut Guest, hActCtx: GuestWord) {
    if let Ok(context) = context(guest, hActCtx) {
        context.references.fetch_add(1, Ordering::Relaxed);
    }
}

/// Gives a context up.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-releaseactctx>
#[winapi]
pub fn ReleaseActCtx(guest: &mut Guest, hActCtx: GuestWord) {
    if context(guest, hActCtx).is_ok_and(|context| context.references.fetch_sub(1, Ordering::AcqRel) == 1) {
        guest.process().cryptography.remove::<Context>(hActCtx.get());
    }
}

/// Accepts that a context is used no more; nothing is left to give up.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-zombifyactctx>
#[winapi]
pub fn ZombifyActCtx(guest: &mut Guest, hActCtx: GuestWord) -> Result<Bool, Win32Error> {
    context(guest, hActCtx).map(|_| TRUE).map_err(|_| Win32Error::INVALID_PARAMETER)
}

/// Makes a context the one that counts in this thread; null is that of the process.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-activateactctx>
#[winapi]
pub fn ActivateActCtx(
    guest: &mut Guest,
    hActCtx: GuestWord,
    lpCookie: GuestWord,
) -> Result<Bool, Win32Error> {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    if !hActCtx.is_null() {
        context(guest, hActCtx)?.references.fetch_add(1, Ordering::Relaxed);
    }
    let cookie = u64::from(NEXT.fetch_add(1, Ordering::Relaxed) & 0x0fff_ffff) | 0x1000_0000;
    if let Err(fault) = guest.write_word(lpCookie.get(), cookie) {
        ReleaseActCtx(guest, hActCtx);
        return Err(fault.into());
    }
    ACTIVE.with_borrow_mut(|active| active.push((cookie, hActCtx.get())));
    Ok(TRUE)
}

/// Ends what `ActivateActCtx` began, the last first.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-deactivateactctx>
#[winapi]
pub fn DeactivateActCtx(guest: &mut Guest, dwFlags: u32, ulCookie: GuestWord) -> Result<Bool, Win32Error> {
    /// `DEACTIVATE_ACTCTX_FLAG_FORCE_EARLY_DEACTIVATION`.
    const FORCE: u32 = 1;
    if dwFlags & !FORCE != 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let ended = ACTIVE.with_borrow_mut(|active| {
        let place = active.iter().rposition(|(cookie, _)| *cookie == ulCookie.get()).ok_or(NOT_ACTIVE)?;
        if place + 1 < active.len() && dwFlags & FORCE == 0 {
            return Err(TOO_EARLY);
        }
        Ok(active.split_off(place))
    })?;
    for (_, handle) in ended {
        ReleaseActCtx(guest, GuestWord(handle));
    }
    Ok(TRUE)
}

/// Returns the context that counts in this thread, and takes part in it; null is that of the process.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getcurrentactctx>
#[winapi]
pub fn GetCurrentActCtx(guest: &mut Guest, lphActCtx: GuestWord) -> Result<Bool, Win32Error> {
    if lphActCtx.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let handle = current();
    guest.write_word(lphActCtx.get(), handle.get())?;
    AddRefActCtx(guest, handle);
    Ok(TRUE)
}

/// Describes a context.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-queryactctxw>
#[winapi]
pub fn QueryActCtxW(
    guest: &mut Guest,
    dwFlags: u32,
    hActCtx: GuestWord,
    pvSubInstance: GuestWord,
    ulInfoClass: u32,
    pvBuffer: GuestWord,
    cbBuffer: GuestWord,
    pcbWrittenOrRequired: GuestWord,
) -> Result<Bool, Win32Error> {
    /// `QUERY_ACTCTX_FLAG_USE_ACTIVE_ACTCTX`.
    const ACTIVE_ONE: u32 = 4;
    /// Classes of information (`ActivationContextBasicInformation` and two more).
    const BASIC: u32 = 1;
    const RUN_LEVEL: u32 = 5;
    const COMPATIBILITY: u32 = 6;
    let _ = pvSubInstance;
    let pointer = guest.machine().pointer_size();
    let handle = match dwFlags & ACTIVE_ONE {
        0 => hActCtx,
        _ => current(),
    };
    // The context and its flags; flags, the level that is unspecified, access to others' windows; no elements.
    let size = match ulInfoClass {
        BASIC => 2 * pointer,
        RUN_LEVEL => 12,
        COMPATIBILITY => 4,
        2..=4 | 7 => return Err(Win32Error::NOT_SUPPORTED),
        _ => return Err(Win32Error::INVALID_PARAMETER),
    };
    if !pcbWrittenOrRequired.is_null() {
        guest.write_word(pcbWrittenOrRequired.get(), size)?;
    }
    if pvBuffer.is_null() || cbBuffer.get() < size {
        return Err(Win32Error::INSUFFICIENT_BUFFER);
    }
    guest.write_bytes(pvBuffer.get(), &vec![0; size as usize])?;
    if ulInfoClass == BASIC {
        guest.write_word(pvBuffer.get(), handle.get())?;
        AddRefActCtx(guest, handle);
    }
    Ok(TRUE)
}

/// Says that no context has a setting.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-queryactctxsettingsw>
#[winapi]
pub fn QueryActCtxSettingsW(
    guest: &mut Guest,
    dwFlags: u32,
    hActCtx: GuestWord,
    settingsNameSpace: GuestWord,
    settingName: GuestWord,
    pvBuffer: GuestWord,
    dwBuffer: GuestWord,
    pdwWrittenOrRequired: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = (guest, hActCtx, settingsNameSpace, pvBuffer, dwBuffer, pdwWrittenOrRequired);
    let is_wrong = dwFlags != 0 || settingName.is_null();
    Err(if is_wrong { Win32Error::INVALID_PARAMETER } else { KEY_NOT_FOUND })
}

/// Looks for what contexts redirect: nothing.
fn find(
    guest: &Guest,
    flags: u32,
    extension: GuestWord,
    what: GuestWord,
    result: GuestWord,
) -> Result<Bool, Win32Error> {
    /// `FIND_ACTCTX_SECTION_KEY_RETURN_HACTCTX`, and the bytes of an `ACTCTX_SECTION_KEYED_DATA` up to its context.
    const KNOWN: u32 = 1;
    let least = 12 + 5 * guest.machine().pointer_size();
    let is_wrong = !extension.is_null() || flags & !KNOWN != 0 || what.is_null() || result.is_null();
    if is_wrong || u64::from(guest.read_u32(result.get())?) < least {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    Err(KEY_NOT_FOUND)
}

both_widths! {
    /// Looks for a text that a context redirects.
    "winbase/nf-winbase-findactctxsectionstring"
    FindActCtxSectionStringA, FindActCtxSectionStringW(
        guest, width, dwFlags: u32, lpExtensionGuid: GuestWord, ulSectionId: u32, lpStringToFind: GuestWord,
        ReturnedData: GuestWord
    ) -> Result<Bool, Win32Error> {
        let _ = (width, ulSectionId);
        find(guest, dwFlags, lpExtensionGuid, lpStringToFind, ReturnedData)
    }
}

/// Looks for an identifier that a context redirects.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-findactctxsectionguid>
#[winapi]
pub fn FindActCtxSectionGuid(
    guest: &mut Guest,
    dwFlags: u32,
    lpExtensionGuid: GuestWord,
    ulSectionId: u32,
    lpGuidToFind: GuestWord,
    ReturnedData: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = ulSectionId;
    find(guest, dwFlags, lpExtensionGuid, lpGuidToFind, ReturnedData)
}
