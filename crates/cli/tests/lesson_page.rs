//! The HTML pages of lessons in a real browser: `lesson_page/check.mjs` steps forwards and back, answers every question,
//! and compares the walks that a page draws with the simulator's. Needs Chromium, Node and playwright-core: without them
//! the test fails, it does not skip; ./test brings all three.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What to do when something is missing.
const ADVICE: &str =
    "./test installs it; by hand: apt-get install chromium nodejs, cargo xtask corpus fetch playwright-core";

/// Finds a program of one of these names on PATH.
fn program(names: &[&str]) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    let found = names.iter().find_map(|name| folders.iter().map(|it| it.join(name)).find(|it| it.is_file()));
    found.unwrap_or_else(|| panic!("no {} on PATH: {ADVICE}", names.join(", ")))
}

fn plat(arguments: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_plat")).args(arguments).output().expect("plat starts");
    assert!(output.status.success(), "plat {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn pages_work_in_a_browser() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let chromium = program(&["chromium", "chromium-browser", "google-chrome"]);
    let node = program(&["node", "nodejs"]);
    let playwright = root.join(".cache/playwright-core-1.65.1/package");
    assert!(playwright.is_dir(), "playwright-core is not in .cache: {ADVICE}");
    let folder = tempfile::tempdir().expect("a temporary directory");
    for number in 1..=plat_sim::lesson::Lesson::count() {
        let number = number.to_string();
        let file = |ending: &str| folder.path().join(format!("{number}.{ending}")).display().to_string();
        plat(&["sim", "lesson", &number, "--html", "-o", &file("html")]);
        plat(&["sim", "lesson", &number, "--solve", "--format", "json", "-o", &file("json")]);
    }
    // An exercise is a page of the same kind.
    let quiz = ["sim", "quiz", "--seed", "7", "--topic", "fork", "-o"];
    let file = |ending: &str| folder.path().join(format!("100.{ending}")).display().to_string();
    plat(&[&quiz[..], &[file("html").as_str(), "--html"]].concat());
    plat(&[&quiz[..], &[file("json").as_str(), "--solve", "--format", "json"]].concat());
    let output = Command::new(node)
        .arg(root.join("crates/cli/tests/lesson_page/check.mjs"))
        .args([playwright.as_path(), &chromium, folder.path()])
        .output()
        .expect("node starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{said}");
    assert!(text.contains(" 0 failed"), "{text}{said}");
}
