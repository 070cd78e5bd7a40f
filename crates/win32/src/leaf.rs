//! Guest code whose jumps to its end are filled in: there lies the slow way, where it has one.

/// Stands for the distance of a jump to the leaf's end.
pub(crate) const SLOW: u16 = 0x100;

/// Fills in the distances of a leaf's jumps to its end.
pub(crate) const fn leaf<const LENGTH: usize>(code: [u16; LENGTH]) -> [u8; LENGTH] {
    assert!(LENGTH < 0x80, "a short jump reaches 127 bytes");
    let mut bytes = [0; LENGTH];
    let mut at = 0;
    while at < LENGTH {
        bytes[at] = if code[at] == SLOW { LENGTH - at - 1 } else { code[at] as usize } as u8;
        at += 1;
    }
    bytes
}
