//! winbase.h: mailslots, of which there are none.

use plat_abi::GuestWord;

use crate::Win32Error;
use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, HandleOrInvalid};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial CreateMailslotA, "there are no mailslots: ERROR_NOT_SUPPORTED";
    partial CreateMailslotW, "there are no mailslots: ERROR_NOT_SUPPORTED";
    full GetMailslotInfo;
    full SetMailslotInfo;
};

answers! {
    "Refuses: there are no mailslots." -> Result<HandleOrInvalid, Win32Error> = Err(Win32Error::NOT_SUPPORTED) => {
        "winbase/nf-winbase-createmailslot"
        CreateMailslotA, CreateMailslotW(lpName: GuestWord, nMaxMessageSize: u32, lReadTimeout: u32, lpSecurityAttributes: GuestWord);
    }
    "Says that this is no mailslot: there are none." -> Result<Bool, Win32Error> = Err(Win32Error::INVALID_HANDLE) => {
        "winbase/nf-winbase-getmailslotinfo"
        GetMailslotInfo(hMailslot: GuestWord, lpMaxMessageSize: GuestWord, lpNextSize: GuestWord, lpMessageCount: GuestWord, lpReadTimeout: GuestWord);
        "winbase/nf-winbase-setmailslotinfo" SetMailslotInfo(hMailslot: GuestWord, lReadTimeout: u32);
    }
}
