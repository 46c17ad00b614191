//! The command line: one benchmark, and the parts it starts.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

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
    Submit(Plan),
    #[command(hide = true)]
    Control(Part),
    #[command(hide = true)]
    Product(Product),
    #[command(hide = true)]
    Sink(Part),
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

/// A server of the run.
#[derive(Args)]
pub(crate) struct Part {
    /// Where its papers are.
    #[arg(long)]
    pub(crate) papers: PathBuf,
    /// A directory of its own.
    #[arg(long)]
    pub(crate) directory: PathBuf,
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
    /// The follower's process, if there is one.
    #[arg(long)]
    pub(crate) sink: Option<u32>,
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
