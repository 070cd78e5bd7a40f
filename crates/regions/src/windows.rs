//! The rules of Windows: allocations that never merge, and the states of their pages.
//!
//! Start with [`WindowsSpace`]. Each operation changes the books and yields a [`Transaction`]: the
//! edits to carry out on the kernel, to be committed when that worked and rolled back when it did not.

mod allocate;
mod error;
mod free;
#[cfg(test)]
mod model_tests;
mod placeholder;
mod protect;
mod protection;
mod query;
#[cfg(test)]
mod rule_tests;
mod space;
mod stack;
mod transaction;
mod view;
mod watch;

pub use allocate::{Request, highest_of_zero_bits};
pub use error::RuleError;
pub use free::FreeKind;
pub use protection::{AllocationType, PageProtection};
pub use query::{RegionInfo, Run, State};
pub use space::{Allocation, MemoryKind, WindowsSpace};
pub use stack::{GuardTouch, StackRanges};
pub use transaction::{Action, Backing, Edit, Transaction};
pub use view::{ImageRequest, Placement, ViewRequest};
