//! Sections: what `CreateFileMapping` makes, and the views of them.
//!
//! Key type: [`SectionObject`].

use plat_host::file_image::FileImage;
use plat_host::section::Section;
use plat_regions::windows::{PageProtection, ViewRequest};
use plat_regions::{Address, AddressRange};

use super::file::FileObject;
use super::names::LeaseCell;
use super::object::{Object, ObjectKind};
use crate::NtStatus;
use crate::process::Process;

/// A section.
#[derive(Debug)]
pub struct SectionObject {
    section: Section,
    /// The widest protection that views may have.
    protection: PageProtection,
    owner: String,
    is_of_file: bool,
    /// The file's bytes and how many the image takes in memory, if it is a section of an image.
    image: Option<(FileImage, u64)>,
    lease: LeaseCell,
}

impl Object for SectionObject {
    fn kind(&self) -> ObjectKind {
        ObjectKind::Section
    }
    fn lease(&self) -> Option<&LeaseCell> {
        Some(&self.lease)
    }
}

impl SectionObject {
    /// Makes a section of a file (of its size when `size` is 0; a longer one lengthens the file), or of memory.
    ///
    /// # Errors
    /// `MAPPED_FILE_SIZE_ZERO` for an empty file, `SECTION_TOO_BIG` for a file that may not grow,
    /// `INVALID_PARAMETER_4` for memory without size, `INVALID_PAGE_PROTECTION`, and the file's own.
    pub fn create(
        file: Option<&FileObject>,
        protection: PageProtection,
        size: u64,
    ) -> Result<Self, NtStatus> {
        if !protection.is_valid() || protection == PageProtection::NOACCESS {
            return Err(NtStatus::INVALID_PAGE_PROTECTION);
        }
        let Some(file) = file else {
            if size == 0 {
                return Err(NtStatus::INVALID_PARAMETER_4);
            }
            let section = Section::anonymous(size).map_err(|errno| NtStatus::from_errno(errno.0))?;
            return Ok(Self {
                section,
                protection,
                owner: "section".to_owned(),
                is_of_file: false,
                image: None,
                lease: LeaseCell::default(),
            });
        };
        let length = file.size()?;
        if size == 0 && length == 0 {
            return Err(NtStatus::MAPPED_FILE_SIZE_ZERO);
        }
        if size > length {
            let grows =
                protection == PageProtection::READWRITE || protection == PageProtection::EXECUTE_READWRITE;
            if !grows {
                return Err(NtStatus::SECTION_TOO_BIG);
            }
            file.set_size(size)?;
        }
        let size = if size == 0 { length } else { size };
        Self::of_file(file, protection, size)
    }

    /// Makes a section of an image (`SEC_IMAGE`): its views are laid out as a loaded DLL.
    ///
    /// # Errors
    /// `INVALID_IMAGE_NOT_MZ`, `INVALID_IMAGE_FORMAT`, and the file's own.
    pub fn create_image(
        process: &Process,
        file: &FileObject,
        protection: PageProtection,
    ) -> Result<Self, NtStatus> {
        let bytes = FileImage::of(&file.file);
        let bytes = bytes.map_err(|error| NtStatus::from_errno(error.raw_os_error().unwrap_or(0)))?;
        let size = process.loader().image_size(&bytes)?;
        Ok(Self { image: Some((bytes, size)), ..Self::of_file(file, protection, file.size()?)? })
    }

    fn of_file(file: &FileObject, protection: PageProtection, size: u64) -> Result<Self, NtStatus> {
        let section = Section::of_file(&file.file, size).map_err(|errno| NtStatus::from_errno(errno.0))?;
        let path = file.unix_path();
        let name =
            path.as_ref().and_then(|path| path.file_name()).map(|name| name.to_string_lossy().into_owned());
        Ok(Self {
            section,
            protection,
            owner: name.unwrap_or_else(|| "file".to_owned()),
            is_of_file: true,
            image: None,
            lease: LeaseCell::default(),
        })
    }

    /// Takes what another process shares.
    pub fn shared(section: Section, protection: PageProtection) -> Self {
        let (owner, lease) = ("shared section".to_owned(), LeaseCell::default());
        Self { section, protection, owner, is_of_file: false, image: None, lease }
    }

    /// Returns what is mapped.
    pub fn section(&self) -> &Section {
        &self.section
    }

    /// Says whether it is one of a file.
    pub fn is_of_file(&self) -> bool {
        self.is_of_file
    }

    /// Returns the widest protection that views may have.
    pub fn protection(&self) -> PageProtection {
        self.protection
    }

    /// Says whether it is one of an image.
    pub fn is_image(&self) -> bool {
        self.image.is_some()
    }

    /// Returns its size in bytes; that of an image is the one in memory.
    pub fn size(&self) -> u64 {
        self.image.as_ref().map_or(self.section.size(), |(_, size)| *size)
    }

    /// Maps a view of `size` bytes (to the section's end when 0) from `offset`; of an image the whole, whose sections say
    /// what may be done with it.
    ///
    /// # Errors
    /// `MAPPED_ALIGNMENT` when base or offset is no multiple of 64 KiB, `INVALID_VIEW_SIZE` past the end,
    /// `SECTION_PROTECTION` when the section does not allow the protection, and what the books say.
    pub fn map(
        &self,
        process: &Process,
        base: Option<Address>,
        offset: u64,
        size: u64,
        protection: PageProtection,
    ) -> Result<AddressRange, NtStatus> {
        if let Some((bytes, whole)) = &self.image {
            // A view of a part of an image is as rare as it is odd.
            let is_whole = offset == 0 && size <= whole.next_multiple_of(plat_regions::PAGE_SIZE);
            return match is_whole {
                true => process.loader().map_image(bytes, &self.owner, base),
                false => Err(NtStatus::INVALID_VIEW_SIZE),
            };
        }
        let places = [offset, base.unwrap_or_default().get()];
        if places.iter().any(|place| !place.is_multiple_of(plat_regions::ALLOCATION_GRANULARITY)) {
            return Err(NtStatus::MAPPED_ALIGNMENT);
        }
        let request = self.view(base, offset, size, protection)?;
        process.memory.map_view(&request, &self.section, !protection.is_write_copy(), false)
    }

    /// Maps a view of `size` bytes (to the section's end when 0) from `offset` in place of the placeholder at `base`.
    ///
    /// # Errors
    /// As [`Self::map`]; base and offset need only be multiples of a page.
    pub fn map_over_placeholder(
        &self,
        process: &Process,
        base: Address,
        offset: u64,
        size: u64,
        protection: PageProtection,
    ) -> Result<AddressRange, NtStatus> {
        let request = self.view(Some(base), offset, size, protection)?;
        process.memory.map_view(&request, &self.section, !protection.is_write_copy(), true)
    }

    /// Checks what a view may be.
    fn view(
        &self,
        base: Option<Address>,
        offset: u64,
        size: u64,
        protection: PageProtection,
    ) -> Result<ViewRequest, NtStatus> {
        let copies = protection.is_write_copy();
        let allowed = self.protection.access();
        let wanted = protection.access();
        let writes = wanted.contains(plat_regions::Access::WRITE) && !copies;
        let may_write = allowed.contains(plat_regions::Access::WRITE) && !self.protection.is_write_copy();
        let executes = wanted.contains(plat_regions::Access::EXECUTE);
        let may_execute = allowed.contains(plat_regions::Access::EXECUTE);
        if writes && !may_write || executes && !may_execute {
            return Err(NtStatus::SECTION_PROTECTION);
        }
        let rest =
            self.size().checked_sub(offset).filter(|&rest| rest > 0).ok_or(NtStatus::INVALID_VIEW_SIZE)?;
        let size = if size == 0 { rest } else { size };
        // Views end at a page, the section within it.
        if size > rest.next_multiple_of(plat_regions::PAGE_SIZE) {
            return Err(NtStatus::INVALID_VIEW_SIZE);
        }
        let owner = format!("view of {}", self.owner);
        Ok(ViewRequest {
            base,
            size,
            offset,
            protection,
            purpose: plat_regions::Use::Private,
            owner: owner.into(),
            reserve_only: false,
            of_memory: !self.is_of_file,
        })
    }
}
