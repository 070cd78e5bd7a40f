//! Menus as data: items with numbers, texts, states and menus below them. Key types: [`Menus`], [`Menu`], [`Item`].

use std::collections::HashMap;

/// `MFT_SEPARATOR`, also `MF_SEPARATOR`.
pub const SEPARATOR: u32 = 0x800;
/// `MFS_GRAYED` and `MFS_DISABLED`: what an item has that cannot be chosen.
pub const DISABLED: u32 = 3;
/// `MFS_CHECKED`.
pub const CHECKED: u32 = 8;
/// `MFS_DEFAULT`.
pub const DEFAULT: u32 = 0x1000;
/// `MFT_RADIOCHECK`.
pub const RADIO: u32 = 0x200;

/// An item of a menu.
#[derive(Clone, Debug, Default)]
pub struct Item {
    /// `MFT_*`.
    pub kind: u32,
    /// `MFS_*`.
    pub state: u32,
    /// Its number.
    pub id: u32,
    /// The menu below it, or 0.
    pub below: u64,
    /// Its text.
    pub text: Option<Vec<u16>>,
    /// Handles of pictures: when checked, when not, in place of the text.
    pub pictures: [u64; 3],
    /// A word for the program.
    pub data: u64,
    /// What it was given in place of a text.
    pub type_data: u64,
}

/// A menu.
#[derive(Clone, Debug, Default)]
pub struct Menu {
    /// Its items.
    pub items: Vec<Item>,
    /// `MNS_*`, the greatest height, the brush, the number of its help, a word for the program.
    pub style: u32,
    /// The greatest height in pixels.
    pub height: u32,
    /// The background's brush.
    pub brush: u64,
    /// The number of its help.
    pub help: u32,
    /// A word for the program.
    pub data: u64,
}

/// All menus of a process, by handle.
#[derive(Debug, Default)]
pub struct Menus {
    all: HashMap<u64, Menu>,
    made: u64,
}

/// How an item is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// By its place.
    Place(u32),
    /// By its number, in the menu and those below it.
    Number(u32),
}

impl Menus {
    /// Makes a menu; returns its handle.
    pub fn make(&mut self) -> u64 {
        self.made += 1;
        let handle = 0x3_0001 + 2 * self.made;
        self.all.insert(handle, Menu::default());
        handle
    }

    /// Returns a menu.
    pub fn get(&self, menu: u64) -> Option<&Menu> {
        self.all.get(&menu)
    }

    /// Returns a menu for changes.
    pub fn get_mut(&mut self, menu: u64) -> Option<&mut Menu> {
        self.all.get_mut(&menu)
    }

    /// Forgets a menu and those below it; says whether there was one.
    pub fn destroy(&mut self, menu: u64) -> bool {
        let Some(menu) = self.all.remove(&menu) else { return false };
        for item in menu.items.iter().filter(|item| item.below != 0) {
            self.destroy(item.below);
        }
        true
    }

    /// Finds an item: the menu that has it, and its place there. An item with a menu below it is second to one without.
    pub fn find(&self, menu: u64, wanted: Wanted) -> Option<(u64, usize)> {
        let items = &self.all.get(&menu)?.items;
        match wanted {
            Wanted::Place(place) => {
                let place = place as usize;
                (place < items.len()).then_some((menu, place))
            }
            Wanted::Number(number) => self.find_number(menu, number, 0),
        }
    }

    fn find_number(&self, menu: u64, number: u32, depth: u32) -> Option<(u64, usize)> {
        /// A menu that lies below itself has no end.
        const DEEPEST: u32 = 25;
        let mut second = None;
        for (place, item) in self.all.get(&menu)?.items.iter().enumerate() {
            if item.below != 0 {
                if depth < DEEPEST
                    && let Some(found) = self.find_number(item.below, number, depth + 1)
                {
                    return Some(found);
                }
                if item.id == number && self.all.contains_key(&item.below) {
                    second = second.or(Some((menu, place)));
                }
            } else if item.id == number {
                return Some((menu, place));
            }
        }
        second
    }

    /// Returns an item.
    pub fn item(&self, menu: u64, wanted: Wanted) -> Option<&Item> {
        let (menu, place) = self.find(menu, wanted)?;
        self.all.get(&menu)?.items.get(place)
    }

    /// Returns an item for changes.
    pub fn item_mut(&mut self, menu: u64, wanted: Wanted) -> Option<&mut Item> {
        let (menu, place) = self.find(menu, wanted)?;
        self.all.get_mut(&menu)?.items.get_mut(place)
    }

    /// Takes an item out.
    pub fn remove(&mut self, menu: u64, wanted: Wanted) -> Option<Item> {
        let (menu, place) = self.find(menu, wanted)?;
        Some(self.all.get_mut(&menu)?.items.remove(place))
    }

    /// Puts an item before another, or behind all; says whether there is such a menu.
    pub fn insert(&mut self, menu: u64, before: Wanted, item: Item) -> bool {
        let (menu, place) = self.find(menu, before).unwrap_or((menu, usize::MAX));
        let Some(menu) = self.all.get_mut(&menu) else { return false };
        menu.items.insert(place.min(menu.items.len()), item);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_found_below_and_go_with_their_menus() {
        let mut menus = Menus::default();
        let (bar, file) = (menus.make(), menus.make());
        let last = Wanted::Place(u32::MAX);
        assert!(menus.insert(bar, last, Item { id: 7, below: file, ..Item::default() }));
        assert!(menus.insert(file, last, Item { id: 1, ..Item::default() }));
        assert!(
            menus.insert(bar, Wanted::Number(1), Item { id: 2, ..Item::default() }),
            "goes where the other is"
        );
        assert_eq!(menus.find(bar, Wanted::Number(1)), Some((file, 1)));
        assert_eq!(menus.find(bar, Wanted::Number(7)), Some((bar, 0)));
        assert_eq!(menus.find(bar, Wanted::Place(1)), None);
        assert!(menus.insert(file, last, Item { id: 9, below: bar, ..Item::default() }));
        assert_eq!(menus.find(bar, Wanted::Number(1000)), None, "a circle comes to an end");
        assert!(menus.destroy(bar) && menus.get(file).is_none() && !menus.destroy(file));
    }
}
