//! bcrypt.h: encryption and decryption.

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use super::algorithm::Mode;
use super::key::{KeyState, Material, key};
use super::pair;
use crate::NtStatus;
use crate::crypto_objects::lock;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::crypto::aead::{Gcm, ccm_decrypt, ccm_encrypt, tags_are_equal};
use crate::logic::crypto::cipher::{BlockKey, Chaining, pad, unpad};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial BCryptEncrypt, "CCM takes a message in one call";
    partial BCryptDecrypt, "CCM takes a message in one call";
};

/// `BCRYPT_BLOCK_PADDING`.
const BLOCK_PADDING: u32 = 1;
/// `BCRYPT_AUTH_MODE_CHAIN_CALLS_FLAG`: more calls of the message follow.
const CHAINED: u32 = 1;
/// `BCRYPT_AUTH_MODE_IN_PROGRESS_FLAG`: the message has begun.
const IN_PROGRESS: u32 = 2;

/// `BCRYPT_AUTHENTICATED_CIPHER_MODE_INFO`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/ns-bcrypt-bcrypt_authenticated_cipher_mode_info>
#[derive(GuestStruct, Clone, Debug, Default)]
struct AuthenticatedInfo {
    size: u32,
    version: u32,
    nonce: GuestWord,
    nonce_bytes: u32,
    aad: GuestWord,
    aad_bytes: u32,
    tag: GuestWord,
    tag_bytes: u32,
    mac_context: GuestWord,
    mac_context_bytes: u32,
    aad_done: u32,
    data_done: u64,
    flags: u32,
}

/// The arguments that both directions have.
struct Request {
    encrypts: bool,
    input: Vec<u8>,
    info: GuestWord,
    iv: GuestWord,
    iv_bytes: u32,
    output: GuestWord,
    capacity: u32,
    result: GuestWord,
    flags: u32,
}

impl Request {
    /// Writes the size of the output; says whether there is a place for the output.
    fn announce(&self, guest: &Guest, size: usize) -> Result<bool, NtStatus> {
        guest.write_bytes(self.result.get(), &(size as u32).to_le_bytes())?;
        match self.output.is_null() {
            true => Ok(false),
            false if (self.capacity as usize) < size => Err(NtStatus::BUFFER_TOO_SMALL),
            false => Ok(true),
        }
    }

    fn give(&self, guest: &Guest, data: &[u8]) -> Result<(), NtStatus> {
        guest.write_bytes(self.result.get(), &(data.len() as u32).to_le_bytes())?;
        // Without its padding, data may need less than was announced.
        if data.len() > self.capacity as usize {
            return Err(NtStatus::BUFFER_TOO_SMALL);
        }
        Ok(guest.write_bytes(self.output.get(), data)?)
    }

    /// Encrypts or decrypts with a chaining mode.
    fn chain(
        mut self,
        guest: &Guest,
        state: &mut KeyState,
        key: &BlockKey,
        chaining: Chaining,
    ) -> Result<(), NtStatus> {
        let (block, is_padded) = (key.block_bytes(), self.flags & BLOCK_PADDING != 0);
        if self.flags & !BLOCK_PADDING != 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let unit = if is_padded { block } else { chaining.unit(block) };
        let adds_padding = is_padded && self.encrypts;
        if !adds_padding && !self.input.len().is_multiple_of(unit) {
            self.announce(guest, self.input.len())?;
            return Err(NtStatus::INVALID_BUFFER_SIZE);
        }
        if adds_padding {
            pad(&mut self.input, block);
        }
        if !self.announce(guest, self.input.len())? {
            return Ok(());
        }
        let has_iv = !self.iv.is_null();
        if has_iv && (chaining == Chaining::Ecb || self.iv_bytes as usize != block) {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let mut iv = match has_iv {
            true => guest.read_vec(self.iv.get(), block as u64)?,
            false => state.iv.clone(),
        };
        match self.encrypts {
            true => chaining.encrypt(key, &mut iv, &mut self.input)?,
            false => chaining.decrypt(key, &mut iv, &mut self.input)?,
        }
        if is_padded && !self.encrypts {
            unpad(&mut self.input, block)?;
        }
        self.give(guest, &self.input)?;
        match has_iv {
            true => guest.write_bytes(self.iv.get(), &iv)?,
            // A padded message is whole: the next one begins as it did.
            false if is_padded => {}
            false => state.iv = iv,
        }
        Ok(())
    }

    /// Encrypts or decrypts with a mode that authenticates.
    fn authenticate(mut self, guest: &Guest, key: &BlockKey, mode: Mode) -> Result<(), NtStatus> {
        if self.info.is_null() || self.flags != 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let info: AuthenticatedInfo = guest.read(self.info.get())?;
        let is_known = u64::from(info.size) == AuthenticatedInfo::size(guest.machine()) && info.version == 1;
        if !is_known || info.nonce.is_null() && info.flags & IN_PROGRESS == 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        // A message of no bytes has no output, and a tag all the same.
        let is_query = !self.input.is_empty() || info.tag.is_null();
        if !self.announce(guest, self.input.len())? && is_query {
            return Ok(());
        }
        match mode {
            Mode::Gcm => self.gcm(guest, key, info),
            _ if info.flags != 0 => Err(NtStatus::NOT_SUPPORTED),
            _ => {
                let nonce = guest.read_vec(info.nonce.get(), u64::from(info.nonce_bytes))?;
                let aad = guest.read_vec(info.aad.get(), u64::from(info.aad_bytes))?;
                let size = info.tag_bytes as usize;
                if self.encrypts {
                    let tag = ccm_encrypt(key, &nonce, &aad, &mut self.input, size)?;
                    guest.write_bytes(info.tag.get(), &tag)?;
                } else {
                    let tag = guest.read_vec(info.tag.get(), size.min(17) as u64)?;
                    ccm_decrypt(key, &nonce, &aad, &mut self.input, &tag)?;
                }
                self.give(guest, &self.input)
            }
        }
    }

    /// One call of a message in GCM. Between calls the state is in the caller's hands: the hash in `pbMacContext`, the
    /// counter in `pbIV`, the sizes in the structure.
    fn gcm(mut self, guest: &Guest, key: &BlockKey, mut info: AuthenticatedInfo) -> Result<(), NtStatus> {
        let (is_last, has_begun) = (info.flags & CHAINED == 0, info.flags & IN_PROGRESS != 0);
        let is_in_pieces = !is_last || has_begun;
        let lacks_place = info.mac_context_bytes < 16 || self.iv_bytes < 16 || self.iv.is_null();
        let has_tag = (12..=16).contains(&info.tag_bytes) && !info.tag.is_null();
        if is_in_pieces && lacks_place
            || is_last && !has_tag
            || !is_last && !self.input.len().is_multiple_of(16)
        {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let nonce = guest.read_vec(info.nonce.get(), u64::from(info.nonce_bytes))?;
        let mut state = Gcm::new(key, &nonce)?;
        if has_begun {
            guest.read_bytes(info.mac_context.get(), &mut state.hash)?;
            guest.read_bytes(self.iv.get(), &mut state.counter)?;
            (state.authenticated_bytes, state.data_bytes) = (u64::from(info.aad_done), info.data_done);
        }
        state.authenticate(key, &guest.read_vec(info.aad.get(), u64::from(info.aad_bytes))?);
        match self.encrypts {
            true => state.encrypt(key, &mut self.input),
            false => state.decrypt(key, &mut self.input),
        }
        if is_last {
            let tag = &state.tag(key, &nonce)?[..info.tag_bytes as usize];
            if self.encrypts {
                guest.write_bytes(info.tag.get(), tag)?;
            } else if !tags_are_equal(tag, &guest.read_vec(info.tag.get(), tag.len() as u64)?) {
                return Err(crate::logic::crypto::CryptoError::Tag.into());
            }
        } else {
            guest.write_bytes(info.mac_context.get(), &state.hash)?;
            guest.write_bytes(self.iv.get(), &state.counter)?;
            info.flags |= IN_PROGRESS;
        }
        if is_in_pieces {
            (info.aad_done, info.data_done) = (state.authenticated_bytes as u32, state.data_bytes);
            guest.write(self.info.get(), &info)?;
        }
        match self.input.is_empty() {
            true => Ok(()),
            false => self.give(guest, &self.input),
        }
    }

    fn carry_out(mut self, guest: &Guest, handle: GuestWord) -> Result<(), NtStatus> {
        let key = key(guest, handle)?;
        if self.result.is_null() {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let mut state = lock(&key.state);
        match state.material.clone() {
            Material::Block { key, .. } => match state.settings.mode {
                Mode::Chain(chaining) => self.chain(guest, &mut state, &key, chaining),
                mode => self.authenticate(guest, &key, mode),
            },
            Material::Stream { .. } => {
                if !self.announce(guest, self.input.len())? {
                    return Ok(());
                }
                if let Some(stream) = state.stream.as_mut() {
                    stream.apply(&mut self.input);
                }
                self.give(guest, &self.input)
            }
            Material::Rsa(rsa) => {
                drop(state);
                // What is decrypted is at most as long as the key; programs are told that first.
                if !self.announce(guest, rsa.bytes())? {
                    return Ok(());
                }
                let padding = pair::encryption_padding(guest, self.info, self.flags)?;
                let data = pair::crypt(&rsa, &padding, &self.input, self.encrypts)?;
                self.give(guest, &data)
            }
            _ => Err(NtStatus::NOT_SUPPORTED),
        }
    }
}

/// Defines one direction.
macro_rules! direction {
    ($(#[doc = $what:literal])+ $name:ident, $encrypts:literal) => {
        $(#[doc = $what])+
        #[winapi]
        pub fn $name(
            guest: &mut Guest,
            hKey: GuestWord,
            pbInput: GuestWord,
            cbInput: u32,
            pPaddingInfo: GuestWord,
            pbIV: GuestWord,
            cbIV: u32,
            pbOutput: GuestWord,
            cbOutput: u32,
            pcbResult: GuestWord,
            dwFlags: u32,
        ) -> Result<(), NtStatus> {
            let request = Request {
                encrypts: $encrypts,
                input: guest.read_vec(pbInput.get(), u64::from(cbInput))?,
                info: pPaddingInfo,
                iv: pbIV,
                iv_bytes: cbIV,
                output: pbOutput,
                capacity: cbOutput,
                result: pcbResult,
                flags: dwFlags,
            };
            request.carry_out(guest, hKey)
        }
    };
}
direction! {
    /// Encrypts data.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptencrypt>
    BCryptEncrypt, true
}
direction! {
    /// Decrypts data.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptdecrypt>
    BCryptDecrypt, false
}

#[cfg(test)]
mod tests {
    use plat_abi::Machine;

    use super::*;

    #[test]
    fn the_structure_has_the_size_that_programs_state() {
        assert_eq!(AuthenticatedInfo::size(Machine::Amd64), 88);
        assert_eq!(AuthenticatedInfo::size(Machine::I386), 64);
    }
}
