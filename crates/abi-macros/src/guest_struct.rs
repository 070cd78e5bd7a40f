//! `#[derive(GuestStruct)]`: size, alignment, load and store from the field types, in declaration order.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Field, Fields, Ident, Type};

/// One field: its name, its type, and the condition under which the machine has it.
struct Member {
    name: Ident,
    kind: Type,
    present: TokenStream,
}

/// Expands the derive.
pub(crate) fn expand(item: TokenStream) -> syn::Result<TokenStream> {
    let input: DeriveInput = syn::parse2(item)?;
    let name = &input.ident;
    let members = members(&input)?;
    let aligns = members.iter().map(|Member { kind, present, .. }| {
        quote! { if #present { align = align.max(<#kind as ::plat_abi::GuestStruct>::align(machine)); } }
    });
    let sizes = members.iter().map(|Member { kind, present, .. }| {
        quote! { if #present {
            offset = ::plat_abi::field_offset(offset, <#kind as ::plat_abi::GuestStruct>::align(machine));
            offset += <#kind as ::plat_abi::GuestStruct>::size(machine);
        } }
    });
    let loads = members.iter().map(|Member { name, kind, present }| {
        quote! { if #present {
            offset = ::plat_abi::field_offset(offset, <#kind as ::plat_abi::GuestStruct>::align(machine));
            value.#name = <#kind as ::plat_abi::GuestStruct>::load(memory, address.wrapping_add(offset))?;
            offset += <#kind as ::plat_abi::GuestStruct>::size(machine);
        } }
    });
    let stores = members.iter().map(|Member { name, kind, present }| {
        quote! { if #present {
            offset = ::plat_abi::field_offset(offset, <#kind as ::plat_abi::GuestStruct>::align(machine));
            ::plat_abi::GuestStruct::store(&self.#name, memory, address.wrapping_add(offset))?;
            offset += <#kind as ::plat_abi::GuestStruct>::size(machine);
        } }
    });
    Ok(quote! {
        #[allow(unused_assignments)]
        impl ::plat_abi::GuestStruct for #name {
            fn size(machine: ::plat_abi::Machine) -> u64 {
                let mut offset = 0;
                #(#sizes)*
                ::plat_abi::field_offset(offset, <Self as ::plat_abi::GuestStruct>::align(machine))
            }
            fn align(machine: ::plat_abi::Machine) -> u64 {
                let mut align = 1;
                #(#aligns)*
                align
            }
            fn load<M: ::plat_abi::Memory>(memory: &M, address: u64) -> Result<Self, ::plat_abi::Fault> {
                let machine = memory.machine();
                let mut value = <Self as Default>::default();
                let mut offset = 0;
                #(#loads)*
                Ok(value)
            }
            fn store<M: ::plat_abi::Memory>(&self, memory: &M, address: u64) -> Result<(), ::plat_abi::Fault> {
                let machine = memory.machine();
                let mut offset = 0;
                #(#stores)*
                Ok(())
            }
        }
    })
}

/// Returns the fields of a structure with named fields.
fn members(input: &DeriveInput) -> syn::Result<Vec<Member>> {
    let Data::Struct(data) = &input.data else {
        return Err(syn::Error::new_spanned(&input.ident, "only a struct has a layout in guest memory"));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(syn::Error::new_spanned(&input.ident, "fields must have names"));
    };
    fields
        .named
        .iter()
        .map(|field| {
            let name = field.ident.clone().expect("fields were matched as named");
            Ok(Member { name, kind: field.ty.clone(), present: present(field)? })
        })
        .collect()
}

/// Reads `#[guest(x64)]` or `#[guest(x86)]` into a condition on `machine`.
fn present(field: &Field) -> syn::Result<TokenStream> {
    let Some(attribute) = field.attrs.iter().find(|attribute| attribute.path().is_ident("guest")) else {
        return Ok(quote!(true));
    };
    let word: Ident = attribute.parse_args()?;
    match word.to_string().as_str() {
        "x64" => Ok(quote!(machine.is_64())),
        "x86" => Ok(quote!(!machine.is_64())),
        _ => Err(syn::Error::new(word.span(), "expected `x64` or `x86`")),
    }
}
