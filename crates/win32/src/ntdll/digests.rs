//! Hashes whose state lies in the caller's memory: MD4, MD5 and SHA-1 of ntdll, which advapi32 has too.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::crypto::blocks::{BLOCK, Digest, START};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full MD4Init;
    full MD4Update;
    full MD4Final;
    full MD5Init;
    full MD5Update;
    full MD5Final;
    full A_SHAInit;
    full A_SHAUpdate;
    full A_SHAFinal;
};

/// Where a state has its parts.
///
/// Source: <https://learn.microsoft.com/windows/win32/devnotes/md5init>
struct Layout {
    digest: Digest,
    /// Bits so far, in two words; their order is [`Self::low_first`].
    count: u64,
    low_first: bool,
    words: u64,
    block: u64,
}

/// `MD4_CTX` and `MD5_CTX`: the words differ in their place.
const MD4: Layout = Layout { digest: Digest::Md4, count: 16, low_first: true, words: 0, block: 24 };
const MD5: Layout = Layout { digest: Digest::Md5, count: 0, low_first: true, words: 8, block: 24 };
/// `SHA_CTX`.
const SHA: Layout = Layout { digest: Digest::Sha1, count: 44, low_first: false, words: 24, block: 52 };
/// Where `MD4_CTX` and `MD5_CTX` have the digest at the end.
const MD_DIGEST: u64 = 88;

impl Layout {
    fn bits(&self, guest: &Guest, at: u64) -> Result<u64, Fault> {
        let [first, second] =
            [guest.read_u32(at + self.count)?, guest.read_u32(at + self.count + 4)?].map(u64::from);
        Ok(if self.low_first { second << 32 | first } else { first << 32 | second })
    }

    fn set_bits(&self, guest: &Guest, at: u64, bits: u64) -> Result<(), Fault> {
        let stored = if self.low_first { bits } else { bits.rotate_left(32) };
        guest.write_bytes(at + self.count, &stored.to_le_bytes())
    }

    fn state(&self, guest: &Guest, at: u64) -> Result<[u32; 5], Fault> {
        let mut state = [0; 5];
        for (place, word) in (at + self.words..).step_by(4).zip(&mut state[..self.digest.words()]) {
            *word = guest.read_u32(place)?;
        }
        Ok(state)
    }

    fn set_state(&self, guest: &Guest, at: u64, state: [u32; 5]) -> Result<(), Fault> {
        let bytes: Vec<u8> =
            state[..self.digest.words()].iter().flat_map(|word| word.to_le_bytes()).collect();
        guest.write_bytes(at + self.words, &bytes)
    }

    fn begin(&self, guest: &Guest, at: u64) -> Result<(), Fault> {
        self.set_bits(guest, at, 0)?;
        self.set_state(guest, at, START)
    }

    fn update(&self, guest: &Guest, at: u64, bytes: &[u8]) -> Result<(), Fault> {
        let bits = self.bits(guest, at)?;
        let held = (bits / 8) as usize % BLOCK;
        let mut state = self.state(guest, at)?;
        let data = [guest.read_vec(at + self.block, held as u64)?, bytes.to_vec()].concat();
        let whole = data.len() / BLOCK * BLOCK;
        data[..whole].chunks(BLOCK).for_each(|block| self.digest.compress(&mut state, block));
        guest.write_bytes(at + self.block, &data[whole..])?;
        self.set_state(guest, at, state)?;
        self.set_bits(guest, at, bits.wrapping_add(bytes.len() as u64 * 8))
    }

    fn finish(&self, guest: &Guest, at: u64) -> Result<Vec<u8>, Fault> {
        let bits = self.bits(guest, at)?;
        let padding = self.digest.padding((bits / 8) as usize % BLOCK, bits);
        self.update(guest, at, &padding)?;
        Ok(self.digest.digest(&self.state(guest, at)?))
    }
}

fn update(
    guest: &Guest,
    layout: &Layout,
    context: GuestWord,
    input: GuestWord,
    size: u32,
) -> Result<(), Fault> {
    let bytes = guest.read_vec(input.get(), u64::from(size))?;
    layout.update(guest, context.get(), &bytes)
}

alike! {
    fn(guest, layout; context: GuestWord) -> Result<(), Fault> {
        layout.begin(guest, context.get())
    }

    /// Begins a digest of MD4.
    devnotes "md4init" MD4Init = MD4;

    /// Begins a digest of MD5.
    devnotes "md5init" MD5Init = MD5;
}

alike! {
    fn(guest, layout; context: GuestWord, input: GuestWord, size: u32) -> Result<(), Fault> {
        update(guest, &layout, context, input, size)
    }

    /// Adds bytes to a digest of MD4.
    devnotes "md4update" MD4Update = MD4;

    /// Adds bytes to a digest of MD5.
    devnotes "md5update" MD5Update = MD5;
}

alike! {
    fn(guest, layout; context: GuestWord) -> Result<(), Fault> {
        let digest = layout.finish(guest, context.get())?;
        guest.write_bytes(context.get() + MD_DIGEST, &digest)
    }

    /// Ends a digest of MD4, which is at the end of the state then.
    devnotes "md4final" MD4Final = MD4;

    /// Ends a digest of MD5, which is at the end of the state then.
    devnotes "md5final" MD5Final = MD5;
}

/// Begins a digest of SHA-1.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc3174>
#[winapi]
pub fn A_SHAInit(guest: &mut Guest, context: GuestWord) -> Result<(), Fault> {
    SHA.begin(guest, context.get())
}

/// Adds bytes to a digest of SHA-1.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc3174>
#[winapi]
pub fn A_SHAUpdate(guest: &mut Guest, context: GuestWord, input: GuestWord, size: u32) -> Result<(), Fault> {
    update(guest, &SHA, context, input, size)
}

/// Ends a digest of SHA-1 and stores it; the state begins anew.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc3174>
#[winapi]
pub fn A_SHAFinal(guest: &mut Guest, context: GuestWord, result: GuestWord) -> Result<(), Fault> {
    let digest = SHA.finish(guest, context.get())?;
    guest.write_bytes(result.get(), &digest)?;
    SHA.begin(guest, context.get())
}
