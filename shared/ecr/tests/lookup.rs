//! What ECR is asked and what is learned of its answers, over a socket.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may")]

use std::sync::{Arc, Mutex};

use aws_sdk_ecr::Client;
use aws_sdk_ecr::config::retry::RetryConfig;
use aws_sdk_ecr::config::{BehaviorVersion, Config, Credentials, Region};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use serde_json::{Value, json};
use shipshape_aws::failure::{Failure, FailureKind};
use shipshape_core::facts::{Facts, Need};
use shipshape_core::image::ImageReference;
use shipshape_ecr::lookup;
use shipshape_test_server::{Answer, Request, Server, signature};

const RUNNING: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const OTHER: &str = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn client(server: &Server, region: &str) -> Client {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .credentials_provider(Credentials::new(signature::KEY, signature::SECRET, None, None, "test"))
        .retry_config(RetryConfig::standard().with_initial_backoff(std::time::Duration::from_millis(1)))
        .endpoint_url(&server.url)
        .http_client(http)
        .build();
    Client::from_conf(config)
}

/// A future that may go from one thread to another, as the ports of a run ask.
fn sent<T: Future + Send>(future: T) -> T {
    future
}

fn image(region: &str, name: &str) -> ImageReference {
    ImageReference::read(&format!("111122223333.dkr.ecr.{region}.amazonaws.com/{name}"))
}

fn here(name: &str) -> ImageReference {
    image("eu-west-1", name)
}

/// What was told, what was learned of it, and the Regions that a client was made for.
async fn fetch(
    server: &Server,
    images: &[ImageReference],
) -> Result<(Vec<Value>, Facts, Vec<String>), Failure> {
    let needs: Vec<Need> = images.iter().cloned().map(Need::Repository).collect();
    let regions = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&regions);
    let client_for = move |region: &str| {
        seen.lock().unwrap().push(region.to_owned());
        client(server, region)
    };
    let told = sent(lookup::fetch(client_for, &needs)).await?;
    let mut facts = Facts::default();
    told.iter().for_each(|one| assert!(facts.absorb(one).is_some(), "{one}"));
    let regions = regions.lock().unwrap().clone();
    Ok((told.iter().map(|one| serde_json::from_str(one.get()).unwrap()).collect(), facts, regions))
}

fn asked(request: &Request) -> Value {
    serde_json::from_str(&request.body).unwrap()
}

fn error(status: u16, code: &str) -> Answer {
    Answer::Told(status, json!({"__type": code, "message": format!("words of {code}")}).to_string())
}

/// A registry whose repository `web` has the tag `1` and the running digest; everything else is not there, and ECR says
/// so for the whole call.
fn registry(request: &Request) -> Answer {
    let asked = asked(request);
    if asked["repositoryName"] == "locked" {
        return error(400, "AccessDeniedException");
    }
    if asked["repositoryName"] != "web" {
        return error(400, "RepositoryNotFoundException");
    }
    let ids = asked["imageIds"].as_array().unwrap();
    let is_there = |id: &Value| id["imageTag"] == "1" || id["imageDigest"] == RUNNING;
    if !ids.iter().all(is_there) {
        return error(400, "ImageNotFoundException");
    }
    let detail = json!({"registryId": asked["registryId"], "repositoryName": "web", "imageDigest": RUNNING,
        "imageTags": ["1", "1.0"], "imageSizeInBytes": 4096, "imagePushedAt": 1.77e9});
    Answer::Told(200, json!({ "imageDetails": [detail] }).to_string())
}

#[tokio::test]
async fn exactly_the_images_in_question_are_asked_for_in_one_call() {
    let server = Server::start(|request, _| registry(request));
    let pinned = format!("web@{RUNNING}");
    let images = [here("web:1"), here(&pinned), here("web:1"), ImageReference::read("nginx:1")];
    let (told, facts, regions) = fetch(&server, &images).await.unwrap();
    let ids = json!([{"imageDigest": RUNNING}, {"imageTag": "1"}]);
    let detail = json!({"registryId": "111122223333", "repositoryName": "web", "imageDigest": RUNNING,
        "imageTags": ["1", "1.0"]});
    let expected = json!({"registryId": "111122223333", "region": "eu-west-1", "repositoryName": "web",
        "imageIds": ids, "imageDetails": [detail]});
    assert_eq!(told, [expected]);
    assert_eq!(regions, ["eu-west-1"]);
    let sent = server.requests();
    assert_eq!(sent.len(), 1);
    assert_eq!(
        asked(&sent[0]),
        json!({"registryId": "111122223333", "repositoryName": "web", "imageIds": ids})
    );
    assert!(sent[0].header("x-amz-target").unwrap().ends_with(".DescribeImages"));
    let known = facts.repository(&here("web:1")).unwrap();
    let digests: Vec<&str> = known.tagged("1").map(|one| one.digest.as_str()).collect();
    assert_eq!(digests, [RUNNING]);
    assert_eq!((known.has(RUNNING), known.has(OTHER)), (Some(true), None));
    assert!(facts.repository(&here("web:2")).is_none(), "nobody asked");
}

#[tokio::test]
async fn what_is_not_there_is_told_and_hides_nothing_else() {
    let server = Server::start(|request, _| registry(request));
    let gone = format!("web@{OTHER}");
    let pinned = format!("web@{RUNNING}");
    let images =
        [here("web:1"), here("web:gone"), here(&gone), here(&pinned), here("none:1"), here("locked:1")];
    let (told, facts, _) = fetch(&server, &images).await.unwrap();
    assert_eq!(told.len(), 1, "nothing is told of a repository that is not there, or that may not be read");
    assert_eq!(told[0]["imageDetails"].as_array().unwrap().len(), 1, "by its tag and its digest it is one");
    let known = facts.repository(&here("web:gone")).unwrap();
    assert_eq!(known.tagged("gone").count(), 0);
    assert_eq!(known.tagged("1").count(), 1);
    assert_eq!(facts.repository(&here(&gone)).unwrap().has(OTHER), Some(false));
    assert!(facts.repository(&here("none:1")).is_none() && facts.repository(&here("locked:1")).is_none());
    let of_web = server.requests().iter().filter(|one| asked(one)["repositoryName"] == "web").count();
    assert_eq!(of_web, 7, "all four, and then either half");
}

#[tokio::test]
async fn each_region_and_account_is_asked_for_its_own() {
    let server = Server::start(|request, _| registry(request));
    let central = "444455556666.dkr.ecr.eu-west-1.amazonaws.com/web:1";
    let images = [image("us-east-1", "web:1"), here("web:1"), ImageReference::read(central)];
    let (_, facts, regions) = fetch(&server, &images).await.unwrap();
    assert_eq!(regions, ["eu-west-1", "us-east-1"]);
    let sent = server.requests();
    let places: Vec<(Value, bool)> = sent
        .iter()
        .map(|one| {
            let scope = one.header("authorization").unwrap();
            (asked(one)["registryId"].clone(), scope.contains("/us-east-1/ecr/"))
        })
        .collect();
    let expected = [("111122223333", false), ("444455556666", false), ("111122223333", true)];
    assert_eq!(places, expected.map(|(account, abroad)| (json!(account), abroad)));
    assert!(images.iter().all(|image| facts.repository(image).is_some()));
    assert!(facts.repository(&image("eu-north-1", "web:1")).is_none());
}

#[tokio::test]
async fn a_call_takes_a_hundred_images() {
    let server = Server::start(|request, _| {
        let asked = asked(request);
        assert!(asked["imageIds"].as_array().unwrap().len() <= 100);
        Answer::Told(200, json!({"imageDetails": []}).to_string())
    });
    let images: Vec<ImageReference> = (0..150).map(|n| here(&format!("web:{n}"))).collect();
    fetch(&server, &images).await.unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn an_archived_image_can_not_be_pulled() {
    let server = Server::start(|_, _| {
        let detail = json!({"registryId": "111122223333", "repositoryName": "web", "imageDigest": RUNNING,
            "imageTags": ["1"], "imageStatus": "ARCHIVED"});
        Answer::Told(200, json!({ "imageDetails": [detail] }).to_string())
    });
    let (_, facts, _) = fetch(&server, &[here("web:1")]).await.unwrap();
    assert_eq!(facts.repository(&here("web:1")).unwrap().tagged("1").count(), 0);
}

#[tokio::test]
async fn a_throttled_call_is_tried_again_and_a_broken_one_is_a_failure() {
    let server = Server::start(|request, before| match before {
        0 => error(400, "ThrottlingException"),
        _ => registry(request),
    });
    let (_, facts, _) = fetch(&server, &[here("web:1")]).await.unwrap();
    assert!(facts.repository(&here("web:1")).is_some());
    assert_eq!(server.requests().len(), 2);
    let down = Server::start(|_, _| error(500, "ServerException"));
    let failure = fetch(&down, &[here("web:1")]).await.unwrap_err();
    assert_eq!(failure.to_string(), "DescribeImages: ServerException: words of ServerException");
    assert_eq!(failure.kind, FailureKind::Retryable);
}
