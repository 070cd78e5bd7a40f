//! wldap32.dll: directories by LDAP. A connection can be prepared; no server is ever reached.

use plat_abi::{GuestWord, winapi};

use crate::Win32Error;
use crate::answers::answers;
use crate::dll;
use crate::export::{Dll, Export};
use crate::guest::Guest;

/// The DLL.
pub const DLL: Dll =
    Dll { name: "wldap32.dll", description: "Win32 LDAP API DLL", tables: &[EXPORTS], methods: &[] };

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full ldap_initA;
    full ldap_initW;
    full "ldap_init" = ldap_initA;
    full ldap_sslinitA;
    full ldap_sslinitW;
    full "ldap_sslinit" = ldap_sslinitA;
    partial ldap_openA, "no server is ever asked";
    partial ldap_openW, "no server is ever asked";
    partial "ldap_open" = ldap_openA, "no server is ever asked";
    full ldap_unbind;
    full ldap_unbind_s;
    partial LdapMapErrorToWin32, "the errors that are returned here; others become ERROR_GEN_FAILURE";
    partial ldap_connect, "no server is ever asked";
    partial ldap_bind_sA, "no server is ever asked";
    partial ldap_bind_sW, "no server is ever asked";
    partial ldap_bind_s, "no server is ever asked";
    partial ldap_simple_bind_sA, "no server is ever asked";
    partial ldap_simple_bind_sW, "no server is ever asked";
    partial ldap_simple_bind_s, "no server is ever asked";
    partial ldap_search_sA, "no server is ever asked";
    partial ldap_search_sW, "no server is ever asked";
    partial ldap_search_s, "no server is ever asked";
    partial ldap_search_stA, "no server is ever asked";
    partial ldap_search_stW, "no server is ever asked";
    partial ldap_search_ext_sA, "no server is ever asked";
    partial ldap_search_ext_sW, "no server is ever asked";
    partial ldap_search_ext_s, "no server is ever asked";
    partial ldap_modify_sA, "no server is ever asked";
    partial ldap_modify_sW, "no server is ever asked";
    partial ldap_modify_s, "no server is ever asked";
    partial ldap_add_sA, "no server is ever asked";
    partial ldap_add_sW, "no server is ever asked";
    partial ldap_add_s, "no server is ever asked";
    partial ldap_delete_sA, "no server is ever asked";
    partial ldap_delete_sW, "no server is ever asked";
    partial ldap_delete_s, "no server is ever asked";
    partial ldap_compare_sA, "no server is ever asked";
    partial ldap_compare_sW, "no server is ever asked";
    partial ldap_compare_s, "no server is ever asked";
    partial ldap_start_tls_sA, "no server is ever asked";
    partial ldap_start_tls_sW, "no server is ever asked";
    full ldap_searchA;
    full ldap_searchW;
    full ldap_search;
    full ldap_bindA;
    full ldap_bindW;
    full ldap_bind;
    full ldap_simple_bindA;
    full ldap_simple_bindW;
    full ldap_simple_bind;
    full ldap_result;
    full ldap_count_entries;
    full ldap_count_valuesA;
    full ldap_count_valuesW;
    full ldap_count_values;
    full ldap_count_values_len;
    full ldap_first_entry;
    full ldap_next_entry;
    full ldap_first_attributeA;
    full ldap_first_attributeW;
    full ldap_first_attribute;
    full ldap_next_attributeA;
    full ldap_next_attributeW;
    full ldap_next_attribute;
    full ldap_get_valuesA;
    full ldap_get_valuesW;
    full ldap_get_values;
    full ldap_get_values_lenA;
    full ldap_get_values_lenW;
    full ldap_get_values_len;
    full ldap_get_dnA;
    full ldap_get_dnW;
    full ldap_get_dn;
    full ldap_memfreeA;
    full ldap_memfreeW;
    full ldap_memfree;
    full ldap_value_freeA;
    full ldap_value_freeW;
    full ldap_value_free;
    full ldap_value_free_len;
    full ldap_msgfree;
    full ldap_abandon;
    full ldap_set_option;
    full ldap_set_optionW;
    full ldap_get_option;
    full ldap_get_optionW;
    full ldap_cleanup;
    partial LdapGetLastError, "no server is ever asked";
};

/// `LDAP_SERVER_DOWN`.
const SERVER_DOWN: u32 = 0x51;
/// The size of `LDAP`, with room to spare.
const CONNECTION_BYTES: u64 = 512;

/// Makes a connection that is not connected: a block that programs hold a pointer to.
fn prepare(guest: &Guest) -> GuestWord {
    GuestWord(guest.process().heaps.allocate(0, CONNECTION_BYTES, true).unwrap_or(0))
}

/// Defines functions that prepare a connection.
macro_rules! prepared {
    ($($page:literal, $name:ident($($param:ident: $type:ty),*);)*) => {$(
        /// Prepares a connection.
        ///
        #[doc = concat!("Source: <https://learn.microsoft.com/windows/win32/api/winldap/nf-winldap-", $page, ">")]
        #[winapi(cdecl)]
        pub fn $name(guest: &mut Guest, $($param: $type),*) -> GuestWord {
            let _ = ($($param),*);
            prepare(guest)
        }
    )*};
}
prepared! {
    "ldap_inita", ldap_initA(HostName: GuestWord, PortNumber: u32);
    "ldap_initw", ldap_initW(HostName: GuestWord, PortNumber: u32);
    "ldap_sslinita", ldap_sslinitA(HostName: GuestWord, PortNumber: u32, secure: i32);
    "ldap_sslinitw", ldap_sslinitW(HostName: GuestWord, PortNumber: u32, secure: i32);
}

/// Gives a connection up.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winldap/nf-winldap-ldap_unbind>
#[winapi(cdecl)]
pub fn ldap_unbind(guest: &mut Guest, ld: GuestWord) -> u32 {
    guest.process().heaps.free(0, ld.get());
    0
}

/// Gives a connection up.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winldap/nf-winldap-ldap_unbind_s>
#[winapi(cdecl)]
pub fn ldap_unbind_s(guest: &mut Guest, ld: GuestWord) -> u32 {
    ldap_unbind(guest, ld)
}

/// Translates an error to one of Win32's.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winldap/nf-winldap-ldapmaperrortowin32>
#[winapi(cdecl)]
pub fn LdapMapErrorToWin32(guest: &mut Guest, LdapError: u32) -> u32 {
    /// `ERROR_BAD_NET_RESP`.
    const BAD_NET_RESPONSE: u32 = 58;
    let _ = guest;
    match LdapError {
        0 => 0,
        SERVER_DOWN => BAD_NET_RESPONSE,
        _ => Win32Error::GEN_FAILURE.0,
    }
}

answers! {
    cdecl
    "Says that no server is reached, by null." -> GuestWord = GuestWord::NULL => {
        "winldap/nf-winldap-ldap_open" ldap_openA, ldap_openW(HostName: GuestWord, PortNumber: u32);
    }
    "Says that the server cannot be reached: this machine asks none." -> u32 = SERVER_DOWN => {
        "winldap/nf-winldap-ldap_connect" ldap_connect(ld: GuestWord, timeout: GuestWord);
        "winldap/nf-winldap-ldap_bind_s"
        ldap_bind_sA, ldap_bind_sW, ldap_bind_s(ld: GuestWord, dn: GuestWord, cred: GuestWord, method: u32);
        "winldap/nf-winldap-ldap_simple_bind_s"
        ldap_simple_bind_sA, ldap_simple_bind_sW, ldap_simple_bind_s(ld: GuestWord, dn: GuestWord, passwd: GuestWord);
        "winldap/nf-winldap-ldap_search_s"
        ldap_search_sA, ldap_search_sW, ldap_search_s(ld: GuestWord, base: GuestWord, scope: u32, filter: GuestWord, attrs: GuestWord, attrsonly: u32, res: GuestWord);
        "winldap/nf-winldap-ldap_search_st"
        ldap_search_stA, ldap_search_stW(ld: GuestWord, base: GuestWord, scope: u32, filter: GuestWord, attrs: GuestWord, attrsonly: u32, timeout: GuestWord, res: GuestWord);
        "winldap/nf-winldap-ldap_search_ext_s"
        ldap_search_ext_sA, ldap_search_ext_sW, ldap_search_ext_s(ld: GuestWord, base: GuestWord, scope: u32, filter: GuestWord, attrs: GuestWord, attrsonly: u32, ServerControls: GuestWord, ClientControls: GuestWord, timeout: GuestWord, SizeLimit: u32, res: GuestWord);
        "winldap/nf-winldap-ldap_modify_s"
        ldap_modify_sA, ldap_modify_sW, ldap_modify_s(ld: GuestWord, dn: GuestWord, mods: GuestWord);
        "winldap/nf-winldap-ldap_add_s"
        ldap_add_sA, ldap_add_sW, ldap_add_s(ld: GuestWord, dn: GuestWord, attrs: GuestWord);
        "winldap/nf-winldap-ldap_delete_s" ldap_delete_sA, ldap_delete_sW, ldap_delete_s(ld: GuestWord, dn: GuestWord);
        "winldap/nf-winldap-ldap_compare_s"
        ldap_compare_sA, ldap_compare_sW, ldap_compare_s(ld: GuestWord, dn: GuestWord, attr: GuestWord, value: GuestWord);
        "winldap/nf-winldap-ldap_start_tls_s"
        ldap_start_tls_sA, ldap_start_tls_sW(ExternalHandle: GuestWord, ServerReturnValue: GuestWord, result: GuestWord, ServerControls: GuestWord, ClientControls: GuestWord);
    }
    "Says that there is no message." -> u32 = u32::MAX => {
        "winldap/nf-winldap-ldap_search"
        ldap_searchA, ldap_searchW, ldap_search(ld: GuestWord, base: GuestWord, scope: u32, filter: GuestWord, attrs: GuestWord, attrsonly: u32);
        "winldap/nf-winldap-ldap_bind"
        ldap_bindA, ldap_bindW, ldap_bind(ld: GuestWord, dn: GuestWord, cred: GuestWord, method: u32);
        "winldap/nf-winldap-ldap_simple_bind"
        ldap_simple_bindA, ldap_simple_bindW, ldap_simple_bind(ld: GuestWord, dn: GuestWord, passwd: GuestWord);
        "winldap/nf-winldap-ldap_result"
        ldap_result(ld: GuestWord, msgid: u32, all: u32, timeout: GuestWord, res: GuestWord);
        "winldap/nf-winldap-ldap_count_entries" ldap_count_entries(ld: GuestWord, res: GuestWord);
        "winldap/nf-winldap-ldap_count_values"
        ldap_count_valuesA, ldap_count_valuesW, ldap_count_values(vals: GuestWord);
        "winldap/nf-winldap-ldap_count_values_len" ldap_count_values_len(vals: GuestWord);
    }
    "Returns nothing: there are no entries." -> GuestWord = GuestWord::NULL => {
        "winldap/nf-winldap-ldap_first_entry" ldap_first_entry(ld: GuestWord, res: GuestWord);
        "winldap/nf-winldap-ldap_next_entry" ldap_next_entry(ld: GuestWord, entry: GuestWord);
        "winldap/nf-winldap-ldap_first_attribute"
        ldap_first_attributeA, ldap_first_attributeW, ldap_first_attribute(ld: GuestWord, entry: GuestWord, ptr: GuestWord);
        "winldap/nf-winldap-ldap_next_attribute"
        ldap_next_attributeA, ldap_next_attributeW, ldap_next_attribute(ld: GuestWord, entry: GuestWord, ptr: GuestWord);
        "winldap/nf-winldap-ldap_get_values"
        ldap_get_valuesA, ldap_get_valuesW, ldap_get_values(ld: GuestWord, entry: GuestWord, attr: GuestWord);
        "winldap/nf-winldap-ldap_get_values_len"
        ldap_get_values_lenA, ldap_get_values_lenW, ldap_get_values_len(ExternalHandle: GuestWord, Message: GuestWord, attr: GuestWord);
        "winldap/nf-winldap-ldap_get_dn" ldap_get_dnA, ldap_get_dnW, ldap_get_dn(ld: GuestWord, entry: GuestWord);
    }
    "Has nothing to free: nothing was given." -> () = () => {
        "winldap/nf-winldap-ldap_memfree" ldap_memfreeA, ldap_memfreeW, ldap_memfree(Block: GuestWord);
    }
    "Agrees." -> u32 = 0 => {
        "winldap/nf-winldap-ldap_value_free" ldap_value_freeA, ldap_value_freeW, ldap_value_free(vals: GuestWord);
        "winldap/nf-winldap-ldap_value_free_len" ldap_value_free_len(vals: GuestWord);
        "winldap/nf-winldap-ldap_msgfree" ldap_msgfree(res: GuestWord);
        "winldap/nf-winldap-ldap_abandon" ldap_abandon(ld: GuestWord, msgid: u32);
        "winldap/nf-winldap-ldap_set_option" ldap_set_option(ld: GuestWord, option: i32, invalue: GuestWord);
        "winldap/nf-winldap-ldap_set_optionw" ldap_set_optionW(ld: GuestWord, option: i32, invalue: GuestWord);
        "winldap/nf-winldap-ldap_get_option" ldap_get_option(ld: GuestWord, option: i32, outvalue: GuestWord);
        "winldap/nf-winldap-ldap_get_optionw" ldap_get_optionW(ld: GuestWord, option: i32, outvalue: GuestWord);
        "winldap/nf-winldap-ldap_cleanup" ldap_cleanup(hInstance: GuestWord);
    }
    "Returns the error of all that was tried: the server cannot be reached." -> u32 = SERVER_DOWN => {
        "winldap/nf-winldap-ldapgetlasterror" LdapGetLastError();
    }
}
