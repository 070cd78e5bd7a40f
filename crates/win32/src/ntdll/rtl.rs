//! The runtime library of ntdll: memory, status codes, time, random numbers. Strings are in `rtl_string`.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::NtStatus;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::time::{SECONDS_1601_TO_1970, UNITS_PER_SECOND};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full RtlMoveMemory;
    full "RtlCopyMemory" = RtlMoveMemory;
    full RtlFillMemory;
    full RtlZeroMemory;
    full RtlCompareMemory;
    full RtlNtStatusToDosError;
    full RtlNtStatusToDosErrorNoTeb;
    full RtlTimeToSecondsSince1970;
    full RtlTimeToSecondsSince1980;
    full RtlSecondsSince1970ToTime;
    full RtlUniform;
    partial RtlRandom, "evenly spread, but not Windows' sequence";
    partial RtlRandomEx, "evenly spread, but not Windows' sequence";
};

/// Seconds from 1970-01-01 to 1980-01-01.
const SECONDS_1970_TO_1980: i64 = 315_532_800;

/// Bytes that are moved at a time.
const PIECE: u64 = 1 << 20;

/// Copies guest memory; the ranges may overlap.
fn copy(guest: &Guest, to: u64, from: u64, length: u64) -> Result<(), Fault> {
    let pieces = length.div_ceil(PIECE);
    // Backwards when the target begins inside the source, so that no byte is overwritten before it was read.
    let backwards = to > from && to - from < length;
    for index in 0..pieces {
        let index = if backwards { pieces - 1 - index } else { index };
        let start = index * PIECE;
        let bytes = guest.read_vec(from.wrapping_add(start), PIECE.min(length - start))?;
        guest.write_bytes(to.wrapping_add(start), &bytes)?;
    }
    Ok(())
}

/// Fills guest memory with one byte.
fn fill(guest: &Guest, to: u64, length: u64, byte: u8) -> Result<(), Fault> {
    let piece = vec![byte; PIECE.min(length) as usize];
    for start in (0..length).step_by(PIECE as usize) {
        guest.write_bytes(to.wrapping_add(start), &piece[..PIECE.min(length - start) as usize])?;
    }
    Ok(())
}

/// Copies memory; the ranges may overlap.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-rtlmovememory>
#[winapi]
pub fn RtlMoveMemory(
    guest: &mut Guest,
    Destination: GuestWord,
    Source: GuestWord,
    Length: GuestWord,
) -> Result<(), Fault> {
    copy(guest, Destination.get(), Source.get(), Length.get())
}

/// Fills memory with a byte.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-rtlfillmemory>
#[winapi]
pub fn RtlFillMemory(
    guest: &mut Guest,
    Destination: GuestWord,
    Length: GuestWord,
    Fill: u8,
) -> Result<(), Fault> {
    fill(guest, Destination.get(), Length.get(), Fill)
}

/// Fills memory with zeros.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-rtlzeromemory>
#[winapi]
pub fn RtlZeroMemory(guest: &mut Guest, Destination: GuestWord, Length: GuestWord) -> Result<(), Fault> {
    fill(guest, Destination.get(), Length.get(), 0)
}

/// Returns how many bytes are equal from the start.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-rtlcomparememory>
#[winapi]
pub fn RtlCompareMemory(
    guest: &mut Guest,
    Source1: GuestWord,
    Source2: GuestWord,
    Length: GuestWord,
) -> Result<GuestWord, Fault> {
    let mut done = 0;
    while done < Length.get() {
        let piece = PIECE.min(Length.get() - done);
        let left = guest.read_vec(Source1.get().wrapping_add(done), piece)?;
        let right = guest.read_vec(Source2.get().wrapping_add(done), piece)?;
        let equal = left.iter().zip(&right).take_while(|(left, right)| left == right).count() as u64;
        done += equal;
        if equal < piece {
            break;
        }
    }
    Ok(GuestWord(done))
}

/// Returns the Win32 error for a status.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-rtlntstatustodoserror>
#[winapi]
pub fn RtlNtStatusToDosError(guest: &mut Guest, Status: u32) -> u32 {
    let _ = guest;
    NtStatus(Status).to_win32().0
}

/// Returns the Win32 error for a status and notes the status nowhere.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-rtlntstatustodoserrornoteb>
#[winapi]
pub fn RtlNtStatusToDosErrorNoTeb(guest: &mut Guest, Status: u32) -> u32 {
    let _ = guest;
    NtStatus(Status).to_win32().0
}

/// Converts a system time to whole seconds since a base; `None` when they do not fit in 32 bits.
fn seconds_since(time: i64, base: i64) -> Option<u32> {
    u32::try_from(time.div_euclid(UNITS_PER_SECOND) - base).ok()
}

/// Stores the seconds, if they fit; returns a `BOOLEAN`.
fn store_seconds(guest: &Guest, time: GuestWord, base: i64, into: GuestWord) -> Result<u8, Fault> {
    match seconds_since(guest.read::<i64>(time.get())?, base) {
        Some(seconds) => guest.write(into.get(), &seconds).map(|()| 1),
        None => Ok(0),
    }
}

/// Converts a system time to seconds since 1970; returns a `BOOLEAN`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-rtltimetosecondssince1970>
#[winapi]
pub fn RtlTimeToSecondsSince1970(
    guest: &mut Guest,
    Time: GuestWord,
    ElapsedSeconds: GuestWord,
) -> Result<u8, Fault> {
    store_seconds(guest, Time, SECONDS_1601_TO_1970, ElapsedSeconds)
}

/// Converts a system time to seconds since 1980; returns a `BOOLEAN`.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-rtltimetosecondssince1980>
#[winapi]
pub fn RtlTimeToSecondsSince1980(
    guest: &mut Guest,
    Time: GuestWord,
    ElapsedSeconds: GuestWord,
) -> Result<u8, Fault> {
    store_seconds(guest, Time, SECONDS_1601_TO_1970 + SECONDS_1970_TO_1980, ElapsedSeconds)
}

/// Converts seconds since 1970 to a system time.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-rtlsecondssince1970totime>
#[winapi]
pub fn RtlSecondsSince1970ToTime(
    guest: &mut Guest,
    ElapsedSeconds: u32,
    Time: GuestWord,
) -> Result<(), Fault> {
    let time = (i64::from(ElapsedSeconds) + SECONDS_1601_TO_1970) * UNITS_PER_SECOND;
    guest.write(Time.get(), &time)
}

/// The next number of `RtlUniform`: a linear congruence modulo 2^31 - 1.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-rtluniform>
fn next_uniform(seed: u32) -> u32 {
    ((u64::from(seed) * 0x7fff_ffed + 0x7fff_ffc3) % 0x7fff_ffff) as u32
}

fn uniform(guest: &Guest, seed: GuestWord) -> Result<u32, Fault> {
    let next = next_uniform(guest.read_u32(seed.get())?);
    guest.write(seed.get(), &next)?;
    Ok(next)
}

/// Returns the next random number of a seed, below 2^31 - 1.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-rtluniform>
#[winapi]
pub fn RtlUniform(guest: &mut Guest, Seed: GuestWord) -> Result<u32, Fault> {
    uniform(guest, Seed)
}

/// Returns the next random number of a seed, below 2^31 - 1.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-rtlrandom>
#[winapi]
pub fn RtlRandom(guest: &mut Guest, Seed: GuestWord) -> Result<u32, Fault> {
    uniform(guest, Seed)
}

/// Returns the next random number of a seed, below 2^31 - 1.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-rtlrandomex>
#[winapi]
pub fn RtlRandomEx(guest: &mut Guest, Seed: GuestWord) -> Result<u32, Fault> {
    uniform(guest, Seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_fit_or_not() {
        let second = UNITS_PER_SECOND;
        let at = |seconds: i64| (SECONDS_1601_TO_1970 + seconds) * second;
        assert_eq!(seconds_since(at(0) + 9_999_999, SECONDS_1601_TO_1970), Some(0));
        assert_eq!(seconds_since(at(0xffff_ffff), SECONDS_1601_TO_1970), Some(u32::MAX));
        assert_eq!(seconds_since(at(0x1_0000_0000), SECONDS_1601_TO_1970), None);
        assert_eq!(seconds_since(at(0) - 1, SECONDS_1601_TO_1970), None);
    }

    #[test]
    fn the_uniform_sequence_is_the_documented_one() {
        assert_eq!(next_uniform(0), 0x7fff_ffc3);
        assert_eq!(next_uniform(1), 0x7fff_ffb1);
    }
}
