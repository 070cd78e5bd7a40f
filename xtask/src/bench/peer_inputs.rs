//! The inputs of `bench corpus`: made anew, the same bytes every time.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::make_tree;

/// A sequence of numbers that looks random.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u64) -> u64 {
        (self.next() >> 20) % end
    }
}

/// Makes all inputs in `work`, unless they are there.
pub(super) fn make(work: &Path) -> Result<()> {
    let mark = work.join("inputs.made");
    if mark.exists() {
        return Ok(());
    }
    let _ = fs::remove_dir_all(work);
    make_tree(&work.join("tree"), 12 << 20)?;
    let inputs: [(&str, Vec<u8>); 9] = [
        ("in.wav", wave(12)),
        ("in.yuv", picture(1536)),
        ("in.gif", gif(480, 24)),
        ("in.js", program_text(Language::JavaScript, 12_000).into_bytes()),
        ("in.c", program_text(Language::C, 3_000).into_bytes()),
        ("in.py", program_text(Language::Python, 12_000).into_bytes()),
        ("in.html", page(30_000).into_bytes()),
        ("in.y", grammar(220).into_bytes()),
        ("in.just", recipes(20_000).into_bytes()),
    ];
    for (name, bytes) in inputs {
        fs::write(work.join(name), bytes).with_context(|| name.to_owned())?;
    }
    fs::write(work.join("build.ninja"), edges(30_000)).context("build.ninja")?;
    fs::write(mark, "").context("inputs.made")
}

/// Stereo sound at 44,100 Hz with 16 bits: chords under noise.
fn wave(seconds: u32) -> Vec<u8> {
    let frames = 44_100 * seconds;
    let mut numbers = Numbers(77);
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + frames * 4).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x02\0");
    bytes.extend(44_100_u32.to_le_bytes());
    bytes.extend((44_100_u32 * 4).to_le_bytes());
    bytes.extend(b"\x04\0\x10\0data");
    bytes.extend((frames * 4).to_le_bytes());
    for frame in 0..frames {
        let at = f64::from(frame) / 44_100.0;
        let chord: f64 =
            [220.0, 277.2, 329.6].iter().map(|hertz| (at * hertz * std::f64::consts::TAU).sin()).sum();
        for pan in [0.8, 1.1] {
            let noise = numbers.below(600) as f64 - 300.0;
            bytes.extend(((chord * 6000.0 * pan + noise) as i16).to_le_bytes());
        }
    }
    bytes
}

/// A square picture in planes of 4:2:0.
fn picture(side: usize) -> Vec<u8> {
    let mut numbers = Numbers(5);
    let mut plane = |side: usize, scale: usize| -> Vec<u8> {
        (0..side * side)
            .map(|at| {
                let (x, y) = (at % side * scale, at / side * scale);
                let wave = ((x as f64 / 37.0).sin() + (y as f64 / 23.0).cos()) * 50.0 + 128.0;
                let block = if (x / 64 + y / 48) % 3 == 0 { 40 } else { 0 };
                (wave as u8).saturating_add(block).wrapping_add(numbers.below(9) as u8)
            })
            .collect()
    };
    [plane(side, 1), plane(side / 2, 2), plane(side / 2, 2)].concat()
}

/// An animation of square frames, written without compression: codes of nine bits with a clear code now and then.
///
/// Source: the GIF89a specification.
fn gif(side: u16, frames: u16) -> Vec<u8> {
    let mut bytes = b"GIF89a".to_vec();
    bytes.extend([side.to_le_bytes(), side.to_le_bytes()].concat());
    bytes.extend([0xf7, 0, 0]);
    (0..=255_u8).for_each(|color| bytes.extend([color, color.wrapping_mul(3), 255 - color]));
    for frame in 0..frames {
        bytes.extend(b"\x21\xf9\x04\x04\x05\0\0\0\x2c\0\0\0\0");
        bytes.extend([side.to_le_bytes(), side.to_le_bytes()].concat());
        bytes.extend([0, 8]);
        let mut packed = Vec::new();
        let (mut held, mut bits) = (0_u32, 0);
        let mut put = |code: u32, packed: &mut Vec<u8>| {
            held |= code << bits;
            bits += 9;
            while bits >= 8 {
                packed.push(held as u8);
                held >>= 8;
                bits -= 8;
            }
        };
        for at in 0..u32::from(side) * u32::from(side) {
            if at % 250 == 0 {
                put(256, &mut packed);
            }
            let (x, y) = (at % u32::from(side), at / u32::from(side));
            put((x / 3 + y / 5 + u32::from(frame) * 7 + x * y % 4) % 256, &mut packed);
        }
        put(257, &mut packed);
        put(0, &mut packed);
        for block in packed.chunks(255) {
            bytes.push(block.len() as u8);
            bytes.extend(block);
        }
        bytes.push(0);
    }
    bytes.push(0x3b);
    bytes
}

/// What [`program_text`] is written in.
#[derive(Clone, Copy)]
enum Language {
    JavaScript,
    C,
    Python,
}

/// A program of many functions.
fn program_text(language: Language, functions: usize) -> String {
    let mut numbers = Numbers(11);
    let mut text = String::new();
    for index in 0..functions {
        let (a, b, c) = (numbers.below(1000), numbers.below(97) + 1, numbers.below(functions as u64));
        let _ = match language {
            Language::JavaScript => writeln!(
                text,
                "export function work{index}(first, second) {{\n  const table = [{a}, {b}, first * {c}];\n  \
                 if (first > {a} && second !== \"name{b}\") {{ return table.map((value) => value + {c}).join(\", \"); }}\n  \
                 let total = 0;\n  for (let step = 0; step < {b}; step++) {{ total += step % {a} === 0 ? step : -step; }}\n  \
                 return {{ total, table, kind: `text ${{first}} of {index}` }};\n}}\n"
            ),
            Language::C => writeln!(
                text,
                "static int work{index}(int first,const char*second){{int total={a};for(int step=0;step<{b};step++){{\
                 if(step%{b}==0&&first>{a}||second[step]==0){{total+=step*{c}+first;continue;}}else total-=call_{c}(first,\
                 second+step,(unsigned long)total,\"a text that is rather long, so that lines are to be broken\");}}\
                 switch(total){{case {a}:return first;default:break;}}return total;}}"
            ),
            Language::Python => writeln!(
                text,
                "def work{index}(first, second=None):\n    table = [{a}, {b}, first * {c}]\n    for step in range({b}):\n        \
                 if step % {b} == 0 and first > {a}:\n            table.append((step, 'name{index}', second))\n        \
                 else:\n            table[step % 3] = {{'a': step, 'b': [first, second]}}\n    return table[{b} % 3]\n"
            ),
        };
    }
    text
}

fn page(paragraphs: usize) -> String {
    let mut numbers = Numbers(23);
    let mut text = String::from("<html><title>a page</title><body>\n");
    for index in 0..paragraphs {
        let (a, b) = (numbers.below(10_000), numbers.below(100));
        let _ = write!(
            text,
            "<p class=\"c{b}\">paragraph {index} <b>of {a}</b> <i>words &amp; marks<br>more <a href=\"#{a}\">link</a></i>\n\
             <ul><li>one<li>two {b}</ul>\n"
        );
    }
    text.push_str("</body></html>\n");
    text
}

fn grammar(kinds: usize) -> String {
    let mut text = String::from(
        "%token NUMBER\n%left '+' '-'\n%left '*' '/'\n%%\nstart: statements ;\nstatements: | statements statement ;\n",
    );
    for index in 0..kinds {
        let _ = writeln!(text, "%token WORD{index}");
    }
    // Declarations stand before the first mark.
    let (rules, tokens) = text.split_at(text.find("%token WORD0").unwrap_or(0));
    let (head, body) = rules.split_at(rules.find("%%").unwrap_or(0));
    let mut whole = format!("{head}{tokens}{body}statement: NUMBER");
    (0..kinds).for_each(|index| whole.push_str(&format!(" | form{index}")));
    whole.push_str(" ;\nvalue: NUMBER | value '+' value | value '-' value | value '*' value | value '/' value | '(' value ')' ;\n");
    for index in 0..kinds {
        let next = (index + 1) % kinds;
        let _ = writeln!(
            whole,
            "form{index}: WORD{index} value ';' | WORD{index} '[' form{next} ']' value ';' | WORD{index} '(' value ',' value ')' ;"
        );
    }
    whole.push_str("%%\n");
    whole
}

fn recipes(count: usize) -> String {
    (0..count).fold(String::new(), |mut text, index| {
        let _ = writeln!(text, "recipe{index} first second='x{index}': \n  @echo {{{{first}}}} {{{{ uppercase(second) + 'of {index}' }}}}\n");
        text
    })
}

fn edges(count: usize) -> String {
    let mut text =
        String::from("rule make\n  command = tool -o $out $in -DNAME=$name\n  description = MAKE $out\n");
    for index in 0..count {
        let (folder, source) = (index % 40, index / 2);
        let _ = writeln!(
            text,
            "build out/d{folder}/o{index}.obj: make tree/d{}/f{}.txt | out/d{}/h{source}.txt\n  name = n{index}",
            index % 7,
            index % 60,
            source % 40
        );
        if index % 2 == 0 {
            let _ = writeln!(text, "build out/d{}/h{}.txt: phony", (index / 2) % 40, index / 2);
        }
    }
    text
}
