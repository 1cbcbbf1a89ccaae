//! The texts that were loaded, for diagnostics.

use crate::base::problem::{FileId, Place};

/// Every text that problems can point into.
#[derive(Clone, Debug, Default)]
pub struct Sources(Vec<Source>);

#[derive(Clone, Debug)]
struct Source {
    path: String,
    text: String,
}

impl Sources {
    /// Adds a text.
    pub fn add(&mut self, path: &str, text: String) -> FileId {
        self.0.push(Source { path: path.to_owned(), text });
        FileId(u16::try_from(self.0.len() - 1).expect("files are limited, and so are command lines"))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The file of that path.
    pub fn find(&self, path: &str) -> Option<FileId> {
        self.0.iter().position(|source| source.path == path).map(|index| FileId(index as u16))
    }

    /// Its path, as shown.
    pub fn path(&self, file: FileId) -> &str {
        &self.0[file.0 as usize].path
    }

    /// Its text.
    pub fn text(&self, file: FileId) -> &str {
        &self.0[file.0 as usize].text
    }

    /// Line and column of a byte, both from 1; the column counts characters.
    pub fn line_and_column(&self, file: FileId, byte: usize) -> (usize, usize) {
        let text = self.text(file);
        let mut byte = byte.min(text.len());
        while !text.is_char_boundary(byte) {
            byte -= 1;
        }
        let line_start = text[..byte].rfind('\n').map_or(0, |newline| newline + 1);
        (
            text[..line_start].bytes().filter(|byte| *byte == b'\n').count() + 1,
            text[line_start..byte].chars().count() + 1,
        )
    }

    /// `models/shop.toml:12:3`.
    pub fn describe(&self, place: &Place) -> String {
        let (line, column) = self.line_and_column(place.file, place.bytes.start);
        format!("{}:{line}:{column}", self.path(place.file))
    }
}
