//! Critical sections and slim locks under contention: 64-bit guest code runs the leaves, and their slow ways enter the
//! host, on four threads at once.

use plat_abi::Machine;
use plat_host::gate::{self, Thread};
use plat_host::memory;
use plat_regions::{Access, Address, AddressRange, Layout};
use plat_win32::entries::first_index;
use plat_win32::export::{Body, Code};
use plat_win32::nt::critical_section::CriticalSection;
use plat_win32::nt::memory::AddressSpace;
use plat_win32::process::{Process, Start};

const CODE: u64 = 0x10_0000;
const DATA: u64 = 0x20_0000;
const SECTION: u64 = DATA + 0x100;
const SLIM_LOCK: u64 = DATA + 0x200;
const COUNTER: u64 = DATA;
const THREADS: u64 = 4;
const ROUNDS: u32 = 20_000;

fn range(start: u64, size: u64) -> AddressRange {
    AddressRange::sized(Address::new(start), size).expect("in range")
}

/// Returns ntdll's leaf of this name with its thunk behind it, as the loader lays it out.
fn leaf(name: &str) -> Vec<u8> {
    let dll = plat_win32::builtin("ntdll.dll").expect("there is one");
    let (place, export) =
        dll.exports().enumerate().find(|(_, export)| export.name == name).expect("it is exported");
    let Body::Code(Code { amd64, slow, .. }) = export.body else { panic!("{name} is guest code") };
    assert!(slow.is_some());
    let mut bytes = amd64.to_vec();
    bytes.push(0xb8); // mov eax, index
    bytes.extend((first_index("ntdll.dll") + place as u32).to_le_bytes());
    bytes.extend([0x49, 0xbb]); // mov r11, address
    bytes.extend(gate::enter64_address().to_le_bytes());
    bytes.extend([0x41, 0xff, 0xe3]); // jmp r11
    bytes
}

/// `for _ in 0..ROUNDS { enter(lock); counter += 1; leave(lock); }`, the addition in two steps.
fn body(lock: u64, enter: u64, leave: u64) -> Vec<u8> {
    let mut code = vec![0x53, 0x56, 0x48, 0x83, 0xec, 0x28]; // push rbx; push rsi; sub rsp, 0x28
    code.push(0xbb); // mov ebx, ROUNDS
    code.extend(ROUNDS.to_le_bytes());
    let top = code.len();
    let call = |code: &mut Vec<u8>, target: u64| {
        code.push(0xb9); // mov ecx, lock
        code.extend((lock as u32).to_le_bytes());
        code.push(0xb8); // mov eax, target
        code.extend((target as u32).to_le_bytes());
        code.extend([0xff, 0xd0]); // call rax
    };
    call(&mut code, enter);
    code.extend([0x8b, 0x34, 0x25]); // mov esi, [COUNTER]
    code.extend((COUNTER as u32).to_le_bytes());
    code.extend([0xff, 0xc6, 0xf3, 0x90]); // inc esi; pause
    code.extend([0x89, 0x34, 0x25]); // mov [COUNTER], esi
    code.extend((COUNTER as u32).to_le_bytes());
    call(&mut code, leave);
    code.extend([0xff, 0xcb, 0x75]); // dec ebx; jnz top
    code.push((top as i32 - (code.len() as i32 + 1)) as i8 as u8);
    code.extend([0x48, 0x83, 0xc4, 0x28, 0x5e, 0x5b, 0xc3]); // add rsp, 0x28; pop rsi; pop rbx; ret
    code
}

fn run(lock: u64, enter: &str, leave: &str) -> u32 {
    let (enter_at, leave_at) = (CODE + 0x400, CODE + 0x800);
    memory::write(enter_at, &leaf(enter)).expect("mapped");
    memory::write(leave_at, &leaf(leave)).expect("mapped");
    memory::write(CODE, &body(lock, enter_at, leave_at)).expect("mapped");
    memory::write_u32(COUNTER, 0).expect("mapped");
    std::thread::scope(|scope| {
        for index in 0..THREADS {
            scope.spawn(move || {
                let teb = DATA + 0x1_0000 + index * 0x2_0000;
                // The thread's identifier, as the leaves read it.
                memory::write_u64(teb + 0x48, 0x100 + index * 4).expect("mapped");
                let result = Thread::enter(teb, None, |thread| thread.call_at(CODE, &[], teb + 0x1_8000));
                result.expect("a TEB").expect("nobody leaves").expect("a stack");
            });
        }
    });
    memory::read_u32(COUNTER).expect("mapped")
}

#[test]
fn guest_threads_never_meet_inside_a_lock() {
    gate::probe().expect("this machine runs plat");
    let layout = Layout::builtin("win32-4gb").expect("it is built in");
    let space = AddressSpace::new(&layout, false).expect("the low 4 GiB are free");
    let process = Process::install(Machine::Amd64, Start::default(), space);
    let arena = process.memory.arena();
    let all = Access::READ | Access::WRITE | Access::EXECUTE;
    arena.map_anonymous(range(CODE, 0x1_0000), all).expect("room");
    arena.map_anonymous(range(DATA, 0x10_0000), Access::READ | Access::WRITE).expect("room");

    let section = CriticalSection::at(Machine::Amd64, SECTION);
    section.initialize(0).expect("mapped");
    let expected = THREADS as u32 * ROUNDS;
    assert_eq!(run(SECTION, "RtlEnterCriticalSection", "RtlLeaveCriticalSection"), expected);
    assert_eq!(section.owner(), Ok(0));
    assert_eq!(memory::read_u32(SECTION + 8), Ok(u32::MAX), "free, nobody waits");
    assert_eq!(run(SLIM_LOCK, "RtlAcquireSRWLockExclusive", "RtlReleaseSRWLockExclusive"), expected);
    assert_eq!(memory::read_u32(SLIM_LOCK), Ok(0));
}
