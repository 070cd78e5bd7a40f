//! The system as it presents itself: version, processors, memory.

use plat_abi::Machine;
use plat_host::sysinfo::{self, Feature};

use crate::process::Process;

/// The version of Windows that programs see, whatever their manifest says: Windows 10 22H2. (Windows itself tells
/// programs without a manifest that it is 6.2, so that old version checks pass; tools care more for what works.)
pub const VERSION: (u32, u32, u32) = (10, 0, 19045);
/// `VER_PLATFORM_WIN32_NT`.
pub const PLATFORM_NT: u32 = 2;
/// `VER_SUITE_SINGLEUSERTS`, the suite of a client Windows.
pub const SUITE: u16 = 0x100;
/// `VER_NT_WORKSTATION`.
pub const PRODUCT_WORKSTATION: u8 = 1;
/// Bytes of a page.
pub const PAGE_SIZE: u32 = 4096;
/// Bytes to which addresses of allocations are aligned.
pub const ALLOCATION_GRANULARITY: u32 = 0x1_0000;

/// Returns the processors that the process may use, one bit each; a 32-bit process sees 32 of them.
pub fn processors(machine: Machine) -> u64 {
    let mask = first_affinity();
    match (machine, mask & 0xffff_ffff) {
        (Machine::I386, 0) => 1,
        (Machine::I386, low) => low,
        (Machine::Amd64, _) => mask,
    }
}

/// The affinity that plat itself was started with: later changes are the guest's own.
fn first_affinity() -> u64 {
    static MASK: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
    *MASK.get_or_init(sysinfo::thread_affinity)
}

/// Returns the lowest and the highest address that programs may use: the layout's.
pub fn address_limits(process: &Process) -> (u64, u64) {
    let usable = process.memory.usable();
    (usable.start.get(), usable.end.get() - 1)
}

/// Says whether the processor has a `PF_…` feature.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-isprocessorfeaturepresent>
pub fn has_processor_feature(feature: u32) -> bool {
    match feature {
        // Compare-exchange double, MMX, SSE, RDTSC, PAE, SSE2, NX, XSAVE's availability follows AVX, FSGSBASE.
        2 | 3 | 6 | 8 | 9 | 10 | 12 | 22 => true,
        13 => sysinfo::has_feature(Feature::Sse3),
        14 => sysinfo::has_feature(Feature::CompareExchange128),
        17 => sysinfo::has_feature(Feature::Avx),
        // Fast fail: `int 0x29` ends a program with a report.
        23 => true,
        28 => sysinfo::has_feature(Feature::RdRand),
        36 => sysinfo::has_feature(Feature::Ssse3),
        37 => sysinfo::has_feature(Feature::Sse41),
        38 => sysinfo::has_feature(Feature::Sse42),
        39 => sysinfo::has_feature(Feature::Avx),
        40 => sysinfo::has_feature(Feature::Avx2),
        41 => sysinfo::has_feature(Feature::Avx512),
        _ => false,
    }
}

/// What a program wants of the version.
#[derive(Clone, Copy, Debug)]
pub struct WantedVersion {
    /// Major, minor, service pack's major and minor.
    pub version: [u32; 4],
    /// The build.
    pub build: u32,
    /// The platform.
    pub platform: u32,
    /// Bits of suites.
    pub suite: u16,
    /// The kind of product.
    pub product: u8,
}

/// Compares the version with what is wanted: `types` are `VER_…` bits, `conditions` three bits for each of them; `None`
/// without types or with a type that has no condition.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-verifyversioninfow>
pub fn version_matches(wanted: &WantedVersion, types: u32, conditions: u64) -> Option<bool> {
    const MINOR: u32 = 0;
    const MAJOR: u32 = 1;
    const BUILD: u32 = 2;
    const PLATFORM: u32 = 3;
    const PACK_MINOR: u32 = 4;
    const PACK_MAJOR: u32 = 5;
    const SUITES: u32 = 6;
    const PRODUCT: u32 = 7;
    let condition = |bit: u32| (conditions >> (bit * 3) & 7) as u32;
    if types == 0 || (0..8).any(|bit| types & 1 << bit != 0 && condition(bit) == 0) {
        return None;
    }
    let is_asked = |bit: u32| types & 1 << bit != 0;
    let (major, minor, build) = VERSION;
    let plain = [
        (BUILD, build, wanted.build),
        (PLATFORM, PLATFORM_NT, wanted.platform),
        (PRODUCT, u32::from(PRODUCT_WORKSTATION), u32::from(wanted.product)),
    ];
    let plain = plain.iter().filter(|(bit, ..)| is_asked(*bit));
    let plain_match = plain.clone().all(|&(bit, ours, theirs)| compare(condition(bit), ours.cmp(&theirs)));
    let common = SUITE & wanted.suite;
    let suites_match = match (is_asked(SUITES), condition(SUITES)) {
        (false, _) => true,
        (true, 6) => common == wanted.suite,
        (true, _) => common != 0 || wanted.suite == 0,
    };
    // The parts of the version are one number: a greater major part decides whatever the minor ones are.
    let bits = [MAJOR, MINOR, PACK_MAJOR, PACK_MINOR];
    let ours = [major, minor, 0, 0];
    let asked: Vec<usize> = (0..4).filter(|&index| is_asked(bits[index])).collect();
    let version_match = asked.first().is_none_or(|&first| {
        let order = asked.iter().map(|&index| ours[index].cmp(&wanted.version[index]));
        let order = order.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then);
        compare(condition(bits[first]), order)
    });
    Some(plain_match && suites_match && version_match)
}

/// `VER_EQUAL` 1, `VER_GREATER` 2, `VER_GREATER_EQUAL` 3, `VER_LESS` 4, `VER_LESS_EQUAL` 5.
fn compare(condition: u32, order: std::cmp::Ordering) -> bool {
    match condition {
        1 => order.is_eq(),
        2 => order.is_gt(),
        3 => order.is_ge(),
        4 => order.is_lt(),
        5 => order.is_le(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_one_number() {
        let wanted = |major, minor| WantedVersion {
            version: [major, minor, 0, 0],
            build: 0,
            platform: 2,
            suite: 0,
            product: 1,
        };
        let at_least = 3 | 3 << 3;
        // 6.1 is older than 10.0, though 1 is greater than 0.
        assert_eq!(version_matches(&wanted(6, 1), 3, at_least), Some(true));
        assert_eq!(version_matches(&wanted(10, 0), 3, at_least), Some(true));
        assert_eq!(version_matches(&wanted(10, 1), 3, at_least), Some(false));
        assert_eq!(version_matches(&wanted(11, 0), 3, at_least), Some(false));
        assert_eq!(version_matches(&wanted(10, 0), 3, 4 | 4 << 3), Some(false));
        assert_eq!(version_matches(&wanted(10, 0), 3, 0), None);
        assert_eq!(version_matches(&wanted(10, 0), 0, at_least), None);
    }
}
