//! Real images, moved and held against an independent loader: three published packages that `./test` brings into
//! `.cache/`, and every image below the folders that `PLAT_FLEET` names (`cargo xtask fleets` names those of nine packages).

use std::fs;
use std::path::{Path, PathBuf};

use plat_image::PeImage;
use plat_image::pe::{DirectoryKind, Field, checksum};
use plat_rebase::{Options, RebaseError, SignaturePolicy, rebase_image, undo_image};
use plat_regions::Address;
use plat_testkit::craft::load;
use rayon::prelude::*;

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder).expect("a folder").flatten().map(|it| it.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            files_below(&path, found);
        } else if path.extension().is_some_and(|it| it == "dll" || it == "pyd" || it == "so" || it == "oct") {
            found.push(path);
        }
    }
}

/// What a run found out.
#[derive(Default, Debug)]
struct Tally {
    images: u64,
    moved: u64,
    signed: u64,
    bound: u64,
    words: u64,
    unusual_header: u64,
    checksums_that_were_wrong: u64,
    refused: Vec<String>,
}

impl Tally {
    fn plus(mut self, other: Self) -> Self {
        self.images += other.images;
        self.moved += other.moved;
        self.signed += other.signed;
        self.bound += other.bound;
        self.words += other.words;
        self.unusual_header += other.unusual_header;
        self.checksums_that_were_wrong += other.checksums_that_were_wrong;
        self.refused.extend(other.refused);
        self
    }
}

fn check(path: &Path) -> Tally {
    let mut tally = Tally::default();
    let old = fs::read(path).expect("is readable");
    let name = path.display().to_string();
    let Ok(image) = PeImage::parse(&name, &old) else { return tally };
    tally.images = 1;
    let headers = image.headers();
    tally.unusual_header = u64::from(headers.signature_offset.get() != 0x80);
    tally.signed = u64::from(headers.directory(DirectoryKind::Certificate).is_some());
    let was_right = headers.checksum == checksum(&old, headers.field(Field::CheckSum).0);
    tally.checksums_that_were_wrong = u64::from(headers.checksum != 0 && !was_right);
    // Two bases: far away, where every byte of a word differs, and one step down.
    let far = if headers.is_64 { 0x1234_5678_0000 } else { 0x6543_0000 };
    for base in [far, headers.image_base.wrapping_sub(0x1_0000)] {
        let options = Options { signature: SignaturePolicy::Keep, ..Options::default() };
        let mut new = old.clone();
        let rebased = match rebase_image(&name, &mut new, Address::new(base), &options) {
            Ok(rebased) => rebased,
            Err(error) => {
                assert!(!matches!(error, RebaseError::Image(_)), "{error}");
                tally.refused.push(error.to_string());
                return tally;
            }
        };
        tally.words += rebased.relocations;
        tally.bound += u64::from(rebased.warnings.contains(&plat_rebase::Warning::Unbound));
        let (by_loader, by_us) = (load(&old, base).expect("loads"), load(&new, base).expect("loads"));
        let start = headers.size_of_headers as usize;
        assert!(by_loader[start..] == by_us[start..], "{name}: differs from what the loader makes of it");
        let after = PeImage::parse(&name, &new).expect("is an image");
        let right = checksum(&new, after.headers().field(Field::CheckSum).0);
        assert_eq!(after.headers().checksum, if headers.checksum == 0 { 0 } else { right }, "{name}");
        let mut undone = new.clone();
        undo_image(&name, &mut undone, &rebased.undo).expect("goes back");
        assert!(undone == old, "{name}: undone");
        let back = rebase_image(&name, &mut new, Address::new(headers.image_base), &options);
        back.expect("moves back");
        let exact = (headers.checksum == 0 || was_right) && tally.bound == 0;
        assert!(!exact || new == old, "{name}: there and back");
        tally.moved += 1;
    }
    tally
}

/// Checks every image below some folders.
fn check_folders(folders: &[PathBuf]) -> Tally {
    let mut files = Vec::new();
    for folder in folders {
        files_below(folder, &mut files);
    }
    let tally = files.par_iter().map(|path| check(path)).reduce(Tally::default, Tally::plus);
    println!("{tally:#?}");
    assert_eq!(tally.moved, 2 * (tally.images - tally.refused.len() as u64));
    tally
}

#[test]
fn real_fleets_are_moved_as_the_loader_would() {
    let cache = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.cache");
    let folders = [
        "gevent-21.12.0-cp37-cp37m-win32",
        "h5py-2.10.0-cp37-cp37m-win32",
        "passagemath_objects-10.8.13-cp313-cp313-win_amd64",
    ];
    let folders = folders.map(|name| cache.join(name));
    for folder in &folders {
        let is_there = folder.join(".complete").exists();
        assert!(is_there, "{} is not in .cache/: run ./test, which fetches it", folder.display());
    }
    let tally = check_folders(&folders);
    assert_eq!((tally.images, tally.moved, tally.refused.len()), (103, 206, 0));
    // The headers of nearly all lie elsewhere than where Cygwin's rebase looks for them.
    assert_eq!((tally.unusual_header, tally.words), (102, 585_302));

    let more = std::env::var_os("PLAT_FLEET").unwrap_or_default();
    for folder in std::env::split_paths(&more).filter(|it| !it.as_os_str().is_empty()) {
        let tally = check_folders(std::slice::from_ref(&folder));
        assert!(tally.images > 0 && tally.refused.is_empty(), "{}: {tally:#?}", folder.display());
    }
}
