//! Problems in rustc's look: code, sentence, file:line:column, the source line with a caret, help.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::base::plain::{is_hidden, plain};
use crate::base::problem::{Problem, Problems};
use crate::design::limits::PROBLEMS_SHOWN_MAX;
use crate::design::source::Sources;

/// Characters of a source line that are shown; longer lines are trimmed around the place.
const LINE_CHARACTERS_MAX: usize = 120;

/// Characters shown before the place in a trimmed line.
const CHARACTERS_BEFORE: usize = 40;

/// Lines of a place that are shown; a place of more lines is cut.
const LINES_MAX: usize = 4;

/// All mistakes as text, sorted by file and place (those about files as a whole first), with colours or without.
pub fn render(sources: &Sources, problems: &Problems, colour: bool) -> String {
    several(sources, &problems.0, Level::ERROR, colour)
}

/// The same of warnings.
pub fn render_warnings(sources: &Sources, warnings: &[Problem], colour: bool) -> String {
    several(sources, warnings, Level::WARNING, colour)
}

fn several(sources: &Sources, problems: &[Problem], level: Level<'_>, colour: bool) -> String {
    let mut sorted: Vec<&Problem> = problems.iter().collect();
    sorted.sort_by_key(|problem| {
        let place = problem.place.as_ref().map(|place| (place.file, place.bytes.start, place.bytes.end));
        (place, problem.code, &problem.message)
    });
    sorted.dedup();
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(200);
    let mut shown: Vec<String> = sorted
        .iter()
        .take(PROBLEMS_SHOWN_MAX)
        .map(|problem| one(&renderer, sources, problem, &level))
        .collect();
    if sorted.len() > PROBLEMS_SHOWN_MAX {
        shown.push(format!("… and {} more\n", sorted.len() - PROBLEMS_SHOWN_MAX));
    }
    shown.join("\n")
}

fn one(renderer: &Renderer, sources: &Sources, problem: &Problem, level: &Level<'_>) -> String {
    let message = plain(&problem.message);
    let title = level.clone().primary_title(&*message).id(problem.code);
    let help = problem.help.as_ref().map(|help| Level::HELP.message(plain(help)));
    let Some(place) = &problem.place else {
        return format!("{}\n", renderer.render(&[title.elements(help)]));
    };
    let path = plain(sources.path(place.file));
    let path = &*path;
    let (line, column) = sources.line_and_column(place.file, place.bytes.start);
    let excerpt = Excerpt::around(sources.text(place.file), place.bytes.start, place.bytes.end);
    let snippet = Snippet::source(excerpt.text.as_str())
        .path(path)
        .line_start(line)
        .annotation(AnnotationKind::Primary.span(excerpt.start..excerpt.end));
    let rendered = renderer.render(&[title.element(snippet).elements(help)]);
    // The excerpt may begin in the middle of a line: the column is the true one's.
    let shown_column = excerpt.text[..excerpt.start].chars().count() + 1;
    let rendered =
        rendered.replacen(&format!("{path}:{line}:{shown_column}"), &format!("{path}:{line}:{column}"), 1);
    format!("{rendered}\n")
}

/// The lines around a place, trimmed, and the place within them.
struct Excerpt {
    text: String,
    start: usize,
    end: usize,
}

impl Excerpt {
    fn around(text: &str, start: usize, end: usize) -> Excerpt {
        let start = boundary(text, start.min(text.len()));
        let end = boundary(text, end.clamp(start, text.len()));
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
        if text[line_start..line_end].chars().nth(LINE_CHARACTERS_MAX).is_some() {
            return Excerpt::within(
                &text[line_start..line_end],
                start - line_start,
                end.min(line_end) - line_start,
            );
        }
        let mut lines_end = line_end;
        for _ in 1..LINES_MAX {
            if end <= lines_end {
                break;
            }
            let next_end =
                text[lines_end + 1..].find('\n').map_or(text.len(), |newline| lines_end + 1 + newline);
            if text[lines_end + 1..next_end].chars().nth(LINE_CHARACTERS_MAX).is_some() {
                break;
            }
            lines_end = next_end;
        }
        let shown = clean(&text[line_start..lines_end]);
        Excerpt { start: start - line_start, end: (end - line_start).min(shown.len()), text: shown }
    }

    /// A window on one long line.
    fn within(line: &str, start: usize, end: usize) -> Excerpt {
        let from = line[..start].char_indices().rev().nth(CHARACTERS_BEFORE).map_or(0, |(at, _)| at);
        let to = line[start..]
            .char_indices()
            .nth(LINE_CHARACTERS_MAX - CHARACTERS_BEFORE)
            .map_or(line.len(), |(at, _)| start + at);
        let (before, after) = (if from > 0 { "…" } else { "" }, if to < line.len() { "…" } else { "" });
        let shift = before.len();
        let text = format!("{before}{}{after}", clean(&line[from..to]));
        Excerpt { start: start - from + shift, end: end.min(to) - from + shift, text }
    }
}

/// What is not shown could move a terminal's cursor; each byte of it becomes `?`, which keeps every place.
fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for character in text.chars() {
        match is_hidden(character) {
            true => clean.extend(std::iter::repeat_n('?', character.len_utf8())),
            false => clean.push(character),
        }
    }
    clean
}

/// The character that holds byte `at`.
fn boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::problem::Place;

    fn shown(text: &str, bytes: std::ops::Range<usize>) -> String {
        let mut sources = Sources::default();
        let file = sources.add("a.toml", text.to_owned());
        let mut problems = Problems::default();
        problems.at("SB0102", Place { file, bytes }, "unknown part 'cashe'").help("did you mean 'cache'?");
        render(&sources, &problems, false)
    }

    #[test]
    fn a_problem_looks_like_one_of_rustc() {
        let text = "title = \"x\"\nlb.edge = { to = \"cashe\" }\n";
        let at = text.find("cashe").expect("there");
        let expected = "\
error[SB0102]: unknown part 'cashe'
 --> a.toml:2:19
  |
2 | lb.edge = { to = \"cashe\" }
  |                   ^^^^^
  |
  = help: did you mean 'cache'?
";
        assert_eq!(shown(text, at..at + 5), expected);
    }

    #[test]
    fn long_lines_are_trimmed_at_characters_and_the_column_stays_true() {
        let text = format!("about = \"{}cashe{}\"\n", "ü".repeat(5_000), "é".repeat(300_000));
        let at = text.find("cashe").expect("there");
        let shown = shown(&text, at..at + 5);
        assert!(shown.contains(" --> a.toml:1:5010\n"), "{shown}");
        assert!(shown.contains("ücasheé"), "{shown}");
        assert!(shown.len() < 2_000, "{shown}");
    }

    #[test]
    fn odd_places_never_panic() {
        let text = "a = 1\r\nb = \"ü\u{1b}[2J\"\n\n";
        for start in 0..text.len() + 3 {
            for end in start..text.len() + 3 {
                assert!(!shown(text, start..end).contains('\u{1b}'));
            }
        }
        shown("", 0..0);
    }
}
