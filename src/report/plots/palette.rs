//! One colour per variant, everywhere: Okabe and Ito's palette, which colour-blind readers can tell apart.
//! M. Okabe, K. Ito: Color Universal Design, 2008.

/// Red, green, blue.
pub type Colour = (u8, u8, u8);

/// Text.
pub const INK: Colour = (0x22, 0x22, 0x22);
/// Lesser text and axes.
pub const GREY: Colour = (0x6b, 0x6b, 0x6b);
/// Grid lines.
pub const FAINT: Colour = (0xdd, 0xdd, 0xdd);
/// Behind everything.
pub const PAPER: Colour = (0xff, 0xff, 0xff);
/// Something good.
pub const GOOD: Colour = (0x00, 0x9e, 0x73);
/// Something bad.
pub const BAD: Colour = (0xd5, 0x5e, 0x00);

/// Something that happened, neither good nor bad.
pub const PLAIN: Colour = ROUND[0];

/// Their black is for text and their yellow too faint on white: wine (P. Tol's) stands for both.
const ROUND: [Colour; 8] = [
    (0x00, 0x72, 0xb2),
    (0xd5, 0x5e, 0x00),
    (0x00, 0x9e, 0x73),
    (0xcc, 0x79, 0xa7),
    (0xe6, 0x9f, 0x00),
    (0x56, 0xb4, 0xe9),
    (0x80, 0x80, 0x80),
    (0x88, 0x22, 0x55),
];

/// Hues that can be told apart. With more names than these all have one, for each stands beside what it is of.
pub const HUES: usize = ROUND.len();

/// How a curve or bar looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Its colour.
    pub colour: Colour,
    /// Its dashes: 0 is solid.
    pub dash: u8,
}

/// The looks of some names: a variant has its own colour, a name that begins with a variant's the same colour with
/// other dashes, and other names the colours after those of the variants, if there are any among them.
pub fn looks(names: &[&str], variants: &[String]) -> Vec<Look> {
    let mut used: Vec<(usize, &str)> = Vec::new();
    let mut others: Vec<&str> = Vec::new();
    let mut looks = Vec::new();
    let none_is_a_variant = names.iter().all(|name| variant_of(name, variants).is_none());
    let first = if none_is_a_variant { 0 } else { variants.len() };
    for name in names {
        let index = variant_of(name, variants).unwrap_or_else(|| {
            let place = others.iter().position(|other| other == name).unwrap_or_else(|| {
                others.push(name);
                others.len() - 1
            });
            first + place
        });
        let same: Vec<&str> = used.iter().filter(|(at, _)| *at == index).map(|(_, name)| *name).collect();
        let before = same.iter().position(|other| other == name).unwrap_or_else(|| {
            used.push((index, name));
            same.len()
        });
        let dash = u8::try_from((before + index / ROUND.len()) % 4).expect("a remainder of four");
        looks.push(Look { colour: ROUND[index % ROUND.len()], dash });
    }
    looks
}

/// The longest variant that a name begins with.
fn variant_of(name: &str, variants: &[String]) -> Option<usize> {
    let begins = |variant: &&String| {
        name.strip_prefix(variant.as_str())
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || "-_".contains(c)))
    };
    let longest = variants.iter().filter(begins).max_by_key(|variant| variant.len())?;
    variants.iter().position(|variant| variant == longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_keeps_its_colour_in_every_plot() {
        let variants = ["a".to_owned(), "b".to_owned(), "a b".to_owned()];
        let all = looks(&["a", "b", "a b"], &variants);
        assert_eq!(looks(&["b"], &variants)[0], all[1]);
        assert_eq!(looks(&["a b, rate=1"], &variants)[0].colour, all[2].colour);
        let pair = looks(&["b", "b, rate=1", "theory", "b"], &variants);
        assert_eq!(pair[0].colour, pair[1].colour);
        assert_ne!(pair[0].dash, pair[1].dash);
        assert_eq!(pair[2], Look { colour: ROUND[3], dash: 0 });
        assert_eq!(pair[0], pair[3]);
        assert_eq!(
            looks(&["mean", "p99"], &variants)[1],
            Look { colour: ROUND[1], dash: 0 },
            "no variant is there"
        );
    }
}
