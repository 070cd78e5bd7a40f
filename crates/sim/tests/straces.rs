//! Recordings of real programs, replayed: every result, every recorded map, line by line.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;

use plat_sim::cache::FileContents;
use plat_sim::script::{Checkpoint, Outside, Replay};
use plat_sim::structures::{Operation, experiment};
use plat_sim::{Bases, Config, Exec, Machine};

/// The files of a recording: sizes, and the headers of those that are executed.
#[derive(Default)]
struct Recorded {
    files: BTreeMap<String, FileContents>,
    links: BTreeMap<String, String>,
}

impl Outside for Recorded {
    fn file(&mut self, path: &str) -> Option<FileContents> {
        self.files.get(self.links.get(path).map_or(path, String::as_str)).cloned()
    }
}

fn read(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/straces").join(name);
    let packed = path.with_file_name(format!("{name}.gz"));
    let mut text = String::new();
    let read = match std::fs::File::open(&packed) {
        Ok(file) => flate2::read::GzDecoder::new(file).read_to_string(&mut text),
        Err(_) => std::fs::File::open(&path).and_then(|mut file| file.read_to_string(&mut text)),
    };
    read.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text
}

fn files(text: &str) -> Recorded {
    let mut recorded = Recorded::default();
    for line in text.lines() {
        if let Some((link, target)) = line.split_once(" -> ") {
            recorded.links.insert(link.to_owned(), target.to_owned());
            continue;
        }
        let mut words = line.split(' ');
        let (Some(path), Some(size)) = (words.next(), words.next()) else { continue };
        let digits = words.next().unwrap_or_default();
        let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal");
        let bytes: Arc<[u8]> = (0..digits.len()).step_by(2).map(byte).collect();
        let contents = FileContents { path: path.to_owned(), size: size.parse().expect("a size"), bytes };
        recorded.files.insert(path.to_owned(), contents);
    }
    recorded
}

fn replay(name: &str) -> Replay {
    let checkpoints = Checkpoint::parse_all(&read(&format!("{name}.maps"))).expect("well-formed");
    let mut replay = Replay::new(Config::default(), checkpoints);
    let mut files = files(&read(&format!("{name}.files")));
    replay.run(&read(&format!("{name}.strace")), &mut files).expect(name);
    replay
}

/// Replays a recording; `refused_touches` is how often the kernel found that a call's memory may not be touched.
fn check(name: &str, refused_touches: usize) {
    let replay = replay(name);
    assert_eq!(replay.differences, [], "{name}: results that differ");
    for at in replay.checkpoints() {
        let when = if at.at_exec { "exec" } else { "exit" };
        assert_eq!(at.differing.as_deref(), Some(&[][..]), "{name}: process {} at {when}", at.pid);
    }
    assert_eq!(replay.refused_faults, 0, "{name}: faults that the model answers with a signal");
    assert_eq!(replay.refused_touches, refused_touches, "{name}: calls that fail with EFAULT");
    replay.machine.check().expect("every frame is accounted for");
}

#[test]
fn bash_ends_with_the_recorded_maps() {
    check("bash", 0);
}

#[test]
fn bash_with_random_addresses_ends_with_the_recorded_maps() {
    check("bash-aslr", 0);
}

#[test]
fn python_ends_with_the_recorded_maps() {
    check("python3", 0);
}

#[test]
fn gcc_and_all_that_it_starts_end_with_the_recorded_maps() {
    check("gcc", 0);
}

#[test]
fn a_chromium_start_with_all_its_processes_and_threads_ends_with_the_recorded_maps() {
    // Chromium looks whether it has made two pages read-only by having prlimit64 write there, which fails with EFAULT.
    check("chromium", 52);
}

#[test]
fn exec_alone_makes_the_recorded_maps() {
    for (name, path) in [("bash", "/usr/bin/bash"), ("python3", "/usr/bin/python3"), ("gcc", "/usr/bin/gcc")]
    {
        let mut files = files(&read(&format!("{name}.files")));
        let recorded = Checkpoint::parse_all(&read(&format!("{name}.maps"))).expect("well-formed");
        let mut machine = Machine::new(Config::default());
        for path in [path, "/lib64/ld-linux-x86-64.so.2"] {
            let contents = files.file(path).expect("recorded");
            machine.cache.add_link(path, &contents.path);
            machine.cache.add_file(contents);
        }
        let pid = machine.spawn(name).expect("memory");
        let (path, arguments, environment) = (path.to_owned(), vec![path.to_owned()], Vec::new());
        machine.exec(pid, &Exec { path, arguments, environment, bases: Bases::default() }).expect(name);
        assert_eq!(machine.maps_lines(pid), recorded[0].lines, "{name}");
    }
}

#[test]
fn a_trace_without_maps_tells_its_random_bases() {
    let mut replay = Replay::new(Config::default(), Vec::new());
    replay.run(&read("bash-aslr.strace"), &mut files(&read("bash-aslr.files"))).expect("replayed");
    assert_eq!((replay.differences, replay.equal), (vec![], 37));
}

/// Replays lines; returns it with nothing that differs.
fn replay_lines(lines: &[&str]) -> Replay {
    let mut replay = Replay::new(Config::default(), Vec::new());
    replay.run(&lines.join("\n"), &mut files(&read("bash.files"))).expect("replayed");
    assert_eq!(replay.differences, []);
    replay
}

#[test]
fn a_script_starts_its_interpreter() {
    let mut files = files(&read("bash.files"));
    let mut script = |path: &str, first: &str| {
        let bytes = first.as_bytes().into();
        let contents = FileContents { path: path.to_owned(), size: first.len() as u64, bytes };
        files.files.insert(path.to_owned(), contents);
    };
    script("/s/inner", "#!/usr/bin/bash\t-e \nexit 3\n");
    script("/s/outer", "#! /s/inner\n");
    let mut replay = Replay::new(Config::default(), Vec::new());
    replay.run("7 execve(\"/s/outer\", [\"outer\", \"x\"], 0x1) = 0", &mut files).expect("replayed");
    let maps = replay.machine.maps_lines(7);
    assert!(maps[0].ends_with(" /usr/bin/bash"), "{}", maps[0]);
}

#[test]
fn names_follow_what_the_trace_does_to_files() {
    let replay = replay_lines(&[
        r#"7 openat(AT_FDCWD</>, "/t/one", O_RDWR|O_CREAT, 0600) = 3</t/one>"#,
        "7 mmap(0x10000000, 4096, PROT_READ, MAP_SHARED|MAP_FIXED, 3</t/one>, 0) = 0x10000000",
        r#"7 openat(AT_FDCWD</>, "/t/two", O_RDWR|O_CREAT, 0600) = 4</t/two>"#,
        "7 mmap(0x20000000, 4096, PROT_READ, MAP_SHARED|MAP_FIXED, 4</t/two>, 0) = 0x20000000",
        r#"7 openat(AT_FDCWD</>, "/t/three", O_RDWR|O_CREAT, 0600) = 5</t/three>"#,
        "7 mmap(0x30000000, 4096, PROT_READ, MAP_SHARED|MAP_FIXED, 5</t/three>, 0) = 0x30000000",
        // The second takes the first's place; the third is known by another name before its own goes.
        r#"7 renameat2(AT_FDCWD</t>, "two", AT_FDCWD</t>, "one", 0) = 0"#,
        r#"7 link("/t/three", "/t/four") = 0"#,
        r#"7 unlinkat(6</t>, "three", 0) = 0"#,
        r#"7 unlink("/t/never") = -1 ENOENT (No such file or directory)"#,
    ]);
    let maps = replay.machine.maps_lines(7);
    let shown = |at: &str| maps.iter().find(|line| line.starts_with(at)).expect("mapped").clone();
    assert_eq!(shown("10000000"), "10000000-10001000 r--s 00000000 /t/one (deleted)");
    assert_eq!(shown("20000000"), "20000000-20001000 r--s 00000000 /t/one");
    assert_eq!(shown("30000000"), "30000000-30001000 r--s 00000000 /t/three (deleted)");
}

#[test]
fn segments_of_system_v_are_attached_and_detached() {
    let replay = replay_lines(&[
        "7 shmget(0x9fc051, 5000, IPC_CREAT|IPC_EXCL|0600) = 8",
        "7 shmat(8, NULL, 0) = 0x7ffff7ffd000",
        "7 shmat(8, 0x10000000, SHM_RDONLY) = 0x10000000",
        "7 shmdt(0x7ffff7ffd000) = 0",
        // One whose size the trace does not tell.
        "7 shmat(9, NULL, 0) = 0x7fffa0000000",
    ]);
    let maps = replay.machine.maps_lines(7);
    let attached: Vec<_> = maps.iter().filter(|line| line.contains("SYSV")).collect();
    assert_eq!(attached, ["10000000-10002000 r--s 00000000 /SYSV009fc051 (deleted)"]);
}

#[test]
fn an_empty_pool_of_huge_pages_refuses() {
    replay_lines(&[
        "7 mmap(NULL, 16777216, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS|MAP_HUGETLB, -1, 0) = -1 ENOMEM (Cannot allocate memory)",
        "7 mmap(NULL, 1, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS|MAP_HUGETLB|30<<MAP_HUGE_SHIFT, -1, 0) = -1 ENOMEM (Cannot allocate memory)",
        "7 mmap(NULL, 0, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS|MAP_HUGETLB, -1, 0) = -1 EINVAL (Invalid argument)",
    ]);
}

#[test]
fn a_write_of_the_kernels_that_fails_is_explained_by_efault_alone() {
    let map = "7 mmap(0x10000000, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED, -1, 0) = 0x10000000";
    let page = "7 faults 10000W";
    let asked = "7 prlimit64(0, RLIMIT_NPROC, NULL, 0x10000000)";
    let [bad, good] = ["= -1 EFAULT (Bad address)", "= 0"].map(|result| format!("{asked} {result}"));
    let halves =
        ["7 prlimit64(0, RLIMIT_NPROC, NULL, <unfinished ...>", "7 <... prlimit64 resumed>0x10000000)"];
    let resumed = format!("{} = -1 EFAULT (Bad address)", halves[1]);
    let counts = |lines: &[&str]| {
        let replay = replay_lines(lines);
        (replay.refused_touches, replay.refused_faults)
    };
    assert_eq!(counts(&[map, &bad, page]), (1, 0), "the call stands before what it touched");
    assert_eq!(counts(&[map, halves[0], page, &resumed]), (1, 0), "the call is under way");
    assert_eq!(counts(&[map, page, &good]), (0, 1), "the call did not fail");
    assert_eq!(counts(&[map, "7 faults 10000w"]), (0, 1), "a touch of the program's own");
}

#[test]
fn of_two_threads_that_start_a_thread_each_the_result_tells_whose_it_is() {
    let clone = "clone3({flags=CLONE_VM|CLONE_THREAD}, 88 <unfinished ...>";
    let replay = replay_lines(&[
        "7 brk(NULL) = 0x555555560000",
        "7 clone(child_stack=NULL, flags=SIGCHLD) = 8",
        "8 mmap(0x10000000, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED, -1, 0) = 0x10000000",
        &format!("7 {clone}"),
        &format!("8 {clone}"),
        "9 mprotect(0x10000000, 4096, PROT_NONE) = 0",
        "7 <... clone3 resumed>) = 10",
        "8 <... clone3 resumed>) = 9",
    ]);
    let memory = |pid| replay.machine.processes[&pid].memory;
    assert_eq!((memory(9), memory(10)), (memory(8), memory(7)));
}

#[test]
fn a_parent_that_goes_on_after_vfork_shows_that_the_childs_execve_has_begun() {
    let stack = "mmap(0x10000000, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED, -1, 0) = 0x10000000";
    let replay = replay_lines(&[
        &format!("7 {stack}"),
        "7 clone3({flags=CLONE_VM|CLONE_VFORK}, 88 <unfinished ...>",
        "8 execve(\"/usr/bin/bash\", [\"bash\"], 0x0 <unfinished ...>",
        "7 <... clone3 resumed>) = 8",
        "7 munmap(0x10000000, 4096) = 0",
        "8 <... execve resumed>) = 0",
    ]);
    assert_eq!(replay.equal, 2, "the parent's call is carried out");
    assert!(replay.machine.maps_lines(7).is_empty());
}

#[test]
fn the_hit_rate_of_real_programs_is_measured() {
    let mut text = String::new();
    for name in ["bash", "python3", "gcc"] {
        let replay = replay(name);
        let all: Vec<_> = replay
            .operations
            .into_values()
            .flat_map(|operations| std::iter::once(Operation::Clear).chain(operations))
            .collect();
        for row in experiment(&all, 0) {
            let (regions, comparisons, hits) = (row.regions, row.comparisons_per_lookup(), row.hit_rate());
            text += &format!("{name:<8}{:<34} {regions:>3} {comparisons:>5.1} {hits:>5.1} %\n", row.name);
        }
    }
    expect_test::expect![[r#"
        bash    list                                29   8.9   0.0 %
        bash    list + red-black tree               29   6.9   0.0 %
        bash    list + red-black tree + mmap_cache  29   7.1  25.0 %
        bash    maple-like B-tree                   29   6.8   0.0 %
        bash    interval AVL tree                   29   6.7   0.0 %
        python3 list                                46   7.9   0.0 %
        python3 list + red-black tree               46  10.7   0.0 %
        python3 list + red-black tree + mmap_cache  46   3.6  83.4 %
        python3 maple-like B-tree                   46   4.8   0.0 %
        python3 interval AVL tree                   46  10.6   0.0 %
        gcc     list                                61   8.7   0.0 %
        gcc     list + red-black tree               61  11.4   0.0 %
        gcc     list + red-black tree + mmap_cache  61   4.4  75.9 %
        gcc     maple-like B-tree                   61   6.2   0.0 %
        gcc     interval AVL tree                   61  10.1   0.0 %
    "#]]
    .assert_eq(&text);
}
