//! Variables and tables of virtual functions, and their filling when the DLL is loaded.

use plat_abi::{Fault, Machine, Memory};

use super::members::row;
use super::names::{Kind, name};
use super::ostream::distance;
use super::{istream, objects};
use crate::export::{Body, Data, DataSize, Export};
use crate::guest::Guest;
use crate::msvcrt::system::exported;

/// The DLL that has them.
const DLL: &str = "msvcp140.dll";

/// Returns where a variable lies.
pub(super) fn table(guest: &Guest, name: &'static str) -> u64 {
    // The loader maps every variable before any function can be called; address 0 would be an access violation.
    guest.process().data_address(DLL, name).unwrap_or(0)
}

/// Returns where programs find the "C" locale's collection.
pub(super) fn classic_slot(guest: &Guest) -> u64 {
    let is_64 = guest.machine().is_64();
    table(
        guest,
        if is_64 {
            "?_Clocptr@_Locimp@locale@std@@0PEAV123@EA"
        } else {
            "?_Clocptr@_Locimp@locale@std@@0PAV123@A"
        },
    )
}

fn nothing(_: Machine) -> Vec<u8> {
    Vec::new()
}

/// Makes variables of a number of words, zeros at first.
macro_rules! variables {
    ($($name:ident: $words:expr;)*) => {
        $(static $name: Data = Data { size: DataSize::words($words), initial: nothing };)*
    };
}

variables! {
    WORD: 1;
    FACET: 3;
    BASE: 6;
    CTYPE: 11;
    WIDE_CTYPE: 15;
    CODECVT: 10;
    NUM_GET: 14;
    NUM_PUT: 11;
    TIME_GET: 10;
    TIME_PUT: 4;
    IOS: 1;
    BUFFER: 15;
    LOCK: 12;
}

/// Room for a stream.
static STREAM: Data = Data { size: DataSize::bytes(128), initial: nothing };
static NUMBER: Data = Data { size: DataSize::bytes(4), initial: nothing };
static TABLE_SIZE: Data = Data { size: DataSize::words(1), initial: |_| vec![0, 1] };
static TRUE: Data = Data { size: DataSize::bytes(8), initial: |_| b"true".to_vec() };
static FALSE: Data = Data { size: DataSize::bytes(8), initial: |_| b"false".to_vec() };
static YES: Data = Data { size: DataSize::bytes(1), initial: |_| vec![1] };
static NO: Data = Data { size: DataSize::bytes(1), initial: |_| vec![0] };
static BAD_OFFSET: Data = Data { size: DataSize::bytes(8), initial: |_| vec![0xff; 8] };
static OSTREAM_BASES: Data =
    Data { size: DataSize::bytes(8), initial: |machine| bases(distance(machine.pointer_size()) as u32) };
static ISTREAM_BASES: Data = Data { size: DataSize::bytes(8), initial: |_| bases(istream::DISTANCE as u32) };
static BOTH_BASES: Data =
    Data { size: DataSize::bytes(8), initial: |_| bases(istream::BOTH_DISTANCE as u32) };
static OUTPUT_BASES: Data = Data {
    size: DataSize::bytes(8),
    initial: |_| bases((istream::BOTH_DISTANCE - istream::OUTPUT_PART) as u32),
};

/// Makes the table through which an object finds its virtual base.
fn bases(distance: u32) -> Vec<u8> {
    [[0; 4], distance.to_le_bytes()].concat()
}

/// Rows of variables: the pattern of the name, and the variable; `kinds` for those of each kind of characters, `machines` for
/// those whose names differ between machines.
macro_rules! data {
    (kinds $($pattern:literal: $data:ident;)*) => {
        &[$(
            row(name!($pattern, Kind::Narrow, true), Body::Data(&$data)),
            row(name!($pattern, Kind::Wide, true), Body::Data(&$data)),
            row(name!($pattern, Kind::Short, true), Body::Data(&$data)),
        )*]
    };
    (wide $($pattern:literal: $data:ident;)*) => {
        &[$(
            row(name!($pattern, Kind::Wide, true), Body::Data(&$data)),
            row(name!($pattern, Kind::Short, true), Body::Data(&$data)),
        )*]
    };
    (machines $($pattern:literal: $data:ident;)*) => {
        &[$(
            row(name!($pattern, Kind::Narrow, true), Body::Data(&$data)),
            row(name!($pattern, Kind::Narrow, false), Body::Data(&$data)),
        )*]
    };
    ($($pattern:literal: $data:ident;)*) => {
        &[$(row(name!($pattern, Kind::Narrow, true), Body::Data(&$data)),)*]
    };
}

/// The variables.
pub const EXPORTS: &[Export] = data! {
    "?cin@std@@3V?$basic_istream@DU?$char_traits@D@std@@@1@A": STREAM;
    "?cout@std@@3V?$basic_ostream@DU?$char_traits@D@std@@@1@A": STREAM;
    "?cerr@std@@3V?$basic_ostream@DU?$char_traits@D@std@@@1@A": STREAM;
    "?clog@std@@3V?$basic_ostream@DU?$char_traits@D@std@@@1@A": STREAM;
    "?_Id_cnt@id@locale@std@@0HA": NUMBER;
    "?_Init_cnt@Init@ios_base@std@@0HA": NUMBER;
    "?_Init_cnt@_Winit@std@@0HA": NUMBER;
    "?_Init_cnt@_UShinit@std@@0HA": NUMBER;
    "?_Index@ios_base@std@@0HA": NUMBER;
    "?_Sync@ios_base@std@@0_NA": NUMBER;
    "?_BADOFF@std@@3_JB": BAD_OFFSET;
    "?table_size@?$ctype@D@std@@2_KB": TABLE_SIZE;
    "?table_size@?$ctype@D@std@@2IB": TABLE_SIZE;
    "__plat_true": TRUE;
    "__plat_false": FALSE;
    "__plat_library_lock": LOCK;
    "?id@?$codecvt@_SDU_Mbstatet@@@std@@2V0locale@2@A": WORD;
    "?id@?$codecvt@_UDU_Mbstatet@@@std@@2V0locale@2@A": WORD;
    "??_7_Facet_base@std@@6B@": FACET;
    "??_7facet@locale@std@@6B@": FACET;
    "??_7_Locimp@locale@std@@6B@": FACET;
    "??_7ctype_base@std@@6B@": FACET;
    "??_7time_base@std@@6B@": FACET;
    "??_7codecvt_base@std@@6B@": BASE;
    "??_7?$ctype@D@std@@6B@": CTYPE;
    "??_7?$codecvt@_SDU_Mbstatet@@@std@@6B@": CODECVT;
    "??_7?$codecvt@_UDU_Mbstatet@@@std@@6B@": CODECVT;
    "??_7ios_base@std@@6B@": IOS;
};

/// Variables whose names differ between machines.
pub const MACHINES: &[Export] = data! { machines
    "?_Clocptr@_Locimp@locale@std@@0P*AV123@*A": WORD;
    "?_Raise_handler@std@@3P6AXA*BVexception@stdext@@@Z*A": WORD;
    "?_Ptr_cin@std@@3P*AV?$basic_istream@DU?$char_traits@D@std@@@1@*A": WORD;
    "?_Ptr_cout@std@@3P*AV?$basic_ostream@DU?$char_traits@D@std@@@1@*A": WORD;
    "?_Ptr_cerr@std@@3P*AV?$basic_ostream@DU?$char_traits@D@std@@@1@*A": WORD;
    "?_Ptr_clog@std@@3P*AV?$basic_ostream@DU?$char_traits@D@std@@@1@*A": WORD;
    "?_Ptr_wcin@std@@3P*AV?$basic_istream@_WU?$char_traits@_W@std@@@1@*A": WORD;
    "?_Ptr_wcout@std@@3P*AV?$basic_ostream@_WU?$char_traits@_W@std@@@1@*A": WORD;
    "?_Ptr_wcerr@std@@3P*AV?$basic_ostream@_WU?$char_traits@_W@std@@@1@*A": WORD;
    "?_Ptr_wclog@std@@3P*AV?$basic_ostream@_WU?$char_traits@_W@std@@@1@*A": WORD;
    "?_Ptr_wcin@std@@3P*AV?$basic_istream@GU?$char_traits@G@std@@@1@*A": WORD;
    "?_Ptr_wcout@std@@3P*AV?$basic_ostream@GU?$char_traits@G@std@@@1@*A": WORD;
    "?_Ptr_wcerr@std@@3P*AV?$basic_ostream@GU?$char_traits@G@std@@@1@*A": WORD;
    "?_Ptr_wclog@std@@3P*AV?$basic_ostream@GU?$char_traits@G@std@@@1@*A": WORD;
};

/// Variables that only wide characters have.
pub const WIDE: &[Export] = data! { wide
    "?wcin@std@@3V?$basic_istream@#U?$char_traits@#@std@@@1@A": STREAM;
    "?wcout@std@@3V?$basic_ostream@#U?$char_traits@#@std@@@1@A": STREAM;
    "?wcerr@std@@3V?$basic_ostream@#U?$char_traits@#@std@@@1@A": STREAM;
    "?wclog@std@@3V?$basic_ostream@#U?$char_traits@#@std@@@1@A": STREAM;
    "??_7?$ctype@#@std@@6B@": WIDE_CTYPE;
};

/// The numbers of kinds of facets; tables of virtual functions, and those through which objects find their virtual bases.
pub const KINDS: &[Export] = data! { kinds
    "?id@?$codecvt@#DU_Mbstatet@@@std@@2V0locale@2@A": WORD;
    "?id@?$collate@#@std@@2V0locale@2@A": WORD;
    "?id@?$ctype@#@std@@2V0locale@2@A": WORD;
    "?id@?$messages@#@std@@2V0locale@2@A": WORD;
    "?id@?$money_get@#V?$istreambuf_iterator@^@std@@2V0locale@2@A": WORD;
    "?id@?$money_put@#V?$ostreambuf_iterator@^@std@@2V0locale@2@A": WORD;
    "?id@?$moneypunct@#$00@std@@2V0locale@2@A": WORD;
    "?id@?$moneypunct@#$0A@@std@@2V0locale@2@A": WORD;
    "?intl@?$moneypunct@#$00@std@@2_NB": YES;
    "?intl@?$moneypunct@#$0A@@std@@2_NB": NO;
    "?id@?$num_get@#V?$istreambuf_iterator@^@std@@2V0locale@2@A": WORD;
    "?id@?$num_put@#V?$ostreambuf_iterator@^@std@@2V0locale@2@A": WORD;
    "?id@?$numpunct@#@std@@2V0locale@2@A": WORD;
    "?id@?$time_get@#V?$istreambuf_iterator@^@std@@2V0locale@2@A": WORD;
    "?id@?$time_put@#V?$ostreambuf_iterator@^@std@@2V0locale@2@A": WORD;
    "??_7?$codecvt@#DU_Mbstatet@@@std@@6B@": CODECVT;
    "??_7?$num_get@#V?$istreambuf_iterator@^@std@@6B@": NUM_GET;
    "??_7?$num_put@#V?$ostreambuf_iterator@^@std@@6B@": NUM_PUT;
    "??_7?$time_get@#V?$istreambuf_iterator@^@std@@6B@": TIME_GET;
    "??_7?$time_put@#V?$ostreambuf_iterator@^@std@@6B@": TIME_PUT;
    "??_7?$basic_ios@^6B@": IOS;
    "??_7?$basic_ostream@^6B@": IOS;
    "??_7?$basic_istream@^6B@": IOS;
    "??_7?$basic_iostream@^6B@": IOS;
    "??_7?$basic_streambuf@^6B@": BUFFER;
    "__plat_stdio_table#": BUFFER;
    "??_8?$basic_ostream@^7B@": OSTREAM_BASES;
    "??_8?$basic_istream@^7B@": ISTREAM_BASES;
    "??_8?$basic_iostream@^7B?$basic_istream@#U?$char_traits@#@std@@@1@@": BOTH_BASES;
    "??_8?$basic_iostream@^7B?$basic_ostream@#U?$char_traits@#@std@@@1@@": OUTPUT_BASES;
};

/// A name on both machines, 32-bit first, for each kind of characters.
pub(super) type Names = [[&'static str; 2]; 3];

/// A table of virtual functions: which kinds of characters have it, its name, its functions.
struct Table {
    kinds: &'static [Kind],
    name: [&'static str; 3],
    slots: &'static [Names],
}

/// The names of a pattern.
macro_rules! names {
    ($pattern:expr) => {
        [
            [name!($pattern, Kind::Narrow, false), name!($pattern, Kind::Narrow, true)],
            [name!($pattern, Kind::Wide, false), name!($pattern, Kind::Wide, true)],
            [name!($pattern, Kind::Short, false), name!($pattern, Kind::Short, true)],
        ]
    };
}
pub(super) use names;

/// Tables: the kinds, the pattern of the name, the patterns of the functions behind those that all facets have, or of all.
macro_rules! tables {
    ($($what:ident $kinds:expr, $name:literal: $($slot:literal)*;)*) => {
        &[$(Table {
            kinds: $kinds,
            name: [
                name!($name, Kind::Narrow, true), name!($name, Kind::Wide, true), name!($name, Kind::Short, true),
            ],
            slots: tables!(@$what $($slot)*),
        }),*]
    };
    (@facet $($slot:literal)*) => {
        &[names!("__plat_facet_delete*"), names!("?_Incref@facet@locale@std@@U*A+XXZ"),
          names!("?_Decref@facet@locale@std@@U*A+P*AV_Facet_base@3@XZ"), $(names!($slot)),*]
    };
    (@class $($slot:literal)*) => { &[$(names!($slot)),*] };
}

const ONE: &[Kind] = &[Kind::Narrow];
const WIDES: &[Kind] = &[Kind::Wide, Kind::Short];
const ALL: &[Kind] = &Kind::ALL;

/// Which functions are in which table.
const CONTENTS: &[Table] = tables! {
    facet ONE, "??_7facet@locale@std@@6B@":
;
    facet ONE, "??_7_Facet_base@std@@6B@":
;
    facet ONE, "??_7ctype_base@std@@6B@":
;
    facet ONE, "??_7time_base@std@@6B@":
;
    facet ONE, "??_7codecvt_base@std@@6B@":
        "?do_always_noconv@codecvt_base@std@@M*B+_NXZ"
        "?do_max_length@codecvt_base@std@@M*B+HXZ"
        "?do_encoding@codecvt_base@std@@M*B+HXZ";
    class ONE, "??_7_Locimp@locale@std@@6B@":
        "__plat_collection_delete*"
        "?_Incref@facet@locale@std@@U*A+XXZ"
        "?_Decref@facet@locale@std@@U*A+P*AV_Facet_base@3@XZ";
    facet ONE, "??_7?$ctype@#@std@@6B@":
        "?do_tolower@?$ctype@#@std@@M*B+P*B#P*A#P*B#@Z"
        "?do_tolower@?$ctype@#@std@@M*B+##@Z"
        "?do_toupper@?$ctype@#@std@@M*B+P*B#P*A#P*B#@Z"
        "?do_toupper@?$ctype@#@std@@M*B+##@Z"
        "?do_widen@?$ctype@#@std@@M*B+P*BDP*BD0P*A#@Z"
        "?do_widen@?$ctype@#@std@@M*B+#D@Z"
        "?do_narrow@?$ctype@#@std@@M*B+P*B#P*B#0DP*AD@Z"
        "?do_narrow@?$ctype@#@std@@M*B+D#D@Z";
    facet WIDES, "??_7?$ctype@#@std@@6B@":
        "?do_is@?$ctype@#@std@@M*B+P*B#P*B#0P*AF@Z"
        "?do_is@?$ctype@#@std@@M*B+_NF#@Z"
        "?do_scan_is@?$ctype@#@std@@M*B+P*B#FP*B#0@Z"
        "?do_scan_not@?$ctype@#@std@@M*B+P*B#FP*B#0@Z"
        "?do_tolower@?$ctype@#@std@@M*B+P*B#P*A#P*B#@Z"
        "?do_tolower@?$ctype@#@std@@M*B+##@Z"
        "?do_toupper@?$ctype@#@std@@M*B+P*B#P*A#P*B#@Z"
        "?do_toupper@?$ctype@#@std@@M*B+##@Z"
        "?do_widen@?$ctype@#@std@@M*B+P*BDP*BD0P*A#@Z"
        "?do_widen@?$ctype@#@std@@M*B+#D@Z"
        "?do_narrow@?$ctype@#@std@@M*B+P*B#P*B#0DP*AD@Z"
        "?do_narrow@?$ctype@#@std@@M*B+D#D@Z";
    facet ONE, "??_7?$codecvt@#DU_Mbstatet@@@std@@6B@":
        "?do_always_noconv@?$codecvt@#DU_Mbstatet@@@std@@M*B+_NXZ"
        "?do_max_length@codecvt_base@std@@M*B+HXZ"
        "?do_encoding@codecvt_base@std@@M*B+HXZ"
        "?do_in@?$codecvt@#DU_Mbstatet@@@std@@M*B+HA*AU_Mbstatet@@P*BD1A*AP*BDP*A#3A*AP*A#@Z"
        "?do_out@?$codecvt@#DU_Mbstatet@@@std@@M*B+HA*AU_Mbstatet@@P*B#1A*AP*B#P*AD3A*AP*AD@Z"
        "?do_unshift@?$codecvt@#DU_Mbstatet@@@std@@M*B+HA*AU_Mbstatet@@P*AD1A*AP*AD@Z"
        "?do_length@?$codecvt@#DU_Mbstatet@@@std@@M*B+HA*AU_Mbstatet@@P*BD1~@Z";
    facet WIDES, "??_7?$codecvt@#DU_Mbstatet@@@std@@6B@":
        "?do_always_noconv@?$codecvt@#DU_Mbstatet@@@std@@M*B+_NXZ"
        "?do_max_length@?$codecvt@#DU_Mbstatet@@@std@@M*B+HXZ"
        "?do_encoding@?$codecvt@#DU_Mbstatet@@@std@@M*B+HXZ"
        "?do_in@?$codecvt@#DU_Mbstatet@@@std@@M*B+HA*AU_Mbstatet@@P*BD1A*AP*BDP*A#3A*AP*A#@Z"
        "?do_out@?$codecvt@#DU_Mbstatet@@@std@@M*B+HA*AU_Mbstatet@@P*B#1A*AP*B#P*AD3A*AP*AD@Z"
        "?do_unshift@?$codecvt@#DU_Mbstatet@@@std@@M*B+HA*AU_Mbstatet@@P*AD1A*AP*AD@Z"
        "?do_length@?$codecvt@#DU_Mbstatet@@@std@@M*B+HA*AU_Mbstatet@@P*BD1~@Z";
    facet ONE, "??_7?$codecvt@_SDU_Mbstatet@@@std@@6B@":
        "?do_always_noconv@?$codecvt@_SDU_Mbstatet@@@std@@M*B+_NXZ"
        "?do_max_length@?$codecvt@_SDU_Mbstatet@@@std@@M*B+HXZ"
        "?do_encoding@?$codecvt@_SDU_Mbstatet@@@std@@M*B+HXZ"
        "?do_in@?$codecvt@_SDU_Mbstatet@@@std@@M*B+HA*AU_Mbstatet@@P*BD1A*AP*BDP*A_S3A*AP*A_S@Z"
        "?do_out@?$codecvt@_SDU_Mbstatet@@@std@@M*B+HA*AU_Mbstatet@@P*B_S1A*AP*B_SP*AD3A*AP*AD@Z"
        "?do_unshift@?$codecvt@_SDU_Mbstatet@@@std@@M*B+HA*AU_Mbstatet@@P*AD1A*AP*AD@Z"
        "?do_length@?$codecvt@_SDU_Mbstatet@@@std@@M*B+HA*AU_Mbstatet@@P*BD1~@Z";
    facet ONE, "??_7?$codecvt@_UDU_Mbstatet@@@std@@6B@":
        "?do_always_noconv@?$codecvt@_UDU_Mbstatet@@@std@@M*B+_NXZ"
        "?do_max_length@?$codecvt@_UDU_Mbstatet@@@std@@M*B+HXZ"
        "?do_encoding@?$codecvt@_UDU_Mbstatet@@@std@@M*B+HXZ"
        "?do_in@?$codecvt@_UDU_Mbstatet@@@std@@M*B+HA*AU_Mbstatet@@P*BD1A*AP*BDP*A_U3A*AP*A_U@Z"
        "?do_out@?$codecvt@_UDU_Mbstatet@@@std@@M*B+HA*AU_Mbstatet@@P*B_U1A*AP*B_UP*AD3A*AP*AD@Z"
        "?do_unshift@?$codecvt@_UDU_Mbstatet@@@std@@M*B+HA*AU_Mbstatet@@P*AD1A*AP*AD@Z"
        "?do_length@?$codecvt@_UDU_Mbstatet@@@std@@M*B+HA*AU_Mbstatet@@P*BD1~@Z";
    facet ALL, "??_7?$num_get@#V?$istreambuf_iterator@^@std@@6B@":
        "?do_get@?$num_get@#V?$istreambuf_iterator@^@std@@M*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*AP*AX@Z"
        "?do_get@?$num_get@#V?$istreambuf_iterator@^@std@@M*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*AO@Z"
        "?do_get@?$num_get@#V?$istreambuf_iterator@^@std@@M*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*AN@Z"
        "?do_get@?$num_get@#V?$istreambuf_iterator@^@std@@M*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*AM@Z"
        "?do_get@?$num_get@#V?$istreambuf_iterator@^@std@@M*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*A_K@Z"
        "?do_get@?$num_get@#V?$istreambuf_iterator@^@std@@M*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*A_J@Z"
        "?do_get@?$num_get@#V?$istreambuf_iterator@^@std@@M*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*AK@Z"
        "?do_get@?$num_get@#V?$istreambuf_iterator@^@std@@M*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*AJ@Z"
        "?do_get@?$num_get@#V?$istreambuf_iterator@^@std@@M*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*AI@Z"
        "?do_get@?$num_get@#V?$istreambuf_iterator@^@std@@M*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*AG@Z"
        "?do_get@?$num_get@#V?$istreambuf_iterator@^@std@@M*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*A_N@Z";
    facet ALL, "??_7?$num_put@#V?$ostreambuf_iterator@^@std@@6B@":
        "?do_put@?$num_put@#V?$ostreambuf_iterator@^@std@@M*B+?AV?$ostreambuf_iterator@#U?$char_traits@#@std@@@2@V32@A*AVios_base@2@#P*BX@Z"
        "?do_put@?$num_put@#V?$ostreambuf_iterator@^@std@@M*B+?AV?$ostreambuf_iterator@#U?$char_traits@#@std@@@2@V32@A*AVios_base@2@#O@Z"
        "?do_put@?$num_put@#V?$ostreambuf_iterator@^@std@@M*B+?AV?$ostreambuf_iterator@#U?$char_traits@#@std@@@2@V32@A*AVios_base@2@#N@Z"
        "?do_put@?$num_put@#V?$ostreambuf_iterator@^@std@@M*B+?AV?$ostreambuf_iterator@#U?$char_traits@#@std@@@2@V32@A*AVios_base@2@#_K@Z"
        "?do_put@?$num_put@#V?$ostreambuf_iterator@^@std@@M*B+?AV?$ostreambuf_iterator@#U?$char_traits@#@std@@@2@V32@A*AVios_base@2@#_J@Z"
        "?do_put@?$num_put@#V?$ostreambuf_iterator@^@std@@M*B+?AV?$ostreambuf_iterator@#U?$char_traits@#@std@@@2@V32@A*AVios_base@2@#K@Z"
        "?do_put@?$num_put@#V?$ostreambuf_iterator@^@std@@M*B+?AV?$ostreambuf_iterator@#U?$char_traits@#@std@@@2@V32@A*AVios_base@2@#J@Z"
        "?do_put@?$num_put@#V?$ostreambuf_iterator@^@std@@M*B+?AV?$ostreambuf_iterator@#U?$char_traits@#@std@@@2@V32@A*AVios_base@2@#_N@Z";
    facet ALL, "??_7?$time_get@#V?$istreambuf_iterator@^@std@@6B@":
        "?do_date_order@?$time_get@#V?$istreambuf_iterator@^@std@@M*B+?AW4dateorder@time_base@2@XZ"
        "?do_get_time@?$time_get@#V?$istreambuf_iterator@^@std@@M*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHP*AUtm@@@Z"
        "?do_get_date@?$time_get@#V?$istreambuf_iterator@^@std@@M*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHP*AUtm@@@Z"
        "?do_get_weekday@?$time_get@#V?$istreambuf_iterator@^@std@@M*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHP*AUtm@@@Z"
        "?do_get_monthname@?$time_get@#V?$istreambuf_iterator@^@std@@M*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHP*AUtm@@@Z"
        "?do_get_year@?$time_get@#V?$istreambuf_iterator@^@std@@M*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHP*AUtm@@@Z"
        "?do_get@?$time_get@#V?$istreambuf_iterator@^@std@@M*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHP*AUtm@@DD@Z";
    facet ALL, "??_7?$time_put@#V?$ostreambuf_iterator@^@std@@6B@":
        "?do_put@?$time_put@#V?$ostreambuf_iterator@^@std@@M*B+?AV?$ostreambuf_iterator@#U?$char_traits@#@std@@@2@V32@A*AVios_base@2@#P*BUtm@@DD@Z";
    class ONE, "??_7ios_base@std@@6B@":
        "__plat_ios_delete#*";
    class ALL, "??_7?$basic_ios@^6B@":
        "__plat_ios_delete#*";
    class ALL, "??_7?$basic_ostream@^6B@":
        "__plat_ostream_delete#*";
    class ALL, "??_7?$basic_istream@^6B@":
        "__plat_istream_delete#*";
    class ALL, "??_7?$basic_iostream@^6B@":
        "__plat_iostream_delete#*";
    class ALL, "??_7?$basic_streambuf@^6B@":
        "__plat_streambuf_delete#*"
        "?_Lock@?$basic_streambuf@^U*A+XXZ"
        "?_Unlock@?$basic_streambuf@^U*A+XXZ"
        "?overflow@?$basic_streambuf@^M*A+%%@Z"
        "?pbackfail@?$basic_streambuf@^M*A+%%@Z"
        "?showmanyc@?$basic_streambuf@^M*A+_JXZ"
        "?underflow@?$basic_streambuf@^M*A+%XZ"
        "?uflow@?$basic_streambuf@^M*A+%XZ"
        "?xsgetn@?$basic_streambuf@^M*A+_JP*A#_J@Z"
        "?xsputn@?$basic_streambuf@^M*A+_JP*B#_J@Z"
        "?seekoff@?$basic_streambuf@^M*A+?AV?$fpos@U_Mbstatet@@@2@_JHH@Z"
        "?seekpos@?$basic_streambuf@^M*A+?AV?$fpos@U_Mbstatet@@@2@V32@H@Z"
        "?setbuf@?$basic_streambuf@^M*A+P*AV12@P*A#_J@Z"
        "?sync@?$basic_streambuf@^M*A+HXZ"
        "?imbue@?$basic_streambuf@^M*A+XA*BVlocale@2@@Z";
    class ALL, "__plat_stdio_table#":
        "__plat_stdio_delete#*"
        "?_Lock@?$basic_streambuf@^U*A+XXZ"
        "?_Unlock@?$basic_streambuf@^U*A+XXZ"
        "__plat_stdio_overflow#*"
        "__plat_stdio_pbackfail#*"
        "?showmanyc@?$basic_streambuf@^M*A+_JXZ"
        "__plat_stdio_underflow#*"
        "__plat_stdio_uflow#*"
        "__plat_stdio_xsgetn#*"
        "__plat_stdio_xsputn#*"
        "?seekoff@?$basic_streambuf@^M*A+?AV?$fpos@U_Mbstatet@@@2@_JHH@Z"
        "?seekpos@?$basic_streambuf@^M*A+?AV?$fpos@U_Mbstatet@@@2@V32@H@Z"
        "?setbuf@?$basic_streambuf@^M*A+P*AV12@P*A#_J@Z"
        "__plat_stdio_sync#*"
        "?imbue@?$basic_streambuf@^M*A+XA*BVlocale@2@@Z";
};

/// Fills the tables of virtual functions, and makes the standard streams.
///
/// # Errors
/// [`Fault`] when memory is short.
pub fn attach(guest: &mut Guest) -> Result<(), Fault> {
    const RECURSIVE_PLAIN: u32 = 0x101;
    let first = table(guest, "??_7facet@locale@std@@6B@");
    // A program may bring its own DLL, and one that is filled stays as it is.
    if first == 0 || guest.read_word(first)? != 0 {
        return Ok(());
    }
    let word = guest.machine().pointer_size();
    let machine = usize::from(guest.machine().is_64());
    for entry in CONTENTS {
        for kind in entry.kinds {
            let at = table(guest, kind.pick(entry.name));
            for (index, names) in (0..).zip(entry.slots) {
                let address = exported(guest, DLL, names[*kind as usize][machine])?;
                guest.write_word(at + index * word, address)?;
            }
        }
    }
    guest.write(table(guest, "__plat_library_lock"), &RECURSIVE_PLAIN)?;
    objects::attach(guest)
}
