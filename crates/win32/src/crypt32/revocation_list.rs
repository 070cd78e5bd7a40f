//! wincrypt.h: lists of revoked certificates. No store has any.

use plat_abi::{GuestWord, winapi};

use crate::Win32Error;
use crate::crypt32::certificate::NOT_FOUND;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial CertEnumCRLsInStore, "stores have no revocation lists";
    partial CertFreeCRLContext, "there are no revocation lists";
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

/// Frees a revocation list: as on Windows, always done, null among them.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certfreecrlcontext>
#[winapi]
pub fn CertFreeCRLContext(guest: &mut Guest, pCrlContext: GuestWord) -> Bool {
    let _ = (guest, pCrlContext);
    TRUE
}
