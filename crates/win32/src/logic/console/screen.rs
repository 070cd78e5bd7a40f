//! A screen buffer: a grid of cells with a cursor. Key types: [`Screen`], [`Cell`], [`Rectangle`].
//!
//! A cell knows whether the terminal shows it: what a program draws is painted where it differs, and what was on the
//! terminal before nobody knows, so that it is never painted over by itself.

/// What a fresh console writes with: grey on black, the terminal's own colours.
pub const DEFAULT_ATTRIBUTES: u16 = 7;
/// `COMMON_LVB_LEADING_BYTE`: the left half of a wide character.
pub const LEADING_HALF: u16 = 0x100;
/// `COMMON_LVB_TRAILING_BYTE`: the right half.
pub const TRAILING_HALF: u16 = 0x200;

const SPACE: u16 = 0x20;

/// What the terminal shows in a cell's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// Something that was there before.
    Unknown,
    /// The cell.
    Same,
    /// What the cell was.
    Before,
}

/// A character with its colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// A unit of UTF-16.
    pub unit: u16,
    /// `FOREGROUND_…`, `BACKGROUND_…`, `COMMON_LVB_…`.
    pub attributes: u16,
    pub(super) shown: Shown,
}

impl Cell {
    /// Makes a cell to be shown.
    pub fn new(unit: u16, attributes: u16) -> Self {
        Self { unit, attributes, shown: Shown::Before }
    }

    fn looks_like(self, other: Self) -> bool {
        (self.unit, self.attributes) == (other.unit, other.attributes)
    }
}

/// `SMALL_RECT`: its last column and row belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rectangle {
    /// The first column.
    pub left: i32,
    /// The first row.
    pub top: i32,
    /// The last column.
    pub right: i32,
    /// The last row.
    pub bottom: i32,
}

impl Rectangle {
    /// Returns what both have; nothing when that is nothing.
    pub fn common(self, other: Self) -> Option<Self> {
        let both = Self {
            left: self.left.max(other.left),
            top: self.top.max(other.top),
            right: self.right.min(other.right),
            bottom: self.bottom.min(other.bottom),
        };
        (both.left <= both.right && both.top <= both.bottom).then_some(both)
    }

    /// Returns the same elsewhere.
    pub fn moved(self, (right, down): (i32, i32)) -> Self {
        Self {
            left: self.left.saturating_add(right),
            top: self.top.saturating_add(down),
            right: self.right.saturating_add(right),
            bottom: self.bottom.saturating_add(down),
        }
    }

    /// Says whether a place lies within.
    pub fn contains(self, (column, row): (i32, i32)) -> bool {
        (self.left..=self.right).contains(&column) && (self.top..=self.bottom).contains(&row)
    }
}

/// A grid of cells with a cursor.
#[derive(Clone, Debug)]
pub struct Screen {
    pub(super) columns: u16,
    pub(super) rows: u16,
    pub(super) cells: Vec<Cell>,
    /// The cursor's column and row.
    pub(super) cursor: (u16, u16),
    /// The last column was written: the next character goes to the next row.
    pub(super) is_past_end: bool,
    /// The colours of text that follows.
    pub attributes: u16,
    /// Whether the cursor is shown.
    pub shows_cursor: bool,
    /// The rows that scroll, the first and the last.
    pub(super) region: (u16, u16),
    pub(super) saved: (u16, u16),
    /// The beginning of a sequence whose end was not written yet.
    pub(super) partial: String,
    /// Whether the terminal shows it: text that is followed is then on it.
    is_visible: bool,
}

impl Screen {
    /// Makes a screen of which nothing is known, at least one cell large.
    pub fn new(columns: u16, rows: u16) -> Self {
        let (columns, rows) = (columns.max(1), rows.max(1));
        let unknown = Cell { unit: SPACE, attributes: DEFAULT_ATTRIBUTES, shown: Shown::Unknown };
        Self {
            columns,
            rows,
            cells: vec![unknown; usize::from(columns) * usize::from(rows)],
            cursor: (0, 0),
            is_past_end: false,
            attributes: DEFAULT_ATTRIBUTES,
            shows_cursor: true,
            region: (0, rows - 1),
            saved: (0, 0),
            partial: String::new(),
            is_visible: true,
        }
    }

    /// Returns columns and rows.
    pub fn size(&self) -> (u16, u16) {
        (self.columns, self.rows)
    }

    /// Returns the cursor's column and row.
    pub fn cursor(&self) -> (u16, u16) {
        self.cursor
    }

    /// Puts the cursor somewhere; the nearest place on the screen.
    pub fn set_cursor(&mut self, column: u16, row: u16) {
        self.cursor = (column.min(self.columns - 1), row.min(self.rows - 1));
        self.is_past_end = false;
    }

    /// Returns all of it.
    pub fn bounds(&self) -> Rectangle {
        Rectangle { left: 0, top: 0, right: i32::from(self.columns) - 1, bottom: i32::from(self.rows) - 1 }
    }

    /// Changes the size: cells keep their places, and the terminal may show them anywhere.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        let mut new = Self::new(columns, rows);
        for row in 0..self.rows.min(new.rows) {
            for column in 0..self.columns.min(new.columns) {
                let cell = Cell { shown: Shown::Unknown, ..self.cells[self.index(column, row)] };
                let at = new.index(column, row);
                new.cells[at] = cell;
            }
        }
        let (cursor, saved) = (self.cursor, self.saved);
        (new.attributes, new.shows_cursor, new.is_visible) =
            (self.attributes, self.shows_cursor, self.is_visible);
        new.partial = std::mem::take(&mut self.partial);
        *self = new;
        self.set_cursor(saved.0, saved.1);
        self.saved = self.cursor;
        self.set_cursor(cursor.0, cursor.1);
    }

    /// Takes note that a cleared terminal is to show this screen.
    pub fn show_on_cleared(&mut self) {
        for cell in &mut self.cells {
            let is_blank = cell.looks_like(Cell::new(SPACE, DEFAULT_ATTRIBUTES));
            cell.shown = if is_blank { Shown::Same } else { Shown::Before };
        }
    }

    /// Takes note whether the terminal shows this screen.
    pub fn set_visible(&mut self, is_visible: bool) {
        self.is_visible = is_visible;
    }

    /// What becomes of a cell that text fills.
    pub(super) fn shown_by_text(&self) -> Shown {
        if self.is_visible { Shown::Same } else { Shown::Before }
    }

    pub(super) fn index(&self, column: u16, row: u16) -> usize {
        usize::from(row) * usize::from(self.columns) + usize::from(column)
    }

    /// Returns the place in reading order; nothing outside.
    fn place(&self, (column, row): (u16, u16)) -> Option<usize> {
        (column < self.columns && row < self.rows).then(|| self.index(column, row))
    }

    fn place_of(&self, column: i32, row: i32) -> Option<usize> {
        self.place((u16::try_from(column).ok()?, u16::try_from(row).ok()?))
    }

    fn set(&mut self, at: usize, unit: u16, attributes: u16) {
        let cell = &mut self.cells[at];
        let new = Cell::new(unit, attributes);
        if cell.shown != Shown::Same || !cell.looks_like(new) {
            *cell = new;
        }
    }

    /// Changes cells in reading order from a place on, with `change` told the number of each; returns how many.
    fn run(
        &mut self,
        from: (u16, u16),
        count: usize,
        change: impl Fn(usize, Cell) -> (u16, u16),
    ) -> Option<usize> {
        let start = self.place(from)?;
        let count = count.min(self.cells.len() - start);
        for number in 0..count {
            let (unit, attributes) = change(number, self.cells[start + number]);
            self.set(start + number, unit, attributes);
        }
        Some(count)
    }

    /// Writes one character many times; returns how many there was room for, nothing for a place outside.
    pub fn fill_units(&mut self, unit: u16, count: usize, from: (u16, u16)) -> Option<usize> {
        self.run(from, count, |_, cell| (unit, cell.attributes & !(LEADING_HALF | TRAILING_HALF)))
    }

    /// Sets the colours of many cells.
    pub fn fill_attributes(&mut self, attributes: u16, count: usize, from: (u16, u16)) -> Option<usize> {
        self.run(from, count, |_, cell| (cell.unit, attributes))
    }

    /// Writes characters; the colours stay.
    pub fn write_units(&mut self, units: &[u16], from: (u16, u16)) -> Option<usize> {
        self.run(from, units.len(), |number, cell| {
            (units[number], cell.attributes & !(LEADING_HALF | TRAILING_HALF))
        })
    }

    /// Writes colours; the characters stay.
    pub fn write_attributes(&mut self, attributes: &[u16], from: (u16, u16)) -> Option<usize> {
        self.run(from, attributes.len(), |number, cell| (cell.unit, attributes[number]))
    }

    /// Returns cells in reading order; nothing for a place outside.
    pub fn read(&self, count: usize, from: (u16, u16)) -> Option<&[Cell]> {
        let start = self.place(from)?;
        Some(&self.cells[start..start + count.min(self.cells.len() - start)])
    }

    /// Returns the cell at a place, if it is on the screen.
    pub fn cell(&self, column: i32, row: i32) -> Option<Cell> {
        self.place_of(column, row).map(|at| self.cells[at])
    }

    /// Writes a cell, if its place is on the screen.
    pub fn put(&mut self, column: i32, row: i32, unit: u16, attributes: u16) {
        if let Some(at) = self.place_of(column, row) {
            self.set(at, unit, attributes);
        }
    }

    /// Moves a rectangle so that its first cell comes to `to`, within `clip`, and fills what it leaves. Returns what
    /// the terminal is to be told first, where it alone knows what stands there.
    ///
    /// Source: <https://learn.microsoft.com/windows/console/scrollconsolescreenbuffer>
    pub fn scroll(&mut self, from: Rectangle, clip: Rectangle, to: (i32, i32), fill: Cell) -> String {
        let (Some(from), Some(clip)) = (from.common(self.bounds()), clip.common(self.bounds())) else {
            return String::new();
        };
        let way = (to.0.saturating_sub(from.left), to.1.saturating_sub(from.top));
        if let Some(told) = self.scroll_rows(from, clip, way, fill) {
            return self.between_pieces(told);
        }
        let before = self.cells.clone();
        let target = from.moved(way);
        let all = target.common(clip).into_iter().chain(from.common(clip));
        for area in all {
            for (column, row) in places(area) {
                let Some(at) = self.place_of(column, row) else { continue };
                let source = (column.saturating_sub(way.0), row.saturating_sub(way.1));
                let cell = match self.place_of(source.0, source.1) {
                    Some(source_at) if from.contains(source) => before[source_at],
                    _ => fill,
                };
                self.set(at, cell.unit, cell.attributes);
            }
        }
        String::new()
    }

    /// Lets the terminal move whole rows, of which some show what nobody but it knows.
    fn scroll_rows(
        &mut self,
        from: Rectangle,
        clip: Rectangle,
        way: (i32, i32),
        fill: Cell,
    ) -> Option<String> {
        let bounds = self.bounds();
        let target = from.moved(way).common(bounds)?;
        let is_whole = (from.left, from.right) == (0, bounds.right) && way.0 == 0;
        let area =
            Rectangle { top: target.top.min(from.top), bottom: target.bottom.max(from.bottom), ..bounds };
        let height = from.bottom - from.top;
        let is_fitting =
            way.1 != 0 && way.1.unsigned_abs() <= height.unsigned_abs() && area.common(clip) == Some(area);
        let is_unknown = || {
            places(from)
                .any(|(column, row)| self.cell(column, row).is_some_and(|cell| cell.shown == Shown::Unknown))
        };
        // A clipped target would let rows vanish that stay.
        if !is_whole
            || !is_fitting
            || target.bottom - target.top != height && !self.leaves_screen(from, way)
            || !is_unknown()
        {
            return None;
        }
        let (top, bottom) = (u16::try_from(area.top).ok()?, u16::try_from(area.bottom).ok()?);
        let count = u16::try_from(way.1.unsigned_abs()).ok()?;
        self.move_rows((top, bottom), count, way.1 < 0, fill);
        let letter = if way.1 < 0 { 'S' } else { 'T' };
        Some(format!("\x1b[0m\x1b[{};{}r\x1b[{count}{letter}\x1b[r", top + 1, bottom + 1))
    }

    /// Says whether what is moved goes beyond the first or the last row.
    fn leaves_screen(&self, from: Rectangle, way: (i32, i32)) -> bool {
        from.top.saturating_add(way.1) < 0 || from.bottom.saturating_add(way.1) >= i32::from(self.rows)
    }

    /// Moves rows up or down within a range; those that become free are filled.
    pub(super) fn move_rows(&mut self, (top, bottom): (u16, u16), count: u16, is_up: bool, fill: Cell) {
        let width = usize::from(self.columns);
        let (start, end) = (usize::from(top) * width, (usize::from(bottom) + 1) * width);
        if !self.is_visible {
            // What moves here stays on the terminal, wherever that shows it.
            let known = self.cells[start..end].iter_mut().filter(|cell| cell.shown == Shown::Same);
            known.for_each(|cell| cell.shown = Shown::Before);
        }
        let area = &mut self.cells[start..end];
        let free = (usize::from(count) * width).min(area.len());
        if is_up {
            area.rotate_left(free);
            let kept = area.len() - free;
            area[kept..].fill(fill);
        } else {
            area.rotate_right(free);
            area[..free].fill(fill);
        }
    }
}

/// Returns the places of a rectangle in reading order.
pub fn places(area: Rectangle) -> impl Iterator<Item = (i32, i32)> {
    (area.top..=area.bottom).flat_map(move |row| (area.left..=area.right).map(move |column| (column, row)))
}
