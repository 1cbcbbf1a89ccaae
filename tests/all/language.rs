//! What the language promises of single words: who is called, what is counted, what is read by somebody.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use splitbrain::base::parameter::{Parameter, ParameterType};
use splitbrain::components::KINDS;
use splitbrain::components::mech::policy;
use splitbrain::design::entries::{ENTRIES, Holds};
use splitbrain::experiment::Overrides;
use splitbrain::experiment::results::Results;

use crate::support::{experiment, run};

fn measured(text: &str) -> Results {
    run(&experiment("tests/language.toml", text, &Overrides::default()), 1)
}

fn measure(results: &Results, variant: &str, name: &str) -> f64 {
    let cell = results.cells.iter().find(|cell| cell.variant == variant).expect("the variant");
    let estimate = cell.measures.get(name).unwrap_or_else(|| panic!("{name} of {:?}", cell.measures.keys()));
    estimate.mean.unwrap_or_else(|| panic!("{name} is undefined: {:?}", estimate.note))
}

/// A call crosses the network, 0.25 ms, to each of those in its way and back; the answer takes 20 ms.
#[test]
fn an_external_behind_a_balancer_is_called_through_it() {
    let results = measured(
        r#"
length = "10s"
net.latency   = "0.25ms"
external.web  = { count = 5, reply = "20ms" }
lb.front      = { to = "web" }
lb.edge       = { to = "front" }
server.app    = {}
workload.w    = { do = "work()", arrive = "even(100/s)", to = "9s" }
measures = ["count(front.calls)", "count(web.calls)", "mean(w)", "success(w)"]
variant.by_edge   = {}
variant.by_name   = { on.app.work = "call web" }
variant.directly  = { workload.w.do = "edge()" }
variant.bare      = { workload.w.do = "edge" }
variant.impatient = { lb.front.timeout = "10ms" }
[on.app]
work = "call edge"
"#,
    );
    for (variant, mean) in [("by_edge", 22.0), ("by_name", 21.5), ("directly", 21.5), ("bare", 21.5)] {
        assert_eq!(measure(&results, variant, "count(front.calls)"), 900.0, "{variant}");
        assert_eq!(measure(&results, variant, "count(web.calls)"), 900.0, "{variant}");
        assert_eq!(measure(&results, variant, "success(w)"), 1.0, "{variant}");
        let seen = measure(&results, variant, "mean(w)") * 1e3;
        assert!((seen - mean).abs() < 0.01, "{variant}: {seen} ms");
    }
    assert_eq!(measure(&results, "impatient", "success(w)"), 0.0, "the balancer gives up after 10 ms");
}

/// Sixteen users work through one list, or each through a copy of their own.
#[test]
fn a_sequence_is_of_the_workload_unless_it_is_each_users() {
    let results = measured(
        r#"
length = "20s"
server.app = {}
workload.w = { do = "see(item=sequence(100k))", arrive = "users(16, think=exp(100ms))" }
measures   = ["max(seen)", "count(seen)"]
variant.workload = {}
variant.user     = { workload.w.do = "see(item=sequence(100k, per=user))" }
variant.open     = { workload.w.arrive = "poisson(100/s)", workload.w.do = "see(item=sequence(100k, per=user))" }
[on.app]
see = "tally seen[item]; cpu 1ms"
"#,
    );
    assert!(measure(&results, "workload", "count(seen)") > 2000.0);
    assert_eq!(measure(&results, "workload", "max(seen)"), 1.0, "no number twice");
    assert_eq!(measure(&results, "user", "max(seen)"), 16.0, "each user begins at 1");
    assert_eq!(measure(&results, "open", "max(seen)"), 1.0, "an open loop is one caller");
}

/// The texts of some files and folders of the sources.
fn sources(paths: &[&str]) -> String {
    fn all(path: &Path, text: &mut String) {
        if path.is_dir() {
            let mut inner: Vec<PathBuf> = std::fs::read_dir(path)
                .expect("there")
                .map(|entry| entry.expect("readable").path())
                .collect();
            inner.sort();
            inner.iter().for_each(|path| all(path, text));
        } else {
            *text += &std::fs::read_to_string(path).expect("text");
        }
    }
    let mut text = String::new();
    for path in paths {
        all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(path), &mut text);
    }
    text
}

/// Whether a word stands anywhere but in a table of parameters.
fn is_read(word: &str, text: &str) -> bool {
    let quoted = format!("\"{word}\"");
    text.match_indices(&quoted).any(|(at, _)| {
        let (before, after) = (text[..at].trim_end(), text[at + quoted.len()..].trim_start());
        let defined = before.ends_with("name:")
            || before.ends_with("whom(") && !before.ends_with("fn whom(")
            || after.starts_with(", Preset")
            || after.starts_with(", Takes")
            || after.starts_with(",\n") && before.ends_with("share(")
            || after.trim_start_matches(',').trim_start().starts_with("Preset::");
        !defined
    })
}

fn unread(path: &str, parameters: &'static [Parameter], text: &str, found: &mut Vec<String>) {
    for parameter in parameters {
        if !is_read(parameter.name, text) {
            found.push(format!("{path}.{}", parameter.name));
        }
        if let ParameterType::Constructor(forms) | ParameterType::DistributionOr(forms) = parameter.takes {
            for form in forms {
                let path = format!("{path}.{}.{}", parameter.name, form.name);
                // Of several forms one may be what holds where it is none of the others.
                if forms.len() > 2
                    && !is_read(form.name, text)
                    && !forms.is_empty()
                    && form.name != forms[0].name
                {
                    found.push(path.clone());
                }
                unread(&path, form.parameters, text, found);
            }
        }
    }
}

/// A parameter that nobody reads changes nothing, and says that it does.
#[test]
fn every_parameter_is_read_by_somebody() {
    let parts: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("server", &["components/server.rs", "components/mech/cores.rs"][..]),
        ("lb", &["components/balancer.rs", "design/programs.rs"]),
        (
            "cache",
            &[
                "components/cache.rs",
                "components/cache",
                "components/guard.rs",
                "components/mech/evict",
                "design/fills.rs",
            ],
        ),
        (
            "db",
            &[
                "components/db.rs",
                "components/db",
                "components/storage",
                "components/mech/pool.rs",
                "components/replication",
                "design/programs.rs",
            ],
        ),
        ("lock", &["components/locks.rs", "components/mech/policy.rs", "design/locks.rs"]),
        ("external", &["components/external.rs"]),
    ]);
    let mut found = Vec::new();
    for kind in KINDS {
        let mut paths = parts.get(kind.name).expect("its sources are named above").to_vec();
        unread(kind.name, kind.parameters, &sources(&paths), &mut found);
        paths.extend(["components/mod.rs", "design/resolve.rs"]);
        unread(kind.name, kind.common, &sources(&paths), &mut found);
    }
    unread(
        "policy",
        policy::POLICY,
        &sources(&["components/mech/policy.rs", "design/retries.rs"]),
        &mut found,
    );
    for entry in ENTRIES {
        let paths: &[&str] = match entry.name {
            "zone" | "net" | "link" => &["design/places.rs", "experiment/workload.rs"],
            "workload" => &["experiment/workload.rs"],
            "fault" => &["faults", "experiment/timetable.rs"],
            "theory" => &["experiment/question.rs"],
            "plot" => &["experiment/plot.rs", "experiment/draw.rs"],
            _ => &[],
        };
        if let Holds::Parameters(parameters) = entry.holds {
            assert!(!paths.is_empty(), "who reads `{}`?", entry.name);
            unread(entry.name, parameters, &sources(paths), &mut found);
        }
    }
    assert_eq!(found, Vec::<String>::new(), "read by nobody");
}
