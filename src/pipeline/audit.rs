//! What an audit counts, and of whom.

use super::decl::{AuditDecl, CompareDecl, FigureDecl, PathwayDecl};
use crate::calendar::Window;

#[derive(Debug, Clone)]
pub struct Audit {
    pub name: String,
    pub decl: AuditDecl,
    /// Indices into [`super::Pipeline::items`], in declaration order.
    pub items: Vec<usize>,
    /// Indices into [`super::Pipeline::features`].
    pub split_by: Vec<usize>,
    pub worklist_by: Option<usize>,
    pub pathways: Vec<Pathway>,
    pub compare: Option<Compare>,
    pub figures: Vec<Figure>,
}

/// Care through several settings.
#[derive(Debug, Clone)]
pub struct Pathway {
    pub name: String,
    pub decl: PathwayDecl,
    pub window: Window,
    /// Indices into [`super::Pipeline::sources`], one a step.
    pub sources: Vec<usize>,
}

/// By what the figures of an audit are compared; features are indices into [`super::Pipeline::features`].
#[derive(Debug, Clone)]
pub struct Compare {
    pub decl: CompareDecl,
    pub by: Vec<usize>,
    pub age: Option<usize>,
    pub at_random_by: Vec<usize>,
}

/// Something that is counted in every group.
#[derive(Debug, Clone)]
pub struct Figure {
    pub name: String,
    pub decl: FigureDecl,
    pub counts: Counted,
}

/// Who is counted.
#[derive(Debug, Clone)]
pub enum Counted {
    /// SQL over features and scores.
    When(String),
    /// Has a place on a list of one of these cohorts.
    Listed(Vec<usize>),
    /// This item is known.
    Known(usize),
    /// Nobody: the mean of this feature or score is taken.
    Mean(String),
}
