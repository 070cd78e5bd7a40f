//! System V's shared memory in traces: `shmget`, `shmat`, `shmdt`. A segment's size stands in its `shmget`.

use std::collections::BTreeMap;

use plat_regions::linux::MapFlags;
use plat_regions::{Access, Address, PAGE_SIZE};

use super::Replay;
use crate::calls::Call;
use crate::frames::ObjectId;
use crate::script::c_call::{self, Text};

/// The segments of a trace.
#[derive(Clone, Debug, Default)]
pub(super) struct Segments {
    by_id: BTreeMap<u64, Segment>,
    /// The bytes that lie at each address where something was attached.
    attached: BTreeMap<u64, u64>,
}

#[derive(Clone, Copy, Debug)]
struct Segment {
    key: u64,
    bytes: u64,
    object: Option<ObjectId>,
}

impl Replay {
    /// Takes note of a segment.
    pub(super) fn shared_get(&mut self, call: &Text<'_>, result: &str) {
        // IPC_PRIVATE is a name in traces, and the key 0.
        let key = call.number(0).unwrap_or(0);
        let id = result.split_whitespace().next().and_then(c_call::number);
        if let (Some(id), Ok(bytes)) = (id, call.number(1)) {
            // Others that get the same segment may give a smaller size, or none.
            let known = self.segments.by_id.get(&id).filter(|known| known.key == key && known.bytes >= bytes);
            if known.is_none() {
                self.segments.by_id.insert(id, Segment { key, bytes, object: None });
            }
        }
    }

    /// Returns the mapping that attaches a segment; none where the trace does not tell its size.
    pub(super) fn shared_attach(&mut self, call: &Text<'_>, result: &str) -> Option<Call> {
        let id = call.number(0).ok()?;
        let segment = *self.segments.by_id.get(&id)?;
        let cache = &mut self.machine.cache;
        let object = segment.object.filter(|object| cache.get(*object).is_some());
        let name = format!("/SYSV{:08x} (deleted)", segment.key as u32);
        let object = object.unwrap_or_else(|| cache.add_memory(&name, segment.bytes));
        self.segments.by_id.insert(id, Segment { object: Some(object), ..segment });
        let address = call.address(1).unwrap_or_default();
        if let Some(at) = result.split_whitespace().next().and_then(c_call::number) {
            self.segments.attached.insert(at, segment.bytes);
        }
        let is_read_only = call.raw(2).is_ok_and(|(_, text)| text.contains("SHM_RDONLY"));
        let access = if is_read_only { Access::READ } else { Access::READ | Access::WRITE };
        let mut flags = MapFlags::SHARED;
        flags.set(MapFlags::FIXED, address != Address::ZERO);
        let file = self.machine.open_object(object, true, !is_read_only);
        Some(Call::Map { address, length: segment.bytes, access, flags, file: Some((file, 0)) })
    }

    /// Returns the unmapping that detaches a segment; none where nothing is known to be attached.
    pub(super) fn shared_detach(&mut self, call: &Text<'_>) -> Option<Call> {
        let address = call.address(0).ok()?;
        let length = self.segments.attached.get(&address.get())?.next_multiple_of(PAGE_SIZE);
        Some(Call::Unmap { address, length })
    }
}
