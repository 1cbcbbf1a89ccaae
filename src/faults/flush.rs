//! `flush(pages)`: a cache forgets everything, at once. Its locks and leases too.

use crate::base::parameter::{Constructor, Parameters, Preset};
use crate::base::problem::Problems;
use crate::faults::action::Action;
use crate::faults::arguments::{DOES_NOT_FIT, problem, whom};
use crate::faults::fault::Fault;
use crate::faults::target::{Target, Who};

/// The fault.
pub const FLUSH: Fault = Fault {
    form: Constructor {
        name: "flush",
        parameters: &[whom("of", Preset::Required, "The cache, or some of its members.")],
        doc: "A cache forgets everything.",
    },
    momentary: true,
    resolve,
};

fn resolve(parameters: &Parameters, who: &Who, problems: &mut Problems) -> Option<Action> {
    let target = Target::of(parameters, "of", who, problems)?;
    let caches = |tier| who.parts.iter().any(|part| part.tier == tier && part.caches);
    if !target.zones.is_empty() || target.all().any(|pid| !caches(pid.tier)) {
        let message = "only a cache can be flushed".to_string();
        problem(problems, DOES_NOT_FIT, parameters.place("of"), message)
            .help("name a cache, or members of it");
        return None;
    }
    Some(Action::Flush(target))
}
