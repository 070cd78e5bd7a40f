//! The code of the lab's process: a loop of some hundred bytes that needs no stack, no libc and no memory but its own.
//!
//! It executes the calls of a slot, notes what each returned, and then asks the kernel for its own map.

use std::arch::global_asm;

/// Where the shared memory with the slots lies in the lab.
pub(super) const RING_START: u64 = 0x1000_0000;
/// Where the code lies in the lab; the heap starts a page above.
pub(super) const CODE_START: u64 = 0x2000_0000;
/// Size of the code with its ELF header in bytes.
pub(super) const CODE_SIZE: u64 = 0x1000;
/// First address that no program may use.
pub(super) const TASK_END: u64 = 0x7fff_ffff_f000;
/// Bytes before the first slot: the query of the map, the fault's record, and the stack for signals.
pub(super) const HEADER_SIZE: u64 = 0x2_0000;
/// Bytes of a slot.
pub(super) const SLOT_SIZE: u64 = 0x60_0000;
/// Number of slots: one is filled while the lab works on the other.
pub(super) const SLOTS: u64 = 2;
/// Offset of the calls in a slot.
pub(super) const CALLS: u64 = 64;
/// Most calls in a slot.
pub(super) const CALLS_MAX: u64 = 1024;
/// Size of a call in bytes.
pub(super) const CALL_SIZE: u64 = 96;
/// Offset of the answers in a slot.
pub(super) const ANSWERS: u64 = CALLS + CALLS_MAX * CALL_SIZE;
/// Descriptor of the lab's own map.
pub(super) const MAPS_FD: u64 = 100;
/// Descriptor of the lab's own page map.
pub(super) const PAGEMAP_FD: u64 = 101;
/// Offset in the header of the path of the map.
pub(super) const PATH: u64 = 0x200;
/// Offset in the header of the path of the page map.
pub(super) const PAGEMAP_PATH: u64 = 0x240;
/// Offset in the header of the argument of a scan of the page map.
pub(super) const SCAN: u64 = 0x500;
/// Most runs of pages of a scan.
pub(super) const RUNS_MAX: u64 = 2048;
/// Size of the ring in bytes.
pub(super) const RING_SIZE: u64 = HEADER_SIZE + SLOTS * SLOT_SIZE;

// Header, from RING_START: 0x000 the query of the map; 0x100 signal and code of the last fault; 0x200 paths; 0x400
// sigaction; 0x500 the scan of the page map; stack from 0x1_0000 down. A slot: state u32 (1 is to do, 2 is done), number of calls u32, end of answers.
// A call: kind u32 (0 system call, 1 load, 2 store, 3 fork or vfork by number, 4 end), most runs of pages to note u32, number, six arguments,
// two windows of the map to note.
// An answer: value, number of regions, then start, end, flags and offset of each; number of runs of pages, then start,
// end and categories of each.
global_asm!(
    ".pushsection .text.plat_lab, \"ax\", @progbits",
    ".balign 16",
    ".global plat_lab_start",
    "plat_lab_start:",
    "  mov ebx, {ring}",
    "  mov eax, 9", // mmap of the ring
    "  mov edi, ebx",
    "  mov esi, {ring_size}",
    "  mov edx, 3",
    "  mov r10d, 0x11",
    "  xor r8d, r8d",
    "  xor r9d, r9d",
    "  syscall",
    "  cmp rax, rbx",
    "  jne 90f",
    "  lea rsp, [rbx + 0x10000]",
    // Everything else goes: stack, vdso.
    "  mov eax, 11",
    "  xor edi, edi",
    "  mov esi, {ring}",
    "  syscall",
    "  mov eax, 11",
    "  mov edi, {ring} + {ring_size}",
    "  mov esi, {code} - {ring} - {ring_size}",
    "  syscall",
    "  mov eax, 11",
    "  mov edi, {code} + {code_size}",
    "  movabs rsi, {above}",
    "  syscall",
    // Faults are answers.
    "  lea rax, [rip + plat_lab_fault]",
    "  mov [rbx + 0x400], rax",
    "  mov qword ptr [rbx + 0x408], 0x44000004", // SA_SIGINFO | SA_RESTORER | SA_NODEFER
    "  lea rax, [rip + plat_lab_restore]",
    "  mov [rbx + 0x410], rax",
    "  mov qword ptr [rbx + 0x418], 0",
    "  mov eax, 13",
    "  mov edi, 11",
    "  lea rsi, [rbx + 0x400]",
    "  xor edx, edx",
    "  mov r10d, 8",
    "  syscall",
    "  mov eax, 13",
    "  mov edi, 7",
    "  lea rsi, [rbx + 0x400]",
    "  xor edx, edx",
    "  mov r10d, 8",
    "  syscall",
    "  lea r14, [rbx + {header}]",
    "  call 80f",
    // Waits for the slot at r14.
    "2:",
    "  mov ecx, 2000",
    "3:",
    "  mov eax, [r14]",
    "  cmp eax, 1",
    "  je 4f",
    "  pause",
    "  dec ecx",
    "  jnz 3b",
    "  mov edx, eax",
    "  mov eax, 202", // futex wait
    "  mov rdi, r14",
    "  xor esi, esi",
    "  xor r10d, r10d",
    "  syscall",
    "  jmp 2b",
    "4:",
    "  mov r12d, [r14 + 4]",
    "  lea r13, [r14 + {calls}]",
    "  lea rbp, [r14 + {answers}]",
    "5:",
    "  test r12d, r12d",
    "  jz 70f",
    "  mov eax, [r13]",
    "  cmp eax, 1",
    "  je 20f",
    "  cmp eax, 2",
    "  je 21f",
    "  cmp eax, 3",
    "  je 30f",
    "  cmp eax, 4",
    "  je 91f",
    "  mov rax, [r13 + 8]",
    "  mov rdi, [r13 + 16]",
    "  mov rsi, [r13 + 24]",
    "  mov rdx, [r13 + 32]",
    "  mov r10, [r13 + 40]",
    "  mov r8, [r13 + 48]",
    "  mov r9, [r13 + 56]",
    "  syscall",
    "6:",
    "  mov [rbp], rax",
    "  lea r15, [rbp + 16]",
    "  xor ecx, ecx",
    "  mov [rbp + 8], rcx",
    // Notes the map: the regions in the two windows.
    "  lea rdi, [r13 + 64]",
    "  mov [rbx + 0x120], rdi",
    "10:",
    "  mov rdi, [rbx + 0x120]",
    "  mov rcx, [rdi]",
    "  cmp rcx, [rdi + 8]",
    "  jae 8f",
    "  mov [rbx + 16], rcx",
    "7:",
    "  lea rax, [r14 + {slot_size} - 64]",
    "  cmp r15, rax",
    "  jae 9f",
    "  mov qword ptr [rbx], 104",
    "  mov qword ptr [rbx + 8], 0x10",
    "  mov eax, 16",
    "  mov edi, {maps_fd}",
    "  mov esi, 0xc0686611",
    "  mov rdx, rbx",
    "  syscall",
    "  test rax, rax",
    "  jnz 8f",
    "  mov rdi, [rbx + 0x120]",
    "  mov rax, [rbx + 24]",
    "  cmp rax, [rdi + 8]",
    "  jae 8f",
    "  mov [r15], rax",
    "  mov rax, [rbx + 32]",
    "  mov [r15 + 8], rax",
    "  mov [rbx + 16], rax",
    "  mov rax, [rbx + 40]",
    "  mov [r15 + 16], rax",
    "  mov rax, [rbx + 56]",
    "  mov [r15 + 24], rax",
    "  add r15, 32",
    "  inc qword ptr [rbp + 8]",
    // A region that reaches the window's end is the last.
    "  mov rdi, [rbx + 0x120]",
    "  mov rax, [rbx + 32]",
    "  cmp rax, [rdi + 8]",
    "  jb 7b",
    "8:",
    "  mov rdi, [rbx + 0x120]",
    "  add rdi, 16",
    "  mov [rbx + 0x120], rdi",
    "  lea rax, [r13 + {call_size}]",
    "  cmp rdi, rax",
    "  jb 10b",
    "9:",
    // Notes the private pages in memory in the two windows.
    "  mov [rbx + 0x128], r15",
    "  xor ecx, ecx",
    "  mov [r15], rcx",
    "  add r15, 8",
    "  mov eax, [r13 + 4]",
    "  test eax, eax",
    "  jz 13f",
    "  cmp [rbp + 8], rcx",
    "  je 13f", // no region, no page
    "  mov [rbx + {scan} + 48], rax",
    "  lea rdi, [r13 + 64]",
    "  mov [rbx + 0x120], rdi",
    "11:",
    "  mov rcx, [rdi]",
    "  mov rax, [rdi + 8]",
    "  cmp rcx, rax",
    "  jae 12f",
    "  mov [rbx + {scan} + 16], rcx",
    "  mov [rbx + {scan} + 24], rax",
    "  mov [rbx + {scan} + 40], r15",
    "  lea rax, [r14 + {slot_size} - 64 - 24 * {runs_max}]",
    "  cmp r15, rax",
    "  jae 13f",
    "  mov eax, 16",
    "  mov edi, {pagemap_fd}",
    "  mov esi, 0xc0606610",
    "  lea rdx, [rbx + {scan}]",
    "  syscall",
    "  test rax, rax",
    "  js 13f",
    "  mov rcx, [rbx + 0x128]",
    "  add [rcx], rax",
    "  lea rax, [rax + rax * 2]",
    "  lea r15, [r15 + rax * 8]",
    "12:",
    "  mov rdi, [rbx + 0x120]",
    "  add rdi, 16",
    "  mov [rbx + 0x120], rdi",
    "  lea rax, [r13 + {call_size}]",
    "  cmp rdi, rax",
    "  jb 11b",
    "13:",
    "  mov rbp, r15",
    "  add r13, {call_size}",
    "  dec r12d",
    "  jmp 5b",
    // A load and a store; a fault comes back to plat_lab_faulted.
    "20:",
    "  mov rdi, [r13 + 16]",
    "  mov al, [rdi]",
    "  xor eax, eax",
    "  jmp 6b",
    "21:",
    "  mov rdi, [r13 + 16]",
    "  mov byte ptr [rdi], 1",
    "  xor eax, eax",
    "  jmp 6b",
    "plat_lab_faulted:",
    "  mov rax, [rbx + 0x100]",
    "  jmp 6b",
    // A fork: the child goes on, the parent waits and ends.
    "30:",
    "  mov eax, [r13 + 8]", // fork or vfork
    "  syscall",
    "  test rax, rax",
    "  js 6b",
    "  jz 31f",
    "  mov eax, 61",
    "  mov edi, -1",
    "  xor esi, esi",
    "  xor edx, edx",
    "  xor r10d, r10d",
    "  syscall",
    "  jmp 91f",
    "31:",
    "  call 80f",
    "  xor eax, eax",
    "  jmp 6b",
    // The slot is done.
    "70:",
    "  mov [r14 + 8], rbp",
    "  mov dword ptr [r14], 2",
    "  mov eax, 202", // futex wake
    "  mov rdi, r14",
    "  mov esi, 1",
    "  mov edx, 1",
    "  syscall",
    "  lea rax, [rbx + {header}]",
    "  lea rcx, [rax + {slot_size}]",
    "  cmp r14, rax",
    "  cmove rax, rcx",
    "  mov r14, rax",
    "  jmp 2b",
    // Opens the map of this process, and dies with its parent.
    "80:",
    "  mov eax, 157",
    "  mov edi, 1",
    "  mov esi, 9",
    "  syscall",
    "  lea rdi, [rbx + {path}]",
    "  mov esi, {maps_fd}",
    "  call 81f",
    "  lea rdi, [rbx + {pagemap_path}]",
    "  mov esi, {pagemap_fd}",
    // Opens the path at rdi as descriptor esi.
    "81:",
    "  push rsi",
    "  mov eax, 2",
    "  xor esi, esi",
    "  syscall",
    "  pop rsi",
    "  push rax",
    "  mov edi, eax",
    "  mov eax, 33",
    "  syscall",
    "  pop rdi",
    "  mov eax, 3",
    "  syscall",
    "  ret",
    "90:",
    "  mov edi, 1",
    "  jmp 92f",
    "91:",
    "  xor edi, edi",
    "92:",
    "  mov eax, 231",
    "  syscall",
    "plat_lab_fault:",
    // rdi signal, rsi siginfo, rdx context: the next instruction is plat_lab_faulted.
    "  mov ecx, {ring}",
    "  mov eax, [rsi + 8]",
    "  shl rax, 32",
    "  mov edi, edi",
    "  or rax, rdi",
    "  mov [rcx + 0x100], rax",
    "  lea rax, [rip + plat_lab_faulted]",
    "  mov [rdx + 0xa8], rax",
    "  ret",
    "plat_lab_restore:",
    "  mov eax, 15",
    "  syscall",
    ".global plat_lab_end",
    "plat_lab_end:",
    ".popsection",
    ring = const RING_START,
    ring_size = const RING_SIZE,
    code = const CODE_START,
    code_size = const CODE_SIZE,
    above = const TASK_END - CODE_START - CODE_SIZE,
    header = const HEADER_SIZE,
    slot_size = const SLOT_SIZE,
    calls = const CALLS,
    call_size = const CALL_SIZE,
    answers = const ANSWERS,
    maps_fd = const MAPS_FD,
    path = const PATH,
    pagemap_path = const PAGEMAP_PATH,
    pagemap_fd = const PAGEMAP_FD,
    scan = const SCAN,
    runs_max = const RUNS_MAX,
);

unsafe extern "C" {
    static plat_lab_start: u8;
    static plat_lab_end: u8;
}

/// Returns the code, which runs wherever it is copied to.
fn code() -> &'static [u8] {
    let (start, end) = (&raw const plat_lab_start, &raw const plat_lab_end);
    // SAFETY: both are labels of the one block of code above, in this order, and code is never written.
    unsafe { std::slice::from_raw_parts(start, end as usize - start as usize) }
}

/// Returns an ELF program of one page, at `CODE_START`, that is the code.
///
/// Source: System V ABI, "Object Files".
pub(super) fn elf() -> Vec<u8> {
    let mut file = vec![0; CODE_SIZE as usize];
    file[..20].copy_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0");
    let mut put = |at: usize, value: u64, size: usize| {
        file[at..at + size].copy_from_slice(&value.to_le_bytes()[..size]);
    };
    put(20, 1, 4);
    put(24, CODE_START + 0x100, 8);
    put(32, 64, 8);
    put(52, 64, 2);
    put(54, 56, 2);
    put(56, 2, 2);
    // The segment: readable and executable, all of the file.
    put(64, 1, 4);
    put(68, 5, 4);
    put(80, CODE_START, 8);
    put(88, CODE_START, 8);
    put(96, CODE_SIZE, 8);
    put(104, CODE_SIZE, 8);
    put(112, 0x1000, 8);
    // PT_GNU_STACK without execution: otherwise everything readable would be executable.
    put(120, 0x6474_e551, 4);
    put(124, 6, 4);
    file[0x100..0x100 + code().len()].copy_from_slice(code());
    file
}
