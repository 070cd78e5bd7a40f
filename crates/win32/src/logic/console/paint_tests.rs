//! Screens against a model of a terminal, and what is sent to it.

use expect_test::expect;
use proptest::prelude::*;

use super::super::screen::Rectangle;
use super::*;

fn text_of(screen: &Screen) -> String {
    let (columns, rows) = screen.size();
    let mut text = String::new();
    for row in 0..rows {
        let cells = screen.read(usize::from(columns), (0, row)).unwrap_or_default();
        let units: Vec<u16> =
            cells.iter().filter(|cell| cell.attributes & TRAILING_HALF == 0).map(|cell| cell.unit).collect();
        text.push_str(String::from_utf16_lossy(&units).trim_end());
        text.push('\n');
    }
    text
}

#[test]
fn colours_become_terminal_sequences() {
    let cases = [
        (7, "\x1b[0m"),
        (4, "\x1b[0;31m"),
        (9, "\x1b[0;94m"),
        (0x4e, "\x1b[0;93;41m"),
        (0x17, "\x1b[0;37;44m"),
        (0xc007, "\x1b[0;4;7m"),
    ];
    for (attributes, expected) in cases {
        assert_eq!(colours(attributes), expected, "{attributes:#x}");
    }
}

#[test]
fn text_moves_the_cursor() {
    let cases = [
        ("ab", (2, 0)),
        ("ab\r", (0, 0)),
        ("ab\n", (0, 1)),
        ("\t", (8, 0)),
        ("0123456789", (9, 0)),
        ("0123456789a", (1, 1)),
        ("\n\n\n\n\n\n", (0, 3)),
        ("\x1b[3;4H", (3, 2)),
        ("\x1b[99;99H", (9, 3)),
        ("x\x1b[2C\x1b[B", (3, 1)),
        ("\x1b]0;title\x07x", (1, 0)),
        ("\x1b]0;title\x1b\\x", (1, 0)),
        ("\x1b7abc\x1b8", (0, 0)),
        ("日本", (4, 0)),
        ("e\u{301}", (1, 0)),
        ("012345678日", (2, 1)),
        ("\x1b[31mred", (3, 0)),
        ("\x1b[?25lx", (1, 0)),
    ];
    for (text, expected) in cases {
        let mut screen = Screen::new(10, 4);
        screen.follow(text);
        assert_eq!(screen.cursor(), expected, "{text:?}");
        let mut screen = Screen::new(10, 4);
        text.chars().for_each(|character| screen.follow(character.encode_utf8(&mut [0; 4])));
        assert_eq!(screen.cursor(), expected, "{text:?} in pieces");
    }
}

#[test]
fn colours_are_followed() {
    let cases = [
        ("\x1b[31m", 4),
        ("\x1b[1;32m", 0xa),
        ("\x1b[94;41m", 0x49),
        ("\x1b[31m\x1b[m", 7),
        ("\x1b[38;5;196m", 0xc),
        ("\x1b[48;2;0;0;130m", 0x17),
        ("\x1b[4;7m", 0xc007),
        ("\x1b[38;5m", 7),
    ];
    for (text, expected) in cases {
        let mut screen = Screen::new(10, 4);
        screen.follow(text);
        assert_eq!(screen.attributes, expected, "{text:?}: {:#x}", screen.attributes);
    }
}

#[test]
fn only_what_changed_is_sent() {
    let mut screen = Screen::new(8, 3);
    screen.set_cursor(1, 2);
    assert_eq!(screen.paint(), "", "nothing is known, nothing is drawn");
    screen.write_units(&[0x61, 0x62], (2, 1));
    expect!["\u{1b}[2;3H\u{1b}[0mab\u{1b}[3;2H"].assert_eq(&screen.paint());
    screen.write_units(&[0x61, 0x63], (2, 1));
    expect!["\u{1b}[2;4H\u{1b}[0mc\u{1b}[3;2H"].assert_eq(&screen.paint());
    screen.fill_attributes(0x4e, 1, (2, 1));
    expect!["\u{1b}[2;3H\u{1b}[0;93;41ma\u{1b}[0m\u{1b}[3;2H"].assert_eq(&screen.paint());
    screen.fill_units(0x20, 24, (0, 0));
    screen.fill_attributes(7, 24, (0, 0));
    expect!["\u{1b}[1;1H\u{1b}[0m\u{1b}[K\u{1b}[2;1H\u{1b}[K\u{1b}[3;1H\u{1b}[K\u{1b}[3;2H"]
        .assert_eq(&screen.paint());
    screen.write_units(&[1, 0xd83d, 0xde00, 0xdc00], (0, 0));
    expect!["\u{1b}[1;1H\u{1b}[0m☺😀�\u{1b}[3;2H"].assert_eq(&screen.paint());
}

#[test]
fn rectangles_move() {
    let all = Rectangle { left: 0, top: 0, right: 3, bottom: 2 };
    let fill = Cell::new(0x2e, 7);
    let screen = || {
        let mut screen = Screen::new(4, 3);
        screen.write_units(&"abcdefghijkl".encode_utf16().collect::<Vec<u16>>(), (0, 0));
        screen.paint();
        screen
    };
    let cases = [
        (all, (0, -1), "efgh\nijkl\n....\n"),
        (all, (1, 0), ".abc\n.efg\n.ijk\n"),
        (Rectangle { left: 1, top: 0, right: 2, bottom: 1 }, (2, 1), "a..d\ne.bc\nijfg\n"),
        (all, (0, -9), "....\n....\n....\n"),
    ];
    for (from, to, expected) in cases {
        let mut screen = screen();
        assert_eq!(screen.scroll(from, all, to, fill), "");
        assert_eq!(text_of(&screen), expected);
    }
    let mut clipped = screen();
    clipped.scroll(all, Rectangle { left: 0, top: 0, right: 1, bottom: 2 }, (0, -1), fill);
    assert_eq!(text_of(&clipped), "efcd\nijgh\n..kl\n");
    // Nobody knows what stands there: the terminal moves it.
    let told = Screen::new(4, 3).scroll(all, all, (0, -1), fill);
    expect!["\u{1b}[0m\u{1b}[1;3r\u{1b}[1S\u{1b}[r"].assert_eq(&told);
}

#[derive(Clone, Debug)]
enum Step {
    Text(String),
    Units(Vec<u16>, u16, u16),
    Fill(u16, u16, u16),
    Scroll(Rectangle, (i32, i32)),
    Size(u16, u16),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let text = prop_oneof![
        "\\PC{0,12}",
        "[ -~]{0,12}",
        "\\x1b\\[[0-9;?]{0,6}[@A-Za-z]",
        "[\\x00-\\x20]{0,3}",
        "\\x1b[0-~]",
    ];
    let small = -3_i32..9;
    let rectangle = (small.clone(), small.clone(), small.clone(), small.clone())
        .prop_map(|(left, top, right, bottom)| Rectangle { left, top, right, bottom });
    let step = prop_oneof![
        text.prop_map(Step::Text),
        (prop::collection::vec(any::<u16>(), 0..6), 0_u16..9, 0_u16..9)
            .prop_map(|(u, c, r)| Step::Units(u, c, r)),
        (0_u16..40, 0_u16..9, 0_u16..9).prop_map(|(n, c, r)| Step::Fill(n, c, r)),
        (rectangle, (small.clone(), small)).prop_map(|(r, to)| Step::Scroll(r, to)),
        (0_u16..9, 0_u16..9).prop_map(|(c, r)| Step::Size(c, r)),
    ];
    prop::collection::vec(step, 0..12)
}

#[test]
fn what_is_painted_does_not_get_into_a_sequence_that_is_not_complete() {
    let mut screen = Screen::new(8, 4);
    screen.show_on_cleared();
    screen.follow("\x1b[");
    screen.fill_units(0x78, 1, (3, 3));
    let painted = screen.paint();
    assert!(painted.starts_with('\x18') && painted.ends_with("\x1b["), "{painted:?}");
    let mut terminal = Screen::new(8, 4);
    terminal.show_on_cleared();
    terminal.follow("\x1b[");
    terminal.follow(&painted);
    terminal.follow("2;3Hab");
    screen.follow("2;3Hab");
    assert_eq!((text_of(&terminal), terminal.cursor()), (text_of(&screen), screen.cursor()));
}

proptest! {
    /// Nothing panics, and a terminal that begins empty shows in the end what the screen says.
    #[test]
    fn a_terminal_shows_what_the_screen_says(steps in steps()) {
        let mut screen = Screen::new(8, 4);
        screen.show_on_cleared();
        let mut terminal = screen.clone();
        let mut is_same_size = true;
        for step in steps {
            let out = match step {
                Step::Text(text) => {
                    screen.follow(&text);
                    text
                }
                Step::Units(units, column, row) => {
                    // Halves of characters and what has no width are drawn in other ways.
                    let plain: Vec<u16> = units.iter().map(|unit| unit % 0x5f + 0x20).collect();
                    screen.write_units(&plain, (column, row));
                    String::new()
                }
                Step::Fill(count, column, row) => {
                    screen.fill_attributes(0x1e, count.into(), (column, row));
                    screen.fill_units(0x78, count.into(), (column, row));
                    String::new()
                }
                Step::Scroll(from, to) => {
                    let clip = screen.bounds();
                    screen.scroll(from, clip, to, Cell::new(0x2e, 7))
                }
                Step::Size(columns, rows) => {
                    is_same_size = false;
                    screen.resize(columns, rows);
                    String::new()
                }
            };
            let painted = screen.paint();
            terminal.follow(&out);
            terminal.follow(&painted);
        }
        if is_same_size && screen.partial.is_empty() && !text_of(&screen).chars().any(|c| c as u32 > 0x7e) {
            prop_assert_eq!(text_of(&terminal), text_of(&screen));
            prop_assert_eq!(terminal.cursor(), screen.cursor());
        }
    }
}
