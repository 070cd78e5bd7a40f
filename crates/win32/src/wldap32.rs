//! wldap32.dll: directories by LDAP. A connection can be prepared; no server is ever reached.

use std::collections::BTreeMap;
use std::sync::Mutex;

use plat_abi::{Fault, GuestStruct, GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::answers::answers;
use crate::crypto_objects::lock;
use crate::dll;
use crate::export::{Dll, Export};
use crate::guest::Guest;
use crate::nt::nls;
use crate::nt::security_memory::allocate;
use crate::widths::Width;

/// The DLL.
pub const DLL: Dll =
    Dll { name: "wldap32.dll", description: "Win32 LDAP API DLL", tables: &[EXPORTS], methods: &[] };

/// The exports of this file. Programs import by ordinal, which the import library of Windows' SDK has.
pub const EXPORTS: &[Export] = dll! {
    @144 full ldap_initA;
    @145 full ldap_initW;
    @143 full "ldap_init" = ldap_initA;
    @218 full ldap_sslinitA;
    @219 full ldap_sslinitW;
    @217 full "ldap_sslinit" = ldap_sslinitA;
    @169 partial ldap_openA, "no server is ever asked";
    @170 partial ldap_openW, "no server is ever asked";
    @25 partial "ldap_open" = ldap_openA, "no server is ever asked";
    @13 full ldap_unbind;
    @46 full ldap_unbind_s;
    @18 partial LdapMapErrorToWin32, "the errors that are returned here; others become ERROR_GEN_FAILURE";
    @88 partial ldap_connect, "no server is ever asked";
    @72 partial ldap_bind_sA, "no server is ever asked";
    @73 partial ldap_bind_sW, "no server is ever asked";
    @45 partial ldap_bind_s, "no server is ever asked";
    @215 partial ldap_simple_bind_sA, "no server is ever asked";
    @216 partial ldap_simple_bind_sW, "no server is ever asked";
    @60 partial ldap_simple_bind_s, "no server is ever asked";
    @207 partial ldap_search_sA, "no server is ever asked";
    @208 partial ldap_search_sW, "no server is ever asked";
    @50 partial ldap_search_s, "no server is ever asked";
    @209 partial ldap_search_stA, "no server is ever asked";
    @210 partial ldap_search_stW, "no server is ever asked";
    @196 partial ldap_search_ext_sA, "no server is ever asked";
    @203 partial ldap_search_ext_sW, "no server is ever asked";
    @195 partial ldap_search_ext_s, "no server is ever asked";
    @156 partial ldap_modify_sA, "no server is ever asked";
    @157 partial ldap_modify_sW, "no server is ever asked";
    @48 partial ldap_modify_s, "no server is ever asked";
    @66 partial ldap_add_sA, "no server is ever asked";
    @69 partial ldap_add_sW, "no server is ever asked";
    @44 partial ldap_add_s, "no server is ever asked";
    @112 partial ldap_delete_sA, "no server is ever asked";
    @113 partial ldap_delete_sW, "no server is ever asked";
    @47 partial ldap_delete_s, "no server is ever asked";
    @86 partial ldap_compare_sA, "no server is ever asked";
    @87 partial ldap_compare_sW, "no server is ever asked";
    @52 partial ldap_compare_s, "no server is ever asked";
    @330 partial ldap_start_tls_sA, "no server is ever asked";
    @329 partial ldap_start_tls_sW, "no server is ever asked";
    @189 full ldap_searchA;
    @190 full ldap_searchW;
    @43 full ldap_search;
    @70 full ldap_bindA;
    @71 full ldap_bindW;
    @61 full ldap_bind;
    @213 full ldap_simple_bindA;
    @214 full ldap_simple_bindW;
    @59 full ldap_simple_bind;
    @40 full ldap_result;
    @36 full ldap_count_entries;
    @96 full ldap_count_valuesA;
    @97 full ldap_count_valuesW;
    @37 full ldap_count_values;
    @77 full ldap_count_values_len;
    @26 full ldap_first_entry;
    @27 full ldap_next_entry;
    @126 full ldap_first_attributeA;
    @127 full ldap_first_attributeW;
    @32 full ldap_first_attribute;
    @166 full ldap_next_attributeA;
    @167 full ldap_next_attributeW;
    @33 full ldap_next_attribute;
    @139 full ldap_get_valuesA;
    @140 full ldap_get_valuesW;
    @34 full ldap_get_values;
    @141 full ldap_get_values_lenA;
    @142 full ldap_get_values_lenW;
    @35 full ldap_get_values_len;
    @132 full ldap_get_dnA;
    @133 full ldap_get_dnW;
    @30 full ldap_get_dn;
    @146 full ldap_memfreeA;
    @147 full ldap_memfreeW;
    @200 full ldap_memfree;
    @223 full ldap_value_freeA;
    @224 full ldap_value_freeW;
    @38 full ldap_value_free;
    @79 full ldap_value_free_len;
    @41 full ldap_msgfree;
    @10 full ldap_abandon;
    @211 full ldap_set_option;
    @14 full ldap_set_optionW;
    @136 full ldap_get_option;
    @12 full ldap_get_optionW;
    @202 full ldap_cleanup;
    @16 partial LdapGetLastError, "no server is ever asked";
    @117 full ldap_err2stringA;
    @118 full ldap_err2stringW;
    @22 full "ldap_err2string" = ldap_err2stringA;
    @21 full ldap_result2error;
    @304 full ber_alloc_t;
    @301 full ber_free;
    @54 full ber_bvfree;
    @302 full ber_bvecfree;
    @303 full ber_bvdup;
    @29 full LdapUTF8ToUnicode;
    @53 full LdapUnicodeToUTF8;
    @95 full ldap_count_references;
    @128 full ldap_first_reference;
    @168 full ldap_next_reference;
    @201 full ldap_startup;
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

/// The texts of errors, from the names of their numbers; what has none is a local error.
///
/// Source: <https://learn.microsoft.com/previous-versions/windows/desktop/ldap/return-values>
const TEXTS: &[(u32, &str)] = &[
    (0x00, "Success"),
    (0x01, "Operations Error"),
    (0x02, "Protocol Error"),
    (0x03, "Time Limit Exceeded"),
    (0x04, "Size Limit Exceeded"),
    (0x05, "Compare False"),
    (0x06, "Compare True"),
    (0x07, "Authentication Method Not Supported"),
    (0x08, "Strong Authentication Required"),
    (0x09, "Referral (v2)"),
    (0x0a, "Referral"),
    (0x0b, "Administration Limit Exceeded"),
    (0x0c, "Unavailable Critical Extension"),
    (0x0d, "Confidentiality Required"),
    (0x0e, "SASL Bind in Progress"),
    (0x10, "No Such Attribute"),
    (0x11, "Undefined Type"),
    (0x12, "Inappropriate Matching"),
    (0x13, "Constraint Violation"),
    (0x14, "Attribute Or Value Exists"),
    (0x15, "Invalid Syntax"),
    (0x20, "No Such Object"),
    (0x21, "Alias Problem"),
    (0x22, "Invalid DN Syntax"),
    (0x23, "Is Leaf"),
    (0x24, "Alias Dereference Problem"),
    (0x30, "Inappropriate Authentication"),
    (0x31, "Invalid Credentials"),
    (0x32, "Insufficient Rights"),
    (0x33, "Busy"),
    (0x34, "Unavailable"),
    (0x35, "Unwilling To Perform"),
    (0x36, "Loop Detected"),
    (0x3c, "Sort Control Missing"),
    (0x3d, "Index Range Error"),
    (0x40, "Naming Violation"),
    (0x41, "Object Class Violation"),
    (0x42, "Not Allowed On Non-leaf"),
    (0x43, "Not Allowed On RDN"),
    (0x44, "Already Exists"),
    (0x45, "No Object Class Mods"),
    (0x46, "Results Too Large"),
    (0x47, "Affects Multiple DSAs"),
    (0x4c, "Virtual List View Error"),
    (0x50, "Other"),
    (0x51, "Server Down"),
    (0x52, "Local Error"),
    (0x53, "Encoding Error"),
    (0x54, "Decoding Error"),
    (0x55, "Timeout"),
    (0x56, "Auth Unknown"),
    (0x57, "Filter Error"),
    (0x58, "User Canceled"),
    (0x59, "Parameter Error"),
    (0x5a, "No Memory"),
    (0x5b, "Connect Error"),
    (0x5c, "Not Supported"),
    (0x5d, "Control Not Found"),
    (0x5e, "No Results Returned"),
    (0x5f, "More Results To Return"),
    (0x60, "Client Loop"),
    (0x61, "Referral Limit Exceeded"),
];

/// Where the texts that were asked for lie, by error and width; they stay.
static GIVEN: Mutex<BTreeMap<(u32, bool), u64>> = Mutex::new(BTreeMap::new());

/// Returns the text of an error, which the program does not free.
fn error_text(guest: &Guest, width: Width, error: u32) -> Result<GuestWord, Win32Error> {
    let text = TEXTS.iter().find(|row| row.0 == error).map_or("Local Error", |row| row.1);
    let mut given = lock(&GIVEN);
    if let Some(&place) = given.get(&(error, width.is_wide())) {
        return Ok(GuestWord(place));
    }
    let place = allocate(guest, &width.bytes(&text.encode_utf16().collect::<Vec<u16>>()))?;
    given.insert((error, width.is_wide()), place);
    Ok(GuestWord(place))
}

/// Returns the text of an error.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winldap/nf-winldap-ldap_err2stringa>
#[winapi(cdecl)]
pub fn ldap_err2stringA(guest: &mut Guest, err: u32) -> Result<GuestWord, Win32Error> {
    error_text(guest, Width::Narrow, err)
}

/// Returns the text of an error.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winldap/nf-winldap-ldap_err2stringw>
#[winapi(cdecl)]
pub fn ldap_err2stringW(guest: &mut Guest, err: u32) -> Result<GuestWord, Win32Error> {
    error_text(guest, Width::Wide, err)
}

/// The size of `BerElement`, with room to spare.
const ELEMENT_BYTES: u64 = 64;

/// Makes an element of BER with nothing in it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winber/nf-winber-ber_alloc_t>
#[winapi(cdecl)]
pub fn ber_alloc_t(guest: &mut Guest, options: i32) -> GuestWord {
    let _ = options;
    GuestWord(guest.process().heaps.allocate(0, ELEMENT_BYTES, true).unwrap_or(0))
}

/// Frees a block; null is nothing to do.
fn free(guest: &Guest, block: u64) {
    if block != 0 {
        guest.process().heaps.free(0, block);
    }
}

/// Gives an element of BER up.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winber/nf-winber-ber_free>
#[winapi(cdecl)]
pub fn ber_free(guest: &mut Guest, pBerElement: GuestWord, fbuf: i32) {
    let _ = fbuf;
    free(guest, pBerElement.get());
}

/// `BERVAL`.
#[derive(GuestStruct, Default)]
struct Value {
    size: u32,
    bytes: GuestWord,
}

/// Frees bytes and the structure that leads to them.
fn free_value(guest: &Guest, value: u64) -> Result<(), Fault> {
    if value != 0 {
        let inner: Value = guest.read(value)?;
        free(guest, inner.bytes.get());
        free(guest, value);
    }
    Ok(())
}

/// Frees bytes and the structure that leads to them.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winber/nf-winber-ber_bvfree>
#[winapi(cdecl)]
pub fn ber_bvfree(guest: &mut Guest, bv: GuestWord) -> Result<(), Fault> {
    free_value(guest, bv.get())
}

/// Frees an array of such structures, which ends with null.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winber/nf-winber-ber_bvecfree>
#[winapi(cdecl)]
pub fn ber_bvecfree(guest: &mut Guest, pBerVal: GuestWord) -> Result<(), Fault> {
    let mut place = pBerVal.get();
    while place != 0 {
        let value = guest.read_word(place)?;
        if value == 0 {
            break;
        }
        free_value(guest, value)?;
        place += guest.machine().pointer_size();
    }
    free(guest, pBerVal.get());
    Ok(())
}

/// Copies bytes and the structure that leads to them.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winber/nf-winber-ber_bvdup>
#[winapi(cdecl)]
pub fn ber_bvdup(guest: &mut Guest, pBerVal: GuestWord) -> Result<GuestWord, Win32Error> {
    let value: Value = guest.read(pBerVal.get())?;
    let bytes = guest.read_vec(value.bytes.get(), u64::from(value.size))?;
    // A zero stands behind, as some programs take it for a text.
    let copy = allocate(guest, &[&bytes[..], &[0]].concat())?;
    let block = guest.process().heaps.allocate(0, Value::size(guest.machine()), true);
    let block = block.ok_or(Win32Error::NOT_ENOUGH_MEMORY)?;
    guest.write(block, &Value { size: value.size, bytes: GuestWord(copy) })?;
    Ok(GuestWord(block))
}

/// Converts UTF-8 to UTF-16; returns the number of units, without room how many are needed.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winldap/nf-winldap-ldaputf8tounicode>
#[winapi(cdecl)]
pub fn LdapUTF8ToUnicode(
    guest: &mut Guest,
    lpSrcStr: GuestWord,
    cchSrc: i32,
    lpDestStr: GuestWord,
    cchDest: i32,
) -> Result<i32, Win32Error> {
    let text = String::from_utf8_lossy(&nls::read_counted(guest, lpSrcStr, cchSrc)?).into_owned();
    nls::put_wide(guest, lpDestStr, cchDest, &text.encode_utf16().collect::<Vec<u16>>())
}

/// Converts UTF-16 to UTF-8; returns the number of bytes, without room how many are needed.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winldap/nf-winldap-ldapunicodetoutf8>
#[winapi(cdecl)]
pub fn LdapUnicodeToUTF8(
    guest: &mut Guest,
    lpSrcStr: GuestWord,
    cchSrc: i32,
    lpDestStr: GuestWord,
    cchDest: i32,
) -> Result<i32, Win32Error> {
    let text = String::from_utf16_lossy(&nls::read_counted_wide(guest, lpSrcStr, cchSrc)?);
    nls::put_bytes(guest, lpDestStr, cchDest, text.as_bytes())
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
        "winldap/nf-winldap-ldap_result2error" ldap_result2error(ld: GuestWord, res: GuestWord, freeit: u32);
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
        "winldap/nf-winldap-ldap_count_references" ldap_count_references(ld: GuestWord, res: GuestWord);
    }
    "Returns nothing: there are no entries." -> GuestWord = GuestWord::NULL => {
        "winldap/nf-winldap-ldap_first_entry" ldap_first_entry(ld: GuestWord, res: GuestWord);
        "winldap/nf-winldap-ldap_next_entry" ldap_next_entry(ld: GuestWord, entry: GuestWord);
        "winldap/nf-winldap-ldap_first_reference" ldap_first_reference(ld: GuestWord, res: GuestWord);
        "winldap/nf-winldap-ldap_next_reference" ldap_next_reference(ld: GuestWord, entry: GuestWord);
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
        "winldap/nf-winldap-ldap_startup" ldap_startup(version: GuestWord, Instance: GuestWord);
        "winldap/nf-winldap-ldap_cleanup" ldap_cleanup(hInstance: GuestWord);
    }
    "Returns the error of all that was tried: the server cannot be reached." -> u32 = SERVER_DOWN => {
        "winldap/nf-winldap-ldapgetlasterror" LdapGetLastError();
    }
}
