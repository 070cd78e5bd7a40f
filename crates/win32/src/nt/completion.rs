//! How the end of a transfer is told: an event is set, a call is queued. Every transfer is complete when its function
//! returns, so that nothing is ever pending: Windows, too, answers at once where it can, and programs must bear that.
//!
//! Key type: [`Completion`].

use std::sync::Arc;

use super::event::Event;
use super::file::FileObject;
use super::thread::{self, Apc};
use super::wait;
use crate::NtStatus;
use crate::process::Process;

/// What is to happen when a transfer is complete.
#[derive(Debug, Default)]
pub struct Completion {
    event: Option<Arc<Event>>,
    apc: Option<Apc>,
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
        let event = event & !1;
        let event = if event == 0 { None } else { Some(process.object_as::<Event>(event)?) };
        if apc.is_some() && !file.traits.overlapped {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        if let Some(event) = &event {
            event.reset();
        }
        Ok(Self { event, apc })
    }

    /// Tells that the transfer succeeded; a failed one is told by its function's result alone.
    ///
    /// # Errors
    /// `UNSUCCESSFUL` when the calling thread is ending.
    pub fn succeed(self) -> Result<(), NtStatus> {
        if let Some(event) = self.event {
            event.set();
        }
        self.apc.map_or(Ok(()), |apc| wait::queue_apc(&thread::current(), apc))
    }

    /// Changes the arguments of the call, once they are known.
    pub fn set_arguments(&mut self, arguments: [u64; 3]) {
        if let Some(apc) = &mut self.apc {
            apc.arguments = arguments;
        }
    }
}
