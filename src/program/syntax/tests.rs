use super::*;

fn check(text: &str, canonical: &str) {
    let parsed = expression(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    assert_eq!(parsed.to_string(), canonical, "{text}");
    let again = expression(canonical).unwrap_or_else(|error| panic!("{canonical}: {error:?}"));
    assert_eq!(again.to_string(), canonical, "{text} printed");
}

#[test]
fn expressions_print_canonically_and_read_back() {
    for (text, canonical) in [
        ("5ms", "5ms"),
        ("p99( product )<300ms", "p99(product) < 300ms"),
        ("p99.9(product)", "p99.9(product)"),
        ("count(order) <= initial(shop.stock[1])", "count(order) <= initial(shop.stock[1])"),
        ("mix(60%=1, 40%=zipf(n=100k, s=1.1))", "mix(60%=1, 40%=zipf(n=100000, s=1.1))"),
        ("rate(0s=800/s, 3m10s=6000/s)", "rate(0s=800/s, 190s=6000/s)"),
        ("cut(a, from=[b, c])", "cut(a, from=[b, c])"),
        ("app.buy(item=1)", "app.buy(item=1)"),
        ("set(app[0].speed, 25%)", "set(app[0].speed, 25%)"),
        ("app[0..2]", "app[0..2]"),
        ("0.5x..2x", "0.5x..2x"),
        ("stale(feed, age=1s..2s)", "stale(feed, age=1s..2s)"),
        (
            "diverged(kv, before=split.end, at=after(split, 30s)) == 0",
            "diverged(kv, before=split.end, at=after(split, 30s)) == 0",
        ),
        ("file(../data/sizes.csv)", "file(../data/sizes.csv)"),
        ("trace('a b.csv', column=2)", "trace('a b.csv', column=2)"),
        ("cut(\"a b\")", "cut('a b')"),
        ("a - (b - c) - d", "a - (b - c) - d"),
        ("(a + b) * -c mod 2", "(a + b) * -c mod 2"),
        ("not a == b and not (a or b)", "not a == b and not (a or b)"),
        ("(not a) == b", "(not a) == b"),
        ("(a < b) == (c < d)", "(a < b) == (c < d)"),
        ("fault.split.for", "fault.split.for"),
        ("0-1", "0 - 1"),
        ("4*(1+2)", "4 * (1 + 2)"),
        ("expo(base=50ms, times=2, jitter=full)", "expo(base=50ms, times=2, jitter=full)"),
        ("none()", "none()"),
    ] {
        check(text, canonical);
    }
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    for (text, at, message) in [
        ("", 0..0, "expected a value, found the end"),
        ("mutex(ttl=3s", 5..6, "this bracket is never closed: `)` is missing"),
        ("mutex(ttl=3sec)", 10..14, "`sec` in `3sec` is not a unit"),
        ("a < b < c", 6..7, "comparisons do not chain"),
        ("a b", 2..3, "expected an operator or the end, found `b`"),
        ("a + ", 4..4, "expected a value, found the end"),
        ("a ? b", 2..3, "`?` means nothing here"),
        ("5.x", 1..2, "only names have fields and indices"),
        ("f(a,)", 4..5, "expected a value, found `)`"),
        ("f('abc)", 2..7, "this text never ends"),
        ("'abc' + 1", 6..7, "expected an operator or the end, found `+`"),
        ("99999999999999999999", 0..20, "overflows"),
    ] {
        let error = expression(text).expect_err(text);
        assert!(error.message.contains(message), "{text}: {error:?}");
        assert_eq!(error.at, at, "{text}: {error:?}");
    }
}

#[test]
fn hostile_texts_are_refused_and_not_followed() {
    for unit in [
        "(", "[", "f(", "a[", "-", "not ", "f(x=", "a.", "a+", "a<b and ", "f(a,", "{", "'", "p9.", "1m",
        "\n", "é",
    ] {
        for times in [40, 1_000, TEXT_MAX / unit.len()] {
            let text = unit.repeat(times);
            let _ = expression(&text);
            let _ = expression(&format!("{text}a"));
            let _ = steps(&text);
        }
    }
    assert!(expression(&"a".repeat(TEXT_MAX + 1)).is_err());
    assert!(expression(&format!("{}1{}", "(".repeat(40), ")".repeat(40))).is_ok());
    assert!(expression(&vec!["a"; 100].join(" + ")).is_ok());
}

fn check_steps(text: &str, canonical: &str) {
    let parsed = steps(text).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
    assert_eq!(parsed.to_string(), canonical, "{text}");
    let again = steps(canonical).unwrap_or_else(|errors| panic!("{canonical}: {errors:?}"));
    assert_eq!(again.to_string(), canonical, "{text} printed");
}

#[test]
fn every_form_of_step_prints_canonically_and_reads_back() {
    for (text, canonical) in [
        ("", ""),
        ("cpu exp(1ms); get pages[item]", "cpu exp(1ms); get pages[item]"),
        ("cpu 5ms * n * 2\nwait 1s*(n+1)", "cpu 5ms * n * 2; wait 1s * (n + 1)"),
        ("x = a + 1 # a comment; cpu\n\n y=x", "x = a + 1; y = x"),
        (
            "n = call app.buy(item=n, 2) with pay from eu size 2KiB",
            "n = call app.buy(item=n, 2) with pay from eu size 2KiB",
        ),
        ("call bank size 1kB with pay", "call bank with pay size 1kB"),
        (
            "x = get pages[a[1]]; put pages[1]; drop pages[x]",
            "x = get pages[a[1]]; put pages[1]; drop pages[x]",
        ),
        (
            "n = read shop.stock[i] at copy[2] for update taking exp(2ms)",
            "n = read shop.stock[i] at copy[2] for update taking exp(2ms)",
        ),
        ("read kv.a[1] taking 2ms at nearest", "read kv.a[1] at nearest taking 2ms"),
        ("write shop.stock[item] = n - 1", "write shop.stock[item] = n - 1"),
        (
            "update shop.stock[i] -= 1 when >= 1 else fail sold_out",
            "update shop.stock[i] -= 1 when >= 1 else { fail sold_out }",
        ),
        ("send jobs.work(1)", "send jobs.work(1)"),
        ("tally order; tally paid[acct] += amt", "tally order; tally paid[acct] += amt"),
        ("return n size 10kB; return", "return n size 10kB; return"),
        ("each 20 as i { read a.b[i] }", "each 20 as i { read a.b[i] }"),
        (
            "par each n { call a }\npar { call a; { call b; cpu 1ms } }",
            "par each n { call a }; par { call a; { call b; cpu 1ms } }",
        ),
        ("race { call a; call b } else { }", "race { call a; call b } else { }"),
        (
            "if n < 1 { fail a }\nelse if n < 2 { fail b } else { cpu 1ms }",
            "if n < 1 { fail a } else { if n < 2 { fail b } else { cpu 1ms } }",
        ),
        (
            "hold l[1] { cpu 1ms }; tx shop with p { write shop.a[1] = 2 }",
            "hold l[1] { cpu 1ms }; tx shop with p { write shop.a[1] = 2 }",
        ),
        ("call a\n\n  else {\n tally b\n fail c\n}\ncpu 1ms", "call a else { tally b; fail c }; cpu 1ms"),
        ("call a else call b else fail c", "call a else { call b else { fail c } }"),
        ("call a(\n 1,\n 2)", "call a(1, 2)"),
    ] {
        check_steps(text, canonical);
    }
}

#[test]
fn all_mistakes_of_a_program_are_found_at_once() {
    let text = "reed a.b[1]\nx = 5mss\nif n < { cpu 1ms }\nwrite a.b[1] += 2\ncall a; else fail b\ncpu 1ms * n + 1\nget pages\ncpu = 3";
    let errors = steps(text).unwrap_err();
    let found: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
    assert_eq!(
        found,
        [
            "`reed` is not a step",
            "`mss` in `5mss` is not a unit",
            "expected a value, found `{`",
            "expected `=`, found `+=`",
            "`else` follows nothing that can fail",
            "expected the end of the step, found `+`",
            "expected `[` and a key, found the end of the line",
            "`cpu` cannot be assigned to",
        ]
    );
    assert_eq!(errors[0].help.as_deref(), Some("did you mean `read`?"));
    for (text, message) in [
        ("if n { cpu 1ms", "this bracket is never closed: `}` is missing"),
        ("cpu 1ms }", "this `}` closes nothing"),
        ("call a with p with q", "`with` stands twice"),
        ("x += 1", "`x` is not a step"),
        ("x = write a.b[1] = 2", "`write` gives no value"),
        ("each { cpu 1ms }", "expected a value, found `{`"),
        ("5", "expected a step, found `5`"),
    ] {
        let errors = steps(text).unwrap_err();
        assert!(errors[0].message.contains(message), "{text}: {errors:?}");
    }
}
