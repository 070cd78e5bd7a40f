//! The three standard descriptors, written directly: for messages before and beside the objects of NT.

use std::os::fd::BorrowedFd;

/// Writes all of `bytes` to standard output (1) or standard error (2).
///
/// # Errors
/// The errno of the write that failed; EBADF (9) for another descriptor.
pub fn write_all(descriptor: i32, bytes: &[u8]) -> Result<(), i32> {
    let fd: BorrowedFd<'static> = match descriptor {
        1 => rustix::stdio::stdout(),
        2 => rustix::stdio::stderr(),
        _ => return Err(9),
    };
    let mut rest = bytes;
    while !rest.is_empty() {
        match rustix::io::write(fd, rest) {
            Ok(written) => rest = &rest[written..],
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.raw_os_error()),
        }
    }
    Ok(())
}
