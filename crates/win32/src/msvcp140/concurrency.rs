//! concrt140.dll, the Concurrency Runtime: the locks and small helpers that programs use without its scheduler.
//!
//! Source: <https://learn.microsoft.com/cpp/parallel/concrt/reference/concurrency-namespace>.

use plat_abi::{GuestWord, Memory};

use super::members::{functions, members, named};
use crate::export::Dll;
use crate::guest::Guest;
use crate::nt::slim_lock::SlimLock;

/// The DLL.
pub const DLL: Dll = Dll {
    name: "concrt140.dll",
    description: "Microsoft\u{ae} Concurrency Runtime Library",
    tables: &[EXPORTS, NAMED, LOCKS],
    methods: &[],
};

/// Where a lock notes that a writer has it: behind the lock itself.
fn writer_at(guest: &Guest, this: GuestWord) -> u64 {
    this.0 + guest.machine().pointer_size()
}

functions! { EXPORTS, "concurrency-namespace-functions";
    "Allocates memory.", "?Alloc@Concurrency@@YAP*AX~@Z";
    concurrency_alloc(guest, bytes: GuestWord) -> GuestWord { crate::msvcrt::malloc::malloc(guest, bytes) }

    "Frees memory.", "?Free@Concurrency@@YAXP*AX@Z";
    concurrency_free(guest, at: GuestWord) -> () {
        crate::msvcrt::malloc::free(guest, at);
        Ok(())
    }
}

named! { NAMED, "concurrency-namespace-functions";
    "Returns the number of processors.", "?GetProcessorCount@Concurrency@@YAIXZ";
    concurrency_processors(guest) -> u32 { Ok(crate::nt::sysinfo::processors(guest.machine()).count_ones()) }

    "Returns the number of processors.", "?_GetConcurrency@details@Concurrency@@YAIXZ";
    concurrency_level(guest) -> u32 { concurrency_processors(guest) }

    "Sleeps for so many milliseconds.", "?wait@Concurrency@@YAXI@Z";
    concurrency_wait(guest, milliseconds: u32) -> () {
        crate::kernel32::synchapi::Sleep(guest, milliseconds);
        Ok(())
    }

    "Lets other threads run.", "?_UnderlyingYield@details@Concurrency@@YAXXZ";
    concurrency_yield(guest) -> () {
        crate::kernel32::processthreadsapi::SwitchToThread(guest);
        Ok(())
    }

    "Lets other threads run.", "?Yield@Context@Concurrency@@SAXXZ";
    context_yield(guest) -> () { concurrency_yield(guest) }

    "Lets other threads run.", "?_SpinYield@Context@Concurrency@@SAXXZ";
    context_spin_yield(guest) -> () { concurrency_yield(guest) }

    "Lets other threads run.", "?_Yield@_Context@details@Concurrency@@SAXXZ";
    details_yield(guest) -> () { concurrency_yield(guest) }
}

members! { LOCKS, "critical-section-class";
    "Makes a lock.", "??0critical_section@Concurrency@@Q*A+@XZ";
    critical_section_new(guest, this) -> GuestWord {
        guest.write_bytes(this.0, &vec![0; 2 * guest.machine().pointer_size() as usize])?;
        Ok(this)
    }

    "Ends a lock.", "??1critical_section@Concurrency@@Q*A+@XZ";
    critical_section_end(guest, this) -> () {
        let _ = (guest, this);
        Ok(())
    }

    "Locks a lock.", "?lock@critical_section@Concurrency@@Q*A+XXZ";
    critical_section_lock(guest, this) -> () {
        let _ = guest;
        SlimLock(this.0).acquire_exclusive()
    }

    "Locks a lock if that is possible at once.", "?try_lock@critical_section@Concurrency@@Q*A+_NXZ";
    critical_section_try_lock(guest, this) -> u8 {
        let _ = guest;
        SlimLock(this.0).try_exclusive().map(u8::from)
    }

    "Unlocks a lock.", "?unlock@critical_section@Concurrency@@Q*A+XXZ";
    critical_section_unlock(guest, this) -> () {
        let _ = guest;
        SlimLock(this.0).release_exclusive()
    }

    "Returns the lock.", "?native_handle@critical_section@Concurrency@@Q*A+A*AV12@XZ";
    critical_section_handle(guest, this) -> GuestWord {
        let _ = guest;
        Ok(this)
    }

    "Locks a lock for as long as the guard lives.", "??0scoped_lock@critical_section@Concurrency@@Q*A+@A*AV12@@Z";
    scoped_lock_new(guest, this, lock: GuestWord) -> GuestWord {
        guest.write_word(this.0, lock.0)?;
        critical_section_lock(guest, lock)?;
        Ok(this)
    }

    "Unlocks what a guard has locked.", "??1scoped_lock@critical_section@Concurrency@@Q*A+@XZ";
    scoped_lock_end(guest, this) -> () {
        let lock = GuestWord(guest.read_word(this.0)?);
        critical_section_unlock(guest, lock)
    }

    "Makes a lock for readers and writers.", "??0reader_writer_lock@Concurrency@@Q*A+@XZ";
    reader_writer_new(guest, this) -> GuestWord { critical_section_new(guest, this) }

    "Ends a lock for readers and writers.", "??1reader_writer_lock@Concurrency@@Q*A+@XZ";
    reader_writer_end(guest, this) -> () { critical_section_end(guest, this) }

    "Locks it for a writer.", "?lock@reader_writer_lock@Concurrency@@Q*A+XXZ";
    reader_writer_lock(guest, this) -> () {
        SlimLock(this.0).acquire_exclusive()?;
        guest.write(writer_at(guest, this), &1_u32)
    }

    "Locks it for a reader.", "?lock_read@reader_writer_lock@Concurrency@@Q*A+XXZ";
    reader_writer_lock_read(guest, this) -> () {
        let _ = guest;
        SlimLock(this.0).acquire_shared()
    }

    "Locks it for a writer if that is possible at once.", "?try_lock@reader_writer_lock@Concurrency@@Q*A+_NXZ";
    reader_writer_try_lock(guest, this) -> u8 {
        let done = SlimLock(this.0).try_exclusive()?;
        if done {
            guest.write(writer_at(guest, this), &1_u32)?;
        }
        Ok(u8::from(done))
    }

    "Locks it for a reader if that is possible at once.", "?try_lock_read@reader_writer_lock@Concurrency@@Q*A+_NXZ";
    reader_writer_try_lock_read(guest, this) -> u8 {
        let _ = guest;
        SlimLock(this.0).try_shared().map(u8::from)
    }

    "Unlocks it for whoever has it.", "?unlock@reader_writer_lock@Concurrency@@Q*A+XXZ";
    reader_writer_unlock(guest, this) -> () {
        let writer = writer_at(guest, this);
        if guest.read_u32(writer)? == 0 {
            return SlimLock(this.0).release_shared();
        }
        guest.write(writer, &0_u32)?;
        SlimLock(this.0).release_exclusive()
    }
}
