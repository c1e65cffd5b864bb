//! An account as small as a test needs it: the reach of a function, and ports that plan with it and write with it.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use jiff::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use shipshape_aws::failure::Failure;
use shipshape_aws::reach::{Reach, Wrote};
use shipshape_core::change::{Actor, Api, Change, Observed, Origin, Request as Members};
use shipshape_core::control::Severity;
use shipshape_core::facts::{Facts, Need};
use shipshape_core::finding::Finding;
use shipshape_core::judgement::Judgement;
use shipshape_core::ledger::memory::MemoryLedger;
use shipshape_core::ledger::{Claim, IncidentId, Intent, Ledger, Opened, Outcome, Settled};
use shipshape_core::pipeline::{Case, Occasion, handle};
use shipshape_core::policy::Policy;
use shipshape_core::ports::{Applied, Lookup, Notifier, Ports, Remediator};
use shipshape_core::remediation::{Action, Remediation};
use shipshape_core::resource::{ResourceId, ResourceType};
use shipshape_core::selection::{Selection, find, names};
use shipshape_ecs::Ecs;
use shipshape_test_server::{Answer, Server, signature};

/// The ARN of a resource of ECS.
pub(crate) fn arn(name: &str) -> String {
    format!("arn:aws:ecs:eu-west-1:111122223333:{name}")
}

/// A resource of ECS, by what its ARN ends with.
pub(crate) fn id(name: &str) -> ResourceId {
    let arn = arn(name).parse().unwrap();
    ResourceId { kind: ResourceType::of_ecs_arn(&arn).unwrap(), arn }
}

/// That a resource is to be described.
pub(crate) fn need(name: &str) -> Need {
    Need::Resource(id(name))
}

/// What ECS says of what went well.
pub(crate) fn told(json: &Value) -> Answer {
    Answer::Told(200, json.to_string())
}

/// What ECS says of what did not.
pub(crate) fn error(status: u16, code: &str, message: &str) -> Answer {
    Answer::Told(status, json!({"__type": code, "message": message}).to_string())
}

/// The members of a request.
pub(crate) fn members(request: &shipshape_test_server::Request) -> Value {
    serde_json::from_str(&request.body).unwrap()
}

/// A reach with the retries of the functions, only sooner.
pub(crate) fn reach(server: &Server) -> Ecs {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let credentials = Credentials::new(signature::KEY, signature::SECRET, None, None, "test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)))
        .endpoint_url(&server.url)
        .http_client(http)
        .build();
    Ecs::new(&config)
}

/// What is learned of these needs, and whether anything was.
pub(crate) async fn ask(server: &Server, needs: &[Need], facts: &mut Facts) -> Result<bool, Failure> {
    reach(server).fetch(needs, facts, &Selection::all()).await
}

/// What is learned of these needs.
pub(crate) async fn fetch(server: &Server, needs: &[Need]) -> Result<Facts, Failure> {
    let mut facts = Facts::default();
    ask(server, needs, &mut facts).await.map(|_| facts)
}

/// What was judged, and what became of the write.
pub(crate) struct Judged {
    pub(crate) judgements: Vec<Judgement>,
    pub(crate) wrote: Option<Wrote>,
}

impl Judged {
    /// The outcomes, and the words of what was decided.
    pub(crate) fn outcome(&self) -> (Option<&str>, &str) {
        let first = &self.judgements[0];
        let reason = first.ruling.as_ref().map_or("", |ruling| &ruling.reason.text);
        (first.outcome.as_ref().map(Outcome::as_str), reason)
    }
}

/// Judges a resource by one control, in mode fix, with these parameters of it, and knowing these documents of others.
pub(crate) async fn judge(
    server: &Server,
    resource: &str,
    control: &str,
    parameters: &str,
    known: &[Value],
) -> Result<Judged, Failure> {
    let text = format!(
        "version = 1\nmode = \"fix\"\ndisruptive = true\n[controls.{control}]\nenabled = true\n{parameters}"
    );
    let policy = Policy::parse("policy.toml", &text, &names()).unwrap();
    let selection = Selection::of(&policy, &[find(control).unwrap()], Severity::Informational);
    let mut facts = Facts::default();
    for document in known {
        let json = RawValue::from_string(document.to_string()).unwrap();
        facts.absorb(&json).unwrap();
    }
    let mut desk = Desk {
        facts,
        selection: selection.clone(),
        ledger: MemoryLedger::default(),
        reach: reach(server),
        wrote: None,
    };
    let now: Timestamp = "2026-11-03T08:00:00Z".parse().unwrap();
    let change = Change {
        id: "e-1".parse().unwrap(),
        time: now,
        account: "111122223333".parse().unwrap(),
        region: "eu-west-1".parse().unwrap(),
        actor: Actor::default(),
        origin: Origin::Console,
        api: Api::UpdateService,
        request: Members::Everything,
        observed: vec![Observed::Touched(id(resource))],
        task_version: None,
        deployment: None,
        retagged: None,
        addendum: false,
    };
    let report = handle(&Case::new(&change, Occasion::Arrived, now), &mut desk, &policy, &selection).await?;
    Ok(Judged { judgements: report.judgements, wrote: desk.wrote })
}

/// Asks and writes as a function does, and remembers in memory.
struct Desk {
    facts: Facts,
    selection: Selection,
    ledger: MemoryLedger,
    reach: Ecs,
    wrote: Option<Wrote>,
}

impl Ports for Desk {
    type Failure = Failure;
}

impl Lookup for Desk {
    type Error = Failure;

    fn facts(&self) -> &Facts {
        &self.facts
    }

    async fn fetch(&mut self, needs: &[Need]) -> Result<bool, Failure> {
        self.reach.fetch(needs, &mut self.facts, &self.selection).await
    }

    async fn refresh(&mut self, id: &ResourceId) -> Result<bool, Failure> {
        self.fetch(&[Need::Resource(id.clone())]).await
    }
}

impl Remediator for Desk {
    type Error = Failure;

    async fn apply(&mut self, remediation: &Remediation) -> Result<Applied, Failure> {
        let after = match remediation.action() {
            Action::RegisterTaskDefinition => remediation.after().clone(),
            _ => {
                let now = self.reach.describe(remediation.target()).await?.unwrap();
                remediation.onto(&now, None).unwrap()
            }
        };
        let wrote = self.reach.write(remediation, &after).await?;
        self.wrote = Some(wrote.clone());
        Ok(match wrote {
            Wrote::Done(_) => Applied::Done,
            Wrote::Refused(text) => Applied::Refused(text),
        })
    }
}

impl Notifier for Desk {
    type Error = Failure;

    async fn publish(&mut self, _: &[&Judgement]) -> Result<(), Failure> {
        Ok(())
    }
}

impl Ledger for Desk {
    type Error = Failure;

    async fn open(&mut self, finding: &Finding, now: Timestamp) -> Result<Opened, Failure> {
        let Ok(opened) = self.ledger.open(finding, now).await;
        Ok(opened)
    }

    async fn claim(&mut self, intent: &Intent<'_>, now: Timestamp) -> Result<Claim, Failure> {
        let Ok(claim) = self.ledger.claim(intent, now).await;
        Ok(claim)
    }

    async fn settle(&mut self, id: &IncidentId, settled: Settled, now: Timestamp) -> Result<(), Failure> {
        let Ok(()) = self.ledger.settle(id, settled, now).await;
        Ok(())
    }

    async fn close(
        &mut self,
        target: &ResourceId,
        control: Option<&'static str>,
        outcome: Outcome,
    ) -> Result<Vec<IncidentId>, Failure> {
        let Ok(ended) = self.ledger.close(target, control, outcome).await;
        Ok(ended)
    }
}
