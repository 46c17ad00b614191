//! Who dies when: a matter of the seed alone.

use std::fmt;

use crate::seed::Seed;

/// When a point is passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// With every message.
    Talking,
    /// While somebody at the victim opens a chat.
    Opening,
    /// While somebody at the victim is brought into one.
    Joining,
}

/// A named place in the product, before or behind a durable commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// Its name there.
    pub name: &'static str,
    /// When it is passed.
    pub when: When,
}

/// How a provider dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// When it passes a point this often.
    At(Point, u32),
    /// When so many things were said or heard, and so many microseconds later.
    Behind(u32, u32),
}

/// What happens in one round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// The first of the two providers dies, or the second.
    pub victim: usize,
    /// One death, or a second one on top of the recovery from the first.
    pub deaths: Vec<Death>,
    /// Who opens a new chat meanwhile: nobody, or somebody at this provider.
    pub opener: Option<usize>,
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let deaths: Vec<String> = self.deaths.iter().map(ToString::to_string).collect();
        write!(f, "{} dies {}", ["a.example", "b.example"][self.victim % 2], deaths.join(", and then "))?;
        self.opener.map_or(Ok(()), |_| write!(f, ", while a chat is opened"))
    }
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(point, nth) => write!(f, "at {} {nth}", point.name),
            Self::Behind(entries, micros) => write!(f, "{micros} µs behind {entries} entries"),
        }
    }
}

/// All points, in the order in which a chat passes them.
pub const POINTS: &[Point] = &[
    talking("intake.heard"),
    talking("intake.stored"),
    opening("link.stored"),
    opening("founding.in_flight"),
    opening("founding.answered"),
    opening("claim.in_flight"),
    joining("key_package.minted"),
    joining("key_package.stored"),
    opening("claim.answered"),
    opening("commit.in_flight"),
    opening("commit.answered"),
    joining("welcome.read"),
    joining("welcome.joined"),
    talking("post.sealed"),
    talking("post.in_flight"),
    talking("decision.made"),
    talking("decision.stored"),
    talking("post.answered"),
    talking("batch.marked"),
    talking("notify.heard"),
    talking("notify.stored"),
    talking("batch.taken"),
    talking("batch.advanced"),
    talking("events.read"),
    talking("events.stored"),
    talking("operation.delivered"),
    talking("operation.done"),
    talking("group.written"),
    talking("group.committed"),
];

/// How often a point of every message is passed before, at most.
const PASSES_MAX: u32 = 20;

/// One round in so many has a second death.
const SECOND_DEATHS: u32 = 5;

/// One round in so many at a random moment has a new chat opened.
const OPENINGS: u32 = 3;

/// The rounds of a seed's world: half of them at points, each point in its turn, where one world begins in the middle of
/// the points if the one before it begins at their start.
pub fn rounds(seed: u64, world: u64) -> impl Iterator<Item = Round> {
    let mut seed = Seed::new(Seed::new(seed).number().wrapping_add(world));
    let mut turn = if world.is_multiple_of(2) { 0 } else { POINTS.len() / 2 };
    (0_usize..).map(move |number| {
        // Two rounds at points and two at moments, so that each provider meets both.
        let victim = number % 2;
        let at_point = number / 2 % 2 == 0;
        let first = if at_point {
            let point = POINTS[turn % POINTS.len()];
            turn += 1;
            at(point, &mut seed)
        } else {
            behind(&mut seed)
        };
        let opener = match first {
            Death::At(Point { when: When::Opening, .. }, _) => Some(victim),
            Death::At(Point { when: When::Joining, .. }, _) => Some(1 - victim),
            Death::At(..) | Death::Behind(..) => seed.once_in(OPENINGS).then(|| usize::from(seed.once_in(2))),
        };
        let second = seed.once_in(SECOND_DEATHS).then(|| second(&mut seed));
        Round { victim, deaths: [Some(first), second].into_iter().flatten().collect(), opener }
    })
}

fn second(seed: &mut Seed) -> Death {
    let talking: Vec<Point> = POINTS.iter().copied().filter(|point| point.when == When::Talking).collect();
    let which = seed.below(u32::try_from(talking.len()).unwrap_or(u32::MAX)) as usize;
    if seed.once_in(2) { at(talking[which], seed) } else { behind(seed) }
}

fn at(point: Point, seed: &mut Seed) -> Death {
    let passes = if point.when == When::Talking { 1 + seed.below(PASSES_MAX) } else { 1 };
    Death::At(point, passes)
}

fn behind(seed: &mut Seed) -> Death {
    Death::Behind(seed.below(60), seed.below(5000))
}

const fn talking(name: &'static str) -> Point {
    Point { name, when: When::Talking }
}

const fn opening(name: &'static str) -> Point {
    Point { name, when: When::Opening }
}

const fn joining(name: &'static str) -> Point {
    Point { name, when: When::Joining }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_rounds_again() {
        let first = |seed, world| rounds(seed, world).take(200).collect::<Vec<_>>();

        assert_eq!(first(7, 1), first(7, 1));
        assert_ne!(first(7, 1), first(8, 1));
        assert_ne!(first(7, 1), first(7, 2));
    }

    #[test]
    fn in_two_worlds_of_fifty_rounds_somebody_dies_at_every_point() {
        let all: Vec<Round> = (0..2).flat_map(|world| rounds(7, world).take(50)).collect();

        for point in POINTS {
            assert!(
                all.iter().any(|round| matches!(round.deaths[0], Death::At(at, _) if at == *point)),
                "{point:?}"
            );
        }
    }

    #[test]
    fn in_enough_rounds_both_die_at_every_point() {
        for victim in 0..2 {
            for point in POINTS {
                let dies = |round: &Round| {
                    round.victim == victim && matches!(round.deaths[0], Death::At(at, _) if at == *point)
                };
                assert!(rounds(7, 0).take(4 * POINTS.len()).any(|round| dies(&round)), "{point:?}");
            }
        }
    }
}
