//! Waits on every kind of object, between host threads.

use std::sync::mpsc;
use std::time::Instant;

use super::*;
use crate::nt::event::Event;
use crate::nt::mutant::Mutant;
use crate::nt::semaphore::Semaphore;
use crate::nt::timer::Timer;

const NOW: WaitFor = WaitFor { all: false, alertable: false, deadline: Some(0) };
const FOREVER: WaitFor = WaitFor { all: false, alertable: false, deadline: None };

fn soon(milliseconds: u64) -> Option<u64> {
    Some(clock::monotonic_nanoseconds() + milliseconds * 1_000_000)
}

fn look(object: &ObjectRef) -> NtStatus {
    wait(std::slice::from_ref(object), NOW).expect("it can be waited for")
}

/// Starts a thread that waits, and returns where its result arrives, once it sleeps.
fn start_wait(objects: Vec<ObjectRef>, how: WaitFor) -> mpsc::Receiver<NtStatus> {
    let (send, receive) = mpsc::channel();
    let (tell, told) = mpsc::channel();
    plat_host::thread::spawn(move || {
        tell.send(thread::current()).expect("the test listens");
        let _ = send.send(wait(&objects, how).expect("they can be waited for"));
    })
    .expect("a thread");
    let id = told.recv().expect("it began").id();
    while !lock().by_thread.contains_key(&id) {
        plat_host::thread::yield_now();
    }
    receive
}

#[test]
fn an_automatic_event_ends_one_wait_and_a_manual_one_all() {
    let event = Event::new(false, true);
    let object: ObjectRef = event.clone();
    assert_eq!(look(&object), NtStatus::SUCCESS);
    assert_eq!(look(&object), NtStatus::TIMEOUT);
    let manual: ObjectRef = Event::new(true, true);
    assert_eq!(look(&manual), NtStatus::SUCCESS);
    assert_eq!(look(&manual), NtStatus::SUCCESS);

    let first = start_wait(vec![object.clone()], FOREVER);
    let second = start_wait(vec![object.clone()], FOREVER);
    event.set();
    assert_eq!(first.recv(), Ok(NtStatus::SUCCESS));
    assert!(second.try_recv().is_err(), "one set, one wait");
    event.set();
    assert_eq!(second.recv(), Ok(NtStatus::SUCCESS));
    assert_eq!(look(&object), NtStatus::TIMEOUT);
}

#[test]
fn a_pulse_ends_the_waits_that_are_there_and_no_more() {
    let event = Event::new(true, false);
    let waits = [start_wait(vec![event.clone()], FOREVER), start_wait(vec![event.clone()], FOREVER)];
    event.pulse();
    for wait in waits {
        assert_eq!(wait.recv(), Ok(NtStatus::SUCCESS));
    }
    let object: ObjectRef = event;
    assert_eq!(look(&object), NtStatus::TIMEOUT);
}

#[test]
fn waiting_for_any_tells_which_and_for_all_takes_none_alone() {
    let (first, second) = (Event::new(false, false), Event::new(false, true));
    let objects: Vec<ObjectRef> = vec![first.clone(), second.clone()];
    assert_eq!(wait(&objects, WaitFor { all: true, ..NOW }), Ok(NtStatus::TIMEOUT));
    assert!(second.state().1, "a wait for all took nothing");
    assert_eq!(wait(&objects, NOW), Ok(NtStatus(1)));
    let all = start_wait(objects, WaitFor { all: true, ..FOREVER });
    second.set();
    assert!(second.state().1, "it stays set until the other is set, too");
    first.set();
    assert_eq!(all.recv(), Ok(NtStatus::SUCCESS));
    assert!(!first.state().1 && !second.state().1);
}

#[test]
fn a_deadline_ends_a_wait() {
    let object: ObjectRef = Event::new(false, false);
    let begun = Instant::now();
    let how = WaitFor { deadline: soon(20), ..FOREVER };
    assert_eq!(wait(std::slice::from_ref(&object), how), Ok(NtStatus::TIMEOUT));
    assert!(begun.elapsed().as_millis() >= 20);
    assert!(!lock().by_object.contains_key(&key(object.waitable().expect("an event"))));
}

#[test]
fn a_semaphore_counts() {
    let semaphore = Semaphore::new(1, 3).expect("sound");
    let object: ObjectRef = semaphore.clone();
    assert_eq!(look(&object), NtStatus::SUCCESS);
    assert_eq!(look(&object), NtStatus::TIMEOUT);
    assert_eq!(semaphore.release(3), Ok(0));
    assert_eq!(semaphore.release(1), Err(NtStatus::SEMAPHORE_LIMIT_EXCEEDED));
    assert_eq!(semaphore.release(0), Err(NtStatus::INVALID_PARAMETER));
    assert_eq!(semaphore.state(), (3, 3));
    assert!(Semaphore::new(2, 1).is_err() && Semaphore::new(0, 0).is_err());
}

#[test]
fn a_mutex_belongs_to_a_thread_and_is_abandoned_at_its_end() {
    let mutant = Mutant::new(None);
    let object: ObjectRef = mutant.clone();
    assert_eq!(look(&object), NtStatus::SUCCESS);
    assert_eq!(look(&object), NtStatus::SUCCESS, "the owner may wait again");
    let me = thread::current();
    let other = start_wait(vec![object.clone()], WaitFor { deadline: soon(10_000), ..FOREVER });
    assert_eq!(mutant.release(&me), Ok(2));
    assert!(other.try_recv().is_err());
    assert_eq!(mutant.release(&me), Ok(1));
    assert_eq!(other.recv(), Ok(NtStatus::SUCCESS));
    assert_eq!(mutant.release(&me), Err(NtStatus::MUTANT_NOT_OWNED));

    let ending = ThreadObject::new();
    let held: ObjectRef = Mutant::new(Some(&ending));
    assert_eq!(look(&held), NtStatus::TIMEOUT);
    let waiting = start_wait(vec![held.clone()], FOREVER);
    ending.end();
    assert_eq!(waiting.recv(), Ok(NtStatus::ABANDONED_WAIT_0));
    let thread: ObjectRef = ending;
    assert_eq!(look(&thread), NtStatus::SUCCESS, "an ended thread is signalled");
}

#[test]
fn a_timer_is_signalled_when_due_and_again_each_period() {
    let timer = Timer::new(false);
    let object: ObjectRef = timer.clone();
    let me = thread::current();
    timer.set(soon(5).expect("some"), 5_000_000, None, &me);
    assert_eq!(look(&object), NtStatus::TIMEOUT);
    for _ in 0..2 {
        assert_eq!(wait(std::slice::from_ref(&object), FOREVER), Ok(NtStatus::SUCCESS));
    }
    assert!(timer.cancel());
    assert_eq!(look(&object), NtStatus::TIMEOUT);
    // A thread that waits already learns that the timer was set.
    let waiting = start_wait(vec![object], FOREVER);
    timer.set(soon(1).expect("some"), 0, None, &me);
    assert_eq!(waiting.recv(), Ok(NtStatus::SUCCESS));
}

/// A timer that becomes due between a look at it and the sleep ends that sleep.
#[test]
fn a_timer_is_not_missed_on_the_way_to_sleep() {
    let timer = Timer::new(true);
    let object: ObjectRef = timer.clone();
    let me = thread::current();
    for round in 0..20_000 {
        let now = plat_host::clock::monotonic_nanoseconds();
        timer.set(now + round % 3_000, 0, None, &me);
        let how = WaitFor { deadline: soon(10_000), ..FOREVER };
        assert_eq!(wait(std::slice::from_ref(&object), how), Ok(NtStatus::SUCCESS));
        assert!(plat_host::clock::monotonic_nanoseconds() - now < 5_000_000_000, "round {round}");
    }
}

#[test]
fn queued_calls_end_alertable_waits_only() {
    let (tell, told) = mpsc::channel();
    let (send, receive) = mpsc::channel();
    plat_host::thread::spawn(move || {
        tell.send(thread::current()).expect("the test listens");
        send.send(wait(&[], WaitFor { alertable: true, ..FOREVER })).expect("the test listens");
        let apc = thread::with_current(ThreadObject::pop_apc).expect("it was queued");
        send.send(Ok(NtStatus(apc.function as u32))).expect("the test listens");
    })
    .expect("a thread");
    let thread = told.recv().expect("it began");
    queue_apc(&thread, Apc { function: 5, arguments: [0; 4], count: 1 }).expect("it lives");
    assert_eq!(receive.recv(), Ok(Ok(NtStatus::USER_APC)));
    assert_eq!(receive.recv(), Ok(Ok(NtStatus(5))));

    let me = thread::current();
    queue_apc(&me, Apc { function: 6, arguments: [0; 4], count: 1 }).expect("it lives");
    assert_eq!(wait(&[], NOW), Ok(NtStatus::TIMEOUT));
    assert_eq!(wait(&[], WaitFor { alertable: true, ..NOW }), Ok(NtStatus::USER_APC));
    assert!(me.pop_apc().is_some());
}

#[test]
fn signalling_and_waiting_is_one_step() {
    let (ping, pong) = (Event::new(false, false), Event::new(false, true));
    let (ping_object, pong_object): (ObjectRef, ObjectRef) = (ping.clone(), pong);
    assert_eq!(signal_and_wait(&ping_object, std::slice::from_ref(&pong_object), NOW), Ok(NtStatus::SUCCESS));
    assert!(ping.state().1);
    let thread: ObjectRef = ThreadObject::new();
    assert_eq!(signal_and_wait(&thread, &[pong_object], NOW), Err(NtStatus::OBJECT_TYPE_MISMATCH));
}

#[test]
fn bad_lists_are_refused() {
    let object: ObjectRef = Event::new(true, true);
    let twice = [object.clone(), object.clone()];
    assert_eq!(wait(&twice, WaitFor { all: true, ..NOW }), Err(NtStatus::INVALID_PARAMETER_MIX));
    assert_eq!(wait(&vec![object; 65], NOW), Err(NtStatus::INVALID_PARAMETER_1));
}

#[test]
fn a_suspended_thread_counts_its_suspensions() {
    let thread = ThreadObject::new();
    assert_eq!(thread.suspend(), Ok(0));
    assert_eq!(thread.suspend(), Ok(1));
    assert_eq!((thread.resume(), thread.resume(), thread.resume()), (2, 1, 0));
    for _ in 0..127 {
        thread.suspend().expect("up to 127");
    }
    assert_eq!(thread.suspend(), Err(NtStatus::SUSPEND_COUNT_EXCEEDED));
}
