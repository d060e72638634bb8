//! What templates find, as tables: the value as a template prints it, with its kind in front where it is no text.

use super::{Found, Payload, Template, printed};
use crate::wire::scalar::Scalar;
use proptest::prelude::*;

fn found(template: &str, payload: &str) -> String {
    match Template::parse(template).read(&Payload::new(payload)) {
        Found::Nothing => "-".into(),
        Found::Unreadable => "unreadable".into(),
        Found::Value(Scalar::Nested) => "nested".into(),
        Found::Value(value @ Scalar::Number(_)) => format!("number {}", printed(&value).unwrap()),
        Found::Value(value) => printed(&value).unwrap().into_owned(),
    }
}

#[track_caller]
fn check(payload: &str, table: &[(&str, &str)]) {
    for (template, expected) in table {
        assert_eq!(found(template, payload), *expected, "{template} on {payload}");
    }
}

#[test]
fn paths_in_all_spellings() {
    let payload = r#"{"a":{"b":"x","list":[{"c":7},true]},"a-b":1.5,"no":null,"off":false,"空":"y","get":"z"}"#;
    check(
        payload,
        &[
            ("{{ value_json.a.b }}", "x"),
            ("{{value_json['a'].b}}", "x"),
            (r#"{{ value_json["a"]["b"] }}"#, "x"),
            ("{{- value_json.a.b -}}", "x"),
            ("{{ value_json.get('a').get(\"b\") }}", "x"),
            ("{{ value_json.get('c') }}", "None"),
            ("{{ value_json.get('c', 'none yet') }}", "none yet"),
            ("{{ value_json.get }}", "z"),
            ("{{ value_json.a.list[0].c }}", "number 7"),
            ("{{ value_json.a.list.0.c }}", "number 7"),
            ("{{ value_json.a.list[1] }}", "True"),
            ("{{ value_json.a.list[9] }}", "-"),
            (r#"{{ value_json["a-b"] }}"#, "number 1.5"),
            ("{{ value_json.空 }}", "y"),
            ("{{ value_json.no }}", "None"),
            ("{{ value_json.off }}", "False"),
            ("{{ value_json.a }}", "nested"),
            ("{{ value_json.missing }}", "-"),
            ("{{ value_json.missing.deeper | default('x') }}", "-"),
            ("{# the battery #}{{ value_json.a.b }}", "x"),
            ("constant", "constant"),
            ("", "-"),
        ],
    );
    check("ON", &[("{{ value }}", "ON"), ("{{ value | lower }}", "on"), ("{{ value_json.a }}", "-")]);
    check(
        "21.50",
        &[("{{ value }}", "21.50"), ("{{ value_json }}", "number 21.5"), ("{{ value | float }}", "number 21.5")],
    );
    assert_eq!(Template::WHOLE.read(&Payload::new(" ON")), Found::Value(Scalar::Text(" ON".into())), "as it came");
}

#[test]
fn filters() {
    let payload = r#"{"t":"21.57","n":21.5,"on":true,"w":" Open ","none":null,"zero":0}"#;
    check(
        payload,
        &[
            ("{{ value_json.t | float }}", "number 21.57"),
            ("{{ value_json.t | float(0) | round(1) }}", "number 21.6"),
            ("{{ float(value_json.t) }}", "number 21.57"),
            ("{{ float(value_json.w, 3) }}", "number 3"),
            ("{{ value_json.t | int }}", "number 21"),
            ("{{ value_json.t | int(0) }}", "number 21"),
            ("{{ value_json.t | int(0, 16) }}", "unreadable"),
            ("{{ value_json.w | float }}", "-"),
            ("{{ value_json.w | float(default=7) }}", "number 7"),
            ("{{ value_json.missing | float(0) }}", "number 0"),
            ("{{ value_json.none | float(1) }}", "number 1"),
            ("{{ value_json.n | round }}", "number 22"),
            ("{{ value_json.n | round(0, 'floor') }}", "unreadable"),
            ("{{ value_json.missing | default('x') }}", "x"),
            ("{{ value_json.none | default('x') }}", "None"),
            ("{{ value_json.none | default('x', true) }}", "x"),
            ("{{ value_json.zero | default(5, True) }}", "number 5"),
            ("{{ value_json.w | trim | upper }}", "OPEN"),
            ("{{ value_json.on | lower }}", "true"),
            ("{{ value_json.on | string }}", "True"),
            ("{{ value_json.on | int }}", "number 1"),
            ("{{ value_json.on | iif('ON', 'OFF') }}", "ON"),
            ("{{ value_json.missing | iif('ON', 'OFF') }}", "OFF"),
            ("{{ value_json.zero | bool }}", "False"),
            ("{{ value_json.w | bool }}", "-"),
            ("{{ value_json.missing | is_defined }}", "-"),
            ("{{ value_json.n | is_defined }}", "number 21.5"),
            ("{{ value_json.n | multiply(2) | add(-3) | abs }}", "number 40"),
            ("{{ value_json.n | timestamp_local }}", "unreadable"),
        ],
    );
}

#[test]
fn choices_and_sums() {
    let payload = r#"{"x":"y","n":20,"f":77.0,"on":true,"off":false,"list":["a","b"],"text":"no alarm"}"#;
    check(
        payload,
        &[
            ("{{ 'ON' if value_json.x == 'y' else 'OFF' }}", "ON"),
            ("{{ 'ON' if value_json.x != 'y' else 'OFF' }}", "OFF"),
            ("{{ 'ON' if value_json.missing == 'y' else 'OFF' }}", "OFF"),
            ("{{ 'ON' if value_json.missing != 'y' else 'OFF' }}", "ON"),
            ("{{ 'ON' if value_json.n == '20' else 'OFF' }}", "OFF"),
            ("{{ 'ON' if value_json.on == 1 else 'OFF' }}", "ON"),
            ("{{ 'ON' if value_json.on }}", "ON"),
            ("{{ 'ON' if value_json.off }}", "-"),
            ("{{ 'low' if value_json.n < 25 else 'high' }}", "low"),
            ("{{ 'low' if value_json.x < 25 else 'high' }}", "-"),
            ("{{ 'ON' if not value_json.off and value_json.n >= 20 else 'OFF' }}", "ON"),
            ("{{ 'ON' if value_json.off or (value_json.n > 20) else 'OFF' }}", "OFF"),
            ("{{ 'ON' if value_json.x in ['x', 'y'] else 'OFF' }}", "ON"),
            ("{{ 'ON' if 'c' not in value_json.list else 'OFF' }}", "ON"),
            ("{{ 'ON' if 'x' in value_json else 'OFF' }}", "ON"),
            ("{{ 'ON' if value_json.missing is defined else 'OFF' }}", "OFF"),
            ("{{ 'ON' if value_json.x is not none else 'OFF' }}", "ON"),
            ("{{ 'a' if value_json.n == 1 else 'b' if value_json.n == 20 else 'c' }}", "b"),
            ("{{ value_json.x == 'y' }}", "True"),
            ("{{ value_json.n / 10 }}", "number 2"),
            ("{{ value_json.n * 0.1 + 1 }}", "number 3"),
            ("{{ (value_json.f - 32) * 5 / 9 }}", "number 25"),
            ("{{ -value_json.n | float }}", "number -20"),
            ("{{ value_json.n / 0 }}", "-"),
            ("{{ value_json.x + 1 }}", "-"),
            ("{% if value_json.on %}ON{% else %}OFF{% endif %}", "ON"),
            ("{% if value_json.missing %} ON {% else %} OFF {% endif %}", "OFF"),
            ("{%- if value_json.n == 1 -%}a{%- elif value_json.n == 20 -%}{{ value_json.x }}{%- endif -%}", "y"),
            ("{% if value_json.n == 1 %}a{% endif %}", "-"),
            (r#"{"event_type": "{{ value_json.x }}", "n": {{ value_json.n }}}"#, r#"{"event_type": "y", "n": 20}"#),
        ],
    );
}

#[test]
fn what_falls_back_on_the_past_has_no_news() {
    let keeps = "{% if value_json.value == '77' %}{{'ON'}}{% else %}{{ states('binary_sensor.x') | upper }}{% endif %}";
    assert_eq!(found(keeps, r#"{"value":"77"}"#), "ON");
    assert_eq!(found(keeps, r#"{"value":"78"}"#), "-");
    let keeps = "{{ value_json.x if value_json.x is defined else this.state }}";
    assert_eq!(found(keeps, r#"{"x":"OFF"}"#), "OFF");
    assert_eq!(found(keeps, r#"{"y":"ON"}"#), "-");
}

#[test]
fn anything_else_is_unreadable() {
    let deep = format!("{{{{ {}value{} }}}}", "(".repeat(1000), ")".repeat(1000));
    let nested = "{% if value %}".repeat(200);
    let many = format!("{{{{ value{} }}}}", "|lower".repeat(200));
    let long = format!("{{{{ value }}}}{}", " ".repeat(5000));
    for template in [
        "{{ now() }}",
        "{{ this.attributes }}",
        "{{ value_json.x.split(',')[0] }}",
        "{{ value_json.x[0:2] }}",
        "{{ value_json[key] }}",
        "{{ value[4:6] | int(base=16) }}",
        "{{ {'a': 'ON'}[value] }}",
        "{{ value_json.a ~ value_json.b }}",
        "{{ value_json.a ** 2 }}",
        "{{ 2 // 1 }}",
        "{% set x = value_json.y %}{{ x }}",
        "{% for key in value_json %}{{ key }}{% endfor %}",
        "{{ value_json.a",
        "{{ value_json.a. }}",
        "{{ value_json['a }}",
        "{{ }}",
        "{% if %}a{% endif %}",
        "{% if value %}a",
        "{% else %}",
        "{{ a if b else c }}",
        "{{ value_json.a if now() else 1 }}",
        &deep,
        &nested,
        &many,
        &long,
    ] {
        assert_eq!(found(template, r#"{"a":1,"x":"y"}"#), "unreadable", "{}", &template[..template.len().min(60)]);
    }
}

#[test]
fn what_is_made_is_bounded() {
    let long = "x".repeat(5000);
    for template in ["{{ value | upper }}", "{{ value }}{{ value }}", "{{ 'y' if 'x' in value else 'z' }}"] {
        assert_eq!(found(template, &long), "-", "{template}");
    }
    assert_eq!(found("{{ value }}", &long), long);
}

#[test]
fn the_property_is_named() {
    for (template, property) in [
        (r#"{{ value_json["a-b"] }}"#, Some("a-b")),
        ("{{ value_json.a.b[0] | float(0) | round(1) }}", Some("a.b.0")),
        ("{{ value_json.a.get('b') }}", Some("a.b")),
        ("{{ 'ON' if value_json.x == 'y' else 'OFF' }}", Some("x")),
        ("{% if value_json.x %}true{% else %}false{% endif %}", Some("x")),
        ("{% if 'x' in value_json and value_json.x %}a{% endif %}", Some("x")),
        ("{{ value }}", None),
        ("{{ value_json }}", None),
        ("{{ value_json.a }}{{ value_json.b }}", None),
        ("{{ now() }}", None),
    ] {
        assert_eq!(Template::parse(template).property().as_deref(), property, "{template}");
    }
}

proptest! {
    /// Whatever stands in a template: no panic, and no more made than allowed.
    #[test]
    fn nothing_panics(pieces in prop::collection::vec(prop_oneof![
        Just("{{".to_owned()), Just("}}".into()), Just("{%".into()), Just("%}".into()), Just("if ".into()), Just("else".into()),
        Just("endif".into()), Just("value_json".into()), Just("value".into()), Just(".a".into()), Just("['a']".into()), Just("[0]".into()),
        Just("| float".into()), Just("| round(2)".into()), Just("| default(".into()), Just(")".into()), Just("(".into()), Just("-".into()),
        Just("==".into()), Just("* 1e9".into()), Just("/".into()), Just("'".into()), Just("\\".into()), Just("not ".into()),
        Just("in ".into()), Just("is ".into()), Just("温".into()), "\\PC{0,3}",
    ], 0..20), payload in "\\PC{0,20}") {
        let source = pieces.concat();
        let template = Template::parse(&source);
        let _ = template.property();
        for payload in [payload.as_str(), r#"{"a":[1,{"a":"x"}]}"#, "17"] {
            let payload = Payload::new(payload);
            if let Found::Value(Scalar::Number(number)) = template.read(&payload) {
                prop_assert!(number.is_finite());
            }
        }
    }
}
