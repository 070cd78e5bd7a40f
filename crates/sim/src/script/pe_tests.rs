//! `exec` of a PE file in a process under Windows' rules.

use std::fmt::Write;

use expect_test::{Expect, expect};
use plat_image::ImageBuilder;
use plat_image::pe::{Machine, RelocationKind};

use super::*;
use crate::cache::FileContents;
use crate::kernel::Kernel;
use crate::machine::Config;

/// A disk with one DLL for `base`, with code, data and relocations.
struct Disk {
    base: u64,
}

impl Outside for Disk {
    fn file(&mut self, path: &str) -> Option<FileContents> {
        let mut builder = ImageBuilder::new("one.dll", Machine::Amd64, self.base);
        let code = builder.text(&[0xc3; 0x1234]);
        let data = builder.data(&[7; 0x2100]);
        builder.entry_point(code).relocation(data, RelocationKind::Dir64);
        let bytes = builder.build().ok()?.bytes;
        path.ends_with(".dll").then(|| FileContents {
            path: path.to_owned(),
            size: bytes.len() as u64,
            bytes: bytes.into(),
        })
    }
}

fn check(kernel: &str, base: u64, script: &str, expected: Expect) {
    let (kernel, policy) = Kernel::builtin(kernel).expect("built in");
    let mut session = Session::new(Config { kernel, policy, ..Config::default() });
    session.add_all(script).expect("a script");
    let mut text = String::new();
    while let Some(done) = session.step(&mut Disk { base }) {
        writeln!(text, "> {}", done.text).expect("text");
        for event in done.events.iter().filter(|event| !event.code.starts_with("walk")) {
            writeln!(text, "  [{}] {}", event.code, event.text).expect("text");
        }
        text += &done.output;
        text.extend(done.error.map(|error| format!("error: {error}\n")));
        session.state().machine.check().expect("every frame is accounted for");
    }
    expected.assert_eq(&text);
}

#[test]
fn a_program_lies_at_its_base_and_stores_are_private() {
    check(
        "windows",
        0x1_8000_0000,
        "exec /one.dll\nmaps\nrun 0x180001000\nread 0x180004000\nwrite 0x180004000 9\nread 0x180004000\nwrite 0x180001000",
        expect![[r#"
            > exec /one.dll
              [process-new] process 1 (program): an empty address space laid out as win64
              [pe-image] /one.dll lies at 0x00000001_80000000..0x00000001_80007000: at its preferred base
            > maps
            0x00000001_80000000..0x00000001_80001000 committed READONLY one.dll headers
            0x00000001_80001000..0x00000001_80003000 committed EXECUTE_READ one.dll .text
            0x00000001_80003000..0x00000001_80006000 committed WRITECOPY one.dll .data
            0x00000001_80006000..0x00000001_80007000 committed READONLY one.dll .reloc
            > run 0x180001000
              [committed] the page is committed and its protection allows it
              [file-read] page 1 of /one.dll (image), frame 2, is read from the file
              [file-mapped] mapped as it is
            > read 0x180004000
              [committed] the page is committed and its protection allows it
              [file-read] page 4 of /one.dll (image), frame 6, is read from the file
              [file-mapped] mapped as it is
            0x00000001_80004000 holds 7
            > write 0x180004000 9
              [committed] the page is committed and its protection allows it
              [file-copied] a store to a private mapping: frame 7 is the copy
            > read 0x180004000
              [tlb-hit] read at 0x00000001_80004000: the translation cache knows frame 7
            0x00000001_80004000 holds 9
            > write 0x180001000
              [no-access] the page's protection is PageProtection(EXECUTE_READ)
              [signal] STATUS_ACCESS_VIOLATION: process 1 ends at 0x00000001_80001000
              [memory-freed] the address space goes: 2 pages leave it, 1 frames become free
        "#]],
    );
}

#[test]
fn a_taken_base_moves_it_and_a_second_process_has_its_own_copy() {
    check(
        "cygwin",
        0x1_8000_0000,
        "map 64K rw at 0x180000000\nexec /one.dll\nmaps\nprocess other\nexec /one.dll\nmaps",
        expect![[r#"
            > map 64K rw at 0x180000000
              [process-new] process 1 (program): an empty address space laid out as cygwin64
              [call] VirtualAlloc(0x180000000, 0x10000, MEM_COMMIT|MEM_RESERVE, PAGE_READWRITE)
              [edit] 0x00000001_80000000..0x00000001_80010000 map rw- anonymous: committed
              [returned] returns 0x180000000
            > exec /one.dll
              [pe-image] /one.dll lies at 0x00000001_00400000..0x00000001_00407000: preferred base 0x00000001_80000000 is taken by VirtualAlloc; every absolute address in it is relocated
            > maps
            0x00000001_00400000..0x00000001_00401000 committed READONLY one.dll headers
            0x00000001_00401000..0x00000001_00403000 committed EXECUTE_READ one.dll .text
            0x00000001_00403000..0x00000001_00406000 committed WRITECOPY one.dll .data
            0x00000001_00406000..0x00000001_00407000 committed READONLY one.dll .reloc
            0x00000001_80000000..0x00000001_80010000 committed READWRITE VirtualAlloc
            > process other
              [process-new] process 2 (other): an empty address space laid out as cygwin64
            > exec /one.dll
              [pe-image] /one.dll lies at 0x00000001_80000000..0x00000001_80007000: at its preferred base
            > maps
            0x00000001_80000000..0x00000001_80001000 committed READONLY one.dll headers
            0x00000001_80001000..0x00000001_80003000 committed EXECUTE_READ one.dll .text
            0x00000001_80003000..0x00000001_80006000 committed WRITECOPY one.dll .data
            0x00000001_80006000..0x00000001_80007000 committed READONLY one.dll .reloc
        "#]],
    );
}

#[test]
fn what_is_no_pe_file_is_refused_with_its_reason() {
    check(
        "windows",
        0x1234,
        "exec /one.dll",
        expect![[r#"
        > exec /one.dll
          [process-new] process 1 (program): an empty address space laid out as win64
        error: /one.dll: offset 0xb0, field ImageBase: is 0x1234, expected a multiple of 64 KiB (0x10000)
    "#]],
    );
    check(
        "windows",
        0x1_8000_0000,
        "file /text size 4K text \"no program\"\nexec /text\nexec /missing",
        expect![[r#"
        > file /text size 4K text "no program"
        > exec /text
          [process-new] process 1 (program): an empty address space laid out as win64
        error: /text: is text, not a Windows program
        > exec /missing
        error: no file /missing: say `file /missing size N`, or give a path that exists
    "#]],
    );
}
