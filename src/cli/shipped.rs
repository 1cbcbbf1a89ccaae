//! The experiments and models inside the binary, so that `splitbrain run cache-stampede` works from any folder.

use include_dir::{Dir, include_dir};

static EXPERIMENTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/experiments");
static MODELS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/models");

/// A shipped file.
#[derive(Clone, Copy, Debug)]
pub struct Shipped {
    /// Its path, `experiments/queueing.toml`.
    pub path: &'static str,
    /// Its name, `queueing`.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

fn of(dir: &'static Dir<'static>) -> Vec<Shipped> {
    let mut all: Vec<Shipped> = dir
        .files()
        .filter_map(|file| {
            let path = file.path().to_str()?;
            Some(Shipped { path, name: path.strip_suffix(".toml")?, text: file.contents_utf8()? })
        })
        .collect();
    all.sort_by_key(|file| file.name);
    all
}

/// All experiments, by name.
pub fn experiments() -> Vec<Shipped> {
    of(&EXPERIMENTS)
}

/// All models, by name.
pub fn models() -> Vec<Shipped> {
    of(&MODELS)
}

/// The experiment of that name.
pub fn experiment(name: &str) -> Option<Shipped> {
    experiments().into_iter().find(|file| file.name == name)
}

/// The shipped file of a path such as `experiments/queueing.toml`.
pub fn file(path: &str) -> Option<&'static str> {
    let (folder, name) = path.split_once('/')?;
    let all = match folder {
        "experiments" => experiments(),
        "models" => models(),
        _ => return None,
    };
    all.into_iter().find(|file| file.path == name).map(|file| file.text)
}

/// The value of a text key at the top of a file, for lists.
pub fn key(text: &str, key: &str) -> String {
    let table: Option<toml::Table> = text.parse().ok();
    let value = table.and_then(|table| table.get(key).and_then(|value| value.as_str().map(str::to_owned)));
    value.unwrap_or_default().trim().to_owned()
}
