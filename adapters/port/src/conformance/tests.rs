use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use mimi_content::NestedPart;
use mimi_uri::{Domain, UserUri};

use super::*;
use crate::{
    Addresses, Delivery, Guarantee, Guarantees, Host, Ingest, NativeBody, NativeEvent, OpId, Operation,
    Outcome, Session, Unnameable,
};

/// A network in one struct, adapter and person at once, with something wrong in it.
struct Toy {
    flaw: Flaw,
    host: Arc<RecordingHost>,
    heard: Mutex<Vec<String>>,
    done: Mutex<HashMap<OpId, Outcome>>,
    ids: Mutex<u64>,
}

#[derive(Clone, Copy, PartialEq)]
enum Flaw {
    None,
    ForgetsOperations,
    LosesWhatWasRefused,
    ShoutsWhatIsSaid,
    DeafToInvitations,
}

impl Toy {
    async fn ingest(&self, body: NativeBody) {
        let id = {
            let mut ids = self.ids.lock().unwrap();
            *ids += 1;
            ids.to_string()
        };
        let event = NativeEvent {
            lane: "room".into(),
            id: id.into(),
            nonce: None,
            from: self.user(),
            display_name: None,
            at_ms: 0,
            body,
        };
        while self.host.ingest(Ingest { events: vec![event.clone()] }).await.is_err() {
            if self.flaw == Flaw::LosesWhatWasRefused {
                return;
            }
        }
    }
}

#[async_trait]
impl NativePerson for Toy {
    fn user(&self) -> NativeUserId {
        "alice".into()
    }

    async fn open_direct(&self, puppet: &NativeUserId) -> NativeRoomId {
        self.ingest(NativeBody::DirectInvite { puppet: puppet.clone() }).await;
        "room".into()
    }

    async fn say(&self, _: &NativeRoomId, text: &str) {
        let text =
            if self.flaw == Flaw::ShoutsWhatIsSaid { text.replace("hi", "HI") } else { text.to_owned() };
        self.ingest(NativeBody::Post(NestedPart::plain(&text))).await;
    }

    async fn hears(&self, _: &NativeRoomId, _: &str) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

#[async_trait]
impl Session for Toy {
    async fn deliver(&self, delivery: Delivery) -> Outcome {
        if let Some(outcome) = self.done.lock().unwrap().get(&delivery.op_id) {
            return outcome.clone();
        }
        let outcome = match delivery.operation {
            Operation::AcceptInvite { .. } if self.flaw == Flaw::DeafToInvitations => {
                Outcome::Broken { why: "not today".to_owned() }
            }
            Operation::Post(prepared) => {
                self.heard.lock().unwrap().push(prepared.plain);
                Outcome::done_as(delivery.op_id.as_str().into())
            }
            _ => Outcome::done(),
        };
        if self.flaw != Flaw::ForgetsOperations {
            self.done.lock().unwrap().insert(delivery.op_id, outcome.clone());
        }
        outcome
    }

    async fn close(&self) {}
}

impl Addresses for Toy {
    fn localpart(&self, user: &NativeUserId) -> Option<String> {
        Some(user.to_string())
    }

    fn native(&self, localpart: &str) -> Option<NativeUserId> {
        Some(localpart.into())
    }

    fn puppet(&self, user: &UserUri) -> Result<NativeUserId, Unnameable> {
        Ok(user.as_str().into())
    }

    fn behind_puppet(&self, id: &NativeUserId) -> Option<UserUri> {
        UserUri::parse(id.as_str()).ok()
    }
}

async fn verdict(flaw: Flaw) -> Result<(), String> {
    let host = Arc::new(RecordingHost::new());
    let toy = Toy {
        flaw,
        host: Arc::clone(&host),
        heard: Mutex::default(),
        done: Mutex::default(),
        ids: Mutex::default(),
    };
    let stage = Stage {
        session: &toy,
        host: &host,
        addresses: &toy,
        guarantee: Guarantees { inbound: Guarantee::ExactlyOnce, outbound: Guarantee::ExactlyOnce },
        person: &toy,
        user: UserUri::new(&Domain::parse("b.example").unwrap(), &["bob"]).unwrap(),
    };
    run(&stage).await.map_err(|violation| violation.to_string())
}

#[tokio::test]
async fn an_adapter_that_keeps_its_promises_passes() {
    assert_eq!(verdict(Flaw::None).await, Ok(()));
}

#[tokio::test]
async fn an_adapter_that_breaks_one_is_told_which() {
    let verdicts = [
        (Flaw::ForgetsOperations, "violated: a repeated post is heard once"),
        (Flaw::LosesWhatWasRefused, "violated: what was refused comes again, in its place, and once"),
        (Flaw::ShoutsWhatIsSaid, "violated: every text comes in as it was said, in order, and once"),
        (Flaw::DeafToInvitations, "accept ended as Broken { why: \"not today\" }"),
    ];

    for (flaw, violation) in verdicts {
        assert_eq!(verdict(flaw).await, Err(violation.to_owned()));
    }
}
