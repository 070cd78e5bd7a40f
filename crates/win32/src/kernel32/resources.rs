//! libloaderapi.h, winbase.h: resources of modules: finding, loading, listing.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest};
use crate::nt::nls;
use crate::nt::resource::{self, Listed, ResourceName};
use crate::widths::both_widths;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full FindResourceA;
    full FindResourceW;
    full FindResourceExA;
    full FindResourceExW;
    full LoadResource;
    full LockResource;
    full SizeofResource;
    full FreeResource;
    full EnumResourceTypesA;
    full EnumResourceTypesW;
    full EnumResourceNamesA;
    full EnumResourceNamesW;
    full EnumResourceLanguagesA;
    full EnumResourceLanguagesW;
    partial EnumResourceTypesExA, "resources of the module itself, no language files beside it";
    partial EnumResourceTypesExW, "resources of the module itself, no language files beside it";
    partial EnumResourceNamesExA, "resources of the module itself, no language files beside it";
    partial EnumResourceNamesExW, "resources of the module itself, no language files beside it";
    partial EnumResourceLanguagesExA, "resources of the module itself, no language files beside it";
    partial EnumResourceLanguagesExW, "resources of the module itself, no language files beside it";
};

/// Returns where a module lies, as [`resource`] takes it: null is the program.
pub(super) fn base_of(guest: &Guest, module: GuestWord) -> u64 {
    match module.0 {
        0 => guest.process().loader().module_named(&[]).map_or(0, |module| module.base),
        handle => handle,
    }
}

/// Reads a type or a name: a number below 64 Ki, or text; `#123` is a number again.
pub(super) fn name_of(guest: &Guest, word: GuestWord, is_wide: bool) -> Result<ResourceName, Fault> {
    if let Ok(id) = u16::try_from(word.0) {
        return Ok(ResourceName::Id(id));
    }
    let text = if is_wide { guest.read_wide_string(word.0)? } else { nls::read_ansi(guest, word.0)? };
    let number = text.strip_prefix(&[u16::from(b'#')]).map(String::from_utf16_lossy);
    Ok(number.and_then(|digits| digits.parse().ok()).map_or(ResourceName::Name(text), ResourceName::Id))
}

fn find(
    guest: &Guest,
    module: GuestWord,
    (kind, name): (GuestWord, GuestWord),
    language: u16,
    is_wide: bool,
) -> Result<GuestWord, Win32Error> {
    let (kind, name) = (name_of(guest, kind, is_wide)?, name_of(guest, name, is_wide)?);
    let found = resource::find(guest, base_of(guest, module), &kind, &name, language)?;
    Ok(GuestWord(found.entry))
}

both_widths! {
    /// Finds a resource in the language that suits best.
    "winbase/nf-winbase-findresource" | "libloaderapi/nf-libloaderapi-findresource"
    FindResourceA, FindResourceW(
        guest, width, hModule: GuestWord, lpName: GuestWord, lpType: GuestWord
    ) -> Result<GuestWord, Win32Error> {
        find(guest, hModule, (lpType, lpName), 0, width.is_wide())
    }

    /// Finds a resource in a language.
    "winbase/nf-winbase-findresourceex" | "libloaderapi/nf-libloaderapi-findresourceex"
    FindResourceExA, FindResourceExW(
        guest, width, hModule: GuestWord, lpType: GuestWord, lpName: GuestWord, wLanguage: u16
    ) -> Result<GuestWord, Win32Error> {
        find(guest, hModule, (lpType, lpName), wLanguage, width.is_wide())
    }
}

/// Returns where a found resource lies.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-loadresource>
#[winapi]
pub fn LoadResource(
    guest: &mut Guest,
    hModule: GuestWord,
    hResInfo: GuestWord,
) -> Result<GuestWord, Win32Error> {
    if hResInfo.is_null() {
        return Ok(GuestWord::NULL);
    }
    let rva = guest.read_u32(hResInfo.0)?;
    Ok(GuestWord(resource::at_rva(guest, base_of(guest, hModule), rva)?))
}

/// Returns a loaded resource's address, which is what its handle is.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-lockresource>
#[winapi]
pub fn LockResource(guest: &mut Guest, hResData: GuestWord) -> GuestWord {
    let _ = guest;
    hResData
}

/// Returns a found resource's size in bytes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-sizeofresource>
#[winapi]
pub fn SizeofResource(guest: &mut Guest, hModule: GuestWord, hResInfo: GuestWord) -> Result<u32, Win32Error> {
    let _ = hModule;
    if hResInfo.is_null() {
        return Ok(0);
    }
    Ok(guest.read_u32(hResInfo.0 + 4)?)
}

/// Does nothing, as Windows since its 32-bit days: a resource is there as long as its module.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-freeresource>
#[winapi]
pub fn FreeResource(guest: &mut Guest, hResData: GuestWord) -> Bool {
    let _ = (guest, hResData);
    FALSE
}

/// A listing on its way: the guest's function, its last argument, and room for names.
struct Listing {
    function: u64,
    parameter: u64,
    is_wide: bool,
}

impl Listing {
    /// Calls the function once for each name, behind the fixed arguments; `FALSE` ends the listing.
    fn names(&self, guest: &mut Guest, fixed: &[u64], names: Vec<ResourceName>) -> Result<Bool, Win32Error> {
        let longest =
            names.iter().map(|name| if let ResourceName::Name(text) = name { text.len() } else { 0 });
        let room = 4 * (longest.max().unwrap_or(0) as u64 + 1);
        let buffer = guest.process().heaps.allocate(0, room, false).ok_or(Win32Error::NOT_ENOUGH_MEMORY)?;
        let outcome = self.call_for_each(guest, fixed, &names, buffer);
        guest.process().heaps.free(0, buffer);
        outcome
    }

    fn call_for_each(
        &self,
        guest: &mut Guest,
        fixed: &[u64],
        names: &[ResourceName],
        buffer: u64,
    ) -> Result<Bool, Win32Error> {
        for name in names {
            let word = match name {
                ResourceName::Id(id) => u64::from(*id),
                ResourceName::Name(text) => {
                    let mut text = text.clone();
                    text.push(0);
                    match self.is_wide {
                        true => guest.write_wide(buffer, &text)?,
                        false => guest.write_bytes(buffer, &nls::narrow(&text))?,
                    }
                    buffer
                }
            };
            self.call(guest, fixed, word)?;
        }
        Ok(Bool(true))
    }

    fn call(&self, guest: &mut Guest, fixed: &[u64], last: u64) -> Result<(), Win32Error> {
        let mut arguments = fixed.to_vec();
        arguments.extend([last, self.parameter]);
        match guest.call(self.function, &arguments)? as u32 {
            0 => Err(Win32Error::RESOURCE_ENUM_USER_STOP),
            _ => Ok(()),
        }
    }

    fn types(&self, guest: &mut Guest, module: GuestWord) -> Result<Bool, Win32Error> {
        let listed = resource::list(guest, base_of(guest, module), &[])?;
        let names = listed.into_iter().map(Listed::name).collect();
        self.names(guest, &[module.0], names)
    }

    fn resources(&self, guest: &mut Guest, module: GuestWord, kind: GuestWord) -> Result<Bool, Win32Error> {
        let name = name_of(guest, kind, self.is_wide)?;
        let listed = resource::list(guest, base_of(guest, module), &[name])?;
        let names = listed.into_iter().map(Listed::name).collect();
        self.names(guest, &[module.0, kind.0], names)
    }

    fn languages(
        &self,
        guest: &mut Guest,
        module: GuestWord,
        kind: GuestWord,
        name: GuestWord,
    ) -> Result<Bool, Win32Error> {
        let path = [name_of(guest, kind, self.is_wide)?, name_of(guest, name, self.is_wide)?];
        for language in resource::list(guest, base_of(guest, module), &path)? {
            if let ResourceName::Id(language) = language.name() {
                self.call(guest, &[module.0, kind.0, name.0], u64::from(language))?;
            }
        }
        Ok(Bool(true))
    }
}

/// Writes the functions of both kinds of text, plain and Ex: the Ex ones take flags and a language for files beside
/// the module, of which there are none.
macro_rules! listings {
    ($(#[doc = $what:literal] $plain:ident $extended:ident $wide:literal $method:ident ($($word:ident),*) $url:literal;)*) => {$(
        #[doc = $what]
        #[doc = ""]
        #[doc = concat!("Source: <https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-", $url, ">")]
        #[winapi]
        pub fn $plain(
            guest: &mut Guest,
            hModule: GuestWord,
            $($word: GuestWord,)*
            lpEnumFunc: GuestWord,
            lParam: GuestWord,
        ) -> Result<Bool, Win32Error> {
            let listing = Listing { function: lpEnumFunc.0, parameter: lParam.0, is_wide: $wide };
            listing.$method(guest, hModule $(, $word)*)
        }

        #[doc = $what]
        #[doc = ""]
        #[doc = concat!("Source: <https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-", $url, ">")]
        #[winapi]
        pub fn $extended(
            guest: &mut Guest,
            hModule: GuestWord,
            $($word: GuestWord,)*
            lpEnumFunc: GuestWord,
            lParam: GuestWord,
            dwFlags: u32,
            LangId: u16,
        ) -> Result<Bool, Win32Error> {
            let _ = (dwFlags, LangId);
            let listing = Listing { function: lpEnumFunc.0, parameter: lParam.0, is_wide: $wide };
            listing.$method(guest, hModule $(, $word)*)
        }
    )*};
}

listings! {
    /// Lists the types of a module's resources, as `EnumResourceTypes`.
    EnumResourceTypesA EnumResourceTypesExA false types() "enumresourcetypesexa";
    /// Lists the types of a module's resources, as `EnumResourceTypes`.
    EnumResourceTypesW EnumResourceTypesExW true types() "enumresourcetypesexw";
    /// Lists a module's resources of a type.
    EnumResourceNamesA EnumResourceNamesExA false resources(lpType) "enumresourcenamesexa";
    /// Lists a module's resources of a type.
    EnumResourceNamesW EnumResourceNamesExW true resources(lpType) "enumresourcenamesw";
    /// Lists the languages of a resource.
    EnumResourceLanguagesA EnumResourceLanguagesExA false languages(lpType, lpName) "enumresourcelanguagesexa";
    /// Lists the languages of a resource.
    EnumResourceLanguagesW EnumResourceLanguagesExW true languages(lpType, lpName) "enumresourcelanguagesexw";
}
