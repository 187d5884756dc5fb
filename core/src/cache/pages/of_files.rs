//! What is cached of some files.

use crate::base::ids::FileNumber;
use crate::cache::pages::{Lane, PageCache, Priority};
use crate::cache::shard::Key;
use crate::cache::slots::Cached;
use crate::sync::Arc;

/// Something that is cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Of which file.
    pub file: FileNumber,
    /// Where in it.
    pub offset: u64,
    /// Whether it was used since it came in.
    pub used: bool,
    /// How long it stays.
    pub priority: Priority,
}

impl<V: Cached> PageCache<V> {
    /// What is cached of `files`, by file and offset; without a trace. Looks at all that is cached.
    pub fn of_files(&self, files: &mut [FileNumber]) -> Vec<Entry> {
        files.sort_unstable();
        let mut entries = Vec::new();
        for Lane(shard) in &self.shards {
            entries.extend(shard.lock().of_files(files));
        }
        entries.sort_unstable();
        entries
    }

    /// Takes a value out, if it is there.
    pub fn take(&self, file: FileNumber, offset: u64) -> Option<Arc<V>> {
        let key = Key { file, offset };
        let hash = key.hash();
        let taken = |value: Option<Arc<V>>| {
            self.retire(value.clone());
            value
        };
        self.change(self.shard(hash), 0, |shard| shard.remove(hash, &key), taken)
    }
}
