//! The handle of an open database, as one JavaScript thread has it.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lightning_db_bindings::{Database, Lookup, Read, Result, Snapshot, Transaction, closed};

use crate::commits::Outstanding;
use crate::context::Context;
use crate::cursor::ScanHandle;
use crate::env::{Env, Outcome, Value};
use crate::registry::{Engine, Lease};
use crate::slots::Slots;
use crate::{batch, cursor, function, jobs, reads, txn};

/// What is read at one instant. JavaScript has a number for it: a snapshot's is above 0, a transaction's below; 0 is the
/// database.
#[derive(Clone)]
pub enum Target {
    Snapshot(Arc<Snapshot>),
    Transaction(Arc<Transaction>),
}

/// What reads go to; may move to another thread.
#[derive(Clone)]
pub enum Reader {
    Database(Database),
    Target(Target),
}

/// An open database. Closing one handle does not touch the others, of this thread or another.
pub struct Handle {
    pub context: Rc<Context>,
    lease: RefCell<Option<Lease>>,
    pub snapshots: RefCell<Slots<Arc<Snapshot>>>,
    pub transactions: RefCell<Slots<Arc<Transaction>>>,
    pub scans: RefCell<Slots<Arc<ScanHandle>>>,
    pub outstanding: Outstanding,
}

impl Handle {
    /// A handle with its share of an engine.
    pub fn new(context: &Rc<Context>, lease: Lease) -> Rc<Handle> {
        let handle = Rc::new(Handle {
            context: Rc::clone(context),
            lease: RefCell::new(Some(lease)),
            snapshots: RefCell::new(Slots::new("snapshot")),
            transactions: RefCell::new(Slots::new("transaction")),
            scans: RefCell::new(Slots::new("scan")),
            outstanding: Arc::new(AtomicUsize::new(0)),
        });
        context.note(&handle);
        handle
    }

    /// The engine. Errors: `Closed`.
    pub fn engine(&self) -> Result<Arc<Engine>> {
        self.lease.borrow().as_ref().map(|lease| Arc::clone(&lease.engine)).ok_or_else(|| closed("database"))
    }

    /// A clone of the database.
    pub fn database(&self) -> Result<Database> {
        self.lease
            .borrow()
            .as_ref()
            .map(|lease| lease.engine.database.clone())
            .ok_or_else(|| closed("database"))
    }

    /// Where a target's reads go.
    pub fn reader(&self, target: f64) -> Result<Reader> {
        match target {
            0.0 => self.database().map(Reader::Database),
            number if number > 0.0 => {
                self.snapshots.borrow().get(number).cloned().map(|it| Reader::Target(Target::Snapshot(it)))
            }
            _ => self.transaction(target).map(|it| Reader::Target(Target::Transaction(it))),
        }
    }

    /// The transaction of a target. Errors: `Closed`.
    pub fn transaction(&self, target: f64) -> Result<Arc<Transaction>> {
        self.transactions.borrow().get(-target).cloned()
    }

    /// Takes a transaction out: its target is closed.
    pub fn take_transaction(&self, target: f64) -> Option<Arc<Transaction>> {
        self.transactions.borrow_mut().take(-target)
    }

    /// The target of a new transaction.
    pub fn add_transaction(&self, transaction: Transaction) -> Result<f64> {
        self.transactions.borrow_mut().add(Arc::new(transaction)).map(|number| -number)
    }

    /// A read of one key; `CACHED`: of memory only.
    #[inline]
    pub fn read<const CACHED: bool, R>(
        &self,
        target: f64,
        key: &[u8],
        use_value: impl FnOnce(&[u8]) -> R,
    ) -> Result<Lookup<R>> {
        if target == 0.0 {
            let lease = self.lease.borrow();
            let database = &lease.as_ref().ok_or_else(|| closed("database"))?.engine.database;
            return read::<CACHED, R>(database, key, use_value);
        }
        if target > 0.0 {
            return read::<CACHED, R>(&**self.snapshots.borrow().get(target)?, key, use_value);
        }
        read::<CACHED, R>(&**self.transactions.borrow().get(-target)?, key, use_value)
    }

    /// Whether every write given to the commit thread has been done.
    pub fn is_idle(&self) -> bool {
        self.outstanding.load(Ordering::Acquire) == 0
    }

    /// Takes the share of the engine; every later call is `Closed`, on what was opened through this handle too.
    pub fn take(&self) -> Option<Lease> {
        let lease = self.lease.borrow_mut().take();
        let scans = self.scans.borrow_mut().clear();
        let snapshots = self.snapshots.borrow_mut().clear();
        let transactions = self.transactions.borrow_mut().clear();
        drop((scans, snapshots, transactions));
        lease
    }

    /// Closes on this thread. Errors: as of the engine's `close`.
    pub fn close_now(&self) -> Result<()> {
        let Some(lease) = self.take() else { return Ok(()) };
        // Of an engine that stays open, only this handle's own writes are waited for.
        if !self.is_idle() {
            lease.engine.commits.wait(|| Ok(()), &self.outstanding)?;
        }
        lease.release()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // It was forgotten: the garbage collector is not the one to wait for its end.
        if let Some(lease) = self.take() {
            jobs::release_later(lease);
        }
    }
}

/// A read of one key; `CACHED`: of memory only.
#[inline]
fn read<const CACHED: bool, R>(
    from: &impl Read,
    key: &[u8],
    use_value: impl FnOnce(&[u8]) -> R,
) -> Result<Lookup<R>> {
    match CACHED {
        true => from.get_cached(key, use_value),
        false => from.get_with(key, use_value).map(Lookup::from),
    }
}

impl Reader {
    /// The same reads, all as of one instant.
    pub fn fixed(self) -> Result<Target> {
        match self {
            Reader::Database(database) => Ok(Target::Snapshot(Arc::new(database.snapshot()?))),
            Reader::Target(target) => Ok(target),
        }
    }

    /// A read that may go to the disk.
    pub fn get_copy(&self, key: &[u8]) -> Result<Option<lightning_db_bindings::Value>> {
        match self {
            Reader::Database(database) => database.get_copy(key),
            Reader::Target(Target::Snapshot(snapshot)) => snapshot.get_copy(key),
            Reader::Target(Target::Transaction(transaction)) => transaction.get_copy(key),
        }
    }
}

impl Target {
    /// A read of many: `use_value` gets what is found. `NotCached` if it would have to go to the disk.
    pub fn look<const CACHED: bool>(&self, key: &[u8], use_value: impl FnOnce(&[u8])) -> Result<Lookup<()>> {
        match self {
            Target::Snapshot(snapshot) => read::<CACHED, ()>(&**snapshot, key, use_value),
            Target::Transaction(transaction) => read::<CACHED, ()>(&**transaction, key, use_value),
        }
    }
}

/// The object that JavaScript has of a handle: its functions.
pub fn expose(context: &Rc<Context>, lease: Lease) -> Outcome {
    let env = context.env;
    let path = env.text(lease.engine.database.path().to_string_lossy().as_bytes())?;
    let handle = Handle::new(context, lease);
    let object = env.object()?;
    env.set(object, "path", path)?;
    reads::define(env, object, &handle)?;
    batch::define(env, object, &handle)?;
    cursor::define(env, object, &handle)?;
    txn::define(env, object, &handle)?;
    jobs::define(env, object, &handle)?;
    function::define(env, object, "snapshot", &handle, snapshot)?;
    function::define(env, object, "end", &handle, end)?;
    Ok(object)
}

/// `snapshot()`: the number of a new snapshot.
fn snapshot(handle: &Rc<Handle>, env: Env, []: [Value; 0]) -> Outcome {
    let snapshot = handle.database()?.snapshot()?;
    env.number(handle.snapshots.borrow_mut().add(Arc::new(snapshot))?)
}

/// `end(target)`: closes a snapshot, or takes a transaction back. One that has ended is no error.
fn end(handle: &Rc<Handle>, env: Env, [target]: [Value; 1]) -> Outcome {
    let target = env.number_of(target)?;
    if target > 0.0 {
        let snapshot = handle.snapshots.borrow_mut().take(target);
        drop(snapshot);
    } else if let Some(transaction) = handle.take_transaction(target) {
        // Its scans live on; the transaction must not.
        let _ = transaction.abort_shared();
    }
    Ok(env.nothing())
}
