//! Opening files for streams, manipulators, and other functions by themselves.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/basic-filebuf-class>; <https://learn.microsoft.com/cpp/standard-library/iomanip>.

use plat_abi::{Fault, GuestWord, Memory};

use super::ios::Stream;
use super::members::{functions, members, named};
use crate::guest::Guest;
use crate::msvcrt::fopen;
use crate::msvcrt::state::place_wide;
use crate::msvcrt::system::exported;

/// Bits of how a file is opened.
mod open {
    pub(super) const IN: u32 = 1;
    pub(super) const OUT: u32 = 2;
    pub(super) const AT_END: u32 = 4;
    pub(super) const APPEND: u32 = 8;
    pub(super) const TRUNCATE: u32 = 0x10;
    pub(super) const BINARY: u32 = 0x20;
    pub(super) const NO_CREATE: u32 = 0x40;
    pub(super) const NO_REPLACE: u32 = 0x80;
}

/// Returns the mode of `fopen`; `None` for bits that do not go together.
fn mode_text(mode: u32) -> Option<String> {
    use open::{APPEND, BINARY, IN, OUT, TRUNCATE};
    let mode = if mode & open::NO_CREATE != 0 { mode | IN } else { mode };
    let mode = if mode & APPEND != 0 { mode | OUT } else { mode };
    let text = match mode & (IN | OUT | APPEND | TRUNCATE) {
        IN => "r",
        bits if bits == OUT || bits == OUT | TRUNCATE => "w",
        bits if bits == OUT | APPEND => "a",
        bits if bits == IN | OUT => "r+",
        bits if bits == IN | OUT | TRUNCATE => "w+",
        bits if bits == IN | OUT | APPEND => "a+",
        _ => return None,
    };
    Some(if mode & BINARY == 0 { text.to_owned() } else { format!("{text}b") })
}

/// Opens a file; null where that failed.
fn open_file(guest: &mut Guest, name: &[u16], mode: u32, share: i32) -> Result<GuestWord, Fault> {
    const END: i32 = 2;
    let Some(text) = mode_text(mode) else { return Ok(GuestWord::NULL) };
    let name = place_wide(guest, name)?;
    let open = |guest: &mut Guest, text: &str| {
        let units: Vec<u16> = text.encode_utf16().collect();
        let text = place_wide(guest, &units)?;
        let file = fopen::_wfsopen(guest, GuestWord(name), GuestWord(text), share)?;
        guest.process().heaps.free(0, text);
        Ok::<_, Fault>(file)
    };
    if mode & open::NO_REPLACE != 0 && mode & (open::OUT | open::APPEND) != 0 {
        let there = open(guest, "r")?;
        if !there.is_null() {
            crate::msvcrt::stream::close(guest, there.0)?;
            guest.process().heaps.free(0, name);
            return Ok(GuestWord::NULL);
        }
    }
    let file = open(guest, &text)?;
    guest.process().heaps.free(0, name);
    if !file.is_null() && mode & open::AT_END != 0 {
        fopen::fseek(guest, file, 0, END)?;
    }
    Ok(file)
}

functions! { FUNCTIONS, "basic-filebuf-class";
    "Opens a file for a stream.", "?_Fiopen@std@@YAP*AU_iobuf@@P*BDHH@Z";
    file_open(guest, name: GuestWord, mode: u32, share: i32) -> GuestWord {
        let bytes = guest.read_c_string(name.0)?;
        let units = crate::msvcrt::state::crt(guest).widen(&bytes);
        open_file(guest, &units, mode, share)
    }

    "Opens a file for a stream.", "?_Fiopen@std@@YAP*AU_iobuf@@P*B_WHH@Z";
    file_open_wide(guest, name: GuestWord, mode: u32, share: i32) -> GuestWord {
        let units = guest.read_wide_string(name.0)?;
        open_file(guest, &units, mode, share)
    }

    "Opens a file for a stream.", "?_Fiopen@std@@YAP*AU_iobuf@@P*BGHH@Z";
    file_open_short(guest, name: GuestWord, mode: u32, share: i32) -> GuestWord { file_open_wide(guest, name, mode, share) }

    "Remembers a standard stream, which is none to end.", "?_Addstd@ios_base@std@@SAXP*AV12@@Z";
    add_standard(guest, stream: GuestWord) -> () {
        guest.write_word(stream.0 + guest.machine().pointer_size(), 1)
    }
}

named! { NAMED, "new-functions";
    "Sets the function that `operator new` calls without memory; returns the one before.", "?set_new_handler@std@@YAP6AXXZP6AXXZ@Z";
    set_new_handler(guest, handler: GuestWord) -> GuestWord {
        let slot = &crate::msvcrt::state::crt(guest).handlers[NEW_HANDLER];
        Ok(GuestWord(slot.swap(handler.0, std::sync::atomic::Ordering::Relaxed)))
    }

    "Returns a number that nobody can guess.", "?_Random_device@std@@YAIXZ";
    random_device(guest) -> u32 {
        let _ = guest;
        Ok(plat_host::environment::random_u32())
    }

    "Does what a manipulator of the width does.", "__plat_set_width";
    set_width(guest, stream: GuestWord, value: i64) -> () { Stream::base(guest, stream.0).set_width(guest, value) }

    "Does what a manipulator of the precision does.", "__plat_set_precision";
    set_precision(guest, stream: GuestWord, value: i64) -> () { Stream::base(guest, stream.0).set_precision(guest, value) }

    "Does what a manipulator of the base does.", "__plat_set_base";
    set_base(guest, stream: GuestWord, value: u32) -> () {
        use super::ios::format::{BASE, DECIMAL, HEXADECIMAL, OCTAL};
        let bits = match value {
            8 => OCTAL,
            10 => DECIMAL,
            16 => HEXADECIMAL,
            _ => 0,
        };
        Stream::base(guest, stream.0).set_flags(guest, bits, BASE)
    }

    "Does what a manipulator that sets bits does.", "__plat_set_flags";
    set_flags(guest, stream: GuestWord, value: u32) -> () { Stream::base(guest, stream.0).set_flags(guest, value, value) }

    "Does what a manipulator that takes bits away does.", "__plat_reset_flags";
    reset_flags(guest, stream: GuestWord, value: u32) -> () { Stream::base(guest, stream.0).set_flags(guest, 0, value) }
}

/// The place of `_set_new_handler`'s function among the handlers.
pub(super) const NEW_HANDLER: usize = 2;

/// Makes a manipulator: a function and its argument.
fn manipulator(guest: &mut Guest, to: GuestWord, function: &str, bytes: &[u8]) -> Result<GuestWord, Fault> {
    let function = exported(guest, "msvcp140.dll", function)?;
    guest.write_word(to.0, function)?;
    // An argument of eight bytes lies at a multiple of them.
    let offset = guest.machine().pointer_size().max(bytes.len() as u64);
    guest.write_bytes(to.0 + offset, bytes)?;
    Ok(to)
}

named! { MANIPULATORS, "iomanip";
    "Makes a manipulator that sets the width of the next field.", "?setw@std@@YA?AU?$_Smanip@_J@1@_J@Z";
    setw(guest, to: GuestWord, value: i64) -> GuestWord { manipulator(guest, to, "__plat_set_width", &value.to_le_bytes()) }

    "Makes a manipulator that sets how many digits are written.", "?setprecision@std@@YA?AU?$_Smanip@_J@1@_J@Z";
    setprecision(guest, to: GuestWord, value: i64) -> GuestWord {
        manipulator(guest, to, "__plat_set_precision", &value.to_le_bytes())
    }

    "Makes a manipulator that sets the base.", "?setbase@std@@YA?AU?$_Smanip@H@1@H@Z";
    setbase(guest, to: GuestWord, value: i32) -> GuestWord { manipulator(guest, to, "__plat_set_base", &value.to_le_bytes()) }

    "Makes a manipulator that sets bits of the format.", "?setiosflags@std@@YA?AU?$_Smanip@H@1@H@Z";
    setiosflags(guest, to: GuestWord, value: i32) -> GuestWord { manipulator(guest, to, "__plat_set_flags", &value.to_le_bytes()) }

    "Makes a manipulator that takes bits of the format away.", "?resetiosflags@std@@YA?AU?$_Smanip@H@1@H@Z";
    resetiosflags(guest, to: GuestWord, value: i32) -> GuestWord {
        manipulator(guest, to, "__plat_reset_flags", &value.to_le_bytes())
    }
}

members! { MEMBERS, "iostream";
    "Makes sure that the standard streams are there: they are.", "??0Init@ios_base@std@@Q*A+@XZ";
    init_new(guest, this) -> GuestWord {
        let _ = guest;
        Ok(this)
    }

    "Brings the standard streams up to date.", "??1Init@ios_base@std@@Q*A+@XZ";
    init_end(guest, this) -> () {
        let _ = this;
        crate::msvcrt::stdio::fflush(guest, GuestWord::NULL).map(drop)
    }
}
