//! What operations mean, and what is asked of them.

use crate::check::Verdict;
use crate::check::kinds::auto::guess;
use crate::check::kinds::{ALL, Asked, Judged, Nil, Refused};
use crate::check::read::attempts::Attempts;
use crate::check::read::events::Events;
use crate::check::read::written;
use crate::check::search::Budget;

fn with(model: &str, text: &str, asked: &Asked) -> Result<Judged, Refused> {
    let mut attempts = Attempts::new(Events::new(text.as_bytes(), None)?);
    let kind = ALL.iter().find(|kind| kind.name == model).expect("there is such a model");
    kind.judge(&mut attempts, asked)
}

fn judged(model: &str, text: &str) -> Judged {
    with(model, text, &Asked::usual()).unwrap_or_else(|why| panic!("{text}: {why:?}"))
}

#[track_caller]
fn holds(model: &str, text: &str) {
    let judged = judged(model, text);
    assert_eq!(judged.verdict, Verdict::Holds, "{text}");
}

#[track_caller]
fn is_violated(model: &str, text: &str) {
    let judged = judged(model, text);
    assert!(matches!(judged.verdict, Verdict::Violated(_)), "{text}: {:?}", judged.verdict);
}

/// Operations one after the other: process, name, argument, result.
fn in_turn(operations: &[(u32, &str, &str, &str)]) -> String {
    let lines = operations.iter().map(|(process, f, argument, result)| {
        format!(
            "{{:process {process} :type :invoke :f :{f} :value {argument}}}\n{{:process {process} :type :ok :f :{f} :value {result}}}\n"
        )
    });
    lines.collect()
}

#[test]
fn a_key_that_is_not_there_is_nil_in_words() {
    let lost = |seen: &str| {
        let [put, get] = [(0, "put", "[1 \"a\"]", "[1 \"a\"]"), (1, "get", "[1 nil]", seen)];
        let Verdict::Violated(witness) = judged("kv", &in_turn(&[put, get])).verdict else {
            panic!("{seen}")
        };
        witness.sentence
    };
    assert!(lost("[1 nil]").contains("`read nil` of process 1"), "{}", lost("[1 nil]"));
    // Who writes down an empty text reads of it.
    assert!(lost("[1 \"\"]").contains("`read \"\"` of process 1"), "{}", lost("[1 \"\"]"));
}

#[test]
fn what_takes_too_much_memory_is_undecided_whatever_it_is() {
    let list = format!("[{}]", (0..300).map(|n| n.to_string()).collect::<Vec<_>>().join(" "));
    let balances = format!("{{{}}}", (0..300).map(|n| format!("{n} 1")).collect::<Vec<_>>().join(" "));
    let reads = format!("[{}]", (0..300).map(|n| format!("[:r {n} 1]")).collect::<Vec<_>>().join(" "));
    let lists = reads.replace(" 1]", " [1]]");
    for kind in ALL {
        let (f, asked, told) = match kind.name {
            "list-append" => ("txn", &*lists, &*lists),
            "rw-register" | "long-fork" | "multi-register" => ("txn", &*reads, &*reads),
            "bank" => ("read", "nil", &*balances),
            "set" | "g-set" | "broadcast" => ("read", "nil", &*list),
            "kafka" => ("send", "[[:send 1 2]]", "[[:send 1 [0 2]]]"),
            "queue" | "total-queue" => ("enqueue", "1", "1"),
            "set-final" | "counter" | "pn-counter" => ("add", "1", "1"),
            "unique-ids" => ("generate", "nil", "1"),
            "mutex" => ("acquire", "nil", "nil"),
            "kv" => ("put", "[1 2]", "[1 2]"),
            _ => ("write", "1", "1"),
        };
        let text = in_turn(&vec![(0, f, asked, told); 2_000]);
        let asked = |bytes| Asked { budget: Budget { bytes, ..Budget::default() }, ..Asked::usual() };
        match with(kind.name, &text, &asked(50_000))
            .unwrap_or_else(|why| panic!("{}: {why:?}", kind.name))
            .verdict
        {
            Verdict::Unknown(why) => assert!(why.contains("memory"), "{}: {why}", kind.name),
            verdict => panic!("{}: {verdict:?}", kind.name),
        }
        let enough = with(kind.name, &text, &asked(1 << 30)).expect("it is one").verdict;
        assert!(
            !matches!(&enough, Verdict::Unknown(why) if why.contains("memory")),
            "{}: {enough:?}",
            kind.name
        );
    }
}

#[test]
fn registers_hold_anything() {
    for value in [
        "9223372036854775807",
        "-9223372036854775808",
        "18446744073709551615",
        "\"a\"",
        ":a",
        "\\a",
        "[1 2]",
        "{:a 1}",
        "#{1 2}",
        "##NaN",
        "1.5",
        "true",
        "[[1 2]]",
    ] {
        let seen = |seen: &str| in_turn(&[(0, "write", value, value), (1, "read", "nil", seen)]);
        holds("register", &seen(value));
        is_violated("register", &seen("7"));
    }
    for (wrote, saw) in
        [("true", "1"), (":a", "\"a\""), ("[1 2]", "#{1 2}"), ("9223372036854775807", "9223372036854775806")]
    {
        is_violated("register", &in_turn(&[(0, "write", wrote, wrote), (1, "read", "nil", saw)]));
    }
    for (wrote, saw) in
        [("1", "1.0"), ("#{1 2}", "#{2 1}"), ("{:a 1 :b 2}", "{:b 2 :a 1}"), ("[1 2]", "(1 2)")]
    {
        holds("register", &in_turn(&[(0, "write", wrote, wrote), (1, "read", "nil", saw)]));
    }
}

#[test]
fn pairs_of_a_key_and_a_value_are_told_by_how_reads_are_invoked() {
    let keyed = |seen: &str| {
        in_turn(&[
            (0, "write", "[1 5]", "[1 5]"),
            (0, "write", "[2 6]", "[2 6]"),
            (1, "read", "[1 nil]", seen),
        ])
    };
    for model in ["register", "cas-register"] {
        holds(model, &keyed("[1 5]"));
        is_violated(model, &keyed("[1 6]"));
        let plain = |seen: &str| {
            in_turn(&[
                (0, "write", "[1 5]", "[1 5]"),
                (0, "write", "[2 6]", "[2 6]"),
                (1, "read", "nil", seen),
            ])
        };
        holds(model, &plain("[2 6]"));
        is_violated(model, &plain("[1 5]"));
    }
    let cas = |seen: &str| {
        in_turn(&[
            (0, "cas", "[1 [0 3]]", "[1 [0 3]]"),
            (0, "cas", "[2 [0 4]]", "[2 [0 4]]"),
            (1, "read", "[1 nil]", seen),
        ])
    };
    holds("cas-register", &cas("[1 3]"));
    is_violated("cas-register", &cas("[1 4]"));
    let wrong = with("register", &keyed("[2 6]"), &Asked::usual()).expect_err("of another key");
    assert!(
        matches!(&wrong, Refused::Line(wrong) if wrong.line == 6 && wrong.why.contains("another key")),
        "{wrong:?}"
    );
    let mixed = in_turn(&[(1, "read", "[1 nil]", "[1 5]"), (1, "read", "nil", "5")]);
    let wrong = with("register", &mixed, &Asked::usual()).expect_err("one is none");
    assert!(matches!(&wrong, Refused::Line(wrong) if wrong.line == 3), "{wrong:?}");
}

#[test]
fn nil_means_what_the_table_says() {
    let kv =
        in_turn(&[(0, "put", "[\"k\" \"a\"]", "[\"k\" \"a\"]"), (1, "get", "[\"k\" nil]", "[\"k\" nil]")]);
    is_violated("kv", &kv);
    holds("kv", &kv.replace("\"a\"", "\"\""));
    let deleted = in_turn(&[
        (0, "put", "[\"k\" \"a\"]", "[\"k\" \"a\"]"),
        (0, "delete", "[\"k\" nil]", "[\"k\" nil]"),
        (1, "get", "[\"k\" nil]", "[\"k\" nil]"),
    ]);
    holds("kv", &deleted);
    let register = in_turn(&[(0, "write", "1", "1"), (1, "read", "nil", "nil")]);
    is_violated("register", &register);
    holds("cas-register", &register);
    let log = "0\t:invoke\t:write\t1\n0\t:ok\t:write\t1\n1\t:invoke\t:read\tnil\n1\t:ok\t:read\tnil\n";
    is_violated("cas-register", log);
    let asks =
        |nil, initial: &str| Asked { nil: Some(nil), initial: Some(written(initial)), ..Asked::usual() };
    let read = in_turn(&[(1, "read", "nil", "nil")]);
    for (nil, initial, is_ok) in [
        (Nil::Absent, "0", false),
        (Nil::Absent, "nil", true),
        (Nil::Initial, "0", true),
        (Nil::Unknown, "0", true),
    ] {
        let judged = with("register", &read, &asks(nil, initial)).expect("a history");
        assert_eq!(judged.verdict == Verdict::Holds, is_ok, "{nil:?} {initial}");
        assert_eq!(judged.notes, [format!("a read of nil: {}", nil.told())]);
    }
    let written = with("register", &register, &asks(Nil::Initial, "0")).expect("a history");
    assert!(matches!(written.verdict, Verdict::Violated(_)), "1 was written over 0");
}

#[test]
fn the_initial_value_is_a_value_like_others() {
    let read = in_turn(&[(1, "read", "nil", "42")]);
    for (initial, is_ok) in [("42.0", true), ("42", true), ("43", false), ("\"42\"", false), ("nil", false)] {
        let asked = Asked { initial: Some(written(initial)), ..Asked::usual() };
        let judged = with("register", &read, &asked).expect("a history");
        assert_eq!(judged.verdict == Verdict::Holds, is_ok, "{initial}");
    }
}

#[test]
fn a_bank_is_read_as_a_vector_too() {
    let reads = |one: &str, other: &str| {
        in_turn(&[
            (0, "read", "nil", one),
            (0, "transfer", "{:from 0 :to 1 :amount 3}", "nil"),
            (1, "read", "nil", other),
        ])
    };
    holds("bank", &reads("[10 10]", "[7 13]"));
    holds("bank", &reads("{0 10 1 10}", "[7 13]"));
    is_violated("bank", &reads("[10 10]", "[7 10]"));
}

#[test]
fn transactions_need_neither_name_nor_process() {
    let elle = |seen: &str| {
        format!(
            "{{:type :ok :value [[:append :x 1]]}}\n{{:type :ok, :value [[:append :x 2] [:r :x {seen}]]}}\n{{:type :ok :value [[:r :y]]}}"
        )
    };
    holds("list-append", &elle("[1 2]"));
    is_violated("list-append", &elle("[2 1 3]"));
    let json =
        "[{\"type\":\"ok\",\"value\":[[\"w\",\"x\",1]]},\n {\"type\":\"ok\",\"value\":[[\"r\",\"x\"]]}]";
    holds("rw-register", json);
}

#[test]
fn what_is_asked_is_known_or_refused() {
    let refused = |model: &str, text: &str, asked: Asked, why: &str| {
        let refused = with(model, text, &asked).expect_err(model);
        let Refused::Asked(told, help) = &refused else { panic!("{refused:?}") };
        assert!(told.contains(why) && !help.is_empty(), "{told}");
    };
    let word = |word: &str| Some(word.to_owned());
    let transactions = "{:type :ok :value [[:append :x 1]]}";
    let consistency = |name: &str| Asked { consistency: word(name), ..Asked::usual() };
    let isolation = |name: &str| Asked { isolation: word(name), ..Asked::usual() };
    refused("list-append", transactions, consistency("linearizable"), "is not asked of transactions");
    let both = Asked { isolation: word("snapshot"), ..consistency("serializable") };
    refused("list-append", transactions, both, "two levels");
    let level = with("list-append", transactions, &consistency("snapshot")).expect("a level");
    assert_eq!(level.promise.0, "snapshot");
    let read = in_turn(&[(0, "read", "nil", "nil")]);
    refused("register", &read, isolation("snapshot"), "has no use for");
    refused("register", &read, consistency("snapshot"), "is not asked of a register");
    refused("mutex", "[]", consistency("causal"), "has none");
    refused("bank", "[]", consistency("serializable"), "has no use for");
    refused("set", "[]", consistency("causal"), "has no use for");
}

#[test]
fn locks_are_spoken_of_as_locks() {
    let told = |operations: &[(u32, &str, &str, &str)]| match judged("mutex", &in_turn(operations)).verdict {
        Verdict::Violated(witness) => (witness.sentence, witness.operations),
        verdict => panic!("{verdict:?}"),
    };
    let (acquire, release) =
        (|process| (process, "acquire", "nil", "nil"), |process| (process, "release", "nil", "nil"));
    assert_eq!(
        told(&[acquire(0), release(0), acquire(1), acquire(2), release(1)]),
        ("process 2 (line 7) got the lock while process 1 (line 5) held it".to_owned(), vec![5, 7])
    );
    assert_eq!(
        told(&[release(3), acquire(0)]),
        ("process 3 (line 1) gave back the lock, which it did not have".to_owned(), vec![1])
    );
    assert!(!told(&[acquire(0), release(1), release(1)]).0.contains("the value"));
}

#[test]
fn a_part_of_a_history_is_undecided() {
    let part = "{:process \"splitbrain\" :type :info :f :part :value \"program see\"}";
    let text = format!("{part}\n{}", in_turn(&[(1, "read", "nil", "7")]));
    let judged = judged("store", &text);
    assert!(
        matches!(&judged.verdict, Verdict::Unknown(why) if why.contains("program see")),
        "{:?}",
        judged.verdict
    );
}

#[test]
fn a_model_is_guessed_by_its_operations() {
    let none = "nil";
    for (text, model) in [
        (in_turn(&[(0, "read", none, none), (0, "write", "1", "1")]), "register"),
        (in_turn(&[(0, "read", none, none), (0, "cas", "[0 1]", "[0 1]")]), "cas-register"),
        (in_turn(&[(0, "put", "[1 2]", "[1 2]")]), "kv"),
        (in_turn(&[(0, "add", "1", "1"), (0, "read", none, "1")]), "counter"),
        (in_turn(&[(0, "add", "1", "1"), (0, "read", none, "[1]")]), "set"),
        (in_turn(&[(0, "acquire", none, none)]), "mutex"),
        (in_turn(&[(0, "enqueue", "1", "1")]), "total-queue"),
        (in_turn(&[(0, "generate", none, "1")]), "unique-ids"),
        (in_turn(&[(0, "broadcast", "1", "1")]), "broadcast"),
        (in_turn(&[(0, "send", "[[:send 1 2]]", "[[:send 1 [0 2]]]")]), "kafka"),
        (in_turn(&[(0, "transfer", none, none)]), "bank"),
        (in_turn(&[(0, "txn", "[[:append 1 2]]", "[[:append 1 2]]")]), "list-append"),
        (in_turn(&[(0, "txn", "[[:w 1 2]]", "[[:w 1 2]]")]), "rw-register"),
        ("{:type :ok :value [[:w 1 2]]}".to_owned(), "rw-register"),
    ] {
        let mut attempts = Attempts::new(Events::new(text.as_bytes(), None).expect("EDN"));
        let kind = guess(&mut attempts).expect("a history").expect("a model");
        assert_eq!(kind.name, model, "{text}");
        assert_eq!(attempts.count(), text.matches(":ok").count(), "nothing is lost by looking ahead");
    }
    let mut attempts = Attempts::new(Events::new("{:type :ok :f :fly}".as_bytes(), None).expect("EDN"));
    assert_eq!(guess(&mut attempts).expect("a history").expect_err("none"), ["fly"]);
}

#[test]
fn every_model_has_a_name_of_its_own_and_judges_nothing() {
    for (place, kind) in ALL.iter().enumerate() {
        assert!(ALL[..place].iter().all(|other| other.name != kind.name), "{}", kind.name);
        assert!(!kind.about.is_empty() && !kind.operations.is_empty());
        let judged = judged(kind.name, "[]");
        assert_eq!(judged.count.0, 0, "{}", kind.name);
    }
}
