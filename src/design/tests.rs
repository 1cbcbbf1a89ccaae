//! Tests over everything that is shipped.

use std::collections::BTreeMap;

use crate::base::parameter::{Parameter, ParameterType, Preset};
use crate::base::problem::Problems;
use crate::components::KINDS;
use crate::components::mech::policy::POLICY;
use crate::design::codes;
use crate::design::entries::{ENTRIES, Holds};
use crate::design::file::Data;
use crate::design::parameters::checker::{Checker, Known};
use crate::design::places::nowhere;
use crate::design::source::Sources;

/// All parameters of a table, those of the forms that they take included.
fn all_parameters(
    path: &str,
    parameters: &'static [Parameter],
    found: &mut Vec<(String, &'static Parameter)>,
) {
    for parameter in parameters {
        let path = format!("{path}.{}", parameter.name);
        let mut takes = &parameter.takes;
        while let ParameterType::List(inner) | ParameterType::Table(inner) = takes {
            takes = inner;
        }
        if let ParameterType::Constructor(forms) = takes {
            for form in *forms {
                all_parameters(&format!("{path}.{}", form.name), form.parameters, found);
            }
        }
        found.push((path, parameter));
    }
}

#[test]
fn every_shipped_default_is_what_its_parameter_takes() {
    let mut parameters = Vec::new();
    all_parameters("policy", POLICY, &mut parameters);
    for kind in KINDS {
        all_parameters(kind.name, kind.common, &mut parameters);
        all_parameters(kind.name, kind.parameters, &mut parameters);
    }
    for entry in ENTRIES {
        if let Holds::Parameters(table) | Holds::ValueOrParameters(_, table) = entry.holds {
            all_parameters(entry.name, table, &mut parameters);
        }
    }
    let (files, sources) = (BTreeMap::<String, Vec<u8>>::new(), Sources::default());
    for (path, parameter) in parameters {
        let (known, mut defaults, mut problems) = (Known::default(), BTreeMap::new(), Problems::default());
        let data = Data { reader: &files, sources: &sources };
        let mut checker = Checker { known: &known, data, defaults: &mut defaults, problems: &mut problems };
        if matches!(parameter.default, Preset::Is { .. }) {
            let setting = checker.preset(&path, parameter, &nowhere(), codes::MISSING_KEY);
            assert!(setting.is_some(), "{path}: {problems:?}");
        }
        assert!(parameter.doc.ends_with('.'), "{path}: its doc is a sentence");
    }
}
