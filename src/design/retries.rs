//! Policies: after which failures they try again and which are answers, by names that some program must say; and that time goes on while they
//! try.

use crate::base::parameter::{Parameters, Setting};
use crate::base::problem::{Problems, known_words, shown};
use crate::components::mech::policy::{Answers, REASONS, Retry};
use crate::design::codes;
use crate::design::tree::Table;

/// Which failures, by number, are answers that may be expected.
pub(super) fn answers(tree: &Table, failures: &[String], problems: &mut Problems) -> Answers {
    let mut answers = vec![false; failures.len()];
    let named = tree.get("answers").map(|node| node.list_or_itself()).unwrap_or_default();
    for text in named.iter().filter_map(|node| node.text()) {
        match failures.iter().position(|known| known == text.as_str()) {
            Some(number) => answers[number] = true,
            None => {
                let message = format!("no program says `fail {}`", shown(text.as_str()));
                let help = known_words(text.as_str(), "failures", failures.iter().map(String::as_str));
                let place = text.place(0..text.as_str().len());
                problems.at(codes::UNKNOWN_WORD, place, message).help(help);
            }
        }
    }
    Answers(answers.into())
}

/// Retries beyond a thousand wait for something, and every name of a `retry_on` is one of `failures`, which programs say by `fail`, or a failure that parts know.
pub(super) fn check(policies: &[Parameters], failures: &[String], problems: &mut Problems) {
    let known = || REASONS.iter().map(|(name, _)| *name).chain(failures.iter().map(String::as_str));
    for policy in policies {
        if let Some(Setting::Constructor(name, retry)) = policy.get("retry")
            && let Some(what) = Retry::runs_away((name, retry))
        {
            let message = format!("a policy {what}: a run might never get past one instant");
            let problem = match policy.place("retry") {
                Some(place) => problems.at(codes::DOES_NOT_FIT, place.clone(), message),
                None => problems.overall(codes::DOES_NOT_FIT, message),
            };
            problem.help("wait for at least 1us on average, or try at most 1000 times");
        }
        let Some(Setting::List(names)) = policy.get("retry_on") else { continue };
        for name in names {
            let Setting::Text(name, place) = name else { continue };
            if !known().any(|known| known == name) {
                let message = format!("no program fails with '{}'", shown(name));
                let help = known_words(name, "failures", known());
                problems.at(codes::UNKNOWN_WORD, place.clone(), message).help(help);
            }
        }
    }
}
