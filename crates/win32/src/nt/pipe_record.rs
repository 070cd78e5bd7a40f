//! What another process must know to serve a pipe's name, and an instance of it that it is given.
//!
//! Key type: [`PipeRecord`].

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::pipe::{PipeEnd, PipeTraits, State};
use super::pipe_name::PipeName;
use crate::logic::record::{Damaged, Reader, Writer};

/// A name, and where an instance stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipeRecord {
    /// The name.
    pub name: Vec<u16>,
    /// The descriptors of the name's socket (two) and of its table.
    pub descriptors: [i32; 3],
    /// How the pipe was made.
    pub traits: PipeTraits,
    /// Where the instance stands.
    pub state: State,
    /// Whether the process that gives it away keeps it, too.
    pub is_shared: bool,
}

fn state_of(number: u32) -> Result<State, Damaged> {
    [State::Listening, State::Connected, State::Disconnected]
        .into_iter()
        .find(|&state| state as u32 == number)
        .ok_or(Damaged)
}

impl PipeRecord {
    /// Makes the record of a name, and the descriptors that must go with it.
    pub fn of_name(name: &PipeName, list: &mut Vec<OwnedFd>) -> Option<Self> {
        let table = name.share().ok()?;
        let [socket, other] = name.listener.parts();
        let mut keep = |fd: BorrowedFd<'_>| {
            let copy = plat_host::spawn::duplicate(fd).ok()?;
            let number = copy.as_raw_fd();
            list.push(copy);
            Some(number)
        };
        let descriptors = [keep(socket)?, keep(other)?, keep(table.as_fd())?];
        let (name, traits) = (name.text.clone(), name.traits);
        Some(Self { name, descriptors, traits, state: State::Listening, is_shared: false })
    }

    /// Makes the record of a server's end; nothing for other ends. Unless it `is_sole`, both processes have it then.
    pub fn of_end(end: &PipeEnd, state: State, is_sole: bool, list: &mut Vec<OwnedFd>) -> Option<Self> {
        let name: &Arc<PipeName> = end.name.as_ref()?;
        let record = Self::of_name(name, list)?;
        if !is_sole {
            end.is_shared.store(true, Ordering::Relaxed);
            name.publish();
        }
        Some(Self { traits: end.traits, state, is_shared: !is_sole, ..record })
    }

    /// Lays it in a row of bytes.
    pub fn encode(&self, writer: &mut Writer) {
        writer.wide(&self.name);
        for number in self.descriptors {
            writer.u32(number as u32);
        }
        let traits = &self.traits;
        writer.u32(traits.access).u32(u32::from(traits.messages)).u32(traits.instances_max);
        writer.u32(traits.buffers.0).u32(traits.buffers.1).u32(traits.timeout);
        writer.u32(self.state as u32).u32(u32::from(self.is_shared));
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`Damaged`] when it is none.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, Damaged> {
        let name = reader.wide()?;
        let mut number = || reader.u32();
        let descriptors = [number()? as i32, number()? as i32, number()? as i32];
        let traits = PipeTraits {
            access: number()?,
            messages: number()? != 0,
            instances_max: number()?,
            buffers: (number()?, number()?),
            timeout: number()?,
        };
        Ok(Self { name, descriptors, traits, state: state_of(number()?)?, is_shared: number()? != 0 })
    }
}
