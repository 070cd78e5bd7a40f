//! The process's address space: the books and the arena under one lock.
//!
//! Every change is made in the books first; their edits are carried out on the kernel; if the kernel refuses, the
//! books take the change back. Key type: [`AddressSpace`].

use std::sync::{Mutex, MutexGuard, PoisonError};

use plat_host::arena::{Arena, ArenaError};
use plat_host::maps::{Difference, compare};
use plat_host::memory;
use plat_host::section::Section;
use plat_regions::windows::{
    Action, AllocationType, Backing, Edit, FreeKind, GuardTouch, ImageRequest, MemoryKind, PageProtection,
    Placement, Request, RuleError, State, Transaction, ViewRequest, WindowsSpace,
};
use plat_regions::{Access, Address, AddressRange, Label, Layout, PAGE_SIZE, Use};

use crate::NtStatus;
use crate::teb::{TEB_SIZE, Teb};

/// The books of the address space, with the arena that carries out their edits.
#[derive(Debug)]
pub struct AddressSpace {
    arena: Arena,
    books: Mutex<WindowsSpace>,
    trace: bool,
    /// Stack sizes of the program's header: reserve and commit, in bytes.
    stack_defaults: Mutex<(u64, u64)>,
    /// What the page of shared data holds when it is first looked at; empty afterwards.
    shared_data: Mutex<Vec<u8>>,
    usable: AddressRange,
}

/// Where KUSER_SHARED_DATA lies in every process.
const SHARED_DATA: AddressRange =
    AddressRange { start: Address::new(0x7ffe_0000), end: Address::new(0x7ffe_1000) };

/// Up to this size an image's pages are made at once.
const FILLED_BYTES_MAX: u64 = 0x4_0000;

/// A guest thread's stack.
#[derive(Clone, Copy, Debug)]
pub struct Stack {
    /// The end: where the thread's stack pointer begins.
    pub base: u64,
    /// The lowest committed address.
    pub limit: u64,
    /// The lowest reserved address.
    pub allocation_base: u64,
}

/// What a touch of a page without access meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuardHit {
    /// The page is no guard page: an access violation.
    NotAGuard,
    /// A guard page outside any stack: `STATUS_GUARD_PAGE_VIOLATION`, once.
    Guard,
    /// A stack grew; the access may be repeated. The TEB's stack limit was moved.
    StackGrown,
    /// A stack is at its end: `STATUS_STACK_OVERFLOW`.
    StackOverflow,
    /// The page was made accessible (the first write to a watched page, the first look at the shared data).
    Accessible,
}

impl AddressSpace {
    /// Lays an address space out: reserves the layout's arena, opens the books, maps what the system shares.
    ///
    /// # Errors
    /// [`ArenaError`] when the kernel refuses.
    pub fn new(layout: &Layout, trace: bool) -> Result<Self, ArenaError> {
        let arena = Arena::reserve(&layout.arena)?;
        let books = WindowsSpace::new(layout);
        let space = Self {
            arena,
            books: Mutex::new(books),
            trace,
            stack_defaults: Mutex::new((0x10_0000, 0x1000)),
            shared_data: Mutex::default(),
            usable: layout.usable(),
        };
        let edits = space.books().initial_edits();
        space.carry_out(&edits)?;
        Ok(space)
    }

    /// Returns the books, locked. Hold the lock for one look only, and touch no guest memory meanwhile.
    pub fn books(&self) -> MutexGuard<'_, WindowsSpace> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the addresses that programs may use, as the layout has them.
    pub fn usable(&self) -> AddressRange {
        self.usable
    }

    /// Returns the arena.
    pub fn arena(&self) -> &Arena {
        &self.arena
    }

    /// Sets the stack sizes that a thread gets when its creator names none.
    pub fn set_stack_defaults(&self, reserve: u64, commit: u64) {
        *self.stack_defaults.lock().unwrap_or_else(PoisonError::into_inner) = (reserve, commit);
    }

    /// Makes one change: `change` plans it in the books, then the kernel follows.
    ///
    /// # Errors
    /// The rule's status, or `NO_MEMORY` when the kernel refuses.
    pub fn change<T>(
        &self,
        change: impl for<'a> FnOnce(&'a mut WindowsSpace) -> Result<Transaction<'a, T>, RuleError>,
    ) -> Result<T, NtStatus> {
        let mut books = self.books();
        let transaction = change(&mut books).map_err(|error| {
            self.note(format_args!("refused: {error}"));
            NtStatus(error.status())
        })?;
        self.carry_out(transaction.edits()).map_err(|error| {
            self.note(format_args!("the kernel refused: {error}"));
            NtStatus::NO_MEMORY
        })?;
        self.watch(transaction.space(), transaction.edits()).map_err(|_| NtStatus::NO_MEMORY)?;
        Ok(transaction.commit())
    }

    /// Takes the right to write from fresh pages whose writes are recorded: the first write will be seen.
    fn watch(&self, books: &WindowsSpace, edits: &[Edit]) -> Result<(), ArenaError> {
        for edit in edits.iter().filter(|edit| books.is_write_watched(edit.range)) {
            if let Action::Map { access, .. } | Action::Protect { access } = edit.action
                && access.contains(Access::WRITE)
            {
                self.arena.protect(edit.range, access - Access::WRITE)?;
            }
        }
        Ok(())
    }

    /// Records the first write to a watched page and lets it happen; says whether it was one.
    fn first_write(&self, address: u64) -> bool {
        let page = Address::new(address).align_down(PAGE_SIZE);
        let Some(range) = AddressRange::sized(page, PAGE_SIZE) else { return false };
        let mut books = self.books();
        if !books.is_write_watched(range) {
            return false;
        }
        let access = books.query(page).map_or(Access::empty(), |run| run.protection.access());
        access.contains(Access::WRITE)
            && books.mark_written(page)
            && self.arena.protect(range, access).is_ok()
    }

    /// Returns up to `most` pages of a watched range that were written, ascending; `reset` forgets them.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` when the range is not watched.
    pub fn written(&self, base: u64, size: u64, most: usize, reset: bool) -> Result<Vec<u64>, NtStatus> {
        let range = AddressRange::sized(Address::new(base), size).ok_or(NtStatus::INVALID_PARAMETER)?;
        let mut books = self.books();
        let pages = books.take_written(range, most, reset).map_err(|error| NtStatus(error.status()))?;
        for &page in pages.iter().filter(|_| reset) {
            let access = books.query(page).map_or(Access::empty(), |run| run.protection.access());
            let range = AddressRange::sized(page, PAGE_SIZE).unwrap_or_default();
            self.arena.protect(range, access - Access::WRITE).map_err(|_| NtStatus::NO_MEMORY)?;
        }
        Ok(pages.into_iter().map(Address::get).collect())
    }

    /// Sets what the page of shared data holds; it appears, and its times move, when the guest first looks at it.
    ///
    /// # Errors
    /// `NO_MEMORY` when the kernel refuses.
    pub fn set_shared_data(&self, contents: Vec<u8>) -> Result<(), NtStatus> {
        *self.shared_data.lock().unwrap_or_else(PoisonError::into_inner) = contents;
        self.arena.protect(SHARED_DATA, Access::empty()).map_err(|_| NtStatus::NO_MEMORY)
    }

    fn open_shared_data(&self, address: u64) -> bool {
        if !SHARED_DATA.contains(Address::new(address)) {
            return false;
        }
        let mut contents = self.shared_data.lock().unwrap_or_else(PoisonError::into_inner);
        let contents = std::mem::take(&mut *contents);
        if contents.is_empty() {
            return false;
        }
        let section = plat_host::shared_page::start(&contents);
        section
            .is_ok_and(|section| self.arena.map_section(SHARED_DATA, Access::READ, &section, 0, true).is_ok())
    }

    /// Allocates as `NtAllocateVirtualMemory` does.
    ///
    /// # Errors
    /// The rule's status, or `NO_MEMORY` when the kernel refuses.
    pub fn allocate(&self, request: &Request) -> Result<AddressRange, NtStatus> {
        self.change(|books| books.allocate(request))
    }

    /// Reserves and commits readable and writable pages for plat's own data in the guest.
    ///
    /// # Errors
    /// `NO_MEMORY` when no range is free.
    pub fn allocate_data(&self, size: u64, purpose: Use, owner: &'static str) -> Result<u64, NtStatus> {
        let kind = AllocationType::RESERVE | AllocationType::COMMIT;
        let request =
            Request::new(size, kind, PageProtection::READWRITE).purpose(purpose).owner(Label::fixed(owner));
        self.allocate(&request).map(|range| range.start.get())
    }

    /// Maps a view of a section, in place of a placeholder where `over_placeholder` says so; `shared` writes go to the
    /// section.
    ///
    /// # Errors
    /// The rule's status, or `NO_MEMORY` when the kernel refuses.
    pub fn map_view(
        &self,
        request: &ViewRequest,
        section: &Section,
        shared: bool,
        over_placeholder: bool,
    ) -> Result<AddressRange, NtStatus> {
        let mut books = self.books();
        let transaction =
            if over_placeholder { books.map_view_over_placeholder(request) } else { books.map_view(request) };
        let transaction = transaction.map_err(|error| NtStatus(error.status()))?;
        let access = request.protection.access();
        let range = *transaction.value();
        self.note(format_args!("{range} map {access} {}", &*request.owner));
        let mapped = self.arena.map_section(range, access, section, request.offset, shared);
        mapped.map_err(|error| {
            self.note(format_args!("the kernel refused: {error}"));
            NtStatus::NO_MEMORY
        })?;
        Ok(transaction.commit())
    }

    /// Writes changed pages of a view to its file; a size of 0 means to the view's end.
    ///
    /// # Errors
    /// `NOT_MAPPED_VIEW` where no view lies.
    pub fn flush_view(&self, address: u64, size: u64) -> Result<(), NtStatus> {
        let start = Address::new(address).align_down(PAGE_SIZE);
        let view = self.books().allocation(start).map(|(at, held)| (at, held.kind));
        let view = view.filter(|(_, kind)| *kind != MemoryKind::Private).ok_or(NtStatus::NOT_MAPPED_VIEW)?.0;
        let end = if size == 0 { Some(view.end) } else { Address::new(address).checked_add(size) };
        let end = end.and_then(|end| end.align_up(PAGE_SIZE)).unwrap_or(view.end).min(view.end);
        let range = AddressRange::new(start, end).ok_or(NtStatus::NOT_MAPPED_VIEW)?;
        self.arena.write_back(range).map_err(|_| NtStatus::NOT_MAPPED_VIEW)
    }

    /// Finds a place for an image and maps all its pages writable, until [`Self::seal_image`].
    ///
    /// # Errors
    /// The status, and the reason in words, when nothing fits.
    pub fn map_image(&self, request: &ImageRequest) -> Result<Placement, (NtStatus, String)> {
        let mut books = self.books();
        let transaction =
            books.map_image(request).map_err(|error| (NtStatus(error.status()), error.to_string()))?;
        // One mapping for all parts; `seal_image` gives each its own access when it has been filled.
        let range = transaction.value().range;
        self.note(format_args!("{range} map rw- image {}", &*request.owner));
        // A small image is filled whole; of a large one much may be zeros that nobody touches.
        let mapped = if range.size() <= FILLED_BYTES_MAX {
            self.arena.map_filled(range)
        } else {
            self.arena.map_anonymous(range, Access::READ | Access::WRITE)
        };
        mapped.map_err(|error| (NtStatus::NO_MEMORY, error.to_string()))?;
        Ok(transaction.commit())
    }

    /// Makes the pages of a part of an image that will be filled, whole pages of it.
    pub fn prepare_image(&self, start: u64, bytes: u64) {
        let end = start.saturating_add(bytes);
        let first = Address::new(start).align_up(PAGE_SIZE);
        let range = first.and_then(|first| AddressRange::new(first, Address::new(end & !(PAGE_SIZE - 1))));
        if let Some(range) = range {
            self.arena.populate(range);
        }
    }

    /// Gives the pages of an image that was filled the access that the books say.
    ///
    /// # Errors
    /// The kernel's reason in words.
    pub fn seal_image(&self, base: u64) -> Result<(), String> {
        let books = self.books();
        let Some((image, _)) = books.allocation(Address::new(base)) else { return Ok(()) };
        let mut pieces: Vec<(AddressRange, Access)> = Vec::new();
        let mut at = image.start;
        while let Some(run) = books.query(at).filter(|_| at < image.end) {
            let range = AddressRange::sized(at, run.size).unwrap_or_default();
            let access = run.protection.access();
            match pieces.last_mut() {
                Some((last, same)) if *same == access => last.end = range.end,
                _ => pieces.push((range, access)),
            }
            at = range.end;
        }
        // They are readable and writable already.
        pieces.retain(|(_, access)| *access != Access::READ | Access::WRITE);
        let protect = |(range, access)| self.arena.protect(range, access).map_err(|error| error.to_string());
        pieces.into_iter().try_for_each(protect)
    }

    /// Gives an image's place back; unknown bases are ignored.
    pub fn unmap_image(&self, base: u64) {
        if let Err(status) = self.change(|books| books.unmap(Address::new(base))) {
            self.note(format_args!("unmap {base:#x}: {status}"));
        }
    }

    /// Releases a whole private allocation by its base; unknown bases are ignored.
    pub fn release(&self, base: u64) {
        if let Err(status) = self.change(|books| books.free(Address::new(base), 0, FreeKind::Release)) {
            self.note(format_args!("release {base:#x}: {status}"));
        }
    }

    /// Makes a stack of `reserve` bytes of which `commit` are committed above the guard page (0: the defaults of
    /// the program's header).
    ///
    /// # Errors
    /// `NO_MEMORY` when no range is free.
    pub fn allocate_stack(&self, reserve: u64, commit: u64, owner: &str) -> Result<Stack, NtStatus> {
        let defaults = *self.stack_defaults.lock().unwrap_or_else(PoisonError::into_inner);
        let reserve = if reserve == 0 { defaults.0 } else { reserve };
        let commit = if commit == 0 { defaults.1 } else { commit };
        let ranges =
            self.change(|books| books.allocate_stack(reserve, commit, Label::from(owner.to_owned())))?;
        Ok(Stack {
            base: ranges.base.get(),
            limit: ranges.limit.get(),
            allocation_base: ranges.allocation_base.get(),
        })
    }

    /// Handles a touch of a page without access, on the calling guest thread.
    pub fn guard_hit(&self, address: u64, teb: Teb) -> GuardHit {
        if self.open_shared_data(address) || self.first_write(address) {
            return GuardHit::Accessible;
        }
        let (bottom, base) = (teb.get(Teb::DEALLOCATION_STACK), teb.get(Teb::STACK_BASE));
        let own = bottom.unwrap_or(0)..base.unwrap_or(0);
        let own_stack = AddressRange::new(Address::new(own.start), Address::new(own.end));
        let Ok(touch) = self.change(|books| books.touch_guard_of(Address::new(address), own_stack)) else {
            return GuardHit::NotAGuard;
        };
        let (hit, limit) = match touch {
            GuardTouch::Guard => return GuardHit::Guard,
            GuardTouch::Grown { new_limit: limit } => (GuardHit::StackGrown, limit),
            GuardTouch::Overflow { new_limit: limit } => (GuardHit::StackOverflow, limit),
        };
        // A thread may touch another thread's stack: then its own limit stays.
        if own.contains(&limit.get()) {
            // A guest that unmapped its own TEB finds out by itself.
            let _ = teb.set(Teb::STACK_LIMIT, limit.get());
        }
        hit
    }

    /// Compares the books with the kernel's maps; there should be no difference.
    ///
    /// # Errors
    /// When `/proc` is not there.
    pub fn verify(&self) -> std::io::Result<Vec<Difference>> {
        let mut books = self.books();
        let regions = books.regions().filter(|region| !(region.is_system && region.state == State::Reserve));
        let regions: Vec<(AddressRange, Access)> =
            regions.map(|region| (region.range, region.protection.access())).collect();
        let mut wanted = Vec::new();
        for (range, access) in regions {
            if range == SHARED_DATA
                && !self.shared_data.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
            {
                wanted.push((range, Access::empty()));
            } else if books.is_write_watched(range) {
                wanted.extend(watched_pages(&mut books, range, access));
            } else {
                wanted.push((range, access));
            }
        }
        let kernel = plat_host::maps::read_own()?;
        Ok(self.arena.windows().iter().flat_map(|window| compare(*window, &wanted, &kernel)).collect())
    }

    /// Makes room for a TEB, zeroed.
    ///
    /// # Errors
    /// `NO_MEMORY` when no range is free.
    pub fn allocate_teb(&self) -> Result<u64, NtStatus> {
        self.allocate_data(TEB_SIZE, Use::Environment, "TEB")
    }

    /// Makes executable pages with `code` at their start.
    ///
    /// # Errors
    /// `NO_MEMORY` when no range is free.
    pub fn allocate_code(&self, size: u64, code: &[u8], owner: &'static str) -> Result<u64, NtStatus> {
        let kind = AllocationType::RESERVE | AllocationType::COMMIT;
        let request = Request::new(size, kind, PageProtection::EXECUTE_READ)
            .purpose(Use::SystemImage)
            .owner(Label::fixed(owner));
        let base = self.allocate(&request)?.start.get();
        self.write_code(base, code)?;
        Ok(base)
    }

    /// Writes into executable pages that the guest may not write.
    ///
    /// # Errors
    /// `NO_MEMORY` when the kernel refuses to open or close the pages.
    pub fn write_code(&self, address: u64, code: &[u8]) -> Result<(), NtStatus> {
        self.write_sealed(address, code, Access::READ | Access::EXECUTE)
    }

    /// Writes into pages that the guest may not write, and leaves them with `access`.
    ///
    /// # Errors
    /// `NO_MEMORY` when the kernel refuses to open or close the pages.
    pub fn write_sealed(&self, address: u64, bytes: &[u8], access: Access) -> Result<(), NtStatus> {
        if bytes.is_empty() {
            return Ok(());
        }
        let start = Address::new(address).align_down(PAGE_SIZE);
        let end =
            Address::new(address + bytes.len() as u64).align_up(PAGE_SIZE).ok_or(NtStatus::NO_MEMORY)?;
        let pages = AddressRange::new(start, end).ok_or(NtStatus::NO_MEMORY)?;
        let failed = |_: ArenaError| NtStatus::NO_MEMORY;
        self.arena.protect(pages, access | Access::READ | Access::WRITE).map_err(failed)?;
        let written = memory::write(address, bytes);
        self.arena.protect(pages, access).map_err(failed)?;
        written.map_err(|_| NtStatus::ACCESS_VIOLATION)
    }

    /// Carries out edits on the kernel.
    fn carry_out(&self, edits: &[Edit]) -> Result<(), ArenaError> {
        for edit in edits {
            self.note(format_args!("{edit}"));
            match edit.action {
                Action::Map { access, backing: Backing::Anonymous | Backing::View { .. } } => {
                    self.arena.map_anonymous(edit.range, access)?;
                }
                Action::Protect { access } => self.arena.protect(edit.range, access)?,
                Action::Release { access } if access == Access::READ | Access::WRITE => {
                    self.arena.release_data(edit.range)?;
                }
                Action::Discard | Action::Release { .. } => self.arena.release(edit.range)?,
            }
        }
        Ok(())
    }

    fn note(&self, line: std::fmt::Arguments<'_>) {
        if self.trace {
            eprintln!("memory: {line}");
        }
    }
}

/// Cuts a watched range into pages: those that were not written may not be written.
fn watched_pages(
    books: &mut WindowsSpace,
    range: AddressRange,
    access: Access,
) -> Vec<(AddressRange, Access)> {
    let written = books.take_written(range, usize::MAX, false).unwrap_or_default();
    let mut pages = Vec::new();
    let mut at = range.start;
    while let Some(page) = AddressRange::sized(at, PAGE_SIZE).filter(|_| at < range.end) {
        pages.push((page, if written.contains(&at) { access } else { access - Access::WRITE }));
        at = page.end;
    }
    pages
}
