//! winbase.h: serial lines and tapes. There are none: every function refuses any handle as Windows does one of a file.

use plat_abi::{GuestWord, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial ClearCommBreak, "there are no serial lines";
    partial ClearCommError, "there are no serial lines";
    partial EscapeCommFunction, "there are no serial lines";
    partial GetCommMask, "there are no serial lines";
    partial GetCommModemStatus, "there are no serial lines";
    partial GetCommProperties, "there are no serial lines";
    partial GetCommState, "there are no serial lines";
    partial GetCommTimeouts, "there are no serial lines";
    partial PurgeComm, "there are no serial lines";
    partial SetCommBreak, "there are no serial lines";
    partial SetCommMask, "there are no serial lines";
    partial SetCommState, "there are no serial lines";
    partial SetCommTimeouts, "there are no serial lines";
    partial SetupComm, "there are no serial lines";
    partial TransmitCommChar, "there are no serial lines";
    partial WaitCommEvent, "there are no serial lines";
    partial CreateTapePartition, "there are no tapes";
    partial EraseTape, "there are no tapes";
    partial GetTapeParameters, "there are no tapes";
    partial GetTapePosition, "there are no tapes";
    partial GetTapeStatus, "there are no tapes";
    partial PrepareTape, "there are no tapes";
    partial SetTapeParameters, "there are no tapes";
    partial SetTapePosition, "there are no tapes";
    partial WriteTapemark, "there are no tapes";
};

/// What a device's function says to the handle of something else.
fn refusal(guest: &Guest, handle: GuestWord) -> Win32Error {
    match guest.process().object(handle.0) {
        Ok(_) => Win32Error::INVALID_FUNCTION,
        Err(status) => status.to_win32(),
    }
}

/// Defines functions that refuse: a line of documentation, the page, the name, the parameters after the handle.
macro_rules! refusing {
    ($result:ty, $wrap:expr; $(
        $(#[doc = $what:literal])+
        $page:literal $name:ident($handle:ident $(, $parameter:ident: $type:ty)* $(,)?)
    )*) => {$(
        $(#[doc = $what])+
        #[doc = ""]
        #[doc = concat!("Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-", $page, ">")]
        #[winapi]
        pub fn $name(guest: &mut Guest, $handle: GuestWord $(, $parameter: $type)*) -> $result {
            $(let _ = $parameter;)*
            $wrap(refusal(guest, $handle))
        }
    )*};
}

refusing! { Result<Bool, Win32Error>, Err;
    /// Ends a break of a serial line.
    "clearcommbreak" ClearCommBreak(hFile)
    /// Tells and clears the errors of a serial line.
    "clearcommerror" ClearCommError(hFile, lpErrors: GuestWord, lpStat: GuestWord)
    /// Does something to a serial line's signals.
    "escapecommfunction" EscapeCommFunction(hFile, dwFunc: u32)
    /// Tells which events of a serial line are watched.
    "getcommmask" GetCommMask(hFile, lpEvtMask: GuestWord)
    /// Tells the signals of a modem.
    "getcommmodemstatus" GetCommModemStatus(hFile, lpModemStat: GuestWord)
    /// Tells what a serial line can do.
    "getcommproperties" GetCommProperties(hFile, lpCommProp: GuestWord)
    /// Tells how a serial line is set.
    "getcommstate" GetCommState(hFile, lpDCB: GuestWord)
    /// Tells a serial line's time-outs.
    "getcommtimeouts" GetCommTimeouts(hFile, lpCommTimeouts: GuestWord)
    /// Drops what a serial line holds.
    "purgecomm" PurgeComm(hFile, dwFlags: u32)
    /// Begins a break of a serial line.
    "setcommbreak" SetCommBreak(hFile)
    /// Sets which events of a serial line are watched.
    "setcommmask" SetCommMask(hFile, dwEvtMask: u32)
    /// Sets a serial line.
    "setcommstate" SetCommState(hFile, lpDCB: GuestWord)
    /// Sets a serial line's time-outs.
    "setcommtimeouts" SetCommTimeouts(hFile, lpCommTimeouts: GuestWord)
    /// Sets the sizes of a serial line's buffers.
    "setupcomm" SetupComm(hFile, dwInQueue: u32, dwOutQueue: u32)
    /// Sends a character before all others.
    "transmitcommchar" TransmitCommChar(hFile, cChar: u8)
    /// Waits for an event of a serial line.
    "waitcommevent" WaitCommEvent(hFile, lpEvtMask: GuestWord, lpOverlapped: GuestWord)
}

/// The error itself is what a tape's function returns.
fn code(error: Win32Error) -> u32 {
    error.0
}

refusing! { u32, code;
    /// Divides a tape.
    "createtapepartition" CreateTapePartition(hDevice, dwPartitionMethod: u32, dwCount: u32, dwSize: u32)
    /// Erases a tape.
    "erasetape" EraseTape(hDevice, dwEraseType: u32, bImmediate: Bool)
    /// Tells facts about a tape.
    "gettapeparameters" GetTapeParameters(hDevice, dwOperation: u32, lpdwSize: GuestWord, lpTapeInformation: GuestWord)
    /// Tells a tape's position.
    "gettapeposition" GetTapePosition(hDevice, dwPositionType: u32, lpdwPartition: GuestWord,
        lpdwOffsetLow: GuestWord, lpdwOffsetHigh: GuestWord)
    /// Says whether a tape is ready.
    "gettapestatus" GetTapeStatus(hDevice)
    /// Makes a tape ready.
    "preparetape" PrepareTape(hDevice, dwOperation: u32, bImmediate: Bool)
    /// Sets a tape.
    "settapeparameters" SetTapeParameters(hDevice, dwOperation: u32, lpTapeInformation: GuestWord)
    /// Moves a tape.
    "settapeposition" SetTapePosition(hDevice, dwPositionMethod: u32, dwPartition: u32, dwOffsetLow: u32,
        dwOffsetHigh: u32, bImmediate: Bool)
    /// Writes marks on a tape.
    "writetapemark" WriteTapemark(hDevice, dwTapemarkType: u32, dwTapemarkCount: u32, bImmediate: Bool)
}
