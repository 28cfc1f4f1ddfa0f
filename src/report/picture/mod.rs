//! Pictures as inline SVG: each with a title and a description, and in words what colour alone would say.
//!
//! Drawn by hand: of the charting crates looked at (plotters 0.3, kuva 0.6, charts-rs 2.3, poloto 19; charming runs a
//! JavaScript engine to draw), none gives an SVG that a screen reader takes for one image with a name and a description
//! (`role="img"`, `<title>`, `<desc>`), none can leave a mark out and say why (a hidden count), none draws an interval
//! within bounds, and all set fonts and colours where a page's style and print rules cannot reach them. Five kinds are all
//! that the page needs; each is tested on what it draws.
//!
//! A picture is 400 units wide, so that its text is readable at 320 pixels and not too large at 480. A mark carries its
//! table's number as `data-x` or `data-y`.

mod bars;
mod calibration;
mod canvas;
mod dots;
mod funnel;
mod plane;
mod run_chart;
mod scale;
mod web;

pub(super) use bars::{Bar, Bars, Part};
pub(super) use calibration::{Calibration, Tenth};
pub(super) use canvas::Picture;
pub(super) use dots::{Dot, Dots};
pub(super) use funnel::{Funnel, Limits, Place};
pub(super) use run_chart::{RunChart, Visit};
pub(super) use web::web;
pub use web::{HandOff, Provider};

/// Rows that a picture of groups has at most: beyond them nobody reads it, and the table must do.
pub(super) const MOST_ROWS: usize = 24;
