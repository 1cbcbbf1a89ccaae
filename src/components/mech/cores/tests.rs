//! Cores by hand, beside a naive model, and under changes of speed.

use proptest::prelude::*;

use super::*;

fn at(ns: u64) -> Time {
    Time::from_ns(ns)
}

/// Runs jobs of (arrival, demand) to the end: (job, completed, queued, served) in order of completion, and how many
/// wakes it took.
fn run(cores: &mut Cores, jobs: &[(u64, u64)]) -> (Vec<(u64, u64, u64, u64)>, usize) {
    let (mut done, mut wakes, mut count) = (Vec::new(), Vec::new(), 0);
    let mut arrivals = jobs.iter().zip(0u64..).peekable();
    loop {
        let wake = wakes.iter().copied().min().unwrap_or(Time::NEVER);
        let arrival = arrivals.peek().map_or(Time::NEVER, |(job, _)| at(job.0));
        if wake == Time::NEVER && arrival == Time::NEVER {
            return (done, count);
        }
        let now = wake.min(arrival);
        if arrival <= wake {
            let ((_, demand), job) = arrivals.next().expect("peeked");
            assert_ne!(cores.submit(job, Span::from_ns(*demand), now), Submitted::Refused);
        } else {
            wakes.retain(|wake| *wake != now);
            count += 1;
            while let Some(finished) = cores.complete(now) {
                let (queued, served) = (finished.queued.as_ns(), finished.served.as_ns());
                done.push((finished.job, now.as_ns(), queued, served));
            }
        }
        wakes.extend(cores.arm());
    }
}

#[test]
fn one_core_serves_first_come_first_served() {
    let mut cores = Cores::new(1, Discipline::Fifo, u32::MAX);
    let (done, wakes) = run(&mut cores, &[(0, 10), (4, 10), (5, 10), (40, 10)]);
    assert_eq!(done, vec![(0, 10, 0, 10), (1, 20, 6, 10), (2, 30, 15, 10), (3, 50, 0, 10)]);
    assert_eq!(wakes, 4);
}

#[test]
fn one_core_serves_last_come_first_served() {
    let mut cores = Cores::new(1, Discipline::Lifo, u32::MAX);
    let (done, _) = run(&mut cores, &[(0, 10), (4, 10), (5, 10)]);
    assert_eq!(done, vec![(0, 10, 0, 10), (2, 20, 5, 10), (1, 30, 16, 10)]);
}

#[test]
fn two_cores_serve_two_jobs_and_equal_ends_keep_their_order() {
    let mut cores = Cores::new(2, Discipline::Fifo, u32::MAX);
    let (done, wakes) = run(&mut cores, &[(0, 10), (0, 10), (0, 5), (0, 1)]);
    assert_eq!(done, vec![(0, 10, 0, 10), (1, 10, 0, 10), (3, 11, 10, 1), (2, 15, 10, 5)]);
    assert!(wakes <= 4);
}

/// By hand: job 0 alone until 4 (6 left), two jobs until job 1 has done its 5 at 14, then job 0 has 1 left.
#[test]
fn shared_cores_give_each_job_its_part() {
    let mut cores = Cores::new(1, Discipline::Ps, u32::MAX);
    let (done, _) = run(&mut cores, &[(0, 10), (4, 5)]);
    assert_eq!(done, vec![(1, 14, 5, 5), (0, 15, 5, 10)]);
}

#[test]
fn a_shared_job_never_runs_faster_than_one_core() {
    let mut cores = Cores::new(2, Discipline::Ps, u32::MAX);
    let (done, _) = run(&mut cores, &[(0, 10), (0, 10), (0, 10)]);
    assert_eq!(done, vec![(0, 15, 5, 10), (1, 15, 5, 10), (2, 15, 5, 10)]);
}

#[test]
fn a_full_queue_refuses() {
    for (discipline, place) in [(Discipline::Fifo, 1), (Discipline::Lifo, 1), (Discipline::Ps, 1)] {
        let mut cores = Cores::new(1, discipline, place);
        let submitted = [1, 2, 3].map(|job| cores.submit(job, Span::from_ns(5), at(0)));
        assert_eq!(submitted, [Submitted::Started, Submitted::Queued, Submitted::Refused], "{discipline:?}");
        assert_eq!((cores.busy(), cores.waiting()), (1, 1));
    }
}

#[test]
fn half_speed_doubles_what_is_left() {
    for discipline in [Discipline::Fifo, Discipline::Ps] {
        let mut cores = Cores::new(1, discipline, u32::MAX);
        cores.submit(1, Span::from_ns(100), at(0));
        assert_eq!(cores.arm(), Some(at(100)));
        cores.set_speed(FULL_SPEED / 2, at(40));
        assert_eq!(cores.next(), Some(at(160)));
        assert_eq!(cores.arm(), None, "the wake that is under way comes first");
        assert_eq!(cores.complete(at(100)), None);
        assert_eq!(cores.arm(), Some(at(160)));
        cores.set_speed(4 * FULL_SPEED, at(140));
        assert_eq!(cores.next(), Some(at(143)), "10 ns of work at four times the speed, rounded up");
        assert_eq!(cores.arm(), Some(at(143)));
        let done = cores.complete(at(143)).expect("done");
        assert_eq!(done.queued + done.served, Span::from_ns(143));
    }
}

#[test]
fn more_cores_start_what_waits() {
    let mut cores = Cores::new(1, Discipline::Fifo, u32::MAX);
    for job in 1..=3 {
        cores.submit(job, Span::from_ns(10), at(0));
    }
    cores.set_cores(3, at(5));
    assert_eq!((cores.busy(), cores.waiting()), (3, 0));
    assert_eq!(cores.next(), Some(at(10)));
}

/// M/D/1: mean wait ρ / (2 (1 − ρ)) services (Pollaczek-Khinchine).
#[test]
fn waits_agree_with_pollaczek_khinchine() {
    use crate::base::dist::Dist;
    use crate::base::rng::Draws;
    let gaps = Dist::Exponential { mean: 2000.0 };
    let (mut draws, mut now) = (Draws::new(5), 0);
    let jobs: Vec<(u64, u64)> = (0..200_000)
        .map(|_| {
            now += gaps.span(&mut draws).as_ns();
            (now, 1000)
        })
        .collect();
    let (done, wakes) = run(&mut Cores::new(1, Discipline::Fifo, u32::MAX), &jobs);
    let mean = done.iter().map(|done| done.2 as f64).sum::<f64>() / done.len() as f64;
    assert!((mean - 500.0).abs() < 15.0, "{mean}");
    assert!(wakes <= jobs.len());
}

/// When k cores with these jobs are idle, by the definition of work conservation; all jobs on one core.
fn busy_until(jobs: &[(u64, u64)]) -> u64 {
    jobs.iter().fold(0, |busy, (arrival, demand)| busy.max(*arrival) + demand)
}

proptest! {
    #[test]
    fn work_is_conserved(
        discipline in prop::sample::select(vec![Discipline::Fifo, Discipline::Lifo, Discipline::Ps]),
        gaps in prop::collection::vec((0u64..50, 0u64..60), 1..80),
    ) {
        let mut now = 0;
        let jobs: Vec<(u64, u64)> = gaps.into_iter().map(|(gap, demand)| { now += gap; (now, demand) }).collect();
        let (done, wakes) = run(&mut Cores::new(1, discipline, u32::MAX), &jobs);
        prop_assert_eq!(done.len(), jobs.len());
        for (job, ended, queued, served) in &done {
            let (arrival, demand) = jobs[*job as usize];
            prop_assert_eq!(queued + served, ended - arrival);
            prop_assert_eq!(*served, demand);
        }
        let last = done.iter().map(|done| done.1).max().unwrap_or(0);
        prop_assert_eq!(last, busy_until(&jobs));
        prop_assert!(wakes <= 2 * jobs.len());
    }

    #[test]
    fn sharing_agrees_with_a_step_by_step_model(
        cores in 1u32..4,
        gaps in prop::collection::vec((0u64..40, 1u64..60), 1..25),
    ) {
        let mut now = 0;
        let jobs: Vec<(u64, u64)> = gaps.into_iter().map(|(gap, demand)| { now += gap; (now, demand) }).collect();
        let (done, _) = run(&mut Cores::new(cores, Discipline::Ps, u32::MAX), &jobs);
        let mut left: Vec<f64> = jobs.iter().map(|job| job.1 as f64).collect();
        let mut ends = vec![0.0; jobs.len()];
        let mut clock = 0.0;
        loop {
            let here = |left: &[f64], clock: f64| -> Vec<usize> {
                (0..jobs.len()).filter(|job| jobs[*job].0 as f64 <= clock && left[*job] > 1e-9).collect()
            };
            let present = here(&left, clock);
            let arrival = jobs.iter().map(|job| job.0 as f64).filter(|t| *t > clock).fold(f64::INFINITY, f64::min);
            if present.is_empty() {
                if arrival.is_infinite() { break; }
                clock = arrival;
                continue;
            }
            let rate = (f64::from(cores) / present.len() as f64).min(1.0);
            let first = present.iter().map(|job| left[*job] / rate).fold(f64::INFINITY, f64::min);
            let step = first.min(arrival - clock);
            clock += step;
            for job in present {
                left[job] -= step * rate;
                if left[job] <= 1e-9 { ends[job] = clock; }
            }
        }
        for (job, ended, ..) in done {
            let exact = ends[job as usize];
            let late = ended as f64 - exact;
            prop_assert!(late > -0.001 && late < 1.0, "job {} at {}, exactly {}", job, ended, exact);
        }
    }
}
