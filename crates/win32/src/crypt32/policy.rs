//! wincrypt.h: what the errors of a chain mean for a purpose.

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use super::chain::held;
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::crypto::chain::{Chain, error, info};
use crate::logic::crypto::constraints::is_for_host;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial CertVerifyCertificateChainPolicy, "base, Authenticode, TLS, basic constraints, logon; no root is known to be Microsoft's own";
};

/// Flags of `CERT_CHAIN_POLICY_PARA`.
mod ignore {
    pub(super) const NOT_TIME_VALID: u32 = 0x1;
    pub(super) const BASIC_CONSTRAINTS: u32 = 0x8;
    pub(super) const UNKNOWN_AUTHORITY: u32 = 0x10;
    pub(super) const WRONG_USAGE: u32 = 0x20;
    pub(super) const INVALID_NAME: u32 = 0x40;
    pub(super) const END_REVOCATION: u32 = 0x100;
    pub(super) const AUTHORITY_REVOCATION: u32 = 0x400;
    pub(super) const ROOT_REVOCATION: u32 = 0x800;
    pub(super) const CRITICAL_EXTENSION: u32 = 0x2000;
    pub(super) const ALL_REVOCATION: u32 = END_REVOCATION | AUTHORITY_REVOCATION | ROOT_REVOCATION;
}

/// `CERT_E_CN_NO_MATCH`.
const NO_MATCH: u32 = 0x800b_010f;
/// `CERT_E_UNTRUSTEDROOT`.
const UNTRUSTED_ROOT: u32 = 0x800b_0109;
/// `CERT_E_UNTRUSTEDCA`.
const UNTRUSTED_AUTHORITY: u32 = 0x800b_0112;
/// `TRUST_E_BASIC_CONSTRAINTS`.
const BASIC_CONSTRAINTS: u32 = 0x8009_6019;

/// Errors of certificates in the order in which they count: bits, what ignores them, the result.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/ns-wincrypt-cert_chain_policy_status>
const ERRORS: [(u32, u32, u32); 9] = [
    (error::NOT_SIGNATURE_VALID, 0, 0x8009_6004),
    (error::UNTRUSTED_ROOT, ignore::UNKNOWN_AUTHORITY, UNTRUSTED_ROOT),
    (error::PARTIAL_CHAIN, ignore::UNKNOWN_AUTHORITY, 0x800b_010a),
    (error::NOT_TIME_VALID, ignore::NOT_TIME_VALID, 0x800b_0101),
    (error::NOT_VALID_FOR_USAGE, ignore::WRONG_USAGE, 0x800b_0110),
    (error::UNKNOWN_CRITICAL_EXTENSION, ignore::CRITICAL_EXTENSION, 0x800b_0105),
    (error::INVALID_BASIC_CONSTRAINTS, ignore::BASIC_CONSTRAINTS, BASIC_CONSTRAINTS),
    (
        error::NOT_PERMITTED_NAME | error::EXCLUDED_NAME | error::INVALID_NAME_CONSTRAINTS,
        ignore::INVALID_NAME,
        0x800b_0114,
    ),
    (error::INVALID_EXTENSION, ignore::CRITICAL_EXTENSION, 0x800b_0105),
];

/// What a policy found: the error, and the certificate's place in the chain; -1 for none.
type Verdict = (u32, i32);

/// No error.
const GOOD: Verdict = (0, -1);

/// Returns the first error of a chain that is not ignored.
fn base(chain: &Chain, ignored: u32) -> Verdict {
    let find = |bits: u32| chain.links.iter().position(|link| link.errors & bits != 0);
    for (bits, flag, result) in ERRORS {
        if chain.errors & bits != 0 && ignored & flag == 0 {
            return (result, find(bits).map_or(-1, |place| place as i32));
        }
    }
    for (place, link) in chain.links.iter().enumerate() {
        let flag = match place {
            0 => ignore::END_REVOCATION,
            _ if link.info & info::SELF_SIGNED != 0 => ignore::ROOT_REVOCATION,
            _ => ignore::AUTHORITY_REVOCATION,
        };
        if link.errors & error::REVOCATION_STATUS_UNKNOWN != 0 && ignored & flag == 0 {
            let is_offline = link.errors & error::OFFLINE_REVOCATION != 0;
            return (if is_offline { 0x8009_2013 } else { 0x8009_2012 }, place as i32);
        }
    }
    GOOD
}

/// Returns the first error of a chain; 0 for none. That nobody knows of revocations is none.
pub(crate) fn first_error(chain: &Chain) -> u32 {
    base(chain, ignore::END_REVOCATION | ignore::AUTHORITY_REVOCATION | ignore::ROOT_REVOCATION).0
}

/// `SSL_EXTRA_CERT_CHAIN_POLICY_PARA`.
#[derive(GuestStruct, Default)]
struct TlsPara {
    size: u32,
    kind: u32,
    checks: u32,
    server: GuestWord,
}

/// Judges a chain for a TLS connection: the base, then the server's name.
fn tls(guest: &Guest, chain: &Chain, mut ignored: u32, extra: GuestWord) -> Result<Verdict, Win32Error> {
    /// `SECURITY_FLAG_IGNORE_CERT_CN_INVALID`.
    const IGNORE_NAME: u32 = 0x1000;
    if extra.is_null() {
        return Ok(base(chain, ignored));
    }
    let para: TlsPara = guest.read(extra.get())?;
    let flags = [
        (0x80, ignore::ALL_REVOCATION),
        (0x100, ignore::UNKNOWN_AUTHORITY),
        (0x200, ignore::WRONG_USAGE),
        (0x2000, ignore::NOT_TIME_VALID),
    ];
    for (check, flag) in flags {
        ignored |= if para.checks & check != 0 { flag } else { 0 };
    }
    let verdict = base(chain, ignored);
    if verdict != GOOD || para.server.is_null() || para.checks & IGNORE_NAME != 0 {
        return Ok(verdict);
    }
    let host = String::from_utf16_lossy(&guest.read_wide_string(para.server.get())?);
    let fits = chain.links.first().is_some_and(|link| is_for_host(&link.certificate, &host));
    Ok(if fits { GOOD } else { (NO_MATCH, 0) })
}

/// Judges the authorities of a chain only.
fn basic_constraints(chain: &Chain, ignored: u32) -> Verdict {
    let bad = chain.links.iter().position(|link| link.errors & error::INVALID_BASIC_CONSTRAINTS != 0);
    match bad.filter(|_| ignored & ignore::BASIC_CONSTRAINTS == 0) {
        Some(place) => (BASIC_CONSTRAINTS, place as i32),
        None => GOOD,
    }
}

/// `CERT_CHAIN_POLICY_PARA`.
#[derive(GuestStruct, Default)]
struct PolicyPara {
    size: u32,
    flags: u32,
    extra: GuestWord,
}

/// `CERT_CHAIN_POLICY_STATUS`, up to what policies add.
#[derive(GuestStruct, Default)]
struct PolicyStatus {
    size: u32,
    error: u32,
    chain: i32,
    element: i32,
}

/// Judges a chain for a purpose. The function succeeds where it could judge; the result is in the status.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certverifycertificatechainpolicy>
#[winapi]
pub fn CertVerifyCertificateChainPolicy(
    guest: &mut Guest,
    pszPolicyOID: GuestWord,
    pChainContext: GuestWord,
    pPolicyPara: GuestWord,
    pPolicyStatus: GuestWord,
) -> Result<Bool, Win32Error> {
    if !(1..=7).contains(&pszPolicyOID.get()) {
        return Err(Win32Error::FILE_NOT_FOUND);
    }
    let held = held(guest, pChainContext)?;
    let chain = &held.chain;
    let para: PolicyPara = match pPolicyPara.is_null() {
        true => PolicyPara::default(),
        false => guest.read(pPolicyPara.get())?,
    };
    let verdict = match pszPolicyOID.get() {
        4 => tls(guest, chain, para.flags, para.extra)?,
        5 => basic_constraints(chain, para.flags),
        // Logon: no authority is registered for it.
        6 => match base(chain, para.flags) {
            GOOD => (UNTRUSTED_AUTHORITY, 0),
            other => other,
        },
        7 => (UNTRUSTED_ROOT, 0),
        _ => base(chain, para.flags),
    };
    let size = guest.read_u32(pPolicyStatus.get())?;
    let chain_index = if verdict.1 < 0 { -1 } else { 0 };
    let status = PolicyStatus { size, error: verdict.0, chain: chain_index, element: verdict.1 };
    guest.write(pPolicyStatus.get(), &status)?;
    Ok(TRUE)
}
