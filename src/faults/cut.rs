//! `cut(a, from=[b, c])`: nothing gets through between two sides, either way. Without `from`: between the first side and
//! everybody else; if that side is members of a part and no zone, they are cut off from each other too.

use crate::base::ids::ZoneId;
use crate::base::parameter::{Constructor, Parameters, Preset};
use crate::base::problem::{Place, Problems};
use crate::faults::action::{Action, Impairment};
use crate::faults::arguments::{DOES_NOT_FIT, problem, whom};
use crate::faults::fault::Fault;
use crate::faults::target::{Target, Who};
use crate::faults::ways::Ways;

/// The fault.
pub const CUT: Fault = Fault {
    form: Constructor {
        name: "cut",
        parameters: &[
            whom("of", Preset::Required, "One side: a zone, members of a part, or a list of these."),
            whom("from", Preset::Absent, "The other side; without it everybody else."),
        ],
        doc: "Nothing gets through between two sides.",
    },
    momentary: false,
    resolve,
};

fn resolve(parameters: &Parameters, who: &Who, problems: &mut Problems) -> Option<Action> {
    let of = Target::of(parameters, "of", who, problems)?;
    let with = match Target::if_given(parameters, "from", who, problems)? {
        Some(with) => {
            apart(&of, &with, parameters.place("from"), problems)?;
            Some(with)
        }
        None if of.zones.is_empty() => None,
        None => {
            let zones = (0..who.zones.len() as u8).map(ZoneId).filter(|zone| !of.zones.contains(zone));
            Some(Target { zones: zones.collect(), ..Target::default() })
        }
    };
    if with.as_ref().is_some_and(|with| with.zones.is_empty() && with.most() == 0) {
        let message = "there is nobody to be cut off from".to_string();
        problem(problems, DOES_NOT_FIT, parameters.place("of"), message).help("write `cut(a, from=b)`");
        return None;
    }
    Some(Action::Network { ways: Ways::Between(of, with), impairment: Impairment::Cut })
}

/// Says so where one side is the other: there is no link between a node and itself. `None` then.
pub(super) fn apart(
    of: &Target,
    with: &Target,
    place: Option<&Place>,
    problems: &mut Problems,
) -> Option<()> {
    let alone =
        |target: &Target| target.zones.is_empty() && target.picks.is_empty() && target.pids.len() == 1;
    if alone(of) && of == with {
        let message = "there is no link between a node and itself".to_string();
        problem(problems, DOES_NOT_FIT, place, message)
            .help("name another node, or a zone: `cut(kv[0], from=kv[1])`");
        return None;
    }
    Some(())
}
