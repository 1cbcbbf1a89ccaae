//! What is read of bytes, whatever it means.

use std::io::Read;

use crate::check::read::attempts::{Attempt, Attempts, Passed};
use crate::check::read::datum::Datum;
use crate::check::read::events::Events;
use crate::check::read::{Format, Kind, Malformed, edn, written};

/// A byte at a time: whatever is read must not depend on where stretches end.
struct Slow<'a>(&'a [u8]);

impl Read for Slow<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
        out[0] = *first;
        self.0 = rest;
        Ok(1)
    }
}

fn read(from: impl Read) -> Result<(Vec<Attempt>, Passed), Malformed> {
    let mut attempts = Attempts::new(Events::new(from, None)?);
    let all = attempts.by_ref().collect::<Result<Vec<_>, _>>()?;
    Ok((all, attempts.passed()))
}

fn attempts(text: &str) -> Result<Vec<Attempt>, Malformed> {
    let whole = read(text.as_bytes());
    assert_eq!(read(Slow(text.as_bytes())), whole, "{text:?}");
    whole.map(|(all, _)| all)
}

/// What an attempt says, in a line.
fn told(attempt: &Attempt) -> String {
    let end = attempt.end.as_ref().map_or(String::new(), |end| format!(" {:?} {}", end.kind, end.value));
    format!("{} {}:{} {}{end}", attempt.line, attempt.process, attempt.f, attempt.argument)
}

fn is_read(text: &str, expected: &[&str]) {
    let all = attempts(text).unwrap_or_else(|wrong| panic!("{text:?}: {wrong:?}"));
    assert_eq!(all.iter().map(told).collect::<Vec<_>>(), expected, "{text:?}");
}

fn is_refused(text: &str, line: usize, why: &str) {
    let wrong = attempts(text).expect_err(text);
    assert_eq!(wrong.line, line, "{text:?}: {}", wrong.why);
    assert!(wrong.why.contains(why), "{text:?}: {}", wrong.why);
}

#[test]
fn one_history_is_read_in_all_formats() {
    let expected = ["1 0:write [1 2] Ok [1 2]", "3 1:read nil"];
    for text in [
        "{:process 0 :type :invoke :f :write :value [1 2]}\n{:process 0, :type :ok, :f :write, :value [1 2]}\n\
         {:process 1 :type :invoke :f :read}",
        "[{:process 0 :type :invoke :f :write :value [1 2]}\n{:process 0, :type :ok, :f :write, :value (1 2)}\n\
         #jepsen.history.Op{:process 1 :type :invoke :f :read :value nil :index 2}]\n",
        "({:process 0 :type :invoke :f :write :value [1 2]} ; a remark\n{:process 0, :type :ok, :f :write, :value [1 2]} \
         #_{:of :nobody}\n{:process 1 :type :invoke :f \"read\" :value nil}) ; the end",
        "{\"process\":0,\"type\":\"invoke\",\"f\":\"write\",\"value\":[1,2]}\n\
         {\"process\":0,\"type\":\"ok\",\"f\":\"write\",\"value\":[1,2.0]}\n{\"process\":1,\"type\":\":invoke\",\":f\":\":read\"}\n",
        "[{\"process\":0,\"type\":\"invoke\",\"f\":\"write\",\"value\":[1,2]},\n\
         {\"process\":0,\"type\":\"ok\",\"f\":\"write\",\"value\":\n[1,2]},{\"process\":1,\"type\":\"invoke\",\"f\":\"read\"}\n]",
        "INFO  jepsen.util - 0\t:invoke\t:write\t[1 2]\nINFO  jepsen.util - 0\t:ok\t:write\t[1 2]\n\
         2024-01-01 12:00:00,000{GMT}\tINFO\t[jepsen worker 0] jepsen.util: 1\t:invoke\t:read\tnil\n",
        "0\t:invoke\t:write\t[1 2]\r\n0\t:ok\t:write\t[1 2]\r\n1\t:invoke\t:read\tnil\r\n",
        "INFO  jepsen.util - 0   :invoke :write  [1 2]\nINFO  jepsen.util - 0   :ok     :write  [1 2]\n\
         INFO  jepsen.util - 1   :invoke :read   nil\n",
    ] {
        is_read(text, &expected);
        is_read(&format!("\u{feff}{text}"), &expected);
    }
}

#[test]
fn processes_are_any_scalars_and_those_after_an_info_others() {
    for name in ["\"a\"", ":a", "1.5", "-3", "99999999999999999999"] {
        let text = format!(
            "{{:process {name} :type :invoke :f :read}}{{:process {name} :type :ok :f :read :value 7}}"
        );
        let all = attempts(&text).expect("a history");
        assert_eq!(all.len(), 1, "{name}");
        assert_eq!(all[0].result(), Some(&Datum::Number(7)));
        let json =
            text.replace("{:process", "{\"process\":").replace(":type :invoke", ",\"type\":\"invoke\"");
        assert!(json.contains("\"process\""));
    }
    let text = "{:process 3 :type :invoke :f :write :value 1}{:process 3 :type :info :f :write :value 1}\
                {:process 3 :type :invoke :f :read}{:process 3 :type :ok :f :read :value 1}\
                {:process 4 :type :invoke :f :read}{:process 4 :type :invoke :f :read}";
    let all = attempts(text).expect("a history");
    assert_eq!(all.len(), 4);
    assert_ne!(all[0].process, all[1].process, "the first may still be writing");
    assert_eq!(all[2].process, 4);
}

#[test]
fn numbers_are_equal_however_they_are_written() {
    for one in ["1", "1.0", "1N", "+1", "1e0", "10E-1", "1M", "1.0M"] {
        assert_eq!(edn::whole(one), Some(Datum::Number(1)), "{one}");
    }
    assert_eq!(edn::whole("-0.0"), Some(Datum::Number(0)));
    assert_eq!(edn::whole("9223372036854775807"), Some(Datum::Number(i64::MAX)));
    assert_eq!(edn::whole("-9223372036854775808"), Some(Datum::Number(i64::MIN)));
    let large = edn::whole("9223372036854775808").expect("a number");
    assert_eq!(large.to_string(), "9223372036854775808");
    assert_ne!(Some(large), edn::whole("9223372036854775809"));
    assert_eq!(edn::whole("##NaN"), edn::whole("##NaN"));
    assert_ne!(edn::whole("##Inf"), edn::whole("##-Inf"));
    assert_eq!(edn::whole("0.1"), Some(Datum::float(0.1)));
    for none in ["01", "1x", "1/", "##Nil", "1.2.3", "\"a", "[1", "1]", "#", "{1}", "{1 2 1 3}", ":", "\\"] {
        assert_eq!(edn::whole(none), None, "{none}");
    }
}

#[test]
fn values_are_shown_as_they_are_written() {
    for text in [
        "nil",
        "true",
        ":a/b",
        "\"a\\nb\"",
        "\\a",
        "\\newline",
        "sym",
        "[1 [2] {}]",
        "#{1 :b}",
        "{\"b\" [nil], :a 1}",
        "1.5",
        "##NaN",
        "##-Inf",
        "22/7",
        "\\ü",
    ] {
        assert_eq!(edn::whole(text).map(|datum| datum.to_string()), Some(text.to_owned()));
    }
    assert_eq!(edn::whole("#inst \"2020\""), Some(Datum::Text("2020".into())));
    assert_eq!(edn::whole("#{2 1}"), edn::whole("#{1 2}"));
    assert_eq!(edn::whole("\"\\u00e9\\uD83D\\uDE00\""), Some(Datum::Text("é😀".into())));
    assert_eq!(written("abc"), Datum::Text("abc".into()));
    assert_eq!(written(":abc"), Datum::Keyword("abc".into()));
    assert_eq!(written("42.0"), Datum::Number(42));
    assert_eq!(written("a b"), Datum::Text("a b".into()));
}

#[test]
fn what_is_not_understood_is_refused_with_its_line() {
    let good = "{:process 0 :type :invoke :f :read}\n{:process 0 :type :ok :f :read :value 1}";
    is_refused(&format!("[{good}]\n[{good}]"), 3, "follows the end");
    is_refused(&format!("[{good}]\nthis is {{ not edn ]"), 3, "follows the end");
    is_refused(&format!("[{good}\n)"), 3, "closes nothing");
    is_refused(&format!("[{good}\n"), 3, "no end");
    is_refused(&format!("{good}\n]"), 3, "no EDN");
    is_refused(&format!("{good}\n}}"), 3, "no EDN");
    is_refused(&format!("{good}\nhello"), 3, "an operation is a map");
    is_refused(&format!("{good}\n{{:process 0 :type :invoke :f :read"), 3, "ends in the middle");
    is_refused("[{:process 0 :type [1 2) :f :read}]", 1, "closes none");
    is_refused("{:process 0 :type :invoked :f :read}", 1, "one of invoke, ok, fail, info");
    is_refused("{:process 0 :f :read}", 1, "needs a :type");
    is_refused("{:process 0 :type :ok :type :fail :f :read}", 1, "twice");
    is_refused("{:type :invoke :f :read}\n{:type :invoke :f :read}", 2, "needs a :process");
    is_refused("{:type :invoke :f :read}\n{:type :ok :f :write}", 2, "had invoked `read` (line 1)");
    is_refused("{:process [1] :type :invoke :f :read}", 1, "a number or a name");
    is_refused(&format!("{{:process 0 :type :invoke :f :write :value {}}}", "[".repeat(100_000)), 1, "deep");
    let json = "{\"process\":0,\"type\":\"invoke\",\"f\":\"read\"}";
    is_refused(&format!("[{json}\n{json}]"), 2, "comma");
    is_refused(&format!("[{json},\n]"), 2, "an operation is a map");
    is_refused(
        &format!("{json}\n{{\"process\":0,\"type\":\"ok\",\"f\":\"read\",\"value\":01}}"),
        2,
        "no JSON",
    );
    is_refused(&format!("{json}\n{{\"process\":0 \"type\":\"ok\"}}"), 2, "comma");
    is_refused("\n\nDear reader,\nthis is no history", 3, "none of the formats");
    let log = "INFO  jepsen.util - 0\t:invoke\t:read\tnil\n";
    is_refused(&format!("{log}INFO jepsen.util - 0 :ok :read 7\n"), 2, "by tabs");
    is_refused("INFO  jepsen.util - 0 :invoke :read nil\nINFO  jepsen.util - 0 :ok :read 7\n", 1, "by tabs");
    is_refused(&format!("{log}what is this\n"), 2, "no line of a Jepsen log");
    is_refused(&format!("{log}INFO  jepsen.util - 0\t:ok\t:read\t[1\n"), 2, "no EDN");
    let wrong = read(&b"\xff\xfe{\0"[..]).expect_err("UTF-16");
    assert!(wrong.why.contains("UTF-16"), "{}", wrong.why);
    let wrong = read(&b"{:process 0 :type :invoke :f :read :value \"\xff\"}"[..]).expect_err("no text");
    assert!(wrong.why.contains("UTF-8"), "{}", wrong.why);
}

#[test]
fn a_completion_of_another_operation_is_refused() {
    is_refused(
        "{:process 0, :type :invoke, :f :write, :value 1}\n{:process 0, :type :ok, :f :read, :value 7}",
        2,
        "completes `read`, and had invoked `write` (line 1)",
    );
    is_read(
        "{:process 0, :type :invoke, :f :write, :value 1}\n{:process 0, :type :ok, :value 1}",
        &["1 0:write 1 Ok 1"],
    );
}

#[test]
fn events_of_nobody_are_paired_where_one_is_under_way() {
    is_read(
        "{:index 0, :type :invoke, :value 1}\n{:type :invoke, :process 0, :value 2}\n{:type :ok, :value 3}\n\
         {:type :invoke, :value 4}\n{:type :info, :value 4}\n{:type :ok, :value 5}\n{:type :invoke, :value 6}",
        &[
            "1 281474976710656: 1 Ok 3",
            "4 281474976710657: 4 Info 4",
            "6 281474976710658: 5 Ok 5",
            "2 0: 2",
            "7 281474976710659: 6",
        ],
    );
}

#[test]
fn what_is_passed_is_counted() {
    let (all, passed) = read(
        &b"INFO  jepsen.core - Hello\n  and more\nINFO  jepsen.util - :nemesis\t:info\t:start\tnil\n\
           INFO  jepsen.util - 0\t:invoke\t:read\tnil\nWARN  jepsen.core - Oh\n"[..],
    )
    .expect("a log");
    assert_eq!(all.len(), 1);
    assert_eq!(passed, Passed { faults: 1, remarks: 0, chatter: 3 });
    assert_eq!(passed.told().as_deref(), Some("1 of the nemesis, 3 of other loggers"));
}

#[test]
fn a_format_can_be_said() {
    let mut events = Events::new(&b"[]"[..], Some(Format::JepsenLog)).expect("said");
    assert!(matches!(events.next(), Some(Err(_))));
    let mut events = Events::new(&b" [ ] \n"[..], None).expect("EDN");
    assert!(events.next().is_none() && events.is_empty_list());
    let mut events = Events::new(&b""[..], None).expect("nothing");
    assert!(events.next().is_none() && !events.is_empty_list());
    let alone = attempts("{:type :ok :value [[:r 1 2]]}").expect("a history");
    assert!(alone[0].is_alone && alone[0].kind() == Kind::Ok && alone[0].f.is_empty());
}
