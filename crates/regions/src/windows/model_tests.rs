//! The books against a plain array of pages: random operations must agree on every page and every status.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::windows::{AllocationType, FreeKind, PageProtection, Request, RuleError, State, WindowsSpace};
use crate::{Address, Layout, PAGE_SIZE};

const FIRST: u64 = 0x10;
const END: u64 = 0x70;
const TINY: &str = "name = 'tiny'\nbits = 32\nlowest = 0x10000\nhighest = 0x6ffff\narena = [{ start = 0x10000, end = 0x70000 }]\n";

/// A page: number of the first page of its allocation, and its protection when committed.
type Page = Option<(u64, Option<PageProtection>)>;

#[derive(Clone, Debug)]
enum Op {
    Reserve(u64, u64, bool),
    Commit(u64, u64, PageProtection),
    Decommit(u64, u64),
    Release(u64, u64),
    Protect(u64, u64, PageProtection),
}

/// The pages, and which allocations (by first page) are what a partial release left.
struct Model(Vec<Page>, BTreeSet<u64>);

impl Model {
    fn page(&self, page: u64) -> Page {
        self.0.get(usize::try_from(page.checked_sub(FIRST)?).ok()?).copied().flatten()
    }

    fn fill(&mut self, from: u64, to: u64, value: impl Fn(Page) -> Page) {
        for page in from..to {
            let slot = &mut self.0[usize::try_from(page - FIRST).expect("small")];
            *slot = value(*slot);
        }
    }

    /// First page and page after the last; refused outside the window.
    fn pages(base: u64, size: u64) -> Result<(u64, u64), u32> {
        let last = base.checked_add(size).and_then(|end| end.checked_next_multiple_of(PAGE_SIZE));
        let (from, to) = (base / PAGE_SIZE, last.ok_or(0xc000_000d_u32)? / PAGE_SIZE);
        if from < FIRST || to > END { Err(0xc000_000d) } else { Ok((from, to)) }
    }

    fn in_one(&self, from: u64, to: u64) -> Result<u64, u32> {
        let base = self.page(from).ok_or(0xc000_0018_u32)?.0;
        let same = (from..to).all(|page| self.page(page).is_some_and(|held| held.0 == base));
        if same { Ok(base) } else { Err(0xc000_0018) }
    }

    fn apply(&mut self, op: &Op) -> Result<(), u32> {
        match *op {
            Op::Reserve(base, size, commit) => self.reserve(base, size, commit),
            Op::Commit(base, size, protection) => {
                let (from, to) = Self::pages(base, size)?;
                self.in_one(from, to)?;
                self.fill(from, to, |page| page.map(|(base, _)| (base, Some(protection))));
                Ok(())
            }
            Op::Decommit(base, size) => {
                let (from, to) = self.to_free(base, size)?;
                self.fill(from, to, |page| page.map(|(base, _)| (base, None)));
                Ok(())
            }
            Op::Release(base, size) => {
                let (from, to) = self.to_free(base, size)?;
                let old = self.page(from).map(|held| held.0);
                self.fill(from, to, |_| None);
                // What is left on either side remembers that it was cut.
                let lower = old.filter(|&base| base < from);
                let upper = Some(to).filter(|&to| to < END && self.page(to).map(|held| held.0) == old);
                self.1.extend(lower.into_iter().chain(upper));
                let mut page = to;
                while page < END && self.page(page).map(|held| held.0) == old {
                    self.fill(page, page + 1, |held| held.map(|(_, state)| (to, state)));
                    page += 1;
                }
                Ok(())
            }
            Op::Protect(base, size, protection) => {
                let (from, to) = Self::pages(base, size)?;
                self.in_one(from, to)?;
                if (from..to).any(|page| self.page(page).is_none_or(|held| held.1.is_none())) {
                    return Err(0xc000_002d);
                }
                self.fill(from, to, |page| page.map(|(base, _)| (base, Some(protection))));
                Ok(())
            }
        }
    }

    fn reserve(&mut self, base: u64, size: u64, commit: bool) -> Result<(), u32> {
        let slot = base & !0xffff;
        let taken = self.page(slot / PAGE_SIZE).is_some_and(|held| self.1.contains(&held.0));
        let start = if taken { base / PAGE_SIZE * PAGE_SIZE } else { slot };
        let end = base.checked_add(size).ok_or(0xc000_000d_u32)?;
        let (from, to) = Self::pages(start, end - start)?;
        if (from..to).any(|page| self.page(page).is_some()) {
            return Err(0xc000_0018);
        }
        let state = commit.then_some(PageProtection::READWRITE);
        self.fill(from, to, |_| Some((from, state)));
        self.1.remove(&from);
        Ok(())
    }

    fn to_free(&self, base: u64, size: u64) -> Result<(u64, u64), u32> {
        let first = base / PAGE_SIZE;
        let range = if size == 0 { None } else { Some(Self::pages(base, size)?) };
        let owner = self.page(first).ok_or(0xc000_00a0_u32)?.0;
        match range {
            None if first != owner => Err(0xc000_009f),
            None => {
                let same = |page: &u64| self.page(*page).is_some_and(|held| held.0 == owner);
                Ok((first, (first..END).take_while(same).last().map_or(first, |last| last + 1)))
            }
            Some((from, to)) => self.in_one(from, to).map(|_| (from, to)).map_err(|_| 0xc000_001a),
        }
    }
}

fn space() -> WindowsSpace {
    WindowsSpace::new(&Layout::parse(TINY).expect("a good layout"))
}

fn run(space: &mut WindowsSpace, op: &Op, keep: bool) -> Result<(), RuleError> {
    let at = Address::new;
    let mut allocate = |base, size, kind, protection| {
        let tx = space.allocate(&Request::new(size, kind, protection).at(at(base)))?;
        if keep {
            tx.commit();
        }
        Ok(())
    };
    match *op {
        Op::Reserve(base, size, commit) => {
            let more = if commit { AllocationType::COMMIT } else { AllocationType::empty() };
            allocate(base, size, AllocationType::RESERVE | more, PageProtection::READWRITE)
        }
        Op::Commit(base, size, protection) => allocate(base, size, AllocationType::COMMIT, protection),
        Op::Decommit(base, size) | Op::Release(base, size) => {
            let release = matches!(op, Op::Release(..));
            let kind = if release { FreeKind::Release } else { FreeKind::Decommit };
            let tx = space.free(at(base), size, kind)?;
            if keep {
                tx.commit();
            }
            Ok(())
        }
        Op::Protect(base, size, protection) => {
            let tx = space.protect(at(base), size, protection)?;
            if keep {
                tx.commit();
            }
            Ok(())
        }
    }
}

fn books(space: &WindowsSpace) -> String {
    let allocations: Vec<_> = space.allocations.iter().collect();
    let pages: Vec<_> = space.pages.iter().collect();
    format!("{allocations:?} {pages:?} {:?}", space.written)
}

fn check_pages(space: &WindowsSpace, model: &Model) {
    for page in FIRST..END {
        let run = space.query(Address::new(page * PAGE_SIZE)).expect("inside");
        let base = run.allocation_base.map(|base| base.get() / PAGE_SIZE);
        let seen = base.map(|base| (base, (run.state == State::Commit).then_some(run.protection)));
        assert_eq!(seen, model.page(page), "page {page:#x}");
        let like = (page..END).take_while(|next| model.page(*next) == model.page(page)).count();
        assert_eq!(run.size / PAGE_SIZE, u64::try_from(like).expect("small"), "run at page {page:#x}");
    }
}

fn protections() -> impl Strategy<Value = PageProtection> {
    prop::sample::select(vec![
        PageProtection::NOACCESS,
        PageProtection::READONLY,
        PageProtection::READWRITE,
        PageProtection::EXECUTE_READ,
        PageProtection::READWRITE | PageProtection::GUARD,
    ])
}

fn ops() -> impl Strategy<Value = Op> {
    let base = (0x0e_u64..0x72, prop::sample::select(vec![0_u64, 0, 1, 0xffe]));
    let base = base.prop_map(|(page, offset)| page * PAGE_SIZE + offset);
    let base = prop_oneof![20 => base, 1 => prop::sample::select(vec![u64::MAX, u64::MAX - 0xfff, 1 << 47])];
    let size = (1_u64..0x18, prop::sample::select(vec![0_u64, 0, 1, 0xfff]));
    let size = size.prop_map(|(pages, less)| pages * PAGE_SIZE - less);
    let size = prop_oneof![20 => size, 1 => prop::sample::select(vec![1, u64::MAX, 1 << 63])];
    let freed = prop_oneof![1 => Just(0), 3 => size.clone()];
    prop_oneof![
        3 => (base.clone(), size.clone(), any::<bool>()).prop_map(|(at, size, on)| Op::Reserve(at, size, on)),
        3 => (base.clone(), size.clone(), protections()).prop_map(|(at, size, p)| Op::Commit(at, size, p)),
        2 => (base.clone(), freed.clone()).prop_map(|(at, size)| Op::Decommit(at, size)),
        2 => (base.clone(), freed).prop_map(|(at, size)| Op::Release(at, size)),
        2 => (base, size, protections()).prop_map(|(at, size, p)| Op::Protect(at, size, p)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn books_agree_with_an_array_of_pages(ops in prop::collection::vec(ops(), 1..40)) {
        let mut space = space();
        let mut model = Model(vec![None; usize::try_from(END - FIRST).expect("small")], BTreeSet::new());
        for op in &ops {
            let before = books(&space);
            let tried = run(&mut space, op, false).map_err(|error| error.status());
            prop_assert_eq!(&books(&space), &before, "rolled back: {:?}", op);
            let done = run(&mut space, op, true).map_err(|error| error.status());
            prop_assert_eq!(tried, done);
            prop_assert_eq!(done, model.apply(op), "{:?}", op);
            check_pages(&space, &model);
        }
    }
}
