//! A function's loop: messages in, each resource judged once, what failed goes back.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::event::sqs::SqsBatchResponse;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use serde_json::value::RawValue;
use shipshape_core::asked::Asked;
use shipshape_core::change::Observed;
use shipshape_core::control::{Compliance, evaluate};
use shipshape_core::decide::Wait;
use shipshape_core::facts::Facts;
use shipshape_core::finding::Owner;
use shipshape_core::ids::{AccountId, Region};
use shipshape_core::judgement::{Judgement, Report};
use shipshape_core::ledger::Outcome;
use shipshape_core::notification::notice;
use shipshape_core::pipeline::{Case, Occasion, handle};
use shipshape_core::policy::Notice;
use shipshape_core::preflight::WaitFor;
use shipshape_core::resource::ResourceType;
use shipshape_core::selection::Selection;
use tokio::sync::Mutex;

use crate::ask::ask;
use crate::desk::Desk;
use crate::failure::{Failure, FailureKind};
use crate::ledger::{Attempt, Table};
use crate::log;
use crate::notify::publish;
use crate::policy::Policies;
use crate::reach::Reach;
use crate::receive::{Matter, Message, matters, read};
use crate::session::Session;
use crate::settings::Settings;

/// A function: its name, which is that of its folder, its role and its queue, and the kinds of resources that it owns.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// `cluster`, `service`, …
    pub name: &'static str,
    /// Everything else in an event is another function's.
    pub owns: &'static [ResourceType],
}

/// No resource is taken up when less than this is left of an invocation.
const LAST: SignedDuration = SignedDuration::from_secs(10);
/// So much before its end an invocation is answered.
const ANSWER: SignedDuration = SignedDuration::from_secs(3);
/// A deadline before this (2001, in seconds) is none.
const PLAYED: i64 = 1_000_000_000;
const MINUTE: SignedDuration = SignedDuration::from_secs(60);
/// How long a lease outlives the invocation that took it.
const BEYOND: SignedDuration = SignedDuration::from_secs(10);

/// Runs a function until Lambda ends it.
pub async fn run<R: Reach>(function: Function) -> Result<(), Error> {
    log::start();
    let settings = Settings::read(|name| std::env::var(name).ok())?;
    let process = Mutex::new(Process::new(function, settings));
    let process = &process;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Box<RawValue>>| async move {
        process.lock().await.receive::<R>(&event.payload, &event.context).await
    }))
    .await
}

/// What lives as long as the process: clients are made when they are first needed.
#[derive(Debug)]
struct Process {
    function: Function,
    settings: Settings,
    session: Session,
    home: Option<Home>,
}

/// The clients of our own account.
#[derive(Debug)]
struct Home {
    policies: Policies,
    table: Table,
    sns: aws_sdk_sns::Client,
    sqs: aws_sdk_sqs::Client,
}

/// What becomes of the messages that a matter came in.
enum Fate {
    /// They are deleted.
    Done,
    /// They come again.
    Back(String),
}

impl Process {
    fn new(function: Function, settings: Settings) -> Self {
        Self { function, settings, session: Session::new(function.name), home: None }
    }

    async fn receive<R: Reach>(
        &mut self,
        payload: &RawValue,
        context: &Context,
    ) -> Result<SqsBatchResponse, Error> {
        let messages = read(payload)?;
        let mut failed: BTreeSet<usize> = BTreeSet::new();
        for (index, message) in messages.iter().enumerate() {
            if let Err(why) = &message.change {
                tracing::error!(
                    alarm = "unreadable",
                    message = message.id,
                    why,
                    "a message can't be read, and goes to the dead letters in the end"
                );
                failed.insert(index);
            }
        }
        for (number, matter) in matters(&messages, self.function.owns).into_iter().enumerate() {
            let left = deadline(context).duration_since(Timestamp::now());
            let over = || Ok(Fate::Back("the invocation's time is over".to_owned()));
            let attempt = format!("{}/{number}", context.request_id);
            let fate = if left < LAST {
                over()
            } else {
                // What was dealt with before is answered, also where this one takes too long.
                let most = Duration::try_from(left - ANSWER).unwrap_or_default();
                let dealt = tokio::time::timeout(most, self.deal::<R>(&matter, &attempt, context)).await;
                dealt.unwrap_or_else(|_| over())
            };
            let resource = matter.target().map(|id| id.arn.to_string());
            match fate {
                Ok(Fate::Done) => continue,
                Ok(Fate::Back(why)) => tracing::info!(resource, why, "goes back to the queue"),
                Err(failure) => {
                    tracing::warn!(resource, %failure, "failed, and goes back to the queue");
                }
            }
            failed.extend(&matter.messages);
        }
        answer(&messages, &failed)
    }

    /// Deals with one resource.
    async fn deal<R: Reach>(
        &mut self,
        matter: &Matter,
        attempt: &str,
        context: &Context,
    ) -> Result<Fate, Failure> {
        let (account, region) = (&matter.change.account, &matter.change.region);
        let known = self.home.as_ref().and_then(|home| home.policies.known(account));
        let selection = known.map_or_else(Selection::all, |decreed| (*decreed.selection).clone());
        if !matter.again && complies(&matter.change.observed, &selection) {
            return Ok(Fate::Done);
        }
        let config = self.session.at(&self.settings, account, region).await?;
        let home = match &mut self.home {
            Some(home) => home,
            none => none.insert(Home::new(self.session.home().await, &self.settings)),
        };
        let decreed = home.policies.read(account).await?;
        for notice in &decreed.notices {
            home.tell(notice, account, region, self.settings.topic.as_str()).await?;
        }
        let now = Timestamp::now();
        let mut desk = Desk {
            facts: Facts::passing(self.settings.passable_roles.clone()),
            account: account.clone(),
            decreed: Arc::clone(&decreed),
            reach: R::new(&config),
            attempt: Attempt::new(&home.table, attempt.to_owned(), until(context), matter.causes()),
            policies: &mut home.policies,
            sns: &home.sns,
            topic: self.settings.topic.as_str(),
            done: None,
            ours: None,
        };
        let judged = async {
            let occasion = match matter.target().filter(|_| matter.again) {
                Some(target) => desk.take_up(target).await?,
                None => Occasion::Arrived,
            };
            let case = Case::new(&matter.change, occasion, now).after(&matter.earlier);
            handle(&case, &mut desk, &decreed.policy, &decreed.selection).await
        };
        let report = match judged.await {
            Ok(report) => report,
            Err(failure) => {
                desk.attempt.abandon().await;
                return Err(failure);
            }
        };
        report.judgements.iter().for_each(say);
        desk.attempt.finish(Timestamp::now()).await?;
        self.follow_up(matter, &report).await
    }

    /// What waits comes again, and what it waits for is asked for.
    async fn follow_up(&self, matter: &Matter, report: &Report) -> Result<Fate, Failure> {
        let mut waits: Vec<(&WaitFor, Option<Owner>)> = Vec::new();
        let mut back = None;
        for judgement in &report.judgements {
            let Some(Outcome::Waiting(wait)) = &judgement.outcome else { continue };
            match &**wait {
                Wait::For(what, _) => {
                    waits.push((what, judgement.owner));
                    back = Some(what.to_string());
                }
                Wait::Until(time) => back = back.or(Some(format!("waits until {time}"))),
            }
        }
        waits.sort_by_key(|(what, _)| *what);
        waits.dedup_by_key(|(what, _)| *what);
        for (what, owner) in waits {
            if let (WaitFor::Mended(revision), Some(home), Some(queue)) =
                (what, &self.home, &self.settings.questions)
            {
                ask(&home.sqs, queue, &Asked::of(revision, &matter.change, owner)).await?;
            }
        }
        Ok(back.map_or(Fate::Done, Fate::Back))
    }
}

impl Home {
    fn new(config: &aws_config::SdkConfig, settings: &Settings) -> Self {
        Self {
            policies: Policies::new(aws_sdk_ssm::Client::new(config), settings.dry_run),
            table: Table::new(aws_sdk_dynamodb::Client::new(config), settings.table.clone()),
            sns: aws_sdk_sns::Client::new(config),
            sqs: aws_sdk_sqs::Client::new(config),
        }
    }

    /// Tells that the policy is not usable as it is: in the log whenever that is met, and people once a day.
    async fn tell(
        &self,
        notice: &Notice,
        account: &AccountId,
        region: &Region,
        topic: &str,
    ) -> Result<(), Failure> {
        tracing::error!(alarm = "policy", account = %account, notice = notice.message, "the policy is not usable as it is");
        let (name, now) = (notice::name(notice), Timestamp::now());
        if self.table.was_told(name, now).await? {
            return Ok(());
        }
        match publish(&self.sns, topic, notice::letter(notice, account, region)).await {
            // What can't be told of the policy keeps nothing from being judged by it.
            Err(failure) if failure.kind == FailureKind::Refused => {
                tracing::error!(alarm = "untold", %failure, "nobody could be told of the policy");
                Ok(())
            }
            told => {
                told?;
                self.table.told(name, now).await
            }
        }
    }
}

/// Whether everything passes by what the event itself shows. Then there is nothing to ask of anybody.
fn complies(observed: &[Observed], selection: &Selection) -> bool {
    let facts = Facts::default();
    observed.iter().all(|one| match one {
        Observed::State(resource) => evaluate(resource, &facts, selection)
            .iter()
            .all(|one| matches!(one.compliance, Compliance::Passed | Compliance::NotApplicable(_))),
        Observed::Touched(id) | Observed::Gone(id) => !selection.concerns(id.kind),
        Observed::Part(_) => false,
    })
}

/// One line for each incident.
fn say(judgement: &Judgement) {
    let (Some(incident), Some(outcome)) = (&judgement.incident, &judgement.outcome) else { return };
    tracing::info!(
        control = judgement.evaluation.control.slug,
        severity = judgement.evaluation.control.severity.as_str(),
        resource = %judgement.resource.arn,
        account = %judgement.cause.account,
        region = %judgement.cause.region,
        change = %incident.change,
        event = judgement.cause.api.as_str(),
        actor = %judgement.cause.actor,
        origin = %judgement.cause.origin,
        outcome = outcome.as_str(),
        reason = judgement.ruling.as_ref().map(|ruling| ruling.reason.text.as_str()),
        "incident"
    );
}

/// When the invocation ends. `cargo lambda watch` sends no time but a number of milliseconds: then a minute is left.
fn deadline(context: &Context) -> Timestamp {
    let told = i64::try_from(context.deadline).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    told.filter(|time| time.as_second() > PLAYED).unwrap_or_else(|| later(Timestamp::now(), MINUTE))
}

/// Until when what this invocation holds is held.
fn until(context: &Context) -> Timestamp {
    later(deadline(context), BEYOND)
}

fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(time)
}

/// Names the messages that come again. One event that came by itself has nobody who would bring it again but its
/// sender: that is an error.
fn answer(messages: &[Message], failed: &BTreeSet<usize>) -> Result<SqsBatchResponse, Error> {
    let mut response = SqsBatchResponse::default();
    for index in failed {
        match messages.get(*index).and_then(|message| message.id.clone()) {
            Some(id) => response.add_failure(id),
            None => return Err("the event was not dealt with: the log says why".into()),
        }
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use shipshape_core::document::Document;
    use shipshape_core::resource::{Resource, ResourceId};

    use super::*;

    fn id(kind: ResourceType, name: &str) -> ResourceId {
        ResourceId { kind, arn: format!("arn:aws:ecs:eu-west-1:111122223333:{name}").parse().unwrap() }
    }

    fn cluster(insights: &Value) -> Resource {
        let document = json!({"status": "ACTIVE", "tags": [],
            "settings": [{"name": "containerInsights", "value": insights}],
            "configuration": {"executeCommandConfiguration": {"logging": "DEFAULT"}}});
        let id = id(ResourceType::Cluster, "cluster/shop");
        Resource::read(id, Document::from_value(&document)).unwrap()
    }

    #[test]
    fn nothing_is_asked_about_what_is_seen_to_comply_and_everything_else_is_looked_at() {
        let selection = Selection::all();
        let insights = shipshape_core::selection::find("ecs-cluster-container-insights").unwrap();
        let policy = shipshape_core::policy::Policy::notify_only();
        let one = Selection::of(&policy, &[insights], shipshape_core::control::Severity::Informational);
        let state = |insights: Value| Observed::State(Box::new(cluster(&insights)));
        assert!(complies(&[state(json!("enabled"))], &one));
        assert!(!complies(&[state(json!("disabled"))], &one));
        assert!(
            !complies(&[state(json!("HIDDEN_DUE_TO_SECURITY_REASONS"))], &one),
            "unknown is not compliant"
        );
        assert!(!complies(&[state(json!("enabled")), state(json!("disabled"))], &one), "all of them");
        assert!(!complies(&[Observed::Part(Box::new(cluster(&json!("enabled"))))], &one));
        let service = id(ResourceType::Service, "service/shop/web");
        for observed in [Observed::Touched(service.clone()), Observed::Gone(service)] {
            assert!(!complies(std::slice::from_ref(&observed), &selection));
            assert!(complies(&[observed], &one), "no control is about it");
        }
    }

    fn message(id: Option<&str>) -> Message {
        Message { id: id.map(str::to_owned), again: false, change: Ok(None) }
    }

    #[test]
    fn a_batch_is_answered_by_the_messages_that_come_again() {
        let messages = [message(Some("a")), message(Some("b")), message(Some("c"))];
        let named = |failed: &[usize]| {
            let response = answer(&messages, &failed.iter().copied().collect()).unwrap();
            let failures = response.batch_item_failures.into_iter();
            failures.map(|one| one.item_identifier).collect::<Vec<String>>()
        };
        assert_eq!(named(&[]), [""; 0]);
        assert_eq!(named(&[2, 0]), ["a", "c"]);
    }

    #[test]
    fn what_nobody_would_bring_again_is_an_error() {
        let alone = [message(None)];
        assert!(answer(&alone, &BTreeSet::new()).is_ok());
        assert!(answer(&alone, &BTreeSet::from([0])).is_err());
    }

    #[test]
    fn a_lease_outlives_its_invocation() {
        let mut context = Context::default();
        context.deadline = 1_800_000_000_000;
        assert_eq!(until(&context).as_millisecond(), 1_800_000_010_000);
        assert_eq!(deadline(&context).as_millisecond(), 1_800_000_000_000);
        // No time, but what `cargo lambda watch` sends.
        context.deadline = 600_000;
        assert!(deadline(&context) > Timestamp::now());
    }
}
