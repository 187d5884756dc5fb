//! Calls that take their time: opening, closing, flushing, compacting, copying.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::thread::Builder;

use lightning_db_bindings::{
    Database, Figure, Result, backup as back_up, figures, guard, restore as bring_back,
};

use crate::context::Context;
use crate::db::{Handle, expose};
use crate::delivery::{Completion, Convert};
use crate::env::{Env, Outcome, Value};
use crate::function::define as define_function;
use crate::options::Options;
use crate::pool::{CLOSES, JOBS, Pool, READS};
use crate::registry::{self, Lease};

const EXPECTED_PATH: &str = "a path is a string";

/// The functions of the library.
pub fn define_free(env: Env, object: Value, context: &Rc<Context>) -> Outcome<()> {
    define_function(env, object, "open", context, open)?;
    define_function(env, object, "openSync", context, open_sync)?;
    define_function(env, object, "restore", context, restore)
}

/// The functions of a handle.
pub fn define(env: Env, object: Value, handle: &Rc<Handle>) -> Outcome<()> {
    define_function(env, object, "close", handle, close)?;
    define_function(env, object, "closeSync", handle, close_sync)?;
    define_function(env, object, "flush", handle, |handle, env, [ticket]| {
        run_behind_writes(handle, env, ticket, |db| db.flush())
    })?;
    define_function(env, object, "compact", handle, |handle, env, [ticket]| {
        run_behind_writes(handle, env, ticket, |db| db.compact_lsm())
    })?;
    define_function(env, object, "clearCache", handle, |handle, env, []| {
        handle.database()?.clear_cache()?;
        Ok(env.nothing())
    })?;
    define_function(env, object, "backup", handle, |handle, env, [ticket, target]| {
        let target = path_of(env, target)?;
        run_behind_writes(handle, env, ticket, move |db| back_up(db, &target))
    })?;
    define_function(env, object, "stats", handle, stats)
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
fn run_behind_writes(
    handle: &Rc<Handle>,
    env: Env,
    ticket: Value,
    work: impl FnOnce(&Database) -> Result<()> + Send + 'static,
) -> Outcome {
    let ticket = env.number_of(ticket)?;
    let engine = handle.engine()?;
    let (database, delivery) = (engine.database.clone(), Arc::clone(&handle.context.delivery));
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

/// `stats()`: an object.
fn stats(handle: &Rc<Handle>, env: Env, []: [Value; 0]) -> Outcome {
    let object = env.object()?;
    for (name, figure) in figures(&handle.database()?.stats()?) {
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
