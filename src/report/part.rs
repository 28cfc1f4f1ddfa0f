//! What the page is made of: sections of blocks, blocks of panels, panels of a picture with its table beneath.

use super::picture::Picture;

/// Rows of a table that are shown at most: the file has them all.
const MOST_ROWS: usize = 40;

/// Rows of a table that are printed at most: a longer one would be pages of its own.
const PRINTED_ROWS: usize = 24;

/// Rows of a table that stand open; a longer one is behind its name.
const OPEN_ROWS: usize = 12;

/// A heading of the page, in its list of contents.
#[derive(Debug)]
pub(super) struct Section {
    pub id: &'static str,
    pub title: &'static str,
    /// What to take away: the numbers that people ask for first, …
    pub tiles: Vec<Tile>,
    /// … and a few sentences.
    pub lead: Vec<String>,
    pub blocks: Vec<Block>,
}

/// A number in large print, and what it counts.
#[derive(Debug)]
pub(super) struct Tile {
    pub number: String,
    pub of: String,
}

/// A question, and what answers it.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub title: String,
    pub text: Vec<String>,
    pub panels: Vec<Panel>,
}

#[derive(Debug, Default)]
pub(super) struct Panel {
    /// Empty where the block's title says it all.
    pub title: String,
    pub text: Vec<String>,
    pub picture: Option<Picture>,
    pub sheet: Option<Sheet>,
}

/// A table of the page.
#[derive(Debug)]
pub(super) struct Sheet {
    pub caption: String,
    /// Headings; whether numbers stand below.
    pub header: Vec<(String, bool)>,
    pub rows: Vec<Vec<String>>,
    /// Rows that are in the file alone.
    pub left_out: usize,
    /// Behind its name, because it is long.
    pub folded: bool,
    /// Left out of print, because it is wide or one of many.
    pub on_screen_alone: bool,
    /// Where all rows are; none where the page itself is where they are.
    pub file: Option<&'static str>,
}

impl Section {
    /// A section without tiles.
    pub fn new(id: &'static str, title: &'static str, lead: Vec<String>, blocks: Vec<Block>) -> Self {
        Self { id, title, tiles: Vec::new(), lead, blocks }
    }
}

impl Sheet {
    /// The first rows; numbers stand below every heading but the first `texts`.
    pub fn new(
        caption: impl Into<String>,
        file: impl Into<Option<&'static str>>,
        texts: usize,
        header: impl IntoIterator<Item = impl Into<String>>,
        mut rows: Vec<Vec<String>>,
    ) -> Self {
        let left_out = rows.len().saturating_sub(MOST_ROWS);
        rows.truncate(MOST_ROWS);
        let header = header.into_iter().enumerate().map(|(column, text)| (text.into(), column >= texts)).collect();
        let (caption, file, folded) = (caption.into(), file.into(), rows.len() > OPEN_ROWS);
        Self { caption, header, rows, left_out, folded, on_screen_alone: false, file }
    }

    pub fn printed(&self) -> bool {
        self.rows.len() <= PRINTED_ROWS
    }

    pub fn on_screen_alone(mut self) -> Self {
        self.on_screen_alone = true;
        self
    }

    /// Behind its name although it is short: the picture says it all.
    pub fn beneath(mut self) -> Self {
        self.folded = true;
        self
    }
}

impl Block {
    pub fn new(title: impl Into<String>, text: impl IntoIterator<Item = String>) -> Self {
        Self { title: title.into(), text: text.into_iter().collect(), panels: Vec::new() }
    }

    pub fn with(mut self, panel: Panel) -> Self {
        self.panels.push(panel);
        self
    }
}

impl Panel {
    pub fn of(picture: Option<Picture>, sheet: Sheet) -> Self {
        Self { picture, sheet: Some(sheet), ..Self::default() }
    }

    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }
}
