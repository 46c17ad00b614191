//! `bench fanout`: how fast a hub brings a backlog to a follower, and what each event costs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use tempfile::TempDir;

use crate::cli::Plan;
use crate::control::courier;
use crate::cpu;
use crate::fault::Outcome;
use crate::founding;
use crate::limits::{BACKLOG, FANOUT_RATE, MANY_ROOMS};
use crate::papers::Papers;
use crate::part::{Running, copy_founded};
use crate::report::{count, median, say};
use crate::submit;

/// Runs all rounds and says what they come to.
pub(crate) async fn run(plan: &Plan) -> Outcome<()> {
    let bench = Bench { directory: tempfile::Builder::new().prefix("bench-fanout-").tempdir()? };
    say(&format!("load average before: {}", cpu::load_average()));
    let cases = [("one room", 1), ("100 rooms", MANY_ROOMS)];
    let mut backlogs = Vec::new();
    fs::create_dir(bench.papers())?;
    Papers::at(&bench.papers()).issue()?;
    for (_, rooms) in cases {
        backlogs.push(bench.prepare(rooms).await?);
    }
    say("round  courier                 delivered/s  CPU us/event  events  ratio  CPU ratio");
    let mut ratios = vec![Vec::new(); cases.len()];
    for round in 1..=plan.rounds {
        for (((name, rooms), backlog), ratios) in cases.iter().zip(&backlogs).zip(&mut ratios) {
            let control = bench.turn("courier", *rooms, *backlog)?;
            say(&control.line(round, "control"));
            let product = bench.turn("product", *rooms, *backlog)?;
            let (rate, cost) = (product.rate / control.rate, product.cpu_us / control.cpu_us);
            say(&format!("{}  {rate:>5.2}  {cost:>9.2}", product.line(round, name)));
            ratios.push((rate, cost));
        }
    }
    say(&format!("load average after: {}", cpu::load_average()));
    for ((name, _), ratios) in cases.iter().zip(&ratios) {
        let rate = median(ratios.iter().map(|ratio| ratio.0)).ok_or("a run has at least one round")?;
        let cost = median(ratios.iter().map(|ratio| ratio.1)).ok_or("a run has at least one round")?;
        let verdict = FANOUT_RATE.verdict(rate);
        say(&format!(
            "{name}: median ratio {rate:.2} {verdict}, CPU per event {cost:.2} times the control's"
        ));
    }
    Ok(())
}

struct Bench {
    directory: TempDir,
}

struct Turn {
    rate: f64,
    cpu_us: f64,
    events: usize,
}

impl Turn {
    fn line(&self, round: usize, name: &str) -> String {
        let Self { rate, cpu_us, events } = self;
        format!("{round:>5}  {name:<22}  {rate:>11.0}  {cpu_us:>12.1}  {events:>6}")
    }
}

impl Bench {
    /// Rooms with a backlog, which the product has accepted and delivered nothing of; how many events it has.
    async fn prepare(&self, rooms: usize) -> Outcome<usize> {
        let (founded, papers) = (self.founded(rooms), self.papers());
        fs::create_dir(&founded)?;
        founding::found(&Papers::at(&papers), (&founded, None), rooms, BACKLOG).await?;
        let part = ["--papers".into(), papers.clone(), "--directory".into(), founded.clone()];
        let mut hub = Running::start("product", &part)?;
        let requests = founded.join(founding::MESSAGES);
        submit::load(&mut hub, &papers, &requests, "product", [])?;
        hub.stop()?;
        courier::fill(&founded).await
    }

    /// From the start of one to the moment when the follower has all.
    fn turn(&self, name: &str, rooms: usize, backlog: usize) -> Outcome<Turn> {
        let own = tempfile::tempdir_in(self.directory.path())?;
        copy_founded(&self.founded(rooms), own.path())?;
        let part = |own: &Path| -> Vec<PathBuf> {
            vec!["--papers".into(), self.papers(), "--directory".into(), own.into()]
        };
        let (mut sink_args, mut args) = (part(own.path()), part(own.path()));
        sink_args.extend(["--until".into(), backlog.to_string().into()]);
        let mut sink = Running::start("sink", &sink_args)?;
        args.extend(["--deliver-to".into(), sink.port()?.to_string().into()]);
        let started = Instant::now();
        let mut server = Running::start(name, &args)?;
        server.port()?;
        sink.told()?;
        let (took, used) = (started.elapsed(), cpu::of_process(server.id())?);
        server.stop()?;
        sink.stop()?;
        Ok(Turn {
            rate: count(backlog) / took.as_secs_f64(),
            cpu_us: used.as_secs_f64() * 1e6 / count(backlog),
            events: backlog,
        })
    }

    fn papers(&self) -> PathBuf {
        self.directory.path().join("papers")
    }

    fn founded(&self, rooms: usize) -> PathBuf {
        self.directory.path().join(format!("founded-{rooms}"))
    }
}
