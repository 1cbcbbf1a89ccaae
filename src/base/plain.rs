//! Texts as they may be shown. What users write, and what stands in histories that others recorded, may hold characters that nobody sees and
//! that do something: move a terminal's cursor, turn the direction of writing, make an SVG ill-formed. Whoever shows a text
//! shows it plain; line breaks and tabs stay.

use std::borrow::Cow;

/// Whether a character is not shown but does something.
pub fn is_hidden(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        // direction of writing, separators of lines that are none, marks of byte order, and what no XML may hold
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => true,
        '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}' => true,
        character => character.is_control(),
    }
}

/// The text with `�` for each character that is not shown.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let shown = |character: char| if is_hidden(character) { '\u{FFFD}' } else { character };
    Cow::Owned(text.chars().map(shown).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_something_unseen_is_replaced() {
        assert_eq!(plain("\u{1b}[31mred\u{7}\u{9b}2J \u{202e}abc\r\u{0}"), "�[31mred��2J �abc��");
        assert!(matches!(plain("größer, 🙂\n\tand so on"), Cow::Borrowed(_)));
    }
}
