//! Programs built for Cygwin, fork included, from the tree in the npm package `esy-bash` (Cygwin 3.0.7). It is large: the
//! tests run where `cargo xtask corpus fetch esy-bash` has brought it into `.cache/`, and say so where it has not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What is copied of the tree: the shell, its tools, and the libraries that they need.
const PROGRAMS: [&str; 10] = ["ls", "cat", "sort", "wc", "sed", "echo", "true", "false", "dash", "xargs"];

/// A small Cygwin of its own: `bin` with the programs, `etc/fstab`, `tmp`.
struct Tree {
    root: tempfile::TempDir,
}

impl Tree {
    /// Copies what is needed; nothing where the package is not there.
    fn new() -> Option<Self> {
        let package =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.cache/esy-bash-0.3.20/package/.cygwin");
        if !package.is_dir() {
            eprintln!(
                "skipped: esy-bash is not in .cache/; `cargo xtask corpus fetch esy-bash` brings it (172 MB)"
            );
            return None;
        }
        let tree = Self { root: tempfile::tempdir().expect("a temporary directory") };
        for folder in ["bin", "etc", "tmp"] {
            fs::create_dir(tree.path(folder)).expect("a folder");
        }
        let bin = fs::read_dir(package.join("bin")).expect("bin");
        for entry in bin.map(|entry| entry.expect("an entry")) {
            let name = entry.file_name().into_string().expect("a name in ASCII");
            let is_program = PROGRAMS.iter().any(|program| name == format!("{program}.exe"));
            if is_program || name.starts_with("cyg") && name.ends_with(".dll") {
                fs::copy(entry.path(), tree.path("bin").join(name)).expect("a copy");
            }
        }
        // The package keeps files with several names apart.
        fs::copy(package.join("_links/bin_s_ash.exe"), tree.path("bin/sh.exe")).expect("sh");
        fs::write(tree.path("etc/fstab"), "none /cygdrive cygdrive binary,noacl,posix=0,user 0 0\n")
            .expect("fstab");
        Some(tree)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Runs a program in `tmp`.
    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plat"));
        command.arg("run").arg(self.path("bin").join(program)).args(arguments);
        command.current_dir(self.path("tmp")).env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
        command.output().expect("plat starts")
    }

    /// Runs a line of the shell; it must succeed.
    fn shell(&self, line: &str) -> String {
        let output = self.run("sh.exe", &["-c", &format!("PATH=/usr/bin:/bin; {line}")]);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}: {}: {errors}", output.status);
        String::from_utf8(output.stdout).expect("UTF-8")
    }
}

#[test]
fn a_program_of_cygwins_lists_a_directory() {
    let Some(tree) = Tree::new() else { return };
    for name in ["b", "a", "C"] {
        fs::write(tree.path("tmp").join(name), name).expect("a file");
    }
    let output = tree.run("ls.exe", &[]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "C\na\nb\n", "{output:?}");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(tree.run("false.exe", &[]).status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&tree.run("cat.exe", &["a", "C"]).stdout), "aC");
}

#[test]
fn the_shell_forks_and_runs_pipelines() {
    let Some(tree) = Tree::new() else { return };
    assert_eq!(tree.shell("echo one; (echo two; exit 3); echo $?"), "one\ntwo\n3\n");
    assert_eq!(tree.shell("printf 'b\\na\\nc\\n' | sort | sed s/a/A/"), "A\nb\nc\n");
    assert_eq!(tree.shell("x=$(echo in a child); echo \"[$x]\""), "[in a child]\n");
    assert_eq!(tree.shell("for i in 1 2 3 4 5; do (exit $i) || echo $?; done"), "1\n2\n3\n4\n5\n");
    assert_eq!(tree.shell("true & wait $!; echo $?"), "0\n");
    assert_eq!(tree.shell("echo a b c | xargs -n 1 echo"), "a\nb\nc\n");
}
