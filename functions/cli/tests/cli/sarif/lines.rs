//! That results point at the lines to blame, in whatever form the documents come.

use std::fs;

use serde_json::{Value, json};

use super::{list, results, sarif};
use crate::command::{file, gzip, out, run};

/// The lines of a text, in the units that columns count.
fn lines(text: &str) -> Vec<Vec<u16>> {
    text.split('\n').map(|line| line.encode_utf16().collect()).collect()
}

/// The text that a region marks, cut out as an editor would.
fn marked(lines: &[Vec<u16>], region: &Value) -> String {
    let number = |member: &str| usize::try_from(region[member].as_u64().unwrap()).unwrap();
    assert_eq!(number("startLine"), number("endLine"));
    let line = &lines[number("startLine") - 1];
    String::from_utf16(&line[number("startColumn") - 1..number("endColumn") - 1]).unwrap()
}

/// The line that each result of a file points at, and what it marks there.
fn marks(name: &str, text: &str, args: &[&str]) -> Vec<(u64, String)> {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), name, text.as_bytes());
    let lines = lines(text.trim_start_matches('\u{feff}'));
    let log = sarif(&[&[path.as_str()], args].concat());
    let mark = |result: &Value| {
        let region = &result["locations"][0]["physicalLocation"]["region"];
        (region["startLine"].as_u64().unwrap(), marked(&lines, region))
    };
    results(&log).iter().map(mark).collect()
}

const PRIVILEGED: &[&str] = &["--control", "ecs-container-not-privileged"];

const INPUT: &str = r#"{
  "family": "web", "odd \"{[,]}\" 🦀": "}\\",
  "containerDefinitions": [
    {
      "name": "web",
      "command": ["\"privileged\": true", "}"],
      "privileged": true
    },
    { "name": "é🦀", "privileged" : true },
    { "name": "fine",
      "privileged": false }
  ]
}
"#;

fn pretty(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

#[test]
fn every_form_of_a_document_has_its_lines() {
    let expected = [(7, r#""privileged": true"#), (9, r#""privileged" : true"#)];
    let expected = expected.map(|(line, text)| (line, text.to_owned()));
    assert_eq!(marks("pretty.json", INPUT, PRIVILEGED), expected);
    assert_eq!(marks("crlf.json", &INPUT.replace('\n', "\r\n"), PRIVILEGED), expected);
    assert_eq!(marks("bom.json", &format!("\u{feff}{INPUT}"), PRIVILEGED), expected);
    let lower = |by: u64| expected.clone().map(|(line, text)| (line + by, text));
    assert_eq!(marks("blank.json", &format!("\n\n{INPUT}"), PRIVILEGED), lower(2));
    let wrapped = format!("{{\n\"tags\": [],\n\"taskDefinition\":\n{INPUT}\n}}");
    assert_eq!(marks("wrapped.json", &wrapped, PRIVILEGED), lower(3));
    let recorded = format!("{{\"status_code\": 200,\n\"data\": {wrapped}}}");
    assert_eq!(marks("recorded.json", &recorded, PRIVILEGED), lower(4));
    let twice = [&lower(1)[..], &lower(15)].concat();
    assert_eq!(marks("list.json", &format!("[\n{INPUT},\n{INPUT}]"), PRIVILEGED), twice);
}

#[test]
fn one_line_has_its_columns() {
    let one = pretty(INPUT).to_string();
    let minified = r#""privileged":true"#.to_owned();
    let first = marks("minified.json", &one, PRIVILEGED);
    assert_eq!(first, [(1, minified.clone()), (1, minified.clone())]);
    assert_eq!(marks("bom.json", &format!("\u{feff}{one}"), PRIVILEGED), first);
    let several = format!("{{\"clusters\":[]}}\n\n{one}\nnot json\n[{one},{one}]\n");
    let expected = [3, 3, 5, 5, 5, 5].map(|line| (line, minified.clone()));
    assert_eq!(marks("lines.jsonl", &several, PRIVILEGED), expected);
    // Both containers stand in one line: only their columns tell them apart.
    let folder = tempfile::tempdir().unwrap();
    let log = sarif(&[&[file(folder.path(), "minified.json", one.as_bytes()).as_str()], PRIVILEGED].concat());
    let column = |result: &Value| {
        result["locations"][0]["physicalLocation"]["region"]["startColumn"].as_u64().unwrap()
    };
    let columns: Vec<u64> = results(&log).iter().map(column).collect();
    assert!(columns[0] < columns[1], "{columns:?}");
}

/// A member that is absent is missing from the nearest one around it; of what spans lines the first stands for it.
#[test]
fn what_is_missing_is_shown_where_it_should_be() {
    let text = "{\"services\": [],\n \"clusters\": [\n  {\"clusterName\": \"a\"},\n  {\"clusterName\": \"b\",\n   \
                \"settings\": [\n    {\"name\": \"containerInsights\",\n     \"value\": \"disabled\"}]}],\n\
                \"taskDefinition\": {\"family\": \"f\", \"containerDefinitions\": [\n{\n\"name\": \"web\"}]}}";
    let insights = ["--control", "ecs-cluster-container-insights", "--all"];
    let expected = [(3, "{\"clusterName\": \"a\"}"), (7, "\"value\": \"disabled\"")];
    assert_eq!(
        marks("a.json", text, &insights),
        expected.map(|(line, text)| (line, text.to_owned())),
        "the first has no settings and none were asked for, hence it is open"
    );
    let readonly = ["--control", "ecs-container-readonly-rootfs"];
    assert_eq!(marks("b.json", text, &readonly), [(9, "{".to_owned())]);
    assert_eq!(marks("c.json", text, &[PRIVILEGED, &["--all"]].concat()), [(8, "{".to_owned())]);
}

#[test]
fn a_service_points_at_the_revision_that_it_names_and_from_there_at_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let revision = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:7";
    let task = format!(
        "{{\"taskDefinition\": {{\"taskDefinitionArn\": \"{revision}\", \"family\": \"web\", \"revision\": 7,\n\
         \"containerDefinitions\": [{{\"name\": \"web\",\n\"privileged\": true}}]}}}}"
    );
    let service = format!(
        "{{\"services\": [{{\"serviceArn\": \"arn:aws:ecs:eu-west-1:111122223333:service/shop/web\",\n\
         \"status\": \"ACTIVE\",\n\"taskDefinition\": \"{revision}\"}}]}}"
    );
    let (task_path, service_path) =
        (file(folder.path(), "a.json", task.as_bytes()), file(folder.path(), "b.json", service.as_bytes()));
    let log = sarif(&[&[task_path.as_str(), &service_path], PRIVILEGED].concat());
    let [own, named] = results(&log).as_slice() else { panic!("{log}") };
    assert_eq!(own["relatedLocations"], Value::Null);
    let region = &named["locations"][0]["physicalLocation"]["region"];
    assert_eq!(marked(&lines(&service), region), format!("\"taskDefinition\": \"{revision}\""));
    let related = &named["relatedLocations"][0];
    assert_eq!(
        (&related["id"], marked(&lines(&task), &related["physicalLocation"]["region"])),
        (&json!(1), { "\"privileged\": true".to_owned() })
    );
    assert_eq!(related["physicalLocation"], own["locations"][0]["physicalLocation"]);
    let words = named["message"]["text"].as_str().unwrap();
    assert!(words.starts_with("In [revision](1) web:7, container web: /containerDefinitions/0/"), "{words}");
    assert_eq!(named["fixes"], Value::Null, "the mended revision has no number yet");
    assert_eq!(named["properties"]["plan"].as_array().unwrap().last().unwrap()["path"], "/taskDefinition");
    let alone = sarif(&[&[service_path.as_str()], PRIVILEGED].concat());
    let open = &results(&alone)[0];
    assert_eq!(open["kind"], "open");
    assert_eq!(&open["locations"][0]["physicalLocation"]["region"], region);
}

#[test]
fn what_has_no_lines_of_its_own_gets_none() {
    let folder = tempfile::tempdir().unwrap();
    let packed = folder.path().join("packed.json");
    fs::write(&packed, gzip(INPUT.as_bytes())).unwrap();
    let message = json!({"logEvents": [{"message": pretty(INPUT).to_string()}]}).to_string();
    let inside = file(folder.path(), "inside.json", message.as_bytes());
    for path in [packed.display().to_string(), inside] {
        let log = sarif(&[&[path.as_str()], PRIVILEGED].concat());
        assert_eq!(results(&log).len(), 2, "{path}");
        for result in results(&log) {
            let place = &result["locations"][0]["physicalLocation"];
            assert_eq!(place["region"], Value::Null, "{path}");
            assert_eq!(result["fixes"], Value::Null, "{path}");
        }
    }
}

/// The replacements of a log, made in the file.
fn mended(text: &str, log: &Value) -> String {
    let mut lines = lines(text);
    // From the last to the first, so that no replacement moves another.
    for result in results(log).iter().rev() {
        for fix in list(result, "fixes") {
            let replacement = &fix["artifactChanges"][0]["replacements"][0];
            let number = |member: &str| {
                usize::try_from(replacement["deletedRegion"][member].as_u64().unwrap()).unwrap()
            };
            assert_eq!(number("startLine"), number("endLine"));
            let inserted = replacement["insertedContent"]["text"].as_str().unwrap().encode_utf16();
            let columns = number("startColumn") - 1..number("endColumn") - 1;
            lines[number("startLine") - 1].splice(columns, inserted);
        }
    }
    let lines: Vec<String> = lines.iter().map(|line| String::from_utf16(line).unwrap()).collect();
    lines.join("\n")
}

#[test]
fn a_fix_that_is_offered_mends_the_file() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("pretty.json", INPUT.to_owned()), ("minified.json", pretty(INPUT).to_string())] {
        let path = file(folder.path(), name, text.as_bytes());
        let log = sarif(&[&[path.as_str()], PRIVILEGED].concat());
        assert!(results(&log).iter().all(|result| list(result, "fixes").len() == 1), "{log}");
        assert!(results(&log).iter().all(|result| result["properties"]["plan"].is_null()), "{log}");
        let mended = mended(&text, &log);
        assert_eq!(mended.replace("false", "true"), text.replace("false", "true"), "nothing else changes");
        fs::write(&path, mended).unwrap();
        let again = run(&[&["check", path.as_str()], PRIVILEGED].concat());
        assert_eq!(again.status.code(), Some(0), "{}", out(&again));
    }
}

#[test]
fn what_no_replacement_says_exactly_is_a_plan_and_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let text = INPUT.replacen("\"privileged\": true", "\"readonlyRootFilesystem\": false", 1);
    let path = file(folder.path(), "web.json", text.as_bytes());
    let args = ["--control", "ecs-container-readonly-rootfs"];
    let log = sarif(&[&[path.as_str()], &args[..]].concat());
    assert_eq!(results(&log).len(), 3);
    assert!(results(&log).iter().all(|result| result["fixes"].is_null()), "two of three members are absent");
    let plans: Vec<&Value> = results(&log).iter().map(|result| &result["properties"]["plan"]).collect();
    let json = run(&[&["check", path.as_str(), "--format", "json"], &args[..]].concat());
    let finding: Value = serde_json::from_str(out(&json).lines().next().unwrap()).unwrap();
    assert_eq!(plans, [&finding["plan"], &Value::Null, &Value::Null]);
}

/// One line, since that is the worst: whoever counts its columns anew for every result does not come to an end.
#[test]
fn neither_size_nor_depth_is_a_danger() {
    let container =
        |index: usize| json!({"name": format!("c{index}"), "odd": "ü".repeat(80), "privileged": true});
    let containers: Vec<Value> = (0..4000).map(container).collect();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let text = json!({"family": "web", "containerDefinitions": containers}).to_string();
    let text = text.replacen('{', &format!("{{\"deep\": {deep}, "), 1);
    let marks = marks("large.json", &text, PRIVILEGED);
    assert_eq!(marks.len(), 4000);
    assert!(marks.iter().all(|mark| *mark == (1, "\"privileged\":true".to_owned())));
}
