//! Starting Linux processes: this program again, or another, with exactly the descriptors that it is to have.
//!
//! Key types: [`Spawn`], [`Child`]. The start is `posix_spawn`: no copy of the guest's address space is made.

use std::ffi::{CString, OsStr, OsString};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::file::File;
use crate::file_path::Errno;

/// What to start.
#[derive(Debug, Default)]
pub struct Spawn {
    /// The program's file; [`this_program`] is plat itself.
    pub program: PathBuf,
    /// Its arguments, the first being its own name.
    pub arguments: Vec<OsString>,
    /// Its environment; that of this process where there is none.
    pub environment: Option<Vec<(OsString, OsString)>>,
    /// Where it begins; this process's directory where there is none.
    pub directory: Option<PathBuf>,
    /// Whether it leads a process group of its own, which a terminal's Ctrl-C does not reach.
    pub new_group: bool,
    /// The terminal of the session that it leads, which is each standard descriptor that is not given.
    pub terminal: Option<PathBuf>,
}

/// The path under which this very program can be started again, wherever its file is by now.
pub fn this_program() -> &'static Path {
    Path::new("/proc/self/exe")
}

/// A process that was started by this one.
#[derive(Debug)]
pub struct Child {
    /// Its number.
    pub id: u32,
    /// What it is known by: readable once it has ended.
    pub pidfd: OwnedFd,
}

/// What the C library keeps for `posix_spawn`, given back when dropped.
struct Actions(libc::posix_spawn_file_actions_t);
struct Attributes(libc::posix_spawnattr_t);

impl Drop for Actions {
    fn drop(&mut self) {
        // SAFETY: 1. it was initialised and is not used again.
        unsafe { libc::posix_spawn_file_actions_destroy(&raw mut self.0) };
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: 1. it was initialised and is not used again.
        unsafe { libc::posix_spawnattr_destroy(&raw mut self.0) };
    }
}

fn check(code: i32) -> Result<(), Errno> {
    if code == 0 { Ok(()) } else { Err(Errno(code)) }
}

fn c_string(text: &OsStr) -> Result<CString, Errno> {
    CString::new(text.as_bytes()).map_err(|_| Errno(libc::EINVAL))
}

/// Makes an array of C strings, null at its end.
fn pointers(strings: &[CString]) -> Vec<*mut libc::c_char> {
    let last = std::iter::once(std::ptr::null_mut());
    strings.iter().map(|text| text.as_ptr().cast_mut()).chain(last).collect()
}

impl Spawn {
    /// Starts the program. `standard` become its descriptors 0, 1 and 2 (the null device where there is none);
    /// `kept` keep their numbers, which must be above 2; of all others it has those that this process itself was
    /// started with.
    ///
    /// # Errors
    /// The kernel's errno: ENOENT, EACCES, ENOEXEC, E2BIG, EAGAIN, ENOMEM.
    pub fn start(
        &self,
        standard: [Option<BorrowedFd<'_>>; 3],
        kept: &[BorrowedFd<'_>],
    ) -> Result<Child, Errno> {
        let null =
            rustix::fs::open("/dev/null", rustix::fs::OFlags::RDWR | rustix::fs::OFlags::CLOEXEC, 0.into())?;
        // Away from 0, 1 and 2, so that no replacement hits a source.
        let mut sources = Vec::new();
        for standard in standard {
            let otherwise = self.terminal.is_none().then_some(std::os::fd::AsFd::as_fd(&null));
            let source = standard.or(otherwise);
            sources.push(source.map(|source| rustix::io::fcntl_dupfd_cloexec(source, 3)).transpose()?);
        }
        let actions = self.actions(&sources, kept)?;
        let attributes = self.attributes()?;
        let program = c_string(self.program.as_os_str())?;
        let arguments = self.arguments.iter().map(|text| c_string(text)).collect::<Result<Vec<_>, _>>()?;
        let environment = self.environment_strings()?;
        let (arguments, environment) = (pointers(&arguments), pointers(&environment));
        let mut id: libc::pid_t = 0;
        // SAFETY: 1. actions and attributes are initialised. 2. both arrays end with null and outlive the call.
        let code = unsafe {
            libc::posix_spawn(
                &raw mut id,
                program.as_ptr(),
                &raw const actions.0,
                &raw const attributes.0,
                arguments.as_ptr(),
                environment.as_ptr(),
            )
        };
        check(code)?;
        let child = rustix::process::Pid::from_raw(id).ok_or(Errno(libc::ESRCH))?;
        // The child is not waited for before this, so its number is still its own.
        let pidfd = rustix::process::pidfd_open(child, rustix::process::PidfdFlags::empty())?;
        Ok(Child { id: id as u32, pidfd })
    }

    fn environment_strings(&self) -> Result<Vec<CString>, Errno> {
        let mut own: Vec<(OsString, OsString)>;
        let variables = match &self.environment {
            Some(variables) => variables,
            None => {
                own = std::env::vars_os().collect();
                if self.terminal.is_some() {
                    // What shows the terminal reads sequences as xterm does: the console's are the same.
                    own.retain(|(name, _)| name != "TERM");
                    own.push(("TERM".into(), "xterm-256color".into()));
                }
                &own
            }
        };
        let join = |(name, value): &(OsString, OsString)| {
            let mut text = name.clone();
            text.push("=");
            text.push(value);
            c_string(&text)
        };
        variables.iter().map(join).collect()
    }

    fn actions(&self, standard: &[Option<OwnedFd>], kept: &[BorrowedFd<'_>]) -> Result<Actions, Errno> {
        let mut actions = std::mem::MaybeUninit::uninit();
        // SAFETY: 1. the place is writable.
        check(unsafe { libc::posix_spawn_file_actions_init(actions.as_mut_ptr()) })?;
        // SAFETY: 1. it was just initialised.
        let mut actions = Actions(unsafe { actions.assume_init() });
        if let Some(terminal) = &self.terminal {
            let terminal = c_string(terminal.as_os_str())?;
            // The first terminal that the leader of a session opens becomes its own.
            // SAFETY: 1. the actions are initialised. 2. the text is copied.
            check(unsafe {
                libc::posix_spawn_file_actions_addopen(
                    &raw mut actions.0,
                    0,
                    terminal.as_ptr(),
                    libc::O_RDWR,
                    0,
                )
            })?;
        }
        let numbered = || standard.iter().enumerate().map(|(number, fd)| (fd.as_ref(), number as RawFd));
        let of_terminal = numbered().filter(|pair| pair.0.is_none() && pair.1 > 0).map(|pair| (0, pair.1));
        let pairs = numbered().filter_map(|(fd, number)| Some((fd?.as_raw_fd(), number)));
        // A descriptor put onto itself loses its mark to be closed.
        let same = kept.iter().map(|fd| (fd.as_raw_fd(), fd.as_raw_fd()));
        for (from, to) in of_terminal.chain(pairs).chain(same) {
            // SAFETY: 1. the actions are initialised.
            check(unsafe { libc::posix_spawn_file_actions_adddup2(&raw mut actions.0, from, to) })?;
        }
        if let Some(directory) = &self.directory {
            let directory = c_string(directory.as_os_str())?;
            // SAFETY: 1. the actions are initialised. 2. the text is copied.
            check(unsafe {
                libc::posix_spawn_file_actions_addchdir_np(&raw mut actions.0, directory.as_ptr())
            })?;
        }
        Ok(actions)
    }

    /// Signals start as a shell would start the program: none blocked, SIGPIPE (which Rust ignores) as usual.
    fn attributes(&self) -> Result<Attributes, Errno> {
        let mut attributes = std::mem::MaybeUninit::uninit();
        // SAFETY: 1. the place is writable.
        check(unsafe { libc::posix_spawnattr_init(attributes.as_mut_ptr()) })?;
        // SAFETY: 1. it was just initialised.
        let mut attributes = Attributes(unsafe { attributes.assume_init() });
        // SAFETY: 1. all zeros is a valid set of signals: the empty one.
        let none: libc::sigset_t = unsafe { std::mem::zeroed() };
        let mut pipe = none;
        // SAFETY: 1. the set is initialised.
        unsafe { libc::sigaddset(&raw mut pipe, libc::SIGPIPE) };
        // SAFETY: 1. attributes and set are initialised.
        check(unsafe { libc::posix_spawnattr_setsigmask(&raw mut attributes.0, &raw const none) })?;
        // SAFETY: 1. attributes and set are initialised.
        check(unsafe { libc::posix_spawnattr_setsigdefault(&raw mut attributes.0, &raw const pipe) })?;
        let mut flags = libc::POSIX_SPAWN_SETSIGMASK | libc::POSIX_SPAWN_SETSIGDEF;
        if self.terminal.is_some() {
            flags |= i32::from(libc::POSIX_SPAWN_SETSID);
        } else if self.new_group {
            flags |= libc::POSIX_SPAWN_SETPGROUP;
        }
        // SAFETY: 1. the attributes are initialised.
        check(unsafe { libc::posix_spawnattr_setflags(&raw mut attributes.0, flags as libc::c_short) })?;
        Ok(attributes)
    }
}

/// Takes over a descriptor that this process was started with.
///
/// Returns `None` when it is not open, or is one of 0, 1 and 2.
pub fn take_inherited(number: i32) -> Option<OwnedFd> {
    if number <= 2 {
        return None;
    }
    // SAFETY: 1. the number is not -1.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    rustix::io::fcntl_setfd(borrowed, rustix::io::FdFlags::CLOEXEC).ok()?;
    // SAFETY: 1. it is open. 2. who started the process says that nobody else owns it.
    Some(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Returns a second descriptor of one that this process was started with, which stays to be taken.
pub fn inherited_copy(number: i32) -> Option<OwnedFd> {
    if number <= 2 {
        return None;
    }
    // SAFETY: 1. the number is not -1.
    duplicate(unsafe { BorrowedFd::borrow_raw(number) }).ok()
}

/// Returns a second descriptor of the same open file, numbered above 2, that children do not have by themselves.
///
/// # Errors
/// The kernel's errno.
pub fn duplicate(fd: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    Ok(rustix::io::fcntl_dupfd_cloexec(fd, 3)?)
}

/// Makes a file in memory that holds `bytes`, its position at the beginning.
///
/// # Errors
/// The kernel's errno.
pub fn memory_file(bytes: &[u8]) -> Result<OwnedFd, Errno> {
    let fd = rustix::fs::memfd_create("plat start", rustix::fs::MemfdFlags::CLOEXEC)?;
    let file = File::from(fd);
    file.write(bytes, Some(0))?;
    Ok(file.into_fd())
}

/// Reads all of a file in memory.
///
/// # Errors
/// The kernel's errno.
pub fn read_memory_file(fd: OwnedFd) -> Result<Vec<u8>, Errno> {
    let file = File::from(fd);
    let mut bytes = vec![0; file.identity()?.size as usize];
    let mut done = 0;
    while done < bytes.len() {
        match file.read(&mut bytes[done..], Some(done as u64))? {
            0 => break,
            read => done += read,
        }
    }
    bytes.truncate(done);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    #[test]
    fn a_child_has_what_it_was_given() {
        let (read, write) = File::pipe().unwrap();
        let kept = memory_file(b"kept").unwrap();
        let text = format!(
            "cat /proc/self/fd/{}; pwd; echo $A; test -e /proc/self/fd/{} || echo closed",
            kept.as_raw_fd(),
            read.number()
        );
        let spawn = Spawn {
            terminal: None,
            program: "/bin/sh".into(),
            arguments: ["sh", "-c", &text].map(OsString::from).to_vec(),
            environment: Some(vec![("A".into(), "b".into()), ("PATH".into(), "/usr/bin:/bin".into())]),
            directory: Some("/".into()),
            new_group: false,
        };
        let child = spawn.start([None, Some(write.as_fd()), None], &[kept.as_fd()]).unwrap();
        drop(write);
        let status = crate::process::Linux::of(child).wait().unwrap();
        let mut bytes = [0; 100];
        let got = read.read(&mut bytes, None).unwrap();
        assert_eq!(String::from_utf8_lossy(&bytes[..got]), "kept/\nb\nclosed\n");
        assert_eq!(status, 0);
    }

    #[test]
    fn what_cannot_be_started_says_why() {
        let spawn = Spawn { program: "/nowhere/x".into(), arguments: vec!["x".into()], ..Spawn::default() };
        assert_eq!(spawn.start([None; 3], &[]).unwrap_err(), Errno(libc::ENOENT));
    }
}
