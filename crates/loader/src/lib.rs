//! Image, layout, host and win32 become a running guest.
