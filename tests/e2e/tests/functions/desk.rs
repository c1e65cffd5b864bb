//! The command line against what is deployed: what it writes is what the functions read, and what goes wrong is told.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use serde_json::json;
use shipshape_e2e::aws::Aws;
use shipshape_e2e::emulators::Emulators;
use shipshape_e2e::proxy::{Fault, Rule};
use shipshape_e2e::{ACCOUNT, REGION, fixtures, run_folder, target};

use crate::scenario::Fix;
use crate::world::{FIXING, deployed};

const SWITCH: &str = "/shipshape/switch";
const POLICY: &str = "/shipshape/policy";
const OWN: &str = "/shipshape/accounts/222233334444";

/// Safe fixes everywhere.
const FIX: &str = "version = 1\nmode = \"fix\"\n";

/// A person with the command line, in a folder that has nothing else in it.
struct Desk {
    endpoint: String,
    folder: PathBuf,
}

/// With credentials and a Region.
fn as_somebody(command: &mut Command) -> &mut Command {
    command.env("AWS_ACCESS_KEY_ID", ACCOUNT).env("AWS_SECRET_ACCESS_KEY", "test").env("AWS_REGION", REGION)
}

/// What the command line came to.
struct Said {
    status: i32,
    out: String,
    err: String,
}

impl Desk {
    fn at(emulators: &Emulators) -> Self {
        Self { endpoint: emulators.proxy().endpoint(), folder: run_folder("desk").unwrap() }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(target().join("debug/shipshape").canonicalize().unwrap());
        // Nothing of the machine's: no profile, no credentials.
        command.env_clear().env("HOME", &self.folder).current_dir(&self.folder).stdin(Stdio::null());
        command.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_ENDPOINT_URL", &self.endpoint);
        command.args(args);
        command
    }

    fn run(&self, args: &[&str]) -> Said {
        Said::of(as_somebody(&mut self.command(args)).output().unwrap())
    }

    /// Writes the policy to a file, and pushes it.
    fn push(&self, policy: &str, more: &[&str]) -> Said {
        std::fs::write(self.folder.join("policy.toml"), policy).unwrap();
        self.run(&[&["policy", "push", "policy.toml"], more].concat())
    }

    fn switch(&self, to: &[&str]) -> Said {
        self.run(&[&["switch"], to].concat())
    }
}

impl Said {
    /// Prose is told in lines; what is looked for may stand on two.
    fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).unwrap();
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        Self { status: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    #[track_caller]
    fn done(self, parts: &[&str]) -> Self {
        assert_eq!((self.status, self.err.as_str()), (0, ""), "{}", self.out);
        for part in parts {
            assert!(self.out.contains(part), "no `{part}` in {}", self.out);
        }
        self
    }

    #[track_caller]
    fn refused(self, parts: &[&str]) -> Self {
        assert_eq!(self.status, 2, "{} {}", self.out, self.err);
        for part in parts {
            assert!(self.err.contains(part), "no `{part}` in {}", self.err);
        }
        self
    }
}

/// The parameters of a stack, without one.
fn parameters(aws: &Aws) {
    fixtures::parameter(aws, SWITCH, "run").unwrap();
    fixtures::parameter(aws, POLICY, "version = 1\n").unwrap();
}

fn read(aws: &Aws, name: &str) -> Option<(String, u64)> {
    let answer = aws.call("ssm", "GetParameter", &json!({"Name": name})).ok()?;
    let parameter = &answer["Parameter"];
    Some((parameter["Value"].as_str()?.to_owned(), parameter["Version"].as_u64()?))
}

fn calls(emulators: &Emulators) -> Vec<String> {
    emulators.proxy().matching("ssm.*").iter().map(|call| call.name()).collect()
}

#[test]
fn what_is_pushed_and_where_the_switch_stands_is_what_the_functions_go_by() {
    let emulators = Emulators::start().unwrap();
    let world = deployed(&emulators, FIXING).unwrap();
    let desk = Desk::at(&emulators);
    let acts = |cluster: &str| {
        let violation = Fix::Insights.violate(&world, cluster).unwrap();
        world.happens(&violation.event).unwrap();
        let told = world.told(&violation.change).unwrap();
        (told["action"].as_str().unwrap().to_owned(), violation.is_mended(&world).unwrap())
    };
    assert_eq!(acts("orders"), ("notified".to_owned(), false));

    let shown = desk.push(FIX, &["--dry-run"]);
    let changes = [
        "against version 2 of /shipshape/policy in eu-west-1 of account 111122223333",
        "looser newly in fix, in every account: ecs-account-container-insights",
        "tighter newly told, in every account: ecs-container-logging a rule is gone: ",
        "[budget] fixes_per_account_per_hour is 20, where it was 10000",
        "/shipshape/policy: version 2 becomes 3, 25 bytes",
    ];
    shown.done(&changes).done(&["dry run: nothing was written"]);
    assert_eq!(acts("carts"), ("notified".to_owned(), false));
    desk.push(FIX, &[]).done(&changes).done(&["written: /shipshape/policy, version 3"]);
    assert_eq!(acts("invoices"), ("fixed".to_owned(), true));

    desk.switch(&["pause"])
        .done(&["/shipshape/switch is pause in eu-west-1 of account 111122223333, version 2: no new fix"]);
    assert_eq!(acts("payments"), ("notified".to_owned(), false));
    desk.push("version = 1\n", &["--dry-run"])
        .done(&["tighter no longer in fix, only told, in every account", "the switch stands at pause"]);
    desk.switch(&["run"]).done(&["is run", "version 3: fixes run where the policy says so"]);
    assert_eq!(acts("returns"), ("fixed".to_owned(), true));

    // As a hand in the console would leave it.
    fixtures::parameter(&world.aws, SWITCH, "Run").unwrap();
    desk.switch(&[]).done(&[
        "is `Run`",
        "none of run, pause and freeze",
        "The functions take that for pause: no new fix",
    ]);
    assert_eq!(acts("baskets"), ("notified".to_owned(), false));
    desk.switch(&["freeze"]).done(&["is freeze", "nothing is written at all"]);
    assert_eq!(acts("wishes"), ("notified".to_owned(), false));
}

#[test]
fn what_may_not_be_written_is_refused_and_nothing_is_touched() {
    let emulators = Emulators::start().unwrap();
    let (aws, desk) = (emulators.aws(), Desk::at(&emulators));
    desk.push(FIX, &[]).refused(&[
        "no Shipshape is deployed there",
        "in eu-west-1",
        "AWS_PROFILE",
        "infra/template.yaml",
    ]);
    desk.switch(&["run"]).refused(&["no Shipshape is deployed there"]);
    desk.switch(&[]).refused(&["no Shipshape is deployed there"]);
    assert_eq!((read(&aws, SWITCH), read(&aws, POLICY)), (None, None));

    parameters(&aws);
    emulators.proxy().clear();
    let bad = "version = 1\nmode = \"fixx\"\n";
    desk.push(bad, &[]).refused(&["the policy is wrong: policy.toml:2:8: `fixx` is not a mode"]);
    let rule = |count: usize| "[[rules]]\nclusters = [\"some-cluster\"]\nmode = \"off\"\n".repeat(count);
    let large = format!("version = 1\n{}", rule(200));
    desk.push(&large, &[]).refused(&["too long for SSM: /shipshape/policy would be over 8192 bytes"]);
    desk.run(&["policy", "push", "none.toml"]).refused(&["cannot read the policy none.toml"]);
    desk.switch(&["Run"]).refused(&["`Run` is not a position of the switch: write run, pause or freeze"]);
    assert_eq!(calls(&emulators), Vec::<String>::new(), "nobody was asked");
    desk.push(FIX, &["--dry-run"]).done(&["dry run: nothing was written"]);
    assert_eq!(read(&aws, POLICY).unwrap(), ("version = 1\n".to_owned(), 1));

    // What is more than a standard parameter holds is said, since it costs something.
    let dear = format!("version = 1\n{}", rule(100));
    desk.push(&dear, &[]).done(&["an advanced parameter, which AWS charges for", "version 2"]);
    desk.push(&dear, &[]).done(&["nothing changes: what stands there is what the file says"]);
    assert_eq!(read(&aws, POLICY).unwrap().1, 2);
    desk.switch(&["run"]).done(&["is run", "version 1"]);

    aws.call("ssm", "DeleteParameter", &json!({"Name": SWITCH})).unwrap();
    desk.switch(&[]).done(&["There is no /shipshape/switch in eu-west-1", "take that for pause"]);
    desk.switch(&["run"]).done(&["is run", "version 1"]);

    for name in [SWITCH, POLICY] {
        aws.call("ssm", "DeleteParameter", &json!({"Name": name})).unwrap();
        let secret = json!({"Name": name, "Value": "run", "Type": "SecureString"});
        aws.call("ssm", "PutParameter", &secret).unwrap();
    }
    let why = "is a SecureString, which the functions do not decrypt";
    desk.switch(&[]).done(&["is a SecureString in eu-west-1", "They take that for pause: no new fix"]);
    desk.push(FIX, &[]).refused(&[why, "aws ssm delete-parameter --name /shipshape/policy"]);
    desk.switch(&["run"]).refused(&[why, "aws ssm delete-parameter --name /shipshape/switch"]);

    aws.call("ssm", "DeleteParameter", &json!({"Name": SWITCH})).unwrap();
    desk.switch(&[]).done(&["There is no /shipshape/switch in eu-west-1", "take that for pause"]);
    desk.switch(&["run"]).done(&["is run", "version 1"]);

    for name in [SWITCH, POLICY] {
        aws.call("ssm", "DeleteParameter", &json!({"Name": name})).unwrap();
    }
    fixtures::parameter(&aws, SWITCH, "run").unwrap();
    desk.push(FIX, &[]).done(&[
        "no policy is deployed in eu-west-1",
        "every account is at notify",
        "/shipshape/policy: new",
        "version 1",
    ]);
    assert_eq!(read(&aws, POLICY).unwrap().1, 1);
}

#[test]
fn what_accounts_may_say_is_written_first_and_what_is_left_over_is_told() {
    let emulators = Emulators::start().unwrap();
    let (aws, desk) = (emulators.aws(), Desk::at(&emulators));
    parameters(&aws);
    fixtures::parameter(&aws, "/shipshape/accounts/333344445555", "mode = \"fix\"\n").unwrap();
    let own = "[accounts.222233334444]\nname = \"shop\"\nmode = \"fix\"\n[delegation]\nmodes = [\"fix\"]\n";
    let said = desk.push(&format!("version = 1\n{own}"), &[]).done(&[
        "newly in fix, in 222233334444 (shop), 333344445555:",
        "an account's own parameter may now say fix",
        "/shipshape/accounts/333344445555 stands there and is not in the file",
        "/shipshape/accounts/222233334444: new",
    ]);
    let written = said.out.split("written: ").skip(1).map(|rest| rest.split(',').next().unwrap());
    assert_eq!(written.collect::<Vec<_>>(), [OWN, POLICY]);
    assert_eq!(read(&aws, OWN).unwrap().1, 1);
    // Whoever stops listening has asked for it all the same.
    let mut deaf = desk.command(&["policy", "push", "policy.toml"]);
    let (listener, speaker) = std::io::pipe().unwrap();
    drop(listener);
    std::fs::write(desk.folder.join("policy.toml"), format!("version = 1\ngrace = \"1h\"\n{own}")).unwrap();
    as_somebody(&mut deaf).stdout(speaker).status().unwrap();
    assert!(read(&aws, POLICY).unwrap().0.contains("1h"));
    desk.push("version = 1\n", &["--dry-run"]).done(&[
        "still wrong afterwards: /shipshape/accounts/222233334444:1: mode = \"fix\" is ignored",
        "no longer in fix, only told, in 222233334444 (shop), 333344445555",
    ]);
}

#[test]
fn what_somebody_writes_meanwhile_is_told() {
    let emulators = Emulators::start().unwrap();
    let (aws, desk) = (Arc::new(emulators.aws()), Desk::at(&emulators));
    parameters(&aws);
    let theirs = |name: &'static str, value: &'static str| {
        let aws = Arc::clone(&aws);
        Fault::hook(move |_| fixtures::parameter(&aws, name, value).unwrap())
    };
    let put = || Rule::on("ssm.PutParameter").nth(1);
    let meanwhile = |rule: Rule| {
        emulators.proxy().clear();
        emulators.proxy().add(rule);
    };
    meanwhile(put().before(theirs(POLICY, "version = 1\nmode = \"off\"\n")));
    let said = desk.push(FIX, &[]).refused(&[
        "/shipshape/policy: somebody wrote version 2 while this ran, and version 3, which is yours",
        "aws ssm get-parameter --region eu-west-1 --name /shipshape/policy:2",
    ]);
    assert!(said.out.contains("written: /shipshape/policy, version 3"), "{}", said.out);
    meanwhile(put().after(theirs(POLICY, "version = 1\nmode = \"off\"\n")));
    desk.push("version = 1\n", &[])
        .refused(&["version 4 was written, and somebody changed it right after: version 5"]);

    meanwhile(put().before(theirs(SWITCH, "freeze")));
    desk.switch(&["pause"])
        .refused(&["/shipshape/switch: somebody wrote version 2 while this ran, and version 3"]);
    meanwhile(put().after(theirs(SWITCH, "freeze")));
    desk.switch(&["run"])
        .refused(&["was set to run, version 4, and somebody changed it right after: it is `freeze` now"]);
    aws.call("ssm", "DeleteParameter", &json!({"Name": SWITCH})).unwrap();
    meanwhile(put().before(theirs(SWITCH, "freeze")));
    desk.switch(&["run"]).refused(&["ParameterAlreadyExists", "somebody made it while this ran"]);
    assert_eq!(read(&aws, SWITCH).unwrap(), ("freeze".to_owned(), 1));

    // An answer that was lost is no somebody: the write is sent again.
    meanwhile(put().after(Fault::Cut));
    desk.switch(&["pause"]).done(&["is pause", "version 3"]);
    meanwhile(put().after(Fault::Cut));
    desk.push(FIX, &[]).done(&["written: /shipshape/policy, version 7"]);
}

#[test]
fn what_aws_refuses_is_told_with_what_to_do() {
    let emulators = Emulators::start().unwrap();
    let (aws, desk) = (emulators.aws(), Desk::at(&emulators));
    parameters(&aws);
    let rights =
        "needs ssm:GetParameters, ssm:GetParametersByPath and ssm:PutParameter on parameter/shipshape/*";
    let rows = [
        ("ssm.GetParameters", 400, "AccessDeniedException", rights),
        ("ssm.GetParametersByPath", 400, "AccessDeniedException", rights),
        ("ssm.PutParameter", 400, "AccessDeniedException", rights),
        ("ssm.GetParameters", 400, "ExpiredTokenException", "log in again"),
        ("ssm.PutParameter", 400, "ThrottlingException", "do it again in a minute"),
        ("ssm.PutParameter", 500, "InternalServerError", "may have been written all the same"),
        ("ssm.PutParameter", 400, "ValidationException", "made by the test"),
    ];
    for (call, status, code, what) in rows {
        emulators.proxy().clear();
        emulators.proxy().add(Rule::on(call).before(Fault::error(status, code)));
        let name = call.trim_start_matches("ssm.");
        desk.push(FIX, &[]).refused(&[&format!("{name} in eu-west-1: {code}: made by the test"), what]);
        if name != "GetParametersByPath" {
            desk.switch(&["pause"]).refused(&[&format!("{name} in eu-west-1: {code}"), what]);
        }
    }
    emulators.proxy().clear();
    emulators
        .proxy()
        .add(Rule::on("ssm.PutParameter").nth(2).before(Fault::error(400, "AccessDeniedException")));
    let own = "[accounts.222233334444]\nmode = \"fix\"\n[delegation]\nmodes = [\"fix\"]\n";
    let half = desk.push(&format!("version = 1\n{own}"), &[]);
    assert!(
        half.out.ends_with(&format!("written: {OWN}, version 1")),
        "what was written is said: {}",
        half.out
    );
    half.refused(&["cannot write /shipshape/policy: PutParameter in eu-west-1: AccessDeniedException"]);

    emulators.proxy().clear();
    let nobody = |region: Option<&str>| {
        let mut command = desk.command(&["switch"]);
        command.envs(region.map(|region| ("AWS_REGION", region)));
        Said::of(command.output().unwrap())
    };
    nobody(None).refused(&["no Region to look in: set AWS_REGION"]);
    nobody(Some(REGION)).refused(&[
        "no credentials for AWS",
        "aws sso login",
        "aws configure export-credentials",
    ]);
    assert_eq!(calls(&emulators), Vec::<String>::new());
    assert_eq!(read(&aws, POLICY).unwrap(), ("version = 1\n".to_owned(), 1));
    assert_eq!(read(&aws, SWITCH).unwrap(), ("run".to_owned(), 1));
}
