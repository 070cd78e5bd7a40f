//! heapapi.h: heaps; winbase.h: GlobalAlloc and LocalAlloc.

use crate::dll;
use crate::export::Export;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {};
