//! wincrypt.h: chains of certificates. The rules are [`crate::logic::crypto::chain`].

use std::sync::{Arc, Mutex};

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use super::certificate::{CertDuplicateCertificateContext, context, give_context, release};
use super::store::{store, trusted};
use crate::Win32Error;
use crate::crypto_objects::lock;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::crypto::certificate::Encoded;
use crate::logic::crypto::chain::{Builder, Chain, Link, Revocation, info};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial CertGetCertificateChain, "issuers are not fetched from the network; whether a certificate was revoked is unknown";
    full CertFreeCertificateChain;
    full CertDuplicateCertificateChain;
    partial CertCreateCertificateChainEngine, "restricted and exclusive roots, further stores";
    full CertFreeCertificateChainEngine;
};

/// Where an engine looks for certificates.
#[derive(Debug, Default)]
struct Engine {
    /// The roots that it trusts, where they are not the system's.
    exclusive: Option<Vec<Arc<Encoded>>>,
    /// Of the system's roots only these are trusted.
    restricted: Option<Vec<Arc<Encoded>>>,
    others: Vec<Arc<Encoded>>,
}

impl Engine {
    fn roots(&self, guest: &Guest) -> Vec<Arc<Encoded>> {
        if let Some(roots) = &self.exclusive {
            return roots.clone();
        }
        let mut roots = trusted(guest);
        if let Some(restricted) = &self.restricted {
            roots.retain(|root| restricted.iter().any(|other| other.bytes == root.bytes));
        }
        roots
    }
}

/// A chain that a program holds.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) chain: Chain,
    contexts: Vec<GuestWord>,
    references: Mutex<u32>,
}

/// `CERT_CHAIN_ENGINE_CONFIG`.
#[derive(GuestStruct, Default)]
struct EngineConfig {
    size: u32,
    restricted_root: GuestWord,
    restricted_trust: GuestWord,
    restricted_other: GuestWord,
    additional_count: u32,
    additional: GuestWord,
    flags: u32,
    timeout: u32,
    cache_maximum: u32,
    cycle_modulus: u32,
}

/// `CERT_ENHKEY_USAGE`.
#[derive(GuestStruct, Default)]
struct Uses {
    count: u32,
    identifiers: GuestWord,
}

/// `CERT_USAGE_MATCH`.
#[derive(GuestStruct, Default)]
struct UsageMatch {
    kind: u32,
    uses: Uses,
}

/// The start of `CERT_CHAIN_PARA`.
#[derive(GuestStruct, Default)]
struct ChainPara {
    size: u32,
    requested: UsageMatch,
}

/// `CERT_TRUST_STATUS`: errors and information.
type TrustStatus = [u32; 2];

/// `CERT_CHAIN_ELEMENT`.
#[derive(GuestStruct, Default)]
struct ChainElement {
    size: u32,
    context: GuestWord,
    status: TrustStatus,
    revocation: GuestWord,
    issuance_uses: GuestWord,
    application_uses: GuestWord,
    extended_error: GuestWord,
}

/// `CERT_SIMPLE_CHAIN`.
#[derive(GuestStruct, Default)]
struct SimpleChain {
    size: u32,
    status: TrustStatus,
    count: u32,
    elements: GuestWord,
    trust_list: GuestWord,
    has_freshness: u32,
    freshness: u32,
}

/// `CERT_CHAIN_CONTEXT`.
#[derive(GuestStruct, Default)]
struct ChainContext {
    size: u32,
    status: TrustStatus,
    count: u32,
    chains: GuestWord,
    lower_count: u32,
    lower: GuestWord,
    has_freshness: u32,
    freshness: u32,
    flags: u32,
    identifier: [u32; 4],
}

/// Makes an engine.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certcreatecertificatechainengine>
#[winapi]
pub fn CertCreateCertificateChainEngine(
    guest: &mut Guest,
    pConfig: GuestWord,
    phChainEngine: GuestWord,
) -> Result<Bool, Win32Error> {
    if pConfig.is_null() || phChainEngine.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let machine = guest.machine();
    let config: EngineConfig = guest.read(pConfig.get())?;
    let (size, pointer) = (EngineConfig::size(machine), machine.pointer_size());
    let has_exclusive = match u64::from(config.size) {
        given if given == size => false,
        // With two stores, and since Windows 8 with flags.
        given if given == size + 2 * pointer || given == size + 3 * pointer => true,
        _ => return Err(Win32Error::INVALID_PARAMETER),
    };
    let all = |handle: GuestWord| -> Result<Option<Vec<Arc<Encoded>>>, Win32Error> {
        if handle.is_null() { Ok(None) } else { Ok(Some(store(guest, handle)?.all())) }
    };
    let mut engine = Engine { restricted: all(config.restricted_root)?, ..Engine::default() };
    if has_exclusive {
        engine.exclusive = all(GuestWord(guest.read_word(pConfig.get() + size)?))?;
    }
    engine.others.extend(all(config.restricted_other)?.unwrap_or_default());
    for number in 0..u64::from(config.additional_count) {
        let handle = guest.read_word(config.additional.get() + number * pointer)?;
        engine.others.extend(all(GuestWord(handle))?.unwrap_or_default());
    }
    let handle = guest.process().cryptography.add(engine);
    guest.write_word(phChainEngine.get(), handle)?;
    Ok(TRUE)
}

/// Gives an engine up; those of the system stay.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certfreecertificatechainengine>
#[winapi]
pub fn CertFreeCertificateChainEngine(guest: &mut Guest, hChainEngine: GuestWord) {
    guest.process().cryptography.remove::<Engine>(hChainEngine.get());
}

/// Reads which uses are wanted of the first certificate, and whether one of them is enough.
fn wanted_uses(guest: &Guest, para: GuestWord) -> Result<(Vec<String>, bool), Win32Error> {
    const MATCH_ANY: u32 = 1;
    let para: ChainPara = guest.read(para.get())?;
    let uses = &para.requested.uses;
    let mut list = Vec::new();
    for number in 0..u64::from(uses.count) {
        let text = guest.read_word(uses.identifiers.get() + number * guest.machine().pointer_size())?;
        list.push(String::from_utf8_lossy(&guest.read_c_string(text)?).into_owned());
    }
    Ok((list, para.requested.kind == MATCH_ANY))
}

/// Writes structures into one block, one behind the other.
struct Writer<'a> {
    guest: &'a Guest,
    next: u64,
}

impl Writer<'_> {
    fn place(&mut self, bytes: u64) -> u64 {
        let at = self.next;
        self.next = (at + bytes).next_multiple_of(8);
        at
    }

    fn text(&mut self, text: &str) -> Result<u64, Win32Error> {
        let at = self.place(text.len() as u64 + 1);
        self.guest.write_bytes(at, &[text.as_bytes(), &[0]].concat())?;
        Ok(at)
    }

    fn uses(&mut self, uses: &[String]) -> Result<GuestWord, Win32Error> {
        let machine = self.guest.machine();
        let at = self.place(Uses::size(machine));
        let list = self.place(uses.len() as u64 * machine.pointer_size());
        for (place, text) in (list..).step_by(machine.pointer_size() as usize).zip(uses) {
            let text = self.text(text)?;
            self.guest.write_word(place, text)?;
        }
        self.guest.write(at, &Uses { count: uses.len() as u32, identifiers: GuestWord(list) })?;
        Ok(GuestWord(at))
    }

    fn element(&mut self, link: &Link, context: GuestWord) -> Result<u64, Win32Error> {
        let size = ChainElement::size(self.guest.machine());
        let at = self.place(size);
        let application_uses = match &link.uses {
            Some(uses) => self.uses(uses)?,
            None => GuestWord::NULL,
        };
        let element = ChainElement {
            size: size as u32,
            context,
            status: [link.errors, link.info],
            application_uses,
            ..ChainElement::default()
        };
        self.guest.write(at, &element)?;
        Ok(at)
    }
}

/// Returns how large a block a chain takes, with room to spare.
fn block_size(chain: &Chain) -> u64 {
    let uses = |link: &Link| link.uses.iter().flatten().map(|text| text.len() as u64 + 24).sum::<u64>();
    512 + chain.links.iter().map(|link| 192 + uses(link)).sum::<u64>()
}

/// Gives a chain to a program: one block, of which it holds one reference.
fn give_chain(guest: &Guest, chain: Chain, contexts: Vec<GuestWord>) -> Result<GuestWord, Win32Error> {
    let machine = guest.machine();
    let size = block_size(&chain);
    let base = guest.process().heaps.allocate(0, size, true).ok_or(Win32Error::NOT_ENOUGH_MEMORY)?;
    let mut writer = Writer { guest, next: base };
    let (context_at, simple_at) =
        (writer.place(ChainContext::size(machine)), writer.place(SimpleChain::size(machine)));
    let (chains, elements) = (
        writer.place(machine.pointer_size()),
        writer.place(chain.links.len() as u64 * machine.pointer_size()),
    );
    guest.write_word(chains, simple_at)?;
    for ((number, link), context) in (0..).zip(&chain.links).zip(&contexts) {
        let element = writer.element(link, *context)?;
        guest.write_word(elements + number * machine.pointer_size(), element)?;
    }
    let status = [chain.errors, info::PREFERRED];
    let simple = SimpleChain {
        size: SimpleChain::size(machine) as u32,
        status,
        count: chain.links.len() as u32,
        elements: GuestWord(elements),
        ..SimpleChain::default()
    };
    guest.write(simple_at, &simple)?;
    let whole = ChainContext {
        size: ChainContext::size(machine) as u32,
        status,
        count: 1,
        chains: GuestWord(chains),
        ..ChainContext::default()
    };
    guest.write(context_at, &whole)?;
    guest.process().cryptography.add_at(base, Held { chain, contexts, references: Mutex::new(1) });
    Ok(GuestWord(base))
}

/// Builds the chain from a certificate to a root and says what is wrong with it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certgetcertificatechain>
#[winapi]
pub fn CertGetCertificateChain(
    guest: &mut Guest,
    hChainEngine: GuestWord,
    pCertContext: GuestWord,
    pTime: GuestWord,
    hAdditionalStore: GuestWord,
    pChainPara: GuestWord,
    dwFlags: u32,
    pvReserved: GuestWord,
    ppChainContext: GuestWord,
) -> Result<Bool, Win32Error> {
    /// `HCCE_SERIAL_LOCAL_MACHINE`, the last of the engines that need no making.
    const LAST_OWN: u64 = 2;
    /// `CERT_CHAIN_REVOCATION_CHECK_END_CERT` and the two that ask for the others.
    const CHECK_END: u32 = 0x1000_0000;
    const CHECK_CHAIN: u32 = 0x6000_0000;
    let _ = pvReserved;
    if pCertContext.is_null() || pChainPara.is_null() || ppChainContext.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    guest.write_word(ppChainContext.get(), 0)?;
    let engine = match hChainEngine.get() {
        0..=LAST_OWN => Arc::default(),
        handle => guest.process().cryptography.get(handle).ok_or(Win32Error::INVALID_PARAMETER)?,
    };
    let first = context(guest, pCertContext)?;
    let (uses, any_use) = wanted_uses(guest, pChainPara)?;
    let mut builder = Builder {
        roots: Engine::roots(&engine, guest),
        others: engine.others.clone(),
        time: match pTime.is_null() {
            true => u64::try_from(crate::nt::time::now()).unwrap_or(0),
            false => guest.read_u64(pTime.get())?,
        },
        uses,
        any_use,
        revocation: match dwFlags {
            flags if flags & CHECK_CHAIN != 0 => Revocation::AllButRoot,
            flags if flags & CHECK_END != 0 => Revocation::End,
            _ => Revocation::Ignored,
        },
    };
    if !hAdditionalStore.is_null() {
        builder.others.extend(store(guest, hAdditionalStore)?.all());
    }
    let chain = builder.build(&first.encoded);
    let mut contexts = vec![CertDuplicateCertificateContext(guest, pCertContext)];
    for link in chain.links.iter().skip(1) {
        contexts.push(give_context(guest, Arc::clone(&link.certificate), GuestWord::NULL, 0)?);
    }
    let given = give_chain(guest, chain, contexts)?;
    guest.write_word(ppChainContext.get(), given.get())?;
    Ok(TRUE)
}

/// Returns the chain of a program's pointer.
pub(super) fn held(guest: &Guest, pointer: GuestWord) -> Result<Arc<Held>, Win32Error> {
    guest.process().cryptography.get(pointer.get()).ok_or(Win32Error::INVALID_PARAMETER)
}

/// Holds a chain once more.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certduplicatecertificatechain>
#[winapi]
pub fn CertDuplicateCertificateChain(guest: &mut Guest, pChainContext: GuestWord) -> GuestWord {
    if let Ok(held) = held(guest, pChainContext) {
        *lock(&held.references) += 1;
    }
    pChainContext
}

/// Gives a chain up, and with the last hold its certificates.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certfreecertificatechain>
#[winapi]
pub fn CertFreeCertificateChain(guest: &mut Guest, pChainContext: GuestWord) {
    let Ok(held) = held(guest, pChainContext) else { return };
    let left = {
        let mut references = lock(&held.references);
        *references = references.saturating_sub(1);
        *references
    };
    if left == 0 && guest.process().cryptography.remove::<Held>(pChainContext.get()).is_some() {
        for &context in &held.contexts {
            release(guest, context);
        }
        guest.process().heaps.free(0, pChainContext.get());
    }
}
