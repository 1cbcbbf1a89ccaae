//! When a fault begins, where that is no time: a moment of the run, or of another fault.
//!
//! Numbered rules:
//! 1. `during(M)`: each time the moment M begins the fault begins, each with its own chance. With `for` it lasts that long,
//!    otherwise as long as the moment. `every` repeats it from there on while the moment lasts.
//! 2. `during(election(kv))`: from the instant at which a member of kv stands for election, or none believes any more that
//!    it leads, until none stands and one leads.
//! 3. `during(x)`, x another fault: from when it begins until it ends; where x is on twice at a time, until it is off.
//! 4. `after(x)`, `after(x, 5s)`: each time x ends, or so long after it. `every` repeats it from there on to the end of the
//!    run.

use crate::base::dist::Dist;
use crate::base::ids::Pid;
use crate::base::parameter::{Constructor, Parameter, ParameterType, Parameters, Preset, Setting};
use crate::base::problem::{Place, Problems, known_words, shown};
use crate::base::time::Span;
use crate::faults::arguments::{UNKNOWN_FORM, UNKNOWN_PART, WRONG_KIND, problem, text};
use crate::faults::target::{Led, Who};
use crate::sim::cluster::Cluster;

/// When a fault begins.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    /// At a time from the start of the run.
    Distribution(Dist),
    /// Whenever a moment begins.
    During(Trigger),
    /// So long after each end of another fault.
    After(String, Span),
}

/// A stretch of the run that nobody knows before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// A part looks for a leader.
    Election {
        /// Its name.
        part: String,
        /// Its first member: whether the part is there at all.
        first: Pid,
        /// What it records of who leads.
        led: Led,
    },
    /// Another fault is on.
    Fault(String),
}

/// What `at` takes besides a time or a distribution.
pub const TRIGGERS: &[Constructor] = &[
    Constructor {
        name: "during",
        parameters: &[Parameter {
            name: "moment",
            takes: ParameterType::Text,
            default: Preset::Required,
            doc: "The moment: `election(kv)`, or another fault.",
        }],
        doc: "Whenever a moment begins; without `for` until it ends: an election of a db, another fault.",
    },
    Constructor {
        name: "after",
        parameters: &[
            Parameter {
                name: "fault",
                takes: ParameterType::Text,
                default: Preset::Required,
                doc: "The other fault.",
            },
            Parameter {
                name: "span",
                takes: ParameterType::Span { min: Span::ZERO, max: Span::MAX },
                default: Preset::Is { text: "0s", source: "at once" },
                doc: "How long after its end.",
            },
        ],
        doc: "So long after each end of another fault.",
    },
];

impl When {
    /// From the checked parameter `at`; `None` where there is none or it is wrong, which is then reported.
    pub(super) fn of(parameters: &Parameters, who: &Who, problems: &mut Problems) -> Option<When> {
        match parameters.get("at")? {
            Setting::Distribution(distribution) => Some(When::Distribution(distribution.clone())),
            Setting::Constructor("during", moment) => {
                let (words, place) = text(moment, "moment")?;
                Trigger::parse(words, place, who, problems).map(When::During)
            }
            Setting::Constructor(_, after) => {
                let (fault, _) = text(after, "fault")?;
                Some(When::After(fault.to_string(), after.span("span")))
            }
            _ => None,
        }
    }

    /// The fault that it waits for.
    pub fn fault(&self) -> Option<&str> {
        match self {
            When::During(Trigger::Fault(fault)) | When::After(fault, _) => Some(fault),
            When::Distribution(_) | When::During(Trigger::Election { .. }) => None,
        }
    }

    /// As a plan shows it.
    pub fn describe(&self) -> String {
        match self {
            When::Distribution(_) => "at a time that is drawn".to_string(),
            When::During(Trigger::Election { part, .. }) => format!("during each election of {part}"),
            When::During(Trigger::Fault(fault)) => format!("during {fault}"),
            When::After(fault, Span::ZERO) => format!("after {fault}"),
            When::After(fault, span) => format!("{span} after {fault}"),
        }
    }
}

impl Trigger {
    fn parse(words: &str, place: &Place, who: &Who, problems: &mut Problems) -> Option<Trigger> {
        let Some((form, inner)) = words.split_once('(') else {
            return Some(Trigger::Fault(words.to_string()));
        };
        if form.trim() != "election" {
            let message = format!("there is no moment `{}`", shown(form));
            let help = "write `during(election(kv))`, or name another fault: `during(split)`";
            problem(problems, UNKNOWN_FORM, Some(place), message).help(help);
            return None;
        }
        let name = inner.trim_end().trim_end_matches(')').trim();
        let Some(part) = who.part(name) else {
            let parts = who.parts.iter().filter(|part| part.led.is_some()).map(|part| part.name.as_str());
            let help = known_words(name, "parts with elections", parts);
            problem(problems, UNKNOWN_PART, Some(place), format!("unknown part '{}'", shown(name)))
                .help(help);
            return None;
        };
        let Some(led) = part.led else {
            let message = format!("nobody is elected in '{}', a {}", part.name, part.kind);
            problem(problems, WRONG_KIND, Some(place), message).help("a db with a leader has elections");
            return None;
        };
        Some(Trigger::Election { part: part.name.clone(), first: Pid::new(part.tier, 0), led })
    }

    /// Whether an election is on. Faults know themselves whether they are.
    pub(super) fn is_on(&self, cluster: &dyn Cluster) -> bool {
        match self {
            Trigger::Election { first, led, .. } => {
                cluster.is_there(*first)
                    && (cluster.level(led.standing) > 0 || cluster.level(led.leaders) == 0)
            }
            Trigger::Fault(_) => false,
        }
    }
}
