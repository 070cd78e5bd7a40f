//! Windows' rules in the books against `plat run`: random memory calls of a guest, every answer and the window after it.
//! `cargo xtask sim-diff --windows` makes longer runs, with `--wine` against Wine.

#[path = "../../../xtask/src/fixtures/mod.rs"]
#[allow(dead_code)] // Recording is used by xtask only.
mod fixtures;
#[path = "../../../xtask/src/sim_windows/mod.rs"]
#[allow(dead_code)] // What is known of Wine is used by xtask only.
mod sim_windows;

use fixtures::build::{Bits, build_all, repository_root};
use sim_windows::{LeftOut, Runner, compare};

#[test]
fn the_guest_finds_what_the_rules_say() {
    let root = repository_root(env!("CARGO_MANIFEST_DIR"));
    let out = root.join("target/fixtures");
    build_all(&root, &out).unwrap_or_else(|error| panic!("{error:#}"));
    let command = vec![env!("CARGO_BIN_EXE_plat").to_owned(), "run".to_owned()];
    for (bits, width) in [(Bits::X64, 64), (Bits::X86, 32)] {
        let runner = Runner { command: command.clone(), known: &[], bits: width, joins: false };
        let program = out.join(bits.name()).join("memory_steps.exe");
        for seed in 1..=2 {
            compare(&runner, &program, seed, 4_000, &mut LeftOut::new())
                .unwrap_or_else(|error| panic!("{width} bits: {error:#}"));
        }
    }
}
