//! Finding and comparing in guest code: what programs call so often that crossing the gate would be most of the work.
//!
//! Form and tests: `kernel32::leaves`. Aligned loads of 16 bytes never reach into a page that the memory does not.

use crate::export::Code;

/// `memchr`: 16 bytes at a time, none behind the byte that is looked for needs to be there.
#[rustfmt::skip]
pub(crate) static MEMCHR: Code = Code {
    i386: &[
        0x53, // push ebx
        0x31, 0xc0, // xor eax, eax
        0x8b, 0x5c, 0x24, 0x10, // mov ebx, dword ptr [esp+0x10]
        0x85, 0xdb, // test ebx, ebx
        0x74, 0x5e, // je +0x69
        0x66, 0x0f, 0x6e, 0x4c, 0x24, 0x0c, // movd xmm1, dword ptr [esp+0xc]
        0x66, 0x0f, 0x60, 0xc9, // punpcklbw xmm1, xmm1
        0xf2, 0x0f, 0x70, 0xc9, 0x00, // pshuflw xmm1, xmm1, 0x0
        0x66, 0x0f, 0x70, 0xc9, 0x00, // pshufd xmm1, xmm1, 0x0
        0x8b, 0x4c, 0x24, 0x08, // mov ecx, dword ptr [esp+0x8]
        0x89, 0xc8, // mov eax, ecx
        0x83, 0xe0, 0xf0, // and eax, 0xfffffff0
        0x83, 0xe1, 0x0f, // and ecx, 0xf
        0x66, 0x0f, 0x6f, 0x00, // movdqa xmm0, xmmword ptr [eax]
        0x66, 0x0f, 0x74, 0xc1, // pcmpeqb xmm0, xmm1
        0x66, 0x0f, 0xd7, 0xd0, // pmovmskb edx, xmm0
        0xd3, 0xea, // shr edx, cl
        0xd3, 0xe2, // shl edx, cl
        0x01, 0xcb, // add ebx, ecx
        0x73, 0x03, // jae +0x42
        0x83, 0xcb, 0xff, // or ebx, 0xffffffff
        0x85, 0xd2, // test edx, edx
        0x75, 0x16, // jne +0x5c
        0x83, 0xc0, 0x10, // add eax, 0x10
        0x83, 0xeb, 0x10, // sub ebx, 0x10
        0x76, 0x19, // jbe +0x67
        0x66, 0x0f, 0x6f, 0x00, // movdqa xmm0, xmmword ptr [eax]
        0x66, 0x0f, 0x74, 0xc1, // pcmpeqb xmm0, xmm1
        0x66, 0x0f, 0xd7, 0xd0, // pmovmskb edx, xmm0
        0xeb, 0xe6, // jmp +0x42
        0x0f, 0xbc, 0xd2, // bsf edx, edx
        0x39, 0xda, // cmp edx, ebx
        0x73, 0x04, // jae +0x67
        0x01, 0xd0, // add eax, edx
        0x5b, // pop ebx
        0xc3, // ret
        0x31, 0xc0, // xor eax, eax
        0x5b, // pop ebx
        0xc3, // ret
    ],
    amd64: &[
        0x31, 0xc0, // xor eax, eax
        0x4d, 0x85, 0xc0, // test r8, r8
        0x74, 0x5f, // je +0x66
        0x66, 0x0f, 0x6e, 0xca, // movd xmm1, edx
        0x66, 0x0f, 0x60, 0xc9, // punpcklbw xmm1, xmm1
        0xf2, 0x0f, 0x70, 0xc9, 0x00, // pshuflw xmm1, xmm1, 0x0
        0x66, 0x0f, 0x70, 0xc9, 0x00, // pshufd xmm1, xmm1, 0x0
        0x49, 0x89, 0xca, // mov r10, rcx
        0x49, 0x83, 0xe2, 0xf0, // and r10, 0xfffffffffffffff0
        0x83, 0xe1, 0x0f, // and ecx, 0xf
        0x66, 0x41, 0x0f, 0x6f, 0x02, // movdqa xmm0, xmmword ptr [r10]
        0x66, 0x0f, 0x74, 0xc1, // pcmpeqb xmm0, xmm1
        0x66, 0x0f, 0xd7, 0xd0, // pmovmskb edx, xmm0
        0xd3, 0xea, // shr edx, cl
        0xd3, 0xe2, // shl edx, cl
        0x49, 0x01, 0xc8, // add r8, rcx
        0x73, 0x04, // jae +0x3d
        0x49, 0x83, 0xc8, 0xff, // or r8, 0xffffffffffffffff
        0x85, 0xd2, // test edx, edx
        0x75, 0x19, // jne +0x5a
        0x49, 0x83, 0xc2, 0x10, // add r10, 0x10
        0x49, 0x83, 0xe8, 0x10, // sub r8, 0x10
        0x76, 0x1b, // jbe +0x66
        0x66, 0x41, 0x0f, 0x6f, 0x02, // movdqa xmm0, xmmword ptr [r10]
        0x66, 0x0f, 0x74, 0xc1, // pcmpeqb xmm0, xmm1
        0x66, 0x0f, 0xd7, 0xd0, // pmovmskb edx, xmm0
        0xeb, 0xe3, // jmp +0x3d
        0x0f, 0xbc, 0xd2, // bsf edx, edx
        0x4c, 0x39, 0xc2, // cmp rdx, r8
        0x73, 0x04, // jae +0x66
        0x49, 0x8d, 0x04, 0x12, // lea rax, [r10+rdx*1]
        0xc3, // ret
    ],
    slow: None,
};

/// Compares up to a number of characters in 32-bit code: how one is read and compared, what tells a zero, how to the next.
#[rustfmt::skip]
macro_rules! compare_i386 {
    ([$($compare:literal),+ $(,)?], [$($is_zero:literal),+ $(,)?], [$($next:literal),+ $(,)?]) => {{
        const COMPARE: u8 = [$($compare),+].len() as u8;
        const IS_ZERO: u8 = [$($is_zero),+].len() as u8;
        const NEXT: u8 = [$($next),+].len() as u8;
        &[
            0x53, // push ebx
            0x8b, 0x4c, 0x24, 0x08, // mov ecx, dword ptr [esp+0x8]
            0x8b, 0x54, 0x24, 0x0c, // mov edx, dword ptr [esp+0xc]
            0x8b, 0x5c, 0x24, 0x10, // mov ebx, dword ptr [esp+0x10]
            0x85, 0xdb, // test ebx, ebx
            0x74, 9 + COMPARE + IS_ZERO + NEXT, // je same
            0x29, 0xca, // sub edx, ecx
            // more:
            $($compare),+,
            0x75, 9 + IS_ZERO + NEXT, // jne differs
            $($is_zero),+,
            0x74, 3 + NEXT, // je same
            $($next),+,
            0x4b, // dec ebx
            0x75, (7 + COMPARE + IS_ZERO + NEXT).wrapping_neg(), // jne more
            0x31, 0xc0, // same: xor eax, eax
            0x5b, // pop ebx
            0xc3, // ret
            0x19, 0xc0, // differs: sbb eax, eax
            0x83, 0xc8, 0x01, // or eax, 0x1
            0x5b, // pop ebx
            0xc3, // ret
        ]
    }};
}

/// As `compare_i386`, in 64-bit code.
#[rustfmt::skip]
macro_rules! compare_amd64 {
    ([$($compare:literal),+ $(,)?], [$($is_zero:literal),+ $(,)?], [$($next:literal),+ $(,)?]) => {{
        const COMPARE: u8 = [$($compare),+].len() as u8;
        const IS_ZERO: u8 = [$($is_zero),+].len() as u8;
        const NEXT: u8 = [$($next),+].len() as u8;
        &[
            0x4d, 0x85, 0xc0, // test r8, r8
            0x74, 12 + COMPARE + IS_ZERO + NEXT, // je same
            0x48, 0x29, 0xca, // sub rdx, rcx
            // more:
            $($compare),+,
            0x75, 10 + IS_ZERO + NEXT, // jne differs
            $($is_zero),+,
            0x74, 5 + NEXT, // je same
            $($next),+,
            0x49, 0xff, 0xc8, // dec r8
            0x75, (9 + COMPARE + IS_ZERO + NEXT).wrapping_neg(), // jne more
            0x31, 0xc0, // same: xor eax, eax
            0xc3, // ret
            0x19, 0xc0, // differs: sbb eax, eax
            0x83, 0xc8, 0x01, // or eax, 0x1
            0xc3, // ret
        ]
    }};
}

/// `strncmp`.
#[rustfmt::skip]
pub(crate) static STRNCMP: Code = Code {
    i386: compare_i386!([
        0x0f, 0xb6, 0x01, // movzx eax, byte ptr [ecx]
        0x3a, 0x04, 0x11, // cmp al, byte ptr [ecx+edx*1]
    ], [
        0x84, 0xc0, // test al, al
    ], [
        0x41, // inc ecx
    ]),
    amd64: compare_amd64!([
        0x0f, 0xb6, 0x01, // movzx eax, byte ptr [rcx]
        0x3a, 0x04, 0x11, // cmp al, byte ptr [rcx+rdx*1]
    ], [
        0x84, 0xc0, // test al, al
    ], [
        0x48, 0xff, 0xc1, // inc rcx
    ]),
    slow: None,
};

/// `wcsncmp`.
#[rustfmt::skip]
pub(crate) static WCSNCMP: Code = Code {
    i386: compare_i386!([
        0x0f, 0xb7, 0x01, // movzx eax, word ptr [ecx]
        0x66, 0x3b, 0x04, 0x11, // cmp ax, word ptr [ecx+edx*1]
    ], [
        0x85, 0xc0, // test eax, eax
    ], [
        0x83, 0xc1, 0x02, // add ecx, 0x2
    ]),
    amd64: compare_amd64!([
        0x0f, 0xb7, 0x01, // movzx eax, word ptr [rcx]
        0x66, 0x3b, 0x04, 0x11, // cmp ax, word ptr [rcx+rdx*1]
    ], [
        0x85, 0xc0, // test eax, eax
    ], [
        0x48, 0x83, 0xc1, 0x02, // add rcx, 0x2
    ]),
    slow: None,
};
