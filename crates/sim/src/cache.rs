//! Files and shared memory: [`PageCache`], whose pages all processes share.

use std::collections::BTreeMap;
use std::sync::Arc;

use plat_image::ElfImage;
use plat_regions::PAGE_SIZE;
use plat_regions::linux::OpenFile;

use crate::frames::{FrameId, FrameUse, Frames, ObjectId};

/// What the outside says about a file.
#[derive(Clone, Debug, Default)]
pub struct FileContents {
    /// The path that maps show, links resolved.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its bytes, or as many of the first as are known; the rest reads as zeroes.
    pub bytes: Arc<[u8]>,
}

/// A file or a piece of shared memory.
#[derive(Clone, Debug)]
pub struct Object {
    /// Path, or what maps show in its place.
    pub name: String,
    /// Size in bytes.
    pub size: u64,
    /// The bytes that are known.
    pub bytes: Arc<[u8]>,
    /// Whether it goes when nobody maps it: shared memory without a name.
    pub is_temporary: bool,
    pages: BTreeMap<u64, FrameId>,
}

impl Object {
    /// Reads it as an ELF file.
    ///
    /// # Errors
    /// [`plat_image::elf::ElfError`] with the field that is wrong.
    pub fn elf(&self) -> Result<ElfImage, plat_image::elf::ElfError> {
        ElfImage::parse(&self.name, &self.bytes)
    }

    /// Returns how many of its pages are in memory.
    pub fn cached_pages(&self) -> usize {
        self.pages.len()
    }
}

/// Every object, and the pages of them that are in memory.
#[derive(Clone, Debug, Default)]
pub struct PageCache {
    objects: BTreeMap<ObjectId, Object>,
    by_path: BTreeMap<String, ObjectId>,
    links: BTreeMap<String, String>,
    next: u32,
}

impl PageCache {
    /// Adds a file, or returns the one of that path.
    pub fn add_file(&mut self, contents: FileContents) -> ObjectId {
        if let Some(id) = self.by_path.get(&contents.path) {
            return *id;
        }
        let FileContents { path, size, bytes } = contents;
        let id = self.add(path.clone(), size, bytes, false);
        self.by_path.insert(path, id);
        id
    }

    /// Adds a second name for a path.
    pub fn add_link(&mut self, link: &str, target: &str) {
        self.links.insert(link.to_owned(), target.to_owned());
    }

    /// Gives a file one more name (`link`).
    pub fn link(&mut self, path: &str, new: &str) {
        if let Some(id) = self.find(path) {
            self.by_path.insert(new.to_owned(), id);
        }
    }

    /// Takes a name away (`unlink`): a file that was opened by it is shown as deleted from now on.
    pub fn unlink(&mut self, path: &str) {
        if self.links.remove(path).is_some() {
            return;
        }
        let object = self.by_path.remove(path).and_then(|id| self.objects.get_mut(&id));
        if let Some(object) = object.filter(|object| object.name == path) {
            object.name.push_str(" (deleted)");
        }
    }

    /// Gives a file another name (`rename`); one that had it before loses it.
    pub fn rename(&mut self, path: &str, new: &str) {
        if path == new {
            return;
        }
        let Some(id) = self.by_path.remove(path) else { return };
        self.unlink(new);
        if let Some(object) = self.objects.get_mut(&id).filter(|object| object.name == path) {
            new.clone_into(&mut object.name);
        }
        self.by_path.insert(new.to_owned(), id);
    }

    /// Returns what maps show for a file: the name that it has now.
    pub fn shown_name(&self, file: &OpenFile) -> Option<&str> {
        let id = ObjectId(u32::try_from(file.inode).ok()?);
        self.get(id).map(|object| object.name.as_str())
    }

    /// Adds shared memory without a name, or the kernel's own pages.
    pub fn add_memory(&mut self, name: &str, size: u64) -> ObjectId {
        self.add(name.to_owned(), size, Arc::from([]), true)
    }

    fn add(&mut self, name: String, size: u64, bytes: Arc<[u8]>, is_temporary: bool) -> ObjectId {
        self.next += 1;
        let id = ObjectId(self.next);
        self.objects.insert(id, Object { name, size, bytes, is_temporary, pages: BTreeMap::new() });
        id
    }

    /// Finds a file by path or link.
    pub fn find(&self, path: &str) -> Option<ObjectId> {
        let target = self.links.get(path).map_or(path, String::as_str);
        self.by_path.get(target).copied()
    }

    /// Returns an object.
    pub fn get(&self, id: ObjectId) -> Option<&Object> {
        self.objects.get(&id)
    }

    /// Changes the size of an object (`ftruncate`); pages that are cached stay.
    pub fn resize(&mut self, id: ObjectId, size: u64) {
        if let Some(object) = self.objects.get_mut(&id) {
            object.size = size;
        }
    }

    /// Iterates over the objects.
    pub fn iter(&self) -> impl Iterator<Item = (ObjectId, &Object)> {
        self.objects.iter().map(|(id, object)| (*id, object))
    }

    /// Returns the frame of a page, and whether it had to be read; `None` when memory is full or there is no object.
    pub fn page(&mut self, id: ObjectId, page: u64, frames: &mut Frames) -> Option<(FrameId, bool)> {
        let object = self.objects.get_mut(&id)?;
        if let Some(frame) = object.pages.get(&page) {
            return Some((*frame, false));
        }
        let frame = frames.allocate(FrameUse::Cached { object: id, page })?;
        let start = usize::try_from(page.saturating_mul(PAGE_SIZE)).unwrap_or(usize::MAX);
        let bytes = object.bytes.get(start..).unwrap_or_default();
        frames.write(frame, 0, &bytes[..bytes.len().min(PAGE_SIZE as usize)]);
        object.pages.insert(page, frame);
        Some((frame, true))
    }

    /// Drops temporary objects that nobody maps any more; returns their names.
    pub fn drop_unused(&mut self, is_mapped: impl Fn(ObjectId) -> bool, frames: &mut Frames) -> Vec<String> {
        let gone: Vec<_> = self
            .objects
            .iter()
            .filter(|(id, object)| object.is_temporary && !is_mapped(**id))
            .map(|(id, _)| *id)
            .collect();
        let mut names = Vec::new();
        for object in gone.into_iter().filter_map(|id| self.objects.remove(&id)) {
            for frame in object.pages.into_values() {
                frames.unpin(frame);
            }
            names.push(object.name);
        }
        names
    }

    /// Iterates over the frames that the cache holds.
    pub fn frames(&self) -> impl Iterator<Item = FrameId> {
        self.objects.values().flat_map(|object| object.pages.values().copied())
    }
}
