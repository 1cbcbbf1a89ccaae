//! The JSON Schema (draft 2020-12) of designs and experiments, made from the tables that the loader itself uses, so
//! that editors complete what the loader accepts. It is the more lenient of the two: what stands inside function
//! strings it does not look at.

use serde_json::{Map, Value, json};

use crate::base::parameter::{Parameter, ParameterType, Preset};
use crate::components::part::Kind;
use crate::design::describe::describe;
use crate::design::entries::{ENTRIES, EntryKind, Holds};
use crate::design::resolve::Tables;

/// The schema of a whole file.
pub fn schema(tables: &Tables) -> Value {
    let mut properties = Map::new();
    for entry in ENTRIES {
        properties.insert(entry.name.to_owned(), entry_schema(entry, tables));
    }
    for kind in tables.kinds.iter() {
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
    let part = object(kind.common.iter().chain(kind.parameters), kind.doc);
    json!({ "type": "object", "description": kind.doc, "additionalProperties": part })
}

fn entry_schema(entry: &EntryKind, tables: &Tables) -> Value {
    let one = match entry.holds {
        Holds::Value(takes) => described(value(&takes), entry.doc),
        Holds::Parameters(parameters) => object(parameters.iter(), entry.doc),
        Holds::ValueOrParameters(takes, parameters) => {
            described(json!({ "anyOf": [value(&takes), object(parameters.iter(), entry.doc)] }), entry.doc)
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

fn object<'a>(parameters: impl Iterator<Item = &'a Parameter>, doc: &str) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for parameter in parameters {
        properties.insert(parameter.name.to_owned(), parameter_schema(parameter));
        if matches!(parameter.default, Preset::Required) {
            required.push(parameter.name);
        }
    }
    json!({ "type": "object", "description": doc, "properties": properties, "required": required, "additionalProperties": false })
}

fn parameter_schema(parameter: &Parameter) -> Value {
    let default = match parameter.default {
        Preset::Is { text, source } => format!(" Default: {text} ({source})."),
        Preset::Absent | Preset::Required => String::new(),
    };
    described(value(&parameter.takes), &format!("{}{default}", parameter.doc))
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

fn value(takes: &ParameterType) -> Value {
    match takes {
        ParameterType::Count { min, max } => {
            let mut number = json!({ "type": "integer", "minimum": min });
            if i64::try_from(*max).is_ok() {
                number["maximum"] = json!(max);
            }
            json!({ "anyOf": [number, pattern(&format!("({NUMBER}[kM]?|unlimited)"))] })
        }
        ParameterType::Share { .. } => pattern(&format!("{NUMBER}(%|ppm)")),
        ParameterType::Factor { min, max } => {
            json!({ "anyOf": [{ "type": "number", "minimum": min, "maximum": max }, pattern(&format!("{NUMBER}x?"))] })
        }
        ParameterType::Span { .. } => pattern(&format!("({NUMBER}(ns|us|µs|ms|s|m|h|d))+")),
        ParameterType::Rate => pattern(&format!("{NUMBER}[kM]?/(s|m|h)")),
        ParameterType::Bytes { .. } => pattern(&format!("{NUMBER}([kKMGT]i?)?B")),
        ParameterType::Bandwidth => pattern(&format!("{NUMBER}[kKMGT]?b/s")),
        ParameterType::Dollars => pattern(&format!("\\${NUMBER}[kM]?")),
        ParameterType::DollarsPerHour => pattern(&format!("\\${NUMBER}/h")),
        ParameterType::NumberDistribution => json!({ "type": ["number", "string"] }),
        ParameterType::Switch => json!({ "anyOf": [{ "type": "boolean" }, { "enum": ["true", "false"] }] }),
        ParameterType::Word(words) => json!({ "enum": words }),
        ParameterType::Constructor(forms) => {
            // Editors offer the bare names; arguments follow in parentheses.
            let names: Vec<&str> = forms.iter().map(|form| form.name).collect();
            let lines: Vec<String> =
                forms.iter().map(|form| format!("{}: {}", form.name, form.doc)).collect();
            let call = pattern(&format!("({})\\s*(\\([\\s\\S]*\\))?", names.join("|")));
            json!({ "anyOf": [{ "enum": names }, call], "markdownDescription": lines.join("\n\n") })
        }
        ParameterType::Zones => {
            json!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" }, "minItems": 1 }] })
        }
        ParameterType::Any => json!({ "type": ["number", "string", "array", "boolean"] }),
        ParameterType::NumberOrText => json!({ "type": ["number", "string"] }),
        ParameterType::List(inner) => {
            json!({ "anyOf": [{ "type": "array", "items": value(inner) }, value(inner)] })
        }
        ParameterType::Table(inner) => json!({ "type": "object", "additionalProperties": value(inner) }),
        ParameterType::Distribution
        | ParameterType::DistributionOr(_)
        | ParameterType::Part(_)
        | ParameterType::Policy
        | ParameterType::Call
        | ParameterType::Text => {
            json!({ "type": "string", "$comment": describe(takes) })
        }
    }
}
