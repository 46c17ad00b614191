use super::*;

fn peer(name: &str) -> Domain {
    Domain::parse(name).unwrap()
}

fn bob() -> UserUri {
    UserUri::parse("mimi://b.example/u/bob").unwrap()
}

fn rule(
    from: Option<&str>,
    function: Option<PeerFunction>,
    user: Option<UserUri>,
    rule: DefaultRule,
) -> Rule {
    Rule { peer: from.map(peer), function, user, rule }
}

fn decisive(rules: &[Rule], from: &str) -> Option<DefaultRule> {
    let rules = Rules { rules: rules.to_vec(), otherwise: DefaultRule::Allow };
    rules.decisive(&peer(from), PeerFunction::DirectText, Some(&bob())).map(|rule| rule.rule)
}

#[test]
fn a_rule_for_the_user_stands_above_one_for_the_peer_and_that_above_one_for_the_function() {
    let function = rule(None, Some(PeerFunction::DirectText), None, DefaultRule::Ask);
    let from_a = rule(Some("a.example"), None, None, DefaultRule::Deny);
    let for_bob = rule(None, None, Some(bob()), DefaultRule::Allow);

    assert_eq!(decisive(&[], "a.example"), None);
    assert_eq!(decisive(std::slice::from_ref(&function), "a.example"), Some(DefaultRule::Ask));
    assert_eq!(decisive(&[function.clone(), from_a.clone()], "a.example"), Some(DefaultRule::Deny));
    assert_eq!(decisive(&[function.clone(), from_a.clone()], "c.example"), Some(DefaultRule::Ask));
    assert_eq!(decisive(&[function, from_a, for_bob], "a.example"), Some(DefaultRule::Allow));
}

#[test]
fn of_two_rules_about_the_same_the_stricter_holds() {
    let allow = rule(Some("a.example"), None, None, DefaultRule::Allow);
    let deny = rule(Some("a.example"), None, None, DefaultRule::Deny);

    assert_eq!(decisive(&[allow.clone(), deny.clone()], "a.example"), Some(DefaultRule::Deny));
    assert_eq!(decisive(&[deny.clone(), allow.clone()], "a.example"), Some(DefaultRule::Deny));
    let rules = Rules { rules: vec![allow, deny], otherwise: DefaultRule::Deny };
    assert_eq!(warnings(&rules), [Warning::Contradiction { first: 0, second: 1 }]);
}

#[test]
fn a_rule_for_a_user_says_nothing_where_no_user_is_meant() {
    let rules = Rules {
        rules: vec![rule(None, None, Some(bob()), DefaultRule::Deny)],
        otherwise: DefaultRule::Allow,
    };

    assert_eq!(rules.decisive(&peer("a.example"), PeerFunction::Update, None), None);
}

#[test]
fn the_default_lets_everybody_reach_everybody_and_is_warned_of() {
    assert_eq!(warnings(&Rules::default()), [Warning::EverybodyReachesEverybody]);
}

#[test]
fn what_strangers_may_do_by_default_is_warned_of_function_by_function() {
    let asks = rule(None, Some(PeerFunction::DirectText), None, DefaultRule::Ask);
    let rules = Rules { rules: vec![asks], otherwise: DefaultRule::Allow };

    assert_eq!(
        warnings(&rules),
        [Warning::OpenByDefault(PeerFunction::GroupText), Warning::OpenByDefault(PeerFunction::KeyMaterial)]
    );
    assert_eq!(warnings(&Rules { otherwise: DefaultRule::Ask, ..rules }), []);
}

#[test]
fn every_function_has_its_own_name() {
    for function in PeerFunction::ALL {
        assert_eq!(PeerFunction::by_name(function.name()), Some(function));
    }
    assert_eq!(PeerFunction::by_name("everything"), None);
}
