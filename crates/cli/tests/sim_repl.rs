//! `plat sim repl`, driven by what is typed: forwards, back, and wrong.

use std::io::Write;
use std::process::{Command, Stdio};

use expect_test::{Expect, expect};

/// Types lines and checks all that is printed: what went wrong stands last, behind `!`.
fn check(arguments: &[&str], typed: &str, expected: Expect) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_plat"))
        .args(["sim", "repl"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("plat starts");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(typed.as_bytes()).expect("typed");
    drop(input);
    let output = child.wait_with_output().expect("plat ends");
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    for line in String::from_utf8_lossy(&output.stderr).lines() {
        text += &format!("! {line}\n");
    }
    text += &format!("exit code {}\n", output.status.code().unwrap_or(-1));
    expected.assert_eq(&text);
}

#[test]
fn a_session_goes_forwards_and_back() {
    let typed = "map 2 pages rw at 0x40000 fixed\nwrite 0x40000 7\nfork\nback\nback\nlist\nnext\nmaps\njump 0\njump 9\ndiff 1 2\nquit\n";
    check(
        &[],
        typed,
        expect![[r#"
        sim> map 2 pages rw at 0x40000 fixed
          [process-new] process 1 (program): an empty address space
          [call] mmap(0x40000, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS, -1, 0x0)
          [fixed] 0x00000000_00040000..0x00000000_00042000 MAP_FIXED takes exactly the address given
          [new-region] 0x00000000_00040000..0x00000000_00042000 map: a new region
          [returned] mmap returns 0x40000
        sim> write 0x40000 7
          [walk-fault] page fault at 0x00000000_00040000 (error code: not present, write, user)
              PML4 in frame 1: bits 47..39 = 0, entry at 0x1000: empty
              page fault: the entry of level 4 is not present
          [first-anon] 0x00000000_00040000..0x00000000_00042000 anon_vma 1: the first private page of the region: it gets its own anon_vma
          [new-page] frame 2 is zeroed for this page
          [walk] write at 0x00000000_00040000: the walk finds frame 2
              PML4 in frame 1: bits 47..39 = 0, entry at 0x1000: frame 3 [U W P]
              page directory pointer table in frame 3: bits 38..30 = 0, entry at 0x3000: frame 4 [U W P]
              page directory in frame 4: bits 29..21 = 0, entry at 0x4000: frame 5 [U W P]
              page table in frame 5: bits 20..12 = 64, entry at 0x5200: frame 2 [NX U W P]
              bits 11..0 = 0x0: physical address 0x2000
        sim> fork
          [fork] process 2 begins as a copy of process 1
          [fork-shared] 1 pages are shared now: both sides lose the right to write, and bit 9 (COW) is set
        the state after 2 of 3 commands
        the state after 1 of 3 commands
            1  map 2 pages rw at 0x40000 fixed
        >   2  write 0x40000 7
            3  fork
        sim> write 0x40000 7
          [walk-fault] page fault at 0x00000000_00040000 (error code: not present, write, user)
              PML4 in frame 1: bits 47..39 = 0, entry at 0x1000: empty
              page fault: the entry of level 4 is not present
          [first-anon] 0x00000000_00040000..0x00000000_00042000 anon_vma 1: the first private page of the region: it gets its own anon_vma
          [new-page] frame 2 is zeroed for this page
          [walk] write at 0x00000000_00040000: the walk finds frame 2
              PML4 in frame 1: bits 47..39 = 0, entry at 0x1000: frame 3 [U W P]
              page directory pointer table in frame 3: bits 38..30 = 0, entry at 0x3000: frame 4 [U W P]
              page directory in frame 4: bits 29..21 = 0, entry at 0x4000: frame 5 [U W P]
              page table in frame 5: bits 20..12 = 64, entry at 0x5200: frame 2 [NX U W P]
              bits 11..0 = 0x0: physical address 0x2000
        sim> maps
        00040000-00042000 rw-p 00000000
        ffffffffff600000-ffffffffff601000 --xp 00000000 [vsyscall]
        the state after 0 of 3 commands
        cannot go there; still the state after 0 of 3 commands
        - 1  parent      -  program  Running  0 pages  0 minor and 0 major faults, 0 copies
        + 1  parent      -  program  Running  1 pages  1 minor and 0 major faults, 0 copies
        + process 1: 0x00000000_00040000  frame 2 [NX D A U W P], 1 entries point at the frame
        exit code 0
    "#]],
    );
}

#[test]
fn what_was_undone_is_replaced_by_what_is_typed() {
    let typed = "map 1 pages rw at 0x40000 fixed\nmap 1 pages rw at 0x50000 fixed\nback\nmap 1 pages r at 0x60000 fixed\nlist\nmaps\n";
    check(
        &[],
        typed,
        expect![[r#"
        sim> map 1 pages rw at 0x40000 fixed
          [process-new] process 1 (program): an empty address space
          [call] mmap(0x40000, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS, -1, 0x0)
          [fixed] 0x00000000_00040000..0x00000000_00041000 MAP_FIXED takes exactly the address given
          [new-region] 0x00000000_00040000..0x00000000_00041000 map: a new region
          [returned] mmap returns 0x40000
        sim> map 1 pages rw at 0x50000 fixed
          [call] mmap(0x50000, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS, -1, 0x0)
          [fixed] 0x00000000_00050000..0x00000000_00051000 MAP_FIXED takes exactly the address given
          [new-region] 0x00000000_00050000..0x00000000_00051000 map: a new region
          [returned] mmap returns 0x50000
        the state after 1 of 2 commands
        sim> map 1 pages r at 0x60000 fixed
          [call] mmap(0x60000, 4096, PROT_READ, MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS, -1, 0x0)
          [fixed] 0x00000000_00060000..0x00000000_00061000 MAP_FIXED takes exactly the address given
          [new-region] 0x00000000_00060000..0x00000000_00061000 map: a new region
          [returned] mmap returns 0x60000
            1  map 1 pages rw at 0x40000 fixed
            2  map 1 pages r at 0x60000 fixed
        sim> maps
        00040000-00041000 rw-p 00000000
        00060000-00061000 r--p 00000000
        ffffffffff600000-ffffffffff601000 --xp 00000000 [vsyscall]
        exit code 0
    "#]],
    );
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_the_session_goes_on() {
    let typed = "mop 4 pages\nmap 4 pages rw at\nmunmap(0x40000)\nmlockall(MCL_CURRENT|MCL_NEVER)\nread 0x1000\nback\nnext\n";
    check(
        &[],
        typed,
        expect![[r#"
        sim> read 0x1000
          [process-new] process 1 (program): an empty address space
          [walk-fault] page fault at 0x00000000_00001000 (error code: not present, read, user)
              PML4 in frame 1: bits 47..39 = 0, entry at 0x1000: empty
              page fault: the entry of level 4 is not present
          [not-mapped] 0x00000000_00001000..0x00000000_00002000 no region holds the address
          [signal] SIGSEGV: process 1 ends at 0x00000000_00001000
          [memory-freed] the address space goes: 0 pages leave it, 0 frames become free
        the state after 0 of 1 commands
        sim> read 0x1000
          [process-new] process 1 (program): an empty address space
          [walk-fault] page fault at 0x00000000_00001000 (error code: not present, read, user)
              PML4 in frame 1: bits 47..39 = 0, entry at 0x1000: empty
              page fault: the entry of level 4 is not present
          [not-mapped] 0x00000000_00001000..0x00000000_00002000 no region holds the address
          [signal] SIGSEGV: process 1 ends at 0x00000000_00001000
          [memory-freed] the address space goes: 0 pages leave it, 0 frames become free
        ! line 1, column 1: "mop" is no command: process, use, file, map, unmap, protect, brk, read, write, run, fork, vfork, exec, exit, wait, limit, alloc, free, vprotect, view, cygwin-fork, walk, maps, pages, frames, tlb, processes, totals, or a call such as mmap(0, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)
        ! line 2, column 18: expected an address such as 0x40000 here
        ! line 3, column 15: munmap needs at least 2 arguments
        ! line 4, column 22: "MCL_NEVER" is no flag of mlockall
        exit code 2
    "#]],
    );
}

#[test]
fn locks_of_everything_are_typed_as_in_c() {
    let typed = "mmap(0x40000, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED, -1, 0)\nmlockall(MCL_CURRENT|MCL_FUTURE)\nmlock2(0x40000, 4096, MLOCK_ONFAULT)\nmunlockall()\nmprotect(0x40000, 4096, PROT_READ|PROT_GROWSUP)\n";
    check(
        &[],
        typed,
        expect![[r#"
        sim> mmap(0x40000, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED, -1, 0)
          [process-new] process 1 (program): an empty address space
          [call] mmap(0x40000, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS, -1, 0x0)
          [fixed] 0x00000000_00040000..0x00000000_00042000 MAP_FIXED takes exactly the address given
          [new-region] 0x00000000_00040000..0x00000000_00042000 map: a new region
          [returned] mmap returns 0x40000
        sim> mlockall(MCL_CURRENT|MCL_FUTURE)
          [call] mlockall(MCL_CURRENT|MCL_FUTURE)
          [asked] 0x00000000_00040000..0x00000000_00042000 flags: the call asks for it
          [asked] 0x00000000_00040000..0x00000000_00042000 populate: the call asks for it
          [new-page] frame 2 is zeroed for this page
          [new-page] frame 6 is zeroed for this page
          [first-anon] 0x00000000_00040000..0x00000000_00042000 anon_vma 1: the first private page of the region: it gets its own anon_vma
          [returned] mlockall returns 0x0
        sim> mlock2(0x40000, 4096, MLOCK_ONFAULT)
          [call] mlock2(0x40000, 4096, MLOCK_ONFAULT)
          [split-at-end] 0x00000000_00041000..0x00000000_00042000 split: the region is cut where the change ends
          [asked] 0x00000000_00040000..0x00000000_00041000 flags: the call asks for it
          [returned] mlock2 returns 0x0
        sim> munlockall()
          [call] munlockall()
          [not-merged-above] 0x00000000_00040000..0x00000000_00041000 not merged with the next region: their flags differ
          [asked] 0x00000000_00040000..0x00000000_00041000 flags: the call asks for it
          [merged-below] 0x00000000_00040000..0x00000000_00042000 merge: merged with the previous region: same access, flags, object and owner
          [asked] 0x00000000_00041000..0x00000000_00042000 flags: the call asks for it
          [returned] munlockall returns 0x0
        sim> mprotect(0x40000, 4096, PROT_READ|PROT_GROWSUP)
          [call] mprotect(0x40000, 4096, PROT_READ|PROT_GROWSUP)
          [not-for-this-kind] EINVAL: this kind of region does not allow it
          [refused] mprotect fails: EINVAL
        exit code 0
    "#]],
    );
}

#[test]
fn a_script_is_walked_through() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd/sim.in/cow.sim");
    let path = folder.to_string_lossy().into_owned();
    check(
        &[&path],
        "list\nnext\ngo\nback\n",
        expect![[r#"
        >   1  map 1 page rw at 0x40000
            2  write 0x40000 7
            3  fork
            4  write 0x40000 8
            5  use 2
            6  read 0x40000
            7  pages
        sim> map 1 page rw at 0x40000
          [process-new] process 1 (program): an empty address space
          [call] mmap(0x40000, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0x0)
          [hint-free] 0x00000000_00040000..0x00000000_00041000 the hint is free, so it is taken
          [new-region] 0x00000000_00040000..0x00000000_00041000 map: a new region
          [returned] mmap returns 0x40000
        sim> write 0x40000 7
          [walk-fault] page fault at 0x00000000_00040000 (error code: not present, write, user)
              PML4 in frame 1: bits 47..39 = 0, entry at 0x1000: empty
              page fault: the entry of level 4 is not present
          [first-anon] 0x00000000_00040000..0x00000000_00041000 anon_vma 1: the first private page of the region: it gets its own anon_vma
          [new-page] frame 2 is zeroed for this page
          [walk] write at 0x00000000_00040000: the walk finds frame 2
              PML4 in frame 1: bits 47..39 = 0, entry at 0x1000: frame 3 [U W P]
              page directory pointer table in frame 3: bits 38..30 = 0, entry at 0x3000: frame 4 [U W P]
              page directory in frame 4: bits 29..21 = 0, entry at 0x4000: frame 5 [U W P]
              page table in frame 5: bits 20..12 = 64, entry at 0x5200: frame 2 [NX U W P]
              bits 11..0 = 0x0: physical address 0x2000
        sim> fork
          [fork] process 2 begins as a copy of process 1
          [fork-shared] 1 pages are shared now: both sides lose the right to write, and bit 9 (COW) is set
        sim> write 0x40000 8
          [walk-fault] page fault at 0x00000000_00040000 (error code: protection, write, user)
              PML4 in frame 1: bits 47..39 = 0, entry at 0x1000: frame 3 [A U W P]
              page directory pointer table in frame 3: bits 38..30 = 0, entry at 0x3000: frame 4 [A U W P]
              page directory in frame 4: bits 29..21 = 0, entry at 0x4000: frame 5 [A U W P]
              page table in frame 5: bits 20..12 = 64, entry at 0x5200: frame 2 [NX COW D A U P]
              page fault: the bit W forbids this access
          [cow-copy] copy on write: frame 2 had 2 owners, frame 10 is this process's copy
          [walk] write at 0x00000000_00040000: the walk finds frame 10
              PML4 in frame 1: bits 47..39 = 0, entry at 0x1000: frame 3 [A U W P]
              page directory pointer table in frame 3: bits 38..30 = 0, entry at 0x3000: frame 4 [A U W P]
              page directory in frame 4: bits 29..21 = 0, entry at 0x4000: frame 5 [A U W P]
              page table in frame 5: bits 20..12 = 64, entry at 0x5200: frame 10 [NX U W P]
              bits 11..0 = 0x0: physical address 0xa000
        sim> use 2
        sim> read 0x40000
          [tlb-flush] another address space: the translation cache is emptied
          [walk] read at 0x00000000_00040000: the walk finds frame 2
              PML4 in frame 6: bits 47..39 = 0, entry at 0x6000: frame 7 [U W P]
              page directory pointer table in frame 7: bits 38..30 = 0, entry at 0x7000: frame 8 [U W P]
              page directory in frame 8: bits 29..21 = 0, entry at 0x8000: frame 9 [U W P]
              page table in frame 9: bits 20..12 = 64, entry at 0x9200: frame 2 [NX COW D U P]
              bits 11..0 = 0x0: physical address 0x2000
        0x00000000_00040000 holds 7
        sim> pages
        0x00000000_00040000  frame 2 [NX COW D A U P], 1 entries point at the frame
        the state after 6 of 7 commands
        exit code 0
    "#]],
    );
}

#[test]
fn help_lists_what_can_be_typed() {
    check(
        &[],
        "help\n",
        expect![[r#"
        Commands change the machine: map 4 pages rw at 0x40000, write 0x40000, fork, exec /usr/bin/true, maps,
        walk 0x40000, mmap(0, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0), ... (docs/sim.md lists them all).
          back         undo the last command          next         do it again
          jump N       go to the state after N commands
          diff A B     what differs between the states after A and after B commands
          go           carry all the rest out                list         the commands, and where one stands
          save FILE    write the commands down as a script
          quit
        exit code 0
    "#]],
    );
}
