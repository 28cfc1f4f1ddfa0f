//! The one integration binary: each module is a theme.

// `cfg(test)` is always true here; it tells clippy that helpers are test code too.
#[cfg(test)]
mod acted_on;
#[cfg(test)]
mod cohorts;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod declarations;
#[cfg(test)]
mod deliveries;
#[cfg(test)]
mod demand;
#[cfg(test)]
mod disclosure;
#[cfg(test)]
mod diversions;
#[cfg(test)]
mod engine_settings;
#[cfg(test)]
mod evaluate;
#[cfg(test)]
mod extend;
#[cfg(test)]
mod gaps;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod hidden_inequality;
#[cfg(test)]
mod impact;
#[cfg(test)]
mod impossible_days;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod latest;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod measures;
#[cfg(test)]
mod models;
#[cfg(test)]
mod one_pass;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod outreach;
#[cfg(test)]
mod populations;
#[cfg(test)]
mod printed;
#[cfg(test)]
mod publishing;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod recovered;
#[cfg(test)]
mod release;
#[cfg(test)]
mod report;
#[cfg(test)]
mod runs;
#[cfg(test)]
mod same_bytes;
#[cfg(test)]
mod scores;
#[cfg(test)]
mod shared_keys;
#[cfg(test)]
mod stacked;
#[cfg(test)]
mod statistics;
#[cfg(test)]
mod studies;
#[cfg(test)]
mod synth;
#[cfg(test)]
mod third_party;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod tiny;
#[cfg(test)]
mod train;
#[cfg(test)]
mod trust;
#[cfg(test)]
mod webs;
