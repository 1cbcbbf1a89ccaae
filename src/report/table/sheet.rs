//! Lines of a table within a width, and their colours.

use crate::report::text::counted;

/// What stands where there is nothing.
pub(super) const EMPTY: &str = "–";

/// Columns that a text in several lines takes at least.
pub(super) const ROOM_MIN: usize = 30;

/// Lines so far.
pub(super) struct Page {
    pub(super) lines: Vec<String>,
    pub(super) width: usize,
}

impl Page {
    pub(super) fn line(&mut self, text: String) {
        self.lines.push(text.trim_end().to_owned());
    }

    /// An empty line, unless there is one.
    pub(super) fn gap(&mut self) {
        if self.lines.last().is_some_and(|line| !line.is_empty()) {
            self.lines.push(String::new());
        }
    }

    /// Rows of texts in columns under headings, those of `right` to the right; the last text goes on below where it does not fit. Columns in
    /// which no row says anything are left out, and rows beyond the `most`-th stand in the file of results.
    pub(super) fn rows<const N: usize>(
        &mut self,
        paint: Paint,
        headings: [&str; N],
        rows: &[[String; N]],
        right: &[usize],
        most: usize,
    ) {
        let shown = &rows[..rows.len().min(most)];
        let said = |column: usize| shown.iter().any(|row| !["", EMPTY].contains(&row[column].as_str()));
        let columns: Vec<usize> = (0..N - 1).filter(|column| said(*column)).collect();
        let headings = headings.map(str::to_owned);
        let widest = |column: usize| shown.iter().chain([&headings]).map(|row| wide(&row[column])).max();
        let widths: Vec<usize> = columns.iter().map(|column| widest(*column).unwrap_or(0)).collect();
        let line = |row: &[String; N]| {
            let cells = columns.iter().zip(&widths).map(|(column, width)| match right.contains(column) {
                true => pushed(&row[*column], *width),
                false => padded(&row[*column], *width),
            });
            format!("  {}", cells.collect::<Vec<_>>().join("  "))
        };
        self.line(paint.dim(line(&headings).trim_end()));
        for row in shown {
            let text = line(row) + "  ";
            self.hanging(&text, wide(&text), &row[N - 1], |line| paint.dim(line));
        }
        self.left_out(paint, rows.len(), most, "row");
    }

    /// How many of `all` stand in the file of results alone.
    pub(super) fn left_out(&mut self, paint: Paint, all: usize, most: usize, noun: &str) {
        if all > most {
            let more = counted((all - most) as u64, &format!("more {noun}"));
            self.line(paint.dim(&format!("  {more} in results.json")));
        }
    }

    /// Text in several lines, each indented.
    pub(super) fn wrapped(&mut self, indent: usize, text: &str, dress: impl Fn(&str) -> String) {
        self.hanging(&" ".repeat(indent), indent, text, dress);
    }

    /// Text in several lines, the first after a label and the others as far to the right; below the label where too
    /// little room is left beside it.
    pub(super) fn hanging(&mut self, label: &str, indent: usize, text: &str, dress: impl Fn(&str) -> String) {
        let beside = self.width.saturating_sub(indent);
        let below = beside < ROOM_MIN && wide(text) > beside;
        let indent = if below { 6 } else { indent };
        let room = self.width.saturating_sub(indent).max(ROOM_MIN);
        if below {
            self.line(label.to_owned());
        }
        let mut start = if below { " ".repeat(indent) } else { label.to_owned() };
        let mut line = String::new();
        for word in text.split_whitespace() {
            if !line.is_empty() && wide(&line) + 1 + wide(word) > room {
                self.line(format!("{start}{}", dress(&line)));
                start = " ".repeat(indent);
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        if !line.is_empty() || !start.trim().is_empty() {
            self.line(format!("{start}{}", dress(&line)));
        }
    }
}

/// Columns a text takes; good enough for the letters that occur here.
pub(super) fn wide(text: &str) -> usize {
    text.chars().count()
}

/// Padded on the right.
pub(super) fn padded(text: &str, width: usize) -> String {
    format!("{text}{:fill$}", "", fill = width.saturating_sub(wide(text)))
}

/// Padded on the left.
pub(super) fn pushed(text: &str, width: usize) -> String {
    format!("{:fill$}{text}", "", fill = width.saturating_sub(wide(text)))
}

/// Colours, or none.
#[derive(Clone, Copy)]
pub(super) struct Paint(pub(super) bool);

impl Paint {
    pub(super) fn with(self, code: &str, text: &str) -> String {
        if self.0 && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    /// ✓ in green, ? in yellow, ✗ in red.
    pub(super) fn mark(self, mark: Mark) -> String {
        match mark {
            Mark::Good => self.with("32", "✓"),
            Mark::Open => self.with("33", "?"),
            Mark::Bad => self.with("1;31", "✗"),
        }
    }
}

/// How something came out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Good,
    Open,
    Bad,
}
