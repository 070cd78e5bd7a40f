//! winbase.h: what is to be done for a program that ended badly. Nobody starts programs again here, or has them save their work.

use plat_abi::GuestWord;

use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::Bool;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial ApplicationRecoveryInProgress, "always E_FAIL: no program is being recovered";
    full ApplicationRecoveryFinished;
    partial RegisterApplicationRecoveryCallback, "accepted: nobody recovers programs";
    partial RegisterApplicationRestart, "accepted: nobody starts programs again";
    partial UnregisterApplicationRestart, "as RegisterApplicationRestart";
};

/// `E_FAIL`.
const FAIL: u32 = 0x8000_4005;

answers! {
    "Accepts what should be done when the program ends badly." -> u32 = 0 => {
        "winbase/nf-winbase-registerapplicationrestart"
        RegisterApplicationRestart(pwzCommandline: GuestWord, dwFlags: u32);
        "winbase/nf-winbase-unregisterapplicationrestart" UnregisterApplicationRestart();
        "winbase/nf-winbase-registerapplicationrecoverycallback"
        RegisterApplicationRecoveryCallback(pRecoveyCallback: GuestWord, pvParameter: GuestWord, dwPingInterval: u32, dwFlags: u32);
    }
    "Says that the program is not being recovered." -> u32 = FAIL => {
        "winbase/nf-winbase-applicationrecoveryinprogress" ApplicationRecoveryInProgress(pbCancelled: GuestWord);
    }
    "Ends nothing: the program is not being recovered." -> () = () => {
        "winbase/nf-winbase-applicationrecoveryfinished" ApplicationRecoveryFinished(bSuccess: Bool);
    }
}
