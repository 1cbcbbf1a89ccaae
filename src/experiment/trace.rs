//! Traces of real arrivals and keys: read from files beside the experiment.

use std::sync::Arc;

use crate::base::problem::FileId;
use crate::base::time::Time;
use crate::components::mech::arrivals::Traces;
use crate::components::mech::key_distribution::{Columns, file_name};
use crate::design::file::Data;
use crate::program::syntax::{Expr, Spanned};

/// The files of one workload: where relative paths start, and the trace that its arrivals come from.
#[derive(Default)]
pub struct TraceFiles {
    file: Option<FileId>,
    rows: Option<(String, String)>,
}

impl TraceFiles {
    /// Paths are relative to this file from now on.
    pub fn attach(&mut self, _data: &Data<'_>, file: FileId) {
        self.file = Some(file);
    }

    /// Keeps the trace that arrivals come from, for `column(NAME)`.
    pub fn remember(&mut self, expr: &Spanned<Expr>, data: &Data<'_>) {
        if let Expr::Call(call) = &expr.value
            && call.name.value == "trace"
            && let Some(path) = call.args.iter().find(|arg| arg.key.is_none())
            && let Some(file) = self.file
        {
            let path = file_name(&path.value.value);
            self.rows = data.read(file, &path).ok().map(|text| (path, text));
        }
    }

    /// For the readers of arrivals and choosers.
    pub fn reading<'a>(&'a self, data: &'a Data<'a>) -> Reading<'a> {
        Reading { files: self, data }
    }
}

/// Reads the files of a workload.
pub struct Reading<'a> {
    files: &'a TraceFiles,
    data: &'a Data<'a>,
}

impl Reading<'_> {
    fn text(&self, path: &str) -> Result<String, String> {
        self.data.read(self.files.file.unwrap_or(FileId(0)), path)
    }
}

impl Traces for Reading<'_> {
    fn instants(&self, path: &str, column: Option<&str>, speed: f64) -> Result<Arc<[Time]>, String> {
        instants(&self.text(path)?, column, speed).map_err(|why| format!("{path}: {why}"))
    }
}

impl Columns for Reading<'_> {
    fn keys(&self, path: &str, format: &str) -> Result<Arc<[i64]>, String> {
        if format != "text" {
            return Err(format!("format `{format}` is not known; `text` has one number per line"));
        }
        let text = self.text(path)?;
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let keys: Result<Vec<i64>, String> = lines
            .map(|(number, line)| {
                line.trim()
                    .parse()
                    .map_err(|_| format!("{path}, line {}: `{}` is no whole number", number + 1, line.trim()))
            })
            .collect();
        keys.and_then(
            |keys| if keys.is_empty() { Err(format!("{path} has no keys")) } else { Ok(keys.into()) },
        )
    }

    fn column(&self, name: &str) -> Result<Arc<[i64]>, String> {
        let Some((path, text)) = &self.files.rows else {
            return Err(
                "`column` needs arrivals from a trace: `arrive = \"trace(file.csv, column=TIMESTAMP)\"`"
                    .to_owned(),
            );
        };
        let mut values = Vec::new();
        each_cell(text, Some(name), |line, cell| {
            values.push(
                cell.parse::<i64>()
                    .map_err(|_| format!("{path}, line {line}: `{cell}` is no whole number"))?,
            );
            Ok(())
        })
        .map_err(|why| format!("{path}: {why}"))?;
        Ok(values.into())
    }
}

/// Calls `each` with the line number and the cell of a column, row by row; the first row names the columns.
fn each_cell(
    text: &str,
    column: Option<&str>,
    mut each: impl FnMut(u64, &str) -> Result<(), String>,
) -> Result<(), String> {
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let names = reader.headers().map_err(|why| why.to_string())?.clone();
    let index = match column {
        None => 0,
        Some(column) => names.iter().position(|name| name == column).ok_or_else(|| {
            format!("no column `{column}`; its columns are {}", names.iter().collect::<Vec<_>>().join(", "))
        })?,
    };
    for row in reader.records() {
        let row = row.map_err(|why| why.to_string())?;
        let line = row.position().map_or(0, csv::Position::line);
        each(line, row.get(index).ok_or_else(|| format!("line {line} has no such column"))?)?;
    }
    Ok(())
}

/// The instants of a column, from its first row on.
fn instants(text: &str, column: Option<&str>, speed: f64) -> Result<Arc<[Time]>, String> {
    let mut first = None;
    let mut instants: Vec<Time> = Vec::new();
    each_cell(text, column, |line, cell| {
        let at = nanoseconds(cell).ok_or_else(|| format!("line {line}: `{cell}` is no instant"))?;
        let since = at - *first.get_or_insert(at);
        if since < 0 {
            return Err(format!("line {line}: earlier than the first row"));
        }
        let scaled = if speed == 1.0 { since } else { (since as f64 / speed + 0.5) as i128 };
        let scaled = u64::try_from(scaled).ok().filter(|scaled| Time::from_ns(*scaled) < Time::NEVER);
        let scaled = scaled.ok_or_else(|| format!("line {line}: more than 584 years after the first row"))?;
        if instants.last().is_some_and(|before| before.as_ns() > scaled) {
            return Err(format!("line {line}: instants do not fall"));
        }
        instants.push(Time::from_ns(scaled));
        Ok(())
    })?;
    if instants.is_empty() { Err("no rows".to_owned()) } else { Ok(instants.into()) }
}

/// `2023-11-16 18:17:03.9799600`, or seconds `12.5`: in nanoseconds, exactly. No calendar has more than four digits of a year.
fn nanoseconds(cell: &str) -> Option<i128> {
    let Some((date, time)) = cell.split_once([' ', 'T']) else { return decimal_seconds(cell) };
    let mut date = date.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut time = time.trim_end_matches('Z').split(':');
    let (hour, minute) = (time.next()?.parse::<i128>().ok()?, time.next()?.parse::<i128>().ok()?);
    let is_date = (0..=9_999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !is_date || !(0..24).contains(&hour) || !(0..60).contains(&minute) {
        return None;
    }
    let second = decimal_seconds(time.next().unwrap_or("0"))?;
    if !(0..61_000_000_000).contains(&second) {
        return None; // a minute may have a leap second
    }
    let days = i128::from(days_from_civil(year, month, day));
    Some(((days * 24 + hour) * 60 + minute) * 60_000_000_000 + second)
}

fn decimal_seconds(text: &str) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 9 || !fraction.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    // Within 64 bits, so that nanoseconds are far within 128.
    let whole = i128::from(whole.parse::<i64>().ok()?);
    let nanos: i128 = format!("{fraction:0<9}").parse().ok()?;
    let sign = if text.starts_with('-') { -1 } else { 1 };
    Some(whole * 1_000_000_000 + sign * nanos)
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_exact_and_relative_to_the_first() {
        let text = "TIMESTAMP,n\n2023-11-16 18:17:03.9799600,4\n2023-11-16 18:17:04.0319600,3\n2023-11-17 00:00:00,1\n";
        let read = instants(text, Some("TIMESTAMP"), 1.0).expect("reads");
        assert_eq!(read.iter().map(|at| at.as_ns()).collect::<Vec<_>>(), [0, 52_000_000, 20_576_020_040_000]);
        let plain = instants("t\n1.5\n2\n", None, 2.0).expect("reads");
        assert_eq!(plain[1], Time::from_ns(250_000_000));
        let negative = instants("t\n-1.5\n-1\n-0.25\n1\n", None, 1.0).expect("reads");
        assert_eq!(
            negative.iter().map(|at| at.as_ns() / 1_000_000).collect::<Vec<_>>(),
            [0, 500, 1_250, 2_500]
        );
    }

    #[test]
    fn a_bad_trace_names_its_line() {
        for (text, why) in [
            ("t\n1\nx\n", "line 3: `x` is no instant"),
            ("t\n2\n1\n", "line 3: earlier than the first row"),
            ("t\n", "no rows"),
            (
                "t\n1\n92233720368547758009223372036854775807.5\n",
                "line 3: `92233720368547758009223372036854775807.5` is no instant",
            ),
            ("t\n9223372036854775807\n", ""),
            ("t\n0\n9223372036854775807\n", "line 3: more than 584 years after the first row"),
            (
                "t\n9223372036854775807-01-01 00:00\n",
                "line 2: `9223372036854775807-01-01 00:00` is no instant",
            ),
            ("t\n2023-13-01 00:00\n", "line 2: `2023-13-01 00:00` is no instant"),
            ("t\n2023-12-01 23:00:-1\n", "line 2: `2023-12-01 23:00:-1` is no instant"),
            ("t\n2023-12-01 24:00\n", "line 2: `2023-12-01 24:00` is no instant"),
        ] {
            assert_eq!(instants(text, None, 1.0).err().unwrap_or_default(), why);
        }
        let missing = instants("a,b\n1,2\n", Some("c"), 1.0);
        assert_eq!(missing, Err("no column `c`; its columns are a, b".to_owned()));
    }
}
