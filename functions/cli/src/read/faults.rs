//! What could not be read, as far as it is worth listing.

use std::collections::BTreeSet;

use super::Fault;

/// How many are listed.
const LISTED: usize = 10_000;

/// The first faults in their order, and how many more there are: a broken input may have millions.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    listed: BTreeSet<Fault>,
    more: u64,
    unread: bool,
}

impl Faults {
    /// Adds one.
    pub(crate) fn add(&mut self, fault: Fault) {
        self.unread |= !fault.rejected;
        self.listed.insert(fault);
        if self.listed.len() > LISTED {
            self.listed.pop_last();
            self.more += 1;
        }
    }

    /// Adds those of another one.
    pub(crate) fn append(&mut self, other: Self) {
        self.more += other.more;
        self.unread |= other.unread;
        other.listed.into_iter().for_each(|fault| self.add(fault));
    }

    /// In order; the last of them tells how many are not listed.
    pub(crate) fn into_list(self) -> Vec<Fault> {
        let mut list: Vec<Fault> = self.listed.into_iter().collect();
        if self.more > 0 {
            let message = format!("and {} more that are not listed", self.more);
            list.push(Fault { rejected: !self.unread, ..Fault::new("input", message) });
        }
        list
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
