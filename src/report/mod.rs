//! One page for the auditor and the board: `report.html`, readable without script, network or colour.
//!
//! Its numbers come from aggregate tables, which exist only after disclosure control, and from nothing else; what else it
//! says (names, dates, warnings) is in `Facts`, which holds no count. Each picture has its table beneath, and each table
//! names the file that has all of its rows.

/// Names, dates, rules and warnings.
mod facts;

/// What the first section counts.
pub mod run;

/// Aggregate tables by their headings.
mod table;

/// Numbers and codes as the page says them.
mod words;

/// Sections, blocks, panels and tables of the page.
mod part;

/// Pictures as inline SVG.
mod picture;

/// What each section says.
mod section;

pub use facts::Facts;

use std::collections::BTreeMap;

use data_encoding::BASE64;
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Value, context};
use sha2::{Digest, Sha256};

use crate::cohort::words::spoken_date;
use crate::disclosure::AggregateTable;
use crate::error::{Error, Result};
use part::{Block, Panel, Section, Sheet};
use picture::Picture;
pub use picture::{HandOff, Provider};
use table::Tables;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");

/// From here on headings stand on end in print.
const MANY_COLUMNS: usize = 8;

/// A page that may leave the building: made of aggregate tables alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page(String);

impl Page {
    pub fn html(&self) -> &str {
        &self.0
    }
}

/// One person's web of care as SVG that stands alone: about a person, and so no part of the page.
pub fn web_svg(providers: &[Provider], hand_offs: &[HandOff]) -> String {
    let svg = picture::web(providers, hand_offs).svg("web");
    let style = format!("</desc><style>{STYLE}</style>");
    svg.replacen("<svg ", "<svg xmlns=\"http://www.w3.org/2000/svg\" ", 1).replacen("</desc>", &style, 1)
}

/// The page of a run or an evaluation; a section of which no table speaks is left out.
pub fn page(facts: &Facts, tables: &[AggregateTable]) -> Result<Page> {
    let sections = section::all(facts, Tables(tables))?;
    let fault = |_| Error::Fault("the report cannot be written".to_owned());
    let mut number = Numbers::default();
    let shown: Vec<Value> = sections.into_iter().map(|section| number.section(section)).collect();
    let context = context! {
        title => facts.title.as_str(),
        as_of => spoken_date(facts.as_of),
        run => facts.run.as_deref(),
        riskstrat => facts.riskstrat.as_str(),
        hidden => facts.hidden.as_str(),
        hidden_word => words::HIDDEN,
        sections => shown,
        style => Value::from_safe_string(STYLE.to_owned()),
        style_hash => Value::from_safe_string(BASE64.encode(&Sha256::digest(STYLE))),
    };
    let mut pages = Environment::new();
    pages.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().map_err(fault)?);
    pages.add_template("report.html", PAGE).map_err(fault)?;
    let html = pages.get_template("report.html").and_then(|page| page.render(context)).map_err(fault)?;
    Ok(Page(html))
}

/// Gives each picture and table of the page a number of its own, for its id, and each table a name of its own.
#[derive(Debug, Default)]
struct Numbers {
    pictures: u32,
    tables: u32,
    /// How many tables would have this name: a reader who goes from table to table hears nothing else of them.
    named: BTreeMap<String, u32>,
}

impl Numbers {
    fn section(&mut self, section: Section) -> Value {
        let blocks: Vec<Value> = section.blocks.into_iter().map(|block| self.block(block)).collect();
        let tiles = section.tiles.into_iter().map(|tile| context! { number => tile.number, of => tile.of });
        let tiles: Vec<Value> = tiles.collect();
        context! { id => section.id, title => section.title, tiles, lead => section.lead, blocks }
    }

    fn block(&mut self, block: Block) -> Value {
        let panels: Vec<Value> = block.panels.into_iter().map(|panel| self.panel(panel)).collect();
        context! { title => block.title, text => block.text, panels }
    }

    fn panel(&mut self, panel: Panel) -> Value {
        let picture = panel.picture.as_ref().map(|picture| self.picture(picture));
        let table = panel.sheet.map(|sheet| self.table(sheet));
        context! { title => panel.title, text => panel.text, picture, table }
    }

    fn picture(&mut self, picture: &Picture) -> Value {
        self.pictures += 1;
        Value::from_safe_string(picture.svg(&format!("picture-{}", self.pictures)))
    }

    fn table(&mut self, sheet: Sheet) -> Value {
        self.tables += 1;
        let named = self.named.entry(sheet.caption.clone()).or_default();
        *named += 1;
        let caption = if *named == 1 { sheet.caption.clone() } else { format!("{} ({named})", sheet.caption) };
        let printed = sheet.printed();
        let many = sheet.header.len() > MANY_COLUMNS;
        let header = sheet.header.into_iter().map(|(text, number)| context! { text, number });
        context! {
            id => format!("table-{}", self.tables),
            caption,
            header => header.collect::<Vec<Value>>(),
            rows => sheet.rows,
            printed,
            many,
            left_out => sheet.left_out,
            folded => sheet.folded,
            on_screen_alone => sheet.on_screen_alone,
            file => sheet.file,
        }
    }
}
