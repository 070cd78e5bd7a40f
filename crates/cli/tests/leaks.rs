//! Runs a small guest two hundred times, kills ten of the runs, and finds nothing left of them: no process, file, lock,
//! socket or shared memory. The long form is `cargo xtask leaks`.

#[path = "../../../xtask/src/fixtures/mod.rs"]
#[allow(dead_code)] // Only the building is used here.
mod fixtures;
#[path = "../../../xtask/src/leaks/measure.rs"]
#[allow(dead_code)] // The time is for xtask only.
mod measure;

use fixtures::build::{Bits, build_all, repository_root};
use measure::{Plan, measure};

#[test]
fn runs_leave_nothing_behind_killed_or_not() {
    let root = repository_root(env!("CARGO_MANIFEST_DIR"));
    let out = root.join("target/fixtures");
    build_all(&root, &out).unwrap_or_else(|error| panic!("{error:#}"));
    for bits in Bits::ALL {
        let program = out.join(bits.name()).join("leaks.exe");
        let plan = Plan { plat: env!("CARGO_BIN_EXE_plat").into(), program, runs: 100, killed: 5 };
        let report = measure(&plan).unwrap_or_else(|error| panic!("{}: {error:#}", bits.name()));
        assert!(report.left.is_empty(), "{}: {:#?}", bits.name(), report.left);
    }
}
