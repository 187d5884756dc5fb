//! Runs steps, and holds what they do against what is expected.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use lightning_db_bindings::write::{self, How};
use lightning_db_bindings::{
    CheckReport, Error, ErrorKind, Exclusive, Isolation, Opening, OptionValue, Result, Store, View, guard,
    level,
};
use serde_json::Value;

use crate::cases::{Case, Examination, Op, Options, Step, Transact};
use crate::expect::{self, Verdict};
use crate::faults;
use crate::files;
use crate::handles::{Entries, Item, Reading, Source, ended};

/// Why a step did not succeed: an error of the engine, which may be what is expected, or a fault of engine or case.
pub enum Failure {
    Engine(Error),
    Case(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Engine(error)
    }
}

pub type Outcome<T = ()> = std::result::Result<T, Failure>;

/// Runs a case in a folder of its own. Errors: the first step that did not go as expected.
pub fn run(case: &Case, reading: Reading) -> Verdict {
    let folder = tempfile::tempdir().expect("a folder");
    let mut run =
        Run { folder: folder.path().to_owned(), items: HashMap::new(), reading, in_callback: false };
    if case.open {
        run.open("db", "db", &case.options).map_err(|failure| format!("open: {}", failure.told()))?;
    }
    run.steps(&case.steps)
}

impl Failure {
    fn told(self) -> String {
        match self {
            Failure::Engine(error) => error.to_string(),
            Failure::Case(text) => text,
        }
    }
}

pub fn done(result: Result<()>) -> Outcome {
    result.map_err(Failure::Engine)
}

pub fn check(verdict: Verdict) -> Outcome {
    verdict.map_err(Failure::Case)
}

pub fn wrong(text: impl Into<String>) -> Failure {
    Failure::Case(text.into())
}

pub struct Run {
    pub(super) folder: PathBuf,
    pub(super) items: HashMap<String, Item>,
    reading: Reading,
    in_callback: bool,
}

impl Run {
    pub(super) fn steps(&mut self, steps: &[Step]) -> Verdict {
        for (index, step) in steps.iter().enumerate() {
            self.step(step).map_err(|told| format!("step {} ({}): {told}", index + 1, step.op))?;
        }
        Ok(())
    }

    fn step(&mut self, step: &Step) -> Verdict {
        let on = step.on.as_deref().unwrap_or("db");
        let outcome = self.do_step(on, &step.what);
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

    pub(super) fn do_step(&mut self, on: &str, what: &Op) -> Outcome {
        match what {
            Op::Open { r#as, path, options } => self.open(r#as, path, options),
            Op::Restore { source, target } => {
                done(lightning_db_bindings::restore(&self.folder.join(source), &self.folder.join(target)))
            }
            Op::Check(examination) => {
                self.examine(examination, |path, opening| lightning_db_bindings::check(path, opening, |_| {}))
            }
            Op::Repair(examination) => self
                .examine(examination, |path, opening| lightning_db_bindings::repair(path, opening, |_| {})),
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
            Op::Disk { name, command } => done(faults::command(name, command).map(drop)),
            Op::FailEach(each) => self.fail_each(each),
            Op::Close {} => done(self.item(on)?.close()),
            Op::Put { .. } | Op::Delete { .. } | Op::Write { .. } => self.write(on, what),
            Op::Commit { .. } | Op::Abort {} => self.finish(on, what),
            Op::Get { .. } | Op::Scan(_) | Op::Cursor(_) | Op::Next { .. } => self.read(on, what),
            Op::In { r#as, keyspace } => self.through(on, r#as, keyspace),
            Op::PutMany { .. } | Op::DeleteMany { .. } | Op::GetMany { .. } | Op::Ingest { .. } => {
                self.many(on, what)
            }
            Op::Batch { .. } | Op::Snapshot { .. } | Op::Transaction { .. } => self.begin(on, what),
            Op::Count(_) | Op::ApproximateSize(_) => self.measure(on, what),
            Op::Transact(transact) => self.transact(&self.store(on)?, transact),
            _ => self.on_database(on, what),
        }
    }

    pub(super) fn item(&self, name: &str) -> Outcome<&Item> {
        self.items.get(name).ok_or_else(|| wrong(format!("no handle is named {name:?}")))
    }

    pub(super) fn name(&mut self, name: &str, item: Item) -> Outcome {
        match self.items.insert(name.to_owned(), item) {
            None => Ok(()),
            Some(_) => Err(wrong(format!("{name:?} is taken"))),
        }
    }

    fn open(&mut self, name: &str, path: &str, options: &Options) -> Outcome {
        let db = opening(options)?.open(&self.folder.join(path))?;
        self.name(name, Item::Database(db.into()))
    }

    fn examine(
        &self,
        what: &Examination,
        work: impl FnOnce(&Path, Opening) -> Result<CheckReport>,
    ) -> Outcome {
        let report = work(&self.folder.join(&what.path), opening(&what.options)?)?;
        let lost = report.repair.as_ref().map_or(0, |repair| repair.lost.len());
        let told = |verdict: Verdict| verdict.map_err(|wrong| Failure::Case(format!("{wrong}: {report}")));
        told(what.ok.map_or(Ok(()), |ok| expect::same(("ok", report.is_ok()), Some(("ok", ok)))))?;
        told(what.lost.map_or(Ok(()), |is| expect::same(("lost", lost), Some(("lost", is)))))
    }

    /// The database of a handle, or a keyspace of it.
    pub(super) fn store(&self, on: &str) -> Outcome<Store> {
        match self.item(on)? {
            Item::Database(store) => Ok(store.clone()),
            Item::Keyspace(handle) => Ok(Store::clone(&*handle.get()?)),
            _ => Err(wrong(format!("{on:?} is neither a database nor a keyspace"))),
        }
    }

    /// Runs a call on what can be read.
    fn with_source<T>(&self, on: &str, call: impl FnOnce(Source<'_>) -> Outcome<T>) -> Outcome<T> {
        match self.item(on)? {
            Item::Database(store) => call(Source::Store(store)),
            Item::Keyspace(handle) => call(Source::Store(&*handle.get()?)),
            Item::Snapshot(store, view) => call(Source::Snapshot(store, &view.get()?)),
            Item::Transaction(store, view) => call(Source::Transaction(store, &view.get()?)),
            Item::Ended => Err(ended().into()),
            Item::Batch(..) | Item::Entries(_) => Err(wrong(format!("{on:?} is of another kind"))),
        }
    }

    fn through(&mut self, on: &str, name: &str, keyspace: &str) -> Outcome {
        let target = self.store(keyspace)?;
        let item = match self.item(on)? {
            Item::Snapshot(store, view) => Item::Snapshot(store.clone(), view.through(&target)?),
            Item::Transaction(store, view) => Item::Transaction(store.clone(), view.through(&target)?),
            Item::Ended => return Err(ended().into()),
            _ => return Err(wrong(format!("{on:?} is neither a snapshot nor a transaction"))),
        };
        self.name(name, item)
    }

    fn read(&mut self, on: &str, what: &Op) -> Outcome {
        match what {
            Op::Get { key, is } => {
                let key = key.get();
                let value = self.with_source(on, |source| Ok(source.get(&key)?))?;
                check(expect::same(value, is.as_ref().map(expect::value)))
            }
            Op::Scan(scan) => {
                let range = scan.range();
                let pairs = self.with_source(on, |source| {
                    Ok(Entries::open(source, &range.bounds(), self.reading)?.all()?)
                })?;
                check(expect::entries(pairs, scan))
            }
            Op::Cursor(cursor) => {
                let range = cursor.range();
                let entries =
                    self.with_source(on, |source| Ok(Entries::open(source, &range.bounds(), self.reading)?))?;
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

    fn write(&mut self, on: &str, what: &Op) -> Outcome {
        if let Some(Item::Batch(store, handle)) = self.items.get(on) {
            let target = |name: &Option<String>| match name {
                Some(name) => self.store(name),
                None => Ok(store.clone()),
            };
            return match what {
                Op::Put { key, value, keyspace, level: None, timeout: None } => {
                    let target = target(keyspace)?;
                    let (key, value) = (key.get(), value.get());
                    done(handle.with(|batch| write::add_put(batch, &target, &key, &value)))
                }
                Op::Delete { key, keyspace, level: None, timeout: None } => {
                    let target = target(keyspace)?;
                    done(handle.with(|batch| write::add_delete(batch, &target, &key.get())))
                }
                Op::Write { level, timeout } => done(handle.with(|batch| {
                    write::write(store, batch, how(level, timeout)?)?;
                    batch.clear();
                    Ok(())
                })),
                _ => Err(wrong("not an operation of a batch")),
            };
        }
        self.with_source(on, |source| match (source, what) {
            (Source::Store(store), Op::Put { key, value, level, timeout, keyspace: None }) => {
                done(write::put(store, &key.get(), &value.get(), how(level, timeout)?))
            }
            (Source::Store(store), Op::Delete { key, level, timeout, keyspace: None }) => {
                done(write::delete(store, &key.get(), how(level, timeout)?))
            }
            (
                Source::Transaction(_, tx),
                Op::Put { key, value, level: None, timeout: None, keyspace: None },
            ) => done(tx.put(&key.get(), &value.get())),
            (Source::Transaction(_, tx), Op::Delete { key, level: None, timeout: None, keyspace: None }) => {
                done(tx.delete(&key.get()))
            }
            _ => Err(wrong(format!("not an operation of {on:?}"))),
        })
    }

    fn finish(&mut self, on: &str, what: &Op) -> Outcome {
        let view = match self.item(on)? {
            Item::Transaction(_, view) => view,
            Item::Ended => return Err(ended().into()),
            _ => return Err(wrong(format!("{on:?} is no transaction"))),
        };
        let Op::Commit { level: name } = what else {
            return done(view.end()?.abort());
        };
        let level = name.as_deref().map(level).transpose()?;
        done(view.end()?.commit(level))
    }

    fn transact(&mut self, store: &Store, transact: &Transact) -> Outcome {
        const OWN: &str = "an error of the callback's own";
        if self.in_callback {
            return Err(wrong("a transact inside of a transact"));
        }
        let mut attempts = 0;
        let outcome = loop {
            attempts += 1;
            let tx = View::of_transaction(store.transaction(Isolation::default())?);
            self.name(&transact.r#as, Item::Transaction(store.clone(), tx))?;
            let kept: HashSet<_> = self.items.keys().cloned().collect();
            self.in_callback = true;
            let mut verdict = self.steps(&transact.steps);
            self.items.retain(|name, _| kept.contains(name));
            if attempts == 1 && verdict.is_ok() {
                verdict = self.steps(&transact.interfere);
            }
            self.in_callback = false;
            check(verdict)?;
            let Some(Item::Transaction(_, tx)) = self.items.remove(&transact.r#as) else {
                return Err(wrong("the callback's transaction is lost"));
            };
            let tx = tx.end().map_err(|_| wrong("the callback's transaction has ended"))?;
            if transact.fail {
                break Err(Error::invalid(OWN));
            }
            let outcome = tx.commit(None);
            let Err(error) = &outcome else { break outcome };
            let Some(pause) = store.database().pause_before_retry(attempts, error.kind()) else {
                break outcome;
            };
            std::thread::sleep(pause);
        };
        self.name(&transact.r#as, Item::Ended)?;
        match outcome {
            Err(error) if transact.fail && error.to_string().ends_with(OWN) => {}
            other => other?,
        }
        check(expect::same(attempts, transact.attempts))
    }
}

fn opening(options: &Options) -> Outcome<Opening> {
    let mut opening = Opening::new();
    for (option, value) in options {
        opening.set(option, option_value(value)?)?;
    }
    Ok(opening)
}

pub fn how(level: &Option<String>, timeout: &Option<f64>) -> Result<How> {
    How::new(level.as_deref(), timeout.map(|milliseconds| milliseconds / 1000.0))
}

pub fn option_value(value: &Value) -> Outcome<OptionValue<'_>> {
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
