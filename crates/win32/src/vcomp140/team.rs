//! Teams of threads: who runs a parallel region, and what its members share.
//!
//! The first region makes guest threads, which later regions use again. A region within a region is run by one thread.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plat_abi::{Fault, GuestWord, winapi};

use super::loops::Shared;
use crate::guest::Guest;
use crate::msvcrt::system::exported;
use crate::nt::wait_address;

/// The most threads of a team.
pub(super) const THREADS_MAX: u32 = 64;

/// A team: its size, the region's function and arguments, and what its members agree upon.
pub(super) struct Team {
    pub(super) size: u32,
    function: u64,
    arguments: Vec<u64>,
    state: Mutex<State>,
}

/// What changes while a team works.
#[derive(Default)]
pub(super) struct State {
    /// How many wait at the barrier, and how often it has opened.
    waiting: u32,
    opened: u64,
    /// Members that have left the region.
    left: u32,
    /// How many `single` regions, section regions and loops have been begun; the number of the next section.
    pub(super) singles: u64,
    pub(super) sections: Shared,
    pub(super) dynamic: Shared,
    /// What `copyprivate` hands on.
    pub(super) private: u64,
}

/// A thread's place in a team, and how many of its shared pieces of work it has met.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) team: Arc<Team>,
    pub(super) number: u32,
    pub(super) singles: u64,
    pub(super) sections: u64,
    pub(super) dynamic: u64,
}

thread_local! {
    static MEMBERS: RefCell<Vec<Member>> = const { RefCell::new(Vec::new()) };
}

/// Members that wait for a worker to be them; how many workers there are, and how many are idle.
#[derive(Default)]
struct Pool {
    members: VecDeque<Member>,
    idle: u32,
}

static POOL: Mutex<Pool> = Mutex::new(Pool { members: VecDeque::new(), idle: 0 });

/// How many threads the next region of the program has; 0: one for each processor.
pub(super) static WANTED: AtomicU32 = AtomicU32::new(0);
/// The same for the next region only.
pub(super) static WANTED_ONCE: AtomicU32 = AtomicU32::new(0);

fn pool() -> MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The key under which idle workers sleep.
fn pool_key() -> u64 {
    (&raw const POOL).addr() as u64
}

impl Team {
    fn new(size: u32, function: u64, arguments: Vec<u64>) -> Self {
        Self { size, function, arguments, state: Mutex::default() }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self) -> u64 {
        (&raw const *self).addr() as u64
    }

    /// Sleeps until something holds.
    pub(super) fn wait_until(&self, holds: impl Fn(&State) -> bool) {
        let mut queued = true;
        while queued {
            let test = || Ok::<bool, Infallible>(!holds(&self.state()));
            queued = wait_address::enqueue_if(self.key(), test).unwrap_or(false);
            if queued {
                wait_address::sleep(self.key(), None);
            }
        }
    }

    /// Changes the state and wakes those who wait for it.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let result = change(&mut self.state());
        wait_address::wake(self.key(), usize::MAX);
        result
    }

    /// Waits until all members are here.
    pub(super) fn barrier(&self) {
        let size = self.size;
        let opened = self.state().opened;
        let is_last = self.change(|state| {
            state.waiting += 1;
            if state.waiting == size {
                state.waiting = 0;
                state.opened += 1;
            }
            state.waiting == 0
        });
        if !is_last {
            self.wait_until(|state| state.opened != opened);
        }
    }
}

impl Member {
    fn new(team: Arc<Team>, number: u32) -> Self {
        Self { team, number, singles: 0, sections: 0, dynamic: 0 }
    }

    /// Runs the region's function as this member.
    fn run(self, guest: &mut Guest) -> Result<(), Fault> {
        let team = Arc::clone(&self.team);
        MEMBERS.with_borrow_mut(|members| members.push(self));
        let called = guest.call(team.function, &team.arguments);
        MEMBERS.with_borrow_mut(Vec::pop);
        team.change(|state| state.left += 1);
        called.map(drop)
    }
}

/// Does something with the calling thread's place in its team; outside of regions it is the only member of one.
pub(super) fn with_member<R>(work: impl FnOnce(&mut Member) -> R) -> R {
    MEMBERS.with_borrow_mut(|members| {
        if members.is_empty() {
            members.push(Member::new(Arc::new(Team::new(1, 0, Vec::new())), 0));
        }
        let last = members.len() - 1;
        work(&mut members[last])
    })
}

/// Returns the calling thread's team and its number there.
pub(super) fn current() -> (Arc<Team>, u32) {
    with_member(|member| (Arc::clone(&member.team), member.number))
}

/// Says whether the calling thread is in a region of several threads.
pub(super) fn is_parallel() -> bool {
    MEMBERS.with_borrow(|members| members.iter().any(|member| member.team.size > 1))
}

/// Returns how many threads a region has if nothing else is said.
pub(super) fn threads(guest: &Guest) -> u32 {
    match WANTED.load(Ordering::Relaxed) {
        0 => crate::nt::sysinfo::processors(plat_abi::Memory::machine(guest))
            .count_ones()
            .clamp(1, THREADS_MAX),
        wanted => wanted.min(THREADS_MAX),
    }
}

/// Makes workers until as many are idle as members wait.
fn hire(guest: &mut Guest, needed: u32) -> Result<(), Fault> {
    let missing = needed.saturating_sub(pool().idle);
    let start = exported(guest, "vcomp140.dll", "__plat_vcomp_worker")?;
    for _ in 0..missing {
        let null = GuestWord::NULL;
        let made = crate::kernel32::processthreadsapi::CreateThread(
            guest,
            null,
            null,
            GuestWord(start),
            null,
            0,
            null,
        );
        match made {
            Ok(handle) => {
                pool().idle += 1;
                // The handle is closed; the thread goes on. A handle that was just made can be closed.
                let _ = crate::kernel32::handleapi::CloseHandle(guest, handle);
            }
            Err(_) => return Ok(()),
        }
    }
    Ok(())
}

/// Runs a region: the calling thread is its first member.
pub(super) fn fork(
    guest: &mut Guest,
    is_parallel_wanted: bool,
    function: u64,
    arguments: Vec<u64>,
) -> Result<(), Fault> {
    let once = WANTED_ONCE.swap(0, Ordering::Relaxed);
    let wanted = if once == 0 { threads(guest) } else { once.min(THREADS_MAX) };
    let mut size = if is_parallel_wanted && !is_parallel() { wanted } else { 1 };
    if size > 1 {
        hire(guest, size - 1)?;
        size = size.min(pool().idle + 1);
    }
    let team = Arc::new(Team::new(size, function, arguments));
    {
        let mut pool = pool();
        pool.idle = pool.idle.saturating_sub(size - 1);
        pool.members.extend((1..size).map(|number| Member::new(Arc::clone(&team), number)));
    }
    wait_address::wake(pool_key(), size as usize - 1);
    Member::new(Arc::clone(&team), 0).run(guest)?;
    team.wait_until(|state| state.left == size);
    Ok(())
}

/// What a worker's thread does: it becomes one member after the other.
///
/// Source: <https://learn.microsoft.com/cpp/parallel/openmp/openmp-in-visual-cpp>
#[winapi]
pub(super) fn worker(guest: &mut Guest, parameter: GuestWord) -> Result<u32, Fault> {
    let _ = parameter;
    loop {
        let member = pool().members.pop_front();
        if let Some(member) = member {
            member.run(guest)?;
            pool().idle += 1;
            continue;
        }
        let test = || Ok::<bool, Infallible>(pool().members.is_empty());
        if wait_address::enqueue_if(pool_key(), test).unwrap_or(false) {
            wait_address::sleep(pool_key(), None);
        }
    }
}
