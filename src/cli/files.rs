//! Where the command line finds files: on the disk, or inside the binary. The only room that opens any.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

use crate::cli::shipped;
use crate::design::file::{ReadError, Reader};
use crate::design::limits::{DATA_BYTES_MAX, FILE_BYTES_MAX};

/// What the standard input is called.
pub const STDIN: &str = "-";

/// Files on the disk, and the standard input.
pub struct Disk;

/// Files on the disk, each read once: what comes through a pipe is gone afterwards.
#[derive(Default)]
pub struct Once(RefCell<BTreeMap<String, Vec<u8>>>);

/// Files inside the binary, `experiments/…` and `models/…`.
pub struct Embedded;

/// What the name of an experiment means: a file if there is one, else a shipped one.
pub fn find(name: &str) -> Result<(Box<dyn Reader>, String), String> {
    if name == STDIN {
        return Ok((Box::new(Disk), name.to_owned()));
    }
    let path = Path::new(name);
    let only_a_folder = path.is_dir() && shipped::experiment(name).is_some();
    if path.exists() && !only_a_folder || name.ends_with(".toml") || name.contains(['/', '\\']) {
        return Ok((Box::new(Disk), name.to_owned()));
    }
    match shipped::experiment(name) {
        Some(_) => Ok((Box::new(Embedded), format!("experiments/{name}.toml"))),
        None => {
            let all = shipped::experiments();
            let near = crate::base::problem::nearest(name, all.iter().map(|file| file.name));
            let help = near
                .map_or("`splitbrain list` shows them".to_owned(), |near| format!("did you mean `{near}`?"));
            Err(format!("no file and no shipped experiment is called `{name}`\nhelp: {help}"))
        }
    }
}

/// No more than `most` bytes of what has no length.
fn take(from: impl Read, most: u64) -> Result<Vec<u8>, ReadError> {
    // one byte more than allowed is enough to know
    let mut bytes = Vec::new();
    from.take(most + 1).read_to_end(&mut bytes).map_err(|why| ReadError::Other(why.to_string()))?;
    if bytes.len() as u64 > most {
        return Err(ReadError::TooLarge(bytes.len() as u64));
    }
    Ok(bytes)
}

fn read(path: &str, most: u64) -> Result<Vec<u8>, ReadError> {
    if path == STDIN {
        return take(std::io::stdin().lock(), most);
    }
    let about = fs::metadata(path).map_err(|why| match why.kind() {
        std::io::ErrorKind::NotFound => ReadError::Missing,
        _ => ReadError::Other(why.to_string()),
    })?;
    if about.is_dir() {
        return Err(ReadError::Directory);
    }
    if about.len() > most {
        return Err(ReadError::TooLarge(about.len()));
    }
    // a device or a pipe says nothing of its length
    take(fs::File::open(path).map_err(|why| ReadError::Other(why.to_string()))?, most)
}

impl Reader for Disk {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        read(path, FILE_BYTES_MAX)
    }

    fn read_data(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        read(path, DATA_BYTES_MAX)
    }
}

impl Reader for Once {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        if let Some(bytes) = self.0.borrow().get(path) {
            return Ok(bytes.clone());
        }
        let bytes = Disk.read(path)?;
        self.0.borrow_mut().insert(path.to_owned(), bytes.clone());
        Ok(bytes)
    }

    fn read_data(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        Disk.read_data(path)
    }
}

impl Reader for Embedded {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        shipped::file(path).map(|text| text.as_bytes().to_vec()).ok_or(ReadError::Missing)
    }
}
