//! Finds the images of a fleet: [`scan()`] and [`read_list`].

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::IMAGE_BYTES_MAX;
use super::budget::{Budget, Share};
use super::files::{Stat, keep_spare, read_into_spare};
use super::parallel::largest_first;
use crate::{ContentHash, Member, Movable};

/// How files are looked for.
#[derive(Debug, Clone, Default)]
pub struct ScanOptions {
    /// Paths are named relative to this folder where they lie below it; empty leaves them as they are given.
    pub root: PathBuf,
    /// Do not hash files: for checks, which need no hash.
    pub without_hash: bool,
}

/// A file that was asked for, or looks like an image, and is none that could be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The path.
    pub path: String,
    /// Why.
    pub why: String,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Scan {
    /// The images, by path.
    pub members: Vec<Member>,
    /// What was passed over.
    pub skipped: Vec<Skipped>,
    /// What each file was when it was read: for [`super::ApplyOptions::seen`].
    pub seen: HashMap<String, Stat>,
}

/// A path to look at.
struct Candidate {
    path: PathBuf,
    /// The user named it, rather than a folder that it is in.
    is_named: bool,
}

/// Reads every image among `paths`, and below those that are folders; images are known by their content.
///
/// Folders are not entered through symbolic links, and links met in them are passed over: what they lead to is either
/// met itself or not part of the fleet.
pub fn scan(paths: &[PathBuf], options: &ScanOptions) -> Scan {
    scan_with(paths, options, |_, _| ()).0
}

/// As [`scan()`], and makes something else of each image while its bytes are at hand.
pub(crate) fn scan_with<T: Send>(
    paths: &[PathBuf],
    options: &ScanOptions,
    look: impl Fn(&Member, &[u8]) -> T + Sync,
) -> (Scan, Vec<T>) {
    let mut found = Scan::default();
    let mut candidates = Vec::new();
    for path in paths {
        gather(path, true, &mut candidates, &mut found.skipped);
    }
    candidates.sort_by(|a, b| a.path.cmp(&b.path).then(b.is_named.cmp(&a.is_named)));
    candidates.dedup_by(|a, b| a.path == b.path);
    let budget = Budget::default();
    let sizes: Vec<u64> =
        candidates.par_iter().map(|it| fs::metadata(&it.path).map_or(0, |it| it.len())).collect();
    let read = |index: usize| read_one(&candidates[index], options, &budget, &look);
    let results = largest_first(candidates.len(), |index| sizes[index], read);
    let mut by_id: HashMap<(u64, u64), usize> = HashMap::new();
    let mut looks = Vec::new();
    for result in results {
        match result {
            Ok(None) => {}
            Err(skipped) => found.skipped.push(skipped),
            Ok(Some((member, stat, is_link, seen))) => {
                if let Some(&first) = stat.id.as_ref().and_then(|id| by_id.get(id)) {
                    if !is_link {
                        found.members[first].links.push(member.path);
                    }
                    continue;
                }
                by_id.extend(stat.id.map(|id| (id, found.members.len())));
                found.seen.insert(member.path.clone(), stat);
                found.members.push(member);
                looks.push(seen);
            }
        }
    }
    (found, looks)
}

/// Collects the plain files at and below a path.
fn gather(path: &Path, is_named: bool, found: &mut Vec<Candidate>, skipped: &mut Vec<Skipped>) {
    let mut skip = |why: String| skipped.push(Skipped { path: path.display().to_string(), why });
    let metadata = if is_named { fs::metadata(path) } else { fs::symlink_metadata(path) };
    match metadata {
        Err(error) => skip(error.to_string()),
        Ok(metadata) if metadata.is_file() => found.push(Candidate { path: path.to_owned(), is_named }),
        Ok(metadata) if metadata.is_dir() => match fs::read_dir(path) {
            Err(error) => skip(error.to_string()),
            Ok(entries) => {
                for entry in entries.flatten() {
                    gather_entry(&entry, found, skipped);
                }
            }
        },
        Ok(_) if is_named => skip("is neither a file nor a folder".into()),
        Ok(_) => {}
    }
}

/// Looks at an entry of a folder; its type comes with its name, without another call.
fn gather_entry(entry: &fs::DirEntry, found: &mut Vec<Candidate>, skipped: &mut Vec<Skipped>) {
    match entry.file_type() {
        Ok(kind) if kind.is_file() => found.push(Candidate { path: entry.path(), is_named: false }),
        Ok(kind) if kind.is_dir() => gather(&entry.path(), false, found, skipped),
        _ => {}
    }
}

/// What is read of one file: nothing when it is no image, and was not named.
type Found<T> = Result<Option<(Member, Stat, bool, T)>, Skipped>;

fn read_one<T>(
    candidate: &Candidate,
    options: &ScanOptions,
    budget: &Budget,
    look: &impl Fn(&Member, &[u8]) -> T,
) -> Found<T> {
    let path = &candidate.path;
    let skip = |why: String| Skipped { path: path.display().to_string(), why };
    let name = name_of(path, options).ok_or_else(|| skip("its name is not UTF-8, which plans are".into()))?;
    let read = read_image(candidate, budget).map_err(|error| skip(error.to_string()))?;
    let Some((bytes, stat, _share)) = read else { return Ok(None) };
    let hash = if options.without_hash { ContentHash::UNKNOWN } else { ContentHash::of(&bytes) };
    let member = Member::read(&name, &bytes, hash).map(|mut member| {
        if stat.read_only && member.movable == Movable::Yes {
            member.movable = Movable::Obstacle("it is read-only".into());
        }
        let seen = look(&member, &bytes);
        (member, seen)
    });
    keep_spare(bytes);
    let is_link =
        candidate.is_named && fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    match member {
        Ok((member, seen)) => Ok(Some((member, stat, is_link, seen))),
        Err(error) => {
            // The message names the file by itself.
            let text = error.to_string();
            Err(skip(text.strip_prefix(&format!("{name}: ")).map_or(text.clone(), str::to_owned)))
        }
    }
}

/// Reads a file without holding it, since nothing is going to be changed; nothing when it was not named and does not
/// begin as an image does.
fn read_image<'b>(
    candidate: &Candidate,
    budget: &'b Budget,
) -> io::Result<Option<(Vec<u8>, Stat, Share<'b>)>> {
    let mut file = fs::File::open(&candidate.path)?;
    let mut head = Vec::with_capacity(2);
    (&mut file).take(2).read_to_end(&mut head)?;
    if head != b"MZ" && !candidate.is_named {
        return Ok(None);
    }
    let stat = super::attributes::stat(&file.metadata()?);
    if stat.bytes > IMAGE_BYTES_MAX {
        return Err(io::Error::other(format!("has {} bytes, more than any image", stat.bytes)));
    }
    let share = budget.take(stat.bytes);
    let bytes = read_into_spare(head.as_slice().chain(file).take(IMAGE_BYTES_MAX), stat.bytes)?;
    Ok(Some((bytes, stat, share)))
}

/// Names a file as plans and databases do: relative to the root where it lies below it, with `/` between folders.
fn name_of(path: &Path, options: &ScanOptions) -> Option<String> {
    let path = match path.strip_prefix(&options.root) {
        Ok(below) if !options.root.as_os_str().is_empty() => below,
        _ => path,
    };
    let path = path.strip_prefix(".").unwrap_or(path);
    let name = path.to_str()?;
    Some(if cfg!(windows) { name.replace('\\', "/") } else { name.to_owned() })
}

/// Reads a list of paths, one a line, of any length; `-` is standard input. Empty lines and repetitions are left out.
///
/// # Errors
/// When it cannot be read.
pub fn read_list(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        io::stdin().lock().read_to_end(&mut bytes)?;
    } else {
        fs::File::open(path)?.read_to_end(&mut bytes)?;
    }
    let mut seen = HashSet::new();
    let lines = bytes.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    Ok(lines.filter(|line| !line.is_empty() && seen.insert(*line)).map(path_of).collect())
}

#[cfg(unix)]
fn path_of(line: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(line))
}

#[cfg(not(unix))]
fn path_of(line: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(line).into_owned())
}
