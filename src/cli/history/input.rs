//! Where histories come from: files, standard input, a folder of Jepsen's store.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use crate::cli::history::unpack::unpacked;

/// Bytes of a history at most, decompressed.
const HISTORY_BYTES_MAX: u64 = 2 << 30;
/// What a file begins with that Jepsen writes in blocks.
const BLOCKS: &[u8] = b"JEPSEN";
/// Bytes of standard input that are kept, to be read once more for a picture.
const KEPT_BYTES_MAX: u64 = 256 << 20;
/// What a folder's history is called, the best first, and what it may be compressed with.
const NAMES: [&str; 4] = ["history.edn", "history.jsonl", "history.json", "history.txt"];
const PACKED: [&str; 3] = ["", ".gz", ".zst"];

/// A history that can be read, and read again.
pub enum Input {
    /// A file.
    File(PathBuf),
    /// Standard input, which can be read once.
    Stdin,
    /// What it was, kept.
    Kept(Vec<u8>),
}

impl Input {
    /// What is named on the command line.
    ///
    /// # Errors
    /// What it is if it is no history, and what would be one.
    pub fn named(name: &str, again: bool) -> Result<Input, String> {
        if name == "-" {
            if !again {
                return Ok(Input::Stdin);
            }
            let mut bytes = Vec::new();
            let whole = io::stdin().lock().take(KEPT_BYTES_MAX + 1).read_to_end(&mut bytes);
            whole.map_err(|why| format!("standard input: {why}\nhelp: write it to a file and name that"))?;
            if bytes.len() as u64 > KEPT_BYTES_MAX {
                return Err(format!(
                    "standard input has more than {} MiB, and `--diagram` reads it twice\nhelp: write it to a file and name that",
                    KEPT_BYTES_MAX >> 20
                ));
            }
            return Ok(Input::Kept(bytes));
        }
        let path = Path::new(name);
        let about = std::fs::metadata(path)
            .map_err(|why| format!("{name}: {why}\nhelp: name a history, or `-` for standard input"))?;
        match about.is_dir() {
            true => in_folder(name, path),
            false if about.is_file() && is_blocks(path) => Err(blocks(name, path)),
            false => Ok(Input::File(path.to_owned())),
        }
    }

    /// Its bytes, decompressed.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        let bytes: Box<dyn Read + '_> = match self {
            Input::File(path) => Box::new(File::open(path)?),
            Input::Stdin => Box::new(io::stdin().lock()),
            Input::Kept(bytes) => Box::new(Cursor::new(bytes)),
        };
        unpacked(bytes, HISTORY_BYTES_MAX)
    }
}

fn in_folder(name: &str, folder: &Path) -> Result<Input, String> {
    for packed in PACKED {
        for plain in NAMES {
            let path = folder.join(format!("{plain}{packed}"));
            if path.is_file() {
                return Ok(Input::File(path));
            }
        }
    }
    let alone = folder.join("test.jepsen");
    if alone.is_file() {
        return Err(blocks(name, &alone));
    }
    Err(format!(
        "{name} is a directory, and none of {} is in it\nhelp: name the files in it, `{name}/*`",
        NAMES.join(", ")
    ))
}

/// Whether Jepsen wrote a file in blocks.
fn is_blocks(path: &Path) -> bool {
    let mut head = [0; BLOCKS.len()];
    File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok() && head == BLOCKS
}

/// That only Jepsen reads such a file, and what makes a history of it.
fn blocks(name: &str, file: &Path) -> String {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let text = file.display().to_string().replace('\\', r"\\").replace('"', "\\\"");
    let export = format!(
        "(require 'jepsen.store) (jepsen.store/write-history! (jepsen.store/load-jepsen-file \"{text}\"))"
    );
    let mut quoted = String::new();
    for c in export.chars() {
        if matches!(c, '"' | '\\' | '$' | '`') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    format!(
        "{name}: the history is in {} alone, in blocks that only Jepsen reads\n\
         help: in the folder of the Jepsen project this writes its history.edn under store/: lein run -m clojure.main -e \"{quoted}\"",
        file.display()
    )
}
