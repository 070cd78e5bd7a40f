//! The machine's clocks: time of day, time since boot, processor time, local time.

use std::mem::MaybeUninit;

use rustix::time::{ClockId, clock_gettime};

/// Returns the time of day: seconds and nanoseconds since 1970-01-01 UTC.
#[inline]
pub fn unix_time() -> (i64, u32) {
    let now = clock_gettime(ClockId::Realtime);
    (now.tv_sec, now.tv_nsec as u32)
}

/// Returns nanoseconds on a clock that never jumps.
#[inline]
pub fn monotonic_nanoseconds() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// Returns nanoseconds since the machine was started, sleep included.
#[inline]
pub fn boot_nanoseconds() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// Processor time that was used, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessorTime {
    /// In programs.
    pub user: u64,
    /// In the kernel.
    pub kernel: u64,
}

/// Returns the processor time that this process has used.
pub fn process_time() -> ProcessorTime {
    usage_of(libc::RUSAGE_SELF)
}

/// Returns the processor time that the calling thread has used.
pub fn thread_time() -> ProcessorTime {
    usage_of(libc::RUSAGE_THREAD)
}

fn usage_of(who: i32) -> ProcessorTime {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: 1. `usage` is valid for writing.
    unsafe { libc::getrusage(who, usage.as_mut_ptr()) };
    // SAFETY: 1. all-zero is a valid `rusage`, and the kernel writes valid ones.
    let usage = unsafe { usage.assume_init() };
    let nanoseconds = |time: libc::timeval| time.tv_sec as u64 * 1_000_000_000 + time.tv_usec as u64 * 1000;
    ProcessorTime { user: nanoseconds(usage.ru_utime), kernel: nanoseconds(usage.ru_stime) }
}

/// Returns the processor time of a thread of this process by its kernel identifier, to 10 ms; `None` once it ended.
///
/// Source: Linux, proc_pid_stat(5).
pub fn thread_time_of(kernel_id: u32) -> Option<ProcessorTime> {
    let text = std::fs::read_to_string(format!("/proc/self/task/{kernel_id}/stat")).ok()?;
    let mut fields = stat_fields(&text)?.skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let kernel: u64 = fields.next()?.parse().ok()?;
    Some(ProcessorTime { user: user * 10_000_000, kernel: kernel * 10_000_000 })
}

/// Returns when this process was started, in nanoseconds since boot, to 10 ms.
pub fn process_start_since_boot() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    let ticks: u64 = stat_fields(&text)?.nth(19)?.parse().ok()?;
    Some(ticks * 10_000_000)
}

/// The fields after the command's name, which is in parentheses and may hold spaces.
fn stat_fields(text: &str) -> Option<impl Iterator<Item = &str>> {
    text.rsplit_once(')').map(|(_, rest)| rest.split_ascii_whitespace())
}

/// Local time at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalOffset {
    /// Seconds to add to UTC.
    pub seconds_east: i64,
    /// Whether summer time is in force.
    pub is_summer: bool,
    /// The zone's abbreviation, as in `CEST`.
    pub name: String,
}

/// Returns today's rules of a zone of the time zone database as POSIX writes them, `CET-1CEST,M3.5.0,M10.5.0/3`; `None` where
/// the machine does not have it.
///
/// Source: RFC 8536, the footer
pub fn zone_description(name: &str) -> Option<String> {
    if name.split('/').any(|part| part.is_empty() || part.starts_with('.')) {
        return None;
    }
    let bytes = std::fs::read(format!("/usr/share/zoneinfo/{name}")).ok()?;
    let footer = bytes.strip_suffix(b"\n")?.rsplit(|&byte| byte == b'\n').next()?;
    String::from_utf8(footer.to_vec()).ok()
}

/// Returns how local time differs from UTC at `unix_seconds`, by `TZ` or the system's zone.
pub fn local_offset(unix_seconds: i64) -> LocalOffset {
    let mut fields = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: 1. both pointers are valid; 2. `localtime_r` is thread-safe as long as nobody changes the environment,
    // and plat keeps the guest's environment apart from its own.
    let result = unsafe { libc::localtime_r(&raw const unix_seconds, fields.as_mut_ptr()) };
    if result.is_null() {
        return LocalOffset { seconds_east: 0, is_summer: false, name: "UTC".to_owned() };
    }
    // SAFETY: 1. all-zero is a valid `tm`, and a non-null result says that it was filled.
    let fields = unsafe { fields.assume_init() };
    let name = if fields.tm_zone.is_null() {
        String::new()
    } else {
        // SAFETY: 1. the C library's zone names are zero-terminated and stay valid.
        let name = unsafe { std::ffi::CStr::from_ptr(fields.tm_zone) };
        name.to_string_lossy().into_owned()
    };
    LocalOffset { seconds_east: fields.tm_gmtoff, is_summer: fields.tm_isdst > 0, name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_go_forward_and_processor_time_is_used() {
        let before = monotonic_nanoseconds();
        while thread_time().user + thread_time().kernel < 2_000_000 {}
        assert!(monotonic_nanoseconds() > before + 1_000_000);
        assert!(boot_nanoseconds() >= before);
        let process = process_time();
        assert!(process.user + process.kernel >= 2_000_000, "{process:?}");
    }

    #[test]
    fn this_process_was_started_a_while_after_boot() {
        let start = process_start_since_boot().expect("/proc is there");
        assert!(start > 0 && start <= boot_nanoseconds() + 10_000_000);
    }
}
