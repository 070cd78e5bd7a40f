//! Plans applied to files: stopped at every step, with a full disk, with others at work.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use plat_rebase::apply::{
    ApplyError, ApplyOptions, ApplyReport, Disk, Durability, Files, HardLinks, Held, Like, Outcome,
    ScanOptions, Stat, apply, read_list, scan, undo, verify,
};
use plat_rebase::{Movable, Move, Options, Plan, PlanReport, Reason, SignaturePolicy};
use plat_regions::Address;
use plat_testkit::craft::Craft;
use tempfile::TempDir;

const DIR64: u16 = 10 << 12;

fn dll(seed: u8) -> Vec<u8> {
    let mut craft = Craft::dll(true);
    craft.checksum = 1;
    craft.part(".data", 0x1000, &[seed; 0x1000]);
    craft.relocations(".reloc", &[(0x1000, &[DIR64, DIR64 | 0x40])]);
    craft.bytes()
}

/// A folder with the DLLs a, b and c, of which b has a second name, and d, which stays; and its plan.
struct Fleet {
    folder: TempDir,
    plan: Plan,
}

impl Fleet {
    fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        for (name, seed) in [("a.dll", 1), ("b.dll", 2), ("c.dll", 3), ("d.dll", 4)] {
            fs::write(folder.path().join(name), dll(seed)).expect("writes");
        }
        fs::hard_link(folder.path().join("b.dll"), folder.path().join("b2.dll")).expect("links");
        let plan = plan(folder.path(), 0x3_f000_0000);
        Self { folder, plan }
    }

    fn options(&self) -> ApplyOptions {
        ApplyOptions {
            root: self.folder.path().to_owned(),
            journal: self.folder.path().join("journal"),
            durability: Durability::Off,
            ..ApplyOptions::default()
        }
    }

    /// Everything in the folder but the journal and its lock.
    fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.folder.path()).expect("a folder").flatten();
        let named = entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()));
        let others = named.filter(|(name, _)| !name.starts_with("journal"));
        others.map(|(name, path)| (name, fs::read(path).expect("reads"))).collect()
    }
}

/// Plans a folder from `top` down; d.dll stays.
fn plan(folder: &Path, top: u64) -> Plan {
    let options = ScanOptions { root: folder.to_owned(), ..ScanOptions::default() };
    let found = scan(&[folder.to_owned()], &options);
    assert_eq!(found.skipped, []);
    let moves = found.members.into_iter().enumerate().map(|(index, it)| Move {
        to: if it.path == "d.dll" { it.base } else { Address::new(top - 0x10_0000 * index as u64) },
        path: it.path,
        links: it.links,
        hash: it.hash,
        machine: it.machine,
        from: it.base,
        size: it.size,
        slot: 0x10_0000,
        reason: Reason::New,
        uses: 0,
    });
    Plan {
        layout: "test".into(),
        moves: moves.collect(),
        obstacles: Vec::new(),
        shared: Vec::new(),
        report: PlanReport::default(),
    }
}

/// What goes wrong, at one step and from then on.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Fault {
    /// The process is gone: nothing happens any more.
    Kill,
    /// The disk is full: what is written is cut, what is removed is removed.
    Full,
    /// A file cannot be written, this once.
    Denied,
}

/// A file system that fails at a step.
struct Faulty {
    fault: Fault,
    at: u64,
    step: AtomicU64,
}

impl Faulty {
    fn new(fault: Fault, at: u64) -> Self {
        Self { fault, at, step: AtomicU64::new(0) }
    }

    fn was_reached(&self) -> bool {
        self.step.load(Ordering::Relaxed) > self.at
    }

    /// Counts a step that changes something; the error says how far it gets.
    fn step(&self, writes: bool) -> Result<(), (io::Error, bool)> {
        let step = self.step.fetch_add(1, Ordering::Relaxed);
        let is_first = step == self.at;
        let error = match self.fault {
            Fault::Kill if step >= self.at => io::Error::other("killed"),
            Fault::Full if step >= self.at && writes => io::ErrorKind::StorageFull.into(),
            Fault::Denied if is_first => io::ErrorKind::PermissionDenied.into(),
            _ => return Ok(()),
        };
        Err((error, is_first && writes && self.fault != Fault::Denied))
    }
}

impl Files for Faulty {
    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        Disk.resolve(path)
    }
    fn stat(&self, path: &Path) -> io::Result<Stat> {
        Disk.stat(path)
    }
    fn read(&self, path: &Path, bytes_max: u64) -> io::Result<Held> {
        Disk.read(path, bytes_max)
    }
    fn read_head(&self, path: &Path, bytes: usize) -> io::Result<Vec<u8>> {
        Disk.read_head(path, bytes)
    }
    fn write_new(
        &self,
        path: &Path,
        bytes: &[u8],
        like: Option<Like<'_>>,
        how: Durability,
    ) -> io::Result<()> {
        self.step(true).or_else(|(error, half)| {
            if half {
                Disk.write_new(path, &bytes[..bytes.len() / 2], None, how)?;
            }
            Err(error)
        })?;
        Disk.write_new(path, bytes, like, how)
    }
    fn link(&self, existing: &Path, new: &Path) -> io::Result<()> {
        self.step(true).map_err(|(error, _)| error)?;
        Disk.link(existing, new)
    }
    fn rename(&self, from: &Path, to: &Path, how: Durability) -> io::Result<()> {
        self.step(true).map_err(|(error, _)| error)?;
        Disk.rename(from, to, how)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step(false).map_err(|(error, _)| error)?;
        Disk.remove(path)
    }
    fn append(&self, path: &Path, bytes: &[u8], how: Durability) -> io::Result<()> {
        self.step(true).or_else(|(error, half)| {
            if half {
                Disk.append(path, &bytes[..bytes.len() / 2], how)?;
            }
            Err(error)
        })?;
        Disk.append(path, bytes, how)
    }
}

/// Runs with one thread, so that steps have an order.
fn in_order<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool").install(work)
}

fn outcomes(report: &ApplyReport) -> Vec<(&str, &Outcome)> {
    report.files.iter().map(|it| (it.path.as_str(), &it.outcome)).collect()
}

/// The folder before and after a run that nothing disturbs.
fn old_and_new() -> (BTreeMap<String, Vec<u8>>, BTreeMap<String, Vec<u8>>) {
    let fleet = Fleet::new();
    let old = fleet.contents();
    let report = apply(&Disk, &fleet.plan, &fleet.options()).expect("applies");
    use Outcome::{Moved, Same};
    let expected = [("a.dll", &Moved), ("b.dll", &Moved), ("c.dll", &Moved), ("d.dll", &Same)];
    assert_eq!(outcomes(&report), expected);
    let new = fleet.contents();
    assert!(old.keys().eq(new.keys()), "nothing is left behind");
    assert!(["a.dll", "b.dll", "b2.dll", "c.dll"].iter().all(|name| old[*name] != new[*name]));
    assert!(old["d.dll"] == new["d.dll"] && new["b.dll"] == new["b2.dll"]);
    (old, new)
}

#[test]
fn a_run_stopped_at_any_step_leaves_files_old_or_new_and_can_be_finished_or_undone() {
    let (old, new) = old_and_new();
    for fault in [Fault::Kill, Fault::Full, Fault::Denied] {
        let mut steps = 0;
        for at in 0.. {
            for finish in [true, false] {
                let fleet = Fleet::new();
                let faulty = Faulty::new(fault, at);
                let result = in_order(|| apply(&faulty, &fleet.plan, &fleet.options()));
                let what = format!("{fault:?} at step {at}: {result:?}");
                let state = fleet.contents();
                for (name, bytes) in &old {
                    assert!(state[name] == *bytes || state[name] == new[name], "{name} is torn; {what}");
                }
                if finish {
                    let report = apply(&Disk, &fleet.plan, &fleet.options()).expect("goes on");
                    assert!(report.is_complete(), "{what}; then {report:?}");
                    let was_cut = fault == Fault::Kill && result.is_err();
                    assert!(report.recovered == was_cut || at == 0 || fault != Fault::Kill, "{what}");
                    assert!(fleet.contents() == new, "not finished; {what}");
                    assert_eq!(verify(&Disk, &fleet.plan, &fleet.options()).expect("verifies"), []);
                }
                // A run that ended with obstacles and the one that finished the rest are two.
                loop {
                    match undo(&Disk, &fleet.options()) {
                        Ok(report) => assert!(report.is_complete(), "{what}; undo: {report:?}"),
                        Err(ApplyError::NothingToUndo { .. }) => break,
                        Err(error) => panic!("{error}; {what}"),
                    }
                }
                let state = fleet.contents();
                let left: Vec<&String> = state.keys().collect();
                assert!(state == old, "not undone, {left:?}; {what}");
                steps = at;
                if !faulty.was_reached() && !finish {
                    assert!(at > 12, "only {at} steps");
                    assert!(result.is_ok());
                }
            }
            let fleet = Fleet::new();
            let probe = Faulty::new(fault, at);
            let _ = in_order(|| apply(&probe, &fleet.plan, &fleet.options()));
            if !probe.was_reached() {
                break;
            }
        }
        assert!(steps > 12, "{fault:?}: only {steps} steps");
    }
}

#[test]
fn an_undo_stopped_at_any_step_can_be_repeated() {
    let (old, new) = old_and_new();
    for at in 0.. {
        let fleet = Fleet::new();
        apply(&Disk, &fleet.plan, &fleet.options()).expect("applies");
        let faulty = Faulty::new(Fault::Kill, at);
        let result = in_order(|| undo(&faulty, &fleet.options()));
        let state = fleet.contents();
        for (name, bytes) in &old {
            assert!(state[name] == *bytes || state[name] == new[name], "{name} is torn at step {at}");
        }
        if faulty.was_reached() {
            let report = undo(&Disk, &fleet.options()).expect("is repeated");
            assert!(report.is_complete(), "at step {at}: {result:?}, then {report:?}");
            assert!(fleet.contents() == old, "not undone after step {at}: {:?}", fleet.contents().keys());
        } else {
            assert!(at > 6 && state == old);
            break;
        }
    }
}

#[test]
fn nothing_is_left_when_the_disk_is_full() {
    for at in 0..20 {
        let fleet = Fleet::new();
        let faulty = Faulty::new(Fault::Full, at);
        let result = in_order(|| apply(&faulty, &fleet.plan, &fleet.options()));
        let names: Vec<String> = fleet.contents().into_keys().collect();
        assert_eq!(names, ["a.dll", "b.dll", "b2.dll", "c.dll", "d.dll"], "step {at}: {result:?}");
    }
}

#[test]
fn a_plan_applied_twice_changes_nothing_more() {
    let fleet = Fleet::new();
    apply(&Disk, &fleet.plan, &fleet.options()).expect("applies");
    let state = fleet.contents();
    let report = apply(&Disk, &fleet.plan, &fleet.options()).expect("applies again");
    use Outcome::{Already, Same};
    let expected = [("a.dll", &Already), ("b.dll", &Already), ("c.dll", &Already), ("d.dll", &Same)];
    assert_eq!(outcomes(&report), expected);
    assert!(fleet.contents() == state);
}

#[test]
fn runs_are_undone_from_the_last_to_the_first() {
    let fleet = Fleet::new();
    let old = fleet.contents();
    apply(&Disk, &fleet.plan, &fleet.options()).expect("applies");
    let middle = fleet.contents();
    let second = plan(fleet.folder.path(), 0x2_8000_0000);
    apply(&Disk, &second, &fleet.options()).expect("applies");
    assert!(undo(&Disk, &fleet.options()).expect("undoes").is_complete() && fleet.contents() == middle);
    assert!(undo(&Disk, &fleet.options()).expect("undoes").is_complete() && fleet.contents() == old);
    assert!(matches!(undo(&Disk, &fleet.options()), Err(ApplyError::NothingToUndo { .. })));
}

#[test]
fn a_dry_run_reports_and_writes_nothing() {
    let fleet = Fleet::new();
    let old = fleet.contents();
    let report =
        apply(&Disk, &fleet.plan, &ApplyOptions { dry_run: true, ..fleet.options() }).expect("looks");
    assert_eq!(report.count(|it| *it == Outcome::Moved), 3);
    assert!(fleet.contents() == old);
    assert!(!fleet.folder.path().join("journal").exists());
}

#[test]
fn what_was_changed_since_the_plan_is_left_alone() {
    let fleet = Fleet::new();
    fs::write(fleet.folder.path().join("a.dll"), dll(77)).expect("writes");
    fs::remove_file(fleet.folder.path().join("c.dll")).expect("removes");
    let report = apply(&Disk, &fleet.plan, &fleet.options()).expect("applies");
    assert!(!report.is_complete());
    let Outcome::Obstacle(why) = &report.files[0].outcome else { panic!("{report:?}") };
    assert_eq!(why, "it was changed after the plan was made: plan again");
    assert!(
        matches!(&report.files[2].outcome, Outcome::Obstacle(why) if why.starts_with("it cannot be found"))
    );
    assert_eq!(report.files[1].outcome, Outcome::Moved);
    assert!(fleet.contents()["a.dll"] == dll(77));
    // And an undo does not touch what came after.
    fs::write(fleet.folder.path().join("b.dll"), dll(78)).expect("writes");
    let report = undo(&Disk, &fleet.options()).expect("undoes");
    assert_eq!(report.files[0].outcome, Outcome::Obstacle("it was changed by somebody else since".into()));
}

#[test]
fn read_only_files_are_obstacles() {
    let fleet = Fleet::new();
    let path = fleet.folder.path().join("a.dll");
    let mut permissions = fs::metadata(&path).expect("is there").permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).expect("sets");
    let report = apply(&Disk, &fleet.plan, &fleet.options()).expect("applies");
    assert_eq!(report.files[0].outcome, Outcome::Obstacle("it is read-only".into()));
    assert!(!report.is_complete() && fleet.contents()["a.dll"] == dll(1));
    let found = scan(std::slice::from_ref(&path), &ScanOptions::default());
    assert_eq!(found.members[0].movable, Movable::Obstacle("it is read-only".into()));
}

#[test]
fn one_refused_file_does_not_stop_the_others() {
    let mut fleet = Fleet::new();
    fleet.plan.moves[1].to = Address::new(0x1234);
    let report = apply(&Disk, &fleet.plan, &fleet.options()).expect("applies");
    let Outcome::Refused(why) = &report.files[1].outcome else { panic!("{report:?}") };
    assert_eq!(why, "b.dll: base 0x00000000_00001234 is not a multiple of 64 KiB");
    assert_eq!(report.count(|it| *it == Outcome::Moved), 2);
}

#[cfg(unix)]
#[test]
fn names_outside_the_plan_are_refused_or_broken_off() {
    use std::os::unix::fs::MetadataExt;
    let fleet = Fleet::new();
    let outside = fleet.folder.path().join("journal-outside");
    fs::hard_link(fleet.folder.path().join("a.dll"), &outside).expect("links");
    let report = apply(&Disk, &fleet.plan, &fleet.options()).expect("applies");
    let Outcome::Obstacle(why) = &report.files[0].outcome else { panic!("{report:?}") };
    assert!(why.starts_with("it has 2 names (hard links), 1 of them not in the plan"), "{why}");
    let options = ApplyOptions { hard_links: HardLinks::Break, ..fleet.options() };
    assert!(apply(&Disk, &fleet.plan, &options).expect("applies").is_complete());
    assert!(fs::read(&outside).expect("reads") == dll(1));
    // b.dll and b2.dll are one file still, and the report says so.
    let inode = |name: &str| fs::metadata(fleet.folder.path().join(name)).expect("is there").ino();
    assert_eq!(inode("b.dll"), inode("b2.dll"));
    assert_eq!(report.files[1].notes, ["its other name b2.dll leads to the new file, too"]);
}

#[cfg(unix)]
#[test]
fn mode_times_and_extended_attributes_are_kept() {
    use std::os::unix::fs::PermissionsExt;
    use std::time::{Duration, SystemTime};
    let fleet = Fleet::new();
    let path = fleet.folder.path().join("a.dll");
    let time = SystemTime::UNIX_EPOCH + Duration::new(1_234_567_890, 123_456_000);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o751)).expect("sets");
    fs::File::options().write(true).open(&path).expect("opens").set_modified(time).expect("sets");
    let flags = rustix::fs::XattrFlags::empty();
    let has_attributes = rustix::fs::setxattr(&path, "user.origin", b"somewhere", flags).is_ok();
    assert!(apply(&Disk, &fleet.plan, &fleet.options()).expect("applies").is_complete());
    let metadata = fs::metadata(&path).expect("is there");
    assert_eq!(
        (metadata.permissions().mode() & 0o7777, metadata.modified().expect("has one")),
        (0o751, time)
    );
    if has_attributes {
        let mut value = [0; 32];
        let length = rustix::fs::getxattr(&path, "user.origin", &mut value).expect("is kept");
        assert_eq!(&value[..length], b"somewhere");
    }
    let options = ApplyOptions { touch: true, ..fleet.options() };
    apply(&Disk, &plan(fleet.folder.path(), 0x2_0000_0000), &options).expect("applies");
    assert!(fs::metadata(&path).expect("is there").modified().expect("has one") > time);
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_stays_one() {
    let fleet = Fleet::new();
    let (link, target) = (fleet.folder.path().join("a.dll"), fleet.folder.path().join("journal-target"));
    fs::rename(&link, &target).expect("renames");
    std::os::unix::fs::symlink(&target, &link).expect("links");
    assert!(apply(&Disk, &fleet.plan, &fleet.options()).expect("applies").is_complete());
    assert!(fs::symlink_metadata(&link).expect("is there").is_symlink());
    assert!(fs::read(&target).expect("reads") != dll(1));
}

#[test]
fn of_two_plans_for_one_file_one_wins_and_the_other_says_so() {
    for _ in 0..20 {
        let fleet = Fleet::new();
        let plans: Vec<Plan> =
            (0..8).map(|step| plan(fleet.folder.path(), 0x3_0000_0000 + step * 0x100_0000)).collect();
        let reports: Vec<ApplyReport> = std::thread::scope(|scope| {
            let runs: Vec<_> = plans
                .iter()
                .enumerate()
                .map(|(index, plan)| {
                    let journal = fleet.folder.path().join(format!("journal{index}"));
                    let options = ApplyOptions { journal, ..fleet.options() };
                    scope.spawn(move || apply(&Disk, plan, &options).expect("applies"))
                })
                .collect();
            runs.into_iter().map(|run| run.join().expect("does not panic")).collect()
        });
        for file in 0..3 {
            let winners = reports.iter().filter(|it| it.files[file].outcome == Outcome::Moved).count();
            assert_eq!(winners, 1, "file {file}: {reports:?}");
            let losers =
                reports.iter().filter(|it| matches!(it.files[file].outcome, Outcome::Obstacle(_))).count();
            assert_eq!(losers, 7);
        }
        let names: Vec<String> = fleet.contents().into_keys().collect();
        assert_eq!(names, ["a.dll", "b.dll", "b2.dll", "c.dll", "d.dll"]);
    }
}

#[test]
fn writers_with_one_journal_wait_or_fail() {
    let fleet = Fleet::new();
    let lock = fs::File::create(fleet.folder.path().join("journal.lock")).expect("makes");
    lock.lock().expect("locks");
    let result = apply(&Disk, &fleet.plan, &fleet.options());
    assert!(matches!(result, Err(ApplyError::Locked { .. })), "{result:?}");
    let options = ApplyOptions { wait: true, ..fleet.options() };
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| apply(&Disk, &fleet.plan, &options));
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert!(!waiting.is_finished());
        lock.unlock().expect("unlocks");
        assert!(waiting.join().expect("does not panic").expect("applies").is_complete());
    });
}

#[test]
fn something_else_is_not_overwritten_as_a_journal() {
    let fleet = Fleet::new();
    let options = ApplyOptions { journal: fleet.folder.path().join("a.dll"), ..fleet.options() };
    assert!(matches!(apply(&Disk, &fleet.plan, &options), Err(ApplyError::NotAJournal { .. })));
    fs::remove_file(fleet.folder.path().join("a.dll.lock")).expect("removes");
    assert!(fleet.contents()["a.dll"] == dll(1));
}

#[test]
fn bindings_of_files_that_stay_are_dropped_when_others_move() {
    let mut craft = Craft::dll(true);
    craft.part(".data", 0x1000, &[9; 0x100]);
    craft.directories.push((11, 0x300, 0x20));
    let fleet = Fleet::new();
    let mut fleet = fleet;
    fs::write(fleet.folder.path().join("d.dll"), craft.bytes()).expect("writes");
    fleet.plan = plan(fleet.folder.path(), 0x3_0000_0000);
    let report = apply(&Disk, &fleet.plan, &fleet.options()).expect("applies");
    assert_eq!(report.files[3].outcome, Outcome::Changed);
    assert!(undo(&Disk, &fleet.options()).expect("undoes").is_complete());
    assert!(fleet.contents()["d.dll"] == craft.bytes());
}

#[test]
fn stripped_signatures_come_back_with_undo() {
    let fleet = Fleet::new();
    let mut craft = Craft::dll(true);
    craft.part(".data", 0x1000, &[9; 0x100]);
    craft.directories.push((4, craft.bytes().len() as u32, 0x20));
    craft.overlay = vec![0x20, 0, 0, 0, 0, 2, 2, 0].into_iter().chain([0x55; 24]).collect();
    fs::write(fleet.folder.path().join("a.dll"), craft.bytes()).expect("writes");
    let plan = plan(fleet.folder.path(), 0x3_0000_0000);
    let report = apply(&Disk, &plan, &fleet.options()).expect("applies");
    assert!(matches!(&report.files[0].outcome, Outcome::Refused(why) if why.contains("--strip-signature")));
    let image = Options { signature: SignaturePolicy::Strip, ..Options::default() };
    let report = apply(&Disk, &plan, &ApplyOptions { image, ..fleet.options() }).expect("applies");
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(fleet.contents()["a.dll"].len(), craft.bytes().len() - 0x20);
    // Two runs: the first moved the others.
    assert!(undo(&Disk, &fleet.options()).expect("undoes").is_complete());
    assert!(fleet.contents()["a.dll"] == craft.bytes());
}

#[test]
fn images_are_found_by_content() {
    let folder = TempDir::new().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    fs::create_dir_all(path("deep/er")).expect("makes");
    fs::write(path("deep/er/extension.oct"), dll(1)).expect("writes");
    fs::write(path("no-suffix"), dll(2)).expect("writes");
    fs::write(path("text.dll"), "a linker script").expect("writes");
    fs::write(path("broken.dll"), &dll(3)[..0x300]).expect("writes");
    fs::write(path("list"), format!("{0}\r\n\n{0}\n{1}", path("no-suffix").display(), "x".repeat(5000)))
        .expect("writes");
    let options = ScanOptions { root: folder.path().to_owned(), ..ScanOptions::default() };
    let found = scan(&[folder.path().to_owned(), path("no-suffix")], &options);
    let names: Vec<&str> = found.members.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(names, ["deep/er/extension.oct", "no-suffix"]);
    let skipped: Vec<(&str, &str)> = found
        .skipped
        .iter()
        .map(|it| (it.path.rsplit('/').next().expect("a name"), it.why.split(';').next().expect("a reason")))
        .collect();
    assert_eq!(skipped.len(), 1, "{skipped:?}");
    assert_eq!(skipped[0].0, "broken.dll");
    // A file that is named is judged, whatever it is.
    let found = scan(&[path("text.dll"), path("gone.dll")], &options);
    assert_eq!(found.skipped.len(), 2);
    assert!(found.skipped.iter().any(|it| it.why == "is text, not a Windows program"), "{:?}", found.skipped);
    let list = read_list(&path("list")).expect("reads");
    assert_eq!((list.len(), &list[0]), (2, &path("no-suffix")));
}
