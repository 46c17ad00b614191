//! When wishes are acted upon: at once where somebody waits for them, else collected, so that a storm of joins is one
//! commit and a netsplit none.

use crate::limits::{MEMBER_CHANGES_QUIET, MEMBER_CHANGES_WAIT_MAX, NETSPLIT_QUITS_MIN, NETSPLIT_WAIT};
use crate::rows::{Target, Wish};

/// Which wishes are due now, and in how many milliseconds the next one will be.
pub(super) fn due<K>(wishes: &[(K, Wish)], now_ms: u64) -> (Vec<&(K, Wish)>, Option<u64>) {
    let at = Times::of(wishes);
    let (due, later): (Vec<_>, Vec<_>) = wishes.iter().partition(|(_, wish)| at.of_wish(wish) <= now_ms);
    let next = later.iter().map(|(_, wish)| at.of_wish(wish).saturating_sub(now_ms)).min();
    (due, next)
}

/// When the wishes that may wait are due, all of a kind together.
struct Times {
    changes: u64,
    quits: u64,
}

impl Times {
    fn of<K>(wishes: &[(K, Wish)]) -> Self {
        let waiting = || wishes.iter().map(|(_, wish)| wish).filter(|wish| may_wait(wish));
        let first = waiting().map(|wish| wish.first_ms).min().unwrap_or(0);
        let last = waiting().map(|wish| wish.last_ms).max().unwrap_or(0);
        let changes = (last + millis(MEMBER_CHANGES_QUIET)).min(first + millis(MEMBER_CHANGES_WAIT_MAX));
        let quits = waiting().filter(|wish| wish.target == Target::Out);
        let is_split = quits.clone().count() >= NETSPLIT_QUITS_MIN;
        let last_quit = quits.map(|wish| wish.last_ms).max().unwrap_or(0);
        Self { changes, quits: if is_split { last_quit + millis(NETSPLIT_WAIT) } else { changes } }
    }

    fn of_wish(&self, wish: &Wish) -> u64 {
        match (&wish.target, may_wait(wish)) {
            (_, false) => 0,
            (Target::Out, true) => self.quits,
            (_, true) => self.changes,
        }
    }
}

/// Comings and goings may wait; nobody waits for a ban, a role, a title or a word, and a kick is meant.
fn may_wait(wish: &Wish) -> bool {
    match &wish.target {
        Target::In { role: _, leaf } => !leaf,
        Target::Out => !wish.is_kick,
        Target::Role(_) | Target::Banned | Target::Unbanned | Target::Title { .. } => false,
    }
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::LinkId;
    use mimi_uri::UserUri;

    const LISTED: Target = Target::In { role: None, leaf: false };

    fn wish(target: Target, at_ms: u64) -> ((), Wish) {
        let wish = Wish {
            target,
            is_kick: false,
            by: UserUri::parse("mimi://a.example/u/alice").unwrap(),
            link: LinkId("l".to_owned()),
            event: "e".into(),
            first_ms: at_ms,
            last_ms: at_ms,
        };
        ((), wish)
    }

    fn count(wishes: &[((), Wish)], now_ms: u64) -> usize {
        due(wishes, now_ms).0.len()
    }

    #[test]
    fn joins_are_collected_until_it_is_quiet_and_then_due_together() {
        let quiet = millis(MEMBER_CHANGES_QUIET);
        let wishes = [wish(LISTED, 1000), wish(LISTED, 1500)];

        assert_eq!(due(&wishes, 1600).1, Some(quiet - 100));
        assert_eq!(count(&wishes, 1000 + quiet), 0);
        assert_eq!(count(&wishes, 1500 + quiet), 2);
    }

    #[test]
    fn a_storm_that_does_not_end_is_not_waited_out() {
        let wishes: Vec<_> = (0..1000).map(|n| wish(LISTED, 1000 + n * 100)).collect();

        assert_eq!(count(&wishes, 1000 + millis(MEMBER_CHANGES_WAIT_MAX) - 1), 0);
        assert_eq!(count(&wishes, 1000 + millis(MEMBER_CHANGES_WAIT_MAX)), 1000);
    }

    #[test]
    fn a_word_and_a_ban_wait_for_nobody_and_leave_the_others_waiting() {
        let speaks = Target::In { role: None, leaf: true };
        let wishes = [wish(LISTED, 1000), wish(speaks, 1000), wish(Target::Banned, 1000)];

        assert_eq!(count(&wishes, 1000), 2);
    }

    #[test]
    fn many_quits_at_once_are_given_the_time_to_come_back() {
        let quits: Vec<_> = (0..NETSPLIT_QUITS_MIN).map(|_| wish(Target::Out, 1000)).collect();

        assert_eq!(count(&quits, 1000 + millis(MEMBER_CHANGES_WAIT_MAX)), 0);
        assert_eq!(count(&quits, 1000 + millis(NETSPLIT_WAIT)), NETSPLIT_QUITS_MIN);
        assert_eq!(count(&quits[1..], 1000 + millis(MEMBER_CHANGES_QUIET)), NETSPLIT_QUITS_MIN - 1);
    }
}
