//! Functions of one shape: the same parameters and one body. Key item: `alike!`.

/// Defines functions that share their parameters and a body. A row has a line of documentation, the page it comes from,
/// and the name; where a function's parameters have names of their own, these follow, and at last the value, if there is
/// one, in which the functions differ.
///
/// ```text
/// alike! {
///     fn(guest, kind; first: GuestWord, second: u32) -> u32 { body(guest, kind, first, second) }
///
///     /// What it does.
///     "header/nf-header-one" One = 1;
///     /// What it does.
///     "header/nf-header-two" Two(theFirst, theSecond) = 2;
/// }
/// ```
macro_rules! alike {
    (fn($guest:ident $(, $value:ident)?; $($shared:ident: $type:ty),+ $(,)?) -> $result:ty $body:block $($rows:tt)+) => {
        $crate::alike::alike!(@rows ($guest, [$($value)?], [$($shared: $type),+], $result, $body) $($rows)+);
    };
    (@rows $shape:tt $(#[doc = $what:literal])+ $page:literal $function:ident $(($($name:ident),+))? $(= $of:expr)?;
        $($rest:tt)*) => {
        $crate::alike::alike!(@one $shape [$($what),+] $page, $function, [$($($name),+)?], [$($of)?]);
        $crate::alike::alike!(@rows $shape $($rest)*);
    };
    (@rows $shape:tt) => {};
    (@one ($guest:ident, $value:tt, [$($shared:ident: $type:ty),+], $result:ty, $body:block)
        $what:tt $page:literal, $function:ident, [], $of:tt) => {
        $crate::alike::alike!(@one ($guest, $value, [$($shared: $type),+], $result, $body)
            $what $page, $function, [$($shared),+], $of);
    };
    (@one ($guest:ident, [$($value:ident)?], [$($shared:ident: $type:ty),+], $result:ty, $body:block)
        [$($what:literal),+] $page:literal, $function:ident, [$($name:ident),+], [$($of:expr)?]) => {
        $(#[doc = $what])+
        #[doc = ""]
        #[doc = concat!("Source: <https://learn.microsoft.com/windows/win32/api/", $page, ">")]
        #[plat_abi::winapi]
        pub fn $function($guest: &mut $crate::guest::Guest, $($name: $type),+) -> $result {
            $(let $value = $of;)?
            let ($($shared,)+) = ($($name,)+);
            $body
        }
    };
}
pub(crate) use alike;
