//! Variables and tables of virtual functions, and their filling when the DLL is loaded.

use plat_abi::{Fault, Machine, Memory};

use super::ostream::distance;
use super::{istream, objects};
use crate::dll;
use crate::export::{Data, Export};
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
        $(static $name: Data = Data { size: |machine| $words * machine.pointer_size() as u32, initial: nothing };)*
    };
}

variables! {
    WORD: 1;
    FACET: 3;
    CTYPE: 11;
    CODECVT: 10;
    TIME_PUT: 4;
    IOS: 1;
    BUFFER: 15;
    LOCK: 12;
}

/// Room for a stream.
static STREAM: Data = Data { size: |_| 128, initial: nothing };
static NUMBER: Data = Data { size: |_| 4, initial: nothing };
static TABLE_SIZE: Data = Data { size: |machine| machine.pointer_size() as u32, initial: |_| vec![0, 1] };
static TRUE: Data = Data { size: |_| 8, initial: |_| b"true".to_vec() };
static FALSE: Data = Data { size: |_| 8, initial: |_| b"false".to_vec() };
static OSTREAM_BASES: Data =
    Data { size: |_| 8, initial: |machine| bases(distance(machine.pointer_size()) as u32) };
static ISTREAM_BASES: Data = Data { size: |_| 8, initial: |_| bases(istream::DISTANCE as u32) };
static BOTH_BASES: Data = Data { size: |_| 8, initial: |_| bases(istream::BOTH_DISTANCE as u32) };
static OUTPUT_BASES: Data =
    Data { size: |_| 8, initial: |_| bases((istream::BOTH_DISTANCE - istream::OUTPUT_PART) as u32) };

/// Makes the table through which an object finds its virtual base.
fn bases(distance: u32) -> Vec<u8> {
    [[0; 4], distance.to_le_bytes()].concat()
}

/// The variables.
pub const EXPORTS: &[Export] = dll! {
    data "?cin@std@@3V?$basic_istream@DU?$char_traits@D@std@@@1@A": STREAM;
    data "?cout@std@@3V?$basic_ostream@DU?$char_traits@D@std@@@1@A": STREAM;
    data "?cerr@std@@3V?$basic_ostream@DU?$char_traits@D@std@@@1@A": STREAM;
    data "?clog@std@@3V?$basic_ostream@DU?$char_traits@D@std@@@1@A": STREAM;
    data "?_Id_cnt@id@locale@std@@0HA": NUMBER;
    data "?_Init_cnt@Init@ios_base@std@@0HA": NUMBER;
    data "?_Index@ios_base@std@@0HA": NUMBER;
    data "?_Sync@ios_base@std@@0_NA": NUMBER;
    data "?_Clocptr@_Locimp@locale@std@@0PEAV123@EA": WORD;
    data "?_Clocptr@_Locimp@locale@std@@0PAV123@A": WORD;
    data "?_Raise_handler@std@@3P6AXAEBVexception@stdext@@@ZEA": WORD;
    data "?_Raise_handler@std@@3P6AXABVexception@stdext@@@ZA": WORD;
    data "?table_size@?$ctype@D@std@@2_KB": TABLE_SIZE;
    data "?table_size@?$ctype@D@std@@2IB": TABLE_SIZE;
    data "__plat_true": TRUE;
    data "__plat_false": FALSE;
    data "__plat_library_lock": LOCK;
};

/// The numbers of kinds of facets.
pub const IDS: &[Export] = dll! {
    data "?id@?$codecvt@DDU_Mbstatet@@@std@@2V0locale@2@A": WORD;
    data "?id@?$codecvt@GDU_Mbstatet@@@std@@2V0locale@2@A": WORD;
    data "?id@?$codecvt@_WDU_Mbstatet@@@std@@2V0locale@2@A": WORD;
    data "?id@?$collate@D@std@@2V0locale@2@A": WORD;
    data "?id@?$collate@G@std@@2V0locale@2@A": WORD;
    data "?id@?$collate@_W@std@@2V0locale@2@A": WORD;
    data "?id@?$ctype@D@std@@2V0locale@2@A": WORD;
    data "?id@?$ctype@G@std@@2V0locale@2@A": WORD;
    data "?id@?$ctype@_W@std@@2V0locale@2@A": WORD;
    data "?id@?$messages@D@std@@2V0locale@2@A": WORD;
    data "?id@?$money_get@DV?$istreambuf_iterator@DU?$char_traits@D@std@@@std@@@std@@2V0locale@2@A": WORD;
    data "?id@?$money_put@DV?$ostreambuf_iterator@DU?$char_traits@D@std@@@std@@@std@@2V0locale@2@A": WORD;
    data "?id@?$moneypunct@D$00@std@@2V0locale@2@A": WORD;
    data "?id@?$moneypunct@D$0A@@std@@2V0locale@2@A": WORD;
    data "?id@?$num_get@DV?$istreambuf_iterator@DU?$char_traits@D@std@@@std@@@std@@2V0locale@2@A": WORD;
    data "?id@?$num_get@_WV?$istreambuf_iterator@_WU?$char_traits@_W@std@@@std@@@std@@2V0locale@2@A": WORD;
    data "?id@?$num_put@DV?$ostreambuf_iterator@DU?$char_traits@D@std@@@std@@@std@@2V0locale@2@A": WORD;
    data "?id@?$num_put@_WV?$ostreambuf_iterator@_WU?$char_traits@_W@std@@@std@@@std@@2V0locale@2@A": WORD;
    data "?id@?$numpunct@D@std@@2V0locale@2@A": WORD;
    data "?id@?$numpunct@_W@std@@2V0locale@2@A": WORD;
    data "?id@?$time_get@DV?$istreambuf_iterator@DU?$char_traits@D@std@@@std@@@std@@2V0locale@2@A": WORD;
    data "?id@?$time_put@DV?$ostreambuf_iterator@DU?$char_traits@D@std@@@std@@@std@@2V0locale@2@A": WORD;
    data "?id@?$time_put@_WV?$ostreambuf_iterator@_WU?$char_traits@_W@std@@@std@@@std@@2V0locale@2@A": WORD;
};

/// Tables of virtual functions, and those through which objects find their virtual bases.
pub const TABLES: &[Export] = dll! {
    data "??_7facet@locale@std@@6B@": FACET;
    data "??_7_Locimp@locale@std@@6B@": FACET;
    data "??_7?$ctype@D@std@@6B@": CTYPE;
    data "??_7?$codecvt@DDU_Mbstatet@@@std@@6B@": CODECVT;
    data "??_7?$time_put@DV?$ostreambuf_iterator@DU?$char_traits@D@std@@@std@@@std@@6B@": TIME_PUT;
    data "??_7ios_base@std@@6B@": IOS;
    data "??_7?$basic_ios@DU?$char_traits@D@std@@@std@@6B@": IOS;
    data "??_7?$basic_ostream@DU?$char_traits@D@std@@@std@@6B@": IOS;
    data "??_7?$basic_istream@DU?$char_traits@D@std@@@std@@6B@": IOS;
    data "??_7?$basic_iostream@DU?$char_traits@D@std@@@std@@6B@": IOS;
    data "??_7?$basic_streambuf@DU?$char_traits@D@std@@@std@@6B@": BUFFER;
    data "__plat_stdio_table": BUFFER;
    data "??_8?$basic_ostream@DU?$char_traits@D@std@@@std@@7B@": OSTREAM_BASES;
    data "??_8?$basic_istream@DU?$char_traits@D@std@@@std@@7B@": ISTREAM_BASES;
    data "??_8?$basic_iostream@DU?$char_traits@D@std@@@std@@7B?$basic_istream@DU?$char_traits@D@std@@@1@@": BOTH_BASES;
    data "??_8?$basic_iostream@DU?$char_traits@D@std@@@std@@7B?$basic_ostream@DU?$char_traits@D@std@@@1@@": OUTPUT_BASES;
};

/// A function's 32-bit and 64-bit name.
type Names = (&'static str, &'static str);

/// The functions that every facet's table begins with.
const DELETE: Names = ("__plat_facet_delete", "__plat_facet_delete64");
const INCREF: Names = ("?_Incref@facet@locale@std@@UAEXXZ", "?_Incref@facet@locale@std@@UEAAXXZ");
const DECREF: Names = (
    "?_Decref@facet@locale@std@@UAEPAV_Facet_base@3@XZ",
    "?_Decref@facet@locale@std@@UEAAPEAV_Facet_base@3@XZ",
);
const LOCK_BUFFER: Names = (
    "?_Lock@?$basic_streambuf@DU?$char_traits@D@std@@@std@@UAEXXZ",
    "?_Lock@?$basic_streambuf@DU?$char_traits@D@std@@@std@@UEAAXXZ",
);
const UNLOCK_BUFFER: Names = (
    "?_Unlock@?$basic_streambuf@DU?$char_traits@D@std@@@std@@UAEXXZ",
    "?_Unlock@?$basic_streambuf@DU?$char_traits@D@std@@@std@@UEAAXXZ",
);
const SHOWMANYC: Names = (
    "?showmanyc@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MAE_JXZ",
    "?showmanyc@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MEAA_JXZ",
);
const SEEKOFF: Names = (
    "?seekoff@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MAE?AV?$fpos@U_Mbstatet@@@2@_JHH@Z",
    "?seekoff@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MEAA?AV?$fpos@U_Mbstatet@@@2@_JHH@Z",
);
const SEEKPOS: Names = (
    "?seekpos@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MAE?AV?$fpos@U_Mbstatet@@@2@V32@H@Z",
    "?seekpos@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MEAA?AV?$fpos@U_Mbstatet@@@2@V32@H@Z",
);
const SETBUF: Names = (
    "?setbuf@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MAEPAV12@PAD_J@Z",
    "?setbuf@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MEAAPEAV12@PEAD_J@Z",
);
const IMBUE: Names = (
    "?imbue@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MAEXABVlocale@2@@Z",
    "?imbue@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MEAAXAEBVlocale@2@@Z",
);

/// Which functions are in which table.
const CONTENTS: &[(&str, &[Names])] = &[
    ("??_7facet@locale@std@@6B@", &[DELETE, INCREF, DECREF]),
    (
        "??_7_Locimp@locale@std@@6B@",
        &[("__plat_collection_delete", "__plat_collection_delete64"), INCREF, DECREF],
    ),
    (
        "??_7?$ctype@D@std@@6B@",
        &[
            DELETE,
            INCREF,
            DECREF,
            ("?do_tolower@?$ctype@D@std@@MBEPBDPADPBD@Z", "?do_tolower@?$ctype@D@std@@MEBAPEBDPEADPEBD@Z"),
            ("?do_tolower@?$ctype@D@std@@MBEDD@Z", "?do_tolower@?$ctype@D@std@@MEBADD@Z"),
            ("?do_toupper@?$ctype@D@std@@MBEPBDPADPBD@Z", "?do_toupper@?$ctype@D@std@@MEBAPEBDPEADPEBD@Z"),
            ("?do_toupper@?$ctype@D@std@@MBEDD@Z", "?do_toupper@?$ctype@D@std@@MEBADD@Z"),
            ("?do_widen@?$ctype@D@std@@MBEPBDPBD0PAD@Z", "?do_widen@?$ctype@D@std@@MEBAPEBDPEBD0PEAD@Z"),
            ("?do_widen@?$ctype@D@std@@MBEDD@Z", "?do_widen@?$ctype@D@std@@MEBADD@Z"),
            ("?do_narrow@?$ctype@D@std@@MBEPBDPBD0DPAD@Z", "?do_narrow@?$ctype@D@std@@MEBAPEBDPEBD0DPEAD@Z"),
            ("?do_narrow@?$ctype@D@std@@MBEDDD@Z", "?do_narrow@?$ctype@D@std@@MEBADDD@Z"),
        ],
    ),
    (
        "??_7?$codecvt@DDU_Mbstatet@@@std@@6B@",
        &[
            DELETE,
            INCREF,
            DECREF,
            (
                "?do_always_noconv@?$codecvt@DDU_Mbstatet@@@std@@MBE_NXZ",
                "?do_always_noconv@?$codecvt@DDU_Mbstatet@@@std@@MEBA_NXZ",
            ),
            ("?do_max_length@codecvt_base@std@@MBEHXZ", "?do_max_length@codecvt_base@std@@MEBAHXZ"),
            ("?do_encoding@codecvt_base@std@@MBEHXZ", "?do_encoding@codecvt_base@std@@MEBAHXZ"),
            (
                "?do_in@?$codecvt@DDU_Mbstatet@@@std@@MBEHAAU_Mbstatet@@PBD1AAPBDPAD3AAPAD@Z",
                "?do_in@?$codecvt@DDU_Mbstatet@@@std@@MEBAHAEAU_Mbstatet@@PEBD1AEAPEBDPEAD3AEAPEAD@Z",
            ),
            (
                "?do_out@?$codecvt@DDU_Mbstatet@@@std@@MBEHAAU_Mbstatet@@PBD1AAPBDPAD3AAPAD@Z",
                "?do_out@?$codecvt@DDU_Mbstatet@@@std@@MEBAHAEAU_Mbstatet@@PEBD1AEAPEBDPEAD3AEAPEAD@Z",
            ),
            (
                "?do_unshift@?$codecvt@DDU_Mbstatet@@@std@@MBEHAAU_Mbstatet@@PAD1AAPAD@Z",
                "?do_unshift@?$codecvt@DDU_Mbstatet@@@std@@MEBAHAEAU_Mbstatet@@PEAD1AEAPEAD@Z",
            ),
            (
                "?do_length@?$codecvt@DDU_Mbstatet@@@std@@MBEHAAU_Mbstatet@@PBD1I@Z",
                "?do_length@?$codecvt@DDU_Mbstatet@@@std@@MEBAHAEAU_Mbstatet@@PEBD1_K@Z",
            ),
        ],
    ),
    (
        "??_7?$time_put@DV?$ostreambuf_iterator@DU?$char_traits@D@std@@@std@@@std@@6B@",
        &[
            DELETE,
            INCREF,
            DECREF,
            (
                "?do_put@?$time_put@DV?$ostreambuf_iterator@DU?$char_traits@D@std@@@std@@@std@@MBE?AV?$ostreambuf_iterator@DU?$char_traits@D@std@@@2@V32@AAVios_base@2@DPBUtm@@DD@Z",
                "?do_put@?$time_put@DV?$ostreambuf_iterator@DU?$char_traits@D@std@@@std@@@std@@MEBA?AV?$ostreambuf_iterator@DU?$char_traits@D@std@@@2@V32@AEAVios_base@2@DPEBUtm@@DD@Z",
            ),
        ],
    ),
    ("??_7ios_base@std@@6B@", &[("__plat_ios_delete", "__plat_ios_delete64")]),
    ("??_7?$basic_ios@DU?$char_traits@D@std@@@std@@6B@", &[("__plat_ios_delete", "__plat_ios_delete64")]),
    (
        "??_7?$basic_ostream@DU?$char_traits@D@std@@@std@@6B@",
        &[("__plat_ostream_delete", "__plat_ostream_delete64")],
    ),
    (
        "??_7?$basic_istream@DU?$char_traits@D@std@@@std@@6B@",
        &[("__plat_istream_delete", "__plat_istream_delete64")],
    ),
    (
        "??_7?$basic_iostream@DU?$char_traits@D@std@@@std@@6B@",
        &[("__plat_iostream_delete", "__plat_iostream_delete64")],
    ),
    (
        "??_7?$basic_streambuf@DU?$char_traits@D@std@@@std@@6B@",
        &[
            ("__plat_streambuf_delete", "__plat_streambuf_delete64"),
            LOCK_BUFFER,
            UNLOCK_BUFFER,
            (
                "?overflow@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MAEHH@Z",
                "?overflow@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MEAAHH@Z",
            ),
            (
                "?pbackfail@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MAEHH@Z",
                "?pbackfail@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MEAAHH@Z",
            ),
            SHOWMANYC,
            (
                "?underflow@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MAEHXZ",
                "?underflow@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MEAAHXZ",
            ),
            (
                "?uflow@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MAEHXZ",
                "?uflow@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MEAAHXZ",
            ),
            (
                "?xsgetn@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MAE_JPAD_J@Z",
                "?xsgetn@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MEAA_JPEAD_J@Z",
            ),
            (
                "?xsputn@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MAE_JPBD_J@Z",
                "?xsputn@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MEAA_JPEBD_J@Z",
            ),
            SEEKOFF,
            SEEKPOS,
            SETBUF,
            (
                "?sync@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MAEHXZ",
                "?sync@?$basic_streambuf@DU?$char_traits@D@std@@@std@@MEAAHXZ",
            ),
            IMBUE,
        ],
    ),
    (
        "__plat_stdio_table",
        &[
            ("__plat_stdio_delete", "__plat_stdio_delete64"),
            LOCK_BUFFER,
            UNLOCK_BUFFER,
            ("__plat_stdio_overflow", "__plat_stdio_overflow64"),
            ("__plat_stdio_pbackfail", "__plat_stdio_pbackfail64"),
            SHOWMANYC,
            ("__plat_stdio_underflow", "__plat_stdio_underflow64"),
            ("__plat_stdio_uflow", "__plat_stdio_uflow64"),
            ("__plat_stdio_xsgetn", "__plat_stdio_xsgetn64"),
            ("__plat_stdio_xsputn", "__plat_stdio_xsputn64"),
            SEEKOFF,
            SEEKPOS,
            SETBUF,
            ("__plat_stdio_sync", "__plat_stdio_sync64"),
            IMBUE,
        ],
    ),
];

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
    for (name, functions) in CONTENTS {
        let at = table(guest, name);
        for (index, names) in (0..).zip(*functions) {
            let name = if guest.machine().is_64() { names.1 } else { names.0 };
            let address = exported(guest, DLL, name)?;
            guest.write_word(at + index * word, address)?;
        }
    }
    guest.write(table(guest, "__plat_library_lock"), &RECURSIVE_PLAIN)?;
    objects::attach(guest)
}
