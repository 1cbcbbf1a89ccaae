//! Words of the language that this version does not carry out. They stand in no table: whoever writes one is told so, and
//! what comes nearest.

/// A kind of entry, a knob of it, a word that the knob would take (none: the knob itself), and what to do.
const LATER: &[(&str, &str, Option<&str>, &str)] = &[
    ("server", "cost", None, "leave it out: nothing is reckoned in money"),
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

/// What to do instead of the word that a knob at `path` was given; `None` if nobody has ever heard of it.
pub(super) fn instead_of_word(path: &str, word: &str) -> Option<&'static str> {
    let (kind, knob) = (path.split('.').next()?, path.rsplit('.').next()?);
    find(kind, knob, Some(word))
}

/// What to do instead of a knob of an entry at `path`.
pub(super) fn instead_of_knob(path: &str, knob: &str) -> Option<&'static str> {
    find(path.split('.').next()?, knob, None)
}

fn find(kind: &str, knob: &str, word: Option<&str>) -> Option<&'static str> {
    let known = LATER.iter().find(|later| (later.0, later.1, later.2) == (kind, knob, word))?;
    Some(known.3)
}
