//! Rules of Linux, one by one: scripts of calls and the maps that they end with.
//!
//! The names are those of the case lists of Linux's own tests where there is one: docs/sim-cases.md is the table.

mod policies;
mod script;

use expect_test::{Expect, expect};
use script::{explain, run};

fn check(text: &str, expected: Expect) {
    expected.assert_eq(&run(text));
}

/// Declares tests: a name, a script, and what it prints.
macro_rules! rules {
    ($($name:ident: $script:literal => $expected:expr;)*) => {
        $(#[test]
        fn $name() {
            check($script, $expected);
        })*
    };
}

// tools/testing/vma: simple merges, splits and shrinking; merges with what is new.
rules! {
    simple_merge_of_three: "
        map 0+1 rw fixed
        map 2+1 rw fixed
        map 1+1 rw fixed" => expect![[r#"
            [0, 3) rw-p
        "#]];
    simple_modify_splits_in_three: "
        map 0+3 rw fixed
        protect 1+1 r" => expect![[r#"
            [0, 1) rw-p
            [1, 2) r--p
            [2, 3) rw-p
        "#]];
    simple_expand: "
        map 0+1 rw fixed
        map 1+2 rw fixed" => expect![[r#"
            [0, 3) rw-p
        "#]];
    simple_shrink: "
        map 0+3 rw fixed
        unmap 1+2" => expect![[r#"
            [0, 1) rw-p
        "#]];
    merge_new_touches_nothing: "
        map 0+1 rw fixed
        map 2+1 rw fixed" => expect![[r#"
            [0, 1) rw-p
            [2, 3) rw-p
        "#]];
    merge_new_with_next: "
        map 1+1 rw fixed
        map 0+1 rw fixed" => expect![[r#"
            [0, 2) rw-p
        "#]];
    merge_new_not_with_other_access: "
        map 0+1 r fixed
        map 1+1 rw fixed
        map 2+1 rx fixed" => expect![[r#"
            [0, 1) r--p
            [1, 2) rw-p
            [2, 3) r-xp
        "#]];
    merge_new_not_across_files: "
        map 0+2 r fixed file:1:0
        map 2+2 r fixed file:3:2
        map 4+2 r fixed file:3:4
        map 6+2 r fixed file:3:7" => expect![[r#"
            [0, 2) r--p file+0
            [2, 6) r--p file+2
            [6, 8) r--p file+7
        "#]];
    shared_objects_never_merge: "
        map 0+2 rw fixed shared
        map 2+2 rw fixed shared" => expect![[r#"
            [0, 2) rw-s file+0
            [2, 4) rw-s file+0
        "#]];
    shared_object_rejoins_after_split: "
        map 0+4 rw fixed shared
        protect 1+1 r
        protect 1+1 rw" => expect![[r#"
            [0, 4) rw-s file+0
        "#]];
    merge_existing_left_right_both: "
        map 0+12 rw fixed
        protect 4+4 r
        protect 4+2 rw
        protect 7+1 rw
        protect 6+1 rw" => expect![[r#"
            [0, 12) rw-p
        "#]];
    merge_existing_inner_range_splits: "
        map 0+10 rw fixed
        advise 3+4 MADV_DONTFORK
        advise 4+2 MADV_DOFORK" => expect![[r#"
            [0, 3) rw-p
            [3, 4) rw-p DONT_FORK
            [4, 6) rw-p
            [6, 7) rw-p DONT_FORK
            [7, 10) rw-p
        "#]];
    account_keeps_regions_apart: "
        map 0+2 rw fixed
        write 0
        protect 0+2 r
        map 2+2 r fixed" => expect![[r#"
            [0, 2) r--p anon 1
            [2, 4) r--p
        "#]];
    account_is_dropped_without_pages: "
        map 0+2 rw fixed
        protect 0+2 r
        map 2+2 r fixed" => expect![[r#"
            [0, 4) r--p
        "#]];
    noreserve_keeps_regions_apart: "
        map 0+2 rw fixed
        map 2+2 rw fixed noreserve" => expect![[r#"
            [0, 2) rw-p
            [2, 4) rw-p NO_RESERVE
        "#]];
    flags_cleared_merge_again: "
        map 0+6 rw fixed
        lock 2+2
        unlock 2+2
        advise 1+3 MADV_SEQUENTIAL
        advise 1+3 MADV_NORMAL" => expect![[r#"
            [0, 6) rw-p anon 1
        "#]];
}

// Owners of anonymous pages: tools/testing/vma anon_vma_non_mergeable and dup_anon_vma; selftests/mm/merge.c.
rules! {
    anon_vma_non_mergeable: "
        map 0+4 rw fixed
        map 8+4 rw fixed
        write 0
        write 8
        map 4+4 rw fixed" => expect![[r#"
            [0, 8) rw-p anon 1
            [8, 12) rw-p anon 2
        "#]];
    dup_anon_vma_to_unfaulted: "
        map 0+2 rw fixed
        map 2+2 r fixed
        write 0
        protect 0+2 r
        protect 2+2 rw
        protect 0+2 rw" => expect![[r#"
            [0, 4) rw-p anon 1
        "#]];
    reusable_anon_vma_across_access: "
        map 0+2 rw fixed
        map 2+2 rwx fixed
        write 0
        write 2
        protect 2+2 rw" => expect![[r#"
            [0, 4) rw-p anon 1
        "#]];
    mprotect_unfaulted_left: "
        map 0+6 rw fixed
        protect 0+2 r
        write 3
        protect 0+2 rw" => expect![[r#"
            [0, 6) rw-p anon 1
        "#]];
    mprotect_unfaulted_right: "
        map 0+6 rw fixed
        protect 4+2 r
        write 1
        protect 4+2 rw" => expect![[r#"
            [0, 6) rw-p anon 1
        "#]];
    mprotect_unfaulted_both: "
        map 0+9 rw fixed noreserve
        protect 0+3 r
        protect 6+3 r
        write 4
        protect 3+3 r" => expect![[r#"
            [0, 9) r--p anon 1 NO_RESERVE
        "#]];
    mprotect_faulted_left_unfaulted_right: "
        map 0+9 rw fixed noreserve
        protect 6+3 r
        write 1
        protect 3+3 r" => expect![[r#"
            [0, 3) rw-p anon 1 NO_RESERVE
            [3, 9) r--p anon 1 NO_RESERVE
        "#]];
    forked_target_vma: "
        map 0+4 rw fixed
        write 0
        fork
        map 4+4 rw fixed" => expect![[r#"
            [0, 4) rw-p anon 2 (forked)
            [4, 8) rw-p
        "#]];
    forked_source_vma: "
        map 0+4 rw fixed noreserve
        write 0
        fork
        map 4+4 rwx fixed noreserve
        protect 0+4 rwx" => expect![[r#"
            [0, 4) rwxp anon 2 (forked) NO_RESERVE
            [4, 8) rwxp NO_RESERVE
        "#]];
    merge_with_fork_unfaulted_in_parent: "
        map 0+4 rw fixed
        fork
        map 4+4 rw fixed
        write 5" => expect![[r#"
            [0, 8) rw-p anon 1
        "#]];
    fork_gives_each_region_its_owner: "
        map 0+4 rw fixed
        write 0
        protect 2+2 r
        fork
        protect 2+2 rw" => expect![[r#"
            [0, 2) rw-p anon 2 (forked)
            [2, 4) rw-p anon 3 (forked)
        "#]];
    ksm_merge: "
        map 0+4 rw fixed
        advise 0+2 MADV_MERGEABLE
        advise 2+2 MADV_MERGEABLE" => expect![[r#"
            [0, 4) rw-p MERGEABLE
        "#]];
}

// mremap: selftests/mm/merge.c mremap_*, mremap_test.c; tools/testing/vma copy_vma, merge_extend, expand_only_mode.
rules! {
    mremap_unfaulted_to_faulted: "
        map 0+4 rw fixed
        write 0
        map 100+4 rw fixed
        remap 100+4 4 to 4" => expect![[r#"
            [0, 8) rw-p anon 1
        "#]];
    mremap_faulted_to_unfaulted: "
        map 0+4 rw fixed
        map 100+4 rw fixed
        write 100
        remap 100+4 4 to 4" => expect![[r#"
            [0, 4) rw-p
            [4, 8) rw-p anon 1
        "#]];
    mremap_correct_placed_faulted: "
        map 0+6 rw fixed
        write 0
        remap 2+2 2 to 100
        remap 100+2 2 to 2" => expect![[r#"
            [0, 6) rw-p anon 1
        "#]];
    mremap_faulted_keeps_page_numbers: "
        map 0+2 rw fixed
        write 0
        remap 0+2 2 to 10
        map 12+2 rw fixed" => expect![[r#"
            [10, 12) rw-p anon 1
            [12, 14) rw-p
        "#]];
    merge_extend_grows_in_place_and_joins: "
        map 0+2 rw fixed
        map 4+2 rw fixed
        remap 0+2 4" => expect![[r#"
            [0, 6) rw-p
        "#]];
    mremap_blocked_without_maymove: "
        map 0+2 rw fixed
        map 2+2 r fixed
        remap 0+2 4" => expect![[r#"
            remap 0+2 4: ENOMEM: there is no room to grow in place, and MREMAP_MAYMOVE is not given
            [0, 2) rw-p
            [2, 4) r--p
        "#]];
    mremap_moves_when_it_may: "
        map 0+2 rw fixed
        map 2+2 r fixed
        remap 0+2 4 move" => expect![[r#"
            [2, 4) r--p
            [top-4, top-0) rw-p
        "#]];
    mremap_dontunmap_keeps_the_source: "
        map 0+2 rw fixed
        write 0
        remap 0+2 2 move keep" => expect![[r#"
            [0, 2) rw-p
            [top-2, top-0) rw-p anon 1
        "#]];
    mremap_moves_many: "
        map 0+2 rw fixed
        map 3+2 r fixed
        remap 0+6 6 to 100" => expect![[r#"
            [100, 102) rw-p
            [103, 105) r--p
        "#]];
    mremap_moves_many_not_from_a_hole: "
        map 1+2 rw fixed
        remap 0+4 4 to 100" => expect![[r#"
            remap 0+4 4 to 100: EFAULT: no region holds the address
            [1, 3) rw-p
        "#]];
    mremap_duplicates_shared_only: "
        map 0+2 rw fixed shared
        map 10+2 rw fixed
        remap 0+0 2 to 20
        remap 10+0 2 to 30" => expect![[r#"
            remap 10+0 2 to 30: EINVAL: this kind of region does not allow it
            [0, 2) rw-s file+0
            [10, 12) rw-p
            [20, 22) rw-s file+0
        "#]];
    mremap_shrinks_across_regions: "
        map 0+2 rw fixed
        map 2+2 r fixed
        remap 0+4 1" => expect![[r#"
            [0, 1) rw-p
        "#]];
    mremap_errors: "
        map 0+4 rw fixed
        remap 0+4 0 move
        remap 0+8 9 move
        remap 9+1 2 move
        remap 0+4 4 to 2" => expect![[r#"
            remap 0+4 0 move: EINVAL: the length is 0
            remap 0+8 9 move: EFAULT: the old range crosses the end of its region
            remap 9+1 2 move: EFAULT: no region holds the address
            remap 0+4 4 to 2: EINVAL: the old and the new range overlap
            [0, 4) rw-p
        "#]];
}

// mmap's addresses and errors; map_fixed_noreplace.c.
rules! {
    hint_is_taken_when_free: "
        map 5+1 rw" => expect![[r#"
            [5, 6) rw-p
        "#]];
    busy_hint_is_forgotten: "
        map 5+2 rw
        map 6+2 r" => expect![[r#"
            [5, 7) rw-p
            [top-2, top-0) r--p
        "#]];
    top_down_from_mmap_base: "
        map top+2 rw
        map top+2 r
        map top+2 rx" => expect![[r#"
            [top-6, top-4) r-xp
            [top-4, top-2) r--p
            [top-2, top-0) rw-p
        "#]];
    huge_multiples_are_aligned: "
        map top+512 rw
        map top+513 r" => expect![[r#"
            [top-1536, top-1023) r--p
            [top-1023, top-511) rw-p
        "#]];
    fixed_replaces: "
        map 0+2 rw fixed
        map 2+2 r fixed
        map 4+2 rw fixed
        map 0+6 rw fixed" => expect![[r#"
            [0, 6) rw-p
        "#]];
    fixed_noreplace_refuses: "
        map 0+5 rw fixed
        map 0+5 rw noreplace
        map 1+3 rw noreplace
        map 4+5 rw noreplace
        map 5+5 r noreplace" => expect![[r#"
            map 0+5 rw noreplace: EEXIST: MAP_FIXED_NOREPLACE refuses to replace a region
            map 1+3 rw noreplace: EEXIST: MAP_FIXED_NOREPLACE refuses to replace a region
            map 4+5 rw noreplace: EEXIST: MAP_FIXED_NOREPLACE refuses to replace a region
            [0, 5) rw-p
            [5, 10) r--p
        "#]];
    low_2gb_from_the_bottom: "
        map top+1 rw low
        map top+1 r low" => expect![[r#"
            [0x40000000, 0x40001000) rw-p
            [0x40001000, 0x40002000) r--p
        "#]];
    mmap_errors: "
        map 0+0 rw
        map 0+1 rw shared down
        map 0+1 rw shared file:1:0
        map 0+1 rw noreplace file:1:0" => expect![[r#"
            map 0+0 rw: EINVAL: the length is 0
            map 0+1 rw shared down: EINVAL: the flags do not go together or are not known
            map 0+1 rw shared file:1:0: EACCES: the file was not opened for writing
            [0, 1) rw-p file+0
        "#]];
}

// munmap, mprotect, madvise, mlock.
rules! {
    munmap_of_holes_succeeds: "
        map 2+2 rw fixed
        map 6+2 rw fixed
        unmap 0+7
        unmap 20+5" => expect![[r#"
            [7, 8) rw-p
        "#]];
    mprotect_stops_at_a_hole: "
        map 0+4 rw fixed
        map 8+4 rw fixed
        protect 0+12 r" => expect![[r#"
            protect 0+12 r: ENOMEM: the parts below the hole stay changed
            [0, 4) r--p
            [8, 12) rw-p
        "#]];
    mprotect_respects_the_file: "
        map 0+4 r fixed shared file:1:0
        protect 0+4 rw
        map 8+4 r fixed file:1:0
        protect 8+4 rw" => expect![[r#"
            protect 0+4 rw: EACCES: the mapping's object was opened without the right
            [0, 4) r--s file+0
            [8, 12) rw-p file+0
        "#]];
    madvise_goes_on_after_a_hole: "
        map 0+2 rw fixed
        map 4+2 rw fixed
        advise 0+6 MADV_DONTFORK" => expect![[r#"
            advise 0+6 MADV_DONTFORK: ENOMEM: part of the range is not mapped
            [0, 2) rw-p DONT_FORK
            [4, 6) rw-p DONT_FORK
        "#]];
    madvise_is_refused_by_kind: "
        map 0+2 rw fixed shared
        map 4+2 rw fixed
        lock 4+2
        advise 0+2 MADV_WIPEONFORK
        advise 0+2 MADV_FREE
        advise 4+2 MADV_DONTNEED
        advise 4+2 MADV_DONTNEED_LOCKED" => expect![[r#"
            advise 0+2 MADV_WIPEONFORK: EINVAL: this kind of region does not allow it
            advise 0+2 MADV_FREE: EINVAL: this kind of region does not allow it
            advise 4+2 MADV_DONTNEED: EINVAL: this kind of region does not allow it
            [0, 2) rw-s file+0
            [4, 6) rw-p anon 1 LOCKED
        "#]];
    fork_drops_and_wipes: "
        map 0+2 rw fixed
        map 2+2 rw fixed
        map 4+2 rw fixed
        write 0
        lock 4+2
        advise 0+2 MADV_DONTFORK
        advise 2+2 MADV_WIPEONFORK
        fork" => expect![[r#"
            [2, 4) rw-p WIPE_ON_FORK
            [4, 6) rw-p anon 2 (forked)
        "#]];
    mlock_splits_and_stops_at_a_hole: "
        map 0+4 rw fixed
        lock 2+4" => expect![[r#"
            lock 2+4: ENOMEM: the parts below the hole stay changed
            [0, 2) rw-p
            [2, 4) rw-p LOCKED
        "#]];
    mlock_of_no_access_is_marked_and_refused: "
        map 0+2 none fixed
        lock 0+2" => expect![[r#"
            lock 0+2: ENOMEM: the region's access does not let the kernel fetch its pages
            [0, 2) ---p LOCKED
        "#]];
}

// Limits and overcommit; gVisor's UsageAS, DataAS, BrkDataLimit.
rules! {
    usage_as: "
        limit as 4
        map 0+3 rw fixed
        map 4+2 rw fixed
        unmap 0+1
        map 4+2 r fixed" => expect![[r#"
            map 4+2 rw fixed: ENOMEM: the process would exceed RLIMIT_AS
            [1, 3) rw-p
            [4, 6) r--p
        "#]];
    data_as: "
        limit data 4
        map 0+3 rw fixed
        map 4+2 rw fixed
        map 8+2 r fixed
        protect 8+2 rw
        map 12+8 rw fixed shared" => expect![[r#"
            map 4+2 rw fixed: ENOMEM: the process would exceed RLIMIT_DATA
            protect 8+2 rw: ENOMEM: the process would exceed RLIMIT_DATA
            [0, 3) rw-p
            [8, 10) r--p
            [12, 20) rw-s file+0
        "#]];
    brk_data_limit: "
        limit data 4
        brk 4
        brk 5" => expect![[r#"
            [4096, 4100) rw-p
        "#]];
    mlockall_of_the_future_alone_lets_the_present_be: "
        map 0+2 rw
        lockall future
        map 4+2 rw
        lockall current on_fault
        map 8+2 rw
        unlockall" => expect![[r#"
            [0, 2) rw-p
            [4, 6) rw-p anon 1
            [8, 10) rw-p
        "#]];
    mlockall_locks_what_it_can: "
        map 0+2 rw
        map 4+2 none
        lockall current future
        map 8+2 rw
        map 12+2 r file:2:0 shared" => expect![[r#"
            [0, 2) rw-p anon 1 LOCKED
            [4, 6) ---p LOCKED
            [8, 10) rw-p anon 2 LOCKED
            [12, 14) r--s file+0 LOCKED
        "#]];
    mlockall_errors: "
        map 0+3 rw
        lockall
        lockall on_fault
        limit locked 2
        lockall current
        lockall future
        map 4+2 rw
        map 8+1 rw
        limit locked 0
        lockall future" => expect![[r#"
            lockall: EINVAL: the flags do not go together or are not known
            lockall on_fault: EINVAL: the flags do not go together or are not known
            lockall current: ENOMEM: the process would exceed RLIMIT_MEMLOCK
            map 8+1 rw: EAGAIN: the process would exceed RLIMIT_MEMLOCK
            lockall future: EPERM: RLIMIT_MEMLOCK is 0, so nothing may be locked
            [0, 3) rw-p
            [4, 6) rw-p anon 1 LOCKED
        "#]];
    mprotect_grows_up_nowhere: "
        map 0+2 rw
        protect 0+1 r up
        protect 0+1 r up down
        protect 4+1 r up" => expect![[r#"
            protect 0+1 r up: EINVAL: this kind of region does not allow it
            protect 0+1 r up down: EINVAL: the flags do not go together or are not known
            protect 4+1 r up: ENOMEM: part of the range is not mapped
            [0, 2) rw-p
        "#]];
    pageout_like_cold_is_not_for_locked_regions: "
        map 0+2 rw
        lock 1+1
        advise 0+2 MADV_PAGEOUT" => expect![[r#"
            advise 0+2 MADV_PAGEOUT: EINVAL: this kind of region does not allow it
            [0, 1) rw-p
            [1, 2) rw-p anon 1 LOCKED
        "#]];
    sealed_file_is_shared_to_be_read: "
        map 0+1 rw file:2!:0 shared
        map 2+1 r file:2!:0 shared
        protect 2+1 rw
        map 4+1 rw file:2!:0
        protect 4+1 r
        map 6+1 r file:1!:0 shared" => expect![[r#"
            map 0+1 rw file:2!:0 shared: EPERM: the file is sealed: nobody maps it to write so that all see it
            protect 2+1 rw: EACCES: the mapping's object was opened without the right
            [2, 3) r--s file+0
            [4, 5) r--p file+0
            [6, 7) r--s file+0
        "#]];
    data_limit_of_zero_is_for_brk_alone: "
        limit data 0
        brk 1
        map 0+1 rw" => expect![[r#"
            [0, 1) rw-p
        "#]];
    locked_limit: "
        limit locked 3
        map 0+4 rw fixed
        lock 0+3
        lock 0+4
        map 8+1 rw locked
        limit locked 0
        lock 0+1" => expect![[r#"
            lock 0+4: ENOMEM: the process would exceed RLIMIT_MEMLOCK
            map 8+1 rw locked: EAGAIN: the process would exceed RLIMIT_MEMLOCK
            lock 0+1: EPERM: RLIMIT_MEMLOCK is 0, so nothing may be locked
            [0, 3) rw-p anon 1 LOCKED
            [3, 4) rw-p
        "#]];
    madvise_at_the_limit_on_regions_is_told_to_try_again: "
        map 0+6 rw fixed
        limit maps 1
        advise 2+1 MADV_DONTDUMP
        lock 2+1
        protect 2+1 r" => expect![[r#"
            advise 2+1 MADV_DONTDUMP: EAGAIN: the process would exceed vm.max_map_count regions
            lock 2+1: ENOMEM: the process would exceed vm.max_map_count regions
            protect 2+1 r: ENOMEM: the process would exceed vm.max_map_count regions
            [0, 6) rw-p
        "#]];
    a_mapping_that_is_refused_leaves_its_cuts_even_past_the_limit_on_regions: "
        map 0+4 rw fixed
        limit maps 1
        limit as 5
        map 3+4 rw fixed" => expect![[r#"
            map 3+4 rw fixed: ENOMEM: the process would exceed RLIMIT_AS
            [0, 3) rw-p
            [3, 4) rw-p
        "#]];
    map_count_limit: "
        limit maps 3
        map 0+6 rw fixed
        protect 2+1 r
        unmap 1+1
        unmap 4+1
        unmap 3+1" => expect![[r#"
            unmap 4+1: ENOMEM: the process would exceed vm.max_map_count regions
            [0, 1) rw-p
            [2, 3) r--p
            [4, 6) rw-p
        "#]];
    overcommit_never: "
        limit commit 4
        map 0+4 rw fixed
        map 8+1 rw fixed
        map 9+1 rw fixed noreserve
        map 12+9 r fixed
        protect 12+1 rw" => expect![[r#"
            map 8+1 rw fixed: ENOMEM: the kernel does not promise so much memory
            map 9+1 rw fixed noreserve: ENOMEM: the kernel does not promise so much memory
            protect 12+1 rw: ENOMEM: the kernel does not promise so much memory
            [0, 4) rw-p
            [12, 21) r--p
        "#]];
    fork_is_promised_region_by_region: "
        limit guess 100
        map 0+60 rw fixed
        map 100+60 rw fixed
        fork" => expect![[r#"
            [0, 60) rw-p
            [100, 160) rw-p
        "#]];
    overcommit_guess: "
        limit guess 100
        map 0+101 rw fixed
        map 0+101 rw fixed noreserve
        map 200+101 rw fixed shared" => expect![[r#"
            map 0+101 rw fixed: ENOMEM: the kernel does not promise so much memory
            map 200+101 rw fixed shared: ENOMEM: the kernel does not promise so much memory
            [0, 101) rw-p NO_RESERVE
        "#]];
}

// Heap and stacks.
rules! {
    brk_grows_one_region_and_shrinks: "
        brk 2
        brk 5
        brk 1" => expect![[r#"
            [4096, 4097) rw-p
        "#]];
    brk_is_blocked: "
        map 4100+1 r fixed
        brk 3
        brk 4" => expect![[r#"
            [4096, 4099) rw-p
            [4100, 4101) r--p
        "#]];
    brk_after_mprotect_makes_three: "
        brk 4
        protect 4097+1 r
        brk 6" => expect![[r#"
            [4096, 4097) rw-p
            [4097, 4098) r--p
            [4098, 4102) rw-p
        "#]];
    stack_grows_to_the_page: "
        map 600+4 rw fixed down
        write 590" => expect![[r#"
            [590, 604) rw-p anon 1 GROWS_DOWN
        "#]];
    stack_keeps_its_guard_gap: "
        map 600+4 rw fixed down
        map 300+40 rw fixed
        write 596
        write 595" => expect![[r#"
            write 595: SegvMap: growing would come closer than the guard gap to the region below
            [300, 340) rw-p
            [596, 604) rw-p anon 1 GROWS_DOWN
        "#]];
    stack_ignores_what_has_no_access: "
        map 600+4 rw fixed down
        map 300+296 none fixed
        write 596" => expect![[r#"
            [300, 596) ---p
            [596, 604) rw-p anon 1 GROWS_DOWN
        "#]];
    stack_limit_counts_the_whole: "
        limit stack 8
        map 600+4 rw fixed down
        write 596
        write 595" => expect![[r#"
            write 595: SegvMap: the region would exceed RLIMIT_STACK
            [596, 604) rw-p anon 1 GROWS_DOWN
        "#]];
    hint_in_the_gap_is_refused_and_fixed_is_not: "
        map 600+4 rw fixed down
        map 343+2 r
        map 345+1 rx noreplace" => expect![[r#"
            [345, 346) r-xp
            [600, 604) rw-p GROWS_DOWN
            [top-2, top-0) r--p
        "#]];
    faults_end_with_signals: "
        map 0+2 r fixed
        map 2+2 none fixed
        map 10+8 rw fixed file:2:12
        write 0
        read 2
        run 0
        read 9
        read 13
        write 14" => expect![[r#"
            write 0: SegvAccess: the region's access does not allow it
            read 2: SegvAccess: the region's access does not allow it
            run 0: SegvAccess: the region's access does not allow it
            read 9: SegvMap: no region holds the address
            write 14: Bus: the page lies wholly beyond the end of the file
            [0, 2) r--p
            [2, 4) ---p
            [10, 18) rw-p file+12 anon 1
        "#]];
}

#[test]
fn every_kind_of_flag_keeps_regions_apart() {
    let advices =
        ["DONTFORK", "WIPEONFORK", "DONTDUMP", "SEQUENTIAL", "RANDOM", "MERGEABLE", "HUGEPAGE", "NOHUGEPAGE"];
    for advice in advices {
        let apart = run(&format!("map 0+4 rw fixed\n advise 2+2 MADV_{advice}"));
        assert_eq!(apart.lines().count(), 2, "{advice}: {apart}");
        let together =
            run(&format!("map 0+4 rw fixed\n advise 2+2 MADV_{advice}\n advise 0+2 MADV_{advice}"));
        assert_eq!(together.lines().count(), 1, "{advice}: {together}");
    }
}

#[test]
fn every_step_says_why() {
    let script = "
        map 5+2 rw
        write 5
        map 6+2 r
        protect 5+1 r
        map 0+600 rwx fixed down
        unmap 900+1";
    expect![[r#"
          [5, 7) the hint is free, so it is taken
          [5, 7) map: a new region
          [5, 7) anon_vma 1: the first private page of the region: it gets its own anon_vma
          [6, 8) hint busy; Linux forgets it and searches from the start
          [top-2, top-0) the highest gap below mmap_base that is large enough
          [top-2, top-0) map: a new region
          [6, 7) split: the region is cut where the change ends
          [5, 6) protect r--: the call asks for it
          [0, 600) MAP_FIXED takes exactly the address given
          [5, 6) unmap: MAP_FIXED removes what was mapped there
          [6, 7) unmap: MAP_FIXED removes what was mapped there
          [0, 600) map: a new region
          [900, 901) nothing is mapped there: munmap succeeds all the same
        [0, 600) rwxp GROWS_DOWN
        [top-2, top-0) r--p
    "#]]
    .assert_eq(&explain(script));
}
