//! Write watch: which pages of a watched allocation were written.

use crate::windows::{RuleError, WindowsSpace};
use crate::{Address, AddressRange, PAGE_SIZE};

impl WindowsSpace {
    /// Says whether all of `range` lies in one allocation that records writes.
    pub fn is_write_watched(&self, range: AddressRange) -> bool {
        self.inside_one(range).is_ok_and(|(_, held)| held.is_write_watched())
    }

    /// Records a write to the page of `address`; false when nobody watches it.
    pub fn mark_written(&mut self, address: Address) -> bool {
        let watched = self.allocation(address).is_some_and(|(_, held)| held.is_write_watched());
        if watched {
            self.written.insert(address.align_down(PAGE_SIZE));
        }
        watched
    }

    /// Returns the first `most` written pages of `range`, ascending; `reset` forgets exactly those.
    ///
    /// # Errors
    /// [`RuleError::NotWatched`] when the range is not inside one watched allocation.
    ///
    /// Source: Microsoft, "GetWriteWatch function".
    pub fn take_written(
        &mut self,
        range: AddressRange,
        most: usize,
        reset: bool,
    ) -> Result<Vec<Address>, RuleError> {
        if range.start >= range.end || !self.is_write_watched(range) {
            return Err(RuleError::NotWatched { range });
        }
        let start = range.start.align_down(PAGE_SIZE);
        let pages: Vec<_> = self.written.range(start..range.end).take(most).copied().collect();
        if reset {
            for page in &pages {
                self.written.remove(page);
            }
        }
        Ok(pages)
    }
}
