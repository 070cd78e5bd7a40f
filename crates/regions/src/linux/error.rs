//! The errors of Linux's memory calls: [`LinuxError`].

/// An errno of a memory call.
///
/// Source: Linux, include/uapi/asm-generic/errno-base.h and errno.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{}", self.name())]
#[repr(i32)]
pub enum LinuxError {
    /// Not permitted.
    Eperm = 1,
    /// Input or output failed.
    Eio = 5,
    /// Bad file descriptor.
    Ebadf = 9,
    /// Locked memory would pass its limit.
    Eagain = 11,
    /// No memory, no room, or nothing mapped there.
    Enomem = 12,
    /// The file's rights do not allow it.
    Eacces = 13,
    /// Bad address.
    Efault = 14,
    /// Something is mapped there already.
    Eexist = 17,
    /// The file cannot be mapped.
    Enodev = 19,
    /// An argument is not valid.
    Einval = 22,
    /// The offset does not fit.
    Eoverflow = 75,
    /// A flag is not supported.
    Eopnotsupp = 95,
}

impl LinuxError {
    /// All of them, ascending.
    pub const ALL: [Self; 12] = [
        Self::Eperm,
        Self::Eio,
        Self::Ebadf,
        Self::Eagain,
        Self::Enomem,
        Self::Eacces,
        Self::Efault,
        Self::Eexist,
        Self::Enodev,
        Self::Einval,
        Self::Eoverflow,
        Self::Eopnotsupp,
    ];

    /// Returns the number.
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// Returns the name as in `<errno.h>`, such as `ENOMEM`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Eperm => "EPERM",
            Self::Eio => "EIO",
            Self::Ebadf => "EBADF",
            Self::Eagain => "EAGAIN",
            Self::Enomem => "ENOMEM",
            Self::Eacces => "EACCES",
            Self::Efault => "EFAULT",
            Self::Eexist => "EEXIST",
            Self::Enodev => "ENODEV",
            Self::Einval => "EINVAL",
            Self::Eoverflow => "EOVERFLOW",
            Self::Eopnotsupp => "EOPNOTSUPP",
        }
    }

    /// Returns the error of a name such as `ENOMEM`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|error| error.name() == name)
    }
}
