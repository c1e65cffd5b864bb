//! Public addresses of tasks, as services and task sets hand them out.

use super::{Compliance, Violation};
use crate::document::Field;
use crate::facts::Need;
use crate::resource::service::AwsvpcConfiguration;

/// Where a network block says it.
pub(crate) const PATH: &str = "/networkConfiguration/awsvpcConfiguration/assignPublicIp";

/// Whether a network block gives tasks no public address. Absent means `DISABLED`, the API's default. Without a block
/// there is no such setting, for the reason given.
pub(crate) fn none_assigned(block: Field<&AwsvpcConfiguration>, without: &'static str) -> Compliance {
    match block {
        Field::Absent => Compliance::NotApplicable(without),
        Field::Hidden => Compliance::Unknown(vec![Need::Member("/networkConfiguration".to_owned())]),
        Field::Known(block) => match &block.assign_public_ip {
            Field::Absent => Compliance::Passed,
            Field::Hidden => Compliance::Unknown(vec![Need::Member(PATH.to_owned())]),
            Field::Known(value) if value == "DISABLED" => Compliance::Passed,
            Field::Known(value) if value == "ENABLED" => {
                Compliance::Failed(vec![Violation::new(PATH, value.as_str(), "DISABLED")])
            }
            // A value that came after this was built may mean anything.
            Field::Known(_) => Compliance::Unknown(vec![Need::Member(PATH.to_owned())]),
        },
    }
}
