//! Functions of one shape: the same parameters and one body. Key item: `alike!`.

/// Defines functions that share their parameters and a body. A row has a line of documentation, the page it comes from,
/// and the name; the page is one of the reference for Win32, after `ddi` of the one for drivers, after `devnotes` of the notes beside them. Where a function's parameters have names of their own, these follow, and at last the value, if there is
/// one, in which the functions differ; its type can stand behind its name.
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
    (fn($guest:ident $(, $value:ident $(: $kind:ty)?)?; $($shared:ident: $type:ty),+ $(,)?) -> $result:ty $body:block $($rows:tt)+) => {
        $crate::alike::alike!(@rows ($guest, [$($value $(: $kind)?)?], [$($shared: $type),+], $result, $body) $($rows)+);
    };
    (@rows $shape:tt $(#[doc = $what:literal])+ $($root:ident)? $page:literal $function:ident $(($($name:ident),+))? $(= $of:expr)?;
        $($rest:tt)*) => {
        $crate::alike::alike!(@one $shape [$($what),+] [$($root)?] $page, $function, [$($($name),+)?], [$($of)?]);
        $crate::alike::alike!(@rows $shape $($rest)*);
    };
    (@rows $shape:tt) => {};
    (@one ($guest:ident, $value:tt, [$($shared:ident: $type:ty),+], $result:ty, $body:block)
        $what:tt $root:tt $page:literal, $function:ident, [], $of:tt) => {
        $crate::alike::alike!(@one ($guest, $value, [$($shared: $type),+], $result, $body)
            $what $root $page, $function, [$($shared),+], $of);
    };
    (@one ($guest:ident, [$($value:ident $(: $kind:ty)?)?], [$($shared:ident: $type:ty),+], $result:ty, $body:block)
        [$($what:literal),+] $root:tt $page:literal, $function:ident, [$($name:ident),+], [$($of:expr)?]) => {
        $(#[doc = $what])+
        #[doc = ""]
        #[doc = concat!("Source: <https://learn.microsoft.com/", $crate::alike::alike!(@root $root), $page, ">")]
        #[plat_abi::winapi]
        pub fn $function($guest: &mut $crate::guest::Guest, $($name: $type),+) -> $result {
            $(let $value $(: $kind)? = $of;)?
            let ($($shared,)+) = ($($name,)+);
            $body
        }
    };
    (@root []) => { "windows/win32/api/" };
    (@root [devnotes]) => { "windows/win32/devnotes/" };
    (@root [ddi]) => { "windows-hardware/drivers/ddi/" };
}
pub(crate) use alike;
