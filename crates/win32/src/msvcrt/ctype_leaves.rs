//! The kinds and the other case of ASCII characters in guest code: they are the same in every locale, so a table of 128
//! bytes behind the code answers. All other characters are the business of the functions behind.
//!
//! Form and tests of the code: `kernel32::leaves`.

use plat_abi::Api;

use super::ctype::{self, ALPHA, BLANK, CONTROL, DIGIT, HEX, LOWER, PUNCT, SPACE, UPPER};
use crate::export::Code;
use crate::guest::Guest;

/// Characters that the table has.
const ASCII: usize = 128;

/// Loads the table's byte, of the 128 that follow.
#[rustfmt::skip]
const LOAD_I386: &[u8; 28] = &[
    0x8b, 0x4c, 0x24, 0x04, // mov ecx, [esp+4]
    0x83, 0xf9, 0x7f, // cmp ecx, 127
    0x0f, 0x87, 0x8f, 0x00, 0x00, 0x00, // ja the slow thunk, at the end
    0xe8, 0x00, 0x00, 0x00, 0x00, // call +0
    0x58, // pop eax
    0x0f, 0xb6, 0x84, 0x08, 0x0a, 0x00, 0x00, 0x00, // movzx eax, byte ptr [eax+ecx+10]
    0xc3, // ret
];

/// Loads the table's byte, of the 128 that follow.
#[rustfmt::skip]
const LOAD_AMD64: &[u8; 23] = &[
    0x83, 0xf9, 0x7f, // cmp ecx, 127
    0x0f, 0x87, 0x8e, 0x00, 0x00, 0x00, // ja the slow thunk, at the end
    0x89, 0xc9, // mov ecx, ecx
    0x48, 0x8d, 0x05, 0x05, 0x00, 0x00, 0x00, // lea rax, [rip+5]
    0x0f, 0xb6, 0x04, 0x08, // movzx eax, byte ptr [rax+rcx]
    0xc3, // ret
];

/// Appends a table to the code that looks into it.
const fn with_table<const CODE: usize, const LENGTH: usize>(
    code: &[u8; CODE],
    table: &[u8; ASCII],
) -> [u8; LENGTH] {
    assert!(CODE + ASCII == LENGTH, "the code, then the table");
    let mut bytes = [0; LENGTH];
    let mut at = 0;
    while at < LENGTH {
        bytes[at] = if at < CODE { code[at] } else { table[at - CODE] };
        at += 1;
    }
    bytes
}

/// Which kinds of a mask each character has.
const fn kinds(mask: u32) -> [u8; ASCII] {
    let mut table = [0; ASCII];
    let mut character = 0;
    while character < ASCII {
        table[character] = (ctype::bits(character as u8) & mask) as u8;
        character += 1;
    }
    table
}

/// Each character's lower case, or its upper one.
const fn cases(is_upper: bool) -> [u8; ASCII] {
    let mut table = [0; ASCII];
    let mut character = 0;
    while character < ASCII {
        let byte = character as u8;
        table[character] = if is_upper { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() };
        character += 1;
    }
    table
}

/// Makes leaves of tables and the functions behind them.
macro_rules! leaves {
    ($($name:ident, $function:ident, $table:expr;)*) => {$(
        #[doc = concat!("`", stringify!($function), "`.")]
        pub(crate) static $name: Code = Code {
            i386: &with_table::<{ LOAD_I386.len() }, { LOAD_I386.len() + ASCII }>(LOAD_I386, &$table),
            amd64: &with_table::<{ LOAD_AMD64.len() }, { LOAD_AMD64.len() + ASCII }>(LOAD_AMD64, &$table),
            slow: Some(&<ctype::$function as Api<Guest>>::DESCRIPTOR),
        };
    )*};
}
leaves! {
    ISALPHA, isalpha, kinds(ALPHA);
    ISUPPER, isupper, kinds(UPPER);
    ISLOWER, islower, kinds(LOWER);
    ISDIGIT, isdigit, kinds(DIGIT);
    ISXDIGIT, isxdigit, kinds(HEX);
    ISSPACE, isspace, kinds(SPACE);
    ISPUNCT, ispunct, kinds(PUNCT);
    ISALNUM, isalnum, kinds(ALPHA | DIGIT);
    ISPRINT, isprint, kinds(BLANK | PUNCT | ALPHA | DIGIT);
    ISGRAPH, isgraph, kinds(PUNCT | ALPHA | DIGIT);
    ISCNTRL, iscntrl, kinds(CONTROL);
    TOLOWER, tolower, cases(false);
    TOUPPER, toupper, cases(true);
}

#[cfg(test)]
mod tests {
    use super::*;
    use iced_x86::{Decoder, DecoderOptions, Mnemonic};

    /// The jump goes to the end, and the load to the table; what lies there is what the function would answer.
    #[test]
    fn code_reaches_its_table_and_its_end() {
        for (bits, code, length) in
            [(32, ISSPACE.i386, LOAD_I386.len()), (64, ISSPACE.amd64, LOAD_AMD64.len())]
        {
            let mut table = 0;
            for instruction in &mut Decoder::with_ip(bits, &code[..length], 0, DecoderOptions::NONE) {
                match instruction.mnemonic() {
                    Mnemonic::Ja => assert_eq!(instruction.near_branch_target(), code.len() as u64),
                    Mnemonic::Pop => table = instruction.ip(),
                    Mnemonic::Lea => table = instruction.memory_displacement64(),
                    Mnemonic::Movzx => table += instruction.memory_displacement64(),
                    mnemonic => assert_ne!(mnemonic, Mnemonic::INVALID),
                }
            }
            assert_eq!(table, length as u64, "{bits}");
            let kinds = [b'\t', b' ', b'x', 127].map(|byte| code[length + usize::from(byte)]);
            assert_eq!(kinds, [8, 8, 0, 0], "{bits}");
        }
        let other = |code: &Code, byte: u8| code.amd64[LOAD_AMD64.len() + usize::from(byte)];
        assert_eq!([other(&TOUPPER, b'q'), other(&TOLOWER, b'Q'), other(&TOLOWER, b'[')], [b'Q', b'q', b'[']);
        assert_eq!([other(&ISALPHA, b'q'), other(&ISALPHA, b'Q'), other(&ISPRINT, b' ')], [2, 1, 0x40]);
    }
}
