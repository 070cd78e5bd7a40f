//! `std::ios_base` and `std::ios`: what all streams have: state, format, locale, buffer.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/basic-ios-class>; <https://learn.microsoft.com/cpp/standard-library/ios-base-class>;
//! fields as the inline functions of the public headers use them.

use plat_abi::{Fault, GuestWord, Memory};

use super::errors::throw_ios_failure;
use super::locale::{Collection, global, of_locale, put_locale, release};
use super::members::{kinds_of, members, named};
use super::names::{Kind, kinds};
use super::object::{Words, virtual_method};
use super::streambuf::{Buffer, load_unit, slot, store_unit};
use super::tables::table;
use crate::guest::Guest;
use crate::msvcrt::state::place;

/// Bits of a stream's state.
pub(super) mod state {
    pub(crate) const EOF: u32 = 1;
    pub(crate) const FAIL: u32 = 2;
    pub(crate) const BAD: u32 = 4;
    /// All that there are.
    pub(crate) const ALL: u32 = 0x17;
}

/// Bits of a stream's format.
pub(super) mod format {
    pub(crate) const SKIP_SPACE: u32 = 1;
    pub(crate) const UNIT_BUFFER: u32 = 2;
    pub(crate) const UPPERCASE: u32 = 4;
    pub(crate) const SHOW_BASE: u32 = 8;
    pub(crate) const SHOW_POINT: u32 = 0x10;
    pub(crate) const SHOW_POSITIVE: u32 = 0x20;
    pub(crate) const LEFT: u32 = 0x40;
    pub(crate) const INTERNAL: u32 = 0x100;
    pub(crate) const ADJUST: u32 = 0x1c0;
    pub(crate) const DECIMAL: u32 = 0x200;
    pub(crate) const OCTAL: u32 = 0x400;
    pub(crate) const HEXADECIMAL: u32 = 0x800;
    pub(crate) const BASE: u32 = 0xe00;
    pub(crate) const SCIENTIFIC: u32 = 0x1000;
    pub(crate) const FIXED: u32 = 0x2000;
    pub(crate) const FLOAT: u32 = 0x3000;
    pub(crate) const BOOL_WORDS: u32 = 0x4000;
}

/// The part of a stream that all streams share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stream {
    pub(super) at: u64,
    word: u64,
    pub(super) kind: Kind,
}

impl Stream {
    pub(super) fn new(guest: &Guest, kind: Kind, at: u64) -> Self {
        Self { at, word: guest.machine().pointer_size(), kind }
    }

    /// The part of a stream that knows no characters.
    pub(super) fn base(guest: &Guest, at: u64) -> Self {
        Self::new(guest, Kind::Narrow, at)
    }

    /// Finds it in an object that has it as a virtual base: the object's first word leads to the distance.
    pub(super) fn of(guest: &Guest, kind: Kind, object: u64) -> Result<Self, Fault> {
        let bases = guest.read_word(object)?;
        let distance: i32 = guest.read(bases + 4)?;
        Ok(Self::new(guest, kind, object.wrapping_add_signed(distance.into())))
    }

    pub(super) fn state_at(self) -> u64 {
        self.at + 2 * self.word
    }

    fn flags_at(self) -> u64 {
        self.state_at() + 8
    }

    fn precision_at(self) -> u64 {
        self.at + (2 * self.word + 12).next_multiple_of(8)
    }

    pub(super) fn callbacks_at(self) -> u64 {
        self.precision_at() + 16 + self.word
    }

    pub(super) fn locale_at(self) -> u64 {
        self.callbacks_at() + self.word
    }

    pub(super) fn buffer_at(self) -> u64 {
        self.at + (self.locale_at() + self.word - self.at).next_multiple_of(8)
    }

    pub(super) fn state(self, guest: &Guest) -> Result<u32, Fault> {
        guest.read_u32(self.state_at())
    }

    pub(super) fn is_good(self, guest: &Guest) -> Result<bool, Fault> {
        Ok(self.state(guest)? == 0)
    }

    pub(super) fn flags(self, guest: &Guest) -> Result<u32, Fault> {
        guest.read_u32(self.flags_at())
    }

    pub(super) fn set_flags(self, guest: &Guest, flags: u32, mask: u32) -> Result<(), Fault> {
        let old = self.flags(guest)?;
        guest.write(self.flags_at(), &(old & !mask | flags & mask))
    }

    pub(super) fn precision(self, guest: &Guest) -> Result<i64, Fault> {
        guest.read(self.precision_at())
    }

    pub(super) fn set_precision(self, guest: &Guest, precision: i64) -> Result<(), Fault> {
        guest.write(self.precision_at(), &precision)
    }

    /// Returns the width of the next field, which is used up.
    pub(super) fn take_width(self, guest: &Guest) -> Result<i64, Fault> {
        let width = self.width(guest)?;
        self.set_width(guest, 0)?;
        Ok(width)
    }

    pub(super) fn width(self, guest: &Guest) -> Result<i64, Fault> {
        guest.read(self.precision_at() + 8)
    }

    /// Where the part that knows no characters ends.
    pub(super) fn base_end(self) -> u64 {
        self.locale_at() + self.word
    }

    pub(super) fn set_width(self, guest: &Guest, width: i64) -> Result<(), Fault> {
        guest.write(self.precision_at() + 8, &width)
    }

    pub(super) fn buffer(self, guest: &Guest) -> Result<Option<Buffer>, Fault> {
        let at = guest.read_word(self.buffer_at())?;
        Ok((at != 0).then(|| Buffer::new(guest, self.kind, at)))
    }

    pub(super) fn tie(self, guest: &Guest) -> Result<u64, Fault> {
        guest.read_word(self.buffer_at() + self.word)
    }

    pub(super) fn set_tie(self, guest: &Guest, stream: u64) -> Result<(), Fault> {
        guest.write_word(self.buffer_at() + self.word, stream)
    }

    pub(super) fn fill(self, guest: &Guest) -> Result<u16, Fault> {
        load_unit(guest, self.kind, self.buffer_at() + 2 * self.word)
    }

    pub(super) fn set_fill(self, guest: &Guest, fill: u16) -> Result<(), Fault> {
        store_unit(guest, self.kind, self.buffer_at() + 2 * self.word, fill)
    }

    pub(super) fn collection(self, guest: &Guest) -> Result<Collection, Fault> {
        let at = guest.read_word(self.locale_at())?;
        if at == 0 { global(guest) } else { of_locale(guest, at) }
    }

    /// Sets the state; throws if the stream shall.
    pub(super) fn set_state(self, guest: &mut Guest, state: u32) -> Result<(), Fault> {
        guest.write(self.state_at(), &(state & state::ALL))?;
        let wanted = state & guest.read_u32(self.state_at() + 4)?;
        match wanted & state::ALL {
            0 => Ok(()),
            bits if bits & state::BAD != 0 => throw_ios_failure(guest, "ios_base::badbit set"),
            bits if bits & state::FAIL != 0 => throw_ios_failure(guest, "ios_base::failbit set"),
            _ => throw_ios_failure(guest, "ios_base::eofbit set"),
        }
    }

    /// Sets the state; without a buffer the stream is bad.
    fn clear(self, guest: &mut Guest, state: u32) -> Result<(), Fault> {
        let missing = if self.buffer(guest)?.is_none() { state::BAD } else { 0 };
        self.set_state(guest, state | missing)
    }

    /// Adds to the state.
    pub(super) fn fail(self, guest: &mut Guest, state: u32) -> Result<(), Fault> {
        if state == 0 {
            return Ok(());
        }
        let old = self.state(guest)?;
        self.clear(guest, old | state)
    }

    /// Sets the fields of a stream without a buffer.
    pub(super) fn init_base(self, guest: &Guest) -> Result<(), Fault> {
        const PRECISION: i64 = 6;
        let end = self.base_end();
        guest.write_bytes(self.at + self.word, &vec![0; (end - self.at - self.word) as usize])?;
        guest.write(self.flags_at(), &(format::SKIP_SPACE | format::DECIMAL))?;
        self.set_precision(guest, PRECISION)?;
        let locale = place(guest, &[0; 16])?;
        let collection = global(guest)?;
        put_locale(guest, locale, collection)?;
        guest.write_word(self.locale_at(), locale)
    }

    /// Sets all fields.
    pub(super) fn init(self, guest: &mut Guest, buffer: u64) -> Result<(), Fault> {
        self.init_base(guest)?;
        guest.write_word(self.buffer_at(), buffer)?;
        self.set_tie(guest, 0)?;
        self.set_fill(guest, u16::from(b' '))?;
        if buffer == 0 { self.fail(guest, state::BAD) } else { Ok(()) }
    }

    /// Puts a stream's table in place, and the distance that calls through it must correct.
    pub(super) fn set_table(self, guest: &Guest, name: &'static str) -> Result<(), Fault> {
        guest.write_word(self.at, table(guest, name))
    }

    /// Ends the fields.
    fn end(self, guest: &mut Guest) -> Result<(), Fault> {
        self.call_back(guest, 0)?;
        let at = guest.read_word(self.locale_at())?;
        if at != 0 {
            let collection = of_locale(guest, at)?;
            release(guest, collection.0)?;
            guest.process().heaps.free(0, at);
            guest.write_word(self.locale_at(), 0)?;
        }
        Ok(())
    }

    /// Calls the functions that want to know of an event: 0 the end, 1 a new locale, 2 a copied format.
    pub(super) fn call_back(self, guest: &mut Guest, event: u64) -> Result<(), Fault> {
        let mut entry = guest.read_word(self.callbacks_at())?;
        while entry != 0 {
            let index = guest.read_u32(entry + self.word)?;
            let function = guest.read_word(entry + 2 * self.word)?;
            guest.call(function, &[event, self.at, index.into()])?;
            entry = guest.read_word(entry)?;
        }
        Ok(())
    }

    fn imbue(self, guest: &mut Guest, to: GuestWord, locale: GuestWord) -> Result<GuestWord, Fault> {
        let old = self.collection(guest)?;
        put_locale(guest, to.0, old)?;
        let new = of_locale(guest, locale.0)?;
        put_locale(guest, guest.read_word(self.locale_at())?, new)?;
        release(guest, old.0)?;
        self.call_back(guest, 1)?;
        Ok(to)
    }
}

members! { BASE, "ios-base-class";
    "Makes the part of a stream that knows no characters.", "??0ios_base@std@@I*A+@XZ";
    ios_base_new(guest, this) -> GuestWord {
        guest.write_word(this.0, table(guest, "??_7ios_base@std@@6B@"))?;
        Ok(this)
    }

    "Ends it.", "??1ios_base@std@@U*A+@XZ";
    ios_base_end(guest, this) -> () { Stream::base(guest, this.0).end(guest) }

    "Sets its fields.", "?_Init@ios_base@std@@I*A+XXZ";
    ios_base_init(guest, this) -> () { Stream::base(guest, this.0).init_base(guest) }

    "Sets the state; throws if the stream shall.", "?clear@ios_base@std@@Q*A+XH_N@Z";
    ios_base_clear(guest, this, state: u32, reraise: u8) -> () {
        let _ = reraise;
        Stream::base(guest, this.0).set_state(guest, state)
    }

    "Sets the state; throws if the stream shall.", "?clear@ios_base@std@@Q*A+XH@Z";
    ios_base_clear_state(guest, this, state: u32) -> () { Stream::base(guest, this.0).set_state(guest, state) }

    "Returns the locale.", "?getloc@ios_base@std@@Q*B+?AVlocale@2@XZ";
    ios_base_getloc(guest, this, to: GuestWord) -> GuestWord {
        let collection = Stream::base(guest, this.0).collection(guest)?;
        put_locale(guest, to.0, collection)?;
        Ok(to)
    }

    "Sets the locale; returns the one before.", "?imbue@ios_base@std@@Q*A+?AVlocale@2@A*BV32@@Z";
    ios_base_imbue(guest, this, to: GuestWord, locale: GuestWord) -> GuestWord {
        Stream::base(guest, this.0).imbue(guest, to, locale)
    }

    "Returns the format.", "?flags@ios_base@std@@Q*B+HXZ";
    ios_base_flags(guest, this) -> u32 { Stream::base(guest, this.0).flags(guest) }

    "Sets the format; returns the one before.", "?flags@ios_base@std@@Q*A+HH@Z";
    ios_base_set_flags(guest, this, flags: u32) -> u32 {
        let stream = Stream::base(guest, this.0);
        let old = stream.flags(guest)?;
        stream.set_flags(guest, flags, 0xffff)?;
        Ok(old)
    }

    "Adds to the format; returns the one before.", "?setf@ios_base@std@@Q*A+HH@Z";
    ios_base_setf(guest, this, flags: u32) -> u32 {
        let old = ios_base_flags(guest, this)?;
        Stream::base(guest, this.0).set_flags(guest, flags, flags & 0xffff)?;
        Ok(old)
    }

    "Sets some bits of the format; returns the one before.", "?setf@ios_base@std@@Q*A+HHH@Z";
    ios_base_setf_masked(guest, this, flags: u32, mask: u32) -> u32 {
        let old = ios_base_flags(guest, this)?;
        Stream::base(guest, this.0).set_flags(guest, flags, mask & 0xffff)?;
        Ok(old)
    }

    "Takes from the format.", "?unsetf@ios_base@std@@Q*A+XH@Z";
    ios_base_unsetf(guest, this, mask: u32) -> () { Stream::base(guest, this.0).set_flags(guest, 0, mask) }

    "Returns how many digits are written.", "?precision@ios_base@std@@Q*B+_JXZ";
    ios_base_precision(guest, this) -> i64 { Stream::base(guest, this.0).precision(guest) }

    "Sets how many digits are written; returns how many before.", "?precision@ios_base@std@@Q*A+_J_J@Z";
    ios_base_set_precision(guest, this, precision: i64) -> i64 {
        let old = ios_base_precision(guest, this)?;
        Stream::base(guest, this.0).set_precision(guest, precision)?;
        Ok(old)
    }

    "Returns the width of the next field.", "?width@ios_base@std@@Q*B+_JXZ";
    ios_base_width(guest, this) -> i64 { Stream::base(guest, this.0).width(guest) }

    "Sets the width of the next field; returns the one before.", "?width@ios_base@std@@Q*A+_J_J@Z";
    ios_base_set_width(guest, this, width: i64) -> i64 {
        let stream = Stream::base(guest, this.0);
        let old = stream.take_width(guest)?;
        stream.set_width(guest, width)?;
        Ok(old)
    }

    "Returns the state.", "?rdstate@ios_base@std@@Q*B+HXZ";
    ios_base_rdstate(guest, this) -> u32 { Stream::base(guest, this.0).state(guest) }

    "Says whether nothing is wrong.", "?good@ios_base@std@@Q*B+_NXZ";
    ios_base_good(guest, this) -> u8 { Stream::base(guest, this.0).is_good(guest).map(u8::from) }

    "Says whether the end was met.", "?eof@ios_base@std@@Q*B+_NXZ";
    ios_base_eof(guest, this) -> u8 { Ok(u8::from(ios_base_rdstate(guest, this)? & state::EOF != 0)) }

    "Says whether something failed.", "?fail@ios_base@std@@Q*B+_NXZ";
    ios_base_fail(guest, this) -> u8 { Ok(u8::from(ios_base_rdstate(guest, this)? & (state::FAIL | state::BAD) != 0)) }

    "Says whether the stream is broken.", "?bad@ios_base@std@@Q*B+_NXZ";
    ios_base_bad(guest, this) -> u8 { Ok(u8::from(ios_base_rdstate(guest, this)? & state::BAD != 0)) }

    "Says whether nothing failed.", "??Bios_base@std@@Q*B+_NXZ";
    ios_base_bool(guest, this) -> u8 { Ok(u8::from(ios_base_fail(guest, this)? == 0)) }
}

kinds_of! { EXPORTS in ios_exports, "basic-ios-class";
    "Makes the part of a stream that all share; its fields come later.", "??0?$basic_ios@^I*A+@XZ";
    ios_new(guest, kind, this) -> GuestWord {
        Stream::new(guest, kind, this.0).set_table(guest, kind.pick(kinds!("??_7?$basic_ios@^6B@")))?;
        Ok(this)
    }

    "Ends it.", "??1?$basic_ios@^U*A+@XZ";
    ios_end(guest, kind, this) -> () { Stream::new(guest, kind, this.0).end(guest) }

    "Sets its fields.", "?init@?$basic_ios@^I*A+XP*AV?$basic_streambuf@#U?$char_traits@#@std@@@2@_N@Z";
    ios_init(guest, kind, this, buffer: GuestWord, is_standard: u8) -> () {
        let _ = is_standard;
        Stream::new(guest, kind, this.0).init(guest, buffer.0)
    }

    "Sets the state; throws if the stream shall.", "?clear@?$basic_ios@^Q*A+XH_N@Z";
    ios_clear(guest, kind, this, state: u32, reraise: u8) -> () {
        let _ = reraise;
        Stream::new(guest, kind, this.0).clear(guest, state)
    }

    "Adds to the state; throws if the stream shall.", "?setstate@?$basic_ios@^Q*A+XH_N@Z";
    ios_setstate(guest, kind, this, state: u32, reraise: u8) -> () {
        let _ = reraise;
        Stream::new(guest, kind, this.0).fail(guest, state)
    }

    "Widens a character.", "?widen@?$basic_ios@^Q*B+#D@Z";
    ios_widen(guest, kind, this, byte: u8) -> u16 {
        let _ = this;
        Ok(super::facets::widen(guest, kind, byte))
    }

    "Narrows a character; one that has no narrow form becomes another.", "?narrow@?$basic_ios@^Q*B+D#D@Z";
    ios_narrow(guest, kind, this, unit: u32, default: u8) -> u8 {
        let _ = this;
        Ok(super::facets::narrow(guest, kind, kind.value(unit)).unwrap_or(default))
    }

    "Sets the locale, the buffer's too; returns the one before.", "?imbue@?$basic_ios@^Q*A+?AVlocale@2@A*BV32@@Z";
    ios_imbue(guest, kind, this, to: GuestWord, locale: GuestWord) -> GuestWord {
        let stream = Stream::new(guest, kind, this.0);
        stream.imbue(guest, to, locale)?;
        if let Some(buffer) = stream.buffer(guest)? {
            let words = Words::new(guest).word(locale.0);
            virtual_method(guest, buffer.at, slot::IMBUE, words)?;
        }
        Ok(to)
    }

    "Returns the buffer.", "?rdbuf@?$basic_ios@^Q*B+P*AV?$basic_streambuf@#U?$char_traits@#@std@@@2@XZ";
    ios_rdbuf(guest, kind, this) -> GuestWord { guest.read_word(Stream::new(guest, kind, this.0).buffer_at()).map(GuestWord) }

    "Sets the buffer; returns the one before.", "?rdbuf@?$basic_ios@^Q*A+P*AV?$basic_streambuf@#U?$char_traits@#@std@@@2@P*AV32@@Z";
    ios_set_rdbuf(guest, kind, this, buffer: GuestWord) -> GuestWord {
        let old = ios_rdbuf(guest, kind, this)?;
        let stream = Stream::new(guest, kind, this.0);
        guest.write_word(stream.buffer_at(), buffer.0)?;
        stream.clear(guest, 0)?;
        Ok(old)
    }

    "Returns the stream that is brought up to date before this one is used.", "?tie@?$basic_ios@^Q*B+P*AV?$basic_ostream@#U?$char_traits@#@std@@@2@XZ";
    ios_tie(guest, kind, this) -> GuestWord { Stream::new(guest, kind, this.0).tie(guest).map(GuestWord) }

    "Sets that stream; returns the one before.", "?tie@?$basic_ios@^Q*A+P*AV?$basic_ostream@#U?$char_traits@#@std@@@2@P*AV32@@Z";
    ios_set_tie(guest, kind, this, other: GuestWord) -> GuestWord {
        let old = ios_tie(guest, kind, this)?;
        Stream::new(guest, kind, this.0).set_tie(guest, other.0)?;
        Ok(old)
    }

    "Returns the character that fills fields.", "?fill@?$basic_ios@^Q*B+#XZ";
    ios_fill(guest, kind, this) -> u16 { Stream::new(guest, kind, this.0).fill(guest) }

    "Sets the character that fills fields; returns the one before.", "?fill@?$basic_ios@^Q*A+##@Z";
    ios_set_fill(guest, kind, this, fill: u32) -> u16 {
        let old = ios_fill(guest, kind, this)?;
        Stream::new(guest, kind, this.0).set_fill(guest, kind.value(fill))?;
        Ok(old)
    }
}

kinds_of! { ENDS in ios_ends, "basic-ios-class";
    "Destroys the part that knows no characters; frees it when asked.", "__plat_ios_delete#*";
    ios_delete(guest, kind, this, flags: u32) -> GuestWord {
        ios_end(guest, kind, this)?;
        super::locale::facet_delete(guest, this, flags)
    }
}

named! { EXCEPTIONS, "exception-functions";
    "Says whether an exception is on its way.", "?uncaught_exception@std@@YA_NXZ";
    uncaught_exception(guest) -> u8 { crate::vcruntime140::exceptions::__uncaught_exception(guest) }

    "Returns how many exceptions are on their way.", "?uncaught_exceptions@std@@YAHXZ";
    uncaught_exceptions(guest) -> i32 { crate::vcruntime140::exceptions::__uncaught_exceptions(guest) }
}
