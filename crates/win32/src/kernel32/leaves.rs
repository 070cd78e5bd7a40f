//! Hot leaves: guest code that never enters the host, or only when the short way is not enough (decision D9).
//!
//! The bytes are position-independent and hand-assembled; the text beside them is what they were assembled from, and a
//! test disassembles them again. A leaf with a slow way ends where the loader puts the ordinary thunk: it jumps to its
//! own end, with the arguments as the caller passed them.

use plat_abi::Api;

use crate::dll;
use crate::export::{Code, Export};
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    code GetCurrentProcess: GET_CURRENT_PROCESS;
    code GetCurrentProcessId: GET_CURRENT_PROCESS_ID;
    code GetCurrentThread: GET_CURRENT_THREAD;
    code GetCurrentThreadId: GET_CURRENT_THREAD_ID;
    code GetLastError: GET_LAST_ERROR;
    code SetLastError: SET_LAST_ERROR;
    code TlsGetValue: TLS_GET_VALUE;
    code TlsSetValue: TLS_SET_VALUE;
};

/// `GetLastError`, `RtlGetLastWin32Error`: the TEB's field.
pub static GET_LAST_ERROR: Code = Code {
    #[rustfmt::skip]
    i386: &[
        0x64, 0xa1, 0x34, 0x00, 0x00, 0x00, // mov eax, fs:[0x34]
        0xc3, // ret
    ],
    #[rustfmt::skip]
    amd64: &[
        0x65, 0x8b, 0x04, 0x25, 0x68, 0x00, 0x00, 0x00, // mov eax, gs:[0x68]
        0xc3, // ret
    ],
    slow: None,
};

/// `SetLastError`, `RtlSetLastWin32Error`.
pub static SET_LAST_ERROR: Code = Code {
    #[rustfmt::skip]
    i386: &[
        0x8b, 0x44, 0x24, 0x04, // mov eax, [esp+4]
        0x64, 0xa3, 0x34, 0x00, 0x00, 0x00, // mov fs:[0x34], eax
        0xc2, 0x04, 0x00, // ret 4
    ],
    #[rustfmt::skip]
    amd64: &[
        0x65, 0x89, 0x0c, 0x25, 0x68, 0x00, 0x00, 0x00, // mov gs:[0x68], ecx
        0xc3, // ret
    ],
    slow: None,
};

/// `GetProcessHeap`: the PEB's field.
#[rustfmt::skip]
pub static GET_PROCESS_HEAP: Code = Code {
    i386: &[
        0x64, 0xa1, 0x30, 0x00, 0x00, 0x00, // mov eax, fs:[0x30]
        0x8b, 0x40, 0x18, // mov eax, dword ptr [eax+0x18]
        0xc3, // ret
    ],
    amd64: &[
        0x65, 0x48, 0x8b, 0x04, 0x25, 0x60, 0x00, 0x00, 0x00, // mov rax, gs:[0x60]
        0x48, 0x8b, 0x40, 0x30, // mov rax, qword ptr [rax+0x30]
        0xc3, // ret
    ],
    slow: None,
};

/// `GetCurrentThreadId`.
pub static GET_CURRENT_THREAD_ID: Code = Code {
    #[rustfmt::skip]
    i386: &[
        0x64, 0xa1, 0x24, 0x00, 0x00, 0x00, // mov eax, fs:[0x24]
        0xc3, // ret
    ],
    #[rustfmt::skip]
    amd64: &[
        0x65, 0x8b, 0x04, 0x25, 0x48, 0x00, 0x00, 0x00, // mov eax, gs:[0x48]
        0xc3, // ret
    ],
    slow: None,
};

/// `GetCurrentProcessId`.
pub static GET_CURRENT_PROCESS_ID: Code = Code {
    #[rustfmt::skip]
    i386: &[
        0x64, 0xa1, 0x20, 0x00, 0x00, 0x00, // mov eax, fs:[0x20]
        0xc3, // ret
    ],
    #[rustfmt::skip]
    amd64: &[
        0x65, 0x8b, 0x04, 0x25, 0x40, 0x00, 0x00, 0x00, // mov eax, gs:[0x40]
        0xc3, // ret
    ],
    slow: None,
};

/// `GetCurrentProcess`: the pseudo handle -1.
pub static GET_CURRENT_PROCESS: Code = Code {
    #[rustfmt::skip]
    i386: &[
        0x83, 0xc8, 0xff, // or eax, -1
        0xc3, // ret
    ],
    #[rustfmt::skip]
    amd64: &[
        0x48, 0x83, 0xc8, 0xff, // or rax, -1
        0xc3, // ret
    ],
    slow: None,
};

/// `GetCurrentThread`: the pseudo handle -2.
pub static GET_CURRENT_THREAD: Code = Code {
    #[rustfmt::skip]
    i386: &[
        0xb8, 0xfe, 0xff, 0xff, 0xff, // mov eax, -2
        0xc3, // ret
    ],
    #[rustfmt::skip]
    amd64: &[
        0x48, 0xc7, 0xc0, 0xfe, 0xff, 0xff, 0xff, // mov rax, -2
        0xc3, // ret
    ],
    slow: None,
};

/// `TlsGetValue`: the first 64 slots lie in the TEB; success clears the last error.
pub static TLS_GET_VALUE: Code = Code {
    #[rustfmt::skip]
    i386: &[
        0x8b, 0x44, 0x24, 0x04, // mov eax, [esp+4]
        0x83, 0xf8, 0x40, // cmp eax, 64
        0x73, 0x13, // jae the slow thunk, at the end
        0x64, 0x83, 0x25, 0x34, 0x00, 0x00, 0x00, 0x00, // and dword ptr fs:[0x34], 0
        0x64, 0x8b, 0x04, 0x85, 0x10, 0x0e, 0x00, 0x00, // mov eax, fs:[eax*4+0xe10]
        0xc2, 0x04, 0x00, // ret 4
    ],
    #[rustfmt::skip]
    amd64: &[
        0x89, 0xc8, // mov eax, ecx
        0x83, 0xf8, 0x40, // cmp eax, 64
        0x73, 0x13, // jae the slow thunk, at the end
        0x65, 0x83, 0x24, 0x25, 0x68, 0x00, 0x00, 0x00, 0x00, // and dword ptr gs:[0x68], 0
        0x65, 0x48, 0x8b, 0x04, 0xc5, 0x80, 0x14, 0x00, 0x00, // mov rax, gs:[rax*8+0x1480]
        0xc3, // ret
    ],
    slow: Some(&<crate::kernel32::tls::TlsGetValue as Api<Guest>>::DESCRIPTOR),
};

/// `TlsSetValue`: the first 64 slots lie in the TEB.
pub static TLS_SET_VALUE: Code = Code {
    #[rustfmt::skip]
    i386: &[
        0x8b, 0x44, 0x24, 0x04, // mov eax, [esp+4]
        0x83, 0xf8, 0x40, // cmp eax, 64
        0x73, 0x14, // jae the slow thunk, at the end
        0x8b, 0x54, 0x24, 0x08, // mov edx, [esp+8]
        0x64, 0x89, 0x14, 0x85, 0x10, 0x0e, 0x00, 0x00, // mov fs:[eax*4+0xe10], edx
        0xb8, 0x01, 0x00, 0x00, 0x00, // mov eax, 1
        0xc2, 0x08, 0x00, // ret 8
    ],
    #[rustfmt::skip]
    amd64: &[
        0x89, 0xc8, // mov eax, ecx
        0x83, 0xf8, 0x40, // cmp eax, 64
        0x73, 0x0f, // jae the slow thunk, at the end
        0x65, 0x48, 0x89, 0x14, 0xc5, 0x80, 0x14, 0x00, 0x00, // mov gs:[rax*8+0x1480], rdx
        0xb8, 0x01, 0x00, 0x00, 0x00, // mov eax, 1
        0xc3, // ret
    ],
    slow: Some(&<crate::kernel32::tls::TlsSetValue as Api<Guest>>::DESCRIPTOR),
};

/// `RtlEnterCriticalSection`: bit 0 of the lock count is set while the section is free.
pub static ENTER_CRITICAL_SECTION: Code = Code {
    #[rustfmt::skip]
    i386: &[
        0x8b, 0x4c, 0x24, 0x04, // mov ecx, [esp+4]
        0xf0, 0x0f, 0xba, 0x71, 0x04, 0x00, // lock btr dword ptr [ecx+4], 0
        0x73, 0x15, // jnc held
        0x64, 0xa1, 0x24, 0x00, 0x00, 0x00, // mov eax, fs:[0x24]
        0x89, 0x41, 0x0c, // mov [ecx+12], eax
        0xc7, 0x41, 0x08, 0x01, 0x00, 0x00, 0x00, // mov dword ptr [ecx+8], 1
        0x31, 0xc0, // xor eax, eax
        0xc2, 0x04, 0x00, // ret 4
        0x64, 0xa1, 0x24, 0x00, 0x00, 0x00, // held: mov eax, fs:[0x24]
        0x39, 0x41, 0x0c, // cmp [ecx+12], eax
        0x75, 0x08, // jne the slow thunk, at the end
        0xff, 0x41, 0x08, // inc dword ptr [ecx+8]
        0x31, 0xc0, // xor eax, eax
        0xc2, 0x04, 0x00, // ret 4
    ],
    #[rustfmt::skip]
    amd64: &[
        0xf0, 0x0f, 0xba, 0x71, 0x08, 0x00, // lock btr dword ptr [rcx+8], 0
        0x73, 0x16, // jnc held
        0x65, 0x8b, 0x04, 0x25, 0x48, 0x00, 0x00, 0x00, // mov eax, gs:[0x48]
        0x48, 0x89, 0x41, 0x10, // mov [rcx+16], rax
        0xc7, 0x41, 0x0c, 0x01, 0x00, 0x00, 0x00, // mov dword ptr [rcx+12], 1
        0x31, 0xc0, // xor eax, eax
        0xc3, // ret
        0x65, 0x8b, 0x04, 0x25, 0x48, 0x00, 0x00, 0x00, // held: mov eax, gs:[0x48]
        0x48, 0x39, 0x41, 0x10, // cmp [rcx+16], rax
        0x75, 0x06, // jne the slow thunk, at the end
        0xff, 0x41, 0x0c, // inc dword ptr [rcx+12]
        0x31, 0xc0, // xor eax, eax
        0xc3, // ret
    ],
    slow: Some(&<crate::ntdll::objects::RtlEnterCriticalSection as Api<Guest>>::DESCRIPTOR),
};

/// `RtlTryEnterCriticalSection`.
pub static TRY_ENTER_CRITICAL_SECTION: Code = Code {
    #[rustfmt::skip]
    i386: &[
        0x8b, 0x4c, 0x24, 0x04, // mov ecx, [esp+4]
        0xf0, 0x0f, 0xba, 0x71, 0x04, 0x00, // lock btr dword ptr [ecx+4], 0
        0x73, 0x14, // jnc held
        0x64, 0xa1, 0x24, 0x00, 0x00, 0x00, // mov eax, fs:[0x24]
        0x89, 0x41, 0x0c, // mov [ecx+12], eax
        0xb8, 0x01, 0x00, 0x00, 0x00, // mov eax, 1
        0x89, 0x41, 0x08, // mov [ecx+8], eax
        0xc2, 0x04, 0x00, // ret 4
        0x64, 0xa1, 0x24, 0x00, 0x00, 0x00, // held: mov eax, fs:[0x24]
        0x39, 0x41, 0x0c, // cmp [ecx+12], eax
        0x75, 0x0b, // jne busy
        0xff, 0x41, 0x08, // inc dword ptr [ecx+8]
        0xb8, 0x01, 0x00, 0x00, 0x00, // mov eax, 1
        0xc2, 0x04, 0x00, // ret 4
        0x31, 0xc0, // busy: xor eax, eax
        0xc2, 0x04, 0x00, // ret 4
    ],
    #[rustfmt::skip]
    amd64: &[
        0xf0, 0x0f, 0xba, 0x71, 0x08, 0x00, // lock btr dword ptr [rcx+8], 0
        0x73, 0x15, // jnc held
        0x65, 0x8b, 0x04, 0x25, 0x48, 0x00, 0x00, 0x00, // mov eax, gs:[0x48]
        0x48, 0x89, 0x41, 0x10, // mov [rcx+16], rax
        0xb8, 0x01, 0x00, 0x00, 0x00, // mov eax, 1
        0x89, 0x41, 0x0c, // mov [rcx+12], eax
        0xc3, // ret
        0x65, 0x8b, 0x04, 0x25, 0x48, 0x00, 0x00, 0x00, // held: mov eax, gs:[0x48]
        0x48, 0x39, 0x41, 0x10, // cmp [rcx+16], rax
        0x75, 0x09, // jne busy
        0xff, 0x41, 0x0c, // inc dword ptr [rcx+12]
        0xb8, 0x01, 0x00, 0x00, 0x00, // mov eax, 1
        0xc3, // ret
        0x31, 0xc0, // busy: xor eax, eax
        0xc3, // ret
    ],
    slow: None,
};

/// `RtlLeaveCriticalSection`: without waiters the lock count goes from -2 to -1; else the section stays owned for the host to leave.
pub static LEAVE_CRITICAL_SECTION: Code = Code {
    #[rustfmt::skip]
    i386: &[
        0x8b, 0x4c, 0x24, 0x04, // mov ecx, [esp+4]
        0x83, 0x79, 0x08, 0x01, // cmp dword ptr [ecx+8], 1
        0x7e, 0x08, // jle last
        0xff, 0x49, 0x08, // dec dword ptr [ecx+8]
        0x31, 0xc0, // xor eax, eax
        0xc2, 0x04, 0x00, // ret 4
        0xb8, 0xfe, 0xff, 0xff, 0xff, // last: mov eax, -2
        0x39, 0x41, 0x04, // cmp [ecx+4], eax
        0x75, 0x2f, // jne the slow thunk, at the end
        0xc7, 0x41, 0x08, 0x00, 0x00, 0x00, 0x00, // mov dword ptr [ecx+8], 0
        0xc7, 0x41, 0x0c, 0x00, 0x00, 0x00, 0x00, // mov dword ptr [ecx+12], 0
        0xba, 0xff, 0xff, 0xff, 0xff, // mov edx, -1
        0xf0, 0x0f, 0xb1, 0x51, 0x04, // lock cmpxchg [ecx+4], edx
        0x75, 0x05, // jne waiters
        0x31, 0xc0, // xor eax, eax
        0xc2, 0x04, 0x00, // ret 4
        0x64, 0xa1, 0x24, 0x00, 0x00, 0x00, // waiters: mov eax, fs:[0x24]
        0x89, 0x41, 0x0c, // mov [ecx+12], eax
        0xc7, 0x41, 0x08, 0x01, 0x00, 0x00, 0x00, // mov dword ptr [ecx+8], 1
    ],
    #[rustfmt::skip]
    amd64: &[
        0x83, 0x79, 0x0c, 0x01, // cmp dword ptr [rcx+12], 1
        0x7e, 0x06, // jle last
        0xff, 0x49, 0x0c, // dec dword ptr [rcx+12]
        0x31, 0xc0, // xor eax, eax
        0xc3, // ret
        0xb8, 0xfe, 0xff, 0xff, 0xff, // last: mov eax, -2
        0x39, 0x41, 0x08, // cmp [rcx+8], eax
        0x75, 0x2b, // jne the slow thunk, at the end
        0x31, 0xd2, // xor edx, edx
        0x89, 0x51, 0x0c, // mov [rcx+12], edx
        0x48, 0x89, 0x51, 0x10, // mov [rcx+16], rdx
        0xba, 0xff, 0xff, 0xff, 0xff, // mov edx, -1
        0xf0, 0x0f, 0xb1, 0x51, 0x08, // lock cmpxchg [rcx+8], edx
        0x75, 0x03, // jne waiters
        0x31, 0xc0, // xor eax, eax
        0xc3, // ret
        0x65, 0x8b, 0x04, 0x25, 0x48, 0x00, 0x00, 0x00, // waiters: mov eax, gs:[0x48]
        0x48, 0x89, 0x41, 0x10, // mov [rcx+16], rax
        0xc7, 0x41, 0x0c, 0x01, 0x00, 0x00, 0x00, // mov dword ptr [rcx+12], 1
    ],
    slow: Some(&<crate::ntdll::objects::RtlLeaveCriticalSection as Api<Guest>>::DESCRIPTOR),
};

/// `RtlAcquireSRWLockExclusive` of a free lock.
pub static ACQUIRE_SRW_EXCLUSIVE: Code = Code {
    #[rustfmt::skip]
    i386: &[
        0x8b, 0x4c, 0x24, 0x04, // mov ecx, [esp+4]
        0x31, 0xc0, // xor eax, eax
        0xba, 0x01, 0x00, 0x00, 0x00, // mov edx, 1
        0xf0, 0x0f, 0xb1, 0x11, // lock cmpxchg [ecx], edx
        0x75, 0x03, // jne the slow thunk, at the end
        0xc2, 0x04, 0x00, // ret 4
    ],
    #[rustfmt::skip]
    amd64: &[
        0x31, 0xc0, // xor eax, eax
        0xba, 0x01, 0x00, 0x00, 0x00, // mov edx, 1
        0xf0, 0x0f, 0xb1, 0x11, // lock cmpxchg [rcx], edx
        0x75, 0x01, // jne the slow thunk, at the end
        0xc3, // ret
    ],
    slow: Some(&<crate::ntdll::objects::RtlAcquireSRWLockExclusive as Api<Guest>>::DESCRIPTOR),
};

/// `RtlReleaseSRWLockExclusive` of a lock that nobody waits for.
pub static RELEASE_SRW_EXCLUSIVE: Code = Code {
    #[rustfmt::skip]
    i386: &[
        0x8b, 0x4c, 0x24, 0x04, // mov ecx, [esp+4]
        0xb8, 0x01, 0x00, 0x00, 0x00, // mov eax, 1
        0x31, 0xd2, // xor edx, edx
        0xf0, 0x0f, 0xb1, 0x11, // lock cmpxchg [ecx], edx
        0x75, 0x03, // jne the slow thunk, at the end
        0xc2, 0x04, 0x00, // ret 4
    ],
    #[rustfmt::skip]
    amd64: &[
        0xb8, 0x01, 0x00, 0x00, 0x00, // mov eax, 1
        0x31, 0xd2, // xor edx, edx
        0xf0, 0x0f, 0xb1, 0x11, // lock cmpxchg [rcx], edx
        0x75, 0x01, // jne the slow thunk, at the end
        0xc3, // ret
    ],
    slow: Some(&<crate::ntdll::objects::RtlReleaseSRWLockExclusive as Api<Guest>>::DESCRIPTOR),
};

/// `InterlockedIncrement`; 64-bit kernel32 has none.
pub static INTERLOCKED_INCREMENT: Code = Code {
    #[rustfmt::skip]
    i386: &[
        0x8b, 0x4c, 0x24, 0x04, // mov ecx, [esp+4]
        0xb8, 0x01, 0x00, 0x00, 0x00, // mov eax, 1
        0xf0, 0x0f, 0xc1, 0x01, // lock xadd [ecx], eax
        0x40, // inc eax
        0xc2, 0x04, 0x00, // ret 4
    ],
    amd64: &[],
    slow: None,
};

/// `InterlockedDecrement`.
pub static INTERLOCKED_DECREMENT: Code = Code {
    #[rustfmt::skip]
    i386: &[
        0x8b, 0x4c, 0x24, 0x04, // mov ecx, [esp+4]
        0x83, 0xc8, 0xff, // or eax, -1
        0xf0, 0x0f, 0xc1, 0x01, // lock xadd [ecx], eax
        0x48, // dec eax
        0xc2, 0x04, 0x00, // ret 4
    ],
    amd64: &[],
    slow: None,
};

/// `InterlockedExchange`.
pub static INTERLOCKED_EXCHANGE: Code = Code {
    #[rustfmt::skip]
    i386: &[
        0x8b, 0x4c, 0x24, 0x04, // mov ecx, [esp+4]
        0x8b, 0x44, 0x24, 0x08, // mov eax, [esp+8]
        0x87, 0x01, // xchg [ecx], eax
        0xc2, 0x08, 0x00, // ret 8
    ],
    amd64: &[],
    slow: None,
};

/// `InterlockedExchangeAdd`.
pub static INTERLOCKED_EXCHANGE_ADD: Code = Code {
    #[rustfmt::skip]
    i386: &[
        0x8b, 0x4c, 0x24, 0x04, // mov ecx, [esp+4]
        0x8b, 0x44, 0x24, 0x08, // mov eax, [esp+8]
        0xf0, 0x0f, 0xc1, 0x01, // lock xadd [ecx], eax
        0xc2, 0x08, 0x00, // ret 8
    ],
    amd64: &[],
    slow: None,
};

/// `InterlockedCompareExchange`.
pub static INTERLOCKED_COMPARE_EXCHANGE: Code = Code {
    #[rustfmt::skip]
    i386: &[
        0x8b, 0x4c, 0x24, 0x04, // mov ecx, [esp+4]
        0x8b, 0x54, 0x24, 0x08, // mov edx, [esp+8]
        0x8b, 0x44, 0x24, 0x0c, // mov eax, [esp+12]
        0xf0, 0x0f, 0xb1, 0x11, // lock cmpxchg [ecx], edx
        0xc2, 0x0c, 0x00, // ret 12
    ],
    amd64: &[],
    slow: None,
};

/// `InterlockedCompareExchange64`.
pub static INTERLOCKED_COMPARE_EXCHANGE_64: Code = Code {
    #[rustfmt::skip]
    i386: &[
        0x53, // push ebx
        0x56, // push esi
        0x8b, 0x74, 0x24, 0x0c, // mov esi, [esp+12]
        0x8b, 0x5c, 0x24, 0x10, // mov ebx, [esp+16]
        0x8b, 0x4c, 0x24, 0x14, // mov ecx, [esp+20]
        0x8b, 0x44, 0x24, 0x18, // mov eax, [esp+24]
        0x8b, 0x54, 0x24, 0x1c, // mov edx, [esp+28]
        0xf0, 0x0f, 0xc7, 0x0e, // lock cmpxchg8b [esi]
        0x5e, // pop esi
        0x5b, // pop ebx
        0xc2, 0x14, 0x00, // ret 20
    ],
    amd64: &[],
    slow: None,
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel32::{event_leaves, heap_leaves};
    use crate::msvcrt::{search_leaves, stream_leaves};
    use iced_x86::{Decoder, DecoderOptions, FlowControl, Mnemonic};

    const ALL: &[(&str, &Code)] = &[
        ("GetLastError", &GET_LAST_ERROR),
        ("SetLastError", &SET_LAST_ERROR),
        ("GetProcessHeap", &GET_PROCESS_HEAP),
        ("memchr", &search_leaves::MEMCHR),
        ("strncmp", &search_leaves::STRNCMP),
        ("wcsncmp", &search_leaves::WCSNCMP),
        ("fgetc", &stream_leaves::FGETC),
        ("fputc", &stream_leaves::FPUTC),
        ("_errno", &stream_leaves::ERRNO),
        ("GetCurrentThreadId", &GET_CURRENT_THREAD_ID),
        ("GetCurrentProcessId", &GET_CURRENT_PROCESS_ID),
        ("GetCurrentProcess", &GET_CURRENT_PROCESS),
        ("GetCurrentThread", &GET_CURRENT_THREAD),
        ("TlsGetValue", &TLS_GET_VALUE),
        ("TlsSetValue", &TLS_SET_VALUE),
        ("EnterCriticalSection", &ENTER_CRITICAL_SECTION),
        ("TryEnterCriticalSection", &TRY_ENTER_CRITICAL_SECTION),
        ("LeaveCriticalSection", &LEAVE_CRITICAL_SECTION),
        ("AcquireSRWLockExclusive", &ACQUIRE_SRW_EXCLUSIVE),
        ("ReleaseSRWLockExclusive", &RELEASE_SRW_EXCLUSIVE),
        ("InterlockedIncrement", &INTERLOCKED_INCREMENT),
        ("InterlockedDecrement", &INTERLOCKED_DECREMENT),
        ("InterlockedExchange", &INTERLOCKED_EXCHANGE),
        ("InterlockedExchangeAdd", &INTERLOCKED_EXCHANGE_ADD),
        ("InterlockedCompareExchange", &INTERLOCKED_COMPARE_EXCHANGE),
        ("InterlockedCompareExchange64", &INTERLOCKED_COMPARE_EXCHANGE_64),
        ("HeapAlloc", &heap_leaves::HEAP_ALLOC),
        ("HeapFree", &heap_leaves::HEAP_FREE),
        ("malloc", &heap_leaves::MALLOC),
        ("operator new", &heap_leaves::OPERATOR_NEW),
        ("free", &heap_leaves::FREE),
        ("SetEvent", &event_leaves::SET_EVENT),
        ("ResetEvent", &event_leaves::RESET_EVENT),
        ("WaitForSingleObject", &event_leaves::WAIT_FOR_SINGLE_OBJECT),
        ("WaitForSingleObjectEx", &event_leaves::WAIT_FOR_SINGLE_OBJECT_EX),
    ];

    /// The bytes decode to whole instructions, jumps stay inside, only leaves with a slow way reach their end, and
    /// all `ret N` of a 32-bit leaf remove the same bytes: those of the slow way's arguments where there is one.
    #[test]
    fn every_leaf_is_whole_instructions_and_returns_as_its_prototype_says() {
        for (name, code) in ALL {
            for (bits, bytes) in [(32, code.i386), (64, code.amd64)] {
                check(name, bits, bytes, code);
            }
        }
    }

    fn check(name: &str, bits: u32, bytes: &[u8], code: &Code) {
        let end = bytes.len() as u64;
        let mut reaches_end = false;
        let mut removed = Vec::new();
        let mut starts = Vec::new();
        let mut targets = Vec::new();
        for instruction in &mut Decoder::with_ip(bits, bytes, 0, DecoderOptions::NONE) {
            assert_ne!(instruction.mnemonic(), Mnemonic::INVALID, "{name} {bits} at {}", instruction.ip());
            starts.push(instruction.ip());
            if instruction.flow_control() == FlowControl::ConditionalBranch {
                targets.push(instruction.near_branch_target());
            }
            if instruction.mnemonic() == Mnemonic::Ret {
                let has_count = instruction.op_count() == 1;
                removed.push(if has_count { u32::from(instruction.immediate16()) } else { 0 });
            } else if instruction.next_ip() == end {
                reaches_end = true;
            }
        }
        reaches_end |= targets.contains(&end);
        assert!(
            targets.iter().all(|target| *target == end || starts.contains(target)),
            "{name} {bits}: {targets:?}"
        );
        assert_eq!(reaches_end, code.slow.is_some() && !bytes.is_empty(), "{name} {bits}");
        let expected = match (bits, code.slow) {
            (32, Some(slow)) => slow.stack_bytes_i386(),
            (32, None) => removed[0],
            _ => 0,
        };
        assert!(removed.iter().all(|&bytes| bytes == expected), "{name} {bits}: {removed:?}");
    }

    /// The text beside the bytes is what they mean: each line with bytes of the files is decoded and compared.
    #[test]
    fn the_comments_are_the_disassembly() {
        let files = [
            include_str!("event_leaves.rs"),
            include_str!("heap_leaves.rs"),
            include_str!("leaves.rs"),
            include_str!("../msvcrt/ctype_leaves.rs"),
            include_str!("../msvcrt/search_leaves.rs"),
            include_str!("../msvcrt/stream_leaves.rs"),
        ];
        let code = |file: &'static str| file.lines().take_while(|line| !line.contains("cfg(test)"));
        let mut bits = 32;
        let mut lines = 0;
        for line in files.into_iter().flat_map(code) {
            let Some((bytes, comment)) = line.trim().split_once(", // ") else {
                match line {
                    _ if line.to_lowercase().contains("i386") => bits = 32,
                    _ if line.to_lowercase().contains("amd64") => bits = 64,
                    _ => {}
                }
                continue;
            };
            let byte = |byte: &str| match byte {
                "SLOW" => 0,
                // A macro's parameter, or a distance that it computes.
                place if place.starts_with('$') || place.contains("NEXT") => 0,
                _ => u8::from_str_radix(byte.trim_start_matches("0x"), 16).expect("a byte"),
            };
            let bytes: Vec<u8> = bytes.split(", ").map(byte).collect();
            let mut decoder = Decoder::with_ip(bits, &bytes, 0, DecoderOptions::NONE);
            let instruction = decoder.decode();
            assert_eq!(instruction.len(), bytes.len(), "{line}");
            // `label: lock btr …` names its mnemonic after the label and the prefix.
            let comment = comment
                .rsplit_once(": ")
                .filter(|(label, _)| !label.contains(' '))
                .map_or(comment, |two| two.1);
            let word = comment.trim_start_matches("lock ").split(' ').next().unwrap_or_default();
            let mnemonic = format!("{:?}", instruction.mnemonic()).to_lowercase();
            let same = |short: &str, long: &str| word == short && mnemonic == long;
            assert!(mnemonic == word || same("jnc", "jae") || same("jnz", "jne"), "{line}: {mnemonic}");
            assert_eq!(comment.starts_with("lock "), instruction.has_lock_prefix(), "{line}");
            lines += 1;
        }
        assert!(lines > 600, "{lines} instructions");
    }
}
