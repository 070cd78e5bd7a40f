//! One test for each rule of Windows: what a call answers, and the map after it.

use expect_test::{Expect, expect};

use crate::windows::{
    AllocationType, FreeKind, ImageRequest, MemoryKind, PageProtection, Request, RuleError, State,
    Transaction, ViewRequest, WindowsSpace,
};
use crate::{Address, AddressRange, Layout, Use};

const BASE: u64 = 0x0300_0000;
const RW: PageProtection = PageProtection::READWRITE;

fn at(offset: u64) -> Address {
    Address::new(BASE + offset)
}

fn space() -> WindowsSpace {
    WindowsSpace::new(&Layout::builtin("win32").expect("built in"))
}

/// Keeps a change and returns its edits, or the status of the refusal.
fn done<T>(outcome: Result<Transaction<'_, T>, RuleError>) -> String {
    match outcome {
        Ok(tx) => {
            let edits: String = tx.edits().iter().map(|edit| format!("{edit}\n")).collect();
            tx.commit();
            edits
        }
        Err(error) => format!("{:#x}\n", error.status()),
    }
}

/// A space with 16 pages reserved at `BASE`, of which the first `committed` are committed.
fn sixteen(committed: u64) -> WindowsSpace {
    let mut space = space();
    reserve(&mut space, 0, 0x1_0000, AllocationType::RESERVE);
    if committed > 0 {
        reserve(&mut space, 0, committed * 0x1000, AllocationType::COMMIT);
    }
    space
}

fn reserve(space: &mut WindowsSpace, offset: u64, size: u64, kind: AllocationType) -> String {
    let placeholder = kind.contains(AllocationType::RESERVE_PLACEHOLDER);
    let protection = if placeholder { PageProtection::NOACCESS } else { RW };
    done(space.allocate(&Request::new(size, kind, protection).at(at(offset)).owner("it")))
}

fn map(space: &WindowsSpace) -> String {
    let own = space.regions().filter(|region| !region.is_system);
    let line = |region: crate::windows::RegionInfo| {
        let state = if region.state == State::Commit { "commit" } else { "reserve" };
        let part = region.part.map_or(String::new(), |part| format!(" {part}"));
        let bits = region.protection.bits();
        format!("{} of {} {state} {bits:#x} {}{part}\n", region.range, region.allocation_base, region.owner)
    };
    own.map(line).collect()
}

fn check(space: &WindowsSpace, answers: &[String], expected: Expect) {
    expected.assert_eq(&format!("{}{}", answers.concat(), map(space)));
}

#[test]
fn decommit_takes_any_pages_and_size_0_only_at_the_base() {
    let mut space = sixteen(4);
    let answers = [
        done(space.free(at(0x1000), 0, FreeKind::Decommit)),
        done(space.free(at(0x1001), 0x1000, FreeKind::Decommit)),
        done(space.free(at(0x8000), 0x1000, FreeKind::Decommit)),
        done(space.free(at(0xffe), 0, FreeKind::Decommit)),
        done(space.free(at(0), 0x1_0001, FreeKind::Decommit)),
    ];
    check(
        &space,
        &answers,
        expect![[r#"
        0xc000009f
        0x00000000_03001000..0x00000000_03003000 discard: decommitted
        0x00000000_03000000..0x00000000_03001000 discard: decommitted
        0x00000000_03003000..0x00000000_03004000 discard: decommitted
        0xc000001a
        0x00000000_03000000..0x00000000_03010000 of 0x00000000_03000000 reserve 0x0 it
    "#]],
    );
}

#[test]
fn a_partial_release_splits_the_allocation() {
    let mut space = sixteen(4);
    let answers = [
        done(space.free(at(0x1000), 0x1000, FreeKind::Release)),
        done(space.free(at(0x1000), 0, FreeKind::Release)),
        done(space.free(at(0x3000), 0, FreeKind::Release)),
        done(space.free(at(0), 0x2000, FreeKind::Release)),
        reserve(&mut space, 0x1000, 0x1000, AllocationType::RESERVE),
    ];
    check(
        &space,
        &answers,
        expect![[r#"
        0x00000000_03001000..0x00000000_03002000 release: released
        0xc00000a0
        0xc000009f
        0xc000001a
        0x00000000_03000000..0x00000000_03001000 of 0x00000000_03000000 commit 0x4 it
        0x00000000_03001000..0x00000000_03002000 of 0x00000000_03001000 reserve 0x0 it
        0x00000000_03002000..0x00000000_03004000 of 0x00000000_03002000 commit 0x4 it
        0x00000000_03004000..0x00000000_03010000 of 0x00000000_03002000 reserve 0x0 it
    "#]],
    );
    let win32 = |base, size| space.check_win32_release(base, size).err().map(|error| error.status());
    assert_eq!(win32(at(0), 0), None);
    assert_eq!(win32(at(0), 0x1000), Some(0xc000_000d));
    assert_eq!(win32(at(0x3000), 0), Some(0xc000_009f));
}

#[test]
fn protect_needs_committed_pages_of_one_allocation() {
    let mut space = sixteen(2);
    let old = space.protect(at(0x1000), 1, PageProtection::READONLY).expect("committed").commit();
    assert_eq!(old, RW);
    let answers = [
        done(space.protect(at(0), 0x2000, PageProtection::READONLY)),
        done(space.protect(at(0x1000), 0x2000, RW)),
        done(space.protect(at(0), 0x1_1000, RW)),
        done(space.protect(at(0), 0x1000, PageProtection::WRITECOPY)),
        done(space.protect(at(0), 0x1000, RW | PageProtection::READONLY)),
        done(space.protect(at(0), 0, RW)),
        done(space.protect(Address::new(0x7ffe_0000), 1, RW)),
    ];
    check(
        &space,
        &answers,
        expect![[r#"
        0x00000000_03000000..0x00000000_03001000 protect r--: protection changed
        0xc000002d
        0xc0000018
        0xc0000045
        0xc0000045
        0xc00000f1
        0xc0000045
        0x00000000_03000000..0x00000000_03002000 of 0x00000000_03000000 commit 0x2 it
        0x00000000_03002000..0x00000000_03010000 of 0x00000000_03000000 reserve 0x0 it
    "#]],
    );
}

#[test]
fn a_guard_page_works_once() {
    let mut space = sixteen(3);
    let answers = [
        done(space.protect(at(0x1000), 0x2000, RW | PageProtection::GUARD)),
        done(space.touch_guard(at(0x1fff))),
        done(space.touch_guard(at(0x1fff))),
    ];
    check(
        &space,
        &answers,
        expect![[r#"
        0x00000000_03001000..0x00000000_03003000 protect ---: protection changed
        0x00000000_03001000..0x00000000_03002000 protect rw-: guard page was touched
        0xc0000005
        0x00000000_03000000..0x00000000_03002000 of 0x00000000_03000000 commit 0x4 it
        0x00000000_03002000..0x00000000_03003000 of 0x00000000_03000000 commit 0x104 it
        0x00000000_03003000..0x00000000_03010000 of 0x00000000_03000000 reserve 0x0 it
    "#]],
    );
}

#[test]
fn query_answers_from_the_page_up() {
    let space = sixteen(2);
    let run = |address| space.query(Address::new(address));
    let show = |run: crate::windows::Run| {
        let (state, protection) = (run.state.bits(), run.protection.bits());
        format!("{} {:#x} {state:#x} {protection:#x} {:?}\n", run.base, run.size, run.allocation_base)
    };
    let asked = [BASE - 0x1800, BASE + 0x1234, BASE + 0x2000, BASE + 0x1_0000, 0];
    let text: String = asked.into_iter().filter_map(run).map(show).collect();
    expect![[r#"
        0x00000000_02ffe000 0x2000 0x10000 0x1 None
        0x00000000_03001000 0x1000 0x1000 0x4 Some(0x3000000)
        0x00000000_03002000 0xe000 0x2000 0x0 Some(0x3000000)
        0x00000000_03010000 0x7cfd0000 0x10000 0x1 None
        0x00000000_00000000 0x3000000 0x10000 0x1 None
    "#]]
    .assert_eq(&text);
    assert_eq!(run(0x7fff_0000), None);
}

#[test]
fn written_pages_are_listed_ascending_and_reset() {
    let mut space = space();
    let kind = AllocationType::RESERVE | AllocationType::COMMIT | AllocationType::WRITE_WATCH;
    reserve(&mut space, 0, 0x4000, kind);
    let range = AddressRange { start: at(0), end: at(0x4000) };
    for offset in [0x3008, 0x1000, 0x2fff] {
        assert!(space.mark_written(at(offset)));
    }
    assert_eq!(space.take_written(range, 2, true), Ok(vec![at(0x1000), at(0x2000)]));
    done(space.protect(at(0), 0x4000, PageProtection::READONLY));
    assert_eq!(space.take_written(range, 9, false), Ok(vec![at(0x3000)]));
    space.free(at(0), 0, FreeKind::Release).expect("whole").roll_back();
    assert_eq!(space.take_written(range, 9, false), Ok(vec![at(0x3000)]));
    done(space.free(at(0), 0, FreeKind::Release));
    assert!(!space.mark_written(at(0)) && space.take_written(range, 9, false).is_err());
}

#[test]
fn placeholders_are_cut_replaced_and_joined() {
    type T = AllocationType;
    let mut space = space();
    let answers = [
        reserve(&mut space, 0, 0x1_0000, T::RESERVE | T::RESERVE_PLACEHOLDER),
        done(space.free(at(0), 0x1_0000, FreeKind::ReleasePreserve)),
        done(space.free(at(0x1000), 0x1000, FreeKind::ReleasePreserve)),
        reserve(&mut space, 0x1000, 0x2000, T::RESERVE | T::REPLACE_PLACEHOLDER),
        reserve(&mut space, 0x1000, 0x1000, T::RESERVE | T::COMMIT | T::REPLACE_PLACEHOLDER),
        done(space.free(at(0), 0x1_0000, FreeKind::Coalesce)),
        done(space.free(at(0x1000), 0x1000, FreeKind::ReleasePreserve)),
        done(space.free(at(0), 0x1000, FreeKind::Coalesce)),
        done(space.free(at(0), 0x2000, FreeKind::Coalesce)),
    ];
    check(
        &space,
        &answers,
        expect![[r#"
        0xc0000018
        0xc0000018
        0x00000000_03001000..0x00000000_03002000 map rw- anonymous: committed
        0xc0000018
        0x00000000_03001000..0x00000000_03002000 release: turned back into a placeholder
        0xc0000018
        0x00000000_03000000..0x00000000_03002000 of 0x00000000_03000000 reserve 0x0 it
        0x00000000_03002000..0x00000000_03010000 of 0x00000000_03002000 reserve 0x0 it
    "#]],
    );
}

fn image(relocatable: bool) -> ImageRequest {
    let parts = vec![
        (0, 0x1000, "headers".into(), PageProtection::READONLY),
        (0x1000, 0x1800, ".text".into(), PageProtection::EXECUTE_READ),
        (0x4000, 0x1000, ".data".into(), RW),
    ];
    let (preferred, owner) = (Some(at(0)), "a.dll".into());
    ImageRequest { size: 0x5000, preferred, relocatable, purpose: Use::Image, owner, parts }
}

#[test]
fn an_image_lies_at_its_base_or_says_why_not() {
    let mut space = space();
    let answers = [done(space.map_image(&image(false))), done(space.map_image(&image(false)))];
    let moved = space.map_image(&image(true)).expect("room").commit();
    let reason = format!("{} {} {}\n", moved.range, moved.moved, moved.reason);
    let freed = done(space.free(at(0), 0, FreeKind::Release));
    let unmapped = done(space.unmap(moved.range.start));
    let again = done(space.unmap(moved.range.start));
    check(
        &space,
        &[answers.concat(), reason, freed, unmapped, again],
        expect![[r#"
        0x00000000_03000000..0x00000000_03001000 map r-- anonymous: part of an image
        0x00000000_03001000..0x00000000_03003000 map r-x anonymous: part of an image
        0x00000000_03003000..0x00000000_03004000 map --- anonymous: part of an image
        0x00000000_03004000..0x00000000_03005000 map rw- anonymous: part of an image
        0xc0000018
        0x00000000_00400000..0x00000000_00405000 true preferred base 0x00000000_03000000 is taken by a.dll
        0xc000001b
        0x00000000_00400000..0x00000000_00405000 release: unmapped
        0xc0000019
        0x00000000_03000000..0x00000000_03001000 of 0x00000000_03000000 commit 0x2 a.dll headers
        0x00000000_03001000..0x00000000_03003000 of 0x00000000_03000000 commit 0x20 a.dll .text
        0x00000000_03003000..0x00000000_03004000 of 0x00000000_03000000 commit 0x1 a.dll
        0x00000000_03004000..0x00000000_03005000 of 0x00000000_03000000 commit 0x8 a.dll .data
    "#]],
    );
    assert_eq!(space.query(at(0)).and_then(|run| run.kind), Some(MemoryKind::Image));
}

#[test]
fn views_of_memory_can_be_committed_again() {
    let mut space = space();
    let mut view = ViewRequest {
        base: Some(at(0)),
        size: 0x3000,
        offset: 0,
        protection: PageProtection::EXECUTE_READWRITE,
        purpose: Use::Private,
        owner: "memory".into(),
        reserve_only: false,
        of_memory: true,
    };
    let commit =
        |space: &mut WindowsSpace, offset, protection| {
            done(space.allocate(
                &Request::new(0x1000, AllocationType::COMMIT, protection).at(at(offset)).owner("it"),
            ))
        };
    let mut answers = vec![done(space.map_view(&view))];
    answers.push(commit(&mut space, 0x1000, PageProtection::EXECUTE_READ));
    answers.push(commit(&mut space, 0x1000, PageProtection::READWRITE));
    answers.push(commit(&mut space, 0x3000, PageProtection::READWRITE));
    // What the view does not allow, a commit does not give.
    (view.base, view.protection) = (Some(at(0x1_0000)), PageProtection::READONLY);
    answers.push(done(space.map_view(&view)));
    answers.push(commit(&mut space, 0x1_0000, PageProtection::READWRITE));
    check(
        &space,
        &answers,
        expect![[r#"
        0x00000000_03000000..0x00000000_03003000 map rwx view+0x0: view of a section
        0x00000000_03001000..0x00000000_03002000 protect r-x: protection changed
        0x00000000_03001000..0x00000000_03002000 protect rw-: protection changed
        0xc0000018
        0x00000000_03010000..0x00000000_03013000 map r-- view+0x0: view of a section
        0xc000004e
        0x00000000_03000000..0x00000000_03001000 of 0x00000000_03000000 commit 0x40 memory
        0x00000000_03001000..0x00000000_03002000 of 0x00000000_03000000 commit 0x4 memory
        0x00000000_03002000..0x00000000_03003000 of 0x00000000_03000000 commit 0x40 memory
        0x00000000_03010000..0x00000000_03013000 of 0x00000000_03010000 commit 0x2 memory
    "#]],
    );
}

#[test]
fn views_are_mapped_at_64_kib_and_unmapped_whole() {
    let mut space = space();
    let mut view = ViewRequest {
        base: Some(at(0)),
        size: 0x1800,
        offset: 0x1_0000,
        protection: PageProtection::READONLY,
        purpose: Use::Private,
        owner: "file".into(),
        reserve_only: false,
        of_memory: false,
    };
    let mut answers = vec![done(space.map_view(&view)), done(space.map_view(&view))];
    view.base = Some(at(0x1000));
    answers.push(done(space.map_view(&view)));
    answers.push(reserve(&mut space, 0, 0x1000, AllocationType::COMMIT));
    check(
        &space,
        &answers,
        expect![[r#"
        0x00000000_03000000..0x00000000_03002000 map r-- view+0x10000: view of a section
        0xc0000018
        0xc0000220
        0xc0000021
        0x00000000_03000000..0x00000000_03002000 of 0x00000000_03000000 commit 0x2 file
    "#]],
    );
    assert_eq!(space.unmap(at(0x1fff)).expect("a view").commit().size(), 0x2000);
}

#[test]
fn extreme_values_are_refused_without_a_panic() {
    let mut space = sixteen(1);
    let before = map(&space);
    for value in [u64::MAX, u64::MAX - 0xffff, 1 << 63] {
        let high = Address::new(value);
        let mut huge = image(true);
        (huge.size, huge.preferred) = (value, Some(high));
        assert!(space.map_image(&huge).is_err());
        huge = image(false);
        huge.parts[1].1 = value;
        assert!(space.map_image(&huge).is_err());
        assert!(space.allocate_stack(value, value, "stack".into()).is_err());
        assert!(space.unmap(high).is_err() && space.touch_guard(high).is_err());
        for kind in [FreeKind::Release, FreeKind::ReleasePreserve, FreeKind::Coalesce, FreeKind::Decommit] {
            assert!(space.free(high, value, kind).is_err() && space.free(at(0), value, kind).is_err());
        }
        assert!(space.take_written(AddressRange { start: high, end: at(0) }, 1, true).is_err());
        assert_eq!(space.query(high), None);
    }
    assert_eq!(map(&space), before);
}
