//! Placeholders: ranges that hold their place until something replaces them.

use crate::windows::{RuleError, WindowsSpace};
use crate::{Address, AddressRange};

impl WindowsSpace {
    /// Takes the placeholder that lies exactly at `base` with `size` bytes out of the books.
    pub(super) fn take_placeholder(&mut self, base: Address, size: u64) -> Result<AddressRange, RuleError> {
        let wanted = self.whole_pages(base, size)?;
        match self.allocations.get(base) {
            Some((at, held)) if at == wanted && held.is_placeholder() => {
                self.take_allocation(base);
                Ok(at)
            }
            held => {
                let held_by = held.map_or("nothing", |(_, held)| held.owner.as_str()).to_owned();
                Err(RuleError::Conflict { wanted, held_by })
            }
        }
    }
}
