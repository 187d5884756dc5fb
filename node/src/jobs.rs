//! Calls that take their time: opening, closing, flushing, compacting, copying.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::thread::Builder;

use lightning_db_bindings::{
    CheckProgress, CheckReport, CompactionProgress, Database, Figure, Opening, Result, backup as back_up,
    check, compact, figures, guard, memory, memory_stats, metrics, repair, restore as bring_back,
};

use crate::context::Context;
use crate::db::{Handle, expose};
use crate::delivery::{Completion, Convert};
use crate::env::{Env, Outcome, Value};
use crate::function::define as define_function;
use crate::options::Options;
use crate::pool::{CLOSES, JOBS, Pool, READS};
use crate::registry::{self, Lease};
use crate::report;
use crate::task::Task;

const EXPECTED_PATH: &str = "a path is a string";

/// The functions of the library.
pub fn define_free(env: Env, object: Value, context: &Rc<Context>) -> Outcome<()> {
    define_function(env, object, "open", context, open)?;
    define_function(env, object, "openSync", context, open_sync)?;
    define_function(env, object, "restore", context, restore)?;
    define_function(env, object, "check", context, |context, env, values| {
        examine(context, env, values, check)
    })?;
    define_function(env, object, "repair", context, |context, env, values| {
        examine(context, env, values, repair)
    })
}

/// The functions of a handle.
pub fn define(env: Env, object: Value, handle: &Rc<Handle>) -> Outcome<()> {
    define_function(env, object, "close", handle, close)?;
    define_function(env, object, "closeSync", handle, close_sync)?;
    define_function(env, object, "flush", handle, |handle, env, [ticket]| {
        run_behind_writes(handle, env, ticket, |db| db.flush())
    })?;
    define_function(env, object, "compact", handle, run_compaction)?;
    define_function(env, object, "clearCache", handle, |handle, env, []| {
        handle.engine()?.store.database().clear_cache()?;
        Ok(env.nothing())
    })?;
    define_function(env, object, "backup", handle, |handle, env, [ticket, target]| {
        let target = path_of(env, target)?;
        run_behind_writes(handle, env, ticket, move |db| back_up(db, &target))
    })?;
    define_function(env, object, "stats", handle, |handle, env, []| {
        object_of(env, figures(&handle.engine()?.store.database().stats()?))
    })?;
    define_function(env, object, "metrics", handle, |handle, env, []| {
        object_of(env, metrics(&handle.engine()?.store.database().get_metrics()?))
    })?;
    define_function(env, object, "memoryStats", handle, |handle, env, []| {
        object_of(env, memory(&memory_stats(handle.engine()?.store.database())?))
    })?;
    define_function(env, object, "prometheus", handle, |handle, env, [labels]| {
        let texts = env.elements(labels)?.into_iter().map(|text| env.string_of(text, "a label is a string"));
        let texts = texts.collect::<Outcome<Vec<_>>>()?;
        let (pairs, _) = texts.as_chunks::<2>();
        let labels: Vec<_> = pairs.iter().map(|[name, value]| (name.as_str(), value.as_str())).collect();
        env.text(handle.engine()?.store.database().get_metrics()?.prometheus_with(&labels).as_bytes())
    })
}

fn path_of(env: Env, path: Value) -> Outcome<PathBuf> {
    Ok(PathBuf::from(env.string_of(path, EXPECTED_PATH)?))
}

/// Runs a call on a pool and sends its result to a promise of this thread.
fn send_from(
    pool: &'static Pool,
    context: &Context,
    ticket: f64,
    call: impl FnOnce() -> Result<Option<Convert>> + Send + 'static,
) -> Result<()> {
    let delivery = Arc::clone(&context.delivery);
    pool.run(move || delivery.send([Completion { ticket, outcome: guard(call) }]))?;
    context.begin();
    Ok(())
}

/// Runs a read that may go to the disk.
pub fn read(
    context: &Context,
    ticket: f64,
    call: impl FnOnce() -> Result<Option<Convert>> + Send + 'static,
) -> Result<()> {
    send_from(&READS, context, ticket, call)
}

/// Runs long work on the database, which sees all writes that this handle has given before.
pub fn run_behind_writes(
    handle: &Rc<Handle>,
    env: Env,
    ticket: Value,
    work: impl FnOnce(&Database) -> Result<()> + Send + 'static,
) -> Outcome {
    let ticket = env.number_of(ticket)?;
    let engine = handle.engine()?;
    let (database, delivery) = (engine.store.database().clone(), Arc::clone(&handle.context.delivery));
    let refused = Arc::clone(&delivery);
    let job = move || {
        let outcome = guard(|| work(&database)).map(|()| None);
        delivery.send([Completion { ticket, outcome }]);
    };
    let work = move || {
        if let Err(error) = JOBS.run(job) {
            refused.send([Completion { ticket, outcome: Err(error) }]);
        }
    };
    engine.commits.then(work, &handle.outstanding)?;
    handle.context.begin();
    Ok(env.nothing())
}

/// `compact(ticket, steps)`: an object to stop it. `steps`: a ticket that is told how far it has got, or nothing.
fn run_compaction(handle: &Rc<Handle>, env: Env, [ticket, steps]: [Value; 2]) -> Outcome {
    let task = Task::new(env, &handle.context, steps)?;
    let own = Arc::clone(&task);
    run_behind_writes(handle, env, ticket, move |db| {
        compact(db, |progress| {
            let CompactionProgress { bytes_done, bytes_in, tables, .. } = progress;
            let figures = [("bytes_done", bytes_done), ("bytes_in", bytes_in), ("tables", tables)];
            own.goes_on(bytes_done, bytes_in, &figures)
        })
    })?;
    let mut tasks = handle.tasks.borrow_mut();
    tasks.retain(|known| known.strong_count() > 0);
    tasks.push(Arc::downgrade(&task));
    task.expose(env)
}

/// `check(ticket, path, options, steps)`, `repair(…)`: a report.
fn examine(
    context: &Rc<Context>,
    env: Env,
    [ticket, path, options, steps]: [Value; 4],
    work: impl FnOnce(&Path, Opening, Box<dyn Fn(CheckProgress) + Send + Sync>) -> Result<CheckReport>
    + Send
    + 'static,
) -> Outcome {
    let (path, options) = (path_of(env, path)?, Options::from_values(env, options)?);
    let task = Task::new(env, context, steps)?;
    send_from(&JOBS, context, env.number_of(ticket)?, move || {
        let mut opening = Opening::new();
        options.apply(&mut opening)?;
        let progress = move |CheckProgress { done, total }| {
            task.goes_on(done, total, &[("done", done), ("total", total)]);
        };
        let report = work(&path, opening, Box::new(progress))?;
        Ok(Some(Box::new(move |context: &Rc<Context>| report::give(context.env, &report))))
    })?;
    Ok(env.nothing())
}

/// `open(ticket, path, options)`: a handle's object.
fn open(context: &Rc<Context>, env: Env, [ticket, path, options]: [Value; 3]) -> Outcome {
    let (path, options) = (path_of(env, path)?, Options::from_values(env, options)?);
    send_from(&JOBS, context, env.number_of(ticket)?, move || {
        let lease = registry::open(&path, options)?;
        Ok(Some(Box::new(move |context: &Rc<Context>| expose(context, lease))))
    })?;
    Ok(env.nothing())
}

/// `openSync(path, options)`.
fn open_sync(context: &Rc<Context>, env: Env, [path, options]: [Value; 2]) -> Outcome {
    let (path, options) = (path_of(env, path)?, Options::from_values(env, options)?);
    expose(context, registry::open(&path, options)?)
}

/// `restore(ticket, source, target)`.
fn restore(context: &Rc<Context>, env: Env, [ticket, source, target]: [Value; 3]) -> Outcome {
    let (source, target) = (path_of(env, source)?, path_of(env, target)?);
    send_from(&JOBS, context, env.number_of(ticket)?, move || {
        bring_back(Path::new(&source), &target)?;
        Ok(None)
    })?;
    Ok(env.nothing())
}

/// `close(ticket)`: behind this handle's writes. A handle that is closed is no error.
fn close(handle: &Rc<Handle>, env: Env, [ticket]: [Value; 1]) -> Outcome {
    let ticket = env.number_of(ticket)?;
    let lease = handle.take();
    let outstanding = Arc::clone(&handle.outstanding);
    send_from(&CLOSES, &handle.context, ticket, move || {
        if let Some(lease) = lease {
            lease.engine.commits.wait(|| Ok(()), &outstanding)?;
            lease.release()?;
        }
        Ok(None)
    })?;
    Ok(env.nothing())
}

/// `closeSync()`.
fn close_sync(handle: &Rc<Handle>, env: Env, []: [Value; 0]) -> Outcome {
    handle.close_now()?;
    Ok(env.nothing())
}

/// An object of figures.
fn object_of(env: Env, figures: Vec<(&'static str, Figure)>) -> Outcome {
    let object = env.object()?;
    for (name, figure) in figures {
        let value = match figure {
            Figure::Count(count) => env.number(count as f64)?,
            Figure::Ratio(ratio) => env.number(ratio)?,
            Figure::Counts(counts) => {
                let counts: Outcome<Vec<_>> = counts.iter().map(|&count| env.number(count as f64)).collect();
                env.array(&counts?)?
            }
            Figure::Text(Some(text)) => env.text(text.as_bytes())?,
            Figure::Text(None) => env.undefined()?,
        };
        env.set(object, name, value)?;
    }
    Ok(object)
}

/// Releases the share of a handle that was forgotten, without waiting for it.
pub fn release_later(lease: Lease) {
    // Without a thread the share is dropped where it is, which closes it too.
    let _ = Builder::new().name("lightning closes".into()).spawn(move || lease.release());
}
