//! Chains of certificates from one to a root: which issuers, and what is wrong with each. Key items: [`Builder`], [`Chain`].
//!
//! Source: <https://www.rfc-editor.org/rfc/rfc5280#section-6>, for the flags
//! <https://learn.microsoft.com/windows/win32/api/wincrypt/ns-wincrypt-cert_trust_status>

use std::sync::Arc;

use super::certificate::{Elements, Encoded, SEQUENCE, identifiers};
use super::constraints::{Names, check_names};
use super::signed::verify;

/// Errors of a certificate in a chain, and of a chain.
pub mod error {
    /// Outside of its time.
    pub const NOT_TIME_VALID: u32 = 0x1;
    /// Its signature does not fit.
    pub const NOT_SIGNATURE_VALID: u32 = 0x8;
    /// Not for the wanted use.
    pub const NOT_VALID_FOR_USAGE: u32 = 0x10;
    /// The root is not trusted.
    pub const UNTRUSTED_ROOT: u32 = 0x20;
    /// Whether it was revoked is not known.
    pub const REVOCATION_STATUS_UNKNOWN: u32 = 0x40;
    /// An extension is unknown or malformed.
    pub const INVALID_EXTENSION: u32 = 0x100;
    /// Not an authority, or too many below it.
    pub const INVALID_BASIC_CONSTRAINTS: u32 = 0x400;
    /// Constraints of names that are malformed or of an unknown kind.
    pub const INVALID_NAME_CONSTRAINTS: u32 = 0x800;
    /// A name is not permitted.
    pub const NOT_PERMITTED_NAME: u32 = 0x4000;
    /// A name is excluded.
    pub const EXCLUDED_NAME: u32 = 0x8000;
    /// An issuer was not found.
    pub const PARTIAL_CHAIN: u32 = 0x1_0000;
    /// Nobody can be asked about revocation.
    pub const OFFLINE_REVOCATION: u32 = 0x100_0000;
    /// A critical extension that is not known.
    pub const UNKNOWN_CRITICAL_EXTENSION: u32 = 0x800_0000;
}

/// What is said of a certificate besides.
pub mod info {
    /// The issuer was found by the name and number in the certificate.
    pub const EXACT_MATCH: u32 = 1;
    /// By its key's identifier.
    pub const KEY_MATCH: u32 = 2;
    /// By its name.
    pub const NAME_MATCH: u32 = 4;
    /// It signed itself.
    pub const SELF_SIGNED: u32 = 8;
    /// The issuer is the one to use.
    pub const PREFERRED: u32 = 0x100;
    /// Its constraints of names hold.
    pub const VALID_NAME_CONSTRAINTS: u32 = 0x400;
}

/// A certificate in a chain.
#[derive(Clone, Debug)]
pub struct Link {
    /// The certificate.
    pub certificate: Arc<Encoded>,
    /// See [`error`].
    pub errors: u32,
    /// See [`info`].
    pub info: u32,
    /// The uses that it and all above it allow; `None` for any.
    pub uses: Option<Vec<String>>,
}

/// A chain, its first certificate the one that was asked about.
#[derive(Clone, Debug)]
pub struct Chain {
    /// Its certificates.
    pub links: Vec<Link>,
    /// The errors of all of them, and of the chain.
    pub errors: u32,
}

/// For whose revocation is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Revocation {
    /// For nobody's.
    #[default]
    Ignored,
    /// For the first certificate's.
    End,
    /// For that of all but the root.
    AllButRoot,
}

/// What chains are made of, and what is wanted of them.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    /// Certificates that are trusted.
    pub roots: Vec<Arc<Encoded>>,
    /// Other certificates that may be issuers.
    pub others: Vec<Arc<Encoded>>,
    /// The time for which it must hold, in units of 100 ns since 1601.
    pub time: u64,
    /// Uses that are wanted.
    pub uses: Vec<String>,
    /// One of the uses is enough.
    pub any_use: bool,
    /// Whose revocation is asked for. There is no network here, so the answer is that nobody knows.
    pub revocation: Revocation,
}

/// Certificates in a chain at most.
const LINKS_MAX: usize = 20;
/// Issuers that are tried at most, whatever the pool holds.
const TRIES_MAX: u32 = 500;

/// `szOID_AUTHORITY_KEY_IDENTIFIER2`, `szOID_SUBJECT_KEY_IDENTIFIER`, `szOID_BASIC_CONSTRAINTS2`, `szOID_KEY_USAGE`,
/// `szOID_ENHANCED_KEY_USAGE`.
const AUTHORITY_KEY: &str = "2.5.29.35";
const SUBJECT_KEY: &str = "2.5.29.14";
const BASIC_CONSTRAINTS: &str = "2.5.29.19";
const KEY_USAGE: &str = "2.5.29.15";
const USES: &str = "2.5.29.37";
/// `szOID_ANY_ENHANCED_KEY_USAGE`.
const ANY_USE: &str = "2.5.29.37.0";

/// Extensions whose meaning is known, so that they may be critical.
const KNOWN: [&str; 14] = [
    "2.5.29.9",
    SUBJECT_KEY,
    KEY_USAGE,
    "2.5.29.16",
    "2.5.29.17",
    "2.5.29.18",
    BASIC_CONSTRAINTS,
    "2.5.29.30",
    "2.5.29.31",
    "2.5.29.32",
    "2.5.29.33",
    AUTHORITY_KEY,
    "2.5.29.36",
    USES,
];

/// Says whether a certificate names itself as its issuer.
pub fn is_self_issued(certificate: &Encoded) -> bool {
    certificate.subject() == certificate.issuer()
}

/// Says how a certificate names another as its issuer: [`info::KEY_MATCH`] and the like; `None` when it does not.
pub fn match_issuer(certificate: &Encoded, issuer: &Encoded) -> Option<u32> {
    if certificate.issuer() != issuer.subject() {
        return None;
    }
    let Some(bytes) = certificate.extension(AUTHORITY_KEY) else { return Some(info::NAME_MATCH) };
    let Ok(list) = Elements::new(bytes, 0..bytes.len()).tagged(SEQUENCE) else {
        return Some(info::NAME_MATCH);
    };
    let parts: Vec<_> = Elements::new(bytes, list.content).collect();
    let find = |tag: u8| parts.iter().find(|part| part.tag == tag).map(|part| &bytes[part.content.clone()]);
    if let (Some(names), Some(serial)) = (find(0xa1), find(0x82)) {
        let named = names.windows(issuer.issuer().len()).any(|part| part == issuer.issuer());
        let fits = named && serial == &issuer.bytes[issuer.parts.serial.clone()];
        return fits.then_some(info::EXACT_MATCH);
    }
    let own = issuer.extension(SUBJECT_KEY).and_then(|value| value.get(2..));
    match (find(0x80), own) {
        (Some(wanted), Some(own)) => (wanted == own).then_some(info::KEY_MATCH),
        _ => Some(info::NAME_MATCH),
    }
}

/// The state of a search: the certificates on the way, the best chain, tries left.
struct Search<'a> {
    builder: &'a Builder,
    path: Vec<(Arc<Encoded>, u32)>,
    best: Option<Chain>,
    tries: u32,
}

impl Builder {
    /// Builds the best chain from a certificate: one without errors, else the one with the mildest.
    pub fn build(&self, certificate: &Arc<Encoded>) -> Chain {
        let path = vec![(Arc::clone(certificate), 0)];
        let mut search = Search { builder: self, path, best: None, tries: TRIES_MAX };
        search.go_on();
        search.best.unwrap_or(Chain { links: Vec::new(), errors: error::PARTIAL_CHAIN })
    }

    fn is_root(&self, certificate: &Encoded) -> bool {
        self.roots.iter().any(|root| root.bytes == certificate.bytes)
    }

    /// Judges a path of certificates; each but the last has its issuer after it.
    fn judge(&self, path: &[(Arc<Encoded>, u32)]) -> Chain {
        let mut links: Vec<Link> = path
            .iter()
            .map(|(certificate, how)| Link {
                certificate: Arc::clone(certificate),
                errors: self.errors_alone(certificate),
                info: *how,
                uses: None,
            })
            .collect();
        let last = links.len() - 1;
        let mut errors = 0;
        for at in 0..links.len() {
            let issuer = Arc::clone(&links[(at + 1).min(last)].certificate);
            let signs_itself = at == last && is_self_issued(&issuer);
            if at == last && !signs_itself {
                errors |= error::PARTIAL_CHAIN;
                continue;
            }
            if !verify(&links[at].certificate, &issuer) {
                links[at].errors |= error::NOT_SIGNATURE_VALID;
            }
            if signs_itself {
                links[at].info |= info::SELF_SIGNED | info::NAME_MATCH;
                links[at].errors |= if self.is_root(&issuer) { 0 } else { error::UNTRUSTED_ROOT };
            }
            links[at].info |= info::PREFERRED;
        }
        judge_authorities(&mut links);
        judge_names(&mut links);
        self.judge_uses(&mut links);
        self.judge_revocation(&mut links);
        let errors = links.iter().fold(errors, |sum, link| sum | link.errors);
        Chain { links, errors }
    }

    /// Returns what is wrong with a certificate by itself.
    fn errors_alone(&self, certificate: &Encoded) -> u32 {
        let parts = &certificate.parts;
        let is_timely = (parts.not_before..=parts.not_after).contains(&self.time);
        let is_unknown =
            parts.extensions.iter().any(|other| other.is_critical && !KNOWN.contains(&&*other.identifier));
        let unknown = error::UNKNOWN_CRITICAL_EXTENSION | error::INVALID_EXTENSION;
        (if is_timely { 0 } else { error::NOT_TIME_VALID }) | if is_unknown { unknown } else { 0 }
    }

    fn judge_uses(&self, links: &mut [Link]) {
        let mut allowed: Option<Vec<String>> = None;
        for link in links.iter_mut().rev() {
            let certificate = &link.certificate;
            let own = certificate
                .parts
                .extension(USES)
                .map(|extension| identifiers(&certificate.bytes, extension.value.clone()));
            if let Some(own) = own.filter(|own| !own.iter().any(|one| one == ANY_USE)) {
                allowed = Some(match allowed {
                    None => own,
                    Some(before) => own.into_iter().filter(|one| before.contains(one)).collect(),
                });
            }
            link.uses.clone_from(&allowed);
            let Some(uses) = &allowed else { continue };
            let has = |wanted: &String| uses.contains(wanted);
            let fits = if self.any_use { self.uses.iter().any(has) } else { self.uses.iter().all(has) };
            if !fits && !self.uses.is_empty() {
                link.errors |= error::NOT_VALID_FOR_USAGE;
            }
        }
    }

    fn judge_revocation(&self, links: &mut [Link]) {
        let count = match self.revocation {
            Revocation::Ignored => 0,
            Revocation::End => 1,
            Revocation::AllButRoot => links.len(),
        };
        for link in links.iter_mut().take(count).filter(|link| link.info & info::SELF_SIGNED == 0) {
            link.errors |= error::REVOCATION_STATUS_UNKNOWN | error::OFFLINE_REVOCATION;
        }
    }
}

impl Search<'_> {
    /// Extends the path by each issuer that may be meant; notes it as a chain where there is none.
    fn go_on(&mut self) {
        let Some((last, _)) = self.path.last().cloned() else { return };
        let pool = self.builder.roots.iter().chain(&self.builder.others);
        let mut issuers: Vec<(Arc<Encoded>, u32)> = Vec::new();
        if !is_self_issued(&last) && self.path.len() < LINKS_MAX {
            for issuer in pool {
                let is_new = |other: &Arc<Encoded>| other.bytes != issuer.bytes;
                if let Some(how) = match_issuer(&last, issuer)
                    && self.path.iter().all(|(other, _)| is_new(other))
                    && issuers.iter().all(|(other, _)| is_new(other))
                {
                    issuers.push((Arc::clone(issuer), how));
                }
            }
        }
        if issuers.is_empty() {
            return self.note();
        }
        for (issuer, how) in issuers {
            self.tries = self.tries.saturating_sub(1);
            if self.tries == 0 || self.best.as_ref().is_some_and(|best| best.errors == 0) {
                return;
            }
            if let Some(last) = self.path.last_mut() {
                last.1 = how;
            }
            self.path.push((issuer, 0));
            self.go_on();
            self.path.pop();
        }
    }

    /// Keeps the path if it is better than the best so far.
    fn note(&mut self) {
        let chain = self.builder.judge(&self.path);
        if self.best.as_ref().is_none_or(|best| badness(chain.errors) < badness(best.errors)) {
            self.best = Some(chain);
        }
    }
}

/// Orders errors: a wrong signature is worse than a missing issuer, that worse than missing trust, and so on.
fn badness(errors: u32) -> u32 {
    let order = [error::NOT_SIGNATURE_VALID, error::PARTIAL_CHAIN, error::UNTRUSTED_ROOT];
    let place = order.iter().position(|bit| errors & bit != 0);
    place.map_or(errors.count_ones(), |place| 1000 * (order.len() - place) as u32 + errors.count_ones())
}

/// Reads the basic constraints: whether it is an authority, and how many authorities may be below it.
pub fn basic_constraints(value: &[u8]) -> Option<(bool, Option<usize>)> {
    let list = Elements::new(value, 0..value.len()).tagged(SEQUENCE).ok()?;
    let (mut is_authority, mut below) = (false, None);
    for part in Elements::new(value, list.content) {
        let content = &value[part.content];
        match part.tag {
            1 => is_authority = content.iter().any(|&byte| byte != 0),
            2 => {
                below = Some(
                    content.iter().fold(0usize, |sum, &byte| sum.saturating_mul(256) + usize::from(byte)),
                )
            }
            _ => return None,
        }
    }
    Some((is_authority, below))
}

/// Returns the first byte of a key's usage, if it is restricted.
pub fn key_usage(certificate: &Encoded) -> Option<u8> {
    certificate.extension(KEY_USAGE).map(|value| value.get(3).copied().unwrap_or(0))
}

/// Judges all but the first certificate as authorities, from the root down.
fn judge_authorities(links: &mut [Link]) {
    /// `CERT_KEY_CERT_SIGN_KEY_USAGE`.
    const SIGNS_CERTIFICATES: u8 = 4;
    let mut left: Option<usize> = None;
    for at in (1..links.len()).rev() {
        let certificate = Arc::clone(&links[at].certificate);
        let mut bad = false;
        match left {
            Some(0) => bad = true,
            Some(count) if !is_self_issued(&certificate) => left = Some(count - 1),
            _ => {}
        }
        let is_old_root = certificate.parts.version < 2 && is_self_issued(&certificate);
        match certificate.extension(BASIC_CONSTRAINTS).map(basic_constraints) {
            Some(Some((true, below))) => {
                bad |= below.is_some_and(|below| below < at - 1);
                left = match (left, below) {
                    (Some(left), Some(below)) => Some(left.min(below)),
                    (left, below) => left.or(below),
                };
            }
            None if is_old_root => {}
            _ => bad = true,
        }
        if bad {
            links[at].errors |= error::INVALID_BASIC_CONSTRAINTS;
        }
        if key_usage(&certificate).is_some_and(|usage| usage & SIGNS_CERTIFICATES == 0) {
            links[at].errors |= error::NOT_VALID_FOR_USAGE;
        }
    }
}

/// Holds the names of each certificate against the constraints of those above it.
fn judge_names(links: &mut [Link]) {
    for at in 1..links.len() {
        for below in 0..at {
            let (certificate, issuer) = (&links[below].certificate, &links[at].certificate);
            if below > 0 && is_self_issued(certificate) {
                continue;
            }
            match check_names(certificate, issuer) {
                Names::Free => {}
                Names::Permitted => links[at].info |= info::VALID_NAME_CONSTRAINTS,
                Names::NotPermitted => links[at].errors |= error::NOT_PERMITTED_NAME,
                Names::Excluded => links[at].errors |= error::EXCLUDED_NAME,
                Names::Unknown => links[at].errors |= error::INVALID_NAME_CONSTRAINTS,
            }
        }
        let names = error::NOT_PERMITTED_NAME | error::EXCLUDED_NAME | error::INVALID_NAME_CONSTRAINTS;
        if links[at].errors & names != 0 {
            links[at].info &= !info::VALID_NAME_CONSTRAINTS;
        }
    }
}
