//! What belongs to the user and to this machine where cryptography asks for it: a secret key in a file that nobody else
//! reads, and the certificates that the system trusts.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use crate::{environment, random};

/// The size of the secret in bytes.
pub const SECRET_BYTES: usize = 32;

/// Where distributions keep the certificates that are trusted: Debian and its like, Fedora and its like, Alpine.
///
/// Source: the packages `ca-certificates` of the distributions
const TRUSTED: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// Returns the user's secret; makes it at the first call ever.
///
/// # Errors
/// The kernel's, where the user has no directory for data or it cannot be written.
pub fn read_or_make() -> io::Result<[u8; SECRET_BYTES]> {
    let directory = environment::data_directory().ok_or(io::ErrorKind::NotFound)?.join("plat");
    read_or_make_in(&directory)
}

fn read_or_make_in(directory: &Path) -> io::Result<[u8; SECRET_BYTES]> {
    let file = directory.join("user-secret");
    match read(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        done => return done,
    }
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let mut secret = [0; SECRET_BYTES];
    random::fill(&mut secret)?;
    // Under another name first: who reads at the same time sees a whole secret or none, and the first one made stays.
    let fresh = directory.join(format!("user-secret.{}", std::process::id()));
    let mut writer = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    writer.write_all(&secret)?;
    writer.sync_all()?;
    let linked = fs::hard_link(&fresh, &file);
    fs::remove_file(&fresh)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => read(&file),
    }
}

fn read(file: &Path) -> io::Result<[u8; SECRET_BYTES]> {
    let mut secret = [0; SECRET_BYTES];
    fs::File::open(file)?.read_exact(&mut secret)?;
    Ok(secret)
}

/// Returns the certificates that the system trusts, as texts with headers one after the other; nothing where there are
/// none.
pub fn trusted_certificates() -> Option<String> {
    TRUSTED.iter().find_map(|path| fs::read_to_string(path).ok())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_secret_is_made_once_and_for_the_user_only() {
        let directory = std::env::temp_dir().join(format!("plat-secret-{}", std::process::id()));
        let first = read_or_make_in(&directory).expect("a directory that can be written");
        assert_ne!(first, [0; SECRET_BYTES]);
        assert_eq!(read_or_make_in(&directory).expect("it exists"), first);
        let names: Vec<_> = fs::read_dir(&directory).expect("it exists").collect();
        assert_eq!(names.len(), 1);
        let mode = fs::metadata(directory.join("user-secret")).expect("it exists").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(directory.join("user-secret"), b"short").expect("it can be written");
        assert!(read_or_make_in(&directory).is_err(), "a damaged secret is not replaced");
        fs::remove_dir_all(&directory).expect("it was made here");
    }
}
