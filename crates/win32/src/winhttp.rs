//! winhttp.dll: names only. A program that only links to it runs; a call says that the function is not there.

use crate::dll;
use crate::export::{Dll, Export};

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
    stub WinHttpGetIEProxyConfigForCurrentUser;
    stub WinHttpGetDefaultProxyConfiguration;
};
