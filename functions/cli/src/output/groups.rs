//! Answers, held together by resource and control: of however many there are, what a report says is kept.
//!
//! Every deployment registers a revision, so that the revisions of a family that answer in the same way are one.

mod calls;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use shipshape_core::control::{Compliance, Control, Severity};
use shipshape_core::decide::Why;
use shipshape_core::finding::Cause;
use shipshape_core::ids::ChangeId;
use shipshape_core::ledger::IncidentId;
use shipshape_core::resource::{ResourceId, ResourceType};

use super::Row;
use super::block::{Lack, body, head, unjudged};
use super::words::{number, plain};
pub(crate) use calls::Calls;

/// What one control says of one resource, or of revisions of one family.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) control: &'static Control,
    /// How much it weighs: what fails before what is unknown, then by severity.
    pub(crate) rank: (u8, Severity),
    pub(crate) status: &'static str,
    /// The word of the decision, if there was one.
    pub(crate) decision: Option<&'static str>,
    /// When it was changed last, and by whom.
    pub(crate) changed: String,
    why: Option<Why>,
    body: String,
    /// The calls whose answers its judgement lacks, and those that its pre-flight does.
    needs: Vec<String>,
    preflight_needs: Vec<String>,
    /// The account and the Region that these are to be made in.
    place: calls::Place,
    /// What is said beside an answer that has no block of its own.
    notes: Vec<String>,
    /// Whether the answer that stands for all is a repeat, and how many are.
    repeat: bool,
    repeats: u64,
    /// How many changes led to it, and which were the last, with what began them.
    changes: u64,
    last: Vec<(ChangeId, Arc<Cause>)>,
    /// What began the answers that belong to no change.
    other: Option<Arc<Cause>>,
    /// The revisions that it stands for; empty where it is one resource's own.
    revisions: BTreeSet<u64>,
}

/// What stands of one resource and control: the last answer that was judged, and that it could not be judged since.
#[derive(Default)]
struct Stand {
    judged: Option<Box<Group>>,
    unjudged: Option<Box<Group>>,
}

impl Stand {
    /// What could not be judged does not outlive a later answer.
    fn add(&mut self, row: &Row) {
        let place = if row.is_unknown() {
            &mut self.unjudged
        } else {
            self.unjudged = None;
            &mut self.judged
        };
        match place {
            Some(group) => group.add(row),
            None => *place = Some(Box::new(Group::of(row))),
        }
    }

    fn last(self) -> Option<Group> {
        self.unjudged.or(self.judged).map(|group| *group)
    }
}

/// What tells the kind of an answer: revisions of which it is the same are told together.
type Kind = (&'static str, &'static str, Option<&'static str>, Option<Why>);

/// One resource, or the revisions of one family.
pub(crate) struct Section {
    pub(crate) id: ResourceId,
    /// The file, where resources are kept apart by it.
    pub(crate) source: Arc<str>,
    /// The worst first.
    pub(crate) groups: Vec<Group>,
}

/// Everything that was answered.
#[derive(Default)]
pub(crate) struct Groups {
    resources: BTreeMap<(ResourceId, Arc<str>), BTreeMap<&'static str, Stand>>,
    families: BTreeMap<ResourceId, BTreeMap<Kind, Group>>,
    calls: Calls,
    /// The name of the file where resources are not kept apart by it; made once, since most answers ask for it.
    nowhere: Arc<str>,
    fails: bool,
}

impl Groups {
    /// Nothing yet; whether every call is named, or the first of them.
    pub(crate) fn new(whole: bool) -> Self {
        Self { calls: Calls::new(whole), ..Self::default() }
    }

    /// Takes one more answer. Where resources are kept apart by their files, those are named.
    pub(crate) fn add(&mut self, row: &Row, source: &str) {
        self.fails |= matches!(row.compliance, Compliance::Failed(_));
        let controls = self.resources.entry((row.resource.clone(), source.into())).or_default();
        controls.entry(row.control.slug).or_default().add(row);
    }

    /// Takes an answer that is not shown, which ends that this could not be judged. A violation was told, and stays.
    pub(crate) fn passes(&mut self, id: &ResourceId, control: &'static str) {
        let key = (id.clone(), Arc::clone(&self.nowhere));
        let Some(controls) = self.resources.get_mut(&key) else { return };
        let Some(stand) = controls.get_mut(control) else { return };
        stand.unjudged = None;
        if stand.judged.is_none() {
            controls.remove(control);
            if controls.is_empty() {
                self.resources.remove(&key);
            }
        }
    }

    /// Puts resources that nothing more is said of to their families.
    pub(crate) fn let_go(&mut self, gone: &[ResourceId]) {
        for id in gone {
            let Some((family, revision)) = revision(id) else { continue };
            let stands = self.resources.remove(&(id.clone(), "".into())).into_iter().flatten();
            for mut group in stands.filter_map(|(_, stand)| stand.last()) {
                self.calls.add(&group.place, std::mem::take(&mut group.preflight_needs), &group.needs);
                let kind = (group.control.slug, group.status, group.decision, group.why.clone());
                let group = Group { revisions: BTreeSet::from([revision]), ..group };
                let answers = self.families.entry(family.clone()).or_default();
                match answers.get_mut(&kind) {
                    Some(known) => known.append(group),
                    None => {
                        answers.insert(kind, group);
                    }
                }
            }
        }
    }

    /// Whether anything fails.
    pub(crate) fn fail(&self) -> bool {
        self.fails
    }

    /// All of it by resource, the worst first, and the calls that would tell more. Revisions that answer as no other of
    /// their family does stand alone.
    pub(crate) fn into_sections(mut self, families: bool) -> (Vec<Section>, Calls) {
        if families {
            let all: Vec<ResourceId> = self.resources.keys().map(|(id, _)| id.clone()).collect();
            self.let_go(&all);
        }
        let mut sections: BTreeMap<(ResourceId, Arc<str>), Vec<Group>> = BTreeMap::new();
        for (key, stands) in self.resources {
            for mut group in stands.into_values().filter_map(Stand::last) {
                self.calls.add(&group.place, std::mem::take(&mut group.preflight_needs), &group.needs);
                sections.entry(key.clone()).or_default().push(group);
            }
        }
        for (family, groups) in self.families {
            for mut group in groups.into_values() {
                let id = match group.revisions.first() {
                    Some(only) if group.revisions.len() == 1 => numbered(&family, *only),
                    _ => family.clone(),
                };
                if id != family {
                    group.revisions.clear();
                }
                sections.entry((id, "".into())).or_default().push(group);
            }
        }
        let section = |((id, source), mut groups): ((ResourceId, Arc<str>), Vec<Group>)| {
            groups.sort_by_key(|group| (Reverse(group.rank), group.control.slug));
            Section { id, source, groups }
        };
        let mut sections: Vec<Section> = sections.into_iter().map(section).collect();
        sections.sort_by(|a, b| {
            b.rank().cmp(&a.rank()).then_with(|| (&a.id.arn, &a.source).cmp(&(&b.id.arn, &b.source)))
        });
        (sections, self.calls)
    }
}

/// The family of a revision, and its number.
fn revision(id: &ResourceId) -> Option<(ResourceId, u64)> {
    if id.kind != ResourceType::TaskDefinition {
        return None;
    }
    let (family, number) = id.arn.as_str().rsplit_once(':')?;
    // What is numbered otherwise is not put together: its name could not be told from the family's and the number's.
    let plain = number.parse::<u64>().ok().filter(|parsed| parsed.to_string() == number)?;
    Some((ResourceId { kind: id.kind, arn: family.parse().ok()? }, plain))
}

fn numbered(family: &ResourceId, number: u64) -> ResourceId {
    let arn = format!("{}:{number}", family.arn).parse();
    ResourceId { kind: family.kind, arn: arn.unwrap_or_else(|_| family.arn.clone()) }
}

impl Group {
    fn of(row: &Row) -> Self {
        let mut group = Self {
            control: row.control,
            rank: rank(row),
            status: row.compliance.status(),
            decision: None,
            changed: String::new(),
            why: None,
            body: String::new(),
            needs: Vec::new(),
            preflight_needs: Vec::new(),
            place: ("".into(), "".into()),
            notes: Vec::new(),
            repeat: true,
            repeats: 0,
            changes: 0,
            last: Vec::new(),
            other: None,
            revisions: BTreeSet::new(),
        };
        group.add(row);
        group
    }

    /// Takes one more answer, which came later.
    fn add(&mut self, row: &Row) {
        self.repeats += u64::from(row.is_repeat());
        match (&row.incident, &row.cause) {
            (Some(incident), Some(cause))
                if !self.last.iter().any(|(change, _)| *change == incident.change) =>
            {
                self.changes += 1;
                self.last.push((incident.change.clone(), cause.clone()));
                // One is open at a time, and no older one comes back.
                if self.last.len() > 3 {
                    self.last.remove(0);
                }
            }
            (None, Some(cause)) if self.other.is_none() => self.other = Some(cause.clone()),
            _ => {}
        }
        // What stands for all is the last that was not a repeat.
        if row.is_repeat() && !self.repeat {
            return;
        }
        let of_incident = |incident: &IncidentId| {
            self.last.iter().find(|(change, _)| *change == incident.change).map(|(_, cause)| &**cause)
        };
        let began = match &row.incident {
            Some(incident) => of_incident(incident),
            None => self.other.as_deref(),
        };
        let unknown = row.is_unknown();
        self.changed =
            began.map_or_else(String::new, |cause| plain(&format!("{} by {}", cause.time, cause.actor)));
        self.body = if unknown { String::new() } else { body(row, began) };
        self.needs = row.needs();
        self.preflight_needs = row.preflight_needs();
        if !self.needs.is_empty() || !self.preflight_needs.is_empty() {
            let (account, region) = row.place();
            self.place = (account.into(), region.into());
        }
        self.notes = if unknown { row.notes.clone() } else { Vec::new() };
        self.repeat = row.is_repeat();
        self.rank = rank(row);
        self.status = row.compliance.status();
        self.decision =
            row.ruling.as_ref().map(|ruling| ruling.kind).or(row.exempt.as_ref().map(|_| "exempt"));
        self.why = row.ruling.as_ref().map(|ruling| ruling.reason.why.clone());
    }

    /// Takes the same answer for another revision. The last revision stands for all.
    fn append(&mut self, other: Self) {
        let (repeats, changes) = (self.repeats + other.repeats, self.changes + other.changes);
        let mut revisions = std::mem::take(&mut self.revisions);
        let later = other.revisions.last() > revisions.last();
        revisions.extend(&other.revisions);
        if later {
            *self = other;
        }
        (self.repeats, self.changes, self.revisions) = (repeats, changes, revisions);
    }

    /// Which revisions it stands for, where these are not all that its section is about.
    fn spread(&self, all: &BTreeSet<u64>) -> String {
        let some = !self.revisions.is_empty() && self.revisions != *all;
        if some { format!(", in {}", revisions(&self.revisions)) } else { String::new() }
    }

    /// How often it was found: changes and repeats.
    fn times(&self) -> String {
        let mut times = String::new();
        if self.revisions.is_empty() && self.changes > 1 {
            times.push_str(&format!(", the last of {}", number(self.changes as usize, "change")));
        }
        if self.repeats > 0 {
            times.push_str(&format!(", seen again {}", number(self.repeats as usize, "time")));
        }
        times
    }
}

impl Section {
    fn rank(&self) -> (u8, Severity) {
        self.groups.first().map_or((0, Severity::Informational), |group| group.rank)
    }

    /// How many controls could not judge it.
    pub(crate) fn unknown(&self) -> u64 {
        self.groups.iter().filter(|group| group.status == "unknown").count() as u64
    }

    /// Whether anything fails or could not be judged.
    pub(crate) fn is_finding(&self) -> bool {
        self.rank().0 > 0
    }

    fn all_revisions(&self) -> BTreeSet<u64> {
        self.groups.iter().flat_map(|group| &group.revisions).copied().collect()
    }

    /// The name, and of a family how many revisions there are.
    pub(crate) fn name(&self) -> String {
        let all = self.all_revisions();
        let name = plain(self.id.arn.as_str());
        if all.is_empty() { name } else { format!("{name}: {}", revisions(&all)) }
    }

    /// The blocks of a section.
    pub(crate) fn blocks(&self) -> String {
        let all = self.all_revisions();
        let mut text = String::new();
        let mut together: BTreeMap<Lack<'_>, Vec<&str>> = BTreeMap::new();
        for group in &self.groups {
            let spread = group.spread(&all);
            if group.status == "unknown" {
                let lack = Lack { calls: &group.needs, times: spread, notes: &group.notes };
                together.entry(lack).or_default().push(group.control.slug);
            } else {
                text.push_str(&head(group.control, group.status, &(spread + &group.times())));
                text.push_str(&group.body);
            }
        }
        text + &unjudged(&together)
    }
}

/// `46 revisions, 3 to 48`
fn revisions(all: &BTreeSet<u64>) -> String {
    let count = number(all.len(), "revision");
    match (all.first(), all.last()) {
        (Some(first), Some(last)) if first != last => format!("{count}, {first} to {last}"),
        (Some(only), _) => format!("revision {only}"),
        _ => count,
    }
}

/// What fails before what is unknown, then by severity.
fn rank(row: &Row) -> (u8, Severity) {
    let weight = match row.compliance {
        Compliance::Failed(_) if row.exempt.is_none() => 3,
        Compliance::Failed(_) => 2,
        Compliance::Unknown(_) => 1,
        Compliance::Passed | Compliance::NotApplicable(_) => 0,
    };
    (weight, row.control.severity)
}
