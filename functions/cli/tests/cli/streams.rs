//! Much input: what is long, what breaks off, and reports that nobody could read as a whole.

use std::fs;

use serde_json::{Value, json};

use crate::command::{EVENT, file, gzip, lines, out, root, run};

/// A record as CloudTrail writes it, of a cluster that fails a control.
fn record(number: usize) -> String {
    let event: Value = serde_json::from_str(&fs::read_to_string(root(EVENT)).unwrap()).unwrap();
    let mut members = event["detail"].as_object().unwrap().clone();
    members["eventID"] = format!("id-{number:05}").into();
    let mut text = String::from("{");
    for name in ["eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion"] {
        text.push_str(&format!("\"{name}\":{},", members.remove(name).unwrap()));
    }
    let rest = Value::Object(members).to_string().replace("orders", &format!("cluster-{number:05}"));
    text + &rest[1..]
}

/// A record that nobody watches, so long.
fn filler(length: usize) -> String {
    let padding = "x".repeat(length);
    format!(
        r#"{{"eventVersion":"1.11","userIdentity":{{}},"eventTime":"2026-11-03T08:00:00Z","eventSource":"kms.amazonaws.com","eventName":"Decrypt","awsRegion":"eu-west-1","requestParameters":"{padding}"}}"#
    )
}

fn log(records: &[String]) -> String {
    format!("{{\"Records\":[{}]}}", records.join(","))
}

fn events(lines: &[Value]) -> &Value {
    &lines.last().unwrap()["summary"]["events"]
}

fn errors(lines: &[Value]) -> Vec<&Value> {
    lines.iter().filter(|line| line["kind"] == "error").collect()
}

#[test]
fn one_broken_file_of_a_hundred_loses_its_own_end_alone() {
    let folder = tempfile::tempdir().unwrap();
    // Nothing that compresses to next to nothing, or the end would be but a few bytes.
    let noise: String = (1..300_u64).map(|number| format!("{:x}", number * 40_503 % 65_521)).collect();
    for number in 0..100 {
        let middle = filler(1).replace("\"x\"", &format!("\"{noise}\""));
        let records = [record(2 * number), middle, record(2 * number + 1)];
        let mut bytes = gzip(log(&records).as_bytes());
        if number == 50 {
            bytes.truncate(bytes.len() - 300);
        }
        file(folder.path(), &format!("{number:03}.json.gz"), &bytes);
    }
    let path = folder.path().display().to_string();
    let lines = lines(&["replay", &path]);
    let errors = errors(&lines);
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0]["source"].as_str().unwrap().ends_with("050.json.gz"));
    assert!(errors[0]["offset"].as_u64().unwrap() > 2000, "{errors:?}");
    assert!(errors[0]["message"].as_str().unwrap().starts_with("gzip breaks off after"));
    let found = lines.iter().filter(|line| line["kind"] == "finding" && line["status"] == "failed");
    assert_eq!(found.count(), 199, "all but the last record of the broken file");
    assert_eq!(run(&["replay", &path]).status.code(), Some(2));
}

#[test]
fn a_log_that_breaks_off_says_where_and_keeps_what_came_before() {
    let folder = tempfile::tempdir().unwrap();
    let whole = log(&[record(1), filler(10), record(2), record(3)]);
    for cut in [whole.len() - 40, whole.len() - 1, whole.len() - 2] {
        let path = file(folder.path(), "cut.json", &whole.as_bytes()[..cut]);
        let lines = lines(&["replay", &path]);
        let errors = errors(&lines);
        assert_eq!(errors.len(), 1, "{cut}: {errors:?}");
        assert!(
            errors[0]["message"].as_str().unwrap().starts_with("the list breaks off at offset"),
            "{errors:?}"
        );
        assert!(errors[0]["offset"].as_u64().unwrap() as usize <= cut);
        assert_eq!(events(&lines)["read"], if cut == whole.len() - 40 { 3 } else { 4 });
    }
}

#[test]
fn logs_one_behind_the_other_are_read_and_rubbish_behind_them_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let [one, other] = [log(&[record(1), filler(10)]), log(&[filler(10), record(2)])];
    let members = [gzip(one.as_bytes()), gzip(other.as_bytes())].concat();
    for (name, bytes) in [("both.json.gz", members), ("both.json", format!("{one}\n{other}\n").into_bytes())]
    {
        let lines = lines(&["replay", &file(folder.path(), name, &bytes)]);
        assert_eq!((&events(&lines)["read"], errors(&lines).len()), (&json!(4), 0), "{name}");
        let sources: Vec<&str> = lines.iter().filter_map(|line| line["source"].as_str()).collect();
        assert!(sources[0].ends_with("#0") && sources[1].ends_with("#3"), "{sources:?}");
    }
    let lines = lines(&["replay", &file(folder.path(), "rest.json", format!("{one} and more").as_bytes())]);
    let message = errors(&lines)[0]["message"].as_str().unwrap();
    assert!(message.starts_with("something follows behind the list at offset"), "{message}");
    assert_eq!(events(&lines)["read"], 2);
}

#[test]
fn what_is_longer_than_may_be_held_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let much = 17 << 20;
    let long = record(2).replacen(
        "\"userIdentity\":{",
        &format!("\"userIdentity\":{{\"x\":\"{}\",", "x".repeat(much)),
        1,
    );
    let records = [record(1), filler(much), long, record(3)];
    let path = file(folder.path(), "long.json", log(&records).as_bytes());
    let found = lines(&["replay", &path]);
    let said: Vec<&str> = errors(&found).iter().filter_map(|error| error["message"].as_str()).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].starts_with("a record of more than 16 MiB at offset"), "{said:?}");
    assert_eq!((&events(&found)["read"], &events(&found)["changes"]), (&json!(3), &json!(2)));

    let event: Value = serde_json::from_str(&fs::read_to_string(root(EVENT)).unwrap()).unwrap();
    let long = format!("{{\"x\":\"{}\"}}", "x".repeat(much));
    let path = file(folder.path(), "long.jsonl", format!("{event}\n{long}\n{{}}\n{{\"a\":").as_bytes());
    let found = lines(&["replay", &path]);
    let errors = errors(&found);
    assert_eq!(errors.iter().map(|error| error["line"].as_u64()).collect::<Vec<_>>(), [Some(2), Some(4)]);
    assert!(errors[0]["message"].as_str().unwrap().contains("longer than 16 MiB"), "{errors:?}");
    assert_eq!(found[0]["kind"], "finding");
}

#[test]
fn of_very_many_findings_the_worst_are_whole_and_the_others_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let records: Vec<String> = (0..80).map(record).collect();
    let path = file(folder.path(), "log.json", log(&records).as_bytes());
    let only = ["replay", path.as_str(), "--control", "ecs-cluster-container-insights"];
    let text = out(&run(&only));
    assert!(text.starts_with("80 resources have findings. The 50 worst"), "{text}");
    assert_eq!(text.matches("           found  ").count(), 50);
    let heading = "medium   ecs-cluster-container-insights  failed, 30 more\n";
    let (_, rest) = text.split_once(heading).expect("the others by control");
    let line = rest.lines().next().unwrap();
    assert!(line.starts_with("  notify   arn:aws:ecs:"), "{line}");
    assert!(line.contains(":cluster/cluster-00050  20") && line.contains("Z by "), "{line}");
    assert_eq!(rest.lines().take_while(|line| !line.is_empty()).count(), 30);
    let table: Vec<&str> = rest.lines().skip_while(|line| !line.starts_with("by control")).take(2).collect();
    assert!(table[0].ends_with("failed  in mode fix: fixed  other"), "{table:?}");
    let cells: Vec<&str> = table[1].split_whitespace().collect();
    assert_eq!(
        cells,
        ["ecs-cluster-container-insights", "80", "20", "60"],
        "past the budget is other: {table:?}"
    );
    assert!(text.trim_end().lines().last().unwrap().starts_with("in mode fix:"));
    let full = out(&run(&[&only[..], &["--full"]].concat()));
    assert_eq!(full.matches("           found  ").count(), 80);
    let mut few = vec!["replay", "--control", "ecs-cluster-container-insights"];
    let path = file(folder.path(), "few.json", log(&records[..50]).as_bytes());
    few.push(&path);
    assert!(!out(&run(&few)).contains("resources have findings"));
}
