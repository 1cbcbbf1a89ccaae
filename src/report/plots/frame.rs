//! What plots have in common: a title, axes with titles and grid lines, a legend beside the plot.

use super::axis::Ruler;
use super::palette::{FAINT, GREY, INK, Look};
use super::picture::{Picture, Place, Shape, Side, cut, width_of};
use crate::report::input::Plot;

/// Size of all plots with axes.
pub const SIZE: (f64, f64) = (900.0, 440.0);
/// Text sizes: a page shows pictures a little larger than they are, so that their text is as large as its own.
pub const TITLE: f64 = 17.0;
/// Everything else.
pub const SMALL: f64 = 15.0;
/// Height of a line of a title, of a note.
const LINE: (f64, f64) = (23.0, 21.0);
/// The widest legend text.
const LEGEND_MAX: f64 = 200.0;
/// Height of an entry of a legend.
const ENTRY: f64 = 24.0;

/// How a legend shows a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swatch {
    /// A piece of line.
    Line,
    /// A filled square.
    Block,
    /// A dot.
    Dot,
}

/// The rectangle into which data are drawn, with its axes.
pub struct Frame {
    /// Across.
    pub x: Ruler,
    /// Upwards.
    pub y: Ruler,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

/// Where things are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// Left edge, its labels included.
    pub left: f64,
    /// Right edge.
    pub right: f64,
    /// Top edge, its heading included.
    pub top: f64,
    /// Bottom edge, its labels included.
    pub bottom: f64,
}

/// How high a picture with a legend of so many names is at least.
pub fn height(top: f64, names: usize) -> f64 {
    (top + 336.0).max(top + 70.0 + ENTRY * names as f64)
}

impl Frame {
    /// A picture of one rectangle: axes, their titles, and a legend if there is more than one name.
    pub fn new(
        picture: &mut Picture,
        top: f64,
        x: Ruler,
        y: Ruler,
        legend: &[(String, Look)],
        swatch: Swatch,
    ) -> Frame {
        let names: Vec<String> = legend.iter().map(|(name, _)| cut(name, SMALL, LEGEND_MAX)).collect();
        let beside = match names.len() {
            0 => 24.0,
            _ => 62.0 + names.iter().map(|name| width_of(name, SMALL)).fold(0.0, f64::max),
        };
        let area =
            Area { left: 0.0, right: picture.width - beside, top: top + 30.0, bottom: picture.height - 30.0 };
        // The title stands over the axis, not along it, so that nobody has to turn their head.
        picture.text((16.0, top + 10.0), &cut(&y.title, SMALL, picture.width - 32.0), SMALL, INK, Side::Left);
        let title = x.title.clone();
        let frame = Frame::within(picture, area, x, y, true);
        let middle = f64::midpoint(frame.left, frame.right);
        picture.text((middle, frame.bottom + 42.0), &title, SMALL, INK, Side::Middle);
        for (index, (name, (_, look))) in names.iter().zip(legend).enumerate() {
            frame.entry(picture, index, name, *look, swatch);
        }
        frame
    }

    /// The axes of a rectangle within a picture, without titles. Ticks across are left out where others below have them.
    pub fn within(picture: &mut Picture, area: Area, x: Ruler, y: Ruler, ticks_across: bool) -> Frame {
        let labels = y.ticks.iter().map(|tick| width_of(&tick.1, SMALL)).fold(0.0, f64::max);
        let frame = Frame {
            left: area.left + 28.0 + labels,
            right: area.right,
            top: area.top,
            bottom: area.bottom - if ticks_across { 28.0 } else { 8.0 },
            x,
            y,
        };
        frame.axes(picture, ticks_across);
        frame
    }

    /// Where a pair of values lies; none when an axis cannot show it.
    pub fn place(&self, x: f64, y: f64) -> Option<Place> {
        Some((self.across(self.x.within(x)?), self.up(self.y.within(y)?)))
    }

    /// A share of the width.
    pub fn across(&self, share: f64) -> f64 {
        self.left + share * (self.right - self.left)
    }

    /// A share of the height.
    pub fn up(&self, share: f64) -> f64 {
        self.bottom - share * (self.bottom - self.top)
    }

    fn axes(&self, picture: &mut Picture, ticks_across: bool) {
        let mut free = f64::INFINITY;
        for (value, text) in &self.y.ticks {
            let Some(share) = self.y.share(*value) else { continue };
            let y = self.up(share);
            picture.line(vec![(self.left, y), (self.right, y)], FAINT, 0.5, 0);
            if y <= free {
                picture.text((self.left - 8.0, y), text, SMALL, GREY, Side::Right);
                free = y - SMALL - 2.0;
            }
        }
        let mut free = 0.0;
        for (value, text) in self.x.ticks.iter().filter(|_| ticks_across) {
            let Some(share) = self.x.share(*value) else { continue };
            let (x, half) = (self.across(share), width_of(text, SMALL) / 2.0);
            picture.line(vec![(x, self.bottom), (x, self.bottom + 4.0)], GREY, 0.5, 0);
            // Not one over the other, nor out of the picture.
            if x - half >= free && x + half <= picture.width {
                picture.text((x, self.bottom + 17.0), text, SMALL, GREY, Side::Middle);
                free = x + half + 8.0;
            }
        }
        picture.line(vec![(self.left, self.bottom), (self.right, self.bottom)], GREY, 0.5, 0);
    }

    fn entry(&self, picture: &mut Picture, index: usize, name: &str, look: Look, swatch: Swatch) {
        let (x, y) = (self.right + 16.0, self.top + 6.0 + index as f64 * ENTRY);
        match swatch {
            Swatch::Line => picture.line(vec![(x, y), (x + 22.0, y)], look.colour, 2.5, look.dash),
            Swatch::Block => {
                picture.block((x + 8.0, y - 7.0), (x + 22.0, y + 7.0), look.colour, shade(look.dash));
            }
            Swatch::Dot => {
                picture.shapes.push(Shape::Dot {
                    at: (x + 14.0, y),
                    radius: 4.0,
                    colour: look.colour,
                    alpha: 0.8,
                });
            }
        }
        picture.text((x + 30.0, y), name, SMALL, INK, Side::Left);
    }
}

/// Bars of one colour differ in strength where lines differ in dashes.
pub fn shade(dash: u8) -> f64 {
    [0.85, 0.55, 0.35, 0.2][usize::from(dash) % 4]
}

/// Bold letters are wider by as much at most (DejaVu Sans: brackets).
const BOLD: f64 = 1.18;

/// The title, in lines of its own, and how the picture was made; where what follows begins.
pub fn head(picture: &mut Picture, plot: &Plot) -> f64 {
    let mut y = 20.0;
    for text in lines(&plot.title, TITLE * BOLD, picture.width - 32.0) {
        let side = Side::Left;
        picture.shapes.push(Shape::Text { at: (16.0, y), text, size: TITLE, colour: INK, side, bold: true });
        y += LINE.0;
    }
    for text in lines(&plot.note, SMALL, picture.width - 32.0) {
        picture.text((16.0, y), &text, SMALL, GREY, Side::Left);
        y += LINE.1;
    }
    y
}

/// A text in lines of at most this width, broken between words.
pub fn lines(text: &str, size: f64, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width_of(&format!("{line} {word}"), size) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(cut(word, size, width)),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The width at which a page shows a picture, of its own text's size.
    const PAGE: f64 = 60.0;

    #[test]
    fn the_text_of_pictures_is_as_large_as_that_of_the_page() {
        let css = include_str!("../page.css");
        assert!(css.contains("font: 16px") && css.contains(&format!("max-width: {PAGE}rem")));
        assert!(SMALL / SIZE.0 * PAGE * 16.0 >= 16.0);
    }
}
