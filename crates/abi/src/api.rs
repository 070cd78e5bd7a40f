//! The description of one Windows function: what tables, thunks, traces and tests know about it.

/// How the arguments of a 32-bit call are removed; in 64 bits all conventions are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convention {
    /// The callee removes them: `ret N`.
    Stdcall,
    /// The caller removes them.
    Cdecl,
}

/// One parameter of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParamInfo {
    /// Its name, spelled as Windows does.
    pub name: &'static str,
    /// Its Rust type as written in the declaration.
    pub type_name: &'static str,
    /// Bytes on the stack of a 32-bit guest.
    pub size_i386: u32,
}

/// What a call leaves in the guest's registers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Raw {
    /// RAX, or EDX:EAX.
    Integer(u64),
    /// XMM0, or ST0.
    Double(f64),
    /// The low half of XMM0 in single precision, or ST0.
    Float(f32),
}

/// A type that a function may return; `G` is the guest that the call came from.
pub trait Return<G> {
    /// Makes the register value; sets the last error, or raises an exception in the guest, where the type says so.
    fn finish(self, guest: &mut G) -> Raw;
}

/// All that is known about one function, as a value.
pub struct ApiDescriptor<G: 'static> {
    /// The function's name, spelled as Windows does.
    pub name: &'static str,
    /// How its arguments are removed.
    pub convention: Convention,
    /// Its parameters in order.
    pub params: &'static [ParamInfo],
    /// Whether more arguments may follow.
    pub variadic: bool,
    /// Takes the arguments, calls the Rust function, finishes its result.
    pub entry: fn(&mut G) -> Raw,
}

impl<G> ApiDescriptor<G> {
    /// Returns the bytes that a 32-bit stdcall function removes from the stack: the `N` of its `ret N`.
    pub const fn stack_bytes_i386(&self) -> u32 {
        let mut sum = 0;
        let mut i = 0;
        while i < self.params.len() {
            sum += self.params[i].size_i386;
            i += 1;
        }
        match self.convention {
            Convention::Stdcall => sum,
            Convention::Cdecl => 0,
        }
    }
}

/// Implemented by the type that `#[winapi]` puts beside each function under the function's own name.
pub trait Api<G: 'static> {
    /// The function's description.
    const DESCRIPTOR: ApiDescriptor<G>;
}

impl<G> Return<G> for () {
    #[inline]
    fn finish(self, _: &mut G) -> Raw {
        Raw::Integer(0)
    }
}

macro_rules! integers {
    ($($type:ty => $via:ty),*) => {$(
        impl<G> Return<G> for $type {
            #[inline]
            fn finish(self, _: &mut G) -> Raw {
                Raw::Integer(self as $via as u64)
            }
        }
    )*};
}
// Signed values are widened to the 32 bits of EAX, not further: the upper half of RAX is undefined for them.
integers!(u8 => u8, u16 => u16, u32 => u32, i32 => u32, u64 => u64, i64 => u64, bool => u8);

impl<G> Return<G> for crate::GuestWord {
    #[inline]
    fn finish(self, _: &mut G) -> Raw {
        Raw::Integer(self.0)
    }
}

impl<G> Return<G> for f64 {
    #[inline]
    fn finish(self, _: &mut G) -> Raw {
        Raw::Double(self)
    }
}

impl<G> Return<G> for f32 {
    #[inline]
    fn finish(self, _: &mut G) -> Raw {
        Raw::Float(self)
    }
}

impl<G> std::fmt::Debug for ApiDescriptor<G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiDescriptor").field("name", &self.name).finish_non_exhaustive()
    }
}
