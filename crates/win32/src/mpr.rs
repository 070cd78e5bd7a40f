//! mpr.dll: drives and printers of networks, on a machine where nobody provides any.

use plat_abi::{GuestWord, Memory};

use crate::Win32Error;
use crate::answers::answers;
use crate::dll;
use crate::export::{Dll, Export};
use crate::guest::Bool;
use crate::nt::account;
use crate::widths::both_widths;

/// The DLL.
pub const DLL: Dll =
    Dll { name: "mpr.dll", description: "Multiple Provider Router DLL", tables: &[EXPORTS], methods: &[] };

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full WNetGetUserA;
    full WNetGetUserW;
    full WNetGetLastErrorA;
    full WNetGetLastErrorW;
    full WNetGetConnectionA;
    full WNetGetConnectionW;
    full WNetGetUniversalNameA;
    full WNetGetUniversalNameW;
    full WNetCancelConnectionA;
    full WNetCancelConnectionW;
    full WNetCancelConnection2A;
    full WNetCancelConnection2W;
    full WNetOpenEnumA;
    full WNetOpenEnumW;
    full WNetEnumResourceA;
    full WNetEnumResourceW;
    full WNetCloseEnum;
    full WNetAddConnectionA;
    full WNetAddConnectionW;
    full WNetAddConnection2A;
    full WNetAddConnection2W;
    full WNetAddConnection3A;
    full WNetAddConnection3W;
    full WNetUseConnectionA;
    full WNetUseConnectionW;
    full WNetGetProviderNameA;
    full WNetGetProviderNameW;
    full WNetGetNetworkInformationA;
    full WNetGetNetworkInformationW;
    full WNetGetResourceParentA;
    full WNetGetResourceParentW;
    full WNetGetResourceInformationA;
    full WNetGetResourceInformationW;
};

/// `ERROR_NOT_CONNECTED`.
const NOT_CONNECTED: u32 = 2250;
/// `ERROR_NO_NETWORK`.
const NO_NETWORK: u32 = 1222;
/// `ERROR_NO_NET_OR_BAD_PATH`.
const NO_NETWORK_OR_BAD_PATH: u32 = 1203;

both_widths! {
    /// Stores the name of the user, if it is asked for with no connection.
    "winnetwk/nf-winnetwk-wnetgetuser"
    WNetGetUserA, WNetGetUserW(
        guest, width, lpName: GuestWord, lpUserName: GuestWord, lpnLength: GuestWord
    ) -> Result<u32, plat_abi::Fault> {
        if !lpName.is_null() {
            return Ok(NOT_CONNECTED);
        }
        let name: Vec<u16> = account::own_name(guest.process()).encode_utf16().collect();
        let bytes = width.bytes(&name);
        let needed = (bytes.len() / width.unit_bytes()) as u32;
        if guest.read_u32(lpnLength.get())? < needed {
            guest.write(lpnLength.get(), &needed)?;
            return Ok(Win32Error::MORE_DATA.0);
        }
        guest.write_bytes(lpUserName.get(), &bytes)?;
        Ok(0)
    }

    /// Says that no provider had an error: there is none.
    "winnetwk/nf-winnetwk-wnetgetlasterror"
    WNetGetLastErrorA, WNetGetLastErrorW(
        guest, width, lpError: GuestWord, lpErrorBuf: GuestWord, nErrorBufSize: u32, lpNameBuf: GuestWord,
        nNameBufSize: u32
    ) -> Result<u32, plat_abi::Fault> {
        guest.write(lpError.get(), &0_u32)?;
        for (buffer, size) in [(lpErrorBuf, nErrorBufSize), (lpNameBuf, nNameBufSize)] {
            if size > 0 {
                width.write(guest, buffer, &[])?;
            }
        }
        Ok(0)
    }
}

answers! {
    "Says that a local name is connected with nothing." -> u32 = NOT_CONNECTED => {
        "winnetwk/nf-winnetwk-wnetgetconnection"
        WNetGetConnectionA, WNetGetConnectionW(lpLocalName: GuestWord, lpRemoteName: GuestWord, lpnLength: GuestWord);
    }
    "Says that a path does not lie on a network drive." -> u32 = NOT_CONNECTED => {
        "winnetwk/nf-winnetwk-wnetgetuniversalname"
        WNetGetUniversalNameA, WNetGetUniversalNameW(lpLocalPath: GuestWord, dwInfoLevel: u32, lpBuffer: GuestWord, lpBufferSize: GuestWord);
    }
    "Says that there is no such connection." -> u32 = NOT_CONNECTED => {
        "winnetwk/nf-winnetwk-wnetcancelconnection"
        WNetCancelConnectionA, WNetCancelConnectionW(lpName: GuestWord, fForce: Bool);
        "winnetwk/nf-winnetwk-wnetcancelconnection2"
        WNetCancelConnection2A, WNetCancelConnection2W(lpName: GuestWord, dwFlags: u32, fForce: Bool);
    }
    "Says that there is no network to list." -> u32 = NO_NETWORK => {
        "winnetwk/nf-winnetwk-wnetopenenum"
        WNetOpenEnumA, WNetOpenEnumW(dwScope: u32, dwType: u32, dwUsage: u32, lpNetResource: GuestWord, lphEnum: GuestWord);
    }
    "Says that this is no list: none was opened." -> u32 = Win32Error::INVALID_HANDLE.0 => {
        "winnetwk/nf-winnetwk-wnetenumresource"
        WNetEnumResourceA, WNetEnumResourceW(hEnum: GuestWord, lpcCount: GuestWord, lpBuffer: GuestWord, lpBufferSize: GuestWord);
        "winnetwk/nf-winnetwk-wnetcloseenum" WNetCloseEnum(hEnum: GuestWord);
    }
    "Says that nobody provides a network for a connection." -> u32 = NO_NETWORK_OR_BAD_PATH => {
        "winnetwk/nf-winnetwk-wnetaddconnection"
        WNetAddConnectionA, WNetAddConnectionW(lpRemoteName: GuestWord, lpPassword: GuestWord, lpLocalName: GuestWord);
        "winnetwk/nf-winnetwk-wnetaddconnection2"
        WNetAddConnection2A, WNetAddConnection2W(lpNetResource: GuestWord, lpPassword: GuestWord, lpUserName: GuestWord, dwFlags: u32);
        "winnetwk/nf-winnetwk-wnetaddconnection3"
        WNetAddConnection3A, WNetAddConnection3W(hwndOwner: GuestWord, lpNetResource: GuestWord, lpPassword: GuestWord, lpUserName: GuestWord, dwFlags: u32);
        "winnetwk/nf-winnetwk-wnetuseconnection"
        WNetUseConnectionA, WNetUseConnectionW(hwndOwner: GuestWord, lpNetResource: GuestWord, lpPassword: GuestWord, lpUserId: GuestWord, dwFlags: u32, lpAccessName: GuestWord, lpBufferSize: GuestWord, lpResult: GuestWord);
    }
    "Says that there is no network." -> u32 = NO_NETWORK => {
        "winnetwk/nf-winnetwk-wnetgetprovidername"
        WNetGetProviderNameA, WNetGetProviderNameW(dwNetType: u32, lpProviderName: GuestWord, lpBufferSize: GuestWord);
        "winnetwk/nf-winnetwk-wnetgetnetworkinformation"
        WNetGetNetworkInformationA, WNetGetNetworkInformationW(lpProvider: GuestWord, lpNetInfoStruct: GuestWord);
        "winnetwk/nf-winnetwk-wnetgetresourceparent"
        WNetGetResourceParentA, WNetGetResourceParentW(lpNetResource: GuestWord, lpBuffer: GuestWord, lpcbBuffer: GuestWord);
        "winnetwk/nf-winnetwk-wnetgetresourceinformation"
        WNetGetResourceInformationA, WNetGetResourceInformationW(lpNetResource: GuestWord, lpBuffer: GuestWord, lpcbBuffer: GuestWord, lplpSystem: GuestWord);
    }
}
