//! winhttp.dll: how the user is connected, which is without a proxy. Of the rest names only: a program that only links to
//! it runs; a call says that the function is not there.

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::{Dll, Export};
use crate::guest::{Bool, Guest, TRUE};

/// The DLL.
pub const DLL: Dll =
    Dll { name: "winhttp.dll", description: "Windows HTTP Services", tables: &[EXPORTS], methods: &[] };

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    stub WinHttpOpen;
    stub WinHttpConnect;
    stub WinHttpOpenRequest;
    stub WinHttpSendRequest;
    stub WinHttpReceiveResponse;
    stub WinHttpReadData;
    stub WinHttpReadDataEx;
    stub WinHttpWriteData;
    stub WinHttpQueryHeaders;
    stub WinHttpQueryDataAvailable;
    stub WinHttpQueryOption;
    stub WinHttpSetOption;
    stub WinHttpSetCredentials;
    stub WinHttpSetStatusCallback;
    stub WinHttpSetTimeouts;
    stub WinHttpAddRequestHeaders;
    stub WinHttpCloseHandle;
    stub WinHttpCrackUrl;
    stub WinHttpCreateUrl;
    stub WinHttpGetProxyForUrl;
    full WinHttpGetIEProxyConfigForCurrentUser;
    full WinHttpGetDefaultProxyConfiguration;
};

/// `WINHTTP_CURRENT_USER_IE_PROXY_CONFIG`.
#[derive(GuestStruct, Default)]
#[allow(non_snake_case)]
struct UserProxyConfig {
    fAutoDetect: u32,
    lpszAutoConfigUrl: GuestWord,
    lpszProxy: GuestWord,
    lpszProxyBypass: GuestWord,
}

/// `WINHTTP_PROXY_INFO`.
#[derive(GuestStruct, Default)]
#[allow(non_snake_case)]
struct ProxyInfo {
    dwAccessType: u32,
    lpszProxy: GuestWord,
    lpszProxyBypass: GuestWord,
}

/// Returns the proxy of the user's settings: none is set, and none is looked for.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winhttp/nf-winhttp-winhttpgetieproxyconfigforcurrentuser>
#[winapi]
pub fn WinHttpGetIEProxyConfigForCurrentUser(
    guest: &mut Guest,
    pProxyConfig: GuestWord,
) -> Result<Bool, Win32Error> {
    if pProxyConfig.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    guest.write(pProxyConfig.0, &UserProxyConfig::default())?;
    Ok(TRUE)
}

/// Returns the machine's proxy for services: connections are direct.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winhttp/nf-winhttp-winhttpgetdefaultproxyconfiguration>
#[winapi]
pub fn WinHttpGetDefaultProxyConfiguration(
    guest: &mut Guest,
    pProxyInfo: GuestWord,
) -> Result<Bool, Win32Error> {
    /// `WINHTTP_ACCESS_TYPE_NO_PROXY`.
    const NO_PROXY: u32 = 1;
    if pProxyInfo.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    guest.write(pProxyInfo.0, &ProxyInfo { dwAccessType: NO_PROXY, ..ProxyInfo::default() })?;
    Ok(TRUE)
}
