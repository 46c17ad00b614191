//! `bench peers`: messages that a server accepts into one busy room, beside the servers that people use today.
//!
//! Each is started privately, with its archive on, has one room with [`OCCUPANTS`] people in it of whom [`SENDERS`] speak, each with
//! [`WINDOW`] messages on their way. The product has the same number of messages on their way, in a room that it also
//! delivers to another provider; and it alone uses TLS, signs, and waits for the disk.

mod matrix;
mod xmpp;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use end_to_end::XmppSoftware;

use crate::cli::Plan;
use crate::cpu;
use crate::fault::Outcome;
use crate::founding;
use crate::limits::{BACKLOG, COUNTED, OVER_EJABBERD, OVER_SYNAPSE, WARM_UP};
use crate::papers::Papers;
use crate::part::{Running, copy_founded};
use crate::report::{count, median, say};
use crate::submit;

/// People in the room.
const OCCUPANTS: usize = 10;

/// Those of them who speak.
const SENDERS: usize = 4;

/// Messages of one sender on their way.
const WINDOW: usize = 8;

/// What one server did.
struct Turn {
    rate: f64,
    cpu_us: f64,
}

/// What a turn counts, told by its senders.
#[derive(Default)]
struct Tally {
    accepted: AtomicUsize,
    is_over: AtomicBool,
}

impl Tally {
    fn accept(&self, more: usize) {
        self.accepted.fetch_add(more, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }
}

/// Runs all rounds and says what they come to.
pub(crate) async fn run(plan: &Plan) -> Outcome<()> {
    say(&format!("load average before: {}", cpu::load_average()));
    say("round  server                  accepted/s  CPU us/msg  drawbridge does");
    let names = [("Synapse", Some(OVER_SYNAPSE)), ("Prosody", None), ("ejabberd", Some(OVER_EJABBERD))];
    let mut factors = vec![Vec::new(); names.len()];
    for round in 1..=plan.rounds {
        let own = product().await?;
        say(&line(round, "Drawbridge", &own, None));
        let turns = [
            matrix::turn().await?,
            xmpp::turn(XmppSoftware::Prosody).await?,
            xmpp::turn(XmppSoftware::Ejabberd).await?,
        ];
        for (((name, _), turn), factors) in names.iter().zip(&turns).zip(&mut factors) {
            let factor = own.rate / turn.rate;
            say(&line(round, name, turn, Some(factor)));
            factors.push(factor);
        }
    }
    say(&format!("load average after: {}", cpu::load_average()));
    for ((name, aim), factors) in names.iter().zip(factors) {
        let factor = median(factors).ok_or("a run has at least one round")?;
        let verdict = aim.map_or_else(String::new, |aim| aim.verdict(factor));
        say(&format!("{factor:.1} times what {name} accepts {verdict}"));
    }
    Ok(())
}

fn line(round: usize, name: &str, turn: &Turn, factor: Option<f64>) -> String {
    let factor = factor.map_or_else(String::new, |factor| format!("{factor:.1} times as many"));
    format!("{round:>5}  {name:<22}  {:>10.0}  {:>10.1}  {factor}", turn.rate, turn.cpu_us)
}

/// The product: one room, a follower that it delivers to, as many messages on their way as with the others.
async fn product() -> Outcome<Turn> {
    let directory = tempfile::Builder::new().prefix("bench-peers-").tempdir()?;
    let [papers, founded, own] = ["papers", "founded", "own"].map(|name| directory.path().join(name));
    for folder in [&papers, &founded, &own] {
        fs::create_dir(folder)?;
    }
    Papers::at(&papers).issue()?;
    founding::found(&Papers::at(&papers), (&founded, None), 1, BACKLOG).await?;
    copy_founded(&founded, &own)?;
    let part = ["--papers".into(), papers.clone(), "--directory".into(), own];
    let mut sink = Running::start("sink", &part)?;
    let mut args = part.to_vec();
    args.extend(["--deliver-to".into(), sink.port()?.to_string().into()]);
    let mut hub = Running::start("product", &args)?;
    let in_flight = ["--connections", "--streams"].into_iter().zip([SENDERS, WINDOW]);
    let in_flight = in_flight.flat_map(|(name, value)| [name.into(), value.to_string().into()]);
    let requests = founded.join(founding::MESSAGES);
    let turn = submit::load(&mut hub, &papers, &requests, "product", in_flight)?;
    hub.stop()?;
    sink.stop()?;
    Ok(Turn { rate: turn.rate(), cpu_us: turn.cpu_us() })
}

/// Counts what senders have accepted in the time that counts; the servers are our only children meanwhile.
async fn counted(tally: &Arc<Tally>) -> Outcome<Turn> {
    tokio::time::sleep(WARM_UP).await;
    let reading = || -> Outcome<_> { Ok((tally.accepted.load(Ordering::Relaxed), cpu::of_descendants()?)) };
    let (started, (accepted_before, cpu_before)) = (Instant::now(), reading()?);
    tokio::time::sleep(COUNTED).await;
    let (took, (accepted, used)) = (started.elapsed(), reading()?);
    tally.is_over.store(true, Ordering::Relaxed);
    let accepted = accepted - accepted_before;
    if accepted == 0 {
        return Err("a server accepted nothing".into());
    }
    let used: Duration = used.saturating_sub(cpu_before);
    Ok(Turn {
        rate: count(accepted) / took.as_secs_f64(),
        cpu_us: used.as_secs_f64() * 1e6 / count(accepted),
    })
}

/// The text of a message: as long as what the product's carry.
fn text() -> String {
    "x".repeat(crate::limits::CONTENT_LENGTH)
}
