//! What terminals send, and what programs get.

use std::fmt::Write as _;

use expect_test::expect;
use proptest::prelude::*;

use super::*;

fn show(decoded: &[Decoded]) -> String {
    let mut text = String::new();
    for one in decoded {
        let _ = match one {
            Decoded::Record(Record::Key(key)) if !key.is_down => continue,
            Decoded::Record(Record::Key(key)) => {
                write!(text, "{:02x}/{:02x} {:04x} {:x}, ", key.code, key.scan, key.unit, key.state)
            }
            Decoded::Record(Record::Mouse(mouse)) => {
                write!(text, "{:?} {:x} {:x} {:x}, ", mouse.at, mouse.buttons, mouse.state, mouse.flags)
            }
            other => write!(text, "{other:?}, "),
        };
    }
    text.trim_end_matches(", ").to_owned()
}

/// One line per case: what is typed, what comes of it at once, and what comes when nothing follows.
fn table(rules: Rules, cases: &[&str]) -> String {
    let mut text = String::new();
    for case in cases {
        let mut decoder = Decoder { rules, ..Decoder::default() };
        let (now, later) = (decoder.push(case.as_bytes(), 0), decoder.flush(0));
        assert!(!decoder.is_waiting());
        let _ = write!(text, "{case:?}: {}", show(&now));
        if !later.is_empty() {
            let _ = write!(text, " later {}", show(&later));
        }
        text.push('\n');
    }
    text
}

#[test]
fn characters_and_control_characters() {
    let cases = ["a", "A", "é", "日", "😀", "\r", "\t", "\x7f", "\x08", "\x01", "\0", "\x1d", "ab"];
    expect![[r#"
        "a": 41/1e 0061 0
        "A": 41/1e 0041 10
        "é": 00/00 00e9 0
        "日": 00/00 65e5 0
        "😀": 00/00 d83d 0, 00/00 de00 0
        "\r": 0d/1c 000d 0
        "\t": 09/0f 0009 0
        "\u{7f}": 08/0e 0008 0
        "\u{8}": 08/0e 007f 8
        "\u{1}": 41/1e 0001 8
        "\0": 20/39 0020 8
        "\u{1d}": dd/1b 001d 8
        "ab": 41/1e 0061 0, 42/30 0062 0
    "#]]
    .assert_eq(&table(Rules::default(), &cases));
}

#[test]
fn keys_without_characters() {
    let cases = [
        "\x1b[A",
        "\x1bOB",
        "\x1b[1;5C",
        "\x1b[1;2D",
        "\x1b[3~",
        "\x1b[5;3~",
        "\x1b[15~",
        "\x1b[24;6~",
        "\x1bOP",
        "\x1bO5Q",
        "\x1b[1;2S",
        "\x1b[Z",
        "\x1b[[A",
        "\x1b[3^",
        "\x1b[a",
        "\x1bOc",
        "\x1bOM",
        "\x1bOp",
        "\x1b[97;5u",
        "\x1b[27;6;73~",
        "\x1b[13;2u",
        "\x1b[200~x\x1b[201~",
        "\x1b[?1;2c",
        "\x1b[1;2R",
    ];
    expect![[r#"
        "\u{1b}[A": 26/48 0000 100
        "\u{1b}OB": 28/50 0000 100
        "\u{1b}[1;5C": 27/4d 0000 108
        "\u{1b}[1;2D": 25/4b 0000 110
        "\u{1b}[3~": 2e/53 0000 100
        "\u{1b}[5;3~": 21/49 0000 102
        "\u{1b}[15~": 74/3f 0000 0
        "\u{1b}[24;6~": 7b/58 0000 18
        "\u{1b}OP": 70/3b 0000 0
        "\u{1b}O5Q": 71/3c 0000 8
        "\u{1b}[1;2S": 73/3e 0000 10
        "\u{1b}[Z": 09/0f 0009 10
        "\u{1b}[[A": 70/3b 0000 0
        "\u{1b}[3^": 2e/53 0000 108
        "\u{1b}[a": 26/48 0000 110
        "\u{1b}Oc": 27/4d 0000 108
        "\u{1b}OM": 0d/1c 000d 0
        "\u{1b}Op": 30/0b 0030 0
        "\u{1b}[97;5u": 41/1e 0001 8
        "\u{1b}[27;6;73~": 49/17 0009 18
        "\u{1b}[13;2u": 0d/1c 000d 10
        "\u{1b}[200~x\u{1b}[201~": 58/2d 0078 0
        "\u{1b}[?1;2c": 
        "\u{1b}[1;2R": 72/3d 0000 10
    "#]]
    .assert_eq(&table(Rules::default(), &cases));
}

#[test]
fn escape_alone_and_alt() {
    let cases = [
        "\x1b",
        "\x1bx",
        "\x1bX",
        "\x1b\r",
        "\x1b\x7f",
        "\x1b[",
        "\x1bO",
        "\x1b\x1b",
        "\x1b\x1b[A",
        "\x1b\x1bOP",
        "\x1b[1;",
        "\x1bé",
        "\x1b\x01",
        "\x1b[\x1b[A",
        "\x1bO\x01",
    ];
    expect![[r#"
        "\u{1b}":  later 1b/01 001b 0
        "\u{1b}x": 58/2d 0078 2
        "\u{1b}X": 58/2d 0058 12
        "\u{1b}\r": 0d/1c 000d 2
        "\u{1b}\u{7f}": 08/0e 0008 2
        "\u{1b}[":  later db/1a 005b 2
        "\u{1b}O":  later 4f/18 004f 12
        "\u{1b}\u{1b}":  later 1b/01 001b 2
        "\u{1b}\u{1b}[A": 26/48 0000 102
        "\u{1b}\u{1b}OP": 70/3b 0000 2
        "\u{1b}[1;":  later db/1a 005b 2, 31/02 0031 0, ba/27 003b 0
        "\u{1b}é": 00/00 00e9 2
        "\u{1b}\u{1}": 41/1e 0001 a
        "\u{1b}[\u{1b}[A": db/1a 005b 2, 26/48 0000 100
        "\u{1b}O\u{1}": 4f/18 004f 12, 41/1e 0001 8
    "#]]
    .assert_eq(&table(Rules::default(), &cases));
}

#[test]
fn mice_and_focus() {
    let cases = [
        "\x1b[<0;10;5M\x1b[<0;10;5m\x1b[<0;10;5M\x1b[<0;10;5m\x1b[<0;10;5M",
        "\x1b[<2;1;1M\x1b[<34;2;1M\x1b[<2;2;1m",
        "\x1b[<1;1;1M",
        "\x1b[<35;7;8M",
        "\x1b[<64;1;1M\x1b[<65;1;1M\x1b[<66;1;1M\x1b[<67;1;1M",
        "\x1b[<28;1;1M",
        "\x1b[<0;99999;0M",
        "\x1b[I\x1b[O",
    ];
    expect![[r#"
        "\u{1b}[<0;10;5M\u{1b}[<0;10;5m\u{1b}[<0;10;5M\u{1b}[<0;10;5m\u{1b}[<0;10;5M": (9, 4) 1 0 0, (9, 4) 0 0 0, (9, 4) 1 0 2, (9, 4) 0 0 0, (9, 4) 1 0 0
        "\u{1b}[<2;1;1M\u{1b}[<34;2;1M\u{1b}[<2;2;1m": (0, 0) 2 0 0, (1, 0) 2 0 1, (1, 0) 0 0 0
        "\u{1b}[<1;1;1M": (0, 0) 4 0 0
        "\u{1b}[<35;7;8M": (6, 7) 0 0 1
        "\u{1b}[<64;1;1M\u{1b}[<65;1;1M\u{1b}[<66;1;1M\u{1b}[<67;1;1M": (0, 0) 780000 0 4, (0, 0) ff880000 0 4, (0, 0) ff880000 0 8, (0, 0) 780000 0 8
        "\u{1b}[<28;1;1M": (0, 0) 1 1a 0
        "\u{1b}[<0;99999;0M": (32767, 0) 1 0 0
        "\u{1b}[I\u{1b}[O": Record(Focus(true)), Record(Focus(false))
    "#]]
    .assert_eq(&table(Rules::default(), &cases));
}

#[test]
fn sequences_are_passed_on() {
    let rules = Rules { passes_sequences: true, ..Rules::default() };
    expect![[r#"
        "\u{1b}[1;5C": 00/00 001b 0, 00/00 005b 0, 00/00 0031 0, 00/00 003b 0, 00/00 0035 0, 00/00 0043 0
        "a\u{7f}\r": 00/00 0061 0, 00/00 007f 0, 00/00 000d 0
        "😀": 00/00 d83d 0, 00/00 de00 0
        "\u{1b}":  later 00/00 001b 0
        "\u{1b}[<0;1;1M": 00/00 001b 0, 00/00 005b 0, 00/00 003c 0, 00/00 0030 0, 00/00 003b 0, 00/00 0031 0, 00/00 003b 0, 00/00 0031 0, 00/00 004d 0
    "#]]
    .assert_eq(&table(rules, &["\x1b[1;5C", "a\x7f\r", "😀", "\x1b", "\x1b[<0;1;1M"]));
}

#[test]
fn the_cursor_is_told_only_when_asked_for() {
    let mut decoder = Decoder { awaits_position: true, ..Decoder::default() };
    assert_eq!(decoder.push(b"\x1b[12;4", 0), []);
    assert_eq!(decoder.push(b"0R", 0), [Decoded::Position(39, 11)]);
}

proptest! {
    /// However bytes are cut into pieces, the same comes of them, and nothing stays.
    #[test]
    fn pieces_do_not_matter(
        parts in prop::collection::vec(
            prop_oneof![
                Just(b"\x1b[".to_vec()),
                Just(b"\x1bO".to_vec()),
                Just(b"\x1b[<0;1".to_vec()),
                prop::collection::vec(any::<u8>(), 0..4),
                prop::collection::vec(0x1b_u8..0x5f, 0..4),
            ],
            0..8,
        ),
        passes_sequences: bool,
        awaits_position: bool,
    ) {
        let rules = Rules { passes_sequences, ..Rules::default() };
        let bytes: Vec<u8> = parts.concat();
        let mut whole = Decoder { rules, awaits_position, ..Decoder::default() };
        let mut pieces = whole.clone();
        let mut expected = whole.push(&bytes, 0);
        expected.extend(whole.flush(0));
        let mut seen: Vec<Decoded> = bytes.iter().flat_map(|&byte| pieces.push(&[byte], 0)).collect();
        seen.extend(pieces.flush(0));
        prop_assert!(!whole.is_waiting());
        prop_assert_eq!(seen, expected);
    }
}
