//! A script's state, and how each command changes it: [`State`]; what it may ask of the outside: [`Outside`].

mod show;

use plat_regions::{Address, Layout};

use crate::cache::FileContents;
use crate::calls::Call;
use crate::event::{Kind, Pid};
use crate::exec::{Bases, Exec};
use crate::machine::{Config, Machine, MachineError};
use crate::script::command::{Command, MapWish, WindowsWish};
use crate::windows::WindowsCall;

/// The world outside of the machine: files, as far as the caller lets a script see them.
pub trait Outside {
    /// Returns a file's path with links resolved, its size and its first bytes; `None` when there is none.
    fn file(&mut self, path: &str) -> Option<FileContents>;
}

/// A world without files.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFiles;

impl Outside for NoFiles {
    fn file(&mut self, _: &str) -> Option<FileContents> {
        None
    }
}

/// The machine, and for which process the script speaks.
#[derive(Clone, Debug)]
pub struct State {
    /// The machine.
    pub machine: Machine,
    /// The process that commands are for; one is made when the first command needs it.
    pub current: Option<Pid>,
}

impl State {
    /// Starts with a machine without processes.
    pub fn new(config: Config) -> Self {
        Self { machine: Machine::new(config), current: None }
    }

    fn pid(&mut self) -> Result<Pid, MachineError> {
        if let Some(pid) = self.current {
            return Ok(pid);
        }
        let pid = self.machine.spawn_native("program")?;
        self.current = Some(pid);
        Ok(pid)
    }

    /// Carries a command out and returns what it shows, which is empty for commands that only do something.
    ///
    /// # Errors
    /// [`MachineError`]: what no rule answers, such as a process that ended.
    pub fn run(&mut self, command: &Command, outside: &mut dyn Outside) -> Result<String, MachineError> {
        self.machine.begin_step();
        match command {
            Command::Nothing => {}
            Command::Process { name, layout } => self.process(name, layout.as_deref())?,
            Command::Use(pid) => {
                self.machine.running(*pid)?;
                self.current = Some(*pid);
            }
            Command::File { path, size, text } => {
                let bytes = text.as_bytes().into();
                self.machine.cache.add_file(FileContents { path: path.clone(), size: *size, bytes });
            }
            Command::Map(wish) => self.map(wish, outside)?,
            Command::Call(call) => {
                let pid = self.pid()?;
                self.machine.native_call(pid, call)?;
            }
            Command::BrkBy(bytes) => {
                let pid = self.pid()?;
                self.machine.wants_posix(pid, "brk", "`alloc`")?;
                let heap = self.machine.linux_of(pid, "brk")?.1.heap();
                let address = Address::new(heap.end.get().saturating_add_signed(*bytes));
                self.machine.native_call(pid, &Call::Brk { address })?;
            }
            Command::Touch { address, access, value } => return self.touch(*address, *access, *value),
            Command::Fork | Command::Vfork | Command::Exit(_) | Command::Wait(_) => self.life(command)?,
            Command::Exec { path, arguments } => self.exec(path, arguments, outside)?,
            Command::Limit(which, value) => self.limit(which, *value)?,
            Command::Windows(target, wish) => self.windows(*target, wish, outside)?,
            Command::CygwinFork => {
                let pid = self.pid()?;
                self.machine.cygwin_fork(pid)?;
            }
            Command::Show(what) => return Ok(self.show(what)),
            Command::Walk(address) => {
                let pid = self.pid()?;
                let memory = self.machine.memory_of(pid)?.1;
                let walk = memory.tables.walk(*address, plat_regions::Access::READ);
                return Ok(walk.to_lines().join("\n") + "\n");
            }
        }
        Ok(String::new())
    }

    fn process(&mut self, name: &str, layout: Option<&str>) -> Result<(), MachineError> {
        let pid = match layout {
            None => self.machine.spawn_native(name)?,
            Some(layout) => {
                let layout =
                    Layout::builtin(layout).map_err(|error| MachineError::BadProgram(error.to_string()))?;
                self.machine.spawn_windows(name, &layout)?
            }
        };
        self.current = Some(pid);
        Ok(())
    }

    fn fetch(&mut self, path: &str, outside: &mut dyn Outside) {
        if self.machine.cache.find(path).is_none()
            && let Some(contents) = outside.file(path)
        {
            if contents.path != path {
                self.machine.cache.add_link(path, &contents.path);
            }
            self.machine.cache.add_file(contents);
        }
    }

    fn map(&mut self, wish: &MapWish, outside: &mut dyn Outside) -> Result<(), MachineError> {
        let pid = self.pid()?;
        let file = match &wish.file {
            Some((path, offset)) => {
                self.fetch(path, outside);
                Some((self.machine.open(path, true, true)?, *offset))
            }
            None => None,
        };
        let MapWish { address, length, access, flags, .. } = *wish;
        self.machine.native_call(pid, &Call::Map { address, length, access, flags, file })?;
        Ok(())
    }

    fn touch(
        &mut self,
        address: Address,
        access: plat_regions::Access,
        value: u8,
    ) -> Result<String, MachineError> {
        use plat_regions::Access;
        let pid = self.pid()?;
        if access.contains(Access::WRITE) {
            self.machine.write(pid, address, value)?;
        } else if access.contains(Access::EXECUTE) {
            self.machine.access(pid, address, access, true)?;
        } else if let Ok(byte) = self.machine.read(pid, address)? {
            return Ok(format!("{address} holds {byte}\n"));
        }
        Ok(String::new())
    }

    fn life(&mut self, command: &Command) -> Result<(), MachineError> {
        let pid = self.pid()?;
        match command {
            Command::Fork if self.machine.forks_by_copying(pid) => drop(self.machine.cygwin_fork(pid)?),
            Command::Fork => {
                self.machine.wants_posix(pid, "fork", "`process NAME`")?;
                let _refused = self.machine.fork(pid)?;
            }
            Command::Vfork if self.machine.forks_by_copying(pid) => drop(self.machine.cygwin_fork(pid)?),
            Command::Vfork => self.current = Some(self.machine.vfork(pid)?),
            Command::Exit(code) => {
                let process = self.machine.running(pid)?;
                let parent = process.parent.filter(|_| process.borrows);
                self.machine.exit(pid, *code)?;
                self.current = parent.or(self.current);
            }
            Command::Wait(child) => {
                self.machine.wait(pid, *child)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn exec(
        &mut self,
        path: &str,
        arguments: &[String],
        outside: &mut dyn Outside,
    ) -> Result<(), MachineError> {
        let pid = self.pid()?;
        self.fetch(path, outside);
        let image = self.machine.cache.find(path).and_then(|id| self.machine.cache.get(id)?.elf().ok());
        if let Some(interpreter) = image.and_then(|image| image.interpreter) {
            self.fetch(&interpreter, outside);
        }
        let (path, arguments) = (path.to_owned(), arguments.to_vec());
        let environment = vec!["PATH=/usr/bin".to_owned()];
        if self.machine.memory(pid).is_some_and(|memory| memory.windows().is_some()) {
            return self.machine.load_pe(pid, &path);
        }
        self.machine.exec(pid, &Exec { path, arguments, environment, bases: Bases::default() })
    }

    fn limit(&mut self, which: &str, value: u64) -> Result<(), MachineError> {
        let pid = self.pid()?;
        let (_, space) = self.machine.linux_of(pid, "limit")?;
        let mut limits = *space.limits();
        match which {
            "stack" => limits.stack = value,
            "memory" => limits.address_space = value,
            "data" => limits.data = value,
            _ => limits.mappings = usize::try_from(value).unwrap_or(usize::MAX),
        }
        space.set_limits(limits);
        self.machine.say(pid, Kind::Note, "limit", format!("limit of {which}: {value:#x}"));
        Ok(())
    }

    fn windows(
        &mut self,
        target: Option<Pid>,
        wish: &WindowsWish,
        outside: &mut dyn Outside,
    ) -> Result<(), MachineError> {
        let pid = self.pid()?;
        let call = match wish {
            WindowsWish::Alloc(address, size, kind, protection) => {
                WindowsCall::Alloc { address: *address, size: *size, kind: *kind, protection: *protection }
            }
            WindowsWish::Free(address, size, release) => {
                WindowsCall::Free { address: *address, size: *size, release: *release }
            }
            WindowsWish::Protect(address, size, protection) => {
                WindowsCall::Protect { address: *address, size: *size, protection: *protection }
            }
            WindowsWish::View(path, size, protection) => {
                self.fetch(path, outside);
                let (address, path, protection) = (Address::ZERO, path.clone(), *protection);
                WindowsCall::MapView { address, size: *size, path, offset: 0, protection }
            }
        };
        let _answered = self.machine.windows_call(pid, target.unwrap_or(pid), &call)?;
        Ok(())
    }
}
