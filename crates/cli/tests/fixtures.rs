//! Runs every guest program of `fixtures/` with `plat run`, in both bitnesses, and compares what it printed and its
//! exit code with `fixtures/expect/`. Needs mingw-w64: without it the tests fail, they do not skip.

#[path = "../../../xtask/src/fixtures/mod.rs"]
#[allow(dead_code)] // Recording is used by xtask only.
mod fixtures;

use fixtures::build::{Bits, build_all, repository_root};
use fixtures::cases;
use std::path::PathBuf;
use std::sync::OnceLock;

/// Builds the guests once for all tests of this file and returns where they are.
fn programs() -> &'static PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let root = repository_root(env!("CARGO_MANIFEST_DIR"));
        let out = root.join("target/fixtures");
        build_all(&root, &out).unwrap_or_else(|error| panic!("{error:#}"));
        out
    })
}

/// Runs all cases of the fixture `name` in a fresh directory each and fails with all differences at once.
fn check(name: &str, bits: Bits) {
    let programs = programs().join(bits.name());
    let expect = repository_root(env!("CARGO_MANIFEST_DIR")).join("fixtures/expect");
    let runner = [env!("CARGO_BIN_EXE_plat").to_string(), "run".to_string()];
    let mut report = String::new();
    for case in cases::load(&expect, name, bits).unwrap_or_else(|error| panic!("{error:#}")) {
        assert!(case.exit.is_some(), "{name}: a case is not recorded: {}", case.title);
        let cwd = tempfile::tempdir().expect("a temporary directory");
        let output =
            cases::run_case(&case, &runner, &programs, cwd.path()).unwrap_or_else(|e| panic!("{e:#}"));
        report.extend(cases::difference(&case, &output));
    }
    assert!(report.is_empty(), "{name}, {}:\n{report}", bits.name());
}

macro_rules! fixtures {
    ($($name:ident)*) => {
        mod x64 {
            $(#[test] fn $name() { super::check(stringify!($name), super::Bits::X64); })*
        }
        mod x86 {
            $(#[test] fn $name() { super::check(stringify!($name), super::Bits::X86); })*
        }
        /// The names of the tests above.
        const TESTED: &[&str] = &[$(stringify!($name)),*];
    };
}

fixtures! {
    raw_hello hello fiber_slots cxx_classes old_runtimes machine_facts nt_runtime args process pipes remote named_objects script env files find codepages memory guard heap
    heap_threads events tls threads crash veh eh dll console time sysinfo jump modules load_images ctrl overlapped
    resources pool threadpool fpstate retry suspend fibers crt_files crt_math crt_printf crt_text ucrt_files
    ucrt_math nls_format nls_compare version_info update_resource ucrt_printf ucrt_text sockets sockets_async
    changes eh_packed msvcp wic sids tokens acls registry cpp_wide cpp_satellites locales crt_locale
    ucrt_locale crt_variants ucrt_variants afd network windows shell tools hashes capi crypt_strings
    certificates pfx http_client async_select directory pathcch heap_native heap_execute function_tables store_keys ro_types fenv chains objects hot runtimes
    registry_native devices urls
    placeholders time_zones notifications native_calls
    profile atoms ioinfo refusals allocator nt_objects extras url_parts variants counters timers
    same_names child_tokens locking interpreter_jobs turns load_race stdio_threads pipe_races pipe_servers
    desktop_data multimedia_files shell_items geography assemblies memory_advice closed_streams
    ucrt_closed_streams
    current_directory file_locks value_formats safe_arrays messages components many_threads
    file_replacement activation_contexts process_questions unnamed_values alerts
    startup_faults thread_beginnings barriers crt_threads
}

#[test]
fn every_expectation_has_its_test() {
    let expect = repository_root(env!("CARGO_MANIFEST_DIR")).join("fixtures/expect");
    for entry in std::fs::read_dir(expect).expect("fixtures/expect") {
        let file = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        let name = file.split('.').next().expect("split gives at least one part");
        assert!(TESTED.contains(&name), "fixtures/expect/{file} is tested by nothing");
    }
}

/// When a program ends, the books of the address space and the kernel's maps say the same.
#[test]
fn books_and_kernel_agree() {
    for bits in [Bits::X64, Bits::X86] {
        for name in ["hello", "memory", "guard", "threads", "heap", "tls", "dll", "modules", "eh"] {
            let program = programs().join(bits.name()).join(name).with_extension("exe");
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_plat"));
            let output = command.arg("run").arg("--verify").arg(&program).output().expect("plat starts");
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(errors.contains("verify: no difference"), "{name}, {}: {errors}", bits.name());
        }
    }
}

/// `--trace loader` says which function a program looked for in vain.
#[test]
fn the_trace_names_functions_that_are_not_there() {
    let program = programs().join("x64/modules.exe");
    let cwd = tempfile::tempdir().expect("a temporary directory");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_plat"));
    command.args(["run", "--trace", "loader"]).arg(&program).current_dir(cwd.path());
    let errors = command.output().expect("plat starts").stderr;
    let errors = String::from_utf8_lossy(&errors);
    assert!(errors.contains("loader: GetProcAddress: kernel32.dll has no NoSuchFunction\n"), "{errors}");
}

/// A program that ends badly is told which of its DLLs were nowhere: what it reads of them by itself is null.
#[test]
fn a_crash_names_the_dlls_that_are_not_there() {
    for bits in [Bits::X64, Bits::X86] {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let alone = folder.path().join("dll.exe");
        std::fs::copy(programs().join(bits.name()).join("dll.exe"), &alone).expect("a copy");
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_plat"));
        let errors = command.arg("run").arg(&alone).output().expect("plat starts").stderr;
        let errors = String::from_utf8_lossy(&errors);
        assert!(errors.contains("dll_one.dll, from which dll.exe imports, is nowhere"), "{errors}");
    }
}

/// Signals from outside become the console's events, one after the other, and the program ends by itself.
#[test]
fn signals_reach_the_handlers() {
    use std::io::{BufRead as _, BufReader};
    for bits in [Bits::X64, Bits::X86] {
        let program = programs().join(bits.name()).join("ctrl.exe");
        // A test that runs in the background of a shell would hand an ignored SIGINT on.
        let mut command = std::process::Command::new("env");
        command.arg("--default-signal=INT,TERM,HUP");
        command.arg(env!("CARGO_BIN_EXE_plat"));
        command.arg("run").arg(&program).args(["wait", "2"]).stdout(std::process::Stdio::piped());
        let mut child = command.spawn().expect("plat starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut next = || lines.next().map(|line| line.expect("text")).unwrap_or_default();
        assert_eq!(next(), "ready");
        for (signal, event) in [("INT", 0), ("TERM", 1)] {
            let sent =
                std::process::Command::new("kill").args(["-s", signal, &child.id().to_string()]).status();
            assert!(sent.expect("kill starts").success());
            assert_eq!(next(), format!("first: event {event}, on a thread of its own: 1"));
        }
        assert_eq!(next(), "done");
        assert_eq!(child.wait().expect("it ends").code(), Some(7));
    }
}

/// What the system says of the address space follows the layout.
#[test]
fn address_limits_follow_the_layout() {
    let layouts = [
        (Bits::X86, "win32", "7ffeffff"),
        (Bits::X86, "win32-3gb", "bffeffff"),
        (Bits::X86, "win32-4gb", "fffeffff"),
        (Bits::X64, "win64", "7ffffffeffff"),
    ];
    for (bits, layout, highest) in layouts {
        let program = programs().join(bits.name()).join("sysinfo.exe");
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_plat"));
        let output = command.args(["run", "--layout", layout]).arg(&program).arg("limits").output();
        let text = fixtures::cases::plain(&output.expect("plat starts").stdout);
        assert_eq!(text, format!("highest: 0x{highest}\nall of it: 1\n"), "{layout}");
    }
}
