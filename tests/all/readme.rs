//! The README's tour: each command that it shows prints what it shows. `[..]` stands for anything within a line, a line
//! of `...` for any lines. The commands of a file run one after the other in one empty folder.

use std::path::Path;
use std::process::Command;

/// A command and the lines that it shows.
struct Shown {
    line: usize,
    command: String,
    output: Vec<String>,
}

/// The `console` blocks of a Markdown text.
fn shown(text: &str) -> Vec<Shown> {
    let mut all: Vec<Shown> = Vec::new();
    let mut inside = false;
    for (number, line) in text.lines().enumerate() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if inside && let Some(command) = line.strip_prefix("$ ") {
            all.push(Shown { line: number + 1, command: command.to_owned(), output: Vec::new() });
        } else if inside {
            all.last_mut().expect("a block begins with a command").output.push(line.to_owned());
        }
    }
    all
}

/// Whether a line is as shown.
fn fits(shown: &str, line: &str) -> bool {
    let mut pieces = shown.split("[..]");
    let Some(mut rest) = line.strip_prefix(pieces.next().unwrap_or("")) else { return false };
    let mut open = false;
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = if piece.is_empty() { "" } else { &rest[at + piece.len()..] };
        open = piece.is_empty();
    }
    rest.is_empty() || open
}

/// Whether all lines are as shown.
fn all_fit(shown: &[String], lines: &[&str]) -> bool {
    match (shown.split_first(), lines.split_first()) {
        (None, None) => true,
        (Some((first, more)), _) if first == "..." => {
            (0..=lines.len()).any(|skipped| all_fit(more, &lines[skipped..]))
        }
        (Some((first, more)), Some((line, rest))) => fits(first, line) && all_fit(more, rest),
        _ => false,
    }
}

fn hold(path: &str) -> usize {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join(path)).expect("it is there");
    let folder = tempfile::tempdir().expect("a folder");
    let commands = shown(&text);
    for Shown { line, command, output } in &commands {
        let words: Vec<&str> = command.split_whitespace().collect();
        let (edit, words) = match words.split_first() {
            Some((&"splitbrain", words)) => (None, words),
            Some((&"sed", words)) => (Some("sed"), words),
            _ => panic!("{path}:{line}: the tour shows splitbrain and sed, not `{command}`"),
        };
        let mut process = Command::new(edit.unwrap_or(env!("CARGO_BIN_EXE_splitbrain")));
        let unquoted = words.iter().map(|word| word.trim_matches('\''));
        let ended = process.args(unquoted).current_dir(folder.path()).output().expect("it runs");
        // Mistakes are told on stderr, and so is how far a long run is.
        let stderr = if ended.status.success() { &[][..] } else { &ended.stderr[..] };
        let text = String::from_utf8_lossy(&ended.stdout).into_owned() + &String::from_utf8_lossy(stderr);
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        assert!(all_fit(output, &lines), "{path}:{line}: `{command}` prints something else:\n{text}");
    }
    commands.len()
}

#[test]
fn the_readme_shows_what_its_commands_print() {
    assert!(hold("README.md") >= 6, "a tour has some commands");
}

#[test]
fn other_output_is_not_taken_for_the_same() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert!(all_fit(&lines("a [..] c\n...\nz"), &["a b c", "x", "y", "z"]));
    assert!(all_fit(&lines("a [..]"), &["a b"]));
    assert!(!all_fit(&lines("a [..] c"), &["a b d"]));
    assert!(!all_fit(&lines("a"), &["a", "b"]));
    assert!(!all_fit(&lines("a\nb"), &["a"]));
}
