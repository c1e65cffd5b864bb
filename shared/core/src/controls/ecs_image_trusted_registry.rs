//! Images come from registries that the team trusts.
//!
//! The policy lists them, as `REGISTRY/REPOSITORY` with `*` and `?`; a pattern without a registry means Docker Hub, one
//! without a repository means all of a registry's. Registry and repository are matched apart, so that no `*` reaches from
//! one into the other; tags and digests do not count. An ECR registry begins with its account: name it, since anybody can
//! have one. Nothing is trusted by default, and without a list nobody can judge. Says nothing of what an image holds.

use serde_json::Value;
use wildmatch::WildMatch;

use crate::control::{
    Compliance, Context, Control, Functions, NO_KEY, Place, Practice, Ratchet, Rule, Severity, Violation,
    every_container, no_fix,
};
use crate::document::Field;
use crate::facts::Need;
use crate::image::ImageReference;
use crate::policy::{Parameter, ParameterKind};
use crate::preflight;
use crate::remediation::Safety;
use crate::resource::TaskDefinition;
use crate::text::shown;

pub(super) static CONTROL: Control = Control {
    slug: SLUG,
    title: "Images come from trusted registries",
    severity: Severity::High,
    standards: &["NIST CM-14", "NIST SR-3"],
    practice: Some(Practice::SecureImages),
    rationale: "An image is a program with the rights of its task. What comes from a registry that nobody watches is written \
                by whoever can push there.",
    template: "Image: <your account>.dkr.ecr.<Region>.amazonaws.com/… in AWS::ECS::TaskDefinition, for public images through a \
               pull-through cache; Terraform: \"image\" in container_definitions",
    prevention: NO_KEY,
    reference: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security-tasks-containers.html",
    safety: Safety::Manual,
    call: None,
    ratchet: Ratchet::Code,
    preflight: "",
    opt_in: true,
    parameters: &[Parameter {
        name: ALLOW,
        kind: ParameterKind::TextList,
        about: "trusted registries and repositories, such as [\"111122223333.dkr.ecr.*.amazonaws.com/*\", \
                \"public.ecr.aws/docker/library/*\"]; without it nothing is judged",
    }],
    // Nobody can make up another image.
    rule: Rule::TaskDefinition(Functions { check, fix: no_fix, preflight: preflight::nothing }),
};

const SLUG: &str = "ecs-image-trusted-registry";
const ALLOW: &str = "allow";
const HUB: &str = "docker.io";

fn check(task: &TaskDefinition, context: &Context<'_>) -> Compliance {
    let allowed = context.parameters.list(ALLOW);
    if allowed.is_empty() {
        return Compliance::Unknown(vec![Need::Parameter(ALLOW, SLUG)]);
    }
    every_container(task, |container, at| {
        let path = format!("{at}/image");
        let wanted = "an image on the policy's list, allow";
        match &container.image {
            Field::Hidden => Place::Hidden(path),
            Field::Absent => Place::Violates(Violation::new(path, Value::Null, wanted)),
            Field::Known(text) => {
                let image = ImageReference::read(text);
                match is_trusted(&image, &allowed) {
                    true => Place::Fine,
                    false => Place::Violates(Violation::new(path, shown(&image.to_string()), wanted)),
                }
            }
        }
    })
}

fn is_trusted(image: &ImageReference, allowed: &[&str]) -> bool {
    let (registry, repository) = normal(&image.registry, &image.repository);
    // What is left of a reference that Docker could not read either.
    let odd = |part: &str| part.contains(['@', '*', '?']);
    !odd(&registry)
        && !odd(&repository)
        && allowed.iter().any(|pattern| {
            let (of_registry, of_repository) = parts(pattern);
            WildMatch::new(&of_registry).matches(&registry)
                && WildMatch::new(&of_repository).matches(&repository)
        })
}

/// A pattern's two halves, by the rule that references are read by.
fn parts(pattern: &str) -> (String, String) {
    let is_registry = |first: &str| first.contains(['.', ':', '*']) || first == "localhost";
    match pattern.split_once('/') {
        Some((first, rest)) if is_registry(first) => normal(first, rest),
        None if is_registry(pattern) => normal(pattern, "*"),
        _ => normal(HUB, pattern),
    }
}

/// Docker Hub has three names, and its own images a folder that nobody writes.
fn normal(registry: &str, repository: &str) -> (String, String) {
    let registry = registry.to_ascii_lowercase();
    if !matches!(registry.as_str(), HUB | "index.docker.io" | "registry-1.docker.io") {
        return (registry, repository.to_owned());
    }
    let official = !repository.contains(['/', '*']);
    (HUB.to_owned(), if official { format!("library/{repository}") } else { repository.to_owned() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controls::table::Expect::{Failed, Passed, Unknown};
    use crate::controls::table::{check, check_with, judge, resource, task};
    use crate::resource::ResourceType;
    use crate::selection::Parameters;

    fn one(image: &str) -> Value {
        task(&[json!({"name": "web", "image": image})])
    }

    fn allow(patterns: &[&str]) -> Parameters {
        Parameters::new([(ALLOW.to_owned(), toml::Value::from(patterns.to_vec()))])
    }

    #[test]
    fn table() {
        let path = &["/containerDefinitions/0/image"];
        let digest = format!("@sha256:{}", "ab".repeat(32));
        let mine = "111122223333.dkr.ecr.*.amazonaws.com/*";
        check_with(
            &CONTROL,
            &allow(&[mine, "public.ecr.aws/docker/library/*", "nginx", "bitnami/*", "ghcr.io"]),
            &[
                ("this account's", one("111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/web:1.2"), Passed),
                (
                    "by digest",
                    one(&format!("111122223333.dkr.ecr.us-east-1.amazonaws.com/web{digest}")),
                    Passed,
                ),
                (
                    "another account's ECR",
                    one("444455556666.dkr.ecr.eu-west-1.amazonaws.com/web"),
                    Failed(path),
                ),
                (
                    "a host that only looks like it",
                    one("111122223333.dkr.ecr.evil.example/web"),
                    Failed(path),
                ),
                (
                    "no * reaches into the repository",
                    one("111122223333.dkr.ecr.evil.example/a.amazonaws.com/web"),
                    Failed(path),
                ),
                (
                    "no * reaches into the registry",
                    one("evil.example/111122223333.dkr.ecr.eu-west-1.amazonaws.com/web"),
                    Failed(path),
                ),
                (
                    "the account behind a user",
                    one("evil.example/a@111122223333.dkr.ecr.eu-west-1.amazonaws.com:443"),
                    Failed(path),
                ),
                (
                    "another digest's algorithm hides no host",
                    one(&format!("evil.example/nginx@sha512:{}", "ab".repeat(64))),
                    Failed(path),
                ),
                ("public, in a trusted folder", one("public.ecr.aws/docker/library/redis:8"), Passed),
                ("public, in another", one("public.ecr.aws/evil/redis:8"), Failed(path)),
                ("Docker's own", one("nginx:1.29"), Passed),
                ("Docker's own, written out", one("docker.io/library/nginx"), Passed),
                ("Docker's own by the registry's other name", one("index.docker.io/library/nginx"), Passed),
                ("a host's case does not matter", one("GHCR.io/team/app"), Passed),
                ("somebody's of that name", one("evil/nginx"), Failed(path)),
                ("another of Docker's own", one("redis"), Failed(path)),
                ("an organisation's", one("bitnami/kafka:4"), Passed),
                ("a whole registry", one("ghcr.io/team/app"), Passed),
                ("the same name as a port's host", one("ghcr.io:443/team/app"), Failed(path)),
                ("localhost", one("localhost/app"), Failed(path)),
                ("redacted", one("HIDDEN_DUE_TO_SECURITY_REASONS"), Unknown),
                ("no image", task(&[json!({"name": "web"})]), Failed(path)),
                (
                    "every container",
                    task(&[json!({"name": "a", "image": "nginx"}), json!({"name": "b", "image": "evil/b"})]),
                    Failed(&["/containerDefinitions/1/image"]),
                ),
            ],
        );
        check_with(&CONTROL, &allow(&["*/web"]), &[("any registry", one("evil.example/web"), Passed)]);
        check_with(&CONTROL, &allow(&["docker.io/*"]), &[("all of Docker Hub", one("evil/nginx"), Passed)]);
        check_with(&CONTROL, &allow(&["docker.io/library/*"]), &[("Docker's own", one("redis:8"), Passed)]);
    }

    #[test]
    fn without_a_list_nobody_can_judge() {
        check(&CONTROL, &[("no list", one("nginx"), Unknown)]);
        check_with(&CONTROL, &allow(&[]), &[("an empty list", one("nginx"), Unknown)]);
        let resource = resource(ResourceType::TaskDefinition, &one("nginx"));
        let Compliance::Unknown(needs) = judge(&CONTROL, &resource, Parameters::default()).compliance else {
            panic!("judged");
        };
        assert_eq!(needs[0].call(), "the policy's `allow` under [controls.ecs-image-trusted-registry]");
    }

    #[test]
    fn a_password_in_the_reference_is_not_told() {
        let resource =
            resource(ResourceType::TaskDefinition, &one("robot:hunter2@registry.example.com/web:1"));
        let answer = format!("{:?}", judge(&CONTROL, &resource, allow(&["ghcr.io"])).compliance);
        assert!(answer.contains("registry.example.com/web:1") && !answer.contains("hunter2"), "{answer}");
    }
}
