//! Users' mistakes: collected, never first-come; each with its place, what is wrong and what would be right. What is
//! merely unwise is a warning: told in the same way, and nothing is refused for it.

use std::ops::Range;

/// Which of the loaded files a problem is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u16);

/// A place in a loaded file: bytes from its start.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Which file.
    pub file: FileId,
    /// Which bytes of it.
    pub bytes: Range<usize>,
}

/// One mistake in a user's file, or something unwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Documented code, `SB0102`.
    pub code: &'static str,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// Where; `None` when it is about a file as a whole (missing, a directory, too large).
    pub place: Option<Place>,
    /// What would be right: the nearest known word, a correct example.
    pub help: Option<String>,
}

/// All mistakes found so far, and beside them what is merely unwise.
#[derive(Clone, Debug, Default)]
pub struct Problems(pub Vec<Problem>, Vec<Problem>);

impl Problems {
    /// Adds a problem at a place.
    pub fn at(&mut self, code: &'static str, place: Place, message: impl Into<String>) -> &mut Problem {
        self.0.push(Problem { code, message: message.into(), place: Some(place), help: None });
        self.0.last_mut().expect("just pushed")
    }

    /// Adds a problem about something as a whole.
    pub fn overall(&mut self, code: &'static str, message: impl Into<String>) -> &mut Problem {
        self.0.push(Problem { code, message: message.into(), place: None, help: None });
        self.0.last_mut().expect("just pushed")
    }

    /// Warns of something at a place: the design is carried out all the same.
    pub fn warn(&mut self, code: &'static str, place: Place, message: impl Into<String>) -> &mut Problem {
        self.1.push(Problem { code, message: message.into(), place: Some(place), help: None });
        self.1.last_mut().expect("just pushed")
    }

    /// Whether there are no mistakes. There may be warnings.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The warnings so far, each once, in order of place.
    pub fn warnings(&self) -> Vec<Problem> {
        let mut warnings = self.1.clone();
        let at = |warning: &Problem| {
            warning.place.as_ref().map(|place| (place.file, place.bytes.start, place.bytes.end))
        };
        warnings.sort_by(|a, b| (at(a), a.code, &a.message).cmp(&(at(b), b.code, &b.message)));
        warnings.dedup();
        warnings
    }
}

impl Problem {
    /// Says what would be right.
    pub fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }
}

/// Longer words are no slip of a finger, and edit distance costs the product of the lengths.
const WORD_CHARACTERS_MAX: usize = 100;

/// With more candidates the help would not be worth the time.
const CANDIDATES_MAX: usize = 1_000;

/// The known word nearest to `word` by edit distance, if it is near enough to be meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    if length > WORD_CHARACTERS_MAX {
        return None;
    }
    let limit = if length <= 3 { 1 } else { length / 3 + 1 }; // of three letters, two are no slip
    known
        .into_iter()
        .take(CANDIDATES_MAX)
        .filter(|candidate| {
            candidate.len() <= 4 * WORD_CHARACTERS_MAX && candidate.chars().count().abs_diff(length) <= limit
        })
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// A user's word as shown in a message: at most forty characters of it.
pub fn shown(word: &str) -> String {
    const SHOWN_CHARACTERS_MAX: usize = 40;
    match word.char_indices().nth(SHOWN_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", word[..end].escape_debug()),
        None => word.escape_debug().to_string(),
    }
}

/// Says which word may have been meant, and which are known.
pub fn known_words<'a>(word: &str, what: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    const LISTED_MAX: usize = 30;
    let known: Vec<&str> = known.into_iter().collect();
    let mut listed =
        known.iter().take(LISTED_MAX).map(|word| format!("`{}`", shown(word))).collect::<Vec<_>>().join(", ");
    if known.len() > LISTED_MAX {
        listed.push_str(", …");
    }
    match nearest(word, known.iter().copied()) {
        Some(near) if known.len() == 1 => format!("did you mean `{near}`?"),
        Some(near) => format!("did you mean `{near}`? {what}: {listed}"),
        None if known.is_empty() => format!("there are no {what}"),
        None => format!("{what}: {listed}"),
    }
}

/// Edit distance with swaps of neighbours (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let swap_of_letters = usize::from(a[i - 1] != b[j - 1]);
            let mut best =
                (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + swap_of_letters);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found_and_far_ones_are_not() {
        let known = ["cache", "server", "external"];
        assert_eq!(nearest("cahce", known), Some("cache"));
        assert_eq!(nearest("srver", known), Some("server"));
        assert_eq!(nearest("zebra", known), None);
        assert_eq!(nearest("min", ["jain", "max", "mean"]), None);
        assert_eq!(nearest("tt", ["ttl"]), Some("ttl"));
    }
}
