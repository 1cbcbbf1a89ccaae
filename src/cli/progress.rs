//! How far the runs are, on stderr: a bar on a terminal, elsewhere a line now and then, so that a log shows that something goes on.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::experiment::Progress;

/// Between two lines.
const EVERY: Duration = Duration::from_secs(10);

/// Does something that says how far it is, and tells it.
pub fn telling<R>(quiet: bool, work: impl FnOnce(&(dyn Fn(Progress) + Sync)) -> R) -> R {
    if quiet {
        return work(&|_| {});
    }
    if !std::io::stderr().is_terminal() {
        return in_lines(EVERY, &mut std::io::stderr(), work);
    }
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} runs, {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let done = work(&|progress| {
        bar.set_length(progress.planned);
        bar.set_position(progress.done);
    });
    bar.finish_and_clear();
    done
}

fn in_lines<R>(
    every: Duration,
    out: &mut (impl Write + Send),
    work: impl FnOnce(&(dyn Fn(Progress) + Sync)) -> R,
) -> R {
    let last = Mutex::new(None);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let (ended, waits) = channel::<()>();
        let last = &last;
        scope.spawn(move || {
            while waits.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                let at = begun.elapsed().as_secs_f64();
                let _ = match *last.lock().expect("nobody panics with it") {
                    Some(Progress { done, planned }) => {
                        writeln!(out, "{done} of {planned} runs after {at:.0} s")
                    }
                    None => writeln!(out, "no run done after {at:.0} s"),
                };
            }
        });
        let done = work(&|progress| *last.lock().expect("nobody panics with it") = Some(progress));
        drop(ended);
        done
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_now_and_then_says_how_far_it_is() {
        let mut said = Vec::new();
        let done = in_lines(Duration::from_millis(20), &mut said, |tell| {
            std::thread::sleep(Duration::from_millis(100));
            tell(Progress { done: 3, planned: 8 });
            std::thread::sleep(Duration::from_millis(200));
            7
        });
        let said = String::from_utf8(said).expect("text");
        assert_eq!(done, 7);
        assert!(
            said.starts_with("no run done after 0 s\n") && said.contains("\n3 of 8 runs after 0 s\n"),
            "{said}"
        );
        let mut said = Vec::new();
        in_lines(EVERY, &mut said, |tell| tell(Progress { done: 1, planned: 1 }));
        assert!(said.is_empty(), "what is done soon needs no line");
    }
}
