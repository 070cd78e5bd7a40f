//! Status codes: [`NtStatus`] and [`Win32Error`] with names, and the mappings between them and Unix errno.
//!
//! The values live in the tables `status/nt_codes.rs` and `status/win32_codes.rs`; `status/errno.rs` maps errno.

mod errno;
mod nt_codes;
mod win32_codes;

use std::fmt;

/// A Win32 error code, as `GetLastError` returns it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Win32Error(pub u32);

/// An NTSTATUS code, as the native API returns it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NtStatus(pub u32);

/// One row of the NTSTATUS table: value, name without `STATUS_`, Win32 error if it has one.
type StatusRow = (u32, &'static str, Option<Win32Error>);

/// Defines the constants of [`Win32Error`] and their table, sorted by value.
macro_rules! constants {
    ($type:ident, $prefix:literal; $($name:ident = $value:literal;)*) => {
        impl super::$type {
            $(#[doc = concat!("`", $prefix, stringify!($name), "` (", stringify!($value), ").")]
            pub const $name: Self = Self($value);)*
        }
        pub(super) const TABLE: &[(u32, &str)] = &[$(($value, stringify!($name)),)*];
    };
}

/// Defines the constants of [`NtStatus`] and their table, sorted by value.
macro_rules! status_constants {
    ($($name:ident = $value:literal $(=> $error:ident)?;)*) => {
        impl super::NtStatus {
            $(#[doc = concat!("`STATUS_", stringify!($name), "` (", stringify!($value), ").")]
            pub const $name: Self = Self($value);)*
        }
        pub(super) const TABLE: &[super::StatusRow] =
            &[$(($value, stringify!($name), super::status_constants!(@error $($error)?)),)*];
    };
    (@error) => { None };
    (@error $error:ident) => { Some(super::Win32Error::$error) };
}
use {constants, status_constants};

/// The customer bit: such a code was made by an application and passes through unchanged.
const CUSTOMER_BIT: u32 = 0x2000_0000;
/// The facility of statuses that carry a Win32 error in their low 16 bits (`NTWIN32`).
const FACILITY_NTWIN32: u32 = 7;

impl Win32Error {
    /// Returns the name as in `winerror.h` (`ERROR_FILE_NOT_FOUND`), if the code is in the table.
    pub fn name(self) -> Option<String> {
        let at = win32_codes::TABLE.binary_search_by_key(&self.0, |row| row.0).ok()?;
        let name = win32_codes::TABLE[at].1;
        // A few error codes are statuses under their own name (`STATUS_GUARD_PAGE`, `WAIT_IO_COMPLETION`).
        let is_whole = name.starts_with("STATUS_") || name == "WAIT_IO_COMPLETION";
        Some(if is_whole { name.to_owned() } else { format!("ERROR_{name}") })
    }

    /// Returns the HRESULT that carries this error (`HRESULT_FROM_WIN32`).
    pub const fn to_hresult(self) -> u32 {
        if self.0 == 0 || self.0 & 0x8000_0000 != 0 { self.0 } else { self.0 & 0xffff | 0x8007_0000 }
    }
}

impl NtStatus {
    /// Returns the name as in `ntstatus.h` (`STATUS_ACCESS_DENIED`), if the code is in the table.
    pub fn name(self) -> Option<String> {
        self.row().map(|row| format!("STATUS_{}", row.1))
    }

    /// Tells whether the code is a success or an informational one (`NT_SUCCESS`).
    pub const fn is_success(self) -> bool {
        self.0 < 0x8000_0000
    }

    /// Tells whether the code is a warning (`NT_WARNING`).
    pub const fn is_warning(self) -> bool {
        self.0 >> 30 == 2
    }

    /// Tells whether the code is an error (`NT_ERROR`).
    pub const fn is_error(self) -> bool {
        self.0 >> 30 == 3
    }

    /// Returns the Win32 error for this status, as `RtlNtStatusToDosError` does.
    ///
    /// A status without one becomes [`Win32Error::MR_MID_NOT_FOUND`].
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-rtlntstatustodoserror>
    pub fn to_win32(self) -> Win32Error {
        if self.0 & CUSTOMER_BIT != 0 {
            return Win32Error(self.0);
        }
        if self.is_ntwin32() {
            return Win32Error(self.0 & 0xffff);
        }
        self.row().and_then(|row| row.2).unwrap_or(Win32Error::MR_MID_NOT_FOUND)
    }

    /// Wraps a Win32 error as a status of facility `NTWIN32`; [`NtStatus::to_win32`] returns it unchanged.
    pub const fn from_win32(error: Win32Error) -> Self {
        if error.0 == 0 { Self(0) } else { Self(0xC007_0000 | error.0 & 0xffff) }
    }

    /// Tells whether the status only carries a Win32 error. HRESULTs (0x8007xxxx) count too.
    fn is_ntwin32(self) -> bool {
        self.0 & 0x8000_0000 != 0 && (self.0 >> 16) & 0x0fff == FACILITY_NTWIN32
    }

    fn row(self) -> Option<&'static StatusRow> {
        let at = nt_codes::TABLE.binary_search_by_key(&self.0, |row| row.0).ok()?;
        Some(&nt_codes::TABLE[at])
    }
}

impl From<NtStatus> for Win32Error {
    fn from(status: NtStatus) -> Self {
        status.to_win32()
    }
}

impl fmt::Display for Win32Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({})", self.0),
            None => write!(f, "Win32 error {}", self.0),
        }
    }
}

impl fmt::Display for NtStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} (0x{:08x})", self.0),
            None => write!(f, "NTSTATUS 0x{:08x}", self.0),
        }
    }
}

impl fmt::Debug for Win32Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for NtStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Win32Error {}
impl std::error::Error for NtStatus {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_by_value_without_duplicates() {
        assert!(win32_codes::TABLE.is_sorted_by(|a, b| a.0 < b.0));
        assert!(nt_codes::TABLE.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn statuses_become_the_documented_errors() {
        let cases = [
            (0x0000_0000, 0),
            (0xC000_0005, 998),
            (0xC000_0008, 6),
            (0xC000_000F, 2),
            (0xC000_0017, 8),
            (0xC000_0018, 487),
            (0xC000_0022, 5),
            (0xC000_0034, 2),
            (0xC000_0035, 183),
            (0xC000_003A, 3),
            (0xC000_0043, 32),
            (0xC000_0101, 145),
            (0xC000_0103, 267),
            (0xC000_0011, 38),
            (0xC000_007F, 112),
            (0x8000_0005, 234),
            (0x8000_0006, 18),
            (0xC000_0135, 126),
            (0xC000_0139, 127),
            (0xC000_007B, 193),
            (0xC000_00BA, 5),
            (0xC007_0057, 87),
            (0x8007_0002, 2),
            (0xE06D_7363, 0xE06D_7363),
            (0xC0DE_0001, 317),
        ];
        for (status, error) in cases {
            assert_eq!(NtStatus(status).to_win32(), Win32Error(error), "{}", NtStatus(status));
        }
    }

    #[test]
    fn display_names_the_code() {
        assert_eq!(Win32Error::FILE_NOT_FOUND.to_string(), "ERROR_FILE_NOT_FOUND (2)");
        assert_eq!(NtStatus::ACCESS_VIOLATION.to_string(), "STATUS_ACCESS_VIOLATION (0xc0000005)");
        assert_eq!(NtStatus(0xdead_beef).to_string(), "NTSTATUS 0xdeadbeef");
        assert_eq!(Win32Error::STATUS_BREAKPOINT.to_string(), "STATUS_BREAKPOINT (2147483651)");
    }

    #[test]
    fn win32_errors_survive_a_trip_through_status() {
        for &(code, _) in win32_codes::TABLE.iter().filter(|row| row.0 < 0x1_0000) {
            assert_eq!(NtStatus::from_win32(Win32Error(code)).to_win32(), Win32Error(code));
        }
        assert_eq!(Win32Error::ACCESS_DENIED.to_hresult(), 0x8007_0005);
    }

    #[test]
    fn errno_becomes_status_then_error() {
        let cases =
            [(2, 2), (13, 5), (17, 183), (20, 267), (21, 5), (28, 112), (39, 145), (36, 206), (32, 232)];
        for (errno, error) in cases {
            assert_eq!(NtStatus::from_errno(errno).to_win32(), Win32Error(error), "errno {errno}");
        }
    }
}
