//! winbase.h: the hardware profile, of which Windows has one.

use plat_abi::{GuestWord, Memory};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, TRUE};
use crate::widths::both_widths;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full GetCurrentHwProfileA;
    full GetCurrentHwProfileW;
};

/// The profile that every Windows begins with, and mostly keeps: its key is `Hardware Profiles\\0001`.
const PROFILE: (&str, &str) = ("{846ee340-7039-11de-9d20-806e6f6e6963}", "Undocked Profile");
/// The room of both texts in `HW_PROFILE_INFO`.
const ROOMS: [usize; 2] = [39, 80];

both_widths! {
    /// Describes the hardware profile: docking is not known.
    "winbase/nf-winbase-getcurrenthwprofile"
    GetCurrentHwProfileA, GetCurrentHwProfileW(
        guest, width, lpHwProfileInfo: GuestWord,
    ) -> Result<Bool, Win32Error> {
        /// `DOCKINFO_UNDOCKED | DOCKINFO_USER_SUPPLIED`.
        const UNDOCKED: u32 = 5;
        if lpHwProfileInfo.is_null() {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        let mut bytes = UNDOCKED.to_le_bytes().to_vec();
        for (text, room) in [PROFILE.0, PROFILE.1].into_iter().zip(ROOMS) {
            let mut field = width.bytes(&text.encode_utf16().collect::<Vec<u16>>());
            field.resize(room * width.unit_bytes(), 0);
            bytes.extend(field);
        }
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        guest.write_bytes(lpHwProfileInfo.get(), &bytes)?;
        Ok(TRUE)
    }
}
