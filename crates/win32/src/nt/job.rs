//! Job objects.

use super::inherit::Descriptors;
use crate::NtStatus;

/// Joins a job.
///
/// # Errors
/// `NOT_SUPPORTED`.
pub fn join(_from: &mut dyn Descriptors) -> Result<(), NtStatus> {
    Err(NtStatus::NOT_SUPPORTED)
}
