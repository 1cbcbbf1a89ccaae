//! `splitbrain new`: copies a shipped experiment and its models, to edit. Nothing is overwritten without `--force`.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::{AS_EXPECTED, complain, folder, print, shipped};

/// Its arguments.
#[derive(Debug, Args)]
pub struct New {
    /// The file to write
    pub file: PathBuf,
    /// The shipped experiment to copy
    #[arg(long, value_name = "NAME")]
    pub from: String,
    /// Overwrite files that are there
    #[arg(long)]
    pub force: bool,
}

/// Copies it.
pub fn new(arguments: &New) -> u8 {
    let Some(experiment) = shipped::experiment(&arguments.from) else {
        let all = shipped::experiments();
        let near = crate::base::problem::nearest(&arguments.from, all.iter().map(|file| file.name));
        let help =
            near.map_or("`splitbrain list` shows them".to_owned(), |near| format!("did you mean `{near}`?"));
        return complain(&format!("no shipped experiment is called `{}`\nhelp: {help}", arguments.from));
    };
    let folder = arguments.file.parent().unwrap_or(Path::new(""));
    let mut text = experiment.text.to_owned();
    let mut files = Vec::new();
    for model in shipped::models() {
        let used = format!("\"../models/{}\"", model.path);
        if text.contains(&used) {
            text = text.replace(&used, &format!("\"{}\"", model.path));
            files.push((folder.join(model.path), model.text.to_owned()));
        }
    }
    files.insert(0, (arguments.file.clone(), text));
    if !arguments.force
        && let Some((there, _)) = files.iter().find(|(path, _)| path.exists())
    {
        return complain(&format!(
            "{} is already there\nhelp: choose another name, or add --force",
            there.display()
        ));
    }
    for (path, text) in &files {
        if let Err(why) = folder::write(path, text) {
            return complain(&format!("cannot write {}: {why}", path.display()));
        }
    }
    let written: Vec<String> = files.iter().map(|(path, _)| path.display().to_string()).collect();
    print(&format!("wrote {}\nnext: splitbrain run {}\n", written.join(", "), arguments.file.display()));
    AS_EXPECTED
}
