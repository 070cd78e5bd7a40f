//! What remains of locales: bases of facets, texts, what `_Locinfo` knows, static functions that do what members do.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/locale-class>; declarations of the public header `xlocinfo.h`
//! (<https://github.com/microsoft/STL>).

use plat_abi::{Fault, GuestWord, Memory};

use super::c_helpers::_Getctype;
use super::errors::kept;
use super::locale::{
    Collection, collection_delete, facet_new, locinfo_end, locinfo_name, locinfo_new, locinfo_new_categories,
    lockit_end, lockit_new, lockit_new_default, set_yarn,
};
use super::members::{functions, kinds_of, members, named};
use super::names::Kind;
use super::streambuf::load_unit;
use super::tables::table;
use super::threads::lock_library;
use crate::guest::Guest;
use crate::msvcrt::state::{place, place_wide};
use crate::ucrtbase::library::{DAYS, MONTHS};

/// Fills a facet with one of the tables of bases.
fn base(
    guest: &mut Guest,
    this: GuestWord,
    references: GuestWord,
    name: &'static str,
) -> Result<GuestWord, Fault> {
    facet_new(guest, this, references)?;
    guest.write_word(this.0, table(guest, name))?;
    Ok(this)
}

/// Defines the bases of facets: class, table, constructor, its closure, destructor.
macro_rules! bases {
    ($($table:ident $class:literal $new:ident $default:ident $end:ident;)*) => {$(
        members! { $table, "locale-facet-class";
            "Makes the base of a facet.", concat!("??0", $class, "@std@@Q*A+@~@Z");
            $new(guest, this, references: GuestWord) -> GuestWord {
                base(guest, this, references, concat!("??_7", $class, "@std@@6B@"))
            }

            "Makes the base of a facet without references.", concat!("??_F", $class, "@std@@Q*A+XXZ");
            $default(guest, this) -> () { $new(guest, this, GuestWord(0)).map(drop) }

            "Ends the base of a facet.", concat!("??1", $class, "@std@@U*A+@XZ");
            $end(guest, this) -> () {
                let _ = (guest, this);
                Ok(())
            }
        }
    )*};
}
bases! {
    CTYPE_BASE "ctype_base" ctype_base_new ctype_base_default ctype_base_end;
    TIME_BASE "time_base" time_base_new time_base_default time_base_end;
    CODECVT_BASE "codecvt_base" codecvt_base_new codecvt_base_default codecvt_base_end;
}

members! { EXPORTS, "locale-class";
    "Makes the base of all facets.", "??0_Facet_base@std@@Q*A+@XZ";
    facet_base_new(guest, this) -> GuestWord {
        guest.write_word(this.0, table(guest, "??_7_Facet_base@std@@6B@"))?;
        Ok(this)
    }

    "Makes the base of all facets.", "??0_Facet_base@std@@Q*A+@A*BV01@@Z";
    facet_base_new_copy(guest, this, other: GuestWord) -> GuestWord {
        let _ = other;
        facet_base_new(guest, this)
    }

    "Ends the base of all facets.", "??1_Facet_base@std@@U*A+@XZ";
    facet_base_end(guest, this) -> () {
        let _ = (guest, this);
        Ok(())
    }

    "Copies nothing.", "??4_Facet_base@std@@Q*A+A*AV01@A*BV01@@Z";
    facet_base_assign(guest, this, other: GuestWord) -> GuestWord {
        let _ = (guest, other);
        Ok(this)
    }

    "Makes a facet without references.", "??_Ffacet@locale@std@@Q*A+XXZ";
    facet_default(guest, this) -> () { facet_new(guest, this, GuestWord(0)).map(drop) }

    "Makes the number of a kind of facets.", "??0id@locale@std@@Q*A+@~@Z";
    id_new(guest, this, value: GuestWord) -> GuestWord {
        guest.write_word(this.0, value.0)?;
        Ok(this)
    }

    "Makes the number of a kind of facets, which is given out later.", "??_Fid@locale@std@@Q*A+XXZ";
    id_default(guest, this) -> () { guest.write_word(this.0, 0) }

    "Puts a facet into a collection.", "?_Addfac@_Locimp@locale@std@@A*A+XP*AVfacet@23@~@Z";
    collection_add_member(guest, this, facet: GuestWord, id: GuestWord) -> () { Collection(this.0).add(guest, facet.0, id.0) }

    "Ends a collection.", "??1_Locimp@locale@std@@M*A+@XZ";
    collection_end(guest, this) -> () { collection_delete(guest, this, 0).map(drop) }

    "Begins to use the \"C\" locale.", "??_F_Locinfo@std@@Q*A+XXZ";
    locinfo_default(guest, this) -> () {
        let name = kept(guest, "C")?;
        locinfo_new(guest, this, name).map(drop)
    }

    "Begins to use a named locale for categories.", "?_Addcats@_Locinfo@std@@Q*A+A*AV12@HP*BD@Z";
    locinfo_add(guest, this, categories: i32, name: GuestWord) -> GuestWord {
        let _ = categories;
        set_yarn(guest, locinfo_name(guest, this), name.0)?;
        Ok(this)
    }

    "Returns the name of the locale.", "?_Getname@_Locinfo@std@@Q*B+P*BDXZ";
    locinfo_get_name(guest, this) -> GuestWord { guest.read_word(locinfo_name(guest, this)).map(GuestWord) }

    "Returns where the kinds of characters are.", "?_Getctype@_Locinfo@std@@Q*B+?AU_Ctypevec@@XZ";
    locinfo_ctype(guest, this, to: GuestWord) -> GuestWord {
        let _ = this;
        _Getctype(guest, to)
    }

    "Returns the order of dates: month, day, year.", "?_Getdateorder@_Locinfo@std@@Q*B+HXZ";
    locinfo_order(guest, this) -> i32 {
        let _ = this;
        super::c_helpers::_Getdateorder(guest)
    }

    "Returns the names of days.", "?_Getdays@_Locinfo@std@@Q*B+P*BDXZ";
    locinfo_days(guest, this) -> GuestWord {
        let _ = this;
        kept(guest, DAYS)
    }

    "Returns the names of months.", "?_Getmonths@_Locinfo@std@@Q*B+P*BDXZ";
    locinfo_months(guest, this) -> GuestWord {
        let _ = this;
        kept(guest, MONTHS)
    }

    "Returns the names of days as wide text.", "?_W_Getdays@_Locinfo@std@@Q*B+P*BGXZ";
    locinfo_wide_days(guest, this) -> GuestWord {
        let _ = this;
        wide(guest, DAYS)
    }

    "Returns the names of months as wide text.", "?_W_Getmonths@_Locinfo@std@@Q*B+P*BGXZ";
    locinfo_wide_months(guest, this) -> GuestWord {
        let _ = this;
        wide(guest, MONTHS)
    }

    "Makes the names of times: none but those of the \"C\" locale.", "?_Gettnames@_Locinfo@std@@Q*B+?AV_Timevec@2@XZ";
    locinfo_times(guest, this, to: GuestWord) -> GuestWord {
        let _ = this;
        guest.write_word(to.0, 0)?;
        Ok(to)
    }

    "The same as wide text.", "?_W_Gettnames@_Locinfo@std@@Q*B+?AV_Timevec@2@XZ";
    locinfo_wide_times(guest, this, to: GuestWord) -> GuestWord { locinfo_times(guest, this, to) }

    "Holds names of times.", "??0_Timevec@std@@Q*A+@P*AX@Z";
    timevec_new(guest, this, names: GuestWord) -> GuestWord {
        guest.write_word(this.0, names.0)?;
        Ok(this)
    }

    "Takes names of times over.", "??0_Timevec@std@@Q*A+@A*BV01@@Z";
    timevec_new_copy(guest, this, other: GuestWord) -> GuestWord { timevec_assign(guest, this, other) }

    "Takes names of times over.", "??4_Timevec@std@@Q*A+A*AV01@A*BV01@@Z";
    timevec_assign(guest, this, other: GuestWord) -> GuestWord {
        guest.write_word(this.0, guest.read_word(other.0)?)?;
        guest.write_word(other.0, 0)?;
        Ok(this)
    }

    "Holds no names of times.", "??_F_Timevec@std@@Q*A+XXZ";
    timevec_default(guest, this) -> () { guest.write_word(this.0, 0) }

    "Frees names of times.", "??1_Timevec@std@@Q*A+@XZ";
    timevec_end(guest, this) -> () {
        let names = guest.read_word(this.0)?;
        guest.process().heaps.free(0, names);
        Ok(())
    }

    "Returns names of times.", "?_Getptr@_Timevec@std@@Q*B+P*AXXZ";
    timevec_names(guest, this) -> GuestWord { guest.read_word(this.0).map(GuestWord) }

    "Makes the locks, which are there.", "??0_Init_locks@std@@Q*A+@XZ";
    locks_new(guest, this) -> GuestWord {
        let _ = guest;
        Ok(this)
    }

    "Ends no locks.", "??1_Init_locks@std@@Q*A+@XZ";
    locks_end(guest, this) -> () {
        let _ = (guest, this);
        Ok(())
    }

    "Makes sure that the wide streams are there: they are.", "??0_Winit@std@@Q*A+@XZ";
    wide_init_new(guest, this) -> GuestWord { locks_new(guest, this) }

    "Brings the wide streams up to date.", "??1_Winit@std@@Q*A+@XZ";
    wide_init_end(guest, this) -> () { super::misc::init_end(guest, this) }

    "Makes sure that the streams of `unsigned short` are there: they are.", "??0_UShinit@std@@Q*A+@XZ";
    short_init_new(guest, this) -> GuestWord { locks_new(guest, this) }

    "Brings the streams of `unsigned short` up to date.", "??1_UShinit@std@@Q*A+@XZ";
    short_init_end(guest, this) -> () { super::misc::init_end(guest, this) }
}

/// Returns the address of a wide text that stays.
fn wide(guest: &Guest, text: &str) -> Result<GuestWord, Fault> {
    let units: Vec<u16> = text.encode_utf16().collect();
    place_wide(guest, &units).map(GuestWord)
}

functions! { STATICS, "locale-class";
    "Takes a lock of the library's.", "?_Lockit_ctor@_Lockit@std@@CAXP*AV12@@Z";
    lockit_ctor(guest, this: GuestWord) -> () { lockit_new_default(guest, this).map(drop) }

    "Takes a lock of the library's.", "?_Lockit_ctor@_Lockit@std@@CAXP*AV12@H@Z";
    lockit_ctor_kind(guest, this: GuestWord, kind: i32) -> () { lockit_new(guest, this, kind).map(drop) }

    "Gives a lock of the library's back.", "?_Lockit_dtor@_Lockit@std@@CAXP*AV12@@Z";
    lockit_dtor(guest, this: GuestWord) -> () { lockit_end(guest, this) }

    "Begins to use a named locale.", "?_Locinfo_ctor@_Locinfo@std@@SAXP*AV12@P*BD@Z";
    locinfo_ctor(guest, this: GuestWord, name: GuestWord) -> () { locinfo_new(guest, this, name).map(drop) }

    "Begins to use a named locale's categories.", "?_Locinfo_ctor@_Locinfo@std@@SAXP*AV12@HP*BD@Z";
    locinfo_ctor_categories(guest, this: GuestWord, categories: i32, name: GuestWord) -> () {
        locinfo_new_categories(guest, this, categories, name).map(drop)
    }

    "Goes back to the locale before.", "?_Locinfo_dtor@_Locinfo@std@@SAXP*AV12@@Z";
    locinfo_dtor(guest, this: GuestWord) -> () { locinfo_end(guest, this) }

    "Begins to use a named locale for categories.", "?_Locinfo_Addcats@_Locinfo@std@@SAA*AV12@P*AV12@HP*BD@Z";
    locinfo_addcats(guest, this: GuestWord, categories: i32, name: GuestWord) -> GuestWord {
        locinfo_add(guest, this, categories, name)
    }

    "Ends a collection.", "?_Locimp_dtor@_Locimp@locale@std@@CAXP*AV123@@Z";
    collection_dtor(guest, this: GuestWord) -> () { collection_end(guest, this) }

    "Gives a collection wide facets: those that are made when they are asked for.", "?_Makewloc@_Locimp@locale@std@@CAXA*BV_Locinfo@3@HP*AV123@P*BV23@@Z";
    collection_make_wide(guest, info: GuestWord, categories: i32, this: GuestWord, other: GuestWord) -> () {
        let _ = (guest, info, categories, this, other);
        Ok(())
    }

    "The same for `unsigned short`.", "?_Makeushloc@_Locimp@locale@std@@CAXA*BV_Locinfo@3@HP*AV123@P*BV23@@Z";
    collection_make_short(guest, info: GuestWord, categories: i32, this: GuestWord, other: GuestWord) -> () {
        collection_make_wide(guest, info, categories, this, other)
    }

    "The same for all other facets.", "?_Makexloc@_Locimp@locale@std@@CAXA*BV_Locinfo@3@HP*AV123@P*BV23@@Z";
    collection_make_others(guest, info: GuestWord, categories: i32, this: GuestWord, other: GuestWord) -> () {
        collection_make_wide(guest, info, categories, this, other)
    }

    "Returns the category of facets that have none.", "?_Getcat@facet@locale@std@@SA~P*AP*BV123@P*BV23@@Z";
    facet_make(guest, to: GuestWord, locale: GuestWord) -> GuestWord {
        let _ = (guest, to, locale);
        Ok(GuestWord(u64::MAX))
    }

    "Writes what a Windows error means into a program's memory; returns the length.", "?_Winerror_message@std@@YAKKP*ADK@Z";
    winerror_message(guest, code: u32, to: GuestWord, room: u32) -> u32 {
        let text = super::errors::windows_text(guest, code as i32);
        let bytes = text.as_bytes().get(..room as usize).unwrap_or(text.as_bytes());
        guest.write_bytes(to.0, bytes)?;
        Ok(bytes.len() as u32)
    }
}

named! { NAMED, "locale-class";
    "Takes a lock of the library's.", "?_Lockit_ctor@_Lockit@std@@SAXH@Z";
    lockit_lock(guest, kind: i32) -> () {
        let _ = kind;
        lock_library(guest, true)
    }

    "Gives a lock of the library's back.", "?_Lockit_dtor@_Lockit@std@@SAXH@Z";
    lockit_unlock(guest, kind: i32) -> () {
        let _ = kind;
        lock_library(guest, false)
    }

    "Returns the function that `operator new` calls without memory.", "?get_new_handler@std@@YAP6AXXZXZ";
    get_new_handler(guest) -> GuestWord {
        let slot = &crate::msvcrt::state::crt(guest).handlers[super::misc::NEW_HANDLER];
        Ok(GuestWord(slot.load(std::sync::atomic::Ordering::Relaxed)))
    }
}

/// Returns the bytes of a text of the program's with its end.
fn copied(guest: &Guest, kind: Kind, text: u64) -> Result<u64, Fault> {
    if text == 0 {
        return Ok(0);
    }
    let mut end = text;
    while load_unit(guest, kind, end)? != 0 {
        end += kind.unit();
    }
    place(guest, &guest.read_vec(text, end - text + kind.unit())?)
}

/// Sets a text that its holder owns.
fn set_text(guest: &Guest, kind: Kind, at: u64, text: u64) -> Result<(), Fault> {
    let old = guest.read_word(at)?;
    if old != text {
        guest.write_word(at, copied(guest, kind, text)?)?;
        guest.process().heaps.free(0, old);
    }
    Ok(())
}

kinds_of! { YARN in locale_yarn, "locale-class";
    "Makes an empty text.", "??0?$_Yarn@#@std@@Q*A+@XZ";
    yarn_new(guest, kind, this) -> GuestWord {
        let _ = kind;
        guest.write_bytes(this.0, &vec![0; 2 * guest.machine().pointer_size() as usize])?;
        Ok(this)
    }

    "Makes a text.", "??0?$_Yarn@#@std@@Q*A+@P*B#@Z";
    yarn_new_text(guest, kind, this, text: GuestWord) -> GuestWord {
        yarn_new(guest, kind, this)?;
        yarn_assign(guest, kind, this, text)
    }

    "Makes a copy of a text.", "??0?$_Yarn@#@std@@Q*A+@A*BV01@@Z";
    yarn_new_copy(guest, kind, this, other: GuestWord) -> GuestWord {
        let text = GuestWord(guest.read_word(other.0)?);
        yarn_new_text(guest, kind, this, text)
    }

    "Makes a text another one.", "??4?$_Yarn@#@std@@Q*A+A*AV01@P*B#@Z";
    yarn_assign(guest, kind, this, text: GuestWord) -> GuestWord { set_text(guest, kind, this.0, text.0).map(|()| this) }

    "Makes a text a copy of another.", "??4?$_Yarn@#@std@@Q*A+A*AV01@A*BV01@@Z";
    yarn_assign_copy(guest, kind, this, other: GuestWord) -> GuestWord {
        let text = GuestWord(guest.read_word(other.0)?);
        yarn_assign(guest, kind, this, text)
    }

    "Returns a text; an empty one where there is none.", "?c_str@?$_Yarn@#@std@@Q*B+P*B#XZ";
    yarn_text(guest, kind, this) -> GuestWord {
        let _ = kind;
        let text = guest.read_word(this.0)?;
        Ok(GuestWord(if text == 0 { this.0 + guest.machine().pointer_size() } else { text }))
    }

    "Returns a text; an empty one where there is none.", "?_C_str@?$_Yarn@#@std@@Q*B+P*B#XZ";
    yarn_text_old(guest, kind, this) -> GuestWord { yarn_text(guest, kind, this) }

    "Says whether there is no text.", "?empty@?$_Yarn@#@std@@Q*B+_NXZ";
    yarn_is_empty(guest, kind, this) -> u8 {
        let _ = kind;
        Ok(u8::from(guest.read_word(this.0)? == 0))
    }

    "Says whether there is no text.", "?_Empty@?$_Yarn@#@std@@Q*B+_NXZ";
    yarn_is_empty_old(guest, kind, this) -> u8 { yarn_is_empty(guest, kind, this) }

    "Frees a text.", "?_Tidy@?$_Yarn@#@std@@A*A+XXZ";
    yarn_tidy(guest, kind, this) -> () { set_text(guest, kind, this.0, 0) }

    "Ends a text.", "??1?$_Yarn@#@std@@Q*A+@XZ";
    yarn_end(guest, kind, this) -> () { yarn_tidy(guest, kind, this) }
}
