//! The gate with hand-made guest code: calls, callbacks, faults, resumption, both machines in one process each.

use std::sync::Mutex;

use plat_host::arena::Arena;
use plat_host::gate::{self, Call, FaultInfo, Registers, System, Thread, Trampoline};
use plat_host::memory::{self, MemoryFault};
use plat_regions::{Access, Address, AddressRange};

const CODE: u64 = 0x10_0000;
const TEB: u64 = 0x20_0000;
const STACK_TOP: u64 = 0x40_0000;
const TRAMPOLINE: u64 = 0x11_0000;

struct Recorder {
    log: Mutex<Vec<String>>,
}

impl System for Recorder {
    fn call(&self, call: &mut Call<'_>) {
        let first = memory::read_u32(call.arguments()).expect("the guest pushed an argument");
        if call.index() != 3 {
            self.log.lock().expect("no panic").push(format!("call {} ({first})", call.index()));
        }
        match call.index() {
            // Calls the guest back: f(7).
            1 => {
                let result = call.thread().call(CODE + 0x100, &[7]).expect("the stack is writable");
                call.set_result(result + 1);
            }
            2 => call.thread().leave(),
            // Goes on behind the loop's fault, as a handler does that unwinds.
            3 => {
                let mut registers = call.caller_registers();
                registers.general[4] = STACK_TOP - 0x100;
                registers.general[3] = u64::from(first);
                registers.rip = CODE + 0x20;
                call.thread().resume(registers)
            }
            _ => call.set_result(u64::from(first) * 2),
        }
        if call.is_i386() {
            call.set_stack_bytes(4);
        }
    }

    fn fault(&self, thread: Thread, fault: &FaultInfo, mut registers: Box<Registers>) -> Box<Registers> {
        if fault.address == 0x20 {
            let seen = thread.call_chain();
            assert_eq!((seen.len(), seen[0].rip), (1, registers.rip), "calls that were left are gone");
            let counter = registers.general[3];
            drop((registers, seen));
            let _ = thread.call(CODE + 0x100, &[counter]);
            unreachable!("the function leaves this frame");
        }
        let line = format!("fault {} at {:#x} rip {:#x}", fault.trap, fault.address, registers.rip);
        self.log.lock().expect("no panic").push(line);
        // Skips `mov eax, [address]` and lets it have read 5: two opcode bytes in 64 bits, one in 32.
        registers.rip += if registers.is_i386 { 5 } else { 7 };
        registers.general[0] = 5;
        registers
    }

    fn resolve(&self, _: MemoryFault) -> bool {
        false
    }
}

static RECORDER: Recorder = Recorder { log: Mutex::new(Vec::new()) };

fn range(start: u64, size: u64) -> AddressRange {
    AddressRange::sized(Address::new(start), size).expect("in range")
}

/// Writes `thunk(index)` at CODE + 0x200 + 16 × index.
fn thunks(code: &mut [u8], trampoline: Option<&Trampoline>) {
    for index in 0..4_u32 {
        let mut thunk = vec![0xb8];
        thunk.extend(index.to_le_bytes());
        match trampoline {
            None => {
                thunk.extend([0x49, 0xbb]);
                thunk.extend(gate::enter64_address().to_le_bytes());
                thunk.extend([0x41, 0xff, 0xe3]);
            }
            Some(trampoline) => {
                thunk.push(0xea);
                thunk.extend(trampoline.entry().to_le_bytes());
                thunk.extend([0x33, 0]);
            }
        }
        let at = 0x200 + index as usize * 32;
        code[at..at + thunk.len()].copy_from_slice(&thunk);
    }
}

fn relative(from: usize, to: usize) -> [u8; 4] {
    (to as i32 - (from as i32 + 4)).to_le_bytes()
}

/// 64-bit: calls thunk 0 with 21, thunk 1 (which calls f(7)), faults at address 0x10, adds all, then thunk 2.
fn code64() -> Vec<u8> {
    let mut code = vec![0xcc; 4096];
    let mut main: Vec<u8> = vec![0x53, 0x48, 0x83, 0xec, 0x30, 0x31, 0xdb]; // push rbx; sub rsp, 0x30; xor ebx, ebx
    for (argument, thunk) in [(21_u32, 0_usize), (1, 1)] {
        main.push(0xb9); // mov ecx, argument
        main.extend(argument.to_le_bytes());
        main.push(0xe8);
        main.extend(relative(main.len(), 0x200 + thunk * 32));
        main.extend([0x01, 0xc3]); // add ebx, eax
    }
    main.extend([0x8b, 0x04, 0x25, 0x10, 0, 0, 0]); // mov eax, [0x10]
    main.extend([0x01, 0xc3, 0x89, 0xd9, 0xe8]); // add ebx, eax; mov ecx, ebx; call thunk 2
    main.extend(relative(main.len(), 0x200 + 2 * 32));
    code[..main.len()].copy_from_slice(&main);
    code[0x100..0x104].copy_from_slice(&[0x8d, 0x41, 0x03, 0xc3]); // lea eax, [rcx + 3]; ret
    thunks(&mut code, None);
    code
}

fn code32(trampoline: &Trampoline) -> Vec<u8> {
    let mut code = vec![0xcc; 4096];
    let mut main: Vec<u8> = vec![0x31, 0xdb]; // xor ebx, ebx
    for (argument, thunk) in [(21_u32, 0_usize), (1, 1)] {
        main.push(0x68); // push argument
        main.extend(argument.to_le_bytes());
        main.push(0xe8);
        main.extend(relative(main.len(), 0x200 + thunk * 32));
        main.extend([0x01, 0xc3]); // add ebx, eax
    }
    main.extend([0xa1, 0x10, 0, 0, 0]); // mov eax, [0x10]
    main.extend([0x01, 0xc3, 0x53, 0xe8]); // add ebx, eax; push ebx; call thunk 2
    main.extend(relative(main.len(), 0x200 + 2 * 32));
    code[..main.len()].copy_from_slice(&main);
    code[0x100..0x10a].copy_from_slice(&[0x8b, 0x44, 0x24, 0x04, 0x83, 0xc0, 0x03, 0xc3, 0xcc, 0xcc]);
    thunks(&mut code, Some(trampoline));
    code
}

/// Faults at 0x20 until EBX is 0; the handler at 0x100 leaves through thunk 3 (even) or by itself (odd).
fn loop_of_faults(trampoline: Option<&Trampoline>) -> Vec<u8> {
    let mut code = vec![0xcc; 4096];
    let stack = (STACK_TOP as u32 - 0x100).to_le_bytes();
    let mut main: Vec<u8> = vec![0xbc]; // mov esp, stack
    main.extend(stack);
    main.push(0xbb); // mov ebx, FAULTS
    main.extend(FAULTS.to_le_bytes());
    main.resize(0x20, 0x90);
    main.extend([0x83, 0xeb, 0x01, 0x74, 0x0a]); // sub ebx, 1; jz done
    main.extend([0xb8, 0x20, 0, 0, 0, 0x8b, 0x00]); // mov eax, 0x20; mov eax, [eax]
    main.extend([0xcc; 3]);
    main.extend([0xb9, 9, 0, 0, 0, 0x51, 0xe8]); // done: mov ecx, 9; push ecx; call thunk 2
    main.extend(relative(main.len(), 0x200 + 2 * 32));
    code[..main.len()].copy_from_slice(&main);
    let mut handler: Vec<u8> = match trampoline {
        None => vec![0x89, 0xc8, 0x90, 0x90],    // mov eax, ecx
        Some(_) => vec![0x8b, 0x44, 0x24, 0x04], // mov eax, [esp + 4]
    };
    handler.extend([0xa8, 1, 0x74, 0x0c, 0x89, 0xc3, 0xbc]); // test al, 1; jz even; mov ebx, eax; mov esp, stack
    handler.extend(stack);
    handler.push(0xe9); // jmp to the loop
    handler.extend(relative(0x100 + handler.len(), 0x20));
    handler.extend([0x50, 0xe8]); // even: push eax; call thunk 3
    handler.extend(relative(0x100 + handler.len(), 0x200 + 3 * 32));
    code[0x100..0x100 + handler.len()].copy_from_slice(&handler);
    thunks(&mut code, trampoline);
    code
}

/// More than the host's stack has room for, if each left something behind.
const FAULTS: u32 = 100_000;

fn run(trampoline: Option<&'static Trampoline>, code: &[u8]) -> Vec<String> {
    memory::write(CODE, code).expect("mapped writable");
    let left =
        Thread::enter(TEB, trampoline, |thread| thread.call_at(CODE, &[], STACK_TOP - 64)).expect("a TEB");
    assert!(left.is_none(), "thunk 2 leaves the guest");
    std::mem::take(&mut *RECORDER.log.lock().expect("no panic"))
}

/// The first byte behind the TEB's mapping, which nobody can access.
const EDGE: u64 = TEB + 0x4000;

/// Bytes that are all different from their neighbours.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 7 % 251) as u8 | 1).collect()
}

/// Copies of all lengths that are made differently, at several alignments: all bytes arrive, and none beside them.
fn copies_are_exact() {
    let base = TEB + 0x2000;
    for length in (0..300).chain([4096]) {
        for shift in [0, 1, 7, 15] {
            memory::fill(base, 0, length as u64 + 64).expect("mapped writable");
            memory::write(base + 16 + shift, &pattern(length)).expect("mapped writable");
            let mut back = vec![0xff; length + 2];
            memory::read(base + 16 + shift, &mut back[1..=length]).expect("mapped");
            assert_eq!(back[1..=length], pattern(length), "{length} at {shift}");
            assert_eq!((back[0], back[length + 1]), (0xff, 0xff), "{length} at {shift}");
            let around = [base + 15 + shift, base + 16 + shift + length as u64];
            let mut beside = [0xff; 2];
            for (place, byte) in around.into_iter().zip(&mut beside) {
                memory::read(place, std::slice::from_mut(byte)).expect("mapped");
            }
            assert_eq!(beside, [0, 0], "{length} at {shift}");
        }
    }
}

/// Wherever the last readable byte lies in a copy, the fault is told at the one behind it.
fn faults_of_copies_tell_the_first_byte() {
    for length in 1..300_u64 {
        for inside in [0, 1.min(length - 1), length / 2, length - 1] {
            let mut bytes = vec![0; length as usize];
            let read = memory::read(EDGE - inside, &mut bytes);
            assert_eq!(read, Err(MemoryFault { address: EDGE, write: false }), "{length}, {inside} inside");
            let write = memory::write(EDGE - inside, &bytes);
            assert_eq!(write, Err(MemoryFault { address: EDGE, write: true }), "{length}, {inside} inside");
        }
    }
}

/// A move to a lower address goes right however far it is.
fn copies_that_overlap() {
    let base = TEB + 0x2000;
    for length in [5, 12, 16, 17, 40, 100, 256, 300] {
        for distance in [1, 3, 8, 15, 16, 31] {
            memory::write(base, &pattern(400)).expect("mapped writable");
            memory::copy(base, base + distance, length).expect("mapped");
            let mut moved = vec![0; length as usize];
            memory::read(base, &mut moved).expect("mapped");
            assert_eq!(moved, pattern(400)[distance as usize..][..length as usize], "{length} by {distance}");
        }
    }
}

#[test]
fn guest_code_of_both_machines_calls_is_called_back_faults_and_leaves() {
    gate::probe().expect("this machine runs plat");
    let arena = Arena::reserve(&[range(0x1_0000, 0xffff_0000)]).expect("the low 4 GiB are free");
    let all = Access::READ | Access::WRITE | Access::EXECUTE;
    arena.map_anonymous(range(CODE, 0x2_0000), all).expect("room");
    arena.map_anonymous(range(TEB, 0x4000), Access::READ | Access::WRITE).expect("room");
    arena.map_anonymous(range(STACK_TOP - 0x1_0000, 0x1_0000), Access::READ | Access::WRITE).expect("room");
    gate::install(&RECORDER);
    let sum = 21 * 2 + (7 + 3 + 1) + 5;

    let log64 = run(None, &code64());
    assert_eq!(log64.len(), 4, "{log64:?}");
    assert_eq!(&log64[..2], ["call 0 (21)", "call 1 (1)"]);
    assert!(log64[2].starts_with("fault 14 at 0x10 rip 0x1000"), "{log64:?}");
    assert_eq!(log64[3], format!("call 2 ({sum})"));

    let trampoline: &'static Trampoline = Box::leak(Box::new(Trampoline::new(TRAMPOLINE as u32)));
    memory::write(TRAMPOLINE, &trampoline.code()).expect("mapped writable");
    let log32 = run(Some(trampoline), &code32(trampoline));
    assert_eq!(log32[..2], ["call 0 (21)", "call 1 (1)"]);
    assert!(log32[2].starts_with("fault 14 at 0x10 rip 0x1000"), "{log32:?}");
    assert_eq!(log32[3], format!("call 2 ({sum})"));

    // The stack's base and limit, where the machines' TEBs have them.
    memory::write(TEB + 4, &[STACK_TOP as u32, STACK_TOP as u32 - 0x1_0000].map(u32::to_le_bytes).concat())
        .expect("mapped writable");
    assert_eq!(run(Some(trampoline), &loop_of_faults(Some(trampoline))), ["call 2 (9)"]);
    memory::write(TEB + 8, &[STACK_TOP, STACK_TOP - 0x1_0000].map(u64::to_le_bytes).concat())
        .expect("mapped writable");
    assert_eq!(run(None, &loop_of_faults(None)), ["call 2 (9)"]);

    Thread::enter(TEB, None, |_| {
        copies_are_exact();
        faults_of_copies_tell_the_first_byte();
        copies_that_overlap();
    })
    .expect("a TEB")
    .expect("not left");

    let bad =
        Thread::enter(TEB, None, |_| (memory::read_u32(0x5000_0000), memory::write(u64::MAX - 2, &[0; 8])));
    let (read, write) = bad.expect("a TEB").expect("not left");
    assert_eq!(read, Err(MemoryFault { address: 0x5000_0000, write: false }));
    assert_eq!(write, Err(MemoryFault { address: u64::MAX - 2, write: true }));
}
