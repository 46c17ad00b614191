//! What a follower that is not well costs the one beside it: `cargo run --release -p conformance --example healthy_follower`.
//!
//! In turns, the same load goes to a room with people at the healthy follower only, and to a room with people at both while
//! the other one misbehaves. Timed is from the first message to the healthy follower's having the last one.

#![expect(clippy::unwrap_used, clippy::large_futures, reason = "as in a test, what does not hold ends it")]

use std::io::{Write, stdout};
use std::time::Instant;

use conformance::{Chat, Misbehaviour, World};

/// Turns of each room.
const TURNS: usize = 9;

/// Messages in a turn: with fewer a turn is over in a hundredth of a second, and chance decides.
const MESSAGES: usize = 10_000;

#[tokio::main]
async fn main() {
    for how in [Misbehaviour::Status(503), Misbehaviour::Resets, Misbehaviour::Hangs] {
        let mut world = World::new().await;
        let mut alone = world.chat_without_bob().await;
        let mut beside = world.chat_of_three().await;
        world.b.misbehaves(how).await;
        let (mut rates_alone, mut rates_beside, mut ratios) = (vec![], vec![], vec![]);
        for _ in 0..TURNS {
            rates_alone.push(rate(&world, &mut alone).await);
            rates_beside.push(rate(&world, &mut beside).await);
            ratios.push(rates_beside[rates_beside.len() - 1] / rates_alone[rates_alone.len() - 1]);
        }
        let [alone, beside, ratio] = [rates_alone, rates_beside, ratios].map(median);
        let line =
            format!("{how:?}: {alone:.0}/s alone, {beside:.0}/s beside it, median of the ratios {ratio:.3}");
        stdout().write_all(format!("{line}\n").as_bytes()).unwrap();
    }
}

/// Messages a second that the healthy follower gets.
async fn rate(world: &World, chat: &mut Chat) -> f64 {
    let requests: Vec<_> = (0..MESSAGES).map(|n| chat.alice.says(&n.to_string())).collect();
    let started = Instant::now();
    for request in &requests {
        world.a.submit(&chat.uri, request).await;
    }
    world.a.ledger.delivered(&world.c.domain).await;
    f64::from(u32::try_from(MESSAGES).unwrap()) / started.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
