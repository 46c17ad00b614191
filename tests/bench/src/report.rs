//! What a run says: a line for each turn, and what they come to.

use std::io::{Write, stdout};

use crate::limits::CONTROL_CPU_TOLERANCE;
use crate::load::Turn;

/// Prints a line at once. A console that is gone is no reason to stop.
pub(crate) fn say(line: &str) {
    let mut out = stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).ok();
}

/// The names of the columns.
pub(crate) const HEADER: &str = "round  server                  accepted/s  CPU us/msg  p50 ms  p99 ms  load us/msg  others  delivered  ratio  CPU ratio";

impl Turn {
    /// Accepted messages per second.
    pub(crate) fn rate(&self) -> f64 {
        count(self.accepted) / self.seconds
    }

    /// What a message cost the server, in microseconds of CPU.
    pub(crate) fn cpu_us(&self) -> f64 {
        self.server_cpu_s * 1e6 / count(self.accepted)
    }

    /// The line of this turn, without what needs another one to say.
    pub(crate) fn line(&self, round: usize, name: &str) -> String {
        let load_us = self.load_cpu_s * 1e6 / count(self.accepted);
        let others = self.others_cpu_s / self.seconds;
        format!(
            "{round:>5}  {name:<22}  {:>10.0}  {:>10.1}  {:>6.1}  {:>6.1}  {load_us:>11.1}  {others:>6.2}",
            self.rate(),
            self.cpu_us(),
            self.p50_ms,
            self.p99_ms,
        )
    }
}

/// The product against the control of the same round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ratio {
    /// Accepted messages per second, product to control; more is better.
    pub(crate) rate: f64,
    /// CPU per message, product to control; less is better.
    pub(crate) cpu: f64,
}

impl Ratio {
    pub(crate) fn of(product: &Turn, control: &Turn) -> Self {
        Self { rate: product.rate() / control.rate(), cpu: product.cpu_us() / control.cpu_us() }
    }
}

/// What a figure is to be at least, or at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Aim {
    AtLeast(f64),
    AtMost(f64),
}

impl Aim {
    /// Whether a figure is as it should be, for a person to read behind it.
    pub(crate) fn verdict(self, figure: f64) -> String {
        let (bound, limit, is_reached) = match self {
            Self::AtLeast(limit) => ("at least", limit, figure >= limit),
            Self::AtMost(limit) => ("at most", limit, figure <= limit),
        };
        format!("(aim: {bound} {limit}, {})", if is_reached { "reached" } else { "missed" })
    }
}

/// The middle one; of an even number the mean of the two in the middle. None of none.
pub(crate) fn median(figures: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = figures.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    Some(if sorted.len().is_multiple_of(2) { f64::midpoint(sorted[middle - 1], upper) } else { upper })
}

/// What the control's CPU per message says of the run.
pub(crate) fn verdict_on_control(cpu_us: f64, expected: f64) -> String {
    let difference = cpu_us / expected - 1.0;
    let verdict = if difference.abs() <= CONTROL_CPU_TOLERANCE { "valid" } else { "void" };
    format!(
        "control: {cpu_us:.1} us CPU per message, {expected} expected ({:+.0} %; {:.0} % allowed): {verdict}",
        difference * 100.0,
        CONTROL_CPU_TOLERANCE * 100.0,
    )
}

#[expect(clippy::cast_precision_loss, reason = "messages of one turn are counted in thousands")]
/// How many, as a number to reckon with.
pub(crate) fn count(messages: usize) -> f64 {
    messages as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(accepted: usize, server_cpu_s: f64) -> Turn {
        Turn {
            accepted,
            sent: accepted,
            refused: 0,
            seconds: 5.0,
            p50_ms: 7.25,
            p99_ms: 40.0,
            server_cpu_s,
            load_cpu_s: 2.0,
            sink_cpu_s: 0.0,
            others_cpu_s: 1.0,
        }
    }

    #[test]
    fn a_turn_is_told_in_one_line_under_the_names_of_its_columns() {
        let line = turn(100_000, 2.6).line(1, "control");

        assert_eq!(
            [&HEADER[..HEADER.find("  delivered").unwrap()], &line],
            [
                "round  server                  accepted/s  CPU us/msg  p50 ms  p99 ms  load us/msg  others",
                "    1  control                      20000        26.0     7.2    40.0         20.0    0.20",
            ]
        );
    }

    #[test]
    fn half_the_rate_at_twice_the_cpu_is_a_half_and_two() {
        let ratio = Ratio::of(&turn(50_000, 2.6), &turn(100_000, 2.6));

        assert_eq!(ratio, Ratio { rate: 0.5, cpu: 2.0 });
    }

    #[test]
    fn an_aim_is_reached_or_missed() {
        assert_eq!(Aim::AtLeast(0.6).verdict(0.6), "(aim: at least 0.6, reached)");
        assert_eq!(Aim::AtMost(20.0).verdict(20.1), "(aim: at most 20, missed)");
    }

    #[test]
    fn one_bad_round_of_three_does_not_move_the_median_far() {
        assert_eq!(median([0.7, 0.1, 0.6]), Some(0.6));
        assert_eq!(median([0.5, 0.75]), Some(0.625));
        assert_eq!(median([]), None);
    }

    #[test]
    fn a_control_that_is_too_slow_or_too_fast_voids_the_run() {
        assert!(verdict_on_control(29.0, 26.2).ends_with("expected (+11 %; 15 % allowed): valid"));
        assert!(verdict_on_control(31.0, 26.2).ends_with("expected (+18 %; 15 % allowed): void"));
        assert!(verdict_on_control(20.0, 26.2).ends_with("expected (-24 %; 15 % allowed): void"));
    }
}
