//! `plat rebase plan`, `why` and `db` on made files: what is printed, what is written, exit codes.

use std::fs;
use std::path::Path;
use std::process::Command;

use expect_test::{Expect, expect};
use plat_testkit::craft::Craft;
use tempfile::TempDir;

/// Runs plat and compares exit code, standard output and standard error.
fn check(folder: &Path, arguments: &[&str], expected: Expect) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plat"));
    let output = command.args(arguments).current_dir(folder).output().expect("plat starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().expect("an exit code");
    expected.assert_eq(&format!("exit {code}\n{}---\n{}", text(&output.stdout), text(&output.stderr)));
}

/// A folder with a.dll, b.dll and c.dll, all at one base.
fn folder() -> TempDir {
    let folder = TempDir::new().expect("a folder");
    for name in ["a.dll", "b.dll", "c.dll"] {
        let mut craft = Craft::dll(true);
        craft.part(".data", 0x1_2000, &[0x11; 0x400]);
        craft.relocations(".reloc", &[(0x1000, &[10 << 12])]);
        fs::write(folder.path().join(name), craft.bytes()).expect("writes");
    }
    folder
}

#[test]
fn a_fleet_is_planned_with_a_profile_and_a_wish() {
    let folder = folder();
    let at = folder.path();
    fs::write(at.join("maps.txt"), "1000-2000 r-xp 00000000 08:01 1 /x/c.dll\n").expect("writes");
    let wish = "b.dll=fixed 0x300000000";
    check(
        at,
        &[
            "rebase",
            "plan",
            "--layout",
            "cygwin64",
            "--profile",
            "maps.txt",
            "--slack",
            "50%",
            "--wish",
            wish,
            ".",
            "--root",
            ".",
            "-o",
            "plan.toml",
        ],
        expect![[r#"
            exit 0
            file   from                 to                      slot  uses  why
            b.dll  0x00000001_80000000  0x00000003_00000000  128 KiB     0  fixed at 0x00000003_00000000
            a.dll  0x00000001_80000000  0x00000003_fffc0000  128 KiB     0  cygwin1.dll, linked at 0x180040000, with room to grow
            c.dll  0x00000001_80000000  0x00000003_fffe0000  128 KiB     1  cygwin1.dll, linked at 0x180040000, with room to grow

            layout cygwin64: 3 files, 3 move, 0 stay
            collisions: 3 before, 0 after
            largest hole: 4 GiB, largest range left for the heap: 32 GiB, free space in smaller holes: 49.9 %
            ---
        "#]],
    );
    assert!(fs::read_to_string(at.join("plan.toml")).expect("written").contains("0x300000000"));
    check(
        at,
        &["rebase", "plan", "--profile", "plan.toml", "."],
        expect![[r#"
        exit 2
        ---
        plat: profile plan.toml, line 1: is no line of a map (START-END PERMS …): version = 1
    "#]],
    );
    check(
        at,
        &["rebase", "plan", "--wish", "x=maybe", "."],
        expect![[r#"
        exit 2
        ---
        error: invalid value 'x=maybe' for '--wish <PATH=WISH>': expected PATH=never-move, PATH=fixed 0xBASE, PATH=near OTHER or PATH=group NAME

        For more information, try '--help'.
    "#]],
    );
}

#[test]
fn what_does_not_fit_is_refused() {
    let folder = folder();
    let layout = "name = 'tiny'\nbits = 64\nlowest = 0x10000\nhighest = 0x7ffeffff\narena = [{ start = 0x10000, end = 0x7fff0000 }]\n\
                  [[band]]\nuse = 'dll'\nstart = 0x20000000\nend = 0x20040000\n";
    fs::write(folder.path().join("tiny.toml"), layout).expect("writes");
    check(
        folder.path(),
        &["rebase", "plan", "--layout", "tiny.toml", ".", "--root", ".", "-o", "plan.toml"],
        expect![[r#"
            exit 1
            file   from                 to                      slot  uses  why
            a.dll  0x00000001_80000000  0x00000000_20000000  128 KiB     0  it is outside the bands of tiny for DLLs
            b.dll  0x00000001_80000000  0x00000000_20020000  128 KiB     0  it is outside the bands of tiny for DLLs

            not placed:
              c.dll: 128 KiB

            layout tiny: 3 files, 2 move, 0 stay
            collisions: 3 before, 0 after
            largest hole: 0 B, largest range left for the heap: 0 B, free space in smaller holes: 0.0 %
            ---
            plat: 1 of 3 files do not fit: they need 128 KiB, the largest 128 KiB, and the largest hole is 0 B; no plan is written; try --repack (places every file anew) or --share (files that are never loaded together share addresses)
        "#]],
    );
    assert!(!folder.path().join("plan.toml").exists());
}

#[test]
fn why_names_who_is_there() {
    let folder = folder();
    check(
        folder.path(),
        &["rebase", "why", "--root", ".", "./b.dll"],
        expect![[r#"
        exit 1
        b.dll
        range: 0x00000001_80000000..0x00000001_80014000
        movable: Yes
        layout win64: may lie here
        database: not there
        files at the same addresses:
          0x00000001_80000000 a.dll (0x14000 bytes)
          0x00000001_80000000 c.dll (0x14000 bytes)
        slots of the database at the same addresses: none
        imported by: none
        ---
    "#]],
    );
}

#[test]
fn databases_go_out_and_come_back() {
    let folder = folder();
    let at = folder.path();
    let db = "version = 1\n\n[[file]]\npath = \"usr/bin/a.dll\"\nmachine = \"amd64\"\nbase = \"0x3fffe0000\"\nsize = 0x12000\nslot = 0x20000\n";
    fs::write(at.join("db.toml"), db).expect("writes");
    let export = |emit, output| ["rebase", "db", "export", "--emit", emit, "-o", output, "db.toml"];
    let nothing = || expect!["exit 0\n---\n"];
    check(at, &export("cygwin-x86-64", "rebase.db"), nothing());
    check(
        at,
        &["rebase", "db", "import", "rebase.db"],
        expect![[r#"
        exit 0
        # Bases of DLLs, kept by plat rebase. The format is in docs/rebase-database.md.
        version = 1

        [cygwin]
        base = "0x400000000"
        offset = 0
        down = true

        [[file]]
        path = "usr/bin/a.dll"
        machine = "amd64"
        base = "0x3fffe0000"
        size = 0x12000
        slot = 0x20000
        ---
    "#]],
    );
    check(
        at,
        &["rebase", "db", "export", "--emit", "ld-flags", "db.toml"],
        expect![[r#"
        exit 0
        usr/bin/a.dll	-Wl,--image-base=0x3fffe0000,--disable-auto-image-base
        ---
    "#]],
    );
    fs::write(at.join("bad.db"), &fs::read(at.join("rebase.db")).expect("reads")[..40]).expect("writes");
    check(
        at,
        &["rebase", "db", "import", "bad.db"],
        expect![[r#"
        exit 2
        ---
        plat: reading bad.db: offset 0x18, field count: is 0x1, expected no more records than the file has room for
    "#]],
    );
}
