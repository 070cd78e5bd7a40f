//! roerrorapi.h: what errors of the Windows Runtime have to say. Nothing is kept of them, and the functions say so.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::{INVALID_ARGUMENT, OK, POINTER};
use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial RoOriginateError, "the text is not kept"; partial RoOriginateErrorW, "the text is not kept";
    partial RoOriginateLanguageException, "the exception is not kept";
    partial RoTransformError, "the text is not kept"; partial RoTransformErrorW, "the text is not kept";
    partial RoCaptureErrorContext, "the place is not kept"; partial RoReportUnhandledError, "nobody is told";
    partial SetRestrictedErrorInfo, "it is not kept"; full GetRestrictedErrorInfo;
    full RoGetErrorReportingFlags; partial RoSetErrorReportingFlags, "they change nothing"; full RoClearError;
};

/// `RO_ERROR_REPORTING_USESETERRORINFO`, which holds from the beginning.
const DEFAULT_REPORTING: u32 = 4;
/// All flags of reporting.
const ALL_REPORTING: u32 = 0xf;
/// `S_FALSE`.
const NONE: i32 = 1;

answers! {
    "Keeps nothing of an error, and says so." -> Bool = FALSE => {
        "roerrorapi/nf-roerrorapi-rooriginateerror" RoOriginateError(error: u32, message: GuestWord);
        "roerrorapi/nf-roerrorapi-rooriginateerrorw"
        RoOriginateErrorW(error: u32, cchMax: u32, message: GuestWord);
        "roerrorapi/nf-roerrorapi-rooriginatelanguageexception"
        RoOriginateLanguageException(error: u32, message: GuestWord, languageException: GuestWord);
        "roerrorapi/nf-roerrorapi-rotransformerror"
        RoTransformError(oldError: u32, newError: u32, message: GuestWord);
        "roerrorapi/nf-roerrorapi-rotransformerrorw"
        RoTransformErrorW(oldError: u32, newError: u32, cchMax: u32, message: GuestWord);
    }
    "Keeps nothing of an error." -> i32 = OK => {
        "roerrorapi/nf-roerrorapi-rocaptureerrorcontext" RoCaptureErrorContext(hr: u32);
        "roerrorapi/nf-roerrorapi-roreportunhandlederror" RoReportUnhandledError(pRestrictedErrorInfo: GuestWord);
        "roerrorapi/nf-roerrorapi-setrestrictederrorinfo" SetRestrictedErrorInfo(pRestrictedErrorInfo: GuestWord);
    }
    "Forgets the thread's error." -> () = () => {
        "roerrorapi/nf-roerrorapi-roclearerror" RoClearError();
    }
}

/// Gives what is known of the thread's error: nothing.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/roerrorapi/nf-roerrorapi-getrestrictederrorinfo>
#[winapi]
pub fn GetRestrictedErrorInfo(guest: &mut Guest, ppRestrictedErrorInfo: GuestWord) -> Result<i32, Fault> {
    if ppRestrictedErrorInfo.is_null() {
        return Ok(POINTER);
    }
    guest.write_word(ppRestrictedErrorInfo.0, 0).map(|()| NONE)
}

/// Tells how errors are reported: as from the beginning.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/roerrorapi/nf-roerrorapi-rogeterrorreportingflags>
#[winapi]
pub fn RoGetErrorReportingFlags(guest: &mut Guest, pflags: GuestWord) -> Result<i32, Fault> {
    if pflags.is_null() {
        return Ok(POINTER);
    }
    guest.write(pflags.0, &DEFAULT_REPORTING).map(|()| OK)
}

/// Takes how errors shall be reported.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/roerrorapi/nf-roerrorapi-roseterrorreportingflags>
#[winapi]
pub fn RoSetErrorReportingFlags(guest: &mut Guest, flags: u32) -> i32 {
    let _ = guest;
    if flags & !ALL_REPORTING != 0 { INVALID_ARGUMENT } else { OK }
}
