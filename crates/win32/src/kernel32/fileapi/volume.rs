//! drives and volumes.
