//! winver.h: installing files by their versions, which nothing does any more.

use crate::dll;
use crate::export::Export;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    stub VerFindFileA;
    stub VerFindFileW;
    stub VerInstallFileA;
    stub VerInstallFileW;
};
