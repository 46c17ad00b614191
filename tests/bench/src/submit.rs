//! `bench submit`: how many messages a hub accepts, and what each costs it.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};

use end_to_end::Postgres;
use tempfile::TempDir;

use crate::cli::{StoreKind, Submit};
use crate::cpu;
use crate::fault::Outcome;
use crate::founding;
use crate::limits::{
    ACCEPT_CPU, ACCEPT_RATE, CONTROL_CPU_US_EXPECTED, CONTROL_CPU_US_EXPECTED_ON_POSTGRES, MANY_ROOMS,
    MESSAGES_MAX,
};
use crate::load::Turn;
use crate::papers::Papers;
use crate::part::{Running, copy_founded};
use crate::report::{HEADER, Ratio, median, say, verdict_on_control};

/// What the product is measured at.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    rooms: usize,
    /// Whether messages are franked: one HMAC and one signature each.
    franks: bool,
    /// Whether the product delivers what it accepts to the other provider meanwhile.
    delivers: bool,
    /// Whether the run's last line may be its ratio.
    counts: bool,
}

const CASES: [Case; 5] = [
    Case { name: "one room", rooms: 1, franks: true, delivers: false, counts: true },
    Case { name: "100 rooms", rooms: MANY_ROOMS, franks: true, delivers: false, counts: true },
    Case { name: "one room, no sign", rooms: 1, franks: false, delivers: false, counts: false },
    Case { name: "one room, delivering", rooms: 1, franks: true, delivers: true, counts: false },
    Case { name: "100 rooms, delivering", rooms: MANY_ROOMS, franks: true, delivers: true, counts: false },
];

/// Runs all rounds and says what they come to; last of all the ratio.
pub(crate) async fn run(Submit { store, plan }: &Submit) -> Outcome<()> {
    let bench = Bench {
        directory: tempfile::Builder::new().prefix("bench-submit-").tempdir()?,
        postgres: (*store == StoreKind::Postgres).then(Postgres::start),
        databases: Cell::default(),
    };
    say(&format!("load average before: {}", cpu::load_average()));
    bench.prepare().await?;
    let mut ratios = vec![Vec::new(); CASES.len()];
    let mut controls = Vec::new();
    say(HEADER);
    for round in 1..=plan.rounds {
        for (case, ratios) in CASES.iter().zip(&mut ratios) {
            let control = bench.control(*case)?;
            say(&control.line(round, if case.franks { "control" } else { "control, no sign" }));
            let (product, delivered) = bench.product(*case)?;
            let ratio = Ratio::of(&product, &control);
            let line = product.line(round, case.name);
            say(&format!("{line}  {delivered:>9}  {:>5.2}  {:>9.2}", ratio.rate, ratio.cpu));
            controls.extend(case.franks.then(|| control.cpu_us()));
            ratios.push(ratio);
        }
    }
    conclude(*store, &controls, &ratios)
}

fn conclude(store: StoreKind, controls: &[f64], ratios: &[Vec<Ratio>]) -> Outcome<()> {
    const NO_ROUND: &str = "a run has at least one round";
    say(&format!("load average after: {}", cpu::load_average()));
    let expected = match store {
        StoreKind::Sqlite => CONTROL_CPU_US_EXPECTED,
        StoreKind::Postgres => CONTROL_CPU_US_EXPECTED_ON_POSTGRES,
    };
    say(&verdict_on_control(median(controls.iter().copied()).ok_or(NO_ROUND)?, expected));
    let mut counted = f64::INFINITY;
    for (case, ratios) in CASES.iter().zip(ratios) {
        let rate = median(ratios.iter().map(|ratio| ratio.rate)).ok_or(NO_ROUND)?;
        let cpu = median(ratios.iter().map(|ratio| ratio.cpu)).ok_or(NO_ROUND)?;
        let [mut of_rate, mut of_cpu] = [String::new(), String::new()];
        if case.counts {
            counted = counted.min(rate);
            of_rate = format!(" {}", ACCEPT_RATE.verdict(rate));
            of_cpu = format!(" {}", ACCEPT_CPU.verdict(cpu));
        }
        let name = case.name;
        say(&format!(
            "{name}: median ratio {rate:.2}{of_rate}, CPU per message {cpu:.2} times the control's{of_cpu}"
        ));
    }
    say(&format!("median ratio {counted:.2}"));
    Ok(())
}

/// Where everything of a run is.
struct Bench {
    directory: TempDir,
    /// The server of the databases, if they are no files.
    postgres: Option<Postgres>,
    /// How many were made there.
    databases: Cell<usize>,
}

/// What a server of the run remembers with.
struct Own {
    /// A directory of its own.
    directory: TempDir,
    /// And a database, if that is no file there.
    url: Option<String>,
}

impl Bench {
    /// Papers, rooms and messages, the same for all rounds.
    async fn prepare(&self) -> Outcome<()> {
        fs::create_dir(self.papers())?;
        Papers::at(&self.papers()).issue()?;
        for rooms in [1, MANY_ROOMS] {
            let founded = self.founded(rooms);
            fs::create_dir(&founded)?;
            let url = self.postgres.as_ref().map(|server| server.database(&template(rooms)));
            founding::found(&Papers::at(&self.papers()), (&founded, url.as_deref()), rooms, MESSAGES_MAX)
                .await?;
        }
        Ok(())
    }

    fn control(&self, case: Case) -> Outcome<Turn> {
        let own = self.own(None)?;
        let mut server = Running::start("control", &self.part(&own, case))?;
        let turn = self.load(&mut server, None, case, "control")?;
        server.stop()?;
        Ok(turn)
    }

    /// The product's turn, and which part of what it accepted it had delivered at the end.
    fn product(&self, case: Case) -> Outcome<(Turn, String)> {
        let own = self.own(Some(case.rooms))?;
        copy_founded(&self.founded(case.rooms), own.directory.path())?;
        let mut args = self.part(&own, case);
        if !case.delivers {
            let mut server = Running::start("product", &args)?;
            let turn = self.load(&mut server, None, case, "product")?;
            server.stop()?;
            return Ok((turn, "-".to_owned()));
        }
        let mut sink = Running::start("sink", &self.part(&own, case))?;
        args.extend(["--deliver-to".into(), sink.port()?.to_string().into()]);
        let mut server = Running::start("product", &args)?;
        let turn = self.load(&mut server, Some(sink.id()), case, "product")?;
        server.stop()?;
        let delivered: usize = sink.stop()?.trim().parse()?;
        let all = turn.sent.saturating_sub(turn.refused).max(1);
        Ok((turn, format!("{} %", (delivered * 100 / all).min(100))))
    }

    fn load(&self, server: &mut Running, sink: Option<u32>, case: Case, answers: &str) -> Outcome<Turn> {
        let database = self.postgres.as_ref().and_then(Postgres::id);
        let others = [("--sink", sink), ("--database", database)];
        let others = others.into_iter().filter_map(|(name, id)| Some([name.into(), id?.to_string().into()]));
        load(server, &self.papers(), &self.messages(case.rooms), answers, others.flatten())
    }

    /// A place for one turn; a database there is empty, or as it was when so many rooms had been founded.
    fn own(&self, founded: Option<usize>) -> Outcome<Own> {
        let directory = tempfile::tempdir_in(self.directory.path())?;
        let url = self.postgres.as_ref().map(|server| {
            self.databases.update(|count| count + 1);
            let name = format!("turn_{}", self.databases.get());
            match founded {
                Some(rooms) => server.copy(&template(rooms), &name),
                None => server.database(&name),
            }
        });
        Ok(Own { directory, url })
    }

    fn part(&self, own: &Own, case: Case) -> Vec<PathBuf> {
        let directory = own.directory.path().to_owned();
        let mut args = vec!["--papers".into(), self.papers(), "--directory".into(), directory];
        args.extend(own.url.iter().flat_map(|url| ["--postgres".into(), url.into()]));
        args.extend((!case.franks).then(|| "--unfranked".into()));
        args
    }

    fn papers(&self) -> PathBuf {
        self.directory.path().join("papers")
    }

    fn founded(&self, rooms: usize) -> PathBuf {
        self.directory.path().join(format!("founded-{rooms}"))
    }

    fn messages(&self, rooms: usize) -> PathBuf {
        self.founded(rooms).join(founding::MESSAGES)
    }
}

/// The database of so many rooms.
fn template(rooms: usize) -> String {
    format!("founded_{rooms}")
}

/// Sends these messages to a server whose answers are those of `answers`; all have to be accepted.
pub(crate) fn load(
    server: &mut Running,
    papers: &Path,
    messages: &Path,
    answers: &str,
    more: impl IntoIterator<Item = PathBuf>,
) -> Outcome<Turn> {
    let mut args: Vec<PathBuf> = vec!["--papers".into(), papers.into(), "--messages".into(), messages.into()];
    args.extend(["--port".into(), server.port()?.to_string().into()]);
    args.extend(["--server".into(), server.id().to_string().into()]);
    args.extend(["--answers".into(), answers.into()]);
    args.extend(more);
    let said = Running::start("load", &args)?.finish()?;
    let turn: Turn = serde_json::from_str(&said)?;
    if turn.refused > 0 {
        return Err(format!("the {answers} did not accept {} of {}", turn.refused, turn.sent).into());
    }
    Ok(turn)
}
