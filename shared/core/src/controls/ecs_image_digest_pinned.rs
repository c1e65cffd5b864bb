//! Images are named by their digest.
//!
//! Only a reference with a digest (`@sha256:…`) names one image for good; a tag before it is a comment. Judged where the
//! policy asks for it: most definitions name tags, ECS looks a tag up once a deployment, and the pre-flight of every fix
//! that rolls a service looks whether one has moved. Says nothing of whether the image is old.

use serde_json::Value;

use crate::control::{
    Compliance, Context, Control, Functions, NO_KEY, Place, Practice, Ratchet, Rule, Severity, Violation,
    every_container, no_fix,
};
use crate::document::Field;
use crate::image::ImageReference;
use crate::preflight;
use crate::remediation::Safety;
use crate::resource::TaskDefinition;
use crate::text::shown;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-image-digest-pinned",
    title: "Images are named by their digest",
    severity: Severity::Low,
    standards: &[],
    practice: Some(Practice::SecureImages),
    rationale: "A tag can be pushed again: the next deployment, or the next host, runs something that nobody reviewed, and a \
                rollback may not bring back what ran before.",
    template: "Image: <registry>/<repository>@sha256:… in AWS::ECS::TaskDefinition, written by the build that pushed it; \
               Terraform: \"image\": \"${aws_ecr_repository.web.repository_url}@${data.aws_ecr_image.web.image_digest}\" in container_definitions",
    prevention: NO_KEY,
    reference: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html#deployment-container-image-stability",
    safety: Safety::Manual,
    call: None,
    ratchet: Ratchet::Code,
    preflight: "",
    opt_in: true,
    parameters: &[],
    // What a tag meant when the definition was written, nothing tells afterwards.
    rule: Rule::TaskDefinition(Functions { check, fix: no_fix, preflight: preflight::nothing }),
};

fn check(task: &TaskDefinition, _: &Context<'_>) -> Compliance {
    every_container(task, |container, at| {
        let path = format!("{at}/image");
        let wanted = "a reference with @sha256:";
        match &container.image {
            Field::Hidden => Place::Hidden(path),
            Field::Absent => Place::Violates(Violation::new(path, Value::Null, wanted)),
            Field::Known(text) => {
                let image = ImageReference::read(text);
                match image.digest {
                    Some(_) => Place::Fine,
                    None => Place::Violates(Violation::new(path, shown(&image.to_string()), wanted)),
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controls::table::Expect::{Failed, Passed, Unknown};
    use crate::controls::table::{check, judge, resource, task};
    use crate::resource::ResourceType;
    use crate::selection::Parameters;

    #[test]
    fn table() {
        let one = |image: &str| task(&[json!({"name": "web", "image": image})]);
        let digest = format!("sha256:{}", "ab".repeat(32));
        let path = &["/containerDefinitions/0/image"];
        check(
            &CONTROL,
            &[
                ("a digest", one(&format!("public.ecr.aws/shop/web@{digest}")), Passed),
                ("a tag and a digest", one(&format!("public.ecr.aws/shop/web:1.2@{digest}")), Passed),
                (
                    "another algorithm",
                    one(&format!("public.ecr.aws/shop/web@sha512:{}", "ab".repeat(64))),
                    Passed,
                ),
                ("a tag", one("public.ecr.aws/shop/web:1.2"), Failed(path)),
                ("neither", one("nginx"), Failed(path)),
                ("a tag that looks like one", one("web:sha256-abcd"), Failed(path)),
                ("a digest that is too short", one("web@sha256:abcd"), Failed(path)),
                ("a digest that is none", one("web@sha256:latest"), Failed(path)),
                ("redacted", one("HIDDEN_DUE_TO_SECURITY_REASONS"), Unknown),
                ("no image", task(&[json!({"name": "web"})]), Failed(path)),
                (
                    "a sidecar",
                    task(&[
                        json!({"name": "a", "image": format!("web@{digest}")}),
                        json!({"name": "b", "image": "router:stable", "essential": false}),
                    ]),
                    Failed(&["/containerDefinitions/1/image"]),
                ),
            ],
        );
    }

    #[test]
    fn a_password_in_the_reference_is_not_told() {
        let document = task(&[json!({"name": "web", "image": "robot:hunter2@registry.example.com/web:1"})]);
        let resource = resource(ResourceType::TaskDefinition, &document);
        let answer = format!("{:?}", judge(&CONTROL, &resource, Parameters::default()).compliance);
        assert!(answer.contains("registry.example.com/web:1") && !answer.contains("hunter2"), "{answer}");
    }
}
