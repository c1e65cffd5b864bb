//! Windows: the hours in which a fix may run, as in `Mon-Fri 09:00-16:00 Europe/Berlin`.
//!
//! The clock on the wall in that zone decides. When clocks go forward, the hour that is skipped is in no window;
//! when they go back, the hour that comes twice is in the window twice. The zone table is linked in, so that no
//! file of the machine decides.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::error::suggestion;

const MINUTES_A_DAY: u16 = 24 * 60;
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// How far ahead the next opening is looked for. A weekly window can fall into an hour that is skipped, and
/// then opens a week later.
const DAYS_AHEAD: i64 = 15;

/// Some hours of some days, in one time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    text: String,
    /// From Monday.
    days: [bool; 7],
    /// Minutes from midnight. An end that is not past the start is on the next day.
    start: u16,
    end: u16,
    zone: TimeZone,
}

/// A text that is no window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a window: {problem}")]
pub struct WindowError {
    text: String,
    problem: String,
}

/// Whether a fix may run: always, where there are no windows.
pub fn windows_open(windows: &[Window], now: Timestamp) -> bool {
    windows.is_empty() || windows.iter().any(|window| window.contains(now))
}

/// The first moment from `now` on at which a fix may run.
pub fn windows_next(windows: &[Window], now: Timestamp) -> Timestamp {
    windows.iter().map(|window| window.next_start(now)).min().unwrap_or(now)
}

impl Window {
    /// Whether the window is open. One that crosses midnight belongs to the day on which it starts.
    pub fn contains(&self, now: Timestamp) -> bool {
        let here = self.zone.to_datetime(now);
        let minute = here.hour().unsigned_abs() as u16 * 60 + here.minute().unsigned_abs() as u16;
        let today = self.on(here.weekday());
        if self.start < self.end {
            today && (self.start..self.end).contains(&minute)
        } else {
            (today && minute >= self.start) || (self.on(here.weekday().previous()) && minute < self.end)
        }
    }

    /// The first moment from `now` on at which the window is open: `now` itself while it is.
    pub fn next_start(&self, now: Timestamp) -> Timestamp {
        if self.contains(now) {
            return now;
        }
        // A window opens at its start, which a change of the clocks can make come twice or skip; then it opens
        // at the change itself.
        let today = self.zone.to_datetime(now).date();
        let starts = (0..=DAYS_AHEAD).flat_map(|days| self.starts_on(today, days)).flatten();
        let changes = self.zone.following(now).take(4).map(|change| change.timestamp());
        let next = starts.chain(changes).filter(|at| *at > now && self.contains(*at)).min();
        // Past the end of the calendar: never open is the side to err on.
        next.unwrap_or(Timestamp::MAX)
    }

    fn starts_on(&self, today: Date, days: i64) -> [Option<Timestamp>; 2] {
        let Ok(day) = today.checked_add(Span::new().days(days)) else { return [None, None] };
        let (hour, minute) = ((self.start / 60) as i8, (self.start % 60) as i8);
        let start = self.zone.to_ambiguous_timestamp(day.at(hour, minute, 0, 0));
        [start.earlier().ok(), start.later().ok()]
    }

    fn on(&self, day: Weekday) -> bool {
        self.days[day.to_monday_zero_offset().unsigned_abs() as usize]
    }
}

impl FromStr for Window {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, WindowError> {
        let refused = |problem: String| WindowError { text: text.to_owned(), problem };
        let words: Vec<&str> = text.split_whitespace().collect();
        let (days, times, zone) = match words[..] {
            [days, times, zone] => (days_of(days).map_err(refused)?, times, zone),
            // Without days; the zone is what cannot be left out.
            [times, zone] if times.contains(':') && !zone.contains(':') => ([true; 7], times, zone),
            _ => {
                return Err(refused(
                    r#"write days (may be left out), hours and a time zone, such as "Mon-Fri 09:00-16:00 Europe/Berlin""#
                        .to_owned(),
                ));
            }
        };
        let (start, end) = times_of(times).map_err(refused)?;
        let zone = zone_of(zone).map_err(refused)?;
        Ok(Self { text: text.to_owned(), days, start, end, zone })
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// `Mon,Wed,Sat-Sun`; a range may go over Sunday.
fn days_of(text: &str) -> Result<[bool; 7], String> {
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (mut day, last) = (day_of(first)?, day_of(last)?);
        days[day] = true;
        while day != last {
            day = (day + 1) % 7;
            days[day] = true;
        }
    }
    Ok(days)
}

fn day_of(text: &str) -> Result<usize, String> {
    DAYS.iter().position(|day| day.eq_ignore_ascii_case(text)).ok_or_else(|| {
        format!("there is no day `{text}`; days are {}, listed as in Mon,Wed or Sat-Sun", DAYS.join(", "))
    })
}

fn times_of(text: &str) -> Result<(u16, u16), String> {
    let hours = text.split_once('-').and_then(|(start, end)| Some((minute_of(start)?, minute_of(end)?)));
    match hours {
        Some((start, end)) if start == end => {
            Err(format!("`{text}` starts and ends at the same time; the whole day is 00:00-24:00"))
        }
        Some((start, end)) if start < MINUTES_A_DAY => Ok((start, end)),
        _ => Err(format!("`{text}` are no hours; write HH:MM-HH:MM, from 00:00 to 24:00")),
    }
}

fn minute_of(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let two_digits = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
    if !two_digits(hour) || !two_digits(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let total = hour * 60 + minute;
    (minute < 60 && total <= MINUTES_A_DAY).then_some(total)
}

fn zone_of(text: &str) -> Result<TimeZone, String> {
    match TimeZone::get(text) {
        // The table has a zone of the name `Etc/Unknown`, which is UTC in disguise.
        Ok(zone) if !zone.is_unknown() => Ok(zone),
        _ => {
            let names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
            let otherwise = "write an IANA name, such as Europe/Berlin or UTC";
            let hint = suggestion(text, names.iter().map(String::as_str), otherwise);
            Err(format!("there is no time zone `{text}`: {hint}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(text: &str) -> Window {
        text.parse().unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn days_hours_and_zones() {
        // 2026-11-02 is a Monday. Berlin is at +01:00, Kolkata at +05:30.
        let rows = [
            ("Mon-Fri 09:00-16:00 Europe/Berlin", "2026-11-02T08:00:00Z", true),
            ("Mon-Fri 09:00-16:00 Europe/Berlin", "2026-11-02T07:59:59.9Z", false),
            ("Mon-Fri 09:00-16:00 Europe/Berlin", "2026-11-02T14:59:59.9Z", true),
            ("Mon-Fri 09:00-16:00 Europe/Berlin", "2026-11-02T15:00:00Z", false),
            ("Mon-Fri 09:00-16:00 Europe/Berlin", "2026-11-07T09:00:00Z", false),
            ("Mon,Wed,Sat-Sun 00:00-24:00 UTC", "2026-11-03T23:59:59Z", false),
            ("Mon,Wed,Sat-Sun 00:00-24:00 UTC", "2026-11-04T23:59:59Z", true),
            ("mon,WED,Sat-Sun 00:00-24:00 UTC", "2026-11-08T00:00:00Z", true),
            ("Sat-Mon 00:00-24:00 UTC", "2026-11-02T12:00:00Z", true),
            ("Sat-Mon 00:00-24:00 UTC", "2026-11-03T12:00:00Z", false),
            ("09:00-10:00 Asia/Kolkata", "2026-11-07T03:30:00Z", true),
            ("09:00-10:00 Asia/Kolkata", "2026-11-07T04:30:00Z", false),
            // The day is the zone's: it is still Sunday in New York.
            ("Sun 19:00-20:00 America/New_York", "2026-11-09T00:30:00Z", true),
        ];
        for (text, now, expected) in rows {
            assert_eq!(window(text).contains(at(now)), expected, "{text} at {now}");
        }
    }

    #[test]
    fn past_midnight_it_belongs_to_the_day_on_which_it_starts() {
        let rows = [
            ("Fri 22:00-04:00 UTC", "2026-11-06T03:00:00Z", false),
            ("Fri 22:00-04:00 UTC", "2026-11-06T22:00:00Z", true),
            ("Fri 22:00-04:00 UTC", "2026-11-07T03:59:59Z", true),
            ("Fri 22:00-04:00 UTC", "2026-11-07T04:00:00Z", false),
            ("Fri 22:00-04:00 UTC", "2026-11-07T22:00:00Z", false),
            ("Sun 22:00-04:00 UTC", "2026-11-09T03:00:00Z", true),
            ("Fri 22:00-00:00 UTC", "2026-11-06T23:59:59Z", true),
            ("Fri 22:00-00:00 UTC", "2026-11-07T00:00:00Z", false),
        ];
        for (text, now, expected) in rows {
            assert_eq!(window(text).contains(at(now)), expected, "{text} at {now}");
        }
    }

    #[test]
    fn the_next_opening() {
        #[rustfmt::skip]
        let rows = [
            ("open now", "09:00-16:00 UTC", "2026-11-02T10:00:00Z", "2026-11-02T10:00:00Z"),
            ("always open", "00:00-24:00 UTC", "2026-11-02T10:00:00Z", "2026-11-02T10:00:00Z"),
            ("later today", "Mon 09:00-16:00 Europe/Berlin", "2026-11-02T01:00:00Z", "2026-11-02T08:00:00Z"),
            ("just closed", "Mon 09:00-16:00 Europe/Berlin", "2026-11-02T15:00:00Z", "2026-11-09T08:00:00Z"),
            ("over the weekend", "Mon-Fri 09:00-16:00 Europe/Berlin", "2026-11-06T20:00:00Z", "2026-11-09T08:00:00Z"),
            ("tonight", "22:00-04:00 UTC", "2026-11-02T04:00:00Z", "2026-11-02T22:00:00Z"),
            ("end of the calendar", "Mon 09:00-16:00 UTC", "9999-12-30T00:00:00Z", "9999-12-30T22:00:00.999999999Z"),
        ];
        for (name, text, now, expected) in rows {
            assert_eq!(window(text).next_start(at(now)), at(expected), "{name}");
        }
    }

    /// Berlin, 2027-03-28: 02:00 becomes 03:00 at 01:00Z. 2026-10-25: 03:00 becomes 02:00 at 01:00Z. Sundays.
    #[test]
    fn the_clock_on_the_wall_decides_when_clocks_change() {
        #[rustfmt::skip]
        let rows = [
            // Nine in the morning stays nine in the morning.
            ("Mon 09:00-10:00 Europe/Berlin", "2027-03-22T08:30:00Z", true),
            ("Mon 09:00-10:00 Europe/Berlin", "2027-03-29T07:30:00Z", true),
            ("Mon 09:00-10:00 Europe/Berlin", "2027-03-29T08:30:00Z", false),
            // Forward: 01:00-04:00 is two hours long, and 02:00-03:00 does not come.
            ("01:00-04:00 Europe/Berlin", "2027-03-28T00:00:00Z", true),
            ("01:00-04:00 Europe/Berlin", "2027-03-28T01:59:59Z", true),
            ("01:00-04:00 Europe/Berlin", "2027-03-28T02:00:00Z", false),
            ("02:00-03:00 Europe/Berlin", "2027-03-28T00:59:59Z", false),
            ("02:00-03:00 Europe/Berlin", "2027-03-28T01:00:00Z", false),
            // Back: 02:00-03:00 comes twice.
            ("02:00-03:00 Europe/Berlin", "2026-10-25T00:30:00Z", true),
            ("02:00-03:00 Europe/Berlin", "2026-10-25T01:30:00Z", true),
            ("02:00-03:00 Europe/Berlin", "2026-10-25T02:00:00Z", false),
            // Over midnight, into the changed hour.
            ("Sat 23:00-02:30 Europe/Berlin", "2026-10-25T00:45:00Z", false),
            ("Sat 23:00-02:30 Europe/Berlin", "2026-10-25T01:15:00Z", true),
        ];
        for (text, now, expected) in rows {
            assert_eq!(window(text).contains(at(now)), expected, "{text} at {now}");
        }

        #[rustfmt::skip]
        let rows = [
            ("09:00 after the change", "Mon 09:00-10:00 Europe/Berlin", "2027-03-23T00:00:00Z", "2027-03-29T07:00:00Z"),
            ("start is skipped, opens at the change", "02:30-05:00 Europe/Berlin", "2027-03-28T00:00:00Z", "2027-03-28T01:00:00Z"),
            ("all of it is skipped, a day later", "02:00-03:00 Europe/Berlin", "2027-03-28T00:00:00Z", "2027-03-29T00:00:00Z"),
            ("all of it is skipped, a week later", "Sun 02:00-03:00 Europe/Berlin", "2027-03-28T00:00:00Z", "2027-04-04T00:00:00Z"),
            ("nearly two weeks ahead", "Sun 02:00-03:00 Europe/Berlin", "2027-03-21T02:00:00Z", "2027-04-04T00:00:00Z"),
            ("start comes twice, the first", "02:15-02:30 Europe/Berlin", "2026-10-25T00:00:00Z", "2026-10-25T00:15:00Z"),
            ("start comes twice, the second", "02:15-02:30 Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T01:15:00Z"),
            ("end comes twice, opens again at the change", "01:00-02:30 Europe/Berlin", "2026-10-25T00:45:00Z", "2026-10-25T01:00:00Z"),
        ];
        for (name, text, now, expected) in rows {
            assert_eq!(window(text).next_start(at(now)), at(expected), "{name}");
        }
    }

    #[test]
    fn of_several_windows_one_is_enough_and_the_next_is_the_first() {
        let windows = [window("Sat 10:00-12:00 UTC"), window("Mon 09:00-10:00 UTC")];
        let rows = [
            ("2026-11-02T09:30:00Z", true, "2026-11-02T09:30:00Z"),
            ("2026-11-02T10:00:00Z", false, "2026-11-07T10:00:00Z"),
            ("2026-11-07T12:00:00Z", false, "2026-11-09T09:00:00Z"),
        ];
        for (now, open, next) in rows {
            assert_eq!(windows_open(&windows, at(now)), open, "{now}");
            assert_eq!(windows_next(&windows, at(now)), at(next), "{now}");
        }
        let now = at("2026-11-02T10:00:00Z");
        assert!(windows_open(&[], now));
        assert_eq!(windows_next(&[], now), now);
    }

    #[test]
    fn what_is_no_window_is_refused_with_what_to_write() {
        let form = r#"write days (may be left out), hours and a time zone, such as "Mon-Fri 09:00-16:00 Europe/Berlin""#;
        let hours = "are no hours; write HH:MM-HH:MM, from 00:00 to 24:00";
        let days = "days are Mon, Tue, Wed, Thu, Fri, Sat, Sun, listed as in Mon,Wed or Sat-Sun";
        #[rustfmt::skip]
        let rows = [
            ("", form.to_owned()),
            ("Mon-Fri", form.to_owned()),
            ("09:00-16:00", form.to_owned()),
            ("Mon-Fri 09:00-16:00", form.to_owned()),
            ("Mon, Wed 09:00-16:00 UTC", form.to_owned()),
            ("Mon-Fry 09:00-16:00 UTC", format!("there is no day `Fry`; {days}")),
            ("Mon-Fri-Sun 09:00-16:00 UTC", format!("there is no day `Fri-Sun`; {days}")),
            ("Mon, 09:00-16:00 UTC", format!("there is no day ``; {days}")),
            ("9:00-16:00 UTC", format!("`9:00-16:00` {hours}")),
            ("09:60-16:00 UTC", format!("`09:60-16:00` {hours}")),
            ("09:00-24:01 UTC", format!("`09:00-24:01` {hours}")),
            ("24:00-09:00 UTC", format!("`24:00-09:00` {hours}")),
            ("+9:00-16:00 UTC", format!("`+9:00-16:00` {hours}")),
            ("09:00 UTC", format!("`09:00` {hours}")),
            ("09:00-09:00 UTC", "`09:00-09:00` starts and ends at the same time; the whole day is 00:00-24:00".to_owned()),
            ("09:00-16:00 Europe/Berln", "there is no time zone `Europe/Berln`: did you mean `Europe/Berlin`?".to_owned()),
            ("09:00-16:00 Local", "there is no time zone `Local`: write an IANA name, such as Europe/Berlin or UTC".to_owned()),
            ("09:00-16:00 Etc/Unknown", "there is no time zone `Etc/Unknown`: write an IANA name, such as Europe/Berlin or UTC".to_owned()),
        ];
        for (text, problem) in rows {
            let error = text.parse::<Window>().unwrap_err();
            assert_eq!(error.to_string(), format!("`{text}` is not a window: {problem}"));
        }
        assert_eq!(
            window("Mon-Fri 09:00-16:00 Europe/Berlin").to_string(),
            "Mon-Fri 09:00-16:00 Europe/Berlin"
        );
    }
}
