//! `std::streambuf`: the buffer between a stream and what it reads and writes.
//!
//! Fields, in words behind the table: the places of six pointers and two counts (get area, put area), then pointers to them, so
//! that a buffer can use those of something else; at the end the locale.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/basic-streambuf-class>; fields as the inline functions of the
//! public headers use them.

use plat_abi::{Fault, GuestWord, Memory};

use super::locale::{global, incref, of_locale, put_locale, release};
use super::members::kinds_of;
use super::names::{Kind, kinds};
use super::object::{Words, virtual_method};
use super::tables::table;
use crate::guest::Guest;
use crate::msvcrt::state::place;

/// Places in the table of virtual functions.
pub(super) mod slot {
    pub(crate) const OVERFLOW: u64 = 3;
    pub(crate) const PBACKFAIL: u64 = 4;
    pub(crate) const SHOWMANYC: u64 = 5;
    pub(crate) const UNDERFLOW: u64 = 6;
    pub(crate) const UFLOW: u64 = 7;
    pub(crate) const XSGETN: u64 = 8;
    pub(crate) const XSPUTN: u64 = 9;
    pub(crate) const SEEKOFF: u64 = 10;
    pub(crate) const SEEKPOS: u64 = 11;
    pub(crate) const SETBUF: u64 = 12;
    pub(crate) const SYNC: u64 = 13;
    pub(crate) const IMBUE: u64 = 14;
}

/// A buffer of the program's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Buffer {
    pub(super) at: u64,
    word: u64,
    kind: Kind,
}

/// One of a buffer's two areas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Area {
    Get,
    Put,
}

impl Buffer {
    pub(super) fn new(guest: &Guest, kind: Kind, at: u64) -> Self {
        Self { at, word: guest.machine().pointer_size(), kind }
    }

    /// Where the buffer keeps an area's own start, its next character, and the count of what is left.
    fn own(self, area: Area) -> [u64; 3] {
        let second = u64::from(area == Area::Put);
        let counts = self.at + 9 * self.word;
        [self.at + (1 + second) * self.word, self.at + (5 + second) * self.word, counts + 4 * second]
    }

    /// Where the pointers to these are.
    fn places(self, area: Area) -> [u64; 3] {
        let second = u64::from(area == Area::Put) * self.word;
        let counts = self.at + 9 * self.word + 8;
        [self.at + 3 * self.word + second, self.at + 7 * self.word + second, counts + second]
    }

    pub(super) fn locale_at(self) -> u64 {
        self.at + 11 * self.word + 8
    }

    /// Bytes of a buffer object.
    pub(super) fn size(word: u64) -> u64 {
        12 * word + 8
    }

    /// Points the pointers at the buffer's own fields, and empties both areas.
    fn init(self, guest: &Guest) -> Result<(), Fault> {
        for area in [Area::Get, Area::Put] {
            for (place, own) in self.places(area).into_iter().zip(self.own(area)) {
                guest.write_word(place, own)?;
            }
            self.set(guest, area, [0; 3])?;
        }
        Ok(())
    }

    /// Sets an area: start, next, end.
    pub(super) fn set(self, guest: &Guest, area: Area, [start, next, end]: [u64; 3]) -> Result<(), Fault> {
        let [at_start, at_next, at_count] = self.places(area);
        guest.write_word(guest.read_word(at_start)?, start)?;
        guest.write_word(guest.read_word(at_next)?, next)?;
        guest.write(guest.read_word(at_count)?, &((end.wrapping_sub(next) / self.kind.unit()) as u32))
    }

    pub(super) fn start(self, guest: &Guest, area: Area) -> Result<u64, Fault> {
        guest.read_word(guest.read_word(self.places(area)[0])?)
    }

    pub(super) fn next(self, guest: &Guest, area: Area) -> Result<u64, Fault> {
        guest.read_word(guest.read_word(self.places(area)[1])?)
    }

    fn count(self, guest: &Guest, area: Area) -> Result<i32, Fault> {
        guest.read(guest.read_word(self.places(area)[2])?)
    }

    pub(super) fn end(self, guest: &Guest, area: Area) -> Result<u64, Fault> {
        let bytes = i64::from(self.count(guest, area)?) * self.kind.unit() as i64;
        Ok(self.next(guest, area)?.wrapping_add_signed(bytes))
    }

    /// Returns an area: start, next, end.
    pub(super) fn area(self, guest: &Guest, area: Area) -> Result<[u64; 3], Fault> {
        Ok([self.start(guest, area)?, self.next(guest, area)?, self.end(guest, area)?])
    }

    /// Returns how many characters an area has left.
    pub(super) fn left(self, guest: &Guest, area: Area) -> Result<u64, Fault> {
        if self.next(guest, area)? == 0 {
            return Ok(0);
        }
        Ok(self.count(guest, area)?.max(0) as u64)
    }

    /// Goes on in an area; returns where it was.
    pub(super) fn advance(self, guest: &Guest, area: Area, by: i64) -> Result<u64, Fault> {
        let next = self.next(guest, area)?;
        let count = self.count(guest, area)?.wrapping_sub(by as i32);
        guest.write(guest.read_word(self.places(area)[2])?, &count)?;
        guest.write_word(guest.read_word(self.places(area)[1])?, next.wrapping_add_signed(self.bytes(by)))?;
        Ok(next)
    }

    /// Returns the bytes of so many characters.
    fn bytes(self, count: i64) -> i64 {
        count.wrapping_mul(self.kind.unit() as i64)
    }

    /// Calls a virtual function that answers with a character or the end.
    fn call(self, guest: &mut Guest, place: u64, words: Words) -> Result<Option<u16>, Fault> {
        let answer = virtual_method(guest, self.at, place, words)?;
        Ok(self.kind.of_meta(answer as i32))
    }

    /// Reads a character.
    pub(super) fn load(self, guest: &Guest, at: u64) -> Result<u16, Fault> {
        load_unit(guest, self.kind, at)
    }

    /// Returns the next character, which stays.
    pub(super) fn peek(self, guest: &mut Guest) -> Result<Option<u16>, Fault> {
        if self.left(guest, Area::Get)? != 0 {
            return self.load(guest, self.next(guest, Area::Get)?).map(Some);
        }
        let words = Words::new(guest);
        self.call(guest, slot::UNDERFLOW, words)
    }

    /// Takes the next character.
    pub(super) fn bump(self, guest: &mut Guest) -> Result<Option<u16>, Fault> {
        if self.left(guest, Area::Get)? != 0 {
            let at = self.advance(guest, Area::Get, 1)?;
            return self.load(guest, at).map(Some);
        }
        let words = Words::new(guest);
        self.call(guest, slot::UFLOW, words)
    }

    /// Takes a character and returns the one behind it, which stays.
    pub(super) fn next_char(self, guest: &mut Guest) -> Result<Option<u16>, Fault> {
        match self.bump(guest)? {
            None => Ok(None),
            Some(_) => self.peek(guest),
        }
    }

    /// Writes a character; `None` where that failed.
    pub(super) fn put(self, guest: &mut Guest, unit: u16) -> Result<Option<u16>, Fault> {
        if self.left(guest, Area::Put)? != 0 {
            let at = self.advance(guest, Area::Put, 1)?;
            store_unit(guest, self.kind, at, unit)?;
            return Ok(Some(unit));
        }
        let words = Words::new(guest).word(unit.into());
        self.call(guest, slot::OVERFLOW, words)
    }

    /// Writes characters through the buffer's own function; returns how many.
    pub(super) fn put_all(self, guest: &mut Guest, from: u64, count: i64) -> Result<i64, Fault> {
        let words = Words::new(guest).word(from).long(count as u64);
        virtual_method(guest, self.at, slot::XSPUTN, words).map(|answer| answer as i64)
    }

    /// Reads characters through the buffer's own function; returns how many.
    pub(super) fn get_all(self, guest: &mut Guest, to: u64, count: i64) -> Result<i64, Fault> {
        let words = Words::new(guest).word(to).long(count as u64);
        virtual_method(guest, self.at, slot::XSGETN, words).map(|answer| answer as i64)
    }

    /// Brings what lies behind the buffer up to date.
    pub(super) fn sync(self, guest: &mut Guest) -> Result<i32, Fault> {
        let words = Words::new(guest);
        virtual_method(guest, self.at, slot::SYNC, words).map(|answer| answer as i32)
    }

    /// Writes characters of the host's; says whether all could be written.
    pub(super) fn put_units(self, guest: &mut Guest, units: &[u16]) -> Result<bool, Fault> {
        for &unit in units {
            if self.put(guest, unit)?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Makes a buffer: the table, empty areas, the program's locale.
    pub(super) fn make(self, guest: &Guest) -> Result<(), Fault> {
        guest.write_word(self.at, table(guest, self.kind.pick(kinds!("??_7?$basic_streambuf@^6B@"))))?;
        let locale = place(guest, &[0; 16])?;
        let collection = global(guest)?;
        put_locale(guest, locale, collection)?;
        guest.write_word(self.locale_at(), locale)?;
        self.init(guest)
    }
}

/// Reads a character.
pub(super) fn load_unit(guest: &Guest, kind: Kind, at: u64) -> Result<u16, Fault> {
    if kind.is_narrow() { guest.read::<u8>(at).map(u16::from) } else { guest.read(at) }
}

/// Writes a character.
pub(super) fn store_unit(guest: &Guest, kind: Kind, at: u64, unit: u16) -> Result<(), Fault> {
    if kind.is_narrow() { guest.write(at, &(unit as u8)) } else { guest.write(at, &unit) }
}

/// The fields of a file position: offset, what the file says, state of a conversion.
pub(super) fn put_position(guest: &Guest, at: u64, offset: i64) -> Result<(), Fault> {
    guest.write(at, &[offset, 0, 0])
}

kinds_of! { EXPORTS in streambuf_exports, "basic-streambuf-class";
    "Makes a buffer.", "??0?$basic_streambuf@^I*A+@XZ";
    streambuf_new(guest, kind, this) -> GuestWord {
        Buffer::new(guest, kind, this.0).make(guest)?;
        Ok(this)
    }

    "Ends a buffer.", "??1?$basic_streambuf@^U*A+@XZ";
    streambuf_end(guest, kind, this) -> () {
        let at = guest.read_word(Buffer::new(guest, kind, this.0).locale_at())?;
        if at != 0 {
            let collection = of_locale(guest, at)?;
            release(guest, collection.0)?;
            guest.process().heaps.free(0, at);
        }
        Ok(())
    }

    "Points the buffer at its own fields.", "?_Init@?$basic_streambuf@^I*A+XXZ";
    streambuf_init(guest, kind, this) -> () { Buffer::new(guest, kind, this.0).init(guest) }

    "Points the buffer at fields of others.", "?_Init@?$basic_streambuf@^I*A+XP*AP*A#0P*AH001@Z";
    streambuf_init_with(guest, kind, this, get: GuestWord, get_next: GuestWord, get_count: GuestWord,
        put: GuestWord, put_next: GuestWord, put_count: GuestWord) -> () {
        let buffer = Buffer::new(guest, kind, this.0);
        for (area, places) in [(Area::Get, [get, get_next, get_count]), (Area::Put, [put, put_next, put_count])] {
            for (at, place) in buffer.places(area).into_iter().zip(places) {
                guest.write_word(at, place.0)?;
            }
        }
        Ok(())
    }

    "Returns the locale.", "?getloc@?$basic_streambuf@^Q*B+?AVlocale@2@XZ";
    streambuf_getloc(guest, kind, this, to: GuestWord) -> GuestWord {
        let at = guest.read_word(Buffer::new(guest, kind, this.0).locale_at())?;
        let collection = of_locale(guest, at)?;
        put_locale(guest, to.0, collection)?;
        Ok(to)
    }

    "Sets the locale; returns the one before.", "?pubimbue@?$basic_streambuf@^Q*A+?AVlocale@2@A*BV32@@Z";
    streambuf_pubimbue(guest, kind, this, to: GuestWord, locale: GuestWord) -> GuestWord {
        streambuf_getloc(guest, kind, this, to)?;
        let words = Words::new(guest).word(locale.0);
        virtual_method(guest, this.0, slot::IMBUE, words)?;
        let at = guest.read_word(Buffer::new(guest, kind, this.0).locale_at())?;
        let (old, new) = (of_locale(guest, at)?, of_locale(guest, locale.0)?);
        incref(guest, new.0)?;
        guest.write_word(at + guest.machine().pointer_size(), new.0)?;
        release(guest, old.0)?;
        Ok(to)
    }

    "Returns the start of the get area.", "?eback@?$basic_streambuf@^I*B+P*A#XZ";
    streambuf_eback(guest, kind, this) -> GuestWord { Buffer::new(guest, kind, this.0).start(guest, Area::Get).map(GuestWord) }

    "Returns the next place of the get area.", "?gptr@?$basic_streambuf@^I*B+P*A#XZ";
    streambuf_gptr(guest, kind, this) -> GuestWord { Buffer::new(guest, kind, this.0).next(guest, Area::Get).map(GuestWord) }

    "Returns the end of the get area.", "?egptr@?$basic_streambuf@^I*B+P*A#XZ";
    streambuf_egptr(guest, kind, this) -> GuestWord { Buffer::new(guest, kind, this.0).end(guest, Area::Get).map(GuestWord) }

    "Returns the start of the put area.", "?pbase@?$basic_streambuf@^I*B+P*A#XZ";
    streambuf_pbase(guest, kind, this) -> GuestWord { Buffer::new(guest, kind, this.0).start(guest, Area::Put).map(GuestWord) }

    "Returns the next place of the put area.", "?pptr@?$basic_streambuf@^I*B+P*A#XZ";
    streambuf_pptr(guest, kind, this) -> GuestWord { Buffer::new(guest, kind, this.0).next(guest, Area::Put).map(GuestWord) }

    "Returns the end of the put area.", "?epptr@?$basic_streambuf@^I*B+P*A#XZ";
    streambuf_epptr(guest, kind, this) -> GuestWord { Buffer::new(guest, kind, this.0).end(guest, Area::Put).map(GuestWord) }

    "Sets the get area.", "?setg@?$basic_streambuf@^I*A+XP*A#00@Z";
    streambuf_setg(guest, kind, this, first: GuestWord, next: GuestWord, last: GuestWord) -> () {
        Buffer::new(guest, kind, this.0).set(guest, Area::Get, [first.0, next.0, last.0])
    }

    "Sets the put area.", "?setp@?$basic_streambuf@^I*A+XP*A#0@Z";
    streambuf_setp(guest, kind, this, first: GuestWord, last: GuestWord) -> () {
        Buffer::new(guest, kind, this.0).set(guest, Area::Put, [first.0, first.0, last.0])
    }

    "Sets the put area.", "?setp@?$basic_streambuf@^I*A+XP*A#00@Z";
    streambuf_setp_next(guest, kind, this, first: GuestWord, next: GuestWord, last: GuestWord) -> () {
        Buffer::new(guest, kind, this.0).set(guest, Area::Put, [first.0, next.0, last.0])
    }

    "Goes on in the get area.", "?gbump@?$basic_streambuf@^I*A+XH@Z";
    streambuf_gbump(guest, kind, this, by: i32) -> () { Buffer::new(guest, kind, this.0).advance(guest, Area::Get, by.into()).map(drop) }

    "Goes on in the put area.", "?pbump@?$basic_streambuf@^I*A+XH@Z";
    streambuf_pbump(guest, kind, this, by: i32) -> () { Buffer::new(guest, kind, this.0).advance(guest, Area::Put, by.into()).map(drop) }

    "Goes on in the get area by one; returns where it was.", "?_Gninc@?$basic_streambuf@^I*A+P*A#XZ";
    streambuf_gninc(guest, kind, this) -> GuestWord { Buffer::new(guest, kind, this.0).advance(guest, Area::Get, 1).map(GuestWord) }

    "Goes on in the get area by one; returns where it is then.", "?_Gnpreinc@?$basic_streambuf@^I*A+P*A#XZ";
    streambuf_gnpreinc(guest, kind, this) -> GuestWord {
        Buffer::new(guest, kind, this.0).advance(guest, Area::Get, 1).map(|at| GuestWord(at + kind.unit()))
    }

    "Goes back in the get area by one; returns where it is then.", "?_Gndec@?$basic_streambuf@^I*A+P*A#XZ";
    streambuf_gndec(guest, kind, this) -> GuestWord {
        Buffer::new(guest, kind, this.0).advance(guest, Area::Get, -1).map(|at| GuestWord(at - kind.unit()))
    }

    "Goes on in the put area by one; returns where it was.", "?_Pninc@?$basic_streambuf@^I*A+P*A#XZ";
    streambuf_pninc(guest, kind, this) -> GuestWord { Buffer::new(guest, kind, this.0).advance(guest, Area::Put, 1).map(GuestWord) }

    "Returns how much the get area has left.", "?_Gnavail@?$basic_streambuf@^I*B+_JXZ";
    streambuf_gnavail(guest, kind, this) -> i64 { Buffer::new(guest, kind, this.0).left(guest, Area::Get).map(|left| left as i64) }

    "Returns how much the put area has left.", "?_Pnavail@?$basic_streambuf@^I*B+_JXZ";
    streambuf_pnavail(guest, kind, this) -> i64 { Buffer::new(guest, kind, this.0).left(guest, Area::Put).map(|left| left as i64) }
}

kinds_of! { READING in streambuf_reading, "basic-streambuf-class";
    "Returns the next character, which stays.", "?sgetc@?$basic_streambuf@^Q*A+%XZ";
    streambuf_sgetc(guest, kind, this) -> i32 { Buffer::new(guest, kind, this.0).peek(guest).map(|unit| kind.meta(unit)) }

    "Takes the next character.", "?sbumpc@?$basic_streambuf@^Q*A+%XZ";
    streambuf_sbumpc(guest, kind, this) -> i32 { Buffer::new(guest, kind, this.0).bump(guest).map(|unit| kind.meta(unit)) }

    "Takes a character and returns the one behind it.", "?snextc@?$basic_streambuf@^Q*A+%XZ";
    streambuf_snextc(guest, kind, this) -> i32 { Buffer::new(guest, kind, this.0).next_char(guest).map(|unit| kind.meta(unit)) }

    "Takes a character that nobody looks at.", "?stossc@?$basic_streambuf@^Q*A+XXZ";
    streambuf_stossc(guest, kind, this) -> () { Buffer::new(guest, kind, this.0).bump(guest).map(drop) }

    "Puts a character back.", "?sputbackc@?$basic_streambuf@^Q*A+%#@Z";
    streambuf_sputbackc(guest, kind, this, unit: u32) -> i32 {
        Buffer::new(guest, kind, this.0).put_back(guest, Some(kind.value(unit))).map(|unit| kind.meta(unit))
    }

    "Puts the last character back.", "?sungetc@?$basic_streambuf@^Q*A+%XZ";
    streambuf_sungetc(guest, kind, this) -> i32 {
        Buffer::new(guest, kind, this.0).put_back(guest, None).map(|unit| kind.meta(unit))
    }

    "Reads characters.", "?sgetn@?$basic_streambuf@^Q*A+_JP*A#_J@Z";
    streambuf_sgetn(guest, kind, this, to: GuestWord, count: i64) -> i64 { Buffer::new(guest, kind, this.0).get_all(guest, to.0, count) }

    "Writes a character.", "?sputc@?$basic_streambuf@^Q*A+%#@Z";
    streambuf_sputc(guest, kind, this, unit: u32) -> i32 {
        Buffer::new(guest, kind, this.0).put(guest, kind.value(unit)).map(|unit| kind.meta(unit))
    }

    "Writes characters.", "?sputn@?$basic_streambuf@^Q*A+_JP*B#_J@Z";
    streambuf_sputn(guest, kind, this, from: GuestWord, count: i64) -> i64 { Buffer::new(guest, kind, this.0).put_all(guest, from.0, count) }

    "Returns how many characters can be had at once.", "?in_avail@?$basic_streambuf@^Q*A+_JXZ";
    streambuf_in_avail(guest, kind, this) -> i64 {
        match Buffer::new(guest, kind, this.0).left(guest, Area::Get)? {
            0 => {
                let words = Words::new(guest);
                virtual_method(guest, this.0, slot::SHOWMANYC, words).map(|answer| answer as i64)
            }
            left => Ok(left as i64),
        }
    }

    "Brings what lies behind up to date.", "?pubsync@?$basic_streambuf@^Q*A+HXZ";
    streambuf_pubsync(guest, kind, this) -> i32 { Buffer::new(guest, kind, this.0).sync(guest) }

    "Moves a position by an offset.", "?pubseekoff@?$basic_streambuf@^Q*A+?AV?$fpos@U_Mbstatet@@@2@_JHH@Z";
    streambuf_pubseekoff(guest, kind, this, to: GuestWord, offset: i64, way: i32, which: i32) -> GuestWord {
        let words = Words::new(guest).word(to.0).long(offset as u64).word(way as u64).word(which as u64);
        virtual_method(guest, this.0, slot::SEEKOFF, words).map(GuestWord)
    }

    "Sets the memory that is used.", "?pubsetbuf@?$basic_streambuf@^Q*A+P*AV12@P*A#_J@Z";
    streambuf_pubsetbuf(guest, kind, this, memory: GuestWord, count: i64) -> GuestWord {
        let words = Words::new(guest).word(memory.0).long(count as u64);
        virtual_method(guest, this.0, slot::SETBUF, words).map(GuestWord)
    }
}

impl Buffer {
    /// Puts a character back, or the last one; `None` where that failed.
    pub(super) fn put_back(self, guest: &mut Guest, unit: Option<u16>) -> Result<Option<u16>, Fault> {
        let next = self.next(guest, Area::Get)?;
        if next != 0 && self.start(guest, Area::Get)? < next {
            let last = self.load(guest, next - self.kind.unit())?;
            if unit.is_none_or(|unit| unit == last) {
                self.advance(guest, Area::Get, -1)?;
                return Ok(Some(last));
            }
        }
        let words = Words::new(guest).word(u64::from(self.kind.meta(unit) as u32));
        self.call(guest, slot::PBACKFAIL, words)
    }

    /// Takes the next character after an underflow.
    fn refill(self, guest: &mut Guest) -> Result<Option<u16>, Fault> {
        let words = Words::new(guest);
        match self.call(guest, slot::UNDERFLOW, words)? {
            None => Ok(None),
            Some(_) => {
                let at = self.advance(guest, Area::Get, 1)?;
                self.load(guest, at).map(Some)
            }
        }
    }

    /// Reads characters: from the get area, then one by one.
    fn read_all(self, guest: &mut Guest, to: u64, count: i64) -> Result<i64, Fault> {
        let unit = self.kind.unit();
        let mut done = 0;
        while done < count {
            let left = self.left(guest, Area::Get)?.min((count - done) as u64);
            let to = to + done as u64 * unit;
            if left != 0 {
                let from = self.advance(guest, Area::Get, left as i64)?;
                let bytes = guest.read_vec(from, left * unit)?;
                guest.write_bytes(to, &bytes)?;
                done += left as i64;
                continue;
            }
            let words = Words::new(guest);
            let Some(next) = self.call(guest, slot::UFLOW, words)? else { break };
            store_unit(guest, self.kind, to, next)?;
            done += 1;
        }
        Ok(done)
    }

    /// Writes characters: into the put area, then one by one.
    fn write_all(self, guest: &mut Guest, from: u64, count: i64) -> Result<i64, Fault> {
        let unit = self.kind.unit();
        let mut done = 0;
        while done < count {
            let left = self.left(guest, Area::Put)?.min((count - done) as u64);
            let from = from + done as u64 * unit;
            if left != 0 {
                let bytes = guest.read_vec(from, left * unit)?;
                let to = self.advance(guest, Area::Put, left as i64)?;
                guest.write_bytes(to, &bytes)?;
                done += left as i64;
                continue;
            }
            let words = Words::new(guest).word(self.load(guest, from)?.into());
            if self.call(guest, slot::OVERFLOW, words)?.is_none() {
                break;
            }
            done += 1;
        }
        Ok(done)
    }
}

kinds_of! { VIRTUAL in streambuf_virtual, "basic-streambuf-class";
    "Destroys a buffer; frees it when asked.", "__plat_streambuf_delete#*";
    streambuf_delete(guest, kind, this, flags: u32) -> GuestWord {
        streambuf_end(guest, kind, this)?;
        super::locale::facet_delete(guest, this, flags)
    }

    "Locks nothing.", "?_Lock@?$basic_streambuf@^U*A+XXZ";
    streambuf_lock(guest, kind, this) -> () {
        let _ = (guest, this);
        Ok(())
    }

    "Unlocks nothing.", "?_Unlock@?$basic_streambuf@^U*A+XXZ";
    streambuf_unlock(guest, kind, this) -> () {
        let _ = (guest, this);
        Ok(())
    }

    "Has no room to write.", "?overflow@?$basic_streambuf@^M*A+%%@Z";
    streambuf_overflow(guest, kind, this, unit: i32) -> i32 {
        let _ = (guest, this, unit);
        Ok(kind.meta(None))
    }

    "Cannot put a character back.", "?pbackfail@?$basic_streambuf@^M*A+%%@Z";
    streambuf_pbackfail(guest, kind, this, unit: i32) -> i32 {
        let _ = (guest, this, unit);
        Ok(kind.meta(None))
    }

    "Does not know how many characters there are.", "?showmanyc@?$basic_streambuf@^M*A+_JXZ";
    streambuf_showmanyc(guest, kind, this) -> i64 {
        let _ = (guest, this);
        Ok(0)
    }

    "Has nothing to read.", "?underflow@?$basic_streambuf@^M*A+%XZ";
    streambuf_underflow(guest, kind, this) -> i32 {
        let _ = (guest, this);
        Ok(kind.meta(None))
    }

    "Takes a character after an underflow.", "?uflow@?$basic_streambuf@^M*A+%XZ";
    streambuf_uflow(guest, kind, this) -> i32 {
        Buffer::new(guest, kind, this.0).refill(guest).map(|unit| kind.meta(unit))
    }

    "Reads characters: from the get area, then one by one.", "?xsgetn@?$basic_streambuf@^M*A+_JP*A#_J@Z";
    streambuf_xsgetn(guest, kind, this, to: GuestWord, count: i64) -> i64 {
        Buffer::new(guest, kind, this.0).read_all(guest, to.0, count)
    }

    "Writes characters: into the put area, then one by one.", "?xsputn@?$basic_streambuf@^M*A+_JP*B#_J@Z";
    streambuf_xsputn(guest, kind, this, from: GuestWord, count: i64) -> i64 {
        Buffer::new(guest, kind, this.0).write_all(guest, from.0, count)
    }

    "Has no position.", "?seekoff@?$basic_streambuf@^M*A+?AV?$fpos@U_Mbstatet@@@2@_JHH@Z";
    streambuf_seekoff(guest, kind, this, to: GuestWord, offset: i64, way: i32, which: i32) -> GuestWord {
        let _ = (this, offset, way, which);
        put_position(guest, to.0, -1)?;
        Ok(to)
    }

    "Sets no memory.", "?setbuf@?$basic_streambuf@^M*A+P*AV12@P*A#_J@Z";
    streambuf_setbuf(guest, kind, this, memory: GuestWord, count: i64) -> GuestWord {
        let _ = (guest, kind, memory, count);
        Ok(this)
    }

    "Has nothing to bring up to date.", "?sync@?$basic_streambuf@^M*A+HXZ";
    streambuf_sync(guest, kind, this) -> i32 {
        let _ = (guest, this);
        Ok(0)
    }

    "Takes note of a locale.", "?imbue@?$basic_streambuf@^M*A+XA*BVlocale@2@@Z";
    streambuf_imbue(guest, kind, this, locale: GuestWord) -> () {
        let _ = (guest, this, locale);
        Ok(())
    }
}

// A position by value is one pointer in a 64-bit call, and six words in a 32-bit one.
kinds_of! { POSITIONS in streambuf_positions, "basic-streambuf-class";
    "Has no position.", "?seekpos@?$basic_streambuf@^M*A+?AV?$fpos@U_Mbstatet@@@2@V32@H@Z";
    streambuf_seekpos(guest, kind, this, to: GuestWord, offset: i64, file: i64, state: i64, which: i32) -> GuestWord {
        let _ = (this, offset, file, state, which);
        put_position(guest, to.0, -1)?;
        Ok(to)
    }
}
