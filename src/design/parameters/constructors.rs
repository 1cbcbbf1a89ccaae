//! Values that are written as a function, `mutex(ttl=3s)`: which there are, and their arguments.

use std::collections::BTreeMap;

use super::{Checker, Given};
use crate::base::parameter::{Constructor, ParameterType, Parameters, Preset, Setting};
use crate::base::problem::{Place, known_words, nearest, shown};
use crate::design::codes;
use crate::design::describe::{how_many, signature};
use crate::design::later;
use crate::design::text::Text;
use crate::program::syntax::{ArgKey, Expr, Function, Spanned};

impl Checker<'_> {
    pub(super) fn form(
        &mut self,
        path: &str,
        forms: &'static [Constructor],
        given: Given<'_>,
    ) -> Option<Setting> {
        let called = match given {
            Given::Expr(text, expr) => match &expr.value {
                Expr::Name(name) => Some((text, name.as_str(), expr.at.clone(), None)),
                Expr::Call(call) => Some((text, call.name.value.as_str(), call.name.at.clone(), Some(call))),
                _ => None,
            },
            Given::Node(_) => None,
        };
        let Some((text, name, name_at, function)) = called else {
            let takes = ParameterType::Constructor(forms);
            self.wrong(codes::WRONG_TYPE, given.place(), path, &takes, given.what());
            return None;
        };
        let Some(form) = forms.iter().find(|form| form.name == name) else {
            if let Some(instead) = later::instead_of_word(path, name) {
                let message = format!("`{name}` is not available in this version");
                self.problems.at(codes::LATER, text.place(name_at), message).help(instead);
                return None;
            }
            let message = format!("{} cannot be '{}'", shown(path), shown(name));
            let help = known_words(name, "it is one of", forms.iter().map(|form| form.name));
            self.problems.at(codes::UNKNOWN_FORM, text.place(name_at), message).help(help);
            return None;
        };
        self.arguments(path, form, function, text, &given.place())
    }

    fn arguments(
        &mut self,
        path: &str,
        form: &'static Constructor,
        function: Option<&Function>,
        text: &Text,
        place: &Place,
    ) -> Option<Setting> {
        let before = self.problems.0.len();
        let mut given: BTreeMap<&'static str, &Spanned<Expr>> = BTreeMap::new();
        let args = function.map_or(&[][..], |function| function.args.as_slice());
        let mut in_order = form.parameters.iter();
        let mut meant = None;
        for arg in args {
            let (parameter, at) = match &arg.key {
                None => (in_order.next(), &arg.value.at),
                Some(key) => {
                    let ArgKey::Name(name) = &key.value else {
                        self.unknown_argument(
                            form,
                            text.as_str()[key.at.clone()].trim(),
                            text.place(key.at.clone()),
                        );
                        continue;
                    };
                    let parameter = form.parameters.iter().find(|parameter| parameter.name == *name);
                    if parameter.is_none() {
                        meant =
                            meant.or(nearest(name, form.parameters.iter().map(|parameter| parameter.name)));
                        self.unknown_argument(form, name, text.place(key.at.clone()));
                        continue;
                    }
                    (parameter, &key.at)
                }
            };
            let Some(parameter) = parameter else {
                let message = format!("`{}` takes {}", form.name, how_many(form.parameters.len()));
                self.problems
                    .at(codes::EXTRA_ARGUMENT, text.place(at.clone()), message)
                    .help(signature(form));
                continue;
            };
            if given.insert(parameter.name, &arg.value).is_some() {
                let message = format!("argument '{}' is given twice", parameter.name);
                self.problems
                    .at(codes::ARGUMENT_TWICE, text.place(at.clone()), message)
                    .help(signature(form));
            }
        }
        let mut parameters = Parameters::default();
        for parameter in form.parameters {
            let path = format!("{path}.{}", parameter.name);
            if let Some(expr) = given.get(parameter.name) {
                if let Some(setting) = self.value(&path, &parameter.takes, Given::Expr(text, expr)) {
                    parameters.values.insert(parameter.name, (setting, Some(text.place(expr.at.clone()))));
                }
            } else if matches!(parameter.default, Preset::Required) && meant == Some(parameter.name) {
                // Given under a misspelt name, which has been told.
            } else if let Some(setting) = self.preset(&path, parameter, place, codes::MISSING_ARGUMENT) {
                parameters.values.insert(parameter.name, (setting, None));
            }
        }
        (self.problems.0.len() == before).then_some(Setting::Constructor(form.name, parameters))
    }

    fn unknown_argument(&mut self, form: &Constructor, name: &str, place: Place) {
        let message = format!("`{}` has no argument '{}'", form.name, shown(name));
        let help = match form.parameters.is_empty() {
            true => format!("it takes none: write `{}`", form.name),
            false => {
                known_words(name, "its arguments", form.parameters.iter().map(|parameter| parameter.name))
            }
        };
        self.problems.at(codes::UNKNOWN_ARGUMENT, place, message).help(help);
    }
}

/// Whether an expression is written as one of these forms.
pub(super) fn names_one_of(forms: &[Constructor], given: Given<'_>) -> bool {
    let Given::Expr(_, expr) = given else { return false };
    let name = match &expr.value {
        Expr::Name(name) => name,
        Expr::Call(function) => &function.name.value,
        _ => return false,
    };
    forms.iter().any(|form| form.name == *name)
}
