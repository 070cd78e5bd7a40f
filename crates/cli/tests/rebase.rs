//! `plat rebase`, `plat flags` and their front ends on real and made files: what is printed, what is written, exit codes.

#[path = "../../../xtask/src/fixtures/mod.rs"]
#[allow(dead_code)] // Recording is used by xtask only.
mod fixtures;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use expect_test::{Expect, expect};
use fixtures::build::{Bits, build_all, repository_root};
use fixtures::cases;
use plat_image::PeImage;
use plat_rebase::apply::{ScanOptions, scan};
use plat_rebase::{Move, Plan, PlanReport, Reason};
use plat_regions::Address;
use plat_testkit::craft::Craft;
use tempfile::TempDir;

fn plat(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plat"));
    command.args(arguments).current_dir(folder).output().expect("plat starts")
}

/// Runs plat and compares exit code, standard output and standard error.
fn check(folder: &Path, arguments: &[&str], expected: Expect) {
    let output = plat(folder, arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().expect("an exit code");
    expected.assert_eq(&format!("exit {code}\n{}---\n{}", text(&output.stdout), text(&output.stderr)));
}

fn dll() -> Craft {
    let mut craft = Craft::dll(true);
    craft.e_lfanew = 0xf8;
    craft.part(".data", 0x1_2000, &[0x11; 0x400]);
    craft.relocations(".reloc", &[(0x1000, &[10 << 12])]);
    craft
}

/// A folder with a.dll, b.dll and c.dll, all at one base.
fn folder() -> TempDir {
    let folder = TempDir::new().expect("a folder");
    for name in ["a.dll", "b.dll", "c.dll"] {
        fs::write(folder.path().join(name), dll().bytes()).expect("writes");
    }
    folder
}

fn base(path: &Path) -> u64 {
    let bytes = fs::read(path).expect("reads");
    PeImage::parse("x", &bytes).expect("an image").headers().image_base
}

#[test]
fn rebase_prints_and_places_as_cygwins_does() {
    let folder = folder();
    let at = folder.path();
    let run = |arguments: &[&str], expected: Expect| {
        let words: Vec<&str> = ["rebase", "--compat"].iter().chain(arguments).copied().collect();
        check(at, &words, expected);
    };
    run(
        &["-i", "c.dll", "a.dll", "none.dll"],
        expect![[r#"
            exit 0
            a.dll                                     base 0x000180000000 size 0x00014000 *
            c.dll                                     base 0x000180000000 size 0x00014000 *
            ---
            none.dll: skipped because nonexistent.
        "#]],
    );
    run(
        &["-v", "-d", "-b", "0x300000000", "a.dll", "b.dll"],
        expect![[r#"
            exit 0
            a.dll: new base = 2fffe0000, new size = 20000
            b.dll: new base = 2fffc0000, new size = 20000
            ---
        "#]],
    );
    run(
        &["-vnb0x400000000", "-o", "0x8000", "a.dll", "b.dll"],
        expect![[r#"
            exit 0
            a.dll: new base = 400000000, new size = 20000
            b.dll: new base = 400030000, new size = 20000
            ---
        "#]],
    );
    run(
        &["-i", "a.dll", "b.dll", "c.dll"],
        expect![[r#"
            exit 0
            c.dll                                     base 0x000180000000 size 0x00014000  
            a.dll                                     base 0x000400000000 size 0x00014000  
            b.dll                                     base 0x000400030000 size 0x00014000  
            ---
        "#]],
    );
    run(
        &["-4i", "a.dll"],
        expect![[r#"
        exit 0
        ---
        a.dll: skipped because wrong machine type.
    "#]],
    );
}

#[test]
fn rebase_refuses_bases_that_cannot_be() {
    let folder = folder();
    let at = folder.path();
    let run = |arguments: &[&str], expected: Expect| {
        let words: Vec<&str> = ["rebase", "--compat"].iter().chain(arguments).copied().collect();
        check(at, &words, expected);
    };
    // Windows places nothing at such an address; the original writes it all the same.
    run(
        &["-b", "0x300001000", "a.dll"],
        expect![[r#"
        exit 1
        ---
        Invalid Baseaddress 0x300001000, must be a multiple of 0x10000
        usage: rebase [-b BaseAddress] [-o Offset] [-48dOsvV] [-T [FileList | -]] Files...
               rebase -i [-48Os] [-T [FileList | -]] Files...
               rebase --help or --usage for full help text
    "#]],
    );
    // The original goes below zero.
    run(
        &["-d", "-b", "0x10000", "a.dll"],
        expect![[r#"
        exit 2
        ---
        a.dll: no room left for 0x20000 bytes at 0x10000
    "#]],
    );
    let names: Vec<_> = fs::read_dir(at).expect("lists").flatten().map(|it| it.file_name()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
}

#[test]
fn a_file_that_cannot_be_written_is_skipped_and_the_exit_code_says_so() {
    let folder = folder();
    let path = folder.path().join("a.dll");
    let mut permissions = fs::metadata(&path).expect("is there").permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).expect("sets");
    check(
        folder.path(),
        &["rebase", "--compat", "-v", "-b", "0x300000000", "a.dll", "b.dll"],
        expect![[r#"
            exit 2
            b.dll: new base = 300000000, new size = 20000
            ---
            a.dll: skipped because not writable
        "#]],
    );
}

#[test]
fn peflags_prints_as_cygwins_does() {
    let folder = folder();
    let run = |arguments: &[&str], expected: Expect| {
        let words: Vec<&str> = ["flags", "--compat"].iter().chain(arguments).copied().collect();
        check(folder.path(), &words, expected);
    };
    run(
        &["a.dll"],
        expect![[r#"
        exit 0
        a.dll: coff(0x2022) pe(0x0140) 
        ---
    "#]],
    );
    run(
        &["-v", "-d0", "-x0x20000", "a.dll"],
        expect![[r#"
        exit 0
        a.dll: coff(0x2022[+executable_image,+bigaddr,+dll]) pe(0x0140[+dynamicbase,+nxcompat]==>0x0100[-dynamicbase,+nxcompat]) 
               stack reserve size      : 131072 (0x20000) bytes
        ---
    "#]],
    );
    run(
        &["-d1", "-t1", "a.dll"],
        expect![[r#"
        exit 0
        ---
    "#]],
    );
    run(
        &["-d", "-l", "-S", "-xXyYz", "a.dll"],
        expect![[r#"
        exit 1
        ---
        Invalid argument for stack-reserve: XyYz
        Usage: peflags [OPTIONS] file(s)...
        Sets or clears various flags in PE files (that is, exes and dlls)
        Use --help for full help text
    "#]],
    );
    run(
        &["-d", "-l", "-S", "-x", "-z512", "a.dll"],
        expect![[r#"
        exit 0
        a.dll: coff(0x2022[+bigaddr,-sepdbg]) pe(0x8140[+dynamicbase]) 
               stack reserve size      : 131072 (0x20000) bytes
               initial Cygwin heap size: 512 (0x200) MB
        ---
    "#]],
    );
    check(
        folder.path(),
        &["flags", "a.dll", "none.dll"],
        expect![[r#"
        exit 1
        file     stack  heap  cygwin heap  flags
        a.dll  0x20000   0x0      512 MiB  dynamicbase nxcompat tsaware bigaddr
        ---
        plat: a.dll: tsaware is set, which has no meaning for a DLL
        plat: none.dll: No such file or directory (os error 2)
    "#]],
    );
}

/// Plans a folder's DLLs one below the other.
fn write_plan(folder: &Path, top: u64) {
    let options = ScanOptions { root: folder.to_owned(), ..ScanOptions::default() };
    let found = scan(&[folder.to_owned()], &options);
    let libraries = found.members.into_iter().filter(|it| !it.program).enumerate();
    let moves = libraries.map(|(index, it)| Move {
        path: it.path,
        links: it.links,
        hash: it.hash,
        machine: it.machine,
        from: it.base,
        to: Address::new(top - 0x100_0000 * index as u64),
        size: it.size,
        slot: it.size.next_multiple_of(0x1_0000),
        reason: Reason::New,
        uses: 0,
    });
    let plan = Plan {
        layout: "test".into(),
        moves: moves.collect(),
        obstacles: Vec::new(),
        shared: Vec::new(),
        report: PlanReport::default(),
    };
    fs::write(folder.join("plan.toml"), plan.to_toml()).expect("writes");
}

#[test]
fn a_plan_is_applied_verified_and_undone() {
    let folder = folder();
    let at = folder.path();
    write_plan(at, 0x3_f000_0000);
    let (apply, dry_run) = (["rebase", "apply", "plan.toml"], ["rebase", "apply", "--dry-run", "plan.toml"]);
    let table = expect![[r#"
        exit 0
        outcome  from                 to                   words  file
        moved    0x00000001_80000000  0x00000003_f0000000      1  a.dll
        moved    0x00000001_80000000  0x00000003_ef000000      1  b.dll
        moved    0x00000001_80000000  0x00000003_ee000000      1  c.dll

        3 of 3 files would be changed, 0 needed nothing, 0 not done
        ---
    "#]];
    check(at, &dry_run, table);
    check(
        at,
        &["rebase", "apply", "--verify", "plan.toml"],
        expect![[r#"
        exit 1
        a.dll: its base is 0x00000001_80000000, the plan says 0x00000003_f0000000
        b.dll: its base is 0x00000001_80000000, the plan says 0x00000003_ef000000
        c.dll: its base is 0x00000001_80000000, the plan says 0x00000003_ee000000
        ---
    "#]],
    );
    assert_eq!(plat(at, &apply).status.code(), Some(0));
    assert_eq!(base(&at.join("b.dll")), 0x3_ef00_0000);
    check(
        at,
        &["rebase", "apply", "--verify", "plan.toml"],
        expect![[r#"
        exit 0
        ---
    "#]],
    );
    check(
        at,
        &["rebase", "apply", "--undo", "plan.toml"],
        expect![[r#"
        exit 0
        outcome  from                 to                   words  file
        undone   0x00000003_f0000000  0x00000001_80000000      1  a.dll
        undone   0x00000003_ef000000  0x00000001_80000000      1  b.dll
        undone   0x00000003_ee000000  0x00000001_80000000      1  c.dll

        3 of 3 files given back their old bytes, 0 needed nothing, 0 not done
        ---
    "#]],
    );
    assert!(fs::read(at.join("c.dll")).expect("reads") == dll().bytes());
}

#[test]
fn obstacles_are_reported_and_the_others_done() {
    let folder = folder();
    let mut signed = dll();
    signed.directories.push((4, signed.bytes().len() as u32, 16));
    signed.overlay = [16, 0, 0, 0, 0, 2, 2, 0].into_iter().chain([0; 8]).collect();
    fs::write(folder.path().join("b.dll"), signed.bytes()).expect("writes");
    write_plan(folder.path(), 0x3_f000_0000);
    fs::write(folder.path().join("c.dll"), [dll().bytes(), vec![0]].concat()).expect("writes");
    check(
        folder.path(),
        &["rebase", "apply", "plan.toml"],
        expect![[r#"
        exit 1
        outcome   from                 to                   words  file
        moved     0x00000001_80000000  0x00000003_f0000000      1  a.dll
        refused   0x00000001_80000000  0x00000003_ef000000      0  b.dll
        obstacle  0x00000001_80000000  0x00000003_ee000000      0  c.dll

        b.dll: is signed (Authenticode, 16 bytes at offset 0xa00); --strip-signature removes the signature, --keep-signature leaves it, invalid
        c.dll: it was changed after the plan was made: plan again

        1 of 3 files changed, 0 needed nothing, 2 not done
        ---
    "#]],
    );
}

#[test]
fn a_check_finds_what_is_wrong_and_exits_with_one() {
    let folder = folder();
    check(
        folder.path(),
        &["rebase", "check", "a.dll", "b.dll"],
        expect![[r#"
        exit 1
        finding  file   what
        overlap  a.dll  0x00000001_80000000..0x00000001_80014000 overlaps b.dll
        overlap  b.dll  0x00000001_80000000..0x00000001_80014000 overlaps a.dll

        2 images, 2 findings
        ---
    "#]],
    );
    check(
        folder.path(),
        &["rebase", "check", "--format", "json", "a.dll"],
        expect![[r#"
        exit 0
        {
          "findings": [],
          "images": 1,
          "schema": "plat-rebase-check-1"
        }
        ---
    "#]],
    );
    check(
        folder.path(),
        &["rebase", "check", "--layout", "win32-4gb", "--allow", "x", "a.dll"],
        expect![[r#"
        exit 2
        ---
        plat: --allow x: expected one of overlap, reserved, no-relocations, bad-relocations, wrong-checksum, broken-signature, dynamic-base, unreadable
    "#]],
    );
}

#[test]
fn a_tree_with_cygwins_database_is_kept_as_cygwin_keeps_it() {
    let tree = TempDir::new().expect("a folder");
    let at = tree.path();
    fs::create_dir_all(at.join("usr/bin")).expect("makes");
    for name in ["a.dll", "b.dll", "cygwin1.dll"] {
        fs::write(at.join("usr/bin").join(name), dll().bytes()).expect("writes");
    }
    let run = |arguments: &[&str], expected: Expect| {
        let words: Vec<&str> = ["rebase"].iter().chain(arguments).copied().collect();
        check(at, &words, expected);
    };
    // Without a database a base is needed.
    assert_eq!(plat(at, &["rebase", "--compat", "-R.", "-s", "usr/bin/a.dll"]).status.code(), Some(1));
    run(
        &["--compat=rebaseall", "-R", ".", "-v"],
        expect![[r#"
            exit 0
            usr/bin/b.dll: new base = 3fffc0000, new size = 20000
            usr/bin/a.dll: new base = 3fffe0000, new size = 20000
            ---
        "#]],
    );
    let database = fs::read(at.join("etc/rebase.db.x86_64")).expect("is there");
    assert!(database.starts_with(b"rBiI\x64\x86\x01\0"));
    // A file more: the others stay.
    fs::write(at.join("usr/bin/c.dll"), dll().bytes()).expect("writes");
    run(
        &["--compat", "-s", "-R", ".", "-v", "usr/bin/c.dll"],
        expect![[r#"
        exit 0
        usr/bin/c.dll: new base = 3fffa0000, new size = 20000
        ---
    "#]],
    );
    // A new base for all: the original changes the database and moves no file.
    run(
        &["--compat", "-s", "-b", "0x3c0000000", "-R", ".", "-v"],
        expect![[r#"
            exit 0
            usr/bin/c.dll: new base = 3bffa0000, new size = 20000
            usr/bin/b.dll: new base = 3bffc0000, new size = 20000
            usr/bin/a.dll: new base = 3bffe0000, new size = 20000
            ---
        "#]],
    );
    assert_eq!(base(&at.join("usr/bin/cygwin1.dll")), 0x1_8000_0000);
}

#[test]
fn a_staging_folder_is_planned_beside_what_is_installed() {
    let tree = TempDir::new().expect("a folder");
    let at = tree.path();
    fs::create_dir_all(at.join("usr/bin")).expect("makes");
    fs::write(at.join("usr/bin/a.dll"), dll().bytes()).expect("writes");
    let run = |arguments: &[&str], expected: Expect| {
        let words: Vec<&str> = ["rebase"].iter().chain(arguments).copied().collect();
        check(at, &words, expected);
    };
    let first = plat(at, &["rebase", "--compat", "-s", "-b", "0x3c0000000", "-R", ".", "usr/bin/a.dll"]);
    assert_eq!(first.status.code(), Some(0), "{first:?}");
    // Neither the installed files nor the database are changed.
    fs::write(at.join("stage.dll"), dll().bytes()).expect("writes");
    let before = fs::read(at.join("etc/rebase.db.x86_64")).expect("is there");
    run(
        &["--compat", "-O", "-R", ".", "-v", "stage.dll", "usr/bin/a.dll"],
        expect![[r#"
            exit 0
            stage.dll: new base = 3bffc0000, new size = 20000
            ---
        "#]],
    );
    assert!(before == fs::read(at.join("etc/rebase.db.x86_64")).expect("is there"));
    run(
        &["--compat", "-M", "-R", ".", "stage.dll"],
        expect![[r#"
        exit 0
        ---
    "#]],
    );
    run(
        &["--compat", "-si", "-R", "."],
        expect![[r#"
            exit 0
            stage.dll                                 base 0x0003bffc0000 size 0x00014000  
            usr/bin/a.dll                             base 0x0003bffe0000 size 0x00014000  
            ---
        "#]],
    );
    run(
        &["--compat", "-s", "-R", ".", "-b", "0x100000000", "usr/bin/a.dll"],
        expect![[r#"
        exit 2
        ---
        plat: Invalid Baseaddress 0x100000000: nothing lies below it that is for DLLs
    "#]],
    );
}

#[test]
fn many_at_once_share_a_database() {
    let folder = TempDir::new().expect("a folder");
    let at = folder.path();
    for index in 0..12 {
        fs::write(at.join(format!("{index}.dll")), dll().bytes()).expect("writes");
    }
    let cygwin = |index: &str| plat(at, &["rebase", "--compat", "-s", "-b0x400000000", "-R.", index]);
    // The first makes the database; with -b each of them would place all anew.
    assert_eq!(cygwin("0.dll").status.code(), Some(0));
    let start = |arguments: Vec<String>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plat"));
        command.args(arguments).current_dir(at).output().expect("plat starts")
    };
    std::thread::scope(|scope| {
        let runs: Vec<_> = (1..12)
            .map(|index| {
                let words = ["rebase", "--compat", "-s", "-R."].map(String::from);
                let own = ["rebase", "--db", "own.toml"].map(String::from);
                // Half of them keep plat's own database, of other files.
                let words = if index % 2 == 0 { words.to_vec() } else { own.to_vec() };
                let words: Vec<String> = words.into_iter().chain([format!("{index}.dll")]).collect();
                scope.spawn(move || start(words))
            })
            .collect();
        for run in runs {
            let output = run.join().expect("does not panic");
            assert_eq!(output.status.code(), Some(0), "{output:?}");
        }
    });
    let bases = |names: Vec<usize>| -> std::collections::BTreeSet<u64> {
        names.into_iter().map(|index| base(&at.join(format!("{index}.dll")))).collect()
    };
    assert_eq!(bases((0..12).filter(|index| index % 2 == 0).collect()).len(), 6);
    assert_eq!(bases((0..12).filter(|index| index % 2 == 1).collect()).len(), 6);
    let listed = plat(at, &["rebase", "--compat", "-si", "-R."]);
    assert_eq!(
        String::from_utf8_lossy(&listed.stdout).lines().filter(|line| !line.ends_with('*')).count(),
        6
    );
    let own = fs::read_to_string(at.join("own.toml")).expect("is there");
    assert_eq!(own.matches("[[file]]").count(), 6);
}

#[test]
fn plan_and_apply_in_one_go_and_undo() {
    let folder = folder();
    let at = folder.path();
    let output = plat(at, &["rebase", "."]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(plat(at, &["rebase", "check", "."]).status.code(), Some(0));
    assert_eq!(plat(at, &["rebase", "."]).status.code(), Some(0));
    let undo = plat(at, &["rebase", "apply", "--undo", "--journal", ".plat-rebase.journal"]);
    assert_eq!(undo.status.code(), Some(0), "{undo:?}");
    for name in ["a.dll", "b.dll", "c.dll"] {
        assert!(fs::read(at.join(name)).expect("reads") == dll().bytes(), "{name}");
    }
}

#[test]
fn rebased_libraries_run_where_they_were_put() {
    let root = repository_root(env!("CARGO_MANIFEST_DIR"));
    let built = root.join("target/fixtures");
    build_all(&root, &built).unwrap_or_else(|error| panic!("{error:#}"));
    for (bits, top) in [(Bits::X64, 0x3_f000_0000), (Bits::X86, 0x5f00_0000)] {
        let folder = TempDir::new().expect("a folder");
        for name in ["dll.exe", "dll_one.dll", "dll_two.dll", "dll_three.dll", "dll_refuses.dll"] {
            fs::copy(built.join(bits.name()).join(name), folder.path().join(name)).expect("copies");
        }
        write_plan(folder.path(), top);
        let output = plat(folder.path(), &["rebase", "apply", "--durability", "off", "plan.toml"]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        // The program behaves as it was recorded, with each library at its new base: the loader has nothing to relocate.
        let runner = [env!("CARGO_BIN_EXE_plat").to_string(), "run".to_string()];
        let cases =
            cases::load(&root.join("fixtures/expect"), "dll", bits).unwrap_or_else(|e| panic!("{e:#}"));
        for case in cases {
            let cwd = TempDir::new().expect("a folder");
            let output = cases::run_case(&case, &runner, folder.path(), cwd.path());
            let output = output.unwrap_or_else(|error| panic!("{error:#}"));
            assert!(cases::difference(&case, &output).is_none(), "{:?}", cases::difference(&case, &output));
        }
        let output = plat(folder.path(), &["run", "--trace", "loader", "dll.exe"]);
        let trace = String::from_utf8_lossy(&output.stderr).into_owned();
        for name in ["dll_one.dll", "dll_two.dll", "dll_three.dll", "dll_refuses.dll"] {
            let base = base(&folder.path().join(name));
            assert!((top - 0x400_0000..=top).contains(&base));
            let line = format!("loader: {name} at {base:#x}: at its preferred base");
            assert!(trace.contains(&line), "{line}\n{trace}");
        }
    }
}
