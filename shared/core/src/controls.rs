//! The catalogue: one file a control, sorted by slug.

use crate::control::Control;

mod ecs_account_container_insights;
mod ecs_capacity_provider_termination_protection;
mod ecs_cluster_active_services;
mod ecs_cluster_container_insights;
mod ecs_cluster_tagged;
mod ecs_container_healthcheck;
mod ecs_container_logging;
mod ecs_container_memory_limit;
mod ecs_container_non_root_user;
mod ecs_container_not_privileged;
mod ecs_container_readonly_rootfs;
mod ecs_container_windows_non_admin;
mod ecs_efs_transit_encryption;
mod ecs_exec_logging_enabled;
mod ecs_exec_logging_encrypted;
mod ecs_exec_not_enabled;
mod ecs_express_service_public;
mod ecs_fargate_latest_platform;
mod ecs_fargate_platform_not_pinned;
mod ecs_host_mode_root_opt_in;
mod ecs_host_mode_security_group;
mod ecs_image_digest_pinned;
mod ecs_image_trusted_registry;
mod ecs_log_awslogs_driver;
mod ecs_log_nonblocking_mode;
mod ecs_no_aws_credentials_env;
mod ecs_no_dangerous_capabilities;
mod ecs_no_docker_socket_mount;
mod ecs_no_host_ipc_mode;
mod ecs_no_host_network_mode;
mod ecs_no_host_pid_mode;
mod ecs_no_inline_environment;
mod ecs_no_plaintext_secrets_env;
mod ecs_run_task_no_public_ip;
mod ecs_run_task_override_secrets;
mod ecs_service_behind_load_balancer;
mod ecs_service_no_inline_policy;
mod ecs_service_no_public_ip;
mod ecs_service_role_not_admin;
mod ecs_service_running_tasks;
mod ecs_service_tagged;
mod ecs_task_awsvpc_network_mode;
mod ecs_task_role_differs_from_execution_role;
mod ecs_task_role_present;
mod ecs_task_set_no_public_ip;
mod ecs_taskdef_tagged;

/// Every control, by slug.
pub static ALL: &[&Control] = &[
    &ecs_account_container_insights::CONTROL,
    &ecs_capacity_provider_termination_protection::CONTROL,
    &ecs_cluster_active_services::CONTROL,
    &ecs_cluster_container_insights::CONTROL,
    &ecs_cluster_tagged::CONTROL,
    &ecs_container_healthcheck::CONTROL,
    &ecs_container_logging::CONTROL,
    &ecs_container_memory_limit::CONTROL,
    &ecs_container_non_root_user::CONTROL,
    &ecs_container_not_privileged::CONTROL,
    &ecs_container_readonly_rootfs::CONTROL,
    &ecs_container_windows_non_admin::CONTROL,
    &ecs_efs_transit_encryption::CONTROL,
    &ecs_exec_logging_enabled::CONTROL,
    &ecs_exec_logging_encrypted::CONTROL,
    &ecs_exec_not_enabled::CONTROL,
    &ecs_express_service_public::CONTROL,
    &ecs_fargate_latest_platform::CONTROL,
    &ecs_fargate_platform_not_pinned::CONTROL,
    &ecs_host_mode_root_opt_in::CONTROL,
    &ecs_host_mode_security_group::CONTROL,
    &ecs_image_digest_pinned::CONTROL,
    &ecs_image_trusted_registry::CONTROL,
    &ecs_log_awslogs_driver::CONTROL,
    &ecs_log_nonblocking_mode::CONTROL,
    &ecs_no_aws_credentials_env::CONTROL,
    &ecs_no_dangerous_capabilities::CONTROL,
    &ecs_no_docker_socket_mount::CONTROL,
    &ecs_no_host_ipc_mode::CONTROL,
    &ecs_no_host_network_mode::CONTROL,
    &ecs_no_host_pid_mode::CONTROL,
    &ecs_no_inline_environment::CONTROL,
    &ecs_no_plaintext_secrets_env::CONTROL,
    &ecs_run_task_no_public_ip::CONTROL,
    &ecs_run_task_override_secrets::CONTROL,
    &ecs_service_behind_load_balancer::CONTROL,
    &ecs_service_no_inline_policy::CONTROL,
    &ecs_service_no_public_ip::CONTROL,
    &ecs_service_role_not_admin::CONTROL,
    &ecs_service_running_tasks::CONTROL,
    &ecs_service_tagged::CONTROL,
    &ecs_task_awsvpc_network_mode::CONTROL,
    &ecs_task_role_differs_from_execution_role::CONTROL,
    &ecs_task_role_present::CONTROL,
    &ecs_task_set_no_public_ip::CONTROL,
    &ecs_taskdef_tagged::CONTROL,
];

#[cfg(test)]
pub(crate) mod table {
    //! Tables of tests: a name, a document, and the paths that fail. Every failing row is fixed, where its control
    //! has a fix, and judged again.

    use serde_json::{Value, json};

    use crate::control::{Compliance, Control, Evaluation, evaluate};
    use crate::document::Document;
    use crate::facts::Facts;
    use crate::remediation::{Safety, plan, prove, simulate};
    use crate::resource::{Resource, ResourceId, ResourceType};
    use crate::selection::{Parameters, Selected, Selection};

    /// What a row expects.
    #[derive(Clone, Copy)]
    pub(crate) enum Expect {
        Passed,
        NotApplicable,
        Unknown,
        /// JSON pointers of the violations.
        Failed(&'static [&'static str]),
    }

    pub(crate) fn resource(kind: ResourceType, document: &Value) -> Resource {
        let name = match kind {
            ResourceType::Cluster => "cluster/shop",
            ResourceType::Service | ResourceType::ExpressGatewayService => "service/shop/checkout",
            ResourceType::TaskSet => "task-set/shop/checkout/ecs-svc/1",
            ResourceType::Task => "task/shop/0f1e2d3c",
            ResourceType::CapacityProvider => "capacity-provider/hosts",
            ResourceType::AccountSetting => "account-setting/containerInsights",
            _ => "task-definition/checkout:7",
        };
        let arn = format!("arn:aws:ecs:eu-west-1:111122223333:{name}").parse().unwrap();
        Resource::read(ResourceId { kind, arn }, Document::from_value(document)).unwrap()
    }

    pub(crate) fn judge(
        control: &'static Control,
        resource: &Resource,
        parameters: Parameters,
    ) -> Evaluation {
        judge_with(control, resource, parameters, &Facts::default())
    }

    pub(crate) fn judge_with(
        control: &'static Control,
        resource: &Resource,
        parameters: Parameters,
        facts: &Facts,
    ) -> Evaluation {
        let selected = Selected { control, parameters };
        evaluate(resource, facts, &Selection::one(&selected)).remove(0)
    }

    /// Runs the rows without parameters.
    pub(crate) fn check(control: &'static Control, rows: &[(&str, Value, Expect)]) {
        check_with(control, &Parameters::default(), rows);
    }

    /// Runs the rows with parameters.
    pub(crate) fn check_with(
        control: &'static Control,
        parameters: &Parameters,
        rows: &[(&str, Value, Expect)],
    ) {
        check_knowing(control, parameters, &Facts::default(), rows);
    }

    /// Facts out of documents as `aws … describe-*` prints them.
    pub(crate) fn facts(answers: &[Value]) -> Facts {
        let mut facts = Facts::default();
        for answer in answers {
            let json = serde_json::value::to_raw_value(answer).unwrap();
            facts.absorb(&json).unwrap_or_else(|| panic!("no known answer: {answer}"));
        }
        facts
    }

    /// Runs the rows with parameters, and with facts beside them.
    pub(crate) fn check_knowing(
        control: &'static Control,
        parameters: &Parameters,
        facts: &Facts,
        rows: &[(&str, Value, Expect)],
    ) {
        for (name, document, expect) in rows {
            let resource = resource(control.rule.kind(), document);
            let evaluation = judge_with(control, &resource, parameters.clone(), facts);
            match (expect, &evaluation.compliance) {
                (Expect::Passed, Compliance::Passed)
                | (Expect::NotApplicable, Compliance::NotApplicable(_))
                | (Expect::Unknown, Compliance::Unknown(_)) => {}
                (Expect::Failed(paths), Compliance::Failed(violations)) => {
                    let found: Vec<&str> = violations.iter().map(|one| one.path.as_str()).collect();
                    assert_eq!(&found, paths, "{name}");
                    converges(control, &resource, &evaluation, parameters, facts, name);
                }
                (_, answer) => panic!("{name}: {answer:?}"),
            }
        }
    }

    fn converges(
        control: &'static Control,
        resource: &Resource,
        evaluation: &Evaluation,
        parameters: &Parameters,
        facts: &Facts,
        name: &str,
    ) {
        let selected = Selected { control, parameters: parameters.clone() };
        let Some(fix) = plan(resource, evaluation, facts, &selected) else { return };
        if *parameters == Parameters::default() {
            assert_eq!(fix.safety, control.safety, "{name}: its file claims otherwise");
        }
        assert!(fix.call.is_some() || fix.safety == Safety::Manual, "{name}: no call makes this fix");
        prove(&fix, control, resource, facts, &Selection::one(&selected))
            .unwrap_or_else(|why| panic!("{name}: {why}"));
        let mended = simulate(&fix.patch, resource).unwrap();
        assert_eq!(
            judge_with(control, &mended, parameters.clone(), facts).compliance,
            Compliance::Passed,
            "{name}"
        );
    }

    /// A task definition with these containers.
    pub(crate) fn task(containers: &[Value]) -> Value {
        json!({"family": "checkout", "revision": 7, "status": "ACTIVE", "containerDefinitions": containers})
    }
}
