//! shellapi.h: command lines.

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::command_line::{Rules, split_texts};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full CommandLineToArgvW;
};

/// Splits a command line; the result is one block for `LocalFree`: pointers, a null, then the texts. An empty line
/// gives the program's own path.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shellapi/nf-shellapi-commandlinetoargvw>
#[winapi]
pub fn CommandLineToArgvW(
    guest: &mut Guest,
    lpCmdLine: GuestWord,
    pNumArgs: GuestWord,
) -> Result<GuestWord, Win32Error> {
    if lpCmdLine.is_null() || pNumArgs.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let line = guest.read_wide_string(lpCmdLine.get())?;
    let arguments = match line.is_empty() {
        true => vec![guest.process().start.program.clone()],
        false => split_texts(&line, Rules::CommandLineToArgv),
    };
    let pointer = guest.machine().pointer_size();
    let pointers = (arguments.len() as u64 + 1) * pointer;
    let texts: u64 = arguments.iter().map(|argument| (argument.len() as u64 + 1) * 2).sum();
    let heaps = &guest.process().heaps;
    let block = heaps.allocate(0, pointers + texts, true).ok_or(Win32Error::NOT_ENOUGH_MEMORY)?;
    let mut text = block + pointers;
    for (index, argument) in arguments.iter().enumerate() {
        guest.write_word(block + index as u64 * pointer, text)?;
        guest.write_wide(text, argument)?;
        text += (argument.len() as u64 + 1) * 2;
    }
    guest.write(pNumArgs.get(), &(arguments.len() as u32))?;
    Ok(GuestWord(block))
}
