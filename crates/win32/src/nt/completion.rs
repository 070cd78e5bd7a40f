//! How the end of a transfer is told: an event is set, a call is queued, a port gets a packet. Transfers of files are
//! complete when their function returns, as Windows' are where it can answer at once; those of pipes may be under way
//! (`pipe_transfer`).
//!
//! Key type: [`Completion`].

use std::sync::Arc;

use super::completion_port::{CompletionPort, Packet};
use super::event::Event;
use super::file::FileObject;
use super::thread::{self, Apc, ThreadObject};
use super::wait;
use crate::NtStatus;
use crate::logic::winsock::error;
use crate::process::Process;

/// How many arguments the routine of a socket's transfer takes: error, bytes, OVERLAPPED, flags.
pub const SOCKET_ARGUMENTS: usize = 4;

/// What is to happen when a transfer is complete.
#[derive(Debug, Default)]
pub struct Completion {
    event: Option<Arc<Event>>,
    apc: Option<Apc>,
    /// The thread that is to make the call.
    thread: Option<Arc<ThreadObject>>,
    /// The port, the file's key there, and whether success at once is not told.
    port: Option<(Arc<CompletionPort>, u64, bool)>,
    /// The OVERLAPPED, or what stands for it.
    overlapped: u64,
    moved: u64,
    /// Whether the caller chose the call's arguments and what the port is told (0: nothing), as NT's functions let it.
    is_native: bool,
}

impl Completion {
    /// Begins a transfer: finds the event (0 is none; the lowest bit of its handle means nothing here) and resets it.
    ///
    /// # Errors
    /// `INVALID_HANDLE` or `OBJECT_TYPE_MISMATCH` for the event; `INVALID_PARAMETER` when a call is wanted for a file
    /// that was opened for synchronous transfers.
    ///
    /// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntreadfile>
    pub fn begin(
        process: &Process,
        file: &FileObject,
        event: u64,
        apc: Option<Apc>,
    ) -> Result<Self, NtStatus> {
        // With its lowest bit set, the port is not told.
        let port = if event & 1 != 0 || apc.is_some() { None } else { file.transfers.port() };
        let port = port.map(|(port, key)| (port, key, file.transfers.skips_port()));
        let event = event & !1;
        let event = if event == 0 { None } else { Some(process.object_as::<Event>(event)?) };
        if apc.is_some() && !file.traits.overlapped {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        if let Some(event) = &event {
            event.reset();
        }
        Ok(Self {
            event,
            apc,
            thread: apc.is_some().then(thread::current),
            port,
            overlapped: 0,
            moved: 0,
            is_native: false,
        })
    }

    /// Has an event of plat's own set at the end.
    pub fn of_event(event: &Arc<Event>) -> Self {
        Self { event: Some(Arc::clone(event)), ..Self::default() }
    }

    /// Tells that the transfer succeeded; a failed one is told by its function's result alone.
    ///
    /// # Errors
    /// `UNSUCCESSFUL` when the calling thread is ending.
    pub fn succeed(self) -> Result<(), NtStatus> {
        if let Some(event) = self.event {
            event.set();
        }
        if let Some((port, key, false)) = self.port.filter(|_| self.overlapped != 0) {
            port.post(Packet { key, overlapped: self.overlapped, status: 0, moved: self.moved });
        }
        self.apc.map_or(Ok(()), |apc| wait::queue_apc(&thread::current(), apc))
    }

    /// Notes the OVERLAPPED and how many bytes went, for the port.
    pub fn set_packet(&mut self, overlapped: u64, moved: u64) {
        (self.overlapped, self.moved) = (overlapped, moved);
    }

    /// Has the port told of `context` rather than of the status block, and leaves the call's arguments as they are.
    pub fn make_native(&mut self, context: u64) {
        (self.overlapped, self.is_native) = (context, true);
    }

    /// Notes how many bytes went, for the port.
    pub fn set_moved(&mut self, moved: u64) {
        self.moved = moved;
    }

    /// Tells the end of a transfer that was under way, good or bad; runs on any thread. The call, where there is one,
    /// is `ReadFileEx`'s: error, bytes, OVERLAPPED.
    pub fn end(self, status: NtStatus, moved: u64, overlapped: u64) {
        let overlapped = if self.is_native { self.overlapped } else { overlapped };
        if let Some((port, key, _)) = self.port.filter(|_| overlapped != 0) {
            port.post(Packet { key, overlapped, status: status.0, moved });
        }
        if let Some(event) = self.event {
            event.set();
        }
        if let (Some(mut apc), Some(thread)) = (self.apc, self.thread) {
            // A socket's routine takes flags, too, and Winsock's errors.
            let error = match status {
                status if status.is_success() => 0,
                status if apc.count == SOCKET_ARGUMENTS => error::of_status(status).0,
                status => status.to_win32().0,
            };
            if !self.is_native {
                apc.arguments = [u64::from(error), moved, overlapped, 0];
            }
            // A thread that has ended calls nothing any more.
            let _ = wait::queue_apc(&thread, apc);
        }
    }

    /// Changes the arguments of the call, once they are known.
    pub fn set_arguments(&mut self, [first, second, third]: [u64; 3]) {
        if let Some(apc) = &mut self.apc {
            apc.arguments = [first, second, third, 0];
        }
    }
}
