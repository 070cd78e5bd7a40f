//! Guest memory as everyone above the host sees it: fallible reads and writes, never a Rust reference.
//!
//! Key types: [`Memory`], [`Fault`], [`Machine`].

use std::fmt;

use plat_regions::Address;

use crate::GuestStruct;

/// The instruction set and the calling conventions of a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Machine {
    /// 32-bit x86: pointers of four bytes, arguments on the stack.
    I386,
    /// 64-bit x86: pointers of eight bytes, four arguments in registers.
    Amd64,
}

impl Machine {
    /// Returns the size of a pointer in bytes.
    #[inline]
    pub const fn pointer_size(self) -> u64 {
        match self {
            Self::I386 => 4,
            Self::Amd64 => 8,
        }
    }

    /// Says whether pointers have eight bytes.
    #[inline]
    pub const fn is_64(self) -> bool {
        matches!(self, Self::Amd64)
    }
}

/// What the guest's pointer was used for when it turned out to be bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// A load.
    Read,
    /// A store.
    Write,
    /// An instruction fetch.
    Execute,
}

/// An access to guest memory that the processor refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fault {
    /// The first byte that could not be accessed.
    pub address: Address,
    /// What was tried.
    pub kind: FaultKind,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.kind {
            FaultKind::Read => "read",
            FaultKind::Write => "write",
            FaultKind::Execute => "execute",
        };
        write!(f, "cannot {verb} at {}", self.address)
    }
}

impl std::error::Error for Fault {}

/// The memory of a guest. Writes take `&self`: other guest threads write at any time, and nobody holds references.
pub trait Memory {
    /// Returns the guest's machine, which decides the width of a pointer.
    fn machine(&self) -> Machine;

    /// Fills `into` from guest memory at `address`.
    ///
    /// # Errors
    /// [`Fault`] at the first byte that cannot be read; `into` may be partly filled.
    fn read_bytes(&self, address: u64, into: &mut [u8]) -> Result<(), Fault>;

    /// Copies `from` to guest memory at `address`.
    ///
    /// # Errors
    /// [`Fault`] at the first byte that cannot be written; a part may be written.
    fn write_bytes(&self, address: u64, from: &[u8]) -> Result<(), Fault>;

    /// Reads four bytes, little-endian.
    ///
    /// # Errors
    /// [`Fault`] when they cannot be read.
    #[inline]
    fn read_u32(&self, address: u64) -> Result<u32, Fault> {
        let mut bytes = [0; 4];
        self.read_bytes(address, &mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    /// Reads eight bytes, little-endian.
    ///
    /// # Errors
    /// [`Fault`] when they cannot be read.
    #[inline]
    fn read_u64(&self, address: u64) -> Result<u64, Fault> {
        let mut bytes = [0; 8];
        self.read_bytes(address, &mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// Reads a pointer or `SIZE_T` of the guest's width.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be read.
    #[inline]
    fn read_word(&self, address: u64) -> Result<u64, Fault> {
        match self.machine() {
            Machine::I386 => self.read_u32(address).map(u64::from),
            Machine::Amd64 => self.read_u64(address),
        }
    }

    /// Writes a pointer or `SIZE_T` of the guest's width; the upper half is dropped for a 32-bit guest.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be written.
    fn write_word(&self, address: u64, value: u64) -> Result<(), Fault> {
        let size = self.machine().pointer_size() as usize;
        self.write_bytes(address, &value.to_le_bytes()[..size])
    }

    /// Reads a value laid out as the guest's machine has it.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be read.
    fn read<T: GuestStruct>(&self, address: u64) -> Result<T, Fault>
    where
        Self: Sized,
    {
        T::load(self, address)
    }

    /// Writes a value laid out as the guest's machine has it.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be written.
    fn write<T: GuestStruct>(&self, address: u64, value: &T) -> Result<(), Fault>
    where
        Self: Sized,
    {
        value.store(self, address)
    }

    /// Reads `length` bytes into a new vector, in pieces, so that a wild length faults before it allocates.
    ///
    /// # Errors
    /// [`Fault`] at the first byte that cannot be read.
    fn read_vec(&self, address: u64, length: u64) -> Result<Vec<u8>, Fault> {
        const PIECE: u64 = 1 << 20;
        let mut bytes = Vec::new();
        let mut done = 0;
        while done < length {
            let piece = PIECE.min(length - done);
            let start = bytes.len();
            bytes.resize(start + piece as usize, 0);
            self.read_bytes(address.wrapping_add(done), &mut bytes[start..])?;
            done += piece;
        }
        Ok(bytes)
    }

    /// Reads bytes up to a zero byte, which is left out.
    ///
    /// # Errors
    /// [`Fault`] when memory ends before the string does.
    fn read_c_string(&self, address: u64) -> Result<Vec<u8>, Fault> {
        read_until_zero(self, address, 1)
    }

    /// Reads UTF-16 code units up to a zero unit, which is left out.
    ///
    /// # Errors
    /// [`Fault`] when memory ends before the string does.
    fn read_wide_string(&self, address: u64) -> Result<Vec<u16>, Fault> {
        let bytes = read_until_zero(self, address, 2)?;
        Ok(bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect())
    }

    /// Reads `count` UTF-16 code units.
    ///
    /// # Errors
    /// [`Fault`] at the first byte that cannot be read.
    fn read_wide(&self, address: u64, count: u64) -> Result<Vec<u16>, Fault> {
        let bytes = self.read_vec(address, count.saturating_mul(2))?;
        Ok(bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect())
    }

    /// Writes UTF-16 code units; adds no zero.
    ///
    /// # Errors
    /// [`Fault`] at the first byte that cannot be written.
    fn write_wide(&self, address: u64, units: &[u16]) -> Result<(), Fault> {
        let bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        self.write_bytes(address, &bytes)
    }
}

/// Reads units of `width` bytes (1 or 2) until one is zero, never past the page on which the zero lies.
fn read_until_zero<M: Memory + ?Sized>(memory: &M, address: u64, width: usize) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let mut at = address;
    loop {
        // Short strings first: most are; never across a page boundary, beyond which nothing need be mapped.
        let to_boundary = 256 - (at % 256) as usize;
        let mut piece = [0; 256];
        let piece =
            if to_boundary.is_multiple_of(width) { &mut piece[..to_boundary] } else { &mut piece[..width] };
        memory.read_bytes(at, piece)?;
        if let Some(end) = piece.chunks_exact(width).position(|unit| unit.iter().all(|&byte| byte == 0)) {
            bytes.extend_from_slice(&piece[..end * width]);
            return Ok(bytes);
        }
        bytes.extend_from_slice(piece);
        at = at.wrapping_add(piece.len() as u64);
    }
}
