//! interlockedapi.h: interlocked operations and singly linked lists.

use crate::dll;
use crate::export::Export;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {};
