//! Histories of the models of Jepsen's and Maelstrom's workloads, to accept and to reject.

use crate::check::Verdict;
use crate::check::kinds::{ALL, Asked, Judged};
use crate::check::read::attempts::Attempts;
use crate::check::read::events::Events;

fn judged(model: &str, text: &str) -> Judged {
    let mut attempts = Attempts::new(Events::new(text.as_bytes(), None).expect("EDN"));
    let kind = ALL.iter().find(|kind| kind.name == model).expect("there is such a model");
    kind.judge(&mut attempts, &Asked::usual()).unwrap_or_else(|why| panic!("{text}: {why:?}"))
}

#[track_caller]
fn holds(model: &str, text: &str) {
    assert_eq!(judged(model, text).verdict, Verdict::Holds, "{text}");
}

#[track_caller]
fn violated(model: &str, text: &str, told: &str) {
    match judged(model, text).verdict {
        Verdict::Violated(witness) => assert!(witness.sentence.contains(told), "{}", witness.sentence),
        verdict => panic!("{text}: {verdict:?}"),
    }
}

#[track_caller]
fn undecided(model: &str, text: &str, told: &str) {
    match judged(model, text).verdict {
        Verdict::Unknown(why) => assert!(why.contains(told), "{why}"),
        verdict => panic!("{text}: {verdict:?}"),
    }
}

/// Operations of process after process, each ended before the next begins: name, argument, how it ended, value.
fn turns(operations: &[(&str, &str, &str, &str)]) -> String {
    let lines = operations.iter().enumerate().map(|(process, (f, argument, end, value))| {
        format!(
            "{{:process {process} :type :invoke :f :{f} :value {argument}}}\n{{:process {process} :type :{end} :f :{f} :value {value}}}\n"
        )
    });
    lines.collect()
}

const NONE: &str = "nil";

/// The order of fields, the errors and the lines of other kinds are theirs.
#[test]
fn files_of_maelstrom_and_jepsen_are_read_as_they_write_them() {
    let registers = "{:process 0, :type :invoke, :f :txn, :value [[:w 0 1] [:r 3 nil] [:r 0 nil]], :index 0, :time 9183216}\n\
        {:process :nemesis, :type :info, :f :start-partition, :value [:isolated {\"n1\" #{\"n2\"}}], :index 1, :time 10183216}\n\
        {:process 0, :type :ok, :f :txn, :value [[:w 0 1] [:r 3 nil] [:r 0 1]], :index 2, :time 19183216}\n\
        {:process 1, :type :invoke, :f :txn, :value [[:w 3 1] [:w 3 2]], :index 3, :time 22183216}\n\
        {:process 1, :type :info, :f :txn, :value [[:w 3 1] [:w 3 2]], :error :net-timeout, :index 4, :time 5022183216}\n\
        {:process 3, :type :invoke, :f :txn, :value [[:w 3 4]], :index 5, :time 6022183216}\n\
        {:process 3, :type :fail, :f :txn, :value [[:w 3 4]], :error [:txn-conflict \"no\"], :index 6, :time 6022283216}\n\
        {:process 0, :type :invoke, :f :txn, :value [[:r 3 nil]], :index 7, :time 7022183216}\n\
        {:process 0, :type :ok, :f :txn, :value [[:r 3 SEEN]], :index 8, :time 7022283216}\n";
    holds("rw-register", &registers.replace("SEEN", "2"));
    violated("rw-register", &registers.replace("SEEN", "1"), "replaced before it committed");
    violated("rw-register", &registers.replace("SEEN", "4"), "did not commit");
    let lists = "{:index 0, :time 1, :type :invoke, :process 0, :f :txn, :value [[:append 9 1] [:r 9 nil]]}\n\
        {:index 1, :time 2, :type :ok, :process 0, :f :txn, :value [[:append 9 1] [:r 9 [1]]]}\n\
        {:index 2, :time 3, :type :invoke, :process 1, :f :txn, :value [[:r 9 nil] [:append 8 1]]}\n\
        {:index 3, :time 4, :type :ok, :process 1, :f :txn, :value [[:r 9 SEEN] [:append 8 1]]}\n\
        {:index 4, :time 5, :type :invoke, :process 2, :f :txn, :value [[:r 8 nil] [:append 9 2]]}\n\
        {:index 5, :time 6, :type :ok, :process 2, :f :txn, :value [[:r 8 [1]] [:append 9 2]]}\n";
    holds("list-append", &lists.replace("SEEN", "[1]"));
    violated("list-append", &lists.replace("SEEN", "[1 2]"), "each must come before the next");
    let keyed = "{:process 1, :type :invoke, :f :write, :value [0 3], :index 0, :time 3}\n\
        {:process 1, :type :ok, :f :write, :value [0 3], :index 1, :time 4}\n\
        {:process 2, :type :invoke, :f :cas, :value [0 [3 4]], :index 2, :time 5}\n\
        {:process 2, :type :ok, :f :cas, :value [0 [3 4]], :index 3, :time 6}\n\
        {:process 2, :type :invoke, :f :cas, :value [0 [3 1]], :index 4, :time 7}\n\
        {:process 2, :type :fail, :f :cas, :value [0 [3 1]], :error [:precondition-failed \"was 4\"], :index 5, :time 8}\n\
        {:process 0, :type :invoke, :f :read, :value [0 nil], :index 6, :time 9}\n\
        {:process 0, :type :ok, :f :read, :value [0 SEEN], :index 7, :time 10}\n";
    holds("cas-register", &keyed.replace("SEEN", "4"));
    violated("cas-register", &keyed.replace("SEEN", "3"), "`read 3` of process 0");
    let log = "2024-01-01 12:00:00,123{GMT}\tINFO\t[jepsen worker 0] jepsen.util: 0\t:invoke\t:txn\t[[:append 9 1]]\n\
        2024-01-01 12:00:00,124{GMT}\tINFO\t[jepsen worker 0] jepsen.util: 0\t:ok\t:txn\t[[:append 9 1]]\n\
        2024-01-01 12:00:00,125{GMT}\tINFO\t[jepsen worker 1] jepsen.util: 1\t:invoke\t:txn\t[[:r 9 nil]]\n\
        2024-01-01 12:00:01,125{GMT}\tINFO\t[jepsen worker 1] jepsen.util: 1\t:info\t:txn\t[[:r 9 nil]]\t:net-timeout\n\
        2024-01-01 12:00:01,126{GMT}\tINFO\t[jepsen worker 1] jepsen.util: 3\t:invoke\t:txn\t[[:r 9 nil]]\n\
        2024-01-01 12:00:01,127{GMT}\tINFO\t[jepsen worker 1] jepsen.util: 3\t:ok\t:txn\t[[:r 9 SEEN]]\n\
        2024-01-01 12:00:02,000{GMT}\tINFO\t[jepsen test runner] jepsen.core: Run complete, writing\n";
    holds("list-append", &log.replace("SEEN", "[1]"));
    violated("list-append", &log.replace("SEEN", "[2]"), "nobody wrote");
    // In Elle's own examples nobody says whose transactions they are.
    let nobody = "{:index 0 :type :invoke :value [[:append 1 1]]}\n{:index 1 :type :ok :value [[:append 1 1]]}\n\
        {:index 2 :type :invoke, :value [[:r 1 nil]]}\n{:index 3 :type :ok, :value [[:r 1 SEEN]]}\n";
    holds("list-append", &nobody.replace("SEEN", "[1]"));
    violated("list-append", &nobody.replace("SEEN", "[1 2]"), "nobody wrote");
}

#[test]
fn registers_are_read_and_written_together() {
    let model = "multi-register";
    let [x, y] = ["[[:w 0 1] [:w 1 1]]", "[[:w 0 2] [:w 1 2]]"].map(|both| ("txn", both, "ok", both));
    let see = |seen| ("txn", "[[:r 0 nil] [:r 1 nil]]", "ok", seen);
    holds(model, &turns(&[x, see("[[:r 0 1] [:r 1 1]]"), y, see("[[:r 0 2] [:r 1 nil]]")]));
    violated(model, &turns(&[x, y, see("[[:r 0 2] [:r 1 1]]")]), "no order explains line 5: it saw 2, 1");
    violated(model, &turns(&[x, y, see("[[:r 0 1] [:r 1 1]]")]), "at best the values were 2, 2");
    // At the same time each of them may be the last, and a reader of one and then of the other sees one of the two.
    let both = |second: &'static str| {
        format!(
            "{{:process 0 :type :invoke :f :txn :value [[:w 0 1] [:w 1 1]]}}\n\
             {{:process 1 :type :invoke :f :txn :value [[:w 0 2] [:w 1 2]]}}\n\
             {{:process 0 :type :ok :f :txn :value [[:w 0 1] [:w 1 1]]}}\n\
             {{:process 1 :type :ok :f :txn :value [[:w 0 2] [:w 1 2]]}}\n{}",
            turns(&[see("[[:r 0 1]]"), see(second)])
        )
    };
    holds(model, &both("[[:r 1 1]]"));
    violated(model, &both("[[:r 1 2]]"), "no order explains");
    let pending = "{:process 7 :type :invoke :f :txn :value [[:w 0 9]]}\n";
    holds(model, &(pending.to_owned() + &turns(&[see("[[:r 0 9]]"), x, see("[[:r 0 1]]")])));
}

#[test]
fn a_queue_gives_what_was_put_in_and_once() {
    let [one, two] = [("enqueue", "1", "ok", "1"), ("enqueue", "2", "info", "2")];
    let out = |value| ("dequeue", NONE, "ok", value);
    holds("queue", &turns(&[one, two, out("2"), out("1")]));
    holds("queue", &turns(&[one, one, out("1"), ("drain", NONE, "ok", "[1]")]));
    violated("queue", &turns(&[one, out("3")]), "took out 3, which nobody had put in");
    violated("queue", &turns(&[one, out("1"), out("1")]), "which was taken out before by line 3");
    violated("queue", &turns(&[out("1"), one]), "nobody had put in");
    violated("queue", &turns(&[("enqueue", "1", "fail", "1"), out("1")]), "nobody had put in");
}

#[test]
fn what_goes_into_a_total_queue_comes_out() {
    let [one, two] = [("enqueue", "1", "ok", "1"), ("enqueue", "2", "info", "2")];
    let out = |value| ("dequeue", NONE, "ok", value);
    let model = "total-queue";
    holds(model, &turns(&[one, two, out("1")]));
    holds(model, &turns(&[one, two, ("drain", NONE, "ok", "[2 1]")]));
    let twice = judged(model, &turns(&[one, out("1"), out("1")]));
    assert_eq!(
        (twice.verdict, &*twice.notes[0]),
        (Verdict::Holds, "1 came out more often than they went in")
    );
    violated(model, &turns(&[one, two, out("2")]), "1, which line 1 had put in, never came out");
    violated(model, &turns(&[one, out("1"), out("9")]), "took out 9, which nobody put in");
    undecided(model, &turns(&[one, ("dequeue", NONE, "info", NONE)]), "nobody knows what they took out");
}

#[test]
fn no_identifier_is_given_twice() {
    let given = |id| ("generate", NONE, "ok", id);
    holds(
        "unique-ids",
        &turns(&[given("1"), given("\"a\""), given("[1 2]"), ("generate", NONE, "info", "1")]),
    );
    violated("unique-ids", &turns(&[given("1"), given("2"), given("1")]), "lines 1 and 5 were both given 1");
}

#[test]
fn the_last_read_of_a_set_has_what_was_acknowledged() {
    let model = "set-final";
    let add = |value, end| ("add", value, end, value);
    let see = |seen| ("read", NONE, "ok", seen);
    holds(model, &turns(&[add("1", "ok"), add("2", "info"), add("3", "fail"), see("#{1}")]));
    holds(model, &turns(&[add("1", "ok"), see("[]"), see("[1]")]));
    violated(model, &turns(&[add("1", "ok"), see("[1]"), see("[]")]), "lacks 1, which line 1 had added");
    violated(model, &turns(&[add("1", "ok"), see("[1 4]")]), "saw 4, which nobody added");
    violated(model, &turns(&[add("3", "fail"), see("[3]")]), "saw 3, which nobody added");
    undecided(model, &turns(&[add("1", "ok")]), "never read");
}

#[test]
fn what_grows_may_be_late_and_loses_nothing() {
    for (model, f) in [("g-set", "add"), ("broadcast", "broadcast")] {
        let add = |value, end| (f, value, end, value);
        let see = |seen| ("read", NONE, "ok", seen);
        holds(model, &turns(&[add("1", "ok"), see("[]"), see("[1]")]));
        holds(model, &turns(&[add("1", "ok"), add("2", "info"), see("[1]")]));
        violated(model, &turns(&[add("1", "ok"), see("[1]"), see("[]")]), "lacks 1 of line 1");
        violated(
            model,
            &turns(&[add("1", "ok"), add("2", "info"), see("[1 2]"), see("[1]")]),
            "lacks 2 of line 3",
        );
        violated(model, &turns(&[add("1", "ok"), see("[1 1]")]), "saw 1 twice");
        violated(model, &turns(&[add("1", "ok"), see("[1 7]")]), "saw 7, which nobody had begun to add");
        undecided(model, &turns(&[add("1", "info"), see("[]")]), "no element");
    }
}

#[test]
fn the_last_reads_of_a_counter_see_all_of_it() {
    let adds = [
        ("add", "5", "ok", "5"),
        ("add", "-2", "ok", "-2"),
        ("add", "10", "info", "10"),
        ("add", "100", "fail", "100"),
    ];
    let text = |seen: i64| {
        let last = "{:process 9 :type :invoke :f :read :final? true}";
        format!("{}{last}\n{{:process 9 :type :ok :f :read :value {seen} :final? true}}\n", turns(&adds))
    };
    holds("pn-counter", &text(3));
    holds("pn-counter", &text(13));
    violated("pn-counter", &text(5), "saw 5: what was acknowledged is 3");
    violated("pn-counter", &text(103), "no sum of the 1 of which nobody knows");
    undecided("pn-counter", &turns(&[adds[0], ("read", NONE, "ok", "0")]), "`:final? true`");
}

#[test]
fn writes_are_not_seen_in_two_orders() {
    let write = |key: &'static str| ("txn", key, "ok", key);
    let see = |seen| ("txn", "[[:r 0 nil] [:r 1 nil]]", "ok", seen);
    let [x, y] = ["[[:w 0 1]]", "[[:w 1 1]]"].map(write);
    let [first, second] = ["[[:r 0 1] [:r 1 nil]]", "[[:r 1 1] [:r 0 nil]]"].map(see);
    holds("long-fork", &turns(&[x, y, first, see("[[:r 0 1] [:r 1 1]]"), see("[[:r 0 nil] [:r 1 nil]]")]));
    violated("long-fork", &turns(&[x, y, first, second]), "line 5 saw the write of 0 and not that of 1");
    violated("long-fork", &turns(&[y, first]), "saw 1 in 0, which nobody wrote");
    undecided("long-fork", &turns(&[x, x, first]), "0 was written by lines 1 and 3");
}

#[test]
fn logs_lose_double_skip_and_turn_nothing() {
    let send = |key: &str, message: u32, offset: u32| {
        format!(
            "{{:process 0 :type :invoke :f :send :value [[:send {key} {message}]]}}\n\
             {{:process 0 :type :ok :f :send :value [[:send {key} [{offset} {message}]]]}}\n"
        )
    };
    let poll = |logs: &str| {
        format!(
            "{{:process 1 :type :invoke :f :poll :value [[:poll]]}}\n\
             {{:process 1 :type :ok :f :poll :value [[:poll {{\"k\" {logs}}}]]}}\n"
        )
    };
    let chosen = "{:process 1 :type :invoke :f :assign :value [\"k\"]}\n{:process 1 :type :ok :f :assign :value [\"k\"]}\n";
    let three = [send("\"k\"", 7, 0), send("\"k\"", 8, 2), send("\"k\"", 9, 5)].concat();
    let with = |polls: &[&str]| {
        three.clone()
            + &polls
                .iter()
                .map(|one| if *one == "assign" { chosen.to_owned() } else { poll(one) })
                .collect::<String>()
    };
    holds("kafka", &with(&["[[0 7] [2 8]]", "[[5 9]]"]));
    holds("kafka", &with(&["[[0 7] [2 8]]", "assign", "[[0 7] [2 8]]"]));
    for (polls, told) in [
        (&["[[0 7] [5 9]]"][..], "8 of \"k\", which line 3 sent to offset 2, was never polled"),
        (&["[[0 7] [2 8]]", "[[2 8]]"], "and line 9 then offset 2"),
        (&["[[0 7]]", "[[5 9]]", "assign", "[[2 8]]"], "and line 9 then 5: 2 was skipped"),
        (&["[[0 8]]"], "offset 0 of \"k\" is 7 in line 1 and 8 in line 7"),
        (&["[[0 7] [1 7]]"], "7 of \"k\" is at offset 0 in line 1 and at 1 in line 7"),
        (&["[[0 7] [1 4]]"], "polled 4 of \"k\", which nobody sent"),
    ] {
        violated("kafka", &with(polls), told);
    }
    violated("kafka", &(send("1", 7, 3) + &send("1", 8, 2)), "and line 3 then offset 2");
    let failed = turns(&[
        ("send", "[[:send 1 4]]", "fail", "[[:send 1 4]]"),
        ("poll", "[[:poll]]", "ok", "[[:poll {1 [[0 4]]}]]"),
    ]);
    violated("kafka", &failed, "whose send had failed");
}
