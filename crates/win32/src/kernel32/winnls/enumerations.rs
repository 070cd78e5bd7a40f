//! winnls.h: functions that call a program's with each code page, language and group of languages.

use plat_abi::{GuestWord, Memory, winapi};

use super::locales::{call_with, wide_bytes};
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::nls;
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial EnumSystemCodePagesA, "only the code pages that plat has"; partial EnumSystemCodePagesW, "only the code pages that plat has";
    partial EnumUILanguagesA, "the user's language only"; partial EnumUILanguagesW, "the user's language only";
    full EnumSystemLanguageGroupsA; full EnumSystemLanguageGroupsW; full IsValidLanguageGroup;
};

/// The code pages that there are, but for those that [`nls::page`] does not know.
const PAGES: [u32; 20] = [
    437, 850, 852, 866, 874, 932, 936, 949, 950, 1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258, 20127,
    65001,
];

/// `LGRPID_*` from 1 on, by their names.
///
/// Source: <https://learn.microsoft.com/windows/win32/intl/language-group-constants>
const GROUPS: [&str; 17] = [
    "Western Europe and United States",
    "Central Europe",
    "Baltic",
    "Greek",
    "Cyrillic",
    "Turkic",
    "Japanese",
    "Korean",
    "Traditional Chinese",
    "Simplified Chinese",
    "Thai",
    "Hebrew",
    "Arabic",
    "Vietnamese",
    "Indic",
    "Georgian",
    "Armenian",
];
/// `LGRPID_INSTALLED`, also `CP_INSTALLED`; `LGRPID_SUPPORTED`, also `CP_SUPPORTED`.
const INSTALLED: u32 = 1;
const SUPPORTED: u32 = 2;

fn text(width: Width, text: &str) -> Vec<u8> {
    match width {
        Width::Narrow => text.bytes().chain([0]).collect(),
        Width::Wide => wide_bytes(text),
    }
}

both_widths! {
    /// Calls a function with each code page's number.
    "winnls/nf-winnls-enumsystemcodepages"
    EnumSystemCodePagesA, EnumSystemCodePagesW(
        guest, width, lpCodePageEnumProc: GuestWord, dwFlags: u32
    ) -> Result<Bool, Win32Error> {
        if lpCodePageEnumProc.is_null() {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        if !matches!(dwFlags, INSTALLED | SUPPORTED) {
            return Err(Win32Error::INVALID_FLAGS);
        }
        for number in PAGES.into_iter().filter(|&number| nls::page(number).is_ok()) {
            if !call_with(guest, lpCodePageEnumProc, &text(width, &number.to_string()), &[])? {
                break;
            }
        }
        Ok(TRUE)
    }

    /// Calls a function with each language of programs: its number, or its name.
    "winnls/nf-winnls-enumuilanguages"
    EnumUILanguagesA, EnumUILanguagesW(
        guest, width, lpUILanguageEnumProc: GuestWord, dwFlags: u32, lParam: GuestWord
    ) -> Result<Bool, Win32Error> {
        /// `MUI_LANGUAGE_ID` and `MUI_LANGUAGE_NAME`.
        const NUMBER: u32 = 4;
        const NAME: u32 = 8;
        if lpUILanguageEnumProc.is_null() {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        let locale = nls::user_locale();
        let language = match dwFlags {
            0 | NUMBER => format!("{:04x}", locale.number),
            NAME => locale.name.to_owned(),
            _ => return Err(Win32Error::INVALID_FLAGS),
        };
        call_with(guest, lpUILanguageEnumProc, &text(width, &language), &[lParam.get()])?;
        Ok(TRUE)
    }

    /// Calls a function with each group of languages: its number, that as text, its name, whether it is installed.
    "winnls/nf-winnls-enumsystemlanguagegroups"
    EnumSystemLanguageGroupsA, EnumSystemLanguageGroupsW(
        guest, width, lpLanguageGroupEnumProc: GuestWord, dwFlags: u32, lParam: GuestWord
    ) -> Result<Bool, Win32Error> {
        if lpLanguageGroupEnumProc.is_null() {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        if !matches!(dwFlags, 0 | INSTALLED | SUPPORTED) {
            return Err(Win32Error::INVALID_FLAGS);
        }
        for (number, name) in (1..).zip(GROUPS) {
            let (number_text, name_text) = (text(width, &format!("{number:x}")), text(width, name));
            let texts = [&number_text[..], &name_text].concat();
            let block = guest.process().heaps.allocate(0, texts.len() as u64, false);
            let block = block.ok_or(Win32Error::NOT_ENOUGH_MEMORY)?;
            guest.write_bytes(block, &texts)?;
            let name_at = block + number_text.len() as u64;
            let arguments = [number, block, name_at, INSTALLED.into(), lParam.get()];
            let answer = guest.call(lpLanguageGroupEnumProc.get(), &arguments)?;
            guest.process().heaps.free(0, block);
            if answer as u32 == 0 {
                break;
            }
        }
        Ok(TRUE)
    }
}

/// Says whether a group of languages is installed or supported: all are.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-isvalidlanguagegroup>
#[winapi]
pub fn IsValidLanguageGroup(guest: &mut Guest, LanguageGroup: u32, dwFlags: u32) -> Bool {
    let _ = guest;
    let is_known = (1..=GROUPS.len() as u32).contains(&LanguageGroup);
    Bool(is_known && matches!(dwFlags, INSTALLED | SUPPORTED))
}
