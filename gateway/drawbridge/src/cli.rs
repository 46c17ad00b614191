//! The command line, in its user's words.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use mimi_uri::Domain;

/// Makes a messaging service a MIMI provider.
#[derive(Debug, Parser)]
#[command(name = "drawbridge", version, about, propagate_version = true)]
pub(crate) struct DrawbridgeArgs {
    /// The configuration file.
    #[arg(short, long, global = true, default_value = "drawbridge.toml", value_name = "FILE")]
    pub(crate) config: PathBuf,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a commented configuration, and make the keys and certificates it names.
    Init {
        /// The domain whose users and rooms this provider hosts.
        #[arg(value_name = "DOMAIN")]
        domain: Domain,
    },
    /// Tell what is wrong with the configuration, or that nothing is.
    Check,
    /// Run the provider until SIGTERM or Ctrl-C.
    Serve(ServeArgs),
    /// Show two providers talking: Alice at one, Bob at the other.
    Demo(DemoArgs),
    /// The providers we speak with.
    Peer {
        #[command(subcommand)]
        command: PeerCommand,
    },
    /// Translate a MIMI name into the native ones, or a native one into MIMI.
    Address {
        /// `mimi://b.example/u/bob`, or a name as a native network writes it: `@alice:a.example`.
        name: String,
    },
    /// List what waits and why; with an id, explain one.
    Lane(LaneArgs),
    /// List what a native network refused for good.
    Letter(LetterArgs),
    /// What a Matrix homeserver needs to know.
    Matrix {
        #[command(subcommand)]
        command: MatrixCommand,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// How the log on standard error is written. What is in it, `RUST_LOG` says: `info`, or `info,mimi_server=debug`.
    #[arg(long, value_enum, default_value_t = LogFormat::Human, value_name = "FORMAT")]
    pub(crate) log: LogFormat,
    /// Stop also when standard input ends: with whoever started us, however he ended.
    #[arg(long, hide = true)]
    pub(crate) until_stdin_ends: bool,
}

/// Who reads the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// A person.
    Human,
    /// A program: one JSON object a line.
    Json,
}

/// What the demo may break on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Broken {
    /// b.example shows a certificate that a.example has no reason to believe.
    Certificate,
    /// b.example stops in the middle of the conversation.
    Provider,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// End by itself, with a summary; exit 0 if everything arrived.
    #[arg(long)]
    pub(crate) once: bool,
    /// Break something on purpose, to see what is told.
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) broken: Option<Broken>,
    /// Keep the folder with both providers' configuration, keys, databases and logs.
    #[arg(long)]
    pub(crate) keep: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PeerCommand {
    /// Speak with a provider whose root certificate you were given.
    Add {
        /// Its domain.
        domain: Domain,
        /// Its root certificate, in PEM.
        roots: PathBuf,
        /// Connect to this address instead of asking the name service.
        #[arg(long, value_name = "ADDRESS:PORT")]
        connect: Option<SocketAddr>,
    },
    /// List them.
    List,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct LaneArgs {
    #[command(subcommand)]
    pub(crate) command: Option<LaneCommand>,
    /// The lane to explain, as the list names it.
    #[arg(value_name = "ID")]
    pub(crate) id: Option<String>,
    /// For a program to read.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LaneCommand {
    /// Try a lane again now: what was in its way is gone.
    Resume {
        /// The lane, as the list names it.
        #[arg(value_name = "ID")]
        id: String,
    },
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct LetterArgs {
    #[command(subcommand)]
    pub(crate) command: Option<LetterCommand>,
    /// Show also what they say.
    #[arg(long)]
    pub(crate) show: bool,
    /// For a program to read.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LetterCommand {
    /// Put letters back where they stood in their outboxes, to be tried again.
    Replay(LetterChoice),
    /// Forget letters for good.
    Drop(LetterChoice),
}

#[derive(Debug, Args)]
pub(crate) struct LetterChoice {
    /// The letters, as the list names them.
    #[arg(value_name = "ID", required_unless_present = "all")]
    pub(crate) ids: Vec<String>,
    /// All of them.
    #[arg(long, conflicts_with = "ids")]
    pub(crate) all: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MatrixCommand {
    /// Print the registration file for the homeserver.
    Registration,
}

/// Writes a line for the user.
pub(crate) fn say(line: &str) {
    drop(writeln!(std::io::stdout(), "{line}"));
}

/// Writes a value for a program.
pub(crate) fn say_json(value: &impl serde::Serialize) -> Result<(), String> {
    say(&serde_json::to_string_pretty(value).map_err(|fault| fault.to_string())?);
    Ok(())
}

/// Writes what went wrong, a line each.
pub(crate) fn complain(text: &str) {
    for line in text.lines() {
        drop(writeln!(std::io::stderr(), "drawbridge: {line}"));
    }
}
