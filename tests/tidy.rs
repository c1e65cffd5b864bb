//! The house's rules, read off the source tree.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use shipshape_core::controls;
use shipshape_core::policy::Policy;
use shipshape_core::selection::names;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every Rust file below these folders, by its path from the root.
fn sources(folders: &[&str]) -> Vec<(String, String)> {
    fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    let mut files = Vec::new();
    for folder in folders {
        walk(&root().join(folder), &mut files);
    }
    files.sort();
    let named = files.into_iter().map(|file| {
        let name = file.strip_prefix(root()).unwrap().display().to_string();
        (name, fs::read_to_string(file).unwrap())
    });
    named.collect()
}

/// The code of a file, without its tests.
fn code(text: &str) -> &str {
    text.split("\n#[cfg(test)]").next().unwrap_or_default()
}

#[test]
fn controls_are_sorted_and_every_one_has_its_file() {
    let slugs: Vec<&str> = controls::ALL.iter().map(|control| control.slug).collect();
    let sorted: BTreeSet<&str> = slugs.iter().copied().collect();
    assert_eq!(slugs, sorted.into_iter().collect::<Vec<_>>(), "sorted, and each once");
    let files: BTreeSet<String> = fs::read_dir(root().join("shared/core/src/controls"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().replace('_', "-"))
        .collect();
    assert_eq!(files, slugs.iter().map(|slug| (*slug).to_owned()).collect::<BTreeSet<_>>());
}

#[test]
fn every_control_says_why_and_where_it_comes_from() {
    for control in controls::ALL {
        let slug = control.slug;
        for (what, words) in
            [("title", control.title), ("rationale", control.rationale), ("template", control.template)]
        {
            assert!(words.len() > 10, "{slug} has no {what}");
        }
        assert!(
            control.reference.starts_with("https://docs.aws.amazon.com/"),
            "{slug}: {}",
            control.reference
        );
    }
}

#[test]
fn every_control_has_a_failing_and_a_passing_event() {
    let names: Vec<String> = fs::read_dir(root().join("events/ecs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    for control in controls::ALL {
        for verdict in ["fail", "pass"] {
            let start = format!("{}.{verdict}.", control.slug);
            assert!(names.iter().any(|name| name.starts_with(&start)), "no event {start}*");
        }
    }
}

#[test]
fn files_keep_their_budget() {
    for (name, text) in sources(&["shared", "functions", "tests"]) {
        let lines = code(&text).lines().count();
        let budget = match name.as_str() {
            name if name.ends_with("/main.rs") => 60,
            name if name.starts_with("shared/core/src/controls/") => 150,
            _ => 420,
        };
        assert!(
            name.starts_with("tests/") || lines <= budget,
            "{name} has {lines} lines: which noun wants a file of its own?"
        );
        assert!(text.starts_with("//!"), "{name} does not say what it is");
    }
}

#[test]
fn core_is_pure() {
    let tree = cargo_tree("shipshape-core");
    for forbidden in ["aws-", "tokio", "hyper", "reqwest", "rustls", "lambda"] {
        assert!(!tree.iter().any(|name| name.starts_with(forbidden)), "core links {forbidden}: {tree:?}");
    }
    let clippy = text("shared/core/clippy.toml");
    for banned in ["std::env::var", "std::fs::read", "std::time::SystemTime::now", "jiff::Timestamp::now"] {
        assert!(clippy.contains(&format!("\"{banned}\"")), "core may call {banned}");
    }
    for (name, text) in sources(&["shared/core/src"]) {
        for call in ["std::fs", "std::env", "std::net::Tcp", "SystemTime", "Instant::now", "println!", "dbg!"]
        {
            assert!(!code(&text).contains(call), "{name} names {call}");
        }
    }
}

#[test]
fn a_bare_cargo_run_builds_no_sdk() {
    for package in ["shipshape", "shipshape-tests"] {
        let tree = cargo_tree(package);
        assert!(tree.iter().any(|name| name == "shipshape-core"), "{package} does not link core: {tree:?}");
        assert!(!tree.iter().any(|name| name.starts_with("aws-")), "{package} links an SDK");
    }
}

/// What the desk asks of AWS is Parameter Store alone. The SDK of EC2 takes minutes to build.
#[test]
fn the_command_line_links_no_sdk_of_what_is_judged() {
    for manifest in ["functions/cli/Cargo.toml", "shared/aws/Cargo.toml"] {
        for service in ["ec2", "ecr", "ecs"] {
            for name in [format!("aws-sdk-{service}"), format!("shipshape-{service}")] {
                assert!(!text(manifest).contains(&name), "{manifest} names {name}");
            }
        }
    }
    assert!(!text("functions/cli/Cargo.toml").contains("default = ["), "a bare build has no feature");
}

fn cargo_tree(package: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--locked",
            "--edges",
            "normal,dev",
            "--prefix",
            "none",
            "--package",
            package,
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().filter_map(|line| line.split(' ').next()).map(ToOwned::to_owned).collect()
}

/// What only one function may make has its literal in that function's file alone.
#[test]
fn only_decide_authorises_only_prove_proves_and_only_combine_combines() {
    let makers = [
        ("Authorized {", "shared/core/src/decide.rs"),
        ("Proof {", "shared/core/src/remediation.rs"),
        ("Remediation {", "shared/core/src/remediation/combine.rs"),
    ];
    for (literal, home) in makers {
        for (name, text) in sources(&["shared", "functions"]) {
            let made = text.lines().filter(|line| {
                let line = line.trim();
                line.contains(literal) && !line.starts_with("impl ") && !line.starts_with("pub struct ")
            });
            let count = made.filter(|line| !line.contains("fn ")).count();
            assert!(name == home || count == 0, "{name} makes `{literal}`");
        }
    }
    let decide = text("shared/core/src/decide.rs");
    let made = decide.lines().filter(|line| line.contains("Authorized { control")).count();
    assert_eq!(made, 1, "one place authorises");
}

#[test]
fn every_dependency_has_its_reason() {
    let manifest = text("Cargo.toml");
    let section = manifest.split("[workspace.dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    for line in section.lines().filter(|line| line.contains('=') && !line.contains("path =")) {
        assert!(line.contains('#'), "no reason beside: {line}");
    }
}

/// The same switch that rewrites the snapshots rewrites the table: `INSTA_UPDATE=always`.
#[test]
fn the_readme_lists_the_catalogue_as_it_is() {
    let readme = text("README.md");
    let (before, rest) = readme.split_once("<!-- controls -->\n").expect("the table's beginning");
    let (table, after) = rest.split_once("<!-- /controls -->").expect("the table's end");
    let current = shipshape_core::catalogue::markdown();
    if std::env::var("INSTA_UPDATE").is_ok_and(|how| how == "always") {
        let updated = format!("{before}<!-- controls -->\n{current}<!-- /controls -->{after}");
        fs::write(root().join("README.md"), updated).unwrap();
        return;
    }
    assert!(table.trim() == current.trim(), "rewrite it: INSTA_UPDATE=always cargo test --test tidy");
}

/// The keys that the parser knows in a table, by what it says of one that it does not know.
fn keys(table: &str) -> Vec<String> {
    let text = format!("version = 1\n{table}\nzzzzzzzzzzzzzzzz = 1\n");
    let errors = Policy::parse("p", &text, &names()).expect_err("an unknown key").to_string();
    let (_, known) = errors.split_once("there are ").unwrap_or_else(|| panic!("{table}: {errors}"));
    known.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect()
}

#[test]
fn the_readme_and_the_example_have_every_key_of_a_policy() {
    let (readme, example) = (text("README.md"), text("infra/policy.example.toml"));
    let (_, rest) = readme.split_once("| Key | Type | Default | Meaning |").expect("the table");
    let listed = rest.split("\n\n").next().unwrap();
    let part = |title: &str| {
        let (_, rest) = listed.split_once(&format!("\n| {title} |")).unwrap_or_else(|| panic!("no {title}"));
        let end = ["\n| `[", "\n| *"].iter().filter_map(|start| rest.find(start)).min();
        rest.get(..end.unwrap_or(rest.len())).unwrap().to_owned()
    };
    let settings = part("*top level, account, rule*");
    for (title, table) in [
        ("*top level*", ""),
        ("`[accounts.ID]`", "[accounts.111122223333]"),
        ("`[[rules]]`", "[[rules]]"),
        ("`[[exemptions]]`", "[[exemptions]]"),
        ("`[budget]`", "[budget]"),
        ("`[delegation]`", "[delegation]"),
    ] {
        let rows = part(title);
        for key in keys(table) {
            // Some keys of the top level are tables, and an account's own document has some of the top level.
            let of_own = ["version", "exemptions"].contains(&&*key) && table.starts_with("[accounts");
            let is_table = ["[", "[["].iter().any(|start| listed.contains(&format!("| `{start}{key}")));
            let said = rows.contains(&format!("`{key}`")) || settings.contains(&format!("| `{key}` |"));
            assert!(said || is_table || of_own, "README.md does not list `{key}` of {title}");
            let shown = example.contains(&format!("\n{key} = ")) || example.contains(&format!("[{key}"));
            assert!(shown, "the example does not show `{key}` of {title}");
        }
    }
    let rows = part("`[controls.SLUG]`");
    for control in names() {
        for parameter in control.parameters {
            let row = rows.lines().find(|row| {
                row.contains(&format!("`{}`", parameter.name)) && row.contains(&format!("`{}`", control.slug))
            });
            assert!(row.is_some(), "README.md does not list `{}` of {}", parameter.name, control.slug);
        }
    }
    assert!(rows.contains("`enabled`") && example.contains("\nenabled = true"));
    assert!(Policy::parse("p", &example, &names()).is_ok());
}

#[test]
fn no_secret_of_an_event_stands_in_a_snapshot() {
    let holds = |folder: &str| {
        let files = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
        files
            .filter(|file| fs::read_to_string(file).unwrap().contains("SHIPSHAPE_CANARY"))
            .collect::<Vec<PathBuf>>()
    };
    assert!(holds("events/ecs").len() >= 5, "events hold secrets, so that a leak would show");
    assert_eq!(holds("tests/snapshots"), Vec::<PathBuf>::new());
}

/// A queue shows a message again after six of its function's timeouts, a message is tried ten times, and what failed waits
/// for a person longer than it could wait in the queue.
#[test]
fn the_numbers_of_the_queues_fit_together() {
    let template = text("infra/template.yaml");
    let numbers = |name: &str| -> Vec<u64> {
        let after = template.split(name).skip(1);
        let digits = after.map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
        digits.filter_map(|digits| digits.parse().ok()).collect()
    };
    let queues = template.matches("Type: AWS::SQS::Queue\n").count();
    let timeouts = numbers(" Timeout: ");
    assert_eq!(timeouts.len(), 1, "one timeout for every function");
    assert_eq!(numbers("VisibilityTimeout: "), vec![6 * timeouts[0]; queues / 2]);
    assert_eq!(numbers("maxReceiveCount: "), vec![10; queues / 2]);
    let (four, fourteen) = (4 * 86_400, 14 * 86_400);
    let mut kept = numbers("MessageRetentionPeriod: ");
    kept.sort_unstable();
    assert_eq!(kept, [vec![four; queues / 2], vec![fourteen; queues / 2]].concat());
}

/// What a role may do, and what the code asks for: an action too few is a fix that never comes, one too many is a risk.
#[test]
fn the_roles_may_call_ecs_as_the_code_does() {
    let mut called: BTreeSet<String> = BTreeSet::new();
    for (_, text) in sources(&["shared/ecs/src"]) {
        let text: String = text.split_whitespace().collect();
        let names = text.split("(\"").skip(1).filter_map(|rest| rest.split('"').next());
        let is_call = |name: &&str| {
            let verbs = ["Describe", "List", "Put", "Register", "Tag", "Update"];
            let rest = verbs.iter().find_map(|verb| name.strip_prefix(verb)).unwrap_or_default();
            !rest.is_empty() && rest.chars().all(|letter| letter.is_ascii_alphabetic())
        };
        called.extend(names.filter(is_call).map(ToOwned::to_owned));
    }
    let template = text("infra/template.yaml");
    let words = template.split(|letter: char| !letter.is_ascii_alphabetic() && letter != ':');
    let actions = words.filter_map(|word| word.strip_prefix("ecs:"));
    let actions = actions.filter(|action| action.starts_with(|letter: char| letter.is_ascii_uppercase()));
    let allowed: BTreeSet<String> = actions.map(ToOwned::to_owned).collect();
    assert_eq!(called, allowed);
    // A revision's controls may ask for the account's settings, whoever judges it.
    for function in ["ServiceFunction", "TaskDefinitionFunction"] {
        let role = template.split(&format!("  {function}:\n")).nth(1).unwrap();
        let role = role.split("::Logs::LogGroup").next().unwrap();
        assert!(role.contains("ecs:ListAccountSettings"), "{function}");
    }
}
