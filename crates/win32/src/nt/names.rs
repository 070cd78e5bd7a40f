//! The namespace of named objects: one per process, names compared without regard to case.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::object::{Object, ObjectRef, downcast};
use crate::NtStatus;
use crate::logic::nls::case;

/// The named objects of the process. A name goes when the last handle of its object does.
#[derive(Default)]
pub struct Names {
    objects: Mutex<HashMap<Vec<u16>, Weak<dyn Object>>>,
}

impl Names {
    /// Returns the object of this name, or makes one; says whether it existed.
    ///
    /// # Errors
    /// `OBJECT_TYPE_MISMATCH` when the name belongs to an object of another kind, and `make`'s own.
    pub fn open_or_create<T: Object>(
        &self,
        name: &[u16],
        make: impl FnOnce() -> Result<Arc<T>, NtStatus>,
    ) -> Result<(Arc<T>, bool), NtStatus> {
        if name.is_empty() {
            return Ok((make()?, false));
        }
        let mut objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = objects.get(&key(name)).and_then(Weak::upgrade) {
            return downcast(found).map(|object| (object, true)).ok_or(NtStatus::OBJECT_TYPE_MISMATCH);
        }
        objects.retain(|_, object| object.strong_count() > 0);
        let object = make()?;
        let shared: ObjectRef = object.clone();
        objects.insert(key(name), Arc::downgrade(&shared));
        Ok((object, false))
    }

    /// Returns the object of this name.
    ///
    /// # Errors
    /// `OBJECT_NAME_NOT_FOUND` when there is none, `OBJECT_TYPE_MISMATCH` when it is of another kind.
    pub fn open<T: Object>(&self, name: &[u16]) -> Result<Arc<T>, NtStatus> {
        let objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        let found = objects.get(&key(name)).and_then(Weak::upgrade).ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)?;
        downcast(found).ok_or(NtStatus::OBJECT_TYPE_MISMATCH)
    }
}

/// `Local\` is where names without a prefix live; `Global\` is another place.
fn key(name: &[u16]) -> Vec<u16> {
    const LOCAL: [u16; 6] = [b'L' as u16, b'O' as u16, b'C' as u16, b'A' as u16, b'L' as u16, b'\\' as u16];
    let upper: Vec<u16> = name.iter().map(|&unit| case::upcase(unit)).collect();
    upper.strip_prefix(&LOCAL).map(<[u16]>::to_vec).unwrap_or(upper)
}
