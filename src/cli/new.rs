//! `splitbrain new`: copies a shipped experiment and its models, to edit, or writes a template. Nothing is overwritten without `--force`.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::status::{CANNOT_WRITE, complain, print};
use crate::cli::{folder, shipped};

/// The smallest experiment with a question: what is there, what it does, who asks, and what is to be so.
const EMPTY: &str = r#"title = "What is asked here?"
length = "1m"

server.app = { cores = 2 }
db.store = {}
workload.users = { do = "page()", arrive = "poisson(100/s)" }

on.app.page = "cpu exp(5ms); read store.rows[1]"

slo.fast = "p99(page) < 100ms"
"#;

/// Its arguments.
#[derive(Debug, Args)]
pub struct New {
    /// The file to write
    pub file: PathBuf,
    /// The shipped experiment to copy
    #[arg(long, value_name = "NAME", required_unless_present = "empty")]
    pub from: Option<String>,
    /// A template of ten lines instead
    #[arg(long, conflicts_with = "from")]
    pub empty: bool,
    /// Overwrite files that are there
    #[arg(long)]
    pub force: bool,
}

/// Copies it.
pub fn new(arguments: &New) -> u8 {
    let files = match files(arguments) {
        Ok(files) => files,
        Err(why) => return complain(&why),
    };
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
            complain(&format!("cannot write {}: {why}", path.display()));
            return CANNOT_WRITE;
        }
    }
    let written: Vec<String> = files.iter().map(|(path, _)| path.display().to_string()).collect();
    print(&format!("wrote {}\nnext: splitbrain run {}\n", written.join(", "), arguments.file.display()))
}

/// What is written where.
fn files(arguments: &New) -> Result<Vec<(PathBuf, String)>, String> {
    let Some(from) = &arguments.from else { return Ok(vec![(arguments.file.clone(), EMPTY.to_owned())]) };
    let Some(experiment) = shipped::experiment(from) else {
        let all = shipped::experiments();
        let near = crate::base::problem::nearest(from, all.iter().map(|file| file.name));
        let help =
            near.map_or("`splitbrain list` shows them".to_owned(), |near| format!("did you mean `{near}`?"));
        return Err(format!("no shipped experiment is called `{from}`\nhelp: {help}"));
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
    Ok(files)
}
