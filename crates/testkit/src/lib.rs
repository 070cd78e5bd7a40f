//! Fixtures, generators and helpers for tests.
