//! `std::locale`: shared collections of facets, numbers of kinds of facets, and the locks around them.
//!
//! A locale is two words, the second one the address of its collection (`_Locimp`): a facet itself, with a vector of facets by
//! number. Programs look facets up by themselves; one that is missing they have made by the kind's `_Getcat`.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/locale-class>; fields as the inline functions of the public headers
//! use them.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use plat_abi::{Fault, GuestWord, Memory};

use super::members::{functions, members, named};
use super::object::{Words, add_u32, virtual_method};
use super::tables::table;
use crate::guest::Guest;
use crate::msvcrt::state::{place, place_narrow};

/// Every category.
const ALL: u32 = 0x3f;

/// Facets in a vector when it is first made.
const FACETS_MIN: u64 = 40;

/// The collection of the program's locale, and the one of the "C" locale; 0 until they are needed.
static GLOBAL: AtomicU64 = AtomicU64::new(0);
static CLASSIC: AtomicU64 = AtomicU64::new(0);
/// The locale object that `locale::classic` gives.
static CLASSIC_OBJECT: AtomicU64 = AtomicU64::new(0);
/// Held while a kind of facets gets its number.
static IDS: Mutex<()> = Mutex::new(());

/// A collection of facets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Collection(pub(super) u64);

impl Collection {
    fn field(self, guest: &Guest, index: u64) -> u64 {
        self.0 + index * guest.machine().pointer_size()
    }

    fn facets(self, guest: &Guest) -> Result<(u64, u64), Fault> {
        Ok((guest.read_word(self.field(guest, 2))?, guest.read_word(self.field(guest, 3))?))
    }

    fn categories_at(self, guest: &Guest) -> u64 {
        self.field(guest, 4)
    }

    fn name_at(self, guest: &Guest) -> u64 {
        self.field(guest, 4) + 8
    }

    /// Makes a collection without facets.
    fn make(guest: &Guest, name: &str, categories: u32, is_transparent: bool) -> Result<Self, Fault> {
        let word = guest.machine().pointer_size();
        let made = Self(place(guest, &vec![0; 4 * word as usize + 24])?);
        guest.write_word(made.0, table(guest, "??_7_Locimp@locale@std@@6B@"))?;
        guest.write(made.field(guest, 1), &1_u32)?;
        guest.write(made.categories_at(guest), &categories)?;
        guest.write(made.categories_at(guest) + 4, &u8::from(is_transparent))?;
        guest.write_word(made.name_at(guest), place_narrow(guest, name.as_bytes())?)?;
        Ok(made)
    }

    /// Makes a collection with the facets of another.
    fn copy(guest: &mut Guest, other: Self) -> Result<Self, Fault> {
        let made = Self::make(guest, "*", guest.read_u32(other.categories_at(guest))?, false)?;
        let name = guest.read_word(other.name_at(guest))?;
        set_yarn(guest, made.name_at(guest), name)?;
        let (vector, count) = other.facets(guest)?;
        for id in 0..count {
            let facet = guest.read_word(vector + id * guest.machine().pointer_size())?;
            if facet != 0 {
                made.add(guest, facet, id)?;
            }
        }
        Ok(made)
    }

    /// Puts a facet in its place.
    pub(super) fn add(self, guest: &mut Guest, facet: u64, id: u64) -> Result<(), Fault> {
        const IDS_MAX: u64 = 1 << 16;
        let word = guest.machine().pointer_size();
        let (mut vector, count) = self.facets(guest)?;
        if id >= IDS_MAX {
            return Ok(());
        }
        if id >= count {
            let new_count = (id + 1).max(FACETS_MIN);
            let mut bytes = guest.read_vec(vector, count * word)?;
            bytes.resize((new_count * word) as usize, 0);
            let new = place(guest, &bytes)?;
            guest.process().heaps.free(0, vector);
            vector = new;
            guest.write_word(self.field(guest, 2), vector)?;
            guest.write_word(self.field(guest, 3), new_count)?;
        }
        incref(guest, facet)?;
        let old = guest.read_word(vector + id * word)?;
        guest.write_word(vector + id * word, facet)?;
        release(guest, old)
    }
}

/// Returns the collection of the program's locale.
pub(super) fn global(guest: &Guest) -> Result<Collection, Fault> {
    let known = GLOBAL.load(Ordering::Acquire);
    if known != 0 {
        return Ok(Collection(known));
    }
    let made = Collection::make(guest, "C", ALL, false)?;
    match GLOBAL.compare_exchange(0, made.0, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => {
            CLASSIC.store(made.0, Ordering::Release);
            incref(guest, made.0)?;
            let slot = super::tables::classic_slot(guest);
            guest.write_word(slot, made.0)?;
            Ok(made)
        }
        Err(other) => Ok(Collection(other)),
    }
}

/// Adds a reference to a facet.
pub(super) fn incref(guest: &Guest, facet: u64) -> Result<(), Fault> {
    change_count(guest, facet, 1).map(drop)
}

fn change_count(guest: &Guest, facet: u64, by: i32) -> Result<u32, Fault> {
    add_u32(guest, facet + guest.machine().pointer_size(), by)
}

/// Takes a reference to a facet away; the last one's end destroys it.
pub(super) fn release(guest: &mut Guest, facet: u64) -> Result<(), Fault> {
    const DECREF: u64 = 2;
    const DELETE: u64 = 0;
    if facet == 0 {
        return Ok(());
    }
    let words = Words::new(guest);
    let last = virtual_method(guest, facet, DECREF, words)?;
    if last != 0 && (guest.machine().is_64() || last as u32 != 0) {
        virtual_method(guest, facet, DELETE, words.word(1))?;
    }
    Ok(())
}

/// Makes a locale object with one more reference to a collection.
pub(super) fn put_locale(guest: &Guest, at: u64, collection: Collection) -> Result<(), Fault> {
    incref(guest, collection.0)?;
    guest.write_word(at + guest.machine().pointer_size(), collection.0)
}

/// Returns the collection of a locale object.
pub(super) fn of_locale(guest: &Guest, at: u64) -> Result<Collection, Fault> {
    guest.read_word(at + guest.machine().pointer_size()).map(Collection)
}

/// Sets a text that its holder owns.
pub(super) fn set_yarn(guest: &Guest, at: u64, text: u64) -> Result<(), Fault> {
    let old = guest.read_word(at)?;
    if old == text {
        return Ok(());
    }
    let copy = if text == 0 { 0 } else { place_narrow(guest, &guest.read_c_string(text)?)? };
    guest.process().heaps.free(0, old);
    guest.write_word(at, copy)
}

members! { MEMBERS, "locale-class";
    "Returns the number of a kind of facets, given out when it is first asked for.", "??Bid@locale@std@@Q*A+~XZ";
    locale_id(guest, this) -> GuestWord {
        let _guard = IDS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut id = guest.read_word(this.0)?;
        if id == 0 {
            let counter = table(guest, "?_Id_cnt@id@locale@std@@0HA");
            id = u64::from(guest.read_u32(counter)? + 1);
            guest.write(counter, &(id as u32))?;
            guest.write_word(this.0, id)?;
        }
        Ok(GuestWord(id))
    }

    "Makes a facet.", "??0facet@locale@std@@I*A+@~@Z";
    facet_new(guest, this, references: GuestWord) -> GuestWord {
        guest.write_word(this.0, table(guest, "??_7facet@locale@std@@6B@"))?;
        guest.write(this.0 + guest.machine().pointer_size(), &(references.0 as u32))?;
        Ok(this)
    }

    "Ends a facet.", "??1facet@locale@std@@M*A+@XZ";
    facet_end(guest, this) -> () {
        let _ = (guest, this);
        Ok(())
    }

    "Adds a reference.", "?_Incref@facet@locale@std@@U*A+XXZ";
    facet_incref(guest, this) -> () { incref(guest, this.0) }

    "Takes a reference away; returns the facet if it was the last.", "?_Decref@facet@locale@std@@U*A+P*AV_Facet_base@3@XZ";
    facet_decref(guest, this) -> GuestWord {
        let count = change_count(guest, this.0, -1)?;
        Ok(if count == 0 { this } else { GuestWord::NULL })
    }

    "Takes a lock of the library's.", "??0_Lockit@std@@Q*A+@H@Z";
    lockit_new(guest, this, kind: i32) -> GuestWord {
        guest.write(this.0, &kind)?;
        super::threads::lock_library(guest, true)?;
        Ok(this)
    }

    "Takes a lock of the library's.", "??0_Lockit@std@@Q*A+@XZ";
    lockit_new_default(guest, this) -> GuestWord { lockit_new(guest, this, 0) }

    "Gives a lock of the library's back.", "??1_Lockit@std@@Q*A+@XZ";
    lockit_end(guest, this) -> () {
        let _ = this;
        super::threads::lock_library(guest, false)
    }
}

/// Where a `_Locinfo` has the name of its locale: the last of six texts behind the lock.
pub(super) fn locinfo_name(guest: &Guest, this: GuestWord) -> u64 {
    let word = guest.machine().pointer_size();
    this.0 + word + 5 * 2 * word
}

members! { LOCINFO, "locale-class";
    "Begins to use a named locale.", "??0_Locinfo@std@@Q*A+@P*BD@Z";
    locinfo_new(guest, this, name: GuestWord) -> GuestWord {
        let word = guest.machine().pointer_size();
        guest.write_bytes(this.0, &vec![0; 13 * word as usize])?;
        super::threads::lock_library(guest, true)?;
        let known = match name.0 {
            0 => false,
            at => matches!(guest.read_c_string(at)?.as_slice(), b"C" | b"POSIX" | b"")
                || !crate::msvcrt::locale::setlocale(guest, 0, name)?.is_null(),
        };
        if name.0 != 0 {
            let old = place_narrow(guest, b"C")?;
            crate::msvcrt::locale::setlocale(guest, 0, GuestWord(old))?;
            guest.process().heaps.free(0, old);
        }
        let text = if known { guest.read_c_string(name.0)? } else { b"*".to_vec() };
        guest.write_word(locinfo_name(guest, this), place_narrow(guest, &text)?)?;
        Ok(this)
    }

    "Begins to use a named locale's categories.", "??0_Locinfo@std@@Q*A+@HP*BD@Z";
    locinfo_new_categories(guest, this, categories: i32, name: GuestWord) -> GuestWord {
        let _ = categories;
        locinfo_new(guest, this, name)
    }

    "Goes back to the locale before.", "??1_Locinfo@std@@Q*A+@XZ";
    locinfo_end(guest, this) -> () {
        set_yarn(guest, locinfo_name(guest, this), 0)?;
        super::threads::lock_library(guest, false)
    }

    "Returns how text is compared: by its bytes.", "?_Getcoll@_Locinfo@std@@Q*B+?AU_Collvec@@XZ";
    locinfo_coll(guest, this, to: GuestWord) -> GuestWord {
        let _ = this;
        guest.write_bytes(to.0, &vec![0; 2 * guest.machine().pointer_size() as usize])?;
        Ok(to)
    }

    "Returns how text is converted: one byte per character.", "?_Getcvt@_Locinfo@std@@Q*B+?AU_Cvtvec@@XZ";
    locinfo_cvt(guest, this, to: GuestWord) -> GuestWord {
        let _ = this;
        super::codecvt::put_conversion(guest, to.0)?;
        Ok(to)
    }

    "Returns how `true` is written.", "?_Gettrue@_Locinfo@std@@Q*B+P*BDXZ";
    locinfo_true(guest, this) -> GuestWord {
        let _ = this;
        Ok(GuestWord(table(guest, "__plat_true")))
    }

    "Returns how `false` is written.", "?_Getfalse@_Locinfo@std@@Q*B+P*BDXZ";
    locinfo_false(guest, this) -> GuestWord {
        let _ = this;
        Ok(GuestWord(table(guest, "__plat_false")))
    }

    "Returns the table of numbers' marks.", "?_Getlconv@_Locinfo@std@@Q*B+P*BUlconv@@XZ";
    locinfo_lconv(guest, this) -> GuestWord {
        let _ = this;
        crate::msvcrt::locale::localeconv(guest)
    }
}

functions! { FUNCTIONS, "locale-class";
    "Returns the collection of the program's locale.", "?_Getgloballocale@locale@std@@CAP*AV_Locimp@12@XZ";
    locale_global_collection(guest) -> GuestWord { global(guest).map(|found| GuestWord(found.0)) }

    "Returns the collection of the program's locale, with one more reference if asked.", "?_Init@locale@std@@CAP*AV_Locimp@12@_N@Z";
    locale_init(guest, references: u8) -> GuestWord {
        let found = global(guest)?;
        if references != 0 {
            incref(guest, found.0)?;
        }
        Ok(GuestWord(found.0))
    }

    "Returns the \"C\" locale.", "?classic@locale@std@@SAA*BV12@XZ";
    locale_classic(guest) -> GuestWord {
        let known = CLASSIC_OBJECT.load(Ordering::Acquire);
        if known != 0 {
            return Ok(GuestWord(known));
        }
        global(guest)?;
        let object = place(guest, &[0; 16])?;
        put_locale(guest, object, Collection(CLASSIC.load(Ordering::Acquire)))?;
        CLASSIC_OBJECT.store(object, Ordering::Release);
        Ok(GuestWord(object))
    }

    "Sets the program's locale; returns the one before.", "?global@locale@std@@SA?AV12@A*BV12@@Z";
    locale_set_global(guest, to: GuestWord, locale: GuestWord) -> GuestWord {
        let old = global(guest)?;
        guest.write_word(to.0 + guest.machine().pointer_size(), old.0)?;
        let new = of_locale(guest, locale.0)?;
        incref(guest, new.0)?;
        GLOBAL.store(new.0, Ordering::Release);
        Ok(to)
    }

    "Sets the collection of the program's locale.", "?_Setgloballocale@locale@std@@CAXP*AX@Z";
    locale_set_collection(guest, collection: GuestWord) -> () {
        let _ = guest;
        GLOBAL.store(collection.0, Ordering::Release);
        Ok(())
    }

    "Makes a collection.", "?_New_Locimp@_Locimp@locale@std@@CAP*AV123@_N@Z";
    collection_new(guest, is_transparent: u8) -> GuestWord {
        Collection::make(guest, "*", 0, is_transparent != 0).map(|made| GuestWord(made.0))
    }

    "Makes a copy of a collection.", "?_New_Locimp@_Locimp@locale@std@@CAP*AV123@A*BV123@@Z";
    collection_copy(guest, other: GuestWord) -> GuestWord {
        Collection::copy(guest, Collection(other.0)).map(|made| GuestWord(made.0))
    }

    "Puts a facet into a collection.", "?_Locimp_Addfac@_Locimp@locale@std@@CAXP*AV123@P*AVfacet@23@~@Z";
    collection_add(guest, this: GuestWord, facet: GuestWord, id: GuestWord) -> () {
        Collection(this.0).add(guest, facet.0, id.0)
    }

    "Gives a collection the facets of a named locale: those that are made when they are asked for.", "?_Makeloc@_Locimp@locale@std@@CAP*AV123@A*BV_Locinfo@3@HP*AV123@P*BV23@@Z";
    collection_make(guest, info: GuestWord, categories: i32, this: GuestWord, other: GuestWord) -> GuestWord {
        let _ = (guest, info, categories, other);
        Ok(this)
    }
}

members! { ENDS, "locale-class";
    "Destroys a facet without members; frees it when asked.", "__plat_facet_delete*";
    facet_delete(guest, this, flags: u32) -> GuestWord {
        if flags & 1 != 0 {
            guest.process().heaps.free(0, this.0);
        }
        Ok(this)
    }

    "Destroys a collection; frees it when asked.", "__plat_collection_delete*";
    collection_delete(guest, this, flags: u32) -> GuestWord {
        let collection = Collection(this.0);
        let (vector, count) = collection.facets(guest)?;
        for id in 0..count {
            let facet = guest.read_word(vector + id * guest.machine().pointer_size())?;
            release(guest, facet)?;
        }
        guest.process().heaps.free(0, vector);
        set_yarn(guest, collection.name_at(guest), 0)?;
        facet_delete(guest, this, flags)
    }
}

named! { NAMED, "locale-class";
    "Makes a locale that looks facets up in the program's.", "?empty@locale@std@@SA?AV12@XZ";
    locale_empty(guest, to: GuestWord) -> GuestWord {
        let made = Collection::make(guest, "*", 0, true)?;
        guest.write_word(to.0 + guest.machine().pointer_size(), made.0)?;
        Ok(to)
    }
}
