//! What counts as a secret, and what is only like one.

use super::*;

/// What people complained about in other scanners, and what is like it: none of these is a secret.
const HARMLESS: &[(&str, &str)] = &[
    ("MYSQL_ALLOW_EMPTY_PASSWORD", "yes"),
    ("MYSQL_ALLOW_EMPTY_PASSWORD", "1"),
    ("MYSQL_RANDOM_ROOT_PASSWORD", "true"),
    ("ALLOW_EMPTY_PASSWORD", "no"),
    ("DB_SECRET_ARN", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf"),
    ("DB_SECRET", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf"),
    ("TOKEN_URL", "https://login.example.com/oauth2/token"),
    ("AUTH_TOKEN", "https://login.example.com/oauth2/token"),
    ("PASSWORD_FILE", "/run/secrets/db"),
    ("POSTGRES_PASSWORD_FILE", "/run/secrets/db"),
    ("DB_PASSWORD", "/run/secrets/db"),
    ("DB_PASSWORD", "file:///run/secrets/db"),
    ("DB_PASSWORD", "./secrets/db.txt"),
    ("TLS_PRIVATE_KEY", "C:\\certs\\server.key"),
    ("TLS_PRIVATE_KEY", "server.pem"),
    ("SECRET_NAME", "prod-db"),
    ("RDS_secrets_name", "config/database_credentials"),
    ("DB_SECRET", "prod/checkout/db-2"),
    ("db_pass_secret", "prod/db/master"),
    ("SECRET_ID", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
    ("SECRETS_PROVIDER", "aws-secrets-manager"),
    ("TOKEN_ENDPOINT", "oauth2/token"),
    ("TOKEN_TTL", "3600"),
    ("REFRESH_TOKEN", "15m"),
    ("MAX_TOKEN", "4096"),
    ("PAD_TOKEN", "<pad>"),
    ("STOP_TOKEN", "###"),
    ("EOS_TOKEN", "</s>"),
    ("TOKENIZERS_PARALLELISM", "false"),
    ("API_KEY", "${API_KEY}"),
    ("API_KEY", "$API_KEY"),
    ("API_KEY", "$(cat /run/secrets/key)"),
    ("API_KEY", "{{resolve:ssm:/prod/key}}"),
    ("API_KEY", "{api_key}"),
    ("API_KEY", "%API_KEY%"),
    ("API_KEY", "ssm:/prod/api-key"),
    ("API_KEY", "vault:secret/data/app#key"),
    ("API_KEY", "ref+awssecrets://prod/key"),
    ("API_KEY", "ENC[AES256_GCM,data:kx9]"),
    ("API_KEY", "AQICAHhAbCdEf0123456789"),
    ("API_KEY", "API_KEY"),
    ("API_KEY", "xxxxxxxx"),
    ("API_KEY", "********"),
    ("API_KEY", "changeme"),
    ("API_KEY", "REPLACE_ME"),
    ("API_KEY", "<your key>"),
    ("API_KEY", "your-api-key-here"),
    ("API_KEY", "[redacted]"),
    ("API_KEY", ""),
    ("KEYSTORE_PASSWORD", "changeit"),
    ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
    ("STRIPE_PUBLISHABLE_API_KEY", "pk-abcdefghijklmnop"),
    ("NEXT_PUBLIC_API_KEY", "0f1e2d3c4b5a"),
    ("PROXY_PASS", "http://upstream:8080"),
    ("PWD", "/srv/app"),
    ("BYPASS", "something"),
    ("LOG_LEVEL", "info"),
    ("COMMIT", "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c"),
    ("IMAGE", "sha256:c031fa516b62584c09e3286ecac044d310a84f07fc02f8d2601eda8528c1582d"),
    ("DATABASE_URL", "postgres://app@db.internal:5432/shop"),
    ("DATABASE_URL", "postgres://app:${DB_PASSWORD}@db.internal:5432/shop"),
    ("DATABASE_URL", "postgres://app:$DB_PASSWORD@db.internal/shop"),
    ("DATABASE_URL", "postgres://{user}:{password}@db.internal/shop"),
    ("DATABASE_URL", "postgres://app:<password>@db.internal/shop"),
    ("DATABASE_URL", "postgres://app:%s@db.internal/shop"),
    ("DATABASE_URL", "postgres://app:****@db.internal/shop"),
    ("REPOSITORY", "ssh://git@git.example.com:2222/team/app.git"),
    ("CALLBACK", "https://app.example.com/login?next=a:b@c"),
    ("SENTRY_DSN", "https://0f1e2d3c4b5a69788796a5b4c3d2e1f0@o1.ingest.sentry.io/2"),
    ("HTTPS_PROXY", "http://proxy.internal:3128"),
    ("CONNECTION", "Server=db;Database=shop;Integrated Security=true"),
    ("CONNECTION", "Server=db;User Id=app;Password=${DB_PASSWORD}"),
    ("CONNECTION", "Server=db;User Id=app;Password="),
    ("HELP", "set password=VALUE to change it"),
    (
        "CERTIFICATE",
        "-----BEGIN CERTIFICATE-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAuqwertyuiopasdfghjkl",
    ),
    ("NEXT_TOKEN", "abc"),
    ("PAGE_TOKEN", "next"),
    ("nextPageToken", "CAUQAA0123456789"),
    ("CONTINUATION_TOKEN", "0f1e2d3c4b5a"),
    ("CSRF_TOKEN", "X-CSRF-Token"),
    ("XSRF-TOKEN", "0f1e2d3c4b5a"),
    ("X_API_KEY", "x-api-key"),
    ("API_KEY", "x-api-key"),
    ("AUTH_TOKEN", "X-Auth-Token"),
    ("DB_SECRET", "prod-db"),
    ("DB_SECRET", "checkout-prod-database"),
    ("API_TOKEN", "v2"),
    ("ENCRYPTION_KEY", "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"),
    ("ENCRYPTION_KEY", "alias/shop"),
    ("SIGNING_KEY", "arn:aws:kms:eu-west-1:111122223333:key/0f1e2d3c"),
    ("DB_PASSWORD_PROD", "/run/secrets/db"),
    ("DB_PASSWORD", "$db_password"),
    ("DB_PASSWORD", "{{ .Values.password }}"),
    ("PASSWORD_POLICY_2", "strict-one"),
    ("SPRING_APPLICATION_JSON", "{\"password\":\"${DB_PASSWORD}\",\"user\":\"app\"}"),
    ("SPRING_APPLICATION_JSON", "{\"token\":\"next\",\"password\":\"\"}"),
    ("DSN", "app:${DB_PASSWORD}@tcp(db:3306)/shop"),
    ("DSN", "app@tcp(db:3306)/shop"),
    ("DSN", "app/${DB_PASSWORD}@//db:1521/shop"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer ${TOKEN}"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=bearer token"),
    ("HELP", "Authorization: Basic authentication is off"),
    ("ALLOWED_HEADERS", "Authorization, Content-Type"),
    ("LINK", "https://shop.example.com/?sig=none"),
    ("MOUNT", "addr=files,username=app,ro"),
    ("HINT", "begins with -----BEGIN PRIVATE KEY-----"),
];

#[test]
fn nothing_harmless_is_taken_for_a_secret() {
    for (name, value) in HARMLESS {
        assert_eq!(in_named(name, value), None, "{name}={value}");
    }
}

#[test]
fn names_count_with_a_value_that_could_be_the_secret() {
    let rows = [
        ("DB_PASSWORD", "hunter2", "a password, by its name"),
        ("db-password", "hunter2", "a password, by its name"),
        ("dbPassword", "correct horse battery staple", "a password, by its name"),
        ("PGPASSWORD", "postgres", "a password, by its name"),
        ("MYSQL_PWD", "hunter2", "a password, by its name"),
        ("SMTP_PASS", "hunter2", "a password, by its name"),
        ("KEY_PASSPHRASE", "hunter2", "a passphrase, by its name"),
        ("DD_API_KEY", "0f1e2d3c4b5a69788796a5b4c3d2e1f0", "an API key, by its name"),
        ("apikey", "0f1e2d3c4b5a69788796a5b4c3d2e1f0", "an API key, by its name"),
        ("SIGNING_PRIVATE_KEY", "aGVsbG8gd29ybGQ", "a private key, by its name"),
        ("DJANGO_SECRET_KEY", "s3cr3t!", "a secret key, by its name"),
        ("SESSION_SECRET", "keyboard-cat", "a secret, by its name"),
        ("OAUTH_CLIENT_SECRET", "aB3/xY9+q0==", "a secret, by its name"),
        ("AWS_SESSION_TOKEN", "IQoJb3JpZ2luX2VjEAoaCXVzLWVhc3QtMSJHMEUCIQ", "a token, by its name"),
        ("splunk-token", "11111111-2222-3333-4444-555555555555x", "a token, by its name"),
        ("com.example.token", "abc123def", "a token, by its name"),
        ("SECRET_KEY_BASE", "0f1e2d3c4b5a", "a secret key, by its name"),
        ("DB_PASSWORD_PROD", "hunter2", "a password, by its name"),
        ("PASSWORD1", "hunter2", "a password, by its name"),
        ("API_KEY_2", "0f1e2d3c4b5a", "an API key, by its name"),
        ("ENCRYPTION_KEY", "0f1e2d3c4b5a69788796a5b4c3d2e1f0", "an encryption key, by its name"),
        ("JWT_SIGNING_KEY", "aGVsbG8gd29ybGQ", "a signing key, by its name"),
        ("DB_PASSWORD", "P@ss/word", "a password, by its name"),
        ("DB_PASSWORD", "s3cr3t/pw", "a password, by its name"),
        ("DB_PASSWORD", "my{{pw}}", "a password, by its name"),
        ("DB_PASSWORD", "abc${x", "a password, by its name"),
        ("DB_PASSWORD", "$ecret1", "a password, by its name"),
        ("DB_PASSWORD", "hunter2.key", "a password, by its name"),
        ("DB_PASSWORD", "prod-db", "a password, by its name"),
        ("API_TOKEN", "s3cr3t", "a token, by its name"),
        ("ADMIN_PASSWORD", "$2b$10$N9qo8uLOickgx2ZMRZoMye", "a password, by its name"),
    ];
    for (name, value, kind) in rows {
        assert_eq!(in_named(name, value), Some(kind), "{name}={value}");
        assert_eq!(in_text(value), None, "{value} counts by its name alone");
    }
}

#[test]
fn passwords_in_addresses_and_connection_strings() {
    for text in [
        "postgres://app:hunter2@db.internal:5432/shop",
        "redis://:hunter2@cache.internal:6379/0",
        "mongodb+srv://app:p@ss@cluster0.example.net,other.example.net/shop",
        "curl https://robot:hunter2@registry.example.com/v2/ && echo done",
        "amqp://guest:guest@rabbit",
    ] {
        assert_eq!(in_text(text), Some("a URL with a password"), "{text}");
    }
    for text in [
        "Server=db.internal;Database=shop;User Id=app;Password=hunter2;",
        "host=db.internal user=app password=hunter2",
        "jdbc:postgresql://db.internal/shop?user=app&password=hunter2",
        "addr=files,username=app,password=hunter2",
    ] {
        assert_eq!(in_text(text), Some("a connection string with a password"), "{text}");
    }
}

#[test]
fn passwords_in_what_drivers_and_headers_take() {
    let sas = format!("?sv=2024-11-04&se=2027&sig={}%3D", "0f1E2d3C".repeat(6));
    let rows = [
        ("app:hunter2@tcp(db:3306)/shop", "an address with a password"),
        ("--dsn=app:hunter2@unix(/run/db)/shop", "an address with a password"),
        ("scott/tiger@//db:1521/shop", "an address with a password"),
        ("jdbc:oracle:thin:scott/tiger@//db:1521/shop", "an address with a password"),
        ("{\"spring\": {\"password\": \"hunter2\"}}", "JSON with a secret"),
        ("{\"spring.datasource.password\":\"hunter2\"}", "JSON with a secret"),
        ("[\"{\\\"password\\\":\\\"hunter2\\\"}\"]", "JSON with a secret"),
        ("curl -d '{\"username\":\"app\",\"password\":\"hunter2\"}'", "JSON with a secret"),
        ("Authorization=Bearer 0f1e2d3c4b5a", "credentials of a request's header"),
        ("x=y,authorization=Basic%20YXBwOmh1bnRlcjI", "credentials of a request's header"),
        ("curl -H 'Authorization: Bearer 0f1e2d3c4b5a'", "credentials of a request's header"),
        (sas.as_str(), "an Azure access signature"),
    ];
    for (text, kind) in rows {
        assert_eq!(in_text(text), Some(kind), "{text}");
    }
    let kind = Some("credentials of a request's header");
    assert_eq!(in_named("HTTP_AUTHORIZATION", "Bearer 0f1e2d3c4b5a"), kind);
    assert_eq!(in_named("HTTP_AUTHORIZATION", "Bearer"), None);
}
