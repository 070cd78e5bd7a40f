//! The objects of cryptography that programs hold handles of: providers, hashes, keys, secrets, stores.
//!
//! Key type: [`Objects`]. These handles are no kernel objects: on Windows they are addresses in the process's memory,
//! so they are neither inherited nor closed with `CloseHandle`.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

pub(crate) use crate::nt::path::lock;

/// The first handle: below it, CNG has its handles that need no opening.
const FIRST: u64 = 0x00c1_0010;
/// The distance between two handles: that of blocks of a heap.
const STEP: u64 = 16;

type Object = Arc<dyn Any + Send + Sync>;

/// All objects of a process by their handles, whatever their types.
#[derive(Default)]
pub struct Objects {
    table: RwLock<(HashMap<u64, Object>, u64)>,
}

impl Objects {
    /// Adds an object; returns its handle, which is never given again.
    pub fn add<T: Any + Send + Sync>(&self, object: T) -> u64 {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        let handle = FIRST + table.1 * STEP;
        table.1 += 1;
        table.0.insert(handle, Arc::new(object));
        handle
    }

    /// Adds an object whose handle is the address of a block that belongs to it.
    pub fn add_at<T: Any + Send + Sync>(&self, address: u64, object: T) {
        self.table.write().unwrap_or_else(PoisonError::into_inner).0.insert(address, Arc::new(object));
    }

    /// Returns the object of a handle, if it is of this type.
    pub fn get<T: Any + Send + Sync>(&self, handle: u64) -> Option<Arc<T>> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(table.0.get(&handle)?).downcast().ok()
    }

    /// Returns the handle of the first object of a type that is as wanted.
    pub fn find<T: Any + Send + Sync>(&self, is_wanted: impl Fn(&T) -> bool) -> Option<u64> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let fits = |object: &Object| object.downcast_ref::<T>().is_some_and(&is_wanted);
        table.0.iter().filter(|(_, object)| fits(object)).map(|(handle, _)| *handle).min()
    }

    /// Gives a handle up; returns its object, if it is of this type.
    pub fn remove<T: Any + Send + Sync>(&self, handle: u64) -> Option<Arc<T>> {
        let object = self.get(handle)?;
        self.table.write().unwrap_or_else(PoisonError::into_inner).0.remove(&handle);
        Some(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_leads_to_its_object_and_type_only() {
        let objects = Objects::default();
        let (text, number) = (objects.add("text"), objects.add(7u32));
        assert_ne!(text, number);
        assert_eq!(objects.get::<u32>(number).as_deref(), Some(&7));
        assert_eq!(objects.get::<u32>(text), None);
        assert_eq!(objects.remove::<u32>(text), None);
        assert!(objects.remove::<&str>(text).is_some());
        assert_eq!(objects.get::<&str>(text), None);
        assert_ne!(objects.add("again"), text);
    }
}
