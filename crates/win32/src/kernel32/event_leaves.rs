//! Setting, resetting and awaiting events in guest code: an event that nobody waits for is a word in guest memory.
//! [`crate::nt::event_words`] describes the words, which the functions behind this code put there.
//!
//! Form and tests: [`super::leaves`]. A locked exchange stands also where nothing changes: what the program wrote before
//! the call is visible to all who see the call's effect.

use plat_abi::Api;

use crate::export::Code;
use crate::guest::Guest;
use crate::leaf::{SLOW, leaf};

/// Finds the event's word, ECX, and what it holds, EAX, between other code.
#[rustfmt::skip]
macro_rules! word_i386 {
    ([$($before:tt)*], [$($then:tt)*]) => { &leaf([
        $($before)*
        0x64, 0x8b, 0x0d, 0x30, 0x00, 0x00, 0x00, // mov ecx, fs:[0x30]
        0x8b, 0x89, 0xe8, 0x0f, 0x00, 0x00, // mov ecx, [ecx+0xfe8]
        0x85, 0xc9, // test ecx, ecx
        0x74, SLOW, // je the slow thunk, at the end
        0x8b, 0x44, 0x24, 0x04, // mov eax, [esp+4]
        0x3d, 0x00, 0x40, 0x00, 0x00, // cmp eax, 0x4000
        0x73, SLOW, // jae the slow thunk, at the end
        0xa8, 0x03, // test al, 3
        0x75, SLOW, // jne the slow thunk, at the end
        0x01, 0xc1, // add ecx, eax
        0x8b, 0x01, // mov eax, [ecx]
        0xa8, 0x01, // test al, 1
        0x74, SLOW, // je the slow thunk, at the end
        $($then)*
    ]) };
}

/// Finds the event's word, R10, and what it holds, EAX and R11D, between other code.
#[rustfmt::skip]
macro_rules! word_amd64 {
    ([$($before:tt)*], [$($then:tt)*]) => { &leaf([
        $($before)*
        0x65, 0x48, 0x8b, 0x04, 0x25, 0x60, 0x00, 0x00, 0x00, // mov rax, gs:[0x60]
        0x4c, 0x8b, 0x90, 0xe8, 0x0f, 0x00, 0x00, // mov r10, [rax+0xfe8]
        0x4d, 0x85, 0xd2, // test r10, r10
        0x74, SLOW, // je the slow thunk, at the end
        0x48, 0x81, 0xf9, 0x00, 0x40, 0x00, 0x00, // cmp rcx, 0x4000
        0x73, SLOW, // jae the slow thunk, at the end
        0xf6, 0xc1, 0x03, // test cl, 3
        0x75, SLOW, // jne the slow thunk, at the end
        0x49, 0x01, 0xca, // add r10, rcx
        0x41, 0x8b, 0x02, // mov eax, [r10]
        0xa8, 0x01, // test al, 1
        0x74, SLOW, // je the slow thunk, at the end
        0x41, 0x89, 0xc3, // mov r11d, eax
        $($then)*
    ]) };
}

/// Changes the word: the change of EDX, and that of R11D.
#[rustfmt::skip]
macro_rules! change {
    ($function:path, [$($i386:tt)*], [$($amd64:tt)*]) => { Code {
        i386: word_i386!([], [
            0x89, 0xc2, // mov edx, eax
            $($i386)*
            0xf0, 0x0f, 0xb1, 0x11, // lock cmpxchg [ecx], edx
            0x75, SLOW, // jne the slow thunk, at the end
            0xb8, 0x01, 0x00, 0x00, 0x00, // mov eax, 1
            0xc2, 0x04, 0x00, // ret 4
        ]),
        amd64: word_amd64!([], [
            $($amd64)*
            0xf0, 0x45, 0x0f, 0xb1, 0x1a, // lock cmpxchg [r10], r11d
            0x75, SLOW, // jne the slow thunk, at the end
            0xb8, 0x01, 0x00, 0x00, 0x00, // mov eax, 1
            0xc3, // ret
        ]),
        slow: Some(&<$function as Api<Guest>>::DESCRIPTOR),
    } };
}

/// Awaits an event that is set or is only looked at: checks for both machines, and how many bytes the arguments have.
#[rustfmt::skip]
macro_rules! wait {
    ($function:path, [$($i386:tt)*], [$($amd64:tt)*], $arguments:literal) => { Code {
        i386: word_i386!([$($i386)*], [
            0x89, 0xc2, // mov edx, eax
            0xa8, 0x02, // test al, 2
            0x74, 0x12, // je unset
            0xa8, 0x04, // test al, 4
            0x75, 0x03, // jne take
            0x83, 0xe2, 0xfd, // and edx, -3
            0xf0, 0x0f, 0xb1, 0x11, // take: lock cmpxchg [ecx], edx
            0x75, SLOW, // jne the slow thunk, at the end
            0x31, 0xc0, // xor eax, eax
            0xc2, $arguments, 0x00, // ret
            0x83, 0x7c, 0x24, 0x08, 0x00, // unset: cmp dword ptr [esp+8], 0
            0x75, SLOW, // jne the slow thunk, at the end
            0xf0, 0x0f, 0xb1, 0x11, // lock cmpxchg [ecx], edx
            0x75, SLOW, // jne the slow thunk, at the end
            0xb8, 0x02, 0x01, 0x00, 0x00, // mov eax, 0x102
            0xc2, $arguments, 0x00, // ret
        ]),
        amd64: word_amd64!([$($amd64)*], [
            0xa8, 0x02, // test al, 2
            0x74, 0x12, // je unset
            0xa8, 0x04, // test al, 4
            0x75, 0x04, // jne take
            0x41, 0x83, 0xe3, 0xfd, // and r11d, -3
            0xf0, 0x45, 0x0f, 0xb1, 0x1a, // take: lock cmpxchg [r10], r11d
            0x75, SLOW, // jne the slow thunk, at the end
            0x31, 0xc0, // xor eax, eax
            0xc3, // ret
            0x85, 0xd2, // unset: test edx, edx
            0x75, SLOW, // jne the slow thunk, at the end
            0xf0, 0x45, 0x0f, 0xb1, 0x1a, // lock cmpxchg [r10], r11d
            0x75, SLOW, // jne the slow thunk, at the end
            0xb8, 0x02, 0x01, 0x00, 0x00, // mov eax, 0x102
            0xc3, // ret
        ]),
        slow: Some(&<$function as Api<Guest>>::DESCRIPTOR),
    } };
}

/// `SetEvent`.
#[rustfmt::skip]
pub(crate) static SET_EVENT: Code = change!(
    super::synchapi::SetEvent,
    [
        0x83, 0xca, 0x02, // or edx, 2
    ],
    [
        0x41, 0x83, 0xcb, 0x02, // or r11d, 2
    ]
);

/// `ResetEvent`.
#[rustfmt::skip]
pub(crate) static RESET_EVENT: Code = change!(
    super::synchapi::ResetEvent,
    [
        0x83, 0xe2, 0xfd, // and edx, -3
    ],
    [
        0x41, 0x83, 0xe3, 0xfd, // and r11d, -3
    ]
);

/// `WaitForSingleObject`, of an event that is set or is only looked at.
pub(crate) static WAIT_FOR_SINGLE_OBJECT: Code = wait!(super::synchapi::WaitForSingleObject, [], [], 0x08);

/// `WaitForSingleObjectEx`, as [`WAIT_FOR_SINGLE_OBJECT`] unless queued calls may end the wait.
#[rustfmt::skip]
pub(crate) static WAIT_FOR_SINGLE_OBJECT_EX: Code = wait!(
    super::synchapi::WaitForSingleObjectEx,
    [
        0x83, 0x7c, 0x24, 0x0c, 0x00, // cmp dword ptr [esp+12], 0
        0x75, SLOW, // jne the slow thunk, at the end
    ],
    [
        0x45, 0x85, 0xc0, // test r8d, r8d
        0x75, SLOW, // jne the slow thunk, at the end
    ],
    0x0c
);
