//! What a cell measures and judges, compiled.

use crate::design::text::Text;
use crate::experiment::question::Property;
use crate::measures::expression::Expression;
use crate::program::syntax::expression;

/// An expression with its name in results.
#[derive(Clone, Debug)]
pub struct Named {
    /// Printed canonically.
    pub name: String,
    /// Compiled.
    pub expression: Expression,
}

impl Named {
    /// Whether it is what a text says.
    pub fn text_is(&self, text: &Text) -> bool {
        expression(text.as_str()).is_ok_and(|expr| expr.value.to_string() == self.name)
    }
}

/// A property, compiled.
#[derive(Clone, Debug)]
pub struct Judged {
    /// As written.
    pub property: Property,
    /// Its condition.
    pub condition: Option<Named>,
}
