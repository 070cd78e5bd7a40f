//! vcomp140.dll, Microsoft's OpenMP runtime: what the compiler's code for parallel regions calls.
//!
//! Source: <https://learn.microsoft.com/cpp/parallel/openmp/openmp-in-visual-cpp>; the OpenMP 2.0 specification.

pub mod atomics;
pub mod loops;
pub mod sync;
mod team;

use crate::export::Dll;

/// The DLL.
pub const DLL: Dll = Dll {
    name: "vcomp140.dll",
    description: "Microsoft\u{ae} C/C++ OpenMP Runtime",
    tables: &[atomics::EXPORTS, atomics::REDUCTIONS, loops::EXPORTS, sync::EXPORTS],
    methods: &[],
};
