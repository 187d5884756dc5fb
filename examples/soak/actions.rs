//! What a thread may do, and how its answers are checked.

use std::fs;
use std::ops::Bound;

use lightning_db::{BackupEngine, Database, ErrorKind, Isolation, ScanOptions, WriteBatch};
use lightning_db_examples::Outcome;

use crate::keyspaces;
use crate::world::{ACCOUNT_PREFIX, ACCOUNTS, Kept, Model, Worker, account_key, config, level, sum_of_all};

/// A kind of operation.
pub struct Action {
    pub name: &'static str,
    /// How often it is chosen, beside the others.
    pub weight: usize,
    pub run: fn(&mut Worker<'_>) -> Outcome,
}

const fn action(name: &'static str, weight: usize, run: fn(&mut Worker<'_>) -> Outcome) -> Action {
    Action { name, weight, run }
}

/// All of them.
pub const ACTIONS: &[Action] = &[
    action("put", 3000, put),
    action("delete", 1500, delete),
    action("batch", 500, batch),
    action("transaction", 800, transaction),
    action("transaction by number", 200, transaction_by_number),
    action("transfer", 600, transfer),
    action("get", 2000, get),
    action("get many", 200, get_many),
    action("scan", 300, scan),
    action("count", 30, count),
    action("sum of accounts", 100, sum_of_accounts),
    action("keep a snapshot", 30, keep_snapshot),
    action("check a snapshot", 100, check_snapshot),
    action("clear the cache", 3, clear_cache),
    action("flush", 10, flush),
    action("compact", 3, compact),
    action("across keyspaces", 400, keyspaces::across),
    action("check a keyspace", 60, keyspaces::check),
    action("drop a keyspace", 2, keyspaces::drop_own),
    action("ingest", 10, keyspaces::ingest),
    action("backup and restore", 1, backup_and_restore),
    action("reopen", 4, reopen),
];

fn put(worker: &mut Worker<'_>) -> Outcome {
    let (key, value, level) = (worker.key(), worker.value(), level(&mut worker.random));
    worker.world.open().get()?.put_with_consistency(&key, &value, level)?;
    worker.model.insert(key, value);
    Ok(())
}

fn delete(worker: &mut Worker<'_>) -> Outcome {
    let (key, level) = (worker.key(), level(&mut worker.random));
    worker.world.open().get()?.delete_with_consistency(&key, level)?;
    worker.model.remove(&key);
    Ok(())
}

/// Random changes, in order.
fn changes(worker: &mut Worker<'_>, most: usize) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    let change = |worker: &mut Worker<'_>| {
        let key = worker.key();
        (key, (worker.random.below(3) > 0).then(|| worker.value()))
    };
    (0..=worker.random.below(most)).map(|_| change(worker)).collect()
}

fn apply(model: &mut Model, changes: Vec<(Vec<u8>, Option<Vec<u8>>)>) {
    for (key, value) in changes {
        match value {
            Some(value) => model.insert(key, value),
            None => model.remove(&key),
        };
    }
}

fn batch(worker: &mut Worker<'_>) -> Outcome {
    let changes = changes(worker, 60);
    let mut batch = WriteBatch::new();
    for (key, value) in &changes {
        match value {
            Some(value) => batch.put(key, value)?,
            None => batch.delete(key)?,
        }
    }
    let level = level(&mut worker.random);
    worker.world.open().get()?.write_with(&batch, level)?;
    apply(&mut worker.model, changes);
    Ok(())
}

/// On keys of one's own: no other thread may make it fail.
fn transaction(worker: &mut Worker<'_>) -> Outcome {
    let changes = changes(worker, 12);
    let isolation = [Isolation::Serializable, Isolation::Snapshot][worker.random.below(2)];
    let (level, commits) = (level(&mut worker.random), worker.random.below(4) > 0);
    let opened = worker.world.open();
    let tx = opened.get()?.transaction_with(isolation)?;
    let mut own = worker.model.clone();
    for (key, value) in changes {
        let found = tx.get(&key)?;
        worker.expect(found.as_deref() == own.get(&key).map(Vec::as_slice), || {
            format!("transaction: get {key:?}: {found:?}")
        });
        match &value {
            Some(value) => tx.put(&key, value)?,
            None => tx.delete(&key)?,
        }
        apply(&mut own, vec![(key, value)]);
    }
    let prefix = [worker.number];
    let scanned: Model = tx.scan_prefix(prefix)?.collect::<Result<_, _>>()?;
    worker.expect(scanned == own, || "transaction: its scan differs".into());
    if commits {
        tx.commit_with(level)?;
        worker.model = own;
    }
    Ok(())
}

fn transaction_by_number(worker: &mut Worker<'_>) -> Outcome {
    let changes = changes(worker, 5);
    let opened = worker.world.open();
    let db = opened.get()?;
    let id = db.begin_transaction()?;
    for (key, value) in &changes {
        match value {
            Some(value) => db.put_tx(id, key, value)?,
            None => db.delete_tx(id, key)?,
        }
    }
    if worker.random.below(3) == 0 {
        db.abort_transaction(id)?;
    } else {
        db.commit_transaction(id)?;
        apply(&mut worker.model, changes);
    }
    let ended = db.get_tx(id, b"").err().map(|error| error.kind());
    worker.expect(ended == Some(ErrorKind::Closed), || format!("transaction {id} has not ended: {ended:?}"));
    Ok(())
}

fn number(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(u64::MAX, u64::from_be_bytes)
}

/// Between accounts that all threads use: conflicts are run again.
fn transfer(worker: &mut Worker<'_>) -> Outcome {
    let (from, to) = (worker.random.below(ACCOUNTS), worker.random.below(ACCOUNTS));
    let amount = worker.random.below(50) as u64;
    worker.world.open().get()?.transact(|tx| {
        let balance = |account| tx.get_with(account_key(account), number).map(Option::unwrap_or_default);
        let (source, target) = (balance(from)?, balance(to)?);
        if from == to || source < amount {
            return Ok(());
        }
        tx.put(account_key(from), (source - amount).to_be_bytes())?;
        tx.put(account_key(to), (target + amount).to_be_bytes())
    })?;
    Ok(())
}

fn check_sum<E>(
    worker: &mut Worker<'_>,
    accounts: impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), E>>,
) -> Result<(), E> {
    let balances: Vec<_> =
        accounts.map(|entry| entry.map(|(_, value)| number(&value))).collect::<Result<_, _>>()?;
    let sum = balances.iter().fold(0u64, |sum, balance| sum.saturating_add(*balance));
    worker.expect(balances.len() == ACCOUNTS && sum == sum_of_all(), || {
        format!("accounts have {sum}, not {}: {balances:?}", sum_of_all())
    });
    Ok(())
}

fn sum_of_accounts(worker: &mut Worker<'_>) -> Outcome {
    let opened = worker.world.open();
    Ok(check_sum(worker, opened.get()?.scan_prefix(ACCOUNT_PREFIX)?)?)
}

fn get(worker: &mut Worker<'_>) -> Outcome {
    let opened = worker.world.open();
    for _ in 0..4 {
        let key = worker.key();
        let found = opened.get()?.get(&key)?;
        let expected = worker.model.get(&key).cloned();
        worker.expect(found.as_deref() == expected.as_deref(), || {
            format!("get {key:?}: {found:?}, not {expected:?}")
        });
    }
    Ok(())
}

fn get_many(worker: &mut Worker<'_>) -> Outcome {
    let keys: Vec<_> = (0..worker.random.below(100)).map(|_| worker.key()).collect();
    let found = worker.world.open().get()?.get_batch(&keys)?;
    let expected: Vec<_> = keys.iter().map(|key| worker.model.get(key).cloned()).collect();
    let same = found.len() == keys.len()
        && found.iter().zip(&expected).all(|(found, expected)| found.as_deref() == expected.as_deref());
    worker.expect(same, || format!("get_batch of {keys:?} differs"));
    Ok(())
}

/// A part of one's own keys, in either direction, perhaps limited.
fn scan(worker: &mut Worker<'_>) -> Outcome {
    let (mut start, mut end) = (worker.key(), worker.key());
    if start > end {
        std::mem::swap(&mut start, &mut end);
    }
    let range = (Bound::Included(start), Bound::Excluded(end));
    let (reverse, limit) = (worker.random.below(2) == 0, 1 + worker.random.below(300));
    let mut options = ScanOptions::range(range.clone()).limit(limit);
    if reverse {
        options = options.reverse();
    }
    let found: Vec<_> = worker.world.open().get()?.scan_with(options)?.collect::<Result<_, _>>()?;
    let own = worker.model.range(range).map(|(key, value)| (key.clone(), value.clone()));
    let expected: Vec<_> = if reverse { own.rev().take(limit).collect() } else { own.take(limit).collect() };
    worker.expect(found == expected, || {
        format!("scan (reverse: {reverse}): {} entries, not {}", found.len(), expected.len())
    });
    Ok(())
}

fn count(worker: &mut Worker<'_>) -> Outcome {
    let counted = worker.world.open().get()?.count(ScanOptions::prefix([worker.number]))?;
    let expected = worker.model.len() as u64;
    worker.expect(counted == expected, || format!("count: {counted}, not {expected}"));
    Ok(())
}

fn keep_snapshot(worker: &mut Worker<'_>) -> Outcome {
    let opened = worker.world.open();
    let generation = worker.world.generation();
    let snapshot = opened.get()?.snapshot()?;
    if worker.kept.len() >= 4 {
        worker.kept.swap_remove(worker.random.below(4));
    }
    worker.kept.push(Kept { snapshot, model: worker.model.clone(), generation });
    Ok(())
}

fn check_snapshot(worker: &mut Worker<'_>) -> Outcome {
    let opened = worker.world.open();
    let generation = worker.world.generation();
    worker.kept.retain(|kept| kept.generation == generation);
    if worker.kept.is_empty() {
        return Ok(());
    }
    let kept = worker.kept.swap_remove(worker.random.below(worker.kept.len()));
    let found: Model = kept.snapshot.scan_prefix([worker.number])?.collect::<Result<_, _>>()?;
    worker.expect(found == kept.model, || {
        format!("a snapshot shows {} entries, not {}, or others", found.len(), kept.model.len())
    });
    let key = worker.key();
    let value = kept.snapshot.get(&key)?;
    worker.expect(value.as_deref() == kept.model.get(&key).map(Vec::as_slice), || {
        format!("a snapshot: get {key:?}: {value:?}")
    });
    check_sum(worker, kept.snapshot.scan_prefix(ACCOUNT_PREFIX)?)?;
    worker.kept.push(kept);
    drop(opened);
    Ok(())
}

fn clear_cache(worker: &mut Worker<'_>) -> Outcome {
    Ok(worker.world.open().get()?.clear_cache()?)
}

fn flush(worker: &mut Worker<'_>) -> Outcome {
    Ok(worker.world.open().get()?.flush()?)
}

fn compact(worker: &mut Worker<'_>) -> Outcome {
    Ok(worker.world.open().get()?.compact_lsm()?)
}

/// All of one's own keys, and the accounts.
fn check_all(worker: &mut Worker<'_>, db: &Database, what: &str) -> Outcome {
    let found: Model = db.scan_prefix([worker.number])?.collect::<Result<_, _>>()?;
    worker.expect(found == worker.model.clone(), || format!("{what}: {} entries differ", found.len()));
    keyspaces::check_in(worker, db, what)?;
    Ok(check_sum(worker, db.scan_prefix(ACCOUNT_PREFIX)?)?)
}

fn backup_and_restore(worker: &mut Worker<'_>) -> Outcome {
    let world = worker.world;
    let Ok(_alone) = world.backup.try_lock() else { return Ok(()) };
    let (backup, restored) = (world.beside("backup"), world.beside("restored"));
    {
        let opened = world.open();
        BackupEngine::new(opened.get()?).create_backup(&backup)?;
    }
    let db = Database::restore_with(&restored, &backup, config(&mut worker.random))?;
    check_all(worker, &db, "a restored backup")?;
    db.close()?;
    fs::remove_dir_all(&backup)?;
    fs::remove_dir_all(&restored)?;
    Ok(())
}

fn reopen(worker: &mut Worker<'_>) -> Outcome {
    let world = worker.world;
    // Snapshots of one's own end with the database; those of other threads are forgotten when they look.
    worker.kept.clear();
    world.reopen(&mut worker.random)?;
    let opened = world.open();
    check_all(worker, opened.get()?, "reopened")
}
