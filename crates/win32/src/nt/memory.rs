//! The process's address space: the books and the arena under one lock.

/// The books of the address space, with the arena that carries out their edits.
#[derive(Default)]
pub struct AddressSpace;
