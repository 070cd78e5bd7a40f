//! wincrypt.h: certificate revocation lists in stores. Stores hold none, so there is never one to list or to find.

use plat_abi::GuestWord;

use super::certificate::NOT_FOUND;
use crate::Win32Error;
use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, TRUE};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial CertEnumCRLsInStore, "stores hold no revocation lists";
    partial CertFindCRLInStore, "stores hold no revocation lists";
    partial CertFreeCRLContext, "there are no revocation lists: only null";
};

answers! {
    "Lists the revocation lists of a store: there are none.", "wincrypt/nf-wincrypt-certenumcrlsinstore";
    CertEnumCRLsInStore(
        hCertStore: GuestWord, pPrevCrlContext: GuestWord
    ) -> Result<GuestWord, Win32Error> = Err(NOT_FOUND);
    "Looks for a revocation list in a store: there are none.", "wincrypt/nf-wincrypt-certfindcrlinstore";
    CertFindCRLInStore(
        hCertStore: GuestWord, dwCertEncodingType: u32, dwFindFlags: u32, dwFindType: u32, pvFindPara: GuestWord,
        pPrevCrlContext: GuestWord
    ) -> Result<GuestWord, Win32Error> = Err(NOT_FOUND);
    "Frees a revocation list; there are none, and null is always freed.", "wincrypt/nf-wincrypt-certfreecrlcontext";
    CertFreeCRLContext(pCrlContext: GuestWord) -> Bool = TRUE;
}
