//! Checks files: [`check_files`] reads what [`crate::check()`] judges.

use std::path::PathBuf;

use super::scan::{ScanOptions, scan_with};
use crate::{CheckOptions, Finding, FindingKind, check, examine};

/// What a check found, and how much it looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// The findings.
    pub findings: Vec<Finding>,
    /// The number of images that were looked at.
    pub images: usize,
}

/// Reads the images among and below `paths` and returns what is wrong with them.
pub fn check_files(paths: &[PathBuf], options: &CheckOptions) -> CheckReport {
    let without_hash = ScanOptions { without_hash: true, ..ScanOptions::default() };
    let (scan, exams) = scan_with(paths, &without_hash, |member, bytes| examine(&member.path, bytes));
    let fleet: Vec<_> = scan.members.into_iter().zip(exams).collect();
    let mut findings = check(&fleet, options);
    if !options.allow.contains(&FindingKind::Unreadable) {
        findings.extend(scan.skipped.into_iter().map(|it| Finding {
            kind: FindingKind::Unreadable,
            path: it.path,
            what: it.why,
            others: Vec::new(),
        }));
    }
    CheckReport { findings, images: fleet.len() }
}
