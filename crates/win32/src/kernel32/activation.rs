//! winbase.h: activation contexts. They are kept and stacked as Windows does; of their manifests counts which DLLs they provide.
//!
//! Source: <https://learn.microsoft.com/windows/win32/sbscs/activation-contexts>

use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use plat_abi::{Fault, GuestWord, Memory, winapi};
use plat_host::file::{File, Open};

use super::fileapi::path;
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, HandleOrInvalid, TRUE};
use crate::msvcrt::state::place;
use crate::nt::assembly::{self, Source};
use crate::widths::both_widths;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial CreateActCtxA, "of manifests count the DLLs that they provide";
    partial CreateActCtxW, "of manifests count the DLLs that they provide";
    full AddRefActCtx; full ReleaseActCtx; full ZombifyActCtx;
    full ActivateActCtx; full DeactivateActCtx; full GetCurrentActCtx;
    partial QueryActCtxW, "basic, run level and compatibility: ERROR_NOT_SUPPORTED for what manifests say";
    partial QueryActCtxSettingsW, "no setting is known: ERROR_SXS_KEY_NOT_FOUND";
    partial FindActCtxSectionStringA, "DLLs; ERROR_SXS_KEY_NOT_FOUND for window classes and progids";
    partial FindActCtxSectionStringW, "DLLs; ERROR_SXS_KEY_NOT_FOUND for window classes and progids";
    partial FindActCtxSectionGuid, "nothing is redirected: ERROR_SXS_KEY_NOT_FOUND";
};

/// `FIND_ACTCTX_SECTION_KEY_RETURN_HACTCTX`.
const RETURN_CONTEXT: u32 = 1;
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
    source: Option<Source>,
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
    pub(super) const DIRECTORY: u32 = 4;
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
        let names = pActCtx.get() + 8 + pointer + pointer.max(4);
        let mut found = None;
        if !source.is_null() {
            let source = path(guest, width, source)?;
            let full = guest.process().files.full_path(&source)?;
            let located = guest.process().files.locate(&source)?;
            found = if flags & flag::RESOURCE_NAME == 0 {
                check_manifest(&located)?;
                Source::of_file(guest.process(), &full)
            } else {
                let number = guest.read_word(names + pointer)? as u16;
                Source::of_image_file(guest.process(), &full, number)
            };
        }
        if flags & flag::DIRECTORY != 0 {
            let folder = path(guest, width, GuestWord(guest.read_word(names)?))?;
            found = found.map(|source| source.in_folder(folder));
        }
        let made = Context { references: AtomicU32::new(1), source: found };
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

/// Checks what the two that look have alike.
fn check_find(
    guest: &Guest,
    flags: u32,
    extension: GuestWord,
    what: GuestWord,
    result: GuestWord,
) -> Result<(), Win32Error> {
    // The bytes of an ACTCTX_SECTION_KEYED_DATA up to its context.
    let least = 12 + 5 * guest.machine().pointer_size();
    let is_wrong = !extension.is_null() || flags & !RETURN_CONTEXT != 0 || what.is_null() || result.is_null();
    if is_wrong || u64::from(guest.read_u32(result.get())?) < least {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    Ok(())
}

/// Returns the handle of the context that provides a DLL; 0 is that of the process.
fn provider(guest: &Guest, file: &str) -> Option<u64> {
    let process = guest.process();
    let active = ACTIVE.with_borrow(|active| active.last().map_or(0, |(_, handle)| *handle));
    let made = context(guest, GuestWord(active)).ok();
    if made.is_some_and(|it| it.source.as_ref().is_some_and(|source| source.provides(process, file))) {
        return Some(active);
    }
    assembly::process_provides(guest, file).then_some(0)
}

/// Fills an `ACTCTX_SECTION_KEYED_DATA` for a DLL that a context provides.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/ns-winbase-actctx_section_keyed_data>
fn describe_dll(guest: &Guest, result: u64, provider: Option<u64>) -> Result<(), Fault> {
    static BLOCK: OnceLock<u64> = OnceLock::new();
    // Its size, the flag that no path is given, and no path.
    const DLL: [u32; 5] = [20, 2, 0, 0, 0];
    let bytes: Vec<u8> = DLL.iter().flat_map(|word| word.to_le_bytes()).collect();
    let made = match BLOCK.get() {
        Some(block) => *block,
        None => place(guest, &bytes)?,
    };
    let block = *BLOCK.get_or_init(|| made);
    let pointer = guest.machine().pointer_size();
    let words = [block, 20, 0, 0, block, 20, provider.unwrap_or(0)];
    guest.write(result + 4, &1u32)?;
    for (word, index) in words.into_iter().zip(0..) {
        guest.write_word(result + 8 + index * pointer, word)?;
    }
    Ok(())
}

both_widths! {
    /// Looks for a text that a context redirects.
    "winbase/nf-winbase-findactctxsectionstring"
    FindActCtxSectionStringA, FindActCtxSectionStringW(
        guest, width, dwFlags: u32, lpExtensionGuid: GuestWord, ulSectionId: u32, lpStringToFind: GuestWord,
        ReturnedData: GuestWord
    ) -> Result<Bool, Win32Error> {
        /// `ACTIVATION_CONTEXT_SECTION_DLL_REDIRECTION`.
        const DLLS: u32 = 2;
        check_find(guest, dwFlags, lpExtensionGuid, lpStringToFind, ReturnedData)?;
        let name = String::from_utf16_lossy(&path(guest, width, lpStringToFind)?);
        let found = if ulSectionId == DLLS { provider(guest, &name) } else { None };
        let context = found.ok_or(KEY_NOT_FOUND)?;
        let returned = (dwFlags & RETURN_CONTEXT != 0).then_some(context);
        describe_dll(guest, ReturnedData.get(), returned)?;
        AddRefActCtx(guest, GuestWord(returned.unwrap_or(0)));
        Ok(TRUE)
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
    check_find(guest, dwFlags, lpExtensionGuid, lpGuidToFind, ReturnedData)?;
    Err(KEY_NOT_FOUND)
}
