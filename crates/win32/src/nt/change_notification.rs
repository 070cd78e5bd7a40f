//! Change notifications: a handle that is signalled when something changes in a directory, and does not say what.
//!
//! Key type: [`ChangeNotification`].
//!
//! Source: <https://learn.microsoft.com/windows/win32/fileio/obtaining-directory-change-notifications>

use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use plat_host::service::{self, Interest, Ticket};

use super::directory_watch::DirectoryWatch;
use super::event::Event;
use super::object::{Object, ObjectKind};
use super::path::{lock, status_of};
use super::wait::Waitable;
use crate::NtStatus;

/// A directory that is watched; waiting threads wait for its event.
#[derive(Debug)]
pub struct ChangeNotification {
    root: PathBuf,
    watch: DirectoryWatch,
    event: Arc<Event>,
    ticket: Mutex<Option<Ticket>>,
}

impl Object for ChangeNotification {
    fn kind(&self) -> ObjectKind {
        ObjectKind::ChangeNotification
    }
    fn waitable(&self) -> Option<&dyn Waitable> {
        Some(&*self.event)
    }
}

impl Drop for ChangeNotification {
    fn drop(&mut self) {
        if let Some(ticket) = lock(&self.ticket).take() {
            service::cancel(ticket);
        }
    }
}

impl ChangeNotification {
    /// Begins to watch a directory for changes that `filter` (`FILE_NOTIFY_CHANGE_…`) names.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for no filter or an unknown one; the kernel's error as a status.
    pub fn begin(root: PathBuf, filter: u32, subtree: bool) -> Result<Arc<Self>, NtStatus> {
        let watch = DirectoryWatch::new(&root, filter, subtree)?;
        let this = Arc::new(Self { root, watch, event: Event::new(true, false), ticket: Mutex::default() });
        this.listen()?;
        Ok(this)
    }

    /// Waits for the next change; one that came since the last is told at once.
    ///
    /// # Errors
    /// The kernel's error as a status.
    pub fn go_on(self: &Arc<Self>) -> Result<(), NtStatus> {
        self.event.reset();
        self.listen()
    }

    fn listen(self: &Arc<Self>) -> Result<(), NtStatus> {
        let weak = Arc::downgrade(self);
        let then = move || {
            let Some(this) = weak.upgrade() else { return };
            if this.watch.has_news(&this.root) {
                this.event.set();
            } else {
                // What changed was not asked for. A watch that cannot be listened to any more hears nothing more.
                let _ = this.listen();
            }
        };
        let ticket = service::when_ready(self.watch.as_fd(), Interest::Read, then).map_err(status_of)?;
        if let Some(old) = lock(&self.ticket).replace(ticket) {
            service::cancel(old);
        }
        Ok(())
    }
}
