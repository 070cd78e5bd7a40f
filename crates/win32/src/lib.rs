//! The Windows system DLLs: one module per DLL, one file per API header, NT first.
//!
//! Reading order: [`export`] (how a DLL's table of contents is written), [`guest`] (what a function gets),
//! [`process`] (the state of the one Windows process), [`nt`] (objects, handles, files, waits), then the DLLs:
//! `kernel32` is a thin translation above `nt`. Pure rules without a guest live in [`logic`].
//!
//! Windows names keep their spelling here, parameters included.
#![forbid(unsafe_code)]
#![allow(
    non_snake_case,
    non_camel_case_types,
    non_upper_case_globals,
    reason = "Windows names keep their spelling"
)]
// `dll!` takes two expansions per row.
#![recursion_limit = "1024"]
// The table of all exports is sorted by the compiler.
#![allow(long_running_const_eval, reason = "it takes a second, once")]

mod alike;
mod answers;
pub mod apis;
pub mod cmd;
pub mod com;
pub mod crypto_objects;
pub mod entries;
pub mod export;
pub mod guest;
mod leaf;
pub mod logic;
pub mod nt;
pub mod process;
pub mod teb;
mod widths;

pub mod advapi32;
pub mod bcrypt;
pub mod cfgmgr32;
pub mod combase;
pub mod comctl32;
pub mod comdlg32;
pub mod crypt32;
pub mod dbghelp;
pub mod dnsapi;
pub mod gdi32;
pub mod iphlpapi;
pub mod kernel32;
pub mod mpr;
pub mod msvcp140;
pub mod msvcr;
pub mod msvcrt;
pub mod mswsock;
pub mod ncrypt;
pub mod netapi32;
pub mod normaliz;
pub mod ntdll;
pub mod ole32;
pub mod oleaut32;
pub mod pdh;
pub mod powrprof;
pub mod psapi;
pub mod rpcrt4;
pub mod rstrtmgr;
pub mod secur32;
pub mod setupapi;
pub mod shell32;
pub mod shlwapi;
pub mod ucrtbase;
pub mod user32;
pub mod userenv;
pub mod vcomp140;
pub mod vcruntime140;
pub mod version;
pub mod windowscodecs;
pub mod winhttp;
pub mod wininet;
pub mod winmm;
pub mod wintrust;
pub mod wintypes;
pub mod wldap32;
pub mod ws2_32;
pub mod wsock32;
pub mod wtsapi32;

pub use logic::status::{NtStatus, Win32Error};

use export::Dll;

entries::dlls! {
    ntdll::DLL,
    kernel32::DLL,
    msvcrt::DLL,
    user32::DLL,
    advapi32::DLL,
    oleaut32::DLL,
    ole32::DLL,
    combase::DLL,
    comctl32::DLL,
    shell32::DLL,
    bcrypt::DLL,
    bcrypt::PRIMITIVES,
    crypt32::DLL,
    ncrypt::DLL,
    userenv::DLL,
    secur32::DLL,
    netapi32::DLL,
    psapi::DLL,
    winmm::DLL,
    wintypes::DLL,
    ws2_32::DLL,
    wsock32::DLL,
    mswsock::DLL,
    powrprof::DLL,
    dnsapi::DLL,
    iphlpapi::DLL,
    winhttp::DLL,
    wininet::DLL,
    shlwapi::DLL,
    windowscodecs::DLL,
    ucrtbase::DLL,
    vcruntime140::DLL,
    version::DLL,
    normaliz::DLL,
    vcruntime140::DLL_1,
    msvcp140::DLL,
    msvcp140::resources::DLL,
    msvcp140::special_math::DLL,
    msvcp140::atomic_wait::DLL,
    msvcp140::atomic_wait::CODECVT_IDS,
    msvcp140::concurrency::DLL,
    msvcp140::c_threads::DLL,
    vcomp140::DLL,
    msvcr::V70,
    msvcr::V71,
    msvcr::V80,
    msvcr::V90,
    msvcr::V100,
    msvcr::V110,
    msvcr::V120,
    rpcrt4::DLL,
    rstrtmgr::DLL,
    gdi32::DLL,
    comdlg32::DLL,
    dbghelp::DLL,
    dbghelp::IMAGEHLP,
    cfgmgr32::DLL,
    mpr::DLL,
    pdh::DLL,
    setupapi::DLL,
    wintrust::DLL,
    wldap32::DLL,
    wtsapi32::DLL,
}

/// Returns the builtin DLL that another cannot do without: the C runtimes' state is msvcrt.dll's, and the methods that
/// all objects share are ole32.dll's.
pub fn companion(name: &str) -> Option<&'static str> {
    if [shlwapi::DLL.name, windowscodecs::DLL.name].contains(&name) {
        return Some(ole32::DLL.name);
    }
    let is_runtime = name == ucrtbase::DLL.name
        || ["msvcr", "msvcp", "vcruntime", "vcomp", "concrt"].iter().any(|start| name.starts_with(start));
    (is_runtime && name != msvcrt::DLL.name).then_some(msvcrt::DLL.name)
}

/// Returns the builtin DLL of this file name, compared without regard to case.
pub fn builtin(name: &str) -> Option<&'static Dll> {
    DLLS.iter().find(|dll| dll.name.eq_ignore_ascii_case(name))
}
