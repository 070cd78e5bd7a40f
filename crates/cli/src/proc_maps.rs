//! Reads the text of `/proc/PID/maps` as rows of a map.

use plat_regions::{Address, AddressRange};
use plat_render::MapRow;

/// Parses the whole text; a line that is not one of the format is an error that quotes it.
///
/// Source: proc_pid_maps(5).
pub(crate) fn parse(text: &str) -> Result<Vec<MapRow>, String> {
    let line = |(index, line): (usize, &str)| {
        parse_line(line).ok_or_else(|| format!("line {}: not START-END PERMS …: {line}", index + 1))
    };
    text.lines().enumerate().map(line).collect()
}

fn parse_line(line: &str) -> Option<MapRow> {
    let mut fields = line.splitn(6, ' ');
    let (start, end) = fields.next()?.split_once('-')?;
    let address = |text| u64::from_str_radix(text, 16).ok().map(Address::new);
    let range = AddressRange::new(address(start)?, address(end)?)?;
    let rights = fields.next().filter(|rights| rights.len() == 4 && rights.is_ascii())?;
    let (offset, _device, _inode) = (fields.next()?, fields.next()?, fields.next()?);
    let path = fields.next().unwrap_or_default().trim_start();
    let shared = rights.ends_with('s');
    let (kind, owner, reason) = match path {
        "" => ("private", "anonymous".to_owned(), String::new()),
        "[vdso]" | "[vvar]" | "[vvar_vclock]" | "[vsyscall]" => {
            ("system", path.to_owned(), "placed by the kernel".to_owned())
        }
        _ if path.starts_with('[') => ("private", path.to_owned(), "placed by the kernel".to_owned()),
        _ if rights.contains('x') && !shared => ("image", path.to_owned(), format!("file offset 0x{offset}")),
        _ => ("mapped", path.to_owned(), format!("file offset 0x{offset}")),
    };
    let inaccessible = rights.starts_with("---");
    Some(MapRow {
        range,
        state: if inaccessible { "reserve" } else { "commit" }.to_owned(),
        kind: kind.to_owned(),
        protection: rights.to_owned(),
        owner,
        reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_may_hold_blanks_and_be_absent() {
        let text = "00400000-00401000 r-xp 00000000 08:01 42    /opt/my program\n\
                    7f0000000000-7f0000010000 ---p 00000000 00:00 0 \n";
        let rows = parse(text).expect("both lines are good");
        assert_eq!((rows[0].owner.as_str(), rows[0].kind.as_str()), ("/opt/my program", "image"));
        assert_eq!((rows[1].owner.as_str(), rows[1].state.as_str()), ("anonymous", "reserve"));
    }

    #[test]
    fn a_bad_line_is_quoted() {
        assert!(parse("hello").expect_err("not a line").contains("line 1"));
        assert!(parse("2-1 rwxp 0 0:0 0").is_err());
    }
}
