use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mimi_adapter_loopback::{Event, EventKind};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::Broke;
use crate::limits::PATIENCE;

/// Who says something to whom; as text it is what is said, with a number behind it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// The sender, `alice@a.example`.
    pub from: String,
    /// The receiver, `bob@b.example`.
    pub to: String,
}

/// What was said, as its senders saw it acknowledged, against what was heard, as its receivers heard it.
#[derive(Debug, Clone, Default)]
pub struct Book(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    pages: Mutex<Pages>,
    entries: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Pages {
    lines: BTreeMap<Line, Page>,
    /// What was said and is not acknowledged yet.
    saying: u64,
    acknowledged: u64,
    heard: u64,
    wrong: Vec<String>,
    /// When each provider last showed to a client that it was alive.
    alive: BTreeMap<String, Instant>,
}

#[derive(Debug, Default)]
struct Page {
    acknowledged: u64,
    heard: u64,
    /// When each of those was acknowledged that are not heard.
    under_way: VecDeque<Instant>,
}

/// What a book says in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Messages that were acknowledged to their senders.
    pub acknowledged: u64,
    /// Messages that were heard by their receivers.
    pub heard: u64,
}

impl Line {
    /// What is said the `number`th time.
    pub fn text(&self, number: u64) -> String {
        format!("{} {} {number}", self.from, self.to)
    }

    /// The conversation in which the receiver hears it.
    pub fn room(&self) -> String {
        format!("{}+{}", name(&self.to), self.from)
    }

    fn read(text: &str) -> Option<(Self, u64)> {
        let mut words = text.split(' ');
        let (from, to) = (words.next()?.to_owned(), words.next()?.to_owned());
        Some((Self { from, to }, words.next()?.parse().ok()?))
    }
}

impl Book {
    /// Somebody is about to say something.
    pub fn saying(&self) {
        self.enter(|pages| pages.saying += 1);
    }

    /// What somebody was about to say, or to open, is acknowledged or given up.
    pub fn said(&self) {
        self.enter(|pages| pages.saying -= 1);
    }

    /// The next message of a line is acknowledged.
    pub fn acknowledged(&self, line: &Line) {
        self.enter(|pages| {
            pages.saying -= 1;
            pages.acknowledged += 1;
            pages.alive.insert(domain(&line.from).to_owned(), Instant::now());
            let page = pages.lines.entry(line.clone()).or_default();
            page.acknowledged += 1;
            // Some are heard before they are acknowledged.
            if page.heard < page.acknowledged {
                page.under_way.push_back(Instant::now());
            }
        });
    }

    /// Somebody was told something.
    pub fn heard(&self, by: &str, event: &Event) {
        self.enter(|pages| {
            pages.alive.insert(domain(by).to_owned(), Instant::now());
            match event.kind {
                EventKind::Message => pages.hear(by, event),
                EventKind::Notice => pages.wrong.push(format!("{by} is told: {}", text(event))),
                EventKind::Progress if event.progress.as_deref() == Some("refused") => {
                    pages.wrong.push(format!("{by} is told that it was refused: {}", text(event)));
                }
                EventKind::Opened | EventKind::Joined | EventKind::Progress => {}
                // Nobody does any of these in a direct chat.
                _ => pages.wrong.push(format!("{by} sees {:?} in {}", event.kind, event.room)),
            }
        });
    }

    /// Something that must not be.
    pub fn wrong(&self, what: String) {
        self.enter(|pages| pages.wrong.push(what));
    }

    /// Messages that were acknowledged while the provider of `domain` was certainly alive, and that nobody has heard.
    ///
    /// By its own clients it was alive when it acknowledged; for those of the other one, the last sign of life counts.
    pub fn undelivered(&self, victim: &str) -> u64 {
        let pages = self.pages();
        let last = pages.alive.get(victim).copied();
        let counts = pages.lines.iter().map(|(line, page)| {
            let counts =
                |at: &&Instant| domain(&line.from) == victim || last.is_some_and(|last| **at <= last);
            page.under_way.iter().filter(counts).count() as u64
        });
        counts.sum()
    }

    /// Whether nothing is under way any more.
    pub fn is_settled(&self) -> bool {
        let pages = self.pages();
        pages.saying == 0 && pages.lines.values().all(|page| page.heard >= page.acknowledged)
    }

    /// Waits until everything that was acknowledged was heard, or something is wrong for good.
    pub async fn settled(&self) -> Result<(), Broke> {
        let mut entries = self.entries();
        let settled = entries.wait_for(|_| self.is_settled() || self.is_wrong());
        match timeout(PATIENCE, settled).await {
            Ok(_) if self.verdict().is_empty() => Ok(()),
            Ok(_) => Err(self.verdict().join("\n")),
            Err(_) => Err(format!("not heard within {PATIENCE:?}:\n{}", self.verdict().join("\n"))),
        }
    }

    /// How many messages of a line are under way.
    pub fn under_way(&self, line: &Line) -> u64 {
        let pages = self.pages();
        pages.lines.get(line).map_or(0, |page| page.acknowledged.saturating_sub(page.heard))
    }

    /// All that must not have been, so far; with what was not heard by now, which is lost.
    pub fn verdict(&self) -> Vec<String> {
        let pages = self.pages();
        let lost = pages.lines.iter().filter(|(_, page)| page.heard < page.acknowledged);
        let lost = lost.map(|(line, page)| {
            format!("{} → {}: {} acknowledged, {} heard", line.from, line.to, page.acknowledged, page.heard)
        });
        pages.wrong.iter().cloned().chain(lost).collect()
    }

    /// What must not have been and cannot come right any more.
    pub fn is_wrong(&self) -> bool {
        !self.pages().wrong.is_empty()
    }

    /// How much was said and heard.
    pub fn counts(&self) -> Counts {
        let pages = self.pages();
        Counts { acknowledged: pages.acknowledged, heard: pages.heard }
    }

    /// Counts the entries; whoever waits for one subscribes.
    pub fn entries(&self) -> watch::Receiver<u64> {
        self.0.entries.subscribe()
    }

    fn enter(&self, write: impl FnOnce(&mut Pages)) {
        write(&mut self.pages());
        self.0.entries.send_modify(|count| *count += 1);
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    fn hear(&mut self, by: &str, event: &Event) {
        let said = text(event);
        let Some((line, number)) = Line::read(said) else {
            return self.wrong.push(format!("{by} hears what nobody said: {said}"));
        };
        if line.to != by || event.from.as_deref() != Some(&line.from) || event.room != line.room() {
            return self
                .wrong
                .push(format!("misattributed: {by} hears “{said}” in {} of {:?}", event.room, event.from));
        }
        let page = self.lines.entry(line.clone()).or_default();
        match number.cmp(&page.heard) {
            Ordering::Less => {
                self.wrong.push(format!("doubled: {by} hears “{said}” again, having heard {}", page.heard));
            }
            Ordering::Greater => {
                self.wrong.push(format!("lost or reordered: {by} hears “{said}” next to {}", page.heard));
                page.heard = number + 1;
            }
            Ordering::Equal => {
                page.heard += 1;
                page.under_way.pop_front();
            }
        }
        self.heard += 1;
    }
}

fn text(event: &Event) -> &str {
    event.text.as_deref().unwrap_or_default()
}

/// `alice` of `alice@a.example`.
pub(crate) fn name(user: &str) -> &str {
    user.split_once('@').map_or(user, |(name, _)| name)
}

/// `a.example` of `alice@a.example`.
fn domain(user: &str) -> &str {
    user.split_once('@').map_or("", |(_, domain)| domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOB: &str = "bob@b.example";

    fn line() -> Line {
        Line { from: "alice@a.example".to_owned(), to: BOB.to_owned() }
    }

    fn message(number: u64) -> Event {
        Event {
            kind: EventKind::Message,
            room: "bob+alice@a.example".to_owned(),
            from: Some("alice@a.example".to_owned()),
            name: None,
            who: None,
            about: None,
            progress: None,
            text: Some(line().text(number)),
            op: number.to_string(),
        }
    }

    /// A book in which Alice said three messages and Bob heard these.
    fn book(heard: &[Event]) -> Book {
        let book = Book::default();
        for _ in 0..3 {
            book.saying();
            book.acknowledged(&line());
        }
        for event in heard {
            book.heard(BOB, event);
        }
        book
    }

    fn numbers(numbers: [u64; 3]) -> [Event; 3] {
        numbers.map(message)
    }

    #[test]
    fn all_heard_once_and_in_order_is_well() {
        let book = book(&numbers([0, 1, 2]));

        assert_eq!(book.verdict(), [""; 0]);
        assert!(book.is_settled());
        assert_eq!(book.counts(), Counts { acknowledged: 3, heard: 3 });
    }

    #[test]
    fn the_lost_the_doubled_and_the_reordered_are_found() {
        assert_eq!(
            book(&[message(0), message(1)]).verdict(),
            ["alice@a.example → bob@b.example: 3 acknowledged, 2 heard"]
        );
        assert_eq!(book(&numbers([0, 0, 1])).verdict().len(), 2);
        assert_eq!(book(&numbers([0, 2, 1])).verdict().len(), 2);
    }

    #[test]
    fn what_is_heard_from_another_or_elsewhere_is_found() {
        let of_carol = Event { from: Some("carol@a.example".to_owned()), ..message(0) };
        let elsewhere = Event { room: "bob+carol@a.example".to_owned(), ..message(0) };
        let of_nobody = Event { text: Some("hello".to_owned()), ..message(0) };

        for event in [of_carol, elsewhere, of_nobody] {
            assert!(book(&[event]).is_wrong());
        }
    }

    #[test]
    fn what_is_under_way_counts_for_the_victim_that_was_alive() {
        let book = book(&[message(0)]);

        assert_eq!(book.undelivered("a.example"), 2);
        assert_eq!(book.undelivered("b.example"), 2, "Bob heard something behind their acknowledgements");
        book.saying();
        book.acknowledged(&line());
        assert_eq!(book.undelivered("a.example"), 3);
        assert_eq!(
            book.undelivered("b.example"),
            2,
            "b.example may have been dead when this was acknowledged"
        );
    }
}
