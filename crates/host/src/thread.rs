//! thread.
