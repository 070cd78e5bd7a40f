//! A database as input of linkers, so that DLLs are built at their places.

use std::fmt::Write;

use super::Database;

/// Writes one line for each file: its path, a tab, and the options for GNU ld through the compiler's driver.
///
/// Source: GNU ld manual, "Options specific to PE targets", `--image-base`.
pub fn ld_flags(database: &Database) -> String {
    let line =
        |path: &String, base: u64| format!("{path}\t-Wl,--image-base={base:#x},--disable-auto-image-base\n");
    database.entries.iter().map(|(path, entry)| line(path, entry.base.get())).collect()
}

/// Writes the file that Microsoft's linker takes with `/BASE:@FILE,KEY`: key, base and the largest size allowed, a file
/// a line. The key is the file's name; of equal names the later ones get a number.
///
/// Source: Microsoft, "/BASE (Base address)".
pub fn coffbase(database: &Database) -> String {
    let mut text = String::from("; key  base  maximum size; written by plat rebase\n");
    let mut seen = std::collections::HashMap::<String, u32>::new();
    for (path, entry) in &database.entries {
        let name = path.rsplit('/').next().unwrap_or(path);
        let key: String =
            name.chars().map(|it| if it.is_whitespace() || it == ';' { '_' } else { it }).collect();
        let times = seen.entry(key.to_lowercase()).or_default();
        *times += 1;
        let key = if *times == 1 { key } else { format!("{key}.{times}") };
        let _ = writeln!(text, "{key}\t{:#010x}\t{:#010x}\t; {path}", entry.base.get(), entry.slot);
    }
    text
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn equal_names_get_numbers() {
        let file = |path| {
            format!(
                "[[file]]\npath = '{path}'\nmachine = 'i386'\nbase = '0x6b000000'\nsize = 0x12000\nslot = 0x20000\n"
            )
        };
        let text = format!("version = 1\n{}{}", file("a/my x.dll"), file("b/my x.dll"));
        let database = Database::parse("x", &text).expect("is one");
        expect![[r#"
            ; key  base  maximum size; written by plat rebase
            my_x.dll	0x6b000000	0x00020000	; a/my x.dll
            my_x.dll.2	0x6b000000	0x00020000	; b/my x.dll
        "#]]
        .assert_eq(&coffbase(&database));
        expect![[r#"
            a/my x.dll	-Wl,--image-base=0x6b000000,--disable-auto-image-base
            b/my x.dll	-Wl,--image-base=0x6b000000,--disable-auto-image-base
        "#]]
        .assert_eq(&ld_flags(&database));
    }
}
