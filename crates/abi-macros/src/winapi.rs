//! `#[winapi]`: puts a type of the function's own name beside it that implements `Api`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::{FnArg, Ident, ItemFn, Pat, Type};

/// Expands the attribute.
pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let convention = convention(attribute)?;
    let function: ItemFn = syn::parse2(item)?;
    let name = &function.sig.ident;
    let visibility = &function.vis;
    let guest = guest_type(&function)?;
    let params = params(&function)?;
    let (names, types): (Vec<&Ident>, Vec<&Type>) = params.into_iter().unzip();
    let shown: Vec<String> = names.iter().map(|name| name.unraw().to_string()).collect();
    let takes: Vec<Ident> = names.iter().map(|name| format_ident!("arg_{}", name)).collect();
    let texts: Vec<String> = types.iter().map(|kind| quote!(#kind).to_string().replace(' ', "")).collect();
    let variadic = texts.last().is_some_and(|text| text.ends_with("VarArgs"));
    let (text, doc) = (name.to_string(), format!("Describes [`{name}`] to the tables."));
    Ok(quote! {
        #[allow(non_snake_case, clippy::too_many_arguments, clippy::missing_errors_doc)]
        #function

        #[doc = #doc]
        #[allow(non_camel_case_types)]
        #visibility enum #name {}

        impl ::plat_abi::Api<#guest> for #name {
            const DESCRIPTOR: ::plat_abi::ApiDescriptor<#guest> = ::plat_abi::ApiDescriptor {
                name: #text,
                convention: ::plat_abi::Convention::#convention,
                params: &[#(::plat_abi::ParamInfo {
                    name: #shown,
                    type_name: #texts,
                    size_i386: <#types as ::plat_abi::Param>::SIZE_I386,
                }),*],
                variadic: #variadic,
                entry: {
                    #[allow(non_snake_case, unused_mut, unused_variables)]
                    fn entry(guest: &mut #guest) -> ::plat_abi::Raw {
                        let mut cursor = guest.arguments();
                        #(let #takes = match cursor.take::<#types>() {
                            Ok(value) => value,
                            Err(fault) => return guest.argument_fault(fault),
                        };)*
                        let result = #name(guest, #(#takes),*);
                        ::plat_abi::Return::finish(result, guest)
                    }
                    entry
                },
            };
        }
    })
}

/// Reads the attribute's own argument: nothing or `cdecl`.
fn convention(attribute: TokenStream) -> syn::Result<Ident> {
    if attribute.is_empty() {
        return Ok(format_ident!("Stdcall"));
    }
    let word: Ident = syn::parse2(attribute)?;
    match word.to_string().as_str() {
        "cdecl" => Ok(format_ident!("Cdecl")),
        _ => Err(syn::Error::new(word.span(), "expected nothing (stdcall) or `cdecl`")),
    }
}

/// Returns `Guest` of a first parameter `guest: &mut Guest`.
fn guest_type(function: &ItemFn) -> syn::Result<Type> {
    if let Some(FnArg::Typed(first)) = function.sig.inputs.first()
        && let Type::Reference(reference) = &*first.ty
    {
        return Ok((*reference.elem).clone());
    }
    Err(syn::Error::new_spanned(&function.sig, "the first parameter must be `guest: &mut Guest`"))
}

/// Returns the names and types of the parameters after the guest.
fn params(function: &ItemFn) -> syn::Result<Vec<(&Ident, &Type)>> {
    let inputs = function.sig.inputs.iter().skip(1);
    inputs
        .map(|input| match input {
            FnArg::Typed(typed) => match &*typed.pat {
                Pat::Ident(pattern) => Ok((&pattern.ident, &*typed.ty)),
                other => Err(syn::Error::new_spanned(other, "a parameter needs a plain name")),
            },
            FnArg::Receiver(receiver) => Err(syn::Error::new_spanned(receiver, "no `self` here")),
        })
        .collect()
}
