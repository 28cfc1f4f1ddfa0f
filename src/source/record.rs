//! Bytes to rows of fields, strictly as RFC 4180 has it.
//!
//! Strict because leniency loses rows: a reader that takes text after a closing quote, or a quote inside a plain
//! field, can join two rows into one that looks whole. Only a quoted field may hold a line break.

use std::io::{self, BufRead, Read};

/// No honest row is longer; a quote that is never closed, or a file without line breaks, is stopped here.
pub(super) const MAX_ROW: usize = 1 << 20;

/// Why nothing after this point can be trusted.
#[derive(Debug)]
pub(super) enum Broken {
    Io(io::Error),
    TooLong {
        line: u64,
    },
    /// A quote was opened and never closed.
    Open {
        line: u64,
    },
    /// A quote was opened, more lines were taken in, and then it did not end a field.
    Swallowed {
        line: u64,
        last: u64,
    },
}

/// A row by its first physical line, and its last.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub line: u64,
    pub last: u64,
    pub fields: Result<Fields<'a>, &'static str>,
}

/// Fields of one row, quotes taken off.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a> {
    text: &'a str,
    /// Where each field ends; a separator stands between it and the next.
    ends: &'a [usize],
}

impl<'a> Fields<'a> {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Empty for a field that is not there.
    pub fn get(&self, index: usize) -> &'a str {
        let start = match index.checked_sub(1) {
            None => 0,
            Some(before) => self.ends.get(before).map_or(usize::MAX, |end| end + 1),
        };
        let end = self.ends.get(index).copied().unwrap_or_default();
        self.text.get(start..end).unwrap_or_default()
    }

    pub fn iter(self) -> impl Iterator<Item = &'a str> {
        (0..self.len()).map(move |index| self.get(index))
    }
}

/// Where the scan of a row with quotes stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Start,
    Plain,
    Quoted,
    /// Behind a quote that ends the field, or is the first of a doubled one.
    Closed,
    Stray,
}

/// Rows of a delimited file, one at a time, in buffers that are used again.
pub(super) struct Records<R> {
    input: R,
    delimiter: u8,
    raw: Vec<u8>,
    /// The fields of a row with quotes, unquoted; a row without any is split where it was read.
    unquoted: Vec<u8>,
    ends: Vec<usize>,
    lines: u64,
}

impl<R: BufRead> Records<R> {
    pub fn new(input: R, delimiter: u8) -> Self {
        Self { input, delimiter, raw: Vec::new(), unquoted: Vec::new(), ends: Vec::new(), lines: 0 }
    }

    /// The next row that is not a blank line.
    pub fn next(&mut self) -> Result<Option<Row<'_>>, Broken> {
        loop {
            if !self.read_line()? {
                return Ok(None);
            }
            if !self.content().is_empty() {
                break;
            }
        }
        let line = self.lines;
        let (plain, nul) = self.split_plain();
        if plain {
            let fields = fields(self.content(), &self.ends, nul);
            return Ok(Some(Row { line, last: line, fields }));
        }
        let (at, nul) = self.split_quoted()?;
        let last = self.lines;
        if at == At::Stray {
            if last > line {
                return Err(Broken::Swallowed { line, last });
            }
            return Ok(Some(Row { line, last, fields: Err("stray or unclosed quote") }));
        }
        Ok(Some(Row { line, last, fields: fields(&self.unquoted, &self.ends, nul) }))
    }

    /// Reads a physical line with its ending; false at the end of the file.
    fn read_line(&mut self) -> Result<bool, Broken> {
        self.raw.clear();
        let limit = MAX_ROW as u64 + 2;
        self.input.by_ref().take(limit).read_until(b'\n', &mut self.raw).map_err(Broken::Io)?;
        if self.raw.is_empty() {
            return Ok(false);
        }
        self.lines += 1;
        if self.lines == 1 && self.raw.starts_with(b"\xEF\xBB\xBF") {
            self.raw.drain(..3);
        }
        if self.content().len() > MAX_ROW {
            return Err(Broken::TooLong { line: self.lines });
        }
        Ok(true)
    }

    /// The line without its ending.
    fn content(&self) -> &[u8] {
        let line = self.raw.strip_suffix(b"\n").unwrap_or(&self.raw);
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    /// Finds the fields of a line without quotes in one pass: whether there is none, and whether there is a NUL.
    fn split_plain(&mut self) -> (bool, bool) {
        self.ends.clear();
        let line = self.raw.strip_suffix(b"\n").unwrap_or(&self.raw);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let mut nul = false;
        for (at, &byte) in line.iter().enumerate() {
            if byte == self.delimiter {
                self.ends.push(at);
            } else if byte == b'"' {
                return (false, nul);
            } else if byte == 0 {
                nul = true;
            }
        }
        self.ends.push(line.len());
        (true, nul)
    }

    /// Unquotes the row that begins on the current line, taking in further lines while a quote is open.
    fn split_quoted(&mut self) -> Result<(At, bool), Broken> {
        self.unquoted.clear();
        self.ends.clear();
        let mut at = At::Start;
        let mut nul = false;
        let mut opened = self.lines;
        loop {
            let content = self.content().len();
            for &byte in self.raw.iter().take(content) {
                nul |= byte == 0;
                let next = step(at, byte, self.delimiter);
                match (at, next) {
                    (_, At::Stray) => return Ok((At::Stray, nul)),
                    (_, At::Closed) => {}
                    (At::Start, At::Quoted) => opened = self.lines,
                    (_, At::Start) => {
                        self.ends.push(self.unquoted.len());
                        self.unquoted.push(byte);
                    }
                    _ => self.unquoted.push(byte),
                }
                at = next;
            }
            if at != At::Quoted {
                self.ends.push(self.unquoted.len());
                return Ok((at, nul));
            }
            self.unquoted.extend(self.raw.iter().skip(content));
            if self.unquoted.len() > MAX_ROW || !self.read_line()? {
                return Err(Broken::Open { line: opened });
            }
        }
    }
}

fn step(at: At, byte: u8, delimiter: u8) -> At {
    match at {
        At::Quoted if byte == b'"' => At::Closed,
        At::Quoted => At::Quoted,
        At::Closed | At::Start if byte == b'"' => At::Quoted,
        At::Start | At::Plain | At::Closed if byte == delimiter => At::Start,
        At::Start | At::Plain if byte != b'"' => At::Plain,
        At::Start | At::Plain | At::Closed | At::Stray => At::Stray,
    }
}

fn fields<'a>(bytes: &'a [u8], ends: &'a [usize], nul: bool) -> Result<Fields<'a>, &'static str> {
    if nul {
        return Err("NUL byte");
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "invalid UTF-8")?;
    Ok(Fields { text, ends })
}
