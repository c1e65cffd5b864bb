//! What one function asks of another: that a revision be judged, and mended where the policy wants that.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::change::{Actor, Api, Change, Observed, Origin, Request};
use crate::finding::Owner;
use crate::ids::{AccountId, Arn, ChangeId, Region};
use crate::resource::{ResourceId, ResourceType};

/// Asks for a mended revision of a task definition, in the name of the change that made somebody need it. Travels as
/// the body of a message, and only our own roles may send one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The revision that violates.
    pub asked: Arn,
    account: AccountId,
    region: Region,
    change: ChangeId,
    time: Timestamp,
    actor: String,
    role: Option<Arn>,
    origin: Origin,
    source: String,
    event: String,
}

impl Asked {
    /// Asks about a revision because of a change. `owner` is who keeps the state of what needs it: also where the latest
    /// change was made by somebody else, it is asked in that tool's name.
    pub fn of(revision: &Arn, change: &Change, owner: Option<Owner>) -> Self {
        let origin = match owner {
            Some(Owner::Stack) => Origin::CloudFormation,
            Some(Owner::Tool(origin)) => origin,
            Some(Owner::Unseen) | None => change.origin,
        };
        Self {
            asked: revision.clone(),
            account: change.account.clone(),
            region: change.region.clone(),
            change: change.id.clone(),
            time: change.time,
            actor: change.actor.name.clone(),
            role: change.actor.role.clone(),
            origin,
            source: change.api.source().to_owned(),
            event: change.api.as_str().to_owned(),
        }
    }

    /// The change that it is judged as: the one that asked, which only names the revision. `None` where the revision is
    /// none, or another account's or Region's, or the change is of no kind that is known here.
    pub fn into_change(self) -> Option<Change> {
        let id = ResourceId { kind: ResourceType::of_ecs_arn(&self.asked)?, arn: self.asked };
        let here = id.arn.account() == self.account.as_str() && id.arn.region() == self.region.as_str();
        (here && id.kind == ResourceType::TaskDefinition).then_some(())?;
        Some(Change {
            id: self.change,
            time: self.time,
            account: self.account,
            region: self.region,
            actor: Actor { name: self.actor, role: self.role },
            origin: self.origin,
            api: Api::find(&self.source, &self.event)?,
            request: Request::Nothing,
            observed: vec![Observed::Touched(id)],
            task_version: None,
            deployment: None,
            retagged: None,
            addendum: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: &str = r#"{"asked":"arn:aws:ecs:eu-west-1:111122223333:task-definition/web:3","account":"111122223333",
        "region":"eu-west-1","change":"e-1","time":"2026-11-01T10:00:00Z","actor":"role/ci","role":null,
        "origin":"terraform","source":"ecs.amazonaws.com","event":"UpdateService"}"#;

    #[test]
    fn a_question_is_judged_as_the_change_that_asked_it() {
        let asked: Asked = serde_json::from_str(ASKED).unwrap();
        let change = asked.clone().into_change().unwrap();
        assert_eq!((change.api, change.origin), (Api::UpdateService, Origin::Terraform));
        assert_eq!(change.observed[0].id().arn, asked.asked);
        assert_eq!(Asked::of(&asked.asked, &change, None), asked);
        let by_ecs = Change { origin: Origin::Service, ..change };
        assert_eq!(Asked::of(&asked.asked, &by_ecs, Some(Owner::Tool(Origin::Terraform))), asked);
    }

    #[test]
    fn nobody_asks_about_anything_but_a_revision_of_the_same_place() {
        for (from, to) in [
            ("111122223333:task", "444455556666:task"),
            ("ecs:eu-west-1", "ecs:eu-west-2"),
            ("task-definition/web:3", "service/shop/web"),
            ("UpdateService", "UpdateNothing"),
        ] {
            let text = ASKED.replacen(from, to, 1);
            assert!(serde_json::from_str::<Asked>(&text).unwrap().into_change().is_none(), "{to}");
        }
    }
}
