//! What every function uses: messages in, the ledger, the policy, notifications and credentials.

pub mod failure;
