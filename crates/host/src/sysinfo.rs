//! What the machine is: processors, memory, its name.

use rustix::thread::CpuSet;

/// Main memory and swap, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryStatus {
    /// Main memory.
    pub total: u64,
    /// Main memory that programs could get without swapping.
    pub available: u64,
    /// Swap space.
    pub swap_total: u64,
    /// Swap space that is free.
    pub swap_free: u64,
}

/// Returns how much memory there is; zeros where the kernel does not say.
///
/// Source: Linux, proc_meminfo(5).
pub fn memory_status() -> MemoryStatus {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let number = line.and_then(|rest| rest.split_ascii_whitespace().next()?.parse::<u64>().ok());
        number.unwrap_or(0) * 1024
    };
    MemoryStatus {
        total: field("MemTotal"),
        available: field("MemAvailable"),
        swap_total: field("SwapTotal"),
        swap_free: field("SwapFree"),
    }
}

/// Returns the identifier of this process.
pub fn process_id() -> u32 {
    rustix::process::getpid().as_raw_nonzero().get() as u32
}

/// Returns the machine's name.
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Returns the processors on which the calling thread may run, one bit each, the first 64.
pub fn thread_affinity() -> u64 {
    let set = rustix::thread::sched_getaffinity(None).unwrap_or_else(|_| CpuSet::new());
    let mask = (0..64).filter(|&index| set.is_set(index)).fold(0, |mask, index| mask | 1 << index);
    if mask == 0 { 1 } else { mask }
}

/// Returns the number of the processor that the calling thread runs on.
pub fn current_processor() -> u32 {
    rustix::thread::sched_getcpu() as u32
}

/// Has every thread of this process pass a memory barrier before it returns.
pub fn flush_write_buffers() {
    use rustix::thread::{MembarrierCommand, membarrier};
    // The private command must be registered once; where the kernel has neither, the slow one reaches all processes.
    let register = || membarrier(MembarrierCommand::RegisterPrivateExpedited);
    let private = || membarrier(MembarrierCommand::PrivateExpedited);
    if private().or_else(|_| register().and_then(|()| private())).is_err() {
        let _ = membarrier(MembarrierCommand::Global);
    }
}

/// Lets a thread of this process, by its kernel identifier, run on the processors of `mask` only; says whether the
/// kernel did.
pub fn set_thread_affinity(kernel_id: u32, mask: u64) -> bool {
    let mut set = CpuSet::new();
    for index in (0..64).filter(|index| mask & 1 << index != 0) {
        set.set(index);
    }
    let Some(id) = rustix::thread::Pid::from_raw(kernel_id as i32) else { return false };
    rustix::thread::sched_setaffinity(Some(id), &set).is_ok()
}

/// Returns how many processors the machine has switched on, whatever this process may use.
pub fn processors_online() -> u32 {
    // SAFETY: 1. `sysconf` has no preconditions.
    let count = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) };
    u32::try_from(count).unwrap_or(1).max(1)
}

/// Returns the speed of each processor in MHz, as `/proc/cpuinfo` says; 0 where it says nothing.
pub fn processor_speeds_mhz() -> Vec<u32> {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let speeds = text.lines().filter_map(|line| line.strip_prefix("cpu MHz")?.split_once(':'));
    let mut speeds: Vec<u32> =
        speeds.map(|(_, number)| number.trim().parse::<f64>().map_or(0, |mhz| mhz as u32)).collect();
    speeds.resize(processors_online() as usize, 0);
    speeds
}

/// The processor's family, model and stepping, with the extended fields added as Intel and AMD define.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessorModel {
    /// The family: 6 for Intel's current processors.
    pub family: u32,
    /// The model.
    pub model: u32,
    /// The stepping.
    pub stepping: u32,
}

/// Returns the processor's model.
///
/// Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2A, CPUID leaf 1.
pub fn processor_model() -> ProcessorModel {
    let signature = std::arch::x86_64::__cpuid(1).eax;
    let base_family = signature >> 8 & 15;
    let family = if base_family == 15 { base_family + (signature >> 20 & 0xff) } else { base_family };
    let has_extended_model = base_family == 6 || base_family == 15;
    let extended = if has_extended_model { signature >> 16 & 15 } else { 0 };
    ProcessorModel { family, model: extended << 4 | signature >> 4 & 15, stepping: signature & 15 }
}

/// What the processor calls itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessorKind {
    /// The maker's identification: `GenuineIntel`.
    pub vendor: String,
    /// The name that it is sold under; empty if it has none.
    pub name: String,
}

/// Returns what the processor calls itself.
///
/// Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2A, CPUID leaves 0 and 0x80000002 to
/// 0x80000004.
pub fn processor_kind() -> ProcessorKind {
    use std::arch::x86_64::__cpuid;
    let text = |words: &[u32]| {
        let bytes: Vec<u8> =
            words.iter().flat_map(|word| word.to_le_bytes()).take_while(|&byte| byte != 0).collect();
        String::from_utf8_lossy(&bytes).trim().to_owned()
    };
    let first = __cpuid(0);
    let has_name = __cpuid(0x8000_0000).eax >= 0x8000_0004;
    let leaves = (0x8000_0002..=0x8000_0004).filter(|_| has_name);
    let words: Vec<u32> =
        leaves.map(__cpuid).flat_map(|leaf| [leaf.eax, leaf.ebx, leaf.ecx, leaf.edx]).collect();
    ProcessorKind { vendor: text(&[first.ebx, first.edx, first.ecx]), name: text(&words) }
}

/// An instruction set extension that programs ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// SSE3.
    Sse3,
    /// SSSE3.
    Ssse3,
    /// SSE4.1.
    Sse41,
    /// SSE4.2.
    Sse42,
    /// AVX, switched on by the kernel.
    Avx,
    /// AVX2, switched on by the kernel.
    Avx2,
    /// AVX-512 Foundation, switched on by the kernel.
    Avx512,
    /// CMPXCHG16B.
    CompareExchange128,
    /// RDRAND.
    RdRand,
}

/// Says whether the processor has an extension.
pub fn has_feature(feature: Feature) -> bool {
    match feature {
        Feature::Sse3 => is_x86_feature_detected!("sse3"),
        Feature::Ssse3 => is_x86_feature_detected!("ssse3"),
        Feature::Sse41 => is_x86_feature_detected!("sse4.1"),
        Feature::Sse42 => is_x86_feature_detected!("sse4.2"),
        Feature::Avx => is_x86_feature_detected!("avx"),
        Feature::Avx2 => is_x86_feature_detected!("avx2"),
        Feature::Avx512 => is_x86_feature_detected!("avx512f"),
        Feature::CompareExchange128 => is_x86_feature_detected!("cmpxchg16b"),
        Feature::RdRand => is_x86_feature_detected!("rdrand"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_has_processors_memory_and_a_name() {
        let memory = memory_status();
        assert!(memory.total > 1 << 20 && memory.available <= memory.total, "{memory:?}");
        assert_ne!(thread_affinity(), 0);
        assert!(processors_online() >= thread_affinity().count_ones());
        assert!(!host_name().is_empty());
        assert!(processor_model().family >= 6, "{:?}", processor_model());
    }
}
