//! Steps on a cache.

use crate::base::ids::PartId;
use crate::program::compile::compiler::Compiler;
use crate::program::compile::scope::PartRole;
use crate::program::instr::Instr;
use crate::program::syntax::{Does, Place, Step};

impl Compiler<'_> {
    pub(super) fn at_cache(&mut self, step: &Step) {
        match &step.does {
            Does::Get { to, place } => {
                let cache = self.cached(place);
                let site = self.site();
                self.emit(Instr::Get { cache, step: site });
                self.take(to.as_ref());
            }
            Does::Put { place, value: Some(value) } => {
                let cache = self.cached(place);
                self.value(value);
                self.version_of(value);
                let site = self.site();
                self.emit(Instr::PutValue { cache, step: site });
            }
            Does::Put { place, value: None } => {
                let cache = self.cached(place);
                if !self.scope.is_filled(cache) {
                    let name = place.path[0].value.clone();
                    let message = format!("`{name}` has no `fill` that could make the value");
                    let help =
                        format!("say what is put, `put {name}[key] = value`, or give the cache a `fill`");
                    self.error(&step.at, message, help);
                }
                let site = self.site();
                self.emit(Instr::Put { cache, step: site });
            }
            Does::Drop { place } => {
                let cache = self.cached(place);
                let site = self.site();
                self.emit(Instr::Drop { cache, step: site });
            }
            _ => unreachable!("only steps on a cache come here"),
        }
    }

    fn cached(&mut self, place: &Place) -> PartId {
        self.key(place, "get pages[item]");
        if let Some(extra) = place.path.get(1) {
            self.error(&extra.at.clone(), "a cache has no tables", "write `get pages[item]`");
        }
        self.part(&place.path[0], PartRole::Caches, "a cache").unwrap_or(PartId(0))
    }
}
