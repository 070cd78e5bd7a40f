//! The code below 4 GiB that takes 32-bit guest code into the 64-bit host and back.

use std::mem::offset_of;

use super::block::{FarPointer, RETURN_STUBS, TEB_PRIVATE, ThreadBlock};

/// Bytes of guest memory that the trampoline takes.
pub const TRAMPOLINE_SIZE: u64 = 4096;

/// Offset of the stub to which a 32-bit guest function called by the host returns.
const RETURN_ENTRY: u32 = 0x20;
/// Offset of the 64-bit half of that stub.
const RETURN_ENTRY_64: u32 = 0x30;
/// Offset of the stub to which a 32-bit exception handler returns.
///
/// GCC's unwinder knows by the bytes around it that the function was called for an exception, and goes on from the context
/// among the arguments: `mov ecx, [ebp+24]; call ecx` before, an instruction that reads `fs:[0]` behind.
/// Source: libgcc, `config/i386/w32-unwind.h`, `SIG_SEH2`.
const HANDLER_RETURN: u32 = 0x58;
/// The same for a filter, which has one argument: `call eax` before, `cmp eax, 1` behind (`SIG_PAT1`).
const FILTER_RETURN: u32 = 0x78;
/// Offset of the first `ret N` stub; each has four bytes.
const RETURN_STUBS_START: u32 = 0x100;

/// What a guest's function is called for by the dispatcher of exceptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandlerKind {
    /// A handler of the chain at `fs:[0]`.
    Frame,
    /// A filter, which gets `EXCEPTION_POINTERS`.
    Filter,
}

/// The trampoline of a 32-bit guest: its bytes, and the far pointers that the host jumps through.
#[derive(Debug)]
pub struct Trampoline {
    address: u32,
    returns: [FarPointer; RETURN_STUBS],
}

impl Trampoline {
    /// Describes a trampoline that lies at `address`.
    pub fn new(address: u32) -> Self {
        let mut returns = [FarPointer::default(); RETURN_STUBS];
        for (index, far) in returns.iter_mut().enumerate() {
            *far = FarPointer {
                offset: address + RETURN_STUBS_START + index as u32 * 4,
                selector: 0x23,
                padding: 0,
            };
        }
        Self { address, returns }
    }

    /// Returns the address to which a 32-bit thunk far-jumps, segment 0x33, with the function's index in EAX.
    pub fn entry(&self) -> u32 {
        self.address
    }

    pub(super) fn returns(&self) -> *const [FarPointer; RETURN_STUBS] {
        &raw const self.returns
    }

    /// Computes the return stub's address from that of the first `ret N` stub.
    pub(super) fn return_stub(first_return: u32) -> u32 {
        first_return - RETURN_STUBS_START + RETURN_ENTRY
    }

    /// Computes the address to which exception handlers return from that of the first `ret N` stub.
    pub(super) fn handler_return_stub(first_return: u32, kind: HandlerKind) -> u32 {
        let offset = if kind == HandlerKind::Frame { HANDLER_RETURN } else { FILTER_RETURN };
        first_return - RETURN_STUBS_START + offset
    }

    /// Returns the code: to be mapped at the trampoline's address, readable and executable.
    pub fn code(&self) -> Vec<u8> {
        let mut code = vec![0xcc; TRAMPOLINE_SIZE as usize];
        let mut put =
            |at: u32, bytes: &[u8]| code[at as usize..at as usize + bytes.len()].copy_from_slice(bytes);
        put(0, &jump_through_block(offset_of!(ThreadBlock, enter32)));
        // jmp far 0x33:RETURN_ENTRY_64
        let mut far = vec![0xea];
        far.extend((self.address + RETURN_ENTRY_64).to_le_bytes());
        far.extend([0x33, 0]);
        put(RETURN_ENTRY, &far);
        put(HANDLER_RETURN - 5, &[0x8b, 0x4d, 0x18, 0xff, 0xd1]);
        // mov ecx, fs:[0]
        put(HANDLER_RETURN, &[0x64, 0x8b, 0x0d, 0, 0, 0, 0]);
        put(HANDLER_RETURN + 7, &far);
        put(FILTER_RETURN - 2, &[0xff, 0xd0]);
        put(FILTER_RETURN, &[0x83, 0xf8, 1]);
        put(FILTER_RETURN + 3, &far);
        put(RETURN_ENTRY_64, &jump_through_block(offset_of!(ThreadBlock, return32)));
        for index in 0..RETURN_STUBS as u32 {
            let bytes = (index as u16 * 4).to_le_bytes();
            // `ret` without a count is shorter and better predicted than `ret 0`.
            let stub = if index == 0 { [0xc3, 0xcc, 0xcc] } else { [0xc2, bytes[0], bytes[1]] };
            put(RETURN_STUBS_START + index * 4, &stub);
        }
        code
    }
}

/// Encodes `mov r11, fs:[TEB_PRIVATE]; jmp [r11 + offset]`, 64-bit code that runs with the guest's FS base.
fn jump_through_block(offset: usize) -> Vec<u8> {
    let mut code = vec![0x64, 0x4c, 0x8b, 0x1c, 0x25];
    code.extend((TEB_PRIVATE as u32).to_le_bytes());
    code.extend([0x41, 0xff, 0x63, offset as u8]);
    debug_assert!(offset < 128, "an eight-bit displacement");
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unwinders_know_where_handlers_return() {
        let trampoline = Trampoline::new(0x10_0000);
        let code = trampoline.code();
        let around = |kind| {
            let stub = Trampoline::handler_return_stub(trampoline.returns[0].offset, kind);
            let at = (stub - trampoline.entry()) as usize;
            (code[at - 5..at].to_vec(), code[at..at + 2].to_vec())
        };
        let (before, behind) = around(HandlerKind::Frame);
        assert_eq!((&before[..2], &behind[..]), (&[0x8b, 0x4d][..], &[0x64, 0x8b][..]));
        let (before, behind) = around(HandlerKind::Filter);
        assert_eq!((&before[3..], &behind[..]), (&[0xff, 0xd0][..], &[0x83, 0xf8][..]));
    }
}
