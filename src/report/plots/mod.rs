//! Plots: each kind becomes a [`Picture`], which prints as SVG and as PNG. Legends stand beside the
//! data, never over them; axes say their units; faults are shaded; intervals are bands.

mod axis;
mod bars;
mod clock;
mod curves;
mod frame;
pub mod palette;
mod picture;
mod scatter;
mod spacetime;
mod tiles;

use crate::report::input::{Plot, PlotKind};
pub use picture::{Picture, png, svg};

/// Draws a plot; variants in file order give the colours.
pub fn draw(plot: &Plot, variants: &[String]) -> Picture {
    match &plot.kind {
        PlotKind::Line { series, faults, bounds } => curves::line(plot, series, (faults, bounds), variants),
        PlotKind::Cdf { curves } => curves::cdf(plot, curves, variants),
        PlotKind::Scatter { points } => scatter::scatter(plot, points, variants),
        PlotKind::Bars { groups, bounds } => bars::bars(plot, groups, bounds, variants),
        PlotKind::Grid { columns, rows, cells } => tiles::grid(plot, columns, rows, cells),
        PlotKind::SpaceTime(all) => spacetime::spacetime(plot, all),
        PlotKind::Timeline { rows } => tiles::timeline(plot, rows),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::stampede;

    #[test]
    fn pictures_are_equal_on_repeat() {
        let input = stampede();
        for plot in &input.plots {
            let (first, second) =
                (draw(plot, &input.variants_in_order), draw(plot, &input.variants_in_order));
            assert_eq!(svg(&first), svg(&second));
            let file = png(&first);
            assert!(file.starts_with(b"\x89PNG") && file == png(&second));
        }
    }

    #[test]
    fn empty_and_odd_plots_are_drawn() {
        let mut input = stampede();
        for plot in &mut input.plots {
            match &mut plot.kind {
                PlotKind::Line { series, .. } => {
                    series[0].points = vec![(f64::NAN, 1.0), (0.0, -1.0), (5.0, f64::INFINITY)]
                }
                PlotKind::Cdf { curves } | PlotKind::Scatter { points: curves } => curves.clear(),
                PlotKind::Bars { groups, .. } => groups.clear(),
                PlotKind::Grid { cells, .. } => cells.clear(),
                PlotKind::SpaceTime(all) => all.lanes.clear(),
                PlotKind::Timeline { rows } => rows.clear(),
            }
            assert!(svg(&draw(plot, &input.variants_in_order)).ends_with("</svg>\n"));
        }
    }

    #[test]
    fn titles_are_escaped_in_svg() {
        let mut plot = stampede().plots.remove(0);
        plot.title = "<script>alert(1)</script> & more".to_owned();
        let svg = svg(&draw(&plot, &[]));
        assert!(!svg.contains("<script") && svg.contains("&lt;script&gt;"));
    }

    /// Pictures to look at, where a folder is named.
    #[test]
    fn samples_are_written_where_asked() {
        let Some(folder) = std::env::var_os("SPLITBRAIN_SAMPLES") else { return };
        let input = stampede();
        for plot in &input.plots {
            let picture = draw(plot, &input.variants_in_order);
            let path = std::path::Path::new(&folder).join(&plot.name);
            std::fs::write(path.with_extension("png"), png(&picture)).unwrap();
            std::fs::write(path.with_extension("svg"), svg(&picture)).unwrap();
        }
    }
}
