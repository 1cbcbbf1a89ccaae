//! What plots have in common: a title, axes with titles and grid lines, a legend beside the plot.

use super::axis::Ruler;
use super::palette::{FAINT, GREY, INK, Look};
use super::picture::{Picture, Place, Shape, Side, cut, width_of};

/// Size of all plots with axes.
pub const SIZE: (f64, f64) = (860.0, 400.0);
/// Text sizes.
pub const TITLE: f64 = 15.0;
/// Axes and legends.
pub const SMALL: f64 = 12.0;
/// The widest legend text.
const LEGEND_MAX: f64 = 190.0;

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

impl Frame {
    /// Draws everything but the data. `ticks_across` is false where groups are labelled instead.
    pub fn new(
        picture: &mut Picture,
        title: &str,
        x: Ruler,
        y: Ruler,
        legend: &[(String, Look)],
        swatch: Swatch,
        ticks_across: bool,
    ) -> Frame {
        heading(picture, title);
        let names: Vec<String> = legend.iter().map(|(name, _)| cut(name, SMALL, LEGEND_MAX)).collect();
        let widest = |texts: &mut dyn Iterator<Item = f64>| texts.fold(0.0, f64::max);
        let beside = match names.len() {
            0 => 24.0,
            _ => 60.0 + widest(&mut names.iter().map(|name| width_of(name, SMALL))),
        };
        let labels = widest(&mut y.ticks.iter().map(|tick| width_of(&tick.1, SMALL)));
        let frame = Frame {
            left: 28.0 + labels,
            right: picture.width - beside,
            top: 64.0,
            bottom: picture.height - 52.0,
            x,
            y,
        };
        frame.axes(picture, ticks_across);
        for (index, (name, (_, look))) in names.iter().zip(legend).enumerate() {
            frame.entry(picture, index, name, *look, swatch);
        }
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

    /// A label in place of a tick: one line, or two broken after a comma; each cut to the room it has.
    pub fn label_across(&self, picture: &mut Picture, share: f64, room: f64, text: &str) {
        let room = room * (self.right - self.left) - 4.0;
        let lines = match text.split_once(", ") {
            Some((first, rest)) if width_of(text, SMALL) > room => vec![format!("{first},"), rest.to_owned()],
            _ => vec![text.to_owned()],
        };
        for (index, line) in lines.iter().enumerate() {
            let down = self.bottom + 14.0 + 16.0 * index as f64;
            picture.text((self.across(share), down), &cut(line, SMALL, room), SMALL, GREY, Side::Middle);
        }
    }

    fn axes(&self, picture: &mut Picture, ticks_across: bool) {
        for (value, text) in &self.y.ticks {
            let Some(share) = self.y.share(*value) else { continue };
            let y = self.up(share);
            picture.line(vec![(self.left, y), (self.right, y)], FAINT, 0.5, 0);
            picture.text((self.left - 8.0, y), text, SMALL, GREY, Side::Right);
        }
        if ticks_across {
            for (value, text) in &self.x.ticks {
                let Some(share) = self.x.share(*value) else { continue };
                let x = self.across(share);
                picture.line(vec![(x, self.bottom), (x, self.bottom + 4.0)], GREY, 0.5, 0);
                picture.text((x, self.bottom + 14.0), text, SMALL, GREY, Side::Middle);
            }
        }
        picture.line(vec![(self.left, self.bottom), (self.right, self.bottom)], GREY, 0.5, 0);
        // The title stands over the axis, not along it, so that nobody has to turn their head.
        picture.text((16.0, self.top - 18.0), &self.y.title, SMALL, INK, Side::Left);
        let middle = f64::midpoint(self.left, self.right);
        picture.text((middle, self.bottom + 36.0), &self.x.title, SMALL, INK, Side::Middle);
    }

    fn entry(&self, picture: &mut Picture, index: usize, name: &str, look: Look, swatch: Swatch) {
        let (x, y) = (self.right + 16.0, self.top + 6.0 + index as f64 * 20.0);
        match swatch {
            Swatch::Line => picture.line(vec![(x, y), (x + 22.0, y)], look.colour, 2.0, look.dash),
            Swatch::Block => {
                picture.block((x + 8.0, y - 6.0), (x + 20.0, y + 6.0), look.colour, shade(look.dash));
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

/// The title.
pub fn heading(picture: &mut Picture, title: &str) {
    let text = cut(title, TITLE * 1.08, picture.width - 32.0);
    let (at, side) = ((16.0, 18.0), Side::Left);
    picture.shapes.push(Shape::Text { at, text, size: TITLE, colour: INK, side, bold: true });
}
