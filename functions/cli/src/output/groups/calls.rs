//! The calls that would tell more, as commands that can be run as they are.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use shipshape_core::text::argument;

/// An account and a Region.
pub(super) type Place = (Arc<str>, Arc<str>);

/// How many of the calls that would tell more are named.
const NAMED: usize = 8;

/// The calls that would tell more about what is shown.
#[derive(Default)]
pub(crate) struct Calls {
    /// The first of them, or all, by their account.
    pub(crate) named: BTreeSet<(Arc<str>, String)>,
    /// The accounts of all.
    pub(crate) accounts: BTreeSet<Arc<str>>,
    /// The hashes of all.
    wanted: BTreeSet<u64>,
    whole: bool,
}

impl Calls {
    /// None yet; whether all of them are named, or the first.
    pub(super) fn new(whole: bool) -> Self {
        Self { whole, ..Self::default() }
    }

    /// Takes those of an answer. Asked only once nothing more is said of the resource, since a later answer may need none.
    pub(super) fn add(&mut self, (account, region): &Place, preflight: Vec<String>, needs: &[String]) {
        // What the policy leaves open no document answers.
        let calls = needs.iter().cloned().chain(preflight);
        for call in calls.filter(|call| !call.starts_with("the policy's")) {
            let call = (Arc::clone(account), with_region(&call, region));
            let mut hasher = DefaultHasher::new();
            call.hash(&mut hasher);
            self.wanted.insert(hasher.finish());
            self.accounts.insert(Arc::clone(account));
            self.named.insert(call);
            if !self.whole && self.named.len() > NAMED {
                self.named.pop_last();
            }
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.wanted.len()
    }
}

/// A command that asks in a Region, and those in it too. IAM is everywhere, and some calls name theirs.
fn with_region(call: &str, region: &str) -> String {
    if region.is_empty()
        || call.contains(" --region ")
        || !call.starts_with("aws ")
        || call.starts_with("aws iam ")
    {
        return call.to_owned();
    }
    let region = argument(region);
    format!(
        "{} --region {region}",
        call.replace(" --output text)", &format!(" --output text --region {region})"))
    )
}
