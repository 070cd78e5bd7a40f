//! Random bytes from the kernel.

use std::io;

/// Fills `into` with random bytes fit for keys.
///
/// # Errors
/// The kernel's error, when it has no `getrandom`.
pub fn fill(into: &mut [u8]) -> io::Result<()> {
    let mut done = 0;
    while done < into.len() {
        let rest = &mut into[done..];
        // SAFETY: 1. the pointer and the length are those of one exclusive slice of bytes.
        let got = unsafe { libc::getrandom(rest.as_mut_ptr().cast(), rest.len(), 0) };
        match usize::try_from(got) {
            Ok(got) => done += got,
            // A signal before the first byte: ask again.
            Err(_) if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Err(io::Error::last_os_error()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn all_bytes_of_a_large_buffer_are_filled() {
        let mut bytes = vec![0; 100_000];
        super::fill(&mut bytes).expect("Linux has getrandom");
        let zeros = bytes.iter().filter(|&&byte| byte == 0).count();
        // 391 are expected; 0 or 1000 have a chance below 1e-100.
        assert!((1..1000).contains(&zeros), "{zeros}");
        assert!(bytes[99_000..].iter().any(|&byte| byte != 0));
    }
}
