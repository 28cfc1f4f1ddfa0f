//! The audit of recording gaps: what was planted is found, and every table says what its sources say.

mod dqmi;
mod hostile;
mod planted;
mod tables;
