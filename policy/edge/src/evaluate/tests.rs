use proptest::prelude::*;

use super::*;
use crate::{Heard, heard};

const NOW: Seconds = Seconds(1_000);

fn user(text: &str) -> UserUri {
    UserUri::parse(text).unwrap()
}

fn room(name: &str) -> RoomUri {
    RoomUri::parse(&format!("mimi://a.example/r/{name}")).unwrap()
}

fn record(room_name: Option<&str>, state: ConsentState, updated_at: u64) -> ConsentRecord {
    ConsentRecord {
        scope: Scope {
            requester: user("mimi://a.example/u/alice"),
            target: user("mimi://b.example/u/bob"),
            room: room_name.map(room),
        },
        state,
        updated_at: Seconds(updated_at),
        expires_at: None,
        requests: 0,
    }
}

fn rules(otherwise: DefaultRule) -> Rules {
    Rules { rules: Vec::new(), otherwise }
}

/// What alice is told who wants to reach bob in room 1.
fn verdict(function: PeerFunction, rules: &Rules, records: &[ConsentRecord]) -> Verdict {
    let (peer, requester) = (Domain::parse("a.example").unwrap(), user("mimi://a.example/u/alice"));
    let (target, room) = (user("mimi://b.example/u/bob"), room("1"));
    let request =
        Request { peer: &peer, function, requester: &requester, target: &target, room: Some(&room) };
    evaluate(&request, rules, records, NOW)
}

fn outcome(records: &[ConsentRecord]) -> Outcome {
    verdict(PeerFunction::KeyMaterial, &rules(DefaultRule::Ask), records).outcome
}

#[test]
fn where_nothing_is_said_the_default_holds() {
    let by_default = |function, rule| verdict(function, &rules(rule), &[]);

    assert_eq!(by_default(PeerFunction::KeyMaterial, DefaultRule::Allow).outcome, Outcome::Allow);
    assert_eq!(by_default(PeerFunction::KeyMaterial, DefaultRule::Ask).outcome, Outcome::Ask);
    assert_eq!(by_default(PeerFunction::Notify, DefaultRule::Ask).outcome, Outcome::Quarantine);
    let denied = by_default(PeerFunction::Notify, DefaultRule::Deny);
    assert_eq!(denied, Verdict { outcome: Outcome::Deny, why: Why::Otherwise(DefaultRule::Deny) });
}

#[test]
fn the_targets_word_stands_above_the_default() {
    let granted = [record(None, ConsentState::Granted, 1)];
    let denied = [record(None, ConsentState::Denied, 1)];

    let allowed = verdict(PeerFunction::KeyMaterial, &rules(DefaultRule::Deny), &granted);
    assert_eq!(allowed.outcome, Outcome::Allow);
    assert_eq!(allowed.why, Why::Consent { scope: granted[0].scope.clone(), state: ConsentState::Granted });
    assert_eq!(
        verdict(PeerFunction::KeyMaterial, &rules(DefaultRule::Allow), &denied).outcome,
        Outcome::Deny
    );
}

#[test]
fn the_operators_deny_stands_above_the_targets_word() {
    let closed =
        Rule { peer: Domain::parse("a.example").ok(), function: None, user: None, rule: DefaultRule::Deny };
    let rules = Rules { rules: vec![closed.clone()], otherwise: DefaultRule::Allow };

    let verdict = verdict(PeerFunction::KeyMaterial, &rules, &[record(None, ConsentState::Granted, 1)]);

    assert_eq!(verdict, Verdict { outcome: Outcome::Deny, why: Why::Closed(closed) });
}

#[test]
fn the_most_specific_no_wins_over_the_most_specific_yes() {
    let (any, here) = (None, Some("1"));
    let (yes, no) = (ConsentState::Granted, ConsentState::Denied);

    assert_eq!(outcome(&[record(any, yes, 9), record(here, no, 1)]), Outcome::Deny);
    assert_eq!(outcome(&[record(any, no, 9), record(here, yes, 1)]), Outcome::Deny);
    assert_eq!(outcome(&[record(any, no, 1), record(here, yes, 9)]), Outcome::Allow);
    assert_eq!(outcome(&[record(any, no, 5), record(here, yes, 5)]), Outcome::Deny);
}

#[test]
fn a_word_about_another_room_or_another_user_is_no_word() {
    let elsewhere = record(Some("2"), ConsentState::Granted, 9);
    let mut of_eve = record(None, ConsentState::Granted, 9);
    of_eve.scope.requester = user("mimi://a.example/u/eve");

    assert_eq!(outcome(&[elsewhere, of_eve]), Outcome::Ask);
}

#[test]
fn a_block_wins_over_any_later_yes() {
    let records = [record(None, ConsentState::Blocked, 1), record(Some("1"), ConsentState::Granted, 9)];

    assert_eq!(outcome(&records), Outcome::Deny);
}

#[test]
fn a_yes_that_ran_out_is_no_yes() {
    let mut granted = record(None, ConsentState::Granted, 1);
    granted.expires_at = Some(NOW);

    assert_eq!(outcome(&[granted.clone()]), Outcome::Ask);
    granted.expires_at = Some(Seconds(NOW.0 + 1));
    assert_eq!(outcome(&[granted]), Outcome::Allow);
}

#[test]
fn nobody_needs_consent_to_reach_oneself() {
    let (peer, alice) = (Domain::parse("a.example").unwrap(), user("mimi://a.example/u/alice"));
    let request = Request {
        peer: &peer,
        function: PeerFunction::KeyMaterial,
        requester: &alice,
        target: &alice,
        room: None,
    };

    let verdict = evaluate(&request, &rules(DefaultRule::Deny), &[], NOW);

    assert_eq!(verdict, Verdict { outcome: Outcome::Allow, why: Why::Oneself });
}

#[test]
fn a_peer_is_admitted_to_functions_that_are_about_no_user() {
    let peer = Domain::parse("a.example").unwrap();
    let admitted = |rule| admit(&peer, PeerFunction::Update, &rules(rule)).outcome;

    assert_eq!(admitted(DefaultRule::Allow), Outcome::Allow);
    assert_eq!(admitted(DefaultRule::Ask), Outcome::Quarantine);
    assert_eq!(admitted(DefaultRule::Deny), Outcome::Deny);
}

#[test]
fn g9_undecided_asked_denied_and_blocked_sound_the_same() {
    let states = [
        ConsentState::None,
        ConsentState::Asked,
        ConsentState::Denied,
        ConsentState::Expired,
        ConsentState::Blocked,
    ];

    for state in states {
        let outcome = outcome(&[record(None, state, 1)]);

        assert_eq!(heard(PeerFunction::KeyMaterial, outcome), Heard::NoConsent, "{state:?}");
    }
    assert_eq!(heard(PeerFunction::KeyMaterial, outcome(&[])), Heard::NoConsent);
}

fn records() -> impl Strategy<Value = Vec<ConsentRecord>> {
    let place = prop_oneof![Just(None), Just(Some("1")), Just(Some("2"))];
    let state = prop_oneof![
        Just(ConsentState::None),
        Just(ConsentState::Asked),
        Just(ConsentState::Granted),
        Just(ConsentState::Denied),
        Just(ConsentState::Expired),
        Just(ConsentState::Blocked),
    ];
    let expires = proptest::option::of(990..1_010u64);
    let one = (place, state, 0..9u64, expires).prop_map(|(place, state, updated_at, expires)| {
        ConsentRecord { expires_at: expires.map(Seconds), ..record(place, state, updated_at) }
    });
    proptest::collection::vec(one, 0..5)
}

proptest! {
    #[test]
    fn the_order_of_records_does_not_matter(records in records(), turn in 0..5usize) {
        let mut turned = records.clone();
        if !turned.is_empty() {
            let by = turn % turned.len();
            turned.rotate_left(by);
        }
        let mut reversed = records.clone();
        reversed.reverse();

        prop_assert_eq!(outcome(&records), outcome(&turned));
        prop_assert_eq!(outcome(&records), outcome(&reversed));
    }

    #[test]
    fn a_no_for_this_room_is_never_overruled(records in records(), updated_at in 0..9u64) {
        let mut records = records;
        records.push(record(Some("1"), ConsentState::Denied, updated_at));

        prop_assert_eq!(outcome(&records), Outcome::Deny);
    }

    #[test]
    fn the_newest_no_for_any_room_is_never_overruled(records in records()) {
        let mut records = records;
        records.push(record(None, ConsentState::Denied, 9));

        prop_assert_eq!(outcome(&records), Outcome::Deny);
    }

    #[test]
    fn without_a_yes_that_holds_nobody_gets_through(records in records()) {
        let holds = |record: &ConsentRecord| record.state_at(NOW) == ConsentState::Granted;
        let has_yes = records.iter().any(|record| holds(record) && record.scope.room != Some(room("2")));

        prop_assert!(has_yes || outcome(&records) != Outcome::Allow);
    }
}
