//! 64-bit `setjmp` and `longjmp`: guest code, but for a jump that unwinds frames.
//!
//! A buffer whose first word, the frame, is zero is only loaded again; one with a frame is the end of an unwind, so that
//! the `__finally` blocks and destructors between here and there run.
//!
//! Source: Microsoft's setjmp.h, `_JUMP_BUFFER` for x64, as mingw-w64 documents it;
//! <https://learn.microsoft.com/cpp/c-runtime-library/reference/longjmp>.

use plat_abi::{Fault, GuestWord, Memory, winapi};
use plat_host::gate::Registers;

use crate::NtStatus;
use crate::dll;
use crate::export::{Code, Export};
use crate::guest::Guest;
use crate::nt::exception::context::Record;
use crate::nt::exception::dispatch;
use crate::nt::exception::unwind_run::{Target, unwind_to};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    code _setjmp: SETJMP;
    code _setjmpex: SETJMP;
    code __intrinsic_setjmp: SETJMP;
    code __intrinsic_setjmpex: SETJMP;
    code longjmp: LONGJMP;
};

/// `_setjmp(buffer, frame)`: stores what a function keeps for its caller; returns 0.
#[rustfmt::skip]
pub(crate) static SETJMP: Code = Code {
    i386: &[],
    amd64: &[
        0x48, 0x89, 0x11, // mov [rcx], rdx
        0x48, 0x89, 0x59, 0x08, // mov [rcx+0x8], rbx
        0x48, 0x89, 0x69, 0x18, // mov [rcx+0x18], rbp
        0x48, 0x89, 0x71, 0x20, // mov [rcx+0x20], rsi
        0x48, 0x89, 0x79, 0x28, // mov [rcx+0x28], rdi
        0x4c, 0x89, 0x61, 0x30, // mov [rcx+0x30], r12
        0x4c, 0x89, 0x69, 0x38, // mov [rcx+0x38], r13
        0x4c, 0x89, 0x71, 0x40, // mov [rcx+0x40], r14
        0x4c, 0x89, 0x79, 0x48, // mov [rcx+0x48], r15
        0x48, 0x8d, 0x44, 0x24, 0x08, // lea rax, [rsp+0x8]
        0x48, 0x89, 0x41, 0x10, // mov [rcx+0x10], rax
        0x48, 0x8b, 0x04, 0x24, // mov rax, [rsp]
        0x48, 0x89, 0x41, 0x50, // mov [rcx+0x50], rax
        0x0f, 0xae, 0x59, 0x58, // stmxcsr [rcx+0x58]
        0xd9, 0x79, 0x5c, // fnstcw [rcx+0x5c]
        0xf3, 0x0f, 0x7f, 0x71, 0x60, // movdqu [rcx+0x60], xmm6
        0xf3, 0x0f, 0x7f, 0x79, 0x70, // movdqu [rcx+0x70], xmm7
        0xf3, 0x44, 0x0f, 0x7f, 0x81, 0x80, 0x00, 0x00, 0x00, // movdqu [rcx+0x80], xmm8
        0xf3, 0x44, 0x0f, 0x7f, 0x89, 0x90, 0x00, 0x00, 0x00, // movdqu [rcx+0x90], xmm9
        0xf3, 0x44, 0x0f, 0x7f, 0x91, 0xa0, 0x00, 0x00, 0x00, // movdqu [rcx+0xa0], xmm10
        0xf3, 0x44, 0x0f, 0x7f, 0x99, 0xb0, 0x00, 0x00, 0x00, // movdqu [rcx+0xb0], xmm11
        0xf3, 0x44, 0x0f, 0x7f, 0xa1, 0xc0, 0x00, 0x00, 0x00, // movdqu [rcx+0xc0], xmm12
        0xf3, 0x44, 0x0f, 0x7f, 0xa9, 0xd0, 0x00, 0x00, 0x00, // movdqu [rcx+0xd0], xmm13
        0xf3, 0x44, 0x0f, 0x7f, 0xb1, 0xe0, 0x00, 0x00, 0x00, // movdqu [rcx+0xe0], xmm14
        0xf3, 0x44, 0x0f, 0x7f, 0xb9, 0xf0, 0x00, 0x00, 0x00, // movdqu [rcx+0xf0], xmm15
        0x31, 0xc0, // xor eax, eax
        0xc3, // ret
    ],
    slow: None,
};

/// `longjmp(buffer, value)`: with a frame, the host unwinds.
#[rustfmt::skip]
pub(crate) static LONGJMP: Code = Code {
    i386: &[],
    amd64: &[
        0x48, 0x83, 0x39, 0x00, // cmp [rcx], 0x0
        0x0f, 0x85, 0x8a, 0x00, 0x00, 0x00, // jne to the host
        0x89, 0xd0, // mov eax, edx
        0x85, 0xc0, // test eax, eax
        0x75, 0x02, // jne over the next
        0xff, 0xc0, // inc eax
        0x48, 0x8b, 0x59, 0x08, // mov rbx, [rcx+0x8]
        0x48, 0x8b, 0x69, 0x18, // mov rbp, [rcx+0x18]
        0x48, 0x8b, 0x71, 0x20, // mov rsi, [rcx+0x20]
        0x48, 0x8b, 0x79, 0x28, // mov rdi, [rcx+0x28]
        0x4c, 0x8b, 0x61, 0x30, // mov r12, [rcx+0x30]
        0x4c, 0x8b, 0x69, 0x38, // mov r13, [rcx+0x38]
        0x4c, 0x8b, 0x71, 0x40, // mov r14, [rcx+0x40]
        0x4c, 0x8b, 0x79, 0x48, // mov r15, [rcx+0x48]
        0x0f, 0xae, 0x51, 0x58, // ldmxcsr [rcx+0x58]
        0xdb, 0xe2, // fnclex
        0xd9, 0x69, 0x5c, // fldcw [rcx+0x5c]
        0xf3, 0x0f, 0x6f, 0x71, 0x60, // movdqu xmm6, [rcx+0x60]
        0xf3, 0x0f, 0x6f, 0x79, 0x70, // movdqu xmm7, [rcx+0x70]
        0xf3, 0x44, 0x0f, 0x6f, 0x81, 0x80, 0x00, 0x00, 0x00, // movdqu xmm8, [rcx+0x80]
        0xf3, 0x44, 0x0f, 0x6f, 0x89, 0x90, 0x00, 0x00, 0x00, // movdqu xmm9, [rcx+0x90]
        0xf3, 0x44, 0x0f, 0x6f, 0x91, 0xa0, 0x00, 0x00, 0x00, // movdqu xmm10, [rcx+0xa0]
        0xf3, 0x44, 0x0f, 0x6f, 0x99, 0xb0, 0x00, 0x00, 0x00, // movdqu xmm11, [rcx+0xb0]
        0xf3, 0x44, 0x0f, 0x6f, 0xa1, 0xc0, 0x00, 0x00, 0x00, // movdqu xmm12, [rcx+0xc0]
        0xf3, 0x44, 0x0f, 0x6f, 0xa9, 0xd0, 0x00, 0x00, 0x00, // movdqu xmm13, [rcx+0xd0]
        0xf3, 0x44, 0x0f, 0x6f, 0xb1, 0xe0, 0x00, 0x00, 0x00, // movdqu xmm14, [rcx+0xe0]
        0xf3, 0x44, 0x0f, 0x6f, 0xb9, 0xf0, 0x00, 0x00, 0x00, // movdqu xmm15, [rcx+0xf0]
        0x48, 0x8b, 0x61, 0x10, // mov rsp, [rcx+0x10]
        0xff, 0x61, 0x50, // jmp [rcx+0x50]
    ],
    slow: Some(&<longjmp as plat_abi::Api<Guest>>::DESCRIPTOR),
};

/// Offset in bytes of the address to go on at.
const RIP: u64 = 0x50;

/// Offset in bytes of XMM6; XMM7 to XMM15 follow.
const XMM6: u64 = 0x60;

/// Where the kept registers stand: RBX, RSP, RBP, RSI, RDI, R12 to R15, by their numbers in instructions.
const KEPT: [usize; 9] = [3, 4, 5, 6, 7, 12, 13, 14, 15];

/// Loads the registers of a buffer, as the last act of an unwind.
///
/// # Errors
/// [`Fault`] when the buffer is not readable.
pub(crate) fn load_buffer(guest: &Guest, buffer: u64, registers: &mut Registers) -> Result<(), Fault> {
    for (index, register) in KEPT.into_iter().enumerate() {
        registers.general[register] = guest.read_word(buffer + 8 + index as u64 * 8)?;
    }
    registers.rip = guest.read_word(buffer + RIP)?;
    for index in 0..10 {
        let mut bytes = [0; 16];
        guest.read_bytes(buffer + XMM6 + index * 16, &mut bytes)?;
        registers.set_xmm(6 + index as usize, u128::from_le_bytes(bytes));
    }
    Ok(())
}

/// Goes back to where `setjmp` was called, which returns `value` there, or 1 for 0.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/longjmp>
#[winapi(cdecl)]
pub fn longjmp(guest: &mut Guest, env: GuestWord, value: i32) -> Result<(), Fault> {
    let value = u64::from(if value == 0 { 1 } else { value as u32 });
    let mut registers = dispatch::caller(guest, 0);
    let mut record = Record::new(NtStatus::LONGJUMP, registers.rip);
    record.information = vec![env.0];
    let stack = guest.gate().top_stack_pointer().unwrap_or_else(|| registers.rsp());
    let record_address = stack.wrapping_sub(Record::size(guest.machine())) & !15;
    guest.write_bytes(record_address, &record.to_bytes(guest.machine()))?;
    let target = Target::frame(guest.read_word(env.0)?, guest.read_word(env.0 + RIP)?, true);
    // A frame that is not on the stack, as code without tables makes: the jump still succeeds, as on Windows.
    let Err(_) = unwind_to(guest, target, record_address, value);
    registers.general[0] = value;
    load_buffer(guest, env.0, &mut registers)?;
    guest.gate().resume(registers)
}
