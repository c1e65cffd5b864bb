//! What is counted before a write: an account's fixes of the last hour, and the services of a cluster that roll because
//! of us.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::Arn;

const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// How long a deployment of ours is taken to roll, where nothing tells when it ended.
const ROLLING: SignedDuration = SignedDuration::from_mins(15);

/// When fixes were made in an account, within the last hour.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fixes(Vec<Timestamp>);

impl Fixes {
    /// Counts one more. The error is the sentence that says why there is no room for it.
    pub fn count(&mut self, limit: u32, now: Timestamp) -> Result<(), String> {
        self.0.retain(|time| now.duration_since(*time) < HOUR);
        match u32::try_from(self.0.len()) {
            Ok(made) if made < limit => {
                self.0.push(now);
                Ok(())
            }
            _ if limit == 0 => Err("the budget allows no fix in this account".to_owned()),
            _ => Err(format!("{limit} fixes were made in this account within the hour")),
        }
    }
}

/// The services of a cluster that roll because of us, and since when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rolling(BTreeMap<Arn, Timestamp>);

impl Rolling {
    /// Adds a service, where at most `percent` of the cluster's services may roll, and at least one. `services` is how
    /// many it has; without that, one at a time. The error is the sentence that says why there is no room.
    pub fn enter(
        &mut self,
        service: &Arn,
        services: Option<u32>,
        percent: u32,
        now: Timestamp,
    ) -> Result<(), String> {
        self.0.retain(|_, since| now.duration_since(*since) < ROLLING);
        let others = self.0.keys().filter(|other| *other != service).count();
        let others = u32::try_from(others).unwrap_or(u32::MAX);
        let share = services.unwrap_or(0).saturating_mul(percent) / 100;
        if others >= share.max(1) {
            return Err(format!("{others} services of the cluster roll because of us already"));
        }
        self.0.insert(service.clone(), now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(minutes * 60).unwrap()
    }

    #[test]
    fn fixes_are_counted_over_the_last_hour_whatever_the_clock_shows() {
        let mut fixes = Fixes::default();
        assert!(fixes.count(2, at(50)).is_ok() && fixes.count(2, at(70)).is_ok());
        assert_eq!(
            fixes.count(2, at(109)),
            Err("2 fixes were made in this account within the hour".to_owned())
        );
        assert!(fixes.count(2, at(110)).is_ok(), "the first is an hour ago");
        assert_eq!(fixes.count(0, at(900)), Err("the budget allows no fix in this account".to_owned()));
    }

    #[test]
    fn at_most_a_share_of_a_cluster_rolls_and_at_least_one() {
        let service =
            |name: &str| format!("arn:aws:ecs:eu-west-1:111122223333:service/shop/{name}").parse().unwrap();
        let mut rolling = Rolling::default();
        assert!(rolling.enter(&service("a"), None, 10, at(0)).is_ok());
        assert!(rolling.enter(&service("a"), None, 10, at(1)).is_ok(), "it is no other than itself");
        let full = rolling.enter(&service("b"), Some(19), 10, at(2));
        assert_eq!(full, Err("1 services of the cluster roll because of us already".to_owned()));
        assert!(rolling.enter(&service("b"), Some(20), 10, at(2)).is_ok());
        assert!(rolling.enter(&service("c"), Some(20), 10, at(15)).is_err());
        assert!(rolling.enter(&service("c"), Some(20), 10, at(16)).is_ok(), "the first has rolled");
    }
}
