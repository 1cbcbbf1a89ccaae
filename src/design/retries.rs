//! After which failures a policy tries again: names that some program must say.

use crate::base::knob::{Knobs, Setting};
use crate::base::problem::{Problems, known_words, shown};
use crate::components::policy::REASONS;
use crate::design::codes;

/// Every name of a `retry_on` is one of `failures`, which programs say by `fail`, or a failure that parts know.
pub(super) fn check(policies: &[Knobs], failures: &[String], problems: &mut Problems) {
    let known = || REASONS.iter().map(|(name, _)| *name).chain(failures.iter().map(String::as_str));
    for policy in policies {
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
