//! CPU time, as the kernel counts it.

use std::fs;
use std::time::Duration;

use crate::fault::Outcome;

/// CPU time that a process has used: user and system, all its threads.
pub(crate) fn of_process(id: u32) -> Outcome<Duration> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    Ok(ticks(process_ticks(&stat).ok_or("/proc/<pid>/stat does not read")?))
}

/// CPU time of all processes that this one started, directly or through others, and that are still there.
pub(crate) fn of_descendants() -> Outcome<Duration> {
    let own = std::process::id();
    Ok(of_family(own)?.saturating_sub(of_process(own)?))
}

/// CPU time of a process and of all that it started, directly or through others, and that are still there.
pub(crate) fn of_family(id: u32) -> Outcome<Duration> {
    let stats: Vec<String> = fs::read_dir("/proc")?
        .filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("stat")).ok())
        .collect();
    let parents: Vec<(u32, u32)> = stats.iter().filter_map(|stat| parentage(stat)).collect();
    let mut family = vec![id];
    let mut next = 0;
    while let Some(parent) = family.get(next).copied() {
        family.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(id, _)| *id));
        next += 1;
    }
    let in_it = |stat: &&String| parentage(stat).is_some_and(|(id, _)| family.contains(&id));
    Ok(ticks(stats.iter().filter(in_it).filter_map(|stat| process_ticks(stat)).sum()))
}

/// A process and its parent.
fn parentage(stat: &str) -> Option<(u32, u32)> {
    let (id, _) = stat.split_once(' ')?;
    let (_, after_name) = stat.rsplit_once(')')?;
    Some((id.parse().ok()?, after_name.split_whitespace().nth(1)?.parse().ok()?))
}

/// CPU time that was used on all cores since the machine started.
pub(crate) fn of_machine() -> Outcome<Duration> {
    let stat = fs::read_to_string("/proc/stat")?;
    Ok(ticks(machine_ticks(&stat).ok_or("/proc/stat does not read")?))
}

/// The load averages, as a person reads them.
pub(crate) fn load_average() -> String {
    let all = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    all.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

fn ticks(count: u64) -> Duration {
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    Duration::from_micros(count * 1_000_000 / per_second)
}

/// `utime` and `stime`: the 12th and 13th field after the name, which alone may contain blanks and parentheses.
fn process_ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// All but idling and waiting for the disk: user, nice, system, irq, softirq, steal.
fn machine_ticks(stat: &str) -> Option<u64> {
    let fields = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace();
    let fields: Vec<u64> = fields.take(8).map(str::parse).collect::<Result<_, _>>().ok()?;
    let [user, nice, system, _idle, _waiting, irq, softirq, steal] = fields[..] else { return None };
    Some(user + nice + system + irq + softirq + steal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_uses_what_it_uses_in_user_and_in_system_whatever_it_is_called() {
        let stat = "4711 (a b) c) S 1 2 3 0 -1 4194304 5 6 7 8 250 50 9 9 20 0 3 0 100 1000 10";

        assert_eq!(process_ticks(stat), Some(300));
    }

    #[test]
    fn a_process_has_a_parent_whatever_it_is_called() {
        assert_eq!(parentage("4711 (a b) c) S 12 2 3"), Some((4711, 12)));
    }

    #[test]
    fn a_machine_that_idles_or_waits_uses_nothing() {
        let stat = "cpu  10 1 20 5000 600 2 3 4 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n";

        assert_eq!(machine_ticks(stat), Some(40));
    }

    #[test]
    fn this_process_has_used_cpu_time_but_not_more_than_the_machine() {
        let mut sum = 0u64;
        while of_process(std::process::id()).unwrap().is_zero() {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }

        assert!(of_process(std::process::id()).unwrap() <= of_machine().unwrap());
    }
}
