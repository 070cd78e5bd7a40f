//! `cargo xtask bench`: start-up, calls and 7-Zip's compression under plat, beside the same natively and under whatever
//! peers are installed. One run, one table, each row with its target.

mod peer_inputs;
mod peers;
mod rebase;
mod rebase_plan;
mod regions;

use crate::fixtures::build::{Bits, build_all};
use crate::{corpus, root, run};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const HELLO_RUNS: usize = 200;
const HELLO_ABOVE_NATIVE_MS_MAX: f64 = 1.5;
const COMPRESS_PERCENT_MAX: f64 = 3.0;
/// Per-call targets in nanoseconds: the line of the `bench` fixture, for 64 and for 32 bits. GetACP does nothing but
/// cross the gate.
const CALL_TARGETS: &[(&str, f64, f64)] = &[
    ("GetLastError", 2.0, 3.0),
    ("GetCurrentThreadId", 15.0, 75.0),
    ("GetACP", 15.0, 75.0),
    ("HeapAllocFree64", 40.0, 40.0),
    ("SetEventWait", 100.0, 100.0),
    ("VirtualAllocFree", 1500.0, 1500.0),
    ("CreateFileClose", 2500.0, 2500.0),
];

/// Measures everything, or one thing alone (`corpus`, `regions`, `rebase`, `rebase-plan`); `--quick` takes fewer runs and a small tree.
pub(crate) fn bench(arguments: &[String]) -> Result<()> {
    match arguments.first().map(String::as_str) {
        Some("corpus") => return peers::corpus(&arguments[1..]),
        Some("regions") => return regions::bench(&arguments[1..]),
        Some("rebase") => return rebase::rebase(&arguments[1..]),
        Some("rebase-plan") => match rebase_plan::planning()? {
            0 => return Ok(()),
            missed => bail!("{missed} targets missed"),
        },
        _ => {}
    }
    let quick = arguments.iter().any(|a| a == "--quick");
    let plat = build_plat()?;
    let out = root().join("target/fixtures");
    build_all(&root(), &out)?;
    let mut missed = 0;
    missed += hello(&plat, &out, if quick { 20 } else { HELLO_RUNS })?;
    missed += calls(&plat, &out)?;
    missed += compression(&plat, if quick { 6 << 20 } else { 60 << 20 })?;
    println!("{missed} targets missed");
    if missed > 0 { bail!("{missed} targets missed") } else { Ok(()) }
}

pub(crate) fn build_plat() -> Result<PathBuf> {
    let mut command = Command::new("cargo");
    command.args(["build", "--release", "--package", "plat-cli"]).current_dir(root());
    run(command)?;
    Ok(root().join("target/x86_64-unknown-linux-gnu/release/plat"))
}

/// Prints one row and returns 1 when its target is missed. `target` is the largest good value.
fn row(name: &str, value: f64, unit: &str, target: Option<f64>) -> usize {
    let verdict = match target {
        None => String::new(),
        Some(max) => format!("at most {max} {unit}: {}", if value <= max { "PASS" } else { "FAIL" }),
    };
    println!("{name:<44} {value:>10.2} {unit:<4} {verdict}");
    usize::from(target.is_some_and(|max| value > max))
}

/// Returns the median time from start to exit, in milliseconds; output is thrown away.
fn start_to_exit_ms(command: &[&str], runs: usize) -> Result<f64> {
    let mut times: Vec<Duration> = Vec::with_capacity(runs);
    for _ in 0..runs {
        let mut process = Command::new(command[0]);
        process.args(&command[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        let status = process.status().with_context(|| format!("starting {}", command[0]))?;
        times.push(start.elapsed());
        if status.code().is_none_or(|code| code > 2) {
            bail!("{command:?}: {status}");
        }
    }
    times.sort();
    Ok(times[times.len() / 2].as_secs_f64() * 1e3)
}

/// Fails unless the program prints its greeting: a program that ends at once would win every race.
fn says_hello(command: &[&str]) -> Result<()> {
    let output = Command::new(command[0]).args(&command[1..]).output()?;
    if !output.stdout.starts_with(b"hello, ") {
        bail!("{command:?} printed no greeting:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

fn hello(plat: &Path, out: &Path, runs: usize) -> Result<usize> {
    println!("Start to exit of hello, median of {runs}:");
    let native = out.join("native_hello");
    let mut command = Command::new("gcc");
    command.args(["-O1", "-o"]).arg(&native).arg(root().join("fixtures/src/native_hello.c"));
    run(command)?;
    let native_ms = start_to_exit_ms(&[&native.to_string_lossy()], runs)?;
    row("  Linux C hello", native_ms, "ms", None);
    let plat = plat.to_string_lossy();
    let mut missed = 0;
    for bits in Bits::ALL {
        let exe = out.join(bits.name()).join("hello.exe").to_string_lossy().into_owned();
        says_hello(&[&plat, "run", &exe])?;
        let ms = start_to_exit_ms(&[&plat, "run", &exe], runs)?;
        row(&format!("  plat, {}", bits.name()), ms, "ms", None);
        let label = format!("  plat, {}, above native", bits.name());
        missed += row(&label, ms - native_ms, "ms", Some(HELLO_ABOVE_NATIVE_MS_MAX));
        peer("wibo", &exe, runs, bits);
    }
    wine(out, runs.min(20));
    Ok(missed)
}

fn on_path(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|d| d.join(program).is_file()))
}

fn peer(program: &str, exe: &str, runs: usize, bits: Bits) {
    if !on_path(program) {
        return;
    }
    match start_to_exit_ms(&[program, exe], runs) {
        Ok(ms) => drop(row(&format!("  {program}, {}", bits.name()), ms, "ms", None)),
        Err(error) => println!("  {program}, {}: {error:#}", bits.name()),
    }
}

/// Wine with its server running, and with the server ended before each start. Uses the user's own prefix.
fn wine(out: &Path, runs: usize) {
    let Some(program) = ["wine64", "wine"].into_iter().find(|p| on_path(p)) else { return };
    let exe = out.join("x64/hello.exe").to_string_lossy().into_owned();
    let end_server = || drop(Command::new("wineserver").args(["-k", "-w"]).stderr(Stdio::null()).status());
    let cold = (0..3).map(|_| {
        end_server();
        start_to_exit_ms(&[program, &exe], 1)
    });
    match cold.collect::<Result<Vec<f64>>>() {
        Ok(mut times) => {
            times.sort_by(f64::total_cmp);
            row("  wine, x64, cold", times[1], "ms", None);
        }
        Err(error) => return println!("  wine: {error:#}"),
    }
    if let Ok(ms) = start_to_exit_ms(&[program, &exe], runs) {
        row("  wine, x64, warm", ms, "ms", None);
    }
    end_server();
}

fn calls(plat: &Path, out: &Path) -> Result<usize> {
    let mut missed = 0;
    for bits in Bits::ALL {
        println!("Calls of a guest, {}:", bits.name());
        let output = Command::new(plat).arg("run").arg(out.join(bits.name()).join("bench.exe")).output()?;
        if !output.status.success() {
            bail!(
                "bench.exe, {}: {}\n{}",
                bits.name(),
                output.status,
                String::from_utf8_lossy(&output.stderr)
            );
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let lacks = |name: &str| !text.lines().any(|line| line.starts_with(&format!("{name} ")));
        if let Some((name, _, _)) = CALL_TARGETS.iter().find(|(name, _, _)| lacks(name)) {
            bail!("bench.exe, {}: no line for {name} in:\n{text}", bits.name());
        }
        for line in text.lines() {
            let (name, ns) = line.split_once(' ').with_context(|| format!("not a measurement: {line}"))?;
            let target = CALL_TARGETS.iter().find(|(n, _, _)| *n == name);
            let target = target.map(|(_, x64, x86)| if bits == Bits::X64 { *x64 } else { *x86 });
            missed += row(&format!("  {name}"), ns.trim().parse().context(line.to_string())?, "ns", target);
        }
    }
    Ok(missed)
}

fn compression(plat: &Path, bytes: usize) -> Result<usize> {
    let package = corpus::seven_zip()?.join("package");
    let work = root().join("target/bench");
    let _ = fs::remove_dir_all(&work);
    make_tree(&work.join("tree"), bytes)?;
    let mut missed = 0;
    for threads in ["-mmt=1", "-mmt=2"] {
        println!("7za a -mx5 {threads} on {} MiB, user time, best of 3:", bytes >> 20);
        for (bits, folder) in [(Bits::X64, "x64"), (Bits::X86, "ia32")] {
            let linux = package.join("linux").join(folder).join("7za");
            make_executable(&linux)?;
            let windows = package.join("win").join(folder).join("7za.exe");
            missed += compare_compression(plat, &linux, &windows, bits, threads, &work)?;
        }
    }
    Ok(missed)
}

fn compare_compression(
    plat: &Path,
    linux: &Path,
    windows: &Path,
    bits: Bits,
    threads: &str,
    work: &Path,
) -> Result<usize> {
    let linux = linux.to_string_lossy();
    let runner = [&*plat.to_string_lossy(), "run", &windows.to_string_lossy()];
    // The 32-bit Linux build needs 32-bit libraries, which most machines lack; then there is nothing to compare with.
    let comparable = Command::new(&*linux).stdout(Stdio::null()).status().is_ok();
    let (mut native, mut under_plat) = (f64::MAX, f64::MAX);
    // By turns, so that what else the machine does hits both alike.
    for _ in 0..3 {
        if comparable {
            native = native.min(compress_user_s(&[&linux], threads, work)?);
        }
        under_plat = under_plat.min(compress_user_s(&runner, threads, work)?);
    }
    row(&format!("  Windows 7za 21.07 under plat, {}", bits.name()), under_plat, "s", None);
    if !comparable {
        println!("  Linux 7za, {}: does not start here; no comparison", bits.name());
        return Ok(0);
    }
    row(&format!("  Linux 7za (p7zip 16.02), {}", bits.name()), native, "s", None);
    let more = (under_plat / native - 1.0) * 100.0;
    Ok(row(&format!("  more, {}", bits.name()), more, "%", Some(COMPRESS_PERCENT_MAX)))
}

/// npm packages keep no permission to execute, so it is given here.
fn make_executable(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).with_context(|| path.display().to_string())
}

/// Returns the user time of one compression in seconds, from the kernel's account of ended children.
fn compress_user_s(runner: &[&str], threads: &str, work: &Path) -> Result<f64> {
    let _ = fs::remove_file(work.join("o.7z"));
    let mut command = Command::new(runner[0]);
    command
        .args(&runner[1..])
        .args(["a", "-mx5", threads, "-bso0", "-bsp0", "o.7z", "tree"])
        .current_dir(work);
    let before = children_user_s()?;
    run(command)?;
    if !work.join("o.7z").exists() {
        bail!("{runner:?} ended well but left no archive");
    }
    Ok(children_user_s()? - before)
}

/// Reads `cutime`, the user time of all ended children, in ticks of 10 ms. Source: proc_pid_stat(5), field 16.
fn children_user_s() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat").context("/proc/self/stat")?;
    let after_name = stat.rsplit_once(')').context("/proc/self/stat has no name")?.1;
    let ticks = after_name.split_whitespace().nth(13).context("/proc/self/stat is short")?;
    Ok(ticks.parse::<f64>().context("cutime")? / 100.0)
}

/// Writes a tree of text-like and random files, the same bytes every time.
fn make_tree(tree: &Path, bytes: usize) -> Result<()> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let words: Vec<String> = (0..4000).map(|_| format!("{:x} ", next() >> (36 + next() % 20))).collect();
    for index in 0..60 {
        let mut file = Vec::with_capacity(bytes / 60 + 8);
        while file.len() < bytes / 60 {
            if index % 10 == 9 {
                file.extend(next().to_le_bytes());
            } else {
                let pick = (next() % 4000).min(next() % 4000) as usize;
                file.extend(words[pick].as_bytes());
            }
        }
        let folder = tree.join(format!("d{}", index % 7));
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        fs::write(folder.join(format!("f{index}.txt")), file)?;
    }
    Ok(())
}
