//! How lists are looked back on, and what must be true for a number to mean what it seems to.

/// How something was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Lottery,
    Discontinuity,
    Matched,
    /// Shown beside the others alone.
    BeforeAfter,
    /// The same of people who were not on the list: what would have been without it.
    BeforeAfterOthers,
}

impl Method {
    pub const ALL: [Self; 5] =
        [Self::Lottery, Self::Discontinuity, Self::Matched, Self::BeforeAfter, Self::BeforeAfterOthers];

    /// The name in outputs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lottery => "lottery",
            Self::Discontinuity => "discontinuity",
            Self::Matched => "matched",
            Self::BeforeAfter => "before_after",
            Self::BeforeAfterOthers => "before_after_others",
        }
    }

    /// Whether a difference may be said to be caused by the list.
    pub fn shows_cause(self) -> bool {
        matches!(self, Self::Lottery | Self::Discontinuity)
    }

    /// What must be true for the number to mean what it seems to.
    pub fn assumes(self) -> &'static str {
        match self {
            Self::Lottery => {
                "Chance alone decided who had these places; being off the list changed nothing else for those who lost."
            }
            Self::Discontinuity => {
                "Around the cut, people on either side differ by nothing but the list: nobody's rank was moved across it, and nothing else begins there. Among the ranks that are compared, outcomes change evenly with rank: the interval allows for a bend of half a standard error."
            }
            Self::Matched => {
                "Everything that led to a place and changes what follows is among what was matched on. It hardly ever is: this is no proof of cause."
            }
            Self::BeforeAfter => {
                "Nothing else would have changed. That is not so: people come on a list at a bad time, and most bad times pass (regression to the mean)."
            }
            Self::BeforeAfterOthers => {
                "The same comparison of matched people who were not on the list: what passes by itself."
            }
        }
    }
}
