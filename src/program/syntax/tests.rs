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
        }
    }
    assert!(expression(&"a".repeat(TEXT_MAX + 1)).is_err());
    assert!(expression(&format!("{}1{}", "(".repeat(40), ")".repeat(40))).is_ok());
    assert!(expression(&vec!["a"; 100].join(" + ")).is_ok());
}
