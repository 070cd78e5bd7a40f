//! Security data as Windows lays it out, and the rules over it: SIDs, access control lists, security descriptors, their
//! text form (SDDL), access checks, and Unix permission bits as lists.
//!
//! Key types: [`Sid`], [`Acl`], [`Ace`], [`SecurityDescriptor`]. All of it is values in, values out.

pub mod access;
pub mod ace;
pub mod acl;
pub mod descriptor;
pub mod entries;
pub mod file_mode;
pub mod sddl;
pub mod sid;
pub mod well_known;

pub use ace::Ace;
pub use acl::Acl;
pub use descriptor::SecurityDescriptor;
pub use sid::Sid;
