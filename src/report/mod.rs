//! Reports: the table in the terminal, `results.json`, `runs.csv`, plots and one self-contained page. It draws what
//! [`input`] holds and knows neither designs nor runs.

pub mod csv;
pub mod graph;
pub mod input;
pub mod itf;
pub mod json;
pub mod mermaid;
pub mod page;
pub mod plots;
#[cfg(test)]
mod samples;
pub mod table;
pub mod text;

use input::{PlotKind, ReportInput};

/// The files of a result's folder, by name within it.
///
/// # Errors
/// When a picture cannot be drawn.
pub fn render(input: &ReportInput) -> Result<Vec<(String, Vec<u8>)>, String> {
    let mut files = vec![
        ("results.json".to_owned(), json::json(&input.results).into_bytes()),
        ("runs.csv".to_owned(), csv::csv(&input.trials).into_bytes()),
    ];
    files.push(("report.html".to_owned(), page::page(input).into_bytes()));
    for plot in &input.plots {
        let picture = plots::draw(plot, &input.variants_in_order);
        files.push((format!("plots/{}.svg", plot.name), plots::svg(&picture).into_bytes()));
        files.push((format!("plots/{}.png", plot.name), plots::png(&picture)));
        if let PlotKind::SpaceTime(all) = &plot.kind {
            files
                .push((format!("plots/{}.mmd", plot.name), mermaid::sequence(&plot.title, all).into_bytes()));
            files.push((format!("plots/{}.itf.json", plot.name), itf::trace(&plot.title, all).into_bytes()));
        }
    }
    Ok(files)
}
