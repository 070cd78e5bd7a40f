//! Waits: what a waitable object has to say. (The waiting itself arrives with the synchronisation objects.)

/// The waiting side of an object.
pub trait Waitable {
    /// Takes the object for a thread if it is signalled; says whether it did.
    fn try_take(&self, thread_id: u32) -> bool;
}
