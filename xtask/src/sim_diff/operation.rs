//! One random operation: how the kernel is called, and how the simulator is.

use super::files::Files;
use plat_host::kernel_lab::{Call, FILES_FD, Order};
use plat_regions::linux::{
    Action, Advice, Failure, Fault, FaultAccess, Limits, LinuxSpace, LockAllFlags, MapFlags, MapRequest,
    Outcome, ProtectGrows, RemapFlags, RemapRequest, Signal, Source, Step,
};
use plat_regions::{Access, Address, AddressRange, PAGE_SIZE};
use std::fmt;

/// An operation on an address space, in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Map { address: u64, length: u64, access: u8, flags: u32, file: Option<usize>, offset: u64 },
    Unmap { address: u64, length: u64 },
    Protect { address: u64, length: u64, access: u8, grows: u32 },
    Remap { address: u64, old: u64, new: u64, flags: u32, to: u64 },
    Advise { address: u64, length: u64, advice: Advice },
    Brk { address: u64 },
    Lock { address: u64, length: u64, on_fault: bool },
    Unlock { address: u64, length: u64 },
    Load { address: u64 },
    Store { address: u64 },
    Fork,
    Vfork,
    LockAll { flags: u32 },
    UnlockAll,
    Limit { resource: Resource, bytes: u64 },
    Resize { file: usize, bytes: u64 },
    Seal { file: usize, seals: u32 },
}

/// What is limited, with Linux's numbers. Source: Linux, include/uapi/asm-generic/resource.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Resource {
    Data = 2,
    Stack = 3,
    Locked = 8,
    AddressSpace = 9,
}

impl Resource {
    fn set(self, limits: &mut Limits, bytes: u64) {
        match self {
            Self::Data => limits.data = bytes,
            Self::Stack => limits.stack = bytes,
            Self::Locked => limits.locked = bytes,
            Self::AddressSpace => limits.address_space = bytes,
        }
    }
}

/// Command of `fcntl`. Source: Linux, include/uapi/linux/fcntl.h.
const F_ADD_SEALS: u64 = 1033;

/// Forms a system call.
fn system(number: u64, arguments: &[u64]) -> Call {
    let mut six = [0; 6];
    six[..arguments.len()].copy_from_slice(arguments);
    Call::System { number, arguments: six }
}

impl Operation {
    /// Returns what the lab is told. Source: Linux, arch/x86/entry/syscalls/syscall_64.tbl.
    pub(crate) fn call(&self) -> Call {
        match *self {
            Self::Map { address, length, access, flags, file, offset } => {
                let descriptor = file.map_or(u64::MAX, |file| FILES_FD + file as u64);
                system(9, &[address, length, access.into(), flags.into(), descriptor, offset])
            }
            Self::Unmap { address, length } => system(11, &[address, length]),
            Self::Protect { address, length, access, grows } => {
                system(10, &[address, length, u64::from(access) | u64::from(grows)])
            }
            Self::Remap { address, old, new, flags, to } => {
                system(25, &[address, old, new, flags.into(), to])
            }
            Self::Advise { address, length, advice } => system(28, &[address, length, advice as u64]),
            Self::Brk { address } => system(12, &[address]),
            Self::Lock { address, length, on_fault } => system(325, &[address, length, on_fault.into()]),
            Self::Unlock { address, length } => system(150, &[address, length]),
            Self::Load { address } => Call::Load(Address::new(address)),
            Self::Store { address } => Call::Store(Address::new(address)),
            Self::Fork => Call::Fork,
            Self::Vfork => Call::Vfork,
            Self::LockAll { flags } => system(151, &[flags.into()]),
            Self::UnlockAll => system(152, &[]),
            Self::Limit { resource, bytes } => Call::Limit { resource: resource as u32, bytes },
            Self::Resize { file, bytes } => system(77, &[FILES_FD + file as u64, bytes]),
            Self::Seal { file, seals } => system(72, &[FILES_FD + file as u64, F_ADD_SEALS, seals.into()]),
        }
    }

    /// Does it to the simulated space; returns what the kernel's call would, and the steps.
    pub(crate) fn apply(&self, space: &mut LinuxSpace, files: &mut Files) -> (i64, Vec<Step>) {
        let at = Address::new;
        match *self {
            Self::Map { address, length, access, flags, file, offset } => {
                let source = match file.and_then(|file| files.get(file)) {
                    Some(file) => Source::File { file: file.clone(), offset },
                    None => Source::Anonymous,
                };
                let (address, flags) = (at(address), MapFlags::from_bits_retain(flags));
                let access = Access::from_bits_truncate(access);
                answer(space.map(&MapRequest { address, length, access, flags, source }), number)
            }
            Self::Unmap { address, length } => answer(space.unmap(at(address), length), zero),
            Self::Protect { address, length, access, grows } => {
                let (access, grows) =
                    (Access::from_bits_truncate(access), ProtectGrows::from_bits_truncate(grows));
                answer(space.protect_growing(at(address), length, access, grows), zero)
            }
            Self::Remap { address, old, new, flags, to } => {
                let request = RemapRequest {
                    address: at(address),
                    old_length: old,
                    new_length: new,
                    flags: RemapFlags::from_bits_retain(flags),
                    new_address: at(to),
                };
                answer(space.remap(&request), number)
            }
            Self::Advise { address, length, advice } => {
                answer(space.advise(at(address), length, advice), zero)
            }
            Self::Brk { address } => answer(Ok(space.brk(at(address))), number),
            Self::Lock { address, length, on_fault } => {
                answer(space.lock(at(address), length, on_fault), zero)
            }
            Self::Unlock { address, length } => answer(space.unlock(at(address), length), zero),
            Self::Load { address } => answer(Ok(space.fault(at(address), FaultAccess::Read)), signal),
            Self::Store { address } => answer(Ok(space.fault(at(address), FaultAccess::Write)), signal),
            // The child has its parent's memory.
            Self::Vfork => (0, Vec::new()),
            Self::LockAll { flags } => answer(space.lock_all(LockAllFlags::from_bits_retain(flags)), zero),
            Self::UnlockAll => answer(Ok(space.unlock_all()), zero),
            Self::Limit { resource, bytes } => {
                let mut limits = *space.limits();
                resource.set(&mut limits, bytes);
                space.set_limits(limits);
                (0, Vec::new())
            }
            Self::Resize { file, bytes } => files.resize(file, bytes, space),
            Self::Seal { file, seals } => (files.seal(file, seals, space), Vec::new()),
            Self::Fork => match space.fork() {
                Ok(child) => {
                    files.forked(space);
                    *space = child.value;
                    (0, child.steps)
                }
                Err(failure) => (-i64::from(failure.error.number()), failure.steps),
            },
        }
    }
}

impl Operation {
    /// Returns the parts of the map that it may have changed: its ranges with the regions that touch them.
    pub(crate) fn windows(&self, value: i64, space: &LinuxSpace) -> [AddressRange; 2] {
        let result = (value > 0).then_some(value as u64);
        let ranges = match *self {
            Self::Map { address, length, .. } => [Some((result.unwrap_or(address), length)), None],
            Self::Unmap { address, length }
            | Self::Protect { address, length, .. }
            | Self::Advise { address, length, .. }
            | Self::Lock { address, length, .. }
            | Self::Unlock { address, length } => [Some((address, length)), None],
            Self::Remap { address, old, new, to, .. } => {
                [Some((address, old.max(new))), Some((result.unwrap_or(to), new))]
            }
            Self::Brk { .. } => {
                let heap = space.heap();
                [Some((heap.start.get(), heap.size() + 64 * PAGE_SIZE)), None]
            }
            Self::Load { address } | Self::Store { address } => [Some((address, 1)), None],
            Self::Limit { .. } => [None, None],
            Self::Fork
            | Self::Vfork
            | Self::LockAll { .. }
            | Self::UnlockAll
            | Self::Resize { .. }
            | Self::Seal { .. } => return [Order::ALL, Order::NONE],
        };
        let windows =
            ranges.map(|range| range.map_or(Order::NONE, |(start, length)| window(start, length, space)));
        let [low, high] = windows;
        if low.overlaps(high) {
            let both = AddressRange { start: low.start.min(high.start), end: low.end.max(high.end) };
            return [both, Order::NONE];
        }
        windows
    }
}

/// Returns a range with a page on each side, up to the ends of the regions there.
fn window(start: u64, length: u64, space: &LinuxSpace) -> AddressRange {
    let (below, above) =
        (start.saturating_sub(PAGE_SIZE), start.saturating_add(length).saturating_add(2 * PAGE_SIZE - 1));
    let below = Address::new(below).align_down(PAGE_SIZE).min(Order::ALL.end);
    let above = Address::new(above).align_down(PAGE_SIZE).min(Order::ALL.end);
    let start = space.vma_at(below).map_or(below, |(range, _)| range.start);
    let end = space.vma_at(above).map_or(above, |(range, _)| range.end);
    AddressRange { start, end }
}

fn answer<T>(outcome: Result<Outcome<T>, Failure>, value: impl Fn(T) -> i64) -> (i64, Vec<Step>) {
    match outcome {
        Ok(outcome) => (value(outcome.value), outcome.steps),
        Err(failure) => {
            let mut steps = failure.steps;
            let range = AddressRange::default();
            steps.push(Step { range, action: Action::Note, reason: failure.reason });
            (-i64::from(failure.error.number()), steps)
        }
    }
}

fn number(address: Address) -> i64 {
    address.get() as i64
}

fn zero((): ()) -> i64 {
    0
}

/// Returns the signal's number with its code above it, or 0.
fn signal(fault: Fault) -> i64 {
    match fault {
        Fault::Served { .. } => 0,
        Fault::Killed(Signal::SegvMap) => 1 << 32 | 11,
        Fault::Killed(Signal::SegvAccess) => 2 << 32 | 11,
        Fault::Killed(Signal::Bus) => 2 << 32 | 7,
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rights = |access: u8| Access::from_bits_truncate(access);
        match *self {
            Self::Map { address, length, access, flags, file, offset } => {
                let flags = MapFlags::from_bits_retain(flags);
                write!(f, "mmap({address:#x}, {length:#x}, {}, ", rights(access))?;
                bitflags_text(f, flags.iter_names().map(|(name, _)| name))?;
                match file {
                    Some(file) => write!(f, ", file {file}, {offset:#x})"),
                    None => write!(f, ", -1, {offset:#x})"),
                }
            }
            Self::Unmap { address, length } => write!(f, "munmap({address:#x}, {length:#x})"),
            Self::Protect { address, length, access, grows } => {
                write!(f, "mprotect({address:#x}, {length:#x}, {}, grows ", rights(access))?;
                let grows = ProtectGrows::from_bits_truncate(grows);
                bitflags_text(f, grows.iter_names().map(|(name, _)| name))?;
                f.write_str(")")
            }
            Self::Remap { address, old, new, flags, to } => {
                write!(f, "mremap({address:#x}, {old:#x}, {new:#x}, ")?;
                let flags = RemapFlags::from_bits_retain(flags);
                bitflags_text(f, flags.iter_names().map(|(name, _)| name))?;
                write!(f, ", {to:#x})")
            }
            Self::Advise { address, length, advice } => {
                write!(f, "madvise({address:#x}, {length:#x}, {})", advice.name())
            }
            Self::Brk { address } => write!(f, "brk({address:#x})"),
            Self::Lock { address, length, on_fault } => {
                write!(f, "mlock2({address:#x}, {length:#x}, {on_fault})")
            }
            Self::Unlock { address, length } => write!(f, "munlock({address:#x}, {length:#x})"),
            Self::Load { address } => write!(f, "load {address:#x}"),
            Self::Store { address } => write!(f, "store {address:#x}"),
            Self::Fork => f.write_str("fork()"),
            Self::Vfork => f.write_str("vfork()"),
            Self::LockAll { flags } => write!(f, "mlockall({flags})"),
            Self::UnlockAll => f.write_str("munlockall()"),
            Self::Limit { resource, bytes } => write!(f, "setrlimit({resource:?}, {bytes:#x})"),
            Self::Resize { file, bytes } => write!(f, "ftruncate(file {file}, {bytes:#x})"),
            Self::Seal { file, seals } => write!(f, "fcntl(file {file}, F_ADD_SEALS, {seals:#x})"),
        }
    }
}

fn bitflags_text(f: &mut fmt::Formatter<'_>, names: impl Iterator<Item = &'static str>) -> fmt::Result {
    let names: Vec<_> = names.collect();
    f.write_str(if names.is_empty() { "0" } else { "" })?;
    f.write_str(&names.join("|"))
}
