//! The mount manager (`\??\MountPointManager`): which drive a volume is. Every drive is a volume of its own.

use plat_abi::Memory;

use crate::NtStatus;
use crate::guest::Guest;
use crate::logic::object_name::{device_path, wide};

/// `IOCTL_MOUNTMGR_QUERY_POINTS`.
const QUERY_POINTS: u32 = 0x6d_0008;
/// `IOCTL_MOUNTMGR_QUERY_DOS_VOLUME_PATH`.
const QUERY_DOS_VOLUME_PATH: u32 = 0x6d_0030;
/// Bytes of `MOUNTMGR_MOUNT_POINT`.
const POINT: usize = 24;
/// Bytes of `MOUNTMGR_MOUNT_POINTS` before its points.
const HEADER: usize = 8;

/// A drive: its link, `\DosDevices\C:`, and its volume.
struct Drive {
    link: Vec<u16>,
    volume: Vec<u16>,
}

fn drives(guest: &Guest) -> Vec<Drive> {
    let c = guest.process().files.drives().c.as_ref().map(|_| "C:");
    let drive = |letter: &str| Drive {
        link: wide(&format!(r"\DosDevices\{letter}")),
        volume: device_path(&wide(letter)),
    };
    c.into_iter().chain(["Z:"]).map(drive).collect()
}

/// Answers a control code; returns how many bytes were written.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/mountmgr/ni-mountmgr-ioctl_mountmgr_query_points>
///
/// # Errors
/// `OBJECT_NAME_NOT_FOUND` for a volume that no drive is, `BUFFER_OVERFLOW`, `INVALID_PARAMETER`, `INVALID_DEVICE_REQUEST`.
pub(crate) fn control(
    guest: &Guest,
    code: u32,
    input: (u64, u32),
    output: (u64, u32),
) -> Result<u64, NtStatus> {
    let input = guest.read_vec(input.0, u64::from(input.1))?;
    let answer = match code {
        QUERY_POINTS => points(&input, &drives(guest))?,
        QUERY_DOS_VOLUME_PATH => volume_path(&input, &drives(guest))?,
        _ => return Err(NtStatus::INVALID_DEVICE_REQUEST),
    };
    // The first word of both answers tells how much room is needed.
    let room = output.1 as usize;
    let fits = answer.len() <= room;
    if room < HEADER {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    guest.write_bytes(output.0, if fits { &answer } else { &answer[..HEADER] })?;
    if fits { Ok(answer.len() as u64) } else { Err(NtStatus::BUFFER_OVERFLOW) }
}

/// Reads a name that a mount point tells by offset and length, at `at`; empty where there is none.
fn name_at(input: &[u8], at: usize) -> Option<Vec<u16>> {
    let offset = u32::from_le_bytes(input.get(at..at + 4)?.try_into().ok()?) as usize;
    let length = usize::from(u16::from_le_bytes(input.get(at + 4..at + 6)?.try_into().ok()?));
    let bytes = if length == 0 { &[] } else { input.get(offset..offset.checked_add(length)?)? };
    Some(bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect())
}

fn bytes_of(text: &[u16]) -> Vec<u8> {
    text.iter().flat_map(|unit| unit.to_le_bytes()).collect()
}

fn is_same(one: &[u16], other: &[u16]) -> bool {
    String::from_utf16_lossy(one).eq_ignore_ascii_case(&String::from_utf16_lossy(other))
}

/// Lays out the drives that have the link or the volume asked for; those are all where neither is given.
fn points(input: &[u8], drives: &[Drive]) -> Result<Vec<u8>, NtStatus> {
    let wanted = name_at(input, 0).zip(name_at(input, 16)).ok_or(NtStatus::INVALID_PARAMETER)?;
    let fits = |wish: &[u16], has: &[u16]| wish.is_empty() || is_same(wish, has);
    let found: Vec<&Drive> = drives
        .iter()
        .filter(|drive| fits(&wanted.0, &drive.link) && fits(&wanted.1, &drive.volume))
        .collect();
    if found.is_empty() {
        return Err(NtStatus::OBJECT_NAME_NOT_FOUND);
    }
    let (mut table, mut texts) = (Vec::new(), Vec::new());
    let begin = HEADER + found.len() * POINT;
    for drive in &found {
        // The link, no unique number, the volume.
        for text in [&drive.link[..], &[], &drive.volume] {
            let offset = if text.is_empty() { 0 } else { begin + texts.len() };
            table.extend((offset as u32).to_le_bytes());
            table.extend((text.len() as u32 * 2).to_le_bytes());
            texts.extend(bytes_of(text));
        }
    }
    let size = (begin + texts.len()) as u32;
    Ok([&size.to_le_bytes()[..], &(found.len() as u32).to_le_bytes(), &table, &texts].concat())
}

/// Returns the drive of a volume as a list of texts.
fn volume_path(input: &[u8], drives: &[Drive]) -> Result<Vec<u8>, NtStatus> {
    let length = input.first_chunk().map(|bytes| usize::from(u16::from_le_bytes(*bytes)));
    let name = length.and_then(|length| input.get(2..2 + length)).ok_or(NtStatus::INVALID_PARAMETER)?;
    let name: Vec<u16> = name.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let drive = drives.iter().find(|drive| is_same(&name, &drive.volume) || is_same(&name, &drive.link));
    let link = &drive.ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)?.link;
    // `C:`, without the directory of links; the list ends with an empty text.
    let list = bytes_of(&[&link[link.len() - 2..], &[0, 0]].concat());
    Ok([&(list.len() as u32).to_le_bytes()[..], &list].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(volume: &str) -> Vec<u8> {
        let name = bytes_of(&wide(volume));
        let mut input = vec![0; POINT];
        input[16] = POINT as u8;
        input[20] = name.len() as u8;
        [input, name].concat()
    }

    #[test]
    fn a_volume_tells_its_drive() {
        let z = Drive { link: wide(r"\DosDevices\Z:"), volume: device_path(&wide("Z:")) };
        let answer = points(&ask(r"\Device\HarddiskVolume24"), &[z]).expect("it is there");
        assert_eq!(answer[..8], [answer.len() as u8, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(name_at(&answer, 8).as_deref(), Some(&*wide(r"\DosDevices\Z:")));
        assert_eq!(name_at(&answer, 24).as_deref(), Some(&*wide(r"\Device\HarddiskVolume24")));
        assert_eq!(points(&ask(r"\Device\HarddiskVolume9"), &[]), Err(NtStatus::OBJECT_NAME_NOT_FOUND));
        assert_eq!(points(&[0; 10], &[]), Err(NtStatus::INVALID_PARAMETER));
        let far = [[0_u8; 16].to_vec(), vec![255, 255, 255, 255, 4, 0, 0, 0]].concat();
        assert_eq!(points(&far, &[]), Err(NtStatus::INVALID_PARAMETER));
    }
}
