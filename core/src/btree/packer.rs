//! Leaves compressed on a thread of their own, while who builds the table gathers the next ones. The bytes of the table
//! are the same.

use std::fmt;
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::base::error::{Error, ErrorKind, Result};
use crate::base::ids::SequenceNumber;
use crate::base::memory;
use crate::btree::format::PageKind;
use crate::btree::sink::{pack, shrink};
use crate::codec::{Codec, Compression, Compressor};
use crate::sync::Arc;
use crate::vfs::{Vfs, VfsThread};

/// Raw bytes that are handed over together.
const BATCH: usize = 128 << 10;
/// Batches that may be under way.
const UNDER_WAY: usize = 2;

/// A compressed leaf, as it goes into the table.
pub(super) struct PackedLeaf<'a> {
    pub(super) separator: &'a [u8],
    pub(super) bound: Option<SequenceNumber>,
    pub(super) codec: Codec,
    pub(super) stored: &'a [u8],
    pub(super) raw_len: usize,
}

/// Leaves one behind the other.
#[derive(Debug, Default)]
pub(super) struct Batch {
    separators: Vec<u8>,
    raw: Vec<u8>,
    packed: Vec<u8>,
    leaves: Vec<Staged>,
}

#[derive(Clone, Copy, Debug)]
struct Staged {
    separator_end: usize,
    bound: Option<SequenceNumber>,
    raw_end: usize,
    codec: Codec,
    packed_end: usize,
}

impl Batch {
    /// Errors: `OutOfMemory`.
    fn push(&mut self, raw: &[u8], separator: &[u8], bound: Option<SequenceNumber>) -> Result<()> {
        memory::append(&mut self.separators, separator)?;
        memory::append(&mut self.raw, raw)?;
        let (separator_end, raw_end) = (self.separators.len(), self.raw.len());
        self.leaves.push(Staged { separator_end, bound, raw_end, codec: Codec::Raw, packed_end: 0 });
        Ok(())
    }

    fn pack(&mut self, compressor: &mut Compressor, packed: &mut Vec<u8>) {
        let mut rest = &mut self.raw[..];
        let mut start = 0;
        for leaf in &mut self.leaves {
            let (raw, behind) = std::mem::take(&mut rest).split_at_mut(leaf.raw_end - start);
            let (codec, stored) = pack(compressor, PageKind::Leaf, raw, packed);
            leaf.codec = codec;
            self.packed.extend_from_slice(stored);
            leaf.packed_end = self.packed.len();
            (rest, start) = (behind, leaf.raw_end);
        }
    }

    /// Empty, with its memory unless that is much.
    fn cleared(mut self) -> Self {
        for bytes in [&mut self.separators, &mut self.raw, &mut self.packed] {
            bytes.clear();
            shrink(bytes);
        }
        self.leaves.clear();
        self
    }

    /// Leaves that came back from the other thread.
    pub(super) fn leaves(&self) -> impl Iterator<Item = PackedLeaf<'_>> {
        let mut start = (0, 0, 0);
        self.leaves.iter().map(move |leaf| {
            let (separator, raw, packed) = start;
            start = (leaf.separator_end, leaf.raw_end, leaf.packed_end);
            PackedLeaf {
                separator: &self.separators[separator..leaf.separator_end],
                bound: leaf.bound,
                codec: leaf.codec,
                stored: &self.packed[packed..leaf.packed_end],
                raw_len: leaf.raw_end - raw,
            }
        })
    }
}

/// The way to the other thread, which ends when this is dropped.
pub(super) struct Packer {
    batch: Batch,
    work: Option<Sender<Batch>>,
    done: Receiver<Batch>,
    under_way: usize,
    thread: Option<Box<dyn VfsThread>>,
}

impl Packer {
    /// `None`: no thread is to be had, or there is nothing to compress.
    pub(super) fn start(vfs: &Arc<dyn Vfs>, compression: Compression) -> Option<Packer> {
        if compression.codec == Codec::Raw {
            return None;
        }
        let ((work, orders), (give_back, done)) = (channel(), channel());
        let serve = move || serve(&orders, &give_back, Compressor::new(compression));
        let thread = vfs.spawn("lightning-pages", Box::new(serve)).ok()?;
        Some(Packer { batch: Batch::default(), work: Some(work), done, under_way: 0, thread: Some(thread) })
    }

    /// Adds a leaf. An older batch that is due now is to be given back by [`Packer::reuse`]. It depends on the leaves alone which
    /// one that is, and so does the length of the table at each record.
    pub(super) fn add(
        &mut self,
        raw: &[u8],
        separator: &[u8],
        bound: Option<SequenceNumber>,
    ) -> Result<Option<Batch>> {
        self.batch.push(raw, separator, bound)?;
        if self.batch.raw.len() < BATCH {
            return Ok(None);
        }
        self.hand_over()?;
        if self.under_way > UNDER_WAY { self.next().map(Some) } else { Ok(None) }
    }

    /// The next batch of those that are left.
    pub(super) fn rest(&mut self) -> Result<Option<Batch>> {
        if !self.batch.leaves.is_empty() {
            self.hand_over()?;
        }
        if self.under_way > 0 { self.next().map(Some) } else { Ok(None) }
    }

    /// Takes a batch to be filled again.
    pub(super) fn reuse(&mut self, batch: Batch) {
        if self.batch.leaves.is_empty() {
            self.batch = batch.cleared();
        }
    }

    fn hand_over(&mut self) -> Result<()> {
        let batch = std::mem::take(&mut self.batch);
        let sent = self.work.as_ref().is_some_and(|work| work.send(batch).is_ok());
        self.under_way += 1;
        if sent { Ok(()) } else { Err(gone()) }
    }

    fn next(&mut self) -> Result<Batch> {
        self.under_way -= 1;
        self.done.recv().map_err(|_| gone())
    }
}

fn gone() -> Error {
    Error::new(ErrorKind::Internal, "the thread that compresses pages is gone")
}

impl Drop for Packer {
    fn drop(&mut self) {
        self.work = None;
        if let Some(thread) = self.thread.take() {
            thread.join();
        }
    }
}

impl fmt::Debug for Packer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packer").field("under_way", &self.under_way).finish_non_exhaustive()
    }
}

fn serve(orders: &Receiver<Batch>, give_back: &Sender<Batch>, mut compressor: Compressor) {
    let mut packed = Vec::new();
    for mut batch in orders {
        batch.pack(&mut compressor, &mut packed);
        // Who is gone needs none.
        if give_back.send(batch).is_err() {
            return;
        }
    }
}
