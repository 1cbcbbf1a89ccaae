//! What a run leaves behind, recorded event by event.

use super::*;
use crate::base::cause::Cause;
use crate::base::cause::Causes;
use crate::record::ended::Ended;
use crate::record::observed::{Observed, Open, Values};
use crate::record::sums::Which;

fn ns(ns: u64) -> Time {
    Time::from_ns(ns)
}

fn recorder() -> Recorder {
    let window = |from, until| Window { from: ns(from), until: ns(until) };
    Recorder::new(&RecordPlan {
        length: Span::from_ns(1000),
        windows: vec![window(100, 1000), window(200, 300)],
        series: vec![SeriesKind::Counter, SeriesKind::Level, SeriesKind::Time],
        tallies: 1,
        keyed: vec![TallyId(0)],
        probes: vec![ProbePlan { samples: true, causes: vec![Cause::Queue], ..ProbePlan::default() }],
        ..RecordPlan::default()
    })
}

fn request(intended: u64, ended: u64, queued: u64) -> Finished {
    let mut causes = Causes::only(Cause::Queue, Span::from_ns(queued));
    causes.add(Cause::Cpu, Span::from_ns(ended - intended - queued));
    Finished { intended: ns(intended), ended: ns(ended), how: Ended::Ok, attempts: 1, causes }
}

/// What the first series has counted in each window.
fn counted(recorder: &Recorder) -> Vec<u64> {
    let windows = 0..recorder.windows().len();
    windows.map(|window| recorder.series(SeriesId(0)).counted(recorder.range(window))).collect()
}

#[test]
fn slices_hold_together_what_the_run_holds() {
    let mut recorder = recorder();
    for at in [5u64, 150, 151, 420, 990] {
        recorder.count(SeriesId(0), ns(at), 2);
        recorder.tally(TallyId(0), 1, ns(at), 3);
        recorder.started(ProbeId(0), ns(at), ns(at));
        let causes = Causes::default();
        let request = Finished { intended: ns(at), ended: ns(at), how: Ended::Ok, attempts: 1, causes };
        recorder.finished(ProbeId(0), request);
    }
    let sliced = recorder.sliced(10, Window { from: ns(0), until: ns(1000) });
    assert_eq!(sliced.windows().len(), 10);
    assert_eq!(counted(&sliced), [2, 4, 0, 0, 2, 0, 0, 0, 0, 2]);
    let tallied = (0..10).map(|window| sliced.tally_of(TallyId(0)).counted(sliced.range(window)));
    assert_eq!(tallied.collect::<Vec<_>>(), [3, 6, 0, 0, 3, 0, 0, 0, 0, 3]);
    let ended = (0..10).map(|window| sliced.probe(ProbeId(0)).ended(sliced.range(window)));
    assert_eq!(ended.sum::<u64>(), 5);
    let part = recorder.sliced(4, Window { from: ns(100), until: ns(500) });
    assert_eq!(counted(&part), [4, 0, 0, 2]);
    assert_eq!(part.windows()[3], Window { from: ns(400), until: ns(500) });
}

#[test]
fn windows_count_ends_and_share_out_what_was_sent() {
    let mut recorder = recorder();
    let start = |recorder: &mut Recorder, at| recorder.started(ProbeId(0), ns(at), ns(at));
    start(&mut recorder, 50);
    recorder.finished(ProbeId(0), request(50, 150, 10));
    start(&mut recorder, 199);
    start(&mut recorder, 200);
    recorder.finished(ProbeId(0), request(200, 250, 10));
    start(&mut recorder, 299);
    recorder.finished(ProbeId(0), request(199, 900, 10));
    recorder.finished(ProbeId(0), request(299, 999, 10));
    assert_eq!(recorder.close(ns(1000), &[], &|_| "p".into()), Ok(()));
    let probe = recorder.probe(ProbeId(0));
    let sums = |window| probe.sums(recorder.range(window));
    assert_eq!([sums(0).ends(), sums(1).ends(), probe.ended], [4, 1, 4]);
    assert_eq!([sums(0), sums(1)].map(|sums| sums.sent_ended(Which::Ok)), [3, 2]);
    let seen = |window: usize| {
        probe.observed((window, recorder.windows()[window]), Which::Ok, Open::AsTheyAre).expect("exact")
    };
    let second = Observed {
        ends: Values { exact: vec![50], binned: vec![] },
        entries: vec![1],
        censored: vec![1, 101],
    };
    assert_eq!(seen(1), second);
    assert_eq!((seen(0).ends.exact, seen(0).entries), (vec![50, 100, 700, 701], vec![50]));
}

#[test]
fn levels_are_weighted_by_time() {
    let mut recorder = recorder();
    recorder.level(SeriesId(1), ns(50), 2);
    recorder.level(SeriesId(1), ns(250), -1);
    recorder.close(ns(1000), &[], &|_| String::new()).expect("nothing is broken");
    let series = recorder.series(SeriesId(1));
    let integral = |window| series.integral(recorder.range(window));
    assert_eq!([integral(0), integral(1)], [2 * 150 + 750, 2 * 50 + 50]);
    assert_eq!(series.integral(0..usize::MAX), 2 * 200 + 750);
}

#[test]
fn the_time_of_a_level_at_zero_lies_where_it_passed() {
    let mut recorder = recorder();
    let (level, vacancy) = (SeriesId(1), SeriesId(2));
    for (at, change) in [(0, 0), (150, 1), (250, -1), (260, 2), (270, -2)] {
        recorder.occupied(level, vacancy, ns(at), change);
    }
    recorder.close(ns(1000), &[], &|_| String::new()).expect("nothing is broken");
    let series = recorder.series(vacancy);
    let passed = |window| series.counted(recorder.range(window));
    // at zero until 150, from 250 to 260, and from 270 to the end
    assert_eq!([series.total, passed(0), passed(1)], [150 + 10 + 730, 50 + 10 + 730, 10 + 30]);
}

#[test]
fn requests_in_flight_at_the_end_are_conserved() {
    let mut recorder = recorder();
    recorder.started(ProbeId(0), ns(10), ns(40)); // meant to be sent before
    recorder.started(ProbeId(0), ns(100), ns(100));
    recorder.finished(ProbeId(0), request(10, 500, 0));
    let told = recorder.clone().close(ns(1000), &[], &|_| "p".into()).expect_err("one is open");
    assert_eq!(told, "p: 1 requests are in flight, and other 0 are told of");
    let other = recorder.clone().close(ns(1000), &[(ProbeId(0), ns(10))], &|_| "p".into());
    assert!(other.is_err(), "that one has ended");
    assert_eq!(recorder.close(ns(1000), &[(ProbeId(0), ns(100))], &|_| "p".into()), Ok(()));
    let probe = recorder.probe(ProbeId(0));
    assert_eq!(probe.open(), 1);
    let seen = |window: usize| probe.in_flight(recorder.range(window), recorder.windows()[window]);
    assert_eq!([seen(0).all(), seen(0).open(), seen(1).all()], [900 + 400, 900, 100 + 100]);
}

#[test]
fn causes_that_do_not_sum_are_told() {
    let mut recorder = recorder();
    recorder.started(ProbeId(0), ns(10), ns(10));
    let wrong = Finished { causes: Causes::NONE, ..request(10, 500, 0) };
    recorder.finished(ProbeId(0), wrong);
    let told = recorder.close(ns(1000), &[], &|_| "page".into()).expect_err("broken");
    assert_eq!(told, "page: the causes of 1 requests do not sum to their latency");
}

#[test]
fn tallies_know_their_largest_key() {
    let mut recorder = recorder();
    for (key, by) in [(1, 5), (2, 3), (1, 4), (1, -8)] {
        recorder.tally(TallyId(0), key, ns(210), by);
    }
    let tally = recorder.tally_of(TallyId(0));
    assert_eq!((tally.total, tally.max, tally.counted(recorder.range(1))), (4, 9, 4));
    assert_eq!(tally.by_key(recorder.range(1)), (vec![1, 3], 9));
}

#[test]
fn requests_that_never_started_are_told() {
    let mut recorder = recorder();
    recorder.started(ProbeId(0), ns(10), ns(10));
    recorder.finished(ProbeId(0), request(20, 500, 0));
    let told = recorder.close(ns(1000), &[], &|_| "page".into()).expect_err("broken");
    assert_eq!(told, "page: requests ended that are not the ones that started");
}

/// A thousand requests that take long at first, a counter, a level and a tally beside them.
fn eventful(steady: Vec<ProbeId>, from: Time, samples_max: usize) -> Recorder {
    let window = Window { from, until: ns(100_000) };
    let probe = ProbePlan {
        unasked: false,
        samples: true,
        gaps: true,
        tails: true,
        causes: vec![Cause::Queue],
        samples_max,
    };
    let plan = RecordPlan {
        length: Span::from_ns(100_000),
        windows: vec![window],
        series: vec![SeriesKind::Level, SeriesKind::Counter],
        tallies: 1,
        probes: vec![probe],
        steady,
        ..RecordPlan::default()
    };
    let mut recorder = Recorder::new(&plan);
    let mut events: Vec<(u64, bool, u64)> = Vec::new(); // when, whether it ends, number
    let start = |n: u64| n * 100 + 7;
    let queued = |n: u64| 20 + n * 7919 % 50 + if n < 150 { 3000 - 20 * n } else { 0 };
    for n in 0..999 {
        events.extend([(start(n), false, n), (start(n) + queued(n) + 1, true, n)]);
    }
    events.sort_unstable();
    for (at, ends, n) in events {
        if ends {
            recorder.finished(ProbeId(0), request(start(n), at, queued(n)));
            continue;
        }
        recorder.started(ProbeId(0), ns(at), ns(at));
        recorder.level(SeriesId(0), ns(at), if n % 2 == 0 { 3 } else { -3 });
        recorder.count(SeriesId(1), ns(at), n);
        recorder.tally(TallyId(0), 1, ns(at), n as i64);
    }
    assert_eq!(recorder.close(ns(100_000), &[], &|_| "p".into()), Ok(()));
    recorder
}

#[test]
fn an_automatic_warmup_leaves_what_a_fixed_one_of_its_length_leaves() {
    for samples_max in [usize::MAX, 500] {
        let automatic = eventful(vec![ProbeId(0)], ns(0), samples_max);
        let from = automatic.windows()[0].from;
        assert!((ns(10_000)..ns(20_000)).contains(&from), "{from}");
        let fixed = eventful(vec![], from, samples_max);
        let seen = |recorder: &Recorder| {
            let cells = || recorder.range(0);
            let of =
                |series: &Recorded| (series.counted(cells()), series.integral(cells()), series.peak(cells()));
            let series: Vec<_> = recorder.series.iter().map(of).collect();
            (series, recorder.probes[0].sums(cells()), recorder.tallies[0].counted(cells()))
        };
        assert_eq!(seen(&automatic), seen(&fixed));
        assert_eq!(automatic.probes[0].is_exact(), samples_max == usize::MAX);
        let observed = |recorder: &Recorder| {
            let window = (0, recorder.windows()[0]);
            let probe = &recorder.probes[0];
            let latencies = probe.observed(window, Which::Ok, Open::AsTheyAre);
            (latencies, probe.times(window, Cause::Queue, Which::Any))
        };
        assert_eq!(observed(&automatic), observed(&fixed));
    }
}

#[test]
fn histograms_hold_every_sample_of_their_window() {
    let recorder = eventful(vec![], ns(20_007), 500);
    let probe = recorder.probe(ProbeId(0));
    let window = (0, recorder.windows()[0]);
    let seen = probe.observed(window, Which::Ok, Open::AsTheyAre).expect("they are kept");
    assert!(!seen.ends.binned.is_empty(), "there are too many samples");
    let ended = probe.ended(recorder.range(0));
    assert_eq!(seen.ends.many(), ended);
    assert_eq!(probe.times(window, Cause::Queue, Which::Any).map(|times| times.many()), Some(ended));
    assert_eq!(ended, 799);
    for cause in [None, Some(Cause::Queue)] {
        let sent = probe.sent(window, cause).expect("they are kept");
        assert_eq!((sent.answered.many(), sent.failed, sent.open.len()), (799, 0, 0), "{cause:?}");
    }
}
