//! Sequence numbers that readers hold, so that compaction keeps what they see.

use std::collections::BTreeMap;

use crate::base::ids::SequenceNumber;
use crate::sync::{Arc, Mutex};
use crate::view::ViewCell;

/// The held sequence numbers of a database.
#[derive(Default)]
pub struct Snapshots {
    held: Mutex<BTreeMap<SequenceNumber, usize>>,
}

impl Snapshots {
    /// Holds what is visible now.
    pub fn hold(self: &Arc<Self>, view: &ViewCell) -> SnapshotHold {
        let mut held = self.held.lock();
        let sequence = view.visible();
        *held.entry(sequence).or_default() += 1;
        SnapshotHold { sequence, snapshots: Arc::clone(self) }
    }

    /// The sequence numbers at which somebody reads or may begin to read, rising, without repeats; the
    /// last is what is visible now. A hold taken later is at or above the last one.
    pub fn boundaries(&self, view: &ViewCell) -> Vec<SequenceNumber> {
        let held = self.held.lock();
        let visible = view.visible();
        let mut all: Vec<_> = held.keys().copied().filter(|&sequence| sequence < visible).collect();
        all.push(visible);
        all
    }

    /// Number of holds.
    pub fn len(&self) -> usize {
        self.held.lock().values().sum()
    }
}

/// A held sequence number; released when dropped.
pub struct SnapshotHold {
    sequence: SequenceNumber,
    snapshots: Arc<Snapshots>,
}

impl SnapshotHold {
    /// Records up to and with this one are seen.
    pub fn sequence(&self) -> SequenceNumber {
        self.sequence
    }
}

impl Drop for SnapshotHold {
    fn drop(&mut self) {
        let mut held = self.snapshots.held.lock();
        if let Some(count) = held.get_mut(&self.sequence) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.sequence);
            }
        }
    }
}
