//! Names and identifiers of the Windows Runtime's types: what a type with parameters consists of, and the identifier that
//! its signature makes.
//!
//! Key items: [`parts`], [`Description`], [`signature`], [`identifier`].
//!
//! Source: <https://learn.microsoft.com/uwp/winrt-cref/winrt-type-system>.

use super::crypto::hash::HashAlgorithm;
use super::guid::{self, Guid};

/// Types within types, at most: a type that holds itself ends there.
const DEPTH_MAX: u32 = 64;

/// The types that need no description, and their signatures.
const BASIC: &[(&str, &str)] = &[
    ("Int16", "i2"),
    ("Int32", "i4"),
    ("Int64", "i8"),
    ("UInt8", "u1"),
    ("UInt16", "u2"),
    ("UInt32", "u4"),
    ("UInt64", "u8"),
    ("Single", "f4"),
    ("Double", "f8"),
    ("Boolean", "b1"),
    ("Char16", "c2"),
    ("String", "string"),
    ("Guid", "g16"),
    ("Object", "cinterface(IInspectable)"),
];

/// Why there is no signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError<E> {
    /// A name is not one of a type.
    #[error("a type's name is malformed")]
    Malformed,
    /// There are more or fewer types than the types take.
    #[error("there are {left} types too many, or too few")]
    Count {
        /// How many were left over.
        left: usize,
    },
    /// Nobody described a type.
    #[error(transparent)]
    Locate(#[from] E),
}

/// The interface that stands for a class or a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DefaultInterface {
    /// By its identifier.
    Identifier(Guid),
    /// By the names of the types that it consists of.
    Named(Vec<String>),
}

/// What a type is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Description {
    /// An interface.
    Interface(Guid),
    /// A delegate.
    Delegate(Guid),
    /// An interface that takes so many types.
    ParameterizedInterface(Guid, u32),
    /// A delegate that takes so many types.
    ParameterizedDelegate(Guid, u32),
    /// A group of interfaces: name, default.
    Group(String, DefaultInterface),
    /// A class: name, default.
    Class(String, DefaultInterface),
    /// A structure: name, types of its fields.
    Struct(String, Vec<String>),
    /// An enumeration: name, type of its numbers.
    Enum(String, String),
}

/// Returns an identifier's text, in small letters.
fn text_of(guid: &Guid) -> String {
    guid::to_text(guid).to_ascii_lowercase()
}

/// Takes a type's name apart: its own name, then those of its parameters in their order. `None` where it is malformed.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/rometadataresolution/nf-rometadataresolution-roparsetypename>
pub fn parts(name: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let rest = part(name, &mut found, 0)?;
    rest.is_empty().then_some(found)
}

/// Takes one type off a text; returns what follows it.
fn part<'a>(text: &'a str, found: &mut Vec<String>, depth: u32) -> Option<&'a str> {
    let end = text.find(['<', '>', ',']).unwrap_or(text.len());
    let (name, mut rest) = text.split_at(end);
    let name = name.trim();
    if name.is_empty() || name.contains(char::is_whitespace) || depth > DEPTH_MAX {
        return None;
    }
    let wanted: usize = match name.split_once('`') {
        Some((_, count)) => count.parse().ok().filter(|&count| count > 0)?,
        None => 0,
    };
    found.push(name.to_owned());
    let Some(inside) = rest.strip_prefix('<') else { return (wanted == 0).then_some(rest) };
    rest = inside;
    for index in 0..wanted {
        rest = part(rest, found, depth + 1)?;
        rest = rest.strip_prefix(if index + 1 == wanted { '>' } else { ',' })?;
    }
    // What follows the last bracket is up to the type around.
    (wanted > 0).then_some(rest.trim_start())
}

/// Makes the signatures of types out of their descriptions.
struct Signer<'a, E> {
    locate: &'a mut dyn FnMut(&str) -> Result<Description, E>,
    depth: u32,
}

impl<E> Signer<'_, E> {
    /// Makes the signature of a type that consists of these.
    fn whole(&mut self, names: &[String]) -> Result<String, SignatureError<E>> {
        let mut rest = names;
        let text = self.next(&mut rest)?;
        if rest.is_empty() { Ok(text) } else { Err(SignatureError::Count { left: rest.len() }) }
    }

    /// Makes the signature of the next type, which takes what it needs.
    fn next(&mut self, rest: &mut &[String]) -> Result<String, SignatureError<E>> {
        let (name, others) = rest.split_first().ok_or(SignatureError::Count { left: 0 })?;
        *rest = others;
        if let Some((_, text)) = BASIC.iter().find(|(basic, _)| basic == name) {
            return Ok((*text).to_owned());
        }
        if self.depth == DEPTH_MAX {
            return Err(SignatureError::Malformed);
        }
        self.depth += 1;
        let described = (self.locate)(name)?;
        let text = self.described(described, rest);
        self.depth -= 1;
        text
    }

    fn described(
        &mut self,
        description: Description,
        rest: &mut &[String],
    ) -> Result<String, SignatureError<E>> {
        Ok(match description {
            Description::Interface(guid) => text_of(&guid),
            Description::Delegate(guid) => format!("delegate({})", text_of(&guid)),
            Description::ParameterizedInterface(guid, count)
            | Description::ParameterizedDelegate(guid, count) => {
                let mut text = format!("pinterface({}", text_of(&guid));
                for _ in 0..count {
                    text = text + ";" + &self.next(rest)?;
                }
                text + ")"
            }
            Description::Group(name, default) => format!("ig({name};{})", self.default(&default)?),
            Description::Class(name, default) => format!("rc({name};{})", self.default(&default)?),
            Description::Struct(name, fields) => {
                let mut text = format!("struct({name}");
                for field in fields {
                    text = text + ";" + &self.whole(&parts(&field).ok_or(SignatureError::Malformed)?)?;
                }
                text + ")"
            }
            Description::Enum(name, base) => format!("enum({name};{})", self.whole(&[base])?),
        })
    }

    fn default(&mut self, default: &DefaultInterface) -> Result<String, SignatureError<E>> {
        match default {
            DefaultInterface::Identifier(guid) => Ok(text_of(guid)),
            DefaultInterface::Named(names) => self.whole(names),
        }
    }
}

/// Makes the signature of a type that consists of `names`; `locate` describes what is none of the basic types.
///
/// # Errors
/// [`SignatureError`] when names and descriptions do not fit, or `locate` failed.
pub fn signature<E>(
    names: &[String],
    locate: &mut dyn FnMut(&str) -> Result<Description, E>,
) -> Result<String, SignatureError<E>> {
    Signer { locate, depth: 0 }.whole(names)
}

/// Returns the identifier that a signature makes: a name-based one of version 5.
///
/// Source: <https://learn.microsoft.com/uwp/winrt-cref/winrt-type-system>, RFC 4122.
pub fn identifier(signature: &str) -> Guid {
    /// `11f47ad5-7b73-42c0-abae-878b1e16adee`, in the order of the text.
    const NAMESPACE: [u8; 16] =
        [0x11, 0xf4, 0x7a, 0xd5, 0x7b, 0x73, 0x42, 0xc0, 0xab, 0xae, 0x87, 0x8b, 0x1e, 0x16, 0xad, 0xee];
    let hash = HashAlgorithm::Sha1.hash(&[NAMESPACE.as_slice(), signature.as_bytes()].concat());
    let mut guid = Guid::default();
    guid.copy_from_slice(&hash[..16]);
    guid[6] = guid[6] & 0x0f | 0x50;
    guid[8] = guid[8] & 0x3f | 0x80;
    // In memory the first three fields are numbers.
    guid[..4].reverse();
    guid[4..6].reverse();
    guid[6..8].reverse();
    guid
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::com::guid;

    const VECTOR: Guid = guid(0x9133_37e9, 0x11a1, 0x4345, 0xa3a2_4e7f_956e_222d);
    const MAP: Guid = guid(0x3c29_25fe, 0x8519, 0x45c1, 0xaa79_197b_6718_c1c1);
    const REFERENCE: Guid = guid(0x61c1_7706, 0x2d65, 0x11e0, 0x9ae8_d485_6401_5472);

    fn describe(name: &str) -> Result<Description, String> {
        let text = |text: &str| text.to_owned();
        Ok(match name {
            "IVector`1" => Description::ParameterizedInterface(VECTOR, 1),
            "IMap`2" => Description::ParameterizedInterface(MAP, 2),
            "IReference`1" => Description::ParameterizedInterface(REFERENCE, 1),
            "Rect" => Description::Struct(text(name), vec![text("Single"), text("IVector`1<Int32>")]),
            "Kind" => Description::Enum(text(name), text("Int32")),
            "Done" => Description::Delegate(VECTOR),
            "Uri" => Description::Class(text(name), DefaultInterface::Identifier(MAP)),
            "Group" => {
                Description::Group(text(name), DefaultInterface::Named(vec![text("IVector`1"), text("Kind")]))
            }
            "Self" => Description::Class(text(name), DefaultInterface::Named(vec![text("Self")])),
            _ => return Err(text(name)),
        })
    }

    fn sign(name: &str) -> Result<String, SignatureError<String>> {
        signature(&parts(name).expect("well formed"), &mut describe)
    }

    #[test]
    fn known_types_have_their_identifiers() {
        for (name, wanted) in [
            ("IVector`1<String>", "{98b9acc1-4b56-532e-ac73-03d5291cca90}"),
            ("IMap`2<String, Object>", "{1b0d3570-0877-5ec2-8a2c-3b9539506aca}"),
            ("IReference`1<Int32>", "{548cefbd-bc8a-5fa0-8df2-957440fc8bf4}"),
        ] {
            let signed = sign(name).expect("described");
            assert_eq!(text_of(&identifier(&signed)), wanted, "{name}: {signed}");
        }
    }

    #[test]
    fn every_kind_has_its_signature() {
        let vector = "{913337e9-11a1-4345-a3a2-4e7f956e222d}";
        let map = "{3c2925fe-8519-45c1-aa79-197b6718c1c1}";
        for (name, wanted) in [
            ("Kind", "enum(Kind;i4)".to_owned()),
            ("Done", format!("delegate({vector})")),
            ("Uri", format!("rc(Uri;{map})")),
            ("Group", format!("ig(Group;pinterface({vector};enum(Kind;i4)))")),
            ("Rect", format!("struct(Rect;f4;pinterface({vector};i4))")),
        ] {
            assert_eq!(sign(name), Ok(wanted));
        }
        assert_eq!(sign("Nobody"), Err(SignatureError::Locate("Nobody".to_owned())));
        assert_eq!(sign("Self"), Err(SignatureError::Malformed));
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let sign = |list: &[&str]| signature(&names(list), &mut describe);
        assert_eq!(sign(&["IVector`1"]), Err(SignatureError::Count { left: 0 }));
        assert_eq!(sign(&["Int32", "Int32"]), Err(SignatureError::Count { left: 1 }));
    }

    #[test]
    fn names_come_apart() {
        let apart = |name| parts(name).map(|parts| parts.join(" "));
        assert_eq!(apart("String").as_deref(), Some("String"));
        assert_eq!(apart("A.B`2<C`1<D`1<E>>, F>").as_deref(), Some("A.B`2 C`1 D`1 E F"));
        for bad in
            ["", "A`1", "A<B>", "A`1<B", "A`1<B>>", "A`2<B>", "A`1<B,C>", "A`x<B>", "A`1<>", "A B", "A`0<>"]
        {
            assert_eq!(parts(bad), None, "{bad}");
        }
    }
}
