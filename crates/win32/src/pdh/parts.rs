//! Counters of disks, drives and network interfaces.

use plat_host::network::{InterfaceFacts, interface_facts};
use plat_host::statistics::{self, Disk};
use plat_host::{directory, file_path};

use super::counters::{Counter, Source};
use crate::logic::performance::CounterType;
use crate::nt::path::FileSystem;

/// A drive with a letter.
#[derive(Debug)]
pub(super) struct Drive {
    /// The letter with its colon.
    pub(super) name: String,
    /// The disk below, or zeros where there is none.
    pub(super) disk: Disk,
    /// Bytes that it has.
    total: u64,
    /// Bytes that are free.
    free: u64,
}

/// Returns the drives that have a letter.
pub(super) fn drives(files: &FileSystem) -> Vec<Drive> {
    let roots = files.drives().c.clone().map(|root| ("C:", root));
    let made = |(name, root): (&str, std::path::PathBuf)| {
        let space = file_path::space(&root).ok()?;
        let disk = statistics::disk_of_path(&root).unwrap_or_default();
        Some(Drive { name: name.to_owned(), disk, total: space.total, free: space.available })
    };
    roots.into_iter().chain([("Z:", "/".into())]).filter_map(made).collect()
}

/// Returns the disks, named by their numbers and the drives on them: `0 C: Z:`.
pub(super) fn disks(drives: &[Drive]) -> Vec<(String, Disk)> {
    let named = |(number, disk): (usize, Disk)| {
        let mut name = number.to_string();
        for drive in drives.iter().filter(|drive| drive.disk.name.starts_with(&disk.name)) {
            name = format!("{name} {}", drive.name);
        }
        (name, disk)
    };
    statistics::disks().into_iter().enumerate().map(named).collect()
}

/// Returns the network interfaces.
pub(super) fn networks() -> Vec<(String, InterfaceFacts)> {
    let mut names: Vec<String> = directory::names(std::path::Path::new("/sys/class/net"))
        .unwrap_or_default()
        .into_iter()
        .filter_map(|name| name.into_string().ok())
        .collect();
    names.sort();
    // A machine's talk with itself is no interface of the network.
    names.retain(|name| name != "lo" && !name.starts_with("ifb"));
    names.into_iter().map(|name| (name.clone(), interface_facts(&name))).collect()
}

/// Units of 100 ns.
const fn ticks(nanoseconds: u64) -> u64 {
    nanoseconds / 100
}

const fn disk(
    object: &'static str,
    name: &'static str,
    kind: CounterType,
    of: fn(&Disk) -> (u64, u64),
) -> Counter {
    Counter { object, name, kind, source: Source::Disk(of) }
}

/// Returns the counters that disks and drives have.
#[rustfmt::skip]
const fn of_disks(object: &'static str) -> [Counter; 17] {
    use CounterType::{Average, AverageTime, BulkRate, InverseTimer, Rate, Raw, Timer};
    [
        disk(object, "Current Disk Queue Length", Raw, |d| (d.under_way, 0)),
        disk(object, "% Disk Time", Timer, |d| (ticks(d.read_time + d.write_time), 0)),
        disk(object, "% Disk Read Time", Timer, |d| (ticks(d.read_time), 0)),
        disk(object, "% Disk Write Time", Timer, |d| (ticks(d.write_time), 0)),
        disk(object, "% Idle Time", InverseTimer, |d| (ticks(d.busy_time), 0)),
        disk(object, "Avg. Disk sec/Transfer", AverageTime, |d| (ticks(d.read_time + d.write_time), d.reads + d.writes)),
        disk(object, "Avg. Disk sec/Read", AverageTime, |d| (ticks(d.read_time), d.reads)),
        disk(object, "Avg. Disk sec/Write", AverageTime, |d| (ticks(d.write_time), d.writes)),
        disk(object, "Disk Transfers/sec", Rate, |d| (d.reads + d.writes, 0)),
        disk(object, "Disk Reads/sec", Rate, |d| (d.reads, 0)),
        disk(object, "Disk Writes/sec", Rate, |d| (d.writes, 0)),
        disk(object, "Disk Bytes/sec", BulkRate, |d| (d.read_bytes + d.written_bytes, 0)),
        disk(object, "Disk Read Bytes/sec", BulkRate, |d| (d.read_bytes, 0)),
        disk(object, "Disk Write Bytes/sec", BulkRate, |d| (d.written_bytes, 0)),
        disk(object, "Avg. Disk Bytes/Transfer", Average, |d| (d.read_bytes + d.written_bytes, d.reads + d.writes)),
        disk(object, "Avg. Disk Bytes/Read", Average, |d| (d.read_bytes, d.reads)),
        disk(object, "Avg. Disk Bytes/Write", Average, |d| (d.written_bytes, d.writes)),
    ]
}

/// The object whose instances are drives.
pub(super) const DRIVES: &str = "LogicalDisk";
/// Counters of disks.
pub(super) const PHYSICAL: &[Counter] = &of_disks("PhysicalDisk");
/// Counters of the disks below drives.
pub(super) const LOGICAL: &[Counter] = &of_disks(DRIVES);
/// Counters of drives.
pub(super) const SPACE: &[Counter] = &[
    drive("% Free Space", CounterType::Fraction, |drive| (drive.free, drive.total)),
    drive("Free Megabytes", CounterType::Raw, |drive| (drive.free >> 20, 0)),
];

const fn drive(name: &'static str, kind: CounterType, of: fn(&Drive) -> (u64, u64)) -> Counter {
    Counter { object: DRIVES, name, kind, source: Source::Drive(of) }
}

/// Counters of network interfaces.
#[rustfmt::skip]
pub(super) const NETWORKS: &[Counter] = &[
    network("Bytes Total/sec", CounterType::BulkRate, |one| one.received[0] + one.sent[0]),
    network("Packets/sec", CounterType::Rate, |one| one.received[1] + one.sent[1]),
    network("Packets Received/sec", CounterType::Rate, |one| one.received[1]),
    network("Packets Sent/sec", CounterType::Rate, |one| one.sent[1]),
    network("Current Bandwidth", CounterType::LargeRaw, |one| one.speed),
    network("Bytes Received/sec", CounterType::BulkRate, |one| one.received[0]),
    network("Packets Received Discarded", CounterType::Raw, |one| one.received[2]),
    network("Packets Received Errors", CounterType::Raw, |one| one.received[3]),
    network("Bytes Sent/sec", CounterType::BulkRate, |one| one.sent[0]),
    network("Packets Outbound Discarded", CounterType::Raw, |one| one.sent[2]),
    network("Packets Outbound Errors", CounterType::Raw, |one| one.sent[3]),
];

const fn network(name: &'static str, kind: CounterType, of: fn(&InterfaceFacts) -> u64) -> Counter {
    Counter { object: "Network Interface", name, kind, source: Source::Network(of) }
}
