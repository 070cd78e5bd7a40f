//! Sockets as programs use them past Winsock: control codes of their driver.

use std::sync::Arc;

use plat_abi::{GuestStruct, GuestWord, Memory};

use super::files::{Control, begin, finish, put_status};
use crate::NtStatus;
use crate::guest::Guest;
use crate::nt::afd::{self, Place, Request};
use crate::nt::completion::Completion;
use crate::nt::event::Event;
use crate::nt::file::FileObject;
use crate::nt::file_standard;
use crate::nt::pipe_transfer::{Pending, Work};
use crate::nt::socket_transfer::{Message, SocketWork, Told};
use crate::nt::wait::{self, WaitFor};
use crate::ws2_32::overlapped::pieces;

/// What is received or sent: `AFD_RECV_INFO`, with the last two fields `AFD_RECV_DATAGRAM_INFO`.
///
/// Source: the declarations in libuv's `winapi.h`.
#[derive(GuestStruct, Default)]
#[allow(non_camel_case_types, non_snake_case)]
struct AFD_RECV_DATAGRAM_INFO {
    BufferArray: GuestWord,
    BufferCount: u32,
    AfdFlags: u32,
    TdiFlags: u32,
    Address: GuestWord,
    AddressLength: GuestWord,
}

const TDI_RECEIVE_EXPEDITED: u32 = 0x40;
const TDI_RECEIVE_PEEK: u32 = 0x80;
const MSG_OOB: u32 = 1;
const MSG_PEEK: u32 = 2;

/// Waits in a call for what was begun with an event; returns the status that it ended with.
fn wait_for(guest: &mut Guest, event: Arc<Event>, block: u64) -> Result<(), NtStatus> {
    wait::wait_as_guest(guest, &[event], WaitFor { all: false, alertable: false, deadline: None })?;
    match NtStatus(guest.read_u32(block)?) {
        NtStatus::SUCCESS => Ok(()),
        status => Err(status),
    }
}

/// The file, whom its transfer tells, and the event of who waits.
type Prepared = (Arc<FileObject>, Completion, Option<Arc<Event>>);

impl Control {
    /// Finds the file, and says whom a transfer tells; who opened it for synchronous transfers waits for an event.
    fn prepare(&self, guest: &Guest) -> Result<Prepared, NtStatus> {
        let file = file_standard::file(guest.process(), self.handle.0, 0)?;
        if file.transfers.driver.get().is_none() && file.transfers.socket.get().is_none() {
            return Err(NtStatus::INVALID_DEVICE_REQUEST);
        }
        let own = (!file.traits.overlapped).then(|| Event::new(true, false));
        let completion = match &own {
            Some(event) => Completion::of_event(event),
            None => begin(guest, &file, self.event, self.call)?,
        };
        Ok((file, completion, own))
    }

    /// Asks which of some sockets are ready: input and its size, output and its size.
    ///
    /// # Errors
    /// `PENDING` when it goes on; those of [`Request::read`] and [`afd::begin`].
    pub(super) fn poll(
        self,
        guest: &mut Guest,
        input: (u64, u32),
        output: (u64, u32),
    ) -> Result<(), NtStatus> {
        const INPUT_MAX: u32 = 1 << 20;
        let (block, is_64) = (self.call[2], guest.machine().is_64());
        let bytes = guest.read_vec(input.0, u64::from(input.1.min(INPUT_MAX)))?;
        let request = Request::read(&bytes, output.1, is_64)?;
        let (file, completion, own) = self.prepare(guest)?;
        let mut completion = Some(completion);
        let place = Place { output: output.0, block: block.0, is_64 };
        let outcome = afd::begin(guest.process(), &file, &request, place, &mut completion);
        drop((file, request, bytes));
        match (outcome, own) {
            (Err(NtStatus::PENDING), Some(event)) => wait_for(guest, event, block.0),
            (outcome, _) => finish(guest, block, completion.unwrap_or_default(), outcome?),
        }
    }

    /// Receives or sends: the description of the pieces and its size.
    ///
    /// # Errors
    /// `PENDING` when it goes on, `BUFFER_OVERFLOW` for a part of a datagram, the failure's status.
    pub(super) fn transfer(self, guest: &mut Guest, (input, size): (u64, u32)) -> Result<(), NtStatus> {
        let is_64 = guest.machine().is_64();
        let has_address = self.code == afd::IOCTL_AFD_RECEIVE_DATAGRAM;
        let whole = AFD_RECV_DATAGRAM_INFO::size(guest.machine());
        // The description without an address is shorter by two pointers.
        let needed = if has_address { whole } else { whole - 2 * guest.machine().pointer_size() };
        if u64::from(size) < needed {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let word = guest.machine().pointer_size();
        let numbers = input + word;
        let (count, flags) = (guest.read_u32(numbers)?, guest.read_u32(numbers + 8)?);
        let mut told = Told::default();
        if has_address {
            let info: AFD_RECV_DATAGRAM_INFO = guest.read(input)?;
            (told.from, told.from_length) = (info.Address.0, info.AddressLength.0);
        }
        let buffers = GuestWord(guest.read_word(input)?);
        let pieces = pieces(guest, buffers, count).map_err(|_| NtStatus::ACCESS_VIOLATION)?;
        let asked: u64 = pieces.iter().map(|piece| piece.length).sum();
        let marks = [(TDI_RECEIVE_PEEK, MSG_PEEK), (TDI_RECEIVE_EXPEDITED, MSG_OOB)];
        let flags = marks.iter().filter(|mark| flags & mark.0 != 0).fold(0, |flags, mark| flags | mark.1);
        let message = Message { pieces, flags, ..Message::default() };
        let work = Work::Socket(Box::new(match self.code {
            afd::IOCTL_AFD_SEND => SocketWork::Send(message, 0),
            _ => SocketWork::Receive(message, told),
        }));
        let block = self.call[2];
        let (file, completion, own) = self.prepare(guest)?;
        let mut kept = Some(completion);
        let make =
            |work| Pending { work, block: block.0, is_64, completion: kept.take().unwrap_or_default() };
        let outcome = file.begin_transfer(work, make);
        drop(file);
        match (outcome, own) {
            (Err(NtStatus::PENDING), Some(event)) => wait_for(guest, event, block.0),
            (Err(NtStatus::BUFFER_OVERFLOW), _) => {
                put_status(guest, block, NtStatus::BUFFER_OVERFLOW, asked)?;
                Err(NtStatus::BUFFER_OVERFLOW)
            }
            (outcome, _) => finish(guest, block, kept.unwrap_or_default(), outcome?),
        }
    }
}
