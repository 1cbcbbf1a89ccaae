//! `splitbrain list`: shipped experiments and models, one line each.

use crate::cli::shipped;
use crate::cli::status::print;

/// Lists them.
pub fn list() -> u8 {
    let mut text = String::from("experiments (splitbrain run NAME):\n");
    for file in shipped::experiments() {
        text += &format!("  {:<22} {}\n", file.name, shipped::key(file.text, "title"));
    }
    text += "\nmodels (use = [\"../models/NAME.toml\"]):\n";
    for file in shipped::models() {
        let first = file.text.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or("");
        let first = first.split_once(". ").map_or(first, |(sentence, _)| sentence).trim_end_matches('.');
        text += &format!("  {:<22} {}\n", file.name, first);
    }
    text += "\nTo change one: splitbrain new my.toml --from NAME\n";
    print(&text)
}
