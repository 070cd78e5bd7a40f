//! How long planning takes: 20,000 synthetic DLLs, for `cargo xtask bench rebase`. Prints a line for each case: its name,
//! a tab, the median of milliseconds.

use std::time::Instant;

use plat_rebase::{
    ContentHash, Database, LoadedSet, Machine, Member, Movable, PlanOptions, Profile, Request, plan,
};
use plat_regions::{Address, Layout};

const DLLS: usize = 20_000;
const RUNS: usize = 5;

/// A sequence of numbers that is the same every time (xorshift64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

fn fleet() -> Vec<Member> {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let member = |index: usize| Member {
        path: format!("lib/part{}/{index}.dll", index / 100),
        links: Vec::new(),
        program: false,
        hash: ContentHash([0; 32]),
        machine: Machine::Amd64,
        // Half where the linker's default is, half by a hash of the name, as with --enable-auto-image-base.
        base: Address::new(if index.is_multiple_of(2) {
            0x1_8000_0000
        } else {
            0x4_0000_0000 + (numbers.below(0x2_0000) << 16)
        }),
        size: 0x1000 << numbers.below(10),
        movable: Movable::Yes,
        dynamic_base: false,
        signed: false,
        imports: (0..8).map(|_| format!("{}.dll", numbers.below(DLLS as u64))).collect(),
        constraints: Vec::new(),
    };
    (0..DLLS).map(member).collect()
}

fn profile(fleet: &[Member]) -> Profile {
    let mut numbers = Numbers(7);
    let process = |_| LoadedSet {
        modules: (0..200).map(|_| fleet[numbers.below(DLLS as u64 / 10) as usize].path.clone()).collect(),
        ..LoadedSet::default()
    };
    Profile { name: "synthetic".into(), processes: (0..50).map(process).collect() }
}

fn main() {
    let layout = Layout::builtin("cygwin64").expect("built in");
    let options = PlanOptions { slack_percent: 10, ..PlanOptions::default() };
    let mut fleet = fleet();
    let profiles = [profile(&fleet)];
    let time = |name: &str, fleet: &[Member], known: &[plat_rebase::Entry]| {
        let request = Request {
            members: fleet,
            layout: &layout,
            known,
            obstacles: &[],
            profiles: &profiles,
            options: &options,
        };
        let mut times = Vec::new();
        let mut last = None;
        for _ in 0..RUNS {
            let start = Instant::now();
            let plan = plan(&request).expect("no constraints");
            times.push(start.elapsed().as_secs_f64() * 1e3);
            assert!(plan.report.unplaced.is_empty() && plan.report.collisions_after == 0);
            last = Some(plan);
        }
        times.sort_by(f64::total_cmp);
        println!("{name}\t{:.1}", times[RUNS / 2]);
        last.expect("there were runs")
    };
    let first = time("plan of 20,000 DLLs", &fleet, &[]);
    let mut database = Database::default();
    database.record(&first, |_| None);
    let bases: std::collections::HashMap<&str, Address> =
        first.moves.iter().map(|it| (it.path.as_str(), it.to)).collect();
    fleet.iter_mut().for_each(|member| member.base = bases[member.path.as_str()]);
    let known = database.to_entries();
    let again = time("the same again, all stay", &fleet, &known);
    assert!(again.moves.iter().all(|it| it.from == it.to));
}
