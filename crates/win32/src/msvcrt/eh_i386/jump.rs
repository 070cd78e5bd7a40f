//! 32-bit `setjmp` and `longjmp`.
//!
//! `jmp_buf` on x86: EBP, EBX, EDI, ESI, ESP, EIP, the innermost node of the chain, the frame's level, a cookie,
//! the function that unwinds the frame, its data.
//!
//! Source: Microsoft's setjmp.h, `_JUMP_BUFFER` for x86, as mingw-w64 documents it.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::NtStatus;
use crate::dll;
use crate::export::{Code, Export};
use crate::guest::Guest;
use crate::nt::exception::context::Record;
use crate::nt::exception::dispatch;
use crate::teb::Teb;

use super::{Frame, only_i386};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    code _setjmp: SETJMP;
    code _setjmp3: SETJMP3;
    code longjmp: LONGJMP;
};

only_i386! {
    LONGJMP: longjmp;
}

/// Offsets in bytes in the `jmp_buf`.
mod at {
    pub(crate) const ESP: u64 = 16;
    pub(crate) const EIP: u64 = 20;
    pub(crate) const NODE: u64 = 24;
    pub(crate) const LEVEL: u64 = 28;
    pub(crate) const COOKIE: u64 = 32;
    pub(crate) const UNWIND: u64 = 36;
    pub(crate) const DATA: u64 = 40;
}

/// `_JUMP_BUFFER.Cookie` when it was filled by `_setjmp3`: "VC20".
const COOKIE: u32 = 0x5643_3230;

/// No frame is the innermost.
const NO_NODE: u64 = 0xffff_ffff;

/// Saves the registers, the chain and the innermost frame's level.
#[rustfmt::skip]
static SETJMP: Code = Code {
    i386: &[
        0x8b, 0x54, 0x24, 0x04, // mov edx,[esp+4]
        0x89, 0x2a, // mov [edx],ebp
        0x89, 0x5a, 0x04, // mov [edx+4],ebx
        0x89, 0x7a, 0x08, // mov [edx+8],edi
        0x89, 0x72, 0x0c, // mov [edx+0xc],esi
        0x89, 0x62, 0x10, // mov [edx+0x10],esp
        0x8b, 0x04, 0x24, // mov eax,[esp]
        0x89, 0x42, 0x14, // mov [edx+0x14],eax
        0x64, 0xa1, 0, 0, 0, 0, // mov eax,fs:[0]
        0x89, 0x42, 0x18, // mov [edx+0x18],eax
        0x83, 0xf8, 0xff, // cmp eax,-1
        0x75, 0x09, // jne +9
        0xc7, 0x42, 0x1c, 0xff, 0xff, 0xff, 0xff, // mov [edx+0x1c],-1
        0xeb, 0x06, // jmp +6
        0x8b, 0x40, 0x0c, // mov eax,[eax+0xc]
        0x89, 0x42, 0x1c, // mov [edx+0x1c],eax
        0x31, 0xc0, 0xc3, // xor eax,eax; ret
    ],
    amd64: &[],
    slow: None,
};

/// `_setjmp3(buffer, count, unwind, level, data...)`: like `_setjmp`, with how to unwind the frame.
#[rustfmt::skip]
static SETJMP3: Code = Code {
    i386: &[
        0x8b, 0x54, 0x24, 0x04, // mov edx,DWORD PTR [esp+0x4]
        0x89, 0x2a, // mov DWORD PTR [edx],ebp
        0x89, 0x5a, 0x04, // mov DWORD PTR [edx+0x4],ebx
        0x89, 0x7a, 0x08, // mov DWORD PTR [edx+0x8],edi
        0x89, 0x72, 0x0c, // mov DWORD PTR [edx+0xc],esi
        0x89, 0x62, 0x10, // mov DWORD PTR [edx+0x10],esp
        0x8b, 0x04, 0x24, // mov eax,DWORD PTR [esp]
        0x89, 0x42, 0x14, // mov DWORD PTR [edx+0x14],eax
        0xc7, 0x42, 0x20, 0x30, 0x32, 0x43, 0x56, // mov DWORD PTR [edx+0x20],0x56433230
        0x83, 0x62, 0x24, 0x00, // and DWORD PTR [edx+0x24],0x0
        0x83, 0x4a, 0x1c, 0xff, // or DWORD PTR [edx+0x1c],0xffffffff
        0x64, 0xa1, 0x00, 0x00, 0x00, 0x00, // mov eax,fs:0x0
        0x89, 0x42, 0x18, // mov DWORD PTR [edx+0x18],eax
        0x83, 0xf8, 0xff, // cmp eax,0xffffffff
        0x74, 0x2f, // je 64 <.text+0x64>
        0x8b, 0x4c, 0x24, 0x08, // mov ecx,DWORD PTR [esp+0x8]
        0x85, 0xc9, // test ecx,ecx
        0x74, 0x0c, // je 49 <.text+0x49>
        0xff, 0x74, 0x24, 0x0c, // push DWORD PTR [esp+0xc]
        0x8f, 0x42, 0x24, // pop DWORD PTR [edx+0x24]
        0x83, 0xf9, 0x01, // cmp ecx,0x1
        0x77, 0x08, // ja 51 <.text+0x51>
        0x8b, 0x40, 0x0c, // mov eax,DWORD PTR [eax+0xc]
        0x89, 0x42, 0x1c, // mov DWORD PTR [edx+0x1c],eax
        0xeb, 0x13, // jmp 64 <.text+0x64>
        0x8b, 0x44, 0x24, 0x10, // mov eax,DWORD PTR [esp+0x10]
        0x89, 0x42, 0x1c, // mov DWORD PTR [edx+0x1c],eax
        0x83, 0xf9, 0x02, // cmp ecx,0x2
        0x76, 0x07, // jbe 64 <.text+0x64>
        0x8b, 0x44, 0x24, 0x14, // mov eax,DWORD PTR [esp+0x14]
        0x89, 0x42, 0x28, // mov DWORD PTR [edx+0x28],eax
        0x31, 0xc0, // xor eax,eax
        0xc3, // ret
        0x90, // nop
    ],
    amd64: &[],
    slow: None,
};

/// Runs the blocks that a jump out of the frame of `_except_handler3` leaves.
pub(crate) fn unwind_frame(guest: &mut Guest, buffer: u64) -> Result<(), Fault> {
    let node = guest.read_word(buffer + at::NODE)?;
    let level = guest.read_u32(buffer + at::LEVEL)?;
    if node == NO_NODE {
        return Ok(());
    }
    Frame::of_handler3(guest, node)?.unwind(guest, level)
}

/// The same for a frame of `_except_handler4`: the data is the cookie's address.
pub(crate) fn unwind_frame4(guest: &mut Guest, buffer: u64) -> Result<(), Fault> {
    let node = guest.read_word(buffer + at::NODE)?;
    let level = guest.read_u32(buffer + at::LEVEL)?;
    let cookie = guest.read_word(buffer + at::DATA)?;
    if node == NO_NODE {
        return Ok(());
    }
    Frame::of_handler4(guest, node, cookie)?.unwind(guest, level)
}

/// Goes back to where `setjmp` was called, which returns `value` there, or 1 for 0.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/longjmp>
#[winapi(cdecl)]
pub fn longjmp(guest: &mut Guest, env: GuestWord, value: i32) -> Result<(), Fault> {
    let node = guest.read_word(env.0 + at::NODE)?;
    if node != guest.teb().get(Teb::EXCEPTION_LIST)? {
        let address = dispatch::caller(guest, 0).rip;
        let target = if node == NO_NODE { 0 } else { node };
        let record = Record::new(NtStatus::UNWIND, address);
        super::unwind_to(guest, target, record);
        guest.teb().set(Teb::EXCEPTION_LIST, node)?;
    }
    if node != NO_NODE {
        let function = guest.read_word(env.0 + at::UNWIND)?;
        match guest.read_u32(env.0 + at::COOKIE)? {
            COOKIE if function != 0 => drop(guest.call(function, &[env.0])?),
            COOKIE => {}
            _ => unwind_frame(guest, env.0)?,
        }
    }
    let mut registers = dispatch::caller(guest, 0);
    for (index, register) in [5, 3, 7, 6].into_iter().enumerate() {
        registers.general[register] = guest.read_word(env.0 + index as u64 * 4)?;
    }
    // setjmp's `ret` removed the return address.
    registers.general[4] = guest.read_word(env.0 + at::ESP)? + 4;
    registers.general[0] = u64::from(if value == 0 { 1 } else { value as u32 });
    registers.rip = guest.read_word(env.0 + at::EIP)?;
    guest.gate().resume(registers)
}
