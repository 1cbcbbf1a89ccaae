//! Text with the place of every byte: function strings and programs stand inside TOML strings, and an error in
//! them must point at the exact column, through escapes, multi-line strings and patches.

use std::borrow::Cow;
use std::ops::Range;

use crate::base::plain::{is_hidden, plain};
use crate::base::problem::{FileId, Place};

/// A string and where each of its bytes stands in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    string: String,
    runs: Vec<Run>,
}

/// A stretch of the string; ends where the next begins.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Run {
    /// First byte in the string.
    start: usize,
    file: FileId,
    /// The bytes of the file from which it comes.
    bytes: Range<usize>,
    /// Whether byte i of the stretch is byte i of `bytes`; otherwise all of it comes from all of `bytes`.
    exact: bool,
}

impl Text {
    /// Text that stands as a whole at `place` (a default, an escape, a text from elsewhere).
    pub fn all_at(string: impl Into<String>, place: &Place) -> Text {
        let run = Run { start: 0, file: place.file, bytes: place.bytes.clone(), exact: false };
        Text { string: string.into(), runs: vec![run] }
    }

    /// Text that stands in a file byte for byte, from byte `at`.
    pub fn verbatim(string: impl Into<String>, file: FileId, at: usize) -> Text {
        let string = string.into();
        let run = Run { start: 0, file, bytes: at..at + string.len(), exact: true };
        Text { string, runs: vec![run] }
    }

    /// The string `decoded` whose TOML source, delimiters included, is `raw` at byte `at` of `file`.
    pub fn from_toml(decoded: &str, raw: &str, file: FileId, at: usize) -> Text {
        let mut decoder = Decoder { raw, position: 0, file, at, string: String::new(), runs: Vec::new() };
        decoder.decode();
        let string = shown(decoded);
        if decoder.string == decoded && matches!(string, Cow::Borrowed(_)) {
            return Text { string: decoder.string, runs: decoder.runs };
        }
        // Only what cannot be seen, or a disagreement between this decoder and the TOML parser, leads here; the place is then coarse, not
        // wrong.
        Text::all_at(string, &Place { file, bytes: at..at + raw.len() })
    }

    /// The string.
    pub fn as_str(&self) -> &str {
        &self.string
    }

    /// Where bytes `range` of the string stand.
    pub fn place(&self, range: Range<usize>) -> Place {
        let end = range.end.min(self.string.len());
        let start = range.start.min(end);
        let first = self.run_at(start);
        let last = if end > start { self.run_at(end - 1) } else { first };
        let from = first.locate(start);
        let to = if end > start { last.locate_end(end) } else { from };
        // A patch may have joined pieces of two files: then the place ends with the first piece.
        let to = if last.file == first.file && to >= from { to } else { first.bytes.end.max(from) };
        Place { file: first.file, bytes: from..to }
    }

    /// This text with bytes `range` replaced by `other`; both keep their places.
    pub fn splice(&self, range: Range<usize>, other: &Text) -> Text {
        let mut spliced = self.slice(0..range.start);
        spliced.push(other);
        spliced.push(&self.slice(range.end..self.string.len()));
        spliced
    }

    /// This text between two others, which stand where it stands.
    pub fn around(&self, before: &str, after: &str) -> Text {
        let place = self.place(0..self.string.len());
        let mut text = Text::all_at(before, &place);
        text.push(self);
        text.push(&Text::all_at(after, &place));
        text
    }

    /// A part of this text.
    pub fn slice(&self, range: Range<usize>) -> Text {
        let mut runs = Vec::new();
        for (index, run) in self.runs.iter().enumerate() {
            let run_end = self.runs.get(index + 1).map_or(self.string.len(), |next| next.start);
            let (start, end) = (run.start.max(range.start), run_end.min(range.end));
            if start < end {
                let bytes =
                    if run.exact { run.locate(start)..run.locate_end(end) } else { run.bytes.clone() };
                runs.push(Run { start: start - range.start, file: run.file, bytes, exact: run.exact });
            }
        }
        if runs.is_empty() {
            let place = self.place(range.clone());
            runs.push(Run { start: 0, file: place.file, bytes: place.bytes, exact: false });
        }
        Text { string: self.string[range].to_owned(), runs }
    }

    /// Adds `other` at the end.
    pub fn push(&mut self, other: &Text) {
        if self.string.is_empty() {
            *self = other.clone();
            return;
        }
        let shift = self.string.len();
        if !other.string.is_empty() {
            self.runs.extend(other.runs.iter().map(|run| Run { start: run.start + shift, ..run.clone() }));
            self.string.push_str(&other.string);
        }
    }

    fn run_at(&self, byte: usize) -> &Run {
        let next = self.runs.partition_point(|run| run.start <= byte);
        &self.runs[next.saturating_sub(1)]
    }
}

impl Run {
    fn locate(&self, byte: usize) -> usize {
        if self.exact {
            (self.bytes.start + byte.saturating_sub(self.start)).min(self.bytes.end)
        } else {
            self.bytes.start
        }
    }

    fn locate_end(&self, byte: usize) -> usize {
        if self.exact { self.locate(byte) } else { self.bytes.end }
    }
}

/// A text without what cannot be seen, but for the line breaks of some editors.
fn shown(text: &str) -> Cow<'_, str> {
    let mut lines = text.split("\r\n");
    match lines.all(|line| !line.chars().any(is_hidden)) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(text.split("\r\n").map(plain).collect::<Vec<_>>().join("\r\n")),
    }
}

/// Walks the source of a TOML string, noting which bytes became which.
struct Decoder<'a> {
    raw: &'a str,
    position: usize,
    file: FileId,
    at: usize,
    string: String,
    runs: Vec<Run>,
}

impl Decoder<'_> {
    fn decode(&mut self) {
        let (delimiter, escapes, many_lines) = match self.raw.as_bytes() {
            [b'"', b'"', b'"', ..] => (3, true, true),
            [b'\'', b'\'', b'\'', ..] => (3, false, true),
            [b'"', ..] => (1, true, false),
            [b'\'', ..] => (1, false, false),
            _ => (0, false, false), // a bare word
        };
        self.position = delimiter;
        if many_lines {
            self.skip_one_newline(); // a newline right after the delimiter is not part of the string
        }
        let end = self.raw.len().saturating_sub(delimiter);
        while self.position < end {
            let rest = &self.raw[self.position..end];
            let plain = if escapes { rest.find('\\').unwrap_or(rest.len()) } else { rest.len() };
            if plain > 0 {
                self.take_plain(plain);
            } else {
                self.take_escape(rest);
            }
        }
        if self.runs.is_empty() {
            let at = self.at + delimiter.min(self.raw.len());
            self.runs.push(Run { start: 0, file: self.file, bytes: at..at, exact: true });
        }
    }

    fn skip_one_newline(&mut self) {
        let rest = &self.raw[self.position.min(self.raw.len())..];
        self.position += if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) };
    }

    fn take_plain(&mut self, length: usize) {
        let start = self.at + self.position;
        self.runs.push(Run {
            start: self.string.len(),
            file: self.file,
            bytes: start..start + length,
            exact: true,
        });
        self.string.push_str(&self.raw[self.position..self.position + length]);
        self.position += length;
    }

    /// `rest` begins with a backslash.
    fn take_escape(&mut self, rest: &str) {
        let (character, length) = match rest.as_bytes().get(1) {
            Some(b'x') => (hexadecimal(rest, 2), 4),
            Some(b'u') => (hexadecimal(rest, 4), 6),
            Some(b'U') => (hexadecimal(rest, 8), 10),
            Some(b'b') => (Some('\u{8}'), 2),
            Some(b't') => (Some('\t'), 2),
            Some(b'n') => (Some('\n'), 2),
            Some(b'f') => (Some('\u{c}'), 2),
            Some(b'r') => (Some('\r'), 2),
            Some(b'e') => (Some('\u{1b}'), 2),
            Some(b'"') => (Some('"'), 2),
            Some(b'\\') => (Some('\\'), 2),
            // A backslash at the end of a line swallows the white space up to the next word.
            _ => (None, 1 + rest[1..].len() - rest[1..].trim_start_matches([' ', '\t', '\r', '\n']).len()),
        };
        let start = self.at + self.position;
        if let Some(character) = character {
            self.runs.push(Run {
                start: self.string.len(),
                file: self.file,
                bytes: start..start + length,
                exact: false,
            });
            self.string.push(character);
        }
        self.position += length;
    }
}

fn hexadecimal(rest: &str, digits: usize) -> Option<char> {
    char::from_u32(u32::from_str_radix(rest.get(2..2 + digits)?, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The source text of the first `wanted` in the string value of `toml`.
    fn source_of(toml: &str, wanted: &str) -> String {
        let table = toml::de::DeTable::parse(toml).expect("valid TOML");
        let value = table.get_ref().values().next().expect("one value");
        let decoded = value.get_ref().as_str().expect("a string");
        let text = Text::from_toml(decoded, &toml[value.span()], FileId(0), value.span().start);
        let at = decoded.find(wanted).expect("the string holds it");
        toml[text.place(at..at + wanted.len()).bytes].to_owned()
    }

    #[test]
    fn every_kind_of_toml_string_maps_back_to_its_source() {
        assert_eq!(source_of("x = \"lru, fifo\"", "fifo"), "fifo");
        assert_eq!(source_of("x = 'lru, fifo'", "fifo"), "fifo");
        assert_eq!(source_of("x = \"a\\tb\\u00e9 word\"", "word"), "word");
        assert_eq!(source_of("x = \"a\\tb\\u00e9 word\"", "é"), "\\u00e9");
        assert_eq!(source_of("x = \"\"\"\nfirst\n  second \\\n   third\"\"\"", "third"), "third");
        assert_eq!(source_of("x = \"\"\"\r\nfirst\r\n second\"\"\"", "second"), "second");
        assert_eq!(source_of("x = '''\nit's here'''", "here"), "here");
        assert_eq!(source_of("x = \"\\\\ \\\" ü end\"", "end"), "end");
    }

    #[test]
    fn spliced_text_keeps_the_places_of_both_pieces() {
        let text = Text::verbatim("mutex(ttl=3s, wait=1s)", FileId(0), 10);
        let patched = text.splice(10..12, &Text::verbatim("20ms", FileId(1), 100));
        assert_eq!(patched.as_str(), "mutex(ttl=20ms, wait=1s)");
        assert_eq!(patched.place(10..14), Place { file: FileId(1), bytes: 100..104 });
        assert_eq!(patched.place(16..20), Place { file: FileId(0), bytes: 24..28 });
    }
}
