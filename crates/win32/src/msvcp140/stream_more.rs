//! Streams and buffers as a whole: copied, moved, exchanged; the functions that programs register with streams, and their
//! numbers and pointers.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/ios-base-class>; <https://learn.microsoft.com/cpp/standard-library/basic-ios-class>.

use std::sync::atomic::{AtomicI32, Ordering};

use plat_abi::{Cursor, Fault, GuestWord, Memory, Param};

use super::ios::{Stream, ios_end, ios_init, state};
use super::istream::{count_at, istream_end};
use super::locale::{of_locale, put_locale, release};
use super::members::{functions, kinds_of, members, named};
use super::object::{Words, virtual_method};
use super::ostream::{ostream_end, ostream_new};
use super::streambuf::{Area, Buffer, slot, streambuf_getloc, streambuf_pubimbue, streambuf_pubseekoff};
use super::tables::table;
use crate::guest::Guest;
use crate::msvcrt::state::place;

/// Events that registered functions are told of.
mod event {
    pub(super) const ERASE: u64 = 0;
    pub(super) const COPIED: u64 = 2;
}

/// A file position by value: an address in 64-bit calls, three numbers of eight bytes in 32-bit ones.
#[derive(Clone, Copy, Debug)]
pub struct Position([u64; 3]);

impl Param for Position {
    const SIZE_I386: u32 = 24;

    fn take<M: Memory>(cursor: &mut Cursor<'_, M>) -> Result<Self, Fault> {
        let first = cursor.slot_u64()?;
        if cursor.machine().is_64() {
            return Ok(Self([first, 0, 0]));
        }
        Ok(Self([first, cursor.slot_u64()?, cursor.slot_u64()?]))
    }
}

/// Exchanges two pieces of memory of the program's.
fn exchange(guest: &Guest, one: u64, other: u64, bytes: u64) -> Result<(), Fault> {
    let held = guest.read_vec(one, bytes)?;
    guest.write_bytes(one, &guest.read_vec(other, bytes)?)?;
    guest.write_bytes(other, &held)
}

impl Stream {
    /// Exchanges what knows no characters: state, format, registered functions, locale.
    fn exchange_base(self, guest: &Guest, other: Self) -> Result<(), Fault> {
        let bytes = self.base_end() - self.state_at();
        exchange(guest, self.state_at(), other.state_at(), bytes)
    }

    /// Exchanges all but the buffers.
    fn exchange(self, guest: &Guest, other: Self) -> Result<(), Fault> {
        self.exchange_base(guest, other)?;
        let (tie, fill) = (self.tie(guest)?, self.fill(guest)?);
        self.set_tie(guest, other.tie(guest)?)?;
        self.set_fill(guest, other.fill(guest)?)?;
        other.set_tie(guest, tie)?;
        other.set_fill(guest, fill)
    }

    /// Finds the number and the pointer that a program keeps under an index; makes room for them.
    fn array_entry(self, guest: &Guest, index: i32) -> Result<u64, Fault> {
        let word = guest.machine().pointer_size();
        let head = self.callbacks_at() - word;
        let mut entry = guest.read_word(head)?;
        while entry != 0 {
            if guest.read::<i32>(entry + word)? == index {
                return Ok(entry);
            }
            entry = guest.read_word(entry)?;
        }
        let made = place(guest, &vec![0; 4 * word as usize])?;
        guest.write_word(made, guest.read_word(head)?)?;
        guest.write(made + word, &index)?;
        guest.write_word(head, made)?;
        Ok(made)
    }

    /// Registers a function.
    fn register(self, guest: &Guest, function: u64, index: i32) -> Result<(), Fault> {
        let word = guest.machine().pointer_size();
        let made = place(guest, &vec![0; 3 * word as usize])?;
        guest.write_word(made, guest.read_word(self.callbacks_at())?)?;
        guest.write(made + word, &index)?;
        guest.write_word(made + 2 * word, function)?;
        guest.write_word(self.callbacks_at(), made)
    }

    /// Frees what is registered.
    fn tidy(self, guest: &mut Guest) -> Result<(), Fault> {
        self.call_back(guest, event::ERASE)?;
        let word = guest.machine().pointer_size();
        for head in [self.callbacks_at() - word, self.callbacks_at()] {
            let mut entry = guest.read_word(head)?;
            while entry != 0 {
                let next = guest.read_word(entry)?;
                guest.process().heaps.free(0, entry);
                entry = next;
            }
            guest.write_word(head, 0)?;
        }
        Ok(())
    }

    /// Takes over another's format, locale and what is registered with it.
    fn copy_base(self, guest: &mut Guest, other: Self) -> Result<(), Fault> {
        if self.at == other.at {
            return Ok(());
        }
        let word = guest.machine().pointer_size();
        self.tidy(guest)?;
        let flags = other.flags(guest)?;
        self.set_flags(guest, flags, u32::MAX)?;
        self.set_precision(guest, other.precision(guest)?)?;
        self.set_width(guest, other.width(guest)?)?;
        let old = self.collection(guest)?;
        let new = other.collection(guest)?;
        put_locale(guest, guest.read_word(self.locale_at())?, new)?;
        release(guest, old.0)?;
        let mut entry = guest.read_word(other.callbacks_at() - word)?;
        while entry != 0 {
            let copy = self.array_entry(guest, guest.read(entry + word)?)?;
            guest.write_bytes(copy + word, &guest.read_vec(entry + word, 3 * word)?)?;
            entry = guest.read_word(entry)?;
        }
        let mut entry = guest.read_word(other.callbacks_at())?;
        while entry != 0 {
            self.register(guest, guest.read_word(entry + 2 * word)?, guest.read(entry + word)?)?;
            entry = guest.read_word(entry)?;
        }
        self.call_back(guest, event::COPIED)?;
        let exceptions = guest.read_u32(other.state_at() + 4)?;
        self.set_exceptions(guest, exceptions)
    }

    /// Says which states throw, the one it has perhaps at once.
    fn set_exceptions(self, guest: &mut Guest, exceptions: u32) -> Result<(), Fault> {
        guest.write(self.state_at() + 4, &(exceptions & state::ALL))?;
        let old = self.state(guest)?;
        self.set_state(guest, old)
    }
}

members! { BASE, "ios-base-class";
    "Says whether something failed.", "??7ios_base@std@@Q*B+_NXZ";
    ios_base_not(guest, this) -> u8 {
        Ok(u8::from(Stream::base(guest, this.0).state(guest)? & (state::FAIL | state::BAD) != 0))
    }

    "Sets the state; throws if the stream shall.", "?clear@ios_base@std@@Q*A+XI@Z";
    ios_base_clear_bits(guest, this, bits: u32) -> () { Stream::base(guest, this.0).set_state(guest, bits) }

    "Adds to the state; throws if the stream shall.", "?setstate@ios_base@std@@Q*A+XH@Z";
    ios_base_setstate(guest, this, bits: u32) -> () {
        let old = Stream::base(guest, this.0).state(guest)?;
        if bits == 0 { Ok(()) } else { ios_base_clear_bits(guest, this, old | bits) }
    }

    "Adds to the state; throws if the stream shall.", "?setstate@ios_base@std@@Q*A+XH_N@Z";
    ios_base_setstate_again(guest, this, bits: u32, reraise: u8) -> () {
        let _ = reraise;
        ios_base_setstate(guest, this, bits)
    }

    "Adds to the state; throws if the stream shall.", "?setstate@ios_base@std@@Q*A+XI@Z";
    ios_base_setstate_bits(guest, this, bits: u32) -> () { ios_base_setstate(guest, this, bits) }

    "Returns which states throw.", "?exceptions@ios_base@std@@Q*B+HXZ";
    ios_base_exceptions(guest, this) -> u32 { guest.read_u32(Stream::base(guest, this.0).state_at() + 4) }

    "Says which states throw.", "?exceptions@ios_base@std@@Q*A+XH@Z";
    ios_base_set_exceptions(guest, this, bits: u32) -> () { Stream::base(guest, this.0).set_exceptions(guest, bits) }

    "Says which states throw.", "?exceptions@ios_base@std@@Q*A+XI@Z";
    ios_base_set_exceptions_bits(guest, this, bits: u32) -> () { ios_base_set_exceptions(guest, this, bits) }

    "Returns where the number under an index is.", "?iword@ios_base@std@@Q*A+A*AJH@Z";
    ios_base_iword(guest, this, index: i32) -> GuestWord {
        let word = guest.machine().pointer_size();
        Stream::base(guest, this.0).array_entry(guest, index).map(|entry| GuestWord(entry + word + 4))
    }

    "Returns where the pointer under an index is.", "?pword@ios_base@std@@Q*A+A*AP*AXH@Z";
    ios_base_pword(guest, this, index: i32) -> GuestWord {
        let offset = if guest.machine().is_64() { 16 } else { 12 };
        Stream::base(guest, this.0).array_entry(guest, index).map(|entry| GuestWord(entry + offset))
    }

    "Returns where the number and the pointer under an index are.", "?_Findarr@ios_base@std@@A*A+A*AU_Iosarray@12@H@Z";
    ios_base_find(guest, this, index: i32) -> GuestWord {
        Stream::base(guest, this.0).array_entry(guest, index).map(GuestWord)
    }

    "Registers a function that is told of events.", "?register_callback@ios_base@std@@Q*A+XP6AXW4event@12@A*AV12@H@ZH@Z";
    ios_base_register(guest, this, function: GuestWord, index: i32) -> () {
        Stream::base(guest, this.0).register(guest, function.0, index)
    }

    "Tells the registered functions of an event.", "?_Callfns@ios_base@std@@A*A+XW4event@12@@Z";
    ios_base_tell(guest, this, event: u32) -> () { Stream::base(guest, this.0).call_back(guest, event.into()) }

    "Frees what is registered.", "?_Tidy@ios_base@std@@A*A+XXZ";
    ios_base_tidy(guest, this) -> () { Stream::base(guest, this.0).tidy(guest) }

    "Takes over another's format, locale and what is registered with it.", "?copyfmt@ios_base@std@@Q*A+A*AV12@A*BV12@@Z";
    ios_base_copyfmt(guest, this, other: GuestWord) -> GuestWord {
        let other = Stream::base(guest, other.0);
        Stream::base(guest, this.0).copy_base(guest, other)?;
        Ok(this)
    }

    "Exchanges all fields.", "?swap@ios_base@std@@Q*A+XA*AV12@@Z";
    ios_base_swap(guest, this, other: GuestWord) -> () {
        Stream::base(guest, this.0).exchange_base(guest, Stream::base(guest, other.0))
    }
}

named! { STATICS, "ios-base-class";
    "Returns an index for numbers and pointers of the program's.", "?xalloc@ios_base@std@@SAHXZ";
    ios_base_xalloc(guest) -> i32 {
        static NEXT: AtomicI32 = AtomicI32::new(0);
        let _ = guest;
        Ok(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    "Says whether the standard streams and those of C may be mixed: always.", "?sync_with_stdio@ios_base@std@@SA_N_N@Z";
    ios_base_sync_with_stdio(guest, wanted: u8) -> u8 {
        let at = table(guest, "?_Sync@ios_base@std@@0_NA");
        let old: u8 = guest.read(at)?;
        guest.write(at, &wanted)?;
        Ok(old)
    }
}

functions! { ENDS, "ios-base-class";
    "Ends the part of a stream that knows no characters.", "?_Ios_base_dtor@ios_base@std@@CAXP*AV12@@Z";
    ios_base_end_static(guest, this: GuestWord) -> () { super::ios::ios_base_end(guest, this) }
}

kinds_of! { IOS in more_ios, "basic-ios-class";
    "Makes the shared part of a stream.", "??0?$basic_ios@^Q*A+@P*AV?$basic_streambuf@#U?$char_traits@#@std@@@1@@Z";
    ios_new_with(guest, kind, this, buffer: GuestWord) -> GuestWord {
        super::ios::ios_new(guest, kind, this)?;
        ios_init(guest, kind, this, buffer, 0)?;
        Ok(this)
    }

    "Sets the state; throws if the stream shall.", "?clear@?$basic_ios@^Q*A+XI@Z";
    ios_clear_bits(guest, kind, this, bits: u32) -> () { super::ios::ios_clear(guest, kind, this, bits, 0) }

    "Adds to the state; throws if the stream shall.", "?setstate@?$basic_ios@^Q*A+XI@Z";
    ios_setstate_bits(guest, kind, this, bits: u32) -> () { super::ios::ios_setstate(guest, kind, this, bits, 0) }

    "Sets the buffer and nothing else.", "?set_rdbuf@?$basic_ios@^Q*A+XP*AV?$basic_streambuf@#U?$char_traits@#@std@@@2@@Z";
    ios_set_buffer(guest, kind, this, buffer: GuestWord) -> () {
        guest.write_word(Stream::new(guest, kind, this.0).buffer_at(), buffer.0)
    }

    "Exchanges all but the buffers.", "?swap@?$basic_ios@^Q*A+XA*AV12@@Z";
    ios_swap(guest, kind, this, other: GuestWord) -> () {
        Stream::new(guest, kind, this.0).exchange(guest, Stream::new(guest, kind, other.0))
    }

    "Takes over another's fields but its buffer.", "?move@?$basic_ios@^Q*A+XA*AV12@@Z";
    ios_move(guest, kind, this, other: GuestWord) -> () {
        if this != other {
            let stream = Stream::new(guest, kind, this.0);
            guest.write_word(stream.buffer_at(), 0)?;
            stream.set_tie(guest, 0)?;
            stream.exchange(guest, Stream::new(guest, kind, other.0))?;
        }
        Ok(())
    }

    "Takes over another's fields but its buffer.", "?move@?$basic_ios@^Q*A+X$$Q*AV12@@Z";
    ios_move_from(guest, kind, this, other: GuestWord) -> () { ios_move(guest, kind, this, other) }

    "Takes over another's format.", "?copyfmt@?$basic_ios@^Q*A+A*AV12@A*BV12@@Z";
    ios_copyfmt(guest, kind, this, other: GuestWord) -> GuestWord {
        let (stream, other) = (Stream::new(guest, kind, this.0), Stream::new(guest, kind, other.0));
        stream.set_tie(guest, other.tie(guest)?)?;
        stream.set_fill(guest, other.fill(guest)?)?;
        stream.copy_base(guest, other)?;
        Ok(this)
    }
}

kinds_of! { STREAMS in more_streams, "basic-istream-class";
    "Makes an input stream.", "??0?$basic_istream@^Q*A+@P*AV?$basic_streambuf@#U?$char_traits@#@std@@@1@_N1@Z";
    istream_new_adding(guest, kind, this, buffer: GuestWord, is_standard: u8, adds: u8, is_whole: i32) -> GuestWord {
        let _ = adds;
        super::istream::istream_new(guest, kind, this, buffer, is_standard, is_whole)
    }

    "Makes an input stream whose fields come later.", "??0?$basic_istream@^Q*A+@W4_Uninitialized@1@@Z";
    istream_new_part(guest, kind, this, marker: i32, is_whole: i32) -> GuestWord {
        let _ = marker;
        super::istream::istream_new(guest, kind, this, GuestWord::NULL, 0, is_whole)
    }

    "Makes an input stream of another, which keeps its buffer.", "??0?$basic_istream@^I*A+@$$Q*AV01@@Z";
    istream_new_move(guest, kind, this, other: GuestWord, is_whole: i32) -> GuestWord {
        super::istream::istream_new(guest, kind, this, GuestWord::NULL, 0, is_whole)?;
        istream_swap(guest, kind, this, other)?;
        Ok(this)
    }

    "Makes an output stream of another, which keeps its buffer.", "??0?$basic_ostream@^I*A+@$$Q*AV01@@Z";
    ostream_new_move(guest, kind, this, other: GuestWord, is_whole: i32) -> GuestWord {
        ostream_new(guest, kind, this, GuestWord::NULL, 0, is_whole)?;
        ostream_swap(guest, kind, this, other)?;
        Ok(this)
    }

    "Makes a stream for both of another, which keeps its buffer.", "??0?$basic_iostream@^I*A+@$$Q*AV01@@Z";
    iostream_new_move(guest, kind, this, other: GuestWord, is_whole: i32) -> GuestWord {
        super::istream::iostream_new(guest, kind, this, GuestWord::NULL, is_whole)?;
        istream_swap(guest, kind, this, other)?;
        Ok(this)
    }

    "Exchanges input streams, but not their buffers.", "?swap@?$basic_istream@^I*A+XA*AV12@@Z";
    istream_swap(guest, kind, this, other: GuestWord) -> () {
        if this == other {
            return Ok(());
        }
        ostream_swap(guest, kind, this, other)?;
        exchange(guest, count_at(this), count_at(other), 8)
    }

    "Exchanges output streams, but not their buffers.", "?swap@?$basic_ostream@^I*A+XA*AV12@@Z";
    ostream_swap(guest, kind, this, other: GuestWord) -> () {
        let (one, two) = (Stream::of(guest, kind, this.0)?, Stream::of(guest, kind, other.0)?);
        if one == two { Ok(()) } else { one.exchange(guest, two) }
    }

    "Exchanges streams for both, but not their buffers.", "?swap@?$basic_iostream@^I*A+XA*AV12@@Z";
    iostream_swap(guest, kind, this, other: GuestWord) -> () { istream_swap(guest, kind, this, other) }

    "Exchanges an input stream with one that goes.", "??4?$basic_istream@^I*A+A*AV01@$$Q*AV01@@Z";
    istream_assign(guest, kind, this, other: GuestWord) -> GuestWord { istream_swap(guest, kind, this, other).map(|()| this) }

    "Exchanges an output stream with one that goes.", "??4?$basic_ostream@^I*A+A*AV01@$$Q*AV01@@Z";
    ostream_assign(guest, kind, this, other: GuestWord) -> GuestWord { ostream_swap(guest, kind, this, other).map(|()| this) }

    "Exchanges a stream for both with one that goes.", "??4?$basic_iostream@^I*A+A*AV01@$$Q*AV01@@Z";
    iostream_assign(guest, kind, this, other: GuestWord) -> GuestWord { istream_swap(guest, kind, this, other).map(|()| this) }

    "Ends an input stream with what all streams share.", "??_D?$basic_istream@^Q*A+XXZ";
    istream_end_whole(guest, kind, this) -> () {
        istream_end(guest, kind, this)?;
        let stream = Stream::of(guest, kind, this.0)?;
        ios_end(guest, kind, GuestWord(stream.at))
    }

    "Ends an output stream with what all streams share.", "??_D?$basic_ostream@^Q*A+XXZ";
    ostream_end_whole(guest, kind, this) -> () {
        ostream_end(guest, kind, this)?;
        istream_end_whole(guest, kind, this)
    }

    "Ends a stream for both with what all streams share.", "??_D?$basic_iostream@^Q*A+XXZ";
    iostream_end_whole(guest, kind, this) -> () { istream_end_whole(guest, kind, this) }

    "Ends input: nothing is to be done.", "?isfx@?$basic_istream@^Q*A+XXZ";
    istream_suffix(guest, kind, this) -> () {
        let _ = (guest, this);
        Ok(())
    }
}

kinds_of! { BUFFERS in more_buffers, "basic-streambuf-class";
    "Makes a buffer whose fields come later.", "??0?$basic_streambuf@^I*A+@W4_Uninitialized@1@@Z";
    streambuf_new_part(guest, kind, this, marker: i32) -> GuestWord {
        let _ = marker;
        super::streambuf::streambuf_new(guest, kind, this)
    }

    "Makes a buffer over what another one has.", "??0?$basic_streambuf@^I*A+@A*BV01@@Z";
    streambuf_new_copy(guest, kind, this, other: GuestWord) -> GuestWord {
        super::streambuf::streambuf_new(guest, kind, this)?;
        streambuf_assign(guest, kind, this, other)
    }

    "Lets a buffer have what another one has.", "??4?$basic_streambuf@^I*A+A*AV01@A*BV01@@Z";
    streambuf_assign(guest, kind, this, other: GuestWord) -> GuestWord {
        let (one, two) = (Buffer::new(guest, kind, this.0), Buffer::new(guest, kind, other.0));
        if one != two {
            for area in [Area::Get, Area::Put] {
                let places = two.area(guest, area)?;
                one.set(guest, area, places)?;
            }
            let held = place(guest, &[0; 32])?;
            streambuf_getloc(guest, kind, other, GuestWord(held))?;
            streambuf_pubimbue(guest, kind, this, GuestWord(held + 16), GuestWord(held))?;
            for at in [held, held + 16] {
                let collection = of_locale(guest, at)?;
                release(guest, collection.0)?;
            }
            guest.process().heaps.free(0, held);
        }
        Ok(this)
    }

    "Exchanges two buffers.", "?swap@?$basic_streambuf@^I*A+XA*AV12@@Z";
    streambuf_swap(guest, kind, this, other: GuestWord) -> () {
        let (one, two) = (Buffer::new(guest, kind, this.0), Buffer::new(guest, kind, other.0));
        if one == two {
            return Ok(());
        }
        for area in [Area::Get, Area::Put] {
            let (first, second) = (one.area(guest, area)?, two.area(guest, area)?);
            one.set(guest, area, second)?;
            two.set(guest, area, first)?;
        }
        exchange(guest, one.locale_at(), two.locale_at(), guest.machine().pointer_size())
    }

    "Moves a position by an offset.", "?pubseekoff@?$basic_streambuf@^Q*A+?AV?$fpos@U_Mbstatet@@@2@_JII@Z";
    streambuf_pubseekoff_bits(guest, kind, this, to: GuestWord, offset: i64, way: i32, which: i32) -> GuestWord {
        streambuf_pubseekoff(guest, kind, this, to, offset, way, which)
    }

    "Sets a position.", "?pubseekpos@?$basic_streambuf@^Q*A+?AV?$fpos@U_Mbstatet@@@2@V32@H@Z";
    streambuf_pubseekpos(guest, kind, this, to: GuestWord, position: crate::msvcp140::stream_more::Position, which: u32) -> GuestWord {
        let mut words = Words::new(guest).word(to.0).long(position.0[0]);
        if !guest.machine().is_64() {
            words = words.long(position.0[1]).long(position.0[2]);
        }
        virtual_method(guest, this.0, slot::SEEKPOS, words.word(which.into())).map(GuestWord)
    }

    "Sets a position.", "?pubseekpos@?$basic_streambuf@^Q*A+?AV?$fpos@U_Mbstatet@@@2@V32@I@Z";
    streambuf_pubseekpos_bits(guest, kind, this, to: GuestWord, position: crate::msvcp140::stream_more::Position, which: u32) -> GuestWord {
        streambuf_pubseekpos(guest, kind, this, to, position, which)
    }
}
