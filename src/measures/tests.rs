//! Expressions from text to value, over one small run whose numbers are known by hand.

use crate::base::cause::{Cause, Causes};
use crate::base::ids::{ProbeId, SeriesId, TallyId, TierId};
use crate::base::series::{Series, SeriesKind};
use crate::base::time::{Span, Time};
use crate::measures::asked::{Instant, Query, QueryKind, Stat};
use crate::measures::evaluation::{Evaluation, Purpose};
use crate::measures::expression::{During, Expression, Names, Needs};
use crate::program::syntax::expression;
use crate::record::ended::{Ended, Finished};
use crate::record::observed::Open;
use crate::record::probe::ProbePlan;
use crate::record::recorder::{RecordPlan, Recorder};
use crate::record::series::{SeriesName, Window};

struct Shop;

const KINDS: [SeriesKind; 4] =
    [SeriesKind::Counter, SeriesKind::Counter, SeriesKind::Level, SeriesKind::Time];

impl Names for Shop {
    fn probe(&self, name: &str) -> Option<ProbeId> {
        ["product", "idle"].iter().position(|known| *known == name).map(|index| ProbeId(index as u16))
    }
    fn series(&self, name: &str) -> Option<(SeriesName, Series)> {
        let known = ["pages.fills", "pages.expired", "app.busy", "kv.silent"];
        let place = known.iter().position(|known| *known == name)?;
        let kind = KINDS[place];
        Some((
            SeriesId(place as u16).into(),
            Series { name: known[place], kind, unit: "1", doc: "A test.", of_whole: false },
        ))
    }
    fn is_level(&self, series: SeriesId) -> bool {
        KINDS[series.index()] == SeriesKind::Level
    }
    fn tally(&self, name: &str) -> Option<TallyId> {
        (name == "order").then_some(TallyId(0))
    }
    fn cores(&self, part: &str) -> Option<(f64, SeriesName)> {
        (part == "app").then_some((4.0, SeriesId(2).into()))
    }
    fn initial(&self, db: &str, table: &str, key: i64) -> Option<f64> {
        (db == "shop" && table == "stock" && key == 1).then_some(500.0)
    }
    fn fault(&self, name: &str) -> bool {
        name == "split"
    }
    fn program(&self, name: &str) -> Option<(ProbeId, Vec<(TierId, u16)>)> {
        match name {
            "product" => Some((ProbeId(0), vec![(TierId(3), 0)])),
            "idle" => Some((ProbeId(1), Vec::new())),
            _ => None,
        }
    }
    fn table(&self, store: &str, table: &str) -> Option<(TierId, u16)> {
        (store == "kv" && table == "stock").then_some((TierId(3), 0))
    }
    fn store(&self, name: &str) -> Option<(TierId, Vec<u16>)> {
        (name == "kv").then_some((TierId(3), vec![0]))
    }
    fn stores(&self) -> Vec<String> {
        vec!["kv".to_owned(), "kv.stock".to_owned()]
    }
    fn all(&self) -> Vec<String> {
        ["product", "idle", "pages.fills", "pages.expired", "app.busy", "order"].map(str::to_owned).to_vec()
    }
}

fn at_s(s: u64) -> Time {
    Time::from_ns(s * 1_000_000_000)
}

/// Ten seconds; the warm-up is the first two, `split` is on from the 4th to the 6th. Each second from 0 to 9 a request
/// starts that takes (its number + 1) · 10 ms, half of it in a queue from the 5th on; number 9 fails.
fn run() -> (Recorder, Vec<During>) {
    let window = |from, until| Window { from: at_s(from), until: at_s(until) };
    let windows = vec![window(2, 10), window(0, 10), window(4, 6), window(0, 10)];
    let probe = ProbePlan { samples: true, gaps: true, causes: vec![Cause::Queue], ..ProbePlan::default() };
    let mut recorder = Recorder::new(&RecordPlan {
        length: Span::from_secs(10),
        windows,
        series: KINDS.to_vec(),
        tallies: 1,
        keyed: vec![TallyId(0)],
        probes: vec![probe.clone(), probe],
        ..RecordPlan::default()
    });
    for n in 0..10u64 {
        let (intended, half) = (at_s(n), Span::from_ms((n + 1) * 5));
        recorder.started(ProbeId(0), intended, intended);
        recorder.level(SeriesId(2), intended, 2);
        recorder.count(SeriesId(0), intended, 3);
        recorder.count(SeriesId(1), intended, 1);
        recorder.count(SeriesId(3), intended, 156_000_000);
        recorder.tally(TallyId(0), (n % 2) as i64, intended, 1);
        let mut causes = Causes::only(if n < 5 { Cause::Cpu } else { Cause::Queue }, half);
        causes.add(Cause::Cpu, half);
        let how = if n == 9 { Ended::Failed } else { Ended::Ok };
        let ended = intended + half + half;
        recorder.finished(ProbeId(0), Finished { intended, ended, how, attempts: 1, causes });
        recorder.level(SeriesId(2), intended + Span::from_ms(500), -2);
    }
    assert_eq!(recorder.close(at_s(10), &[], &|_| "product".into()), Ok(()));
    (
        recorder,
        vec![
            During::Run,
            During::Whole,
            During::Fault("split".into()),
            During::Between(Span::ZERO, Span::from_secs(10)),
        ],
    )
}

fn compiled(text: &str) -> Result<Expression, String> {
    let parsed = expression(text).map_err(|error| error.message)?;
    Expression::compile(&parsed, &Shop).map_err(|error| error.message)
}

#[test]
fn measures_have_the_values_that_one_computes_by_hand() {
    let (recorder, windows) = run();
    for (text, value, unit) in [
        ("mean(product)", 0.06, "s"), // number 9 failed
        ("mean(product, outcome=any)", 0.065, "s"),
        ("mean(product, outcome=failed)", 0.1, "s"),
        ("mean(product, outcome=answered)", 0.06, "s"),
        ("p50(product)", 0.06, "s"),
        ("p99.9(product)", 0.09, "s"),
        ("p99.9(product, outcome=any)", 0.1, "s"),
        ("p50(product, outcome=failed)", 0.1, "s"),
        ("max(product)", 0.09, "s"),
        ("max(product, outcome=any)", 0.1, "s"),
        ("p99(product, cause=queue)", 0.045, "s"),
        ("p99(product, cause=queue, outcome=any)", 0.05, "s"),
        ("mean(product, cause=queue)", 0.15 / 7.0, "s"),
        ("mean(product, cause=queue, outcome=any)", 0.025, "s"),
        ("max(product, cause=queue)", 0.045, "s"),
        ("waited(product, cause=queue)", 4.0 / 7.0, "1"),
        ("waited(product, cause=queue, outcome=any)", 0.625, "1"),
        ("mean(product, during=split)", 0.055, "s"),
        ("waited(product, cause=queue, during=split)", 0.5, "1"),
        ("count(product)", 8.0, "1"),
        ("count(product, during=0s..10s)", 10.0, "1"),
        ("errors(product)", 0.125, "1"),
        ("success(product, during=split)", 1.0, "1"),
        ("goodput(product)", 7.0 / 8.0, "1/s"),
        ("throughput(product)", 1.0, "1/s"),
        ("inflight(product)", 0.065, "1"),
        ("outage(product)", 1.91, "s"), // from 8.09 s, when number 8 ended well, to the end
        ("outage(product, during=split)", 1.01, "s"),
        ("rate(pages.fills)", 3.0, "1/s"),
        ("peak(pages.fills)", 3.0, "1/s"),
        ("pages.fills / pages.expired", 3.0, "1"),
        ("pages.fills * 10ms / pages.expired", 0.03, "s"),
        ("mean(app.busy)", 1.0, "1"),
        ("max(app.busy, during=split)", 2.0, "1"),
        ("app.busy", 0.0, "1"),
        ("kv.silent", 8.0 * 0.156, "s"),
        ("count(kv.silent, during=split)", 2.0 * 0.156, "s"),
        ("rate(kv.silent)", 0.156, "1"), // seconds per second
        ("peak(kv.silent)", 0.156, "1"),
        ("util(app)", 0.25, "1"),
        ("count(order)", 8.0, "1"),
        ("count(order, during=0s..10s)", 10.0, "1"),
        ("rate(order)", 1.0, "1/s"),
        ("max(order)", 4.0, "1"),
        ("max(order, during=0s..10s)", 5.0, "1"),
        ("jain(order)", 1.0, "1"),
        ("initial(shop.stock[1]) - count(order)", 490.0, "1"), // a store's state has no warm-up
        ("initial(shop.stock[1]) - max(order)", 495.0, "1"),
        ("count(order) + app.busy", 10.0, "1"), // nor has a level
        ("mean(product, outcome=any) * throughput(product) - inflight(product)", 0.0, "1"), // Little
        ("count(order) <= initial(shop.stock[1]) and not (p99(product) > 300ms)", 1.0, "1"),
    ] {
        let expression = compiled(text).unwrap_or_else(|why| panic!("{text}: {why}"));
        let got = expression.value(&mut Evaluation::new(&recorder, &windows));
        let got = got.unwrap_or_else(|why| panic!("{text}: {}", why.0));
        assert!((got - value).abs() < 1e-12, "{text}: {got}, not {value}");
        assert_eq!(expression.dimension.unit(), unit, "{text}");
    }
}

#[test]
fn an_empty_sample_is_undefined_and_never_zero() {
    let (recorder, windows) = run();
    for text in ["p99(idle)", "mean(idle)", "errors(idle)", "max(idle)", "1 / count(idle)", "outage(idle)"] {
        let expression = compiled(text).unwrap_or_else(|why| panic!("{text}: {why}"));
        assert!(expression.value(&mut Evaluation::new(&recorder, &windows)).is_err(), "{text}");
    }
}

#[test]
fn what_makes_no_sense_is_told() {
    for (text, why) in [
        ("p99(prodct)", "nothing to measure is called `prodct`"),
        ("p101(product)", "percentiles go from p0 to p100"),
        ("men(product)", "unknown measure `men`"),
        ("p99(product) < 5", "this mixes s and 1"),
        ("p99(product) + rate(product)", "this mixes s and 1/s"),
        ("p99(product) and rate(product)", "this is a number, not a condition"),
        ("(count(order) < 5) + 1", "this is a condition, not a number"),
        ("not p99(product) > 300ms", "this is a number, not a condition"), // `not` binds first
        ("waited(product)", "`waited` needs its cause"),
        ("rate(product, cause=queue)", "`rate` of this has no causes"),
        ("mean(app.busy, cause=queue)", "`mean` of this has no causes"),
        ("mean(product, cause=quue)", "unknown cause `quue`"),
        ("mean(product, outcome=good)", "unknown outcome `good`"),
        ("success(product, outcome=any)", "`success` of this is not told apart by outcome"),
        ("mean(app.busy, outcome=any)", "`mean` of this is not told apart by outcome"),
        ("mean(product, during=splt)", "`splt` is no stretch of the run"),
        ("jain(product)", "`jain` is of a tally, and `product` is requests"),
        ("errors(pages.fills)", "`errors` is of requests, and `pages.fills` is a counter"),
        ("p99(app.busy)", "`p99` is of requests, and `app.busy` is a level"),
        ("goodput(order)", "`goodput` is of requests, and `order` is a tally"),
        ("rate(app.busy)", "`app.busy` is a level, which has no `rate`"),
        ("peak(app.busy)", "`app.busy` is a level, which has no `peak`"),
        ("mean(pages.fills)", "`pages.fills` is a counter, which has no `mean`"),
        ("max(pages.fills)", "`pages.fills` is a counter, which has no `max`"),
        ("mean(kv.silent)", "`kv.silent` is a sum of time, which has no `mean`"),
        ("max(kv.silent, during=split)", "`kv.silent` is a sum of time, which has no `max`"),
        ("mean(order)", "`order` is a tally, which has no `mean`"),
        (
            "count(app.busy, during=split)",
            "`app.busy` is a level: it is not counted over a stretch of the run",
        ),
        ("errors(product, reason=timout)", "no request fails for the reason `timout`"),
        ("rate(product, reason=timeout)", "`rate` has no reasons"),
        ("errors(product, part=shp)", "there is no part `shp`"),
        ("kv.silent < 5", "this mixes s and 1"),
        ("rate(kv.silent) < 5/s", "this mixes 1 and 1/s"),
        ("lost(prodct)", "no program and no table of a db is called `prodct`"),
        ("lost(idle)", "`idle` reads and writes no store"),
        ("lost(product, before=split.end)", "`lost` has no such argument"),
        ("lost(product, kv)", "`lost` takes one thing"),
        ("linearizable()", "`linearizable` of what?"),
        ("linearizable(product)", "no table of a db is called `product`"),
        ("linearizable(kv.stok)", "no table of a db is called `kv.stok`"),
        ("linearizable(kv) == 1", "this is a condition, not a number"),
        ("lost(product)  and linearizable(kv)", "this is a number, not a condition"),
        ("diverged(kv, before=splt.end) == 0", "there is no fault `splt`"),
        ("diverged(kv, at=split.ends) == 0", "`split.ends` is no instant of the run"),
        ("diverged(kv, at=5) == 0", "this is no span"),
        ("stale(product, age=5..10ms)", "this is no span"),
        ("p99(lost(product))", "`p99` of this is not measured"),
        ("converged(kv) < 5", "this mixes s and 1"),
        ("outage(product) < 5", "this mixes s and 1"),
    ] {
        assert_eq!(compiled(text).map(|_| ()), Err(why.to_owned()), "{text}");
    }
}

#[test]
fn questions_to_the_history_name_what_they_are_about() {
    let asked = |text: &str| -> Query {
        let mut needs = Needs::default();
        compiled(text).unwrap_or_else(|why| panic!("{text}: {why}")).needs(&mut needs);
        needs.asked.into_iter().next().expect("it asks")
    };
    let diverged = asked("diverged(kv, before=split.end, at=after(split, 30s)) == 0");
    assert_eq!((diverged.what, diverged.before), (QueryKind::Diverged, Instant::Ends("split".into())));
    assert_eq!(diverged.at, Instant::After("split".into(), Span::from_secs(30)));
    assert_eq!(diverged.whose.tables(), [(TierId(3), 0)]);
    let lost = asked("lost(product)");
    assert_eq!((lost.what, lost.whose.name(), lost.at), (QueryKind::Lost, "product", Instant::End));
    assert_eq!(asked("p99.9(staleness(product)) < 5s").what, QueryKind::Staleness(Stat::Percentile(99.9)));
    assert_eq!(asked("staleness(kv.stock)").what, QueryKind::Staleness(Stat::Mean));
    assert_eq!(asked("k_stale(product) <= 1").what, QueryKind::KStale(Stat::Max));
    let ages = asked("stale(product, age=10ms..20ms, during=split)");
    assert_eq!(ages.what, QueryKind::Stale(Span::from_ms(10), Span::from_ms(20)));
    assert_eq!(ages.during, During::Fault("split".into()));
    for (text, of_history) in [
        ("lost(product) == 0 and linearizable(kv.stock)", true),
        ("diverged(kv) <= initial(shop.stock[1])", true),
        ("lost(product) == count(order)", false),
    ] {
        let compiled = compiled(text).unwrap_or_else(|why| panic!("{text}: {why}"));
        assert_eq!((compiled.is_of_history(), compiled.can_be_watched()), (of_history, false), "{text}");
        let (recorder, windows) = run();
        let unknown = compiled.value(&mut Evaluation::new(&recorder, &windows));
        assert!(unknown.is_err(), "nobody has judged: {text}");
    }
}

#[test]
fn whether_it_is_a_percentile_is_asked_of_the_expression() {
    for (text, percentile) in [
        ("p99(product)", true),
        ("1 * p99(product)", true),
        ("-p50(product) + mean(product)", true),
        ("p99(staleness(product))", true),
        ("p99(product) < 1s", true),
        ("peak(product)", false),
        ("mean(product)", false),
        ("staleness(product)", false),
        ("product", false),
    ] {
        assert_eq!(compiled(text).map(|expression| expression.has_percentile()), Ok(percentile), "{text}");
    }
    let samples = |text| compiled(text).map(|expression| expression.samples());
    assert_eq!(samples("1 * p99(product)"), Ok(vec![ProbeId(0)]));
    assert_eq!(samples("max(idle, cause=queue) - mean(product)"), Ok(vec![ProbeId(1)]));
    assert_eq!(samples("peak(product)"), Ok(vec![]));
}

#[test]
fn an_expression_says_what_it_needs() {
    let mut needs = Needs::default();
    let expression =
        compiled("p99(product, cause=queue, during=split) < 1s and pages.fills < 5").expect("it compiles");
    expression.needs(&mut needs);
    assert_eq!(needs.samples, [ProbeId(0)]);
    assert_eq!(needs.causes, [(ProbeId(0), Cause::Queue)]);
    assert!(needs.windows.contains(&During::Fault("split".into())));
    assert!(!expression.can_be_watched());
    for (text, watched) in [
        ("count(order) <= 5", true),
        ("max(order) <= initial(shop.stock[1])", true),
        ("app.busy <= 4 and max(app.busy) <= 4", true),
        ("rate(product) < 5/s", false),
        ("count(product, during=split) < 5", false),
    ] {
        assert_eq!(compiled(text).map(|expression| expression.can_be_watched()), Ok(watched), "{text}");
    }
}

#[test]
fn over_time_a_level_is_what_it_is_in_each_slice() {
    let (recorder, windows) = run();
    let busy = Expression::compile(&expression("app.busy").expect("it parses"), &Shop).expect("it compiles");
    assert_eq!(busy.value(&mut Evaluation::new(&recorder, &windows)), Ok(0.0), "at the end nobody is busy");
    let sliced = recorder.sliced(10, Window { from: Time::ZERO, until: at_s(10) });
    for slice in 0..10 {
        let value = busy.value(&mut Evaluation::of_slice(&sliced, slice));
        assert_eq!(value, Ok(1.0), "two are busy for half of each second: {slice}");
    }
}

#[test]
fn an_expected_answer_is_no_failure_and_no_success() {
    let window = Window { from: Time::ZERO, until: at_s(10) };
    let plan = RecordPlan {
        length: Span::from_secs(10),
        windows: vec![window],
        probes: vec![ProbePlan { samples: true, ..ProbePlan::default() }],
        ..RecordPlan::default()
    };
    let mut recorder = Recorder::new(&plan);
    for (n, how) in [Ended::Ok, Ended::Answered, Ended::Answered, Ended::Failed].into_iter().enumerate() {
        let (intended, span) = (at_s(n as u64), Span::from_ms(10));
        let causes = Causes::only(Cause::Cpu, span);
        recorder.started(ProbeId(0), intended, intended);
        recorder
            .finished(ProbeId(0), Finished { intended, ended: intended + span, how, attempts: 1, causes });
    }
    assert_eq!(recorder.close(at_s(10), &[], &|_| "product".into()), Ok(()));
    let kept: Vec<Ended> = recorder.probe(ProbeId(0)).samples.iter().map(|sample| sample.how()).collect();
    assert_eq!(kept, [Ended::Ok, Ended::Answered, Ended::Answered, Ended::Failed]);
    for (text, value) in [
        ("success(product)", 0.75),
        ("errors(product)", 0.25),
        ("goodput(product)", 0.1),
        ("throughput(product)", 0.4),
    ] {
        let value_of =
            compiled(text).expect("it compiles").value(&mut Evaluation::new(&recorder, &[During::Run]));
        assert_eq!(value_of, Ok(value), "{text}");
    }
    // in a table only what succeeded has a latency; for an objective an answer is one, and a failure is none
    let mut evaluation = Evaluation::new(&recorder, &[During::Run]);
    let value =
        |text: &str, evaluation: &mut Evaluation<'_>| compiled(text).expect("it compiles").value(evaluation);
    assert_eq!(value("p99(product)", &mut evaluation), Ok(0.01));
    assert_eq!(evaluation.take_remarks().success, Some(0.25));
    evaluation.set_purpose(Purpose::Judged(Open::Fail));
    assert_eq!(value("p75(product)", &mut evaluation), Ok(0.01));
    assert_eq!(value("p76(product)", &mut evaluation), Ok(f64::INFINITY));
    assert_eq!(value("max(product)", &mut evaluation), Ok(f64::INFINITY));
    assert_eq!(value("max(product, outcome=answered)", &mut evaluation), Ok(0.01));
}
