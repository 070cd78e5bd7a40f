//! Images of the builtin DLLs, made by the compiler: headers, code, export tables; variables are zeros.
//!
//! They were once made when a program loaded them: 80 µs and 30 pages of memory for `kernel32.dll` alone. Now they lie in
//! the page cache. What cannot be known here is written into the loaded copy: [`super::Builtin::changes`].

use plat_abi::Machine;
use plat_image::generated::{
    CODE, EXPORT_DIRECTORY, ExportTables, HEADERS_BYTES, HeaderPlan, PlannedSection, READ_ONLY, put,
};
use plat_image::pe::SectionFlags;
use plat_win32::DLLS;
use plat_win32::entries::{COUNT, first_index_at, name_order};
use plat_win32::export::{Body, Export};

/// Bytes before the first thunk of a DLL: traps for jumps there, then where its thunks go.
pub(super) const PROLOGUE_BYTES: usize = 16;

/// Where the prologue's second half begins, an offset in the image: [`super::Entrance::prologue`].
pub(super) const ENTRANCE_RVA: u32 = (HEADERS_BYTES + PROLOGUE_BYTES / 2) as u32;

const PAGE: usize = 4096;

/// More than any DLL's code.
const CODE_BYTES_MAX: usize = 1 << 18;

/// The images and where everything is in them, for one machine.
pub(super) struct Images {
    /// One image behind the other.
    bytes: &'static [u8],
    /// For each export and method its RVA; zero when the machine has none, and for forwarders.
    rvas: &'static [u32; COUNT],
    /// Where each image begins; at last, where the last one ends.
    starts: &'static [usize; DLLS.len() + 1],
}

impl Images {
    /// Returns those for a machine.
    pub(super) fn of(machine: Machine) -> Self {
        match machine {
            Machine::I386 => Self { bytes: &I386, rvas: &I386_RVAS, starts: &I386_STARTS },
            Machine::Amd64 => Self { bytes: &AMD64, rvas: &AMD64_RVAS, starts: &AMD64_STARTS },
        }
    }

    /// Returns the image of the DLL at `place` of [`DLLS`].
    pub(super) fn image(&self, place: usize) -> &'static [u8] {
        &self.bytes[self.starts[place]..self.starts[place + 1]]
    }

    /// Returns the RVA of an export or method, by its index; `None` when it has no place in the image.
    pub(super) fn rva(&self, index: usize) -> Option<u32> {
        Some(self.rvas[index]).filter(|&rva| rva != 0)
    }
}

static EXPORTS: [&Export; COUNT] = exports();

static AMD64_PLANS: [Plan; DLLS.len()] = plans(Machine::Amd64);
static AMD64_STARTS: [usize; DLLS.len() + 1] = starts(&AMD64_PLANS);
static AMD64_RVAS: [u32; COUNT] = rvas(Machine::Amd64, &AMD64_PLANS);
static AMD64: [u8; starts(&plans(Machine::Amd64))[DLLS.len()]] =
    images(Machine::Amd64, &AMD64_PLANS, &AMD64_RVAS, &AMD64_STARTS);

static I386_PLANS: [Plan; DLLS.len()] = plans(Machine::I386);
static I386_STARTS: [usize; DLLS.len() + 1] = starts(&I386_PLANS);
static I386_RVAS: [u32; COUNT] = rvas(Machine::I386, &I386_PLANS);
static I386: [u8; starts(&plans(Machine::I386))[DLLS.len()]] =
    images(Machine::I386, &I386_PLANS, &I386_RVAS, &I386_STARTS);

/// How large the parts of a DLL's image are.
#[derive(Clone, Copy)]
struct Plan {
    /// Bytes of code.
    text: usize,
    /// Bytes of the variables, each aligned to 16 bytes.
    data: usize,
    /// Bytes of the texts behind the export tables.
    texts: usize,
    /// The number of names.
    names: usize,
    /// The number of ordinals from the lowest to the highest.
    slots: usize,
    /// The lowest ordinal.
    base: u16,
}

impl Plan {
    const fn tables(&self) -> ExportTables {
        ExportTables::new(self.rdata(), self.slots, self.names)
    }

    const fn rdata(&self) -> usize {
        HEADERS_BYTES + self.text.next_multiple_of(PAGE)
    }

    const fn rdata_bytes(&self) -> usize {
        self.tables().texts + self.texts - self.rdata()
    }

    const fn data_start(&self) -> usize {
        self.rdata() + self.rdata_bytes().next_multiple_of(PAGE)
    }

    const fn bytes(&self) -> usize {
        self.data_start() + self.data.next_multiple_of(PAGE)
    }

    const fn headers(&self, machine: Machine) -> HeaderPlan<'static> {
        let kind = match machine {
            Machine::I386 => plat_image::pe::Machine::I386,
            Machine::Amd64 => plat_image::pe::Machine::Amd64,
        };
        let mut directories = [(0, 0); 16];
        directories[EXPORT_DIRECTORY] = (self.rdata() as u32, self.rdata_bytes() as u32);
        HeaderPlan {
            machine: kind,
            base: 0,
            timestamp: 0,
            entry: 0,
            code_bytes: self.text.next_multiple_of(PAGE) as u32,
            image_bytes: self.bytes() as u32,
            sections: &[],
            directories,
        }
    }
}

/// Lists all exports and methods by their indexes.
const fn exports() -> [&'static Export; COUNT] {
    let mut all = [&DLLS[0].table(0)[0]; COUNT];
    let (mut dll, mut next) = (0, 0);
    while dll < DLLS.len() {
        let mut table = 0;
        while table < DLLS[dll].table_count() {
            let mut row = 0;
            while row < DLLS[dll].table(table).len() {
                all[next] = &DLLS[dll].table(table)[row];
                next += 1;
                row += 1;
            }
            table += 1;
        }
        dll += 1;
    }
    all
}

/// For each DLL the number of its rows that are exports; methods follow them.
static EXPORT_COUNTS: [usize; DLLS.len()] = export_counts();

const fn export_counts() -> [usize; DLLS.len()] {
    let mut counts = [0; DLLS.len()];
    let mut dll = 0;
    while dll < DLLS.len() {
        let mut table = 0;
        while table < DLLS[dll].tables.len() {
            counts[dll] += DLLS[dll].tables[table].len();
            table += 1;
        }
        dll += 1;
    }
    counts
}

/// Returns the bytes of a thunk.
const fn thunk_bytes(machine: Machine) -> usize {
    match machine {
        Machine::I386 => 10,
        Machine::Amd64 => 11,
    }
}

/// Returns how many bytes of code lie behind an export.
const fn code_bytes(export: &Export, machine: Machine) -> usize {
    match export.body {
        Body::Api(_) | Body::Stub => thunk_bytes(machine),
        Body::Code(code) if code.bytes(machine).is_empty() => 0,
        Body::Code(code) if code.slow.is_some() => code.bytes(machine).len() + thunk_bytes(machine),
        Body::Code(code) => code.bytes(machine).len(),
        Body::Forward(_) | Body::Data(_) => 0,
    }
}

/// Says whether a machine has an export at all.
const fn is_present(export: &Export, machine: Machine) -> bool {
    match export.body {
        Body::Code(code) => !code.bytes(machine).is_empty(),
        _ => true,
    }
}

const fn plans(machine: Machine) -> [Plan; DLLS.len()] {
    let mut plans = [Plan { text: 0, data: 0, texts: 0, names: 0, slots: 0, base: 0 }; DLLS.len()];
    let mut dll = 0;
    while dll < DLLS.len() {
        plans[dll] = plan(dll, machine);
        dll += 1;
    }
    plans
}

const fn plan(dll: usize, machine: Machine) -> Plan {
    let mut ordinals = Ordinals::new(dll, machine);
    let base = ordinals.lowest;
    let mut plan =
        Plan { text: PROLOGUE_BYTES, data: 0, texts: DLLS[dll].name.len() + 1, names: 0, slots: 0, base };
    let order = name_order(dll);
    let mut at = 0;
    while at < order.len() {
        let export = EXPORTS[first_index_at(dll) + order[at] as usize];
        plan.text += code_bytes(export, machine).next_multiple_of(16);
        if let Body::Data(variable) = export.body {
            plan.data = plan.data.next_multiple_of(16) + variable.size.on(machine) as usize;
        }
        if (order[at] as usize) < EXPORT_COUNTS[dll] && is_present(export, machine) {
            let slot = (ordinals.next(export) - base) as usize;
            plan.slots = if slot >= plan.slots { slot + 1 } else { plan.slots };
            plan.names += 1;
            plan.texts += export.name.len() + 1;
            if let Body::Forward(to) = export.body {
                plan.texts += to.len() + 1;
            }
        }
        at += 1;
    }
    plan
}

/// Gives out ordinals: those that exports ask for, and to the others what is free from the lowest of them on.
struct Ordinals {
    /// One bit for each ordinal that is asked for.
    taken: [u64; 1024],
    /// The lowest ordinal.
    lowest: u16,
    /// The next that may be free.
    candidate: u16,
}

impl Ordinals {
    const fn new(dll: usize, machine: Machine) -> Self {
        let mut this = Self { taken: [0; 1024], lowest: u16::MAX, candidate: 1 };
        let mut row = 0;
        while row < EXPORT_COUNTS[dll] {
            let export = EXPORTS[first_index_at(dll) + row];
            if let (Some(ordinal), true) = (export.ordinal, is_present(export, machine)) {
                assert!(!this.is_taken(ordinal), "two exports of a builtin DLL have one ordinal");
                this.taken[ordinal as usize / 64] |= 1 << (ordinal % 64);
                this.lowest = if ordinal < this.lowest { ordinal } else { this.lowest };
            }
            row += 1;
        }
        this.lowest = if this.lowest == u16::MAX { 1 } else { this.lowest };
        this.candidate = this.lowest;
        this
    }

    const fn is_taken(&self, ordinal: u16) -> bool {
        self.taken[ordinal as usize / 64] & 1 << (ordinal % 64) != 0
    }

    const fn next(&mut self, export: &Export) -> u16 {
        if let Some(ordinal) = export.ordinal {
            return ordinal;
        }
        while self.is_taken(self.candidate) {
            self.candidate += 1;
        }
        self.candidate += 1;
        self.candidate - 1
    }
}

const fn starts(plans: &[Plan; DLLS.len()]) -> [usize; DLLS.len() + 1] {
    let mut starts = [0; DLLS.len() + 1];
    let mut dll = 0;
    while dll < DLLS.len() {
        starts[dll + 1] = starts[dll] + plans[dll].bytes();
        dll += 1;
    }
    starts
}

const fn rvas(machine: Machine, plans: &[Plan; DLLS.len()]) -> [u32; COUNT] {
    let mut rvas = [0; COUNT];
    let mut dll = 0;
    while dll < DLLS.len() {
        let order = name_order(dll);
        let (mut text, mut data, mut at) = (HEADERS_BYTES + PROLOGUE_BYTES, plans[dll].data_start(), 0);
        while at < order.len() {
            let index = first_index_at(dll) + order[at] as usize;
            let export = EXPORTS[index];
            let bytes = code_bytes(export, machine);
            if bytes > 0 {
                rvas[index] = text as u32;
                text += bytes.next_multiple_of(16);
            }
            if let Body::Data(variable) = export.body {
                data = data.next_multiple_of(16);
                rvas[index] = data as u32;
                data += variable.size.on(machine) as usize;
            }
            at += 1;
        }
        dll += 1;
    }
    rvas
}

const fn images<const BYTES: usize>(
    machine: Machine,
    plans: &[Plan; DLLS.len()],
    rvas: &[u32; COUNT],
    starts: &[usize; DLLS.len() + 1],
) -> [u8; BYTES] {
    let mut all = [0; BYTES];
    let mut dll = 0;
    while dll < DLLS.len() {
        let (_, rest) = all.split_at_mut(starts[dll]);
        let (image, _) = rest.split_at_mut(plans[dll].bytes());
        let breakpoints = [0xcc; CODE_BYTES_MAX];
        put(image, HEADERS_BYTES, breakpoints.split_at(plans[dll].text).0);
        write_headers(image, machine, &plans[dll]);
        write_code(image, dll, machine, rvas);
        write_exports(image, dll, machine, &plans[dll], rvas);
        dll += 1;
    }
    all
}

const fn write_headers(out: &mut [u8], machine: Machine, plan: &Plan) {
    let text =
        PlannedSection { name: ".text", rva: HEADERS_BYTES as u32, bytes: plan.text as u32, flags: CODE };
    let rdata = PlannedSection {
        name: ".rdata",
        rva: plan.rdata() as u32,
        bytes: plan.rdata_bytes() as u32,
        flags: READ_ONLY,
    };
    let data = PlannedSection {
        name: ".data",
        rva: plan.data_start() as u32,
        bytes: plan.data as u32,
        flags: READ_ONLY.union(SectionFlags::MEM_WRITE),
    };
    // Windows refuses empty sections.
    if plan.data == 0 {
        HeaderPlan { sections: &[text, rdata], ..plan.headers(machine) }.write(out);
    } else {
        HeaderPlan { sections: &[text, rdata, data], ..plan.headers(machine) }.write(out);
    }
}

/// Writes the code of all exports and methods, with breakpoints between, as linkers put them.
const fn write_code(out: &mut [u8], dll: usize, machine: Machine, rvas: &[u32; COUNT]) {
    let mut index = first_index_at(dll);
    while index < first_index_at(dll + 1) {
        let rva = rvas[index] as usize;
        match EXPORTS[index].body {
            Body::Api(_) | Body::Stub => put(out, rva, &thunk(rva, index, machine)),
            Body::Code(code) if rva != 0 => {
                let bytes = code.bytes(machine);
                put(out, rva, bytes);
                let end = rva + bytes.len();
                if code.slow.is_some() {
                    put(out, end, thunk(end, index, machine).split_at(thunk_bytes(machine)).0);
                }
            }
            _ => {}
        }
        index += 1;
    }
}

/// Makes the thunk that lies at an RVA, and breakpoints behind it: the index into EAX, then by the prologue into the host.
const fn thunk(rva: usize, index: usize, machine: Machine) -> [u8; 16] {
    let distance = ENTRANCE_RVA.wrapping_sub((rva + thunk_bytes(machine)) as u32);
    let ([a, b, c, d], [w, x, y, z]) = ((index as u32).to_le_bytes(), distance.to_le_bytes());
    match machine {
        // mov eax, index; jmp to the far jump in the prologue
        Machine::I386 => [0xb8, a, b, c, d, 0xe9, w, x, y, z, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc],
        // mov eax, index; jmp [rip + distance to the address in the prologue]
        Machine::Amd64 => [0xb8, a, b, c, d, 0xff, 0x25, w, x, y, z, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc],
    }
}

const fn write_exports(out: &mut [u8], dll: usize, machine: Machine, plan: &Plan, rvas: &[u32; COUNT]) {
    let tables = plan.tables();
    let mut text = tables.texts;
    tables.write_directory(out, 0, plan.base, text as u32);
    text = write_text(out, text, DLLS[dll].name);
    let mut ordinals = Ordinals::new(dll, machine);
    let order = name_order(dll);
    let (mut at, mut name) = (0, 0);
    while at < order.len() {
        let index = first_index_at(dll) + order[at] as usize;
        let export = EXPORTS[index];
        if (order[at] as usize) < EXPORT_COUNTS[dll] && is_present(export, machine) {
            let slot = ordinals.next(export) - plan.base;
            tables.write_name(out, name, text as u32, slot);
            text = write_text(out, text, export.name);
            if let Body::Forward(to) = export.body {
                tables.write_address(out, slot, text as u32);
                text = write_text(out, text, to);
            } else {
                tables.write_address(out, slot, rvas[index]);
            }
            name += 1;
        }
        at += 1;
    }
}

/// Writes a text and its final zero; returns where the next begins.
const fn write_text(out: &mut [u8], at: usize, text: &str) -> usize {
    put(out, at, text.as_bytes());
    at + text.len() + 1
}
