//! time.h.

use plat_abi::Fault;

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {};

/// Makes the names of the time zones.
pub(super) fn attach(guest: &mut Guest) -> Result<(), Fault> {
    let _ = guest;
    Ok(())
}
