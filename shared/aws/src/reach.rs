//! What a function can ask and write in one account and Region. Each function's is as wide as its role.

use aws_config::SdkConfig;
use shipshape_core::facts::{Facts, Need};
use shipshape_core::finding::Fingerprint;
use shipshape_core::ids::Arn;
use shipshape_core::notification::Done;
use shipshape_core::remediation::Remediation;
use shipshape_core::resource::{Resource, ResourceId};
use shipshape_core::selection::Selection;

use crate::failure::{Failure, FailureKind};

/// Asks and writes with clients of one account and Region.
pub trait Reach: Send {
    /// Clients with this configuration. Nothing is called yet.
    fn new(config: &SdkConfig) -> Self;

    /// Fetches what it can of what is needed, and learns it. `false` where nothing new was learned.
    fn fetch(
        &mut self,
        needs: &[Need],
        facts: &mut Facts,
        selection: &Selection,
    ) -> impl Future<Output = Result<bool, Failure>> + Send;

    /// Describes a resource as it is now. `None` where it does not exist.
    fn describe(&mut self, id: &ResourceId)
    -> impl Future<Output = Result<Option<Resource>, Failure>> + Send;

    /// Makes a resource what a remediation leads to. `after` is what it makes of the state that was described just now.
    fn write(
        &mut self,
        remediation: &Remediation,
        after: &Resource,
    ) -> impl Future<Output = Result<Wrote, Failure>> + Send;

    /// Finds a revision that was registered in the place of another, by the hash of its content, where the answer to its
    /// registration was lost. With `link`, says on the other what stands in its place, as the registration was to.
    fn registered(
        &mut self,
        source: &Arn,
        content: Fingerprint,
        link: bool,
    ) -> impl Future<Output = Result<Option<Done>, Failure>> + Send;
}

/// What was asked beside the resource itself, or nothing where AWS refuses to tell: what rests on it stays unknown, and is
/// told as that.
pub fn or_nothing<T: Default>(asked: Result<T, Failure>) -> Result<T, Failure> {
    match asked {
        Err(failure) if failure.kind == FailureKind::Refused => {
            tracing::warn!(%failure, "a fact stays unknown");
            Ok(T::default())
        }
        asked => asked,
    }
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrote {
    /// It is made. What stands there now, where the plan could not know it.
    Done(Option<Done>),
    /// AWS refused it, or did another thing, with this sentence.
    Refused(String),
}
