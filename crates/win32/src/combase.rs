//! combase.dll: what ole32 has, under the name where today's programs look for it.

use crate::dll;
use crate::export::{Dll, Export};

const EXPORTS: &[Export] = dll! {
    forward CoTaskMemAlloc => "ole32.CoTaskMemAlloc";
    forward CoTaskMemRealloc => "ole32.CoTaskMemRealloc";
    forward CoTaskMemFree => "ole32.CoTaskMemFree";
    forward CoInitializeEx => "ole32.CoInitializeEx";
    forward CoUninitialize => "ole32.CoUninitialize";
    forward CoInitializeSecurity => "ole32.CoInitializeSecurity";
    forward CoCreateInstance => "ole32.CoCreateInstance";
    forward CoCreateGuid => "ole32.CoCreateGuid";
    forward StringFromGUID2 => "ole32.StringFromGUID2";
    forward CLSIDFromString => "ole32.CLSIDFromString";
    forward IIDFromString => "ole32.IIDFromString";
};

/// The DLL.
pub const DLL: Dll =
    Dll { name: "combase.dll", description: "Microsoft COM for Windows", tables: &[EXPORTS], methods: &[] };
