//! Texts and what they parse to, or what is said about them.

use proptest::prelude::*;

use crate::program::syntax::limits::ERRORS_MAX;
use crate::program::syntax::{Does, Expr, expression, steps};

#[test]
fn expressions_print_canonically() {
    for (text, printed) in [
        ("mutex( ttl=3s , wait=fixed(50ms),recheck=true)", "mutex(ttl=3s, wait=fixed(50ms), recheck=true)"),
        ("mix(60%=1, 40%=zipf(n=100k, s=1.1))", "mix(60%=1, 40%=zipf(n=100000, s=1.1))"),
        ("rate(0s=800/s, 3m10s=6000/s)", "rate(0ns=800/s, 190s=6000/s)"),
        (
            "p99.9(product, during=after(split, 30s)) < 300ms",
            "p99.9(product, during=after(split, 30s)) < 300ms",
        ),
        ("count(order) <= initial(shop.stock[1])", "count(order) <= initial(shop.stock[1])"),
        ("1 + 2 * 3 - (4 - 5)", "1 + 2 * 3 - (4 - 5)"),
        ("(1 + 2) * -3", "(1 + 2) * -3"),
        ("not (a and b) or c", "not (a and b) or c"),
        ("app[0..2]", "app[0..2]"),
        ("trace(../data/web07.trace, format=i32be)", "trace('../data/web07.trace', format=i32be)"),
        ("cut(a, from=[b, c])", "cut(a, from=[b, c])"),
        ("1x..50x", "1x..50x"),
        ("n mod 2 == 0", "n mod 2 == 0"),
    ] {
        let parsed = expression(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        assert_eq!(parsed.value.to_string(), printed);
        let again = expression(printed).unwrap_or_else(|error| panic!("{printed}: {error:?}"));
        assert_eq!(again.value.to_string(), printed);
    }
}

#[test]
fn mistakes_in_expressions_are_placed() {
    for (text, place, message) in [
        ("exp(1ms", 7..7, "expected `,`, found the end"),
        ("1 + ", 4..4, "expected a value, found the end"),
        ("a ? b", 2..3, "`?` has no meaning here"),
        ("20msec", 0..6, "unknown unit `msec`"),
        ("a b", 2..3, "unexpected `b`"),
        ("", 0..0, "expected a value, found the end"),
    ] {
        let error = expression(text).expect_err(text);
        assert_eq!((error.at, error.message.as_str()), (place, message), "{text}");
    }
    let deep = "(".repeat(5000);
    assert!(expression(&deep).expect_err("too deep").message.contains("nested"));
    let minus = "-".repeat(5000);
    assert!(expression(&minus).expect_err("too deep").message.contains("nested"));
    assert!(expression(&"x+".repeat(20_000)).expect_err("too long").message.contains("bytes"));
}

#[test]
fn programs_of_the_language_page_parse() {
    let buy = "
n = read shop.stock[item] at primary
if n < 1 { fail sold_out }
call bank with pay else { tally order_later; fail not_paid }
write shop.stock[item] = n - 1          # the lost update lives here
tally order";
    let parsed = steps(buy).expect("parses");
    assert_eq!(parsed.len(), 5);
    assert!(parsed[2].otherwise.as_ref().is_some_and(|otherwise| otherwise.len() == 2));
    for text in [
        "cpu exp(1ms); get pages[item]",
        "read shop.items[item] at replica; each 20 as i { read shop.reviews[item + i] at replica }; cpu 8ms",
        "update shop.stock[item] -= 1 when >= 1 else fail sold_out\ncall bank with pay else { update shop.stock[item] += 1; fail not_paid }",
        "par { a = get x[1]; b = call y.z(k=2, 3) from west size 4KiB } else return 0\nrace { wait 1ms; wait 2ms }",
        "par each n as i { wait exp(1ms) * i * 2 }",
        "hold l[1] { cpu 1ms } else fail busy\ntx shop with slow { read shop.t[1] for update taking 5ms }",
        "if a == 1 { return 1 }\nelse if a == 2 { return 2 size 10B }\nelse { return }",
        "call bank\nelse fail broke",
        "tally paid[acct] += amt; send mail.welcome(user=1)",
    ] {
        assert!(steps(text).is_ok(), "{text}: {:?}", steps(text));
    }
}

#[test]
fn a_distribution_keeps_its_factor_apart() {
    let parsed = steps("cpu exp(1ms) * n * 2").expect("parses");
    let Does::Cpu { distribution, times } = &parsed[0].does else { panic!("{parsed:?}") };
    assert_eq!(distribution.value.to_string(), "exp(1ms)");
    assert_eq!(times.as_ref().map(|times| times.value.to_string()).as_deref(), Some("n * 2"));
}

#[test]
fn all_mistakes_of_a_program_are_told() {
    let errors = steps("cpu\nreed x\nwrite a.b[1] 2\nif 1 { cpu 1ms").expect_err("four mistakes");
    let told: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
    assert_eq!(
        told,
        [
            "expected a value, found the end of the step",
            "`reed` is no step",
            "expected `=`, found `2`",
            "this `{` is never closed"
        ]
    );
    assert_eq!(errors[1].help.as_deref(), Some("did you mean `read`?"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,200}") {
        let _ = expression(&text);
        let _ = steps(&text);
    }

    #[test]
    fn no_soup_of_tokens_makes_the_parser_panic(
        soup in prop::collection::vec(prop::sample::select(vec![
            "cpu", "wait", "call", "get", "read", "update", "if", "else", "each", "par", "race", "{", "}", "(", ")",
            "[", "]", ",", ";", "\n", "=", "==", "-=", "1ms", "8", "80%", "a", "b.c", "..", "*", "-", "not", "when", ">=",
            "'t'", "#x", "$5/h", "p99.9",
        ]), 0..80)
    ) {
        let text = soup.join(" ");
        if let Ok(parsed) = expression(&text) {
            let printed = parsed.value.to_string();
            let again = expression(&printed).map(|again| again.value.to_string());
            prop_assert_eq!(again, Ok(printed));
        }
        if let Err(errors) = steps(&text) {
            for error in errors {
                prop_assert!(error.at.end <= text.len());
            }
        }
    }
}

#[test]
fn a_name_is_no_call() {
    assert_eq!(expression("none").map(|none| none.value), Ok(Expr::Name("none".to_owned())));
}

#[test]
fn hostile_texts_are_refused_and_not_followed() {
    for unit in [
        "(",
        "[",
        "f(",
        "a[",
        "a[1]",
        "-",
        "not ",
        "f(x=",
        "a.",
        "a+",
        "a*",
        "1..",
        "a<b and ",
        "f(a,",
        "{",
        "'",
        "p9.",
        "1m",
        "\n",
        "é",
        "if a {",
        "par{",
        "call a else ",
        "each 1 { x = ",
        "a\n",
        "x=1;",
        "cpu 1ms*",
        ".",
        "/",
    ] {
        for times in [30, 200, crate::program::syntax::limits::TEXT_BYTES_MAX / unit.len() - 1] {
            let text = unit.repeat(times);
            for text in
                [text.clone(), format!("{text}a"), format!("x = {text}a"), format!("cpu 1ms * {text}1")]
            {
                if let Ok(parsed) = expression(&text) {
                    let _ = parsed.value.to_string();
                }
                let _ = steps(&text);
            }
        }
    }
}

#[test]
fn mistakes_within_blocks_and_tokens_do_not_hide_others() {
    let text = "if a { reed b.c[1]; cpu }\nx = 5mss\nx = ?\npar {\n get\n drap p[1]\n}\n}";
    let errors = steps(text).expect_err("seven mistakes");
    let told: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
    assert_eq!(
        told,
        [
            "`reed` is no step",
            "expected a value, found `}`",
            "unknown unit `mss`",
            "`?` has no meaning here",
            "expected a value, found the end of the step",
            "expected a cache, found the end of the step",
            "`drap` is no step",
            "this `}` closes nothing",
        ]
    );
    assert_eq!(steps(&"reed x\n".repeat(500)).expect_err("many").len(), ERRORS_MAX);
}
