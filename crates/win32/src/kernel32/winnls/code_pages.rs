//! Code pages: which there are, and what they are like.

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest, TRUE};
use crate::logic::nls::code_page::CodePage;
use crate::nt::nls;
use crate::widths::both_widths;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full GetACP;
    full GetOEMCP;
    partial GetCPInfo, "only for the code pages that plat has";
    partial GetCPInfoExA, "only for the code pages that plat has; the name is the number alone";
    partial GetCPInfoExW, "only for the code pages that plat has; the name is the number alone";
    partial IsValidCodePage, "East Asian code pages, UTF-7 and ISO 8859 count as not installed";
    full IsDBCSLeadByte;
    full IsDBCSLeadByteEx;
};

/// `CPINFO`.
#[derive(GuestStruct, Default)]
struct CpInfo {
    max_char_size: u32,
    default_char: [u8; 2],
    lead_byte: [u8; 12],
}

/// Returns the ANSI code page.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getacp>
#[winapi]
pub fn GetACP(guest: &mut Guest) -> u32 {
    let _ = guest;
    nls::ansi().number()
}

/// Returns the OEM code page.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getoemcp>
#[winapi]
pub fn GetOEMCP(guest: &mut Guest) -> u32 {
    let _ = guest;
    nls::oem().number()
}

fn info(page: &CodePage) -> CpInfo {
    let mut lead_byte = [0; 12];
    for (place, (low, high)) in lead_byte.chunks_exact_mut(2).zip(page.lead_bytes()) {
        place.copy_from_slice(&[*low, *high]);
    }
    CpInfo { max_char_size: page.max_character_size(), default_char: [b'?', 0], lead_byte }
}

/// Describes a code page.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getcpinfo>
#[winapi]
pub fn GetCPInfo(guest: &mut Guest, CodePage: u32, lpCPInfo: GuestWord) -> Result<Bool, Win32Error> {
    if lpCPInfo.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let page = nls::page(CodePage)?;
    guest.write(lpCPInfo.get(), &info(&page))?;
    Ok(TRUE)
}

both_widths! {
    /// Describes a code page with its name.
    "winnls/nf-winnls-getcpinfoex"
    GetCPInfoExA, GetCPInfoExW(
        guest, width, CodePage: u32, dwFlags: u32, lpCPInfoEx: GuestWord
    ) -> Result<Bool, Win32Error> {
        let address = lpCPInfoEx.get();
        if address == 0 || dwFlags != 0 {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        let page = nls::page(CodePage)?;
        guest.write(address, &info(&page))?;
        // Behind CPINFO: the default character, the number, the name.
        guest.write(address + 18, &page.default_unit())?;
        guest.write(address + 20, &page.number())?;
        let name: Vec<u16> = page.number().to_string().encode_utf16().collect();
        width.write(guest, GuestWord(address + 24), &name)?;
        Ok(TRUE)
    }
}

/// Says whether a code page is installed; the aliases 0 to 3 are none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-isvalidcodepage>
#[winapi]
pub fn IsValidCodePage(guest: &mut Guest, CodePage: u32) -> Bool {
    let _ = guest;
    Bool(CodePage > 3 && nls::page(CodePage).is_ok())
}

/// Says whether a byte begins a double-byte character of the ANSI code page: none does.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-isdbcsleadbyte>
#[winapi]
pub fn IsDBCSLeadByte(guest: &mut Guest, TestChar: u8) -> Bool {
    let _ = (guest, TestChar);
    FALSE
}

/// Says whether a byte begins a double-byte character of a code page.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-isdbcsleadbyteex>
#[winapi]
pub fn IsDBCSLeadByteEx(guest: &mut Guest, CodePage: u32, TestChar: u8) -> Result<Bool, Win32Error> {
    let _ = guest;
    let page = nls::page(CodePage)?;
    Ok(Bool(page.lead_bytes().iter().any(|(low, high)| (*low..=*high).contains(&TestChar))))
}
