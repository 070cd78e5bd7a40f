//! Links `plat` at a fixed address, so that its tables of exports need no relocation at every start.
//!
//! A static position-independent program relocates itself before `main`: some 32,000 pointers in 164 pages, each
//! copied and touched, at every start. Position-independent code linked at one high address needs none of it, and the
//! pages stay the page cache's. The C compiler's start file for static programs, `crtbeginT.o`, stands in the way: it
//! has 32-bit absolute addresses and cannot lie above 4 GiB. Its twin for shared objects, `crtbeginS.o`, can, and is
//! given in its place. A small program is linked and run that way first: where that fails, plat is linked as
//! cargo would link it, and only starts more slowly.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the program lies: in the range that the layouts leave to the Linux host, as a position-independent program
/// of Linux's usual place would.
const LINK_ADDRESS: &str = "0x555500000000";

/// Functions that the C library calls if they are part of the program. So far from address 0 a call of an absent one
/// cannot be encoded, so an empty function of the start files stands in for it: calling that is as good as no call.
const CALLED_IF_PRESENT: [&str; 17] = [
    "__call_tls_dtors",
    "__cxa_finalize",
    "__default_pthread_attr_freeres",
    "__glibc_tls_internal_free",
    "__libc_dlerror_result_free",
    "__libpthread_freeres",
    "__malloc_arena_thread_freeres",
    "__mq_notify_fork_subprocess",
    "__nss_action_freeres",
    "__nss_database_fork_prepare_parent",
    "__nss_database_fork_subprocess",
    "__nss_database_freeres",
    "__nss_module_freeres",
    "__pthread_initialize_minimal",
    "__res_thread_freeres",
    "__timer_fork_subprocess",
    "_dl_find_object_init",
];

/// The empty function: position-dependent programs have nothing to do there.
const EMPTY_FUNCTION: &str = "_dl_relocate_static_pie";

/// The linker script that names the stand-ins.
const SCRIPT: &str = "stand-ins.ld";

/// What the trial does: the parts of the C library that call weak functions are in it, and it runs a thread.
const TRIAL: &str = "
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static __thread int local = 1;
static void *run(void *argument) { return local ? argument : 0; }
static void bye(void) { puts(\"done\"); }
int main(void) {
    pthread_t thread;
    void *result = 0;
    atexit(bye);
    pid_t child = fork();
    if (child == 0) _exit(0);
    if (child < 0 || waitpid(child, 0, 0) != child) return 3;
    if (pthread_create(&thread, 0, run, &thread) != 0 || pthread_join(thread, &result) != 0) return 2;
    exit(result == &thread ? 0 : 1);
}
";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=CC");
    let target = std::env::var("TARGET").unwrap_or_default();
    let features = std::env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    let is_static = features.split(',').any(|feature| feature == "crt-static");
    if target != "x86_64-unknown-linux-gnu"
        || !is_static
        || std::env::var("HOST").ok().as_ref() != Some(&target)
    {
        return;
    }
    let folder = std::env::var_os("OUT_DIR").map(PathBuf::from).expect("cargo tells build scripts OUT_DIR");
    let arguments = link_arguments(&folder);
    match place_start_files(&folder).and_then(|()| try_out(&folder, &arguments)) {
        Ok(()) => arguments.iter().for_each(|argument| println!("cargo:rustc-link-arg-bin=plat={argument}")),
        Err(why) => {
            println!("cargo:warning=plat is linked position-independent and starts more slowly: {why}");
        }
    }
}

fn compiler() -> String {
    std::env::var("CC").unwrap_or_else(|_| "cc".to_owned())
}

fn link_arguments(folder: &Path) -> Vec<String> {
    let mut arguments = ["-no-pie", "-static", "-B"].map(str::to_owned).to_vec();
    arguments.push(folder.display().to_string());
    arguments.push(format!("-Wl,--image-base={LINK_ADDRESS}"));
    arguments.push(folder.join(SCRIPT).display().to_string());
    arguments
}

/// Puts into `folder` the shared objects' start file, under the name of the static programs', and the stand-ins.
fn place_start_files(folder: &Path) -> Result<(), String> {
    // PROVIDE defines a name only where nothing else does.
    let script: String =
        CALLED_IF_PRESENT.iter().map(|name| format!("PROVIDE({name} = {EMPTY_FUNCTION});\n")).collect();
    std::fs::write(folder.join(SCRIPT), script).map_err(|error| format!("{SCRIPT}: {error}"))?;
    let output = Command::new(compiler()).arg("-print-file-name=crtbeginS.o").output();
    let output = output.map_err(|error| format!("{} did not start: {error}", compiler()))?;
    let path = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    // The compiler repeats the name when it knows no such file.
    if !path.is_absolute() {
        return Err(format!("{} has no crtbeginS.o", compiler()));
    }
    std::fs::copy(&path, folder.join("crtbeginT.o"))
        .map(drop)
        .map_err(|error| format!("{}: {error}", path.display()))
}

/// Links and runs the trial with the linker that rustc uses.
fn try_out(folder: &Path, arguments: &[String]) -> Result<(), String> {
    let (source, program) = (folder.join("trial.c"), folder.join("trial"));
    std::fs::write(&source, TRIAL).map_err(|error| format!("{}: {error}", source.display()))?;
    let mut command = Command::new(compiler());
    command.args(["-O1", "-fPIC", "-o"]).arg(&program).arg(&source).args(linker_of_rustc()).args(arguments);
    let linked = command.output().map_err(|error| format!("{} did not start: {error}", compiler()))?;
    if !linked.status.success() {
        let complaint = String::from_utf8_lossy(&linked.stderr);
        return Err(format!("the trial does not link: {}", complaint.lines().next().unwrap_or_default()));
    }
    let ran =
        Command::new(&program).output().map_err(|error| format!("the trial does not start: {error}"))?;
    match (ran.status.success(), ran.stdout.as_slice()) {
        (true, b"done\n") => Ok(()),
        _ => Err(format!("the trial failed: {}", ran.status)),
    }
}

/// Returns the arguments by which rustc has the C compiler use its own linker.
fn linker_of_rustc() -> Vec<String> {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let Ok(output) = Command::new(rustc).args(["--print", "sysroot"]).output() else { return Vec::new() };
    let sysroot = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    let folder = sysroot.join("lib/rustlib/x86_64-unknown-linux-gnu/bin/gcc-ld");
    if !folder.exists() {
        return Vec::new();
    }
    vec![format!("-B{}", folder.display()), "-fuse-ld=lld".to_owned()]
}
