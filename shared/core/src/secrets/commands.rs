//! Secrets among the words of a command: `--NAME=VALUE`, `--NAME VALUE`, `-DNAME=VALUE`, `NAME=VALUE`, and what some
//! programs take in a way of their own.

use super::addresses::is_password;
use super::names::{self, Sort};
use super::{QUOTES, by_its_name, could_be_one, in_text, is_computed};

/// Takes a user and its password behind a flag.
const CURL: &str = "curl";
/// These ask for a password where `--password` has no value attached: the word behind it is another.
const MYSQL: &[&str] = &["mysql", "mysqldump", "mysqladmin", "mariadb", "mariadb-dump", "mariadb-admin"];
const POSTGRES: &[&str] = &["psql", "pg_dump", "pg_dumpall", "pg_restore", "createdb", "vacuumdb"];
/// They print words, flags too.
const PRINTS: &[&str] = &["echo", "printf"];

/// How flags begin that make, ask or forbid: what follows is not the secret.
const VERBS: &[&str] = &[
    "no", "skip", "without", "with", "use", "generate", "create", "rotate", "reset", "require", "prompt",
    "ask", "allow", "disable", "enable", "show", "print", "hide",
];

/// What was read of a command so far, word by word.
#[derive(Default)]
pub(super) struct Command<'a> {
    program: Option<&'a str>,
    flag: Option<&'a str>,
}

impl<'a> Command<'a> {
    /// What the next argument holds. One of several words is a script, or the value of the flag before.
    pub(super) fn argument(&mut self, text: &'a str) -> Option<&'static str> {
        let own = in_text(text);
        if !text.trim().contains(char::is_whitespace) {
            return own.or(self.words(text.trim()));
        }
        let flag = self.flag.take();
        own.or_else(|| flag.and_then(|flag| self.follows(flag, text))).or_else(|| {
            let mut script = Command::default();
            text.split_whitespace().find_map(|word| script.words(word))
        })
    }

    /// An argument that is not shown.
    pub(super) fn skip(&mut self) {
        self.flag = None;
    }

    /// A word, and those that the shell parts.
    fn words(&mut self, text: &'a str) -> Option<&'static str> {
        let mut parts = text.split(END);
        let first = parts.next().and_then(|word| self.word(word));
        let found = first.or_else(|| {
            parts.find_map(|word| {
                *self = Command::default();
                self.word(word)
            })
        });
        if text.ends_with(END) {
            *self = Command::default();
        }
        found
    }

    fn word(&mut self, word: &'a str) -> Option<&'static str> {
        let word = word.trim_matches(QUOTES);
        let flag = self.flag.take();
        let found = flag.and_then(|flag| self.follows(flag, word));
        if word.starts_with('-') {
            self.flag = Some(word);
        } else if let Some(name) = word.rsplit('/').next().filter(|_| flag.is_none())
            && (name == CURL || [MYSQL, POSTGRES, PRINTS].iter().any(|known| known.contains(&name)))
        {
            self.program = Some(name);
        }
        found.or_else(|| self.attached(word)).or_else(|| assigned(word))
    }

    fn runs(&self, programs: &[&str]) -> bool {
        self.program.is_some_and(|program| programs.contains(&program))
    }

    /// `--db-password VALUE`, `curl -u USER:VALUE`.
    fn follows(&self, flag: &str, value: &str) -> Option<&'static str> {
        let value = value.trim().trim_matches(QUOTES);
        if self.runs(&[CURL]) && ["-u", "--user", "-U", "--proxy-user"].contains(&flag) {
            return credentials(value);
        }
        let name = flag.trim_start_matches('-');
        let verb = name.split(['-', '_']).next().unwrap_or_default();
        // `-password` is a flag of Java's and Go's programs; what is shorter is a letter's.
        let names_none = name.contains('=') || name.len() < 4 || VERBS.contains(&verb);
        // Usages spell the value in capitals.
        let usage = names::kind(value).is_some() && !value.bytes().any(|b| b.is_ascii_lowercase());
        let prompts = [MYSQL, POSTGRES, PRINTS].iter().any(|programs| self.runs(programs));
        if names_none || usage || prompts || value.starts_with('-') || is_computed(value) {
            return None;
        }
        by_its_name(name, value)
    }

    /// `mysql -pVALUE`, `curl -uUSER:VALUE`.
    fn attached(&self, word: &str) -> Option<&'static str> {
        if self.runs(&[CURL]) {
            return word.strip_prefix("-u").and_then(credentials);
        }
        let value = word.strip_prefix("-p").filter(|_| self.runs(MYSQL))?;
        (could_be_one(Sort::Chosen, value) && !is_computed(value)).then_some("a password, by its name")
    }
}

const END: [char; 3] = [';', '&', '|'];

fn credentials(value: &str) -> Option<&'static str> {
    let (_, password) = value.trim_matches(QUOTES).split_once(':')?;
    (is_password(password) && could_be_one(Sort::Chosen, password)).then_some("a password, by its name")
}

fn assigned(word: &str) -> Option<&'static str> {
    let (name, value) = word.trim_matches(QUOTES).split_once('=')?;
    // Lower-case names without dashes are the programs' own in what runs `python -c` and its kin.
    let variable = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    let name = match name.strip_prefix("--").or(name.strip_prefix("-D")) {
        Some(flag) => flag,
        None if name.bytes().all(variable) => name,
        None => return None,
    };
    by_its_name(name, value).filter(|_| !is_computed(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_one(text: &str) -> Option<&'static str> {
        Command::default().argument(text)
    }

    #[test]
    fn arguments_count_by_their_names_too() {
        let password = Some("a password, by its name");
        let rows = [
            ("--password=hunter2", password),
            ("migrate --db-password hunter2 --verbose", password),
            ("mysql -uapp -phunter2 shop", password),
            ("/usr/bin/mysqldump -phunter2 shop > dump", password),
            ("mysql -p$DB_PASSWORD shop", None),
            ("mysql -p shop", None),
            ("psql --password shop", None),
            ("curl -u admin:hunter2 http://localhost", password),
            ("curl --user 'admin:hunter2' http://localhost", password),
            ("curl -u admin: http://localhost", None),
            ("curl -u admin:$PW http://localhost", None),
            ("curl http://localhost && run -u app:app", None),
            ("echo --password is missing", None),
            ("serve --password --port 80", None),
            ("serve --password PASSWORD", None),
            ("serve --no-password hunter2", None),
            ("serve --generate-token production-one", None),
            ("--db-password='hunter2'", password),
            ("-Dspring.datasource.password=hunter2", password),
            ("export DB_PASSWORD=hunter2 && exec app", password),
            ("PGPASSWORD=\"hunter2\" psql", password),
            ("--password", None),
            ("--password=$DB_PASSWORD", None),
            ("--password=$(cat /run/secrets/db)", None),
            ("--password-file=/run/secrets/db", None),
            ("--token=`cat /run/secrets/db`", None),
            ("token=os.environ['X']", None),
            ("password=getpass()", None),
            ("TOKEN=os.environ['X']", None),
            ("--generate-token server", None),
            ("--from-literal=password=abc", None),
            ("serve --port=8080", None),
        ];
        for (text, expected) in rows {
            assert_eq!(in_one(text), expected, "{text}");
        }
    }
    #[test]
    fn a_flag_and_its_value_may_be_two_arguments() {
        let password = Some("a password, by its name");
        let rows: [(&[&str], _); 9] = [
            (&["migrate", "--password", "hunter2"], password),
            (&["migrate", "--password", "correct horse"], password),
            (&["curl", "-u", "admin:hunter2", "http://localhost"], password),
            (&["mysql", "-phunter2"], password),
            (&["migrate", "--password", "$DB_PASSWORD"], None),
            (&["migrate", "--password", "/run/secrets/db"], None),
            (&["migrate", "--password", "--verbose"], None),
            (&["run", "-u", "app:app"], None),
            (&["sh", "-c", "migrate --password", "hunter2"], None),
        ];
        for (texts, expected) in rows {
            let mut command = Command::default();
            assert_eq!(texts.iter().find_map(|text| command.argument(text)), expected, "{texts:?}");
        }
    }
}
