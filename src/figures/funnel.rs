//! How far chance alone moves a provider of some size: funnel limits of proportions.
//!
//! Spiegelhalter, Statistics in Medicine 2005: the average ± z times its standard error at the provider's size.

use super::{Limits, Z95, Z998};

/// The two pairs of limits of a provider.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Funnel {
    pub warning: Limits,
    pub alarm: Limits,
}

/// Where a provider lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    Within,
    LowWarning,
    LowAlarm,
    HighWarning,
    HighAlarm,
}

impl Finding {
    /// In words; nothing of a provider within the limits.
    pub fn words(self) -> &'static str {
        match self {
            Self::Within => "",
            Self::LowWarning => "lower than the 95 % limits",
            Self::LowAlarm => "lower than the 99.8 % limits",
            Self::HighWarning => "higher than the 95 % limits",
            Self::HighAlarm => "higher than the 99.8 % limits",
        }
    }
}

impl Funnel {
    /// Limits about the average share at `people`, which are above 0.
    pub fn of(average: f64, people: f64) -> Self {
        let error = (average * (1.0 - average) / people).max(0.0).sqrt();
        let about = |z: f64| Limits { low: (average - z * error).max(0.0), high: (average + z * error).min(1.0) };
        Self { warning: about(Z95), alarm: about(Z998) }
    }

    /// Where a share lies; on a limit is within it.
    pub fn finding(&self, share: f64) -> Finding {
        match share {
            _ if share < self.alarm.low => Finding::LowAlarm,
            _ if share > self.alarm.high => Finding::HighAlarm,
            _ if share < self.warning.low => Finding::LowWarning,
            _ if share > self.warning.high => Finding::HighWarning,
            _ => Finding::Within,
        }
    }
}
