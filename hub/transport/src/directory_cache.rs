use std::time::Duration;

use http::HeaderMap;
use http::header::CACHE_CONTROL;
use mimi_wire::Directory;
use tokio::time::Instant;

use crate::limits::{DIRECTORY_AGE, DIRECTORY_AGE_MAX, DIRECTORY_AGE_MIN};

/// A peer's directory, for as long as it may be kept.
#[derive(Debug, Default)]
pub(crate) struct DirectoryCache(Option<Kept>);

#[derive(Debug)]
struct Kept {
    directory: Directory,
    since: Instant,
    until: Instant,
}

impl DirectoryCache {
    /// The directory, if it is still good.
    pub(crate) fn fresh(&self, now: Instant) -> Option<Directory> {
        self.0.as_ref().filter(|kept| now < kept.until).map(|kept| kept.directory.clone())
    }

    /// Keeps a directory that came with these headers.
    pub(crate) fn keep(&mut self, directory: Directory, headers: &HeaderMap, now: Instant) {
        self.0 = Some(Kept { directory, since: now, until: now + age_max(headers) });
    }

    /// The directory led nowhere: unless it is new, the next who asks fetches it.
    pub(crate) fn forget(&mut self, now: Instant) {
        self.0 = self.0.take().filter(|kept| now.duration_since(kept.since) < DIRECTORY_AGE_MIN);
    }
}

/// How long a directory may be kept: what it says, within reason.
fn age_max(headers: &HeaderMap) -> Duration {
    let texts = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let mut directives = texts.flat_map(|text| text.split(',')).map(str::trim);
    let age = directives.find_map(|directive| directive.strip_prefix("max-age=")?.parse().ok());
    age.map_or(DIRECTORY_AGE, Duration::from_secs).clamp(DIRECTORY_AGE_MIN, DIRECTORY_AGE_MAX)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_directory_is_kept_as_long_as_it_says_within_bounds() {
        let cases = [
            ("max-age=600", Duration::from_mins(10)),
            ("public, max-age=600", Duration::from_mins(10)),
            ("max-age=0", DIRECTORY_AGE_MIN),
            ("max-age=99999999", DIRECTORY_AGE_MAX),
            ("max-age=x", DIRECTORY_AGE),
            ("no-store", DIRECTORY_AGE),
        ];

        for (text, age) in cases {
            let headers = HeaderMap::from_iter([(CACHE_CONTROL, HeaderValue::from_static(text))]);
            assert_eq!(age_max(&headers), age, "{text}");
        }
        assert_eq!(age_max(&HeaderMap::new()), DIRECTORY_AGE);
    }

    #[test]
    fn a_directory_that_is_too_old_or_led_nowhere_is_fetched_again() {
        let (now, mut cache) = (Instant::now(), DirectoryCache::default());
        let directory = Directory::publish(&mimi_wire::Authority::parse("a.example").unwrap(), &[]);

        assert_eq!(cache.fresh(now), None);
        cache.keep(directory.clone(), &HeaderMap::new(), now);
        assert_eq!(cache.fresh(now + DIRECTORY_AGE.mul_f64(0.999)), Some(directory));
        assert_eq!(cache.fresh(now + DIRECTORY_AGE), None);
        cache.forget(now);
        assert!(cache.fresh(now).is_some());
        cache.forget(now + DIRECTORY_AGE_MIN);
        assert_eq!(cache.fresh(now), None);
    }
}
