//! A file system in memory, for tests: deterministic, and able to lose what a power cut loses.

mod content;
mod faults;
mod names;
mod pending;
mod tree;
mod vfs;

use crate::sync::Mutex;
use faults::{Failed, Gate};
use pending::Choice;
use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tree::{Id, Tree};

pub use faults::{Fault, Leaves};

/// When the clock of a new disk starts: 2023-11-14 22:13:20 UTC.
const EPOCH: Duration = Duration::from_secs(1_700_000_000);

/// What a crash leaves. What was synced stays in all of them; `pending.rs` has the rules for the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// The process was killed: all that it did stays, and what was not synced may still be lost later.
    All,
    /// The same, and the operating system has forgotten the bytes that failed syncs have dropped.
    Evicted,
    /// Power was cut: only synced bytes under synced names stay.
    Durable,
    /// Power was cut: all names are there, but no length and no byte that was not synced.
    Names,
    /// Power was cut: all names and lengths are there, but no byte that was not synced.
    Sizes,
    /// Power was cut: all up to some instant is there, and nothing behind it.
    Prefix(u64),
    /// Power was cut: all is there but for one effect. What came behind it is there.
    Hole(u64),
    /// Power was cut in the middle of a write: all in front of it is there.
    Torn(Tear, u64),
    /// Power was cut: of all that was not synced each part is there or not, by this seed.
    Any(u64),
}

/// Where a write tears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tear {
    /// At any byte.
    Byte,
    /// At a sector of 512 bytes.
    Sector,
    /// At a page of 4096 bytes.
    Page,
}

impl Tear {
    fn bytes(self) -> u64 {
        match self {
            Tear::Byte => 1,
            Tear::Sector => 512,
            Tear::Page => 4096,
        }
    }
}

/// Called before each numbered call, with its number.
pub type Watcher = Arc<dyn Fn(&MemoryVfs, u64) + Send + Sync>;

/// A file system in memory. A clone is the same disk; a new one has the empty folder `/`.
///
/// It keeps two worlds. The process sees every change at once. Bytes become durable with a sync of
/// their file, names (made, removed, renamed) with a sync of their folder; neither brings the other
/// along. [`MemoryVfs::crash`] shows what would be found afterwards.
///
/// Every call that changes or syncs something has a number, from 0: `open` with `CreateNew`, `write_at`,
/// `set_len`, `preallocate`, `sync_data`, `sync_all`, `rename`, `remove`, `create_dir`, `remove_dir`,
/// `sync_dir`, and `lock` if it makes the file. By that number a call can be made to fail, or the disk
/// be cut off. Calls that read are numbered apart.
///
/// Time stands still unless [`MemoryVfs::advance`] or [`MemoryVfs::set_now`] moves it; random numbers
/// follow from the seed; threads are real.
#[derive(Clone)]
pub struct MemoryVfs {
    disk: Arc<Mutex<Disk>>,
}

struct Disk {
    tree: Tree,
    gate: Gate,
    reads: Gate,
    watcher: Option<Watcher>,
    space: Option<u64>,
    locked: BTreeSet<Id>,
    now: Duration,
    monotonic: Duration,
    random: u64,
}

impl Default for MemoryVfs {
    fn default() -> Self {
        Self::with_seed(0)
    }
}

impl MemoryVfs {
    /// An empty disk whose random numbers follow from `seed`.
    pub fn with_seed(seed: u64) -> Self {
        Self::new(Disk {
            tree: Tree::default(),
            gate: Gate::default(),
            reads: Gate::default(),
            watcher: None,
            space: None,
            locked: BTreeSet::new(),
            now: EPOCH,
            monotonic: Duration::ZERO,
            random: seed,
        })
    }

    fn new(disk: Disk) -> Self {
        MemoryVfs { disk: Arc::new(Mutex::new(disk)) }
    }

    /// A new disk as it would be found after a crash now. The old one and its handles go on apart.
    ///
    /// The new disk has no locks, faults or cut, and counts its calls from 0; its space, clock and
    /// random numbers go on from where they are.
    pub fn crash(&self, keep: Keep) -> MemoryVfs {
        let disk = self.disk.lock();
        let mut tree = disk.tree.clone();
        match keep {
            Keep::All => {}
            Keep::Evicted => tree.evict(),
            _ => tree.settle(Choice::of(keep, &tree)),
        }
        tree.forget_handles();
        Self::new(Disk {
            tree,
            gate: Gate::default(),
            reads: Gate::default(),
            watcher: None,
            locked: BTreeSet::new(),
            ..*disk
        })
    }

    /// How many numbered calls there have been, failed ones too.
    pub fn calls(&self) -> u64 {
        self.disk.lock().gate.calls
    }

    /// Lets every numbered call from number `call` on fail with the error "cut" and change nothing, so
    /// that a later [`MemoryVfs::crash`] shows the disk as it was before that call.
    pub fn cut_at(&self, call: u64) {
        self.disk.lock().gate.cut = Some(call);
    }

    /// Lets the call with the number `call` fail and change nothing; those after it work.
    pub fn fail_call(&self, call: u64, fault: impl Into<Fault>) {
        self.fail_call_with(call, fault, Leaves::Nothing);
    }

    /// Lets the call with the number `call` fail; those after it work.
    pub fn fail_call_with(&self, call: u64, fault: impl Into<Fault>, leaves: Leaves) {
        self.disk.lock().gate.failures.insert(call, (fault.into(), leaves));
    }

    /// Lets every numbered call from number `call` on fail.
    pub fn fail_from(&self, call: u64, fault: impl Into<Fault>, leaves: Leaves) {
        self.disk.lock().gate.lasting = Some((call, fault.into(), leaves));
    }

    /// No call fails any more by [`MemoryVfs::fail_from`] or [`MemoryVfs::fail_reads_from`].
    pub fn heal(&self) {
        let mut disk = self.disk.lock();
        disk.gate.lasting = None;
        disk.reads.lasting = None;
    }

    /// No call fails any more, by whatever was set but [`MemoryVfs::cut_at`], and there is room without limit.
    pub fn mend(&self) {
        let disk = &mut *self.disk.lock();
        for gate in [&mut disk.gate, &mut disk.reads] {
            gate.failures.clear();
            gate.lasting = None;
        }
        disk.space = None;
    }

    /// How many calls have read something, failed ones too: `open` but with `CreateNew`, `read_at`, `len`, `map`,
    /// `file_type`, `list` and `canonicalize`.
    pub fn reads(&self) -> u64 {
        self.disk.lock().reads.calls
    }

    /// Lets the reading call with the number `read` fail; those after it work.
    pub fn fail_read(&self, read: u64, fault: impl Into<Fault>) {
        self.disk.lock().reads.failures.insert(read, (fault.into(), Leaves::Nothing));
    }

    /// Lets every reading call from number `read` on fail.
    pub fn fail_reads_from(&self, read: u64, fault: impl Into<Fault>) {
        self.disk.lock().reads.lasting = Some((read, fault.into(), Leaves::Nothing));
    }

    /// Lets `watcher` look at the disk before each numbered call.
    pub fn watch(&self, watcher: Option<Watcher>) {
        self.disk.lock().watcher = watcher;
    }

    /// Sets how many bytes all files together may use; `None` for no limit. A write that would pass it
    /// writes what fits and fails with `StorageFull`. Holes are free, until they are written.
    pub fn set_space(&self, bytes: Option<u64>) {
        self.disk.lock().space = bytes;
    }

    /// As [`MemoryVfs::set_space`]: so many bytes more than are in use.
    pub fn set_room(&self, bytes: u64) {
        let mut disk = self.disk.lock();
        disk.space = Some(disk.tree.used().saturating_add(bytes));
    }

    /// Steps the clock of [`now`](super::Vfs::now), in any direction.
    pub fn set_now(&self, now: Duration) {
        self.disk.lock().now = now;
    }

    /// Lets time pass on both clocks.
    pub fn advance(&self, time: Duration) {
        let mut disk = self.disk.lock();
        disk.now = disk.now.saturating_add(time);
        disk.monotonic = disk.monotonic.saturating_add(time);
    }

    /// Changes one byte of a file on the disk, behind everybody's back.
    pub fn corrupt(
        &self,
        path: impl AsRef<Path>,
        offset: u64,
        change: impl FnOnce(&mut u8),
    ) -> io::Result<()> {
        let mut disk = self.disk.lock();
        let id = disk.tree.find_file(path.as_ref())?;
        disk.tree.corrupt(id, offset, change)
    }

    /// The whole content of a file.
    pub fn read_file(&self, path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
        let disk = self.disk.lock();
        let id = disk.tree.find_file(path.as_ref())?;
        let len = usize::try_from(disk.tree.len(id)?).map_err(|_| ErrorKind::FileTooLarge)?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(len)?;
        bytes.resize(len, 0);
        disk.tree.read(id, &mut bytes, 0)?;
        Ok(bytes)
    }

    /// Puts a file with this content on the disk, durable at once and past all faults and limits.
    pub fn write_file(&self, path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        let path = path.as_ref();
        let mut disk = self.disk.lock();
        let id = match disk.tree.file_type(path)? {
            Some(_) => disk.tree.find_file(path)?,
            None => disk.tree.create_file(path)?,
        };
        disk.tree.set_len(id, 0)?;
        disk.tree.write(id, bytes.as_ref(), 0, None)?;
        disk.tree.sync_file(id)?;
        disk.tree.sync_name(path)
    }

    /// Counts a call and, if it may be carried out, does so.
    fn change<T>(&self, call: impl FnOnce(&mut Disk) -> io::Result<T>) -> io::Result<T> {
        self.change_or(
            call,
            |disk, call, seed| if mix(seed, 8).is_multiple_of(2) { Ok(()) } else { call(disk).map(drop) },
        )
    }

    /// As [`MemoryVfs::change`]; `part` does what a call does that fails half-way.
    fn change_or<T, C: FnOnce(&mut Disk) -> io::Result<T>>(
        &self,
        call: C,
        part: impl FnOnce(&mut Disk, C, u64) -> io::Result<()>,
    ) -> io::Result<T> {
        let watcher = {
            let disk = self.disk.lock();
            disk.watcher.clone().map(|watcher| (watcher, disk.gate.calls))
        };
        if let Some((watcher, number)) = watcher {
            watcher(self, number);
        }
        let mut disk = self.disk.lock();
        let number = disk.gate.calls;
        let Err((error, leaves)) = disk.gate.pass() else { return call(&mut disk) };
        match leaves {
            Leaves::Nothing => {}
            Leaves::Part(seed) => part(&mut disk, call, mix(seed, number))?,
            Leaves::All => drop(call(&mut disk)?),
        }
        Err(error)
    }

    /// Counts a call that reads and, if it may be carried out, does so.
    fn read<T>(&self, call: impl FnOnce(&Disk) -> io::Result<T>) -> io::Result<T> {
        let mut disk = self.disk.lock();
        disk.reads.pass().map_err(|(error, _): Failed| error)?;
        call(&disk)
    }
}

impl Disk {
    /// Bytes that may still be used.
    fn room(&self) -> Option<u64> {
        self.space.map(|space| space.saturating_sub(self.tree.used()))
    }
}

impl fmt::Debug for MemoryVfs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryVfs").finish_non_exhaustive()
    }
}

/// A random number that follows from two.
fn mix(seed: u64, other: u64) -> u64 {
    let mut state = seed;
    state = splitmix64(&mut state) ^ other;
    splitmix64(&mut state)
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
fn splitmix64(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests;
