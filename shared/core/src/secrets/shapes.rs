//! The forms that only secrets have: tokens whose issuers gave them a beginning of their own, private keys, AWS's
//! secret keys beside their name, and JSON web tokens.

/// A token by its beginning, the bytes that follow, how many of them (at least, at most), and what it is.
type Shape = (&'static str, fn(u8) -> bool, usize, usize, &'static str);

/// Longer than any token of which its issuer does not say how long it gets. Without an end, a text made of beginnings
/// alone would be read to its own for each of them.
const ANY: usize = 1024;

/// As their issuers document them, or as they are known to be by those who look for leaks.
const SHAPES: &[Shape] = &[
    ("AKIA", capital, 16, 16, "an AWS access key id"),
    ("ASIA", capital, 16, 16, "an AWS access key id"),
    ("ghp_", alphanumeric, 36, ANY, "a GitHub token"),
    ("gho_", alphanumeric, 36, ANY, "a GitHub token"),
    ("ghu_", alphanumeric, 36, ANY, "a GitHub token"),
    ("ghs_", alphanumeric, 36, ANY, "a GitHub token"),
    ("ghr_", alphanumeric, 36, ANY, "a GitHub token"),
    ("github_pat_", word, 80, ANY, "a GitHub token"),
    ("glpat-", word, 20, ANY, "a GitLab token"),
    ("gldt-", word, 20, ANY, "a GitLab token"),
    ("glrt-", word, 20, ANY, "a GitLab token"),
    ("glptt-", word, 40, ANY, "a GitLab token"),
    ("glcbt-", word, 20, ANY, "a GitLab token"),
    ("glsoat-", word, 20, ANY, "a GitLab token"),
    ("glagent-", word, 50, ANY, "a GitLab token"),
    ("xoxb-", word, 24, ANY, "a Slack token"),
    ("xoxp-", word, 24, ANY, "a Slack token"),
    ("xoxa-", word, 24, ANY, "a Slack token"),
    ("xoxr-", word, 24, ANY, "a Slack token"),
    ("xoxs-", word, 24, ANY, "a Slack token"),
    ("xapp-", word, 24, ANY, "a Slack token"),
    ("hooks.slack.com/services/T", path, 30, ANY, "a Slack webhook"),
    ("discord.com/api/webhooks/", path, 70, ANY, "a Discord webhook"),
    ("sk_live_", alphanumeric, 20, ANY, "a Stripe key"),
    ("rk_live_", alphanumeric, 20, ANY, "a Stripe key"),
    ("sk_test_", alphanumeric, 20, ANY, "a Stripe key"),
    ("rk_test_", alphanumeric, 20, ANY, "a Stripe key"),
    ("whsec_", base64, 24, ANY, "a webhook's signing secret"),
    ("AIza", word, 35, 35, "a Google API key"),
    ("GOCSPX-", word, 28, ANY, "a Google client secret"),
    ("ya29.", word, 30, ANY, "a Google access token"),
    ("npm_", alphanumeric, 36, 36, "an npm token"),
    ("pypi-AgE", word, 50, ANY, "a PyPI token"),
    ("rubygems_", hexadecimal, 48, 48, "a RubyGems key"),
    ("dckr_pat_", word, 27, ANY, "a Docker Hub token"),
    ("dckr_oat_", word, 27, ANY, "a Docker Hub token"),
    ("dop_v1_", hexadecimal, 64, 64, "a DigitalOcean token"),
    ("doo_v1_", hexadecimal, 64, 64, "a DigitalOcean token"),
    ("SG.", dotted, 66, 66, "a SendGrid API key"),
    ("shpat_", hexadecimal, 32, 32, "a Shopify token"),
    ("shpss_", hexadecimal, 32, 32, "a Shopify secret"),
    ("sq0csp-", word, 43, 43, "a Square secret"),
    ("sk-ant-", word, 80, ANY, "an Anthropic API key"),
    ("sk-proj-", word, 40, ANY, "an OpenAI API key"),
    ("sk-", alphanumeric, 48, 48, "an OpenAI API key"),
    ("hf_", alphanumeric, 34, 34, "a Hugging Face token"),
    ("dapi", hexadecimal, 32, 32, "a Databricks token"),
    ("hvs.", word, 24, ANY, "a Vault token"),
    ("hvb.", word, 24, ANY, "a Vault token"),
    ("atlasv1.", word, 60, ANY, "a Terraform token"),
    ("NRAK-", alphanumeric, 27, 27, "a New Relic key"),
    ("glsa_", word, 41, ANY, "a Grafana token"),
    ("glc_eyJ", base64, 30, ANY, "a Grafana token"),
    ("ATATT3", word, 100, ANY, "an Atlassian token"),
    ("PMAK-", word, 59, 59, "a Postman key"),
    ("lin_api_", alphanumeric, 40, 40, "a Linear key"),
    ("sntrys_", base64, 60, ANY, "a Sentry token"),
    ("sbp_", hexadecimal, 40, 40, "a Supabase token"),
    ("pscale_pw_", dotted, 32, 64, "a PlanetScale password"),
    ("pscale_tkn_", dotted, 32, 64, "a PlanetScale token"),
    ("AGE-SECRET-KEY-1", capital, 58, 58, "an age key"),
    ("AccountKey=", base64, 80, ANY, "an Azure storage key"),
    ("SharedAccessKey=", base64, 40, ANY, "an Azure access key"),
    ("sig=", encoded, 43, ANY, "an Azure access signature"),
];

fn alphanumeric(b: u8) -> bool {
    b.is_ascii_alphanumeric()
}

fn capital(b: u8) -> bool {
    b.is_ascii_uppercase() || b.is_ascii_digit()
}

fn hexadecimal(b: u8) -> bool {
    b.is_ascii_hexdigit()
}

fn word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b == b'-'
}

fn dotted(b: u8) -> bool {
    word(b) || b == b'.'
}

fn path(b: u8) -> bool {
    word(b) || b == b'/'
}

fn base64(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"+/=_-".contains(&b)
}

/// Base64 within a URL.
fn encoded(b: u8) -> bool {
    base64(b) || b == b'%'
}

/// A token by its issuer's form. It stands where a word begins, so that every beginning is looked for there alone.
pub(super) fn issued(text: &str) -> Option<&'static str> {
    // Most texts are too short for any.
    if text.len() < SHORTEST {
        return None;
    }
    let words: Vec<(usize, &str)> = (0..text.len())
        .filter(|at| *at == 0 || !word(text.as_bytes()[at - 1]))
        .filter_map(|at| Some((at, text.get(at..)?)))
        .collect();
    let found = |(start, then, least, most, _): &&Shape| {
        words.iter().any(|(at, rest)| {
            rest.starts_with(start) && {
                let from = at + start.len();
                let run = run(text, from, *then, most + 1);
                (*least..=*most).contains(&run.len()) && ends(text, from + run.len()) && is_varied(run)
            }
        })
    };
    SHAPES.iter().find(found).map(|(.., kind)| *kind)
}

/// No token of an issuer is shorter.
const SHORTEST: usize = 20;

/// Whether no word goes on at this place.
fn begins(text: &str, at: usize) -> bool {
    text.get(..at).and_then(|before| before.bytes().next_back()).is_none_or(|b| !word(b))
}

/// Whether no word goes on after this place.
fn ends(text: &str, at: usize) -> bool {
    text.get(at..).and_then(|after| after.bytes().next()).is_none_or(|b| !b.is_ascii_alphanumeric())
}

/// The bytes of a kind from this place on, as many of them as have to be looked at.
fn run(text: &str, at: usize, of: fn(u8) -> bool, most: usize) -> &str {
    let rest = text.get(at..).unwrap_or_default();
    rest.get(..rest.bytes().take(most).take_while(|b| of(*b)).count()).unwrap_or_default()
}

/// Whether it is more than a row of one letter, and not one of the documentation's own.
fn is_varied(run: &str) -> bool {
    let mut seen = [false; 256];
    run.bytes().for_each(|b| seen[usize::from(b)] = true);
    seen.iter().filter(|one| **one).count() > 4 && !run.contains("EXAMPLE")
}

/// How the Base64 of private keys in PEM begins.
const ENCODED: &[&str] = &[
    "LS0tLS1CRUdJTiBQUklWQVRF",
    "LS0tLS1CRUdJTiBSU0EgUFJJVkFUR",
    "LS0tLS1CRUdJTiBFQyBQUklWQVRF",
    "LS0tLS1CRUdJTiBFTkNSWVBURUQg",
    "LS0tLS1CRUdJTiBPUEVOU1NIIFBS",
];

/// A private key in PEM, in its own Base64 perhaps. The header alone is no key.
pub(super) fn private_key(text: &str) -> bool {
    let plain = text.match_indices("-----BEGIN ").any(|(at, start)| {
        let rest = text.get(at + start.len()..).and_then(|rest| rest.split_once("-----"));
        rest.is_some_and(|(label, body)| {
            label.contains("PRIVATE KEY") && longest(body.split("-----").next().unwrap_or_default()) >= 40
        })
    });
    let encoded = |start: &&str| {
        text.match_indices(*start).any(|(at, _)| begins(text, at) && run(text, at, base64, 100).len() == 100)
    };
    plain || ENCODED.iter().any(encoded)
}

/// The length of the longest run of Base64.
fn longest(text: &str) -> usize {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || "+/=".contains(c))).map(str::len).max().unwrap_or(0)
}

/// Forty characters beside the words that AWS's programs call them by.
pub(super) fn aws_secret_key(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["secret_access_key", "secretaccesskey", "secret-access-key"].iter().any(|name| {
        lower.match_indices(name).any(|(at, _)| {
            let rest = text.get(at + name.len()..).unwrap_or_default();
            let value = rest.trim_start_matches([' ', '=', ':', '"', '\'', '\\']);
            let key = run(value, 0, |b| b.is_ascii_alphanumeric() || b == b'/' || b == b'+', 41);
            key.len() == 40 && value.len() < rest.len() && is_varied(key)
        })
    })
}

/// Three parts of Base64, of which two are objects: a header and claims, and their signature.
pub(super) fn web_token(text: &str) -> bool {
    text.match_indices("eyJ")
        .any(|(at, _)| begins(text, at) && is_web_token(text.get(at..).unwrap_or_default()))
}

fn is_web_token(text: &str) -> bool {
    let part = |rest: &str| rest.bytes().take_while(|b| word(*b)).count();
    let header = part(text);
    let Some(rest) = text.get(header..).and_then(|rest| rest.strip_prefix('.')) else { return false };
    let claims = part(rest);
    let signature = rest.get(claims..).and_then(|rest| rest.strip_prefix('.')).map_or(0, part);
    header > 16 && claims > 10 && rest.starts_with("eyJ") && signature > 19
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::in_text;

    /// Bytes of a kind, in turn: no token stands in this file, and none is anybody's.
    fn sample(of: fn(u8) -> bool, length: usize) -> String {
        let bytes: Vec<u8> = (b'0'..=b'z').rev().filter(|b| of(*b) && b.is_ascii_alphanumeric()).collect();
        bytes.iter().cycle().take(length).map(|b| char::from(*b)).collect()
    }

    #[test]
    fn no_form_is_shorter_than_the_shortest() {
        let lengths = SHAPES.iter().map(|(start, _, least, ..)| start.len() + least);
        assert_eq!(lengths.min(), Some(SHORTEST));
    }

    #[test]
    fn every_form_is_found_where_it_is_whole() {
        for (start, then, least, most, kind) in SHAPES {
            let whole = format!("{start}{}", sample(*then, *least));
            assert_eq!(in_text(&whole), Some(*kind), "{start}");
            assert_eq!(
                in_text(&format!("curl -H 'X-Auth: {whole}' http://localhost")),
                Some(*kind),
                "{start}"
            );
            assert_eq!(issued(&format!("x{whole}")), None, "{start} within a word");
            let short = format!("{start}{}", sample(*then, least - 1));
            assert_ne!(issued(&short), Some(*kind), "{start} cut short");
            if *most < ANY {
                let long = format!("{start}{}", sample(*then, most + 1));
                assert_ne!(issued(&long), Some(*kind), "{start} goes on");
            }
            let blank = format!("{start}{}", "A".repeat(*least));
            assert_eq!(issued(&blank), None, "{start} with nothing in it");
        }
    }

    #[test]
    fn private_keys_in_pem() {
        let body = sample(|b| b.is_ascii_alphanumeric(), 64);
        for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"] {
            let line = format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----");
            assert_eq!(in_text(&line), Some("a private key"), "{label}");
            assert_eq!(in_text(&line.replace('\n', "\\n")), Some("a private key"), "{label} in one line");
            assert_eq!(in_text(&format!("-----BEGIN {label}-----")), None, "{label} without a key");
        }
        assert_eq!(in_text(&format!("-----BEGIN PUBLIC KEY-----\n{body}")), None);
        for start in ENCODED {
            assert_eq!(in_text(&format!("{start}{body}{body}")), Some("a private key"), "{start}");
        }
        assert_eq!(in_text(&format!("LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS{body}{body}")), None, "a certificate");
    }

    #[test]
    fn aws_secret_keys_beside_their_name() {
        let key = sample(|b| b.is_ascii_alphanumeric(), 40);
        for before in [
            "aws_secret_access_key = ",
            "aws configure set aws_secret_access_key ",
            "\"SecretAccessKey\": \"",
        ] {
            assert_eq!(in_text(&format!("{before}{key}")), Some("an AWS secret access key"), "{before}");
        }
        assert_eq!(in_text(&format!("aws_secret_access_key={key}x")), None, "forty-one");
        assert_eq!(in_text(&key), None, "forty characters are as well a commit's");
        assert_eq!(in_text("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), None);
    }

    /// Every beginning is looked at, and none reads the text to its end: that would take a minute here.
    #[test]
    fn a_text_made_of_beginnings_takes_no_longer_than_another() {
        for start in [
            "SG.",
            "glpat-",
            "eyJ.",
            "secretaccesskey=",
            "-----BEGIN PRIVATE KEY-----",
            "://a:@",
            "@tcp(",
            "@//",
            "\"a\":",
            "authorization:bearer ",
        ] {
            assert_eq!(in_text(&start.repeat(200_000 / start.len())), None, "{start}");
        }
    }

    #[test]
    fn web_tokens_have_three_parts() {
        let part = sample(word, 30);
        let token = format!("eyJ{part}.eyJ{part}.{part}");
        assert_eq!(in_text(&token), Some("a JSON web token"));
        assert_eq!(in_text(&format!("Authorization: Bearer {token}.")), Some("a JSON web token"));
        assert_eq!(in_text(&format!("eyJ{part}.eyJ{part}")), None, "two parts");
        assert_eq!(in_text(&format!("eyJ{part}.{part}.{part}")), None, "no claims");
        assert_eq!(in_text(&format!("a{token}")), None, "within a word");
    }
}
