//! The schemas and the crate accept the same JSON: every golden form of a command and of a record, and whatever becomes
//! of it by one change.

use grantbook::{Command, Record};
use jsonschema::Validator;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// What stands in the place of any value.
fn others() -> Vec<Value> {
    let mut others = vec![
        json!(null),
        json!(true),
        json!([]),
        json!({}),
        json!(["dev", "dev"]),
        json!(["dev", 1]),
        json!({ "stores": ["dev"] }),
        json!({ "stores": ["dev"], "more": 1 }),
        json!({ "member": "dana" }),
        json!([{ "role": "store-viewer", "scope": { "stores": [] } }]),
        json!([{ "role": "store-viewer", "scope": "store" }]),
        json!([{ "role": "store-viewer" }]),
    ];
    let numbers = [
        json!(-1),
        json!(0),
        json!(1),
        json!(1.5),
        json!(1_000),
        json!(1_001),
    ];
    others.extend(numbers);
    others.extend([json!(4_096), json!(4_097), json!(u64::MAX)]);
    let texts = [
        "",
        "a",
        "dev",
        "Dev Team",
        " Dev",
        "Dev ",
        "Dev\tTeam",
        "Café",
        "dev\u{7f}",
        "dev\u{200e}",
        "dev\u{2028}",
        "log.read",
        "log.",
        ".read",
        "Log.read",
        "log.1st",
        "account",
        "store",
        "system",
        "Account",
        "\u{9f}",
        "\u{a0}",
    ];
    others.extend(texts.map(Value::from));
    for length in [32, 33, 64, 65, 100, 101, 128, 129, 256, 257] {
        others.push("d".repeat(length).into());
        others.push(format!("log.{}", "d".repeat(length)).into());
    }
    others.push(json!(
        "0adc5962c9c2c2fcb1d2897444d4b2ae1a2e39c211ea85814994b8ec59a1555A"
    ));
    others
}

/// Everything that one change makes of this: a value is another, a field is missing, renamed or added.
fn changed(value: &Value) -> Vec<Value> {
    let mut all = others();
    match value {
        Value::Object(fields) => {
            let mut with_more = fields.clone();
            with_more.insert("more".to_owned(), json!(null));
            all.push(Value::Object(with_more));
            for (name, field) in fields {
                let without: Map<String, Value> = fields
                    .iter()
                    .filter(|(other, _)| *other != name)
                    .map(|(name, field)| (name.clone(), field.clone()))
                    .collect();
                let mut renamed = without.clone();
                renamed.insert(format!("{name}_"), field.clone());
                all.extend([Value::Object(without), Value::Object(renamed)]);
                all.extend(changed(field).into_iter().map(|field| {
                    let mut fields = fields.clone();
                    fields.insert(name.clone(), field);
                    Value::Object(fields)
                }));
            }
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                let mut without = items.clone();
                without.remove(place);
                all.push(Value::Array(without));
                all.extend(changed(item).into_iter().map(|item| {
                    let mut items = items.clone();
                    items[place] = item;
                    Value::Array(items)
                }));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    all
}

/// How many were tried, and how many of them are well formed.
fn agree<T: DeserializeOwned>(
    schema: &str,
    golden: &str,
    differs: impl Fn(&Value) -> bool,
) -> (usize, usize) {
    let schema: Value = serde_json::from_str(schema).unwrap();
    let schema: Validator = jsonschema::draft202012::new(&schema).unwrap();
    let (mut tried, mut accepted) = (0, 0);
    for line in golden.lines() {
        let form: Value = serde_json::from_str(line).unwrap();
        assert!(schema.is_valid(&form), "{line}");
        for form in changed(&form) {
            let read = serde_json::from_value::<T>(form.clone());
            let is_read = read.is_ok();
            let is_valid = schema.is_valid(&form) && !differs(&form);
            assert_eq!(is_valid, is_read, "{form}: {:?}", read.err());
            tried += 1;
            accepted += usize::from(is_valid);
        }
    }
    (tried, accepted)
}

#[test]
fn commands_are_read_as_their_schema_says() {
    let golden = include_str!("../../../tests/golden/commands.jsonl");
    let (tried, accepted) = agree::<Command>(grantbook_schema::COMMAND, golden, |_| false);
    println!("{tried} commands tried, {accepted} well formed");
    assert!(tried > 1_000 && accepted > 100, "{tried} {accepted}");
}

#[test]
fn records_are_read_as_their_schema_says() {
    let golden = include_str!("../../../tests/golden/records.jsonl");
    // No schema can say that one number is not above another.
    let is_beyond = |form: &Value| {
        let place = &form["commit"];
        place["number"].as_u64() > place["of"].as_u64()
    };
    let (tried, accepted) = agree::<Record>(grantbook_schema::RECORD, golden, is_beyond);
    println!("{tried} records tried, {accepted} well formed");
    assert!(tried > 1_000 && accepted > 100, "{tried} {accepted}");
}
