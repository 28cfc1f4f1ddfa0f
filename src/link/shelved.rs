//! Tokens and register rows of the spine, which nobody reads while sources are read.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};

use super::{Records, Register};
use crate::aside::Aside;
use crate::columns::Waiting;
use crate::error::{Error, Result};
use crate::pseudonym::Pseudonym;

/// What was taken from [`Records`], on the disk where memory is short.
pub struct Shelved {
    tokens: Tokens,
    registers: Vec<(usize, Waiting)>,
}

enum Tokens {
    Held(Vec<Pseudonym>),
    Aside(Aside),
}

impl Records<'_> {
    /// Takes out the tokens of the spine and what registers say of it.
    pub fn shelve(&mut self, on_disk: bool) -> Result<Shelved> {
        let registers = std::mem::take(&mut self.registers).into_iter();
        let registers = registers.map(|register| Ok((register.source, register.rows.put_aside(on_disk)?)));
        let registers = registers.collect::<Result<_>>()?;
        let tokens = std::mem::take(&mut self.tokens);
        let tokens = if on_disk {
            let parts = tokens.chunks(AT_ONCE).map(|some| -> ArrayRef {
                Arc::new(StringArray::from_iter_values(some.iter().map(Pseudonym::reveal)))
            });
            Tokens::Aside(Aside::put(parts, true)?)
        } else {
            Tokens::Held(tokens)
        };
        Ok(Shelved { tokens, registers })
    }
}

/// Tokens that are text at the same time.
const AT_ONCE: usize = 1 << 16;

impl Shelved {
    /// Tokens and registers as they were.
    pub fn take(self) -> Result<(Vec<Pseudonym>, Vec<Register>)> {
        let tokens = match self.tokens {
            Tokens::Held(tokens) => tokens,
            Tokens::Aside(aside) => {
                let fault = || Error::Fault("tokens came back from the disk as something else".to_owned());
                let mut tokens = Vec::new();
                for part in aside.each()? {
                    let part = part?;
                    let part = part.as_string_opt::<i32>().ok_or_else(fault)?;
                    tokens.extend(part.iter().flatten().map(Pseudonym::new));
                }
                tokens
            }
        };
        let registers = self.registers.into_iter().map(|(source, rows)| Ok(Register { source, rows: rows.take()? }));
        Ok((tokens, registers.collect::<Result<_>>()?))
    }
}
