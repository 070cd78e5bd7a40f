//! Functions whose answer is always the same, whatever they are asked: a macro that writes them in groups.

/// Defines functions with a constant answer: text, page of Microsoft's reference, name, parameters, result, answer. After `cdecl`,
/// functions of that convention.
macro_rules! answers {
    (cdecl $($what:literal, $page:literal; $name:ident($($param:ident: $type:ty),* $(,)?) -> $result:ty = $answer:expr;)*) => {$(
        #[doc = $what]
        #[doc = ""]
        #[doc = concat!("Source: <https://learn.microsoft.com/windows/win32/api/", $page, ">")]
        #[plat_abi::winapi(cdecl)]
        pub fn $name(guest: &mut $crate::guest::Guest, $($param: $type),*) -> $result {
            let _ = (guest, $($param),*);
            $answer
        }
    )*};
    ($($what:literal, $page:literal; $name:ident($($param:ident: $type:ty),* $(,)?) -> $result:ty = $answer:expr;)*) => {$(
        #[doc = $what]
        #[doc = ""]
        #[doc = concat!("Source: <https://learn.microsoft.com/windows/win32/api/", $page, ">")]
        #[plat_abi::winapi]
        pub fn $name(guest: &mut $crate::guest::Guest, $($param: $type),*) -> $result {
            let _ = (guest, $($param),*);
            $answer
        }
    )*};
}
pub(crate) use answers;
