//! winhttp.dll: requests to servers of HTTP, without a proxy. The table of contents, and how the user is connected.

pub mod exchange;
pub mod options;
pub mod requests;
pub mod sessions;

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::answers::answers;
use crate::dll;
use crate::export::{Dll, Export};
use crate::guest::{Bool, Guest, TRUE};

/// The DLL.
pub const DLL: Dll = Dll {
    name: "winhttp.dll",
    description: "Windows HTTP Services",
    tables: &[EXPORTS, sessions::EXPORTS, requests::EXPORTS, options::EXPORTS],
    methods: &[],
};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    stub WinHttpReadDataEx;
    stub WinHttpCrackUrl;
    stub WinHttpCreateUrl;
    full WinHttpCheckPlatform;
    partial WinHttpDetectAutoProxyConfigUrl, "always ERROR_WINHTTP_AUTODETECTION_FAILED: no proxy is looked for";
    partial WinHttpGetProxyForUrl, "always ERROR_WINHTTP_AUTODETECTION_FAILED: no proxy is looked for";
    full WinHttpGetIEProxyConfigForCurrentUser;
    full WinHttpGetDefaultProxyConfiguration;
};

/// `ERROR_WINHTTP_AUTODETECTION_FAILED`.
const NOT_DETECTED: Win32Error = Win32Error(12180);

answers! {
    "Says that this machine can do it.", "winhttp/nf-winhttp-winhttpcheckplatform";
    WinHttpCheckPlatform() -> Bool = TRUE;
    "Looks for the proxy's settings in the network: there are none.", "winhttp/nf-winhttp-winhttpdetectautoproxyconfigurl";
    WinHttpDetectAutoProxyConfigUrl(
        dwAutoDetectFlags: u32, ppwstrAutoConfigUrl: GuestWord
    ) -> Result<Bool, Win32Error> = Err(NOT_DETECTED);
    "Looks for the proxy for an address: there is none.", "winhttp/nf-winhttp-winhttpgetproxyforurl";
    WinHttpGetProxyForUrl(
        hSession: GuestWord, lpcwszUrl: GuestWord, pAutoProxyOptions: GuestWord, pProxyInfo: GuestWord
    ) -> Result<Bool, Win32Error> = Err(NOT_DETECTED);
}

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
