//! The stretch of time that rates and latencies are about.

use std::time::Duration;

use crate::metrics::histogram::{Distribution, Timed};

/// Figures that are asked for more often than this are about the last one to two of it.
const SPAN: Duration = Duration::from_secs(10);

/// No rate is over less.
const SHORTEST: Duration = Duration::from_micros(1);

/// Totals since the database was opened.
#[derive(Clone, Default)]
pub(super) struct Totals {
    /// When, in monotonic time.
    pub(super) at: Duration,
    pub(super) read_ops: u64,
    pub(super) write_ops: u64,
    pub(super) latencies: [Distribution; Timed::COUNT],
}

/// Two earlier totals, so that callers who ask in turn do not shorten each other's stretch.
#[derive(Default)]
pub(super) struct Window {
    from: Totals,
    next: Totals,
}

/// What happened in the stretch.
pub(super) struct Recent {
    pub(super) read_ops_per_sec: f64,
    pub(super) write_ops_per_sec: f64,
    /// Where nothing was timed in the stretch: of all time.
    pub(super) latencies: [Distribution; Timed::COUNT],
}

impl Window {
    /// Of a database that was opened at an instant.
    pub(super) fn new(at: Duration) -> Self {
        let opened = Totals { at, ..Totals::default() };
        Window { from: opened.clone(), next: opened }
    }

    /// What happened since the last time that somebody asked at least [`SPAN`] ago, or since the opening.
    pub(super) fn ask(&mut self, now: &Totals) -> Recent {
        if now.at.saturating_sub(self.next.at) >= SPAN {
            self.from = std::mem::replace(&mut self.next, now.clone());
        }
        let seconds = now.at.saturating_sub(self.from.at).max(SHORTEST).as_secs_f64();
        let rate = |now: u64, then: u64| now.saturating_sub(then) as f64 / seconds;
        Recent {
            read_ops_per_sec: rate(now.read_ops, self.from.read_ops),
            write_ops_per_sec: rate(now.write_ops, self.from.write_ops),
            latencies: std::array::from_fn(|kind| {
                let since = now.latencies[kind].since(&self.from.latencies[kind]);
                if since.count() > 0 { since } else { now.latencies[kind].clone() }
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(window: &mut Window, second: u64, read_ops: u64) -> f64 {
        let at = Duration::from_secs(second);
        window.ask(&Totals { at, read_ops, ..Totals::default() }).read_ops_per_sec
    }

    #[test]
    fn the_first_question_is_about_all_time() {
        assert_eq!(reads(&mut Window::new(Duration::from_secs(100)), 3700, 7200), 2.0);
        assert_eq!(reads(&mut Window::new(Duration::from_secs(100)), 102, 7200), 3600.0);
        assert!(reads(&mut Window::new(Duration::ZERO), 0, 1).is_finite());
    }

    #[test]
    fn questions_a_minute_apart_are_about_that_minute() {
        let mut window = Window::new(Duration::ZERO);
        let found = [(60, 60), (120, 660), (180, 660)].map(|(at, ops)| reads(&mut window, at, ops));
        assert_eq!(found, [1.0, 10.0, 0.0]);
    }

    #[test]
    fn questions_every_second_are_about_ten_to_twenty() {
        let mut window = Window::new(Duration::ZERO);
        for second in 1..=100 {
            assert_eq!(reads(&mut window, second, 5 * second), 5.0);
        }
        // After a change, the new rate alone is seen within two spans.
        let found: Vec<_> = (101..=120).map(|second| reads(&mut window, second, 500)).collect();
        assert!(found.windows(2).all(|pair| pair[0] >= pair[1]), "{found:?}");
        assert!(found[0] > 0.0 && found[19] == 0.0, "{found:?}");
    }
}
