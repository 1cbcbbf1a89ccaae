//! A store of one's own that designs can name: it keeps rows in memory, and a crash empties it.

use std::collections::BTreeMap;
use std::sync::Arc;

use splitbrain::parts::{
    COMMON, Client, Kind, Names, OfKind, Parameter, ParameterType, Parameters, Part, PartName, PartRole,
    Preset, Problems, Series, SeriesId, SeriesKind, StoreClient, Wiring, apply, attempt, series_id,
};
use splitbrain::prelude::*;

/// The kind `memory`: `memory.kv = { serve = "1ms" }`.
pub struct Memory;

impl OfKind for Memory {
    const KIND: Kind = Kind {
        name: "memory",
        doc: "A store that keeps its rows in memory.",
        common: COMMON,
        parameters: &[Parameter {
            name: "serve",
            takes: ParameterType::Span { min: Span::ZERO, max: Span::MAX },
            default: Preset::Is { text: "1ms", source: "a guess" },
            doc: "What an operation takes.",
        }],
        series: &[Series {
            name: "served",
            kind: SeriesKind::Counter,
            unit: "operations",
            doc: "Operations answered.",
            of_whole: false,
        }],
        served: &["served"],
        refused: &[],
        takes: &[],
        role: PartRole::Stores,
        runs_programs: false,
        resolve,
    };
}

/// What all members share.
#[derive(Clone)]
struct Plan {
    serve: Span,
    served: SeriesId,
}

fn resolve(parameters: &Parameters, names: &Names, _: &mut Problems) -> Option<Box<dyn Part>> {
    Some(Box::new(Plan { serve: parameters.span("serve"), served: series_id(names.first_series, 0) }))
}

impl Part for Plan {
    fn kind(&self) -> &'static str {
        Memory::KIND.name
    }

    fn client(&self) -> Client {
        Client::Store(StoreClient::plain(Span::from_ms(100)))
    }

    fn build(&self, at: &PartName, _: &Wiring, world: &mut World) {
        world.add::<Member>(&at.name, Arc::new(self.clone()), at.count, &at.zones, false);
    }
}

/// The process.
#[derive(Clone, Hash)]
struct Member {
    rows: BTreeMap<(u16, i64), Value>,
}

impl Process for Member {
    type Plan = Plan;
    type Message = ();
    type Timer = CallId;
    type Record = ();
    type Snapshot = ();

    fn build(_: &Plan, _: u32) -> Self {
        Member { rows: BTreeMap::new() }
    }

    fn on_call(&mut self, call: CallId, _: Op, ctx: &mut Context<Self>) {
        ctx.wake(ctx.plan().serve, call);
    }

    fn on_timer(&mut self, call: CallId, ctx: &mut Context<Self>) {
        let op = ctx.op(call);
        let row = op.row().expect("only reads and writes of rows are sent");
        let value = self.rows.get(&row).copied().unwrap_or_default();
        let (outcome, written) = apply(&op, value, attempt(call));
        self.rows.extend(written.map(|value| (row, value)));
        let (served, now) = (ctx.plan().served, ctx.now());
        ctx.record().count(served, now, 1);
        ctx.answer(call, outcome);
    }
}
