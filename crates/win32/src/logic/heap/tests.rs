//! The heap against a model: a sorted map of blocks.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Gives out address ranges and checks that each comes back exactly once.
#[derive(Debug)]
struct TestPages {
    next: u64,
    limit: u64,
    live: BTreeMap<u64, u64>,
    /// Whether there are marks, and those that do not say free.
    has_marks: bool,
    marks: BTreeMap<u64, u8>,
    announced: BTreeMap<u64, u8>,
}

impl TestPages {
    fn new(limit: u64) -> Self {
        // Begins just below a 4 GiB line, so that slabs lie on both sides of it.
        let (live, marks, announced) = Default::default();
        Self { next: 0xffe0_0000, limit, live, has_marks: false, marks, announced }
    }

    fn with_marks(self) -> Self {
        Self { has_marks: true, ..self }
    }
}

impl PageSource for TestPages {
    fn allocate(&mut self, size: u64) -> Option<u64> {
        if !size.is_multiple_of(4096) || self.live.values().sum::<u64>() + size > self.limit {
            return None;
        }
        let base = self.next;
        self.next += size.next_multiple_of(CHUNK_SIZE);
        self.live.insert(base, size);
        Some(base)
    }

    fn free(&mut self, base: u64, size: u64) {
        assert_eq!(self.live.remove(&base), Some(size), "freed {base:#x} wrongly");
        self.marks = std::mem::take(&mut self.marks)
            .into_iter()
            .filter(|(at, _)| !(base..base + size).contains(at))
            .collect();
    }

    fn mark(&self, address: u64) -> u8 {
        self.marks.get(&address).copied().unwrap_or(FREE_MARK)
    }

    fn set_mark(&mut self, address: u64, mark: u8) {
        self.marks.insert(address, mark);
    }

    fn announce(&mut self, base: u64, class: Option<u8>) {
        match class {
            Some(class) => assert_eq!(self.announced.insert(base, class), None),
            None => assert!(self.announced.remove(&base).is_some()),
        }
    }

    fn can_mark(&self, _base: u64) -> bool {
        self.has_marks
    }
}

fn heap() -> Heap<TestPages> {
    Heap::new(TestPages::new(1 << 30), Granularity::Sixteen)
}

#[derive(Clone, Debug)]
enum Step {
    Allocate(u64),
    Free(usize),
    Resize(usize, u64),
    /// Take blocks of a class for a cache.
    Cache(usize),
    /// Take a block out of the cache as guest code would, and use it.
    Use(u64),
    /// Give a block out of the cache back.
    Return(usize),
}

fn size() -> impl Strategy<Value = u64> {
    prop_oneof![6 => 0..300u64, 3 => 300..40_000u64, 1 => 40_000..400_000u64]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => size().prop_map(Step::Allocate),
        3 => any::<usize>().prop_map(Step::Free),
        2 => (any::<usize>(), size()).prop_map(|(at, size)| Step::Resize(at, size)),
        1 => any::<usize>().prop_map(Step::Cache),
        2 => (1..=MARKED_SIZE_MAX).prop_map(Step::Use),
        1 => any::<usize>().prop_map(Step::Return),
    ]
}

fn check_new_block(model: &BTreeMap<u64, u64>, address: u64, size: u64, granularity: u64) {
    assert_eq!(address % granularity, 0);
    if let Some((&before, &length)) = model.range(..=address).next_back() {
        assert!(before + length.max(1) <= address, "{address:#x} lies in the block at {before:#x}");
    }
    if let Some((&after, _)) = model.range(address..).next() {
        assert!(address + size.max(1) <= after, "{address:#x} runs into {after:#x}");
    }
}

/// A cache: blocks with the class they are of.
type Cache = BTreeMap<u64, MarkedClass>;

/// Does with the cache what a thread does.
fn step_cache(heap: &mut Heap<TestPages>, cache: &mut Cache, model: &mut BTreeMap<u64, u64>, step: &Step) {
    let classes = heap.marked_classes();
    match *step {
        Step::Cache(at) => {
            let class = classes[at % classes.len()];
            let mut blocks = [0; 3];
            let taken = heap.take_for_cache(class, &mut blocks);
            for address in blocks[..taken].iter().copied() {
                check_new_block(model, address, class.size, 8);
                assert_eq!(cache.insert(address, class), None);
                assert_eq!(heap.free(address), Err(HeapError::AlreadyFree { address }));
            }
        }
        Step::Use(size) => {
            let fits = |class: &MarkedClass| (class.above + 1..=class.size).contains(&size);
            let Some((&address, &class)) = cache.iter().find(|(_, class)| fits(class)) else { return };
            cache.remove(&address);
            let mark = heap.mark_of(address);
            heap.pages.set_mark(mark, (class.size - size + 1) as u8);
            model.insert(address, size);
        }
        Step::Return(at) if !cache.is_empty() => {
            let (&address, _) = cache.iter().nth(at % cache.len()).unwrap();
            cache.remove(&address);
            assert!(heap.return_from_cache(address));
            assert!(!heap.return_from_cache(address));
        }
        _ => {}
    }
}

fn run(steps: Vec<Step>, granularity: Granularity, alignment: u64, has_marks: bool) {
    let pages = TestPages::new(1 << 30);
    let mut heap = Heap::new(if has_marks { pages.with_marks() } else { pages }, granularity);
    let mut model = BTreeMap::new();
    let mut cache = Cache::new();
    let pick = |model: &BTreeMap<u64, u64>, at: usize| {
        if model.is_empty() { None } else { model.keys().nth(at % model.len()).copied() }
    };
    for step in steps {
        match step {
            Step::Allocate(size) => {
                let address = heap.allocate(size).unwrap();
                check_new_block(&model, address, size, alignment);
                model.insert(address, size);
            }
            Step::Free(at) => {
                let Some(address) = pick(&model, at) else { continue };
                heap.free(address).unwrap();
                model.remove(&address);
                assert!(heap.free(address).is_err());
            }
            Step::Resize(at, size) => {
                let Some(address) = pick(&model, at) else { continue };
                let old = model[&address];
                let moved = heap
                    .reallocate(address, size, false, |from, to, bytes| {
                        assert_eq!((from, bytes), (address, old.min(size)));
                        assert_ne!(from, to);
                    })
                    .unwrap();
                model.remove(&address);
                check_new_block(&model, moved, size, alignment);
                model.insert(moved, size);
            }
            step => step_cache(&mut heap, &mut cache, &mut model, &step),
        }
        assert!(cache.keys().all(|block| !model.contains_key(block)));
    }
    assert_eq!(walked(&heap), model);
    assert_eq!(heap.statistics().blocks, (model.len() + cache.len()) as u64);
    assert!(model.keys().all(|&block| !heap.return_from_cache(block)));
    for (&address, &size) in &model {
        assert_eq!(heap.size(address), Ok(size));
        assert_eq!(heap.size(address + 1), Err(HeapError::InvalidPointer { address: address + 1 }));
    }
    assert_eq!(heap.statistics().reserved, heap.pages.live.values().sum::<u64>());
    assert!(heap.destroy().live.is_empty());
}

/// Walks over a heap; returns its blocks in use. What is in use, free and beyond fills each region to its end.
fn walked(heap: &Heap<impl PageSource>) -> BTreeMap<u64, u64> {
    let (mut blocks, mut place, mut end) = (BTreeMap::new(), 0, 0);
    let mut next = heap.walk(None).unwrap();
    while let Some(entry) = next {
        match entry.kind {
            WalkKind::Region { first, end: region_end } => {
                assert_eq!(place, end);
                (place, end) = (first, region_end);
            }
            kind => {
                assert_eq!(entry.address, place);
                place += entry.size + entry.overhead;
                if kind == WalkKind::Busy {
                    blocks.insert(entry.address, entry.size);
                }
            }
        }
        assert!(place <= end);
        next = heap.walk(Some((entry.address, matches!(entry.kind, WalkKind::Region { .. })))).unwrap();
    }
    assert_eq!(place, end);
    blocks
}

proptest! {
    #[test]
    fn any_history_agrees_with_the_model(
        steps in prop::collection::vec(step(), 1..300),
        wide in any::<bool>(),
        has_marks in any::<bool>(),
    ) {
        let (granularity, alignment) =
            if wide { (Granularity::Sixteen, 16) } else { (Granularity::Eight, 8) };
        run(steps, granularity, alignment, has_marks);
    }
}

#[test]
fn bad_pointers_and_double_frees_are_told_apart() {
    let mut heap = heap();
    let a = heap.allocate(24).unwrap();
    let large = heap.allocate(1 << 20).unwrap();
    assert_eq!(heap.free(a + 8), Err(HeapError::InvalidPointer { address: a + 8 }));
    assert_eq!(heap.free(a + 32), Err(HeapError::InvalidPointer { address: a + 32 }));
    assert_eq!(heap.free(large + 16), Err(HeapError::InvalidPointer { address: large + 16 }));
    assert_eq!(heap.free(0), Err(HeapError::InvalidPointer { address: 0 }));
    assert_eq!(heap.free(u64::MAX), Err(HeapError::InvalidPointer { address: u64::MAX }));
    heap.free(a).unwrap();
    assert_eq!(heap.free(a), Err(HeapError::AlreadyFree { address: a }));
    heap.free(large).unwrap();
    assert_eq!(heap.free(large), Err(HeapError::InvalidPointer { address: large }));
}

#[test]
fn freed_blocks_are_reused_and_pages_go_back() {
    let mut heap = heap();
    let blocks: Vec<u64> = (0..20_000).map(|_| heap.allocate(100).unwrap()).collect();
    let peak = heap.statistics().reserved;
    assert!(peak < 20_000 * 112 * 11 / 10, "{peak} bytes for 20000 × 100");
    heap.free(blocks[77]).unwrap();
    assert_eq!(heap.allocate(97), Ok(blocks[77]));
    for &block in &blocks {
        heap.free(block).unwrap();
    }
    assert_eq!(heap.statistics(), HeapStatistics { reserved: CHUNK_SIZE, blocks: 0 });
    assert_eq!(heap.destroy().live.len(), 0);
}

#[test]
fn exhausted_source_leaves_the_heap_intact() {
    let mut heap = Heap::new(TestPages::new(128 * 1024), Granularity::Eight);
    let a = heap.allocate(10).unwrap();
    assert_eq!(heap.allocate(1 << 20), Err(HeapError::OutOfMemory { size: 1 << 20 }));
    assert_eq!(heap.allocate(u64::MAX), Err(HeapError::OutOfMemory { size: u64::MAX }));
    let moved = heap.reallocate(a, 1 << 20, false, |_, _, _| panic!("nothing to copy"));
    assert_eq!(moved, Err(HeapError::OutOfMemory { size: 1 << 20 }));
    assert_eq!(heap.size(a), Ok(10));
    assert_eq!(heap.reallocate(a, 12, true, |_, _, _| ()), Ok(a));
    assert_eq!(heap.reallocate(a, 400, true, |_, _, _| ()), Err(HeapError::OutOfMemory { size: 400 }));
}

#[test]
fn a_block_shrunk_in_place_keeps_its_size_where_a_mark_cannot_tell_it() {
    let mut heap = Heap::new(TestPages::new(1 << 30).with_marks(), Granularity::Sixteen);
    let block = heap.allocate(1000).unwrap();
    assert_eq!(heap.pages.mark(heap.mark_of(block)), 25);
    for size in [1024, 770, 769, 5, 0, 1024] {
        assert_eq!(heap.reallocate(block, size, true, |_, _, _| ()), Ok(block));
        assert_eq!(heap.size(block), Ok(size), "{size}");
    }
}

#[test]
fn without_a_place_for_marks_nothing_is_cached() {
    let mut heap = heap();
    let class = heap.marked_classes()[3];
    assert_eq!(class, MarkedClass { size: 64, above: 48 });
    assert_eq!(heap.take_for_cache(class, &mut [0; 4]), 0);
    assert_eq!(heap.statistics().blocks, 0);
    let block = heap.allocate(64).unwrap();
    assert!(!heap.return_from_cache(block));
    assert_eq!(heap.free(block), Ok(()));
}

#[test]
fn the_bytes_before_a_large_block_are_the_heaps_unless_they_cost_a_chunk() {
    let mut heap = heap();
    let start = |address: u64| address % CHUNK_SIZE;
    let (odd, whole) = (heap.allocate((1 << 20) + 8).unwrap(), heap.allocate(1 << 20).unwrap());
    assert_eq!((start(odd), start(whole)), (64, 0));
    assert_eq!(heap.size(odd), Ok((1 << 20) + 8));
    // What is there already holds a little more, and moves for no less.
    let reserved = heap.statistics().reserved;
    assert_eq!(heap.resize_in_place(odd, (1 << 20) + 0x1000 - 64), Ok(true));
    assert_eq!(heap.statistics().reserved, reserved);
    heap.free(odd).unwrap();
    heap.free(whole).unwrap();
    assert_eq!(heap.statistics().reserved, 0);
}
