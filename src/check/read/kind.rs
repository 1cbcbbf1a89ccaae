//! What became of an operation, as histories say it in a word.

/// What happened to an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It begins.
    Invoke,
    /// It succeeded.
    Ok,
    /// It certainly had no effect.
    Fail,
    /// Nobody knows.
    Info,
}

/// What a word says.
pub(super) fn kind(word: &[u8]) -> Option<Kind> {
    match word.strip_prefix(b":").unwrap_or(word) {
        b"invoke" => Some(Kind::Invoke),
        b"ok" => Some(Kind::Ok),
        b"fail" => Some(Kind::Fail),
        b"info" => Some(Kind::Info),
        _ => None,
    }
}
