//! What was acknowledged survives a power cut: a disk that keeps only what was synced, and how the store syncs.

use std::sync::Arc;

use crash::{Book, Broke, Chat, Disk, Person, Plan, Provider, Store};

/// Messages that are acknowledged before the power is cut.
const SAID: u64 = 20;

/// While Bob's provider is down, Alice says something; then the power of hers is cut. When both are back she says one
/// thing more, and what Bob heard by then is judged.
async fn a_power_cut(synchronous: Option<&'static str>) -> Result<(), Broke> {
    let [mut a, mut b] = Provider::two(["a.example", "b.example"], Store::Sqlite);
    a.start().await?;
    b.start().await?;
    let book = Book::default();
    let alice = Person::arrive("alice@a.example", a.chat(), &book).await?;
    let bob = Person::arrive("bob@b.example", b.chat(), &book).await?;
    let chat = Chat::open(alice, bob, 1, &book).await?;
    book.settled().await?;

    // All that is there when it starts is on the disk, however it syncs.
    a.stop().await?;
    a.stands_on(Disk::build()?);
    if let Some(synchronous) = synchronous {
        a.finds("DRAWBRIDGE_SQLITE_SYNCHRONOUS", synchronous);
    }
    a.start().await?;
    b.kill().await?;
    chat.say(1..SAID, &book).await;
    a.kill().await?;
    a.start().await?;
    b.start().await?;
    chat.say(SAID..SAID + 1, &book).await;
    book.settled().await
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_power_cut() {
    a_power_cut(None).await.unwrap();
}

#[tokio::test]
async fn with_a_store_that_never_syncs_it_would_be_lost() {
    let wrong = a_power_cut(Some("OFF")).await.unwrap_err();

    assert!(
        wrong.contains("lost or reordered: bob@b.example hears “alice@a.example bob@b.example 20”"),
        "{wrong}"
    );
}

#[tokio::test]
async fn with_a_store_that_syncs_at_checkpoints_only_it_would_be_lost() {
    let wrong = a_power_cut(Some("NORMAL")).await.unwrap_err();

    assert!(
        wrong.contains("lost or reordered: bob@b.example hears “alice@a.example bob@b.example 20”"),
        "{wrong}"
    );
}

#[tokio::test]
async fn in_rounds_of_power_cuts_nothing_is_lost_doubled_reordered_or_misattributed() {
    let plan = Plan {
        rounds: 16,
        seed: 3,
        store: Store::Sqlite,
        rounds_per_world: 8,
        power_cuts: true,
        worlds_at_once: 2,
    };

    let report = plan.run(Arc::new(|round| println!("{round}"))).await.unwrap();

    println!("{report}\nlost          {} bytes", report.bytes_lost);
    assert_eq!((report.rounds, report.heard), (16, report.acknowledged));
}
