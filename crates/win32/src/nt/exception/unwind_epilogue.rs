//! Recognizes the end of a function's epilogue by its instructions, and carries it out.
//!
//! Source: <https://learn.microsoft.com/cpp/build/prolog-and-epilog>, "Epilog code".

use plat_abi::{Fault, Memory};

use super::unwind::{Frame, RSP, RuntimeFunction};

/// Leaves the function when the instruction pointer is in its epilogue; says whether it was.
pub(super) fn leave_epilogue<M: Memory>(
    frame: &mut Frame,
    memory: &M,
    base: u64,
    entry: &RuntimeFunction,
    frame_register: Option<usize>,
) -> Result<bool, Fault> {
    let end = base + u64::from(entry.end);
    let length = end.saturating_sub(frame.rip).min(64);
    let code = memory.read_vec(frame.rip, length)?;
    let mut after = *frame;
    let mut rest = code.as_slice();
    let rip = |rest: &[u8]| end.min(frame.rip + length) - rest.len() as u64;
    if let Some((stack, size)) = stack_release(rest, &after, frame_register) {
        after.general[RSP] = stack;
        rest = &rest[size..];
    }
    loop {
        match *rest {
            [byte @ 0x58..=0x5f, ..] => {
                after.pop_register(memory, usize::from(byte & 7))?;
                rest = &rest[1..];
            }
            [rex @ 0x40..=0x4f, byte @ 0x58..=0x5f, ..] => {
                after.pop_register(memory, usize::from(byte & 7 | (rex & 1) << 3))?;
                rest = &rest[2..];
            }
            _ => break,
        }
    }
    if !is_exit(rest, rip(rest), base, entry) {
        return Ok(false);
    }
    after.rip = after.pop(memory)?;
    *frame = after;
    Ok(true)
}

/// Returns the stack pointer after `add rsp, N` or `lea rsp, [frame register + N]`, and the instruction's length.
fn stack_release(code: &[u8], frame: &Frame, frame_register: Option<usize>) -> Option<(u64, usize)> {
    let rsp = frame.general[RSP];
    match *code {
        [0x48, 0x83, 0xc4, amount, ..] => Some((rsp.wrapping_add_signed(i64::from(amount as i8)), 4)),
        [0x48, 0x81, 0xc4, a, b, c, d, ..] => {
            Some((rsp.wrapping_add_signed(i64::from(i32::from_le_bytes([a, b, c, d]))), 7))
        }
        [rex @ (0x48 | 0x49), 0x8d, modrm, ..] if modrm & 0x38 == 0x20 && modrm & 7 != 4 => {
            let register = usize::from(modrm & 7 | (rex & 1) << 3);
            if frame_register != Some(register) {
                return None;
            }
            let value = frame.general[register];
            match (modrm >> 6, &code[3..]) {
                (1, &[amount, ..]) => Some((value.wrapping_add_signed(i64::from(amount as i8)), 4)),
                (2, &[a, b, c, d, ..]) => {
                    Some((value.wrapping_add_signed(i64::from(i32::from_le_bytes([a, b, c, d]))), 7))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// Says whether the instruction leaves the function: a return, or a jump to somewhere else.
fn is_exit(code: &[u8], rip: u64, base: u64, entry: &RuntimeFunction) -> bool {
    let leaves = |target: u64| {
        let offset = target.wrapping_sub(base);
        offset <= u64::from(entry.begin) || offset >= u64::from(entry.end)
    };
    match *code {
        [0xc3 | 0xc2, ..] | [0xf2 | 0xf3, 0xc3, ..] => true,
        [0xff, 0x25, ..] | [0x40..=0x4f, 0xff, 0x25, ..] => true,
        // A jump through a register is an exit only with REX.W, which says so on purpose.
        [0x48..=0x4f, 0xff, 0xe0..=0xe7, ..] => true,
        [0xeb, by, ..] => leaves(rip.wrapping_add(2).wrapping_add_signed(i64::from(by as i8))),
        [0xe9, a, b, c, d, ..] => {
            let by = i64::from(i32::from_le_bytes([a, b, c, d]));
            leaves(rip.wrapping_add(5).wrapping_add_signed(by))
        }
        _ => false,
    }
}
