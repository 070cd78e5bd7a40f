//! How functions of the C runtimes are written in groups: a macro that adds the attribute and the source of each.

/// Defines functions: text, page of Microsoft's reference, name, parameters, result, body.
macro_rules! define {
    ($($doc:literal, $page:literal; $name:ident($guest:ident $(, $param:ident: $type:ty)*) -> $result:ty $body:block)*) => {$(
        #[doc = $doc]
        ///
        #[doc = concat!("Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/", $page, ">")]
        #[::plat_abi::winapi(cdecl)]
        pub fn $name($guest: &mut $crate::guest::Guest $(, $param: $type)*) -> Result<$result, ::plat_abi::Fault> $body
    )*};
}
pub(crate) use define;
