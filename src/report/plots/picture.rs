//! A picture as a list of shapes, and its two printers: SVG and PNG, both over `plotters`. Its coordinates are whole
//! pixels, so both draw at twice the size.

use std::io::Cursor;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::FontStyle;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::palette::{Colour, PAPER};

/// Pixels per unit of a picture.
const SCALE: f64 = 2.0;
/// On and off lengths of the dashes, by number.
const DASHES: [(f64, f64); 4] = [(1.0, 0.0), (7.0, 4.0), (2.5, 3.0), (12.0, 3.0)];

/// How much of what is behind a text is hidden.
const VEIL: f64 = 0.7;

/// A point, right and down.
pub type Place = (f64, f64);

/// Which side of a text stands at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// The text begins there.
    Left,
    /// Its middle is there.
    Middle,
    /// It ends there.
    Right,
}

/// What a picture is made of.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    /// A line through points.
    Line { points: Vec<Place>, colour: Colour, width: f64, dash: u8 },
    /// A filled polygon.
    Area { points: Vec<Place>, colour: Colour, alpha: f64 },
    /// A filled rectangle from its upper left to its lower right corner.
    Block { from: Place, to: Place, colour: Colour, alpha: f64 },
    /// A filled circle.
    Dot { at: Place, radius: f64, colour: Colour, alpha: f64 },
    /// A line of text, centred vertically.
    Text { at: Place, text: String, size: f64, colour: Colour, side: Side, bold: bool },
}

/// Shapes, the later ones over the earlier ones.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picture {
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
    /// What it shows.
    pub(super) shapes: Vec<Shape>,
}

impl Picture {
    /// Adds a text.
    pub(super) fn text(&mut self, at: Place, text: &str, size: f64, colour: Colour, side: Side) {
        self.shapes.push(Shape::Text { at, text: text.to_owned(), size, colour, side, bold: false });
    }

    /// Adds a text that can be read where lines are behind it: they show through, but faintly.
    pub(super) fn text_on_paper(&mut self, at: Place, text: &str, size: f64, colour: Colour, side: Side) {
        let width = width_of(text, size);
        let left = match side {
            Side::Left => at.0,
            Side::Middle => at.0 - width / 2.0,
            Side::Right => at.0 - width,
        };
        let half = size * 0.6;
        self.block((left, at.1 - half), (left + width, at.1 + half), PAPER, VEIL);
        self.text(at, text, size, colour, side);
    }

    /// Adds a line.
    pub(super) fn line(&mut self, points: Vec<Place>, colour: Colour, width: f64, dash: u8) {
        self.shapes.push(Shape::Line { points, colour, width, dash });
    }

    /// Adds a rectangle.
    pub(super) fn block(&mut self, from: Place, to: Place, colour: Colour, alpha: f64) {
        self.shapes.push(Shape::Block { from, to, colour, alpha });
    }
}

/// Of the size of a text, the width of its narrowest letter; a letter takes four bytes at most.
const NARROWEST: f64 = 0.2;

/// The width of a text in the font of the pictures.
pub fn width_of(text: &str, size: f64) -> f64 {
    fonts();
    let font = FontDesc::new(FontFamily::SansSerif, size * SCALE, FontStyle::Normal);
    font.box_size(text).map_or(0.0, |(width, _)| f64::from(width) / SCALE)
}

/// The text, cut with an ellipsis where it is wider than it may be.
pub fn cut(text: &str, size: f64, width_max: f64) -> String {
    // No letter is narrower than this, and a text of many thousand need not be measured.
    let may_fit = text.len() as f64 * NARROWEST * size <= width_max.max(0.0) * 4.0;
    if may_fit && width_of(text, size) <= width_max {
        return text.to_owned();
    }
    // The longest beginning that fits, by halves: to measure a text takes as long as it is.
    let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let shorter = |letters: usize| text[..ends[letters]].trim_end().to_owned() + "…";
    let fits = |letters: usize| width_of(&shorter(letters), size) <= width_max;
    let mut most = 1; // a long text is not measured at all
    while most < ends.len() && fits(most) {
        most = (2 * most).min(ends.len());
    }
    let (mut least, mut most) = (0, most.min(ends.len()));
    while least + 1 < most {
        let middle = usize::midpoint(least, most);
        if fits(middle) { least = middle } else { most = middle }
    }
    if fits(least) { shorter(least) } else { String::new() }
}

/// The picture as SVG text. It scales with the page.
pub fn svg(picture: &Picture) -> String {
    fonts();
    let (width, height) = pixels(picture);
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (width, height)).into_drawing_area();
        paint(picture, &area, 0.0);
        area.present().expect("text in memory takes all");
    }
    let drawn = format!("<svg width=\"{width}\" height=\"{height}\"");
    text.replacen(&drawn, &format!("<svg width=\"{}\" height=\"{}\"", picture.width, picture.height), 1)
}

/// The picture as a PNG file, twice as large.
pub fn png(picture: &Picture) -> Vec<u8> {
    fonts();
    let (width, height) = pixels(picture);
    let mut bytes = vec![255; width as usize * height as usize * 3];
    {
        let area = BitMapBackend::with_buffer(&mut bytes, (width, height)).into_drawing_area();
        // Bitmap texts come out a little too high.
        paint(picture, &area, 1.5);
        area.present().expect("memory takes all");
    }
    let mut file = Cursor::new(Vec::new());
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().expect("memory takes all");
    writer.write_image_data(&bytes).expect("the buffer has the size of the picture");
    writer.finish().expect("memory takes all");
    file.into_inner()
}

/// The font is inside the binary, so that pictures look alike everywhere. `plotters` keeps fonts for the process.
#[cfg(not(target_arch = "wasm32"))]
fn fonts() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let faces = [(FontStyle::Normal, dejavu::sans::regular()), (FontStyle::Bold, dejavu::sans::bold())];
        for (style, bytes) in faces {
            let known = plotters::style::register_font("sans-serif", style, bytes);
            assert!(known.is_ok(), "DejaVu Sans is a font");
        }
    });
}

/// `plotters` takes no font in a browser: it asks the page how wide a text is there.
#[cfg(target_arch = "wasm32")]
fn fonts() {}

fn pixels(picture: &Picture) -> (u32, u32) {
    ((picture.width * SCALE) as u32, (picture.height * SCALE) as u32)
}

fn at(place: Place) -> (i32, i32) {
    ((place.0 * SCALE).round() as i32, (place.1 * SCALE).round() as i32)
}

fn solid(colour: Colour) -> RGBColor {
    RGBColor(colour.0, colour.1, colour.2)
}

fn paint<B: DrawingBackend>(picture: &Picture, area: &DrawingArea<B, Shift>, drop: f64) {
    area.fill(&solid(PAPER)).expect("memory takes all");
    for shape in &picture.shapes {
        assert!(paint_one(shape, area, drop).is_ok(), "drawing in memory cannot fail: {shape:?}");
    }
}

fn paint_one<B: DrawingBackend>(
    shape: &Shape,
    area: &DrawingArea<B, Shift>,
    drop: f64,
) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
    match shape {
        Shape::Line { points, colour, width, dash } => {
            let style = solid(*colour).stroke_width((width * SCALE).round().max(1.0) as u32);
            for piece in dashed(points, *dash) {
                area.draw(&PathElement::new(piece.into_iter().map(at).collect::<Vec<_>>(), style))?;
            }
            Ok(())
        }
        Shape::Area { points, colour, alpha } => {
            let points: Vec<(i32, i32)> = points.iter().copied().map(at).collect();
            area.draw(&Polygon::new(points, solid(*colour).mix(*alpha)))
        }
        Shape::Block { from, to, colour, alpha } => {
            area.draw(&Rectangle::new([at(*from), at(*to)], solid(*colour).mix(*alpha).filled()))
        }
        Shape::Dot { at: place, radius, colour, alpha } => {
            let radius = (radius * SCALE).round() as i32;
            area.draw(&Circle::new(at(*place), radius, solid(*colour).mix(*alpha).filled()))
        }
        Shape::Text { at: place, text, size, colour, side, bold } => {
            let face = if *bold { FontStyle::Bold } else { FontStyle::Normal };
            let across = match side {
                Side::Left => HPos::Left,
                Side::Middle => HPos::Center,
                Side::Right => HPos::Right,
            };
            let ink = solid(*colour);
            let style = TextStyle::from(FontDesc::new(FontFamily::SansSerif, size * SCALE, face))
                .color(&ink)
                .pos(Pos::new(across, VPos::Center));
            area.draw(&Text::new(text.as_str(), at((place.0, place.1 + drop)), style))
        }
    }
}

/// Cuts a line into dashes, for the backends know none.
fn dashed(points: &[Place], dash: u8) -> Vec<Vec<Place>> {
    let (on, off) = DASHES[usize::from(dash) % DASHES.len()];
    if off == 0.0 {
        return vec![points.to_vec()];
    }
    let (mut pieces, mut piece) = (Vec::new(), Vec::new());
    let (mut drawing, mut left) = (true, on);
    for pair in points.windows(2) {
        let (mut from, to) = (pair[0], pair[1]);
        if piece.is_empty() && drawing {
            piece.push(from);
        }
        loop {
            let (dx, dy) = (to.0 - from.0, to.1 - from.1);
            let length = libm::hypot(dx, dy);
            if length <= left {
                left -= length;
                if drawing {
                    piece.push(to);
                }
                break;
            }
            from = (from.0 + dx * left / length, from.1 + dy * left / length);
            if drawing {
                piece.push(from);
                pieces.push(std::mem::take(&mut piece));
            } else {
                piece = vec![from];
            }
            drawing = !drawing;
            left = if drawing { on } else { off };
        }
    }
    if piece.len() > 1 {
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_cover_their_share_of_a_line() {
        let pieces = dashed(&[(0.0, 0.0), (60.0, 0.0), (110.0, 0.0)], 1);
        assert_eq!(pieces.len(), 10);
        let drawn: f64 = pieces.iter().map(|piece| piece.last().unwrap().0 - piece[0].0).sum();
        assert!((drawn - 70.0).abs() < 1e-9, "{drawn}");
        assert_eq!(dashed(&[(0.0, 0.0), (5.0, 0.0)], 0).len(), 1);
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(cut("short", 11.0, 100.0), "short");
        let shorter = cut("a text that goes on and on", 11.0, 60.0);
        assert!(shorter.ends_with('…') && width_of(&shorter, 11.0) <= 60.0);
        assert!(width_of(&format!("{}x…", shorter.trim_end_matches('…')), 11.0) > 54.0, "{shorter}");
        assert_eq!(cut("anything", 11.0, 3.0), "");
        assert_eq!(cut("", 11.0, 3.0), "");
        let long = cut(&"word ".repeat(200_000), 11.0, 60.0);
        assert!(long.starts_with("word") && long.ends_with('…') && width_of(&long, 11.0) <= 60.0);
    }
}
