//! `[groups]` and `[accounts]`.

use std::collections::BTreeMap;

use super::super::Account;
use super::super::wire::{WireAccount, Word};
use super::{Checker, filled};
use crate::ids::AccountId;

/// The groups of a policy, by name.
pub(super) type Groups = BTreeMap<String, Vec<AccountId>>;

impl Checker<'_> {
    pub(super) fn account(&mut self, wire: &WireAccount) -> Account {
        let name = self.said(&wire.name, |name| filled("name", name));
        Account { name: name.map(|said| said.value), settings: self.settings(wire.settings()) }
    }

    pub(super) fn accounts(&mut self, wire: &BTreeMap<Word, WireAccount>) -> BTreeMap<AccountId, Account> {
        let mut accounts = BTreeMap::new();
        for (id, table) in wire {
            // The table is also the form of an account's own document, which may hold these two.
            if let Some(version) = &table.version {
                self.error(
                    version.span(),
                    "`version` belongs at the top of the policy, not in an account's table",
                );
            }
            if let Some(exemption) = table.exemptions.first() {
                self.error(
                    exemption.span(),
                    "an exemption belongs in `[[exemptions]]`, not in an account's table",
                );
            }
            let account = self.account(table);
            match account_id(id.get_ref()) {
                Ok(id) => drop(accounts.insert(id, account)),
                Err(message) => self.error(id.span(), message),
            }
        }
        accounts
    }

    pub(super) fn groups(&mut self, wire: &BTreeMap<Word, Vec<Word>>) -> Groups {
        wire.iter().map(|(name, ids)| (name.get_ref().clone(), self.entries(ids, account_id))).collect()
    }
}

/// Twelve digits: the masked ids that captures hold have no place in a policy.
pub(super) fn account_id(text: &str) -> Result<AccountId, String> {
    let refused = || format!("`{text}` is not an account id: write its 12 digits");
    if text.len() != 12 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(refused());
    }
    text.parse().map_err(|_| refused())
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;

    #[test]
    fn groups_and_accounts() {
        check(&[
            (
                "version = 1\n[groups]\nprod = [\"1234\"]",
                "3:9: `1234` is not an account id: write its 12 digits",
            ),
            (
                "version = 1\n[accounts.staging]\nmode = \"fix\"",
                "2:11: `staging` is not an account id: write its 12 digits",
            ),
            (
                "version = 1\n[accounts.1111222233334]",
                "2:11: `1111222233334` is not an account id: write its 12 digits",
            ),
            (
                "version = 1\n[accounts.111122223333]\nname = \" \"",
                "3:8: `name` is empty: write something, or leave the key out",
            ),
            (
                "version = 1\n[accounts.111122223333]\nmode = \"fixed\"",
                "3:8: `fixed` is not a mode: write off, notify or fix",
            ),
            (
                "version = 1\n[accounts.111122223333]\nversion = 1",
                "3:11: `version` belongs at the top of the policy, not in an account's table",
            ),
            (
                "version = 1\n[[accounts.111122223333.exemptions]]\ncontrol = \"*\"",
                "2:1: an exemption belongs in `[[exemptions]]`, not in an account's table",
            ),
        ]);
    }
}
