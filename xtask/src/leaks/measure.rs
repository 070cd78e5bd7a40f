//! Runs a small guest many times, kills some of the runs, and looks at what the system still has of them.
//!
//! Key types: [`Plan`], [`Report`].

use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What to run.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The plat to run it with.
    pub(crate) plat: PathBuf,
    /// The guest, `leaks.exe`.
    pub(crate) program: PathBuf,
    /// How many runs in all.
    pub(crate) runs: usize,
    /// How many of them are killed with SIGKILL.
    pub(crate) killed: usize,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// What is left, one line each.
    pub(crate) left: Vec<String>,
    /// How long the runs took.
    pub(crate) took: Duration,
}

/// How long the children of killed runs may take to end.
const GRACE: Duration = Duration::from_secs(10);

/// Runs the guest and looks.
///
/// # Errors
/// When a run fails that was not killed, or cannot be started.
pub(crate) fn measure(plan: &Plan) -> Result<Report> {
    let token = format!("t{}", std::process::id());
    let room = std::env::temp_dir().join(format!("plat-leaks-{token}"));
    for name in ["tmp", "run", "home", "cwd"] {
        fs::create_dir_all(room.join(name)).context("making a directory for the runs")?;
    }
    let plat = fs::canonicalize(&plan.plat).context("finding plat")?;
    // What a first run makes for good (the registry, a cache) is no leak.
    run(plan, &room, &token, false)?;
    let before = traces(&plat, &room, &token);
    let start = Instant::now();
    let every = (plan.runs / plan.killed.max(1)).max(1);
    for index in 0..plan.runs {
        let is_killed = plan.killed > 0 && index % every == every / 2 && index / every < plan.killed;
        run(plan, &room, &token, is_killed).with_context(|| format!("run {index}"))?;
    }
    let took = start.elapsed();
    let end = Instant::now() + GRACE;
    let left = loop {
        let left: Vec<String> = traces(&plat, &room, &token).difference(&before).cloned().collect();
        if left.is_empty() || Instant::now() > end {
            break left;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let _ = fs::remove_dir_all(&room);
    Ok(Report { left, took })
}

fn run(plan: &Plan, room: &Path, token: &str, is_killed: bool) -> Result<()> {
    let mut command = Command::new(&plan.plat);
    command.arg("run").arg(&plan.program).arg(token);
    command.env("TMPDIR", room.join("tmp")).env("TEMP", room.join("tmp")).env("TMP", room.join("tmp"));
    command.env("XDG_RUNTIME_DIR", room.join("run")).env("HOME", room.join("home"));
    for name in ["XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"] {
        command.env_remove(name);
    }
    command.current_dir(room.join("cwd")).stdin(Stdio::null());
    if !is_killed {
        let status = command.status().context("starting plat")?;
        if !status.success() {
            bail!("the guest ended with {status}");
        }
        return Ok(());
    }
    let mut child = command.arg("hang").stdout(Stdio::piped()).spawn().context("starting plat")?;
    let mut line = String::new();
    let read = child.stdout.take().map(|out| BufReader::new(out).read_line(&mut line));
    child.kill().context("killing")?;
    child.wait().context("waiting")?;
    match read {
        Some(Ok(1..)) if line.trim() == "ready" => Ok(()),
        _ => bail!("the guest that was to be killed did not get ready"),
    }
}

/// Lists what the system has of this plat and of these runs.
fn traces(plat: &Path, room: &Path, token: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let numbers = entries(Path::new("/proc")).into_iter().filter(|name| name.parse::<u32>().is_ok());
    for number in numbers {
        let process = Path::new("/proc").join(&number);
        let line = fs::read(process.join("cmdline")).unwrap_or_default();
        let is_ours = String::from_utf8_lossy(&line).contains(token);
        if is_ours && fs::read_link(process.join("exe")).is_ok_and(|exe| exe == plat) {
            found.insert(format!("process {number}"));
        }
    }
    for name in ["tmp", "run", "cwd"] {
        found.extend(entries(&room.join(name)).into_iter().map(|entry| format!("file {name}/{entry}")));
    }
    for directory in ["/dev/shm", "/dev/mqueue"] {
        let ours = entries(Path::new(directory)).into_iter().filter(|name| name.contains("plat"));
        found.extend(ours.map(|entry| format!("file {directory}/{entry}")));
    }
    let is_room = |name: &String| name.contains("plat") && !name.contains(&format!("plat-leaks-{token}"));
    let temporary = entries(&std::env::temp_dir()).into_iter().filter(is_room);
    found
        .extend(temporary.filter(|name| name.contains(token)).map(|entry| format!("temporary file {entry}")));
    let sockets = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    let sockets = sockets.lines().filter_map(|line| line.split_once("@plat/")).map(|(_, name)| name);
    let is_ours = |name: &&str| name.to_lowercase().contains(&token.to_lowercase());
    found.extend(sockets.clone().filter(is_ours).map(|name| format!("socket {name}")));
    let owner = |name: &str| name.split_once("process/").map(|(_, number)| number.to_owned());
    let is_orphan = |number: &String| !Path::new("/proc").join(number).exists();
    found.extend(sockets.filter_map(owner).filter(is_orphan).map(|name| format!("socket of process {name}")));
    let memory = fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default();
    found.extend(memory.lines().skip(1).map(|line| format!("System V memory {line}")));
    found.extend(locks(room));
    found
}

/// Lists the locks of files in the room.
fn locks(room: &Path) -> Vec<String> {
    use std::os::unix::fs::MetadataExt;
    let all = fs::read_to_string("/proc/locks").unwrap_or_default();
    let files = entries(&room.join("tmp")).into_iter().map(|name| room.join("tmp").join(name));
    let inodes = files.filter_map(|file| Some(format!(":{} ", fs::metadata(file).ok()?.ino())));
    let held = inodes.filter(|inode| all.contains(inode.as_str()));
    held.map(|inode| format!("lock of inode {inode}")).collect()
}

fn entries(directory: &Path) -> Vec<String> {
    let listed = fs::read_dir(directory).into_iter().flatten().flatten();
    listed.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
