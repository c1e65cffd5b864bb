//! What every function uses, in reading order: messages in ([`receive`]), the loop ([`run`]), the ports ([`desk`]), and
//! what stands behind them: the [`ledger`], the [`policy`], people told ([`notify`]), other functions asked ([`ask`]).
//! What is for the desk: [`parameters`].

pub mod run;

pub mod receive;

pub mod desk;
pub mod reach;

pub mod ask;
pub mod ledger;
pub mod notify;
pub mod policy;

pub mod parameters;

pub mod failure;
pub mod log;
pub mod session;
pub mod settings;
