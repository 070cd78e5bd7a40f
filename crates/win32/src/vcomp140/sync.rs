//! Barriers, critical sections, locks, and the questions that programs ask.
//!
//! Source: the OpenMP 2.0 specification, 2.6 and 3; <https://learn.microsoft.com/cpp/parallel/openmp/3-run-time-library-functions>.

use std::sync::atomic::{AtomicU32, Ordering};

use plat_abi::{Fault, GuestWord, Memory, VarArgs, winapi};

use super::team::{self, THREADS_MAX, WANTED, WANTED_ONCE, current};
use crate::dll;
use crate::export::Export;
use crate::guest::{Guest, to_fault};
use crate::msvcrt::state::place;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full _vcomp_fork;
    full _vcomp_get_thread_num; full _vcomp_set_num_threads;
    full _vcomp_barrier; full _vcomp_flush;
    full _vcomp_master_begin; full _vcomp_master_end; full _vcomp_master_barrier;
    full _vcomp_enter_critsect; full _vcomp_leave_critsect;
    full _vcomp_copyprivate_broadcast; full _vcomp_copyprivate_receive;
    stub _vcomp_ordered_begin; stub _vcomp_ordered_end; stub _vcomp_ordered_loop_end; stub C2VectParallel;
    full "__plat_vcomp_worker" = team::worker;
    full omp_get_thread_num; full omp_get_num_threads; full omp_get_max_threads; full omp_get_num_procs;
    full omp_set_num_threads; full omp_in_parallel;
    full omp_get_dynamic; full omp_set_dynamic;
    partial omp_get_nested, "regions within regions have one thread";
    partial omp_set_nested, "regions within regions have one thread";
    full omp_get_wtime; full omp_get_wtick;
    full omp_init_lock; full omp_destroy_lock; full omp_set_lock; full omp_unset_lock; full omp_test_lock;
    full "omp_init_nest_lock" = omp_init_lock; full "omp_destroy_nest_lock" = omp_destroy_lock;
    full "omp_set_nest_lock" = omp_set_lock; full "omp_unset_nest_lock" = omp_unset_lock; full omp_test_nest_lock;
};

/// Whether the number of threads may be less than asked for, and regions within regions may have several.
static DYNAMIC: AtomicU32 = AtomicU32::new(0);
static NESTED: AtomicU32 = AtomicU32::new(0);

/// Bytes of a `CRITICAL_SECTION`, on 64-bit machines.
const SECTION_BYTES: u64 = 40;

/// Returns the critical section that a pointer of the program's leads to; the first one to ask makes it.
fn section(guest: &Guest, slot: u64) -> Result<GuestWord, Fault> {
    let known = guest.read_word(slot)?;
    if known != 0 {
        return Ok(GuestWord(known));
    }
    let made = place(guest, &[0; SECTION_BYTES as usize])?;
    guest.critical_section(made).initialize(0)?;
    let found = if guest.machine().is_64() {
        plat_host::memory::compare_exchange_u64(slot, 0, made).map_err(to_fault)?
    } else {
        plat_host::memory::compare_exchange_u32(slot, 0, made as u32).map_err(to_fault)?.into()
    };
    if found == 0 {
        return Ok(GuestWord(made));
    }
    guest.process().heaps.free(0, made);
    Ok(GuestWord(found))
}

/// Defines functions of one sort: page, then text, name, parameters, result, body.
macro_rules! openmp {
    ($page:literal; $($doc:literal; $name:ident($guest:ident $(, $param:ident: $type:ty)*) -> $result:ty $body:block)*) => {$(
        #[doc = $doc]
        ///
        #[doc = concat!("Source: <https://learn.microsoft.com/cpp/parallel/openmp/", $page, ">")]
        #[winapi(cdecl)]
        pub fn $name($guest: &mut Guest $(, $param: $type)*) -> Result<$result, Fault> $body
    )*};
}

openmp! { "2-directives";
    "Runs a region in a team of threads; behind the function are the arguments that it gets.";
    _vcomp_fork(guest, ifval: u32, nargs: i32, wrapper: GuestWord, arguments: VarArgs) -> () {
        let word = guest.machine().pointer_size();
        let mut given = Vec::new();
        for index in 0..u64::try_from(nargs).unwrap_or(0) {
            given.push(guest.read_word(arguments.0 + index * word)?);
        }
        team::fork(guest, ifval != 0, wrapper.0, given)
    }

    "Returns the calling thread's number in its team."; _vcomp_get_thread_num(guest) -> u32 {
        let _ = guest;
        Ok(current().1)
    }

    "Says how many threads the next region has."; _vcomp_set_num_threads(guest, num_threads: i32) -> () {
        let _ = guest;
        if let Ok(wanted @ 1..) = u32::try_from(num_threads) {
            WANTED_ONCE.store(wanted, Ordering::Relaxed);
        }
        Ok(())
    }

    "Waits until all threads of the team are here."; _vcomp_barrier(guest) -> () {
        let _ = guest;
        current().0.barrier();
        Ok(())
    }

    "Makes what was written visible to others: it always is."; _vcomp_flush(guest) -> () {
        let _ = guest;
        std::sync::atomic::fence(Ordering::SeqCst);
        Ok(())
    }

    "Says whether the calling thread is the first of its team."; _vcomp_master_begin(guest) -> u32 {
        let _ = guest;
        Ok(u32::from(current().1 == 0))
    }

    "Ends what only the first thread does."; _vcomp_master_end(guest) -> () { _vcomp_flush(guest) }

    "Waits until all threads of the team are here."; _vcomp_master_barrier(guest) -> () { _vcomp_barrier(guest) }

    "Enters a critical section, which the first to come makes."; _vcomp_enter_critsect(guest, critsect: GuestWord) -> () {
        let section = section(guest, critsect.0)?;
        guest.critical_section(section.0).enter(guest.thread_id())
    }

    "Leaves a critical section."; _vcomp_leave_critsect(guest, critsect: GuestWord) -> () {
        guest.critical_section(critsect.0).leave()
    }

    "Hands a pointer on to the other threads of the team."; _vcomp_copyprivate_broadcast(guest, private: GuestWord) -> () {
        let _ = guest;
        current().0.change(|state| state.private = private.0);
        Ok(())
    }

    "Returns the pointer that another thread of the team handed on, once it has.";
    _vcomp_copyprivate_receive(guest) -> GuestWord {
        let _ = guest;
        let team = current().0;
        team.wait_until(|state| state.private != 0);
        let private = team.state().private;
        Ok(GuestWord(private))
    }
}

openmp! { "3-run-time-library-functions";
    "Returns the calling thread's number in its team."; omp_get_thread_num(guest) -> u32 { _vcomp_get_thread_num(guest) }

    "Returns how many threads the team has."; omp_get_num_threads(guest) -> u32 {
        let _ = guest;
        Ok(current().0.size)
    }

    "Returns how many threads the next region may have."; omp_get_max_threads(guest) -> u32 { Ok(team::threads(guest)) }

    "Returns the number of processors."; omp_get_num_procs(guest) -> u32 {
        Ok(crate::nt::sysinfo::processors(guest.machine()).count_ones())
    }

    "Says how many threads regions have."; omp_set_num_threads(guest, num_threads: i32) -> () {
        let _ = guest;
        if let Ok(wanted @ 1..) = u32::try_from(num_threads) {
            WANTED.store(wanted.min(THREADS_MAX), Ordering::Relaxed);
        }
        Ok(())
    }

    "Says whether a region is run by several threads."; omp_in_parallel(guest) -> u32 {
        let _ = guest;
        Ok(u32::from(team::is_parallel()))
    }

    "Says whether a region may have less threads than asked for."; omp_get_dynamic(guest) -> u32 {
        let _ = guest;
        Ok(DYNAMIC.load(Ordering::Relaxed))
    }

    "Lets regions have less threads than asked for."; omp_set_dynamic(guest, dynamic_threads: i32) -> () {
        let _ = guest;
        DYNAMIC.store(u32::from(dynamic_threads != 0), Ordering::Relaxed);
        Ok(())
    }

    "Says whether regions within regions were asked for."; omp_get_nested(guest) -> u32 {
        let _ = guest;
        Ok(NESTED.load(Ordering::Relaxed))
    }

    "Asks for regions within regions."; omp_set_nested(guest, nested: i32) -> () {
        let _ = guest;
        NESTED.store(u32::from(nested != 0), Ordering::Relaxed);
        Ok(())
    }

    "Returns a time in seconds."; omp_get_wtime(guest) -> f64 {
        let _ = guest;
        Ok(crate::nt::time::performance_counter() as f64 / crate::nt::time::PERFORMANCE_FREQUENCY as f64)
    }

    "Returns the seconds between two ticks of that time."; omp_get_wtick(guest) -> f64 {
        let _ = guest;
        Ok(1.0 / crate::nt::time::PERFORMANCE_FREQUENCY as f64)
    }

    "Makes a lock."; omp_init_lock(guest, lock: GuestWord) -> () {
        guest.write_word(lock.0, 0)?;
        section(guest, lock.0).map(drop)
    }

    "Ends a lock."; omp_destroy_lock(guest, lock: GuestWord) -> () {
        let section = guest.read_word(lock.0)?;
        guest.write_word(lock.0, 0)?;
        guest.process().heaps.free(0, section);
        Ok(())
    }

    "Locks a lock."; omp_set_lock(guest, lock: GuestWord) -> () { _vcomp_enter_critsect(guest, lock) }

    "Unlocks a lock."; omp_unset_lock(guest, lock: GuestWord) -> () {
        let section = section(guest, lock.0)?;
        guest.critical_section(section.0).leave()
    }

    "Locks a lock if it is free; says whether it was."; omp_test_lock(guest, lock: GuestWord) -> u32 {
        match omp_test_nest_lock(guest, lock)? {
            0 => Ok(0),
            1 => Ok(1),
            _ => omp_unset_lock(guest, lock).map(|()| 0),
        }
    }

    "Locks a lock if it is free or the caller's; returns how often it is locked."; omp_test_nest_lock(guest, lock: GuestWord) -> u32 {
        let section = section(guest, lock.0)?;
        if !guest.critical_section(section.0).try_enter(guest.thread_id())? {
            return Ok(0);
        }
        let recursion = 8 + if guest.machine().is_64() { 4 } else { 0 };
        guest.read_u32(section.0 + recursion)
    }
}
