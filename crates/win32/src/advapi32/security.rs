//! securitybaseapi.h: tokens, privileges, file security; random numbers.

use crate::dll;
use crate::export::Export;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {};
