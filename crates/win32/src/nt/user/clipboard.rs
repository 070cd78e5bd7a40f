//! The clipboard of one process: what it copies it can paste; other programs do not see it.

use std::collections::BTreeMap;

/// The clipboard.
#[derive(Debug, Default)]
pub struct Clipboard {
    /// The thread that has it open, and for which window.
    pub open: Option<(u32, u64)>,
    /// The window that emptied it last.
    pub owner: u64,
    /// Handles by format, in the order in which they came.
    pub data: BTreeMap<u32, u64>,
    /// Formats in the order in which they came.
    pub formats: Vec<u32>,
    /// How often it changed.
    pub changes: u32,
}

impl Clipboard {
    /// Says whether a thread has it open.
    pub fn is_open_by(&self, thread: u32) -> bool {
        self.open.is_some_and(|open| open.0 == thread)
    }

    /// Forgets what was copied; returns the handles.
    pub fn clear(&mut self) -> Vec<u64> {
        self.changes += 1;
        self.formats.clear();
        std::mem::take(&mut self.data).into_values().collect()
    }

    /// Puts a format; returns the handle that it replaces.
    pub fn put(&mut self, format: u32, handle: u64) -> Option<u64> {
        self.changes += 1;
        if !self.formats.contains(&format) {
            self.formats.push(format);
        }
        self.data.insert(format, handle)
    }
}
