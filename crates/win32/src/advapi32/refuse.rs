//! Functions of services that Windows may lack, too: a macro for what they answer then.

/// Defines functions that always fail: text, page of Microsoft's reference, name, parameters, error.
macro_rules! refuse {
    ($($doc:literal, $page:literal; $name:ident($($param:ident: $type:ty),*) -> $result:ty, $error:expr;)*) => {$(
        #[doc = $doc]
        ///
        #[doc = concat!("Source: <https://learn.microsoft.com/windows/win32/api/", $page, ">")]
        #[::plat_abi::winapi]
        pub fn $name(guest: &mut $crate::guest::Guest $(, $param: $type)*) -> Result<$result, $crate::Win32Error> {
            let _ = (guest $(, $param)*);
            Err($error)
        }
    )*};
}
pub(crate) use refuse;

use crate::Win32Error;

/// `RPC_S_SERVER_UNAVAILABLE`: the service behind a function does not run.
pub(super) const NOT_RUNNING: Win32Error = Win32Error(1722);
