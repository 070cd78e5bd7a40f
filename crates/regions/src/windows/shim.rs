//! Temporary.
#![allow(missing_docs)]
use crate::windows::*;
use crate::*;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FreeKind {
    Decommit,
    Release,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Free,
    Reserve,
    Commit,
}
#[derive(Clone, Debug)]
pub struct ImageRequest {
    pub size: u64,
    pub preferred: Option<Address>,
    pub relocatable: bool,
    pub purpose: Use,
    pub owner: Label,
    pub parts: Vec<(u64, u64, Label, PageProtection)>,
}
#[derive(Clone, Debug)]
pub struct Placement {
    pub range: AddressRange,
    pub moved: bool,
    pub reason: Label,
}
#[derive(Clone, Debug)]
pub struct StackRanges {
    pub base: Address,
    pub limit: Address,
    pub allocation_base: Address,
}
#[derive(Clone, Debug)]
pub struct RegionInfo {
    pub range: AddressRange,
    pub state: State,
    pub protection: PageProtection,
    pub kind: Option<MemoryKind>,
    pub owner: Label,
    pub part: Option<Label>,
    pub reason: Label,
    pub guard: bool,
    pub is_system: bool,
}
impl WindowsSpace {
    pub fn free(
        &mut self,
        base: Address,
        _size: u64,
        _kind: FreeKind,
    ) -> Result<Transaction<'_, AddressRange>, RuleError> {
        self.reset(base, 4096)
    }
    pub fn unmap(&mut self, base: Address) -> Result<Transaction<'_, AddressRange>, RuleError> {
        self.reset(base, 4096)
    }
    pub fn map_image(&mut self, r: &ImageRequest) -> Result<Transaction<'_, Placement>, RuleError> {
        let kind = AllocationType::RESERVE | AllocationType::COMMIT;
        let mut q = Request::new(r.size, kind, PageProtection::EXECUTE_READWRITE)
            .purpose(r.purpose)
            .owner(r.owner.clone());
        q.base = r.preferred;
        let ok = self
            .allocate(&q)
            .map(|t| {
                t.roll_back();
            })
            .is_ok();
        if !ok {
            q.base = None;
        }
        let t = self.allocate(&q)?;
        Ok(t.map(|range| Placement { range, moved: !ok, reason: "shim".into() }))
    }
    pub fn allocate_stack(
        &mut self,
        reserve: u64,
        _commit: u64,
        owner: Label,
    ) -> Result<Transaction<'_, StackRanges>, RuleError> {
        let kind = AllocationType::RESERVE | AllocationType::COMMIT;
        let q = Request::new(reserve, kind, PageProtection::READWRITE).purpose(Use::Stack).owner(owner);
        Ok(self.allocate(&q)?.map(|r| StackRanges { base: r.end, limit: r.start, allocation_base: r.start }))
    }
    pub fn regions(&self) -> impl Iterator<Item = RegionInfo> {
        std::iter::empty()
    }
}

#[derive(Clone, Debug)]
pub struct Run { pub base: Address, pub allocation_base: Option<Address>, pub allocation_protection: PageProtection, pub size: u64, pub state: State, pub protection: PageProtection, pub kind: Option<MemoryKind> }
impl WindowsSpace {
    pub fn check_win32_release(&self, _b: Address, _s: u64) -> Result<(), RuleError> { Ok(()) }
    pub fn query(&self, _a: Address) -> Option<Run> { None }
    pub fn protect(&mut self, base: Address, _size: u64, _p: PageProtection) -> Result<Transaction<'_, PageProtection>, RuleError> { Ok(self.reset(base, 4096)?.map(|_| PageProtection::READWRITE)) }
}
