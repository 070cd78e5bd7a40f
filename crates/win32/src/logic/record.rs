//! How values are laid in a row of bytes between two plat processes, and read again without trust in them.
//!
//! Key types: [`Writer`], [`Reader`]. Numbers are little-endian; lists and texts begin with their length.

/// Lays values in a row.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Returns the bytes.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    /// Adds a 32-bit number.
    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes.extend(value.to_le_bytes());
        self
    }

    /// Adds a 64-bit number.
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes.extend(value.to_le_bytes());
        self
    }

    /// Adds bytes.
    pub fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.u32(value.len() as u32);
        self.bytes.extend_from_slice(value);
        self
    }

    /// Adds UTF-16 text.
    pub fn wide(&mut self, value: &[u16]) -> &mut Self {
        self.u32(value.len() as u32);
        self.bytes.extend(value.iter().flat_map(|unit| unit.to_le_bytes()));
        self
    }
}

/// What was read does not have the form expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a record of another process is cut or damaged")]
pub struct Damaged;

/// Reads values from a row of bytes.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Begins at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Damaged> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Damaged)?;
        self.rest = rest;
        Ok(taken)
    }

    /// Reads a 32-bit number.
    ///
    /// # Errors
    /// [`Damaged`] at the end.
    pub fn u32(&mut self) -> Result<u32, Damaged> {
        Ok(u32::from_le_bytes(self.take(4)?.try_into().expect("four bytes were taken")))
    }

    /// Reads a 64-bit number.
    ///
    /// # Errors
    /// [`Damaged`] at the end.
    pub fn u64(&mut self) -> Result<u64, Damaged> {
        Ok(u64::from_le_bytes(self.take(8)?.try_into().expect("eight bytes were taken")))
    }

    /// Reads bytes.
    ///
    /// # Errors
    /// [`Damaged`] when there are fewer than announced.
    pub fn bytes(&mut self) -> Result<Vec<u8>, Damaged> {
        let length = self.u32()? as usize;
        Ok(self.take(length)?.to_vec())
    }

    /// Reads UTF-16 text.
    ///
    /// # Errors
    /// [`Damaged`] when it is shorter than announced.
    pub fn wide(&mut self) -> Result<Vec<u16>, Damaged> {
        let length = (self.u32()? as usize).checked_mul(2).ok_or(Damaged)?;
        let bytes = self.take(length)?;
        Ok(bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect())
    }

    /// Says whether everything was read.
    pub fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_a_cut_is_seen() {
        let mut writer = Writer::default();
        writer.u32(7).wide(&[65, 0xd800]).bytes(b"xyz").u64(u64::MAX);
        let bytes = writer.finish();
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.u32(), Ok(7));
        assert_eq!(reader.wide(), Ok(vec![65, 0xd800]));
        assert_eq!(reader.bytes(), Ok(b"xyz".to_vec()));
        assert_eq!(reader.u64(), Ok(u64::MAX));
        assert!(reader.is_at_end());
        for cut in 0..bytes.len() {
            let mut reader = Reader::new(&bytes[..cut]);
            let whole = reader.u32().and_then(|_| reader.wide()).and_then(|_| reader.bytes());
            assert_eq!(whole.and_then(|_| reader.u64()), Err(Damaged), "{cut}");
        }
    }
}
