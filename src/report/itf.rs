//! A space-time diagram as a trace in the Informal Trace Format (ITF) of Apalache and Quint, apalache-mc.org/docs/adr/015adr-trace.html: a
//! state after each thing that happens, with what is under way.

use serde_json::{Value, json};

use crate::report::input::{Bar, SpaceTime};

/// The trace as a text.
pub fn trace(title: &str, all: &SpaceTime) -> String {
    let mut happens: Vec<(f64, bool, usize)> = Vec::new();
    for (place, bar) in all.bars.iter().enumerate() {
        happens.push((bar.from, true, place));
        happens.extend(bar.to.map(|to| (to, false, place)));
    }
    // What ends at an instant ends before anything begins at it, unless it has begun there.
    let is_instant = |place: usize| all.bars[place].to == Some(all.bars[place].from);
    happens.sort_by(|a, b| {
        let rank = |(_, begins, place): &(f64, bool, usize)| match (begins, is_instant(*place)) {
            (false, false) => 0,
            (true, _) => 1,
            (false, true) => 2,
        };
        a.0.total_cmp(&b.0).then(rank(a).cmp(&rank(b)))
    });
    let mut under_way: Vec<usize> = Vec::new();
    let mut states = vec![state(all, 0, None, &under_way)];
    for (at, begins, place) in happens {
        match begins {
            true => under_way.push(place),
            false => under_way.retain(|other| *other != place),
        }
        states.push(state(all, states.len(), Some((at, begins, place)), &under_way));
    }
    let trace = json!({
        "#meta": {
            "format": "ITF",
            "format-description": "https://apalache-mc.org/docs/adr/015adr-trace.html",
            "source": title,
            "status": "violation",
            "description": all.note,
        },
        "vars": ["action", "faults", "pending"],
        "states": states,
    });
    format!("{trace:#}\n")
}

fn operation(all: &SpaceTime, bar: &Bar) -> Value {
    let who = all.lanes.get(bar.lane).map_or(String::new(), |name| name.replace('\n', ", "));
    json!({ "process": who, "operation": bar.text, "in_witness": bar.marked })
}

fn state(all: &SpaceTime, index: usize, happens: Option<(f64, bool, usize)>, under_way: &[usize]) -> Value {
    let at = happens.map_or(f64::NEG_INFINITY, |(at, _, _)| at);
    let action = happens.map_or(
        json!({ "type": "init", "process": "", "operation": "", "in_witness": false }),
        |(_, begins, place)| {
            let mut action = operation(all, &all.bars[place]);
            action["type"] = if begins { "invoke" } else { "return" }.into();
            action
        },
    );
    let pending: Vec<Value> = under_way.iter().map(|place| operation(all, &all.bars[*place])).collect();
    let faults = all.faults.iter().filter(|(_, from, to)| *from <= at && at < *to);
    let faults: Vec<&str> = faults.map(|(name, _, _)| name.as_str()).collect();
    json!({ "#meta": { "index": index }, "action": action, "faults": { "#set": faults }, "pending": { "#set": pending } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_that_happens_has_a_state() {
        let bar =
            |lane, text: &str, from, to| Bar { lane, text: text.to_owned(), from, to, marked: lane == 0 };
        let picture = SpaceTime {
            note: "no order".to_owned(),
            lanes: vec!["process 1".to_owned(), "process 2".to_owned()],
            bars: vec![bar(0, "write 1", 1.0, Some(4.0)), bar(1, "read 7", 2.0, None)],
            faults: vec![("kill".to_owned(), 1.5, 3.0)],
            ..SpaceTime::default()
        };
        let trace: Value = serde_json::from_str(&trace("a", &picture)).expect("JSON");
        assert_eq!(trace["vars"], json!(["action", "faults", "pending"]));
        let states = trace["states"].as_array().expect("states");
        let pending: Vec<usize> =
            states.iter().map(|state| state["pending"]["#set"].as_array().expect("a set").len()).collect();
        assert_eq!(pending, [0, 1, 2, 1]);
        let read = json!({ "process": "process 2", "operation": "read 7", "in_witness": false });
        assert_eq!(states[3]["pending"], json!({ "#set": [read] }));
        assert_eq!(states[2]["faults"], json!({ "#set": ["kill"] }));
        assert_eq!(states[3]["action"]["type"], "return");
    }
}
