//! The bytes of a history, a stretch at a time.

use std::io::{ErrorKind, Read};

use crate::check::read::malformed::Malformed;
use crate::check::read::scan::{Scan, Scanned, Stop};

/// Bytes that are asked for at once.
const STRETCH: usize = 1 << 18;
/// Bytes that are there before it is asked what they look like, unless there are no more.
const HEAD: usize = 1 << 16;
/// Bytes of one operation, or of one line, at most: it must fit the memory several times.
const ONE_MAX: usize = 256 << 20;

/// Bytes that are read, and where they are.
pub(super) struct Source<'r> {
    from: Box<dyn Read + 'r>,
    buffer: Vec<u8>,
    /// What of the buffer has been read and not yet consumed.
    at: usize,
    end: usize,
    /// Whether there are no more.
    last: bool,
    /// The line of the first byte that was not consumed, from 1.
    line: usize,
}

impl<'r> Source<'r> {
    /// Begins to read; a byte order mark is passed.
    pub fn new(from: Box<dyn Read + 'r>) -> Result<Self, Malformed> {
        let mut source = Source { from, buffer: vec![0; STRETCH], at: 0, end: 0, last: false, line: 1 };
        while source.end < HEAD && source.more()? {}
        match source.rest() {
            [0xef, 0xbb, 0xbf, ..] => source.at = 3,
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
                return Err(Malformed::new(
                    1,
                    "this is UTF-16",
                    "histories are read as UTF-8: `iconv -f UTF-16 -t UTF-8`",
                ));
            }
            _ => {}
        }
        Ok(source)
    }

    /// What has been read and not consumed.
    pub fn rest(&self) -> &[u8] {
        &self.buffer[self.at..self.end]
    }

    /// The line of its first byte.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The line of one of its bytes.
    pub fn line_of(&self, offset: usize) -> usize {
        let rest = self.rest();
        self.line + newlines(&rest[..offset.min(rest.len())])
    }

    /// Passes bytes.
    pub fn consume(&mut self, count: usize) {
        self.line += newlines(&self.buffer[self.at..self.at + count]);
        self.at += count;
    }

    /// Passes what is blank in every format, a stretch at a time, however much there is.
    pub fn pass_blanks(&mut self) -> Result<(), Malformed> {
        loop {
            let rest = self.rest();
            let blanks = rest.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(rest.len());
            let ends = blanks < rest.len();
            self.consume(blanks);
            if ends || !self.more()? {
                return Ok(());
            }
        }
    }

    /// Reads more; whether there was any.
    pub fn more(&mut self) -> Result<bool, Malformed> {
        if self.last {
            return Ok(false);
        }
        if self.at > 0 {
            self.buffer.copy_within(self.at..self.end, 0);
            (self.at, self.end) = (0, self.end - self.at);
        }
        if self.end >= ONE_MAX {
            let why = format!("one operation has more than {} MiB", ONE_MAX >> 20);
            return Err(Malformed::new(self.line, why, "each operation is a line or a map of its own"));
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(2 * self.end, 0);
        }
        loop {
            match self.from.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.last = true;
                    return Ok(false);
                }
                Ok(count) => {
                    self.end += count;
                    return Ok(true);
                }
                Err(why) if why.kind() == ErrorKind::Interrupted => {}
                Err(why) => {
                    let why = format!("it cannot be read further: {why}");
                    return Err(Malformed::new(self.line, why, "the rest of it may be missing"));
                }
            }
        }
    }

    /// Scans from here, with more bytes as long as those are too few, and consumes what was passed.
    pub fn scan<T>(&mut self, mut what: impl FnMut(&mut Scan<'_>) -> Scanned<T>) -> Result<T, Malformed> {
        loop {
            let mut scan = Scan::new(&self.buffer[self.at..self.end], self.last);
            match what(&mut scan) {
                Ok(found) => {
                    let passed = scan.at;
                    self.consume(passed);
                    return Ok(found);
                }
                Err(Stop::More) => {
                    // What is long is read in ever larger stretches, so that it is scanned again a few times only.
                    let had = self.rest().len();
                    while self.more()? && self.rest().len() < 2 * had {}
                }
                Err(Stop::Wrong(at, why)) => return Err(Malformed::line(self.line_of(at), why)),
            }
        }
    }

    /// The next line, without its end; `None` at the end of all.
    pub fn next_line(&mut self) -> Result<Option<&[u8]>, Malformed> {
        let mut searched = 0;
        let (length, passed) = loop {
            let rest = self.rest();
            match rest[searched..].iter().position(|byte| *byte == b'\n') {
                Some(place) => break (searched + place, searched + place + 1),
                None => searched = rest.len(),
            }
            if !self.more()? {
                let left = self.rest().len();
                if left == 0 {
                    return Ok(None);
                }
                break (left, left);
            }
        };
        let start = self.at;
        self.at += passed;
        self.line += 1;
        let line = &self.buffer[start..start + length];
        Ok(Some(line.strip_suffix(b"\r").unwrap_or(line)))
    }
}

/// Counted in bytes, of which many are added at once: it is done for each operation.
fn newlines(bytes: &[u8]) -> usize {
    let few = |few: &[u8]| few.iter().map(|byte| u8::from(*byte == b'\n')).sum::<u8>();
    bytes.chunks(usize::from(u8::MAX)).map(|chunk| usize::from(few(chunk))).sum()
}
