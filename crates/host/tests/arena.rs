//! Ranges that are released and used again: what was there is gone, and nothing of it can be reached meanwhile.

use plat_host::arena::Arena;
use plat_host::{maps, memory};
use plat_regions::{Access, Address, AddressRange};

const BASE: u64 = 0x5000_0000;
const SIZE: u64 = 0x1_0000;

fn range(start: u64, size: u64) -> AddressRange {
    AddressRange::sized(Address::new(start), size).expect("in bounds")
}

/// Returns the kernel's word about every page of the window, a letter each: `.` for reservation, `w` for read and write,
/// `r` for read.
fn picture(window: AddressRange) -> String {
    let mappings = maps::read_own().expect("/proc is there");
    let page = |index: u64| {
        let at = Address::new(window.start.get() + index * 0x1000);
        let mapping = mappings.iter().find(|mapping| mapping.range.contains(at)).expect("reserved at least");
        match mapping.access {
            access if access.is_empty() => '.',
            Access::READ => 'r',
            access if access == Access::READ | Access::WRITE => 'w',
            _ => '?',
        }
    };
    (0..window.size() / 0x1000).map(page).collect()
}

#[test]
fn what_is_released_is_reservation_and_comes_back_as_zeros() {
    let window = range(BASE, 3 * SIZE);
    let arena = Arena::reserve(&[range(BASE, 0x100_0000)]).expect("nothing lies there");
    let data = Access::READ | Access::WRITE;
    let blocks: Vec<AddressRange> = (0..3).map(|index| range(BASE + index * SIZE, SIZE)).collect();
    // The first release gives each block its own mapping; from the second on that mapping is kept.
    for turn in 0..4 {
        for block in &blocks {
            arena.map_anonymous(*block, data).expect("room");
            let mut found = [1; 8];
            for at in [0, 0x7000, SIZE - 8] {
                memory::read(block.start.get() + at, &mut found).expect("readable");
                assert_eq!(found, [0; 8], "turn {turn}: fresh pages are zeros");
                memory::write(block.start.get() + at, &[0xaa; 8]).expect("writable");
            }
        }
        assert_eq!(picture(window), "w".repeat(48), "turn {turn}");
        // The one in the middle first: its neighbours keep what they have.
        arena.release_data(blocks[1]).expect("released");
        assert_eq!(picture(window), ["w".repeat(16), ".".repeat(16), "w".repeat(16)].concat(), "turn {turn}");
        for block in [blocks[0], blocks[2]] {
            let mut found = [0; 8];
            memory::read(block.start.get(), &mut found).expect("readable");
            assert_eq!(found, [0xaa; 8], "turn {turn}");
            arena.release_data(block).expect("released");
        }
        assert_eq!(picture(window), ".".repeat(48), "turn {turn}");
        let is_apart = |block: &&AddressRange| {
            maps::read_own().expect("/proc is there").iter().any(|mapping| mapping.range == **block)
        };
        assert_eq!(
            blocks.iter().filter(is_apart).count(),
            3,
            "turn {turn}: blocks side by side are not joined"
        );
    }
    other_uses_of_kept_ranges(&arena, window, &blocks);
}

fn other_uses_of_kept_ranges(arena: &Arena, window: AddressRange, blocks: &[AddressRange]) {
    let data = Access::READ | Access::WRITE;
    // A part of one, and a range over the border of two.
    arena.map_anonymous(range(BASE, 0x4000), data).expect("room");
    memory::write(BASE, &[7]).expect("writable");
    arena.map_anonymous(range(BASE + 0xe000, 0x8000), data).expect("room");
    let parts =
        |text: &[(&str, usize)]| text.iter().map(|(letter, count)| letter.repeat(*count)).collect::<String>();
    assert_eq!(picture(window), parts(&[("w", 4), (".", 10), ("w", 8), (".", 26)]));
    arena.release_data(range(BASE, 0x4000)).expect("released");
    arena.release_data(range(BASE + 0xe000, 0x8000)).expect("released");
    assert_eq!(picture(window), ".".repeat(48));
    // One whose rights change while it is in use.
    arena.map_anonymous(blocks[2], data).expect("room");
    arena.protect(range(blocks[2].start.get() + 0x1000, 0x2000), Access::READ).expect("protected");
    memory::write(blocks[2].start.get(), &[9; 4]).expect("writable");
    assert_eq!(picture(window), parts(&[(".", 32), ("w", 1), ("r", 2), ("w", 13)]));
    arena.release(blocks[2]).expect("released");
    arena.map_anonymous(blocks[2], data).expect("room");
    let mut found = [1; 4];
    memory::read(blocks[2].start.get(), &mut found).expect("readable");
    assert_eq!(found, [0; 4]);
}
