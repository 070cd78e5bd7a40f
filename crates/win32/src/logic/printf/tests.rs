//! Tests of printf, as tables of format, argument and text.

use super::*;
use std::collections::VecDeque;

#[derive(Clone)]
enum Value {
    Int(i32),
    Long(i64),
    Double(f64),
    Narrow(&'static str),
    Wide(&'static str),
    Pointer(u64),
}
use Value::{Double, Int, Long, Narrow, Pointer, Wide};

/// Strings are addressed by their place; the address is 0x1000 + index.
struct TestArguments {
    values: VecDeque<Value>,
    texts: Vec<&'static str>,
    stored: Vec<(u64, u64, u8)>,
}

impl Arguments for TestArguments {
    type Error = &'static str;
    fn int32(&mut self) -> Result<u32, Self::Error> {
        match self.values.pop_front() {
            Some(Int(value)) => Ok(value as u32),
            _ => Err("no int"),
        }
    }
    fn int64(&mut self) -> Result<u64, Self::Error> {
        match self.values.pop_front() {
            Some(Long(value)) => Ok(value as u64),
            _ => Err("no long"),
        }
    }
    fn pointer(&mut self) -> Result<u64, Self::Error> {
        match self.values.pop_front() {
            Some(Pointer(value)) => Ok(value),
            Some(Narrow(text) | Wide(text)) => {
                self.texts.push(text);
                Ok(0xfff + self.texts.len() as u64)
            }
            _ => Err("no pointer"),
        }
    }
    fn double(&mut self) -> Result<f64, Self::Error> {
        match self.values.pop_front() {
            Some(Double(value)) => Ok(value),
            _ => Err("no double"),
        }
    }
    fn narrow_string(&mut self, address: u64, max: Option<usize>) -> Result<Vec<u8>, Self::Error> {
        let text = self.texts.get((address - 0x1000) as usize).ok_or("bad address")?;
        Ok(text.bytes().take(max.unwrap_or(usize::MAX)).collect())
    }
    fn wide_string(&mut self, address: u64, max: Option<usize>) -> Result<Vec<u16>, Self::Error> {
        let text = self.texts.get((address - 0x1000) as usize).ok_or("bad address")?;
        Ok(text.encode_utf16().take(max.unwrap_or(usize::MAX)).collect())
    }
    fn store_count(&mut self, address: u64, count: u64, size: u8) -> Result<(), Self::Error> {
        self.stored.push((address, count, size));
        Ok(())
    }
    fn widen(&self, text: &[u8]) -> Vec<u16> {
        String::from_utf8_lossy(text).encode_utf16().collect()
    }
    fn narrow(&self, text: &[u16]) -> Vec<u8> {
        String::from_utf16_lossy(text).into_bytes()
    }
}

fn arguments(values: &[Value]) -> TestArguments {
    TestArguments { values: values.iter().cloned().collect(), texts: Vec::new(), stored: Vec::new() }
}

fn print(format: &str, values: &[Value], runtime: Runtime) -> String {
    let options = Options::of(runtime, 8);
    String::from_utf8(format_text(format.as_bytes(), &mut arguments(values), options).unwrap()).unwrap()
}

#[test]
fn integers() {
    let cases: Vec<(&str, Value, &str)> = vec![
        ("%d", Int(-5), "-5"),
        ("%5d|", Int(42), "   42|"),
        ("%-5d|", Int(42), "42   |"),
        ("%05d", Int(-42), "-0042"),
        ("%+d", Int(1), "+1"),
        ("% d", Int(1), " 1"),
        ("%.3d", Int(7), "007"),
        ("%08.3d", Int(7), "     007"),
        ("%.0d|", Int(0), "|"),
        ("%u", Int(-1), "4294967295"),
        ("%x", Int(-1), "ffffffff"),
        ("%#X", Int(255), "0XFF"),
        ("%#x", Int(0), "0"),
        ("%#o", Int(8), "010"),
        ("%hd", Int(0x1_8000), "-32768"),
        ("%hhu", Int(0x1ff), "255"),
        ("%ld", Int(-3), "-3"),
        ("%I32u", Int(3), "3"),
        ("%I64d", Long(i64::MIN), "-9223372036854775808"),
        ("%lld", Long(-1), "-1"),
        ("%Iu", Long(9), "9"),
        ("%zu", Long(9), "9"),
        ("%p", Pointer(0xab_cdef), "0000000000ABCDEF"),
        ("%%%d%", Int(1), "%1"),
        ("%y%d", Int(1), "y1"),
    ];
    for (format, value, expected) in cases {
        assert_eq!(print(format, &[value], Runtime::Msvcrt), expected, "{format}");
    }
    assert_eq!(
        print("%*d|%-*d|%.*f", &[Int(4), Int(1), Int(4), Int(2), Int(1), Double(0.25)], Runtime::Msvcrt),
        "   1|2   |0.3"
    );
    assert_eq!(print("%*d|", &[Int(-4), Int(1)], Runtime::Msvcrt), "1   |");
}

#[test]
fn floats() {
    let cases = [
        ("%f", 1.5, "1.500000", "1.500000"),
        ("%.0f", 2.5, "3", "2"),
        ("%#.0f", 2.0, "2.", "2."),
        ("%.2f", 1.005, "1.00", "1.00"),
        ("%e", 12345.678, "1.234568e+004", "1.234568e+04"),
        ("%E", 1e-300, "1.000000E-300", "1.000000E-300"),
        ("%g", 100_000.0, "100000", "100000"),
        ("%g", 1e6, "1e+006", "1e+06"),
        ("%g", 0.0001, "0.0001", "0.0001"),
        ("%g", 0.00001234, "1.234e-005", "1.234e-05"),
        ("%#g", 1.0, "1.00000", "1.00000"),
        ("%g", 999_999.5, "1e+006", "1e+06"),
        ("%.3g", 0.0, "0", "0"),
        ("%08.2f", -1.5, "-0001.50", "-0001.50"),
        ("%+.1e", 0.0, "+0.0e+000", "+0.0e+00"),
        ("%f", -0.0, "-0.000000", "-0.000000"),
        ("%.20f", 0.1, "0.10000000000000000555", "0.10000000000000000555"),
        ("%.0f", 1e22, "10000000000000000000000", "10000000000000000000000"),
        ("%a", 1.0, "0x1.0000000000000p+0", "0x1.0000000000000p+0"),
        ("%.1a", 1.999, "0x2.0p+0", "0x2.0p+0"),
        ("%f", f64::INFINITY, "1.#INF00", "inf"),
        ("%.2f", f64::INFINITY, "1.#J", "inf"),
        ("%g", f64::NEG_INFINITY, "-1.#INF", "-inf"),
        ("%f", f64::from_bits(0x7ff8_0000_0000_0000), "1.#QNAN0", "nan"),
        ("%f", f64::from_bits(0xfff8_0000_0000_0000), "-1.#IND00", "-nan(ind)"),
    ];
    for (format, value, msvcrt, ucrt) in cases {
        assert_eq!(print(format, &[Double(value)], Runtime::Msvcrt), msvcrt, "{format} {value}");
        assert_eq!(print(format, &[Double(value)], Runtime::Ucrt), ucrt, "{format} {value}");
    }
}

#[test]
fn texts_narrow_and_wide() {
    let cases: Vec<(&str, Value, &str, &str)> = vec![
        ("%s", Narrow("abc"), "abc", "abc"),
        ("%5s|", Narrow("abc"), "  abc|", "  abc|"),
        ("%-5s|", Narrow("abc"), "abc  |", "abc  |"),
        ("%.2s", Narrow("abc"), "ab", "ab"),
        ("%S", Wide("ä"), "ä", "ä"),
        ("%ls", Wide("ä"), "ä", "ä"),
        ("%ws", Wide("ä"), "ä", "ä"),
        ("%hs", Narrow("x"), "x", "x"),
        ("%s", Pointer(0), "(null)", "(null)"),
        ("%c", Int(65), "A", "A"),
        ("%lc", Int(0xe4), "ä", "ä"),
        ("%3c", Int(65), "  A", "  A"),
    ];
    let options = Options::of(Runtime::Msvcrt, 4);
    for (format, value, narrow, wide) in cases {
        assert_eq!(print(format, std::slice::from_ref(&value), Runtime::Msvcrt), narrow, "{format}");
        let units: Vec<u16> = format.encode_utf16().collect();
        let text = format_text(&units, &mut arguments(&[value]), options).unwrap();
        assert_eq!(String::from_utf16(&text).unwrap(), wide, "{format} wide");
    }
}

#[test]
fn errors_and_counts_pass_through() {
    let options = Options::of(Runtime::Msvcrt, 4);
    assert_eq!(format_text(b"%d".as_slice(), &mut arguments(&[]), options), Err("no int"));
    let mut counting = arguments(&[Pointer(16), Pointer(32)]);
    assert_eq!(format_text(b"abc%nde%hn".as_slice(), &mut counting, options), Ok(b"abcde".to_vec()));
    assert_eq!(counting.stored, [(16, 3, 4), (32, 5, 2)]);
    let padded = format_text(b"%p".as_slice(), &mut arguments(&[Pointer(0x1f)]), options);
    assert_eq!(padded, Ok(b"0000001F".to_vec()));
    assert_eq!(print("%99999999999d", &[Int(1)], Runtime::Msvcrt).len(), FIELD_MAX);
}

#[test]
fn arguments_may_be_numbered() {
    let format = |format: &str, values: &[Value]| {
        let mut arguments =
            TestArguments { values: values.iter().cloned().collect(), texts: Vec::new(), stored: Vec::new() };
        let options = Options::of(Runtime::Msvcrt, 8);
        let text = format_positional(format.as_bytes(), &mut arguments, options)
            .expect("arguments of the right kinds");
        text.map(|text| String::from_utf8(text).unwrap())
    };
    let cases: [(&str, &[Value], Option<&str>); 9] = [
        ("%2$s %1$d", &[Int(7), Narrow("seven")], Some("seven 7")),
        ("%1$d %1$x %2$.1f %%", &[Int(10), Double(1.25)], Some("10 a 1.3 %")),
        ("%2$*1$d|", &[Int(4), Int(7)], Some("   7|")),
        ("%3$.*1$f %2$I64d", &[Int(2), Long(5), Double(0.5)], Some("0.50 5")),
        ("%d %s", &[Int(1), Narrow("plain")], Some("1 plain")),
        ("%1$d %d", &[Int(1), Int(2)], None),
        ("%1$d %3$d", &[Int(1), Int(2), Int(3)], None),
        ("%1$d %1$s", &[Int(1)], None),
        ("%1$d", &[Int(-3)], Some("-3")),
    ];
    for (text, values, expected) in cases {
        assert_eq!(format(text, values).as_deref(), expected, "{text}");
    }
}

#[test]
fn the_decimal_point_is_the_locales() {
    let mut arguments = TestArguments {
        values: [Double(1.5), Double(1e10)].into_iter().collect(),
        texts: Vec::new(),
        stored: Vec::new(),
    };
    let options = Options { decimal_point: b',', ..Options::of(Runtime::Ucrt, 8) };
    let text = format_text(b"%.2f %e", &mut arguments, options).unwrap();
    assert_eq!(String::from_utf8(text).unwrap(), "1,50 1,000000e+10");
}
