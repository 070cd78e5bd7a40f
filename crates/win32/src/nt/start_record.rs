//! What a new Windows process is told by the one that starts it: a file in memory whose descriptor it inherits.
//!
//! Key types: [`StartRecord`], [`HandleRecord`]. Written and read here only; both sides are the same plat.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use super::pipe_record::PipeRecord;
use crate::logic::record::{Damaged, Reader, Writer};
use crate::process::Trace;

/// The first word of a record: it changes when the layout does.
const MAGIC: u32 = 0x7031_0004;

/// `STARTUPINFO` but for its handles: what `GetStartupInfo` returns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Startup {
    /// `lpTitle`.
    pub title: Vec<u16>,
    /// `lpDesktop`.
    pub desktop: Vec<u16>,
    /// `dwX` to `dwFillAttribute`.
    pub numbers: [u32; 7],
    /// `dwFlags`.
    pub flags: u32,
    /// `wShowWindow`.
    pub show_window: u32,
    /// `lpReserved2`: the C runtime's table of files.
    pub reserved: Vec<u8>,
}

/// One inherited handle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandleRecord {
    /// Its number, the same as in the parent.
    pub number: u64,
    /// Its access rights.
    pub access: u32,
    /// Its flags.
    pub flags: u32,
    /// The object.
    pub object: ObjectRecord,
    /// Its name, and the descriptors of the name's socket.
    pub name: Option<(Vec<u16>, [i32; 2])>,
}

/// An object that two processes share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectRecord {
    /// A file or pipe: its descriptor and how it was opened.
    File {
        /// The descriptor's number in the child; 0, 1 and 2 are its standard ones.
        fd: i32,
        /// `FileTraits` and the kind, as `nt::inherit` lays them.
        traits: u32,
        /// Its Unix path, empty where it has none.
        path: PathBuf,
        /// Access and share mode that count against others; none for pipes and devices.
        claim: Option<(u32, u32)>,
        /// The name that it serves, if it is a named pipe's server's end.
        pipe: Option<PipeRecord>,
    },
    /// A process.
    Process {
        /// Its number.
        id: u32,
        /// Its descriptor.
        fd: i32,
        /// The descriptor of its exit page, or -1.
        page: i32,
    },
    /// A section: descriptor, size, protection.
    Section {
        /// The descriptor.
        fd: i32,
        /// Bytes.
        size: u64,
        /// `PAGE_…`.
        protection: u32,
    },
    /// An event, a mutex, a semaphore or a timer.
    Shared {
        /// Which, as `nt::inherit` numbers them.
        kind: u32,
        /// The descriptor of its state.
        fd: i32,
    },
    /// A directory of named objects, or a link between names.
    Name {
        /// Whether it is a link.
        is_link: bool,
        /// The directory's path, or where the link leads.
        path: Vec<u16>,
    },
    /// A job: descriptors of its page and of its life line.
    Job {
        /// The page.
        page: i32,
        /// The end that keeps the job's processes alive.
        line: i32,
    },
}

/// The record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StartRecord {
    /// The program's Unix path.
    pub image: PathBuf,
    /// The program's full Windows path.
    pub program: Vec<u16>,
    /// Whether it is the builtin command interpreter.
    pub is_builtin: bool,
    /// The command line.
    pub command_line: Vec<u16>,
    /// The current directory's Windows path.
    pub current_directory: Vec<u16>,
    /// The environment.
    pub environment: Vec<(Vec<u16>, Vec<u16>)>,
    /// What `GetStartupInfo` returns.
    pub startup: Startup,
    /// The standard handles' numbers, where they are given.
    pub standard: [Option<u64>; 3],
    /// Inherited handles.
    pub handles: Vec<HandleRecord>,
    /// Whether the first thread waits for `ResumeThread`.
    pub is_suspended: bool,
    /// Whether Ctrl-C is ignored at first.
    pub ignores_interrupt: bool,
    /// The descriptor of its exit page.
    pub page: i32,
    /// The descriptor through which its parent asks it to do things.
    pub control: i32,
    /// Descriptors of the life lines of the jobs that it belongs to.
    pub jobs: Vec<(i32, i32)>,
    /// What to trace.
    pub trace: u32,
    /// The loader's options.
    pub options: Vec<u8>,
    /// Its token (`token_record`); empty where it is what Linux says.
    pub token: Vec<u8>,
}

/// Turns what to trace into a number.
pub fn trace_bits(trace: Trace) -> u32 {
    u32::from(trace.api) | u32::from(trace.loader) << 1 | u32::from(trace.memory) << 2
}

/// Turns a number into what to trace.
pub fn trace_of(bits: u32) -> Trace {
    Trace { api: bits & 1 != 0, loader: bits & 2 != 0, memory: bits & 4 != 0 }
}

fn optional(writer: &mut Writer, value: Option<u64>) {
    writer.u32(u32::from(value.is_some())).u64(value.unwrap_or(0));
}

fn read_optional(reader: &mut Reader<'_>) -> Result<Option<u64>, Damaged> {
    let (is_there, value) = (reader.u32()?, reader.u64()?);
    Ok((is_there != 0).then_some(value))
}

fn read_path(reader: &mut Reader<'_>) -> Result<PathBuf, Damaged> {
    Ok(PathBuf::from(OsString::from_vec(reader.bytes()?)))
}

impl StartRecord {
    /// Lays the record in a row of bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.u32(MAGIC).bytes(self.image.as_os_str().as_bytes()).wide(&self.program);
        writer.u32(u32::from(self.is_builtin)).wide(&self.command_line).wide(&self.current_directory);
        writer.u32(self.environment.len() as u32);
        for (name, value) in &self.environment {
            writer.wide(name).wide(value);
        }
        let startup = &self.startup;
        writer.wide(&startup.title).wide(&startup.desktop).u32(startup.flags).u32(startup.show_window);
        for number in startup.numbers {
            writer.u32(number);
        }
        writer.bytes(&startup.reserved);
        for standard in self.standard {
            optional(&mut writer, standard);
        }
        writer.u32(self.handles.len() as u32);
        for handle in &self.handles {
            handle.encode(&mut writer);
        }
        writer.u32(u32::from(self.is_suspended)).u32(u32::from(self.ignores_interrupt));
        writer.u32(self.page as u32).u32(self.control as u32).u32(self.jobs.len() as u32);
        for (page, line) in &self.jobs {
            writer.u32(*page as u32).u32(*line as u32);
        }
        writer.u32(self.trace).bytes(&self.options).bytes(&self.token);
        writer.finish()
    }

    /// Reads a record.
    ///
    /// # Errors
    /// [`Damaged`] when it is none, or another plat's.
    pub fn decode(bytes: &[u8]) -> Result<Self, Damaged> {
        let mut reader = Reader::new(bytes);
        let reader = &mut reader;
        if reader.u32()? != MAGIC {
            return Err(Damaged);
        }
        let mut record = Self { image: read_path(reader)?, program: reader.wide()?, ..Self::default() };
        record.is_builtin = reader.u32()? != 0;
        record.command_line = reader.wide()?;
        record.current_directory = reader.wide()?;
        for _ in 0..reader.u32()? {
            record.environment.push((reader.wide()?, reader.wide()?));
        }
        let startup = &mut record.startup;
        (startup.title, startup.desktop) = (reader.wide()?, reader.wide()?);
        (startup.flags, startup.show_window) = (reader.u32()?, reader.u32()?);
        for number in &mut startup.numbers {
            *number = reader.u32()?;
        }
        startup.reserved = reader.bytes()?;
        for standard in &mut record.standard {
            *standard = read_optional(reader)?;
        }
        for _ in 0..reader.u32()? {
            record.handles.push(HandleRecord::decode(reader)?);
        }
        record.is_suspended = reader.u32()? != 0;
        record.ignores_interrupt = reader.u32()? != 0;
        (record.page, record.control) = (reader.u32()? as i32, reader.u32()? as i32);
        for _ in 0..reader.u32()? {
            record.jobs.push((reader.u32()? as i32, reader.u32()? as i32));
        }
        record.trace = reader.u32()?;
        record.options = reader.bytes()?;
        record.token = reader.bytes()?;
        if reader.is_at_end() { Ok(record) } else { Err(Damaged) }
    }
}

impl HandleRecord {
    /// Lays it in a row of bytes.
    pub fn encode(&self, writer: &mut Writer) {
        writer.u64(self.number).u32(self.access).u32(self.flags);
        match &self.object {
            ObjectRecord::File { fd, traits, path, claim, pipe } => {
                writer.u32(1).u32(*fd as u32).u32(*traits).bytes(path.as_os_str().as_bytes());
                let both = claim.map(|(access, share)| u64::from(access) << 32 | u64::from(share));
                optional(writer, both);
                writer.u32(u32::from(pipe.is_some()));
                if let Some(pipe) = pipe {
                    pipe.encode(writer);
                }
            }
            ObjectRecord::Process { id, fd, page } => {
                writer.u32(2).u32(*id).u32(*fd as u32).u32(*page as u32);
            }
            ObjectRecord::Section { fd, size, protection } => {
                writer.u32(3).u32(*fd as u32).u64(*size).u32(*protection);
            }
            ObjectRecord::Job { page, line } => {
                writer.u32(4).u32(*page as u32).u32(*line as u32);
            }
            ObjectRecord::Shared { kind, fd } => {
                writer.u32(5).u32(*kind).u32(*fd as u32);
            }
            ObjectRecord::Name { is_link, path } => {
                writer.u32(6).u32(u32::from(*is_link)).wide(path);
            }
        }
        let (name, [socket, other]) =
            self.name.as_ref().map_or((&[][..], [-1; 2]), |(name, fds)| (name, *fds));
        writer.wide(name).u32(socket as u32).u32(other as u32);
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`Damaged`] when it is none.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, Damaged> {
        let (number, access, flags) = (reader.u64()?, reader.u32()?, reader.u32()?);
        let object = match reader.u32()? {
            1 => ObjectRecord::File {
                fd: reader.u32()? as i32,
                traits: reader.u32()?,
                path: read_path(reader)?,
                claim: read_optional(reader)?.map(|both| ((both >> 32) as u32, both as u32)),
                pipe: match reader.u32()? {
                    0 => None,
                    _ => Some(PipeRecord::decode(reader)?),
                },
            },
            2 => ObjectRecord::Process {
                id: reader.u32()?,
                fd: reader.u32()? as i32,
                page: reader.u32()? as i32,
            },
            3 => ObjectRecord::Section {
                fd: reader.u32()? as i32,
                size: reader.u64()?,
                protection: reader.u32()?,
            },
            4 => ObjectRecord::Job { page: reader.u32()? as i32, line: reader.u32()? as i32 },
            5 => ObjectRecord::Shared { kind: reader.u32()?, fd: reader.u32()? as i32 },
            6 => ObjectRecord::Name { is_link: reader.u32()? != 0, path: reader.wide()? },
            _ => return Err(Damaged),
        };
        let name = (reader.wide()?, [reader.u32()? as i32, reader.u32()? as i32]);
        let name = (!name.0.is_empty()).then_some(name);
        Ok(Self { number, access, flags, object, name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nt::pipe::{PipeTraits, State};

    #[test]
    fn a_record_survives_the_way_and_a_cut_one_does_not() {
        let wide = |text: &str| text.encode_utf16().collect::<Vec<u16>>();
        let (access, timeout) = (3, 50);
        let traits = PipeTraits { access, messages: true, instances_max: 4, buffers: (1, 2), timeout };
        let pipe = PipeRecord {
            name: wide("a"),
            descriptors: [7, 8, 9],
            traits,
            state: State::Disconnected,
            is_shared: true,
        };
        let file =
            ObjectRecord::File { fd: 1, traits: 5, path: "/x".into(), claim: Some((1, 7)), pipe: Some(pipe) };
        let record = StartRecord {
            image: "/a b.exe".into(),
            program: wide(r"Z:\a b.exe"),
            command_line: wide("x y"),
            environment: vec![(wide("A"), wide("ä"))],
            startup: Startup {
                title: wide("t"),
                reserved: vec![1, 2],
                numbers: [3; 7],
                ..Startup::default()
            },
            standard: [Some(4), None, Some(u64::MAX)],
            handles: vec![
                HandleRecord { number: 4, access: 1, flags: 1, object: file, name: None },
                HandleRecord {
                    number: 8,
                    access: 2,
                    flags: 1,
                    object: ObjectRecord::Process { id: 9, fd: 5, page: -1 },
                    name: None,
                },
                HandleRecord {
                    number: 12,
                    access: 2,
                    flags: 1,
                    object: ObjectRecord::Shared { kind: 1, fd: 6 },
                    name: Some((wide("NAME"), [10, 11])),
                },
            ],
            page: 7,
            jobs: vec![(8, 9)],
            options: b"o".to_vec(),
            ..StartRecord::default()
        };
        let bytes = record.encode();
        assert_eq!(StartRecord::decode(&bytes), Ok(record));
        for cut in 0..bytes.len() {
            assert_eq!(StartRecord::decode(&bytes[..cut]), Err(Damaged));
        }
    }
}
