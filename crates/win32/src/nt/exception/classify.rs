//! From the processor's exception to Windows' exception code.
//!
//! Source: Intel SDM volume 3, "Exception and Interrupt Reference";
//! <https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-exception_record>.

use crate::NtStatus;

/// What the processor said, as far as Windows' code depends on it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trap<'a> {
    /// The processor's exception number.
    pub vector: u64,
    /// The processor's error code.
    pub error: u64,
    /// The address of a page fault.
    pub address: u64,
    /// Whether a page fault came from the file behind the page.
    pub is_bus_error: bool,
    /// Whether 32-bit code faulted.
    pub is_i386: bool,
    /// The bytes at the instruction pointer, as many as can be read.
    pub code: &'a [u8],
    /// Whether a division's divisor is zero.
    pub divisor_is_zero: bool,
    /// ECX, which says why a program fails fast.
    pub ecx: u32,
    /// x87 control word and status word.
    pub x87: (u16, u16),
    /// MXCSR.
    pub mxcsr: u32,
}

/// A Windows exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exception {
    /// The code.
    pub code: NtStatus,
    /// The exception's parameters.
    pub information: [u64; 3],
    /// How many of them count.
    pub count: u32,
    /// What is added to the instruction pointer before anybody sees it.
    pub move_ip: i64,
    /// Whether no handler is asked.
    pub is_fatal: bool,
}

impl Exception {
    const fn plain(code: NtStatus) -> Self {
        Self { code, information: [0; 3], count: 0, move_ip: 0, is_fatal: false }
    }

    const fn with(code: NtStatus, count: u32, information: [u64; 3]) -> Self {
        Self { count, information, ..Self::plain(code) }
    }

    /// Returns an access violation: 0 for a read, 1 for a write, 8 for execution.
    pub const fn access_violation(kind: u64, address: u64) -> Self {
        Self::with(NtStatus::ACCESS_VIOLATION, 2, [kind, address, 0])
    }
}

/// Finds the Windows exception for a trap.
pub fn classify(trap: &Trap<'_>) -> Exception {
    match trap.vector {
        0 if trap.divisor_is_zero => Exception::plain(NtStatus::INTEGER_DIVIDE_BY_ZERO),
        0 | 4 => Exception::plain(NtStatus::INTEGER_OVERFLOW),
        1 => Exception::plain(NtStatus::SINGLE_STEP),
        3 => Exception { move_ip: -1, ..Exception::with(NtStatus::BREAKPOINT, 1, [0; 3]) },
        5 => Exception::plain(NtStatus::ARRAY_BOUNDS_EXCEEDED),
        6 => Exception::plain(NtStatus::ILLEGAL_INSTRUCTION),
        13 => general_protection(trap),
        14 => page_fault(trap),
        16 => Exception::with(x87_code(trap.x87), 1, [0; 3]),
        17 => Exception::plain(NtStatus::DATATYPE_MISALIGNMENT),
        19 => Exception::with(sse_code(trap), 2, [0, u64::from(trap.mxcsr), 0]),
        // A stack segment's fault is a non-canonical stack address; Windows tells no address.
        _ => Exception::access_violation(0, top_address(trap)),
    }
}

/// Returns the address that Windows tells when the processor told none.
fn top_address(trap: &Trap<'_>) -> u64 {
    if trap.is_i386 { 0xffff_ffff } else { u64::MAX }
}

fn page_fault(trap: &Trap<'_>) -> Exception {
    const WRITE: u64 = 1 << 1;
    const FETCH: u64 = 1 << 4;
    let kind = match trap.error {
        error if error & FETCH != 0 => 8,
        error if error & WRITE != 0 => 1,
        _ => 0,
    };
    if trap.is_bus_error {
        let reason = u64::from(NtStatus::UNEXPECTED_IO_ERROR.0);
        return Exception::with(NtStatus::IN_PAGE_ERROR, 3, [kind, trap.address, reason]);
    }
    Exception::access_violation(kind, trap.address)
}

fn general_protection(trap: &Trap<'_>) -> Exception {
    const FROM_INTERRUPT_TABLE: u64 = 1 << 1;
    if trap.error & FROM_INTERRUPT_TABLE != 0 {
        return match trap.error >> 3 {
            0x29 => Exception {
                is_fatal: true,
                ..Exception::with(NtStatus::STACK_BUFFER_OVERRUN, 1, [u64::from(trap.ecx), 0, 0])
            },
            // The debug service's exception is a breakpoint after its two bytes.
            0x2d => Exception { move_ip: 2, ..Exception::with(NtStatus::BREAKPOINT, 1, [0; 3]) },
            _ => Exception::access_violation(0, top_address(trap)),
        };
    }
    if is_privileged(trap.code, trap.is_i386) {
        return Exception::plain(NtStatus::PRIVILEGED_INSTRUCTION);
    }
    Exception::access_violation(0, top_address(trap))
}

/// Removes an instruction's prefixes.
fn without_prefixes(code: &[u8], is_i386: bool) -> &[u8] {
    let is_prefix = |byte: &u8| {
        matches!(byte, 0x26 | 0x2e | 0x36 | 0x3e | 0x64..=0x67 | 0xf0 | 0xf2 | 0xf3)
            || (!is_i386 && byte & 0xf0 == 0x40)
    };
    let length = code.iter().take_while(|byte| is_prefix(byte)).count();
    &code[length..]
}

/// Says whether only a kernel may execute this instruction.
fn is_privileged(code: &[u8], is_i386: bool) -> bool {
    matches!(
        *without_prefixes(code, is_i386),
        [0xf4 | 0xfa | 0xfb | 0xe4..=0xe7 | 0xec..=0xef | 0x6c..=0x6f, ..]
            | [0x0f, 0x00 | 0x01 | 0x06 | 0x08 | 0x09 | 0x20..=0x23 | 0x30 | 0x32 | 0x33, ..]
    )
}

/// The processor's floating-point flags in the order in which Windows looks at them.
fn float_code(pending: u32) -> Option<NtStatus> {
    [
        (0x01, NtStatus::FLOAT_INVALID_OPERATION),
        (0x04, NtStatus::FLOAT_DIVIDE_BY_ZERO),
        (0x02, NtStatus::FLOAT_DENORMAL_OPERAND),
        (0x08, NtStatus::FLOAT_OVERFLOW),
        (0x10, NtStatus::FLOAT_UNDERFLOW),
        (0x20, NtStatus::FLOAT_INEXACT_RESULT),
    ]
    .into_iter()
    .find_map(|(flag, code)| (pending & flag != 0).then_some(code))
}

fn x87_code((control, status): (u16, u16)) -> NtStatus {
    const INVALID: u16 = 0x01;
    const STACK_FAULT: u16 = 0x40;
    let pending = status & !control & 0x3f;
    if pending & INVALID != 0 && status & STACK_FAULT != 0 {
        return NtStatus::FLOAT_STACK_CHECK;
    }
    float_code(u32::from(pending)).unwrap_or(NtStatus::FLOAT_INVALID_OPERATION)
}

fn sse_code(trap: &Trap<'_>) -> NtStatus {
    const FAULTS: u32 = 0x07;
    let pending = trap.mxcsr & !(trap.mxcsr >> 7) & 0x3f;
    match trap.is_i386 {
        // 32-bit Windows does not look which of them it was.
        true if pending & FAULTS != 0 => NtStatus::FLOAT_MULTIPLE_FAULTS,
        true => NtStatus::FLOAT_MULTIPLE_TRAPS,
        false => float_code(pending).unwrap_or(NtStatus::FLOAT_INVALID_OPERATION),
    }
}

/// Says whether the instruction divides by a register that is zero; `None` when it divides by memory, or not at all.
pub fn register_divisor_is_zero(code: &[u8], is_i386: bool, general: &[u64; 16]) -> Option<bool> {
    let rest = without_prefixes(code, is_i386);
    let prefixes = &code[..code.len() - rest.len()];
    let rex = prefixes.last().copied().filter(|byte| !is_i386 && byte & 0xf0 == 0x40);
    let &[opcode @ (0xf6 | 0xf7), modrm, ..] = rest else { return None };
    if modrm < 0xc0 || modrm & 0x30 != 0x30 {
        return None;
    }
    let register = usize::from(modrm & 7) | usize::from(rex.unwrap_or(0) & 1) << 3;
    let value = match opcode {
        // Without REX, the encodings 4 to 7 are AH, CH, DH and BH.
        0xf6 if rex.is_none() && register >= 4 => general[register - 4] >> 8 & 0xff,
        0xf6 => general[register] & 0xff,
        _ if rex.unwrap_or(0) & 8 != 0 => general[register],
        _ if prefixes.contains(&0x66) => general[register] & 0xffff,
        _ => general[register] & 0xffff_ffff,
    };
    Some(value == 0)
}

#[cfg(test)]
mod tests {
    use super::{Trap, classify, register_divisor_is_zero};

    /// Classifies and returns code, parameters, movement.
    fn of(trap: Trap<'_>) -> (u32, Vec<u64>, i64) {
        let exception = classify(&trap);
        (exception.code.0, exception.information[..exception.count as usize].to_vec(), exception.move_ip)
    }

    #[test]
    fn traps_become_windows_exceptions() {
        let page = |error| Trap { vector: 14, error, address: 0x1234, ..Trap::default() };
        let protection = |code| Trap { vector: 13, code, ..Trap::default() };
        let vector = |vector| Trap { vector, ..Trap::default() };
        let from_table = |number: u64| Trap { vector: 13, error: number * 8 + 2, ecx: 7, ..Trap::default() };
        let cases = [
            (page(4), 0xC000_0005, vec![0, 0x1234], 0),
            (page(6), 0xC000_0005, vec![1, 0x1234], 0),
            (page(0x14), 0xC000_0005, vec![8, 0x1234], 0),
            (Trap { is_bus_error: true, ..page(4) }, 0xC000_0006, vec![0, 0x1234, 0xC000_00E9], 0),
            (Trap { divisor_is_zero: true, ..vector(0) }, 0xC000_0094, vec![], 0),
            (vector(0), 0xC000_0095, vec![], 0),
            (vector(1), 0x8000_0004, vec![], 0),
            (vector(3), 0x8000_0003, vec![0], -1),
            (vector(6), 0xC000_001D, vec![], 0),
            (vector(17), 0x8000_0002, vec![], 0),
            (protection(&[0xf4]), 0xC000_0096, vec![], 0),
            (protection(&[0x66, 0xef]), 0xC000_0096, vec![], 0),
            (protection(&[0x0f, 0x30]), 0xC000_0096, vec![], 0),
            (protection(&[0x48, 0x8b, 0x00]), 0xC000_0005, vec![0, u64::MAX], 0),
            (from_table(0x29), 0xC000_0409, vec![7], 0),
            (from_table(0x2d), 0x8000_0003, vec![0], 2),
            (from_table(0x2e), 0xC000_0005, vec![0, u64::MAX], 0),
            (Trap { x87: (0x37b, 0x04), ..vector(16) }, 0xC000_008E, vec![0], 0),
            (Trap { x87: (0x37e, 0x41), ..vector(16) }, 0xC000_0092, vec![0], 0),
            (Trap { mxcsr: 0x1d84, ..vector(19) }, 0xC000_008E, vec![0, 0x1d84], 0),
            (Trap { mxcsr: 0x1d84, is_i386: true, ..vector(19) }, 0xC000_02B4, vec![0, 0x1d84], 0),
        ];
        for (trap, code, information, move_ip) in cases {
            assert_eq!(of(trap), (code, information, move_ip), "{trap:?}");
        }
    }

    #[test]
    fn only_zero_divisors_divide_by_zero() {
        let mut general = [1; 16];
        general[1] = 0xffff_ffff_0000_0000;
        general[9] = 0;
        let cases: [(&[u8], Option<bool>); 6] = [
            (&[0xf7, 0xf9], Some(true)),
            (&[0x48, 0xf7, 0xf9], Some(false)),
            (&[0x41, 0xf7, 0xf1], Some(true)),
            (&[0xf6, 0xf4], Some(true)),
            (&[0xf7, 0x39], None),
            (&[0xf7, 0xe1], None),
        ];
        for (code, expected) in cases {
            assert_eq!(register_divisor_is_zero(code, false, &general), expected, "{code:02x?}");
        }
    }
}
