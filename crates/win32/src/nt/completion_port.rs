//! I/O completion ports: a queue of packets, and the files whose transfers end in it.
//!
//! Key types: [`CompletionPort`], [`Packet`].

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock};

use super::object::{Object, ObjectKind};
use super::path::lock;
use super::pool_object::Pooled;
use super::thread::ThreadObject;
use super::wait::{self, Waitable};
use crate::process::Process;

/// What a transfer's end, or a program, puts into the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The file's key, or what the program posts.
    pub key: u64,
    /// The OVERLAPPED's address, or what the program posts.
    pub overlapped: u64,
    /// The transfer's status.
    pub status: u32,
    /// Bytes.
    pub moved: u64,
}

/// A completion port. A wait for it ends while there are packets and takes none: that is a step of its own.
#[derive(Debug, Default)]
pub struct CompletionPort {
    packets: Mutex<VecDeque<Packet>>,
    /// Who makes a callback of each packet, instead of the queue.
    sink: OnceLock<Arc<Pooled>>,
}

impl CompletionPort {
    /// Makes a port.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Makes a port whose packets become callbacks of a pool.
    pub fn with_sink(sink: Arc<Pooled>) -> Arc<Self> {
        let port = Self::new();
        let _ = port.sink.set(sink);
        port
    }

    /// Puts a packet at the end of the queue.
    pub fn post(&self, packet: Packet) {
        if let (Some(sink), Some(process)) = (self.sink.get(), Process::current()) {
            sink.transferred(process, packet);
            return;
        }
        let mut queues = wait::lock();
        lock(&self.packets).push_back(packet);
        queues.release(self);
    }

    /// Takes up to `most` packets.
    pub fn take(&self, most: usize) -> Vec<Packet> {
        let mut packets = lock(&self.packets);
        let count = most.min(packets.len());
        packets.drain(..count).collect()
    }

    /// Returns how many packets there are.
    pub fn depth(&self) -> usize {
        lock(&self.packets).len()
    }
}

impl Object for CompletionPort {
    fn kind(&self) -> ObjectKind {
        ObjectKind::CompletionPort
    }
    fn waitable(&self) -> Option<&dyn Waitable> {
        Some(self)
    }
}

impl Waitable for CompletionPort {
    fn is_signalled(&self, _: &ThreadObject) -> bool {
        self.depth() > 0
    }
}
