//! Allocating and freeing in guest code: blocks of up to 1 KiB of the process heap come from the thread's own store and go
//! back to it. [`crate::nt::thread_cache`] describes the store, and fills it in the slow ways behind this code.
//!
//! Form and tests: [`super::leaves`]. The granularity of blocks is 8 bytes in 32-bit programs, else 16.

use plat_abi::Api;

use crate::export::Code;
use crate::guest::Guest;
use crate::leaf::{SLOW, leaf};

/// Takes a block: checks, with the first argument in EAX, which leave the size there; the size's place on the stack; the return.
#[rustfmt::skip]
macro_rules! allocate_i386 {
    ([$($checks:tt)*], $size:literal, [$($return:tt)*]) => { &leaf([
        0x64, 0x8b, 0x0d, 0xe8, 0x1f, 0x00, 0x00, // mov ecx, fs:[0x1fe8]
        0x85, 0xc9, // test ecx, ecx
        0x74, SLOW, // je the slow thunk, at the end
        0x8b, 0x44, 0x24, 0x04, // mov eax, [esp+4]
        $($checks)*
        0x3d, 0x00, 0x04, 0x00, 0x00, // cmp eax, 1024
        0x77, SLOW, // ja the slow thunk, at the end
        0x83, 0xc0, 0x07, // add eax, 7
        0xc1, 0xe8, 0x03, // shr eax, 3
        0x0f, 0xb6, 0x44, 0x01, 0x20, // movzx eax, byte ptr [ecx+eax+32]
        0xc1, 0xe0, 0x08, // shl eax, 8
        0x8d, 0x8c, 0x01, 0x00, 0x01, 0x00, 0x00, // lea ecx, [ecx+eax+256]
        0x8b, 0x11, // mov edx, [ecx]
        0x83, 0xea, 0x01, // sub edx, 1
        0x72, SLOW, // jb the slow thunk, at the end
        0x8b, 0x44, 0x91, 0x10, // mov eax, [ecx+edx*4+16]
        0x89, 0x11, // mov [ecx], edx
        0x8b, 0x51, 0x04, // mov edx, [ecx+4]
        0x2b, 0x54, 0x24, $size, // sub edx, [esp+size]
        0x0f, 0xb7, 0xc8, // movzx ecx, ax
        0x50, // push eax
        0x29, 0xc8, // sub eax, ecx
        0xc1, 0xe9, 0x03, // shr ecx, 3
        0x88, 0x14, 0x08, // mov [eax+ecx], dl
        0x58, // pop eax
        $($return)*
    ]) };
}

/// Takes a block: checks, which leave the size and 15 in EAX; the size's subtraction from R9D.
#[rustfmt::skip]
macro_rules! allocate_amd64 {
    ([$($checks:tt)*], [$($subtract:tt)*]) => { &leaf([
        0x65, 0x4c, 0x8b, 0x0c, 0x25, 0xe8, 0x1f, 0x00, 0x00, // mov r9, gs:[0x1fe8]
        0x4d, 0x85, 0xc9, // test r9, r9
        0x74, SLOW, // je the slow thunk, at the end
        $($checks)*
        0xc1, 0xe8, 0x04, // shr eax, 4
        0x41, 0x0f, 0xb6, 0x44, 0x01, 0x20, // movzx eax, byte ptr [r9+rax+32]
        0xc1, 0xe0, 0x08, // shl eax, 8
        0x4d, 0x8d, 0x94, 0x01, 0x00, 0x01, 0x00, 0x00, // lea r10, [r9+rax+256]
        0x45, 0x8b, 0x1a, // mov r11d, [r10]
        0x41, 0x83, 0xeb, 0x01, // sub r11d, 1
        0x72, SLOW, // jb the slow thunk, at the end
        0x4b, 0x8b, 0x44, 0xda, 0x10, // mov rax, [r10+r11*8+16]
        0x45, 0x89, 0x1a, // mov [r10], r11d
        0x45, 0x8b, 0x4a, 0x04, // mov r9d, [r10+4]
        $($subtract)*
        0x44, 0x0f, 0xb7, 0xd8, // movzx r11d, ax
        0x49, 0x89, 0xc2, // mov r10, rax
        0x4d, 0x29, 0xda, // sub r10, r11
        0x41, 0xc1, 0xeb, 0x04, // shr r11d, 4
        0x47, 0x88, 0x0c, 0x1a, // mov [r10+r11], r9b
        0xc3, // ret
    ]) };
}

/// Gives a block back: checks, with the first argument in EAX, which leave the block there; its place on the stack; the return.
#[rustfmt::skip]
macro_rules! free_i386 {
    ([$($checks:tt)*], $block:literal, [$($return:tt)*]) => { &leaf([
        0x64, 0x8b, 0x0d, 0xe8, 0x1f, 0x00, 0x00, // mov ecx, fs:[0x1fe8]
        0x85, 0xc9, // test ecx, ecx
        0x74, SLOW, // je the slow thunk, at the end
        0x8b, 0x44, 0x24, 0x04, // mov eax, [esp+4]
        $($checks)*
        0xc1, 0xe8, 0x10, // shr eax, 16
        0x8b, 0x51, 0x08, // mov edx, [ecx+8]
        0x0f, 0xb6, 0x14, 0x02, // movzx edx, byte ptr [edx+eax]
        0x85, 0xd2, // test edx, edx
        0x74, SLOW, // je the slow thunk, at the end
        0xc1, 0xe2, 0x08, // shl edx, 8
        0x01, 0xd1, // add ecx, edx
        0x8b, 0x44, 0x24, $block, // mov eax, [esp+block]
        0xa8, 0x07, // test al, 7
        0x75, SLOW, // jne the slow thunk, at the end
        0x0f, 0xb7, 0xd0, // movzx edx, ax
        0x29, 0xd0, // sub eax, edx
        0xc1, 0xea, 0x03, // shr edx, 3
        0x01, 0xd0, // add eax, edx
        0x80, 0x38, 0x00, // cmp byte ptr [eax], 0
        0x74, SLOW, // je the slow thunk, at the end
        0x8b, 0x11, // mov edx, [ecx]
        0x3b, 0x51, 0x08, // cmp edx, [ecx+8]
        0x73, SLOW, // jae the slow thunk, at the end
        0xc6, 0x00, 0x00, // mov byte ptr [eax], 0
        0x8b, 0x44, 0x24, $block, // mov eax, [esp+block]
        0x89, 0x44, 0x91, 0x10, // mov [ecx+edx*4+16], eax
        0x42, // inc edx
        0x89, 0x11, // mov [ecx], edx
        $($return)*
    ]) };
}

/// Gives a block back: checks, which leave it in RAX; the test of its alignment; its low half to EAX and itself to R10;
/// its store; the return.
#[rustfmt::skip]
macro_rules! free_amd64 {
    ([$($checks:tt)*], [$($align:tt)*], [$($split:tt)*], [$($store:tt)*], [$($return:tt)*]) => { &leaf([
        0x65, 0x4c, 0x8b, 0x0c, 0x25, 0xe8, 0x1f, 0x00, 0x00, // mov r9, gs:[0x1fe8]
        0x4d, 0x85, 0xc9, // test r9, r9
        0x74, SLOW, // je the slow thunk, at the end
        $($checks)*
        0x48, 0xc1, 0xe8, 0x10, // shr rax, 16
        0x49, 0x2b, 0x41, 0x10, // sub rax, [r9+16]
        0x49, 0x3b, 0x41, 0x18, // cmp rax, [r9+24]
        0x73, SLOW, // jae the slow thunk, at the end
        0x4d, 0x8b, 0x51, 0x08, // mov r10, [r9+8]
        0x41, 0x0f, 0xb6, 0x04, 0x02, // movzx eax, byte ptr [r10+rax]
        0x85, 0xc0, // test eax, eax
        0x74, SLOW, // je the slow thunk, at the end
        $($align)*
        0x75, SLOW, // jne the slow thunk, at the end
        0xc1, 0xe0, 0x08, // shl eax, 8
        0x49, 0x01, 0xc1, // add r9, rax
        $($split)*
        0x49, 0x29, 0xc2, // sub r10, rax
        0xc1, 0xe8, 0x04, // shr eax, 4
        0x49, 0x01, 0xc2, // add r10, rax
        0x41, 0x80, 0x3a, 0x00, // cmp byte ptr [r10], 0
        0x74, SLOW, // je the slow thunk, at the end
        0x41, 0x8b, 0x01, // mov eax, [r9]
        0x41, 0x3b, 0x41, 0x08, // cmp eax, [r9+8]
        0x73, SLOW, // jae the slow thunk, at the end
        0x41, 0xc6, 0x02, 0x00, // mov byte ptr [r10], 0
        $($store)*
        0xff, 0xc0, // inc eax
        0x41, 0x89, 0x01, // mov [r9], eax
        $($return)*
    ]) };
}

/// `HeapAlloc` without flags, or with `HEAP_NO_SERIALIZE`.
pub(crate) static HEAP_ALLOC: Code = Code {
    #[rustfmt::skip]
    i386: allocate_i386!([
        0x3b, 0x01, // cmp eax, [ecx]
        0x75, SLOW, // jne the slow thunk, at the end
        0xf7, 0x44, 0x24, 0x08, 0xfe, 0xff, 0xff, 0xff, // test dword ptr [esp+8], 0xfffffffe
        0x75, SLOW, // jne the slow thunk, at the end
        0x8b, 0x44, 0x24, 0x0c, // mov eax, [esp+12]
    ], 0x0c, [
        0xc2, 0x0c, 0x00, // ret 12
    ]),
    #[rustfmt::skip]
    amd64: allocate_amd64!([
        0x49, 0x3b, 0x09, // cmp rcx, [r9]
        0x75, SLOW, // jne the slow thunk, at the end
        0xf7, 0xc2, 0xfe, 0xff, 0xff, 0xff, // test edx, 0xfffffffe
        0x75, SLOW, // jne the slow thunk, at the end
        0x49, 0x81, 0xf8, 0x00, 0x04, 0x00, 0x00, // cmp r8, 1024
        0x77, SLOW, // ja the slow thunk, at the end
        0x41, 0x8d, 0x40, 0x0f, // lea eax, [r8+15]
    ], [
        0x45, 0x29, 0xc1, // sub r9d, r8d
    ]),
    slow: Some(&<super::heapapi::HeapAlloc as Api<Guest>>::DESCRIPTOR),
};

/// `HeapFree`.
pub(crate) static HEAP_FREE: Code = Code {
    #[rustfmt::skip]
    i386: free_i386!([
        0x3b, 0x01, // cmp eax, [ecx]
        0x75, SLOW, // jne the slow thunk, at the end
        0x8b, 0x44, 0x24, 0x0c, // mov eax, [esp+12]
    ], 0x0c, [
        0xb8, 0x01, 0x00, 0x00, 0x00, // mov eax, 1
        0xc2, 0x0c, 0x00, // ret 12
    ]),
    #[rustfmt::skip]
    amd64: free_amd64!([
        0x49, 0x3b, 0x09, // cmp rcx, [r9]
        0x75, SLOW, // jne the slow thunk, at the end
        0x4c, 0x89, 0xc0, // mov rax, r8
    ], [
        0x41, 0xf6, 0xc0, 0x0f, // test r8b, 15
    ], [
        0x41, 0x0f, 0xb7, 0xc0, // movzx eax, r8w
        0x4d, 0x89, 0xc2, // mov r10, r8
    ], [
        0x4d, 0x89, 0x44, 0xc1, 0x10, // mov [r9+rax*8+16], r8
    ], [
        0xb8, 0x01, 0x00, 0x00, 0x00, // mov eax, 1
        0xc3, // ret
    ]),
    slow: Some(&<super::heapapi::HeapFree as Api<Guest>>::DESCRIPTOR),
};

/// `malloc`.
pub(crate) static MALLOC: Code = Code {
    #[rustfmt::skip]
    i386: allocate_i386!([], 0x04, [
        0xc3, // ret
    ]),
    #[rustfmt::skip]
    amd64: allocate_amd64!([
        0x48, 0x81, 0xf9, 0x00, 0x04, 0x00, 0x00, // cmp rcx, 1024
        0x77, SLOW, // ja the slow thunk, at the end
        0x8d, 0x41, 0x0f, // lea eax, [rcx+15]
    ], [
        0x41, 0x29, 0xc9, // sub r9d, ecx
    ]),
    slow: Some(&<crate::msvcrt::malloc::malloc as Api<Guest>>::DESCRIPTOR),
};

/// `operator new`: as [`MALLOC`], but for what happens when memory is short.
pub(crate) static OPERATOR_NEW: Code = Code {
    i386: MALLOC.i386,
    amd64: MALLOC.amd64,
    slow: Some(&<crate::msvcrt::malloc::operator_new as Api<Guest>>::DESCRIPTOR),
};

/// `free` and `operator delete`.
pub(crate) static FREE: Code = Code {
    #[rustfmt::skip]
    i386: free_i386!([], 0x04, [
        0xc3, // ret
    ]),
    #[rustfmt::skip]
    amd64: free_amd64!([
        0x48, 0x89, 0xc8, // mov rax, rcx
    ], [
        0xf6, 0xc1, 0x0f, // test cl, 15
    ], [
        0x0f, 0xb7, 0xc1, // movzx eax, cx
        0x49, 0x89, 0xca, // mov r10, rcx
    ], [
        0x49, 0x89, 0x4c, 0xc1, 0x10, // mov [r9+rax*8+16], rcx
    ], [
        0xc3, // ret
    ]),
    slow: Some(&<crate::msvcrt::malloc::free as Api<Guest>>::DESCRIPTOR),
};
