//! Sage on 32-bit Cygwin: a fleet too large for its address space, the old way and plat's. The numbers are in
//! `docs/sage.md`.
//!
//! The fleet is a real one, recorded in `data/fleet-win32.txt`, four times: four Python environments beside each other, of
//! which a process uses one.

use expect_test::expect;
use plat_rebase::{
    ContentHash, LoadedSet, Machine, Member, Movable, Plan, PlanOptions, Profile, Reason, Request, Space,
    plan,
};
use plat_regions::{Address, AddressRange, Layout};

const FLEET: &str = include_str!("data/fleet-win32.txt");
const ENVIRONMENTS: usize = 4;
const UNIT: u64 = 0x1_0000;
const HEAP: AddressRange = AddressRange { start: Address::new(0x2000_0000), end: Address::new(0x3800_0000) };
/// cygwin1.dll at 0x61000000, with four shared regions below and eight units behind it: what the old way keeps free.
const RUNTIME: (u64, u64) = (0x6100_0000 - 4 * UNIT, 0x6100_0000 + 0x35_0000 + 8 * UNIT);

fn fleet() -> Vec<Member> {
    let mut members = Vec::new();
    for environment in 1..=ENVIRONMENTS {
        for line in FLEET.lines().filter(|line| !line.starts_with('#')) {
            let fields: Vec<&str> = line.split('\t').collect();
            let number = |text| u64::from_str_radix(text, 16).expect("a number");
            members.push(Member {
                path: format!("env{environment}/{}", fields[2]),
                links: Vec::new(),
                program: false,
                hash: ContentHash([0; 32]),
                machine: Machine::I386,
                base: Address::new(number(fields[1]) << 16),
                size: number(fields[0]) << 12,
                movable: Movable::Yes,
                dynamic_base: true,
                signed: false,
                // An import by name finds the DLL of its own environment.
                imports: fields[3].split_whitespace().map(str::to_owned).collect(),
                constraints: Vec::new(),
            });
        }
    }
    members
}

/// What runs: computations in every environment, in some more often than in others, and now and then a window.
fn profile(members: &[Member]) -> Profile {
    let mut processes = Vec::new();
    for environment in 1..=ENVIRONMENTS {
        let mut add = |program: &str, packages: &[&str], times: usize| {
            let is_in = |path: &str| {
                packages.iter().any(|package| path.starts_with(&format!("env{environment}/{package}/")))
            };
            let modules: Vec<String> =
                members.iter().map(|it| it.path.clone()).filter(|it| is_in(it)).collect();
            assert!(!modules.is_empty());
            let program = format!("{program}-{environment}");
            processes.extend((0..times).map(|_| LoadedSet {
                program: program.clone(),
                modules: modules.clone(),
                ..LoadedSet::default()
            }));
        };
        add("compute", &["pandas", "sklearn", "h5py", "gevent"], 6 - environment);
        add("window", &["PySide2"], 1);
        add("old-window", &["PyQt5"], 1);
    }
    Profile { name: "maps".into(), processes }
}

/// Places as Cygwin's rebase does: from 0x70000000 down, under the ceiling the first by name that fits, else the ceiling is
/// lowered; only the runtime is kept free.
///
/// Source: its behaviour as described in cygwin's README of rebase 4.5, and observed.
fn the_old_way(members: &[Member]) -> Vec<AddressRange> {
    let mut sizes: Vec<(&str, u64)> =
        members.iter().map(|it| (it.path.as_str(), it.size.next_multiple_of(UNIT))).collect();
    sizes.sort_unstable();
    let mut placed = Vec::new();
    let mut ceiling = 0x7000_0000;
    while !sizes.is_empty() {
        let floor = if ceiling > RUNTIME.1 { RUNTIME.1 } else { 0 };
        match sizes.iter().position(|&(_, bytes)| bytes <= ceiling - floor) {
            Some(index) => {
                let (_, bytes) = sizes.remove(index);
                ceiling -= bytes;
                placed.push(AddressRange::sized(Address::new(ceiling), bytes).expect("below 4 GiB"));
            }
            None => ceiling = RUNTIME.0,
        }
    }
    placed
}

fn planned(members: &[Member], share: bool, profiles: &[Profile]) -> Plan {
    let layout = Layout::builtin("cygwin32").expect("built in");
    let options = PlanOptions { share, ..PlanOptions::default() };
    let request =
        Request { members, layout: &layout, known: &[], obstacles: &[], profiles, options: &options };
    let plan = plan(&request).expect("no constraints");
    let space = Space::of(&layout);
    assert!(plan.moves.iter().all(|it| space.objection_to(it.to, it.slot).is_none()));
    plan
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / 1048576.0)
}

#[test]
fn the_old_way_runs_through_the_heap() {
    let members = fleet();
    let placed = the_old_way(&members);
    let in_heap: Vec<_> = placed.iter().filter_map(|it| it.intersection(HEAP)).collect();
    let below: Vec<_> = placed.iter().filter(|it| it.end <= HEAP.start).collect();
    let lowest = placed.iter().map(|it| it.start).min().expect("there are some");
    let says = format!(
        "{} DLLs, {}\nlowest {lowest}\nin the heap: {} DLLs, {}\nbelow the heap: {} DLLs, {}\n",
        members.len(),
        mib(placed.iter().map(|it| it.size()).sum()),
        in_heap.len(),
        mib(in_heap.iter().map(|it| it.size()).sum()),
        below.len(),
        mib(below.iter().map(|it| it.size()).sum()),
    );
    expect![[r#"
        2312 DLLs, 1370.2 MiB
        lowest 0x00000000_1a5c0000
        in the heap: 624 DLLs, 384.0 MiB
        below the heap: 301 DLLs, 90.0 MiB
    "#]]
    .assert_eq(&says);
}

#[test]
fn without_sharing_plat_counts_what_does_not_fit() {
    let members = fleet();
    let report = planned(&members, false, &[profile(&members)]).report;
    let left: u64 = report.unplaced.iter().map(|(_, bytes)| bytes).sum();
    let says = format!(
        "{} DLLs do not fit, {}; largest hole {:#x}",
        report.unplaced.len(),
        mib(left),
        report.largest_hole
    );
    expect!["1785 DLLs do not fit, 480.5 MiB; largest hole 0x0"].assert_eq(&says);
}

#[test]
fn with_a_profile_and_sharing_all_fit_far_from_the_heap() {
    let members = fleet();
    let profile = profile(&members);
    let plan = planned(&members, true, std::slice::from_ref(&profile));
    assert_eq!((plan.report.unplaced.len(), plan.report.collisions_after), (0, 0));
    // No process has two files at one address.
    let by_path: std::collections::HashMap<&str, AddressRange> = plan
        .moves
        .iter()
        .map(|it| (it.path.as_str(), AddressRange::sized(it.to, it.size).expect("in range")))
        .collect();
    for process in &profile.processes {
        let mut ranges: Vec<_> = process.modules.iter().map(|path| by_path[path.as_str()]).collect();
        ranges.sort_unstable();
        assert!(ranges.windows(2).all(|pair| !pair[0].overlaps(pair[1])), "{}", process.program);
    }
    let sharing = plan.moves.iter().filter(|it| it.reason == Reason::Shares).count();
    let risk = |word: &str| plan.shared.iter().filter(|it| it.evidence.starts_with(word)).count();
    let lowest = plan.moves.iter().map(|it| it.to).min().expect("there are some");
    let computes = plan.moves.iter().filter(|it| it.uses >= 2);
    let lowest_compute = computes.clone().filter(|it| it.uses == 5).map(|it| it.to).min().expect("some");
    let computes_sharing = computes.clone().filter(|it| it.reason == Reason::Shares).count();
    let says = format!(
        "lowest {lowest}; lowest of those used most {lowest_compute}\n{sharing} share, {computes_sharing} of them used twice or more\n\
         pairs: {} low, {} medium, {} high risk\nlargest range left for the heap {}\n",
        risk("low"),
        risk("medium"),
        risk("high"),
        mib(plan.report.largest_heap),
    );
    expect![[r#"
        lowest 0x00000000_38000000; lowest of those used most 0x00000000_69b70000
        37 share, 0 of them used twice or more
        pairs: 92 low, 0 medium, 0 high risk
        largest range left for the heap 384.0 MiB
    "#]]
    .assert_eq(&says);
}
