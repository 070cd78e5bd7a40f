//! Names of types as Visual C++ decorates them → as C++ writes them: `.?AVfoo@bar@@` → `class bar::foo`.
//!
//! Source: <https://learn.microsoft.com/cpp/build/reference/decorated-names>; the letters as LLVM's documentation of
//! the Microsoft C++ ABI lists them.

/// Returns the C++ spelling of a decorated type name as `type_info` holds it; what is not understood stays as it is.
pub fn undecorate_type(decorated: &str) -> String {
    let Some(text) = decorated.strip_prefix('.') else { return decorated.to_owned() };
    let mut parser = Parser { text: text.as_bytes(), at: 0, names: Vec::new(), types: Vec::new(), depth: 0 };
    match parser.type_name() {
        Some(name) if parser.at == text.len() => name,
        _ => decorated.to_owned(),
    }
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    /// Names and argument types so far: digits refer to them.
    names: Vec<String>,
    types: Vec<String>,
    depth: u32,
}

/// Names nested deeper than this are not looked into.
const DEPTH_MAX: u32 = 64;

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn skip(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn type_name(&mut self) -> Option<String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        let name = match self.take()? {
            b'?' => {
                let qualifier = cv(self.take()?)?;
                Some(join(&self.type_name()?, qualifier))
            }
            b'V' => Some(format!("class {}", self.qualified()?)),
            b'U' => Some(format!("struct {}", self.qualified()?)),
            b'T' => Some(format!("union {}", self.qualified()?)),
            b'W' => {
                self.take()?;
                Some(format!("enum {}", self.qualified()?))
            }
            b'P' => self.pointer("*", ""),
            b'Q' => self.pointer("*", "const"),
            b'R' => self.pointer("*", "volatile"),
            b'S' => self.pointer("*", "const volatile"),
            b'A' => self.pointer("&", ""),
            b'$' if self.text[self.at..].starts_with(b"$Q") => {
                self.at += 2;
                self.pointer("&&", "")
            }
            b'$' if self.text[self.at..].starts_with(b"$T") => {
                self.at += 2;
                Some("std::nullptr_t".to_owned())
            }
            b'_' => long_basic(self.take()?).map(str::to_owned),
            digit @ b'0'..=b'9' => self.types.get(usize::from(digit - b'0')).cloned(),
            letter => basic(letter).map(str::to_owned),
        };
        self.depth -= 1;
        name
    }

    /// Reads what a pointer or reference is to.
    fn pointer(&mut self, mark: &str, own: &str) -> Option<String> {
        // `E`: a 64-bit pointer, which the spelling shows too.
        let wide = if self.skip(b'E') { " __ptr64" } else { "" };
        if self.peek() == Some(b'6') {
            self.at += 1;
            let (result, convention, arguments) = self.function()?;
            return Some(format!("{result} ({convention}{mark}{wide}{})({arguments})", spaced(own)));
        }
        let qualifier = cv(self.take()?)?;
        let target = join(&self.type_name()?, qualifier);
        Some(format!("{target} {mark}{}{wide}", spaced(own)))
    }

    fn function(&mut self) -> Option<(String, &'static str, String)> {
        let convention = match self.take()? {
            b'A' | b'B' => "__cdecl",
            b'G' | b'H' => "__stdcall",
            b'I' | b'J' => "__fastcall",
            b'E' | b'F' => "__thiscall",
            b'Q' => "__vectorcall",
            _ => return None,
        };
        let result = self.type_name()?;
        let mut arguments = Vec::new();
        if self.skip(b'X') {
            arguments.push("void".to_owned());
        } else {
            loop {
                if self.skip(b'@') {
                    break;
                }
                if self.skip(b'Z') {
                    arguments.push("...".to_owned());
                    break;
                }
                arguments.push(self.argument()?);
            }
        }
        // The end of the list of exceptions.
        self.skip(b'Z');
        Some((result, convention, arguments.join(",")))
    }

    /// Reads an argument's type; one of more than a letter can be referred to.
    fn argument(&mut self) -> Option<String> {
        let start = self.at;
        let name = self.type_name()?;
        if self.at - start > 1 && self.types.len() < 10 {
            self.types.push(name.clone());
        }
        Some(name)
    }

    /// Reads `name@scope@outer@@`.
    fn qualified(&mut self) -> Option<String> {
        let mut parts = Vec::new();
        while !self.skip(b'@') {
            parts.push(self.part()?);
        }
        parts.reverse();
        Some(parts.join("::"))
    }

    fn part(&mut self) -> Option<String> {
        if let Some(digit @ b'0'..=b'9') = self.peek() {
            self.at += 1;
            return self.names.get(usize::from(digit - b'0')).cloned();
        }
        if self.text[self.at..].starts_with(b"?$") {
            self.at += 2;
            return self.template();
        }
        if self.text[self.at..].starts_with(b"?A") {
            self.simple()?;
            return Some("`anonymous namespace'".to_owned());
        }
        let name = self.simple()?;
        self.remember(&name);
        Some(name)
    }

    fn remember(&mut self, name: &str) {
        if self.names.len() < 10 && !self.names.iter().any(|known| known == name) {
            self.names.push(name.to_owned());
        }
    }

    fn simple(&mut self) -> Option<String> {
        let rest = &self.text[self.at..];
        let length = rest.iter().position(|&byte| byte == b'@').filter(|&length| length > 0)?;
        self.at += length + 1;
        Some(String::from_utf8_lossy(&rest[..length]).into_owned())
    }

    fn template(&mut self) -> Option<String> {
        // References inside a template's arguments are to names inside it.
        let outer = (std::mem::take(&mut self.names), std::mem::take(&mut self.types));
        let name = self.simple()?;
        self.remember(&name);
        let mut arguments = Vec::new();
        while !self.skip(b'@') {
            if self.text[self.at..].starts_with(b"$0") {
                self.at += 2;
                arguments.push(self.number()?);
            } else if self.text[self.at..].starts_with(b"$$V") {
                self.at += 3;
            } else {
                arguments.push(self.argument()?);
            }
        }
        (self.names, self.types) = outer;
        let list = arguments.join(",");
        let gap = if list.ends_with('>') { " " } else { "" };
        let whole = format!("{name}<{list}{gap}>");
        self.remember(&whole);
        Some(whole)
    }

    /// Reads a number: `0` is 1, letters `A`..`P` are digits up to `@`.
    fn number(&mut self) -> Option<String> {
        let sign = if self.skip(b'?') { "-" } else { "" };
        if let Some(digit @ b'0'..=b'9') = self.peek() {
            self.at += 1;
            return Some(format!("{sign}{}", u32::from(digit - b'0') + 1));
        }
        let mut value = 0u64;
        loop {
            match self.take()? {
                b'@' => return Some(format!("{sign}{value}")),
                letter @ b'A'..=b'P' => value = value.wrapping_mul(16) + u64::from(letter - b'A'),
                _ => return None,
            }
        }
    }
}

fn cv(letter: u8) -> Option<&'static str> {
    Some(match letter {
        b'A' => "",
        b'B' => "const",
        b'C' => "volatile",
        b'D' => "const volatile",
        _ => return None,
    })
}

fn spaced(word: &str) -> String {
    if word.is_empty() { String::new() } else { format!(" {word}") }
}

fn join(name: &str, qualifier: &str) -> String {
    format!("{name}{}", spaced(qualifier))
}

fn basic(letter: u8) -> Option<&'static str> {
    Some(match letter {
        b'C' => "signed char",
        b'D' => "char",
        b'E' => "unsigned char",
        b'F' => "short",
        b'G' => "unsigned short",
        b'H' => "int",
        b'I' => "unsigned int",
        b'J' => "long",
        b'K' => "unsigned long",
        b'M' => "float",
        b'N' => "double",
        b'O' => "long double",
        b'X' => "void",
        _ => return None,
    })
}

fn long_basic(letter: u8) -> Option<&'static str> {
    Some(match letter {
        b'J' => "__int64",
        b'K' => "unsigned __int64",
        b'N' => "bool",
        b'W' => "wchar_t",
        b'S' => "char16_t",
        b'U' => "char32_t",
        b'Q' => "char8_t",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::undecorate_type;

    #[test]
    fn types_are_spelled_as_in_programs() {
        for (decorated, spelled) in [
            (".H", "int"),
            (".?AVexception@std@@", "class std::exception"),
            (".?AUpoint@@", "struct point"),
            (".?AW4color@@", "enum color"),
            (".PAD", "char *"),
            (".PEBD", "char const * __ptr64"),
            (".?AV?$vector@HV?$allocator@H@std@@@std@@", "class std::vector<int,class std::allocator<int> >"),
            (".?AVlocal@?A0x12345678@@", "class `anonymous namespace'::local"),
            (".P6AHH@Z", "int (__cdecl*)(int)"),
            (".?AV?$array@H$02@std@@", "class std::array<int,3>"),
            ("?nonsense", "?nonsense"),
            (".?AV", ".?AV"),
        ] {
            assert_eq!(undecorate_type(decorated), spelled);
        }
    }
}
