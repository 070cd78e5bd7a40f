//! delete, rename, copy, directories.
