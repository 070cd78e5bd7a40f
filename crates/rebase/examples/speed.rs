//! Temporary.
use plat_rebase::apply::*;
use plat_rebase::*;
use plat_regions::Address;
use std::time::Instant;
fn main() {
    let folder = std::path::PathBuf::from(std::env::args().nth(1).unwrap());
    let start = Instant::now();
    let found = scan(
        &[folder.clone()],
        &ScanOptions { without_hash: std::env::args().nth(2).is_none(), ..Default::default() },
    );
    let scanned = start.elapsed();
    let mut at = 0x6f00_0000u64;
    let moves = found
        .members
        .into_iter()
        .map(|it| {
            at -= it.size.next_multiple_of(0x10000);
            Move {
                to: Address::new(at),
                path: it.path,
                links: it.links,
                hash: it.hash,
                machine: it.machine,
                from: it.base,
                size: it.size,
                slot: it.size,
                reason: Reason::New,
                uses: 0,
            }
        })
        .collect();
    let plan = Plan {
        layout: String::new(),
        moves,
        obstacles: vec![],
        shared: vec![],
        report: PlanReport::default(),
    };
    let options = ApplyOptions {
        image: Options { signature: SignaturePolicy::Keep, ..Options::default() },
        durability: Durability::Off,
        journal: std::env::temp_dir().join("speed-journal"),
        seen: found.seen,
        ..Default::default()
    };
    let _ = std::fs::remove_file(&options.journal);
    let applied = Instant::now();
    let report = apply(&Disk, &plan, &options).unwrap();
    println!(
        "scan {scanned:?} apply {:?} total {:?} moved {} of {}",
        applied.elapsed(),
        start.elapsed(),
        report.count(|it| *it == Outcome::Moved),
        report.files.len()
    );
}
