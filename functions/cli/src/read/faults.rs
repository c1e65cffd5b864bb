//! What could not be read, as far as it is worth listing.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::Fault;

/// How many are listed; the rest is counted.
const LISTED: usize = 10_000;

/// The first faults in their order, and how many more there are: a broken input may have millions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    listed: BTreeSet<Fault>,
    more: u64,
    unread: u64,
}

impl Faults {
    /// Adds one.
    pub(crate) fn add(&mut self, fault: Fault) {
        self.unread += u64::from(!fault.rejected);
        self.list(fault);
    }

    fn list(&mut self, fault: Fault) {
        if self.listed.len() >= LISTED && self.listed.last().is_some_and(|last| *last < fault) {
            self.more += 1;
            return;
        }
        self.listed.insert(fault);
        if self.listed.len() > LISTED {
            self.listed.pop_last();
            self.more += 1;
        }
    }

    /// Adds those of another one.
    pub(crate) fn append(&mut self, other: Self) {
        self.more += other.more;
        self.unread += other.unread;
        other.listed.into_iter().for_each(|fault| self.list(fault));
    }

    /// Says of what is listed which file it is about.
    pub(crate) fn of_file(self, path: &Arc<Path>) -> Self {
        let listed = self.listed.into_iter().map(|fault| Fault { file: Some(Arc::clone(path)), ..fault });
        Self { listed: listed.collect(), ..self }
    }

    /// How many say that something could not be read.
    pub(crate) fn unread(&self) -> u64 {
        self.unread
    }

    /// In order; the last of them tells how many are not listed.
    pub(crate) fn into_list(self) -> Vec<Fault> {
        let mut list: Vec<Fault> = self.listed.into_iter().collect();
        if self.more > 0 {
            let message = format!("and {} more that are not listed", self.more);
            list.push(Fault { rejected: self.unread == 0, ..Fault::new("input", message) });
        }
        list
    }
}

impl Extend<Fault> for Faults {
    fn extend<T: IntoIterator<Item = Fault>>(&mut self, faults: T) {
        faults.into_iter().for_each(|fault| self.add(fault));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_are_listed_in_whatever_order_they_come() {
        let fault = |number: usize| Fault::new(format!("{number:06}"), "broken");
        let numbers: Vec<usize> = (0..LISTED * 2).map(|number| number * 7919 % (LISTED * 2)).collect();
        let mut whole = Faults::default();
        for part in numbers.chunks(777) {
            let mut faults = Faults::default();
            part.iter().for_each(|number| faults.add(fault(*number)));
            whole.append(faults);
        }
        let list = whole.into_list();
        assert_eq!(list.len(), LISTED + 1);
        assert!(list[..LISTED].iter().enumerate().all(|(index, one)| *one == fault(index)));
        assert_eq!(list[LISTED].to_string(), format!("input: and {LISTED} more that are not listed"));
        assert!(!list[LISTED].rejected);
    }
}
