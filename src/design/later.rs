//! Words of the language that this version does not carry out. They stand in no table: whoever writes one is told so, and
//! what comes nearest.

/// A kind of entry, a parameter of it, a word that the parameter would take (none: the parameter itself), and what to do.
const LATER: &[(&str, &str, Option<&str>, &str)] = &[
    ("server", "cost", None, "leave it out: nothing is computed in money"),
    (
        "cache",
        "mode",
        None,
        "leave it out: callers read and write the store themselves, by `fill`, `put` and `drop`",
    ),
    (
        "net",
        "protocol",
        None,
        "leave it out: connections are open from the start and carry any number of requests",
    ),
    (
        "link",
        "protocol",
        None,
        "leave it out: connections are open from the start and carry any number of requests",
    ),
    ("lb", "pick", Some("peak_ewma"), "`power_of(2)` and `least_outstanding` avoid slow members too"),
    ("lb", "pick", Some("hash"), "write `random`, `round_robin`, `least_outstanding` or `power_of(2)`"),
    ("lb", "pick", Some("sticky"), "write `random`, `round_robin`, `least_outstanding` or `power_of(2)`"),
];

/// What to do instead of the word that a parameter at `path` was given; `None` if nobody has ever heard of it.
pub(super) fn instead_of_word(path: &str, word: &str) -> Option<&'static str> {
    let (kind, parameter) = (path.split('.').next()?, path.rsplit('.').next()?);
    find(kind, parameter, Some(word))
}

/// What to do instead of a parameter of an entry at `path`.
pub(super) fn instead_of_parameter(path: &str, parameter: &str) -> Option<&'static str> {
    find(path.split('.').next()?, parameter, None)
}

fn find(kind: &str, parameter: &str, word: Option<&str>) -> Option<&'static str> {
    let known = LATER.iter().find(|later| (later.0, later.1, later.2) == (kind, parameter, word))?;
    Some(known.3)
}
