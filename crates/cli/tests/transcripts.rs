//! What plat prints for what is typed (`tests/cmd`), and whether the committed coverage page is current.

use std::path::Path;
use std::process::{Command, Output};

fn plat(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_plat"))
        .current_dir(folder)
        .args(arguments)
        .output()
        .expect("plat starts")
}

/// The transcripts of `tests/cmd`: after a change that is meant, `TRYCMD=overwrite cargo test` writes them anew.
///
/// `wrong-files.in` holds the least that tells each kind; `info.in` a program and its DLL made with mingw-w64.
#[test]
fn transcripts() {
    trycmd::TestCases::new().case("tests/cmd/*.trycmd");
}

#[test]
fn the_coverage_page_is_current() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/coverage.md");
    let output = plat(Path::new("."), &["apis", "--markdown"]);
    let committed = std::fs::read(&page).expect("docs/coverage.md");
    assert!(committed == output.stdout, "docs/coverage.md is old: plat apis --markdown >docs/coverage.md");
}

#[test]
fn every_shell_gets_completions() {
    for shell in ["bash", "zsh", "fish"] {
        let output = plat(Path::new("."), &["completions", shell]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("apis") && text.contains("plat"), "{shell}");
    }
}
