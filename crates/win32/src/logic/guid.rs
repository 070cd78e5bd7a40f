//! Identifiers of 128 bits and their text, `{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}`. Key type: [`Guid`].

/// An identifier, as it lies in memory.
pub type Guid = [u8; 16];

/// Where the text's digits stand in the bytes: the first three fields are little-endian numbers.
const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

/// Makes the text of an identifier, without its zero.
pub fn to_text(bytes: &Guid) -> String {
    let mut text = String::from("{");
    for (place, &at) in ORDER.iter().enumerate() {
        if [4, 6, 8, 10].contains(&place) {
            text.push('-');
        }
        text.push_str(&format!("{:02X}", bytes[at]));
    }
    text.push('}');
    text
}

/// Reads the text of an identifier.
pub fn from_text(text: &str) -> Option<Guid> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    let groups: Vec<&str> = inner.split('-').collect();
    if groups.iter().map(|group| group.len()).ne([8, 4, 4, 4, 12]) {
        return None;
    }
    let digits = groups.concat();
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 16];
    for (place, &at) in ORDER.iter().enumerate() {
        bytes[at] = u8::from_str_radix(&digits[place * 2..place * 2 + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{from_text, to_text};

    #[test]
    fn text_and_bytes() {
        let text = "{00112233-4455-6677-8899-AABBCCDDEEFF}";
        let bytes = from_text(text).expect("it is one");
        assert_eq!(bytes[..8], [0x33, 0x22, 0x11, 0, 0x55, 0x44, 0x77, 0x66]);
        assert_eq!(to_text(&bytes), text);
        for bad in
            ["", "{}", "00112233-4455-6677-8899-AABBCCDDEEFF", "{0011223-34455-6677-8899-AABBCCDDEEFF}"]
        {
            assert_eq!(from_text(bad), None, "{bad}");
        }
    }
}
