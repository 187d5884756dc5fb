//! What a thread does in a keyspace of its own, and across it and the default one.

use lightning_db::{Database, ErrorKind, Keyspace, KeyspaceOptions, NativeOrder, ScanOptions, WriteBatch};
use lightning_db_examples::Outcome;

use crate::world::{Model, Worker, level};

/// The order of a thread's keyspace is always the same, its pages are not.
fn options(worker: &mut Worker<'_>) -> KeyspaceOptions {
    KeyspaceOptions {
        comparator: Some(Box::new(order_of(worker.number))),
        page_size: Some(512 << worker.random.below(4)),
        compression_type: Some(worker.random.below(4) as u8),
        ..Default::default()
    }
}

fn order_of(number: u8) -> NativeOrder {
    NativeOrder::ALL[usize::from(number) % 2]
}

fn name_of(number: u8) -> String {
    format!("of thread {number}")
}

/// The thread's keyspace, made if there is none.
fn own(worker: &mut Worker<'_>, db: &Database) -> Outcome<Keyspace> {
    let name = name_of(worker.number);
    match db.keyspace(&name) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let options = options(worker);
            worker.expect(worker.aside.is_empty(), || format!("keyspace {name:?} is gone"));
            Ok(db.create_keyspace(&name, options)?)
        }
        found => Ok(found?),
    }
}

/// A batch or a transaction with changes here and there, seen whole.
pub fn across(worker: &mut Worker<'_>) -> Outcome {
    let opened = worker.world.open();
    let db = opened.get()?;
    let keyspace = own(worker, db)?;
    let changes: Vec<_> = (0..=worker.random.below(20)).map(|_| (worker.key(), worker.value())).collect();
    let level = level(&mut worker.random);
    if worker.random.below(2) == 0 {
        let mut batch = WriteBatch::new();
        for (key, value) in &changes {
            batch.put(key, value)?;
            batch.put_in(&keyspace, key, value)?;
        }
        db.write_with(&batch, level)?;
    } else {
        let tx = db.transaction()?;
        for (key, value) in &changes {
            let (here, there) = (tx.get(key)?, tx.get_in(&keyspace, key)?);
            let (own, aside) = (worker.model.get(key).cloned(), worker.aside.get(key).cloned());
            worker.expect(here.as_deref() == own.as_deref() && there.as_deref() == aside.as_deref(), || {
                format!("across: get {key:?}: {here:?} and {there:?}")
            });
            // What comes twice is in the transaction only; stop before that.
            if changes.iter().filter(|(other, _)| other == key).count() > 1 {
                return Ok(());
            }
            tx.put(key, value)?;
            tx.put_in(&keyspace, key, value)?;
        }
        tx.commit_with(level)?;
    }
    worker.model.extend(changes.iter().cloned());
    worker.aside.extend(changes);
    Ok(())
}

/// All of the thread's keyspace, in its order.
pub fn check(worker: &mut Worker<'_>) -> Outcome {
    let opened = worker.world.open();
    check_in(worker, opened.get()?, "a keyspace")
}

pub fn check_in(worker: &mut Worker<'_>, db: &Database, what: &str) -> Outcome {
    let keyspace = own(worker, db)?;
    let found: Vec<_> = keyspace.scan(None, None)?.collect::<Result<_, _>>()?;
    let own = worker.aside.iter().map(|(key, value)| (key.clone(), value.clone()));
    let expected: Vec<_> = match order_of(worker.number) {
        NativeOrder::ReverseBytewise => own.rev().collect(),
        _ => own.collect(),
    };
    worker.expect(found == expected, || {
        format!("{what}: {} entries, not {}, or others", found.len(), expected.len())
    });
    let counted = keyspace.count(ScanOptions::all())?;
    worker.expect(counted == expected.len() as u64, || format!("{what}: counted {counted}"));
    Ok(())
}

/// Drops the keyspace; a scan that has begun goes on, a handle does not.
pub fn drop_own(worker: &mut Worker<'_>) -> Outcome {
    let opened = worker.world.open();
    let db = opened.get()?;
    let keyspace = own(worker, db)?;
    let scan = keyspace.scan(None, None)?;
    db.drop_keyspace(name_of(worker.number))?;
    let expected = std::mem::take(&mut worker.aside).len();
    let found = scan.collect::<Result<Vec<_>, _>>()?.len();
    worker.expect(found == expected, || format!("a scan of a dropped keyspace: {found}, not {expected}"));
    let refused = keyspace.get(b"").err().map(|error| error.kind());
    worker.expect(refused == Some(ErrorKind::NotFound), || format!("dropped keyspace: {refused:?}"));
    Ok(())
}

/// Sorted keys of the thread's own, past the log.
pub fn ingest(worker: &mut Worker<'_>) -> Outcome {
    let entries: Model = (0..=worker.random.below(400)).map(|_| (worker.key(), worker.value())).collect();
    let opened = worker.world.open();
    let report = opened.get()?.ingest(&entries)?;
    worker.expect(report.entries == entries.len() as u64, || format!("ingest: {report:?}"));
    worker.model.extend(entries);
    Ok(())
}
