//! What a plan may never do, whatever the fleet; and the reasons that it gives.

use std::collections::HashSet;

use expect_test::{Expect, expect};
use plat_rebase::{
    Constraint, ContentHash, Database, LoadedSet, Machine, Member, Movable, Obstacle, Plan, PlanOptions,
    Profile, Reason, Request, Space, plan,
};
use plat_regions::{Address, AddressRange, Layout};
use proptest::prelude::*;

fn layout(name: &str) -> Layout {
    Layout::builtin(name).expect(name)
}

fn dll(path: &str, base: u64, size: u64) -> Member {
    Member {
        path: path.into(),
        links: Vec::new(),
        program: false,
        hash: ContentHash([0; 32]),
        machine: Machine::I386,
        base: Address::new(base),
        size,
        movable: Movable::Yes,
        dynamic_base: false,
        signed: false,
        imports: Vec::new(),
        constraints: Vec::new(),
    }
}

fn request<'a>(members: &'a [Member], layout: &'a Layout, options: &'a PlanOptions) -> Request<'a> {
    Request { members, layout, known: &[], obstacles: &[], profiles: &[], options }
}

fn plan_of(members: &[Member], layout: &Layout, options: &PlanOptions) -> Plan {
    plan(&request(members, layout, options)).expect("no constraints that could clash")
}

fn lines(plan: &Plan) -> String {
    let line = |it: &plat_rebase::Move| {
        format!("{} {:#x} -> {:#x} +{:#x} {:?}\n", it.path, it.from.get(), it.to.get(), it.slot, it.reason)
    };
    let left = plan.report.unplaced.iter().map(|(path, bytes)| format!("{path} does not fit: {bytes:#x}\n"));
    let pairs = plan.shared.iter().map(|it| format!("{} over {}: {}\n", it.first, it.second, it.evidence));
    plan.moves.iter().map(line).chain(left).chain(pairs).collect()
}

fn check(members: &[Member], options: &PlanOptions, expected: Expect) {
    let plan = plan_of(members, &layout("cygwin32"), options);
    sound(&plan, &layout("cygwin32"));
    expected.assert_eq(&lines(&plan));
}

/// The rules that every plan keeps.
#[track_caller]
fn sound(plan: &Plan, layout: &Layout) {
    let space = Space::of(layout);
    let shared: HashSet<(&str, &str)> =
        plan.shared.iter().flat_map(|it| [(&*it.first, &*it.second), (&*it.second, &*it.first)]).collect();
    for (index, it) in plan.moves.iter().enumerate() {
        assert!(it.to.is_aligned(0x1_0000), "{}: base {}", it.path, it.to);
        assert!(it.slot >= it.size && it.slot.is_multiple_of(0x1_0000), "{}: slot {:#x}", it.path, it.slot);
        assert_eq!(space.objection_to(it.to, it.slot), None, "{}", it.path);
        for other in plan.moves[index + 1..].iter().take_while(|other| other.to.get() < it.to.get() + it.slot)
        {
            let pair = (it.path.as_str(), other.path.as_str());
            assert!(shared.contains(&pair), "{pair:?} overlap and are not declared");
        }
        for obstacle in &plan.obstacles {
            let own = AddressRange::sized(it.to, it.size).expect("in range");
            let range = AddressRange::sized(obstacle.base, obstacle.size).expect("in range");
            assert!(!own.overlaps(range), "{} lies in {}", it.path, obstacle.path);
        }
    }
}

/// The fleet after the plan was applied.
fn applied(members: &[Member], plan: &Plan) -> Vec<Member> {
    let base =
        |member: &Member| plan.moves.iter().find(|it| it.path == member.path).map_or(member.base, |it| it.to);
    members.iter().map(|member| Member { base: base(member), ..member.clone() }).collect()
}

#[test]
fn what_is_well_placed_stays_and_the_others_are_told_why() {
    let fleet = [
        dll("good.dll", 0x6f00_0000, 0x2_0000),
        dll("over.dll", 0x6f01_0000, 0x5_0000),
        dll("heap.dll", 0x2100_0000, 0x1_0000),
        dll("odd.dll", 0x6e00_1000, 0x1_0000),
        dll("runtime/cygwin1.dll", 0x6100_0000, 0x30_0000),
        Member { movable: Movable::Stripped, ..dll("stuck.dll", 0x6ff0_0000, 0x10_0000) },
        Member { program: true, ..dll("sh.exe", 0x40_0000, 0x10_0000) },
        Member { machine: Machine::Amd64, ..dll("wide.dll", 0x40_0000, 0x10_0000) },
    ];
    check(
        &fleet,
        &PlanOptions::default(),
        expect![[r#"
        good.dll 0x6f000000 -> 0x6f000000 +0x20000 Stays
        odd.dll 0x6e001000 -> 0x6fe90000 +0x10000 Reserved("its base is no multiple of 64 KiB")
        heap.dll 0x21000000 -> 0x6fea0000 +0x10000 Reserved("Cygwin's heap, 384 MiB to begin with, grows up from here and on into what is free behind it")
        over.dll 0x6f010000 -> 0x6feb0000 +0x50000 Collided("good.dll")
    "#]],
    );
    let report = plan_of(&fleet, &layout("cygwin32"), &PlanOptions::default()).report;
    expect![[r#"
        PlanReport {
            collisions_before: 1,
            collisions_after: 0,
            unplaced: [],
            largest_hole: 687603712,
            largest_heap: 1090256896,
            fragmentation_per_mille: 261,
            ignored: [
                (
                    "runtime/cygwin1.dll",
                    "has a band of its own: cygwin1.dll with four shared regions below it and room to grow",
                ),
                (
                    "sh.exe",
                    "is a program: Windows places it first",
                ),
                (
                    "wide.dll",
                    "is for 64 bits, the layout for 32",
                ),
            ],
        }"#]]
    .assert_eq(&format!("{report:#?}"));
}

#[test]
fn many_at_one_base_leave_one_there() {
    let fleet: Vec<Member> = (1..=4).map(|n| dll(&format!("{n}.dll"), 0x6000_0000, n * 0x1_0000)).collect();
    check(
        &fleet,
        &PlanOptions { slack_percent: 50, ..PlanOptions::default() },
        expect![[r#"
        1.dll 0x60000000 -> 0x60000000 +0x20000 Stays
        2.dll 0x60000000 -> 0x60ee0000 +0x30000 Collided("1.dll")
        3.dll 0x60000000 -> 0x60f10000 +0x50000 Collided("1.dll")
        4.dll 0x60000000 -> 0x60f60000 +0x60000 Collided("1.dll")
    "#]],
    );
}

#[test]
fn the_most_used_go_far_from_the_heap() {
    let fleet = [
        dll("large.dll", 0x1000_0000, 0x100_0000),
        dll("often.dll", 0x1000_0000, 0x1_0000),
        dll("once.dll", 0x1000_0000, 0x2_0000),
    ];
    let set = |modules: &[&str]| LoadedSet {
        modules: modules.iter().map(ToString::to_string).collect(),
        ..LoadedSet::default()
    };
    let profile = Profile {
        name: "p".into(),
        processes: vec![set(&["/x/often.dll", "/x/ONCE.DLL"]), set(&["often.dll"]), set(&["C:\\often.dll"])],
    };
    let (layout, options) = (layout("cygwin32"), PlanOptions::default());
    let plan = plan(&Request { profiles: &[profile], ..request(&fleet, &layout, &options) }).expect("fits");
    expect![[r#"
        large.dll 0x10000000 -> 0x6efd0000 +0x1000000 Reserved("Windows 10 from 1703 moves images that ask for less than 0x38000000")
        once.dll 0x10000000 -> 0x6ffd0000 +0x20000 Reserved("Windows 10 from 1703 moves images that ask for less than 0x38000000")
        often.dll 0x10000000 -> 0x6fff0000 +0x10000 Reserved("Windows 10 from 1703 moves images that ask for less than 0x38000000")
    "#]].assert_eq(&lines(&plan));
}

#[test]
fn constraints_are_kept() {
    let with = |constraint, member: Member| Member { constraints: vec![constraint], ..member };
    let group = |path, base| with(Constraint::Group("g".into()), dll(path, base, 0x3_0000));
    let fleet = [
        with(Constraint::Fixed(Address::new(0x5000_0000)), dll("fixed.dll", 0x1000_0000, 0x1_0000)),
        with(Constraint::NeverMove, dll("never.dll", 0x6fff_0000, 0x1_0000)),
        group("g1.dll", 0x4000_0000),
        group("g2.dll", 0x4800_0000),
        dll("single.dll", 0x1000_0000, 0x9_0000),
    ];
    check(
        &fleet,
        &PlanOptions::default(),
        expect![[r#"
        fixed.dll 0x10000000 -> 0x50000000 +0x10000 Constraint("fixed at 0x00000000_50000000")
        g1.dll 0x40000000 -> 0x6ff00000 +0x30000 Constraint("together with the group g")
        g2.dll 0x48000000 -> 0x6ff30000 +0x30000 Constraint("together with the group g")
        single.dll 0x10000000 -> 0x6ff60000 +0x90000 Reserved("Windows 10 from 1703 moves images that ask for less than 0x38000000")
    "#]],
    );
    let clash = |base, other: Member| {
        let fleet = [with(Constraint::Fixed(Address::new(base)), dll("fixed.dll", 0, 0x1_0000)), other];
        plan(&request(&fleet, &layout("cygwin32"), &PlanOptions::default())).expect_err("clash").to_string()
    };
    let never = with(Constraint::NeverMove, dll("never.dll", 0x6fff_0000, 0x1_0000));
    let other = with(Constraint::Fixed(Address::new(0x5000_0000)), dll("other.dll", 0, 0x2_0000));
    let says = [
        clash(0x2000_0000, never.clone()),
        clash(0x6fff_0000, never.clone()),
        clash(0x5001_0000, other),
        clash(0x5001_1000, never.clone()),
        clash(u64::MAX - 0xffff, never),
    ];
    expect![[r#"
        fixed.dll: cannot be fixed at 0x00000000_20000000: Cygwin's heap, 384 MiB to begin with, grows up from here and on into what is free behind it
        fixed.dll: cannot be fixed at 0x00000000_6fff0000: never.dll is there and is never to be moved
        fixed.dll: cannot be fixed at 0x00000000_50010000: other.dll is fixed at 0x00000000_50000000
        fixed.dll: cannot be fixed at 0x00000000_50011000: it is no multiple of 64 KiB
        fixed.dll: cannot be fixed at 0xffffffff_ffff0000: it would pass the end of the address space"#]].assert_eq(&says.join("\n"));
}

#[test]
fn near_files_lie_within_2_gib() {
    let amd64 = |member: Member| Member { machine: Machine::Amd64, ..member };
    let near = |path, base| Member {
        constraints: vec![Constraint::Near("anchor.dll".into())],
        ..amd64(dll(path, base, 0x1_0000))
    };
    // The anchor lies in the middle of the band, the large one takes the top.
    let fleet = [
        amd64(dll("anchor.dll", 0x2_8000_0000, 0x1_0000)),
        near("a.dll", 0x1_8000_0000),
        near("b.dll", 0x3_f000_0000),
        near("c.dll", 0x2_fff0_0000),
    ];
    let layout = layout("cygwin64");
    let plan = plan_of(&fleet, &layout, &PlanOptions::default());
    sound(&plan, &layout);
    expect![[r#"
        anchor.dll 0x280000000 -> 0x280000000 +0x10000 Stays
        c.dll 0x2fff00000 -> 0x2fff00000 +0x10000 Stays
        b.dll 0x3f0000000 -> 0x2fffe0000 +0x10000 Constraint("within 2 GiB of anchor.dll")
        a.dll 0x180000000 -> 0x2ffff0000 +0x10000 Reserved("cygwin1.dll, linked at 0x180040000, with room to grow")
    "#]].assert_eq(&lines(&plan));
    let error =
        plat_rebase::plan(&request(&fleet[1..], &layout, &PlanOptions::default())).expect_err("no anchor");
    expect!["a.dll: is to be near anchor.dll, which is neither in the fleet nor in the database"]
        .assert_eq(&error.to_string());
}

#[test]
fn bases_that_gnu_ld_made_of_names_stay() {
    let amd64 = |member: Member| Member { machine: Machine::Amd64, ..member };
    // DLLs of scipy's wheel: one lies below 0x200000000, two above, and one at the default of other linkers.
    let fleet = [
        amd64(dll("_highs.pyd", 0x1_d5b0_0000, 0x64_0000)),
        amd64(dll("_ckdtree.pyd", 0x3_3c12_0000, 0x18_0000)),
        amd64(dll("openblas.dll", 0x2_7ab9_0000, 0x136_0000)),
        amd64(dll("msvcp140.dll", 0x1_8000_0000, 0x9_0000)),
        amd64(dll("far.dll", 0x3_c000_0000, 0x1_0000)),
    ];
    let layout = layout("win64");
    let plan = plan_of(&fleet, &layout, &PlanOptions::default());
    sound(&plan, &layout);
    expect![[r#"
        msvcp140.dll 0x180000000 -> 0x180000000 +0x90000 Stays
        _highs.pyd 0x1d5b00000 -> 0x1d5b00000 +0x640000 Stays
        far.dll 0x3c0000000 -> 0x1ffff0000 +0x10000 Reserved("stacks lie above the images")
        openblas.dll 0x27ab90000 -> 0x27ab90000 +0x1360000 Stays
        _ckdtree.pyd 0x33c120000 -> 0x33c120000 +0x180000 Stays
    "#]]
    .assert_eq(&lines(&plan));
}

#[test]
fn a_changed_file_moves_alone() {
    let fleet: Vec<Member> = (1..=6).map(|n| dll(&format!("{n}.dll"), 0x1000_0000, 0x2_0000)).collect();
    let (layout, options) = (layout("cygwin32"), PlanOptions::default());
    let first = plan_of(&fleet, &layout, &options);
    let mut database = Database::default();
    database.record(&first, |_| None);
    let known = database.to_entries();
    // Number 3 was built anew: larger, and at its linker's base. Number 7 is new. Number 5 was built anew with its old size.
    let mut fleet = applied(&fleet, &first);
    fleet[2] = dll("3.dll", 0x1000_0000, 0x5_0000);
    fleet[4].base = Address::new(0x1000_0000);
    fleet.push(dll("7.dll", 0x1000_0000, 0x1_0000));
    let second = plan(&Request { known: &known, ..request(&fleet, &layout, &options) }).expect("fits");
    sound(&second, &layout);
    expect![[r#"
        3.dll 0x10000000 -> 0x6fef0000 +0x50000 Grew { slot: 131072 }
        6.dll 0x6ff40000 -> 0x6ff40000 +0x20000 Stays
        5.dll 0x10000000 -> 0x6ff60000 +0x20000 Returns
        4.dll 0x6ff80000 -> 0x6ff80000 +0x20000 Stays
        7.dll 0x10000000 -> 0x6ffb0000 +0x10000 New
        2.dll 0x6ffc0000 -> 0x6ffc0000 +0x20000 Stays
        1.dll 0x6ffe0000 -> 0x6ffe0000 +0x20000 Stays
    "#]]
    .assert_eq(&lines(&second));
}

#[test]
fn what_does_not_fit_is_counted_and_shared_when_asked() {
    let mut fleet: Vec<Member> = (0..9).map(|n| dll(&format!("{n}.dll"), 0x1000_0000, 0x700_0000)).collect();
    fleet[0].imports = vec!["1.dll".into()];
    // 896 MiB less the runtime's 6.25 MiB: seven of 112 MiB.
    check(
        &fleet,
        &PlanOptions::default(),
        expect![[r#"
        6.dll 0x10000000 -> 0x3dfc0000 +0x7000000 Reserved("Windows 10 from 1703 moves images that ask for less than 0x38000000")
        5.dll 0x10000000 -> 0x44fc0000 +0x7000000 Reserved("Windows 10 from 1703 moves images that ask for less than 0x38000000")
        4.dll 0x10000000 -> 0x4bfc0000 +0x7000000 Reserved("Windows 10 from 1703 moves images that ask for less than 0x38000000")
        3.dll 0x10000000 -> 0x52fc0000 +0x7000000 Reserved("Windows 10 from 1703 moves images that ask for less than 0x38000000")
        2.dll 0x10000000 -> 0x59fc0000 +0x7000000 Reserved("Windows 10 from 1703 moves images that ask for less than 0x38000000")
        0.dll 0x10000000 -> 0x62000000 +0x7000000 Reserved("Windows 10 from 1703 moves images that ask for less than 0x38000000")
        1.dll 0x10000000 -> 0x69000000 +0x7000000 Reserved("Windows 10 from 1703 moves images that ask for less than 0x38000000")
        7.dll does not fit: 0x7000000
        8.dll does not fit: 0x7000000
    "#]],
    );
    check(
        &fleet,
        &PlanOptions { share: true, ..PlanOptions::default() },
        expect![[r#"
        7.dll 0x10000000 -> 0x38000000 +0x7000000 Shares
        6.dll 0x10000000 -> 0x3dfc0000 +0x7000000 Reserved("Windows 10 from 1703 moves images that ask for less than 0x38000000")
        5.dll 0x10000000 -> 0x44fc0000 +0x7000000 Reserved("Windows 10 from 1703 moves images that ask for less than 0x38000000")
        8.dll 0x10000000 -> 0x44fc0000 +0x7000000 Shares
        4.dll 0x10000000 -> 0x4bfc0000 +0x7000000 Reserved("Windows 10 from 1703 moves images that ask for less than 0x38000000")
        3.dll 0x10000000 -> 0x52fc0000 +0x7000000 Reserved("Windows 10 from 1703 moves images that ask for less than 0x38000000")
        2.dll 0x10000000 -> 0x59fc0000 +0x7000000 Reserved("Windows 10 from 1703 moves images that ask for less than 0x38000000")
        0.dll 0x10000000 -> 0x62000000 +0x7000000 Reserved("Windows 10 from 1703 moves images that ask for less than 0x38000000")
        1.dll 0x10000000 -> 0x69000000 +0x7000000 Reserved("Windows 10 from 1703 moves images that ask for less than 0x38000000")
        7.dll over 6.dll: high risk: no profile, imports only; 0 and 0 of 0 processes, no import leads to both
        8.dll over 5.dll: high risk: no profile, imports only; 0 and 0 of 0 processes, no import leads to both
    "#]],
    );
}

#[test]
fn a_shared_plan_stays_as_it_is() {
    let (layout, options) = (layout("cygwin32"), PlanOptions { share: true, ..PlanOptions::default() });
    let fleet: Vec<Member> =
        (0..20).map(|n| dll(&format!("{n}.dll"), 0x1000_0000, 0x300_0000 + n * 0x21_0000)).collect();
    let first = plan_of(&fleet, &layout, &options);
    assert!(!first.shared.is_empty() && first.report.unplaced.is_empty());
    let mut database = Database::default();
    database.record(&first, |_| None);
    let (fleet, known) = (applied(&fleet, &first), database.to_entries());
    let again = plan(&Request { known: &known, ..request(&fleet, &layout, &options) }).expect("fits");
    sound(&again, &layout);
    assert_eq!(again.moves.iter().filter(|it| it.from != it.to).count(), 0, "{}", lines(&again));
    assert_eq!(again.shared.len(), first.shared.len());
}

#[test]
fn one_that_grows_into_an_obstacle_moves() {
    let fleet = [dll("a.dll", 0x6f00_0000, 0x3_0000)];
    let (layout, options) = (layout("cygwin32"), PlanOptions::default());
    let obstacles =
        [Obstacle { path: "b".into(), base: Address::new(0x6f02_0000), size: 1, why: "system".into() }];
    let plan = plan(&Request { obstacles: &obstacles, ..request(&fleet, &layout, &options) }).expect("fits");
    sound(&plan, &layout);
    assert_eq!(plan.moves[0].reason, Reason::Collided("b".into()));
}

fn any_fleet() -> impl Strategy<Value = Vec<Member>> {
    // Few bases, so that many collide; sizes up to 8 MiB, and now and then absurd ones.
    let base = prop_oneof![
        8 => (0x3700u64..0x7100).prop_map(|units| units << 16),
        2 => Just(0x1000_0000u64),
        1 => any::<u64>(),
    ];
    let size = prop_oneof![20 => 1u64..0x80_0000, 1 => 0u64..1 << 33];
    let movable = prop_oneof![9 => Just(Movable::Yes), 1 => Just(Movable::Stripped)];
    let one = (base, size, movable, 0usize..40);
    proptest::collection::vec(one, 0..120).prop_map(|list| {
        let member = |(n, (base, size, movable, import)): (usize, (u64, u64, Movable, usize))| Member {
            movable,
            imports: vec![format!("{import}.dll")],
            ..dll(&format!("{n}.dll"), base, size)
        };
        list.into_iter().enumerate().map(member).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn plans_are_sound_and_stable(fleet in any_fleet(), slack in 0u32..60, share in any::<bool>(), repack in any::<bool>()) {
        let layout = layout("cygwin32");
        let options = PlanOptions { slack_percent: slack, share, repack, gap: 0 };
        let first = plan_of(&fleet, &layout, &options);
        sound(&first, &layout);
        let items = fleet.iter().filter(|it| it.movable == Movable::Yes).count();
        prop_assert_eq!(first.moves.len() + first.report.unplaced.len(), items);
        if first.report.unplaced.is_empty() && first.shared.is_empty() {
            // Obstacles may overlap each other.
            let overlaps = |a: &Obstacle, b: &Obstacle| a.base < b.base.checked_add(b.size).unwrap_or(b.base) && b.base < a.base.checked_add(a.size).unwrap_or(a.base);
            let between = first.obstacles.iter().enumerate().any(|(i, a)| first.obstacles[i + 1..].iter().any(|b| overlaps(a, b)));
            prop_assert!(between || first.report.collisions_after == 0);
            // Planned again, nothing moves; with one more, only that one does.
            let options = PlanOptions { repack: false, ..options };
            let mut fleet = applied(&fleet, &first);
            let again = plan_of(&fleet, &layout, &options);
            prop_assert!(again.moves.iter().all(|it| it.from == it.to));
            fleet.push(dll("new.dll", 0x1000_0000, 0x5_4321));
            let more = plan_of(&fleet, &layout, &options);
            sound(&more, &layout);
            prop_assert!(more.moves.iter().all(|it| it.from == it.to || it.path == "new.dll"));
        }
    }
}
