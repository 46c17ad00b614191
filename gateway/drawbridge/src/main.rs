//! Drawbridge: makes a messaging service a MIMI provider.
//!
//! The one place where all crates meet: [`config`] says what is wanted, [`serve`] wires it up, [`demo`] shows it.

mod address;
mod cli;
mod config;
mod demo;
mod desk;
mod init;
mod inspect;
mod keys;
mod limits;
mod log;
mod networks;
mod operator;
mod peer;
mod registration;
mod serve;
mod turn;
mod wiring;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Command, DrawbridgeArgs, MatrixCommand, PeerCommand};

fn main() -> ExitCode {
    let args = DrawbridgeArgs::parse();
    let result = match args.command {
        Command::Init { domain } => init::run(&args.config, &domain),
        Command::Check => Ok(inspect::run(&args.config)),
        Command::Serve(serve) => serve::run(&args.config, &serve),
        Command::Demo(demo) => demo::run(&demo),
        Command::Peer { command: PeerCommand::Add { domain, roots, connect } } => {
            peer::add(&args.config, &domain, &roots, connect)
        }
        Command::Peer { command: PeerCommand::List } => peer::list(&args.config),
        Command::Address { name } => address::run(&args.config, &name),
        Command::Lane(lane) => desk::lane::run(&args.config, &lane),
        Command::Letter(letter) => desk::letter::run(&args.config, &letter),
        Command::Matrix { command: MatrixCommand::Registration } => registration::run(&args.config),
    };
    match result {
        Ok(code) => code,
        Err(why) => {
            cli::complain(&why);
            ExitCode::FAILURE
        }
    }
}
