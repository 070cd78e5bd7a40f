//! Linux errno (by number, x86-64) to NTSTATUS.

use super::NtStatus;

impl NtStatus {
    /// Returns the status closest to a Linux errno; `UNSUCCESSFUL` for one that has no counterpart.
    ///
    /// ENOENT becomes `OBJECT_NAME_NOT_FOUND`: a caller that knows that a *parent* directory is missing
    /// reports `OBJECT_PATH_NOT_FOUND` itself, since errno does not tell the two apart.
    ///
    /// Source: Linux `asm-generic/errno-base.h` and `asm-generic/errno.h`; MS-ERREF 2.3.1 for the meanings.
    pub const fn from_errno(errno: i32) -> Self {
        match errno {
            0 => Self::SUCCESS,
            1 | 13 => Self::ACCESS_DENIED,          // EPERM, EACCES
            2 => Self::OBJECT_NAME_NOT_FOUND,       // ENOENT
            3 | 10 => Self::INVALID_CID,            // ESRCH, ECHILD
            4 => Self::CANCELLED,                   // EINTR
            5 => Self::IO_DEVICE_ERROR,             // EIO
            6 | 19 => Self::NO_SUCH_DEVICE,         // ENXIO, ENODEV
            7 => Self::BUFFER_OVERFLOW,             // E2BIG
            8 => Self::INVALID_IMAGE_FORMAT,        // ENOEXEC
            9 => Self::INVALID_HANDLE,              // EBADF
            11 => Self::RETRY,                      // EAGAIN
            12 => Self::NO_MEMORY,                  // ENOMEM
            14 => Self::ACCESS_VIOLATION,           // EFAULT
            16 | 26 => Self::SHARING_VIOLATION,     // EBUSY, ETXTBSY
            17 => Self::OBJECT_NAME_COLLISION,      // EEXIST
            18 => Self::NOT_SAME_DEVICE,            // EXDEV
            20 => Self::NOT_A_DIRECTORY,            // ENOTDIR
            21 => Self::FILE_IS_A_DIRECTORY,        // EISDIR
            22 | 33 => Self::INVALID_PARAMETER,     // EINVAL, EDOM
            23 | 24 => Self::TOO_MANY_OPENED_FILES, // ENFILE, EMFILE
            25 => Self::INVALID_DEVICE_REQUEST,     // ENOTTY
            27 => Self::FILE_TOO_LARGE,             // EFBIG
            28 | 122 => Self::DISK_FULL,            // ENOSPC, EDQUOT
            29 => Self::INVALID_DEVICE_REQUEST,     // ESPIPE
            30 => Self::MEDIA_WRITE_PROTECTED,      // EROFS
            31 => Self::TOO_MANY_LINKS,             // EMLINK
            32 => Self::PIPE_CLOSING,               // EPIPE
            34 => Self::BUFFER_TOO_SMALL,           // ERANGE
            35 => Self::POSSIBLE_DEADLOCK,          // EDEADLK
            36 => Self::NAME_TOO_LONG,              // ENAMETOOLONG
            38 => Self::NOT_IMPLEMENTED,            // ENOSYS
            39 => Self::DIRECTORY_NOT_EMPTY,        // ENOTEMPTY
            40 => Self::REPARSE_POINT_NOT_RESOLVED, // ELOOP
            61 => Self::NO_EAS_ON_FILE,             // ENODATA
            75 => Self::INTEGER_OVERFLOW,           // EOVERFLOW
            84 => Self::OBJECT_NAME_INVALID,        // EILSEQ
            95 => Self::NOT_SUPPORTED,              // EOPNOTSUPP
            98 => Self::ADDRESS_ALREADY_EXISTS,     // EADDRINUSE
            101 => Self::NETWORK_UNREACHABLE,       // ENETUNREACH
            103 => Self::CONNECTION_ABORTED,        // ECONNABORTED
            104 => Self::CONNECTION_RESET,          // ECONNRESET
            105 => Self::INSUFFICIENT_RESOURCES,    // ENOBUFS
            110 => Self::IO_TIMEOUT,                // ETIMEDOUT
            111 => Self::CONNECTION_REFUSED,        // ECONNREFUSED
            113 => Self::HOST_UNREACHABLE,          // EHOSTUNREACH
            116 => Self::FILE_INVALID,              // ESTALE
            125 => Self::CANCELLED,                 // ECANCELED
            _ => Self::UNSUCCESSFUL,
        }
    }
}
