//! ws2_32.dll: Winsock 2. The table of contents, and what all its functions share: a failure is told by the last error,
//! a bad pointer is `WSAEFAULT`.
//!
//! Key type: [`WsaError`].

pub mod address_text;
pub mod addrinfo;
pub mod connecting;
pub mod events;
pub mod ioctl;
pub mod names;
pub mod namespaces;
pub mod overlapped;
pub mod protocols;
pub mod select;
pub mod sockaddr;
pub mod sockets;
pub mod startup;
pub mod transfer;

use plat_abi::{Fault, Raw, Return};

use crate::export::Dll;
use crate::guest::{Failure, Guest};
use crate::logic::winsock::error::{self, WSAEFAULT};
use crate::{NtStatus, Win32Error};

/// The DLL.
pub const DLL: Dll = Dll {
    name: "ws2_32.dll",
    description: "Windows Socket 2.0 32-Bit DLL",
    tables: &[
        sockets::EXPORTS,
        connecting::EXPORTS,
        startup::EXPORTS,
        transfer::EXPORTS,
        overlapped::EXPORTS,
        ioctl::EXPORTS,
        select::EXPORTS,
        events::EXPORTS,
        names::EXPORTS,
        addrinfo::EXPORTS,
        address_text::EXPORTS,
        protocols::EXPORTS,
        namespaces::EXPORTS,
    ],
    methods: &[],
};

/// Why a function of Winsock failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WsaError(pub Win32Error);

impl From<Win32Error> for WsaError {
    fn from(error: Win32Error) -> Self {
        Self(error)
    }
}

impl From<Fault> for WsaError {
    fn from(_: Fault) -> Self {
        Self(WSAEFAULT)
    }
}

impl From<NtStatus> for WsaError {
    fn from(status: NtStatus) -> Self {
        Self(error::of_status(status))
    }
}

impl<T: Return<Guest> + Failure> Return<Guest> for Result<T, WsaError> {
    #[inline]
    fn finish(self, guest: &mut Guest) -> Raw {
        self.map_err(|error| error.0).finish(guest)
    }
}

/// What most functions of Winsock return: a number that is -1 (`SOCKET_ERROR`) for a failure.
pub(crate) type Answer = Result<crate::guest::OrMinusOne, WsaError>;

/// Success without a number.
pub(crate) const DONE: crate::guest::OrMinusOne = crate::guest::OrMinusOne(0);
