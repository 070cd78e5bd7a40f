//! wincrypt.h: certificate revocation lists in stores. Stores hold none, so there is never one to list or to find.

use plat_abi::{GuestWord, winapi};

use super::certificate::NOT_FOUND;
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial CertEnumCRLsInStore, "stores hold no revocation lists";
    partial CertFindCRLInStore, "stores hold no revocation lists";
    partial CertFreeCRLContext, "there are no revocation lists: only null";
};

/// Lists the revocation lists of a store: there are none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certenumcrlsinstore>
#[winapi]
pub fn CertEnumCRLsInStore(
    guest: &mut Guest,
    hCertStore: GuestWord,
    pPrevCrlContext: GuestWord,
) -> Result<GuestWord, Win32Error> {
    let _ = (guest, hCertStore, pPrevCrlContext);
    Err(NOT_FOUND)
}

/// Looks for a revocation list in a store: there are none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certfindcrlinstore>
#[winapi]
pub fn CertFindCRLInStore(
    guest: &mut Guest,
    hCertStore: GuestWord,
    dwCertEncodingType: u32,
    dwFindFlags: u32,
    dwFindType: u32,
    pvFindPara: GuestWord,
    pPrevCrlContext: GuestWord,
) -> Result<GuestWord, Win32Error> {
    let _ = (guest, hCertStore, dwCertEncodingType, dwFindFlags, dwFindType, pvFindPara, pPrevCrlContext);
    Err(NOT_FOUND)
}

/// Frees a revocation list; there are none, and null is always freed.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certfreecrlcontext>
#[winapi]
pub fn CertFreeCRLContext(guest: &mut Guest, pCrlContext: GuestWord) -> Bool {
    let _ = (guest, pCrlContext);
    TRUE
}
