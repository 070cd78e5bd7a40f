//! Nothing is left behind: no process, no socket, no file, whoever was killed in between.

#[path = "../../../xtask/src/fixtures/mod.rs"]
#[allow(dead_code)] // Recording is used by xtask only.
mod fixtures;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use fixtures::build::{build_all, repository_root};

const RUNS: usize = 200;

/// Copies a guest program into a directory of its own, by whose name its processes are known.
fn program(directory: &Path, name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let out = BUILT.get_or_init(|| {
        let root = repository_root(env!("CARGO_MANIFEST_DIR"));
        let out = root.join("target/fixtures");
        build_all(&root, &out).unwrap_or_else(|error| panic!("{error:#}"));
        out
    });
    let copy = directory.join(format!("{name}.exe"));
    std::fs::copy(out.join("x64").join(format!("{name}.exe")), &copy).expect("the fixture is built");
    copy
}

fn start(program: &Path, arguments: &[&str], directory: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plat"));
    command.arg("run").arg(program).args(arguments).current_dir(directory);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().expect("plat starts")
}

/// Returns the numbers of processes whose arguments name the directory; those that only wait to be taken note of by
/// their parent have no arguments any more.
fn processes_of(directory: &Path) -> Vec<u32> {
    let wanted = directory.to_string_lossy().into_owned();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("/proc").flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&line).contains(&wanted) {
            found.push(id);
        }
    }
    found
}

fn wait_until_gone(directory: &Path) -> Vec<u32> {
    let begin = Instant::now();
    loop {
        let left = processes_of(directory);
        if left.is_empty() || begin.elapsed() > Duration::from_secs(20) {
            return left;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Returns the names at which processes listen that do not run any more.
fn stale_names() -> Vec<String> {
    let text = std::fs::read_to_string("/proc/net/unix").expect("/proc/net/unix");
    let names = text
        .lines()
        .filter_map(|line| line.split_whitespace().nth(7))
        .filter(|name| name.starts_with("@plat/"));
    let is_stale = |name: &&str| {
        let owner = name.split("/process/").nth(1).and_then(|id| id.parse::<u32>().ok());
        owner.is_some_and(|id| !Path::new(&format!("/proc/{id}")).exists())
    };
    names.filter(is_stale).map(String::from).collect()
}

#[test]
fn many_runs_leave_nothing_behind() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let program = program(directory.path(), "process");
    for run in 0..RUNS {
        let mut child = start(&program, &["child", "nested", "2"], directory.path());
        if run % 10 == 0 {
            std::thread::sleep(Duration::from_millis(run as u64 % 40));
            child.kill().expect("it can be killed");
        }
        let mut text = String::new();
        child.stdout.take().expect("piped").read_to_string(&mut text).expect("text");
        let status = child.wait().expect("it ends");
        assert!(
            run % 10 == 0 || (status.code() == Some(2) && text.contains("level 0")),
            "{run}: {status}: {text}"
        );
    }
    assert_eq!(wait_until_gone(directory.path()), [0; 0], "processes are left");
    assert_eq!(stale_names(), [""; 0], "names are left");
    let left: Vec<_> = std::fs::read_dir(directory.path()).expect("it is there").flatten().collect();
    assert_eq!(left.len(), 1, "files are left: {left:?}");
}

#[test]
fn a_job_ends_with_the_process_that_has_it() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let program = program(directory.path(), "remote");
    let mut child = start(&program, &["holdjob"], directory.path());
    let mut line = [0; 5];
    child.stdout.as_mut().expect("piped").read_exact(&mut line).expect("it says that it is ready");
    assert_eq!(&line, b"ready");
    assert_eq!(processes_of(directory.path()).len(), 2, "it and its child");
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    assert_eq!(wait_until_gone(directory.path()), [0; 0], "the child is left");
}
