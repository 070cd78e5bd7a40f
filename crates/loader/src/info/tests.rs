//! Trees of imports of small DLLs that import each other.

use std::fmt::Write;
use std::path::Path;

use expect_test::{Expect, expect};
use plat_image::pe::{DirectoryKind, Machine};
use plat_image::{ExportValue, ImageBuilder};
use plat_testkit::tables::{self, Imports};

use super::{ImportNode, inspect};
use crate::search::SearchOptions;

fn write(folder: &Path, name: &str, machine: Machine, now: Imports<'_>, later: Imports<'_>) {
    let is_64 = machine != Machine::I386;
    let make = |data: u32| {
        let mut builder = ImageBuilder::new(name, machine, 0x1000_0000);
        let code = builder.text(&[0xc3]);
        builder.export("here", Some(3), ExportValue::At(code));
        let mut bytes = tables::imports(data, is_64, now);
        bytes.resize(bytes.len().next_multiple_of(16), 0);
        let spot = builder.data(&bytes);
        builder.directory(DirectoryKind::Import, spot, bytes.len() as u32);
        let spot = builder.data(&tables::delay_imports(data + bytes.len() as u32, is_64, later));
        builder.directory(DirectoryKind::DelayImport, spot, 64);
        builder.build().expect("a valid image")
    };
    let measured = make(0).data.get();
    std::fs::write(folder.join(name), make(measured).bytes).expect("the file is written");
}

fn lines(text: &mut String, imports: &[ImportNode], indent: usize) {
    for node in imports {
        let functions: Vec<String> =
            node.functions.iter().map(|it| format!("{} {}", it.symbol, it.supply.name())).collect();
        let delayed = if node.is_delayed { " delayed" } else { "" };
        writeln!(
            text,
            "{:indent$}{} from {}{delayed} {:?}: {}",
            "",
            node.name,
            node.provider,
            node.below,
            functions.join(", ")
        )
        .expect("to a string");
        lines(text, &node.imports, indent + 2);
    }
}

#[track_caller]
fn check(path: &Path, depth: usize, expected: Expect) {
    let info = inspect(path, SearchOptions::default(), depth).expect("readable");
    let mut text = String::new();
    lines(&mut text, &info.imports, 0);
    for problem in info.problems {
        writeln!(text, "problem: {problem}").expect("to a string");
    }
    expected.assert_eq(&text);
}

#[test]
fn cycles_repetitions_and_depth_are_marked() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let machine = Machine::Amd64;
    write(folder.path(), "a.dll", machine, &[("B", &["here", "#3", "gone"]), ("c.DLL", &["#4"])], &[]);
    write(folder.path(), "b.dll", machine, &[("a.dll", &["here"])], &[("c.dll", &["here"])]);
    write(
        folder.path(),
        "c.dll",
        machine,
        &[("kernel32.dll", &["ExitProcess", "NoSuch"])],
        &[("nosuch.dll", &["#1"])],
    );
    check(
        &at("a.dll"),
        9,
        expect![[r#"
        b.dll from b.dll Shown: here native, #3 native, gone missing
          a.dll from a.dll Cycle: here native
          c.dll from c.dll delayed Shown: here native
            kernel32.dll from builtin Shown: ExitProcess builtin, NoSuch missing
            nosuch.dll from missing delayed Shown: #1 missing
        c.dll from c.dll ShownBefore: #4 missing
    "#]],
    );
    check(
        &at("b.dll"),
        0,
        expect![[r#"
        a.dll from a.dll TooDeep: here native
        c.dll from c.dll delayed TooDeep: here native
    "#]],
    );
}

#[test]
fn other_processors_are_described_and_damage_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    write(
        folder.path(),
        "arm.dll",
        Machine::Arm64,
        &[("kernel32.dll", &["ExitProcess"]), ("x86.dll", &["here"])],
        &[],
    );
    write(folder.path(), "x86.dll", Machine::I386, &[("cut.dll", &["here"])], &[]);
    std::fs::write(folder.path().join("cut.dll"), b"MZ").expect("the file is written");
    check(
        &folder.path().join("arm.dll"),
        9,
        expect![[r#"
        kernel32.dll from missing Shown: ExitProcess missing
        x86.dll from x86.dll (for another processor) Shown: here missing
          cut.dll from cut.dll (no usable image) Shown: here missing
        problem: cut.dll: is a DOS program (MZ without a PE header), or a Windows program cut off early
    "#]],
    );
}
