//! Functions of services that Windows may lack, too: a macro for what they answer then.

/// Defines functions that always fail: text, page of Microsoft's reference, name, parameters, error. Two names are the A
/// and the W form of one, and the page is then without its last letter.
macro_rules! refuse {
    ($($doc:literal, $page:literal; $name:ident $(, $wide:ident)? ($($params:tt)*) -> $result:ty, $error:expr;)*) => {$(
        refuse!(@forms $doc, $page; $name $(, $wide)? ($($params)*) -> $result, $error);
    )*};
    (@forms $doc:literal, $page:literal; $name:ident ($($params:tt)*) -> $result:ty, $error:expr) => {
        refuse!(@one $doc, $page; $name ($($params)*) -> $result, $error);
    };
    (@forms $doc:literal, $page:literal; $name:ident, $wide:ident ($($params:tt)*) -> $result:ty, $error:expr) => {
        refuse!(@one $doc, concat!($page, "a"); $name ($($params)*) -> $result, $error);
        refuse!(@one $doc, concat!($page, "w"); $wide ($($params)*) -> $result, $error);
    };
    (@one $doc:literal, $page:expr; $name:ident($($param:ident: $type:ty),*) -> $result:ty, $error:expr) => {
        #[doc = $doc]
        ///
        #[doc = concat!("Source: <https://learn.microsoft.com/windows/win32/api/", $page, ">")]
        #[::plat_abi::winapi]
        pub fn $name(guest: &mut $crate::guest::Guest $(, $param: $type)*) -> Result<$result, $crate::Win32Error> {
            let _ = (guest $(, $param)*);
            Err($error)
        }
    };
}
pub(crate) use refuse;

use crate::Win32Error;

/// `RPC_S_SERVER_UNAVAILABLE`: the service behind a function does not run.
pub(super) const NOT_RUNNING: Win32Error = Win32Error(1722);
