//! Values that left the cache, until no reader can see them any more.

use std::collections::VecDeque;

use crate::cache::epoch;
use crate::sync::{Arc, Mutex, yield_now};

/// Values that may wait before whoever adds one waits for readers, who are never pinned for long.
const PATIENCE: usize = 32;
/// Turns of other threads to wait for at most: one of a lower priority may be kept from its turn.
const TURNS: usize = 100;

/// In the order in which they left, each with the epoch.
pub(super) struct Retired<V> {
    queue: Mutex<VecDeque<(u64, Arc<V>)>>,
}

impl<V> Default for Retired<V> {
    fn default() -> Self {
        Retired { queue: Mutex::default() }
    }
}

impl<V> Retired<V> {
    /// Lets go of values that no reader can find any more, as soon as those that may have found them are done.
    pub(super) fn add(&self, values: impl IntoIterator<Item = Arc<V>>) {
        self.add_and_wait(values, PATIENCE);
    }

    /// As [`Retired::add`], and waits for readers a moment until none are left, these or others.
    pub(super) fn add_all(&self, values: impl IntoIterator<Item = Arc<V>>) {
        self.add_and_wait(values, 0);
    }

    fn add_and_wait(&self, values: impl IntoIterator<Item = Arc<V>>, most: usize) {
        let mut queue = self.queue.lock();
        let epoch = epoch::of_unlinked();
        queue.extend(values.into_iter().map(|value| (epoch, value)));
        let waiting = queue.len();
        drop(queue);
        if waiting > 0 && self.let_go() > most && !epoch::is_pinned() {
            let _ = (0..TURNS).find(|_| {
                yield_now();
                self.let_go() <= most
            });
        }
    }

    /// Lets go of what is free. How many values are left.
    pub(super) fn let_go(&self) -> usize {
        let now = epoch::advance();
        let mut queue = self.queue.lock();
        let free = queue.partition_point(|(epoch, _)| epoch::is_free(*epoch, now));
        let gone: Vec<_> = queue.drain(..free).collect();
        let left = queue.len();
        drop(queue);
        drop(gone);
        left
    }
}
