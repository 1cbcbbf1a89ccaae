//! Claim: recording a request (start, end, two counts, a level up and down; three windows) costs about a tenth of
//! simulating it. Measured on a shared 4-core machine under load: 112 ns at best, 147 ns in the median, for all six.

use divan::Bencher;
use splitbrain::base::cause::{Cause, Causes};
use splitbrain::base::ids::{ProbeId, SeriesId};
use splitbrain::base::series::SeriesKind;
use splitbrain::base::time::{Span, Time};
use splitbrain::record::ended::{Ended, Finished};
use splitbrain::record::probe::ProbePlan;
use splitbrain::record::recorder::{RecordPlan, Recorder};
use splitbrain::record::series::Window;

fn main() {
    divan::main();
}

const REQUESTS: u64 = 100_000;

fn recorder() -> Recorder {
    let length = Span::from_ns(REQUESTS * 1000);
    let window = |from, until| Window { from: Time::from_ns(from), until: Time::from_ns(until) };
    Recorder::new(&RecordPlan {
        length,
        windows: vec![
            window(5_000_000, length.as_ns()),
            window(0, length.as_ns()),
            window(20_000_000, 30_000_000),
        ],
        series: vec![SeriesKind::Counter, SeriesKind::Level, SeriesKind::Counter],
        probes: vec![ProbePlan { samples: true, ..ProbePlan::default() }],
        ..RecordPlan::default()
    })
}

/// Nanoseconds for each request: start, end, two counts, a level up and down.
#[divan::bench]
fn requests(bencher: Bencher) {
    bencher.counter(divan::counter::ItemsCount::new(REQUESTS)).with_inputs(recorder).bench_values(
        |mut recorder| {
            for n in 0..REQUESTS {
                let intended = Time::from_ns(n * 1000);
                let ended = intended + Span::from_ns(700);
                recorder.started(ProbeId(0), intended, intended);
                recorder.count(SeriesId(0), intended, 1);
                recorder.level(SeriesId(1), intended, 1);
                let causes = Causes::only(Cause::Cpu, Span::from_ns(700));
                recorder
                    .finished(ProbeId(0), Finished { intended, ended, how: Ended::Ok, attempts: 1, causes });
                recorder.level(SeriesId(1), ended, -1);
                recorder.count(SeriesId(2), ended, 1);
            }
            recorder
        },
    );
}
