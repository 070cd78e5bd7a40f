//! The words of a file that hold addresses: found, checked, then changed all or none: [`Words`].

use plat_image::PeImage;
use plat_image::pe::{DirectoryKind, Relocation, RelocationKind};

use crate::RebaseError;

/// A word whose bytes do not lie side by side in the file: it crosses sections, or ends in zero fill.
struct Scattered {
    /// Its place in the list of all words.
    index: usize,
    rva: u32,
    /// Where each byte is; `None` is zero fill.
    bytes: [Option<u32>; 8],
}

/// Stands for the offset of a word that has several; files are smaller.
const SCATTERED: u32 = u32::MAX;

/// Words of one kind, side by side in the list of all.
struct Same {
    kind: RelocationKind,
    /// Where the next kind begins in the list.
    end: usize,
}

/// All words of an image that a new base changes, in the directory's order.
#[derive(Default)]
pub(super) struct Words {
    /// The offset of each in the file, or [`SCATTERED`]: large images have a million.
    offsets: Vec<u32>,
    /// Their kinds; nearly all images have one kind alone.
    kinds: Vec<Same>,
    /// Sorted by index.
    scattered: Vec<Scattered>,
}

/// A run of mapped bytes: RVAs, and the file's bytes at their start.
struct Run {
    start: u32,
    end: u32,
    file: u32,
    file_end: u32,
}

/// Finds file offsets, and refuses those that must not be changed.
struct Finder<'i> {
    name: &'i str,
    size_of_image: u32,
    runs: Vec<Run>,
    /// The run of the last word: words come in clusters.
    current: usize,
    /// Ranges of the file that no word may touch, and what they are.
    barred: Vec<(u32, u32, &'static str)>,
}

impl Words {
    /// Finds and checks every word of `image`, which must be smaller than 4 GiB.
    pub(super) fn find(image: &PeImage) -> Result<Self, RebaseError> {
        let mut finder = Finder::new(image);
        // An entry has two bytes, so the directory bounds their number; what it claims may exceed the file.
        let directory =
            image.headers().directory(DirectoryKind::BaseRelocation).map_or(0, |it| it.size as usize);
        let offsets = Vec::with_capacity(directory.min(image.source().len()) / 2);
        let mut found = Self { offsets, ..Self::default() };
        for block in image.relocation_blocks() {
            let mut block = block?;
            let page = block.page().get();
            match block.uniform().and_then(|uniform| Some((finder.whole_page(page)?, uniform))) {
                Some((start, (kind, within))) => found.extend(kind, within.map(|offset| start + offset)),
                None => block.try_for_each(|relocation| found.find_one(&mut finder, relocation?))?,
            }
        }
        Ok(found)
    }

    /// Finds and checks one word.
    fn find_one(&mut self, finder: &mut Finder, relocation: Relocation) -> Result<(), RebaseError> {
        let Relocation { rva, kind } = relocation;
        let rva = rva.get();
        let offset = match finder.whole(rva, kind.field_bytes()) {
            Some(offset) => {
                finder.check(rva, offset, kind.field_bytes())?;
                offset
            }
            None => {
                let bytes = finder.scattered(rva, kind.field_bytes())?;
                self.scattered.push(Scattered { index: self.offsets.len(), rva, bytes });
                SCATTERED
            }
        };
        self.extend(kind, std::iter::once(offset));
        Ok(())
    }

    /// Adds words of one kind at these offsets.
    fn extend(&mut self, kind: RelocationKind, offsets: impl Iterator<Item = u32>) {
        self.offsets.extend(offsets);
        let end = self.offsets.len();
        match self.kinds.last_mut() {
            Some(last) if last.kind == kind => last.end = end,
            _ => self.kinds.push(Same { kind, end }),
        }
    }

    /// Returns how many there are.
    pub(super) fn count(&self) -> u64 {
        self.offsets.len() as u64
    }

    /// Adds `delta` to every word; on an error `file` is as it was.
    pub(super) fn add(&self, name: &str, file: &mut [u8], delta: u64) -> Result<(), RebaseError> {
        let mut start = 0;
        for same in &self.kinds {
            for index in start..same.end {
                if let Err(rva) = self.add_one(index, same.kind, file, delta) {
                    self.subtract(index, file, delta);
                    return Err(RebaseError::ZeroFill { file: name.into(), rva });
                }
            }
            start = same.end;
        }
        Ok(())
    }

    /// Takes `delta` off every word, from the last to the first, since words that overlap do not commute.
    pub(super) fn take_back(&self, file: &mut [u8], delta: u64) {
        self.subtract(self.offsets.len(), file, delta);
    }

    /// Takes `delta` off the first `count` words, in reverse.
    fn subtract(&self, count: usize, file: &mut [u8], delta: u64) {
        for (position, same) in self.kinds.iter().enumerate().rev() {
            let start = if position == 0 { 0 } else { self.kinds[position - 1].end };
            for index in (start..same.end.min(count)).rev() {
                // A word that was added to before keeps its zero fill when the same is subtracted again.
                let _ = self.add_one(index, same.kind, file, delta.wrapping_neg());
            }
        }
    }

    /// Adds to one word; the error is its RVA, when a byte of zero fill would have to change.
    #[inline]
    fn add_one(&self, index: usize, kind: RelocationKind, file: &mut [u8], delta: u64) -> Result<(), u32> {
        let offset = self.offsets[index];
        if offset == SCATTERED {
            return self.add_scattered(index, kind, file, delta);
        }
        let start = offset as usize;
        kind.apply(&mut file[start..start + kind.field_bytes() as usize], delta);
        Ok(())
    }

    #[cold]
    fn add_scattered(
        &self,
        index: usize,
        kind: RelocationKind,
        file: &mut [u8],
        delta: u64,
    ) -> Result<(), u32> {
        let place = self.scattered.binary_search_by_key(&index, |it| it.index);
        let scattered = &self.scattered[place.expect("every scattered word was pushed with its index")];
        let places = &scattered.bytes[..kind.field_bytes() as usize];
        let mut field = [0; 8];
        for (byte, place) in field.iter_mut().zip(places) {
            *byte = place.map_or(0, |at| file[at as usize]);
        }
        kind.apply(&mut field[..places.len()], delta);
        if field.iter().zip(places).any(|(&byte, place)| place.is_none() && byte != 0) {
            return Err(scattered.rva);
        }
        for (byte, place) in field.iter().zip(places) {
            if let Some(at) = place {
                file[*at as usize] = *byte;
            }
        }
        Ok(())
    }
}

impl<'i> Finder<'i> {
    fn new(image: &'i PeImage) -> Self {
        let narrow = |offset: u64| u32::try_from(offset).expect("the file is smaller than 4 GiB");
        let runs: Vec<Run> = image
            .segments()
            .iter()
            .map(|segment| Run {
                start: segment.rvas.start.get(),
                end: segment.rvas.end.get(),
                file: narrow(segment.file.start.get()),
                file_end: narrow(segment.file.end.get()),
            })
            .collect();
        let headers_end = image.headers().headers_end().get().min(image.source().len() as u64);
        let mut barred = vec![(0, narrow(headers_end), "the headers")];
        barred.extend(relocation_bytes(image, &runs));
        barred.extend(mapped_twice(&runs));
        let size_of_image = image.headers().size_of_image;
        Self { name: image.name(), size_of_image, runs, current: 0, barred }
    }

    /// Returns the offset of `length` bytes that lie side by side in the file.
    fn whole(&mut self, rva: u32, length: u32) -> Option<u32> {
        let run = self.runs.get(self.current).filter(|run| (run.start..run.end).contains(&rva));
        let run = match run {
            Some(run) => run,
            None => {
                self.current = self.runs.partition_point(|run| run.end <= rva);
                self.runs.get(self.current).filter(|run| run.start <= rva)?
            }
        };
        let offset = u64::from(run.file) + u64::from(rva - run.start);
        let fits = offset + u64::from(length) <= u64::from(run.file_end);
        // The offset fits 32 bits where it lies before the run's end.
        fits.then(|| u32::try_from(offset).expect("before the end of the run"))
    }

    /// Returns the offset of a page if every word that begins in it lies in one piece, where words may be.
    fn whole_page(&mut self, page: u32) -> Option<u32> {
        const PAGE_AND_LAST_WORD: u32 = 0x1000 + 7;
        let offset = self.whole(page, PAGE_AND_LAST_WORD)?;
        let is_free = self.check(page, offset, PAGE_AND_LAST_WORD).is_ok();
        (is_free && page.checked_add(PAGE_AND_LAST_WORD)? <= self.size_of_image).then_some(offset)
    }

    /// Finds each byte of a word that does not lie in one piece.
    fn scattered(&mut self, rva: u32, length: u32) -> Result<[Option<u32>; 8], RebaseError> {
        let mut places = [None; 8];
        for (place, rva) in places.iter_mut().zip(rva..rva + length) {
            *place = self.whole(rva, 1);
            match *place {
                Some(offset) => self.check(rva, offset, 1)?,
                // Between segments there is no memory at all; the loader would fault there.
                None if !self.runs.iter().any(|run| (run.start..run.end).contains(&rva)) => {
                    return Err(RebaseError::ZeroFill { file: self.name.into(), rva });
                }
                None => {}
            }
        }
        Ok(places)
    }

    fn check(&self, rva: u32, offset: u32, length: u32) -> Result<(), RebaseError> {
        match self.barred.iter().find(|(start, end, _)| offset < *end && offset + length > *start) {
            None => Ok(()),
            Some((_, _, what)) => {
                Err(RebaseError::WordIn { file: self.name.into(), rva, offset: offset.into(), what })
            }
        }
    }
}

/// Returns the parts of the file that the relocation directory lies in.
fn relocation_bytes(image: &PeImage, runs: &[Run]) -> Vec<(u32, u32, &'static str)> {
    let Some(directory) = image.headers().directory(DirectoryKind::BaseRelocation) else { return Vec::new() };
    let start = u64::from(directory.rva.get());
    let end = start + u64::from(directory.size);
    let part = |run: &Run| {
        let from = start.max(run.start.into()) - u64::from(run.start);
        let to = end.min(run.end.into()).saturating_sub(run.start.into());
        let in_file = |at: u64| u32::try_from((u64::from(run.file) + at).min(run.file_end.into())).ok();
        let (from, to) = (in_file(from)?, in_file(to)?);
        (from < to).then_some((from, to, "the relocation directory"))
    };
    runs.iter().filter_map(part).collect()
}

/// Returns the parts of the file that more than one run shows: a change for one would be seen in the other.
fn mapped_twice(runs: &[Run]) -> Vec<(u32, u32, &'static str)> {
    let mut ranges: Vec<(u32, u32)> =
        runs.iter().map(|run| (run.file, run.file_end)).filter(|(start, end)| start < end).collect();
    ranges.sort_unstable();
    let mut twice = Vec::new();
    let mut reach = 0;
    for (start, end) in ranges {
        if start < reach {
            twice.push((start, end.min(reach), "bytes that two sections share"));
        }
        reach = reach.max(end);
    }
    twice
}
