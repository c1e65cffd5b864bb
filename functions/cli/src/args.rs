//! The command line, its help and its errors.

use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use jiff::Timestamp;
use shipshape_core::check::Home;
use shipshape_core::control::{Control, Severity};
use shipshape_core::ids::{AccountId, Region};
use shipshape_core::policy::{Mode, Switch};
use shipshape_core::resource::ResourceType;
use shipshape_core::{controls, selection};

mod deployed;

pub(crate) use deployed::Push;

use deployed::{PUSH, SWITCH, switch};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default());

/// Shipshape at your desk: what it would have done, and what your documents violate. Offline: nothing but `policy push`
/// and `switch` calls AWS.
#[derive(Debug, Parser)]
#[command(name = "shipshape", version, styles = STYLES, propagate_version = true, after_help = EXIT)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// When to colour the output; NO_COLOR is heeded.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
    /// Say less on standard error.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more on standard error.
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
}

const EXIT: &str = "Exit status: 0 done; 1 findings at or above --fail-on, or unknown ones with --fail-on-unknown; 2 usage, policy, or input that could not be \
                    read (each is said, the rest is still processed).";

/// When to colour.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Walk captured events in time order: what they violate, and what would have been done
    #[command(after_help = REPLAY)]
    Replay(Replay),
    /// Judge documents: what `aws ecs describe-*` and list-account-settings print, or the input of a call
    #[command(after_help = CHECK)]
    Check(Check),
    /// List the controls, or show what one of them is about
    Controls {
        /// The control: its slug, a part of it, or what a standard calls it, such as ECS.4. Of several, the list.
        slug: Option<String>,
        /// How to print it.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Look after a policy
    Policy {
        /// What to do with it.
        #[command(subcommand)]
        command: PolicyCommand,
    },
    /// Show or set the switch of what is deployed: run, pause or freeze [feature aws]
    #[command(after_help = SWITCH)]
    Switch {
        /// Where to set it; shown as it stands, if not given.
        #[arg(value_parser = switch, value_name = "run|pause|freeze")]
        to: Option<Switch>,
    },
    /// Print completions for a shell
    Completions {
        /// The shell.
        shell: Shell,
    },
}

const REPLAY: &str = "Examples:
  shipshape replay events
  shipshape replay trails/ --policy policy.toml --state described/ --since 2026-11-01
  shipshape replay events --mode fix --control ecs-service-no-public-ip
  aws cloudtrail lookup-events --output json | shipshape replay - --format json

Reads one event, arrays, JSON lines, CloudTrail logs ({\"Records\": [...]}), answers of lookup-events and \
CloudWatch Logs subscriptions, each also gzipped. CloudTrail logs are scanned: records of calls that nobody \
watches are counted by their names and not validated. An element of `Records` without `eventName`, as native \
events of EventBridge are, may be passed over uncounted: put those on lines, or into a list of their own. Of an \
object with several lists of events the first is read, and the others are said. Files of a folder that end in \
neither .json, .jsonl, .ndjson, .log nor .gz are passed over; -v counts them. The first ten thousand errors are \
listed. What does not fit into memory goes to a temporary file that nobody else can read and that is gone \
afterwards; TMPDIR says where.";

const CHECK: &str = "Examples:
  shipshape check task-definition.json
  aws ecs describe-services --cluster shop --services checkout --include TAGS | shipshape check -
  shipshape check described/ --control ecs-container-not-privileged --fail-on high
  shipshape check rendered/ --format sarif -o shipshape.sarif --fail-on never
  shipshape check rendered/ --account 111122223333 --region eu-west-1 --fail-on-unknown

Inputs that are read: those of register-task-definition, create-service, update-service (what it
does not set is not known) and create-capacity-provider. A service that names a family runs the
input of that family, where there is one. Without --account and --region, what the policy says of
accounts, groups and Regions does not hold for what has no ARN yet; rules and exemptions of
resources do where their patterns leave both open. A task definition that is still to be registered
is matched as its family and as a revision of it, `web` and `web:0`. JSON in folders that is surely
no document of AWS is passed over; what is named is not.";

/// Commands about policies.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Say what is wrong with a policy, and where; else what it says
    Check {
        /// The policy.
        file: PathBuf,
        /// The day that exemptions are weighed at; now, if not given.
        #[arg(long, value_parser = time)]
        now: Option<Timestamp>,
    },
    /// Say what a policy changes against the deployed one, and deploy it [feature aws]
    #[command(after_help = PUSH)]
    Push(Push),
}

/// `replay`
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// Files, folders, or - for standard input.
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// What is judged and how it is printed.
    #[command(flatten)]
    pub(crate) common: Common,
    /// The mode, over whatever the policy says.
    #[arg(long, value_parser = mode, value_name = "off|notify|fix")]
    pub(crate) mode: Option<Mode>,
    /// Lets fixes start deployments, over whatever the policy says.
    #[arg(long)]
    pub(crate) disruptive: bool,
    /// A folder of what `aws … describe-*` prints, for facts that no event shows.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// Passes over what happened before this time or day.
    #[arg(long, value_parser = fixed_time, value_name = "TIME")]
    pub(crate) since: Option<Timestamp>,
    /// Passes over what happened at this time or day, or later.
    #[arg(long, value_parser = fixed_time, value_name = "TIME")]
    pub(crate) until: Option<Timestamp>,
    /// Roles that a mended task definition may hand to its tasks, as the parameter PassableRoles.
    #[arg(long = "passable-role", value_parser = role, value_name = "ARN_GLOB")]
    pub(crate) passable_roles: Vec<String>,
    /// How many threads read; as many as there are cores, if not given.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: Option<u16>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Which findings make the exit status 1.
    #[arg(long, value_parser = fail_on, default_value = "never", value_name = "SEVERITY|never")]
    fail_on: FailOn,
    /// Makes the exit status 1 also where a control could not judge something.
    #[arg(long)]
    fail_on_unknown: bool,
}

/// `check`
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Files, folders, or - for standard input.
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// What is judged and how it is printed.
    #[command(flatten)]
    pub(crate) common: Common,
    /// What a bare object is, such as AWS::ECS::TaskDefinition.
    #[arg(long = "type", value_parser = kind, value_name = "TYPE")]
    pub(crate) kind: Option<ResourceType>,
    /// The account that what has no ARN yet is to be deployed to, for the policy's rules and exemptions.
    #[arg(long, value_parser = account, value_name = "ID", requires = "region")]
    pub(crate) account: Option<AccountId>,
    /// The Region that what has no ARN yet is to be deployed to.
    #[arg(long, value_parser = region, value_name = "NAME", requires = "account")]
    pub(crate) region: Option<Region>,
    /// The time that exemptions are weighed at; now, if not given.
    #[arg(long, value_parser = time, value_name = "TIME")]
    pub(crate) now: Option<Timestamp>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
    pub(crate) format: CheckFormat,
    /// Which findings make the exit status 1.
    #[arg(long, value_parser = fail_on, default_value = "informational", value_name = "SEVERITY|never")]
    fail_on: FailOn,
    /// Makes the exit status 1 also where a control could not judge something.
    #[arg(long)]
    fail_on_unknown: bool,
}

impl Replay {
    /// What makes the exit status 1.
    pub(crate) fn counts(&self) -> Counts {
        Counts { fail_on: self.fail_on, fail_on_unknown: self.fail_on_unknown }
    }
}

impl Check {
    /// What makes the exit status 1.
    pub(crate) fn counts(&self) -> Counts {
        Counts { fail_on: self.fail_on, fail_on_unknown: self.fail_on_unknown }
    }

    /// Where what has no ARN yet is to be deployed.
    pub(crate) fn home(&self) -> Home {
        Home { account: self.account.clone(), region: self.region.clone() }
    }
}

/// What `replay` and `check` share.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// The policy; `shipshape.toml` in the working directory, if there is one.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Exactly these controls, opt-in ones included.
    #[arg(long = "control", value_parser = control, value_delimiter = ',', value_name = "SLUG")]
    pub(crate) controls: Vec<&'static Control>,
    /// Only controls of at least this severity.
    #[arg(long, value_parser = severity, default_value = "informational")]
    pub(crate) severity: Severity,
    /// Also what passed and what a control does not concern.
    #[arg(long)]
    pub(crate) all: bool,
    /// Every finding as a whole block, also where they are so many that most get a line.
    #[arg(long)]
    pub(crate) full: bool,
    /// Where to write it.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// JSON lines.
    Json,
}

/// How `check` prints: unlike events, documents have lines that a report can point at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckFormat {
    /// For people.
    Text,
    /// JSON lines.
    Json,
    /// SARIF 2.1.0, for code scanning and editors.
    Sarif,
}

/// What makes the exit status 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    /// Findings of at least this severity.
    pub(crate) fail_on: FailOn,
    /// What could not be judged.
    pub(crate) fail_on_unknown: bool,
}

/// Which findings make the exit status 1; none where it is empty.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FailOn(pub(crate) Option<Severity>);

fn fail_on(text: &str) -> Result<FailOn, String> {
    match text.to_ascii_lowercase().as_str() {
        "never" => Ok(FailOn(None)),
        _ => severity(text)
            .map(|severity| FailOn(Some(severity)))
            .map_err(|error: String| format!("{error}, never")),
    }
}

fn severity(text: &str) -> Result<Severity, String> {
    text.to_ascii_lowercase().parse()
}

/// Roles are named by ARNs, in which `*` stands for any part.
fn role(text: &str) -> Result<String, String> {
    if text.starts_with("arn:") || text.starts_with('*') {
        return Ok(text.to_owned());
    }
    Err("not the ARN of a role: write one, or a pattern such as arn:aws:iam::111122223333:role/tasks-*"
        .to_owned())
}

fn mode(text: &str) -> Result<Mode, String> {
    text.parse().map_err(|error| format!("{error}"))
}

fn account(text: &str) -> Result<AccountId, String> {
    let digits = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or_else(|| "not an account id: write its 12 digits".to_owned())
}

/// A Region's code is parts of small letters and a number at the end; AWS opens more of them than are known here.
fn region(text: &str) -> Result<Region, String> {
    let parts: Vec<&str> = text.split('-').collect();
    let is = |part: &str, what: fn(&u8) -> bool| !part.is_empty() && part.bytes().all(|byte| what(&byte));
    let formed = parts.len() >= 3
        && parts.split_last().is_some_and(|(number, words)| {
            is(number, u8::is_ascii_digit) && words.iter().all(|word| is(word, u8::is_ascii_lowercase))
        });
    text.parse()
        .ok()
        .filter(|_| formed)
        .ok_or_else(|| "not a Region: write its code, such as eu-west-1".to_owned())
}

fn kind(text: &str) -> Result<ResourceType, String> {
    ResourceType::from_name(text).ok_or_else(|| {
        let known: Vec<&str> = ResourceType::ALL.iter().map(|kind| kind.name()).collect();
        format!("not a type that can be checked: one of {}", known.join(", "))
    })
}

fn time(text: &str) -> Result<Timestamp, String> {
    let day = || text.parse::<jiff::civil::Date>().ok()?.to_zoned_datetime(jiff::tz::TimeZone::UTC).ok();
    text.parse::<Timestamp>()
        .ok()
        .or_else(|| day().map(|zoned| zoned.timestamp()))
        .ok_or_else(|| "neither a time such as 2026-11-03T09:00:00Z nor a day such as 2026-11-03".to_owned())
}

/// A time that does not depend on when it is asked.
fn fixed_time(text: &str) -> Result<Timestamp, String> {
    time(text).map_err(|error| {
        let span = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-');
        match span != text && matches!(span.trim(), "s" | "m" | "h" | "d" | "w") || text == "now" {
            true => format!("{error}: replay reads no clock, so that the same input gives the same report"),
            false => error,
        }
    })
}

/// A control by its name; an unknown one is answered with those that come near.
pub(crate) fn control(slug: &str) -> Result<&'static Control, String> {
    selection::find(slug).ok_or_else(|| {
        let near: Vec<&str> = near(slug);
        format!(
            "no control of this name; {}",
            match near.as_slice() {
                [] => "`shipshape controls` lists them".to_owned(),
                near => format!("did you mean {}?", near.join(" or ")),
            }
        )
    })
}

/// The controls that share the most with a name, by runs of three letters; none where that is little.
fn near(slug: &str) -> Vec<&'static str> {
    fn runs(slug: &str) -> Vec<&[u8]> {
        slug.strip_prefix("ecs-").unwrap_or(slug).as_bytes().windows(3).collect()
    }
    let wanted = runs(slug);
    let shared = |control: &Control| runs(control.slug).iter().filter(|run| wanted.contains(run)).count();
    let best = controls::ALL.iter().map(|control| shared(control)).max().unwrap_or(0);
    if best * 3 < wanted.len().max(1) {
        return Vec::new();
    }
    controls::ALL
        .iter()
        .filter(|control| shared(control) == best)
        .map(|control| control.slug)
        .take(3)
        .collect()
}
