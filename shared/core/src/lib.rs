//! Shipshape's pure core, in reading order: event → change → finding → plan → decision → effect → ledger.
//!
//! Nothing in here does I/O, reads a clock or the environment, or knows an SDK.

pub mod ids;

pub mod event;

pub mod asked;
pub mod change;
pub mod document;
pub mod image;
pub mod policy_document;
pub mod resource;
pub mod text;

pub mod catalogue;
pub mod control;
pub mod controls;
pub mod facts;
pub mod finding;
mod secrets;
pub mod selection;

pub mod preflight;
pub mod remediation;

pub mod comparison;
pub mod policy;

pub mod decide;

pub mod judgement;
pub mod ledger;
pub mod ports;

pub mod notification;

pub mod pipeline;

pub mod check;
pub mod inventory;
pub mod replay;
