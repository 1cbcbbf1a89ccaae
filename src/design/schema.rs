//! The JSON Schema (draft 2020-12) of designs and experiments, made from the tables that the loader itself uses, so
//! that editors complete what the loader accepts. It is the more lenient of the two: what stands inside function
//! strings it does not look at.

use serde_json::{Map, Value, json};

use crate::base::knob::{Knob, Preset, Takes};
use crate::components::Kind;
use crate::design::describe::describe;
use crate::design::entries::{ENTRIES, EntryKind, Holds};
use crate::design::resolve::Tables;

/// The schema of a whole file.
pub fn schema(tables: &Tables) -> Value {
    let mut properties = Map::new();
    for entry in ENTRIES {
        properties.insert(entry.name.to_owned(), entry_schema(entry, tables));
    }
    for kind in tables.kinds {
        properties.insert(kind.name.to_owned(), kind_schema(kind));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A design or an experiment of splitbrain",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

fn kind_schema(kind: &Kind) -> Value {
    let part = object(kind.common.iter().chain(kind.knobs), kind.doc);
    json!({ "type": "object", "description": kind.doc, "additionalProperties": part })
}

fn entry_schema(entry: &EntryKind, tables: &Tables) -> Value {
    let one = match entry.holds {
        Holds::Value(takes) => described(value(&takes), entry.doc),
        Holds::Knobs(knobs) => object(knobs.iter(), entry.doc),
        Holds::ValueOrKnobs(takes, knobs) => {
            described(json!({ "anyOf": [value(&takes), object(knobs.iter(), entry.doc)] }), entry.doc)
        }
        Holds::Policy => object(tables.policy.iter(), entry.doc),
        Holds::Patch => json!({ "type": "object", "description": entry.doc }),
        Holds::Sweep => {
            return json!({ "type": "object", "description": entry.doc, "additionalProperties": { "type": ["object", "array"] } });
        }
        Holds::Outcomes => json!({
            "type": "object",
            "additionalProperties": { "anyOf": [outcome(), { "type": "array", "items": outcome() }] },
        }),
        Holds::Programs => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        Holds::Later => return json!({ "description": entry.doc }),
    };
    if entry.named {
        json!({ "type": "object", "description": entry.doc, "additionalProperties": one })
    } else {
        one
    }
}

fn outcome() -> Value {
    json!({ "type": "string", "pattern": "^(holds|violated|unknown|either[: ].+)$" })
}

fn object<'a>(knobs: impl Iterator<Item = &'a Knob>, doc: &str) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for knob in knobs {
        properties.insert(knob.name.to_owned(), knob_schema(knob));
        if matches!(knob.default, Preset::Required) {
            required.push(knob.name);
        }
    }
    json!({ "type": "object", "description": doc, "properties": properties, "required": required, "additionalProperties": false })
}

fn knob_schema(knob: &Knob) -> Value {
    let default = match knob.default {
        Preset::Is { text, source } => format!(" Default: {text} ({source})."),
        Preset::Absent | Preset::Required => String::new(),
    };
    described(value(&knob.takes), &format!("{}{default}", knob.doc))
}

fn described(mut schema: Value, doc: &str) -> Value {
    if let Value::Object(fields) = &mut schema {
        fields.insert("description".to_owned(), json!(doc));
    }
    schema
}

/// Numbers glued to units, as far as a pattern can say it.
fn pattern(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": format!("^\\s*{pattern}\\s*$") })
}

const NUMBER: &str = "[0-9][0-9_]*(\\.[0-9]+)?";

fn value(takes: &Takes) -> Value {
    match takes {
        Takes::Count { min, max } => {
            let mut number = json!({ "type": "integer", "minimum": min });
            if i64::try_from(*max).is_ok() {
                number["maximum"] = json!(max);
            }
            json!({ "anyOf": [number, pattern(&format!("({NUMBER}[kM]?|unlimited)"))] })
        }
        Takes::Share { .. } => pattern(&format!("{NUMBER}(%|ppm)")),
        Takes::Factor { min, max } => {
            json!({ "anyOf": [{ "type": "number", "minimum": min, "maximum": max }, pattern(&format!("{NUMBER}x?"))] })
        }
        Takes::Span { .. } => pattern(&format!("({NUMBER}(ns|us|µs|ms|s|m|h|d))+")),
        Takes::Rate => pattern(&format!("{NUMBER}[kM]?/(s|m|h)")),
        Takes::Bytes { .. } => pattern(&format!("{NUMBER}([kKMGT]i?)?B")),
        Takes::Bandwidth => pattern(&format!("{NUMBER}[kKMGT]?b/s")),
        Takes::Dollars => pattern(&format!("\\${NUMBER}[kM]?")),
        Takes::DollarsPerHour => pattern(&format!("\\${NUMBER}/h")),
        Takes::NumberLaw => json!({ "type": ["number", "string"] }),
        Takes::Switch => json!({ "anyOf": [{ "type": "boolean" }, { "enum": ["true", "false"] }] }),
        Takes::Word(words) => json!({ "enum": words }),
        Takes::Form(forms) => {
            // Editors offer the bare names; arguments follow in parentheses.
            let names: Vec<&str> = forms.iter().map(|form| form.name).collect();
            let lines: Vec<String> =
                forms.iter().map(|form| format!("{}: {}", form.name, form.doc)).collect();
            let call = pattern(&format!("({})\\s*(\\([\\s\\S]*\\))?", names.join("|")));
            json!({ "anyOf": [{ "enum": names }, call], "markdownDescription": lines.join("\n\n") })
        }
        Takes::Zones => {
            json!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" }, "minItems": 1 }] })
        }
        Takes::Any => json!({ "type": ["number", "string", "array", "boolean"] }),
        Takes::NumberOrText => json!({ "type": ["number", "string"] }),
        Takes::List(inner) => json!({ "anyOf": [{ "type": "array", "items": value(inner) }, value(inner)] }),
        Takes::Table(inner) => json!({ "type": "object", "additionalProperties": value(inner) }),
        Takes::Law | Takes::LawOr(_) | Takes::Part(_) | Takes::Policy | Takes::Call | Takes::Text => {
            json!({ "type": "string", "$comment": describe(takes) })
        }
    }
}
