//! What the kernel has counted since it began: disks, pages, switches between threads.
//!
//! Source: proc(5), "Documentation/admin-guide/iostats.rst" of Linux for `/proc/diskstats`.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What was done with a disk or a part of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disk {
    /// Its name.
    pub name: String,
    /// How many reads are done.
    pub reads: u64,
    /// Bytes that were read.
    pub read_bytes: u64,
    /// How long the reads took, in nanoseconds.
    pub read_time: u64,
    /// How many writes are done.
    pub writes: u64,
    /// Bytes that were written.
    pub written_bytes: u64,
    /// How long the writes took, in nanoseconds.
    pub write_time: u64,
    /// How many reads and writes are under way.
    pub under_way: u64,
    /// How long anything was under way, in nanoseconds.
    pub busy_time: u64,
}

/// Bytes of a sector in `/proc/diskstats`, whatever the disk has.
const SECTOR: u64 = 512;
const MILLISECOND: u64 = 1_000_000;

/// Reads a line of `/proc/diskstats`: the device's numbers, and what was done with it.
fn disk_of(line: &str) -> Option<((u64, u64), Disk)> {
    let mut words = line.split_ascii_whitespace();
    let numbers = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let name = words.next()?.to_owned();
    let fields: Vec<u64> = words.map_while(|word| word.parse().ok()).collect();
    let &[reads, _, read, read_time, writes, _, written, write_time, under_way, busy, ..] = &fields[..]
    else {
        return None;
    };
    let disk = Disk {
        name,
        reads,
        read_bytes: read * SECTOR,
        read_time: read_time * MILLISECOND,
        writes,
        written_bytes: written * SECTOR,
        write_time: write_time * MILLISECOND,
        under_way,
        busy_time: busy * MILLISECOND,
    };
    Some((numbers, disk))
}

fn devices() -> Vec<((u64, u64), Disk)> {
    let text = fs::read_to_string("/proc/diskstats").unwrap_or_default();
    text.lines().filter_map(disk_of).collect()
}

/// Returns the whole disks, without those that are files or memory.
pub fn disks() -> Vec<Disk> {
    let is_disk = |disk: &Disk| {
        let is_made_up = ["loop", "ram", "zram"].iter().any(|kind| disk.name.starts_with(kind));
        !is_made_up && Path::new("/sys/block").join(&disk.name).exists()
    };
    devices().into_iter().map(|(_, disk)| disk).filter(is_disk).collect()
}

/// Returns the disk or part of one that a file lies on; `None` where it lies on none.
pub fn disk_of_path(path: &Path) -> Option<Disk> {
    let device = fs::metadata(path).ok()?.dev();
    let numbers = (u64::from(rustix::fs::major(device)), u64::from(rustix::fs::minor(device)));
    devices().into_iter().find(|(other, _)| *other == numbers).map(|(_, disk)| disk)
}

/// What the kernel has counted as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Switches between threads.
    pub switches: u64,
    /// Interrupts.
    pub interrupts: u64,
    /// Threads that run or could.
    pub running: u64,
    /// Page faults.
    pub faults: u64,
    /// Page faults that had to read a disk.
    pub hard_faults: u64,
    /// KiB that were read from disks.
    pub read: u64,
    /// KiB that were written to disks.
    pub written: u64,
}

/// Returns what the kernel has counted.
pub fn counts() -> Counts {
    let statistics = fs::read_to_string("/proc/stat").unwrap_or_default();
    let memory = fs::read_to_string("/proc/vmstat").unwrap_or_default();
    let field = |text: &str, name: &str| {
        let find = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.split(' ').next()?.parse().ok();
        text.lines().find_map(find).unwrap_or(0)
    };
    Counts {
        switches: field(&statistics, "ctxt"),
        interrupts: field(&statistics, "intr"),
        running: field(&statistics, "procs_running"),
        faults: field(&memory, "pgfault"),
        hard_faults: field(&memory, "pgmajfault"),
        read: field(&memory, "pgpgin"),
        written: field(&memory, "pgpgout"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_kernels_table_is_read() {
        let line = " 254       0 vda 24 1 13 568 12 22 130 654 3 21 637 16 29 11 34 43 82";
        let (numbers, disk) = disk_of(line).expect("a disk");
        assert_eq!(numbers, (254, 0));
        assert_eq!((disk.reads, disk.read_bytes, disk.read_time), (24, 13 * 512, 568_000_000));
        assert_eq!((disk.writes, disk.written_bytes, disk.write_time), (12, 130 * 512, 654_000_000));
        assert_eq!((disk.under_way, disk.busy_time), (3, 21_000_000));
        assert_eq!(disk_of(" 254 0 vda 1 2"), None);
    }

    #[test]
    fn the_kernel_counts() {
        let first = counts();
        assert!(first.switches > 0 && first.faults > 0 && first.running > 0, "{first:?}");
    }
}
