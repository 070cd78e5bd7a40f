//! Rules of Linux, one by one.
