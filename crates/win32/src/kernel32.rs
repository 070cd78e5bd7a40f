//! kernel32.dll: the table of contents.

pub mod processthreadsapi;

use crate::dll;
use crate::export::Dll;

/// The DLL.
pub const DLL: Dll = Dll {
    name: "kernel32.dll",
    description: "Windows NT BASE API Client DLL",
    exports: dll! {
        full processthreadsapi::GetCurrentProcessId;
        partial processthreadsapi::GetCurrentThreadId, "test";
        stub AddConsoleAliasA;
        forward HeapAlloc => "ntdll.RtlAllocateHeap";
    },
};
