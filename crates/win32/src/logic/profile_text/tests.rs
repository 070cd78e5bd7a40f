//! Values, changes and structures of `.ini` files.

use super::*;

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

fn narrow(text: &[u16]) -> String {
    String::from_utf16_lossy(text)
}

const TEXT: &str =
    "; first\r\n[One]\r\n a = 1 \r\nb=\"two words\"\r\n;c=3\r\nd\r\n\r\n [ Two ] rest\r\nA=0x1F\r\n";

#[test]
fn values_are_found_without_regard_to_case() {
    let text = ProfileText::parse(&wide(TEXT));
    assert_eq!(text.sections().iter().map(|name| narrow(name)).collect::<Vec<_>>(), ["One", "Two"]);
    assert_eq!(text.value(&wide("one"), &wide(" A ")), Some(wide("1")));
    assert_eq!(unquoted(&text.value(&wide("ONE"), &wide("b")).expect("there")), wide("two words"));
    assert_eq!(text.value(&wide("one"), &wide("c")), None, "a comment");
    assert_eq!(text.keys(&wide("one")).len(), 2);
    let pairs: Vec<String> = text.pairs(&wide("one")).iter().map(|pair| narrow(pair)).collect();
    assert_eq!(pairs, ["a=1", "b=\"two words\"", "d"]);
    assert_eq!(number(&text.value(&wide("two"), &wide("a")).expect("there")), 31);
    assert_eq!([number(&wide("-12x")), number(&wide("+7")), number(&wide("x"))], [-12, 7, 0]);
}

#[test]
fn what_is_around_a_change_stays() {
    let mut text = ProfileText::parse(&wide(TEXT));
    text.set(&wide("one"), &wide("a"), &wide("9"));
    text.set(&wide("one"), &wide("new"), &wide("10"));
    text.set(&wide("three"), &wide("x"), &wide(""));
    text.remove(&wide("two"), &wide("a"));
    let expected = "; first\r\n[One]\r\na=9\r\nb=\"two words\"\r\n;c=3\r\nd\r\nnew=10\r\n\r\n [ Two ] rest\r\n[three]\r\nx=\r\n";
    assert_eq!(narrow(&text.text()), expected);
    text.replace_section(&wide("one"), vec![wide("k=v")]);
    text.remove_section(&wide("two"));
    assert_eq!(narrow(&text.text()), "; first\r\n[One]\r\nk=v\r\n\r\n[three]\r\nx=\r\n");
}

#[test]
fn structures_have_a_sum() {
    let text = structure_text(&[1, 2, 0xff]);
    assert_eq!(narrow(&text), "0102FF02");
    assert_eq!(structure(&text), Some(vec![1, 2, 0xff]));
    assert_eq!(structure(&wide("0102FF03")), None);
    assert_eq!(structure(&wide("010")), None);
    assert_eq!(structure(&[]), None);
}
