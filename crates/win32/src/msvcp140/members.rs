//! How functions of msvcp140.dll are written in groups: macros that add the attribute, the source and the rows.
//!
//! The exported names are patterns of [`names`](super::names).

use plat_abi::ApiDescriptor;

use crate::export::{Body, Code, Export, THISCALL};
use crate::guest::Guest;

/// Makes the row of a function.
pub(super) const fn row(name: &'static str, body: Body) -> Export {
    Export { name, ordinal: None, body, limits: None }
}

/// Guest code that gives a member function of 32-bit programs its object, which the caller passes in ECX.
pub(super) const fn member_32(api: &'static ApiDescriptor<Guest>) -> Code {
    Code { i386: THISCALL, amd64: &[], slow: Some(api) }
}

/// The same for 64-bit programs, where there is nothing to do.
pub(super) const fn member_64(api: &'static ApiDescriptor<Guest>) -> Code {
    Code { i386: &[], amd64: &[0x90], slow: Some(api) }
}

/// The descriptor of a function of the attribute `winapi`.
macro_rules! descriptor {
    ($($path:ident)::+) => { &<$($path)::+ as ::plat_abi::Api<$crate::guest::Guest>>::DESCRIPTOR };
}
pub(super) use descriptor;

/// The two rows of a member function, one for each machine.
macro_rules! member_row {
    ($pattern:expr, $kind:ident, 32, $($path:ident)::+) => {
        $crate::msvcp140::members::row(
            $crate::msvcp140::names::name!($pattern, $crate::msvcp140::names::Kind::$kind, false),
            $crate::export::Body::Code(&$crate::msvcp140::members::member_32(
                $crate::msvcp140::members::descriptor!($($path)::+)
            )),
        )
    };
    ($pattern:expr, $kind:ident, 64, $($path:ident)::+) => {
        $crate::msvcp140::members::row(
            $crate::msvcp140::names::name!($pattern, $crate::msvcp140::names::Kind::$kind, true),
            $crate::export::Body::Code(&$crate::msvcp140::members::member_64(
                $crate::msvcp140::members::descriptor!($($path)::+)
            )),
        )
    };
}
pub(super) use member_row;

/// The row of a function that is no member, for one machine.
macro_rules! plain_row {
    ($pattern:expr, $kind:ident, $is_64:literal, $($path:ident)::+) => {
        $crate::msvcp140::members::row(
            $crate::msvcp140::names::name!($pattern, $crate::msvcp140::names::Kind::$kind, $is_64),
            $crate::export::Body::Api($crate::msvcp140::members::descriptor!($($path)::+)),
        )
    };
}
pub(super) use plain_row;

/// Defines functions of classes that are there for each kind of characters, and their table: a module for what is made
/// of them, text, pattern of the name, parameters, result, body. The second parameter is the kind, the third one the object;
/// behind `static` are functions without one.
macro_rules! kinds_of {
    ($table:ident in $module:ident, $page:literal; $($doc:literal, $pattern:expr;
        $name:ident($guest:ident, $kind:ident, $this:ident $(, $param:ident: $type:ty)*) -> $result:ty $body:block)*) => {
        $crate::msvcp140::members::kinds_of!(@bodies $page; $($doc; $name($guest, $kind, $this: ::plat_abi::GuestWord $(, $param: $type)*) -> $result $body)*);
        mod $module {
            $crate::msvcp140::members::kinds_of!(@module narrow Narrow (winapi) $page; $($doc; $name($guest, $this: ::plat_abi::GuestWord $(, $param: $type)*) -> $result)*);
            $crate::msvcp140::members::kinds_of!(@module wide Wide (winapi) $page; $($doc; $name($guest, $this: ::plat_abi::GuestWord $(, $param: $type)*) -> $result)*);
            $crate::msvcp140::members::kinds_of!(@module short Short (winapi) $page; $($doc; $name($guest, $this: ::plat_abi::GuestWord $(, $param: $type)*) -> $result)*);
        }
        $crate::msvcp140::members::more_names! { $table of $module; $($pattern => $name;)* }
    };
    (static $table:ident in $module:ident, $page:literal; $($doc:literal, $pattern:expr;
        $name:ident($guest:ident, $kind:ident $(, $param:ident: $type:ty)*) -> $result:ty $body:block)*) => {
        $crate::msvcp140::members::kinds_of!(@bodies $page; $($doc; $name($guest, $kind $(, $param: $type)*) -> $result $body)*);
        mod $module {
            $crate::msvcp140::members::kinds_of!(@module narrow Narrow (winapi(cdecl)) $page; $($doc; $name($guest $(, $param: $type)*) -> $result)*);
            $crate::msvcp140::members::kinds_of!(@module wide Wide (winapi(cdecl)) $page; $($doc; $name($guest $(, $param: $type)*) -> $result)*);
            $crate::msvcp140::members::kinds_of!(@module short Short (winapi(cdecl)) $page; $($doc; $name($guest $(, $param: $type)*) -> $result)*);
        }
        /// The exports.
        pub const $table: &[$crate::export::Export] = &[$(
            $crate::msvcp140::members::plain_row!($pattern, Narrow, false, $module::narrow::$name),
            $crate::msvcp140::members::plain_row!($pattern, Narrow, true, $module::narrow::$name),
            $crate::msvcp140::members::plain_row!($pattern, Wide, false, $module::wide::$name),
            $crate::msvcp140::members::plain_row!($pattern, Wide, true, $module::wide::$name),
            $crate::msvcp140::members::plain_row!($pattern, Short, false, $module::short::$name),
            $crate::msvcp140::members::plain_row!($pattern, Short, true, $module::short::$name),
        )*];
    };
    (@bodies $page:literal; $($doc:literal;
        $name:ident($guest:ident, $kind:ident $(, $param:ident: $type:ty)*) -> $result:ty $body:block)*) => {$(
        #[doc = $doc]
        #[doc = ""]
        #[doc = concat!("Source: <https://learn.microsoft.com/cpp/standard-library/", $page, ">")]
        #[allow(clippy::too_many_arguments, reason = "as many as the program gives")]
        pub(super) fn $name($guest: &mut $crate::guest::Guest, $kind: $crate::msvcp140::names::Kind $(, $param: $type)*)
            -> Result<$result, ::plat_abi::Fault> {
            // Not all of these functions need to know.
            let _ = $kind;
            $body
        }
    )*};
    (@module $module:ident $kind:ident $attribute:tt $page:literal; $($doc:literal;
        $name:ident($guest:ident $(, $param:ident: $type:ty)*) -> $result:ty)*) => {
        pub(crate) mod $module {
            #[allow(unused_imports, reason = "not all have words among their parameters")]
            use ::plat_abi::GuestWord;
            $($crate::msvcp140::members::kinds_of!(@shell $kind $attribute [$doc, $page] $name($guest $(, $param: $type)*) -> $result);)*
        }
    };
    (@shell $kind:ident ($($attribute:tt)*) [$doc:literal, $page:literal]
        $name:ident($guest:ident $(, $param:ident: $type:ty)*) -> $result:ty) => {
        #[doc = $doc]
        #[doc = ""]
        #[doc = concat!("Source: <https://learn.microsoft.com/cpp/standard-library/", $page, ">")]
        #[::plat_abi::$($attribute)*]
        pub(crate) fn $name($guest: &mut $crate::guest::Guest $(, $param: $type)*) -> Result<$result, ::plat_abi::Fault> {
            super::super::$name($guest, $crate::msvcp140::names::Kind::$kind $(, $param)*)
        }
    };
}
pub(super) use kinds_of;

/// The table of functions that [`kinds_of`] defines in a module, or of more names of these: the pattern and the function.
macro_rules! more_names {
    ($(#[$attribute:meta])* $table:ident of $module:ident; $($pattern:expr => $name:ident;)*) => {
        /// The exports.
        $(#[$attribute])*
        pub const $table: &[$crate::export::Export] = &[$(
            $crate::msvcp140::members::member_row!($pattern, Narrow, 32, $module::narrow::$name),
            $crate::msvcp140::members::member_row!($pattern, Narrow, 64, $module::narrow::$name),
            $crate::msvcp140::members::member_row!($pattern, Wide, 32, $module::wide::$name),
            $crate::msvcp140::members::member_row!($pattern, Wide, 64, $module::wide::$name),
            $crate::msvcp140::members::member_row!($pattern, Short, 32, $module::short::$name),
            $crate::msvcp140::members::member_row!($pattern, Short, 64, $module::short::$name),
        )*];
    };
    (wide $table:ident of $module:ident; $($pattern:expr => $name:ident;)*) => {
        /// More names of the exports, which only wide characters have.
        pub const $table: &[$crate::export::Export] = &[$(
            $crate::msvcp140::members::member_row!($pattern, Wide, 32, $module::wide::$name),
            $crate::msvcp140::members::member_row!($pattern, Wide, 64, $module::wide::$name),
            $crate::msvcp140::members::member_row!($pattern, Short, 32, $module::short::$name),
            $crate::msvcp140::members::member_row!($pattern, Short, 64, $module::short::$name),
        )*];
    };
}
pub(super) use more_names;

/// Defines member functions and their table: name, text, pattern of the name, parameters, result, body. The object is the
/// first parameter.
macro_rules! members {
    ($table:ident, $page:literal; $($doc:literal, $pattern:expr;
        $name:ident($guest:ident, $this:ident $(, $param:ident: $type:ty)*) -> $result:ty $body:block)*) => {
        /// The exports.
        pub const $table: &[$crate::export::Export] = &[$(
            $crate::msvcp140::members::member_row!($pattern, Narrow, 32, $name),
            $crate::msvcp140::members::member_row!($pattern, Narrow, 64, $name),
        )*];
        $(
            #[doc = $doc]
            #[doc = ""]
            #[doc = concat!("Source: <https://learn.microsoft.com/cpp/standard-library/", $page, ">")]
            #[::plat_abi::winapi]
            pub fn $name($guest: &mut $crate::guest::Guest, $this: ::plat_abi::GuestWord $(, $param: $type)*)
                -> Result<$result, ::plat_abi::Fault> $body
        )*
    };
}
pub(super) use members;

/// Defines functions that are no members, and static ones, and their table.
macro_rules! functions {
    ($table:ident, $page:literal; $($doc:literal, $pattern:expr;
        $name:ident($guest:ident $(, $param:ident: $type:ty)*) -> $result:ty $body:block)*) => {
        /// The exports.
        pub const $table: &[$crate::export::Export] = &[$(
            $crate::msvcp140::members::plain_row!($pattern, Narrow, false, $name),
            $crate::msvcp140::members::plain_row!($pattern, Narrow, true, $name),
        )*];
        $(
            #[doc = $doc]
            #[doc = ""]
            #[doc = concat!("Source: <https://learn.microsoft.com/cpp/standard-library/", $page, ">")]
            #[::plat_abi::winapi(cdecl)]
            pub fn $name($guest: &mut $crate::guest::Guest $(, $param: $type)*)
                -> Result<$result, ::plat_abi::Fault> $body
        )*
    };
}
pub(super) use functions;
/// Defines C functions and their table: the exported name is the function's.
macro_rules! plain {
    ($table:ident, $page:literal; $($doc:literal;
        $name:ident($guest:ident $(, $param:ident: $type:ty)*) -> $result:ty $body:block)*) => {
        /// The exports.
        pub const $table: &[$crate::export::Export] = $crate::dll! { $(full $name;)* };
        $(
            #[doc = $doc]
            ///
            #[doc = concat!("Source: <https://learn.microsoft.com/cpp/standard-library/", $page, ">")]
            #[::plat_abi::winapi(cdecl)]
            pub fn $name($guest: &mut $crate::guest::Guest $(, $param: $type)*)
                -> Result<$result, ::plat_abi::Fault> $body
        )*
    };
}
pub(super) use plain;

/// As [`functions`], for names that are the same for both machines.
macro_rules! named {
    ($table:ident, $page:literal; $($doc:literal, $export:literal;
        $name:ident($guest:ident $(, $param:ident: $type:ty)*) -> $result:ty $body:block)*) => {
        /// The exports.
        pub const $table: &[$crate::export::Export] = $crate::dll! { $(full $export = $name;)* };
        $(
            #[doc = $doc]
            ///
            #[doc = concat!("Source: <https://learn.microsoft.com/cpp/standard-library/", $page, ">")]
            #[::plat_abi::winapi(cdecl)]
            pub fn $name($guest: &mut $crate::guest::Guest $(, $param: $type)*)
                -> Result<$result, ::plat_abi::Fault> $body
        )*
    };
}
pub(super) use named;
