//! A place in the bytes that have been read so far, and what EDN and JSON have in common.

use std::borrow::Cow;

use crate::check::read::datum::Datum;

/// Nesting beyond this is refused: the reader recurses.
pub(super) const DEPTH_MAX: u32 = 64;

/// Why nothing could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// What was read ends in the middle of it: with more bytes it may be something.
    More,
    /// It is wrong, at this byte.
    Wrong(usize, Cow<'static, str>),
}

/// What was read.
pub(super) type Scanned<T> = Result<T, Stop>;

/// Bytes with a place in them.
pub(super) struct Scan<'a> {
    bytes: &'a [u8],
    /// The place.
    pub at: usize,
    /// Whether nothing comes after these bytes.
    last: bool,
}

impl<'a> Scan<'a> {
    pub fn new(bytes: &'a [u8], last: bool) -> Self {
        Scan { bytes, at: 0, last }
    }

    /// The byte at the place; `None` at the end of all.
    pub fn peek(&self) -> Scanned<Option<u8>> {
        match self.bytes.get(self.at) {
            Some(byte) => Ok(Some(*byte)),
            None if self.last => Ok(None),
            None => Err(Stop::More),
        }
    }

    /// The byte at the place, if it has been read.
    pub fn some_at(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The byte at the place, which is not the end.
    pub fn some(&self) -> Scanned<u8> {
        self.peek()?.ok_or_else(|| self.wrong("it ends in the middle of an operation"))
    }

    pub fn wrong(&self, why: impl Into<Cow<'static, str>>) -> Stop {
        Stop::Wrong(self.at, why.into())
    }

    /// Whether these bytes come next; then the place is behind them.
    pub fn takes(&mut self, what: &[u8]) -> Scanned<bool> {
        let rest = &self.bytes[self.at..];
        if rest.starts_with(what) {
            self.at += what.len();
            return Ok(true);
        }
        if !self.last && what.starts_with(rest) { Err(Stop::More) } else { Ok(false) }
    }

    /// Up to the first byte that is none of these.
    pub fn run(&mut self, is_of: impl Fn(u8) -> bool) -> Scanned<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        match rest.iter().position(|byte| !is_of(*byte)) {
            Some(length) => {
                self.at += length;
                Ok(&rest[..length])
            }
            None if self.last => {
                self.at = self.bytes.len();
                Ok(rest)
            }
            None => Err(Stop::More),
        }
    }

    /// What was passed since a place.
    pub fn since(&self, start: usize) -> &'a [u8] {
        &self.bytes[start..self.at]
    }

    pub fn text(&self, bytes: &'a [u8]) -> Scanned<&'a str> {
        std::str::from_utf8(bytes).map_err(|_| self.wrong("this is not UTF-8"))
    }

    /// A whole number of few digits that is followed by what is no part of a word, as most are; the place stays if there is none.
    pub fn short(&mut self, is_word: impl Fn(u8) -> bool) -> Option<i64> {
        /// So many always fit.
        const DIGITS_MAX: usize = 18;
        let rest = &self.bytes[self.at..];
        let sign = usize::from(rest.first() == Some(&b'-'));
        let digits =
            rest[sign..].iter().take(DIGITS_MAX + 1).take_while(|byte| byte.is_ascii_digit()).count();
        let end = sign + digits;
        let follows = rest.get(end).is_some_and(|byte| !is_word(*byte));
        if !follows || digits == 0 || digits > DIGITS_MAX || digits > 1 && rest[sign] == b'0' {
            return None;
        }
        let size = rest[sign..end].iter().fold(0, |size, byte| size * 10 + i64::from(byte - b'0'));
        self.at += end;
        Some(if sign == 1 { -size } else { size })
    }

    /// What is between quotes, if no backslash is in it; the place stays if one is.
    pub fn plain(&mut self) -> Option<&'a [u8]> {
        let rest = &self.bytes[self.at + 1..];
        let length = rest.iter().position(|byte| *byte == b'"' || *byte == b'\\')?;
        if rest[length] != b'"' {
            return None;
        }
        self.at += length + 2;
        Some(&rest[..length])
    }

    /// A string: the place is at its opening quote, and then behind the closing one.
    pub fn string(&mut self) -> Scanned<Cow<'a, str>> {
        self.at += 1;
        let mut owned: Option<String> = None;
        loop {
            let piece = self.run(|byte| byte != b'"' && byte != b'\\')?;
            let piece = self.text(piece)?;
            let ends = self.some()? == b'"';
            self.at += 1;
            match (&mut owned, ends) {
                (None, true) => return Ok(Cow::Borrowed(piece)),
                (None, false) => owned = Some(piece.to_owned()),
                (Some(text), _) => text.push_str(piece),
            }
            if ends {
                return Ok(Cow::Owned(owned.unwrap_or_default()));
            }
            let character = self.escape()?;
            owned.get_or_insert_default().push(character);
        }
    }

    /// What follows a backslash, in both.
    fn escape(&mut self) -> Scanned<char> {
        let byte = self.some()?;
        self.at += 1;
        Ok(match byte {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'"' | b'\\' | b'/' => char::from(byte),
            b'u' => self.unicode()?,
            _ => return Err(self.wrong("a backslash in a text is followed by one of \" \\ / b f n r t u")),
        })
    }

    /// Four digits of a code unit, and four more if it is the first half of a character.
    fn unicode(&mut self) -> Scanned<char> {
        let first = self.unit()?;
        if !(0xd800..0xdc00).contains(&first) {
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        if !self.takes(b"\\u")? {
            return Ok(char::REPLACEMENT_CHARACTER);
        }
        let second = self.unit()?;
        let code = 0x1_0000 + ((first - 0xd800) << 10) + (second.wrapping_sub(0xdc00) & 0x3ff);
        Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn unit(&mut self) -> Scanned<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = char::from(self.some()?).to_digit(16);
            code = code * 16 + digit.ok_or_else(|| self.wrong("\\u needs four hexadecimal digits"))?;
            self.at += 1;
        }
        Ok(code)
    }
}

/// A string as bytes: the place is at its opening quote, and then behind the closing one.
pub(super) fn string<'a>(scan: &mut Scan<'a>) -> Scanned<Cow<'a, [u8]>> {
    if let Some(plain) = scan.plain() {
        return Ok(Cow::Borrowed(plain));
    }
    Ok(match scan.string()? {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    })
}

/// A number as it is written, `None` if it is none: `-12`, `1.5e3`.
pub(super) fn number(written: &str) -> Option<Datum> {
    let digits = written.strip_prefix(['-', '+']).unwrap_or(written);
    let is_plain = digits.len() == 1 || !digits.starts_with('0');
    if !digits.is_empty() && is_plain && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        // Beyond 64 bits it is another value, and the same one only as itself.
        let beyond = || Datum::Other(written.strip_prefix('+').unwrap_or(written).into());
        return Some(written.parse().map_or_else(|_| beyond(), Datum::Number));
    }
    let starts = digits.bytes().next().is_some_and(|byte| byte.is_ascii_digit());
    let only = digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    let whole = digits.split(['.', 'e', 'E']).next().unwrap_or("");
    if !starts || !only || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    written.parse().ok().map(Datum::float)
}
