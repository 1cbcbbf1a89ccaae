//! Where histories come from: files, standard input, a folder of Jepsen's store.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use crate::cli::history::unpack::unpacked;

/// Bytes of a history at most, decompressed.
const HISTORY_BYTES_MAX: u64 = 2 << 30;
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
        if about.is_dir() { in_folder(name, path) } else { Ok(Input::File(path.to_owned())) }
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
    if folder.join("test.jepsen").is_file() {
        return Err(format!(
            "{name} has its history in test.jepsen alone, a file of blocks that only Jepsen reads\n\
             help: this writes a history.edn beside it, in the folder of the Jepsen project: lein run -m clojure.main -e \
             \"(require 'jepsen.store) (jepsen.store/write-history! (jepsen.store/test \\\"{}\\\"))\"",
            folder.display()
        ));
    }
    Err(format!(
        "{name} is a directory, and none of {} is in it\nhelp: name the files in it, `{name}/*`",
        NAMES.join(", ")
    ))
}
