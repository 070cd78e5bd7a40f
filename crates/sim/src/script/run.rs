//! What a script may ask of the outside: [`Outside`].

use crate::cache::FileContents;

/// The world outside of the machine: files, as far as the caller lets a script see them.
pub trait Outside {
    /// Returns a file's path with links resolved, its size and its first bytes; `None` when there is none.
    fn file(&mut self, path: &str) -> Option<FileContents>;
}

/// A world without files.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFiles;

impl Outside for NoFiles {
    fn file(&mut self, _: &str) -> Option<FileContents> {
        None
    }
}
