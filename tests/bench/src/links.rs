//! `bench links`: what chats cost in which nothing happens.
//!
//! Two providers as operators run them. People of one open direct chats with people of the other, for real, until each
//! provider has as many links as asked for. What a process has in memory is read before, when nothing goes on any more,
//! and once more after a start with all links there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mimi_adapter_loopback::{EventKind, LoopbackClient};
use tokio::task::{JoinSet, block_in_place};

use crate::cli::Links;
use crate::cpu;
use crate::fault::Outcome;
use crate::limits::{GLANCE, LINK_KIB, OPENING_MAX, QUIET_CPU};
use crate::report::{count, say};
use crate::sites::{ChatSite, Sites};

type People = Vec<Arc<LoopbackClient>>;

/// Opens the chats, looks, starts both providers anew, and looks again.
pub(crate) async fn run(arguments: &Links) -> Outcome<()> {
    let people = arguments.links.isqrt().max(1);
    let links = people * people;
    say(&format!("load average before: {}", cpu::load_average()));
    let mut sites = block_in_place(Sites::start);
    let before = [sites.first.resident_kib()?, sites.second.resident_kib()?];
    let alices = everybody(&sites.first, "alice", people).await?;
    let bobs = everybody(&sites.second, "bob", people).await?;
    let started = Instant::now();
    tokio::time::timeout(OPENING_MAX, open(&sites, &alices, &bobs)).await??;
    say(&format!("{links} chats opened in {:.0} s", started.elapsed().as_secs_f64()));
    say("provider   when             MiB before  MiB with links  KiB/link");
    for (site, before) in [&sites.first, &sites.second].into_iter().zip(before) {
        quiet(site).await?;
        look(site, "all are opened", before, links)?;
    }
    let mut most = 0.0_f64;
    for _ in 0..arguments.plan.rounds {
        for (site, before) in [&mut sites.first, &mut sites.second].into_iter().zip(before) {
            let ready = start_again(site)?.as_secs_f64();
            let used = quiet(site).await?.as_secs_f64();
            most = most.max(look(site, "started anew", before, links)?);
            say(&format!("{:<9}  ready after {ready:.2} s, quiet after {used:.2} s of CPU", site.domain));
        }
    }
    wake_one(&alices, &bobs).await?;
    say(&format!("load average after: {}", cpu::load_average()));
    say(&format!("an idle link, of {links}, after a start: {most:.1} KiB {}", LINK_KIB.verdict(most)));
    drop((alices, bobs));
    block_in_place(|| drop(sites));
    Ok(())
}

async fn everybody(site: &ChatSite, name: &str, people: usize) -> Outcome<People> {
    let mut all = Vec::with_capacity(people);
    for number in 0..people {
        all.push(Arc::new(site.person(&format!("{name}{number}")).await?));
    }
    Ok(all)
}

/// Each one of the first provider's opens a chat with each one of the second's; done when all have heard of all.
async fn open(sites: &Sites, alices: &People, bobs: &People) -> Outcome<()> {
    let puppets: Arc<Vec<String>> =
        Arc::new(bobs.iter().map(|bob| sites.second.puppet(bob.user())).collect());
    let mut opening = JoinSet::new();
    for alice in alices {
        let (alice, puppets) = (Arc::clone(alice), Arc::clone(&puppets));
        opening.spawn(async move {
            for puppet in puppets.iter() {
                alice.open(puppet).await?;
            }
            std::io::Result::Ok(())
        });
    }
    while let Some(opened) = opening.join_next().await {
        opened??;
    }
    for (people, kind) in [(bobs, EventKind::Opened), (alices, EventKind::Joined)] {
        for person in people {
            while person.heard().iter().filter(|event| event.kind == kind).count() < people.len() {
                tokio::time::sleep(GLANCE).await;
            }
        }
    }
    Ok(())
}

/// Waits until a provider does nothing; the CPU time that it has used until then.
async fn quiet(site: &ChatSite) -> Outcome<Duration> {
    let process = site.process()?;
    let mut before = cpu::of_process(process)?;
    loop {
        tokio::time::sleep(GLANCE).await;
        let now = cpu::of_process(process)?;
        if now.saturating_sub(before) < QUIET_CPU {
            return Ok(now);
        }
        before = now;
    }
}

/// Says what a provider has in memory; how much of it each link is, in KiB.
fn look(site: &ChatSite, when: &str, before: usize, links: usize) -> Outcome<f64> {
    let with_links = site.resident_kib()?;
    let each = (count(with_links) - count(before)) / count(links);
    say(&format!(
        "{:<9}  {when:<15}  {:>10.1}  {:>14.1}  {each:>8.1}",
        site.domain,
        count(before) / 1024.0,
        count(with_links) / 1024.0
    ));
    Ok(each)
}

/// How long it takes to be ready.
fn start_again(site: &mut ChatSite) -> Outcome<Duration> {
    block_in_place(|| {
        site.site.stop();
        let started = Instant::now();
        site.site.start_again();
        Ok(started.elapsed())
    })
}

/// One of the idle chats is used.
async fn wake_one(alices: &People, bobs: &People) -> Outcome<()> {
    const WORDS: &str = "still there?";
    let heard = bobs[0].heard();
    let chat = heard.iter().find(|event| event.kind == EventKind::Opened).ok_or("nobody opened a chat")?;
    let started = Instant::now();
    bobs[0].say(&chat.room, WORDS).await?;
    let opener = chat.from.as_deref().unwrap_or_default();
    let alice = alices.iter().find(|alice| opener.starts_with(&format!("{}@", alice.user())));
    let alice = alice.ok_or("nobody's puppet opened a chat")?;
    alice.hears(|event| event.text.as_deref() == Some(WORDS)).await?;
    say(&format!("the first message in an idle chat: {:.0} ms", started.elapsed().as_secs_f64() * 1000.0));
    Ok(())
}
