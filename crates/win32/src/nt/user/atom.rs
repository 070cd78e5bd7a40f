//! Atoms: numbers for names, compared without regard to case.

/// The first number that stands for a name; lower ones stand for themselves.
pub const FIRST_NAME: u16 = 0xc000;

/// A table of atoms.
#[derive(Debug, Default)]
pub struct Atoms {
    /// The name and its uses; an index is the number less [`FIRST_NAME`].
    rows: Vec<Option<(Vec<u16>, u32)>>,
}

fn same(left: &[u16], right: &[u16]) -> bool {
    String::from_utf16_lossy(left).to_lowercase() == String::from_utf16_lossy(right).to_lowercase()
}

/// Reads `#123`, the way in which numbers are written as names; 0 when it is none.
pub fn number_in(name: &[u16]) -> Option<u16> {
    let text = String::from_utf16_lossy(name);
    let digits = text.strip_prefix('#')?;
    let number: u32 = digits.parse().ok()?;
    Some(u16::try_from(number).ok().filter(|&number| number < FIRST_NAME).unwrap_or(0))
}

impl Atoms {
    /// Returns a name's number, which it gets now if it has none; `None` when there is no number left.
    pub fn add(&mut self, name: &[u16]) -> Option<u16> {
        if let Some(found) = self.find(name) {
            if let Some((_, uses)) = self.row(found) {
                *uses = uses.saturating_add(1);
            }
            return Some(found);
        }
        let free = self.rows.iter().position(Option::is_none).unwrap_or(self.rows.len());
        let number = u16::try_from(free).ok().filter(|&free| free < 0x4000)?;
        if free == self.rows.len() {
            self.rows.push(None);
        }
        self.rows[free] = Some((name.to_vec(), 1));
        Some(FIRST_NAME + number)
    }

    /// Returns a name's number.
    pub fn find(&self, name: &[u16]) -> Option<u16> {
        let is_it = |row: &Option<(Vec<u16>, u32)>| row.as_ref().is_some_and(|row| same(&row.0, name));
        self.rows.iter().position(is_it).map(|index| FIRST_NAME + index as u16)
    }

    /// Returns a number's name.
    pub fn name(&self, number: u16) -> Option<Vec<u16>> {
        let index = usize::from(number.checked_sub(FIRST_NAME)?);
        self.rows.get(index)?.as_ref().map(|row| row.0.clone())
    }

    /// Takes back one use of a number; says whether it was in use.
    pub fn remove(&mut self, number: u16) -> bool {
        let Some(row) = self.row(number) else { return false };
        row.1 = row.1.saturating_sub(1);
        if row.1 == 0 {
            self.rows[usize::from(number - FIRST_NAME)] = None;
        }
        true
    }

    fn row(&mut self, number: u16) -> Option<&mut (Vec<u16>, u32)> {
        self.rows.get_mut(usize::from(number.checked_sub(FIRST_NAME)?))?.as_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn a_name_keeps_its_number_while_it_is_used() {
        let mut atoms = Atoms::default();
        assert_eq!(atoms.add(&wide("One")), Some(0xc000));
        assert_eq!(atoms.add(&wide("two")), Some(0xc001));
        assert_eq!(atoms.add(&wide("ONE")), Some(0xc000));
        assert_eq!(atoms.name(0xc000), Some(wide("One")));
        assert!(atoms.remove(0xc000));
        assert_eq!(atoms.find(&wide("one")), Some(0xc000));
        assert!(atoms.remove(0xc000) && !atoms.remove(0xc000));
        assert_eq!(atoms.find(&wide("one")), None);
        assert_eq!(atoms.add(&wide("three")), Some(0xc000), "numbers are used again");
        assert_eq!(
            [number_in(&wide("#12")), number_in(&wide("x")), number_in(&wide("#99999"))],
            [Some(12), None, Some(0)]
        );
    }
}
