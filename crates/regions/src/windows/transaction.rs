//! A change that was made in the books and waits for the kernel: [`Transaction`], [`Edit`].

use std::fmt;

use crate::windows::WindowsSpace;
use crate::{Access, AddressRange};

/// Where the contents of mapped pages come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backing {
    /// Zeroed memory of the process.
    Anonymous,
    /// The section that the caller maps, from this byte of it on.
    View {
        /// Offset into the section in bytes.
        offset: u64,
    },
}

/// What the kernel has to do with a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Give the pages contents.
    Map {
        /// What the processor may do with them.
        access: Access,
        /// Where contents come from.
        backing: Backing,
    },
    /// Change what the processor may do with the pages.
    Protect {
        /// The new rights.
        access: Access,
    },
    /// Drop the contents and make the pages inaccessible; the range stays with its allocation.
    Discard,
    /// Drop the contents and turn the range back into plain reservation.
    Release {
        /// What the processor could do with private pages until now; nothing for those of views.
        access: Access,
    },
}

/// One step to carry out on the kernel, with the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Which pages.
    pub range: AddressRange,
    /// What to do.
    pub action: Action,
    /// Why, for people and traces.
    pub reason: &'static str,
}

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.range)?;
        match self.action {
            Action::Map { access, backing: Backing::Anonymous } => write!(f, "map {access} anonymous")?,
            Action::Map { access, backing: Backing::View { offset } } => {
                write!(f, "map {access} view+{offset:#x}")?;
            }
            Action::Protect { access } => write!(f, "protect {access}")?,
            Action::Discard => write!(f, "discard")?,
            Action::Release { .. } => write!(f, "release")?,
        }
        write!(f, ": {}", self.reason)
    }
}

/// A change that was made in the books; dropping it takes the change back.
#[must_use = "dropping a transaction rolls it back"]
pub struct Transaction<'a, T> {
    space: &'a mut WindowsSpace,
    value: Option<T>,
}

impl<'a, T> Transaction<'a, T> {
    pub(super) fn finish<E>(space: &'a mut WindowsSpace, outcome: Result<T, E>) -> Result<Self, E> {
        match outcome {
            Ok(value) => Ok(Self { space, value: Some(value) }),
            Err(error) => {
                space.undo_all();
                Err(error)
            }
        }
    }

    /// Returns what the kernel has to do, in order.
    pub fn edits(&self) -> &[Edit] {
        &self.space.edits
    }

    /// Returns the books as they are with the change.
    pub fn space(&self) -> &WindowsSpace {
        self.space
    }

    /// Returns the result of the operation.
    pub fn value(&self) -> &T {
        self.value.as_ref().expect("only commit() takes the value, and it takes the transaction too")
    }

    /// Keeps the change and returns the result of the operation.
    pub fn commit(mut self) -> T {
        self.value.take().expect("only commit() takes the value, and it takes the transaction too")
    }

    /// Takes the change back: the books are as they were before.
    pub fn roll_back(self) {}
}

impl<T> Drop for Transaction<'_, T> {
    fn drop(&mut self) {
        if self.value.is_some() {
            self.space.undo_all();
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Transaction<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("value", &self.value).field("edits", &self.edits()).finish()
    }
}
