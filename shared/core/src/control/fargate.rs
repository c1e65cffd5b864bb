//! The platform version of Fargate that a service runs on.

use super::{Compliance, Context};
use crate::document::Field;
use crate::facts::{Facts, Need};
use crate::preflight::reachability::through_the_task;
use crate::preflight::{Doubts, rollout};
use crate::remediation::{Fix, PatchBuilder, Safety};
use crate::resource::{Body, Service};

/// Where a service says it.
pub(crate) const PATH: &str = "/platformVersion";
/// What stands for the newest version.
const LATEST: &str = "LATEST";
/// From here on everything that Linux tasks fetch goes through their own network interface.
const ONE_INTERFACE: Version = Version(1, 4, 0);

/// A platform version. They are ordered, each operating system by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(u32, u32, u32);

impl Version {
    /// Reads `1.4.0`.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(|part| part.parse().ok());
        let version = Self(parts.next()??, parts.next()??, parts.next()??);
        parts.next().is_none().then_some(version)
    }
}

/// The version that a service names; none where it is the newest, which is also what a service gets that names none.
/// Else the answer of a control that has to know it. Only services on Fargate have a version, so that one that is
/// shown is judged where nothing else tells what the service runs on.
pub(crate) fn pinned(service: &Service) -> Result<Option<&str>, Compliance> {
    let unknown = |path: &str| Err(Compliance::Unknown(vec![Need::Member(path.to_owned())]));
    if !service.active() {
        return Err(Compliance::NotApplicable("the service is not active"));
    }
    if service.controller() == Field::Known("EXTERNAL") {
        return Err(Compliance::NotApplicable("the service's task sets name the platform version"));
    }
    match (service.on_fargate(), &service.platform_version) {
        (Field::Known(false), _) => Err(Compliance::NotApplicable("the service does not run on Fargate")),
        (_, Field::Hidden) => unknown(PATH),
        (_, Field::Known(version)) => Ok(Some(version.as_str()).filter(|version| *version != LATEST)),
        (Field::Known(true), Field::Absent) => Ok(None),
        (Field::Absent | Field::Hidden, Field::Absent) => unknown("/launchType"),
    }
}

/// Whether a service's tasks run on Windows, by its own word or by the revision that it runs. Old answers have no word.
pub(crate) fn windows(service: &Service, facts: &Facts) -> Option<bool> {
    if let Some(family) = service.platform_family.text() {
        return Some(family.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("WINDOWS")));
    }
    match &facts.resource(&service.revision()?.arn)?.body {
        Body::TaskDefinition(task) if task.is_shown() => task.windows().into_known(),
        _ => None,
    }
}

/// Disruptive: a change of the version starts a deployment by itself, and nothing else asks for one here.
pub(crate) fn fix(service: &Service, context: &Context<'_>) -> Option<Fix> {
    let version = pinned(service).ok()??;
    let mut summary = format!(
        "run on the newest platform version of Fargate, and not on {version} any more; this starts a deployment"
    );
    if moves(service, version, context.facts) {
        summary.push_str(
            "; from 1.4.0 on, the registry's login and secrets go through the task's own network \
             interface",
        );
    }
    Some(Fix::new(PatchBuilder::new().replace(PATH, version, LATEST), Safety::Disruptive, summary))
}

/// Whether leaving a version changes the way by which a task fetches what it needs. On Windows it never did.
fn moves(service: &Service, version: &str, facts: &Facts) -> bool {
    windows(service, facts) != Some(true) && Version::read(version).is_none_or(|named| named < ONE_INTERFACE)
}

/// A deployment like any other; and what comes another way from 1.4.0 on still has to come.
pub(crate) fn preflight(service: &Service, context: &Context<'_>, doubts: &mut Doubts) {
    rollout(context.resource, service, context.facts, doubts);
    if let Ok(Some(version)) = pinned(service)
        && moves(service, version, context.facts)
    {
        through_the_task(context.resource, service, context.facts, doubts);
    }
}

/// What the pre-flight proves.
pub(crate) const PROVES: &str = "ECS rolls it; the same images; no deployment under way; below 1.4.0 also: every subnet \
                                 reaches the registry's login and the secrets";
