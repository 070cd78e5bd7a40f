//! wininet.dll: names only. A program that only links to it runs; a call says that the function is not there.

use crate::dll;
use crate::export::{Dll, Export};

/// The DLL.
pub const DLL: Dll = Dll {
    name: "wininet.dll",
    description: "Internet Extensions for Win32",
    tables: &[EXPORTS],
    methods: &[],
};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    stub InternetOpenA;
    stub InternetOpenW;
    stub InternetOpenUrlA;
    stub InternetOpenUrlW;
    stub InternetConnectA;
    stub InternetConnectW;
    stub InternetCloseHandle;
    stub InternetReadFile;
    stub InternetReadFileExA;
    stub InternetReadFileExW;
    stub InternetWriteFile;
    stub InternetQueryDataAvailable;
    stub InternetQueryOptionA;
    stub InternetQueryOptionW;
    stub InternetSetOptionA;
    stub InternetSetOptionW;
    stub InternetSetStatusCallbackA;
    stub InternetSetStatusCallbackW;
    stub InternetCrackUrlA;
    stub InternetCrackUrlW;
    stub InternetGetConnectedState;
    stub InternetGetLastResponseInfoA;
    stub InternetGetLastResponseInfoW;
    stub InternetCanonicalizeUrlA;
    stub InternetCanonicalizeUrlW;
    stub HttpOpenRequestA;
    stub HttpOpenRequestW;
    stub HttpSendRequestA;
    stub HttpSendRequestW;
    stub HttpSendRequestExA;
    stub HttpSendRequestExW;
    stub HttpEndRequestA;
    stub HttpEndRequestW;
    stub HttpQueryInfoA;
    stub HttpQueryInfoW;
    stub HttpAddRequestHeadersA;
    stub HttpAddRequestHeadersW;
    stub FtpOpenFileA;
    stub FtpOpenFileW;
    stub FtpGetFileA;
    stub FtpGetFileW;
    stub FtpPutFileA;
    stub FtpPutFileW;
    stub DeleteUrlCacheEntryA;
    stub DeleteUrlCacheEntryW;
};
