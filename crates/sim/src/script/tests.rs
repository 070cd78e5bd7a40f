//! Scripts as a user writes them, and what comes of them.

use std::fmt::Write;

use expect_test::{Expect, expect};

use super::*;
use crate::machine::Config;
use crate::random::Random;

fn run(script: &str) -> (Session, String) {
    let mut session = Session::new(Config::default());
    session.add_all(script).expect("a script");
    let mut text = String::new();
    while let Some(done) = session.step(&mut NoFiles) {
        writeln!(text, "> {}", done.text).expect("text");
        for event in &done.events {
            writeln!(text, "  [{}] {}", event.code, event.text).expect("text");
        }
        text += &done.output;
        if let Some(error) = done.error {
            writeln!(text, "error: {error}").expect("text");
        }
        session.state().machine.check().expect("every frame is accounted for");
    }
    (session, text)
}

fn check(script: &str, expected: Expect) {
    expected.assert_eq(&run(script).1);
}

#[test]
fn fork_then_write_isolates() {
    check(
        "map 1 page rw at 0x40000\nwrite 0x40000 7\nfork\nwrite 0x40000 8\nread 0x40000\nuse 2\nread 0x40000\nwrite 0x40000 9\ntotals",
        expect![[r#"
            > map 1 page rw at 0x40000
              [process-new] process 1 (program): an empty address space
              [call] mmap(0x40000, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0x0)
              [hint-free] 0x00000000_00040000..0x00000000_00041000 the hint is free, so it is taken
              [new-region] 0x00000000_00040000..0x00000000_00041000 map: a new region
              [returned] mmap returns 0x40000
            > write 0x40000 7
              [walk-fault] page fault at 0x00000000_00040000 (error code: not present, write, user)
              [first-anon] 0x00000000_00040000..0x00000000_00041000 anon_vma 1: the first private page of the region: it gets its own anon_vma
              [new-page] frame 2 is zeroed for this page
              [walk] write at 0x00000000_00040000: the walk finds frame 2
            > fork
              [fork] process 2 begins as a copy of process 1
              [fork-shared] 1 pages are shared now: both sides lose the right to write, and bit 9 (COW) is set
            > write 0x40000 8
              [walk-fault] page fault at 0x00000000_00040000 (error code: protection, write, user)
              [cow-copy] copy on write: frame 2 had 2 owners, frame 10 is this process's copy
              [walk] write at 0x00000000_00040000: the walk finds frame 10
            > read 0x40000
              [tlb-hit] read at 0x00000000_00040000: the translation cache knows frame 10
            0x00000000_00040000 holds 8
            > use 2
            > read 0x40000
              [tlb-flush] another address space: the translation cache is emptied
              [walk] read at 0x00000000_00040000: the walk finds frame 2
            0x00000000_00040000 holds 7
            > write 0x40000 9
              [walk-fault] page fault at 0x00000000_00040000 (error code: protection, write, user)
              [cow-reuse] frame 2 is this process's alone by now: no copy, the entry becomes writable
              [walk] write at 0x00000000_00040000: the walk finds frame 2
            > totals
            11 frames in use (most 11): 0 shared, 8 page tables, 0 page cache
        "#]],
    );
}

#[test]
fn the_lecture_s_cases_of_mmap() {
    check(
        "map 48 pages r at 0x20000 fixed\nmmap(0x40000, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS, -1, 0)\nmaps",
        expect![[r#"
            > map 48 pages r at 0x20000 fixed
              [process-new] process 1 (program): an empty address space
              [call] mmap(0x20000, 196608, PROT_READ, MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS, -1, 0x0)
              [fixed] 0x00000000_00020000..0x00000000_00050000 MAP_FIXED takes exactly the address given
              [new-region] 0x00000000_00020000..0x00000000_00050000 map: a new region
              [returned] mmap returns 0x20000
            > mmap(0x40000, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS, -1, 0)
              [call] mmap(0x40000, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS, -1, 0x0)
              [fixed] 0x00000000_00040000..0x00000000_00041000 MAP_FIXED takes exactly the address given
              [replaced] 0x00000000_00040000..0x00000000_00041000 unmap: MAP_FIXED removes what was mapped there
              [new-region] 0x00000000_00040000..0x00000000_00041000 map: a new region
              [not-merged-below] 0x00000000_00040000..0x00000000_00041000 not merged with the previous region: their access differs
              [not-merged-above] 0x00000000_00040000..0x00000000_00041000 not merged with the next region: their access differs
              [returned] mmap returns 0x40000
            > maps
            00020000-00040000 r--p 00000000
            00040000-00041000 rw-p 00000000
            00041000-00050000 r--p 00000000
            ffffffffff600000-ffffffffff601000 --xp 00000000 [vsyscall]
        "#]],
    );
}

#[test]
fn a_stack_grows_until_its_limit() {
    check(
        "map 2 pages rw at 0x7fff0000 fixed growsdown\nlimit stack 4 pages\nwrite 0x7ffef000\nmaps\nwrite 0x7ffe0000\nprocesses",
        expect![[r#"
            > map 2 pages rw at 0x7fff0000 fixed growsdown
              [process-new] process 1 (program): an empty address space
              [call] mmap(0x7fff0000, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS|MAP_GROWSDOWN, -1, 0x0)
              [fixed] 0x00000000_7fff0000..0x00000000_7fff2000 MAP_FIXED takes exactly the address given
              [new-region] 0x00000000_7fff0000..0x00000000_7fff2000 map: a new region
              [returned] mmap returns 0x7fff0000
            > limit stack 4 pages
              [limit] limit of stack: 0x4000
            > write 0x7ffef000
              [walk-fault] page fault at 0x00000000_7ffef000 (error code: not present, write, user)
              [first-anon] 0x00000000_7fff0000..0x00000000_7fff2000 anon_vma 1: the first private page of the region: it gets its own anon_vma
              [stack-grown] 0x00000000_7ffef000..0x00000000_7fff0000 grow: touched below a region that grows down: it grows to the page
              [new-page] frame 2 is zeroed for this page
              [walk] write at 0x00000000_7ffef000: the walk finds frame 2
            > maps
            7ffef000-7fff2000 rw-p 00000000
            ffffffffff600000-ffffffffff601000 --xp 00000000 [vsyscall]
            > write 0x7ffe0000
              [walk-fault] page fault at 0x00000000_7ffe0000 (error code: not present, write, user)
              [stack-limit] 0x00000000_7ffe0000..0x00000000_7ffe1000 the region would exceed RLIMIT_STACK
              [signal] SIGSEGV: process 1 ends at 0x00000000_7ffe0000
              [memory-freed] the address space goes: 1 pages leave it, 1 frames become free
            > processes
                 1  parent      -  program  Killed { by: "SIGSEGV" }  0 pages  1 minor and 0 major faults, 0 copies
        "#]],
    );
}

#[test]
fn windows_reserves_and_commits_in_another_process() {
    check(
        "process a windows win32\nprocess b windows win32\nuse 1\nVirtualAllocEx(2, 0x500000, 0x20000, MEM_RESERVE, PAGE_READWRITE)\nalloc 1 page at 0x500000 commit in 2\nuse 2\nmaps\nwrite 0x500000\nwrite 0x501000",
        expect![[r#"
            > process a windows win32
              [process-new] process 1 (a): an empty address space laid out as win32
            > process b windows win32
              [process-new] process 2 (b): an empty address space laid out as win32
            > use 1
            > VirtualAllocEx(2, 0x500000, 0x20000, MEM_RESERVE, PAGE_READWRITE)
              [call] VirtualAllocEx(2, 0x500000, 0x20000, MEM_RESERVE, PAGE_READWRITE)
              [returned] returns 0x500000
            > alloc 1 page at 0x500000 commit in 2
              [call] VirtualAllocEx(2, 0x500000, 0x1000, MEM_COMMIT, PAGE_READWRITE)
              [edit] 0x00000000_00500000..0x00000000_00501000 map rw- anonymous: committed
              [returned] returns 0x500000
            > use 2
            > maps
            0x00000000_00500000..0x00000000_00501000 committed READWRITE VirtualAlloc
            0x00000000_00501000..0x00000000_00520000 reserved - VirtualAlloc
            > write 0x500000
              [walk-fault] page fault at 0x00000000_00500000 (error code: not present, write, user)
              [committed] the page is committed and its protection allows it
              [new-page] frame 3 is zeroed for this page
              [walk] write at 0x00000000_00500000: the walk finds frame 3
            > write 0x501000
              [walk-fault] page fault at 0x00000000_00501000 (error code: not present, write, user)
              [reserved-only] the page is reserved, and nobody committed it
              [signal] STATUS_ACCESS_VIOLATION: process 2 ends at 0x00000000_00501000
              [memory-freed] the address space goes: 1 pages leave it, 1 frames become free
        "#]],
    );
}

#[test]
fn cygwin_s_fork_fails_where_an_address_is_taken() {
    check(
        "process sh windows win32\nalloc 1 page at 0x20000000\nwrite 0x20000000 5\ncygwin-fork\nuse 2\nread 0x20000000",
        expect![[r#"
            > process sh windows win32
              [process-new] process 1 (sh): an empty address space laid out as win32
            > alloc 1 page at 0x20000000
              [call] VirtualAlloc(0x20000000, 0x1000, MEM_COMMIT|MEM_RESERVE, PAGE_READWRITE)
              [edit] 0x00000000_20000000..0x00000000_20001000 map rw- anonymous: committed
              [returned] returns 0x20000000
            > write 0x20000000 5
              [walk-fault] page fault at 0x00000000_20000000 (error code: not present, write, user)
              [committed] the page is committed and its protection allows it
              [new-page] frame 2 is zeroed for this page
              [walk] write at 0x00000000_20000000: the walk finds frame 2
            > cygwin-fork
              [cygwin-create] CreateProcess of the same program with the same command line: Windows knows no fork
              [process-new] process 2 (sh): an empty address space laid out as win32
              [cygwin-reserve] the child takes 0x1000 bytes at 0x00000000_20000000, as its parent has them
              [call] VirtualAlloc(0x20000000, 0x1000, MEM_RESERVE, PAGE_READWRITE)
              [returned] returns 0x20000000
              [call] VirtualAlloc(0x20000000, 0x1000, MEM_COMMIT, PAGE_READWRITE)
              [edit] 0x00000000_20000000..0x00000000_20001000 map rw- anonymous: committed
              [returned] returns 0x20000000
              [committed] the page is committed and its protection allows it
              [new-page] frame 7 is zeroed for this page
              [cygwin-copy] WriteProcessMemory copies 1 pages of VirtualAlloc into the child
              [cygwin-done] process 2 runs on from fork() with the parent's stack; every page was copied, none is shared
            > use 2
            > read 0x20000000
              [tlb-flush] another address space: the translation cache is emptied
              [walk] read at 0x00000000_20000000: the walk finds frame 7
            0x00000000_20000000 holds 5
        "#]],
    );
}

#[test]
fn errors_name_line_and_column() {
    for (line, message) in [
        ("mapp 4 pages", "line 3, column 1: \"mapp\" is no command"),
        ("map 4 pgs rw", "line 3, column 7: \"pgs\" are no rights"),
        ("map 4 pages rw at", "line 3, column 18: expected an address such as 0x40000 here"),
        ("munmap(0x1000", "line 3, column 14: the call has no closing bracket"),
        ("read 0x1000 5", "line 3, column 13: \"5\" is too much here"),
        ("mmap(0, 1, PROT_X, MAP_PRIVATE, -1, 0)", "line 3, column 12: \"PROT_X\" is no flag of mmap"),
    ] {
        let error = parse_line(line, 3).expect_err(line).to_string();
        assert!(error.starts_with(message), "{error}");
    }
    assert_eq!(parse_line("  # a remark", 1), Ok(Command::Nothing));
}

#[test]
fn back_and_forth_leads_to_the_same_states() {
    let script = "map 8 pages rw at 0x40000\nwrite 0x40000\nfork\nwrite 0x40000\nunmap 2 pages at 0x41000\nread 0x43000";
    let (mut session, _) = run(script);
    let end = session.diff(5, 6, &mut NoFiles).expect("inside");
    assert_eq!(end.added.len(), 2, "{end:?}");
    assert!(session.back(&mut NoFiles) && session.jump(2, &mut NoFiles));
    assert_eq!(session.state().machine.processes.len(), 1);
    assert!(session.jump(6, &mut NoFiles) && !session.jump(7, &mut NoFiles));
    assert_eq!(session.diff(5, 6, &mut NoFiles), Some(end));
    assert_eq!(session.diff(3, 3, &mut NoFiles), Some(Difference::default()));
}

/// Makes a script of random commands over a few pages.
fn random_script(seed: u64, steps: usize) -> String {
    let mut random = Random::new(seed);
    let mut script = String::from("file /f size 5 pages text \"abc\"\n");
    for _ in 0..steps {
        let (at, pages) = (0x10_0000 + random.below(24) * 4096, 1 + random.below(6));
        let place = format!("{pages} pages at {at:#x}");
        let rights = ["rw", "r", "none", "rwx"][random.below(4) as usize];
        let line = match random.below(16) {
            0 | 1 => format!("map {pages} pages {rights} at {at:#x} fixed"),
            2 => format!("map {pages} pages {rights} at {at:#x} fixed shared"),
            3 => format!("map {pages} pages {rights} at {at:#x} fixed file /f"),
            4 => format!("map {pages} pages {rights} at {at:#x} fixed shared file /f"),
            5 => format!("unmap {place}"),
            6 => format!("protect {place} {rights}"),
            7 => format!("mremap({at:#x}, {}, {}, MREMAP_MAYMOVE)", pages * 4096, random.below(8) * 4096),
            8 => format!("madvise({at:#x}, {}, MADV_DONTNEED)", pages * 4096),
            9 => "fork".to_owned(),
            10 => format!("use {}", 1 + random.below(6)),
            11 => ["exit", "wait", "vfork", "exit"][random.below(4) as usize].to_owned(),
            12 | 13 => format!("write {at:#x} {}", random.below(256)),
            _ => format!("read {at:#x}"),
        };
        script += &line;
        script.push('\n');
    }
    script
}

#[test]
fn counts_equal_entries_and_no_frame_is_lost() {
    for seed in 0..60 {
        let mut session = Session::new(Config { frames: 400, ..Config::default() });
        session.add_all(&random_script(seed, 150)).expect("a script");
        while session.step(&mut NoFiles).is_some() {
            let checked = session.state().machine.check();
            assert_eq!(checked, Ok(()), "seed {seed}, command {}", session.at());
        }
        // When everybody is gone, only the page of zeroes and the page cache are left.
        let mut machine = session.state().machine.clone();
        for _ in 0..2 {
            for pid in machine.processes.keys().copied().collect::<Vec<_>>() {
                let _ended = machine.exit(pid, 0);
            }
        }
        let totals = machine.totals();
        assert_eq!(totals.frames_in_use as usize, 1 + totals.cached_frames, "seed {seed}");
    }
}

#[test]
fn what_one_process_writes_privately_no_other_reads() {
    for seed in 0..40 {
        let mut random = Random::new(seed);
        let mut session = Session::new(Config::default());
        session.add_all("map 4 pages rw at 0x40000 fixed\n").expect("a script");
        session.step(&mut NoFiles);
        let mut state = session.state().clone();
        let mut model = std::collections::BTreeMap::from([(1, [0u8; 4])]);
        for _ in 0..80 {
            let pids: Vec<_> = model.keys().copied().collect();
            let pid = pids[random.below(pids.len() as u64) as usize];
            let page = random.below(4);
            let address = plat_regions::Address::new(0x40000 + page * 4096);
            match random.below(6) {
                0 if pids.len() < 5 => {
                    let child = state.machine.fork(pid).expect("runs").expect("allowed");
                    model.insert(child, model[&pid]);
                }
                1 | 2 => {
                    let value = random.below(256) as u8;
                    assert_eq!(state.machine.write(pid, address, value), Ok(None));
                    model.get_mut(&pid).expect("known")[page as usize] = value;
                }
                _ => {
                    let expected = model[&pid][page as usize];
                    assert_eq!(state.machine.read(pid, address), Ok(Ok(expected)), "seed {seed}");
                }
            }
            state.machine.check().expect("every frame is accounted for");
        }
    }
}

#[test]
fn tables_of_32_bits_hold_no_higher_address() {
    for format in [crate::paging::Format::TwoLevel, crate::paging::Format::Pae] {
        let mut session = Session::new(Config { format, ..Config::default() });
        session.add_all("map 1 page rw\nread 0x7fff00000000\nprocesses").expect("a script");
        let mapped = session.step(&mut NoFiles).expect("a command");
        assert!(
            mapped.events.iter().any(|event| event.text == "mmap returns 0xf7ffd000"),
            "{:?}",
            mapped.events
        );
        session.step(&mut NoFiles);
        assert!(session.step(&mut NoFiles).expect("a command").output.contains("SIGSEGV"));
        session.state().machine.check().expect("every frame is accounted for");
    }
}
