//! Tests of the unwinder on unwind information and code made by hand.

use std::cell::RefCell;

use plat_abi::{Fault, Machine, Memory};

use super::unwind::{EHANDLER, Frame, RuntimeFunction};

const BASE: u64 = 0x1_0000;
const CODE: u32 = 0x1000;
const INFO: u32 = 0x2000;
const STACK: u64 = BASE + 0x3000;

/// 16 KiB of memory from `BASE` on.
struct Image(RefCell<Vec<u8>>);

impl Memory for Image {
    fn machine(&self) -> Machine {
        Machine::Amd64
    }

    fn read_bytes(&self, address: u64, into: &mut [u8]) -> Result<(), Fault> {
        let at = (address - BASE) as usize;
        into.copy_from_slice(&self.0.borrow()[at..at + into.len()]);
        Ok(())
    }

    fn write_bytes(&self, address: u64, from: &[u8]) -> Result<(), Fault> {
        let at = (address - BASE) as usize;
        self.0.borrow_mut()[at..at + from.len()].copy_from_slice(from);
        Ok(())
    }
}

impl Image {
    /// Makes an image with code, unwind information, and a stack whose words are 0x100, 0x101, ...
    fn new(code: &[u8], info: &[u8]) -> Self {
        let image = Self(RefCell::new(vec![0x90; 0x4000]));
        image.write_bytes(BASE + u64::from(CODE), code).expect("inside");
        image.write_bytes(BASE + u64::from(INFO), info).expect("inside");
        for index in 0..0x100 {
            image.write_bytes(STACK + index * 8, &(0x100 + index).to_le_bytes()).expect("inside");
        }
        image
    }

    /// Leaves the function from `offset` with RSP at the stack's start and RBP 0x40 above it.
    fn leave(&self, offset: u64) -> (Frame, super::unwind::Unwound) {
        let mut frame = Frame { rip: BASE + u64::from(CODE) + offset, ..Frame::default() };
        frame.general[4] = STACK;
        frame.general[5] = STACK + 0x40;
        let entry = RuntimeFunction { begin: CODE, end: CODE + 0x100, unwind_info: INFO };
        let unwound = frame.leave(self, BASE, &entry).expect("all inside the image");
        (frame, unwound)
    }
}

/// push rbp; push rbx; sub rsp, 0x28 — with a handler at 0x1234.
const PLAIN: [u8; 16] = [0x09, 6, 3, 0, 6, 0x42, 2, 0x30, 1, 0x50, 0, 0, 0x34, 0x12, 0, 0];

#[test]
fn a_body_is_undone_whole_and_a_prologue_as_far_as_it_came() {
    let image = Image::new(&[0x55, 0x53, 0x48, 0x83, 0xec, 0x28], &PLAIN);
    let (frame, unwound) = image.leave(0x20);
    assert_eq!((frame.general[3], frame.general[5], frame.rip), (0x105, 0x106, 0x107));
    assert_eq!(frame.general[4], STACK + 0x40);
    assert_eq!((unwound.establisher, unwound.flags), (STACK, EHANDLER));
    assert_eq!(unwound.handler, BASE + 0x1234);
    assert_eq!(unwound.handler_data, BASE + u64::from(INFO) + 16);
    let cases = [(0, 0x100), (1, 0x101), (2, 0x102), (6, 0x107)];
    for (offset, rip) in cases {
        let (frame, unwound) = image.leave(offset);
        assert_eq!(frame.rip, rip, "at {offset}");
        assert_eq!(unwound.handler != 0, offset == 6, "at {offset}");
    }
}

#[test]
fn an_epilogue_is_carried_out_from_where_it_stopped() {
    // At 0x10: add rsp, 0x28; pop rbx; pop rbp; ret. Nobody is asked there.
    let mut code = [0x90; 0x40];
    code[0x10..0x17].copy_from_slice(&[0x48, 0x83, 0xc4, 0x28, 0x5b, 0x5d, 0xc3]);
    // At 0x20: pop r12; jmp far away. At 0x30: pop rbx; jmp inside the function, which is no epilogue.
    code[0x20..0x27].copy_from_slice(&[0x41, 0x5c, 0xe9, 0, 0x10, 0, 0]);
    code[0x30..0x33].copy_from_slice(&[0x5b, 0xeb, 2]);
    let image = Image::new(&code, &PLAIN);
    for (offset, rip, has_handler) in [
        (0x10, 0x107, false),
        (0x14, 0x102, false),
        (0x15, 0x101, false),
        (0x16, 0x100, false),
        (0x20, 0x101, false),
        (0x30, 0x107, true),
    ] {
        let (frame, unwound) = image.leave(offset);
        assert_eq!((frame.rip, unwound.handler != 0), (rip, has_handler), "at {offset:#x}");
    }
    assert_eq!(image.leave(0x20).0.general[12], 0x100);
}

#[test]
fn a_frame_register_says_where_the_frame_is() {
    // push rbp; sub rsp, 0x200; lea rbp, [rsp + 0x20]; rsi saved at 0x10, xmm6 at 0x20 of the frame.
    let info = [1, 20, 8, 0x25, 20, 0x68, 2, 0, 16, 0x64, 2, 0, 12, 0x03, 8, 0x01, 0x06, 0, 1, 0x50];
    let image = Image::new(&[], &info);
    let (frame, unwound) = image.leave(0x40);
    assert_eq!(unwound.establisher, STACK + 0x20);
    // The frame begins at word 4: rsi is word 6, xmm6 words 8 and 9, rbp behind 6 words.
    assert_eq!(frame.general[6], 0x106);
    assert_eq!(frame.xmm[6], 0x109 << 64 | 0x108);
    assert_eq!((frame.general[5], frame.rip), (0x10a, 0x10b));
}

#[test]
fn a_part_of_a_function_goes_on_in_the_first_part() {
    // The part saves rdi at 8 × 3; the first part is the plain function at another place.
    let mut info = vec![0x21, 4, 2, 0, 4, 0x74, 3, 0];
    for word in [0x1000_u32, 0x1100, INFO + 0x40] {
        info.extend(word.to_le_bytes());
    }
    info.resize(0x40, 0);
    info.extend(PLAIN);
    let image = Image::new(&[], &info);
    let (frame, unwound) = image.leave(0x40);
    assert_eq!((frame.general[7], frame.general[3], frame.rip), (0x103, 0x105, 0x107));
    assert_eq!(unwound.handler, BASE + 0x1234);
}

#[test]
fn an_interrupt_frame_tells_both_pointers() {
    // push_machframe with an error code.
    let image = Image::new(&[], &[1, 0, 1, 0, 0, 0x1a, 0, 0]);
    let (frame, _) = image.leave(0x40);
    assert_eq!((frame.rip, frame.general[4]), (0x101, 0x104));
}

#[test]
fn functions_are_found_by_halves() {
    let image = Image::new(&[], &[]);
    let table = BASE + 0x100;
    for index in 0..5_u32 {
        let begin = 0x1000 + index * 0x20;
        let words = [begin, begin + 0x10, INFO];
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        image.write_bytes(table + u64::from(index) * 12, &bytes).expect("inside");
    }
    let indirect = [0x2000, 0x2010, (table - BASE) as u32 + 24 + 1];
    let bytes: Vec<u8> = indirect.iter().flat_map(|word: &u32| word.to_le_bytes()).collect();
    image.write_bytes(table + 60, &bytes).expect("inside");
    let find = |offset| RuntimeFunction::find(&image, BASE, table, 6, offset).expect("inside");
    assert_eq!(find(0x1000).map(|found| found.0), Some(table));
    assert_eq!(find(0x108f).map(|found| found.0), Some(table + 48));
    assert_eq!(find(0x1010), None);
    assert_eq!(find(0xfff), None);
    assert_eq!(find(0x2000), find(0x1040));
    assert_eq!(find(0x2010), None);
}
