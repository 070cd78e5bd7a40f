//! The variables that the runtime exports. Those that hold addresses are filled in by [`attach`](super::startup::attach).

use plat_abi::Machine;

use super::ctype;
use crate::dll;
use crate::export::{Data, DataSize, Export};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    data _iob: IOB;
    data _acmdln: POINTER;
    data _wcmdln: POINTER;
    data _pgmptr: POINTER;
    data _wpgmptr: POINTER;
    data _environ: POINTER;
    data _wenviron: POINTER;
    data __initenv: POINTER;
    data __winitenv: POINTER;
    data __argc: INT;
    data __argv: POINTER;
    data __wargv: POINTER;
    data _fmode: INT;
    data _commode: INT;
    data _adjust_fdiv: INT;
    data _timezone: TIMEZONE;
    data _daylight: DAYLIGHT;
    data _dstbias: DSTBIAS;
    data _tzname: TZNAME;
    data _pctype: POINTER;
    data _pwctype: POINTER;
    data _ctype: CTYPE;
    data __mb_cur_max: MB_CUR_MAX;
    data _mbctype: MB_TYPE;
    data _mbcasemap: MB_CASE;
    data _HUGE: HUGE;
    data _sys_nerr: SYS_NERR;
    data _sys_errlist: SYS_ERRLIST;
    data _osplatform: OS_PLATFORM;
    data _osver: OS_BUILD;
    data _winver: OS_VERSION;
    data _winmajor: OS_MAJOR;
    data _winminor: INT;
    data _fileinfo: INT;
    data _aexit_rtn: POINTER;
    data __lconv: POINTER;
    data __lc_codepage: INT;
    data __lc_collate_cp: INT;
    data __lc_handle: LC_HANDLE;
    data __pioinfo: IOINFO;
    data __badioinfo: BAD_IOINFO;
    data "??_7type_info@@6B@": TYPE_INFO;
};

/// How many streams `_iob` holds.
pub(crate) const IOB_COUNT: u64 = 20;

fn none(_: Machine) -> Vec<u8> {
    Vec::new()
}

const fn int(initial: fn(Machine) -> Vec<u8>) -> Data {
    Data { size: DataSize::bytes(4), initial }
}

static POINTER: Data = Data { size: DataSize::words(1), initial: none };
/// The table of virtual functions of `type_info`: the destructor, which nothing calls.
static TYPE_INFO: Data = Data { size: DataSize::words(2), initial: none };
static INT: Data = int(none);
/// The identifiers of the six categories' locales.
static LC_HANDLE: Data = Data { size: DataSize::bytes(4 * 6), initial: none };
static IOINFO: Data = Data { size: DataSize::words(super::ioinfo::TABLES as u32), initial: none };
/// What stands for a descriptor that is none: the handle -1.
static BAD_IOINFO: Data =
    Data { size: DataSize::words(8), initial: |machine| vec![0xff; machine.pointer_size() as usize] };
static IOB: Data = Data {
    size: DataSize { i386: IOB_COUNT as u32 * 32, amd64: IOB_COUNT as u32 * 48 },
    initial: super::stream::initial,
};
// Pacific time, as the runtime has it until `_tzset` looks.
static TIMEZONE: Data = int(|_| 28_800i32.to_le_bytes().to_vec());
static DAYLIGHT: Data = int(|_| 1i32.to_le_bytes().to_vec());
static DSTBIAS: Data = int(|_| (-3600i32).to_le_bytes().to_vec());
static TZNAME: Data = Data { size: DataSize::words(2), initial: none };
static CTYPE: Data = Data { size: DataSize::bytes(2 * 257), initial: |_| ctype::table() };
static MB_TYPE: Data = Data { size: DataSize::bytes(257), initial: none };
static MB_CASE: Data = Data { size: DataSize::bytes(256), initial: none };
static MB_CUR_MAX: Data = int(|_| 1u32.to_le_bytes().to_vec());
static HUGE: Data = Data { size: DataSize::bytes(8), initial: |_| f64::INFINITY.to_le_bytes().to_vec() };
static SYS_NERR: Data = int(|_| (super::errno::TEXTS.len() as u32).to_le_bytes().to_vec());
static SYS_ERRLIST: Data = Data { size: DataSize::words(super::errno::TEXTS.len() as u32), initial: none };
// VER_PLATFORM_WIN32_NT.
static OS_PLATFORM: Data = int(|_| 2u32.to_le_bytes().to_vec());
static OS_BUILD: Data = int(|_| 19_045u32.to_le_bytes().to_vec());
static OS_VERSION: Data = int(|_| 0x0a00u32.to_le_bytes().to_vec());
static OS_MAJOR: Data = int(|_| 10u32.to_le_bytes().to_vec());
