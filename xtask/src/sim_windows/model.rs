//! The rules of `plat_regions::windows` behind the calls of a Windows program: [`Model`].

use plat_regions::windows::{
    AllocationType, FreeKind, GuardTouch, MemoryKind, PageProtection, Request, RuleError, Run, State,
    ViewRequest, WindowsSpace,
};
use plat_regions::{ALLOCATION_GRANULARITY, Access, Address, AddressRange, Label, Layout, PAGE_SIZE, Use};

use super::step::{Kind, Step, WINDOW_SIZE};

/// Size in bytes of the sections that views are mapped of.
pub(crate) const SECTION_SIZE: u64 = 0x4_0000;

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// What the call returned.
    pub(crate) value: u64,
    /// The last error, when it returned zero.
    pub(crate) error: u64,
    /// A hash of the window.
    pub(crate) hash: u64,
}

/// An address space under Windows' rules, and the window in it.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    space: WindowsSpace,
    window: AddressRange,
}

/// A Win32 error code.
type Error = u64;

const INVALID_PARAMETER: Error = 87;
const INVALID_ADDRESS: Error = 487;
const ACCESS_DENIED: Error = 5;
/// `ERROR_MAPPED_ALIGNMENT`.
const MAPPED_ALIGNMENT: Error = 1132;

/// Returns the Win32 error of an NTSTATUS.
///
/// Source: Microsoft, "RtlNtStatusToDosError function".
fn win32(status: u32) -> Error {
    match status {
        0xc000_000d | 0xc000_00ef..=0xc000_00fa | 0xc000_0045 | 0xc000_001a | 0xc000_001b | 0xc000_004e => {
            INVALID_PARAMETER
        }
        0xc000_0018 | 0xc000_0019 | 0xc000_002d | 0xc000_00a0 | 0xc000_009f => INVALID_ADDRESS,
        0xc000_0017 => 8,
        0xc000_0021 | 0xc000_001f => ACCESS_DENIED,
        0xc000_0061 => 1314,
        0xc000_0220 => MAPPED_ALIGNMENT,
        _ => 0xffff_0000 | u64::from(status & 0xffff),
    }
}

impl Model {
    /// Starts with an empty space of 64 or 32 bits.
    pub(crate) fn new(bits: u32) -> Self {
        let name = if bits == 64 { "win64" } else { "win32" };
        let layout = Layout::builtin(name).expect("the layout is built in");
        let start = if bits == 64 { 0x200_0000_0000 } else { 0x2000_0000 };
        let start = Address::new(start);
        let window = AddressRange::sized(start, WINDOW_SIZE).expect("the window lies low");
        Self { space: WindowsSpace::new(&layout), window }
    }

    /// Returns the window.
    pub(crate) fn window(&self) -> AddressRange {
        self.window
    }

    /// Returns addresses at and beyond the ends of what a program may use.
    pub(crate) fn odd_addresses(&self) -> [u64; 6] {
        let end = self.space.layout().usable().end.get();
        [1, 0x1000, 0xffff, end, end + 0x1000, end + 0x10_0000]
    }

    /// Answers as `VirtualQuery`.
    pub(crate) fn query(&self, address: Address) -> Option<Run> {
        self.space.query(address)
    }

    /// Returns the state of the page of an address.
    pub(crate) fn state(&self, address: u64) -> State {
        self.query(Address::new(address)).map_or(State::Free, |run| run.state)
    }

    /// Says whether the pages of a range lie inside one allocation.
    pub(crate) fn is_inside_one(&self, address: u64, size: u64) -> bool {
        let at = Address::new(address).align_down(PAGE_SIZE);
        let end = Address::new(address).checked_add(size);
        let held = self.space.allocation(at);
        end.zip(held).is_some_and(|(end, (range, _))| end <= range.end)
    }

    /// Says whether an address lies in a view of a section.
    pub(crate) fn is_view(&self, address: u64) -> bool {
        let run = self.query(Address::new(address));
        run.and_then(|run| run.kind).is_some_and(|kind| kind != MemoryKind::Private)
    }

    /// Carries a step out.
    pub(crate) fn act(&mut self, step: &Step) -> Answer {
        let (value, error) = match self.call(step) {
            Ok(value) => (value, 0),
            Err(error) => (0, error),
        };
        Answer { value, error, hash: self.hash(self.window, self.window.start) }
    }

    fn call(&mut self, step: &Step) -> Result<u64, Error> {
        let at = Address::new(step.address);
        let refused = |error: RuleError| win32(error.status());
        match step.kind {
            Kind::Alloc => {
                let range = self.space.allocate(&request(step, Some(at))).map_err(refused)?.commit();
                Ok(range.start.get())
            }
            Kind::Free => {
                let kind = match AllocationType::from_bits_retain(step.a as u32) {
                    AllocationType::DECOMMIT => FreeKind::Decommit,
                    AllocationType::RELEASE => FreeKind::Release,
                    kind if kind == AllocationType::RELEASE | AllocationType::COALESCE_PLACEHOLDERS => {
                        FreeKind::Coalesce
                    }
                    _ => return Err(INVALID_PARAMETER),
                };
                if kind == FreeKind::Release {
                    self.space.check_win32_release(at, step.size).map_err(refused)?;
                }
                self.space.free(at, step.size, kind).map_err(refused)?.commit();
                Ok(1)
            }
            Kind::Protect => {
                let protection = PageProtection::from_bits_retain(step.a as u32);
                let old = self.space.protect(at, step.size, protection).map_err(refused)?.commit();
                Ok(u64::from(old.bits()))
            }
            Kind::Touch => Ok(self.touch(at, step.a == 1)),
            Kind::View => self.view(step),
            Kind::Unmap => {
                self.space.unmap(at).map_err(|_| INVALID_ADDRESS)?.commit();
                Ok(1)
            }
            Kind::Query => {
                let run = self.query(at).ok_or(INVALID_PARAMETER)?;
                Ok(mix(mix(0, run.base.get()), u64::from(run.protection.bits())))
            }
            Kind::Anywhere => {
                let range = self.space.allocate(&request(step, None)).map_err(refused)?.commit();
                let hash = mix(self.hash(range, range.start), range.start.get() % ALLOCATION_GRANULARITY);
                self.space.free(range.start, 0, FreeKind::Release).map_err(refused)?.commit();
                Ok(hash)
            }
        }
    }

    /// Loads or stores a byte; returns the exception's code, or zero.
    fn touch(&mut self, at: Address, write: bool) -> u64 {
        const VIOLATION: u64 = 0xc000_0005;
        const GUARD: u64 = 0x8000_0001;
        let Some(run) = self.query(at).filter(|run| run.state == State::Commit) else { return VIOLATION };
        if run.protection.contains(PageProtection::GUARD) {
            let touched = self.space.touch_guard(at).map(plat_regions::windows::Transaction::commit);
            return if touched == Ok(GuardTouch::Guard) { GUARD } else { VIOLATION };
        }
        let wanted = if write { Access::WRITE } else { Access::READ };
        let access = run.protection.access();
        // x86 has no page that can be executed and not read.
        let access = if access == Access::EXECUTE { access | Access::READ } else { access };
        if access.contains(wanted) { 0 } else { VIOLATION }
    }

    fn view(&mut self, step: &Step) -> Result<u64, Error> {
        let access = step.a as u32;
        let (copy, write, execute) = (access & 1 != 0, access & 2 != 0, access & 0x20 != 0);
        let protection = match (write, copy, execute) {
            (true, _, false) => PageProtection::READWRITE,
            (true, _, true) => PageProtection::EXECUTE_READWRITE,
            (false, true, false) => PageProtection::WRITECOPY,
            (false, true, true) => PageProtection::EXECUTE_WRITECOPY,
            _ if access & 4 == 0 => PageProtection::NOACCESS,
            (false, false, true) => PageProtection::EXECUTE_READ,
            (false, false, false) => PageProtection::READONLY,
        };
        if !step.b.is_multiple_of(ALLOCATION_GRANULARITY)
            || !step.address.is_multiple_of(ALLOCATION_GRANULARITY)
        {
            return Err(MAPPED_ALIGNMENT);
        }
        // The second section can only be read.
        if step.a >> 32 != 0 && (write || execute) {
            return Err(ACCESS_DENIED);
        }
        let rest = SECTION_SIZE.checked_sub(step.b).filter(|rest| *rest > 0).ok_or(ACCESS_DENIED)?;
        let size = if step.size == 0 { rest } else { step.size };
        if size > rest.next_multiple_of(PAGE_SIZE) {
            return Err(ACCESS_DENIED);
        }
        let request = ViewRequest {
            base: Some(Address::new(step.address)),
            size,
            offset: step.b,
            protection,
            purpose: Use::Private,
            owner: Label::fixed("section"),
            reserve_only: false,
            of_memory: true,
        };
        let range = self.space.map_view(&request).map_err(|error| win32(error.status()))?.commit();
        Ok(range.start.get())
    }

    /// Lists the window, as the guest program writes it for people.
    pub(crate) fn text(&self) -> String {
        let line = |run: [u64; 7]| {
            let [base, allocation, asked, size, state, protection, kind] = run;
            format!(
                "+{base:06x} of +{allocation:06x} ({asked:03x}) size {size:06x} state {state:05x} protect {protection:03x} type {kind:07x}\n"
            )
        };
        self.walk(self.window, self.window.start).into_iter().map(line).collect()
    }

    fn hash(&self, range: AddressRange, base: Address) -> u64 {
        self.walk(range, base).into_iter().flatten().fold(0xcbf2_9ce4_8422_2325, mix)
    }

    fn walk(&self, range: AddressRange, base: Address) -> Vec<[u64; 7]> {
        let (mut at, mut runs) = (range.start, Vec::new());
        while let Some(run) = self.query(at).filter(|_| at < range.end) {
            let end =
                run.base.get().saturating_add(run.size).min(range.end.get().next_multiple_of(PAGE_SIZE));
            let allocation =
                run.allocation_base.map_or(u64::MAX, |start| start.get().wrapping_sub(base.get()));
            let asked = if run.state == State::Free { 0 } else { run.allocation_protection.bits() };
            let kind = run.kind.map_or(0, |kind| kind.bits());
            let (state, protection) = (run.state.bits(), run.protection.bits());
            runs.push([
                run.base.get() - base.get(),
                allocation,
                asked.into(),
                end - at.get(),
                state.into(),
                protection.into(),
                kind.into(),
            ]);
            at = Address::new(end);
        }
        runs
    }
}

fn request(step: &Step, base: Option<Address>) -> Request {
    let kind = AllocationType::from_bits_retain(step.a as u32);
    let mut request = Request::new(step.size, kind, PageProtection::from_bits_retain(step.b as u32));
    request.base = base;
    request
}

fn mix(hash: u64, word: u64) -> u64 {
    (hash ^ word).wrapping_mul(0x100_0000_01b3) ^ word >> 29
}
