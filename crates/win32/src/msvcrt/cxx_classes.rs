//! The C++ classes of the old runtimes: `exception` and its kin, `type_info`, the functions that set handlers.
//!
//! A program of Visual C++ 2013 or before calls the constructors of these classes in the runtime's DLL: without a namespace
//! in msvcrt.dll to msvcr71.dll, in `std` from msvcr80.dll on. An object has three words: its table, its text, and whether the text
//! is its own to free.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/exception-class>; the export tables of those DLLs.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::define::define;
use super::exit::terminate;
use super::format_variants::{_swprintf_c, _vswprintf_c};
use super::io::_open;
use super::malloc::{_set_new_handler, _set_new_mode};
use super::state::{crt, place_narrow};
use super::throw::{
    __std_exception_copy, __std_exception_destroy, Base, exception_delete, exception_what, table_of,
    throw_lineage,
};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::ucrtbase::handlers::{
    _invalid_parameter, _query_new_handler, _query_new_mode, set_terminate, set_unexpected, unexpected,
};
use crate::vcruntime140::exceptions::_set_se_translator;
use crate::vcruntime140::types::{
    __RTCastToVoid, __RTDynamicCast, __RTtypeid, __std_type_info_destroy_list, __std_type_info_name,
};

/// What msvcrt.dll and all after it have.
pub const EXPORTS: &[Export] = dll! {
    both "?_query_new_handler@@YAP6AHI@ZXZ" / "?_query_new_handler@@YAP6AH_K@ZXZ" = _query_new_handler;
    full "?_query_new_mode@@YAHXZ" = _query_new_mode; full "?_set_new_mode@@YAHH@Z" = _set_new_mode;
    partial "?set_new_handler@@YAP6AXXZP6AXXZ@Z" = set_new_handler, "forgets the handler: as with Microsoft's, null alone has a meaning";
    both "?_set_se_translator@@YAP6AXIPAU_EXCEPTION_POINTERS@@@ZP6AXI0@Z@Z"
        / "?_set_se_translator@@YAP6AXIPEAU_EXCEPTION_POINTERS@@@ZP6AXI0@Z@Z" = _set_se_translator;
    full "?set_terminate@@YAP6AXXZP6AXXZ@Z" = set_terminate; full "?set_unexpected@@YAP6AXXZP6AXXZ@Z" = set_unexpected;
    full "?unexpected@@YAXXZ" = unexpected;
    member "?raw_name@type_info@@QBEPBDXZ" / "?raw_name@type_info@@QEBAPEBDXZ" = type_info_raw_name;
    member "?before@type_info@@QBEHABV1@@Z" / "?before@type_info@@QEBAHAEBV1@@Z" = type_info_before;
};

/// What msvcrt.dll has, and no DLL after it.
pub const MSVCRT_EXPORTS: &[Export] = dll! {
    member "??0exception@@QAE@XZ" / "??0exception@@QEAA@XZ" = bare::exception;
    member "??0exception@@QAE@ABQBD@Z" / "??0exception@@QEAA@AEBQEBD@Z" = bare::exception_text_at;
    member "??0exception@@QAE@ABQBDH@Z" / "??0exception@@QEAA@AEBQEBDH@Z" = bare::exception_text_kept;
    member "??0exception@@QAE@ABV0@@Z" / "??0exception@@QEAA@AEBV0@@Z" = bare::exception_copy;
    member "??4exception@@QAEAAV0@ABV0@@Z" / "??4exception@@QEAAAEAV0@AEBV0@@Z" = exception_assign;
    member "??1exception@@UAE@XZ" / "??1exception@@UEAA@XZ" = exception_end;
    member "??_Gexception@@UAEPAXI@Z" / "??_Gexception@@UEAAPEAXI@Z" = exception_delete;
    member "??_Gbad_cast@@UAEPAXI@Z" / "??_Gbad_cast@@UEAAPEAXI@Z" = exception_delete;
    member "??_Gbad_typeid@@UAEPAXI@Z" / "??_Gbad_typeid@@UEAAPEAXI@Z" = exception_delete;
    member "??_G__non_rtti_object@@UAEPAXI@Z" / "??_G__non_rtti_object@@UEAAPEAXI@Z" = exception_delete;
    member "??_Eexception@@UAEPAXI@Z" / "??_Eexception@@UEAAPEAXI@Z" = exception_delete;
    member "??_Ebad_cast@@UAEPAXI@Z" / "??_Ebad_cast@@UEAAPEAXI@Z" = exception_delete;
    member "??_Ebad_typeid@@UAEPAXI@Z" / "??_Ebad_typeid@@UEAAPEAXI@Z" = exception_delete;
    member "??_E__non_rtti_object@@UAEPAXI@Z" / "??_E__non_rtti_object@@UEAAPEAXI@Z" = exception_delete;
    member "?what@exception@@UBEPBDXZ" / "?what@exception@@UEBAPEBDXZ" = exception_what;
    member "??0bad_cast@@QAE@PBD@Z" / "??0bad_cast@@QEAA@PEBD@Z" = bare::bad_cast_text;
    member "??0bad_cast@@QAE@ABQBD@Z" / "??0bad_cast@@QEAA@AEBQEBD@Z" = bare::bad_cast_text_at;
    member "??0bad_cast@@AAE@PBQBD@Z" / "??0bad_cast@@AEAA@PEBQEBD@Z" = bare::bad_cast_text_at;
    member "??0bad_cast@@QAE@ABV0@@Z" / "??0bad_cast@@QEAA@AEBV0@@Z" = bare::bad_cast_copy;
    member "??_Fbad_cast@@QAEXXZ" / "??_Fbad_cast@@QEAAXXZ" = bare::bad_cast;
    member "??4bad_cast@@QAEAAV0@ABV0@@Z" / "??4bad_cast@@QEAAAEAV0@AEBV0@@Z" = exception_assign;
    member "??1bad_cast@@UAE@XZ" / "??1bad_cast@@UEAA@XZ" = exception_end;
    member "??0bad_typeid@@QAE@PBD@Z" / "??0bad_typeid@@QEAA@PEBD@Z" = bare::bad_typeid_text;
    member "??0bad_typeid@@QAE@ABV0@@Z" / "??0bad_typeid@@QEAA@AEBV0@@Z" = bare::bad_typeid_copy;
    member "??_Fbad_typeid@@QAEXXZ" / "??_Fbad_typeid@@QEAAXXZ" = bare::bad_typeid;
    member "??4bad_typeid@@QAEAAV0@ABV0@@Z" / "??4bad_typeid@@QEAAAEAV0@AEBV0@@Z" = exception_assign;
    member "??1bad_typeid@@UAE@XZ" / "??1bad_typeid@@UEAA@XZ" = exception_end;
    member "??0__non_rtti_object@@QAE@PBD@Z" / "??0__non_rtti_object@@QEAA@PEBD@Z" = bare::non_rtti_object_text;
    member "??0__non_rtti_object@@QAE@ABV0@@Z" / "??0__non_rtti_object@@QEAA@AEBV0@@Z" = bare::non_rtti_object_copy;
    member "??4__non_rtti_object@@QAEAAV0@ABV0@@Z" / "??4__non_rtti_object@@QEAAAEAV0@AEBV0@@Z" = exception_assign;
    member "??1__non_rtti_object@@UAE@XZ" / "??1__non_rtti_object@@UEAA@XZ" = exception_end;
    member "?name@type_info@@QBEPBDXZ" / "?name@type_info@@QEBAPEBDXZ" = type_info_name;
    member "??8type_info@@QBEHABV0@@Z" / "??8type_info@@QEBAHAEBV0@@Z" = type_info_is;
    member "??9type_info@@QBEHABV0@@Z" / "??9type_info@@QEBAHAEBV0@@Z" = type_info_is_not;
    full "__RTtypeid" = typeid; full "__RTDynamicCast" = dynamic_cast; full __RTCastToVoid;
};

/// What msvcr80.dll and all after it have.
pub const STD_EXPORTS: &[Export] = dll! {
    member "??0exception@std@@QAE@XZ" / "??0exception@std@@QEAA@XZ" = standard::exception;
    member "??0exception@std@@QAE@ABQBD@Z" / "??0exception@std@@QEAA@AEBQEBD@Z" = standard::exception_text_at;
    member "??0exception@std@@QAE@ABQBDH@Z" / "??0exception@std@@QEAA@AEBQEBDH@Z" = standard::exception_text_kept;
    member "??0exception@std@@QAE@ABV01@@Z" / "??0exception@std@@QEAA@AEBV01@@Z" = standard::exception_copy;
    member "??4exception@std@@QAEAAV01@ABV01@@Z" / "??4exception@std@@QEAAAEAV01@AEBV01@@Z" = exception_assign;
    member "??1exception@std@@UAE@XZ" / "??1exception@std@@UEAA@XZ" = exception_end;
    member "?what@exception@std@@UBEPBDXZ" / "?what@exception@std@@UEBAPEBDXZ" = exception_what;
    member "?_Copy_str@exception@std@@AAEXPBD@Z" / "?_Copy_str@exception@std@@AEAAXPEBD@Z" = exception_set_text;
    member "?_Tidy@exception@std@@AAEXXZ" / "?_Tidy@exception@std@@AEAAXXZ" = exception_end;
    member "??0bad_cast@std@@QAE@PBD@Z" / "??0bad_cast@std@@QEAA@PEBD@Z" = standard::bad_cast_text;
    member "??0bad_cast@std@@AAE@PBQBD@Z" / "??0bad_cast@std@@AEAA@PEBQEBD@Z" = standard::bad_cast_text_at;
    member "??0bad_cast@std@@QAE@ABV01@@Z" / "??0bad_cast@std@@QEAA@AEBV01@@Z" = standard::bad_cast_copy;
    member "??_Fbad_cast@std@@QAEXXZ" / "??_Fbad_cast@std@@QEAAXXZ" = standard::bad_cast;
    member "??4bad_cast@std@@QAEAAV01@ABV01@@Z" / "??4bad_cast@std@@QEAAAEAV01@AEBV01@@Z" = exception_assign;
    member "??1bad_cast@std@@UAE@XZ" / "??1bad_cast@std@@UEAA@XZ" = exception_end;
    member "??0bad_typeid@std@@QAE@PBD@Z" / "??0bad_typeid@std@@QEAA@PEBD@Z" = standard::bad_typeid_text;
    member "??0bad_typeid@std@@QAE@ABV01@@Z" / "??0bad_typeid@std@@QEAA@AEBV01@@Z" = standard::bad_typeid_copy;
    member "??_Fbad_typeid@std@@QAEXXZ" / "??_Fbad_typeid@std@@QEAAXXZ" = standard::bad_typeid;
    member "??4bad_typeid@std@@QAEAAV01@ABV01@@Z" / "??4bad_typeid@std@@QEAAAEAV01@AEBV01@@Z" = exception_assign;
    member "??1bad_typeid@std@@UAE@XZ" / "??1bad_typeid@std@@UEAA@XZ" = exception_end;
    member "??0__non_rtti_object@std@@QAE@PBD@Z" / "??0__non_rtti_object@std@@QEAA@PEBD@Z" = standard::non_rtti_object_text;
    member "??0__non_rtti_object@std@@QAE@ABV01@@Z" / "??0__non_rtti_object@std@@QEAA@AEBV01@@Z" = standard::non_rtti_object_copy;
    member "??4__non_rtti_object@std@@QAEAAV01@ABV01@@Z" / "??4__non_rtti_object@std@@QEAAAEAV01@AEBV01@@Z" = exception_assign;
    member "??1__non_rtti_object@std@@UAE@XZ" / "??1__non_rtti_object@std@@UEAA@XZ" = exception_end;
    member "?name@type_info@@QBEPBDPAU__type_info_node@@@Z" / "?name@type_info@@QEBAPEBDPEAU__type_info_node@@@Z" = type_info_name_of;
    member "?_name_internal_method@type_info@@QBEPBDPAU__type_info_node@@@Z"
        / "?_name_internal_method@type_info@@QEBAPEBDPEAU__type_info_node@@@Z" = type_info_name_of;
    both "?_Name_base@type_info@@CAPBDPBV1@PAU__type_info_node@@@Z"
        / "?_Name_base@type_info@@CAPEBDPEBV1@PEAU__type_info_node@@@Z" = name_of_type_info;
    both "?_Name_base_internal@type_info@@CAPBDPBV1@PAU__type_info_node@@@Z"
        / "?_Name_base_internal@type_info@@CAPEBDPEBV1@PEAU__type_info_node@@@Z" = name_of_type_info;
    member "?_type_info_dtor_internal_method@type_info@@QAEXXZ" / "?_type_info_dtor_internal_method@type_info@@QEAAXXZ" = type_info_end;
    both "?_Type_info_dtor@type_info@@CAXPAV1@@Z" / "?_Type_info_dtor@type_info@@CAXPEAV1@@Z" = type_info_end_of;
    both "?_Type_info_dtor_internal@type_info@@CAXPAV1@@Z" / "?_Type_info_dtor_internal@type_info@@CAXPEAV1@@Z" = type_info_end_of;
    full "__clean_type_info_names_internal" = __std_type_info_destroy_list;
    member "??8type_info@@QBE_NABV0@@Z" / "??8type_info@@QEBA_NAEBV0@@Z" = type_info_is;
    member "??9type_info@@QBE_NABV0@@Z" / "??9type_info@@QEBA_NAEBV0@@Z" = type_info_is_not;
    member "?before@type_info@@QBE_NABV1@@Z" / "?before@type_info@@QEBA_NAEBV1@@Z" = type_info_before;
    both "?_set_new_handler@@YAP6AHI@ZH@Z" / "?_set_new_handler@@YAP6AH_K@ZH@Z" = _set_new_handler;
    both "?_set_se_translator@@YAP6AXIPAU_EXCEPTION_POINTERS@@@ZH@Z"
        / "?_set_se_translator@@YAP6AXIPEAU_EXCEPTION_POINTERS@@@ZH@Z" = _set_se_translator;
    full "?set_terminate@@YAP6AXXZH@Z" = set_terminate; full "?set_unexpected@@YAP6AXXZH@Z" = set_unexpected;
    full "?_inconsistency@@YAXXZ" = terminate;
    both "?_invalid_parameter@@YAXPBG00II@Z" / "?_invalid_parameter@@YAXPEBG00I_K@Z" = _invalid_parameter;
    both "?_ValidateRead@@YAHPBXI@Z" / "?_ValidateRead@@YAHPEBXI@Z" = is_not_null;
    both "?_ValidateWrite@@YAHPAXI@Z" / "?_ValidateWrite@@YAHPEAXI@Z" = is_not_null;
    both "?_ValidateExecute@@YAHP6GHXZ@Z" / "?_ValidateExecute@@YAHP6A_JXZ@Z" = is_not_null;
    both "?_open@@YAHPBDHH@Z" / "?_open@@YAHPEBDHH@Z" = _open;
    both "?swprintf@@YAHPA_WIPB_WZZ" / "?swprintf@@YAHPEA_W_KPEB_WZZ" = _swprintf_c;
    both "?vswprintf@@YAHPA_WIPB_WPAD@Z" / "?vswprintf@@YAHPEA_W_KPEB_WPEAD@Z" = _vswprintf_c;
};

/// Defines the constructors of the four classes in one namespace.
macro_rules! classes {
    ($(#[doc = $what:literal])+ $namespace:ident, $suffix:literal) => {
        $(#[doc = $what])+
        pub mod $namespace {
            use super::*;

            const EXCEPTION: Base = (concat!(".?AVexception", $suffix), 3);
            pub(super) const BAD_CAST: &[Base] = &[(concat!(".?AVbad_cast", $suffix), 3), EXCEPTION];
            const TYPEID: Base = (concat!(".?AVbad_typeid", $suffix), 3);
            pub(super) const BAD_TYPEID: &[Base] = &[TYPEID, EXCEPTION];
            const NON_RTTI: &[Base] = &[(concat!(".?AV__non_rtti_object", $suffix), 3), TYPEID, EXCEPTION];

            constructors! {
                "Makes an exception without a text.";
                exception() = (&[EXCEPTION], Text::None);
                "Makes an exception with a copy of the text that a place points to.";
                exception_text_at(text: GuestWord) = (&[EXCEPTION], Text::At(text.0));
                "Makes an exception with the text itself that a place points to.";
                exception_text_kept(text: GuestWord, _size: i32) = (&[EXCEPTION], Text::Kept(text.0));
                "Makes a copy of an exception.";
                exception_copy(other: GuestWord) = (&[EXCEPTION], Text::Of(other.0));
                "Makes a `bad_cast` with its usual text.";
                bad_cast() = (BAD_CAST, Text::Literal(b"bad cast"));
                "Makes a `bad_cast` with a copy of a text.";
                bad_cast_text(text: GuestWord) = (BAD_CAST, Text::Copy(text.0));
                "Makes a `bad_cast` with a copy of the text that a place points to.";
                bad_cast_text_at(text: GuestWord) = (BAD_CAST, Text::At(text.0));
                "Makes a copy of a `bad_cast`.";
                bad_cast_copy(other: GuestWord) = (BAD_CAST, Text::Of(other.0));
                "Makes a `bad_typeid` with its usual text.";
                bad_typeid() = (BAD_TYPEID, Text::Literal(b"bad typeid"));
                "Makes a `bad_typeid` with a copy of a text.";
                bad_typeid_text(text: GuestWord) = (BAD_TYPEID, Text::Copy(text.0));
                "Makes a copy of a `bad_typeid`.";
                bad_typeid_copy(other: GuestWord) = (BAD_TYPEID, Text::Of(other.0));
                "Makes a `__non_rtti_object` with a copy of a text.";
                non_rtti_object_text(text: GuestWord) = (NON_RTTI, Text::Copy(text.0));
                "Makes a copy of a `__non_rtti_object`.";
                non_rtti_object_copy(other: GuestWord) = (NON_RTTI, Text::Of(other.0));
            }
        }
    };
}

/// Defines constructors: what they do, names, parameters, the class, where its text comes from.
macro_rules! constructors {
    ($($what:literal; $name:ident($($param:ident: $type:ty),*) = ($class:expr, $text:expr);)+) => {$(
        #[doc = $what]
        ///
        /// Source: <https://learn.microsoft.com/cpp/standard-library/exception-class>
        #[winapi]
        pub fn $name(guest: &mut Guest, this: GuestWord $(, $param: $type)*) -> Result<GuestWord, Fault> {
            construct(guest, this, $class, $text)
        }
    )+};
}

classes! {
    /// The classes of msvcrt.dll.
    bare, "@@"
}
classes! {
    /// The classes of msvcr80.dll and all after it.
    standard, "@std@@"
}

/// Where a new object's text comes from.
enum Text {
    None,
    Literal(&'static [u8]),
    /// A copy of what lies there.
    Copy(u64),
    /// A copy of what the pointer there points to.
    At(u64),
    /// What the pointer there points to, not copied.
    Kept(u64),
    /// As another object has it.
    Of(u64),
}

fn construct(
    guest: &mut Guest,
    this: GuestWord,
    class: &'static [Base],
    text: Text,
) -> Result<GuestWord, Fault> {
    let table = table_of(guest, class)?;
    let data = data_of(guest, this);
    match text {
        Text::None => set_text(guest, data, 0, false)?,
        Text::Literal(text) => own(guest, data, text)?,
        Text::Copy(from) => own_from(guest, data, from)?,
        Text::At(place) => {
            let from = guest.read_word(place)?;
            own_from(guest, data, from)?;
        }
        Text::Kept(place) => {
            let text = guest.read_word(place)?;
            set_text(guest, data, text, false)?;
        }
        Text::Of(other) => {
            let from = data_of(guest, GuestWord(other));
            __std_exception_copy(guest, GuestWord(from), GuestWord(data))?;
        }
    }
    guest.write_word(this.0, table)?;
    Ok(this)
}

/// Returns where an object's text and flag lie.
fn data_of(guest: &Guest, this: GuestWord) -> u64 {
    this.0 + guest.machine().pointer_size()
}

fn set_text(guest: &Guest, data: u64, text: u64, is_own: bool) -> Result<(), Fault> {
    guest.write_word(data, text)?;
    guest.write(data + guest.machine().pointer_size(), &u8::from(is_own))
}

fn own(guest: &mut Guest, data: u64, text: &[u8]) -> Result<(), Fault> {
    let copy = place_narrow(guest, text)?;
    set_text(guest, data, copy, copy != 0)
}

fn own_from(guest: &mut Guest, data: u64, from: u64) -> Result<(), Fault> {
    if from == 0 {
        return set_text(guest, data, 0, false);
    }
    let text = guest.read_c_string(from)?;
    own(guest, data, &text)
}

/// Makes an exception a copy of another; its class stays.
///
/// Source: <https://learn.microsoft.com/cpp/standard-library/exception-class>
#[winapi]
pub fn exception_assign(guest: &mut Guest, this: GuestWord, other: GuestWord) -> Result<GuestWord, Fault> {
    if this != other {
        exception_end(guest, this)?;
        let (from, to) = (data_of(guest, other), data_of(guest, this));
        __std_exception_copy(guest, GuestWord(from), GuestWord(to))?;
    }
    Ok(this)
}

/// Ends an exception: frees the text that is its own.
///
/// Source: <https://learn.microsoft.com/cpp/standard-library/exception-class>
#[winapi]
pub fn exception_end(guest: &mut Guest, this: GuestWord) -> Result<(), Fault> {
    let data = data_of(guest, this);
    __std_exception_destroy(guest, GuestWord(data))
}

/// Gives an exception without a text a copy of one.
///
/// Source: the declaration of the private `_Copy_str` in `exception` of Visual C++ 2010
#[winapi]
pub fn exception_set_text(guest: &mut Guest, this: GuestWord, text: GuestWord) -> Result<(), Fault> {
    let data = data_of(guest, this);
    own_from(guest, data, text.0)
}

/// Returns where a type's decorated name lies: behind the table and the pointer to the undecorated name.
fn decorated(guest: &Guest, this: GuestWord) -> u64 {
    this.0 + 2 * guest.machine().pointer_size()
}

/// Compares the decorated names of two types, behind the dot that each begins with.
fn compare(guest: &Guest, this: GuestWord, other: GuestWord) -> Result<std::cmp::Ordering, Fault> {
    let name = |type_info| guest.read_c_string(decorated(guest, type_info) + 1);
    Ok(if this == other { std::cmp::Ordering::Equal } else { name(this)?.cmp(&name(other)?) })
}

/// Defines member functions of `type_info`.
macro_rules! type_info_members {
    ($($what:literal; $name:ident($guest:ident, $this:ident $(, $param:ident: $type:ty)?) -> $result:ty $body:block)+) => {$(
        #[doc = $what]
        ///
        /// Source: <https://learn.microsoft.com/cpp/cpp/type-info-class>
        #[winapi]
        pub fn $name($guest: &mut Guest, $this: GuestWord $(, $param: $type)?) -> Result<$result, Fault> $body
    )+};
}

type_info_members! {
    "Returns a type's name as the compiler decorates it.";
    type_info_raw_name(guest, this) -> GuestWord { Ok(GuestWord(decorated(guest, this))) }

    "Returns a type's name as C++ writes it.";
    type_info_name(guest, this) -> GuestWord { name_of_type_info(guest, this, GuestWord::NULL) }

    "Returns a type's name as C++ writes it; the list of names to free at the end is not needed.";
    type_info_name_of(guest, this, list: GuestWord) -> GuestWord { name_of_type_info(guest, this, list) }

    "Says whether a type comes before another in the order of their decorated names.";
    type_info_before(guest, this, other: GuestWord) -> i32 { Ok(i32::from(compare(guest, this, other)?.is_lt())) }

    "Says whether two types are the same.";
    type_info_is(guest, this, other: GuestWord) -> i32 { Ok(i32::from(compare(guest, this, other)?.is_eq())) }

    "Says whether two types differ.";
    type_info_is_not(guest, this, other: GuestWord) -> i32 { Ok(i32::from(compare(guest, this, other)?.is_ne())) }

    "Frees the undecorated name of a type.";
    type_info_end(guest, this) -> () {
        let place = this.0 + guest.machine().pointer_size();
        let name = guest.read_word(place)?;
        if name != 0 {
            guest.process().heaps.free(0, name);
            guest.write_word(place, 0)?;
        }
        Ok(())
    }
}

/// The texts of `bad_typeid` and `bad_cast` as the runtimes before 2015 have them.
const NO_OBJECT: &[u8] = b"Attempted a typeid of NULL pointer!";
const NO_CAST: &[u8] = b"Bad dynamic_cast!";

define! {
    "Returns the `type_info` of the whole object; null throws `bad_typeid`.", "rttypeid";
    typeid(guest, inptr: GuestWord) -> GuestWord {
        if inptr.is_null() {
            throw_lineage(guest, bare::BAD_TYPEID, NO_OBJECT)?;
        }
        __RTtypeid(guest, inptr)
    }

    "Performs a `dynamic_cast`; a failed one gives null, or throws `bad_cast` when it is of a reference.", "rtdynamiccast";
    dynamic_cast(guest, inptr: GuestWord, VfDelta: i32, SrcType: GuestWord, TargetType: GuestWord, isReference: i32) -> GuestWord {
        let found = __RTDynamicCast(guest, inptr, VfDelta, SrcType, TargetType, 0)?;
        if found.is_null() && !inptr.is_null() && isReference != 0 {
            throw_lineage(guest, bare::BAD_CAST, NO_CAST)?;
        }
        Ok(found)
    }

    "Returns a type's name as C++ writes it; the list of names to free at the end is not needed.", "internal-crt-globals-and-functions";
    name_of_type_info(guest, this: GuestWord, list: GuestWord) -> GuestWord {
        let data = data_of(guest, this);
        __std_type_info_name(guest, GuestWord(data), list)
    }

    "Frees the undecorated name of a type.", "internal-crt-globals-and-functions";
    type_info_end_of(guest, this: GuestWord) -> () { type_info_end(guest, this) }

    "Says whether a pointer is not null.", "internal-crt-globals-and-functions";
    is_not_null(guest, pointer: GuestWord, _size: u32) -> i32 {
        let _ = guest;
        Ok(i32::from(!pointer.is_null()))
    }

    "Forgets the function that `operator new` calls when memory is short.", "set-new-handler";
    set_new_handler(guest, new_p: GuestWord) -> GuestWord {
        let _ = new_p;
        crt(guest).handlers[super::malloc::NEW_HANDLER].store(0, std::sync::atomic::Ordering::Relaxed);
        Ok(GuestWord::NULL)
    }
}
