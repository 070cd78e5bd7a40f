//! Kernels by name, each a policy of Linux's kind or a layout under Windows' rules: [`Kernel`]. What a kernel does not
//! have is refused by name ([`MachineError::NotThere`]).

use std::sync::Arc;

use plat_regions::linux::Policy;
use plat_regions::windows::{AllocationType, PageProtection};
use plat_regions::{Access, Address, AddressRange, Band, Direction, Layout, Use};

use crate::calls::Call;
use crate::event::{Kind, Pid};
use crate::machine::{Config, Machine, MachineError};
use crate::windows::WindowsCall;

/// A kernel under Windows' rules.
#[derive(Debug)]
pub struct WindowsKernel {
    /// Its name, such as `win9x`.
    pub name: &'static str,
    /// Where things lie.
    pub layout: Layout,
    /// Whether `fork` is done by hand, as Cygwin does it.
    pub forks_by_copying: bool,
    /// Whether processes may allocate in each other: not before Windows NT.
    pub reaches_others: bool,
}

/// Whose rules processes follow that are made without a layout.
#[derive(Clone, Debug, Default)]
pub enum Kernel {
    /// Those of [`Config::policy`].
    #[default]
    Posix,
    /// Windows'.
    Windows(Arc<WindowsKernel>),
}

impl Kernel {
    /// The names that [`Self::builtin`] knows.
    pub const BUILTIN: [&str; 9] = [
        "linux-modern",
        "linux-modern-legacy",
        "linux-2.6",
        "freebsd",
        "windows",
        "windows-32",
        "win9x",
        "cygwin",
        "wine",
    ];

    /// Returns a kernel and the policy that goes with it; `None` for a name that is not in [`Self::BUILTIN`].
    ///
    /// Source: Microsoft, "Memory Limits for Windows" and KB125691; Cygwin, memory_layout.h; Wine, loader/preloader.c.
    pub fn builtin(name: &str) -> Option<(Self, Policy)> {
        if let Some(policy) = Policy::builtin(name) {
            return Some((Self::Posix, policy));
        }
        let own = |text| Layout::parse(text).ok();
        let (name, layout, forks_by_copying, reaches_others) = match name {
            "windows" => ("windows", Layout::builtin("win64").ok(), false, true),
            "windows-32" => ("windows-32", Layout::builtin("win32").ok(), false, true),
            "win9x" => ("win9x", own(include_str!("../kernels/win9x.toml")), false, false),
            "cygwin" => ("cygwin", Layout::builtin("cygwin64").ok(), true, true),
            "wine" => ("wine", own(include_str!("../kernels/wine64.toml")), false, true),
            _ => return None,
        };
        let mut layout = layout?;
        as_the_system_has_it(&mut layout, forks_by_copying);
        let kernel = WindowsKernel { name, layout, forks_by_copying, reaches_others };
        Some((Self::Windows(Arc::new(kernel)), Policy::builtin("linux-modern")?))
    }
}

/// Undoes what `plat run` does to a layout: bands of its own choice, and holes where the Linux host lives. Windows
/// searches from the lowest address up; Cygwin's mmap goes down from 0x700000000000.
fn as_the_system_has_it(layout: &mut Layout, is_cygwin: bool) {
    if matches!(layout.name.as_str(), "win9x" | "wine") {
        return;
    }
    layout.arena = vec![layout.usable()];
    layout
        .bands
        .retain(|band| !matches!(band.purpose, Use::Private | Use::Heap | Use::Stack | Use::Environment));
    if is_cygwin {
        let (start, end) = (Address::new(0x10_0000_0000), Address::new(0x7000_0000_0000));
        layout.bands.push(Band {
            purpose: Use::Private,
            range: AddressRange { start, end },
            direction: Direction::Down,
            why: "mmap, from the top down".to_owned(),
            files: Vec::new(),
        });
    }
}

impl Config {
    /// Returns the name of the kernel.
    pub fn kernel_name(&self) -> &'static str {
        match &self.kernel {
            Kernel::Posix => self.policy.name,
            Kernel::Windows(kernel) => kernel.name,
        }
    }
}

/// Returns Windows' protection for rights.
fn protection(access: Access) -> PageProtection {
    let (write, execute) = (access.contains(Access::WRITE), access.contains(Access::EXECUTE));
    match (access.contains(Access::READ), write, execute) {
        (_, true, true) => PageProtection::EXECUTE_READWRITE,
        (_, true, false) => PageProtection::READWRITE,
        (true, false, true) => PageProtection::EXECUTE_READ,
        (false, false, true) => PageProtection::EXECUTE,
        (true, false, false) => PageProtection::READONLY,
        (false, false, false) => PageProtection::NOACCESS,
    }
}

impl Machine {
    /// Makes a process with an empty address space under the machine's own rules.
    ///
    /// # Errors
    /// [`MachineError::OutOfMemory`].
    pub fn spawn_native(&mut self, name: &str) -> Result<Pid, MachineError> {
        match self.config.kernel.clone() {
            Kernel::Posix => self.spawn(name),
            Kernel::Windows(kernel) => self.spawn_windows(name, &kernel.layout),
        }
    }

    /// Says that the process' kernel has no such thing.
    pub(crate) fn not_there(&self, what: &str, instead: &str) -> MachineError {
        let (kernel, what, instead) = (self.config.kernel_name(), what.to_owned(), instead.to_owned());
        MachineError::NotThere { kernel, what, instead }
    }

    /// Refuses what only kernels of Linux's kind have.
    ///
    /// # Errors
    /// [`MachineError::NotThere`] for a process under Windows' rules.
    pub(crate) fn wants_posix(&self, pid: Pid, what: &str, instead: &str) -> Result<(), MachineError> {
        let is_windows = self.memory(pid).is_some_and(|memory| memory.windows().is_some());
        if is_windows { Err(self.not_there(what, instead)) } else { Ok(()) }
    }

    /// Says whether a process' `fork` is Cygwin's.
    pub(crate) fn forks_by_copying(&self, pid: Pid) -> bool {
        let is_windows = self.memory(pid).is_some_and(|memory| memory.windows().is_some());
        is_windows && matches!(&self.config.kernel, Kernel::Windows(kernel) if kernel.forks_by_copying)
    }

    /// Refuses a call on another process where the kernel has none.
    ///
    /// # Errors
    /// [`MachineError::NotThere`] on Windows 9x. Source: Microsoft, "VirtualAllocEx function": requires Windows NT.
    pub(crate) fn may_reach(&self, caller: Pid, target: Pid) -> Result<(), MachineError> {
        match &self.config.kernel {
            Kernel::Windows(kernel) if caller != target && !kernel.reaches_others => {
                Err(self.not_there("call on another process", "the process' own `alloc`"))
            }
            _ => Ok(()),
        }
    }

    /// Carries a memory call out under the process' rules: for Windows as the call that comes nearest.
    ///
    /// # Errors
    /// As [`Self::call`], and [`MachineError::NotThere`] for what the kernel does not have.
    pub fn native_call(&mut self, pid: Pid, call: &Call) -> Result<(), MachineError> {
        let is_windows = self.memory(pid).is_some_and(|memory| memory.windows().is_some());
        if !is_windows {
            self.check_freebsd(call)?;
            let _answered = self.call(pid, call)?;
            return Ok(());
        }
        let nearest = self.nearest(pid, call)?;
        let _answered = self.windows_call(pid, pid, &nearest)?;
        Ok(())
    }

    /// Refuses what FreeBSD does not have. Source: FreeBSD System Calls Manual, mmap(2).
    fn check_freebsd(&self, call: &Call) -> Result<(), MachineError> {
        use plat_regions::linux::MapFlags;
        if self.config.policy.name != "freebsd" {
            return Ok(());
        }
        match call {
            Call::Remap(_) => Err(self.not_there("mremap", "map anew and copy")),
            Call::Map { flags, .. } if flags.contains(MapFlags::GROWS_DOWN) => {
                Err(self.not_there("MAP_GROWSDOWN", "MAP_STACK, which is not modelled"))
            }
            _ => Ok(()),
        }
    }

    fn nearest(&mut self, pid: Pid, call: &Call) -> Result<WindowsCall, MachineError> {
        use plat_regions::linux::MapFlags;
        Ok(match call {
            Call::Map { address, length, access, flags, file: None } => {
                if flags.intersects(MapFlags::GROWS_DOWN | MapFlags::LOW_2GB | MapFlags::SHARED) {
                    return Err(self.not_there("such a mapping", "`alloc`, `view PATH SIZE`"));
                }
                let kind = AllocationType::RESERVE | AllocationType::COMMIT;
                let (address, size, protection) = (*address, *length, protection(*access));
                WindowsCall::Alloc { address, size, kind, protection }
            }
            Call::Map { address, length, access, flags, file: Some((file, offset)) } => {
                let copies = !flags.contains(MapFlags::SHARED) && access.contains(Access::WRITE);
                let protection = if copies { PageProtection::WRITECOPY } else { protection(*access) };
                let (address, size, offset, path) = (*address, *length, *offset, file.name.to_string());
                WindowsCall::MapView { address, size, path, offset, protection }
            }
            Call::Unmap { address, length } => self.nearest_unmap(pid, *address, *length),
            Call::Protect { address, length, access, grows } if grows.is_empty() => {
                WindowsCall::Protect { address: *address, size: *length, protection: protection(*access) }
            }
            other => return Err(self.not_there(other.name(), "`alloc`, `free`, `vprotect`, `view`")),
        })
    }

    fn nearest_unmap(&mut self, pid: Pid, address: Address, length: u64) -> WindowsCall {
        let held = self.memory(pid).and_then(|memory| memory.windows()?.allocation(address));
        let end = address.checked_add(length);
        let is_whole = held.is_some_and(|(range, _)| range.start == address && Some(range.end) <= end);
        if is_whole {
            return WindowsCall::Free { address, size: 0, release: true };
        }
        let text = "VirtualFree gives back whole allocations only: of a part the pages go, the addresses stay reserved";
        self.say(pid, Kind::Note, "part-decommitted", text);
        WindowsCall::Free { address, size: length, release: false }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn every_kernel_by_its_name() {
        for name in Kernel::BUILTIN {
            let (kernel, policy) = Kernel::builtin(name).expect(name);
            let config = Config { kernel, policy, ..Config::default() };
            assert_eq!(config.kernel_name(), name);
            Machine::new(config).spawn_native("program").expect("memory");
        }
        assert!(Kernel::builtin("beos").is_none());
    }

    /// Carries a script out and lists what each command returned, by kernel.
    fn answers(script: &str, kernels: &[&str]) -> String {
        use crate::script::{NoFiles, Session};
        let mut text = String::new();
        for name in kernels {
            let (kernel, policy) = Kernel::builtin(name).expect(name);
            let mut session = Session::new(Config { kernel, policy, ..Config::default() });
            session.add_all(script).expect("a script");
            text += &format!("{name}:");
            while let Some(done) = session.step(&mut NoFiles) {
                let said =
                    done.events.iter().rev().find(|event| matches!(&*event.code, "returned" | "refused"));
                let last = said.map(|event| event.text.rsplit(' ').next().unwrap_or_default().to_owned());
                let refused =
                    said.is_some_and(|event| event.code == "refused" && !event.text.contains("fails"));
                let last = if refused { Some("refused".to_owned()) } else { last };
                text += &format!(" {}", done.error.or(last).unwrap_or_else(|| "-".to_owned()));
            }
            text.push('\n');
            session.state().machine.check().expect("every frame is accounted for");
        }
        text
    }

    #[test]
    fn where_mappings_go() {
        let script = "map 16K rw\nmap 16K rw at 0x40000000\nmap 8K rw at 0x40000000\nmap 4K rw at 0x900000000\nmap 4K rw at 0x900000000";
        expect![[r#"
            linux-modern: 0x7ffff7ffb000 0x40000000 0x7ffff7ff9000 0x900000000 0x7ffff7ff8000
            linux-modern-legacy: 0x2aaaaaaab000 0x40000000 0x2aaaaaaaf000 0x900000000 0x2aaaaaab1000
            linux-2.6: 0x40000000 0x40004000 0x40008000 0x4000a000 0x4000b000
            freebsd: 0x800400000 0x800404000 0x800408000 0x900000000 0x900001000
            windows: 0x10000 0x40000000 refused 0x900000000 refused
            windows-32: 0x10000 0x40000000 refused refused refused
            win9x: 0x400000 0x40000000 refused refused refused
            cygwin: 0x6fffffff0000 0x40000000 refused 0x900000000 refused
            wine: 0x10000 0x40000000 refused 0x900000000 refused
        "#]]
        .assert_eq(&answers(script, &Kernel::BUILTIN));
    }

    #[test]
    fn what_a_kernel_does_not_have_is_said() {
        let script = "map 16K rw\nfork\nbrk up 4K\nmremap(0x10000, 4096, 8192, MREMAP_MAYMOVE)";
        expect![[r#"
            freebsd: 0x800400000 - 0x1000 freebsd has no mremap; nearest: map anew and copy
            windows: 0x10000 windows has no fork; nearest: `process NAME` windows has no brk; nearest: `alloc` windows has no mremap; nearest: `alloc`, `free`, `vprotect`, `view`
            win9x: 0x400000 win9x has no fork; nearest: `process NAME` win9x has no brk; nearest: `alloc` win9x has no mremap; nearest: `alloc`, `free`, `vprotect`, `view`
            cygwin: 0x6fffffff0000 0x6fffffff0000 cygwin has no brk; nearest: `alloc` cygwin has no mremap; nearest: `alloc`, `free`, `vprotect`, `view`
            wine: 0x10000 wine has no fork; nearest: `process NAME` wine has no brk; nearest: `alloc` wine has no mremap; nearest: `alloc`, `free`, `vprotect`, `view`
        "#]].assert_eq(&answers(script, &["freebsd", "windows", "win9x", "cygwin", "wine"]));
        let script = "process a\nprocess b\nalloc 64K reserve in 1";
        expect![[r#"
            windows: - - 0x10000
            win9x: - - win9x has no call on another process; nearest: the process' own `alloc`
        "#]]
        .assert_eq(&answers(script, &["windows", "win9x"]));
    }

    #[test]
    fn mapped_files_of_windows_9x_lie_in_the_memory_of_all_processes() {
        let script =
            "file /data size 64K\nmap 64K r-- shared file /data\nview /data 64K readonly\nmap 64K rw";
        expect![[r#"
            win9x: - 0x80000000 0x80010000 0x400000
            windows: - 0x10000 0x20000 0x30000
            linux-modern: - 0x7ffff7fef000 process 1 follows the rules of Linux, and `MapViewOfFile` is for Windows 0x7ffff7fdf000
        "#]].assert_eq(&answers(script, &["win9x", "windows", "linux-modern"]));
    }

    #[test]
    fn part_of_an_allocation_is_decommitted_and_a_whole_one_released() {
        let script = "map 16K rw at 0x40000000\nunmap 4K at 0x40001000\nread 0x40001000\nprocess again\nmap 16K rw at 0x40000000\nunmap 16K at 0x40000000\nmap 64K r-- at 0x40000000";
        expect![[r#"
            linux-modern: 0x40000000 0x0 - - 0x40000000 0x0 0x40000000
            windows: 0x40000000 0x40001000 - - 0x40000000 0x40000000 0x40000000
        "#]]
        .assert_eq(&answers(script, &["linux-modern", "windows"]));
    }
}
