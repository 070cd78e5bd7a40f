//! Files whose bytes are looked at where the page cache has them: programs and DLLs, which can be large.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::os::fd::{AsFd, AsRawFd};
use std::path::Path;
use std::ptr::NonNull;

use rustix::mm::{MapFlags, ProtFlags};

/// A file's bytes, mapped privately and only for reading.
#[derive(Debug)]
pub struct FileImage {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: 1. the mapping is only ever read, and belongs to no thread.
unsafe impl Send for FileImage {}
// SAFETY: 1. as above.
unsafe impl Sync for FileImage {}

impl FileImage {
    /// Maps the file at `path`, whole.
    ///
    /// # Errors
    /// What the kernel says when the file cannot be opened or mapped; a folder is an error, too.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if !metadata.is_file() || metadata.len() == 0 {
            return Self::copy(file);
        }
        let length = usize::try_from(metadata.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let flags = MapFlags::PRIVATE | MapFlags::POPULATE;
        // SAFETY: 1. the kernel chooses a free range; 2. nothing writes through the mapping.
        let start = unsafe {
            rustix::mm::mmap(std::ptr::null_mut(), length, ProtFlags::READ, flags, file.as_fd(), 0)
        }?;
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, length })
    }

    /// Maps an open file, whole, by whatever name it goes now.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn of(file: &crate::file::File) -> io::Result<Self> {
        Self::open(Path::new(&format!("/proc/self/fd/{}", file.as_fd().as_raw_fd())))
    }

    /// Takes what a pipe or another thing that cannot be mapped has.
    fn copy(mut file: File) -> io::Result<Self> {
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut file, &mut bytes)?;
        // A mapping of its own, so that there is one way to give it back.
        let length = bytes.len().max(1);
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: 1. the kernel chooses a free range.
        let start =
            unsafe { rustix::mm::mmap_anonymous(std::ptr::null_mut(), length, access, MapFlags::PRIVATE) }?;
        let start = NonNull::new(start.cast::<u8>()).ok_or(io::ErrorKind::OutOfMemory)?;
        // SAFETY: 1. the new range has at least as many bytes; 2. nobody else knows it.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), start.as_ptr(), bytes.len()) };
        Ok(Self { start, length: bytes.len() })
    }
}

impl Deref for FileImage {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: 1. the range is mapped and readable as long as `self`; 2. plat never writes to it. 3. Another process
        // that rewrites the file may change bytes under a reader, as for every program that Linux itself runs from
        // a mapping: readers check each value where they use it, and no unsafe code depends on them.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

impl Drop for FileImage {
    fn drop(&mut self) {
        // SAFETY: 1. the mapping is ours, and no slice of it outlives `self`.
        let _ = unsafe { rustix::mm::munmap(self.start.as_ptr().cast(), self.length.max(1)) };
    }
}

#[cfg(test)]
mod tests {
    use super::FileImage;

    #[test]
    fn bytes_are_the_files() {
        let path = std::env::current_exe().expect("a test has a file");
        let image = FileImage::open(&path).expect("it can be read");
        assert_eq!(&image[..4], b"\x7fELF");
        assert_eq!(image.len() as u64, path.metadata().expect("it is there").len());
        assert!(FileImage::open(path.parent().expect("it lies in a folder")).is_err());
        assert!(FileImage::open(std::path::Path::new("/dev/null")).expect("it can be read").is_empty());
    }
}
