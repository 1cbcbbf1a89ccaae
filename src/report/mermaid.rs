//! A space-time diagram as a Mermaid sequence diagram, which code hosts render where they render Markdown: see
//! mermaid.js.org/syntax/sequenceDiagram.html. Who calls stands as a participant; what is called is one more.

use std::fmt::Write;

use crate::report::input::{Bar, SpaceTime};

/// The participant that is called.
const CALLED: &str = "S";

/// What happens at one time, in the order in which it is written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Happens {
    FaultBegins,
    Returns,
    Takes,
    Begins,
    FaultEnds,
}

/// The diagram as a text.
pub fn sequence(title: &str, all: &SpaceTime) -> String {
    let mut text = format!("---\ntitle: {}\n---\nsequenceDiagram\n", serde_json::Value::from(title));
    let has_bars = |lane: usize| all.bars.iter().any(|bar| bar.lane == lane);
    let lanes: Vec<usize> = (0..all.lanes.len()).filter(|lane| has_bars(*lane)).collect();
    for lane in &lanes {
        let _ = writeln!(text, "  participant P{lane} as {}", escaped(&all.lanes[*lane].replace('\n', ", ")));
    }
    let calls = all.bars.iter().any(|bar| bar.to != Some(bar.from));
    if calls {
        let _ = writeln!(text, "  participant {CALLED} as store");
    }
    let last =
        if calls { CALLED.to_owned() } else { lanes.last().map_or(String::new(), |lane| format!("P{lane}")) };
    let over = lanes.first().map_or(last.clone(), |first| format!("P{first},{last}"));
    for (_, _, line) in lines(all, &over) {
        let _ = writeln!(text, "  {line}");
    }
    let _ = writeln!(text, "  Note over {over}: {}", escaped(&all.note));
    text
}

/// What happens, in the order in which it does.
fn lines(all: &SpaceTime, over: &str) -> Vec<(f64, Happens, String)> {
    let mut lines = Vec::new();
    let mark = |bar: &Bar| if bar.marked { " (!)" } else { "" };
    for (place, bar) in all.bars.iter().enumerate() {
        let (lane, text) = (bar.lane, escaped(&bar.text));
        let arrow = all.arrows.iter().find(|arrow| arrow.to == place);
        let from = arrow.and_then(|arrow| all.bars.get(arrow.from));
        if let (Some(from), true) = (from, bar.to == Some(bar.from)) {
            lines.push((bar.from, Happens::Takes, format!("P{}-)P{lane}: {text}", from.lane)));
            continue;
        }
        if bar.to == Some(bar.from) {
            lines.push((bar.from, Happens::Takes, format!("Note over P{lane}: {text}")));
            continue;
        }
        lines.push((bar.from, Happens::Begins, format!("P{lane}->>{CALLED}: {text}{}", mark(bar))));
        if let Some(to) = bar.to {
            lines.push((to, Happens::Returns, format!("{CALLED}-->>P{lane}: done: {text}{}", mark(bar))));
        }
    }
    for bar in all.bars.iter().filter(|bar| bar.to.is_none()) {
        let text = format!("{CALLED}--xP{}: no answer: {}{}", bar.lane, escaped(&bar.text), mark(bar));
        lines.push((f64::INFINITY, Happens::Returns, text));
    }
    let impairments = all.stretches.iter().filter(|one| one.bad).map(|one| {
        let who = all.lanes.get(one.lane).and_then(|name| name.lines().last()).unwrap_or("");
        (format!("{who} {}", one.text), one.from, one.to)
    });
    let mut faults: Vec<(String, f64, f64)> = impairments.chain(all.faults.iter().cloned()).collect();
    faults.dedup();
    for (name, from, to) in &faults {
        let name = escaped(name);
        lines.push((
            from.max(all.stretch.0),
            Happens::FaultBegins,
            format!("Note over {over}: {name} begins"),
        ));
        if *to < all.stretch.1 {
            lines.push((*to, Happens::FaultEnds, format!("Note over {over}: {name} ends")));
        }
    }
    lines.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    lines
}

/// A text without what means something in a diagram: a semicolon ends a statement, a number sign begins a character's code.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '#' | ';' | '<' | '>' | '&' | '%' | '{' | '}' => {
                let _ = write!(escaped, "#{};", u32::from(character));
            }
            character if character.is_control() => escaped.push(' '),
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::pictures::Arrow;

    #[test]
    fn a_picture_is_told_in_the_order_of_what_happens() {
        let bar = |lane, text: &str, from, to, marked| Bar { lane, text: text.to_owned(), from, to, marked };
        let picture = SpaceTime {
            note: "no order; #1".to_owned(),
            stretch: (0.0, 10.0),
            lanes: vec!["process a".to_owned(), "process b".to_owned(), "copy".to_owned()],
            bars: vec![
                bar(0, "write 1", 1.0, Some(4.0), true),
                bar(1, "read 7", 2.0, None, false),
                bar(2, "has 1", 3.0, Some(3.0), false),
            ],
            arrows: vec![Arrow { from: 0, to: 2 }],
            faults: vec![("kill".to_owned(), 0.5, 20.0)],
            stretches: Vec::new(),
        };
        assert_eq!(
            sequence("a: \"b\"", &picture),
            "---\ntitle: \"a: \\\"b\\\"\"\n---\nsequenceDiagram\n  participant P0 as process a\n  participant P1 as process b\n  \
             participant P2 as copy\n  participant S as store\n  Note over P0,S: kill begins\n  P0->>S: write 1 (!)\n  \
             P1->>S: read 7\n  P0-)P2: has 1\n  S-->>P0: done: write 1 (!)\n  S--xP1: no answer: read 7\n  \
             Note over P0,S: no order#59; #35;1\n"
        );
    }
}
