//! What plat says about wrong files, and whether the committed coverage page is current.

use std::path::Path;
use std::process::{Command, Output};

use expect_test::{Expect, expect};

fn plat(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_plat"))
        .current_dir(folder)
        .args(arguments)
        .output()
        .expect("plat starts")
}

/// Runs `name` with these bytes and compares standard error; nothing is printed and the exit code is 2.
#[track_caller]
fn refused(name: &str, bytes: Option<&[u8]>, expected: Expect) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    if let Some(bytes) = bytes {
        std::fs::write(folder.path().join(name), bytes).expect("the file is written");
    }
    let output = plat(folder.path(), &["run", name]);
    let said = String::from_utf8_lossy(&output.stderr);
    expected.assert_eq(&said.replace(&*folder.path().to_string_lossy(), "DIR"));
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), &b""[..]));
}

/// The least that tells a PE's machine.
fn pe(machine: u16) -> Vec<u8> {
    let mut bytes = vec![0; 0x200];
    bytes[..2].copy_from_slice(b"MZ");
    bytes[0x3c] = 0x40;
    bytes[0x40..0x44].copy_from_slice(b"PE\0\0");
    bytes[0x44..0x46].copy_from_slice(&machine.to_le_bytes());
    bytes
}

#[test]
fn a_linux_program_is_refused() {
    refused(
        "ls",
        Some(b"\x7fELF\x02\x01\x01"),
        expect![[r#"
        plat: DIR/ls: is a Linux program or library (ELF), not a Windows one: run it directly; plat runs Windows programs for x86 and x86-64 (PE32, PE32+)
    "#]],
    );
}

#[test]
fn an_arm64_program_is_refused() {
    refused(
        "arm.exe",
        Some(&pe(0xaa64)),
        expect![[r#"
        plat: DIR/arm.exe: is a Windows program for ARM64: this machine runs x86 and x86-64 only; plat runs Windows programs for x86 and x86-64 (PE32, PE32+)
    "#]],
    );
}

#[test]
fn a_net_program_is_refused() {
    let mut bytes = pe(0x14c);
    bytes[0x58..0x5a].copy_from_slice(&0x10b_u16.to_le_bytes());
    bytes[0x40 + 24 + 92] = 16;
    bytes[0x40 + 24 + 96 + 14 * 8] = 8;
    refused(
        "net.exe",
        Some(&bytes),
        expect![[r#"
        plat: DIR/net.exe: is a .NET program or library: it needs a .NET runtime, not only Windows functions; plat runs Windows programs for x86 and x86-64 (PE32, PE32+)
    "#]],
    );
}

#[test]
fn a_truncated_program_is_refused() {
    refused(
        "cut.exe",
        Some(&pe(0x8664)[..0x50]),
        expect![[r#"
        plat: cut.exe: offset 0x58, field Magic: points at 0x5a but the file has 80 bytes; the file may be truncated
    "#]],
    );
}

#[test]
fn text_is_refused() {
    refused(
        "notes.txt",
        Some(b"hello\n"),
        expect![[r#"
        plat: DIR/notes.txt: is text, not a Windows program; plat runs Windows programs for x86 and x86-64 (PE32, PE32+)
    "#]],
    );
}

#[test]
fn a_directory_is_refused() {
    refused(
        ".",
        None,
        expect![[r#"
        plat: DIR is a directory, not a program; name the .exe file in it
    "#]],
    );
}

#[test]
fn a_missing_file_is_refused() {
    refused(
        "nosuch.exe",
        None,
        expect![[r#"
        plat: cannot read DIR/nosuch.exe: No such file or directory (os error 2)
    "#]],
    );
}

#[test]
fn the_coverage_page_is_current() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/coverage.md");
    let output = plat(Path::new("."), &["apis", "--markdown"]);
    let committed = std::fs::read(&page).expect("docs/coverage.md");
    assert!(committed == output.stdout, "docs/coverage.md is old: plat apis --markdown >docs/coverage.md");
}

#[test]
fn every_shell_gets_completions() {
    for shell in ["bash", "zsh", "fish"] {
        let output = plat(Path::new("."), &["completions", shell]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("apis") && text.contains("plat"), "{shell}");
    }
}
