//! Nt functions that make threads.

use std::sync::Arc;

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::NtStatus;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::nt::handle::HandleFlags;
use crate::nt::thread::{ProcessObject, ThreadObject};
use crate::nt::thread_start::{self, ThreadPlan};

use super::attributes::OBJECT_ATTRIBUTES;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial NtCreateThreadEx, "of the attributes the client's identifier and the TEB's address; DLLs are always told";
    partial RtlCreateUserThread, "the security descriptor counts for nothing";
};

const THREAD_ALL_ACCESS: u32 = 0x1f_ffff;

/// Makes a thread in this process or another.
fn create(guest: &Guest, process: GuestWord, plan: ThreadPlan) -> Result<Arc<ThreadObject>, NtStatus> {
    let owner = guest.process().object_as::<ProcessObject>(process.get())?;
    if owner.as_other().is_none() {
        return thread_start::create(guest.process(), plan);
    }
    let call = (plan.start, plan.parameter);
    owner.create_thread(call, (plan.stack_reserve, plan.stack_commit), plan.is_suspended)
}

/// Writes a `CLIENT_ID`: the process's and the thread's number.
fn write_client(guest: &Guest, address: u64, thread: &ThreadObject) -> Result<u64, Fault> {
    let word = guest.machine().pointer_size();
    let process = thread.owner().map_or_else(plat_host::sysinfo::process_id, |owner| owner.id());
    guest.write_word(address, process.into())?;
    guest.write_word(address + word, thread.id().into())?;
    Ok(2 * word)
}

/// Fills in what the attributes ask for: `PS_ATTRIBUTE_CLIENT_ID`, `PS_ATTRIBUTE_TEB_ADDRESS`.
fn answer(guest: &Guest, list: GuestWord, thread: &ThreadObject) -> Result<(), Fault> {
    const CLIENT_ID: u64 = 0x1_0003;
    const TEB_ADDRESS: u64 = 0x1_0004;
    if list.is_null() {
        return Ok(());
    }
    let word = guest.machine().pointer_size();
    let total = guest.read_word(list.get())?;
    // Each attribute is four words: what, how large, where, and where to tell the length.
    for number in 0..total.saturating_sub(word) / (4 * word) {
        let attribute = list.get() + word + number * 4 * word;
        let field = |place: u64| guest.read_word(attribute + place * word);
        let length = match field(0)? {
            CLIENT_ID => write_client(guest, field(2)?, thread)?,
            TEB_ADDRESS => {
                guest.write_word(field(2)?, thread.teb())?;
                word
            }
            _ => continue,
        };
        if field(3)? != 0 {
            guest.write_word(field(3)?, length)?;
        }
    }
    Ok(())
}

/// Makes a thread.
///
/// Source: <https://ntdoc.m417z.com/ntcreatethreadex>
#[winapi]
pub fn NtCreateThreadEx(
    guest: &mut Guest,
    ThreadHandle: GuestWord,
    DesiredAccess: u32,
    ObjectAttributes: GuestWord,
    ProcessHandle: GuestWord,
    StartRoutine: GuestWord,
    Argument: GuestWord,
    CreateFlags: u32,
    ZeroBits: GuestWord,
    StackSize: GuestWord,
    MaximumStackSize: GuestWord,
    AttributeList: GuestWord,
) -> Result<(), NtStatus> {
    /// `THREAD_CREATE_FLAGS_CREATE_SUSPENDED`, and all that are known.
    const SUSPENDED: u32 = 1;
    const KNOWN: u32 = 0x7f;
    let _ = ZeroBits;
    if CreateFlags & !KNOWN != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let flags = OBJECT_ATTRIBUTES::read(guest, ObjectAttributes)?.handle_flags();
    let plan = ThreadPlan {
        start: StartRoutine.get(),
        parameter: Argument.get(),
        stack_reserve: MaximumStackSize.get(),
        stack_commit: StackSize.get(),
        is_suspended: CreateFlags & SUSPENDED != 0,
    };
    // A bad place for the handle is found before there is a thread.
    guest.write_word(ThreadHandle.get(), 0)?;
    let thread = create(guest, ProcessHandle, plan)?;
    answer(guest, AttributeList, &thread)?;
    let access = if DesiredAccess == 0 { THREAD_ALL_ACCESS } else { DesiredAccess };
    let handle = guest.process().handles.insert(thread, access, flags);
    Ok(guest.write_word(ThreadHandle.get(), handle)?)
}

/// Makes a thread.
///
/// Source: <https://ntdoc.m417z.com/rtlcreateuserthread>
#[winapi]
pub fn RtlCreateUserThread(
    guest: &mut Guest,
    ProcessHandle: GuestWord,
    ThreadSecurityDescriptor: GuestWord,
    CreateSuspended: u8,
    ZeroBits: u32,
    MaximumStackSize: GuestWord,
    CommittedStackSize: GuestWord,
    StartAddress: GuestWord,
    Parameter: GuestWord,
    ThreadHandle: GuestWord,
    ClientId: GuestWord,
) -> Result<(), NtStatus> {
    let _ = (ThreadSecurityDescriptor, ZeroBits);
    let plan = ThreadPlan {
        start: StartAddress.get(),
        parameter: Parameter.get(),
        stack_reserve: MaximumStackSize.get(),
        stack_commit: CommittedStackSize.get(),
        is_suspended: CreateSuspended != 0,
    };
    let thread = create(guest, ProcessHandle, plan)?;
    if !ClientId.is_null() {
        write_client(guest, ClientId.get(), &thread)?;
    }
    if !ThreadHandle.is_null() {
        let handle = guest.process().handles.insert(thread, THREAD_ALL_ACCESS, HandleFlags::empty());
        guest.write_word(ThreadHandle.get(), handle)?;
    }
    Ok(())
}
