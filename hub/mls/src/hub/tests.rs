//! A hub in front of plain openmls members.

mod committing;
mod entering;
mod forging;
mod hosting;
mod persisting;
mod proposing;
mod world;
