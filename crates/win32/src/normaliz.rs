//! normaliz.dll: the table of contents. Everything is kernel32.dll's.

use crate::dll;
use crate::export::{Dll, Export};

/// The DLL.
pub const DLL: Dll =
    Dll { name: "normaliz.dll", description: "Unicode Normalization DLL", tables: &[EXPORTS], methods: &[] };

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    forward IdnToAscii => "kernel32.IdnToAscii";
    forward IdnToNameprepUnicode => "kernel32.IdnToNameprepUnicode";
    forward IdnToUnicode => "kernel32.IdnToUnicode";
    forward IsNormalizedString => "kernel32.IsNormalizedString";
    forward NormalizeString => "kernel32.NormalizeString";
};
