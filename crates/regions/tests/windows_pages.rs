//! The rules of Windows against a plain array of pages: after every step each page must be what the array says.

use plat_regions::windows::{AllocationType, FreeKind, PageProtection, Request, State, WindowsSpace};
use plat_regions::{Address, Layout};
use proptest::prelude::*;

const PAGE: u64 = 4096;
const GRANULE: u64 = 0x1_0000;
/// The window that the steps play in: 48 pages, three granules.
const BASE: u64 = 0x50_0000;
const PAGES: usize = 48;

/// One page of the model: its allocation's base, and its protection when it is committed.
type Page = Option<(u64, Option<u32>)>;

#[derive(Clone, Debug)]
enum Step {
    Reserve { granule: u64, pages: u64, commit: bool },
    Commit { offset: u64, size: u64, protection: PageProtection },
    Decommit { offset: u64, size: u64 },
    Release { offset: u64, size: u64 },
    Protect { offset: u64, size: u64, protection: PageProtection },
    Extreme { base: u64, size: u64, kind: u32, protection: u32 },
}

fn protections() -> impl Strategy<Value = PageProtection> {
    prop::sample::select(vec![PageProtection::NOACCESS, PageProtection::READONLY, PageProtection::READWRITE])
}

fn steps() -> impl Strategy<Value = Step> {
    let offset = 0..PAGES as u64 * PAGE;
    let size = 0..5 * PAGE;
    let extremes =
        prop::sample::select(vec![0, 1, 0xfff, 0x1_0000, u64::from(u32::MAX), u64::MAX - 0xfff, u64::MAX]);
    prop_oneof![
        4 => (0..3_u64, 1..20_u64, any::<bool>())
            .prop_map(|(granule, pages, commit)| Step::Reserve { granule, pages: pages.min((3 - granule) * 16), commit }),
        4 => (offset.clone(), size.clone(), protections())
            .prop_map(|(offset, size, protection)| Step::Commit { offset, size, protection }),
        2 => (offset.clone(), size.clone()).prop_map(|(offset, size)| Step::Decommit { offset, size }),
        2 => (offset.clone(), size.clone()).prop_map(|(offset, size)| Step::Release { offset, size }),
        3 => (offset, size, protections())
            .prop_map(|(offset, size, protection)| Step::Protect { offset, size, protection }),
        1 => (extremes.clone(), extremes, any::<u32>(), any::<u32>())
            .prop_map(|(base, size, kind, protection)| Step::Extreme { base, size, kind, protection }),
    ]
}

/// The pages that a range touches, when it is not empty and lies in the window.
fn touched(offset: u64, size: u64) -> Option<std::ops::Range<usize>> {
    let range = (offset / PAGE) as usize..(offset + size).div_ceil(PAGE) as usize;
    (size > 0 && range.end <= PAGES).then_some(range)
}

/// Says whether all pages of a range belong to one allocation.
fn in_one(model: &[Page], range: &std::ops::Range<usize>) -> bool {
    let base = model[range.start].map(|page| page.0);
    base.is_some() && model[range.clone()].iter().all(|page| page.map(|page| page.0) == base)
}

/// Carries a step out on the model; says whether Windows allows it.
fn model_step(model: &mut [Page], step: &Step) -> bool {
    match *step {
        Step::Reserve { granule, pages, commit } => {
            let start = (granule * GRANULE / PAGE) as usize;
            let range = start..start + pages as usize;
            if range.end > PAGES || model[range.clone()].iter().any(Option::is_some) {
                return false;
            }
            let base = BASE + granule * GRANULE;
            let state = commit.then_some(PageProtection::READWRITE.bits());
            model[range].fill(Some((base, state)));
        }
        Step::Commit { offset, size, protection } => {
            let Some(range) = touched(offset, size).filter(|range| in_one(model, range)) else {
                return false;
            };
            for page in model[range].iter_mut().flatten() {
                page.1 = Some(protection.bits());
            }
        }
        Step::Protect { offset, size, protection } => {
            let Some(range) = touched(offset, size).filter(|range| in_one(model, range)) else {
                return false;
            };
            if model[range.clone()].iter().flatten().any(|page| page.1.is_none()) {
                return false;
            }
            for page in model[range].iter_mut().flatten() {
                page.1 = Some(protection.bits());
            }
        }
        Step::Decommit { offset, size } | Step::Release { offset, size } => {
            let Some(range) = freed(model, offset, size) else { return false };
            let release = matches!(step, Step::Release { .. });
            free_pages(model, range, release);
        }
        Step::Extreme { .. } => unreachable!("extremes are not modelled"),
    }
    true
}

/// The pages that a free of `size` bytes frees: all of the allocation for 0 at its base.
fn freed(model: &[Page], offset: u64, size: u64) -> Option<std::ops::Range<usize>> {
    let first = (offset / PAGE) as usize;
    let base = model[first]?.0;
    if size > 0 {
        return touched(offset, size).filter(|range| in_one(model, range));
    }
    let start = ((base - BASE) / PAGE) as usize;
    let count = model[start..].iter().take_while(|page| page.is_some_and(|page| page.0 == base)).count();
    (first == start).then_some(start..start + count)
}

fn free_pages(model: &mut [Page], range: std::ops::Range<usize>, release: bool) {
    if !release {
        model[range].iter_mut().flatten().for_each(|page| page.1 = None);
        return;
    }
    let base = model[range.start].expect("checked").0;
    model[range.clone()].fill(None);
    // What lies above becomes an allocation of its own.
    let above = BASE + range.end as u64 * PAGE;
    for page in model[range.end..].iter_mut() {
        match page {
            Some(page) if page.0 == base => page.0 = above,
            _ => break,
        }
    }
}

fn books_step(books: &mut WindowsSpace, step: &Step, keep: bool) -> bool {
    let at = |offset: u64| Address::new(BASE + offset);
    macro_rules! finish {
        ($outcome:expr) => {
            match $outcome {
                Ok(transaction) if keep => {
                    transaction.commit();
                    true
                }
                Ok(transaction) => {
                    transaction.roll_back();
                    true
                }
                Err(error) => {
                    assert_ne!(error.status(), 0, "{error}");
                    false
                }
            }
        };
    }
    match *step {
        Step::Reserve { granule, pages, commit } => {
            let commit = if commit { AllocationType::COMMIT } else { AllocationType::empty() };
            let kind = AllocationType::RESERVE | commit;
            let request =
                Request::new(pages * PAGE, kind, PageProtection::READWRITE).at(at(granule * GRANULE));
            finish!(books.allocate(&request))
        }
        Step::Commit { offset, size, protection } => {
            finish!(books.allocate(&Request::new(size, AllocationType::COMMIT, protection).at(at(offset))))
        }
        Step::Decommit { offset, size } => finish!(books.free(at(offset), size, FreeKind::Decommit)),
        Step::Release { offset, size } => finish!(books.free(at(offset), size, FreeKind::Release)),
        Step::Protect { offset, size, protection } => finish!(books.protect(at(offset), size, protection)),
        Step::Extreme { base, size, kind, protection } => {
            let kind = AllocationType::from_bits_retain(kind);
            let protection = PageProtection::from_bits_retain(protection);
            let mut request = Request::new(size, kind, protection);
            request.base = Some(Address::new(base));
            request.zero_bits = size;
            drop(books.allocate(&request));
            drop(books.protect(Address::new(base), size, protection));
            drop(books.free(Address::new(base), size, FreeKind::ReleasePreserve));
            drop(books.free(Address::new(base), size, FreeKind::Coalesce));
            drop(books.unmap(Address::new(base)));
            drop(books.touch_guard(Address::new(base)));
            books.query(Address::new(base));
            true
        }
    }
}

fn compare(books: &WindowsSpace, model: &[Page]) {
    for (index, page) in model.iter().enumerate() {
        let address = Address::new(BASE + index as u64 * PAGE);
        let run = books.query(address).expect("inside the program's addresses");
        let found = run
            .allocation_base
            .map(|base| (base.get(), (run.state == State::Commit).then_some(run.protection.bits())));
        assert_eq!(found, *page, "page {index}");
        let alike = model[index..].iter().take_while(|other| *other == page).count();
        if index + alike < PAGES {
            assert_eq!(run.size, alike as u64 * PAGE, "run from page {index}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_page_is_what_a_plain_array_says(steps in prop::collection::vec(steps(), 1..60)) {
        let layout = Layout::builtin("win32").expect("built in");
        let mut books = WindowsSpace::new(&layout);
        let mut model: Vec<Page> = vec![None; PAGES];
        for step in &steps {
            // Taken back, a step leaves no trace.
            books_step(&mut books, step, false);
            compare(&books, &model);
            let allowed = books_step(&mut books, step, true);
            if !matches!(step, Step::Extreme { .. }) {
                prop_assert_eq!(allowed, model_step(&mut model, step), "{:?}", step);
            }
            compare(&books, &model);
        }
    }
}
