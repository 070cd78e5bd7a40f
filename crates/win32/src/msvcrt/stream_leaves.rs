//! Reading and writing single bytes of streams in guest code, and where `errno` lies.
//!
//! Form and tests: `kernel32::leaves`. As long as a program has one thread, nobody else changes a stream between two
//! instructions; the PEB says when there are more (`crate::teb::Peb::THREADS`), and then the functions behind this code
//! take the stream's lock. The flags: 1 reads, 2 writes; the count is what the buffer still has, or still takes.

use plat_abi::Api;

use crate::export::Code;
use crate::guest::Guest;
use crate::leaf::{SLOW, leaf};

/// Counts one byte off the buffer of the stream at a place on the stack, ECX then, with a flag; then the rest.
#[rustfmt::skip]
macro_rules! count_i386 {
    ($stream:literal, $flag:literal, [$($then:tt)*]) => { &leaf([
        0x8b, 0x4c, 0x24, $stream, // mov ecx, dword ptr [esp+stream]
        0x85, 0xc9, // test ecx, ecx
        0x74, SLOW, // je the slow thunk, at the end
        0x64, 0xa1, 0x30, 0x00, 0x00, 0x00, // mov eax, fs:[0x30]
        0x83, 0xb8, 0xf0, 0x0f, 0x00, 0x00, 0x00, // cmp dword ptr [eax+0xff0], 0x0
        0x75, SLOW, // jne the slow thunk, at the end
        0x8b, 0x41, 0x0c, // mov eax, dword ptr [ecx+0xc]
        0x83, 0xe0, 0x03, // and eax, 0x3
        0x83, 0xf8, $flag, // cmp eax, flag
        0x75, SLOW, // jne the slow thunk, at the end
        0x8b, 0x41, 0x04, // mov eax, dword ptr [ecx+0x4]
        0x83, 0xe8, 0x01, // sub eax, 0x1
        0x78, SLOW, // js the slow thunk, at the end
        0x89, 0x41, 0x04, // mov dword ptr [ecx+0x4], eax
        $($then)*
    ]) };
}

/// Counts one byte off the buffer of the stream that the code before it puts into R10, with a flag; then the rest.
#[rustfmt::skip]
macro_rules! count_amd64 {
    ([$($stream:tt)*], $flag:literal, [$($then:tt)*]) => { &leaf([
        $($stream)*
        0x4d, 0x85, 0xd2, // test r10, r10
        0x74, SLOW, // je the slow thunk, at the end
        0x65, 0x48, 0x8b, 0x04, 0x25, 0x60, 0x00, 0x00, 0x00, // mov rax, gs:[0x60]
        0x83, 0xb8, 0xf0, 0x0f, 0x00, 0x00, 0x00, // cmp dword ptr [rax+0xff0], 0x0
        0x75, SLOW, // jne the slow thunk, at the end
        0x41, 0x8b, 0x42, 0x18, // mov eax, dword ptr [r10+0x18]
        0x83, 0xe0, 0x03, // and eax, 0x3
        0x83, 0xf8, $flag, // cmp eax, flag
        0x75, SLOW, // jne the slow thunk, at the end
        0x41, 0x8b, 0x42, 0x08, // mov eax, dword ptr [r10+0x8]
        0x83, 0xe8, 0x01, // sub eax, 0x1
        0x78, SLOW, // js the slow thunk, at the end
        0x41, 0x89, 0x42, 0x08, // mov dword ptr [r10+0x8], eax
        $($then)*
    ]) };
}

/// `fgetc`, `getc`: the next byte of a buffer that has one.
#[rustfmt::skip]
pub(crate) static FGETC: Code = Code {
    i386: count_i386!(0x04, 0x01, [
        0x8b, 0x01, // mov eax, dword ptr [ecx]
        0xff, 0x01, // inc dword ptr [ecx]
        0x0f, 0xb6, 0x00, // movzx eax, byte ptr [eax]
        0xc3, // ret
    ]),
    amd64: count_amd64!([
        0x49, 0x89, 0xca, // mov r10, rcx
    ], 0x01, [
        0x49, 0x8b, 0x02, // mov rax, qword ptr [r10]
        0x49, 0xff, 0x02, // inc qword ptr [r10]
        0x0f, 0xb6, 0x00, // movzx eax, byte ptr [rax]
        0xc3, // ret
    ]),
    slow: Some(&<super::stdio::fgetc as Api<Guest>>::DESCRIPTOR),
};

/// `fputc`, `putc`: a byte into a buffer that has room.
#[rustfmt::skip]
pub(crate) static FPUTC: Code = Code {
    i386: count_i386!(0x08, 0x02, [
        0x8b, 0x11, // mov edx, dword ptr [ecx]
        0xff, 0x01, // inc dword ptr [ecx]
        0x0f, 0xb6, 0x44, 0x24, 0x04, // movzx eax, byte ptr [esp+0x4]
        0x88, 0x02, // mov byte ptr [edx], al
        0xc3, // ret
    ]),
    amd64: count_amd64!([
        0x49, 0x89, 0xd2, // mov r10, rdx
    ], 0x02, [
        0x4d, 0x8b, 0x02, // mov r8, qword ptr [r10]
        0x49, 0xff, 0x02, // inc qword ptr [r10]
        0x0f, 0xb6, 0xc1, // movzx eax, cl
        0x41, 0x88, 0x00, // mov byte ptr [r8], al
        0xc3, // ret
    ]),
    slow: Some(&<super::stdio::fputc as Api<Guest>>::DESCRIPTOR),
};

/// `_errno`: the address, which the TEB has once the thread needed it.
#[rustfmt::skip]
pub(crate) static ERRNO: Code = Code {
    i386: &leaf([
        0x64, 0xa1, 0xd8, 0x1f, 0x00, 0x00, // mov eax, fs:[0x1fd8]
        0x85, 0xc0, // test eax, eax
        0x74, SLOW, // je the slow thunk, at the end
        0xc3, // ret
    ]),
    amd64: &leaf([
        0x65, 0x48, 0x8b, 0x04, 0x25, 0xd8, 0x1f, 0x00, 0x00, // mov rax, gs:[0x1fd8]
        0x48, 0x85, 0xc0, // test rax, rax
        0x74, SLOW, // je the slow thunk, at the end
        0xc3, // ret
    ]),
    slow: Some(&<super::errno::_errno as Api<Guest>>::DESCRIPTOR),
};
