//! Runs steps, and holds what they do against what is expected.

use std::collections::HashMap;
use std::path::PathBuf;

use lightning_db_bindings::{
    Database, Error, ErrorKind, Exclusive, Handle, Opening, OptionValue, Result, WriteBatch, figures, guard,
    isolation, level,
};
use serde_json::Value;

use crate::cases::{Bytes, Case, Op, Options, Step, Transact};
use crate::expect::{self, Verdict};
use crate::files;
use crate::handles::{Entries, Item, Range, Reading, Source, ended};

/// Why a step did not succeed: an error of the engine, which may be what is expected, or a fault of engine or case.
enum Failure {
    Engine(Error),
    Case(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Engine(error)
    }
}

type Outcome<T = ()> = std::result::Result<T, Failure>;

/// Runs a case in a folder of its own. Errors: the first step that did not go as expected.
pub fn run(case: &Case, reading: Reading) -> Verdict {
    let folder = tempfile::tempdir().expect("a folder");
    let mut run = Run { folder: folder.path().to_owned(), items: HashMap::new(), reading };
    if case.open {
        run.open("db", "db", &case.options).map_err(|failure| format!("open: {}", failure.told()))?;
    }
    run.steps(&case.steps, None)
}

impl Failure {
    fn told(self) -> String {
        match self {
            Failure::Engine(error) => error.to_string(),
            Failure::Case(text) => text,
        }
    }
}

fn done(result: Result<()>) -> Outcome {
    result.map_err(Failure::Engine)
}

fn check(verdict: Verdict) -> Outcome {
    verdict.map_err(Failure::Case)
}

fn wrong(text: impl Into<String>) -> Failure {
    Failure::Case(text.into())
}

/// A transaction that a callback has been lent.
type Lent<'a> = Option<(&'a str, Source<'a>)>;

struct Run {
    folder: PathBuf,
    items: HashMap<String, Item>,
    reading: Reading,
}

impl Run {
    fn steps(&mut self, steps: &[Step], lent: Lent<'_>) -> Verdict {
        for (index, step) in steps.iter().enumerate() {
            self.step(step, lent).map_err(|told| format!("step {} ({}): {told}", index + 1, step.op))?;
        }
        Ok(())
    }

    fn step(&mut self, step: &Step, lent: Lent<'_>) -> Verdict {
        let on = step.on.as_deref().unwrap_or("db");
        let outcome = self.do_step(on, &step.what, lent);
        match (outcome, &step.error) {
            (Ok(()), None) => Ok(()),
            (Ok(()), Some(kind)) => Err(format!("succeeded in place of {kind}")),
            (Err(Failure::Engine(error)), Some(kind)) => {
                let raised = matches!(step.what, Op::Raise { .. });
                expect::kind(&error, kind).and_then(|()| if raised { Ok(()) } else { expect::place(&error) })
            }
            (Err(failure), _) => Err(failure.told()),
        }
    }

    fn do_step(&mut self, on: &str, what: &Op, lent: Lent<'_>) -> Outcome {
        match what {
            Op::Open { r#as, path, options } => self.open(r#as, path, options),
            Op::Restore { source, target } => {
                done(lightning_db_bindings::restore(&self.folder.join(source), &self.folder.join(target)))
            }
            Op::Damage { file, offset, xor } => {
                files::damage(&self.folder.join(file), *offset, *xor).map_err(Failure::Case)
            }
            Op::WriteFile { path, bytes } => {
                std::fs::write(self.folder.join(path), bytes.get()).map_err(|error| wrong(error.to_string()))
            }
            Op::MakeFolder { path } => {
                std::fs::create_dir(self.folder.join(path)).map_err(|error| wrong(error.to_string()))
            }
            Op::Raise { code } => raise(*code),
            Op::Close {} => done(self.item(on)?.close()),
            Op::Put { .. } | Op::Delete { .. } | Op::Write { .. } => self.write(on, what, lent),
            Op::Commit { .. } | Op::Abort {} => self.finish(on, what),
            Op::Get { .. } | Op::Scan(_) | Op::Cursor(_) | Op::Next { .. } => self.read(on, what, lent),
            _ => self.on_database(on, what, lent),
        }
    }

    fn item(&self, name: &str) -> Outcome<&Item> {
        self.items.get(name).ok_or_else(|| wrong(format!("no handle is named {name:?}")))
    }

    fn name(&mut self, name: &str, item: Item) -> Outcome {
        match self.items.insert(name.to_owned(), item) {
            None => Ok(()),
            Some(_) => Err(wrong(format!("{name:?} is taken"))),
        }
    }

    fn open(&mut self, name: &str, path: &str, options: &Options) -> Outcome {
        let mut opening = Opening::new();
        for (option, value) in options {
            opening.set(option, option_value(value)?)?;
        }
        let db = opening.open(&self.folder.join(path))?;
        self.name(name, Item::Database(db))
    }

    /// Runs a call on what can be read.
    fn with_source<T>(
        &self,
        on: &str,
        lent: Lent<'_>,
        call: impl FnOnce(Source<'_>) -> Outcome<T>,
    ) -> Outcome<T> {
        if let Some((_, source)) = lent.filter(|(name, _)| *name == on) {
            return call(source);
        }
        match self.item(on)? {
            Item::Database(db) => call(Source::Database(db)),
            Item::Snapshot(db, handle) => call(Source::Snapshot(db, &*handle.get()?)),
            Item::Transaction(db, handle) => call(Source::Transaction(db, &*handle.get()?)),
            Item::Ended => Err(ended().into()),
            Item::Batch(..) | Item::Entries(_) => Err(wrong(format!("{on:?} is of another kind"))),
        }
    }

    fn read(&mut self, on: &str, what: &Op, lent: Lent<'_>) -> Outcome {
        match what {
            Op::Get { key, is } => {
                let key = key.get();
                let value = self.with_source(on, lent, |source| {
                    let value = match source {
                        Source::Database(db) => db.get(key),
                        Source::Snapshot(_, snapshot) => snapshot.get(key),
                        Source::Transaction(_, tx) => tx.get(key),
                    };
                    Ok(value?.map(|value| value.to_vec()))
                })?;
                check(expect::same(value, is.as_ref().map(expect::value)))
            }
            Op::Scan(scan) => {
                let range = Range::from(scan);
                let pairs = self.with_source(on, lent, |source| {
                    Ok(Entries::open(source, &range.bounds(), self.reading)?.all()?)
                })?;
                check(expect::entries(pairs, scan))
            }
            Op::Cursor(cursor) => {
                let range = Range::from(cursor);
                let entries = self.with_source(on, lent, |source| {
                    Ok(Entries::open(source, &range.bounds(), self.reading)?)
                })?;
                self.name(&cursor.r#as, Item::Entries(Exclusive::new("cursor", entries)))
            }
            Op::Next { is } => {
                let Item::Entries(handle) = self.item(on)? else {
                    return Err(wrong(format!("{on:?} is no cursor")));
                };
                let pair = handle.with(Entries::next)?;
                check(expect::same(pair, is.as_ref().map(|is| is.as_ref().map(expect::pair))))
            }
            _ => Err(wrong("not a reading step")),
        }
    }

    fn write(&mut self, on: &str, what: &Op, lent: Lent<'_>) -> Outcome {
        if let Some(Item::Batch(db, handle)) = self.items.get(on) {
            return done(handle.with(|batch| match what {
                Op::Put { key, value, level: None } => batch.put(key.get(), value.get()),
                Op::Delete { key, level: None } => batch.delete(key.get()),
                Op::Write { level } => {
                    write_batch(db, batch, level.as_deref())?;
                    batch.clear();
                    Ok(())
                }
                _ => Err(Error::new(ErrorKind::Internal, "not an operation of a batch")),
            }));
        }
        self.with_source(on, lent, |source| match (source, what) {
            (Source::Database(db), Op::Put { key, value, level: None }) => {
                done(db.put(key.get(), value.get()))
            }
            (Source::Database(db), Op::Put { key, value, level: Some(name) }) => {
                done(db.put_with_consistency(key.get(), value.get(), level(name)?))
            }
            (Source::Database(db), Op::Delete { key, level: None }) => done(db.delete(key.get())),
            (Source::Database(db), Op::Delete { key, level: Some(name) }) => {
                done(db.delete_with_consistency(key.get(), level(name)?))
            }
            (Source::Transaction(_, tx), Op::Put { key, value, level: None }) => {
                done(tx.put(key.get(), value.get()))
            }
            (Source::Transaction(_, tx), Op::Delete { key, level: None }) => done(tx.delete(key.get())),
            _ => Err(wrong(format!("not an operation of {on:?}"))),
        })
    }

    /// Takes the transaction out of its handle, so that it is gone, its snapshot too, when the call returns.
    fn finish(&mut self, on: &str, what: &Op) -> Outcome {
        let handle = match self.item(on)? {
            Item::Transaction(_, handle) => handle,
            Item::Ended => return Err(ended().into()),
            _ => return Err(wrong(format!("{on:?} is no transaction"))),
        };
        let Op::Commit { level: name } = what else {
            return done(handle.take().ok_or_else(ended)?.abort_shared());
        };
        let level = name.as_deref().map(level).transpose()?;
        done(handle.take().ok_or_else(ended)?.commit_shared(level))
    }

    fn on_database(&mut self, on: &str, what: &Op, lent: Lent<'_>) -> Outcome {
        let Item::Database(db) = self.item(on)? else {
            return Err(wrong(format!("{on:?} is no database")));
        };
        let db = db.clone();
        let many = |keys: &[Bytes]| keys.iter().map(Bytes::get).collect::<Vec<_>>();
        match what {
            Op::PutMany { entries, level: name } => {
                let mut batch = WriteBatch::new();
                for (key, value) in entries {
                    batch.put(key.get(), value.get())?;
                }
                done(write_batch(&db, &batch, name.as_deref()))
            }
            Op::DeleteMany { keys, level: name } => {
                let mut batch = WriteBatch::new();
                for key in keys {
                    batch.delete(key.get())?;
                }
                done(write_batch(&db, &batch, name.as_deref()))
            }
            Op::GetMany { keys, is } => {
                let values = db.get_batch(&many(keys))?;
                let values: Vec<_> =
                    values.into_iter().map(|value| value.map(|value| value.to_vec())).collect();
                check(expect::same(values, is.as_ref().map(|is| is.iter().map(expect::value).collect())))
            }
            Op::Count(count) => {
                let options = Range::from(count).bounds().options()?;
                check(expect::same(db.count(options)?, count.is))
            }
            Op::Batch { r#as } => {
                self.name(r#as, Item::Batch(db, Exclusive::new("batch", WriteBatch::new())))
            }
            Op::Snapshot { r#as } => {
                let snapshot = db.snapshot()?;
                self.name(r#as, Item::Snapshot(db, Handle::new("snapshot", snapshot)))
            }
            Op::Transaction { r#as, isolation: name } => {
                let tx = match name {
                    None => db.transaction()?,
                    Some(name) => db.transaction_with(isolation(name)?)?,
                };
                self.name(r#as, Item::Transaction(db, Handle::new("transaction", tx)))
            }
            Op::Transact(transact) => self.transact(&db, transact, lent),
            Op::Backup { path } => done(lightning_db_bindings::backup(&db, &self.folder.join(path))),
            Op::Flush {} => done(db.flush()),
            Op::Compact {} => done(db.compact_lsm()),
            Op::ClearCache {} => done(db.clear_cache()),
            Op::Stats { is } => {
                let found: HashMap<_, _> = figures(&db.stats()?).into_iter().collect();
                let mut expected = is.iter().flatten();
                check(expected.try_for_each(|(name, is)| expect::figure(name, found.get(&name[..]), is)))
            }
            _ => Err(wrong("not an operation of a database")),
        }
    }

    fn transact(&mut self, db: &Database, transact: &Transact, lent: Lent<'_>) -> Outcome {
        const OWN: &str = "an error of the callback's own";
        if lent.is_some() {
            return Err(wrong("a transact inside of a transact"));
        }
        let (mut attempts, mut verdict) = (0, Ok(()));
        let outcome = db.transact(|tx| {
            attempts += 1;
            verdict = self.steps(&transact.steps, Some((&transact.r#as, Source::Transaction(db, tx))));
            if attempts == 1 && verdict.is_ok() {
                verdict = self.steps(&transact.interfere, None);
            }
            match (&verdict, transact.fail) {
                (Ok(()), false) => Ok(()),
                _ => Err(Error::invalid(OWN)),
            }
        });
        check(verdict)?;
        self.name(&transact.r#as, Item::Ended)?;
        match outcome {
            Err(error) if transact.fail && error.to_string().ends_with(OWN) => {}
            Ok(()) if transact.fail => return Err(wrong("the callback's error was lost")),
            other => other?,
        }
        check(expect::same(attempts, transact.attempts))
    }
}

fn write_batch(db: &Database, batch: &WriteBatch, name: Option<&str>) -> Result<()> {
    match name {
        None => db.write(batch),
        Some(name) => db.write_with(batch, level(name)?),
    }
}

fn option_value(value: &Value) -> Outcome<OptionValue<'_>> {
    match value {
        Value::Bool(value) => Ok(OptionValue::Bool(*value)),
        Value::String(text) => Ok(OptionValue::Text(text)),
        Value::Number(number) => match (number.as_u64(), number.as_f64()) {
            (Some(whole), _) => Ok(OptionValue::Integer(whole)),
            (None, Some(fraction)) => Ok(OptionValue::Seconds(fraction)),
            (None, None) => Err(wrong("a number that is none")),
        },
        _ => Err(wrong("not the value of an option")),
    }
}

fn raise(code: u8) -> Outcome {
    let kind = ErrorKind::from_code(code).ok_or_else(|| wrong(format!("no error has number {code}")))?;
    done(guard(|| Err(Error::new(kind, "raised"))))
}
