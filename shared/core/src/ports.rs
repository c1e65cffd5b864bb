//! The rims: what a run reads, writes and tells. Reading and writing are traits of their own, so that what plans
//! can't write. The ledger's is in [`ledger`](crate::ledger).

use crate::facts::{Facts, Need};
use crate::judgement::Judgement;
use crate::ledger::Ledger;
use crate::remediation::Remediation;
use crate::resource::ResourceId;

/// Answers needs.
pub trait Lookup {
    /// The failure of a port.
    type Error;

    /// What is known so far.
    fn facts(&self) -> &Facts;

    /// Fetches what it can, in batches. `false` where nothing new was learned.
    fn fetch(&mut self, needs: &[Need]) -> impl Future<Output = Result<bool, Self::Error>> + Send;

    /// Describes a resource of which an event told, so that what it is now is judged, or learns that it is gone.
    /// `false` where nothing newer than events can be had, as in history.
    fn refresh(&mut self, id: &ResourceId) -> impl Future<Output = Result<bool, Self::Error>> + Send;
}

/// Writes.
pub trait Remediator {
    /// The failure of a port.
    type Error;

    /// Reads the resource again, and writes the remediation if it still is what was seen. Where it is not, that is a
    /// failure of the port: whoever brought the change brings it again, to be judged anew.
    fn apply(
        &mut self,
        remediation: &Remediation,
    ) -> impl Future<Output = Result<Applied, Self::Error>> + Send;
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// It is written.
    Done,
    /// There is nothing to write to any more.
    Gone,
    /// AWS refused it, with this sentence.
    Refused(String),
}

/// Tells people.
pub trait Notifier {
    /// The failure of a port.
    type Error;

    /// Sends one message about what was judged on one resource.
    fn publish(&mut self, judgements: &[&Judgement]) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// The ports of a run, with one kind of failure.
pub trait Ports:
    Lookup<Error = Self::Failure>
    + Ledger<Error = Self::Failure>
    + Remediator<Error = Self::Failure>
    + Notifier<Error = Self::Failure>
{
    /// The failure of any of them.
    type Failure;
}
