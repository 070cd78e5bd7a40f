//! Recordings of real programs, replayed: every result, every recorded map, line by line.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use plat_sim::Config;
use plat_sim::cache::FileContents;
use plat_sim::script::{Checkpoint, Outside, Replay};

/// The files of a recording: sizes, and the headers of those that are executed.
#[derive(Default)]
struct Recorded {
    files: BTreeMap<String, FileContents>,
    links: BTreeMap<String, String>,
}

impl Outside for Recorded {
    fn file(&mut self, path: &str) -> Option<FileContents> {
        self.files.get(self.links.get(path).map_or(path, String::as_str)).cloned()
    }
}

fn read(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/straces").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn files(text: &str) -> Recorded {
    let mut recorded = Recorded::default();
    for line in text.lines() {
        if let Some((link, target)) = line.split_once(" -> ") {
            recorded.links.insert(link.to_owned(), target.to_owned());
            continue;
        }
        let mut words = line.split(' ');
        let (Some(path), Some(size)) = (words.next(), words.next()) else { continue };
        let digits = words.next().unwrap_or_default();
        let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal");
        let bytes: Arc<[u8]> = (0..digits.len()).step_by(2).map(byte).collect();
        let contents = FileContents { path: path.to_owned(), size: size.parse().expect("a size"), bytes };
        recorded.files.insert(path.to_owned(), contents);
    }
    recorded
}

fn replay(name: &str) -> Replay {
    let checkpoints = Checkpoint::parse_all(&read(&format!("{name}.maps"))).expect("well-formed");
    let mut replay = Replay::new(Config::default(), checkpoints);
    let mut files = files(&read(&format!("{name}.files")));
    replay.run(&read(&format!("{name}.strace")), &mut files).expect(name);
    replay
}

fn check(name: &str) {
    let replay = replay(name);
    assert_eq!(replay.differences, [], "{name}: results that differ");
    for at in replay.checkpoints() {
        let when = if at.at_exec { "exec" } else { "exit" };
        assert_eq!(at.differing.as_deref(), Some(&[][..]), "{name}: process {} at {when}", at.pid);
    }
    assert_eq!(replay.refused_faults, 0, "{name}: faults that the model answers with a signal");
    replay.machine.check().expect("every frame is accounted for");
}

#[test]
fn bash_ends_with_the_recorded_maps() {
    check("bash");
}

#[test]
fn bash_with_random_addresses_ends_with_the_recorded_maps() {
    check("bash-aslr");
}

#[test]
fn python_ends_with_the_recorded_maps() {
    check("python3");
}

#[test]
fn gcc_and_all_that_it_starts_end_with_the_recorded_maps() {
    check("gcc");
}
