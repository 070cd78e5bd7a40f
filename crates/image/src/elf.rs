//! ELF programs and libraries for 32 and 64 bits, as far as a kernel reads them to load one: [`ElfImage`].
//!
//! Source: System V Application Binary Interface, chapters 4 "Object Files" and 5 "Program Loading"; elf(5).

mod error;
mod parse;

#[cfg(test)]
mod tests;

pub use error::ElfError;
pub use parse::{ElfImage, ElfKind, ElfSegment};
