//! The command line: one benchmark, and the parts it starts.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::limits::{CONNECTIONS, LINKS, STREAMS_PER_CONNECTION};

/// Control and product, interleaved.
#[derive(Parser)]
#[command(name = "bench")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Accepted submitMessage requests: per second, and CPU per message.
    Submit(Submit),
    /// A backlog that is delivered: per second, and CPU per event.
    Fanout(Plan),
    /// A commit in a room of 1,000 members: what it costs the hub.
    Commit(Plan),
    /// Messages in a room with 1, 100 and 1,000 hosted users: what one costs the gateway.
    Bridge(Plan),
    /// A message's way through two gateways, over its durable commits.
    Latency(Plan),
    /// Chats in which nothing happens: memory and start.
    Links(Links),
    /// Beside Synapse, Prosody and ejabberd.
    Peers(Plan),
    /// Each of them; the page that tells of them is written anew.
    All(All),
    #[command(hide = true)]
    Control(Part),
    #[command(hide = true)]
    Courier(Product),
    #[command(hide = true)]
    Product(Product),
    #[command(hide = true)]
    Sink(Sink),
    #[command(hide = true)]
    Load(Load),
}

/// How often.
#[derive(Args)]
pub(crate) struct Plan {
    /// Rounds; in each, control and product take turns.
    #[arg(long, default_value_t = 3)]
    pub(crate) rounds: usize,
}

/// Over which store.
#[derive(Args)]
pub(crate) struct Submit {
    /// What control and product remember with.
    #[arg(long, default_value = "sqlite")]
    pub(crate) store: StoreKind,
    #[command(flatten)]
    pub(crate) plan: Plan,
}

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StoreKind {
    Sqlite,
    Postgres,
}

/// How many links.
#[derive(Args)]
pub(crate) struct Links {
    /// Direct chats between the two providers; rounded down to a square.
    #[arg(long, default_value_t = LINKS)]
    pub(crate) links: usize,
    /// In each round both providers are started anew.
    #[command(flatten)]
    pub(crate) plan: Plan,
}

/// All benchmarks.
#[derive(Args)]
pub(crate) struct All {
    #[command(flatten)]
    pub(crate) plan: Plan,
    /// The page whose figures are replaced.
    #[arg(long, default_value = "docs/operating/performance.md")]
    pub(crate) page: PathBuf,
}

/// A server of the run.
#[derive(Args)]
pub(crate) struct Part {
    /// Where its papers are.
    #[arg(long)]
    pub(crate) papers: PathBuf,
    /// A directory of its own.
    #[arg(long)]
    pub(crate) directory: PathBuf,
    /// The database of its own, if it is no file there.
    #[arg(long)]
    pub(crate) postgres: Option<String>,
    /// Franks nothing.
    #[arg(long)]
    pub(crate) unfranked: bool,
}

/// The product as a server of the run.
#[derive(Args)]
pub(crate) struct Product {
    #[command(flatten)]
    pub(crate) part: Part,
    /// The follower's port; without one nothing is delivered.
    #[arg(long)]
    pub(crate) deliver_to: Option<u16>,
}

/// The follower that is notified.
#[derive(Args)]
pub(crate) struct Sink {
    #[command(flatten)]
    pub(crate) part: Part,
    /// Says so when it has been notified of so many events.
    #[arg(long)]
    pub(crate) until: Option<usize>,
}

/// The load on a server.
#[derive(Args)]
pub(crate) struct Load {
    /// Where its papers are.
    #[arg(long)]
    pub(crate) papers: PathBuf,
    /// What it sends.
    #[arg(long)]
    pub(crate) messages: PathBuf,
    /// The server's port.
    #[arg(long)]
    pub(crate) port: u16,
    /// The server's process.
    #[arg(long)]
    pub(crate) server: u32,
    /// The process of the server's database, if it has one; what its children use counts as well.
    #[arg(long)]
    pub(crate) database: Option<u32>,
    /// The follower's process, if there is one.
    #[arg(long)]
    pub(crate) sink: Option<u32>,
    /// How many connections it has.
    #[arg(long, default_value_t = CONNECTIONS)]
    pub(crate) connections: usize,
    /// How many requests are in flight on each.
    #[arg(long, default_value_t = STREAMS_PER_CONNECTION)]
    pub(crate) streams: usize,
    /// Whose answers are to be read.
    #[arg(long)]
    pub(crate) answers: Answers,
}

/// Whose answers they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub(crate) enum Answers {
    Control,
    Product,
}
