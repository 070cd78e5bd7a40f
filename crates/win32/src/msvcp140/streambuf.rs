//! `std::streambuf`: the buffer between a stream and what it reads and writes.
//!
//! Fields, in words behind the table: the places of six pointers and two counts (get area, put area), then pointers to them, so
//! that a buffer can use those of something else; at the end the locale.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/basic-streambuf-class>; fields as the inline functions of the
//! public headers use them.

use plat_abi::{Fault, GuestWord, Memory};

use super::locale::{global, incref, of_locale, put_locale, release};
use super::members::members;
use super::object::{Words, virtual_method};
use super::tables::table;
use crate::guest::Guest;
use crate::msvcrt::state::place;

/// What reading and writing answers at the end.
pub(super) const EOF: i32 = -1;

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
    pub(crate) const SETBUF: u64 = 12;
    pub(crate) const SYNC: u64 = 13;
    pub(crate) const IMBUE: u64 = 14;
}

/// A buffer of the program's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Buffer {
    pub(super) at: u64,
    word: u64,
}

/// One of a buffer's two areas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Area {
    Get,
    Put,
}

impl Buffer {
    pub(super) fn new(guest: &Guest, at: u64) -> Self {
        Self { at, word: guest.machine().pointer_size() }
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

    fn locale_at(self) -> u64 {
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
        guest.write(guest.read_word(at_count)?, &(end.wrapping_sub(next) as u32))
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
        Ok(self.next(guest, area)?.wrapping_add_signed(i64::from(self.count(guest, area)?)))
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
        guest.write_word(guest.read_word(self.places(area)[1])?, next.wrapping_add_signed(by))?;
        Ok(next)
    }

    fn call(self, guest: &mut Guest, place: u64) -> Result<i32, Fault> {
        let words = Words::new(guest);
        virtual_method(guest, self.at, place, words).map(|answer| answer as i32)
    }

    fn byte(guest: &Guest, at: u64) -> Result<i32, Fault> {
        guest.read::<u8>(at).map(i32::from)
    }

    /// Returns the next character, which stays.
    pub(super) fn peek(self, guest: &mut Guest) -> Result<i32, Fault> {
        if self.left(guest, Area::Get)? != 0 {
            return Self::byte(guest, self.next(guest, Area::Get)?);
        }
        self.call(guest, slot::UNDERFLOW)
    }

    /// Takes the next character.
    pub(super) fn bump(self, guest: &mut Guest) -> Result<i32, Fault> {
        if self.left(guest, Area::Get)? != 0 {
            let at = self.advance(guest, Area::Get, 1)?;
            return Self::byte(guest, at);
        }
        self.call(guest, slot::UFLOW)
    }

    /// Takes a character and returns the one behind it, which stays.
    pub(super) fn next_char(self, guest: &mut Guest) -> Result<i32, Fault> {
        match self.bump(guest)? {
            EOF => Ok(EOF),
            _ => self.peek(guest),
        }
    }

    /// Writes a character.
    pub(super) fn put(self, guest: &mut Guest, byte: u8) -> Result<i32, Fault> {
        if self.left(guest, Area::Put)? != 0 {
            let at = self.advance(guest, Area::Put, 1)?;
            guest.write(at, &byte)?;
            return Ok(byte.into());
        }
        let words = Words::new(guest).word(byte.into());
        virtual_method(guest, self.at, slot::OVERFLOW, words).map(|answer| answer as i32)
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
        self.call(guest, slot::SYNC)
    }

    /// Writes bytes of the host's; says whether all could be written.
    pub(super) fn put_bytes(self, guest: &mut Guest, bytes: &[u8]) -> Result<bool, Fault> {
        for &byte in bytes {
            if self.put(guest, byte)? == EOF {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Makes a buffer: the table, empty areas, the program's locale.
    pub(super) fn make(self, guest: &Guest) -> Result<(), Fault> {
        guest.write_word(self.at, table(guest, "??_7?$basic_streambuf@DU?$char_traits@D@std@@@std@@6B@"))?;
        let locale = place(guest, &[0; 16])?;
        let collection = global(guest)?;
        put_locale(guest, locale, collection)?;
        guest.write_word(self.locale_at(), locale)?;
        self.init(guest)
    }
}

/// The fields of a file position: offset, what the file says, state of a conversion.
pub(super) fn put_position(guest: &Guest, at: u64, offset: i64) -> Result<(), Fault> {
    guest.write(at, &[offset, 0, 0])
}

members! { EXPORTS, "basic-streambuf-class";
    "Makes a buffer.", "??0?$basic_streambuf@DU?$char_traits@D@std@@@std@@IAE@XZ" / "??0?$basic_streambuf@DU?$char_traits@D@std@@@std@@IEAA@XZ";
    streambuf_new(guest, this) -> GuestWord {
        Buffer::new(guest, this.0).make(guest)?;
        Ok(this)
    }

    "Ends a buffer.", "??1?$basic_streambuf@DU?$char_traits@D@std@@@std@@UAE@XZ" / "??1?$basic_streambuf@DU?$char_traits@D@std@@@std@@UEAA@XZ";
    streambuf_end(guest, this) -> () {
        let at = guest.read_word(Buffer::new(guest, this.0).locale_at())?;
        if at != 0 {
            let collection = of_locale(guest, at)?;
            release(guest, collection.0)?;
            guest.process().heaps.free(0, at);
        }
        Ok(())
    }

    "Points the buffer at its own fields.", "?_Init@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IAEXXZ" / "?_Init@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IEAAXXZ";
    streambuf_init(guest, this) -> () { Buffer::new(guest, this.0).init(guest) }

    "Points the buffer at fields of others.", "?_Init@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IAEXPAPAD0PAH001@Z" / "?_Init@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IEAAXPEAPEAD0PEAH001@Z";
    streambuf_init_with(guest, this, get: GuestWord, get_next: GuestWord, get_count: GuestWord,
        put: GuestWord, put_next: GuestWord, put_count: GuestWord) -> () {
        let buffer = Buffer::new(guest, this.0);
        for (area, places) in [(Area::Get, [get, get_next, get_count]), (Area::Put, [put, put_next, put_count])] {
            for (at, place) in buffer.places(area).into_iter().zip(places) {
                guest.write_word(at, place.0)?;
            }
        }
        Ok(())
    }

    "Returns the locale.", "?getloc@?$basic_streambuf@DU?$char_traits@D@std@@@std@@QBE?AVlocale@2@XZ" / "?getloc@?$basic_streambuf@DU?$char_traits@D@std@@@std@@QEBA?AVlocale@2@XZ";
    streambuf_getloc(guest, this, to: GuestWord) -> GuestWord {
        let at = guest.read_word(Buffer::new(guest, this.0).locale_at())?;
        let collection = of_locale(guest, at)?;
        put_locale(guest, to.0, collection)?;
        Ok(to)
    }

    "Sets the locale; returns the one before.", "?pubimbue@?$basic_streambuf@DU?$char_traits@D@std@@@std@@QAE?AVlocale@2@ABV32@@Z" / "?pubimbue@?$basic_streambuf@DU?$char_traits@D@std@@@std@@QEAA?AVlocale@2@AEBV32@@Z";
    streambuf_pubimbue(guest, this, to: GuestWord, locale: GuestWord) -> GuestWord {
        streambuf_getloc(guest, this, to)?;
        let words = Words::new(guest).word(locale.0);
        virtual_method(guest, this.0, slot::IMBUE, words)?;
        let at = guest.read_word(Buffer::new(guest, this.0).locale_at())?;
        let (old, new) = (of_locale(guest, at)?, of_locale(guest, locale.0)?);
        incref(guest, new.0)?;
        guest.write_word(at + guest.machine().pointer_size(), new.0)?;
        release(guest, old.0)?;
        Ok(to)
    }

    "Returns the start of the get area.", "?eback@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IBEPADXZ" / "?eback@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IEBAPEADXZ";
    streambuf_eback(guest, this) -> GuestWord { Buffer::new(guest, this.0).start(guest, Area::Get).map(GuestWord) }

    "Returns the next place of the get area.", "?gptr@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IBEPADXZ" / "?gptr@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IEBAPEADXZ";
    streambuf_gptr(guest, this) -> GuestWord { Buffer::new(guest, this.0).next(guest, Area::Get).map(GuestWord) }

    "Returns the end of the get area.", "?egptr@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IBEPADXZ" / "?egptr@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IEBAPEADXZ";
    streambuf_egptr(guest, this) -> GuestWord { Buffer::new(guest, this.0).end(guest, Area::Get).map(GuestWord) }

    "Returns the start of the put area.", "?pbase@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IBEPADXZ" / "?pbase@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IEBAPEADXZ";
    streambuf_pbase(guest, this) -> GuestWord { Buffer::new(guest, this.0).start(guest, Area::Put).map(GuestWord) }

    "Returns the next place of the put area.", "?pptr@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IBEPADXZ" / "?pptr@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IEBAPEADXZ";
    streambuf_pptr(guest, this) -> GuestWord { Buffer::new(guest, this.0).next(guest, Area::Put).map(GuestWord) }

    "Returns the end of the put area.", "?epptr@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IBEPADXZ" / "?epptr@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IEBAPEADXZ";
    streambuf_epptr(guest, this) -> GuestWord { Buffer::new(guest, this.0).end(guest, Area::Put).map(GuestWord) }

    "Sets the get area.", "?setg@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IAEXPAD00@Z" / "?setg@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IEAAXPEAD00@Z";
    streambuf_setg(guest, this, first: GuestWord, next: GuestWord, last: GuestWord) -> () {
        Buffer::new(guest, this.0).set(guest, Area::Get, [first.0, next.0, last.0])
    }

    "Sets the put area.", "?setp@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IAEXPAD0@Z" / "?setp@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IEAAXPEAD0@Z";
    streambuf_setp(guest, this, first: GuestWord, last: GuestWord) -> () {
        Buffer::new(guest, this.0).set(guest, Area::Put, [first.0, first.0, last.0])
    }

    "Sets the put area.", "?setp@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IAEXPAD00@Z" / "?setp@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IEAAXPEAD00@Z";
    streambuf_setp_next(guest, this, first: GuestWord, next: GuestWord, last: GuestWord) -> () {
        Buffer::new(guest, this.0).set(guest, Area::Put, [first.0, next.0, last.0])
    }

    "Goes on in the get area.", "?gbump@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IAEXH@Z" / "?gbump@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IEAAXH@Z";
    streambuf_gbump(guest, this, by: i32) -> () { Buffer::new(guest, this.0).advance(guest, Area::Get, by.into()).map(drop) }

    "Goes on in the put area.", "?pbump@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IAEXH@Z" / "?pbump@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IEAAXH@Z";
    streambuf_pbump(guest, this, by: i32) -> () { Buffer::new(guest, this.0).advance(guest, Area::Put, by.into()).map(drop) }

    "Goes on in the get area by one; returns where it was.", "?_Gninc@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IAEPADXZ" / "?_Gninc@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IEAAPEADXZ";
    streambuf_gninc(guest, this) -> GuestWord { Buffer::new(guest, this.0).advance(guest, Area::Get, 1).map(GuestWord) }

    "Goes on in the get area by one; returns where it is then.", "?_Gnpreinc@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IAEPADXZ" / "?_Gnpreinc@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IEAAPEADXZ";
    streambuf_gnpreinc(guest, this) -> GuestWord {
        Buffer::new(guest, this.0).advance(guest, Area::Get, 1).map(|at| GuestWord(at + 1))
    }

    "Goes back in the get area by one; returns where it is then.", "?_Gndec@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IAEPADXZ" / "?_Gndec@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IEAAPEADXZ";
    streambuf_gndec(guest, this) -> GuestWord {
        Buffer::new(guest, this.0).advance(guest, Area::Get, -1).map(|at| GuestWord(at - 1))
    }

    "Goes on in the put area by one; returns where it was.", "?_Pninc@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IAEPADXZ" / "?_Pninc@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IEAAPEADXZ";
    streambuf_pninc(guest, this) -> GuestWord { Buffer::new(guest, this.0).advance(guest, Area::Put, 1).map(GuestWord) }

    "Returns how much the get area has left.", "?_Gnavail@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IBE_JXZ" / "?_Gnavail@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IEBA_JXZ";
    streambuf_gnavail(guest, this) -> i64 { Buffer::new(guest, this.0).left(guest, Area::Get).map(|left| left as i64) }

    "Returns how much the put area has left.", "?_Pnavail@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IBE_JXZ" / "?_Pnavail@?$basic_streambuf@DU?$char_traits@D@std@@@std@@IEBA_JXZ";
    streambuf_pnavail(guest, this) -> i64 { Buffer::new(guest, this.0).left(guest, Area::Put).map(|left| left as i64) }
}

members! { READING, "basic-streambuf-class";
    "Returns the next character, which stays.", "?sgetc@?$basic_streambuf@DU?$char_traits@D@std@@@std@@QAEHXZ" / "?sgetc@?$basic_streambuf@DU?$char_traits@D@std@@@std@@QEAAHXZ";
    streambuf_sgetc(guest, this) -> i32 { Buffer::new(guest, this.0).peek(guest) }

    "Takes the next character.", "?sbumpc@?$basic_streambuf@DU?$char_traits@D@std@@@std@@QAEHXZ" / "?sbumpc@?$basic_streambuf@DU?$char_traits@D@std@@@std@@QEAAHXZ";
    streambuf_sbumpc(guest, this) -> i32 { Buffer::new(guest, this.0).bump(guest) }

    "Takes a character and returns the one behind it.", "?snextc@?$basic_streambuf@DU?$char_traits@D@std@@@std@@QAEHXZ" / "?snextc@?$basic_streambuf@DU?$char_traits@D@std@@@std@@QEAAHXZ";
    streambuf_snextc(guest, this) -> i32 { Buffer::new(guest, this.0).next_char(guest) }

    "Takes a character that nobody looks at.", "?stossc@?$basic_streambuf@DU?$char_traits@D@std@@@std@@QAEXXZ" / "?stossc@?$basic_streambuf@DU?$char_traits@D@std@@@std@@QEAAXXZ";
    streambuf_stossc(guest, this) -> () { Buffer::new(guest, this.0).bump(guest).map(drop) }

    "Puts a character back.", "?sputbackc@?$basic_streambuf@DU?$char_traits@D@std@@@std@@QAEHD@Z" / "?sputbackc@?$basic_streambuf@DU?$char_traits@D@std@@@std@@QEAAHD@Z";
    streambuf_sputbackc(guest, this, byte: u8) -> i32 { Buffer::new(guest, this.0).put_back(guest, Some(byte)) }

    "Puts the last character back.", "?sungetc@?$basic_streambuf@DU?$char_traits@D@std@@@std@@QAEHXZ" / "?sungetc@?$basic_streambuf@DU?$char_traits@D@std@@@std@@QEAAHXZ";
    streambuf_sungetc(guest, this) -> i32 { Buffer::new(guest, this.0).put_back(guest, None) }

    "Reads characters.", "?sgetn@?$basic_streambuf@DU?$char_traits@D@std@@@std@@QAE_JPAD_J@Z" / "?sgetn@?$basic_streambuf@DU?$char_traits@D@std@@@std@@QEAA_JPEAD_J@Z";
    streambuf_sgetn(guest, this, to: GuestWord, count: i64) -> i64 { Buffer::new(guest, this.0).get_all(guest, to.0, count) }

    "Writes a character.", "?sputc@?$basic_streambuf@DU?$char_traits@D@std@@@std@@QAEHD@Z" / "?sputc@?$basic_streambuf@DU?$char_traits@D@std@@@std@@QEAAHD@Z";
    streambuf_sputc(guest, this, byte: u8) -> i32 { Buffer::new(guest, this.0).put(guest, byte) }

    "Writes characters.", "?sputn@?$basic_streambuf@DU?$char_traits@D@std@@@std@@QAE_JPBD_J@Z" / "?sputn@?$basic_streambuf@DU?$char_traits@D@std@@@std@@QEAA_JPEBD_J@Z";
    streambuf_sputn(guest, this, from: GuestWord, count: i64) -> i64 { Buffer::new(guest, this.0).put_all(guest, from.0, count) }

    "Returns how many characters can be had at once.", "?in_avail@?$basic_streambuf@DU?$char_traits@D@std@@@std@@QAE_JXZ" / "?in_avail@?$basic_streambuf@DU?$char_traits@D@std@@@std@@QEAA_JXZ";
    streambuf_in_avail(guest, this) -> i64 {
        match Buffer::new(guest, this.0).left(guest, Area::Get)? {
            0 => {
                let words = Words::new(guest);
                virtual_method(guest, this.0, slot::SHOWMANYC, words).map(|answer| answer as i64)
            }
            left => Ok(left as i64),
        }
    }

    "Brings what lies behind up to date.", "?pubsync@?$basic_streambuf@DU?$char_traits@D@std@@@std@@QAEHXZ" / "?pubsync@?$basic_streambuf@DU?$char_traits@D@std@@@std@@QEAAHXZ";
    streambuf_pubsync(guest, this) -> i32 { Buffer::new(guest, this.0).sync(guest) }

    "Moves a position by an offset.", "?pubseekoff@?$basic_streambuf@DU?$char_traits@D@std@@@std@@QAE?AV?$fpos@U_Mbstatet@@@2@_JHH@Z" / "?pubseekoff@?$basic_streambuf@DU?$char_traits@D@std@@@std@@QEAA?AV?$fpos@U_Mbstatet@@@2@_JHH@Z";
    streambuf_pubseekoff(guest, this, to: GuestWord, offset: i64, way: i32, which: i32) -> GuestWord {
        let words = Words::new(guest).word(to.0).long(offset as u64).word(way as u64).word(which as u64);
        virtual_method(guest, this.0, slot::SEEKOFF, words).map(GuestWord)
    }

    "Sets the memory that is used.", "?pubsetbuf@?$basic_streambuf@DU?$char_traits@D@std@@@std@@QAEPAV12@PAD_J@Z" / "?pubsetbuf@?$basic_streambuf@DU?$char_traits@D@std@@@std@@QEAAPEAV12@PEAD_J@Z";
    streambuf_pubsetbuf(guest, this, memory: GuestWord, count: i64) -> GuestWord {
        let words = Words::new(guest).word(memory.0).long(count as u64);
        virtual_method(guest, this.0, slot::SETBUF, words).map(GuestWord)
    }
}

impl Buffer {
    pub(super) fn put_back(self, guest: &mut Guest, byte: Option<u8>) -> Result<i32, Fault> {
        let next = self.next(guest, Area::Get)?;
        if next != 0 && self.start(guest, Area::Get)? < next {
            let last = guest.read::<u8>(next - 1)?;
            if byte.is_none_or(|byte| byte == last) {
                self.advance(guest, Area::Get, -1)?;
                return Ok(last.into());
            }
        }
        let words = Words::new(guest).word(byte.map_or(EOF as u32, u32::from).into());
        virtual_method(guest, self.at, slot::PBACKFAIL, words).map(|answer| answer as i32)
    }
}

members! { VIRTUAL, "basic-streambuf-class";
    "Destroys a buffer; frees it when asked.", "__plat_streambuf_delete" / "__plat_streambuf_delete64";
    streambuf_delete(guest, this, flags: u32) -> GuestWord {
        streambuf_end(guest, this)?;
        super::locale::facet_delete(guest, this, flags)
    }

    "Locks nothing.", "?_Lock@?$basic_streambuf@DU?$char_traits@D@std@@@std@@UAEXXZ" / "?_Lock@?$basic_streambuf@DU?$char_traits@D@std@@@std@@UEAAXXZ";
    streambuf_lock(guest, this) -> () {
        let _ = (guest, this);
        Ok(())
    }

    "Unlocks nothing.", "?_Unlock@?$basic_streambuf@DU?$char_traits@D@std@@@std@@UAEXXZ" / "?_Unlock@?$basic_streambuf@DU?$char_traits@D@std@@@std@@UEAAXXZ";
    streambuf_unlock(guest, this) -> () {
        let _ = (guest, this);
        Ok(())
    }

    "Has no room to write.", "?overflow@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MAEHH@Z" / "?overflow@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MEAAHH@Z";
    streambuf_overflow(guest, this, byte: i32) -> i32 {
        let _ = (guest, this, byte);
        Ok(EOF)
    }

    "Cannot put a character back.", "?pbackfail@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MAEHH@Z" / "?pbackfail@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MEAAHH@Z";
    streambuf_pbackfail(guest, this, byte: i32) -> i32 {
        let _ = (guest, this, byte);
        Ok(EOF)
    }

    "Does not know how many characters there are.", "?showmanyc@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MAE_JXZ" / "?showmanyc@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MEAA_JXZ";
    streambuf_showmanyc(guest, this) -> i64 {
        let _ = (guest, this);
        Ok(0)
    }

    "Has nothing to read.", "?underflow@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MAEHXZ" / "?underflow@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MEAAHXZ";
    streambuf_underflow(guest, this) -> i32 {
        let _ = (guest, this);
        Ok(EOF)
    }

    "Takes a character after an underflow.", "?uflow@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MAEHXZ" / "?uflow@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MEAAHXZ";
    streambuf_uflow(guest, this) -> i32 {
        let buffer = Buffer::new(guest, this.0);
        match buffer.call(guest, slot::UNDERFLOW)? {
            EOF => Ok(EOF),
            _ => {
                let at = buffer.advance(guest, Area::Get, 1)?;
                Buffer::byte(guest, at)
            }
        }
    }

    "Reads characters: from the get area, then one by one.", "?xsgetn@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MAE_JPAD_J@Z" / "?xsgetn@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MEAA_JPEAD_J@Z";
    streambuf_xsgetn(guest, this, to: GuestWord, count: i64) -> i64 {
        let buffer = Buffer::new(guest, this.0);
        let mut done = 0;
        while done < count {
            let left = buffer.left(guest, Area::Get)?.min((count - done) as u64);
            if left != 0 {
                let from = buffer.advance(guest, Area::Get, left as i64)?;
                let bytes = guest.read_vec(from, left)?;
                guest.write_bytes(to.0 + done as u64, &bytes)?;
                done += left as i64;
                continue;
            }
            match buffer.call(guest, slot::UFLOW)? {
                EOF => break,
                byte => guest.write(to.0 + done as u64, &(byte as u8))?,
            }
            done += 1;
        }
        Ok(done)
    }

    "Writes characters: into the put area, then one by one.", "?xsputn@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MAE_JPBD_J@Z" / "?xsputn@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MEAA_JPEBD_J@Z";
    streambuf_xsputn(guest, this, from: GuestWord, count: i64) -> i64 {
        let buffer = Buffer::new(guest, this.0);
        let mut done = 0;
        while done < count {
            let left = buffer.left(guest, Area::Put)?.min((count - done) as u64);
            let bytes = guest.read_vec(from.0 + done as u64, left.max(1))?;
            if left != 0 {
                let to = buffer.advance(guest, Area::Put, left as i64)?;
                guest.write_bytes(to, &bytes)?;
                done += left as i64;
                continue;
            }
            let words = Words::new(guest).word(bytes[0].into());
            if virtual_method(guest, this.0, slot::OVERFLOW, words)? as i32 == EOF {
                break;
            }
            done += 1;
        }
        Ok(done)
    }

    "Has no position.", "?seekoff@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MAE?AV?$fpos@U_Mbstatet@@@2@_JHH@Z" / "?seekoff@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MEAA?AV?$fpos@U_Mbstatet@@@2@_JHH@Z";
    streambuf_seekoff(guest, this, to: GuestWord, offset: i64, way: i32, which: i32) -> GuestWord {
        let _ = (this, offset, way, which);
        put_position(guest, to.0, -1)?;
        Ok(to)
    }

    "Sets no memory.", "?setbuf@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MAEPAV12@PAD_J@Z" / "?setbuf@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MEAAPEAV12@PEAD_J@Z";
    streambuf_setbuf(guest, this, memory: GuestWord, count: i64) -> GuestWord {
        let _ = (guest, memory, count);
        Ok(this)
    }

    "Has nothing to bring up to date.", "?sync@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MAEHXZ" / "?sync@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MEAAHXZ";
    streambuf_sync(guest, this) -> i32 {
        let _ = (guest, this);
        Ok(0)
    }

    "Takes note of a locale.", "?imbue@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MAEXABVlocale@2@@Z" / "?imbue@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MEAAXAEBVlocale@2@@Z";
    streambuf_imbue(guest, this, locale: GuestWord) -> () {
        let _ = (guest, this, locale);
        Ok(())
    }
}

// A position by value is one pointer in a 64-bit call, and six words in a 32-bit one.
members! { POSITIONS, "basic-streambuf-class";
    "Has no position.", "?seekpos@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MAE?AV?$fpos@U_Mbstatet@@@2@V32@H@Z" / "?seekpos@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MEAA?AV?$fpos@U_Mbstatet@@@2@V32@H@Z";
    streambuf_seekpos(guest, this, to: GuestWord, offset: i64, file: i64, state: i64, which: i32) -> GuestWord {
        let _ = (this, offset, file, state, which);
        put_position(guest, to.0, -1)?;
        Ok(to)
    }
}
