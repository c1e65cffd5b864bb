//! From `infra/template.yaml` to a stack on the emulators, by `sam deploy`.
//!
//! The template that is deployed is the one that ships. Only what a development build can't follow is replaced in a
//! copy: where the code lies, and how long things take.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::emulators::Emulators;
use crate::{ACCOUNT, PATIENCE, REGION, python, root, run_folder, until};

const BUCKET: &str = "shipshape-deploy";

/// A deployment takes three seconds, on a machine that does nothing else.
const SAM: Duration = Duration::from_secs(180);

/// What is to be deployed.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The stack's name.
    pub stack: String,
    /// The template, by its path from the root.
    pub template: String,
    /// The program of each function, by the name of its folder.
    pub binaries: BTreeMap<String, PathBuf>,
    /// Parameters that are not left at their defaults.
    pub parameters: Vec<(String, String)>,
    /// The functions' timeout and the queues' visibility timeout, in seconds, in place of what the template says: so
    /// that a test sees a message come back.
    pub seconds: Option<(u32, u32)>,
}

impl Plan {
    /// The one account's template, with the functions that cargo built for development.
    pub fn new(stack: &str) -> Self {
        let built = crate::target().join("debug");
        let binaries = ["cluster", "service", "task-definition"];
        Self {
            stack: stack.to_owned(),
            template: "infra/template.yaml".to_owned(),
            binaries: binaries.map(|name| (name.to_owned(), built.join(name))).into(),
            parameters: Vec::new(),
            seconds: None,
        }
    }
}

/// A deployed stack.
#[derive(Debug)]
pub struct Stack<'a> {
    emulators: &'a Emulators,
    name: String,
    outputs: BTreeMap<String, String>,
}

/// Deploys, and waits until the stack is complete.
pub fn deploy<'a>(emulators: &'a Emulators, plan: &Plan) -> Result<Stack<'a>> {
    let folder = run_folder(&format!("deploy-{}", plan.stack))?;
    let template = stage(plan, &folder)?;
    emulators.aws().create_bucket(BUCKET)?;
    let mut command = sam(&folder)?;
    command.args(["deploy", "--no-progressbar", "--no-confirm-changeset", "--no-fail-on-empty-changeset"]);
    command.args(["--stack-name", &plan.stack, "--s3-bucket", BUCKET, "--region", REGION]);
    command.arg("--template-file").arg(&template);
    command.args(["--capabilities", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]);
    if !plan.parameters.is_empty() {
        let pairs = plan.parameters.iter();
        command.arg("--parameter-overrides");
        command.args(pairs.map(|(name, value)| format!("{name}={value}")));
    }
    command.env("AWS_ENDPOINT_URL", emulators.ministack());
    let said = run(command, &folder)?;
    let described = describe(emulators, &plan.stack)?.with_context(|| said.clone())?;
    ensure!(described["StackStatus"] == "CREATE_COMPLETE", "{described}\n{said}");
    let mut outputs = BTreeMap::new();
    for output in described["Outputs"].as_array().into_iter().flatten() {
        if let (Some(name), Some(value)) = (output["OutputKey"].as_str(), output["OutputValue"].as_str()) {
            outputs.insert(name.to_owned(), value.to_owned());
        }
    }
    Ok(Stack { emulators, name: plan.stack.clone(), outputs })
}

/// Has sam's linter read a template, by its path from the root.
pub fn lint(template: &str) -> Result<()> {
    let folder = run_folder("lint")?;
    let mut command = sam(&folder)?;
    command.args(["validate", "--lint", "--region", REGION, "--template"]).arg(root().join(template));
    run(command, &folder)?;
    Ok(())
}

/// sam, in an environment that has nothing of the machine's.
fn sam(folder: &Path) -> Result<Command> {
    let mut command = Command::new(python("sam")?.with_file_name("sam"));
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        // It keeps a folder of its own there, and must find no credentials.
        .env("HOME", folder)
        .env("SAM_CLI_TELEMETRY", "0")
        .env("SAM_CLI_POLL_DELAY", "0.2")
        .env("AWS_ACCESS_KEY_ID", ACCOUNT)
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_DEFAULT_REGION", REGION)
        .current_dir(folder)
        .stdin(Stdio::null());
    Ok(command)
}

/// Runs it to its end, and answers what it said.
fn run(mut command: Command, folder: &Path) -> Result<String> {
    let log = folder.join("sam.log");
    let output = fs::File::create(&log)?;
    let mut running = command.stdout(output.try_clone()?).stderr(output).spawn().context("cannot run sam")?;
    let ended = until("sam", SAM, || running.try_wait().transpose());
    if ended.is_err() {
        running.kill()?;
    }
    let said = fs::read_to_string(&log).unwrap_or_default();
    let status = ended.with_context(|| said.clone())??;
    ensure!(status.success(), "sam: {status}\n{said}");
    Ok(said)
}

impl Stack<'_> {
    /// An output of the template.
    pub fn output(&self, name: &str) -> Result<&str> {
        let found = self.outputs.get(name).map(String::as_str);
        found.with_context(|| format!("the stack has no output {name}: {:?}", self.outputs))
    }

    /// Deletes it, and waits until it is gone.
    pub fn delete(self) -> Result<()> {
        let aws = self.emulators.aws();
        aws.call("cloudformation", "DeleteStack", &json!({"StackName": self.name}))?;
        until("the stack to be gone", PATIENCE, || match describe(self.emulators, &self.name) {
            Ok(Some(stack)) if stack["StackStatus"] != "DELETE_COMPLETE" => None,
            other => Some(other),
        })??;
        Ok(())
    }
}

fn describe(emulators: &Emulators, stack: &str) -> Result<Option<Value>> {
    let answer = emulators.aws().call("cloudformation", "DescribeStacks", &json!({"StackName": stack}));
    match answer {
        Ok(mut answer) => Ok(answer.pointer_mut("/Stacks/0").map(Value::take)),
        Err(error) if error.message.contains("does not exist") => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Writes the copy of the template, and beside it a folder for each function that it names.
fn stage(plan: &Plan, folder: &Path) -> Result<PathBuf> {
    let original = root().join(&plan.template);
    let text = fs::read_to_string(&original).with_context(|| original.display().to_string())?;
    let mut staged = String::new();
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let (indent, member) = line.split_at(indent);
        match (member.split_once(": "), plan.seconds) {
            (Some(("CodeUri", place)), _) => {
                let name = place.trim_start_matches("../functions/").trim_end_matches('/');
                let code = code(plan, name, folder)?;
                staged.push_str(&format!("{indent}CodeUri: {}\n", code.display()));
            }
            (Some(("Timeout", _)), Some((timeout, _))) => {
                staged.push_str(&format!("{indent}Timeout: {timeout}\n"))
            }
            (Some(("VisibilityTimeout", _)), Some((_, visibility))) => {
                staged.push_str(&format!("{indent}VisibilityTimeout: {visibility}\n"));
            }
            _ => staged.push_str(&format!("{line}\n")),
        }
    }
    let path = folder.join("template.yaml");
    fs::write(&path, staged)?;
    Ok(path)
}

/// A function's package: a script in place of the binary, which is too large to be zipped in each test.
fn code(plan: &Plan, name: &str, folder: &Path) -> Result<PathBuf> {
    let Some(binary) = plan.binaries.get(name) else {
        bail!("{} names {name}: no such binary", plan.template)
    };
    let binary = binary.canonicalize().with_context(|| format!("{} is not built", binary.display()))?;
    let code = folder.join(name);
    fs::create_dir_all(&code)?;
    let bootstrap = code.join("bootstrap");
    fs::write(&bootstrap, format!("#!/bin/sh\nexec '{}'\n", binary.display()))?;
    fs::set_permissions(&bootstrap, fs::Permissions::from_mode(0o755))?;
    Ok(code)
}
