//! `replay`: captured events, in time order, through one world a policy.

mod gather;
mod parting;
mod walk;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::mem;

use anyhow::{Context, bail};
use indicatif::ProgressBar;
use rayon::ThreadPool;
use shipshape_core::inventory::Inventory;
use shipshape_core::policy::{Mode, Policy};
use shipshape_core::replay::{Messages, World};
use shipshape_core::selection::Selection;

use crate::args::{Format, Replay};
use crate::output::groups::Groups;
use crate::output::{Answers, json, text};
use crate::progress;
use crate::read::faults::Faults;
use crate::read::{self, Fault, files};
use crate::tally::{Counterfactual, Tally};
use crate::{Status, Voices, Worst, policy_file};
use gather::{Room, Seen, Strange, TEMPORARY, gather};
pub(crate) use gather::{documents, no_events};
use walk::{AsItIs, Feed, WhatIf};

/// What replay has to tell beside its answers.
pub(crate) struct Report {
    /// What could not be read.
    pub(crate) faults: Vec<Fault>,
    /// The files that hold no event.
    pub(crate) strange: Strange,
    /// What was read, and what became of it.
    pub(crate) tally: Tally,
    /// How many messages mode notify would have sent.
    pub(crate) messages: Messages,
    /// What mode fix would have done.
    pub(crate) fix: Counterfactual,
    /// The same, by control.
    pub(crate) fix_by_control: BTreeMap<&'static str, Counterfactual>,
}

pub(crate) fn replay(args: &Replay, voices: &mut Voices<'_>) -> anyhow::Result<Status> {
    replay_within(args, Room::default(), voices)
}

/// The same in more or less memory, which changes no answer.
fn replay_within(args: &Replay, room: Room, voices: &mut Voices<'_>) -> anyhow::Result<Status> {
    if let (Some(since), Some(until)) = (args.since, args.until)
        && since >= until
    {
        bail!("--since {since} is not before --until {until}: nothing can have happened between them");
    }
    let policy = policy_file::load(args.common.policy.as_deref(), voices)?;
    let policy = match args.mode {
        Some(mode) => policy.with_mode(mode, "--mode"),
        None => policy,
    };
    let policy = if args.disruptive { policy.with_disruptive(true, "--disruptive") } else { policy };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(read::jobs(args.jobs)).build()?;
    let (inventory, unread) = inventory(args);
    let (feed, seen) = Feed::of(gather(args, room, voices)?);
    let bar = progress::changes(feed.count(), voices.quiet);
    let worlds = Worlds::new(args, &policy, &inventory);
    let output = args.common.output.as_deref();
    let (report, worst) = match args.format {
        Format::Json => {
            let mut sink = voices.sink(output)?;
            let (report, _, worst) = worlds.walk(feed, (seen, unread), &pool, &bar, &mut sink)?;
            sink.write_all(json::replay(&report)?.as_bytes())?;
            sink.flush()?;
            (report, worst)
        }
        Format::Text => {
            let (report, answers, worst) = worlds.walk(feed, (seen, unread), &pool, &bar, &mut io::sink())?;
            voices.result(&text::replay(&report, answers.groups(), args.common.full), output)?;
            (report, worst)
        }
    };
    voices.faults(&report.faults);
    Ok(Status::of(&report.faults, &worst, &args.counts()))
}

/// The courses that history takes.
struct Worlds {
    as_it_is: AsItIs,
    /// What mode notify would have told; none where the policy has no other mode.
    told: Option<WhatIf>,
    fixed: WhatIf,
}

impl Worlds {
    fn new(args: &Replay, policy: &Policy, inventory: &Inventory) -> Self {
        let world = |policy: Policy| {
            let selection = Selection::of(&policy, &args.common.controls, args.common.severity);
            World::new(policy, selection, inventory.clone())
        };
        let answers = match args.format {
            Format::Json => Answers::Json(Vec::new()),
            Format::Text => Answers::Text(Box::new(Groups::new(args.common.full))),
        };
        let as_it_is = AsItIs {
            world: world(policy.clone()),
            tally: Tally::default(),
            answers,
            worst: Worst::default(),
            sources: BTreeMap::new(),
            all: args.common.all,
        };
        let notify = policy.clone().with_mode(Mode::Notify, "what if");
        let fix = policy.clone().with_mode(Mode::Fix, "what if").with_disruptive(true, "what if");
        let told = WhatIf { world: world(notify), tally: None };
        Self {
            as_it_is,
            told: Some(told).filter(|_| !policy.only_notifies()),
            fixed: WhatIf { world: world(fix), tally: Some(Tally::default()) },
        }
    }

    /// Walks all of history; what is answered on the way goes out as it comes.
    fn walk(
        mut self,
        mut feed: Feed,
        (mut seen, unread): (Seen, Faults),
        pool: &ThreadPool,
        bar: &ProgressBar,
        out: &mut dyn Write,
    ) -> anyhow::Result<(Report, Answers, Worst)> {
        let mut next = pool.install(|| feed.next())?;
        while let Some(mut batch) = next {
            seen.append(mem::take(&mut batch.seen));
            let ahead = || feed.next();
            let walked = || self.each(|one| one.walk(&batch), |one| one.walk(&batch));
            let (read, done) = pool.install(|| rayon::join(ahead, walked));
            done?;
            self.as_it_is.answers.flush(out)?;
            bar.inc(batch.len());
            next = read?;
        }
        pool.install(|| self.each(AsItIs::finish, WhatIf::finish))?;
        self.as_it_is.answers.flush(out)?;
        bar.finish_and_clear();

        let AsItIs { world, mut tally, answers, worst, .. } = self.as_it_is;
        tally.events.add(&seen.events);
        tally.events.broken += seen.faults.unread();
        seen.faults.append(unread);
        let events = &tally.events;
        if events.read > 0 && no_events(events) == events.read {
            no_event(&seen.strange, documents(events)).for_each(|fault| seen.faults.add(fault));
        }
        let (fix, fix_by_control) = self.fixed.tally.unwrap_or_default().counterfactual();
        let messages = self.told.as_ref().map_or(world.messages(), |told| told.world.messages());
        let Seen { faults, strange, .. } = seen;
        let report = Report { faults: faults.into_list(), strange, tally, messages, fix, fix_by_control };
        Ok((report, answers, worst))
    }

    /// Does something in each world, side by side.
    fn each(
        &mut self,
        as_it_is: impl FnOnce(&mut AsItIs) -> anyhow::Result<()> + Send,
        what_if: impl Fn(&mut WhatIf) + Sync,
    ) -> anyhow::Result<()> {
        let Self { as_it_is: real, told, fixed } = self;
        let others = || rayon::join(|| told.as_mut().map(&what_if), || what_if(fixed));
        rayon::join(|| as_it_is(real), others).0
    }
}

/// What is said where nothing at all is an event.
fn no_event(strange: &Strange, documents: u64) -> impl Iterator<Item = Fault> {
    let message = match documents {
        0 => "nothing here is an event: neither `detail-type` (EventBridge) nor `eventSource` (CloudTrail)",
        1 => "nothing here is an event, but a document: use `shipshape check`",
        _ => "nothing here is an event, but documents: use `shipshape check`",
    };
    let more = match strange.more() {
        0 => None,
        1 => Some("and 1 more file that holds no event, which -v names".to_owned()),
        more => Some(format!("and {more} more files that hold no event, which -v names")),
    };
    let named = strange.named.iter().map(move |name| Fault::new(name.clone(), message));
    named.chain(more.map(|more| Fault::new("input", more)))
}

/// Finds, sorts and merges the records, and goes through them in their order.
pub(crate) fn read_in_order(args: &Replay, voices: &mut Voices<'_>) -> anyhow::Result<u64> {
    let mut records = gather(args, Room::default(), voices)?.records;
    let mut count = 0;
    while records.next().context(TEMPORARY)?.is_some() {
        count += 1;
    }
    Ok(count)
}

/// What `--state` holds, and what in it could not be read.
fn inventory(args: &Replay) -> (Inventory, Faults) {
    let mut inventory = Inventory::new(args.passable_roles.clone());
    let files::Listed { files, faults: unlisted, .. } = files::list(args.state.as_slice());
    let (mut buffer, mut faults) = (Vec::new(), Faults::default());
    faults.extend(unlisted);
    for path in files {
        read::pieces(&path, &mut buffer, &mut faults, |piece| match inventory.describe(&piece.json) {
            Some(_) => Ok(()),
            None => {
                let message = "not an answer of a describe call that replay knows";
                Err(Fault::new(&piece.source, message).at_line(piece.line))
            }
        });
    }
    (inventory, faults)
}

#[cfg(test)]
mod tests;
