//! The attribute `#[winapi]` and the derive `GuestStruct`; their meaning is told in plat-abi.

mod guest_struct;
mod winapi;

use proc_macro::TokenStream;

/// Describes a function to the tables: `#[winapi]` for stdcall, `#[winapi(cdecl)]` for the C runtime.
///
/// The first parameter is the guest; the others are taken from the guest's call in order. A last parameter of the
/// type `VarArgs` makes the function variadic.
#[proc_macro_attribute]
pub fn winapi(attribute: TokenStream, item: TokenStream) -> TokenStream {
    winapi::expand(attribute.into(), item.into()).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// Lays a structure out as the guest's compiler does; `#[guest(x64)]` and `#[guest(x86)]` mark fields of one machine.
#[proc_macro_derive(GuestStruct, attributes(guest))]
pub fn derive_guest_struct(item: TokenStream) -> TokenStream {
    guest_struct::expand(item.into()).unwrap_or_else(|error| error.to_compile_error()).into()
}
