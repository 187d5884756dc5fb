//! Sequence numbers that readers hold, so that compaction keeps what they see.

use crate::base::holds::Holds;
use crate::base::ids::SequenceNumber;
use crate::base::planted::{Plant, planted};
use crate::sync::{Arc, Mutex};
use crate::view::ViewCell;

/// The held sequence numbers of a database.
#[derive(Default)]
pub struct Snapshots {
    held: Mutex<Holds>,
}

impl Snapshots {
    /// Holds what is visible now.
    pub fn hold(self: &Arc<Self>, view: &ViewCell) -> SnapshotHold {
        let mut held = self.held.lock();
        let sequence = view.visible();
        held.add(sequence);
        SnapshotHold { sequence, snapshots: Arc::clone(self) }
    }

    /// The sequence numbers at which somebody reads or may begin to read, rising, without repeats; the
    /// last is what is visible now. A hold taken later is at or above the last one.
    pub fn boundaries(&self, view: &ViewCell) -> Vec<SequenceNumber> {
        let held = self.held.lock();
        let visible = view.visible();
        if planted(Plant::SnapshotEarly) {
            return vec![visible];
        }
        let mut all: Vec<_> = held.iter().filter(|&sequence| sequence < visible).collect();
        all.push(visible);
        all
    }

    /// Number of holds.
    pub fn len(&self) -> usize {
        self.held.lock().holders()
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
        self.snapshots.held.lock().remove(self.sequence);
    }
}
