//! What people are told of a policy that is not usable as it is: until somebody mends it, nothing is fixed where it holds.

use serde_json::json;

use super::subject::{LONGEST, ascii, cut};
use super::{Attribute, Letter};
use crate::finding::Fingerprint;
use crate::ids::{AccountId, Region};
use crate::policy::Notice;

/// The name of a notice, by which it is known that it was told.
pub fn name(notice: &Notice) -> Fingerprint {
    let account = notice.account.as_ref().map_or("", AccountId::as_str);
    Fingerprint::of_text(&format!("{} {account} {}", notice.kind.as_str(), notice.message))
}

/// The message about a notice. `account` and `region` are those of the event that it was met with.
pub fn letter(notice: &Notice, account: &AccountId, region: &Region) -> Letter {
    let about = notice.account.as_ref();
    let whose =
        about.map_or_else(|| "the policy".to_owned(), |about| format!("the policy of account {about}"));
    let subject =
        cut(&ascii(&format!("POLICY: {whose} is not usable as it is ({account} {region})")), LONGEST);
    let text = format!(
        "{}\n\nTo mend it: `shipshape policy check FILE` names every mistake with its line, and `shipshape policy push` puts what is right in its place.\n\nMet in account {account}, {region}. It is told once a day as long as it stands.",
        notice.message
    );
    let data = json!({
        "v": 1,
        "kind": "policy",
        "action": "policy",
        "subject": subject,
        "account": account.as_str(),
        "region": region.as_str(),
        "concerns": about.map(AccountId::as_str),
        "problem": notice.kind.as_str(),
        "text": notice.message,
    })
    .to_string();
    let message = json!({
        "default": format!("{subject}\n{}", notice.message),
        "email": text,
        "sms": subject,
        "sqs": data,
        "lambda": data,
        "https": data,
        "http": data,
    })
    .to_string();
    let text = |text: &str| Attribute::Text(text.to_owned());
    let attributes = vec![
        ("account", text(account.as_str())),
        ("region", text(region.as_str())),
        ("severity", text("high")),
        ("action", text("policy")),
    ];
    Letter { subject, message, attributes }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::policy::Policy;
    use crate::selection::names;

    #[test]
    fn a_wrong_policy_is_told_with_its_lines() {
        let (_, notices) =
            Policy::assemble(("/shipshape/policy", Some("version = 1\nmode = \"fixx\"")), &[], &names());
        let (account, region) = ("111122223333".parse().unwrap(), "eu-west-1".parse().unwrap());
        let letter = letter(&notices[0], &account, &region);
        assert_eq!(letter.subject, "POLICY: the policy is not usable as it is (111122223333 eu-west-1)");
        let message: Value = serde_json::from_str(&letter.message).unwrap();
        assert!(message["email"].as_str().unwrap().contains("/shipshape/policy:2:8"), "{message}");
        let data: Value = serde_json::from_str(message["sqs"].as_str().unwrap()).unwrap();
        assert_eq!((&data["kind"], &data["problem"]), (&json!("policy"), &json!("policy-unusable")));
        assert!(letter.attributes.contains(&("action", Attribute::Text("policy".to_owned()))));
        assert_ne!(name(&notices[0]), name(&Notice { message: "other".to_owned(), ..notices[0].clone() }));
    }
}
