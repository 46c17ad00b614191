use super::*;

const NOW: Seconds = Seconds(1_000);

fn scope(room: Option<&str>) -> Scope {
    Scope {
        requester: UserUri::parse("mimi://a.example/u/alice").unwrap(),
        target: UserUri::parse("mimi://b.example/u/bob").unwrap(),
        room: room.map(|room| RoomUri::parse(room).unwrap()),
    }
}

/// A record after these events.
fn after(events: &[ConsentEvent]) -> ConsentRecord {
    events.iter().fold(ConsentRecord::new(scope(None)), |record, event| record.apply(*event, NOW).unwrap())
}

const GRANT: ConsentEvent = ConsentEvent::Grant { until: None };

#[test]
fn who_asks_waits_a_month_for_the_answer() {
    let record = after(&[ConsentEvent::Request]);

    assert_eq!(record.state, ConsentState::Asked);
    assert_eq!(record.expires_at, Some(Seconds(1_000 + 30 * 24 * 3600)));
    assert_eq!(record.state_at(Seconds(1_000 + 30 * 24 * 3600 - 1)), ConsentState::Asked);
    assert_eq!(record.state_at(Seconds(1_000 + 30 * 24 * 3600)), ConsentState::Expired);
}

#[test]
fn a_question_is_answered_yes_or_no_and_the_answer_may_change() {
    assert_eq!(after(&[ConsentEvent::Request, GRANT]).state, ConsentState::Granted);
    assert_eq!(after(&[ConsentEvent::Request, ConsentEvent::Revoke]).state, ConsentState::Denied);
    assert_eq!(after(&[GRANT, ConsentEvent::Revoke]).state, ConsentState::Denied);
    assert_eq!(after(&[ConsentEvent::Revoke, GRANT]).state, ConsentState::Granted);
}

#[test]
fn an_answer_needs_no_question() {
    assert_eq!(after(&[GRANT]).state, ConsentState::Granted);
    assert_eq!(after(&[ConsentEvent::Revoke]).state, ConsentState::Denied);
}

#[test]
fn a_question_is_counted_and_does_not_change_an_answer() {
    let denied = after(&[ConsentEvent::Revoke, ConsentEvent::Request, ConsentEvent::Request]);
    let granted = after(&[GRANT, ConsentEvent::Request]);

    assert_eq!((denied.state, denied.requests), (ConsentState::Denied, 2));
    assert_eq!((granted.state, granted.requests), (ConsentState::Granted, 1));
}

#[test]
fn asking_again_does_not_lengthen_the_wait() {
    let asked = after(&[ConsentEvent::Request]);

    let again = asked.apply(ConsentEvent::Request, Seconds(5_000)).unwrap();

    assert_eq!(again.expires_at, asked.expires_at);
}

#[test]
fn pm16_only_an_open_question_is_cancelled() {
    assert_eq!(after(&[ConsentEvent::Request, ConsentEvent::Cancel]).state, ConsentState::None);
    for events in [&[][..], &[GRANT], &[ConsentEvent::Revoke], &[ConsentEvent::Block]] {
        assert_eq!(after(events).apply(ConsentEvent::Cancel, NOW), Err(ConsentError::NothingAsked));
    }
}

#[test]
fn a_block_stays_until_it_is_lifted() {
    let blocked = after(&[GRANT, ConsentEvent::Block]);

    for event in [ConsentEvent::Request, GRANT, ConsentEvent::Revoke] {
        assert_eq!(blocked.apply(event, NOW), Err(ConsentError::Blocked));
    }
    assert_eq!(blocked.state_at(Seconds(u64::MAX)), ConsentState::Blocked);
    assert_eq!(after(&[ConsentEvent::Block, ConsentEvent::Unblock]).state, ConsentState::None);
    assert_eq!(after(&[GRANT]).apply(ConsentEvent::Unblock, NOW), Err(ConsentError::NotBlocked));
}

#[test]
fn a_grant_ends_when_it_says_and_is_asked_for_again() {
    let record = after(&[ConsentEvent::Grant { until: Some(Seconds(2_000)) }]);

    assert_eq!(record.state_at(Seconds(1_999)), ConsentState::Granted);
    assert_eq!(record.state_at(Seconds(2_000)), ConsentState::Expired);
    assert_eq!(record.apply(ConsentEvent::Request, Seconds(2_000)).unwrap().state, ConsentState::Asked);
}

#[test]
fn what_has_run_out_is_written_down_and_nothing_else_is() {
    let record = after(&[ConsentEvent::Grant { until: Some(Seconds(2_000)) }]);

    assert_eq!(record.apply(ConsentEvent::Expire, Seconds(1_999)), Err(ConsentError::NotDue));
    let expired = record.apply(ConsentEvent::Expire, Seconds(2_000)).unwrap();
    assert_eq!((expired.state, expired.expires_at), (ConsentState::Expired, None));
}

#[test]
fn a_revocation_for_any_room_kills_the_grants_of_single_rooms() {
    let room = scope(Some("mimi://a.example/r/1"));
    let granted = ConsentRecord::new(room.clone()).apply(GRANT, Seconds(500)).unwrap();
    let stranger = Scope { requester: UserUri::parse("mimi://a.example/u/eve").unwrap(), ..room.clone() };
    let other = ConsentRecord::new(stranger).apply(GRANT, Seconds(500)).unwrap();

    let changed = apply_to_all(&[granted, other], &scope(None), ConsentEvent::Revoke, NOW).unwrap();

    let states: Vec<_> = changed.iter().map(|record| (record.scope.clone(), record.state)).collect();
    assert_eq!(states, [(scope(None), ConsentState::Denied), (room, ConsentState::Denied)]);
}

#[test]
fn a_revocation_for_one_room_leaves_the_rest_alone() {
    let any = ConsentRecord::new(scope(None)).apply(GRANT, Seconds(500)).unwrap();
    let room = scope(Some("mimi://a.example/r/1"));

    let changed = apply_to_all(&[any], &room, ConsentEvent::Revoke, NOW).unwrap();

    assert_eq!(changed.len(), 1);
    assert_eq!((&changed[0].scope, changed[0].state), (&room, ConsentState::Denied));
}
