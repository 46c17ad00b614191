//! `bench bridge`: what a message costs the gateway that hosts many people of one room.
//!
//! The room is held once, however many of its members are hosted, so neither reading a message of somebody else nor
//! sealing one of a hosted user may cost more with more of them. It does cost more with more people on the room's list:
//! MLS signs each message together with the group's context, and the list is part of that.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand;
use mimi_store_sqlite::SqliteStore;
use mimi_wire::{FanoutEvent, FanoutMessage, FrankingTag};

use crate::cli::Plan;
use crate::cpu;
use crate::database::FILE;
use crate::fault::Outcome;
use crate::founding::World;
use crate::large_room::{self, LargeRoom};
use crate::limits::{BRIDGED_MESSAGES, CONTENT_LENGTH, HOSTED};
use crate::papers::Papers;
use crate::provider::now;
use crate::report::{count, median, say};

/// Runs all rounds and says what they come to.
pub(crate) async fn run(plan: &Plan) -> Outcome<()> {
    say(&format!("load average before: {}", cpu::load_average()));
    say("round  people  hosted users  read us/msg  seal us/msg  state bytes/hosted");
    let mut read = vec![Vec::new(); HOSTED.len()];
    let mut sealed = vec![Vec::new(); HOSTED.len()];
    for round in 1..=plan.rounds {
        for (((people, hosted), read), sealed) in HOSTED.into_iter().zip(&mut read).zip(&mut sealed) {
            let turn = turn(people, hosted).await?;
            let Turn { read_us, seal_us, state } = turn;
            let state = state / hosted;
            say(&format!(
                "{round:>5}  {people:>6}  {hosted:>12}  {read_us:>11.1}  {seal_us:>11.1}  {state:>18}"
            ));
            read.push(read_us);
            sealed.push(seal_us);
        }
    }
    say(&format!("load average after: {}", cpu::load_average()));
    for ((people, hosted), (read, sealed)) in HOSTED.into_iter().zip(read.into_iter().zip(sealed)) {
        let read = median(read).ok_or("a run has at least one round")?;
        let sealed = median(sealed).ok_or("a run has at least one round")?;
        say(&format!(
            "{people} people, {hosted} hosted: {read:.1} us to read a message, {sealed:.1} us to seal one"
        ));
    }
    Ok(())
}

struct Turn {
    read_us: f64,
    seal_us: f64,
    /// Bytes of the room's stored state.
    state: usize,
}

async fn turn(people: usize, hosted: usize) -> Outcome<Turn> {
    let directory = tempfile::Builder::new().prefix("bench-bridge-").tempdir()?;
    let papers = directory.path().join("papers");
    fs::create_dir(&papers)?;
    Papers::at(&papers).issue()?;
    let store = Arc::new(SqliteStore::open(directory.path().join(FILE)).await?);
    let world = World::start(&Papers::at(&papers), Arc::clone(&store) as _).await?;
    let mut large = large_room::found(&world, &*store, hosted, people).await?;
    let read_us = read(&mut large)?;
    let seal_us = seal(&mut large)?;
    let state = large.client.snapshot()?.len();
    world.stop().await?;
    store.close().await;
    Ok(Turn { read_us, seal_us, state })
}

/// Messages of somebody who is not hosted.
fn read(large: &mut LargeRoom) -> Outcome<f64> {
    let mut events = Vec::with_capacity(BRIDGED_MESSAGES);
    for _ in 0..BRIDGED_MESSAGES {
        let (content, tag) = content()?;
        let message = large.service.seal(&large.founder, &content, &tag)?.app_message;
        events.push(FanoutMessage {
            timestamp: now(),
            event: FanoutEvent::Application { message, frank: None },
        });
    }
    cost(|| {
        for event in &events {
            large.client.read(event)?;
        }
        Ok(())
    })
}

/// Messages of hosted users, one after the other.
fn seal(large: &mut LargeRoom) -> Outcome<f64> {
    let (content, tag) = content()?;
    cost(|| {
        for number in 0..BRIDGED_MESSAGES {
            large.client.seal(&large.users[number % large.users.len()], &content, &tag)?;
        }
        Ok(())
    })
}

fn content() -> Outcome<([u8; CONTENT_LENGTH], [u8; 32])> {
    let (mut content, mut salt) = ([0; CONTENT_LENGTH], [0; 16]);
    rand::fill(&mut content)?;
    rand::fill(&mut salt)?;
    Ok((content, FrankingTag::of(&salt, &content).0))
}

/// CPU time of this process for each of the messages, in microseconds.
fn cost(work: impl FnOnce() -> Outcome<()>) -> Outcome<f64> {
    let before = cpu::of_process(std::process::id())?;
    work()?;
    let used: Duration = cpu::of_process(std::process::id())?.saturating_sub(before);
    Ok(used.as_secs_f64() * 1e6 / count(BRIDGED_MESSAGES))
}
