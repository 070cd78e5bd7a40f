//! Temporary.
/// x
pub fn to_existing_unix_path(_n: &[u16]) -> Option<std::path::PathBuf> {
    None
}
