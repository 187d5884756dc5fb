//! Steps on a database, or on a keyspace of it.

use lightning_db_bindings::write;
use lightning_db_bindings::{
    Exclusive, Handle, Isolation, KeyspaceOptions, View, WriteBatch, figures, isolation, memory, metrics,
};

use crate::cases::{Bytes, Figures, Name, Op};
use crate::expect;
use crate::handles::Item;
use crate::steps::{Outcome, Run, check, done, how, option_value, wrong};

static NONE: Figures = Figures::new();

impl Run {
    pub(super) fn many(&mut self, on: &str, what: &Op) -> Outcome {
        let store = self.store(on)?;
        match what {
            Op::PutMany { entries, level, timeout } => {
                let mut batch = WriteBatch::new();
                for (key, value) in entries {
                    write::add_put(&mut batch, &store, &key.get(), &value.get())?;
                }
                done(write::write(&store, &batch, how(level, timeout)?))
            }
            Op::DeleteMany { keys, level, timeout } => {
                let mut batch = WriteBatch::new();
                for key in keys {
                    write::add_delete(&mut batch, &store, &key.get())?;
                }
                done(write::write(&store, &batch, how(level, timeout)?))
            }
            Op::GetMany { keys, is } => {
                let values = store.get_batch(&keys.iter().map(Bytes::get).collect::<Vec<_>>())?;
                let values: Vec<_> =
                    values.into_iter().map(|value| value.map(|value| value.to_vec())).collect();
                check(expect::same(values, is.as_ref().map(|is| is.iter().map(expect::value).collect())))
            }
            Op::Ingest { entries, is } => {
                let mut ingest = store.ingest()?;
                for (key, value) in entries {
                    ingest.add(key.get(), value.get())?;
                }
                check(expect::same(ingest.finish()?.entries, *is))
            }
            _ => Err(wrong("not an operation on several keys")),
        }
    }

    pub(super) fn begin(&mut self, on: &str, what: &Op) -> Outcome {
        let store = self.store(on)?;
        match what {
            Op::Batch { r#as } => {
                self.name(r#as, Item::Batch(store, Exclusive::new("batch", WriteBatch::new())))
            }
            Op::Snapshot { r#as } => {
                let snapshot = store.snapshot()?;
                self.name(r#as, Item::Snapshot(store, View::of_snapshot(snapshot)))
            }
            Op::Transaction { r#as, isolation: name } => {
                let isolation = name.as_deref().map_or(Ok(Isolation::default()), isolation)?;
                let tx = View::of_transaction(store.transaction(isolation)?);
                self.name(r#as, Item::Transaction(store, tx))
            }
            _ => Err(wrong("nothing begins with this")),
        }
    }

    pub(super) fn measure(&mut self, on: &str, what: &Op) -> Outcome {
        let store = self.store(on)?;
        match what {
            Op::Count(count) => {
                let options = count.range().bounds().options()?;
                check(expect::same(store.count(options)?, count.is))
            }
            Op::ApproximateSize(size) => {
                let found = store.approximate_size(size.range().bounds().options()?)?;
                check(expect::between(found, size.at_least, size.at_most))
            }
            _ => Err(wrong("nothing is measured by this")),
        }
    }

    pub(super) fn on_database(&mut self, on: &str, what: &Op) -> Outcome {
        let Item::Database(store) = self.item(on)? else {
            return Err(wrong(format!("{on:?} is no database")));
        };
        let store = store.clone();
        let db = store.database();
        match what {
            Op::CreateKeyspace { r#as, name, options } => {
                let mut made = KeyspaceOptions::default();
                for (option, value) in options {
                    made.set(option, option_value(value)?)?;
                }
                let keyspace = store.create_keyspace(&name.get(), made)?;
                self.name(r#as, Item::Keyspace(Handle::new("keyspace", keyspace)))
            }
            Op::Keyspace { r#as, name } => {
                let keyspace = store.keyspace_named(&name.get())?;
                self.name(r#as, Item::Keyspace(Handle::new("keyspace", keyspace)))
            }
            Op::ListKeyspaces { is } => {
                let is = is.as_ref().map(|is| is.iter().map(Name::get).collect());
                check(expect::same(db.list_keyspaces()?, is))
            }
            Op::DropKeyspace { name } => done(db.drop_keyspace(name.get())),
            Op::Backup { path } => done(lightning_db_bindings::backup(db, &self.folder.join(path))),
            Op::Flush {} => done(db.flush()),
            Op::Compact { cancel: false, progress: None } => done(db.compact_lsm()),
            Op::Compact { cancel, progress } => {
                let mut called = false;
                lightning_db_bindings::compact(db, |_| {
                    called = true;
                    !cancel
                })?;
                check(expect::same(called, progress.or(Some(called))))
            }
            Op::ClearCache {} => done(db.clear_cache()),
            Op::Stats { is } => {
                let found = figures(&db.stats()?);
                check(expect::figures(&found, is.as_ref().unwrap_or(&NONE), &NONE))
            }
            Op::Metrics { is, at_least } => {
                check(expect::figures(&metrics(&db.get_metrics()?), is, at_least))
            }
            Op::MemoryStats { is, at_least } => {
                let found = db.memory_stats().ok_or_else(|| lightning_db_bindings::closed("database"))?;
                check(expect::figures(&memory(&found), is, at_least))
            }
            Op::Prometheus { contains } => {
                let (text, wanted) =
                    (db.get_metrics()?.prometheus(), contains.as_deref().unwrap_or_default());
                check(match text.contains(wanted) {
                    true => Ok(()),
                    false => Err(format!("no {wanted:?} in {text}")),
                })
            }
            _ => Err(wrong("not an operation of a database")),
        }
    }
}
