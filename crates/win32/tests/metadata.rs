//! Holds every declaration against Microsoft's metadata: names and sizes of parameters, counts of functions per DLL.
//!
//! Functions that the metadata does not know (the C runtime, most of ntdll) are passed over.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use plat_win32::DLLS;
use plat_win32::apis::DOCUMENTED;
use plat_win32::export::Body;
use windows_metadata::reader::{File, Index, Item, MethodDef, TypeCategory};
use windows_metadata::{MethodCallAttributes, Type, TypeAttributes};

/// The metadata's bit for one machine, and the size of a pointer there.
const I386: (i32, u32) = (1, 4);
const AMD64: (i32, u32) = (2, 8);

/// Declarations that differ on purpose: DLL, name, why.
const DIFFERENT: &[(&str, &str, &str)] = &[
    ("ws2_32.dll", "inet_ntoa", "IN_ADDR is a union of four bytes, nested: it is read as a pointer here"),
    (
        "ws2_32.dll",
        "GetAddrInfoExA",
        "its last parameter has another name than that of GetAddrInfoExW, which is used",
    ),
];

/// The metadata for one machine.
struct Metadata {
    index: Index,
    pointer: u32,
}

/// A function as the metadata has it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Function {
    dll: String,
    params: Vec<(String, u32)>,
    is_variadic: bool,
    is_cdecl: bool,
}

impl Metadata {
    fn new((architecture, pointer): (i32, u32)) -> Self {
        let file = File::new(windows_default::WIN32.to_vec()).expect("the crate's file is metadata");
        Self { index: Index::new_for_architecture(vec![file], architecture), pointer }
    }

    /// Returns all functions by exported name; a name may stand in several DLLs.
    fn functions(&self) -> BTreeMap<String, Vec<Function>> {
        let mut functions = BTreeMap::<String, Vec<Function>>::new();
        for (_, _, item) in self.index.iter_items() {
            if let Item::Fn(method) = item
                && let Some(map) = method.impl_map()
            {
                functions.entry(map.import_name().to_owned()).or_default().push(self.function(method));
            }
        }
        functions
    }

    fn function(&self, method: MethodDef<'_>) -> Function {
        let signature = method.signature(&[]);
        let rows = method.params_by_sequence(signature.types.len()).expect("the metadata is sound");
        let names = rows.params().iter().map(|row| row.map_or(String::new(), |row| row.name().to_owned()));
        let sizes = signature.types.iter().map(|kind| self.size(kind));
        Function {
            dll: method.impl_map().map_or(String::new(), |map| map.import_scope().name().to_lowercase()),
            params: names.zip(sizes).collect(),
            is_variadic: signature.flags.contains(MethodCallAttributes::VARARG),
            is_cdecl: method.calling_convention() == "C",
        }
    }

    /// Returns a type's size in bytes.
    fn size(&self, kind: &Type) -> u32 {
        match kind {
            Type::Void => 0,
            Type::I8 | Type::U8 | Type::Bool => 1,
            Type::I16 | Type::U16 | Type::Char => 2,
            Type::I32 | Type::U32 | Type::F32 => 4,
            Type::I64 | Type::U64 | Type::F64 => 8,
            Type::ArrayFixed(item, count) => self.size(item) * *count as u32,
            Type::ValueName(name) if name.name == "GUID" => 16,
            Type::ValueName(name) => self.named_size(&name.namespace, &name.name),
            _ => self.pointer,
        }
    }

    fn named_size(&self, namespace: &str, name: &str) -> u32 {
        let Some(definition) = self.index.get(namespace, name).next() else { return self.pointer };
        match definition.category() {
            // The constants of an enumeration have its own type; the field that is no constant has the underlying one.
            TypeCategory::Enum => {
                let kinds = definition.fields().map(|field| field.ty());
                kinds
                    .into_iter()
                    .find(|kind| !matches!(kind, Type::ValueName(_)))
                    .map_or(4, |kind| self.size(&kind))
            }
            TypeCategory::Struct => {
                let sizes: Vec<u32> = definition.fields().map(|field| self.size(&field.ty())).collect();
                // Natural alignment: nothing that is passed by value has a packing of its own.
                let align = |size: u32| size.clamp(1, 8);
                let is_union = definition.flags().contains(TypeAttributes::ExplicitLayout);
                let end = match is_union {
                    true => sizes.iter().copied().max().unwrap_or(0),
                    false => sizes.iter().fold(0, |end: u32, &size| end.next_multiple_of(align(size)) + size),
                };
                end.next_multiple_of(sizes.iter().map(|&size| align(size)).max().unwrap_or(1))
            }
            _ => self.pointer,
        }
    }
}

/// Returns a declared parameter's size in bytes for a pointer of `pointer` bytes.
fn declared_size(type_name: &str, pointer: u32) -> Option<u32> {
    Some(match type_name {
        "u8" | "i8" => 1,
        "u16" | "i16" => 2,
        "u32" | "i32" | "f32" | "Bool" | "bool" => 4,
        "u64" | "i64" | "f64" => 8,
        "GuestWord" => pointer,
        _ => return None,
    })
}

/// Returns what is wrong with a declaration, in words; nothing when all is well.
fn compare(declared: &[(&str, &str)], function: &Function, pointer: u32) -> Vec<String> {
    let fixed: Vec<_> = declared.iter().filter(|param| !param.1.ends_with("VarArgs")).collect();
    if fixed.len() != function.params.len() {
        return vec![format!("has {} parameters, not {}", fixed.len(), function.params.len())];
    }
    let mut wrong = Vec::new();
    if (fixed.len() != declared.len()) != function.is_variadic {
        wrong.push(format!("variadic is {}", function.is_variadic));
    }
    for ((name, type_name), (true_name, true_size)) in fixed.iter().copied().zip(&function.params) {
        let size = declared_size(type_name, pointer);
        if size != Some(*true_size) {
            wrong.push(format!("{true_name}: {type_name} is not {true_size} bytes (pointers {pointer})"));
        }
        if name != true_name && pointer == 8 {
            wrong.push(format!("{name} is called {true_name}"));
        }
    }
    wrong
}

#[test]
fn declarations_equal_microsofts() {
    let mut report = String::new();
    let mut checked = 0;
    let mut unknown = BTreeSet::new();
    for machine in [I386, AMD64] {
        let metadata = Metadata::new(machine);
        let functions = metadata.functions();
        for dll in DLLS.iter().filter(|dll| dll.name != "msvcrt.dll") {
            for export in dll.exports() {
                let Body::Api(api) = export.body else { continue };
                let Some(candidates) = functions.get(export.name) else {
                    unknown.insert(format!("{}!{}", dll.name, export.name));
                    continue;
                };
                if DIFFERENT.iter().any(|row| (row.0, row.1) == (dll.name, export.name)) {
                    continue;
                }
                checked += 1;
                let declared: Vec<(&str, &str)> =
                    api.params.iter().map(|param| (param.name, param.type_name)).collect();
                // This DLL's entry decides where there is one, else any.
                let own = candidates.iter().find(|function| function.dll == dll.name);
                let function = own.unwrap_or(&candidates[0]);
                for wrong in compare(&declared, function, metadata.pointer) {
                    let _ = writeln!(report, "{}!{}: {wrong}", dll.name, export.name);
                }
                let is_cdecl = api.convention == plat_abi::Convention::Cdecl;
                if is_cdecl != function.is_cdecl {
                    let _ = writeln!(report, "{}!{}: cdecl is {}", dll.name, export.name, function.is_cdecl);
                }
            }
        }
    }
    println!("{checked} declarations checked, {} not in the metadata: {unknown:?}", unknown.len());
    assert!(checked > 400, "only {checked} checked: the metadata was not read");
    assert!(report.is_empty(), "declarations differ from Microsoft's metadata:\n{report}");
}

#[test]
fn documented_counts_are_those_of_the_metadata() {
    let functions = Metadata::new(AMD64).functions();
    let count = |dll: &str| {
        functions.values().filter(|candidates| candidates.iter().any(|function| function.dll == dll)).count()
    };
    let counts: Vec<(&str, usize)> = DOCUMENTED.iter().map(|(dll, _)| (*dll, count(dll))).collect();
    assert_eq!(counts, DOCUMENTED);
}

#[test]
fn a_wrong_declaration_is_found() {
    let function = Function {
        dll: "kernel32.dll".into(),
        params: vec![("hObject".into(), 8), ("dwFlags".into(), 4)],
        is_variadic: false,
        is_cdecl: false,
    };
    let right = [("hObject", "GuestWord"), ("dwFlags", "u32")];
    assert_eq!(compare(&right, &function, 8), Vec::<String>::new());
    assert_eq!(compare(&right[..1], &function, 8).len(), 1);
    assert_eq!(compare(&[("hObject", "u32"), ("dwFlags", "u32")], &function, 8).len(), 1);
    assert_eq!(compare(&[("handle", "GuestWord"), ("dwFlags", "u32")], &function, 8).len(), 1);
}
