//! The handle of an open database, as one JavaScript thread has it.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use lightning_db_bindings::{
    Ending, Lookup, Read, Result, Snapshot, Store, Transaction, View, Within, closed,
};

use crate::commits::Outstanding;
use crate::context::Context;
use crate::cursor::ScanHandle;
use crate::env::{Env, Outcome, Value};
use crate::registry::{Engine, Lease};
use crate::slots::{Kind, Slots};
use crate::task::Task;
use crate::{batch, cursor, function, ingest, jobs, keyspaces, reads, txn};

/// What is read and written. JavaScript has a number for it; 0 is the database itself. May move to another thread.
#[derive(Clone)]
pub enum Target {
    Store(Store),
    Fixed(Fixed),
}

/// What is read at one instant.
#[derive(Clone)]
pub enum Fixed {
    Snapshot(Within<Snapshot>),
    Transaction(Within<Transaction>),
}

/// An open database. Closing one handle does not touch the others, of this thread or another.
pub struct Handle {
    pub context: Rc<Context>,
    lease: RefCell<Option<Lease>>,
    pub keyspaces: RefCell<Slots<Store>>,
    pub snapshots: RefCell<Slots<View<Snapshot>>>,
    pub transactions: RefCell<Slots<View<Transaction>>>,
    /// Long work that has to end when the handle closes.
    pub tasks: RefCell<Vec<Weak<Task>>>,
    pub scans: RefCell<Slots<Arc<ScanHandle>>>,
    pub outstanding: Outstanding,
}

impl Handle {
    /// A handle with its share of an engine.
    pub fn new(context: &Rc<Context>, lease: Lease) -> Rc<Handle> {
        let handle = Rc::new(Handle {
            context: Rc::clone(context),
            lease: RefCell::new(Some(lease)),
            keyspaces: RefCell::new(Slots::new(Kind::Keyspace)),
            snapshots: RefCell::new(Slots::new(Kind::Snapshot)),
            transactions: RefCell::new(Slots::new(Kind::Transaction)),
            scans: RefCell::new(Slots::new(Kind::Scan)),
            tasks: RefCell::new(Vec::new()),
            outstanding: Arc::new(AtomicUsize::new(0)),
        });
        context.note(&handle);
        handle
    }

    /// The engine. Errors: `Closed`.
    pub fn engine(&self) -> Result<Arc<Engine>> {
        self.lease.borrow().as_ref().map(|lease| Arc::clone(&lease.engine)).ok_or_else(|| closed("database"))
    }

    /// The database, or a keyspace of it. Errors: `Closed`.
    pub fn store(&self, number: f64) -> Result<Store> {
        if number == 0.0 {
            return Ok(self.engine()?.store.clone());
        }
        self.keyspaces.borrow().get(number).cloned()
    }

    /// What a number stands for. Errors: `Closed`.
    pub fn target(&self, number: f64) -> Result<Target> {
        match Kind::of(number) {
            Kind::Snapshot => Ok(Target::Fixed(Fixed::Snapshot(self.snapshots.borrow().get(number)?.get()?))),
            Kind::Transaction => self.transaction(number).map(|it| Target::Fixed(Fixed::Transaction(it))),
            Kind::Keyspace | Kind::Scan => self.store(number).map(Target::Store),
        }
    }

    /// The transaction with a number. Errors: `Closed`.
    pub fn transaction(&self, number: f64) -> Result<Within<Transaction>> {
        self.transactions.borrow().get(number)?.get()
    }

    /// Takes a transaction out, for its end: its number is closed.
    pub fn take_transaction(&self, number: f64) -> Result<Ending> {
        let mut transactions = self.transactions.borrow_mut();
        let ending = transactions.get(number)?.end()?;
        transactions.take(number);
        Ok(ending)
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
            let store = &lease.as_ref().ok_or_else(|| closed("database"))?.engine.store;
            return read::<CACHED, R>(store, key, use_value);
        }
        match Kind::of(target) {
            Kind::Snapshot => read::<CACHED, R>(self.snapshots.borrow().get(target)?, key, use_value),
            Kind::Transaction => read::<CACHED, R>(self.transactions.borrow().get(target)?, key, use_value),
            Kind::Keyspace | Kind::Scan => {
                read::<CACHED, R>(self.keyspaces.borrow().get(target)?, key, use_value)
            }
        }
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
        let keyspaces = self.keyspaces.borrow_mut().clear();
        drop((scans, snapshots, transactions, keyspaces));
        for task in self.tasks.take().iter().filter_map(Weak::upgrade) {
            task.stop();
        }
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

impl Target {
    /// The same reads, all as of one instant.
    pub fn fixed(self) -> Result<Fixed> {
        match self {
            Target::Store(store) => Ok(Fixed::Snapshot(store.snapshot()?)),
            Target::Fixed(fixed) => Ok(fixed),
        }
    }

    /// Whether a key is present; may go to the disk.
    pub fn contains(&self, key: &[u8]) -> Result<bool> {
        let found = match self {
            Target::Store(store) => read::<false, _>(store, key, |_| ()),
            Target::Fixed(fixed) => fixed.look::<false>(key, |_| ()),
        };
        Ok(matches!(found?, Lookup::Found(())))
    }

    /// A read that may go to the disk.
    pub fn get_copy(&self, key: &[u8]) -> Result<Option<lightning_db_bindings::Value>> {
        match self {
            Target::Store(store) => store.get_copy(key),
            Target::Fixed(Fixed::Snapshot(snapshot)) => snapshot.get_copy(key),
            Target::Fixed(Fixed::Transaction(transaction)) => transaction.get_copy(key),
        }
    }
}

impl Fixed {
    /// A read of many: `use_value` gets what is found. `NotCached` if it would have to go to the disk.
    pub fn look<const CACHED: bool>(&self, key: &[u8], use_value: impl FnOnce(&[u8])) -> Result<Lookup<()>> {
        match self {
            Fixed::Snapshot(snapshot) => read::<CACHED, ()>(snapshot, key, use_value),
            Fixed::Transaction(transaction) => read::<CACHED, ()>(transaction, key, use_value),
        }
    }
}

/// The object that JavaScript has of a handle: its functions.
pub fn expose(context: &Rc<Context>, lease: Lease) -> Outcome {
    let env = context.env;
    let path = env.text(lease.engine.store.database().path().to_string_lossy().as_bytes())?;
    let handle = Handle::new(context, lease);
    let object = env.object()?;
    env.set(object, "path", path)?;
    reads::define(env, object, &handle)?;
    batch::define(env, object, &handle)?;
    cursor::define(env, object, &handle)?;
    txn::define(env, object, &handle)?;
    jobs::define(env, object, &handle)?;
    function::define(env, object, "snapshot", &handle, snapshot)?;
    function::define(env, object, "through", &handle, through)?;
    function::define(env, object, "end", &handle, end)?;
    keyspaces::define(env, object, &handle)?;
    function::define(env, object, "ingest", &handle, ingest::begin)?;
    Ok(object)
}

/// `snapshot(store)`: the number of a new snapshot, through a store.
fn snapshot(handle: &Rc<Handle>, env: Env, [store]: [Value; 1]) -> Outcome {
    let snapshot = handle.store(env.number_of(store)?)?.snapshot()?;
    env.number(handle.snapshots.borrow_mut().add(View::of_snapshot(snapshot))?)
}

/// `through(target, store)`: the number of the same snapshot or transaction through another store.
fn through(handle: &Rc<Handle>, env: Env, [target, store]: [Value; 2]) -> Outcome {
    let target = env.number_of(target)?;
    let store = handle.store(env.number_of(store)?)?;
    env.number(match Kind::of(target) {
        Kind::Snapshot => {
            let mut snapshots = handle.snapshots.borrow_mut();
            let snapshot = snapshots.get(target)?.through(&store)?;
            snapshots.add(snapshot)?
        }
        _ => {
            let mut transactions = handle.transactions.borrow_mut();
            let transaction = transactions.get(target)?.through(&store)?;
            transactions.add(transaction)?
        }
    })
}

/// `end(target)`: closes a keyspace's handle, a snapshot or a transaction, which is taken back; what was made by `through` ends alone. One that
/// has ended is no error.
fn end(handle: &Rc<Handle>, env: Env, [target]: [Value; 1]) -> Outcome {
    let number = env.number_of(target)?;
    // Each is dropped behind the borrow of its table.
    match Kind::of(number) {
        Kind::Snapshot => {
            let snapshot = handle.snapshots.borrow_mut().take(number);
            snapshot.into_iter().for_each(|snapshot| snapshot.close());
        }
        Kind::Transaction => {
            let transaction = handle.transactions.borrow_mut().take(number);
            transaction.into_iter().for_each(|transaction| transaction.close());
        }
        Kind::Keyspace | Kind::Scan => {
            let keyspace = handle.keyspaces.borrow_mut().take(number);
            drop(keyspace);
        }
    }
    Ok(env.nothing())
}
