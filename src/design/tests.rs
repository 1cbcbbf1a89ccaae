//! Tests over everything that is shipped.

use std::collections::BTreeMap;

use crate::base::knob::{Knob, Preset, Takes};
use crate::base::problem::Problems;
use crate::components::KINDS;
use crate::design::codes;
use crate::design::entries::{ENTRIES, Holds};
use crate::design::file::Data;
use crate::design::knobs::{Checker, Known};
use crate::design::places::nowhere;
use crate::design::resolve::Tables;
use crate::design::source::Sources;

/// All knobs of a table, those of the forms that they take included.
fn all_knobs(path: &str, knobs: &'static [Knob], found: &mut Vec<(String, &'static Knob)>) {
    for knob in knobs {
        let path = format!("{path}.{}", knob.name);
        let mut takes = &knob.takes;
        while let Takes::List(inner) | Takes::Table(inner) = takes {
            takes = inner;
        }
        if let Takes::Form(forms) = takes {
            for form in *forms {
                all_knobs(&format!("{path}.{}", form.name), form.knobs, found);
            }
        }
        found.push((path, knob));
    }
}

#[test]
fn every_shipped_default_is_what_its_knob_takes() {
    let mut knobs = Vec::new();
    all_knobs("policy", Tables::shipped().policy, &mut knobs);
    for kind in KINDS {
        all_knobs(kind.name, kind.common, &mut knobs);
        all_knobs(kind.name, kind.knobs, &mut knobs);
    }
    for entry in ENTRIES {
        if let Holds::Knobs(table) | Holds::ValueOrKnobs(_, table) = entry.holds {
            all_knobs(entry.name, table, &mut knobs);
        }
    }
    let (files, sources) = (BTreeMap::<String, Vec<u8>>::new(), Sources::default());
    for (path, knob) in knobs {
        let (known, mut defaults, mut problems) = (Known::default(), BTreeMap::new(), Problems::default());
        let data = Data { reader: &files, sources: &sources };
        let mut checker = Checker { known: &known, data, defaults: &mut defaults, problems: &mut problems };
        if matches!(knob.default, Preset::Is { .. }) {
            let setting = checker.preset(&path, knob, &nowhere(), codes::MISSING_KEY);
            assert!(setting.is_some(), "{path}: {problems:?}");
        }
        assert!(knob.doc.ends_with('.'), "{path}: its doc is a sentence");
    }
}
