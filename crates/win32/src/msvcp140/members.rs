//! How functions of msvcp140.dll are written in groups: macros that add the attribute, the source and the rows.

/// Defines member functions and their table: name, text, 32-bit and 64-bit name, parameters, result, body. The object is
/// the first parameter.
macro_rules! members {
    ($table:ident, $page:literal; $($doc:literal, $x86:literal / $x64:literal;
        $name:ident($guest:ident, $this:ident $(, $param:ident: $type:ty)*) -> $result:ty $body:block)*) => {
        /// The exports.
        pub const $table: &[$crate::export::Export] = $crate::dll! { $(member $x86 / $x64 = $name;)* };
        $(
            #[doc = $doc]
            ///
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
    ($table:ident, $page:literal; $($doc:literal, $x86:literal / $x64:literal;
        $name:ident($guest:ident $(, $param:ident: $type:ty)*) -> $result:ty $body:block)*) => {
        /// The exports.
        pub const $table: &[$crate::export::Export] = $crate::dll! { $(both $x86 / $x64 = $name;)* };
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
