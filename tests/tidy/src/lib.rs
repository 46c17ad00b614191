//! The rules of the house, checked.
//!
//! A rule that is only remembered is forgotten in the first busy week. Each module here is one rule, as a function
//! from what stands in the repository to a list of sentences saying what is wrong with it; `tests/house_rules.rs`
//! applies them all and wants every list empty. Each rule is shown a bad sample in its own tests, so that none of them
//! can come to say yes to everything.
//!
//! | module | rule |
//! |---|---|
//! | [`levels`] | crates depend downwards, along the table of levels |
//! | [`walls`] | the hub cannot read messages; the pure crates are pure; SQL in the stores; adapters know no MLS |
//! | [`clocks`] | the pure crates are told the time |
//! | [`sizes`] | files of 500 lines, functions of 60 |
//! | [`hosts`] | no host but examples and loopback is named in code |
//! | [`links`] | a link in our documents leads somewhere |
//! | [`lints`] | every crate takes the lints of the workspace |
//! | [`names`] | no manager, no helper, no `get_` |
//! | [`readme`] | the README's table of crates is the workspace |
//! | [`tests_run`] | no test is switched off, none has a second try |

pub mod clocks;
pub mod hosts;
pub mod levels;
pub mod links;
pub mod lints;
pub mod names;
pub mod readme;
pub mod sizes;
pub mod sources;
pub mod tests_run;
pub mod walls;
pub mod workspace;
