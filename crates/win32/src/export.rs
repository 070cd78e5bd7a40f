//! How a builtin DLL's table of contents is written: `dll!` rows, one per exported name.
//!
//! ```text
//! full memoryapi::VirtualAlloc;                          declared with #[winapi], done
//! partial memoryapi::VirtualQuery, "what is missing";    works within limits that the text states
//! full "??1type_info@@UEAA@XZ" = eh::type_info_dtor;     exported under another name
//! forward HeapAlloc => "ntdll.RtlAllocateHeap";          another DLL's function
//! stub AddConsoleAliasA;                                 stops the program, naming itself, when called
//! data _iob: stdio::IOB;                                 a variable of the DLL
//! code GetLastError: leaves::GET_LAST_ERROR;             guest code that never enters the host
//! member "name32" / "name64" = path;                     a member function: 32-bit callers pass the object in ECX
//! both "name32" / "name64" = path;                       a function whose name depends on the machine
//! @6 full SysFreeString in oleauto;                      (rows may start with `@ordinal`)
//! ```

use plat_abi::{ApiDescriptor, Machine};

use crate::guest::Guest;

/// A builtin DLL.
#[derive(Clone, Copy, Debug)]
pub struct Dll {
    /// The file name, in lower case.
    pub name: &'static str,
    /// The description in its version resource.
    pub description: &'static str,
    /// Its exports: one table per API header, beside the functions.
    pub tables: &'static [&'static [Export]],
    /// Methods of the objects it makes, interface by interface: thunks that only virtual function tables lead to. Their
    /// addresses are found with [`crate::process::Process::data_address`].
    pub methods: &'static [&'static [Export]],
}

impl Dll {
    /// Returns all exports.
    pub fn exports(&self) -> impl Iterator<Item = &'static Export> {
        self.tables.iter().flat_map(|table| table.iter())
    }

    /// Returns all that thunks lead to: the exports, then the methods.
    pub fn entries(&self) -> impl Iterator<Item = &'static Export> {
        self.exports().chain(self.methods.iter().flat_map(|table| table.iter()))
    }

    /// Returns one of its tables, exports first.
    pub const fn table(&self, place: usize) -> &'static [Export] {
        match place < self.tables.len() {
            true => self.tables[place],
            false => self.methods[place - self.tables.len()],
        }
    }

    /// Returns how many tables it has.
    pub const fn table_count(&self) -> usize {
        self.tables.len() + self.methods.len()
    }
}

/// One exported name.
#[derive(Clone, Copy, Debug)]
pub struct Export {
    /// The name as importers spell it.
    pub name: &'static str,
    /// The ordinal, where importers use it.
    pub ordinal: Option<u16>,
    /// What lies behind it.
    pub body: Body,
    /// What it lacks, if it works within limits.
    pub limits: Option<&'static str>,
}

/// What lies behind an exported name.
#[derive(Clone, Copy)]
pub enum Body {
    /// A Rust function.
    Api(&'static ApiDescriptor<Guest>),
    /// The same function in another DLL: `dll.Name`.
    Forward(&'static str),
    /// Nothing yet: a call stops the program and names the function.
    Stub,
    /// A variable.
    Data(&'static Data),
    /// Position-independent guest code.
    Code(&'static Code),
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Api(api) => write!(f, "Api({})", api.name),
            Self::Forward(to) => write!(f, "Forward({to})"),
            Self::Stub => f.write_str("Stub"),
            Self::Data(_) => f.write_str("Data"),
            Self::Code(_) => f.write_str("Code"),
        }
    }
}

/// A variable that a DLL exports. Its address is found with [`crate::process::Process::data_address`].
#[derive(Debug)]
pub struct Data {
    /// Its size for each machine.
    pub size: DataSize,
    /// Its bytes at load; shorter than the size means zeros after.
    pub initial: fn(Machine) -> Vec<u8>,
}

/// The size of a variable for each machine, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct DataSize {
    /// In 32-bit programs.
    pub i386: u32,
    /// In 64-bit programs.
    pub amd64: u32,
}

impl DataSize {
    /// The same number of bytes for both machines.
    pub const fn bytes(bytes: u32) -> Self {
        Self { i386: bytes, amd64: bytes }
    }

    /// This many words as wide as a pointer.
    pub const fn words(words: u32) -> Self {
        Self { i386: words * 4, amd64: words * 8 }
    }

    /// Returns the size for a machine, in bytes.
    pub const fn on(self, machine: Machine) -> u32 {
        match machine {
            Machine::I386 => self.i386,
            Machine::Amd64 => self.amd64,
        }
    }
}

/// A function in guest code, for both machines; an empty slice where a machine does not export it.
#[derive(Debug)]
pub struct Code {
    /// 32-bit code.
    pub i386: &'static [u8],
    /// 64-bit code.
    pub amd64: &'static [u8],
    /// The Rust function behind the code, if it has one: the loader puts its thunk right behind the bytes, and the
    /// code jumps (or falls through) to its own end, arguments and stack as at its entry.
    pub slow: Option<&'static ApiDescriptor<Guest>>,
}

impl Code {
    /// Returns the bytes for a machine.
    pub const fn bytes(&self, machine: Machine) -> &'static [u8] {
        match machine {
            Machine::I386 => self.i386,
            Machine::Amd64 => self.amd64,
        }
    }
}

/// Makes the array of a DLL's [`Export`]s; see the module's documentation for the rows.
#[macro_export]
macro_rules! dll {
    (@rows [$($done:expr,)*]) => { &[$($done,)*] };
    (@rows [$($done:expr,)*] @ $ordinal:literal $($rest:tt)*) => {
        $crate::dll!(@row Some($ordinal); [$($done,)*] $($rest)*)
    };
    (@rows [$($done:expr,)*] $($rest:tt)*) => { $crate::dll!(@row None; [$($done,)*] $($rest)*) };

    (@row $ordinal:expr; [$($done:expr,)*] full $name:literal = $($path:ident)::+; $($rest:tt)*) => {
        $crate::dll!(@rows [$($done,)* $crate::export::Export {
            name: $name, ordinal: $ordinal, limits: None,
            body: $crate::export::Body::Api(
                &<$($path)::+ as ::plat_abi::Api<$crate::guest::Guest>>::DESCRIPTOR),
        },] $($rest)*)
    };
    (@row $ordinal:expr; [$($done:expr,)*] full $($path:ident)::+; $($rest:tt)*) => {
        $crate::dll!(@rows [$($done,)* $crate::export::Export {
            name: <$($path)::+ as ::plat_abi::Api<$crate::guest::Guest>>::DESCRIPTOR.name,
            ordinal: $ordinal, limits: None,
            body: $crate::export::Body::Api(
                &<$($path)::+ as ::plat_abi::Api<$crate::guest::Guest>>::DESCRIPTOR),
        },] $($rest)*)
    };
    (@row $ordinal:expr; [$($done:expr,)*] partial $name:literal = $($path:ident)::+, $limits:literal; $($rest:tt)*) => {
        $crate::dll!(@rows [$($done,)* $crate::export::Export {
            name: $name, ordinal: $ordinal, limits: Some($limits),
            body: $crate::export::Body::Api(
                &<$($path)::+ as ::plat_abi::Api<$crate::guest::Guest>>::DESCRIPTOR),
        },] $($rest)*)
    };
    (@row $ordinal:expr; [$($done:expr,)*] partial $($path:ident)::+, $limits:literal; $($rest:tt)*) => {
        $crate::dll!(@rows [$($done,)* $crate::export::Export {
            name: <$($path)::+ as ::plat_abi::Api<$crate::guest::Guest>>::DESCRIPTOR.name,
            ordinal: $ordinal, limits: Some($limits),
            body: $crate::export::Body::Api(
                &<$($path)::+ as ::plat_abi::Api<$crate::guest::Guest>>::DESCRIPTOR),
        },] $($rest)*)
    };
    (@row $ordinal:expr; [$($done:expr,)*] forward $name:ident => $to:literal; $($rest:tt)*) => {
        $crate::dll!(@rows [$($done,)* $crate::export::Export {
            name: stringify!($name), ordinal: $ordinal, limits: None, body: $crate::export::Body::Forward($to),
        },] $($rest)*)
    };
    (@row $ordinal:expr; [$($done:expr,)*] stub $name:ident; $($rest:tt)*) => {
        $crate::dll!(@rows [$($done,)* $crate::export::Export {
            name: stringify!($name), ordinal: $ordinal, limits: None, body: $crate::export::Body::Stub,
        },] $($rest)*)
    };
    (@row $ordinal:expr; [$($done:expr,)*] data $name:ident: $($path:ident)::+; $($rest:tt)*) => {
        $crate::dll!(@rows [$($done,)* $crate::export::Export {
            name: stringify!($name), ordinal: $ordinal, limits: None,
            body: $crate::export::Body::Data(&$($path)::+),
        },] $($rest)*)
    };
    (@row $ordinal:expr; [$($done:expr,)*] data $name:literal: $($path:ident)::+; $($rest:tt)*) => {
        $crate::dll!(@rows [$($done,)* $crate::export::Export {
            name: $name, ordinal: $ordinal, limits: None,
            body: $crate::export::Body::Data(&$($path)::+),
        },] $($rest)*)
    };
    (@row $ordinal:expr; [$($done:expr,)*] code $name:ident: $($path:ident)::+; $($rest:tt)*) => {
        $crate::dll!(@rows [$($done,)* $crate::export::Export {
            name: stringify!($name), ordinal: $ordinal, limits: None,
            body: $crate::export::Body::Code(&$($path)::+),
        },] $($rest)*)
    };
    (@row $ordinal:expr; [$($done:expr,)*] code $name:literal: $($path:ident)::+; $($rest:tt)*) => {
        $crate::dll!(@rows [$($done,)* $crate::export::Export {
            name: $name, ordinal: $ordinal, limits: None,
            body: $crate::export::Body::Code(&$($path)::+),
        },] $($rest)*)
    };
    (@row $ordinal:expr; [$($done:expr,)*] both $x86:literal / $x64:literal = $($path:ident)::+; $($rest:tt)*) => {
        $crate::dll!(@rows [$($done,)* $crate::export::Export {
            name: $x86, ordinal: $ordinal, limits: None,
            body: $crate::export::Body::Api(
                &<$($path)::+ as ::plat_abi::Api<$crate::guest::Guest>>::DESCRIPTOR),
        }, $crate::export::Export {
            name: $x64, ordinal: None, limits: None,
            body: $crate::export::Body::Api(
                &<$($path)::+ as ::plat_abi::Api<$crate::guest::Guest>>::DESCRIPTOR),
        },] $($rest)*)
    };
    (@row $ordinal:expr; [$($done:expr,)*] member $x86:literal / $x64:literal = $($path:ident)::+; $($rest:tt)*) => {
        $crate::dll!(@rows [$($done,)* $crate::export::Export {
            name: $x86, ordinal: $ordinal, limits: None,
            body: $crate::export::Body::Code(&$crate::export::Code {
                i386: $crate::export::THISCALL,
                amd64: &[],
                slow: Some(&<$($path)::+ as ::plat_abi::Api<$crate::guest::Guest>>::DESCRIPTOR),
            }),
        }, $crate::export::Export {
            name: $x64, ordinal: None, limits: None,
            body: $crate::export::Body::Code(&$crate::export::Code {
                i386: &[],
                amd64: &[0x90],
                slow: Some(&<$($path)::+ as ::plat_abi::Api<$crate::guest::Guest>>::DESCRIPTOR),
            }),
        },] $($rest)*)
    };
    ($($rows:tt)*) => { $crate::dll!(@rows [] $($rows)*) };
}

/// The start of a 32-bit member function: pop eax; push ecx; push eax. The object, which the caller passes in ECX,
/// becomes the first argument of the stdcall function behind it.
pub const THISCALL: &[u8] = &[0x58, 0x51, 0x50];
